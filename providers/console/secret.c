/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.c - console.secret: brings the OAuth client secret to where the file says that it is found.
 *
 * The current API never shows the text of an existing secret, and none may be added while migration is under way (implementation and
 * migration guides, read 2026-11-23): the console's 'Retrieve client secret' is the way, by a person or the customer's bridge.
 */
#include <string.h>

#include "providers/console/read.h"
#include "providers/console/state.h"
#include "providers/console/things.h"

static const struct fact facts[] = { { NULL, VAL_NULL, FACT_STATE, NULL } };

static const char *reference(const struct view *v)
{
	return value_text(view_want(v, "credential.client_secret.ref"));
}

static enum next bring_by_bridge(struct call *c, const struct http_resp *last, struct http_req *req,
				 struct err *err)
{
	struct where w = console_where(c->view);
	const struct value *text;

	if (!w.oauth_id)
		return console_blind("console.credential", err);
	*req = (struct http_req){
		.method = "POST",
		.conn = "bridge",
		.path = http_path(c->arena, "/v1/console/credentials/%s/reveal-client-secret",
				  w.oauth_id),
		.secret_field = "client_secret",
		.what = "reveal client secret"
	};
	c->put_ref =
		reference(c->view); /* the engine proves that it can be written before it asks */
	if (!last)
		return NEXT_SEND;
	if (!console_ok(last))
		return console_refuse(req, last, err);
	text = value_get(last->body, "client_secret");
	if (value_need_kind(text, VAL_SECRET, "field 'client_secret'", err) < 0)
		return NEXT_FAIL;
	c->put_secret = text;
	return NEXT_DONE;
}

static int bring_by_hand(const struct view *v, struct arena *a, struct instruction *ret,
			 struct err *err)
{
	struct where w = console_where(v);
	const char *tail = "";

	(void)err;
	if (w.oauth_id)
		tail = http_path(a, "/credentials/%s/details/oauthservertoserver", w.oauth_id);
	*ret = (struct instruction){
		.page = console_page(v, a, tail),
		.lines = {
			arena_printf(a, "sign in and open %s", console_project_text(v, a)),
			"open the OAuth Server-to-Server credential in the navigation on the left",
			"click 'Retrieve client secret' and copy it",
			arena_printf(a, "store it where %s leads, and nowhere else", reference(v) ? reference(v) : "?"),
		},
		.check = arena_printf(a, "%s resolves", reference(v) ? reference(v) : "?"),
	};
	return 0;
}

static enum settled is_brought(const struct view *v)
{
	const struct value *resolves = view_fact(v, "local.secret", "credential.client_secret");

	if (!resolves)
		return SETTLED_UNKNOWN;
	return value_bool_or(resolves, false) ? SETTLED_YES : SETTLED_NO;
}

static const char *const verify[] = { "local.secret", NULL };

static const struct change_type bring = {
	.name = "bring",
	.doc = "bring the client secret from the console to its reference",
	.phase = PHASE_EXPAND,
	.undo = UNDO_STEP,
	.undo_doc = "delete what was stored",
	.capability = "secret",
	.executors = EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_BRIDGE),
	.executor_default = EXEC_OPERATOR,
	.apply_bridge = bring_by_bridge,
	.instruct = bring_by_hand,
	.verify = verify,
	.settled = is_brought,
};

static int diff(const struct view *v, struct changes *c, struct err *err)
{
	struct arena *a = changes_arena(c);

	(void)err;
	if (needs_secret(v) &&
	    strcmp(value_text_or(view_want(v, "executors.secret"), ""), "bridge") == 0 &&
	    !value_bool_or(view_fact(v, "local.secret", "credential.client_secret.writable"),
			   true)) {
		changes_find(
			c, FIND_REFUSE, "secret-place",
			"a file: reference in a folder that exists and can be written to; or executors.secret: operator",
			"the client secret cannot be stored under %s", reference(v));
		return 0;
	}
	if (needs_secret(v))
		changes_add(c, &bring, console_pair(a, "client_secret", "does not resolve"),
			    console_pair(a, "client_secret", reference(v)), "secret-missing");
	return 0;
}

static const struct change_type *const changes[] = { &bring, NULL };

const struct thing_type console_secret = {
	.name = "console.secret",
	.doc = "the client secret's way from the console to its reference",
	.conn = "console",
	.facts = facts,
	.page = "Developer Console, the OAuth Server-to-Server credential's page",
	.diff = diff,
	.changes = changes,
};
