/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/run/history.h"
#include "tests/unit/fake_transport.h"

struct fix {
	struct arena a;
	struct history h;
};

static struct fix *make(void)
{
	static struct fix f;

	f = (struct fix){ .a = ARENA_INIT };
	history_init(&f.h, &f.a);
	return &f;
}

static int try_fold(struct fix *f, const char *json, struct err *err)
{
	*err = (struct err)ERR_INIT;
	return history_fold(&f->h, fake_json(&f->a, json), err);
}

static void fold(struct fix *f, const char *json)
{
	struct err err;

	if (try_fold(f, json, &err) < 0)
		fail_msg("%s: %s", json, err.msg);
}

static void begin(struct fix *f, const char *id, const char *envs)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(4096);

	sb_addf(&text,
		"{\"type\":\"run\",\"run\":\"%s\",\"salt\":\"s\",\"rollout_digest\":\"d\",\"at\":\"t\",\"plan\":{"
		"\"environments\":[%s]}}",
		id, envs);
	fold(f, text.buf);
}

#define DEV "{\"name\":\"dev\"}"
#define STAGE "{\"name\":\"stage\"}"
#define STEP(type, more)                                                                           \
	"{\"type\":\"" type                                                                        \
	"\",\"run\":\"r1\",\"step\":\"dev/a/b\",\"environments\":[\"dev\"]" more "}"

static struct past_step *step_of(struct fix *f)
{
	return history_step(&f->h, history_run(&f->h, "r1"), "dev/a/b");
}

static void an_open_run_is_found_by_its_environments_until_it_ends(void **state)
{
	struct fix *f = make();

	(void)state;
	assert_null(history_open_run(&f->h, "dev"));
	begin(f, "r1", DEV "," STAGE);
	assert_string_equal(history_open_run(&f->h, "dev")->id, "r1");
	assert_string_equal(history_open_run(&f->h, "stage")->id, "r1");
	assert_null(history_open_run(&f->h, "prod"));
	fold(f, "{\"type\":\"abandon\",\"run\":\"r1\"}");
	assert_null(history_open_run(&f->h, "dev"));
	assert_string_equal(history_run(&f->h, "r1")->ended, "abandoned");
	begin(f, "r2", DEV);
	fold(f, "{\"type\":\"receipt\",\"run\":\"r2\"}");
	assert_string_equal(history_run(&f->h, "r2")->ended, "receipt");
	assert_null(history_run(&f->h, "r3"));
	assert_null(history_run(&f->h, NULL));
	history_done(&f->h);
	arena_done(&f->a);
}

static void a_run_that_is_given_up_notes_what_it_had_begun(void **state)
{
	struct fix *f = make();
	const struct value *marks;

	(void)state;
	begin(f, "r1", DEV);
	fold(f, STEP("intent", ",\"nonce\":\"n\""));
	fold(f,
	     "{\"type\":\"ask\",\"run\":\"r1\",\"step\":\"dev/a/c\",\"environments\":[\"dev\"],\"is_act\":true}");
	fold(f,
	     "{\"type\":\"ask\",\"run\":\"r1\",\"step\":\"dev/a/d\",\"environments\":[\"dev\"],\"is_act\":false}");
	fold(f,
	     "{\"type\":\"intent\",\"run\":\"r1\",\"step\":\"dev/a/e\",\"environments\":[\"dev\"]}");
	fold(f,
	     "{\"type\":\"outcome\",\"run\":\"r1\",\"step\":\"dev/a/e\",\"environments\":[\"dev\"],\"ok\":true}");
	fold(f, "{\"type\":\"abandon\",\"run\":\"r1\",\"at\":\"t9\"}");
	marks = history_marks(history_marked_run(&f->h, "dev"), "dev");
	assert_string_equal(value_text(value_get(marks, "a/b.left_open")), "t9");
	assert_non_null(value_get(marks, "a/c.left_open"));
	assert_null(value_get(marks, "a/d.left_open")); /* asked to read only */
	assert_null(value_get(marks, "a/e.left_open"));
	assert_null(history_marked_run(&f->h, "stage"));
	history_done(&f->h);
	arena_done(&f->a);
}

static void an_environment_that_leaves_is_in_its_run_no_more(void **state)
{
	struct fix *f = make();
	struct past_run *run = NULL;

	(void)state;
	begin(f, "r1", DEV "," STAGE);
	fold(f, STEP("ask", ",\"nonce\":\"n\",\"is_act\":true,\"now_ms\":5"));
	assert_non_null(history_asking(&f->h, "dev/a/b", &run));
	fold(f, "{\"type\":\"leave\",\"run\":\"r1\",\"environments\":[\"dev\"],\"why\":\"w\"}");
	assert_null(history_open_run(&f->h, "dev"));
	assert_string_equal(history_open_run(&f->h, "stage")->id, "r1");
	assert_true(history_has_left(history_run(&f->h, "r1"), "dev"));
	assert_true(history_step_is_left(history_run(&f->h, "r1"), "dev/a/b"));
	assert_true(history_step_is_left(history_run(&f->h, "r1"), "stage+dev/a/b"));
	assert_false(history_step_is_left(history_run(&f->h, "r1"), "stage/dev/b"));
	assert_false(history_step_is_left(history_run(&f->h, "r1"), "dev2/a/b"));
	/* What it was asked there is nobody's question any more. */
	assert_null(history_asking(&f->h, "dev/a/b", &run));
	fold(f, "{\"type\":\"leave\",\"run\":\"r1\",\"environments\":[\"stage\"],\"why\":\"w\"}");
	assert_false(history_run(&f->h, "r1")->is_open);
	assert_string_equal(history_run(&f->h, "r1")->ended, "left");
	history_done(&f->h);
	arena_done(&f->a);
}

static void a_new_run_takes_its_environments_out_of_the_open_ones(void **state)
{
	struct fix *f = make();

	(void)state;
	begin(f, "r1", DEV "," STAGE);
	fold(f,
	     "{\"type\":\"run\",\"run\":\"r2\",\"at\":\"t\",\"plan\":{\"direction\":\"back\",\"environments\":[" DEV
	     "]},\"marks\":{\"dev\":{\"restart.before\":{\"x\":\"UP\"}}}}");
	assert_string_equal(history_open_run(&f->h, "dev")->id, "r2");
	assert_string_equal(history_open_run(&f->h, "stage")->id, "r1");
	assert_true(history_run(&f->h, "r2")->is_back);
	assert_false(history_run(&f->h, "r1")->is_back);
	assert_string_equal(value_text(value_get(value_get(history_marks(history_run(&f->h, "r2"),
									 "dev"),
							   "restart.before"),
						 "x")),
			    "UP");
	/* Also where nothing tells of the leaving itself, since the program was killed before it was written. */
	fold(f, "{\"type\":\"receipt\",\"run\":\"r2\"}");
	assert_null(history_open_run(&f->h, "dev"));
	history_done(&f->h);
	arena_done(&f->a);
}

static void what_was_before_a_step_is_known_from_its_intent_on(void **state)
{
	struct fix *f = make();

	(void)state;
	begin(f, "r1", DEV);
	fold(f, STEP("intent", ",\"nonce\":\"n\",\"marks\":{\"restart.before\":{\"x\":\"UP\"}}"));
	assert_non_null(
		value_get(history_marks(history_run(&f->h, "r1"), "dev"), "restart.before"));
	history_done(&f->h);
	arena_done(&f->a);
}

static void mints_of_all_runs_are_ours(void **state)
{
	struct fix *f = make();
	size_t n = 0;
	struct mint *all;

	(void)state;
	begin(f, "r1", DEV);
	fold(f, "{\"type\":\"mint\",\"run\":\"r1\",\"client\":\"c\",\"from_ms\":1,\"to_ms\":2}");
	fold(f, "{\"type\":\"abandon\",\"run\":\"r1\"}");
	begin(f, "r2", DEV);
	fold(f, "{\"type\":\"mint\",\"run\":\"r2\",\"client\":\"c\",\"from_ms\":5,\"to_ms\":6}");
	all = history_mints(&f->h, &f->a, &n);
	assert_int_equal(n, 2);
	assert_int_equal(all[0].to_ms, 2);
	assert_int_equal(all[1].from_ms, 5);
	history_done(&f->h);
	arena_done(&f->a);
}

static void an_intent_stands_open_until_its_outcome(void **state)
{
	struct fix *f = make();

	(void)state;
	begin(f, "r1", DEV);
	assert_false(step_of(f)->has_intent);
	fold(f, STEP("intent", ",\"nonce\":\"n1\",\"now_ms\":10,\"before\":{\"x\":1}"));
	assert_true(step_of(f)->has_intent);
	assert_int_equal(step_of(f)->from_ms, 10);
	fold(f, STEP("outcome", ",\"ok\":false"));
	assert_false(step_of(f)->has_intent);
	assert_false(step_of(f)->has_acted);
	fold(f, STEP("intent", ",\"nonce\":\"n2\",\"now_ms\":20,\"before\":{\"x\":2}"));
	assert_int_equal(step_of(f)->from_ms, 10); /* the first one's */
	assert_int_equal(value_int_or(value_get(step_of(f)->before, "x"), 0), 1);
	assert_string_equal(step_of(f)->nonce, "n2");
	fold(f, STEP("outcome", ",\"ok\":true,\"marks\":{\"restart.at\":30}"));
	assert_true(step_of(f)->has_acted);
	assert_int_equal(value_int_or(value_get(history_marks(history_run(&f->h, "r1"), "dev"),
						"restart.at"),
				      0),
			 30);
	assert_null(history_marks(history_run(&f->h, "r1"), "stage"));
	assert_null(history_marks(NULL, "dev"));
	fold(f, STEP("step", ",\"result\":\"already\""));
	assert_true(step_of(f)->is_done);
	assert_string_equal(step_of(f)->result, "already");
	history_done(&f->h);
	arena_done(&f->a);
}

static const struct past_gate *look(struct fix *f, int at, const char *seen)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(4096);

	sb_addf(&text,
		STEP("sample",
		     ",\"environment\":\"dev\",\"gate\":\"g\",\"verdict\":\"wait\",\"saw\":\"s\",\"now_ms\":%d,"
		     "\"seen\":[{\"thing\":\"t\",\"known\":\"api\",\"server_ms\":%d,\"facts\":%s}]"),
		at, at, seen);
	fold(f, text.buf);
	return history_gate(&f->h, step_of(f), "dev", "g");
}

static void of_samples_that_saw_the_same_the_first_and_the_last_stay(void **state)
{
	struct fix *f = make();
	const struct past_gate *g = NULL;

	(void)state;
	begin(f, "r1", DEV);
	for (int i = 1; i <= 5; i++)
		g = look(f, i, "{\"n\":1}");
	g = look(f, 6, "{\"n\":2}");
	g = look(f, 7, "{\"n\":1}");
	assert_int_equal(g->count, 7);
	assert_int_equal(g->first_ms, 1);
	assert_int_equal(g->last_ms, 7);
	assert_int_equal(g->kept, 4);
	assert_int_equal(g->samples[0].now_ms, 1);
	assert_int_equal(g->samples[1].now_ms, 5);
	assert_string_equal(g->samples[1].times, "[5]");
	assert_int_equal(g->samples[2].now_ms, 6);
	assert_int_equal(g->samples[3].now_ms, 7);

	fold(f, STEP("step", ",\"result\":\"done\""));
	g = history_gate(&f->h, step_of(f), "dev", "g");
	assert_int_equal(g->kept, 0);
	assert_int_equal(g->count, 7);
	assert_string_equal(g->verdict, "wait");
	history_done(&f->h);
	arena_done(&f->a);
}

static void samples_that_differ_are_kept_up_to_a_limit(void **state)
{
	struct fix *f = make();
	const struct past_gate *g = NULL;
	char facts[32];

	(void)state;
	begin(f, "r1", DEV);
	for (int i = 1; i <= (int)SAMPLES_KEPT + 3; i++) {
		snprintf(facts, sizeof(facts), "{\"n\":%d}", i);
		g = look(f, i, facts);
	}
	assert_int_equal(g->kept, SAMPLES_KEPT);
	assert_int_equal(g->samples[0].now_ms, 4);
	assert_int_equal(g->count, SAMPLES_KEPT + 3);
	history_done(&f->h);
	arena_done(&f->a);
}

/* In an arena of its own, which dies: a sanitizer sees whatever still points there. */
static void fold_and_forget(struct fix *f, const char *json)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;

	if (history_fold(&f->h, fake_json(&a, json), &err) < 0)
		fail_msg("%s: %s", json, err.msg);
	arena_done(&a);
}

static void nothing_but_a_run_is_needed_after_it_was_folded(void **state)
{
	struct fix *f = make();
	const struct past_step *s;
	const struct past_run *r;

	(void)state;
	begin(f, "r1", DEV);
	fold_and_forget(f, STEP("intent", ",\"nonce\":\"n1\",\"before\":{\"x\":1},\"now_ms\":5,"
					  "\"marks\":{\"m.before\":{\"y\":2}}"));
	fold_and_forget(f, STEP("outcome", ",\"ok\":true,\"how\":\"api\",\"by\":\"ann\",\"marks\":"
					   "{\"m.at\":7},\"effects\":{\"t\":{\"z\":3}}"));
	fold_and_forget(f, STEP("ask", ",\"nonce\":\"n2\",\"thing\":\"t\",\"now_ms\":8"));
	fold_and_forget(f,
			STEP("ack", ",\"ack_id\":\"a1\",\"thing\":\"t\",\"by\":\"bob\",\"facts\":"
				    "{\"z\":4},\"said_at_ms\":9,\"attested\":{\"last_used\":1}"));
	fold_and_forget(
		f, "{\"type\":\"mint\",\"run\":\"r1\",\"client\":\"c\",\"from_ms\":1,\"to_ms\":2}");
	assert_int_equal(value_int_or(value_get(step_of(f)->before, "x"), 0), 1);
	fold_and_forget(f, STEP("step", ",\"result\":\"done\",\"now_ms\":11"));
	fold_and_forget(
		f, "{\"type\":\"suspend\",\"run\":\"r1\",\"waits\":{\"dev/a/b\":{\"for\":\"w\"}}}");
	s = step_of(f);
	r = history_run(&f->h, "r1");
	assert_string_equal(s->nonce, "n1");
	assert_null(s->before); /* for whoever acts once more: no one does now */
	assert_string_equal(s->how, "api");
	assert_string_equal(s->by, "ann");
	assert_string_equal(s->ask_thing, "t");
	assert_string_equal(value_text_or(value_get(s->ack, "by"), ""), "bob");
	assert_string_equal(s->result, "done");
	assert_string_equal(value_text_or(value_at(s->envs, 0), ""), "dev");
	assert_int_equal(value_int_or(value_path(value_get(history_marks(r, "dev"), "m.before"),
						 "y"),
				      0),
			 2);
	assert_string_equal(r->mints[0].client_id, "c");
	assert_non_null(value_get(f->h.acks_seen, "a1"));
	assert_int_equal(value_int_or(value_path(value_get(f->h.said, "dev t"), "facts.z"), 0), 4);
	assert_int_equal(value_int_or(value_path(value_get(f->h.overlays, "dev t"),
						 "attested.last_used"),
				      0),
			 1);
	assert_string_equal(value_text_or(value_get(value_get(value_get(r->suspended, "waits"),
							      "dev/a/b"),
						    "for"),
					  ""),
			    "w");
	history_done(&f->h);
	arena_done(&f->a);
}

static void a_failed_step_is_asked_anew_with_fresh_samples(void **state)
{
	struct fix *f = make();
	struct past_gate *g;

	(void)state;
	begin(f, "r1", DEV);
	fold(f,
	     STEP("sample",
		  ",\"environment\":\"dev\",\"gate\":\"g\",\"opened_ms\":5,\"verdict\":\"wait\""));
	fold(f,
	     STEP("sample",
		  ",\"environment\":\"dev\",\"gate\":\"g\",\"opened_ms\":9,\"verdict\":\"wait\""));
	g = history_gate(&f->h, step_of(f), "dev", "g");
	assert_int_equal(g->count, 2);
	assert_int_equal(g->opened_ms, 5);
	assert_int_equal(history_gate(&f->h, step_of(f), "dev", "other")->count, 0);
	fold(f, STEP("failed", ",\"why\":\"because\""));
	assert_true(step_of(f)->has_failed);
	assert_string_equal(step_of(f)->failure, "because");
	assert_int_equal(history_gate(&f->h, step_of(f), "dev", "g")->count, 0);
	history_done(&f->h);
	arena_done(&f->a);
}

static void what_a_gate_noted_holds_only_for_the_environment_it_looked_at(void **state)
{
	struct fix *f = make();
	const struct past_run *r;

	(void)state;
	begin(f, "r1", DEV "," STAGE);
	fold(f,
	     "{\"type\":\"sample\",\"run\":\"r1\",\"step\":\"dev+stage/a/b\",\"environments\":[\"dev\",\"stage\"],"
	     "\"environment\":\"dev\",\"gate\":\"g\",\"marks\":{\"oauth_use.at\":7}}");
	r = history_run(&f->h, "r1");
	assert_int_equal(value_int_or(value_get(history_marks(r, "dev"), "oauth_use.at"), 0), 7);
	assert_null(value_get(history_marks(r, "stage"), "oauth_use.at"));
	history_done(&f->h);
	arena_done(&f->a);
}

static void an_answer_belongs_to_the_question_that_stands(void **state)
{
	struct fix *f = make();
	struct past_run *run = NULL;

	(void)state;
	begin(f, "r1", DEV);
	assert_null(history_asking(&f->h, "dev/a/b", &run));
	fold(f, STEP("ask", ",\"nonce\":\"q1\",\"is_act\":true,\"now_ms\":40"));
	assert_ptr_equal(history_asking(&f->h, "dev/a/b", &run), step_of(f));
	assert_string_equal(run->id, "r1");
	assert_int_equal(step_of(f)->from_ms, 40);
	fold(f, STEP("ack", ",\"ack_id\":\"a1\",\"by\":\"ann\""));
	assert_non_null(step_of(f)->ack);
	assert_null(history_asking(&f->h, "dev/a/b", &run));
	assert_non_null(value_get(f->h.acks_seen, "a1"));
	fold(f,
	     STEP("ask",
		  ",\"nonce\":\"q2\",\"is_act\":false,\"thing\":\"a\",\"wants_last_use\":true,\"now_ms\":50"));
	assert_null(step_of(f)->ack);
	assert_true(step_of(f)->wants_last_use);
	assert_string_equal(step_of(f)->ask_nonce, "q2");
	assert_int_equal(step_of(f)->asked_ms, 50);
	fold(f, STEP("step", ""));
	assert_null(history_asking(&f->h, "dev/a/b", &run));
	history_done(&f->h);
	arena_done(&f->a);
}

static void words_and_effects_become_what_is_said_of_a_thing(void **state)
{
	struct fix *f = make();
	const struct value *e;

	(void)state;
	fold(f, "{\"type\":\"ack\",\"ack_id\":\"a0\",\"environments\":[\"dev\"],\"thing\":\"app\","
		"\"facts\":{\"use\":\"old\",\"size\":3},\"by\":\"ann\",\"said_at_ms\":5}");
	e = value_get(f->h.said, "dev app");
	assert_string_equal(value_text(value_get(e, "known")), "attested");
	begin(f, "r1", DEV);
	fold(f, STEP("outcome", ",\"ok\":false,\"effects\":{\"app\":{\"use\":\"new\"}}"));
	assert_string_equal(value_text(value_path(value_get(f->h.said, "dev app"), "facts.use")),
			    "old");
	fold(f, STEP("outcome", ",\"ok\":true,\"effects\":{\"app\":{\"use\":\"new\"}}"));
	e = value_get(f->h.said, "dev app");
	assert_string_equal(value_text(value_path(e, "facts.use")), "new");
	assert_int_equal(value_int_or(value_path(e, "facts.size"), 0),
			 3); /* laid over, not instead of */
	assert_string_equal(value_text(value_get(e, "known")), "journal");
	history_done(&f->h);
	arena_done(&f->a);
}

static void a_receipt_makes_words_of_its_environments_the_journals_own(void **state)
{
	struct fix *f = make();

	(void)state;
	fold(f,
	     "{\"type\":\"ack\",\"ack_id\":\"a0\",\"environments\":[\"dev\"],\"thing\":\"app\",\"facts\":{\"x\":1}}");
	fold(f,
	     "{\"type\":\"ack\",\"ack_id\":\"a1\",\"environments\":[\"dev2\"],\"thing\":\"app\",\"facts\":{\"x\":1}}");
	begin(f, "r1", DEV);
	fold(f, "{\"type\":\"receipt\",\"run\":\"r1\"}");
	assert_string_equal(value_text(value_path(value_get(f->h.said, "dev app"), "known")),
			    "journal");
	assert_string_equal(value_text(value_path(value_get(f->h.said, "dev2 app"), "known")),
			    "attested");
	history_done(&f->h);
	arena_done(&f->a);
}

static void an_attested_last_use_is_laid_over(void **state)
{
	struct fix *f = make();

	(void)state;
	begin(f, "r1", DEV);
	fold(f, STEP("ask", ",\"nonce\":\"q\",\"thing\":\"use\""));
	fold(f,
	     STEP("ack",
		  ",\"ack_id\":\"a\",\"thing\":\"use\",\"said_at_ms\":9,\"attested\":{\"last_used\":4}"));
	assert_int_equal(value_int_or(value_path(value_get(f->h.overlays, "dev use"),
						 "attested.last_used"),
				      0),
			 4);
	assert_null(value_get(f->h.said, "dev use"));
	history_done(&f->h);
	arena_done(&f->a);
}

static void a_mints_outcome_replaces_what_its_intent_reserved(void **state)
{
	struct fix *f = make();
	struct past_run *r;

	(void)state;
	begin(f, "r1", DEV);
	fold(f,
	     "{\"type\":\"mint\",\"run\":\"r1\",\"client\":\"c\",\"from_ms\":100,\"to_ms\":999}");
	r = history_run(&f->h, "r1");
	assert_int_equal(r->mint_count, 1);
	assert_int_equal(r->mints[0].to_ms, 999); /* killed here: all of it may be ours */
	fold(f,
	     "{\"type\":\"mint\",\"run\":\"r1\",\"client\":\"other\",\"from_ms\":300,\"to_ms\":800}");
	fold(f,
	     "{\"type\":\"mint\",\"run\":\"r1\",\"client\":\"c\",\"from_ms\":90,\"to_ms\":200,\"is_outcome\":true}");
	assert_int_equal(r->mint_count, 2);
	assert_int_equal(r->mints[0].from_ms, 90);
	assert_int_equal(r->mints[0].to_ms, 200);
	assert_int_equal(r->mints[1].to_ms, 800);
	fold(f,
	     "{\"type\":\"mint\",\"run\":\"r1\",\"client\":\"c\",\"from_ms\":500,\"to_ms\":900}");
	fold(f,
	     "{\"type\":\"mint\",\"run\":\"r1\",\"client\":\"c\",\"from_ms\":510,\"to_ms\":600,\"is_outcome\":true}");
	assert_int_equal(r->mint_count, 3);
	assert_int_equal(r->mints[0].to_ms, 200); /* the older one stays */
	assert_int_equal(r->mints[2].from_ms, 500);
	assert_int_equal(r->mints[2].to_ms, 600);
	history_done(&f->h);
	arena_done(&f->a);
}

static void a_suspension_counts_until_something_comes_after_it(void **state)
{
	struct fix *f = make();

	(void)state;
	begin(f, "r1", DEV);
	fold(f, "{\"type\":\"suspend\",\"run\":\"r1\",\"waits\":{}}");
	assert_non_null(history_run(&f->h, "r1")->suspended);
	fold(f, STEP("intent", ""));
	assert_null(history_run(&f->h, "r1")->suspended);
	history_done(&f->h);
	arena_done(&f->a);
}

static void records_without_a_run_or_a_plan_and_unknown_types_are_refused(void **state)
{
	struct fix *f = make();
	struct err err;

	(void)state;
	assert_int_equal(try_fold(f, "{\"type\":\"run\",\"run\":\"r1\"}", &err), -E_IO);
	assert_int_equal(try_fold(f, STEP("intent", ""), &err), -E_IO);
	assert_int_equal(try_fold(f, "{\"type\":\"suspend\",\"run\":\"r1\"}", &err), -E_IO);
	assert_int_equal(try_fold(f, "{}", &err), -E_REFUSED);
	begin(f, "r1", DEV);
	assert_int_equal(try_fold(f, STEP("from-the-future", ",\"x\":[1]"), &err), -E_REFUSED);
	assert_non_null(strstr(err.msg, "'from-the-future'"));
	assert_int_equal(try_fold(f, "{\"type\":\"run\",\"run\":\"r1\",\"plan\":{}}", &err),
			 -E_IO); /* twice the same run */
	fold(f, "{\"type\":\"journal\",\"format\":1}");
	fold(f, "{\"type\":\"lock\",\"user\":\"ann\"}");
	fold(f, "{\"type\":\"unlock\",\"user\":\"ann\"}");
	fold(f, "{\"type\":\"ack-refused\",\"ack_id\":\"a7\"}");
	assert_non_null(value_get(f->h.acks_seen, "a7"));
	history_done(&f->h);
	arena_done(&f->a);
}

static void pointers_to_steps_are_found_again_when_there_are_many(void **state)
{
	struct fix *f = make();
	struct past_run *r;
	char name[32];

	(void)state;
	begin(f, "r1", DEV);
	r = history_run(&f->h, "r1");
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "dev/a/%d", i);
		history_step(&f->h, r, name)->from_ms = i;
	}
	assert_int_equal(history_step(&f->h, r, "dev/a/0")->from_ms, 0);
	assert_int_equal(history_step(&f->h, r, "dev/a/999")->from_ms, 999);
	assert_int_equal(r->step_count, 1000);
	history_done(&f->h);
	arena_done(&f->a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_run_is_found_by_its_environments_until_it_ends),
		cmocka_unit_test(a_run_that_is_given_up_notes_what_it_had_begun),
		cmocka_unit_test(an_environment_that_leaves_is_in_its_run_no_more),
		cmocka_unit_test(a_new_run_takes_its_environments_out_of_the_open_ones),
		cmocka_unit_test(what_was_before_a_step_is_known_from_its_intent_on),
		cmocka_unit_test(mints_of_all_runs_are_ours),
		cmocka_unit_test(an_intent_stands_open_until_its_outcome),
		cmocka_unit_test(of_samples_that_saw_the_same_the_first_and_the_last_stay),
		cmocka_unit_test(samples_that_differ_are_kept_up_to_a_limit),
		cmocka_unit_test(nothing_but_a_run_is_needed_after_it_was_folded),
		cmocka_unit_test(a_failed_step_is_asked_anew_with_fresh_samples),
		cmocka_unit_test(what_a_gate_noted_holds_only_for_the_environment_it_looked_at),
		cmocka_unit_test(an_answer_belongs_to_the_question_that_stands),
		cmocka_unit_test(words_and_effects_become_what_is_said_of_a_thing),
		cmocka_unit_test(a_receipt_makes_words_of_its_environments_the_journals_own),
		cmocka_unit_test(an_attested_last_use_is_laid_over),
		cmocka_unit_test(a_mints_outcome_replaces_what_its_intent_reserved),
		cmocka_unit_test(a_suspension_counts_until_something_comes_after_it),
		cmocka_unit_test(records_without_a_run_or_a_plan_and_unknown_types_are_refused),
		cmocka_unit_test(pointers_to_steps_are_found_again_when_there_are_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
