/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.h - the only caller of malloc.
 *
 * Running out of memory ends the process with exit status 71 and a message that was written
 * beforehand. That is sound because an apply must be resumable after a kill anyway: its intent is
 * on disk before a write is sent. Memory that input can make grow is bounded elsewhere (sb's max,
 * the loaders' node and depth limits), so it never gets here.
 */
#pragma once
#include "core/base/base.h"

void *mem_alloc(size_t size) MUST_USE;                     /* zeroed; size 0 gives one byte */
void *mem_resize(void *old, size_t count, size_t size) MUST_USE; /* count * size, overflow checked; growth is not zeroed */
char *mem_strdup(const char *s) MUST_USE;
char *mem_strndup(const char *s, size_t len) MUST_USE;
void mem_free(void *p);                                    /* NULL is fine */
void mem_freep(void *pp);                                  /* for CLEANUP: takes the address of the pointer */

void mem_trim(void); /* gives what is free back to the system, where it takes it: before a long wait */
void mem_exhausted(void) NORETURN;                         /* for a library that reports it by a return value */

/* Grows a vector: makes room for one more element than *count. Usage: v = mem_grow(v, n, &cap, sizeof(*v)); */
void *mem_grow(void *old, size_t count, size_t *cap, size_t size) MUST_USE;
