/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.h - one table says what a rollout file may hold.
 *
 * Parsing, type errors with positions, defaults, did-you-mean, `s2sctl help`, the JSON Schema and the reference in docs all
 * come from it. Tables are const and end with a NULL name. The kind decides what a scalar means: `no` in a FIELD_STRING is "no".
 *
 * What checking makes of each kind (core/plan/schema.h): a tree of the same shape with typed nodes and defaults filled in.
 */
#pragma once
#include "core/base/value.h"

enum field_kind {
	FIELD_STRING,   /* VAL_STRING, 1 to 1024 bytes, no control bytes */
	FIELD_ID,       /* VAL_STRING without '/', blanks, control bytes, '?' or '#'; 1 to 256 bytes */
	FIELD_INT,      /* VAL_INT within min..max */
	FIELD_BOOL,     /* true or false; VAL_BOOL */
	FIELD_SPAN,     /* "15m"; VAL_INT milliseconds within min..max */
	FIELD_INSTANT,  /* ISO 8601; VAL_INT milliseconds */
	FIELD_URL,      /* https only (http only to loopback), no user info, no query, no fragment; trailing slashes cut; VAL_STRING */
	FIELD_ENUM,     /* one of names; VAL_STRING */
	FIELD_SECRET,   /* a reference: "env:NAME", "file:PATH", "exec:COMMAND", or {ref: ..., late: true}; becomes a map {ref, late}. A literal secret is an error */
	FIELD_PATH,     /* a file; relative to the rollout file's folder; VAL_STRING, made absolute or folder-relative by the loader */
	FIELD_MAP,      /* fields `sub` */
	FIELD_LIST,     /* of `sub[0]`; a lone scalar is not a list */
	FIELD_DICT,     /* free keys (each checked as FIELD_ID), values by `sub[0]` */
};

enum field_flag {
	FIELD_REQUIRED = 1 << 0,
	FIELD_FROM_ENV = 1 << 1, /* a scalar may be written env:NAME and is replaced at load; not for secrets, which are always references */
	FIELD_ONE_OF = 1 << 2,   /* of all fields of this table with the flag exactly one must be there */
};

struct field {
	const char *name;
	enum field_kind kind;
	unsigned flags;
	const char *doc;               /* one sentence */
	const char *def;               /* as it would be written in the file; NULL for none */
	const struct field *sub;       /* FIELD_MAP: its fields; FIELD_LIST, FIELD_DICT: one entry */
	const char *const *names;      /* FIELD_ENUM: ends with NULL */
	int64_t min, max;              /* FIELD_INT, FIELD_SPAN; both 0: no limits. FIELD_LIST: max items */
};
