/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/api/http_msg.h"
#include "core/base/secret.h"
#include "core/io/json.h"

static void headers_are_found_by_lower_name(void **state)
{
	const struct http_header h[] = { { "date", "x" }, { "x-id", "7" }, { NULL, NULL } };
	const struct http_resp r = { .headers = h }, none = { .headers = NULL };

	(void)state;
	assert_string_equal(http_resp_header(&r, "x-id"), "7");
	assert_null(http_resp_header(&r, "etag"));
	assert_null(http_resp_header(&none, "date"));
}

static void paths_escape_each_segment(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)state;
	assert_string_equal(http_path(&a, "/organizations/%s/projects/%s", "a/b@Org", "1 2?x#%"),
			    "/organizations/a%2Fb%40Org/projects/1%202%3Fx%23%25");
	assert_string_equal(http_path(&a, "/plain"), "/plain");
}

static void dots_cannot_climb_a_path(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)state;
	assert_string_equal(http_path(&a, "/a/%s/%s/%s", "..", ".", "..x"),
			    "/a/%252E%252E/%252E/..x");
}

static void queries_join_pairs_and_skip_null(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)state;
	assert_string_equal(http_query(&a, "$filter", "a eq 'b'", "no", NULL, "x", "", NULL),
			    "%24filter=a%20eq%20%27b%27&x=");
	assert_null(http_query(&a, "no", NULL, NULL));
	assert_null(http_query(&a, NULL));
}

static void errors_of_many_shapes_are_quoted(void **state)
{
	static const struct {
		const char *body, *want;
	} cases[] = {
		{ "{\"message\":\"Api Key is invalid\"}", "Api Key is invalid" },
		{ "{\"error_code\":\"403003\",\"message\":\"Api Key is invalid\"}",
		  "Api Key is invalid (403003)" },
		{ "{\"error\":\"invalid_client\",\"error_description\":\"no such client\"}",
		  "no such client (invalid_client)" },
		{ "{\"error\":\"invalid_client\"}", "invalid_client" },
		{ "{\"error\":{\"code\":\"0x80040220\",\"message\":\"no privilege\"}}",
		  "no privilege (0x80040220)" },
		{ "{\"error\":{\"code\":17}}", "17" },
		{ "{\"errors\":[{\"code\":5,\"message\":\"first\"},{\"message\":\"second\"}]}",
		  "first (5)" },
		{ "{\"errors\":[\"only words\"]}", "only words" },
		{ "{\"type\":\"about:blank\",\"title\":\"Gone\",\"status\":410}", "Gone" },
		{ "{\"title\":\"Gone\",\"detail\":\"it went\"}", "it went" },
		{ "{\"message\":\"bad token abc\",\"code\":\"abc\"}", "bad token abc" },
		{ "\"just text\"", "just text" },
		{ "{\"error\":{\"x\":1},\"message\":\"outside\"}", "outside" },
		{ "{\"message\":\"\\u001b[2J\"}", "\\x1b[2J" },
		{ "{\"message\":\"echo swordfish-1\"}", "echo (redacted)" },
		{ "{\"x\":1}", NULL },
		{ "[]", NULL },
		{ "{\"errors\":{}}", NULL },
		{ "{\"message\":\"\"}", NULL },
	};
	const struct http_req req = { .method = "GET", .conn = "console", .what = "list projects" };
	UNUSED CLEANUP(secret_freep) struct secret *s = secret_new("swordfish-1", 11);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_done) struct arena a = ARENA_INIT;
		CLEANUP(sb_done) struct sb want = SB_INIT(1000);
		struct http_resp resp = { .status = 500, .request_id = "abc" };
		struct err e = ERR_INIT;
		struct value *body = NULL;

		assert_int_equal(json_parse(&a, cases[i].body, strlen(cases[i].body), NULL, NULL,
					    NULL, &body, &e),
				 0);
		resp.body = body;
		assert_int_equal(http_unexpected(&req, &resp, &e), -E_REMOTE);
		sb_add(&want, "console: list projects answered 500 (request id abc)");
		if (cases[i].want)
			sb_addf(&want, ": %s", cases[i].want);
		assert_string_equal(e.msg, want.buf);
	}
}

static void denied_is_told_apart(void **state)
{
	static const int denied[] = { 401, 403 }, other[] = { 400, 404, 409, 429, 500, 302 };
	const struct http_req req = { .method = "GET", .conn = "ims" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(denied); i++) {
		struct http_resp resp = { .status = denied[i] };
		struct err e = ERR_INIT;

		assert_int_equal(http_unexpected(&req, &resp, &e), -E_DENIED);
	}
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		struct http_resp resp = { .status = other[i] };
		struct err e = ERR_INIT;

		assert_int_equal(http_unexpected(&req, &resp, &e), -E_REMOTE);
	}
}

static void pages_and_text_are_named_or_quoted(void **state)
{
	const struct http_req req = { .method = "GET", .conn = "ims", .what = "token" };
	struct http_resp resp = { .status = 503,
				  .text = "<html>...",
				  .content_type = "Text/HTML; charset=utf-8" };
	struct err e = ERR_INIT;
	char longer[1000];

	(void)state;
	(void)http_unexpected(&req, &resp, &e);
	assert_string_equal(e.msg, "ims: token answered 503: an HTML page");
	err_clear(&e);
	resp.content_type = "text/plain";
	resp.text = "upstream connect error";
	(void)http_unexpected(&req, &resp, &e);
	assert_string_equal(e.msg, "ims: token answered 503: upstream connect error");
	err_clear(&e);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	resp.text = longer;
	(void)http_unexpected(&req, &resp, &e);
	assert_int_equal(strlen(e.msg), strlen("ims: token answered 503: ") + 200);
}

static void a_long_secret_in_words_is_never_half_shown(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const struct http_req req = { .method = "GET", .conn = "ims", .what = "token" };
	char key[600], expected[] = "ims: token answered 400: (redacted)";
	struct secret *s;
	struct value *body = value_map(&a);
	struct http_resp resp = { .status = 400, .body = body };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (char)('a' + i % 26);
	key[sizeof(key) - 1] = '\0';
	s = secret_new(key, sizeof(key) - 1);
	value_set(&a, body, "message", value_string(&a, key));
	(void)http_unexpected(&req, &resp, &e);
	assert_string_equal(e.msg, expected);
	secret_free(s);
}

static void what_did_as_asked_is_2xx_and_no_page(void **state)
{
	(void)state;
	assert_true(http_ok(&(struct http_resp){ .status = 200 }));
	assert_true(http_ok(&(struct http_resp){ .status = 204 }));
	assert_false(http_ok(&(struct http_resp){ .status = 200, .text = "<html>" }));
	assert_false(http_ok(&(struct http_resp){ .status = 302 }));
	assert_false(http_ok(&(struct http_resp){ .status = 199 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_did_as_asked_is_2xx_and_no_page),
		cmocka_unit_test(headers_are_found_by_lower_name),
		cmocka_unit_test(paths_escape_each_segment),
		cmocka_unit_test(dots_cannot_climb_a_path),
		cmocka_unit_test(queries_join_pairs_and_skip_null),
		cmocka_unit_test(errors_of_many_shapes_are_quoted),
		cmocka_unit_test(denied_is_told_apart),
		cmocka_unit_test(pages_and_text_are_named_or_quoted),
		cmocka_unit_test(a_long_secret_in_words_is_never_half_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
