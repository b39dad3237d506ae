# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154  # sourced by bench.sh, which has all that is not defined here
# lib-waiting.sh - an apply over a fleet whose environments all wait at a gate: what it holds, and what it costs while nothing happens.
#
# The way there is told as well. Both programs scale time, so that it takes minutes; the one that waits then is a new one, in real time, that goes on
# from the journal. It is measured once every environment waits for its day without JWT and all else is done.

waiting=${BENCH_WAITING:-1000}
scale=20      # of the way there
looks_for=20  # seconds of waiting that are measured

# memory PID: resident KiB, now and at most
memory() { awk '/^VmRSS:/ { now = $2 } /^VmHWM:/ { most = $2 } END { print now, most }' "/proc/$1/status"; }
# Nanoseconds on a processor; clock ticks where the kernel does not count finer.
processor() {
	if [ -r "/proc/$1/schedstat" ]; then
		cut -d ' ' -f 1 "/proc/$1/schedstat"
	else
		sed 's/.*) //' "/proc/$1/stat" | awk -v hz="$(getconf CLK_TCK)" '{ printf "%.0f\n", ($12 + $13) * 1e9 / hz }'
	fi
}
# How many environments wait at jwt_quiet, as `status` tells.
at_the_gate() {
	"$S2SCTL" status waiting.yaml --format json 2>/dev/null | grep -o '"step":"[^"/]*/console.usage/jwt-quiet"' | sort -u | wc -l | tr -d ' '
}

part "Apply over $waiting environments that wait at a gate (from the sandbox)"
world "$waiting" 3m >"$tmp/waiting-world.yaml"
start waiting "$S2S_SANDBOX" --world "$tmp/waiting-world.yaml" --dir "$tmp/waiting" --speed $scale
chmod 700 "$tmp/waiting/secrets"
rollout "$waiting" "$url" >"$tmp/waiting/waiting.yaml"
cd "$tmp/waiting" || exit 1
rounds_kept=$rounds rounds=1
run -t 600 -x 3 "$S2SCTL" apply waiting.yaml --time-scale $scale --wait=15m
rounds=$rounds_kept
row 1 "from JWT only to the day of quiet"
value "  journal records" "$(wc -l <.s2sctl/journal.jsonl | tr -d ' ')"
[ "$(at_the_gate)" = "$waiting" ] || fail "only $(at_the_gate) of $waiting environments wait at jwt_quiet"

"$S2SCTL" apply waiting.yaml --wait >"$tmp/waits.out" 2>"$tmp/waits.err" </dev/null &
waiter=$!
pids="$pids $waiter"
spent=-1000000000
# It has read everything once more when it has said so of each, and then is silent.
tries=0
until [ "$(grep -c 'jwt-quiet: ' "$tmp/waits.err")" -ge "$waiting" ] && [ "$(processor $waiter)" -lt $((spent + 100000000)) ]; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] && kill -0 $waiter 2>/dev/null || fail "the second apply does not come to wait"
	spent=$(processor $waiter)
	sleep 1
done
spent=$(processor $waiter)
sleep $looks_for
spent=$(($(processor $waiter) - spent))
# shellcheck disable=SC2046  # numbers
set -- $(memory $waiter)
value "resident while it waits, MiB" "$(awk -v a="$1" 'BEGIN { printf "%.1f", a / 1024 }')" "at most 64 MB (61 MiB)"
value "  at most, since its start" "$(awk -v a="$2" 'BEGIN { printf "%.1f", a / 1024 }')"
value "processor while it waits, of a core" "$(awk -v ns=$spent -v s=$looks_for 'BEGIN { printf "%.2f %%", ns / 1e7 / s }')" "under 1 %"
kill -TERM $waiter
status=0
wait $waiter || status=$?
[ $status = 143 ] || fail "the waiting apply ended with $status after SIGTERM, not 143"
cd "$here/../.." || exit 1
stop "$pid"
rm -f "$tmp/waits.err"
