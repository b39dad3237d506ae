#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sim-seeds.sh - random cases of the simulation: no invariant is violated, and every kind of trouble came to every step.
#
# With SIM, an optimised build (`make check` makes it): 20,000 seeds (SIM_SEEDS) of anything, and before them 1,000 that are about evidence. Without it,
# this build's own: 1,000 seeds, too few for each step to meet each trouble.
set -eu
if [ -n "${SIM:-}" ]; then
	"$SIM" --seeds 1000 --kind evidence
	exec "$SIM" --seeds "${SIM_SEEDS:-20000}" --coverage
fi
exec "${B:?}/sim" --seeds 1000
