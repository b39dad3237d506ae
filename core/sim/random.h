/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.h - numbers that look random and are the same for the same seed, everywhere and for ever.
 *
 * SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014). Each part of a simulation draws
 * from a stream of its own, so that one draw more in one part does not change what all others draw.
 */
#pragma once
#include "core/base/base.h"

struct sim_random {
	uint64_t state;
};

static inline uint64_t sim_random_next(struct sim_random *r)
{
	uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A stream of its own: the same seed and number give the same stream. */
static inline struct sim_random sim_random_stream(uint64_t seed, uint64_t number)
{
	struct sim_random r = { seed ^ (number * UINT64_C(0xd1b54a32d192ed03)) };

	r.state = sim_random_next(&r);
	return r;
}

/* From lo to hi, both included; lo when hi is not above it. (The bias of a remainder matters to nobody here.) */
static inline int64_t sim_random_between(struct sim_random *r, int64_t lo, int64_t hi)
{
	return hi <= lo ? lo : lo + (int64_t)(sim_random_next(r) % (uint64_t)(hi - lo + 1));
}

/* True in one of n cases, on average; never for 0. */
static inline bool sim_random_one_in(struct sim_random *r, unsigned n)
{
	return n && sim_random_next(r) % n == 0;
}
