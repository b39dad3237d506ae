/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/run/planner.h"
#include "tests/unit/fake_shop.h"

struct fix {
	struct shop *s;
	struct caller *caller;
	struct observer ob;
	struct planner_options o;
	struct arena a;
};

static struct fix *make(const char *text)
{
	static struct fix f;

	f = (struct fix){ .s = shop_new(text), .a = ARENA_INIT };
	f.s->clocks = (struct clocks){ .sys = &f.s->sys };
	f.caller = caller_new(&f.s->calls);
	f.ob = (struct observer){ f.caller, &f.s->calls, NULL };
	f.o = (struct planner_options){ .observer = &f.ob, .envs = f.s->envs };
	return &f;
}

static void unmake(struct fix *f)
{
	caller_free(f->caller);
	arena_done(&f->a);
	shop_free(f->s);
}

static struct plan *run(struct fix *f)
{
	struct plan *p = NULL;
	size_t chain = 0;
	struct err err = ERR_INIT;

	assert_int_equal(planner_run(&f->o, &f->a, &p, &chain, &err), 0);
	assert_true(chain <= 5); /* retries count */
	return p;
}

static void a_plan_is_made_from_reads_alone_and_lists_them(void **state)
{
	struct fix *f = make(shop_two_envs);
	struct plan *p = run(f);

	(void)state;
	assert_int_equal(p->env_count, 2);
	assert_string_equal(p->envs[0].env->name, "dev");
	assert_int_equal(p->envs[0].outlook, OUTLOOK_CHANGES);
	assert_int_equal(p->step_count, 12);
	assert_int_equal(fake_net_count(&f->s->net, "GET "), f->s->net.exchanges);
	assert_int_equal(value_count(p->envs[0].requests) + value_count(p->envs[1].requests),
			 f->s->net.exchanges);
	assert_int_equal(f->s->w->appends, 0);
	assert_true(p->made_ms >= FAKE_START);
	unmake(f);
}

static void the_window_changes_nothing_but_the_pace(void **state)
{
	static const size_t windows[] = { 1, 2, 0, 1000 };
	CLEANUP(sb_done) struct sb text = SB_INIT(1 << 20);
	char intent[65] = "", observed[65];

	(void)state;
	sb_add(&text,
	       "version: 1\nconnections:\n"
	       "  shop: {url: https://shop.example, auth: {kind: bearer, token: env:SHOP_TOKEN}}\n"
	       "defaults: {executors: {drop: api}}\nenvironments:\n");
	for (int i = 0; i < SHOP_PROJECTS; i++)
		sb_addf(&text, "  e%d: {project: {id: p%d}, credential: {client_id: c%d}}\n", i, i,
			i);
	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		struct fix *f = make(text.buf);
		struct plan *p;

		f->o.window = windows[i];
		p = run(f);
		plan_to_value(p);
		assert_int_equal(p->env_count, SHOP_PROJECTS);
		for (size_t k = 0; k < p->env_count; k++)
			assert_int_equal(p->envs[k].env->index,
					 k); /* file order, whatever came first */
		if (intent[0]) {
			assert_string_equal(p->intent_digest, intent);
			assert_string_equal(p->observed_digest, observed);
		}
		memcpy(intent, p->intent_digest, sizeof(intent));
		memcpy(observed, p->observed_digest, sizeof(observed));
		unmake(f);
	}
}

static void what_could_not_be_read_is_in_the_plan_and_stops_no_other(void **state)
{
	struct fix *f = make(shop_two_envs);
	struct plan *p;

	(void)state;
	f->s->fault = FAULT_503;
	f->s->fault_on = "/p/p0/settings$";
	f->s->fault_times = 100;
	p = run(f);
	assert_int_equal(p->envs[0].outlook, OUTLOOK_FAILED);
	assert_non_null(strstr(p->envs[0].error, "503"));
	assert_int_equal(p->envs[1].outlook, OUTLOOK_CHANGES);
	assert_int_equal(plan_exit_status(p), 1);
	unmake(f);
}

static void what_nobody_can_read_has_to_be_attested(void **state)
{
	struct fix *f = make(shop_one_env);
	struct plan *p;

	(void)state;
	f->s->w->projects[0].settings_denied = true;
	p = run(f);
	assert_int_equal(p->envs[0].outlook, OUTLOOK_ATTEST);
	assert_int_equal(p->step_count, 0);
	assert_int_equal(plan_exit_status(p), 3);
	unmake(f);
}

static void a_plan_mints_nothing_for_a_client_that_is_migrated(void **state)
{
	static const char text[] =
		"version: 1\n"
		"connections:\n"
		"  shop: {url: https://shop.example, auth: {kind: client_credentials, client_id: c0,\n"
		"    client_secret: env:APP_SECRET}}\n"
		"environments:\n"
		"  dev: {project: {id: p0}, credential: {client_id: c0}, executors: {drop: api}}\n";
	struct fix *f = make(text);
	struct plan *p = run(f);

	(void)state;
	assert_int_equal(f->s->net.exchanges, 0);
	assert_int_equal(p->envs[0].outlook, OUTLOOK_ATTEST);
	unmake(f);
}

static void a_token_of_another_client_is_minted_and_said_in_the_plan(void **state)
{
	static const char text[] =
		"version: 1\n"
		"connections:\n"
		"  shop: {url: https://shop.example, auth: {kind: client_credentials, client_id: reader,\n"
		"    client_secret: env:OTHER_SECRET}}\n"
		"environments:\n"
		"  dev: {project: {id: p0}, credential: {client_id: c0}, executors: {drop: api}}\n";
	struct fix *f = make(text);
	struct plan *p = run(f);

	(void)state;
	assert_int_equal(p->envs[0].outlook, OUTLOOK_CHANGES);
	assert_int_equal(fake_net_count(&f->s->net, "POST https://till.example/token"), 1);
	assert_int_equal(value_count(p->tokens), 1);
	unmake(f);
}

static void a_signal_ends_it_and_leaves_nothing_behind(void **state)
{
	struct fix *f = make(shop_two_envs);
	struct plan *p = NULL;
	struct err err = ERR_INIT;

	(void)state;
	f->s->w->delay_ms = 5000;
	f->s->w->clock.signal_at_ms = 900;
	assert_int_equal(planner_run(&f->o, &f->a, &p, NULL, &err), -E_SIGNAL);
	assert_null(p);
	unmake(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_is_made_from_reads_alone_and_lists_them),
		cmocka_unit_test(the_window_changes_nothing_but_the_pace),
		cmocka_unit_test(what_could_not_be_read_is_in_the_plan_and_stops_no_other),
		cmocka_unit_test(what_nobody_can_read_has_to_be_attested),
		cmocka_unit_test(a_plan_mints_nothing_for_a_client_that_is_migrated),
		cmocka_unit_test(a_token_of_another_client_is_minted_and_said_in_the_plan),
		cmocka_unit_test(a_signal_ends_it_and_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
