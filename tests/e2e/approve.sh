#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# approve.sh - a saved plan from review to receipt: approvals by signature, policies, and every way in which it must be refused.
#
# What is refused is refused with exit status 5, a reason in one line, and nothing sent: the sandbox's own request log says so.
. "$(dirname "$0")/lib-sandbox.sh"

command -v ssh-keygen >/dev/null || { echo "SKIP: ssh-keygen is missing"; exit 77; }
FAST=600
SPACE=s2sctl-approval

mkdir "$tmp/w" "$tmp/w/secrets"
cd "$tmp/w" || exit 1
# The world begins now, because approvals are made by the clock of this machine.
sed "s/^clock: .*/clock: $(date -u +%Y-%m-%dT%H:%M:%SZ)/" "$top/examples/worlds/two-environments.yaml" >world.yaml
LAST_USED=$(date -u -d '2 hours ago' +%Y-%m-%dT%H:%M:%SZ)
sandbox "$tmp/w/box" world.yaml --speed $FAST
cp "$ca" ca.pem

# ---- people and their keys ----

for who in ann bob eve old; do ssh-keygen -q -t ed25519 -N '' -C "$who@example.com" -f $who; done
openssl genpkey -algorithm ed25519 -out pem.key 2>/dev/null
ssh-keygen -q -t ed25519 -N 'not a real phrase' -C locked@example.com -f locked
ssh-keygen -q -t rsa -b 2048 -N '' -f rsa
key() { cut -d ' ' -f 1,2 "$1.pub"; }
cat >signers <<END
# who may approve
ann@example.com,ann $(key ann)
bob@example.com namespaces="git,$SPACE" $(key bob)
old@example.com valid-before="20200101Z" $(key old)
END

policy() # LINES: the rollout file with this policy
{
	awk -v policy="$1" '/^connections:/ { printf "%s", policy } { print }' "$top/examples/plans/02-dev-and-prod.yaml" >rollout.yaml
}
APPROVALS='policy:
  approvals: {signers: signers, all: 1, irreversible: 2}
'
policy "$APPROVALS"

plan() { "$S2SCTL" plan rollout.yaml --env dev --by maker@example.com -o "$1" --time-scale $FAST >out 2>err; }
apply() { "$S2SCTL" apply "$@" --time-scale $FAST --confirm 'Geometrixx D365 dev' --wait=6m >out 2>err; }

# refused WHAT REASON COMMAND...: exit 5, the reason in one line, nothing sent, nothing in the journal.
refused()
{
	what=$1
	reason=$2
	shift 2
	forget_requests
	before=$(cat .s2sctl/journal.jsonl 2>/dev/null | cksum)
	"$@" >out 2>err
	is "$what: refused" "$?" 5
	has "$what: the reason in one line" "$(grep '^error' err || cat err)" "$reason"
	is "$what: in no more than one line" "$(grep -c error err)" 1
	is "$what: nothing sent" "$(requests)" 0
	is "$what: nothing journalled" "$(cat .s2sctl/journal.jsonl 2>/dev/null | cksum)" "$before"
}

# ---- keys and formats, both ways ----

plan plan.json
is "a plan is made and saved" "$?" 0
[ -s plan.json ] || { cat out err; exit 1; }
refused "without approval" 'needs 1 approval and has 0' "$S2SCTL" apply plan.json --time-scale $FAST
"$S2SCTL" verify plan.json >out 2>err
is "verify says that it is missing" "$? $(grep -c '^  missing' out)" "5 11"

"$S2SCTL" approve plan.json --key ann >out 2>err
is "approved with a key in OpenSSH's format" "$? $(wc -l <plan.json.approvals | tr -d ' ')" "0 1"
"$S2SCTL" approve plan.json --key pem.key -o pem.approvals >out 2>err
is "approved with a key in PKCS#8" "$?" 0
for k in locked rsa; do
	"$S2SCTL" approve plan.json --key $k -o never >out 2>err
	is "no approval with $k" "$? $([ -e never ] && echo made)" "64 "
done
"$S2SCTL" approve plan.json --key locked -o never >out 2>err
has "an encrypted key: how else" "$(cat err)" 'ssh-keygen -Y sign'

# Ours is checked by ssh-keygen.
sed 's/.*"signature":"\([^"]*\)".*/\1/; s/\\n/\n/g' plan.json.approvals >ours.sig
sed 's/.*"statement":\({.*}\)}$/\1/' plan.json.approvals >ours.msg
ssh-keygen -Y verify -f signers -I ann@example.com -n $SPACE -s ours.sig <ours.msg >out 2>&1
is "ssh-keygen verifies what we sign" "$?" 0
tr a b <ours.msg | ssh-keygen -Y verify -f signers -I ann@example.com -n $SPACE -s ours.sig >out 2>&1
is "and not another message" "$([ $? -ne 0 ] && echo no)" no

# ssh-keygen's is checked by us.
"$S2SCTL" approve plan.json --message msg >out 2>err
ssh-keygen -q -Y sign -f bob -n $SPACE msg 2>/dev/null
"$S2SCTL" approve plan.json --message msg --signature msg.sig >out 2>err
is "a signature of ssh-keygen is taken" "$? $(wc -l <plan.json.approvals | tr -d ' ')" "0 2"
"$S2SCTL" verify plan.json >out 2>err
is "two people: approved" "$? $(tail -1 out)" "0 approved"
has "verify says who" "$(cat out)" 'counts   bob@example.com'
env -u S2S_CONSOLE_URL "$S2SCTL" verify plan.json --allowed-signers signers >out 2>err
is "verify works where the rollout file's variables are not set" "$? $(grep -c 'as the plan says it' err)" "0 1"
rm -f msg.sig
ssh-keygen -q -Y sign -f bob -n file msg 2>/dev/null
"$S2SCTL" approve plan.json --message msg --signature msg.sig -o never >out 2>err
is "one for another purpose is not" "$? $([ -e never ] && echo made)" "5 "
cp plan.json.approvals both.approvals

# ---- the approvals that do not count ----

# counts_not WHAT REASON: what is in plan.json.approvals is not enough
counts_not() { refused "$1" "$2" "$S2SCTL" apply plan.json --time-scale $FAST; }
rm plan.json.approvals
"$S2SCTL" approve plan.json --key eve >out 2>err
counts_not "signed by an unknown key" "is not in 'signers'"
rm plan.json.approvals
"$S2SCTL" approve plan.json --key old >out 2>err
counts_not "signed by an expired key" 'the key of old@example.com has expired'
cp both.approvals plan.json.approvals
ssh-keygen -lf ann.pub | cut -d ' ' -f 2 >revoked
refused "signed by a revoked key" 'is revoked' "$S2SCTL" apply plan.json --revoked revoked --time-scale $FAST
key ann >revoked
refused "revoked by its text" 'is revoked' "$S2SCTL" apply plan.json --revoked revoked --time-scale $FAST
echo "x@example.com cert-authority $(key ann)" >ca-signers
refused "a certificate authority" 'certificate authorities are not taken' "$S2SCTL" apply plan.json --allowed-signers ca-signers --time-scale $FAST
rm plan.json.approvals
for k in ann bob; do "$S2SCTL" approve plan.json --key $k --steps dev/app.settings/switch >out 2>err; done
counts_not "for other steps" "step 'dev/console.migration/start' needs 1 approval"
rm plan.json.approvals
"$S2SCTL" approve plan.json --key ann --until 1s >out 2>err
sleep 1.1
counts_not "run out" 'it ran out at'
rm plan.json.approvals
"$S2SCTL" approve plan.json --key ann >out 2>err
"$S2SCTL" approve plan.json --key ann >out 2>err
counts_not "one person twice" "needs 2 approvals and has 1"
sed 's/"until":"20/"until":"30/' both.approvals >plan.json.approvals
counts_not "an approval that was edited" 'what was signed was changed'
cp both.approvals plan.json.approvals
# The maker's own.
"$S2SCTL" plan rollout.yaml --env dev --by ann@example.com -o own.json --time-scale $FAST >out 2>err
cp both.approvals own.json.approvals
refused "one's own plan" 'ann@example.com made the plan' "$S2SCTL" apply own.json --time-scale $FAST
"$S2SCTL" plan rollout.yaml --env dev -o nobody.json --time-scale $FAST >out 2>err
is "a plan that does not say whose it is" "$? $(grep -c 'made-by' out)" "5 1"

# ---- the plan itself ----

# One byte anywhere: none of them goes through. 40 places, spread over the file.
size=$(wc -c <plan.json | tr -d ' ')
went=0
forget_requests
i=0
while [ $i -lt 40 ]; do
	at=$((i * (size - 2) / 40))
	{
		head -c $at plan.json
		tail -c +$((at + 1)) plan.json | head -c 1 | tr '\001-\377' '\002-\377\001'
		tail -c +$((at + 2)) plan.json
	} >edited.json
	cp both.approvals edited.json.approvals
	"$S2SCTL" apply edited.json --time-scale $FAST >out 2>err
	status=$?
	[ $status -eq 5 ] || { went=$((went + 1)); tail -1 err; }
	i=$((i + 1))
done
is "edited by one byte, at 40 places: never carried out" "$went" 0
is "and nothing was sent" "$(requests)" 0
sed 's/"soak":300000/"soak":300001/' plan.json >edited.json
refused "a threshold edited" 'the plan was edited' "$S2SCTL" apply edited.json --time-scale $FAST
sed 's/"format_version":1/"format_version":9/' plan.json >edited.json
refused "of another format" 'format version 9' "$S2SCTL" apply edited.json --time-scale $FAST
sed 's/},/}, /' plan.json >edited.json
refused "in another form" 'edited' "$S2SCTL" apply edited.json --time-scale $FAST

# Replayed: approvals of one plan beside another.
"$S2SCTL" plan rollout.yaml --env prod --by maker@example.com -o prod.json --time-scale $FAST >out 2>err
cp both.approvals prod.json.approvals
refused "replayed for another plan" 'it is for another plan' "$S2SCTL" apply prod.json --time-scale $FAST

# Swapped between check and use: by the checker, of all people.
cp plan.json swap.json
cp both.approvals swap.json.approvals
refused "swapped between check and use" 'was changed while this command ran' \
	"$S2SCTL" apply swap.json --time-scale $FAST --policy-exec 'cp prod.json swap.json'
# An outside checker.
refused "the outside checker's no" 'refuses the plan (exit status 3)' \
	"$S2SCTL" apply plan.json --time-scale $FAST --policy-exec 'grep -q intent_digest && echo "no: $S2S_READER_SECRET" && printf "\033[31m" && exit 3'
has "its words are shown" "$(cat err)" 'policy check: no: '
has_not "without control bytes" "$(cat err)" "$(printf '\033')"

# The rollout file is another one.
cp rollout.yaml keep.yaml
sed 's/soak: 5m/soak: 6m/' keep.yaml >rollout.yaml
refused "the rollout file changed" "has changed since the plan was made" "$S2SCTL" apply plan.json --time-scale $FAST
cp keep.yaml rollout.yaml

# ---- the rollout file's policy: at plan, with rule and position, and again at apply ----

# broken WHAT POLICY RULE PLACE: plan says so and ends with 5; apply ends with 5 and writes nothing
broken()
{
	policy "policy:
  $2
"
	"$S2SCTL" plan rollout.yaml --env dev --time-scale $FAST >out 2>err
	is "$1: plan" "$?" 5
	has "$1: rule and position" "$(tr -s ' \n' ' ' <out)" "($3, rollout.yaml:$4)"
	has "$1: in the document" "$("$S2SCTL" plan rollout.yaml --env dev --format json --time-scale $FAST 2>err)" "\"rule\":\"$3\""
	"$S2SCTL" apply rollout.yaml --env dev --time-scale $FAST >out 2>err
	is "$1: apply" "$? $(wrote start-migration)" "5 0"
}
today=$(date -u -d '2 days ago' +%Y-%m-%d)
later=$(date -u -d '400 days' +%Y-%m-%d)
broken "blast radius" 'max_irreversible: 0' max-irreversible 6:21
broken "expected steps" 'expect_steps: 3' expect-steps 6:17
broken "a freeze" "freeze: [{name: launch, zone: Europe/Berlin, from: $today, to: $later}]" freeze 6:12
broken "a forbidden executor" 'forbid_executors: [api]' forbidden-executor 6:22
broken "attested evidence" 'attested: forbid' attested 6:13
broken "a certificate about to end" 'certificate_left: 60d' certificate-left 6:21
broken "a floor" 'gates: {workflows_stable: {soak: 1h}}' gate-floor 6:36
policy 'policy:
  freeze: [{zone: Mars/Olympus, days: [fri]}]
'
"$S2SCTL" validate rollout.yaml >out 2>err
is "an unknown zone is a mistake of the file" "$? $(grep -c "rollout.yaml:6:12: error: there is no time zone 'Mars/Olympus'" err)" "64 1"
cp keep.yaml rollout.yaml
"$S2SCTL" plan rollout.yaml --env dev --by maker --time-scale $FAST --policy-exec 'grep -q s2sctl.plan; echo "rule 7 says no"; exit 1' >out 2>err
is "an outside checker's no at plan" "$?" 5
has "with its words" "$(cat err)" 'policy check: rule 7 says no'
"$S2SCTL" plan rollout.yaml --env dev --by maker --time-scale $FAST --policy-exec 'grep -q s2sctl.plan' >out 2>err
is "its yes" "$?" 0

# ---- stale: reading is needed to see it, and nothing is written ----

somebody '{"do": "start-migration", "credential": "111001"}'
is "somebody started the migration by hand" "$(truth | awk -F '\t' '$1 == "credentials.0.status" { print $2 }')" started
forget_requests
apply plan.json
is "a stale plan is refused" "$?" 5
has "naming the fact, the old and the new value" "$(cat err)" ' when the plan was made and is '
is "and nothing was written" "$(wrote save-settings) $(wrote reveal-secret)" "0 0"

somebody '{"do": "cancel-migration", "credential": "111001"}'

# ---- and the way that is right ----

plan plan.json
is "planned anew" "$?" 0
rm -f plan.json.approvals
"$S2SCTL" approve plan.json --key ann --until 365d >out 2>err
"$S2SCTL" approve plan.json --key bob --steps reversible --until 365d >out 2>err
refused "one of two for what cannot be undone" "needs 2 approvals and has 1" "$S2SCTL" apply plan.json --time-scale $FAST
# bob's second signature holds for a few hours of the sandbox only: it will have run out at the point of no return.
"$S2SCTL" approve plan.json --key bob --steps irreversible --until 12h >out 2>err
cp plan.json elsewhere.json
plan later.json
cp plan.json.approvals later.json.approvals
"$S2SCTL" verify later.json >out 2>err
is "an equal plan made later is another file, and approved as well" "$? $(cmp -s plan.json later.json || echo other)" "0 other"
rounds=0 held=0
while [ $rounds -lt 14 ]; do
	rounds=$((rounds + 1))
	apply plan.json
	status=$?
	[ $status -eq 3 ] || break
	if grep -q 'waiting for a person (dev/console.migration/finalize: approval' out; then
		held=$((held + 1))
		[ $held -gt 1 ] && "$S2SCTL" approve plan.json --key bob --steps irreversible --until 365d >>out 2>&1
	elif grep -q 'ack dev/console.usage/jwt-quiet' err; then
		"$S2SCTL" ack dev/console.usage/jwt-quiet --by 'Pat Example' --last-used "$LAST_USED" >>out 2>&1
	elif until=$(sed -n 's/.*waiting until \([0-9TZ:.-]*\), then.*/\1/p' out) && [ -n "$until" ]; then
		advance to "$until"
		advance by 1m
	else
		advance by 25h
	fi
done
is "carried out, approved anew where it had run out" "$status" 0
[ "$status" -eq 0 ] || { cat out; tail -20 err; }
is "it was held before the point of no return" "$([ $held -ge 1 ] && echo held)" held
is "nothing was deleted before that, and once after" "$(wrote finalize)" 1
refused "used" 'used up' "$S2SCTL" apply plan.json --time-scale $FAST
cp plan.json.approvals elsewhere.json.approvals
refused "used, under another name" 'used up' "$S2SCTL" apply elsewhere.json --time-scale $FAST
has "the approvals are in the journal" "$(grep '"type":"run"' .s2sctl/journal.jsonl)" 'BEGIN SSH SIGNATURE'

exit "$failed"
