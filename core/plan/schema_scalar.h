/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_scalar.h - what a word in a file means, by its field's kind.
 *
 * Pure: no allocation, no positions. Used by schema.c alone; apart from it so that each kind can be read, and tested, by itself.
 */
#pragma once
#include "core/api/field.h"

struct scalar {
	enum val_kind kind; /* VAL_STRING, VAL_INT or VAL_BOOL */
	size_t len;         /* VAL_STRING: how much of the text counts (a URL loses its trailing slashes) */
	int64_t i;          /* VAL_INT */
	bool b;             /* VAL_BOOL */
};
struct scalar_fault {
	const char *rule;
	char msg[256];  /* a predicate: "is 'two', not a whole number" */
	char hint[256]; /* may be empty */
};

/*
 * Reads one word. FIELD_STRING to FIELD_PATH but FIELD_SECRET.
 * @is_hidden  messages must not quote it, because it came out of an environment variable
 * 0, or -1 with *fault filled.
 */
int scalar_read(const struct field *f, const char *text, bool is_hidden, struct scalar *ret, struct scalar_fault *fault) MUST_USE;

/* Whether a text is a well-formed secret reference. The text itself never gets into *fault. */
int scalar_reference(const char *text, struct scalar_fault *fault) MUST_USE;

bool scalar_is_env_name(const char *name); /* [A-Za-z_][A-Za-z0-9_]* */
bool scalar_is_loopback(const char *url);  /* of a checked URL */
