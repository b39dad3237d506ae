/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - one failure: what, where, and what the reader can do.
 *
 * A struct of fixed size that the caller owns: no allocation, no free, no leak on any path.
 * Functions that can fail return 0 or -code, take `struct err *err` last (never NULL), fill it exactly on failure
 * and leave their ret_ arguments untouched then. The first failure wins: err_set asserts that err was empty; err_wrap
 * puts context in front. Only cmd/ prints errors. Control bytes are masked when text enters.
 */
#pragma once
#include "core/base/base.h"

struct src_pos {
	const char *file; /* borrowed from the arena of what was loaded, or NULL */
	unsigned line, col; /* from 1; 0 = unknown */
};

enum err_code {
	E_NONE = 0,
	E_USAGE,     /* wrong words on the command line: exit 64 */
	E_PLAN,      /* the rollout file is invalid: exit 64 */
	E_REFUSED,   /* stale, used or unapproved plan, policy, a rule that forbids it: exit 5 */
	E_GATE,      /* a gate failed, or stayed inconclusive past its deadline: exit 4 */
	E_WAIT,      /* waiting for a gate or a person: exit 3 */
	E_LOCKED,    /* somebody else holds the lock: exit 6 */
	E_REMOTE,    /* a system answered, but not as it should: exit 1 */
	E_DENIED,    /* a system said 401 or 403, or offers no such call: exit 1 where it matters */
	E_TRANSPORT, /* no answer: DNS, TLS, connection, timeout: exit 1 */
	E_IO,        /* files, pipes: exit 1 */
	E_SIGNAL,    /* interrupted: exit 130 or 143 */
	E_BUG,       /* "cannot happen" with outside data: exit 70 */
};

struct err {
	enum err_code code;
	struct src_pos pos;
	char msg[384];  /* what failed; longer ends in "..." */
	char hint[256]; /* what the reader can do; may be empty */
};
#define ERR_INIT { .code = E_NONE }

int err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);      /* returns -code */
int err_at(struct err *err, struct src_pos pos, const char *fmt, ...) PRINTF_LIKE(3, 4);       /* E_PLAN at a position */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);                          /* "context: " goes in front; returns -code */
int err_hint(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);                          /* sets the hint (the first one wins); returns -code */
void err_clear(struct err *err);
int err_exit_status(enum err_code code);                                                        /* the table in README.md */
struct sb;
void err_print(const struct err *err, struct sb *out); /* "file:line:col: error: msg\n  hint: ...\n" or "error: msg\n..." */
