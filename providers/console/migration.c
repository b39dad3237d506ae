/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migration.c - console.migration: where Adobe stands with replacing JWT by OAuth; started by a person, ended by `finalize` or `cancel`.
 *
 * GET .../credentials/oauth-server-to-server/{id}/status and PATCH .../finalize are in the OpenAPI document only (no guide, no SDK); nothing
 * public starts or cancels a migration. Rules and clicks: migration guide, and "Migrate credentials from JWT to OAuth" of the
 * Campaign Standard documentation. Read 2026-11-23.
 */
#include <string.h>

#include "providers/console/read.h"
#include "providers/console/state.h"
#include "providers/console/things.h"

static const struct fact facts[] = {
	{ "status", VAL_STRING, FACT_STATE,
	  "NOT_STARTED: the card offers 'Add new credential'; STARTED: it offers 'Review and delete'; COMPLETED or NONE: no JWT credential" },
	{ "state", VAL_STRING, FACT_STATE,
	  "jwt-only, started, converted, never-jwt or conflict: follows from status and type" },
	{ NULL, VAL_NULL, FACT_STATE, NULL },
};
static const char *const to_attest[] = { "status", NULL };
static const char *const needs[] = { "console.project", "console.credential", NULL };

/* -- observe -- */

static enum next observe(struct call *c, const struct http_resp *last, struct http_req *req,
			 struct err *err)
{
	struct where w = console_where(c->view);
	const char *status;

	if (!w.org_id || !w.oauth_id || !w.type)
		return console_blind("console.credential", err);
	console_get(req,
		    http_path(c->arena,
			      "/organizations/%s/credentials/oauth-server-to-server/%s/status",
			      w.org_id, w.oauth_id),
		    "read migration status");
	if (!last)
		return NEXT_SEND;
	if (last->status == 404 && strcmp(w.type, "service") == 0) {
		/*
		 * Whether this path takes a JWT credential's id is not documented. The credential was just listed as a mere
		 * JWT one, so an answer that knows no OAuth credential under its id says: not started.
		 */
		status = "NOT_STARTED";
	} else {
		if (!console_ok(last))
			return console_refuse(req, last, err);
		/* A word that is none of the four makes the state a conflict, and is shown. */
		if (value_need_text(last->body, "migrationStatus", &status, err) < 0)
			return NEXT_FAIL;
	}
	console_fact_text(c, "status", status);
	return NEXT_DONE;
}

static void derive(const struct view *v, struct arena *a, struct value *f)
{
	const char *state = state_of(view_fact_text(v, "console.credential", "type"),
				     value_text(value_get(f, "status")));

	if (state)
		value_set(a, f, "state", value_string(a, state));
}

/* -- start -- */

static enum next start_by_bridge(struct call *c, const struct http_resp *last, struct http_req *req,
				 struct err *err)
{
	struct where w = console_where(c->view);

	if (!w.credential_id)
		return console_blind("console.credential", err);
	*req = (struct http_req){ .method = "POST",
				  .conn = "bridge",
				  .path = http_path(c->arena,
						    "/v1/console/credentials/%s/start-migration",
						    w.credential_id),
				  .what = "start migration" };
	if (!last)
		return NEXT_SEND;
	return console_ok(last) ? NEXT_DONE : console_refuse(req, last, err);
}

static int start_by_hand(const struct view *v, struct arena *a, struct instruction *ret,
			 struct err *err)
{
	(void)err;
	*ret = (struct instruction){
		.page = console_page(v, a, ""),
		.lines = {
			arena_printf(a, "sign in and open %s", console_project_text(v, a)),
			"open the Service Account (JWT) credential in the navigation on the left",
			"on the migration card click 'Add new credential'",
			"wait until 'OAuth Server-to-Server' has been added in the navigation on the left",
			"do not click 'Review and delete'",
		},
		.check = "the migration status becomes STARTED",
	};
	return 0;
}

static enum settled is_started(const struct view *v)
{
	if (state_is(v, "started") || state_is(v, "converted"))
		return SETTLED_YES;
	return state_is(v, "jwt-only") ? SETTLED_NO : SETTLED_UNKNOWN;
}

static const struct value *both(struct arena *a, const char *type, const char *status,
				const char *state)
{
	struct value *all = value_map(a), *migration = value_map(a);

	value_set(a, migration, "status", value_string(a, status));
	value_set(a, migration, "state", value_string(a, state));
	value_set(a, all, "console.migration", migration);
	value_set(a, all, "console.credential", console_pair(a, "type", type));
	return all;
}

static const struct value *start_effects(const struct view *v, struct arena *a)
{
	(void)v;
	return both(a, "migrate", "STARTED", "started");
}

static const char *const start_verify[] = { "console.credential", "console.client",
					    "console.migration", NULL };

static const struct change_type start = {
	.name = "start",
	.doc = "add the OAuth Server-to-Server credential beside the JWT one",
	.phase = PHASE_EXPAND,
	.undo = UNDO_STEP,
	.undo_doc = "cancel migration, once the app is back on JWT",
	.capability = "start",
	.executors = EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_BRIDGE),
	.executor_default = EXEC_OPERATOR,
	.apply_bridge = start_by_bridge,
	.instruct = start_by_hand,
	.verify = start_verify,
	.settled = is_started,
	.effects = start_effects,
};

/* -- finalize -- */

static enum next finalize_by_api(struct call *c, const struct http_resp *last, struct http_req *req,
				 struct err *err)
{
	struct where w = console_where(c->view);

	if (!w.org_id || !w.oauth_id)
		return console_blind("console.credential", err);
	*req = (struct http_req){
		.method = "PATCH",
		.conn = "console",
		.path = http_path(
			c->arena,
			"/organizations/%s/credentials/oauth-server-to-server/%s/finalize",
			w.org_id, w.oauth_id),
		.what = "finalize migration",
	};
	if (!last)
		return NEXT_SEND;
	if (!console_ok(last))
		return console_refuse(req, last, err);
	if (!c->marks)
		c->marks = value_map(c->arena);
	if (last->date_ms)
		value_set(c->arena, c->marks, "finalize.at", value_int(c->arena, last->date_ms));
	return NEXT_DONE;
}

static int finalize_by_hand(const struct view *v, struct arena *a, struct instruction *ret,
			    struct err *err)
{
	const char *title = view_fact_text(v, "console.project", "title");

	(void)err;
	*ret = (struct instruction){
		.page = console_page(v, a, ""),
		.lines = {
			arena_printf(a, "sign in and open %s", console_project_text(v, a)),
			"open the Service Account (JWT) credential in the navigation on the left",
			"on the migration card click 'Review and delete'",
			"check the timestamps: OAuth used more recently than JWT, and JWT not used for 24 hours; if not so, stop here",
			arena_printf(a, "type the project's title%s%s%s", title ? ": '" : "", title ? title : "",
				     title ? "'" : ""),
			"click 'Confirm and continue'; there is no way back from here",
		},
		.check = "the migration status becomes COMPLETED, and the OAuth credential is still listed",
	};
	return 0;
}

static enum settled is_finalized(const struct view *v)
{
	const char *status = view_fact_text(v, "console.migration", "status");
	bool is_oauth = view_fact_is(v, "console.credential", "type", "oauth");

	if (!status || !view_known(v, "console.credential"))
		return SETTLED_UNKNOWN;
	if (strcmp(status, "COMPLETED") == 0)
		return is_oauth ?
			       SETTLED_YES :
			       SETTLED_UNKNOWN; /* lists may be late; a missing row is no success */
	return is_oauth ? SETTLED_UNKNOWN : SETTLED_NO;
}

static const struct value *finalize_effects(const struct view *v, struct arena *a)
{
	(void)v;
	return both(a, "oauth", "COMPLETED", "converted");
}

static const char *const finalize_verify[] = { "console.credential",  "console.client",
					       "console.certificate", "console.migration",
					       "app.settings",        NULL };
static const char *const finalize_before[] = { "still_started", "app_uses_oauth", "jwt_quiet",
					       "workflows_running", NULL };

static const struct change_type finalize = {
	.name = "finalize",
	.doc = "delete the JWT credential, which completes the migration",
	.phase = PHASE_CONTRACT,
	.undo = UNDO_NEVER,
	.undo_doc = "a deleted JWT credential cannot be brought back",
	.capability = "finalize",
	.executors = EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_API),
	.executor_default = EXEC_NONE,
	.flags = CHANGE_SHARED | CHANGE_CONFIRM,
	.apply = finalize_by_api,
	.instruct = finalize_by_hand,
	.verify = finalize_verify,
	.settled = is_finalized,
	.effects = finalize_effects,
	.confirm_thing = "console.project",
	.confirm_fact = "title",
	.before = finalize_before,
};

/* -- cancel: the contract step of the way back -- */

/* What was so when the gates passed may have changed since: whoever converts or switches meanwhile would be cut off. */
static int need_started(const struct view *v, struct err *err)
{
	if (!state_is(v, "started"))
		return err_set(err, E_GATE,
			       "the migration is not under way now (%s): nothing is cancelled",
			       value_text_or(view_fact(v, "console.migration", "state"),
					     "its state is not known"));
	if (needs_switch_back(v))
		return err_set(err, E_GATE, "the app is set to OAuth: cancelling would cut it off");
	return 0;
}

static enum next cancel_by_bridge(struct call *c, const struct http_resp *last,
				  struct http_req *req, struct err *err)
{
	struct where w = console_where(c->view);

	if (!w.credential_id)
		return console_blind("console.credential", err);
	if (!last && need_started(c->view, err) < 0)
		return NEXT_FAIL;
	/* Never a deletion of the OAuth credential by its id: JWT and OAuth may be one row with one id. */
	*req = (struct http_req){ .method = "POST",
				  .conn = "bridge",
				  .path = http_path(c->arena,
						    "/v1/console/credentials/%s/cancel-migration",
						    w.credential_id),
				  .what = "cancel migration" };
	if (!last)
		return NEXT_SEND;
	return console_ok(last) ? NEXT_DONE : console_refuse(req, last, err);
}

static int cancel_by_hand(const struct view *v, struct arena *a, struct instruction *ret,
			  struct err *err)
{
	if (need_started(v, err) < 0)
		return -(int)err->code;
	*ret = (struct instruction){
		.page = console_page(v, a, ""),
		.lines = {
			arena_printf(a, "sign in and open %s", console_project_text(v, a)),
			"open the Service Account (JWT) credential in the navigation on the left",
			"on the migration card check the timestamps: JWT used more recently than OAuth; if not so, stop here",
			"click 'Cancel migration', and confirm: it deletes the OAuth Server-to-Server credential",
			"delete nothing else: the two credentials may be one entry",
		},
		.check = "the migration status becomes NOT_STARTED, and the JWT credential is still listed",
	};
	return 0;
}

/* Anything but the plain state before the start is waited for: lists may be late, and a pair at odds is no success. */
static enum settled is_cancelled(const struct view *v)
{
	if (state_is(v, "jwt-only"))
		return SETTLED_YES;
	return view_fact_text(v, "console.migration", "state") ? SETTLED_NO : SETTLED_UNKNOWN;
}

static const struct value *cancel_effects(const struct view *v, struct arena *a)
{
	(void)v;
	return both(a, "service", "NOT_STARTED", "jwt-only");
}

static const char *const cancel_before[] = { "app_uses_jwt", "oauth_quiet", "workflows_running",
					     NULL };

static const struct change_type cancel = {
	.name = "cancel",
	.doc = "cancel the migration, which deletes the OAuth credential; the JWT one stays",
	.phase = PHASE_CONTRACT,
	.undo = UNDO_STEP,
	.undo_doc =
		"start the migration again: another OAuth credential, its secret brought anew, all proved anew",
	.capability = "cancel",
	.executors = EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_BRIDGE),
	.executor_default = EXEC_OPERATOR,
	.flags = CHANGE_SHARED,
	.apply_bridge = cancel_by_bridge,
	.instruct = cancel_by_hand,
	.verify = finalize_verify,
	.settled = is_cancelled,
	.effects = cancel_effects,
	.before = cancel_before,
};

/* -- diff -- */

static bool refuses_conflict(const struct view *v, struct changes *c, const char *state)
{
	if (strcmp(state, "conflict") != 0)
		return false;
	changes_find(
		c, FIND_REFUSE, "type-and-status",
		"wait ten minutes and plan again; if they still disagree, ask Adobe before anything is deleted",
		"the credential is listed as '%s' but its migration status is %s",
		value_text_or(view_fact(v, "console.credential", "type"), "?"),
		value_text_or(view_fact(v, "console.migration", "status"), "?"));
	return true;
}

static int diff(const struct view *v, struct changes *c, struct err *err)
{
	struct arena *a = changes_arena(c);
	const char *state = view_fact_text(v, "console.migration", "state");
	const char *status = view_fact_text(v, "console.migration", "status");

	(void)err;
	if (console_unknown(v, c, "console.migration", to_attest) || !state)
		return 0;
	if (refuses_conflict(v, c, state))
		return 0;
	if (strcmp(state, "jwt-only") == 0)
		changes_add(c, &start, console_pair(a, "status", status),
			    console_pair(a, "status", "STARTED"), state);
	if (strcmp(state, "jwt-only") == 0 || strcmp(state, "started") == 0)
		changes_add(c, &finalize, console_pair(a, "status", "STARTED"),
			    console_pair(a, "status", "COMPLETED"), state);
	return 0;
}

static int diff_back(const struct view *v, struct changes *c, struct err *err)
{
	struct arena *a = changes_arena(c);
	const char *state = view_fact_text(v, "console.migration", "state");
	const char *status = view_fact_text(v, "console.migration", "status");

	(void)err;
	if (console_unknown(v, c, "console.migration", to_attest) || !state ||
	    refuses_conflict(v, c, state))
		return 0;
	if (strcmp(state, "started") == 0)
		changes_add(c, &cancel, console_pair(a, "status", status),
			    console_pair(a, "status", "NOT_STARTED"), state);
	else if (strcmp(state, "converted") == 0)
		changes_find(
			c, FIND_REFUSE, FINDING_NO_RETURN,
			"go on forward: `s2sctl plan` shows what is left to do",
			"the migration is %s: the JWT credential is gone, and nothing brings it back",
			status ? status : "over");
	else if (strcmp(state, "never-jwt") == 0)
		changes_find(c, FIND_REFUSE, FINDING_NO_RETURN, NULL,
			     "the credential never was a JWT one: there is nothing to go back to");
	return 0;
}

static const struct change_type *const changes[] = { &start, &finalize, &cancel, NULL };

const struct thing_type console_migration = {
	.name = "console.migration",
	.doc = "the migration of the credential from JWT to OAuth Server-to-Server",
	.conn = "console",
	.needs = needs,
	.facts = facts,
	.at_plan = true,
	.observe = observe,
	.derive = derive,
	.page = "Developer Console, the migration card on the Service Account (JWT) credential's page",
	.diff = diff,
	.diff_back = diff_back,
	.changes = changes,
};
