#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# review.sh - what a proposed rollout file would do, for those who review it. Needs no secret, connects to nothing but git.
#
# Taken from the proposed commit: the rollout file, as data. Everything else (this script, who may record, the observations) is from the base
# branch, so that a change can neither run anything here nor choose whom to believe.
#
# S2S_HEAD, S2S_BASE: commits, both there. S2S_ROLLOUT: rollout.yaml. S2S_SIGNERS: signers. S2S_ANNOTATE: github or gitlab.
# Writes review/: plan.json (to be approved), comment.md, plan.html, findings.sarif, quality.json. Exit status: the plan's.
set -eu
rollout=${S2S_ROLLOUT:-rollout.yaml}
signers=${S2S_SIGNERS:-signers}
branch=${S2S_STATE_BRANCH:-s2sctl-state}
remote=${S2S_REMOTE:-origin}
out=review

rm -rf $out
mkdir $out
git show "$S2S_BASE:$signers" >$out/signers
git fetch -q "$remote" "+refs/heads/$branch:refs/s2sctl/state"
for f in observations.json observations.json.sig; do git show "refs/s2sctl/state:$f" >$out/$f; done
git show "$S2S_HEAD:$rollout" >$out/proposed
rm -f "$rollout" # it may be a link here
mv $out/proposed "$rollout"
# Whose change it is: they do not approve it themselves.
maker=$(git log -1 --no-merges --format=%ae "$S2S_HEAD" -- "$rollout")

validate() { s2sctl validate "$rollout" --no-env --format "$1"; }
validate sarif >$out/findings.sarif 2>/dev/null || :
validate gitlab >$out/quality.json 2>/dev/null || :
status=0
if [ "${S2S_ANNOTATE:-}" = github ]; then
	validate github || status=$?
else
	validate text || status=$?
fi
if [ $status -ne 0 ]; then
	printf '<!-- s2sctl plan %s -->\nThe rollout file is not valid; the job says where and why.\n' "$rollout" >$out/comment.md
	exit $status
fi

s2sctl plan "$rollout" --from $out/observations.json --allowed-signers $out/signers --by "${maker:-nobody}" \
	-o $out/plan.json --format markdown >$out/comment.md || status=$?
if [ ! -s $out/plan.json ]; then
	printf '<!-- s2sctl plan %s -->\nNo plan could be made; the job says why.\n' "$rollout" >$out/comment.md
	exit $status
fi
s2sctl show $out/plan.json # in the job's log
s2sctl show $out/plan.json --format html >$out/plan.html
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
	s2sctl show $out/plan.json --format markdown --github-summary >>"$GITHUB_STEP_SUMMARY"
fi
exit $status
