/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rehearsal: which disturbances it makes, what it finds, and that it can find something. Against a small world whose judge says what a test wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/io/json.h"
#include "core/report/text_rehearsal.h"
#include "core/sim/rehearsal.h"
#include "providers/registry.h"
#include "tests/unit/small_scene.h"

static const struct drive_text secrets[] = {
	{ "env:USER_TOKEN", "fake-user-token" },
	{ "env:BRIDGE_TOKEN", "fake-bridge-token" },
	{ "env:READER_SECRET", "fake-reader-secret" },
	{ "env:ENTRA_SECRET", "fake-entra-secret" },
	{ "file:secrets/dev", NULL },
};

struct theatre {
	struct small_scene s;
	struct scene scene; /* the small one, and a judge */
	bool strict;        /* a kill is a violation */
	unsigned opened, closed;
	unsigned stop_after; /* 0: never */
};

static const char *verdict(void *ctx)
{
	const struct small_scene *s = ctx;
	const struct theatre *t = (const struct theatre *)(const void *)s;

	return t->strict && s->kills ? "(x) it was killed" : NULL;
}

static int open_theatre(void *ctx, enum lapse lapse, const char *address, struct drive_case *ret,
			struct err *err)
{
	struct theatre *t = ctx;

	(void)lapse;
	(void)address;
	(void)err;
	t->opened++;
	small_scene_init(&t->s);
	t->scene = t->s.scene;
	t->scene.verdict = verdict;
	*ret = (struct drive_case){ .scene = &t->scene,
				    .registry = &registry_all,
				    .rollout = small_rollout,
				    .secrets = secrets,
				    .secret_count = ARRAY_LEN(secrets) };
	return 0;
}

static bool close_theatre(void *ctx)
{
	struct theatre *t = ctx;

	t->closed++;
	small_scene_done(&t->s);
	return false;
}

static bool stops(void *ctx)
{
	const struct theatre *t = ctx;

	return t->stop_after && t->closed >= t->stop_after;
}

static struct value *rehearse(struct theatre *t, size_t plays_max, struct arena *a)
{
	const struct rehearsal_options o = { .ctx = t,
					     .open = open_theatre,
					     .close = close_theatre,
					     .stop = stops,
					     .seed = 7,
					     .plays_max = plays_max };
	struct err err = ERR_INIT;
	struct value *doc = NULL;

	if (rehearsal_play(&o, a, &doc, &err) < 0)
		assert_int_equal(err.code, E_SIGNAL);
	assert_int_equal(t->opened, t->closed);
	return doc;
}

static const char *cell(const struct value *doc, const char *step, const char *column)
{
	const struct value *rows = value_path(doc, "faults.rows");

	for (size_t i = 0; i < value_count(rows); i++) {
		const struct value *row = value_at(rows, i);

		if (strcmp(value_text(value_get(row, "step")), step) == 0)
			return value_text(
				value_get(value_get(value_get(row, "cells"), column), "verdict"));
	}
	fail_msg("no row for %s", step);
	return NULL;
}

static void a_sound_rollout_has_a_full_table(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct theatre t = { .strict = false };
	struct value *doc = rehearse(&t, 0, &a);
	const struct value *rows = value_path(doc, "faults.rows");

	(void)state;
	assert_string_equal(value_text(value_get(doc, "verdict")), "sound");
	assert_int_equal(value_int_or(value_get(doc, "exit_status"), -1), 0);
	assert_int_equal(value_count(rows), value_count(value_get(doc, "steps")) + 1);
	assert_string_equal(cell(doc, "dev/app.settings/switch", "lost"), "sound");
	assert_string_equal(cell(doc, "dev/app.settings/switch", "kill"), "sound");
	assert_string_equal(cell(doc, "dev/console.secret/bring", "disk"), "sound");
	assert_string_equal(cell(doc, "dev/app.settings/switch", "who"), "none");
	assert_string_equal(cell(doc, "planning", "kill"), "sound");
	assert_int_equal(value_int_or(value_path(doc, "faults.played"), 0),
			 value_int_or(value_path(doc, "faults.of"), -1));
	assert_true(t.closed > 200);
	/* Finalizing begins no earlier than the plan says. */
	assert_true(value_int_or(value_path(value_at(value_get(doc, "no_return"), 0), "began_ms"),
				 0) >= 24 * 3600 * 1000);
}

static void what_must_never_be_is_found_and_can_be_seen_again(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX), told = SB_INIT(SB_TEXT_MAX);
	const struct report_style style = { .width = 120 };
	struct theatre t = { .strict = true };
	struct value *doc = rehearse(&t, 0, &a);
	const struct value *bad = value_at(value_get(doc, "violations"), 0);
	const struct rehearsal_options o = {
		.ctx = &t, .open = open_theatre, .close = close_theatre, .seed = 7
	};
	struct err err = ERR_INIT;
	struct disturbance d;
	int status = -1;

	(void)state;
	assert_string_equal(value_text(value_get(doc, "verdict")), "violated");
	assert_int_equal(value_int_or(value_get(doc, "exit_status"), -1), 1);
	assert_string_equal(cell(doc, "dev/app.settings/switch", "kill"), "violated");
	assert_string_equal(cell(doc, "dev/app.settings/switch", "429"), "sound");
	report_rehearsal_text(doc, &style, &text);
	assert_non_null(strstr(text.buf, "BAD  "));
	assert_non_null(strstr(text.buf, "(x) it was killed"));
	assert_true(disturbance_read(value_text(value_get(bad, "schedule")), &a, &d));
	assert_int_equal(rehearsal_tell(&o, &d, &told, &status, &err), 0);
	assert_int_equal(status, 1);
	assert_non_null(strstr(told.buf, "(x) it was killed"));
}

static void one_seed_gives_one_document_and_a_sample_is_one(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb one = SB_INIT(SB_TEXT_MAX), two = SB_INIT(SB_TEXT_MAX);
	struct theatre t = { .strict = false };
	struct value *doc = rehearse(&t, 20, &a);

	(void)state;
	json_write(&one, doc, JSON_CANONICAL, NULL);
	json_write(&two, rehearse(&t, 20, &a), JSON_CANONICAL, NULL);
	assert_string_equal(one.buf, two.buf);
	assert_true(value_int_or(value_path(doc, "faults.played"), 0) <= 20);
	assert_true(value_int_or(value_path(doc, "faults.played"), 0) > 10);
	assert_true(value_int_or(value_path(doc, "faults.of"), 0) > 200);
}

static void who_interrupts_gets_no_document(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct theatre t = { .stop_after = 3 };

	(void)state;
	assert_null(rehearse(&t, 0, &a));
	assert_int_equal(t.closed, 3);
}

static void a_disturbance_is_read_as_it_was_written(void **state)
{
	static const char *const good[] = { "lost:17", "torn:3", "slow-person@dev/x/y",
					    "wrong-secret@a+b/app.settings/switch" };
	static const char *const bad[] = {
		"", "lost", "lost:0", "lost:1 lost:2", "nobody@dev/x/y", "none@dev/x/y", "mislaid:1"
	};
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct disturbance d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		CLEANUP(sb_done) struct sb out = SB_INIT(1000);

		assert_true(disturbance_read(good[i], &a, &d));
		disturbance_text(&d, &out);
		assert_string_equal(out.buf, good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(disturbance_read(bad[i], &a, &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_rollout_has_a_full_table),
		cmocka_unit_test(what_must_never_be_is_found_and_can_be_seen_again),
		cmocka_unit_test(one_seed_gives_one_document_and_a_sample_is_one),
		cmocka_unit_test(who_interrupts_gets_no_document),
		cmocka_unit_test(a_disturbance_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
