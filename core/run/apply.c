/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply.c - which runs a command begins, goes on with, leaves or takes back; one after the other, ways back first.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/when.h"
#include "core/run/attest.h"
#include "core/run/planner.h"
#include "core/run/receipt.h"
#include "core/run/run_state.h"

/* ---- opening a run ---- */

static int abandon(struct engine *e, struct past_run *r, struct err *err)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a);

	value_set(a, rec, "run", value_string(a, r->id));
	return journal_add(&e->journal, "abandon", rec, err);
}

static bool is_selected(const struct engine *e, const char *name)
{
	for (const struct rollout_env *const *env = e->o->envs; *env; env++)
		if (strcmp((*env)->name, name) == 0)
			return true;
	return false;
}

static int other_envs(const struct past_run *r, struct err *err)
{
	err_set(err, E_REFUSED,
		"an open run (since %s) is for other environments than those selected",
		r->started_at);
	return err_hint(err, "run again with the same --env as then, or give it up with --abandon");
}

/* Open runs of the selected environments, by id, since their place in memory changes: ways back first. */
struct open_runs {
	const char **ids;
	size_t count, cap;
};

static void add_open(struct engine *e, struct open_runs *runs, const struct past_run *r)
{
	for (size_t i = 0; i < runs->count; i++)
		if (strcmp(runs->ids[i], r->id) == 0)
			return;
	runs->ids = arena_grow(e->arena, runs->ids, runs->count, &runs->cap, sizeof(char *));
	runs->ids[runs->count++] = r->id;
}

static bool has_left_one(const struct engine *e, const struct open_runs *runs, const char *env)
{
	for (size_t i = 0; i < runs->count; i++)
		if (history_has_left(history_run(&e->journal.history, runs->ids[i]), env))
			return true;
	return false;
}

/*
 * E_REFUSED when an open run holds others as well, or a selected environment is in none while others are. One that has left such a run is
 * left aside until that run is over: it would be planned anew otherwise, hours after it was taken back.
 */
static int find_open(struct engine *e, struct open_runs *ret, struct err *err)
{
	const struct history *h = &e->journal.history;

	for (int back = 1; back >= 0; back--)
		for (const struct rollout_env *const *env = e->o->envs; *env; env++) {
			const struct past_run *r = history_open_run(h, (*env)->name);

			if (r && r->is_back == (back == 1))
				add_open(e, ret, r);
		}
	for (size_t i = 0; i < ret->count; i++) {
		const struct past_run *r = history_run(h, ret->ids[i]);
		const struct value *envs = value_get(r->plan, "environments");

		for (size_t k = 0; k < value_count(envs); k++) {
			const char *name = value_text_or(value_get(value_at(envs, k), "name"), "");

			if (!history_has_left(r, name) && !is_selected(e, name))
				return other_envs(r, err);
		}
	}
	for (const struct rollout_env *const *env = e->o->envs; ret->count && *env; env++)
		if (!history_open_run(h, (*env)->name) && !has_left_one(e, ret, (*env)->name))
			return other_envs(history_run(h, ret->ids[0]), err);
	return 0;
}

/* The environments of a plan as the rollout file has them now; NULL when it lacks one. */
static const struct rollout_env **envs_of(struct engine *e, const struct value *plan)
{
	const struct value *envs = value_get(plan, "environments");
	const struct rollout_env **list =
		arena_array(e->arena, value_count(envs) + 1, sizeof(*list));

	for (size_t i = 0; i < value_count(envs); i++) {
		list[i] = rollout_find_env(e->o->calls->rollout,
					   value_text_or(value_get(value_at(envs, i), "name"), ""));
		if (!list[i])
			return NULL;
	}
	return list;
}

/* The run's plan is made of what the history holds of it, and borrows from there. */
static int take_up(struct engine *e, const struct past_run *r, struct err *err)
{
	arena_done(&e->plan_arena);
	e->run = r->id;
	return plan_from_value(&e->plan_arena, e->o->calls->registry, e->o->calls->rollout, r->plan,
			       &e->plan, err);
}

static int resume(struct engine *e, struct past_run *r, struct err *err)
{
	const struct rollout_env **envs = envs_of(e, r->plan);
	char digest[65] = "";

	if (envs)
		rollout_digest(e->o->calls->rollout, envs, digest);
	if (strcmp(r->rollout_digest, digest) != 0) {
		err_set(err, E_REFUSED,
			"the rollout file has changed since the open run began (%s)",
			r->started_at);
		return err_hint(
			err,
			"take the change back to finish that run, or give it up with --abandon");
	}
	return take_up(e, r, err);
}

/* What was planned ends with the run's record: from there on the journal's plan counts, for who begins a run as for who goes on with one. */
static int begin(struct engine *e, struct err *err)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a);
	const struct value *plan = plan_to_value(e->plan);
	const struct value *marks = way_back_marks(e);
	char id[17], salt[17], digest[65], plan_digest[65];

	rollout_digest(e->o->calls->rollout, envs_of(e, plan), digest);

	receipt_plan_digest(plan, plan_digest);
	new_nonce(e, id);
	new_nonce(e, salt);
	value_set(a, rec, "run", value_string(a, id));
	value_set(a, rec, "salt", value_string(a, salt));
	value_set(a, rec, "rollout_digest", value_string(a, digest));
	value_set(a, rec, "now_ms", value_int(a, clocks_now(e->clocks)));
	value_set(a, rec, "plan", plan);
	value_set(a, rec, "plan_digest", value_string(a, plan_digest));
	if (marks)
		value_set(a, rec, "marks", marks);
	if (e->is_automatic)
		value_set(a, rec, "automatic", value_bool(a, true));
	if (guard_begin(e, rec, err) < 0)
		return -err->code;
	if (journal_add(&e->journal, "run", rec, err) < 0)
		return -err->code;
	return take_up(e, history_run(&e->journal.history, id), err);
}

/* ---- carrying them out ---- */

/* Between two runs: nothing of the one before is left, and nothing may be minted. */
static void forget_run(struct engine *e)
{
	caller_forget(e->caller); /* a look that nobody waited for any more */
	for (size_t i = 0; e->envs && e->envs[i]; i++)
		env_state_free(e->envs[i]);
	mem_free(e->envs);
	e->envs = NULL;
	e->plan = NULL;
	arena_done(&e->plan_arena);
	e->run = NULL;
	e->jsaid.run = NULL;
}

struct reading {
	size_t open;
};

static void env_read(void *arg, struct env_state *env)
{
	struct reading *r = arg;

	(void)env;
	r->open--;
}

int engine_same_identity(const struct engine *e, size_t env, struct err *err)
{
	const struct plan_env *pe = &e->plan->envs[env];
	const struct env_state *now = e->envs[env];
	const struct registry *reg = e->o->calls->registry;

	for (size_t i = 0; i < value_count(pe->identity); i++) {
		const char *name = value_key_at(pe->identity, i);

		for (size_t k = 0; k < now->thing_count; k++) {
			size_t len = strlen(now->seen[k].thing);
			const struct value *was = value_at(pe->identity, i), *is;

			if (strncmp(name, now->seen[k].thing, len) != 0 || name[len] != '.' ||
			    !now->seen[k].facts)
				continue;
			is = value_get(now->seen[k].facts, name + len + 1);
			if (is && registry_thing(reg, now->seen[k].thing) &&
			    !value_equal(was, is)) {
				err_set(err, E_REFUSED,
					"%s: %s was '%s' when the run began and is '%s' now",
					pe->env->name, name, value_text_or(was, "?"),
					value_text_or(is, "?"));
				return err_hint(
					err,
					"this is another system than the one planned for; nothing was sent");
			}
		}
	}
	return 0;
}

/* A run that goes on reads everything once more: steps that need older facts find them, and identities must be the planned ones. */
static int observe_again(struct engine *e, struct err *err)
{
	const struct sys *sys = e->o->calls->sys;
	const char *const *things =
		observe_for(e->o->calls->registry, e->plan->direction, e->arena);
	struct reading r = { 0 };
	size_t begun = 0;

	while (begun < e->plan->env_count || r.open) {
		for (; begun < e->plan->env_count && r.open < OBSERVED_AT_ONCE; begun++) {
			if (history_has_left(engine_run(e), e->plan->envs[begun].env->name))
				continue;
			r.open++;
			round_start(&e->observer, e->envs[begun], things, env_read, &r);
		}
		if (r.open)
			caller_pump(e->caller, WHEN_SECOND);
		if (sys->signalled(sys->ctx))
			return err_set(err, E_SIGNAL,
				       "interrupted while reading; nothing was changed");
	}
	for (size_t i = 0; i < e->plan->env_count; i++) {
		const char *why = env_failure(e->envs[i]);

		if (why) {
			err_set(err, E_REMOTE, "%s: %s", e->plan->envs[i].env->name, why);
			return err_hint(err, "nothing was changed; run the same command again");
		}
		if (engine_same_identity(e, i, err) < 0)
			return -err->code;
	}
	return 0;
}

static int plan_fresh(struct engine *e, const struct rollout_env *const *envs, enum direction way,
		      struct apply_result *ret, struct err *err)
{
	struct planner_options po = {
		.observer = &e->observer, .envs = envs, .direction = way, .made_by = guard_maker(e)
	};
	bool any = false;
	size_t n = 0;
	int rc;

	while (envs[n])
		n++;
	e->envs = mem_alloc((n + 1) * sizeof(struct env_state *));
	po.keep = e->envs;
	if (way == DIRECTION_BACK) {
		way_back_inspects(&po, &e->journal.history);
		e->jsaid.void_by = e->o->calls->registry;
	}
	rc = planner_run(&po, &e->plan_arena, &e->plan, NULL, err);
	e->jsaid.void_by = NULL;
	if (rc < 0)
		return -err->code;
	plan_to_value(e->plan);
	if (guard_fresh_plan(e, err) < 0)
		return -err->code;
	if (e->o->show_plan)
		ret->plan_status = e->o->show_plan(e->o->show_ctx, e->plan, false);
	else
		ret->plan_status = plan_exit_status(e->plan);
	for (size_t i = 0; i < e->plan->env_count; i++)
		any |= e->plan->envs[i].outlook == OUTLOOK_CHANGES;
	/* One environment that is refused stops the run before it starts: half a rollout is nobody's wish. */
	ret->nothing_to_do = !any && ret->plan_status == 0;
	return 0;
}

/* How bad an outcome is beside another one's. */
static int badness(enum err_code c)
{
	return c == E_SIGNAL ? 5 : c == E_WAIT ? 1 : c == E_GATE ? 2 : c ? outcome_rank(c) : 0;
}

static void add_result(struct apply_result *all, const struct apply_result *one)
{
	if (badness(one->code) > badness(all->code) || !all->summary[0])
		memcpy(all->summary, one->summary, sizeof(all->summary));
	if (badness(one->code) > badness(all->code))
		all->code = one->code;
	if (one->until_ms && (!all->until_ms || one->until_ms < all->until_ms))
		all->until_ms = one->until_ms;
	all->needs_person |= one->needs_person;
	all->done += one->done;
	all->total += one->total;
}

/* Whether nothing is left to do for those who stay: then no system is asked anything. */
static bool is_all_done(struct engine *e, struct past_run *r)
{
	for (size_t i = 0; i < e->plan->step_count; i++) {
		const char *address = e->plan->steps[i].address;

		if (!history_step_is_left(r, address) &&
		    !history_step(&e->journal.history, r, address)->is_done)
			return false;
	}
	return true;
}

/*
 * Not all of it can be read now, so nothing new begins; but workflows that an earlier command left stopped are started again, as far as that
 * goes. The reason why not more was done stays the outcome.
 */
static int mend(struct engine *e, struct err *err)
{
	struct apply_result one = { 0 };
	struct err other = ERR_INIT;

	e->mends_only = true;
	if (engine_carry_out(e, &one, &other) < 0)
		*err = other;
	e->mends_only = false;
	return -err->code;
}

/* Somebody else has ended the migration since this way back was planned. */
static bool is_too_late(struct engine *e, struct err *err)
{
	for (size_t i = 0; i < e->plan->env_count; i++)
		if (!history_has_left(engine_run(e), e->plan->envs[i].env->name) &&
		    way_back_is_open(e, i, err) < 0)
			return true;
	return false;
}

static int go_on(struct engine *e, const char *id, struct apply_result *ret, struct err *err)
{
	struct apply_result one = { 0 };

	if (resume(e, history_run(&e->journal.history, id), err) < 0)
		return -err->code;
	if (e->o->show_plan)
		e->o->show_plan(e->o->show_ctx, e->plan, true);
	e->envs = mem_alloc((e->plan->env_count + 1) * sizeof(struct env_state *));
	for (size_t i = 0; i < e->plan->env_count; i++) {
		e->envs[i] = env_state_new(e->o->calls->registry, e->plan->envs[i].env);
		env_forget_requests(e->envs[i]);
	}
	if (!is_all_done(e, engine_run(e))) {
		/* Another system than the one planned for is not touched, not even to mend it. */
		if (observe_again(e, err) < 0)
			return err->code == E_REMOTE ? mend(e, err) : -(int)err->code;
		if (engine_run(e)->is_back && is_too_late(e, err))
			return mend(e, err);
	}
	if (engine_carry_out(e, &one, err) < 0)
		return -err->code;
	add_result(ret, &one);
	forget_run(e);
	return 0;
}

/* A run that somebody has left may be over with that: those who stay were done already. */
static int finish_left(struct engine *e, const struct going_back *list, size_t count,
		       struct apply_result *ret, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct past_run *r = history_run(&e->journal.history, list[i].run);
		struct apply_result one = { 0 };
		bool done;

		if (!r || !r->is_open)
			continue;
		if (take_up(e, r, err) < 0)
			return -err->code;
		done = is_all_done(e, r);
		if (done && engine_carry_out(e, &one, err) < 0)
			return -err->code;
		if (done)
			add_result(ret, &one);
		forget_run(e);
	}
	return 0;
}

/* Plans the way back of these, shows it, and carries it out when nothing speaks against it. */
static int go_back(struct engine *e, const struct going_back *list, size_t count,
		   struct apply_result *ret, struct apply_result *one, struct err *err)
{
	const struct rollout_env **envs = arena_array(e->arena, count + 1, sizeof(*envs));

	for (size_t i = 0; i < count; i++)
		envs[i] = list[i].env;
	if (plan_fresh(e, envs, DIRECTION_BACK, one, err) < 0)
		return -err->code;
	if (one->plan_status || one->nothing_to_do)
		return 0;
	/* The run's own record takes the environments out of their runs: a kill in between leaves no one in both. */
	if (begin(e, err) < 0 || way_back_leave(e, list, count, err) < 0 ||
	    engine_carry_out(e, one, err) < 0)
		return -(int)err->code;
	add_result(ret, one);
	forget_run(e);
	return finish_left(e, list, count, ret, err);
}

/* The environments of the plan just made that can go back; the others stay as they are, and that is said. */
static size_t keep_those_who_can(struct engine *e, struct going_back *list, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		enum env_outlook now = e->plan->envs[i].outlook;

		if (now == OUTLOOK_CHANGES) {
			list[kept++] = list[i];
			continue;
		}
		engine_tell(e, APPLY_NOTE, NULL, 0,
			    "'%s' is not taken back: %s; all stays as it is", list[i].env->name,
			    now == OUTLOOK_NOTHING ? "there is nothing to take back" :
			    now == OUTLOOK_ATTEST  ? "a person has to attest facts first" :
						     "the way back is refused, as shown");
	}
	return kept;
}

/* `on_failure: rollback`: those whose gates failed go back now, as far as they can; the failure stays the outcome. */
static int take_back_failed(struct engine *e, struct apply_result *ret, struct err *err)
{
	struct going_back *list = e->back;
	size_t count = e->back_count, before;

	e->back = NULL;
	e->back_count = e->back_cap = 0;
	e->is_automatic = true;
	while (count && ret->code != E_SIGNAL) {
		struct apply_result one = { 0 };

		for (size_t i = 0; i < count; i++)
			engine_tell(e, APPLY_NOTE, NULL, 0, "'%s' goes back, since %s",
				    list[i].env->name, list[i].why);
		if (go_back(e, list, count, ret, &one, err) < 0)
			return -err->code;
		if (!one.plan_status && !one.nothing_to_do)
			return 0;
		before = count;
		count = keep_those_who_can(e, list, count);
		forget_run(e);
		if (count == before)
			return 0;
	}
	return 0;
}

/* Goes on with the ways back that are open, each once; how many. < 0: an error. */
static int go_on_back(struct engine *e, struct apply_result *ret, struct err *err)
{
	const char **gone = NULL;
	size_t count = 0, cap = 0;

	for (const struct rollout_env *const *env = e->o->envs; *env; env++) {
		const struct past_run *r = history_open_run(&e->journal.history, (*env)->name);
		bool is_new = r && r->is_back;

		for (size_t i = 0; is_new && i < count; i++)
			is_new = strcmp(gone[i], r->id) != 0;
		if (!is_new)
			continue;
		gone = arena_grow(e->arena, gone, count, &cap, sizeof(*gone));
		gone[count++] = r->id;
		if (go_on(e, gone[count - 1], ret, err) < 0)
			return -err->code;
	}
	return (int)count;
}

/* `s2sctl rollback --apply`: ways back that are open are gone on with, the others begun. */
static int run_back(struct engine *e, struct apply_result *ret, struct err *err)
{
	struct going_back *list = NULL;
	size_t count = 0, cap = 0;
	struct apply_result one = { 0 };
	const struct past_run *under_way = NULL;
	bool begins = false;
	int gone_on;

	for (const struct rollout_env *const *env = e->o->envs; *env; env++) {
		const struct past_run *r = history_open_run(&e->journal.history, (*env)->name);

		under_way = r && r->is_back ? r : under_way;
		begins |= !r || !r->is_back;
	}
	if (guard_plan_file(e, under_way, err) < 0)
		return -err->code;
	gone_on = go_on_back(e, ret, err);
	if (gone_on < 0)
		return gone_on;
	/*
	 * Those that have just come back are planned with the rest: what they share with it, like the credential's migration, was left out of their own
	 * way back, and would stay as it is after all of them.
	 */
	if ((!begins && gone_on < 2) || ret->code == E_SIGNAL)
		return 0;
	for (const struct rollout_env *const *env = e->o->envs; *env; env++) {
		struct past_run *r = history_open_run(&e->journal.history, (*env)->name);

		if (r && r->is_back)
			continue;
		list = arena_grow(e->arena, list, count, &cap, sizeof(*list));
		list[count++] = (struct going_back){ *env, "it was asked for", r ? r->id : NULL };
	}
	if (!count)
		return 0;
	if (go_back(e, list, count, ret, &one, err) < 0)
		return -err->code;
	ret->plan_status = one.plan_status;
	ret->nothing_to_do = one.nothing_to_do && !ret->total;
	/* Nothing was begun that shows; whoever asked does not want it begun later either. */
	return one.nothing_to_do ? way_back_leave(e, list, count, err) : 0;
}

/* Who is not gone on with, or begins what was taken back: silence would look like forgetting. */
static void tell_past(struct engine *e, const struct open_runs *open)
{
	const struct history *h = &e->journal.history;

	for (const struct rollout_env *const *env = e->o->envs; *env; env++) {
		const struct past_run *last = NULL;

		for (size_t i = 0; i < h->run_count; i++)
			if (history_holds(&h->runs[i], (*env)->name))
				last = &h->runs[i];
		if (!last || history_open_run(h, (*env)->name))
			continue;
		if (open->count)
			engine_tell(
				e, APPLY_NOTE, NULL, 0,
				"'%s' has left an open run: it is planned anew when that is over",
				(*env)->name);
		else if (last->is_back)
			engine_tell(e, APPLY_NOTE, NULL, 0,
				    "'%s' was taken back in the run of %s: this begins anew",
				    (*env)->name, last->started_at);
	}
}

static int run_forward(struct engine *e, struct apply_result *ret, struct err *err)
{
	struct open_runs open = { 0 };
	struct apply_result one = { 0 };

	if (find_open(e, &open, err) < 0 ||
	    guard_plan_file(e, open.count ? history_run(&e->journal.history, open.ids[0]) : NULL,
			    err) < 0)
		return -err->code;
	tell_past(e, &open);
	for (size_t i = 0; i < open.count && ret->code != E_SIGNAL; i++)
		if (go_on(e, open.ids[i], ret, err) < 0)
			return -err->code;
	if (!open.count) {
		if (plan_fresh(e, e->o->envs, DIRECTION_FORWARD, ret, err) < 0)
			return -err->code;
		if (ret->plan_status || ret->nothing_to_do)
			return 0;
		/* What the plan rests on was read a moment ago. */
		if (begin(e, err) < 0 || engine_carry_out(e, &one, err) < 0)
			return -(int)err->code;
		add_result(ret, &one);
		forget_run(e);
	}
	return take_back_failed(e, ret, err);
}

static int run_locked(struct engine *e, struct apply_result *ret, struct err *err)
{
	if (journal_open(&e->journal, e->o->store, e->o->calls->sys, err) < 0)
		return -err->code;
	e->jsaid = (struct journal_said){ .journal = &e->journal, .sys = e->o->calls->sys };
	e->said = journal_said_ops(&e->jsaid);
	if (attest_take(&e->journal, e->o->calls->registry, true, err) < 0)
		return -err->code;
	people_check(e);
	if (e->fatal.code) {
		*err = e->fatal;
		return -err->code;
	}
	if (e->o->abandon) {
		for (const struct rollout_env *const *env = e->o->envs; *env; env++) {
			struct past_run *r = history_open_run(&e->journal.history, (*env)->name);

			if (r && abandon(e, r, err) < 0)
				return -err->code;
		}
	}
	return e->o->direction == DIRECTION_BACK ? run_back(e, ret, err) : run_forward(e, ret, err);
}

int apply_run(const struct apply_options *o, struct arena *a, struct apply_result *ret,
	      struct err *err)
{
	struct engine *e = mem_alloc(sizeof(*e));
	struct caller_options co = *o->calls;
	struct mint_guard guard = fence_guard(e);
	int rc;

	*ret = (struct apply_result){ 0 };
	e->o = o;
	e->arena = a;
	e->clocks = o->calls->clocks;
	if (o->store->lock(o->store->ctx, err) < 0) {
		ret->code = err->code;
		mem_free(e);
		return -err->code;
	}
	co.guard = &guard;
	e->caller = caller_new(&co);
	e->observer = (struct observer){ .caller = e->caller, .o = o->calls, .said = &e->said };
	rc = run_locked(e, ret, err);
	if (rc < 0)
		ret->code = err->code;
	forget_run(e);
	caller_free(e->caller);
	journal_close(&e->journal);
	o->store->unlock(o->store->ctx);
	mem_free(e);
	return rc;
}
