/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of windows with the count of secrets that begin so: open addressing, at most half full. A window that nobody
 * has any more stays as a hole with its key wiped to HOLE, until the table is made anew.
 *
 * Before the table is asked, a bit says whether any window has these two neighbours: a text is looked at once in SIEVE_BYTES - 1 bytes, where every
 * window that covers the place would show. Such a bit may outlive its window, as a hole does.
 */
#include "core/base/sieve.h"

#include <assert.h>
#include <string.h>

#include "core/base/mem.h"

#define SLOTS_LEAST 64
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

/* By two neighbours; of those of a plain window, six bits each. */
static unsigned char plain_pairs[1 << 9], base64_pairs[1 << 9];

static unsigned pair_of(uint64_t plain)
{
	return (unsigned)((plain >> 2 & 0xfc0) | (plain & 0x3f));
}

static bool has_bit(const unsigned char *bits, unsigned n)
{
	return bits[n >> 3] >> (n & 7) & 1;
}

static void set_bit(unsigned char *bits, unsigned n)
{
	bits[n >> 3] |= (unsigned char)(1u << (n & 7));
}

static void mark_pairs(uint64_t window)
{
	for (size_t i = 0; i + 1 < SIEVE_BYTES; i++) {
		if (window & PLAIN)
			set_bit(plain_pairs, pair_of(window >> 8 * i));
		else
			set_bit(base64_pairs, (unsigned)(window >> 6 * i & 0xfff));
	}
}

static void clear_pairs(void)
{
	explicit_bzero(plain_pairs, sizeof(plain_pairs));
	explicit_bzero(base64_pairs, sizeof(base64_pairs));
}

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
	clear_pairs();
	for (size_t i = 0; i < old_count; i++)
		if (old[i].count > 0) {
			*slot_of(old[i].window) = old[i];
			mark_pairs(old[i].window);
		}
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
	mark_pairs(window);
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
	clear_pairs();
}

/* In a form a '+' may stand for a blank. */
static uint64_t plain_of(char c)
{
	return c == '+' ? ' ' : (unsigned char)c;
}

/* What a character of base64 stands for, and 1 more; 0: it is none. '-' and '_' are those of addresses. */
static const unsigned char base64_of[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
	['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
	['/'] = 64, ['-'] = 63, ['_'] = 64,
};

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

static bool is_there(uint64_t window)
{
	return slot_of(window)->window != 0;
}

/* Whether what begins here is known; there are SIEVE_BYTES of it. */
static bool is_known(const char *p)
{
	uint64_t plain = 0, base64 = 0;
	bool is_base64 = true;

	for (size_t i = 0; i < SIEVE_BYTES; i++) {
		unsigned six = base64_of[(unsigned char)p[i]];

		plain = plain << 8 | plain_of(p[i]);
		base64 = base64 << 6 | ((six - 1) & 63);
		is_base64 &= six > 0;
	}
	return is_there(plain | PLAIN) || (is_base64 && is_there(base64 | BASE64));
}

static bool may_cover(const char *p)
{
	unsigned a = base64_of[(unsigned char)p[0]], b = base64_of[(unsigned char)p[1]];

	return has_bit(plain_pairs, pair_of(plain_of(p[0]) << 8 | plain_of(p[1]))) ||
	       (a && b && has_bit(base64_pairs, (a - 1) << 6 | (b - 1)));
}

bool sieve_may_hold(const char *text, size_t len)
{
	for (size_t i = SIEVE_BYTES - 2; slots && i + 1 < len; i += SIEVE_BYTES - 1) {
		if (!may_cover(text + i))
			continue;
		for (size_t from = i - (SIEVE_BYTES - 2); from <= i && from + SIEVE_BYTES <= len;
		     from++)
			if (is_known(text + from))
				return true;
	}
	return false;
}
