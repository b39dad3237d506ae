#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# headers.sh - every header compiles alone.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

check() {
	flags=$(pkg-config --cflags libcurl yaml-0.1 libcjson openssl libmicrohttpd)
	c_files core providers cmd tests | grep '\.h$' | while read -r header; do
		# shellcheck disable=SC2086  # a list of words
		echo "#include \"$header\"" | ${CC:-cc} -std=c11 -D_GNU_SOURCE -I. $flags -Wall -Wextra -Werror -fsyntax-only -x c - 2>&1 || :
		grep -q '^#pragma once$' "$header" || echo "$header:0: has no #pragma once"
	done
}
found=$(check)
verdict "$found"
