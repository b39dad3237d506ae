/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_jwt_quiet.c - nobody has used the JWT credential for at least a day, and for as long as a token can live.
 *
 * A last-used time is up to `lag` late, so a sample taken at server time s says nothing about the time after s - lag: quiet for a day
 * needs s - lag - last use >= 24h. The same counts from the restart: until then the app can live on a token it got by JWT.
 * A JWT use after the restart is somebody else's. Where this run restarted nothing, only one after its first question shows that they go on; one
 * before it makes the quiet count from that question.
 * The console wants 24 hours as well before it lets a person delete (migration guide, read 2026-11-23).
 */
#include <string.h>

#include "providers/console/state.h"
#include "providers/console/things.h"
#include "providers/console/uses.h"

static const struct field fields[] = {
	{ .name = "quiet",
	  .kind = FIELD_SPAN,
	  .doc = "for how long the JWT credential must not have been used",
	  .def = "24h",
	  .min = 24 * WHEN_HOUR,
	  .max = 90 * WHEN_DAY },
	{ .name = "token_life",
	  .kind = FIELD_SPAN,
	  .doc = "for how long the app can go on with a token that it has",
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

/* What has to lie between the last use or the restart, and the time of the sample. */
static int64_t span(const struct value *limits)
{
	int64_t quiet = value_int_or(value_get(limits, "quiet"), WHEN_DAY);
	int64_t token_life = value_int_or(value_get(limits, "token_life"), WHEN_DAY);
	int64_t lag = value_int_or(value_get(limits, "lag"), USES_LAG);

	return MAX_OF(quiet, token_life) + lag;
}

static void note(const struct gate_view *g, struct says *ret)
{
	struct value *marks = value_map(ret->arena);

	if (restart_ms(g->view))
		return;
	value_set(ret->arena, marks, MARK_ASKED_SINCE, value_int(ret->arena, uses_asked_since(g)));
	ret->marks = marks;
}

static void pass_or_wait(const struct gate_view *g, const struct uses *u, int64_t sampled_ms,
			 int64_t earliest_ms, struct says *ret)
{
	char since[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX], sampled[WHEN_TEXT_MAX];

	when_text(until, earliest_ms);
	if (sampled_ms >= earliest_ms) {
		uses_say(ret, VERDICT_PASS,
			 "nobody has used the JWT credential since %s, as seen at %s",
			 when_text(since, MAX_OF(u->restart_ms, MAX_OF(u->jwt_ms, u->attested_ms))),
			 when_text(sampled, sampled_ms));
		note(g, ret);
		return;
	}
	ret->until_ms = earliest_ms;
	uses_say(ret, VERDICT_WAIT, "quiet, but not for long enough before %s", until);
}

static void judge(const struct gate_view *g, struct says *ret)
{
	const struct uses u = uses_read(g);
	char jwt[WHEN_TEXT_MAX], restart[WHEN_TEXT_MAX], text[WHEN_TEXT_MAX];
	int64_t last_ms = MAX_OF(u.jwt_ms, u.attested_ms), certain_ms = uses_jwt_certain(&u);
	int64_t since_ms = uses_asked_since(g);
	bool is_late = certain_ms > u.restart_ms + USES_MARGIN;
	bool goes_on = is_late && certain_ms > since_ms;
	int64_t earliest_ms =
		MAX_OF(MAX_OF(last_ms, u.restart_ms), is_late ? since_ms : 0) + span(g->limits);
	bool is_attested = u.asked_ms > 0 && u.now_ms - u.asked_ms <= USES_ASK_VALID;

	when_text(jwt, last_ms);
	when_text(restart, u.restart_ms);
	uses_saw(ret, "JWT last used %s%s, %s %s", jwt,
		 u.asked_ms && !u.jwt_visible ? " (attested)" : "", u.restart_what, restart);
	if (uses_skewed(g, ret) || uses_failed(&u, ret))
		return;
	if (goes_on && uses_other_consumers(g, ret->arena)) {
		ret->until_ms = earliest_ms;
		uses_say(
			ret, VERDICT_WAIT,
			"the JWT credential was used at %s, after the app's restart: switch the other declared consumers (%s)",
			when_text(text, certain_ms), uses_other_consumers(g, ret->arena));
	} else if (goes_on && !view_mark_ms(g->view, MARK_OWN_USE)) {
		uses_say(
			ret, VERDICT_FAIL,
			"the JWT credential was used at %s, after %s (%s): by the app itself, which nobody has seen use OAuth yet, or by somebody not declared under consumers",
			when_text(text, certain_ms), restart, u.restart_what);
	} else if (goes_on) {
		uses_say(
			ret, VERDICT_FAIL,
			"the JWT credential was used at %s, after %s (%s): somebody who is not declared under consumers uses it. Find and switch them, then --abandon this run and apply again",
			when_text(text, certain_ms), restart, u.restart_what);
	} else if (u.jwt_visible && u.newest->server_ms == 0) {
		uses_say(ret, VERDICT_INCONCLUSIVE, "the console did not say what time it is");
	} else if (u.jwt_visible) {
		pass_or_wait(g, &u, u.newest->server_ms, earliest_ms, ret);
	} else if (is_attested && u.asked_ms >= earliest_ms) {
		pass_or_wait(g, &u, u.asked_ms, earliest_ms, ret);
	} else {
		uses_ask(ret, &u, earliest_ms, "when JWT was last used");
	}
}

const struct gate_type gate_jwt_quiet = {
	.name = "jwt_quiet",
	.doc = "the JWT credential has not been used for a day, and for a token's life",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.earliest = span,
	.cadence = "15m",
	.deadline = "7d",
	.ask_valid_ms = USES_ASK_VALID,
	.is_safety = true,
};
