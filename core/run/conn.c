/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/conn.h"

#include <string.h>
#include <strings.h>

#include "core/base/sb.h"
#include "core/base/when.h"

static const char *join(struct arena *a, const struct value *list, const char *separator)
{
	CLEANUP(sb_done) struct sb sb = SB_INIT(8192);

	if (!value_count(list))
		return NULL;
	for (size_t i = 0; i < value_count(list); i++) {
		sb_add(&sb, i ? separator : "");
		sb_add(&sb, value_text_or(value_at(list, i), ""));
	}
	return arena_strdup(a, sb.buf);
}

int conn_find(struct arena *a, const struct registry *reg, const struct rollout_env *env,
	      const char *name, struct conn *ret, struct err *err)
{
	const struct value *c = rollout_connection(env, name), *auth = value_get(c, "auth");
	const struct connection_type *type = registry_connection(reg, name);

	if (!c || !type) {
		err_set(err, E_DENIED, "environment '%s' has no connection '%s'", env->name, name);
		return err_hint(err, "a person reads it instead and says so with `s2sctl ack`");
	}
	*ret = (struct conn){
		.name = type->name,
		.type = type,
		.base = arena_printf(a, "%s%s", value_text_or(value_get(c, "url"), ""),
				     value_text_or(value_get(c, "prefix"), "")),
		.ca_file = value_text(value_get(c, "ca_file")),
		.timeout_ms = value_int_or(value_get(c, "timeout"), 65 * WHEN_SECOND),
		.auth_kind = value_text_or(value_get(auth, "kind"), "none"),
		.token_ref = value_text(value_path(auth, "token.ref")),
		.client_id = value_text(value_get(auth, "client_id")),
		.secret_ref = value_text(value_path(auth, "client_secret.ref")),
		.token_url = value_text(value_get(auth, "token_url")),
		.scopes = join(a, value_get(auth, "scopes"),
			       type->scope_separator ? type->scope_separator : " "),
		.api_key = value_text(value_get(auth, "api_key")),
	};
	return 0;
}

/* The type whose clients get their tokens at `token_conn`, `want` itself if it is one. */
static const struct connection_type *token_user(const struct registry *reg, const struct conn *want)
{
	if (want->type->token_conn && want->type->token_path)
		return want->type;
	for (const struct provider *const *p = reg->providers; *p; p++)
		for (const struct connection_type *const *t = (*p)->connections; t && *t; t++)
			if ((*t)->token_conn && (*t)->token_path &&
			    strcmp((*t)->token_conn, want->name) == 0)
				return *t;
	return NULL;
}

int conn_migrating(struct arena *a, const struct registry *reg, const struct rollout_env *env,
		   const struct conn *conn, const char *scopes, struct conn *ret, struct err *err)
{
	const struct connection_type *type = token_user(reg, conn);
	const struct value *credential = value_get(env->want, "credential");
	struct conn token;

	if (!type || !env->client_id)
		return err_set(err, E_BUG,
			       "connection '%s' has no token endpoint for the credential of '%s'",
			       conn->name, env->name);
	if (conn_find(a, reg, env, type->token_conn, &token, err) < 0)
		return -err->code;
	*ret = *conn;
	ret->auth_kind = "client_credentials";
	ret->ca_file = token.ca_file; /* for the token's own request */
	ret->client_id = env->client_id;
	ret->api_key = env->client_id;
	ret->secret_ref = value_text(value_path(credential, "client_secret.ref"));
	ret->token_url = arena_printf(a, "%s%s", token.base, type->token_path);
	ret->scopes = scopes ? scopes :
			       join(a, value_get(credential, "scopes"),
				    type->scope_separator ? type->scope_separator : " ");
	return 0;
}

/* Length of "scheme://host:port" at the start of an absolute address; 0 when it is none. */
static size_t origin_len(const char *url)
{
	size_t scheme = strcspn(url, ":/?#"); /* "://" further on is part of a path or query */

	if (!scheme || strncmp(url + scheme, "://", 3) != 0)
		return 0;
	return scheme + 3 + strcspn(url + scheme + 3, "/?#");
}

static bool same_origin(const char *base, const char *href)
{
	size_t a = origin_len(base), b = origin_len(href);

	return a == b && strncasecmp(base, href, a) == 0;
}

static const char *resolve(struct arena *a, const char *base, const char *href)
{
	if (origin_len(href))
		return href;
	if (href[0] == '/' && href[1] != '/')
		return arena_printf(a, "%.*s%s", (int)origin_len(base), base, href);
	return arena_printf(a, "%s/%s", base, href);
}

int conn_url(struct arena *a, const struct conn *conn, const struct http_req *req, const char **ret,
	     struct err *err)
{
	const char *url;

	if (req->href) {
		for (const char *p = req->href; *p; p++)
			if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '\\')
				return err_set(
					err, E_REMOTE,
					"%s: a link in the answer holds a blank or control byte",
					conn->name);
		url = resolve(a, conn->base, req->href);
		if ((req->href[0] == '/' && req->href[1] == '/') || !same_origin(conn->base, url)) {
			err_set(err, E_REMOTE,
				"%s: a link in the answer leads to another origin: '%.120s'",
				conn->name, req->href);
			return err_hint(err, "it was not followed, since the token would go there");
		}
	} else {
		url = arena_printf(a, "%s%s", conn->base, req->path ? req->path : "");
	}
	if (req->query && *req->query)
		url = arena_printf(a, "%s%c%s", url, strchr(url, '?') ? '&' : '?', req->query);
	*ret = url;
	return 0;
}
