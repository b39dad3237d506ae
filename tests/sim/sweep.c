/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/play.h"
#include "tests/sim/workers.h"

#define SEED 1

struct sweep {
	enum draw_kind kind;
	uint64_t points[PLACE_COUNT]; /* of the rollout without trouble */
};

struct draw_options sweep_draw(enum draw_kind kind)
{
	return (struct draw_options){ .kind = kind, .nobody_else = true, .people_are_good = true };
}

static struct play undisturbed(enum draw_kind kind)
{
	return (struct play){ .seed = SEED, .draw = sweep_draw(kind), .calm = true };
}

/* Case `index`: kind after kind, and for each all points of its place. */
static struct trouble_fixed nth(const struct sweep *s, uint64_t index)
{
	for (enum trouble k = TROUBLE_NONE + 1; k < TROUBLE_COUNT; k++) {
		uint64_t here = s->points[trouble_kinds[k].place];

		if (index < here)
			return (struct trouble_fixed){ k, index + 1 };
		index -= here;
	}
	return (struct trouble_fixed){ TROUBLE_NONE, 0 };
}

static uint64_t case_count(const struct sweep *s)
{
	uint64_t n = 0;

	for (enum trouble k = TROUBLE_NONE + 1; k < TROUBLE_COUNT; k++)
		n += s->points[trouble_kinds[k].place];
	return n;
}

static bool one(void *ctx, uint64_t index, struct counts *into)
{
	const struct sweep *s = ctx;
	struct trouble_fixed fixed = nth(s, index);
	struct play p = undisturbed(s->kind);
	struct drive_result r;
	bool fine;

	p.fixed = &fixed;
	p.fixed_count = 1;
	play_case(&p, &r);
	fine = !r.violation && r.exit_status == 0 && r.planned_status == 0;
	if (!fine)
		fprintf(stderr, "%s:%" PRIu64 ": exit %d, plan afterwards %d, %s\n",
			trouble_kinds[fixed.kind].name, fixed.n, r.exit_status, r.planned_status,
			r.violation ? r.violation : "sound");
	counts_add(into, &r);
	drive_result_done(&r);
	return fine;
}

static const char *kind_name(enum draw_kind kind)
{
	return kind == DRAW_BRIDGE ? "bridge" : "operator";
}

static int sweep_one(enum draw_kind kind, unsigned jobs)
{
	struct sweep s = { .kind = kind };
	struct work work = { .jobs = jobs, .fn = one, .ctx = &s, .goes_on = true };
	struct play p = undisturbed(kind);
	struct drive_result r;
	struct counts all;
	uint64_t bad;
	const char *how;

	play_case(&p, &r);
	memcpy(s.points, r.troubles.points, sizeof(s.points));
	printf("%s: undisturbed: exit %d, plan afterwards %d, %u commands, %" PRIu64
	       " exchanges, %" PRIu64 " records, %s\n",
	       kind_name(kind), r.exit_status, r.planned_status, r.commands, r.exchanges, r.records,
	       r.violation ? r.violation : "sound");
	if (r.violation || r.exit_status || r.planned_status) {
		drive_result_done(&r);
		return 1;
	}
	drive_result_done(&r);
	work.count = case_count(&s);
	if (work_do(&work, &all, &bad, &how)) {
		printf("%s: %" PRIu64 " cases, one trouble each: all came to the same end\n",
		       kind_name(kind), all.cases);
		return 0;
	}
	printf("%s: %" PRIu64 " of %" PRIu64 " cases did not come to the same end\n",
	       kind_name(kind), all.bad, all.cases);
	printf("%s: %s; `sim --seed %d --kind %s --schedule %s:%" PRIu64 "` shows it\n",
	       kind_name(kind), how, SEED, kind_name(kind), trouble_kinds[nth(&s, bad).kind].name,
	       nth(&s, bad).n);
	return 1;
}

int sweep(enum draw_kind kind, unsigned jobs)
{
	if (kind != DRAW_ANYTHING)
		return sweep_one(kind, jobs);
	return sweep_one(DRAW_BRIDGE, jobs) | sweep_one(DRAW_OPERATOR, jobs);
}
