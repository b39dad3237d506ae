/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/sb.h"

/* A fixed buffer that takes whole characters only, and ends in "..." once one did not fit. */
struct line {
	char *buf;
	size_t size, len;
	size_t cut; /* the longest length that still leaves room for the dots */
	bool full;
};

static void line_add(struct line *l, const char *bytes, size_t len)
{
	if (l->full)
		return;
	if (l->len + len >= l->size) {
		memcpy(l->buf + l->cut, "...", 4);
		l->len = l->cut + 3;
		l->full = true;
		return;
	}
	memcpy(l->buf + l->len, bytes, len);
	l->len += len;
	l->buf[l->len] = '\0';
	if (l->len + 4 <= l->size)
		l->cut = l->len;
}

static void line_add_visible(struct line *l, const char *text)
{
	const char *whole = text;
	size_t left = strlen(text);

	while (left > 0 && !l->full) {
		bool commands = sb_is_log_command(whole, (size_t)(text - whole));
		size_t n = commands ? 0 : utf8_visible(text, left);
		char hex[5];

		if (n > 0) {
			line_add(l, text, n);
		} else {
			(void)snprintf(hex, sizeof(hex), "\\x%02x", (unsigned)(unsigned char)*text);
			line_add(l, hex, 4);
			n = 1;
		}
		text += n;
		left -= n;
	}
}

static struct line line_begin(char *buf, size_t size)
{
	buf[0] = '\0';
	return (struct line){ .buf = buf, .size = size };
}

/*
 * Longer than msg, so that a character cut here is never shown: masking does not make text shorter.
 */
#define RAW_MAX 1024

static int set(struct err *err, enum err_code code, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);
static int set(struct err *err, enum err_code code, const char *fmt, va_list ap)
{
	char raw[RAW_MAX];
	struct line l;

	assert(code != E_NONE);
	assert(err->code == E_NONE);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	err->code = code;
	err->pos = (struct src_pos){ NULL, 0, 0 };
	err->hint[0] = '\0';
	l = line_begin(err->msg, sizeof(err->msg));
	line_add_visible(&l, raw);
	return -(int)code;
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set(err, code, fmt, ap);
	va_end(ap);
	return r;
}

int err_at(struct err *err, struct src_pos pos, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set(err, E_PLAN, fmt, ap);
	va_end(ap);
	err->pos = pos;
	return r;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char raw[RAW_MAX], inner[sizeof(err->msg)];
	struct line l;
	va_list ap;

	assert(err->code != E_NONE);
	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	memcpy(inner, err->msg, sizeof(inner));
	l = line_begin(err->msg, sizeof(err->msg));
	line_add_visible(&l, raw);
	line_add_visible(&l, ": ");
	line_add_visible(&l, inner);
	return -(int)err->code;
}

int err_hint(struct err *err, const char *fmt, ...)
{
	char raw[RAW_MAX];
	struct line l;
	va_list ap;

	assert(err->code != E_NONE);
	if (err->hint[0])
		return -(int)err->code;
	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	l = line_begin(err->hint, sizeof(err->hint));
	line_add_visible(&l, raw);
	return -(int)err->code;
}

void err_clear(struct err *err)
{
	*err = (struct err)ERR_INIT;
}

int err_exit_status(enum err_code code)
{
	switch (code) {
	case E_NONE:
		return 0;
	case E_USAGE:
	case E_PLAN:
		return 64;
	case E_REFUSED:
		return 5;
	case E_GATE:
		return 4;
	case E_WAIT:
		return 3;
	case E_LOCKED:
		return 6;
	case E_REMOTE:
	case E_DENIED:
	case E_TRANSPORT:
	case E_IO:
		return 1;
	case E_SIGNAL:
		return 130;
	case E_BUG:
		return 70;
	}
	return 70;
}

void err_print(const struct err *err, struct sb *out)
{
	if (err->pos.file) {
		sb_add_visible(out, err->pos.file);
		if (err->pos.line)
			sb_addf(out, ":%u", err->pos.line);
		if (err->pos.line && err->pos.col)
			sb_addf(out, ":%u", err->pos.col);
		sb_add(out, ": ");
	}
	sb_add(out, "error: ");
	sb_add(out, err->msg);
	sb_addc(out, '\n');
	if (err->hint[0]) {
		sb_add(out, "  hint: ");
		sb_add(out, err->hint);
		sb_addc(out, '\n');
	}
}
