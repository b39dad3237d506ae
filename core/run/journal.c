/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/journal.h"

#include <string.h>

#include "core/base/redact.h"
#include "core/base/when.h"
#include "core/io/digest.h"
#include "core/io/json.h"

#define JOURNAL_MAX ((size_t)256 << 20)
#define NODES_MAX ((size_t)20000000) /* the plan of thousands of environments is one record */

struct arena *journal_arena(struct journal *j)
{
	return &j->arena;
}

void journal_close(struct journal *j)
{
	arena_done(&j->arena);
}

static int take_line(struct journal *j, const char *line, size_t len, struct err *err)
{
	static const struct json_limits limits = { .bytes = SB_TEXT_MAX, .nodes = NODES_MAX };
	struct err bad = ERR_INIT;
	struct value *rec;
	int64_t n = j->records + 1;

	if (json_parse(&j->arena, line, len, &limits, NULL, NULL, &rec, &bad) < 0)
		return err_set(err, E_IO, "%s: record %lld: %s", JOURNAL_NAME, (long long)n,
			       bad.msg);
	if (value_int_or(value_get(rec, "n"), 0) != n)
		return err_set(err, E_IO, "%s: record %lld is missing or out of order",
			       JOURNAL_NAME, (long long)n);
	if (strcmp(value_text_or(value_get(rec, "prev"), "?"), j->head) != 0)
		return err_set(
			err, E_IO,
			"%s: record %lld does not follow the one before it: one of the two was edited",
			JOURNAL_NAME, (long long)n);
	if (history_fold(&j->history, rec, err) < 0)
		return err_wrap(err, "%s: record %lld", JOURNAL_NAME, (long long)n);
	digest_hex(line, len, j->head);
	j->records = n;
	return 0;
}

int journal_catch_up(struct journal *j, struct err *err)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(JOURNAL_MAX);
	const struct store *store = j->store;
	const char *at, *end;

	if (store->read_all(store->ctx, JOURNAL_NAME, &text, err) < 0)
		return -err->code;
	if (text.len < j->bytes)
		return err_set(err, E_IO, "%s: it has become shorter", JOURNAL_NAME);
	for (at = text.buf + j->bytes;
	     (end = memchr(at, '\n', text.len - (size_t)(at - text.buf))) != NULL; at = end + 1)
		if (take_line(j, at, (size_t)(end - at), err) < 0) {
			err_hint(err, "it lies in '%s'; nothing was sent",
				 store->place(store->ctx));
			return -err->code;
		}
	j->bytes = text.len;
	return 0; /* a last line without its end was being written when the writer died: nothing was sent for it */
}

int journal_open(struct journal *j, const struct store *store, const struct sys *sys,
		 struct err *err)
{
	*j = (struct journal){ .store = store, .sys = sys };
	history_init(&j->history, &j->arena);
	return journal_catch_up(j, err);
}

int journal_add(struct journal *j, const char *type, struct value *rec, struct err *err)
{
	CLEANUP(sb_done) struct sb line = SB_INIT(SB_TEXT_MAX);
	struct arena *a = &j->arena;

	value_set(a, rec, "type", value_string(a, type));
	value_set(a, rec, "n", value_int(a, j->records + 1));
	value_set(a, rec, "prev", value_string(a, j->head));
	value_set(a, rec, "at", value_instant(a, sys_wall_ms(j->sys)));
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
	return history_fold(&j->history, rec, err);
}

int journal_inbox(const struct store *store, struct arena *a, size_t *from, struct value **ret,
		  struct err *err)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(JOURNAL_MAX);
	struct value *list = value_list(a);
	const char *at, *end;

	if (store->read_all(store->ctx, INBOX_NAME, &text, err) < 0)
		return -err->code;
	if (*from > text.len)
		*from = 0; /* it is another file now */
	for (at = text.buf + *from; (end = memchr(at, '\n', text.len - (size_t)(at - text.buf)));
	     at = end + 1) {
		struct err bad = ERR_INIT;
		struct value *ack;

		if (json_parse(a, at, (size_t)(end - at), NULL, NULL, NULL, &ack, &bad) == 0)
			value_list_add(a, list, ack);
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
