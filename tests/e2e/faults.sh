#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# faults.sh - the real s2sctl against a sandbox in which things go wrong: the network, the answers, the process itself.
# What the program says is one thing; what really happened is read from the sandbox's ground truth.
# S2SCTL and S2S_SANDBOX name the programs. Exit 77: skipped.
set -u
# shellcheck source=tests/e2e/lib-sandbox.sh
. "$(dirname "$0")/lib-sandbox.sh"

said=$tmp/said # one file for each run of the program; searched for secrets at the end
mkdir "$said"
runs=0
sandbox_pid=
wf=geometrixx-dev

# fresh [SPEED]: a new sandbox and a new folder with a rollout file of one environment, by bridge.
fresh()
{
	[ -z "$sandbox_pid" ] || sandbox_ends
	runs=$((runs + 1))
	work=$tmp/work$runs
	mkdir -p "$work/secrets"
	chmod 700 "$work/secrets"
	cd "$work" || exit 1
	sandbox "$tmp/box$runs" "$top/examples/worlds/two-environments.yaml" --speed "${1:-60}"
	cp "$ca" ca.pem
	sed '/^  prod:/,$d' "$top/examples/plans/02-dev-and-prod.yaml" >rollout.yaml
}

# run EXIT WHAT ARG...: runs s2sctl; its words are in $text.
run()
{
	wanted=$1
	what=$2
	shift 2
	runs=$((runs + 1))
	"$S2SCTL" "$@" >"$said/$runs" 2>&1 </dev/null
	code=$?
	text=$(tr -d '\000' <"$said/$runs")
	[ "$code" = "$wanted" ] || { not_ok "$what: exit $wanted" "exit $code: $(tail -n 3 "$said/$runs")"; return 1; }
	ok "$what: exit $wanted"
}
apply() { run "$1" "$2" apply rollout.yaml --time-scale 60 --wait=2m --debug=all; }

# In the background: its id is in $running.
apply_behind()
{
	runs=$((runs + 1))
	"$S2SCTL" apply rollout.yaml --time-scale 60 --wait=2m >"$said/$runs" 2>&1 </dev/null &
	running=$!
	pids="$pids $running"
}
workflow() # NAME: its status, in truth
{
	truth | awk -F '\t' -v instance="$wf" -v name="$1" '
		{ v[$1] = $2 }
		END {
			for (i = 0; ("apps." i ".instance") in v; i++)
				for (k = 0; v["apps." i ".instance"] == instance && ("apps." i ".workflows." k ".name") in v; k++)
					if (v["apps." i ".workflows." k ".name"] == name) print v["apps." i ".workflows." k ".status"]
		}'
}
# Waits until the workflow is so, for at most 15 s.
until_workflow() # NAME STATUS
{
	tries=0
	until [ "$(workflow "$1")" = "$2" ]; do
		tries=$((tries + 1))
		[ $tries -lt 150 ] || return 1
		sleep 0.1
	done
}

# ---- the network ----
fresh 0
sed '/ca_file/d; s/, ca_file: ca.pem//' rollout.yaml >no-ca.yaml
run 1 "an authority that nobody trusts" plan no-ca.yaml
has "it says that it is the certificate" "$text" "certificate"
has "and which connection" "$text" "console"
is "nothing has reached the server" "$(requests)" 0

S2S_CONSOLE_URL=https://no-such-host.invalid
run 1 "a host that does not exist" plan rollout.yaml
has "it names the host" "$text" "no-such-host.invalid"
S2S_CONSOLE_URL=https://127.0.0.1:9 # the discard service, which nobody runs
run 1 "a port where nobody listens" plan rollout.yaml --time-scale 60
has "it names the connection" "$text" "console"
S2S_CONSOLE_URL=$url

# ---- answers that are none ----
fault '[{"kind":"html","twin":"console"}]'
run 1 "HTML instead of JSON" plan rollout.yaml --time-scale 60
has "it names the system" "$text" "console"
has "and says so" "$text" "HTML"
has_not "the page is not shown" "$text" "<html"
fault '[{"kind":"garbage","twin":"console"}]'
run 1 "garbage instead of JSON" plan rollout.yaml --time-scale 60
has "it names the system" "$text" "console"
fault '[{"kind":"huge","bytes":100000000,"twin":"console"}]'
run 1 "an answer of 100 MB" plan rollout.yaml --time-scale 60
has "it names the system" "$text" "console"
has "and the limit" "$text" "larger than"
fault '[{"kind":"truncate","bytes":30,"twin":"console"}]'
run 1 "an answer that breaks off" plan rollout.yaml --time-scale 60
has "it names the system" "$text" "console"
esc=$(printf '\033')
fault '[{"kind":"status","code":400,"twin":"console","content_type":"application/json","body":"{\"message\":\"\\u001b[2J\\u001b]0;owned\\u0007 sorry\"}"}]'
run 1 "control bytes in a message" plan rollout.yaml --time-scale 60
has "the message is shown" "$text" "sorry"
has_not "without its control bytes" "$text" "$esc"
fault '[]'

# ---- patience ----
fresh 60
fault '[{"kind":"status","code":429,"retry_after":120,"twin":"console","contains":"/projects","times":1}]'
run 0 "429 is waited for" plan rollout.yaml --time-scale 60
waited=$(admin "$url/_admin/requests?path=/console/organizations/23294/projects" | json_lines | awk -F '\t' '
	$1 ~ /^requests\.[01]\.at$/ { split($2, p, /[:TZ]/); t[n++] = p[2] * 3600 + p[3] * 60 + p[4] }
	END { print (t[1] - t[0] >= 120 ? "yes" : "no, " t[1] - t[0] " s") }')
is "as long as Retry-After says" "$waited" yes

# ---- what is wrong before anything is sent ----
fresh 0
is_there=$S2S_BRIDGE_TOKEN
unset S2S_BRIDGE_TOKEN
run 64 "a missing secret" plan rollout.yaml
has "it names the reference" "$text" "S2S_BRIDGE_TOKEN"
has "and where it is written" "$text" "rollout.yaml:"
run 64 "apply with a missing secret" apply rollout.yaml --time-scale 60
is "nothing was sent" "$(requests)" 0
export S2S_BRIDGE_TOKEN="$is_there"

# ---- looking changes nothing ----
# The clock stands, so truth is the same but for mints, and those may be of the reader only.
books() { truth | grep -v '^mints\.'; }
foreign_mints() { truth | awk -F '\t' '$1 ~ /^mints\..*\.grant$/ && $2 != "caller"' | sort; }
books >before
foreign_mints >mints-before
run 0 "plan" plan rollout.yaml -o plan.json
run 2 "plan --detailed-exitcode" plan rollout.yaml --detailed-exitcode --format json
run 0 "doctor" doctor rollout.yaml
run 0 "status" status rollout.yaml
run 0 "show" show plan.json
books >after
foreign_mints >mints-after
is "looking changes nothing" "$(cmp before after && echo same)" same
is "and mints nothing for the migrating client" "$(cmp mints-before mints-after && echo same)" same
is "nothing but GET and token requests were sent" "$(admin "$url/_admin/requests" | json_lines | awk -F '\t' '
	{ split($1, p, "."); v[p[2] "." p[3]] = $2; n = p[2] }
	END { for (i = 0; i <= n; i++) if (v[i ".method"] != "GET" && v[i ".path"] !~ /token/) print v[i ".method"], v[i ".path"] }')" ""

# ---- a lost reply ----
fresh 60
fault '[{"kind":"reset_after","method":"POST","contains":"start-migration","times":1}]'
apply 3 "the reply to starting the migration is lost"
is "it was started once" "$(wrote start-migration 111001)" 1
is "and asked for once" "$(admin "$url/_admin/requests?method=POST&twin=bridge" | grep -o 'start-migration' | wc -l | tr -d ' ')" 1
has "it is known to be done" "$text" "done    dev/console.migration/start"
fresh 60
fault '[{"kind":"reset","method":"PUT","contains":"settings","times":1}]'
apply 3 "a request to save the settings does not arrive"
# It might have arrived, and show late: that is waited for before it is sent again.
advance by 16m
apply 3 "so it is run again"
is "they are saved once" "$(wrote save-settings $wf)" 1

# ---- the process dies while the workflows are stopped ----
fresh 60
apply_behind
if until_workflow ingress STOPPED; then
	kill -KILL "$running"
	wait "$running" 2>/dev/null
	is "killed in the middle of the restart, the workflow is stopped" "$(workflow ingress)" STOPPED
	apply 3 "run again after the kill"
	is "ingress runs again" "$(workflow ingress)" RUNNING
	is "egress runs again" "$(workflow egress)" RUNNING
	is "what was stopped before is left alone" "$(wrote start-workflow $wf/opt-in-out)" 0
	is "the settings were not saved twice" "$(wrote save-settings $wf)" 1
	is "nor was the migration started twice" "$(wrote start-migration 111001)" 1
else
	not_ok "the restart stops the workflows" "$(tail -n 3 "$said/$runs")"
fi

fresh 60
apply_behind
if until_workflow ingress STOPPED; then
	began=$(date +%s)
	kill -TERM "$running"
	wait "$running"
	is "SIGTERM during the restart: exit 143" "$?" 143
	took=$(($(date +%s) - began))
	[ $took -le 10 ] && ok "within 10 s" || not_ok "within 10 s" "$took s"
	has "it says that it was interrupted" "$(cat "$said/$runs")" "interrupted"
	until_workflow ingress RUNNING
	until_workflow egress RUNNING
	is "ingress runs again" "$(workflow ingress)" RUNNING
	is "egress runs again" "$(workflow egress)" RUNNING
	is "what was stopped before is left alone" "$(wrote start-workflow $wf/opt-in-out)" 0
	apply 3 "run again after SIGTERM"
else
	not_ok "the restart stops the workflows" "$(tail -n 3 "$said/$runs")"
fi

# The second signal: the bridge holds back its answer to the start for longer than anybody waits.
fresh 60
fault '[{"kind":"latency","ms":60000,"method":"POST","contains":"/start","after":1,"times":1}]'
apply_behind
if until_workflow ingress STOPPED; then
	began=$(date +%s)
	kill -INT "$running"
	sleep 0.5
	kill -INT "$running"
	wait "$running"
	is "SIGINT twice during the restart: exit 130" "$?" 130
	took=$(($(date +%s) - began))
	[ $took -le 10 ] && ok "it does not wait for the bridge" || not_ok "it does not wait for the bridge" "$took s"
	text=$(cat "$said/$runs")
	has "it names what is not running" "$text" "left in the middle; not running: ingress"
	has "and the command that mends it" "$text" "run  s2sctl apply rollout.yaml"
	fault '[]'
	apply 3 "run again after two signals"
	until_workflow ingress RUNNING
	until_workflow egress RUNNING
	is "ingress runs again" "$(workflow ingress)" RUNNING
	is "egress runs again" "$(workflow egress)" RUNNING
else
	not_ok "the restart stops the workflows" "$(tail -n 3 "$said/$runs")"
fi

# ---- two at once ----
fresh 60
fault '[{"kind":"latency","ms":2000,"method":"POST","contains":"start-migration","times":1}]'
apply_behind
tries=0
until [ "$(requests 'method=POST&twin=bridge')" != 0 ] || [ $tries = 100 ]; do
	tries=$((tries + 1))
	[ -e .s2sctl ] && [ $tries -gt 5 ] && break
	sleep 0.05
done
apply 6 "a second apply beside the first"
wait "$running"
is "the first one goes on undisturbed" "$?" 3
is "the migration was started once" "$(wrote start-migration 111001)" 1

# ---- somebody else goes on using JWT ----
fresh 240
run 3 "all proved but a day of quiet" apply rollout.yaml --time-scale 240 --wait=12m
has "the app is seen to use OAuth" "$text" "done    dev/console.usage/app-uses-oauth"
somebody '{"do":"mint","client_id":"geometrixx-dev-client","grant":"jwt"}'
advance by 25h
run 3 "after a day a person is asked" apply rollout.yaml --time-scale 240 --wait=2m
"$here/lib-person.sh" "$said/$runs" >"$tmp/person" 2>&1 || not_ok "the person can do it" "$(cat "$tmp/person")"
run 4 "an undeclared consumer: JWT was used after the restart" apply rollout.yaml --time-scale 240 --wait=2m
has "it says when" "$text" "the JWT credential was used at"
is "nobody has deleted the JWT credential" "$(wrote finalize)" 0

# ---- secrets ----
run 4 "run again: the same, with all there is to say" \
	apply rollout.yaml --time-scale 240 --wait=2m --debug=all --format json
leaks=
for secret in fake-user-token fake-reader-secret fake-entra-secret fake-bridge-token fake-dev-secret; do
	# The one place for the client secret is its reference.
	found=$(grep -rlF "$secret" "$said" "$tmp"/work*/.s2sctl "$tmp"/work*/plan.json 2>/dev/null)
	[ -z "$found" ] || leaks="$leaks $secret in $found"
done
is "no secret is in any output, journal or plan" "$leaks" ""
is "though it was there to be leaked" "$(cat secrets/dev-client-secret)" fake-dev-secret
is "only its owner may read it" "$(find secrets -name dev-client-secret -perm 600)" secrets/dev-client-secret

cd "$top" && exit $failed
