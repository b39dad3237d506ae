/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "core/base/when.h"
#include "core/io/zone.h"

static int64_t at(const char *iso)
{
	struct err err = ERR_INIT;
	int64_t ms = 0;

	assert_int_equal(when_parse(iso, &ms, NULL, &err), 0);
	return ms;
}

static struct zone *zone(struct arena *a, const char *name)
{
	struct err err = ERR_INIT;
	struct zone *z = NULL;

	if (zone_load(a, name, &z, &err) < 0)
		fail_msg("%s", err.msg);
	return z;
}

static void clocks_change_when_the_database_says_so(void **state)
{
	static const struct {
		const char *zone, *at;
		int minutes;
	} cases[] = {
		{ "UTC", "2026-07-01T00:00:00Z", 0 },
		{ "Europe/Berlin", "2026-03-29T00:59:59Z", 60 },
		{ "Europe/Berlin", "2026-03-29T01:00:00Z", 120 },
		{ "Europe/Berlin", "2026-10-25T00:59:59Z", 120 },
		{ "Europe/Berlin", "2026-10-25T01:00:00Z", 60 },
		{ "Europe/Berlin", "2055-07-01T00:00:00Z", 120 }, /* behind the table: the rule */
		{ "Europe/Berlin", "2055-12-01T00:00:00Z", 60 },
		{ "America/New_York", "2061-03-13T06:59:59Z", -300 },
		{ "America/New_York", "2061-03-13T07:00:00Z", -240 },
		{ "Australia/Sydney", "2060-01-15T00:00:00Z",
		  660 }, /* summer across the new year */
		{ "Australia/Sydney", "2060-07-15T00:00:00Z", 600 },
		{ "Asia/Kolkata", "2026-01-01T00:00:00Z", 330 },
		{ "Asia/Kathmandu", "2050-01-01T00:00:00Z", 345 },
		{ "America/Sao_Paulo", "2040-01-01T00:00:00Z", -180 },
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t got = zone_offset(zone(&a, cases[i].zone), at(cases[i].at)) / WHEN_MINUTE;

		if (got != cases[i].minutes)
			fail_msg("%s at %s: %d", cases[i].zone, cases[i].at, (int)got);
	}
	arena_done(&a);
}

/* The C library reads the same files: over 70 years, every 31 hours, in zones of every kind. */
static void the_c_library_says_the_same(void **state)
{
	static const char *const names[] = { "Europe/Berlin",       "America/New_York",
					     "Australia/Lord_Howe", "America/Nuuk",
					     "Africa/Casablanca",   "Asia/Tehran",
					     "Pacific/Apia",        "Europe/Dublin",
					     "America/Santiago" };
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct zone *z = zone(&a, names[i]);

		setenv("TZ", names[i], 1);
		tzset();
		for (int64_t t = 0; t < INT64_C(3250000000); t += 31 * 3600 + 7) {
			time_t then = (time_t)t;
			struct tm tm;

			localtime_r(&then, &tm);
			if (zone_offset(z, t * 1000) != tm.tm_gmtoff * INT64_C(1000))
				fail_msg("%s at %lld: %lld, not %ld", names[i], (long long)t,
					 (long long)zone_offset(z, t * 1000), tm.tm_gmtoff);
		}
	}
	setenv("TZ", "UTC", 1);
	tzset();
	arena_done(&a);
}

static void a_time_on_the_wall_is_an_instant(void **state)
{
	struct arena a = ARENA_INIT;
	const struct zone *z = zone(&a, "Europe/Berlin");

	(void)state;
	assert_int_equal(zone_instant(z, at("2026-07-01T12:00:00Z")), at("2026-07-01T10:00:00Z"));
	assert_int_equal(zone_instant(z, at("2026-12-01T12:00:00Z")), at("2026-12-01T11:00:00Z"));
	/* 02:30 comes twice: the first time. 02:30 that never comes: not before the change. */
	assert_int_equal(zone_instant(z, at("2026-10-25T02:30:00Z")), at("2026-10-25T00:30:00Z"));
	assert_true(zone_instant(z, at("2026-03-29T02:30:00Z")) >= at("2026-03-29T01:00:00Z"));
	arena_done(&a);
}

static void an_unknown_zone_is_refused_and_never_taken_for_utc(void **state)
{
	static const char *const bad[] = {
		"",        "Mars/Olympus", "../etc/passwd", "/etc/localtime",
		"CEST+7 ", "Europe",       "tzdata.zi",     "Europe/../UTC"
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = ERR_INIT;
		struct zone *z = NULL;

		if (zone_load(&a, bad[i], &z, &err) == 0)
			fail_msg("taken: '%s'", bad[i]);
		assert_int_equal(err.code, E_PLAN);
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_change_when_the_database_says_so),
		cmocka_unit_test(the_c_library_says_the_same),
		cmocka_unit_test(a_time_on_the_wall_is_an_instant),
		cmocka_unit_test(an_unknown_zone_is_refused_and_never_taken_for_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
