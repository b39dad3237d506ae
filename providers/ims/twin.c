/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adobe IMS: tokens, by client credentials and by JWT exchange, and who got them when.
 * Source: our notes on IMS, sections 2, 2.1, 3 and 5; the pages behind them are the console's IMS guide
 * (developer.adobe.com/developer-console/docs/guides/authentication/ServerToServerAuthentication/ims) and the JWT guide's
 * error table as it stood until 2025-06-27.
 *
 * Three units in one system, as in the real one: v3 answers seconds, the exchange milliseconds, claims are milliseconds in
 * strings.
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *grant_name(enum grant g)
{
	switch (g) {
	case GRANT_JWT:
		return "jwt";
	case GRANT_OAUTH:
		return "oauth";
	case GRANT_CALLER:
		return "caller";
	}
	return NULL;
}

void ims_add_client(struct world *w, struct credential *c)
{
	struct ims_client *x = ARENA_NEW(&w->arena, struct ims_client);

	x->client_id = c->client_id;
	x->name = c->name;
	x->cred = c;
	x->scopes = c->scopes;
	index_put(w, &w->ims.clients, x->client_id, x);
}

/* ---- last uses, and when the console hears of them ---- */

static void usage_show(struct world *w, void *what, int64_t stamp)
{
	struct usage *u = what;

	(void)w;
	if (stamp > u->since)
		u->shown = MAX_OF(u->shown, stamp);
}

void ims_stamp(struct world *w, struct usage *u)
{
	int64_t lag = w->sw.usage_lag, stamp = world_clock(w, SYS_IMS, w->now_ms);

	if (lag > 0 && w->sw.usage_lag_random)
		lag = (int64_t)(world_random(w) % (uint64_t)(lag + 1));
	u->last = w->now_ms;
	if (lag <= 0)
		usage_show(w, u, stamp);
	else
		world_at(w, w->now_ms + lag, usage_show, u, stamp);
}

/* ---- minting ---- */

static void refuse(struct ims_error *ret, int status, const char *error, const char *description)
{
	*ret = (struct ims_error){ status, error, description };
}

static const struct client_secret *find_secret(const struct credential *c, const char *text)
{
	for (size_t i = 0; i < c->secret_count; i++) {
		if (!c->secrets[i]->deleted && strcmp(c->secrets[i]->value, text) == 0)
			return c->secrets[i];
	}
	return NULL;
}

static bool scopes_fit(texts have, const char *wanted)
{
	while (have != NULL && *wanted != '\0') {
		size_t len = strcspn(wanted, ", ");
		bool found = len == 0;

		for (texts s = have; *s != NULL && !found; s++)
			found = strlen(*s) == len && memcmp(*s, wanted, len) == 0;
		if (!found)
			return false;
		wanted += len;
		wanted += strspn(wanted, ", ");
	}
	return true;
}

/* The secret that fits, or NULL with *ret filled. */
static const struct client_secret *check_oauth(const struct world *w, const struct credential *c,
					       const struct mint_wish *m, struct ims_error *ret)
{
	const struct client_secret *s = m->secret != NULL ? find_secret(c, m->secret) : NULL;

	if (!cred_has_oauth(c)) {
		refuse(ret, 400,
		       w->sw.unstarted_error == 0 ? "unauthorized_client" : "invalid_client",
		       "The client is not allowed to use this grant type");
		return NULL;
	}
	if (s == NULL) {
		refuse(ret, 400, "invalid_client", "invalid client_secret parameter");
		return NULL;
	}
	if (c->started != 0 && w->now_ms < c->started + w->sw.mint_lag &&
	    c->state == CRED_STARTED) {
		refuse(ret, 400, "invalid_client", "invalid client_id parameter");
		return NULL;
	}
	return s;
}

static const struct client_secret *check_jwt(const struct world *w, const struct credential *c,
					     const struct mint_wish *m, struct ims_error *ret)
{
	struct client_secret *s = c->jwt_secret;

	/* A converted credential answers as if it were only tired, and does so for ever. */
	if (w->sw.jwt_exchange == 1 || !cred_has_jwt(c)) {
		refuse(ret, 500, "internal_error", "Please try again later");
		return NULL;
	}
	if (m->secret == NULL || s->deleted || strcmp(s->value, m->secret) != 0) {
		refuse(ret, 401, "invalid_client", "client id and client secret do not match");
		return NULL;
	}
	if (c->certificate_ends <= w->now_ms || (m->private_key != NULL && c->private_key != NULL &&
						 strcmp(c->private_key, m->private_key) != 0)) {
		refuse(ret, 400, "invalid_signature",
		       "Could not match jwt signature to any of the bindings");
		return NULL;
	}
	return s;
}

static bool check_caller(const struct ims_client *x, const struct mint_wish *m,
			 struct ims_error *ret)
{
	if (m->secret != NULL && strcmp(x->secret, m->secret) == 0)
		return true;
	refuse(ret, 400, "invalid_client", "invalid client_secret parameter");
	return false;
}

/* Whether it would be given, and with which of the client's secrets (NULL for callers). */
static bool allowed(const struct world *w, const struct mint_wish *m,
		    const struct ims_client **ret_client, struct client_secret **ret_secret,
		    struct ims_error *ret)
{
	const struct ims_client *x =
		m->client_id != NULL ? index_get(&w->ims.clients, m->client_id) : NULL;
	const struct client_secret *s = NULL;

	if (x == NULL || (x->cred != NULL && x->cred->state == CRED_DELETED) ||
	    (x->cred == NULL && m->grant == GRANT_JWT)) {
		refuse(ret, 400, "invalid_client",
		       m->grant == GRANT_JWT ? "The integration does not exist" :
					       "invalid client_id parameter");
		return false;
	}
	if (x->cred == NULL ? !check_caller(x, m, ret) :
			      (s = m->grant == GRANT_JWT ? check_jwt(w, x->cred, m, ret) :
							   check_oauth(w, x->cred, m, ret)) == NULL)
		return false;
	if (m->scope != NULL && w->sw.too_much_scope_refused && !scopes_fit(x->scopes, m->scope)) {
		refuse(ret, 400, "invalid_scope", "The client does not have the requested scope");
		return false;
	}
	*ret_client = x;
	*ret_secret = NULL;
	for (size_t i = 0; s != NULL && i < x->cred->secret_count; i++) {
		if (x->cred->secrets[i] == s)
			*ret_secret = x->cred->secrets[i];
	}
	if (s != NULL && *ret_secret == NULL)
		*ret_secret = x->cred->jwt_secret;
	return true;
}

static void base64url(struct sb *out, const char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i += 3) {
		unsigned bits = (unsigned)(unsigned char)text[i] << 16;

		if (i + 1 < len)
			bits |= (unsigned)(unsigned char)text[i + 1] << 8;
		if (i + 2 < len)
			bits |= (unsigned char)text[i + 2];
		sb_addc(out, letters[bits >> 18]);
		sb_addc(out, letters[(bits >> 12) & 63]);
		if (i + 1 < len)
			sb_addc(out, letters[(bits >> 6) & 63]);
		if (i + 2 < len)
			sb_addc(out, letters[bits & 63]);
	}
}

static const char *token_text(struct world *w, const struct ims_client *x, const char *scope,
			      int64_t minted, int64_t life)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(65536);
	CLEANUP(sb_done) struct sb claims = SB_INIT(32768);

	sb_addf(&claims,
		"{\"id\":\"%s\",\"type\":\"access_token\",\"client_id\":\"%s\",\"user_id\":\"%s\",\"as\":\"ims-na1\",\"scope\":\"",
		world_uuid(w), x->client_id,
		x->cred != NULL ? x->cred->technical_account_id : x->name);
	if (scope != NULL)
		sb_add(&claims, scope);
	for (texts s = x->scopes; scope == NULL && s != NULL && *s != NULL; s++)
		sb_addf(&claims, "%s%s", s == x->scopes ? "" : ",", *s);
	sb_addf(&claims, "\",\"created_at\":\"%" PRId64 "\",\"expires_in\":\"%" PRId64 "\"}",
		world_clock(w, SYS_IMS, minted), life);
	base64url(
		&text,
		"{\"alg\":\"RS256\",\"x5u\":\"ims_na1-key-at-1.cer\",\"kid\":\"ims_na1-key-at-1\",\"itt\":\"at\"}");
	sb_addc(&text, '.');
	base64url(&text, claims.buf);
	/* The number at the end finds the token again without a search. */
	sb_addf(&text, ".fake-signature-%s-%zu", world_hex(w, 24), w->ims.token_count);
	return arena_strndup(&w->arena, text.buf, text.len);
}

static const struct token *token_add(struct world *w, const struct mint_wish *m,
				     const struct ims_client *x, const struct client_secret *s,
				     int64_t at)
{
	struct token *t = ARENA_NEW(&w->arena, struct token);

	t->text = token_text(w, x, m->scope, at, w->sw.token_life);
	t->client = x;
	t->secret = s;
	t->grant = x->cred == NULL ? GRANT_CALLER : m->grant;
	t->minted = at;
	t->ends = at + w->sw.token_life;
	WORLD_PUSH(w, w->ims.tokens, w->ims.token_count, w->ims.token_cap, t);
	return t;
}

static void record(struct world *w, const struct mint_wish *m, const struct ims_client *x,
		   int64_t at, const char *error)
{
	struct mint_record r = { .at = at, .error = error, .grant = m->grant };

	if (x == NULL && m->client_id != NULL)
		x = index_get(&w->ims.clients, m->client_id);
	if (x != NULL && x->cred == NULL)
		r.grant = GRANT_CALLER;
	r.client_id = world_text(w, m->client_id);
	r.credential = x != NULL && x->cred != NULL ? x->cred->id : NULL;
	r.by = world_text(w, m->by);
	r.workflow = m->workflow;
	WORLD_PUSH(w, w->ims.mints, w->ims.mint_count, w->ims.mint_cap, r);
}

const struct token *ims_mint(struct world *w, const struct mint_wish *m, struct ims_error *ret)
{
	const struct ims_client *x;
	struct client_secret *s;

	if (!allowed(w, m, &x, &s, ret)) {
		record(w, m, NULL, w->now_ms, ret->error);
		return NULL;
	}
	if (x->cred != NULL) {
		ims_stamp(w, m->grant == GRANT_JWT ? &x->cred->jwt : &x->cred->oauth);
		ims_stamp(w, m->grant == GRANT_JWT ? &s->jwt : &s->oauth);
	}
	record(w, m, x, w->now_ms, NULL);
	return token_add(w, m, x, s, w->now_ms);
}

const struct token *ims_mint_past(struct world *w, const struct mint_wish *m, int64_t at)
{
	const struct ims_client *x = index_get(&w->ims.clients, m->client_id);
	struct credential *c = x != NULL ? x->cred : NULL;
	struct client_secret *s = NULL;

	if (c == NULL)
		return NULL;
	s = m->grant == GRANT_JWT ? c->jwt_secret : c->secrets[c->secret_count - 1];
	for (int i = 0; i < 2; i++) {
		struct usage *u = i == 0 ? m->grant == GRANT_JWT ? &c->jwt : &c->oauth :
				  m->grant == GRANT_JWT ? &s->jwt :
							  &s->oauth;

		if (at <= u->last)
			continue;
		u->last = at;
		if (at + w->sw.usage_lag <= w->now_ms)
			u->shown = world_clock(w, SYS_IMS, at);
		else
			world_at(w, at + w->sw.usage_lag, usage_show, u,
				 world_clock(w, SYS_IMS, at));
	}
	record(w, m, x, at, NULL);
	return token_add(w, m, x, s, at);
}

bool ims_would_mint(const struct world *w, const struct mint_wish *m)
{
	const struct ims_client *x;
	struct client_secret *s;
	struct ims_error ignored;

	return allowed(w, m, &x, &s, &ignored);
}

bool token_lives(const struct world *w, const struct token *t)
{
	return !t->dead && w->now_ms < t->ends;
}

const struct token *ims_token(const struct world *w, const char *text)
{
	const char *number = strrchr(text, '-');
	unsigned long n = number != NULL ? strtoul(number + 1, NULL, 10) : 0;
	const struct token *t = n < w->ims.token_count ? w->ims.tokens[n] : NULL;

	return t != NULL && strcmp(t->text, text) == 0 && token_lives(w, t) ? t : NULL;
}

void ims_revoke(struct world *w, const struct credential *c, enum grant g,
		const struct client_secret *s)
{
	for (size_t i = 0; i < w->ims.token_count; i++) {
		struct token *t = w->ims.tokens[i];

		if (t->client->cred == c && t->grant == g && (s == NULL || t->secret == s))
			t->dead = true;
	}
	app_tokens_died(w);
}

/* ---- the document ---- */

static int load_caller(struct world *w, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "name", "client_id", "client_secret",
					    "may",  "scopes",    NULL };
	struct ims_client *x = ARENA_NEW(&w->arena, struct ims_client);
	texts may = NULL;

	if (load_keys(v, "a caller", keys, err) < 0 ||
	    load_text(w, v, "client_id", true, &x->client_id, err) < 0 ||
	    load_text(w, v, "client_secret", true, &x->secret, err) < 0 ||
	    load_texts(w, v, "may", &may, err) < 0 ||
	    load_texts(w, v, "scopes", &x->scopes, err) < 0)
		return -E_PLAN;
	x->name = x->client_id;
	if (load_text(w, v, "name", false, &x->name, err) < 0)
		return -E_PLAN;
	for (texts m = may; m != NULL && *m != NULL; m++) {
		if (strcmp(*m, "console") != 0 && strcmp(*m, "campaign") != 0)
			return err_at(err, value_get(v, "may")->pos,
				      "'may' names console and campaign, not '%s'", *m);
	}
	x->may_console = text_in(may, "console");
	x->may_campaign = text_in(may, "campaign");
	if (index_get(&w->ims.clients, x->client_id) != NULL)
		return err_at(err, value_get(v, "client_id")->pos, "two clients have the id '%s'",
			      x->client_id);
	index_put(w, &w->ims.clients, x->client_id, x);
	return 0;
}

static void consumer_mints(struct world *w, void *what, int64_t arg)
{
	const struct consumer *k = what;
	const struct ims_client *x = index_get(&w->ims.clients, k->client_id);
	const struct client_secret *s = console_newest_secret(x->cred);
	struct ims_error ignored;
	struct mint_wish m = { .client_id = k->client_id,
			       .grant = k->grant,
			       .by = arena_printf(&w->arena, "consumer:%s", k->name) };

	(void)arg;
	m.secret = k->grant == GRANT_JWT ? x->cred->jwt_secret->value : s != NULL ? s->value : NULL;
	m.private_key = x->cred->private_key;
	if (k->until != 0 && w->now_ms > k->until)
		return;
	(void)!ims_mint(w, &m, &ignored);
	world_at(w, w->now_ms + k->every, consumer_mints, what, 0);
}

static int load_consumer(struct world *w, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "name",  "client_id", "grant", "every",
					    "first", "until",     NULL };
	struct consumer *k = ARENA_NEW(&w->arena, struct consumer);
	const struct ims_client *x;
	int64_t first;
	int grant = 0;

	k->name = "undeclared";
	k->every = 6 * WHEN_HOUR;
	if (load_keys(v, "a consumer", keys, err) < 0 ||
	    load_text(w, v, "name", false, &k->name, err) < 0 ||
	    load_text(w, v, "client_id", true, &k->client_id, err) < 0 ||
	    load_word(v, "grant", "jwt|oauth", &grant, err) < 0 ||
	    load_span(v, "every", &k->every, err) < 0 ||
	    load_time(w, v, "until", &k->until, err) < 0)
		return -E_PLAN;
	if (k->every < WHEN_SECOND)
		return err_at(err, v->pos, "'every' is a second at least");
	first = w->start_ms + k->every;
	if (load_time(w, v, "first", &first, err) < 0)
		return -E_PLAN;
	x = index_get(&w->ims.clients, k->client_id);
	if (x == NULL || x->cred == NULL)
		return err_at(err, value_get(v, "client_id")->pos,
			      "no credential has client id '%s'", k->client_id);
	k->grant = grant == 0 ? GRANT_JWT : GRANT_OAUTH;
	world_at(w, first, consumer_mints, k, 0);
	return 0;
}

int ims_load(struct world *w, const struct value *doc, struct err *err)
{
	const struct value *list;

	if (load_list(doc, "callers", &list, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_caller(w, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	if (load_list(doc, "consumers", &list, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_consumer(w, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	return 0;
}

void ims_truth(const struct world *w, struct arena *a, struct value *ret)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < w->ims.mint_count; i++) {
		const struct mint_record *r = &w->ims.mints[i];
		struct value *row = value_map(a);

		value_set(a, row, "at", value_instant(a, r->at));
		value_set(a, row, "client_id", value_string(a, r->client_id));
		value_set(a, row, "credential", value_string(a, r->credential));
		value_set(a, row, "grant", value_string(a, grant_name(r->grant)));
		value_set(a, row, "by", value_string(a, r->by));
		if (r->workflow != NULL)
			value_set(a, row, "workflow", value_string(a, r->workflow));
		value_set(a, row, "ok", value_bool(a, r->error == NULL));
		if (r->error != NULL)
			value_set(a, row, "error", value_string(a, r->error));
		value_list_add(a, list, row);
	}
	value_set(a, ret, "mints", list);
}

/* ---- the wire ---- */

static void answer_error(const struct twin_req *req, struct twin_resp *resp,
			 const struct ims_error *e)
{
	struct value *body = value_map(req->arena);

	value_set(req->arena, body, "error", value_string(req->arena, e->error));
	value_set(req->arena, body, "error_description", value_string(req->arena, e->description));
	resp_json(resp, e->status, body);
}

static void answer_token(const struct twin_req *req, struct twin_resp *resp, const struct token *t,
			 int64_t expires_in)
{
	struct value *body = value_map(req->arena);

	value_set(req->arena, body, "access_token", value_string(req->arena, t->text));
	value_set(req->arena, body, "token_type", value_string(req->arena, "bearer"));
	value_set(req->arena, body, "expires_in", value_int(req->arena, expires_in));
	resp_json(resp, 200, body);
	resp_header(resp, "Cache-Control", "no-store");
}

/* Query parameters work too, and get logged: so body first. */
static const char *param(const struct twin_req *req, const char *name)
{
	const char *text = req_field(req, name);

	return text != NULL ? text : req_query(req, name);
}

static void answer_v3(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	struct mint_wish m = { .client_id = param(req, "client_id"),
			       .secret = param(req, "client_secret"),
			       .scope = param(req, "scope"),
			       .grant = GRANT_OAUTH,
			       .by = "other" };
	const char *grant = param(req, "grant_type");
	struct ims_error e = { 0, NULL, NULL };
	const struct token *t;

	if (grant == NULL || strcmp(grant, "client_credentials") != 0)
		refuse(&e, 400, grant == NULL ? "invalid_request" : "unsupported_grant_type",
		       "grant_type must be client_credentials");
	else if (m.client_id == NULL || *m.client_id == '\0')
		refuse(&e, 400, "invalid_client", "invalid client_id parameter");
	else if (m.scope == NULL || *m.scope == '\0')
		refuse(&e, 400, "invalid_scope", "missing scope parameter");
	if (e.status != 0 || (t = ims_mint(w, &m, &e)) == NULL) {
		answer_error(req, resp, &e);
		return;
	}
	/* The real one counts from a moment before the answer: 86399, not 86400. */
	answer_token(req, resp, t, w->sw.token_life / WHEN_SECOND - 1);
}

static int unbase64(int c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* One part of a JWT as text, or NULL. */
static const char *decode_part(struct arena *a, const char *part, size_t len)
{
	char *out = arena_alloc(a, len + 1);
	unsigned bits = 0, have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int v = unbase64((unsigned char)part[i]);

		if (v < 0)
			return NULL;
		bits = (bits << 6 | (unsigned)v) & 0xffffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		out[n++] = (char)(bits >> have & 0xff);
	}
	return n == strlen(out) ? out : NULL;
}

/*
 * The value of a claim as raw text: a string without its quotes, anything else as it stands. Good for the flat maps
 * that JWTs are; an escaped quote inside a string would mislead it, and no claim here has one.
 */
static const char *claim(struct arena *a, const char *json, const char *name, bool *ret_quoted)
{
	const char *quoted = arena_printf(a, "\"%s\"", name), *p = strstr(json, quoted);
	size_t len;

	if (p == NULL)
		return NULL;
	p += strlen(quoted);
	p += strspn(p, " \t\r\n");
	if (*p != ':')
		return NULL;
	p += 1 + strspn(p + 1, " \t\r\n");
	*ret_quoted = *p == '"';
	if (*ret_quoted)
		p++;
	len = strcspn(p, *ret_quoted ? "\"" : ",} \t\r\n");
	return arena_strndup(a, p, len);
}

static bool digits_only(const char *s)
{
	return *s != '\0' && strspn(s, "0123456789") == strlen(s) && strlen(s) < 16;
}

/* True when some claim grants a metascope; the value has to be the boolean true. */
static bool has_metascope(const char *json)
{
	const char *p = strstr(json, "/s/");

	if (p == NULL || (p = strchr(p, '"')) == NULL)
		return false;
	p += 1 + strspn(p + 1, " \t\r\n");
	if (*p != ':')
		return false;
	p += 1 + strspn(p + 1, " \t\r\n");
	return strncmp(p, "true", 4) == 0;
}

/* The shape of an assertion, in the order of the error table. */
static bool check_assertion(struct world *w, const struct twin_req *req, const char *jwt,
			    const char *client_id, struct ims_error *ret)
{
	static const char undecodable[] =
		"JWT token is incorrectly formatted, and can not be decoded.";
	const struct ims_client *x = index_get(&w->ims.clients, client_id);
	const char *dot1 = strchr(jwt, '.'), *dot2 = dot1 != NULL ? strchr(dot1 + 1, '.') : NULL;
	const char *head, *claims, *exp, *jti, *iss, *sub, *aud, *alg, *slash;
	bool quoted = false, jti_quoted = false, ignored;

	if (dot2 == NULL || strchr(dot2 + 1, '.') != NULL ||
	    (head = decode_part(req->arena, jwt, (size_t)(dot1 - jwt))) == NULL ||
	    (claims = decode_part(req->arena, dot1 + 1, (size_t)(dot2 - dot1 - 1))) == NULL ||
	    *claims != '{' || (alg = claim(req->arena, head, "alg", &ignored)) == NULL ||
	    strcmp(alg, "RS256") != 0) {
		refuse(ret, 400, "invalid_token", undecodable);
		return false;
	}
	exp = claim(req->arena, claims, "exp", &quoted);
	jti = claim(req->arena, claims, "jti", &jti_quoted);
	if (exp == NULL || quoted || !digits_only(exp) ||
	    (jti != NULL && (jti_quoted || !digits_only(jti)))) {
		refuse(ret, 400, "invalid_token", undecodable);
		return false;
	}
	if (strtoll(exp, NULL, 10) * WHEN_SECOND <= world_clock(w, SYS_IMS, w->now_ms)) {
		refuse(ret, 400, "invalid_token", "The JWT token has expired.");
		return false;
	}
	iss = claim(req->arena, claims, "iss", &ignored);
	sub = claim(req->arena, claims, "sub", &ignored);
	aud = claim(req->arena, claims, "aud", &ignored);
	if (iss == NULL || sub == NULL || aud == NULL || strstr(iss, "@AdobeOrg") == NULL ||
	    strstr(sub, "@techacct.adobe.com") == NULL) {
		refuse(ret, 400, "bad_request",
		       "The JWT token has a claim that is badly formatted.");
		return false;
	}
	slash = strrchr(aud, '/');
	if (x == NULL || x->cred == NULL || slash == NULL || strcmp(slash + 1, client_id) != 0) {
		refuse(ret, 400, "invalid_client",
		       "client_id does not match the audience of the JWT token");
		return false;
	}
	if (strcmp(iss, x->cred->workspace->project->org->ims) != 0 ||
	    strcmp(sub, x->cred->technical_account_id) != 0) {
		refuse(ret, 400, "bad_request",
		       "The issuer or subject of the JWT token is not that of the integration.");
		return false;
	}
	if (!has_metascope(claims)) {
		refuse(ret, 400, "invalid_scope", "The JWT token has no metascope.");
		return false;
	}
	if (dot2[1] == '\0') {
		refuse(ret, 400, "invalid_signature",
		       "Could not match jwt signature to any of the bindings");
		return false;
	}
	return true;
}

static void answer_exchange(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	struct mint_wish m = { .client_id = param(req, "client_id"),
			       .secret = param(req, "client_secret"),
			       .grant = GRANT_JWT,
			       .by = "other" };
	const char *jwt = param(req, "jwt_token");
	const struct ims_client *x =
		m.client_id != NULL ? index_get(&w->ims.clients, m.client_id) : NULL;
	struct ims_error e = { 0, NULL, NULL };
	const struct token *t = NULL;

	/* A dead exchange does not look at what it is given. */
	if (w->sw.jwt_exchange == 1 || (x != NULL && x->cred != NULL && !cred_has_jwt(x->cred)))
		refuse(&e, 500, "internal_error", "Please try again later");
	else if (m.client_id == NULL || jwt == NULL)
		refuse(&e, 400, m.client_id == NULL ? "invalid_client" : "invalid_token",
		       "a parameter is missing");
	else
		(void)check_assertion(w, req, jwt, m.client_id, &e);
	if (e.status == 0)
		t = ims_mint(w, &m, &e);
	if (t == NULL) {
		answer_error(req, resp, &e);
		return;
	}
	/* Milliseconds here. */
	answer_token(req, resp, t, w->sw.token_life - 7);
}

static void answer_validate(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	const char *text = req_bearer(req) != NULL ? req_bearer(req) : param(req, "token");
	struct value *body = value_map(req->arena);
	bool valid = text != NULL && ims_token(w, text) != NULL;

	value_set(req->arena, body, "valid", value_bool(req->arena, valid));
	if (!valid)
		value_set(req->arena, body, "reason", value_string(req->arena, "bad_signature"));
	resp_json(resp, 200, body);
}

/* The probe for "Profile is not valid": which tenants the token's product profiles open. */
static void answer_profile(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	const struct token *t = req_bearer(req) != NULL ? ims_token(w, req_bearer(req)) : NULL;
	struct arena *a = req->arena;
	struct value *body, *contexts;

	if (t == NULL) {
		struct ims_error e = { 401, "invalid_token", "the token is not valid" };

		answer_error(req, resp, &e);
		return;
	}
	body = value_map(a);
	contexts = value_list(a);
	for (size_t i = 0; i < w->campaign.count; i++) {
		struct value *row, *ctx;

		if (!campaign_accepts(w, t, w->campaign.tenants[i]))
			continue;
		row = value_map(a);
		ctx = value_map(a);
		value_set(a, ctx, "serviceCode", value_string(a, "dma_tartan"));
		value_set(a, ctx, "organization_id", value_string(a, w->campaign.tenants[i]->name));
		value_set(a, ctx, "statusCode", value_string(a, "ACTIVE"));
		value_set(a, row, "prodCtx", ctx);
		value_list_add(a, contexts, row);
	}
	value_set(a, body, "userId",
		  value_string(a, t->client->cred != NULL ? t->client->cred->technical_account_id :
							    t->client->name));
	value_set(a, body, "projectedProductContext", contexts);
	resp_json(resp, 200, body);
}

static bool ims_serves(const struct twin_req *req)
{
	return req->segment_count > 0 && strcmp(req->segments[0], "ims") == 0;
}

static void ims_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	struct ims_error e;
	int64_t retry_s;

	resp_header(resp, "x-debug-id",
		    arena_printf(req->arena, "NA1-fake-%" PRIu64, ++w->ims.requests));
	if (world_throttled(w, SYS_IMS, &retry_s)) {
		refuse(&e, 429, "too_many_requests", "Too many requests");
		answer_error(req, resp, &e);
		resp_header(resp, "Retry-After", arena_printf(req->arena, "%" PRId64, retry_s));
		return;
	}
	if (req_path(req, 1, "token/v3") && req_is(req, "POST"))
		answer_v3(w, req, resp);
	else if ((req_path(req, 1, "exchange/jwt") || req_path(req, 1, "exchange/v1/jwt")) &&
		 req_is(req, "POST"))
		answer_exchange(w, req, resp);
	else if (req_path(req, 1, "validate_token/v1") && req_is(req, "POST"))
		answer_validate(w, req, resp);
	else if (req_path(req, 1, "profile/v1") && req_is(req, "GET"))
		answer_profile(w, req, resp);
	else {
		refuse(&e, 404, "not_found", "no such endpoint");
		answer_error(req, resp, &e);
	}
}

const struct twin ims_twin = {
	.name = "ims",
	.doc = "Adobe IMS: tokens by client credentials and by JWT exchange",
	.serves = ims_serves,
	.answer = ims_answer,
};
