#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check-all.sh [MAKE] - all tests with both compilers, plain and with sanitizers, and the release build without a warning.
# Goes on after a failure; the last line is the total.
set -eu
cd "$(dirname "$0")/.."
make=${1:-make}
mkdir -p build
totals=$(mktemp)
sums=${TOTALS:-}
trap 'rm -f "$totals"' EXIT

leg() { # words of a make call, the target last
	echo "-- $*"
	before=$(wc -l <"$totals")
	TOTALS=$totals "$make" --no-print-directory DEV=1 "$@" && return
	# A leg that did not come to its tests has failed as one test.
	[ "$(wc -l <"$totals")" -gt "$before" ] || echo "0 1 0" >>"$totals"
}

for compiler in gcc clang; do
	leg CC=$compiler V=release all
	leg CC=$compiler V=debug run-tests
	leg CC=$compiler V=asan run-tests
done
[ -z "$sums" ] || cat "$totals" >>"$sums"
tests/run.sh --sum "$totals"
