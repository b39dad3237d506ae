/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/secret.h"
#include "core/io/json.h"
#include "core/run/journal.h"
#include "tests/unit/fake_shop.h"

static struct value *record(struct journal *j, const char *run)
{
	struct value *rec = value_map(journal_arena(j));

	value_set(journal_arena(j), rec, "run", value_string(journal_arena(j), run));
	return rec;
}

static void add(struct journal *j, const char *type, struct value *rec)
{
	struct err err = ERR_INIT;

	if (journal_add(j, type, rec, &err) < 0)
		fail_msg("%s", err.msg);
}

static void begin(struct journal *j)
{
	struct value *rec = record(j, "r1");

	value_set(journal_arena(j), rec, "plan", value_map(journal_arena(j)));
	add(j, "run", rec);
}

static void step(struct journal *j, const char *type)
{
	struct value *rec = record(j, "r1");

	value_set(journal_arena(j), rec, "step", value_string(journal_arena(j), "dev/a/b"));
	add(j, type, rec);
}

static int reopen(struct shop *s, struct journal *j, struct err *err)
{
	*err = (struct err)ERR_INIT;
	return journal_open(j, &s->store, &s->sys, err);
}

/* Three records. */
static struct shop *make(void)
{
	struct shop *s = shop_new(shop_one_env);
	struct journal j;
	struct err err;

	assert_int_equal(reopen(s, &j, &err), 0);
	assert_int_equal(j.records, 0);
	begin(&j);
	step(&j, "intent");
	step(&j, "outcome");
	journal_close(&j);
	return s;
}

static void records_are_numbered_and_chained_and_read_back(void **state)
{
	struct shop *s = make();
	struct journal j;
	struct err err;

	(void)state;
	assert_int_equal(shop_journal_count(s, "\"n\":1,\"plan\":{},\"prev\":\"\""), 1);
	assert_int_equal(shop_journal_count(s, "\"prev\":\""), 3);
	assert_int_equal(shop_journal_count(s, "\"at\":\"2026-11-24T10:00:00Z\""), 3);
	assert_int_equal(reopen(s, &j, &err), 0);
	assert_int_equal(j.records, 3);
	assert_int_equal(strlen(j.head), 64);
	assert_int_equal(j.history.run_count, 1);
	step(&j, "intent");
	assert_int_equal(j.records, 4);
	journal_close(&j);
	assert_int_equal(reopen(s, &j, &err), 0);
	assert_true(history_step(&j.history, history_run(&j.history, "r1"), "dev/a/b")->has_intent);
	journal_close(&j);
	shop_free(s);
}

static void a_torn_last_line_is_left_out(void **state)
{
	struct shop *s = make();
	size_t whole = s->w->journal_len, cut;
	struct journal j;
	struct err err;

	(void)state;
	for (cut = 1; s->w->journal[whole - 1 - cut] != '\n'; cut++) {
		s->w->journal_len = whole - cut;
		assert_int_equal(reopen(s, &j, &err), 0);
		assert_int_equal(j.records, 2);
		journal_close(&j);
	}
	assert_true(cut > 50);
	shop_free(s);
}

static void an_edited_record_is_named(void **state)
{
	struct shop *s = make();
	char *second = strchr(s->w->journal, '\n') + 1;
	struct journal j;
	struct err err;

	(void)state;
	memcpy(strstr(second, "dev/a/b"), "dev/a/c", 7);
	assert_int_equal(reopen(s, &j, &err), -E_IO);
	assert_non_null(strstr(err.msg, "record 3 does not follow"));
	assert_non_null(strstr(err.hint, "memory"));
	journal_close(&j);
	shop_free(s);
}

static void a_missing_or_doubled_record_is_named(void **state)
{
	struct shop *s = make();
	char *first_end = strchr(s->w->journal, '\n') + 1,
	     *second_end = strchr(first_end, '\n') + 1;
	size_t second_len = (size_t)(second_end - first_end);
	struct journal j;
	struct err err;

	(void)state;
	memmove(first_end, second_end, s->w->journal_len - (size_t)(second_end - s->w->journal));
	s->w->journal_len -= second_len;
	assert_int_equal(reopen(s, &j, &err), -E_IO);
	assert_non_null(strstr(err.msg, "record 2 is missing or out of order"));
	journal_close(&j);
	shop_free(s);
}

static void rubbish_in_the_middle_is_named(void **state)
{
	static const char *const lines[] = {
		"", "{", "[]", "null", "{\"n\":2}", "{\"n\":2,\"prev\":7,\"type\":\"intent\"}"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct shop *s = make();
		struct journal j;
		struct err err;

		s->w->journal_len = (size_t)(strchr(s->w->journal, '\n') + 1 - s->w->journal);
		memcpy(s->w->journal + s->w->journal_len, lines[i], strlen(lines[i]));
		s->w->journal_len += strlen(lines[i]);
		s->w->journal[s->w->journal_len++] = '\n';
		assert_int_equal(reopen(s, &j, &err), -E_IO);
		assert_non_null(strstr(err.msg, "record 2"));
		journal_close(&j);
		shop_free(s);
	}
}

static void a_record_of_a_run_that_was_not_begun_is_refused(void **state)
{
	struct shop *s = make();
	struct journal j;
	struct err err;

	(void)state;
	assert_int_equal(reopen(s, &j, &err), 0);
	assert_int_equal(journal_add(&j, "intent", record(&j, "r9"), &err), -E_IO);
	journal_close(&j);
	shop_free(s);
}

static void what_could_not_be_written_is_not_folded(void **state)
{
	struct shop *s = make();
	struct journal j;
	struct err err;
	char head[65];

	(void)state;
	assert_int_equal(reopen(s, &j, &err), 0);
	memcpy(head, j.head, sizeof(head));
	s->w->fail_at = s->w->appends + 1;
	assert_int_equal(journal_add(&j, "abandon", record(&j, "r1"), &err), -E_IO);
	assert_int_equal(j.records, 3);
	assert_string_equal(j.head, head);
	assert_true(history_run(&j.history, "r1")->is_open);
	journal_close(&j);
	shop_free(s);
}

static void a_living_secret_never_gets_to_disk(void **state)
{
	struct shop *s = make();
	struct secret *secret = secret_new("swordfish-17", 12);
	struct value *rec;
	struct journal j;
	struct err err;

	(void)state;
	assert_int_equal(reopen(s, &j, &err), 0);
	rec = record(&j, "r1");
	value_set(journal_arena(&j), rec, "why",
		  value_string(journal_arena(&j),
			       "the server echoed swordfish-17 and c3dvcmRmaXNoLTE3"));
	value_set(journal_arena(&j), rec, "value", value_secret(journal_arena(&j), secret));
	add(&j, "note", rec);
	assert_int_equal(shop_journal_count(s, "swordfish"), 0);
	assert_int_equal(shop_journal_count(s, "c3dvcmRmaXNoLTE3"), 0);
	journal_close(&j);
	assert_int_equal(reopen(s, &j, &err), 0); /* and the chain holds */
	journal_close(&j);
	secret_free(secret);
	shop_free(s);
}

/* A store that keeps its lines on the heap, for records larger than the shared memory. */
static struct sb big = SB_INIT(SB_TEXT_MAX * 2);

static int big_read(void *ctx, const char *name, struct sb *ret, struct err *err)
{
	(void)ctx;
	(void)name;
	(void)err;
	sb_addn(ret, big.buf, big.len);
	return 0;
}

static int big_append(void *ctx, const char *name, const char *line, size_t len, struct err *err)
{
	(void)ctx;
	(void)name;
	(void)err;
	sb_addn(&big, line, len);
	sb_addc(&big, '\n');
	return 0;
}

/* A map whose text has about this many bytes. */
static struct value *filling(struct journal *j, size_t bytes)
{
	static char text[1001];
	struct arena *a = journal_arena(j);
	struct value *list = value_list(a), *line;

	memset(text, 'x', 1000);
	line = value_string(a, text);
	for (size_t n = 0; n < bytes / 1003; n++)
		value_list_add(a, list, line);
	return list;
}

static void a_record_that_was_written_can_be_read_again_however_large(void **state)
{
	struct shop *s = make();
	struct store store = s->store;
	struct value *rec;
	struct journal j;
	struct err err = ERR_INIT;

	(void)state;
	store.read_all = big_read;
	store.append = big_append;
	assert_int_equal(journal_open(&j, &store, &s->sys, &err), 0);
	rec = record(&j, "r1");
	value_set(journal_arena(&j), rec, "plan", filling(&j, (size_t)20 << 20));
	add(&j, "run", rec);
	journal_close(&j);
	if (journal_open(&j, &store, &s->sys, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(j.records, 1);

	rec = record(&j, "r1");
	value_set(journal_arena(&j), rec, "why", filling(&j, SB_TEXT_MAX + 5000));
	assert_int_equal(journal_add(&j, "note", rec, &err), -E_IO);
	assert_non_null(strstr(err.msg, "larger"));
	assert_int_equal(j.records, 1);
	journal_close(&j);
	err_clear(&err);
	assert_int_equal(journal_open(&j, &store, &s->sys, &err), 0);
	journal_close(&j);
	sb_done(&big);
	shop_free(s);
}

static void the_inbox_skips_what_cannot_be_read(void **state)
{
	struct shop *s = make();
	struct arena a = ARENA_INIT;
	struct value *list = NULL, *ack = value_map(&a);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(journal_inbox(&s->store, &a, &(size_t){ 0 }, &list, &err), 0);
	assert_int_equal(value_count(list), 0);
	value_set(&a, ack, "id", value_string(&a, "1"));
	assert_int_equal(journal_inbox_add(&s->store, ack, &err), 0);
	assert_int_equal(s->store.append(s->store.ctx, INBOX_NAME, "{broken", 7, &err), 0);
	assert_int_equal(journal_inbox_add(&s->store, ack, &err), 0);
	memcpy(s->w->inbox + s->w->inbox_len, "{\"id\":\"torn\"}", 13);
	s->w->inbox_len += 13;
	assert_int_equal(journal_inbox(&s->store, &a, &(size_t){ 0 }, &list, &err), 0);
	assert_int_equal(value_count(list), 2);
	arena_done(&a);
	shop_free(s);
}

static void the_inbox_is_read_on_from_where_it_was_read_last(void **state)
{
	struct shop *s = make();
	struct arena a = ARENA_INIT;
	struct value *list = NULL, *ack = value_map(&a);
	struct err err = ERR_INIT;
	size_t from = 0;

	(void)state;
	value_set(&a, ack, "id", value_string(&a, "1"));
	assert_int_equal(journal_inbox_add(&s->store, ack, &err), 0);
	assert_int_equal(journal_inbox_add(&s->store, ack, &err), 0);
	assert_int_equal(journal_inbox(&s->store, &a, &from, &list, &err), 0);
	assert_int_equal(value_count(list), 2);
	assert_int_equal(journal_inbox(&s->store, &a, &from, &list, &err), 0);
	assert_int_equal(value_count(list), 0);
	value_set(&a, ack, "id", value_string(&a, "2"));
	assert_int_equal(journal_inbox_add(&s->store, ack, &err), 0);
	assert_int_equal(journal_inbox(&s->store, &a, &from, &list, &err), 0);
	assert_int_equal(value_count(list), 1);
	assert_string_equal(value_text(value_get(value_at(list, 0), "id")), "2");
	s->w->inbox_len = 0; /* somebody has begun another one */
	assert_int_equal(journal_inbox_add(&s->store, ack, &err), 0);
	assert_int_equal(journal_inbox(&s->store, &a, &from, &list, &err), 0);
	assert_int_equal(value_count(list), 1);
	arena_done(&a);
	shop_free(s);
}

static struct value *refusal(struct journal *j)
{
	struct value *rec = value_map(journal_arena(j));

	value_set(journal_arena(j), rec, "ack_id", value_string(journal_arena(j), "1"));
	return rec;
}

static void a_reader_catches_up_with_the_writer(void **state)
{
	struct shop *s = make();
	struct journal writer, reader;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(journal_open(&writer, &s->store, &s->sys, &err), 0);
	assert_int_equal(journal_open(&reader, &s->store, &s->sys, &err), 0);
	assert_int_equal(journal_add(&writer, "ack-refused", refusal(&writer), &err), 0);
	assert_int_equal(journal_catch_up(&reader, &err), 0);
	assert_int_equal(journal_add(&writer, "ack-refused", refusal(&writer), &err), 0);
	assert_int_equal(journal_catch_up(&reader, &err), 0);
	assert_int_equal(reader.records, writer.records);
	assert_string_equal(reader.head, writer.head);
	s->w->journal_len = 0;
	assert_int_equal(journal_catch_up(&reader, &err), -E_IO);
	journal_close(&writer);
	journal_close(&reader);
	shop_free(s);
}

static void ids_of_people_are_hashed_with_the_runs_salt(void **state)
{
	struct arena a = ARENA_INIT;
	const char *one = journal_hash_id(&a, "salt", "jane"),
		   *two = journal_hash_id(&a, "pepper", "jane");

	(void)state;
	assert_int_equal(strlen(one), 16);
	assert_string_not_equal(one, two);
	assert_string_equal(one, journal_hash_id(&a, "salt", "jane"));
	assert_string_not_equal(one, journal_hash_id(&a, "salt", "june"));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_numbered_and_chained_and_read_back),
		cmocka_unit_test(a_torn_last_line_is_left_out),
		cmocka_unit_test(an_edited_record_is_named),
		cmocka_unit_test(a_missing_or_doubled_record_is_named),
		cmocka_unit_test(rubbish_in_the_middle_is_named),
		cmocka_unit_test(a_record_of_a_run_that_was_not_begun_is_refused),
		cmocka_unit_test(what_could_not_be_written_is_not_folded),
		cmocka_unit_test(a_living_secret_never_gets_to_disk),
		cmocka_unit_test(a_record_that_was_written_can_be_read_again_however_large),
		cmocka_unit_test(the_inbox_skips_what_cannot_be_read),
		cmocka_unit_test(the_inbox_is_read_on_from_where_it_was_read_last),
		cmocka_unit_test(a_reader_catches_up_with_the_writer),
		cmocka_unit_test(ids_of_people_are_hashed_with_the_runs_salt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
