/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trouble.h - what goes wrong in a simulated case, where and when, and what had gone wrong in the end.
 *
 * There are three places where something can go wrong: an exchange, a record that is appended to the journal, a secret that is stored. Each is counted
 * from 1 over a whole case. Trouble comes from a fixed schedule (kind, place's number), from chance (a number of troubles, about one in `gap` points),
 * or both. Whatever happened is kept, with the step that was under way, so that it can be shown, counted, and given again as a fixed schedule.
 */
#pragma once
#include "core/base/arena.h"
#include "core/base/sb.h"
#include "core/sim/random.h"

enum trouble_place { AT_EXCHANGE, AT_APPEND, AT_PUT, PLACE_COUNT };

enum trouble {
	TROUBLE_NONE,
	/* At an exchange. */
	TROUBLE_NEVER_SENT,
	TROUBLE_REPLY_LOST,
	TROUBLE_TIMEOUT_ACTED,
	TROUBLE_TIMEOUT_UNSEEN,
	TROUBLE_TRUNCATED,
	TROUBLE_429,
	TROUBLE_500_UNSEEN,
	TROUBLE_500_ACTED,
	TROUBLE_503,
	TROUBLE_401,
	TROUBLE_STALE,
	TROUBLE_GARBAGE,
	TROUBLE_HTML,
	TROUBLE_SLOW,
	TROUBLE_CLOCK,
	TROUBLE_SIGNAL,
	TROUBLE_SIGNALS,
	TROUBLE_KILLED_UNSENT,
	TROUBLE_KILLED_SENT,
	/* At a journal record. */
	TROUBLE_KILLED_BEFORE,
	TROUBLE_KILLED_AFTER,
	TROUBLE_TORN,
	TROUBLE_FULL_ONCE,
	TROUBLE_FULL,
	TROUBLE_EIO_ONCE,
	TROUBLE_EIO,
	/* At a secret that is stored. */
	TROUBLE_PUT_FAILS,
	TROUBLE_PUT_KILLED,
	TROUBLE_COUNT,
};

enum trouble_reply {
	REPLY_AS_IS,    /* what the other side says */
	REPLY_INSTEAD,  /* what something in between says: status and text of the table */
	REPLY_EARLIER,  /* what was answered to the same GET a moment ago */
	REPLY_CUT,      /* the beginning of it */
	REPLY_NONE,     /* the connection ends */
	REPLY_TIMEOUT,  /* nothing, until the client gives up */
};
struct trouble_kind {
	const char *name; /* as schedules write it */
	const char *doc;
	enum trouble_place place;
	bool acts;        /* at an exchange: the other side sees the request and does what it says */
	bool reads_only;  /* only where nothing is written */
	enum trouble_reply reply;
	int status;       /* REPLY_INSTEAD */
	const char *text, *content_type, *retry_after;
};
extern const struct trouble_kind trouble_kinds[TROUBLE_COUNT];
enum trouble trouble_named(const char *name, size_t len); /* TROUBLE_NONE when there is none */

struct trouble_fixed {
	enum trouble kind;
	uint64_t n; /* of the point at its place, from 1 */
};
struct trouble_past {
	enum trouble kind;
	uint64_t n;
	int64_t at_ms;          /* true time */
	char step[64];          /* "planning", or thing/change */
	char what[160];         /* "POST bridge https://...", "intent", "file:..." */
};
struct troubles {
	/* Given. */
	const struct trouble_fixed *fixed; /* borrowed */
	size_t fixed_count;
	unsigned left;          /* by chance, so many more */
	unsigned gap;           /* about one point in so many; 0: none */
	const char *aim;        /* thing/change: by chance only while that step is under way; NULL: anywhere */
	enum trouble only;      /* and only this kind; TROUBLE_NONE: any */
	struct sim_random random;

	uint64_t points[PLACE_COUNT]; /* so far */
	struct trouble_past *past;
	size_t past_count, past_cap;
	char step[64];          /* under way: "planning", or thing/change */
	char address[200];      /* the same with its environments, "dev/thing/change"; "" while planning */
	/* Told each point before anything goes wrong there. NULL: nobody listens. */
	void (*on_point)(void *ctx, const struct troubles *t, enum trouble_place place, bool is_read);
	void *on_point_ctx;
	bool ended;             /* nothing more by chance: a plan that is only looked at */
};
/*
 * Counts a point and says what goes wrong there.
 * @is_read  an exchange that writes nothing
 */
enum trouble troubles_ask(struct troubles *t, enum trouble_place place, int64_t now_ms, bool is_read, const char *what);
/* The step under way from now on, by its address ("dev/app.settings/switch"); NULL: planning. */
void troubles_at_step(struct troubles *t, const char *address, size_t len);
bool troubles_over(const struct troubles *t); /* nothing more will go wrong */
void troubles_done(struct troubles *t);       /* frees */
/* "lost:17 torn:4 ...": what happened, in the form that troubles_read takes. */
void troubles_schedule(const struct troubles *t, struct sb *out);
/* The schedule back; in `a`. False for a word that is none. */
bool troubles_read(const char *text, struct arena *a, struct trouble_fixed **ret, size_t *ret_count);
