/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* No stdio and no atexit here: both may want memory. */
void mem_exhausted(void)
{
	static const char words[] = "s2sctl: out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, words, sizeof(words) - 1);

	(void)ignored;
	_exit(71);
}

void *mem_alloc(size_t size)
{
	void *p = calloc(1, size > 0 ? size : 1);

	if (!p)
		mem_exhausted();
	return p;
}

void *mem_resize(void *old, size_t count, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(count, size, &total))
		mem_exhausted();
	p = realloc(old, total > 0 ? total : 1);
	if (!p)
		mem_exhausted();
	return p;
}

void mem_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

char *mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t len)
{
	char *p;
	size_t n = strnlen(s, len);

	if (n == SIZE_MAX)
		mem_exhausted();
	p = mem_alloc(n + 1);
	memcpy(p, s, n);
	return p;
}

void mem_free(void *p)
{
	free(p);
}

void mem_freep(void *pp)
{
	void *p;

	/* pp is the address of a pointer of some type; copying bytes spares us a type pun. */
	memcpy(&p, pp, sizeof(p));
	free(p);
	memset(pp, 0, sizeof(p));
}

void *mem_grow(void *old, size_t count, size_t *cap, size_t size)
{
	assert(count <= *cap);
	if (count < *cap)
		return old;
	if (*cap > SIZE_MAX / 2)
		mem_exhausted();
	*cap = *cap > 0 ? *cap * 2 : 8;
	return mem_resize(old, *cap, size);
}
