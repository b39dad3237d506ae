/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the machine that the simulated program runs on: its clocks, its random bytes, its environment, its signals, its death.
 *
 * `now_ms` is true time, ms since 1970 UTC; whoever moves it (drive.c, wire.c) moves the scene first. The wall clock may be wrong
 * by any offset and may jump; the monotonic one never does either. A program that was killed cannot notice it: it goes on
 * in this process, but nothing that it does gets out any more, and signalled() says 2, so that it unwinds at once.
 */
#pragma once
#include "core/base/sys.h"
#include "core/base/value.h"
#include "core/sim/random.h"

struct sim_clock {
	struct sys sys;               /* to be handed to the engine; sys.ctx is this struct, so it must not move */
	int64_t now_ms;               /* true time */
	int64_t wall_offset_ms;       /* how far the wall clock is ahead of it */
	struct sim_random random;     /* what sys.random gives */
	const struct value *env;      /* map: environment variables; borrowed; NULL: none */
	int signals;                  /* received so far by the running program */
	bool killed;
};

void sim_clock_init(struct sim_clock *c, int64_t now_ms, uint64_t seed);
/* A new process on the same machine. */
void sim_clock_start_process(struct sim_clock *c);
