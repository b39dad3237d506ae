/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/run/retry.h"

static struct exchange answered(int status, const char *retry_after, int64_t date_ms)
{
	return (struct exchange){
		.result = SENT_OK,
		.resp = { .status = status, .retry_after = retry_after, .date_ms = date_ms }
	};
}

static int64_t once(const struct exchange *x, bool is_read, int64_t now_ms, double jitter)
{
	struct retry r = { 0 };

	return retry_after(&r, x, is_read, now_ms, jitter);
}

static void a_good_answer_or_a_refusal_is_final(void **state)
{
	static const int statuses[] = { 200, 201, 204, 301, 400, 401, 403, 404, 409, 412, 501 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct exchange x = answered(statuses[i], NULL, 0);

		assert_int_equal(once(&x, true, 0, 0), -1);
		assert_int_equal(once(&x, false, 0, 0), -1);
	}
}

static void a_read_is_tried_again_after_trouble_on_the_other_side(void **state)
{
	static const int statuses[] = { 408, 429, 500, 502, 503, 504, 599 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct exchange x = answered(statuses[i], NULL, 0);

		assert_int_equal(once(&x, true, 0, 0), 200);
	}
}

static void a_write_is_tried_again_only_when_it_cannot_have_acted(void **state)
{
	static const int statuses[] = { 408, 500, 502, 503, 504 };
	struct exchange x = answered(429, NULL, 0);

	(void)state;
	assert_int_equal(once(&x, false, 0, 0), 200);
	x = (struct exchange){ .result = SENT_NEVER };
	assert_int_equal(once(&x, false, 0, 0), 200);
	x = (struct exchange){ .result = SENT_UNKNOWN };
	assert_int_equal(once(&x, false, 0, 0), -1);
	assert_int_equal(once(&x, true, 0, 0), 200);
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		x = answered(statuses[i], "1", 0);
		assert_int_equal(once(&x, false, 0, 0), -1);
	}
}

static void waits_double_and_there_are_four_tries_in_all(void **state)
{
	struct retry r = { 0 };
	struct exchange x = answered(503, NULL, 0);

	(void)state;
	assert_int_equal(retry_after(&r, &x, true, 0, 0), 200);
	assert_int_equal(retry_after(&r, &x, true, 0, 0), 400);
	assert_int_equal(retry_after(&r, &x, true, 0, 0), 800);
	assert_int_equal(retry_after(&r, &x, true, 0, 0), -1);
	assert_int_equal(r.tries, RETRY_TRIES_MAX);
}

static void jitter_only_ever_makes_it_longer(void **state)
{
	struct exchange x = answered(503, NULL, 0);

	(void)state;
	assert_int_equal(once(&x, true, 0, 1), 400);
	assert_int_equal(once(&x, true, 0, 0.5), 300);
	x = answered(429, "2", 0);
	assert_int_equal(once(&x, true, 0, 1), 2250);
}

static void a_wait_in_seconds_is_kept_up_to_two_minutes(void **state)
{
	struct exchange x = answered(429, "7", 0);

	(void)state;
	assert_int_equal(once(&x, true, 0, 0), 7000);
	x = answered(429, "120", 0);
	assert_int_equal(once(&x, true, 0, 0), 120000);
	x = answered(429, "121", 0);
	assert_int_equal(once(&x, true, 0, 0), -1);
	x = answered(503, "99999999999999999999", 0);
	assert_int_equal(once(&x, true, 0, 0), -1);
	x = answered(429, "0", 0);
	assert_int_equal(once(&x, true, 0, 0), 200);
}

static void a_wait_until_a_date_is_measured_by_the_servers_own_clock(void **state)
{
	const char *date = "Mon, 23 Nov 2026 10:00:30 GMT";
	int64_t at;
	struct exchange x;

	(void)state;
	assert_int_equal(when_parse_http_date(date, &at), 0);
	x = answered(503, date, at - 30 * WHEN_SECOND);
	assert_int_equal(once(&x, true, at + WHEN_DAY, 0), 30000);
	x = answered(503, date, 0);
	assert_int_equal(once(&x, true, at - 10 * WHEN_SECOND, 0), 10000);
	assert_int_equal(once(&x, true, at + 10 * WHEN_SECOND, 0), 200); /* past */
	assert_int_equal(once(&x, true, 0, 0), 200);                     /* no clock at all */
	x = answered(503, date, at - 10 * WHEN_MINUTE);
	assert_int_equal(once(&x, true, 0, 0), -1);
}

static void nonsense_is_no_wait(void **state)
{
	static const char *const texts[] = { "",   "soon", "-5",
					     "5x", "1.5",  "Mon, 99 Nov 2026 10:00:30 GMT" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct exchange x = answered(429, texts[i], 0);

		assert_int_equal(once(&x, true, WHEN_DAY, 0), 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_answer_or_a_refusal_is_final),
		cmocka_unit_test(a_read_is_tried_again_after_trouble_on_the_other_side),
		cmocka_unit_test(a_write_is_tried_again_only_when_it_cannot_have_acted),
		cmocka_unit_test(waits_double_and_there_are_four_tries_in_all),
		cmocka_unit_test(jitter_only_ever_makes_it_longer),
		cmocka_unit_test(a_wait_in_seconds_is_kept_up_to_two_minutes),
		cmocka_unit_test(a_wait_until_a_date_is_measured_by_the_servers_own_clock),
		cmocka_unit_test(nonsense_is_no_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
