/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switches of a drawn world: every one, on each side. A switch that is new in world.c is drawn at once when it is a yes or no, or words;
 * one that counts or lasts has to be given its values here.
 */
#include <string.h>

#include "providers/sim/draw_private.h"
#include "providers/world.h"

/*
 * Values beside the default. What is documented stays within its documentation: last uses show within ten minutes, a token lives a day at most.
 */
static const struct {
	const char *name, *values[5];
} numbers[] = {
	{ "usage_lag", { "0s", "4m" } },
	{ "refused_status", { "409", "500" } },
	{ "token_life", { "12h", "23h" } },
	{ "mint_lag", { "30s", "4m" } },
	{ "workflow_start", { "5s", "6m" } },
	{ "workflow_stop", { "2s", "5m" } },
	{ "mint_after", { "0s", "5m" } },
	{ "campaign_lag", { "5s", "15m" } },
	{ "app_token_margin", { "0s", "1h" } },
	{ "big_table", { "2", "50" } },
	{ "oops_status", { "502" } },
	{ "entra_error_status", { "400" } },
	{ "skew.console", { "45s", "-90s", "7m" } },
	{ "skew.ims", { "-30s", "2m", "-6m" } },
	{ "skew.bridge", { "70s", "-2m", "9m" } },
	{ "skew.campaign", { "-100s", "20s" } },
	{ "skew.dynamics", { "80s", "-1m" } },
	{ "rate.console", { "30", "400" } },
	{ "rate.ims", { "20", "300" } },
	{ "rate.bridge", { "25", "300" } },
	{ "rate.campaign", { "20", "250" } },
	{ "rate.dynamics", { "20", "250" } },
};
/* A world in which nobody may do anything teaches little: drawn off their defaults seldom. */
static const char *const seldom[] = { "secrets_api",       "status_api",    "finalize_api",
				      "console_api",       "jwt_exchange",  "after_status",
				      "own_token_console", "ext_published", "auto_mark",
				      "numbers_for_bools" };

const char *const *draw_sides(const char *switch_name, struct arena *a)
{
	size_t count, n = 0;
	const struct world_switch *all = world_switches(&count), *s = NULL;
	const char **sides = arena_array(a, 16, sizeof(*sides));

	for (size_t i = 0; i < count; i++) {
		if (strcmp(all[i].name, switch_name) == 0)
			s = &all[i];
	}
	if (s == NULL)
		return sides;
	sides[n++] = s->otherwise;
	if (s->kind == SWITCH_BOOL)
		sides[n++] = strcmp(s->otherwise, "true") == 0 ? "false" : "true";
	for (const char *w = s->words; w != NULL && *w != '\0';) {
		size_t len = strcspn(w, "|");
		const char *word = arena_strndup(a, w, len);

		if (strcmp(word, s->otherwise) != 0)
			sides[n++] = word;
		w += len;
		w += *w == '|' ? 1 : 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		for (size_t k = 0; strcmp(numbers[i].name, switch_name) == 0 &&
				   k < ARRAY_LEN(numbers[i].values) && numbers[i].values[k] != NULL;
		     k++)
			sides[n++] = numbers[i].values[k];
	}
	return sides;
}

static bool is_seldom(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(seldom); i++) {
		if (strcmp(seldom[i], name) == 0)
			return true;
	}
	return false;
}

/* "skew.console" is a key of a map in the document. */
void draw_switch_set(struct draft *d, const char *name, const char *text)
{
	const char *dot = strchr(name, '.');
	struct value *map = d->switches;

	if (dot != NULL) {
		const char *group = arena_strndup(d->a, name, (size_t)(dot - name));
		const struct value_pair *have = value_get_pair(d->switches, group);

		map = have != NULL ? have->val : value_map(d->a);
		if (have == NULL)
			value_set(d->a, d->switches, group, map);
		name = dot + 1;
	}
	value_set(d->a, map, name, value_string(d->a, text));
}

const char *draw_switch(const struct draft *d, const char *name)
{
	const char *text = value_text(value_path(d->switches, name));
	size_t count;
	const struct world_switch *all = world_switches(&count);

	for (size_t i = 0; text == NULL && i < count; i++) {
		if (strcmp(all[i].name, name) == 0)
			text = all[i].otherwise;
	}
	return text;
}

static bool is_far(const char *skew)
{
	return strcmp(skew, "7m") == 0 || strcmp(skew, "-6m") == 0 || strcmp(skew, "9m") == 0;
}

/* Clocks in most worlds are right; where they are not, one is far off at most, which is enough to spoil evidence. */
static void draw_one(struct draft *d, const struct world_switch *s, bool skewed)
{
	const char *const *sides = draw_sides(s->name, d->a);
	bool is_skew = strncmp(s->name, "skew.", 5) == 0,
	     is_rate = strncmp(s->name, "rate.", 5) == 0;
	size_t count = 0;
	const char *text;

	while (sides[count] != NULL)
		count++;
	if (count < 2 || (is_skew && !skewed) ||
	    !dice_one_in(&d->dice, is_seldom(s->name) || is_rate ? 16 : 3))
		return;
	text = sides[1 + dice_below(&d->dice, count - 1)];
	if (is_skew && is_far(text)) {
		if (d->is_skewed || !dice_one_in(&d->dice, 6))
			return;
		d->is_skewed = true;
	}
	draw_switch_set(d, s->name, text);
}

void draw_switches(struct draft *d)
{
	size_t count;
	const struct world_switch *all = world_switches(&count);
	bool skewed = dice_one_in(&d->dice, 3);

	d->switches = value_map(d->a);
	value_set(d->a, d->world, "switches", d->switches);
	/* Where the bridge does everything, nobody has to be asked for anything. */
	if (d->o->kind == DRAW_BRIDGE)
		draw_switch_set(d, "jwt_in_usages", "true");
	if (d->o->kind == DRAW_EVIDENCE)
		draw_story_switches(d);
	if (draw_plain(d))
		return;
	for (size_t i = 0; i < count; i++)
		draw_one(d, &all[i], skewed);
}
