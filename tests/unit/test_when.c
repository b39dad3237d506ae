/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/when.h"

#define T0 INT64_C(1795428000000) /* 2026-11-23T10:00:00Z */

static void parse_reads_every_form_and_its_precision(void **state)
{
	static const struct {
		const char *text;
		int64_t ms, precision;
	} cases[] = {
		{ "2026-11-23T10:00:00Z", T0, WHEN_SECOND },
		{ "2026-11-23 10:00:00Z", T0, WHEN_SECOND },
		{ "2026-11-23t10:00:00z", T0, WHEN_SECOND },
		{ "2026-11-23 10:00:00.123Z", T0 + 123, 1 },
		{ "2026-11-23T10:00:00.5Z", T0 + 500, 1 },
		{ "2026-11-23T10:00:00,05Z", T0 + 50, 1 },
		{ "2026-11-23T10:00:00.1239999Z", T0 + 123, 1 },
		{ "2026-11-23T10:00Z", T0, WHEN_MINUTE },
		{ "2026-11-23T11:00:00+01:00", T0, WHEN_SECOND },
		{ "2026-11-23T11:30+0130", T0, WHEN_MINUTE },
		{ "2026-11-23T05:00:00-05", T0, WHEN_SECOND },
		{ "2026-11-23T00:30:00-09:30", T0, WHEN_SECOND },
		{ "2026-11-23", T0 - 10 * WHEN_HOUR, WHEN_DAY },
		{ "1970-01-01", 0, WHEN_DAY },
		{ "1969-12-31T23:59:59.999Z", -1, 1 },
		{ "2000-02-29", INT64_C(951782400000), WHEN_DAY },
		{ "2024-02-29", INT64_C(1709164800000), WHEN_DAY },
		{ "2016-12-31T23:59:60Z", INT64_C(1483228800000), WHEN_SECOND },
		{ "0001-01-01T00:00:00Z", INT64_C(-62135596800000), WHEN_SECOND },
		{ "9999-12-31T23:59:59.999Z", INT64_C(253402300799999), 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms = 7, precision = 7;
		struct err e = ERR_INIT;

		assert_int_equal(when_parse(cases[i].text, &ms, &precision, &e), 0);
		assert_int_equal(ms, cases[i].ms);
		assert_int_equal(precision, cases[i].precision);
		assert_int_equal(when_parse(cases[i].text, &ms, NULL, &e), 0);
	}
}

static void parse_refuses_the_rest_and_touches_nothing(void **state)
{
	static const char *const cases[] = {
		"",
		"x",
		"2026",
		"2026-11",
		"2026-11-2",
		"2026-13-01",
		"2026-00-01",
		"2026-11-31",
		"2026-02-29",
		"1900-02-29",
		"2026-11-00",
		"0000-01-01",
		"2026-11-23T",
		"2026-11-23T10Z",
		"2026-11-23T24:00Z",
		"2026-11-23T10:60Z",
		"2026-11-23T10:00:61Z",
		"2026-11-23T10:00:00.Z",
		"2026-11-23T10:00:00Zx",
		"2026-11-23T10:00:00Z ",
		" 2026-11-23",
		"2026-11-23x",
		"2026-11-23T10:00:00+1",
		"2026-11-23T10:00:00+01:",
		"2026-11-23T10:00:00+24:00",
		"2026-11-23T10:00:00+01:60",
		"2026-11-23  10:00Z",
		"20261123",
		"-026-11-23",
		"2026-11-23T10:00:00",
		"2026-11-23T10:00:00.1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms = 7, precision = 8;
		struct err e = ERR_INIT;

		assert_int_equal(when_parse(cases[i], &ms, &precision, &e), -E_PLAN);
		assert_true(e.msg[0] && e.hint[0]);
		assert_int_equal(ms, 7);
		assert_int_equal(precision, 8);
	}
}

static void parse_says_what_is_missing_without_a_zone(void **state)
{
	struct err e = ERR_INIT;
	int64_t ms;

	(void)state;
	assert_int_equal(when_parse("2026-11-23T10:00:00", &ms, NULL, &e), -E_PLAN);
	assert_string_equal(e.msg, "'2026-11-23T10:00:00' says no time zone");
}

static void http_dates_are_read_and_written(void **state)
{
	static const char *const bad[] = {
		"",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		"Sun, 31 Feb 1994 08:49:37 GMT",
		"Xxx, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Xxx 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun",
		"Sun,",
		"Sun, 06 Nov",
	};
	CLEANUP(sb_done) struct sb s = SB_INIT(100);
	int64_t ms = 7;

	(void)state;
	assert_int_equal(when_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &ms), 0);
	assert_int_equal(ms, INT64_C(784111777000));
	when_add_http_date(&s, ms);
	assert_string_equal(s.buf, "Sun, 06 Nov 1994 08:49:37 GMT");
	sb_reset(&s);
	when_add_http_date(&s, T0);
	assert_string_equal(s.buf, "Mon, 23 Nov 2026 10:00:00 GMT");
	sb_reset(&s);
	when_add_http_date(&s, -1);
	assert_string_equal(s.buf, "Wed, 31 Dec 1969 23:59:59 GMT");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ms = 7;
		assert_int_equal(when_parse_http_date(bad[i], &ms), -1);
		assert_int_equal(ms, 7);
	}
}

static void instants_survive_the_way_there_and_back(void **state)
{
	(void)state;
	/* Every 11 hours and a bit over 900 years, leap rules of centuries included. */
	for (int64_t ms = INT64_C(-11676096000000); ms < INT64_C(16725225600000);
	     ms += 40000000123) {
		CLEANUP(sb_done) struct sb s = SB_INIT(100);
		struct err e = ERR_INIT;
		int64_t back = 0;

		when_add(&s, ms);
		assert_int_equal(when_parse(s.buf, &back, NULL, &e), 0);
		assert_int_equal(back, ms);
	}
}

static void add_shows_a_fraction_only_when_there_is_one(void **state)
{
	char buf[WHEN_TEXT_MAX];

	(void)state;
	assert_string_equal(when_text(buf, T0), "2026-11-23T10:00:00Z");
	assert_string_equal(when_text(buf, T0 + 7), "2026-11-23T10:00:00.007Z");
	assert_string_equal(when_text(buf, -1), "1969-12-31T23:59:59.999Z");
	assert_string_equal(when_text(buf, 0), "unknown");
	assert_non_null(when_text(buf, INT64_MAX));
	assert_non_null(when_text(buf, INT64_MIN));
}

static void spans_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "90s", 90000 },
		{ "15m", 900000 },
		{ "24h", 86400000 },
		{ "1h30m", 5400000 },
		{ "7d", 604800000 },
		{ "250ms", 250 },
		{ "1s250ms", 1250 },
		{ "1d2h3m4s5ms", 93784005 },
		{ "1m500ms", 60500 },
		{ "007s", 7000 },
		{ "9223372036854775807ms", INT64_MAX },
		{ "106751991167d", INT64_C(9223372036828800000) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		int64_t ms = 7;

		assert_int_equal(when_parse_span(cases[i].text, &ms, &e), 0);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void spans_without_sense_or_past_the_end_are_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"90",
		"s",
		"1x",
		"1s1s",
		"1s1m",
		"1ms1s",
		"-1s",
		"+1s",
		"1 s",
		"1h 30m",
		"1.5h",
		"00",
		"1sm",
		"1hm",
		"1mss",
		"1H",
		"1w",
		"9223372036854775808ms",
		"106751991168d",
		"99999999999999999999999s",
		"9223372036854775807ms1s",
		"106751991167d99999h",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		int64_t ms = 7;

		assert_int_equal(when_parse_span(cases[i], &ms, &e), -E_PLAN);
		assert_true(e.msg[0] && e.hint[0]);
		assert_int_equal(ms, 7);
	}
}

static void spans_are_written_as_they_are_read(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ 90000, "1m30s" },
		{ 900000, "15m" },
		{ 87000000, "24h10m" },
		{ 250, "250ms" },
		{ 1250, "1s250ms" },
		{ 7 * WHEN_DAY, "168h" },
		{ -5 * WHEN_MINUTE, "-5m" },
		{ INT64_MAX, "2562047788015h12m55s807ms" },
		{ INT64_MIN, "-2562047788015h12m55s808ms" },
	};
	char buf[WHEN_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		int64_t back;

		assert_string_equal(when_span_text(buf, cases[i].ms), cases[i].text);
		if (cases[i].ms < 0)
			continue;
		assert_int_equal(when_parse_span(buf, &back, &e), 0);
		assert_int_equal(back, cases[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_reads_every_form_and_its_precision),
		cmocka_unit_test(parse_refuses_the_rest_and_touches_nothing),
		cmocka_unit_test(parse_says_what_is_missing_without_a_zone),
		cmocka_unit_test(http_dates_are_read_and_written),
		cmocka_unit_test(instants_survive_the_way_there_and_back),
		cmocka_unit_test(add_shows_a_fraction_only_when_there_is_one),
		cmocka_unit_test(spans_are_read),
		cmocka_unit_test(spans_without_sense_or_past_the_end_are_refused),
		cmocka_unit_test(spans_are_written_as_they_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
