/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/secret.h"
#include "core/base/secret_open.h"

static void the_label_tells_the_length_only(void **state)
{
	CLEANUP(secret_freep) struct secret *s = secret_new("hunter2hunter2", 12);
	CLEANUP(secret_freep) struct secret *one = secret_new("x", 1);

	(void)state;
	assert_string_equal(secret_label(s), "(secret, 12 bytes)");
	assert_string_equal(secret_label(one), "(secret, 1 byte)");
	assert_string_equal(secret_label(NULL), "(no secret)");
}

static void open_gives_a_terminated_copy(void **state)
{
	char mine[] = "swordfish";
	CLEANUP(secret_freep) struct secret *s = secret_new(mine, 9);
	size_t len = 0;

	(void)state;
	memset(mine, 'x', 9);
	assert_string_equal(secret_open(s, &len), "swordfish");
	assert_int_equal(len, 9);
	assert_string_equal(secret_open(s, NULL), "swordfish");
}

static void bytes_may_hold_nul_and_be_none(void **state)
{
	CLEANUP(secret_freep) struct secret *s = secret_new("a\0b", 3);
	CLEANUP(secret_freep) struct secret *none = secret_new(NULL, 0);
	size_t len = 9;

	(void)state;
	assert_memory_equal(secret_open(s, &len), "a\0b", 4);
	assert_int_equal(len, 3);
	assert_string_equal(secret_open(none, &len), "");
	assert_int_equal(len, 0);
}

static void equal_compares_content(void **state)
{
	CLEANUP(secret_freep) struct secret *a = secret_new("same", 4);
	CLEANUP(secret_freep) struct secret *b = secret_new("same", 4);
	CLEANUP(secret_freep) struct secret *c = secret_new("sama", 4);
	CLEANUP(secret_freep) struct secret *d = secret_new("same!", 5);

	(void)state;
	assert_true(secret_equal(a, b));
	assert_true(secret_equal(a, a));
	assert_false(secret_equal(a, c));
	assert_false(secret_equal(a, d));
	assert_false(secret_equal(a, NULL));
	assert_true(secret_equal(NULL, NULL));
}

static void count_one(void *arg, const char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	++*(size_t *)arg;
}

static size_t living(void)
{
	size_t n = 0;

	secret_each(count_one, &n);
	return n;
}

static void the_last_owner_ends_it(void **state)
{
	struct secret *a = secret_new("aaaa", 4), *b = secret_new("bbbb", 4);
	struct secret *c = secret_new("cccc", 4), *again = secret_ref(b);

	(void)state;
	assert_ptr_equal(again, b);
	assert_int_equal(living(), 3);
	secret_free(b);
	assert_int_equal(living(), 3);
	assert_string_equal(secret_open(again, NULL), "bbbb");
	secret_freep(&again); /* from the middle */
	assert_null(again);
	assert_int_equal(living(), 2);
	secret_free(c); /* the newest */
	secret_free(a); /* the oldest */
	assert_int_equal(living(), 0);
	secret_free(NULL);
	assert_null(secret_ref(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_label_tells_the_length_only),
		cmocka_unit_test(open_gives_a_terminated_copy),
		cmocka_unit_test(bytes_may_hold_nul_and_be_none),
		cmocka_unit_test(equal_compares_content),
		cmocka_unit_test(the_last_owner_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
