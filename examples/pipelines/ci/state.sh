#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# state.sh take|keep|free - carries s2sctl's journal between machines that forget their disks, on a git branch of its own.
#
#   take  brings the folder here and marks the branch as taken; exit 6 when somebody else has it
#   keep  brings it back and takes the mark away; nothing is lost by calling it twice, or after a refused `take`
#   free  takes away the mark of a job that died. First see that it is dead: what it did last may have stayed on its disk
#
# The mark is pushed before anything is done, and no push is ever forced: of two jobs that begin at once one is refused by git itself,
# so that this holds without the service's own limit of one job at a time as well. The lock file stays behind: it is this machine's.
#
# S2S_STATE: the folder (.s2sctl). S2S_STATE_BRANCH: s2sctl-state. S2S_REMOTE: origin. S2S_JOB: what the mark says.
set -eu
umask 077
folder=${S2S_STATE:-.s2sctl}
branch=${S2S_STATE_BRANCH:-s2sctl-state}
remote=${S2S_REMOTE:-origin}
seen=refs/s2sctl/state # the branch as it was read
mine=refs/s2sctl/mine  # the commit that holds our mark
files="journal.jsonl journal.jsonl.note acks.jsonl observations.json observations.json.sig"

say() { echo "state: $*" >&2; }
taken() { say "$*"; exit 6; }

fetch()
{
	git update-ref -d $seen
	status=0
	git ls-remote --exit-code "$remote" "refs/heads/$branch" >/dev/null || status=$?
	case $status in
	0) git fetch -q "$remote" "+refs/heads/$branch:$seen" ;;
	2) ;; # no such branch yet
	*) say "the remote cannot be read"; exit 1 ;; # its address may hold a token
	esac
}
has() { git cat-file -e "$1:$2" 2>/dev/null; }

# commit PARENT WORDS [FILE...]: a commit of these files and nothing else; prints it
commit()
{
	parent=$1
	words=$2
	shift 2
	GIT_INDEX_FILE=$(git rev-parse --absolute-git-dir)/s2sctl-index
	export GIT_INDEX_FILE
	rm -f "$GIT_INDEX_FILE"
	for f in "$@"; do
		[ -f "$f" ] || continue
		git update-index --add --cacheinfo "100644,$(git hash-object -w -- "$f"),${f##*/}"
	done
	tree=$(git write-tree)
	rm -f "$GIT_INDEX_FILE"
	unset GIT_INDEX_FILE
	git -c user.name=s2sctl -c user.email=s2sctl@localhost commit-tree "$tree" ${parent:+-p "$parent"} -m "$words"
}
in_folder() { for f in $files; do echo "$folder/$f"; done; }
push() { git push -q "$remote" "$1:refs/heads/$branch"; }

take()
{
	fetch
	if has $seen running; then
		taken "another job has it: $(git show $seen:running). If it is dead: state.sh free"
	fi
	rm -rf "$folder"
	mkdir -p "$folder"
	for f in $files; do
		if has $seen "$f"; then git show "$seen:$f" >"$folder/$f"; fi
	done
	parent=$(git rev-parse -q --verify $seen || :)
	echo "${S2S_JOB:-$(id -un)@$(uname -n)}, since $(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$folder/running"
	# shellcheck disable=SC2046 # a list of words without blanks
	new=$(commit "$parent" "taken" $(in_folder) "$folder/running")
	rm -f "$folder/running"
	push "$new" || taken "another job took it at the same moment"
	git update-ref $mine "$new"
}

keep()
{
	parent=$(git rev-parse -q --verify $mine || :)
	[ -n "$parent" ] || { say "not ours: nothing to keep"; return; }
	# shellcheck disable=SC2046
	new=$(commit "$parent" "kept" $(in_folder))
	push "$new" || { say "cannot be pushed: the journal is in $folder here and nowhere else"; exit 1; }
	git update-ref -d $mine
}

free()
{
	fetch
	has $seen running || { say "nobody has it"; return; }
	say "was taken by $(git show $seen:running)"
	S2S_STATE=$(mktemp -d)
	folder=$S2S_STATE
	for f in $files; do
		if has $seen "$f"; then git show "$seen:$f" >"$folder/$f"; fi
	done
	# shellcheck disable=SC2046
	new=$(commit "$(git rev-parse $seen)" "freed by hand" $(in_folder))
	rm -rf "$folder"
	push "$new"
}

case ${1:-} in
take | keep | free) "$1" ;;
*) echo "usage: state.sh take|keep|free" >&2; exit 64 ;;
esac
