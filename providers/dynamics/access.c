/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.c - who we are in which organization: WhoAmI, the cheapest authenticated call.
 */
#include <string.h>
#include <strings.h>

#include "dynamics.h"

static const struct fact facts[] = {
	{ "organization_id", VAL_STRING, FACT_IDENTITY,
	  "the organization's id; Power Platform admin center, Environment, 'Organization ID'" },
	{ "user_id", VAL_STRING, FACT_STATE, "the application user that reads" },
	{ 0 },
};

struct http_req dynamics_get(const char *path, const char *what)
{
	return (struct http_req){
		.method = "GET",
		.conn = "dynamics",
		.path = path,
		.headers = { { "Accept", "application/json" },
			     { "OData-MaxVersion", "4.0" },
			     { "OData-Version", "4.0" },
			     { "If-None-Match",
			       "null" } }, /* the word itself: overrides cached answers */
		.flags = REQ_ANY_STATUS,
		.what = what,
	};
}

/* Codes seen in public client code and issue threads; the documentation warns that they are often empty. */
static const struct {
	int status;
	const char *code, *hint;
} known_errors[] = {
	{ 403, "0x80072560",
	  "the Entra application has no application user in this environment: add one in the Power Platform admin center" },
	{ 403, "0x80040220",
	  "the application user's security role lacks a privilege: it needs to read contacts" },
	{ 403, "0x80095ffc", "a policy of the organization restricts this application id" },
	{ 404, "0x80040217", "there is no such record" },
	{ 412, NULL,
	  "the record was changed by somebody else meanwhile, or a duplicate stands in the way" },
	{ 401, NULL,
	  "the token is invalid here: auth.scopes must be https://<org>.crm.dynamics.com/.default, one slash only" },
	{ 404, NULL,
	  "see that the connection's url and prefix lead to the Web API (/api/data/v9.2)" },
};

int dynamics_unexpected(const struct http_req *req, const struct http_resp *resp, struct err *err)
{
	const char *code = value_text(value_path(resp->body, "error.code"));
	int failed = http_unexpected(req, resp, err);

	for (size_t i = 0; i < ARRAY_LEN(known_errors); i++)
		if (resp->status == known_errors[i].status &&
		    (!known_errors[i].code ||
		     (code && strcasecmp(code, known_errors[i].code) == 0)))
			return err_hint(err, "%s", known_errors[i].hint);
	return failed;
}

int64_t dynamics_since_ms(const struct view *v)
{
	int64_t at = view_mark_ms(v, "restart.at");

	if (!at)
		at = view_mark_ms(v, "app.workflow/restart.at"); /* by hand: the time attested */
	return at ? at : view_fact_int(v, "app.workflow", "started_at", 0);
}

const char *dynamics_canary_contact(const struct view *v)
{
	return value_text(view_want(v, "dynamics.canary.contact"));
}

const char *dynamics_canary_field(const struct view *v)
{
	return value_text(view_want(v, "dynamics.canary.field"));
}

enum next dynamics_who_am_i(struct call *c, const struct http_resp *last, struct http_req *req,
			    struct err *err)
{
	const char *org, *user;

	*req = dynamics_get("/WhoAmI", "ask who we are");
	if (c->stage == 0) {
		c->stage = 1;
		return NEXT_SEND;
	}
	if (last->status != 200) {
		dynamics_unexpected(req, last, err);
		return NEXT_FAIL;
	}
	if (value_need_text(last->body, "OrganizationId", &org, err) < 0 ||
	    value_need_text(last->body, "UserId", &user, err) < 0) {
		err_wrap(err, "dynamics: %s", req->what);
		return NEXT_FAIL;
	}
	if (!c->facts)
		c->facts = value_map(c->arena);
	value_set(c->arena, c->facts, "organization_id", value_string(c->arena, org));
	value_set(c->arena, c->facts, "user_id", value_string(c->arena, user));
	return NEXT_DONE;
}

const struct thing_type dynamics_access = {
	.name = "dynamics.access",
	.doc = "the Dynamics 365 organization that is read, and as whom",
	.conn = "dynamics",
	.facts = facts,
	.at_plan = true,
	.observe = dynamics_who_am_i,
};
