/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "tests/unit/fake_shop.h"

#define HEAD                                                                                       \
	"version: 1\n"                                                                             \
	"connections:\n"                                                                           \
	"  shop: {url: https://shop.example, auth: {kind: bearer, token: env:T}}\n"                \
	"defaults:\n"                                                                              \
	"  executors: {drop: api}\n"                                                               \
	"environments:\n"
#define ENV(name, project, client, rest)                                                           \
	"  " name ": {project: {id: " project "}, credential: {client_id: " client "}" rest "}\n"

/* All that there is to do, in every environment. */
static struct plan *plan_of(struct shop *s, const char *but)
{
	struct arena *a = &s->arena;
	struct plan *p = plan_new(a, &shop_registry, s->rollout);
	struct value *key = value_map(a), *settings = value_map(a), *app = value_map(a);

	value_set(a, key, "new", value_bool(a, false));
	value_set(a, key, "old", value_bool(a, true));
	value_set(a, settings, "use", value_string(a, "old"));
	value_set(a, app, "running", value_bool(a, true));
	for (size_t i = 0; i < s->rollout->env_count; i++) {
		struct observation seen[] = {
			{ .thing = "shop.key", .known = KNOWN_API, .facts = key },
			{ .thing = "shop.settings", .known = KNOWN_API, .facts = settings },
			{ .thing = "shop.app", .known = KNOWN_API, .facts = app }
		};
		struct view v = { .env = s->envs[i]->name,
				  .want = s->envs[i]->want,
				  .seen = seen,
				  .seen_count = 3 };
		bool fails = but && strcmp(but, s->envs[i]->name) == 0;

		plan_env_add(p, s->envs[i], &v, NULL, fails ? "no answer" : NULL);
	}
	plan_order(p, FAKE_START);
	return p;
}

/* The same environments when all of them were switched, on their way back. */
static struct plan *plan_back(struct shop *s)
{
	struct arena *a = &s->arena;
	struct plan *p = plan_new(a, &shop_registry, s->rollout);
	struct value *key = value_map(a), *settings = value_map(a), *app = value_map(a);

	p->direction = DIRECTION_BACK;
	value_set(a, key, "new", value_bool(a, true));
	value_set(a, key, "old", value_bool(a, true));
	value_set(a, settings, "use", value_string(a, "new"));
	value_set(a, app, "running", value_bool(a, true));
	for (size_t i = 0; i < s->rollout->env_count; i++) {
		struct observation seen[] = {
			{ .thing = "shop.key", .known = KNOWN_API, .facts = key },
			{ .thing = "shop.settings", .known = KNOWN_API, .facts = settings },
			{ .thing = "shop.app", .known = KNOWN_API, .facts = app }
		};
		struct view v = { .env = s->envs[i]->name,
				  .want = s->envs[i]->want,
				  .seen = seen,
				  .seen_count = 3 };

		plan_env_add(p, s->envs[i], &v, NULL, NULL);
	}
	plan_order(p, FAKE_START);
	return p;
}

static size_t index_of(const struct plan *p, const char *address)
{
	const struct plan_step *s = plan_find_step(p, address);

	if (!s)
		fail_msg("no step %s", address);
	return (size_t)(s - p->steps);
}

static bool needs(const struct plan *p, const char *address, const char *need)
{
	const struct plan_step *s = &p->steps[index_of(p, address)];
	size_t n = index_of(p, need);

	for (size_t i = 0; i < s->need_count; i++)
		if (s->needs[i] == n)
			return true;
	return false;
}

/* Does the steps in any order that the needs allow; fails when some can never be done. */
static void assert_can_be_done(const struct plan *p)
{
	CLEANUP(sb_done) struct sb done = SB_INIT(1 << 20);
	size_t left = p->step_count;

	sb_pad(&done, '0', p->step_count);
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < p->step_count; i++) {
			bool ready = done.buf[i] == '0';

			for (size_t k = 0; ready && k < p->steps[i].need_count; k++)
				ready = done.buf[p->steps[i].needs[k]] == '1';
			if (!ready)
				continue;
			done.buf[i] = '1';
			left--;
			moved = true;
		}
	}
	if (left)
		fail_msg("%zu steps wait for each other", left);
}

static void steps_follow_the_phases_then_the_registry(void **state)
{
	static const char *const want[] = { "dev/shop.key/add",       "dev/shop.settings/set",
					    "dev/shop.app/restart",   "dev/shop.use/seen",
					    "dev/shop.use/quiet_old", "dev/shop.key/drop" };
	struct shop *s = shop_new(HEAD ENV("dev", "p0", "c0", ""));
	struct plan *p = plan_of(s, NULL);

	(void)state;
	assert_int_equal(p->step_count, ARRAY_LEN(want));
	for (size_t i = 0; i < p->step_count; i++)
		assert_string_equal(p->steps[i].address, want[i]);
	assert_int_equal(p->steps[0].need_count, 0);
	assert_true(needs(p, "dev/shop.settings/set", "dev/shop.key/add"));
	assert_true(needs(p, "dev/shop.use/seen", "dev/shop.app/restart"));
	assert_false(needs(p, "dev/shop.use/quiet_old", "dev/shop.use/seen")); /* side by side */
	assert_true(needs(p, "dev/shop.key/drop", "dev/shop.use/quiet_old"));
	assert_true(needs(p, "dev/shop.key/drop", "dev/shop.use/seen"));
	assert_int_equal(p->made_ms, FAKE_START);
	shop_free(s);
}

static void executors_and_gates_come_from_change_and_file(void **state)
{
	struct shop *s =
		shop_new(HEAD ENV("dev", "p0", "c0",
				  ", executors: {set: operator}, gates: {quiet: {window: 30h}}"));
	struct plan *p = plan_of(s, NULL);
	const struct plan_step *drop = plan_find_step(p, "dev/shop.key/drop"),
			       *quiet = plan_find_step(p, "dev/shop.use/quiet_old");

	(void)state;
	assert_int_equal(plan_find_step(p, "dev/shop.key/add")->executor, EXEC_API);
	assert_int_equal(plan_find_step(p, "dev/shop.settings/set")->executor, EXEC_OPERATOR);
	assert_int_equal(plan_find_step(p, "dev/shop.use/seen")->executor, EXEC_NONE);
	assert_int_equal(drop->executor, EXEC_API);
	assert_int_equal(drop->gate_count, 2);
	assert_true(drop->gates[0].is_before);
	assert_string_equal(drop->gates[0].type->name, "quiet");
	assert_int_equal(value_int_or(value_get(drop->gates[0].limits, "window"), 0),
			 30 * WHEN_HOUR);
	assert_int_equal(quiet->gate_count, 1);
	assert_false(quiet->gates[0].is_before);
	assert_null(plan_find_step(p, "dev/shop.key/nothing"));
	shop_free(s);
}

static void earliest_times_add_up_along_the_longest_way(void **state)
{
	struct shop *s = shop_new(HEAD ENV("dev", "p0", "c0", ", gates: {quiet: {window: 30h}}")
					  ENV("prod", "p1", "c1", ", after: [dev]"));
	struct plan *p = plan_of(s, NULL);

	(void)state;
	assert_int_equal(plan_find_step(p, "dev/shop.app/restart")->earliest_ms, 0);
	assert_int_equal(plan_find_step(p, "dev/shop.use/seen")->earliest_ms, 0);
	assert_int_equal(plan_find_step(p, "dev/shop.key/drop")->earliest_ms, 30 * WHEN_HOUR);
	assert_int_equal(plan_find_step(p, "prod/shop.key/add")->earliest_ms, 30 * WHEN_HOUR);
	assert_int_equal(plan_find_step(p, "prod/shop.key/drop")->earliest_ms, 54 * WHEN_HOUR);
	shop_free(s);
}

static void an_environment_waits_for_all_of_those_it_comes_after(void **state)
{
	/* The one that others wait for is written last. */
	struct shop *s =
		shop_new(HEAD ENV("prod", "p1", "c1", ", after: [dev]") ENV("dev", "p0", "c0", ""));
	struct plan *p = plan_of(s, NULL);

	(void)state;
	assert_true(needs(p, "prod/shop.key/add", "dev/shop.key/drop"));
	assert_true(needs(p, "prod/shop.key/add", "dev/shop.use/seen"));
	assert_int_equal(plan_find_step(p, "prod/shop.key/add")->earliest_ms, WHEN_DAY);
	assert_can_be_done(p);
	shop_free(s);
}

static void on_the_way_back_nobody_waits_for_those_before_them(void **state)
{
	struct shop *s = shop_new(shop_two_envs);
	struct plan *p = plan_back(s);

	(void)state;
	assert_int_equal(p->step_count, 10);
	assert_int_equal(p->steps[index_of(p, "stage/shop.settings/unset")].need_count, 0);
	assert_true(needs(p, "stage/shop.app/restart", "stage/shop.settings/unset"));
	assert_true(needs(p, "stage/shop.use/seen_old", "stage/shop.app/restart"));
	assert_true(needs(p, "stage/shop.key/retract", "stage/shop.use/quiet_new"));
	assert_can_be_done(p);
	shop_free(s);
}

static void who_shares_a_credential_shares_its_contract_on_the_way_back_too(void **state)
{
	struct shop *s = shop_new(HEAD ENV("dev", "p0", "c0", "") ENV("stage", "p1", "c0", ""));
	struct plan *p = plan_back(s);

	(void)state;
	assert_non_null(plan_find_step(p, "dev+stage/shop.key/retract"));
	assert_true(needs(p, "dev+stage/shop.key/retract", "dev/shop.use/seen_old"));
	assert_true(needs(p, "dev+stage/shop.key/retract", "stage/shop.use/seen_old"));
	shop_free(s);
}

static void environments_with_one_client_share_one_contract_step(void **state)
{
	struct shop *s = shop_new(HEAD ENV("dev", "p0", "same", "") ENV("other", "p2", "c2", "")
					  ENV("stage", "p1", "same", ""));
	struct plan *p = plan_of(s, NULL);
	const struct plan_step *drop = plan_find_step(p, "dev+stage/shop.key/drop");

	(void)state;
	assert_non_null(drop);
	assert_int_equal(drop->env_count, 2);
	assert_null(plan_find_step(p, "dev/shop.key/drop"));
	assert_null(plan_find_step(p, "stage/shop.key/drop"));
	assert_non_null(plan_find_step(p, "other/shop.key/drop"));
	assert_true(needs(p, "dev+stage/shop.key/drop", "dev/shop.use/quiet_old"));
	assert_true(needs(p, "dev+stage/shop.key/drop", "stage/shop.use/quiet_old"));
	assert_false(needs(p, "dev+stage/shop.key/drop", "other/shop.use/quiet_old"));
	for (size_t i = 0; i < drop->need_count; i++)
		for (size_t k = i + 1; k < drop->need_count; k++)
			assert_int_not_equal(drop->needs[i], drop->needs[k]);
	assert_can_be_done(p);
	shop_free(s);
}

static void after_an_environment_with_the_same_client_waits_for_its_proof_only(void **state)
{
	struct shop *s = shop_new(HEAD ENV("dev", "p0", "same", "")
					  ENV("stage", "p1", "same", ", after: [dev]"));
	struct plan *p = plan_of(s, NULL);

	(void)state;
	assert_true(needs(p, "stage/shop.key/add", "dev/shop.use/quiet_old"));
	assert_false(needs(p, "stage/shop.key/add", "dev+stage/shop.key/drop"));
	assert_int_equal(plan_find_step(p, "dev+stage/shop.key/drop")->earliest_ms, 2 * WHEN_DAY);
	assert_can_be_done(p);
	shop_free(s);
}

static void a_shared_contract_step_and_after_make_no_circle(void **state)
{
	static const char *const files[] = {
		/* the outer two of a chain share */
		HEAD ENV("dev", "p0", "same", "") ENV("stage", "p1", "c1", ", after: [dev]")
			ENV("prod", "p2", "same", ", after: [stage]"),
		/* the same, written the other way round */
		HEAD ENV("prod", "p2", "same", ", after: [stage]")
			ENV("stage", "p1", "c1", ", after: [dev]") ENV("dev", "p0", "same", ""),
		/* two pairs that wait for each other crosswise */
		HEAD ENV("a", "p0", "c0", "") ENV("b", "p1", "c0", ", after: [e]")
			ENV("e", "p2", "c1", "") ENV("d", "p3", "c1", ", after: [a]"),
		/* a longer way round */
		HEAD ENV("a", "p0", "c0", "") ENV("b", "p1", "c1", ", after: [a]")
			ENV("c", "p2", "c2", ", after: [b]") ENV("d", "p3", "c1", ", after: [c]")
				ENV("e", "p4", "c0", ", after: [d]"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct shop *s = shop_new(files[i]);

		assert_can_be_done(plan_of(s, NULL));
		shop_free(s);
	}
}

static void after_both_who_share_waits_for_their_contract_step(void **state)
{
	struct shop *s = shop_new(HEAD ENV("a", "p0", "c0", "") ENV("b", "p1", "c0", "")
					  ENV("c", "p2", "c2", ", after: [a]"));
	struct plan *p = plan_of(s, NULL);

	(void)state;
	assert_true(needs(p, "c/shop.key/add", "a+b/shop.key/drop"));
	assert_can_be_done(p);
	shop_free(s);
}

static void an_environment_that_could_not_be_read_has_no_steps_and_keeps_the_contract_off(
	void **state)
{
	struct shop *s = shop_new(HEAD ENV("dev", "p0", "same", "") ENV("stage", "p1", "same", "")
					  ENV("prod", "p2", "c2", ", after: [stage]"));
	struct plan *p = plan_of(s, "stage");

	(void)state;
	assert_int_equal(p->envs[1].outlook, OUTLOOK_FAILED);
	assert_string_equal(p->envs[1].error, "no answer");
	assert_int_equal(plan_exit_status(p), 1);
	assert_non_null(plan_find_step(p, "dev/shop.settings/set"));
	assert_null(plan_find_step(p, "dev/shop.key/drop"));
	assert_null(plan_find_step(p, "dev+stage/shop.key/drop"));
	assert_true(changes_found(&p->envs[0].changes, FIND_WARN));
	assert_null(plan_find_step(p, "stage/shop.key/add"));
	assert_int_equal(plan_find_step(p, "prod/shop.key/add")->need_count, 0);
	assert_can_be_done(p);
	shop_free(s);
}

/* Chains, shared clients and single ones. */
static void two_thousand_environments_are_ordered(void **state)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	struct shop *s = shop_new(HEAD ENV("dev", "p0", "c0", ""));
	struct plan *p;

	(void)state;
	sb_add(&text, HEAD);
	for (int i = 0; i < 2000; i++) {
		sb_addf(&text, "  e%d: {project: {id: q%d}, credential: {client_id: c%d}", i, i,
			i % 3 ? i : i % 60);
		if (i % 5)
			sb_addf(&text, ", after: [e%d]", i - 1);
		sb_add(&text, "}\n");
	}
	shop_load(s, text.buf);
	p = plan_of(s, NULL);
	assert_int_equal(p->env_count, 2000);
	assert_true(p->step_count > 2000 * 5 && p->step_count < 2000 * 6);
	assert_can_be_done(p);
	assert_int_equal(strlen((plan_to_value(p), p->intent_digest)), 64);
	shop_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_follow_the_phases_then_the_registry),
		cmocka_unit_test(executors_and_gates_come_from_change_and_file),
		cmocka_unit_test(earliest_times_add_up_along_the_longest_way),
		cmocka_unit_test(an_environment_waits_for_all_of_those_it_comes_after),
		cmocka_unit_test(on_the_way_back_nobody_waits_for_those_before_them),
		cmocka_unit_test(who_shares_a_credential_shares_its_contract_on_the_way_back_too),
		cmocka_unit_test(environments_with_one_client_share_one_contract_step),
		cmocka_unit_test(
			after_an_environment_with_the_same_client_waits_for_its_proof_only),
		cmocka_unit_test(a_shared_contract_step_and_after_make_no_circle),
		cmocka_unit_test(after_both_who_share_waits_for_their_contract_step),
		cmocka_unit_test(
			an_environment_that_could_not_be_read_has_no_steps_and_keeps_the_contract_off),
		cmocka_unit_test(two_thousand_environments_are_ordered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
