/* SPDX-License-Identifier: Apache-2.0 */
/*
 * switch.c - sets the app to OAuth: the one edit of its settings.
 *
 * Source: d365-acs-self-service-app-migrate-credentials.md, read 2026-11-23. Nothing changes until Save at the page's bottom, and nothing that runs
 * takes it up before a restart. Whether Save checks the values is not documented; the restart shows it.
 */
#include <string.h>

#include "app.h"

static int need_client(const struct view *v, const char **ret_client, const char **ret_ref,
		       struct err *err)
{
	const char *client_id = view_fact_text(v, "console.client", "client_id");
	const char *ref = value_text(value_get(view_want(v, "credential.client_secret"), "ref"));

	if (!client_id || !*client_id)
		return err_set(err, E_REFUSED,
			       "the client id is not known: the app cannot be set to it");
	if (!ref)
		return err_set(err, E_REFUSED, "environment '%s' names no credential.client_secret",
			       v->env);
	*ret_client = client_id;
	*ret_ref = ref;
	return 0;
}

static const struct value *switch_body(struct arena *a, const char *client_id, const char *ref)
{
	struct value *body = value_map(a), *secret = value_map(a);

	/* The engine puts the secret's bytes here, where nothing but the wire sees them. */
	value_set(a, secret, "$secret_ref", value_string(a, ref));
	value_set(a, body, "auth_type", value_string(a, "oauth"));
	value_set(a, body, "client_id", value_string(a, client_id));
	value_set(a, body, "client_secret", secret);
	return body;
}

static enum next switch_bridge(struct call *c, const struct http_resp *last, struct http_req *req,
			       struct err *err)
{
	const char *client_id, *ref, *path, *instance;
	struct value *saved = value_map(c->arena);

	if (need_client(c->view, &client_id, &ref, err) < 0 ||
	    app_settings_path(c, &path, err) < 0 || app_instance(c->view, &instance, err) < 0)
		return NEXT_FAIL;
	*req = (struct http_req){ .method = "PUT",
				  .conn = "bridge",
				  .path = path,
				  .body_kind = BODY_JSON,
				  .body = switch_body(c->arena, client_id, ref),
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
	    app_check_saved(saved, "oauth", client_id, err) < 0) {
		err_wrap(err, "bridge: save settings");
		return NEXT_FAIL;
	}
	return NEXT_DONE;
}

static int switch_instruct(const struct view *v, struct arena *a, struct instruction *ret,
			   struct err *err)
{
	const char *client_id, *ref, *instance, *page;

	if (need_client(v, &client_id, &ref, err) < 0 || app_instance(v, &instance, err) < 0)
		return -(int)err->code;
	page = value_text(view_want(v, "app.page"));
	*ret = (struct instruction){
		.page = page ? arena_printf(a, "%s (Settings)", page) :
			       "the integration app of your region, Settings",
		.lines = {
			arena_printf(a, "In the header choose organization %s and instance '%s': hover over both, they look read-only.",
				     value_text_or(view_fact(v, "console.project", "ims_org"), "(yours)"), instance),
			"See that nobody else edits these settings, and keep the JWT private key until finalize: the way back needs it.",
			"In section 'Adobe API credentials' set Auth Type to Oauth.",
			arena_printf(a, "Type Client ID: %s (it is blank now, although it is the same as before).", client_id),
			arena_printf(a, "Paste Client Secret: what %s holds.", ref),
			arena_printf(a, "Leave the rest as prefilled; the URL must end in '/%s'.", instance),
			"Press Save at the bottom of the page. Nothing runs with it until the workflows are restarted.",
		},
		.check = "reads the settings where a bridge can; else the app's first use of the OAuth credential shows it",
	};
	return 0;
}

static enum settled switch_settled(const struct view *v)
{
	return app_is_set_to(v, "oauth");
}

static const struct value *switch_effects(const struct view *v, struct arena *a)
{
	const char *client_id = view_fact_text(v, "console.client", "client_id");
	struct value *things = value_map(a), *settings = value_map(a);

	if (!client_id) /* it cannot be read just now; a file that names another one was refused */
		client_id = value_text(view_want(v, "credential.client_id"));
	value_set(a, settings, "auth_type", value_string(a, "oauth"));
	if (client_id)
		value_set(a, settings, "client_id", value_string(a, client_id));
	value_set(a, things, "app.settings", settings);
	return things;
}

static const char *const verify[] = { "app.settings", NULL };

const struct change_type app_switch = {
	.name = "switch",
	.doc = "set the app's Auth Type to Oauth, with client id and client secret",
	.phase = PHASE_SWITCH,
	.undo = UNDO_PERSON,
	.undo_doc =
		"needs the JWT credential's private key, a living certificate and a living JWT exchange",
	.capability = "settings",
	.executors = EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_BRIDGE),
	.executor_default = EXEC_OPERATOR,
	.apply_bridge = switch_bridge,
	.instruct = switch_instruct,
	.verify = verify,
	.settled = switch_settled,
	.effects = switch_effects,
};
