#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# readme.sh - what the pages promise is there: `make x` is a target, a link leads to a file.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

pages() { find . -name '*.md' -not -path './build/*' -not -path './.git/*' | sed 's,^\./,,' | sort; }
check() {
	pages | while read -r page; do
		grep -oE '`make [a-z-]+' "$page" | sort -u | while read -r _ target; do
			grep -qE "^$target:" Makefile || echo "$page:0: names \`make $target\`, and the Makefile has no such target"
		done || :
		folder=$(dirname "$page")
		grep -oE '\]\([^) ]+\)' "$page" | sed 's/^](//; s/)$//; s/#.*//' | sort -u | while read -r link; do
			case $link in '' | *://* | mailto:*) continue ;; esac
			[ -e "$folder/$link" ] || echo "$page:0: links to $link, which is not there"
		done || :
	done
}
found=$(check)
verdict "$found"
