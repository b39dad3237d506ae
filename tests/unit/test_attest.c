/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/run/attest.h"
#include "tests/unit/fake_shop.h"

/* An operator step that asks (nonce q1), and a gate's question for a last use (nonce q2). */
static void add(struct journal *j, const char *type, const char *json)
{
	struct err err = ERR_INIT;
	struct value *rec = value_copy(journal_arena(j), fake_json(journal_arena(j), json));

	assert_int_equal(journal_add(j, type, rec, &err), 0);
}

static struct shop *make(struct journal *j)
{
	struct shop *s = shop_new(shop_one_env);
	struct err err = ERR_INIT;

	assert_int_equal(journal_open(j, &s->store, &s->sys, &err), 0);
	add(j, "run", "{\"run\":\"r1\",\"plan\":{\"environments\":[{\"name\":\"dev\"}]}}");
	add(j, "ask",
	    "{\"run\":\"r1\",\"step\":\"dev/shop.settings/set\",\"nonce\":\"q1\",\"is_act\":true,\"now_ms\":5}");
	add(j, "ask",
	    "{\"run\":\"r1\",\"step\":\"dev/shop.use/asked\",\"nonce\":\"q2\",\"is_act\":false,\"wants_last_use\":true,"
	    "\"thing\":\"shop.use\",\"now_ms\":6}");
	add(j, "ask",
	    "{\"run\":\"r1\",\"step\":\"dev/shop.app/look\",\"nonce\":\"q3\",\"is_act\":false,\"thing\":\"shop.app\","
	    "\"now_ms\":6}");
	add(j, "step", "{\"run\":\"r1\",\"step\":\"dev/shop.key/add\",\"environments\":[\"dev\"]}");
	return s;
}

static void unmake(struct shop *s, struct journal *j)
{
	journal_close(j);
	shop_free(s);
}

static int try_add(struct journal *j, struct attest t, struct err *err)
{
	*err = (struct err)ERR_INIT;
	t.by = "ann";
	return attest_add(&t, &shop_registry, j, err);
}

static const struct value *inbox_last(struct shop *s, struct arena *a)
{
	struct value *list = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(journal_inbox(&s->store, a, &(size_t){ 0 }, &list, &err), 0);
	return value_at(list, value_count(list) - 1);
}

static void an_answer_carries_the_questions_nonce_and_who_gave_it(void **state)
{
	struct journal j;
	struct shop *s = make(&j);
	struct arena a = ARENA_INIT;
	const struct value *ack;
	struct err err;

	(void)state;
	assert_int_equal(try_add(&j,
				 (struct attest){ .step = "dev/shop.settings/set",
						  .user = "root",
						  .host = "here",
						  .note = "done",
						  .at = "2026-11-24T09:58:00Z" },
				 &err),
			 0);
	ack = inbox_last(s, &a);
	assert_string_equal(value_text(value_get(ack, "nonce")), "q1");
	assert_string_equal(value_text(value_get(ack, "by")), "ann");
	assert_string_equal(value_text(value_get(ack, "user")), "root");
	assert_string_equal(value_text(value_get(ack, "note")), "done");
	assert_int_equal(value_int_or(value_get(ack, "said_at_ms"), 0), FAKE_START);
	assert_int_equal(value_int_or(value_get(ack, "at_ms"), 0), FAKE_START - 2 * WHEN_MINUTE);
	assert_int_equal(strlen(value_text(value_get(ack, "id"))), 16);
	arena_done(&a);
	unmake(s, &j);
}

static void a_reading_counts_as_its_latest_possible_instant(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "2026-11-23T10:05:00Z", INT64_C(1795428300999) },
		{ "2026-11-23 10:05Z", INT64_C(1795428359999) },
		{ "2026-11-23", INT64_C(1795478399999) },
		{ "2026-11-23T10:05:00.250Z", INT64_C(1795428300250) },
	};
	struct journal j;
	struct shop *s = make(&j);
	struct arena a = ARENA_INIT;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(try_add(&j,
					 (struct attest){ .step = "dev/shop.use/asked",
							  .last_used = cases[i].text },
					 &err),
				 0);
		assert_int_equal(value_int_or(value_get(inbox_last(s, &a), "last_used_ms"), 0),
				 cases[i].want);
		assert_int_equal(try_add(&j,
					 (struct attest){ .step = "dev/shop.use/asked",
							  .none_since = cases[i].text },
					 &err),
				 0);
		assert_int_equal(value_int_or(value_get(inbox_last(s, &a), "none_since_ms"), 0),
				 cases[i].want);
	}
	arena_done(&a);
	unmake(s, &j);
}

static void facts_are_typed_by_the_things_table(void **state)
{
	const char *const facts[] = { "running=true", "started_at=2026-11-24T10:00:00Z",
				      "saved_at=17", NULL };
	struct journal j;
	struct shop *s = make(&j);
	struct arena a = ARENA_INIT;
	const struct value *ack;
	struct err err;

	(void)state;
	assert_int_equal(try_add(&j, (struct attest){ .step = "dev/shop.app/look", .facts = facts },
				 &err),
			 0);
	ack = value_get(inbox_last(s, &a), "facts");
	assert_true(value_bool_or(value_get(ack, "running"), false));
	assert_int_equal(value_int_or(value_get(ack, "started_at"), 0), FAKE_START);
	assert_int_equal(value_int_or(value_get(ack, "saved_at"), 0), 17);
	arena_done(&a);
	unmake(s, &j);
}

#define FACTS(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void what_cannot_be_right_is_turned_down_and_leaves_no_trace(void **state)
{
	const struct {
		struct attest t;
		const char *words;
	} cases[] = {
		{ { .step = "dev/no.such/step" }, "no step" },
		{ { .step = "dev/shop.key/add" }, "finished" },
		{ { .step = "" }, "no step" },
		{ { .step = "dev/shop.settings/set", .last_used = "2026-11-23" },
		  "not for a last use" },
		{ { .step = "dev/shop.settings/set", .facts = FACTS("use=new") },
		  "takes no --fact" },
		{ { .step = "dev/shop.settings/set", .at = "yesterday" }, "yesterday" },
		{ { .step = "dev/shop.use/asked" }, "--last-used" },
		{ { .step = "dev/shop.use/asked", .last_used = "soon" }, "soon" },
		{ { .step = "dev/shop.use/asked", .last_used = "2026-11-23T10:00:00" }, "zone" },
		{ { .step = "dev/shop.use/asked", .last_used = "2026-11-23", .at = "2026-11-23" },
		  "--at" },
		{ { .step = "dev/shop.app/look" }, "--fact" },
		{ { .step = "dev/shop.app/look", .facts = FACTS("runing=true") }, "runing" },
		{ { .step = "dev/shop.app/look", .facts = FACTS("running") }, "NAME=VALUE" },
		{ { .step = "dev/shop.app/look", .facts = FACTS("running=yes") }, "true or false" },
		{ { .step = "dev/shop.app/look", .facts = FACTS("saved_at=later") }, "number" },
		{ { .step = "dev/shop.app/attest" }, "--fact" },
		{ { .step = "dev/no.thing/attest", .facts = FACTS("a=b") }, "no thing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct journal j;
		struct shop *s = make(&j);
		struct err err;

		if (try_add(&j, cases[i].t, &err) != -E_USAGE)
			fail_msg("case %zu: %d %s", i, (int)err.code, err.msg);
		if (!strstr(err.msg, cases[i].words))
			fail_msg("case %zu: %s", i, err.msg);
		assert_int_equal(s->w->inbox_len, 0);
		unmake(s, &j);
	}
}

static void a_mistyped_fact_gets_a_hint(void **state)
{
	struct journal j;
	struct shop *s = make(&j);
	struct err err;

	(void)state;
	assert_int_equal(try_add(&j,
				 (struct attest){ .step = "dev/shop.app/look",
						  .facts = FACTS("runing=true") },
				 &err),
			 -E_USAGE);
	assert_string_equal(err.hint, "did you mean 'running'?");
	unmake(s, &j);
}

static void facts_for_planning_are_taken_up_once(void **state)
{
	struct journal j;
	struct shop *s = make(&j);
	struct err err;
	const struct value *said;

	(void)state;
	assert_int_equal(try_add(&j,
				 (struct attest){ .step = "dev/shop.settings/attest",
						  .facts = FACTS("use=old") },
				 &err),
			 0);
	assert_int_equal(attest_take(&j, &shop_registry, true, &err), 0);
	assert_int_equal(attest_take(&j, &shop_registry, true, &err), 0);
	assert_int_equal(shop_journal_count(s, "\"type\":\"ack\""), 1);
	said = value_get(j.history.said, "dev shop.settings");
	assert_string_equal(value_text(value_path(said, "facts.use")), "old");
	assert_string_equal(value_text(value_get(said, "by")), "ann");
	assert_int_equal(value_int_or(value_get(said, "at"), 0), FAKE_START);

	/* And is there for whoever reads the journal. */
	journal_close(&j);
	assert_int_equal(journal_open(&j, &s->store, &s->sys, &err), 0);
	assert_non_null(value_get(j.history.said, "dev shop.settings"));
	unmake(s, &j);
}

static void a_reading_command_knows_them_and_writes_nothing(void **state)
{
	struct journal j;
	struct shop *s = make(&j);
	size_t appends = s->w->appends;
	struct err err;

	(void)state;
	assert_int_equal(try_add(&j,
				 (struct attest){ .step = "dev/shop.settings/attest",
						  .facts = FACTS("use=old") },
				 &err),
			 0);
	assert_int_equal(attest_take(&j, &shop_registry, false, &err), 0);
	assert_non_null(value_get(j.history.said, "dev shop.settings"));
	assert_int_equal(s->w->appends, appends);
	unmake(s, &j);
}

static void answers_to_steps_and_of_unknown_things_are_not_taken_for_planning(void **state)
{
	struct journal j;
	struct shop *s = make(&j);
	size_t appends = s->w->appends;
	struct err err;

	(void)state;
	assert_int_equal(try_add(&j, (struct attest){ .step = "dev/shop.settings/set" }, &err), 0);
	assert_int_equal(s->store.append(s->store.ctx, INBOX_NAME,
					 "{\"step\":\"dev/no.thing/attest\",\"id\":\"x\"}", 39,
					 &err),
			 0);
	assert_int_equal(s->store.append(s->store.ctx, INBOX_NAME,
					 "{\"step\":\"/attest\",\"id\":\"y\"}", 27, &err),
			 0);
	assert_int_equal(s->store.append(s->store.ctx, INBOX_NAME, "[1]", 3, &err), 0);
	assert_int_equal(attest_take(&j, &shop_registry, true, &err), 0);
	assert_int_equal(s->w->appends, appends);
	unmake(s, &j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_carries_the_questions_nonce_and_who_gave_it),
		cmocka_unit_test(a_reading_counts_as_its_latest_possible_instant),
		cmocka_unit_test(facts_are_typed_by_the_things_table),
		cmocka_unit_test(what_cannot_be_right_is_turned_down_and_leaves_no_trace),
		cmocka_unit_test(a_mistyped_fact_gets_a_hint),
		cmocka_unit_test(facts_for_planning_are_taken_up_once),
		cmocka_unit_test(a_reading_command_knows_them_and_writes_nothing),
		cmocka_unit_test(answers_to_steps_and_of_unknown_things_are_not_taken_for_planning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
