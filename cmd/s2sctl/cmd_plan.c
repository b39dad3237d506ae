/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/drift.h"
#include "cmd/s2sctl/plan_words.h"
#include "cmd/s2sctl/recorded_words.h"
#include "cmd/s2sctl/rendering.h"
#include "core/io/json.h"
#include "core/run/apply.h"
#include "core/run/planner.h"

int session_tell_plan(struct session *s, struct plan *p, const struct planning *how)
{
	const struct rendering *r = how->rendering;
	int status = plan_exit_status(p), other;

	events_planned(&how->events->events, plan_to_value(p), false);
	if (how->is_brief && strcmp(r->format->name, "text") == 0)
		drift_out(s, p);
	else
		rendering_out_document(s, r,
				       r->format->is_document ? plan_seal(p) : plan_to_value(p),
				       NULL);
	if (how->out && plan_save(s, p, how->out) != 0)
		return 1;
	if (how->out)
		session_talkf(s, "plan written to %s\n", how->out);
	other = how->checker ? plan_checked_by(s, plan_seal(p), how->checker) : 0;
	status = status ? status : other;
	return !status && how->detailed && p->step_count ? 2 : status;
}

/* Whether there are any: what they have still to do is planned, though a plan made now may not need it. */
static bool tell_open_runs(struct session *s, const struct history *h, enum direction way)
{
	bool any = false;

	for (const struct rollout_env **env = s->envs; *env; env++) {
		const struct past_run *run = history_open_run(h, (*env)->name);

		any |= run != NULL;
		if (run && way == DIRECTION_BACK && !run->is_back)
			session_talkf(
				s,
				"note: '%s' is in an open run since %s, which it leaves when the way back is carried out\n",
				(*env)->name, run->started_at);
		else if (run)
			session_talkf(
				s,
				"note: '%s' is in an open %s since %s, with which apply goes on\n",
				(*env)->name, run->is_back ? "way back" : "run", run->started_at);
	}
	return any;
}

int session_plan(struct session *s, const struct planning *how)
{
	struct caller *caller = NULL;
	struct observer ob;
	struct journal journal;
	struct journal_said jsaid;
	struct said said;
	struct plan *plan = NULL;
	struct planner_options po;
	struct recorder recorder = { .arena = &s->arena };
	bool is_open;
	int status;

	if (journal_open(&journal, file_store_ops(s->store), s->p->sys, &s->err) < 0 ||
	    attest_take(&journal, s->p->registry, false, &s->err) < 0) {
		journal_close(&journal);
		return session_fail(s, &s->err);
	}
	jsaid = (struct journal_said){ .journal = &journal, .sys = s->p->sys };
	if (how->direction == DIRECTION_BACK)
		jsaid.void_by = s->p->registry;
	said = journal_said_ops(&jsaid);
	is_open = tell_open_runs(s, &journal.history, how->direction);
	caller = caller_new(&s->calls);
	ob = (struct observer){ .caller = caller, .o = &s->calls, .said = &said };
	po = (struct planner_options){ .observer = &ob,
				       .envs = (const struct rollout_env *const *)s->envs,
				       .direction = how->direction,
				       .made_by = how->made_by };
	if (how->direction == DIRECTION_BACK)
		way_back_inspects(&po, &journal.history);
	if (how->record) {
		po.inspect = recorder_inspects;
		po.inspect_ctx = &recorder;
	}
	if (planner_run(&po, &s->arena, &plan, NULL, &s->err) < 0) {
		status = session_fail(s, &s->err);
	} else {
		status = session_tell_plan(s, plan, how);
		if (!status && how->detailed && is_open)
			status = 2;
		if (how->record && recorded_save(s, &recorder, plan, how->record, how->key) < 0)
			status = session_fail(s, &s->err);
	}
	caller_free(caller);
	journal_close(&journal);
	return status;
}

static bool is_usage_right(struct session *s, const struct planning *how,
			   const struct recorded_words *from)
{
	if (how->key && !how->record)
		err_set(&s->err, E_USAGE, "--key signs what --record writes");
	else if (from->path && how->record)
		err_set(&s->err, E_USAGE, "--from reads nothing that --record could write");
	else if (!from->path && (from->signers || from->revoked || from->unsigned_too))
		err_set(&s->err, E_USAGE,
			"--allowed-signers, --revoked and --unsigned are for --from");
	else if (from->path && !from->signers == !from->unsigned_too)
		err_set(&s->err, E_USAGE,
			"--from OBS takes --allowed-signers FILE (who may have recorded it), or --unsigned");
	return !s->err.code;
}

/* From what was recorded: no journal, no secret, no request. */
static int plan_from(struct session *s, const struct planning *how,
		     const struct recorded_words *from)
{
	struct recorded *rec = NULL;
	struct plan *p;

	if (recorded_load(s, from, &rec) < 0)
		return session_fail(s, &s->err);
	p = recorded_plan(rec, &s->arena, s->p->registry, s->rollout,
			  (const struct rollout_env *const *)s->envs, how->made_by,
			  sys_wall_ms(s->p->sys));
	return session_tell_plan(s, p, how);
}

int cmd_plan(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"plan", "FILE",
		"Reads the live systems, compares, and prints what would be done. Changes nothing.",
		NULL
	};
	struct rendering r = { .max_bytes = NULL };
	struct event_file events = { .path = NULL };
	struct planning how = { .direction = DIRECTION_FORWARD,
				.rendering = &r,
				.events = &events };
	struct recorded_words from = { .path = NULL };
	int status;
	const struct opt own[] = {
		{ "record", 0, OPT_TEXT, "OBS", "also write what was observed, for --from",
		  &how.record },
		{ "key", 0, OPT_TEXT, "FILE", "sign it beside it (OBS.sig) with this private key",
		  &how.key },
		{ "from", 0, OPT_TEXT, "OBS",
		  "plan from what was recorded: no credential is needed, nothing is asked",
		  &from.path },
		{ "allowed-signers", 0, OPT_TEXT, "FILE", "who may have recorded it",
		  &from.signers },
		{ "revoked", 0, OPT_TEXT, "FILE", "keys that count no more", &from.revoked },
		{ "unsigned", 0, OPT_FLAG, NULL, "take it without a signature",
		  &from.unsigned_too },
		{ "out", 'o', OPT_TEXT, "PLAN", "also write the plan as canonical JSON", &how.out },
		{ "format", 0, OPT_TEXT, "FORMAT",
		  "text (default), json, markdown, html, junit, sarif, github or gitlab",
		  &s->common.format },
		{ "max-bytes", 0, OPT_TEXT, "N",
		  "of markdown: cut what does not fit; 65536, what a comment may hold",
		  &r.max_bytes },
		{ "github-summary", 0, OPT_FLAG, NULL,
		  "markdown may be as long as a job's summary, 1 MiB", &r.github_summary },
		{ "events", 0, OPT_TEXT, "FILE", "write what happens as JSON Lines", &events.path },
		{ "env", 0, OPT_LIST, "NAME", "only this environment; may be repeated",
		  &s->common.env },
		{ "state", 0, OPT_TEXT, "DIR",
		  "where journal and lock live, instead of the file's `state`", &s->common.state },
		{ "time-scale", 0, OPT_TEXT, "N", "for sandboxes: divide own sleeping by N",
		  &s->common.time_scale },
		{ "detailed-exitcode", 0, OPT_FLAG, NULL,
		  "exit 2 when changes are planned, or a run is open", &how.detailed },
		{ "by", 0, OPT_TEXT, "NAME", "who makes the plan, and may not approve it",
		  &how.made_by },
		{ "policy-exec", 0, OPT_TEXT, "CMD",
		  "hand the plan to CMD as JSON on stdin; its exit status decides", &how.checker },
		{ "verbose", 'v', OPT_FLAG, NULL, "list every request that was made", &r.verbose },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !rendering_open(s, &r, SOURCE_PLAN, &status))
		return status;
	if (!is_usage_right(s, &how, &from))
		return session_fail(s, &s->err);
	if (!event_file_open(&events, s, &status))
		return status;
	s->common.no_env = from.path != NULL;
	if (!session_load(s, s->words.items[0], &status) || !session_select(s, &status) ||
	    (!from.path && !session_connect(s, &status)))
		return event_file_end(&events, status, NULL);
	event_file_started(&events, "plan");
	status = from.path ? plan_from(s, &how, &from) : session_plan(s, &how);
	return event_file_end(&events, status, NULL);
}
