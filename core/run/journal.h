/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - what an apply did and saw: one canonical JSON record a line, each chained to the one before.
 *
 * A record holds "n" (its number from 1), "prev" (SHA-256 of the line before, "" for the first), "type", "at" (local wall clock) and the
 * members of its type (history.c folds them). It is on disk when journal_add returns, and only then folded. No secret and
 * no personal data: sampled values under the key `contact` are hashed with the run's salt.
 *
 * The first record, "journal", tells the format and which tool wrote it; each writer's first record, "lock", tells who it is and with which tool. Both are
 * written in front of a writer's first record of its own, so that a writer with nothing to say leaves no trace. A record of a type that this tool does not
 * know may mean anything, so the journal is refused.
 *
 * Beside the journal the store keeps a note: number and hash of the last record. A chain alone does not show that its end is missing, or that its last
 * record was edited; the note does.
 *
 * Attestations arrive in a second file, the inbox, which `s2sctl ack` may append to while an apply runs; apply copies them into the journal.
 */
#pragma once
#include "core/api/store.h"
#include "core/base/sys.h"
#include "core/run/history.h"

#define JOURNAL_NAME "journal.jsonl"
#define INBOX_NAME "acks.jsonl"
#define JOURNAL_FORMAT 1
#define INBOX_LINE_MAX ((size_t)64 << 10) /* a longer line is no acknowledgement */

/*
 * Lines that were read before, parsed and hashed: a store may have one, and then whoever opens its journal again and again (a simulation, which
 * spends most of its time so otherwise) pays for each line once. A line is taken from here only where the very same bytes stand at the same place; whether
 * it follows the one before, and what it tells, is judged anew. Lives longer than any journal opened on it; zeroed: empty.
 */
struct journal_memo {
	struct arena arena;
	struct memo_line {
		const char *text;
		size_t len;
		const struct value *rec;
		char hash[65];
		bool lives_on; /* as long as the memo */
	} *lines;
	size_t count, cap;
};
void journal_memo_done(struct journal_memo *m);

struct journal {
	const struct store *store; /* borrowed */
	const struct sys *sys;     /* borrowed */
	struct arena arena;        /* of history, and of its copies of the records of runs */
	struct arena scratch;      /* of records, until they are folded */
	struct history history;
	int64_t records;
	size_t bytes;              /* so far; more than can be read back is never written */
	char head[65];             /* hash of the last line */
	const char *tool;          /* version that wrote last, or NULL */
	bool is_announced;         /* this writer's "lock" record is there */
	bool is_whole;             /* plans stay whole in the history; else without what was seen while planning, which only their digests are made of */
	size_t reserved;           /* bytes kept free behind the end */
	size_t inbox_read;         /* bytes of the inbox looked at so far */
	int64_t noted;             /* the store's note: so many records were there ... */
	char noted_head[65];       /* ... and the last one had this hash; "": no note */
};

/*
 * Reads, checks the chain, folds. A torn last line (a kill in the middle of writing) is left out; other damage is E_IO, naming the record. E_REFUSED: no
 * header, another format, a record of a type that is not known here; it names the tool that wrote it.
 */
int journal_open(struct journal *j, const struct store *store, const struct sys *sys, struct err *err) MUST_USE;
/* Takes up what others have appended since. */
int journal_catch_up(struct journal *j, struct err *err) MUST_USE;
void journal_close(struct journal *j);
/* Adds a record: members come in `rec`, a map in journal_arena(); n, prev, type and at are added here. The history keeps nothing of it but copies. */
int journal_add(struct journal *j, const char *type, struct value *rec, struct err *err) MUST_USE;
struct arena *journal_arena(struct journal *j);     /* of records being made, until journal_tidy */
/* Frees what records were made of. For whoever writes many, where none is being made. */
void journal_tidy(struct journal *j);
/* Writes header and "lock" now, for who needs to know the head before a record of its own. journal_add does it by itself. */
int journal_announce(struct journal *j, struct err *err) MUST_USE;
/* {user, host, boot, pid, since} */
struct value *journal_owner_value(struct arena *a, const struct store_owner *who) MUST_USE;
/*
 * Keeps room for so many more bytes of records to come, on top of what is kept already. E_IO: there is none, and what needs it must not
 * begin. journal_release gives back so much of it, just before it is used.
 */
int journal_reserve(struct journal *j, size_t bytes, struct err *err) MUST_USE;
void journal_release(struct journal *j, size_t bytes);

/*
 * What the inbox holds from byte *at on (0: everything), oldest first, as a list of maps in `a`; *at moves behind it. A line that is no
 * acknowledgement comes as {id, refused: why}; its id is made from its text.
 */
int journal_inbox(const struct store *store, size_t *at, struct arena *a, struct value **ret, struct err *err) MUST_USE;
/* E_USAGE when it is longer than a line may be. */
int journal_inbox_add(const struct store *store, const struct value *ack, struct err *err) MUST_USE;
/*
 * The pieces of journal_open, for who checks a journal instead of using it: start an empty one (with is_whole), take the line at *at, which moves behind it (false: there is
 * no whole line any more, or err says what is wrong with it), and compare the end with the store's note.
 */
void journal_start(struct journal *j, const struct store *store, const struct sys *sys);
bool journal_take(struct journal *j, const char **at, const char *end, struct err *err) MUST_USE;
int journal_check_end(const struct journal *j, struct err *err) MUST_USE;
/* Hashes a personal id with a run's salt: 16 hex digits in `a`. */
const char *journal_hash_id(struct arena *a, const char *salt, const char *id) MUST_USE;
