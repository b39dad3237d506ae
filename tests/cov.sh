#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cov.sh BUILD - line coverage of core, providers and cmd after the tests of a V=cov build, least covered first.
set -eu
cd "$(dirname "$0")/.."
build=$(cd "$1" && pwd)
top=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
find "$build/core" "$build/providers" "$build/cmd" -name '*.gcda' 2>/dev/null | sort | while read -r data; do
	file=${data#"$build/"}
	# gcov names each source of an object; the one that counts is the .c file itself.
	(cd "$top" && gcov -n -o "$data" "${file%.gcda}.c" 2>/dev/null) | awk -v file="${file%.gcda}.c" '
		/^File/ { mine = index($0, "\047" file "\047") }
		mine && /^Lines executed/ {
			sub(/^[^:]*:/, ""); split($0, part, "% of ")
			printf "%6.1f %% of %5d  %s\n", part[1], part[2], file
			mine = 0
		}'
done | sort -n
