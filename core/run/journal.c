/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/redact.h"
#include "core/base/value_share.h"
#include "core/base/version.h"
#include "core/base/when.h"
#include "core/io/digest.h"
#include "core/io/json.h"

#define JOURNAL_MAX ((size_t)256 << 20)
#define NODES_MAX ((size_t)20000000) /* the plan of thousands of environments is one record */

#define SCRATCH_KEPT ((size_t)64 << 10) /* below it nothing is worth giving back */

struct arena *journal_arena(struct journal *j)
{
	return &j->scratch;
}

void journal_tidy(struct journal *j)
{
	if (j->scratch.used > SCRATCH_KEPT)
		arena_done(&j->scratch);
}

void journal_close(struct journal *j)
{
	history_done(&j->history);
	arena_done(&j->scratch);
	arena_done(&j->arena);
}

/* ---- reading ---- */

static int check_header(const struct journal *j, const struct value *rec, struct err *err)
{
	const char *tool = value_text_or(value_get(rec, "tool"), "(unknown)");
	int64_t format = value_int_or(value_get(rec, "format"), 0);

	if (strcmp(value_text_or(value_get(rec, "type"), ""), "journal") != 0) {
		err_set(err, E_REFUSED,
			"%s: record 1 does not say which format it has: it was not written by this tool (s2sctl %s)",
			JOURNAL_NAME, S2SCTL_VERSION);
		return err_hint(
			err,
			"nothing was sent. Go on with the tool that wrote it, or move '%s' away",
			j->store->place(j->store->ctx));
	}
	if (format != JOURNAL_FORMAT) {
		err_set(err, E_REFUSED,
			"%s: s2sctl %.40s wrote it in format %lld; this is s2sctl %s, which knows format %d",
			JOURNAL_NAME, tool, (long long)format, S2SCTL_VERSION, JOURNAL_FORMAT);
		return err_hint(err, "nothing was sent. Go on with s2sctl %.40s", tool);
	}
	return 0;
}

static int check_type(const struct journal *j, const struct value *rec, int64_t n, struct err *err)
{
	const char *type = value_text_or(value_get(rec, "type"), "");

	if (history_knows(type) && (n == 1) == (strcmp(type, "journal") == 0))
		return 0;
	if (history_knows(type))
		return err_set(err, E_IO, "%s: record %lld is a second header", JOURNAL_NAME,
			       (long long)n);
	err_set(err, E_REFUSED,
		"%s: record %lld is of a type '%.60s' that s2sctl %s does not know; s2sctl %.40s wrote it",
		JOURNAL_NAME, (long long)n, type, S2SCTL_VERSION, j->tool ? j->tool : "(unknown)");
	return err_hint(err, "nothing was sent. Go on with the tool that wrote it, or a newer one");
}

static void take_tool(struct journal *j, const struct value *rec)
{
	const char *tool = value_text(value_get(rec, "tool"));

	if (tool && strcmp(tool, j->tool ? j->tool : "") != 0)
		j->tool = arena_strdup(&j->arena, tool);
}

static int check_noted(const struct journal *j, int64_t n, const char *hash, struct err *err)
{
	if (*j->noted_head && n == j->noted && strcmp(hash, j->noted_head) != 0)
		return err_set(err, E_IO, "%s: record %lld is not the one that was written",
			       JOURNAL_NAME, (long long)n);
	return 0;
}

static bool is_run(const struct value *rec)
{
	return strcmp(value_text_or(value_get(rec, "type"), ""), "run") == 0;
}

/* A map without some of its members. What lies below is shared. */
static struct value *without(struct arena *a, const struct value *map, const char *const *keys)
{
	struct value *out = value_map_sized(a, value_count(map));

	for (size_t i = 0; value_key_at(map, i); i++) {
		const char *const *k = keys;

		while (*k && strcmp(*k, value_key_at(map, i)) != 0)
			k++;
		if (!*k)
			value_add(a, out, value_key_at(map, i), value_at(map, i));
	}
	return out;
}

/*
 * A run's record without what was seen while planning: it stands in the journal for who computes digests, and a run goes on from fresh looks. Of a
 * fleet's plan this is a third.
 */
static const struct value *without_evidence(struct arena *a, const struct value *rec)
{
	static const char *const plan_key[] = { "plan", NULL },
				 *const envs_key[] = { "environments", NULL },
				 *const seen[] = { "facts", "requests", "findings", "attest",
						   NULL };
	const struct value *plan = value_get(rec, "plan"), *envs = value_get(plan, "environments");
	struct value *out = without(a, rec, plan_key), *slim = without(a, plan, envs_key),
		     *list = value_list(a);

	for (size_t i = 0; i < value_count(envs); i++)
		value_list_add(a, list, without(a, value_at(envs, i), seen));
	value_add(a, slim, "environments", list);
	value_add(a, out, "plan", plan ? slim : NULL);
	return out;
}

/* A run's record as the history holds it: each thing that its plan says of every environment once. */
static const struct value *run_to_keep(struct journal *j, struct arena *a, const struct value *rec)
{
	return value_copy_sharing(a, j->is_whole ? rec : without_evidence(&j->scratch, rec));
}

/* A record dies once it is folded; a run's lives on. */
static int fold(struct journal *j, const struct value *rec, bool lives_on, struct err *err)
{
	if (!lives_on && is_run(rec))
		rec = run_to_keep(j, &j->arena, rec);
	return history_fold(&j->history, rec, err);
}

static const struct memo_line *recall(const struct journal *j, const char *line, size_t len)
{
	const struct journal_memo *m = j->store->memo;
	const struct memo_line *l;

	if (!m || (size_t)j->records >= m->count)
		return NULL;
	l = &m->lines[j->records];
	return l->len == len && memcmp(l->text, line, len) == 0 ? l : NULL;
}

/* Puts it where the next reader finds it; its record lives as long already. */
static void remember(struct journal *j, struct memo_line *l)
{
	struct journal_memo *m = j->store->memo;
	size_t at = (size_t)j->records;

	if (!m || at > m->count)
		return;
	if (at == m->count) {
		m->lines = arena_grow(&m->arena, m->lines, m->count, &m->cap, sizeof(*m->lines));
		m->count++;
	}
	l->text = arena_strndup(&m->arena, l->text, l->len);
	if (is_run(l->rec))
		l->rec = run_to_keep(j, &m->arena, l->rec);
	l->lives_on = true;
	m->lines[at] = *l;
}

void journal_memo_done(struct journal_memo *m)
{
	arena_done(&m->arena);
}

static int read_line(struct journal *j, const char *line, size_t len, struct memo_line *ret,
		     struct err *err)
{
	static const struct json_limits limits = { .bytes = SB_TEXT_MAX, .nodes = NODES_MAX };
	const struct memo_line *known = recall(j, line, len);
	struct arena *a = j->store->memo ? &j->store->memo->arena : &j->scratch;
	struct err bad = ERR_INIT;
	struct value *rec;

	if (known) {
		*ret = *known;
		return 0;
	}
	if (json_parse(a, line, len, &limits, NULL, NULL, &rec, &bad) < 0)
		return err_set(err, E_IO, "%s: record %lld: %s", JOURNAL_NAME,
			       (long long)j->records + 1, bad.msg);
	*ret = (struct memo_line){ .text = line, .len = len, .rec = rec };
	digest_hex(line, len, ret->hash);
	remember(j, ret);
	return 0;
}

static int take_line(struct journal *j, const char *line, size_t len, struct err *err)
{
	struct memo_line read;
	int64_t n = j->records + 1;

	if (read_line(j, line, len, &read, err) < 0)
		return -err->code;
	if (value_int_or(value_get(read.rec, "n"), 0) != n)
		return err_set(err, E_IO, "%s: record %lld is missing or out of order",
			       JOURNAL_NAME, (long long)n);
	if (strcmp(value_text_or(value_get(read.rec, "prev"), "?"), j->head) != 0)
		return err_set(
			err, E_IO,
			"%s: record %lld does not follow the one before it: one of the two was edited",
			JOURNAL_NAME, (long long)n);
	if (n == 1 && check_header(j, read.rec, err) < 0)
		return -(int)err->code;
	take_tool(j, read.rec);
	if (check_type(j, read.rec, n, err) < 0)
		return -(int)err->code;
	if (fold(j, read.rec, read.lives_on, err) < 0)
		return err_wrap(err, "%s: record %lld", JOURNAL_NAME, (long long)n);
	if (check_noted(j, n, read.hash, err) < 0)
		return -err->code;
	memcpy(j->head, read.hash, sizeof(j->head));
	j->records = n;
	return 0;
}

/* What follows holds this line's hash; without anything behind it nothing speaks against it. */
static bool is_vouched_for(const char *line, size_t len, const char *next, size_t next_len)
{
	char prev[DIGEST_HEX_LEN + 16] = "\"prev\":\"", hex[DIGEST_HEX_LEN + 1];

	digest_hex(line, len, hex);
	memcpy(prev + strlen(prev), hex, sizeof(hex));
	return next_len == 0 || memmem(next, next_len, prev, strlen(prev)) != NULL;
}

bool journal_take(struct journal *j, const char **at, const char *end, struct err *err)
{
	const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line)), *next, *next_stop;
	int64_t n = j->records + 1;

	if (!stop)
		return false;
	if (take_line(j, line, (size_t)(stop - line), err) == 0) {
		journal_tidy(j);
		*at = stop + 1;
		return true;
	}
	next = stop + 1;
	next_stop = memchr(next, '\n', (size_t)(end - next));
	/* An edited record may look like one of another tool's; the one behind it knows better. */
	if (err->code == E_REFUSED && next_stop &&
	    !is_vouched_for(line, (size_t)(stop - line), next, (size_t)(next_stop - next))) {
		err_clear(err);
		err_set(err, E_IO, "%s: record %lld was edited", JOURNAL_NAME, (long long)n);
	}
	return false;
}

/* "<records> <hash of the last> <records>": who reads while it is written sees two numbers. */
static void read_note(struct journal *j)
{
	CLEANUP(sb_done) struct sb note = SB_INIT(256);
	char *hash;

	if (!j->store->get_note)
		return;
	j->store->get_note(j->store->ctx, JOURNAL_NAME, &note);
	j->noted = strtoll(note.buf, &hash, 10);
	if (j->noted > 0 && *hash == ' ' && strlen(hash) > DIGEST_HEX_LEN + 2 &&
	    strtoll(hash + 1 + DIGEST_HEX_LEN, NULL, 10) == j->noted)
		memcpy(j->noted_head, hash + 1, DIGEST_HEX_LEN);
}

int journal_check_end(const struct journal *j, struct err *err)
{
	if (!*j->noted_head || j->noted <= j->records)
		return 0;
	err_set(err, E_IO, "%s: it was cut behind record %lld: %lld had been written", JOURNAL_NAME,
		(long long)j->records, (long long)j->noted);
	return err_hint(
		err,
		"nothing was sent. Bring the whole file back; an older copy that shall count needs '%s.note' removed, in '%s'",
		JOURNAL_NAME, j->store->place(j->store->ctx));
}

void journal_start(struct journal *j, const struct store *store, const struct sys *sys)
{
	*j = (struct journal){ .store = store, .sys = sys, .is_whole = true };
	history_init(&j->history, &j->arena);
	read_note(j);
}

int journal_catch_up(struct journal *j, struct err *err)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(JOURNAL_MAX);
	const struct store *store = j->store;
	const char *at;

	if (store->read_all(store->ctx, JOURNAL_NAME, &text, err) < 0)
		return -err->code;
	if (text.len < j->bytes)
		return err_set(err, E_IO, "%s: it has become shorter", JOURNAL_NAME);
	at = text.buf + j->bytes;
	j->bytes = text.len;
	while (journal_take(j, &at, text.buf + text.len, err))
		;
	if (err->code) {
		err_hint(err, "it lies in '%s'; nothing was sent", store->place(store->ctx));
		return -err->code;
	}
	/*
	 * A last line without its end was being written when the writer died: nothing was sent for it. A journal that is not there at all was
	 * taken away on purpose: that is a beginning.
	 */
	return j->records ? journal_check_end(j, err) : 0;
}

int journal_open(struct journal *j, const struct store *store, const struct sys *sys,
		 struct err *err)
{
	journal_start(j, store, sys);
	j->is_whole = false;
	return journal_catch_up(j, err);
}

/* ---- writing ---- */

static void put_note(const struct journal *j)
{
	char note[128];

	if (!j->store->put_note)
		return;
	(void)snprintf(note, sizeof(note), "%lld %s %lld", (long long)j->records, j->head,
		       (long long)j->records);
	j->store->put_note(j->store->ctx, JOURNAL_NAME, note);
}

static int add(struct journal *j, const char *type, struct value *rec, struct err *err)
{
	CLEANUP(sb_done) struct sb line = SB_INIT(SB_TEXT_MAX);
	struct arena *a = &j->scratch;

	value_add(a, rec, "type", value_borrowed(a, type));
	value_add(a, rec, "n", value_int(a, j->records + 1));
	value_add(a, rec, "prev", value_string(a, j->head));
	value_add(a, rec, "at", value_instant(a, sys_wall_ms(j->sys)));
	json_write(&line, rec, JSON_CANONICAL, NULL);
	redact_text(&line);
	if (line.over)
		return err_set(err, E_IO, "journal: a record '%s' is larger than %zu bytes", type,
			       line.max);
	if (j->bytes + line.len + 1 > JOURNAL_MAX - SB_TEXT_MAX) {
		err_set(err, E_IO,
			"journal: it has grown to %zu MiB, and more could not be read back",
			j->bytes >> 20);
		return err_hint(err, "finish or --abandon its runs, then move '%s' away",
				j->store->place(j->store->ctx));
	}
	if (j->store->append(j->store->ctx, JOURNAL_NAME, line.buf, line.len, err) < 0)
		return err_wrap(err, "journal");
	digest_hex(line.buf, line.len, j->head);
	j->bytes += line.len + 1;
	j->records++;
	put_note(j);
	return fold(j, rec, false, err);
}

static int add_header(struct journal *j, struct err *err)
{
	struct value *rec = value_map(&j->scratch);

	if (*j->noted_head) /* of one that was taken away */
		j->store->put_note(j->store->ctx, JOURNAL_NAME, "");
	value_set(&j->scratch, rec, "format", value_int(&j->scratch, JOURNAL_FORMAT));
	value_set(&j->scratch, rec, "tool", value_string(&j->scratch, S2SCTL_VERSION));
	return add(j, "journal", rec, err);
}

struct value *journal_owner_value(struct arena *a, const struct store_owner *who)
{
	struct value *m = value_map(a);

	value_set(a, m, "user", value_string(a, who->user));
	value_set(a, m, "host", value_string(a, who->host));
	value_set(a, m, "boot", value_string(a, who->boot));
	value_set(a, m, "pid", value_int(a, who->pid));
	if (*who->since)
		value_set(a, m, "since", value_string(a, who->since));
	return m;
}

int journal_announce(struct journal *j, struct err *err)
{
	const struct store *s = j->store;
	struct value *rec;

	if (j->records == 0 && add_header(j, err) < 0)
		return -err->code;
	if (j->is_announced || !s->owner)
		return 0;
	rec = journal_owner_value(&j->scratch, s->owner(s->ctx));
	value_set(&j->scratch, rec, "tool", value_string(&j->scratch, S2SCTL_VERSION));
	if (add(j, "lock", rec, err) < 0)
		return -err->code;
	j->is_announced = true;
	return 0;
}

int journal_add(struct journal *j, const char *type, struct value *rec, struct err *err)
{
	if (!history_knows(type)) /* it could not be read back */
		return err_set(err, E_BUG, "journal: there is no record '%s'", type);
	if (journal_announce(j, err) < 0)
		return -err->code;
	return add(j, type, rec, err);
}

int journal_reserve(struct journal *j, size_t bytes, struct err *err)
{
	const struct store *s = j->store;

	if (s->reserve && s->reserve(s->ctx, JOURNAL_NAME, j->reserved + bytes, err) < 0) {
		err_wrap(err, "no room for what comes of it");
		return err_hint(
			err,
			"nothing was sent for it; make room for '%s', then run the same command again",
			s->place(s->ctx));
	}
	j->reserved += bytes;
	return 0;
}

void journal_release(struct journal *j, size_t bytes)
{
	const struct store *s = j->store;
	struct err err = ERR_INIT;

	j->reserved -= MIN_OF(bytes, j->reserved);
	if (s->reserve && s->reserve(s->ctx, JOURNAL_NAME, j->reserved, &err) < 0)
		err_clear(&err); /* less is always granted */
}

/* ---- the inbox ---- */

static struct value *no_ack(struct arena *a, const char *line, size_t len, const char *why)
{
	struct value *m = value_map(a);
	char hex[DIGEST_HEX_LEN + 1];

	digest_hex(line, len, hex);
	value_set(a, m, "id", value_stringf(a, "line-%.16s", hex));
	value_set(a, m, "refused", value_string(a, why));
	return m;
}

static struct value *read_ack(struct arena *a, const char *line, size_t len)
{
	struct err bad = ERR_INIT;
	struct value *ack;

	if (len > INBOX_LINE_MAX)
		return no_ack(a, line, len, "it is longer than an acknowledgement can be");
	if (json_parse(a, line, len, NULL, NULL, NULL, &ack, &bad) < 0)
		return no_ack(a, line, len, bad.msg);
	if (!value_text(value_get(ack, "id")) || !value_text(value_get(ack, "step")))
		return no_ack(a, line, len, "it has no id or no step");
	return ack;
}

int journal_inbox(const struct store *store, size_t *from, struct arena *a, struct value **ret,
		  struct err *err)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(JOURNAL_MAX);
	struct value *list = value_list(a);
	const char *at, *end;

	if (store->read_from) {
		if (store->read_from(store->ctx, INBOX_NAME, *from, &text, err) < 0)
			return -err->code;
		at = text.buf;
	} else {
		if (store->read_all(store->ctx, INBOX_NAME, &text, err) < 0)
			return -err->code;
		at = text.buf + MIN_OF(*from, text.len);
	}
	for (; (end = memchr(at, '\n', text.len - (size_t)(at - text.buf))) != NULL; at = end + 1) {
		value_list_add(a, list, read_ack(a, at, (size_t)(end - at)));
		*from += (size_t)(end - at) + 1;
	}
	*from = (size_t)(at - text.buf);
	*ret = list;
	return 0;
}

int journal_inbox_add(const struct store *store, const struct value *ack, struct err *err)
{
	CLEANUP(sb_done) struct sb line = SB_INIT((size_t)1 << 20);

	json_write(&line, ack, JSON_CANONICAL, NULL);
	redact_text(&line);
	if (line.len > INBOX_LINE_MAX)
		return err_set(err, E_USAGE,
			       "this is %zu bytes long; an acknowledgement has at most %zu",
			       line.len, INBOX_LINE_MAX);
	return store->append(store->ctx, INBOX_NAME, line.buf, line.len, err);
}

const char *journal_hash_id(struct arena *a, const char *salt, const char *id)
{
	CLEANUP(sb_done) struct sb sb = SB_INIT(4096);
	char hex[DIGEST_HEX_LEN + 1];

	sb_addf(&sb, "%s:%s", salt, id);
	digest_hex(sb.buf, sb.len, hex);
	return arena_strndup(a, hex, 16);
}
