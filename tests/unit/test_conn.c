/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/run/conn.h"
#include "tests/unit/fake_shop.h"

static int url_of(struct arena *a, const char *base, const struct http_req *req, const char **ret,
		  struct err *err)
{
	const struct conn c = { .name = "shop", .base = base };

	*err = (struct err)ERR_INIT;
	*ret = NULL;
	return conn_url(a, &c, req, ret, err);
}

static void a_path_follows_the_base(void **state)
{
	static const struct {
		const char *path, *query, *want;
	} cases[] = {
		{ "/orders", NULL, "https://shop.example/v1/orders" },
		{ "/orders?a=b", NULL, "https://shop.example/v1/orders?a=b" },
		{ "/orders", "a=b", "https://shop.example/v1/orders?a=b" },
		{ "/orders?x=1", "a=b", "https://shop.example/v1/orders?x=1&a=b" },
		{ "/orders", "", "https://shop.example/v1/orders" },
		{ NULL, NULL, "https://shop.example/v1" },
	};
	struct arena a = ARENA_INIT;
	const char *url;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct http_req req = { .path = cases[i].path, .query = cases[i].query };

		assert_int_equal(url_of(&a, "https://shop.example/v1", &req, &url, &err), 0);
		assert_string_equal(url, cases[i].want);
	}
	arena_done(&a);
}

static void a_link_of_the_same_origin_is_followed(void **state)
{
	static const struct {
		const char *href, *query, *want;
	} cases[] = {
		{ "https://shop.example/v1/next?p=2", NULL, "https://shop.example/v1/next?p=2" },
		{ "HTTPS://SHOP.example/x", NULL, "HTTPS://SHOP.example/x" },
		{ "https://shop.example", NULL, "https://shop.example" },
		{ "https://shop.example?p=2", "q=1", "https://shop.example?p=2&q=1" },
		{ "/other/next", NULL, "https://shop.example/other/next" },
		{ "next?p=2", NULL, "https://shop.example/v1/next?p=2" },
		{ "/next?back=https://evil.example/", NULL,
		  "https://shop.example/next?back=https://evil.example/" },
	};
	struct arena a = ARENA_INIT;
	const char *url;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct http_req req = { .href = cases[i].href, .query = cases[i].query };

		if (url_of(&a, "https://shop.example/v1", &req, &url, &err) < 0)
			fail_msg("%s: %s", cases[i].href, err.msg);
		assert_string_equal(url, cases[i].want);
	}
	arena_done(&a);
}

static void a_link_to_another_origin_is_refused(void **state)
{
	static const char *const links[] = {
		"https://evil.example/",
		"https://shop.example.evil.example/",
		"https://shop.exampl",
		"http://shop.example/v1/next",
		"https://shop.example:444/v1/next",
		"https://shop.example@evil.example/",
		"https://user@shop.example/",
		"//evil.example/x",
		"///evil.example/x",
		"https:\\\\evil.example/",
		"/\\evil.example/",
		"https://shop.example\t.evil.example/",
		" https://evil.example/",
		"https://shop.example/\nHost: evil.example",
		"https://evil.example/?https://shop.example/",
		"ftp://shop.example/",
		"https://shop.example\x7f/",
	};
	struct arena a = ARENA_INIT;
	const char *url;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		const struct http_req req = { .href = links[i] };

		if (url_of(&a, "https://shop.example/v1", &req, &url, &err) == 0)
			fail_msg("%s led to %s", links[i], url);
		assert_int_equal(err.code, E_REMOTE);
		assert_null(url);
	}
	arena_done(&a);
}

static const char text[] =
	"version: 1\n"
	"connections:\n"
	"  shop: {url: https://shop.example/, prefix: /v2, timeout: 5s, auth: {kind: client_credentials,\n"
	"    client_id: reader, client_secret: env:OTHER_SECRET, scopes: [a, b]}}\n"
	"  till: {url: https://till.example/base}\n"
	"environments:\n"
	"  dev: {project: {id: p0}, credential: {client_id: c0, client_secret: env:APP_SECRET, scopes: [x, y]},\n"
	"    executors: {drop: api}}\n";

static void a_connection_is_found_with_all_that_it_needs(void **state)
{
	struct shop *s = shop_new(text);
	struct arena a = ARENA_INIT;
	struct conn c;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(conn_find(&a, &shop_registry, s->envs[0], "shop", &c, &err), 0);
	assert_string_equal(c.base, "https://shop.example/v2");
	assert_string_equal(c.auth_kind, "client_credentials");
	assert_string_equal(c.client_id, "reader");
	assert_string_equal(c.secret_ref, "env:OTHER_SECRET");
	assert_string_equal(c.token_url, "https://till.example/base/token");
	assert_string_equal(c.scopes, "a,b");
	assert_string_equal(c.api_key, "reader");
	assert_int_equal(c.timeout_ms, 5000);
	assert_int_equal(conn_find(&a, &shop_registry, s->envs[0], "till", &c, &err), 0);
	assert_string_equal(c.auth_kind, "none");
	arena_done(&a);
	shop_free(s);
}

static void a_connection_that_is_not_there_is_a_persons_business(void **state)
{
	struct shop *s = shop_new(text);
	struct arena a = ARENA_INIT;
	struct conn c;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(conn_find(&a, &shop_registry, s->envs[0], "bridge", &c, &err), -E_DENIED);
	err_clear(&err);
	assert_int_equal(conn_find(&a, &shop_registry, s->envs[0], "nonsense", &c, &err),
			 -E_DENIED);
	arena_done(&a);
	shop_free(s);
}

static void the_migrating_client_signs_in_where_the_connections_clients_do(void **state)
{
	struct shop *s = shop_new(text);
	struct arena a = ARENA_INIT;
	struct conn shop, m;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(conn_find(&a, &shop_registry, s->envs[0], "shop", &shop, &err), 0);
	assert_int_equal(conn_migrating(&a, &shop_registry, s->envs[0], &shop, NULL, &m, &err), 0);
	assert_string_equal(m.client_id, "c0");
	assert_string_equal(m.api_key, "c0");
	assert_string_equal(m.secret_ref, "env:APP_SECRET");
	assert_string_equal(m.token_url, "https://till.example/base/token");
	assert_string_equal(m.scopes, "x,y");
	assert_int_equal(conn_migrating(&a, &shop_registry, s->envs[0], &shop, "only", &m, &err),
			 0);
	assert_string_equal(m.scopes, "only");
	arena_done(&a);
	shop_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_follows_the_base),
		cmocka_unit_test(a_link_of_the_same_origin_is_followed),
		cmocka_unit_test(a_link_to_another_origin_is_refused),
		cmocka_unit_test(a_connection_is_found_with_all_that_it_needs),
		cmocka_unit_test(a_connection_that_is_not_there_is_a_persons_business),
		cmocka_unit_test(the_migrating_client_signs_in_where_the_connections_clients_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
