/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"

#define TEMP_TRIES 100

static void fd_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int cannot(struct err *err, const char *do_what, const char *path)
{
	return err_set(err, E_IO, "cannot %s '%s': %s", do_what, path, strerror(errno));
}

int file_read(const char *path, struct sb *out, struct err *err)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char chunk[16384];

	if (fd < 0)
		return cannot(err, "read", path);
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot(err, "read", path);
		if (n == 0)
			return 0;
		sb_addn(out, chunk, (size_t)n);
		if (out->over)
			return err_set(err, E_IO, "'%s' is larger than the limit of %zu bytes",
				       path, out->max);
	}
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The folder that holds `path`, in memory of the caller's. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	if (slash == path)
		return mem_strdup("/");
	return mem_strndup(path, (size_t)(slash - path));
}

/* A new name in a folder is durable only once the folder itself is. */
static int sync_folder_of(const char *path)
{
	CLEANUP(mem_freep) char *folder = folder_of(path);
	CLEANUP(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	/* Some network file systems cannot sync a folder, and say so; they write through. */
	if (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
		return -1;
	return 0;
}

/* Not mkstemp: only open() with the final mode lets the user's umask have its say. */
static int open_temp(const char *path, unsigned mode, struct sb *ret_name)
{
	for (int i = 0; i < TEMP_TRIES; i++) {
		int fd;

		sb_reset(ret_name);
		sb_addf(ret_name, "%s.%ld-%d.tmp", path, (long)getpid(), i);
		fd = open(ret_name->buf, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

/* Fills and closes the temporary file; errno tells why it could not. */
static int fill_temp(int fd, const void *bytes, size_t len)
{
	int saved;

	if (write_all(fd, bytes, len) == 0 && fsync(fd) == 0)
		return close(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int file_write(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err)
{
	CLEANUP(sb_done) struct sb temp = SB_INIT(65536);
	int fd = open_temp(path, mode, &temp);

	if (fd < 0)
		return cannot(err, "write", path);
	if (fill_temp(fd, bytes, len) < 0 || rename(temp.buf, path) < 0) {
		cannot(err, "write", path);
		unlink(temp.buf);
		return -err->code;
	}
	if (sync_folder_of(path) < 0)
		return cannot(err, "make durable", path);
	return 0;
}

static int make_dir(const char *path, unsigned mode, struct err *err)
{
	struct stat st;

	if (mkdir(path, (mode_t)mode) == 0) {
		if (sync_folder_of(path) < 0)
			return cannot(err, "make durable", path);
		return 0;
	}
	/* Asked second, so that two processes may make the same folders at the same time. */
	if (errno != EEXIST)
		return cannot(err, "make folder", path);
	if (stat(path, &st) < 0)
		return cannot(err, "make folder", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, E_IO, "cannot make folder '%s': a file is in the way", path);
	return 0;
}

int file_make_dirs(const char *path, unsigned mode, struct err *err)
{
	CLEANUP(mem_freep) char *copy = mem_strdup(path);

	for (char *p = copy; *p; p++) {
		int rc;

		if (p == copy || *p != '/' || p[-1] == '/')
			continue;
		*p = '\0';
		rc = make_dir(copy, mode, err);
		*p = '/';
		if (rc < 0)
			return rc;
	}
	return make_dir(copy, mode, err);
}
