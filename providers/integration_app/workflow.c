/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow.c - the app's page "Workflows": what runs, and what has to be restarted.
 *
 * Source: d365-acs-self-service-app-workflows.md (states, backlog, pending edits) and d365-acs-self-service-app-data-sync.md
 * (a replay fires at the next stop and start), read 2026-11-23.
 */
#include <string.h>

#include "app.h"

static const struct fact facts[] = {
	{ "ingress", VAL_STRING, FACT_STATE,
	  "RUNNING, STOPPED, STARTING or FAILED; Workflows, 'Microsoft Dynamics 365 to Campaign'" },
	{ "egress", VAL_STRING, FACT_STATE,
	  "the same; Workflows, 'Campaign to Microsoft Dynamics 365'" },
	{ "opt-in-out", VAL_STRING, FACT_STATE, "the same; Workflows, 'Opt-In/Out'" },
	{ "ingress_backlog", VAL_INT, FACT_SAMPLE,
	  "records read and not yet written; Workflows, 'Backlog'" },
	{ "egress_backlog", VAL_INT, FACT_SAMPLE, "the same" },
	{ "opt-in-out_backlog", VAL_INT, FACT_SAMPLE, "the same" },
	{ "pending_edits", VAL_BOOL, FACT_STATE,
	  "edits that a restart would apply: a warning mark on the Stop button" },
	{ "scheduled_replay", VAL_BOOL, FACT_STATE, "a replay of data that a restart would begin" },
	{ "started_at", VAL_INT, FACT_SAMPLE,
	  "the oldest start among those running; 0 when that is not known" },
	{ "stopped_is_meant", VAL_BOOL, FACT_WORD,
	  "whether what is STOPPED now is meant to be; false: it is started with the others" },
	{ 0 },
};

static void fill_facts(struct arena *a, const struct app_workflow wf[APP_WORKFLOWS],
		       struct value *into)
{
	int64_t oldest = INT64_MAX;
	bool edits = false, replay = false;

	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		if (wf[i].status == WF_ABSENT)
			continue;
		value_set(a, into, app_workflows[i], value_string(a, wf_name(wf[i].status)));
		if (wf[i].has_backlog)
			value_set(a, into, arena_printf(a, "%s_backlog", app_workflows[i]),
				  value_int(a, wf[i].backlog));
		edits |= wf[i].pending_edits;
		replay |= wf[i].scheduled_replay;
		if (wf[i].status == WF_RUNNING) /* one unknown start makes the oldest unknown */
			oldest = MIN_OF(oldest, wf[i].started_at);
	}
	value_set(a, into, "pending_edits", value_bool(a, edits));
	value_set(a, into, "scheduled_replay", value_bool(a, replay));
	value_set(a, into, "started_at", value_int(a, oldest == INT64_MAX ? 0 : oldest));
}

static enum next workflow_observe(struct call *c, const struct http_resp *last,
				  struct http_req *req, struct err *err)
{
	struct app_workflow wf[APP_WORKFLOWS];
	const char *instance;

	if (app_ask_workflows(c, req, err) < 0 || app_instance(c->view, &instance, err) < 0)
		return NEXT_FAIL;
	if (c->stage == 0) {
		c->stage = 1;
		return NEXT_SEND;
	}
	if (last->status != 200) {
		app_unexpected(req, last, instance, err);
		return NEXT_FAIL;
	}
	if (app_read_workflows(last->body, wf, err) < 0) {
		err_wrap(err, "bridge: read workflows");
		return NEXT_FAIL;
	}
	if (!c->facts)
		c->facts = value_map(c->arena);
	fill_facts(c->arena, wf, c->facts);
	return NEXT_DONE;
}

/* An operator's word must cover all three; a bridge lists what the instance has. */
static bool is_known(const struct view *v)
{
	const struct observation *o = view_seen(v, "app.workflow");
	size_t told = 0;

	if (!view_known(v, "app.workflow"))
		return false;
	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		told += wf_parse(value_text(value_get(o->facts, app_workflows[i]))) != WF_ABSENT;
	return o->known == KNOWN_API || o->known == KNOWN_BRIDGE ? told > 0 : told == APP_WORKFLOWS;
}

static bool any(const struct app_workflow wf[APP_WORKFLOWS], enum wf status)
{
	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		if (wf[i].status == status)
			return true;
	return false;
}

/* What runs holds a token for up to a day, so only a start after the save shows that it runs with the settings. */
static bool is_restart_shown(const struct view *v)
{
	int64_t saved = view_fact_int(v, "app.settings", "saved_at", 0);

	if (saved == 0)
		saved = view_mark_ms(v, "app.settings/switch.at");
	if (saved == 0)
		return false;
	return view_fact_int(v, "app.workflow", "started_at", 0) > saved ||
	       app_restart_ms(v) > saved;
}

/* Why the workflows have to be restarted; NULL: they need not. */
static const char *restart_reason(const struct view *v, const struct changes *c, const char *state,
				  const struct app_workflow wf[APP_WORKFLOWS])
{
	if (strcmp(state, "jwt-only") == 0)
		return "jwt-only";
	if (changes_have(c, "app.settings", "switch"))
		return "settings-change";
	if (value_bool_or(view_fact(v, "app.settings", "pending_edits"), false))
		return "settings-pending";
	if (any(wf, WF_FAILED))
		return "workflow-failed";
	if (strcmp(state, "started") == 0 && !is_restart_shown(v))
		return "restart-not-shown";
	if (app_wants(v, "running") && any(wf, WF_STOPPED))
		return "wanted-running";
	if (app_wants(v, "stopped") && (any(wf, WF_RUNNING) || any(wf, WF_STARTING)))
		return "wanted-stopped";
	return NULL;
}

static struct value *states_map(struct arena *a, const struct app_workflow wf[APP_WORKFLOWS],
				bool after, const struct view *v)
{
	struct value *map = value_map(a);

	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		const char *text = wf_name(wf[i].status);

		if (wf[i].status == WF_ABSENT)
			continue;
		if (after && app_wants(v, "stopped"))
			text = "STOPPED";
		else if (after && (app_wants(v, "running") || wf[i].status != WF_STOPPED))
			text = "RUNNING";
		value_set(a, map, app_workflows[i], value_string(a, text));
	}
	return map;
}

/* A restart applies whatever waits for one, and not all of it was asked for here. */
static void check_waiting(const struct view *v, struct changes *c)
{
	bool replay = value_bool_or(view_fact(v, "app.workflow", "scheduled_replay"), false);
	bool edits = value_bool_or(view_fact(v, "app.workflow", "pending_edits"), false) &&
		     !value_bool_or(view_fact(v, "app.settings", "pending_edits"), false);
	bool allowed = value_bool_or(view_want(v, "app.apply_pending"), false);

	if (replay || edits)
		changes_find(
			c, allowed ? FIND_WARN : FIND_REFUSE, "pending-edits",
			allowed ?
				NULL :
				"look at them on the Workflows page; app.apply_pending: true lets the restart apply them",
			"%s%s%s waiting for a restart of the workflows, and this one would apply them",
			replay ? "a replay of data" : "", replay && edits ? " and " : "",
			edits ? replay ? "edits are" : "edits of the workflows are" : " is");
}

static bool is_past_start(const char *state)
{
	return strcmp(state, "started") == 0 || strcmp(state, "converted") == 0;
}

static const char *stopped_names(struct changes *c, const struct app_workflow wf[APP_WORKFLOWS])
{
	bool is_stopped[APP_WORKFLOWS];

	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		is_stopped[i] = wf[i].status == WF_STOPPED;
	return app_names_text(changes_arena(c), is_stopped);
}

/*
 * Somebody began this migration, and may have stopped workflows on the way: a run whose journal is lost, one that was given up in the middle of
 * its restart, or a person. Then nothing tells whether what is STOPPED is meant to be, so the file has to, or a person: it is neither left
 * out nor started without a word.
 */
static void ask_what_is_meant(const struct view *v, struct changes *c, const char *rule,
			      const char *text)
{
	static const char *const asked[] = { "stopped_is_meant", NULL };
	const struct observation *o = view_seen(v, "app.workflow");
	bool is_read = o && (o->known == KNOWN_BRIDGE || o->known == KNOWN_API);

	/* A person who has told how they stand would have to tell it all again: there the file says it. */
	changes_find(
		c, is_read ? FIND_WARN : FIND_REFUSE, rule,
		"write app.workflows: running to have all started, or app.stopped_is_meant: true when they are meant to be stopped",
		"%s", text);
	if (is_read)
		changes_attest(c, "app.workflow", asked, text, NULL);
}

static void check_stopped(const struct view *v, struct changes *c, const char *state,
			  const struct app_workflow wf[APP_WORKFLOWS])
{
	struct arena *a = changes_arena(c);

	if (!app_wants(v, "keep") || !any(wf, WF_STOPPED) ||
	    value_bool_or(view_want(v, "app.stopped_is_meant"), false) ||
	    value_bool_or(view_fact(v, "app.workflow", "stopped_is_meant"), false))
		return;
	if (view_mark(v, "app.workflow/restart.left_open") && !view_mark(v, "restart.before")) {
		ask_what_is_meant(
			v, c, "restart-left-open",
			arena_printf(
				a,
				"a run was given up in the middle of its restart, and may have stopped what was running; STOPPED now: %s",
				stopped_names(c, wf)));
		return;
	}
	if (!is_past_start(state) || value_count(v->marks) > 0)
		return;
	if (strcmp(state, "started") == 0)
		ask_what_is_meant(
			v, c, "no-journal",
			arena_printf(
				a,
				"the migration was begun, no journal here tells which workflows ran before, and STOPPED now: %s",
				stopped_names(c, wf)));
	else /* converted, maybe behind everybody's back: an outage is not kept waiting for an answer */
		changes_find(
			c, FIND_WARN, "no-journal",
			"write app.workflows: running to have them started, or app.stopped_is_meant: true when they are meant to be stopped",
			"no journal here tells which workflows ran before the migration; left as they are, STOPPED: %s",
			stopped_names(c, wf));
}

static const char *unread_why(const struct view *v)
{
	const struct observation *o = view_seen(v, "app.workflow");

	return o && o->why ? o->why : "the app has no public API, and no bridge reads it";
}

static void want_stable(const struct view *v, struct changes *c, bool known,
			const struct app_workflow wf[APP_WORKFLOWS])
{
	bool runs = any(wf, WF_RUNNING) || any(wf, WF_STARTING) || any(wf, WF_FAILED);

	if (app_wants(v, "stopped")) {
		changes_find(
			c, FIND_WARN, "wanted-stopped",
			"set app.workflows: keep or running to have it proved",
			"the workflows are to stay stopped: nothing shows that the app works with its settings");
		return;
	}
	if (known && !runs && app_wants(v, "keep"))
		changes_find(
			c, FIND_WARN, "none-runs",
			"set app.workflows: running to have them started",
			"no workflow runs and none will be started: nothing will use the OAuth credential");
	changes_add(c, &app_stable, NULL, NULL, "prove");
	if (!known) /* a policy that forbids what people read has to know it now, not when the workflows have been restarted */
		changes_attest(c, "app.workflow", app_workflows, unread_why(v), "stable");
}

static int workflow_diff(const struct view *v, struct changes *c, struct err *err)
{
	const char *state = view_fact_text(v, "console.migration", "state");
	const struct observation *o = view_seen(v, "app.workflow");
	struct app_workflow wf[APP_WORKFLOWS];
	struct arena *a = changes_arena(c);
	bool known = is_known(v);
	const char *reason;

	(void)err;
	if (!view_want(v, "app") || !state || strcmp(state, "conflict") == 0)
		return 0;
	app_from_facts(known ? o->facts : NULL, wf);
	if (!known && strcmp(state, "never-jwt") == 0 && !changes_have(c, "app.settings", "switch"))
		return 0;
	if (!known && strcmp(state, "jwt-only") != 0) {
		changes_attest(c, "app.workflow", app_workflows, unread_why(v), NULL);
		return 0;
	}
	reason = restart_reason(v, c, state, wf);
	check_stopped(v, c, state, wf);
	if (reason) {
		check_waiting(v, c);
		changes_add(c, &app_restart, known ? states_map(a, wf, false, v) : NULL,
			    known ? states_map(a, wf, true, v) : NULL, reason);
	}
	if (reason || changes_have(c, "console.migration", "finalize"))
		want_stable(v, c, known, wf);
	return 0;
}

/* The app was set back by somebody, and what runs was started before that: it may hold a token of the other kind. */
static bool is_back_shown(const struct view *v)
{
	int64_t saved = view_fact_int(v, "app.settings", "saved_at", 0);

	if (saved == 0)
		saved = MAX_OF(view_mark_ms(v, "app.settings/switch.at"),
			       view_mark_ms(v, "app.settings/switch-back.at"));
	/* Nothing tells of any save: then it was never switched, as far as is known; the proof asks for more (app_uses_jwt). */
	return saved == 0 || view_fact_int(v, "app.workflow", "started_at", 0) > saved ||
	       app_restart_ms(v) > saved;
}

static const char *restart_back_reason(const struct view *v, const struct changes *c,
				       const struct app_workflow wf[APP_WORKFLOWS])
{
	if (changes_have(c, "app.settings", "switch-back"))
		return "settings-change";
	if (value_bool_or(view_fact(v, "app.settings", "pending_edits"), false))
		return "settings-pending";
	if (any(wf, WF_FAILED))
		return "workflow-failed";
	if (!is_back_shown(v))
		return "restart-not-shown";
	if (app_meant(v, wf).count > 0 && any(wf, WF_STOPPED))
		for (size_t i = 0; i < APP_WORKFLOWS; i++)
			if (app_meant(v, wf).runs[i] && wf[i].status == WF_STOPPED)
				return "stopped-in-between";
	return NULL;
}

/* What runs before and after the way back's restart; what a run stopped and did not start again is meant to run. */
static struct value *back_map(struct arena *a, const struct view *v,
			      const struct app_workflow wf[APP_WORKFLOWS])
{
	struct value *map = value_map(a);
	const struct app_meant m = app_meant(v, wf);

	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		if (wf[i].status != WF_ABSENT)
			value_set(a, map, app_workflows[i],
				  value_string(a, m.runs[i] ? "RUNNING" : "STOPPED"));
	return map;
}

static int workflow_diff_back(const struct view *v, struct changes *c, struct err *err)
{
	const char *state = view_fact_text(v, "console.migration", "state");
	const struct observation *o = view_seen(v, "app.workflow");
	bool is_started = state && strcmp(state, "started") == 0, known = is_known(v);
	struct app_workflow wf[APP_WORKFLOWS];
	struct arena *a = changes_arena(c);
	const char *reason;

	(void)err;
	if (!view_want(v, "app") ||
	    (!is_started && !changes_have(c, "app.settings", "switch-back")))
		return 0;
	if (!known) {
		changes_attest(c, "app.workflow", app_workflows, unread_why(v), NULL);
		return 0;
	}
	app_from_facts(o->facts, wf);
	if (app_meant(v, wf).count == 0) {
		changes_find(
			c, FIND_REFUSE, "proof-impossible",
			"set app.workflows: running to have them started; or cancel by hand on the migration card",
			"no workflow runs, and none is to be started: nothing would show that the app works by JWT");
		return 0;
	}
	reason = restart_back_reason(v, c, wf);
	if (reason) {
		check_stopped(v, c, state, wf);
		check_waiting(v, c);
		changes_add(c, &app_restart, states_map(a, wf, false, v), back_map(a, v, wf),
			    reason);
	}
	changes_add(c, &app_stable, NULL, NULL, "prove");
	return 0;
}

static int stable_instruct(const struct view *v, struct arena *a, struct instruction *ret,
			   struct err *err)
{
	const char *page = value_text(view_want(v, "app.page")), *instance;

	if (app_instance(v, &instance, err) < 0)
		return -(int)err->code;
	*ret = (struct instruction){
		.page = page ? arena_printf(a, "%s (Workflows)", page) : "the integration app of your region, Workflows",
		.lines = {
			arena_printf(a, "In the header choose instance '%s'.", instance),
			"Read the status of the three workflows, and their backlog.",
		},
		.check = "that those which are meant to run are RUNNING, read after they had time to fail",
		.ack_args = "--fact ingress=STATUS --fact egress=STATUS --fact opt-in-out=STATUS [--fact ingress_backlog=N ...]",
	};
	return 0;
}

static const char *const stable_gates[] = { "workflows_stable", "backlog", NULL };
const struct change_type app_stable = {
	.name = "stable",
	.doc = "the workflows that are meant to run stay RUNNING, and the backlog comes down",
	.phase = PHASE_PROVE,
	.undo = UNDO_NOTHING,
	.flags =
		CHANGE_OPTIONAL, /* for the backlog, which not everybody can read; workflows_stable is a safety gate */
	.instruct = stable_instruct,
	.after = stable_gates,
};

static const struct change_type *const changes[] = { &app_restart, &app_stable, NULL };

const struct thing_type app_workflow = {
	.name = "app.workflow",
	.doc = "the three workflows of the integration app",
	.conn = "bridge",
	.facts = facts,
	.at_plan = true,
	.observe = workflow_observe,
	.page = "the integration app, Workflows",
	.diff = workflow_diff,
	.diff_back = workflow_diff_back,
	.changes = changes,
};
