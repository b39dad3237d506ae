/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_plan.c - the model from a plan document (core/plan/saved.c writes it).
 */
#include <inttypes.h>
#include <string.h>

#include "core/base/sb.h"
#include "core/report/report.h"

static const char *text_of(const struct value *map, const char *key)
{
	return value_text_or(value_get(map, key), "");
}

static size_t map_count(const struct value *v)
{
	return v && v->kind == VAL_MAP ? value_count(v) : 0;
}

static const struct value *list_of(const struct value *map, const char *key)
{
	const struct value *v = value_get(map, key);

	return v && v->kind == VAL_LIST ? v : NULL;
}

static size_t count_from(const struct value *v)
{
	int64_t n = value_int_or(v, 0);

	return n > 0 ? (size_t)n : 0;
}

struct report_finding *report_add_finding(struct report *r)
{
	r->findings = arena_grow(r->arena, r->findings, r->finding_count, &r->finding_cap,
				 sizeof(*r->findings));
	r->findings[r->finding_count] = (struct report_finding){
		.label = "", .rule = "", .text = "", .hint = "", .env = "", .step = "", .run = ""
	};
	return &r->findings[r->finding_count++];
}

struct report_step *report_find_step(const struct report_run *run, const char *address)
{
	const struct value *at = value_get(run->index, address);

	return at ? &run->steps[at->u.i] : NULL;
}

/* ---- steps ---- */

static void add_deltas(struct arena *a, struct report_step *s, const struct value *before,
		       const struct value *after)
{
	s->deltas = arena_array(a, map_count(before) + map_count(after) + 1, sizeof(*s->deltas));
	for (size_t i = 0; i < map_count(after); i++) {
		const char *key = value_key_at(after, i);

		s->deltas[s->delta_count++] =
			(struct report_delta){ key, value_get(before, key), value_at(after, i) };
	}
	for (size_t i = 0; i < map_count(before); i++)
		if (!value_get(after, value_key_at(before, i)))
			s->deltas[s->delta_count++] =
				(struct report_delta){ value_key_at(before, i), value_at(before, i),
						       NULL };
}

static void add_gates(struct arena *a, struct report_step *s, const struct value *list)
{
	s->gates = arena_array(a, value_count(list) + 1, sizeof(*s->gates));
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *g = value_at(list, i);

		s->gates[s->gate_count++] = (struct report_gate){
			.name = text_of(g, "name"),
			.doc = text_of(g, "doc"),
			.is_before = strcmp(text_of(g, "when"), "before") == 0,
			.limits = value_get(g, "limits"),
		};
	}
}

static void add_step(struct report *r, struct report_run *run, const struct value *v)
{
	struct report_step *s = &run->steps[run->step_count];
	const struct value *undo = value_get(v, "undo");

	*s = (struct report_step){
		.address = text_of(v, "address"),
		.doc = text_of(v, "doc"),
		.phase = text_of(v, "phase"),
		.executor = text_of(v, "executor"),
		.reason = text_of(v, "reason"),
		.undo_kind = text_of(undo, "kind"),
		.undo_text = text_of(undo, "text"),
		.envs = list_of(v, "environments"),
		.needs = list_of(v, "needs"),
		.end_ms = value_int_or(value_get(v, "earliest_ms"), 0),
		.is_irreversible = strcmp(text_of(undo, "kind"), "never") == 0,
		.state = r->source == REPORT_JOURNAL ? STATE_LATER : STATE_PLANNED,
		.began_at = "",
		.ended_at = "",
		.waits_for = "",
		.until = "",
		.number = run->step_count + 1,
	};
	add_deltas(r->arena, s, value_get(v, "before"), value_get(v, "after"));
	add_gates(r->arena, s, list_of(v, "gates"));
	value_set(r->arena, run->index, s->address, value_int(r->arena, (int64_t)run->step_count));
	run->step_count++;
	run->irreversible += s->is_irreversible;
	run->by_person += strcmp(s->executor, "operator") == 0;
	run->finish_ms = run->finish_ms > s->end_ms ? run->finish_ms : s->end_ms;
}

/* A step begins when what it needs is over; steps stand after what they need. */
static void find_starts(struct report_run *run)
{
	for (size_t i = 0; i < run->step_count; i++) {
		struct report_step *s = &run->steps[i];

		for (size_t k = 0; k < value_count(s->needs); k++) {
			const struct report_step *n =
				report_find_step(run, value_text_or(value_at(s->needs, k), ""));

			if (n && n->end_ms > s->start_ms)
				s->start_ms = n->end_ms;
		}
	}
}

/* ---- environments ---- */

/* The first of this name among all things: what a person calls the environment's project, workspace and client. */
static const struct value *any_fact(const struct value *facts, const char *name)
{
	for (size_t i = 0; i < map_count(facts); i++) {
		const struct value *v = value_get(value_get(value_at(facts, i), "facts"), name);

		if (!value_is_null(v))
			return v;
	}
	return NULL;
}

static const struct {
	const char *level, *label;
	enum report_level as;
} levels[] = {
	{ "refused", "refused", LEVEL_ERROR },   { "leave-alone", "left alone", LEVEL_WARNING },
	{ "warning", "warning", LEVEL_WARNING }, { "note", "note", LEVEL_NOTE },
	{ "error", "error", LEVEL_ERROR },
};

static unsigned position(const struct value *v)
{
	int64_t n = value_int_or(v, 0);

	return n > 0 && n < INT32_MAX ? (unsigned)n : 0;
}

/* A finding may say where in the rollout file its rule stands: file, line and col, in it or in a member `pos`. */
static void add_finding(struct report *r, const struct report_run *run, const char *env,
			const struct value *f)
{
	struct report_finding *to = report_add_finding(r);
	to->level = LEVEL_NOTE;
	to->label = "note";
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcmp(text_of(f, "level"), levels[i].level) == 0) {
			to->level = levels[i].as;
			to->label = levels[i].label;
		}
	to->rule = text_of(f, "rule");
	to->text = text_of(f, "text");
	to->hint = text_of(f, "hint");
	to->env = env;
	to->step = text_of(f, "step");
	to->run = run->id;
	to->pos.file = value_text_or(value_get(f, "file"), run->rollout);
	to->pos.line = position(value_get(f, "line"));
	to->pos.col = position(value_get(f, "col"));
}

static void add_error(struct report *r, const struct report_run *run, const struct report_env *e)
{
	struct report_finding *to = report_add_finding(r);

	to->level = LEVEL_ERROR;
	to->label = "error";
	to->rule = "not-readable";
	to->text = e->error;
	to->env = e->name;
	to->run = run->id;
	to->pos.file = run->rollout;
}

static void add_ask_finding(struct report *r, const struct report_run *run,
			    const struct report_env *e, const struct report_ask *k)
{
	struct report_finding *to = report_add_finding(r);

	to->level = LEVEL_WARNING;
	to->label = "ask now";
	to->rule = "attest";
	to->text =
		arena_printf(r->arena,
			     "%s: a person has to attest its facts before anything is planned%s%s",
			     k->thing, *k->why ? ": " : "", k->why);
	to->env = e->name;
	to->run = run->id;
	to->pos.file = run->rollout;
}

static void add_asks(struct report *r, struct report_env *e, const struct value *list)
{
	e->asks = arena_array(r->arena, value_count(list) + 1, sizeof(*e->asks));
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *v = value_at(list, i);

		e->asks[e->ask_count++] = (struct report_ask){
			.thing = text_of(v, "thing"),
			.why = text_of(v, "why"),
			.page = text_of(v, "page"),
			.step = text_of(v, "step"),
			.facts = list_of(v, "facts"),
			.is_now = value_bool_or(value_get(v, "before_planning"), false),
			.earliest_ms = value_int_or(value_get(v, "earliest_ms"), 0),
		};
	}
}

static void add_env(struct report *r, struct report_run *run, const struct value *v)
{
	struct report_env *e = &run->envs[run->env_count++];
	const struct value *facts = value_get(v, "facts"), *found = list_of(v, "findings");

	*e = (struct report_env){
		.name = text_of(v, "name"),
		.outlook = text_of(v, "outlook"),
		.error = text_of(v, "error"),
		.title = any_fact(facts, "title"),
		.workspace = any_fact(facts, "workspace"),
		.client_id = any_fact(facts, "client_id"),
		.instance = any_fact(facts, "instance"),
		.identity = value_get(v, "identity"),
		.facts = facts,
		.requests = list_of(v, "requests"),
	};
	run->requests += value_count(e->requests);
	run->refused += strcmp(e->outlook, "refused") == 0;
	run->unread += strcmp(e->outlook, "failed") == 0;
	run->to_attest += strcmp(e->outlook, "attest") == 0;
	add_asks(r, e, list_of(v, "attest"));
	if (*e->error)
		add_error(r, run, e);
	for (size_t i = 0; i < value_count(found); i++)
		add_finding(r, run, e->name, value_at(found, i));
	for (size_t i = 0; i < e->ask_count; i++)
		if (e->asks[i].is_now)
			add_ask_finding(r, run, e, &e->asks[i]);
}

/* Findings come one environment after the other, and their place is known once none is added any more. */
static void share_findings(const struct report *r, struct report_run *run, size_t from)
{
	size_t at = from;

	for (size_t i = 0; i < run->env_count; i++) {
		struct report_env *e = &run->envs[i];

		e->findings = r->findings ? r->findings + at : NULL;
		while (at < r->finding_count && strcmp(r->findings[at].env, e->name) == 0 &&
		       strcmp(r->findings[at].label, "ask now") != 0) {
			at++;
			e->finding_count++;
		}
		while (at < r->finding_count && strcmp(r->findings[at].env, e->name) == 0)
			at++;
	}
}

/* ---- places ---- */

static int phase_rank(const struct report_step *s)
{
	static const char *const phases[] = { "expand", "switch", "prove", "contract" };

	for (size_t i = 0; i < ARRAY_LEN(phases); i++)
		if (strcmp(phases[i], s->phase) == 0)
			return (int)i;
	return (int)ARRAY_LEN(phases);
}

static void place(struct report *r, struct report_run *run, const struct value *env_index,
		  struct report_step *s)
{
	const char *last = NULL;
	int64_t last_at = -1;

	for (size_t i = 0; i < value_count(s->envs); i++) {
		const char *name = value_text_or(value_at(s->envs, i), "");
		int64_t at = value_int_or(value_get(env_index, name), -1);

		if (at > last_at) {
			last_at = at;
			last = name;
		}
	}
	for (size_t i = 0; i < value_count(s->envs); i++) {
		int64_t at =
			value_int_or(value_get(env_index, value_text_or(value_at(s->envs, i), "")),
				     -1);
		struct report_env *e = at < 0 ? NULL : &run->envs[at];

		if (!e)
			continue;
		e->places = arena_grow(r->arena, e->places, e->place_count, &e->place_cap,
				       sizeof(*e->places));
		e->places[e->place_count++] =
			(struct report_place){ s, at == last_at ? NULL : last, LINE_NONE };
	}
}

static void sort_places(struct arena *a, struct report_env *e)
{
	struct report_place *sorted = arena_array(a, e->place_count + 1, sizeof(*sorted));
	size_t n = 0;

	for (int phase = 0; phase <= 4; phase++)
		for (size_t i = 0; i < e->place_count; i++)
			if (phase_rank(e->places[i].step) == phase)
				sorted[n++] = e->places[i];
	e->places = sorted;
}

static void draw_lines(struct report_env *e)
{
	bool person = false, never = false;

	for (size_t i = 0; i < e->place_count; i++) {
		struct report_place *p = &e->places[i];
		const char *kind = p->step->undo_kind;

		if (strcmp(kind, "never") == 0 && !never) {
			p->line = LINE_NEVER;
			never = true;
		} else if ((strcmp(kind, "person") == 0 || strcmp(kind, "gone") == 0) && !person &&
			   !never) {
			p->line = LINE_PERSON;
			person = true;
		}
	}
}

static void add_places(struct report *r, struct report_run *run)
{
	struct value *index = value_map(r->arena);

	for (size_t i = 0; i < run->env_count; i++)
		value_set(r->arena, index, run->envs[i].name, value_int(r->arena, (int64_t)i));
	for (size_t i = 0; i < run->step_count; i++)
		place(r, run, index, &run->steps[i]);
	for (size_t i = 0; i < run->env_count; i++) {
		sort_places(r->arena, &run->envs[i]);
		draw_lines(&run->envs[i]);
	}
}

/* ---- who must approve ---- */

#define STEPS_NAMED 6

static const struct value *approval_line(struct arena *a, const struct value *steps, int64_t people)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	size_t hits = 0;

	for (size_t i = 0; i < value_count(steps); i++)
		hits += value_int_or(value_get(value_at(steps, i), "approvals"), 0) == people;
	sb_addf(&text, "%" PRId64 " %s: ", people, people == 1 ? "person" : "people");
	if (hits == value_count(steps)) {
		sb_addf(&text, "every step");
		return value_string(a, text.buf);
	}
	for (size_t i = 0, named = 0; i < value_count(steps) && named < STEPS_NAMED; i++) {
		const struct value *s = value_at(steps, i);

		if (value_int_or(value_get(s, "approvals"), 0) != people)
			continue;
		sb_addf(&text, "%s%s", named++ ? ", " : "", text_of(s, "address"));
	}
	if (hits > STEPS_NAMED)
		sb_addf(&text, " and %zu more", hits - STEPS_NAMED);
	return value_string(a, text.buf);
}

const struct value *report_approvals(struct arena *a, const struct value *plan_doc)
{
	const struct value *steps = list_of(plan_doc, "steps");
	struct value *out = value_list(a);
	int64_t below = INT64_MAX, most;

	do { /* few numbers: a policy names three classes of step */
		most = 0;
		for (size_t i = 0; i < value_count(steps); i++) {
			int64_t n = value_int_or(value_get(value_at(steps, i), "approvals"), 0);

			if (n < below)
				most = MAX_OF(most, n);
		}
		if (most)
			value_list_add(a, out, approval_line(a, steps, most));
		below = most;
	} while (most);
	return out;
}

/* ---- the whole ---- */

void report_run_from_plan(struct report *r, struct report_run *run, const char *id,
			  const struct value *doc)
{
	const struct value *envs = list_of(doc, "environments"), *steps = list_of(doc, "steps");
	const struct value *policy = list_of(doc, "policy");
	size_t first;

	*run = (struct report_run){
		.rollout = text_of(doc, "rollout"),
		.made_at = text_of(doc, "made_at"),
		.intent_digest = text_of(doc, "intent_digest"),
		.observed_digest = text_of(doc, "observed_digest"),
		.approvals = report_approvals(r->arena, doc),
		.tokens = value_count(list_of(doc, "token_requests")),
		.id = id,
		.began_at = "",
		.ended_at = "",
		.ended = "",
		.until = "",
		.index = value_map(r->arena),
	};
	run->envs = arena_array(r->arena, value_count(envs) + 1, sizeof(*run->envs));
	run->steps = arena_array(r->arena, value_count(steps) + 1, sizeof(*run->steps));
	for (size_t i = 0; i < value_count(policy); i++)
		add_finding(r, run, text_of(value_at(policy, i), "environment"),
			    value_at(policy, i));
	first = r->finding_count;
	for (size_t i = 0; i < value_count(envs); i++)
		add_env(r, run, value_at(envs, i));
	for (size_t i = 0; i < value_count(steps); i++)
		add_step(r, run, value_at(steps, i));
	find_starts(run);
	share_findings(r, run, first);
	add_places(r, run);
	run->finish_ms =
		value_int_or(value_path(doc, "summary.earliest_finish_ms"), run->finish_ms);
	run->tokens = count_from(value_path(doc, "summary.tokens"));
}

void report_from_plan(struct report *r, struct arena *a, const struct value *plan_doc)
{
	*r = (struct report){ .source = REPORT_PLAN, .arena = a, .document = plan_doc };
	r->runs = ARENA_NEW(a, struct report_run);
	r->run_count = 1;
	report_run_from_plan(r, r->runs, "", plan_doc);
}
