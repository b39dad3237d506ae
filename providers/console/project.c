/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project.c - console.project: the organization, project and workspace that a file means, by id.
 *
 * GET /organizations (id: AMS id for paths, code: IMS org id), GET .../projects?title= (exact match; all records when `page` is
 * left out), GET .../projects/{id}, GET .../workspaces: OpenAPI document, read 2026-11-23. It lists 200 and 500 only for one
 * project, so a missing one may come as 500. Project ids exceed 2^53 and are text.
 */
#include <string.h>
#include <strings.h>

#include "core/base/sb.h"
#include "providers/console/read.h"
#include "providers/console/things.h"

static const struct fact facts[] = {
	{ "match", VAL_STRING, FACT_STATE,
	  "one, none, many, no-organization, no-workspace or many-workspaces" },
	{ "ims_org", VAL_STRING, FACT_IDENTITY, "IMS organization id, X@AdobeOrg" },
	{ "org_id", VAL_STRING, FACT_IDENTITY,
	  "first number in the project's address in the console" },
	{ "project_id", VAL_STRING, FACT_IDENTITY,
	  "second number in the project's address in the console" },
	{ "title", VAL_STRING, FACT_STATE, "title of the project as the console shows it" },
	{ "workspace_id", VAL_STRING, FACT_IDENTITY,
	  "id of the workspace, in its downloaded configuration" },
	{ "workspace", VAL_STRING, FACT_STATE, "name of the workspace" },
	{ "auto_generated", VAL_BOOL, FACT_STATE,
	  "made by Adobe, not by a person; nobody else can change it" },
	{ NULL, VAL_NULL, FACT_STATE, NULL },
};
static const char *const to_attest[] = { "org_id",    "project_id",     "title", "workspace_id",
					 "workspace", "auto_generated", NULL };

enum stage { ASK_ORGANIZATIONS, ASK_PROJECT, READ_PROJECT, READ_WORKSPACES };

static enum next matched(struct call *c, const char *match)
{
	console_fact_text(c, "match", match);
	return NEXT_DONE;
}

static enum next ask_project(struct call *c, struct http_req *req)
{
	const char *org = value_text(value_get(c->facts, "org_id"));
	const char *id = value_text(view_want(c->view, "project.id"));

	if (id) {
		console_get(req, http_path(c->arena, "/organizations/%s/projects/%s", org, id),
			    "read project");
		req->flags = REQ_ANY_STATUS; /* its 500 needs words of its own */
	} else {
		console_get(req, http_path(c->arena, "/organizations/%s/projects", org),
			    "find project by title");
		req->query =
			http_query(c->arena, "title",
				   value_text(view_want(c->view, "project.title")), (char *)NULL);
	}
	return NEXT_SEND;
}

static enum next ask_workspaces(struct call *c, struct http_req *req)
{
	console_get(req,
		    http_path(c->arena, "/organizations/%s/projects/%s/workspaces",
			      value_text(value_get(c->facts, "org_id")),
			      value_text(value_get(c->facts, "project_id"))),
		    "list workspaces");
	return NEXT_SEND;
}

static enum next read_organizations(struct call *c, const struct http_resp *last,
				    struct http_req *req, struct err *err)
{
	const char *want = value_text_or(view_want(c->view, "project.organization"), "");
	const char *id;

	console_get(req, "/organizations", "list organizations");
	if (!console_ok(last))
		return console_refuse(req, last, err);
	console_fact_text(c, "ims_org", want);
	if (value_need_kind(last->body, VAL_LIST, "list of organizations", err) < 0)
		return NEXT_FAIL;
	for (size_t i = 0; i < value_count(last->body); i++) {
		const struct value *org = value_at(last->body, i);

		if (strcasecmp(value_text_or(value_get(org, "code"), ""), want) != 0)
			continue;
		if (value_need_id(c->arena, org, "id", &id, err) < 0) {
			err_wrap(err, "organization %s", want);
			return NEXT_FAIL;
		}
		console_fact_text(c, "org_id", id);
		c->stage = READ_PROJECT;
		return ask_project(c, req);
	}
	return matched(c, "no-organization");
}

/* The one workspace that is meant, by name, or because there is no other. */
static enum next pick_workspace(struct call *c, const struct value *list, struct err *err)
{
	const char *want = value_text(view_want(c->view, "project.workspace"));
	CLEANUP(sb_done) struct sb names = SB_INIT(512);
	const struct value *found = NULL;
	const char *id;
	size_t count = 0;

	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *row = value_at(list, i);
		const char *name = value_text_or(value_get(row, "name"), "");

		sb_addf(&names, "%s%s", names.len ? ", " : "", name);
		if (want && strcmp(name, want) != 0)
			continue;
		found = row;
		count++;
	}
	if (count != 1) { /* names are what the reader chooses from */
		console_fact_text(c, "workspace", names.buf);
		return matched(c, count ? "many-workspaces" : "no-workspace");
	}
	if (value_need_id(c->arena, found, "id", &id, err) < 0) {
		err_wrap(err, "workspace");
		return NEXT_FAIL;
	}
	console_fact_text(c, "workspace_id", id);
	console_fact_text(c, "workspace", value_text_or(value_get(found, "name"), ""));
	return matched(c, "one");
}

static enum next take_project(struct call *c, const struct value *project, struct http_req *req,
			      struct err *err)
{
	const struct value *workspaces = value_path(project, "metadata.workspaces");
	const char *id = value_text(view_want(c->view, "project.id"));

	if (!id && value_need_id(c->arena, project, "id", &id, err) < 0) {
		err_wrap(err, "project");
		return NEXT_FAIL;
	}
	console_fact_text(c, "project_id", id);
	console_fact_text(c, "title", value_text_or(value_get(project, "title"), ""));
	/* No field of the API marks the projects that Adobe generates; who made it is the sign nearest to it. */
	console_fact(c, "auto_generated",
		     value_bool(c->arena,
				strcasecmp(value_text_or(value_get(project, "who_created"), ""),
					   "system") == 0));
	if (value_count(workspaces) > 0)
		return pick_workspace(c, workspaces, err);
	c->stage = READ_WORKSPACES;
	return ask_workspaces(c, req);
}

static enum next find_title(struct call *c, const struct value *list, struct http_req *req,
			    struct err *err)
{
	const char *want = value_text_or(view_want(c->view, "project.title"), "");
	CLEANUP(sb_done) struct sb found = SB_INIT(512);
	const struct value *project = NULL;
	size_t count = 0;

	if (value_need_kind(list, VAL_LIST, "list of projects", err) < 0)
		return NEXT_FAIL;
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *row = value_at(list, i);

		if (console_flag(value_get(row, "deleted")) ||
		    strcmp(value_text_or(value_get(row, "title"), ""), want) != 0)
			continue;
		sb_addf(&found, "%s%s (id %s)", count ? ", " : "", want,
			value_text_or(value_get(row, "id"), "not readable"));
		project = row;
		count++;
	}
	if (count == 1)
		return take_project(c, project, req, err);
	if (count > 1)
		console_fact_text(c, "title",
				  found.buf); /* all of them, for whoever has to choose */
	return matched(c, count ? "many" : "none");
}

static enum next read_project(struct call *c, const struct http_resp *last, struct http_req *req,
			      struct err *err)
{
	const char *id = value_text(view_want(c->view, "project.id"));

	(void)ask_project(c, req);
	if (id && last->status == 404)
		return matched(c, "none");
	if (!console_ok(last)) {
		http_unexpected(req, last, err);
		if (id && last->status == 500)
			err_hint(
				err,
				"the console answers 500 for a project that does not exist: look whether %s is the right id",
				id);
		return NEXT_FAIL;
	}
	if (!id)
		return find_title(c, last->body, req, err);
	if (value_need_kind(last->body, VAL_MAP, "project", err) < 0)
		return NEXT_FAIL;
	if (console_flag(value_get(last->body, "deleted")))
		return matched(c, "none");
	return take_project(c, last->body, req, err);
}

static enum next read_workspaces(struct call *c, const struct http_resp *last, struct http_req *req,
				 struct err *err)
{
	(void)ask_workspaces(c, req);
	if (!console_ok(last))
		return console_refuse(req, last, err);
	if (value_need_kind(last->body, VAL_LIST, "list of workspaces", err) < 0)
		return NEXT_FAIL;
	return pick_workspace(c, last->body, err);
}

static enum next observe(struct call *c, const struct http_resp *last, struct http_req *req,
			 struct err *err)
{
	switch ((enum stage)c->stage) {
	case ASK_ORGANIZATIONS:
		console_get(req, "/organizations", "list organizations");
		req->flags = REQ_SHARED;
		c->stage = ASK_PROJECT;
		return NEXT_SEND;
	case ASK_PROJECT:
		return read_organizations(c, last, req, err);
	case READ_PROJECT:
		return read_project(c, last, req, err);
	case READ_WORKSPACES:
		return read_workspaces(c, last, req, err);
	}
	err_set(err, E_BUG, "console.project has no stage %d", c->stage);
	return NEXT_FAIL;
}

/* Whoever attests a project has found it: what the file says already is not asked for again. */
static void derive(const struct view *v, struct arena *a, struct value *f)
{
	if (value_text(value_get(f, "project_id")) && value_text(value_get(f, "org_id")))
		console_default(a, f, "match", value_string(a, "one"));
	console_default(a, f, "ims_org", view_want(v, "project.organization"));
}

static int diff(const struct view *v, struct changes *c, struct err *err)
{
	static const struct {
		const char *match, *said;
	} refusals[] = {
		{ "none", "is not there" },
		{ "many", "is ambiguous" },
		{ "no-organization",
		  "cannot be found: the organization is not among those that this sign-in sees" },
		{ "no-workspace", "has no such workspace" },
		{ "many-workspaces", "has several workspaces, and the file names none" },
	};
	static const char hint[] =
		"look at organization (X@AdobeOrg), id or title, and workspace in section 'project'";
	const char *project = console_project_text(v, changes_arena(c));
	const char *title = view_fact_text(v, "console.project", "title");
	const char *workspaces = view_fact_text(v, "console.project", "workspace");

	(void)err;
	if (console_unknown(v, c, "console.project", to_attest))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (!view_fact_is(v, "console.project", "match", refusals[i].match))
			continue;
		if (strcmp(refusals[i].match, "many") == 0)
			changes_find(c, FIND_REFUSE, "project-many",
				     "name the project by its id instead of its title",
				     "the project's title is ambiguous, found: %s",
				     title ? title : "?");
		else
			changes_find(c, FIND_REFUSE,
				     arena_printf(changes_arena(c), "project-%s",
						  refusals[i].match),
				     hint, "%s %s%s%s", project, refusals[i].said,
				     workspaces ? "; found: " : "", workspaces ? workspaces : "");
		return 0;
	}
	if (value_bool_or(view_fact(v, "console.project", "auto_generated"), false))
		changes_find(c, FIND_LEAVE, "auto-generated",
			     "Adobe migrates such projects by itself",
			     "%s was generated by Adobe; nobody else can change it", project);
	return 0;
}

const struct thing_type console_project = {
	.name = "console.project",
	.doc = "the project in the Adobe Developer Console that holds the credential",
	.conn = "console",
	.facts = facts,
	.at_plan = true,
	.observe = observe,
	.derive = derive,
	.page = "Developer Console, the project's overview; its address holds the ids",
	.diff = diff,
	.diff_back = diff, /* it only refuses, and for the same reasons */
};
