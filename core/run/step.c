/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step.c - one step's life: look, gates before, confirm, act or ask, verify, gates after.
 *
 * Everything that must survive a kill is a record before it is true: the intent before the request, the outcome after it. A reply
 * that was lost is an outcome of its own; what really happened is then looked for, never guessed.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/sb.h"
#include "core/base/when.h"
#include "core/run/run_state.h"

#define FENCE_EVERY (2 * WHEN_MINUTE)
#define FRESH_FOR (2 * WHEN_MINUTE) /* how old the evidence for an act may be */
#define VERIFY_EVERY (5 * WHEN_SECOND)
#define VERIFY_SLOWLY (30 * WHEN_SECOND)
#define VERIFY_WITHIN SHOWS_WITHIN
#define WAITS_FOR_MAX 300
#define PERSON_EVERY (30 * WHEN_SECOND) /* while staying: has the effect shown without an answer? */

bool step_is_over(const struct step_run *s)
{
	return s->state == STEP_DONE || s->state == STEP_FAILED || s->state == STEP_LEFT;
}

void step_init(struct engine *e, struct step_run *s, size_t index)
{
	const struct plan_step *ps = &e->plan->steps[index];

	*s = (struct step_run){ .e = e, .index = index, .ps = ps, .wake_mono = 0 };
	if (history_step_is_left(engine_run(e), ps->address))
		s->state = STEP_LEFT;
	else if (engine_past(e, s)->is_done)
		s->state = STEP_DONE;
}

static void make_gates(struct step_run *s)
{
	const struct plan_step *ps = s->ps;

	s->gates = mem_alloc(ps->gate_count * ps->env_count * sizeof(*s->gates));
	for (size_t g = 0; g < ps->gate_count; g++)
		for (size_t i = 0; i < ps->env_count; i++)
			s->gates[s->gate_count++] =
				(struct gate_run){ .pg = &ps->gates[g], .env = ps->envs[i] };
}

static void drop_gates(struct step_run *s)
{
	for (size_t i = 0; i < s->gate_count; i++)
		gate_done(&s->gates[i]);
	mem_free(s->gates);
	s->gates = NULL;
	s->gate_count = 0;
}

void step_done(struct step_run *s)
{
	drop_gates(s);
	mem_free(s->failure);
	mem_free(s->waits_for);
}

/* Remembers what the step waits for, and until when. True: this is new. */
static bool note_wait(struct step_run *s, int64_t wake_mono, int64_t until_ms, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

static bool note_wait(struct step_run *s, int64_t wake_mono, int64_t until_ms, const char *fmt, ...)
{
	char text[WAITS_FOR_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->wake_mono = wake_mono;
	s->until_ms = until_ms;
	if (strcmp(s->waits_for ? s->waits_for : "", text) == 0)
		return false;
	mem_free(s->waits_for);
	s->waits_for = mem_strdup(text);
	return true;
}

static void tell_wait(struct step_run *s)
{
	engine_tell(s->e, APPLY_STEP_WAITS, s, s->until_ms, "%s", s->waits_for);
}

void step_waits(struct step_run *s, int64_t wake_mono, int64_t until_ms, const char *what)
{
	if (note_wait(s, wake_mono, until_ms, "%s", what))
		tell_wait(s);
}

void step_fail(struct step_run *s, enum err_code code, const char *fmt, ...)
{
	struct arena *a = journal_arena(&s->e->journal);
	CLEANUP(sb_done) struct sb text = SB_INIT(sizeof(s->failure->msg) - 1);
	struct value *rec = step_record(s->e, s);
	va_list ap;

	va_start(ap, fmt);
	sb_addv(&text, fmt, ap);
	va_end(ap);
	if (s->state == STEP_FAILED)
		return;
	s->state = STEP_FAILED;
	s->failure = mem_alloc(sizeof(*s->failure));
	*s->failure = (struct err)ERR_INIT;
	err_set(s->failure, code, "%s", text.buf);
	value_set(a, rec, "why", value_string(a, text.buf));
	value_set(a, rec, "code", value_int(a, (int64_t)code));
	engine_record(s->e, "failed", rec);
	engine_tell(s->e, APPLY_STEP_FAILED, s, 0, "%s", text.buf);
}

static const char *mark_name(const struct step_run *s, struct arena *a, const char *which)
{
	return arena_printf(a, "%s/%s.%s", s->ps->thing->name, s->ps->type->name, which);
}

static void finish(struct step_run *s, const char *result, const char *how)
{
	struct arena *a = journal_arena(&s->e->journal);
	struct value *rec = step_record(s->e, s), *marks = value_map(a);

	value_set(a, marks, mark_name(s, a, "done"), value_int(a, clocks_now(s->e->clocks)));
	value_set(a, rec, "result", value_string(a, result));
	value_set(a, rec, "marks", marks);
	if (!engine_record(s->e, "step", rec))
		return;
	s->state = STEP_DONE;
	engine_step_done(s->e, s);
	drop_gates(s);
	engine_tell(s->e, APPLY_STEP_DONE, s, 0, "%s", how);
}

/* ---- looking ---- */

static enum settled settled_now(struct step_run *s)
{
	enum settled all = SETTLED_YES;

	if (!s->ps->type->settled)
		return SETTLED_UNKNOWN;
	for (size_t i = 0; i < s->ps->env_count; i++) {
		struct arena a = ARENA_INIT;
		struct view v = env_view(s->e->envs[s->ps->envs[i]], clocks_now(s->e->clocks));
		enum settled one;

		v.marks = step_marks(s->e, s, &a);
		one = s->ps->type->settled(&v);
		arena_done(&a);
		if (one == SETTLED_NO)
			return SETTLED_NO;
		if (one == SETTLED_UNKNOWN)
			all = SETTLED_UNKNOWN;
	}
	return all;
}

static void looked(void *arg, struct env_state *env)
{
	struct step_run *s = arg;

	(void)env;
	if (--s->rounds_open)
		return;
	s->is_busy = false;
	s->look = LOOK_FRESH;
	s->wake_mono = engine_mono(s->e);
}

/* True when a look is over and its facts are fresh; the next call begins another one. */
static bool look(struct step_run *s)
{
	static const char *const nothing[] = { NULL };

	if (s->look == LOOK_NONE) {
		s->look = LOOK_RUNNING;
		s->is_busy = true;
		s->rounds_open = s->ps->env_count;
		for (size_t i = 0; i < s->ps->env_count; i++)
			round_start(&s->e->observer, s->e->envs[s->ps->envs[i]],
				    s->ps->type->verify ? s->ps->type->verify : nothing, looked, s);
	}
	if (s->look != LOOK_FRESH)
		return false;
	s->look = LOOK_NONE;
	return true;
}

bool step_is_left_open(const struct step_run *s)
{
	return (s->ps->type->flags & CHANGE_UNSUSPENDED) && !step_is_over(s) &&
	       (engine_past(s->e, s)->has_intent || engine_past(s->e, s)->is_half);
}

/*
 * A system that could not be read at all fails the step; denied facts are a person's business. What was left in the middle goes on all the
 * same: it looks for itself, and what it had stopped does not wait for a page that somebody else's proxy gives.
 */
static bool look_failed(struct step_run *s)
{
	struct err other = ERR_INIT;
	bool is_left_open = step_is_left_open(s);

	for (size_t i = 0; i < s->ps->env_count; i++) {
		const struct env_state *env = s->e->envs[s->ps->envs[i]];

		if (engine_same_identity(s->e, s->ps->envs[i], &other) < 0) {
			step_fail(s, E_REFUSED, "%s", other.msg);
			return true;
		}
		for (const char *const *t = s->ps->type->verify; t && *t; t++) {
			size_t k = registry_thing_index(s->e->plan->registry, *t);

			if (k != SIZE_MAX && env->seen[k].known == KNOWN_FAILED && !is_left_open) {
				step_fail(s, E_REMOTE, "%s", env->seen[k].why);
				return true;
			}
		}
	}
	return false;
}

/* ---- gates ---- */

static void open_gates(struct step_run *s, bool before)
{
	for (size_t i = 0; i < s->gate_count; i++)
		if (s->gates[i].pg->is_before == before)
			/* Evidence for an act that cannot be undone is never older than this look. */
			gate_open(s, &s->gates[i], before);
}

/* Asks the gates one after the other; true when all have passed. */
static bool gates_pass(struct step_run *s, bool before)
{
	int64_t wake = INT64_MAX;

	for (size_t i = 0; i < s->gate_count; i++) {
		struct gate_run *g = &s->gates[i];

		if (g->pg->is_before != before || g->is_passed)
			continue;
		gate_tick(s, g);
		if (s->state == STEP_FAILED || s->e->fatal.code)
			return false;
		if (g->is_passed)
			continue;
		wake = MIN_OF(wake, g->wake_mono);
		if (g->is_sampling)
			s->wake_mono = INT64_MAX;
		else
			/* What the gate saw has been told already. */
			(void)note_wait(s, wake, g->says.until_ms, "%s: %s", g->pg->type->name,
					g->says.why[0] ? g->says.why : "sampling");
		return false; /* the next gate opens when this one has passed */
	}
	return true;
}

/*
 * Whether all that must hold before the act was seen to hold just now. While one gate made the step wait, what another one
 * saw has aged: then all are asked again.
 */
static bool is_evidence_fresh(struct step_run *s)
{
	int64_t allowed = FRESH_FOR;
	bool fresh = true;

	for (size_t i = 0; i < s->gate_count; i++) {
		const struct gate_run *g = &s->gates[i];
		size_t need = gate_samples_needed(g);

		if (!g->pg->is_before)
			continue;
		allowed += (int64_t)(need - 1) * gate_cadence(g);
		fresh = fresh && g->looks <= need; /* it had to wait */
	}
	for (size_t i = 0; i < s->gate_count; i++)
		if (s->gates[i].pg->is_before &&
		    engine_mono(s->e) - s->gates[i].passed_mono > allowed)
			fresh = false;
	if (!fresh) {
		open_gates(s, true);
		s->wake_mono = engine_mono(s->e);
	}
	return fresh;
}

/* ---- acting ---- */

static struct value *outcome_record(struct step_run *s, const struct value *marks, bool ok,
				    const char *how)
{
	struct arena *a = journal_arena(&s->e->journal);
	struct value *rec = step_record(s->e, s);
	struct value *all = marks ? value_copy(a, marks) : value_map(a);

	value_set(a, rec, "ok", value_bool(a, ok));
	value_set(a, rec, "how", value_string(a, how));
	value_set(a, rec, "marks", all);
	if (ok) {
		value_set(a, all, mark_name(s, a, "from"),
			  value_int(a, engine_past(s->e, s)->from_ms));
		if (!value_get(all, mark_name(s, a, "at")))
			value_set(a, all, mark_name(s, a, "at"),
				  value_int(a, clocks_now(s->e->clocks)));
	}
	return rec;
}

/* What it left half done is the next command's to mend, whatever else that one can read. */
static struct value *failure_record(struct step_run *s, const struct call_job *j, const char *how)
{
	struct arena *a = journal_arena(&s->e->journal);
	struct value *rec = outcome_record(s, j->call.marks, false, how);

	if (j->call.half)
		value_set(a, rec, "half", value_string(a, j->call.half));
	return rec;
}

/* An intent is over with it, and so is the room that was kept. */
static bool record_outcome(struct step_run *s, struct value *rec)
{
	step_use_room(s, true);
	return engine_record(s->e, "outcome", rec);
}

/* The intent stays open: its outcome, one day, still finds room. */
static bool record_lost(struct step_run *s, struct value *rec)
{
	step_use_room(s, false);
	return engine_record(s->e, "lost", rec);
}

static const struct value *operator_effects(struct step_run *s)
{
	struct view v = env_view(s->e->envs[s->ps->envs[0]], clocks_now(s->e->clocks));

	return s->ps->type->effects ? s->ps->type->effects(&v, journal_arena(&s->e->journal)) :
				      NULL;
}

static bool put_secret(struct step_run *s, struct call_job *j)
{
	const struct secret_source *src = s->e->o->calls->secrets;
	struct err err = ERR_INIT;

	if (!j->call.put_secret || !j->call.put_ref)
		return true;
	if (j->call.put_secret->kind != VAL_SECRET) {
		step_fail(s, E_BUG, "the secret for '%s' came as plain text; it was not stored",
			  j->call.put_ref);
		return false;
	}
	if (src->put(src->ctx, j->call.put_ref, j->call.put_secret->u.secret, &err) < 0) {
		struct value *rec = step_record(s->e, s);

		/* The other side has done its part: the intent stays open, and is not simply sent again. */
		value_set(journal_arena(&s->e->journal), rec, "why",
			  value_string(journal_arena(&s->e->journal), err.msg));
		record_lost(s, rec);
		step_fail(s, err.code, "the secret could not be stored: %s", err.msg);
		return false;
	}
	return true;
}

static void acted(void *arg, struct call_job *j)
{
	struct step_run *s = arg;
	struct arena *a = journal_arena(&s->e->journal);
	struct value *rec, *marks;

	s->is_busy = false;
	s->job = NULL;
	s->e->writing--;
	s->wake_mono = engine_mono(s->e);
	if (j->result == NEXT_DONE) {
		if (!put_secret(s, j))
			return;
		marks = value_copy(a, j->call.marks);
		if (j->call.server_ms)
			value_set(a, marks, mark_name(s, a, "at"), value_int(a, j->call.server_ms));
		rec = outcome_record(s, marks, true, executor_name(s->ps->executor));
		if (record_outcome(s, rec)) {
			s->acted_now = true;
			s->state = STEP_VERIFY;
			s->verify_by_mono = engine_mono(s->e) + VERIFY_WITHIN;
		}
		return;
	}
	if (j->may_have_acted) {
		/* Neither done nor not done: the effect decides. The intent stays open in the journal. */
		rec = step_record(s->e, s);
		value_set(a, rec, "why", value_string(a, j->err.msg));
		if (!record_lost(s, rec))
			return;
		engine_tell(s->e, APPLY_NOTE, s, 0,
			    "whether it was done is not known (%s); looking for its effect",
			    j->err.msg);
		s->acted_now = true;
		s->state = STEP_VERIFY;
		s->verify_by_mono = engine_mono(s->e) + VERIFY_WITHIN;
		return;
	}
	if (j->err.code == E_SIGNAL || s->e->is_stopping) {
		rec = failure_record(s, j, "interrupted");
		record_outcome(s, rec);
		s->state = STEP_LOOK;
		engine_tell(s->e, APPLY_NOTE, s, 0, "%s", j->err.msg);
		return;
	}
	if (j->is_fenced) {
		/* Another environment with the same credential was restarted: nothing was sent, and its fence opens again. */
		rec = outcome_record(s, j->call.marks, false, "fenced");
		if (!record_outcome(s, rec))
			return;
		s->state = STEP_LOOK;
		if (note_wait(s, engine_mono(s->e) + FENCE_EVERY, 0, "%s", j->err.msg))
			tell_wait(s);
		return;
	}
	rec = failure_record(s, j, j->err.msg);
	if (record_outcome(s, rec))
		step_fail(s, j->err.code, "%s%s%s", j->err.msg, j->err.hint[0] ? "; " : "",
			  j->err.hint);
}

static const struct value *facts_before(struct step_run *s)
{
	size_t k = registry_thing_index(s->e->plan->registry, s->ps->thing->name);

	return k == SIZE_MAX ? NULL : facts_to_write(s->e, &s->e->envs[s->ps->envs[0]]->seen[k]);
}

/*
 * What was before such a step is known from its first intent on: when it is killed in the middle, whoever comes after,
 * a way back above all, has to know what ran.
 */
static void note_before(struct step_run *s, struct value *rec, const struct value *before)
{
	struct arena *a = journal_arena(&s->e->journal);
	struct value *marks;

	if (!(s->ps->type->flags & CHANGE_TELLS_BEFORE) || !before ||
	    value_get(step_marks(s->e, s, a), MARK_BEFORE))
		return;
	marks = value_map(a);
	value_set(a, marks, MARK_BEFORE, before);
	value_set(a, rec, "marks", marks);
}

/* A change that can be seen by its nonce keeps the one that it was first tried with: whichever try arrived, it shows. */
static const char *nonce_for(struct step_run *s, struct value *rec)
{
	struct arena *a = journal_arena(&s->e->journal);
	const char *name = mark_name(s, a, "nonce");
	struct value *marks = value_map(a);
	char fresh[17];
	const char *noted = value_text(value_get(step_marks(s->e, s, a), name));

	if (noted && (s->ps->type->flags & CHANGE_NONCE))
		return noted;
	new_nonce(s->e, fresh);
	if (!(s->ps->type->flags & CHANGE_NONCE))
		return arena_strdup(a, fresh);
	value_set(a, marks, name, value_string(a, fresh));
	value_set(a, rec, "marks", marks);
	return arena_strdup(a, fresh);
}

static void act(struct step_run *s)
{
	struct engine *e = s->e;
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = step_record(e, s);
	const struct value *before = facts_before(s);
	const struct past_step *p = engine_past(e, s);
	int64_t unanswered_ms = p->has_intent ? p->intent_ms : p->unanswered_ms;
	bool is_left_open = step_is_left_open(s);
	struct call_job given = {
		.env = e->plan->envs[s->ps->envs[0]].env,
		.thing = s->ps->thing,
		.fn = s->ps->executor == EXEC_BRIDGE ? s->ps->type->apply_bridge :
						       s->ps->type->apply,
		.mode = CALL_WRITES,
		/* It must not end half done because an answer is missing: it looks for itself. */
		.survives_loss = (s->ps->type->flags & CHANGE_UNSUSPENDED) != 0,
		.mends = is_left_open,
		.done = acted,
		.arg = s,
	};
	const char *nonce;

	if (!given.fn) {
		step_fail(s, E_BUG, "%s cannot be carried out by %s", s->ps->address,
			  executor_name(s->ps->executor));
		return;
	}
	nonce = nonce_for(s, rec);
	value_set(a, rec, "nonce", value_string(a, nonce));
	value_set(a, rec, "executor", value_string(a, executor_name(s->ps->executor)));
	value_set(a, rec, "before", before);
	note_before(s, rec, before);
	/* What an earlier command left stopped has its intent on disk: it does not wait until this disk takes another one. */
	if ((!step_keep_room(s) || !engine_record(e, "intent", rec)) && !is_left_open) {
		step_use_room(s, true);
		return;
	}
	engine_tell(e, APPLY_STEP_ACTING, s, 0, "%s", executor_name(s->ps->executor));
	given.view = env_view(e->envs[s->ps->envs[0]], clocks_now(e->clocks));
	given.call.before = engine_past(e, s)->before;
	given.call.unanswered_ms = unanswered_ms;
	s->is_busy = s->has_sent = true;
	s->wake_mono = INT64_MAX;
	s->job = caller_start(e->caller, &given);
	s->job->view.marks = step_marks(e, s, s->job->call.arena);
	s->job->call.nonce = arena_strdup(s->job->call.arena, nonce);
	e->writing++;
}

void step_mend(struct step_run *s)
{
	struct err other = ERR_INIT;

	/* One that has ended here, and could not be recorded, has done what it could. */
	if (!step_is_left_open(s) || s->has_sent ||
	    (s->ps->executor != EXEC_API && s->ps->executor != EXEC_BRIDGE))
		return;
	for (size_t i = 0; i < s->ps->env_count; i++)
		if (engine_same_identity(s->e, s->ps->envs[i], &other) < 0)
			return;
	act(s);
}

/* The attested instant of an operator's act, in evidence time, within what is possible. */
static int64_t attested_at(struct step_run *s, const struct value *ack)
{
	const struct past_step *p = engine_past(s->e, s);
	int64_t now = clocks_now(s->e->clocks), at = value_int_or(value_get(ack, "at_ms"), 0);

	if (!at) /* when they said so, by their own clock, moved onto the servers' */
		at = value_int_or(value_get(ack, "said_at_ms"), 0) +
		     (now - sys_wall_ms(s->e->o->calls->sys));
	return MIN_OF(MAX_OF(at, p->asked_ms), now);
}

static void take_answer(struct step_run *s)
{
	struct arena *a = journal_arena(&s->e->journal);
	const struct past_step *p = engine_past(s->e, s);
	const struct value *ack = p->ack;
	struct value *marks = value_map(a), *rec;
	int64_t at = attested_at(s, ack);

	value_set(a, marks, mark_name(s, a, "at"), value_int(a, at));
	if (s->ps->type->flags & CHANGE_FENCES)
		value_set(a, marks, MARK_RESTART, value_int(a, at));
	if (s->ps->type->flags & CHANGE_TELLS_BEFORE)
		value_set(a, marks, MARK_BEFORE, value_get(ack, "facts"));
	rec = outcome_record(s, marks, true, "operator");
	value_set(a, rec, "by", value_get(ack, "by"));
	value_set(a, rec, "effects", operator_effects(s));
	if (!record_outcome(s, rec))
		return;
	s->acted_now = true;
	s->state = STEP_VERIFY;
	s->verify_by_mono = engine_mono(s->e) + VERIFY_WITHIN;
	s->wake_mono = engine_mono(s->e);
}

/* ---- states ---- */

static void go_after(struct step_run *s)
{
	s->state = STEP_AFTER;
	open_gates(s, false);
	s->wake_mono = engine_mono(s->e);
}

static void found_done(struct step_run *s)
{
	const struct past_step *p = engine_past(s->e, s);

	if (p->has_intent) {
		/* The reply was lost, or the program was killed: its effect shows that it was carried out. */
		if (!record_outcome(s, outcome_record(s, NULL, true, "found done")))
			return;
	} else if (!p->has_acted && p->is_asked && p->is_act && p->ack) {
		take_answer(s);
		return;
	} else if (!p->has_acted) {
		/* Somebody else's doing, or an operator's who has not said so. When it was is not known: now is the careful answer. */
		struct arena *a = journal_arena(&s->e->journal);
		bool asked = p->is_asked && p->is_act;
		struct value *rec =
			outcome_record(s, NULL, true,
				       asked ? "effect seen without an answer" : "found so");

		if (s->ps->executor == EXEC_OPERATOR)
			value_set(a, rec, "effects", operator_effects(s));
		if (!record_outcome(s, rec))
			return;
		s->was_so = !asked;
	}
	go_after(s);
}

static void tick_look(struct step_run *s)
{
	const struct past_step *p;
	enum settled now;

	if (!look(s) || look_failed(s))
		return;
	p = engine_past(s->e, s);
	now = settled_now(s);
	if (now == SETTLED_YES) {
		found_done(s);
		return;
	}
	if (p->has_acted && now == SETTLED_UNKNOWN) {
		go_after(s);
		return;
	}
	if (p->has_acted || (p->is_lost && s->ps->type->undo == UNDO_NEVER)) {
		/* What cannot be undone is never sent twice in a run: its effect is waited for, and nothing else. */
		s->state = STEP_VERIFY;
		s->verify_by_mono = engine_mono(s->e) + VERIFY_WITHIN;
		return;
	}
	if (p->has_intent && now == SETTLED_UNKNOWN && s->ps->type->settled &&
	    !(s->ps->type->flags & CHANGE_UNSUSPENDED)) {
		/* It may have been sent, and nothing that can be read shows it: a person looks, and says so. */
		if (!s->ps->type->instruct) {
			step_fail(
				s, E_GATE,
				"it may have been done already, and nothing that can be read shows it: it is not sent again");
			return;
		}
		engine_tell(
			s->e, APPLY_NOTE, s, 0,
			"it may have been done already and cannot be seen: it is not sent again");
		s->state = STEP_ASK;
		return;
	}
	if (p->has_intent && now == SETTLED_NO &&
	    (s->ps->type->undo != UNDO_NOTHING || (s->ps->type->flags & CHANGE_NONCE)) &&
	    !(s->ps->type->flags & CHANGE_UNSUSPENDED) &&
	    clocks_now(s->e->clocks) - p->intent_ms < VERIFY_WITHIN) {
		/* The program ended in between. What was sent may show late; only then is it certain that it was not. */
		if (note_wait(
			    s, engine_mono(s->e) + VERIFY_SLOWLY, p->intent_ms + VERIFY_WITHIN,
			    "an effect that may still show, since it may have been sent before the program ended"))
			tell_wait(s);
		return;
	}
	if (p->is_asked && p->is_act && (p->ack || s->is_asking)) {
		s->state = STEP_ASK; /* the question stands */
		return;
	}
	s->state = STEP_BEFORE;
	open_gates(s, true);
}

/* What an operator does in the console is confirmed there; what this tool sends, here. */
static bool wants_title(const struct step_run *s)
{
	return (s->ps->type->flags & CHANGE_CONFIRM) && s->ps->executor != EXEC_OPERATOR;
}

static bool is_confirmed(struct step_run *s, const char **ret_title)
{
	const struct change_type *t = s->ps->type;
	struct view v = env_view(s->e->envs[s->ps->envs[0]], clocks_now(s->e->clocks));
	const char *title;

	*ret_title = NULL;
	if (!wants_title(s))
		return true;
	title = *ret_title = view_fact_text(&v, t->confirm_thing, t->confirm_fact);
	if (!title)
		return false;
	for (const char *const *c = s->e->o->confirmed; c && *c; c++)
		if (strcmp(*c, title) == 0)
			return true;
	return false;
}

static void tick_confirm(struct step_run *s)
{
	const struct apply_ui *ui = s->e->o->ui;
	const char *title = NULL;

	if (guard_holds(s))
		return;
	/* Once is enough, also when the evidence has to be taken again. */
	s->was_confirmed = s->was_confirmed || is_confirmed(s, &title);
	if (!s->was_confirmed && title && ui->confirm) {
		if (engine_is_writing(s->e)) {
			/* Asking on a terminal holds everything; nobody's workflows stay stopped for that long. */
			s->wake_mono = engine_mono(s->e) + WHEN_SECOND;
			return;
		}
		s->was_confirmed = ui->confirm(ui->ctx, s->ps->address, title);
	}
	if (s->was_confirmed) {
		s->state = s->ps->executor == EXEC_OPERATOR ? STEP_ASK : STEP_ACT;
	} else if (note_wait(s, INT64_MAX, 0,
			     "this cannot be undone: run again with --confirm '%s'",
			     title ? title : "TITLE")) {
		tell_wait(s);
	}
}

static void tick_ask(struct step_run *s)
{
	const struct past_step *p = engine_past(s->e, s);

	if (p->is_act && p->ack && !p->has_acted) {
		take_answer(s);
		return;
	}
	if (s->is_asking && engine_mono(s->e) >= s->look_again_mono) {
		/* Staying: has somebody done it without saying so? */
		s->look_again_mono = engine_mono(s->e) + PERSON_EVERY;
		s->state = STEP_LOOK;
		return;
	}
	if (!s->is_asking) {
		ask_act(s);
		s->is_asking = true;
		s->look_again_mono = engine_mono(s->e) + PERSON_EVERY;
	}
	if (s->state == STEP_ASK &&
	    note_wait(s, s->e->o->patience_ms == INT64_MAX ? s->look_again_mono : INT64_MAX, 0,
		      "a person: s2sctl ack %s --by NAME", s->ps->address))
		tell_wait(s);
}

static void tick_verify(struct step_run *s)
{
	enum settled now;

	if (!look(s) || look_failed(s))
		return;
	now = settled_now(s);
	if (now == SETTLED_YES && engine_past(s->e, s)->has_intent) {
		found_done(s);
		return;
	}
	if (now != SETTLED_NO && !engine_past(s->e, s)->has_intent) {
		go_after(s);
		return;
	}
	if (engine_mono(s->e) > s->verify_by_mono && s->ps->type->undo == UNDO_NEVER &&
	    engine_past(s->e, s)->is_lost) {
		step_fail(
			s, E_GATE,
			"it was sent once and its effect has not shown; it is not sent again in this run. Look in the "
			"console; if it did not happen, give the run up with --abandon and plan anew");
		return;
	}
	if (engine_mono(s->e) > s->verify_by_mono && engine_past(s->e, s)->is_lost) {
		step_fail(
			s, E_TRANSPORT,
			"the reply was lost, and no effect has shown within 15 minutes. Run the same command again: it looks "
			"once more, and sends it again if it had none");
		return;
	}
	if (engine_mono(s->e) > s->verify_by_mono) {
		step_fail(s, E_GATE, "%s: no effect seen within 15 minutes after %s",
			  s->ps->type->doc,
			  s->ps->executor == EXEC_OPERATOR ? "it was said to be done" :
							     "the request");
		return;
	}
	/* Most effects show at once; a list that lags does so by minutes. */
	if (note_wait(s,
		      engine_mono(s->e) +
			      (s->verify_by_mono - engine_mono(s->e) > VERIFY_WITHIN - WHEN_MINUTE ?
				       VERIFY_EVERY :
				       VERIFY_SLOWLY),
		      0, "its effect to show"))
		tell_wait(s);
}

static void tick_after(struct step_run *s)
{
	bool was_done = engine_past(s->e, s)->has_acted && !s->was_so;

	if (!gates_pass(s, false))
		return;
	for (size_t i = 0; i < s->gate_count; i++)
		if (!s->gates[i].pg->is_before && s->gates[i].says.verdict != VERDICT_PASS) {
			finish(s, "inconclusive", "no answer, reported; it does not stop the plan");
			return;
		}
	if (s->ps->executor == EXEC_NONE)
		finish(s, "done", "proved");
	else
		finish(s, was_done ? "done" : "already", was_done ? "done" : "was so already");
}

static void tick_once(struct step_run *s)
{
	switch (s->state) {
	case STEP_BLOCKED:
		engine_tell(s->e, APPLY_STEP_STARTED, s, 0, "%s", s->ps->type->doc);
		s->started_mono = engine_mono(s->e);
		s->wake_mono = s->started_mono;
		make_gates(s);
		if (s->ps->executor == EXEC_NONE)
			go_after(s);
		else
			s->state = STEP_LOOK;
		return;
	case STEP_LOOK:
		tick_look(s);
		return;
	case STEP_BEFORE:
		if (gates_pass(s, true) && is_evidence_fresh(s))
			s->state = STEP_CONFIRM;
		return;
	case STEP_CONFIRM:
		tick_confirm(s);
		return;
	case STEP_ACT:
		if (is_evidence_fresh(s)) /* a person may have taken their time to type the title */
			act(s);
		else
			s->state = STEP_BEFORE;
		return;
	case STEP_ASK:
		tick_ask(s);
		return;
	case STEP_VERIFY:
		tick_verify(s);
		return;
	case STEP_AFTER:
		tick_after(s);
		return;
	case STEP_DONE:
	case STEP_FAILED:
	case STEP_LEFT:
		return;
	}
}

void step_tick(struct step_run *s)
{
	for (enum step_state before = STEP_FAILED; before != s->state;) {
		if (s->is_busy || step_is_over(s) || s->e->fatal.code)
			return;
		if (s->e->mends_only && !step_is_left_open(s))
			return;
		if (s->state == STEP_BLOCKED ? s->unmet > 0 : s->wake_mono > engine_mono(s->e))
			return;
		before = s->state;
		tick_once(s);
	}
}
