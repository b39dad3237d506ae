/* SPDX-License-Identifier: Apache-2.0 */
/* Projects, credentials, apps and tenants, as recorded; as they plainly are where nobody recorded anything. */
#include <stdlib.h>
#include <string.h>

#include "core/base/when.h"
#include "providers/sim/model_private.h"

static struct value *inside(const struct value *map, const char *key)
{
	return value_get_pair(map, key)->val;
}

static struct value *find(const struct value *list, const char *key, const char *text)
{
	for (size_t i = 0; text != NULL && i < value_count(list); i++) {
		const char *have = value_text(value_get(value_at(list, i), key));

		if (have != NULL && strcmp(have, text) == 0)
			return list->u.list.items[i];
	}
	return NULL;
}

/* A recorded instant (ms) as the world's document wants it; NULL: none. */
static const char *instant(const struct sketch *s, const struct model_env *e, const char *thing,
			   const char *name)
{
	const char *ms = model_fact(s, e, thing, name);
	char text[WHEN_TEXT_MAX];
	long long n = ms != NULL ? strtoll(ms, NULL, 10) : 0;

	return n > 0 ? arena_strdup(s->a, when_text(text, n)) : NULL;
}

/* ---- the console ---- */

static struct value *organization(struct sketch *s, const struct model_env *e)
{
	const char *ims = model_want(e, "project.organization");
	const char *id = model_fact(s, e, "console.project", "org_id");
	struct value *o = find(s->orgs, "ims", ims);

	if (o != NULL)
		return o;
	o = model_map(s, s->orgs);
	model_set(s, o, "id",
		  id != NULL ? id : arena_printf(s->a, "%zu", 90000 + value_count(s->orgs)));
	model_set(s, o, "ims", ims);
	(void)model_list(s, o, "projects");
	return o;
}

static struct value *project(struct sketch *s, const struct model_env *e, struct sim_env *x)
{
	struct value *o = organization(s, e), *projects = inside(o, "projects"), *p, *space;
	const char *id = model_fact(s, e, "console.project", "project_id"),
		   *title = model_fact(s, e, "console.project", "title"),
		   *workspace = model_fact(s, e, "console.project", "workspace"),
		   *workspace_id = model_fact(s, e, "console.project", "workspace_id");

	id = id != NULL ? id : model_want(e, "project.id");
	title = title != NULL ? title : model_want(e, "project.title");
	p = id != NULL ? find(projects, "id", id) : find(projects, "title", title);
	if (p == NULL) {
		p = model_map(s, projects);
		model_set(s, p, "id",
			  id != NULL ? id :
				       arena_printf(s->a, "%zu%04zu", value_count(s->orgs),
						    1000 + value_count(projects)));
		model_set(s, p, "title", title != NULL ? title : x->name);
		model_set(s, p, "auto_generated",
			  model_fact(s, e, "console.project", "auto_generated"));
		workspace = workspace != NULL ? workspace : model_want(e, "project.workspace");
		space = model_map(s, model_list(s, p, "workspaces"));
		model_set(s, space, "id",
			  workspace_id != NULL ?
				  workspace_id :
				  arena_printf(s->a, "%s9", value_text(value_get(p, "id"))));
		model_set(s, space, "name", workspace != NULL ? workspace : "Production");
		(void)model_list(s, space, "credentials");
	}
	x->project_id = value_text(value_get(p, "id"));
	x->title = value_text(value_get(p, "title"));
	return p;
}

static const char *state_of(enum sim_live l)
{
	switch (l) {
	case LIVE_STARTED:
	case LIVE_STARTED_SWITCHED:
	case LIVE_STARTED_UNRESTARTED:
		return "started";
	case LIVE_CONVERTED:
	case LIVE_CONVERTED_FAILED:
	case LIVE_DONE:
		return "completed";
	case LIVE_NEVER_JWT:
		return "born_oauth";
	case LIVE_JWT_ONLY:
	case LIVE_APP_AHEAD:
	case LIVE_OTHER_CLIENT:
	case LIVE_FILE_CLIENT:
	case LIVE_CONFLICT:
	case LIVE_NO_PROJECT:
	case LIVE_TWO_PROJECTS:
	case LIVE_GENERATED:
	case LIVE_READ_ONLY:
	case LIVE_COUNT:
		break;
	}
	return "jwt_only";
}

/* Scopes that the file asks for have to be there, and product profiles that open the tenant. */
static void add_texts(struct sketch *s, struct value *cred, const struct model_env *e,
		      const struct sim_env *x)
{
	const struct value *scopes = value_get(value_get(value_get(e->facts, "console.client"),
							 "facts"),
					       "scopes"),
			   *more = value_path(e->want, "credential.scopes");
	struct value *list;

	if (value_count(scopes) > 0) {
		list = model_list(s, cred, "scopes");
		for (size_t i = 0; i < value_count(scopes); i++)
			value_list_add(s->a, list, value_copy(s->a, value_at(scopes, i)));
		for (size_t i = 0; i < value_count(more); i++)
			value_list_add(s->a, list, value_copy(s->a, value_at(more, i)));
	}
	list = model_list(s, cred, "profiles");
	value_list_add(s->a, list, value_string(s->a, x->tenant));
}

static void add_uses(struct sketch *s, struct value *cred, const struct model_env *e)
{
	const char *certificate = instant(s, e, "console.certificate", "not_after"),
		   *jwt = instant(s, e, "console.usage", "jwt_last_used"),
		   *oauth = instant(s, e, "console.usage", "oauth_last_used"),
		   *state = value_text(value_get(cred, "state"));

	if (strcmp(state, "jwt_only") == 0 || strcmp(state, "started") == 0) {
		model_set(s, cred, "certificate_ends", certificate);
		model_set(s, cred, "jwt_last_used", jwt != NULL ? jwt : "-2h");
	}
	model_set(s, cred, "oauth_last_used", oauth);
}

/*
 * Seen from outside: JWT is still used although this app has restarted on OAuth. By another app, that is, since a restart mints anew
 * at once.
 */
static void add_consumer(struct sketch *s, size_t i)
{
	const struct model_env *e = &s->in[i];
	const char *used = model_fact(s, e, "console.usage", "jwt_last_used"),
		   *started = model_fact(s, e, "app.workflow", "started_at"),
		   *auth = model_fact(s, e, "app.settings", "auth_type");
	struct value *one;

	if (used == NULL || started == NULL || auth == NULL || strcmp(auth, "oauth") != 0 ||
	    value_count(value_get(e->want, "consumers")) > 0)
		return;
	if (strtoll(started, NULL, 10) == 0 ||
	    strtoll(used, NULL, 10) <= strtoll(started, NULL, 10) + WHEN_MINUTE)
		return;
	one = model_map(s, s->consumers);
	model_set(s, one, "name", "undeclared");
	model_set(s, one, "client_id", s->envs[i].client_id);
	model_set(s, one, "grant", "jwt");
	model_set(s, one, "every", "2h");
}

/* Environments of one client share one credential, and the text of its secret. */
void model_project(struct sketch *s, size_t i)
{
	const struct model_env *e = &s->in[i];
	struct sim_env *x = &s->envs[i];
	const struct value_pair *have = value_get_pair(s->by_client, x->client_id);
	const struct value *p, *first = have != NULL ? have->val : NULL;
	const char *id = model_fact(s, e, "console.credential", "credential_id"),
		   *there = model_fact(s, e, "local.secret", "credential.client_secret");
	bool late = value_bool_or(value_path(e->want, "credential.client_secret.late"), false);
	bool present = there != NULL ? strcmp(there, "true") == 0 : !late || x->live > LIVE_STARTED;
	struct value *cred;

	p = project(s, e, x);
	if (first != NULL) {
		value_list_add(s->a, inside(first, "profiles"), value_string(s->a, x->tenant));
		(void)!model_secret(s, x->secret_ref, value_text(value_get(first, "client_secret")),
				    present);
		x->credential_id = value_text(value_get(first, "id"));
		return;
	}
	cred = model_map(s, inside(value_at(value_get(p, "workspaces"), 0), "credentials"));
	value_set(s->a, s->by_client, x->client_id, cred);
	model_set(s, cred, "id", id != NULL ? id : arena_printf(s->a, "%zu", 700001 + i));
	model_set(s, cred, "client_id", x->client_id);
	model_set(s, cred, "client_secret", model_secret(s, x->secret_ref, NULL, present));
	model_set(s, cred, "technical_account_id",
		  model_fact(s, e, "console.client", "technical_account_id"));
	model_set(s, cred, "technical_account_email",
		  model_fact(s, e, "console.client", "technical_account_email"));
	model_set(s, cred, "read_only", model_fact(s, e, "console.client", "read_only"));
	model_set(s, cred, "state", state_of(x->live));
	add_consumer(s, i);
	add_texts(s, cred, e, x);
	add_uses(s, cred, e);
	x->credential_id = value_text(value_get(cred, "id"));
}

/* ---- app and tenant ---- */

static bool is_oauth(const struct sketch *s, size_t i)
{
	const char *auth = model_fact(s, &s->in[i], "app.settings", "auth_type");

	if (auth != NULL)
		return strcmp(auth, "oauth") == 0;
	return s->envs[i].live == LIVE_DONE || s->envs[i].live == LIVE_NEVER_JWT;
}

static void add_settings(struct sketch *s, struct value *app, size_t i)
{
	const char *client = model_fact(s, &s->in[i], "app.settings", "client_id");
	struct value *settings = value_map(s->a);

	value_set(s->a, app, "settings", settings);
	model_set(s, settings, "auth_type", is_oauth(s, i) ? "oauth" : "jwt");
	model_set(s, settings, "client_id",
		  client != NULL && *client != '\0' ? client : s->envs[i].client_id);
	model_set(s, settings, "url",
		  arena_printf(s->a, "https://mc.adobe.io/%s", s->envs[i].instance));
	model_set(s, settings, "saved_at", instant(s, &s->in[i], "app.settings", "saved_at"));
}

static void add_flows(struct sketch *s, struct value *app, size_t i)
{
	static const char *const names[] = { "ingress", "egress", "opt-in-out" };
	const struct model_env *e = &s->in[i];
	struct value *flows = value_map(s->a);

	value_set(s->a, app, "workflows", flows);
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		struct value *f = value_map(s->a);
		const char *status = model_fact(s, e, "app.workflow", names[k]);

		status = status != NULL ? status : "RUNNING";
		value_set(s->a, flows, names[k], f);
		model_set(s, f, "status", status);
		model_set(s, f, "backlog",
			  model_fact(s, e, "app.workflow",
				     arena_printf(s->a, "%s_backlog", names[k])));
		if (strcmp(status, "RUNNING") == 0)
			model_set(s, f, "started_at", instant(s, e, "app.workflow", "started_at"));
		if (k > 0)
			continue;
		model_set(s, f, "pending_edits", model_fact(s, e, "app.workflow", "pending_edits"));
		model_set(s, f, "scheduled_replay",
			  model_fact(s, e, "app.workflow", "scheduled_replay"));
	}
}

static void add_tenant(struct sketch *s, size_t i)
{
	const struct model_env *e = &s->in[i];
	const char *filter = model_want(e, "campaign.filter.name"),
		   *parameter = model_want(e, "campaign.filter.parameter"),
		   *optout = model_want(e, "campaign.opt_out_workflow");
	struct value *t, *filters, *one;

	if (find(s->tenants, "tenant", s->envs[i].tenant) != NULL)
		return;
	t = model_map(s, s->tenants);
	model_set(s, t, "tenant", s->envs[i].tenant);
	if (filter != NULL && parameter != NULL) {
		filters = value_map(s->a);
		one = value_map(s->a);
		value_set(s->a, t, "filters", filters);
		/* Addresses write "by" in front of a filter's name. */
		value_set(s->a, filters,
			  strncmp(filter, "by", 2) == 0 ? filter :
							  arena_printf(s->a, "by%s", filter),
			  one);
		model_set(s, one, "param", parameter);
		model_set(s, one, "field", "externalId");
	}
	if (optout != NULL) {
		one = model_map(s, model_list(s, t, "workflows"));
		model_set(s, one, "id", optout);
		model_set(s, one, "state", "started");
	}
}

void model_app(struct sketch *s, size_t i)
{
	const struct sim_env *x = &s->envs[i];
	struct value *app;

	add_tenant(s, i);
	if (find(s->apps, "instance", x->instance) != NULL)
		return; /* two environments of one app: the first one tells how it stands */
	app = model_map(s, s->apps);
	model_set(s, app, "instance", x->instance);
	model_set(s, app, "campaign", x->tenant);
	model_set(s, app, "dynamics", x->org);
	add_settings(s, app, i);
	add_flows(s, app, i);
}
