# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# lib.sh - sourced by every check. A check is `check.sh [TREE]`: it writes what is wrong, a line each, as
# "file:line: what", and exits 1 when there is anything. TREE is this repository unless selftest.sh gives another.
set -eu
lint=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$lint/../..}"

c_files() { # folder...
	for folder in "$@"; do
		[ ! -d "$folder" ] || find "$folder" -name '*.[ch]'
	done | sort
}

# Prints "file:line:text" of all files named on stdin, with comments and the insides of strings blanked.
code_lines() {
	# shellcheck disable=SC2016  # awk's, not the shell's
	xargs -r awk '
		FNR == 1 { in_comment = 0 }
		{
			line = $0; out = ""; n = length(line); quote = ""
			for (i = 1; i <= n; i++) {
				c = substr(line, i, 1); two = substr(line, i, 2)
				if (in_comment) { if (two == "*/") { in_comment = 0; i++ } continue }
				if (quote != "") {
					if (c == "\\") i++
					else if (c == quote) { quote = ""; out = out c }
					continue
				}
				if (two == "//") break
				if (two == "/*") { in_comment = 1; i++; out = out " "; continue }
				if (c == "\"" || c == "\047") quote = c
				out = out c
			}
			print FILENAME ":" FNR ":" out
		}'
}

verdict() { # findings
	[ -z "$1" ] || { printf '%s\n' "$1"; exit 1; }
}
