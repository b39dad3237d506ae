/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/sim/hand.h"

#include <string.h>

#include "providers/sim/judge.h"
#include "providers/world.h"

int64_t hand_next(const struct hand *h)
{
	return h->next < h->c->act_count ? h->c->acts[h->next].at : INT64_MAX;
}

void hand_act(struct hand *h, struct world *w)
{
	while (hand_next(h) <= world_now(w)) {
		const struct value *what = h->c->acts[h->next++].what;
		struct err refused = ERR_INIT;

		if (world_do(w, what, &refused) == 0 && h->j != NULL &&
		    strcmp(value_text_or(value_get(what, "do"), ""), "fail-workflow") == 0)
			judge_failed_by_hand(h->j, value_text_or(value_get(what, "instance"), ""));
	}
}
