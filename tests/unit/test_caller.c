/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/when.h"
#include "core/run/caller.h"
#include "tests/unit/fake_shop.h"

#define JOBS_MAX 64

static const char two_clients[] =
	"version: 1\n"
	"connections:\n"
	"  shop: {url: https://shop.example, auth: {kind: bearer, token: env:SHOP_TOKEN, api_key: key-1}}\n"
	"  ledger: {url: https://ledger.example, auth: {kind: client_credentials, client_id: reader,\n"
	"    client_secret: env:OTHER_SECRET}}\n"
	"defaults: {executors: {drop: api}, credential: {client_secret: env:APP_SECRET}}\n"
	"environments:\n"
	"  dev: {project: {id: p0}, credential: {client_id: c0}}\n"
	"  stage: {project: {id: p1}, credential: {client_id: c1},\n"
	"    connections: {shop: {auth: {kind: bearer, token: env:LEDGER_TOKEN}}}}\n"
	"  shell: {project: {id: p2}, credential: {client_id: c2},\n"
	"    connections: {shop: {auth: {kind: bearer, token: \"exec:login\"}}}}\n";

/* What a test's call sends, one request after the other, and what came of it. */
struct act {
	struct http_req reqs[4];
	size_t count;
	int statuses[4];
	char first[4][64]; /* member "x" of each answer */
	int64_t pause_ms;  /* before the first request */
	bool for_ever, without_reason;
	enum next result;
	struct err err;
	bool may_have_acted, is_fenced, stopping, done;
	size_t chain;
	char requests[256];
	int64_t done_ms;
};
struct fix {
	struct shop *s;
	struct caller *c;
	struct act acts[JOBS_MAX];
	size_t started, finished;
	char bearer[64];
	int same_bearer;
	bool has_key;
};
static struct fix *fix;

static enum next act_fn(struct call *c, const struct http_resp *last, struct http_req *req,
			struct err *err)
{
	struct act *a = &fix->acts[(size_t)(c->view->now_ms)];
	int n = c->stage;

	a->stopping = c->stopping;
	if (last) {
		a->statuses[n - 1] = last->status;
		snprintf(a->first[n - 1], sizeof(a->first[0]), "%s",
			 value_text_or(value_get(last->body, "x"), ""));
	}
	if (!last && n == 0 && a->pause_ms) {
		c->wait_ms = a->pause_ms;
		a->pause_ms = 0;
		return NEXT_WAIT;
	}
	if (a->without_reason)
		return NEXT_FAIL;
	(void)err;
	if ((size_t)n == a->count && !a->for_ever)
		return NEXT_DONE;
	*req = a->reqs[a->for_ever ? 0 : n];
	c->stage = a->for_ever ? 1 : n + 1;
	return NEXT_SEND;
}

static void done(void *arg, struct call_job *j)
{
	struct act *a = arg;

	assert_false(a->done);
	a->done = true;
	a->result = j->result;
	a->err = j->err;
	a->may_have_acted = j->may_have_acted;
	a->is_fenced = j->is_fenced;
	a->chain = j->chain;
	a->done_ms = fix->s->w->clock.mono_ms;
	if (value_count(j->requests))
		snprintf(a->requests, sizeof(a->requests), "%s",
			 value_text_or(value_at(j->requests, 0), ""));
	fix->finished++;
}

static const struct thing_type some_thing = { .name = "some.thing", .conn = "shop" };

/* @count  starts of the same act, in environment @env */
static struct act *start(const struct act *a, enum call_mode mode, size_t env)
{
	struct act *slot = &fix->acts[fix->started];
	const struct call_job given = { .env = fix->s->envs[env],
					.thing = &some_thing,
					.fn = act_fn,
					.mode = mode,
					.view = { .env = fix->s->envs[env]->name,
						  .now_ms = (int64_t)fix->started },
					.done = done,
					.arg = slot };

	assert_true(fix->started < JOBS_MAX);
	*slot = *a;
	fix->started++;
	assert_non_null(caller_start(fix->c, &given));
	return slot;
}

static void serve(void *ctx, struct fake_net *net, const struct exchange *x, struct fake_reply *ret)
{
	(void)ctx;
	fix->same_bearer += fix->bearer[0] && fake_secret_is(x->bearer, fix->bearer);
	fix->has_key = false;
	for (const struct http_header *h = x->headers; h && h->name; h++)
		fix->has_key |= strcmp(h->name, "x-api-key") == 0 && strcmp(h->value, "key-1") == 0;
	fake_serve_script(ctx, net, x, ret);
}

static struct fix *make(const struct mint_guard *guard)
{
	static struct fix f;

	f = (struct fix){ .s = shop_new(two_clients) };
	fix = &f;
	f.s->net.serve = serve;
	f.s->net.faults = NULL;
	f.s->clocks = (struct clocks){ .sys = &f.s->sys };
	f.s->calls.guard = guard;
	f.c = caller_new(&f.s->calls);
	return &f;
}

static void unmake(struct fix *f)
{
	caller_free(f->c);
	assert_int_equal(f->s->net.flight_count, 0);
	shop_free(f->s);
}

static void run(struct fix *f)
{
	int64_t end = f->s->w->clock.mono_ms + WHEN_HOUR;

	while (caller_busy(f->c)) {
		caller_pump(f->c, 1000);
		if (f->s->w->clock.mono_ms > end)
			fail_msg("calls that never end: %zu", caller_busy(f->c));
	}
	assert_int_equal(f->finished, f->started);
}

static const struct act get = {
	.reqs = { { .method = "GET", .conn = "shop", .path = "/a", .what = "look" } },
	.count = 1
};
static const struct act post = {
	.reqs = { { .method = "POST", .conn = "shop", .path = "/a", .what = "write" } },
	.count = 1
};

static void an_answer_is_handed_to_the_call_and_the_request_is_noted(void **state)
{
	struct fix *f = make(NULL);
	struct act *a;

	(void)state;
	snprintf(f->bearer, sizeof(f->bearer), "shop-token");
	fake_script(&f->s->net, 200, "{\"x\":\"one\"}");
	a = start(&get, CALL_READS, 0);
	assert_int_equal(f->s->net.exchanges, 0); /* begins with the next pump */
	run(f);
	assert_int_equal(a->result, NEXT_DONE);
	assert_int_equal(a->statuses[0], 200);
	assert_string_equal(a->first[0], "one");
	assert_string_equal(a->requests, "GET shop /a");
	assert_int_equal(a->chain, 1);
	assert_int_equal(f->same_bearer, 1);
	assert_true(f->has_key);
	assert_int_equal(caller_exchanges(f->c), 1);
	assert_int_equal(clocks_now(&f->s->clocks) / 1000, fake_server_now(&f->s->w->clock) / 1000);
	unmake(f);
}

static void a_request_without_authentication_carries_none(void **state)
{
	struct fix *f = make(NULL);
	struct act a = get;

	(void)state;
	snprintf(f->bearer, sizeof(f->bearer), "shop-token");
	a.reqs[0].flags = REQ_NO_AUTH;
	fake_script(&f->s->net, 200, "{}");
	start(&a, CALL_READS, 0);
	run(f);
	assert_int_equal(f->same_bearer, 0);
	assert_false(f->has_key);
	assert_int_equal(f->s->secrets.list[0].resolved, 0);
	unmake(f);
}

static void a_reading_call_that_tries_to_write_is_a_bug_and_not_sent(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE", "HEAD", "get" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct fix *f = make(NULL);
		struct act a = get, *r;

		a.reqs[0].method = methods[i];
		r = start(&a, CALL_READS, 0);
		run(f);
		assert_int_equal(r->result, NEXT_FAIL);
		assert_int_equal(r->err.code, E_BUG);
		assert_int_equal(f->s->net.exchanges, 0);
		unmake(f);
	}
}

static void a_read_waits_as_long_as_it_is_asked_to(void **state)
{
	struct fix *f = make(NULL);
	struct act *a;
	int64_t at;
	CLEANUP(sb_done) struct sb date = SB_INIT(64);

	(void)state;
	fake_script(&f->s->net, 429, NULL);
	fake_script_last(&f->s->net)->retry_after = "7";
	fake_script(&f->s->net, 200, "{}");
	a = start(&get, CALL_READS, 0);
	run(f);
	assert_int_equal(a->result, NEXT_DONE);
	assert_in_range(a->done_ms, 7000, 7500);
	assert_int_equal(a->chain, 2);
	assert_string_equal(a->requests, "GET shop /a");

	at = a->done_ms;
	when_add_http_date(&date,
			   fake_server_now(&f->s->w->clock) / 1000 * 1000 + 40 * WHEN_SECOND);
	fake_script(&f->s->net, 503, NULL);
	fake_script_last(&f->s->net)->retry_after = date.buf;
	fake_script(&f->s->net, 200, "{}");
	a = start(&get, CALL_READS, 0);
	run(f);
	assert_int_equal(a->result, NEXT_DONE);
	assert_in_range(a->done_ms, at + 39000, at + 41500);
	unmake(f);
}

static void a_read_is_given_up_after_four_tries(void **state)
{
	struct fix *f = make(NULL);
	struct act *a;

	(void)state;
	for (int i = 0; i < 4; i++)
		fake_script(&f->s->net, 502, "{\"message\":\"bad \\u001b[2J day\"}");
	a = start(&get, CALL_READS, 0);
	run(f);
	assert_int_equal(a->result, NEXT_FAIL);
	assert_int_equal(a->err.code, E_REMOTE);
	assert_non_null(strstr(a->err.msg, "502"));
	assert_null(strchr(a->err.msg, '\033'));
	assert_int_equal(f->s->net.exchanges, 4);
	assert_false(a->may_have_acted);
	unmake(f);
}

static void a_write_is_never_sent_again_once_it_may_have_acted(void **state)
{
	static const struct fake_reply replies[] = { { .result = SENT_UNKNOWN },
						     { .status = 500 },
						     { .status = 502 },
						     { .status = 503, .retry_after = "1" },
						     { .status = 504 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		struct fix *f = make(NULL);
		struct act *a;

		fake_script(&f->s->net, 200, NULL);
		*fake_script_last(&f->s->net) = replies[i];
		a = start(&post, CALL_WRITES, 0);
		run(f);
		assert_int_equal(a->result, NEXT_FAIL);
		assert_int_equal(f->s->net.exchanges, 1);
		assert_true(a->may_have_acted);
		unmake(f);
	}
}

static void a_write_is_sent_again_when_it_cannot_have_acted(void **state)
{
	static const struct fake_reply replies[] = { { .result = SENT_NEVER }, { .status = 429 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		struct fix *f = make(NULL);
		struct act *a;

		fake_script(&f->s->net, 200, NULL);
		*fake_script_last(&f->s->net) = replies[i];
		fake_script(&f->s->net, 201, "{}");
		a = start(&post, CALL_WRITES, 0);
		run(f);
		assert_int_equal(a->result, NEXT_DONE);
		assert_int_equal(a->statuses[0], 201);
		assert_int_equal(f->s->net.exchanges, 2);
		unmake(f);
	}
}

static void refusals_are_denied_and_other_answers_are_the_providers(void **state)
{
	struct fix *f = make(NULL);
	struct act any = get, *a;

	(void)state;
	fake_script(&f->s->net, 403, "{\"message\":\"no\"}");
	a = start(&get, CALL_READS, 0);
	run(f);
	assert_int_equal(a->err.code, E_DENIED);
	fake_script(&f->s->net, 404, "{\"x\":\"gone\"}");
	a = start(&get, CALL_READS, 0);
	run(f);
	assert_int_equal(a->result, NEXT_DONE);
	assert_int_equal(a->statuses[0], 404);
	any.reqs[0].flags = REQ_ANY_STATUS;
	fake_script(&f->s->net, 403, "{\"x\":\"no\"}");
	a = start(&any, CALL_READS, 0);
	run(f);
	assert_int_equal(a->result, NEXT_DONE);
	assert_int_equal(a->statuses[0], 403);
	unmake(f);
}

static void a_missing_connection_is_denied_and_nothing_is_sent(void **state)
{
	struct fix *f = make(NULL);
	struct act a = get, *r;

	(void)state;
	a.reqs[0].conn = "bridge";
	r = start(&a, CALL_READS, 0);
	run(f);
	assert_int_equal(r->err.code, E_DENIED);
	assert_int_equal(f->s->net.exchanges, 0);
	unmake(f);
}

static void a_link_to_another_origin_is_refused_before_sending(void **state)
{
	struct fix *f = make(NULL);
	struct act a = { .reqs = { { .method = "GET", .conn = "shop", .path = "/a" },
				   { .method = "GET",
				     .conn = "shop",
				     .href = "https://evil.example/next" } },
			 .count = 2 };
	struct act *r;

	(void)state;
	fake_script(&f->s->net, 200, "{}");
	r = start(&a, CALL_READS, 0);
	run(f);
	assert_int_equal(r->result, NEXT_FAIL);
	assert_int_equal(r->err.code, E_REMOTE);
	assert_int_equal(f->s->net.exchanges, 1);
	assert_int_equal(fake_net_count(&f->s->net, "evil"), 0);
	unmake(f);
}

static void secret_references_are_opened_only_in_what_is_exchanged(void **state)
{
	struct fix *f = make(NULL);
	struct arena a = ARENA_INIT;
	struct act w = post, *r;
	const struct value *body = fake_json(
		&a,
		"{\"id\":\"c0\",\"deep\":{\"secret\":{\"$secret_ref\":\"env:APP_SECRET\"}},\"list\":[1]}");

	(void)state;
	w.reqs[0].body_kind = BODY_JSON;
	w.reqs[0].body = body;
	fake_script(&f->s->net, 200, "{}");
	r = start(&w, CALL_WRITES, 0);
	run(f);
	assert_int_equal(r->result, NEXT_DONE);
	assert_int_equal(fake_net_count(&f->s->net, "(secret, 15 bytes)"), 1);
	assert_int_equal(fake_net_count(&f->s->net, "$secret_ref"), 0);
	assert_string_equal(value_text(value_path(body, "deep.secret.$secret_ref")),
			    "env:APP_SECRET"); /* untouched */

	body = fake_json(&a, "{\"secret\":{\"$secret_ref\":\"env:NO_SUCH\"}}");
	w.reqs[0].body = body;
	r = start(&w, CALL_WRITES, 0);
	run(f);
	assert_int_equal(r->result, NEXT_FAIL);
	assert_int_equal(r->err.code, E_IO);
	assert_false(r->may_have_acted);
	assert_int_equal(f->s->net.exchanges, 1);
	unmake(f);
	arena_done(&a);
}

static void a_shared_read_is_sent_once_for_many_calls(void **state)
{
	struct fix *f = make(NULL);
	struct act shared = get;

	(void)state;
	shared.reqs[0].flags = REQ_SHARED;
	fake_script(&f->s->net, 200, "{\"x\":\"one\"}");
	for (int i = 0; i < 40; i++)
		start(&shared, CALL_READS, 0);
	run(f);
	assert_int_equal(f->s->net.exchanges, 1);
	for (size_t i = 0; i < f->started; i++) {
		assert_int_equal(f->acts[i].result, NEXT_DONE);
		assert_string_equal(f->acts[i].first[0], "one");
	}

	/* Later calls of the round share it too; a new round asks anew. */
	start(&shared, CALL_READS, 0);
	run(f);
	assert_int_equal(f->s->net.exchanges, 1);
	caller_forget_shared(f->c);
	fake_script(&f->s->net, 200, "{\"x\":\"two\"}");
	start(&shared, CALL_READS, 0);
	run(f);
	assert_string_equal(f->acts[41].first[0], "two");
	unmake(f);
}

static void an_answer_is_not_shared_with_who_signs_in_otherwise(void **state)
{
	struct fix *f = make(NULL);
	struct act shared = get, *one, *two;

	(void)state;
	shared.reqs[0].flags = REQ_SHARED;
	fake_script(&f->s->net, 200, "{\"x\":\"of the one\"}");
	fake_script(&f->s->net, 200, "{\"x\":\"of the other\"}");
	one = start(&shared, CALL_READS, 0);
	run(f);
	two = start(&shared, CALL_READS, 1);
	run(f);
	assert_string_equal(one->first[0], "of the one");
	assert_string_equal(two->first[0], "of the other");
	unmake(f);
}

static void when_a_shared_read_fails_the_others_ask_themselves(void **state)
{
	struct fix *f = make(NULL);
	struct act shared = get;

	(void)state;
	shared.reqs[0].flags = REQ_SHARED;
	fake_script(&f->s->net, 403, "{}");
	fake_script(&f->s->net, 200, "{\"x\":\"late\"}");
	for (int i = 0; i < 3; i++)
		start(&shared, CALL_READS, 0);
	run(f);
	assert_int_equal(f->s->net.exchanges, 2);
	assert_int_equal((f->acts[0].result == NEXT_FAIL) + (f->acts[1].result == NEXT_FAIL) +
				 (f->acts[2].result == NEXT_FAIL),
			 1);
	unmake(f);
}

static void a_401_ends_a_fixed_token_and_fetches_a_commands_once_more(void **state)
{
	struct fix *f = make(NULL);
	struct act *a;

	(void)state;
	fake_script(&f->s->net, 401, "{}");
	a = start(&get, CALL_READS, 0);
	run(f);
	assert_int_equal(a->err.code, E_DENIED);
	assert_int_equal(f->s->net.exchanges, 1);

	f->s->secrets.list[4] = (struct fake_secret){ "exec:login", "fresh-token", 0, 0 };
	fake_script(&f->s->net, 401, "{}");
	fake_script(&f->s->net, 200, "{}");
	a = start(&get, CALL_READS, 2);
	run(f);
	assert_int_equal(a->result, NEXT_DONE);
	assert_int_equal(f->s->secrets.list[4].resolved, 2);
	assert_int_equal(f->s->net.exchanges, 3);

	fake_script(&f->s->net, 401, "{}");
	fake_script(&f->s->net, 401, "{}");
	a = start(&get, CALL_READS, 2);
	run(f);
	assert_int_equal(a->err.code, E_DENIED);
	assert_int_equal(f->s->net.exchanges, 5);
	unmake(f);
}

static void a_401_mints_once_for_all_who_were_under_way(void **state)
{
	struct fix *f = make(NULL);
	struct act a = get;

	(void)state;
	a.reqs[0].conn = "ledger";
	fake_script(&f->s->net, 200, "{\"access_token\":\"old\",\"expires_in\":3600}");
	for (int i = 0; i < 6; i++) {
		fake_script(&f->s->net, 401, "{}");
		fake_script_last(&f->s->net)->delay_ms =
			20 + 300 * i; /* the last ones come back after the new mint */
	}
	fake_script(&f->s->net, 200, "{\"access_token\":\"new\",\"expires_in\":3600}");
	for (int i = 0; i < 6; i++)
		fake_script(&f->s->net, 200, "{}");
	for (int i = 0; i < 6; i++)
		start(&a, CALL_READS, 0);
	run(f);
	for (size_t i = 0; i < f->started; i++)
		assert_int_equal(f->acts[i].result, NEXT_DONE);
	assert_int_equal(fake_net_count(&f->s->net, "POST https://till.example/token"), 2);
	unmake(f);
}

static void a_migrating_client_is_refused_without_a_guard(void **state)
{
	struct fix *f = make(NULL);
	struct act a = get, *r;

	(void)state;
	a.reqs[0].flags = REQ_AS_MIGRATING;
	r = start(&a, CALL_READS, 0);
	run(f);
	assert_int_equal(r->result, NEXT_FAIL);
	assert_int_equal(r->err.code, E_REFUSED);
	assert_true(r->is_fenced);
	assert_int_equal(f->s->net.exchanges, 0);
	unmake(f);
}

static int befores;
static int allow_once(void *ctx, const char *client, const char *conn, int64_t from_ms,
		      struct err *err)
{
	(void)ctx;
	(void)client;
	(void)conn;
	(void)from_ms;
	return befores++ ? err_set(err, E_REFUSED, "fence") : 0;
}

static int noted(void *ctx, const char *client, int64_t from_ms, int64_t to_ms, struct err *err)
{
	(void)ctx;
	(void)client;
	(void)err;
	assert_true(from_ms < to_ms);
	return 0;
}

static void who_waits_for_a_mint_that_is_then_refused_is_told_so(void **state)
{
	const struct mint_guard guard = { NULL, allow_once, noted };
	struct fix *f = make(&guard);
	struct act a = get, *r;

	(void)state;
	befores = 0;
	a.reqs[0].flags = REQ_AS_MIGRATING;
	fake_script(
		&f->s->net, 400,
		"{\"error\":\"invalid_client\"}"); /* waits half a minute; meanwhile the fence closes */
	r = start(&a, CALL_READS, 0);
	run(f);
	assert_int_equal(r->result, NEXT_FAIL);
	assert_true(r->is_fenced);
	assert_int_equal(f->s->net.exchanges, 1);
	unmake(f);
}

static void a_call_may_pause_and_time_passes(void **state)
{
	struct fix *f = make(NULL);
	struct act a = get, *r;

	(void)state;
	a.pause_ms = 90 * WHEN_SECOND;
	fake_script(&f->s->net, 200, "{}");
	r = start(&a, CALL_READS, 0);
	run(f);
	assert_in_range(r->done_ms, 90 * WHEN_SECOND, 91 * WHEN_SECOND);
	unmake(f);
}

static void serve_for_ever(void *ctx, struct fake_net *net, const struct exchange *x,
			   struct fake_reply *ret)
{
	(void)ctx;
	(void)net;
	(void)x;
	ret->delay_ms = 1;
}

static void a_call_without_end_is_ended(void **state)
{
	struct fix *f = make(NULL);
	struct act a = get, *r;

	(void)state;
	a.for_ever = true;
	f->s->net.serve = serve_for_ever;
	r = start(&a, CALL_READS, 0);
	run(f);
	assert_int_equal(r->err.code, E_REMOTE);
	assert_in_range(f->s->net.exchanges, 10000, 10002);
	unmake(f);
}

static void a_failure_without_a_reason_is_a_bug(void **state)
{
	struct fix *f = make(NULL);
	struct act a = get, *r;

	(void)state;
	a.without_reason = true;
	r = start(&a, CALL_READS, 0);
	run(f);
	assert_int_equal(r->err.code, E_BUG);
	unmake(f);
}

static void a_stop_drops_what_reads_and_lets_finish_what_writes(void **state)
{
	struct fix *f = make(NULL);
	struct act two = { .reqs = { post.reqs[0], post.reqs[0] }, .count = 2 };
	struct act *r, *w;

	(void)state;
	for (int i = 0; i < 3; i++) {
		fake_script(&f->s->net, 200, "{}");
		fake_script_last(&f->s->net)->delay_ms = 5000;
	}
	r = start(&get, CALL_READS, 0);
	w = start(&two, CALL_WRITES, 0);
	caller_pump(f->c, 10);
	assert_int_equal(f->s->net.flight_count, 2);
	caller_stop(f->c);
	assert_true(r->done);
	assert_int_equal(r->err.code, E_SIGNAL);
	assert_false(w->done);
	run(f);
	assert_int_equal(w->result, NEXT_DONE);
	assert_true(w->stopping); /* it was told */
	assert_int_equal(f->s->net.exchanges, 3);
	unmake(f);
}

static void what_is_under_way_is_cancelled_at_the_end(void **state)
{
	struct fix *f = make(NULL);

	(void)state;
	fake_script(&f->s->net, 200, "{}");
	start(&get, CALL_READS, 0);
	start(&get, CALL_READS, 1);
	f->s->net.serve = serve_for_ever;
	caller_pump(f->c, 0);
	unmake(f);
	assert_int_equal(f->finished, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_handed_to_the_call_and_the_request_is_noted),
		cmocka_unit_test(a_request_without_authentication_carries_none),
		cmocka_unit_test(a_reading_call_that_tries_to_write_is_a_bug_and_not_sent),
		cmocka_unit_test(a_read_waits_as_long_as_it_is_asked_to),
		cmocka_unit_test(a_read_is_given_up_after_four_tries),
		cmocka_unit_test(a_write_is_never_sent_again_once_it_may_have_acted),
		cmocka_unit_test(a_write_is_sent_again_when_it_cannot_have_acted),
		cmocka_unit_test(refusals_are_denied_and_other_answers_are_the_providers),
		cmocka_unit_test(a_missing_connection_is_denied_and_nothing_is_sent),
		cmocka_unit_test(a_link_to_another_origin_is_refused_before_sending),
		cmocka_unit_test(secret_references_are_opened_only_in_what_is_exchanged),
		cmocka_unit_test(a_shared_read_is_sent_once_for_many_calls),
		cmocka_unit_test(an_answer_is_not_shared_with_who_signs_in_otherwise),
		cmocka_unit_test(when_a_shared_read_fails_the_others_ask_themselves),
		cmocka_unit_test(a_401_ends_a_fixed_token_and_fetches_a_commands_once_more),
		cmocka_unit_test(a_401_mints_once_for_all_who_were_under_way),
		cmocka_unit_test(a_migrating_client_is_refused_without_a_guard),
		cmocka_unit_test(who_waits_for_a_mint_that_is_then_refused_is_told_so),
		cmocka_unit_test(a_call_may_pause_and_time_passes),
		cmocka_unit_test(a_call_without_end_is_ended),
		cmocka_unit_test(a_failure_without_a_reason_is_a_bug),
		cmocka_unit_test(a_stop_drops_what_reads_and_lets_finish_what_writes),
		cmocka_unit_test(what_is_under_way_is_cancelled_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
