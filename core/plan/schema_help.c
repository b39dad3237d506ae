/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/base/when.h"
#include "core/plan/schema.h"

#define WIDTH 100
#define TABLES_MAX 512

struct writer {
	struct sb *out;
	struct sb path; /* of the key being written */
	const struct field *tables[TABLES_MAX];
	size_t path_at
		[TABLES_MAX]; /* where `paths` has the path at which the table was written out */
	struct sb paths;
	size_t count;
};

static void write_field(struct writer *w, const struct field *f, unsigned depth);

static const char *kind_word(const struct field *f)
{
	switch (f->kind) {
	case FIELD_STRING:
		return "text";
	case FIELD_ID:
		return "id";
	case FIELD_INT:
		return "whole number";
	case FIELD_BOOL:
		return "true or false";
	case FIELD_SPAN:
		return "span such as 90s, 15m, 24h";
	case FIELD_INSTANT:
		return "instant such as 2026-11-23T10:00:00Z";
	case FIELD_URL:
		return "https address";
	case FIELD_ENUM:
		return "one of";
	case FIELD_SECRET:
		return "env:NAME, file:PATH, exec:COMMAND, or {ref: ..., late: true}";
	case FIELD_PATH:
		return "file, relative to this one";
	case FIELD_MAP:
		return "map";
	case FIELD_LIST:
		return "list of";
	case FIELD_DICT:
		return "map with names of your own";
	}
	return "";
}

static void add_limit(struct sb *out, const struct field *f, int64_t limit)
{
	if (f->kind == FIELD_SPAN)
		when_add_span(out, limit);
	else
		sb_addf(out, "%lld", (long long)limit);
}

static void add_limits(struct sb *out, const struct field *f)
{
	if ((f->kind != FIELD_INT && f->kind != FIELD_SPAN) || (!f->min && !f->max))
		return;
	sb_add(out, f->max ? "; " : "; at least ");
	add_limit(out, f, f->min);
	if (f->max && f->max != f->min) {
		sb_add(out, " to ");
		add_limit(out, f, f->max);
	}
}

/* Breaks at blanks; what cannot be broken may stick out. */
static void add_wrapped(struct sb *out, const char *text, unsigned indent)
{
	size_t col = 0;
	while (*(text += strspn(text, " "))) {
		size_t len = strcspn(text, " ");
		if (col && col + 1 + len > WIDTH) {
			sb_addc(out, '\n');
			col = 0;
		}
		if (col) {
			sb_addc(out, ' ');
			col++;
		} else {
			sb_pad(out, ' ', indent);
			col = indent;
		}
		sb_addn(out, text, len);
		col += len;
		text += len;
	}
	if (col)
		sb_addc(out, '\n');
}

static void add_names(struct sb *out, const struct field *f)
{
	for (const char *const *n = f->names; *n; n++)
		sb_addf(out, "%s%s", n == f->names ? " " : ", ", *n);
}

static void add_item_kind(struct sb *out, const struct field *f)
{
	const struct field *item = &f->sub[0];
	sb_addf(out, " %s", kind_word(item));
	if (item->kind == FIELD_ENUM)
		add_names(out, item);
}

static void write_head(struct writer *w, const struct field *f, unsigned depth)
{
	CLEANUP(sb_done) struct sb line = SB_INIT(8192);
	sb_addf(&line, "%s: ", f->name);
	if (f->kind != FIELD_MAP)
		sb_add(&line, kind_word(f));
	if (f->kind == FIELD_ENUM)
		add_names(&line, f);
	if (f->kind == FIELD_LIST)
		add_item_kind(&line, f);
	add_limits(&line, f);
	if (f->flags & FIELD_FROM_ENV)
		sb_add(&line, "; may be env:NAME");
	if (f->flags & FIELD_REQUIRED && !f->def)
		sb_add(&line, f->kind == FIELD_MAP ? "required" : "; required");
	if (f->flags & FIELD_ONE_OF)
		sb_add(&line, "; exactly one of those marked so");
	if (f->def)
		sb_addf(&line, "; default %s", *f->def ? f->def : "\"\"");
	add_wrapped(w->out, line.buf, depth * 2);
	if (f->doc)
		add_wrapped(w->out, f->doc, depth * 2 + 4);
}

/* Tables that stand in several places are written out once. */
static bool is_written_before(struct writer *w, const struct field *table, unsigned depth)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->tables[i] != table)
			continue;
		sb_pad(w->out, ' ', (size_t)depth * 2);
		sb_addf(w->out, "(its keys: see %s)\n", w->paths.buf + w->path_at[i]);
		return true;
	}
	if (w->count < TABLES_MAX) {
		w->tables[w->count] = table;
		w->path_at[w->count++] = w->paths.len;
		sb_addn(&w->paths, w->path.buf, w->path.len + 1);
	}
	return false;
}

static void write_table(struct writer *w, const struct field *table, unsigned depth)
{
	for (; table && table->name; table++)
		write_field(w, table, depth);
}

static void write_field(struct writer *w, const struct field *f, unsigned depth)
{
	size_t len = w->path.len;
	sb_addf(&w->path, "%s%s", len ? "." : "", f->name);
	write_head(w, f, depth);
	if (f->kind == FIELD_MAP && f->sub && f->sub->name &&
	    !is_written_before(w, f->sub, depth + 1))
		write_table(w, f->sub, depth + 1);
	if (f->kind == FIELD_DICT)
		write_field(w, &f->sub[0], depth + 1);
	if (f->kind == FIELD_LIST && f->sub[0].kind == FIELD_MAP)
		write_table(w, f->sub[0].sub, depth + 1);
	sb_shrink(&w->path, len);
}

static const struct field *find(const struct field *table, const char *path)
{
	char name[128];
	for (;;) {
		size_t len = strcspn(path, ".");
		if (!len || len >= sizeof(name))
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		const struct field *f = schema_field(table, name);
		if (!f || !path[len])
			return f;
		path += len + 1;
		if (f->kind == FIELD_DICT) {
			/* Whatever stands for the name of an entry leads to the same table. */
			path += strcspn(path, ".");
			f = &f->sub[0];
			if (!*path)
				return f;
			path++;
		}
		if (f->kind == FIELD_LIST)
			f = &f->sub[0];
		if (f->kind != FIELD_MAP)
			return NULL;
		table = f->sub;
	}
}

int schema_help(const struct field *table, const char *path, struct sb *out)
{
	struct writer w = { .out = out, .path = SB_INIT(4096), .paths = SB_INIT(SB_TEXT_MAX) };
	const struct field *f = path ? find(table, path) : NULL;
	if (path && !f)
		return -1;
	if (f)
		write_field(&w, f, 0);
	else
		write_table(&w, table, 0);
	sb_done(&w.path);
	sb_done(&w.paths);
	return 0;
}
