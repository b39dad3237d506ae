/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.c - the app's page "Settings", section "Adobe API credentials".
 *
 * Source: d365-acs-self-service-app-settings.md and the screenshots beside it, read 2026-11-23. Client secret and private key are
 * write-only; client id and secret are blank after Oauth is chosen, the rest is prefilled.
 */
#include <string.h>
#include <strings.h>

#include "app.h"

static const struct fact facts[] = {
	{ "auth_type", VAL_STRING, FACT_STATE, "jwt or oauth; Settings, 'Auth Type'" },
	{ "client_id", VAL_STRING, FACT_STATE, "Settings, 'Client ID'; empty when blank" },
	{ "technical_account_id", VAL_STRING, FACT_STATE, "Settings, 'Technical Account ID'" },
	{ "organization_id", VAL_STRING, FACT_STATE, "Settings, 'Organization ID'" },
	{ "url", VAL_STRING, FACT_STATE, "Settings, 'URL': https://mc.adobe.io/<instance>" },
	{ "pending_edits", VAL_BOOL, FACT_STATE, "saved and not yet applied by a restart" },
	{ "saved_at", VAL_INT, FACT_STATE, "when they were last saved; 0 when that is not known" },
	{ 0 },
};
static const char *const attested[] = { "auth_type", "client_id", NULL };

static enum next settings_observe(struct call *c, const struct http_resp *last,
				  struct http_req *req, struct err *err)
{
	const char *path, *instance;

	if (app_settings_path(c, &path, err) < 0 || app_instance(c->view, &instance, err) < 0)
		return NEXT_FAIL;
	*req = (struct http_req){
		.method = "GET", .conn = "bridge", .path = path, .what = "read settings"
	};
	if (c->stage == 0) {
		c->stage = 1;
		return NEXT_SEND;
	}
	if (!c->facts)
		c->facts = value_map(c->arena);
	if (last->status != 200) {
		app_unexpected(req, last, instance, err);
		return NEXT_FAIL;
	}
	if (app_read_settings(c->arena, last->body, c->facts, err) < 0) {
		err_wrap(err, "bridge: read settings");
		return NEXT_FAIL;
	}
	return NEXT_DONE;
}

static bool differs(const char *a, const char *b)
{
	return a && b && *a && *b && strcmp(a, b) != 0;
}

/* Whether the settings are those of another credential than the one that the console shows. */
static bool refuses(const struct view *v, struct changes *c)
{
	static const char *const same[][2] = { { "client_id", "client id" },
					       { "technical_account_id", "technical account" } };
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		const char *app = view_fact_text(v, "app.settings", same[i][0]);
		const char *console = view_fact_text(v, "console.client", same[i][0]);

		if (!differs(app, console))
			continue;
		changes_find(
			c, FIND_REFUSE, "client-mismatch",
			"choose the right instance in the app's header, or the right project in the rollout file",
			"the app's settings name %s '%s', the console's credential has '%s'",
			same[i][1], app, console);
		found = true;
	}
	return found;
}

/* An instance taken for another one is the commonest human error in this app (quick start guide). */
static void warn_wrong_instance(const struct view *v, struct changes *c)
{
	const char *org = view_fact_text(v, "app.settings", "organization_id");
	const char *want_org = view_fact_text(v, "console.project", "ims_org");
	const char *url = view_fact_text(v, "app.settings", "url");
	const char *instance = value_text(view_want(v, "app.instance"));
	const char *tail = url ? strrchr(url, '/') : NULL;

	if (differs(org, want_org))
		changes_find(
			c, FIND_WARN, "organization-mismatch",
			"see that the right organization is chosen in the app's header",
			"the app's settings name organization '%s', the project belongs to '%s'",
			org, want_org);
	if (instance && tail && tail[1] && strcasecmp(tail + 1, instance) != 0)
		changes_find(
			c, FIND_WARN, "instance-mismatch",
			"see that the right instance is chosen in the app's header",
			"the app's settings name the URL '%s', which is not that of instance '%s'",
			url, instance);
}

/* Back on JWT the app would need a JWT credential, and one whose certificate still lives. */
static void say_way_back(const struct view *v, struct changes *c)
{
	const char *state = view_fact_text(v, "console.migration", "state");
	int64_t ends = view_fact_int(v, "console.certificate", "not_after", 0);

	if (state && (strcmp(state, "converted") == 0 || strcmp(state, "never-jwt") == 0))
		changes_undo(c, UNDO_GONE, "there is no JWT credential to go back to");
	else if (view_known(v, "console.certificate") && ends <= v->now_ms)
		changes_undo(c, UNDO_GONE,
			     "the JWT credential's certificate has ended, and none can be added");
	else if (strcmp(value_text_or(view_want(v, "on_failure"), ""), "rollback") == 0 &&
		 !view_want(v, "credential.private_key") &&
		 !value_bool_or(view_want(v, "app.keeps_private_key"), false))
		changes_find(
			c, FIND_WARN, "private-key-missing",
			"write credential.private_key, or app.keeps_private_key: true where the app is known to hold it still",
			"on_failure says rollback, but without the private key there is no way back once the app is switched");
}

static void want_switch(const struct view *v, struct changes *c, const char *reason)
{
	struct arena *a = changes_arena(c);
	const char *auth_type = view_fact_text(v, "app.settings", "auth_type");
	const char *was = view_fact_text(v, "app.settings", "client_id");
	const char *client_id = view_fact_text(v, "console.client", "client_id");
	struct value *before = NULL, *after = value_map(a);

	if (auth_type) {
		before = value_map(a);
		value_set(a, before, "auth_type", value_string(a, auth_type));
		if (was)
			value_set(a, before, "client_id", value_string(a, was));
	}
	value_set(a, after, "auth_type", value_string(a, "oauth"));
	if (client_id)
		value_set(a, after, "client_id", value_string(a, client_id));
	changes_add(c, &app_switch, before, after, reason);
	say_way_back(v, c);
}

/* Also where the status says NONE: what Adobe answers after a conversion is not documented, and the app may still be on JWT. */
static void diff_unknown(const struct view *v, struct changes *c, const char *state)
{
	const struct observation *o = view_seen(v, "app.settings");

	if (strcmp(state, "jwt-only") == 0) /* there is no OAuth credential that it could be on */
		want_switch(v, c, "jwt-only");
	else
		changes_attest(c, "app.settings", attested,
			       o && o->why ? o->why :
					     "the app has no public API, and no bridge reads it",
			       NULL);
}

static int settings_diff(const struct view *v, struct changes *c, struct err *err)
{
	const char *state = view_fact_text(v, "console.migration", "state");
	const char *auth_type = view_fact_text(v, "app.settings", "auth_type");
	const char *client_id = view_fact_text(v, "app.settings", "client_id");
	bool is_first, is_converted;

	(void)err;
	/* Without a state, or with one at odds with itself, the console's own diff stops the plan. */
	if (!view_want(v, "app") || !state || strcmp(state, "conflict") == 0)
		return 0;
	is_first = strcmp(state, "jwt-only") == 0;
	is_converted = strcmp(state, "started") != 0 && !is_first;
	if (refuses(v, c))
		return 0;
	warn_wrong_instance(v, c);
	if (is_first && auth_type && strcmp(auth_type, "oauth") == 0) {
		changes_find(
			c, FIND_REFUSE, "app-ahead",
			"somebody saved the settings before the migration was started: start it in the console, or set the app back",
			"the app is set to OAuth, but the project has no OAuth credential");
		return 0;
	}
	if (!auth_type || (!client_id && strcmp(auth_type, "oauth") == 0)) {
		diff_unknown(v, c, state);
		return 0;
	}
	if (strcmp(auth_type, "jwt") == 0 && is_converted)
		changes_find(
			c, FIND_WARN, "outage",
			"apply at once: nothing is waited for before the switch",
			"the credential was converted, and the app is still set to JWT: this is an outage");
	if (strcmp(auth_type, "jwt") == 0) {
		want_switch(v, c, is_first ? "jwt-only" : is_converted ? "outage" : "app-on-jwt");
		return 0;
	}
	if (!*client_id) /* choosing Oauth blanks it; saved like that the app cannot mint */
		want_switch(v, c, "client-id-blank");
	return 0;
}

/* Where the migration stands, for the way back; NULL: the console's diffs stop the plan, or there is nothing to take back. */
static const char *state_back(const struct view *v)
{
	const char *state = view_fact_text(v, "console.migration", "state");

	if (!view_want(v, "app") || !state)
		return NULL;
	return strcmp(state, "started") == 0 || strcmp(state, "jwt-only") == 0 ? state : NULL;
}

static int settings_diff_back(const struct view *v, struct changes *c, struct err *err)
{
	const char *state = state_back(v),
		   *auth_type = view_fact_text(v, "app.settings", "auth_type");
	const struct observation *o = view_seen(v, "app.settings");

	(void)err;
	if (!state || refuses(v, c))
		return 0;
	warn_wrong_instance(v, c);
	if (!auth_type && strcmp(state, "jwt-only") == 0)
		return 0; /* there is no OAuth credential that it could be on */
	if (!auth_type) {
		changes_attest(c, "app.settings", attested,
			       o && o->why ? o->why :
					     "the app has no public API, and no bridge reads it",
			       NULL);
		return 0;
	}
	if (strcmp(auth_type, "oauth") != 0)
		return 0;
	if (strcmp(state, "jwt-only") == 0)
		changes_find(
			c, FIND_WARN, "outage", "apply at once",
			"the migration was cancelled, and the app is still set to OAuth: this is an outage");
	app_want_back(v, c, strcmp(state, "jwt-only") == 0 ? "outage" : "app-on-oauth");
	return 0;
}

int app_check_saved(const struct value *saved, const char *auth_type, const char *client_id,
		    struct err *err)
{
	const char *have = value_text_or(value_get(saved, "client_id"), "");

	if (strcmp(value_text_or(value_get(saved, "auth_type"), ""), auth_type) != 0)
		return err_set(err, E_REMOTE, "the settings are still on %s after they were saved",
			       strcmp(auth_type, "oauth") == 0 ? "JWT" : "OAuth");
	if (strcmp(have, client_id) != 0)
		return err_set(err, E_REMOTE,
			       "the settings name client id '%s' after '%s' was saved", have,
			       client_id);
	return 0;
}

enum settled app_is_set_to(const struct view *v, const char *auth_type)
{
	const char *is = view_fact_text(v, "app.settings", "auth_type");
	const char *client_id = view_fact_text(v, "app.settings", "client_id");
	const char *want = view_fact_text(v, "console.client", "client_id");

	if (!is || !client_id || !want)
		return SETTLED_UNKNOWN;
	return strcmp(is, auth_type) == 0 && strcmp(client_id, want) == 0 ? SETTLED_YES :
									    SETTLED_NO;
}

static const struct change_type *const changes[] = { &app_switch, &app_switch_back, NULL };

const struct thing_type app_settings = {
	.name = "app.settings",
	.doc = "the credentials that the integration app is set to",
	.conn = "bridge",
	.facts = facts,
	.at_plan = true,
	.observe = settings_observe,
	.page = "the integration app, Settings, section 'Adobe API credentials'",
	.diff = settings_diff,
	.diff_back = settings_diff_back,
	.changes = changes,
};
