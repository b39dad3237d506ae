/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential.c - console.credential: the server-to-server credential of a workspace, as one row or two.
 *
 * GET .../workspaces/{id}/credentials. The OpenAPI document calls the type `credential_type`, Adobe's own consumer
 * (adobe/aio-cli-lib-console, lib/pure-helpers.js) reads `integration_type`; that code also shows the third type, "..._migrate", which serves as
 * the JWT and the OAuth credential at once under one id. That two rows never appear instead is not documented, so both are read. Read 2026-11-23.
 */
#include <string.h>
#include <strings.h>

#include "providers/console/read.h"
#include "providers/console/things.h"

static const struct fact facts[] = {
	{ "rows", VAL_INT, FACT_STATE, "server-to-server credentials listed in the workspace" },
	{ "type", VAL_STRING, FACT_STATE,
	  "none; service: Service Account (JWT) only; migrate: both; oauth: OAuth Server-to-Server only; two-rows; many" },
	/* No identity: where two rows have two ids, the JWT one ends with the migration. The client id is what stays. */
	{ "credential_id", VAL_STRING, FACT_STATE,
	  "number after /credentials/ in the address of the credential's page" },
	{ "oauth_id", VAL_STRING, FACT_STATE,
	  "the same number on the OAuth Server-to-Server credential's page" },
	{ NULL, VAL_NULL, FACT_STATE, NULL },
};
static const char *const to_attest[] = { "type", "credential_id", NULL };
static const char *const needs[] = { "console.project", NULL };

enum kind { OTHER, SERVICE, MIGRATE, OAUTH, STRANGE, KINDS };

static enum kind kind_of(const char *type)
{
	/* Kinds of credentials beside the server-to-server ones: they stand in the same list. */
	static const char *const not_ours[] = {
		"oauthweb",           "oauthios",       "oauthandroid", "oauthwebapp",
		"oauthsinglepageapp", "oauthnativeapp", "apikey",       "enterprisewebapp",
		"analytics",          "adobeid"
	};

	if (!type)
		return OTHER;
	if (strcasecmp(type, "service") == 0)
		return SERVICE;
	if (strcasecmp(type, "oauth_server_to_server_migrate") == 0)
		return MIGRATE;
	if (strcasecmp(type, "oauth_server_to_server") == 0)
		return OAUTH;
	for (size_t i = 0; i < ARRAY_LEN(not_ours); i++)
		if (strcasecmp(type, not_ours[i]) == 0)
			return OTHER;
	return STRANGE; /* perhaps a new word for one of ours: shown, and nothing is built on it */
}

/* The two spellings of the key; a row that says two different things is nobody's to interpret. */
static int row_kind(const struct value *row, enum kind *ret, struct err *err)
{
	const char *a = value_text(value_get(row, "credential_type"));
	const char *b = value_text(value_get(row, "integration_type"));

	if (a && b && kind_of(a) != kind_of(b))
		return err_set(err, E_REMOTE, "a credential is both '%s' and '%s'", a, b);
	*ret = kind_of(a ? a : b);
	return 0;
}

static int row_id(struct arena *a, const struct value *row, const char **ret, struct err *err)
{
	const char *key = value_get(row, "id_integration") ? "id_integration" :
			  value_get(row, "credential_id")  ? "credential_id" :
							     "id";

	return value_need_id(a, row, key, ret, err);
}

/* The JWT row and the OAuth row among two; NULL when they are no such pair. */
static const char *pair(const enum kind kinds[2], size_t *ret_jwt)
{
	for (size_t jwt = 0; jwt < 2; jwt++) {
		enum kind mine = kinds[jwt], other = kinds[1 - jwt];

		if ((mine == SERVICE && other != SERVICE) || (mine == MIGRATE && other == OAUTH)) {
			*ret_jwt = jwt;
			return "two-rows";
		}
	}
	return NULL;
}

static int sort_rows(struct call *c, const struct value *list, struct err *err)
{
	static const char *const names[KINDS] = { "none", "service", "migrate", "oauth",
						  "unknown" };
	enum kind kinds[2] = { OTHER, OTHER };
	const char *ids[2] = { NULL, NULL }, *type, *strange = NULL;
	size_t rows = 0, jwt = 0, oauth;

	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *row = value_at(list, i);
		enum kind kind = OTHER;

		if (row_kind(row, &kind, err) < 0)
			return -err->code;
		if (kind == OTHER)
			continue;
		if (kind == STRANGE)
			strange = value_text(value_get(row, value_get(row, "credential_type") ?
								    "credential_type" :
								    "integration_type"));
		if (rows < 2) {
			kinds[rows] = kind;
			if (row_id(c->arena, row, &ids[rows], err) < 0)
				return err_wrap(err, "credential");
		}
		rows++;
	}
	oauth = 0;
	if (rows == 1 && strange)
		type = strange;
	else
		type = rows < 2 ? names[kinds[0]] : rows == 2 ? pair(kinds, &jwt) : NULL;
	if (rows == 2)
		oauth = 1 - jwt;
	console_fact(c, "rows", value_int(c->arena, (int64_t)rows));
	console_fact_text(c, "type", type ? type : "many");
	if (rows > 0 && type) {
		console_fact_text(c, "credential_id", ids[jwt]);
		console_fact_text(c, "oauth_id", ids[oauth]);
	}
	return 0;
}

static enum next observe(struct call *c, const struct http_resp *last, struct http_req *req,
			 struct err *err)
{
	struct where w = console_where(c->view);

	if (!w.org_id || !w.project_id || !w.workspace_id)
		return console_blind("console.project", err);
	console_get(req,
		    http_path(c->arena, "/organizations/%s/projects/%s/workspaces/%s/credentials",
			      w.org_id, w.project_id, w.workspace_id),
		    "list credentials");
	if (!last)
		return NEXT_SEND;
	if (!console_ok(last))
		return console_refuse(req, last, err);
	if (value_need_kind(last->body, VAL_LIST, "list of credentials", err) < 0)
		return NEXT_FAIL;
	return sort_rows(c, last->body, err) < 0 ? NEXT_FAIL : NEXT_DONE;
}

static void derive(const struct view *v, struct arena *a, struct value *f)
{
	const char *type = value_text(value_get(f, "type"));

	(void)v;
	if (!type)
		return;
	console_default(a, f, "rows",
			value_int(a, strcmp(type, "none") == 0     ? 0 :
				     strcmp(type, "two-rows") == 0 ? 2 :
								     1));
	console_default(a, f, "oauth_id", value_get(f, "credential_id"));
}

static int diff(const struct view *v, struct changes *c, struct err *err)
{
	const char *project = console_project_text(v, changes_arena(c));

	(void)err;
	if (console_unknown(v, c, "console.credential", to_attest))
		return 0;
	if (view_fact_is(v, "console.credential", "type", "none"))
		changes_find(
			c, FIND_REFUSE, "credential-none",
			"look whether project and workspace are the right ones; create an OAuth Server-to-Server credential there if so",
			"%s has no server-to-server credential", project);
	if (view_fact_is(v, "console.credential", "type", "many"))
		changes_find(
			c, FIND_REFUSE, "credential-many",
			"name the workspace in section 'project'",
			"%s has %d server-to-server credentials that are no pair of one JWT and one OAuth",
			project, (int)view_fact_int(v, "console.credential", "rows", 0));
	return 0;
}

const struct thing_type console_credential = {
	.name = "console.credential",
	.doc = "the server-to-server credential: JWT, OAuth, or both while migration is under way",
	.conn = "console",
	.needs = needs,
	.facts = facts,
	.at_plan = true,
	.observe = observe,
	.derive = derive,
	.page = "Developer Console, the project's credentials in the navigation on the left",
	.diff = diff,
	.diff_back = diff, /* it only refuses, and for the same reasons */
};
