/* SPDX-License-Identifier: Apache-2.0 */
/* The pages, as a person uses them: forms are posted, and what a page shows is what they know. */
#include <inttypes.h>
#include <string.h>

#include "core/base/when.h"
#include "providers/sim/person_private.h"

/* ---- requests as a browser makes them ---- */

static size_t split(struct arena *a, const char *path, const char **segments, size_t max)
{
	size_t n = 0;

	for (const char *p = path; *p == '/' && n + 1 < max;) {
		size_t len = strcspn(p + 1, "/");

		segments[n++] = arena_strndup(a, p + 1, len);
		p += 1 + len;
	}
	segments[n] = NULL;
	return n;
}

static void send(struct person *p, const char *method, const char *path, const struct value *form,
		 struct arena *a, struct twin_resp *resp)
{
	const char *segments[12], *mark = strchr(path, '?');
	struct value *query = value_map(a);
	const char *bare = mark != NULL ? arena_strndup(a, path, (size_t)(mark - path)) : path;
	struct twin_req req = { .method = method,
				.path = bare,
				.segments = segments,
				.query = query,
				.headers = value_map(a),
				.body = form,
				.raw_body = "",
				.origin = "https://pages.example",
				.arena = a };

	for (const char *at = mark; at != NULL; at = strchr(at + 1, '&')) {
		size_t name = strcspn(at + 1, "="), text = strcspn(at + 1, "&");

		if (name < text)
			value_set(a, query, arena_strndup(a, at + 1, name),
				  value_string(a,
					       arena_strndup(a, at + 2 + name, text - name - 1)));
	}
	req.segment_count = split(a, bare, segments, ARRAY_LEN(segments));
	world_answer(p->w, &req, resp);
}

const char *page_get(struct person *p, const char *path, struct arena *a)
{
	struct twin_resp resp;

	send(p, "GET", path, NULL, a, &resp);
	return resp.status == 200 && resp.text != NULL ? resp.text : "";
}

bool page_post(struct person *p, const char *path, const struct value *form, struct arena *a)
{
	struct twin_resp resp;

	send(p, "POST", path, form, a, &resp);
	/* What a page refuses it says where it leads back to. */
	for (size_t i = 0; i < ARRAY_LEN(resp.headers) && resp.headers[i].name != NULL; i++) {
		if (strcmp(resp.headers[i].name, "Location") == 0 &&
		    strstr(resp.headers[i].value, "notice=") != NULL)
			return false;
	}
	return resp.status == 303;
}

const char *page_attribute(const char *page, const char *id, const char *name, struct arena *a)
{
	const char *at = strstr(page, arena_printf(a, " id=\"%s\"", id)), *end, *value;

	if (at == NULL)
		return NULL;
	end = strchr(at, '>');
	value = strstr(at, arena_printf(a, "data-%s=\"", name));
	if (value == NULL || end == NULL || value > end)
		return NULL;
	value = strchr(value, '"') + 1;
	return arena_strndup(a, value, strcspn(value, "\""));
}

/* ---- the console ---- */

static struct project *titled(struct person *p, const char *title)
{
	struct project *found = NULL;

	for (size_t i = 0; i < p->w->console.org_count; i++) {
		struct organization *o = p->w->console.orgs[i];

		for (size_t k = 0; k < o->project_count; k++) {
			if (o->projects[k]->deleted || strcmp(o->projects[k]->title, title) != 0)
				continue;
			if (found != NULL)
				return NULL; /* which of them? */
			found = o->projects[k];
		}
	}
	return found;
}

/* The ids in the page's address are exact; without them the list of projects is searched for the title. */
static struct project *told_project(struct person *p, const struct sim_env *e,
				    const struct instruction *in, struct arena *a)
{
	const char *ids = in->page != NULL ? strstr(in->page, "/projects/") : NULL, *title;
	struct project *found = NULL;

	if (ids != NULL && (ids = strchr(ids + 10, '/')) != NULL)
		found = console_project_of_id(p->w,
					      arena_strndup(a, ids + 1, strcspn(ids + 1, "/")));
	if (found == NULL &&
	    (title = person_told(in, "project '", "' of organization ", a)) != NULL)
		found = titled(p, title);
	if (found == NULL && (ids = person_told(in, "project ", " of organization ", a)) != NULL)
		found = console_project_of_id(p->w, ids);
	if (found == NULL && in->page != NULL && strstr(in->page, "/projects/") == NULL &&
	    e->project_id != NULL)
		found = console_project_of_id(p->w, e->project_id); /* their own, which they know */
	return found;
}

struct credential *page_credential(struct person *p, const struct sim_env *e,
				   const struct instruction *in, struct arena *a)
{
	const struct project *project = told_project(p, e, in, a);

	for (size_t i = 0; project != NULL && i < project->space_count; i++) {
		for (size_t k = 0; k < project->spaces[i]->cred_count; k++) {
			if (project->spaces[i]->creds[k]->state != CRED_DELETED)
				return project->spaces[i]->creds[k];
		}
	}
	return NULL;
}

static const char *project_path(const struct credential *c, struct arena *a)
{
	return arena_printf(a, "/pages/console/projects/%s", c->workspace->project->id);
}

const char *page_card(struct person *p, const struct credential *c, const char *name,
		      struct arena *a)
{
	return page_attribute(page_get(p, project_path(c, a), a),
			      arena_printf(a, "credential-%s", c->id), name, a);
}

bool page_press(struct person *p, const struct credential *c, const char *act, const char *title,
		struct arena *a)
{
	struct value *form = value_map(a);

	value_set(a, form, "credential", value_string(a, c->id));
	if (title != NULL)
		value_set(a, form, "project_title", value_string(a, title));
	return page_post(p, arena_printf(a, "%s/%s", project_path(c, a), act), form, a);
}

/* ---- facts, as the pages tell them ---- */

static const char *yes(bool b)
{
	return b ? "true" : "false";
}

static const char *project_fact(const struct credential *c, const char *name, struct arena *a)
{
	const struct workspace *s = c->workspace;

	(void)a;
	if (strcmp(name, "org_id") == 0)
		return s->project->org->id;
	if (strcmp(name, "ims_org") == 0)
		return s->project->org->ims;
	if (strcmp(name, "project_id") == 0)
		return s->project->id;
	if (strcmp(name, "title") == 0)
		return s->project->title;
	if (strcmp(name, "workspace_id") == 0)
		return s->id;
	if (strcmp(name, "workspace") == 0)
		return s->name;
	return strcmp(name, "auto_generated") == 0 ? yes(s->project->auto_generated) : NULL;
}

static const char *credential_fact(const struct credential *c, const char *name, struct arena *a)
{
	(void)a;
	if (strcmp(name, "type") == 0)
		return c->state == CRED_JWT_ONLY ? "service" :
		       c->state == CRED_STARTED  ? "migrate" :
						   "oauth";
	if (strcmp(name, "credential_id") == 0)
		return c->id;
	if (strcmp(name, "oauth_id") == 0)
		return c->oauth_id;
	return strcmp(name, "rows") == 0 ? "1" : NULL;
}

static const char *client_fact(const struct credential *c, const char *name, struct arena *a)
{
	(void)a;
	if (strcmp(name, "client_id") == 0)
		return c->client_id;
	if (strcmp(name, "technical_account_id") == 0)
		return c->technical_account_id;
	if (strcmp(name, "technical_account_email") == 0)
		return c->technical_account_email;
	return strcmp(name, "read_only") == 0 ? yes(c->read_only) : NULL;
}

static const char *certificate_fact(const struct credential *c, const char *name, struct arena *a)
{
	char text[WHEN_TEXT_MAX];

	if (strcmp(name, "count") == 0)
		return c->certificate_ends != 0 ? "1" : "0";
	if (strcmp(name, "not_after") != 0)
		return NULL;
	return c->certificate_ends != 0 ? arena_strdup(a, when_text(text, c->certificate_ends)) :
					  "0";
}

static const char *migration_fact(const struct credential *c, const char *name, struct arena *a)
{
	(void)a;
	if (strcmp(name, "status") != 0)
		return NULL;
	switch (c->state) {
	case CRED_JWT_ONLY:
		return "NOT_STARTED";
	case CRED_STARTED:
		return "STARTED";
	case CRED_COMPLETED:
		return "COMPLETED";
	case CRED_BORN_OAUTH:
		return "NONE";
	case CRED_DELETED:
		break;
	}
	return NULL;
}

static const struct {
	const char *thing;
	const char *(*fact)(const struct credential *c, const char *name, struct arena *a);
} on_console[] = {
	{ "console.project", project_fact },     { "console.credential", credential_fact },
	{ "console.client", client_fact },       { "console.certificate", certificate_fact },
	{ "console.migration", migration_fact },
};

static const char *settings_fact(struct person *p, const struct app *app, const char *name,
				 struct arena *a)
{
	const char *page = page_get(p, arena_printf(a, "/pages/app/%s/settings", app->instance), a);
	const char *shown;

	if (strcmp(name, "technical_account_id") == 0)
		return app->technical_account_id;
	if (strcmp(name, "organization_id") == 0)
		return app->organization_id;
	if (strcmp(name, "url") == 0)
		return app->url;
	if (strcmp(name, "auth_type") == 0)
		return page_attribute(page, "settings", "auth-type", a);
	if (strcmp(name, "client_id") == 0)
		return page_attribute(page, "settings", "client-id", a);
	if (strcmp(name, "pending_edits") == 0)
		return page_attribute(page, "settings", "pending-edits", a);
	shown = strcmp(name, "saved_at") == 0 ? page_attribute(page, "settings", "saved-at", a) :
						NULL;
	return shown != NULL && *shown == '\0' ? "0" : shown;
}

static const char *workflow_fact(struct person *p, const struct app *app, const char *name,
				 struct arena *a)
{
	const char *page =
		page_get(p, arena_printf(a, "/pages/app/%s/workflows", app->instance), a);
	const char *tail = strstr(name, "_backlog");

	if (strcmp(name, "pending_edits") == 0 || strcmp(name, "scheduled_replay") == 0) {
		const char *attribute = *name == 'p' ? "pending-edits" : "scheduled-replay";

		return strstr(page, arena_printf(a, "data-%s=\"true\"", attribute)) ? "true" :
										      "false";
	}
	if (tail != NULL)
		return page_attribute(page,
				      arena_printf(a, "workflow-%.*s", (int)(tail - name), name),
				      "backlog", a);
	return page_attribute(page, arena_printf(a, "workflow-%s", name), "status", a);
}

static bool is(const char *thing, const char *wanted)
{
	return thing == NULL || strcmp(thing, wanted) == 0;
}

const char *page_fact(struct person *p, const struct sim_env *e, const char *thing,
		      const char *name, struct arena *a)
{
	const struct instruction own = { .page = "" };
	const struct credential *c = page_credential(p, e, &own, a);
	const struct app *app = app_find(p->w, e->instance);
	const char *text = NULL;

	for (size_t i = 0; i < ARRAY_LEN(on_console) && text == NULL && c != NULL; i++) {
		if (is(thing, on_console[i].thing))
			text = on_console[i].fact(c, name, a);
	}
	if (text == NULL && c != NULL && strcmp(name, "oauth_last_used") == 0)
		text = page_card(p, c, "last-used-oauth", a);
	if (text == NULL && c != NULL && strcmp(name, "jwt_last_used") == 0)
		text = page_card(p, c, "last-used-jwt", a);
	if (text == NULL && app != NULL && thing != NULL && strcmp(thing, "app.settings") == 0)
		text = settings_fact(p, app, name, a);
	if (text == NULL && app != NULL && is(thing, "app.workflow"))
		text = workflow_fact(p, app, name, a);
	return text;
}
