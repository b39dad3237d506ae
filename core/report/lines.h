/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h - text for a person: masked, cut, broken into lines, coloured when wished.
 *
 * Whatever the text renderings print goes through here, so that no server's words drive a terminal and none fill a
 * screen. Nothing is printed: all goes into an sb. Widths are display columns.
 */
#pragma once
#include "core/base/sb.h"
#include "core/base/value.h"

struct registry; /* core/api/provider.h */
struct report_style {
	bool color;     /* ANSI colours */
	bool utf8;      /* lines and arrows of box drawing; else plain ASCII */
	bool verbose;   /* everything, e.g. each request instead of their numbers */
	unsigned width; /* columns; 0: 100; never taken as less than 40 */
	const struct registry *registry; /* tells the units of gates' thresholds; NULL: numbers are shown as they are */
};

enum ink { INK_PLAIN, INK_BOLD, INK_DIM, INK_GREEN, INK_YELLOW, INK_CYAN, INK_RED, INK_ALARM };

#define CUT_NAME 80   /* columns: titles, ids */
#define CUT_VALUE 120 /* a fact's value */
#define CUT_TEXT 600  /* a sentence, which may quote both */

unsigned style_width(const struct report_style *st);
const char *style_arrow(const struct report_style *st); /* " -> ", or the real one */
size_t text_columns(const char *visible);               /* on a terminal; wide characters count two, combining ones none */

/* Masked, and cut to at most `max` columns with "..." as the last three. NULL adds nothing. */
void text_add(struct sb *out, const char *raw, size_t max);
/* A fact's value in one line: text as it is, numbers, lists as "a, b", maps as "k: v, ..."; a secret is only named as one. */
void text_add_value(struct sb *out, const struct value *v, size_t max);
/* One word of a command line: in quotes where a shell would make something else of it. */
void text_add_word(struct sb *out, const char *raw);
/* A span in words: "24h10m", and whole days from two on as "7d". */
void text_add_span(struct sb *out, int64_t ms);

void ink_add(struct sb *out, const struct report_style *st, enum ink ink, const char *visible);

/* One paragraph: `head` stands at column `indent`, the text from column `hang` on. */
struct para {
	unsigned indent, hang;
	const char *head;     /* may be NULL; already visible */
	enum ink head_ink, ink;
	bool is_command;      /* broken lines end in " \", so that a copy still runs */
};
/* Breaks at blanks only: a word that is wider than the line (an address, a URL) stays whole. Ends with a newline. */
void para_add(struct sb *out, const struct report_style *st, const struct para *p, const char *text);
unsigned rule_room(const struct report_style *st); /* columns that a rule has for its words */
/* A rule across the page with words in it, cut where they are longer than its room. @heavy  a bold one, for what nobody may miss */
void rule_add(struct sb *out, const struct report_style *st, enum ink ink, bool heavy, const char *words);
