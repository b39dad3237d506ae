/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/markdown_text.h"

#include <string.h>

#include "core/report/lines.h"

static size_t longest_run(const char *s)
{
	size_t longest = 0;

	for (; *s; s++) {
		size_t run = strspn(s, "`");

		longest = MAX_OF(longest, run);
		s += run ? run - 1 : 0;
	}
	return longest;
}

/* A span that begins or ends with a backtick or a blank needs blanks around it, which the reader strips again. */
static void add_span(struct sb *out, const char *s, size_t len)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	size_t ticks;
	bool needs_room;

	if (!len)
		return;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '|')
			sb_add(&text, "\\x7c");
		else
			sb_addc(&text, s[i]);
	}
	ticks = longest_run(text.buf) + 1;
	needs_room = strchr("` ", text.buf[0]) || strchr("` ", text.buf[text.len - 1]);
	sb_pad(out, '`', ticks);
	sb_add(out, needs_room ? " " : "");
	sb_addn(out, text.buf, text.len);
	sb_add(out, needs_room ? " " : "");
	sb_pad(out, '`', ticks);
}

void md_code(struct sb *out, const char *raw, size_t max)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	text_add(&text, raw, max);
	add_span(out, text.buf, text.len);
}

void md_code_value(struct sb *out, const struct value *v, size_t max)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	text_add_value(&text, v, max);
	add_span(out, text.buf, text.len);
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What looks like a commit becomes a link where there is one of that name. */
static bool is_commit(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(s[i]) && !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return len >= 7;
}

/* Letters and digits, with a hyphen or an apostrophe between letters: no renderer makes anything of these. */
static bool is_plain_word(const char *s, size_t len)
{
	if (is_commit(s, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		bool is_inside = i > 0 && i + 1 < len && is_alnum(s[i - 1]) && is_alnum(s[i + 1]);

		if (!is_alnum(s[i]) && !(s[i] == '\'' && is_inside) &&
		    !(s[i] == '-' && is_inside && !is_digit(s[i + 1])))
			return false;
	}
	return true;
}

static bool is_number(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(s[i]))
			return false;
	return len > 0;
}

/* The marks of a sentence around a word stay outside its code span. */
static void add_word(struct sb *out, const char *s, size_t len)
{
	size_t lead = 0, end = len;

	while (lead < len && strchr("('", s[lead]))
		lead++;
	while (end > lead && strchr(".,;:)'?", s[end - 1]))
		end--;
	if (end == lead || (is_number(s, end) && end < len)) { /* "1." begins a list */
		add_span(out, s, len);
		return;
	}
	sb_addn(out, s, lead);
	if (is_plain_word(s + lead, end - lead))
		sb_addn(out, s + lead, end - lead);
	else
		add_span(out, s + lead, end - lead);
	sb_addn(out, s + end, len - end);
}

void md_prose(struct sb *out, const char *raw, size_t max)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	const char *at;

	text_add(&text, raw, max);
	for (at = text.buf; *at;) {
		size_t blanks = strspn(at, " "), len;

		if (blanks && at != text.buf && at[blanks])
			sb_addc(out, ' ');
		at += blanks;
		len = strcspn(at, " ");
		if (len)
			add_word(out, at, len);
		at += len;
	}
}

void md_fence(struct sb *out, const char *info, const char *visible)
{
	size_t ticks = MAX_OF(longest_run(visible) + 1, (size_t)3);

	sb_pad(out, '`', ticks);
	sb_addf(out, "%s\n%s", info, visible);
	sb_pad(out, '`', ticks);
	sb_addc(out, '\n');
}
