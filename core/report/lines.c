/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/lines.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/when.h"

#define WIDTH_LEAST 40u
#define VALUE_DEPTH 8 /* a plan file may come from anywhere; what is shown is cut long before */

unsigned style_width(const struct report_style *st)
{
	unsigned w = st->width ? st->width : 100;

	return MAX_OF(w, WIDTH_LEAST);
}

const char *style_arrow(const struct report_style *st)
{
	return st->utf8 ? " \xe2\x86\x92 " : " -> ";
}

/* -- columns -- */

static size_t columns_of(uint32_t c)
{
	static const uint32_t none[][2] = {
		{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x1ab0, 0x1aff },
		{ 0x1dc0, 0x1dff }, { 0x200b, 0x200d }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f },
		{ 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff },
	};
	static const uint32_t wide[][2] = {
		{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },
		{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
		{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f },
		{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
	};

	if (c < 0x300)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (c >= none[i][0] && c <= none[i][1])
			return 0;
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (c >= wide[i][0] && c <= wide[i][1])
			return 2;
	return 1;
}

/* Columns of the first `len` bytes; stops before the character that would pass `max` and says where. */
static size_t measure(const char *s, size_t len, size_t max, size_t *ret_at)
{
	size_t at = 0, columns = 0;

	while (at < len) {
		uint32_t code = 0;
		size_t n, w;

		if ((unsigned char)s[at] < 0x80 && columns < max) { /* most text is ASCII */
			columns++;
			at++;
			continue;
		}
		n = utf8_next(s + at, len - at, &code);
		w = n ? columns_of(code) : 1;
		if (columns + w > max)
			break;
		columns += w;
		at += n ? n : 1;
	}
	*ret_at = at;
	return columns;
}

size_t text_columns(const char *visible)
{
	size_t at;

	return measure(visible, strlen(visible), SIZE_MAX, &at);
}

/* How much of it is printable ASCII, which has a column a byte and needs no masking but where it may command a build service. */
static size_t ascii_run(const char *s)
{
	size_t n = 0;

	while (s[n] >= 0x20 && s[n] < 0x7f && !(s[n] == s[n + 1] && (s[n] == ':' || s[n] == '#')))
		n++;
	return n;
}

/* -- words -- */

void text_add(struct sb *out, const char *raw, size_t max)
{
	CLEANUP(sb_done) struct sb all = SB_INIT(SB_TEXT_MAX);
	size_t at;

	if (!raw)
		return;
	at = ascii_run(raw);
	if (raw[at] == '\0' && at <= max) {
		sb_addn(out, raw, at);
		return;
	}
	sb_add_visible(&all, raw);
	measure(all.buf, all.len, max, &at);
	if (at == all.len) {
		sb_addn(out, all.buf, all.len);
		return;
	}
	measure(all.buf, all.len, max > 3 ? max - 3 : 0, &at);
	sb_addn(out, all.buf, at);
	sb_add(out, "...");
}

static void add_plain(struct sb *out, const struct value *v, unsigned depth);

static void add_many(struct sb *out, const struct value *v, unsigned depth)
{
	for (size_t i = 0; i < value_count(v) && out->len < CUT_TEXT * 4; i++) {
		if (i)
			sb_add(out, ", ");
		if (v->kind == VAL_MAP) {
			sb_add_visible(out, value_key_at(v, i));
			sb_add(out, ": ");
		}
		add_plain(out, value_at(v, i), depth + 1);
	}
	if (!value_count(v))
		sb_add(out, "(none)");
}

static void add_plain(struct sb *out, const struct value *v, unsigned depth)
{
	if (!v || depth > VALUE_DEPTH) {
		sb_add(out, v ? "..." : "?");
		return;
	}
	switch (v->kind) {
	case VAL_NULL:
		sb_add(out, "(none)");
		return;
	case VAL_BOOL:
		sb_add(out, v->u.b ? "true" : "false");
		return;
	case VAL_INT:
		sb_addf(out, "%" PRId64, v->u.i);
		return;
	case VAL_REAL:
		sb_addf(out, "%g", v->u.r);
		return;
	case VAL_STRING:
		sb_add_visible(out, v->u.str[0] ? v->u.str : "''");
		return;
	case VAL_SECRET:
		sb_add(out, "(secret)");
		return;
	case VAL_LIST:
	case VAL_MAP:
		add_many(out, v, depth);
		return;
	}
}

void text_add_value(struct sb *out, const struct value *v, size_t max)
{
	CLEANUP(sb_done) struct sb all = SB_INIT(SB_TEXT_MAX);

	add_plain(&all, v, 0);
	text_add(out, all.buf, max);
}

void text_add_word(struct sb *out, const char *raw)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "_./+=:@%,-";

	if (raw[0] && raw[strspn(raw, safe)] == '\0') {
		sb_add(out, raw);
		return;
	}
	sb_addc(out, '\'');
	for (; *raw; raw++) {
		char one[2] = { *raw, '\0' };

		sb_add(out, *raw == '\'' ? "'\\''" : one);
	}
	sb_addc(out, '\'');
}

void text_add_span(struct sb *out, int64_t ms)
{
	if (ms >= 2 * WHEN_DAY && ms % WHEN_DAY == 0)
		sb_addf(out, "%" PRId64 "d", ms / WHEN_DAY);
	else
		when_add_span(out, ms);
}

/* -- ink -- */

static const char *ink_code(enum ink ink)
{
	switch (ink) {
	case INK_PLAIN:
		return "";
	case INK_BOLD:
		return "\033[1m";
	case INK_DIM:
		return "\033[2m";
	case INK_GREEN:
		return "\033[32m";
	case INK_YELLOW:
		return "\033[33m";
	case INK_CYAN:
		return "\033[36m";
	case INK_RED:
		return "\033[31m";
	case INK_ALARM:
		return "\033[1;31m";
	}
	return "";
}

static void addn_inked(struct sb *out, const struct report_style *st, enum ink ink, const char *s,
		       size_t len)
{
	bool is_inked = st->color && ink != INK_PLAIN && len;

	if (is_inked)
		sb_add(out, ink_code(ink));
	sb_addn(out, s, len);
	if (is_inked)
		sb_add(out, "\033[0m");
}

void ink_add(struct sb *out, const struct report_style *st, enum ink ink, const char *visible)
{
	addn_inked(out, st, ink, visible, strlen(visible));
}

/* -- lines -- */

/* A word of a command goes on through blanks in quotes. */
static size_t word_len(const char *s, bool is_command)
{
	bool is_quoted = false;
	size_t at = 0;

	for (; s[at] && (is_quoted || s[at] != ' '); at++) {
		if (is_command && s[at] == '\'')
			is_quoted = !is_quoted;
		else if (is_command && !is_quoted && s[at] == '\\' && s[at + 1])
			at++;
	}
	return at;
}

/* How much of `s` fits on a line with `room` columns: whole words, at least one when it must. */
static size_t fitting(const char *s, size_t room, bool must, bool is_command)
{
	size_t end = 0, columns = 0;

	for (;;) {
		size_t next = end, at, w;
		bool glued;

		next += strspn(s + next, " ");
		do { /* an option and its value stay together */
			bool is_option = is_command && strncmp(s + next, "--", 2) == 0;

			next += word_len(s + next, is_command);
			glued = is_option && s[next] && s[next + 1] && s[next + 1] != '-';
			next += glued;
		} while (glued);
		if (next == end || s[end] == '\0')
			return end;
		w = measure(s + end, next - end, SIZE_MAX, &at);
		if (columns + w > room && (end || !must))
			return end;
		columns += w;
		end = next;
		must = false;
	}
}

static size_t start_para(struct sb *out, const struct report_style *st, const struct para *p,
			 size_t hang)
{
	size_t col = p->indent;

	sb_pad(out, ' ', p->indent);
	if (p->head) {
		ink_add(out, st, p->head_ink, p->head);
		col += text_columns(p->head);
		sb_pad(out, ' ', 1);
		col++;
		if (col < hang) {
			sb_pad(out, ' ', hang - col);
			col = hang;
		}
	}
	return col;
}

static void end_line(struct sb *out)
{
	size_t len = out->len;

	while (len && out->buf[len - 1] == ' ')
		len--;
	sb_shrink(out, len);
	sb_addc(out, '\n');
}

void para_add(struct sb *out, const struct report_style *st, const struct para *p, const char *text)
{
	CLEANUP(sb_done) struct sb all = SB_INIT(SB_TEXT_MAX);
	size_t width = style_width(st), hang = MIN_OF((size_t)p->hang, width / 2), col;
	const char *at;
	bool is_fresh; /* nothing but indentation on this line, so that going on to the next one would not help */

	if (text[ascii_run(text)] != '\0') {
		sb_add_visible(&all, text);
		text = all.buf;
	}
	col = start_para(out, st, p, hang);
	is_fresh = col <= MAX_OF(hang, (size_t)p->indent);
	for (at = text; *at;) {
		size_t room = width > col ? width - col : 0, n;

		at += strspn(at, " ");
		n = fitting(at, room, is_fresh, p->is_command);
		/* All of it, or what leaves room for the sign that it goes on. */
		if (p->is_command && at[n])
			n = fitting(at, room > 2 ? room - 2 : 0, is_fresh, p->is_command);
		addn_inked(out, st, p->ink, at, n);
		at += n;
		at += strspn(at, " ");
		if (!*at)
			break;
		if (p->is_command && n)
			sb_add(out, " \\");
		end_line(out);
		sb_pad(out, ' ', hang);
		col = hang;
		is_fresh = true;
	}
	end_line(out);
}

static const char *dash_of(const struct report_style *st, bool heavy)
{
	if (!st->utf8)
		return heavy ? "=" : "-";
	return heavy ? "\xe2\x94\x81" : "\xe2\x94\x80";
}

/* Cut where a sentence breathes rather than in a word. */
static void add_rule_words(struct sb *out, const char *words, size_t max)
{
	CLEANUP(sb_done) struct sb all = SB_INIT(SB_TEXT_MAX);
	size_t at, cut;

	sb_add_visible(&all, words);
	measure(all.buf, all.len, max, &at);
	if (at == all.len) {
		sb_add(out, all.buf);
		return;
	}
	measure(all.buf, all.len, max - 3, &at);
	for (cut = at; cut && all.buf[cut] != ','; cut--)
		;
	for (cut = cut > at / 2 ? cut : at; cut == at && cut && all.buf[cut] != ' '; cut--, at--)
		;
	sb_addn(out, all.buf, cut ? cut : max - 3);
	sb_add(out, "...");
}

unsigned rule_room(const struct report_style *st)
{
	return style_width(st) - 10;
}

void rule_add(struct sb *out, const struct report_style *st, enum ink ink, bool heavy,
	      const char *words)
{
	CLEANUP(sb_done) struct sb line = SB_INIT(SB_TEXT_MAX);
	size_t width = style_width(st), used;

	for (int i = 0; i < 4; i++)
		sb_add(&line, dash_of(st, heavy));
	sb_addc(&line, ' ');
	add_rule_words(&line, words, rule_room(st));
	sb_addc(&line, ' ');
	used = text_columns(line.buf);
	for (; used < width; used++)
		sb_add(&line, dash_of(st, heavy));
	ink_add(out, st, ink, line.buf);
	sb_addc(out, '\n');
}
