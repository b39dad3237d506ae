/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/secret.h"
#include "core/base/version.h"
#include "core/io/digest.h"
#include "core/io/json.h"
#include "core/run/journal.h"
#include "tests/unit/fake_shop.h"

static struct value *record(struct journal *j, const char *run)
{
	struct arena *a = journal_arena(j);
	struct value *rec = value_map(a);

	value_set(a, rec, "run", value_string(a, run));
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

/* The header and three records. */
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

/* What a run's plan has of its first environment, whoever reads it back. */
static const struct value *env_of(const struct journal *j)
{
	return value_at(value_get(history_run(&j->history, "r1")->plan, "environments"), 0);
}

static void what_was_seen_while_planning_is_for_who_checks_a_journal(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	CLEANUP(arena_done) struct arena text = ARENA_INIT;
	CLEANUP(sb_done) struct sb bytes = SB_INIT(SB_TEXT_MAX);
	static const char plan[] =
		"{\"environments\":[{\"name\":\"dev\",\"identity\":{\"a.b\":\"1\"},"
		"\"facts\":{\"a\":{\"facts\":{\"b\":\"1\"}}},\"requests\":[\"GET a /\"]}],\"steps\":[]}";
	struct value *rec, *doc;
	struct journal j;
	struct err err;
	const char *at;

	(void)state;
	assert_int_equal(reopen(s, &j, &err), 0);
	assert_int_equal(json_parse(&text, plan, strlen(plan), NULL, NULL, NULL, &doc, &err), 0);
	rec = record(&j, "r1");
	value_set(journal_arena(&j), rec, "plan", doc);
	add(&j, "run", rec);
	arena_done(&text); /* nothing of the record is borrowed */
	for (int again = 0; again < 2; again++) {
		assert_string_equal(value_text_or(value_get(env_of(&j), "name"), ""), "dev");
		assert_int_equal(value_count(value_get(env_of(&j), "identity")), 1);
		assert_null(value_get(env_of(&j), "facts"));
		assert_null(value_get(env_of(&j), "requests"));
		journal_close(&j);
		assert_int_equal(reopen(s, &j, &err), 0);
	}
	journal_close(&j);
	journal_start(&j, &s->store, &s->sys);
	assert_int_equal(s->store.read_all(s->store.ctx, JOURNAL_NAME, &bytes, &err), 0);
	at = bytes.buf;
	while (journal_take(&j, &at, bytes.buf + bytes.len, &err))
		;
	assert_int_equal(err.code, 0);
	assert_int_equal(value_count(value_get(env_of(&j), "facts")), 1);
	assert_int_equal(value_count(value_get(env_of(&j), "requests")), 1);
	journal_close(&j);
	shop_free(s);
}

static void records_are_numbered_and_chained_and_read_back(void **state)
{
	struct shop *s = make();
	struct journal j;
	struct err err;

	(void)state;
	assert_int_equal(shop_journal_count(s, "\"format\":1,\"n\":1,\"prev\":\"\""), 1);
	assert_int_equal(shop_journal_count(s, "\"tool\":\"" S2SCTL_VERSION "\""), 1);
	assert_int_equal(shop_journal_count(s, "\"n\":2,\"plan\":{},\"prev\":\""), 1);
	assert_int_equal(shop_journal_count(s, "\"prev\":\""), 4);
	assert_int_equal(shop_journal_count(s, "\"at\":\"2026-11-24T10:00:00Z\""), 4);
	assert_int_equal(reopen(s, &j, &err), 0);
	assert_int_equal(j.records, 4);
	assert_int_equal(strlen(j.head), 64);
	assert_int_equal(j.history.run_count, 1);
	step(&j, "intent");
	assert_int_equal(j.records, 5);
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
		assert_int_equal(j.records, 3);
		journal_close(&j);
	}
	assert_true(cut > 50);
	shop_free(s);
}

static void an_edited_record_is_named(void **state)
{
	struct shop *s = make();
	char *second = strchr(strchr(s->w->journal, '\n') + 1, '\n') + 1;
	struct journal j;
	struct err err;

	(void)state;
	memcpy(strstr(second, "dev/a/b"), "dev/a/c", 7);
	assert_int_equal(reopen(s, &j, &err), -E_IO);
	assert_non_null(strstr(err.msg, "record 4 does not follow"));
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
	assert_int_equal(j.records, 4);
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
	add(&j, "lost", rec);
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
	assert_int_equal(j.records, 2);

	rec = record(&j, "r1");
	value_set(journal_arena(&j), rec, "why", filling(&j, SB_TEXT_MAX + 5000));
	assert_int_equal(journal_add(&j, "lost", rec, &err), -E_IO);
	assert_non_null(strstr(err.msg, "larger"));
	assert_int_equal(j.records, 2);
	journal_close(&j);
	err_clear(&err);
	assert_int_equal(journal_open(&j, &store, &s->sys, &err), 0);
	journal_close(&j);
	sb_done(&big);
	shop_free(s);
}

static void the_inbox_names_what_is_no_acknowledgement_and_goes_on_behind_it(void **state)
{
	struct shop *s = make();
	struct arena a = ARENA_INIT;
	struct value *list = NULL, *ack = value_map(&a);
	struct err err = ERR_INIT;
	size_t at = 0, whole;

	(void)state;
	assert_int_equal(journal_inbox(&s->store, &at, &a, &list, &err), 0);
	assert_int_equal(value_count(list), 0);
	value_set(&a, ack, "id", value_string(&a, "1"));
	value_set(&a, ack, "step", value_string(&a, "dev/a/b"));
	assert_int_equal(journal_inbox_add(&s->store, ack, &err), 0);
	assert_int_equal(s->store.append(s->store.ctx, INBOX_NAME, "{broken", 7, &err), 0);
	assert_int_equal(s->store.append(s->store.ctx, INBOX_NAME, "{\"id\":\"2\"}", 10, &err), 0);
	assert_int_equal(journal_inbox_add(&s->store, ack, &err), 0);
	whole = s->w->inbox_len;
	memcpy(s->w->inbox + s->w->inbox_len, "{\"id\":\"torn\"}", 13);
	s->w->inbox_len += 13;
	assert_int_equal(journal_inbox(&s->store, &at, &a, &list, &err), 0);
	assert_int_equal(value_count(list), 4);
	assert_null(value_get(value_at(list, 0), "refused"));
	assert_non_null(value_get(value_at(list, 1), "refused"));
	assert_memory_equal(value_text(value_get(value_at(list, 1), "id")), "line-", 5);
	assert_non_null(value_get(value_at(list, 2), "refused"));
	assert_null(value_get(value_at(list, 3), "refused"));
	assert_int_equal(at, whole);

	/* Nothing is read twice; the torn line is one once it is whole. */
	assert_int_equal(journal_inbox(&s->store, &at, &a, &list, &err), 0);
	assert_int_equal(value_count(list), 0);
	s->w->inbox[s->w->inbox_len++] = '\n';
	assert_int_equal(journal_inbox(&s->store, &at, &a, &list, &err), 0);
	assert_int_equal(value_count(list), 1);
	arena_done(&a);
	shop_free(s);
}

static void a_line_of_the_inbox_has_an_end(void **state)
{
	static char note[INBOX_LINE_MAX];
	struct shop *s = make();
	struct arena a = ARENA_INIT;
	struct value *list = NULL, *ack = value_map(&a);
	struct err err = ERR_INIT;
	size_t at = 0;

	(void)state;
	memset(note, 'x', sizeof(note) - 1);
	value_set(&a, ack, "id", value_string(&a, "1"));
	value_set(&a, ack, "step", value_string(&a, note));
	assert_int_equal(journal_inbox_add(&s->store, ack, &err), -E_USAGE);
	assert_int_equal(s->w->inbox_len, 0);
	memset(s->w->inbox, '1', sizeof(s->w->inbox));
	s->w->inbox[sizeof(s->w->inbox) - 1] = '\n';
	s->w->inbox_len = sizeof(s->w->inbox);
	assert_int_equal(journal_inbox(&s->store, &at, &a, &list, &err), 0);
	assert_int_equal(value_count(list), 1); /* a number of 64 KiB, which is no map either */
	assert_non_null(value_get(value_at(list, 0), "refused"));
	arena_done(&a);
	shop_free(s);
}

/* ---- who wrote it ---- */

/* A journal of these lines, chained and numbered. */
static void write_lines(struct shop *s, const char *const *members)
{
	char head[65] = "";

	s->w->journal_len = 0;
	for (int n = 1; members[n - 1]; n++) {
		char *line = s->w->journal + s->w->journal_len;
		int len = snprintf(line, 4096, "{%s,\"n\":%d,\"prev\":\"%s\"}", members[n - 1], n,
				   head);

		digest_hex(line, (size_t)len, head);
		line[len] = '\n';
		s->w->journal_len += (size_t)len + 1;
	}
}

static void assert_refused(const char *const *members, const char *words, const char *hint)
{
	struct shop *s = shop_new(shop_one_env);
	struct journal j;
	struct err err;

	write_lines(s, members);
	assert_int_equal(reopen(s, &j, &err), -E_REFUSED);
	if (!strstr(err.msg, words) || !strstr(err.hint, hint))
		fail_msg("%s\n%s", err.msg, err.hint);
	journal_close(&j);
	shop_free(s);
}

#define HEADER "\"type\":\"journal\",\"format\":1,\"tool\":\"9.8.7\""

static void a_journal_of_another_tool_or_format_is_refused_naming_it(void **state)
{
	(void)state;
	assert_refused((const char *const[]){ "\"type\":\"run\",\"run\":\"r1\",\"plan\":{}", NULL },
		       "record 1 does not say which format", "nothing was sent");
	assert_refused((const char
				*const[]){ "\"type\":\"journal\",\"format\":2,\"tool\":\"9.8.7\"",
					   NULL },
		       "s2sctl 9.8.7 wrote it in format 2", "Go on with s2sctl 9.8.7");
	assert_refused((const char *const[]){ "\"type\":\"journal\",\"format\":\"1\"", NULL },
		       "format 0", "nothing was sent");
	assert_refused((const char *const[]){ HEADER, "\"type\":\"teleport\",\"run\":\"r1\"",
					      NULL },
		       "record 2 is of a type 'teleport'", "a newer one");
	assert_refused((const char *const[]){ HEADER, "\"type\":\"lock\",\"tool\":\"10.0\"",
					      "\"type\":\"teleport\"", NULL },
		       "s2sctl 10.0 wrote it", "a newer one");
}

static void a_header_stands_at_the_top_and_nowhere_else(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct journal j;
	struct err err;

	(void)state;
	write_lines(s, (const char *const[]){ HEADER, HEADER, NULL });
	assert_int_equal(reopen(s, &j, &err), -E_IO);
	assert_non_null(strstr(err.msg, "record 2"));
	journal_close(&j);
	shop_free(s);
}

static void a_record_that_nobody_could_read_back_is_not_written(void **state)
{
	struct shop *s = make();
	size_t appends = s->w->appends;
	struct journal j;
	struct err err;

	(void)state;
	assert_int_equal(reopen(s, &j, &err), 0);
	assert_int_equal(journal_add(&j, "teleport", record(&j, "r1"), &err), -E_BUG);
	assert_int_equal(s->w->appends, appends);
	journal_close(&j);
	shop_free(s);
}

static const struct store_owner *ann(void *ctx)
{
	static const struct store_owner who = { .user = "ann",
						.host = "build7",
						.boot = "b1",
						.since = "2026-11-24T10:00:00Z",
						.pid = 42 };

	(void)ctx;
	return &who;
}

static void each_writer_says_who_it_is_before_its_first_record(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct journal j;
	struct err err;

	(void)state;
	s->store.owner = ann;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(reopen(s, &j, &err), 0);
		journal_close(&j);
	}
	assert_int_equal(s->w->appends, 0); /* who writes nothing leaves no trace */
	assert_int_equal(reopen(s, &j, &err), 0);
	begin(&j);
	step(&j, "intent");
	journal_close(&j);
	assert_int_equal(reopen(s, &j, &err), 0);
	step(&j, "outcome");
	assert_int_equal(j.records, 6);
	journal_close(&j);
	assert_int_equal(
		shop_journal_count(s, "\"boot\":\"b1\",\"host\":\"build7\",\"n\":2,\"pid\":42"), 1);
	assert_int_equal(shop_journal_count(s, "\"type\":\"lock\""), 2);
	shop_free(s);
}

/* ---- the end, which a chain alone does not hold ---- */

static char note_text[256];

static void put_note(void *ctx, const char *name, const char *text)
{
	(void)ctx;
	assert_string_equal(name, JOURNAL_NAME);
	snprintf(note_text, sizeof(note_text), "%s", text);
}

static void get_note(void *ctx, const char *name, struct sb *ret)
{
	(void)ctx;
	(void)name;
	sb_add(ret, note_text);
}

static struct shop *make_noted(void)
{
	struct shop *s = shop_new(shop_one_env);
	struct journal j;
	struct err err;

	note_text[0] = '\0';
	s->store.put_note = put_note;
	s->store.get_note = get_note;
	assert_int_equal(reopen(s, &j, &err), 0);
	begin(&j);
	step(&j, "intent");
	step(&j, "outcome");
	journal_close(&j);
	return s;
}

static void a_cut_behind_whole_records_shows(void **state)
{
	struct shop *s = make_noted();
	size_t whole = s->w->journal_len;
	struct journal j;
	struct err err;

	(void)state;
	assert_int_equal(reopen(s, &j, &err), 0);
	journal_close(&j);
	while (s->w->journal[s->w->journal_len - 2] != '\n')
		s->w->journal_len--;
	s->w->journal_len--;
	assert_int_equal(reopen(s, &j, &err), -E_IO);
	assert_non_null(strstr(err.msg, "cut behind record 3: 4 had been written"));
	journal_close(&j);
	s->w->journal_len = whole - 1; /* cut within the last record, which had been written */
	assert_int_equal(reopen(s, &j, &err), -E_IO);
	journal_close(&j);
	s->w->journal_len = 0; /* taken away: a beginning */
	assert_int_equal(reopen(s, &j, &err), 0);
	begin(&j);
	journal_close(&j);
	assert_int_equal(reopen(s, &j, &err), 0);
	journal_close(&j);
	shop_free(s);
}

static void an_edited_last_record_shows(void **state)
{
	struct shop *s = make_noted();
	char *last = strstr(s->w->journal, "\"n\":4");
	struct journal j;
	struct err err;

	(void)state;
	memcpy(strstr(last, "dev/a/b"), "dev/a/c", 7);
	assert_int_equal(reopen(s, &j, &err), -E_IO);
	assert_non_null(strstr(err.msg, "record 4 is not the one that was written"));
	journal_close(&j);
	shop_free(s);
}

static void a_note_that_is_older_torn_or_missing_is_no_reason_to_stop(void **state)
{
	struct shop *s = make_noted();
	const char *const notes[] = { "", "4", "4 abc 4", "3 no hash", "x" };
	struct journal j;
	struct err err;
	char older[256];

	(void)state;
	snprintf(older, sizeof(older), "%s", note_text);
	assert_int_equal(reopen(s, &j, &err), 0);
	step(&j, "intent");
	journal_close(&j);
	snprintf(note_text, sizeof(note_text), "%s", older);
	assert_int_equal(reopen(s, &j, &err), 0); /* killed between the record and its note */
	assert_int_equal(j.records, 5);
	journal_close(&j);
	for (size_t i = 0; i < ARRAY_LEN(notes); i++) {
		snprintf(note_text, sizeof(note_text), "%s", notes[i]);
		assert_int_equal(reopen(s, &j, &err), 0);
		journal_close(&j);
	}
	shop_free(s);
}

/* ---- room ---- */

static void room_is_kept_by_number_and_given_back(void **state)
{
	struct shop *s = make();
	struct journal j;
	struct err err;

	(void)state;
	assert_int_equal(reopen(s, &j, &err), 0);
	s->w->disk = s->w->journal_len + 5000;
	assert_int_equal(journal_reserve(&j, 2000, &err), 0);
	assert_int_equal(journal_reserve(&j, 2000, &err), 0);
	assert_int_equal(s->w->reserved, 4000);
	assert_int_equal(journal_reserve(&j, 2000, &err), -E_IO);
	assert_non_null(strstr(err.msg, "no room"));
	assert_non_null(strstr(err.hint, "nothing was sent"));
	assert_int_equal(s->w->reserved, 4000);
	journal_release(&j, 2000);
	assert_int_equal(s->w->reserved, 2000);
	journal_release(&j, 9000);
	assert_int_equal(s->w->reserved, 0);
	journal_close(&j);
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

/* A memo of lines read before saves work, and never a check: what stands there now is what counts. */
static void a_memo_is_asked_only_for_the_same_bytes(void **state)
{
	struct shop *s = make();
	struct journal_memo memo = { .count = 0 };
	struct journal j;
	struct err err;
	char *at;

	(void)state;
	s->store.memo = &memo;
	assert_int_equal(reopen(s, &j, &err), 0);
	step(&j, "intent");
	journal_close(&j);
	assert_int_equal(memo.count, 4);
	assert_int_equal(reopen(s, &j, &err), 0);
	assert_int_equal(j.records, 5);
	assert_int_equal(memo.count, 5);
	assert_ptr_equal(history_run(&j.history, "r1")->plan, value_get(memo.lines[1].rec, "plan"));
	assert_true(history_step(&j.history, history_run(&j.history, "r1"), "dev/a/b")->has_intent);
	journal_close(&j);

	at = strstr(s->w->journal, "\"run\":\"r1\"");
	at[8] = '2';
	assert_int_equal(reopen(s, &j, &err), -E_IO);
	assert_non_null(strstr(err.msg, "edited"));
	journal_close(&j);
	at[8] = '1';
	assert_int_equal(reopen(s, &j, &err), 0);
	assert_int_equal(j.records, 5);
	journal_close(&j);
	journal_memo_done(&memo);
	s->store.memo = NULL;
	shop_free(s);
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
		cmocka_unit_test(the_inbox_names_what_is_no_acknowledgement_and_goes_on_behind_it),
		cmocka_unit_test(a_line_of_the_inbox_has_an_end),
		cmocka_unit_test(a_journal_of_another_tool_or_format_is_refused_naming_it),
		cmocka_unit_test(a_header_stands_at_the_top_and_nowhere_else),
		cmocka_unit_test(a_record_that_nobody_could_read_back_is_not_written),
		cmocka_unit_test(each_writer_says_who_it_is_before_its_first_record),
		cmocka_unit_test(a_cut_behind_whole_records_shows),
		cmocka_unit_test(an_edited_last_record_shows),
		cmocka_unit_test(a_memo_is_asked_only_for_the_same_bytes),
		cmocka_unit_test(a_note_that_is_older_torn_or_missing_is_no_reason_to_stop),
		cmocka_unit_test(room_is_kept_by_number_and_given_back),
		cmocka_unit_test(what_was_seen_while_planning_is_for_who_checks_a_journal),
		cmocka_unit_test(ids_of_people_are_hashed_with_the_runs_salt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
