/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_run.c - asks one gate of one environment until it has an answer: rounds of observing, at its cadence, each judged
 * and journalled. Samples of earlier runs of the program are taken up from the journal.
 */
#include <string.h>

#include "core/base/mem.h"
#include "core/base/when.h"
#include "core/io/json.h"
#include "core/run/run_state.h"

#define SKEW_MAX (5 * WHEN_MINUTE) /* above it the gates compare no times */
/*
 * Where nothing has moved for so many looks, each next one comes a cadence later than the last, up to so many cadences: a thousand environments on quiet
 * systems would write a million records a day to say so.
 */
#define SAME_LOOKS 20
#define SLOWEST 15
#define SAMPLES_MAX 3000 /* that differ, in memory: a day at half a minute */
#define ASK_AGAIN                                                                                  \
	(15 * WHEN_MINUTE) /* nobody reads a page every minute, and what it shows lags by ten */

static int64_t limit_ms(const struct gate_run *g, const char *name, int64_t otherwise)
{
	return value_int_or(value_get(g->pg->limits, name), otherwise);
}

static const char *env_name(const struct step_run *s, const struct gate_run *g)
{
	return s->e->plan->envs[g->env].env->name;
}

static const struct observation *copy_seen(struct arena *a, const struct observation *seen,
					   size_t count)
{
	struct observation *out = arena_array(a, count, sizeof(*out));

	for (size_t i = 0; i < count; i++)
		out[i] = observation_copy(a, &seen[i]);
	return out;
}

/* A copy, in an arena that dies with the sample: it may stay for days, and has no more room than it needs. */
static const struct sample *add_sample(struct gate_run *g, int64_t now_ms,
				       const struct observation *seen, size_t count)
{
	struct arena *fit = arena_new_sized(count * sizeof(*seen) + observations_room(seen, count));

	g->samples = mem_grow(g->samples, g->kept, &g->cap, sizeof(*g->samples));
	g->owned = mem_grow(g->owned, g->kept, &g->owned_cap, sizeof(*g->owned));
	g->owned[g->kept] = fit;
	g->samples[g->kept] = (struct sample){
		.now_ms = now_ms,
		.seen = copy_seen(fit, seen, count),
		.count = count,
	};
	return &g->samples[g->kept++];
}

static void drop_sample(struct gate_run *g, size_t i)
{
	arena_free(g->owned[i]);
	g->kept--;
	memmove(&g->samples[i], &g->samples[i + 1], (g->kept - i) * sizeof(*g->samples));
	memmove(&g->owned[i], &g->owned[i + 1], (g->kept - i) * sizeof(struct arena *));
}

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool saw_the_same(const struct sample *a, const struct sample *b)
{
	for (size_t i = 0; i < a->count && a->count == b->count; i++) {
		const struct observation *x = &a->seen[i], *y = &b->seen[i];

		if (x->known != y->known || !is_same_text(x->why, y->why) ||
		    !is_same_text(x->by, y->by) || !value_equal(x->facts, y->facts))
			return false;
	}
	return a->count == b->count;
}

static void note_change(struct gate_run *g, enum verdict before)
{
	const struct sample *last = &g->samples[g->kept - 1];

	if (g->kept > 1 && g->says.verdict == before && saw_the_same(last - 1, last))
		g->unchanged++;
	else
		g->unchanged = 0;
}

/* Judges ask since when something holds and how it went up or down: the first and the last of those that saw the same tell it. */
static void thin_out(struct gate_run *g)
{
	const struct sample *last = &g->samples[g->kept - 1];

	if (g->kept > 2 && saw_the_same(last - 2, last) && saw_the_same(last - 1, last))
		drop_sample(g, g->kept - 2);
	if (g->kept > SAMPLES_MAX)
		drop_sample(g, 0);
}

static enum known known_from(const char *name)
{
	for (enum known k = KNOWN_NOT; k <= KNOWN_FAILED; k++)
		if (strcmp(known_name(k), name) == 0)
			return k;
	return KNOWN_NOT;
}

/* A journalled sample back into memory. */
static void recall(const struct registry *reg, struct gate_run *g, const struct past_sample *past)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct value *seen = NULL, *times = NULL;
	struct observation *o;

	/* Written by ourselves, from what was read a moment before. */
	if (json_parse(&a, past->seen, strlen(past->seen), NULL, NULL, NULL, &seen, &err) < 0 ||
	    json_parse(&a, past->times, strlen(past->times), NULL, NULL, NULL, &times, &err) < 0)
		seen = times = NULL;
	o = arena_array(&a, value_count(seen), sizeof(*o));
	for (size_t i = 0; i < value_count(seen); i++) {
		const struct value *v = value_at(seen, i);
		const struct thing_type *t =
			registry_thing(reg, value_text_or(value_get(v, "thing"), ""));

		o[i] = (struct observation){
			.thing = t ? t->name : "",
			.known = known_from(value_text_or(value_get(v, "known"), "")),
			.facts = value_get(v, "facts"),
			.server_ms = value_int_or(value_at(times, i), 0),
			.why = value_text(value_get(v, "why")),
		};
	}
	(void)add_sample(g, past->now_ms, o, value_count(seen));
}

/*
 * What must hold before an act was proved at its own pace; now it is looked at once more, in one go, since an act that cannot be undone rests on
 * nothing older than this look.
 */
int64_t gate_cadence(const struct gate_run *g)
{
	int64_t cadence = limit_ms(g, "cadence", WHEN_MINUTE);

	return MAX_OF(g->pg->is_before ? MIN_OF(cadence, WHEN_MINUTE) : cadence, WHEN_SECOND);
}

bool gate_is_midway(const struct gate_run *g)
{
	return g->pg->is_before && g->is_open && !g->is_passed && g->passes > 0;
}

size_t gate_samples_needed(const struct gate_run *g)
{
	return (size_t)MAX_OF(limit_ms(g, "passes", 1), limit_ms(g, "min_samples", 1));
}

void gate_done(struct gate_run *g)
{
	while (g->kept)
		drop_sample(g, g->kept - 1);
	mem_freep(&g->samples);
	mem_freep(&g->owned);
	g->cap = g->owned_cap = 0;
}

void gate_open(struct step_run *s, struct gate_run *g, bool fresh)
{
	struct past_gate *past = history_gate(&s->e->journal.history, engine_past(s->e, s),
					      env_name(s, g), g->pg->type->name);

	gate_done(g);
	g->looks = fresh ? 0 : (size_t)past->count;
	g->passes = fresh ? 0 : past->passes;
	g->unchanged = 0;
	g->is_open = true;
	g->is_passed = g->is_sampling = false;
	g->opened_ms =
		past->opened_ms; /* the deadline counts from the first question, whatever came since */
	g->wake_mono = engine_mono(s->e);
	g->says = (struct says){ .verdict = VERDICT_WAIT };
	for (size_t i = 0; !fresh && i < past->kept; i++)
		recall(s->e->plan->registry, g, &past->samples[i]);
	if (g->passes) /* consecutive passes are a cadence apart, also across runs of the program */
		g->wake_mono += MAX_OF(past->last_ms + gate_cadence(g) - clocks_now(s->e->clocks),
				       (int64_t)0);
	if (g->looks && g->passes >= (unsigned)limit_ms(g, "passes", 1) &&
	    g->looks >= (size_t)limit_ms(g, "min_samples", 1)) {
		g->is_passed =
			true; /* an earlier run of the program saw it pass; its samples are in the journal */
		g->says.verdict = VERDICT_PASS;
	}
}

/* What may be written down: no private facts, contact ids hashed. */
static const struct value *writable(struct engine *e, const struct value *v, bool is_contact)
{
	struct arena *a = journal_arena(&e->journal);
	struct value *out;

	if (is_contact && value_text(v))
		return value_string(a, journal_hash_id(a, engine_run(e)->salt, value_text(v)));
	if (!v || (v->kind != VAL_LIST && v->kind != VAL_MAP))
		return v ? value_copy(a, v) : NULL;
	out = v->kind == VAL_LIST ? value_list(a) : value_map(a);
	for (size_t i = 0; i < value_count(v); i++) {
		if (v->kind == VAL_LIST)
			value_list_add(a, out, writable(e, value_at(v, i), false));
		else
			value_set(a, out, value_key_at(v, i),
				  writable(e, value_at(v, i),
					   strcmp(value_key_at(v, i), "contact") == 0));
	}
	return out;
}

const struct value *facts_to_write(struct engine *e, const struct observation *o)
{
	const struct thing_type *t = registry_thing(e->plan->registry, o->thing);
	struct arena *a = journal_arena(&e->journal);
	struct value *out;

	if (!o->facts || !t)
		return NULL;
	out = value_map_sized(a, value_count(o->facts));
	for (const struct fact *f = t->facts; f && f->name; f++)
		if (f->class != FACT_PRIVATE)
			value_add(a, out, f->name,
				  writable(e, value_get(o->facts, f->name),
					   strcmp(f->name, "contact") == 0));
	return out;
}

static bool record_sample(struct step_run *s, struct gate_run *g, const struct sample *sm)
{
	struct engine *e = s->e;
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = step_record(e, s), *seen = value_list(a);

	for (size_t i = 0; i < sm->count; i++) {
		const struct observation *o = &sm->seen[i];
		struct value *m = value_map_sized(a, 4);

		value_add(a, m, "thing", value_borrowed(a, g->pg->type->observes[i]));
		value_add(a, m, "known", value_borrowed(a, known_name(o->known)));
		value_add(a, m, "why", o->why ? value_string(a, o->why) : NULL);
		value_add(a, m, "by", o->by ? value_string(a, o->by) : NULL);
		value_add(a, m, "server_ms", value_int(a, o->server_ms));
		value_add(a, m, "facts", facts_to_write(e, o));
		value_list_add(a, seen, m);
	}
	value_add(a, rec, "environment", value_borrowed(a, env_name(s, g)));
	value_add(a, rec, "gate", value_borrowed(a, g->pg->type->name));
	value_add(a, rec, "opened_ms", value_int(a, g->opened_ms));
	value_add(a, rec, "verdict", value_borrowed(a, verdict_name(g->says.verdict)));
	value_add(a, rec, "saw", value_string(a, g->says.saw));
	value_add(a, rec, "why", value_string(a, g->says.why));
	value_add(a, rec, "until", value_instant(a, g->says.until_ms));
	value_add(a, rec, "seen", seen);
	if (g->says.verdict == VERDICT_PASS && g->says.marks)
		value_add(a, rec, "marks", value_copy(a, g->says.marks));
	return engine_record(e, "sample", rec);
}

static void expire(struct step_run *s, struct gate_run *g)
{
	int64_t now = clocks_now(s->e->clocks);
	int64_t due = g->opened_ms + limit_ms(g, "deadline", WHEN_DAY);
	bool optional = (s->ps->type->flags & CHANGE_OPTIONAL) && !g->pg->type->is_safety;

	if (now < due || now < g->says.until_ms ||
	    strcmp(value_text_or(value_get(g->pg->limits, "on_expire"), "fail"), "wait") == 0)
		return;
	if (optional) {
		/* Reported, and no reason to stop: the step ends as inconclusive. */
		g->is_passed = true;
		engine_tell(s->e, APPLY_NOTE, s, 0,
			    "%s stayed without an answer past its deadline: %s", g->pg->type->name,
			    g->says.why);
		return;
	}
	s->is_gate_failure = true;
	step_fail(s, E_GATE, "gate %s had no answer by its deadline: %s", g->pg->type->name,
		  g->says.why);
}

/* Somebody has just answered, and it was not enough: they are asked again when the answer may have become another one. */
static bool was_asked_lately(struct step_run *s, struct gate_run *g)
{
	const struct past_step *p = engine_past(s->e, s);
	int64_t now = clocks_now(s->e->clocks),
		again = p->asked_ms + MAX_OF(limit_ms(g, "cadence", WHEN_MINUTE), ASK_AGAIN);

	if (!p->is_asked || !p->ack || p->is_act || !p->ask_thing || !g->says.ask_thing ||
	    strcmp(p->ask_thing, g->says.ask_thing) != 0 || now >= again)
		return false;
	g->says.until_ms = MAX_OF(g->says.until_ms, again);
	g->wake_mono = engine_mono(s->e) + (again - now);
	return true;
}

/* Until the next look of a gate that has not passed: never past the deadline, nor past what the gate itself said. */
static int64_t next_look(const struct gate_run *g, int64_t now)
{
	int64_t cadence = gate_cadence(g), wait = cadence;
	int64_t left = g->opened_ms + limit_ms(g, "deadline", WHEN_DAY) - now;

	if (g->says.until_ms > now)
		return g->says.until_ms - now;
	if (g->unchanged >= SAME_LOOKS)
		wait *= MIN_OF(g->unchanged - SAME_LOOKS + 2, (unsigned)SLOWEST);
	return left > cadence ? MIN_OF(wait, left) : cadence;
}

static void act_on(struct step_run *s, struct gate_run *g)
{
	struct engine *e = s->e;
	int64_t cadence = gate_cadence(g), now = clocks_now(e->clocks);

	g->wake_mono = engine_mono(e) + cadence;
	if (g->says.verdict == VERDICT_PASS) {
		g->passes++;
		if (g->passes >= (unsigned)limit_ms(g, "passes", 1) &&
		    g->looks >= (size_t)limit_ms(g, "min_samples", 1)) {
			g->is_passed = true;
			g->passed_mono = engine_mono(e);
			return;
		}
		return;
	}
	g->passes = 0;
	if (g->says.verdict == VERDICT_FAIL) {
		s->is_gate_failure = true;
		step_fail(s, E_GATE, "gate %s failed: %s", g->pg->type->name, g->says.why);
		return;
	}
	g->wake_mono = engine_mono(e) + next_look(g, now);
	if (g->says.ask && !was_asked_lately(s, g)) {
		ask_facts(s, g->says.ask_thing, g);
		/* Only an answer helps: whoever does not stay is told so at once. */
		g->wake_mono = e->o->patience_ms == INT64_MAX ?
				       engine_mono(e) + MAX_OF(cadence, WHEN_MINUTE) :
				       INT64_MAX;
	}
	expire(s, g);
}

/* @tmp  of the marks that the gate is shown and of those that it notes: until the sample is recorded */
static void judge(struct step_run *s, struct gate_run *g, struct arena *tmp)
{
	struct engine *e = s->e;
	struct view v = env_view(e->envs[g->env], clocks_now(e->clocks));
	struct gate_view gv = {
		.view = &v,
		.limits = g->pg->limits,
		.samples = g->samples,
		.sample_count = g->kept,
		.opened_ms = g->opened_ms,
		.skew_ms = clocks_skew(e->clocks, INT64_MAX),
	};

	/* Those of runs that were given up or left as well: the console does not know the difference. */
	gv.mints = history_mints(&e->journal.history, tmp, &gv.mint_count);
	v.marks = step_marks(e, s, tmp);
	g->says = (struct says){ .verdict = VERDICT_INCONCLUSIVE, .arena = tmp };
	g->pg->type->judge(&gv, &g->says);
}

/* Said once: the journal has every sample, a person wants to see what is new. */
static void tell(struct step_run *s, struct gate_run *g)
{
	if (g->looks > 1 && g->says.verdict == g->told_verdict && strcmp(g->says.why, g->told) == 0)
		return;
	g->told_verdict = g->says.verdict;
	memcpy(g->told, g->says.why, sizeof(g->told));
	engine_tell(s->e, APPLY_GATE_SAW, s, g->says.until_ms, "%s: %s%s%s%s%s", g->pg->type->name,
		    verdict_name(g->says.verdict), g->says.saw[0] ? ": " : "", g->says.saw,
		    g->says.why[0] ? "; " : "", g->says.why);
}

static struct gate_run *sampling_gate(struct step_run *s, const struct env_state *env)
{
	for (size_t i = 0; i < s->gate_count; i++)
		if (s->gates[i].is_sampling && s->e->envs[s->gates[i].env] == env)
			return &s->gates[i];
	return NULL;
}

static void sampled(void *arg, struct env_state *env)
{
	struct step_run *s = arg;
	struct gate_run *g = sampling_gate(s, env);
	CLEANUP(arena_done) struct arena tmp = ARENA_INIT;
	enum verdict before;
	size_t n = 0;
	const struct sample *sm;
	struct observation *o;

	if (!g)
		return;
	g->is_sampling = false;
	s->is_busy = false;
	s->wake_mono = engine_mono(s->e);
	if (s->e->is_stopping || step_is_over(s))
		return;
	while (g->pg->type->observes && g->pg->type->observes[n])
		n++;
	g->looks++;
	o = arena_array(&tmp, n, sizeof(*o));
	for (size_t i = 0; i < n; i++) {
		size_t k = registry_thing_index(s->e->plan->registry, g->pg->type->observes[i]);

		if (k != SIZE_MAX)
			o[i] = env->seen[k];
	}
	sm = add_sample(g, clocks_now(s->e->clocks), o, n);
	if (!g->opened_ms)
		g->opened_ms = sm->now_ms;
	before = g->says.verdict;
	judge(s, g, &tmp);
	if (!record_sample(s, g, sm))
		return;
	g->says.marks = NULL;
	g->says.arena = NULL;
	note_change(g, before);
	thin_out(g);
	tell(s, g);
	act_on(s, g);
}

static void heard_again(void *arg, struct env_state *env)
{
	struct step_run *s = arg;

	(void)env;
	s->is_busy = false;
	s->wake_mono = engine_mono(s->e);
}

void gate_tick(struct step_run *s, struct gate_run *g)
{
	if (g->is_passed || g->is_sampling || engine_mono(s->e) < g->wake_mono)
		return;
	if (!g->is_heard && clocks_skew(s->e->clocks, INT64_MAX) > SKEW_MAX) {
		/* Clocks differ, or one that was read long ago has been set right: all systems are asked the time. */
		g->is_heard = true;
		s->is_busy = true;
		round_start(&s->e->observer, s->e->envs[g->env], NULL, heard_again, s);
		return;
	}
	g->is_heard = false;
	g->is_sampling = true;
	s->is_busy = true;
	round_start(&s->e->observer, s->e->envs[g->env], g->pg->type->observes, sampled, s);
}
