/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hand.h - somebody else, who changes the console and the app meanwhile, at the times of the case.
 */
#pragma once
#include "providers/sim/case.h"

struct world;
struct judge;
struct hand {
	const struct sim_case *c;
	struct judge *j; /* is told what leaves no write; or NULL */
	size_t next;
};

int64_t hand_next(const struct hand *h);          /* INT64_MAX: never again */
void hand_act(struct hand *h, struct world *w);   /* all that is due at the world's time; what a system refuses did not happen */
