#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sim-seeds.sh - random cases of the simulation: no invariant is violated.
#
# With SIM, an optimised build (`make check` makes it): 5,000 seeds (SIM_SEEDS; 20,000 take a quarter of an hour on two cores, and all that runs
# for a change has forty minutes), and before them 1,000 that are about evidence. Without it, this build's own: 1,000 seeds. Which trouble came to which step is asked by `sim --coverage`, over
# more seeds than these.
set -eu
if [ -n "${SIM:-}" ]; then
	"$SIM" --seeds 1000 --kind evidence
	exec "$SIM" --seeds "${SIM_SEEDS:-5000}"
fi
exec "${B:?}/sim" --seeds 1000
