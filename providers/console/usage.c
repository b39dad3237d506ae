/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.c - console.usage: when the credential was last used, by which grant, and the prove steps that rest on it.
 *
 * GET /organizations/{orgId}/credentials/{id}/secrets: secret_usages is null while nothing was seen, times are milliseconds as text, never a
 * secret's own text (guide "OAuth Server-to-Server credential: implementation", and its IMS page, read 2026-11-23). Times lag by up to 10
 * minutes (migration card). That uses of the JWT grant show here is not documented: when none does, a person reads the card.
 */
#include <string.h>

#include "providers/console/read.h"
#include "providers/console/state.h"
#include "providers/console/things.h"

static const struct fact facts[] = {
	{ "secrets", VAL_INT, FACT_SAMPLE, "client secrets of the credential" },
	{ "has_data", VAL_BOOL, FACT_SAMPLE, "the console shows at least one use" },
	{ "oauth_last_used", VAL_INT, FACT_SAMPLE,
	  "last access token by client credentials: migration card" },
	{ "jwt_visible", VAL_BOOL, FACT_SAMPLE, "the API shows uses of the JWT grant" },
	{ "jwt_last_used", VAL_INT, FACT_SAMPLE, "last access token by JWT: migration card" },
	{ "other_last_used", VAL_INT, FACT_SAMPLE,
	  "last access token by a grant that is neither by name; not there: none" },
	{ "attested", VAL_MAP, FACT_PRIVATE,
	  "what an operator read from the migration card, and when" },
	{ NULL, VAL_NULL, FACT_STATE, NULL },
};
static const char *const needs[] = { "console.project", "console.credential", NULL };

/* -- observe -- */

struct uses_found {
	bool has_data, jwt_visible;
	int64_t oauth_ms, jwt_ms, other_ms;
};

static int add_use(struct uses_found *found, const struct value *use, struct err *err)
{
	const char *grant;
	int64_t ms;

	if (value_need_text(use, "grant_type", &grant, err) < 0)
		return -err->code;
	if (value_ms(value_get(use, "last_used_at"), &ms, err) < 0)
		return err_wrap(err, "field 'last_used_at'");
	if (ms == 0)
		return 0; /* a use without a time says nothing */
	found->has_data = true;
	if (strcmp(grant, "client_credentials") == 0) {
		found->oauth_ms = MAX_OF(found->oauth_ms, ms);
		return 0;
	}
	/* Any other grant is old use; but only one that is JWT by name spares us asking for the JWT's. */
	found->jwt_ms = MAX_OF(found->jwt_ms, ms);
	if (strcasestr(grant, "jwt"))
		found->jwt_visible = true;
	else
		found->other_ms = MAX_OF(found->other_ms, ms);
	return 0;
}

static int read_secrets(struct call *c, const struct value *body, struct err *err)
{
	const struct value *secrets = value_get(body, "client_secrets");
	struct uses_found found = { 0 };

	if (body && value_need_kind(secrets, VAL_LIST, "field 'client_secrets'", err) < 0)
		return -err->code;
	for (size_t i = 0; i < value_count(secrets); i++) {
		const struct value *uses = value_get(value_at(secrets, i), "secret_usages");

		if (value_is_null(uses))
			continue;
		if (value_need_kind(uses, VAL_LIST, "field 'secret_usages'", err) < 0)
			return -err->code;
		for (size_t k = 0; k < value_count(uses); k++)
			if (add_use(&found, value_at(uses, k), err) < 0)
				return err_wrap(err, "client secret %d", (int)i + 1);
	}
	console_fact(c, "secrets", value_int(c->arena, (int64_t)value_count(secrets)));
	console_fact(c, "has_data", value_bool(c->arena, found.has_data));
	console_fact(c, "oauth_last_used", value_int(c->arena, found.oauth_ms));
	console_fact(c, "jwt_visible", value_bool(c->arena, found.jwt_visible));
	console_fact(c, "jwt_last_used", value_int(c->arena, found.jwt_ms));
	if (found.other_ms)
		console_fact(c, "other_last_used", value_int(c->arena, found.other_ms));
	return 0;
}

static enum next observe(struct call *c, const struct http_resp *last, struct http_req *req,
			 struct err *err)
{
	struct where w = console_where(c->view);

	if (!w.org_id || !w.oauth_id)
		return console_blind("console.credential", err);
	console_get(req,
		    http_path(c->arena, "/organizations/%s/credentials/%s/secrets", w.org_id,
			      w.oauth_id),
		    "list client secrets");
	if (!last)
		return NEXT_SEND;
	if (last->status ==
	    404) /* no client secrets under this id, so no uses: no data, which never passes */
		return read_secrets(c, NULL, err) < 0 ? NEXT_FAIL : NEXT_DONE;
	if (!console_ok(last))
		return console_refuse(req, last, err);
	if (value_need_kind(last->body, VAL_MAP, "list of client secrets", err) < 0)
		return NEXT_FAIL;
	return read_secrets(c, last->body, err) < 0 ? NEXT_FAIL : NEXT_DONE;
}

/* -- the prove steps: their gates are the work -- */

static int read_card(const struct view *v, struct arena *a, const char *what, const char *ack,
		     struct instruction *ret)
{
	*ret = (struct instruction){
		.page = console_page(v, a, ""),
		.lines = {
			arena_printf(a, "sign in and open %s", console_project_text(v, a)),
			"open the Service Account (JWT) credential in the navigation on the left",
			what,
			"type it as the card shows it, with its time zone; do not mint a token to find out",
		},
		.check = "the time is compared with the restart and with the tool's own mints",
		.ack_args = ack,
	};
	return 0;
}

static int ask_oauth(const struct view *v, struct arena *a, struct instruction *ret,
		     struct err *err)
{
	(void)err;
	return read_card(
		v, a,
		"on the migration card read when the OAuth credential last generated an access token",
		"--fact oauth_last_used=TIME", ret);
}

static int ask_jwt(const struct view *v, struct arena *a, struct instruction *ret, struct err *err)
{
	(void)err;
	return read_card(
		v, a,
		"on the migration card read when the JWT credential last generated an access token",
		"--last-used TIME, or --none-since DATE when the card says so", ret);
}

static const char *const uses_oauth_after[] = { "app_uses_oauth", NULL };
static const char *const quiet_after[] = { "jwt_quiet", NULL };
static const char *const still_after[] = { "still_mints", "workflows_running", NULL };

static const struct change_type app_uses_oauth = {
	.name = "app-uses-oauth",
	.doc = "see the app itself use the OAuth credential after its restart",
	.phase = PHASE_PROVE,
	.undo = UNDO_NOTHING,
	.undo_doc = "it only looks",
	.instruct = ask_oauth,
	.after = uses_oauth_after,
};

static const struct change_type jwt_quiet = {
	.name = "jwt-quiet",
	.doc = "see that nobody has used the JWT credential for as long as a token can live",
	.phase = PHASE_PROVE,
	.undo = UNDO_NOTHING,
	.undo_doc = "it only looks",
	.flags = CHANGE_SHARED,
	.instruct = ask_jwt,
	.after = quiet_after,
};

static const struct change_type still_mints = {
	.name = "still-mints",
	.doc = "see the app mint a token after the JWT credential is gone",
	.phase = PHASE_CONTRACT,
	.undo = UNDO_NOTHING,
	.undo_doc = "it only looks",
	.flags = CHANGE_SHARED,
	.instruct = ask_oauth,
	.after = still_after,
};

/* -- and those of the way back -- */

static int ask_oauth_quiet(const struct view *v, struct arena *a, struct instruction *ret,
			   struct err *err)
{
	(void)err;
	return read_card(
		v, a,
		"on the migration card read when the OAuth credential last generated an access token",
		"--fact oauth_last_used=TIME, or =0 when the card says that it never did", ret);
}

static int ask_jwt_use(const struct view *v, struct arena *a, struct instruction *ret,
		       struct err *err)
{
	(void)err;
	return read_card(
		v, a,
		"on its page (while migration is under way: the migration card) read when it last generated an access token",
		"--last-used TIME", ret);
}

static const char *const uses_jwt_after[] = { "app_uses_jwt", NULL };
static const char *const oauth_quiet_after[] = { "oauth_quiet", NULL };
static const char *const still_jwt_after[] = { "still_mints_jwt", "workflows_running", NULL };

static const struct change_type app_uses_jwt = {
	.name = "app-uses-jwt",
	.doc = "see the app itself use the JWT credential again",
	.phase = PHASE_PROVE,
	.undo = UNDO_NOTHING,
	.undo_doc = "it only looks",
	.instruct = ask_jwt_use,
	.after = uses_jwt_after,
};

static const struct change_type oauth_quiet = {
	.name = "oauth-quiet",
	.doc = "see that nobody uses the OAuth credential any more",
	.phase = PHASE_PROVE,
	.undo = UNDO_NOTHING,
	.undo_doc = "it only looks",
	.flags = CHANGE_SHARED,
	.instruct = ask_oauth_quiet,
	.after = oauth_quiet_after,
};

static const struct change_type still_mints_jwt = {
	.name = "still-mints-jwt",
	.doc = "see the app mint a token by JWT after the OAuth credential is gone",
	.phase = PHASE_CONTRACT,
	.undo = UNDO_NOTHING,
	.undo_doc = "it only looks",
	.flags = CHANGE_SHARED,
	.instruct = ask_jwt_use,
	.after = still_jwt_after,
};

/* -- diff -- */

static int diff(const struct view *v, struct changes *c, struct err *err)
{
	static const char *const oauth_facts[] = { "oauth_last_used", NULL };
	static const char *const jwt_facts[] = { "jwt_last_used", NULL };
	bool is_contracted = changes_have(c, "console.migration", "finalize");
	const char *state = view_fact_text(v, "console.migration", "state");
	const struct observation *o = view_seen(v, "console.usage");

	(void)err;
	if (!state || strcmp(state, "conflict") == 0)
		return 0;
	if (!is_contracted && !needs_restart(v))
		return 0;
	changes_add(c, &app_uses_oauth, NULL, NULL, needs_restart(v) ? "restarted" : state);
	if (!view_known(v, "console.usage"))
		changes_attest(c, "console.usage", oauth_facts,
			       o && o->why ? o->why : "nobody has looked", "app-uses-oauth");
	if (!is_contracted)
		return 0;
	changes_add(c, &jwt_quiet, NULL, NULL, state);
	changes_add(c, &still_mints, NULL, NULL, state);
	if (!value_bool_or(view_fact(v, "console.usage", "jwt_visible"), false))
		changes_attest(c, "console.usage", jwt_facts,
			       "the API shows no use of the JWT grant", "jwt-quiet");
	return 0;
}

static int diff_back(const struct view *v, struct changes *c, struct err *err)
{
	static const char *const oauth_facts[] = { "oauth_last_used", NULL };
	static const char *const jwt_facts[] = { "jwt_last_used", NULL };
	const struct observation *o = view_seen(v, "console.usage");
	bool is_read = o && (o->known == KNOWN_API || o->known == KNOWN_BRIDGE);
	bool cancels = changes_have(c, "console.migration", "cancel");

	(void)err;
	if (!is_way_back(v))
		return 0;
	if (cancels && is_read && !needs_switch_back(v) &&
	    !value_bool_or(view_fact(v, "console.usage", "has_data"), false)) {
		changes_find(
			c, FIND_REFUSE, "proof-impossible",
			"when nobody was given the OAuth client secret, cancel by hand on the migration card",
			"the console shows no use of the credential at all: that nobody uses OAuth cannot be shown");
		return 0;
	}
	changes_add(c, &app_uses_jwt, NULL, NULL, cancels ? "before-cancel" : "cancelled");
	if (!value_bool_or(view_fact(v, "console.usage", "jwt_visible"), false))
		changes_attest(c, "console.usage", jwt_facts,
			       "the API shows no use of the JWT grant", "app-uses-jwt");
	if (!cancels)
		return 0;
	changes_add(c, &oauth_quiet, NULL, NULL, "before-cancel");
	if (!is_read)
		changes_attest(c, "console.usage", oauth_facts,
			       o && o->why ? o->why : "nobody has looked", "oauth-quiet");
	changes_add(c, &still_mints_jwt, NULL, NULL, "after-cancel");
	return 0;
}

static const struct change_type *const changes[] = {
	&app_uses_oauth, &jwt_quiet,       &still_mints, &app_uses_jwt,
	&oauth_quiet,    &still_mints_jwt, NULL
};

const struct thing_type console_usage = {
	.name = "console.usage",
	.doc = "when the credential was last used, by which grant",
	.conn = "console",
	.needs = needs,
	.facts = facts,
	.at_plan = true,
	.observe = observe,
	.page = "Developer Console, the migration card on the Service Account (JWT) credential's page",
	.diff = diff,
	.diff_back = diff_back,
	.changes = changes,
};
