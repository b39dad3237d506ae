/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/checker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/mem.h"

/* A test may bring a shorter one. */
#ifndef CHECKER_TIMEOUT_MS
#define CHECKER_TIMEOUT_MS 30000
#endif
#define SLICE_MS 100

struct child {
	const struct sys *sys;
	pid_t pid;
	int doc, out, timer;
	int signals; /* seen when it started */
};

static void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void child_done(struct child *c)
{
	if (c->pid > 0) {
		kill(-c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	fd_close(c->doc);
	fd_close(c->out);
	fd_close(c->timer);
}

/* A file in memory instead of a pipe: whoever does not read it to its end breaks nothing. */
static int put_doc(struct child *c, const char *bytes, size_t len)
{
	c->doc = memfd_create("plan", MFD_CLOEXEC);
	while (c->doc >= 0 && len) {
		ssize_t n = write(c->doc, bytes, len);

		if (n < 0 && errno != EINTR)
			return -1;
		bytes += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (size_t)n;
	}
	return c->doc >= 0 && lseek(c->doc, 0, SEEK_SET) == 0 ? 0 : -1;
}

static int start_timer(int ms)
{
	struct itimerspec at = { .it_value = { ms / 1000, (long)(ms % 1000) * 1000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd >= 0)
		timerfd_settime(fd, 0, &at, NULL);
	return fd;
}

static int spawn(struct child *c, const char *command, int out)
{
	char sh[] = "sh", dash_c[] = "-c";
	CLEANUP(mem_freep) char *copy = mem_strdup(command);
	char *argv[] = { sh, dash_c, copy, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	rc = posix_spawn_file_actions_adddup2(&files, c->doc, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, out, 1);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, out, 2);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	if (!rc)
		rc = posix_spawn(&c->pid, "/bin/sh", &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (rc)
		c->pid = -1;
	return rc;
}

/* Up to a slice of time. Fails when time is up or a signal came. */
static int wait_a_bit(const struct child *c, int fd, bool *ret_ready, struct err *err)
{
	struct pollfd fds[2] = { { fd, POLLIN, 0 }, { c->timer, POLLIN, 0 } };
	int n = poll(fds, 2, SLICE_MS);

	if (c->sys->signalled(c->sys->ctx) > c->signals)
		return err_set(err, E_SIGNAL, "interrupted while the policy check ran");
	*ret_ready = n > 0 && fds[0].revents != 0;
	if (n > 0 && fds[1].revents)
		return err_set(err, E_REFUSED, "the policy check took longer than %d s",
			       CHECKER_TIMEOUT_MS / 1000);
	return 0;
}

static int hear(const struct child *c, struct sb *out, struct err *err)
{
	char chunk[4096];
	bool ready;
	ssize_t n;

	for (;;) {
		if (wait_a_bit(c, c->out, &ready, err) < 0)
			return -err->code;
		if (!ready)
			continue;
		n = read(c->out, chunk, sizeof(chunk));
		if (n == 0 || (n < 0 && errno != EINTR))
			return 0;
		if (n > 0)
			sb_addn(out, chunk, MIN_OF((size_t)n, out->max - out->len));
	}
}

static int reap(struct child *c, struct err *err)
{
	bool ready;
	int status;

	while (waitpid(c->pid, &status, WNOHANG) != c->pid)
		if (wait_a_bit(c, -1, &ready, err) < 0)
			return -err->code;
	c->pid = -1;
	if (WIFSIGNALED(status))
		return err_set(err, E_REFUSED, "the policy check was killed by signal %d",
			       WTERMSIG(status));
	if (WEXITSTATUS(status))
		return err_set(err, E_REFUSED, "the policy check refuses the plan (exit status %d)",
			       WEXITSTATUS(status));
	return 0;
}

int checker_run(const char *command, const void *doc, size_t len, const struct sys *sys,
		struct sb *out, struct err *err)
{
	CLEANUP(child_done) struct child c = { sys, -1, -1, -1, -1, 0 };
	int ends[2], rc;

	c.signals = sys->signalled(sys->ctx);
	c.timer = start_timer(CHECKER_TIMEOUT_MS);
	if (c.timer < 0 || put_doc(&c, doc, len) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, E_IO, "cannot run the policy check: %s", strerror(errno));
	c.out = ends[0];
	rc = spawn(&c, command, ends[1]);
	close(ends[1]);
	if (rc)
		return err_set(err, E_IO, "cannot run the policy check: %s", strerror(rc));
	if (hear(&c, out, err) < 0 || reap(&c, err) < 0)
		return -err->code;
	return 0;
}
