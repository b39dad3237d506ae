/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/text_rehearsal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/report/table.h"

#define COMMANDS_SHOWN 12
#define COLUMN_LEGEND 8u
#define NAMES_FROM 110u /* columns of a page that has room for steps' names beside the cells */

static const char *words(const struct value *map, const char *key)
{
	return value_text_or(value_get(map, key), "");
}

static int64_t number(const struct value *map, const char *key)
{
	return value_int_or(value_get(map, key), 0);
}

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

static void put_span(struct sb *out, int64_t ms)
{
	sb_addc(out, '+');
	text_add_span(out, ms / 1000 * 1000);
}

static void put_para(struct sb *out, const struct report_style *st, unsigned indent, enum ink ink,
		     const char *text)
{
	para_add(out, st, &(struct para){ .indent = indent, .hang = indent + 2, .ink = ink }, text);
}

/* ---- what it rests on ---- */

static void put_things(struct sb *out, const char *head, const struct value *list)
{
	if (!value_count(list))
		return;
	sb_add(out, head);
	for (size_t i = 0; i < value_count(list); i++) {
		sb_add(out, i ? ", " : "");
		text_add(out, value_text(value_at(list, i)), CUT_NAME);
	}
}

static void put_head(const struct value *doc, const struct report_style *st, struct sb *out)
{
	const struct value *envs = value_get(doc, "environments");
	CLEANUP(sb_done) struct sb line = SB_INIT(SB_TEXT_MAX);

	sb_add(&line, "rehearsal of ");
	text_add(&line, words(doc, "rollout"), CUT_VALUE);
	sb_addf(&line,
		": seed %s, begins %s. Nothing is sent anywhere, no secret is resolved: all are made up.",
		words(doc, "seed"), words(doc, "begins"));
	put_para(out, st, 0, INK_PLAIN, line.buf);
	for (size_t i = 0; i < value_count(envs); i++) {
		const struct value *e = value_at(envs, i);

		sb_reset(&line);
		text_add(&line, words(e, "name"), CUT_NAME);
		if (!value_count(value_get(e, "recorded")))
			sb_add(&line, ": nothing is recorded");
		put_things(&line, ": recorded: ", value_get(e, "recorded"));
		put_things(&line, "; assumed: ", value_get(e, "assumed"));
		put_para(out, st, 2, INK_PLAIN, line.buf);
	}
	sb_addc(out, '\n');
}

static void put_findings(const struct value *doc, const struct report_style *st, struct sb *out)
{
	const struct value *lists[] = { value_get(doc, "findings"), value_get(doc, "policy") };
	size_t put = 0;

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < value_count(lists[l]); i++) {
			const struct value *f = value_at(lists[l], i);
			const char *level = *words(f, "level") ? words(f, "level") : "policy";
			CLEANUP(sb_done) struct sb line = SB_INIT(SB_TEXT_MAX);

			text_add(&line, words(f, "environment"), CUT_NAME);
			sb_addf(&line, "%s%s: ", line.len ? ": " : "", level);
			text_add(&line, words(f, "text"), CUT_TEXT);
			if (*words(f, "hint")) {
				sb_add(&line, "; ");
				text_add(&line, words(f, "hint"), CUT_TEXT);
			}
			put_para(out, st, 2,
				 strcmp(level, "note") == 0    ? INK_PLAIN :
				 strcmp(level, "warning") == 0 ? INK_YELLOW :
								 INK_RED,
				 line.buf);
			put++;
		}
	if (put)
		sb_addc(out, '\n');
}

/* ---- undisturbed ---- */

static const char *span_cell(struct arena *a, const struct value *step, const char *key)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(64);

	if (!value_get(step, key))
		return "-";
	put_span(&text, number(step, key));
	return arena_strdup(a, text.buf);
}

static void put_steps(const struct value *doc, const struct report_style *st, struct sb *out)
{
	const struct value *steps = value_get(doc, "steps");
	struct table t;

	if (!value_count(steps))
		return;
	table_init(&t, 6, (const char *const[]){ "#", "step", "who", "earliest", "began", "done" });
	for (size_t i = 0; i < value_count(steps); i++) {
		const struct value *s = value_at(steps, i);

		table_row(&t, INK_PLAIN,
			  (const char *const[]){
				  arena_printf(&t.arena, "%" PRId64, number(s, "number")),
				  words(s, "step"),
				  *words(s, "executor") ? words(s, "executor") : "-",
				  span_cell(&t.arena, s, "earliest_ms"),
				  span_cell(&t.arena, s, "began_ms"),
				  span_cell(&t.arena, s, "done_ms") });
	}
	table_print(&t, st, 0, out);
	table_done(&t);
	sb_addc(out, '\n');
}

static void put_command(const struct value *c, size_t same, const struct report_style *st,
			struct sb *out)
{
	CLEANUP(sb_done) struct sb line = SB_INIT(SB_TEXT_MAX);

	put_span(&line, number(c, "began_ms"));
	sb_addf(&line, "  apply, exit %" PRId64 " after ", number(c, "exit_status"));
	text_add_span(&line, (number(c, "ended_ms") - number(c, "began_ms")) / 1000 * 1000);
	if (same)
		sb_addf(&line, ", and the same %zu time%s more", same, plural((int64_t)same));
	sb_add(&line, *words(c, "words") ? ": " : "");
	text_add(&line, words(c, "words"), CUT_VALUE);
	if (value_get(c, "until_ms")) {
		sb_add(&line, ", until ");
		put_span(&line, number(c, "until_ms"));
	}
	put_para(out, st, 2, INK_PLAIN, line.buf);
}

static bool says_the_same(const struct value *a, const struct value *b)
{
	return a && b && number(a, "exit_status") == number(b, "exit_status") &&
	       strcmp(words(a, "words"), words(b, "words")) == 0;
}

/* Who runs the same command again and gets the same answer reads it once. */
static void put_commands(const struct value *list, const struct report_style *st, struct sb *out)
{
	size_t n = value_count(list), shown = 0;

	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; says_the_same(value_at(list, i), value_at(list, next));)
			next++;
		if (shown < COMMANDS_SHOWN || next == n)
			put_command(value_at(list, i), next - i - 1, st, out);
		else if (shown == COMMANDS_SHOWN)
			sb_add(out, "  ...\n");
		shown++;
	}
}

static void put_undisturbed(const struct value *doc, const struct report_style *st, struct sb *out)
{
	const struct value *u = value_get(doc, "undisturbed"), *never = value_get(doc, "no_return");
	int64_t commands = (int64_t)value_count(value_get(u, "commands"));
	CLEANUP(sb_done) struct sb line = SB_INIT(SB_TEXT_MAX);

	sb_addf(&line, "undisturbed: %s after ",
		number(u, "exit_status") ? "it comes to rest" : "done");
	text_add_span(&line, number(u, "duration_ms") / 1000 * 1000);
	sb_addf(&line, ", with %" PRId64 " command%s and %" PRId64 " answer%s of people", commands,
		plural(commands), number(u, "answers"), plural(number(u, "answers")));
	sb_add(&line, number(u, "answers") ? ", who answer at once" : "");
	put_para(out, st, 0, INK_BOLD, line.buf);
	put_commands(value_get(u, "commands"), st, out);
	for (size_t i = 0; i < value_count(never); i++) {
		const struct value *s = value_at(never, i);

		sb_reset(&line);
		sb_add(&line, "cannot be undone: ");
		text_add(&line, words(s, "step"), CUT_VALUE);
		sb_add(&line, ", planned ");
		put_span(&line, number(s, "earliest_ms"));
		sb_add(&line, " at the earliest");
		if (value_get(s, "began_ms")) {
			sb_add(&line, ", here at ");
			put_span(&line, number(s, "began_ms"));
			sb_addf(&line, " (%s)", words(s, "at"));
		}
		put_para(out, st, 2, INK_PLAIN, line.buf);
	}
	sb_addc(out, '\n');
}

/* ---- disturbed ---- */

static const struct {
	const char *verdict, *cell, *doc;
} verdicts[] = {
	{ "sound", "ok", "the same end" },
	{ "why", "why", "another end, and why was said" },
	{ "violated", "BAD", "what must never be" },
	{ "none", "-", "cannot happen there" },
	{ "unplayed", ".", "not played" },
};

static const char *cell_of(const struct value *cell)
{
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (strcmp(words(cell, "verdict"), verdicts[i].verdict) == 0)
			return verdicts[i].cell;
	return "?";
}

static void put_row(struct table *t, const struct value *row, const struct value *columns,
		    bool named)
{
	const struct value *cells = value_get(row, "cells");
	const char *texts[TABLE_COLUMNS_MAX];
	enum ink ink = INK_PLAIN;
	size_t n = 0;

	texts[n++] = arena_printf(&t->arena, "%" PRId64, number(row, "number"));
	for (size_t c = 0; c < value_count(columns) && n < TABLE_COLUMNS_MAX - 1; c++) {
		const struct value *cell = value_get(cells, words(value_at(columns, c), "name"));

		texts[n] = cell_of(cell);
		if (strcmp(texts[n++], "BAD") == 0)
			ink = INK_ALARM;
	}
	if (named)
		texts[n++] = words(row, "step");
	table_row(t, ink, texts);
}

static void put_table(const struct value *doc, const struct report_style *st, struct sb *out)
{
	const struct value *faults = value_get(doc, "faults");
	const struct value *columns = value_get(faults, "columns"),
			   *rows = value_get(faults, "rows");
	const char *heads[TABLE_COLUMNS_MAX] = { "#" };
	bool named = style_width(st) >= NAMES_FROM;
	struct table t;
	size_t n = 1;

	for (size_t c = 0; c < value_count(columns) && n < TABLE_COLUMNS_MAX - 1; c++)
		heads[n++] = words(value_at(columns, c), "name");
	if (named)
		heads[n++] = "step";
	table_init(&t, n, heads);
	for (size_t r = 0; r < value_count(rows); r++)
		put_row(&t, value_at(rows, r), columns, named);
	table_print(&t, st, 0, out);
	table_done(&t);
}

static void put_word(struct sb *out, const struct report_style *st, const char *word,
		     const char *doc)
{
	CLEANUP(sb_done) struct sb head = SB_INIT(256);

	text_add(&head, word, CUT_NAME);
	para_add(out, st, &(struct para){ .indent = 2, .hang = COLUMN_LEGEND, .head = head.buf },
		 doc);
}

static void put_legend(const struct value *doc, const struct report_style *st, struct sb *out)
{
	const struct value *columns = value_path(doc, "faults.columns");

	sb_addc(out, '\n');
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		put_word(out, st, verdicts[i].cell, verdicts[i].doc);
	put_word(out, st, "# 0", "planning, also when a run goes on");
	for (size_t c = 0; c < value_count(columns); c++)
		put_word(out, st, words(value_at(columns, c), "name"),
			 words(value_at(columns, c), "doc"));
}

static void put_plays(const struct value *list, const char *how, enum ink ink,
		      const struct report_style *st, struct sb *out)
{
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *one = value_at(list, i);
		CLEANUP(sb_done) struct sb line = SB_INIT(SB_TEXT_MAX);

		sb_addf(&line, "%s: ", how);
		text_add(&line, words(one, "step"), CUT_VALUE);
		sb_add(&line, ", ");
		text_add(&line, words(one, "schedule"), CUT_VALUE);
		sb_addf(&line, ", exit %" PRId64 ": ", number(one, "exit_status"));
		text_add(&line, words(one, "words"), CUT_TEXT);
		put_para(out, st, 2, ink, line.buf);
	}
}

static void put_disturbed(const struct value *doc, const struct report_style *st, struct sb *out)
{
	const struct value *faults = value_get(doc, "faults");
	int64_t played = number(faults, "played"), of = number(faults, "of");
	CLEANUP(sb_done) struct sb line = SB_INIT(4096);

	if (!faults)
		return;
	sb_addf(&line,
		"disturbed: one thing goes wrong once, then the same command again; %" PRId64,
		played);
	if (played < of)
		sb_addf(&line, " of %" PRId64, of);
	sb_addf(&line, " play%s%s", plural(of), played < of ? ", a sample" : "");
	put_para(out, st, 0, INK_BOLD, line.buf);
	sb_addc(out, '\n');
	put_table(doc, st, out);
	put_legend(doc, st, out);
	sb_addc(out, '\n');
	put_plays(value_get(doc, "ended_otherwise"), "why", INK_YELLOW, st, out);
}

static void put_verdict(const struct value *doc, const struct report_style *st, struct sb *out)
{
	const struct value *u = value_get(doc, "undisturbed");
	const char *verdict = words(doc, "verdict");
	CLEANUP(sb_done) struct sb line = SB_INIT(SB_TEXT_MAX);

	if (*words(u, "violation")) {
		sb_add(&line, "undisturbed: ");
		text_add(&line, words(u, "violation"), CUT_TEXT);
		put_para(out, st, 2, INK_ALARM, line.buf);
	}
	put_plays(value_get(doc, "violations"), "BAD", INK_ALARM, st, out);
	sb_reset(&line);
	if (strcmp(verdict, "sound") == 0) {
		sb_add(&line, "sound: whatever went wrong, nothing happened that must never be");
	} else if (strcmp(verdict, "violated") == 0) {
		sb_add(&line,
		       "VIOLATED: what is marked BAD must never be, and is a defect of s2sctl");
		if (*words(doc, "replay")) {
			sb_add(&line, "; to see one again: ");
			text_add(&line, words(doc, "replay"), CUT_TEXT);
		}
	} else if (strcmp(verdict, "refused") == 0) {
		sb_add(&line, "the plan is refused; nothing was played");
	} else {
		sb_add(&line,
		       "it does not come to its end even undisturbed, so nothing more was played: ");
		text_add(&line, words(u, "words"), CUT_TEXT);
	}
	put_para(out, st, 0, strcmp(verdict, "sound") == 0 ? INK_GREEN : INK_RED, line.buf);
}

void report_rehearsal_text(const struct value *doc, const struct report_style *style,
			   struct sb *out)
{
	put_head(doc, style, out);
	put_findings(doc, style, out);
	put_steps(doc, style, out);
	if (strcmp(words(doc, "verdict"), "refused") != 0)
		put_undisturbed(doc, style, out);
	put_disturbed(doc, style, out);
	put_verdict(doc, style, out);
}
