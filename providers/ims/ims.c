/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/ims/ims.h"

#include <string.h>

static const struct field ims_fields[] = { { .name = NULL } };

static const struct connection_type ims_connection = {
	.name = "ims",
	.doc = "Adobe IMS, where tokens come from",
	.fields = ims_fields,
	.url_default = "https://ims-na1.adobelogin.com",
	.prefix_default = "",
	.auth_kinds = "",
};
static const struct connection_type *const connections[] = { &ims_connection, NULL };

/* -- ims.token/prove: a token is minted and used once, before the fence closes -- */

static const char *tenant_of(const struct view *v)
{
	const char *tenant = view_fact_text(v, "campaign.access", "tenant");

	return tenant ? tenant : value_text(view_want(v, "campaign.tenant"));
}

/*
 * Campaign answers for token, product profile and tenant at once. Without a campaign section IMS's own profile shows at least
 * that the token is good.
 */
static const char *scopes_shown(const struct call *c)
{
	const struct value *list = view_fact(c->view, "console.client", "scopes");
	const char *joined = NULL;

	if (view_want(c->view, "credential.scopes"))
		return NULL; /* the file's own come first, and the engine has them */
	for (size_t i = 0; i < value_count(list); i++) {
		const char *scope = value_text(value_at(list, i));

		if (scope)
			joined = joined ? arena_printf(c->arena, "%s,%s", joined, scope) : scope;
	}
	return joined;
}

static void ask(const struct call *c, struct http_req *req)
{
	const char *client_id = value_text(view_want(c->view, "credential.client_id"));
	const char *tenant = tenant_of(c->view);

	*req = (struct http_req){ .method = "GET",
				  .flags = REQ_AS_MIGRATING | REQ_ANY_STATUS,
				  .scopes = scopes_shown(c) };
	if (tenant) {
		req->conn = "campaign";
		req->path = http_path(c->arena, "/%s/campaign/profileAndServices/profile", tenant);
		req->query = http_query(c->arena, "_lineCount", "1", (char *)NULL);
		req->headers[0] = (struct http_header){ "X-Api-Key", client_id };
		req->what = "read one profile with the new token";
		return;
	}
	req->conn = "ims";
	req->path = "/ims/profile/v1";
	req->query = http_query(c->arena, "client_id", client_id, (char *)NULL);
	req->what = "read the technical account's profile with the new token";
}

/* The gateway writes its codes as text, and may one day write them as numbers. */
static bool is_profile_invalid(const struct value *body)
{
	const struct value *code = value_get(body, "error_code");

	return strcmp(value_text_or(code, ""), "403023") == 0 || value_int_or(code, 0) == 403023;
}

static enum next prove_apply(struct call *c, const struct http_resp *last, struct http_req *req,
			     struct err *err)
{
	ask(c, req);
	if (!last)
		return NEXT_SEND;
	if (http_ok(last) && last->body) {
		if (!c->marks)
			c->marks = value_map(c->arena);
		value_set(c->arena, c->marks, "token.proved_at",
			  value_int(c->arena, last->date_ms ? last->date_ms : c->view->now_ms));
		return NEXT_DONE;
	}
	if (is_profile_invalid(last->body)) {
		const char *tenant = tenant_of(c->view);

		err_set(err, E_DENIED,
			"the token is good, but not for Campaign tenant '%s' (403023, profile is not valid)",
			tenant ? tenant : "?");
		err_hint(
			err,
			"either the tenant is another one's, or the credential lacks the tenant's Campaign product profile");
		return NEXT_FAIL;
	}
	http_unexpected(req, last, err);
	return NEXT_FAIL;
}

static enum settled is_proved(const struct view *v)
{
	return view_mark_ms(v, "token.proved_at") ? SETTLED_YES : SETTLED_NO;
}

static const struct change_type prove = {
	.name = "prove",
	.doc = "mint a token with the OAuth credential and use it once, before the app depends on it",
	.phase = PHASE_EXPAND,
	.undo = UNDO_NOTHING,
	.undo_doc = "a token that nobody uses expires by itself",
	.executors = EXEC_BIT(EXEC_API),
	.executor_default = EXEC_API,
	.flags = CHANGE_MINTS,
	.apply = prove_apply,
	.settled = is_proved,
};

/* As the app's own diff decides: nothing but JWT can be set before the migration was started. */
static bool needs_switch(const struct view *v, const char *state)
{
	const char *auth_type = view_fact_text(v, "app.settings", "auth_type");
	const char *client_id = view_fact_text(v, "app.settings", "client_id");

	if (!view_want(v, "app"))
		return false;
	if (!auth_type)
		return strcmp(state, "jwt-only") == 0;
	return strcmp(auth_type, "jwt") == 0 || (client_id && !*client_id);
}

/* Worth a mint only while the app is still to be switched: afterwards its own use is the proof, and ours would spoil it. */
static int diff(const struct view *v, struct changes *c, struct err *err)
{
	const char *state = view_fact_text(v, "console.migration", "state");

	(void)err;
	if (state && strcmp(state, "conflict") != 0 && needs_switch(v, state))
		changes_add(c, &prove, NULL, NULL, "before-switch");
	return 0;
}

static const struct fact facts[] = { { NULL, VAL_NULL, FACT_STATE, NULL } };
static const struct change_type *const changes[] = { &prove, NULL };

static const struct thing_type ims_token = {
	.name = "ims.token",
	.doc = "a token of the credential that is being migrated",
	.conn = "ims",
	.facts = facts,
	.diff = diff,
	.changes = changes,
};
static const struct thing_type *const things[] = { &ims_token, NULL };

static const struct capability capabilities[] = {
	{ "mint a token by client credentials", "ims.token/prove", "documented",
	  "nothing proves the secret before the app depends on it", NULL },
	{ .name = NULL },
};

const struct provider ims_provider = {
	.name = "ims",
	.doc = "Adobe Identity Management Services",
	.connections = connections,
	.things = things,
	.capabilities = capabilities,
};
