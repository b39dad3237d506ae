/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches are collected on the text as it came, then cut out at once: so it does not matter in
 * which order secrets are found, nor whether one contains another.
 */
#include "core/base/redact.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/secret_open.h"
#include "core/base/sieve.h"

#define SHORTEST SIEVE_BYTES
#define SIEVED_MAX                                                                                 \
	((size_t)1 << 20) /* a whole plan is printed once, when few secrets live: not worth it */
static const char blank[] = REDACTED;

/* How text may spell a byte besides as itself. */
enum spelling {
	SPELT_PERCENT,   /* %2F %2f, '+' for a blank */
	SPELT_BACKSLASH, /* JSON's escapes, and the \xNN of sb_add_visible */
};

struct range {
	size_t from, to;
};
struct search {
	const char *text;
	size_t len;
	bool has_percent, has_backslash;
	struct range *found;
	size_t count, cap;
};
struct needle {
	const char *bytes;
	size_t len;
	bool is_base64; /* '-' and '_' of the text count as '+' and '/' */
};

static void search_done(struct search *s)
{
	mem_free(s->found);
}

static void note(struct search *s, size_t from, size_t to)
{
	s->found = mem_grow(s->found, s->count, &s->cap, sizeof(*s->found));
	s->found[s->count++] = (struct range){ from, to };
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads `digits` hex digits; -1 when there are not so many. */
static long hex_number(const char *p, size_t len, size_t digits)
{
	long n = 0;

	if (len < digits)
		return -1;
	for (size_t i = 0; i < digits; i++) {
		int d = hex_digit(p[i]);

		if (d < 0)
			return -1;
		n = n * 16 + d;
	}
	return n;
}

static size_t utf8_encode(uint32_t c, char ret[4])
{
	if (c < 0x80) {
		ret[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = (char)(0xc0 | c >> 6);
		ret[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		ret[0] = (char)(0xe0 | c >> 12);
		ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
		ret[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	ret[0] = (char)(0xf0 | c >> 18);
	ret[1] = (char)(0x80 | (c >> 12 & 0x3f));
	ret[2] = (char)(0x80 | (c >> 6 & 0x3f));
	ret[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* One backslash escape at p. Returns how much text it takes; 0 when it is none. */
static size_t unescape(const char *p, size_t len, char ret[4], size_t *ret_len)
{
	static const char names[] = "bfnrt\"\\/", bytes[] = "\b\f\n\r\t\"\\/";
	const char *name;
	long n, low;

	if (len < 2 || p[0] != '\\')
		return 0;
	*ret_len = 1;
	name = p[1] ? strchr(names, p[1]) : NULL;
	if (name) {
		ret[0] = bytes[name - names];
		return 2;
	}
	if (p[1] == 'x' && (n = hex_number(p + 2, len - 2, 2)) >= 0) {
		ret[0] = (char)n;
		return 4;
	}
	if (p[1] != 'u' || (n = hex_number(p + 2, len - 2, 4)) < 0)
		return 0;
	if (n >= 0xd800 && n <= 0xdbff && len >= 12 && p[6] == '\\' && p[7] == 'u') {
		low = hex_number(p + 8, len - 8, 4);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*ret_len = utf8_encode((uint32_t)(0x10000 + ((n - 0xd800) << 10) +
							  (low - 0xdc00)),
					       ret);
			return 12;
		}
	}
	*ret_len = utf8_encode((uint32_t)n, ret);
	return 6;
}

static bool same_byte(char text, char want, enum spelling how, bool is_base64)
{
	if (text == want)
		return true;
	if (how == SPELT_PERCENT && text == '+' && want == ' ')
		return true;
	return is_base64 && ((text == '-' && want == '+') || (text == '_' && want == '/'));
}

/* What the text at p stands for, escaped or not. Returns how much text it takes; len is at least 1. */
static size_t unit_at(const char *p, size_t len, enum spelling how, char ret[4], size_t *ret_len)
{
	size_t step = 0;
	long code;

	*ret_len = 1;
	if (how == SPELT_BACKSLASH) {
		step = unescape(p, len, ret, ret_len);
	} else if (*p == '%' && (code = hex_number(p + 1, len - 1, 2)) >= 0) {
		ret[0] = (char)code;
		step = 3;
	}
	if (step > 0)
		return step;
	ret[0] = *p;
	*ret_len = 1;
	return 1;
}

/* How much text at p spells the needle; 0 when it does not. */
static size_t spells(const char *p, size_t len, const struct needle *n, enum spelling how)
{
	size_t at = 0, got = 0;

	while (got < n->len) {
		char unit[4];
		size_t unit_len, step;

		if (at == len)
			return 0;
		step = unit_at(p + at, len - at, how, unit, &unit_len);
		if (unit_len > n->len - got)
			return 0;
		for (size_t i = 0; i < unit_len; i++)
			if (!same_byte(unit[i], n->bytes[got + i], how, n->is_base64))
				return 0;
		got += unit_len;
		at += step;
	}
	return at;
}

/* The next byte from `from` on that only an escape has; s->len when there is none. */
static size_t next_escape(const struct search *s, const struct needle *n, enum spelling how,
			  size_t from)
{
	const char *p = s->text + from, *end = s->text + s->len;
	const char *a = memchr(p, how == SPELT_PERCENT ? '%' : '\\', (size_t)(end - p)), *b = NULL;

	if (how == SPELT_PERCENT && memchr(n->bytes, ' ', n->len))
		b = memchr(p, '+', (size_t)((a ? a : end) - p));
	return (size_t)((b ? b : a ? a : end) - s->text);
}

/*
 * A spelling without an escape is plain and found already. So only starts are tried from which an
 * escape is within reach: at most the longest spelling of all bytes of the needle before it.
 */
static void find_spelt(struct search *s, const struct needle *n, enum spelling how)
{
	size_t reach = n->len * (how == SPELT_PERCENT ? 3 : 12), i = 0, escape;

	while ((escape = next_escape(s, n, how, i)) < s->len) {
		if (escape - i > reach)
			i = escape - reach;
		while (i <= escape) {
			size_t took = spells(s->text + i, s->len - i, n, how);

			if (took > 0)
				note(s, i, i + took);
			i += took > 0 ? took : 1;
		}
	}
}

static void find_plain(struct search *s, const char *bytes, size_t len)
{
	const char *p = s->text, *end = s->text + s->len;

	while ((p = memmem(p, (size_t)(end - p), bytes, len))) {
		note(s, (size_t)(p - s->text), (size_t)(p - s->text) + len);
		p += len;
	}
}

static void find(struct search *s, const struct needle *n)
{
	find_plain(s, n->bytes, n->len);
	if (s->has_percent)
		find_spelt(s, n, SPELT_PERCENT);
	if (s->has_backslash)
		find_spelt(s, n, SPELT_BACKSLASH);
}

/*
 * Base64 of the secret after `shift` bytes of something else: only the characters that the
 * secret alone decides are looked for.
 */
static void find_base64(struct search *s, const char *bytes, size_t len, size_t shift)
{
	size_t total = shift + len, size = (total + 2) / 3 * 4 + 1;
	size_t skip = (shift * 8 + 5) / 6, whole = total * 8 / 6;
	unsigned char *in = mem_alloc(total), *out = mem_alloc(size);
	char *want = (char *)out + skip;
	size_t want_len = whole - skip;
	bool has_both;

	memcpy(in + shift, bytes, len);
	(void)EVP_EncodeBlock(out, in, (int)total);
	find(s, &(struct needle){ want, want_len, true });

	has_both = memchr(want, '+', want_len) || memchr(want, '/', want_len);
	for (size_t i = 0; has_both && i < want_len; i++) {
		if (want[i] == '+')
			want[i] = '-';
		else if (want[i] == '/')
			want[i] = '_';
	}
	if (has_both)
		find_plain(s, want, want_len);
	OPENSSL_cleanse(in, total);
	OPENSSL_cleanse(out, size);
	mem_free(in);
	mem_free(out);
}

static void find_secret(void *arg, const char *bytes, size_t len)
{
	struct search *s = arg;

	if (len < SHORTEST)
		return;
	find(s, &(struct needle){ bytes, len, false });
	for (size_t shift = 0; shift < 3; shift++)
		find_base64(s, bytes, len, shift);
}

/* Whether a secret may begin where an escape is among the first bytes that spell it. */
static bool may_hold_escaped(const struct search *s, enum spelling how)
{
	const char mark = how == SPELT_PERCENT ? '%' : '\\';

	for (size_t escape = s->len, i = s->len; i-- > 0;) {
		char bytes[SIEVE_BYTES + 3];
		size_t at = i, got = 0;

		if (s->text[i] == mark)
			escape = i;
		if (escape - i >= SIEVE_BYTES)
			continue;
		while (got < SIEVE_BYTES && at < s->len) {
			size_t unit_len;

			at += unit_at(s->text + at, s->len - at, how, bytes + got, &unit_len);
			got += unit_len;
		}
		if (got >= SIEVE_BYTES && sieve_may_hold(bytes, SIEVE_BYTES))
			return true;
	}
	return false;
}

static bool may_hold(const struct search *s)
{
	return s->len > SIEVED_MAX || sieve_may_hold(s->text, s->len) ||
	       (s->has_percent && may_hold_escaped(s, SPELT_PERCENT)) ||
	       (s->has_backslash && may_hold_escaped(s, SPELT_BACKSLASH));
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return 0;
}

/* Joins ranges that overlap. Ranges that only touch stay two: two secrets, two blanks. */
static void merge(struct search *s)
{
	size_t kept = 0;

	qsort(s->found, s->count, sizeof(*s->found), by_start);
	for (size_t i = 1; i < s->count; i++) {
		struct range *last = &s->found[kept];

		if (s->found[i].from < last->to)
			last->to = MAX_OF(last->to, s->found[i].to);
		else
			s->found[++kept] = s->found[i];
	}
	s->count = kept + 1;
}

void redact_text(struct sb *text)
{
	CLEANUP(search_done) struct search s = { .text = text->buf, .len = text->len };
	struct sb out = SB_INIT(0);
	size_t at = 0;

	if (text->len < SHORTEST)
		return;
	s.has_percent = memchr(s.text, '%', s.len) || memchr(s.text, '+', s.len);
	s.has_backslash = memchr(s.text, '\\', s.len);
	if (may_hold(&s))
		secret_each(find_secret, &s);
	if (s.count == 0)
		return;
	merge(&s);
	/* A blank may be longer than what it hides; a document must not lose its end for that. */
	out.max = MAX_OF(text->max, text->len + s.count * sizeof(blank));
	for (size_t i = 0; i < s.count; i++) {
		sb_addn(&out, text->buf + at, s.found[i].from - at);
		sb_add(&out, blank);
		at = s.found[i].to;
	}
	sb_addn(&out, text->buf + at, text->len - at);
	out.over = text->over;
	out.max = MAX_OF(text->max, out.len);
	OPENSSL_cleanse(text->buf, text->cap);
	sb_done(text);
	*text = out;
}
