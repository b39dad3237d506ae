/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/workers.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "providers/registry.h"

#define JOBS_MAX 256
#define HANGS_AFTER                                                                                \
	120 /* seconds for one case: a hundred times what the slowest takes under sanitizers */
#define NOTHING UINT64_MAX

/* One a process; only that process writes it, but for `stop`. */
struct worker {
	_Atomic uint64_t at, bad;
	pid_t pid;
	bool ended;
	uint64_t seen_at;
	time_t seen;
	struct counts counts;
};
struct shared {
	_Atomic bool stop;
	struct worker workers[JOBS_MAX];
};

/* ---- steps: "planning", and all that there are ---- */

static const char *steps[STEPS_MAX];
static size_t step_count;

static void list_steps(void)
{
	static char names[STEPS_MAX][64];

	steps[step_count++] = "planning";
	for (const struct provider *const *p = registry_all.providers; *p; p++)
		for (const struct thing_type *const *t = (*p)->things; t && *t; t++)
			for (const struct change_type *const *c = (*t)->changes; c && *c; c++) {
				if (step_count == STEPS_MAX)
					return;
				(void)snprintf(names[step_count], sizeof(names[0]), "%s/%s",
					       (*t)->name, (*c)->name);
				steps[step_count] = names[step_count];
				step_count++;
			}
}

size_t step_column(const char *step)
{
	if (!step_count)
		list_steps();
	for (size_t i = 0; i < step_count; i++)
		if (strcmp(steps[i], step) == 0)
			return i;
	return 0;
}

const char *step_name(size_t column)
{
	if (!step_count)
		list_steps();
	return column < step_count ? steps[column] : NULL;
}

void counts_add(struct counts *into, const struct drive_result *r)
{
	into->cases++;
	into->commands += r->commands;
	into->kills += r->kills;
	into->exchanges += r->exchanges;
	into->records += r->records;
	into->done += r->exit_status == 0;
	into->troubles += r->troubles.past_count;
	for (size_t i = 0; i < r->troubles.past_count; i++)
		into->hit[r->troubles.past[i].kind][step_column(r->troubles.past[i].step)]++;
}

static void sum(struct counts *into, const struct counts *from)
{
	into->cases += from->cases;
	into->bad += from->bad;
	into->commands += from->commands;
	into->kills += from->kills;
	into->exchanges += from->exchanges;
	into->records += from->records;
	into->done += from->done;
	into->troubles += from->troubles;
	for (size_t k = 0; k < TROUBLE_COUNT; k++)
		for (size_t i = 0; i < STEPS_MAX; i++)
			into->hit[k][i] += from->hit[k][i];
}

/* ---- the processes ---- */

static void be_worker(const struct work *w, struct shared *sh, unsigned number, unsigned jobs)
{
	struct worker *me = &sh->workers[number];

	for (uint64_t i = number; i < w->count && !sh->stop && getppid() != 1; i += jobs) {
		me->at = i;
		if (w->fn(w->ctx, i, &me->counts))
			continue;
		me->counts.bad++;
		me->bad = MIN_OF(me->bad, i);
		sh->stop = sh->stop || !w->goes_on;
	}
	me->at = NOTHING;
	_exit(0);
}

static bool start(const struct work *w, struct shared *sh, unsigned jobs)
{
	(void)fflush(NULL);
	for (unsigned i = 0; i < jobs; i++) {
		struct worker *one = &sh->workers[i];
		pid_t pid;

		one->bad = NOTHING;
		one->seen = time(NULL);
		pid = fork();
		if (pid == 0)
			be_worker(w, sh, i, jobs);
		one->pid = pid; /* by the parent alone: the child shares it */
		if (pid < 0)
			return false;
	}
	return true;
}

/* NULL: all is well with it so far. */
static const char *look_after(struct worker *one)
{
	int status = 0;
	pid_t pid = waitpid(one->pid, &status, WNOHANG);

	if (pid == one->pid) {
		one->ended = true;
		return status ? "the program crashed" : NULL;
	}
	if (one->at != one->seen_at) {
		one->seen_at = one->at;
		one->seen = time(NULL);
	}
	return time(NULL) - one->seen > HANGS_AFTER ? "it hangs" : NULL;
}

static void end_all(struct shared *sh, unsigned jobs)
{
	sh->stop = true;
	for (unsigned i = 0; i < jobs; i++) {
		struct worker *one = &sh->workers[i];
		int status;

		if (one->ended || one->pid <= 0)
			continue;
		if (time(NULL) - one->seen > HANGS_AFTER)
			(void)kill(one->pid, SIGKILL);
		(void)waitpid(one->pid, &status, 0);
		one->ended = true;
	}
}

static void say_progress(const struct shared *sh, unsigned jobs, uint64_t *said, time_t began)
{
	struct counts all = { 0 };

	for (unsigned i = 0; i < jobs; i++)
		sum(&all, &sh->workers[i].counts);
	if (all.cases / 1000 == *said)
		return;
	*said = all.cases / 1000;
	printf("%" PRIu64 " cases, %" PRIu64 " ended done, %" PRIu64 " commands, %" PRIu64
	       " killed, %" PRIu64 " exchanges, %" PRIu64 " records, %" PRIu64 " troubles, %ld s\n",
	       all.cases, all.done, all.commands, all.kills, all.exchanges, all.records,
	       all.troubles, (long)(time(NULL) - began));
	(void)fflush(stdout);
}

static bool watch(const struct work *w, struct shared *sh, unsigned jobs, uint64_t *ret_bad,
		  const char **ret_how)
{
	const struct timespec nap = { 0, 50000000 };
	uint64_t said = 0;
	time_t began = time(NULL);
	bool busy = true;

	*ret_bad = NOTHING;
	while (busy) {
		busy = false;
		for (unsigned i = 0; i < jobs; i++) {
			struct worker *one = &sh->workers[i];
			const char *how = one->ended ? NULL : look_after(one);

			busy |= !one->ended;
			if (how && one->at != NOTHING && *ret_bad == NOTHING) {
				*ret_bad = one->at;
				*ret_how = how;
				sh->stop = true;
				end_all(sh, jobs);
				busy = false;
				break;
			}
		}
		if (w->says_progress)
			say_progress(sh, jobs, &said, began);
		if (busy)
			(void)nanosleep(&nap, NULL);
	}
	for (unsigned i = 0; i < jobs; i++)
		if (sh->workers[i].bad < *ret_bad) {
			*ret_bad = sh->workers[i].bad;
			*ret_how = "violated";
		}
	return *ret_bad == NOTHING;
}

bool work_do(const struct work *w, struct counts *ret, uint64_t *ret_bad, const char **ret_how)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned jobs = w->jobs ? w->jobs : (unsigned)(processors > 0 ? processors : 1);
	struct shared *sh =
		mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool fine;

	*ret = (struct counts){ 0 };
	*ret_bad = 0;
	*ret_how = "no processes";
	if (sh == MAP_FAILED)
		return false;
	jobs = jobs > JOBS_MAX ? JOBS_MAX : jobs;
	(void)step_column("planning"); /* made before there are several */
	fine = start(w, sh, jobs) && watch(w, sh, jobs, ret_bad, ret_how);
	end_all(sh, jobs);
	for (unsigned i = 0; i < jobs; i++)
		sum(ret, &sh->workers[i].counts);
	(void)munmap(sh, sizeof(*sh));
	return fine;
}
