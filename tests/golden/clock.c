/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c - the operating system that a case sees: a clock that moves only for those who wait, chance that counts.
 */
#include <stdarg.h>
#include <string.h>

#include "core/base/value.h"
#include "core/base/when.h"
#include "tests/golden/golden.h"

#define RUN_MAX (60 * WHEN_DAY)

static int64_t wall_ms(void *ctx)
{
	return ((struct outside *)ctx)->wall_ms;
}

static int64_t mono_ms(void *ctx)
{
	return ((struct outside *)ctx)->mono_ms;
}

/* A number that grows by one each time, so that ids are readable and never the same. */
static void count_up(void *ctx, void *buf, size_t len)
{
	struct outside *o = ctx;
	unsigned char *to = buf;
	uint64_t n = ++o->chance;

	memset(buf, 0, len);
	for (size_t i = len; i-- > 0 && n; n >>= 8)
		to[i] = (unsigned char)(n & 0xff);
}

static const char *from_env(void *ctx, const char *name)
{
	return value_text(value_get(((struct outside *)ctx)->env, name));
}

static int signals(void *ctx)
{
	const struct outside *o = ctx;
	int n = o->signals;

	for (size_t i = 0; i < ARRAY_LEN(o->signal_after); i++)
		n += o->signal_after[i] && o->exchanges >= o->signal_after[i];
	return n;
}

void outside_init(struct outside *o, struct sb *problems)
{
	*o = (struct outside){
		.arena = ARENA_INIT,
		.sys = { .ctx = o,
			 .wall_ms = wall_ms,
			 .mono_ms = mono_ms,
			 .random = count_up,
			 .getenv = from_env,
			 .signalled = signals },
		.wall_ms = INT64_C(1795428000000), /* 2026-11-23T10:00:00Z */
		.mono_ms = WHEN_HOUR,
		.problems = problems,
	};
	o->env = value_map(&o->arena);
}

void outside_done(struct outside *o)
{
	arena_done(&o->arena);
}

void outside_pass(struct outside *o, int64_t ms)
{
	o->wall_ms += ms;
	o->mono_ms += ms;
	if (o->mono_ms - o->run_began_mono > RUN_MAX)
		give_up(o, "one run took longer than 60 days");
}

void problem(struct outside *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sb_addv(o->problems, fmt, ap);
	va_end(ap);
	sb_addc(o->problems, '\n');
}
