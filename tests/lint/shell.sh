#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shell.sh - shellcheck has nothing to say about our scripts.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v shellcheck >/dev/null 2>&1; then
	echo "shellcheck is not here"
	exit 77
fi
found=$(
	{
		find tests examples -name '*.sh' 2>/dev/null
		[ ! -e .ci/run ] || echo .ci/run
	} | sort | xargs -r shellcheck -x -P SCRIPTDIR --format gcc --severity warning || :
)
verdict "$found"
