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
#include "core/base/secret_open.h"
#include "core/io/json.h"

static struct value *parse(struct arena *a, const char *text)
{
	struct err e = ERR_INIT;
	struct value *v = NULL;

	if (json_parse(a, text, strlen(text), NULL, NULL, NULL, &v, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	return v;
}

static void expect_refused(const char *text, size_t len, const struct json_limits *l,
			   const char *want)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *v = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(json_parse(&a, text, len, l, NULL, NULL, &v, &e), -E_REMOTE);
	assert_null(v);
	if (!strstr(e.msg, want))
		fail_msg("'%s' lacks '%s'", e.msg, want);
}

static void every_kind_is_read(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const struct value *v =
		parse(&a, " {\"s\":\"x\\u00e4\\n\",\"i\":-3,\"r\":0.5,\"t\":true,\"f\":false,"
			  "\"n\":null,\"l\":[1,[]],\"m\":{}} \r\n\t");

	(void)state;
	assert_int_equal(value_count(v), 8);
	assert_string_equal(value_text(value_get(v, "s")), "x\xc3\xa4\n");
	assert_int_equal(value_int_or(value_get(v, "i"), 0), -3);
	assert_int_equal(value_get(v, "r")->kind, VAL_REAL);
	assert_true(value_bool_or(value_get(v, "t"), false));
	assert_false(value_bool_or(value_get(v, "f"), true));
	assert_int_equal(value_get(v, "n")->kind, VAL_NULL);
	assert_int_equal(value_count(value_get(v, "l")), 2);
	assert_int_equal(value_get(v, "m")->kind, VAL_MAP);
}

static void numbers_are_whole_only_while_they_are_exact(void **state)
{
	static const struct {
		const char *text;
		enum val_kind kind;
		int64_t i;
	} cases[] = {
		{ "0", VAL_INT, 0 },
		{ "-0", VAL_INT, 0 },
		{ "1.0", VAL_INT, 1 },
		{ "1e3", VAL_INT, 1000 },
		{ "1795428000000", VAL_INT, 1795428000000 },
		{ "9007199254740991", VAL_INT, 9007199254740991 },
		{ "-9007199254740991", VAL_INT, -9007199254740991 },
		{ "9007199254740992", VAL_REAL, 0 },
		{ "9007199254740993", VAL_REAL, 0 },
		{ "1e300", VAL_REAL, 0 },
		{ "0.1", VAL_REAL, 0 },
		{ "1e-300", VAL_REAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_done) struct arena a = ARENA_INIT;
		const struct value *v = parse(&a, cases[i].text);

		assert_int_equal(v->kind, cases[i].kind);
		assert_int_equal(value_int_or(v, 0), cases[i].i);
	}
}

static void broken_text_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "no valid JSON" },
		{ "   ", "no valid JSON" },
		{ "{\"a\":1", "no valid JSON" },
		{ "{\n \"a\": x}", "line 2, column 7" },
		{ "[1,]", "no valid JSON" },
		{ "{\"a\"}", "no valid JSON" },
		{ "\"open", "a string that does not end" },
		{ "\"open\\", "a string that does not end" },
		{ "\"open\\\"", "a string that does not end" },
		{ "{} x", "column 4: something follows" },
		{ "{}{}", "something follows" },
		{ "nul", "no valid JSON" },
		{ "\"a\\u0000b\"", "a string holds a NUL" },
		{ "{\"a\\u0000\":1}", "a string holds a NUL" },
		{ "\"\\ud800\"", "no valid JSON" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "'a' twice" },
		{ "{\"x\":{\"a\":1,\"a\":1}}", "'a' twice" },
		{ "[1e999]", "out of range" },
		{ "]", "no valid JSON" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_refused(cases[i].text, strlen(cases[i].text), NULL, cases[i].want);
	expect_refused("{\"a\":1}\0", 8, NULL, "a NUL byte");
	expect_refused("\"a\0b\"", 5, NULL, "does not end");
	expect_refused("[1,2,3]", 3, NULL, "no valid JSON");
}

static void an_escaped_backslash_before_u0000_is_text(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)state;
	assert_string_equal(value_text(parse(&a, "\"\\\\u0000\"")), "\\u0000");
}

static void limits_are_exact_and_named(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const struct json_limits depth = { .depth = 3 }, nodes = { .nodes = 4 },
				 bytes = { .bytes = 5 };
	struct err e = ERR_INIT;
	struct value *v;

	(void)state;
	assert_int_equal(json_parse(&a, "[[[1]]]", 7, &depth, NULL, NULL, &v, &e), 0);
	expect_refused("[[[[1]]]]", 9, &depth, "limit of 3 levels");
	assert_int_equal(json_parse(&a, "[1,2,3]", 7, &nodes, NULL, NULL, &v, &e), 0);
	expect_refused("[1,2,3,4]", 9, &nodes, "limit of 4 values");
	assert_int_equal(json_parse(&a, "12345", 5, &bytes, NULL, NULL, &v, &e), 0);
	expect_refused("123456", 6, &bytes, "limit of 5 bytes");
	assert_int_equal(json_parse(&a, "\"[[[[{{{,,,,\"", 13, &depth, NULL, NULL, &v, &e), 0);
}

static void a_deep_document_is_refused_not_followed(void **state)
{
	size_t len = 2000000;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '[', len);
	expect_refused(text, len, NULL, "limit of 64 levels");
	free(text);
}

static void the_secret_field_is_a_secret_at_once(void **state)
{
	static const char text[] =
		"{\"id\":\"x\",\"client_secret\":\"p8e-swordfish\",\"in\":{\"client_secret\":\"y\"}}";
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(secret_freep) struct secret *s = NULL;
	CLEANUP(sb_done) struct sb out = SB_INIT(1000);
	struct value *v = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(json_parse(&a, text, sizeof(text) - 1, NULL, "client_secret", &s, &v, &e),
			 0);
	assert_non_null(s);
	assert_string_equal(secret_open(s, NULL), "p8e-swordfish");
	assert_int_equal(value_get(v, "client_secret")->kind, VAL_SECRET);
	assert_string_equal(value_text(value_path(v, "in.client_secret")), "y");
	json_write(&out, v, JSON_COMPACT, NULL);
	assert_string_equal(
		out.buf,
		"{\"id\":\"x\",\"client_secret\":\"(secret, 13 bytes)\",\"in\":{\"client_secret\":\"y\"}}");
	sb_reset(&out);
	json_write(&out, v, JSON_COMPACT, secret_open);
	assert_string_equal(out.buf, text);
	sb_reset(&out);
	sb_add(&out, "p8e-swordfish");
	redact_text(&out);
	assert_string_equal(out.buf, "(redacted)");
}

static void a_secret_field_may_be_absent_or_no_text(void **state)
{
	static const char *const cases[] = { "{}",        "[]",           "\"s\"",
					     "{\"s\":1}", "{\"s\":null}", "{\"s\":\"\"}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_done) struct arena a = ARENA_INIT;
		struct secret *s = (void *)&a;
		struct value *v = NULL;
		struct err e = ERR_INIT;

		assert_int_equal(json_parse(&a, cases[i], strlen(cases[i]), NULL, "s", &s, &v, &e),
				 0);
		assert_null(s);
	}
}

static void count_one(void *arg, const char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	++*(size_t *)arg;
}

static void a_failed_parse_leaves_no_secret_behind(void **state)
{
	static const char text[] = "{\"s\":\"swordfish-1\",\"s\":\"swordfish-2\"}";
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb huge = SB_INIT(200000);
	struct secret *s = NULL;
	struct value *v = NULL;
	struct err e = ERR_INIT;
	size_t n = 0;

	(void)state;
	assert_int_equal(json_parse(&a, text, sizeof(text) - 1, NULL, "s", &s, &v, &e), -E_REMOTE);
	err_clear(&e);
	sb_add(&huge, "{\"s\":\"");
	sb_pad(&huge, 'x', SECRET_MAX + 1);
	sb_add(&huge, "\"}");
	assert_int_equal(json_parse(&a, huge.buf, huge.len, NULL, "s", &s, &v, &e), -E_REMOTE);
	assert_non_null(strstr(e.msg, "longer than 65536 bytes"));
	assert_null(s);
	secret_each(count_one, &n);
	assert_int_equal(n, 0);
}

/* The arena keeps what it is given, so a look through its blocks would find a copy. */
static void no_copy_of_the_secret_stays_in_the_arena(void **state)
{
	static const char text[] = "{\"s\":\"swordfish-in-the-arena\",\"t\":\"plain\"}";
	struct arena a = ARENA_INIT;
	CLEANUP(secret_freep) struct secret *s = NULL;
	struct value *v = NULL;
	struct err e = ERR_INIT;
	const char *t;

	(void)state;
	assert_int_equal(json_parse(&a, text, sizeof(text) - 1, NULL, "s", &s, &v, &e), 0);
	t = value_text(value_get(v, "t"));
	assert_null(memmem((const char *)v, (size_t)(t - (const char *)v), "swordfish", 9));
	assert_true(a.used < 1000);
	arena_done(&a);
}

static void strings_are_escaped_and_made_valid(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "\"plain\"" },
		{ "\"\\/\b\f\n\r\t", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
		{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "a\xff"
		  "b\xc3",
		  "\"a\\ufffdb\\ufffd\"" },
		{ "\xef\xbf\xbd", "\"\\ufffd\"" },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\xc2\x9b"
		  "1m",
		  "\"\\u009b1m\"" },
		{ "\xe2\x80\xae", "\"\\u202e\"" },
		{ "\xf3\xa0\x81\x81",
		  "\"\\udb40\\udc41\"" }, /* a pair, so that it is read back as it was */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_done) struct arena a = ARENA_INIT;
		CLEANUP(sb_done) struct sb s = SB_INIT(1000);

		json_write(&s, value_string(&a, cases[i].in), JSON_COMPACT, NULL);
		assert_string_equal(s.buf, cases[i].out);
	}
}

static void reals_are_written_short_and_read_back(void **state)
{
	static const struct {
		double r;
		const char *out;
	} cases[] = {
		{ 0.1, "0.1" },
		{ 0.5, "0.5" },
		{ -2.25, "-2.25" },
		{ 1e300, "1e+300" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 5e-324, "4.94065645841247e-324" },
		{ 9007199254740992.0, "9.00719925474099e+15" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_done) struct arena a = ARENA_INIT;
		CLEANUP(sb_done) struct sb s = SB_INIT(1000);
		const struct value *back;

		json_write(&s, value_real(&a, cases[i].r), JSON_COMPACT, NULL);
		back = parse(&a, s.buf);
		assert_int_equal(back->kind, VAL_REAL);
		assert_memory_equal(&back->u.r, &cases[i].r, sizeof(double));
		if (i != 7)
			assert_string_equal(s.buf, cases[i].out);
	}
}

static void canonical_sorts_by_bytes_at_every_level(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb s = SB_INIT(1000);

	(void)state;
	json_write(
		&s,
		parse(&a,
		      "{ \"b\" : {\"z\":1, \"\\u00e4\":2,\"Z\":3}, \"a\":[ {\"y\":1,\"x\":null} ], \"\":true }"),
		JSON_CANONICAL, NULL);
	assert_string_equal(
		s.buf,
		"{\"\":true,\"a\":[{\"x\":null,\"y\":1}],\"b\":{\"Z\":3,\"z\":1,\"\xc3\xa4\":2}}");
}

static void pretty_is_for_people(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb s = SB_INIT(1000);
	const struct value *v = parse(&a, "{\"b\":[1,{\"c\":\"d\"}],\"a\":{},\"e\":[]}");

	(void)state;
	json_write(&s, v, JSON_PRETTY, NULL);
	assert_string_equal(s.buf, "{\n  \"b\": [\n    1,\n    {\n      \"c\": \"d\"\n    }\n  ],\n"
				   "  \"a\": {},\n  \"e\": []\n}\n");
	sb_reset(&s);
	json_write(&s, v, JSON_COMPACT, NULL);
	assert_string_equal(s.buf, "{\"b\":[1,{\"c\":\"d\"}],\"a\":{},\"e\":[]}");
	sb_reset(&s);
	json_write(&s, NULL, JSON_COMPACT, NULL);
	assert_string_equal(s.buf, "null");
}

static void what_was_written_reads_back_equal(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb s = SB_INIT(1000);
	const struct value *v =
		parse(&a, "{\"k\\u0001\":[-1,0.25,\"\\u202e\\\"\",null,true,{\"\":[]}]}");

	(void)state;
	for (enum json_style style = JSON_COMPACT; style <= JSON_PRETTY; style++) {
		sb_reset(&s);
		json_write(&s, v, style, NULL);
		assert_true(value_equal(parse(&a, s.buf), v));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_read),
		cmocka_unit_test(numbers_are_whole_only_while_they_are_exact),
		cmocka_unit_test(broken_text_is_refused_with_its_place),
		cmocka_unit_test(an_escaped_backslash_before_u0000_is_text),
		cmocka_unit_test(limits_are_exact_and_named),
		cmocka_unit_test(a_deep_document_is_refused_not_followed),
		cmocka_unit_test(the_secret_field_is_a_secret_at_once),
		cmocka_unit_test(a_secret_field_may_be_absent_or_no_text),
		cmocka_unit_test(a_failed_parse_leaves_no_secret_behind),
		cmocka_unit_test(no_copy_of_the_secret_stays_in_the_arena),
		cmocka_unit_test(strings_are_escaped_and_made_valid),
		cmocka_unit_test(reals_are_written_short_and_read_back),
		cmocka_unit_test(canonical_sorts_by_bytes_at_every_level),
		cmocka_unit_test(pretty_is_for_people),
		cmocka_unit_test(what_was_written_reads_back_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
