/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/plan/rollout_private.h"

/* The last connection of a type that was finished, with what its token_url rests on. */
struct finished {
	const struct value *from, *token_base, *made;
};
struct conn_finisher {
	struct arena *arena;
	struct diags *diags;
	const struct registry *reg;
	const struct connection_type **types;
	size_t type_count;
	const struct value *last_from, *last_made; /* whole `connections` maps */
	struct finished *last;                     /* by type */
};

struct conn_finisher *conn_finisher_new(const struct registry *reg, struct arena *a,
					struct diags *d)
{
	struct conn_finisher *cf = ARENA_NEW(a, struct conn_finisher);
	cf->arena = a;
	cf->diags = d;
	cf->reg = reg;
	while (rollout_conn_type(reg, cf->type_count))
		cf->type_count++;
	cf->types = arena_array(a, cf->type_count, sizeof(*cf->types));
	for (size_t n = 0; n < cf->type_count; n++)
		cf->types[n] = rollout_conn_type(reg, n);
	cf->last = arena_array(a, cf->type_count, sizeof(*cf->last));
	return cf;
}

/* A map of its own with the same children, to be changed. */
static struct value *shallow(struct arena *a, const struct value *map)
{
	struct value *own = value_map(a);
	own->pos = map->pos;
	for (size_t i = 0; i < map->u.map.count; i++) {
		const struct value_pair *p = &map->u.map.pairs[i];
		value_set(a, own, p->key, p->val);
		own->u.map.pairs[i].key_pos = p->key_pos;
	}
	return own;
}

static struct value *text_at(struct arena *a, const char *text, struct src_pos pos)
{
	struct value *v = value_string(a, text);
	v->pos = pos;
	return v;
}

static const struct value *clean_prefix(struct conn_finisher *cf,
					const struct connection_type *type,
					const struct value *conn)
{
	const struct value *prefix = value_get(conn, "prefix");
	const char *text = value_text_or(prefix, "");
	size_t len = strlen(text);
	if (*text && (*text != '/' || strpbrk(text, " ?#"))) {
		diags_add(
			cf->diags, DIAG_ERROR, prefix->pos, "bad-prefix", "as in /gateway/v1",
			"connections.%s.prefix has to begin with '/' and hold no blank, '?' or '#'",
			type->name);
		return conn;
	}
	if (!len || text[len - 1] != '/')
		return conn;
	while (len && text[len - 1] == '/')
		len--;
	struct value *own = shallow(cf->arena, conn);
	value_set(cf->arena, own, "prefix",
		  text_at(cf->arena, arena_strndup(cf->arena, text, len), prefix->pos));
	return own;
}

/*
 * Where requests of a connection begin. A connection that the environment does not have still has
 * its type's address.
 */
static const char *base_of(struct conn_finisher *cf, const struct connection_type *type,
			   const struct value *conn)
{
	const char *url = value_text(value_get(conn, "url")),
		   *prefix = value_text(value_get(conn, "prefix"));
	if (!url)
		url = type->url_default;
	if (!prefix)
		prefix = type->prefix_default ? type->prefix_default : "";
	size_t len = strlen(prefix);
	while (len && prefix[len - 1] == '/')
		len--;
	return url ? arena_printf(cf->arena, "%s%.*s", url, (int)len, prefix) : NULL;
}

/* `token_conn` is the connection of the environment that mints for this type; may be NULL. */
static const char *token_url(struct conn_finisher *cf, const struct connection_type *type,
			     const struct value *conn, const struct value *token_conn,
			     const struct value *auth)
{
	const struct connection_type *minter =
		type->token_conn ? registry_connection(cf->reg, type->token_conn) : type;
	if (!type->token_path)
		return NULL; /* required, and told by the table */
	const char *base =
		minter ? base_of(cf, minter, type->token_conn ? token_conn : conn) : NULL;
	if (base)
		return arena_printf(cf->arena, "%s%s", base, type->token_path);
	diags_add(cf->diags, DIAG_ERROR, auth->pos, "token-url",
		  "write auth.token_url, or the connection",
		  "connection '%s' mints its token at connection '%s', which has no url",
		  type->name, type->token_conn ? type->token_conn : type->name);
	return NULL;
}

static const struct value *finish_auth(struct conn_finisher *cf, const struct connection_type *type,
				       const struct value *conn, const struct value *token_conn)
{
	const struct value *auth = value_get(conn, "auth"),
			   *client_id = value_get(auth, "client_id");
	const char *kind = value_text(value_get(auth, "kind"));
	if (!kind || strcmp(kind, AUTH_CLIENT))
		return conn;
	const char *url =
		value_get(auth, "token_url") ? NULL : token_url(cf, type, conn, token_conn, auth);
	bool wants_key = type->api_key_header && client_id && !value_get(auth, "api_key");
	if (!url && !wants_key)
		return conn;
	struct value *own_auth = shallow(cf->arena, auth), *own = shallow(cf->arena, conn);
	if (url)
		value_set(cf->arena, own_auth, "token_url",
			  text_at(cf->arena, url, (struct src_pos){ 0 }));
	if (wants_key)
		value_set(cf->arena, own_auth, "api_key", client_id);
	value_set(cf->arena, own, "auth", own_auth);
	return own;
}

static const struct value *finish_one(struct conn_finisher *cf, size_t n, const struct value *conns)
{
	const struct connection_type *type = cf->types[n];
	const struct value *conn = value_get(conns, type->name),
			   *token_conn =
				   type->token_conn ? value_get(conns, type->token_conn) : NULL;
	struct finished *last = &cf->last[n];
	if (!conn)
		return NULL;
	if (last->from == conn && last->token_base == token_conn)
		return last->made;
	const struct value *made = finish_auth(cf, type, clean_prefix(cf, type, conn), token_conn);
	*last = (struct finished){ conn, token_conn, made };
	return made;
}

const struct value *conn_finish(struct conn_finisher *cf, const struct value *conns)
{
	if (!conns || cf->last_from == conns)
		return conns ? cf->last_made : NULL;
	struct value *own = NULL;
	for (size_t n = 0; n < cf->type_count; n++) {
		const char *name = cf->types[n]->name;
		const struct value *made = finish_one(cf, n, conns);
		if (made == value_get(conns, name))
			continue;
		if (!own)
			own = shallow(cf->arena, conns);
		value_set(cf->arena, own, name, made);
	}
	cf->last_from = conns;
	cf->last_made = own ? own : conns;
	return cf->last_made;
}
