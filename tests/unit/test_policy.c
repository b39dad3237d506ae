/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/plan/policy.h"
#include "core/plan/window.h"
#include "tests/unit/fake_shop.h"

static int64_t at(const char *iso)
{
	struct err err = ERR_INIT;
	int64_t ms = 0;

	assert_int_equal(when_parse(iso, &ms, NULL, &err), 0);
	return ms;
}

/* The file with a policy in front of its environments. */
static void load(struct shop *s, const char *policy)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(65536);
	const char *envs = strstr(shop_one_env, "environments:");

	sb_addn(&text, shop_one_env, (size_t)(envs - shop_one_env));
	sb_add(&text, policy);
	sb_add(&text, envs);
	shop_load(s, text.buf);
}

static struct plan *plan_of(struct shop *s, enum known known)
{
	struct arena *a = &s->arena;
	struct plan *p = plan_new(a, &shop_registry, s->rollout);
	struct value *project = value_map(a), *key = value_map(a), *settings = value_map(a),
		     *app = value_map(a);

	value_set(a, project, "uid", value_string(a, "uid-0"));
	value_set(a, key, "new", value_bool(a, false));
	value_set(a, key, "old", value_bool(a, true));
	value_set(a, settings, "use", value_string(a, "old"));
	value_set(a, app, "running", value_bool(a, true));
	for (size_t i = 0; i < s->rollout->env_count; i++) {
		struct observation seen[] = {
			{ .thing = "shop.project", .known = KNOWN_API, .facts = project },
			{ .thing = "shop.key", .known = KNOWN_API, .facts = key },
			{ .thing = "shop.settings",
			  .known = known,
			  .facts = settings,
			  .by = "ann" },
			{ .thing = "shop.app", .known = KNOWN_API, .facts = app },
		};
		struct view v = { .env = s->envs[i]->name,
				  .want = s->envs[i]->want,
				  .seen = seen,
				  .seen_count = ARRAY_LEN(seen) };

		plan_env_add(p, s->envs[i], &v, NULL, NULL);
	}
	plan_order(p, FAKE_START);
	return p;
}

/* The rules that a policy finds broken, blanks between them. */
static const char *rules(struct shop *s, const char *policy, enum known known, int64_t now)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);
	struct plan *p;

	load(s, policy);
	p = plan_of(s, known);
	policy_judge(p, now);
	for (size_t i = 0; i < value_count(p->policy); i++) {
		const struct value *m = value_at(p->policy, i);

		sb_addf(&out, "%s%s", i ? " " : "", value_text(value_get(m, "rule")));
		assert_string_equal(value_text(value_get(m, "level")), "refused");
		assert_true(value_int_or(value_get(m, "line"), 0) > 0);
		assert_true(value_int_or(value_get(m, "col"), 0) > 0);
		assert_non_null(value_text(value_get(m, "file")));
	}
	assert_int_equal(plan_exit_status(p), out.len ? 5 : 0);
	return arena_strdup(&s->arena, out.buf);
}

static void each_rule_holds_and_is_broken(void **state)
{
	static const struct {
		const char *policy, *rules;
	} cases[] = {
		{ "", "" },
		{ "policy: {}\n", "" },
		{ "policy: {max_environments: 1, max_projects: 1, max_irreversible: 1, expect_steps: 6}\n",
		  "" },
		{ "policy: {max_environments: 0}\n", "max-environments" },
		{ "policy: {max_projects: 0}\n", "max-projects" },
		{ "policy: {max_irreversible: 0}\n", "max-irreversible" },
		{ "policy: {expect_steps: 5}\n", "expect-steps" },
		{ "policy: {forbid_executors: [operator, bridge]}\n", "" },
		{ "policy: {forbid_executors: [api]}\n",
		  "forbidden-executor forbidden-executor forbidden-executor forbidden-executor" },
		{ "policy: {attested: forbid}\n", "" },
		{ "policy: {gates: {quiet: {passes: 1}}}\n", "" },
		{ "policy: {gates: {quiet: {passes: 2}}}\n", "gate-floor gate-floor" },
		{ "policy: {gates: {word: {min_samples: 1}}}\n", "gate-missing" },
		{ "policy: {certificate_left: 1d}\n",
		  "certificate-left" }, /* nothing says when it ends */
		{ "policy: {approvals: {all: 1}}\n", "made-by" },
		{ "policy: {approvals: {all: 1, own: true}}\n", "" },
		{ "policy: {freeze: [{zone: UTC, from: 2026-11-24, to: 2026-11-25}]}\n", "freeze" },
		{ "policy: {freeze: [{zone: UTC, from: 2026-11-25, to: 2026-11-26}]}\n", "" },
		{ NULL, NULL },
	};
	struct shop *s = shop_new(shop_one_env);

	(void)state;
	for (size_t i = 0; cases[i].rules; i++) {
		const char *got = rules(s, cases[i].policy, KNOWN_API, FAKE_START);

		if (strcmp(got, cases[i].rules) != 0)
			fail_msg("%s: '%s', not '%s'", cases[i].policy, got, cases[i].rules);
	}
	assert_string_equal(rules(s, "policy: {attested: forbid}\n", KNOWN_ATTESTED, FAKE_START),
			    "attested");
	assert_string_equal(rules(s, "policy: {attested: allow}\n", KNOWN_ATTESTED, FAKE_START),
			    "");
	shop_free(s);
}

static void approvals_are_the_most_that_any_class_wants(void **state)
{
	struct shop *s = shop_new(shop_one_env);

	(void)state;
	load(s, "policy: {approvals: {all: 1, production: 2, irreversible: 3}}\n");
	assert_int_equal(policy_approvals(s->rollout, false, false), 1);
	assert_int_equal(policy_approvals(s->rollout, true, false), 2);
	assert_int_equal(policy_approvals(s->rollout, false, true), 3);
	assert_int_equal(policy_approvals(s->rollout, true, true), 3);
	assert_true(policy_wants_approvals(s->rollout));
	load(s, "");
	assert_false(policy_wants_approvals(s->rollout));
	assert_int_equal(policy_approvals(s->rollout, true, true), 0);
	shop_free(s);
}

static void a_freeze_holds_by_the_clocks_of_its_zone(void **state)
{
	/* 2026-11-23 is a Monday; Berlin is an hour ahead of UTC in winter, two in summer. */
	static const struct {
		const char *freeze, *now, *until; /* until NULL: it does not hold */
	} cases[] = {
		{ "{zone: Europe/Berlin, days: [fri], start: \"16:00\"}", "2026-11-27T14:59:59Z",
		  NULL },
		{ "{zone: Europe/Berlin, days: [fri], start: \"16:00\"}", "2026-11-27T15:00:00Z",
		  "2026-11-27T23:00:00Z" },
		{ "{zone: Europe/Berlin, days: [fri], start: \"16:00\"}", "2026-07-03T14:00:00Z",
		  "2026-07-03T22:00:00Z" },
		{ "{zone: UTC, days: [fri, sat, sun]}", "2026-11-27T00:00:00Z",
		  "2026-11-30T00:00:00Z" },
		{ "{zone: UTC, days: [mon], start: \"22:00\", end: \"06:00\"}",
		  "2026-11-24T05:59:59Z", "2026-11-24T06:00:00Z" },
		{ "{zone: UTC, days: [mon], start: \"22:00\", end: \"06:00\"}",
		  "2026-11-23T05:59:59Z", NULL },
		{ "{zone: Europe/Berlin, from: 2026-12-20T18:00, to: 2027-01-07}",
		  "2026-12-20T16:59:59Z", NULL },
		{ "{zone: Europe/Berlin, from: 2026-12-20T18:00, to: 2027-01-07}",
		  "2026-12-20T17:00:00Z", "2027-01-06T23:00:00Z" },
		/* Across the change of clocks: the day has 25 hours. */
		{ "{zone: Europe/Berlin, days: [sun]}", "2026-10-24T22:00:00Z",
		  "2026-10-25T23:00:00Z" },
	};
	struct shop *s = shop_new(shop_one_env);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(sb_done) struct sb text = SB_INIT(4096);
		const char *why = "";
		int64_t until = 0;
		bool holds;

		sb_addf(&text, "policy: {freeze: [%s]}\n", cases[i].freeze);
		load(s, text.buf);
		holds = policy_freezes(s->rollout, s->envs[0], at(cases[i].now), &s->arena, &until,
				       &why);
		if (holds != (cases[i].until != NULL) || (holds && until != at(cases[i].until)))
			fail_msg("%s at %s: %d %lld", cases[i].freeze, cases[i].now, holds,
				 (long long)until);
	}
	shop_free(s);
}

static void a_freeze_of_every_day_ends_a_year_ahead_at_most(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	const char *why = "";
	int64_t until = 0;

	(void)state;
	load(s, "policy: {freeze: [{zone: UTC, days: [mon, tue, wed, thu, fri, sat, sun]}]}\n");
	assert_true(policy_freezes(s->rollout, s->envs[0], FAKE_START, &s->arena, &until, &why));
	assert_true(until > FAKE_START + 360 * WHEN_DAY && until < FAKE_START + 370 * WHEN_DAY);
	shop_free(s);
}

static void what_is_no_freeze_is_told_with_its_place(void **state)
{
	static const char *const bad[] = {
		"{zone: Mars/Olympus, days: [fri]}",
		"{zone: UTC}",
		"{zone: UTC, days: []}",
		"{zone: UTC, days: [fri], start: \"25:00\"}",
		"{zone: UTC, days: [fri], start: \"24:00\"}",
		"{zone: UTC, from: 2026-12-20}",
		"{zone: UTC, from: 2026-12-20, to: 2026-12-20}",
		"{zone: UTC, from: tomorrow, to: 2026-12-20}",
		"{zone: UTC, from: 2026-12-20, to: 2026-12-22, days: [fri]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(sb_done) struct sb text = SB_INIT(65536), told = SB_INIT(65536);
		const char *envs = strstr(shop_one_env, "environments:");
		struct shop *s = shop_new(shop_one_env);
		struct rollout *r = NULL;
		struct diags d;

		diags_init(&d, &s->arena);
		sb_addn(&text, shop_one_env, (size_t)(envs - shop_one_env));
		sb_addf(&text, "policy:\n  freeze:\n    - %s\n%s", bad[i], envs);
		if (rollout_parse("r.yaml", text.buf, text.len, &shop_registry, &s->sys, &s->arena,
				  &r, &d) == 0)
			fail_msg("taken: %s", bad[i]);
		diags_print(&d, &told);
		assert_true(d.errors == 1 && d.list[0].pos.col == 7);
		assert_string_equal(d.list[0].rule, "bad-freeze");
		shop_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_holds_and_is_broken),
		cmocka_unit_test(approvals_are_the_most_that_any_class_wants),
		cmocka_unit_test(a_freeze_holds_by_the_clocks_of_its_zone),
		cmocka_unit_test(a_freeze_of_every_day_ends_a_year_ahead_at_most),
		cmocka_unit_test(what_is_no_freeze_is_told_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
