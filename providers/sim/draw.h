/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draw.h - a world, and the rollout file that belongs to it, from one number.
 *
 * The same seed and options give the same case, byte for byte. Everything is drawn: environments, what they share and wait for, who acts, which
 * connections there are, every live state, every switch of world.h on each side, clocks, data that is odd but legal, consumers nobody
 * declared, how people are, and what somebody else does meanwhile. Options fix parts, for benchmarks and sweeps.
 */
#pragma once
#include "providers/sim/case.h"

enum draw_kind {
	DRAW_ANYTHING,
	DRAW_BRIDGE,   /* one environment, JWT only, gates at their minimum, the bridge acts and finalize is the API's */
	DRAW_OPERATOR, /* the same, and a person does it all */
	DRAW_EVIDENCE, /* as by the bridge, and one of the things that spoil, hide or outdate evidence */
};
struct draw_options {
	enum draw_kind kind;
	bool back;           /* the user goes back at some moment; false: drawn, of a fixed kind never */
	bool nobody_else;    /* nobody changes anything meanwhile */
	bool people_are_good; /* at once, exactly, and as told */
	bool bridge_acts;    /* all systems are connected, and programs do what they can, finalize included */
	int live;            /* 1 + enum sim_live: that state for the first environment; 0: drawn */
};

/* The caller frees it. @o  NULL: anything */
struct sim_case *draw(uint64_t seed, const struct draw_options *o) MUST_USE;

/* The texts that a switch of world_switches() is drawn from, the default first; ends with NULL. Never fewer than two for a switch that draw knows. */
const char *const *draw_sides(const char *switch_name, struct arena *a) MUST_USE;
