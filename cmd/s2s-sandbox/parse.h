/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - from what arrived on the wire to the maps of strings that a twin reads.
 *
 * Pure; everything made lives in the arena. What is refused is answered with 400 by the caller.
 */
#pragma once
#include "core/base/value.h"

#define PARSE_SEGMENTS_MAX 64
#define PARSE_FIELDS_MAX 1000

/*
 * Percent-decodes; '+' becomes a blank where `plus` (queries and forms). NULL when an escape is
 * broken or the text would hold a NUL.
 */
char *parse_decode(struct arena *a, const char *text, size_t len, bool plus) MUST_USE;

/*
 * Splits a raw path ("/a/b%20c/") into decoded segments; empty ones at the end are dropped, so that
 * "/a/" has one. E_REMOTE for a path without a leading '/', an empty or dot segment inside, a
 * segment that decodes to something with '/' or NUL, and too many.
 * @ret       NULL-terminated, in the arena
 */
int parse_path(struct arena *a, const char *path, const char *const **ret, size_t *ret_count,
	       struct err *err) MUST_USE;

/* "a=1&b=x+y" to a map of strings; of a name given twice the last one counts. */
int parse_form(struct arena *a, const char *text, size_t len, struct value **ret,
	       struct err *err) MUST_USE;

/*
 * A request's body by its content type (NULL: told by its first byte): JSON, urlencoded form,
 * multipart/form-data with plain fields. NULL when it is none of these or cannot be parsed: what to
 * say about that is the twin's business.
 */
const struct value *parse_body(struct arena *a, const char *content_type, const char *body,
			       size_t len) MUST_USE;

/* Whether a Host header ("localhost:4711") names loopback. NULL: no. */
bool parse_host_is_loopback(const char *host) MUST_USE;
