/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"

/* Small first, because a call's arena often holds little; large later, for a plan's. */
#define BLOCK_FIRST ((size_t)512)
#define BLOCK_LARGEST ((size_t)256 << 10)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b;

	if (size > SIZE_MAX - sizeof(*b))
		mem_exhausted();
	/* Not zeroed: each piece is, when it is handed out, and text not even then. */
	b = mem_resize(NULL, 1, sizeof(*b) + size);
	*b = (struct arena_block){ .size = size };
	return b;
}

/*
 * Finds a block with room. A large piece gets a block of its own behind the newest, whose rest
 * stays in use.
 */
static struct arena_block *room_for(struct arena *a, size_t size)
{
	struct arena_block *top = a->blocks, *b;
	size_t next = BLOCK_FIRST;

	if (top)
		next = MIN_OF(MAX_OF(top->size, BLOCK_FIRST) * 2, BLOCK_LARGEST);
	b = block_new(MAX_OF(next, size));
	if (top && size > next / 2) {
		b->next = top->next;
		top->next = b;
	} else {
		b->next = top;
		a->blocks = b;
	}
	return b;
}

static void *take(struct arena *a, size_t size, size_t align)
{
	struct arena_block *b = a->blocks;
	size_t at = 0;

	if (b)
		at = (b->used + align - 1) & ~(align - 1);
	if (!b || at > b->size || size > b->size - at) {
		b = room_for(a, size);
		at = 0;
	}
	b->used = at + size;
	a->used += size;
	return b->bytes + at;
}

struct arena *arena_new(void)
{
	return mem_alloc(sizeof(struct arena));
}

struct arena *arena_new_sized(size_t bytes)
{
	struct arena *a = arena_new();

	if (bytes)
		a->blocks = block_new(bytes);
	return a;
}

size_t arena_room(const struct arena *a)
{
	size_t room = 0;

	for (const struct arena_block *b = a->blocks; b; b = b->next)
		room += (b->used + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	return room;
}

struct arena_end {
	struct arena_end *next;
	void (*fn)(void *arg);
	void *arg;
};

void arena_at_end(struct arena *a, void (*fn)(void *arg), void *arg)
{
	struct arena_end *end = ARENA_NEW(a, struct arena_end);

	*end = (struct arena_end){ .next = a->ends, .fn = fn, .arg = arg };
	a->ends = end;
}

void arena_done(struct arena *a)
{
	while (a->ends) {
		struct arena_end *end = a->ends;

		a->ends = end->next;
		end->fn(end->arg);
	}
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		mem_free(b);
	}
	a->used = 0;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	arena_done(a);
	mem_free(a);
}

void arena_freep(struct arena **a)
{
	arena_free(*a);
	*a = NULL;
}

void *arena_alloc(struct arena *a, size_t size)
{
	/* Two pieces never share an address. */
	void *p = take(a, size > 0 ? size : 1, alignof(max_align_t));

	return memset(p, 0, size);
}

void *arena_words(struct arena *a, size_t size)
{
	return memset(take(a, size > 0 ? size : 1, alignof(int64_t)), 0, size);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		mem_exhausted();
	return arena_alloc(a, total);
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	size_t n = strnlen(s, len);
	char *p = take(a, n + 1, 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *arena_join(struct arena *a, const char *head, char between, const char *tail)
{
	size_t head_len = strlen(head), tail_len = strlen(tail);
	char *p = take(a, head_len + tail_len + 2, 1);

	memcpy(p, head, head_len);
	p[head_len] = between;
	memcpy(p + head_len + 1, tail, tail_len + 1);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char buf[256]; /* most text fits, and is made once */
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n < 0)
		mem_exhausted();
	if ((size_t)n < sizeof(buf))
		return arena_strndup(a, buf, (size_t)n);
	p = take(a, (size_t)n + 1, 1);
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void *arena_grow(struct arena *a, const void *old, size_t count, size_t *cap, size_t size)
{
	union {
		const void *in;
		void *out;
	} same = { old };
	void *p;

	assert(count <= *cap);
	if (count < *cap)
		return same.out;
	if (*cap > SIZE_MAX / 2)
		mem_exhausted();
	*cap = *cap > 0 ? *cap * 2 : 4;
	p = arena_array(a, *cap, size);
	if (count > 0)
		memcpy(p, old, count * size);
	return p;
}
