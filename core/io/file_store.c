/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/file_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/base/when.h"
#include "core/io/file.h"

#define FOLDER_MODE 0700
#define FILE_MODE 0600
#define LOCK_NAME "lock"
#define LOCK_TEXT_MAX 2048
#define LOCK_TRIES 10

/*
 * Kept free behind each line, so that the outcome of an intent finds room on a disk that fills up
 * meanwhile.
 */
#define ROOM_AHEAD ((size_t)64 << 10)

struct file_store {
	struct store ops;
	char *folder;
	int lock_fd; /* -1: not held */
};

static void fd_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int cannot(struct err *err, const char *do_what, const char *path)
{
	return err_set(err, E_IO, "cannot %s '%s': %s", do_what, path, strerror(errno));
}

static int path_of(const struct file_store *s, const char *name, struct sb *ret, struct err *err)
{
	if (!*name || *name == '.' || strchr(name, '/') || strcmp(name, LOCK_NAME) == 0)
		return err_set(err, E_BUG, "'%s' cannot name a sequence of the store", name);
	sb_addf(ret, "%s/%s", s->folder, name);
	return 0;
}

static int sync_folder(const struct file_store *s, struct err *err)
{
	CLEANUP(fd_close) int fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP))
		return cannot(err, "make durable", s->folder);
	return 0;
}

/*
 * A last line without its newline was cut off by a kill or a full disk: its append never
 * returned, so it never happened. Readers do not see it, and the next append takes its place.
 */
static int store_read_all(void *ctx, const char *name, struct sb *ret, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);
	const struct file_store *s = ctx;
	size_t len, start = ret->len;

	if (path_of(s, name, &path, err) < 0)
		return -err->code;
	if (access(path.buf, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (file_read(path.buf, ret, err) < 0)
		return -err->code;
	for (len = ret->len; len > start && ret->buf[len - 1] != '\n';)
		len--;
	sb_shrink(ret, len);
	return 0;
}

/* Offset just behind the last newline, where the next line belongs; -1 with errno. */
static off_t end_of_lines(int fd)
{
	char chunk[4096];
	off_t end = lseek(fd, 0, SEEK_END);

	while (end > 0) {
		off_t from = end > (off_t)sizeof(chunk) ? end - (off_t)sizeof(chunk) : 0;
		ssize_t n = pread(fd, chunk, (size_t)(end - from), from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		end = from + n;
		while (end > from && chunk[end - from - 1] != '\n')
			end--;
		if (end > from)
			return end;
	}
	return end;
}

static int write_at(int fd, const char *bytes, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, bytes, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

static int add_line(int fd, const char *line, size_t len)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(len + 1);
	off_t end = end_of_lines(fd);
	int saved;

	/* Only when there is a torn line: cutting gives back the room kept behind the end. */
	if (end < 0 || (end < lseek(fd, 0, SEEK_END) && ftruncate(fd, end) < 0))
		return -1;
	sb_addn(&text, line, len);
	sb_addc(&text, '\n');
	/*
	 * Room for the lines after this one, as far as disk and file system have it. Not having
	 * it is no failure: this very line may be the outcome for which it was kept.
	 */
	(void)fallocate(fd, FALLOC_FL_KEEP_SIZE, end, (off_t)(text.len + ROOM_AHEAD));
	if (write_at(fd, text.buf, text.len, end) == 0 && fsync(fd) == 0)
		return 0;
	saved = errno;
	(void)!ftruncate(
		fd,
		end); /* half a line helps nobody; if this fails too, the next append repairs it */
	errno = saved;
	return -1;
}

static int store_append(void *ctx, const char *name, const char *line, size_t len, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);
	const struct file_store *s = ctx;
	CLEANUP(fd_close) int fd = -1;
	bool is_new = false;

	if (path_of(s, name, &path, err) < 0)
		return -err->code;
	if (memchr(line, '\n', len))
		return err_set(err, E_BUG, "a line for '%s' holds a newline", path.buf);
	if (file_make_dirs(s->folder, FOLDER_MODE, err) < 0)
		return -err->code;
	fd = open(path.buf, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		fd = open(path.buf, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
		is_new = true;
	}
	if (fd < 0 || add_line(fd, line, len) < 0)
		return cannot(err, "append to", path.buf);
	return is_new ? sync_folder(s, err) : 0;
}

/* --- the lock --- */

/*
 * What the holder wrote, as "key=value" lines; for messages only, so whatever is missing stays
 * empty.
 */
struct holder {
	char user[64], host[128], pid[32];
};

static void holder_field(const char *text, const char *key, char *ret, size_t size)
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

static int locked_by(int fd, const char *path, struct err *err)
{
	char text[LOCK_TEXT_MAX], since[WHEN_TEXT_MAX];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	struct holder h;
	struct stat st;

	text[n > 0 ? n : 0] = '\0';
	holder_field(text, "user", h.user, sizeof(h.user));
	holder_field(text, "host", h.host, sizeof(h.host));
	holder_field(text, "pid", h.pid, sizeof(h.pid));
	if (!*h.user || !*h.host || !*h.pid || fstat(fd, &st) < 0) {
		/* The holder has the lock, but has not yet told its name. */
		err_set(err, E_LOCKED, "locked by somebody else ('%s')", path);
		return err_hint(err, "wait until the other run has ended");
	}
	/* The file's own time is when the holder wrote its name: no clock needs to be asked. */
	when_text(since, (int64_t)st.st_mtim.tv_sec * 1000);
	err_set(err, E_LOCKED, "locked by %s@%s, pid %s, since %s", h.user, h.host, h.pid, since);
	return err_hint(
		err, "wait until that run has ended, or stop pid %s on %s; the lock goes with it",
		h.pid, h.host);
}

/* One line of a small file under /proc, without its newline; "" when there is none. */
static void read_line(const char *path, char *ret, size_t size)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

/*
 * Failures are let pass: the kernel's lock is the truth, the text only serves the message of
 * others.
 */
static void write_holder(int fd)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(LOCK_TEXT_MAX);
	const struct passwd *pw = getpwuid(getuid());
	char host[128] = "", boot[64], since[WHEN_TEXT_MAX];
	struct stat st;

	if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
		snprintf(host, sizeof(host), "unknown");
	read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	if (pw)
		sb_addf(&text, "user=%s\n", pw->pw_name);
	else
		sb_addf(&text, "user=uid-%ld\n", (long)getuid());
	sb_addf(&text, "host=%s\nboot=%s\npid=%ld\n", host, boot, (long)getpid());
	if (ftruncate(fd, 0) < 0 || write_at(fd, text.buf, text.len, 0) < 0 || fstat(fd, &st) < 0)
		return;
	sb_addf(&text, "since=%s\n", when_text(since, (int64_t)st.st_mtim.tv_sec * 1000));
	(void)write_at(fd, text.buf, text.len, 0);
	(void)fsync(fd);
}

static bool still_there(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Sets *ret_fd, or -1 in it: the file was removed under our hands, try again. */
static int try_lock(const char *path, int *ret_fd, struct err *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CLEANUP(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return cannot(err, "lock", path);
	/*
	 * An open-file-description lock: a plain one would be lost as soon as anybody here closes
	 * the file.
	 */
	if (fcntl(fd, F_OFD_SETLK, &whole) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return locked_by(fd, path, err);
		return cannot(err, "lock", path);
	}
	*ret_fd = -1;
	if (still_there(fd, path)) {
		*ret_fd = fd;
		fd = -1;
	}
	return 0;
}

static int store_lock(void *ctx, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);
	struct file_store *s = ctx;

	if (s->lock_fd >= 0)
		return 0;
	if (file_make_dirs(s->folder, FOLDER_MODE, err) < 0)
		return -err->code;
	sb_addf(&path, "%s/" LOCK_NAME, s->folder);
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (try_lock(path.buf, &s->lock_fd, err) < 0)
			return -err->code;
		if (s->lock_fd < 0)
			continue;
		write_holder(s->lock_fd);
		return 0;
	}
	return err_set(err, E_IO, "cannot lock '%s': somebody keeps removing it", path.buf);
}

/* The file stays: removing it would let two writers hold locks on two files of the same name. */
static void store_unlock(void *ctx)
{
	struct file_store *s = ctx;

	if (s->lock_fd < 0)
		return;
	(void)!ftruncate(s->lock_fd, 0);
	close(s->lock_fd);
	s->lock_fd = -1;
}

static const char *store_place(void *ctx)
{
	const struct file_store *s = ctx;

	return s->folder;
}

struct file_store *file_store_new(const char *folder)
{
	struct file_store *s = mem_alloc(sizeof(*s));

	s->folder = mem_strdup(folder);
	s->lock_fd = -1;
	s->ops = (struct store){
		.ctx = s,
		.read_all = store_read_all,
		.append = store_append,
		.lock = store_lock,
		.unlock = store_unlock,
		.place = store_place,
	};
	return s;
}

void file_store_free(struct file_store *s)
{
	if (!s)
		return;
	store_unlock(s);
	mem_free(s->folder);
	mem_free(s);
}

const struct store *file_store_ops(struct file_store *s)
{
	return &s->ops;
}
