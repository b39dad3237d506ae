/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge: what a customer would put in front of pages that have no API. To the letter of bridge.openapi.yaml, which
 * is the whole of the facts about it.
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <inttypes.h>
#include <string.h>

static const struct value *instant(const struct world *w, struct arena *a, int64_t true_ms)
{
	return value_instant(a, world_clock(w, SYS_BRIDGE, true_ms));
}

static void answer_settings(const struct world *w, const struct twin_req *req,
			    struct twin_resp *resp, const struct app *app)
{
	struct arena *a = req->arena;
	struct value *v = value_map(a);
	bool pending = false;

	for (size_t i = 0; i < WF_COUNT; i++)
		pending = pending ||
			  (app->flows[i].status != WF_STOPPED && app->flows[i].using != app->saved);
	value_set(a, v, "auth_type", value_string(a, app->saved->oauth ? "oauth" : "jwt"));
	value_set(a, v, "client_id", value_string(a, app->saved->client_id));
	value_set(a, v, "technical_account_id", value_string(a, app->technical_account_id));
	value_set(a, v, "technical_account_email", value_string(a, app->technical_account_email));
	value_set(a, v, "organization_id", value_string(a, app->organization_id));
	value_set(a, v, "integration_id", value_string(a, app->integration_id));
	value_set(a, v, "org_id", value_string(a, app->org_id));
	value_set(a, v, "url", value_string(a, app->url));
	value_set(a, v, "pending_edits", value_bool(a, pending));
	value_set(a, v, "saved_at", instant(w, a, app->saved_at));
	resp_json(resp, 200, v);
}

static void put_settings(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			 struct app *app)
{
	const char *auth = req_field(req, "auth_type"), *client = req_field(req, "client_id"),
		   *secret = req_field(req, "client_secret"), *key = req_field(req, "private_key"),
		   *why = NULL;
	bool oauth = auth != NULL && strcmp(auth, "oauth") == 0;

	if (!oauth && (auth == NULL || strcmp(auth, "jwt") != 0)) {
		resp_message(req, resp, 409, "auth_type is neither jwt nor oauth");
		return;
	}
	if (app_save(w, app, oauth, client, oauth ? secret : NULL, oauth ? NULL : key, "bridge",
		     &why) < 0) {
		resp_message(req, resp, 409, why);
		return;
	}
	answer_settings(w, req, resp, app);
}

static void answer_workflows(const struct world *w, const struct twin_req *req,
			     struct twin_resp *resp, const struct app *app)
{
	struct arena *a = req->arena;
	struct value *v = value_map(a), *list = value_list(a);

	for (size_t i = 0; i < WF_COUNT; i++) {
		const struct workflow *f = &app->flows[i];
		struct value *row = value_map(a);

		value_set(a, row, "name", value_string(a, f->name));
		value_set(a, row, "status", value_string(a, wf_status_name(f->status)));
		value_set(a, row, "backlog", value_int(a, wf_backlog(w, f)));
		value_set(a, row, "pending_edits", value_bool(a, wf_pending_edits(f)));
		value_set(a, row, "scheduled_replay", value_bool(a, f->scheduled_replay));
		value_set(a, row, "started_at", instant(w, a, f->started));
		value_list_add(a, list, row);
	}
	value_set(a, v, "workflows", list);
	resp_json(resp, 200, v);
}

static void answer_app(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	struct app *app = app_find(w, req->segments[3]);
	struct workflow *f;
	int done;

	if (app != NULL && text_in(w->apps.forbidden, app->instance)) {
		resp_message(req, resp, 403, "this instance is not yours");
		return;
	}
	if (app == NULL) {
		resp_message(req, resp, 404, "no such instance");
		return;
	}
	if (req_path(req, 4, "settings") && req_is(req, "GET")) {
		answer_settings(w, req, resp, app);
	} else if (req_path(req, 4, "settings") && req_is(req, "PUT")) {
		put_settings(w, req, resp, app);
	} else if (req_path(req, 4, "workflows") && req_is(req, "GET")) {
		answer_workflows(w, req, resp, app);
	} else if ((req_path(req, 4, "workflows/*/start") ||
		    req_path(req, 4, "workflows/*/stop")) &&
		   req_is(req, "POST")) {
		f = app_flow(app, req->segments[5]);
		if (f == NULL) {
			resp_message(req, resp, 404, "no such workflow");
			return;
		}
		done = strcmp(req->segments[6], "start") == 0 ? wf_start(w, f, "bridge") :
								wf_stop(w, f, "bridge");
		if (done < 0)
			resp_message(req, resp, 409, "the workflow is still being stopped");
		else
			resp_json(resp, done == 1 ? 200 : 202, value_map(req->arena));
	} else {
		resp_message(req, resp, 404, "no such path");
	}
}

static void answer_credential(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	struct credential *c = console_cred_of_id(w, req->segments[4]);
	const char *act = req->segments[5], *why = NULL;
	struct value *v = value_map(req->arena);
	int r = 0;

	if (c == NULL) {
		resp_message(req, resp, 404, "no such credential");
		return;
	}
	if (strcmp(act, "start-migration") == 0) {
		if (c->state == CRED_STARTED) {
			resp_json(resp, 200, v);
			return;
		}
		r = console_start(w, c, "bridge", &why);
	} else if (strcmp(act, "cancel-migration") == 0) {
		r = console_cancel(w, c, "bridge", &why);
	} else if (strcmp(act, "reveal-client-secret") == 0) {
		if (!cred_has_oauth(c)) {
			resp_message(req, resp, 409,
				     "there is no OAuth Server-to-Server credential");
			return;
		}
		world_wrote(w, "console", "reveal-secret", "bridge", c->id);
		value_set(req->arena, v, "client_secret",
			  value_string(req->arena, console_newest_secret(c)->value));
		resp_json(resp, 200, v);
		return;
	} else {
		resp_message(req, resp, 404, "no such path");
		return;
	}
	if (r < 0)
		resp_message(req, resp, 409, why);
	else
		resp_json(resp, 202, v);
}

static bool bridge_serves(const struct twin_req *req)
{
	return (req->segment_count > 0 && strcmp(req->segments[0], "bridge") == 0) ||
	       app_pages_serve(req);
}

static void bridge_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	const char *token = req_bearer(req);
	int64_t retry_s;

	if (app_pages_serve(req)) {
		app_pages_answer(w, req, resp);
		return;
	}
	resp_header(resp, "x-request-id",
		    arena_printf(req->arena, "fake-bridge-%" PRIu64, ++w->apps.requests));
	if (w->apps.bridge_token == NULL) {
		resp_message(req, resp, 404, "there is no bridge here");
	} else if (world_throttled(w, SYS_BRIDGE, &retry_s)) {
		resp_message(req, resp, 429, "too many requests");
		resp_header(resp, "Retry-After", arena_printf(req->arena, "%" PRId64, retry_s));
	} else if (token == NULL || strcmp(token, w->apps.bridge_token) != 0) {
		resp_message(req, resp, 401, "the token is not valid");
	} else if (req->segment_count > 4 &&
		   req_path(req, 1, req->segment_count > 5 ? "v1/apps/*/*/*/*" : "v1/apps/*/*")) {
		answer_app(w, req, resp);
	} else if (req_path(req, 1, "v1/console/credentials/*/*") && req_is(req, "POST")) {
		answer_credential(w, req, resp);
	} else {
		resp_message(req, resp, 404, "no such path");
	}
}

const struct twin bridge_twin = {
	.name = "bridge",
	.doc = "the integration app: the bridge contract under /bridge/v1 and its pages under /pages/app",
	.serves = bridge_serves,
	.answer = bridge_answer,
};
