/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sb.h - a string that grows up to a ceiling named at its birth.
 *
 * buf is never NULL and always terminated. Past the ceiling nothing more is added and `over` is
 * set, so that a chain of adds needs one check at its end.
 */
#pragma once
#include "core/base/base.h"

struct sb {
	char *buf;
	size_t len; /* bytes, without the terminator */
	size_t cap; /* bytes allocated; 0 while buf is the static empty string */
	size_t max; /* ceiling for len */
	bool over;
};
extern char sb_empty[1];
#define SB_INIT(ceiling) { sb_empty, 0, 0, (ceiling), false }
#define SB_TEXT_MAX ((size_t)64 << 20) /* for whole documents that we write ourselves */

void sb_done(struct sb *s);
void sb_reset(struct sb *s);                       /* empty again, keeps its memory */
void sb_add(struct sb *s, const char *text);
void sb_addn(struct sb *s, const void *bytes, size_t len);
void sb_addc(struct sb *s, char c);
void sb_add_int(struct sb *s, int64_t n);          /* in decimal */
void sb_pad(struct sb *s, char c, size_t count);   /* count times c */
void sb_addf(struct sb *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void sb_addv(struct sb *s, const char *fmt, __builtin_va_list ap) PRINTF_LIKE(2, 0);
void sb_add_escaped(struct sb *s, const char *text); /* percent-encodes all but RFC 3986 "unreserved": one path segment, query or form value */
void sb_add_visible(struct sb *s, const char *text); /* control bytes (and DEL, C1, bidi and invisible controls in UTF-8, bad UTF-8) become \xNN, so no server's words drive a terminal; so does the first byte of what commands a build service's log ("::" at a word's start, "##[") */
/*
 * Does a command to a build service begin here? "::" where a word begins (lines are broken at blanks, so that any word may come to stand at the
 * start of one), "##[" or "##vso[" anywhere. Sources: docs.github.com "Workflow commands"; documentation of Azure Pipelines, "Logging commands"; read 2026-11-23.
 */
bool sb_is_log_command(const char *text, size_t at);
void sb_shrink(struct sb *s, size_t len);          /* cuts back to len, which is at most s->len */
char *sb_take(struct sb *s) MUST_USE;              /* the caller's with mem_free; the sb is empty again */

/*
 * One character of text that may hold anything.
 * Returns its length in bytes, or 0 when it is no valid UTF-8 (overlong, surrogate, cut off) or len is 0. @ret_code may be NULL.
 */
size_t utf8_next(const char *s, size_t len, uint32_t *ret_code);
size_t utf8_visible(const char *s, size_t len); /* the same, and 0 for what sb_add_visible masks */
