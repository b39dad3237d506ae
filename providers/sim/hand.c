/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/sim/hand.h"

#include "providers/world.h"

int64_t hand_next(const struct hand *h)
{
	return h->next < h->c->act_count ? h->c->acts[h->next].at : INT64_MAX;
}

void hand_act(struct hand *h, struct world *w)
{
	while (hand_next(h) <= world_now(w)) {
		struct err refused = ERR_INIT;

		(void)!world_do(w, h->c->acts[h->next++].what, &refused);
	}
}
