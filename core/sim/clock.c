/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sim/clock.h"

#define MONO_STARTS INT64_C(1000000) /* anywhere: nobody may take it for a time of day */
#define STREAM_BYTES 1

static int64_t wall_ms(void *ctx)
{
	const struct sim_clock *c = ctx;

	return c->now_ms + c->wall_offset_ms;
}

/* Goes on from process to process, as a machine's does from boot to boot. */
static int64_t mono_ms(void *ctx)
{
	const struct sim_clock *c = ctx;

	return c->now_ms - MONO_STARTS;
}

static void random_bytes(void *ctx, void *buf, size_t len)
{
	struct sim_clock *c = ctx;
	unsigned char *out = buf;
	uint64_t left = 0;

	for (size_t i = 0; i < len; i++) {
		if (i % 8 == 0)
			left = sim_random_next(&c->random);
		out[i] = (unsigned char)left;
		left >>= 8;
	}
}

static const char *get_env(void *ctx, const char *name)
{
	const struct sim_clock *c = ctx;

	return value_text(value_get(c->env, name));
}

static int signalled(void *ctx)
{
	const struct sim_clock *c = ctx;

	return c->killed ? 2 : c->signals;
}

void sim_clock_init(struct sim_clock *c, int64_t now_ms, uint64_t seed)
{
	*c = (struct sim_clock){
		.sys = { .ctx = c,
			 .wall_ms = wall_ms,
			 .mono_ms = mono_ms,
			 .random = random_bytes,
			 .getenv = get_env,
			 .signalled = signalled },
		.now_ms = now_ms,
		.random = sim_random_stream(seed, STREAM_BYTES),
	};
}

void sim_clock_start_process(struct sim_clock *c)
{
	c->signals = 0;
	c->killed = false;
}
