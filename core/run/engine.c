/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c - one run from its steps to its end: the loop, signals, receipt or suspension; and what all of core/run records and tells with.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/sb.h"
#include "core/base/when.h"
#include "core/run/receipt.h"
#include "core/run/run_state.h"

#define RECORD_MEMBERS 16 /* of a sample, which has most of them */
/* Longest sleep before the inbox is looked at and a line on the terminal renewed; where nobody was asked and nobody watches. A signal ends both. */
#define SLICE WHEN_SECOND
#define SLICE_ALONE WHEN_MINUTE
#define STOP_WITHIN (5 * WHEN_MINUTE) /* after a signal: to start again what was stopped */

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
	/* What the plan's arena holds is not copied. */
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

/* ---- who has something to do ---- */

/* Where the step of this index stands among the living, or would stand. */
static size_t live_place(const struct engine *e, size_t index)
{
	size_t from = 0, to = e->live_count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (e->live[mid] < index)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static void bring_to_life(struct engine *e, size_t index)
{
	size_t at = live_place(e, index);

	memmove(&e->live[at + 1], &e->live[at], (e->live_count - at) * sizeof(*e->live));
	e->live[at] = index;
	e->live_count++;
}

static void bury(struct engine *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->live_count; i++)
		if (!step_is_over(&e->steps[e->live[i]]))
			e->live[kept++] = e->live[i];
	e->live_count = kept;
}

void engine_step_done(struct engine *e, const struct step_run *s)
{
	for (size_t i = e->dependents_at[s->index]; i < e->dependents_at[s->index + 1]; i++) {
		struct step_run *d = &e->steps[e->dependents[i]];

		if (--d->unmet == 0 && d->state == STEP_BLOCKED)
			bring_to_life(e, d->index);
	}
}

/* Once the state of every step is known. */
static void link_steps(struct engine *e)
{
	size_t n = e->plan->step_count, *at = mem_alloc((n + 2) * sizeof(*at));

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < e->plan->steps[i].need_count; k++)
			at[e->plan->steps[i].needs[k] + 2]++;
	for (size_t i = 2; i < n + 2; i++)
		at[i] += at[i - 1];
	e->dependents = mem_alloc((at[n + 1] + 1) * sizeof(*e->dependents));
	e->live = mem_alloc((n + 1) * sizeof(*e->live));
	e->live_count = 0;
	for (size_t i = 0; i < n; i++) {
		struct step_run *s = &e->steps[i];

		for (size_t k = 0; k < s->ps->need_count; k++) {
			e->dependents[at[s->ps->needs[k] + 1]++] = i;
			s->unmet += e->steps[s->ps->needs[k]].state != STEP_DONE;
		}
		if (!step_is_over(s) && !s->unmet)
			e->live[e->live_count++] = i;
	}
	e->dependents_at = at;
}

static void unlink_steps(struct engine *e)
{
	mem_freep(&e->live);
	mem_freep(&e->dependents);
	mem_freep(&e->dependents_at);
	e->live_count = 0;
}

/* ---- the loop ---- */

static bool all_over(const struct engine *e)
{
	for (size_t i = 0; i < e->live_count; i++) {
		const struct step_run *s = &e->steps[e->live[i]];

		if (!step_is_over(s) && s->state != STEP_BLOCKED)
			return false;
	}
	return true;
}

/* When the first step that is under way wants to look again. */
static int64_t next_wake(const struct engine *e)
{
	int64_t wake = INT64_MAX;

	for (size_t i = 0; i < e->live_count; i++) {
		const struct step_run *s = &e->steps[e->live[i]];

		if (step_is_over(s) || s->state == STEP_BLOCKED)
			continue;
		if (s->is_busy)
			return engine_mono(e);
		wake = MIN_OF(wake, s->wake_mono);
	}
	return wake;
}

bool engine_has_left_open(const struct engine *e)
{
	for (size_t i = 0; i < e->plan->step_count; i++)
		if (step_is_left_open(&e->steps[i]))
			return true;
	return false;
}

bool engine_is_writing(const struct engine *e)
{
	return e->writing > 0;
}

static bool is_busy(const struct engine *e)
{
	for (size_t i = 0; i < e->live_count; i++)
		if (e->steps[e->live[i]].is_busy)
			return true;
	return false;
}

static void tick_all(struct engine *e)
{
	bool moved = true;

	/* A step that ends lets others begin, some of them earlier in the list. */
	while (moved && !e->fatal.code) {
		moved = false;
		for (size_t i = 0; i < e->live_count && !e->fatal.code; i++) {
			size_t index = e->live[i];
			struct step_run *s = &e->steps[index];
			enum step_state before = s->state;

			step_tick(s);
			journal_tidy(&e->journal);
			moved |= s->state != before && s->state == STEP_DONE;
			i = live_place(e, index); /* those before it may have come to life */
		}
		bury(e);
	}
}

/* First signal: what was stopped is started again. Second: leave. */
static void end_writes(struct engine *e)
{
	const struct sys *sys = e->o->calls->sys;
	int64_t by = INT64_MAX;

	while (engine_is_writing(e) && engine_mono(e) < by && sys->signalled(sys->ctx) < 2) {
		if (by == INT64_MAX && sys->signalled(sys->ctx)) {
			by = engine_mono(e) + STOP_WITHIN;
			caller_stop(e->caller);
		}
		caller_pump(e->caller, SLICE);
	}
}

/*
 * On a signal, and when the journal cannot be written any more: nothing new begins. What is under way comes to its end, and so does what an
 * earlier command left half done: both have their intents on disk.
 */
static void stop(struct engine *e)
{
	e->is_stopping = true;
	caller_hold(e->caller);
	for (size_t i = 0; i < e->plan->step_count; i++)
		step_mend(&e->steps[i]);
	end_writes(e);
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
	for (size_t i = 0; i < e->live_count; i++) {
		const struct step_run *s = &e->steps[e->live[i]];

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
		if (all_over(e) || (e->mends_only && !engine_has_left_open(e)))
			return;
		if (is_out_of_patience(e))
			return;
		wake = next_wake(e);
		slice = ui->tick || e->has_asked ? SLICE : SLICE_ALONE;
		wake = wake == INT64_MAX ? slice :
					   MIN_OF(MAX_OF(wake - engine_mono(e), (int64_t)0), slice);
		if (caller_busy(e->caller))
			wake = SLICE;
		journal_tidy(&e->journal);
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

int outcome_rank(enum err_code c)
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
		if (s->state == STEP_FAILED &&
		    outcome_rank(s->failure->code) >= outcome_rank(r->code)) {
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

/* ---- the whole run ---- */

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

int engine_carry_out(struct engine *e, struct apply_result *ret, struct err *err)
{
	e->steps = mem_alloc((e->plan->step_count + 1) * sizeof(*e->steps));
	for (size_t i = 0; i < e->plan->step_count; i++) {
		step_init(e, &e->steps[i], i);
		if (engine_past(e, &e->steps[i])->has_intent)
			step_keep_room(&e->steps[i]);
	}
	link_steps(e);
	e->jsaid.run = engine_run(e);
	tell_left(e);
	loop(e);
	conclude(e, ret);
	way_back_note_failures(e);
	for (size_t i = 0; i < e->plan->step_count; i++)
		step_done(&e->steps[i]);
	unlink_steps(e);
	mem_free(e->steps);
	e->steps = NULL;
	if (e->fatal.code) {
		*err = e->fatal;
		return -err->code;
	}
	return 0;
}
