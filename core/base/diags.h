/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diags.h - every mistake in a file at once, sorted by position.
 *
 * struct err is for "stop now"; this is for validation. Text is kept in the arena handed to
 * diags_init. At most DIAGS_MAX are kept, the rest are counted.
 */
#pragma once
#include "core/base/arena.h"
#include "core/base/err.h"

#define DIAGS_MAX 200
enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag {
	enum diag_level level;
	struct src_pos pos;
	const char *rule; /* stable name for machines, e.g. "unknown-key" */
	const char *msg;
	const char *hint; /* or NULL */
};
struct diags {
	struct arena *arena; /* borrowed */
	struct diag *list;
	size_t count, cap;
	size_t errors, warnings; /* all, also those past DIAGS_MAX */
};

void diags_init(struct diags *d, struct arena *arena);
void diags_add(struct diags *d, enum diag_level level, struct src_pos pos, const char *rule, const char *hint, const char *fmt, ...) PRINTF_LIKE(6, 7); /* hint is copied; may be NULL */
void diags_add_err(struct diags *d, const char *rule, const struct err *err); /* an err becomes a DIAG_ERROR */
void diags_sort(struct diags *d);                                              /* by file, line, column; stable */
struct sb;
void diags_print(const struct diags *d, struct sb *out); /* one "file:line:col: level: msg\n  hint: ...\n" each, then what was cut */

/* Did-you-mean: the candidate nearest to `word` (edit distance at most 1 + len/4), or NULL. */
const char *diags_nearest(const char *word, const char *const *candidates, size_t count);
