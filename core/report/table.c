/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/table.h"

#include <assert.h>
#include <string.h>

#define GAP 2u
#define COLUMN_LEAST 8u

void table_init(struct table *t, size_t columns, const char *const *heads)
{
	assert(columns > 0 && columns <= TABLE_COLUMNS_MAX);
	*t = (struct table){ .columns = columns };
	if (!heads)
		return;
	t->heads = arena_array(&t->arena, columns, sizeof(*t->heads));
	for (size_t c = 0; c < columns; c++) {
		t->heads[c] = arena_strdup(&t->arena, heads[c]);
		t->natural[c] = text_columns(heads[c]);
	}
}

void table_done(struct table *t)
{
	arena_done(&t->arena);
	*t = (struct table){ 0 };
}

void table_row(struct table *t, enum ink ink, const char *const *cells)
{
	const char **row = arena_array(&t->arena, t->columns, sizeof(*row));

	for (size_t c = 0; c < t->columns; c++) {
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

		text_add(&text, cells[c], CUT_TEXT);
		row[c] = arena_strdup(&t->arena, text.buf);
		t->natural[c] = MAX_OF(t->natural[c], text_columns(row[c]));
	}
	t->rows = arena_grow(&t->arena, t->rows, t->count, &t->cap, sizeof(*t->rows));
	t->inks = arena_grow(&t->arena, t->inks, t->count, &t->ink_cap, sizeof(*t->inks));
	t->inks[t->count] = ink;
	t->rows[t->count++] = row;
}

/* The widest give way first, so that names stay on one line and sentences wrap. */
static void choose_widths(const struct table *t, size_t room, size_t widths[TABLE_COLUMNS_MAX])
{
	size_t total = GAP * (t->columns - 1);

	for (size_t c = 0; c < t->columns; c++) {
		widths[c] = t->natural[c];
		total += widths[c];
	}
	for (; total > room; total--) {
		size_t widest = 0;

		for (size_t c = 1; c < t->columns; c++)
			if (widths[c] >= widths[widest])
				widest = c;
		if (widths[widest] <= COLUMN_LEAST)
			return;
		widths[widest]--;
	}
}

/* The next line of a cell: whole words, or a piece of one that is wider than its column. */
static size_t cell_line(const char *s, size_t width, size_t *ret_columns)
{
	size_t at = 0, columns = 0, good = 0, good_columns = 0;

	while (s[at]) {
		size_t n = utf8_next(s + at, strlen(s + at), NULL), w;
		char one[8] = "";

		n = n ? n : 1;
		memcpy(one, s + at, n);
		w = text_columns(one);
		if (s[at] == ' ') {
			good = at;
			good_columns = columns;
		}
		if (columns + w > width && at) {
			*ret_columns = good ? good_columns : columns;
			return good ? good : at;
		}
		at += n;
		columns += w;
	}
	*ret_columns = columns;
	return at;
}

static void print_row(const struct table *t, const struct report_style *st, unsigned indent,
		      const size_t *widths, const char *const *cells, enum ink first, enum ink rest,
		      struct sb *out)
{
	const char *left[TABLE_COLUMNS_MAX];
	bool more = true;

	for (size_t c = 0; c < t->columns; c++)
		left[c] = cells[c];
	while (more) {
		size_t due = indent;

		more = false;
		for (size_t c = 0; c < t->columns; c++) {
			size_t columns = 0, n = cell_line(left[c], widths[c], &columns);

			if (n) {
				CLEANUP(sb_done) struct sb one = SB_INIT(SB_TEXT_MAX);

				sb_pad(out, ' ', due);
				sb_addn(&one, left[c], n);
				ink_add(out, st, c ? rest : first, one.buf);
				due = 0;
			}
			left[c] += n;
			left[c] += strspn(left[c], " ");
			more |= *left[c] != '\0';
			due += widths[c] - MIN_OF(columns, widths[c]) + GAP;
		}
		sb_addc(out, '\n');
	}
}

void table_print(const struct table *t, const struct report_style *st, unsigned indent,
		 struct sb *out)
{
	size_t widths[TABLE_COLUMNS_MAX], width = style_width(st);

	choose_widths(t, width > indent ? width - indent : width, widths);
	if (t->heads)
		print_row(t, st, indent, widths, t->heads, INK_BOLD, INK_BOLD, out);
	for (size_t r = 0; r < t->count; r++)
		print_row(t, st, indent, widths, t->rows[r], t->inks[r], INK_PLAIN, out);
}
