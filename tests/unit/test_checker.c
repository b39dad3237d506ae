/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the file itself, with a shorter patience. */
#define CHECKER_TIMEOUT_MS 300
#include "core/io/checker.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

static int signals;
static int fake_signalled(void *ctx)
{
	(void)ctx;
	return signals;
}
static int late_signal(void *ctx)
{
	return ++*(int *)ctx > 2;
}
static const struct sys fake_sys = { .signalled = fake_signalled };

static int run(const char *command, size_t doc_len, struct sb *out, struct err *err)
{
	char *doc = mem_alloc(doc_len + 1);
	int rc;

	memset(doc, 'x', doc_len);
	rc = checker_run(command, doc, doc_len, &fake_sys, out, err);
	mem_free(doc);
	return rc;
}

static void the_document_comes_on_stdin_and_the_status_decides(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run("wc -c; echo to stderr >&2", 1000000, &out, &err), 0);
	assert_non_null(strstr(out.buf, "1000000\n"));
	assert_non_null(strstr(out.buf, "to stderr"));
	assert_int_equal(run("exit 7", 3, &out, &err), -E_REFUSED);
	assert_non_null(strstr(err.msg, "exit status 7"));
	err_clear(&err);
	assert_int_equal(run("kill -9 $$", 3, &out, &err), -E_REFUSED);
	assert_non_null(strstr(err.msg, "signal 9"));
	err_clear(&err);
	assert_int_equal(run("/no/such/program", 3, &out, &err), -E_REFUSED);
}

static void a_checker_that_does_not_read_breaks_nothing_and_one_that_talks_is_cut(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run("exit 0", 5000000, &out, &err), 0);
	assert_int_equal(run("head -c 200000 /dev/zero | tr '\\0' y", 1, &out, &err), 0);
	assert_int_equal(out.len, 100);
	assert_false(out.over);
}

static void one_that_hangs_is_killed_with_its_children(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run("sleep 1000 & echo $!; wait", 1, &out, &err), -E_REFUSED);
	assert_non_null(strstr(err.msg, "took longer"));
	assert_true(out.len > 1);
	/* The child of the child is gone, or about to be. */
	for (int i = 0; i < 100 && kill((pid_t)strtol(out.buf, NULL, 10), 0) == 0; i++)
		poll(NULL, 0, 20);
	err_clear(&err);
	assert_int_equal(run("exec >&- 2>&-; sleep 1000", 1, &out, &err), -E_REFUSED);
}

static void a_signal_ends_the_waiting(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(100);
	struct err err = ERR_INIT;
	int asked = 0;
	const struct sys sys = { .ctx = &asked, .signalled = late_signal };

	(void)state;
	assert_int_equal(checker_run("sleep 1000", "x", 1, &sys, &out, &err), -E_SIGNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_comes_on_stdin_and_the_status_decides),
		cmocka_unit_test(
			a_checker_that_does_not_read_breaks_nothing_and_one_that_talks_is_cut),
		cmocka_unit_test(one_that_hangs_is_killed_with_its_children),
		cmocka_unit_test(a_signal_ends_the_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
