/* SPDX-License-Identifier: Apache-2.0 */
/*
 * switch_back.c - sets the app to JWT again: the way back's edit of its settings.
 *
 * Source: d365-acs-self-service-app-settings.md and its history (the private key field of JWT), read 2026-11-23. Whether the app keeps the
 * private key while it is set to OAuth is not documented: so one is sent, unless the file says that the app is known to keep it.
 */
#include <string.h>

#include "app.h"

static const char *key_ref(const struct view *v)
{
	return value_text(view_want(v, "credential.private_key.ref"));
}

static int need_client(const struct view *v, const char **ret, struct err *err)
{
	const char *client_id = view_fact_text(v, "console.client", "client_id");

	if (!client_id || !*client_id)
		return err_set(err, E_REFUSED,
			       "the client id is not known: the app cannot be set to it");
	*ret = client_id;
	return 0;
}

static const struct value *back_body(struct arena *a, const char *client_id, const char *ref)
{
	struct value *body = value_map(a), *key = value_map(a);

	value_set(a, body, "auth_type", value_string(a, "jwt"));
	value_set(a, body, "client_id", value_string(a, client_id));
	if (ref) { /* the engine puts the key's bytes here, where nothing but the wire sees them */
		value_set(a, key, "$secret_ref", value_string(a, ref));
		value_set(a, body, "private_key", key);
	}
	return body;
}

static enum next back_by_bridge(struct call *c, const struct http_resp *last, struct http_req *req,
				struct err *err)
{
	const char *client_id = NULL, *path, *instance;
	struct value *saved = value_map(c->arena);

	if (need_client(c->view, &client_id, err) < 0 || app_settings_path(c, &path, err) < 0 ||
	    app_instance(c->view, &instance, err) < 0)
		return NEXT_FAIL;
	*req = (struct http_req){ .method = "PUT",
				  .conn = "bridge",
				  .path = path,
				  .body_kind = BODY_JSON,
				  .body = back_body(c->arena, client_id, key_ref(c->view)),
				  .what = "save settings" };
	if (c->stage == 0) {
		c->stage = 1;
		return NEXT_SEND;
	}
	if (last->status != 200) {
		app_unexpected(req, last, instance, err);
		return NEXT_FAIL;
	}
	if (app_read_settings(c->arena, last->body, saved, err) < 0 ||
	    app_check_saved(saved, "jwt", client_id, err) < 0) {
		err_wrap(err, "bridge: save settings");
		return NEXT_FAIL;
	}
	return NEXT_DONE;
}

static int back_by_hand(const struct view *v, struct arena *a, struct instruction *ret,
			struct err *err)
{
	const char *client_id = NULL, *instance, *ref = key_ref(v);
	const char *page = value_text(view_want(v, "app.page"));

	if (need_client(v, &client_id, err) < 0 || app_instance(v, &instance, err) < 0)
		return -(int)err->code;
	*ret = (struct instruction){
		.page = page ? arena_printf(a, "%s (Settings)", page) :
			       "the integration app of your region, Settings",
		.lines = {
			arena_printf(a, "In the header choose organization %s and instance '%s': hover over both, they look read-only.",
				     value_text_or(view_fact(v, "console.project", "ims_org"), "(yours)"), instance),
			"In section 'Adobe API credentials' set Auth Type to JWT.",
			arena_printf(a, "See that Client ID is %s, or type it.", client_id),
			ref ? arena_printf(a, "Paste the private key, with its first and last line: what %s holds.", ref) :
			      "Leave the private key as it is: the file says that the app has kept it.",
			"If a client secret is asked for, it is that of the JWT credential, on its page in the Developer Console.",
			arena_printf(a, "Leave the rest; the URL must end in '/%s'.", instance),
			"Press Save at the bottom of the page. Nothing runs with it until the workflows are restarted.",
		},
		.check = "reads the settings where a bridge can; else the app's next use of the JWT credential shows it",
	};
	return 0;
}

static enum settled back_settled(const struct view *v)
{
	return app_is_set_to(v, "jwt");
}

static const struct value *back_effects(const struct view *v, struct arena *a)
{
	const char *client_id = view_fact_text(v, "console.client", "client_id");
	struct value *things = value_map(a), *settings = value_map(a);

	value_set(a, settings, "auth_type", value_string(a, "jwt"));
	if (client_id)
		value_set(a, settings, "client_id", value_string(a, client_id));
	value_set(a, things, "app.settings", settings);
	return things;
}

static const char *const verify[] = { "app.settings", NULL };

const struct change_type app_switch_back = {
	.name = "switch-back",
	.doc = "set the app's Auth Type to JWT again, with its private key",
	.phase = PHASE_SWITCH,
	.undo = UNDO_STEP,
	.undo_doc = "set it to Oauth again: the way forward",
	.capability = "settings",
	.executors = EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_BRIDGE),
	.executor_default = EXEC_OPERATOR,
	.apply_bridge = back_by_bridge,
	.instruct = back_by_hand,
	.verify = verify,
	.settled = back_settled,
	.effects = back_effects,
};

/* Without the key the app cannot be saved on JWT; better said now than with its workflows stopped. */
static bool is_key_at_hand(const struct view *v, struct changes *c)
{
	const char *ref = key_ref(v);
	bool is_bridge =
		strcmp(value_text_or(view_want(v, "executors.settings"), ""), "bridge") == 0;
	bool is_kept = value_bool_or(view_want(v, "app.keeps_private_key"), false);

	if (!ref && !is_kept) {
		changes_find(
			c, FIND_REFUSE, "private-key-missing",
			"write credential.private_key; or app.keeps_private_key: true where the app is known to hold it still",
			"the app can be set back to JWT only with the credential's private key, and the file names none");
		return false;
	}
	if (ref && is_bridge &&
	    !value_bool_or(view_fact(v, "local.secret", "credential.private_key"), true)) {
		changes_find(c, FIND_REFUSE, "private-key-missing",
			     "bring it there; nothing else can set the app back to JWT",
			     "the private key is not found under %s", ref);
		return false;
	}
	if (!ref)
		changes_find(
			c, FIND_WARN, "private-key-kept", NULL,
			"that the app keeps its private key is not documented: only the file says so");
	return true;
}

void app_want_back(const struct view *v, struct changes *c, const char *reason)
{
	struct arena *a = changes_arena(c);
	const char *client_id = view_fact_text(v, "console.client", "client_id");
	struct value *before = value_map(a), *after = value_map(a);

	if (!is_key_at_hand(v, c))
		return;
	value_set(a, before, "auth_type", value_string(a, "oauth"));
	value_set(a, after, "auth_type", value_string(a, "jwt"));
	if (view_fact_text(v, "app.settings", "client_id"))
		value_set(a, before, "client_id", view_fact(v, "app.settings", "client_id"));
	if (client_id)
		value_set(a, after, "client_id", value_string(a, client_id));
	changes_add(c, &app_switch_back, before, after, reason);
}
