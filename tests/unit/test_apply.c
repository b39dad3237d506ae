/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/run/attest.h"
#include "tests/unit/fake_shop.h"

#define HEAD                                                                                       \
	"version: 1\n"                                                                             \
	"connections:\n"                                                                           \
	"  shop: {url: https://shop.example, auth: {kind: bearer, token: env:SHOP_TOKEN}}\n"       \
	"  ledger: {url: https://ledger.example, auth: {kind: bearer, token: env:LEDGER_TOKEN}}\n" \
	"defaults:\n"                                                                              \
	"  credential: {client_secret: env:APP_SECRET, scopes: [read]}\n"                          \
	"  executors: {drop: api}\n"
#define ENVS "environments:\n"
#define DEV "  dev: {project: {id: p0}, credential: {client_id: c0}}\n"
#define DEV_APP(app) "  dev: {project: {id: p0}, credential: {client_id: c0}, app: " app "}\n"
#define OPERATOR                                                                                   \
	HEAD ENVS "  dev: {project: {id: p0}, credential: {client_id: c0},\n"                      \
		  "    executors: {set: operator}}\n"
#define SHARED                                                                                     \
	HEAD ENVS "  dev: {project: {id: p0}, credential: {client_id: c0}}\n"                      \
		  "  stage: {project: {id: p1}, credential: {client_id: c0}}\n"
/* The ledger is read with the client that is being migrated. */
#define SAME_CLIENT                                                                                \
	"version: 1\n"                                                                             \
	"connections:\n"                                                                           \
	"  shop: {url: https://shop.example, auth: {kind: bearer, token: env:SHOP_TOKEN}}\n"       \
	"  ledger: {url: https://ledger.example, auth: {kind: client_credentials,\n"               \
	"    client_id: c0, client_secret: env:APP_SECRET}}\n"                                     \
	"defaults:\n"                                                                              \
	"  credential: {client_secret: env:APP_SECRET}\n"                                          \
	"  executors: {drop: api}\n" ENVS DEV_APP("{flows: true}")

static size_t at(const struct shop *s, const char *line)
{
	const char *hit = strstr(s->net.log.buf, line);

	if (!hit)
		fail_msg("was not sent: %s", line);
	return (size_t)(hit - s->net.log.buf);
}

static bool happened(const struct shop *s, const char *event)
{
	return strstr(s->events.buf, event) != NULL;
}

static void assert_ends(struct shop *s, enum err_code want)
{
	struct apply_result r;
	enum err_code code = shop_apply(s, &r);

	if (code != want)
		fail_msg("ended with %d, not %d: %s %s\n%s", (int)code, (int)want, r.summary,
			 s->err.msg, s->events.buf);
}

static void assert_converges(struct shop *s)
{
	enum err_code code = shop_apply_on(s, 40);

	if (code != E_NONE)
		fail_msg("does not converge: %d %s\n%s", (int)code, s->err.msg, s->events.buf);
	assert_true(shop_is_migrated(s, 0));
}

static void assert_wrote_once(const struct shop *s)
{
	assert_int_equal(s->w->clients[0].adds, 1);
	assert_int_equal(s->w->clients[0].drops, 1);
	assert_int_equal(s->w->projects[0].sets, 1);
}

/* ---- the whole way ---- */

static void a_run_goes_from_expand_over_switch_and_prove_to_contract(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->options.patience_ms = INT64_MAX;
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_true(shop_is_migrated(s, 0));
	assert_wrote_once(s);
	assert_int_equal(r.done, r.total);
	assert_int_equal(r.total, 6);
	assert_true(at(s, "POST https://shop.example/v1/p/p0/key ") <
		    at(s, "PUT https://shop.example/v1/p/p0/settings"));
	assert_true(at(s, "PUT https://shop.example/v1/p/p0/settings") <
		    at(s, "POST https://shop.example/v1/p/p0/app/stop"));
	assert_true(at(s, "/app/start") < at(s, "GET https://shop.example/v1/p/p0/use"));
	assert_true(at(s, "GET https://shop.example/v1/p/p0/use") <
		    at(s, "DELETE https://shop.example/v1/p/p0/key"));
	assert_int_equal(shop_journal_count(s, "\"type\":\"receipt\""), 1);
	shop_free(s);
}

static void a_second_run_after_the_receipt_finds_nothing_to_do(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;
	size_t appends;

	(void)state;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_NONE);
	appends = s->w->appends;
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_true(r.nothing_to_do);
	assert_int_equal(s->w->appends, appends);
	assert_wrote_once(s);
	shop_free(s);
}

static void a_gate_that_waits_says_until_when_and_the_next_run_goes_on(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;
	size_t writes;

	(void)state;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(r.until_ms, s->w->clients[0].old_used + WHEN_DAY);
	assert_int_equal(s->w->clients[0].drops, 0);
	assert_int_equal(shop_journal_count(s, "\"type\":\"suspend\""), 1);
	writes = fake_net_count(&s->net, "POST ") + fake_net_count(&s->net, "PUT ");

	/* Too early: waits again, and writes nothing. */
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(fake_net_count(&s->net, "POST ") + fake_net_count(&s->net, "PUT "),
			 writes);

	shop_advance(s->w, WHEN_DAY);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_true(shop_is_migrated(s, 0));
	assert_wrote_once(s);
	assert_int_equal(fake_net_count(&s->net, "POST ") + fake_net_count(&s->net, "PUT "),
			 writes);
	shop_free(s);
}

static void the_quiet_gate_passes_at_its_instant_and_not_a_moment_earlier(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;
	int64_t left;

	(void)state;
	s->options.patience_ms = 5 * WHEN_MINUTE;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	left = s->w->clients[0].old_used + WHEN_DAY - fake_server_now(&s->w->clock);
	shop_advance(s->w, left - 10 * WHEN_MINUTE);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->w->clients[0].drops, 0);
	shop_advance(s->w, s->w->clients[0].old_used + WHEN_DAY - fake_server_now(&s->w->clock));
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_false(s->w->clients[0].not_quiet);
	shop_free(s);
}

static void the_local_clock_moves_no_gate(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	s->w->clock.wall_moved_ms = 3 * WHEN_DAY;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->w->clients[0].drops, 0);
	s->w->clock.wall_moved_ms = -3 * WHEN_DAY;
	shop_advance(s->w, WHEN_DAY);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_true(shop_is_migrated(s, 0));
	shop_free(s);
}

static void an_environment_begins_when_those_before_it_are_through(void **state)
{
	struct shop *s = shop_new(shop_two_envs);

	(void)state;
	s->options.patience_ms = INT64_MAX;
	s->ui.confirm = NULL;
	s->options.confirmed = (const char *const[]){ "Title of p0", "Title of p1", NULL };
	assert_ends(s, E_NONE);
	assert_true(shop_is_migrated(s, 0));
	assert_true(shop_is_migrated(s, 1));
	assert_true(at(s, "DELETE https://shop.example/v1/p/p0/key") <
		    at(s, "POST https://shop.example/v1/p/p1/key"));
	shop_free(s);
}

static void environments_that_wait_for_nobody_act_side_by_side(void **state)
{
	struct shop *s = shop_new(HEAD ENVS DEV
				  "  stage: {project: {id: p1}, credential: {client_id: c1}}\n");
	struct apply_result r;

	(void)state;
	s->w->app_slow_ms = 3 * WHEN_SECOND;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	/* While one restart is under way, the other one begins. */
	assert_true(at(s, "p/p0/app/stop") < at(s, "p/p1/app/start"));
	assert_true(at(s, "p/p1/app/stop") < at(s, "p/p0/app/start"));
	shop_free(s);
}

static void the_reason_told_is_of_whoever_can_go_on_first(void **state)
{
	struct shop *s = shop_new(HEAD ENVS DEV
				  "  stage: {project: {id: p1}, credential: {client_id: c1}}\n");
	struct apply_result r;

	(void)state;
	s->w->clients[1].old_used = FAKE_START - 10 * WHEN_HOUR;
	s->w->projects[1].next_mint = FAKE_START + WHEN_DAY;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(r.until_ms, FAKE_START + 14 * WHEN_HOUR);
	assert_int_equal(strncmp(r.summary, "stage/", 6), 0);
	shop_free(s);
}

/* ---- lost replies ---- */

static void a_write_whose_reply_was_lost_is_found_done_by_its_effect(void **state)
{
	static const char *const writes[] = { "POST https://shop.example/v1/p/p0/key$",
					      "PUT https://shop.example/v1/p/p0/settings$",
					      "DELETE https://shop.example/v1/p/p0/key$" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		struct shop *s = shop_new(shop_one_env);

		s->options.patience_ms = INT64_MAX;
		s->fault = FAULT_LOST_AFTER;
		s->fault_on = writes[i];
		s->fault_times = 1;
		assert_ends(s, E_NONE);
		assert_true(shop_is_migrated(s, 0));
		assert_wrote_once(s);
		assert_int_equal(s->fault_seen, 1);
		assert_int_equal(shop_journal_count(s, "\"how\":\"found done\",\"marks\""), 1);
		shop_free(s);
	}
}

static void a_write_that_was_lost_for_good_is_not_sent_again_in_the_same_run(void **state)
{
	struct shop *s = shop_new(shop_one_env);

	(void)state;
	s->options.patience_ms = INT64_MAX;
	s->fault = FAULT_LOST_BEFORE;
	s->fault_on = "POST https://shop.example/v1/p/p0/key$";
	s->fault_times = 1;
	assert_ends(s, E_TRANSPORT);
	assert_int_equal(s->fault_seen, 1);
	assert_int_equal(s->w->projects[0].sets, 0);

	/* The next run sees that it is not done, and may. */
	assert_ends(s, E_NONE);
	assert_wrote_once(s);
	shop_free(s);
}

static void a_write_that_was_carried_out_and_answered_500_is_found_done_by_its_effect(void **state)
{
	struct shop *s = shop_new(shop_one_env);

	(void)state;
	s->options.patience_ms = INT64_MAX;
	s->w->key_lag_ms = 5 * WHEN_MINUTE;
	s->fault = FAULT_500_AFTER;
	s->fault_on = "POST https://shop.example/v1/p/p0/key$";
	s->fault_times = 1;
	assert_ends(s, E_NONE);
	assert_true(shop_is_migrated(s, 0));
	assert_wrote_once(s);
	shop_free(s);
}

static void a_restart_whose_reply_was_lost_is_looked_at_and_not_forgotten(void **state)
{
	static const char *const parts[] = { "POST https://shop.example/v1/p/p0/app/stop$",
					     "POST https://shop.example/v1/p/p0/app/start$" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct shop *s = shop_new(shop_one_env);

		s->fault = FAULT_LOST_AFTER;
		s->fault_on = parts[i];
		s->fault_times = 1;
		for (int k = 0; k < 8 && !shop_is_migrated(s, 0); k++) {
			struct apply_result r;

			(void)shop_apply(s, &r);
			shop_advance(s->w, 6 * WHEN_HOUR);
		}
		assert_true(shop_is_migrated(s, 0));
		assert_wrote_once(s);
		shop_free(s);
	}
}

static void a_lost_reply_whose_effect_nobody_can_read_is_not_sent_again_by_the_next_run(
	void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->options.patience_ms = INT64_MAX;
	s->fault = FAULT_LOST_AFTER;
	s->fault_on = "POST https://shop.example/v1/p/p0/key$";
	s->fault_times = 1;
	s->w->key_lag_ms = WHEN_DAY; /* does not show in time */
	assert_ends(s, E_TRANSPORT);
	s->w->projects[0].key_denied = true;
	(void)shop_apply(s, &r);
	assert_int_equal(s->w->clients[0].adds, 1);
	assert_int_not_equal(r.code, E_NONE);
	shop_free(s);
}

static void an_effect_that_shows_late_is_waited_for_after_a_kill(void **state)
{
	struct shop *s = NULL;

	(void)state;
	for (size_t n = 1; !s || s->w->clients[0].adds == 0;
	     n++) { /* the exchange that adds the key */
		if (s)
			shop_free(s);
		assert_true(n < 100);
		s = shop_new(shop_one_env);
		s->w->key_lag_ms = 5 * WHEN_MINUTE;
		s->w->kill_at_exchange = n;
		assert_int_equal(shop_apply_child(s), -1);
	}
	s->w->kill_at_exchange = 0;
	assert_converges(s);
	assert_int_equal(s->w->clients[0].adds, 1);
	shop_free(s);
}

static void signal_once_sent(void *ctx)
{
	struct shop *s = ctx;

	if (s->w->clients[0].adds)
		s->w->clock.signals = 1;
}

static void a_signal_while_a_reply_is_lost_leaves_the_intent_open(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->w->key_lag_ms = 5 * WHEN_MINUTE;
	s->w->delay_ms = 2 * WHEN_SECOND;
	s->net.on_next = signal_once_sent;
	s->fault = FAULT_LOST_AFTER;
	s->fault_on = "POST https://shop.example/v1/p/p0/key$";
	s->fault_times = 1;
	assert_int_equal(shop_apply(s, &r), E_SIGNAL);
	assert_int_equal(s->w->clients[0].adds, 1);
	assert_int_equal(shop_journal_count(s, "\"type\":\"intent\""), 1);
	assert_int_equal(shop_journal_count(s, "\"type\":\"outcome\""), 0);

	/* The next run waits for the effect instead of sending it again. */
	s->net.on_next = NULL;
	s->w->clock.signals = 0;
	assert_converges(s);
	assert_wrote_once(s);
	shop_free(s);
}

static void reads_are_sent_again_and_a_broken_system_fails_the_run_before_it_writes(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->fault = FAULT_503;
	s->fault_on = "GET https://shop.example/v1/p/p0/settings$";
	s->fault_times = 3;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->w->projects[0].sets, 1);
	shop_free(s);

	s = shop_new(shop_one_env);
	s->fault = FAULT_503;
	s->fault_on = "GET https://shop.example/v1/p/p0/settings$";
	s->fault_times = 1000;
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(r.plan_status, 1);
	assert_false(r.nothing_to_do);
	assert_int_equal(s->w->appends, 0);
	assert_int_equal(fake_net_count(&s->net, "GET ") + 0, s->net.exchanges);
	shop_free(s);
}

/* ---- kills ---- */

static size_t records_of_a_run(void)
{
	struct shop *s = shop_new(shop_one_env);
	size_t n;

	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_NONE);
	n = s->w->appends;
	shop_free(s);
	return n;
}

static void killed_at_any_record_it_goes_on_and_writes_once(void **state)
{
	size_t records = records_of_a_run();

	(void)state;
	assert_true(records > 20);
	for (int before = 0; before < 2; before++)
		for (size_t n = 1; n <= records; n++) {
			struct shop *s = shop_new(shop_one_env);

			s->options.patience_ms = INT64_MAX;
			s->w->kill_at = n;
			s->w->kill_before = before;
			assert_int_equal(shop_apply_child(s), -1);
			s->w->kill_at = 0;
			assert_ends(s, E_NONE);
			if (!shop_is_migrated(s, 0) || s->w->clients[0].adds != 1 ||
			    s->w->clients[0].drops != 1)
				fail_msg("killed %s record %zu", before ? "before" : "after", n);
			assert_int_equal(s->w->projects[0].sets, 1);
			shop_free(s);
		}
}

static void killed_at_any_exchange_it_goes_on_and_writes_once(void **state)
{
	(void)state;
	for (size_t n = 1;; n++) {
		struct shop *s = shop_new(shop_one_env);
		int status;

		s->options.patience_ms = INT64_MAX;
		s->w->kill_at_exchange = n;
		status = shop_apply_child(s);
		s->w->kill_at_exchange = 0;
		if (status == 0) { /* it got through: no such exchange */
			assert_true(n > 20);
			shop_free(s);
			return;
		}
		assert_int_equal(status, -1);
		assert_ends(s, E_NONE);
		if (!shop_is_migrated(s, 0) || s->w->clients[0].adds != 1 ||
		    s->w->clients[0].drops != 1)
			fail_msg("killed at exchange %zu", n);
		assert_int_equal(s->w->projects[0].sets, 1);
		shop_free(s);
	}
}

/* Nothing is begun while a system cannot be read; but an app that was left stopped is started. */
static void what_a_kill_left_stopped_is_started_although_something_else_cannot_be_read(void **state)
{
	struct shop *s = NULL;
	struct apply_result r;

	(void)state;
	for (size_t n = 1; n < 60; n++) {
		s = shop_new(shop_one_env);
		s->options.patience_ms = INT64_MAX;
		s->w->kill_at_exchange = n;
		assert_int_equal(shop_apply_child(s), -1);
		s->w->kill_at_exchange = 0;
		if (!s->w->projects[0].running)
			break;
		shop_free(s);
		s = NULL;
	}
	assert_non_null(s);
	s->fault = FAULT_503;
	s->fault_on = "GET https://shop.example/v1/p/p0/settings$";
	s->fault_times = 1000;
	assert_int_equal(shop_apply(s, &r), E_REMOTE);
	assert_true(s->w->projects[0].running);
	assert_int_equal(s->w->clients[0].drops, 0);
	s->fault = FAULT_NONE;
	assert_ends(s, E_NONE);
	assert_true(shop_is_migrated(s, 0));
	assert_wrote_once(s);
	shop_free(s);
}

static void killed_twice_it_still_goes_on(void **state)
{
	size_t records = records_of_a_run();

	(void)state;
	for (size_t n = 1; n < records; n++) {
		struct shop *s = shop_new(shop_one_env);

		s->options.patience_ms = INT64_MAX;
		s->w->kill_at = n;
		assert_int_equal(shop_apply_child(s), -1);
		s->w->kill_at = n + 2;
		(void)shop_apply_child(s);
		s->w->kill_at = 0;
		s->w->locked = false;
		assert_ends(s, E_NONE);
		assert_true(shop_is_migrated(s, 0));
		assert_wrote_once(s);
		shop_free(s);
	}
}

/* The program dies while the app is stopped. */
static struct shop *killed_in_a_restart(const char *file)
{
	for (size_t n = 1; n < 200; n++) {
		struct shop *s = shop_new(file);

		s->w->app_slow_ms = 3 * WHEN_SECOND;
		s->w->kill_at_exchange = n;
		assert_int_equal(shop_apply_child(s), -1);
		s->w->kill_at_exchange = 0;
		if (!s->w->projects[0].running)
			return s;
		shop_free(s);
	}
	fail_msg("the app was never stopped");
	return NULL;
}

static void what_a_kill_left_stopped_is_started_whatever_else_cannot_be_read(void **state)
{
	static const char *const unreadable[] = {
		"GET https://shop.example/v1/p/p1/settings$", /* another environment */
		"GET https://shop.example/v1/p/p0/settings$",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unreadable); i++) {
		struct shop *s = killed_in_a_restart(shop_two_envs);
		size_t done;

		done = shop_journal_count(s, "\"type\":\"step\"");
		s->fault = FAULT_503;
		s->fault_on = unreadable[i];
		s->fault_times = 100000;
		assert_ends(s, E_REMOTE);
		assert_true(s->w->projects[0].running);
		assert_true(s->w->projects[0].runs_new);
		assert_int_equal(s->w->projects[0].starts, 1);
		/* Nothing else was begun, and nothing is said to be done. */
		assert_int_equal(shop_journal_count(s, "\"type\":\"step\""), done);
		assert_int_equal(s->w->clients[0].drops, 0);
		s->fault = FAULT_NONE;
		assert_ends(s, E_WAIT); /* for the day of quiet */
		assert_int_equal(s->w->projects[0].starts, 1);
		shop_free(s);
	}
}

static void a_journal_that_cannot_be_written_stops_all_sending(void **state)
{
	size_t records = records_of_a_run();

	(void)state;
	for (size_t n = 1; n <= records; n++) {
		struct shop *s = shop_new(shop_one_env);
		int writes;

		s->options.patience_ms = INT64_MAX;
		s->w->fail_at = n;
		assert_ends(s, E_IO);
		writes = s->w->clients[0].adds + s->w->clients[0].drops + s->w->projects[0].sets;
		assert_true(shop_journal_count(s, "\"type\":\"intent\"") >= (size_t)writes);
		s->w->fail_at = 0;
		assert_ends(s, E_NONE);
		assert_true(shop_is_migrated(s, 0));
		assert_wrote_once(s);
		shop_free(s);
	}
}

/* ---- gates ---- */

static void a_gate_that_fails_leaves_the_contract_undone(void **state)
{
	struct shop *s = shop_new(HEAD ENVS DEV_APP("{flows: true}"));
	struct apply_result r;

	(void)state;
	s->w->projects[0].rows = -1;
	assert_int_equal(shop_apply(s, &r), E_GATE);
	assert_non_null(strstr(r.summary, "book_grows"));
	shop_advance(s->w, 2 * WHEN_DAY);
	assert_int_equal(shop_apply(s, &r), E_GATE);
	assert_int_equal(s->w->clients[0].drops, 0);

	/* Mended: asked anew, on fresh samples. */
	s->w->projects[0].rows = 3;
	assert_converges(s);
	assert_wrote_once(s);
	shop_free(s);
}

static void use_of_the_old_key_after_the_switch_fails_the_run(void **state)
{
	struct shop *s = shop_new(shop_one_env);

	(void)state;
	s->w->use_by_stranger = true;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_GATE);
	assert_int_equal(s->w->clients[0].drops, 0);
	shop_free(s);
}

static struct shop *watched;
static void hold_the_app(struct shop *s)
{
	struct shop_project *p = &s->w->projects[0];
	int64_t now = fake_server_now(&s->w->clock);

	/* The app is down when the contract step asks; meanwhile somebody uses the old key; then the app is up again. */
	if (happened(s, "DONE dev/shop.use/quiet_old") && !watched) {
		watched = s;
		p->running = false;
	}
	if (watched && happened(s, "SAW dev/shop.key/drop calm: wait") && !p->running) {
		s->w->clients[0].old_used = now;
		p->running = true;
	}
}

static void evidence_for_the_contract_is_taken_again_when_another_gate_made_it_wait(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	watched = NULL;
	s->options.patience_ms = INT64_MAX;
	s->on_tick = hold_the_app;
	(void)shop_apply(s, &r);
	assert_non_null(watched);
	assert_false(s->w->clients[0].not_quiet);
	shop_free(s);
}

static void a_gate_past_its_deadline_fails_or_waits_as_the_file_says(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->w->app_idle = true;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	shop_advance(s->w, 3 * WHEN_DAY);
	assert_int_equal(shop_apply(s, &r), E_GATE);
	assert_non_null(strstr(r.summary, "deadline"));
	assert_int_equal(s->w->clients[0].drops, 0);
	shop_free(s);

	s = shop_new(HEAD ENVS "  dev: {project: {id: p0}, credential: {client_id: c0},\n"
			       "    gates: {app_uses: {on_expire: wait}}}\n");
	s->w->app_idle = true;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	shop_advance(s->w, 9 * WHEN_DAY);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->w->clients[0].drops, 0);
	s->w->app_idle = false;
	assert_converges(s);
	shop_free(s);
}

static void an_optional_step_without_an_answer_is_reported_and_stops_nothing(void **state)
{
	struct shop *s = shop_new(HEAD ENVS DEV_APP("{flows: true}"));

	(void)state;
	s->w->projects[0].rows = 0;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_NONE);
	assert_true(shop_is_migrated(s, 0));
	assert_int_equal(shop_journal_count(s, "\"result\":\"inconclusive\",\"run\""), 1);
	assert_int_equal(shop_journal_count(s, "\"ledger.book/flows\":"), 0);
	shop_free(s);
}

static void a_gate_passes_after_as_many_passes_and_samples_as_the_file_wants(void **state)
{
	struct shop *s = shop_new(
		HEAD ENVS
		"  dev: {project: {id: p0}, credential: {client_id: c0}, app: {flows: true},\n"
		"    gates: {book_grows: {passes: 3, min_samples: 5, cadence: 1m, deadline: 1h}}}\n");

	(void)state;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_NONE);
	assert_int_equal(shop_journal_count(s, "\"gate\":\"book_grows\",\"n\"") +
				 shop_journal_count(s, "\"gate\":\"book_grows\",\"marks\""),
			 5);
	shop_free(s);
}

static void samples_and_passes_outlive_the_program(void **state)
{
	struct shop *s = shop_new(
		HEAD ENVS
		"  dev: {project: {id: p0}, credential: {client_id: c0}, app: {flows: true},\n"
		"    gates: {book_grows: {passes: 3, min_samples: 4, cadence: 1h, deadline: 2d}}}\n");
	struct apply_result r;

	(void)state;
	/* A program that never stays longer than a minute, run every hour. */
	s->options.patience_ms = WHEN_MINUTE;
	for (int i = 0; i < 40 && shop_apply(s, &r) == E_WAIT; i++)
		shop_advance(s->w, WHEN_HOUR);
	assert_int_equal(r.code, E_NONE);
	assert_true(shop_is_migrated(s, 0));
	assert_int_equal(shop_journal_count(s, "\"gate\":\"book_grows\",\"n\"") +
				 shop_journal_count(s, "\"gate\":\"book_grows\",\"marks\""),
			 4);
	shop_free(s);
}

static void a_deadline_is_counted_from_the_first_question_of_the_run(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;
	int runs = 0;

	(void)state;
	s->w->app_idle = true;
	s->options.patience_ms = WHEN_MINUTE;
	for (; runs < 60 && shop_apply(s, &r) == E_WAIT; runs++)
		shop_advance(s->w, WHEN_HOUR);
	assert_int_equal(r.code, E_GATE);
	assert_in_range(runs, 47, 50); /* two days */
	shop_free(s);
}

static size_t looks_at(const struct shop *s, const char *gate)
{
	CLEANUP(sb_done) struct sb key = SB_INIT(256);

	sb_addf(&key, "\"gate\":\"%s\"", gate);
	return (size_t)shop_journal_count(s, key.buf);
}

static void a_gate_that_sees_nothing_move_looks_less_often(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	int64_t start = sys_wall_ms(&s->sys);
	struct apply_result r;

	(void)state;
	s->w->app_idle = true;
	s->options.patience_ms = INT64_MAX;
	shop_apply(s, &r);
	/* Every 5 minutes for 2 days would be 577 looks. It still ends at its deadline. */
	assert_int_equal(r.code, E_GATE);
	assert_in_range(looks_at(s, "app_uses"), 45, 80);
	assert_in_range(sys_wall_ms(&s->sys) - start, 2 * WHEN_DAY, 2 * WHEN_DAY + WHEN_HOUR);
	shop_free(s);
}

static void wake_the_app_after_a_day(struct shop *s)
{
	s->w->app_idle = sys_wall_ms(&s->sys) < FAKE_START + WHEN_DAY;
}

static void a_gate_that_looks_less_often_still_passes(void **state)
{
	struct shop *s = shop_new(
		HEAD ENVS
		"  dev: {project: {id: p0}, credential: {client_id: c0}, app: {flows: true},\n"
		"    gates: {app_uses: {passes: 2, min_samples: 2}}}\n");

	(void)state;
	s->w->app_idle = true;
	s->options.patience_ms = INT64_MAX;
	s->on_tick = wake_the_app_after_a_day;
	assert_ends(s, E_NONE);
	assert_true(shop_is_migrated(s, 0));
	assert_true(looks_at(s, "app_uses") < 60);
	shop_free(s);
}

static void what_is_personal_is_hashed_or_left_out_of_the_journal(void **state)
{
	struct shop *s = shop_new(shop_one_env);

	(void)state;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_NONE);
	assert_true(shop_journal_count(s, "\"contact\":\"") > 0);
	assert_int_equal(shop_journal_count(s, "jane@"), 0);
	assert_int_equal(shop_journal_count(s, "555-12345"), 0);
	assert_int_equal(shop_journal_count(s, "shop-token"), 0);
	assert_int_equal(shop_journal_count(s, "app-secret-text"), 0);
	shop_free(s);
}

static void an_answer_slower_than_the_patience_is_still_taken(void **state)
{
	struct shop *s = shop_new(shop_one_env);

	(void)state;
	s->options.patience_ms = WHEN_SECOND;
	s->w->delay_ms = 10 * WHEN_SECOND;
	assert_converges(s);
	assert_wrote_once(s);
	shop_free(s);
}

/* One that acts holds nobody up who has nothing to ask a person: a fleet would take its environments one after the other. */
static struct shop *two_side_by_side(void)
{
	static const char order[] = ", after: [dev]";
	char text[4096];
	const char *cut = strstr(shop_two_envs, order);

	snprintf(text, sizeof(text), "%.*s%s", (int)(cut - shop_two_envs), shop_two_envs,
		 cut + strlen(order));
	return shop_new(text);
}

static void environments_act_side_by_side(void **state)
{
	const char *acts, *done;
	struct apply_result r;
	struct shop *s = two_side_by_side();

	(void)state;
	s->w->delay_ms = 10 * WHEN_SECOND;
	(void)shop_apply(s, &r);
	acts = strstr(s->w->journal, "\"step\":\"stage/shop.key/add\",\"type\":\"intent\"");
	done = strstr(s->w->journal, "\"step\":\"dev/shop.key/add\",\"type\":\"outcome\"");
	assert_non_null(acts);
	assert_non_null(done);
	assert_true(acts < done);
	shop_free(s);
}

/* A restart under way has its intent on disk: it ends as it would have, however long it takes. */
static void a_record_that_cannot_be_written_ends_no_restart_of_another_environment(void **state)
{
	bool was_caught = false;

	(void)state;
	for (size_t n = 1; n < 30; n++) {
		struct shop *s = two_side_by_side();
		struct apply_result r;

		s->w->app_slow_ms = 20 * WHEN_MINUTE;
		s->options.patience_ms = INT64_MAX;
		s->w->fail_at = n;
		assert_int_equal(shop_apply(s, &r), E_IO);
		assert_true(s->w->projects[0].running && s->w->projects[1].running);
		assert_true(s->w->projects[0].stops <= 1 && s->w->projects[1].stops <= 1);
		was_caught = was_caught || s->w->clock.mono_ms > 20 * WHEN_MINUTE;
		shop_free(s);
	}
	assert_true(was_caught);
}

/* ---- people ---- */

static void an_operator_step_asks_once_and_takes_the_answer(void **state)
{
	struct shop *s = shop_new(OPERATOR);
	struct apply_result r;

	(void)state;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(r.until_ms, 0);
	assert_int_equal(s->instructed, 1);
	assert_string_equal(s->last_ack, "s2sctl ack dev/shop.settings/set --by NAME");
	assert_int_equal(shop_journal_count(s, "\"type\":\"ask\""), 1);

	/* Nothing done yet: shown again to whoever runs it again, and no second question. */
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->instructed, 2);
	assert_int_equal(shop_journal_count(s, "\"type\":\"ask\""), 1);

	s->w->projects[0].set_new = true;
	s->w->projects[0].saved_at = fake_server_now(&s->w->clock);
	shop_ack(s, "dev/shop.settings/set", NULL);
	assert_converges(s);
	assert_int_equal(s->instructed, 2);
	assert_int_equal(shop_journal_count(s, "\"type\":\"ask\""), 1);
	assert_int_equal(shop_journal_count(s, "\"by\":\"ann\""),
			 3); /* the answer, the outcome, the receipt */
	assert_int_equal(s->w->projects[0].sets, 0);
	shop_free(s);
}

static void do_it_by_hand(struct shop *s)
{
	if (s->instructed && s->w->clock.mono_ms > WHEN_HOUR && !s->w->projects[0].set_new) {
		s->w->projects[0].set_new = true;
		s->w->projects[0].saved_at = fake_server_now(&s->w->clock);
	}
}

static void staying_it_prints_once_and_sees_the_effect_without_an_answer(void **state)
{
	struct shop *s = shop_new(OPERATOR);

	(void)state;
	s->options.patience_ms = INT64_MAX;
	s->on_tick = do_it_by_hand;
	assert_ends(s, E_NONE);
	assert_int_equal(s->instructed, 1);
	assert_int_equal(shop_journal_count(s,
					    "\"how\":\"effect seen without an answer\",\"marks\""),
			 1);
	assert_true(shop_is_migrated(s, 0));
	shop_free(s);
}

static void an_answer_to_an_older_question_is_ignored(void **state)
{
	struct shop *s = shop_new(OPERATOR);
	struct apply_result r;
	char old[1 << 12];
	size_t old_len;

	(void)state;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	shop_ack(s, "dev/shop.settings/set", NULL);
	old_len = s->w->inbox_len;
	memcpy(old, s->w->inbox, old_len);
	s->w->inbox_len = 0;

	/* That run is given up; the new one asks with a nonce of its own. */
	s->options.abandon = true;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	s->options.abandon = false;
	assert_int_equal(shop_journal_count(s, "\"type\":\"ask\""), 2);
	memcpy(s->w->inbox, old, old_len);
	s->w->inbox_len = old_len;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(shop_journal_count(s, "\"type\":\"ack\""), 0);
	assert_false(happened(s, "attested by"));
	shop_free(s);
}

static void an_answer_is_taken_once_however_often_it_is_read(void **state)
{
	struct shop *s = shop_new(OPERATOR);
	struct apply_result r;

	(void)state;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	shop_ack(s, "dev/shop.settings/set", NULL);
	s->w->projects[0].set_new = true;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(shop_journal_count(s, "\"type\":\"ack\""), 1);
	shop_free(s);
}

static void what_an_api_says_outweighs_an_operator_who_says_otherwise(void **state)
{
	struct shop *s = shop_new(OPERATOR);
	struct apply_result r;

	(void)state;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	shop_ack(s, "dev/shop.settings/set", NULL); /* and nothing was done */
	s->options.patience_ms = INT64_MAX;
	assert_int_equal(shop_apply(s, &r), E_GATE);
	assert_non_null(strstr(r.summary, "dev/shop.settings/set"));
	assert_false(happened(s, "DONE dev/shop.settings/set"));
	assert_int_equal(s->w->projects[0].stops, 0);
	assert_int_equal(s->w->clients[0].drops, 0);
	shop_free(s);
}

static void where_nothing_can_be_read_the_operators_word_is_what_is_known(void **state)
{
	struct shop *s = shop_new(OPERATOR);
	struct apply_result r;
	const char *const facts[] = { "use=old", NULL };
	const struct attest word = { .facts = facts };

	(void)state;
	s->w->projects[0].settings_denied = true;
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(r.plan_status, 3);
	assert_int_equal(s->w->clients[0].adds, 0);
	shop_ack(s, "dev/shop.settings/attest", &word);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->w->clients[0].adds, 1);
	assert_int_equal(s->instructed, 1);
	s->w->projects[0].set_new = true;
	s->w->projects[0].saved_at = fake_server_now(&s->w->clock);
	shop_ack(s, "dev/shop.settings/set", NULL);
	assert_converges(s);
	shop_free(s);
}

static unsigned told; /* so many of the two acts below */

static void tells_first_and_acts_then(struct shop *s)
{
	const char *const facts[] = { "use=old", NULL };
	const struct attest word = { .facts = facts };

	if (told == 0 && s->instructed == 1)
		shop_ack(s, "dev/shop.settings/attest", &word);
	if (told == 40) {
		s->w->projects[0].set_new = true;
		s->w->projects[0].saved_at = fake_server_now(&s->w->clock);
		shop_ack(s, "dev/shop.settings/set", NULL);
	}
	told += s->instructed == 1;
}

/* Taken up by the next command, they would seem to have been said after the act, and to undo it. */
static void facts_told_while_a_run_waits_are_older_than_what_is_done_then(void **state)
{
	struct shop *s = shop_new(OPERATOR);
	struct apply_result r;
	const char *const facts[] = { "use=old", NULL };
	const struct attest word = { .facts = facts };
	const char *said, *done;

	(void)state;
	told = 0;
	s->w->projects[0].settings_denied = true;
	assert_int_equal(shop_apply(s, &r), E_NONE);
	shop_ack(s, "dev/shop.settings/attest", &word);
	s->options.patience_ms = INT64_MAX;
	s->on_tick = tells_first_and_acts_then;
	(void)shop_apply(s, &r);
	s->on_tick = NULL;
	assert_true(told > 40);
	said = strstr(s->w->journal, "\"step\":\"dev/shop.settings/attest\"");
	assert_non_null(said);
	said = strstr(said + 1, "\"step\":\"dev/shop.settings/attest\"");
	done = strstr(s->w->journal, "\"effects\":{\"shop.settings\"");
	assert_non_null(said);
	assert_non_null(done);
	assert_true(said < done);
	assert_converges(s);
	shop_free(s);
}

static void a_last_use_is_asked_for_and_bound_to_its_question(void **state)
{
	struct shop *s = shop_new(HEAD ENVS DEV_APP("{ask: true}"));
	const struct attest word = { .none_since = "2026-11-20" };
	struct apply_result r;

	(void)state;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->instructed, 1);
	assert_string_equal(
		s->last_ack,
		"s2sctl ack dev/shop.use/asked --by NAME --last-used TIME | --none-since DATE");
	shop_ack(s, "dev/shop.use/asked", &word);
	assert_converges(s);
	assert_int_equal(s->instructed, 1);
	assert_int_equal(shop_journal_count(s, "\"type\":\"ask\""), 1);
	shop_free(s);
}

static void who_has_just_answered_is_not_asked_again_at_once(void **state)
{
	struct shop *s = shop_new(HEAD ENVS DEV_APP("{ask: true}"));
	const struct attest used = { .last_used = "2026-11-24T09:00:00Z" };
	const struct attest word = { .none_since = "2026-11-20" };
	struct apply_result r;

	(void)state;
	s->options.patience_ms = WHEN_MINUTE;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->instructed, 1);
	shop_ack(s, "dev/shop.use/asked", &used); /* not what the gate can pass on */
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(shop_journal_count(s, "\"type\":\"ask\""), 1);
	shop_advance(s->w, 16 * WHEN_MINUTE);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(shop_journal_count(s, "\"type\":\"ask\""), 2);
	shop_ack(s, "dev/shop.use/asked", &word);
	assert_converges(s);
	shop_free(s);
}

static void the_last_evidence_before_an_act_is_taken_in_one_go(void **state)
{
	struct shop *s = shop_new(
		HEAD ENVS "  dev: {project: {id: p0}, credential: {client_id: c0},\n"
			  "    gates: {quiet: {min_samples: 5, cadence: 45m, deadline: 9d}}}\n");

	(void)state;
	/* Never long enough for a second look at that pace, and each command begins with the first one. */
	s->options.patience_ms = WHEN_MINUTE;
	assert_converges(s);
	assert_false(s->w->clients[0].not_quiet);
	shop_free(s);
}

static void without_the_typed_title_nothing_is_deleted(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->w->clients[0].old_used = FAKE_START - 2 * WHEN_DAY;
	s->w->projects[0].next_mint = FAKE_START + WHEN_DAY;
	s->confirm_title[0] = '\0';
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->confirms, 1);
	assert_int_equal(s->w->clients[0].drops, 0);
	assert_true(happened(s, "WAITS dev/shop.key/drop this cannot be undone"));
	s->options.confirmed = (const char *const[]){ "title of p0", "Title of p", NULL };
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	s->ui.confirm = NULL;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->w->clients[0].drops, 0);
	assert_int_equal(fake_net_count(&s->net, "DELETE"), 0);
	s->options.confirmed = (const char *const[]){ "Title of p1", "Title of p0", NULL };
	assert_ends(s, E_NONE);
	assert_int_equal(s->w->clients[0].drops, 1);
	shop_free(s);
}

/* ---- shared credentials ---- */

static void environments_with_one_client_share_the_contract_after_both_have_proved(void **state)
{
	struct shop *s = shop_new(SHARED);
	const char *log;

	(void)state;
	s->w->projects[1].client = 0;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_NONE);
	assert_int_equal(s->w->clients[0].drops, 1);
	assert_false(s->w->clients[0].broke);
	assert_false(s->w->clients[0].not_quiet);
	assert_true(s->w->projects[1].runs_new);
	log = strstr(s->events.buf, "STARTED dev+stage/shop.key/drop");
	assert_non_null(log);
	assert_true(strstr(s->events.buf, "DONE dev/shop.use/quiet_old") < log);
	assert_true(strstr(s->events.buf, "DONE stage/shop.use/quiet_old") < log);
	shop_free(s);
}

static void a_shared_contract_waits_when_one_of_its_environments_has_failed(void **state)
{
	struct shop *s = shop_new(
		HEAD ENVS
		"  dev: {project: {id: p0}, credential: {client_id: c0}}\n"
		"  stage: {project: {id: p1}, credential: {client_id: c0}, app: {flows: true}}\n");

	(void)state;
	s->w->projects[1].client = 0;
	s->w->projects[1].rows = -1;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_GATE);
	assert_int_equal(s->w->clients[0].drops, 0);
	assert_true(s->w->projects[0].runs_new); /* the other one went as far as it may */
	shop_free(s);
}

static void a_shared_contract_is_not_done_for_one_environment_alone(void **state)
{
	struct shop *s = shop_new(SHARED);
	const struct rollout_env *one[2];

	(void)state;
	s->w->projects[1].client = 0;
	s->w->clients[0].old_used = FAKE_START - 2 * WHEN_DAY;
	one[0] = s->envs[0];
	one[1] = NULL;
	s->options.envs = one;
	s->options.patience_ms = INT64_MAX;
	for (int i = 0; i < SHOP_PROJECTS; i++)
		s->w->projects[i].next_mint =
			FAKE_START + 9 * WHEN_DAY; /* the other app lives on its token */
	assert_ends(s, E_NONE);
	assert_true(s->w->projects[0].runs_new);
	assert_int_equal(s->w->clients[0].drops, 0);

	/* Both together: done, once. */
	s->options.envs = s->envs;
	assert_ends(s, E_NONE);
	assert_int_equal(s->w->clients[0].drops, 1);
	assert_false(s->w->clients[0].broke);
	assert_true(s->w->projects[1].runs_new);
	shop_free(s);
}

/* ---- signals ---- */

static void a_signal_in_the_middle_of_a_restart_lets_it_start_again(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->w->app_slow_ms = WHEN_MINUTE;
	s->w->clock.signal_at_ms = 30 * WHEN_SECOND;
	assert_int_equal(shop_apply(s, &r), E_SIGNAL);
	assert_int_equal(s->w->projects[0].stops, 1);
	assert_int_equal(s->w->projects[0].starts, 1);
	assert_true(s->w->projects[0].running);
	assert_int_equal(shop_journal_count(s, "\"type\":\"suspend\""), 1);
	s->w->clock.signal_at_ms = 0;
	assert_converges(s);
	assert_int_equal(s->w->projects[0].stops, 1);
	shop_free(s);
}

static void second_signal(struct shop *s)
{
	if (s->w->clock.mono_ms >= 30 * WHEN_SECOND)
		s->w->clock.signals = 2;
}

static void a_second_signal_leaves_and_the_next_run_mends(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->w->app_slow_ms = WHEN_MINUTE;
	s->on_tick = second_signal;
	assert_int_equal(shop_apply(s, &r), E_SIGNAL);
	assert_true(s->w->clock.mono_ms < 35 * WHEN_SECOND);
	assert_false(s->w->projects[0].running);
	assert_true(happened(
		s, "dev/shop.app/restart left in the middle; not running: the app. Run the same"));
	s->on_tick = NULL;
	s->w->clock.signals = 0;
	assert_converges(s);
	assert_true(s->w->projects[0].running);
	shop_free(s);
}

/* Its intent is on disk since the command before, and an app does not wait for a disk. */
static void what_was_left_stopped_is_started_although_the_journal_cannot_be_written(void **state)
{
	struct shop *s = NULL;
	struct apply_result r;
	size_t n = 1;

	(void)state;
	for (bool is_mended = false; !is_mended; n++) {
		s = shop_new(shop_one_env);
		s->w->app_slow_ms = WHEN_MINUTE;
		s->on_tick = second_signal;
		assert_int_equal(shop_apply(s, &r), E_SIGNAL);
		assert_false(s->w->projects[0].running);
		s->on_tick = NULL;
		s->w->clock.signals = 0;
		s->w->fail_at = s->w->appends + n;
		assert_int_equal(shop_apply(s, &r), E_IO);
		assert_true(s->w->projects[0].running);
		is_mended = happened(s, "DONE dev/shop.app/restart");
		s->w->fail_at = 0;
		assert_converges(s);
		assert_wrote_once(s);
		shop_free(s);
	}
	assert_true(n > 2);
}

static void signal_at_once(struct shop *s)
{
	s->w->clock.signals = 1;
}

/* A signal that comes while the next command looks, before it acts, finds the app stopped by the one before. */
static void what_was_left_stopped_is_started_although_a_signal_comes(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->w->app_slow_ms = WHEN_MINUTE;
	s->on_tick = second_signal;
	assert_int_equal(shop_apply(s, &r), E_SIGNAL);
	assert_false(s->w->projects[0].running);
	s->on_tick = signal_at_once;
	s->w->clock.signals = 0;
	assert_int_equal(shop_apply(s, &r), E_SIGNAL);
	assert_true(s->w->projects[0].running);
	assert_int_equal(s->w->projects[0].stops, 1);
	s->on_tick = NULL;
	s->w->clock.signals = 0;
	assert_converges(s);
	assert_wrote_once(s);
	shop_free(s);
}

static void signal_when_looked(struct shop *s)
{
	/* The first step was looked at: its write comes next. */
	if (happened(s, "STARTED dev/shop.key/add") && !s->net.flight_count)
		s->w->clock.signals = 1;
}

static void after_a_signal_no_write_is_begun(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->on_tick = signal_when_looked;
	assert_int_equal(shop_apply(s, &r), E_SIGNAL);
	assert_int_equal(s->w->clients[0].adds, 0);
	assert_int_equal(shop_journal_count(s, "\"type\":\"intent\""), 0);
	shop_free(s);
}

/* ---- the fence ---- */

static void from_the_restart_to_the_apps_own_use_the_tool_mints_nothing(void **state)
{
	struct shop *s = shop_new(SAME_CLIENT);
	struct shop_client *c = &s->w->clients[0];
	int64_t restarted;
	size_t noted;

	(void)state;
	s->options.patience_ms = INT64_MAX;
	assert_ends(s, E_NONE);
	assert_true(shop_is_migrated(s, 0));
	restarted = s->w->projects[0].started_at;
	noted = shop_journal_count(s, "oauth_use.at");
	assert_true(noted > 0);
	for (int i = 0; i < c->tool_mint_count; i++)
		assert_true(c->tool_mints[i] < restarted ||
			    strstr(s->w->journal, "\"oauth_use.at\"") <
				    strstr(s->w->journal, "\"type\":\"mint\""));
	/* Each mint has its intent before it. */
	assert_true(shop_journal_count(s, "\"is_outcome\":false") >= (size_t)c->tool_mint_count);
	assert_true(c->tool_mint_count > 0);
	shop_free(s);
}

static void a_fence_stands_across_restarts_of_the_program(void **state)
{
	struct shop *s = shop_new(SAME_CLIENT);
	struct apply_result r;

	(void)state;
	s->w->app_idle = true; /* so the app's own use never comes */
	s->w->clients[0].old_used = FAKE_START - 3 * WHEN_DAY;
	for (int i = 0; i < 6; i++) {
		assert_int_equal(shop_apply(s, &r), E_WAIT);
		shop_advance(s->w, WHEN_HOUR);
	}
	assert_int_equal(s->w->projects[0].starts, 1);
	for (int i = 0; i < s->w->clients[0].tool_mint_count; i++)
		assert_true(s->w->clients[0].tool_mints[i] < s->w->projects[0].started_at);
	s->w->app_idle = false;
	assert_converges(s);
	assert_wrote_once(s);
	shop_free(s);
}

/* ---- reading only ---- */

static void an_observation_that_tries_to_write_is_not_sent(void **state)
{
	struct shop *s = shop_new(HEAD ENVS DEV_APP("{sneaky: true}"));
	struct apply_result r;

	(void)state;
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(r.plan_status, 1);
	assert_int_equal(fake_net_count(&s->net, "POST"), 0);
	assert_int_equal(s->w->appends, 0);
	shop_free(s);
}

static int refuse_plan(void *ctx, struct plan *p, bool is_resumed)
{
	int *shown = ctx;

	assert_non_null(p->document);
	*shown += is_resumed ? 10 : 1;
	return 5;
}

static void a_plan_that_is_turned_down_writes_nothing(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;
	int shown = 0;

	(void)state;
	s->options.show_plan = refuse_plan;
	s->options.show_ctx = &shown;
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(r.plan_status, 5);
	assert_int_equal(shown, 1);
	assert_int_equal(s->w->appends, 0);
	assert_int_equal(fake_net_count(&s->net, "GET "), s->net.exchanges);
	shop_free(s);
}

/* ---- refusals ---- */

static void another_system_under_the_same_name_is_refused(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	size_t writes;

	(void)state;
	assert_ends(s, E_WAIT);
	writes = fake_net_count(&s->net, "POST ");
	snprintf(s->w->projects[0].uid, sizeof(s->w->projects[0].uid), "uid-x");
	shop_advance(s->w, 2 * WHEN_DAY);
	assert_ends(s, E_REFUSED);
	assert_non_null(strstr(s->err.msg, "uid-0"));
	assert_non_null(strstr(s->err.msg, "uid-x"));
	assert_int_equal(fake_net_count(&s->net, "POST "), writes);
	assert_int_equal(s->w->clients[0].drops, 0);
	shop_free(s);
}

static void swap_system(struct shop *s)
{
	if (happened(s, "DONE dev/shop.app/restart"))
		snprintf(s->w->projects[0].uid, sizeof(s->w->projects[0].uid), "uid-x");
}

static void another_system_is_noticed_before_the_contract_while_the_program_stays(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->options.patience_ms = INT64_MAX;
	s->on_tick = swap_system;
	assert_int_equal(shop_apply(s, &r), E_REFUSED);
	assert_int_equal(s->w->clients[0].drops, 0);
	shop_free(s);
}

static void a_changed_rollout_file_is_refused_until_the_run_is_given_up(void **state)
{
	struct shop *s = shop_new(shop_one_env);

	(void)state;
	assert_ends(s, E_WAIT);
	shop_load(s, HEAD ENVS "  dev: {project: {id: p0}, credential: {client_id: c0},\n"
			       "    gates: {quiet: {window: 30h}}}\n");
	assert_ends(s, E_REFUSED);
	assert_non_null(strstr(s->err.hint, "--abandon"));
	shop_load(s, "# only a comment\n" HEAD ENVS DEV);
	assert_ends(s, E_REFUSED); /* api_key is another */
	shop_load(s, shop_one_env);
	assert_ends(s, E_WAIT);

	shop_load(s, HEAD ENVS DEV);
	s->options.abandon = true;
	assert_ends(s, E_WAIT);
	s->options.abandon = false;
	assert_int_equal(shop_journal_count(s, "\"type\":\"abandon\""), 1);
	assert_int_equal(shop_journal_count(s, "\"type\":\"run\""), 2);
	assert_converges(s);
	assert_wrote_once(s);
	shop_free(s);
}

static void comments_and_layout_of_the_file_change_nothing(void **state)
{
	struct shop *s = shop_new(HEAD ENVS DEV);

	(void)state;
	assert_ends(s, E_WAIT);
	shop_load(s, "# a comment\n" HEAD ENVS
		     "  dev:\n    credential: {client_id: 'c0'}\n    project:\n      id: p0\n");
	assert_ends(s, E_WAIT);
	shop_free(s);
}

static void an_open_run_is_not_gone_on_with_for_other_environments(void **state)
{
	struct shop *s = shop_new(shop_two_envs);
	const struct rollout_env *one[2];

	(void)state;
	one[0] = s->envs[0];
	one[1] = NULL;
	assert_ends(s, E_WAIT);
	s->options.envs = one;
	assert_ends(s, E_REFUSED);
	assert_int_equal(s->w->clients[0].drops, 0);
	shop_free(s);
}

/* ---- a disk that fills up ---- */

/* Everything that was sent to change something has its outcome in the journal: it was not begun without room for it. */
static void assert_outcomes(const struct shop *s, size_t disk)
{
	size_t intents = shop_journal_count(s, "\"type\":\"intent\""),
	       outcomes = shop_journal_count(s, "\"type\":\"outcome\"");
	size_t sent = fake_net_count(&s->net, "POST ") + fake_net_count(&s->net, "PUT ") +
		      fake_net_count(&s->net, "DELETE ");

	if (intents != outcomes || (intents == 0 && sent))
		fail_msg("disk of %zu: %zu intents, %zu outcomes, %zu requests\n%s", disk, intents,
			 outcomes, sent, s->events.buf);
}

static void a_disk_that_fills_up_anywhere_leaves_no_intent_without_its_outcome(void **state)
{
	size_t stopped = 0, disk = 2000;

	(void)state;
	for (bool whole = false; !whole; disk += 700) {
		struct shop *s = shop_new(shop_one_env);
		struct apply_result r;

		s->options.patience_ms = INT64_MAX;
		s->w->disk = disk;
		whole = shop_apply(s, &r) == E_NONE;
		assert_int_equal(s->err.code, whole ? E_NONE : E_IO);
		assert_outcomes(s, disk);
		assert_true(
			s->w->projects[0].running); /* stopped for the restart, and started again */
		stopped += !whole;
		s->w->disk = 0; /* somebody made room */
		assert_converges(s);
		assert_wrote_once(s);
		shop_free(s);
	}
	assert_true(stopped > 20);
}

static void without_room_for_the_outcome_nothing_is_sent(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->w->disk = 20000; /* enough for the plan and the intent, not for what may come of it */
	assert_int_equal(shop_apply(s, &r), E_IO);
	assert_non_null(strstr(s->err.msg, "no room"));
	assert_non_null(strstr(s->err.hint, "nothing was sent"));
	assert_int_equal(shop_journal_count(s, "\"type\":\"run\""), 1);
	assert_int_equal(shop_journal_count(s, "\"type\":\"intent\""), 0);
	assert_int_equal(s->w->clients[0].adds, 0);
	shop_free(s);
}

static void a_line_of_the_inbox_that_is_none_is_told_once(void **state)
{
	struct shop *s = shop_new(OPERATOR);
	struct apply_result r;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(s->store.append(s->store.ctx, INBOX_NAME, "{half", 5, &err), 0);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(shop_journal_count(s, "\"type\":\"ack-refused\""), 1);
	assert_true(happened(s, "is no acknowledgement"));
	sb_reset(&s->events);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(shop_journal_count(s, "\"type\":\"ack-refused\""), 1);
	assert_false(happened(s, "is no acknowledgement"));
	assert_non_null(strstr(s->w->inbox, "{half\n"));
	s->w->projects[0].set_new = true;
	s->w->projects[0].saved_at = fake_server_now(&s->w->clock);
	shop_ack(s, "dev/shop.settings/set", NULL);
	assert_converges(s);
	shop_free(s);
}

static void a_second_writer_is_turned_away(void **state)
{
	struct shop *s = shop_new(shop_one_env);

	(void)state;
	s->w->locked = true;
	assert_ends(s, E_LOCKED);
	assert_int_equal(s->net.exchanges, 0);
	assert_int_equal(s->w->appends, 0);
	assert_true(s->w->locked);
	s->w->locked = false;
	assert_ends(s, E_WAIT);
	assert_false(s->w->locked);
	shop_free(s);
}

static void a_damaged_journal_is_refused_before_anything_is_sent(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	size_t sent;

	(void)state;
	assert_ends(s, E_WAIT);
	sent = s->net.exchanges;
	memcpy(strstr(s->w->journal, "\"executor\":\"api\""), "\"executor\":\"ipa\"", 16);
	assert_ends(s, E_IO);
	assert_int_equal(s->net.exchanges, sent);
	assert_false(s->w->locked);
	shop_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_goes_from_expand_over_switch_and_prove_to_contract),
		cmocka_unit_test(a_second_run_after_the_receipt_finds_nothing_to_do),
		cmocka_unit_test(a_gate_that_waits_says_until_when_and_the_next_run_goes_on),
		cmocka_unit_test(the_quiet_gate_passes_at_its_instant_and_not_a_moment_earlier),
		cmocka_unit_test(the_local_clock_moves_no_gate),
		cmocka_unit_test(an_environment_begins_when_those_before_it_are_through),
		cmocka_unit_test(environments_that_wait_for_nobody_act_side_by_side),
		cmocka_unit_test(the_reason_told_is_of_whoever_can_go_on_first),
		cmocka_unit_test(a_write_whose_reply_was_lost_is_found_done_by_its_effect),
		cmocka_unit_test(a_write_that_was_lost_for_good_is_not_sent_again_in_the_same_run),
		cmocka_unit_test(
			a_write_that_was_carried_out_and_answered_500_is_found_done_by_its_effect),
		cmocka_unit_test(a_restart_whose_reply_was_lost_is_looked_at_and_not_forgotten),
		cmocka_unit_test(
			a_lost_reply_whose_effect_nobody_can_read_is_not_sent_again_by_the_next_run),
		cmocka_unit_test(an_effect_that_shows_late_is_waited_for_after_a_kill),
		cmocka_unit_test(a_signal_while_a_reply_is_lost_leaves_the_intent_open),
		cmocka_unit_test(
			reads_are_sent_again_and_a_broken_system_fails_the_run_before_it_writes),
		cmocka_unit_test(killed_at_any_record_it_goes_on_and_writes_once),
		cmocka_unit_test(killed_at_any_exchange_it_goes_on_and_writes_once),
		cmocka_unit_test(
			what_a_kill_left_stopped_is_started_although_something_else_cannot_be_read),
		cmocka_unit_test(killed_twice_it_still_goes_on),
		cmocka_unit_test(what_a_kill_left_stopped_is_started_whatever_else_cannot_be_read),
		cmocka_unit_test(a_journal_that_cannot_be_written_stops_all_sending),
		cmocka_unit_test(a_gate_that_fails_leaves_the_contract_undone),
		cmocka_unit_test(use_of_the_old_key_after_the_switch_fails_the_run),
		cmocka_unit_test(
			evidence_for_the_contract_is_taken_again_when_another_gate_made_it_wait),
		cmocka_unit_test(a_gate_past_its_deadline_fails_or_waits_as_the_file_says),
		cmocka_unit_test(an_optional_step_without_an_answer_is_reported_and_stops_nothing),
		cmocka_unit_test(a_gate_passes_after_as_many_passes_and_samples_as_the_file_wants),
		cmocka_unit_test(samples_and_passes_outlive_the_program),
		cmocka_unit_test(a_deadline_is_counted_from_the_first_question_of_the_run),
		cmocka_unit_test(a_gate_that_sees_nothing_move_looks_less_often),
		cmocka_unit_test(a_gate_that_looks_less_often_still_passes),
		cmocka_unit_test(what_is_personal_is_hashed_or_left_out_of_the_journal),
		cmocka_unit_test(an_answer_slower_than_the_patience_is_still_taken),
		cmocka_unit_test(environments_act_side_by_side),
		cmocka_unit_test(
			a_record_that_cannot_be_written_ends_no_restart_of_another_environment),
		cmocka_unit_test(an_operator_step_asks_once_and_takes_the_answer),
		cmocka_unit_test(staying_it_prints_once_and_sees_the_effect_without_an_answer),
		cmocka_unit_test(an_answer_to_an_older_question_is_ignored),
		cmocka_unit_test(an_answer_is_taken_once_however_often_it_is_read),
		cmocka_unit_test(what_an_api_says_outweighs_an_operator_who_says_otherwise),
		cmocka_unit_test(where_nothing_can_be_read_the_operators_word_is_what_is_known),
		cmocka_unit_test(facts_told_while_a_run_waits_are_older_than_what_is_done_then),
		cmocka_unit_test(a_last_use_is_asked_for_and_bound_to_its_question),
		cmocka_unit_test(who_has_just_answered_is_not_asked_again_at_once),
		cmocka_unit_test(the_last_evidence_before_an_act_is_taken_in_one_go),
		cmocka_unit_test(without_the_typed_title_nothing_is_deleted),
		cmocka_unit_test(
			environments_with_one_client_share_the_contract_after_both_have_proved),
		cmocka_unit_test(a_shared_contract_waits_when_one_of_its_environments_has_failed),
		cmocka_unit_test(a_shared_contract_is_not_done_for_one_environment_alone),
		cmocka_unit_test(a_signal_in_the_middle_of_a_restart_lets_it_start_again),
		cmocka_unit_test(a_second_signal_leaves_and_the_next_run_mends),
		cmocka_unit_test(what_was_left_stopped_is_started_although_a_signal_comes),
		cmocka_unit_test(
			what_was_left_stopped_is_started_although_the_journal_cannot_be_written),
		cmocka_unit_test(after_a_signal_no_write_is_begun),
		cmocka_unit_test(from_the_restart_to_the_apps_own_use_the_tool_mints_nothing),
		cmocka_unit_test(a_fence_stands_across_restarts_of_the_program),
		cmocka_unit_test(an_observation_that_tries_to_write_is_not_sent),
		cmocka_unit_test(a_plan_that_is_turned_down_writes_nothing),
		cmocka_unit_test(another_system_under_the_same_name_is_refused),
		cmocka_unit_test(
			another_system_is_noticed_before_the_contract_while_the_program_stays),
		cmocka_unit_test(a_changed_rollout_file_is_refused_until_the_run_is_given_up),
		cmocka_unit_test(comments_and_layout_of_the_file_change_nothing),
		cmocka_unit_test(an_open_run_is_not_gone_on_with_for_other_environments),
		cmocka_unit_test(
			a_disk_that_fills_up_anywhere_leaves_no_intent_without_its_outcome),
		cmocka_unit_test(without_room_for_the_outcome_nothing_is_sent),
		cmocka_unit_test(a_line_of_the_inbox_that_is_none_is_told_once),
		cmocka_unit_test(a_second_writer_is_turned_away),
		cmocka_unit_test(a_damaged_journal_is_refused_before_anything_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
