#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# formats.sh - an exit status never depends on the format: every format with every outcome, from a real sandbox; and the events of plan and apply.
. "$(dirname "$0")/lib-sandbox.sh"

sandbox "$tmp/box" "$top/examples/worlds/two-environments.yaml" --speed 60
mkdir "$tmp/work" "$tmp/work/secrets"
cp "$ca" "$tmp/work/ca.pem"
cd "$tmp/work" || exit 1

plan02=$top/examples/plans/02-dev-and-prod.yaml
cp "$plan02" changes.yaml
sed 's/client_id: geometrixx-prod-client/client_id: geometrixx-other-client/' "$plan02" >refused.yaml
sed 's/^environments:/enviroments:/' "$plan02" >invalid.yaml

formats="text json markdown html junit sarif github gitlab"
# each OUTCOME WANTED COMMAND...: the command with every format that it has
each()
{
	outcome=$1
	wanted=$2
	shift 2
	for format in $use; do
		"$S2SCTL" "$@" --format "$format" >out 2>err
		is "$outcome as $format" "$?" "$wanted"
		case $format,$quiet in
		text,*) ;;
		github,no) ;; # nothing to annotate is no line
		*,yes) is "  with nothing on stdout" "$(wc -c <out | tr -d ' ')" 0 ;;
		*) [ -s out ] || not_ok "$outcome as $format says something" "$(cat err)" ;;
		esac
	done
}
quiet=no
use=$formats
each "changes planned" 0 plan changes.yaml --time-scale 60
each "changes planned, asked for in detail" 2 plan changes.yaml --time-scale 60 --detailed-exitcode
each "refused" 5 plan refused.yaml --time-scale 60
each "drift" 2 drift changes.yaml --time-scale 60
each "drift of what is refused" 5 drift refused.yaml --time-scale 60
# Nobody may read the console: what it knows has to be attested before anything is planned.
fault '[{"kind":"status","code":403,"path":"/console"}]'
each "facts to be attested" 3 plan changes.yaml --time-scale 60
admin -X DELETE -o /dev/null "$url/_admin/faults"
S2S_CONSOLE_URL=https://127.0.0.1:1 each "a system that cannot be read" 1 plan changes.yaml --time-scale 60

# What is wrong with a file is shown by the formats that are for that.
use="junit sarif github gitlab"
each "an invalid file planned" 64 plan invalid.yaml
quiet=yes use="text json markdown html"
each "an invalid file planned" 64 plan invalid.yaml
quiet=no use="text json junit sarif github gitlab"
each "an invalid file" 64 validate invalid.yaml
each "a valid file" 0 validate changes.yaml
use="text json markdown"
each "status" 0 status changes.yaml

# The same formats from the saved plan, and from a journal.
"$S2SCTL" plan refused.yaml --time-scale 60 -o plan.json >out 2>err
is "the plan is saved" "$?" 5
use=$formats
each "show of a refused plan" 0 show plan.json
echo '{"kind":"else"}' >else.json
quiet=yes
each "show of what is no plan" 64 show else.json

for command in "validate changes.yaml" "plan changes.yaml" "show plan.json" "status changes.yaml" "apply changes.yaml"; do
	# shellcheck disable=SC2086  # two words
	"$S2SCTL" $command --format jsn >out 2>err
	is "$command with an unknown format" "$?" 64
	has "  asks whether another was meant" "$(cat err)" "did you mean 'json'?"
done
for max in 0 x 12k 100 99999999999; do
	"$S2SCTL" show plan.json --format markdown --max-bytes $max >out 2>err
	is "--max-bytes $max" "$?" 64
done

# ---- events ----

"$S2SCTL" plan changes.yaml --time-scale 60 --events events >out 2>err
is "a plan with events" "$?" 0
is "  in their order" "$(sed 's/^{"event":"\([a-z]*\)".*/\1/' events | tr '\n' ' ')" "version started environment environment planned summary "
has "  the first tells its version" "$(head -1 events)" '"version":1,'
has "  the last tells the exit status" "$(tail -1 events)" '"exit":0,"name":"done"'
"$S2SCTL" plan invalid.yaml --events events >out 2>err
is "a plan that cannot begin" "$?" 64
is "  has its two events" "$(sed 's/^{"event":"\([a-z]*\)".*/\1/' events | tr '\n' ' ')" "version summary "
has "  the last tells why" "$(tail -1 events)" '"exit":64,"name":"usage"'
"$S2SCTL" plan changes.yaml --events /nowhere/events >out 2>err
is "events that cannot be written" "$?" 1
forget_requests
"$S2SCTL" apply changes.yaml --env dev --time-scale 60 --events /nowhere/events >out 2>err
is "an apply whose events cannot be written" "$?" 1
is "  has sent nothing" "$(requests)" 0

for outcome in json text; do
	"$S2SCTL" apply changes.yaml --env dev --time-scale 60 --wait=10m --format $outcome --events events.$outcome >out 2>err
	is "an apply that waits, as $outcome" "$?" 3
done
first=$(head -1 events.json) last=$(tail -1 events.json)
has "an apply's first event" "$first" '"event":"version"'
has "an apply's last event" "$last" '"event":"summary"'
has "  says that it waits" "$last" '"exit":3,"name":"waiting"'
is "each line is an event" "$(grep -cv '^{"event":"[a-z]*","at":"[0-9TZ:.-]*",.*}$' events.json)" 0
for event in '"event":"progress"' '"state":"begins"' '"event":"sample"' '"verdict":"pass"' '"event":"done"' '"event":"waits"'; do
	has "an apply tells $event" "$(cat events.json)" "$event"
done
has_not "events hold no secret" "$(cat events.json events.text)" fake-dev-secret
"$S2SCTL" plan changes.yaml --env prod --time-scale 60 --events /dev/full >out 2>err
is "a full disk for events stops nothing" "$?" 0
is "  and is told once" "$(grep -c 'events cannot be written' err)" 1

# The journal of that apply in every format.
quiet=no use=$formats
each "show of a journal" 0 show .s2sctl/journal.jsonl

# ---- the outcomes that only apply has: in its two formats, in its events, and as status ----

# ends WANTED NAME COMMAND...: the exit status in the result, in the events and of the program are one
ends()
{
	wanted=$1
	name=$2
	shift 2
	for format in text json; do
		"$S2SCTL" "$@" --time-scale 60 --format $format --events ends.$format >out 2>err </dev/null
		is "$name as $format" "$?" "$wanted"
		has "  in the events" "$(tail -1 ends.$format)" "\"exit\":$wanted,"
		[ ! -s out ] || [ $format = text ] || has "  in the result" "$(cat out)" "\"exit\":$wanted,"
	done
}
sandbox_ends
sandbox "$tmp/box2" "$top/examples/worlds/two-environments.yaml" --speed 60
cp "$ca" ca.pem
rm -rf .s2sctl secrets/*
# The app's use is never seen: nobody can read the usages, and this gate does not wait for long.
awk '/^  prod:/ { exit } { print } /^    executors:/ { print "    gates: {app_uses_oauth: {deadline: 1s}}" }' "$plan02" >gate.yaml
fault '[{"kind":"status","code":404,"contains":"/secrets"}]'
"$S2SCTL" apply gate.yaml --time-scale 60 --wait=10m >out 2>err </dev/null
is "a gate without an answer" "$?" 4
ends 4 "a gate without an answer, gone on with" apply gate.yaml
admin -X DELETE -o /dev/null "$url/_admin/faults"

# stopped SIGNAL WANTED NAME FORMAT: an apply that is held up by the bridge, with the lock in its hands, is told to stop
stopped()
{
	rm -f "ends.$1"
	"$S2SCTL" apply held.yaml --state "state-$1-$4" --time-scale 60 --format "$4" --events "ends.$1" >out 2>err </dev/null &
	running=$!
	pids="$pids $running"
	tries=0
	until grep -q '"state":"acts"' "ends.$1" 2>/dev/null || [ $tries -gt 400 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
	[ "$1 $4" != "INT text" ] || ends 6 "somebody else holds the lock" apply held.yaml --state "state-$1-$4"
	kill "-$1" "$running"
	wait "$running"
	is "SIG$1 as $4" "$?" "$2"
	has "  in the events" "$(tail -1 "ends.$1")" "\"exit\":$2,\"name\":\"$3\""
	[ "$4" = text ] || has "  in the result" "$(cat out)" "\"exit\":$2,"
}
awk '/^  prod:/ { exit } { print }' "$plan02" >held.yaml
for as in text json; do
	for how in "INT 130 interrupted" "TERM 143 terminated"; do
		sandbox_ends
		rm -rf secrets/* "$tmp/box3"
		sandbox "$tmp/box3" "$top/examples/worlds/two-environments.yaml" --speed 60
		cp "$ca" ca.pem
		fault '[{"kind":"latency","ms":4000,"twin":"bridge","method":"POST","contains":"start-migration","times":1}]'
		# shellcheck disable=SC2086  # three words
		stopped $how $as
	done
done
exit "$failed"
