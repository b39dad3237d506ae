/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/io/digest.h"
#include "core/io/json.h"
#include "core/run/receipt.h"
#include "core/run/verify.h"
#include "tests/unit/fake_shop.h"

/* A finished run, with a person's part, and one that waits. */
static struct shop *make(void)
{
	struct shop *s = shop_new(
		"version: 1\n"
		"connections:\n"
		"  shop: {url: https://shop.example, auth: {kind: bearer, token: env:SHOP_TOKEN}}\n"
		"defaults:\n"
		"  credential: {client_secret: env:APP_SECRET}\n"
		"  executors: {drop: api}\n"
		"environments:\n"
		"  dev: {project: {id: p0}, credential: {client_id: c0}, executors: {set: operator}}\n");
	struct apply_result r;

	assert_int_equal(shop_apply(s, &r), E_WAIT);
	s->w->projects[0].set_new = true;
	s->w->projects[0].saved_at = fake_server_now(&s->w->clock);
	shop_ack(s, "dev/shop.settings/set", NULL);
	assert_int_equal(shop_apply_on(s, 40), E_NONE);
	return s;
}

static const struct value *verify(struct shop *s, struct arena *a, struct err *err)
{
	struct value *doc = NULL;

	*err = (struct err)ERR_INIT;
	if (verify_journal(&s->store, &s->sys, &shop_registry, 0, a, &doc, err) < 0)
		return NULL;
	return doc;
}

static void assert_damaged(struct shop *s, int64_t record, const char *words)
{
	struct arena a = ARENA_INIT;
	struct err err;
	const struct value *doc = verify(s, &a, &err),
			   *first = value_at(value_get(doc, "damage"), 0);

	assert_non_null(doc);
	assert_false(value_bool_or(value_get(doc, "sound"), true));
	if (value_int_or(value_get(first, "record"), 0) != record ||
	    !strstr(value_text_or(value_get(first, "text"), ""), words))
		fail_msg("record %lld: %s", (long long)value_int_or(value_get(first, "record"), 0),
			 value_text_or(value_get(first, "text"), "?"));
	arena_done(&a);
}

/* Whoever edits a plan and its digest as well. */
static void digest_plan_again(struct sb *text)
{
	struct arena a = ARENA_INIT;
	struct value *rec;
	struct err err = ERR_INIT;
	char hex[65];

	assert_int_equal(json_parse(&a, text->buf, text->len, NULL, NULL, NULL, &rec, &err), 0);
	receipt_plan_digest(value_get(rec, "plan"), hex);
	value_set(&a, rec, "plan_digest", value_string(&a, hex));
	sb_reset(text);
	json_write(text, rec, JSON_CANONICAL, NULL);
	arena_done(&a);
}

/* Whoever edits a record and makes the chain good again: only what the records say to each other is left to show it. */
static void edit_and_chain(struct shop *s, const char *type, const char *from, const char *to,
			   bool with_digest)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(sizeof(s->w->journal));
	char head[65] = "", *line = s->w->journal, *end = line + s->w->journal_len;
	bool is_edited = false;

	while (line < end) {
		struct arena a = ARENA_INIT;
		CLEANUP(sb_done) struct sb text = SB_INIT(sizeof(s->w->journal));
		size_t len = (size_t)((char *)memchr(line, '\n', (size_t)(end - line)) - line);
		struct value *rec;
		struct err err = ERR_INIT;
		char *hit;

		assert_int_equal(json_parse(&a, line, len, NULL, NULL, NULL, &rec, &err), 0);
		value_set(&a, rec, "prev", value_string(&a, head));
		if (value_get(rec, "head"))
			value_set(&a, rec, "head", value_string(&a, head));
		json_write(&text, rec, JSON_CANONICAL, NULL);
		hit = strcmp(value_text_or(value_get(rec, "type"), ""), type) == 0 ?
			      strstr(text.buf, from) :
			      NULL;
		if (hit && !is_edited) {
			CLEANUP(sb_done) struct sb edited = SB_INIT(sizeof(s->w->journal));

			sb_addn(&edited, text.buf, (size_t)(hit - text.buf));
			sb_add(&edited, to);
			sb_add(&edited, hit + strlen(from));
			sb_reset(&text);
			sb_add(&text, edited.buf);
			is_edited = true;
			if (with_digest)
				digest_plan_again(&text);
		}
		digest_hex(text.buf, text.len, head);
		sb_addn(&out, text.buf, text.len);
		sb_addc(&out, '\n');
		line += len + 1;
		arena_done(&a);
	}
	assert_true(is_edited);
	memcpy(s->w->journal, out.buf, out.len);
	s->w->journal_len = out.len;
}

static int64_t record_of(const struct shop *s, const char *part)
{
	int64_t n = 1;

	for (const char *at = s->w->journal; at < strstr(s->w->journal, part); at++)
		n += *at == '\n';
	return n;
}

static void a_journal_as_it_was_written_is_sound(void **state)
{
	struct shop *s = make();
	struct arena a = ARENA_INIT;
	size_t before = s->w->appends;
	struct err err;
	const struct value *doc = verify(s, &a, &err), *run = value_at(value_get(doc, "runs"), 0);

	(void)state;
	assert_non_null(doc);
	assert_true(value_bool_or(value_get(doc, "sound"), false));
	assert_int_equal(value_count(value_get(doc, "damage")), 0);
	assert_string_equal(value_text(value_get(run, "state")), "finished");
	assert_int_equal(value_int_or(value_get(run, "steps_done"), 0),
			 value_int_or(value_get(run, "steps"), -1));
	assert_string_equal(value_text(value_at(value_get(run, "environments"), 0)), "dev");
	assert_int_equal(s->w->appends, before);
	arena_done(&a);
	shop_free(s);
}

static void a_receipt_tells_each_step_with_its_evidence_and_on_whose_word(void **state)
{
	struct shop *s = make();
	struct journal j;
	struct err err = ERR_INIT;
	const struct value *rec, *step, *gate;

	(void)state;
	assert_int_equal(journal_open(&j, &s->store, &s->sys, &err), 0);
	rec = j.history.runs[0].ending;
	assert_int_equal(strlen(value_text_or(value_get(rec, "rollout_digest"), "")), 64);
	assert_int_equal(strlen(value_text_or(value_get(rec, "plan_digest"), "")), 64);
	assert_string_equal(value_text(value_get(rec, "plan_digest")),
			    j.history.runs[0].plan_digest);
	assert_string_equal(value_text(value_get(rec, "head")), value_text(value_get(rec, "prev")));
	assert_true(value_int_or(value_get(rec, "began_ms"), 0) >= FAKE_START);
	assert_true(value_int_or(value_get(rec, "now_ms"), 0) >= FAKE_START + 20 * WHEN_HOUR);
	step = value_get(value_get(rec, "steps"), "dev/shop.settings/set");
	assert_string_equal(value_text(value_get(step, "how")), "operator");
	assert_string_equal(value_text(value_get(step, "by")), "ann");
	assert_true(value_int_or(value_get(step, "done_ms"), 0) >=
		    value_int_or(value_get(step, "acted_ms"), INT64_MAX));
	step = value_get(value_get(rec, "steps"), "dev/shop.use/quiet_old");
	gate = value_at(value_get(step, "gates"), 0);
	assert_string_equal(value_text(value_get(gate, "gate")), "quiet");
	assert_string_equal(value_text(value_get(gate, "environment")), "dev");
	assert_string_equal(value_text(value_get(gate, "verdict")), "pass");
	assert_true(value_int_or(value_get(gate, "samples"), 0) > 1);
	assert_true(value_int_or(value_get(gate, "last_ms"), 0) >
		    value_int_or(value_get(gate, "first_ms"), INT64_MAX));
	assert_null(value_get(gate, "by")); /* a machine saw it */
	journal_close(&j);
	shop_free(s);
}

static void an_open_run_is_told_with_what_it_waits_for(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct arena a = ARENA_INIT;
	struct apply_result r;
	struct err err;
	const struct value *run;

	(void)state;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	run = value_at(value_get(verify(s, &a, &err), "runs"), 0);
	assert_string_equal(value_text(value_get(run, "state")), "open");
	assert_int_equal(value_count(value_get(run, "waits")), 1);
	arena_done(&a);
	shop_free(s);
}

static void plain_damage_is_named_by_record(void **state)
{
	struct shop *s = make();
	char *hit = strstr(s->w->journal, "\"type\":\"intent\"");
	int64_t n = record_of(s, "\"type\":\"intent\"");

	(void)state;
	hit[8] = 'I';
	assert_damaged(s, n, "was edited"); /* and not: of a type that another tool writes */
	hit[8] = 'i';
	hit = strstr(s->w->journal, "\"nonce\":\"");
	hit[9] ^= 1;
	assert_damaged(s, record_of(s, "\"nonce\":\"") + 1, "does not follow");
	shop_free(s);
}

static void every_byte_that_is_changed_shows(void **state)
{
	struct shop *s = make();
	size_t tried = 0;

	(void)state;
	/* All but those of the last record, which only the note beside the journal can vouch for. */
	while (s->w->journal[s->w->journal_len - 2] != '\n')
		s->w->journal_len--;
	s->w->journal_len--;
	for (size_t at = 0; at + 900 < s->w->journal_len; at += 211) {
		struct arena a = ARENA_INIT;
		struct err err;
		const struct value *doc;

		s->w->journal[at] ^= 1;
		doc = verify(s, &a, &err);
		if (doc && value_bool_or(value_get(doc, "sound"), true))
			fail_msg("byte %zu", at);
		s->w->journal[at] ^= 1;
		arena_done(&a);
		tried++;
	}
	assert_true(tried > 50);
	shop_free(s);
}

static void assert_forgery_shows(const char *type, const char *from, const char *to,
				 const char *where, const char *words)
{
	struct shop *s = make();

	edit_and_chain(s, type, from, to, false);
	assert_damaged(s, record_of(s, where), words);
	shop_free(s);
}

#define RECEIPT "\"type\":\"receipt\""

static void forged_records_do_not_agree_with_the_receipt(void **state)
{
	(void)state;
	assert_forgery_shows("receipt", "\"by\":\"ann\"", "\"by\":\"bob\"", RECEIPT, "'steps'");
	assert_forgery_shows("receipt", "\"samples\":", "\"samples\":1", RECEIPT, "'steps'");
	assert_forgery_shows("receipt", "\"result\":\"done\"", "\"result\":\"already\"", RECEIPT,
			     "'steps'");
	assert_forgery_shows("receipt", "\"began_ms\":", "\"began_ms\":1", RECEIPT, "'began_ms'");
	assert_forgery_shows("receipt", "\"plan_digest\":\"", "\"plan_digest\":\"0", RECEIPT,
			     "'plan_digest'");
	assert_forgery_shows("outcome", "\"by\":\"ann\"", "\"by\":\"bob\"", RECEIPT, "'steps'");
	assert_forgery_shows("sample", "\"verdict\":\"pass\"", "\"verdict\":\"fail\"", RECEIPT,
			     "'steps'");
	assert_forgery_shows("receipt", "\"rollout_digest\":\"", "\"rollout_digest\":\"0", RECEIPT,
			     "'rollout_digest'");
	assert_forgery_shows("run", "\"executor\":\"operator\"", "\"executor\":\"api\"",
			     "\"type\":\"run\"", "plan is not the one");
}

static void assert_edited_plan_shows(const char *from, const char *to, const char *words)
{
	struct shop *s = make();

	edit_and_chain(s, "run", from, to, true);
	assert_damaged(s, record_of(s, "\"type\":\"run\""), words);
	shop_free(s);
}

static void an_edited_plan_does_not_give_what_was_approved(void **state)
{
	(void)state;
	assert_edited_plan_shows("\"executor\":\"operator\"", "\"executor\":\"api\"",
				 "plan's intent_digest is not");
	assert_edited_plan_shows("\"intent_digest\":\"", "\"intent_digest\":\"0",
				 "plan's intent_digest is not");
	assert_edited_plan_shows("\"observed_digest\":\"", "\"observed_digest\":\"0",
				 "plan's observed_digest is not");
}

static void a_journal_of_another_format_is_not_judged(void **state)
{
	struct shop *s = make();
	struct arena a = ARENA_INIT;
	struct err err;

	(void)state;
	edit_and_chain(s, "journal", "\"format\":1", "\"format\":2", false);
	assert_null(verify(s, &a, &err));
	assert_int_equal(err.code, E_REFUSED);
	arena_done(&a);
	shop_free(s);
}

static void an_empty_journal_is_sound(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct arena a = ARENA_INIT;
	struct err err;
	const struct value *doc = verify(s, &a, &err);

	(void)state;
	assert_true(value_bool_or(value_get(doc, "sound"), false));
	assert_int_equal(value_int_or(value_get(doc, "records"), -1), 0);
	arena_done(&a);
	shop_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_journal_as_it_was_written_is_sound),
		cmocka_unit_test(a_receipt_tells_each_step_with_its_evidence_and_on_whose_word),
		cmocka_unit_test(an_open_run_is_told_with_what_it_waits_for),
		cmocka_unit_test(plain_damage_is_named_by_record),
		cmocka_unit_test(every_byte_that_is_changed_shows),
		cmocka_unit_test(forged_records_do_not_agree_with_the_receipt),
		cmocka_unit_test(an_edited_plan_does_not_give_what_was_approved),
		cmocka_unit_test(a_journal_of_another_format_is_not_judged),
		cmocka_unit_test(an_empty_journal_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
