#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# comment-github.sh FILE - one comment on a pull request, edited when it is there already. By `gh`, which every hosted runner has.
#
# Ours is the one whose first line is the file's first line (a comment that nobody sees) and that the job's own account wrote: anybody
# else can write that line too. GITHUB_REPOSITORY, S2S_NUMBER (of the pull request), GH_TOKEN; S2S_COMMENTER: github-actions[bot].
set -eu
S2S_MARK=$(head -n 1 "$1")
S2S_COMMENTER=${S2S_COMMENTER:-github-actions[bot]}
export S2S_MARK S2S_COMMENTER
comments=repos/$GITHUB_REPOSITORY/issues/$S2S_NUMBER/comments

list() { gh api --paginate "$comments" --jq '.[] | [.id, .user.login, (.body | split("\n")[0] | rtrimstr("\r"))] | @tsv'; }
all=$(list) # its failure has to end this
id=$(printf '%s\n' "$all" | awk -F '\t' '$2 == ENVIRON["S2S_COMMENTER"] && $3 == ENVIRON["S2S_MARK"] { print $1; exit }')
if [ -n "$id" ]; then
	gh api --silent -X PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F "body=@$1"
else
	gh api --silent -X POST "$comments" -F "body=@$1"
fi
