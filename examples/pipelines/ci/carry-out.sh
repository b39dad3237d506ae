#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# carry-out.sh - applies the rollout file of this checkout, with the approvals that lie beside it. Between `state.sh take` and `keep`.
#
# Plans from the live systems; approvals bind to what the plan means, so those given in review count when it means the same.
# Who may approve is read from S2S_BEFORE, the base branch as it was before this change: nobody adds themselves and approves in one go.
#
# S2S_ROLLOUT: rollout.yaml; beside it rollout.approvals and rollout.confirm (the titles of projects whose old credential may be deleted, one a
# line). S2S_SIGNERS: signers. S2S_OPTIONS: more words for apply. Exit status: apply's, but waiting (3) is 0: the next job goes on.
set -eu
rollout=${S2S_ROLLOUT:-rollout.yaml}
base=${rollout%.*}
believed=$(mktemp)
trap 'rm -f "$believed"' EXIT
git show "$S2S_BEFORE:${S2S_SIGNERS:-signers}" >"$believed"
maker=$(git log -1 --no-merges --format=%ae -- "$rollout")

set --
if [ -f "$base.confirm" ]; then
	while IFS= read -r title; do
		[ -z "$title" ] || set -- "$@" --confirm "$title"
	done <"$base.confirm"
fi
status=0
# shellcheck disable=SC2086 # S2S_OPTIONS are words
s2sctl apply "$rollout" --approvals "$base.approvals" --allowed-signers "$believed" --by "${maker:-nobody}" "$@" ${S2S_OPTIONS:-} ||
	status=$?
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
	s2sctl status "$rollout" --format markdown >>"$GITHUB_STEP_SUMMARY" || :
fi
[ $status -ne 3 ] || { echo "waiting: the scheduled job goes on"; status=0; }
exit $status
