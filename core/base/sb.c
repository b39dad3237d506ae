/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sb.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"

char sb_empty[1];

/* Says whether `more` bytes fit under the ceiling, and makes room for them and the terminator. */
static bool reserve(struct sb *s, size_t more)
{
	size_t cap;

	if (s->over || s->len > s->max || more > s->max - s->len) {
		s->over = true;
		return false;
	}
	if (more < s->cap - MIN_OF(s->cap, s->len))
		return true;
	if (s->max == SIZE_MAX)
		mem_exhausted();
	cap = MAX_OF(s->len + more + 1, MIN_OF(s->cap, SIZE_MAX / 2) * 2);
	cap = MIN_OF(MAX_OF(cap, (size_t)64), s->max + 1);
	s->buf = mem_resize(s->cap > 0 ? s->buf : NULL, cap, 1);
	s->cap = cap;
	return true;
}

void sb_done(struct sb *s)
{
	if (s->cap > 0)
		mem_free(s->buf);
	s->buf = sb_empty;
	s->len = 0;
	s->cap = 0;
	s->over = false;
}

void sb_reset(struct sb *s)
{
	if (s->cap > 0)
		s->buf[0] = '\0';
	s->len = 0;
	s->over = false;
}

void sb_add(struct sb *s, const char *text)
{
	sb_addn(s, text, strlen(text));
}

void sb_addn(struct sb *s, const void *bytes, size_t len)
{
	if (len == 0 || !reserve(s, len))
		return;
	memcpy(s->buf + s->len, bytes, len);
	s->len += len;
	s->buf[s->len] = '\0';
}

void sb_addc(struct sb *s, char c)
{
	if (!reserve(s, 1))
		return;
	s->buf[s->len++] = c;
	s->buf[s->len] = '\0';
}

void sb_add_int(struct sb *s, int64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (n < 0)
		digits[--at] = '-';
	sb_addn(s, digits + at, sizeof(digits) - at);
}

void sb_pad(struct sb *s, char c, size_t count)
{
	if (count == 0 || !reserve(s, count))
		return;
	memset(s->buf + s->len, c, count);
	s->len += count;
	s->buf[s->len] = '\0';
}

void sb_addf(struct sb *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sb_addv(s, fmt, ap);
	va_end(ap);
}

void sb_addv(struct sb *s, const char *fmt, __builtin_va_list ap)
{
	size_t room = s->cap - MIN_OF(s->cap, s->len); /* most often enough, and once is */
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(room > 0 ? s->buf + s->len : NULL, room, fmt, again);
	va_end(again);
	assert(n >= 0);
	if (n > 0 && reserve(s, (size_t)n)) {
		if ((size_t)n >= room)
			(void)vsnprintf(s->buf + s->len, (size_t)n + 1, fmt, ap);
		s->len += (size_t)n;
	} else if (room > 0) {
		s->buf[s->len] = '\0';
	}
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void sb_add_escaped(struct sb *s, const char *text)
{
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (is_unreserved(c))
			sb_addc(s, *p);
		else
			sb_addf(s, "%%%02X", c);
	}
}

bool sb_is_log_command(const char *text, size_t at)
{
	size_t end = at + 2;

	if (text[at] != text[at + 1])
		return false;
	if (text[at] == ':')
		return at == 0 || text[at - 1] == ' ';
	if (text[at] != '#')
		return false;
	while (text[end] >= 'a' && text[end] <= 'z')
		end++;
	return text[end] == '[';
}

void sb_add_visible(struct sb *s, const char *text)
{
	const char *whole = text;
	size_t left = strlen(text);

	while (left > 0) {
		size_t run = 0, n;

		while (run < left && (n = utf8_visible(text + run, left - run)) > 0 &&
		       !sb_is_log_command(whole, (size_t)(text - whole) + run))
			run += n;
		sb_addn(s, text, run);
		if (run < left) {
			sb_addf(s, "\\x%02x", (unsigned)(unsigned char)text[run]);
			run++;
		}
		text += run;
		left -= run;
	}
}

void sb_shrink(struct sb *s, size_t len)
{
	assert(len <= s->len);
	if (len >= s->len)
		return;
	s->len = len;
	s->buf[len] = '\0';
}

char *sb_take(struct sb *s)
{
	char *p = s->cap > 0 ? s->buf : mem_strdup("");

	s->buf = sb_empty;
	s->len = 0;
	s->cap = 0;
	s->over = false;
	return p;
}

size_t utf8_next(const char *s, size_t len, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	uint32_t code;
	size_t n;

	if (len == 0)
		return 0;
	if (u[0] < 0x80)
		n = 1;
	else if (u[0] >= 0xc2 && u[0] <= 0xdf)
		n = 2;
	else if (u[0] >= 0xe0 && u[0] <= 0xef)
		n = 3;
	else if (u[0] >= 0xf0 && u[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	code = n == 1 ? u[0] : u[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (u[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	if (ret_code)
		*ret_code = code;
	return n;
}

/*
 * Marks, embeddings, overrides and isolates of direction; line and paragraph separator; blanks and joiners of no width, fillers, tags:
 * what makes two names look alike, or hides a word inside another.
 */
static bool is_unseen(uint32_t c)
{
	static const uint32_t ranges[][2] = {
		{ 0x00ad, 0x00ad },   { 0x034f, 0x034f },   { 0x061c, 0x061c },
		{ 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
		{ 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },
		{ 0x3164, 0x3164 },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },
		{ 0xfff9, 0xfffb },   { 0xfffe, 0xffff },   { 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; c >= 0xad && i < ARRAY_LEN(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

size_t utf8_visible(const char *s, size_t len)
{
	uint32_t c = 0;
	size_t n = utf8_next(s, len, &c);

	if (n == 1)
		return c >= 0x20 && c != 0x7f;
	if (c >= 0x80 && c <= 0x9f)
		return 0;
	return is_unseen(c) ? 0 : n;
}
