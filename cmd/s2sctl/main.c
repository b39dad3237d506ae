/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the operating system, handed in; the only main.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cmd/s2sctl/command.h"
#include "core/io/http.h"
#include "providers/registry.h"

static volatile sig_atomic_t signals_seen, signal_first;

struct host {
	struct sys sys;
	struct http *http;
	int64_t scale;
	int64_t start_wall, start_mono; /* real, when the scale was set */
};

static int64_t real_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* With --time-scale the tool's own clocks run as fast as the sandbox's, so that thresholds stay what they are. */
static int64_t host_wall(void *ctx)
{
	const struct host *h = ctx;

	return h->start_wall + (real_ms(CLOCK_REALTIME) - h->start_wall) * h->scale;
}

static int64_t host_mono(void *ctx)
{
	const struct host *h = ctx;

	return h->start_mono + (real_ms(CLOCK_MONOTONIC) - h->start_mono) * h->scale;
}

static void host_random(void *ctx, void *buf, size_t len)
{
	char *at = buf;

	(void)ctx;
	while (len) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			abort();
		at += n;
		len -= (size_t)n;
	}
}

static const char *host_getenv(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

static int host_signalled(void *ctx)
{
	(void)ctx;
	return signals_seen;
}

static int host_signal_number(void *ctx)
{
	(void)ctx;
	return signal_first;
}

static void on_signal(int number)
{
	if (!signals_seen)
		signal_first = number;
	if (signals_seen < 100)
		signals_seen++;
}

static int host_transport(void *ctx, const struct transport **ret, struct err *err)
{
	struct host *h = ctx;
	const struct http_options o = {
		.time_scale = h->scale,
		.user_agent = "s2sctl/" S2SCTL_VERSION,
		.sys = &h->sys,
	};

	if (!h->http && http_open(&o, &h->http, err) < 0)
		return -err->code;
	*ret = http_transport(h->http);
	return 0;
}

static void host_set_scale(void *ctx, int64_t scale)
{
	struct host *h = ctx;

	h->scale = scale;
	h->start_wall = real_ms(CLOCK_REALTIME);
	h->start_mono = real_ms(CLOCK_MONOTONIC);
}

static void write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* a reader that went away is no reason to stop an apply */
		text += n;
		len -= (size_t)n;
	}
}

static void host_out(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	write_all(STDOUT_FILENO, text, len);
}

static void host_talk(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	write_all(STDERR_FILENO, text, len);
}

static bool host_ask(void *ctx, const char *question, struct sb *ret)
{
	char c;

	(void)ctx;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return false;
	write_all(STDERR_FILENO, question, strlen(question));
	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		sb_addc(ret, c);
	return ret->len > 0;
}

static void catch_signals(void)
{
	const struct sigaction stop = { .sa_handler = on_signal },
			       ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* Closed standard descriptors would be reused for journal or sockets, and talk would be written into them. */
static void keep_std_open(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd)
			_exit(71);
}

int main(int argc, char **argv)
{
	struct host h = { .scale = 1 };
	struct winsize ws;
	char name[256] = "unknown";
	const struct passwd *pw;
	struct program p;
	int rc;

	keep_std_open();
	catch_signals();
	prctl(PR_SET_DUMPABLE, 0); /* no core dump while secrets live */
	host_set_scale(&h, 1);
	h.sys = (struct sys){ .ctx = &h,
			      .wall_ms = host_wall,
			      .mono_ms = host_mono,
			      .random = host_random,
			      .getenv = host_getenv,
			      .signalled = host_signalled };
	pw = getpwuid(getuid());
	gethostname(name, sizeof(name) - 1);
	p = (struct program){
		.ctx = &h,
		.registry = &registry_all,
		.sys = &h.sys,
		.transport = host_transport,
		.set_time_scale = host_set_scale,
		.out = host_out,
		.talk = host_talk,
		.ask = host_ask,
		.out_is_terminal = isatty(STDOUT_FILENO),
		.talk_is_terminal = isatty(STDERR_FILENO),
		.width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 ? ws.ws_col : 0,
		.user = pw ? pw->pw_name : "unknown",
		.host = name,
		.pid = getpid(),
		.signal_number = host_signal_number,
	};
	rc = program_run(&p, argc, (const char *const *)argv);
	http_close(h.http);
	return rc;
}
