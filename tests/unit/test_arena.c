/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdalign.h>

#include "core/base/arena.h"

static void pieces_are_aligned_zeroed_and_apart(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	unsigned char *last = NULL;

	(void)state;
	for (size_t size = 0; size < 300; size++) {
		unsigned char *p = arena_alloc(&a, size);

		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		assert_ptr_not_equal(p, last);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
		last = p;
		assert_string_equal(arena_strdup(&a, "odd"), "odd");
	}
}

static void alignment_holds_after_text_of_any_length(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)state;
	for (size_t len = 0; len < 64; len++) {
		char *s = arena_strndup(
			&a, "0123456789012345678901234567890123456789012345678901234567890123",
			len);

		assert_int_equal(strlen(s), len);
		assert_int_equal((uintptr_t)arena_alloc(&a, 8) % alignof(max_align_t), 0);
	}
}

static void large_pieces_leave_the_rest_of_a_block_in_use(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	char *before = arena_alloc(&a, 16), *big = arena_alloc(&a, 10000000), *after;

	(void)state;
	memset(big, 1, 10000000);
	after = arena_alloc(&a, 16);
	assert_ptr_equal(after, before + 16);
}

static void used_counts_bytes(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)state;
	(void)!arena_alloc(&a, 100);
	(void)!arena_strdup(&a, "abc");
	assert_int_equal(a.used, 104);
	arena_done(&a);
	assert_int_equal(a.used, 0);
	assert_string_equal(arena_strdup(&a, "usable again"), "usable again");
}

static void strdup_of_null_is_null(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)state;
	assert_null(arena_strdup(&a, NULL));
	assert_string_equal(arena_strndup(&a, "ab\0cd", 5), "ab");
}

static void printf_writes_any_length(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	char *s;

	(void)state;
	assert_string_equal(arena_printf(a, "%s-%d", "a", 7), "a-7");
	s = arena_printf(a, "%0100000d", 1);
	assert_int_equal(strlen(s), 100000);
	arena_free(NULL);
}

static void grow_doubles_and_keeps(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	size_t cap = 0;
	int *v = NULL;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		v = arena_grow(&a, v, (size_t)i, &cap, sizeof(*v));
		v[i] = i;
	}
	for (int i = 0; i < 5000; i++)
		assert_int_equal(v[i], i);
	assert_int_equal(cap, 8192);
}

static void join_puts_one_character_between(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	assert_string_equal(arena_join(&a, "thing", '.', "fact"), "thing.fact");
	assert_string_equal(arena_join(&a, "", ' ', ""), " ");
	arena_done(&a);
}

static void note_end(void *arg)
{
	CLEANUP(arena_done) struct arena other = ARENA_INIT;
	char **at = arg;

	*(*at)++ = *arena_strdup(&other, "x"); /* arenas may be used meanwhile */
}

static void what_is_left_to_do_is_done_when_it_dies(void **state)
{
	struct arena a = ARENA_INIT;
	char said[4] = "", *at = said;

	(void)state;
	arena_at_end(&a, note_end, &at);
	arena_at_end(&a, note_end, &at);
	assert_string_equal(said, "");
	arena_done(&a);
	assert_string_equal(said, "xx");
	arena_done(&a); /* once */
	assert_string_equal(said, "xx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_to_do_is_done_when_it_dies),
		cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
		cmocka_unit_test(alignment_holds_after_text_of_any_length),
		cmocka_unit_test(large_pieces_leave_the_rest_of_a_block_in_use),
		cmocka_unit_test(used_counts_bytes),
		cmocka_unit_test(strdup_of_null_is_null),
		cmocka_unit_test(printf_writes_any_length),
		cmocka_unit_test(join_puts_one_character_between),
		cmocka_unit_test(grow_doubles_and_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
