/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/secret.h"
#include "core/base/value.h"

static void maps_keep_order_and_replace(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *m = value_map(&a);

	(void)state;
	value_set(&a, m, "b", value_int(&a, 1));
	value_set(&a, m, "a", value_int(&a, 2));
	value_set(&a, m, "b", value_int(&a, 3));
	value_set(&a, m, "c", NULL);
	assert_int_equal(value_count(m), 2);
	assert_string_equal(value_key_at(m, 0), "b");
	assert_int_equal(value_int_or(value_at(m, 0), 0), 3);
	assert_string_equal(value_key_at(m, 1), "a");
	assert_null(value_key_at(m, 2));
	assert_null(value_at(m, 2));
	assert_null(value_get(m, "c"));
	assert_null(value_get(m, ""));
}

static void ten_thousand_keys_are_all_found(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *m = value_map(&a);
	char key[32];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(key, sizeof(key), "key-%d", i);
		value_set(&a, m, key, value_int(&a, i));
		/* At each size on the way, below and above the index. */
		assert_int_equal(value_int_or(value_get(m, "key-0"), -1), 0);
		assert_int_equal(value_int_or(value_get(m, key), -1), i);
	}
	assert_int_equal(value_count(m), 10000);
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(key, sizeof(key), "key-%d", i);
		value_set(&a, m, key, value_int(&a, i + 1));
	}
	assert_int_equal(value_count(m), 10000);
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(key, sizeof(key), "key-%d", i);
		assert_int_equal(value_int_or(value_get(m, key), -1), i + 1);
		assert_string_equal(value_key_at(m, (size_t)i), key);
	}
	assert_null(value_get(m, "key-10000"));
	assert_null(value_get(m, "key-"));
}

static void readers_accept_what_is_not_there(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const struct value *s = value_string(&a, "x");

	(void)state;
	assert_null(value_get(NULL, "a"));
	assert_null(value_get(s, "a"));
	assert_null(value_path(NULL, "a.b"));
	assert_null(value_text(NULL));
	assert_string_equal(value_text_or(NULL, "y"), "y");
	assert_int_equal(value_int_or(s, 5), 5);
	assert_true(value_bool_or(NULL, true));
	assert_true(value_is_null(NULL));
	assert_true(value_is_null(value_null(&a)));
	assert_false(value_is_null(s));
	assert_int_equal(value_count(NULL), 0);
	assert_int_equal(value_count(s), 0);
	assert_null(value_at(NULL, 0));
	assert_null(value_key_at(NULL, 0));
	assert_int_equal(value_string(&a, NULL)->kind, VAL_NULL);
	assert_int_equal(value_instant(&a, 0)->kind, VAL_NULL);
	assert_string_equal(value_text(value_instant(&a, 1000)), "1970-01-01T00:00:01Z");
	assert_string_equal(value_text(value_stringf(&a, "%d%%", 5)), "5%");
}

static void path_walks_maps(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *top = value_map(&a), *mid = value_map(&a);

	(void)state;
	value_set(&a, mid, "c", value_string(&a, "deep"));
	value_set(&a, top, "ab", mid);
	assert_string_equal(value_text(value_path(top, "ab.c")), "deep");
	assert_ptr_equal(value_path(top, "ab"), mid);
	assert_null(value_path(top, "a.c"));
	assert_null(value_path(top, "ab."));
	assert_null(value_path(top, "ab.c.d"));
	assert_null(value_path(top, ""));
}

static struct value *tree(struct arena *a, struct secret *s, bool turned)
{
	struct value *m = value_map(a), *l = value_list(a), *in = value_map(a);

	value_list_add(a, l, value_int(a, 1));
	value_list_add(a, l, value_real(a, 0.5));
	value_list_add(a, l, value_bool(a, true));
	value_list_add(a, l, value_null(a));
	value_list_add(a, l, value_secret(a, s));
	value_set(a, in, turned ? "y" : "x", value_string(a, turned ? "2" : "1"));
	value_set(a, in, turned ? "x" : "y", value_string(a, turned ? "1" : "2"));
	value_set(a, m, "list", l);
	value_set(a, m, "map", in);
	return m;
}

static void equal_ignores_the_order_of_keys_only(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(secret_freep) struct secret *s = secret_new("secret", 6);
	CLEANUP(secret_freep) struct secret *same = secret_new("secret", 6);
	CLEANUP(secret_freep) struct secret *other = secret_new("sekret", 6);
	struct value *m = tree(&a, s, false), *l = value_list(&a), *k = value_list(&a);

	(void)state;
	assert_true(value_equal(m, tree(&a, same, true)));
	assert_false(value_equal(m, tree(&a, other, true)));
	value_list_add(&a, l, value_int(&a, 1));
	value_list_add(&a, l, value_int(&a, 2));
	value_list_add(&a, k, value_int(&a, 2));
	value_list_add(&a, k, value_int(&a, 1));
	assert_false(value_equal(l, k));
	assert_false(value_equal(value_int(&a, 1), value_string(&a, "1")));
	assert_false(value_equal(value_int(&a, 1), value_int(&a, 2)));
	assert_false(value_equal(value_real(&a, 1.5), value_real(&a, 1.25)));
	assert_false(value_equal(value_bool(&a, true), value_bool(&a, false)));
	assert_true(value_equal(NULL, value_null(&a)));
	assert_false(value_equal(NULL, value_bool(&a, false)));
	assert_false(value_equal(m, value_map(&a)));
}

static void copy_is_deep_and_outlives_its_source(void **state)
{
	CLEANUP(secret_freep) struct secret *s = secret_new("secret", 6);
	struct arena from = ARENA_INIT;
	CLEANUP(arena_done) struct arena to = ARENA_INIT;
	struct value *m = tree(&from, s, false), *copy;

	(void)state;
	m->pos = (struct src_pos){ "f", 3, 4 };
	m->u.map.pairs[1].key_pos = (struct src_pos){ "f", 5, 6 };
	copy = value_copy(&to, m);
	arena_done(&from);
	assert_true(value_equal(copy, tree(&to, s, true)));
	assert_int_equal(value_at(value_get(copy, "list"), 4)->kind, VAL_SECRET);
	assert_int_equal(copy->pos.line, 3);
	assert_int_equal(value_get_pair(copy, "map")->key_pos.line, 5);
	assert_int_equal(value_copy(&to, NULL)->kind, VAL_NULL);
}

static void need_text_says_what_is_wrong(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *m = value_map(&a);
	const char *s = "before";
	struct err e = ERR_INIT;

	(void)state;
	value_set(&a, m, "s", value_string(&a, "text"));
	value_set(&a, m, "l", value_list(&a));
	value_set(&a, m, "n", value_null(&a));
	assert_int_equal(value_need_text(m, "x", &s, &e), -E_REMOTE);
	assert_string_equal(e.msg, "field 'x' is missing");
	err_clear(&e);
	assert_int_equal(value_need_text(m, "l", &s, &e), -E_REMOTE);
	assert_string_equal(e.msg, "field 'l' is a list, not a string");
	err_clear(&e);
	assert_int_equal(value_need_text(m, "n", &s, &e), -E_REMOTE);
	assert_string_equal(e.msg, "field 'n' is null, not a string");
	err_clear(&e);
	assert_int_equal(value_need_text(NULL, "n", &s, &e), -E_REMOTE);
	err_clear(&e);
	assert_string_equal(s, "before");
	assert_int_equal(value_need_text(m, "s", &s, &e), 0);
	assert_string_equal(s, "text");
	assert_int_equal(value_need_kind(m, VAL_LIST, "the answer", &e), -E_REMOTE);
	assert_string_equal(e.msg, "the answer is a map, not a list");
}

static void need_id_takes_strings_and_whole_numbers(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *m = value_map(&a);
	static const char *const bad[] = { "empty", "real",    "huge",  "list",
					   "null",  "missing", "secret" };
	CLEANUP(secret_freep) struct secret *secret = secret_new("secret", 6);
	const char *id = NULL;
	struct err e = ERR_INIT;

	(void)state;
	value_set(&a, m, "text", value_string(&a, "4711"));
	value_set(&a, m, "int", value_int(&a, 4711));
	value_set(&a, m, "top", value_int(&a, INT64_C(1) << 53));
	value_set(&a, m, "empty", value_string(&a, ""));
	value_set(&a, m, "real", value_real(&a, 1e17));
	value_set(&a, m, "huge", value_int(&a, (INT64_C(1) << 53) + 1));
	value_set(&a, m, "list", value_list(&a));
	value_set(&a, m, "null", value_null(&a));
	value_set(&a, m, "secret", value_secret(&a, secret));
	assert_int_equal(value_need_id(&a, m, "text", &id, &e), 0);
	assert_string_equal(id, "4711");
	assert_int_equal(value_need_id(&a, m, "int", &id, &e), 0);
	assert_string_equal(id, "4711");
	assert_int_equal(value_need_id(&a, m, "top", &id, &e), 0);
	assert_string_equal(id, "9007199254740992");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_clear(&e);
		assert_int_equal(value_need_id(&a, m, bad[i], &id, &e), -E_REMOTE);
	}
	assert_string_equal(id, "9007199254740992");
}

static void ms_takes_numbers_and_digits(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const struct value *bad[] = {
		value_int(&a, -1),
		value_real(&a, 1.5),
		value_string(&a, ""),
		value_string(&a, "12x"),
		value_string(&a, "-1"),
		value_string(&a, " 1"),
		value_string(&a, "9223372036854775808"),
		value_bool(&a, true),
		value_list(&a),
	};
	struct err e = ERR_INIT;
	int64_t ms = 7;

	(void)state;
	assert_int_equal(value_ms(NULL, &ms, &e), 0);
	assert_int_equal(ms, 0);
	assert_int_equal(value_ms(value_int(&a, 1795428000000), &ms, &e), 0);
	assert_int_equal(ms, 1795428000000);
	assert_int_equal(value_ms(value_null(&a), &ms, &e), 0);
	assert_int_equal(ms, 0);
	assert_int_equal(value_ms(value_string(&a, "9223372036854775807"), &ms, &e), 0);
	assert_int_equal(ms, INT64_MAX);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_clear(&e);
		assert_int_equal(value_ms(bad[i], &ms, &e), -E_REMOTE);
	}
	assert_int_equal(ms, INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_keep_order_and_replace),
		cmocka_unit_test(ten_thousand_keys_are_all_found),
		cmocka_unit_test(readers_accept_what_is_not_there),
		cmocka_unit_test(path_walks_maps),
		cmocka_unit_test(equal_ignores_the_order_of_keys_only),
		cmocka_unit_test(copy_is_deep_and_outlives_its_source),
		cmocka_unit_test(need_text_says_what_is_wrong),
		cmocka_unit_test(need_id_takes_strings_and_whole_numbers),
		cmocka_unit_test(ms_takes_numbers_and_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
