/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh_wire.h - the bricks of SSH's formats: base64, and strings with their length in front.
 *
 * Source: RFC 4251 section 5 (string, uint32), RFC 4648 section 4 (base64). Pure.
 */
#pragma once
#include "core/base/sb.h"

/* Bytes being read; every reader moves on, and sets is_bad past the end. Borrows. */
struct wire {
	const unsigned char *at;
	size_t left;
	bool is_bad;
};
uint32_t wire_u32(struct wire *w);
/* A string's bytes and length. NULL: there is none; w->is_bad is set. */
const unsigned char *wire_string(struct wire *w, size_t *ret_len);
bool wire_is(struct wire *w, const char *text);    /* the next string is exactly this text */
bool wire_literal(struct wire *w, const char *text); /* these bytes come next, without a length */

void wire_add_u32(struct sb *out, uint32_t n);
void wire_add(struct sb *out, const void *bytes, size_t len); /* with its length */
void wire_add_text(struct sb *out, const char *text);

void base64_add(struct sb *out, const void *bytes, size_t len, size_t columns); /* columns 0: one line */
/* Blanks and line ends are skipped; anything else that is not base64, or a wrong end, is false. */
bool base64_read(struct sb *out, const char *text, size_t len);
