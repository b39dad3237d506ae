/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.c - does the tenant answer us? One profile is asked for, and nothing of it is kept.
 *
 * Source: troubleshooting.md and setting-up-api-access.md, read 2026-11-23. The tenant stands in the path, and a wrong one is told by a 500
 * or 502 that looks like a passing fault and is none. Tables over 100,000 rows tell no next page unless _forcePagination is set.
 */
#include <string.h>

#include "campaign.h"

static const struct fact facts[] = {
	{ "tenant", VAL_STRING, FACT_IDENTITY, "the tenant in the API's path that answered" },
	{ 0 },
};

int campaign_tenant(const struct view *v, const char **ret, struct err *err)
{
	const char *tenant = value_text(view_want(v, "campaign.tenant"));

	if (!tenant)
		return err_set(err, E_DENIED, "environment '%s' has no 'campaign:' section",
			       v->env);
	*ret = tenant;
	return 0;
}

struct http_req campaign_get(const char *path, const char *what)
{
	return (struct http_req){
		.method = "GET",
		.conn = "campaign",
		.path = path,
		.headers = { { "Cache-Control", "no-cache" },
			     { "Content-Type", "application/json" } },
		.flags = REQ_ANY_STATUS,
		.what = what,
	};
}

static bool says_oops(const struct http_resp *resp)
{
	const char *message = value_text(value_get(resp->body, "message"));

	return (resp->status == 500 || resp->status == 502) &&
	       ((message && strstr(message, "Oops.")) ||
		(resp->text && strstr(resp->text, "Oops.")));
}

int campaign_unexpected(const struct http_req *req, const struct http_resp *resp,
			const char *tenant, struct err *err)
{
	const struct value *code_value = value_get(resp->body, "error_code");
	const char *code = value_text_or(code_value, "");
	int failed = http_unexpected(req, resp, err);

	if (says_oops(resp))
		return err_hint(
			err,
			"most likely campaign.tenant '%s' is wrong: it is <org> for production, <org>-mkt-stage for stage",
			tenant);
	if (strcmp(code, "403023") == 0 || value_int_or(code_value, 0) == 403023)
		return err_hint(
			err,
			"the token's product profiles do not cover tenant '%s': another tenant, or another client",
			tenant);
	if (strcmp(code, "401013") == 0 || value_int_or(code_value, 0) == 401013)
		return err_hint(err, "the token is invalid or has ended");
	if (strcmp(code, "403000") == 0 || strcmp(code, "403003") == 0)
		return err_hint(
			err,
			"the API key's project has no Campaign API: add it in the Developer Console");
	return failed;
}

int64_t campaign_since_ms(const struct view *v)
{
	int64_t at = view_mark_ms(v, "restart.at");

	if (!at)
		at = view_mark_ms(v, "app.workflow/restart.at"); /* by hand: the time attested */
	return at ? at : view_fact_int(v, "app.workflow", "started_at", 0);
}

enum next campaign_access_observe(struct call *c, const struct http_resp *last,
				  struct http_req *req, struct err *err)
{
	const char *tenant = NULL;

	if (campaign_tenant(c->view, &tenant, err) < 0)
		return NEXT_FAIL;
	*req = campaign_get(http_path(c->arena, "/%s/campaign/profileAndServices/profile", tenant),
			    "read one profile");
	req->query = "_lineCount=1&_forcePagination=true";
	if (c->stage == 0) {
		c->stage = 1;
		return NEXT_SEND;
	}
	if (last->status != 200) {
		campaign_unexpected(req, last, tenant, err);
		return NEXT_FAIL;
	}
	if (value_need_kind(value_get(last->body, "content"), VAL_LIST, "content", err) < 0) {
		err_wrap(err, "campaign: %s", req->what);
		return NEXT_FAIL;
	}
	if (!c->facts)
		c->facts = value_map(c->arena);
	value_set(c->arena, c->facts, "tenant", value_string(c->arena, tenant));
	return NEXT_DONE;
}

const struct thing_type campaign_access = {
	.name = "campaign.access",
	.doc = "the Campaign tenant that is read",
	.conn = "campaign",
	.facts = facts,
	.at_plan = true,
	.observe = campaign_access_observe,
};
