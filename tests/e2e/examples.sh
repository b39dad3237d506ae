#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples.sh - every rollout file in examples/plans/, and the one in the README, as it stands: validated, and planned against a sandbox.
. "$(dirname "$0")/lib-sandbox.sh"

sandbox "$tmp/box" "$top/examples/worlds/two-environments.yaml" --speed 60
mkdir "$tmp/plans" "$tmp/plans/secrets" # where the examples keep client secrets
cp "$ca" "$tmp/plans/ca.pem"
cd "$tmp/plans" || exit 1

for file in "$top"/examples/plans/*.yaml; do
	name=$(basename "$file")
	cp "$file" .
	"$S2SCTL" validate "$name" >out 2>&1
	is "$name is valid" "$?" 0
	[ ! -s out ] || has_not "$name has no warning" "$(cat out)" "warning:"
	"$S2SCTL" plan "$name" --time-scale 60 >out 2>err
	is "$name can be planned" "$?" 0
	has "$name: the plan draws the point of no return" "$(cat out)" "point of no return"
done

# The README's file names the real systems: it is only validated.
awk '/^```yaml$/ { on = 1; next } /^```$/ { on = 0 } on' "$top/README.md" >readme.yaml
CONSOLE_KEY=fake-key "$S2SCTL" validate readme.yaml >out 2>&1
is "the README's rollout file is valid" "$?" 0
[ "$failed" -eq 0 ] || cat out err

# What the README says of exit status and commands is what the program says.
"$S2SCTL" help >help
for command in validate plan apply rollback status ack show rehearse doctor schema help version; do
	has "help lists $command" "$(cat help)" "  $command"
done
exit "$failed"
