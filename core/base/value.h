/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h - a typed tree: what YAML and JSON become, what facts, requests and plans are made of.
 *
 * Each node knows where it was written (for files) and whether it is secret. Nodes live in an
 * arena and are immutable once shared. Maps keep the order in which keys were added; lookup is by hash once a map is large. Text from
 * a JSON answer may hold any byte but NUL; it is masked where it is printed.
 *
 * A fleet's plan is made of millions of them: a node takes no more room than its kind needs (24 to 40 bytes), so a struct value is
 * made by the makers below alone, and never copied as a whole.
 */
#pragma once
#include "core/base/arena.h"
#include "core/base/err.h"

struct secret;
enum val_kind {
	VAL_NULL,
	VAL_BOOL,
	VAL_INT,    /* int64_t; JSON numbers without fraction up to 2^53 */
	VAL_REAL,   /* double; any other JSON number */
	VAL_STRING, /* YAML scalars are all strings: the field's kind decides what they mean */
	VAL_SECRET, /* prints as its label; copies and merges stay secret */
	VAL_LIST,
	VAL_MAP,
};

struct value;
struct value_pair {
	const char *key;
	struct src_pos key_pos;
	struct value *val;
};
struct value_map {
	struct value_pair *pairs;
	uint32_t count, cap;
	uint32_t *index; /* its length, then open addressing: pair number + 1; built at VALUE_INDEX_FROM keys */
};
struct value_items {
	struct value **items;
	uint32_t count, cap;
};
struct value {
	enum val_kind kind;
	bool is_plain;  /* YAML: written without quotes, so `null`, `~` and `true` may be meant */
	struct src_pos pos;
	union {
		bool b;
		int64_t i;
		double r;
		const char *str;       /* terminated */
		struct secret *secret; /* owned by whoever made the arena's tree: see value_secret */
		struct value_items list;
		struct value_map map;
	} u;
};

/* Makers. All in the arena; strings are copied. */
struct value *value_null(struct arena *a) MUST_USE;
struct value *value_bool(struct arena *a, bool b) MUST_USE;
struct value *value_int(struct arena *a, int64_t i) MUST_USE;
struct value *value_real(struct arena *a, double r) MUST_USE;
struct value *value_string(struct arena *a, const char *s) MUST_USE; /* NULL gives a null */
struct value *value_stringf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_USE;
struct value *value_instant(struct arena *a, int64_t ms) MUST_USE;   /* ISO text; null for 0 */
struct value *value_secret(struct arena *a, struct secret *s) MUST_USE; /* borrows s: it must live as long as the arena */
struct value *value_list(struct arena *a) MUST_USE;
struct value *value_map(struct arena *a) MUST_USE;
struct value *value_map_sized(struct arena *a, size_t keys) MUST_USE; /* with room for so many, so that no outgrown room stays behind */
struct value *value_borrowed(struct arena *a, const char *s) MUST_USE; /* a string that lives as long as the arena: not copied; NULL gives a null */
void value_list_add(struct arena *a, struct value *list, const struct value *item); /* shares item */
void value_set(struct arena *a, struct value *map, const char *key, const struct value *val); /* replaces; shares val; NULL val is ignored */
void value_add(struct arena *a, struct value *map, const char *key, const struct value *val); /* the same for a key that is new, and borrowed: neither looked for nor copied */
struct value *value_copy(struct arena *a, const struct value *v) MUST_USE; /* deep; secrets shared */

/* Readers. All accept NULL for "not there". */
const struct value *value_get(const struct value *map, const char *key);          /* NULL when v is no map or has no such key */
const struct value_pair *value_get_pair(const struct value *map, const char *key);
const struct value *value_path(const struct value *v, const char *dotted);         /* "a.b.c" */
const char *value_text(const struct value *v);                                     /* the string, or NULL when it is not one */
const char *value_text_or(const struct value *v, const char *otherwise);
int64_t value_int_or(const struct value *v, int64_t otherwise);
bool value_bool_or(const struct value *v, bool otherwise);
bool value_is_null(const struct value *v);                                         /* NULL or VAL_NULL */
size_t value_count(const struct value *v);                                         /* of a list or map; else 0 */
const struct value *value_at(const struct value *list, size_t i);                  /* item of a list, value of a map; NULL past the end */
const char *value_key_at(const struct value *map, size_t i);
const char *value_kind_name(enum val_kind kind);                                   /* "string", "list", ... for messages */
bool value_equal(const struct value *a, const struct value *b);                    /* maps regardless of order; secrets by content */

/*
 * Shorthands for reading an answer whose shape must be right: on failure E_REMOTE "field 'x' is missing" or
 * "field 'x' is a list, not a string".
 */
int value_need_text(const struct value *map, const char *key, const char **ret, struct err *err) MUST_USE;
int value_need_kind(const struct value *v, enum val_kind kind, const char *what, struct err *err) MUST_USE;
/* An id that a server writes now as a string, now as a number. E_REMOTE when it is neither, empty, or a number past 2^53. */
int value_need_id(struct arena *a, const struct value *map, const char *key, const char **ret, struct err *err) MUST_USE;
/* Milliseconds since 1970 that a server writes as a number or as digits in a string; 0 when missing or null; E_REMOTE else. */
int value_ms(const struct value *v, int64_t *ret_ms, struct err *err) MUST_USE;
