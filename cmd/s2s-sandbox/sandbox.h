/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - what the server, the admin calls and main share: one world, its pace, the faults.
 *
 * All of it is used by one thread only.
 */
#pragma once
#include "cmd/s2s-sandbox/faults.h"
#include "cmd/s2s-sandbox/pace.h"
#include "cmd/s2s-sandbox/reqlog.h"
#include "core/base/sys.h"
#include "providers/world.h"

#include <stdio.h>

struct sandbox {
	const struct sys *sys;
	struct world *world;
	struct pace pace;
	struct faults *faults;
	struct reqlog *reqlog;
	FILE *log; /* a line of JSON for each request, or NULL */
};

/* Lets the world catch up with real time times speed. */
static inline void sandbox_catch_up(struct sandbox *box)
{
	world_advance(box->world, pace_now(&box->pace, sys_mono_ms(box->sys)));
}
