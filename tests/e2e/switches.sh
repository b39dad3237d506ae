#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# switches.sh - what is not documented about the real systems, both ways: the same rollout file leads each of these worlds to the same end.
. "$(dirname "$0")/lib-sandbox.sh"

TITLE='Geometrixx D365 dev'
# Sandbox and tool run 600 times as fast, so that soaks and lags take a second.
FAST=600

# Goes on until apply has nothing left to wait for; the person only ever reads the migration card.
apply_until_done()
{
	rounds=0
	while [ $rounds -lt 12 ]; do
		rounds=$((rounds + 1))
		"$S2SCTL" apply rollout.yaml --env dev --time-scale $FAST --confirm "$TITLE" --wait=6m >out 2>err
		status=$?
		[ $status -eq 3 ] || return $status
		if grep -q 'ack dev/console.usage/jwt-quiet' err; then
			# The world's app exchanged its JWT for the last time two hours before the world began.
			"$S2SCTL" ack dev/console.usage/jwt-quiet --by 'Pat Example' --last-used 2026-11-23T06:00:00Z >>out 2>&1
		elif until=$(sed -n 's/.*waiting until \([0-9TZ:.-]*\), then.*/\1/p' out) && [ -n "$until" ]; then
			advance to "$until"
			advance by 1m
		else
			advance by 25h # a token lives for a day
		fi
	done
	return 3
}

# one NAME SWITCHES
one()
{
	mkdir "$tmp/$1" "$tmp/$1/secrets"
	sed "s/^seed: 1\$/seed: 1\\nswitches: {$2}/" "$top/examples/worlds/two-environments.yaml" >"$tmp/$1/world.yaml"
	cd "$tmp/$1" || exit 1
	sandbox "$tmp/$1/box" "$tmp/$1/world.yaml" --speed $FAST
	cp "$ca" ca.pem
	cp "$top/examples/plans/02-dev-and-prod.yaml" rollout.yaml
	apply_until_done
	is "$1: apply ends" "$?" 0
	[ "$status" -eq 0 ] || { cat out err; }
	is "$1: the JWT credential is gone" \
		"$(truth | awk -F '\t' '$1 == "credentials.0.status" { print $2 }')" completed
	is "$1: deleted once" "$(wrote finalize)" 1
	is "$1: started once" "$(wrote start-migration)" 1
	is "$1: settings saved once" "$(wrote save-settings)" 1
	"$S2SCTL" plan rollout.yaml --env dev --time-scale $FAST >out 2>err
	is "$1: then there is nothing to do" "$? $(grep -c '^Nothing to do' out)" "0 1"
	sandbox_ends
}

one two-rows 'one_row: false'
one two-rows-two-ids 'one_row: false, shared_id: false, secrets_shared: false'
one status-knows-no-jwt-id 'status_answers_jwt_id: false'
one none-after 'after_status: none'
one jwt-in-usages 'jwt_in_usages: true, jwt_grant_name: jwt_bearer'
one empty-usages 'usages_null_when_unused: false, usage_lag_random: true'
one other-shapes 'type_key: integration_type, binding_unit: s, date_form: iso, numbers_for_bools: false, workspaces_in_project: false'
one server-checks 'finalize_checks: true'
one late-mint 'mint_lag: 1m, tokens_outlive: false, unstarted_error: invalid_client'

# Somebody finalizes in the console while the run waits for the day of quiet: the run finds it so, and still ends.
mkdir "$tmp/by-hand" "$tmp/by-hand/secrets"
cd "$tmp/by-hand" || exit 1
sandbox "$tmp/by-hand/box" "$top/examples/worlds/two-environments.yaml" --speed $FAST
cp "$ca" ca.pem
cp "$top/examples/plans/02-dev-and-prod.yaml" rollout.yaml
for _ in 1 2; do
	"$S2SCTL" apply rollout.yaml --env dev --time-scale $FAST --wait=20m >out 2>err
done
somebody '{"do": "finalize", "credential": "111001"}'
apply_until_done
is "finalized by hand: apply ends" "$?" 0
[ "$status" -eq 0 ] || { cat out err; }
is "finalized by hand: not once more by us" "$(wrote finalize)" 1
has "finalized by hand: the receipt says that it was so already" "$(grep '"type":"receipt"' .s2sctl/journal.jsonl | json_lines | tr '\t' ' ')" \
	'steps.dev/console.migration/finalize.result already'
sandbox_ends
exit "$failed"
