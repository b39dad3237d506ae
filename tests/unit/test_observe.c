/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/run/attest.h"
#include "core/run/observe.h"
#include "tests/unit/fake_shop.h"

struct fix {
	struct shop *s;
	struct caller *caller;
	struct observer ob;
	struct said said;
	struct env_state *env;
	unsigned done;
	const struct value *facts, *overlay, *marks; /* what is said of shop.settings */
	enum known known;
};

static const struct value *said_facts(void *ctx, const char *env, const char *thing,
				      const char **ret_by, enum known *ret_known,
				      int64_t *ret_asked_ms)
{
	struct fix *f = ctx;

	assert_string_equal(env, "dev");
	if (!f->facts || strcmp(thing, "shop.settings") != 0)
		return NULL;
	*ret_by = "ann";
	*ret_known = f->known;
	*ret_asked_ms = 77;
	return f->facts;
}

static const struct value *said_overlay(void *ctx, const char *env, const char *thing)
{
	struct fix *f = ctx;

	(void)env;
	return strcmp(thing, "shop.settings") == 0 ? f->overlay : NULL;
}

static const struct value *said_marks(void *ctx, const char *env)
{
	struct fix *f = ctx;

	(void)env;
	return f->marks;
}

static struct fix *make(const char *text)
{
	static struct fix f;

	f = (struct fix){ .s = shop_new(text), .known = KNOWN_ATTESTED };
	f.s->clocks = (struct clocks){ .sys = &f.s->sys };
	f.caller = caller_new(&f.s->calls);
	f.said = (struct said){ said_facts, said_overlay, said_marks, &f };
	f.ob = (struct observer){ f.caller, &f.s->calls, &f.said };
	f.env = env_state_new(&shop_registry, f.s->envs[0]);
	return &f;
}

static void unmake(struct fix *f)
{
	env_state_free(f->env);
	caller_free(f->caller);
	shop_free(f->s);
}

static void on_done(void *arg, struct env_state *env)
{
	struct fix *f = arg;

	assert_ptr_equal(env, f->env);
	f->done++;
}

static void look(struct fix *f, const char *const *things)
{
	unsigned before = f->done;

	round_start(&f->ob, f->env, things, on_done, f);
	while (f->done == before)
		caller_pump(f->caller, 1000);
	assert_int_equal(f->done, before + 1);
}

static const struct observation *seen(struct fix *f, const char *thing)
{
	return &f->env->seen[registry_thing_index(&shop_registry, thing)];
}

static void a_round_reads_what_plan_observes_and_notes_its_requests(void **state)
{
	struct fix *f = make(shop_one_env);
	struct arena a = ARENA_INIT;
	struct value *requests;

	(void)state;
	look(f, NULL);
	assert_int_equal(seen(f, "shop.project")->known, KNOWN_API);
	assert_string_equal(value_text(value_get(seen(f, "shop.project")->facts, "uid")), "uid-0");
	assert_int_equal(seen(f, "shop.project")->server_ms, FAKE_START);
	assert_int_equal(seen(f, "shop.use")->known, KNOWN_NOT); /* gates sample it */
	requests = env_requests(f->env, &a);
	assert_int_equal(value_count(requests), 5);
	assert_string_equal(value_text(value_at(requests, 0)), "GET shop /p/p0");
	assert_string_equal(value_text(value_at(requests, 1)), "GET shop /p/p0/key");
	assert_int_equal(f->env->chain, 2); /* the key needs the project */
	assert_null(env_failure(f->env));
	assert_int_equal(fake_net_count(&f->s->net, "GET "), f->s->net.exchanges);
	arena_done(&a);
	unmake(f);
}

static void a_round_of_some_things_reads_only_those(void **state)
{
	static const char *const use[] = { "shop.use", NULL }, *const none[] = { NULL };
	struct fix *f = make(shop_one_env);

	(void)state;
	look(f, use);
	assert_int_equal(f->s->net.exchanges, 1);
	assert_int_equal(seen(f, "shop.use")->known, KNOWN_API);
	assert_int_equal(seen(f, "shop.key")->known, KNOWN_NOT);
	look(f, none);
	assert_int_equal(f->s->net.exchanges, 1);
	unmake(f);
}

static void rounds_of_one_environment_run_one_after_the_other(void **state)
{
	static const char *const use[] = { "shop.use", NULL };
	struct fix *f = make(shop_one_env);

	(void)state;
	for (int i = 0; i < 3; i++)
		round_start(&f->ob, f->env, use, on_done, f);
	assert_int_equal(f->done, 0);
	for (int i = 0; f->done < 3; i++) {
		assert_true(i < 100);
		assert_true(f->s->net.flight_count <= 1);
		caller_pump(f->caller, 1000);
	}
	assert_int_equal(f->s->net.exchanges, 3);
	unmake(f);
}

static void what_was_refused_is_denied_and_what_broke_has_failed(void **state)
{
	struct fix *f = make(shop_one_env);

	(void)state;
	f->s->w->projects[0].app_denied = true;
	f->s->fault = FAULT_503;
	f->s->fault_on = "/p/p0/settings$";
	f->s->fault_times = 100;
	look(f, NULL);
	assert_int_equal(seen(f, "shop.app")->known, KNOWN_DENIED);
	assert_non_null(strstr(seen(f, "shop.app")->why, "403"));
	assert_int_equal(seen(f, "shop.settings")->known, KNOWN_FAILED);
	assert_non_null(strstr(env_failure(f->env), "503"));
	unmake(f);
}

static void what_needs_something_unknown_is_not_asked_for(void **state)
{
	struct fix *f = make(shop_one_env);

	(void)state;
	f->s->fault = FAULT_503;
	f->s->fault_on = "/p/p0$";
	f->s->fault_times = 100;
	look(f, NULL);
	assert_int_equal(seen(f, "shop.key")->known, KNOWN_FAILED);
	assert_non_null(strstr(seen(f, "shop.key")->why, "needs shop.project"));
	assert_int_equal(fake_net_count(&f->s->net, "/p/p0/key"), 0);
	unmake(f);
}

static void somebodys_word_fills_only_what_cannot_be_read(void **state)
{
	struct fix *f = make(shop_one_env);

	(void)state;
	f->facts = fake_json(&f->s->arena, "{\"use\":\"new\"}");
	look(f, NULL);
	assert_int_equal(seen(f, "shop.settings")->known, KNOWN_API);
	assert_string_equal(value_text(value_get(seen(f, "shop.settings")->facts, "use")), "old");

	f->s->w->projects[0].settings_denied = true;
	look(f, NULL);
	assert_int_equal(seen(f, "shop.settings")->known, KNOWN_ATTESTED);
	assert_string_equal(value_text(value_get(seen(f, "shop.settings")->facts, "use")), "new");
	assert_string_equal(seen(f, "shop.settings")->by, "ann");
	f->known = KNOWN_JOURNAL;
	look(f, NULL);
	assert_int_equal(seen(f, "shop.settings")->known, KNOWN_JOURNAL);

	/* A system that gives no answer may be anything. */
	f->s->fault = FAULT_503;
	f->s->fault_on = "/p/p0/settings$";
	f->s->fault_times = 100;
	look(f, NULL);
	assert_int_equal(seen(f, "shop.settings")->known, KNOWN_FAILED);
	assert_null(seen(f, "shop.settings")->facts);
	unmake(f);
}

static void an_attested_reading_is_laid_over_what_was_observed(void **state)
{
	struct fix *f = make(shop_one_env);

	(void)state;
	f->overlay = fake_json(&f->s->arena, "{\"last_used\":5}");
	look(f, NULL);
	assert_int_equal(seen(f, "shop.settings")->known, KNOWN_API);
	assert_string_equal(value_text(value_get(seen(f, "shop.settings")->facts, "use")), "old");
	assert_int_equal(value_int_or(value_path(seen(f, "shop.settings")->facts,
						 "attested.last_used"),
				      0),
			 5);
	f->s->w->projects[0].settings_denied = true;
	look(f, NULL);
	assert_int_equal(seen(f, "shop.settings")->known, KNOWN_ATTESTED);
	assert_null(value_get(seen(f, "shop.settings")->facts, "use"));
	unmake(f);
}

static void what_only_people_know_is_added_to_what_is_read_for_one_run(void **state)
{
	struct fix *f = make(shop_one_env);
	const struct value *facts;

	(void)state;
	f->facts = fake_json(&f->s->arena, "{\"use\":\"new\",\"is_meant\":false}");
	look(f, NULL);
	facts = seen(f, "shop.settings")->facts;
	assert_int_equal(seen(f, "shop.settings")->known, KNOWN_API);
	assert_string_equal(value_text(value_get(facts, "use")), "old"); /* as it was read */
	assert_false(value_bool_or(value_get(facts, "is_meant"), true));
	f->known = KNOWN_JOURNAL; /* said for a run that has its receipt */
	look(f, NULL);
	assert_null(value_get(seen(f, "shop.settings")->facts, "is_meant"));
	unmake(f);
}

static void marks_come_with_each_round(void **state)
{
	struct fix *f = make(shop_one_env);
	struct view v;

	(void)state;
	f->marks = fake_json(&f->s->arena, "{\"restart.at\":9}");
	look(f, NULL);
	v = env_view(f->env, 123);
	assert_int_equal(view_mark_ms(&v, MARK_RESTART), 9);
	assert_int_equal(v.now_ms, 123);
	assert_string_equal(v.env, "dev");
	unmake(f);
}

static void a_write_while_observing_is_a_bug_and_not_sent(void **state)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(65536);
	struct fix *f;

	(void)state;
	sb_addn(&text, shop_one_env, strlen(shop_one_env) - 2);
	sb_add(&text, ", app: {sneaky: true}}\n");
	f = make(text.buf);
	look(f, NULL);
	assert_int_equal(seen(f, "shop.settings")->known, KNOWN_FAILED);
	assert_non_null(strstr(seen(f, "shop.settings")->why, "not sent"));
	assert_int_equal(fake_net_count(&f->s->net, "POST"), 0);
	unmake(f);
}

static void reading_that_would_mint_for_the_migrating_client_is_fenced(void **state)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(65536);
	struct fix *f;

	(void)state;
	sb_addn(&text, shop_one_env, strlen(shop_one_env) - 2);
	sb_add(&text, ", app: {mint: true}}\n");
	f = make(text.buf);
	look(f, NULL);
	assert_int_equal(seen(f, "ledger.book")->known, KNOWN_FENCED);
	assert_int_equal(fake_net_count(&f->s->net, "POST"), 0);
	assert_int_equal(f->s->w->clients[0].tool_mint_count, 0);
	unmake(f);
}

static void whether_secrets_resolve_is_known_without_running_commands(void **state)
{
	static const char text[] =
		"version: 1\n"
		"connections:\n"
		"  shop: {url: https://shop.example, auth: {kind: bearer, token: \"exec:login\"}}\n"
		"environments:\n"
		"  dev: {project: {id: p0}, credential: {client_id: c0, client_secret: env:NO_SUCH},\n"
		"    executors: {drop: api}}\n";
	static const char *const none[] = { NULL };
	struct fix *f = make(text);
	const struct observation *o;

	(void)state;
	f->s->secrets.list[4] = (struct fake_secret){ "exec:login", "x", 0, 0 };
	look(f, none);
	o = &f->env->seen[f->env->thing_count - 1];
	assert_string_equal(o->thing, "local.secret");
	assert_int_equal(o->known, KNOWN_API);
	assert_false(value_bool_or(value_get(o->facts, "credential.client_secret"), true));
	assert_true(value_bool_or(value_get(o->facts, "connections.shop.auth.token"), false));
	assert_int_equal(f->s->secrets.list[4].resolved, 0);
	unmake(f);
}

static void a_state_that_dies_in_the_middle_leaves_nothing_behind(void **state)
{
	struct fix *f = make(shop_one_env);

	(void)state;
	round_start(&f->ob, f->env, NULL, on_done, f);
	round_start(&f->ob, f->env, NULL, on_done, f);
	caller_pump(f->caller, 0);
	caller_free(f->caller);
	f->caller = NULL;
	unmake(f);
	assert_int_equal(f->done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_reads_what_plan_observes_and_notes_its_requests),
		cmocka_unit_test(a_round_of_some_things_reads_only_those),
		cmocka_unit_test(rounds_of_one_environment_run_one_after_the_other),
		cmocka_unit_test(what_was_refused_is_denied_and_what_broke_has_failed),
		cmocka_unit_test(what_needs_something_unknown_is_not_asked_for),
		cmocka_unit_test(somebodys_word_fills_only_what_cannot_be_read),
		cmocka_unit_test(an_attested_reading_is_laid_over_what_was_observed),
		cmocka_unit_test(what_only_people_know_is_added_to_what_is_read_for_one_run),
		cmocka_unit_test(marks_come_with_each_round),
		cmocka_unit_test(a_write_while_observing_is_a_bug_and_not_sent),
		cmocka_unit_test(reading_that_would_mint_for_the_migrating_client_is_fenced),
		cmocka_unit_test(whether_secrets_resolve_is_known_without_running_commands),
		cmocka_unit_test(a_state_that_dies_in_the_middle_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
