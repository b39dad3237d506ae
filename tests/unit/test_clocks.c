/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/run/clocks.h"
#include "tests/unit/fake_transport.h"

static void before_any_server_has_spoken_it_is_the_local_clock(void **state)
{
	struct fake_clock c = { .wall_moved_ms = 5000 };
	struct sys sys = fake_clock_sys(&c);
	struct clocks k = { .sys = &sys };

	(void)state;
	assert_int_equal(clocks_now(&k), FAKE_START + 5000);
	assert_int_equal(clocks_skew(&k, WHEN_DAY), 0);
}

static void a_servers_clock_is_carried_on_by_the_monotonic_one(void **state)
{
	struct fake_clock c = { 0 };
	struct sys sys = fake_clock_sys(&c);
	struct clocks k = { .sys = &sys };

	(void)state;
	clocks_note(&k, "a", FAKE_START - WHEN_HOUR);
	c.mono_ms += WHEN_DAY;
	c.wall_moved_ms = -9 * WHEN_DAY; /* somebody sets the local clock back */
	assert_int_equal(clocks_now(&k), FAKE_START - WHEN_HOUR + WHEN_DAY);
}

static void no_date_changes_nothing(void **state)
{
	struct fake_clock c = { 0 };
	struct sys sys = fake_clock_sys(&c);
	struct clocks k = { .sys = &sys };

	(void)state;
	clocks_note(&k, "a", 0);
	assert_int_equal(k.count, 0);
	clocks_note(&k, "a", FAKE_START + 7);
	clocks_note(&k, "a", 0);
	assert_int_equal(clocks_now(&k), FAKE_START + 7);
}

static void the_server_that_spoke_last_counts(void **state)
{
	struct fake_clock c = { 0 };
	struct sys sys = fake_clock_sys(&c);
	struct clocks k = { .sys = &sys };

	(void)state;
	clocks_note(&k, "a", FAKE_START + 1000);
	clocks_note(&k, "b", FAKE_START + 9000);
	assert_int_equal(clocks_now(&k), FAKE_START + 9000);
	clocks_note(&k, "a", FAKE_START + 1000);
	assert_int_equal(clocks_now(&k), FAKE_START + 1000);
	assert_int_equal(k.count, 2);
}

static void skew_is_the_largest_difference_of_those_heard_lately(void **state)
{
	struct fake_clock c = { 0 };
	struct sys sys = fake_clock_sys(&c);
	struct clocks k = { .sys = &sys };

	(void)state;
	clocks_note(&k, "a", FAKE_START);
	assert_int_equal(clocks_skew(&k, WHEN_MINUTE), 0);
	clocks_note(&k, "b", FAKE_START - 4 * WHEN_MINUTE);
	clocks_note(&k, "c", FAKE_START + 3 * WHEN_MINUTE);
	assert_int_equal(clocks_skew(&k, WHEN_MINUTE), 7 * WHEN_MINUTE);
	c.mono_ms += WHEN_MINUTE; /* time passes for all alike */
	assert_int_equal(clocks_skew(&k, WHEN_MINUTE), 7 * WHEN_MINUTE);
	clocks_note(
		&k, "b",
		FAKE_START +
			WHEN_MINUTE); /* b was set right; one more minute and the others are old */
	assert_int_equal(clocks_skew(&k, WHEN_MINUTE), 3 * WHEN_MINUTE);
	c.mono_ms += 1;
	assert_int_equal(clocks_skew(&k, WHEN_MINUTE), 0);
}

static void past_its_size_the_oldest_is_forgotten(void **state)
{
	struct fake_clock c = { 0 };
	struct sys sys = fake_clock_sys(&c);
	struct clocks k = { .sys = &sys };
	char name[16];

	(void)state;
	for (int i = 0; i < CLOCKS_MAX + 5; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		clocks_note(&k, name, FAKE_START + i);
		c.mono_ms++;
	}
	assert_int_equal(k.count, CLOCKS_MAX);
	for (size_t i = 0; i < k.count; i++)
		assert_string_not_equal(k.by[i].system, "s0");
	assert_int_equal(clocks_now(&k), FAKE_START + CLOCKS_MAX + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_any_server_has_spoken_it_is_the_local_clock),
		cmocka_unit_test(a_servers_clock_is_carried_on_by_the_monotonic_one),
		cmocka_unit_test(no_date_changes_nothing),
		cmocka_unit_test(the_server_that_spoke_last_counts),
		cmocka_unit_test(skew_is_the_largest_difference_of_those_heard_lately),
		cmocka_unit_test(past_its_size_the_oldest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
