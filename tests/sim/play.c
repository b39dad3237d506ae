/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/play.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "providers/registry.h"
#include "providers/sim/stage.h"
#include "tests/sim/workers.h"

#define STREAM_PLAY 100

static const struct value *vars_of(const struct sim_case *c, struct arena *a)
{
	struct value *map = value_map(a);

	for (size_t i = 0; i < c->var_count; i++)
		value_set(a, map, c->vars[i].name, value_string(a, c->vars[i].text));
	return map;
}

static const struct drive_text *secrets_of(const struct sim_case *c, struct arena *a)
{
	struct drive_text *list = arena_array(a, c->secret_count + 1, sizeof(*list));

	for (size_t i = 0; i < c->secret_count; i++)
		list[i] = (struct drive_text){ c->secrets[i].name, c->secrets[i].text };
	return list;
}

/*
 * How much goes wrong, where, and what, is the seed's as well: nothing in one of eight cases. Most of it is aimed at one step, since nearly all requests
 * are for plans and would have nearly all the trouble; and most of that is of one kind, since records are many and requests few in a step.
 */
struct mishaps {
	unsigned troubles, gap;
	const char *aim; /* NULL: anywhere */
	enum trouble only;
};

/* Steps that only the way back has. One that is missing here shows as empty cells in the table of coverage. */
static bool is_back(const char *step)
{
	static const char *const steps[] = { "console.migration/cancel",
					     "console.usage/app-uses-jwt",
					     "console.usage/oauth-quiet",
					     "console.usage/still-mints-jwt",
					     "app.settings/switch-back" };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (strcmp(steps[i], step) == 0)
			return true;
	return false;
}

/* Those that few rollouts have, or that few get to, have more chances. */
static const char *draw_step(struct sim_random *r)
{
	const char *step;
	size_t count = 1;

	while (step_name(count))
		count++;
	do
		step = step_name(
			(size_t)sim_random_between(r, 1, (int64_t)count - 1)); /* 0: planning */
	while (!is_back(step) && strcmp(step, "dynamics.canary/touch") != 0 &&
	       sim_random_one_in(r, 2));
	return step;
}

static struct mishaps draw_mishaps(const struct play *p)
{
	struct sim_random r = sim_random_stream(p->seed, STREAM_PLAY);
	struct mishaps m = { 0 };

	if (p->calm || p->fixed_count || sim_random_one_in(&r, 8))
		return m;
	m.troubles = (unsigned)sim_random_between(&r, 1, 8);
	if (sim_random_one_in(&r, 3)) {
		m.gap = (unsigned)sim_random_between(&r, 3, 60);
		return m;
	}
	m.gap = (unsigned)sim_random_between(&r, 1, 3);
	m.aim = draw_step(&r);
	if (!sim_random_one_in(&r, 4))
		m.only = (enum trouble)sim_random_between(&r, TROUBLE_NONE + 1, TROUBLE_COUNT - 1);
	if (m.only && trouble_kinds[m.only].place == AT_PUT)
		m.aim = NULL; /* one step stores secrets */
	return m;
}

/*
 * What keeps rollouts from getting to the step that is aimed at stays out of the way, mostly: the user goes back for a step of the way back, in half of
 * the cases nobody errs or meddles, in half programs do what they can, and in most it begins at the beginning.
 */
static struct sim_case *draw_case(const struct play *p)
{
	const char *aim = draw_mishaps(p).aim;
	struct draw_options o = p->draw;

	if (aim) {
		o.back = o.back || is_back(aim);
		o.nobody_else = o.people_are_good = p->seed % 2 == 1;
		o.bridge_acts = p->seed % 4 < 2;
		o.live = p->seed % 8 && !o.live ? 1 + LIVE_JWT_ONLY : o.live;
	}
	return draw(p->seed, &o);
}

static void set_mishaps(const struct play *p, struct drive_case *d)
{
	struct mishaps m = draw_mishaps(p);

	d->fixed = p->fixed;
	d->fixed_count = p->fixed_count;
	d->troubles = m.troubles;
	d->gap = m.gap;
	d->aim = m.aim;
	d->only = m.only;
}

static bool stage_it(const struct sim_case *c, struct stage **ret, struct drive_result *r)
{
	struct err err = ERR_INIT;

	*ret = stage_new(c, &err);
	if (*ret)
		return true;
	*r = (struct drive_result){ .told = SB_INIT(1),
				    .journal = SB_INIT(1),
				    .inbox = SB_INIT(1) };
	r->violation = arena_printf(&r->arena, "(z) the world that was drawn is none: %s", err.msg);
	return false;
}

void play_case(const struct play *p, struct drive_result *ret)
{
	CLEANUP(sim_case_freep) struct sim_case *c = draw_case(p);
	CLEANUP(stage_freep) struct stage *s = NULL;
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct drive_case d = {
		.registry = &registry_all,
		.rollout = c->rollout,
		.vars = vars_of(c, &a),
		.secrets = secrets_of(c, &a),
		.secret_count = c->secret_count,
		.seed = p->seed,
		.person_delay_ms = c->people.delay_max,
		.values = p->values,
		.calm = p->calm,
		.goes_back = c->goes_back,
		.is_told = p->is_told,
	};

	if (!stage_it(c, &s, ret))
		return;
	d.scene = stage_scene(s);
	set_mishaps(p, &d);
	drive_play(&d, ret);
}

static void tell_case(const struct play *p)
{
	CLEANUP(sim_case_freep) struct sim_case *c = draw_case(p);

	printf("---- rollout file ----\n%s\n", c->rollout);
	for (size_t i = 0; i < c->env_count; i++)
		printf("%s: %s, should end: %s\n", c->envs[i].name, sim_live_name(c->envs[i].live),
		       sim_end_name(c->envs[i].end));
}

static void tell_troubles(const struct troubles *t)
{
	CLEANUP(sb_done) struct sb schedule = SB_INIT(65536);

	troubles_schedule(t, &schedule);
	printf("---- what went wrong ----\n");
	for (size_t i = 0; i < t->past_count; i++) {
		const struct trouble_past *w = &t->past[i];
		char when[WHEN_TEXT_MAX];

		printf("%s  %s:%" PRIu64 " (%s) in %s: %s\n", when_text(when, w->at_ms),
		       trouble_kinds[w->kind].name, w->n, trouble_kinds[w->kind].doc, w->step,
		       w->what);
	}
	printf("schedule: %s\n", schedule.buf);
}

bool play_tell(const struct play *p)
{
	struct play told = *p;
	struct drive_result r;
	bool sound;

	told.is_told = true;
	tell_case(p);
	play_case(&told, &r);
	printf("---- what happened ----\n%s", r.told.buf);
	printf("---- journal ----\n%s---- inbox ----\n%s", r.journal.buf, r.inbox.buf);
	tell_troubles(&r.troubles);
	printf("---- end ----\nexit %d, plan afterwards %d, %u commands (%u killed), %" PRIu64
	       " exchanges, %" PRIu64 " records, %" PRIu64 " answers of people (%" PRIu64
	       " refused)\nverdict: %s\n",
	       r.exit_status, r.planned_status, r.commands, r.kills, r.exchanges, r.records, r.acks,
	       r.acks_refused, r.violation ? r.violation : "sound");
	sound = !r.violation;
	drive_result_done(&r);
	return sound;
}
