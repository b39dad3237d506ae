/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/plan/changes.h"
#include "tests/unit/fake_shop.h"

static struct view view_with(struct observation *seen, size_t count, const struct value *want)
{
	return (struct view){ .env = "dev", .want = want, .seen = seen, .seen_count = count };
}

static const struct value *map1(struct arena *a, const char *key, const struct value *v)
{
	struct value *m = value_map(a);

	value_set(a, m, key, v);
	return m;
}

static void diffs_run_in_the_registrys_order_and_see_what_was_found_before(void **state)
{
	struct arena a = ARENA_INIT;
	struct value *key = value_map(&a), *app = value_map(&a);
	struct observation seen[] = {
		{ .thing = "shop.key", .known = KNOWN_API, .facts = key },
		{ .thing = "shop.settings",
		  .known = KNOWN_API,
		  .facts = map1(&a, "use", value_string(&a, "old")) },
		{ .thing = "shop.app", .known = KNOWN_API, .facts = app },
	};
	struct view v = view_with(seen, ARRAY_LEN(seen), value_map(&a));
	struct changes c;
	struct err err = ERR_INIT;

	(void)state;
	value_set(&a, key, "new", value_bool(&a, false));
	value_set(&a, key, "old", value_bool(&a, true));
	value_set(&a, app, "running", value_bool(&a, true));
	value_set(&a, app, "started_at", value_int(&a, 9));
	value_set(&a, app, "saved_at", value_int(&a, 1));
	assert_int_equal(changes_collect(&c, &shop_registry, &a, &v, &err), 0);
	assert_int_equal(c.count, 6);
	assert_string_equal(c.list[0].type->name, "add");
	assert_string_equal(c.list[0].thing->name, "shop.key");
	assert_string_equal(c.list[0].reason, "old-only");
	assert_string_equal(c.list[1].type->name, "drop");
	assert_string_equal(c.list[2].type->name, "set");
	assert_string_equal(c.list[3].type->name, "restart"); /* because settings change */
	assert_string_equal(c.list[4].type->name, "seen");
	assert_true(changes_have(&c, "shop.app", "restart"));
	assert_false(changes_have(&c, "shop.app", "drop"));
	assert_false(changes_have(&c, "shop.key", "restart"));
	assert_int_equal(c.finding_count, 0);
	assert_false(changes_attest_now(&c));
	arena_done(&a);
}

static void what_nobody_can_read_is_to_be_attested(void **state)
{
	struct arena a = ARENA_INIT;
	struct observation seen[] = {
		{ .thing = "shop.settings", .known = KNOWN_DENIED, .why = "403" }
	};
	struct view v = view_with(seen, 1, value_map(&a));
	struct changes c;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(changes_collect(&c, &shop_registry, &a, &v, &err), 0);
	assert_int_equal(c.attest_count, 1);
	assert_string_equal(c.attests[0].thing->name, "shop.settings");
	assert_string_equal(c.attests[0].facts[0], "use");
	assert_true(changes_attest_now(&c));
	arena_done(&a);
}

static int bad_diff(const struct view *v, struct changes *c, struct err *err)
{
	changes_find(c, FIND_NOTE, "looked", NULL, "%s", v->env);
	return err_set(err, E_REMOTE, "two of them");
}

static int finding_diff(const struct view *v, struct changes *c, struct err *err)
{
	static const char *const facts[] = { "a", NULL };

	(void)v;
	(void)err;
	changes_find(c, FIND_WARN, "title", "hint", "title '%s'", "a\033[2Jb\n");
	changes_attest(c, "no.such", facts, "later", "watch");
	return 0;
}

static const struct thing_type bad = { .name = "bad.thing", .diff = bad_diff };
static const struct thing_type finding = { .name = "finding.thing", .diff = finding_diff };
static const struct thing_type *const bad_things[] = { &finding, &bad, NULL };
static const struct thing_type *const finding_things[] = { &finding, NULL };
static const struct provider empty = { .name = "empty" };
static const struct provider bad_provider = { .name = "bad", .things = bad_things };
static const struct provider finding_provider = { .name = "finding", .things = finding_things };
static const struct provider *const bad_providers[] = { &empty, &bad_provider, NULL };
static const struct provider *const finding_providers[] = { &empty, &finding_provider, NULL };

static void a_diff_that_fails_names_environment_and_thing(void **state)
{
	const struct registry reg = { bad_providers };
	struct arena a = ARENA_INIT;
	struct view v = view_with(NULL, 0, NULL);
	struct changes c;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(changes_collect(&c, &reg, &a, &v, &err), -E_REMOTE);
	assert_string_equal(err.msg, "dev: bad.thing: two of them");
	arena_done(&a);
}

static void a_servers_words_in_findings_drive_no_terminal(void **state)
{
	const struct registry reg = { finding_providers };
	struct arena a = ARENA_INIT;
	struct view v = view_with(NULL, 0, NULL);
	struct changes c;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(changes_collect(&c, &reg, &a, &v, &err), 0);
	assert_int_equal(c.finding_count, 1);
	assert_null(strchr(c.findings[0].text, '\033'));
	assert_null(strchr(c.findings[0].text, '\n'));
	assert_string_equal(c.findings[0].hint, "hint");
	assert_true(changes_found(&c, FIND_WARN));
	assert_false(changes_found(&c, FIND_REFUSE));
	assert_false(changes_attest_now(&c));
	assert_string_equal(c.attests[0].thing->name,
			    "finding.thing"); /* an unknown name falls back on the thing itself */
	assert_ptr_equal(changes_arena(&c), &a);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diffs_run_in_the_registrys_order_and_see_what_was_found_before),
		cmocka_unit_test(what_nobody_can_read_is_to_be_attested),
		cmocka_unit_test(a_diff_that_fails_names_environment_and_thing),
		cmocka_unit_test(a_servers_words_in_findings_drive_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
