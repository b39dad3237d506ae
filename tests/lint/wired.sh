#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# wired.sh - nothing lies about that no build compiles and no test run calls.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

check() {
	known=$(${MAKE:-make} -s --no-print-directory print-sources)
	c_files core providers cmd tests | grep '\.c$' | while read -r file; do
		echo "$known" | grep -qxF "$file" || echo "$file:0: is compiled by nothing: see the Makefile for where files go"
	done
	cases=$(tests/run.sh --list)
	for file in tests/unit/test_*.c; do
		[ -e "$file" ] || continue
		echo "$cases" | grep -qxF "unit/$(basename "$file" .c)" || echo "$file:0: is not run by make check"
		grep -q 'cmocka_run_group_tests' "$file" || echo "$file:0: runs no cmocka group"
	done
	for file in tests/fuzz/fuzz_*.c; do
		[ -e "$file" ] || continue
		name=${file#tests/fuzz/fuzz_} corpus=tests/fuzz/corpus/${name%.c}
		[ -n "$(ls "$corpus" 2>/dev/null)" ] || echo "$file:0: has no corpus in $corpus, so that make check does not run it"
	done
	find tests .ci -name '*.sh' -not -name 'lib*.sh' -not -perm -u+x 2>/dev/null | sed 's/$/:0: is not executable/'
}
found=$(check)
verdict "$found"
