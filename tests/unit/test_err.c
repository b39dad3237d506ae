/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "core/base/err.h"
#include "core/base/sb.h"

static void set_fills_and_returns_minus_code(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&e, E_REMOTE, "answered %d", 500), -E_REMOTE);
	assert_int_equal(e.code, E_REMOTE);
	assert_string_equal(e.msg, "answered 500");
	assert_string_equal(e.hint, "");
	assert_null(e.pos.file);
}

static void at_is_a_plan_error_with_a_position(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_at(&e, (struct src_pos){ "a.yaml", 3, 7 }, "bad"), -E_PLAN);
	assert_string_equal(e.pos.file, "a.yaml");
	assert_int_equal(e.pos.line, 3);
	assert_int_equal(e.pos.col, 7);
}

static void wrap_keeps_code_and_prefixes(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	(void)err_set(&e, E_IO, "no such file");
	assert_int_equal(err_wrap(&e, "reading '%s'", "x"), -E_IO);
	assert_int_equal(err_wrap(&e, "dev"), -E_IO);
	assert_string_equal(e.msg, "dev: reading 'x': no such file");
}

static void the_first_hint_wins(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	(void)err_set(&e, E_GATE, "x");
	assert_int_equal(err_hint(&e, "first"), -E_GATE);
	assert_int_equal(err_hint(&e, "second"), -E_GATE);
	assert_string_equal(e.hint, "first");
}

static void a_long_message_ends_in_dots(void **state)
{
	char text[2001];
	struct err e = ERR_INIT;

	(void)state;
	memset(text, 'a', 2000);
	text[383] = '\0';
	(void)err_set(&e, E_IO, "%s", text);
	assert_string_equal(e.msg, text); /* exactly full */
	err_clear(&e);
	text[383] = 'a';
	text[384] = '\0';
	(void)err_set(&e, E_IO, "%s", text);
	assert_int_equal(strlen(e.msg), 383);
	assert_string_equal(e.msg + 379, "a...");
	err_clear(&e);
	text[384] = 'a';
	text[2000] = '\0';
	(void)err_set(&e, E_IO, "%s", text);
	assert_string_equal(e.msg + 379, "a...");
	(void)err_hint(&e, "%s", text);
	assert_int_equal(strlen(e.hint), sizeof(e.hint) - 1);
	assert_string_equal(e.hint + sizeof(e.hint) - 4, "...");
}

static void wrapping_a_full_message_cuts_its_end(void **state)
{
	char text[384];
	struct err e = ERR_INIT;

	(void)state;
	memset(text, 'b', 383);
	text[383] = '\0';
	(void)err_set(&e, E_IO, "%s", text);
	(void)err_wrap(&e, "context");
	assert_int_equal(strlen(e.msg), 383);
	assert_memory_equal(e.msg, "context: bbb", 12);
	assert_string_equal(e.msg + 380, "...");
	(void)err_wrap(&e, "%s", text);
	assert_int_equal(strlen(e.msg), 383);
	assert_string_equal(e.msg + 380, "...");
}

static void a_cut_never_splits_a_character(void **state)
{
	/* Two bytes each, at both alignments. */
	for (size_t shift = 0; shift < 2; shift++) {
		char text[1001];
		struct err e = ERR_INIT;

		(void)state;
		memset(text, 'x', sizeof(text));
		for (size_t i = shift; i + 1 < 1000; i += 2)
			memcpy(text + i, "\xc3\xa4", 2);
		text[1000 - shift] = '\0';
		(void)err_set(&e, E_IO, "%s", text);
		assert_null(strstr(e.msg, "\\x"));
		assert_string_equal(e.msg + strlen(e.msg) - 5, "\xc3\xa4...");
	}
}

static void control_bytes_are_masked_everywhere(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	(void)err_set(&e, E_REMOTE, "%s", "\x1b]0;title\a \xc2\x9b \xe2\x80\xae \xff ok \xc3\xa4");
	assert_string_equal(e.msg,
			    "\\x1b]0;title\\x07 \\xc2\\x9b \\xe2\\x80\\xae \\xff ok \xc3\xa4");
	(void)err_wrap(&e, "a\nb");
	assert_memory_equal(e.msg, "a\\x0ab: \\x1b]0;", 15);
	(void)err_hint(&e, "x\ry");
	assert_string_equal(e.hint, "x\\x0dy");
}

static void exit_status_follows_the_table(void **state)
{
	static const struct {
		enum err_code code;
		int status;
	} cases[] = {
		{ E_NONE, 0 },   { E_USAGE, 64 },    { E_PLAN, 64 },  { E_REFUSED, 5 },
		{ E_GATE, 4 },   { E_WAIT, 3 },      { E_LOCKED, 6 }, { E_REMOTE, 1 },
		{ E_DENIED, 1 }, { E_TRANSPORT, 1 }, { E_IO, 1 },     { E_SIGNAL, 130 },
		{ E_BUG, 70 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(err_exit_status(cases[i].code), cases[i].status);
}

static void print_shows_position_and_hint_when_there(void **state)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(1000);
	struct err e = ERR_INIT;

	(void)state;
	(void)err_at(&e, (struct src_pos){ "plans/shop.yaml", 14, 7 },
		     "limit 900 is outside 1 to 500");
	(void)err_hint(&e, "leave it out for 100");
	err_print(&e, &s);
	assert_string_equal(s.buf, "plans/shop.yaml:14:7: error: limit 900 is outside 1 to 500\n"
				   "  hint: leave it out for 100\n");
	err_clear(&e);
	sb_reset(&s);
	(void)err_set(&e, E_IO, "no");
	err_print(&e, &s);
	assert_string_equal(s.buf, "error: no\n");
	sb_reset(&s);
	e.pos.file = "f";
	err_print(&e, &s);
	assert_string_equal(s.buf, "f: error: no\n");
}

static void setting_twice_is_a_bug(void **state)
{
#ifdef NDEBUG
	skip();
#endif
	int status = 0;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct err e = ERR_INIT;

		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		(void)err_set(&e, E_IO, "one");
		(void)err_set(&e, E_IO, "two");
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_and_returns_minus_code),
		cmocka_unit_test(at_is_a_plan_error_with_a_position),
		cmocka_unit_test(wrap_keeps_code_and_prefixes),
		cmocka_unit_test(the_first_hint_wins),
		cmocka_unit_test(a_long_message_ends_in_dots),
		cmocka_unit_test(wrapping_a_full_message_cuts_its_end),
		cmocka_unit_test(a_cut_never_splits_a_character),
		cmocka_unit_test(control_bytes_are_masked_everywhere),
		cmocka_unit_test(exit_status_follows_the_table),
		cmocka_unit_test(print_shows_position_and_hint_when_there),
		cmocka_unit_test(setting_twice_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
