/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_app_uses_jwt.c - the app itself uses the JWT credential: the proof that the way back rests on.
 *
 * This tool never exchanges a JWT, so no use can be its own. After a restart a use counts when it is newer than that by a minute. Without one
 * (the app was never switched, or was restarted before this run) it has to be no older than a token can live, newer than the start
 * of what runs, and newer than any use of OAuth by somebody else: an app that was on OAuth in between may run on such a token still.
 * A person's reading counts as its earliest possible instant. Once seen it is noted (jwt_use.at).
 */
#include "providers/console/state.h"
#include "providers/console/things.h"
#include "providers/console/uses.h"

#define NOTED "jwt_use.at"
#define READ_AGAIN (6 * WHEN_HOUR)

static const struct field fields[] = {
	{ .name = "token_life",
	  .kind = FIELD_SPAN,
	  .doc = "for how long the app can go on with a token that it has",
	  .def = "24h",
	  .min = WHEN_HOUR,
	  .max = 90 * WHEN_DAY },
	{ .name = NULL },
};
static const char *const observes[] = { "console.usage", NULL };

/* What a use has to be newer than, and what that is called. */
static int64_t since(const struct gate_view *g, const struct uses *u, const char **ret_what)
{
	int64_t restarted = restart_ms(g->view), others = uses_oauth_of_others(g);
	int64_t started = view_fact_int(g->view, "app.workflow", "started_at", 0);
	int64_t life = value_int_or(value_get(g->limits, "token_life"), WHEN_DAY);
	int64_t at = u->now_ms - life - USES_LAG;

	*ret_what = "a minute after the restart";
	if (restarted)
		return restarted + USES_MARGIN;
	*ret_what = "a token's life ago";
	if (started && started + USES_MARGIN > at) {
		at = started + USES_MARGIN;
		*ret_what = "a minute after the workflows started";
	}
	if (others > at) {
		at = others;
		*ret_what = "OAuth last used by somebody else";
	}
	return at;
}

static void note(struct says *ret, int64_t use_ms)
{
	struct value *marks = value_map(ret->arena);

	value_set(ret->arena, marks, NOTED, value_int(ret->arena, use_ms));
	ret->marks = marks;
}

static void ask(struct says *ret, const struct uses *u, int64_t since_ms, int64_t use_ms)
{
	char use[WHEN_TEXT_MAX], than[WHEN_TEXT_MAX];

	int64_t from = MAX_OF(since_ms, u->asked_ms), next_day = u->attested_floor_ms + WHEN_DAY;

	/*
	 * A reading that was too old is not asked for again before another one could show. Whoever reads no more than the day has told nothing until
	 * that day is over; they may yet find the minute, and are asked for it, but not every quarter of an hour.
	 */
	if (u->attested_ms - u->attested_floor_ms > WHEN_MINUTE)
		from = next_day > from ? MIN_OF(next_day, from + READ_AGAIN) : from + READ_AGAIN;
	uses_ask(ret, u, from + USES_LAG, "when JWT was last used");
	if (u->asked_ms > 0)
		uses_say(
			ret, VERDICT_WAIT,
			"the reading (%s at the earliest) is not newer than %s: read it again once the app has minted, to the minute",
			when_text(use, use_ms), when_text(than, since_ms));
}

static void judge(const struct gate_view *g, struct says *ret)
{
	const struct uses u = uses_read(g);
	const char *what;
	char use[WHEN_TEXT_MAX], than[WHEN_TEXT_MAX];
	int64_t since_ms = since(g, &u, &what), use_ms = uses_jwt_proved(&u);
	int64_t noted = view_mark_ms(g->view, NOTED);

	when_text(use, MAX_OF(use_ms, noted));
	when_text(than, since_ms);
	uses_saw(ret, "JWT last used %s%s, %s %s", use,
		 u.asked_ms && use_ms == u.attested_floor_ms && use_ms > 0 ?
			 " at the earliest (attested)" :
			 "",
		 what, than);
	if (noted > since_ms) {
		note(ret, MAX_OF(noted, use_ms));
		uses_say(ret, VERDICT_PASS,
			 "the app's use of JWT at %s was seen earlier in this run", use);
		return;
	}
	if (uses_skewed(g, ret) || uses_failed(&u, ret))
		return;
	if (use_ms > since_ms) {
		note(ret, use_ms);
		uses_say(ret, VERDICT_PASS, "JWT was used at %s, after %s (%s)", use, than, what);
	} else if (u.jwt_visible) {
		uses_say(
			ret, VERDICT_WAIT,
			"the last use of JWT, %s, is not newer than %s (%s); such times show up to 10m late",
			use, than, what);
	} else {
		ask(ret, &u, since_ms, use_ms);
	}
}

const struct gate_type gate_app_uses_jwt = {
	.name = "app_uses_jwt",
	.doc = "the app uses the JWT credential: since its restart, or without one within a token's life",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.cadence = "2m",
	.deadline = "26h",
	.ask_valid_ms = USES_ASK_VALID,
	.is_safety = true,
};
