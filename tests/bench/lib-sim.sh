# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154  # sourced by bench.sh, which has all that is not defined here
# lib-sim.sh - whole simulated rollouts a second: each runs drawing, engine, providers, twins, journal and judge, and at the end the plan that finds nothing to do.

part "Simulated rollouts a second of processor time, on one core (each the mean of 400)"
"$B/sim" --bench 400 >"$tmp/sim" 2>"$tmp/run.err" || fail "a simulated rollout does not end"
# sim_row WORD NAME AIM: the line of `sim --bench` that begins with WORD
sim_row() { value "$2" "$(awk -v w="$1" '$1 == w { print $2 }' "$tmp/sim")" "$3"; }
sim_row bytes "bytes encoded and parsed on both sides" "200"
sim_row values "bodies passed as values" "1,000"
# "158.0 exchanges, 48.0 journal records, 5.0 commands each"
sed -n '1s/.*rollouts\/s *//p' "$tmp/sim" | tr ',' '\n' | sed 's/ each$//' | while read -r n what; do value "$what, each" "$n"; done
