#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# plan-names.sh - a plan names its rollout file, and is not believed where that leads: a rollout file decides who must approve and which commands are run
# for secrets. Exit 77: skipped.
. "$(dirname "$0")/lib-sandbox.sh"

sandbox "$tmp/box" "$top/examples/worlds/two-environments.yaml" --speed 60
mkdir -p "$tmp/work/secrets" "$tmp/work/sub" "$tmp/else/deep"
cp "$ca" "$tmp/work/ca.pem"
cd "$tmp/work" || exit 1
cp "$top/examples/plans/02-dev-and-prod.yaml" rollout.yaml

# made NAME: a plan of the rollout file under that name
made() { "$S2SCTL" plan "$1" --env dev --time-scale 60 -o "$2" >out 2>err || not_ok "a plan of $1" "$(tail -3 err)"; }
# exits WANTED WHAT COMMAND...: nothing is written in any case
exits()
{
	wanted=$1
	what=$2
	shift 2
	"$S2SCTL" "$@" >out 2>err </dev/null
	is "$what" "$?" "$wanted"
	has "  and why" "$(cat err)" "$reason"
}
absolute=$tmp/work/rollout.yaml
made "$absolute" absolute.json
made ../work/rollout.yaml up.json
made sub/../rollout.yaml through.json
cp absolute.json up.json through.json "$tmp/else/deep/"
# A file that stands where the name leads, and would run a command.
sed "s|^\( *\)client_secret: .*|\1client_secret: 'exec:touch $tmp/ran'|" rollout.yaml >"$tmp/else/rollout.yaml"

forget_requests
reason="a plan is not believed where that leads"
for plan in absolute up through; do
	exits 5 "$plan, away from its rollout file: refused" apply "$tmp/else/deep/$plan.json" --time-scale 60
	has "  with a way on" "$(cat err)" "name the file yourself"
done
cd "$tmp/else/deep" || exit 1
exits 5 "from there as well" apply up.json --time-scale 60
is "nothing was sent" "$(requests)" 0
is "nothing was run" "$(ls "$tmp/ran" 2>/dev/null)" ""
reason="as the plan says it"
exits 0 "verify tells what the plan says" verify absolute.json
cd "$tmp/work" || exit 1

# Beside the plan it is found by its last part; and named by whoever applies, it counts wherever it is.
cp "$tmp/else/deep/up.json" "$tmp/else/up-2.json"
reason=
exits 3 "beside its rollout file it is found" apply absolute.json --time-scale 60 --wait=1s
reason=" when the plan was made and is " # since the first one has begun: read, and stale
exits 5 "by its last part, where it leads up" apply up.json --time-scale 60 --state other
exits 5 "or through" apply through.json --time-scale 60 --state other
reason="has changed since the plan was made"
exits 5 "named: another file's plan is refused for that" apply "$tmp/else/up-2.json" "$tmp/else/rollout.yaml" --time-scale 60
exit "$failed"
