/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/file_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/io/file.h"
#include "core/io/store_lock.h"

#define FOLDER_MODE 0700
#define FILE_MODE 0600
#define LOCK_NAME "lock"
#define NOTE_MAX 256
#define ROOMS_MAX 4

/*
 * Taken at once behind the last line, so that not every append has to ask the file system for a block.
 */
#define ROOM_AHEAD ((size_t)64 << 10)

/* What this process keeps free behind one sequence. */
struct room {
	char name[64];
	size_t level;    /* to stay free after whatever is appended */
	off_t allocated; /* up to here the file has blocks; 0: not known */
	bool is_ballast; /* the file system cannot: a file of real bytes stands for it */
	bool is_broken;  /* a write or an fsync failed: what is on disk is not known any more */
	/* The writer keeps both open: finding the way to the file for each line costs more than the line. -1: not open. */
	int fd, note_fd;
};

struct file_store {
	struct store ops;
	char *folder;
	struct store_owner given, me; /* as told; with what the system says of the rest */
	int lock_fd;                  /* -1: not held */
	struct room rooms[ROOMS_MAX];
	size_t room_count;
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
	if (!*name || *name == '.' || strchr(name, '/') || strcmp(name, LOCK_NAME) == 0 ||
	    strlen(name) >= sizeof(((struct room *)0)->name))
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
		if (n <= 0) {
			errno = n == 0 ? ENOSPC : errno;
			return -1;
		}
		bytes += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

/* --- room --- */

static struct room *room_of(struct file_store *s, const char *name)
{
	for (size_t i = 0; i < s->room_count; i++)
		if (strcmp(s->rooms[i].name, name) == 0)
			return &s->rooms[i];
	if (s->room_count == ROOMS_MAX)
		return NULL;
	s->rooms[s->room_count] = (struct room){ .fd = -1, .note_fd = -1 };
	snprintf(s->rooms[s->room_count].name, sizeof(s->rooms[0].name), "%s", name);
	return &s->rooms[s->room_count++];
}

static void close_files(struct file_store *s)
{
	for (size_t i = 0; i < s->room_count; i++) {
		fd_close(&s->rooms[i].fd);
		fd_close(&s->rooms[i].note_fd);
		s->rooms[i].fd = s->rooms[i].note_fd = -1;
	}
}

/* Whether what was opened is still what has this name: somebody may have moved it away, or put another in its place. */
static bool is_still_there(int fd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_dev == named.st_dev &&
	       ours.st_ino == named.st_ino;
}

static bool is_unsupported(int error)
{
	return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL;
}

/* Blocks for `bytes` behind `end`, a good deal more where there is plenty. -1 with errno. */
static int allocate(struct room *r, int fd, off_t end, size_t bytes)
{
	if (r && r->allocated >= end + (off_t)bytes)
		return 0;
	for (size_t ahead = ROOM_AHEAD;; ahead = 0) {
		int rc;

		while ((rc = fallocate(fd, FALLOC_FL_KEEP_SIZE, end, (off_t)(bytes + ahead))) < 0 &&
		       errno == EINTR)
			;
		if (rc == 0 && r)
			r->allocated = end + (off_t)(bytes + ahead);
		if (rc == 0 || ahead == 0 || is_unsupported(errno))
			return rc;
	}
}

static int ballast_open(const struct file_store *s, const char *name, struct sb *path,
			struct err *err)
{
	if (path_of(s, name, path, err) < 0)
		return -1;
	sb_add(path, ".room");
	return open(path->buf, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
}

/* Real bytes: where room cannot be reserved, a file that only grows on paper would keep nothing free. */
static int ballast_fill(int fd, size_t bytes)
{
	static const char zeros[4096];
	off_t at = lseek(fd, 0, SEEK_END);

	while (at >= 0 && at < (off_t)bytes) {
		size_t part = MIN_OF(sizeof(zeros), bytes - (size_t)at);

		if (write_at(fd, zeros, part, at) < 0)
			return -1;
		at += (off_t)part;
	}
	return at < 0 || ftruncate(fd, (off_t)bytes) < 0 || fsync(fd) < 0 ? -1 : 0;
}

static int ballast_set(struct file_store *s, struct room *r, size_t bytes, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);
	CLEANUP(fd_close) int fd = ballast_open(s, r->name, &path, err);
	int saved;

	if (err->code)
		return -err->code;
	if (fd >= 0 && ballast_fill(fd, bytes) == 0) {
		r->is_ballast = true;
		return 0;
	}
	saved = errno;
	if (fd >= 0)
		(void)!ftruncate(fd, (off_t)r->level);
	errno = saved;
	return cannot(err, "keep room beside", path.buf);
}

static void room_give_back(struct file_store *s, struct room *r)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);
	struct err err = ERR_INIT;

	if (!r->is_ballast || path_of(s, r->name, &path, &err) < 0)
		return;
	sb_add(&path, ".room");
	(void)unlink(path.buf);
}

static int open_sequence(const struct file_store *s, const char *path, bool *ret_is_new,
			 struct err *err)
{
	int fd;

	*ret_is_new = false;
	if (file_make_dirs(s->folder, FOLDER_MODE, err) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
		*ret_is_new = true;
	}
	if (fd < 0)
		cannot(err, "append to", path);
	return fd;
}

/*
 * The sequence, open: for the writer the same until it gives its lock back, for others once. @ret_once is to be closed by the caller, or -1.
 */
static int sequence(struct file_store *s, struct room *r, const char *path, int *ret_once,
		    bool *ret_is_new, struct err *err)
{
	int fd;

	*ret_is_new = false;
	if (r && r->fd >= 0 && is_still_there(r->fd, path))
		return r->fd;
	fd = open_sequence(s, path, ret_is_new, err);
	if (fd < 0 || !r || s->lock_fd < 0) {
		*ret_once = fd;
		return fd;
	}
	fd_close(&r->fd);
	r->fd = fd;
	r->allocated = 0;
	return fd;
}

static int store_reserve(void *ctx, const char *name, size_t bytes, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);
	struct file_store *s = ctx;
	CLEANUP(fd_close) int once = -1;
	struct room *r;
	bool is_new;
	off_t end;
	int fd;

	if (path_of(s, name, &path, err) < 0)
		return -err->code;
	r = room_of(s, name);
	if (!r)
		return err_set(err, E_BUG, "room is kept for too many sequences");
	if (bytes <= r->level) {
		struct err given_back = ERR_INIT;

		if (r->is_ballast)
			(void)ballast_set(s, r, bytes, &given_back);
		r->level = bytes;
		return 0;
	}
	fd = sequence(s, r, path.buf, &once, &is_new, err);
	if (fd < 0 || (is_new && sync_folder(s, err) < 0))
		return -err->code;
	end = end_of_lines(fd);
	if (end < 0 || (allocate(r, fd, end, bytes) < 0 && !is_unsupported(errno)))
		return cannot(err, "keep room in", path.buf);
	if (r->allocated < end + (off_t)bytes && ballast_set(s, r, bytes, err) < 0)
		return -err->code;
	r->level = bytes;
	return 0;
}

/* --- lines --- */

/* Cuts a torn line off; cutting gives back the room behind the end. */
static off_t cut_torn(struct room *r, int fd)
{
	off_t end = end_of_lines(fd);

	if (end < 0 || end == lseek(fd, 0, SEEK_END))
		return end;
	if (r)
		r->allocated = 0;
	return ftruncate(fd, end) < 0 ? -1 : end;
}

static int undo_line(struct room *r, int fd, off_t end, int error, bool may_lie)
{
	bool is_torn = lseek(fd, 0, SEEK_END) != end;

	if (is_torn) /* half a line helps nobody; if this fails too, the next append repairs it */
		(void)!ftruncate(fd, end);
	if (r) {
		r->allocated = is_torn ? 0 : r->allocated;
		r->is_broken |= may_lie;
		if (r->level && !r->is_ballast)
			(void)allocate(r, fd, end, r->level);
	}
	errno = error;
	return -1;
}

static int add_line(struct room *r, int fd, const char *line, size_t len)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(len + 1);
	off_t end = cut_torn(r, fd);
	size_t keep = r && !r->is_ballast ? r->level : 0;

	if (end < 0)
		return -1;
	sb_addn(&text, line, len);
	sb_addc(&text, '\n');
	/* What is kept for others is not taken; whoever keeps nothing sees for himself what the disk says. */
	if (allocate(r, fd, end, text.len + keep) < 0 && keep && !is_unsupported(errno))
		return -1;
	if (write_at(fd, text.buf, text.len, end) < 0)
		return undo_line(r, fd, end, errno, errno == EIO);
	/* After a failed fsync nobody knows what is on disk, and a second one may say that all is well. */
	/* The new size is on disk with it, for nobody could read the line without. */
	return fdatasync(fd) < 0 ? undo_line(r, fd, end, errno, true) : 0;
}

/*
 * One at a time also among those who need no writer's lock: `ack` beside a running apply. A file system without
 * locks has none for the writer either, which was found out before.
 */
static void wait_for_turn(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(fd, F_OFD_SETLKW, &whole) < 0 && errno == EINTR)
		;
}

static void end_turn(int fd)
{
	struct flock whole = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	(void)fcntl(fd, F_OFD_SETLK, &whole);
}

static int store_append(void *ctx, const char *name, const char *line, size_t len, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);
	struct file_store *s = ctx;
	CLEANUP(fd_close) int once = -1;
	struct room *r;
	bool is_new;
	int fd, rc;

	if (path_of(s, name, &path, err) < 0)
		return -err->code;
	if (memchr(line, '\n', len))
		return err_set(err, E_BUG, "a line for '%s' holds a newline", path.buf);
	r = room_of(s, name);
	if (r && r->is_broken)
		return err_set(err, E_IO,
			       "an earlier write to '%s' failed: nothing more is written",
			       path.buf);
	fd = sequence(s, r, path.buf, &once, &is_new, err);
	if (fd < 0)
		return -err->code;
	if (is_new && r)
		r->allocated = 0;
	wait_for_turn(fd);
	rc = add_line(r, fd, line, len);
	if (rc < 0)
		cannot(err, "append to", path.buf);
	end_turn(fd);
	if (rc < 0)
		return -err->code;
	return is_new ? sync_folder(s, err) : 0;
}

/* --- what goes with a sequence --- */

static int store_read_from(void *ctx, const char *name, size_t from, struct sb *ret,
			   struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);
	const struct file_store *s = ctx;
	CLEANUP(fd_close) int fd = -1;
	size_t start = ret->len, len;
	char chunk[16384];

	if (path_of(s, name, &path, err) < 0)
		return -err->code;
	fd = open(path.buf, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	for (ssize_t n = 1; n != 0 && !ret->over;) {
		n = fd < 0 ? -1 : pread(fd, chunk, sizeof(chunk), (off_t)(from + ret->len - start));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot(err, "read", path.buf);
		sb_addn(ret, chunk, (size_t)n);
	}
	if (ret->over)
		return err_set(err, E_IO, "'%s' is larger than the limit of %zu bytes", path.buf,
			       ret->max);
	for (len = ret->len; len > start && ret->buf[len - 1] != '\n';)
		len--;
	sb_shrink(ret, len);
	return 0;
}

static int note_path(const struct file_store *s, const char *name, struct sb *ret)
{
	struct err err = ERR_INIT;

	if (path_of(s, name, ret, &err) < 0)
		return -1;
	sb_add(ret, ".note");
	return 0;
}

/* Written in place, and not waited for: whoever reads it takes an older one, or none, as well. */
static void store_put_note(void *ctx, const char *name, const char *text)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536), line = SB_INIT(NOTE_MAX);
	CLEANUP(fd_close) int once = -1;
	struct file_store *s = ctx;
	struct room *r;
	int fd;

	sb_addf(&line, "%s\n", text);
	if (note_path(ctx, name, &path) < 0)
		return;
	r = room_of(s, name);
	fd = r ? r->note_fd : -1;
	if (fd < 0 || !is_still_there(fd, path.buf)) {
		fd = open(path.buf, O_WRONLY | O_CREAT | O_CLOEXEC, FILE_MODE);
		if (r)
			fd_close(&r->note_fd);
		if (r)
			r->note_fd = s->lock_fd >= 0 ? fd : -1;
		if (!r || s->lock_fd < 0)
			once = fd;
	}
	if (fd >= 0 && write_at(fd, line.buf, line.len, 0) < 0)
		(void)!ftruncate(fd, 0);
}

static void store_get_note(void *ctx, const char *name, struct sb *ret)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);
	CLEANUP(fd_close) int fd = -1;
	char text[NOTE_MAX];
	ssize_t n;

	if (note_path(ctx, name, &path) < 0)
		return;
	fd = open(path.buf, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\n') { /* without its end it was torn */
			sb_addn(ret, text, (size_t)i);
			return;
		}
}

/* --- the lock --- */

static void lock_path(const struct file_store *s, struct sb *ret)
{
	sb_addf(ret, "%s/" LOCK_NAME, s->folder);
}

static void know_ourselves(struct file_store *s)
{
	s->me = s->given;
	store_lock_owner(&s->me);
}

static int take_lock(struct file_store *s, enum lock_how how, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);

	if (s->lock_fd >= 0)
		return 0;
	if (file_make_dirs(s->folder, FOLDER_MODE, err) < 0)
		return -err->code;
	know_ourselves(s); /* anew: a child has another pid */
	lock_path(s, &path);
	return store_lock_take(path.buf, how, &s->me, &s->lock_fd, err);
}

static int store_lock(void *ctx, struct err *err)
{
	return take_lock(ctx, LOCK_POLITE, err);
}

static int store_seize(void *ctx, struct err *err)
{
	return take_lock(ctx, LOCK_SEIZE, err);
}

static void store_unlock(void *ctx)
{
	struct file_store *s = ctx;

	if (s->lock_fd < 0)
		return;
	for (size_t i = 0; i < s->room_count; i++)
		room_give_back(s, &s->rooms[i]);
	close_files(s);
	s->room_count = 0;
	store_lock_release(s->lock_fd);
	s->lock_fd = -1;
}

static const struct store_owner *store_owner_of(void *ctx)
{
	const struct file_store *s = ctx;

	return &s->me;
}

static int store_look(void *ctx, enum lock_state *ret_state, struct store_owner *ret_who,
		      struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(65536);
	const struct file_store *s = ctx;

	lock_path(s, &path);
	return store_lock_look(path.buf, &s->me, ret_state, ret_who, err);
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
		.read_from = store_read_from,
		.reserve = store_reserve,
		.put_note = store_put_note,
		.get_note = store_get_note,
		.owner = store_owner_of,
		.look = store_look,
		.seize = store_seize,
	};
	know_ourselves(s);
	return s;
}

void file_store_own(struct file_store *s, const struct store_owner *who)
{
	s->given = *who;
	know_ourselves(s);
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
