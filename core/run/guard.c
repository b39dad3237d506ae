/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.c - what stands between a plan and its first write, and again before the point of no return: approvals and freezes.
 *
 * Before the first write a want of approval refuses (exit 5). A run that is under way is never refused half way: before the point of no return it
 * waits, and goes on when somebody has approved again. What was approved when it began is in its journal. The way back that a failed gate
 * begins was approved with the file that says `on_failure: rollback`.
 */
#include <string.h>

#include "core/base/sb.h"
#include "core/base/when.h"
#include "core/plan/policy.h"
#include "core/run/approval.h"
#include "core/run/plan_file.h"
#include "core/run/run_state.h"

#define FREEZE_EVERY WHEN_MINUTE
#define APPROVAL_EVERY (30 * WHEN_SECOND) /* while staying: has somebody approved? */

static const struct approval_sources no_sources = { .approvals = NULL };

static const struct approval_sources *sources(const struct engine *e)
{
	return e->o->approvals ? e->o->approvals : &no_sources;
}

static int check_approvals(struct engine *e, const struct value *doc, struct err *err)
{
	const struct rollout *r = e->o->calls->rollout;
	struct approvals ap;
	const struct value *v;

	if (!policy_wants_approvals(r))
		return 0;
	if (approval_load(e->arena, sources(e), r, NULL, &ap, err) < 0)
		return -err->code;
	e->approvals = ap.lines;
	v = approval_judge(e->arena, &ap, r, doc, NULL, clocks_now(e->clocks));
	if (value_bool_or(value_get(v, "approved"), false))
		return 0;
	err_set(err, E_REFUSED, "not approved: %s", value_text_or(value_get(v, "why"), ""));
	return err_hint(err,
			"`s2sctl verify PLAN` explains, `s2sctl approve PLAN --key FILE` approves");
}

int guard_plan_file(struct engine *e, const struct past_run *open, struct err *err)
{
	const struct plan_file *f = e->o->plan_file;

	if (!f)
		return 0;
	if (open && plan_file_is(f, open->plan))
		return 0; /* it goes on with what it began, and needs no new approval */
	if (open) {
		err_set(err, E_REFUSED,
			"another plan for these environments is under way (since %s)",
			open->started_at);
		return err_hint(
			err, "finish it with its own plan or file, or give it up with --abandon");
	}
	if (plan_file_fits(f, e->o->calls->rollout, e->o->envs, &e->journal.history, err) < 0 ||
	    check_approvals(e, f->doc, err) < 0 || plan_file_is_unchanged(f, err) < 0)
		return -err->code;
	return 0;
}

/* The first of what breaks the policy, in one line; the plan that was just made tells them all. */
static int refuse_by_policy(const struct plan *p, struct err *err)
{
	const struct value *m = value_at(p->policy, 0);

	if (!m)
		return 0;
	err_set(err, E_REFUSED, "policy: %s (%s)", value_text_or(value_get(m, "text"), ""),
		value_text_or(value_get(m, "rule"), ""));
	err->pos = (struct src_pos){ .file = value_text(value_get(m, "file")),
				     .line = (unsigned)value_int_or(value_get(m, "line"), 0),
				     .col = (unsigned)value_int_or(value_get(m, "col"), 0) };
	if (value_text(value_get(m, "hint")))
		err_hint(err, "%s", value_text(value_get(m, "hint")));
	return -err->code;
}

const char *guard_maker(const struct engine *e)
{
	return e->o->plan_file ? value_text(value_get(e->o->plan_file->doc, "made_by")) :
				 e->o->made_by;
}

int guard_fresh_plan(struct engine *e, struct err *err)
{
	const struct plan_file *f = e->o->plan_file;

	if (!f || e->is_automatic)
		return 0;
	if (plan_file_is_fresh(f, e->plan, err) < 0 || refuse_by_policy(e->plan, err) < 0)
		return -err->code;
	return plan_from_value(&e->plan_arena, e->o->calls->registry, e->o->calls->rollout, f->doc,
			       &e->plan, err);
}

int guard_begin(struct engine *e, struct value *run_record, struct err *err)
{
	struct arena *a = journal_arena(&e->journal);

	if (e->is_automatic)
		return 0;
	/* Time has passed, and whoever wants to swap a file waits for such a moment. */
	if (e->o->plan_file && plan_file_is_unchanged(e->o->plan_file, err) < 0)
		return -err->code;
	if (check_approvals(e, plan_to_value(e->plan), err) < 0)
		return -err->code;
	if (value_count(e->approvals))
		value_set(a, run_record, "approvals", e->approvals);
	return 0;
}

/* ---- while it runs ---- */

static bool wait_for(struct step_run *s, int64_t every, int64_t until_ms, const char *what)
{
	step_waits(s, engine_mono(s->e) + every, until_ms, what);
	return true;
}

/* An environment between its first switch and its last is not left there: a freeze lets it come through. */
static bool is_half_way(const struct step_run *s)
{
	const struct engine *e = s->e;

	if (s->ps->phase != PHASE_SWITCH)
		return false;
	for (size_t i = 0; i < e->plan->step_count; i++) {
		const struct plan_step *other = &e->plan->steps[i];

		for (size_t k = 0; k < other->env_count; k++)
			if (other->phase == PHASE_SWITCH && other->envs[k] == s->ps->envs[0] &&
			    engine_past(e, &e->steps[i])->has_acted)
				return true;
	}
	return false;
}

static bool is_frozen(struct step_run *s, struct arena *a)
{
	const struct rollout *r = s->e->o->calls->rollout;
	int64_t now = clocks_now(s->e->clocks), until = 0;
	const char *why = "";

	if (is_half_way(s))
		return false;
	for (size_t i = 0; i < s->ps->env_count; i++)
		if (policy_freezes(r, s->e->plan->envs[s->ps->envs[i]].env, now, a, &until, &why))
			return wait_for(s, FREEZE_EVERY, until, why);
	return false;
}

static bool wants_approval(struct step_run *s, struct arena *a)
{
	struct engine *e = s->e;
	const struct rollout *r = e->o->calls->rollout;
	struct approvals ap;
	struct err err = ERR_INIT;
	const struct value *v;

	if (s->ps->phase != PHASE_CONTRACT || !policy_wants_approvals(r) ||
	    engine_run(e)->is_automatic)
		return false;
	if (approval_load(a, sources(e), r, engine_run(e)->approvals, &ap, &err) < 0)
		return wait_for(s, APPROVAL_EVERY, 0, arena_printf(a, "approval: %s", err.msg));
	v = approval_judge(a, &ap, r, plan_to_value(e->plan), s->ps->address,
			   clocks_now(e->clocks));
	if (value_bool_or(value_get(v, "approved"), false))
		return false;
	return wait_for(s, APPROVAL_EVERY, 0,
			arena_printf(a, "approval: %s", value_text_or(value_get(v, "why"), "")));
}

bool guard_holds(struct step_run *s)
{
	struct arena a = ARENA_INIT;
	bool holds;

	s->is_frozen = is_frozen(s, &a);
	holds = s->is_frozen || wants_approval(s, &a);
	arena_done(&a);
	return holds;
}
