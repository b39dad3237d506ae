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
#include "core/run/receipt.h"
#include "core/run/run_state.h"

#define RECORD_MEMBERS 16 /* of a sample, which has most of them */
/* Longest sleep before the inbox is looked at and a line on the terminal renewed; where nobody was asked and nobody watches. A signal ends both. */
#define SLICE WHEN_SECOND
#define SLICE_ALONE WHEN_MINUTE
#define ATTESTED_FOR WHEN_DAY         /* facts attested for planning */
#define OVERLAY_FOR WHEN_HOUR         /* an attested last use (design, section 5.6) */
#define STOP_WITHIN (5 * WHEN_MINUTE) /* after a signal: to start again what was stopped */

/* ---- what the journal says ---- */

static const struct past_run *marks_run(const struct journal_said *s, const char *env)
{
	const struct history *h = &s->journal->history;
	const struct past_run *open = s->run ? s->run : history_open_run(h, env);

	return open ? open : history_marked_run(h, env);
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
	/* Records stay as long as the journal: no room that they outgrow, and what the plan's arena holds is not copied. */
	struct value *rec = value_map_sized(a, RECORD_MEMBERS), *envs = value_list(a);

	for (size_t i = 0; i < s->ps->env_count; i++)
		value_list_add(a, envs, value_borrowed(a, e->plan->envs[s->ps->envs[i]].env->name));
	value_add(a, rec, "run", value_borrowed(a, e->run));
	value_add(a, rec, "step", value_borrowed(a, s->ps->address));
	value_add(a, rec, "environments", envs);
	value_add(a, rec, "now_ms", value_int(a, clocks_now(e->clocks)));
	return rec;
}

/* What became of what was sent: room is kept for it, so it is written also when nothing else could be. */
static bool is_of_an_intent(const char *type)
{
	return strcmp(type, "outcome") == 0 || strcmp(type, "lost") == 0;
}

bool engine_record(struct engine *e, const char *type, struct value *rec)
{
	struct err err = ERR_INIT;

	if (e->fatal.code && !is_of_an_intent(type))
		return false;
	if (journal_add(&e->journal, type, rec, &err) == 0) {
		if (e->o->on_record)
			e->o->on_record(e->o->record_ctx, rec);
		return true;
	}
	if (!e->fatal.code)
		e->fatal = err;
	return false;
}

/* Marks, words and effects of an outcome; the environments of a step stand in each of its records. */
#define OUTCOME_ROOM ((size_t)16 << 10)
#define ROOM_PER_ENV ((size_t)1 << 10)

bool step_keep_room(struct step_run *s)
{
	size_t room = 2 * (OUTCOME_ROOM + s->ps->env_count * ROOM_PER_ENV);

	if (s->room)
		return true;
	if (s->e->fatal.code || journal_reserve(&s->e->journal, room, &s->e->fatal) < 0)
		return false;
	s->room = room;
	return true;
}

void step_use_room(struct step_run *s, bool is_last)
{
	size_t part = is_last ? s->room : s->room / 2;

	if (part)
		journal_release(&s->e->journal, part);
	s->room -= part;
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
	e->run = r->id;
	return plan_from_value(e->arena, e->o->calls->registry, e->o->calls->rollout, r->plan,
			       &e->plan, err);
}

static int begin(struct engine *e, struct err *err)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a);
	const struct value *plan = plan_to_value(e->plan); /* its arena outlives the journal */
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
	e->run = arena_strdup(e->arena, id);
	return journal_add(&e->journal, "run", rec, err);
}

/* ---- the loop ---- */

static bool all_over(const struct engine *e)
{
	for (size_t i = 0; i < e->plan->step_count; i++)
		if (!step_is_over(&e->steps[i]) && e->steps[i].state != STEP_BLOCKED)
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
	return e->writing > 0;
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

			step_tick(s);
			moved |= s->state != before && s->state == STEP_DONE;
		}
	}
}

/* On a signal, and when the journal cannot be written any more: what is under way comes to its end, and nothing new begins. */
static void stop(struct engine *e)
{
	int64_t by = engine_mono(e) + STOP_WITHIN;

	e->is_stopping = true;
	caller_stop(e->caller);
	/* First signal: what was stopped is started again. Second: leave. */
	while (engine_is_writing(e) && engine_mono(e) < by &&
	       e->o->calls->sys->signalled(e->o->calls->sys->ctx) < 2)
		caller_pump(e->caller, SLICE);
	for (size_t i = 0; i < e->plan->step_count; i++) {
		const struct call_job *job = e->steps[i].job;

		if (job)
			engine_tell(
				e, APPLY_NOTE, &e->steps[i], 0,
				"left in the middle; %s. Run the same command again: it mends that",
				job->call.half ? job->call.half :
						 "whether it was done is not known");
	}
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
	const struct apply_ui *ui = e->o->ui;

	e->progress_mono = engine_mono(e);
	for (;;) {
		int64_t wake, slice;

		if (e->fatal.code || sys->signalled(sys->ctx)) {
			stop(e);
			return;
		}
		people_poll(e);
		tick_all(e);
		if (e->fatal.code)
			continue;
		if (all_over(e))
			return;
		if (is_out_of_patience(e))
			return;
		wake = next_wake(e);
		slice = ui->tick || e->has_asked ? SLICE : SLICE_ALONE;
		wake = wake == INT64_MAX ? slice :
					   MIN_OF(MAX_OF(wake - engine_mono(e), (int64_t)0), slice);
		if (caller_busy(e->caller))
			wake = SLICE;
		caller_pump(e->caller, wake);
		if (ui->tick)
			ui->tick(ui->ctx, clocks_now(e->clocks));
	}
}

/* ---- the end ---- */

static void write_receipt(struct engine *e)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = receipt_make(a, engine_run(e));

	if (journal_announce(&e->journal, &e->fatal) < 0)
		return;
	value_set(a, rec, "head", value_string(a, e->journal.head));
	value_set(a, rec, "now_ms", value_int(a, clocks_now(e->clocks)));
	engine_record(e, "receipt", rec);
}

static void write_suspension(struct engine *e, const struct apply_result *r)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a), *waits = value_map(a);

	for (size_t i = 0; i < e->plan->step_count; i++)
		if (!step_is_over(&e->steps[i]) && e->steps[i].waits_for) {
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

	return s->state == STEP_ASK || (s->state == STEP_CONFIRM && !s->is_frozen) ||
	       (p->is_asked && !p->ack);
}

/* What it needs was to be done by an environment that has left: in this run it can never be. */
static bool is_stuck(const struct engine *e, const struct step_run *s)
{
	for (size_t i = 0; i < s->ps->need_count; i++)
		if (s->state == STEP_BLOCKED && e->steps[s->ps->needs[i]].state == STEP_LEFT)
			return true;
	return false;
}

static void tell_stuck(const struct engine *e, struct apply_result *r)
{
	for (size_t i = 0; i < e->plan->step_count; i++) {
		if (!is_stuck(e, &e->steps[i]))
			continue;
		r->code = E_REFUSED;
		snprintf(
			r->summary, sizeof(r->summary),
			"%s waits for an environment that has left this run; take its own back with "
			"`s2sctl rollback`, or give the run up with --abandon",
			e->plan->steps[i].address);
		return;
	}
}

static void conclude(struct engine *e, struct apply_result *r)
{
	const struct sys *sys = e->o->calls->sys;
	bool waits = false, person_named = false; /* whoever is needed is named first */

	for (size_t i = 0; i < e->plan->step_count; i++) {
		const struct step_run *s = &e->steps[i];

		r->total += s->state != STEP_LEFT;
		r->done += s->state == STEP_DONE;
		if (s->state == STEP_FAILED && rank(s->failure->code) >= rank(r->code)) {
			r->code = s->failure->code;
			snprintf(r->summary, sizeof(r->summary), "%s: %.300s", s->ps->address,
				 s->failure->msg);
		}
		if (step_is_over(s) || s->state == STEP_BLOCKED)
			continue;
		waits = true;
		r->needs_person |= waits_for_person(e, s);
		if (!r->code && (!r->summary[0] || (waits_for_person(e, s) && !person_named))) {
			person_named = waits_for_person(e, s);
			snprintf(r->summary, sizeof(r->summary), "%s: %.300s", s->ps->address,
				 s->waits_for ? s->waits_for : "");
		}
		if (s->until_ms && (!r->until_ms || s->until_ms < r->until_ms)) {
			r->until_ms = s->until_ms;
			if (!r->code &&
			    !person_named) /* the reason is of whoever can go on first */
				snprintf(r->summary, sizeof(r->summary), "%s: %.300s",
					 s->ps->address, s->waits_for ? s->waits_for : "");
		}
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
	else if (!r->code)
		tell_stuck(e, r);
	write_suspension(e, r);
}

/* ---- putting it together ---- */

/* A step that others share with whoever has left: they would wait for it in vain. */
static void tell_left(struct engine *e)
{
	for (size_t i = 0; i < e->plan->step_count; i++) {
		const struct step_run *s = &e->steps[i];
		bool stays = false;

		for (size_t k = 0; k < s->ps->env_count; k++)
			stays |= !history_has_left(engine_run(e),
						   e->plan->envs[s->ps->envs[k]].env->name);
		if (s->state == STEP_LEFT && stays)
			engine_tell(
				e, APPLY_NOTE, s, 0,
				"not carried out in this run: one of its environments has left it");
	}
}

static int carry_out(struct engine *e, struct apply_result *ret, struct err *err)
{
	e->steps = mem_alloc((e->plan->step_count + 1) * sizeof(*e->steps));
	for (size_t i = 0; i < e->plan->step_count; i++) {
		step_init(e, &e->steps[i], i);
		if (engine_past(e, &e->steps[i])->has_intent)
			step_keep_room(&e->steps[i]);
	}
	e->jsaid.run = engine_run(e);
	tell_left(e);
	loop(e);
	conclude(e, ret);
	way_back_note_failures(e);
	for (size_t i = 0; i < e->plan->step_count; i++)
		step_done(&e->steps[i]);
	mem_free(e->steps);
	e->steps = NULL;
	if (e->fatal.code) {
		*err = e->fatal;
		return -err->code;
	}
	return 0;
}

/* Between two runs: nothing of the one before is left, and nothing may be minted. */
static void forget_run(struct engine *e)
{
	for (size_t i = 0; e->envs && e->envs[i]; i++)
		env_state_free(e->envs[i]);
	mem_free(e->envs);
	e->envs = NULL;
	e->plan = NULL;
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

	for (size_t i = 0; i < e->plan->env_count; i++)
		r.open += !history_has_left(engine_run(e), e->plan->envs[i].env->name);
	for (size_t i = 0; i < e->plan->env_count; i++)
		if (!history_has_left(engine_run(e), e->plan->envs[i].env->name))
			round_start(&e->observer, e->envs[i], things, env_read, &r);
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

static int plan_fresh(struct engine *e, const struct rollout_env *const *envs, enum direction way,
		      struct apply_result *ret, struct err *err)
{
	struct planner_options po = {
		.observer = &e->observer, .envs = envs, .direction = way, .made_by = guard_maker(e)
	};
	bool any = false;
	size_t n = 0;

	while (envs[n])
		n++;
	e->envs = mem_alloc((n + 1) * sizeof(struct env_state *));
	po.keep = e->envs;
	if (way == DIRECTION_BACK)
		way_back_inspects(&po, &e->journal.history);
	if (planner_run(&po, e->arena, &e->plan, NULL, err) < 0)
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
	return c == E_SIGNAL ? 5 : c == E_WAIT ? 1 : c == E_GATE ? 2 : c ? rank(c) : 0;
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

static int go_on(struct engine *e, const char *id, struct apply_result *ret, struct err *err)
{
	struct apply_result one = { 0 };

	if (resume(e, history_run(&e->journal.history, id), err) < 0)
		return -err->code;
	if (e->o->show_plan)
		e->o->show_plan(e->o->show_ctx, e->plan, true);
	e->envs = mem_alloc((e->plan->env_count + 1) * sizeof(struct env_state *));
	for (size_t i = 0; i < e->plan->env_count; i++)
		e->envs[i] = env_state_new(e->o->calls->registry, e->plan->envs[i].env);
	if (!is_all_done(e, engine_run(e)) && observe_again(e, err) < 0)
		return -err->code;
	if (carry_out(e, &one, err) < 0)
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
		if (plan_from_value(e->arena, e->o->calls->registry, e->o->calls->rollout, r->plan,
				    &e->plan, err) < 0)
			return -err->code;
		e->run = r->id;
		done = is_all_done(e, r);
		if (done && carry_out(e, &one, err) < 0)
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
	    carry_out(e, one, err) < 0)
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

/* `s2sctl rollback --apply`: ways back that are open are gone on with, the others begun. */
static int run_back(struct engine *e, struct apply_result *ret, struct err *err)
{
	struct going_back *list = NULL;
	size_t count = 0, cap = 0;
	struct apply_result one = { 0 };
	const struct past_run *under_way = NULL;

	for (const struct rollout_env *const *env = e->o->envs; *env; env++) {
		const struct past_run *r = history_open_run(&e->journal.history, (*env)->name);

		under_way = r && r->is_back ? r : under_way;
	}
	if (guard_plan_file(e, under_way, err) < 0)
		return -err->code;
	for (const struct rollout_env *const *env = e->o->envs; *env; env++) {
		struct past_run *r = history_open_run(&e->journal.history, (*env)->name);

		if (r && r->is_back) {
			if (go_on(e, r->id, ret, err) < 0)
				return -err->code;
			continue;
		}
		list = arena_grow(e->arena, list, count, &cap, sizeof(*list));
		list[count++] = (struct going_back){ *env, "it was asked for", r ? r->id : NULL };
	}
	if (!count || ret->code == E_SIGNAL)
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
		if (begin(e, err) < 0 || carry_out(e, &one, err) < 0)
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
