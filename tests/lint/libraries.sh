#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libraries.sh - each library is named in one file, so that it can be replaced there.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Header as a pattern, and the files that may name it.
doors='
yaml\.h                     ^core/io/yaml\.c$
(cjson/)?cJSON\.h           ^core/io/json\.c$
curl/.*                     ^core/io/http\.c$
openssl/.*                  ^(core/base|core/io|cmd/s2s-sandbox)/
microhttpd\.h               ^cmd/s2s-sandbox/
'

check() {
	echo "$doors" | while read -r header door; do
		[ -n "$header" ] || continue
		c_files core providers cmd | xargs -r grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<$header>" /dev/null |
			while IFS=: read -r file line text; do
				echo "$file" | grep -qE "$door" || echo "$file:$line: $text does not belong here, but in $door"
			done
	done
	# One file, not one folder.
	files=$(c_files cmd/s2s-sandbox | xargs -r grep -lE '<microhttpd\.h>' /dev/null | tr '\n' ' ')
	[ "$(echo "$files" | wc -w)" -le 1 ] || echo "cmd/s2s-sandbox:0: microhttpd.h is included in more than one file: $files"
}
found=$(check)
verdict "$found"
