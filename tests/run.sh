#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh - runs tests that `make tests` has built; tests/README.md tells how to add one. Works from any directory.
#
#   run.sh [--only NAME]          all cases, or those named so: unit/test_sb, test_sb or 'golden/secret-*'
#   run.sh --update NAME          golden cases: write what comes out as what is expected; read the diff
#   run.sh --suite lint           the checks of tests/lint instead
#   run.sh --list                 the names of all cases
#   run.sh --exec SCRIPT [ARG...] one script in the environment of a test (demo, bench); nothing when it is not there
#   run.sh --sum FILE             adds up what several runs left in TOTALS=FILE
#
# From the environment: B (build folder, build/debug), JOBS (processors), TEST_TIMEOUT (seconds a case, 900), CI (true:
# a skipped test is a failed one). The last line is "N passed, N failed", with ", N skipped" when there are any.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
self=$top/tests/run.sh

usage() { sed -n 's/^# \{0,1\}//; 3,10p' "$self" >&2; exit 64; }

# What a test finds in its environment, whatever machine it runs on.
set_environment() {
	case ${B:-build/debug} in
	/*) B=${B:-} ;;
	*) B=$top/${B:-build/debug} ;;
	esac
	TOP=$top S2SCTL=$B/s2sctl S2S_SANDBOX=$B/s2s-sandbox
	LC_ALL=C TZ=UTC
	no_proxy=127.0.0.1,localhost,::1${no_proxy:+,$no_proxy} NO_PROXY=$no_proxy
	UBSAN_OPTIONS=print_stacktrace=1
	export B TOP S2SCTL S2S_SANDBOX LC_ALL TZ no_proxy NO_PROXY UBSAN_OPTIONS
	unset MAKEFLAGS MAKELEVEL MFLAGS
	cd "$top"
}

list_check() {
	for f in tests/unit/test_*.c; do [ ! -e "$f" ] || echo "unit/$(basename "$f" .c)"; done
	for f in tests/golden/*/; do [ ! -f "$f/case" ] || echo "golden/$(basename "$f")"; done
	for f in tests/fuzz/corpus/*/; do [ ! -d "$f" ] || echo "fuzz/$(basename "$f")"; done
	for f in tests/e2e/*.sh; do
		case $f in */lib*.sh | */\*.sh) ;; *) echo "e2e/$(basename "$f" .sh)" ;; esac
	done
}
list_lint() {
	for f in tests/lint/*.sh; do
		case $f in */lib*.sh | */\*.sh) ;; *) echo "lint/$(basename "$f" .sh)" ;; esac
	done
}

print_total() { # passed failed skipped
	if [ "$3" -gt 0 ]; then
		echo "$1 passed, $2 failed, $3 skipped"
	else
		echo "$1 passed, $2 failed"
	fi
	[ "$2" -eq 0 ] && [ "$1" -gt 0 ]
}

# Adds up lines of "passed failed skipped".
add_up() { awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$@"; }

start_case() { # id; becomes the test
	name=${1#*/}
	case $1 in
	unit/*) CMOCKA_MESSAGE_OUTPUT=tap exec "$B/tests/unit/$name" ;;
	golden/*) exec "$B/golden-runner" ${UPDATE:+--update} "tests/golden/$name" ;;
	fuzz/*) exec "$B/tests/fuzz/replay_$name" "tests/fuzz/corpus/$name"/* ;;
	e2e/*) exec "tests/e2e/$name.sh" ;;
	lint/*) exec "tests/lint/$name.sh" ;;
	esac
}

# Counts the tests inside a cmocka program from what it said in TAP; "passed failed skipped".
count_tap() { # output status
	awk -v status="$2" '
		/^1\.\.[0-9]+$/ { planned += substr($0, 4) }
		/^(not )?ok [0-9]+.*# SKIP/ { skipped++; next }
		/^ok [0-9]+/ { passed++ }
		/^not ok [0-9]+/ { failed++ }
		END {
			seen = passed + failed + skipped
			if (seen < planned) failed += planned - seen          # it died in the middle
			if (!failed && (status || !seen)) failed++            # it died at the end, or tested nothing
			print passed + 0, failed + 0, skipped + 0
		}' "$1"
}

run_case() { # id work
	id=$1 work=$2
	flat=$(echo "$id" | tr / _)
	out=$work/$flat.out say=$work/$flat.say
	TMPDIR=$work/$flat.tmp
	export TMPDIR
	mkdir "$TMPDIR"
	status=0
	timeout -k 10 "${TEST_TIMEOUT:-900}" "$self" --start "$id" </dev/null >"$out" 2>&1 || status=$?
	[ $status != 124 ] || echo "killed: took longer than ${TEST_TIMEOUT:-900} s" >>"$out"

	case $id,$status in
	unit/*) counts=$(count_tap "$out" $status) ;;
	*,0) counts="1 0 0" ;;
	*,77) counts="0 0 1" ;;
	*) counts="0 1 0" ;;
	esac
	# shellcheck disable=SC2086  # three words
	set -- $counts
	note=
	if [ "$3" -gt 0 ] && [ "${CI:-}" = true ]; then
		set -- "$1" $(($2 + $3)) 0
		note=" (skipped, which is a failure under CI)"
	fi
	echo "$@" >"$work/$flat.counts"

	if [ "$2" -gt 0 ]; then
		echo "FAIL  $id: $2 of $(($1 + $2 + $3)), exit status $status$note"
		tail -n 300 "$out" | sed 's/^/      | /'
	elif [ "$1" = 0 ]; then
		echo "skip  $id: $(tail -n 1 "$out")"
	else
		echo "ok    $id$([ "$1" = 1 ] || echo " ($1 tests)")$([ "$3" = 0 ] || echo ", $3 skipped")"
	fi >"$say"
	flock "$work" cat "$say"
	rm -rf "$TMPDIR"
}

suite=check only='' UPDATE='' action=run
while [ $# -gt 0 ]; do
	case $1 in
	--only) [ $# -ge 2 ] || usage; only=$2; shift ;;
	--update) [ $# -ge 2 ] || usage; only=$2 UPDATE=1; shift ;;
	--suite) [ $# -ge 2 ] || usage; suite=$2; shift ;;
	--list) action=list ;;
	--exec) # script args
		shift
		set_environment
		[ -e "$1" ] || exit 0
		exec "$@"
		;;
	--sum) # file
		# shellcheck disable=SC2046  # three words
		print_total $(add_up "$2")
		exit
		;;
	--start) start_case "$2" ;; # for run_case
	--case) run_case "$3" "$2"; exit ;; # for xargs below
	*) usage ;;
	esac
	shift
done
case $suite in check | lint) ;; *) usage ;; esac
export UPDATE
set_environment

cases=$("list_$suite")
if [ $action = list ]; then
	echo "$cases"
	exit
fi
if [ -n "$only" ]; then
	cases=$(echo "$cases" | while read -r id; do
		# shellcheck disable=SC2254  # patterns are welcome
		case $id in $only | */$only) echo "$id" ;; esac
	done)
	if [ -z "$cases" ]; then
		echo "run.sh: no case is named '$only'; --list shows them" >&2
		exit 64
	fi
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/s2sctl-tests.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
echo "$cases" | xargs -r -P "${JOBS:-$(nproc 2>/dev/null || echo 2)}" -n 1 "$self" --case "$work" || echo "0 1 0" >"$work/xargs.counts"
cat "$work"/*.counts 2>/dev/null | add_up >"$work/total"
[ -z "${TOTALS:-}" ] || cat "$work/total" >>"$TOTALS"
# shellcheck disable=SC2046  # three words
print_total $(cat "$work/total")
