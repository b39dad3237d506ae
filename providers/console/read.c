/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/console/read.h"

#include <string.h>

#define PAGE_DEFAULT "https://developer.adobe.com/console"

struct where console_where(const struct view *v)
{
	struct where w = { 0 };

	if (!view_fact_is(v, "console.project", "match", "one"))
		return w;
	w.org_id = view_fact_text(v, "console.project", "org_id");
	w.project_id = view_fact_text(v, "console.project", "project_id");
	w.workspace_id = view_fact_text(v, "console.project", "workspace_id");
	w.credential_id = view_fact_text(v, "console.credential", "credential_id");
	w.oauth_id = view_fact_text(v, "console.credential", "oauth_id");
	w.type = view_fact_text(v, "console.credential", "type");
	return w;
}

enum next console_blind(const char *missing, struct err *err)
{
	err_set(err, E_DENIED, "cannot be asked for while %s is not known", missing);
	return NEXT_FAIL;
}

void console_get(struct http_req *req, const char *path, const char *what)
{
	*req = (struct http_req){ .method = "GET", .conn = "console", .path = path, .what = what };
}

bool console_ok(const struct http_resp *resp)
{
	return http_ok(resp);
}

enum next console_refuse(const struct http_req *req, const struct http_resp *resp, struct err *err)
{
	http_unexpected(req, resp, err);
	return NEXT_FAIL;
}

bool console_flag(const struct value *v)
{
	return value_bool_or(v, false) || value_int_or(v, 0) != 0;
}

void console_fact(struct call *c, const char *name, const struct value *val)
{
	if (!c->facts)
		c->facts = value_map(c->arena);
	value_set(c->arena, c->facts, name, val);
}

void console_fact_text(struct call *c, const char *name, const char *text)
{
	console_fact(c, name, value_string(c->arena, text));
}

void console_default(struct arena *a, struct value *facts, const char *name,
		     const struct value *val)
{
	if (val && val->kind != VAL_NULL && value_is_null(value_get(facts, name)))
		value_set(a, facts, name, val);
}

/* Whether a thing that `thing` needs has been refused, or failed: then one message is enough. */
static bool is_said_above(const struct view *v, const char *thing)
{
	static const char *const above[] = { "console.project", "console.credential", NULL };

	for (const char *const *up = above; *up && strcmp(*up, thing) != 0; up++) {
		const struct observation *o = view_seen(v, *up);
		const char *match = view_fact_text(v, *up, "match");
		const char *type = view_fact_text(v, *up, "type");

		if (o && o->known == KNOWN_FAILED)
			return true;
		if (match && strcmp(match, "one") != 0)
			return true;
		if (type && (strcmp(type, "none") == 0 || strcmp(type, "many") == 0))
			return true;
	}
	return false;
}

bool console_unknown(const struct view *v, struct changes *c, const char *thing,
		     const char *const *facts)
{
	const struct observation *o = view_seen(v, thing);
	const char *why = o && o->why ? o->why : "nobody has looked";

	if (view_known(v, thing))
		return false;
	if (is_said_above(v, thing))
		return true;
	if (o && o->known == KNOWN_FAILED)
		changes_find(c, FIND_REFUSE, "unreadable",
			     "run again; nothing is planned on a guess", "%s could not be read: %s",
			     thing, why);
	else
		changes_attest(c, thing, facts, why, NULL);
	return true;
}

const struct value *console_pair(struct arena *a, const char *name, const char *text)
{
	struct value *map = value_map(a);

	value_set(a, map, name, value_string(a, text));
	return map;
}

const char *console_page(const struct view *v, struct arena *a, const char *tail)
{
	const char *page = value_text_or(view_want(v, "connections.console.page"), PAGE_DEFAULT);
	struct where w = console_where(v);

	if (!w.org_id || !w.project_id)
		return arena_printf(a, "%s/projects", page);
	return arena_printf(a, "%s%s%s", page,
			    http_path(a, "/projects/%s/%s", w.org_id, w.project_id), tail);
}

const char *console_project_text(const struct view *v, struct arena *a)
{
	const char *title = view_fact_text(v, "console.project", "title");
	const char *org = value_text_or(view_want(v, "project.organization"), "?");

	if (!title)
		title = value_text(view_want(v, "project.title"));
	if (title)
		return arena_printf(a, "project '%s' of organization %s", title, org);
	return arena_printf(a, "project %s of organization %s",
			    value_text_or(view_want(v, "project.id"), "?"), org);
}
