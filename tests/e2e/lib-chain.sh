#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lib-chain.sh JOURNAL - checks a journal's chain with sha256sum and awk alone; nothing of s2sctl is used.
#
# Each record holds its number `n`, from 1 without a gap, and in `prev` the SHA-256 of the line before it without its newline ("" in the first).
# Prints what is wrong; exits 1 then. Says how many records there are.
set -eu

[ $# = 1 ] || { sed -n '3,6s/^# \{0,1\}//p' "$0" >&2; exit 64; }
lines=$(mktemp -d)
trap 'rm -rf "$lines"' EXIT

# A line a file, without its newline, in an order that sorts.
LC_ALL=C awk -v dir="$lines" '{ f = sprintf("%s/%08d", dir, NR); printf "%s", $0 >f; close(f) }' "$1"
[ -e "$lines/00000001" ] || { echo "$1: it is empty"; exit 1; }
(cd "$lines" && sha256sum ./*) >"$lines.sums"
trap 'rm -rf "$lines" "$lines.sums"' EXIT
LC_ALL=C awk '
	function member(name, text) { # top-level members only: prev and n have plain values, no other member is called so
		if (!match(text, "\"" name "\":(\"[^\"]*\"|[0-9]+)")) return "(none)"
		text = substr(text, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
		gsub(/"/, "", text)
		return text
	}
	FNR == NR { sum[FNR] = $1; next }
	member("n", $0) != FNR { print "record " FNR " says that it is number " member("n", $0); bad = 1 }
	member("prev", $0) != (FNR == 1 ? "" : sum[FNR - 1]) { print "record " FNR " does not follow the one before it"; bad = 1 }
	END { print FNR " records"; exit bad }' "$lines.sums" "$1"
