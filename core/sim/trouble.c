/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sim/trouble.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

#define JSON "application/json"

/* The order is that of the enum: designators keep it so. */
const struct trouble_kind trouble_kinds[TROUBLE_COUNT] = {
	[TROUBLE_NONE] = { .name = "none", .doc = "", .acts = true },
	[TROUBLE_NEVER_SENT] = { .name = "never-sent",
				 .doc = "failed before a byte was sent",
				 .reply = REPLY_NONE },
	[TROUBLE_REPLY_LOST] = { .name = "lost",
				 .doc = "the other side acted, the reply was lost",
				 .acts = true,
				 .reply = REPLY_NONE },
	[TROUBLE_TIMEOUT_ACTED] = { .name = "timeout-acted",
				    .doc = "timed out, and it had acted",
				    .acts = true,
				    .reply = REPLY_TIMEOUT },
	[TROUBLE_TIMEOUT_UNSEEN] = { .name = "timeout",
				     .doc = "timed out, and it had seen nothing",
				     .reply = REPLY_TIMEOUT },
	[TROUBLE_TRUNCATED] = { .name = "truncated",
				.doc = "it acted, the answer was cut short",
				.acts = true,
				.reply = REPLY_CUT },
	[TROUBLE_429] = { .name = "429",
			  .doc = "too many requests; it did nothing",
			  .reply = REPLY_INSTEAD,
			  .status = 429,
			  .text = "{\"message\":\"Too many requests\"}",
			  .content_type = JSON,
			  .retry_after = "3" },
	[TROUBLE_500_UNSEEN] = { .name = "500",
				 .doc = "500, and it did nothing",
				 .reply = REPLY_INSTEAD,
				 .status = 500,
				 .text = "{\"message\":\"Internal error\"}",
				 .content_type = JSON },
	[TROUBLE_500_ACTED] = { .name = "500-acted",
				.doc = "500, although it acted",
				.acts = true,
				.reply = REPLY_INSTEAD,
				.status = 500,
				.text = "{\"message\":\"Internal error\"}",
				.content_type = JSON },
	[TROUBLE_503] = { .name = "503",
			  .doc = "a gateway's 503; it did nothing",
			  .reply = REPLY_INSTEAD,
			  .status = 503,
			  .text = "<html><body>Service Unavailable</body></html>",
			  .content_type = "text/html" },
	[TROUBLE_401] = { .name = "401",
			  .doc = "401, though the token is good; it did nothing",
			  .reply = REPLY_INSTEAD,
			  .status = 401,
			  .text = "{\"message\":\"Oauth token is not valid\"}",
			  .content_type = JSON },
	[TROUBLE_STALE] = { .name = "stale",
			    .doc = "answered as a moment ago",
			    .acts = true,
			    .reads_only = true,
			    .reply = REPLY_EARLIER },
	[TROUBLE_GARBAGE] = { .name = "garbage",
			      .doc = "it acted; 200 with what is no JSON",
			      .acts = true,
			      .reply = REPLY_INSTEAD,
			      .status = 200,
			      .text = "{\"value\": [{\"id\": 1,, \"name\": \"half a stri",
			      .content_type = JSON },
	[TROUBLE_HTML] = { .name = "html",
			   .doc = "it did nothing; 200 with a sign-in page",
			   .reply = REPLY_INSTEAD,
			   .status = 200,
			   .text = "<!DOCTYPE html><html><body>Please sign in</body></html>",
			   .content_type = "text/html; charset=utf-8" },
	[TROUBLE_SLOW] = { .name = "slow",
			   .doc = "answered just before the timeout",
			   .acts = true },
	[TROUBLE_CLOCK] = { .name = "clock",
			    .doc = "the local clock is set, by a year or by minutes",
			    .acts = true },
	[TROUBLE_SIGNAL] = { .name = "signal", .doc = "a signal comes meanwhile", .acts = true },
	[TROUBLE_SIGNALS] = { .name = "signals",
			      .doc = "a signal comes meanwhile, and another one",
			      .acts = true },
	[TROUBLE_KILLED_UNSENT] = { .name = "killed-unsent",
				    .doc = "the program is killed before it sends",
				    .reply = REPLY_NONE },
	[TROUBLE_KILLED_SENT] = { .name = "killed-sent",
				  .doc = "it acted, and the program was killed meanwhile",
				  .acts = true,
				  .reply = REPLY_NONE },
	[TROUBLE_KILLED_BEFORE] = { .name = "killed-before",
				    .doc = "killed before the record was written",
				    .place = AT_APPEND },
	[TROUBLE_KILLED_AFTER] = { .name = "killed-after",
				   .doc = "killed when the record was written",
				   .place = AT_APPEND },
	[TROUBLE_TORN] = { .name = "torn",
			   .doc = "killed when half of the record was written",
			   .place = AT_APPEND },
	[TROUBLE_FULL_ONCE] = { .name = "full-once",
				.doc = "no space left, this once",
				.place = AT_APPEND },
	[TROUBLE_FULL] = { .name = "full",
			   .doc = "no space left, until the command has ended",
			   .place = AT_APPEND },
	[TROUBLE_EIO_ONCE] = { .name = "eio-once",
			       .doc = "an I/O error, this once",
			       .place = AT_APPEND },
	[TROUBLE_EIO] = { .name = "eio",
			  .doc = "I/O errors, until the command has ended",
			  .place = AT_APPEND },
	[TROUBLE_PUT_FAILS] = { .name = "put-fails",
				.doc = "a secret cannot be stored after all",
				.place = AT_PUT },
	[TROUBLE_PUT_KILLED] = { .name = "put-killed",
				 .doc = "killed when a secret was stored",
				 .place = AT_PUT },
};

enum trouble trouble_named(const char *name, size_t len)
{
	for (enum trouble k = TROUBLE_NONE + 1; k < TROUBLE_COUNT; k++)
		if (strlen(trouble_kinds[k].name) == len &&
		    memcmp(trouble_kinds[k].name, name, len) == 0)
			return k;
	return TROUBLE_NONE;
}

static enum trouble by_schedule(const struct troubles *t, enum trouble_place place)
{
	for (size_t i = 0; i < t->fixed_count; i++)
		if (trouble_kinds[t->fixed[i].kind].place == place &&
		    t->fixed[i].n == t->points[place])
			return t->fixed[i].kind;
	return TROUBLE_NONE;
}

static bool can_be(const struct troubles *t, enum trouble k, enum trouble_place place, bool is_read)
{
	return trouble_kinds[k].place == place && (is_read || !trouble_kinds[k].reads_only) &&
	       (!t->only || t->only == k);
}

static enum trouble by_chance(struct troubles *t, enum trouble_place place, bool is_read)
{
	enum trouble possible[TROUBLE_COUNT];
	int64_t n = 0;

	if (!t->left || t->ended || (t->aim && strcmp(t->aim, t->step) != 0))
		return TROUBLE_NONE;
	for (enum trouble k = TROUBLE_NONE + 1; k < TROUBLE_COUNT; k++)
		if (can_be(t, k, place, is_read))
			possible[n++] = k;
	if (!n || !sim_random_one_in(&t->random, t->gap))
		return TROUBLE_NONE;
	t->left--;
	return possible[sim_random_between(&t->random, 0, n - 1)];
}

static void remember(struct troubles *t, enum trouble kind, uint64_t n, int64_t now_ms,
		     const char *what)
{
	struct trouble_past *p;

	t->past = mem_grow(t->past, t->past_count, &t->past_cap, sizeof(*t->past));
	p = &t->past[t->past_count++];
	*p = (struct trouble_past){ .kind = kind, .n = n, .at_ms = now_ms };
	(void)snprintf(p->step, sizeof(p->step), "%s", t->step);
	(void)snprintf(p->what, sizeof(p->what), "%s", what);
}

enum trouble troubles_ask(struct troubles *t, enum trouble_place place, int64_t now_ms,
			  bool is_read, const char *what)
{
	enum trouble kind;

	t->points[place]++;
	if (t->on_point)
		t->on_point(t->on_point_ctx, t, place, is_read);
	kind = by_schedule(t, place);
	if (!kind)
		kind = by_chance(t, place, is_read);
	if (trouble_kinds[kind].reads_only && !is_read)
		kind = TROUBLE_NONE;
	if (kind)
		remember(t, kind, t->points[place], now_ms, what);
	return kind;
}

void troubles_at_step(struct troubles *t, const char *address, size_t len)
{
	const char *slash = address ? memchr(address, '/', len) : NULL;

	if (slash)
		(void)snprintf(t->step, sizeof(t->step), "%.*s",
			       (int)(len - (size_t)(slash + 1 - address)), slash + 1);
	else
		(void)snprintf(t->step, sizeof(t->step), "planning");
	(void)snprintf(t->address, sizeof(t->address), "%.*s", slash ? (int)len : 0,
		       slash ? address : "");
}

bool troubles_over(const struct troubles *t)
{
	if (t->left && t->gap && !t->ended)
		return false;
	for (size_t i = 0; i < t->fixed_count; i++)
		if (t->fixed[i].n > t->points[trouble_kinds[t->fixed[i].kind].place])
			return false;
	return true;
}

void troubles_done(struct troubles *t)
{
	mem_free(t->past);
	t->past = NULL;
	t->past_count = t->past_cap = 0;
}

void troubles_schedule(const struct troubles *t, struct sb *out)
{
	for (size_t i = 0; i < t->past_count; i++)
		sb_addf(out, "%s%s:%" PRIu64, i ? " " : "", trouble_kinds[t->past[i].kind].name,
			t->past[i].n);
}

bool troubles_read(const char *text, struct arena *a, struct trouble_fixed **ret, size_t *ret_count)
{
	struct trouble_fixed *list = NULL;
	size_t count = 0, cap = 0;

	while (*(text += strspn(text, " ,\n"))) {
		size_t len = strcspn(text, ": ,\n");
		enum trouble kind = trouble_named(text, len);
		char *end;
		unsigned long long n;

		if (!kind || text[len] != ':')
			return false;
		n = strtoull(text + len + 1, &end, 10);
		if (!n || end == text + len + 1)
			return false;
		list = arena_grow(a, list, count, &cap, sizeof(*list));
		list[count++] = (struct trouble_fixed){ kind, n };
		text = end;
	}
	*ret = list;
	*ret_count = count;
	return true;
}
