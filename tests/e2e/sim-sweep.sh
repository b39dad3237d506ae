#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sim-sweep.sh - the main rollout, by a bridge and by a person, with everything that can go wrong once, everywhere: it comes to the same
# end. That needs SIM, an optimised build, which `make check` makes; other builds play it undisturbed.
set -eu
if [ -n "${SIM:-}" ]; then
	exec "$SIM" --sweep
fi
"${B:?}/sim" --seed 1 --kind bridge
"$B/sim" --seed 1 --kind operator
