/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sim/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/secret.h"
#include "core/base/when.h"
#include "core/sim/http_text.h"

#define BYTES_MAX ((size_t)32 << 20)
#define TIMEOUT (65 * WHEN_SECOND)
#define STALE_FOR (30 * WHEN_SECOND) /* how far a system's replicas lie behind each other */
#define LATENCY_LEAST 20
#define LATENCY_MOST 400
#define STREAM_LATENCY 2

struct flight {
	struct exchange *x;
	enum trouble trouble;
	uint64_t number;
	bool has_acted; /* the other side has seen it, or never will */
	int64_t acts_ms, due_ms;
	struct sb bytes; /* of the request, then of the answer */
	struct secret *secret;
};

struct earlier { /* the last answer to a GET */
	const char *url;
	struct sb bytes;
	int64_t at_ms;
};

struct sim_wire {
	struct transport ops;
	struct sim_wire_options o;
	struct sim_random random;
	struct flight **under_way;
	size_t count, cap;
	struct flight **spare;
	size_t spare_count, spare_cap;
	struct secret **secrets; /* of answers: values borrow them until the process ends */
	size_t secret_count, secret_cap;
	struct earlier *earlier;
	size_t earlier_count, earlier_cap;
	struct arena urls;
	uint64_t exchanges;
	int64_t scene_next; /* nothing happens in the scene before */
	int signals;        /* told so far */
};

/* ---- time ---- */

void sim_wire_catch_up(struct sim_wire *w)
{
	const struct scene *s = w->o.scene;

	s->advance(s->ctx, w->o.clock->now_ms);
	w->scene_next = s->next_event(s->ctx);
}

static void move_to(struct sim_wire *w, int64_t ms)
{
	if (ms <= w->o.clock->now_ms)
		return;
	w->o.clock->now_ms = ms;
	if (w->scene_next <= ms)
		sim_wire_catch_up(w);
}

/* ---- starting ---- */

static struct flight *flight_new(struct sim_wire *w, struct exchange *x)
{
	struct flight *f = w->spare_count ? w->spare[--w->spare_count] : NULL;

	if (!f) {
		f = mem_alloc(sizeof(*f));
		f->bytes = (struct sb)SB_INIT(BYTES_MAX);
	}
	sb_reset(&f->bytes);
	f->x = x;
	f->secret = NULL;
	f->number = w->exchanges;
	f->has_acted = false;
	w->under_way = mem_grow(w->under_way, w->count, &w->cap, sizeof(*w->under_way));
	w->under_way[w->count++] = f;
	return f;
}

static void flight_end(struct sim_wire *w, size_t i)
{
	struct flight *f = w->under_way[i];

	/* In the order in which they were sent: what is due at the same instant comes back so. */
	memmove(&w->under_way[i], &w->under_way[i + 1], (w->count - i - 1) * sizeof(*w->under_way));
	w->count--;
	w->spare = mem_grow(w->spare, w->spare_count, &w->spare_cap, sizeof(*w->spare));
	w->spare[w->spare_count++] = f;
}

static bool is_read(const struct exchange *x)
{
	return strcmp(x->method, "GET") == 0;
}

/* A clock that somebody set: back a year, or a little before or after what it should be. */
static void set_clock(struct sim_wire *w)
{
	static const int64_t offsets[] = {
		-365 * WHEN_DAY, 365 * WHEN_DAY, -2 * WHEN_HOUR, 2 * WHEN_HOUR, -90000, 90000, 0
	};

	w->o.clock->wall_offset_ms =
		offsets[sim_random_between(&w->random, 0, (int64_t)ARRAY_LEN(offsets) - 1)];
}

static void plan_flight(struct sim_wire *w, struct flight *f)
{
	const struct trouble_kind *k = &trouble_kinds[f->trouble];
	int64_t now = w->o.clock->now_ms,
		timeout = f->x->timeout_ms > 0 ? f->x->timeout_ms : TIMEOUT;
	int64_t latency = sim_random_between(&w->random, LATENCY_LEAST, LATENCY_MOST);

	if (f->trouble == TROUBLE_SLOW)
		latency = MAX_OF(timeout - 1, (int64_t)2);
	f->acts_ms = now + sim_random_between(&w->random, 1, latency - 1);
	f->due_ms = now + latency;
	if (latency >= timeout && k->reply != REPLY_NONE) {
		f->trouble = TROUBLE_TIMEOUT_ACTED;
		k = &trouble_kinds[f->trouble];
	}
	if (k->reply == REPLY_TIMEOUT)
		f->due_ms = now + timeout;
	f->has_acted = !k->acts &&
		       k->reply != REPLY_INSTEAD; /* else its bytes are read, and an answer made */
	f->acts_ms = MIN_OF(f->acts_ms, f->due_ms);
}

static void write_request(struct sim_wire *w, struct flight *f)
{
	const struct scene *s = w->o.scene;
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	char channel[80];

	if (!s->route(s->ctx, f->x->url, &a)) {
		http_text_fail(f->x, SENT_NEVER, "could not resolve host");
		f->trouble = TROUBLE_NEVER_SENT;
		f->has_acted = true;
		return;
	}
	if (w->o.values)
		return;
	if (http_text_request(&f->bytes, f->x, &err) < 0) {
		http_text_fail(f->x, SENT_NEVER, err.msg);
		f->trouble = TROUBLE_NEVER_SENT;
		f->has_acted = true;
		return;
	}
	if (f->trouble == TROUBLE_NEVER_SENT)
		return;
	(void)snprintf(channel, sizeof(channel), "request %s", f->x->system);
	s->saw_text(s->ctx, channel, f->bytes.buf, f->bytes.len);
}

static void wire_start(void *ctx, struct exchange *x)
{
	struct sim_wire *w = ctx;
	char what[160];
	struct flight *f;
	enum trouble trouble;

	err_clear(&x->err);
	x->result = SENT_NEVER;
	x->resp = (struct http_resp){ .sent_wall_ms = sys_wall_ms(&w->o.clock->sys) };
	if (w->o.clock->killed)
		return; /* a dead program sends nothing, and hears nothing */
	(void)snprintf(what, sizeof(what), "%s %s %.*s", x->method, x->system,
		       (int)MIN_OF(strcspn(x->url, "?"), (size_t)120), x->url);
	trouble = troubles_ask(w->o.troubles, AT_EXCHANGE, w->o.clock->now_ms, is_read(x), what);
	if (trouble == TROUBLE_KILLED_UNSENT) {
		w->o.clock->killed = true;
		return;
	}
	w->exchanges++;
	if (trouble == TROUBLE_CLOCK)
		set_clock(w);
	if (trouble == TROUBLE_SIGNAL || trouble == TROUBLE_SIGNALS)
		w->o.clock->signals += trouble == TROUBLE_SIGNAL ? 1 : 2;
	f = flight_new(w, x);
	f->trouble = trouble;
	plan_flight(w, f);
	write_request(w, f);
}

/* ---- the other side ---- */

/* The answer of a moment ago, if there was one; and this one is kept. */
static void answer_earlier(struct sim_wire *w, struct flight *f)
{
	struct earlier *e = NULL;
	int64_t now = w->o.clock->now_ms;

	for (size_t i = 0; i < w->earlier_count && !e; i++)
		if (strcmp(w->earlier[i].url, f->x->url) == 0)
			e = &w->earlier[i];
	if (!e) {
		w->earlier = mem_grow(w->earlier, w->earlier_count, &w->earlier_cap,
				      sizeof(*w->earlier));
		e = &w->earlier[w->earlier_count++];
		*e = (struct earlier){ .url = arena_strdup(&w->urls, f->x->url),
				       .bytes = SB_INIT(BYTES_MAX) };
	}
	if (f->trouble == TROUBLE_STALE && e->bytes.len && now - e->at_ms <= STALE_FOR) {
		sb_reset(&f->bytes);
		sb_addn(&f->bytes, e->bytes.buf, e->bytes.len);
		return;
	}
	sb_reset(&e->bytes);
	sb_addn(&e->bytes, f->bytes.buf, f->bytes.len);
	e->at_ms = now;
}

static struct twin_resp instead(const struct trouble_kind *k)
{
	struct twin_resp r = { .status = k->status,
			       .text = k->text,
			       .content_type = k->content_type };

	if (k->retry_after) {
		r.headers[0].name = "Retry-After";
		r.headers[0].value = k->retry_after;
	}
	return r;
}

static bool read_request(struct sim_wire *w, const struct flight *f, struct arena *a,
			 struct twin_req *ret)
{
	const struct scene *s = w->o.scene;
	const char *url =
		w->o.values ? f->x->url : http_text_address(f->bytes.buf, f->bytes.len, a);
	const char *route = url ? s->route(s->ctx, url, a) : NULL, *origin;
	struct err err = ERR_INIT;

	if (!route)
		return false;
	origin = arena_strndup(a, url, 8 + strcspn(url + 8, "/"));
	return (w->o.values ? http_value_request(f->x, route, origin, a, ret, &err) :
			      http_text_read_request(f->bytes.buf, f->bytes.len, route, origin, a,
						     ret, &err)) == 0;
}

static void encode(struct sim_wire *w, struct flight *f, const struct twin_resp *resp, int64_t date)
{
	char id[32];

	(void)snprintf(id, sizeof(id), "sim-%" PRIu64, f->number);
	if (w->o.values) {
		http_value_answer(f->x, resp, date, id, &f->secret);
		return;
	}
	sb_reset(&f->bytes);
	http_text_answer(&f->bytes, resp, date, id);
	/* Kept only while something may still go wrong. */
	if (is_read(f->x) && resp->status == 200 && !trouble_kinds[f->trouble].status &&
	    (f->trouble || !troubles_over(w->o.troubles)))
		answer_earlier(w, f);
	if (trouble_kinds[f->trouble].reply == REPLY_CUT)
		sb_shrink(&f->bytes, f->bytes.len - (f->bytes.len > 1 ? f->bytes.len / 3 : 0));
}

/* The request has come to the other side. */
static void arrive(struct sim_wire *w, struct flight *f)
{
	const struct scene *s = w->o.scene;
	const struct trouble_kind *k = &trouble_kinds[f->trouble];
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct twin_req req = { 0 };
	struct twin_resp resp = { .status = 400, .text = "this is no request" };
	bool is_request = read_request(w, f, &a, &req);
	int64_t date = 0;

	f->has_acted = true;
	sim_wire_catch_up(w);
	if (is_request && k->acts)
		s->answer(s->ctx, &req, &resp);
	date = is_request ? s->date(s->ctx, &req) : w->o.clock->now_ms;
	w->scene_next = s->next_event(s->ctx); /* what it did may have consequences */
	if (k->reply == REPLY_INSTEAD)
		resp = instead(k);
	if (k->reply != REPLY_NONE && k->reply != REPLY_TIMEOUT)
		encode(w, f, &resp, date);
	if (f->trouble == TROUBLE_KILLED_SENT)
		w->o.clock->killed = true;
}

/* ---- the answer ---- */

static void keep_secret(struct sim_wire *w, struct secret *s)
{
	if (!s)
		return;
	w->secrets = mem_grow(w->secrets, w->secret_count, &w->secret_cap, sizeof(*w->secrets));
	w->secrets[w->secret_count++] = s;
}

static void deliver(struct sim_wire *w, struct flight *f)
{
	struct exchange *x = f->x;
	char span[WHEN_TEXT_MAX], words[80];

	x->resp.done_wall_ms = sys_wall_ms(&w->o.clock->sys);
	switch (trouble_kinds[f->trouble].reply) {
	case REPLY_NONE:
		if (!x->err.code)
			http_text_fail(
				x, f->trouble == TROUBLE_NEVER_SENT ? SENT_NEVER : SENT_UNKNOWN,
				f->trouble == TROUBLE_NEVER_SENT ?
					"could not connect (Connection refused)" :
					"the connection was lost before the answer was complete");
		return;
	case REPLY_TIMEOUT:
		(void)snprintf(words, sizeof(words), "timed out after %s",
			       when_span_text(span, x->timeout_ms > 0 ? x->timeout_ms : TIMEOUT));
		http_text_fail(x, SENT_UNKNOWN, words);
		return;
	case REPLY_AS_IS:
	case REPLY_INSTEAD:
	case REPLY_EARLIER:
	case REPLY_CUT:
		break;
	}
	if (w->o.values && trouble_kinds[f->trouble].reply == REPLY_CUT)
		http_text_fail(x, SENT_UNKNOWN, "the answer was cut short");
	else if (!w->o.values)
		http_text_read_answer(x, f->bytes.buf, f->bytes.len, &f->secret);
	keep_secret(w, f->secret);
}

/* What comes first: a flight's next instant, or SIZE_MAX when none comes by then. */
static size_t first_due(const struct sim_wire *w, int64_t *at_ms)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < w->count; i++) {
		const struct flight *f = w->under_way[i];
		int64_t t = f->has_acted ? f->due_ms : f->acts_ms;

		if (t < *at_ms || (t == *at_ms && found == SIZE_MAX)) {
			*at_ms = t;
			found = i;
		}
	}
	return found;
}

static bool signal_came(struct sim_wire *w)
{
	bool came = w->o.clock->signals > w->signals;

	w->signals = w->o.clock->signals;
	return came;
}

static struct exchange *go_until(struct sim_wire *w, int64_t deadline)
{
	while (!w->o.clock->killed && !signal_came(w)) {
		int64_t at = deadline, other = w->o.due ? w->o.due(w->o.due_ctx) : INT64_MAX;
		size_t i = first_due(w, &at);

		if (other <= at) {
			move_to(w, other);
			sim_wire_catch_up(w);
			w->o.fire(w->o.due_ctx);
			w->scene_next = w->o.scene->next_event(w->o.scene->ctx);
			continue;
		}
		move_to(w, at);
		if (i == SIZE_MAX)
			return NULL;
		if (!w->under_way[i]->has_acted) {
			arrive(w, w->under_way[i]);
		} else {
			struct exchange *x = w->under_way[i]->x;

			deliver(w, w->under_way[i]);
			flight_end(w, i);
			return x;
		}
	}
	return NULL;
}

static struct exchange *wire_next(void *ctx, int64_t timeout_ms)
{
	struct sim_wire *w = ctx;

	return go_until(w, w->o.clock->now_ms + MAX_OF(timeout_ms, (int64_t)0));
}

static void wire_cancel(void *ctx, struct exchange *x)
{
	struct sim_wire *w = ctx;

	for (size_t i = 0; i < w->count; i++) {
		struct flight *f = w->under_way[i];

		if (f->x != x)
			continue;
		/* What was sent is on its way, whoever has stopped waiting for it, dead or alive. */
		if (!f->has_acted && trouble_kinds[f->trouble].acts &&
		    sim_random_one_in(&w->random, 2))
			arrive(w, f);
		secret_free(f->secret);
		flight_end(w, i);
		return;
	}
}

/* ---- life ---- */

struct sim_wire *sim_wire_new(const struct sim_wire_options *o)
{
	struct sim_wire *w = mem_alloc(sizeof(*w));

	w->o = *o;
	w->random = sim_random_stream(o->seed, STREAM_LATENCY);
	w->ops = (struct transport){ w, wire_start, wire_next, wire_cancel };
	w->scene_next = o->scene->next_event(o->scene->ctx);
	return w;
}

void sim_wire_start_process(struct sim_wire *w)
{
	while (w->count)
		flight_end(w, w->count - 1);
	for (size_t i = 0; i < w->secret_count; i++)
		secret_free(w->secrets[i]);
	w->secret_count = 0;
	w->signals = 0;
}

void sim_wire_free(struct sim_wire *w)
{
	if (!w)
		return;
	sim_wire_start_process(w);
	for (size_t i = 0; i < w->spare_count; i++) {
		sb_done(&w->spare[i]->bytes);
		mem_free(w->spare[i]);
	}
	for (size_t i = 0; i < w->earlier_count; i++)
		sb_done(&w->earlier[i].bytes);
	arena_done(&w->urls);
	mem_free(w->under_way);
	mem_free(w->spare);
	mem_free(w->secrets);
	mem_free(w->earlier);
	mem_free(w);
}

void sim_wire_sleep_until(struct sim_wire *w, int64_t ms)
{
	while (w->o.clock->now_ms < ms && !w->o.clock->killed)
		(void)go_until(w, ms);
}

const struct transport *sim_wire_transport(struct sim_wire *w)
{
	return &w->ops;
}

uint64_t sim_wire_exchanges(const struct sim_wire *w)
{
	return w->exchanges;
}
