/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - sim: plays the real engine against the twins in virtual time; README.md beside it tells how.
 */
#include <inttypes.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/mem.h"
#include "tests/sim/coverage.h"
#include "tests/sim/play.h"
#include "tests/sim/sweep.h"
#include "tests/sim/workers.h"

#define SEEDS 1000
#define BENCH 400
#define KEPT_MAX (32 << 20)

struct wish {
	uint64_t seeds, from, seed, bench;
	unsigned jobs;
	enum draw_kind kind;
	bool back;
	bool one, coverage, sweep, goes_on;
	bool random; /* one case of a kind, as a random one and not as one of the sweep */
	const char *schedule;
	const char *wants; /* for mutants: only a violation of this invariant counts; its letter */
};

static const char usage[] =
	"usage: sim [--seeds N] [--from S] [--jobs J] [--kind K] [--coverage] [--keep-going] [--wants LETTER]   random cases\n"
	"       sim --seed S [--kind K [--random]] [--schedule 'KIND:N ...']   one of them, told at length\n"
	"       sim --sweep [--kind K] [--jobs J]                     everything that can go wrong once, everywhere\n"
	"       sim --bench [N]                                       how fast\n"
	"K: anything (default), bridge, operator, evidence, back (anything whose user goes back), back-bridge, back-operator; one of bridge, operator and\n"
	"those that end so is the sweep's case with --seed, unless --random\n";

static bool read_number(const char *text, uint64_t *ret)
{
	char *end;

	if (!text || !*text || *text == '-')
		return false;
	*ret = strtoull(text, &end, 10);
	return !*end;
}

/* "back" and what begins so: the same, and back. */
static bool read_kind(const char *text, struct wish *w)
{
	static const char *const names[] = {
		[DRAW_ANYTHING] = "anything",
		[DRAW_BRIDGE] = "bridge",
		[DRAW_OPERATOR] = "operator",
		[DRAW_EVIDENCE] = "evidence",
	};

	w->back = text && strncmp(text, "back", 4) == 0;
	if (w->back)
		text = text[4] == '-' ? text + 5 : text[4] ? NULL : names[DRAW_ANYTHING];
	for (size_t i = 0; text && i < ARRAY_LEN(names); i++)
		if (strcmp(text, names[i]) == 0) {
			w->kind = (enum draw_kind)i;
			return true;
		}
	return false;
}

/* One option and its word; how many words it took, 0: it is none. */
static int read_option(struct wish *w, const char *option, const char *word)
{
	uint64_t n = 0;

	if (strcmp(option, "--coverage") == 0)
		return (w->coverage = true) ? 1 : 0;
	if (strcmp(option, "--sweep") == 0)
		return (w->sweep = true) ? 1 : 0;
	if (strcmp(option, "--random") == 0)
		return (w->random = true) ? 1 : 0;
	if (strcmp(option, "--keep-going") == 0)
		return (w->goes_on = true) ? 1 : 0;
	if (strcmp(option, "--bench") == 0) {
		w->bench = BENCH;
		return read_number(word, &w->bench) ? 2 : 1;
	}
	if (strcmp(option, "--schedule") == 0 && word) {
		w->schedule = word;
		return 2;
	}
	if (strcmp(option, "--wants") == 0 && word) {
		w->wants = word;
		return 2;
	}
	if (strcmp(option, "--kind") == 0)
		return read_kind(word, w) ? 2 : 0;
	if (!read_number(word, &n))
		return 0;
	if (strcmp(option, "--seeds") == 0) {
		w->seeds = n;
	} else if (strcmp(option, "--from") == 0) {
		w->from = n;
	} else if (strcmp(option, "--jobs") == 0) {
		w->jobs = (unsigned)n;
	} else if (strcmp(option, "--seed") == 0) {
		w->seed = n;
		w->one = true;
	} else {
		return 0;
	}
	return 2;
}

static struct play random_play(const struct wish *w, uint64_t seed)
{
	return (struct play){ .seed = seed, .draw = { .kind = w->kind, .back = w->back } };
}

static bool random_case(void *ctx, uint64_t index, struct counts *into)
{
	const struct wish *w = ctx;
	struct play p = random_play(w, w->from + index);
	struct drive_result r;
	bool sound;

	play_case(&p, &r);
	sound = !r.violation || (w->wants && r.violation[1] != w->wants[0]);
	if (!sound)
		fprintf(stderr, "seed %" PRIu64 ": %s\n", p.seed, r.violation);
	counts_add(into, &r);
	drive_result_done(&r);
	return sound;
}

static int random_cases(struct wish *w)
{
	struct work work = { .count = w->seeds,
			     .jobs = w->jobs,
			     .fn = random_case,
			     .ctx = w,
			     .goes_on = w->goes_on,
			     .says_progress = true };
	struct counts all;
	uint64_t bad;
	const char *how;

	if (!work_do(&work, &all, &bad, &how)) {
		struct play p = random_play(w, w->from + bad);

		printf("seed %" PRIu64 ": %s; `sim --seed %" PRIu64 "` shows it again\n", p.seed,
		       how, p.seed);
		if (w->goes_on)
			printf("%" PRIu64 " of %" PRIu64 " cases are violated\n", all.bad,
			       all.cases);
		else if (strcmp(how, "violated") == 0 && !w->wants)
			(void)play_tell(&p);
		return 1;
	}
	printf("%" PRIu64 " seeds from %" PRIu64 ": sound\n", all.cases, w->from);
	return w->coverage ? coverage_print(&all) : 0;
}

static int one_case(const struct wish *w)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct play p = random_play(w, w->seed);
	struct trouble_fixed *fixed = NULL;

	if (w->schedule && !troubles_read(w->schedule, &a, &fixed, &p.fixed_count)) {
		fprintf(stderr, "sim: '%s' is no schedule\n", w->schedule);
		return 64;
	}
	p.fixed = fixed;
	if (w->kind != DRAW_ANYTHING && !w->random) {
		p.draw = sweep_draw(w->kind, w->back);
		p.calm = true;
	}
	return play_tell(&p) ? 0 : 1;
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Processor time of this process: one core, whatever else the machine does. */
static bool measure(uint64_t count, bool values)
{
	struct counts all = { 0 };
	double began = seconds(), took;

	for (uint64_t i = 0; i < count; i++) {
		struct play p = { .seed = i,
				  .draw = sweep_draw(DRAW_BRIDGE, false),
				  .calm = true,
				  .values = values };
		struct drive_result r;

		play_case(&p, &r);
		if (r.violation || r.exit_status)
			printf("seed %" PRIu64 ": exit %d: %s\n", p.seed, r.exit_status,
			       r.violation ? r.violation : "not done");
		counts_add(&all, &r);
		drive_result_done(&r);
	}
	took = seconds() - began;
	printf("%-6s %7.1f rollouts/s  %.1f exchanges, %.1f journal records, %.1f commands each\n",
	       values ? "values" : "bytes", (double)count / took,
	       (double)all.exchanges / (double)count, (double)all.records / (double)count,
	       (double)all.commands / (double)count);
	return all.done == count;
}

/* Case after case needs as much memory as the one before: handing it back in between costs more than many an exchange. */
static void keep_memory(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, KEPT_MAX);
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_MAX);
#endif
}

int main(int argc, char **argv)
{
	struct wish w = { .seeds = SEEDS, .from = 1 };

	keep_memory();
	for (int i = 1; i < argc;) {
		int took = read_option(&w, argv[i], i + 1 < argc ? argv[i + 1] : NULL);

		if (!took) {
			fputs(usage, stderr);
			return 64;
		}
		i += took;
	}
	if (w.bench) {
		bool bytes = measure(w.bench, false), values = measure(w.bench, true);

		return bytes && values ? 0 : 1;
	}
	if (w.sweep)
		return sweep(w.kind, w.back, w.jobs);
	return w.one ? one_case(&w) : random_cases(&w);
}
