/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/ssh_wire.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

uint32_t wire_u32(struct wire *w)
{
	uint32_t n;

	if (w->is_bad || w->left < 4) {
		w->is_bad = true;
		return 0;
	}
	n = (uint32_t)w->at[0] << 24 | (uint32_t)w->at[1] << 16 | (uint32_t)w->at[2] << 8 |
	    w->at[3];
	w->at += 4;
	w->left -= 4;
	return n;
}

const unsigned char *wire_string(struct wire *w, size_t *ret_len)
{
	uint32_t n = wire_u32(w);
	const unsigned char *bytes = w->at;

	*ret_len = 0;
	if (w->is_bad || n > w->left) {
		w->is_bad = true;
		return NULL;
	}
	w->at += n;
	w->left -= n;
	*ret_len = n;
	return bytes;
}

bool wire_is(struct wire *w, const char *text)
{
	size_t len;
	const unsigned char *s = wire_string(w, &len);

	return s && len == strlen(text) && memcmp(s, text, len) == 0;
}

bool wire_literal(struct wire *w, const char *text)
{
	size_t len = strlen(text);

	if (w->is_bad || w->left < len || memcmp(w->at, text, len) != 0)
		return false;
	w->at += len;
	w->left -= len;
	return true;
}

void wire_add_u32(struct sb *out, uint32_t n)
{
	const unsigned char b[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16),
				     (unsigned char)(n >> 8), (unsigned char)n };

	sb_addn(out, b, sizeof(b));
}

void wire_add(struct sb *out, const void *bytes, size_t len)
{
	wire_add_u32(out, (uint32_t)len);
	sb_addn(out, bytes, len);
}

void wire_add_text(struct sb *out, const char *text)
{
	wire_add(out, text, strlen(text));
}

void base64_add(struct sb *out, const void *bytes, size_t len, size_t columns)
{
	const unsigned char *b = bytes;
	size_t column = 0;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = MIN_OF(len - i, (size_t)3);
		uint32_t n = (uint32_t)b[i] << 16 | (have > 1 ? (uint32_t)b[i + 1] << 8 : 0) |
			     (have > 2 ? b[i + 2] : 0u);

		for (size_t k = 0; k < 4; k++) {
			if (columns && column == columns) {
				sb_addc(out, '\n');
				column = 0;
			}
			sb_addc(out, k > have ? '=' : alphabet[n >> (18 - 6 * k) & 63]);
			column++;
		}
	}
}

bool base64_read(struct sb *out, const char *text, size_t len)
{
	uint32_t bits = 0;
	unsigned have = 0, pads = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at;

		if (text[i] == '\n' || text[i] == '\r' || text[i] == ' ' || text[i] == '\t')
			continue;
		if (text[i] == '=') {
			pads++;
			continue;
		}
		at = text[i] ? strchr(alphabet, text[i]) : NULL;
		if (!at || pads)
			return false;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		if (++have == 4) {
			const unsigned char b[3] = { (unsigned char)(bits >> 16),
						     (unsigned char)(bits >> 8),
						     (unsigned char)bits };

			sb_addn(out, b, 3);
			have = 0;
			bits = 0;
		}
	}
	if (have == 0)
		return pads == 0 && !out->over;
	if (have == 1 || have + pads != 4 || (bits & (have == 2 ? 15u : 3u)))
		return false;
	sb_addc(out, (char)(have == 2 ? bits >> 4 : bits >> 10));
	if (have == 3)
		sb_addc(out, (char)(bits >> 2));
	return !out->over;
}
