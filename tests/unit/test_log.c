/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/base/sb.h"
#include "core/base/secret.h"

static void keep(void *ctx, const char *line, size_t len)
{
	sb_addn(ctx, line, len);
	sb_addc(ctx, '\n');
}

static void off_until_opened(void **state)
{
	(void)state;
	assert_false(log_on("http"));
	log_debug("http", "nobody hears %d", 1);
}

static void categories_choose(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(1000);

	(void)state;
	log_open(keep, &out, "http,gate");
	assert_true(log_on("http"));
	assert_true(log_on("gate"));
	assert_false(log_on("plan"));
	assert_false(log_on("htt"));
	assert_false(log_on("ga"));
	log_debug("plan", "no");
	log_debug("gate", "yes %d", 1);
	assert_string_equal(out.buf, "gate: yes 1\n");
	log_open(keep, &out, "all");
	assert_true(log_on("plan"));
	log_open(keep, &out, NULL);
	assert_false(log_on("plan"));
	log_open(keep, &out, "");
	assert_false(log_on("plan"));
}

static void lines_are_redacted_and_masked(void **state)
{
	UNUSED CLEANUP(secret_freep) struct secret *s = secret_new("multi\nline", 10);
	CLEANUP(sb_done) struct sb out = SB_INIT(1000);

	(void)state;
	log_open(keep, &out, "all");
	log_debug("http", "token=%s \x1b[1m\nx", "multi\nline");
	log_open(NULL, NULL, NULL);
	assert_string_equal(out.buf, "http: token=(redacted) \\x1b[1m\\x0ax\n");
}

static void a_line_too_long_is_named_not_shown(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(1000);
	static char huge[100000];

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	log_open(keep, &out, "all");
	log_debug("http", "%s", huge);
	log_open(NULL, NULL, NULL);
	assert_string_equal(out.buf, "http: (a line too long to log)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_until_opened),
		cmocka_unit_test(categories_choose),
		cmocka_unit_test(lines_are_redacted_and_masked),
		cmocka_unit_test(a_line_too_long_is_named_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
