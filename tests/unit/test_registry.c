/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/api/provider.h"

static void names_of_enums_are_stable(void **state)
{
	(void)state;
	assert_string_equal(phase_name(PHASE_EXPAND), "expand");
	assert_string_equal(phase_name(PHASE_SWITCH), "switch");
	assert_string_equal(phase_name(PHASE_PROVE), "prove");
	assert_string_equal(phase_name(PHASE_CONTRACT), "contract");
	assert_string_equal(executor_name(EXEC_NONE), "none");
	assert_string_equal(executor_name(EXEC_OPERATOR), "operator");
	assert_string_equal(executor_name(EXEC_BRIDGE), "bridge");
	assert_string_equal(executor_name(EXEC_API), "api");
	assert_string_equal(undo_name(UNDO_NOTHING), "nothing");
	assert_string_equal(undo_name(UNDO_STEP), "step");
	assert_string_equal(undo_name(UNDO_PERSON), "person");
	assert_string_equal(undo_name(UNDO_NEVER), "never");
	assert_string_equal(verdict_name(VERDICT_PASS), "pass");
	assert_string_equal(verdict_name(VERDICT_WAIT), "wait");
	assert_string_equal(verdict_name(VERDICT_FAIL), "fail");
	assert_string_equal(verdict_name(VERDICT_INCONCLUSIVE), "inconclusive");
}

static const struct change_type start = { .name = "start" }, cancel = { .name = "cancel" };
static const struct change_type *const changes[] = { &start, &cancel, NULL };
static const struct thing_type one = { .name = "a.one", .changes = changes },
			       two = { .name = "b.two" };
static const struct thing_type *const a_things[] = { &one, NULL }, *const b_things[] = { &two,
											 NULL };
static const struct gate_type quiet = { .name = "quiet" };
static const struct gate_type *const b_gates[] = { &quiet, NULL };
static const struct connection_type conn = { .name = "a" };
static const struct connection_type *const a_conns[] = { &conn, NULL };
static const struct provider a = { .name = "a", .things = a_things, .connections = a_conns };
static const struct provider b = { .name = "b", .things = b_things, .gates = b_gates };
static const struct provider *const both[] = { &a, &b, NULL };

static void lookups_find_across_providers(void **state)
{
	const struct registry r = { both };

	(void)state;
	assert_ptr_equal(registry_thing(&r, "a.one"), &one);
	assert_ptr_equal(registry_thing(&r, "b.two"), &two);
	assert_null(registry_thing(&r, "a.two"));
	assert_ptr_equal(registry_gate(&r, "quiet"), &quiet);
	assert_null(registry_gate(&r, "loud"));
	assert_ptr_equal(registry_change(&r, "a.one", "cancel"), &cancel);
	assert_null(registry_change(&r, "a.one", "stop"));
	assert_null(registry_change(&r, "b.two", "start"));
	assert_null(registry_change(&r, "c", "start"));
	assert_ptr_equal(registry_connection(&r, "a"), &conn);
	assert_null(registry_connection(&r, "b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_enums_are_stable),
		cmocka_unit_test(lookups_find_across_providers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
