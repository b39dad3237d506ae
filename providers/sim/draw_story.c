/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases that are about evidence: what seldom comes together in a world drawn at random, and is all that stands between a careless program and a
 * deleted credential. Each is a plain case by the bridge with one thing the matter.
 */
#include <inttypes.h>
#include <string.h>

#include "providers/sim/draw_private.h"

#define DAY_ENDS (DRAW_START + WHEN_DAY) /* of quiet: the restart comes minutes after the start */

void draw_story(struct draft *d)
{
	d->story = (enum draw_story)dice_below(&d->dice, STORY_COUNT);
}

static const char *one_of(struct draft *d, const char *const *texts, size_t count)
{
	return texts[dice_below(&d->dice, count)];
}

void draw_story_switches(struct draft *d)
{
	static const char *const lags[] = { "0s", "4m", "10m" };
	static const char *const cards[] = { "second", "minute", "day" };
	static const char *const clocks[] = { "skew.console", "skew.ims", "skew.bridge" };
	static const char *const off[] = { "7m", "-6m", "9m" };
	bool shown = d->story != STORY_READINGS && !dice_one_in(&d->dice, 3);

	draw_switch_set(d, "usage_lag", one_of(d, lags, ARRAY_LEN(lags)));
	draw_switch_set(d, "jwt_in_usages", shown ? "true" : "false");
	if (d->story == STORY_READINGS)
		draw_switch_set(d, "card_precision", one_of(d, cards, ARRAY_LEN(cards)));
	if (d->story != STORY_CLOCKS)
		return;
	draw_switch_set(d, one_of(d, clocks, ARRAY_LEN(clocks)), one_of(d, off, ARRAY_LEN(off)));
	d->is_skewed = true;
}

void draw_story_people(struct draft *d)
{
	if (d->story != STORY_READINGS)
		return;
	d->c->people.delay_max = dice_between(&d->dice, 0, 20) * WHEN_MINUTE;
	d->c->people.stale = dice_one_in(&d->dice, 3) ? 2 : 0;
}

/* Nothing is meant to run, and where the app has been switched before, nothing has since. */
static void stand_still(struct draft *d, struct drawn *x)
{
	x->e.workflows = "stopped";
	x->reads_as_itself = true;
	if (!dice_one_in(&d->dice, 2))
		return;
	x->e.live = LIVE_STARTED_SWITCHED;
	x->is_unused = x->has_secret = true;
	for (size_t i = 0; i < ARRAY_LEN(x->flows); i++)
		x->flows[i] = "STOPPED";
}

void draw_story_env(struct draft *d, struct drawn *x)
{
	if (d->story == STORY_STANDS_STILL)
		stand_still(d, x);
	else
		x->reads_as_itself = dice_one_in(&d->dice, 6);
	if (dice_one_in(&d->dice, 2))
		x->e.canary = "00000000-0000-0000-0000-000000000003";
	if (d->story == STORY_CONSUMER)
		x->consumer = dice_one_in(&d->dice, 2) ? CONSUMER_JWT : CONSUMER_JWT_ENDS;
}

static struct value *use_jwt(struct draft *d, const struct drawn *x)
{
	struct value *v = draw_act(d, "mint");

	draw_set(d, v, "client_id", "%s", x->e.client_id);
	draw_set(d, v, "grant", "jwt");
	return v;
}

static struct value *set_back(struct draft *d, const struct drawn *x)
{
	struct value *v = draw_act(d, "save-settings");

	draw_set(d, v, "instance", "%s", x->e.instance);
	draw_set(d, v, "auth_type", "jwt");
	draw_set(d, v, "client_id", "%s", x->e.client_id);
	draw_set(d, v, "private_key", "%s", draw_secret(d, "key"));
	return v;
}

static struct value *cancel(struct draft *d, const struct drawn *x)
{
	struct value *v = draw_act(d, "cancel-migration");

	draw_set(d, v, "credential", "%s", x->e.credential_id);
	return v;
}

/* Settings that are saved and not yet in use any time after the restart; the rest when it matters most. */
void draw_story_acts(struct draft *d)
{
	const struct drawn *x = &d->envs[0];
	int64_t late = DAY_ENDS + dice_between(&d->dice, -20, 100) * WHEN_MINUTE;
	int64_t any = DRAW_START + dice_between(&d->dice, 15, 1500) * WHEN_MINUTE;

	if (d->story == STORY_READINGS) {
		draw_act_add(d, dice_one_in(&d->dice, 3) ? any : late, use_jwt(d, x));
		return;
	}
	if (d->story != STORY_LAST_HOUR)
		return;
	switch (dice_below(&d->dice, 4)) {
	case 0:
	case 1:
		draw_act_add(d, late, use_jwt(d, x));
		return;
	case 2:
		draw_act_add(d, any, set_back(d, x));
		return;
	default:
		draw_act_add(d, late, cancel(d, x));
	}
}
