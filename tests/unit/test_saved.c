/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/io/json.h"
#include "tests/unit/fake_shop.h"

/* What was observed; tests change one thing at a time. */
struct state {
	const char *uid, *title, *use, *phone;
	int64_t made_ms, new_at;
};
static const struct state usual = { "uid-0", "Title", "old", "555", FAKE_START, 7 };

static struct plan *plan_way(struct shop *s, const struct state *st, enum direction way)
{
	struct arena *a = &s->arena;
	struct plan *p = plan_new(a, &shop_registry, s->rollout);
	struct value *project = value_map(a), *key = value_map(a), *settings = value_map(a),
		     *app = value_map(a), *use = value_map(a), *requests = value_list(a);

	p->direction = way;
	value_set(a, project, "uid", value_string(a, st->uid));
	value_set(a, project, "title", value_string(a, st->title));
	value_set(a, key, "new", value_bool(a, false));
	value_set(a, key, "old", value_bool(a, true));
	value_set(a, settings, "use", value_string(a, st->use));
	value_set(a, app, "running", value_bool(a, true));
	value_set(a, use, "new_at", value_int(a, st->new_at));
	value_set(a, use, "phone", value_string(a, st->phone));
	value_list_add(a, requests, value_string(a, "GET shop /p"));
	for (size_t i = 0; i < s->rollout->env_count; i++) {
		struct observation seen[] = {
			{ .thing = "shop.project",
			  .known = KNOWN_API,
			  .facts = project,
			  .server_ms = st->made_ms },
			{ .thing = "shop.key", .known = KNOWN_API, .facts = key },
			{ .thing = "shop.settings",
			  .known = KNOWN_ATTESTED,
			  .facts = settings,
			  .by = "ann" },
			{ .thing = "shop.app", .known = KNOWN_API, .facts = app },
			{ .thing = "shop.use", .known = KNOWN_API, .facts = use },
			{ .thing = "ledger.book", .known = KNOWN_DENIED, .why = "403" },
		};
		struct view v = { .env = s->envs[i]->name,
				  .want = s->envs[i]->want,
				  .seen = seen,
				  .seen_count = ARRAY_LEN(seen) };

		plan_env_add(p, s->envs[i], &v, requests, NULL);
	}
	plan_order(p, st->made_ms);
	plan_to_value(p);
	return p;
}

static struct plan *plan_of(struct shop *s, const struct state *st)
{
	return plan_way(s, st, DIRECTION_FORWARD);
}

static void a_plan_comes_back_as_it_was(void **state)
{
	struct shop *s = shop_new(shop_two_envs);
	struct plan *p = plan_of(s, &usual), *q = NULL;
	struct err err = ERR_INIT;
	CLEANUP(sb_done) struct sb one = SB_INIT(SB_TEXT_MAX), two = SB_INIT(SB_TEXT_MAX);
	struct value *doc;

	(void)state;
	json_write(&one, plan_to_value(p), JSON_CANONICAL, NULL);
	assert_int_equal(json_parse(&s->arena, one.buf, one.len, NULL, NULL, NULL, &doc, &err), 0);
	assert_int_equal(plan_from_value(&s->arena, &shop_registry, s->rollout, doc, &q, &err), 0);
	assert_int_equal(q->step_count, p->step_count);
	assert_int_equal(q->env_count, p->env_count);
	for (size_t i = 0; i < p->step_count; i++) {
		const struct plan_step *a = &p->steps[i], *b = &q->steps[i];

		assert_string_equal(a->address, b->address);
		assert_ptr_equal(a->thing, b->thing);
		assert_ptr_equal(a->type, b->type);
		assert_int_equal(a->phase, b->phase);
		assert_int_equal(a->executor, b->executor);
		assert_int_equal(a->earliest_ms, b->earliest_ms);
		assert_string_equal(a->reason, b->reason);
		assert_int_equal(a->env_count, b->env_count);
		assert_memory_equal(a->envs, b->envs, a->env_count * sizeof(size_t));
		assert_int_equal(a->need_count, b->need_count);
		if (a->need_count)
			assert_memory_equal(a->needs, b->needs, a->need_count * sizeof(size_t));
		assert_int_equal(a->gate_count, b->gate_count);
		for (size_t k = 0; k < a->gate_count; k++) {
			assert_ptr_equal(a->gates[k].type, b->gates[k].type);
			assert_int_equal(a->gates[k].is_before, b->gates[k].is_before);
			assert_true(value_equal(a->gates[k].limits, b->gates[k].limits));
		}
	}
	for (size_t i = 0; i < p->env_count; i++) {
		assert_ptr_equal(p->envs[i].env, q->envs[i].env);
		assert_int_equal(p->envs[i].outlook, q->envs[i].outlook);
		assert_true(value_equal(p->envs[i].identity, q->envs[i].identity));
	}
	assert_string_equal(p->intent_digest, q->intent_digest);
	assert_string_equal(p->observed_digest, q->observed_digest);
	json_write(&two, plan_to_value(q), JSON_CANONICAL, NULL);
	assert_string_equal(one.buf, two.buf);
	shop_free(s);
}

/* What was judged by facts is not what the type says in general. */
static void what_cannot_be_undone_any_more_stays_so_when_read_back(void **state)
{
	struct shop *s = shop_new(shop_two_envs);
	struct plan *p = plan_of(s, &usual), *q = NULL;
	struct err err = ERR_INIT;

	(void)state;
	p->document = NULL; /* made anew below */
	p->steps[0].undo = UNDO_GONE;
	p->steps[0].undo_doc = "what it needs is not there any more";
	assert_int_not_equal(p->steps[0].type->undo, UNDO_GONE);
	assert_int_equal(plan_from_value(&s->arena, &shop_registry, s->rollout, plan_to_value(p),
					 &q, &err),
			 0);
	assert_int_equal(q->steps[0].undo, UNDO_GONE);
	assert_string_equal(q->steps[0].undo_doc, "what it needs is not there any more");
	assert_int_equal(q->steps[1].undo, p->steps[1].undo);
	shop_free(s);
}

static void the_document_says_what_it_is_and_keeps_private_facts_out(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	const struct value *doc = plan_to_value(plan_of(s, &usual));
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	(void)state;
	json_write(&text, doc, JSON_CANONICAL, NULL);
	assert_string_equal(value_text(value_get(doc, "kind")), "s2sctl.plan");
	assert_int_equal(value_int_or(value_get(doc, "format_version"), 0), PLAN_FORMAT_VERSION);
	assert_string_equal(value_text(value_get(doc, "made_at")), "2026-11-24T10:00:00Z");
	assert_int_equal(value_int_or(value_path(doc, "summary.steps"), 0), 6);
	assert_int_equal(value_int_or(value_path(doc, "summary.irreversible"), 0), 1);
	assert_int_equal(value_int_or(value_path(doc, "summary.environments.changes"), 0), 1);
	assert_int_equal(value_int_or(value_path(doc, "summary.earliest_finish_ms"), 0), WHEN_DAY);
	assert_null(strstr(text.buf, "555"));
	assert_non_null(strstr(text.buf, "\"by\":\"ann\""));
	assert_non_null(strstr(text.buf, "\"why\":\"403\""));
	assert_null(strstr(text.buf, "app-secret-text"));
	shop_free(s);
}

static void a_plan_says_which_way_it_leads_and_approval_is_for_that_way(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct state there = usual;
	struct plan *forward, *back, *q = NULL;
	struct value *old;
	struct err err = ERR_INIT;

	(void)state;
	there.use = "new";
	back = plan_way(s, &there, DIRECTION_BACK);
	forward = plan_way(s, &there, DIRECTION_FORWARD);
	assert_string_equal(value_text(value_get(plan_to_value(back), "direction")), "back");
	assert_string_equal(value_text(value_get(plan_to_value(forward), "direction")), "forward");
	assert_non_null(plan_find_step(back, "dev/shop.settings/unset"));
	assert_null(plan_find_step(forward, "dev/shop.settings/unset"));
	assert_int_equal(plan_from_value(&s->arena, &shop_registry, s->rollout, plan_to_value(back),
					 &q, &err),
			 0);
	assert_int_equal(q->direction, DIRECTION_BACK);
	assert_string_equal(q->intent_digest, back->intent_digest);

	/* No step in either: still another intent. */
	forward->document = back->document = NULL;
	forward->step_count = back->step_count = 0;
	plan_to_value(forward);
	plan_to_value(back);
	assert_string_not_equal(forward->intent_digest, back->intent_digest);

	/* From before there was a way back; and a word that this build does not know. */
	old = value_copy(&s->arena, plan_to_value(forward));
	value_set(&s->arena, old, "direction", NULL);
	assert_int_equal(plan_from_value(&s->arena, &shop_registry, s->rollout, old, &q, &err), 0);
	assert_int_equal(q->direction, DIRECTION_FORWARD);
	value_set(&s->arena, old, "direction", value_string(&s->arena, "sideways"));
	assert_int_equal(plan_from_value(&s->arena, &shop_registry, s->rollout, old, &q, &err),
			 -E_REFUSED);
	shop_free(s);
}

static void time_and_samples_move_no_digest(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct plan *p = plan_of(s, &usual), *q;
	struct state later = usual;

	(void)state;
	later.made_ms += WHEN_DAY;
	later.new_at += 5;
	later.phone = "556";
	q = plan_of(s, &later);
	assert_string_equal(p->intent_digest, q->intent_digest);
	assert_string_equal(p->observed_digest, q->observed_digest);
	assert_int_equal(strlen(p->intent_digest), 64);
	assert_string_not_equal(p->intent_digest, p->observed_digest);
	shop_free(s);
}

static void an_identity_moves_both_digests(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct plan *p = plan_of(s, &usual), *q;
	struct state other = usual;

	(void)state;
	other.uid = "uid-1";
	q = plan_of(s, &other);
	assert_string_not_equal(p->intent_digest, q->intent_digest);
	assert_string_not_equal(p->observed_digest, q->observed_digest);
	shop_free(s);
}

static void a_fact_that_changes_no_step_moves_only_what_was_observed(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct plan *p = plan_of(s, &usual), *q;
	struct state other = usual;

	(void)state;
	other.title = "Another title";
	q = plan_of(s, &other);
	assert_string_equal(p->intent_digest, q->intent_digest);
	assert_string_not_equal(p->observed_digest, q->observed_digest);
	other.use = "new"; /* one step less */
	q = plan_of(s, &other);
	assert_string_not_equal(p->intent_digest, q->intent_digest);
	shop_free(s);
}

static void a_threshold_or_an_executor_moves_the_intent(void **state)
{
	static const char *const changed[] = {
		"  dev: {project: {id: p0}, credential: {client_id: c0}, gates: {quiet: {window: 25h}}}\n",
		"  dev: {project: {id: p0}, credential: {client_id: c0}, executors: {set: operator}}\n",
	};
	struct shop *s = shop_new(shop_one_env);
	char digest[65];

	(void)state;
	memcpy(digest, plan_of(s, &usual)->intent_digest, sizeof(digest));
	for (size_t i = 0; i < ARRAY_LEN(changed); i++) {
		CLEANUP(sb_done) struct sb text = SB_INIT(65536);

		sb_addn(&text, shop_one_env,
			(size_t)(strstr(shop_one_env, "  dev:") - shop_one_env));
		sb_add(&text, changed[i]);
		shop_load(s, text.buf);
		assert_string_not_equal(plan_of(s, &usual)->intent_digest, digest);
	}
	shop_free(s);
}

static struct value *with(struct arena *a, const struct value *doc, const char *key,
			  const struct value *v)
{
	struct value *out = value_copy(a, doc);

	value_set(a, out, key, v);
	return out;
}

/* The document with one member of its first step replaced. */
static struct value *step_with(struct arena *a, const struct value *doc, const char *key,
			       const struct value *v)
{
	struct value *steps = value_list(a);

	for (size_t i = 0; i < value_count(value_get(doc, "steps")); i++)
		value_list_add(a, steps,
			       i ? value_at(value_get(doc, "steps"), i) :
				   with(a, value_at(value_get(doc, "steps"), 0), key, v));
	return with(a, doc, "steps", steps);
}

static void assert_refused(struct shop *s, const struct value *doc, const char *words)
{
	struct plan *p = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(plan_from_value(&s->arena, &shop_registry, s->rollout, doc, &p, &err),
			 -E_REFUSED);
	assert_null(p);
	if (!strstr(err.msg, words))
		fail_msg("%s", err.msg);
}

static void what_this_build_does_not_know_is_refused(void **state)
{
	struct shop *s = shop_new(shop_two_envs);
	struct arena *a = &s->arena;
	const struct value *doc = plan_to_value(plan_of(s, &usual));
	struct value *nobody = value_list(a), *unknown = value_list(a), *gate = value_map(a),
		     *gates = value_list(a);

	(void)state;
	value_list_add(a, unknown, value_string(a, "nowhere"));
	value_set(a, gate, "name", value_string(a, "no_gate"));
	value_list_add(a, gates, gate);
	assert_refused(s, NULL, "not a plan");
	assert_refused(s, value_map(a), "not a plan");
	assert_refused(s, with(a, doc, "kind", value_string(a, "other")), "not a plan");
	assert_refused(s, with(a, doc, "format_version", value_int(a, 2)), "format version 2");
	assert_refused(s, with(a, doc, "format_version", value_string(a, "1")), "format version");
	assert_refused(s, step_with(a, doc, "thing", value_string(a, "no.thing")), "no.thing");
	assert_refused(s, step_with(a, doc, "change", value_string(a, "melt")), "melt");
	assert_refused(s, step_with(a, doc, "change", value_list(a)), "this build does not have");
	assert_refused(s, step_with(a, doc, "environments", unknown), "nowhere");
	assert_refused(s, step_with(a, doc, "environments", nobody), "no environment");
	assert_refused(s, step_with(a, doc, "needs", unknown), "does not hold");
	assert_refused(s, step_with(a, doc, "gates", gates), "no_gate");
	shop_load(s, shop_one_env);
	assert_refused(s, doc, "stage");
	shop_free(s);
}

static void write_all(struct shop *s, struct sb *out)
{
	struct plan *p = plan_of(s, &usual);
	struct value *numbers;
	struct err err = ERR_INIT;

	json_write(out, plan_seal(p), JSON_CANONICAL, NULL);
	sb_addf(out, " %s %s ", p->intent_digest, p->observed_digest);
	assert_int_equal(json_parse(&s->arena, "[1.5,1234567,0.25]", 18, NULL, NULL, NULL, &numbers,
				    &err),
			 0);
	json_write(out, numbers, JSON_CANONICAL, NULL);
}

/* tests/e2e/locales.sh calls it with locales whose numbers and letters are written otherwise, and says by which sign one knows. */
static void no_locale_moves_a_byte(void **state)
{
	static const char *const names[] = { "C.UTF-8", "" };
	CLEANUP(sb_done) struct sb plain = SB_INIT(SB_TEXT_MAX);
	const char *point = getenv("TEST_DECIMAL_POINT");
	struct shop *s = shop_new(shop_two_envs);

	(void)state;
	write_all(s, &plain);
	shop_free(s);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(sb_done) struct sb here = SB_INIT(SB_TEXT_MAX);

		if (!setlocale(LC_ALL, names[i]) && point)
			fail_msg("there is no such locale");
		if (point && !*names[i])
			assert_string_equal(localeconv()->decimal_point, point);
		s = shop_new(shop_two_envs);
		write_all(s, &here);
		shop_free(s);
		setlocale(LC_ALL, "C");
		assert_string_equal(here.buf, plain.buf);
	}
}

static void the_worst_environment_decides_the_exit_status(void **state)
{
	static const struct {
		enum env_outlook a, b;
		int want;
	} cases[] = {
		{ OUTLOOK_CHANGES, OUTLOOK_NOTHING, 0 }, { OUTLOOK_CHANGES, OUTLOOK_LEFT_ALONE, 0 },
		{ OUTLOOK_ATTEST, OUTLOOK_CHANGES, 3 },  { OUTLOOK_ATTEST, OUTLOOK_REFUSED, 5 },
		{ OUTLOOK_FAILED, OUTLOOK_REFUSED, 1 },  { OUTLOOK_NOTHING, OUTLOOK_FAILED, 1 },
	};
	struct shop *s = shop_new(shop_two_envs);
	struct plan *p = plan_of(s, &usual);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		p->envs[0].outlook = cases[i].a;
		p->envs[1].outlook = cases[i].b;
		assert_int_equal(plan_exit_status(p), cases[i].want);
	}
	shop_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_comes_back_as_it_was),
		cmocka_unit_test(what_cannot_be_undone_any_more_stays_so_when_read_back),
		cmocka_unit_test(the_document_says_what_it_is_and_keeps_private_facts_out),
		cmocka_unit_test(a_plan_says_which_way_it_leads_and_approval_is_for_that_way),
		cmocka_unit_test(time_and_samples_move_no_digest),
		cmocka_unit_test(an_identity_moves_both_digests),
		cmocka_unit_test(a_fact_that_changes_no_step_moves_only_what_was_observed),
		cmocka_unit_test(a_threshold_or_an_executor_moves_the_intent),
		cmocka_unit_test(what_this_build_does_not_know_is_refused),
		cmocka_unit_test(no_locale_moves_a_byte),
		cmocka_unit_test(the_worst_environment_decides_the_exit_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
