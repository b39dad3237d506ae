/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

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

/* One byte in one of the spellings that are looked for. */
static void add_spelt(struct sb *out, unsigned char c, unsigned how)
{
	if (how == 1)
		sb_addf(out, "%%%02X", c);
	else if (how == 2)
		sb_addf(out, "\\x%02x", c);
	else if (how == 3 && c < 0x80)
		sb_addf(out, "\\u%04x", c);
	else
		sb_addc(out, (char)c);
}

static unsigned draw(uint64_t *state, unsigned below)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(*state >> 33) % below;
}

/* A text of more than a MiB is searched without the sieve: what comes out must be the same, whatever is written how. */
static void the_sieve_lets_through_what_a_search_would_find(void **state)
{
	static const char alphabet[] = "ab+/ -_%\\\"9Z=";
	static const unsigned styles[] = {
		1, 2
	}; /* percent or backslash; a text mixes one of them with plain bytes */
	CLEANUP(sb_done) struct sb far = SB_INIT(SB_TEXT_MAX);
	uint64_t seed = 1;
	unsigned blanked = 0;

	(void)state;
	for (int round = 0; round < 60; round++) {
		CLEANUP(secret_freep) struct secret *secret = NULL;
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
		unsigned char bytes[12], base64[32];
		size_t len = 6 + draw(&seed, 6), shift = draw(&seed, 3);
		unsigned style = styles[draw(&seed, 2)];

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)alphabet[draw(&seed, sizeof(alphabet) - 1)];
		secret = secret_new(bytes + shift, len - MIN_OF(shift, len - 6));
		(void)EVP_EncodeBlock(base64, bytes, sizeof(bytes));
		for (int part = 0; part < 6; part++) {
			const unsigned char *from = part % 2 ? base64 : bytes;
			size_t count = part % 2 ? 16 : sizeof(bytes);

			for (size_t i = 0; i < count; i++)
				add_spelt(&text, from[i],
					  draw(&seed, 3) ? 0 : style + draw(&seed, style));
			sb_addc(&text, "x+%\\ ."[draw(&seed, 6)]);
		}
		sb_reset(&far);
		sb_addn(&far, text.buf, text.len);
		sb_pad(&far, '.', (size_t)1 << 20);
		redact_text(&text);
		redact_text(&far);
		assert_memory_equal(far.buf, text.buf, text.len);
		assert_int_equal(far.len, text.len + ((size_t)1 << 20));
		blanked += strstr(text.buf, "(redacted)") != NULL;
	}
	assert_true(blanked > 50);
}

static bool is_blanked(unsigned i)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(1000);

	sb_addf(&text, "it says %u-of-many here", i * 7919);
	redact_text(&text);
	return strcmp(text.buf, "it says (redacted) here") == 0;
}

static void each_of_thousands_is_blanked_while_it_lives(void **state)
{
	static struct secret *list[3000];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(list); i++) {
		char bytes[40];

		snprintf(bytes, sizeof(bytes), "%u-of-many", i * 7919);
		list[i] = secret_new(bytes, strlen(bytes));
		if (i % 3 == 1) /* holes while it grows */
			secret_freep(&list[i / 2]);
	}
	for (unsigned i = 0; i < ARRAY_LEN(list); i += 37)
		assert_int_equal(is_blanked(i), list[i] != NULL);
	for (unsigned i = 0; i < ARRAY_LEN(list); i += 2)
		secret_freep(&list[i]);
	for (unsigned i = 0; i < ARRAY_LEN(list); i += 37)
		assert_int_equal(is_blanked(i), list[i] != NULL);
	for (unsigned i = 0; i < ARRAY_LEN(list); i++)
		secret_freep(&list[i]);
	assert_false(is_blanked(1));
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
		cmocka_unit_test(each_of_thousands_is_blanked_while_it_lives),
		cmocka_unit_test(the_sieve_lets_through_what_a_search_would_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
