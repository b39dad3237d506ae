/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clocks.h - the servers' clocks, as their Date headers tell them.
 *
 * Evidence time is a server's time carried on by the local monotonic clock, so a local clock that is wrong, or set back
 * while a run waits, moves no gate. Before any server has spoken it is the local wall clock.
 */
#pragma once
#include "core/base/sys.h"

#define CLOCKS_MAX 32
struct clocks {
	const struct sys *sys; /* borrowed */
	struct clock_reading {
		char system[160];
		int64_t offset_ms; /* server's time minus mono */
		int64_t mono_ms;   /* when it was read */
	} by[CLOCKS_MAX];
	size_t count, latest;
};

void clocks_note(struct clocks *c, const char *system, int64_t date_ms); /* 0 is ignored */
int64_t clocks_now(const struct clocks *c);                             /* evidence time */
/*
 * Largest difference between any two servers' clocks, of those heard within the last age_ms; INT64_MAX: of all. A server that fell
 * silent is not one whose clock is right: before what it last said is left aside, it has to be asked again.
 */
int64_t clocks_skew(const struct clocks *c, int64_t age_ms);
