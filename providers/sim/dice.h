/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dice.h - what decides when nothing else does: numbers that are the same for one seed, on every machine.
 *
 * splitmix64. Each part of a simulation rolls its own dice, so that one that rolls more often does not change what another one gets.
 */
#pragma once
#include "core/base/base.h"

struct dice {
	uint64_t state;
};

static inline struct dice dice_new(uint64_t seed, uint64_t part)
{
	return (struct dice){ (seed + 1) * UINT64_C(0xd1342543de82ef95) ^ (part + 1) * UINT64_C(0x9e3779b97f4a7c15) };
}

static inline uint64_t dice_bits(struct dice *d)
{
	uint64_t z = (d->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 to n - 1; n is at least 1. */
static inline size_t dice_below(struct dice *d, size_t n)
{
	return (size_t)(dice_bits(d) % n);
}

/* from to to, both included. */
static inline int64_t dice_between(struct dice *d, int64_t from, int64_t to)
{
	return from + (int64_t)(dice_bits(d) % (uint64_t)(to - from + 1));
}

static inline bool dice_one_in(struct dice *d, size_t n)
{
	return dice_below(d, n) == 0;
}
