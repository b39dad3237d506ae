#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mutants.sh [NAME...] - proof that the judge of simulations can fail: each tests/sim/mutants/NAME.mutant breaks the program in one way, and
# must be caught by a violation of the invariant that it names, in a case in which the program as it is violates nothing.
#
# A mutant is text: "# why", "breaks: LETTER", if need be "cases: KIND" (where it shows soonest; see `sim --kind`), then for each file
# "=== PATH", and for each change in it "--- old", the exact lines, "--- new", the lines instead. The old lines must occur exactly once; else
# the mutant is stale, which is a failure.
#
# From the environment, set by `make mutants`: B (build folder), COMPILE, LINK (commands), OBJECTS, LIBS; SEEDS (each mutant gets so
# many chances, 6000), JOBS.
set -eu
cd "$(dirname "$0")/../.."
: "${B:?}" "${COMPILE:?}" "${LINK:?}" "${OBJECTS:?}" "${LIBS:?}"

# Writes the patched copies below $1 and their paths to $1/files.
patch_all() { # folder mutant
	awk -v folder="$1" '
		function flush(   text, at, rest) {
			if (old == "") return
			text = source[file]
			at = index(text, old)
			rest = at ? substr(text, at + length(old)) : ""
			if (!at || index(rest, old)) {
				print "stale: in " file " this does not occur exactly once:\n" old
				bad = 1
				exit 1
			}
			source[file] = substr(text, 1, at - 1) new rest
			old = new = ""
		}
		function load(path,   line) {
			if (path in source) return
			source[path] = ""
			while ((getline line <path) > 0) source[path] = source[path] line "\n"
			close(path)
			print path >(folder "/files")
		}
		/^=== / { flush(); file = substr($0, 5); load(file); part = ""; next }
		/^--- old$/ { flush(); part = "old"; next }
		/^--- new$/ { part = "new"; next }
		part == "old" { old = old $0 "\n" }
		part == "new" { new = new $0 "\n" }
		END {
			if (bad) exit 1
			flush()
			for (path in source) {
				flat = path
				gsub("/", "_", flat)
				printf "%s", source[path] >(folder "/" flat)
			}
		}' "$2"
}

build() { # folder
	objects=
	while read -r path; do
		flat=$(echo "$path" | tr / _)
		# shellcheck disable=SC2086  # words
		$COMPILE -w -iquote "$(dirname "$path")" -c -o "$1/$flat.o" "$1/$flat"
		objects="$objects $1/$flat.o"
	done <"$1/files"
	# shellcheck disable=SC2086  # words
	$LINK -o "$1/sim" $objects $OBJECTS $LIBS
}

one() { # mutant
	name=$(basename "$1" .mutant)
	work=$B/mutants/$name
	letter=$(sed -n 's/^breaks: \([a-f]\)$/\1/p' "$1")
	kind=$(sed -n 's/^cases: \([a-z]*\)$/\1/p' "$1")
	rm -rf "$work"
	mkdir -p "$work"
	if ! patch_all "$work" "$1" >"$work/log" 2>&1 || [ -z "$letter" ]; then
		echo "STALE    $name: $(head -n 5 "$work/log")"
		return 1
	fi
	if ! build "$work" >>"$work/log" 2>&1; then
		echo "BROKEN   $name: it does not compile; see $work/log"
		return 1
	fi
	status=0
	"$work/sim" --seeds "${SEEDS:-6000}" --kind "${kind:-anything}" --jobs 1 --wants "$letter" >"$work/said" 2>"$work/why" || status=$?
	found=$(grep "^seed [0-9]*: ($letter)" "$work/why" | head -n 1 | cut -c 1-150)
	if [ $status = 1 ] && [ -n "$found" ]; then
		seed=${found#seed }
		# A defect of the program itself would pass for the mutant's.
		if ! "$B/sim" --seed "${seed%%:*}" --kind "${kind:-anything}" --random >"$work/said" 2>&1; then
			echo "UNSOUND  $name: without it, too, seed ${seed%%:*} is violated: $(tail -n 1 "$work/said" | cut -c 1-150)"
			return 1
		fi
		echo "caught   $name: $found"
		rm -rf "$work"
		return 0
	fi
	echo "MISSED   $name: no violation of ($letter) in ${SEEDS:-6000} seeds; $(sed -n 's/^# //p' "$1")"
	return 1
}

if [ "${1:-}" = --one ]; then
	one "$2"
	exit
fi
mkdir -p "$B/mutants"
if [ $# -gt 0 ]; then
	for name in "$@"; do echo "tests/sim/mutants/$name.mutant"; done
else
	ls tests/sim/mutants/*.mutant
fi >"$B/mutants/list"
status=0
xargs -P "${JOBS:-$(nproc)}" -n 1 "$0" --one <"$B/mutants/list" || status=1
echo "$(wc -l <"$B/mutants/list") mutants, $([ $status = 0 ] && echo "all caught" || echo "not all caught")"
exit $status
