/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/secret.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/secret_open.h"
#include "core/base/sieve.h"

struct secret {
	struct secret *prev, *next;
	size_t refs, len;
	char label[40];
	char bytes[];
};

static struct secret *living;

struct secret *secret_new(const void *bytes, size_t len)
{
	struct secret *s;

	assert(len <= SECRET_MAX);
	s = mem_alloc(sizeof(*s) + len + 1);
	s->refs = 1;
	s->len = len;
	if (len > 0)
		memcpy(s->bytes, bytes, len);
	(void)snprintf(s->label, sizeof(s->label), "(secret, %zu byte%s)", len,
		       len == 1 ? "" : "s");
	s->next = living;
	if (living)
		living->prev = s;
	living = s;
	sieve_note(s->bytes, len);
	return s;
}

struct secret *secret_ref(struct secret *s)
{
	if (s)
		s->refs++;
	return s;
}

void secret_free(struct secret *s)
{
	if (!s || --s->refs > 0)
		return;
	if (s->prev)
		s->prev->next = s->next;
	else
		living = s->next;
	if (s->next)
		s->next->prev = s->prev;
	sieve_forget(s->bytes, s->len);
	OPENSSL_cleanse(s->bytes, s->len + 1);
	mem_free(s);
}

void secret_freep(struct secret **s)
{
	secret_free(*s);
	*s = NULL;
}

const char *secret_label(const struct secret *s)
{
	return s ? s->label : "(no secret)";
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	if (!a || !b)
		return a == b;
	return a->len == b->len && CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

const char *secret_open(const struct secret *s, size_t *ret_len)
{
	if (ret_len)
		*ret_len = s->len;
	return s->bytes;
}

void secret_each(void (*fn)(void *arg, const char *bytes, size_t len), void *arg)
{
	for (const struct secret *s = living; s; s = s->next)
		fn(arg, s->bytes, s->len);
}
