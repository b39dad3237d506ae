/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/base/redact.h"
#include "core/base/sb.h"
#include "core/base/secret.h"
#include "core/io/http.h"
#include "tests/wire/server.h"

#define CANARY "canary/+s3cr3t~value"

/* --- the world of a test --- */

static atomic_int signals;

static int64_t wall(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t mono(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int signalled(void *ctx)
{
	(void)ctx;
	return atomic_load(&signals);
}

static const struct sys sys = { .wall_ms = wall, .mono_ms = mono, .signalled = signalled };

struct fix {
	struct wire_server *server;
	struct http *http;
	const struct transport *t;
	struct arena arena;
	/* The last request that the server saw. */
	pthread_mutex_t mutex;
	char head[4096], body[4096];
};

static void answer(struct wire_conn *c, const struct wire_request *r, void *ctx);

static struct fix *fix_new(enum wire_kind kind, struct http_options o)
{
	struct fix *f = mem_alloc(sizeof(*f));
	struct err err = ERR_INIT;

	atomic_store(&signals, 0);
	pthread_mutex_init(&f->mutex, NULL);
	f->server = wire_start(kind, answer, f);
	o.sys = &sys;
	o.user_agent = "s2sctl-test";
	assert_int_equal(http_open(&o, &f->http, &err), 0);
	f->t = http_transport(f->http);
	return f;
}

static struct fix *fix_tls(void)
{
	return fix_new(WIRE_TLS, (struct http_options){ 0 });
}

static void fix_free(struct fix *f)
{
	wire_stop(f->server);
	arena_done(&f->arena); /* values borrow secrets: before http */
	http_close(f->http);
	pthread_mutex_destroy(&f->mutex);
	mem_free(f);
}

static void fix_freep(struct fix **f)
{
	fix_free(*f);
}

/* A GET that a test changes before it runs it. */
static struct exchange get(struct fix *f, const char *target)
{
	return (struct exchange){
		.method = "GET",
		.url = arena_printf(&f->arena, "%s%s", wire_url(f->server), target),
		.system = "console",
		.ca_file = wire_ca_file(f->server),
		.timeout_ms = 5000,
		.body_max = 65536,
		.arena = &f->arena,
	};
}

static void run(struct fix *f, struct exchange *x)
{
	f->t->start(f->t->ctx, x);
	assert_ptr_equal(f->t->next(f->t->ctx, 20000), x);
}

static void assert_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("'%s' lacks '%s'", text ? text : "(null)", part);
}

static void assert_lacks(const char *text, const char *part)
{
	if (text && strstr(text, part))
		fail_msg("'%s' holds '%s'", text, part);
}

static void assert_failed(const struct exchange *x, enum transport_result result,
			  enum err_code code, const char *words)
{
	assert_int_equal(x->result, result);
	assert_has(x->err.msg, words);
	assert_int_equal(x->err.code, code);
	assert_null(x->resp.body);
}

/* --- what the server does --- */

#define JSON_TYPE "Content-Type: application/json\r\n"

static void many_headers(struct wire_conn *c)
{
	wire_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
	for (int i = 0; i < 200; i++) {
		char line[64];

		snprintf(line, sizeof(line), "X-Header-%d: %d\r\n", i, i);
		wire_text(c, line);
	}
	wire_text(c, "\r\n{}");
}

static void long_html(struct wire_conn *c)
{
	char body[1024];

	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	memcpy(body, "<html>\x1b[2J", 10);
	wire_reply(c, "502 Bad Gateway", "Content-Type: text/html\r\n", body);
}

static void big(struct wire_conn *c, bool chunked)
{
	static char block[4096];

	memset(block, ' ', sizeof(block));
	if (chunked)
		wire_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	else
		wire_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 409600\r\n\r\n");
	for (int i = 0; i < 100; i++) {
		if (chunked)
			wire_text(c, "1000\r\n");
		wire_send(c, block, sizeof(block));
		if (chunked)
			wire_text(c, "\r\n");
	}
	if (chunked)
		wire_text(c, "0\r\n\r\n");
}

static const struct {
	const char *target, *status, *headers, *body;
} fixed[] = {
	{ "/ok", "200 OK",
	  JSON_TYPE "Date: Mon, 23 Nov 2026 10:00:00 GMT\r\nX-Correlation-Id: c1\r\n"
		    "X-Request-Id:  r1 \r\nRetry-After: 7\r\n",
	  "{\"a\": [1, 2], \"b\": \"text\"}" },
	{ "/ok?token=hidden", "200 OK", JSON_TYPE, "{}" },
	{ "/bom", "200 OK", JSON_TYPE, "\xef\xbb\xbf{\"a\": 1}" },
	{ "/untyped", "200 OK", "", "  [1]" },
	{ "/empty", "200 OK", JSON_TYPE, "" },
	{ "/broken", "200 OK", JSON_TYPE, "{\"a\": " },
	{ "/html-secret", "200 OK", "Content-Type: text/html\r\n", "secret=" CANARY },
	{ "/broken-secret", "200 OK", JSON_TYPE, "{\"access_token\": \"" CANARY "\"" },
	{ "/named-secret", "500 Oops", "", "access_token " CANARY },
	{ "/bad-gateway", "502 Bad Gateway", "Content-Type: text/html\r\n",
	  "<h1>Bad Gateway</h1>" },
	{ "/token", "200 OK", JSON_TYPE,
	  "{\"access_token\": \"" CANARY "\", \"expires_in\": 86399}" },
	{ "/echo", "400 Bad Request", "Content-Type: text/plain\r\n", "you said " CANARY },
	{ "/redirect", "302 Found", "Location: /ok\r\n", "" },
};

static void answer(struct wire_conn *c, const struct wire_request *r, void *ctx)
{
	struct fix *f = ctx;

	pthread_mutex_lock(&f->mutex);
	snprintf(f->head, sizeof(f->head), "%s", r->head);
	snprintf(f->body, sizeof(f->body), "%s", r->body);
	pthread_mutex_unlock(&f->mutex);
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		if (strcmp(r->target, fixed[i].target) == 0) {
			wire_reply(c, fixed[i].status, fixed[i].headers, fixed[i].body);
			return;
		}
	}
	if (strcmp(r->target, "/html") == 0)
		long_html(c);
	else if (strcmp(r->target, "/reset") == 0)
		wire_reset(c);
	else if (strcmp(r->target, "/close") == 0)
		wire_close(c);
	else if (strcmp(r->target, "/cut") == 0) {
		wire_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n" JSON_TYPE "\r\n{\"a\":");
		wire_close(c);
	} else if (strcmp(r->target, "/nul") == 0)
		wire_send(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{\0}", 41);
	else if (strcmp(r->target, "/noise") == 0) {
		wire_text(c, "hello, this is not HTTP\r\n\r\n");
		wire_close(c);
	} else if (strcmp(r->target, "/big") == 0)
		big(c, false);
	else if (strcmp(r->target, "/big-chunked") == 0)
		big(c, true);
	else if (strcmp(r->target, "/many-headers") == 0)
		many_headers(c);
	else if (strcmp(r->target, "/interim") == 0)
		wire_text(c,
			  "HTTP/1.1 103 Early Hints\r\nX-Request-Id: early\r\n\r\n"
			  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Debug-Id: d1\r\n\r\n"
			  "2\r\n{}\r\n0\r\nX-Request-Id: trailer\r\n\r\n");
	else if (strncmp(r->target, "/slow/", 6) == 0) {
		wire_sleep(c, (int)strtol(r->target + 6, NULL, 10));
		wire_reply(c, "200 OK", JSON_TYPE, "{}");
	} else if (strcmp(r->target, "/once") == 0) {
		/* The second request on a connection meets a server that has just gone. */
		if (r->nth > 1)
			wire_reset(c);
		else
			wire_reply(c, "200 OK", JSON_TYPE, "{}");
	} else
		wire_reply(c, "404 Not Found", "", "nothing here");
}

/* --- answers --- */

static void a_json_answer_is_parsed_with_date_and_request_id(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/ok");
	int64_t before = wall(NULL);

	(void)state;
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	assert_int_equal(x.err.code, E_NONE);
	assert_int_equal(x.resp.status, 200);
	assert_string_equal(value_text(value_get(x.resp.body, "b")), "text");
	assert_int_equal(value_count(value_get(x.resp.body, "a")), 2);
	assert_null(x.resp.text);
	assert_int_equal(x.resp.date_ms, INT64_C(1795428000000));
	assert_string_equal(x.resp.request_id, "r1");
	assert_string_equal(x.resp.retry_after, "7");
	assert_string_equal(x.resp.content_type, "application/json");
	assert_string_equal(http_resp_header(&x.resp, "x-correlation-id"), "c1");
	assert_true(before <= x.resp.sent_wall_ms);
	assert_true(x.resp.sent_wall_ms <= x.resp.done_wall_ms);
	assert_has(f->head, "GET /ok HTTP/1.1\r\n");
	assert_has(f->head, "Accept: application/json\r\n");
	assert_has(f->head, "User-Agent: s2sctl-test\r\n");
	assert_lacks(f->head, "Content-Type");
	assert_lacks(f->head, "Authorization");
}

static void json_is_known_by_its_type_or_its_first_byte(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange bom = get(f, "/bom"), untyped = get(f, "/untyped"), none = get(f, "/empty");

	(void)state;
	run(f, &bom);
	assert_int_equal(value_int_or(value_get(bom.resp.body, "a"), 0), 1);
	run(f, &untyped);
	assert_int_equal(value_count(untyped.resp.body), 1);
	assert_null(untyped.resp.content_type);
	run(f, &none);
	assert_int_equal(none.result, SENT_OK);
	assert_null(none.resp.body);
	assert_null(none.resp.text);
}

static void html_instead_of_json_is_quoted_short_and_masked(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/html");

	(void)state;
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	assert_int_equal(x.resp.status, 502);
	assert_null(x.resp.body);
	assert_has(x.resp.text, "<html>\\x1b[2J");
	assert_lacks(x.resp.text, "\x1b");
	assert_int_equal(strlen(x.resp.text), 200 + 3 + 3);
}

static void broken_json_gives_text_and_no_body(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/broken");

	(void)state;
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	assert_int_equal(x.resp.status, 200);
	assert_null(x.resp.body);
	assert_string_equal(x.resp.text, "{\"a\": ");
}

static void a_redirect_is_an_answer(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/redirect");

	(void)state;
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	assert_int_equal(x.resp.status, 302);
	assert_string_equal(http_resp_header(&x.resp, "location"), "/ok");
	assert_int_equal(wire_requests(f->server), 1);
}

static void interim_answers_and_trailers_are_left_out(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/interim");

	(void)state;
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	assert_int_equal(x.resp.status, 200);
	assert_string_equal(x.resp.request_id, "d1");
	assert_int_equal(x.resp.date_ms, 0);
}

/* --- failures, and whether the other side may have acted --- */

static void an_unknown_authority_is_never_sent_to(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct wire_server *other = wire_start(WIRE_TLS, answer, f);
	struct exchange x = get(f, "/ok?token=hidden"), system_wide = get(f, "/ok");

	(void)state;
	x.ca_file = wire_ca_file(other);
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, "TLS: certificate verify failed (");
	assert_has(x.err.msg, "console: GET https://127.0.0.1:");
	assert_lacks(x.err.msg, "hidden");
	assert_has(x.err.hint, "ca_file");
	system_wide.ca_file = NULL;
	run(f, &system_wide);
	assert_failed(
		&system_wide, SENT_NEVER, E_TRANSPORT,
		"/ok: TLS: certificate verify failed (unable to get local issuer certificate)");
	assert_string_equal(system_wide.err.hint, "name the authority's certificate in ca_file");
	assert_int_equal(wire_requests(f->server), 0);
	wire_stop(other);
}

static void a_certificate_of_another_host_is_never_sent_to(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_new(WIRE_TLS_OTHER_HOST, (struct http_options){ 0 });
	struct exchange x = get(f, "/ok");

	(void)state;
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, "TLS: certificate verify failed (");
	assert_has(x.err.hint, "another host");
	assert_int_equal(wire_requests(f->server), 0);
}

static void an_authority_of_the_same_name_with_another_key_is_said(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_new(WIRE_TLS_SAME_NAME, (struct http_options){ 0 });
	struct wire_server *other = wire_start(WIRE_TLS_SAME_NAME, answer, f);
	struct exchange x = get(f, "/ok");

	(void)state;
	x.ca_file = wire_ca_file(other);
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, "TLS: certificate verify failed (");
	assert_has(x.err.hint, "ca_file");
	wire_stop(other);
}

static void a_ca_file_that_is_none_is_said(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/ok");

	(void)state;
	x.ca_file = "/nonexistent/ca.pem";
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, "ca_file");
}

static void a_refused_connection_is_never_sent(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/ok");

	(void)state;
	x.url = arena_printf(&f->arena, "https://127.0.0.1:%u/ok", wire_free_port());
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, "/ok: could not connect (Connection refused)");
}

static void an_unknown_host_is_never_sent(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/ok");

	(void)state;
	/* A label of more than 63 bytes: the resolver says no without asking anybody. */
	x.url = "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid/p";
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, ".invalid/p: could not resolve host");
}

static void a_server_that_shakes_no_hands_is_never_sent_to(void **state)
{
	CLEANUP(fix_freep)
	struct fix *f = fix_new(WIRE_DEAF, (struct http_options){ .connect_timeout_ms = 250 });
	struct exchange x = get(f, "/ok");

	(void)state;
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, "could not connect within 250ms");
}

static void a_reset_before_the_answer_leaves_it_unknown(void **state)
{
	static const char *const targets[] = { "/reset", "/close" };
	CLEANUP(fix_freep) struct fix *f = fix_tls();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct exchange x = get(f, targets[i]);

		x.method = "POST";
		run(f, &x);
		assert_failed(&x, SENT_UNKNOWN, E_TRANSPORT, "connection was");
	}
	assert_int_equal(wire_requests(f->server), 2);
}

static void an_answer_cut_short_leaves_it_unknown(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/cut");

	(void)state;
	run(f, &x);
	assert_failed(&x, SENT_UNKNOWN, E_TRANSPORT, "/cut: the answer was cut short");
}

static void a_slow_answer_times_out_and_leaves_it_unknown(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/slow/5000");
	int64_t began = mono(NULL);

	(void)state;
	x.timeout_ms = 400;
	run(f, &x);
	assert_failed(&x, SENT_UNKNOWN, E_TRANSPORT, "/slow/5000: timed out after 400ms");
	assert_in_range(mono(NULL) - began, 350, 3000);
}

static void what_is_not_http_is_said(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/noise");

	(void)state;
	run(f, &x);
	assert_failed(&x, SENT_UNKNOWN, E_TRANSPORT, "not HTTP");
}

static void an_answer_over_the_ceiling_names_the_limit(void **state)
{
	static const char *const targets[] = { "/big", "/big-chunked" };
	CLEANUP(fix_freep) struct fix *f = fix_tls();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct exchange x = get(f, targets[i]);

		run(f, &x);
		assert_failed(&x, SENT_UNKNOWN, E_REMOTE, "larger than the limit of 65536 bytes");
		x = get(f, targets[i]);
		x.body_max = 500000;
		run(f, &x);
		assert_int_equal(x.result, SENT_OK);
		assert_non_null(x.resp.text);
		x.secret_field = "s";
		run(f, &x);
		assert_int_equal(x.result, SENT_OK);
	}
}

static void too_many_headers_and_nul_bytes_are_errors(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange headers = get(f, "/many-headers"), nul = get(f, "/nul");

	(void)state;
	run(f, &headers);
	assert_failed(&headers, SENT_UNKNOWN, E_REMOTE, "headers are larger than the limit of 100");
	run(f, &nul);
	assert_failed(&nul, SENT_UNKNOWN, E_REMOTE, "NUL byte");
}

/* --- requests --- */

static void nothing_from_outside_can_add_a_header(void **state)
{
	static const struct http_header bad[][2] = {
		{ { "X-A", "1\r\nX-Evil: 1" }, { NULL, NULL } },
		{ { "X-A", "1\nX-Evil: 1" }, { NULL, NULL } },
		{ { "X-A: 1\r\nX-Evil", "1" }, { NULL, NULL } },
		{ { "X A", "1" }, { NULL, NULL } },
		{ { "", "1" }, { NULL, NULL } },
		{ { "Content-Length", "1" }, { NULL, NULL } },
		{ { "Transfer-Encoding", "chunked" }, { NULL, NULL } },
		{ { "Host", "other.example" }, { NULL, NULL } },
	};
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x;
	struct secret *s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		x = get(f, "/ok");
		x.headers = bad[i];
		run(f, &x);
		assert_failed(&x, SENT_NEVER, E_TRANSPORT, "header '");
	}
	x = get(f, "/ok");
	x.method = "GET /evil HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET";
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, "method");
	x = get(f, "/ok\r\nX-Evil: 1");
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, "malformed");
	s = secret_new("token\r\nX-Evil: 1", 16);
	x = get(f, "/ok");
	x.bearer = s;
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, "bearer");
	secret_free(s);
	assert_int_equal(wire_connections(f->server), 0);
}

static void only_https_or_this_machine_is_spoken_to(void **state)
{
	static const struct {
		const char *url, *words;
	} bad[] = {
		{ "http://192.0.2.1/", "only https" },
		{ "http://127.0.0.1.example/", "only https" },
		{ "http://[2001:db8::1]/", "only https" },
		{ "ftp://127.0.0.1/", "only https" },
		{ "file:///etc/passwd", "" },
		{ "127.0.0.1/", "malformed" },
		{ "", "malformed" },
		{ "https:///path", "malformed" },
		{ "https://user:hidden@127.0.0.1/", "user name" },
		{ "https://127.0.0.1/a/../b", "segment" },
		{ "https://127.0.0.1/a/.", "segment" },
	};
	CLEANUP(fix_freep) struct fix *f = fix_new(WIRE_PLAIN, (struct http_options){ 0 });
	struct exchange x = get(f, "/ok");

	(void)state;
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		x = get(f, "");
		x.url = bad[i].url;
		run(f, &x);
		assert_failed(&x, SENT_NEVER, E_TRANSPORT, bad[i].words);
		assert_lacks(x.err.msg, "hidden");
	}
	assert_int_equal(wire_requests(f->server), 1);
}

static void this_machine_is_reached_without_a_proxy(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/ok");

	(void)state;
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	run(f, &x);
	unsetenv("https_proxy");
	assert_int_equal(x.result, SENT_OK);
}

static void secrets_are_opened_on_the_wire_only(void **state)
{
	static const struct http_header headers[] = {
		{ "X-Api-Key", "k1" }, { "accept", "text/plain" }, { "X-Empty", "" }, { NULL, NULL }
	};
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct secret *s = secret_new(CANARY, strlen(CANARY));
	struct value *body = value_map(&f->arena), *bad = value_map(&f->arena);
	struct exchange x = get(f, "/ok");

	(void)state;
	value_set(&f->arena, body, "grant_type", value_string(&f->arena, "client credentials"));
	value_set(&f->arena, body, "client_secret", value_secret(&f->arena, s));
	x.method = "POST";
	x.body_kind = BODY_FORM;
	x.body = body;
	x.headers = headers;
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	assert_string_equal(f->body, "grant_type=client%20credentials&"
				     "client_secret=canary%2F%2Bs3cr3t~value");
	assert_has(f->head, "POST /ok HTTP/1.1\r\n");
	assert_has(f->head, "Content-Type: application/x-www-form-urlencoded\r\n");
	assert_has(f->head, "X-Api-Key: k1\r\n");
	assert_has(f->head, "accept: text/plain\r\n");
	assert_has(f->head, "X-Empty:\r\n");
	assert_lacks(f->head, "application/json");

	x = get(f, "/ok");
	x.method = "PATCH";
	x.body_kind = BODY_JSON;
	x.body = body;
	x.bearer = s;
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	assert_has(f->body, "\"client_secret\":\"canary/+s3cr3t~value\"");
	assert_has(f->head, "PATCH /ok HTTP/1.1\r\n");
	assert_has(f->head, "Content-Type: application/json\r\n");
	assert_has(f->head, "Authorization: Bearer " CANARY "\r\n");
	assert_lacks(f->head, "Expect");

	/* A handle that was used before must not carry anything over. */
	x = get(f, "/ok");
	x.method = "DELETE";
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	assert_has(f->head, "DELETE /ok HTTP/1.1\r\n");
	assert_lacks(f->head, "Content-");
	assert_lacks(f->head, "Authorization");
	x.method = "POST";
	run(f, &x);
	assert_has(f->head, "Content-Length: 0\r\n");
	assert_lacks(f->head, "Content-Type");

	value_set(&f->arena, bad, "list", value_list(&f->arena));
	x.body_kind = BODY_FORM;
	x.body = bad;
	run(f, &x);
	assert_failed(&x, SENT_NEVER, E_TRANSPORT, "form");
	secret_free(s);
}

static void a_secret_of_an_answer_is_one_at_once(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	CLEANUP(sb_done) struct sb text = SB_INIT(1024);
	struct exchange x = get(f, "/token"), echo = get(f, "/echo");

	(void)state;
	x.secret_field = "access_token";
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	assert_int_equal(value_get(x.resp.body, "access_token")->kind, VAL_SECRET);
	assert_int_equal(value_int_or(value_get(x.resp.body, "expires_in"), 0), 86399);
	sb_add(&text, "said " CANARY);
	redact_text(&text);
	assert_lacks(text.buf, CANARY);
	/* And a server that repeats it is not believed. */
	run(f, &echo);
	assert_string_equal(echo.resp.text, "you said (redacted)");
}

static void a_secret_that_cannot_be_found_is_never_in_the_text(void **state)
{
	static const char *const targets[] = { "/html-secret", "/broken-secret", "/named-secret" };
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		x = get(f, targets[i]);
		x.secret_field = "access_token";
		run(f, &x);
		assert_int_equal(x.result, SENT_OK);
		assert_null(x.resp.body);
		assert_lacks(x.resp.text, "canary");
		assert_has(x.resp.text, "not shown");
	}
	x = get(f, "/bad-gateway");
	x.secret_field = "access_token";
	run(f, &x);
	assert_string_equal(x.resp.text, "<h1>Bad Gateway</h1>");
}

static void a_write_is_not_sent_twice_on_a_dead_connection(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/once");

	(void)state;
	x.method = "POST";
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	run(f, &x);
	assert_failed(&x, SENT_UNKNOWN, E_TRANSPORT, "connection was lost");
	assert_int_equal(wire_requests(f->server), 2);
	/* A read may be. */
	x.method = "GET";
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	run(f, &x);
	assert_int_equal(x.result, SENT_OK);
	assert_int_equal(wire_requests(f->server), 5);
}

/* --- many at once --- */

static void fifty_at_once_share_a_few_connections(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x[50];

	(void)state;
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(x); i++) {
			x[i] = get(f, i % 2 ? "/ok" : "/slow/10");
			f->t->start(f->t->ctx, &x[i]);
		}
		for (size_t i = 0; i < ARRAY_LEN(x); i++) {
			struct exchange *done = f->t->next(f->t->ctx, 20000);

			assert_non_null(done);
			assert_int_equal(done->result, SENT_OK);
			done->owner = f;
		}
		for (size_t i = 0; i < ARRAY_LEN(x); i++)
			assert_ptr_equal(x[i].owner, f);
	}
	assert_null(f->t->next(f->t->ctx, 0));
	assert_int_equal(wire_requests(f->server), 100);
	assert_in_range(wire_connections(f->server), 1, 8);
}

static void many_hundreds_may_be_under_way(void **state)
{
	CLEANUP(fix_freep) struct fix *f = fix_new(WIRE_PLAIN, (struct http_options){ 0 });
	size_t count = 800, seen = 0;
	struct exchange *x = arena_array(&f->arena, count, sizeof(*x));

	(void)state;
	for (size_t i = 0; i < count; i++) {
		x[i] = get(f, "/ok");
		f->t->start(f->t->ctx, &x[i]);
	}
	for (size_t i = 0; i < count; i += 10)
		f->t->cancel(f->t->ctx, &x[i]);
	for (struct exchange *done; seen < count - count / 10; seen++) {
		done = f->t->next(f->t->ctx, 20000);
		assert_non_null(done);
		assert_int_equal(done->result, SENT_OK);
		assert_true((done - x) % 10 != 0);
	}
	assert_null(f->t->next(f->t->ctx, 50));
}

static void waiting_for_a_connection_eats_no_timeout(void **state)
{
	CLEANUP(fix_freep)
	struct fix *f = fix_new(WIRE_TLS,
				(struct http_options){ .per_host = 1, .connect_timeout_ms = 1200 });
	struct exchange x[20];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(x); i++) {
		x[i] = get(f, "/slow/75");
		x[i].timeout_ms = 1200;
		f->t->start(f->t->ctx, &x[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(x); i++) {
		assert_ptr_equal(f->t->next(f->t->ctx, 20000), &x[i]);
		assert_int_equal(x[i].result, SENT_OK);
	}
	assert_int_equal(wire_connections(f->server), 1);
}

static void what_is_cancelled_does_not_come_back(void **state)
{
	CLEANUP(fix_freep)
	struct fix *f = fix_new(WIRE_TLS, (struct http_options){ .per_host = 1 });
	struct exchange active = get(f, "/slow/5000"), waiting = get(f, "/ok"),
			refused = get(f, "/ok"), last = get(f, "/ok");

	(void)state;
	refused.method = "";
	f->t->start(f->t->ctx, &active);
	f->t->start(f->t->ctx, &waiting);
	f->t->start(f->t->ctx, &refused); /* finished already, but not taken */
	f->t->start(f->t->ctx, &last);
	f->t->cancel(f->t->ctx, &waiting);
	f->t->cancel(f->t->ctx, &refused);
	assert_null(f->t->next(f->t->ctx, 100));
	f->t->cancel(f->t->ctx, &active);
	f->t->cancel(f->t->ctx, &active);
	assert_ptr_equal(f->t->next(f->t->ctx, 20000), &last);
	assert_int_equal(last.result, SENT_OK);
	assert_null(f->t->next(f->t->ctx, 50));
}

static void closing_with_exchanges_under_way_leaves_nothing(void **state)
{
	CLEANUP(fix_freep)
	struct fix *f = fix_new(WIRE_TLS, (struct http_options){ .per_host = 1 });
	struct exchange active = get(f, "/slow/5000"), waiting = get(f, "/ok");

	(void)state;
	f->t->start(f->t->ctx, &active);
	f->t->start(f->t->ctx, &waiting);
	assert_null(f->t->next(f->t->ctx, 100));
}

/* --- waiting --- */

static void on_alarm(int number)
{
	(void)number;
	atomic_fetch_add(&signals, 1);
}

static void a_signal_ends_the_wait(void **state)
{
	struct sigaction act = { .sa_handler = on_alarm }, old;
	struct itimerval soon = { .it_value = { 0, 100000 } };
	CLEANUP(fix_freep) struct fix *f = fix_tls();
	struct exchange x = get(f, "/slow/1000");
	int64_t began = mono(NULL);

	(void)state;
	sigaction(SIGALRM, &act, &old);
	f->t->start(f->t->ctx, &x);
	setitimer(ITIMER_REAL, &soon, NULL);
	assert_null(f->t->next(f->t->ctx, 20000));
	assert_in_range(mono(NULL) - began, 90, 1500);
	/* Between two calls: told once, then the wait goes on. */
	atomic_fetch_add(&signals, 1);
	assert_null(f->t->next(f->t->ctx, 20000));
	assert_in_range(mono(NULL) - began, 90, 1500);
	assert_ptr_equal(f->t->next(f->t->ctx, 20000), &x);
	sigaction(SIGALRM, &old, NULL);
}

static void waiting_is_divided_by_the_time_scale(void **state)
{
	CLEANUP(fix_freep)
	struct fix *f = fix_new(WIRE_TLS, (struct http_options){ .time_scale = 10 });
	int64_t began = mono(NULL);

	(void)state;
	assert_null(f->t->next(f->t->ctx, 3000)); /* nothing under way: it sleeps */
	assert_in_range(mono(NULL) - began, 295, 1500);
	assert_null(f->t->next(f->t->ctx, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_json_answer_is_parsed_with_date_and_request_id),
		cmocka_unit_test(json_is_known_by_its_type_or_its_first_byte),
		cmocka_unit_test(html_instead_of_json_is_quoted_short_and_masked),
		cmocka_unit_test(broken_json_gives_text_and_no_body),
		cmocka_unit_test(a_redirect_is_an_answer),
		cmocka_unit_test(interim_answers_and_trailers_are_left_out),
		cmocka_unit_test(an_unknown_authority_is_never_sent_to),
		cmocka_unit_test(a_certificate_of_another_host_is_never_sent_to),
		cmocka_unit_test(an_authority_of_the_same_name_with_another_key_is_said),
		cmocka_unit_test(a_ca_file_that_is_none_is_said),
		cmocka_unit_test(a_refused_connection_is_never_sent),
		cmocka_unit_test(an_unknown_host_is_never_sent),
		cmocka_unit_test(a_server_that_shakes_no_hands_is_never_sent_to),
		cmocka_unit_test(a_reset_before_the_answer_leaves_it_unknown),
		cmocka_unit_test(an_answer_cut_short_leaves_it_unknown),
		cmocka_unit_test(a_slow_answer_times_out_and_leaves_it_unknown),
		cmocka_unit_test(what_is_not_http_is_said),
		cmocka_unit_test(an_answer_over_the_ceiling_names_the_limit),
		cmocka_unit_test(too_many_headers_and_nul_bytes_are_errors),
		cmocka_unit_test(nothing_from_outside_can_add_a_header),
		cmocka_unit_test(only_https_or_this_machine_is_spoken_to),
		cmocka_unit_test(this_machine_is_reached_without_a_proxy),
		cmocka_unit_test(secrets_are_opened_on_the_wire_only),
		cmocka_unit_test(a_secret_of_an_answer_is_one_at_once),
		cmocka_unit_test(a_secret_that_cannot_be_found_is_never_in_the_text),
		cmocka_unit_test(a_write_is_not_sent_twice_on_a_dead_connection),
		cmocka_unit_test(fifty_at_once_share_a_few_connections),
		cmocka_unit_test(many_hundreds_may_be_under_way),
		cmocka_unit_test(waiting_for_a_connection_eats_no_timeout),
		cmocka_unit_test(what_is_cancelled_does_not_come_back),
		cmocka_unit_test(closing_with_exchanges_under_way_leaves_nothing),
		cmocka_unit_test(a_signal_ends_the_wait),
		cmocka_unit_test(waiting_is_divided_by_the_time_scale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
