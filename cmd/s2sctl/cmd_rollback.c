/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2sctl/session.h"
#include "core/run/apply.h"

/* What has no meaning without the other is refused rather than ignored. */
static int check_words(struct session *s, bool apply, const struct planning *look,
		       const struct carry *act)
{
	if (!s->common.env.count) {
		err_set(&s->err, E_USAGE, "rollback needs --env: whose way back?");
		return err_hint(&s->err, "it may be repeated; no environment goes back unnamed");
	}
	if (apply && look->verbose)
		return err_set(&s->err, E_USAGE,
			       "--verbose is for showing the plan, not with --apply");
	if (!apply && act->wait)
		return err_set(&s->err, E_USAGE, "--wait is for --apply");
	return 0;
}

int cmd_rollback(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"rollback", "FILE --env E",
		"Plans the way back: the app on JWT again, proved, and only then the migration cancelled. Changes\n"
		"nothing without --apply; with it the environments leave their run. `s2sctl apply` goes on with it.",
		NULL
	};
	struct apply_options o = { .direction = DIRECTION_BACK };
	struct planning look = { .direction = DIRECTION_BACK };
	struct carry act = { .wait = NULL };
	bool apply = false;
	int status;
	const struct opt own[] = {
		{ "env", 0, OPT_LIST, "NAME", "the environment that goes back; may be repeated",
		  &s->common.env },
		{ "apply", 0, OPT_FLAG, NULL, "carry it out", &apply },
		{ "out", 'o', OPT_TEXT, "PLAN", "also write the plan as canonical JSON",
		  &look.out },
		{ "format", 0, OPT_TEXT, "FORMAT", "text (default) or json", &s->common.format },
		{ "wait", 0, OPT_MAYBE, "DURATION",
		  "with --apply: stay until gates can pass, for at most DURATION at a time",
		  &act.wait },
		{ "verbose", 'v', OPT_FLAG, NULL, "list every request that was made",
		  &look.verbose },
		{ "state", 0, OPT_TEXT, "DIR",
		  "where journal and lock live, instead of the file's `state`", &s->common.state },
		{ "time-scale", 0, OPT_TEXT, "N", "for sandboxes: divide own sleeping by N",
		  &s->common.time_scale },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !session_wants_json(s, &look.json, &status))
		return status;
	if (check_words(s, apply, &look, &act) < 0)
		return session_fail(s, &s->err);
	if (!session_load(s, s->words.items[0], &status) || !session_select(s, &status) ||
	    !session_connect(s, &status))
		return status;
	if (!apply)
		return session_plan(s, &look);
	act.plan_out = look.out;
	act.json = look.json;
	return session_apply(s, &o, &act);
}
