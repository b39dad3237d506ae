/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/api/fact.h"

static void known_facts_are_read_and_unknown_ones_are_not(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *facts = value_map(&a);
	static const struct {
		enum known known;
		bool is_known;
		const char *name;
	} cases[] = {
		{ KNOWN_NOT, false, "not-looked" }, { KNOWN_API, true, "api" },
		{ KNOWN_BRIDGE, true, "bridge" },   { KNOWN_ATTESTED, true, "attested" },
		{ KNOWN_JOURNAL, true, "journal" }, { KNOWN_DENIED, false, "denied" },
		{ KNOWN_FENCED, false, "fenced" },  { KNOWN_FAILED, false, "failed" },
	};

	(void)state;
	value_set(&a, facts, "status", value_string(&a, "done"));
	value_set(&a, facts, "at", value_int(&a, 5));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct observation seen[] = {
			{ .thing = "a.other", .known = KNOWN_API },
			{ .thing = "a.thing", .known = cases[i].known, .facts = facts },
		};
		const struct view v = { .seen = seen, .seen_count = 2 };
		bool yes = cases[i].is_known;

		assert_string_equal(known_name(cases[i].known), cases[i].name);
		assert_ptr_equal(view_seen(&v, "a.thing"), &seen[1]);
		assert_int_equal(view_known(&v, "a.thing"), yes);
		assert_int_equal(view_fact_is(&v, "a.thing", "status", "done"), yes);
		assert_false(view_fact_is(&v, "a.thing", "status", "other"));
		assert_int_equal(view_fact_int(&v, "a.thing", "at", -1), yes ? 5 : -1);
		assert_null(view_fact_text(&v, "a.thing", "at"));
		assert_null(view_fact(&v, "a.thing", "none"));
		assert_null(view_fact(&v, "a.other", "status"));
		assert_null(view_seen(&v, "a.third"));
		assert_false(view_known(&v, "a.third"));
		assert_null(view_fact(&v, "a.third", "status"));
	}
}

static void wants_are_paths_and_marks_are_names(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *want = value_map(&a), *app = value_map(&a), *marks = value_map(&a);
	const struct view v = { .want = want, .marks = marks }, none = { .env = "dev" };

	(void)state;
	value_set(&a, want, "app", app);
	value_set(&a, app, "id", value_string(&a, "x"));
	value_set(&a, marks, "restart.at", value_int(&a, 9));
	assert_string_equal(value_text(view_want(&v, "app.id")), "x");
	assert_int_equal(view_mark_ms(&v, "restart.at"), 9);
	assert_null(view_mark(&v, "restart"));
	assert_null(view_want(&none, "app.id"));
	assert_int_equal(view_mark_ms(&none, "restart.at"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_facts_are_read_and_unknown_ones_are_not),
		cmocka_unit_test(wants_are_paths_and_marks_are_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
