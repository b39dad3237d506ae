/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mem.h"
#include "core/base/sb.h"

static void empty_is_terminated_and_owns_nothing(void **state)
{
	struct sb s = SB_INIT(10);

	(void)state;
	assert_string_equal(s.buf, "");
	sb_reset(&s);
	sb_shrink(&s, 0);
	sb_add(&s, "");
	assert_int_equal(s.cap, 0);
	sb_done(&s);
	sb_done(&s);
	assert_string_equal(s.buf, "");
}

static void the_ceiling_is_exact(void **state)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(5);

	(void)state;
	sb_add(&s, "12345");
	assert_false(s.over);
	assert_string_equal(s.buf, "12345");
	sb_add(&s, "");
	assert_false(s.over);
	sb_addc(&s, '6');
	assert_true(s.over);
	assert_string_equal(s.buf, "12345");
}

static void past_the_ceiling_nothing_more_is_added(void **state)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(8);

	(void)state;
	sb_add(&s, "123");
	sb_addf(&s, "%s", "too long for it");
	assert_true(s.over);
	sb_addc(&s, 'x');
	sb_pad(&s, ' ', 1);
	sb_addf(&s, "%d", 1);
	assert_string_equal(s.buf, "123");
	sb_reset(&s);
	assert_false(s.over);
	sb_add(&s, "12345678");
	assert_string_equal(s.buf, "12345678");
	assert_false(s.over);
}

static void a_ceiling_of_nothing_takes_nothing(void **state)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(0);

	(void)state;
	sb_addc(&s, 'x');
	assert_true(s.over);
	assert_string_equal(s.buf, "");
}

static void grows_over_many_adds(void **state)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(SB_TEXT_MAX);

	(void)state;
	for (int i = 0; i < 10000; i++)
		sb_addf(&s, "%04d", i);
	sb_pad(&s, '.', 3);
	assert_int_equal(s.len, 40003);
	assert_memory_equal(s.buf + 4 * 1234, "1234", 4);
	assert_string_equal(s.buf + 40000, "...");
}

static void bytes_may_hold_nul(void **state)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(10);

	(void)state;
	sb_addn(&s, "a\0b", 3);
	assert_int_equal(s.len, 3);
	assert_memory_equal(s.buf, "a\0b", 4);
}

static void take_hands_over_and_leaves_an_empty_one(void **state)
{
	struct sb s = SB_INIT(10);
	char *p, *q;

	(void)state;
	sb_add(&s, "abc");
	p = sb_take(&s);
	assert_string_equal(p, "abc");
	assert_string_equal(s.buf, "");
	q = sb_take(&s);
	assert_string_equal(q, "");
	mem_free(p);
	mem_free(q);
}

static void shrink_cuts_back(void **state)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(10);

	(void)state;
	sb_add(&s, "abcdef");
	sb_shrink(&s, 6);
	assert_string_equal(s.buf, "abcdef");
	sb_shrink(&s, 2);
	assert_string_equal(s.buf, "ab");
}

static void escaped_leaves_unreserved_only(void **state)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(200);

	(void)state;
	sb_add_escaped(&s, "aZ09-._~");
	assert_string_equal(s.buf, "aZ09-._~");
	sb_reset(&s);
	sb_add_escaped(&s, "a/b?c#d e%@+\xc3\xa4\x01");
	assert_string_equal(s.buf, "a%2Fb%3Fc%23d%20e%25%40%2B%C3%A4%01");
}

static void visible_masks_what_drives_a_terminal(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain text", "plain text" },
		{ "", "" },
		{ "\x1b[31mred", "\\x1b[31mred" },
		{ "a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd" },
		{ "\x7f", "\\x7f" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xc2\x9b"
		  "1m",
		  "\\xc2\\x9b1m" },         /* C1: CSI */
		{ "\xc2\xa0", "\xc2\xa0" }, /* first after C1 */
		{ "\xe2\x80\xae"
		  "x",
		  "\\xe2\\x80\\xaex" },                         /* right-to-left override */
		{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },          /* isolate */
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },          /* line separator */
		{ "\xd8\x9c", "\\xd8\\x9c" },                   /* arabic letter mark */
		{ "a\xe2\x80\x8b", "a\\xe2\\x80\\x8b" },        /* blank of no width */
		{ "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81" }, /* tag */
		{ "::error::x", "\\x3a:error::x" },             /* what a build service obeys */
		{ "a ::b a::b [::1]", "a \\x3a:b a::b [::1]" },
		{ "##[group]#", "\\x23#[group]#" },
		{ "x##vso[task] ## a", "x\\x23#vso[task] ## a" },
		{ "\xc0\xaf", "\\xc0\\xaf" }, /* overlong */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* past U+10FFFF */
		{ "ab\xe2\x82", "ab\\xe2\\x82" },               /* cut off */
		{ "\x80"
		  "a",
		  "\\x80a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(sb_done) struct sb s = SB_INIT(200);

		sb_add_visible(&s, cases[i].in);
		assert_string_equal(s.buf, cases[i].out);
	}
}

static void utf8_next_reads_one_character(void **state)
{
	uint32_t c = 7;

	(void)state;
	assert_int_equal(utf8_next("", 0, &c), 0);
	assert_int_equal(c, 7);
	assert_int_equal(utf8_next("\xf0\x9f\x98\x80!", 5, &c), 4);
	assert_int_equal(c, 0x1f600);
	assert_int_equal(utf8_next("\xf0\x9f\x98\x80", 3, &c), 0);
	assert_int_equal(utf8_next("\xf4\x8f\xbf\xbf", 4, NULL), 4);
	assert_int_equal(utf8_next("\0", 1, &c), 1);
	assert_int_equal(c, 0);
}

static void integers_are_written_as_printf_does(void **state)
{
	static const int64_t list[] = { 0, 1, -1, 9, 10, -10, 1234567890123, INT64_MAX, INT64_MIN };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		CLEANUP(sb_done) struct sb a = SB_INIT(100);
		CLEANUP(sb_done) struct sb b = SB_INIT(100);

		sb_add_int(&a, list[i]);
		sb_addf(&b, "%" PRId64, list[i]);
		assert_string_equal(a.buf, b.buf);
		assert_int_equal(a.len, b.len);
	}
}

static void formatting_past_the_ceiling_leaves_what_stood(void **state)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(6);

	(void)state;
	sb_add(&s, "abc");
	sb_addf(&s, "%s", "0123456789");
	assert_true(s.over);
	assert_string_equal(s.buf, "abc");
	assert_int_equal(s.len, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_is_terminated_and_owns_nothing),
		cmocka_unit_test(the_ceiling_is_exact),
		cmocka_unit_test(past_the_ceiling_nothing_more_is_added),
		cmocka_unit_test(a_ceiling_of_nothing_takes_nothing),
		cmocka_unit_test(grows_over_many_adds),
		cmocka_unit_test(bytes_may_hold_nul),
		cmocka_unit_test(take_hands_over_and_leaves_an_empty_one),
		cmocka_unit_test(shrink_cuts_back),
		cmocka_unit_test(escaped_leaves_unreserved_only),
		cmocka_unit_test(visible_masks_what_drives_a_terminal),
		cmocka_unit_test(utf8_next_reads_one_character),
		cmocka_unit_test(integers_are_written_as_printf_does),
		cmocka_unit_test(formatting_past_the_ceiling_leaves_what_stood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
