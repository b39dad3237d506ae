#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# format.sh - .c files look as clang-format 14 would write them; `make format` does it. Other versions differ in taste.
# Headers are manuals, laid out by hand.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

if ! clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
	echo "clang-format 14 is not here"
	exit 77
fi
found=$(c_files core providers cmd tests | grep '\.c$' | xargs -r clang-format --dry-run --style=file 2>&1 | grep ': warning:' | sed 's/ \[-W.*//' || :)
verdict "$found"
