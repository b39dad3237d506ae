/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2sctl/rendering.h"
#include "core/run/apply.h"

/* What has no meaning without the other is refused rather than ignored. */
static int check_words(struct session *s, bool apply, bool abandon, const struct planning *look,
		       const struct carry *act)
{
	if (!s->common.env.count) {
		err_set(&s->err, E_USAGE, "rollback needs --env: whose way back?");
		return err_hint(&s->err, "it may be repeated; no environment goes back unnamed");
	}
	if (apply && look->rendering->verbose)
		return err_set(&s->err, E_USAGE,
			       "--verbose is for showing the plan, not with --apply");
	if (!apply && act->wait)
		return err_set(&s->err, E_USAGE, "--wait is for --apply");
	if (!apply && abandon)
		return err_set(&s->err, E_USAGE, "--abandon is for --apply");
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
	struct rendering r = { .max_bytes = NULL };
	struct event_file events = { .path = NULL };
	struct planning look = { .direction = DIRECTION_BACK, .rendering = &r, .events = &events };
	struct carry act = { .events = &events };
	bool apply = false;
	int status;
	const struct opt own[] = {
		{ "env", 0, OPT_LIST, "NAME", "the environment that goes back; may be repeated",
		  &s->common.env },
		{ "apply", 0, OPT_FLAG, NULL, "carry it out", &apply },
		{ "out", 'o', OPT_TEXT, "PLAN", "also write the plan as canonical JSON",
		  &look.out },
		{ "format", 0, OPT_TEXT, "FORMAT",
		  "as of plan; with --apply of the result: text (default) or json",
		  &s->common.format },
		{ "max-bytes", 0, OPT_TEXT, "N", "of markdown: cut what does not fit",
		  &r.max_bytes },
		{ "events", 0, OPT_TEXT, "FILE", "write what happens as JSON Lines", &events.path },
		{ "by", 0, OPT_TEXT, "NAME", "who makes the plan, and may not approve it",
		  &look.made_by },
		{ "policy-exec", 0, OPT_TEXT, "CMD",
		  "hand the plan to CMD as JSON on stdin; its exit status decides", &look.checker },
		{ "wait", 0, OPT_MAYBE, "DURATION",
		  "with --apply: stay until gates can pass, for at most DURATION at a time",
		  &act.wait },
		{ "abandon", 0, OPT_FLAG, NULL,
		  "with --apply: give up the open run of these environments, a way back too, and plan anew",
		  &o.abandon },
		{ "verbose", 'v', OPT_FLAG, NULL, "list every request that was made", &r.verbose },
		{ "state", 0, OPT_TEXT, "DIR",
		  "where journal and lock live, instead of the file's `state`", &s->common.state },
		{ "time-scale", 0, OPT_TEXT, "N", "for sandboxes: divide own sleeping by N",
		  &s->common.time_scale },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status))
		return status;
	if (check_words(s, apply, o.abandon, &look, &act) < 0)
		return session_fail(s, &s->err);
	if (apply ? !session_wants_json(s, &act.json, &status) :
		    !rendering_open(s, &r, SOURCE_PLAN, &status))
		return status;
	if (!event_file_open(&events, s, &status))
		return status;
	if (!session_load(s, s->words.items[0], &status) || !session_select(s, &status) ||
	    !session_connect(s, &status))
		return event_file_end(&events, status, NULL);
	if (!apply) {
		event_file_started(&events, "rollback");
		return event_file_end(&events, session_plan(s, &look), NULL);
	}
	act.plan_out = look.out;
	act.checker = look.checker;
	act.again = session_again(s, "rollback", argc, argv);
	o.made_by = look.made_by;
	return session_apply(s, &o, &act);
}
