/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bridge.c - the bridge's answers, read.
 *
 * Source of the status words: "Workflows" page of the app, d365-acs-self-service-app-workflows.md, read 2026-11-23. There is no
 * word for "stopping": after a stop the workflow shows RUNNING until it shows STOPPED.
 */
#include <inttypes.h>
#include <string.h>

#include "app.h"
#include "core/base/when.h"

const char *const app_workflows[APP_WORKFLOWS + 1] = { "ingress", "egress", "opt-in-out", NULL };
const char *const app_titles[APP_WORKFLOWS] = { "Microsoft Dynamics 365 to Campaign",
						"Campaign to Microsoft Dynamics 365",
						"Opt-In/Out" };

static const char *const wf_names[] = { [WF_ABSENT] = "not told",
					[WF_RUNNING] = "RUNNING",
					[WF_STOPPED] = "STOPPED",
					[WF_STARTING] = "STARTING",
					[WF_FAILED] = "FAILED" };

enum wf wf_parse(const char *text)
{
	for (size_t i = WF_RUNNING; text && i < ARRAY_LEN(wf_names); i++)
		if (strcmp(text, wf_names[i]) == 0)
			return (enum wf)i;
	return WF_ABSENT;
}

const char *wf_name(enum wf w)
{
	return wf_names[w];
}

static int read_instant(const struct value *map, const char *key, int64_t *ret, struct err *err)
{
	const struct value *v = value_get(map, key);
	int64_t ms;

	if (value_is_null(v)) {
		*ret = 0;
		return 0;
	}
	if (value_need_kind(v, VAL_STRING, key, err) < 0)
		return -(int)err->code;
	if (when_parse(v->u.str, &ms, NULL, err) < 0) {
		err_clear(err);
		return err_set(err, E_REMOTE, "field '%s' is no instant: '%s'", key, v->u.str);
	}
	*ret = ms;
	return 0;
}

static int read_bool(const struct value *map, const char *key, bool *ret, struct err *err)
{
	const struct value *v = value_get(map, key);

	if (!value_is_null(v) && value_need_kind(v, VAL_BOOL, key, err) < 0)
		return -(int)err->code;
	*ret = value_bool_or(v, false);
	return 0;
}

static int read_workflow(const struct value *item, struct app_workflow ret[APP_WORKFLOWS],
			 struct err *err)
{
	const struct value *backlog = value_get(item, "backlog");
	const char *name, *status;
	struct app_workflow w = { .status = WF_ABSENT };
	size_t i = 0;

	if (value_need_text(item, "name", &name, err) < 0 ||
	    value_need_text(item, "status", &status, err) < 0)
		return -(int)err->code;
	while (i < APP_WORKFLOWS && strcmp(name, app_workflows[i]) != 0)
		i++;
	if (i == APP_WORKFLOWS)
		return 0; /* one that this version does not know: not ours to touch */
	w.status = wf_parse(status);
	if (w.status == WF_ABSENT)
		return err_set(err, E_REMOTE, "workflow '%s' has the unknown status '%s'", name,
			       status);
	if (ret[i].status != WF_ABSENT)
		return err_set(err, E_REMOTE, "workflow '%s' is listed twice", name);
	if (read_bool(item, "pending_edits", &w.pending_edits, err) < 0 ||
	    read_bool(item, "scheduled_replay", &w.scheduled_replay, err) < 0 ||
	    read_instant(item, "started_at", &w.started_at, err) < 0)
		return -(int)err->code;
	if (!value_is_null(backlog) && value_need_kind(backlog, VAL_INT, "backlog", err) < 0)
		return -(int)err->code;
	w.has_backlog = !value_is_null(backlog);
	w.backlog = value_int_or(backlog, 0);
	ret[i] = w;
	return 0;
}

int app_read_workflows(const struct value *body, struct app_workflow ret[APP_WORKFLOWS],
		       struct err *err)
{
	const struct value *list = value_get(body, "workflows");
	struct app_workflow found[APP_WORKFLOWS] = { { .status = WF_ABSENT } };

	if (value_need_kind(list, VAL_LIST, "workflows", err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < value_count(list); i++)
		if (read_workflow(value_at(list, i), found, err) < 0)
			return -(int)err->code;
	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		if (found[i].status != WF_ABSENT) {
			memcpy(ret, found, sizeof(found));
			return 0;
		}
	return err_set(err, E_REMOTE, "none of the app's workflows is listed");
}

void app_from_facts(const struct value *facts, struct app_workflow ret[APP_WORKFLOWS])
{
	char key[40];

	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		const struct value *backlog;

		app_say(key, sizeof(key), "%s_backlog", app_workflows[i]);
		backlog = value_get(facts, key);
		ret[i] = (struct app_workflow){
			.status = wf_parse(value_text(value_get(facts, app_workflows[i]))),
			.has_backlog = backlog && backlog->kind == VAL_INT,
			.backlog = value_int_or(backlog, 0),
		};
	}
}

int app_instance(const struct view *v, const char **ret, struct err *err)
{
	const char *instance = value_text(view_want(v, "app.instance"));

	if (!instance)
		return err_set(err, E_DENIED, "environment '%s' names no app.instance", v->env);
	*ret = instance;
	return 0;
}

int app_ask_workflows(const struct call *c, struct http_req *req, struct err *err)
{
	const char *instance = NULL;

	if (app_instance(c->view, &instance, err) < 0)
		return -(int)err->code;
	*req = (struct http_req){ .method = "GET",
				  .conn = "bridge",
				  .path = http_path(c->arena, "/v1/apps/%s/workflows", instance),
				  .what = "read workflows" };
	return 0;
}

int app_unexpected(const struct http_req *req, const struct http_resp *resp, const char *instance,
		   struct err *err)
{
	int failed = http_unexpected(req, resp, err);

	if (resp->status == 404)
		return err_hint(
			err,
			"the bridge knows no instance '%s'; app.instance is what the app's header shows under INSTANCE",
			instance);
	if (resp->status == 409)
		return err_hint(err,
				"somebody else may be changing the app at this moment; run again");
	return failed;
}

int app_settings_path(const struct call *c, const char **ret, struct err *err)
{
	const char *instance = NULL;

	if (app_instance(c->view, &instance, err) < 0)
		return -(int)err->code;
	*ret = http_path(c->arena, "/v1/apps/%s/settings", instance);
	return 0;
}

int app_read_settings(struct arena *a, const struct value *body, struct value *facts,
		      struct err *err)
{
	static const char *const texts[] = { "client_id", "technical_account_id", "organization_id",
					     "url" };
	const char *auth_type, *found[ARRAY_LEN(texts)];
	bool pending;
	int64_t saved_at;

	if (value_need_text(body, "auth_type", &auth_type, err) < 0)
		return -(int)err->code;
	if (strcmp(auth_type, "jwt") != 0 && strcmp(auth_type, "oauth") != 0)
		return err_set(err, E_REMOTE,
			       "field 'auth_type' is '%s', neither 'jwt' nor 'oauth'", auth_type);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct value *v = value_get(body, texts[i]);

		if (!value_is_null(v) && value_need_kind(v, VAL_STRING, texts[i], err) < 0)
			return -(int)err->code;
		found[i] = value_text_or(v, "");
	}
	if (read_bool(body, "pending_edits", &pending, err) < 0 ||
	    read_instant(body, "saved_at", &saved_at, err) < 0)
		return -(int)err->code;
	value_set(a, facts, "auth_type", value_string(a, auth_type));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		value_set(a, facts, texts[i], value_string(a, found[i]));
	value_set(a, facts, "pending_edits", value_bool(a, pending));
	value_set(a, facts, "saved_at", value_int(a, saved_at));
	return 0;
}
