/* SPDX-License-Identifier: Apache-2.0 */
/* A restart by hand: stop what runs, wait until it shows STOPPED, wait a minute, start it again, wait until it runs. */
#include <string.h>

#include "core/base/when.h"
#include "providers/sim/person_private.h"

#define LOOKS_EVERY (30 * WHEN_SECOND)
#define PATIENCE (2 * WHEN_HOUR)

static bool press(struct person *p, const struct app *app, size_t flow, const char *act,
		  struct arena *a)
{
	struct value *form = value_map(a);

	value_set(a, form, "workflow", value_string(a, app->flows[flow].name));
	value_set(a, form, "act", value_string(a, act));
	return page_post(p, arena_printf(a, "/pages/app/%s/workflows", app->instance), form, a);
}

static const char *status(struct person *p, const struct app *app, size_t flow, struct arena *a)
{
	const char *page =
		page_get(p, arena_printf(a, "/pages/app/%s/workflows", app->instance), a);
	const char *s = page_attribute(page, arena_printf(a, "workflow-%s", app->flows[flow].name),
				       "status", a);

	return s != NULL ? s : "";
}

void restart_begin(struct person *p, struct errand *x, const struct instruction *in,
		   struct app *app, struct arena *a)
{
	bool all = false, none = false;

	for (size_t i = 0; i < ARRAY_LEN(in->lines) && in->lines[i] != NULL; i++) {
		all = all || strcmp(in->lines[i], "Start all three.") == 0;
		none = none || strncmp(in->lines[i], "Leave all of them stopped", 25) == 0;
	}
	x->app = app;
	x->began = world_now(p->w);
	x->until = x->began + PATIENCE;
	for (size_t i = 0; i < WF_COUNT; i++) {
		const char *s = status(p, app, i, a);

		x->before[i] = world_text(p->w, s);
		x->ran[i] = strcmp(s, "STOPPED") != 0;
		x->starts[i] = !none && (all || x->ran[i]);
		if (x->ran[i])
			(void)press(p, app, i, "stop", a);
	}
	x->stage = RESTART_STOPPING;
	x->next = world_now(p->w) + LOOKS_EVERY;
	if (p->j != NULL)
		judge_busy(p->j, x->env->name, true);
}

static bool all_stopped(struct person *p, struct errand *x, struct arena *a)
{
	bool all = true;

	for (size_t i = 0; i < WF_COUNT; i++) {
		bool runs = x->ran[i] && strcmp(status(p, x->app, i, a), "STOPPED") != 0;

		/* Somebody started it again: the page offers Stop once more. */
		if (runs && !x->app->flows[i].stopping)
			(void)press(p, x->app, i, "stop", a);
		all = all && !runs;
	}
	return all;
}

static bool all_run(struct person *p, struct errand *x, struct arena *a)
{
	bool all = true;

	for (size_t i = 0; i < WF_COUNT; i++) {
		const char *s = status(p, x->app, i, a);

		if (!x->starts[i] || strcmp(s, "RUNNING") == 0 || strcmp(s, "FAILED") == 0)
			continue;
		if (strcmp(s, "STOPPED") == 0)
			(void)press(p, x->app, i, "start", a);
		all = false;
	}
	return all;
}

static void finish(struct person *p, struct errand *x)
{
	x->stage = RESTART_DONE;
	x->next = INT64_MAX;
	x->restarted = x->app->saved;
	if (p->j != NULL)
		judge_busy(p->j, x->env->name, false);
}

void restart_go_on(struct person *p, struct errand *x)
{
	struct arena a = ARENA_INIT;

	x->next = world_now(p->w) + LOOKS_EVERY;
	if (x->stage == RESTART_STOPPING && all_stopped(p, x, &a)) {
		x->stopped = world_now(p->w);
		x->stage = RESTART_PAUSE;
		x->next = x->stopped + WHEN_MINUTE + LOOKS_EVERY;
	} else if (x->stage == RESTART_PAUSE || x->stage == RESTART_STARTING) {
		bool run = all_run(p, x, &a);

		x->stage = RESTART_STARTING;
		if (run || world_now(p->w) > x->until)
			finish(p, x);
	}
	arena_done(&a);
}
