/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_app_uses_oauth.c - the app itself, not this tool, used the OAuth credential after its restart.
 *
 * Both credentials give identical tokens, so only the last use per grant tells. A use counts when it is newer than the restart by a
 * minute and later than every mint of ours. Once sampled it is noted (oauth_use.at) and stays valid, because later
 * mints, ours included, hide it.
 */
#include "providers/console/state.h"
#include "providers/console/things.h"
#include "providers/console/uses.h"

static const struct field fields[] = { { .name = NULL } };
static const char *const observes[] = { "console.usage", NULL };

static void note(struct says *ret, int64_t use_ms)
{
	struct value *marks = value_map(ret->arena);

	value_set(ret->arena, marks, MARK_OWN_USE, value_int(ret->arena, use_ms));
	ret->marks = marks;
}

/* Journalled evidence: only a JWT use after it could take its worth away. */
static void judge_noted(const struct gate_view *g, const struct uses *u, int64_t noted_ms,
			struct says *ret)
{
	char noted[WHEN_TEXT_MAX], jwt[WHEN_TEXT_MAX];
	int64_t jwt_ms = uses_jwt_certain(u);

	when_text(noted, noted_ms);
	when_text(jwt, jwt_ms);
	uses_saw(ret, "the app used OAuth at %s (noted), JWT last used %s", noted, jwt);
	if (jwt_ms > MAX_OF(noted_ms, uses_asked_since(g))) {
		uses_say(ret, VERDICT_FAIL,
			 "the JWT credential was used at %s, after the app had used OAuth at %s",
			 jwt, noted);
		return;
	}
	note(ret, noted_ms);
	uses_say(ret, VERDICT_PASS,
		 "the app's own use of OAuth at %s was sampled earlier in this run", noted);
}

static void judge(const struct gate_view *g, struct says *ret)
{
	const struct uses u = uses_read(g);
	char use[WHEN_TEXT_MAX], restart[WHEN_TEXT_MAX], mint[WHEN_TEXT_MAX];
	int64_t noted = view_mark_ms(g->view, MARK_OWN_USE), restarted = restart_ms(g->view);
	int64_t newer_than = MAX_OF(u.restart_ms + USES_MARGIN, u.own_mint_ms);

	if (noted && (!restarted || noted > restarted + USES_MARGIN)) {
		judge_noted(g, &u, noted, ret);
		return;
	}
	when_text(use, u.oauth_ms);
	when_text(restart, u.restart_ms);
	uses_saw(ret, "OAuth last used %s, %s %s", use, u.restart_what, restart);
	if (uses_skewed(g, ret) || uses_failed(&u, ret))
		return;
	if (!u.is_read && u.oauth_ms <= newer_than) {
		/* A person is asked no earlier than a use after the restart can show on the card. */
		uses_ask(ret, &u, newer_than + USES_LAG, "when OAuth was last used");
	} else if (!u.has_data || u.oauth_ms == 0) {
		uses_say(
			ret, VERDICT_INCONCLUSIVE,
			"the console shows no use of the OAuth credential; that is no data, not a proof");
	} else if (u.oauth_ms <= u.restart_ms + USES_MARGIN) {
		uses_say(
			ret, VERDICT_WAIT,
			"the last use of OAuth, %s, is not newer than %s (%s) by a minute; such times show up to 10m late",
			use, restart, u.restart_what);
	} else if (u.oauth_ms <= u.own_mint_ms) {
		uses_say(
			ret, VERDICT_WAIT,
			"the last use of OAuth, %s, may be this tool's own (until %s): waiting for the app's next mint, up to a token's life",
			use, when_text(mint, u.own_mint_ms));
	} else {
		note(ret, u.oauth_ms);
		uses_say(ret, VERDICT_PASS,
			 "OAuth was used at %s, after %s (%s), and not by this tool", use, restart,
			 u.restart_what);
	}
}

const struct gate_type gate_app_uses_oauth = {
	.name = "app_uses_oauth",
	.doc = "the app has used the OAuth credential since its restart",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.cadence = "2m",
	.deadline = "26h",
	/* No ask_valid_ms: a use newer than the restart stays one. */
	.is_safety = true,
};
