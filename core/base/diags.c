/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/diags.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/sb.h"

#define MSG_MAX 2048
#define WORD_MAX 64

void diags_init(struct diags *d, struct arena *arena)
{
	*d = (struct diags){ .arena = arena };
}

/*
 * The slot for one more, or NULL when it is only counted. An error pushes out a lesser one: a
 * reader who sees only warnings would not know why the tool stops.
 */
static struct diag *slot(struct diags *d, enum diag_level level)
{
	if (d->count < DIAGS_MAX) {
		d->list = arena_grow(d->arena, d->list, d->count, &d->cap, sizeof(*d->list));
		return &d->list[d->count++];
	}
	if (level != DIAG_ERROR)
		return NULL;
	for (size_t i = d->count; i-- > 0;) {
		if (d->list[i].level != DIAG_ERROR) {
			memmove(&d->list[i], &d->list[i + 1],
				(d->count - i - 1) * sizeof(*d->list));
			return &d->list[d->count - 1];
		}
	}
	return NULL;
}

static const char *keep_visible(struct arena *a, const char *text)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(4 * MSG_MAX);

	sb_add_visible(&s, text);
	return arena_strndup(a, s.buf, s.len);
}

static void add(struct diags *d, const struct diag *what)
{
	struct diag *to;

	if (what->level == DIAG_ERROR)
		d->errors++;
	else if (what->level == DIAG_WARNING)
		d->warnings++;
	to = slot(d, what->level);
	if (!to)
		return;
	*to = *what;
	to->rule = arena_strdup(d->arena, what->rule);
	to->msg = keep_visible(d->arena, what->msg);
	to->hint = what->hint && what->hint[0] ? keep_visible(d->arena, what->hint) : NULL;
}

void diags_add(struct diags *d, enum diag_level level, struct src_pos pos, const char *rule,
	       const char *hint, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb msg = SB_INIT(MSG_MAX);
	va_list ap;

	va_start(ap, fmt);
	sb_addv(&msg, fmt, ap);
	va_end(ap);
	if (msg.over) {
		/* Too long to be read; the words before the first argument say what it is. */
		sb_reset(&msg);
		sb_addn(&msg, fmt, strcspn(fmt, "%"));
		sb_add(&msg, "...");
	}
	add(d, &(struct diag){ level, pos, rule, msg.buf, hint });
}

void diags_add_err(struct diags *d, const char *rule, const struct err *err)
{
	assert(err->code != E_NONE);
	add(d, &(struct diag){ DIAG_ERROR, err->pos, rule, err->msg, err->hint });
}

static int compare(const struct diag *a, const struct diag *b)
{
	int by_file = strcmp(a->pos.file ? a->pos.file : "", b->pos.file ? b->pos.file : "");

	if (by_file)
		return by_file;
	if (a->pos.line != b->pos.line)
		return a->pos.line < b->pos.line ? -1 : 1;
	if (a->pos.col != b->pos.col)
		return a->pos.col < b->pos.col ? -1 : 1;
	return 0;
}

void diags_sort(struct diags *d)
{
	for (size_t i = 1; i < d->count; i++) {
		struct diag one = d->list[i];
		size_t j = i;

		for (; j > 0 && compare(&d->list[j - 1], &one) > 0; j--)
			d->list[j] = d->list[j - 1];
		d->list[j] = one;
	}
}

static const char *level_name(enum diag_level level)
{
	switch (level) {
	case DIAG_ERROR:
		return "error";
	case DIAG_WARNING:
		return "warning";
	case DIAG_NOTE:
		return "note";
	}
	return "error";
}

static void print_one(const struct diag *one, struct sb *out)
{
	if (one->pos.file) {
		sb_add_visible(out, one->pos.file);
		if (one->pos.line)
			sb_addf(out, ":%u", one->pos.line);
		if (one->pos.line && one->pos.col)
			sb_addf(out, ":%u", one->pos.col);
		sb_add(out, ": ");
	}
	sb_addf(out, "%s: %s\n", level_name(one->level), one->msg);
	if (one->hint)
		sb_addf(out, "  hint: %s\n", one->hint);
}

void diags_print(const struct diags *d, struct sb *out)
{
	size_t errors = d->errors, warnings = d->warnings;

	for (size_t i = 0; i < d->count; i++) {
		print_one(&d->list[i], out);
		if (d->list[i].level == DIAG_ERROR)
			errors--;
		else if (d->list[i].level == DIAG_WARNING)
			warnings--;
	}
	if (errors)
		sb_addf(out, "and %zu more error%s\n", errors, errors == 1 ? "" : "s");
	if (warnings)
		sb_addf(out, "and %zu more warning%s\n", warnings, warnings == 1 ? "" : "s");
}

/* Edit distance in which two swapped neighbours count as one: the commonest slip of fingers. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *old = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		old[j] = last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *spare = old;

		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);

			best = MIN_OF(best, last[j] + 1);
			best = MIN_OF(best, now[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN_OF(best, old[j - 2] + 1);
			now[j] = best;
		}
		old = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

const char *diags_nearest(const char *word, const char *const *candidates, size_t count)
{
	size_t len = strlen(word), best;
	const char *found = NULL;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	/* One more than allowed; a word of which nothing is left is no likeness either. */
	best = MIN_OF(1 + len / 4 + 1, len);
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]), d;

		if (other > WORD_MAX)
			continue;
		d = distance(word, len, candidates[i], other);
		if (d < best) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}
