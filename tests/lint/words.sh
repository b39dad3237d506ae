#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# words.sh - nothing is left "to do" in a file; that belongs where people look for it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

check() {
	for place in core providers cmd tests examples .ci Makefile README.md; do
		[ ! -e "$place" ] || grep -rnwIE 'TODO|FIXME|XXX|HACK' "$place" || :
	done | grep -vE '^tests/lint/(words|selftest)\.sh:' || :
}
found=$(check)
verdict "$found"
