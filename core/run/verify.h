/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h - is a journal what was written, and do its receipts say what its records say? Offline; reads and nothing else.
 *
 * Checked: format, numbers, chain, types; the end, against the note beside the journal; of each run the plan's digest, and that its plan still gives
 * the digests that approval and freshness are bound to (not where a secret was blanked out in it; facts only where this build made the plan, for another
 * one may class them otherwise); of each receipt everything that can be made again from the records before it. A torn last line is said and no damage: a process was killed while
 * it wrote, and nothing was sent for it.
 */
#pragma once
#include "core/api/provider.h"
#include "core/run/journal.h"

/*
 * @torn  bytes behind the last whole line
 * Returns a document in `a`: {journal, sound, format, tool, records, head, torn_bytes, noted, damage: [{record, text}], runs: [{run, began_at,
 * state, environments, steps_done, steps, plan_digest, waits}]}. `state` is open, finished or abandoned. Runs are told as far as the journal is
 * sound. E_REFUSED: a journal of another format or tool; E_IO: it cannot be read.
 */
int verify_journal(const struct store *store, const struct sys *sys, const struct registry *reg, size_t torn, struct arena *a, struct value **ret, struct err *err) MUST_USE;
