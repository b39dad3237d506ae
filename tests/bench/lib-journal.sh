# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154  # sourced by bench.sh, which has all that is not defined here
# lib-journal.sh - journal records a second, each on disk before the next, beside write and fsync of the same bytes.
#
# BENCH_DISK names a folder on the disk to be measured; without it the temporary one, or the build folder where that is in memory.

disk=${BENCH_DISK:-$tmp}
if [ -z "${BENCH_DISK:-}" ] && "$B/tests/bench/append" "$disk" 1 1 | grep -q '^tmpfs'; then
	disk=$B
fi
"$B/tests/bench/append" "$disk" >"$tmp/append" 2>"$tmp/append.err" || fail "records cannot be written to '$disk'"
read -r kind bytes journal bare <"$tmp/append"
part "Journal records of $bytes bytes, each made durable (on $(df -P "$disk" | awk 'NR == 2 { print $1 " at " $6 }'))"
[ "$kind" = disk ] || echo "  THIS IS MEMORY, NO DISK: set BENCH_DISK to a folder on one"
value "write and fsync, records a second" "$bare"
value "the journal, records a second" "$journal"
ratio "  to write and fsync, time a record" "$bare" "$journal" "at most 1.3 x"
