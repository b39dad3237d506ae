/* SPDX-License-Identifier: Apache-2.0 */
/* The way back: whether the file allows it, says it of failed gates, and whether the user goes it. From dice of its own. */
#include <inttypes.h>
#include <string.h>

#include "providers/sim/draw_private.h"

#define ONE_IN 6 /* cases in which the user goes back */

static const char *made_up(struct draft *d)
{
	return arena_printf(d->a, SIM_SECRET_PREFIX "sim-signing-%08" PRIx64,
			    dice_bits(&d->back) >> 32);
}

/* A key that is not the credential's lets nobody sign in: then nothing may be cancelled. */
static void choose_key(struct draft *d, struct drawn *x)
{
	const char *key = d->envs[x->shares].key;

	x->can_go_back = true;
	x->keeps_key = !draw_plain(d) && dice_one_in(&d->back, 8);
	x->file_key = key != NULL && !dice_one_in(&d->back, 10) ? key : made_up(d);
}

void draw_back(struct draft *d)
{
	struct dice *dice = &d->back;

	d->c->goes_back = d->o->back || (!draw_plain(d) && dice_one_in(dice, ONE_IN));
	for (size_t i = 0; i < d->count; i++) {
		struct drawn *x = &d->envs[i];
		bool wants = d->c->goes_back || (!draw_plain(d) && dice_one_in(dice, ONE_IN));

		/* Without a key the way back is refused: that too has to be seen. */
		if (!wants || (!draw_plain(d) && dice_one_in(dice, 12)))
			continue;
		choose_key(d, x);
		x->e.rolls_back = !draw_plain(d) && (!d->c->goes_back || dice_one_in(dice, 3));
	}
}

/* Nothing keeps the app from signing in once it is set back. */
static bool is_key_good(const struct draft *d, const struct drawn *x)
{
	if (!x->can_go_back) /* then it is refused, and goes on forward */
		return true;
	if (x->keeps_key)
		return strcmp(draw_switch(d, "key_retained"), "true") == 0;
	return x->key == NULL || strcmp(x->file_key, x->key) == 0;
}

/* One of several may be taken back, and the others wait for it. */
void draw_back_ends(struct draft *d, bool all_done)
{
	bool is_sure = all_done && d->count == 1 && is_key_good(d, &d->envs[0]);
	bool any = d->c->goes_back;

	for (size_t i = 0; i < d->count; i++)
		any = any || d->envs[i].e.rolls_back;
	for (size_t i = 0; i < d->count; i++) {
		struct sim_env *e = &d->envs[i].e;

		if (e->end == END_DONE && any)
			e->end = is_sure ? END_EITHER : END_ANY;
		/* Forward it is refused; back it may be brought where it was. */
		if (e->live == LIVE_APP_AHEAD && e->end == END_ALONE && d->c->goes_back)
			e->end = END_ANY;
	}
}
