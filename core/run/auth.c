/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/auth.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/when.h"
#include "core/run/retry.h"

#define LEFT_MIN                                                                                   \
	(10 * WHEN_MINUTE) /* a token with less is not used, as the vendors' own clients do */
#define USE_LATE (60 * WHEN_SECOND)   /* an own use may be stamped this much after the answer */
#define FAILED_FOR (30 * WHEN_SECOND) /* a refusal is not asked for again sooner */
#define NEW_CREDENTIAL_TRIES 4 /* a credential just added may be unknown for about two minutes */
#define NEW_CREDENTIAL_WAIT (30 * WHEN_SECOND)

struct auth_session {
	struct auth *auth;
	const char *key;
	struct conn conn;
	bool is_migrating, is_bearer;
	struct secret *token;
	int64_t expires_mono;

	bool is_minting, is_sent;
	struct arena *x_arena;        /* from the sending until the answer was taken */
	struct exchange *x;           /* in it */
	struct secret *client_secret; /* while minting */
	struct retry retry;
	unsigned refusals;
	int64_t wake_mono; /* minting, not sent: when to send */
	int64_t from_ms, sent_mono;

	struct err failure;
	int64_t failed_mono;
};

struct auth {
	struct arena arena;
	const struct sys *sys;
	const struct transport *transport;
	const struct secret_source *secrets;
	struct clocks *clocks;
	const struct rollout *rollout;
	struct mint_guard guard;
	bool has_guard;
	struct auth_session **list;
	size_t count, cap;
	struct value *by_key; /* key -> index */
	struct value *requests;
};

struct auth *auth_new(const struct sys *sys, const struct transport *t,
		      const struct secret_source *s, struct clocks *clocks, const struct rollout *r,
		      const struct mint_guard *guard)
{
	struct auth *a = mem_alloc(sizeof(*a));

	*a = (struct auth){
		.sys = sys, .transport = t, .secrets = s, .clocks = clocks, .rollout = r
	};
	if (guard) {
		a->guard = *guard;
		a->has_guard = true;
	}
	a->by_key = value_map(&a->arena);
	a->requests = value_list(&a->arena);
	return a;
}

static void drop_token(struct auth_session *s)
{
	secret_freep(&s->token);
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->count; i++) {
		struct auth_session *s = a->list[i];

		if (s->is_sent)
			a->transport->cancel(a->transport->ctx, s->x);
		drop_token(s);
		secret_freep(&s->client_secret);
		arena_freep(&s->x_arena);
	}
	mem_free(a->list);
	arena_done(&a->arena);
	mem_free(a);
}

static void add_word(struct sb *s, const char *word)
{
	sb_addc(s, ' ');
	sb_add(s, word ? word : "");
}

/*
 * Tokens of a migrating client are shared whatever their scopes: fewer mints spoil less evidence. Asked for with each request,
 * so in a buffer: what is put into the arena stays there.
 */
static void session_key(const struct conn *c, bool is_migrating, struct sb *ret)
{
	if (strcmp(c->auth_kind, "bearer") == 0) {
		sb_add(ret, "bearer");
		add_word(ret, c->token_ref);
		return;
	}
	sb_add(ret, is_migrating ? "migrating" : "client");
	add_word(ret, c->token_url);
	add_word(ret, c->client_id);
	if (!is_migrating) {
		add_word(ret, c->scopes);
		add_word(ret, c->secret_ref);
	}
}

static struct auth_session *session_for(struct auth *a, const struct conn *c)
{
	bool is_migrating = c->client_id && rollout_is_migrating(a->rollout, c->client_id);
	CLEANUP(sb_done) struct sb key = SB_INIT(SB_TEXT_MAX);
	const struct value *at;
	struct auth_session *s;

	session_key(c, is_migrating, &key);
	at = value_get(a->by_key, key.buf);
	if (at)
		return a->list[at->u.i];
	s = ARENA_NEW(&a->arena, struct auth_session);
	s->auth = a;
	s->key = arena_strdup(&a->arena, key.buf);
	s->conn = *c;
	s->conn.name = arena_strdup(&a->arena, c->name);
	s->conn.base = arena_strdup(&a->arena, c->base);
	s->conn.ca_file = arena_strdup(&a->arena, c->ca_file);
	s->conn.token_ref = arena_strdup(&a->arena, c->token_ref);
	s->conn.client_id = arena_strdup(&a->arena, c->client_id);
	s->conn.secret_ref = arena_strdup(&a->arena, c->secret_ref);
	s->conn.token_url = arena_strdup(&a->arena, c->token_url);
	s->conn.scopes = arena_strdup(&a->arena, c->scopes);
	s->is_migrating = is_migrating;
	s->is_bearer = strcmp(c->auth_kind, "bearer") == 0;
	a->list = mem_grow(a->list, a->count, &a->cap, sizeof(struct auth_session *));
	a->list[a->count] = s;
	value_set(&a->arena, a->by_key, s->key, value_int(&a->arena, (int64_t)a->count));
	a->count++;
	return s;
}

static enum auth_state fail(struct auth *a, struct auth_session *s, struct err *err)
{
	s->failure = *err;
	s->failed_mono = sys_mono_ms(a->sys);
	s->is_minting = false;
	return AUTH_FAILED;
}

static enum auth_state get_bearer(struct auth *a, struct auth_session *s, struct err *err)
{
	if (!s->conn.token_ref) {
		err_set(err, E_PLAN, "connection '%s' has no auth.token", s->conn.name);
		return fail(a, s, err);
	}
	if (a->secrets->resolve(a->secrets->ctx, s->conn.token_ref, &s->token, err) < 0) {
		err_wrap(err, "connection '%s'", s->conn.name);
		return fail(a, s, err);
	}
	s->expires_mono = INT64_MAX;
	return AUTH_READY;
}

static void mint_back(struct exchange *x);

static void mint_send(struct auth *a, struct auth_session *s)
{
	struct value *form;

	s->x_arena = arena_new();
	s->x = ARENA_NEW(s->x_arena, struct exchange);
	form = value_map(s->x_arena);
	value_set(s->x_arena, form, "grant_type", value_string(s->x_arena, "client_credentials"));
	value_set(s->x_arena, form, "client_id", value_string(s->x_arena, s->conn.client_id));
	value_set(s->x_arena, form, "client_secret", value_secret(s->x_arena, s->client_secret));
	if (s->conn.scopes)
		value_set(s->x_arena, form, "scope", value_string(s->x_arena, s->conn.scopes));
	*s->x = (struct exchange){
		.method = "POST",
		.url = s->conn.token_url,
		.system = s->conn.name,
		.body_kind = BODY_FORM,
		.body = form,
		.secret_field = "access_token",
		.ca_file = s->conn.ca_file,
		.timeout_ms = s->conn.timeout_ms ? s->conn.timeout_ms : 65 * WHEN_SECOND,
		.body_max = (size_t)1 << 20,
		.arena = s->x_arena,
		.owner = s,
		.deliver = mint_back,
	};
	s->sent_mono = sys_mono_ms(a->sys);
	s->is_sent = true;
	value_list_add(&a->arena, a->requests,
		       value_stringf(&a->arena, "POST %s (%s)", s->conn.token_url,
				     s->conn.client_id));
	log_debug("http", "%s: POST %s (token of client '%s')", s->conn.name, s->conn.token_url,
		  s->conn.client_id);
	a->transport->start(a->transport->ctx, s->x);
}

static enum auth_state mint_start(struct auth *a, struct auth_session *s, struct err *err)
{
	s->from_ms = clocks_now(a->clocks);
	if (s->is_migrating) {
		if (!a->has_guard) {
			err_set(err, E_REFUSED,
				"connection '%s' would mint a token of client '%s', which is being migrated; only apply may",
				s->conn.name, s->conn.client_id);
			err_hint(
				err,
				"give connection '%s' a client of its own; a mint now would pass for the "
				"app's use of the new credential",
				s->conn.name);
			return AUTH_FAILED;
		}
		if (a->guard.before(a->guard.ctx, s->conn.client_id, s->conn.name, s->from_ms,
				    err) < 0)
			return AUTH_FAILED; /* asked again when the fence may have opened */
	}
	secret_freep(&s->client_secret);
	if (!s->conn.secret_ref || !s->conn.token_url) {
		err_set(err, E_PLAN, "connection '%s' has no client secret or no token endpoint",
			s->conn.name);
		return fail(a, s, err);
	}
	if (a->secrets->resolve(a->secrets->ctx, s->conn.secret_ref, &s->client_secret, err) < 0) {
		err_wrap(err, "client secret of connection '%s'", s->conn.name);
		return fail(a, s, err);
	}
	s->is_minting = true;
	s->retry = (struct retry){ 0 };
	s->refusals = 0;
	mint_send(a, s);
	return AUTH_MINTING;
}

enum auth_state auth_get(struct auth *a, const struct conn *conn, struct secret **ret_bearer,
			 struct auth_session **ret_session, struct err *err)
{
	struct auth_session *s;
	enum auth_state state = AUTH_READY;
	int64_t now = sys_mono_ms(a->sys);

	*ret_session = NULL;
	*ret_bearer = NULL;
	if (strcmp(conn->auth_kind, "none") == 0)
		return AUTH_READY;
	s = session_for(a, conn);
	*ret_session = s;
	if (s->is_minting)
		return AUTH_MINTING;
	if (s->token && s->expires_mono - now < LEFT_MIN)
		drop_token(s);
	if (!s->token && s->failure.code && now - s->failed_mono < FAILED_FOR) {
		*err = s->failure;
		return AUTH_FAILED;
	}
	s->failure = (struct err)ERR_INIT;
	if (!s->token)
		state = s->is_bearer ? get_bearer(a, s, err) : mint_start(a, s, err);
	*ret_bearer = secret_ref(s->token);
	return state;
}

/* Seconds, as a number or (older endpoints) as digits in a string. */
static int64_t expires_in_ms(const struct value *v)
{
	int64_t seconds = value_int_or(v, 0);

	if (!seconds && value_text(v))
		seconds = strtoll(value_text(v), NULL, 10);
	return seconds > 0 && seconds < 1000000000 ? seconds * WHEN_SECOND : 0;
}

static void explain_refusal(struct auth_session *s, struct err *err)
{
	const struct http_req req = { .method = "POST",
				      .conn = s->conn.name,
				      .what = "get a token" };

	http_unexpected(&req, &s->x->resp, err);
	err_wrap(err, "token of client '%s'", s->conn.client_id);
	err_hint(err, "check the client id, the secret behind '%s' and the scopes",
		 s->conn.secret_ref);
}

/* The stretch of server time in which a use of the credential may be this mint of ours. */
static int own_interval(struct auth *a, struct auth_session *s, struct err *err)
{
	int64_t elapsed = sys_mono_ms(a->sys) - s->sent_mono, to;

	if (s->x->result == SENT_OK && s->x->resp.date_ms) {
		to = s->x->resp.date_ms + WHEN_SECOND + USE_LATE;
		s->from_ms = MIN_OF(s->from_ms, s->x->resp.date_ms - elapsed - WHEN_SECOND);
	} else {
		to = MAX_OF(clocks_now(a->clocks), s->from_ms + s->x->timeout_ms) + USE_LATE;
	}
	return a->guard.after(a->guard.ctx, s->conn.client_id, s->from_ms, to, err);
}

static bool is_new_credential(const struct auth_session *s)
{
	const char *code = value_text_or(value_get(s->x->resp.body, "error"), "");

	return s->is_migrating && strcmp(code, "invalid_client") == 0 &&
	       s->refusals < NEW_CREDENTIAL_TRIES;
}

static void took(struct auth *a, struct auth_session *s, const struct value *token)
{
	int64_t life = expires_in_ms(value_get(s->x->resp.body, "expires_in"));

	s->token = secret_ref(token->u.secret);
	/* An endpoint that names no life: use it for this run's next minutes only. */
	s->expires_mono = sys_mono_ms(a->sys) + (life ? life : LEFT_MIN + WHEN_MINUTE);
	if (life && life <= LEFT_MIN)
		s->expires_mono = sys_mono_ms(a->sys) + LEFT_MIN + life / 2;
	s->is_minting = false;
	secret_freep(&s->client_secret);
}

static void take_answer(struct auth_session *s)
{
	const struct exchange *x = s->x;
	struct auth *a = s->auth;
	struct err err = ERR_INIT;
	const struct value *token;
	int64_t wait;

	if (x->result == SENT_OK)
		clocks_note(a->clocks, s->conn.token_url, x->resp.date_ms);
	if (s->is_migrating && x->result != SENT_NEVER && own_interval(a, s, &err) < 0) {
		fail(a, s, &err);
		return;
	}
	/* Some endpoints send an error document with an OK status: what counts is the token. */
	token = x->result == SENT_OK ? value_get(x->resp.body, "access_token") : NULL;
	if (token && token->kind == VAL_SECRET && x->resp.status < 300) {
		took(a, s, token);
		return;
	}
	if (x->result == SENT_OK && is_new_credential(s)) {
		s->refusals++;
		s->wake_mono = sys_mono_ms(a->sys) + NEW_CREDENTIAL_WAIT;
		return;
	}
	wait = retry_after(&s->retry, x, !s->is_migrating, clocks_now(a->clocks), 0.5);
	if (wait >= 0) {
		s->wake_mono = sys_mono_ms(a->sys) + wait;
		return;
	}
	if (x->result == SENT_OK)
		explain_refusal(s, &err);
	else
		err = x->err;
	secret_freep(&s->client_secret);
	fail(a, s, &err);
}

static void mint_back(struct exchange *x)
{
	struct auth_session *s = x->owner;

	s->is_sent = false;
	take_answer(s);
	s->x = NULL;
	arena_freep(&s->x_arena); /* a fleet has thousands of tokens */
}

int64_t auth_wake(const struct auth *a)
{
	int64_t wake = INT64_MAX;

	for (size_t i = 0; i < a->count; i++)
		if (a->list[i]->is_minting && !a->list[i]->is_sent)
			wake = MIN_OF(wake, a->list[i]->wake_mono);
	return wake;
}

/* A mint that is sent again is a mint: the guard is asked again. */
void auth_tick(struct auth *a)
{
	int64_t now = sys_mono_ms(a->sys);

	for (size_t i = 0; i < a->count; i++) {
		struct auth_session *s = a->list[i];
		struct err err = ERR_INIT;

		if (!s->is_minting || s->is_sent || s->wake_mono > now)
			continue;
		s->from_ms = clocks_now(a->clocks);
		if (s->is_migrating && a->guard.before(a->guard.ctx, s->conn.client_id,
						       s->conn.name, s->from_ms, &err) < 0) {
			fail(a, s, &err);
			continue;
		}
		mint_send(a, s);
	}
}

bool auth_drop(struct auth *a, struct auth_session *s, const struct secret *sent)
{
	(void)a;
	if (!s)
		return false;
	if (s->token == sent)
		drop_token(s);
	return !s->is_bearer || strncmp(s->conn.token_ref, "exec:", 5) == 0;
}

const struct value *auth_requests(const struct auth *a)
{
	return a->requests;
}

bool auth_has_token(const struct auth *a, const char *client_id)
{
	int64_t now = sys_mono_ms(a->sys);

	for (size_t i = 0; i < a->count; i++) {
		const struct auth_session *s = a->list[i];

		if (s->token && s->conn.client_id && strcmp(s->conn.client_id, client_id) == 0 &&
		    s->expires_mono - now >= LEFT_MIN)
			return true;
	}
	return false;
}
