#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# locales.sh - plans and digests under other locales: a comma for the decimal point, groups of digits, letters that have another case. Approvals are bound
# to these bytes, on whichever machine. Exit 77: skipped.
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=${B:-$top/build/release}
case $build in /*) ;; *) build=$top/$build ;; esac
[ -x "$build/tests/unit/test_saved" ] || { echo "SKIP: $build has no unit tests"; exit 77; }
command -v localedef >/dev/null || { echo "SKIP: localedef is missing"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0
for locale in de_DE tr_TR; do
	localedef -i $locale -f UTF-8 "$tmp/$locale.UTF-8" 2>"$tmp/err" ||
		{ echo "SKIP: there is no $locale to be made: $(tail -n 1 "$tmp/err")"; exit 77; }
	for category in LC_ALL LC_NUMERIC; do
		if env -u LC_ALL LOCPATH="$tmp" $category=$locale.UTF-8 TEST_DECIMAL_POINT=, "$build/tests/unit/test_saved" >"$tmp/out" 2>&1; then
			echo "ok - plan bytes and digests under $category=$locale.UTF-8"
		else
			echo "not ok - plan bytes and digests under $category=$locale.UTF-8"
			tail -n 5 "$tmp/out"
			failed=1
		fi
	done
done
exit $failed
