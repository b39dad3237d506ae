/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/secret.h"
#include "core/io/json.h"

#define NEXTS_MAX 5000000 /* a loop that never ends is a failed test */

struct fake_flight {
	struct exchange *x;
	int64_t due_ms;
	struct fake_reply reply;
};

/* --- the clock --- */

static int64_t wall(void *ctx)
{
	struct fake_clock *c = ctx;

	return FAKE_START + c->mono_ms + c->wall_moved_ms;
}

static int64_t mono(void *ctx)
{
	struct fake_clock *c = ctx;

	return c->mono_ms + 1000;
}

static void numbers(void *ctx, void *buf, size_t len)
{
	struct fake_clock *c = ctx;
	unsigned char *out = buf;

	for (size_t i = 0; i < len; i++) {
		c->random =
			c->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		out[i] = (unsigned char)(c->random >> 56);
	}
}

static const char *no_variable(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return NULL;
}

static int signalled(void *ctx)
{
	struct fake_clock *c = ctx;

	return c->signals + (c->signal_at_ms && c->mono_ms >= c->signal_at_ms);
}

struct sys fake_clock_sys(struct fake_clock *c)
{
	return (struct sys){ c, wall, mono, numbers, no_variable, signalled };
}

int64_t fake_server_now(const struct fake_clock *c)
{
	return FAKE_START + c->mono_ms + c->server_moved_ms;
}

/* --- the transport --- */

void fake_net_init(struct fake_net *n, struct fake_clock *clock, fake_serve *serve, void *ctx)
{
	*n = (struct fake_net){
		.clock = clock, .serve = serve, .ctx = ctx, .log = SB_INIT((size_t)64 << 20)
	};
}

void fake_net_done(struct fake_net *n)
{
	for (size_t i = 0; i < n->secret_count; i++)
		secret_free(n->secrets[i]);
	mem_free(n->secrets);
	mem_free(n->flights);
	sb_done(&n->log);
}

static void note(struct fake_net *n, const struct exchange *x)
{
	sb_addf(&n->log, "%s %s ", x->method, x->url);
	if (x->body)
		json_write(&n->log, x->body, JSON_CANONICAL, NULL);
	sb_addc(&n->log, '\n');
}

static enum fake_fault fault_of(struct fake_net *n, const struct exchange *x)
{
	return n->faults ? n->faults(n->ctx, n->exchanges, x) : FAULT_NONE;
}

static void start(void *ctx, struct exchange *x)
{
	struct fake_net *n = ctx;
	struct fake_reply r = { SENT_OK, 0, NULL, NULL, 0, 0 };
	enum fake_fault fault;

	n->exchanges++;
	note(n, x);
	fault = fault_of(n, x);
	if (fault == FAULT_NONE || fault == FAULT_LOST_AFTER || fault == FAULT_500_AFTER)
		n->serve(n->ctx, n, x, &r);
	if (fault == FAULT_NEVER)
		r.result = SENT_NEVER;
	else if (fault == FAULT_LOST_BEFORE || fault == FAULT_LOST_AFTER)
		r.result = SENT_UNKNOWN;
	else if (fault == FAULT_429 || fault == FAULT_503)
		r.status = fault == FAULT_429 ? 429 : 503;
	else if (fault == FAULT_500_AFTER)
		r.status = 500;
	if (!r.date_ms)
		r.date_ms = fake_server_now(n->clock) / 1000 * 1000;
	n->flights = mem_grow(n->flights, n->flight_count, &n->flight_cap, sizeof(*n->flights));
	n->flights[n->flight_count++] =
		(struct fake_flight){ x, n->clock->mono_ms + (r.delay_ms ? r.delay_ms : 20), r };
}

/* The first of those that are due first. */
static size_t earliest(const struct fake_net *n)
{
	size_t best = 0;

	for (size_t i = 1; i < n->flight_count; i++)
		if (n->flights[i].due_ms < n->flights[best].due_ms)
			best = i;
	return best;
}

static void take_out(struct fake_net *n, size_t i)
{
	memmove(&n->flights[i], &n->flights[i + 1],
		(n->flight_count - i - 1) * sizeof(*n->flights));
	n->flight_count--;
}

/* A member that must not be seen becomes a secret, as the real transport has it. */
static const struct value *hide(struct fake_net *n, const struct exchange *x,
				const struct value *body)
{
	const char *text = x->secret_field ? value_text(value_get(body, x->secret_field)) : NULL;
	struct value *out;

	if (!text)
		return body;
	n->secrets = mem_grow(n->secrets, n->secret_count, &n->secret_cap, sizeof(struct secret *));
	n->secrets[n->secret_count] = secret_new(text, strlen(text));
	out = value_copy(x->arena, body);
	value_set(x->arena, out, x->secret_field,
		  value_secret(x->arena, n->secrets[n->secret_count++]));
	return out;
}

static void fill(struct fake_net *n, struct exchange *x, const struct fake_reply *r)
{
	static const struct http_header none[] = { { NULL, NULL } };

	x->result = r->result;
	if (r->result != SENT_OK) {
		err_set(&x->err, E_TRANSPORT, "%s: connection lost", x->system);
		return;
	}
	x->resp = (struct http_resp){
		.status = r->status ? r->status : 200,
		.date_ms = r->date_ms < 0 ? 0 : r->date_ms,
		.done_wall_ms = wall(n->clock),
		.body = hide(n, x, r->body),
		.retry_after = r->retry_after,
		.headers = none,
	};
}

static struct exchange *next(void *ctx, int64_t timeout_ms)
{
	struct fake_net *n = ctx;
	struct fake_flight f;
	size_t i;

	assert_true(timeout_ms >= 0);
	if (++n->nexts > NEXTS_MAX)
		fail_msg("the engine waits for ever");
	if (n->on_next)
		n->on_next(n->ctx);
	i = n->flight_count ? earliest(n) : 0;
	if (!n->flight_count || n->flights[i].due_ms > n->clock->mono_ms + timeout_ms) {
		n->clock->mono_ms += timeout_ms;
		return NULL;
	}
	f = n->flights[i];
	take_out(n, i);
	n->clock->mono_ms = MAX_OF(n->clock->mono_ms, f.due_ms);
	fill(n, f.x, &f.reply);
	return f.x;
}

static void cancel(void *ctx, struct exchange *x)
{
	struct fake_net *n = ctx;

	for (size_t i = 0; i < n->flight_count; i++)
		if (n->flights[i].x == x) {
			take_out(n, i);
			return;
		}
	fail_msg("cancelled what was not under way: %s", x->url);
}

struct transport fake_net_transport(struct fake_net *n)
{
	return (struct transport){ n, start, next, cancel };
}

size_t fake_net_count(const struct fake_net *n, const char *part)
{
	size_t count = 0;

	for (const char *at = n->log.buf, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		const char *hit = strstr(at, part);

		count += hit && hit < end;
	}
	return count;
}

/* --- a script --- */

const struct value *fake_json(struct arena *a, const char *text)
{
	struct value *v = NULL;
	struct err err = ERR_INIT;

	if (!text)
		return NULL;
	assert_int_equal(json_parse(a, text, strlen(text), NULL, NULL, NULL, &v, &err), 0);
	return v;
}

void fake_serve_script(void *ctx, struct fake_net *net, const struct exchange *x,
		       struct fake_reply *ret)
{
	(void)ctx;
	if (net->script_at >= net->script_len)
		fail_msg("not in the script: %s %s", x->method, x->url);
	*ret = net->script[net->script_at];
	ret->body = fake_json(x->arena, net->script_json[net->script_at]);
	net->script_at++;
}

void fake_script(struct fake_net *n, int status, const char *json)
{
	assert_true(n->script_len < ARRAY_LEN(n->script));
	n->script[n->script_len] = (struct fake_reply){ .status = status };
	n->script_json[n->script_len++] = json;
}

struct fake_reply *fake_script_last(struct fake_net *n)
{
	return &n->script[n->script_len - 1];
}

/* --- secrets --- */

static struct fake_secret *find(struct fake_secrets *s, const char *ref)
{
	for (size_t i = 0; i < ARRAY_LEN(s->list) && s->list[i].ref; i++)
		if (strcmp(s->list[i].ref, ref) == 0)
			return &s->list[i];
	return NULL;
}

static int resolve(void *ctx, const char *ref, struct secret **ret, struct err *err)
{
	struct fake_secret *s = find(ctx, ref);

	if (s)
		s->resolved++;
	if (!s || !s->text[0])
		return err_set(err, E_IO, "'%s' does not resolve", ref);
	*ret = secret_new(s->text, strlen(s->text));
	return 0;
}

static int can_put(void *ctx, const char *ref, struct err *err)
{
	return find(ctx, ref) ? 0 : err_set(err, E_IO, "'%s' cannot be written", ref);
}

static int put(void *ctx, const char *ref, const struct secret *secret, struct err *err)
{
	struct fake_secret *s = find(ctx, ref);

	(void)secret;
	if (!s)
		return err_set(err, E_IO, "'%s' cannot be written", ref);
	s->put++;
	return 0;
}

struct secret_source fake_secret_source(struct fake_secrets *s)
{
	return (struct secret_source){ s, resolve, can_put, put, NULL };
}

bool fake_secret_is(const struct secret *s, const char *text)
{
	struct secret *want = secret_new(text, strlen(text));
	bool same = s && secret_equal(s, want);

	secret_free(want);
	return same;
}
