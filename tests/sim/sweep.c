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
	bool back;
	uint64_t from
		[PLACE_COUNT]; /* that nothing goes wrong at: of the way forward, when it is the way back that is swept */
	uint64_t points[PLACE_COUNT]; /* after these, without trouble */
};

struct draw_options sweep_draw(enum draw_kind kind, bool back)
{
	return (struct draw_options){
		.kind = kind, .back = back, .nobody_else = true, .people_are_good = true
	};
}

static struct play undisturbed(const struct sweep *s)
{
	return (struct play){ .seed = SEED, .draw = sweep_draw(s->kind, s->back), .calm = true };
}

/* Forward: nothing is left to do. Back: the way back says that it is done (then the judge has looked), and all of the way forward is. */
static bool is_same_end(const struct sweep *s, const struct drive_result *r)
{
	return !r->violation && r->exit_status == 0 && r->is_back == s->back &&
	       r->planned_status == (s->back ? 2 : 0);
}

/* Case `index`: kind after kind, and for each all points of its place. */
static struct trouble_fixed nth(const struct sweep *s, uint64_t index)
{
	for (enum trouble k = TROUBLE_NONE + 1; k < TROUBLE_COUNT; k++) {
		uint64_t here = s->points[trouble_kinds[k].place];

		if (index < here)
			return (struct trouble_fixed){ k, s->from[trouble_kinds[k].place] + index +
								  1 };
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
	struct play p = undisturbed(s);
	struct drive_result r;
	bool fine;

	p.fixed = &fixed;
	p.fixed_count = 1;
	play_case(&p, &r);
	fine = is_same_end(s, &r);
	if (!fine)
		fprintf(stderr, "%s:%" PRIu64 ": exit %d, plan afterwards %d, %s\n",
			trouble_kinds[fixed.kind].name, fixed.n, r.exit_status, r.planned_status,
			r.violation ? r.violation : "sound");
	counts_add(into, &r);
	drive_result_done(&r);
	return fine;
}

static const char *kind_name(const struct sweep *s)
{
	if (s->back)
		return s->kind == DRAW_BRIDGE ? "back-bridge" : "back-operator";
	return s->kind == DRAW_BRIDGE ? "bridge" : "operator";
}

static void count_points(struct sweep *s, const struct drive_result *r)
{
	for (size_t i = 0; i < PLACE_COUNT; i++) {
		s->from[i] = r->back_points[i];
		s->points[i] = r->troubles.points[i] - r->back_points[i];
	}
}

static int sweep_one(enum draw_kind kind, bool back, unsigned jobs)
{
	struct sweep s = { .kind = kind, .back = back };
	struct work work = { .jobs = jobs, .fn = one, .ctx = &s, .goes_on = true };
	struct play p = undisturbed(&s);
	struct drive_result r;
	struct counts all;
	uint64_t bad;
	const char *how;

	play_case(&p, &r);
	count_points(&s, &r);
	printf("%s: undisturbed: exit %d, plan afterwards %d, %u commands, %" PRIu64
	       " exchanges, %" PRIu64 " records, %s\n",
	       kind_name(&s), r.exit_status, r.planned_status, r.commands, r.exchanges, r.records,
	       r.violation ? r.violation : "sound");
	if (!is_same_end(&s, &r)) {
		drive_result_done(&r);
		return 1;
	}
	drive_result_done(&r);
	work.count = case_count(&s);
	if (work_do(&work, &all, &bad, &how)) {
		printf("%s: %" PRIu64 " cases, one trouble each: all came to the same end\n",
		       kind_name(&s), all.cases);
		return 0;
	}
	printf("%s: %" PRIu64 " of %" PRIu64 " cases did not come to the same end\n", kind_name(&s),
	       all.bad, all.cases);
	printf("%s: %s; `sim --seed %d --kind %s --schedule %s:%" PRIu64 "` shows it\n",
	       kind_name(&s), how, SEED, kind_name(&s), trouble_kinds[nth(&s, bad).kind].name,
	       nth(&s, bad).n);
	return 1;
}

int sweep(enum draw_kind kind, bool back, unsigned jobs)
{
	if (kind != DRAW_ANYTHING)
		return sweep_one(kind, back, jobs);
	return sweep_one(DRAW_BRIDGE, false, jobs) | sweep_one(DRAW_OPERATOR, false, jobs) |
	       sweep_one(DRAW_BRIDGE, true, jobs) | sweep_one(DRAW_OPERATOR, true, jobs);
}
