/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers.h - many cases over several processes, with what they count in memory that they share.
 */
#pragma once
#include "core/sim/drive.h"

#define STEPS_MAX 40

struct counts {
	uint64_t cases, bad, commands, kills, exchanges, records, troubles, done;
	uint64_t hit[TROUBLE_COUNT][STEPS_MAX];
};
/* Plays case `index`; false: it is violated, and everybody stops (or goes on: see goes_on). */
typedef bool work_fn(void *ctx, uint64_t index, struct counts *into);

struct work {
	uint64_t count;
	unsigned jobs;            /* 0: as many as there are processors */
	work_fn *fn;
	void *ctx;
	bool goes_on;             /* counts what is violated instead of stopping */
	bool says_progress;       /* a line for each thousand */
};
/*
 * True: all were played. False: *ret_bad is the first case that was violated, crashed, or took longer than two minutes
 * (*ret_how says which of these).
 */
bool work_do(const struct work *w, struct counts *ret, uint64_t *ret_bad, const char **ret_how);

size_t step_column(const char *step);      /* of hit; 0 is planning */
const char *step_name(size_t column);      /* NULL past the last */
void counts_add(struct counts *into, const struct drive_result *r);
