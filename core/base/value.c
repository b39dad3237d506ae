/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/secret.h"
#include "core/base/when.h"

/* Below this a look at every key is as quick as the index, and needs no memory. */
#define VALUE_INDEX_FROM 17
#define EXACT_MAX (INT64_C(1) << 53) /* from here on a double no longer tells neighbours apart */

/* Trees share nodes; a holder of a tree that was made const never writes through it. */
static struct value *shared(const struct value *v)
{
	union {
		const struct value *in;
		struct value *out;
	} same = { v };

	return same.out;
}

static size_t room_of(enum val_kind kind)
{
	switch (kind) {
	case VAL_NULL:
	case VAL_BOOL:
	case VAL_INT:
	case VAL_REAL:
	case VAL_STRING:
	case VAL_SECRET:
		return sizeof(int64_t);
	case VAL_LIST:
		return sizeof(struct value_items);
	case VAL_MAP:
		return sizeof(struct value_map);
	}
	return sizeof(struct value_map);
}

static struct value *node(struct arena *a, enum val_kind kind)
{
	struct value *v = arena_words(a, offsetof(struct value, u) + room_of(kind));

	v->kind = kind;
	return v;
}

/* arena_grow for the short counts of a node. */
static void *grown(struct arena *a, void *old, uint32_t count, uint32_t *cap, size_t size)
{
	size_t room = *cap;
	void *p = arena_grow(a, old, count, &room, size);

	assert(room < UINT32_MAX);
	*cap = (uint32_t)room;
	return p;
}

struct value *value_null(struct arena *a)
{
	return node(a, VAL_NULL);
}

struct value *value_bool(struct arena *a, bool b)
{
	struct value *v = node(a, VAL_BOOL);

	v->u.b = b;
	return v;
}

struct value *value_int(struct arena *a, int64_t i)
{
	struct value *v = node(a, VAL_INT);

	v->u.i = i;
	return v;
}

struct value *value_real(struct arena *a, double r)
{
	struct value *v = node(a, VAL_REAL);

	v->u.r = r;
	return v;
}

struct value *value_string(struct arena *a, const char *s)
{
	struct value *v;

	if (!s)
		return value_null(a);
	v = node(a, VAL_STRING);
	v->u.str = arena_strdup(a, s);
	return v;
}

struct value *value_borrowed(struct arena *a, const char *s)
{
	struct value *v = node(a, s ? VAL_STRING : VAL_NULL);

	if (s)
		v->u.str = s;
	return v;
}

struct value *value_stringf(struct arena *a, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(SB_TEXT_MAX);
	va_list ap;

	va_start(ap, fmt);
	sb_addv(&s, fmt, ap);
	va_end(ap);
	return value_string(a, s.buf);
}

struct value *value_instant(struct arena *a, int64_t ms)
{
	char buf[WHEN_TEXT_MAX];

	return ms == 0 ? value_null(a) : value_string(a, when_text(buf, ms));
}

struct value *value_secret(struct arena *a, struct secret *s)
{
	struct value *v = node(a, VAL_SECRET);

	v->u.secret = s;
	return v;
}

struct value *value_list(struct arena *a)
{
	return node(a, VAL_LIST);
}

struct value *value_map(struct arena *a)
{
	return node(a, VAL_MAP);
}

struct value *value_map_sized(struct arena *a, size_t keys)
{
	struct value *v = value_map(a);

	assert(keys < UINT32_MAX);
	if (keys > 0)
		v->u.map.pairs = arena_words(a, keys * sizeof(*v->u.map.pairs));
	v->u.map.cap = (uint32_t)keys;
	return v;
}

void value_list_add(struct arena *a, struct value *list, const struct value *item)
{
	assert(list->kind == VAL_LIST && item);
	list->u.list.items = grown(a, list->u.list.items, list->u.list.count, &list->u.list.cap,
				   sizeof(struct value *));
	list->u.list.items[list->u.list.count++] = shared(item);
}

static uint32_t hash(const char *key, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 32;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

static bool is_key(const struct value_pair *p, const char *key, size_t len)
{
	return p->key[0] == key[0] && strncmp(p->key, key, len) == 0 && p->key[len] == '\0';
}

static struct value_pair *find(const struct value_map *m, const char *key, size_t len)
{
	if (!m->index) {
		for (size_t i = 0; i < m->count; i++)
			if (is_key(&m->pairs[i], key, len))
				return &m->pairs[i];
		return NULL;
	}
	for (size_t at = hash(key, len);; at++) {
		uint32_t n = m->index[1 + (at & (m->index[0] - 1))];

		if (n == 0)
			return NULL;
		if (is_key(&m->pairs[n - 1], key, len))
			return &m->pairs[n - 1];
	}
}

static void index_pair(struct value_map *m, size_t i)
{
	const char *key = m->pairs[i].key;
	size_t at = hash(key, strlen(key));

	while (m->index[1 + (at & (m->index[0] - 1))])
		at++;
	m->index[1 + (at & (m->index[0] - 1))] = (uint32_t)(i + 1);
}

/* Keeps the index at most half full, so that a search soon meets a hole. */
static void index_last(struct arena *a, struct value_map *m)
{
	uint32_t len = m->index ? m->index[0] : 0;

	if (m->count < VALUE_INDEX_FROM)
		return;
	if (m->count <= len / 2) {
		index_pair(m, m->count - 1);
		return;
	}
	assert(len < UINT32_MAX / 4);
	len = MAX_OF(len * 2, (uint32_t)64);
	m->index = arena_array(a, (size_t)len + 1, sizeof(*m->index));
	m->index[0] = len;
	for (size_t i = 0; i < m->count; i++)
		index_pair(m, i);
}

void value_add(struct arena *a, struct value *map, const char *key, const struct value *val)
{
	struct value_map *m = &map->u.map;

	assert(map->kind == VAL_MAP);
	if (!val)
		return;
	m->pairs = grown(a, m->pairs, m->count, &m->cap, sizeof(*m->pairs));
	m->pairs[m->count++] = (struct value_pair){ .key = key, .val = shared(val) };
	index_last(a, m);
}

void value_set(struct arena *a, struct value *map, const char *key, const struct value *val)
{
	struct value_map *m = &map->u.map;
	struct value_pair *p;

	assert(map->kind == VAL_MAP);
	if (!val)
		return;
	p = find(m, key, strlen(key));
	if (p)
		p->val = shared(val);
	else
		value_add(a, map, arena_strdup(a, key), val);
}

static struct value *copy_list(struct arena *a, const struct value *v)
{
	struct value *out = value_list(a);

	out->u.list.cap = v->u.list.count;
	if (v->u.list.count > 0)
		out->u.list.items = arena_array(a, v->u.list.count, sizeof(struct value *));
	for (size_t i = 0; i < v->u.list.count; i++)
		value_list_add(a, out, value_copy(a, v->u.list.items[i]));
	return out;
}

static struct value *copy_map(struct arena *a, const struct value *v)
{
	struct value *out = value_map_sized(a, v->u.map.count);

	for (size_t i = 0; i < v->u.map.count; i++) {
		const struct value_pair *p = &v->u.map.pairs[i];

		value_add(a, out, arena_strdup(a, p->key), value_copy(a, p->val));
		out->u.map.pairs[i].key_pos = p->key_pos;
	}
	return out;
}

struct value *value_copy(struct arena *a, const struct value *v)
{
	struct value *out;

	if (!v)
		return value_null(a);
	if (v->kind == VAL_LIST) {
		out = copy_list(a, v);
	} else if (v->kind == VAL_MAP) {
		out = copy_map(a, v);
	} else {
		out = node(a, v->kind);
		memcpy(&out->u, &v->u, room_of(v->kind));
		if (v->kind == VAL_STRING)
			out->u.str = arena_strdup(a, v->u.str);
	}
	out->is_plain = v->is_plain;
	out->pos = v->pos;
	return out;
}

static const struct value_pair *get_pair(const struct value *map, const char *key, size_t len)
{
	return map && map->kind == VAL_MAP ? find(&map->u.map, key, len) : NULL;
}

const struct value_pair *value_get_pair(const struct value *map, const char *key)
{
	return get_pair(map, key, strlen(key));
}

const struct value *value_get(const struct value *map, const char *key)
{
	const struct value_pair *p = value_get_pair(map, key);

	return p ? p->val : NULL;
}

const struct value *value_path(const struct value *v, const char *dotted)
{
	for (;;) {
		size_t len = strcspn(dotted, ".");
		const struct value_pair *p = get_pair(v, dotted, len);

		if (!p || !dotted[len])
			return p ? p->val : NULL;
		v = p->val;
		dotted += len + 1;
	}
}

const char *value_text(const struct value *v)
{
	return value_text_or(v, NULL);
}

const char *value_text_or(const struct value *v, const char *otherwise)
{
	return v && v->kind == VAL_STRING ? v->u.str : otherwise;
}

int64_t value_int_or(const struct value *v, int64_t otherwise)
{
	return v && v->kind == VAL_INT ? v->u.i : otherwise;
}

bool value_bool_or(const struct value *v, bool otherwise)
{
	return v && v->kind == VAL_BOOL ? v->u.b : otherwise;
}

bool value_is_null(const struct value *v)
{
	return !v || v->kind == VAL_NULL;
}

size_t value_count(const struct value *v)
{
	if (v && v->kind == VAL_LIST)
		return v->u.list.count;
	return v && v->kind == VAL_MAP ? v->u.map.count : 0;
}

const struct value *value_at(const struct value *list, size_t i)
{
	if (i >= value_count(list))
		return NULL;
	return list->kind == VAL_LIST ? list->u.list.items[i] : list->u.map.pairs[i].val;
}

const char *value_key_at(const struct value *map, size_t i)
{
	if (!map || map->kind != VAL_MAP || i >= map->u.map.count)
		return NULL;
	return map->u.map.pairs[i].key;
}

const char *value_kind_name(enum val_kind kind)
{
	switch (kind) {
	case VAL_NULL:
		return "null";
	case VAL_BOOL:
		return "boolean";
	case VAL_INT:
		return "number";
	case VAL_REAL:
		return "number with a fraction";
	case VAL_STRING:
		return "string";
	case VAL_SECRET:
		return "secret";
	case VAL_LIST:
		return "list";
	case VAL_MAP:
		return "map";
	}
	return "unknown";
}

static bool lists_equal(const struct value *a, const struct value *b)
{
	if (a->u.list.count != b->u.list.count)
		return false;
	for (size_t i = 0; i < a->u.list.count; i++)
		if (!value_equal(a->u.list.items[i], b->u.list.items[i]))
			return false;
	return true;
}

static bool maps_equal(const struct value *a, const struct value *b)
{
	if (a->u.map.count != b->u.map.count)
		return false;
	for (size_t i = 0; i < a->u.map.count; i++) {
		const struct value_pair *p = &a->u.map.pairs[i];
		const struct value_pair *q = value_get_pair(b, p->key);

		if (!q || !value_equal(p->val, q->val))
			return false;
	}
	return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a == b)
		return true;
	if (!a || !b)
		return value_is_null(a) && value_is_null(b);
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VAL_NULL:
		return true;
	case VAL_BOOL:
		return a->u.b == b->u.b;
	case VAL_INT:
		return a->u.i == b->u.i;
	case VAL_REAL:
		return a->u.r <= b->u.r && a->u.r >= b->u.r;
	case VAL_STRING:
		return strcmp(a->u.str, b->u.str) == 0;
	case VAL_SECRET:
		return secret_equal(a->u.secret, b->u.secret);
	case VAL_LIST:
		return lists_equal(a, b);
	case VAL_MAP:
		return maps_equal(a, b);
	}
	return false;
}

/* "a list", "null": a kind as the end of a sentence. */
static const char *a_kind(const struct value *v)
{
	return v->kind == VAL_NULL ? "" : "a ";
}

static int wrong_kind(const char *what, const struct value *v, const char *wanted, struct err *err)
{
	if (!v)
		return err_set(err, E_REMOTE, "%s is missing", what);
	return err_set(err, E_REMOTE, "%s is %s%s, not a %s", what, a_kind(v),
		       value_kind_name(v->kind), wanted);
}

int value_need_kind(const struct value *v, enum val_kind kind, const char *what, struct err *err)
{
	if (v && v->kind == kind)
		return 0;
	return wrong_kind(what, v, value_kind_name(kind), err);
}

static const struct value *field(const struct value *map, const char *key, struct sb *what)
{
	sb_addf(what, "field '%s'", key);
	return value_get(map, key);
}

int value_need_text(const struct value *map, const char *key, const char **ret, struct err *err)
{
	CLEANUP(sb_done) struct sb what = SB_INIT(512);
	const struct value *v = value_get(map, key);

	if (v && v->kind == VAL_STRING) {
		*ret = v->u.str;
		return 0;
	}
	(void)field(map, key, &what); /* its name is wanted in a refusal alone */
	return value_need_kind(v, VAL_STRING, what.buf, err);
}

int value_need_id(struct arena *a, const struct value *map, const char *key, const char **ret,
		  struct err *err)
{
	CLEANUP(sb_done) struct sb what = SB_INIT(512);
	const struct value *v = field(map, key, &what);

	if (!v || (v->kind != VAL_STRING && v->kind != VAL_INT && v->kind != VAL_REAL))
		return wrong_kind(what.buf, v, "string or number", err);
	if (v->kind == VAL_STRING) {
		if (!v->u.str[0])
			return err_set(err, E_REMOTE, "%s is empty", what.buf);
		*ret = v->u.str;
		return 0;
	}
	if (v->kind == VAL_REAL || v->u.i > EXACT_MAX || v->u.i < -EXACT_MAX)
		return err_set(err, E_REMOTE, "%s is a number that cannot be an id", what.buf);
	*ret = arena_printf(a, "%" PRId64, v->u.i);
	return 0;
}

int value_ms(const struct value *v, int64_t *ret_ms, struct err *err)
{
	int64_t ms = 0;

	if (value_is_null(v)) {
		*ret_ms = 0;
		return 0;
	}
	if (v->kind == VAL_INT && v->u.i >= 0) {
		*ret_ms = v->u.i;
		return 0;
	}
	if (v->kind != VAL_STRING || !v->u.str[0])
		return err_set(err, E_REMOTE, "a time in milliseconds is %s%s",
			       v->kind == VAL_STRING ? "an empty " :
			       v->kind == VAL_INT    ? "a negative " :
						       "a ",
			       value_kind_name(v->kind));
	for (const char *p = v->u.str; *p; p++)
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(ms, 10, &ms) ||
		    __builtin_add_overflow(ms, *p - '0', &ms))
			return err_set(err, E_REMOTE, "a time in milliseconds is '%.60s'",
				       v->u.str);
	*ret_ms = ms;
	return 0;
}
