/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c - console.client: who the credential is to the rest of the world, and whether JWT and OAuth are the same.
 *
 * GET /organizations/{orgId}/integrations/{intId}: OpenAPI document, read 2026-11-23. The client id is `apikey` there and `apiKey` in
 * other answers. `readOnly` says that the caller lacks product profiles ("Projects overview" guide). A started migration keeps client id,
 * technical account and scopes (migration guide), so any difference means two unrelated credentials.
 */
#include <string.h>

#include "core/base/sb.h"
#include "providers/console/read.h"
#include "providers/console/things.h"

static const struct fact facts[] = {
	{ "client_id", VAL_STRING, FACT_IDENTITY, "Client ID on the credential's page" },
	{ "technical_account_id", VAL_STRING, FACT_IDENTITY,
	  "Technical Account ID, X@techacct.adobe.com" },
	{ "technical_account_email", VAL_STRING, FACT_STATE, "Technical Account Email" },
	{ "scopes", VAL_LIST, FACT_STATE, "scopes of all services together" },
	{ "profiles", VAL_LIST, FACT_STATE, "names of the product profiles" },
	{ "read_only", VAL_BOOL, FACT_STATE, "the console shows the credential for viewing only" },
	{ "differs", VAL_LIST, FACT_STATE,
	  "what the JWT and the OAuth credential do not have in common" },
	{ NULL, VAL_NULL, FACT_STATE, NULL },
};
static const char *const to_attest[] = { "client_id", "technical_account_id",
					 "technical_account_email", "read_only", NULL };
static const char *const needs[] = { "console.project", "console.credential", NULL };

/* A set of texts, sorted, so that an answer in another order is no other fact. */
static void add_text(struct arena *a, struct value *set, const char *text)
{
	size_t at = 0, count = value_count(set);
	struct value **items;

	while (at < count && strcmp(value_text_or(value_at(set, at), ""), text) < 0)
		at++;
	if (at < count && strcmp(value_text_or(value_at(set, at), ""), text) == 0)
		return;
	value_list_add(a, set, value_string(a, text));
	items = set->u.list.items;
	for (size_t i = count; i > at; i--) {
		struct value *moved = items[i];

		items[i] = items[i - 1];
		items[i - 1] = moved;
	}
}

static struct value *scopes_of(struct arena *a, const struct value *body)
{
	const struct value *services = value_get(body, "serviceProperties");
	struct value *set = value_list(a);

	for (size_t i = 0; i < value_count(services); i++) {
		const struct value *scopes = value_get(value_at(services, i), "scopes");

		for (size_t k = 0; k < value_count(scopes); k++)
			if (value_text(value_at(scopes, k)))
				add_text(a, set, value_text(value_at(scopes, k)));
	}
	return set;
}

static struct value *profiles_of(struct arena *a, const struct value *body)
{
	const struct value *services = value_get(body, "serviceProperties");
	struct value *set = value_list(a);

	for (size_t i = 0; i < value_count(services); i++) {
		const struct value *configs = value_get(value_at(services, i), "licenseConfigs");

		for (size_t k = 0; k < value_count(configs); k++)
			if (value_text(value_get(value_at(configs, k), "name")))
				add_text(a, set,
					 value_text(value_get(value_at(configs, k), "name")));
	}
	return set;
}

static const char *client_id_of(const struct value *body)
{
	const char *id = value_text(value_get(body, "apikey"));

	return id ? id : value_text(value_get(body, "apiKey"));
}

static void add_difference(struct arena *a, struct value *list, const char *name, const char *jwt,
			   const char *oauth)
{
	struct value *d = value_map(a);

	if (strcmp(jwt, oauth) == 0)
		return;
	value_set(a, d, "name", value_string(a, name));
	value_set(a, d, "jwt", value_string(a, jwt));
	value_set(a, d, "oauth", value_string(a, oauth));
	value_list_add(a, list, d);
}

static const char *join(struct arena *a, const struct value *list)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(8192);

	for (size_t i = 0; i < value_count(list); i++)
		sb_addf(&out, "%s%s", i ? ", " : "", value_text_or(value_at(list, i), ""));
	return arena_strdup(a, out.buf);
}

static void compare(struct call *c, const struct value *jwt, const struct value *oauth)
{
	struct arena *a = c->arena;
	struct value *list = value_list(a);

	add_difference(a, list, "client_id", client_id_of(jwt), client_id_of(oauth));
	add_difference(a, list, "technical_account_id",
		       value_text_or(value_get(jwt, "technicalAccountId"), ""),
		       value_text_or(value_get(oauth, "technicalAccountId"), ""));
	add_difference(a, list, "scopes", join(a, scopes_of(a, jwt)), join(a, scopes_of(a, oauth)));
	console_fact(c, "differs", list);
}

static int keep(struct call *c, const struct value *body, struct err *err)
{
	const char *account;

	if (value_need_text(body, "technicalAccountId", &account, err) < 0)
		return -err->code;
	console_fact_text(c, "client_id", client_id_of(body));
	console_fact_text(c, "technical_account_id", account);
	console_fact_text(c, "technical_account_email",
			  value_text_or(value_get(body, "technicalAccountEmail"), ""));
	console_fact(c, "scopes", scopes_of(c->arena, body));
	console_fact(c, "profiles", profiles_of(c->arena, body));
	console_fact(c, "read_only",
		     value_bool(c->arena, console_flag(value_get(body, "readOnly"))));
	console_fact(c, "differs", value_list(c->arena));
	return 0;
}

/* stage: how many answers were read; state: the first one. */
static enum next observe(struct call *c, const struct http_resp *last, struct http_req *req,
			 struct err *err)
{
	struct where w = console_where(c->view);
	bool is_second = c->stage > 0;

	if (!w.org_id || !w.credential_id || !w.oauth_id)
		return console_blind("console.credential", err);
	console_get(req,
		    http_path(c->arena, "/organizations/%s/integrations/%s", w.org_id,
			      is_second ? w.oauth_id : w.credential_id),
		    "read credential details");
	if (!last)
		return NEXT_SEND;
	if (!console_ok(last))
		return console_refuse(req, last, err);
	if (value_need_kind(last->body, VAL_MAP, "credential details", err) < 0)
		return NEXT_FAIL;
	if (!client_id_of(last->body)) {
		err_set(err, E_REMOTE, "field 'apikey' is missing");
		return NEXT_FAIL;
	}
	if (is_second) {
		const struct value *const *first = c->state;

		compare(c, *first, last->body);
		return NEXT_DONE;
	}
	if (keep(c, last->body, err) < 0)
		return NEXT_FAIL;
	if (strcmp(w.credential_id, w.oauth_id) == 0)
		return NEXT_DONE;
	{
		const struct value **first = ARENA_NEW(c->arena, const struct value *);

		*first = last->body;
		c->state = first;
		c->stage = 1;
	}
	console_get(req,
		    http_path(c->arena, "/organizations/%s/integrations/%s", w.org_id, w.oauth_id),
		    "read credential details");
	return NEXT_SEND;
}

static int diff(const struct view *v, struct changes *c, struct err *err)
{
	const char *want = value_text_or(view_want(v, "credential.client_id"), "");
	const char *have = view_fact_text(v, "console.client", "client_id");
	const struct value *differs = view_fact(v, "console.client", "differs");

	(void)err;
	if (console_unknown(v, c, "console.client", to_attest))
		return 0;
	if (value_bool_or(view_fact(v, "console.client", "read_only"), false))
		changes_find(
			c, FIND_LEAVE, "read-only",
			"the person who signed in needs the product profiles of the credential",
			"the credential of %s is for viewing only",
			console_project_text(v, changes_arena(c)));
	if (have && strcmp(have, want) != 0)
		changes_find(
			c, FIND_REFUSE, "client-id",
			"either the project or credential.client_id in the file is another integration's",
			"the file names client id %s, the console shows %s", want, have);
	for (size_t i = 0; i < value_count(differs); i++) {
		const struct value *d = value_at(differs, i);

		changes_find(
			c, FIND_REFUSE, "credentials-differ",
			"a migration keeps these the same, so the two credentials do not belong together",
			"%s differs: JWT credential '%s', OAuth credential '%s'",
			value_text_or(value_get(d, "name"), "?"),
			value_text_or(value_get(d, "jwt"), "?"),
			value_text_or(value_get(d, "oauth"), "?"));
	}
	return 0;
}

const struct thing_type console_client = {
	.name = "console.client",
	.doc = "client id, technical account, scopes and product profiles of the credential",
	.conn = "console",
	.needs = needs,
	.facts = facts,
	.at_plan = true,
	.observe = observe,
	.page = "Developer Console, the credential's page",
	.diff = diff,
	.diff_back = diff, /* it only refuses, and for the same reasons */
};
