/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys.h - what the operating system knows, handed in.
 *
 * Nothing below cmd/ asks for the time, for random bytes or for the environment by itself, so the
 * same engine runs in real time, in scaled time and in virtual time. Waiting is the transport's: it is the only thing that blocks.
 */
#pragma once
#include "core/base/base.h"

struct sys {
	void *ctx;
	int64_t (*wall_ms)(void *ctx);  /* since 1970 UTC; may jump */
	int64_t (*mono_ms)(void *ctx);  /* never goes back; starts anywhere */
	void (*random)(void *ctx, void *buf, size_t len);
	const char *(*getenv)(void *ctx, const char *name); /* NULL when unset */
	int (*signalled)(void *ctx);    /* signals received so far asking to stop: 0, 1, 2... */
};
static inline int64_t sys_wall_ms(const struct sys *s) { return s->wall_ms(s->ctx); }
static inline int64_t sys_mono_ms(const struct sys *s) { return s->mono_ms(s->ctx); }
