/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/plan_words.h"
#include "core/io/json.h"
#include "core/run/apply.h"
#include "core/run/planner.h"

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

/* Prints, saves, and has it checked; the exit status. */
static int tell(struct session *s, struct plan *p, const char *out, const char *checker, bool json,
		bool verbose)
{
	int status = plan_exit_status(p), other;

	print(s, json ? plan_seal(p) : plan_to_value(p), json, verbose);
	if (out && plan_save(s, p, out) != 0)
		return 1;
	if (out)
		session_talkf(s, "plan written to %s\n", out);
	other = checker ? plan_checked_by(s, plan_seal(p), checker) : 0;
	return status ? status : other;
}

int cmd_plan(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"plan", "FILE",
		"Reads the live systems, compares, and prints what would be done. Changes nothing.",
		NULL
	};
	const char *out = NULL, *made_by = NULL, *checker = NULL;
	bool detailed = false, verbose = false, json;
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
		{ "format", 0, OPT_TEXT, "FORMAT", "text (default) or json", &s->common.format },
		{ "env", 0, OPT_LIST, "NAME", "only this environment; may be repeated",
		  &s->common.env },
		{ "state", 0, OPT_TEXT, "DIR",
		  "where journal and lock live, instead of the file's `state`", &s->common.state },
		{ "time-scale", 0, OPT_TEXT, "N", "for sandboxes: divide own sleeping by N",
		  &s->common.time_scale },
		{ "detailed-exitcode", 0, OPT_FLAG, NULL, "exit 2 when changes are planned",
		  &detailed },
		{ "by", 0, OPT_TEXT, "NAME", "who makes the plan, and may not approve it",
		  &made_by },
		{ "policy-exec", 0, OPT_TEXT, "CMD",
		  "hand the plan to CMD as JSON on stdin; its exit status decides", &checker },
		{ "verbose", 'v', OPT_FLAG, NULL, "list every request that was made", &verbose },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !session_wants_json(s, &json, &status) ||
	    !session_load(s, s->words.items[0], &status) || !session_select(s, &status) ||
	    !session_connect(s, &status))
		return status;
	if (journal_open(&journal, file_store_ops(s->store), s->p->sys, &s->err) < 0 ||
	    attest_take(&journal, s->p->registry, false, &s->err) < 0) {
		journal_close(&journal);
		return session_fail(s, &s->err);
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
				       .envs = (const struct rollout_env *const *)s->envs,
				       .made_by = made_by };
	if (planner_run(&po, &s->arena, &plan, NULL, &s->err) < 0) {
		status = session_fail(s, &s->err);
	} else {
		status = tell(s, plan, out, checker, json, verbose);
		if (!status && detailed && plan->step_count)
			status = 2;
	}
	caller_free(caller);
	journal_close(&journal);
	return status;
}
