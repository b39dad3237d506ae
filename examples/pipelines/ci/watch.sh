#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# watch.sh - the scheduled job, between `state.sh take` and `keep`: goes on with what waits, records what there is to see, says what drifted.
#
# A run is only gone on with here, never begun: beginning is for the job that follows a merge.
#
# S2S_RECORD_KEY: a private key (Ed25519, OpenSSH's format), the text, from the service's secrets; signers has its public half with
# namespaces="s2sctl-observations". S2S_PLAN_OPTIONS: more words for plan and drift. For the rest see carry-out.sh.
# Exit status: 0, 2 when something has drifted, else that of what failed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rollout=${S2S_ROLLOUT:-rollout.yaml}
state=${S2S_STATE:-.s2sctl}
key=$(mktemp)
trap 'rm -f "$key"' EXIT
maker=$(git log -1 --no-merges --format=%ae -- "$rollout")

# Quotes inside of texts are escaped, so that no text can look like this.
is_open() { s2sctl status "$rollout" --format json | grep -q '"state":"open"'; }

went=0
if is_open; then S2S_BEFORE=${S2S_BEFORE:-HEAD} "$here/carry-out.sh" || went=$?; fi

printf '%s\n' "${S2S_RECORD_KEY:?}" >"$key"
# shellcheck disable=SC2086
s2sctl plan "$rollout" --by "${maker:-nobody}" --record "$state/observations.json" --key "$key" ${S2S_PLAN_OPTIONS:-} >/dev/null ||
	echo "planning ended with exit status $?: what could be seen is recorded"
[ $went -eq 0 ] || exit $went
if is_open; then
	echo "a run is open: what is left of it is no drift"
	exit 0
fi
# shellcheck disable=SC2086
s2sctl drift "$rollout" --by "${maker:-nobody}" ${S2S_PLAN_OPTIONS:-}
