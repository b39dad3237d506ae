/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_oauth_quiet.c - nobody but this tool has used the OAuth credential since the app went back: nobody would break when it is deleted.
 *
 * A last-used time is up to `lag` late, so a sample taken at server time s says nothing about the time after s - lag. Only the last use is kept:
 * one that may be our own hides whatever was before it, so the quiet counts from the end of our last mint. Consumers that are declared
 * besides the app may hold an OAuth token for a token's life without showing; where there are any, the quiet lasts as long. So it does after
 * a use that cannot have been the app's, since this run did not have to take it off OAuth.
 */
#include "providers/console/state.h"
#include "providers/console/things.h"
#include "providers/console/uses.h"

#define NOTED "oauth_quiet.since"

static const struct field fields[] = {
	{ .name = "quiet",
	  .kind = FIELD_SPAN,
	  .doc = "for how long nobody must have used the OAuth credential",
	  .def = "10m",
	  .min = WHEN_MINUTE,
	  .max = 90 * WHEN_DAY },
	{ .name = "token_life",
	  .kind = FIELD_SPAN,
	  .doc = "for how long other consumers can go on with a token that they have",
	  .def = "24h",
	  .min = WHEN_HOUR,
	  .max = 90 * WHEN_DAY },
	{ .name = "lag",
	  .kind = FIELD_SPAN,
	  .doc = "by how much the console's last-used times may be late",
	  .def = "10m",
	  .min = USES_LAG,
	  .max = WHEN_DAY },
	{ .name = NULL },
};
static const char *const observes[] = { "console.usage", NULL };

/* What has to lie between the last moment that somebody may have used it and the sample. */
static int64_t span(const struct gate_view *g, bool has_others)
{
	int64_t quiet = value_int_or(value_get(g->limits, "quiet"), 10 * WHEN_MINUTE);
	int64_t life = value_int_or(value_get(g->limits, "token_life"), WHEN_DAY);

	return (has_others ? MAX_OF(quiet, life) : quiet) +
	       value_int_or(value_get(g->limits, "lag"), USES_LAG);
}

static int64_t earliest(const struct value *limits)
{
	return value_int_or(value_get(limits, "quiet"), 10 * WHEN_MINUTE) +
	       value_int_or(value_get(limits, "lag"), USES_LAG);
}

/* From when on nobody may have used it: the restart; without one the first question, and again when it is asked by another step. */
static int64_t since(const struct gate_view *g)
{
	int64_t restarted = restart_ms(g->view), noted = view_mark_ms(g->view, NOTED);

	if (restarted)
		return restarted + USES_MARGIN;
	return noted && noted < g->opened_ms ? noted : g->opened_ms;
}

static void pass_or_wait(const struct gate_view *g, int64_t sampled_ms, int64_t from_ms,
			 int64_t ready_ms, struct says *ret)
{
	char text[WHEN_TEXT_MAX], sampled[WHEN_TEXT_MAX];
	struct value *marks;

	if (sampled_ms < ready_ms) {
		ret->until_ms = ready_ms;
		uses_say(ret, VERDICT_WAIT, "quiet, but not for long enough before %s",
			 when_text(text, ready_ms));
		return;
	}
	marks = value_map(ret->arena);
	value_set(ret->arena, marks, NOTED, value_int(ret->arena, since(g)));
	ret->marks = marks;
	uses_say(ret, VERDICT_PASS, "nobody has used the OAuth credential since %s, as seen at %s",
		 when_text(text, from_ms), when_text(sampled, sampled_ms));
}

static void judge_used(const struct gate_view *g, int64_t use_ms, struct says *ret)
{
	const char *others = uses_other_consumers(g, ret->arena);
	char use[WHEN_TEXT_MAX], from[WHEN_TEXT_MAX];

	when_text(use, use_ms);
	when_text(from, since(g));
	if (others) {
		ret->until_ms = use_ms + span(g, true);
		uses_say(
			ret, VERDICT_WAIT,
			"the OAuth credential was used at %s, after %s: set the other declared consumers (%s) back to JWT",
			use, from, others);
		return;
	}
	uses_say(
		ret, VERDICT_FAIL,
		"the OAuth credential was used at %s, after %s, and not by this tool: whoever does would break. Find them and set them back, then --abandon this run and roll back again",
		use, from);
}

static void judge(const struct gate_view *g, struct says *ret)
{
	const struct uses u = uses_read(g);
	char use[WHEN_TEXT_MAX], from[WHEN_TEXT_MAX];
	int64_t since_ms = since(g), others_ms = uses_oauth_of_others(g);
	int64_t last_ms = uses_may_be_ours(g, u.oauth_latest_ms) ? 0 : u.oauth_latest_ms;
	int64_t from_ms = MAX_OF(since_ms, MAX_OF(last_ms, u.own_mint_ms));
	int64_t ready_ms = from_ms + span(g, uses_other_consumers(g, ret->arena) != NULL);
	int64_t life = value_int_or(value_get(g->limits, "token_life"), WHEN_DAY) +
		       value_int_or(value_get(g->limits, "lag"), USES_LAG);
	bool is_fresh = u.oauth_asked_ms > 0 && u.now_ms - u.oauth_asked_ms <= USES_ASK_VALID;

	/* The app was on JWT all the while, so this was somebody else, who may live on that token still. */
	if (!restart_ms(g->view) && last_ms > 0)
		ready_ms = MAX_OF(ready_ms, last_ms + life);
	uses_saw(ret, "OAuth last used %s%s, quiet wanted from %s", when_text(use, u.oauth_ms),
		 u.oauth_asked_ms ? " (attested)" : "", when_text(from, since_ms));
	if (uses_skewed(g, ret) || uses_failed(&u, ret))
		return;
	if (others_ms > since_ms) {
		judge_used(g, others_ms, ret);
	} else if (u.is_read && !u.has_data) {
		uses_say(
			ret, VERDICT_INCONCLUSIVE,
			"the console shows no use of the credential at all; that is no data, not a proof");
	} else if (u.is_read && u.newest->server_ms == 0) {
		uses_say(ret, VERDICT_INCONCLUSIVE, "the console did not say what time it is");
	} else if (u.is_read) {
		pass_or_wait(g, u.newest->server_ms, from_ms, ready_ms, ret);
	} else if (is_fresh && u.oauth_asked_ms >= ready_ms) {
		pass_or_wait(g, u.oauth_asked_ms, from_ms, ready_ms, ret);
	} else {
		uses_ask(ret, &u, ready_ms, "when OAuth was last used");
	}
}

const struct gate_type gate_oauth_quiet = {
	.name = "oauth_quiet",
	.doc = "nobody but this tool has used the OAuth credential since the app went back to JWT",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.earliest = earliest,
	.cadence = "5m",
	.deadline = "7d",
	/* No ask_valid_ms: the fact oauth_last_used is asked for, and how old the answer may be is judged here. */
	.is_safety = true,
};
