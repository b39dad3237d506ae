/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - columns that line up: for doctor, capabilities and the like.
 *
 * Cells are copied, masked and cut to CUT_TEXT when they come in. A table that is wider than the page has its widest columns wrapped.
 */
#pragma once
#include "core/report/lines.h"

#define TABLE_COLUMNS_MAX 16u

struct table {
	struct arena arena;
	size_t columns;
	const char **heads;          /* NULL: a table without a head */
	const char ***rows;
	enum ink *inks;              /* of each row's first cell */
	size_t count, cap, ink_cap;
	size_t natural[TABLE_COLUMNS_MAX];
};

/* @heads  `columns` texts, or NULL. At most TABLE_COLUMNS_MAX columns. */
void table_init(struct table *t, size_t columns, const char *const *heads);
void table_done(struct table *t);
/* @cells  `columns` texts; NULL is an empty cell. @ink  of the first one: what a reader should see first */
void table_row(struct table *t, enum ink ink, const char *const *cells);
void table_print(const struct table *t, const struct report_style *st, unsigned indent, struct sb *out);
