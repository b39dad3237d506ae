/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_way_back.c - environments that leave their run and go back: asked for, or since a gate failed; killed everywhere on the way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "tests/unit/fake_shop.h"

#define HEAD                                                                                       \
	"version: 1\n"                                                                             \
	"connections:\n"                                                                           \
	"  shop: {url: https://shop.example, auth: {kind: bearer, token: env:SHOP_TOKEN}}\n"       \
	"  ledger: {url: https://ledger.example, auth: {kind: bearer, token: env:LEDGER_TOKEN}}\n" \
	"defaults:\n"                                                                              \
	"  credential: {client_secret: env:APP_SECRET, scopes: [read]}\n"                          \
	"  executors: {drop: api}\n"                                                               \
	"environments:\n"
#define ENV(name, project, client, more)                                                           \
	"  " name ": {project: {id: " project "}, credential: {client_id: " client "}" more "}\n"
#define ROLLS ", on_failure: rollback"

static void say(struct shop *s, const char *what, const struct apply_result *r)
{
	fail_msg("%s: %d %s %s\n%s", what, (int)r->code, r->summary, s->err.msg, s->events.buf);
}

static void assert_ends(struct shop *s, enum err_code want)
{
	struct apply_result r;

	if (shop_apply(s, &r) != want)
		say(s, "ended otherwise", &r);
}

/* Selects environments by index; all when `first` is negative. */
static void select_env(struct shop *s, int first)
{
	size_t n = 0;

	for (size_t i = 0; i < s->rollout->env_count; i++)
		if (first < 0 || (int)i == first)
			s->envs[n++] = &s->rollout->envs[i];
	s->envs[n] = NULL;
}

static void turn(struct shop *s, enum direction way)
{
	s->options.direction = way;
	s->options.patience_ms = way == DIRECTION_BACK ? INT64_MAX : 30 * WHEN_MINUTE;
}

static bool happened(const struct shop *s, const char *event)
{
	return strstr(s->events.buf, event) != NULL;
}

/* Forward until the day of quiet has to be waited for. */
static struct shop *switched(const char *text)
{
	struct shop *s = shop_new(text);

	assert_ends(s, E_WAIT);
	assert_true(s->w->projects[0].runs_new);
	return s;
}

/* ---- asked for ---- */

static void an_environment_that_was_switched_goes_back_as_a_run_of_its_own(void **state)
{
	struct shop *s = switched(shop_one_env);
	struct apply_result r;

	(void)state;
	turn(s, DIRECTION_BACK);
	assert_ends(s, E_NONE);
	assert_true(shop_is_back(s, 0));
	assert_int_equal(s->w->projects[0].unsets, 1);
	assert_int_equal(s->w->clients[0].retracts, 1);
	assert_int_equal(s->w->clients[0].drops, 0);
	assert_int_equal(shop_journal_count(s, "\"type\":\"leave\""), 1);
	assert_int_equal(shop_journal_count(s, "\"direction\":\"back\""), 1);
	assert_int_equal(shop_journal_count(s, "\"type\":\"receipt\""), 1);

	/* Nothing is left to take back, and the way forward begins from the start. */
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_true(r.nothing_to_do);
	turn(s, DIRECTION_FORWARD);
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_NONE);
	assert_true(shop_is_migrated(s, 0));
	assert_int_equal(s->w->clients[0].adds, 2);
	shop_free(s);
}

static void where_nothing_was_begun_the_open_run_is_left_all_the_same(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->fault = FAULT_LOST_BEFORE;
	s->fault_on = "POST https://shop.example/v1/p/p0/key$";
	s->fault_times = 100;
	assert_ends(s, E_TRANSPORT);
	turn(s, DIRECTION_BACK);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_true(r.nothing_to_do);
	assert_int_equal(shop_journal_count(s, "\"type\":\"leave\""), 1);
	assert_int_equal(shop_journal_count(s, "\"type\":\"run\""), 1);
	shop_free(s);
}

static void a_way_back_that_is_refused_changes_nothing(void **state)
{
	struct shop *s = switched(HEAD ENV("dev", "p0", "c0", ", app: {stuck: true}"));
	size_t appends = s->w->appends;
	struct apply_result r;

	(void)state;
	turn(s, DIRECTION_BACK);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(r.plan_status, 5);
	assert_int_equal(s->w->appends, appends);
	assert_int_equal(s->w->projects[0].unsets, 0);
	shop_free(s);
}

static void apply_goes_on_with_the_way_back_that_the_journal_tells_of(void **state)
{
	struct shop *s = switched(shop_one_env);

	(void)state;
	s->options.direction = DIRECTION_BACK;
	s->options.patience_ms = 0;
	assert_ends(s, E_WAIT); /* 20 minutes of quiet */
	assert_int_equal(s->w->clients[0].retracts, 0);
	shop_advance(s->w, WHEN_HOUR);
	turn(s, DIRECTION_FORWARD);
	assert_ends(s, E_NONE);
	assert_true(shop_is_back(s, 0));
	shop_free(s);
}

/* The app was set to the new key, and nobody has said so: what was said of it before must not let that key be taken away. */
static void what_was_said_before_a_person_was_asked_to_act_is_asked_anew(void **state)
{
	struct shop *s = shop_new(HEAD ENV("dev", "p0", "c0", ", executors: {set: operator}"));
	const char *const old[] = { "use=old", NULL }, *const new[] = { "use=new", NULL };
	const struct attest before = { .facts = old }, after = { .facts = new };
	struct apply_result r;

	(void)state;
	s->w->projects[0].settings_denied = true;
	assert_int_equal(shop_apply(s, &r), E_NONE);
	shop_ack(s, "dev/shop.settings/attest", &before);
	assert_ends(s, E_WAIT);
	assert_int_equal(s->instructed, 1);
	s->w->projects[0].set_new = true;
	s->w->projects[0].saved_at = fake_server_now(&s->w->clock);

	turn(s, DIRECTION_BACK);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(r.plan_status, 3);
	assert_int_equal(shop_journal_count(s, "\"type\":\"leave\""), 0);
	shop_ack(s, "dev/shop.settings/attest", &after);
	(void)shop_apply(s, &r);
	assert_int_equal(shop_journal_count(s, "\"direction\":\"back\""), 1);
	assert_int_equal(s->w->projects[0].unsets, 1);
	assert_int_equal(s->w->clients[0].retracts, 0); /* nobody can see that it was set back */
	shop_free(s);
}

/* Somebody else takes the old key away while the way back is under way: from then on it would lead into an outage. */
static void a_way_back_whose_goal_is_gone_is_refused_and_changes_nothing(void **state)
{
	struct shop *s = switched(shop_one_env);
	unsigned stops = s->w->projects[0].stops;

	(void)state;
	turn(s, DIRECTION_BACK);
	s->w->fail_at = s->w->appends + 5;
	assert_ends(s, E_IO);
	assert_int_equal(shop_journal_count(s, "\"direction\":\"back\""), 1);
	assert_int_equal(s->w->projects[0].stops, stops);
	s->w->fail_at = 0;
	s->w->clients[0].has_old = false;
	assert_ends(s, E_REFUSED);
	assert_non_null(strstr(s->err.msg, "the old key is gone"));
	assert_non_null(strstr(s->err.hint, "--abandon"));
	assert_int_equal(s->w->projects[0].stops, stops);
	assert_int_equal(s->w->clients[0].retracts, 0);
	shop_free(s);
}

static void who_uses_the_new_key_still_keeps_it_from_being_taken_away(void **state)
{
	struct shop *s = switched(shop_one_env);

	(void)state;
	s->w->new_by_stranger = true;
	turn(s, DIRECTION_BACK);
	assert_ends(s, E_GATE);
	assert_ends(s, E_GATE);
	assert_int_equal(s->w->clients[0].retracts, 0);
	assert_true(s->w->clients[0].has_new);

	/* They are found: that way back is given up, and another one begun. */
	s->w->new_by_stranger = false;
	shop_advance(s->w, WHEN_DAY);
	s->options.abandon = true;
	assert_ends(s, E_NONE);
	assert_true(shop_is_back(s, 0));
	assert_int_equal(shop_journal_count(s, "\"type\":\"abandon\""), 1);
	assert_int_equal(s->w->projects[0].unsets, 1);
	shop_free(s);
}

/* ---- beyond the point of no return ---- */

/* Killed when the intent to drop was on disk, and nothing had been sent. */
static struct shop *killed_before_the_drop(void)
{
	for (size_t n = 1; n < 100; n++) {
		struct shop *s = switched(shop_one_env);

		shop_advance(s->w, WHEN_DAY);
		s->w->kill_at = s->w->appends + n;
		assert_int_equal(shop_apply_child(s), -1);
		s->w->kill_at = 0;
		if (shop_journal_count(s, "\"type\":\"intent\"") == 4) {
			assert_int_equal(s->w->clients[0].drops, 0);
			return s;
		}
		shop_free(s);
	}
	fail_msg("no intent to drop");
	return NULL;
}

static void an_intent_that_cannot_be_undone_outweighs_a_live_state_that_may_be_late(void **state)
{
	struct shop *s = killed_before_the_drop();
	struct apply_result r;

	(void)state;
	turn(s, DIRECTION_BACK);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(r.plan_status, 5);
	assert_int_equal(s->w->projects[0].unsets, 0);

	/* A quarter of an hour later the old key would not be shown any more: it was not dropped. */
	shop_advance(s->w, 16 * WHEN_MINUTE);
	assert_ends(s, E_NONE);
	assert_true(shop_is_back(s, 0));
	shop_free(s);
}

static void what_was_carried_out_is_beyond_whatever_the_live_state_says(void **state)
{
	struct shop *s = switched(shop_one_env);
	struct apply_result r;

	(void)state;
	shop_advance(s->w, WHEN_DAY);
	assert_ends(s, E_NONE);
	s->w->clients[0].has_old = true; /* an old answer, for hours */
	shop_advance(s->w, WHEN_DAY);
	turn(s, DIRECTION_BACK);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(r.plan_status, 5);
	assert_int_equal(s->w->projects[0].unsets, 0);
	shop_free(s);
}

/* ---- on_failure ---- */

static void a_failed_gate_takes_back_who_wants_it_in_the_same_command(void **state)
{
	struct shop *s = switched(HEAD ENV("dev", "p0", "c0", ROLLS));
	struct apply_result r;

	(void)state;
	shop_advance(s->w, 2 * WHEN_HOUR);
	s->w->use_by_stranger = true;
	s->options.patience_ms = INT64_MAX;
	if (shop_apply(s, &r) != E_GATE)
		say(s, "the failure stays the outcome", &r);
	assert_true(shop_is_back(s, 0));
	assert_true(
		happened(s, "'dev' goes back, since dev/shop.use/quiet_old: gate quiet failed"));
	assert_int_equal(shop_journal_count(s, "\"type\":\"leave\""), 1);
	assert_int_equal(s->w->clients[0].retracts, 1);
	assert_int_equal(s->w->clients[0].drops, 0);
	shop_free(s);
}

static void a_failed_gate_halts_where_nothing_else_is_said(void **state)
{
	struct shop *s = switched(shop_one_env);

	(void)state;
	shop_advance(s->w, 2 * WHEN_HOUR);
	s->w->use_by_stranger = true;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_GATE);
	assert_int_equal(s->w->projects[0].unsets, 0);
	assert_int_equal(shop_journal_count(s, "\"type\":\"leave\""), 0);
	shop_free(s);
}

static void what_is_no_gates_word_takes_nobody_back(void **state)
{
	struct shop *s = shop_new(HEAD ENV("dev", "p0", "c0", ROLLS));

	(void)state;
	s->options.patience_ms = INT64_MAX;
	s->fault = FAULT_LOST_BEFORE;
	s->fault_on = "PUT https://shop.example/v1/p/p0/settings$";
	s->fault_times = 1;
	assert_ends(s, E_TRANSPORT);
	assert_int_equal(shop_journal_count(s, "\"direction\":\"back\""), 0);
	s->options.patience_ms = 0;
	assert_ends(s, E_WAIT);
	assert_int_equal(shop_journal_count(s, "\"direction\":\"back\""), 0);
	shop_free(s);
}

static void where_the_way_back_is_refused_everything_stays_and_that_is_said(void **state)
{
	struct shop *s = switched(HEAD ENV("dev", "p0", "c0", ", app: {stuck: true}" ROLLS));

	(void)state;
	shop_advance(s->w, 2 * WHEN_HOUR);
	s->w->use_by_stranger = true;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_GATE);
	assert_true(happened(s, "'dev' is not taken back"));
	assert_int_equal(s->w->projects[0].unsets, 0);
	assert_int_equal(shop_journal_count(s, "\"type\":\"leave\""), 0);
	shop_free(s);
}

/* ---- several environments, several runs ---- */

static const char two_clients[] = HEAD ENV("dev", "p0", "c0", ROLLS) ENV("stage", "p1", "c1", "");
static const char one_client[] = HEAD ENV("dev", "p0", "c0", "") ENV("stage", "p1", "c0", "");

static void one_goes_back_while_the_other_goes_on_and_each_run_ends(void **state)
{
	struct shop *s = switched(two_clients);
	struct apply_result r;
	size_t back, forward;

	(void)state;
	select_env(s, 0);
	s->options.direction = DIRECTION_BACK;
	s->options.patience_ms = 0;
	assert_ends(s, E_WAIT);
	select_env(s, -1);
	turn(s, DIRECTION_FORWARD);
	shop_advance(s->w, WHEN_DAY);
	s->options.confirmed = (const char *const[]){ "Title of p1", NULL };
	sb_reset(&s->events);
	if (shop_apply(s, &r) != E_NONE)
		say(s, "both end", &r);
	assert_true(shop_is_back(s, 0));
	assert_true(shop_is_migrated(s, 1));
	assert_int_equal(shop_journal_count(s, "\"type\":\"receipt\""), 2);
	back = (size_t)(strstr(s->events.buf, "dev/shop.key/retract") - s->events.buf);
	forward = (size_t)(strstr(s->events.buf, "stage/shop.key/drop") - s->events.buf);
	assert_true(back < forward); /* ways back first */
	shop_free(s);
}

static void an_open_run_with_others_in_it_wants_them_selected_too(void **state)
{
	struct shop *s = switched(two_clients);

	(void)state;
	select_env(s, 0);
	assert_ends(s, E_REFUSED);
	/* ... unless they have left it. */
	s->options.direction = DIRECTION_BACK;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_NONE);
	turn(s, DIRECTION_FORWARD);
	select_env(s, 1);
	assert_ends(s, E_WAIT);
	shop_free(s);
}

static void who_has_left_an_open_run_is_left_aside_until_it_is_over(void **state)
{
	struct shop *s = switched(two_clients);
	int adds;

	(void)state;
	select_env(s, 0);
	turn(s, DIRECTION_BACK);
	assert_ends(s, E_NONE);
	assert_true(shop_is_back(s, 0));
	adds = s->w->clients[0].adds;
	select_env(s, -1);
	turn(s, DIRECTION_FORWARD);
	assert_ends(s, E_WAIT); /* stage's day of quiet; nothing new is begun for dev */
	assert_int_equal(s->w->clients[0].adds, adds);
	shop_free(s);
}

static void a_run_whose_others_were_done_already_ends_with_the_leaving(void **state)
{
	struct shop *s = shop_new(two_clients);

	(void)state;
	s->w->projects[0].settings_stuck = true; /* dev's switch has no effect */
	s->options.patience_ms = INT64_MAX;
	s->options.confirmed = (const char *const[]){ "Title of p1", NULL };
	assert_ends(s, E_GATE);
	assert_true(shop_is_migrated(s, 1));
	assert_int_equal(shop_journal_count(s, "\"type\":\"receipt\""), 0);
	select_env(s, 0);
	turn(s, DIRECTION_BACK);
	assert_ends(s, E_NONE);
	assert_true(shop_is_back(s, 0));
	assert_int_equal(shop_journal_count(s, "\"type\":\"receipt\""), 2);
	shop_free(s);
}

/* The ledger is read with the client that is being migrated; the way back does not read it, and stage must not mint for it. */
static void a_way_back_keeps_the_fence_closed_for_other_runs_too(void **state)
{
	static const char text[] =
		"version: 1\n"
		"connections:\n"
		"  shop: {url: https://shop.example, auth: {kind: bearer, token: env:SHOP_TOKEN}}\n"
		"  ledger: {url: https://ledger.example, auth: {kind: client_credentials,\n"
		"    client_id: c0, client_secret: env:APP_SECRET}}\n"
		"defaults:\n"
		"  credential: {client_secret: env:APP_SECRET}\n"
		"  executors: {drop: api}\n"
		"environments:\n" ENV("dev", "p0", "c0", "") ENV("stage", "p1", "c1", "");
	struct shop *s = shop_new(text);
	struct apply_result r;
	int mints;

	(void)state;
	select_env(s, 0);
	(void)shop_apply(s, &r);
	turn(s, DIRECTION_BACK);
	s->options.patience_ms = 0;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	mints = s->w->clients[0].tool_mint_count;
	turn(s, DIRECTION_FORWARD);
	select_env(s, 1);
	(void)shop_apply(s, &r);
	(void)shop_apply(s, &r); /* its run is open now, and everything is read again */
	assert_int_equal(s->w->clients[0].tool_mint_count, mints);
	shop_free(s);
}

static void a_shared_contract_of_one_that_has_left_is_not_carried_out(void **state)
{
	struct shop *s;
	struct apply_result r;

	(void)state;
	s = shop_new(one_client);
	s->w->projects[1].client = 0;
	assert_ends(s, E_WAIT);
	select_env(s, 0);
	turn(s, DIRECTION_BACK);
	if (shop_apply(s, &r) != E_NONE)
		say(s, "dev goes back", &r);
	/* The new key is stage's as well, so it stays. */
	assert_false(s->w->projects[0].runs_new);
	assert_int_equal(s->w->clients[0].retracts, 0);
	assert_true(s->w->clients[0].has_new);

	select_env(s, 1);
	turn(s, DIRECTION_FORWARD);
	s->w->app_idle = true; /* else dev's use of the old key would be in stage's way */
	shop_advance(s->w, 25 * WHEN_HOUR);
	sb_reset(&s->events);
	if (shop_apply(s, &r) != E_NONE)
		say(s, "stage ends without the drop", &r);
	assert_true(happened(s, "dev+stage/shop.key/drop not carried out in this run"));
	assert_int_equal(s->w->clients[0].drops, 0);
	assert_int_equal(shop_journal_count(s, "\"dev+stage/shop.key/drop\":{\"result\":\"left\"}"),
			 1);
	assert_false(s->w->clients[0].broke);
	shop_free(s);
}

static void those_who_wait_for_one_that_has_left_are_told_so(void **state)
{
	struct shop *s = switched(HEAD ENV("dev", "p0", "c0", "")
					  ENV("stage", "p1", "c1", ", after: [dev]"));
	struct apply_result r;

	(void)state;
	select_env(s, 0);
	turn(s, DIRECTION_BACK);
	assert_ends(s, E_NONE);
	select_env(s, -1);
	turn(s, DIRECTION_FORWARD);
	assert_int_equal(shop_apply(s, &r), E_REFUSED);
	assert_non_null(strstr(r.summary, "waits for an environment that has left this run"));
	assert_int_equal(s->w->projects[1].sets, 0);
	shop_free(s);
}

/* ---- kills ---- */

static size_t records_of_a_way_back(size_t *ret_first)
{
	struct shop *s = switched(shop_one_env);
	size_t n;

	*ret_first = s->w->appends;
	turn(s, DIRECTION_BACK);
	assert_ends(s, E_NONE);
	n = s->w->appends;
	shop_free(s);
	return n;
}

/* As a person would: `apply` goes on with a way back that has begun; one that has not is asked for again. */
static void go_on(struct shop *s)
{
	turn(s,
	     shop_journal_count(s, "\"direction\":\"back\"") ? DIRECTION_FORWARD : DIRECTION_BACK);
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_NONE);
}

static void assert_went_back_once(const struct shop *s, const char *what, size_t n)
{
	if (!shop_is_back(s, 0) || s->w->clients[0].retracts != 1 ||
	    s->w->projects[0].unsets != 1 || s->w->clients[0].drops ||
	    shop_journal_count(s, "\"direction\":\"back\"") != 1 ||
	    shop_journal_count(s, "\"type\":\"receipt\"") != 1)
		fail_msg("killed at %s %zu", what, n);
}

static void killed_at_any_record_it_goes_back_once(void **state)
{
	size_t first, records = records_of_a_way_back(&first);

	(void)state;
	assert_true(records > first + 15);
	for (int before = 0; before < 2; before++)
		for (size_t n = first + 1; n < records; n++) {
			struct shop *s = switched(shop_one_env);

			turn(s, DIRECTION_BACK);
			s->w->kill_at = n;
			s->w->kill_before = before;
			assert_int_equal(shop_apply_child(s), -1);
			s->w->kill_at = 0;
			go_on(s);
			assert_went_back_once(s, before ? "before record" : "after record", n);
			shop_free(s);
		}
}

static void killed_at_any_exchange_it_goes_back_once(void **state)
{
	(void)state;
	for (size_t n = 1;; n++) {
		struct shop *s = switched(shop_one_env);
		int status;

		turn(s, DIRECTION_BACK);
		s->w->kill_at_exchange = s->net.exchanges + n;
		status = shop_apply_child(s);
		s->w->kill_at_exchange = 0;
		if (status == 0) {
			assert_true(n > 15);
			shop_free(s);
			return;
		}
		assert_int_equal(status, -1);
		go_on(s);
		assert_went_back_once(s, "exchange", n);
		shop_free(s);
	}
}

/* The first kill anywhere on the way forward, the second anywhere after that: the way back asked for in between. */
static void killed_on_the_way_forward_it_goes_back_all_the_same(void **state)
{
	(void)state;
	for (size_t n = 2; n < 20; n++) {
		struct shop *s = shop_new(shop_one_env);
		struct apply_result r;

		s->w->kill_at = n;
		(void)shop_apply_child(s);
		s->w->kill_at = 0;
		s->w->locked = false;
		shop_advance(s->w, WHEN_HOUR); /* what may have been sent has shown by now */
		turn(s, DIRECTION_BACK);
		if (shop_apply(s, &r) != E_NONE || r.plan_status)
			say(s, "goes back", &r);
		if (!shop_is_back(s, 0))
			fail_msg("killed after record %zu", n);
		shop_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_environment_that_was_switched_goes_back_as_a_run_of_its_own),
		cmocka_unit_test(where_nothing_was_begun_the_open_run_is_left_all_the_same),
		cmocka_unit_test(a_way_back_that_is_refused_changes_nothing),
		cmocka_unit_test(apply_goes_on_with_the_way_back_that_the_journal_tells_of),
		cmocka_unit_test(what_was_said_before_a_person_was_asked_to_act_is_asked_anew),
		cmocka_unit_test(a_way_back_whose_goal_is_gone_is_refused_and_changes_nothing),
		cmocka_unit_test(who_uses_the_new_key_still_keeps_it_from_being_taken_away),
		cmocka_unit_test(
			an_intent_that_cannot_be_undone_outweighs_a_live_state_that_may_be_late),
		cmocka_unit_test(what_was_carried_out_is_beyond_whatever_the_live_state_says),
		cmocka_unit_test(a_failed_gate_takes_back_who_wants_it_in_the_same_command),
		cmocka_unit_test(a_failed_gate_halts_where_nothing_else_is_said),
		cmocka_unit_test(what_is_no_gates_word_takes_nobody_back),
		cmocka_unit_test(where_the_way_back_is_refused_everything_stays_and_that_is_said),
		cmocka_unit_test(one_goes_back_while_the_other_goes_on_and_each_run_ends),
		cmocka_unit_test(an_open_run_with_others_in_it_wants_them_selected_too),
		cmocka_unit_test(who_has_left_an_open_run_is_left_aside_until_it_is_over),
		cmocka_unit_test(a_run_whose_others_were_done_already_ends_with_the_leaving),
		cmocka_unit_test(a_way_back_keeps_the_fence_closed_for_other_runs_too),
		cmocka_unit_test(a_shared_contract_of_one_that_has_left_is_not_carried_out),
		cmocka_unit_test(those_who_wait_for_one_that_has_left_are_told_so),
		cmocka_unit_test(killed_at_any_record_it_goes_back_once),
		cmocka_unit_test(killed_at_any_exchange_it_goes_back_once),
		cmocka_unit_test(killed_on_the_way_forward_it_goes_back_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
