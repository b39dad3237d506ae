/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - memory that dies together.
 *
 * A plan, a call, a loaded file each own one. Nothing in it is freed by itself; arena_done() frees
 * it all and leaves a usable empty arena. All memory is zeroed and aligned for any type.
 */
#pragma once
#include "core/base/base.h"

struct arena_block;
struct arena_end;
struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;                /* bytes handed out so far, for limits and reports */
	struct arena_end *ends;     /* what has to be done when it dies */
};
#define ARENA_INIT { NULL, 0, NULL }

struct arena *arena_new(void) MUST_USE;  /* on the heap */
struct arena *arena_new_sized(size_t bytes) MUST_USE; /* on the heap, with room for so much and no more: for what stays long and does not grow */
size_t arena_room(const struct arena *a); /* what arena_new_sized needs for the same pieces */
void arena_free(struct arena *a);        /* for arena_new; NULL is fine */
void arena_freep(struct arena **a);      /* for CLEANUP */
void arena_done(struct arena *a);        /* for ARENA_INIT */
/* Calls fn(arg) when the arena dies, before its memory goes: for what something in it borrows, and nothing else holds. Newest first. */
void arena_at_end(struct arena *a, void (*fn)(void *arg), void *arg);
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
void *arena_array(struct arena *a, size_t count, size_t size) MUST_USE; /* overflow checked */
void *arena_words(struct arena *a, size_t size) MUST_USE; /* for what is made of pointers and numbers of 64 bits at most, and of which there are millions: packed closer */
char *arena_strdup(struct arena *a, const char *s) MUST_USE;            /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *s, size_t len) MUST_USE;
char *arena_join(struct arena *a, const char *head, char between, const char *tail) MUST_USE;
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_USE;

/* Grows a vector inside an arena by doubling (the old half stays until the arena dies). */
void *arena_grow(struct arena *a, const void *old, size_t count, size_t *cap, size_t size) MUST_USE;

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
