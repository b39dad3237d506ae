/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of windows with the count of secrets that begin so: open addressing, at most half full. A window that nobody
 * has any more stays as a hole with its key wiped to HOLE, until the table is made anew.
 */
#include "core/base/sieve.h"

#include <assert.h>
#include <string.h>

#include "core/base/mem.h"

#define SLOTS_LEAST 64
#define PLAIN_MASK UINT64_C(0xffffffffffff)
#define BASE64_MASK UINT64_C(0xfffffffff)
/* Keep the two kinds of windows apart, and both from 0, a free slot. */
#define PLAIN (UINT64_C(1) << 60)
#define BASE64 (UINT64_C(1) << 61)
#define HOLE (UINT64_C(1) << 62)

struct slot {
	uint64_t window;
	size_t count;
};
static struct slot *slots;
static size_t slot_count, used, alive; /* used: with the holes; alive: windows that somebody has */

static size_t home(uint64_t window)
{
	window *= UINT64_C(0x9e3779b97f4a7c15);
	return (window ^ window >> 32) & (slot_count - 1);
}

/* The slot of a window, or the free one where it would stand. */
static struct slot *slot_of(uint64_t window)
{
	size_t at = home(window);

	while (slots[at].window != window && slots[at].window != 0)
		at = (at + 1) & (slot_count - 1);
	return &slots[at];
}

static void make_room(void)
{
	struct slot *old = slots;
	size_t old_count = slot_count;

	if (slots && (used + 1) * 2 <= slot_count)
		return;
	slot_count = SLOTS_LEAST;
	while (slot_count < (alive + 1) * 4)
		slot_count *= 2;
	slots = mem_alloc(slot_count * sizeof(*slots));
	used = alive;
	for (size_t i = 0; i < old_count; i++)
		if (old[i].count > 0)
			*slot_of(old[i].window) = old[i];
	if (old)
		explicit_bzero(old, old_count * sizeof(*old));
	mem_free(old);
}

static void note(uint64_t window)
{
	struct slot *s;

	make_room();
	s = slot_of(window);
	if (s->count++ > 0)
		return;
	s->window = window;
	used++;
	alive++;
}

static void forget(uint64_t window)
{
	struct slot *s = slots ? slot_of(window) : NULL;

	assert(s && s->count > 0);
	if (--s->count > 0)
		return;
	s->window = HOLE;
	if (--alive > 0)
		return;
	mem_free(slots);
	slots = NULL;
	slot_count = used = 0;
}

/* In a form a '+' may stand for a blank. */
static uint64_t plain_of(char c)
{
	return c == '+' ? ' ' : (unsigned char)c;
}

/* What a character of base64 stands for; 64: it is none. */
static uint64_t base64_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint64_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint64_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint64_t)(c - '0' + 52);
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : 64;
}

static void each_window(const char *bytes, size_t len, void (*fn)(uint64_t window))
{
	/* Six bits a character: the first whole one begins at this bit of the bytes, behind 0, 1 or 2 bytes of something else. */
	static const unsigned from[] = { 0, 4, 2 };
	uint64_t plain = 0, forty = 0;

	if (len < SIEVE_BYTES)
		return;
	for (size_t i = 0; i < SIEVE_BYTES; i++)
		plain = plain << 8 | plain_of(bytes[i]);
	for (size_t i = 0; i < 5; i++)
		forty = forty << 8 | (unsigned char)bytes[i];
	fn(plain | PLAIN);
	for (size_t i = 0; i < ARRAY_LEN(from); i++)
		fn((forty >> (4 - from[i]) & BASE64_MASK) | BASE64);
}

void sieve_note(const char *bytes, size_t len)
{
	each_window(bytes, len, note);
}

void sieve_forget(const char *bytes, size_t len)
{
	each_window(bytes, len, forget);
}

bool sieve_may_hold(const char *text, size_t len)
{
	uint64_t plain = 0, base64 = 0;
	size_t run = 0;

	for (size_t i = 0; slots && i < len; i++) {
		uint64_t six = base64_of(text[i]);

		plain = (plain << 8 | plain_of(text[i])) & PLAIN_MASK;
		base64 = (base64 << 6 | (six & 63)) & BASE64_MASK;
		run = six < 64 ? run + 1 : 0;
		if (i + 1 >= SIEVE_BYTES && slot_of(plain | PLAIN)->window)
			return true;
		if (run >= SIEVE_BYTES && slot_of(base64 | BASE64)->window)
			return true;
	}
	return false;
}
