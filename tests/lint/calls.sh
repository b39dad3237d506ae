#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# calls.sh - what the compiler cannot forbid (core/base/banned.h does the rest): below cmd/ nothing asks the operating
# system for the time, chance, the environment or a terminal, prints, exits or sleeps; mem.c alone allocates; and goto
# never meets CLEANUP. Exceptions are listed in call-exceptions.txt.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

outside='time|clock|clock_gettime|gettimeofday|timespec_get|random|srandom|getrandom|getentropy|getenv|secure_getenv'
outside="$outside|isatty|ttyname|printf|vprintf|puts|putchar|fputs|perror|exit|_exit|_Exit|abort|sleep|usleep|nanosleep"
memory='malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf|getline|getdelim'

calls() { # functions; the rest of the line is code, file:line:text
	grep -E "(^[^:]*:[0-9]*:|[^[:alnum:]_.>])($1)[[:space:]]*\(" |
		sed -E "s/^([^:]*):([0-9]*):(.*[^[:alnum:]_.>])?($1)[[:space:]]*\(.*/\1 \2 \4/" |
		while read -r file line name; do
			grep -qxF "$file $name" "$lint/call-exceptions.txt" || echo "$file:$line: calls $name()"
		done || :
}
check() {
	c_files core providers | code_lines | calls "$outside"
	c_files core providers | code_lines | grep -E '\<(stdout|stderr)\>' | sed 's/^\([^:]*:[0-9]*\):.*/\1: writes to a standard stream/' || :
	c_files core providers cmd | code_lines | calls "$memory"
	c_files core providers cmd | code_lines | awk -F: '
		{ text = $0; sub(/^[^:]*:[0-9]*:/, "", text) }
		text ~ /^[{]/ { cleanup = jump = 0 }
		text ~ /(^|[^A-Za-z0-9_])CLEANUP[ \t]*\(/ && text !~ /#[ \t]*define/ { cleanup = 1 }
		text ~ /(^|[^A-Za-z0-9_])goto[ \t]/ { jump = $2 }
		text ~ /^[}]/ { if (cleanup && jump) print $1 ":" jump ": goto in a function with CLEANUP"; cleanup = jump = 0 }'
}
found=$(check)
verdict "$found"
