/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_journal.c - the model from journal records: each run's plan, and what came of its steps.
 *
 * core/run/history.c folds the same records for the engine; this fold keeps what a reader asks: when, who, on what evidence.
 */
#include <string.h>

#include "core/base/when.h"
#include "core/report/lines.h"
#include "core/report/report.h"

static const char *text_of(const struct value *map, const char *key)
{
	return value_text_or(value_get(map, key), "");
}

static bool is_type(const struct value *rec, const char *type)
{
	return strcmp(text_of(rec, "type"), type) == 0;
}

static const char *instant_text(struct arena *a, const struct value *ms)
{
	char buf[WHEN_TEXT_MAX];

	return value_int_or(ms, 0) ? arena_strdup(a, when_text(buf, ms->u.i)) : "";
}

static void add_event(struct report *r, struct report_step *s, const struct value *rec,
		      const char *text)
{
	s->events =
		arena_grow(r->arena, s->events, s->event_count, &s->event_cap, sizeof(*s->events));
	s->events[s->event_count++] = (struct report_event){ text_of(rec, "at"), text };
	if (!*s->began_at)
		s->began_at = text_of(rec, "at");
}

/* ---- what happens to a step ---- */

static void on_intent(struct report *r, struct report_step *s, const struct value *rec)
{
	s->state = STATE_UNDER_WAY;
	add_event(r, s, rec,
		  arena_printf(r->arena, "about to act, through %s",
			       report_actor(text_of(rec, "executor"))));
}

static void on_outcome(struct report *r, struct report_step *s, const struct value *rec)
{
	bool ok = value_bool_or(value_get(rec, "ok"), false);
	const char *by = text_of(rec, "by");

	add_event(r, s, rec,
		  arena_printf(r->arena, "%s: %s%s%s%s", ok ? "carried out" : "not carried out",
			       report_actor(text_of(rec, "how")), *by ? " (" : "", by,
			       *by ? ")" : ""));
}

static void on_lost(struct report *r, struct report_step *s, const struct value *rec)
{
	add_event(r, s, rec, "the reply was lost; the live state decides");
}

static void on_ask(struct report *r, struct report_step *s, const struct value *rec)
{
	const char *thing = text_of(rec, "thing");

	s->state = STATE_ASKS;
	if (value_bool_or(value_get(rec, "is_act"), false))
		add_event(r, s, rec, "a person was asked to do it");
	else
		add_event(r, s, rec,
			  arena_printf(r->arena, "a person was asked for %s%s%s",
				       value_bool_or(value_get(rec, "wants_last_use"), false) ?
					       "the last use" :
					       "facts",
				       *thing ? " of " : "", thing));
}

static void on_ack(struct report *r, struct report_step *s, const struct value *rec)
{
	const struct value *facts = value_get(rec, "facts"), *attested = value_get(rec, "attested");
	const char *used = instant_text(r->arena, value_get(attested, "last_used"));
	const char *none = instant_text(r->arena, value_get(attested, "none_since"));
	const char *at = instant_text(r->arena, value_get(rec, "at_ms"));
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	text_add(&text, value_text_or(value_get(rec, "by"), "somebody"), CUT_NAME);
	sb_add(&text, " attested ");
	if (value_count(facts))
		text_add_value(&text, facts, CUT_TEXT);
	if (*used)
		sb_addf(&text, "last use at the latest %s", used);
	if (*none)
		sb_addf(&text, "no use since %s", none);
	if (!value_count(facts) && !*used && !*none)
		sb_add(&text, "that it is done");
	if (*at)
		sb_addf(&text, " at %s", at);
	if (*text_of(rec, "note")) {
		sb_add(&text, "; note: ");
		text_add(&text, text_of(rec, "note"), CUT_TEXT);
	}
	s->state = STATE_UNDER_WAY;
	add_event(r, s, rec, arena_strdup(r->arena, text.buf));
}

/* A gate that the plan does not name is told all the same: the record is what happened. */
static struct report_gate *gate_of(struct report *r, struct report_step *s, const char *name)
{
	struct report_gate *more;

	for (size_t i = 0; i < s->gate_count; i++)
		if (strcmp(s->gates[i].name, name) == 0)
			return &s->gates[i];
	more = arena_array(r->arena, s->gate_count + 1, sizeof(*more));
	if (s->gate_count)
		memcpy(more, s->gates, s->gate_count * sizeof(*more));
	s->gates = more;
	s->gates[s->gate_count] = (struct report_gate){ .name = name, .doc = "" };
	return &s->gates[s->gate_count++];
}

static void on_sample(struct report *r, struct report_step *s, const struct value *rec)
{
	struct report_gate *g = gate_of(r, s, text_of(rec, "gate"));
	const char *env = text_of(rec, "environment"), *verdict = text_of(rec, "verdict");
	struct report_look *look = NULL;

	for (size_t i = 0; i < g->look_count && !look; i++)
		if (strcmp(g->looks[i].env, env) == 0)
			look = &g->looks[i];
	if (!look) {
		g->looks = arena_grow(r->arena, g->looks, g->look_count, &g->look_cap,
				      sizeof(*g->looks));
		look = &g->looks[g->look_count++];
		*look = (struct report_look){ .env = env, .first_at = text_of(rec, "at") };
	}
	look->verdict = verdict;
	look->saw = text_of(rec, "saw");
	look->why = text_of(rec, "why");
	look->until = text_of(rec, "until");
	look->last_at = text_of(rec, "at");
	look->count++;
	if (!*s->began_at)
		s->began_at = look->first_at;
	s->state = strcmp(verdict, "pass") == 0 ? STATE_UNDER_WAY : STATE_WAITS;
	s->waits_for = *look->why ? look->why : g->name;
	s->until = look->until;
}

static void on_step(struct report *r, struct report_step *s, const struct value *rec)
{
	const char *result = text_of(rec, "result");
	bool is_open = strcmp(result, "inconclusive") == 0;

	s->state = is_open ? STATE_INCONCLUSIVE : STATE_DONE;
	s->ended_at = text_of(rec, "at");
	add_event(r, s, rec,
		  is_open ? "over without an answer; reported, and no reason to stop" :
		  strcmp(result, "already") == 0 ? "done, was so already" :
						   "done");
}

static void on_failed(struct report *r, struct report_step *s, const struct value *rec)
{
	s->state = STATE_FAILED;
	s->ended_at = text_of(rec, "at");
	s->waits_for = text_of(rec, "why");
	add_event(r, s, rec, arena_printf(r->arena, "failed: %s", text_of(rec, "why")));
}

static void on_other(struct report *r, struct report_step *s, const struct value *rec)
{
	add_event(r, s, rec,
		  is_type(rec, "ack-refused") ?
			  arena_printf(r->arena, "an answer was refused: %s", text_of(rec, "why")) :
			  arena_printf(r->arena, "record of type '%s'", text_of(rec, "type")));
}

static void fold_step(struct report *r, struct report_step *s, const struct value *rec)
{
	static const struct {
		const char *type;
		void (*fn)(struct report *r, struct report_step *s, const struct value *rec);
	} kinds[] = {
		{ "intent", on_intent }, { "outcome", on_outcome }, { "lost", on_lost },
		{ "ask", on_ask },       { "ack", on_ack },         { "sample", on_sample },
		{ "step", on_step },     { "failed", on_failed },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (is_type(rec, kinds[i].type)) {
			kinds[i].fn(r, s, rec);
			return;
		}
	on_other(r, s, rec);
}

/* ---- what happens to a run ---- */

/* What a suspension says that it waits for is the engine's own word; it holds until the next record of the step. */
static void fold_suspend(struct report_run *run, const struct value *rec)
{
	const struct value *waits = value_get(rec, "waits");

	run->until = text_of(rec, "until");
	for (size_t i = 0; waits && waits->kind == VAL_MAP && i < value_count(waits); i++) {
		struct report_step *s = report_find_step(run, value_key_at(waits, i));
		const struct value *w = value_at(waits, i);

		if (!s || s->state == STATE_DONE || s->state == STATE_FAILED)
			continue;
		if (s->state != STATE_ASKS)
			s->state = STATE_WAITS;
		s->waits_for = text_of(w, "for");
		s->until = text_of(w, "until");
	}
}

static void fold_run_record(struct report *r, struct report_run *run, const struct value *rec)
{
	struct report_step *s = report_find_step(run, text_of(rec, "step"));

	if (is_type(rec, "suspend")) {
		fold_suspend(run, rec);
		return;
	}
	run->until = "";
	run->mints += is_type(rec, "mint") && value_bool_or(value_get(rec, "is_outcome"), false);
	run->attested += is_type(rec, "ack");
	if (is_type(rec, "receipt") || is_type(rec, "abandon")) {
		run->ended = is_type(rec, "receipt") ? "finished" : "given up";
		run->ended_at = text_of(rec, "at");
	}
	if (s)
		fold_step(r, s, rec);
}

/* ---- what a reader has to know first ---- */

static void add_step_finding(struct report *r, const struct report_run *run,
			     const struct report_step *s)
{
	struct report_finding *f = report_add_finding(r);

	f->level = s->state == STATE_FAILED ? LEVEL_ERROR :
		   s->state == STATE_ASKS   ? LEVEL_WARNING :
					      LEVEL_NOTE;
	f->label = s->state == STATE_FAILED ? "failed" :
		   s->state == STATE_ASKS   ? "ask now" :
					      "waits";
	f->rule = s->state == STATE_FAILED       ? "step-failed" :
		  s->state == STATE_ASKS         ? "person-needed" :
		  s->state == STATE_INCONCLUSIVE ? "inconclusive" :
						   "gate-waits";
	f->text = arena_printf(r->arena, "%s: %s%s%s", s->address,
			       *s->waits_for ? s->waits_for : report_state_name(s->state),
			       *s->until ? ", until " : "", s->until);
	f->env = value_text_or(value_at(s->envs, 0), "");
	f->step = s->address;
	f->run = run->id;
	f->pos.file = run->rollout;
}

static void settle_run(struct report *r, struct report_run *run)
{
	for (size_t i = 0; i < run->step_count; i++) {
		struct report_step *s = &run->steps[i];
		bool is_over = s->state == STATE_DONE || s->state == STATE_INCONCLUSIVE;

		run->done += is_over;
		run->failed += s->state == STATE_FAILED;
		if (s->state == STATE_FAILED || s->state == STATE_ASKS || s->state == STATE_WAITS ||
		    s->state == STATE_INCONCLUSIVE)
			add_step_finding(r, run, s);
	}
	for (size_t i = 0; i < run->env_count; i++)
		for (size_t k = 0; k < run->envs[i].place_count; k++) {
			enum report_state st = run->envs[i].places[k].step->state;

			run->envs[i].done += st == STATE_DONE || st == STATE_INCONCLUSIVE;
		}
}

static struct report_run *run_of(struct report *r, const char *id)
{
	for (size_t i = 0; i < r->run_count; i++)
		if (strcmp(r->runs[i].id, id) == 0)
			return &r->runs[i];
	return NULL;
}

static void reverse(struct report *r)
{
	for (size_t i = 0, k = r->run_count; i + 1 < k--; i++) {
		struct report_run swap = r->runs[i];

		r->runs[i] = r->runs[k];
		r->runs[k] = swap;
	}
}

void report_from_journal(struct report *r, struct arena *a, const struct value *records)
{
	size_t runs = 0;

	*r = (struct report){ .source = REPORT_JOURNAL, .arena = a, .document = records };
	for (size_t i = 0; i < value_count(records); i++)
		runs += is_type(value_at(records, i), "run");
	r->runs = arena_array(a, runs + 1, sizeof(*r->runs));
	for (size_t i = 0; i < value_count(records); i++) {
		const struct value *rec = value_at(records, i);
		struct report_run *run;

		if (is_type(rec, "run")) {
			run = &r->runs[r->run_count++];
			report_run_from_plan(r, run, text_of(rec, "run"), value_get(rec, "plan"));
			run->began_at = text_of(rec, "at");
			continue;
		}
		run = run_of(r, text_of(rec, "run"));
		if (run)
			fold_run_record(r, run, rec);
	}
	reverse(r);
	for (size_t i = 0; i < r->run_count; i++)
		settle_run(r, &r->runs[i]);
}
