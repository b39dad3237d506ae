/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "core/base/mem.h"

static void alloc_gives_zeroed_bytes(void **state)
{
	unsigned char *p = mem_alloc(100);

	(void)state;
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	mem_free(p);
}

static void alloc_of_nothing_gives_a_pointer(void **state)
{
	char *p = mem_alloc(0);

	(void)state;
	assert_non_null(p);
	mem_free(p);
	mem_free(NULL);
}

static void strndup_stops_at_len_or_nul(void **state)
{
	char *a = mem_strndup("hello", 3), *b = mem_strndup("hi", 30), *c = mem_strdup("");

	(void)state;
	assert_string_equal(a, "hel");
	assert_string_equal(b, "hi");
	assert_string_equal(c, "");
	mem_free(a);
	mem_free(b);
	mem_free(c);
}

static void freep_clears_the_pointer(void **state)
{
	char *p = mem_strdup("x");

	(void)state;
	mem_freep(&p);
	assert_null(p);
	mem_freep(&p);
	assert_null(p);
}

static void grow_keeps_what_is_there(void **state)
{
	size_t cap = 0;
	int *v = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		v = mem_grow(v, (size_t)i, &cap, sizeof(*v));
		assert_true(cap > (size_t)i);
		v[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);
	mem_free(v);
}

/* In a child: what goes to its stderr, and how it ends. */
static int end_of_overflow(char *said, size_t size)
{
	int fds[2], status = 0;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(fds[1], STDERR_FILENO);
		mem_free(mem_resize(NULL, SIZE_MAX / 2, 3));
		_exit(0);
	}
	close(fds[1]);
	n = read(fds[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void running_out_ends_with_71_and_a_message(void **state)
{
	char said[200];

	(void)state;
	assert_int_equal(end_of_overflow(said, sizeof(said)), 71);
	assert_string_equal(said, "s2sctl: out of memory\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alloc_gives_zeroed_bytes),
		cmocka_unit_test(alloc_of_nothing_gives_a_pointer),
		cmocka_unit_test(strndup_stops_at_len_or_nul),
		cmocka_unit_test(freep_clears_the_pointer),
		cmocka_unit_test(grow_keeps_what_is_there),
		cmocka_unit_test(running_out_ends_with_71_and_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
