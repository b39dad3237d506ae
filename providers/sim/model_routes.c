/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: where their addresses lead, and who signs in there. */
#include <string.h>

#include "providers/sim/model_private.h"

static int route(struct sketch *s, const char *env, const char *base, const char *path,
		 struct err *err)
{
	struct sim_route r = { arena_strdup(s->a, base), arena_strdup(s->a, path) };

	for (size_t i = 0; i < s->c->route_count; i++) {
		if (strcmp(s->routes[i].base, base) != 0)
			continue;
		if (strcmp(s->routes[i].path, path) == 0)
			return 0;
		return err_set(err, E_PLAN, "environment '%s': two systems share the address %s",
			       env, base);
	}
	s->routes =
		arena_grow(s->a, s->routes, s->c->route_count, &s->route_cap, sizeof(*s->routes));
	s->routes[s->c->route_count++] = r;
	return 0;
}

/* Links in answers begin where the host does, whatever prefix a gateway has. Another system's address may be just that: then it is theirs. */
static void route_links(struct sketch *s, const char *url, const char *path)
{
	const char *host = strstr(url, "://");
	size_t len = host != NULL ? (size_t)(host - url) + 3 + strcspn(host + 3, "/") : strlen(url);
	struct err taken = ERR_INIT;

	(void)!route(s, "", arena_printf(s->a, "%.*s%s", (int)len, url, path), path, &taken);
}

static const struct value *connection(const struct sketch *s, size_t i, const char *name)
{
	return value_get(value_get(s->in[i].want, "connections"), name);
}

static const char *base_of(const struct sketch *s, const struct value *conn)
{
	return arena_printf(s->a, "%s%s", value_text_or(value_get(conn, "url"), ""),
			    value_text_or(value_get(conn, "prefix"), ""));
}

static const struct value *find(const struct value *list, const char *key, const char *text)
{
	for (size_t i = 0; i < value_count(list); i++) {
		const char *have = value_text(value_get(value_at(list, i), key));

		if (have != NULL && strcmp(have, text) == 0)
			return value_at(list, i);
	}
	return NULL;
}

static bool is_migrated(const struct sketch *s, const char *client_id)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->envs[i].client_id, client_id) == 0)
			return true;
	}
	return false;
}

/* A client of IMS, or the migrated one itself, whose secret its credential has. */
static void add_caller(struct sketch *s, const struct value *auth)
{
	const char *id = value_text(value_get(auth, "client_id"));
	const char *ref = value_text(value_path(auth, "client_secret.ref"));
	struct value *c, *may;

	if (id == NULL || ref == NULL || is_migrated(s, id))
		return;
	if (find(s->callers, "client_id", id) != NULL) {
		/* The same client under another reference has the same secret. */
		(void)!model_secret(s, ref,
				    value_text(value_get(find(s->callers, "client_id", id),
							 "client_secret")),
				    true);
		return;
	}
	c = model_map(s, s->callers);
	model_set(s, c, "client_id", id);
	model_set(s, c, "client_secret", model_secret(s, ref, NULL, true));
	may = model_list(s, c, "may");
	value_list_add(s->a, may, value_string(s->a, "campaign"));
	value_list_add(s->a, may, value_string(s->a, "console"));
}

static void sign_in(struct sketch *s, const struct value *conn)
{
	const struct value *auth = value_get(conn, "auth");
	const char *token = value_text(value_path(auth, "token.ref"));
	const char *text;

	add_caller(s, auth);
	if (token == NULL)
		return;
	text = model_secret(s, token, NULL, true);
	if (find(s->users, "token", text) == NULL)
		model_set(s, model_map(s, s->users), "token", text);
}

static int add_ims(struct sketch *s, size_t i, const struct value *conn, struct err *err)
{
	const char *own = value_text(value_path(conn, "auth.token_url"));
	const struct value *ims = connection(s, i, "ims");

	if (ims != NULL && route(s, s->in[i].name, base_of(s, ims), "", err) < 0)
		return -E_PLAN;
	return own != NULL ? route(s, s->in[i].name, own, "/ims/token/v3", err) : 0;
}

static int add_console(struct sketch *s, size_t i, struct err *err)
{
	const struct value *conn = connection(s, i, "console");

	if (conn == NULL)
		return 0;
	sign_in(s, conn);
	return route(s, s->in[i].name, base_of(s, conn), "/console", err) < 0 ?
		       -E_PLAN :
		       add_ims(s, i, conn, err);
}

static int add_bridge(struct sketch *s, size_t i, struct err *err)
{
	const struct value *conn = connection(s, i, "bridge");
	const char *ref = value_text(value_path(conn, "auth.token.ref"));
	const struct value_pair *have = value_get_pair(s->world, "bridge");
	struct value *b, *list;

	if (conn == NULL || ref == NULL)
		return 0;
	/* The world has one bridge; however many references lead to its token, it is one. */
	b = have != NULL ? have->val : value_map(s->a);
	if (have == NULL) {
		value_set(s->a, s->world, "bridge", b);
		model_set(s, b, "token", model_secret(s, ref, NULL, true));
		(void)model_list(s, b, "forbidden");
	} else {
		(void)!model_secret(s, ref, value_text(value_get(b, "token")), true);
	}
	if (model_denied(&s->in[i], "app.settings")) {
		list = value_get_pair(b, "forbidden")->val;
		value_list_add(s->a, list, value_string(s->a, s->envs[i].instance));
	}
	return route(s, s->in[i].name, base_of(s, conn), "/bridge", err);
}

static int add_campaign(struct sketch *s, size_t i, struct err *err)
{
	const struct value *conn = connection(s, i, "campaign");
	const char *ref = value_text(value_path(conn, "auth.token.ref"));

	if (conn == NULL)
		return 0;
	add_caller(s, value_get(conn, "auth"));
	if (ref != NULL)
		(void)!model_secret(s, ref, NULL,
				    true); /* what it opens is nobody's: see the header */
	if (route(s, s->in[i].name, base_of(s, conn), "", err) < 0 || add_ims(s, i, conn, err) < 0)
		return -E_PLAN;
	route_links(s, base_of(s, conn), arena_printf(s->a, "/%s", s->envs[i].tenant));
	return 0;
}

/* ---- Dynamics ---- */

/* "acme" of "https://acme.api.crm.dynamics.com/...". */
static const char *org_name(const struct sketch *s, const char *url)
{
	const char *host = strstr(url, "://");

	host = host != NULL ? host + 3 : url;
	return arena_strndup(s->a, host, strcspn(host, "./:"));
}

static const char *tenant_of(const struct sketch *s, const char *token_url)
{
	const char *path = strstr(token_url, "://");

	path = path != NULL ? strchr(path + 3, '/') : NULL;
	return path != NULL && strcspn(path + 1, "/") > 0 ?
		       arena_strndup(s->a, path + 1, strcspn(path + 1, "/")) :
		       "tenant";
}

static void add_contact(struct sketch *s, struct value *list, const char *id, const char *modified)
{
	struct value *c = model_map(s, list);

	model_set(s, c, "id", id);
	model_set(s, c, "email", arena_printf(s->a, "person%zu@example.com", value_count(list)));
	model_set(s, c, "first", "Pat");
	model_set(s, c, "last", "Example");
	model_set(s, c, "modified", modified);
}

static bool is_guid(const char *id)
{
	return strlen(id) == 36 && strspn(id, "0123456789abcdef-") == 36;
}

static const char *bare_host(const struct sketch *s, const char *url)
{
	const char *host = strstr(url, "://");

	host = host != NULL ? host + 3 : url;
	return arena_strndup(s->a, host, strcspn(host, "/:"));
}

/* The organisation's own name: behind a gateway, or a sandbox, it is the one that tokens are asked for. */
static const char *host_of(const struct sketch *s, const char *url, const struct value *scopes)
{
	static const char domain[] = ".dynamics.com";
	const char *host = bare_host(s, url), *scope = value_text(value_at(scopes, 0));
	size_t len = strlen(host), end = sizeof(domain) - 1;

	if (scope == NULL || (len > end && strcmp(host + len - end, domain) == 0))
		return host;
	return bare_host(s, scope);
}

static void add_org(struct sketch *s, size_t i, const struct value *conn, const char *name)
{
	const char *url = value_text_or(value_get(conn, "url"), ""),
		   *ref = value_text(value_path(conn, "auth.client_secret.ref"));
	struct value *o = model_map(s, s->dynamics), *client, *list, *activity = value_map(s->a);

	model_set(s, o, "org", name);
	model_set(s, o, "host", host_of(s, url, value_path(conn, "auth.scopes")));
	model_set(s, o, "tenant",
		  tenant_of(s, value_text_or(value_path(conn, "auth.token_url"), "")));
	client = model_map(s, model_list(s, o, "clients"));
	model_set(s, client, "client_id",
		  value_text_or(value_path(conn, "auth.client_id"), "nobody"));
	model_set(s, client, "client_secret",
		  ref != NULL ? model_secret(s, ref, NULL, true) : "none");
	list = model_list(s, o, "contacts");
	add_contact(s, list, "10000000-0000-4000-a000-000000000001", "-3d");
	add_contact(s, list, "10000000-0000-4000-a000-000000000002", "-2d");
	if (s->envs[i].canary != NULL && is_guid(s->envs[i].canary))
		add_contact(s, list, s->envs[i].canary, "-1d");
	model_set(s, activity, "every", "5m");
	model_set(s, activity, "contact", "10000000-0000-4000-a000-000000000001");
	value_set(s->a, o, "activity", activity);
}

static int add_dynamics(struct sketch *s, size_t i, struct err *err)
{
	const struct value *conn = connection(s, i, "dynamics");
	const char *url = value_text(value_get(conn, "url")), *name, *path,
		   *token = value_text(value_path(conn, "auth.token_url"));

	if (url == NULL)
		return 0;
	name = org_name(s, url);
	/* Two environments of one organisation share it. */
	if (find(s->dynamics, "org", name) == NULL)
		add_org(s, i, conn, name);
	s->envs[i].org = name;
	path = arena_printf(s->a, "/dynamics/%s/api/data/v9.2", name);
	if (route(s, s->in[i].name, base_of(s, conn), path, err) < 0)
		return -E_PLAN;
	route_links(s, url, arena_printf(s->a, "/dynamics/%s", name));
	if (token == NULL)
		return 0;
	return route(s, s->in[i].name, token,
		     arena_printf(s->a, "/entra/%s/oauth2/v2.0/token", tenant_of(s, token)), err);
}

int model_connections(struct sketch *s, size_t i, struct err *err)
{
	return add_console(s, i, err) < 0 || add_bridge(s, i, err) < 0 ||
			       add_campaign(s, i, err) < 0 || add_dynamics(s, i, err) < 0 ?
		       -E_PLAN :
		       0;
}
