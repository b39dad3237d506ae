/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/session.h"
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

static void print(struct session *s, const struct value *doc, bool json, bool verbose)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX * 4);
	struct report_style style = session_style(s);

	style.verbose = verbose;
	if (json) {
		json_write(&text, doc, JSON_CANONICAL, NULL);
		sb_addc(&text, '\n');
	} else {
		report_plan_text(doc, &style, &text);
	}
	session_out(s, &text);
}

static void tell_open_runs(struct session *s, const struct history *h, enum direction way)
{
	for (const struct rollout_env **env = s->envs; *env; env++) {
		const struct past_run *run = history_open_run(h, (*env)->name);

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
	int status;

	if (journal_open(&journal, file_store_ops(s->store), s->p->sys, &s->err) < 0 ||
	    attest_take(&journal, s->p->registry, false, &s->err) < 0) {
		journal_close(&journal);
		return session_fail(s, &s->err);
	}
	jsaid = (struct journal_said){ .journal = &journal, .sys = s->p->sys };
	said = journal_said_ops(&jsaid);
	tell_open_runs(s, &journal.history, how->direction);
	caller = caller_new(&s->calls);
	ob = (struct observer){ .caller = caller, .o = &s->calls, .said = &said };
	po = (struct planner_options){ .observer = &ob,
				       .envs = (const struct rollout_env *const *)s->envs,
				       .direction = how->direction };
	if (how->direction == DIRECTION_BACK)
		way_back_inspects(&po, &journal.history);
	if (planner_run(&po, &s->arena, &plan, NULL, &s->err) < 0) {
		status = session_fail(s, &s->err);
	} else {
		const struct value *doc = plan_to_value(plan);

		print(s, doc, how->json, how->verbose);
		status = plan_exit_status(plan);
		if (how->out && save(s, doc, how->out) != 0)
			status = 1;
		else if (!status && how->detailed && plan->step_count)
			status = 2;
	}
	caller_free(caller);
	journal_close(&journal);
	return status;
}

int cmd_plan(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"plan", "FILE",
		"Reads the live systems, compares, and prints what would be done. Changes nothing.",
		NULL
	};
	struct planning how = { .direction = DIRECTION_FORWARD };
	int status;
	const struct opt own[] = {
		{ "out", 'o', OPT_TEXT, "PLAN", "also write the plan as canonical JSON", &how.out },
		{ "format", 0, OPT_TEXT, "FORMAT", "text (default) or json", &s->common.format },
		{ "env", 0, OPT_LIST, "NAME", "only this environment; may be repeated",
		  &s->common.env },
		{ "state", 0, OPT_TEXT, "DIR",
		  "where journal and lock live, instead of the file's `state`", &s->common.state },
		{ "time-scale", 0, OPT_TEXT, "N", "for sandboxes: divide own sleeping by N",
		  &s->common.time_scale },
		{ "detailed-exitcode", 0, OPT_FLAG, NULL, "exit 2 when changes are planned",
		  &how.detailed },
		{ "verbose", 'v', OPT_FLAG, NULL, "list every request that was made",
		  &how.verbose },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !session_wants_json(s, &how.json, &status) ||
	    !session_load(s, s->words.items[0], &status) || !session_select(s, &status) ||
	    !session_connect(s, &status))
		return status;
	return session_plan(s, &how);
}
