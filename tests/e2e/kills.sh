#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kills.sh - the real s2sctl dies by SIGKILL at random moments, again and again, and is interrupted once and twice in between;
# the same command always leads to the same end. What really happened is read from the sandbox's ground truth.
#
# From the environment: KILLS (40: so many deaths; `make kills` 200), KILLS_SEED (of the moments; printed), KILLS_JOBS (rollouts side
# by side; 4). The moments are drawn from the seed; what the program is doing then is the machine's affair.
# S2SCTL and S2S_SANDBOX name the programs. Exit 77: skipped.
#
#   kills.sh             all of it
#   kills.sh --worker N  one share of it, for itself
set -u
self=$(cd "$(dirname "$0")" && pwd)/kills.sh
# shellcheck source=tests/e2e/lib-sandbox.sh
. "$(dirname "$0")/lib-sandbox.sh"

kills=${KILLS:-40}
seed=${KILLS_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
jobs=${KILLS_JOBS:-4}
KILLS=$kills KILLS_SEED=$seed KILLS_JOBS=$jobs
export KILLS KILLS_SEED KILLS_JOBS
speed=600  # sandbox and tool alike: a soak of five minutes is half a second
hold=700   # ms for which a request is held while the program dies: seven minutes there, less than what an effect may lag ...
brief=100  # ... or is interrupted: a minute, less than what it takes to start again what it stopped
rounds_max=80

# ---- the moments ----

# draws WORKER: lines "SIGNAL KIND N PHASE", without end. Park and Miller's numbers: the same in every awk.
#   time N      so many milliseconds after the start
#   any N       while the N-th request is under way; PHASE says whether the twin has acted
#   post N, put N, patch N   the same of the N-th of this method
#   record N    when the journal has grown by N lines
#   start N     the same of the N-th request that starts a migration; each worker begins with one, for chance alone may leave it out
draws()
{
	awk -v seed="$seed" -v worker="$1" '
		function next_of(n) { x = x * 16807 % 2147483647; return x % n }
		BEGIN {
			x = (seed * 1009 + worker * 7919 + 1) % 2147483646 + 1
			for (i = 0; i < 20; i++) next_of(2)
			print "KILL once start 1", worker % 2 ? "before" : "after"
			for (i = 0; i < 2000; i++) {
				how = next_of(10)
				signal = how < 8 ? "KILL" : (next_of(2) ? "TERM" : "INT") (how == 9 ? " twice" : " once")
				if (signal == "KILL") signal = "KILL once"
				phase = next_of(2) ? "before" : "after"
				kind = next_of(10)
				if (kind < 3) print signal, "time", 5 + next_of(next_of(2) ? 400 : 2500), phase
				else if (kind < 5) print signal, "any", 1 + next_of(60), phase
				else if (kind < 7) print signal, "post", 1 + next_of(12), phase
				else if (kind == 7) print signal, next_of(2) ? "put" : "patch", 1 + next_of(2), phase
				else print signal, "record", 1 + next_of(next_of(4) ? 16 : 60), phase
			}
		}'
}

# ---- one rollout ----

# Two environments side by side, both by the bridge. In every other world the usages show the last JWT, in the rest a person reads it.
checkout()
{
	work=$tmp/work$1
	mkdir -p "$work/secrets"
	chmod 700 "$work/secrets"
	cd "$work" || exit 1
	log=$work/requests
	[ $(($1 % 2)) = 0 ] && switches='{jwt_in_usages: true}' || switches='{}'
	sed "s/^seed: 1\$/seed: $1\\nswitches: $switches/" "$top/examples/worlds/two-environments.yaml" >world.yaml
	sandbox "$work/box" world.yaml --speed $speed --log "$log"
	cp "$ca" ca.pem
	awk '
		/^  dev:/ { dev = 1 }
		/^  prod:/ { dev = 0; prod = 1 }
		/^    executors:/ { if (dev) executors = $0 }
		dev && /^    connections:/ { bridge = $0; copy = 1; print; next }
		copy && /^      / { bridge = bridge "\n" $0; print; next }
		{ copy = 0 }
		prod && (/^    after:/ || /^    executors:/) { next }
		{ print }
		END { print bridge; print executors }' "$top/examples/plans/02-dev-and-prod.yaml" >rollout.yaml
}

records_now() { if [ -e .s2sctl/journal.jsonl ]; then wc -l <.s2sctl/journal.jsonl; else echo 0; fi; }

# How far it is, in the measure of a kind of moment.
count()
{
	case $1 in
	any) wc -l <"$log" ;;
	start) grep -c 'start-migration' "$log" ;;
	record) records_now ;;
	*) grep -c "\"method\":\"$(echo "$1" | tr '[:lower:]' '[:upper:]')\"" "$log" ;;
	esac
}

# Waits for the moment; returns 1 when the program ended before it.
await() # KIND N BASE
{
	if [ "$1" = time ]; then
		sleep "$(awk -v n="$2" 'BEGIN { print n / 1000 }')"
		kill -0 "$running" 2>/dev/null
		return
	fi
	# Those before it are in the log; of itself, which is held, only the rule knows.
	goal=$(($3 + $2 - 1))
	[ "$1" != record ] || goal=$((goal + 1))
	while kill -0 "$running" 2>/dev/null; do
		sleep 0.01
		[ "$(count "$1")" -ge "$goal" ] || continue
		[ "$1" = record ] || admin "$url/_admin/faults" | grep -q '"fired":1' || continue
		kill -0 "$running" 2>/dev/null
		return
	done
	return 1
}

# What the program was doing last, as its journal tells: planning, or the type of the last record and its step.
doing()
{
	[ -s .s2sctl/journal.jsonl ] || { echo planning; return; }
	[ "$(wc -l <.s2sctl/journal.jsonl)" = "$1" ] && { echo "reading (nothing recorded yet)"; return; }
	# Keys are sorted, so the last "type" is the record's own.
	tail -n 1 .s2sctl/journal.jsonl | sed 's/.*"type":"\([^"]*\)".*/\1 &/; s/^\([^ ]*\) .*"step":"[^/"]*\/\([^"]*\)".*/\1 \2/; s/^\([^ ]* \){.*/\1/'
}

hold_request() # MATCH: the one that is number $at among those that match
{
	[ "$signal" = KILL ] && ms=$hold || ms=$brief
	fault "[{\"kind\":\"latency\",$1\"ms\":$ms,\"when\":\"$phase\",\"after\":$((at - 1)),\"times\":1}]"
}

# attempt: the same command once more; it may be struck. Sets code and struck.
attempt()
{
	n=$((n + 1))
	out=$work/out$n
	records=$(records_now)
	stopped=
	if [ $struck_all -lt $share ] && read -r signal often kind at phase <&3; then
		# What a killed one had sent and the other side held may take effect only now.
		[ "$signal" = KILL ] || [ "$struck" != KILL ] || sleep 0.8
		[ "$signal" = KILL ] || stopped=$(left_stopped)
		base=$([ "$kind" = time ] || count "$kind")
		case $kind in
		time | record) ;;
		any) hold_request "" ;;
		start) hold_request '"method":"POST","contains":"start-migration",' ;;
		*) hold_request "\"method\":\"$(echo "$kind" | tr '[:lower:]' '[:upper:]')\"," ;;
		esac
	else
		signal=
	fi
	"$S2SCTL" apply rollout.yaml --time-scale $speed --wait=20m --confirm 'Geometrixx D365 dev' \
		--confirm 'Geometrixx D365 prod' >"$out" 2>&1 </dev/null &
	running=$!
	pids="$pids $running"
	struck=
	if [ -n "$signal" ] && await "$kind" "$at" "$base"; then
		kill -"$signal" "$running" 2>/dev/null && struck=$signal
		[ "$often" = once ] || { sleep 0.1; kill -"$signal" "$running" 2>/dev/null; }
	fi
	{ wait "$running"; code=$?; } 2>/dev/null # a shell tells of each that was killed
	pids=${pids% "$running"}
	case $signal,$kind in
	,* | *,time | *,record) ;;
	*) admin -X DELETE -o /dev/null "$url/_admin/faults" ;;
	esac
	case $struck,$code in
	KILL,137)
		struck_all=$((struck_all + 1))
		echo "killed $kind: $(doing "$records")" >>"$share_dir/moments" ;;
	TERM,143 | INT,130)
		echo "$signal $often: $(doing "$records")" >>"$share_dir/moments"
		# What an earlier death has left stopped, is not this signal's.
		[ "$often" = twice ] || [ -n "$stopped" ] || nothing_stopped "$1" "the first signal leaves no workflow stopped" ;;
	*,0 | *,3) ;; # it ended by itself
	*) not_ok "it ends with 0, 3, or by the signal" "rollout $1, attempt $n: exit $code after '$struck': $(tail -n 3 "$out")" ;;
	esac
}

# Workflows that are meant to run and do not, by ground truth.
left_stopped()
{
	truth | awk -F '\t' '{ v[$1] = $2 } END {
		for (i = 0; ("apps." i ".instance") in v; i++)
			for (k = 0; ("apps." i ".workflows." k ".name") in v; k++) {
				w = "apps." i ".workflows." k
				if (v[w ".meant_to_run"] == "true" && v[w ".status"] == "STOPPED")
					print v["apps." i ".instance"] "/" v[w ".name"]
			}
	}'
}

nothing_stopped() # ROLLOUT WORDS; with what the program said, when something is
{
	stopped=$(left_stopped)
	is "rollout $1: $2" "$stopped" ""
	[ -z "$stopped" ] || tail -n 25 "$out"
}

# What the run waits for, happens.
help_it_on()
{
	if grep -q '^A person is needed: ' "$out"; then
		"$here/lib-person.sh" "$out" >"$work/person" 2>&1 || { not_ok "the person can do what was asked" "$(cat "$work/person")"; return; }
	elif until=$(sed -n 's/.*; waiting until \([^,]*\),.*/\1/p' "$out") && [ -n "$until" ]; then
		advance to "$until"
		advance by 1m
	else
		advance by 25h # the app mints when its token ends, which is within a day
	fi
}

rollout()
{
	checkout "$1"
	n=0
	struck=
	while [ $n -lt $rounds_max ]; do
		attempt "$1"
		[ -n "$struck" ] && continue
		[ "$code" = 3 ] || break
		nothing_stopped "$1" "no workflow is left stopped by a run that ended by itself"
		help_it_on
	done
	is "rollout $1: it converges" "$code" 0
	[ "$code" = 0 ] || { tail -n 30 "$out"; cp .s2sctl/journal.jsonl "$share_dir/journal-$1" 2>/dev/null; }
	"$S2SCTL" plan rollout.yaml --time-scale $speed --detailed-exitcode >plan.out 2>&1
	is "rollout $1: then there is nothing to do" "$? $(grep -c '^Nothing to do' plan.out)" "0 1"
	for env in dev prod; do
		"$here/lib-truth.sh" resumed geometrixx-$env-client geometrixx-$env geometrixx-$env >truth.out ||
			not_ok "rollout $1: ground truth of $env" "$(grep '^not ok' truth.out)"
	done
	"$here/lib-chain.sh" .s2sctl/journal.jsonl >chain.out || not_ok "rollout $1: the journal's chain" "$(cat chain.out)"
	is "rollout $1: one receipt" "$(grep -c '"type":"receipt"' .s2sctl/journal.jsonl)" 1
	sandbox_ends
}

work_on() # WORKER: until its share of deaths is reached
{
	share_dir=$KILLS_DIR
	share=$((kills / jobs + ($1 < kills % jobs)))
	struck_all=0
	number=0
	draws "$1" >"$tmp/draws"
	exec 3<"$tmp/draws"
	while [ $struck_all -lt $share ] && [ $failed = 0 ]; do
		rollout $(($1 + number * jobs))
		number=$((number + 1))
	done
	echo "$number $struck_all" >"$share_dir/worker$1"
	cd /
	exit $failed
}

if [ "${1:-}" = --worker ]; then
	work_on "$2"
fi

# ---- all of it ----

echo "seed $seed: KILLS_SEED=$seed KILLS=$kills KILLS_JOBS=$jobs repeats the moments"
KILLS_DIR=$tmp/share
export KILLS_DIR
mkdir "$KILLS_DIR"
began=$(date +%s)
w=0
while [ $w -lt "$jobs" ]; do
	"$self" --worker $w >"$tmp/worker$w" 2>&1 &
	pids="$pids $!"
	w=$((w + 1))
done
w=0
for p in $pids; do
	wait "$p" || not_ok "rollouts $w, $((w + jobs)), ... hold" "$(grep -v '^ok' "$tmp/worker$w" | head -n 60)"
	w=$((w + 1))
done
pids=
if [ $failed != 0 ]; then grep -h -v '^ok' "$tmp"/worker* | head -n 200; fi
sort "$KILLS_DIR/moments" | uniq -c | sort -rn
awk '{ r += $1; k += $2 } END { print r " rollouts of two environments, killed " k " times" }' "$KILLS_DIR"/worker*
echo "in $(($(date +%s) - began)) s"
has "some of them while a migration was being started" "$(cat "$KILLS_DIR/moments")" "killed start: "
is "the program was killed as often as asked for" "$(grep -c '^killed' "$KILLS_DIR/moments")" "$kills"
# So many moments hit every part of a run; of fewer nobody can say so.
if [ "$kills" -ge 100 ]; then
	for part in planning reading 'intent app.workflow/restart' 'sample console.usage/'; do
		has "some of them: $part" "$(grep '^killed' "$KILLS_DIR/moments")" ": $part"
	done
fi
cd "$top" && exit $failed
