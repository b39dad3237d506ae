#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# secrets.sh - who opens secrets is listed in secret-readers.txt, no more and no less; tests are free to.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

list=tests/lint/secret-readers.txt
check() {
	c_files core providers cmd | xargs -r grep -lE '^[[:space:]]*#[[:space:]]*include.*secret_open\.h' /dev/null |
		while read -r file; do
			grep -qxF "$file" "$list" || echo "$file:0: opens secrets, and $list does not name it"
		done
	while read -r file; do
		case $file in '' | '#'*) continue ;; esac
		grep -qE '^[[:space:]]*#[[:space:]]*include.*secret_open\.h' "$file" 2>/dev/null ||
			echo "$list:0: names $file, which does not include secret_open.h"
	done <"$list"
}
found=$(check)
verdict "$found"
