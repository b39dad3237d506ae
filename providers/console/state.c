/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/console/state.h"

#include <string.h>

const char *state_of(const char *type, const char *status)
{
	static const struct {
		const char *type, *status, *state;
	} table[] = {
		{ "service", "NOT_STARTED", "jwt-only" }, { "migrate", "STARTED", "started" },
		{ "two-rows", "STARTED", "started" },     { "oauth", "COMPLETED", "converted" },
		{ "oauth", "NONE", "never-jwt" },
	};

	if (!type || !status)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(table[i].type, type) == 0 && strcmp(table[i].status, status) == 0)
			return table[i].state;
	return "conflict";
}

int64_t restart_ms(const struct view *v)
{
	int64_t at = view_mark_ms(v, "restart.at");

	return at ? at : view_mark_ms(v, "app.workflow/restart.at");
}

bool state_is(const struct view *v, const char *state)
{
	return view_fact_is(v, "console.migration", "state", state);
}

/* The app's own diffs decide by the same facts; what they would do has to be known before they are asked. */
bool needs_switch(const struct view *v)
{
	const char *auth_type = view_fact_text(v, "app.settings", "auth_type");
	const char *client_id = view_fact_text(v, "app.settings", "client_id");

	if (!view_want(v, "app"))
		return false;
	if (!auth_type)
		return state_is(v,
				"jwt-only"); /* there is no OAuth credential that it could be on */
	return strcmp(auth_type, "jwt") == 0 || (client_id && !*client_id);
}

/* What runs holds a token for up to a day: only a start after the save shows that it runs with the settings. */
static bool is_restart_shown(const struct view *v)
{
	int64_t saved = view_fact_int(v, "app.settings", "saved_at", 0);

	if (saved == 0)
		saved = view_mark_ms(v, "app.settings/switch.at");
	return saved > 0 &&
	       (view_fact_int(v, "app.workflow", "started_at", 0) > saved || restart_ms(v) > saved);
}

static bool any_workflow(const struct view *v, const char *status)
{
	static const char *const workflows[] = { "ingress", "egress", "opt-in-out" };

	for (size_t i = 0; i < ARRAY_LEN(workflows); i++)
		if (view_fact_is(v, "app.workflow", workflows[i], status))
			return true;
	return false;
}

bool needs_restart(const struct view *v)
{
	const char *workflows = value_text_or(view_want(v, "app.workflows"), "keep");

	if (!view_want(v, "app") || strcmp(workflows, "stopped") == 0)
		return false; /* what stays stopped uses nothing */
	if (needs_switch(v) || value_bool_or(view_fact(v, "app.settings", "pending_edits"), false))
		return true;
	if (any_workflow(v, "FAILED") ||
	    (strcmp(workflows, "running") == 0 && any_workflow(v, "STOPPED")))
		return true;
	return state_is(v, "started") && view_known(v, "app.settings") && !is_restart_shown(v);
}

bool needs_switch_back(const struct view *v)
{
	return view_want(v, "app") && view_fact_is(v, "app.settings", "auth_type", "oauth");
}

bool is_way_back(const struct view *v)
{
	return state_is(v, "started") || (state_is(v, "jwt-only") && needs_switch_back(v));
}

bool needs_secret(const struct view *v)
{
	const struct value *resolves = view_fact(v, "local.secret", "credential.client_secret");

	return resolves && !value_bool_or(resolves, true) &&
	       (state_is(v, "jwt-only") || needs_switch(v));
}
