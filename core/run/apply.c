/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/apply.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/sb.h"
#include "core/base/when.h"
#include "core/io/digest.h"
#include "core/io/json.h"
#include "core/run/attest.h"
#include "core/run/planner.h"
#include "core/run/run_state.h"

#define SLICE (1 * WHEN_SECOND)       /* longest sleep before signals and inbox are looked at */
#define ATTESTED_FOR WHEN_DAY         /* facts attested for planning */
#define OVERLAY_FOR WHEN_HOUR         /* an attested last use (design, section 5.6) */
#define STOP_WITHIN (5 * WHEN_MINUTE) /* after a signal: to start again what was stopped */

/* ---- what the journal says ---- */

static const struct past_run *marks_run(const struct journal_said *s, const char *env)
{
	const struct history *h = &s->journal->history;
	const struct past_run *open = s->run ? s->run : history_open_run(h, env);

	if (open)
		return open;
	for (size_t i = h->run_count; i-- > 0;)
		if (value_get(h->runs[i].marks, env))
			return &h->runs[i];
	return NULL;
}

static bool is_recent(const struct journal_said *s, const struct value *at, int64_t span)
{
	int64_t age = sys_wall_ms(s->sys) - value_int_or(at, 0);

	return age <= span && age >= -span; /* a clock that was set back makes nothing fresh */
}

static const struct value *said_facts(void *ctx, const char *env, const char *thing,
				      const char **ret_by, enum known *ret_known,
				      int64_t *ret_asked_ms)
{
	struct journal_said *s = ctx;
	char key[512];
	const struct value *entry;

	snprintf(key, sizeof(key), "%s %s", env, thing);
	entry = value_get(s->journal->history.said, key);
	if (!entry)
		return NULL;
	*ret_by = value_text(value_get(entry, "by"));
	*ret_asked_ms = value_int_or(value_get(entry, "asked_ms"), 0);
	if (strcmp(value_text_or(value_get(entry, "known"), ""), "journal") == 0) {
		*ret_known = KNOWN_JOURNAL;
		return value_get(entry, "facts");
	}
	*ret_known = KNOWN_ATTESTED;
	/* A run that rests on them keeps them; for a plan of its own they age. */
	return history_open_run(&s->journal->history, env) ||
			       is_recent(s, value_get(entry, "at"), ATTESTED_FOR) ?
		       value_get(entry, "facts") :
		       NULL;
}

static const struct value *said_overlay(void *ctx, const char *env, const char *thing)
{
	struct journal_said *s = ctx;
	char key[512];
	const struct value *entry;

	snprintf(key, sizeof(key), "%s %s", env, thing);
	entry = value_get(s->journal->history.overlays, key);
	return entry && is_recent(s, value_get(entry, "at"), OVERLAY_FOR) ?
		       value_get(entry, "attested") :
		       NULL;
}

static const struct value *said_marks(void *ctx, const char *env)
{
	struct journal_said *s = ctx;

	return history_marks(marks_run(s, env), env);
}

struct said journal_said_ops(struct journal_said *s)
{
	return (struct said){
		.facts = said_facts, .overlay = said_overlay, .marks = said_marks, .ctx = s
	};
}

void rollout_digest(const struct rollout *r, const struct rollout_env *const *envs,
		    char ret_hex[65])
{
	CLEANUP(sb_done) struct sb sb = SB_INIT((size_t)1 << 30);

	(void)r;
	for (; *envs; envs++) {
		sb_addf(&sb, "%s ", (*envs)->name);
		json_write(&sb, (*envs)->want, JSON_CANONICAL, NULL);
		for (size_t i = 0; i < (*envs)->after_count; i++)
			sb_addf(&sb, " %s", (*envs)->after[i]->name);
		sb_addc(&sb, '\n');
	}
	digest_hex(sb.buf, sb.len, ret_hex);
}

/* ---- for all of core/run ---- */

struct past_run *engine_run(const struct engine *e)
{
	return history_run(&e->journal.history, e->run);
}

struct past_step *engine_past(const struct engine *e, const struct step_run *s)
{
	return history_step(&e->journal.history, engine_run(e), s->ps->address);
}

int64_t engine_mono(const struct engine *e)
{
	return sys_mono_ms(e->o->calls->sys);
}

void new_nonce(struct engine *e, char ret[17])
{
	unsigned char raw[8];

	e->o->calls->sys->random(e->o->calls->sys->ctx, raw, sizeof(raw));
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(ret + 2 * i, 3, "%02x", raw[i]);
}

struct value *step_record(struct engine *e, const struct step_run *s)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a), *envs = value_list(a);

	for (size_t i = 0; i < s->ps->env_count; i++)
		value_list_add(a, envs, value_string(a, e->plan->envs[s->ps->envs[i]].env->name));
	value_set(a, rec, "run", value_string(a, e->run));
	value_set(a, rec, "step", value_string(a, s->ps->address));
	value_set(a, rec, "environments", envs);
	value_set(a, rec, "now_ms", value_int(a, clocks_now(e->clocks)));
	return rec;
}

bool engine_record(struct engine *e, const char *type, struct value *rec)
{
	struct err err = ERR_INIT;

	if (e->fatal.code)
		return false;
	if (journal_add(&e->journal, type, rec, &err) < 0) {
		e->fatal = err;
		return false;
	}
	return true;
}

void engine_tell(struct engine *e, enum apply_event ev, const struct step_run *s, int64_t until_ms,
		 const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(2048);
	va_list ap;

	if (ev != APPLY_STEP_WAITS && ev != APPLY_GATE_SAW && ev != APPLY_STEP_ACTING)
		e->progress_mono = engine_mono(e);
	va_start(ap, fmt);
	sb_addv(&text, fmt, ap);
	va_end(ap);
	if (e->o->ui->event)
		e->o->ui->event(e->o->ui->ctx, ev, s ? s->ps->address : "", text.buf, until_ms);
}

const struct value *step_marks(const struct engine *e, const struct step_run *s, struct arena *a)
{
	struct value *out = value_map(a);

	for (size_t k = 0; k < s->ps->env_count; k++) {
		const struct value *marks =
			history_marks(engine_run(e), e->plan->envs[s->ps->envs[k]].env->name);

		for (size_t i = 0; i < value_count(marks); i++) {
			const char *key = value_key_at(marks, i);
			const struct value *old = value_get(out, key), *v = value_at(marks, i);

			if (!old || old->kind != VAL_INT || v->kind != VAL_INT || v->u.i > old->u.i)
				value_set(a, out, key, v);
		}
	}
	return out;
}

/* ---- opening a run ---- */

static int abandon(struct engine *e, struct past_run *r, struct err *err)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a);

	value_set(a, rec, "run", value_string(a, r->id));
	return journal_add(&e->journal, "abandon", rec, err);
}

/* The open run of the selected environments. E_REFUSED when there is more than one, or it holds others as well. */
static int find_open(struct engine *e, struct past_run **ret, struct err *err)
{
	struct past_run *found = NULL;
	size_t selected = 0;

	for (const struct rollout_env *const *env = e->o->envs; *env; env++, selected++) {
		struct past_run *r = history_open_run(&e->journal.history, (*env)->name);

		if (r && found && r != found) {
			err_set(err, E_REFUSED,
				"environments '%s' and others are in different open runs",
				(*env)->name);
			return err_hint(
				err,
				"finish them one by one with --env, or give them up with --abandon");
		}
		found = r ? r : found;
	}
	if (found && value_count(value_get(found->plan, "environments")) != selected) {
		err_set(err, E_REFUSED,
			"an open run (since %s) is for other environments than those selected",
			found->started_at);
		return err_hint(
			err, "run again with the same --env as then, or give it up with --abandon");
	}
	*ret = found;
	return 0;
}

static int resume(struct engine *e, struct past_run *r, const char *digest, struct err *err)
{
	if (strcmp(r->rollout_digest, digest) != 0) {
		err_set(err, E_REFUSED,
			"the rollout file has changed since the open run began (%s)",
			r->started_at);
		return err_hint(
			err,
			"take the change back to finish that run, or give it up with --abandon");
	}
	e->run = r->id;
	return plan_from_value(e->arena, e->o->calls->registry, e->o->calls->rollout, r->plan,
			       &e->plan, err);
}

static int begin(struct engine *e, const char *digest, struct err *err)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a);
	char id[17], salt[17];

	new_nonce(e, id);
	new_nonce(e, salt);
	value_set(a, rec, "run", value_string(a, id));
	value_set(a, rec, "salt", value_string(a, salt));
	value_set(a, rec, "rollout_digest", value_string(a, digest));
	value_set(a, rec, "now_ms", value_int(a, clocks_now(e->clocks)));
	value_set(a, rec, "plan", value_copy(a, plan_to_value(e->plan)));
	e->run = arena_strdup(e->arena, id);
	return journal_add(&e->journal, "run", rec, err);
}

/* ---- the loop ---- */

/* A step that must not be left half done was, by a program that was killed: its intent is open. */
static bool is_in_the_middle(const struct engine *e, size_t step)
{
	const struct plan_step *ps = &e->plan->steps[step];
	const struct past_step *p = history_step(&e->journal.history, engine_run(e), ps->address);

	return p->has_intent && !p->is_done && (ps->type->flags & CHANGE_UNSUSPENDED);
}

static bool may_tick(const struct engine *e, size_t step)
{
	return !e->only_mends || e->steps[step].is_busy || is_in_the_middle(e, step);
}

static bool all_over(const struct engine *e)
{
	for (size_t i = 0; i < e->plan->step_count; i++)
		if (!step_is_over(&e->steps[i]) && may_tick(e, i) &&
		    e->steps[i].state != STEP_BLOCKED)
			return false;
	return true;
}

/* When the first step that is under way wants to look again. */
static int64_t next_wake(const struct engine *e)
{
	int64_t wake = INT64_MAX;

	for (size_t i = 0; i < e->plan->step_count; i++) {
		const struct step_run *s = &e->steps[i];

		if (step_is_over(s) || s->state == STEP_BLOCKED)
			continue;
		if (s->is_busy)
			return engine_mono(e);
		wake = MIN_OF(wake, s->wake_mono);
	}
	return wake;
}

bool engine_is_writing(const struct engine *e)
{
	for (size_t i = 0; i < e->plan->step_count; i++)
		if (e->steps[i].job)
			return true;
	return false;
}

static bool is_busy(const struct engine *e)
{
	for (size_t i = 0; i < e->plan->step_count; i++)
		if (e->steps[i].is_busy)
			return true;
	return false;
}

static void tick_all(struct engine *e)
{
	bool moved = true;

	/* A step that ends lets others begin, some of them earlier in the list. */
	while (moved && !e->fatal.code) {
		moved = false;
		for (size_t i = 0; i < e->plan->step_count && !e->fatal.code; i++) {
			struct step_run *s = &e->steps[i];
			enum step_state before = s->state;

			if (!may_tick(e, i))
				continue;
			step_tick(s);
			moved |= s->state != before && s->state == STEP_DONE;
		}
	}
}

/* On the first signal, and when the journal cannot be written any more: what was stopped is started again. On the second: leave. */
static void stop(struct engine *e)
{
	int64_t by = engine_mono(e) + STOP_WITHIN;

	e->is_stopping = true;
	caller_stop(e->caller);
	while (engine_is_writing(e) && engine_mono(e) < by &&
	       e->o->calls->sys->signalled(e->o->calls->sys->ctx) < 2)
		caller_pump(e->caller, SLICE);
	for (size_t i = 0; i < e->plan->step_count; i++)
		if (e->steps[i].job)
			engine_tell(
				e, APPLY_NOTE, &e->steps[i], 0,
				"left in the middle; what it had stopped may still be stopped. Run the same "
				"command again: it starts them");
}

/* Evidence for an act is being taken: the next command would have to begin with it again, and might never get to the act. */
static bool is_midway(const struct engine *e)
{
	for (size_t i = 0; i < e->plan->step_count; i++) {
		const struct step_run *s = &e->steps[i];

		for (size_t k = 0; s->state == STEP_BEFORE && k < s->gate_count; k++)
			if (gate_is_midway(&s->gates[k]))
				return true;
	}
	return false;
}

static bool is_out_of_patience(const struct engine *e)
{
	int64_t now = engine_mono(e), wake = next_wake(e);

	if (e->o->patience_ms == INT64_MAX || is_busy(e) || is_midway(e))
		return false; /* what is under way ends by itself: every exchange has its timeout */
	if (wake == INT64_MAX)
		return true;
	return wake - now > e->o->patience_ms || now - e->progress_mono > e->o->patience_ms;
}

static void loop(struct engine *e)
{
	const struct sys *sys = e->o->calls->sys;

	e->progress_mono = engine_mono(e);
	while (!e->fatal.code) {
		int64_t wake;

		if (sys->signalled(sys->ctx)) {
			stop(e);
			return;
		}
		people_poll(e);
		tick_all(e);
		if (all_over(e))
			return;
		if (e->fatal.code)
			break;
		if (is_out_of_patience(e))
			return;
		wake = next_wake(e);
		wake = wake == INT64_MAX ? SLICE :
					   MIN_OF(MAX_OF(wake - engine_mono(e), (int64_t)0), SLICE);
		if (caller_busy(e->caller))
			wake = SLICE;
		caller_pump(e->caller, wake);
		if (e->o->ui->tick)
			e->o->ui->tick(e->o->ui->ctx, clocks_now(e->clocks));
	}
	if (engine_is_writing(e)) /* its intent is on disk, and nobody else is there to end it */
		stop(e);
}

/* ---- the end ---- */

static void write_receipt(struct engine *e)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a), *steps = value_map(a);

	for (size_t i = 0; i < e->plan->step_count; i++)
		value_set(a, steps, e->plan->steps[i].address,
			  value_string(a, engine_past(e, &e->steps[i])->result));
	value_set(a, rec, "run", value_string(a, e->run));
	value_set(a, rec, "rollout_digest", value_string(a, engine_run(e)->rollout_digest));
	value_set(a, rec, "intent_digest", value_string(a, e->plan->intent_digest));
	value_set(a, rec, "steps", steps);
	engine_record(e, "receipt", rec);
}

static void write_suspension(struct engine *e, const struct apply_result *r)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a), *waits = value_map(a);

	for (size_t i = 0; i < e->plan->step_count; i++)
		if (!step_is_over(&e->steps[i]) && e->steps[i].waits_for[0]) {
			struct value *m = value_map(a);

			value_set(a, m, "for", value_string(a, e->steps[i].waits_for));
			value_set(a, m, "until", value_instant(a, e->steps[i].until_ms));
			value_set(a, waits, e->plan->steps[i].address, m);
		}
	value_set(a, rec, "run", value_string(a, e->run));
	value_set(a, rec, "now", value_instant(a, clocks_now(e->clocks)));
	value_set(a, rec, "until", value_instant(a, r->until_ms));
	value_set(a, rec, "waits", waits);
	engine_record(e, "suspend", rec);
}

static int rank(enum err_code c)
{
	return c == E_BUG ? 4 : c == E_GATE ? 2 : c == E_NONE ? 0 : 3;
}

static bool waits_for_person(const struct engine *e, const struct step_run *s)
{
	const struct past_step *p = engine_past(e, s);

	return s->state == STEP_ASK || s->state == STEP_CONFIRM || (p->is_asked && !p->ack);
}

static void conclude(struct engine *e, struct apply_result *r)
{
	const struct sys *sys = e->o->calls->sys;
	bool waits = false, person_named = false; /* whoever is needed is named first */

	r->total = e->plan->step_count;
	for (size_t i = 0; i < e->plan->step_count; i++) {
		const struct step_run *s = &e->steps[i];

		r->done += s->state == STEP_DONE;
		if (s->state == STEP_FAILED && rank(s->failure.code) >= rank(r->code)) {
			r->code = s->failure.code;
			snprintf(r->summary, sizeof(r->summary), "%s: %.300s", s->ps->address,
				 s->failure.msg);
		}
		if (step_is_over(s) || s->state == STEP_BLOCKED)
			continue;
		waits = true;
		r->needs_person |= waits_for_person(e, s);
		if (!r->code && (!r->summary[0] || (waits_for_person(e, s) && !person_named))) {
			person_named = waits_for_person(e, s);
			snprintf(r->summary, sizeof(r->summary), "%s: %.300s", s->ps->address,
				 s->waits_for);
		}
		if (s->until_ms && (!r->until_ms || s->until_ms < r->until_ms))
			r->until_ms = s->until_ms;
	}
	if (e->fatal.code)
		return;
	if (r->done == r->total) {
		write_receipt(e);
		return;
	}
	if (sys->signalled(sys->ctx))
		r->code = E_SIGNAL;
	else if (!r->code && waits)
		r->code = E_WAIT;
	write_suspension(e, r);
}

/* ---- putting it together ---- */

static int carry_out(struct engine *e, struct apply_result *ret, struct err *err)
{
	e->steps = mem_alloc((e->plan->step_count + 1) * sizeof(*e->steps));
	for (size_t i = 0; i < e->plan->step_count; i++)
		step_init(e, &e->steps[i], i);
	e->jsaid.run = engine_run(e);
	loop(e);
	conclude(e, ret);
	for (size_t i = 0; i < e->plan->step_count; i++)
		step_done(&e->steps[i]);
	mem_free(e->steps);
	if (e->fatal.code) {
		*err = e->fatal;
		return -err->code;
	}
	return 0;
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
	struct reading r = { .open = e->plan->env_count };

	for (size_t i = 0; i < e->plan->env_count; i++)
		round_start(&e->observer, e->envs[i], NULL, env_read, &r);
	while (r.open) {
		caller_pump(e->caller, SLICE);
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

/*
 * Something cannot be read, so nothing is begun. But what an earlier program left half done is ended: it does not get better by waiting until
 * another system answers again.
 */
static int mend_and_fail(struct engine *e, struct apply_result *ret, struct err *err)
{
	struct err why = *err, other = ERR_INIT;
	bool any = false;

	for (size_t i = 0; i < e->plan->step_count; i++)
		any |= is_in_the_middle(e, i);
	if (!any || why.code != E_REMOTE)
		return -(int)why.code;
	e->only_mends = true;
	if (carry_out(e, ret, &other) < 0)
		why = other;
	*err = why;
	return -(int)why.code;
}

static int plan_fresh(struct engine *e, struct apply_result *ret, bool *ret_go, struct err *err)
{
	struct planner_options po = { .observer = &e->observer, .envs = e->o->envs };
	bool any = false;
	size_t n = 0;

	while (e->o->envs[n])
		n++;
	e->envs = mem_alloc((n + 1) * sizeof(struct env_state *));
	po.keep = e->envs;

	if (planner_run(&po, e->arena, &e->plan, NULL, err) < 0)
		return -err->code;
	plan_to_value(e->plan);
	if (e->o->show_plan)
		ret->plan_status = e->o->show_plan(e->o->show_ctx, e->plan, false);
	else
		ret->plan_status = plan_exit_status(e->plan);
	for (size_t i = 0; i < e->plan->env_count; i++)
		any |= e->plan->envs[i].outlook == OUTLOOK_CHANGES;
	/* One environment that is refused stops the run before it starts: half a rollout is nobody's wish. */
	*ret_go = any && ret->plan_status == 0;
	ret->nothing_to_do = !any && ret->plan_status == 0;
	return 0;
}

static int run_locked(struct engine *e, struct apply_result *ret, struct err *err)
{
	struct past_run *open = NULL;
	char digest[65];
	bool go = true;

	rollout_digest(e->o->calls->rollout, e->o->envs, digest);
	if (journal_open(&e->journal, e->o->store, e->o->calls->sys, err) < 0)
		return -err->code;
	e->jsaid = (struct journal_said){ .journal = &e->journal, .sys = e->o->calls->sys };
	e->said = journal_said_ops(&e->jsaid);
	if (attest_take(&e->journal, e->o->calls->registry, true, err) < 0)
		return -err->code;
	if (e->o->abandon) {
		for (const struct rollout_env *const *env = e->o->envs; *env; env++) {
			struct past_run *r = history_open_run(&e->journal.history, (*env)->name);

			if (r && abandon(e, r, err) < 0)
				return -err->code;
		}
	}
	if (find_open(e, &open, err) < 0)
		return -err->code;
	if (open) {
		if (resume(e, open, digest, err) < 0)
			return -err->code;
		if (e->o->show_plan)
			e->o->show_plan(e->o->show_ctx, e->plan, true);
	} else if (plan_fresh(e, ret, &go, err) < 0) {
		return -err->code;
	}
	if (!go)
		return 0;
	if (!open) { /* what the plan rests on was read a moment ago */
		if (begin(e, digest, err) < 0)
			return -(int)err->code;
		return carry_out(e, ret, err);
	}
	e->envs = mem_alloc((e->plan->env_count + 1) * sizeof(struct env_state *));
	for (size_t i = 0; i < e->plan->env_count; i++)
		e->envs[i] = env_state_new(e->o->calls->registry, e->plan->envs[i].env);
	if (observe_again(e, err) < 0)
		return mend_and_fail(e, ret, err);
	return carry_out(e, ret, err);
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
	if (e->envs) {
		for (size_t i = 0; e->envs[i]; i++)
			env_state_free(e->envs[i]);
		mem_free(e->envs);
	}
	caller_free(e->caller);
	journal_close(&e->journal);
	o->store->unlock(o->store->ctx);
	mem_free(e);
	return rc;
}
