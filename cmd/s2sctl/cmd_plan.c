/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/rendering.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/run/apply.h"
#include "core/run/planner.h"

static int save(struct session *s, const struct value *doc, const char *path)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX * 4);

	json_write(&text, doc, JSON_CANONICAL, NULL);
	sb_addc(&text, '\n');
	if (file_write(path, text.buf, text.len, 0644, &s->err) < 0)
		return session_fail(s, &s->err);
	session_talkf(s, "plan written to %s\n", path);
	return 0;
}

int cmd_plan(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"plan", "FILE",
		"Reads the live systems, compares, and prints what would be done. Changes nothing.",
		NULL
	};
	const char *out = NULL;
	struct rendering r = { .max_bytes = NULL };
	struct event_file events = { .path = NULL };
	bool detailed = false;
	struct caller *caller = NULL;
	struct observer ob;
	struct journal journal;
	struct journal_said jsaid;
	struct said said;
	struct plan *plan = NULL;
	struct planner_options po;
	int status;
	const struct opt own[] = {
		{ "out", 'o', OPT_TEXT, "PLAN", "also write the plan as canonical JSON", &out },
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
		{ "detailed-exitcode", 0, OPT_FLAG, NULL, "exit 2 when changes are planned",
		  &detailed },
		{ "verbose", 'v', OPT_FLAG, NULL, "list every request that was made", &r.verbose },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !rendering_open(s, &r, SOURCE_PLAN, &status) || !event_file_open(&events, s, &status))
		return status;
	if (!session_load(s, s->words.items[0], &status) || !session_select(s, &status) ||
	    !session_connect(s, &status))
		return event_file_end(&events, status, NULL);
	event_file_started(&events, "plan");
	if (journal_open(&journal, file_store_ops(s->store), s->p->sys, &s->err) < 0 ||
	    attest_take(&journal, s->p->registry, false, &s->err) < 0) {
		journal_close(&journal);
		return event_file_end(&events, session_fail(s, &s->err), NULL);
	}
	jsaid = (struct journal_said){ .journal = &journal, .sys = s->p->sys };
	said = journal_said_ops(&jsaid);
	for (const struct rollout_env **env = s->envs; *env; env++) {
		const struct past_run *run = history_open_run(&journal.history, (*env)->name);

		if (run)
			session_talkf(
				s,
				"note: '%s' is in an open run since %s, with which apply goes on\n",
				(*env)->name, run->started_at);
	}
	caller = caller_new(&s->calls);
	ob = (struct observer){ .caller = caller, .o = &s->calls, .said = &said };
	po = (struct planner_options){ .observer = &ob,
				       .envs = (const struct rollout_env *const *)s->envs };
	if (planner_run(&po, &s->arena, &plan, NULL, &s->err) < 0) {
		status = session_fail(s, &s->err);
	} else {
		const struct value *doc = plan_to_value(plan);

		events_planned(&events.events, doc, false);
		rendering_out_document(s, &r, doc, NULL);
		status = plan_exit_status(plan);
		if (out && save(s, doc, out) != 0)
			status = 1;
		else if (!status && detailed && plan->step_count)
			status = 2;
	}
	caller_free(caller);
	journal_close(&journal);
	return event_file_end(&events, status, NULL);
}
