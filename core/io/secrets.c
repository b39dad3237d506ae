/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/base/sb.h"
#include "core/base/secret_open.h"
#include "core/io/file.h"

/* A test may bring a shorter one. */
#ifndef EXEC_TIMEOUT_MS
#define EXEC_TIMEOUT_MS 30000
#endif
#define SLICE_MS 200 /* how long a signal may go unnoticed */
#define REAP_SLICE_MS 10
#define PATH_TEXT_MAX 65536

struct secrets {
	struct secret_source source;
	char *base_folder;
	const struct sys *sys;
};

/* Bytes on their way into a secret. One block of fixed size: growing would leave copies behind. */
struct raw {
	char *bytes;
	size_t len;
};
#define RAW_SIZE (SECRET_MAX + 3) /* a CRLF to cut, and one byte more than allowed, to notice it */

static void raw_done(struct raw *r)
{
	if (!r->bytes)
		return;
	OPENSSL_cleanse(r->bytes, RAW_SIZE);
	mem_free(r->bytes);
}

static void fd_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* The part behind "scheme:", or NULL when `ref` has another one. */
static const char *after(const char *ref, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncmp(ref, scheme, len) == 0 ? ref + len : NULL;
}

/* Whatever came may be the secret itself, put where a reference belongs: so it is not quoted. */
static int not_a_reference(struct err *err)
{
	err_set(err, E_IO,
		"a secret reference starts with 'env:', 'file:' or 'exec:', and this one does not");
	return err_hint(
		err,
		"the secret itself never stands in a file; name where to find it, e.g. env:NAME");
}

static int raw_to_secret(const char *ref, struct raw *r, struct secret **ret, struct err *err)
{
	if (r->len > 0 && r->bytes[r->len - 1] == '\n') {
		r->len--;
		if (r->len > 0 && r->bytes[r->len - 1] == '\r')
			r->len--;
	}
	if (r->len == 0)
		return err_set(err, E_IO, "secret '%s' is empty", ref);
	if (r->len > SECRET_MAX)
		return err_set(err, E_IO, "secret '%s' is larger than the limit of %d bytes", ref,
			       SECRET_MAX);
	*ret = secret_new(r->bytes, r->len);
	return 0;
}

/* Adds what can be read now. Returns bytes read, 0 at the end or when full, -1 with errno. */
static ssize_t raw_read(struct raw *r, int fd)
{
	for (;;) {
		ssize_t n = r->len < RAW_SIZE ? read(fd, r->bytes + r->len, RAW_SIZE - r->len) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0)
			r->len += (size_t)n;
		return n;
	}
}

static int resolve_env(const struct secrets *s, const char *ref, const char *name,
		       struct secret **ret, struct err *err)
{
	const char *text = s->sys->getenv(s->sys->ctx, name);

	if (!text) {
		err_set(err, E_IO, "secret '%s' is not set", ref);
		return err_hint(err, "set the environment variable %s", name);
	}
	if (!*text)
		return err_set(err, E_IO, "secret '%s' is empty", ref);
	if (strlen(text) > SECRET_MAX)
		return err_set(err, E_IO, "secret '%s' is larger than the limit of %d bytes", ref,
			       SECRET_MAX);
	*ret = secret_new(text, strlen(text));
	return 0;
}

static void path_of(const struct secrets *s, const char *path, struct sb *ret)
{
	if (*path != '/')
		sb_addf(ret, "%s/", s->base_folder);
	sb_add(ret, path);
}

static int resolve_file(const struct secrets *s, const char *ref, const char *name,
			struct secret **ret, struct err *err)
{
	CLEANUP(raw_done) struct raw raw = { NULL, 0 };
	CLEANUP(sb_done) struct sb path = SB_INIT(PATH_TEXT_MAX);
	CLEANUP(fd_close) int fd = -1;
	ssize_t n;

	path_of(s, name, &path);
	fd = open(path.buf, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, E_IO, "cannot read secret '%s': %s", ref, strerror(errno));
	raw.bytes = mem_alloc(RAW_SIZE);
	do
		n = raw_read(&raw, fd);
	while (n > 0);
	if (n < 0)
		return err_set(err, E_IO, "cannot read secret '%s': %s", ref, strerror(errno));
	return raw_to_secret(ref, &raw, ret, err);
}

/* --- exec: --- */

static int spawn_shell(const char *command, int out, pid_t *ret_pid)
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
	rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, out, 1);
	/*
	 * A process group of its own, so that a command that hangs can be killed with all its
	 * children; and none of the signals that we ignore or block.
	 */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	if (!rc)
		rc = posix_spawn(ret_pid, "/bin/sh", &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return rc;
}

/* A timer of the kernel instead of a clock that would have to be asked. */
static int start_timer(int ms)
{
	struct itimerspec at = { .it_value = { ms / 1000, (long)(ms % 1000) * 1000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd >= 0)
		timerfd_settime(fd, 0, &at, NULL);
	return fd;
}

struct child {
	const struct secrets *s;
	const char *ref;
	pid_t pid;
	int out, timer;
	int signals; /* seen when it started */
};

/*
 * Waits for output, or only for the time to pass when fd is -1. Fails when time is up or a signal
 * came.
 */
static int child_wait(const struct child *c, int fd, int slice_ms, bool *ret_ready, struct err *err)
{
	struct pollfd fds[2] = { { fd, POLLIN, 0 }, { c->timer, POLLIN, 0 } };
	int n = poll(fds, 2, slice_ms);

	if (n < 0 && errno != EINTR)
		return err_set(err, E_IO, "cannot wait for secret '%s': %s", c->ref,
			       strerror(errno));
	if (c->s->sys->signalled(c->s->sys->ctx) > c->signals)
		return err_set(err, E_SIGNAL, "interrupted while waiting for secret '%s'", c->ref);
	*ret_ready = n > 0 && fds[0].revents != 0;
	if (!*ret_ready && n > 0 && fds[1].revents) {
		err_set(err, E_IO, "secret '%s' took longer than %d s", c->ref,
			EXEC_TIMEOUT_MS / 1000);
		return err_hint(err, "the command has no terminal to ask on: sign in before");
	}
	return 0;
}

static int child_read(const struct child *c, struct raw *raw, struct err *err)
{
	bool ready;
	ssize_t n;

	for (;;) {
		if (child_wait(c, c->out, SLICE_MS, &ready, err) < 0)
			return -err->code;
		if (!ready)
			continue;
		n = raw_read(raw, c->out);
		if (n < 0)
			return err_set(err, E_IO, "cannot read secret '%s': %s", c->ref,
				       strerror(errno));
		if (raw->len == RAW_SIZE)
			return err_set(err, E_IO,
				       "secret '%s' is larger than the limit of %d bytes", c->ref,
				       SECRET_MAX);
		if (n == 0)
			return 0;
	}
}

/* A command may close its output and go on; its exit status still matters. */
static int child_reap(struct child *c, struct err *err)
{
	bool ready;
	int status;

	for (;;) {
		pid_t pid = waitpid(c->pid, &status, WNOHANG);

		if (pid == c->pid)
			break;
		if (pid < 0 && errno != EINTR) {
			c->pid = -1;
			return err_set(err, E_IO, "cannot wait for secret '%s': %s", c->ref,
				       strerror(errno));
		}
		if (child_wait(c, -1, REAP_SLICE_MS, &ready, err) < 0)
			return -err->code;
	}
	c->pid = -1;
	if (WIFSIGNALED(status))
		return err_set(err, E_IO, "secret '%s': its command was killed by signal %d",
			       c->ref, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, E_IO, "secret '%s': its command ended with status %d", c->ref,
			       WEXITSTATUS(status));
	return 0;
}

static void child_done(struct child *c)
{
	if (c->pid > 0) {
		kill(-c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	fd_close(&c->out);
	fd_close(&c->timer);
}

static int resolve_exec(const struct secrets *s, const char *ref, const char *command,
			struct secret **ret, struct err *err)
{
	CLEANUP(raw_done) struct raw raw = { mem_alloc(RAW_SIZE), 0 };
	CLEANUP(child_done) struct child c = { s, ref, -1, -1, -1, 0 };
	int ends[2], rc;

	c.signals = s->sys->signalled(s->sys->ctx);
	c.timer = start_timer(EXEC_TIMEOUT_MS);
	if (c.timer < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, E_IO, "cannot run secret '%s': %s", ref, strerror(errno));
	c.out = ends[0];
	rc = spawn_shell(command, ends[1], &c.pid);
	close(ends[1]);
	if (rc) {
		c.pid = -1;
		return err_set(err, E_IO, "cannot run secret '%s': %s", ref, strerror(rc));
	}
	if (child_read(&c, &raw, err) < 0 || child_reap(&c, err) < 0)
		return -err->code;
	return raw_to_secret(ref, &raw, ret, err);
}

static int source_resolve(void *ctx, const char *ref, struct secret **ret, struct err *err)
{
	const struct secrets *s = ctx;
	const char *rest;

	if ((rest = after(ref, "env:")) && *rest)
		return resolve_env(s, ref, rest, ret, err);
	if ((rest = after(ref, "file:")) && *rest)
		return resolve_file(s, ref, rest, ret, err);
	if ((rest = after(ref, "exec:")) && *rest)
		return resolve_exec(s, ref, rest, ret, err);
	return not_a_reference(err);
}

/* --- writing --- */

static int target_of(const struct secrets *s, const char *ref, struct sb *ret_path, struct err *err)
{
	const char *rest = after(ref, "file:");

	if (!rest && !after(ref, "env:") && !after(ref, "exec:"))
		return not_a_reference(err);
	if (!rest || !*rest) {
		err_set(err, E_IO, "secret '%s' cannot be written", ref);
		return err_hint(err, "only file: references can");
	}
	path_of(s, rest, ret_path);
	return 0;
}

/*
 * A name beside the target says that the folder may be written, a block of bytes that the disk
 * has room.
 */
static int try_beside(const char *path)
{
	CLEANUP(sb_done) struct sb name = SB_INIT(PATH_TEXT_MAX);
	char block[4096] = "";
	int fd, rc = -1, saved;

	sb_addf(&name, "%s.XXXXXX", path);
	fd = mkostemp(name.buf, O_CLOEXEC);
	if (fd < 0)
		return -1;
	errno = ENOSPC; /* unless something else says what is wrong: a short write says nothing */
	if (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block))
		rc = fsync(fd);
	saved = errno;
	close(fd);
	unlink(name.buf);
	errno = saved;
	return rc;
}

/* The folder that holds `path`, which is no longer needed: it is cut. */
static const char *cut_to_folder(struct sb *path)
{
	const char *slash = strrchr(path->buf, '/');

	if (!slash)
		return ".";
	sb_shrink(path, MAX_OF((size_t)(slash - path->buf), (size_t)1));
	return path->buf;
}

static int put_ahead(const struct secrets *s, const char *ref, bool is_tried, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(PATH_TEXT_MAX);
	struct stat st;

	if (target_of(s, ref, &path, err) < 0)
		return -err->code;
	if (stat(path.buf, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, E_IO, "secret '%s' cannot be written: it is not a plain file",
			       ref);
	if ((is_tried ? try_beside(path.buf) : access(cut_to_folder(&path), W_OK | X_OK)) < 0)
		return err_set(err, E_IO, "secret '%s' cannot be written: %s", ref,
			       strerror(errno));
	return 0;
}

static int source_can_put(void *ctx, const char *ref, struct err *err)
{
	return put_ahead(ctx, ref, true, err);
}

static int source_may_put(void *ctx, const char *ref, struct err *err)
{
	return put_ahead(ctx, ref, false, err);
}

static int source_put(void *ctx, const char *ref, const struct secret *secret, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(PATH_TEXT_MAX);
	const struct secrets *s = ctx;
	const char *bytes;
	size_t len;

	if (target_of(s, ref, &path, err) < 0)
		return -err->code;
	bytes = secret_open(secret, &len);
	return file_write(path.buf, bytes, len, 0600, err);
}

struct secrets *secrets_new(const char *base_folder, const struct sys *sys)
{
	struct secrets *s = mem_alloc(sizeof(*s));

	s->base_folder = mem_strdup(base_folder);
	s->sys = sys;
	s->source = (struct secret_source){
		.ctx = s,
		.resolve = source_resolve,
		.can_put = source_can_put,
		.put = source_put,
		.may_put = source_may_put,
	};
	return s;
}

void secrets_free(struct secrets *s)
{
	if (!s)
		return;
	mem_free(s->base_folder);
	mem_free(s);
}

const struct secret_source *secrets_source(struct secrets *s)
{
	return &s->source;
}
