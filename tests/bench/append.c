/* SPDX-License-Identifier: Apache-2.0 */
/*
 * append - how many journal records a second reach the disk, beside a bare loop of write and fsync.
 *
 *   append DIR [ROUNDS [RECORDS]]
 *
 * In each round RECORDS (200) samples of a gate go through journal and file store into DIR, and then the very same bytes, a line at a
 * time, through write and fsync into a file beside it. Prints a line: the file system's kind ("disk", or "tmpfs": then nothing is measured that
 * a disk does), bytes a record, and the medians over ROUNDS (7) of records a second: journal, bare.
 */
#include "core/base/arena.h"
#include "core/base/mem.h"
#include "core/base/sys.h"
#include "core/io/file.h"
#include "core/io/file_store.h"
#include "core/run/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 100
#define TMPFS 0x01021994L
#define RAMFS 0x858458f6L

static int64_t mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t clock_ms(void *ctx)
{
	(void)ctx;
	return mono_ns() / 1000000;
}

static void die(const char *what)
{
	fprintf(stderr, "append: %s\n", what);
	exit(1);
}

/* What a gate's sample is made of; about as long as they are. */
static struct value *sample(struct arena *a, const char *env, int64_t i)
{
	struct value *rec = value_map(a), *envs = value_list(a), *seen = value_list(a),
		     *thing = value_map(a), *facts = value_map(a);

	value_list_add(a, envs, value_string(a, env));
	value_set(a, facts, "ingress", value_string(a, "RUNNING"));
	value_set(a, facts, "egress", value_string(a, "RUNNING"));
	value_set(a, facts, "opt-in-out", value_string(a, "STOPPED"));
	value_set(a, facts, "started_at", value_int(a, 1795000000000 + i));
	value_set(a, thing, "thing", value_string(a, "app.workflow"));
	value_set(a, thing, "known", value_string(a, "bridge"));
	value_set(a, thing, "server_ms", value_int(a, 1795000000000 + i));
	value_set(a, thing, "facts", facts);
	value_list_add(a, seen, thing);
	value_set(a, rec, "run", value_string(a, "0123456789abcdef"));
	value_set(a, rec, "step", value_stringf(a, "%s/app.workflow/stable", env));
	value_set(a, rec, "environments", envs);
	value_set(a, rec, "environment", value_string(a, env));
	value_set(a, rec, "gate", value_string(a, "workflows_stable"));
	value_set(a, rec, "now_ms", value_int(a, 1795000000000 + i));
	value_set(a, rec, "verdict", value_string(a, "wait"));
	value_set(a, rec, "saw",
		  value_string(a, "ingress RUNNING, egress RUNNING, opt-in-out STOPPED"));
	value_set(a, rec, "why", value_string(a, "all RUNNING for 3m of 5m"));
	value_set(a, rec, "seen", seen);
	return rec;
}

static void add(struct journal *j, const char *type, struct value *rec)
{
	struct err err = ERR_INIT;

	if (journal_add(j, type, rec, &err) < 0)
		die(err.msg);
}

/* Records a second. */
static double through_journal(const char *folder, long records)
{
	struct file_store *store = file_store_new(folder);
	const struct sys sys = { .wall_ms = clock_ms, .mono_ms = clock_ms };
	struct err err = ERR_INIT;
	struct journal j;
	struct value *run;
	int64_t from;

	if (journal_open(&j, file_store_ops(store), &sys, &err) < 0)
		die(err.msg);
	run = value_map(journal_arena(&j));
	value_set(journal_arena(&j), run, "run",
		  value_string(journal_arena(&j), "0123456789abcdef"));
	value_set(journal_arena(&j), run, "plan", value_map(journal_arena(&j)));
	add(&j, "run", run);
	from = mono_ns();
	for (long i = 0; i < records; i++) {
		add(&j, "sample", sample(journal_arena(&j), "dev", i));
		journal_tidy(&j);
	}
	from = mono_ns() - from;
	journal_close(&j);
	file_store_free(store);
	return (double)records * 1e9 / (double)from;
}

/* The same lines, but for the first one. */
static double bare(const char *path, const char *lines, long records)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	const char *line = strchr(lines, '\n') + 1, *end;
	int64_t from = mono_ns();

	if (fd < 0)
		die("cannot make a file in the folder");
	for (long i = 0; i < records; i++, line = end) {
		end = strchr(line, '\n') + 1;
		if (write(fd, line, (size_t)(end - line)) != end - line || fsync(fd) < 0)
			die("cannot write to the folder");
	}
	from = mono_ns() - from;
	close(fd);
	return (double)records * 1e9 / (double)from;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *list, long n)
{
	qsort(list, (size_t)n, sizeof(*list), compare);
	return list[n / 2];
}

static const char *kind_of(const char *folder)
{
	struct statfs fs;

	if (statfs(folder, &fs) < 0)
		die("there is no such folder");
	return fs.f_type == TMPFS || (unsigned long)fs.f_type == RAMFS ? "tmpfs" : "disk";
}

int main(int argc, char **argv)
{
	double by_journal[ROUNDS_MAX], by_loop[ROUNDS_MAX];
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 7;
	long records = argc > 3 ? strtol(argv[3], NULL, 10) : 200;
	size_t bytes = 0;

	if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX || records < 1) {
		fputs("usage: append DIR [ROUNDS [RECORDS]]\n", stderr);
		return 64;
	}
	for (long i = 0; i < rounds; i++) {
		CLEANUP(sb_done) struct sb folder = SB_INIT(4096), path = SB_INIT(4096);
		CLEANUP(sb_done) struct sb lines = SB_INIT((size_t)1 << 30);
		struct err err = ERR_INIT;

		sb_addf(&folder, "%s/append-%ld-%ld", argv[1], (long)getpid(), i);
		by_journal[i] = through_journal(folder.buf, records);
		sb_addf(&path, "%s/" JOURNAL_NAME, folder.buf);
		if (file_read(path.buf, &lines, &err) < 0)
			die(err.msg);
		bytes = lines.len / (size_t)(records + 1);
		unlink(path.buf);
		sb_reset(&path);
		sb_addf(&path, "%s/bare", folder.buf);
		by_loop[i] = bare(path.buf, lines.buf, records);
		unlink(path.buf);
		rmdir(folder.buf);
	}
	printf("%s %zu %.0f %.0f\n", kind_of(argv[1]), bytes, median(by_journal, rounds),
	       median(by_loop, rounds));
	return 0;
}
