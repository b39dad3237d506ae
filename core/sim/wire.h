/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - a transport in virtual time: from the engine to a scene and back, with everything that can go wrong in between.
 *
 * Each exchange has three instants: it is sent, the other side acts, the answer is there. `next` moves true time to the earliest of: an answer that is
 * due, whatever else is due (a person's doing), the timeout given; on the way the scene's own events happen in order. Requests and answers are bytes (http_text.h);
 * with `values` bodies pass as values, which is faster and leaves the bytes of requests unheard and troubles that need bytes (stale, truncated as text) out.
 */
#pragma once
#include "core/api/transport.h"
#include "core/sim/clock.h"
#include "core/sim/scene.h"
#include "core/sim/trouble.h"

struct sim_wire_options {
	const struct scene *scene;
	struct sim_clock *clock;
	struct troubles *troubles;
	uint64_t seed;
	bool values;
	/* What else is due: when (INT64_MAX: nothing), and doing it. Both NULL: nothing ever. */
	int64_t (*due)(void *ctx);
	void (*fire)(void *ctx);
	void *due_ctx;
};
struct sim_wire; /* opaque */
struct sim_wire *sim_wire_new(const struct sim_wire_options *o) MUST_USE;
void sim_wire_free(struct sim_wire *w);
const struct transport *sim_wire_transport(struct sim_wire *w);

void sim_wire_start_process(struct sim_wire *w);            /* what a dead one had under way is forgotten, secrets of its answers too */
void sim_wire_sleep_until(struct sim_wire *w, int64_t ms);  /* true time, without any program running */
void sim_wire_catch_up(struct sim_wire *w);                 /* brings the scene to the clock's now; by itself it may lie behind while nothing happens in it */
uint64_t sim_wire_exchanges(const struct sim_wire *w);      /* sent so far */
