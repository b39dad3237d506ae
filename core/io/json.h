/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - JSON text to and from values. The only file that names cJSON.
 */
#pragma once
#include "core/base/sb.h"
#include "core/base/value.h"

struct json_limits {
	size_t bytes, depth, nodes; /* 0: the defaults, 16 MiB, 64, 2,000,000 */
};
/*
 * Parses one document (trailing blanks allowed, anything else after it refused; duplicate keys in an object refused). Positions are line and
 * column where they can be known, else 0.
 * @secret_field  a top-level member whose string becomes a VAL_SECRET, or NULL. The secret is owned by `a`'s user: it is kept in *ret_secret, which may be NULL only when secret_field is.
 */
int json_parse(struct arena *a, const char *text, size_t len, const struct json_limits *limits, const char *secret_field, struct secret **ret_secret, struct value **ret, struct err *err) MUST_USE;

enum json_style {
	JSON_COMPACT,   /* one line, keys in the order given */
	JSON_CANONICAL, /* one line, keys sorted by bytes, no insignificant space: what is hashed and stored */
	JSON_PRETTY,    /* two blanks a level, keys in the order given, one trailing newline */
};
/* Secrets are written as their label, unless `open` is given: io/http.c alone gives it. */
typedef const char *json_open_fn(const struct secret *s, size_t *ret_len);
void json_write(struct sb *out, const struct value *v, enum json_style style, json_open_fn *open);
