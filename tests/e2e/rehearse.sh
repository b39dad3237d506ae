#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rehearse.sh - `s2sctl rehearse`: each example against the world made for it, what cannot work is told, the same seed is the same rehearsal, and
# nothing is sent or written. The systems' names end in .invalid (RFC 6761): whatever was sent would fail.
. "$(dirname "$0")/lib-sandbox.sh"

export S2S_CONSOLE_URL=https://console.invalid S2S_CONSOLE_KEY=fake-key S2S_IMS_URL=https://ims.invalid S2S_CAMPAIGN_URL=https://campaign.invalid
export S2S_READER_ID=reader S2S_DYNAMICS_URL=https://acme.dynamics.invalid S2S_ENTRA_ID=entra S2S_BRIDGE_URL=https://bridge.invalid
export S2S_ENTRA_URL=https://login.invalid/1111-2222/oauth2/v2.0/token S2S_ENTRA_SCOPE=https://acme.dynamics.invalid/.default
mkdir "$tmp/work"
cd "$tmp/work" || exit 1
cp "$top"/examples/plans/*.yaml .
ls >before

# Rows of the table of steps and faults on stdin that have not a word in each of its columns.
odd_rows() { awk '/^#.* kill .* who/ { on = 1; n = NF; next } on && !NF { exit } on && (NF != n || $0 ~ /[?]/) { print }'; }

for file in *.yaml; do
	"$S2SCTL" rehearse "$file" --quick >"$tmp/out" 2>"$tmp/err"
	is "$file can be rehearsed" "$?" 0
	has "$file: sound" "$(cat "$tmp/out")" "sound: whatever went wrong"
	is "$file: each step has a row" "$(awk '/^#.* kill .* who/ { on = 1; next } on && !NF { exit } on' "$tmp/out" | wc -l | tr -d ' ')" \
		$(($(awk '/^#.* earliest / { on = 1; next } on && !NF { exit } on' "$tmp/out" | wc -l) + 1))
	is "$file: no cell is empty" "$(odd_rows <"$tmp/out")" ""
	has "$file: when nothing can be undone any more" "$(cat "$tmp/out")" "console.migration/finalize, planned +"
	is "$file: nothing is said beside the result" "$(cat "$tmp/err")" ""
done
ls -A >"$tmp/after"
is "nothing is written" "$(diff before "$tmp/after" | grep -v before)" "$(diff before "$tmp/after" | grep before)"

# The same bytes; and JSON says what the text says.
"$S2SCTL" rehearse 04-goes-back.yaml --quick --seed 5 --format json >"$tmp/one"
"$S2SCTL" rehearse 04-goes-back.yaml --quick --seed 5 --format json >"$tmp/two"
is "one seed is one rehearsal" "$(cmp "$tmp/one" "$tmp/two" 2>&1)" ""
"$S2SCTL" rehearse 04-goes-back.yaml --quick --seed 5 >"$tmp/text"
"$S2SCTL" rehearse 04-goes-back.yaml --quick --seed 6 --format json >"$tmp/two"
has "another seed plays another sample" "$(cmp "$tmp/one" "$tmp/two" 2>&1)" "differ"
json_lines <"$tmp/one" >"$tmp/lines"
value() { awk -F '\t' -v key="$1" '$1 == key { print $2 }' "$tmp/lines"; }
has "as many plays in both" "$(tr "\n" " " <"$tmp/text")" "again; $(value faults.played) of $(value faults.of) plays"
is "verdict" "$(value verdict) $(value exit_status)" "sound 0"
is "as many steps" "$(grep -c '^steps\.[0-9]*\.step' "$tmp/lines")" "$(awk '/^#.* earliest / { on = 1; next } on && !NF { exit } on' "$tmp/text" | wc -l | tr -d ' ')"
is "as many cells that are sound" "$(grep -c '^faults\.rows\..*verdict	sound' "$tmp/lines")" \
	"$(awk '/^#.* kill .* who/ { on = 1; next } on && !NF { exit } on' "$tmp/text" | grep -o '\<ok\>' | wc -l | tr -d ' ')"
has "the instant from which nothing can be undone" "$(cat "$tmp/text")" "$(value no_return.0.at)"

# What somebody recorded: JWT is used although the app has restarted on OAuth; a certificate that ends before finalizing, or has ended.
cat >consumer.json <<'END'
{"environments":[{"name":"dev","facts":{
"console.migration":{"known":"api","facts":{"state":"started","status":"STARTED"}},
"console.usage":{"known":"api","facts":{"jwt_visible":true,"jwt_last_used":1795417200000}},
"app.settings":{"known":"api","facts":{"auth_type":"oauth","client_id":"geometrixx-dev-client","saved_at":1795334400000}},
"app.workflow":{"known":"api","facts":{"ingress":"RUNNING","egress":"RUNNING","opt-in-out":"RUNNING","started_at":1795338000000}}}}]}
END
certificate() { echo '{"environments":[{"name":"dev","facts":{"console.certificate":{"known":"api","facts":{"count":1,"not_after":'"$1"'}}}}]}'; }
certificate 1795460400000 >ends.json
certificate 1795410000000 >ended.json
"$S2SCTL" rehearse 04-goes-back.yaml --from consumer.json >out 2>&1
is "an undeclared consumer: a gate fails" "$?" 4
has "and why is said" "$(tr -s '\n ' ' ' <out)" "somebody who is not declared under consumers uses it"
has "what was recorded is listed" "$(cat out)" "recorded: console.migration, console.usage, app.settings, app.workflow; assumed:"
"$S2SCTL" rehearse 04-goes-back.yaml --from ends.json --quick >out 2>&1
is "a certificate that ends too soon" "$?" 0
has "is warned of" "$(tr -s '\n ' ' ' <out)" "warning: the JWT credential's certificate ends 2026-11-23T19:00:00Z, before the earliest moment"
"$S2SCTL" rehearse 04-goes-back.yaml --from ended.json >out 2>&1
is "one that has ended: refused" "$?" 5
has "with the plan's words" "$(cat out)" "has no living certificate"
has "and nothing is played" "$(cat out)" "the plan is refused; nothing was played"

# One disturbance, told at length; and wrong words.
"$S2SCTL" rehearse 01-one-environment.yaml --schedule slow-person@prod/console.migration/start >out
is "one disturbance is played" "$?" 0
has "it took a day and a half" "$(cat out)" "2026-11-24T20:0"
for words in "--schedule mislaid:1" "--seed many" "--env nowhere" "--format html"; do
	# shellcheck disable=SC2086  # two words
	"$S2SCTL" rehearse 01-one-environment.yaml $words >out 2>&1
	is "wrong usage: $words" "$?" 64
done

# A plan of a live system is rehearsed as it was recorded.
sandbox "$tmp/box" "$top/examples/worlds/two-environments.yaml" --speed 60
cp "$ca" ca.pem
mkdir secrets
"$S2SCTL" plan 02-dev-and-prod.yaml --env dev --time-scale 60 -o plan.json >out 2>&1
is "a plan is saved" "$?" 0
forget_requests
"$S2SCTL" rehearse plan.json --quick >out 2>&1
is "it can be rehearsed" "$?" 0
has "from what it recorded" "$(tr -s '\n ' ' ' <out)" "dev: recorded: console.project, console.credential,"
has_not "without the environment that it leaves out" "$(cat out)" "prod/"
is "and nothing was asked of the systems" "$(requests)" 0
exit "$failed"
