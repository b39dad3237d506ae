/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What drives a simulation: trouble, the disk, the wire, a whole case. Against a small world without a judge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/when.h"
#include "core/run/journal.h"
#include "core/sim/drive.h"
#include "core/sim/memory.h"
#include "core/sim/wire.h"
#include "providers/registry.h"
#include "tests/unit/small_scene.h"

#define ORIGIN "https://systems.example"

static const struct drive_text secrets[] = {
	{ "env:USER_TOKEN", "fake-user-token" },
	{ "env:BRIDGE_TOKEN", "fake-bridge-token" },
	{ "env:READER_SECRET", "fake-reader-secret" },
	{ "env:ENTRA_SECRET", "fake-entra-secret" },
	{ "file:secrets/dev", NULL },
};

static void play_small(struct small_scene *s, const struct trouble_fixed *fixed, size_t count,
		       bool values, struct drive_result *ret)
{
	struct drive_case c = {
		.registry = &registry_all,
		.rollout = small_rollout,
		.secrets = secrets,
		.secret_count = ARRAY_LEN(secrets),
		.seed = 1,
		.fixed = fixed,
		.fixed_count = count,
		.values = values,
		.calm = true,
		.is_told = true,
	};

	small_scene_init(s);
	c.scene = &s->scene;
	drive_play(&c, ret);
}

/* ---- trouble ---- */

static void a_schedule_is_read_as_it_was_written(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb out = SB_INIT(1000);
	struct trouble_fixed *fixed = NULL;
	size_t count = 0;
	struct troubles t = { .step = "planning" };

	(void)state;
	assert_true(troubles_read("lost:2 torn:1, 429:3", &a, &fixed, &count));
	assert_int_equal(count, 3);
	t.fixed = fixed;
	t.fixed_count = count;
	assert_int_equal(troubles_ask(&t, AT_EXCHANGE, 0, false, "x"), TROUBLE_NONE);
	assert_int_equal(troubles_ask(&t, AT_EXCHANGE, 0, false, "x"), TROUBLE_REPLY_LOST);
	assert_int_equal(troubles_ask(&t, AT_APPEND, 0, false, "x"), TROUBLE_TORN);
	assert_false(troubles_over(&t));
	assert_int_equal(troubles_ask(&t, AT_EXCHANGE, 0, false, "x"), TROUBLE_429);
	assert_true(troubles_over(&t));
	troubles_schedule(&t, &out);
	assert_string_equal(out.buf, "lost:2 torn:1 429:3");
	troubles_done(&t);
	assert_false(troubles_read("lost", &a, &fixed, &count));
	assert_false(troubles_read("lost:0", &a, &fixed, &count));
	assert_false(troubles_read("mislaid:1", &a, &fixed, &count));
}

static void a_stale_read_never_comes_to_a_write(void **state)
{
	const struct trouble_fixed fixed[] = { { TROUBLE_STALE, 1 }, { TROUBLE_STALE, 2 } };
	struct troubles t = { .fixed = fixed, .fixed_count = 2 };

	(void)state;
	assert_int_equal(troubles_ask(&t, AT_EXCHANGE, 0, false, "POST"), TROUBLE_NONE);
	assert_int_equal(troubles_ask(&t, AT_EXCHANGE, 0, true, "GET"), TROUBLE_STALE);
	assert_int_equal(t.past_count, 1);
	troubles_done(&t);
}

static void every_kind_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum trouble k = TROUBLE_NONE + 1; k < TROUBLE_COUNT; k++) {
		assert_non_null(trouble_kinds[k].name);
		assert_non_null(trouble_kinds[k].doc);
		assert_int_equal(trouble_named(trouble_kinds[k].name,
					       strlen(trouble_kinds[k].name)),
				 k);
	}
}

/* ---- the disk ---- */

struct disk {
	struct sim_clock clock;
	struct troubles troubles;
	struct arena arena;
	struct memory m;
};

static void open_disk(struct disk *d, const struct trouble_fixed *fixed, size_t count)
{
	*d = (struct disk){ .troubles = { .fixed = fixed, .fixed_count = count } };
	sim_clock_init(&d->clock, SMALL_START, 1);
	memory_init(&d->m, &d->clock, &d->troubles, NULL, &d->arena);
}

static void close_disk(struct disk *d)
{
	memory_done(&d->m);
	troubles_done(&d->troubles);
	arena_done(&d->arena);
}

static bool append(struct disk *d, const char *line)
{
	struct err err = ERR_INIT;

	return d->m.store.append(d->m.store.ctx, "log", line, strlen(line), &err) == 0;
}

static void assert_read(struct disk *d, const char *text)
{
	CLEANUP(sb_done) struct sb sb = SB_INIT(1000);
	struct err err = ERR_INIT;

	assert_int_equal(d->m.store.read_all(d->m.store.ctx, "log", &sb, &err), 0);
	assert_string_equal(sb.buf, text);
}

static void a_torn_line_is_not_read_and_the_next_one_takes_its_place(void **state)
{
	const struct trouble_fixed fixed[] = { { TROUBLE_TORN, 2 } };
	struct disk d;

	(void)state;
	open_disk(&d, fixed, 1);
	assert_true(append(&d, "one"));
	assert_false(append(&d, "torn"));
	assert_true(d.clock.killed);
	assert_string_equal(memory_text(&d.m, "log")->buf, "one\nto");
	assert_read(&d, "one\n");
	sim_clock_start_process(&d.clock);
	assert_true(append(&d, "two"));
	assert_read(&d, "one\ntwo\n");
	close_disk(&d);
}

static void a_killed_program_writes_nothing(void **state)
{
	const struct trouble_fixed fixed[] = { { TROUBLE_KILLED_AFTER, 1 } };
	CLEANUP(secret_freep) struct secret *secret = secret_new("fake-text", 9);
	struct err err = ERR_INIT;
	struct disk d;

	(void)state;
	open_disk(&d, fixed, 1);
	assert_false(append(&d, "written"));
	assert_false(append(&d, "not written"));
	assert_true(d.m.source.put(d.m.source.ctx, "file:s", secret, &err) < 0);
	assert_null(value_get(d.m.secrets, "file:s"));
	assert_int_equal(d.clock.sys.signalled(d.clock.sys.ctx), 2);
	assert_read(&d, "written\n");
	close_disk(&d);
}

static void a_full_disk_stays_full_until_the_command_has_ended(void **state)
{
	const struct trouble_fixed fixed[] = { { TROUBLE_FULL, 1 }, { TROUBLE_EIO_ONCE, 3 } };
	struct disk d;

	(void)state;
	open_disk(&d, fixed, 2);
	assert_false(append(&d, "a"));
	assert_false(append(&d, "b"));
	memory_start_process(&d.m);
	assert_true(append(&d, "c"));
	assert_false(append(&d, "d"));
	assert_true(append(&d, "e"));
	assert_read(&d, "c\ne\n");
	close_disk(&d);
}

/* ---- the wire ---- */

struct line {
	struct small_scene s;
	struct sim_clock clock;
	struct troubles troubles;
	struct sim_wire *wire;
	struct arena arena;
	struct exchange x;
	struct secret *token;
};

static void open_line(struct line *l, const struct trouble_fixed *fixed, size_t count)
{
	*l = (struct line){ .troubles = { .fixed = fixed, .fixed_count = count } };
	small_scene_init(&l->s);
	sim_clock_init(&l->clock, SMALL_START, 1);
	l->token = secret_new("fake-bridge-token", 17);
	l->wire = sim_wire_new(&(struct sim_wire_options){
		.scene = &l->s.scene, .clock = &l->clock, .troubles = &l->troubles, .seed = 1 });
}

static void close_line(struct line *l)
{
	sim_wire_free(l->wire);
	secret_free(l->token);
	troubles_done(&l->troubles);
	arena_done(&l->arena);
	small_scene_done(&l->s);
}

static struct exchange *ask(struct line *l, const char *method, const char *path)
{
	const struct transport *t = sim_wire_transport(l->wire);

	l->x = (struct exchange){
		.method = method,
		.url = arena_printf(&l->arena, ORIGIN "%s", path),
		.system = "bridge",
		.bearer = l->token,
		.timeout_ms = 65 * WHEN_SECOND,
		.body_max = 100000,
		.arena = &l->arena,
	};
	t->start(t->ctx, &l->x);
	return t->next(t->ctx, 100 * WHEN_SECOND);
}

static void an_exchange_goes_there_and_back(void **state)
{
	struct line l;

	(void)state;
	open_line(&l, NULL, 0);
	assert_ptr_equal(ask(&l, "GET", "/bridge/v1/apps/acme-dev/settings"), &l.x);
	assert_int_equal(l.x.result, SENT_OK);
	assert_int_equal(l.x.resp.status, 200);
	assert_string_equal(value_text(value_get(l.x.resp.body, "auth_type")), "jwt");
	assert_true(l.clock.now_ms > SMALL_START && l.clock.now_ms < SMALL_START + WHEN_SECOND);
	assert_true(l.x.resp.date_ms >= SMALL_START - WHEN_SECOND);
	assert_string_equal(http_resp_header(&l.x.resp, "content-type"), "application/json");
	assert_ptr_equal(ask(&l, "GET", "/nobody/here"), &l.x);
	assert_int_equal(l.x.resp.status, 404);
	l.x = (struct exchange){ .method = "GET",
				 .url = "https://elsewhere.example/x",
				 .system = "bridge",
				 .arena = &l.arena };
	sim_wire_transport(l.wire)->start(l.wire, &l.x);
	assert_ptr_equal(sim_wire_transport(l.wire)->next(l.wire, WHEN_MINUTE), &l.x);
	assert_int_equal(l.x.result, SENT_NEVER);
	close_line(&l);
}

static void each_trouble_gives_what_its_table_says(void **state)
{
	static const struct {
		enum trouble kind;
		enum transport_result result;
		int status;
		bool acts;
	} cases[] = {
		{ TROUBLE_NEVER_SENT, SENT_NEVER, 0, false },
		{ TROUBLE_REPLY_LOST, SENT_UNKNOWN, 0, true },
		{ TROUBLE_TIMEOUT_ACTED, SENT_UNKNOWN, 0, true },
		{ TROUBLE_TIMEOUT_UNSEEN, SENT_UNKNOWN, 0, false },
		{ TROUBLE_TRUNCATED, SENT_UNKNOWN, 0, true },
		{ TROUBLE_429, SENT_OK, 429, false },
		{ TROUBLE_500_UNSEEN, SENT_OK, 500, false },
		{ TROUBLE_500_ACTED, SENT_OK, 500, true },
		{ TROUBLE_503, SENT_OK, 503, false },
		{ TROUBLE_401, SENT_OK, 401, false },
		{ TROUBLE_GARBAGE, SENT_OK, 200, true },
		{ TROUBLE_HTML, SENT_OK, 200, false },
		{ TROUBLE_SLOW, SENT_OK, 202, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct trouble_fixed fixed[] = { { cases[i].kind, 1 } };
		struct line l;

		open_line(&l, fixed, 1);
		assert_ptr_equal(ask(&l, "POST", "/bridge/v1/apps/acme-dev/workflows/ingress/stop"),
				 &l.x);
		assert_int_equal(l.x.result, cases[i].result);
		assert_int_equal(l.s.answers, cases[i].acts);
		if (cases[i].result == SENT_OK)
			assert_int_equal(l.x.resp.status / 100, cases[i].status / 100);
		else
			assert_int_equal(l.x.err.code, E_TRANSPORT);
		if (cases[i].kind == TROUBLE_GARBAGE || cases[i].kind == TROUBLE_HTML)
			assert_null(l.x.resp.body);
		close_line(&l);
	}
}

static void after_a_kill_nothing_reaches_anybody(void **state)
{
	const struct trouble_fixed fixed[] = { { TROUBLE_KILLED_SENT, 1 } };
	struct line l;
	unsigned answers, heard;

	(void)state;
	open_line(&l, fixed, 1);
	assert_null(ask(&l, "POST", "/bridge/v1/apps/acme-dev/workflows/ingress/stop"));
	assert_true(l.clock.killed);
	assert_int_equal(l.s.answers, 1); /* it had been sent */
	answers = l.s.answers;
	heard = l.s.texts;
	assert_null(ask(&l, "POST", "/bridge/v1/apps/acme-dev/workflows/egress/stop"));
	assert_int_equal(l.s.answers, answers);
	assert_int_equal(l.s.texts, heard);
	close_line(&l);
}

static void waiting_moves_the_time_no_further_than_asked(void **state)
{
	struct line l;
	const struct transport *t;

	(void)state;
	open_line(&l, NULL, 0);
	t = sim_wire_transport(l.wire);
	assert_null(t->next(t->ctx, WHEN_MINUTE));
	assert_int_equal(l.clock.now_ms, SMALL_START + WHEN_MINUTE);
	sim_wire_sleep_until(l.wire, SMALL_START + WHEN_HOUR);
	sim_wire_catch_up(l.wire);
	assert_int_equal(world_now(l.s.world), SMALL_START + WHEN_HOUR);
	close_line(&l);
}

/* ---- a whole case ---- */

static void a_rollout_is_played_to_its_receipt(void **state)
{
	struct small_scene s;
	struct drive_result r;

	(void)state;
	play_small(&s, NULL, 0, false, &r);
	assert_null(r.violation);
	assert_int_equal(r.exit_status, 0);
	assert_int_equal(r.planned_status, 0);
	assert_int_equal(s.settled, 1);
	assert_int_equal(s.begins, s.ends);
	assert_null(s.seen_secret);
	assert_non_null(strstr(r.journal.buf, "\"type\":\"receipt\""));
	drive_result_done(&r);
	small_scene_done(&s);
}

static void the_same_case_gives_the_same_bytes(void **state)
{
	const struct trouble_fixed fixed[] = { { TROUBLE_REPLY_LOST, 30 }, { TROUBLE_TORN, 9 } };
	struct small_scene s1, s2;
	struct drive_result r1, r2;

	(void)state;
	play_small(&s1, fixed, 2, false, &r1);
	play_small(&s2, fixed, 2, false, &r2);
	assert_int_equal(r1.troubles.past_count, 2);
	assert_string_equal(r1.journal.buf, r2.journal.buf);
	assert_string_equal(r1.told.buf, r2.told.buf);
	assert_int_equal(r1.span_ms, r2.span_ms);
	drive_result_done(&r1);
	drive_result_done(&r2);
	small_scene_done(&s1);
	small_scene_done(&s2);
}

static void bodies_as_values_come_to_the_same_end(void **state)
{
	struct small_scene s1, s2;
	struct drive_result r1, r2;

	(void)state;
	play_small(&s1, NULL, 0, false, &r1);
	play_small(&s2, NULL, 0, true, &r2);
	assert_int_equal(r1.exchanges, r2.exchanges);
	assert_int_equal(r1.records, r2.records);
	assert_int_equal(r2.exit_status, 0);
	drive_result_done(&r1);
	drive_result_done(&r2);
	small_scene_done(&s1);
	small_scene_done(&s2);
}

static void a_violation_ends_the_case(void **state)
{
	struct small_scene s;
	struct drive_result r;
	struct drive_case c = {
		.registry = &registry_all,
		.rollout = small_rollout,
		.secrets = secrets,
		.secret_count = ARRAY_LEN(secrets),
		.seed = 1,
		.calm = true,
	};

	(void)state;
	small_scene_init(&s);
	s.verdict = "(b) twice";
	c.scene = &s.scene;
	drive_play(&c, &r);
	assert_string_equal(r.violation, "(b) twice");
	assert_int_equal(r.applies, 1);
	assert_int_equal(s.settled, 0);
	drive_result_done(&r);
	small_scene_done(&s);
}

static void a_kill_at_any_record_comes_to_the_same_end(void **state)
{
	static const enum trouble kinds[] = { TROUBLE_KILLED_BEFORE, TROUBLE_KILLED_AFTER,
					      TROUBLE_TORN };

	(void)state;
	for (uint64_t n = 1; n <= 25; n++) {
		const struct trouble_fixed fixed[] = { { kinds[n % 3], n } };
		struct small_scene s;
		struct drive_result r;

		play_small(&s, fixed, 1, false, &r);
		assert_int_equal(r.kills, 1);
		assert_int_equal(r.exit_status, 0);
		assert_int_equal(r.planned_status, 0);
		drive_result_done(&r);
		small_scene_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_schedule_is_read_as_it_was_written),
		cmocka_unit_test(a_stale_read_never_comes_to_a_write),
		cmocka_unit_test(every_kind_has_a_name_of_its_own),
		cmocka_unit_test(a_torn_line_is_not_read_and_the_next_one_takes_its_place),
		cmocka_unit_test(a_killed_program_writes_nothing),
		cmocka_unit_test(a_full_disk_stays_full_until_the_command_has_ended),
		cmocka_unit_test(an_exchange_goes_there_and_back),
		cmocka_unit_test(each_trouble_gives_what_its_table_says),
		cmocka_unit_test(after_a_kill_nothing_reaches_anybody),
		cmocka_unit_test(waiting_moves_the_time_no_further_than_asked),
		cmocka_unit_test(a_rollout_is_played_to_its_receipt),
		cmocka_unit_test(the_same_case_gives_the_same_bytes),
		cmocka_unit_test(bodies_as_values_come_to_the_same_end),
		cmocka_unit_test(a_violation_ends_the_case),
		cmocka_unit_test(a_kill_at_any_record_comes_to_the_same_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
