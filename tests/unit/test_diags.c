/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/diags.h"
#include "core/base/sb.h"

static struct src_pos at(const char *file, unsigned line, unsigned col)
{
	return (struct src_pos){ file, line, col };
}

static void sort_is_by_file_line_column_and_stable(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb s = SB_INIT(1000);
	struct diags d;

	(void)state;
	diags_init(&d, &a);
	diags_add(&d, DIAG_ERROR, at("b", 1, 1), "r", NULL, "5");
	diags_add(&d, DIAG_ERROR, at("a", 2, 1), "r", NULL, "3");
	diags_add(&d, DIAG_NOTE, at("a", 2, 1), "r", NULL, "4");
	diags_add(&d, DIAG_WARNING, at("a", 1, 9), "r", NULL, "2");
	diags_add(&d, DIAG_ERROR, at(NULL, 0, 0), "r", "do %d", "1");
	diags_sort(&d);
	diags_print(&d, &s);
	assert_string_equal(s.buf, "error: 1\n  hint: do %d\na:1:9: warning: 2\na:2:1: error: 3\n"
				   "a:2:1: note: 4\nb:1:1: error: 5\n");
	assert_int_equal(d.errors, 3);
	assert_int_equal(d.warnings, 1);
}

static void past_the_maximum_is_only_counted(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb s = SB_INIT(100000);
	struct diags d;

	(void)state;
	diags_init(&d, &a);
	for (unsigned i = 0; i < DIAGS_MAX + 5; i++)
		diags_add(&d, DIAG_ERROR, at("f", i + 1, 1), "r", NULL, "e");
	diags_add(&d, DIAG_WARNING, at("f", 1, 1), "r", NULL, "w");
	assert_int_equal(d.count, DIAGS_MAX);
	assert_int_equal(d.errors, DIAGS_MAX + 5);
	diags_print(&d, &s);
	assert_non_null(strstr(s.buf, "and 5 more errors\nand 1 more warning\n"));
}

static void an_error_pushes_out_a_warning(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb s = SB_INIT(100000);
	struct diags d;

	(void)state;
	diags_init(&d, &a);
	for (unsigned i = 0; i < DIAGS_MAX; i++)
		diags_add(&d, DIAG_WARNING, at("f", i + 1, 1), "r", NULL, "w");
	diags_add(&d, DIAG_ERROR, at("f", 1, 2), "r", NULL, "the error");
	assert_int_equal(d.count, DIAGS_MAX);
	diags_print(&d, &s);
	assert_non_null(strstr(s.buf, "f:1:2: error: the error\n"));
	assert_non_null(strstr(s.buf, "and 1 more warning\n"));
}

static void text_is_copied_and_masked(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	char hint[] = "h\x1bi", word[] = "w\n";
	struct diags d;

	(void)state;
	diags_init(&d, &a);
	diags_add(&d, DIAG_ERROR, at("f", 1, 1), "r", hint, "bad '%s'", word);
	memset(hint, 'z', 3);
	memset(word, 'z', 2);
	assert_string_equal(d.list[0].msg, "bad 'w\\x0a'");
	assert_string_equal(d.list[0].hint, "h\\x1bi");
	assert_string_equal(d.list[0].rule, "r");
}

static void a_huge_message_is_cut(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	static char huge[100000];
	struct diags d;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	diags_init(&d, &a);
	diags_add(&d, DIAG_ERROR, at("f", 1, 1), "r", NULL, "bad '%s'", huge);
	assert_string_equal(d.list[0].msg, "bad '...");
}

static void an_err_becomes_an_error(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct diags d;

	(void)state;
	diags_init(&d, &a);
	(void)err_at(&e, at("f", 4, 5), "wrong");
	diags_add_err(&d, "rule", &e);
	(void)err_hint(&e, "try");
	diags_add_err(&d, "rule", &e);
	assert_int_equal(d.errors, 2);
	assert_int_equal(d.list[0].pos.line, 4);
	assert_null(d.list[0].hint);
	assert_string_equal(d.list[1].hint, "try");
}

static void nearest_finds_slips_and_nothing_else(void **state)
{
	static const char *const names[] = { "credential", "client_id", "console", "id", "gates" };
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "credentail", "credential" },
		{ "credental", "credential" },
		{ "clientid", "client_id" },
		{ "client-id", "client_id" },
		{ "gate", "gates" },
		{ "gtaes", "gates" },
		{ "consle", "console" },
		{ "di", "id" },
		{ "x", NULL },
		{ "", NULL },
		{ "zzz", NULL },
		{ "environment", NULL },
		{ "id", "id" },
	};
	char longest[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *got = diags_nearest(cases[i].word, names, ARRAY_LEN(names));

		if (cases[i].want)
			assert_string_equal(got ? got : "(none)", cases[i].want);
		else
			assert_null(got);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(diags_nearest(longest, names, ARRAY_LEN(names)));
	assert_null(diags_nearest("id", names, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sort_is_by_file_line_column_and_stable),
		cmocka_unit_test(past_the_maximum_is_only_counted),
		cmocka_unit_test(an_error_pushes_out_a_warning),
		cmocka_unit_test(text_is_copied_and_masked),
		cmocka_unit_test(a_huge_message_is_cut),
		cmocka_unit_test(an_err_becomes_an_error),
		cmocka_unit_test(nearest_finds_slips_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
