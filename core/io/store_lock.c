/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/when.h"

#define FILE_MODE 0600
#define TEXT_MAX 2048
#define TRIES 10

static void fd_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int cannot(struct err *err, const char *path)
{
	return err_set(err, E_IO, "cannot lock '%s': %s", path, strerror(errno));
}

/* ---- the words ---- */

static void word_of(const char *text, const char *key, char *ret, size_t size)
{
	size_t key_len = strlen(key);

	ret[0] = '\0';
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, key_len) == 0 && line[key_len] == '=') {
			const char *from = line + key_len + 1;

			snprintf(ret, size, "%.*s", (int)MIN_OF(strcspn(from, "\n"), size - 1),
				 from);
			return;
		}
	}
}

static void read_words(int fd, struct store_owner *ret)
{
	char text[TEXT_MAX], pid[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	*ret = (struct store_owner){ .pid = 0 };
	text[n > 0 ? n : 0] = '\0';
	word_of(text, "user", ret->user, sizeof(ret->user));
	word_of(text, "host", ret->host, sizeof(ret->host));
	word_of(text, "boot", ret->boot, sizeof(ret->boot));
	word_of(text, "since", ret->since, sizeof(ret->since));
	word_of(text, "pid", pid, sizeof(pid));
	ret->pid = strtoll(pid, NULL, 10);
}

static bool has_words(const struct store_owner *who)
{
	return *who->user && *who->host && who->pid;
}

static bool write_at(int fd, const struct sb *text)
{
	return pwrite(fd, text->buf, text->len, 0) == (ssize_t)text->len;
}

/*
 * Failures are let pass: the kernel's lock is the truth, the words only serve others. The time is the file's own, so that no clock needs to be
 * asked.
 */
static void write_words(int fd, struct store_owner *who)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(TEXT_MAX);
	struct stat st;

	sb_addf(&text, "user=%s\nhost=%s\nboot=%s\npid=%" PRId64 "\n", who->user, who->host,
		who->boot, who->pid);
	if (ftruncate(fd, 0) < 0 || !write_at(fd, &text) || fstat(fd, &st) < 0)
		return;
	when_text(who->since, (int64_t)st.st_mtim.tv_sec * WHEN_SECOND);
	sb_addf(&text, "since=%s\n", who->since);
	if (write_at(fd, &text))
		(void)fsync(fd);
}

/* One line of a small file under /proc, without its newline; "" when there is none. */
static void read_line(const char *path, char *ret, size_t size)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

void store_lock_owner(struct store_owner *who)
{
	const struct passwd *pw = *who->user ? NULL : getpwuid(getuid());

	if (!*who->user && pw)
		snprintf(who->user, sizeof(who->user), "%s", pw->pw_name);
	else if (!*who->user)
		snprintf(who->user, sizeof(who->user), "uid-%ld", (long)getuid());
	if (!*who->host && (gethostname(who->host, sizeof(who->host) - 1) < 0 || !*who->host))
		snprintf(who->host, sizeof(who->host), "unknown");
	if (!*who->boot)
		read_line("/proc/sys/kernel/random/boot_id", who->boot, sizeof(who->boot));
	if (!who->pid)
		who->pid = getpid();
}

/* ---- the lock ---- */

static int held_by(int fd, const char *path, struct err *err)
{
	struct store_owner h;

	read_words(fd, &h);
	if (!has_words(&h)) {
		/* The holder has the lock, but has not yet told its name. */
		err_set(err, E_LOCKED, "locked by somebody else ('%s')", path);
		return err_hint(err, "wait until the other run has ended");
	}
	err_set(err, E_LOCKED, "locked by %s@%s, pid %" PRId64 ", since %s", h.user, h.host, h.pid,
		*h.since ? h.since : "a moment ago");
	return err_hint(err,
			"wait until that run has ended, or stop pid %" PRId64
			" on %s; the lock goes with it",
			h.pid, h.host);
}

static int left_by(const struct store_owner *h, struct err *err)
{
	err_set(err, E_LOCKED, "locked by %s@%s, pid %" PRId64 ", since %s, and never given back",
		h->user, h->host, h->pid, *h->since ? h->since : "an unknown time");
	return err_hint(
		err,
		"another host's lock is not taken over by itself: make sure that nothing runs there, then `s2sctl unlock FILE --force`");
}

static enum lock_state left_state(const struct store_owner *h, const struct store_owner *me)
{
	return !has_words(h) ? LOCK_FREE : strcmp(h->host, me->host) == 0 ? LOCK_STALE : LOCK_LEFT;
}

static bool still_there(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Sets *ret_fd, or -1 in it: the file was removed under our hands, try again. */
static int try_take(const char *path, enum lock_how how, const struct store_owner *me, int *ret_fd,
		    struct err *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CLEANUP(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
	struct store_owner left;

	if (fd < 0)
		return cannot(err, path);
	/* A plain lock would be lost as soon as anybody here closes the file. */
	if (fcntl(fd, F_OFD_SETLK, &whole) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return held_by(fd, path, err);
		return cannot(err, path);
	}
	*ret_fd = -1;
	if (!still_there(fd, path))
		return 0;
	read_words(fd, &left);
	if (how == LOCK_POLITE && left_state(&left, me) == LOCK_LEFT)
		return left_by(&left, err);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int store_lock_take(const char *path, enum lock_how how, struct store_owner *who, int *ret_fd,
		    struct err *err)
{
	for (int i = 0; i < TRIES; i++) {
		int fd;

		if (try_take(path, how, who, &fd, err) < 0)
			return -err->code;
		if (fd < 0)
			continue;
		write_words(fd, who);
		*ret_fd = fd;
		return 0;
	}
	return err_set(err, E_IO, "cannot lock '%s': somebody keeps removing it", path);
}

/* The file stays: removing it would let two writers hold locks on two files of the same name. */
void store_lock_release(int fd)
{
	if (fd < 0)
		return;
	(void)!ftruncate(fd, 0);
	close(fd);
}

int store_lock_look(const char *path, const struct store_owner *me, enum lock_state *ret_state,
		    struct store_owner *ret_who, struct err *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CLEANUP(fd_close) int fd = open(path, O_RDWR | O_CLOEXEC);
	struct store_owner who = { .pid = 0 };

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		return cannot(err, path);
	if (fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) < 0)
		return cannot(err, path);
	if (fd >= 0)
		read_words(fd, &who);
	*ret_state = fd >= 0 && whole.l_type != F_UNLCK ? LOCK_HELD : left_state(&who, me);
	*ret_who = who;
	return 0;
}
