/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - what an apply did and saw: one canonical JSON record a line, each chained to the one before.
 *
 * A record holds "n" (its number from 1), "prev" (SHA-256 of the line before, "" for the first), "type", "at" (local wall clock) and the
 * members of its type (history.c folds them). It is on disk when journal_add returns, and only then folded. No secret and
 * no personal data: sampled values under the key `contact` are hashed with the run's salt.
 *
 * Attestations arrive in a second file, the inbox, which `s2sctl ack` may append to while an apply runs; apply copies them into the journal.
 */
#pragma once
#include "core/api/store.h"
#include "core/base/sys.h"
#include "core/run/history.h"

#define JOURNAL_NAME "journal.jsonl"
#define INBOX_NAME "acks.jsonl"

struct journal {
	const struct store *store; /* borrowed */
	const struct sys *sys;     /* borrowed */
	struct arena arena;        /* of records and history */
	struct history history;
	int64_t records;
	size_t bytes;              /* so far; more than can be read back is never written */
	char head[65];             /* hash of the last line */
	size_t inbox_read;         /* bytes of it looked at so far */
};

/* Reads, checks the chain, folds. A torn last line (a kill in the middle of writing) is left out; other damage is E_IO, naming the record. */
int journal_open(struct journal *j, const struct store *store, const struct sys *sys, struct err *err) MUST_USE;
/* Takes up what others have appended since. */
int journal_catch_up(struct journal *j, struct err *err) MUST_USE;
void journal_close(struct journal *j);
/* Adds a record: members come in `rec`, a map in journal_arena(); n, prev, type and at are added here. */
int journal_add(struct journal *j, const char *type, struct value *rec, struct err *err) MUST_USE;
struct arena *journal_arena(struct journal *j);

/*
 * The acknowledgements of the inbox, oldest first: a list of maps in `a`. Lines that cannot be read are skipped.
 * @from  in: the byte to begin at, 0 for all; out: where those begin that come next
 */
int journal_inbox(const struct store *store, struct arena *a, size_t *from, struct value **ret, struct err *err) MUST_USE;
int journal_inbox_add(const struct store *store, const struct value *ack, struct err *err) MUST_USE;
/* Hashes a personal id with a run's salt: 16 hex digits in `a`. */
const char *journal_hash_id(struct arena *a, const char *salt, const char *id) MUST_USE;
