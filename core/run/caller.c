/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/caller.h"

#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/secret.h"
#include "core/base/when.h"

#define BODY_MAX ((size_t)16 << 20)
#define CHAIN_MAX 10000 /* a call that never ends is a bug or a server's game */

/* One REQ_SHARED answer: the first who asks sends, the others wait for it. */
struct memo {
	const char *key;
	struct call_job *sender; /* NULL once answered */
	bool is_ok;
	struct http_resp resp;
};

struct caller {
	struct caller_options o;
	struct auth *auth;
	struct call_job *jobs; /* all under way */
	size_t busy, exchanges;
	struct arena memo_arena;
	struct value *memo_by_key;
	struct memo **memos;
	size_t memo_count, memo_cap;
	bool is_stopping;
	bool moved; /* something came back: jobs that wait for a token or a memo look again */
};

struct caller *caller_new(const struct caller_options *o)
{
	struct caller *c = mem_alloc(sizeof(*c));

	c->o = *o;
	c->auth = auth_new(o->sys, o->transport, o->secrets, o->clocks, o->rollout, o->guard);
	c->memo_by_key = value_map(&c->memo_arena);
	return c;
}

static void job_free(struct caller *c, struct call_job *j)
{
	if (j->prev)
		j->prev->next = j->next;
	else
		c->jobs = j->next;
	if (j->next)
		j->next->prev = j->prev;
	c->busy--;
	secret_freep(&j->bearer);
	arena_free(j->call.arena);
	mem_free(j);
}

void caller_forget(struct caller *c)
{
	while (c->jobs) {
		struct call_job *j = c->jobs;

		if (j->is_sent)
			c->o.transport->cancel(c->o.transport->ctx, &j->x);
		if (j->memo && j->memo->sender == j)
			j->memo->sender = NULL;
		job_free(c, j);
	}
}

void caller_free(struct caller *c)
{
	if (!c)
		return;
	caller_forget(c);
	auth_free(c->auth);
	mem_free(c->memos);
	arena_done(&c->memo_arena);
	mem_free(c);
}

struct auth *caller_auth(struct caller *c)
{
	return c->auth;
}

size_t caller_busy(const struct caller *c)
{
	return c->busy;
}

size_t caller_exchanges(const struct caller *c)
{
	return c->exchanges;
}

void caller_forget_shared(struct caller *c)
{
	for (size_t i = 0; i < c->memo_count; i++)
		if (c->memos[i]->sender)
			return; /* one is under way: its waiters still need it */
	c->memo_count = 0;
	arena_done(&c->memo_arena);
	c->memo_by_key = value_map(&c->memo_arena);
}

static void finish(struct call_job *j, enum next result)
{
	struct caller *c = j->caller;

	j->result = result;
	if (j->memo && j->memo->sender == j)
		j->memo->sender =
			NULL; /* never answered: is_ok stays false, waiters ask themselves */
	c->moved = true;
	j->done(j->arg, j);
	job_free(c, j);
}

static void ask_call(struct call_job *j, const struct http_resp *last);

static void wipe(void *secret)
{
	secret_free(secret);
}

/* A body node {"$secret_ref": REF} becomes the secret itself, here and nowhere earlier; it dies with the call. */
static const struct value *fill_secrets(struct call_job *j, const struct value *v, struct err *err)
{
	struct caller *c = j->caller;
	const char *ref = value_text(value_get(v, "$secret_ref"));
	struct value *out;

	if (!v || v->kind != VAL_MAP)
		return v;
	if (ref) {
		struct secret *s = NULL;

		if (c->o.secrets->resolve(c->o.secrets->ctx, ref, &s, err) < 0)
			return NULL;
		arena_at_end(j->call.arena, wipe, s);
		return value_secret(j->call.arena, s);
	}
	out = value_map(j->call.arena);
	for (size_t i = 0; i < value_count(v); i++) {
		const struct value *sub = fill_secrets(j, value_at(v, i), err);

		if (err->code)
			return NULL;
		value_set(j->call.arena, out, value_key_at(v, i), sub);
	}
	return out;
}

static void fail_job(struct call_job *j)
{
	log_debug("engine", "%s: %s: %s", j->env->name, j->thing ? j->thing->name : "?",
		  j->err.msg);
	finish(j, NEXT_FAIL);
}

static bool is_read(const struct call_job *j)
{
	return strcmp(j->req.method, "GET") == 0;
}

static void note_request(struct call_job *j)
{
	const char *url = j->x.url, *path = url;
	size_t base = strlen(j->conn.base);
	struct arena *a = j->call.arena;
	const char *where = arena_join(a, j->req.method, ' ', j->req.conn);

	if (strncmp(url, j->conn.base, base) == 0)
		path = url + base;
	value_list_add(a, j->requests, value_borrowed(a, arena_join(a, where, ' ', path)));
}

static void back(struct exchange *x);

static void send_now(struct call_job *j)
{
	struct caller *c = j->caller;
	struct http_header *h = arena_array(j->call.arena, HTTP_HEADERS_MAX + 2, sizeof(*h));
	size_t n = 0;
	bool has_key = false;

	for (; n < HTTP_HEADERS_MAX && j->req.headers[n].name; n++) {
		h[n] = j->req.headers[n];
		has_key |= j->conn.type->api_key_header &&
			   strcasecmp(h[n].name, j->conn.type->api_key_header) == 0;
	}
	if (j->conn.type->api_key_header && j->conn.api_key && !has_key &&
	    !(j->req.flags & REQ_NO_AUTH))
		h[n++] = (struct http_header){ j->conn.type->api_key_header, j->conn.api_key };

	j->x = (struct exchange){
		.method = j->req.method,
		.url = j->x.url,
		.system = j->conn.name,
		.headers = h,
		.bearer = j->bearer,
		.body_kind = j->req.body_kind,
		.body = j->x.body,
		.secret_field = j->req.secret_field,
		.ca_file = j->conn.ca_file,
		.timeout_ms = j->conn.timeout_ms,
		.body_max = BODY_MAX,
		.arena = j->call.arena,
		.owner = j,
		.deliver = back,
	};
	if (j->retry.tries == 0 && !j->reauthorized)
		note_request(j);
	j->is_sent = true;
	j->is_asked = false;
	j->wake_mono = INT64_MAX;
	c->exchanges++;
	j->chain++;
	log_debug("http", "%s %s", j->x.method, j->x.url);
	c->o.transport->start(c->o.transport->ctx, &j->x);
}

/* Gets a token and sends; stays asked while one is being minted. */
static void try_send(struct call_job *j)
{
	struct secret *bearer = NULL;

	if (j->memo) {
		if (j->memo->sender && j->memo->sender != j)
			return;
		if (j->memo->is_ok) {
			j->is_asked = false;
			ask_call(j, &j->memo->resp);
			return;
		}
		j->memo->sender = j;
	}
	if (!(j->req.flags & REQ_NO_AUTH)) {
		struct conn auth_conn = j->conn;

		if ((j->req.flags & REQ_AS_MIGRATING) &&
		    conn_migrating(j->call.arena, j->caller->o.registry, j->env, &j->conn,
				   j->req.scopes, &auth_conn, &j->err) < 0) {
			fail_job(j);
			return;
		}
		switch (auth_get(j->caller->auth, &auth_conn, &bearer, &j->session, &j->err)) {
		case AUTH_READY:
			break;
		case AUTH_MINTING:
			return;
		case AUTH_FAILED:
			j->is_fenced = j->err.code == E_REFUSED;
			fail_job(j);
			return;
		}
		if (j->req.flags & REQ_AS_MIGRATING)
			j->conn.api_key = auth_conn.api_key;
	}
	secret_freep(&j->bearer);
	j->bearer = bearer;
	send_now(j);
}

static struct memo *memo_for(struct caller *c, const struct call_job *j)
{
	const char *key = arena_printf(&c->memo_arena, "%s %s %s %s %s", j->conn.auth_kind,
				       j->conn.token_ref ? j->conn.token_ref : "-",
				       j->conn.client_id ? j->conn.client_id : "-",
				       j->conn.api_key ? j->conn.api_key : "-", j->x.url);
	const struct value *at = value_get(c->memo_by_key, key);
	struct memo *m;

	if (at)
		return c->memos[at->u.i];
	m = ARENA_NEW(&c->memo_arena, struct memo);
	m->key = key;
	c->memos = mem_grow(c->memos, c->memo_count, &c->memo_cap, sizeof(struct memo *));
	c->memos[c->memo_count] = m;
	value_set(&c->memo_arena, c->memo_by_key, key,
		  value_int(&c->memo_arena, (int64_t)c->memo_count));
	c->memo_count++;
	return m;
}

static void prepare(struct call_job *j)
{
	struct caller *c = j->caller;

	if (j->mode == CALL_READS && !is_read(j)) {
		err_set(&j->err, E_BUG, "%s: observing tried to %s; it was not sent",
			j->thing->name, j->req.method);
		err_hint(&j->err, "please report this: only GET may be used to observe");
		fail_job(j);
		return;
	}
	if (j->chain > CHAIN_MAX) {
		err_set(&j->err, E_REMOTE, "%s: no end after %d requests", j->req.conn, CHAIN_MAX);
		fail_job(j);
		return;
	}
	j->x = (struct exchange){ 0 };
	if (conn_find(j->call.arena, c->o.registry, j->env, j->req.conn, &j->conn, &j->err) < 0 ||
	    conn_url(j->call.arena, &j->conn, &j->req, &j->x.url, &j->err) < 0) {
		fail_job(j);
		return;
	}
	j->x.body = fill_secrets(j, j->req.body, &j->err);
	if (j->err.code) {
		fail_job(j);
		return;
	}
	if (j->call.put_ref && j->mode == CALL_WRITES &&
	    c->o.secrets->can_put(c->o.secrets->ctx, j->call.put_ref, &j->err) < 0) {
		err_wrap(&j->err, "the secret was not asked for, since it could not be stored");
		fail_job(j);
		return;
	}
	j->memo = (j->req.flags & REQ_SHARED) && is_read(j) ? memo_for(c, j) : NULL;
	j->retry = (struct retry){ 0 };
	j->reauthorized = false;
	j->is_asked = true;
	try_send(j);
}

static void ask_call(struct call_job *j, const struct http_resp *last)
{
	j->req = (struct http_req){ 0 };
	j->memo = NULL;
	j->wake_mono = INT64_MAX;
	switch (j->fn(&j->call, last, &j->req, &j->err)) {
	case NEXT_SEND:
		prepare(j);
		return;
	case NEXT_WAIT:
		j->wake_mono = sys_mono_ms(j->caller->o.sys) + MAX_OF(j->call.wait_ms, (int64_t)1);
		j->wakes_call = true;
		return;
	case NEXT_DONE:
		finish(j, NEXT_DONE);
		return;
	case NEXT_FAIL:
		if (!j->err.code)
			err_set(&j->err, E_BUG, "%s failed without a reason",
				j->thing ? j->thing->name : "a call");
		fail_job(j);
		return;
	}
}

static double jitter(struct caller *c)
{
	unsigned char byte = 0;

	c->o.sys->random(c->o.sys->ctx, &byte, 1);
	return byte / 255.0;
}

/* Answers that no provider wants to see, unless it says so. */
static bool is_for_us(const struct call_job *j, int status)
{
	if (j->req.flags & REQ_ANY_STATUS)
		return false;
	return status == 401 || status == 403 || status == 429 || status >= 500;
}

static void hand_over_loss(struct call_job *j)
{
	log_debug("engine", "%s: %s", j->thing->name, j->err.msg);
	err_clear(&j->err);
	ask_call(j, NULL);
}

static void deliver_answer(struct call_job *j)
{
	const struct http_resp *r = &j->x.resp;

	if (r->date_ms)
		j->call.server_ms = r->date_ms;
	if (is_for_us(j, r->status)) {
		j->may_have_acted =
			!is_read(j) &&
			r->status >= 500; /* it says that it failed, not that it did nothing */
		http_unexpected(&j->req, r, &j->err);
		fail_job(j);
		return;
	}
	if (r->status < 300 && !r->body &&
	    r->text) { /* a proxy's page, or garbage: no provider can read it */
		http_unexpected(&j->req, r, &j->err);
		if (j->survives_loss) { /* as good as no answer */
			hand_over_loss(j);
			return;
		}
		j->may_have_acted = !is_read(j);
		fail_job(j);
		return;
	}
	if (j->memo) {
		struct arena *a = &j->caller->memo_arena;

		j->memo->resp = *r;
		j->memo->resp.body = r->body ? value_copy(a, r->body) : NULL;
		j->memo->resp.text = arena_strdup(a, r->text);
		j->memo->resp.request_id = arena_strdup(a, r->request_id);
		j->memo->resp.retry_after = NULL;
		j->memo->resp.content_type = arena_strdup(a, r->content_type);
		j->memo->resp.headers = arena_alloc(a, sizeof(struct http_header));
		j->memo->is_ok = true;
		j->memo->sender = NULL;
	}
	ask_call(j, r);
}

static void back(struct exchange *x)
{
	struct call_job *j = x->owner;
	struct caller *c = j->caller;
	int64_t wait;

	j->is_sent = false;
	c->moved = true;
	if (x->result == SENT_OK) {
		clocks_note(c->o.clocks, j->conn.base, x->resp.date_ms);
		if (x->resp.status == 401 && !j->reauthorized &&
		    auth_drop(c->auth, j->session, j->bearer)) {
			j->reauthorized = true;
			j->is_asked = true;
			try_send(j);
			return;
		}
	}
	wait = retry_after(&j->retry, x, is_read(j), clocks_now(c->o.clocks),
			   x->result == SENT_OK && x->resp.status < 400 ? 0.5 : jitter(c));
	if (wait >= 0 && !c->is_stopping) {
		j->wake_mono = sys_mono_ms(c->o.sys) + wait;
		j->wakes_call = false;
		return;
	}
	if (x->result == SENT_OK) {
		deliver_answer(j);
		return;
	}
	j->err = x->err;
	if (!j->err.code)
		err_set(&j->err, E_TRANSPORT, "%s: %s %s: no answer", j->conn.name, x->method,
			x->url);
	if (j->survives_loss) {
		hand_over_loss(j);
		return;
	}
	j->may_have_acted = x->result == SENT_UNKNOWN && !is_read(j);
	fail_job(j);
}

struct call_job *caller_start(struct caller *c, const struct call_job *given)
{
	struct call_job *j = mem_alloc(sizeof(*j));
	struct arena *a = arena_new();

	j->env = given->env;
	j->thing = given->thing;
	j->fn = given->fn;
	j->mode = given->mode;
	j->view = given->view;
	j->survives_loss = given->survives_loss;
	j->mends = given->mends;
	j->done = given->done;
	j->arg = given->arg;
	j->caller = c;
	j->call = given->call;
	j->call.arena = a;
	j->call.view = &j->view;
	j->call.facts = value_map(a);
	j->call.marks = value_map(a);
	j->call.stopping = c->is_stopping;
	j->requests = value_list(a);
	j->wake_mono = sys_mono_ms(
		c->o.sys); /* begins with the next pump, so that done never runs inside start */
	j->wakes_call = true;
	j->next = c->jobs;
	if (c->jobs)
		c->jobs->prev = j;
	c->jobs = j;
	c->busy++;
	return j;
}

/* Fires what is due; says when something is due next. */
static int64_t fire_due(struct caller *c)
{
	int64_t now = sys_mono_ms(c->o.sys), wake = INT64_MAX;
	struct call_job *next;

	for (struct call_job *j = c->jobs; j; j = next) {
		next = j->next;
		if (j->is_sent)
			continue;
		if (j->is_asked) {
			if (c->moved)
				try_send(j);
		} else if (j->wake_mono <= now) {
			if (j->wakes_call) {
				ask_call(j, NULL);
			} else {
				j->is_asked = true;
				try_send(j);
			}
		} else {
			wake = MIN_OF(wake, j->wake_mono);
		}
	}
	return wake;
}

void caller_pump(struct caller *c, int64_t timeout_ms)
{
	struct exchange *x;
	int64_t wake, now;

	if (auth_wake(c->auth) <= sys_mono_ms(c->o.sys)) {
		auth_tick(c->auth);
		c->moved = true; /* it may have been refused: who waits for it has to hear so */
	}
	wake = fire_due(c);
	if (c->moved) {
		c->moved = false;
		wake = MIN_OF(wake, fire_due(c));
		timeout_ms = 0; /* somebody may have become ready meanwhile: let the engine look */
	}
	wake = MIN_OF(wake, auth_wake(c->auth));
	now = sys_mono_ms(c->o.sys);
	if (wake != INT64_MAX)
		timeout_ms = MIN_OF(timeout_ms, MAX_OF(wake - now, (int64_t)0));
	x = c->o.transport->next(c->o.transport->ctx, timeout_ms);
	while (x) {
		x->deliver(x);
		c->moved = true;
		x = c->o.transport->next(c->o.transport->ctx, 0);
	}
}

static void drop(struct call_job *j, const char *why)
{
	if (j->is_sent)
		j->caller->o.transport->cancel(j->caller->o.transport->ctx, &j->x);
	j->is_sent = false;
	err_set(&j->err, E_SIGNAL, "%s", why);
	fail_job(j);
}

void caller_hold(struct caller *c)
{
	struct call_job *next;

	for (struct call_job *j = c->jobs; j; j = next) {
		next = j->next;
		if (j->mode == CALL_READS)
			drop(j, "interrupted");
		else if (!j->is_sent && j->chain == 0 && !j->mends)
			drop(j, "interrupted before anything was sent");
	}
}

void caller_stop(struct caller *c)
{
	c->is_stopping = true;
	for (struct call_job *j = c->jobs; j; j = j->next)
		j->call.stopping = true;
	caller_hold(c);
	for (struct call_job *j = c->jobs; j; j = j->next)
		if (!j->is_sent && !j->is_asked && j->wakes_call)
			j->wake_mono = sys_mono_ms(c->o.sys);
}
