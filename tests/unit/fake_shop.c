/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake_shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/base/when.h"
#include "core/run/attest.h"

#define MINT_EVERY WHEN_HOUR
#define KILLED 99

/* ---- the vendor's side: a registry ---- */

static const struct connection_type conn_shop = { .name = "shop",
						  .doc = "The shop.",
						  .prefix_default = "/v1",
						  .auth_kinds = "bearer,client_credentials",
						  .token_path = "/token",
						  .token_conn = "till",
						  .scope_separator = ",",
						  .api_key_header = "x-api-key",
						  .required = true };
static const struct connection_type conn_ledger = { .name = "ledger",
						    .doc = "The ledger.",
						    .prefix_default = "",
						    .auth_kinds = "bearer,client_credentials",
						    .token_path = "/token",
						    .token_conn = "till",
						    .scope_separator = "," };
static const struct connection_type conn_till = { .name = "till",
						  .doc = "Tokens.",
						  .url_default = "https://till.example",
						  .prefix_default = "",
						  .auth_kinds = "" };
static const struct connection_type conn_bridge = { .name = "bridge",
						    .doc = "An adapter.",
						    .prefix_default = "",
						    .auth_kinds = "bearer" };
static const struct connection_type *const connections[] = { &conn_shop, &conn_ledger, &conn_till,
							     &conn_bridge, NULL };

static const struct field scope = { .name = "scope", .kind = FIELD_ID };
static const struct field project_fields[] = {
	{ .name = "id", .kind = FIELD_ID, .flags = FIELD_REQUIRED, .doc = "Which one." },
	{ .name = NULL }
};
static const struct field credential_fields[] = {
	{ .name = "client_id", .kind = FIELD_ID, .flags = FIELD_REQUIRED, .doc = "The client." },
	{ .name = "client_secret", .kind = FIELD_SECRET, .doc = "Its secret." },
	{ .name = "scopes", .kind = FIELD_LIST, .sub = &scope, .max = 3, .doc = "What it may." },
	{ .name = NULL },
};
static const struct field app_fields[] = {
	{ .name = "flows",
	  .kind = FIELD_BOOL,
	  .def = "false",
	  .doc = "Whether rows have to grow." },
	{ .name = "ask",
	  .kind = FIELD_BOOL,
	  .def = "false",
	  .doc = "Whether a person reads the last use." },
	{ .name = "sneaky",
	  .kind = FIELD_BOOL,
	  .def = "false",
	  .doc = "Whether observe misbehaves." },
	{ .name = "stuck",
	  .kind = FIELD_BOOL,
	  .def = "false",
	  .doc = "Whether there is no way back." },
	{ .name = "mint",
	  .kind = FIELD_BOOL,
	  .def = "false",
	  .doc = "Whether rows are read as the app." },
	{ .name = NULL },
};
static const struct section_type section_project = { "project", "The project.", project_fields,
						     true };
static const struct section_type section_credential = { "credential", "The client.",
							credential_fields, true };
static const struct section_type section_app = { "app", "The app.", app_fields, false };
static const struct section_type *const sections[] = { &section_project, &section_credential,
						       &section_app, NULL };

static bool wants(const struct view *v, const char *what)
{
	return value_bool_or(view_want(v, what), false);
}

static const char *path_of(struct call *c, const char *tail)
{
	return arena_printf(c->arena, "/p/%s%s",
			    value_text_or(view_want(c->view, "project.id"), "?"), tail);
}

/* One GET whose members become the facts. */
static enum next read_all(struct call *c, const struct http_resp *last, struct http_req *req,
			  struct err *err, const char *conn, const char *tail)
{
	if (!last) {
		*req = (struct http_req){
			.method = "GET", .conn = conn, .path = path_of(c, tail), .what = "look"
		};
		return NEXT_SEND;
	}
	if (last->status != 200 || !last->body) {
		http_unexpected(req, last, err);
		return NEXT_FAIL;
	}
	for (size_t i = 0; i < value_count(last->body); i++)
		value_set(c->arena, c->facts, value_key_at(last->body, i),
			  value_copy(c->arena, value_at(last->body, i)));
	return NEXT_DONE;
}

static enum next see_project(struct call *c, const struct http_resp *last, struct http_req *req,
			     struct err *err)
{
	return read_all(c, last, req, err, "shop", "");
}

static enum next see_key(struct call *c, const struct http_resp *last, struct http_req *req,
			 struct err *err)
{
	return read_all(c, last, req, err, "shop", "/key");
}

static enum next see_settings(struct call *c, const struct http_resp *last, struct http_req *req,
			      struct err *err)
{
	enum next n = read_all(c, last, req, err, "shop", "/settings");

	if (wants(c->view, "app.sneaky") && n == NEXT_SEND)
		req->method = "POST";
	return n;
}

static enum next see_app(struct call *c, const struct http_resp *last, struct http_req *req,
			 struct err *err)
{
	return read_all(c, last, req, err, "shop", "/app");
}

static enum next see_use(struct call *c, const struct http_resp *last, struct http_req *req,
			 struct err *err)
{
	return read_all(c, last, req, err, "shop", "/use");
}

static enum next see_book(struct call *c, const struct http_resp *last, struct http_req *req,
			  struct err *err)
{
	enum next n = read_all(c, last, req, err, "ledger", "/book");

	if (wants(c->view, "app.mint") && n == NEXT_SEND)
		req->flags |= REQ_AS_MIGRATING;
	return n;
}

/* One write, and done when the answer is good. */
static enum next write_once(struct call *c, const struct http_resp *last, struct http_req *req,
			    struct err *err, const char *method, const char *tail)
{
	if (!last) {
		*req = (struct http_req){
			.method = method, .conn = "shop", .path = path_of(c, tail), .what = tail
		};
		return NEXT_SEND;
	}
	if (last->status >= 300) {
		http_unexpected(req, last, err);
		return NEXT_FAIL;
	}
	return NEXT_DONE;
}

static enum next do_add(struct call *c, const struct http_resp *last, struct http_req *req,
			struct err *err)
{
	return write_once(c, last, req, err, "POST", "/key");
}

static enum next do_drop(struct call *c, const struct http_resp *last, struct http_req *req,
			 struct err *err)
{
	return write_once(c, last, req, err, "DELETE", "/key");
}

static enum next do_set(struct call *c, const struct http_resp *last, struct http_req *req,
			struct err *err)
{
	return write_once(c, last, req, err, "PUT", "/settings");
}

static enum next do_unset(struct call *c, const struct http_resp *last, struct http_req *req,
			  struct err *err)
{
	return write_once(c, last, req, err, "DELETE", "/settings");
}

static enum next do_retract(struct call *c, const struct http_resp *last, struct http_req *req,
			    struct err *err)
{
	return write_once(c, last, req, err, "DELETE", "/newkey");
}

static enum next send(struct call *c, struct http_req *req, int stage, const char *method,
		      const char *tail)
{
	*req = (struct http_req){
		.method = method, .conn = "shop", .path = path_of(c, tail), .what = tail
	};
	c->stage = stage;
	return NEXT_SEND;
}

static bool says_running(const struct http_resp *last)
{
	return value_bool_or(value_get(last->body, "running"), true);
}

/* Stop, wait, start: in one call. Told to end before it began, it looks whether one before it left something stopped. */
static enum next do_restart(struct call *c, const struct http_resp *last, struct http_req *req,
			    struct err *err)
{
	enum { BEGIN, LOOK, STOPPING, PAUSE, STARTING };

	if (last && last->status >= 300) {
		http_unexpected(req, last, err);
		return NEXT_FAIL;
	}
	switch (c->stage) {
	case BEGIN:
		if (c->stopping)
			return send(c, req, LOOK, "GET", "/app");
		c->half = "not running: the app";
		return send(c, req, STOPPING, "POST", "/app/stop");
	case LOOK:
		if (last && !says_running(last))
			return send(c, req, STARTING, "POST", "/app/start");
		err_set(err, E_SIGNAL, "interrupted before anything was stopped");
		return NEXT_FAIL;
	case STOPPING:
		value_set(c->arena, c->marks, MARK_RESTART, value_int(c->arena, c->server_ms));
		c->stage = PAUSE;
		c->wait_ms = 5 * WHEN_SECOND;
		return NEXT_WAIT;
	case PAUSE:
		return send(c, req, STARTING, "POST", "/app/start");
	default:
		return NEXT_DONE;
	}
}

static enum settled yes_if(const struct value *fact, bool want)
{
	return !fact                              ? SETTLED_UNKNOWN :
	       value_bool_or(fact, false) == want ? SETTLED_YES :
						    SETTLED_NO;
}

static enum settled added(const struct view *v)
{
	return yes_if(view_fact(v, "shop.key", "new"), true);
}

static enum settled dropped(const struct view *v)
{
	return yes_if(view_fact(v, "shop.key", "old"), false);
}

static enum settled is_set(const struct view *v)
{
	return !view_known(v, "shop.settings")                ? SETTLED_UNKNOWN :
	       view_fact_is(v, "shop.settings", "use", "new") ? SETTLED_YES :
								SETTLED_NO;
}

static enum settled restarted(const struct view *v)
{
	if (!view_known(v, "shop.app"))
		return SETTLED_UNKNOWN;
	return value_bool_or(view_fact(v, "shop.app", "running"), false) &&
			       view_fact_int(v, "shop.app", "started_at", 0) >
				       view_fact_int(v, "shop.app", "saved_at", 0) ?
		       SETTLED_YES :
		       SETTLED_NO;
}

static enum settled retracted(const struct view *v)
{
	return yes_if(view_fact(v, "shop.key", "new"), false);
}

static enum settled is_unset(const struct view *v)
{
	enum settled set = is_set(v);

	return set == SETTLED_UNKNOWN ? set : set == SETTLED_YES ? SETTLED_NO : SETTLED_YES;
}

static int tell_set(const struct view *v, struct arena *a, struct instruction *ret, struct err *err)
{
	(void)v;
	(void)a;
	(void)err;
	ret->page = "https://shop.example/page";
	ret->lines[0] = "Choose the new key.";
	return 0;
}

static const struct value *set_effects(const struct view *v, struct arena *a)
{
	struct value *all = value_map(a), *facts = value_map(a);

	(void)v;
	value_set(a, facts, "use", value_string(a, "new"));
	value_set(a, all, "shop.settings", facts);
	return all;
}

static const char *const key_needs[] = { "shop.project", NULL };
static const char *const verify_key[] = { "shop.project", "shop.key", NULL };
static const char *const verify_settings[] = { "shop.settings", NULL };
static const char *const verify_app[] = { "shop.app", NULL };
static const char *const after_seen[] = { "app_uses", NULL };
static const char *const after_quiet[] = { "quiet", NULL };
static const char *const after_flows[] = { "book_grows", NULL };
static const char *const after_asked[] = { "word", NULL };
static const char *const before_drop[] = { "quiet", "calm", NULL };
#define ANYBODY (EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_API))

static const struct change_type change_add = { .name = "add",
					       .doc = "Adds the new key.",
					       .phase = PHASE_EXPAND,
					       .undo = UNDO_STEP,
					       .undo_doc = "Take it away.",
					       .apply = do_add,
					       .verify = verify_key,
					       .settled = added };
static const struct change_type change_drop = { .name = "drop",
						.doc = "Drops the old key.",
						.phase = PHASE_CONTRACT,
						.undo = UNDO_NEVER,
						.undo_doc = "It is gone.",
						.capability = "drop",
						.executors = ANYBODY,
						.executor_default = EXEC_NONE,
						.flags = CHANGE_SHARED | CHANGE_CONFIRM,
						.apply = do_drop,
						.verify = verify_key,
						.settled = dropped,
						.confirm_thing = "shop.project",
						.confirm_fact = "title",
						.before = before_drop };
static const struct change_type change_set = { .name = "set",
					       .doc = "Sets the app to the new key.",
					       .phase = PHASE_SWITCH,
					       .undo = UNDO_STEP,
					       .undo_doc = "Set it back.",
					       .capability = "set",
					       .executors = ANYBODY,
					       .executor_default = EXEC_API,
					       .apply = do_set,
					       .instruct = tell_set,
					       .verify = verify_settings,
					       .settled = is_set,
					       .effects = set_effects };
static const struct change_type change_restart = { .name = "restart",
						   .doc = "Restarts the app.",
						   .phase = PHASE_SWITCH,
						   .undo = UNDO_NOTHING,
						   .capability = "restart",
						   .executors = ANYBODY,
						   .executor_default = EXEC_API,
						   .flags = CHANGE_FENCES | CHANGE_UNSUSPENDED,
						   .apply = do_restart,
						   .verify = verify_app,
						   .settled = restarted };
static const struct change_type change_seen = { .name = "seen",
						.doc = "The app uses the new key.",
						.phase = PHASE_PROVE,
						.undo = UNDO_NOTHING,
						.after = after_seen };
static const struct change_type change_quiet = { .name = "quiet_old",
						 .doc = "Nobody uses the old key.",
						 .phase = PHASE_PROVE,
						 .undo = UNDO_NOTHING,
						 .after = after_quiet };
static const struct change_type change_asked = { .name = "asked",
						 .doc = "Somebody has read the last use.",
						 .phase = PHASE_PROVE,
						 .undo = UNDO_NOTHING,
						 .after = after_asked };
static const struct change_type change_flows = { .name = "flows",
						 .doc = "The book grows.",
						 .phase = PHASE_PROVE,
						 .undo = UNDO_NOTHING,
						 .flags = CHANGE_OPTIONAL,
						 .after = after_flows };
static const char *const after_old[] = { "old_used", NULL };
static const char *const after_calm_new[] = { "new_quiet", NULL };
static const char *const before_retract[] = { "old_used", "new_quiet", NULL };
static const struct change_type change_retract = { .name = "retract",
						   .doc = "Takes the new key away.",
						   .phase = PHASE_CONTRACT,
						   .undo = UNDO_STEP,
						   .undo_doc = "Add another one.",
						   .flags = CHANGE_SHARED,
						   .apply = do_retract,
						   .verify = verify_key,
						   .settled = retracted,
						   .before = before_retract };
static const struct change_type change_unset = { .name = "unset",
						 .doc = "Sets the app to the old key.",
						 .phase = PHASE_SWITCH,
						 .undo = UNDO_STEP,
						 .undo_doc = "Set it again.",
						 .apply = do_unset,
						 .verify = verify_settings,
						 .settled = is_unset };
static const struct change_type change_seen_old = { .name = "seen_old",
						    .doc = "The app uses the old key.",
						    .phase = PHASE_PROVE,
						    .undo = UNDO_NOTHING,
						    .after = after_old };
static const struct change_type change_quiet_new = { .name = "quiet_new",
						     .doc = "Nobody uses the new key.",
						     .phase = PHASE_PROVE,
						     .undo = UNDO_NOTHING,
						     .flags = CHANGE_SHARED,
						     .after = after_calm_new };
static const struct change_type *const key_changes[] = { &change_add, &change_drop, &change_retract,
							 NULL };
static const struct change_type *const settings_changes[] = { &change_set, &change_unset, NULL };
static const struct change_type *const app_changes[] = { &change_restart, NULL };
static const struct change_type *const use_changes[] = { &change_seen,      &change_quiet,
							 &change_asked,     &change_seen_old,
							 &change_quiet_new, NULL };
static const struct change_type *const book_changes[] = { &change_flows, NULL };

static int diff_key(const struct view *v, struct changes *c, struct err *err)
{
	(void)err;
	if (!view_known(v, "shop.key"))
		return 0;
	if (added(v) == SETTLED_NO)
		changes_add(c, &change_add, NULL, NULL, "old-only");
	if (dropped(v) == SETTLED_NO)
		changes_add(c, &change_drop, NULL, NULL, "old-there");
	return 0;
}

static int diff_settings(const struct view *v, struct changes *c, struct err *err)
{
	static const char *const facts[] = { "use", NULL };

	(void)err;
	if (!view_known(v, "shop.settings"))
		changes_attest(c, "shop.settings", facts, "nobody can read it", NULL);
	else if (is_set(v) == SETTLED_NO)
		changes_add(c, &change_set, NULL, NULL, "old-set");
	return 0;
}

static int diff_app(const struct view *v, struct changes *c, struct err *err)
{
	(void)err;
	if (changes_have(c, "shop.settings", "set") || restarted(v) == SETTLED_NO)
		changes_add(c, &change_restart, NULL, NULL, "must-reload");
	return 0;
}

static int diff_use(const struct view *v, struct changes *c, struct err *err)
{
	(void)err;
	if (dropped(v) != SETTLED_NO)
		return 0;
	changes_add(c, &change_seen, NULL, NULL, "prove");
	changes_add(c, &change_quiet, NULL, NULL, "prove");
	if (wants(v, "app.ask"))
		changes_add(c, &change_asked, NULL, NULL, "prove");
	return 0;
}

static int diff_book(const struct view *v, struct changes *c, struct err *err)
{
	(void)err;
	if (wants(v, "app.flows") && changes_have(c, "shop.use", "seen"))
		changes_add(c, &change_flows, NULL, NULL, "prove");
	return 0;
}

/* ---- the way back ---- */

static int back_project(const struct view *v, struct changes *c, struct err *err)
{
	(void)err;
	if (wants(v, "app.stuck"))
		changes_find(c, FIND_REFUSE, "stuck", NULL, "there is no way back");
	return 0;
}

static int back_key(const struct view *v, struct changes *c, struct err *err)
{
	(void)err;
	if (dropped(v) == SETTLED_YES)
		changes_find(c, FIND_REFUSE, FINDING_NO_RETURN, NULL, "the old key is gone");
	else if (retracted(v) == SETTLED_NO)
		changes_add(c, &change_retract, NULL, NULL, "new-there");
	return 0;
}

static int back_settings(const struct view *v, struct changes *c, struct err *err)
{
	static const char *const facts[] = { "use", NULL };

	(void)err;
	if (!view_known(v, "shop.settings"))
		changes_attest(c, "shop.settings", facts, "nobody can read it", NULL);
	else if (is_unset(v) == SETTLED_NO)
		changes_add(c, &change_unset, NULL, NULL, "new-set");
	return 0;
}

static int back_app(const struct view *v, struct changes *c, struct err *err)
{
	(void)err;
	if (changes_have(c, "shop.settings", "unset") || restarted(v) == SETTLED_NO)
		changes_add(c, &change_restart, NULL, NULL, "must-reload");
	return 0;
}

static int back_use(const struct view *v, struct changes *c, struct err *err)
{
	(void)err;
	if (retracted(v) != SETTLED_NO)
		return 0;
	changes_add(c, &change_seen_old, NULL, NULL, "prove");
	changes_add(c, &change_quiet_new, NULL, NULL, "prove");
	return 0;
}

static const struct fact project_facts[] = { { "uid", VAL_STRING, FACT_IDENTITY, "Its number." },
					     { "title", VAL_STRING, FACT_STATE, "Its title." },
					     { .name = NULL } };
static const struct fact key_facts[] = { { "new", VAL_BOOL, FACT_STATE, "The new key is there." },
					 { "old", VAL_BOOL, FACT_STATE, "The old key is there." },
					 { .name = NULL } };
static const struct fact settings_facts[] = { { "use", VAL_STRING, FACT_STATE, "Which key." },
					      { "is_meant", VAL_BOOL, FACT_WORD,
						"Whether it is meant." },
					      { .name = NULL } };
static const struct fact app_facts[] = { { "running", VAL_BOOL, FACT_STATE, "Whether it runs." },
					 { "saved_at", VAL_INT, FACT_STATE, "When it was set." },
					 { "started_at", VAL_INT, FACT_STATE, "Since when." },
					 { .name = NULL } };
static const struct fact use_facts[] = { { "new_at", VAL_INT, FACT_SAMPLE, "New key's last use." },
					 { "old_at", VAL_INT, FACT_SAMPLE, "Old key's last use." },
					 { "contact", VAL_STRING, FACT_SAMPLE, "Somebody." },
					 { "phone", VAL_STRING, FACT_PRIVATE,
					   "Nobody's business." },
					 { .name = NULL } };
static const struct fact book_facts[] = { { "rows", VAL_INT, FACT_SAMPLE, "How many." },
					  { .name = NULL } };

static const struct thing_type thing_project = { .name = "shop.project",
						 .doc = "A project.",
						 .conn = "shop",
						 .facts = project_facts,
						 .at_plan = true,
						 .diff_back = back_project,
						 .observe = see_project };
static const struct thing_type thing_key = { .name = "shop.key",
					     .doc = "Its keys.",
					     .conn = "shop",
					     .needs = key_needs,
					     .facts = key_facts,
					     .at_plan = true,
					     .diff_back = back_key,
					     .observe = see_key,
					     .diff = diff_key,
					     .changes = key_changes };
static const struct thing_type thing_settings = { .name = "shop.settings",
						  .doc = "What the app is set to.",
						  .conn = "shop",
						  .facts = settings_facts,
						  .at_plan = true,
						  .diff_back = back_settings,
						  .observe = see_settings,
						  .page = "https://shop.example/page",
						  .diff = diff_settings,
						  .changes = settings_changes };
static const struct thing_type thing_app = { .name = "shop.app",
					     .doc = "The app.",
					     .conn = "shop",
					     .facts = app_facts,
					     .at_plan = true,
					     .diff_back = back_app,
					     .observe = see_app,
					     .diff = diff_app,
					     .changes = app_changes };
static const struct thing_type thing_use = { .name = "shop.use",
					     .doc = "Last uses.",
					     .conn = "shop",
					     .facts = use_facts,
					     .diff_back = back_use,
					     .observe = see_use,
					     .diff = diff_use,
					     .changes = use_changes };
static const struct thing_type thing_book = { .name = "ledger.book",
					      .doc = "A book.",
					      .conn = "ledger",
					      .facts = book_facts,
					      .at_plan = true,
					      .observe = see_book,
					      .diff = diff_book,
					      .changes = book_changes };
static const struct thing_type *const things[] = {
	&thing_project, &thing_key, &thing_settings, &thing_app, &thing_use, &thing_book, NULL
};

/* --- gates --- */

static const struct sample *newest(const struct gate_view *g)
{
	return &g->samples[g->sample_count - 1];
}

static bool is_own(const struct gate_view *g, int64_t at)
{
	const char *client = value_text_or(view_want(g->view, "credential.client_id"), "");

	for (size_t i = 0; i < g->mint_count; i++)
		if (strcmp(g->mints[i].client_id, client) == 0 && at >= g->mints[i].from_ms &&
		    at <= g->mints[i].to_ms)
			return true;
	return false;
}

/* As it was noted; else from when on it may have been. */
static int64_t restart_of(const struct gate_view *g)
{
	int64_t at = view_mark_ms(g->view, MARK_RESTART);

	return at ? at : view_mark_ms(g->view, "shop.app/restart.from");
}

static void judge_uses(const struct gate_view *g, struct says *ret)
{
	const struct observation *o = &newest(g)->seen[0];
	int64_t at = value_int_or(value_get(o->facts, "new_at"), 0);
	int64_t restart = restart_of(g);
	struct value *marks;

	if (!o->facts)
		return;
	if (at < restart + WHEN_MINUTE || is_own(g, at)) {
		ret->verdict = VERDICT_WAIT;
		snprintf(ret->why, sizeof(ret->why), "no use since the restart");
		return;
	}
	ret->verdict = VERDICT_PASS;
	marks = value_map(ret->arena);
	value_set(ret->arena, marks, MARK_OWN_USE, value_int(ret->arena, at));
	ret->marks = marks;
}

static void judge_quiet(const struct gate_view *g, struct says *ret)
{
	const struct observation *o = &newest(g)->seen[0];
	int64_t at = value_int_or(value_get(o->facts, "old_at"), 0);
	int64_t window = value_int_or(value_get(g->limits, "window"), WHEN_DAY);
	int64_t now = newest(g)->now_ms;

	if (!o->facts)
		return;
	snprintf(ret->saw, sizeof(ret->saw), "old key last used %lld ms ago",
		 (long long)(now - at));
	if (now - at >= window) {
		ret->verdict = VERDICT_PASS;
		return;
	}
	ret->verdict = at > g->opened_ms + WHEN_HOUR ? VERDICT_FAIL : VERDICT_WAIT;
	ret->until_ms = at + window;
	snprintf(ret->why, sizeof(ret->why), "%s",
		 ret->verdict == VERDICT_FAIL ? "somebody uses it" : "not yet");
}

static int64_t quiet_earliest(const struct value *limits)
{
	return value_int_or(value_get(limits, "window"), WHEN_DAY);
}

static void judge_book(const struct gate_view *g, struct says *ret)
{
	int64_t rows = value_int_or(value_get(newest(g)->seen[0].facts, "rows"), 0);

	ret->verdict = rows > 0 ? VERDICT_PASS : rows < 0 ? VERDICT_FAIL : VERDICT_INCONCLUSIVE;
	snprintf(ret->why, sizeof(ret->why), "%lld rows", (long long)rows);
}

/* A person's reading, taken after it was asked for. */
static void judge_word(const struct gate_view *g, struct says *ret)
{
	const struct value *said = value_get(newest(g)->seen[0].facts, "attested");

	if (said && value_int_or(value_get(said, "none_since"), 0) &&
	    value_int_or(value_get(said, "asked_at"), 0) >= g->opened_ms) {
		ret->verdict = VERDICT_PASS;
		return;
	}
	ret->ask = true;
	ret->ask_thing = "shop.use";
	snprintf(ret->why, sizeof(ret->why), "a person has to read it");
}

/* The app runs: changes by itself, unlike what was waited for before. */
static void judge_calm(const struct gate_view *g, struct says *ret)
{
	const struct observation *o = &newest(g)->seen[0];

	if (o->facts)
		ret->verdict = value_bool_or(value_get(o->facts, "running"), false) ? VERDICT_PASS :
										      VERDICT_WAIT;
}

static void judge_old_used(const struct gate_view *g, struct says *ret)
{
	const struct value *facts = newest(g)->seen[0].facts;
	int64_t restart = restart_of(g);

	if (!facts)
		return;
	ret->verdict = value_int_or(value_get(facts, "old_at"), 0) > restart + WHEN_MINUTE ?
			       VERDICT_PASS :
			       VERDICT_WAIT;
	snprintf(ret->why, sizeof(ret->why), "old key");
}

static void judge_new_quiet(const struct gate_view *g, struct says *ret)
{
	const struct value *facts = newest(g)->seen[0].facts;
	int64_t restart = restart_of(g);
	int64_t used = value_int_or(value_get(facts, "new_at"), 0);

	if (!facts)
		return;
	if (used > restart + WHEN_MINUTE && restart) {
		ret->verdict = VERDICT_FAIL;
		snprintf(ret->why, sizeof(ret->why), "somebody uses the new key");
		return;
	}
	ret->until_ms = restart + 20 * WHEN_MINUTE;
	ret->verdict = newest(g)->now_ms >= ret->until_ms ? VERDICT_PASS : VERDICT_WAIT;
}

static const struct field quiet_fields[] = {
	{ .name = "window", .kind = FIELD_SPAN, .def = "24h", .doc = "How long." },
	{ .name = NULL }
};
static const char *const observes_use[] = { "shop.use", NULL };
static const char *const observes_book[] = { "ledger.book", NULL };
static const char *const observes_app[] = { "shop.app", NULL };
static const struct gate_type gate_uses = { .name = "app_uses",
					    .doc = "The app uses the new key.",
					    .observes = observes_use,
					    .judge = judge_uses,
					    .cadence = "5m",
					    .deadline = "2d" };
static const struct gate_type gate_quiet = { .name = "quiet",
					     .doc = "Nobody uses the old key.",
					     .fields = quiet_fields,
					     .observes = observes_use,
					     .judge = judge_quiet,
					     .earliest = quiet_earliest,
					     .cadence = "10m",
					     .deadline = "3d",
					     .is_safety = true };
static const struct gate_type gate_book = { .name = "book_grows",
					    .doc = "The book grows.",
					    .observes = observes_book,
					    .judge = judge_book,
					    .cadence = "1m",
					    .deadline = "10m" };
static const struct gate_type gate_word = { .name = "word",
					    .doc = "Somebody says so.",
					    .observes = observes_use,
					    .judge = judge_word,
					    .cadence = "1m",
					    .deadline = "5d",
					    .ask_valid_ms = WHEN_HOUR };
static const struct gate_type gate_calm = { .name = "calm",
					    .doc = "The app runs.",
					    .observes = observes_app,
					    .judge = judge_calm,
					    .cadence = "1m",
					    .deadline = "5d" };
static const struct gate_type gate_old_used = { .name = "old_used",
						.doc = "The app uses the old key.",
						.observes = observes_use,
						.judge = judge_old_used,
						.cadence = "2m",
						.deadline = "2d",
						.is_safety = true };
static const struct gate_type gate_new_quiet = { .name = "new_quiet",
						 .doc = "Nobody uses the new key.",
						 .observes = observes_use,
						 .judge = judge_new_quiet,
						 .cadence = "5m",
						 .deadline = "2d",
						 .is_safety = true };
static const struct gate_type *const gates[] = { &gate_uses,      &gate_quiet, &gate_book,
						 &gate_word,      &gate_calm,  &gate_old_used,
						 &gate_new_quiet, NULL };

static const struct provider provider = { .name = "shop",
					  .doc = "A shop.",
					  .connections = connections,
					  .sections = sections,
					  .things = things,
					  .gates = gates };
static const struct provider *const providers[] = { &provider, NULL };
const struct registry shop_registry = { providers };

#define HEAD                                                                                                 \
	"version: 1\n"                                                                                       \
	"connections:\n"                                                                                     \
	"  shop: {url: https://shop.example, auth: {kind: bearer, token: env:SHOP_TOKEN, api_key: key-1}}\n" \
	"  ledger: {url: https://ledger.example, auth: {kind: bearer, token: env:LEDGER_TOKEN}}\n"           \
	"defaults:\n"                                                                                        \
	"  credential: {client_secret: env:APP_SECRET, scopes: [read]}\n"                                    \
	"  executors: {drop: api}\n"                                                                         \
	"environments:\n"
const char shop_one_env[] = HEAD "  dev: {project: {id: p0}, credential: {client_id: c0}}\n";
const char shop_two_envs[] =
	HEAD "  dev: {project: {id: p0}, credential: {client_id: c0}}\n"
	     "  stage: {project: {id: p1}, credential: {client_id: c1}, after: [dev]}\n";

/* ---- the servers' side ---- */

static int64_t now_of(const struct shop_world *w)
{
	return fake_server_now(&w->clock);
}

/* What happens by itself: apps sign in every hour. */
static void live(struct shop_world *w)
{
	int64_t now = now_of(w);

	for (int i = 0; i < SHOP_PROJECTS; i++) {
		struct shop_project *p = &w->projects[i];
		struct shop_client *c = &w->clients[p->client];

		for (; p->running && !w->app_idle && p->next_mint <= now;
		     p->next_mint += MINT_EVERY) {
			if (p->runs_new)
				c->new_used = MAX_OF(c->new_used, p->next_mint);
			else
				c->old_used = MAX_OF(c->old_used, p->next_mint);
		}
		if (w->use_by_stranger && c->has_old)
			c->old_used = now - WHEN_MINUTE;
		if (w->new_by_stranger && c->has_new)
			c->new_used = now;
	}
}

void shop_advance(struct shop_world *w, int64_t ms)
{
	w->clock.mono_ms += ms;
	live(w);
}

static void put_bool(struct arena *a, struct value *m, const char *key, bool b)
{
	value_set(a, m, key, value_bool(a, b));
}

static void put_ms(struct arena *a, struct value *m, const char *key, int64_t ms)
{
	value_set(a, m, key, ms ? value_int(a, ms) : value_null(a));
}

static void drop(struct shop_world *w, struct shop_client *c)
{
	c->drops++;
	c->not_quiet |= now_of(w) - c->old_used < WHEN_DAY;
	for (int i = 0; i < SHOP_PROJECTS; i++)
		c->broke |= &w->clients[w->projects[i].client] == c && !w->projects[i].runs_new;
	c->has_old = false;
}

static void answer_get(struct shop_world *w, struct shop_project *p, const char *tail,
		       struct arena *a, struct value *m, struct fake_reply *r)
{
	struct shop_client *c = &w->clients[p->client];

	if (strcmp(tail, "") == 0) {
		value_set(a, m, "uid", value_string(a, p->uid));
		value_set(a, m, "title", value_stringf(a, "Title of %s", p->id));
	} else if (strcmp(tail, "/key") == 0) {
		put_bool(a, m, "new", c->has_new && now_of(w) >= c->added_at + w->key_lag_ms);
		put_bool(a, m, "old", c->has_old);
		r->status = p->key_denied ? 403 : 200;
	} else if (strcmp(tail, "/settings") == 0) {
		value_set(a, m, "use", value_string(a, p->set_new ? "new" : "old"));
		r->status = p->settings_denied ? 403 : 200;
	} else if (strcmp(tail, "/app") == 0) {
		put_bool(a, m, "running", p->running);
		put_ms(a, m, "started_at", p->started_at);
		put_ms(a, m, "saved_at", p->saved_at);
		r->status = p->app_denied ? 403 : 200;
	} else if (strcmp(tail, "/use") == 0) {
		put_ms(a, m, "new_at", c->new_used);
		put_ms(a, m, "old_at", c->old_used);
		value_set(a, m, "contact", value_string(a, "jane@shop.example"));
		value_set(a, m, "phone", value_string(a, "555-12345"));
	} else {
		r->status = 404;
	}
}

static void answer_write(struct shop_world *w, struct shop_project *p, const char *method,
			 const char *tail, struct fake_reply *r)
{
	struct shop_client *c = &w->clients[p->client];

	if (strcmp(method, "POST") == 0 && strcmp(tail, "/key") == 0) {
		c->adds++;
		c->added_at = c->has_new ? c->added_at : now_of(w);
		c->has_new = true;
		r->status = 201;
	} else if (strcmp(method, "DELETE") == 0 && strcmp(tail, "/key") == 0) {
		drop(w, c);
	} else if (strcmp(method, "DELETE") == 0 && strcmp(tail, "/newkey") == 0) {
		c->retracts++;
		for (int i = 0; i < SHOP_PROJECTS; i++)
			c->broke |=
				&w->clients[w->projects[i].client] == c && w->projects[i].runs_new;
		c->has_new = false;
	} else if (strcmp(method, "DELETE") == 0 && strcmp(tail, "/settings") == 0) {
		p->unsets++;
		p->set_new = false;
		p->saved_at = now_of(w);
	} else if (strcmp(method, "PUT") == 0 && strcmp(tail, "/settings") == 0) {
		p->sets++;
		p->set_new = !p->settings_stuck;
		p->saved_at = now_of(w);
	} else if (strcmp(tail, "/app/stop") == 0) {
		p->stops++;
		p->running = false;
		r->delay_ms = MAX_OF(w->delay_ms, w->app_slow_ms);
	} else if (strcmp(tail, "/app/start") == 0) {
		p->starts++;
		p->running = true;
		p->runs_new = p->set_new;
		p->started_at = now_of(w);
		p->next_mint = p->started_at + 2 * WHEN_MINUTE;
	} else {
		r->status = 404;
	}
}

static struct shop_project *project_in(struct shop_world *w, const char *url, const char **ret_tail)
{
	const char *at = strstr(url, "/p/");

	for (int i = 0; at && i < SHOP_PROJECTS; i++) {
		size_t len = strlen(w->projects[i].id);

		if (len && strncmp(at + 3, w->projects[i].id, len) == 0 &&
		    (at[3 + len] == '/' || at[3 + len] == '\0')) {
			*ret_tail = at + 3 + len;
			return &w->projects[i];
		}
	}
	return NULL;
}

static void mint(struct shop_world *w, const struct exchange *x, struct value *m)
{
	const char *id = value_text_or(value_get(x->body, "client_id"), "");

	for (int i = 0; i < SHOP_PROJECTS; i++) {
		struct shop_client *c = &w->clients[i];

		if (!c->id[0] || strcmp(c->id, id) != 0)
			continue;
		c->new_used = now_of(w);
		assert_true((size_t)c->tool_mint_count < ARRAY_LEN(c->tool_mints));
		c->tool_mints[c->tool_mint_count++] = now_of(w);
	}
	value_set(x->arena, m, "access_token", value_stringf(x->arena, "token-of-%s", id));
	value_set(x->arena, m, "expires_in", value_int(x->arena, 86400));
}

static void serve(void *ctx, struct fake_net *net, const struct exchange *x, struct fake_reply *r)
{
	struct shop *s = ctx;
	struct shop_world *w = s->w;
	struct value *m = value_map(x->arena);
	const char *tail = "";
	struct shop_project *p = project_in(w, x->url, &tail);

	live(w);
	r->status = 200;
	r->delay_ms = w->delay_ms;
	if (strcmp(x->url, "https://till.example/token") == 0)
		mint(w, x, m);
	else if (!p)
		r->status = 404;
	else if (strncmp(x->url, "https://ledger.example/", 23) == 0)
		value_set(x->arena, m, "rows", value_int(x->arena, p->rows));
	else if (strcmp(x->method, "GET") == 0)
		answer_get(w, p, tail, x->arena, m, r);
	else
		answer_write(w, p, x->method, tail, r);
	r->body = m;
	if (w->kill_at_exchange && net->exchanges == w->kill_at_exchange)
		_exit(KILLED);
}

static enum fake_fault fault_of(void *ctx, size_t n, const struct exchange *x)
{
	struct shop *s = ctx;
	CLEANUP(sb_done) struct sb line = SB_INIT(4096);

	(void)n;
	if (!s->fault_on)
		return FAULT_NONE;
	sb_addf(&line, "%s %s$", x->method, x->url);
	if (!strstr(line.buf, s->fault_on))
		return FAULT_NONE;
	s->fault_seen++;
	return s->fault_seen > s->fault_from && s->fault_seen <= s->fault_from + s->fault_times ?
		       s->fault :
		       FAULT_NONE;
}

/* ---- what a run leaves behind ---- */

static int read_all_lines(void *ctx, const char *name, struct sb *ret, struct err *err)
{
	struct shop *s = ctx;

	(void)err;
	if (strcmp(name, JOURNAL_NAME) == 0)
		sb_addn(ret, s->w->journal, s->w->journal_len);
	else
		sb_addn(ret, s->w->inbox, s->w->inbox_len);
	return 0;
}

static void add_line(char *to, size_t *at, size_t cap, const char *line, size_t len)
{
	assert_true(*at + len + 1 < cap);
	memcpy(to + *at, line, len);
	to[*at + len] = '\n';
	*at += len + 1;
}

static int append(void *ctx, const char *name, const char *line, size_t len, struct err *err)
{
	struct shop *s = ctx;
	struct shop_world *w = s->w;

	assert_null(memchr(line, '\n', len));
	if (strcmp(name, JOURNAL_NAME) != 0) {
		add_line(w->inbox, &w->inbox_len, sizeof(w->inbox), line, len);
		return 0;
	}
	w->appends++;
	if (w->kill_at && w->appends == w->kill_at && w->kill_before)
		_exit(KILLED);
	if (w->fail_at && w->appends == w->fail_at)
		return err_set(err, E_IO, "no space left");
	if (w->disk && w->journal_len + len + 1 + w->reserved > w->disk)
		return err_set(err, E_IO, "no space left on the small disk");
	add_line(w->journal, &w->journal_len, sizeof(w->journal), line, len);
	if (w->kill_at && w->appends == w->kill_at)
		_exit(KILLED);
	return 0;
}

/* A disk that fills up under the journal, with what is kept for it set aside. */
static int reserve(void *ctx, const char *name, size_t bytes, struct err *err)
{
	struct shop_world *w = ((struct shop *)ctx)->w;

	assert_string_equal(name, JOURNAL_NAME);
	if (w->disk && bytes > w->reserved && w->journal_len + bytes > w->disk)
		return err_set(err, E_IO, "no space left to keep");
	w->reserved = bytes;
	return 0;
}

static int lock(void *ctx, struct err *err)
{
	struct shop *s = ctx;

	if (s->w->locked)
		return err_set(err, E_LOCKED, "somebody holds the lock");
	s->w->locked = true;
	s->w->reserved = 0;
	return 0;
}

static void unlock(void *ctx)
{
	struct shop *s = ctx;

	s->w->locked = false;
}

static const char *place(void *ctx)
{
	(void)ctx;
	return "memory";
}

/* ---- a person ---- */

static void on_event(void *ctx, enum apply_event ev, const char *address, const char *text,
		     int64_t until_ms)
{
	static const char *const names[] = { "STARTED", "ACTING", "SAW", "WAITS",
					     "DONE",    "FAILED", "NOTE" };
	struct shop *s = ctx;

	(void)until_ms;
	sb_addf(&s->events, "%s %s %s\n", names[ev], address, text);
}

static void on_instruct(void *ctx, const char *address, const struct instruction *in,
			const char *ack)
{
	struct shop *s = ctx;

	assert_non_null(address);
	assert_non_null(in->lines[0]);
	s->instructed++;
	snprintf(s->last_ack, sizeof(s->last_ack), "%s", ack);
}

static void on_ui_tick(void *ctx, int64_t now_ms)
{
	struct shop *s = ctx;

	assert_true(now_ms > 0);
	s->ticks++;
	if (s->on_tick)
		s->on_tick(s);
}

static bool on_confirm(void *ctx, const char *address, const char *title)
{
	struct shop *s = ctx;

	(void)address;
	s->confirms++;
	return strcmp(s->confirm_title, title) == 0;
}

/* ---- putting it together ---- */

void shop_load(struct shop *s, const char *text)
{
	struct diags d;
	CLEANUP(sb_done) struct sb said = SB_INIT(65536);

	diags_init(&d, &s->arena);
	if (rollout_parse("shop.yaml", text, strlen(text), &shop_registry, &s->sys, &s->arena,
			  &s->rollout, &d) < 0) {
		diags_print(&d, &said);
		fail_msg("%s", said.buf);
	}
	s->envs = arena_array(&s->arena, s->rollout->env_count + 1, sizeof(*s->envs));
	for (size_t i = 0; i < s->rollout->env_count; i++)
		s->envs[i] = &s->rollout->envs[i];
	s->calls.rollout = s->rollout;
	s->options.envs = s->envs;
}

static void populate(struct shop_world *w)
{
	for (int i = 0; i < SHOP_PROJECTS; i++) {
		struct shop_project *p = &w->projects[i];
		struct shop_client *c = &w->clients[i];

		snprintf(p->id, sizeof(p->id), "p%d", i);
		snprintf(p->uid, sizeof(p->uid), "uid-%d", i);
		snprintf(c->id, sizeof(c->id), "c%d", i);
		p->client = i;
		p->running = true;
		p->started_at = FAKE_START - WHEN_DAY;
		p->saved_at = FAKE_START - 2 * WHEN_DAY;
		p->next_mint = FAKE_START - 30 * WHEN_MINUTE;
		p->rows = 7;
		c->has_old = true;
	}
	live(w);
}

struct shop *shop_new(const char *text)
{
	struct shop *s = mem_alloc(sizeof(*s));
	static const struct fake_secrets known = { { { "env:SHOP_TOKEN", "shop-token", 0, 0 },
						     { "env:LEDGER_TOKEN", "ledger-token", 0, 0 },
						     { "env:APP_SECRET", "app-secret-text", 0, 0 },
						     { "env:OTHER_SECRET", "other-secret-text", 0,
						       0 } } };

	s->w = mmap(NULL, sizeof(*s->w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(s->w != MAP_FAILED);
	s->secrets = known;
	s->events = (struct sb)SB_INIT((size_t)64 << 20);
	fake_net_init(&s->net, &s->w->clock, serve, s);
	s->net.faults = fault_of;
	s->transport = fake_net_transport(&s->net);
	s->sys = fake_clock_sys(&s->w->clock);
	s->source = fake_secret_source(&s->secrets);
	s->store = (struct store){ .ctx = s,
				   .read_all = read_all_lines,
				   .append = append,
				   .lock = lock,
				   .unlock = unlock,
				   .place = place,
				   .reserve = reserve };
	s->ui = (struct apply_ui){ s, on_event, on_instruct, on_ui_tick, on_confirm };
	s->calls = (struct caller_options){ .sys = &s->sys,
					    .transport = &s->transport,
					    .secrets = &s->source,
					    .clocks = &s->clocks,
					    .registry = &shop_registry };
	s->options = (struct apply_options){ .calls = &s->calls,
					     .store = &s->store,
					     .ui = &s->ui,
					     .patience_ms = 30 * WHEN_MINUTE };
	snprintf(s->confirm_title, sizeof(s->confirm_title), "Title of p0");
	populate(s->w);
	shop_load(s, text);
	return s;
}

void shop_free(struct shop *s)
{
	fake_net_done(&s->net);
	sb_done(&s->events);
	arena_done(&s->arena);
	munmap(s->w, sizeof(*s->w));
	mem_free(s);
}

enum err_code shop_apply(struct shop *s, struct apply_result *ret)
{
	struct arena a = ARENA_INIT;
	int rc;

	s->err = (struct err)ERR_INIT;
	s->clocks = (struct clocks){ .sys = &s->sys };
	rc = apply_run(&s->options, &a, ret, &s->err);
	assert_int_equal(rc, -(int)s->err.code);
	if (rc < 0)
		assert_int_equal(ret->code, s->err.code);
	assert_int_equal(s->net.flight_count, 0);
	arena_done(&a);
	return ret->code;
}

int shop_apply_child(struct shop *s)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct apply_result r;

		_exit((int)shop_apply(s, &r));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	s->w->locked = false; /* the kernel's lock dies with its holder */
	return WEXITSTATUS(status) == KILLED ? -1 : WEXITSTATUS(status);
}

enum err_code shop_apply_on(struct shop *s, int most)
{
	struct apply_result r;
	enum err_code code = E_WAIT;

	while (code == E_WAIT && most-- > 0) {
		code = shop_apply(s, &r);
		if (code == E_WAIT)
			shop_advance(s->w, MAX_OF(r.until_ms - now_of(s->w), 5 * WHEN_MINUTE));
	}
	return code;
}

void shop_ack(struct shop *s, const char *step, const struct attest *more)
{
	struct journal j;
	struct err err = ERR_INIT;
	struct attest t = more ? *more : (struct attest){ 0 };

	t.step = step;
	t.by = "ann";
	assert_int_equal(journal_open(&j, &s->store, &s->sys, &err), 0);
	if (attest_add(&t, &shop_registry, &j, &err) < 0)
		fail_msg("%s", err.msg);
	journal_close(&j);
}

bool shop_is_migrated(const struct shop *s, int project)
{
	const struct shop_project *p = &s->w->projects[project];
	const struct shop_client *c = &s->w->clients[p->client];

	return c->has_new && !c->has_old && p->running && p->runs_new && !c->broke && !c->not_quiet;
}

size_t shop_journal_count(const struct shop *s, const char *part)
{
	size_t count = 0;
	size_t len = strlen(part);

	for (size_t at = 0; at < s->w->journal_len;) {
		const char *line = s->w->journal + at,
			   *end = memchr(line, '\n', s->w->journal_len - at);

		assert_non_null(end);
		count += memmem(line, (size_t)(end - line), part, len) != NULL;
		at = (size_t)(end - s->w->journal) + 1;
	}
	return count;
}

bool shop_is_back(const struct shop *s, int project)
{
	const struct shop_project *p = &s->w->projects[project];
	const struct shop_client *c = &s->w->clients[p->client];

	return !c->has_new && c->has_old && p->running && !p->runs_new && !p->set_new && !c->broke;
}
