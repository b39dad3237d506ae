/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/value_share.h"

#include <string.h>

#include "core/base/mem.h"

#define FIRST_SLOTS ((size_t)1024)

/* Open addressing. A key is kept as a string node of its own, so that one table serves for both. */
struct pool {
	struct arena *arena;
	struct value **slots;
	uint64_t *hashes;
	size_t count, size;
};

static void pool_done(struct pool *p)
{
	mem_free(p->slots);
	mem_free(p->hashes);
}

static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h ^ (h >> 29);
}

static uint64_t mix_pointer(uint64_t h, const void *p)
{
	uintptr_t n = (uintptr_t)p;

	return mix(h, &n, sizeof(n));
}

/* What lies below is shared already: two nodes are equal when they point at the same parts. */
static uint64_t hash_of(const struct value *v)
{
	uint64_t h = mix(UINT64_C(0xcbf29ce484222325), &v->kind, sizeof(v->kind));

	switch (v->kind) {
	case VAL_NULL:
		return h;
	case VAL_BOOL:
		return mix(h, &v->u.b, sizeof(v->u.b));
	case VAL_INT:
		return mix(h, &v->u.i, sizeof(v->u.i));
	case VAL_REAL:
		return mix(h, &v->u.r, sizeof(v->u.r));
	case VAL_STRING:
		return mix(h, v->u.str, strlen(v->u.str));
	case VAL_SECRET:
		return mix_pointer(h, v->u.secret);
	case VAL_LIST:
		for (uint32_t i = 0; i < v->u.list.count; i++)
			h = mix_pointer(h, v->u.list.items[i]);
		return h;
	case VAL_MAP:
		for (uint32_t i = 0; i < v->u.map.count; i++) {
			h = mix_pointer(h, v->u.map.pairs[i].key);
			h = mix_pointer(h, v->u.map.pairs[i].val);
		}
		return h;
	}
	return h;
}

static bool has_same_parts(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind || value_count(a) != value_count(b))
		return false;
	switch (a->kind) {
	case VAL_NULL:
		return true;
	case VAL_BOOL:
		return a->u.b == b->u.b;
	case VAL_INT:
		return a->u.i == b->u.i;
	case VAL_REAL: /* by its bits */
		return memcmp(&a->u.r, &b->u.r, sizeof(a->u.r)) == 0;
	case VAL_STRING:
		return strcmp(a->u.str, b->u.str) == 0;
	case VAL_SECRET:
		return a->u.secret == b->u.secret;
	case VAL_LIST:
		for (uint32_t i = 0; i < a->u.list.count; i++)
			if (a->u.list.items[i] != b->u.list.items[i])
				return false;
		return true;
	case VAL_MAP:
		for (uint32_t i = 0; i < a->u.map.count; i++)
			if (a->u.map.pairs[i].key != b->u.map.pairs[i].key ||
			    a->u.map.pairs[i].val != b->u.map.pairs[i].val)
				return false;
		return true;
	}
	return false;
}

static size_t slot_of(const struct pool *p, const struct value *v, uint64_t hash)
{
	size_t at = (size_t)hash & (p->size - 1);

	while (p->slots[at] && (p->hashes[at] != hash || !has_same_parts(p->slots[at], v)))
		at = (at + 1) & (p->size - 1);
	return at;
}

static void grow(struct pool *p)
{
	struct pool old = *p;

	p->size = old.size ? old.size * 2 : FIRST_SLOTS;
	p->slots = mem_alloc(p->size * sizeof(struct value *));
	p->hashes = mem_alloc(p->size * sizeof(*p->hashes));
	for (size_t i = 0; i < old.size; i++) {
		size_t at = (size_t)old.hashes[i] & (p->size - 1);

		if (!old.slots[i])
			continue;
		while (p->slots[at])
			at = (at + 1) & (p->size - 1);
		p->slots[at] = old.slots[i];
		p->hashes[at] = old.hashes[i];
	}
	pool_done(&old);
}

/* With no more room than it needs; its parts are shared. */
static struct value *copy_node(struct arena *a, const struct value *v)
{
	struct value *out;

	switch (v->kind) {
	case VAL_LIST:
		out = value_list(a);
		out->u.list.items = arena_array(a, v->u.list.count, sizeof(struct value *));
		for (uint32_t i = 0; i < v->u.list.count; i++)
			out->u.list.items[out->u.list.count++] = v->u.list.items[i];
		out->u.list.cap = out->u.list.count;
		return out;
	case VAL_MAP:
		out = value_map_sized(a, v->u.map.count);
		for (uint32_t i = 0; i < v->u.map.count; i++)
			value_add(a, out, v->u.map.pairs[i].key, v->u.map.pairs[i].val);
		return out;
	case VAL_NULL:
	case VAL_BOOL:
	case VAL_INT:
	case VAL_REAL:
	case VAL_STRING:
	case VAL_SECRET:
		break;
	}
	return value_copy(a, v);
}

static struct value *made_once(struct pool *p, const struct value *v)
{
	uint64_t hash = hash_of(v);
	struct value *out;
	size_t at;

	if (p->count * 2 >= p->size)
		grow(p);
	at = slot_of(p, v, hash);
	if (p->slots[at])
		return p->slots[at];
	out = copy_node(p->arena, v);
	p->slots[at] = out;
	p->hashes[at] = hash;
	p->count++;
	return out;
}

static struct value *share(struct pool *p, const struct value *v);

static struct value *share_list(struct pool *p, const struct value *v)
{
	CLEANUP(arena_done) struct arena tmp = ARENA_INIT;
	struct value *list = value_list(&tmp);

	for (uint32_t i = 0; i < v->u.list.count; i++)
		value_list_add(&tmp, list, share(p, v->u.list.items[i]));
	return made_once(p, list);
}

static struct value *share_map(struct pool *p, const struct value *v)
{
	CLEANUP(arena_done) struct arena tmp = ARENA_INIT;
	struct value *map = value_map_sized(&tmp, v->u.map.count);

	for (uint32_t i = 0; i < v->u.map.count; i++) {
		const struct value *key = made_once(p, value_borrowed(&tmp, v->u.map.pairs[i].key));

		value_add(&tmp, map, key->u.str, share(p, v->u.map.pairs[i].val));
	}
	return made_once(p, map);
}

/* As deep as the tree, whose depth its reader has limited. */
static struct value *share(struct pool *p, const struct value *v)
{
	switch (v->kind) {
	case VAL_LIST:
		return share_list(p, v);
	case VAL_MAP:
		return share_map(p, v);
	case VAL_NULL:
	case VAL_BOOL:
	case VAL_INT:
	case VAL_REAL:
	case VAL_STRING:
	case VAL_SECRET:
		break;
	}
	return made_once(p, v);
}

struct value *value_copy_sharing(struct arena *a, const struct value *v)
{
	CLEANUP(pool_done) struct pool p = { .arena = a };

	return share(&p, v);
}
