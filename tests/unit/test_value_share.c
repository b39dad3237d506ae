/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

#include "core/base/secret.h"
#include "core/base/value_share.h"
#include "tests/unit/fake_transport.h"

static void a_copy_says_the_same(void **state)
{
	struct arena a = ARENA_INIT, b = ARENA_INIT;
	const struct value *v = fake_json(
		&a,
		"{\"list\":[1,2,[],{},null,true,false,2.5,\"x\"],\"map\":{\"x\":{\"x\":\"x\"}},\"empty\":\"\","
		"\"one\":1,\"text\":\"1\",\"t\":true}");
	const struct value *copy = value_copy_sharing(&b, v);

	(void)state;
	assert_true(value_equal(v, copy));
	arena_done(&a); /* nothing of it is needed */
	assert_string_equal(value_text_or(value_path(copy, "map.x.x"), ""), "x");
	assert_int_equal(value_int_or(value_get(copy, "one"), 0), 1);
	assert_string_equal(value_text_or(value_get(copy, "text"), ""), "1");
	arena_done(&b);
}

static void what_is_equal_exists_once(void **state)
{
	struct arena a = ARENA_INIT, b = ARENA_INIT;
	const struct value *v =
		fake_json(&a, "[{\"k\":{\"m\":[1,\"k\"]}},{\"k\":{\"m\":[1,\"k\"]}},"
			      "{\"k\":{\"m\":[\"k\",1]}},{\"k\":{\"m\":[1]}}]");
	const struct value *copy = value_copy_sharing(&b, v);

	(void)state;
	assert_ptr_equal(value_at(copy, 0), value_at(copy, 1));
	assert_ptr_not_equal(value_at(copy, 0), value_at(copy, 2));
	assert_ptr_not_equal(value_at(copy, 0), value_at(copy, 3));
	assert_ptr_equal(value_key_at(value_at(copy, 0), 0), value_key_at(value_at(copy, 2), 0));
	assert_true(value_equal(v, copy));
	arena_done(&a);
	arena_done(&b);
}

/* More than the table has room for at first: nothing is lost while it grows. */
static void many_that_differ_stay_apart(void **state)
{
	struct arena a = ARENA_INIT, b = ARENA_INIT;
	struct value *list = value_list(&a), *copy;

	(void)state;
	for (int64_t i = 0; i < 5000; i++)
		value_list_add(&a, list, value_int(&a, i / 2));
	copy = value_copy_sharing(&b, list);
	for (size_t i = 0; i < 5000; i += 2) {
		assert_int_equal(value_int_or(value_at(copy, i), -1), i / 2);
		assert_ptr_equal(value_at(copy, i), value_at(copy, i + 1));
	}
	assert_true(b.used < a.used);
	arena_done(&a);
	arena_done(&b);
}

static void a_secret_stays_one(void **state)
{
	struct arena a = ARENA_INIT, b = ARENA_INIT;
	struct secret *s = secret_new("hush", 4);
	struct value *map = value_map(&a), *copy;

	(void)state;
	value_set(&a, map, "token", value_secret(&a, s));
	copy = value_copy_sharing(&b, map);
	assert_int_equal(value_get(copy, "token")->kind, VAL_SECRET);
	assert_ptr_equal(value_get(copy, "token")->u.secret, s);
	arena_done(&a);
	arena_done(&b);
	secret_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_says_the_same),
		cmocka_unit_test(what_is_equal_exists_once),
		cmocka_unit_test(many_that_differ_stay_apart),
		cmocka_unit_test(a_secret_stays_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
