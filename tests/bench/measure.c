/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure - runs programs in turn and says what they cost: medians over rounds.
 *
 *   measure [-n ROUNDS] [-r REPEAT] [-w WARM] [-t SECONDS] [-x STATUS] [-o FILE] CMD ARG... [ :: CMD ARG... ]
 *
 * A round runs each command REPEAT times, one after the other, so that what disturbs the machine
 * disturbs all of them. For each command one line: wall and processor time of one run in
 * microseconds, peak resident memory in KiB, then the least and the greatest processor time. The
 * first WARM rounds do not count. Standard output goes to FILE (the last run's; /dev/null without).
 * A command that does not end with STATUS (0) within SECONDS (60) ends everything, with status 1.
 *
 * Processor time is user and system time of the process, and of what it waited for, from wait4: what
 * the kernel accounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMANDS_MAX 8
#define ROUNDS_MAX 100

struct sample {
	int64_t wall_us, cpu_us, rss_kib;
};
struct command {
	char **argv;
	struct sample samples[ROUNDS_MAX];
};
struct options {
	long rounds, repeat, warm, seconds, status;
	const char *out;
};

static volatile sig_atomic_t running; /* the child, for the alarm; 0: none */

static void on_alarm(int sig)
{
	(void)sig;
	if (running)
		kill((pid_t)running, SIGKILL);
}

static int64_t mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t tv_us(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void become(const struct options *o, char **argv)
{
	int in = open("/dev/null", O_RDONLY);
	int out = open(o->out ? o->out : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0) {
		perror("measure: cannot redirect");
		_exit(126);
	}
	close(in);
	close(out);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

/* Adds one run to *sum. */
static bool run_once(const struct options *o, char **argv, struct sample *sum)
{
	int64_t from = mono_us();
	struct rusage used;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		become(o, argv);
	if (pid < 0) {
		perror("measure: fork");
		return false;
	}
	running = (sig_atomic_t)pid;
	alarm((unsigned)o->seconds);
	while (wait4(pid, &status, 0, &used) < 0)
		if (errno != EINTR)
			return false;
	sum->wall_us += mono_us() - from;
	alarm(0);
	running = 0;
	sum->cpu_us += tv_us(used.ru_utime) + tv_us(used.ru_stime);
	if (used.ru_maxrss > sum->rss_kib)
		sum->rss_kib = used.ru_maxrss;
	if (WIFEXITED(status) && WEXITSTATUS(status) == o->status)
		return true;
	fprintf(stderr, "measure: %s: %s %d\n", argv[0],
		WIFEXITED(status) ? "ended with status" : "killed by signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return false;
}

static bool run_round(const struct options *o, char **argv, struct sample *ret)
{
	*ret = (struct sample){ 0 };
	for (long i = 0; i < o->repeat; i++)
		if (!run_once(o, argv, ret))
			return false;
	ret->wall_us /= o->repeat;
	ret->cpu_us /= o->repeat;
	return true;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_command(const struct command *c, long rounds)
{
	int64_t wall[ROUNDS_MAX], cpu[ROUNDS_MAX], rss[ROUNDS_MAX];

	for (long i = 0; i < rounds; i++) {
		wall[i] = c->samples[i].wall_us;
		cpu[i] = c->samples[i].cpu_us;
		rss[i] = c->samples[i].rss_kib;
	}
	qsort(wall, (size_t)rounds, sizeof(*wall), compare);
	qsort(cpu, (size_t)rounds, sizeof(*cpu), compare);
	qsort(rss, (size_t)rounds, sizeof(*rss), compare);
	printf("%lld %lld %lld %lld %lld\n", (long long)wall[rounds / 2],
	       (long long)cpu[rounds / 2], (long long)rss[rounds / 2], (long long)cpu[0],
	       (long long)cpu[rounds - 1]);
}

static long number(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || n < 1 || n > max) {
		fprintf(stderr, "measure: '%s' is no number from 1 to %ld\n", text, max);
		exit(64);
	}
	return n;
}

static struct options read_options(int argc, char **argv)
{
	struct options o = { .rounds = 5, .repeat = 1, .seconds = 60 };
	int c;

	while ((c = getopt(argc, argv, "+n:r:w:t:x:o:")) != -1) {
		if (c == 'n')
			o.rounds = number(optarg, ROUNDS_MAX);
		else if (c == 'r')
			o.repeat = number(optarg, 1000);
		else if (c == 'w')
			o.warm = number(optarg, ROUNDS_MAX);
		else if (c == 't')
			o.seconds = number(optarg, 600);
		else if (c == 'x')
			o.status = number(optarg, 255);
		else if (c == 'o')
			o.out = optarg;
		else
			exit(64);
	}
	return o;
}

/* Splits at "::". */
static size_t read_commands(char **words, struct command *list)
{
	size_t n = 0;

	while (*words && n < COMMANDS_MAX) {
		list[n++].argv = words;
		while (*words && strcmp(*words, "::") != 0)
			words++;
		if (*words)
			*words++ = NULL;
	}
	return n;
}

int main(int argc, char **argv)
{
	static struct command list[COMMANDS_MAX];
	struct options o = read_options(argc, argv);
	size_t n = read_commands(argv + optind, list);
	struct sigaction act = { .sa_handler = on_alarm };

	for (size_t i = 0; i < n; i++)
		if (!list[i].argv[0])
			n = 0;
	if (!n) {
		fputs("usage: measure [-n ROUNDS] [-r REPEAT] [-w WARM] [-t SECONDS] [-x STATUS] [-o FILE] CMD ARG... [:: CMD ARG...]\n",
		      stderr);
		return 64;
	}
	sigaction(SIGALRM, &act, NULL);
	for (long round = -o.warm; round < o.rounds; round++) {
		for (size_t i = 0; i < n; i++) {
			struct sample s;

			if (!run_round(&o, list[i].argv, &s))
				return 1;
			if (round >= 0)
				list[i].samples[round] = s;
		}
	}
	for (size_t i = 0; i < n; i++)
		print_command(&list[i], o.rounds);
	return 0;
}
