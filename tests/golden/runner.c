/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner.c - golden-runner [--update] CASE_DIR: carries out one case and compares what came out with `expected`.
 *
 * README.md beside it tells what a case is. The program runs in this process, again and again, as a person would call it.
 */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/s2sctl/command.h"
#include "core/base/mem.h"
#include "core/base/value.h"
#include "core/base/when.h"
#include "core/io/file.h"
#include "providers/registry.h"
#include "tests/golden/golden.h"

#define CANARY_MIN 6
#define DIFF_LINES_MAX 6000

struct canary {
	const char *name, *text, *encoded;
};
struct golden {
	struct outside o;
	struct arena arena;
	struct sb problems, out, talk, transcript;
	char folder[PATH_MAX], tmp[PATH_MAX];
	struct wire *wire;
	const char *wire_name; /* NULL: not chosen yet */
	size_t budget;         /* exchanges of one run; 0: no limit */
	const char *answers[32];
	size_t answer_count, answers_used;
	struct canary *canaries;
	size_t canary_count, canary_cap;
	const char *secret_files[16];
	size_t secret_file_count;
	const char *script; /* of the case, for messages */
	unsigned line;
};
static struct golden *the_case; /* for give_up */

/* -- files -- */

static bool read_text(struct golden *g, const char *path, struct sb *out)
{
	struct err err = ERR_INIT;

	if (file_read(path, out, &err) == 0)
		return true;
	problem(&g->o, "%s", err.msg);
	return false;
}

static void write_text(struct golden *g, const char *path, const char *text)
{
	struct err err = ERR_INIT;
	const char *slash = strrchr(path, '/');

	if (slash && slash != path &&
	    file_make_dirs(arena_strndup(&g->arena, path, (size_t)(slash - path)), 0755, &err) < 0)
		problem(&g->o, "%s", err.msg);
	else if (file_write(path, text, strlen(text), 0644, &err) < 0)
		problem(&g->o, "%s", err.msg);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void remove_tmp(struct golden *g)
{
	if (!g->tmp[0])
		return;
	if (chdir("/") < 0 || nftw(g->tmp, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
		fprintf(stderr, "golden-runner: %s stays: %s\n", g->tmp, strerror(errno));
	g->tmp[0] = '\0';
}

static bool is_input(const char *name)
{
	return name[0] != '.' && strcmp(name, "case") != 0 && strcmp(name, "expected") != 0 &&
	       strncmp(name, "wire", 4) != 0;
}

/* A fresh current folder with the inputs of the case. */
static bool make_tmp(struct golden *g)
{
	const char *where = getenv("TMPDIR");
	DIR *d;
	struct dirent *e;

	snprintf(g->tmp, sizeof(g->tmp), "%s/golden.XXXXXX", where && *where ? where : "/tmp");
	if (!mkdtemp(g->tmp) || chdir(g->tmp) < 0) {
		fprintf(stderr, "golden-runner: %s: %s\n", g->tmp, strerror(errno));
		g->tmp[0] = '\0';
		return false;
	}
	d = opendir(g->folder);
	while (d && (e = readdir(d))) {
		CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);

		if (is_input(e->d_name) &&
		    read_text(g, arena_printf(&g->arena, "%s/%s", g->folder, e->d_name), &text))
			write_text(g, e->d_name, text.buf);
	}
	if (d)
		closedir(d);
	return d != NULL;
}

/* -- canaries: secrets that must not show anywhere -- */

static void add_canary(void *arg, const char *name, const char *text)
{
	struct golden *g = arg;
	CLEANUP(sb_done) struct sb encoded = SB_INIT(GOLDEN_TEXT_MAX);

	if (strlen(text) < CANARY_MIN)
		return;
	for (size_t i = 0; i < g->canary_count; i++)
		if (strcmp(g->canaries[i].text, text) == 0)
			return;
	sb_add_escaped(&encoded, text);
	g->canaries = arena_grow(&g->arena, g->canaries, g->canary_count, &g->canary_cap,
				 sizeof(*g->canaries));
	g->canaries[g->canary_count++] =
		(struct canary){ arena_strdup(&g->arena, name), arena_strdup(&g->arena, text),
				 arena_strdup(&g->arena, encoded.buf) };
}

static void look_for_canaries(struct golden *g, const char *where, const char *text)
{
	for (size_t i = 0; i < g->canary_count; i++)
		if (strstr(text, g->canaries[i].text) || strstr(text, g->canaries[i].encoded))
			problem(&g->o, "a secret got out: %s holds that of %s", where,
				g->canaries[i].name);
}

static int search_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	struct golden *g = the_case;
	const char *name = path + strlen(g->tmp) + 1;
	CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);

	(void)st;
	(void)at;
	if (type != FTW_F)
		return 0;
	for (size_t i = 0; i < g->secret_file_count; i++)
		if (strcmp(g->secret_files[i], name) == 0)
			return 0;
	if (read_text(g, path, &text))
		look_for_canaries(g, name, text.buf);
	return 0;
}

/* What stands in the files that are allowed to hold a secret. */
static void take_secret_files(struct golden *g)
{
	for (size_t i = 0; i < g->secret_file_count; i++) {
		CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);
		struct err err = ERR_INIT;

		if (file_read(g->secret_files[i], &text, &err) < 0)
			continue; /* not there yet */
		sb_shrink(&text, strcspn(text.buf, "\n"));
		add_canary(g, g->secret_files[i], text.buf);
	}
}

/* -- the program's outside -- */

static int transport(void *ctx, const struct transport **ret, struct err *err)
{
	struct golden *g = ctx;

	(void)err;
	*ret = wire_transport(g->wire);
	return 0;
}

static void set_time_scale(void *ctx, int64_t scale)
{
	(void)ctx;
	(void)scale; /* waiting costs nothing here */
}

static void out(void *ctx, const char *text, size_t len)
{
	sb_addn(&((struct golden *)ctx)->out, text, len);
}

static void talk(void *ctx, const char *text, size_t len)
{
	sb_addn(&((struct golden *)ctx)->talk, text, len);
}

static bool ask(void *ctx, const char *question, struct sb *ret)
{
	struct golden *g = ctx;

	if (g->answers_used == g->answer_count)
		return false;
	sb_addf(&g->talk, "%s%s\n", question, g->answers[g->answers_used]);
	sb_add(ret, g->answers[g->answers_used++]);
	return ret->len > 0;
}

/* -- directives -- */

/* Text with the temporary folder under a name that stays. */
static void add_stable(struct golden *g, const char *text)
{
	size_t len = strlen(g->tmp);
	const char *at;

	while ((at = strstr(text, g->tmp))) {
		sb_addn(&g->transcript, text, (size_t)(at - text));
		sb_add(&g->transcript, "(tmp)");
		text = at + len;
	}
	sb_add(&g->transcript, text);
	if (g->transcript.len && g->transcript.buf[g->transcript.len - 1] != '\n')
		sb_add(&g->transcript, "\n(no newline at the end)\n");
}

static void choose_wire(struct golden *g, const char *name)
{
	const char *path = arena_printf(&g->arena, "%s/%s", g->folder, name);

	if (g->wire)
		wire_leftovers(g->wire);
	wire_close(g->wire);
	g->wire = wire_open(&g->o,
			    access(path, R_OK) == 0 || strcmp(name, "wire.txt") != 0 ? path : NULL);
	g->wire_name = name;
}

/* Words as a shell would split them: blanks, and "quotes". */
static int split(struct golden *g, const char *text, const char *argv[], int max)
{
	int n = 0;

	while (*text && n < max - 1) {
		CLEANUP(sb_done) struct sb word = SB_INIT(65536);
		bool quoted = false;

		while (*text == ' ')
			text++;
		if (!*text)
			break;
		for (; *text && (quoted || *text != ' '); text++) {
			if (*text == '"')
				quoted = !quoted;
			else
				sb_addc(&word, *text);
		}
		argv[n++] = arena_strdup(&g->arena, word.buf);
	}
	argv[n] = NULL;
	return n;
}

static void add_run(struct golden *g, const char *command, int status)
{
	CLEANUP(sb_done) struct sb requests = SB_INIT(GOLDEN_TEXT_MAX);

	sb_addf(&g->transcript, "$ %s\n", command);
	add_stable(g, g->out.buf);
	if (g->talk.len) {
		sb_add(&g->transcript, "--- stderr ---\n");
		add_stable(g, g->talk.buf);
	}
	wire_requests(g->wire, &requests);
	if (requests.len) {
		sb_add(&g->transcript, "--- requests ---\n");
		sb_add(&g->transcript, requests.buf);
	}
	sb_addf(&g->transcript, "--- exit %d ---\n\n", status);
}

static void check_run(struct golden *g, const char *command)
{
	if (g->budget && wire_count(g->wire) > g->budget)
		problem(&g->o, "%s: %zu exchanges, and the budget is %zu", command,
			wire_count(g->wire), g->budget);
	if (strstr(g->out.buf, "\x1b") || strstr(g->talk.buf, "\x1b"))
		problem(&g->o, "%s: control bytes in the output, which is no terminal", command);
	wire_each_secret(g->wire, add_canary, g);
	take_secret_files(g);
}

/* With GOLDEN_PLANS each plan that a run makes is saved in that folder as well; what the run says then differs from `expected`. */
static int keep_plan(struct golden *g, const char *argv[], int argc)
{
	const char *folder = getenv("GOLDEN_PLANS"), *name = strrchr(g->folder, '/');
	static unsigned made;

	if (!folder || argc < 3 || argc > 60 ||
	    (strcmp(argv[1], "plan") != 0 && strcmp(argv[1], "apply") != 0))
		return argc;
	argv[argc++] = "-o";
	argv[argc++] = arena_printf(&g->arena, "%s/%s-%u.json", folder, name + 1, ++made);
	argv[argc] = NULL;
	return argc;
}

static void run(struct golden *g, const char *command)
{
	const char *argv[64];
	int argc = split(g, command, argv, (int)ARRAY_LEN(argv)), status;
	const struct program p = {
		.ctx = g,
		.registry = &registry_all,
		.sys = &g->o.sys,
		.transport = transport,
		.set_time_scale = set_time_scale,
		.out = out,
		.talk = talk,
		.ask = ask,
		.user = "golden",
		.host = "runner",
		.boot = "golden",
		.pid = 4711,
	};

	if (!g->wire)
		choose_wire(g, "wire.txt");
	sb_reset(&g->out);
	sb_reset(&g->talk);
	wire_begin(g->wire);
	g->o.exchanges = 0;
	g->o.run_began_mono = g->o.mono_ms;
	argc = keep_plan(g, argv, argc);
	status = program_run(&p, argc, argv);
	add_run(g, command, status);
	check_run(g, command);
	if (g->o.signal_at)
		problem(&g->o, "no signal: never sent: %s", g->o.signal_at);
	g->o.signal_at = NULL;
	g->o.signals = 0;
	memset(g->o.signal_after, 0, sizeof(g->o.signal_after));
}

static void expect_file(struct golden *g, const char *path)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);
	struct err err = ERR_INIT;

	sb_addf(&g->transcript, "--- file %s ---\n", path);
	if (access(path, F_OK) < 0)
		sb_add(&g->transcript, "(not there)\n");
	else if (file_read(path, &text, &err) < 0)
		problem(&g->o, "%s", err.msg);
	else
		add_stable(g, text.buf);
	sb_addc(&g->transcript, '\n');
}

static void set_env(struct golden *g, const char *pair)
{
	const char *eq = strchr(pair, '=');
	const char *name;
	size_t len;

	if (!eq) {
		problem(&g->o, "%s:%u: env NAME=VALUE", g->script, g->line);
		return;
	}
	name = arena_strndup(&g->o.arena, pair, (size_t)(eq - pair));
	len = strlen(name);
	value_set(&g->o.arena, g->o.env, name, value_string(&g->o.arena, eq + 1));
	if ((len >= 7 && strcmp(name + len - 7, "_SECRET") == 0) ||
	    (len >= 6 && strcmp(name + len - 6, "_TOKEN") == 0))
		add_canary(g, name, eq + 1);
}

static void set_clock(struct golden *g, const char *text)
{
	struct err err = ERR_INIT;

	if (when_parse(text, &g->o.wall_ms, NULL, &err) < 0)
		problem(&g->o, "%s:%u: %s", g->script, g->line, err.msg);
}

static void advance(struct golden *g, const char *text)
{
	struct err err = ERR_INIT;
	int64_t span;

	if (when_parse_span(text, &span, &err) < 0) {
		problem(&g->o, "%s:%u: %s", g->script, g->line, err.msg);
		return;
	}
	g->o.wall_ms += span;
	g->o.mono_ms += span;
}

/* "after N [M]": when that many exchanges are answered; "at METHOD URL": when that is sent. */
static void set_signal(struct golden *g, const char *text)
{
	char *end = NULL;

	if (strncmp(text, "at ", 3) == 0) {
		g->o.signal_at = text + 3;
		return;
	}
	if (strncmp(text, "after ", 6) == 0) {
		g->o.signal_after[0] = strtoul(text + 6, &end, 10);
		g->o.signal_after[1] = strtoul(end, &end, 10);
	}
	if (!g->o.signal_after[0] || *end)
		problem(&g->o, "%s:%u: signal after N [M], or at METHOD URL", g->script, g->line);
}

static void secret_file(struct golden *g, const char *path)
{
	if (g->secret_file_count < ARRAY_LEN(g->secret_files))
		g->secret_files[g->secret_file_count++] = path;
	take_secret_files(g);
}

static void add_answer(struct golden *g, const char *text)
{
	if (g->answer_count < ARRAY_LEN(g->answers))
		g->answers[g->answer_count++] = text;
}

static void set_budget(struct golden *g, const char *text)
{
	if (strncmp(text, "exchanges ", 10) != 0)
		problem(&g->o, "%s:%u: budget exchanges N", g->script, g->line);
	else
		g->budget = strtoul(text + 10, NULL, 10);
}

static void remove_file(struct golden *g, const char *path)
{
	if (path[0] == '/' || strstr(path, "..") || remove(path) < 0)
		problem(&g->o, "%s:%u: cannot remove %s", g->script, g->line, path);
}

static void make_folder(struct golden *g, const char *path)
{
	struct err err = ERR_INIT;

	if (file_make_dirs(path, 0755, &err) < 0)
		problem(&g->o, "%s:%u: %s", g->script, g->line, err.msg);
}

static const struct directive {
	const char *name;
	void (*fn)(struct golden *g, const char *rest);
} directives[] = {
	{ "env", set_env },        { "clock", set_clock },    { "run", run },
	{ "advance", advance },    { "signal", set_signal },  { "budget", set_budget },
	{ "wire", choose_wire },   { "answer", add_answer },  { "expect-file", expect_file },
	{ "remove", remove_file }, { "folder", make_folder }, { "secret file", secret_file },
};

/* "file PATH <<END" and the lines up to END; what comes after them. */
static char *here_document(struct golden *g, char *line, char *next)
{
	char *mark = strstr(line, " <<"), *at = next;
	CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);

	if (!mark) {
		problem(&g->o, "%s:%u: file PATH <<END", g->script, g->line);
		return next;
	}
	*mark = '\0';
	mark += 3;
	while (*at) {
		size_t len = strcspn(at, "\n");

		g->line++;
		if (len == strlen(mark) && strncmp(at, mark, len) == 0) {
			write_text(g, line, text.buf);
			return at + len + (at[len] ? 1 : 0);
		}
		sb_addn(&text, at, len);
		sb_addc(&text, '\n');
		at += len + (at[len] ? 1 : 0);
	}
	problem(&g->o, "%s: no %s for file %s", g->script, mark, line);
	return at;
}

static void obey(struct golden *g, const char *line)
{
	for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
		size_t len = strlen(directives[i].name);

		if (strncmp(line, directives[i].name, len) == 0 && line[len] == ' ') {
			directives[i].fn(g, line + len + 1);
			return;
		}
	}
	problem(&g->o, "%s:%u: not known: %s", g->script, g->line, line);
}

static void carry_out(struct golden *g)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);
	char *at;

	g->script = arena_printf(&g->arena, "%s/case", g->folder);
	if (!read_text(g, g->script, &text))
		return;
	at = arena_strdup(&g->arena, text.buf);
	while (*at) {
		size_t len = strcspn(at, "\n");
		char *next = at + len + (at[len] ? 1 : 0);

		at[len] = '\0';
		g->line++;
		if (strncmp(at, "file ", 5) == 0)
			next = here_document(g, at + 5, next);
		else if (*at && *at != '#')
			obey(g, at);
		at = next;
	}
	if (g->wire)
		wire_leftovers(g->wire);
	if (g->answers_used < g->answer_count)
		problem(&g->o, "nobody asked for '%s'", g->answers[g->answers_used]);
	look_for_canaries(g, "the transcript", g->transcript.buf);
	if (nftw(g->tmp, search_file, 16, FTW_PHYS) < 0)
		problem(&g->o, "%s: %s", g->tmp, strerror(errno));
}

/* -- comparing -- */

static size_t lines_of(char *text, char **lines, size_t max)
{
	size_t n = 0;

	while (*text && n < max) {
		size_t len = strcspn(text, "\n");

		lines[n++] = text;
		text += len;
		if (*text)
			*text++ = '\0';
	}
	return n;
}

/* Prints what differs between the common beginning and the common end, by longest common subsequence. */
static void print_diff(struct golden *g, const char *was_text, const char *is_text)
{
	char **was = arena_array(&g->arena, DIFF_LINES_MAX, sizeof(char *));
	char **is = arena_array(&g->arena, DIFF_LINES_MAX, sizeof(char *));
	size_t n = lines_of(arena_strdup(&g->arena, was_text), was, DIFF_LINES_MAX);
	size_t m = lines_of(arena_strdup(&g->arena, is_text), is, DIFF_LINES_MAX), head = 0, i, k;
	uint16_t *best;

	while (head < n && head < m && strcmp(was[head], is[head]) == 0)
		head++;
	while (n > head && m > head && strcmp(was[n - 1], is[m - 1]) == 0) {
		n--;
		m--;
	}
	best = arena_array(&g->arena, (n - head + 1) * (m - head + 1), sizeof(*best));
#define BEST(a, b) best[((a)-head) * (m - head + 1) + ((b)-head)]
	for (i = n; i-- > head;)
		for (k = m; k-- > head;)
			BEST(i, k) = strcmp(was[i], is[k]) == 0 ?
					     (uint16_t)(BEST(i + 1, k + 1) + 1) :
					     MAX_OF(BEST(i + 1, k), BEST(i, k + 1));
	printf("--- %s/expected\n+++ what came out\n@@ line %zu @@\n", g->folder, head + 1);
	for (i = head > 3 ? head - 3 : 0; i < head; i++)
		printf(" %s\n", was[i]);
	for (i = k = head; i < n || k < m;) {
		if (i < n && k < m && strcmp(was[i], is[k]) == 0) {
			printf(" %s\n", was[i++]);
			k++;
		} else if (i < n && (k == m || BEST(i + 1, k) >= BEST(i, k + 1))) {
			printf("-%s\n", was[i++]);
		} else {
			printf("+%s\n", is[k++]);
		}
	}
#undef BEST
}

static bool compare(struct golden *g)
{
	CLEANUP(sb_done) struct sb expected = SB_INIT(GOLDEN_TEXT_MAX);
	const char *path = arena_printf(&g->arena, "%s/expected", g->folder);
	struct err err = ERR_INIT;

	if (access(path, F_OK) < 0) {
		printf("%s is not there; --update writes it. What came out:\n%s", path,
		       g->transcript.buf);
		return false;
	}
	if (file_read(path, &expected, &err) < 0) {
		printf("%s\n", err.msg);
		return false;
	}
	if (strcmp(expected.buf, g->transcript.buf) == 0)
		return true;
	print_diff(g, expected.buf, g->transcript.buf);
	return false;
}

void give_up(struct outside *o, const char *fmt, ...)
{
	struct golden *g = the_case;
	va_list ap;

	(void)o;
	printf("%s%s--- stderr ---\n%s--- requests ---\n", g->transcript.buf, g->out.buf,
	       g->talk.buf);
	{
		CLEANUP(sb_done) struct sb requests = SB_INIT(GOLDEN_TEXT_MAX);

		wire_requests(g->wire, &requests);
		printf("%.20000s\n", requests.buf);
	}
	printf("%sgiven up: ", g->problems.buf);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	remove_tmp(g);
	_Exit(1);
}

static bool run_case(struct golden *g, bool update)
{
	bool good;

	if (make_tmp(g))
		carry_out(g);
	else
		problem(&g->o, "no folder for the case");
	if (update)
		write_text(g, arena_printf(&g->arena, "%s/expected", g->folder), g->transcript.buf);
	good = update || compare(g);
	if (g->problems.len) {
		printf("%s", g->problems.buf);
		good = false;
	}
	return good;
}

int main(int argc, char **argv)
{
	struct golden g = {
		.arena = ARENA_INIT,
		.problems = SB_INIT(GOLDEN_TEXT_MAX),
		.out = SB_INIT(GOLDEN_TEXT_MAX),
		.talk = SB_INIT(GOLDEN_TEXT_MAX),
		.transcript = SB_INIT(GOLDEN_TEXT_MAX),
	};
	bool update = argc > 1 && strcmp(argv[1], "--update") == 0, good;

	if (argc != 2 + update || !realpath(argv[argc - 1], g.folder)) {
		fprintf(stderr, "usage: golden-runner [--update] CASE_DIR\n");
		return 64;
	}
	if (strcmp(strrchr(g.folder, '/'), "/wire") == 0) {
		printf("no case: what wire files share\n");
		return 0;
	}
	the_case = &g;
	outside_init(&g.o, &g.problems);
	good = run_case(&g, update);
	remove_tmp(&g);
	wire_close(g.wire);
	outside_done(&g.o);
	sb_done(&g.problems);
	sb_done(&g.out);
	sb_done(&g.talk);
	sb_done(&g.transcript);
	arena_done(&g.arena);
	return good ? 0 : 1;
}
