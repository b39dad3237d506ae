/* SPDX-License-Identifier: Apache-2.0 */
/*
 * back.h - when a simulated user takes environments back, which, and whether they go forward again afterwards.
 *
 * Drawn from a stream of its own: a case whose user never goes back is the same with and without it. Knows nothing of commands; the drive asks
 * after each of them.
 */
#pragma once
#include "core/base/base.h"
#include "core/sim/random.h"

enum back_when {
	BACK_NEVER,
	BACK_SWITCHED,    /* an app has been given its new settings, or runs with them */
	BACK_ALL_SWITCHED, /* all of them run with them: the calm user's */
	BACK_ON_FAILURE,  /* a command has failed at a gate */
	BACK_ANY_TIME,    /* out of the blue */
	BACK_AT_REST,     /* nothing gets ahead any more: done, or stuck */
};
struct back {
	enum back_when when;
	unsigned delay;           /* commands more, once that is so */
	bool is_so;
	bool again;               /* forward once more when the way back rests */
	bool spares_forward;      /* what goes wrong by chance goes wrong from then on */
	unsigned resumes_forward; /* goes on with `apply` instead of `rollback --apply` once in so many commands; 0: never */
	struct sim_random random;
};
/* What has happened so far on the way forward. */
struct back_look {
	bool failed;              /* the last command, at a gate */
	size_t switched, switches; /* steps of the switch: done, and in all; switches 0: no plan yet */
	bool at_rest;
};
void back_init(struct back *b, bool goes_back, bool calm, uint64_t seed);
/* After a command: whether the user turns now. Who has not turned until nothing gets ahead turns then. */
bool back_turns(struct back *b, const struct back_look *look);
bool back_takes_all(struct back *b);              /* else one of them */
size_t back_takes(struct back *b, size_t count);  /* which one */
bool back_resumes_forward(struct back *b);        /* for this command */
