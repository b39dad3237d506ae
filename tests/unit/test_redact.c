/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/redact.h"
#include "core/base/secret.h"

static void expect(const char *in, const char *out)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(100000);

	sb_add(&s, in);
	redact_text(&s);
	assert_string_equal(s.buf, out);
	assert_int_equal(s.len, strlen(out));
	assert_false(s.over);
}

static void every_spelling_is_blanked(void **state)
{
	UNUSED CLEANUP(secret_freep) struct secret *s = secret_new("p8e-/+ \"\\\n\xc3\xa4", 12);
	static const char *const spellings[] = {
		"p8e-/+ \"\\\n\xc3\xa4",
		"p8e-%2F%2B%20%22%5C%0A%C3%A4",
		"p8e-%2f%2b%20%22%5c%0a%c3%a4",
		"p8e-%2F%2B+%22%5C%0A%C3%A4", /* form */
		"%70%38%65%2D%2F%2B%20%22%5C%0A%C3%A4",
		"p8e-/+ \\\"\\\\\\n\xc3\xa4", /* JSON */
		"p8e-\\/+ \\\"\\\\\\n\xc3\xa4",
		"p8e-/+ \\u0022\\u005c\\u000A\\u00e4",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		CLEANUP(sb_done) struct sb in = SB_INIT(1000);

		expect(spellings[i], "(redacted)");
		sb_addf(&in, "before %s after", spellings[i]);
		expect(in.buf, "before (redacted) after");
	}
}

static void masked_line_breaks_still_match(void **state)
{
	UNUSED CLEANUP(secret_freep) struct secret *s = secret_new("-----BEGIN\nkey\n", 15);

	(void)state;
	expect("it says -----BEGIN\\x0akey\\x0a.", "it says (redacted).");
}

static void a_surrogate_pair_matches(void **state)
{
	UNUSED CLEANUP(secret_freep) struct secret *s = secret_new("key\xf0\x9f\x98\x80key", 10);

	(void)state;
	expect("\"key\\ud83d\\ude00key\"", "\"(redacted)\"");
	expect("\"key\\ud83dkey\"", "\"key\\ud83dkey\"");
}

/* Encodings of prefix + secret + suffix, made with base64(1); the edges that others share may stay. */
static void base64_is_found_at_each_alignment(void **state)
{
	UNUSED CLEANUP(secret_freep) struct secret *s = secret_new("s3cr3t-value", 12);
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "czNjcjN0LXZhbHVl", "(redacted)" },
		{ "eHM"
		  "zY3IzdC12YWx1ZQ==",
		  "eH(redacted)Q==" },
		{ "eHhzM2NyM3QtdmFsdWU=", "eHh(redacted)U=" },
		{ "eHh4czNjcjN0LXZhbHVl", "eHh4(redacted)" },
		{ "aWQ6czNjcjN0LXZhbHVl", "aWQ6(redacted)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(cases[i].in, cases[i].out);
}

static void base64_url_is_found_too(void **state)
{
	/* Its base64 has both '+' and '/'. */
	UNUSED CLEANUP(secret_freep) struct secret *s =
		secret_new("\xfb\xef\xbe\xff\xff\xff\xfb\xef\xbe", 9);

	(void)state;
	expect("++++////++++", "(redacted)");
	expect("----____----", "(redacted)");
	expect("a=%2B%2B%2b%2B%2f%2F////%2B%2B%2B=", "a=%2B%2B%2b%2B%2f%2F////%2B%2B%2B=");
	expect("a=%2B%2B%2b%2B%2f%2F//%2B%2B%2B%2B&b", "a=(redacted)&b");
	expect("\\/", "\\/");
	expect("x++++\\/\\/\\/\\/++++x", "x(redacted)x");
}

static void short_secrets_are_left(void **state)
{
	UNUSED CLEANUP(secret_freep) struct secret *five = secret_new("12345", 5);
	UNUSED CLEANUP(secret_freep) struct secret *six = secret_new("abcdef", 6);

	(void)state;
	expect("12345", "12345");
	expect("abcdef", "(redacted)");
	expect("abcde", "abcde");
	expect("", "");
}

static void several_and_overlapping_are_all_blanked(void **state)
{
	UNUSED CLEANUP(secret_freep) struct secret *a = secret_new("abcdefgh", 8);
	UNUSED CLEANUP(secret_freep) struct secret *b = secret_new("efghijkl", 8);
	UNUSED CLEANUP(secret_freep) struct secret *c = secret_new("cdefgh", 6);

	(void)state;
	expect("abcdefghijkl", "(redacted)");
	expect("abcdefgh efghijkl", "(redacted) (redacted)");
	expect("abcdefghefghijkl", "(redacted)(redacted)");
	expect("xxcdefgh", "xx(redacted)");
}

static void no_living_secret_no_change(void **state)
{
	secret_free(secret_new("gone-now", 8));
	(void)state;
	expect("gone-now %20 \\n", "gone-now %20 \\n");
}

static void text_may_grow_past_its_ceiling_for_the_blank(void **state)
{
	UNUSED CLEANUP(secret_freep) struct secret *s = secret_new("abcdef", 6);
	CLEANUP(sb_done) struct sb t = SB_INIT(12);

	(void)state;
	sb_add(&t, "abcdefabcdef");
	redact_text(&t);
	assert_string_equal(t.buf, "(redacted)(redacted)");
	assert_false(t.over);
}

static void broken_escapes_do_no_harm(void **state)
{
	UNUSED CLEANUP(secret_freep) struct secret *s = secret_new("secret%", 7);

	(void)state;
	expect("secret%", "(redacted)");
	expect("secret%25 secret%2", "(redacted) (redacted)2");
	expect("%73ecret%25", "(redacted)");
	expect("%", "%");
	expect("\\u12 %1 \\", "\\u12 %1 \\");
	expect("secret\\", "secret\\");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_is_blanked),
		cmocka_unit_test(masked_line_breaks_still_match),
		cmocka_unit_test(a_surrogate_pair_matches),
		cmocka_unit_test(base64_is_found_at_each_alignment),
		cmocka_unit_test(base64_url_is_found_too),
		cmocka_unit_test(short_secrets_are_left),
		cmocka_unit_test(several_and_overlapping_are_all_blanked),
		cmocka_unit_test(no_living_secret_no_change),
		cmocka_unit_test(text_may_grow_past_its_ceiling_for_the_blank),
		cmocka_unit_test(broken_escapes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
