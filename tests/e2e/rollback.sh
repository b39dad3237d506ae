#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rollback.sh - the way back with the real programs: asked for and killed in the middle, by a person, after a failed gate, and where it
# cannot be proved. What really happened is read from the sandbox's ground truth. Exit 77: skipped.
set -u
# shellcheck source=tests/e2e/lib-sandbox.sh
. "$(dirname "$0")/lib-sandbox.sh"

FAST=600
KEY=fake-key-of-dev
client=geometrixx-dev-client
instance=geometrixx-dev
sandbox_pid=

# fresh NAME SWITCHES [MORE]: a sandbox whose JWT credential knows its private key, and a folder with the example that goes back.
fresh()
{
	[ -z "$sandbox_pid" ] || sandbox_ends
	work=$tmp/$1
	mkdir -p "$work/secrets"
	chmod 700 "$work/secrets"
	cd "$work" || exit 1
	sed -e "s/^seed: 1\$/seed: 1\\nswitches: {$2}/" \
		-e "s/^\\( *\\)client_secret: fake-dev-secret\$/&\\n\\1private_key: $KEY/" \
		-e "s/auth_type: jwt, client_id: $client,/& private_key: $KEY,/" \
		"$top/examples/worlds/two-environments.yaml" >world.yaml
	# Approvals are made by the clock of this machine.
	[ -z "${NOW:-}" ] || sed -i "s/^clock: .*/clock: $(date -u +%Y-%m-%dT%H:%M:%SZ)/" world.yaml
	[ -z "${3:-}" ] || printf '%s\n' "$3" >>world.yaml
	sandbox "$work/box" "$work/world.yaml" --speed $FAST
	cp "$ca" ca.pem
	cp "$top/examples/plans/04-goes-back.yaml" rollout.yaml
	printf %s "$KEY" >secrets/dev-private-key # as a person pastes it: the sandbox compares it to the byte
}

# s2 EXIT WHAT ARG...
s2()
{
	wanted=$1
	what=$2
	shift 2
	"$S2SCTL" "$@" >out 2>err </dev/null
	code=$?
	[ "$code" = "$wanted" ] || { not_ok "$what: exit $wanted" "exit $code: $(tail -n 3 out err)"; return 1; }
	ok "$what: exit $wanted"
}

# carry_on ARG...: the command again and again while it waits: a person acts where one is asked, and time passes. Ends with its status in $code.
carry_on()
{
	rounds=0
	while :; do
		rounds=$((rounds + 1))
		[ $rounds -le 25 ] || { not_ok "it comes to an end within 25 rounds" "$(tail -n 3 out err)"; code=3; return; }
		"$S2SCTL" "$@" --time-scale $FAST --wait=15m >out 2>err </dev/null
		code=$?
		[ $code = 3 ] || return
		if grep -q '^A person is needed: ' err; then
			# The app lives on its token for a day: whoever looked at the card earlier would see the same again.
			! grep -q 'still_mints_jwt: wait' err || advance by 25h
			"$here/lib-person.sh" err >person 2>&1 || { not_ok "the person can do what was asked" "$(cat person)"; return; }
		elif until=$(sed -n 's/.*waiting until \([0-9TZ:.-]*\), then.*/\1/p' out) && [ -n "$until" ]; then
			advance to "$until"
			advance by 1m
		else
			advance by 25h # a token lives for a day
		fi
	done
}
# Forward until the day of quiet has to be waited for.
forward()
{
	rounds=0
	until "$S2SCTL" status rollout.yaml | grep -q 'jwt_quiet: quiet, but not for long enough\|jwt_quiet: an operator will be asked'; do
		rounds=$((rounds + 1))
		[ $rounds -le 12 ] || { not_ok "forward to the proof" "$(tail -n 3 out err)"; exit 1; }
		"$S2SCTL" apply rollout.yaml --time-scale $FAST --wait=20m >out 2>err </dev/null
		grep -q '^A person is needed: ' err || continue
		"$here/lib-person.sh" err >person 2>&1 || { not_ok "the person can do what was asked" "$(cat person)"; exit 1; }
	done
	is "the app was switched" "$(app_is auth_type)" oauth
}
app_is() # MEMBER: of the dev app, in truth
{
	truth | awk -F '\t' -v instance="$instance" -v member="$1" '
		{ v[$1] = $2 }
		END { for (i = 0; ("apps." i ".instance") in v; i++) if (v["apps." i ".instance"] == instance) print v["apps." i "." member] }'
}
credential_is() { truth | awk -F '\t' '$1 == "credentials.0.status" { print $2 }'; }
judge() { "$here/lib-truth.sh" "$@" || failed=1; }

# ---- asked for, killed while it saves, gone on with by apply; then forward again to the end ----
fresh asked 'jwt_in_usages: true'
forward
ours() { echo "$(wrote save-settings) $(wrote stop-workflow) $(wrote cancel-migration)"; } # others write all the time
before=$(ours)
s2 64 "without naming an environment" rollback rollout.yaml
s2 0 "the way back is shown" rollback rollout.yaml --env dev --time-scale $FAST -o back.json
has "as what it is" "$(cat out)" "The way back, for rollout.yaml"
has "with its line" "$(cat out)" "point of no return of the way back"
has "and can be shown again" "$("$S2SCTL" show back.json)" "dev/app.settings/switch-back"
has_not "the private key is nowhere" "$(cat out err back.json)" "$KEY"
is "showing it has changed nothing" "$(ours)" "$before"

fault '[{"kind":"latency","ms":3000,"twin":"bridge","method":"PUT","contains":"/settings","times":1}]'
"$S2SCTL" rollback rollout.yaml --env dev --apply --time-scale $FAST >killed 2>&1 </dev/null &
running=$!
pids="$pids $running"
tries=0
until grep -q 'switch-back: bridge' killed; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || { not_ok "it saves the settings" "$(tail -n 3 killed)"; break; }
	sleep 0.05
done
kill -9 "$running"
wait "$running" 2>/dev/null
fault '[]'
has "it was killed with the intent on disk" "$(tail -n 1 .s2sctl/journal.jsonl)" '"type":"intent"'
carry_on apply rollout.yaml
is "apply goes on with the way back, to its end" "$code" 0
has "and says so" "$(grep -h '"type":"receipt"' .s2sctl/journal.jsonl | tail -n 1)" 'dev/console.migration/cancel'
judge back $client $instance geometrixx-dev
s2 0 "then there is nothing to take back" rollback rollout.yaml --env dev --time-scale $FAST
has "it says so" "$(cat out)" "Nothing to do"
has_not "no secret in the journal" "$(cat .s2sctl/journal.jsonl)" "$KEY"
rm -f secrets/dev-client-secret # another OAuth credential has another secret
carry_on apply rollout.yaml --confirm 'Geometrixx D365 dev'
is "forward again, to the end" "$code" 0
is "the JWT credential is gone" "$(credential_is)" completed
is "deleted once" "$(wrote finalize)" 1
is "started twice in all" "$(wrote start-migration)" 2
is "the app lives on OAuth" "$(app_is auth_type) $(app_is settings_good)" "oauth true"
s2 5 "from there is no way back" rollback rollout.yaml --env dev --apply --time-scale $FAST
has "it says why" "$(cat out)" "point-of-no-return"
[ "$failed" = 0 ] || tail -n 5 out err

# ---- as a saved plan, with a policy: checked, approved, carried out ----
if command -v ssh-keygen >/dev/null; then
	NOW=1 fresh approved 'jwt_in_usages: true'
	forward
	ssh-keygen -q -t ed25519 -N '' -C ann@example.com -f ann
	echo "ann@example.com $(cut -d ' ' -f 1,2 ann.pub)" >signers
	back() { "$S2SCTL" rollback rollout.yaml --env dev --time-scale $FAST "$@" >out 2>err </dev/null; }
	policy() # LINE: the rollout file with this policy in front
	{
		cp rollout.yaml plain.yaml
		awk -v line="$1" '/^connections:/ { printf "policy: %s\n", line } { print }' plain.yaml >rollout.yaml
	}
	before=$(ours)
	policy '{forbid_executors: [bridge]}'
	back --apply
	is "a policy is for the way back as well: exit 5" "$? $(grep -c 'forbidden-executor' out | sed 's/[1-9].*/told/')" "5 told"
	mv plain.yaml rollout.yaml
	back --apply --policy-exec 'grep -q "\"direction\":\"back\"" && echo "never back" && exit 1'
	is "an outside checker's no: exit 5" "$? $(grep -c 'policy check: never back' err)" "5 1"
	policy '{approvals: {signers: signers, all: 1}}'
	back --by maker@example.com --policy-exec 'grep -q s2sctl.plan' -o back.json
	is "its yes, and the plan is saved" "$? $([ -s back.json ] && echo saved)" "0 saved"
	s2 5 "not approved: refused" apply back.json --time-scale $FAST
	is "and nothing was touched" "$(ours)" "$before"
	s2 0 "approved" approve back.json --key ann --until 365d
	s2 0 "verify says so" verify back.json
	carry_on apply back.json
	is "carried out from the file, to its end" "$code" 0
	judge back $client $instance geometrixx-dev
	s2 5 "and used up" apply back.json --time-scale $FAST
fi

# ---- by a person, who reads JWT's last use from the card ----
fresh person 'one_row: false'
sed -i 's/start: bridge, secret: bridge, settings: bridge, restart: bridge, finalize: api, cancel: bridge/finalize: operator/; /^    connections:/,/^        auth:/d' rollout.yaml
forward
# What no bridge reads is asked of a person before the way back can be planned.
s2 3 "by a person: facts first" rollback rollout.yaml --env dev --time-scale $FAST
has "they are named" "$(cat out)" "s2sctl ack dev/app.workflow/attest"
s2 0 "they are given" ack dev/app.workflow/attest --by 'Pat Example' --fact ingress=RUNNING --fact egress=RUNNING --fact opt-in-out=STOPPED
carry_on rollback rollout.yaml --env dev --apply
is "by a person: to its end" "$code" 0
judge back $client $instance geometrixx-dev

# ---- on_failure: somebody goes on using JWT ----
fresh failed 'jwt_in_usages: true' "consumers: [{name: nightly, client_id: $client, grant: jwt, every: 3h, first: 5h}]"
forward
advance by 6h
carry_on apply rollout.yaml
is "a gate fails, and the environment goes back in the same command: exit 4" "$code" 4
has "it says why" "$(cat err)" "'dev' goes back, since dev/console.usage/jwt-quiet"
carry_on apply rollout.yaml
is "and the next one ends it" "$code" 0
judge back $client $instance geometrixx-dev
is "the run that it has left is over" "$("$S2SCTL" status rollout.yaml | head -n 1 | cut -d, -f1 | cut -d' ' -f1-4)" "dev: finished way back"

# ---- somebody uses OAuth: they would break ----
fresh used 'jwt_in_usages: true' "consumers: [{name: ahead, client_id: $client, grant: oauth, every: 2m, first: 5m}]"
forward
carry_on rollback rollout.yaml --env dev --apply
is "who uses OAuth still: exit 4" "$code" 4
has "it says since when" "$(cat out)" "the OAuth credential was used at"
is "nothing was cancelled" "$(wrote cancel-migration) $(credential_is)" "0 started"

# ---- the exchange has ended: the app cannot mint, and the OAuth credential stays ----
fresh ended 'jwt_in_usages: true, jwt_exchange: dead'
somebody '{"do": "start-migration", "credential": "111001"}'
somebody "{\"do\": \"save-settings\", \"instance\": \"$instance\", \"auth_type\": \"oauth\", \"client_id\": \"$client\", \"client_secret\": \"fake-dev-secret\"}"
printf fake-dev-secret >secrets/dev-client-secret
sed -i 's/app: {instance: geometrixx-dev}/app: {instance: geometrixx-dev, stopped_is_meant: true}/' rollout.yaml
"$S2SCTL" rollback rollout.yaml --env dev --apply --time-scale $FAST --wait=40m >out 2>err </dev/null
is "a dead exchange: not to its end" "$?" 1
has "the workflows show it" "$(cat out)" "FAILED"
is "nothing was cancelled" "$(wrote cancel-migration) $(credential_is)" "0 started"
exit "$failed"
