/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_still_mints_jwt.c - after the migration was cancelled, the app has minted a token by JWT.
 *
 * An app lives on the token that it has, for up to 24 hours, so this can take a day. This tool never exchanges a JWT.
 */
#include "providers/console/things.h"
#include "providers/console/uses.h"

#define READ_AGAIN (6 * WHEN_HOUR)

static const struct field fields[] = { { .name = NULL } };
static const char *const observes[] = { "console.usage", NULL };

static void judge(const struct gate_view *g, struct says *ret)
{
	const struct uses u = uses_read(g);
	char use[WHEN_TEXT_MAX], done[WHEN_TEXT_MAX];
	int64_t done_ms = view_mark_ms(g->view, "console.migration/cancel.at");
	int64_t use_ms = uses_jwt_proved(&u);

	when_text(use, use_ms);
	when_text(done, done_ms);
	uses_saw(ret, "JWT last used %s%s, cancelled %s", use,
		 u.asked_ms && !u.jwt_visible ? " at the earliest (attested)" : "", done);
	if (done_ms == 0) {
		uses_say(ret, VERDICT_INCONCLUSIVE,
			 "nobody noted when the migration was cancelled");
		return;
	}
	if (uses_skewed(g, ret) || uses_failed(&u, ret))
		return;
	if (use_ms > done_ms + USES_MARGIN)
		uses_say(ret, VERDICT_PASS, "JWT was used at %s, after the cancellation at %s", use,
			 done);
	else if (u.jwt_visible)
		uses_say(
			ret, VERDICT_WAIT,
			"JWT was last used at %s, not since the cancellation at %s; a token lives up to 24h",
			use, done);
	else
		/* A reading that was too old is not asked for again every hour: it can take a day. */
		uses_ask(ret, &u,
			 MAX_OF(done_ms + USES_MARGIN + USES_LAG,
				u.asked_ms > done_ms ? u.asked_ms + READ_AGAIN : 0),
			 "when JWT was last used");
}

const struct gate_type gate_still_mints_jwt = {
	.name = "still_mints_jwt",
	.doc = "the app has minted a token by JWT since the OAuth credential was deleted",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.cadence = "15m",
	.deadline = "26h",
	.ask_valid_ms = USES_ASK_VALID,
	.is_safety = true,
};
