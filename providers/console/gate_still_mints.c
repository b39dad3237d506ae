/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_still_mints.c - after the JWT credential was deleted, the app has minted a token by OAuth.
 *
 * An app lives on the token that it has, for up to 24 hours, so this can take a day; a mint of ours does not count.
 */
#include "providers/console/things.h"
#include "providers/console/uses.h"

static const struct field fields[] = { { .name = NULL } };
static const char *const observes[] = { "console.usage", NULL };

static void judge(const struct gate_view *g, struct says *ret)
{
	const struct uses u = uses_read(g);
	char use[WHEN_TEXT_MAX], done[WHEN_TEXT_MAX], mint[WHEN_TEXT_MAX];
	int64_t done_ms = MAX_OF(view_mark_ms(g->view, "finalize.at"),
				 view_mark_ms(g->view, "console.migration/finalize.at"));
	int64_t newer_than = MAX_OF(done_ms + USES_MARGIN, u.own_mint_ms);

	when_text(use, u.oauth_ms);
	when_text(done, done_ms);
	uses_saw(ret, "OAuth last used %s, finalized %s", use, done);
	if (done_ms == 0) {
		uses_say(ret, VERDICT_INCONCLUSIVE,
			 "nobody noted when the migration was finalized");
		return;
	}
	if (uses_skewed(g, ret) || uses_failed(&u, ret))
		return;
	if (!u.is_read && u.oauth_ms <= newer_than) {
		uses_ask(ret, &u, newer_than + USES_LAG, "when OAuth was last used");
	} else if (!u.has_data || u.oauth_ms == 0) {
		uses_say(
			ret, VERDICT_INCONCLUSIVE,
			"the console shows no use of the OAuth credential; that is no data, not a proof");
	} else if (u.oauth_ms <= done_ms + USES_MARGIN) {
		uses_say(
			ret, VERDICT_WAIT,
			"OAuth was last used at %s, not since the migration was finalized at %s; a token lives up to 24h",
			use, done);
	} else if (u.oauth_ms <= u.own_mint_ms) {
		uses_say(ret, VERDICT_WAIT,
			 "the last use of OAuth, %s, may be this tool's own (until %s)", use,
			 when_text(mint, u.own_mint_ms));
	} else {
		uses_say(ret, VERDICT_PASS,
			 "OAuth was used at %s, after the migration was finalized at %s", use,
			 done);
	}
}

const struct gate_type gate_still_mints = {
	.name = "still_mints",
	.doc = "the app has minted a token since the JWT credential was deleted",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.cadence = "15m",
	.deadline = "26h",
	.is_safety = true,
};
