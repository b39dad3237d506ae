/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.c - a transport that answers from a wire file. No sockets, and no sleep: whoever waits moves the clock.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "core/base/mem.h"
#include "core/base/redact.h"
#include "core/base/secret_open.h"
#include "core/base/when.h"
#include "core/io/json.h"
#include "tests/golden/wire_file.h"

#define CALLS_MAX 200000 /* of transport functions in one run */
#define QUOTE_MAX 200
#define ROUND_GAP                                                                                  \
	(1 * WHEN_SECOND) /* requests nearer than this to each other belong together in the log */

struct sent {          /* one request, for the log */
	int64_t at_ms; /* mono */
	const char *text;
};
struct flight { /* an exchange under way */
	struct exchange *x;
	const struct answer *answer; /* NULL: nobody foresaw it */
	int64_t due_ms;              /* mono */
	int64_t since_ms;
	struct flight *next;
};
struct wire {
	struct outside *o;
	struct transport ops;
	struct wire_file file;
	struct flight *flights;
	struct arena log_arena;
	struct sent *log;
	size_t log_count, log_cap, calls;
	struct secret **secrets;
	size_t secret_count, secret_cap;
};

/* -- which answer -- */

/* When a stretch began; -1: not yet. */
static int64_t begun(const struct wire *w, const struct stretch *s)
{
	struct err err = ERR_INIT;
	int64_t at = 0;

	if (!s->since)
		return 0;
	if (isdigit((unsigned char)s->since[0])) {
		if (when_parse(s->since, &at, NULL, &err) < 0)
			problem(w->o, "since: %s", err.msg);
	} else {
		const struct key *k = wire_file_key(&w->file, s->since);

		at = k ? k->sent_ms : 0;
	}
	return at && at + s->plus_ms <= w->o->wall_ms ? at + s->plus_ms : -1;
}

/* The stretch of the newest event. */
static struct stretch *current(const struct wire *w, struct key *k, int64_t *ret_since)
{
	struct stretch *best = NULL;
	int64_t best_at = -1;

	for (size_t i = 0; i < k->count; i++) {
		int64_t at = begun(w, &k->stretches[i]);

		if (at >= 0 && at >= best_at) {
			best = &k->stretches[i];
			best_at = at;
		}
	}
	*ret_since = best ? best_at - best->plus_ms : 0;
	return best;
}

static struct answer *next_answer(struct stretch *s)
{
	for (size_t i = 0; s && i < s->count; i++) {
		struct answer *a = &s->answers[i];

		if (a->times < 0 || a->used < a->times)
			return a;
	}
	return NULL;
}

/* -- is the request as it should be -- */

static void body_text(const struct exchange *x, struct sb *out)
{
	if (x->body && x->body_kind != BODY_NONE)
		json_write(out, x->body, JSON_CANONICAL, NULL);
}

static void canonical(struct wire *w, const char *json, int64_t since_ms, struct sb *out)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);
	struct arena a = ARENA_INIT;
	struct value *v = NULL;
	struct err err = ERR_INIT;

	wire_expand(w->o, json, w->o->wall_ms, since_ms, &text);
	if (text.len == 0)
		return;
	if (json_parse(&a, text.buf, text.len, NULL, NULL, NULL, &v, &err) < 0)
		problem(w->o, "expect: %s: %s", err.msg, text.buf);
	else
		json_write(out, v, JSON_CANONICAL, NULL);
	arena_done(&a);
}

static bool bearer_fits(const struct secret *s, const char *wanted)
{
	size_t len = 0;
	char *end;
	const char *text = s ? secret_open(s, &len) : "";

	if (strcmp(wanted, "none") == 0)
		return !s;
	if (!s)
		return false;
	if (strtol(wanted, &end, 10) == (long)len && *end == '\0')
		return true;
	return strcmp(text, wanted) == 0;
}

static const char *sent_header(const struct exchange *x, const char *name)
{
	for (const struct http_header *h = x->headers; h && h->name; h++)
		if (strcasecmp(h->name, name) == 0)
			return h->value;
	return NULL;
}

static void check(struct wire *w, const struct exchange *x, const struct asks *asks,
		  int64_t since_ms)
{
	CLEANUP(sb_done) struct sb is = SB_INIT(GOLDEN_TEXT_MAX);
	CLEANUP(sb_done) struct sb should = SB_INIT(GOLDEN_TEXT_MAX);

	for (const struct http_header *h = asks->headers; h->name; h++) {
		const char *got = sent_header(x, h->name);

		if (!got || strcmp(got, h->value) != 0)
			problem(w->o, "%s %s: header %s is '%s', not '%s'", x->method, x->url,
				h->name, got ? got : "(not there)", h->value);
	}
	if (asks->bearer && !bearer_fits(x->bearer, asks->bearer))
		problem(w->o, "%s %s: the bearer token is %s, not '%s'", x->method, x->url,
			x->bearer ? secret_label(x->bearer) : "(none)", asks->bearer);
	if (!asks->expect)
		return;
	body_text(x, &is);
	canonical(w, asks->expect, since_ms, &should);
	if (strcmp(is.buf, should.buf) != 0)
		problem(w->o, "%s %s: body\n  is     %s\n  should %s", x->method, x->url, is.buf,
			should.buf);
}

/* -- sending -- */

static void note(struct wire *w, const struct exchange *x)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);

	sb_addf(&text, "%s %s", x->method, x->url);
	if (x->body && x->body_kind != BODY_NONE) {
		sb_add(&text, x->body_kind == BODY_FORM ? " form " : " ");
		body_text(x, &text);
	}
	w->log = mem_grow(w->log, w->log_count, &w->log_cap, sizeof(*w->log));
	w->log[w->log_count++] =
		(struct sent){ w->o->mono_ms, arena_strdup(&w->log_arena, text.buf) };
}

static void count_call(struct wire *w)
{
	if (++w->calls > CALLS_MAX)
		give_up(w->o, "one run made more than %d calls of the transport", CALLS_MAX);
}

static void start(void *ctx, struct exchange *x)
{
	struct wire *w = ctx;
	struct flight *f = mem_alloc(sizeof(*f));
	struct flight **at = &w->flights;
	CLEANUP(sb_done) struct sb body = SB_INIT(GOLDEN_TEXT_MAX);
	struct answer *a = NULL;
	struct key *k;

	count_call(w);
	note(w, x);
	if (w->o->signal_at &&
	    strcmp(w->o->signal_at, arena_printf(&w->log_arena, "%s %s", x->method, x->url)) == 0) {
		w->o->signals++;
		w->o->signal_at = NULL;
	}
	body_text(x, &body);
	k = wire_file_match(&w->file, arena_printf(&w->log_arena, "%s %s", x->method, x->url),
			    body.buf);
	if (k)
		a = next_answer(current(w, k, &f->since_ms));
	if (!k)
		problem(w->o, "nobody foresaw: %s", w->log[w->log_count - 1].text);
	else if (!a)
		problem(w->o, "%s:%u: asked once too often: %s", k->file, k->line,
			w->log[w->log_count - 1].text);
	f->x = x;
	f->due_ms = w->o->mono_ms;
	if (a) {
		a->used++;
		check(w, x, &k->asks, f->since_ms);
		check(w, x, &a->asks, f->since_ms);
		f->answer = a;
		f->due_ms += a->kind == ANSWER_TIMEOUT ? x->timeout_ms : a->delay_ms;
		if (a->kind != ANSWER_NEVER && a->kind != ANSWER_VANISHED)
			k->sent_ms = w->o->wall_ms;
	}
	/* Those that are due at the same time come back in the order in which they were sent. */
	while (*at && (*at)->due_ms <= f->due_ms)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
}

static void cancel(void *ctx, struct exchange *x)
{
	struct wire *w = ctx;

	count_call(w);
	for (struct flight **at = &w->flights; *at; at = &(*at)->next)
		if ((*at)->x == x) {
			struct flight *f = *at;

			*at = f->next;
			mem_free(f);
			return;
		}
	problem(w->o, "cancelled, but not under way: %s %s", x->method, x->url);
}

/* -- answering -- */

static void no_answer(struct exchange *x, enum transport_result result, const char *why)
{
	x->result = result;
	x->err = (struct err)ERR_INIT;
	err_set(&x->err, E_TRANSPORT, "%s: %s %.160s: %s", x->system, x->method, x->url, why);
}

static bool looks_like_json(const char *content_type, const char *text)
{
	return (content_type && strcasestr(content_type, "json")) || text[0] == '{' ||
	       text[0] == '[';
}

static const char *quote(const struct exchange *x, const char *text)
{
	CLEANUP(sb_done) struct sb raw = SB_INIT(GOLDEN_TEXT_MAX);
	CLEANUP(sb_done) struct sb visible = SB_INIT((size_t)5 * QUOTE_MAX);
	bool is_long;

	if (x->secret_field && (x->resp.status / 100 == 2 || strstr(text, x->secret_field)))
		return "(not shown: it may hold a secret)";
	sb_add(&raw, text);
	redact_text(&raw);
	is_long = raw.len > QUOTE_MAX;
	sb_shrink(&raw, MIN_OF(raw.len, (size_t)QUOTE_MAX));
	sb_add_visible(&visible, raw.buf);
	sb_add(&visible, is_long ? "..." : "");
	return arena_strdup(x->arena, visible.buf);
}

static void add_header(struct exchange *x, struct http_header *list, const char *name,
		       const char *value)
{
	size_t n = 0;
	char *lower = arena_strdup(x->arena, name);

	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	while (list[n].name && strcmp(list[n].name, lower) != 0)
		n++;
	list[n].name = lower;
	list[n].value = arena_strdup(x->arena, value);
}

static const char *first_of(const struct http_resp *r, const char *const *names)
{
	const char *found = NULL;

	for (; *names && !found; names++)
		found = http_resp_header(r, *names);
	return found;
}

static void fill_headers(struct wire *w, const struct flight *f)
{
	static const char *const ids[] = { "x-request-id", "x-debug-id", "x-ms-service-request-id",
					   "x-correlation-id", NULL };
	const struct answer *a = f->answer;
	struct exchange *x = f->x;
	struct http_header *list = arena_array(x->arena, HTTP_HEADERS_MAX + 4, sizeof(*list));
	CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);

	if (!a->has_no_date) {
		x->resp.date_ms = (w->o->wall_ms + a->skew_ms) / WHEN_SECOND * WHEN_SECOND;
		when_add_http_date(&text, x->resp.date_ms);
		add_header(x, list, "date", text.buf);
	}
	if (a->body)
		add_header(x, list, "content-type",
			   a->content_type ? a->content_type : "application/json");
	for (const struct http_header *h = a->headers; h->name; h++) {
		sb_reset(&text);
		wire_expand(w->o, h->value, w->o->wall_ms, f->since_ms, &text);
		add_header(x, list, h->name, text.buf);
	}
	x->resp.headers = list;
	x->resp.content_type = http_resp_header(&x->resp, "content-type");
	x->resp.retry_after = http_resp_header(&x->resp, "retry-after");
	x->resp.request_id = first_of(&x->resp, ids);
}

static void fill_body(struct wire *w, const struct flight *f)
{
	struct exchange *x = f->x;
	struct secret *secret = NULL;
	struct value *body = NULL;
	struct err err = ERR_INIT;
	CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);

	if (!f->answer->body)
		return;
	wire_expand(w->o, f->answer->body, w->o->wall_ms, f->since_ms, &text);
	if (!looks_like_json(x->resp.content_type, text.buf)) {
		x->resp.text = quote(x, text.buf);
		return;
	}
	if (json_parse(x->arena, text.buf, text.len, NULL, x->secret_field, &secret, &body, &err) <
	    0) {
		if (!f->answer->content_type)
			problem(w->o, "%s: line %u: %s", w->file.path, f->answer->line, err.msg);
		x->resp.text = quote(x, text.buf);
		return;
	}
	x->resp.body = body;
	if (secret) {
		w->secrets = mem_grow(w->secrets, w->secret_count, &w->secret_cap,
				      sizeof(struct secret *));
		w->secrets[w->secret_count++] = secret;
	}
}

static void fill(struct wire *w, const struct flight *f)
{
	struct exchange *x = f->x;

	x->resp = (struct http_resp){ 0 };
	x->err = (struct err)ERR_INIT;
	if (!f->answer) {
		no_answer(x, SENT_NEVER, "the wire file has no answer to this");
		return;
	}
	switch (f->answer->kind) {
	case ANSWER_NEVER:
		no_answer(x, SENT_NEVER, "could not connect (Connection refused)");
		return;
	case ANSWER_LOST:
	case ANSWER_VANISHED:
		no_answer(x, SENT_UNKNOWN, "the connection was lost before an answer came");
		return;
	case ANSWER_TIMEOUT:
		no_answer(x, SENT_UNKNOWN, "timed out");
		return;
	case ANSWER_STATUS:
		x->result = SENT_OK;
		x->resp.status = f->answer->status;
		x->resp.done_wall_ms = w->o->wall_ms;
		fill_headers(w, f);
		fill_body(w, f);
		return;
	}
}

static struct exchange *next(void *ctx, int64_t timeout_ms)
{
	struct wire *w = ctx;
	struct flight *f = w->flights;
	struct exchange *x;
	int64_t wait = f ? MAX_OF(f->due_ms - w->o->mono_ms, (int64_t)0) : INT64_MAX;

	count_call(w);
	timeout_ms = MAX_OF(timeout_ms, (int64_t)0);
	if (wait > timeout_ms) {
		outside_pass(w->o, timeout_ms);
		return NULL;
	}
	outside_pass(w->o, wait);
	w->flights = f->next;
	fill(w, f);
	w->o->exchanges++;
	x = f->x;
	mem_free(f);
	return x;
}

/* -- a run -- */

const struct transport *wire_transport(struct wire *w)
{
	return &w->ops;
}

static void drop_secrets(struct wire *w)
{
	for (size_t i = 0; i < w->secret_count; i++)
		secret_free(w->secrets[i]);
	w->secret_count = 0;
}

void wire_begin(struct wire *w)
{
	while (w->flights) {
		problem(w->o, "still under way when the run ended: %s %s", w->flights->x->method,
			w->flights->x->url);
		cancel(w, w->flights->x);
	}
	drop_secrets(w);
	arena_done(&w->log_arena);
	w->log_count = 0;
	w->calls = 0;
}

size_t wire_count(const struct wire *w)
{
	return w->log_count;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct sent *)a)->text, ((const struct sent *)b)->text);
}

/* One round: requests that follow each other closely. Returns the index after it. */
static size_t round_text(const struct wire *w, size_t from, struct sb *out)
{
	size_t i = from;

	while (i < w->log_count && (i == from || w->log[i].at_ms - w->log[i - 1].at_ms < ROUND_GAP))
		sb_addf(out, "%s\n", w->log[i++].text);
	return i;
}

static void sort_instants(struct wire *w)
{
	for (size_t i = 0, end; i < w->log_count; i = end) {
		end = i;
		while (end < w->log_count && w->log[end].at_ms == w->log[i].at_ms)
			end++;
		qsort(&w->log[i], end - i, sizeof(*w->log), by_text);
	}
}

static void gap_text(struct sb *out, int64_t gap)
{
	char span[WHEN_TEXT_MAX];

	if (gap >= ROUND_GAP)
		sb_addf(out, "... %s later\n",
			when_span_text(span, (gap + WHEN_SECOND / 2) / WHEN_SECOND * WHEN_SECOND));
}

/* Rounds that come again and again at the same distance are told once. */
void wire_requests(struct wire *w, struct sb *out)
{
	CLEANUP(sb_done) struct sb last = SB_INIT(GOLDEN_TEXT_MAX);
	CLEANUP(sb_done) struct sb now = SB_INIT(GOLDEN_TEXT_MAX);
	size_t again = 0;

	sort_instants(w);
	for (size_t i = 0, end; i < w->log_count; i = end) {
		sb_reset(&now);
		if (i)
			gap_text(&now, w->log[i].at_ms - w->log[i - 1].at_ms);
		end = round_text(w, i, &now);
		if (strcmp(now.buf, last.buf) == 0) {
			again++;
			continue;
		}
		if (again)
			sb_addf(out, "... and so %zu more times\n", again);
		again = 0;
		sb_add(out, now.buf);
		sb_reset(&last);
		sb_add(&last, now.buf);
	}
	if (again)
		sb_addf(out, "... and so %zu more times\n", again);
}

void wire_leftovers(struct wire *w)
{
	for (size_t i = 0; i < w->file.count; i++) {
		const struct key *k = w->file.keys[i];

		for (size_t s = 0; s < k->count && !k->is_replaced; s++)
			for (size_t n = 0; n < k->stretches[s].count; n++) {
				const struct answer *a = &k->stretches[s].answers[n];
				int want = a->times == TIMES_ANY ? 1 : a->times;

				if (a->times != TIMES_MAYBE && a->used < want)
					problem(w->o, "%s:%u: asked for %d of %d times: %s",
						k->file, a->line, a->used, want, k->name);
			}
	}
}

void wire_each_secret(struct wire *w, void (*fn)(void *arg, const char *name, const char *text),
		      void *arg)
{
	for (size_t i = 0; i < w->secret_count; i++)
		fn(arg, "a secret in an answer", secret_open(w->secrets[i], NULL));
}

struct wire *wire_open(struct outside *o, const char *path)
{
	struct wire *w = mem_alloc(sizeof(*w));

	w->o = o;
	w->ops = (struct transport){ .ctx = w, .start = start, .next = next, .cancel = cancel };
	if (path)
		wire_file_read(&w->file, o, path);
	return w;
}

void wire_close(struct wire *w)
{
	if (!w)
		return;
	wire_begin(w);
	drop_secrets(w);
	arena_done(&w->file.arena);
	mem_free(w->secrets);
	mem_free(w->log);
	mem_free(w);
}
