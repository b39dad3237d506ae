/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace.h - how real time becomes the world's time.
 *
 * The world's clock starts where the world document says, runs `speed` times as fast as ours and
 * jumps when an admin call says so. Pure: real time (monotonic) is handed in. Never goes back.
 */
#pragma once
#include "core/base/base.h"

#define PACE_SPEED_MAX INT64_C(1000000)

struct pace {
	int64_t world_ms; /* the world's time ... */
	int64_t mono_ms;  /* ... at this real one */
	int64_t speed;    /* 0: time moves by jumps alone */
};

static inline int64_t pace_now(const struct pace *p, int64_t mono_ms)
{
	return p->world_ms + (mono_ms - p->mono_ms) * p->speed;
}

static inline void pace_jump(struct pace *p, int64_t mono_ms, int64_t to_world_ms)
{
	p->world_ms = to_world_ms;
	p->mono_ms = mono_ms;
}
