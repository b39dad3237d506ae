/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/run/auth.h"
#include "tests/unit/fake_shop.h"

#define TOKEN "{\"access_token\":\"the-token\",\"expires_in\":3600}"

struct guard {
	int befores, afters;
	int64_t from_ms, to_ms, before_from_ms;
	size_t sent_before; /* exchanges when it was asked */
	bool refuses;
	struct fake_net *net;
};
struct fix {
	struct shop *s;
	struct auth *auth;
	struct guard guard;
	struct mint_guard ops;
	struct conn own, migrating, bearer;
};

static int before(void *ctx, const char *client, const char *conn, int64_t from_ms, struct err *err)
{
	struct guard *g = ctx;

	assert_string_equal(client, "c0");
	assert_non_null(conn);
	if (g->refuses)
		return err_set(err, E_REFUSED, "fence");
	g->befores++;
	g->before_from_ms = from_ms;
	g->sent_before = g->net->exchanges;
	return 0;
}

static int after(void *ctx, const char *client, int64_t from_ms, int64_t to_ms, struct err *err)
{
	struct guard *g = ctx;

	(void)err;
	assert_string_equal(client, "c0");
	g->afters++;
	g->from_ms = from_ms;
	g->to_ms = to_ms;
	return 0;
}

static struct fix *make(bool guarded)
{
	static struct fix f;

	f = (struct fix){ .s = shop_new(shop_one_env) };
	f.s->net.serve = fake_serve_script;
	f.s->net.faults = NULL;
	f.s->clocks = (struct clocks){ .sys = &f.s->sys };
	f.guard.net = &f.s->net;
	f.ops = (struct mint_guard){ &f.guard, before, after };
	f.auth = auth_new(&f.s->sys, &f.s->transport, &f.s->source, &f.s->clocks, f.s->rollout,
			  guarded ? &f.ops : NULL);
	f.own = (struct conn){ .name = "shop",
			       .base = "https://shop.example",
			       .timeout_ms = 65000,
			       .auth_kind = "client_credentials",
			       .client_id = "reader",
			       .secret_ref = "env:OTHER_SECRET",
			       .token_url = "https://till.example/token",
			       .scopes = "a,b" };
	f.migrating = f.own;
	f.migrating.client_id = "c0";
	f.migrating.secret_ref = "env:APP_SECRET";
	f.bearer = (struct conn){ .name = "shop",
				  .base = "https://shop.example",
				  .auth_kind = "bearer",
				  .token_ref = "env:SHOP_TOKEN" };
	return &f;
}

static void unmake(struct fix *f)
{
	auth_free(f->auth);
	shop_free(f->s);
}

static enum auth_state get(struct fix *f, const struct conn *c, const struct secret **ret,
			   struct err *err)
{
	struct auth_session *session;
	struct secret *mine = NULL;
	enum auth_state state;

	*err = (struct err)ERR_INIT;
	state = auth_get(f->auth, c, &mine, &session, err);
	*ret = mine;
	secret_free(mine); /* the session's own reference keeps it */
	return state;
}

/* Lets everything under way come back, and what is due be sent. */
static void settle(struct fix *f, int64_t at_most_ms)
{
	int64_t end = f->s->w->clock.mono_ms + at_most_ms;

	while (f->s->w->clock.mono_ms < end) {
		struct exchange *x;

		auth_tick(f->auth);
		x = f->s->transport.next(f->s->transport.ctx, 100);
		if (x)
			x->deliver(x);
	}
}

static void assert_token(struct fix *f, const struct conn *c, const char *text)
{
	const struct secret *token = NULL;
	struct err err;

	if (get(f, c, &token, &err) != AUTH_READY)
		fail_msg("no token: %s", err.msg);
	assert_true(fake_secret_is(token, text));
}

static void assert_fails(struct fix *f, const struct conn *c, enum err_code code)
{
	const struct secret *token = NULL;
	struct err err;

	assert_int_equal(get(f, c, &token, &err), AUTH_FAILED);
	assert_int_equal(err.code, code);
	assert_null(token);
}

static void assert_mints(struct fix *f, const struct conn *c)
{
	const struct secret *token = NULL;
	struct err err;

	assert_int_equal(get(f, c, &token, &err), AUTH_MINTING);
	assert_null(token);
}

static void without_authentication_there_is_no_token(void **state)
{
	struct fix *f = make(false);
	const struct conn c = { .name = "till", .auth_kind = "none" };
	const struct secret *token = NULL;
	struct err err;

	(void)state;
	assert_int_equal(get(f, &c, &token, &err), AUTH_READY);
	assert_null(token);
	unmake(f);
}

static void a_bearer_token_is_fetched_once_and_kept(void **state)
{
	struct fix *f = make(false);

	(void)state;
	assert_token(f, &f->bearer, "shop-token");
	f->s->w->clock.mono_ms += 9 * WHEN_DAY;
	assert_token(f, &f->bearer, "shop-token");
	assert_int_equal(f->s->secrets.list[0].resolved, 1);
	assert_int_equal(f->s->net.exchanges, 0);
	unmake(f);
}

static void a_reference_that_does_not_resolve_is_not_asked_again_at_once(void **state)
{
	struct fix *f = make(false);

	(void)state;
	f->s->secrets.list[0].text[0] = '\0';
	assert_fails(f, &f->bearer, E_IO);
	assert_fails(f, &f->bearer, E_IO);
	assert_int_equal(f->s->secrets.list[0].resolved, 1);
	f->s->w->clock.mono_ms += 30 * WHEN_SECOND;
	snprintf(f->s->secrets.list[0].text, 64, "late");
	assert_token(f, &f->bearer, "late");
	unmake(f);
}

static void a_token_is_minted_once_for_all_who_ask(void **state)
{
	struct fix *f = make(false);

	(void)state;
	fake_script(&f->s->net, 200, TOKEN);
	assert_mints(f, &f->own);
	assert_mints(f, &f->own);
	settle(f, 200);
	assert_token(f, &f->own, "the-token");
	assert_token(f, &f->own, "the-token");
	assert_int_equal(f->s->net.exchanges, 1);
	assert_int_equal(fake_net_count(&f->s->net, "POST https://till.example/token"), 1);
	assert_int_equal(fake_net_count(&f->s->net, "\"grant_type\":\"client_credentials\""), 1);
	assert_int_equal(fake_net_count(&f->s->net, "\"scope\":\"a,b\""), 1);
	assert_int_equal(fake_net_count(&f->s->net, "other-secret-text"), 0);
	assert_true(auth_has_token(f->auth, "reader"));
	assert_false(auth_has_token(f->auth, "c0"));
	unmake(f);
}

static void other_scopes_are_another_token_except_for_the_migrating_client(void **state)
{
	struct fix *f = make(true);

	(void)state;
	for (int i = 0; i < 3; i++)
		fake_script(&f->s->net, 200, TOKEN);
	assert_mints(f, &f->own);
	f->own.scopes = "c";
	assert_mints(f, &f->own);
	assert_mints(f, &f->migrating);
	f->migrating.scopes = "c";
	assert_mints(f, &f->migrating);
	settle(f, 200);
	assert_token(f, &f->migrating, "the-token");
	assert_int_equal(f->s->net.exchanges, 3);
	assert_int_equal(f->guard.befores, 1);
	unmake(f);
}

static void a_token_with_less_than_ten_minutes_left_is_not_used(void **state)
{
	struct fix *f = make(false);

	(void)state;
	fake_script(&f->s->net, 200, TOKEN);
	fake_script(&f->s->net, 200, "{\"access_token\":\"second\",\"expires_in\":\"3600\"}");
	assert_mints(f, &f->own);
	settle(f, 100);
	f->s->w->clock.mono_ms += 50 * WHEN_MINUTE - 200;
	assert_token(f, &f->own, "the-token");
	f->s->w->clock.mono_ms += 300;
	assert_false(auth_has_token(f->auth, "reader"));
	assert_mints(f, &f->own);
	settle(f, 100);
	assert_token(f, &f->own, "second");
	f->s->w->clock.mono_ms += 49 * WHEN_MINUTE; /* its life came as text */
	assert_token(f, &f->own, "second");
	unmake(f);
}

static void a_short_life_is_used_by_half_and_no_life_for_a_minute(void **state)
{
	struct fix *f = make(false);

	(void)state;
	fake_script(&f->s->net, 200, "{\"access_token\":\"short\",\"expires_in\":300}");
	fake_script(&f->s->net, 200, "{\"access_token\":\"bare\"}");
	fake_script(&f->s->net, 200, TOKEN);
	assert_mints(f, &f->own);
	settle(f, 100);
	f->s->w->clock.mono_ms += 149 * WHEN_SECOND;
	assert_token(f, &f->own, "short");
	f->s->w->clock.mono_ms += 2 * WHEN_SECOND;
	assert_mints(f, &f->own);
	settle(f, 100);
	f->s->w->clock.mono_ms += 59 * WHEN_SECOND;
	assert_token(f, &f->own, "bare");
	f->s->w->clock.mono_ms += 2 * WHEN_SECOND;
	assert_mints(f, &f->own);
	settle(f, 100);
	unmake(f);
}

static void without_a_guard_a_migrating_client_is_refused_and_nothing_is_sent(void **state)
{
	struct fix *f = make(false);

	(void)state;
	assert_fails(f, &f->migrating, E_REFUSED);
	assert_int_equal(f->s->net.exchanges, 0);
	assert_int_equal(f->s->secrets.list[2].resolved, 0);
	unmake(f);
}

static void a_guard_that_refuses_is_asked_again_the_next_time(void **state)
{
	struct fix *f = make(true);

	(void)state;
	f->guard.refuses = true;
	assert_fails(f, &f->migrating, E_REFUSED);
	assert_int_equal(f->s->net.exchanges, 0);
	f->guard.refuses = false;
	fake_script(&f->s->net, 200, TOKEN);
	assert_mints(f, &f->migrating);
	settle(f, 100);
	assert_token(f, &f->migrating, "the-token");
	unmake(f);
}

static void an_own_mint_is_an_interval_of_server_time_around_the_answer(void **state)
{
	struct fix *f = make(true);
	int64_t sent, answered;

	(void)state;
	/* The server is three hours ahead, and nobody has heard it yet. */
	f->s->w->clock.server_moved_ms = 3 * WHEN_HOUR;
	fake_script(&f->s->net, 200, TOKEN);
	fake_script_last(&f->s->net)->delay_ms = 4 * WHEN_SECOND;
	sent = fake_server_now(&f->s->w->clock);
	assert_mints(f, &f->migrating);
	assert_int_equal(f->guard.befores, 1);
	assert_int_equal(f->guard.sent_before, 0); /* asked before anything left */
	settle(f, 5 * WHEN_SECOND);
	answered = fake_server_now(&f->s->w->clock);
	assert_int_equal(f->guard.afters, 1);
	assert_true(f->guard.from_ms <= sent);
	assert_true(f->guard.to_ms >= sent + 60 * WHEN_SECOND);
	assert_true(f->guard.to_ms <= answered + 62 * WHEN_SECOND);
	unmake(f);
}

static void a_mint_whose_reply_was_lost_reaches_to_its_timeout_and_is_not_sent_again(void **state)
{
	struct fix *f = make(true);

	(void)state;
	fake_script(&f->s->net, 200, NULL);
	*fake_script_last(&f->s->net) =
		(struct fake_reply){ .result = SENT_UNKNOWN, .delay_ms = 1000 };
	assert_mints(f, &f->migrating);
	settle(f, 5 * WHEN_MINUTE);
	assert_int_equal(f->s->net.exchanges, 1);
	assert_int_equal(f->guard.afters, 1);
	assert_true(f->guard.to_ms >= f->guard.from_ms + 65 * WHEN_SECOND + 60 * WHEN_SECOND);
	unmake(f);
}

static void a_mint_that_never_left_is_no_mint_and_the_guard_is_asked_for_the_next_one(void **state)
{
	struct fix *f = make(true);

	(void)state;
	fake_script(&f->s->net, 200, NULL);
	*fake_script_last(&f->s->net) = (struct fake_reply){ .result = SENT_NEVER };
	fake_script(&f->s->net, 200, TOKEN);
	assert_mints(f, &f->migrating);
	settle(f, 5 * WHEN_SECOND);
	assert_token(f, &f->migrating, "the-token");
	assert_int_equal(f->guard.befores, 2);
	assert_int_equal(f->guard.afters, 1);
	unmake(f);
}

static void a_refused_client_is_told_once_and_not_asked_for_again_for_half_a_minute(void **state)
{
	struct fix *f = make(false);

	(void)state;
	fake_script(&f->s->net, 400, "{\"error\":\"invalid_client\"}");
	assert_mints(f, &f->own);
	settle(f, 10 * WHEN_SECOND);
	for (int i = 0; i < 50; i++)
		assert_fails(f, &f->own, E_REMOTE);
	assert_int_equal(f->s->net.exchanges, 1);
	f->s->w->clock.mono_ms += 30 * WHEN_SECOND;
	fake_script(&f->s->net, 200, TOKEN);
	assert_mints(f, &f->own);
	settle(f, 100);
	assert_token(f, &f->own, "the-token");
	unmake(f);
}

static void a_client_just_added_may_be_unknown_for_two_minutes(void **state)
{
	struct fix *f = make(true);

	(void)state;
	for (int i = 0; i < 4; i++)
		fake_script(&f->s->net, 400, "{\"error\":\"invalid_client\"}");
	fake_script(&f->s->net, 200, TOKEN);
	assert_mints(f, &f->migrating);
	settle(f, 119 * WHEN_SECOND);
	assert_mints(f, &f->migrating);
	settle(f, 3 * WHEN_SECOND);
	assert_token(f, &f->migrating, "the-token");
	assert_int_equal(f->s->net.exchanges, 5);
	assert_int_equal(f->guard.befores, 5);
	assert_int_equal(f->guard.afters,
			 5); /* a refused one counts too: nobody knows what was stamped */
	unmake(f);
}

static void trouble_is_retried_for_an_own_client_and_never_for_a_migrating_one(void **state)
{
	struct fix *f = make(true);

	(void)state;
	for (int i = 0; i < 4; i++)
		fake_script(&f->s->net, 503, NULL);
	assert_mints(f, &f->own);
	settle(f, 10 * WHEN_SECOND);
	assert_int_equal(f->s->net.exchanges, 4);
	assert_fails(f, &f->own, E_REMOTE); /* and its failure is not yet forgotten */
	unmake(f);

	f = make(true);
	fake_script(&f->s->net, 503, NULL);
	assert_mints(f, &f->migrating);
	settle(f, 20 * WHEN_SECOND);
	assert_int_equal(f->s->net.exchanges, 1);
	assert_fails(f, &f->migrating, E_REMOTE);
	unmake(f);
}

static void an_error_with_a_good_status_is_no_token(void **state)
{
	struct fix *f = make(false);

	(void)state;
	fake_script(&f->s->net, 200,
		    "{\"error\":\"invalid_scope\",\"error_description\":\"no such scope\"}");
	assert_mints(f, &f->own);
	settle(f, WHEN_SECOND);
	assert_fails(f, &f->own, E_REMOTE);
	unmake(f);

	f = make(false);
	fake_script(&f->s->net, 500, TOKEN);
	for (int i = 0; i < 3; i++)
		fake_script(&f->s->net, 500, TOKEN);
	assert_mints(f, &f->own);
	settle(f, 20 * WHEN_SECOND);
	assert_fails(f, &f->own, E_REMOTE);
	unmake(f);
}

static void what_is_under_way_is_cancelled_at_the_end(void **state)
{
	struct fix *f = make(true);

	(void)state;
	fake_script(&f->s->net, 200, TOKEN);
	assert_mints(f, &f->own);
	assert_int_equal(f->s->net.flight_count, 1);
	auth_free(f->auth);
	assert_int_equal(f->s->net.flight_count, 0);
	shop_free(f->s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_authentication_there_is_no_token),
		cmocka_unit_test(a_bearer_token_is_fetched_once_and_kept),
		cmocka_unit_test(a_reference_that_does_not_resolve_is_not_asked_again_at_once),
		cmocka_unit_test(a_token_is_minted_once_for_all_who_ask),
		cmocka_unit_test(other_scopes_are_another_token_except_for_the_migrating_client),
		cmocka_unit_test(a_token_with_less_than_ten_minutes_left_is_not_used),
		cmocka_unit_test(a_short_life_is_used_by_half_and_no_life_for_a_minute),
		cmocka_unit_test(without_a_guard_a_migrating_client_is_refused_and_nothing_is_sent),
		cmocka_unit_test(a_guard_that_refuses_is_asked_again_the_next_time),
		cmocka_unit_test(an_own_mint_is_an_interval_of_server_time_around_the_answer),
		cmocka_unit_test(
			a_mint_whose_reply_was_lost_reaches_to_its_timeout_and_is_not_sent_again),
		cmocka_unit_test(
			a_mint_that_never_left_is_no_mint_and_the_guard_is_asked_for_the_next_one),
		cmocka_unit_test(
			a_refused_client_is_told_once_and_not_asked_for_again_for_half_a_minute),
		cmocka_unit_test(a_client_just_added_may_be_unknown_for_two_minutes),
		cmocka_unit_test(
			trouble_is_retried_for_an_own_client_and_never_for_a_migrating_one),
		cmocka_unit_test(an_error_with_a_good_status_is_no_token),
		cmocka_unit_test(what_is_under_way_is_cancelled_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
