/* SPDX-License-Identifier: Apache-2.0 */
/*
 * way_back.c - who goes back, and may: environments whose gates failed, and those beyond their point of no return.
 *
 * A way back is a run of its own. Its environments leave the run that they were in; whatever that run had begun and cannot
 * take back is in the journal, and counts for more than a live state that may be late.
 */
#include <string.h>

#include "core/base/when.h"
#include "core/run/planner.h"
#include "core/run/run_state.h"

static bool is_for(const struct value *step, const char *env)
{
	const struct value *envs = value_get(step, "environments");

	for (size_t i = 0; i < value_count(envs); i++)
		if (strcmp(value_text_or(value_at(envs, i), ""), env) == 0)
			return true;
	return false;
}

static const struct past_step *past_of(const struct past_run *r, const struct value *step)
{
	const struct value *at =
		value_get(r->step_index, value_text_or(value_get(step, "address"), ""));

	return at ? &r->steps[at->u.i] : NULL;
}

static bool is_never(const struct value *step)
{
	return strcmp(value_text_or(value_path(step, "undo.kind"), ""), undo_name(UNDO_NEVER)) == 0;
}

/* Since when it may have happened; 0: it has not. A person who was asked may have done it without saying so. */
static int64_t may_have_happened(const struct past_step *s)
{
	if (!s)
		return 0;
	if (s->has_intent)
		return s->intent_ms;
	return s->is_asked && s->is_act ? s->asked_ms : 0;
}

/* Whether the live state shows clearly that what was begun did not happen. */
static bool is_disproved(const struct registry *reg, const struct value *step, int64_t since_ms,
			 const struct view *view)
{
	const struct change_type *t =
		registry_change(reg, value_text_or(value_get(step, "thing"), ""),
				value_text_or(value_get(step, "change"), ""));

	return t && t->settled && t->settled(view) == SETTLED_NO &&
	       view->now_ms - since_ms > SHOWS_WITHIN;
}

static bool is_beyond(const struct registry *reg, const struct past_run *r,
		      const struct value *step, const struct view *view)
{
	const struct past_step *s = past_of(r, step);
	int64_t since = may_have_happened(s);

	if (!is_never(step) || !is_for(step, view->env) || !s)
		return false;
	return s->has_acted || s->is_done || (since > 0 && !is_disproved(reg, step, since, view));
}

static void inspect(void *history, struct plan *p, const struct view *view)
{
	const struct history *h = history;
	enum env_outlook now = p->envs[p->env_count - 1].outlook;

	if (now == OUTLOOK_FAILED || now == OUTLOOK_REFUSED)
		return;
	for (size_t i = 0; i < h->run_count; i++) {
		const struct value *steps = value_get(h->runs[i].plan, "steps");

		for (size_t k = 0; k < value_count(steps); k++) {
			const struct value *step = value_at(steps, k);

			if (!is_beyond(p->registry, &h->runs[i], step, view))
				continue;
			plan_env_refuse(
				p, FINDING_NO_RETURN,
				"go on forward: `s2sctl apply` finishes what was begun",
				"%s cannot be undone, and the journal says that it was begun in the run of %s",
				value_text_or(value_get(step, "address"), "?"),
				h->runs[i].started_at);
			return;
		}
	}
}

void way_back_inspects(struct planner_options *o, struct history *h)
{
	o->inspect = inspect;
	o->inspect_ctx = h;
}

int way_back_is_open(const struct engine *e, size_t env, struct err *err)
{
	const struct rollout_env *re = e->plan->envs[env].env;
	CLEANUP(arena_done) struct arena tmp = ARENA_INIT;
	struct plan *now = plan_new(&tmp, e->plan->registry, e->o->calls->rollout);
	struct view v = env_view(e->envs[env], clocks_now(e->clocks));
	const struct changes *c;

	now->direction = DIRECTION_BACK;
	plan_env_add(now, re, &v, NULL, NULL);
	c = &now->envs[0].changes;
	for (size_t i = 0; i < c->finding_count; i++) {
		if (strcmp(c->findings[i].rule, FINDING_NO_RETURN) != 0)
			continue;
		err_set(err, E_REFUSED, "%s: %s", re->name, c->findings[i].text);
		return err_hint(
			err,
			"there is no way back any more: give this one up with --abandon, and go on forward with `s2sctl apply`");
	}
	return 0;
}

/* Whether anything of the environment's that cannot be undone was begun in this run. */
static bool has_begun_contract(const struct engine *e, const char *env)
{
	const struct past_run *r = engine_run(e);
	const struct value *steps = value_get(r->plan, "steps");

	for (size_t k = 0; k < value_count(steps); k++) {
		const struct past_step *s = past_of(r, value_at(steps, k));

		if (is_never(value_at(steps, k)) && is_for(value_at(steps, k), env) && s &&
		    (s->has_acted || s->is_done || may_have_happened(s)))
			return true;
	}
	return false;
}

static void note(struct engine *e, const struct step_run *s, const struct rollout_env *env)
{
	for (size_t i = 0; i < e->back_count; i++)
		if (e->back[i].env == env)
			return;
	e->back = arena_grow(e->arena, e->back, e->back_count, &e->back_cap, sizeof(*e->back));
	e->back[e->back_count++] = (struct going_back){
		.env = env,
		.why = arena_printf(e->arena, "%s: %s", s->ps->address, s->failure->msg),
		.run = e->run,
	};
}

void way_back_note_failures(struct engine *e)
{
	const struct sys *sys = e->o->calls->sys;

	if (e->plan->direction == DIRECTION_BACK || e->fatal.code || sys->signalled(sys->ctx))
		return;
	for (size_t i = 0; i < e->plan->step_count; i++) {
		const struct step_run *s = &e->steps[i];

		if (s->state != STEP_FAILED || !s->is_gate_failure)
			continue;
		for (size_t k = 0; k < s->ps->env_count; k++) {
			const struct rollout_env *env = e->plan->envs[s->ps->envs[k]].env;

			if (!env->rolls_back)
				continue;
			if (has_begun_contract(e, env->name))
				engine_tell(
					e, APPLY_NOTE, s, 0,
					"'%s' is not taken back: what cannot be undone was begun",
					env->name);
			else
				note(e, s, env);
		}
	}
}

const struct value *way_back_marks(struct engine *e)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *all = NULL;

	for (size_t i = 0; i < e->plan->env_count; i++) {
		const char *env = e->plan->envs[i].env->name;
		const struct past_run *r = history_open_run(&e->journal.history, env);
		const struct value *before = value_get(history_marks(r, env), MARK_BEFORE);
		struct value *marks;

		if (!before)
			continue;
		/* What ran before that run stopped it is meant to run still. */
		all = all ? all : value_map(a);
		marks = value_map(a);
		value_set(a, marks, MARK_BEFORE, before);
		value_set(a, all, env, marks);
	}
	return all;
}

int way_back_leave(struct engine *e, const struct going_back *list, size_t count, struct err *err)
{
	struct arena *a = journal_arena(&e->journal);

	for (size_t i = 0; i < count; i++) {
		struct value *rec, *envs;

		if (!list[i].run)
			continue;
		rec = value_map(a);
		envs = value_list(a);
		value_list_add(a, envs, value_string(a, list[i].env->name));
		value_set(a, rec, "run", value_string(a, list[i].run));
		value_set(a, rec, "environments", envs);
		value_set(a, rec, "why", value_string(a, list[i].why));
		value_set(a, rec, "now_ms", value_int(a, clocks_now(e->clocks)));
		if (journal_add(&e->journal, "leave", rec, err) < 0)
			return -err->code;
	}
	return 0;
}
