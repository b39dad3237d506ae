/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_file_store_disk.c - the file store on a disk that fills up, cannot reserve, or fails.
 *
 * The disk is a model: this program has pwrite, fallocate, fsync and fdatasync of its own, which count blocks against a size that a test sets, and
 * go on to the real ones. So it needs no mount and no rights, and is the same for root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/io/file_store.h"

#define BLOCK 4096
#define FILES 8

/* ---- the disk ---- */

static struct disk {
	size_t blocks; /* that it has; 0: as many as anybody wants */
	bool no_fallocate;
	int short_write;             /* the next write takes only so many bytes */
	int write_error, sync_error; /* of the next write; of the next fsync */
	size_t syncs;
	struct {
		ino_t inode;
		size_t blocks; /* that this file has */
	} files[FILES];
	size_t count;
} disk;

static size_t *blocks_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		abort();
	for (size_t i = 0; i < disk.count; i++)
		if (disk.files[i].inode == st.st_ino)
			return &disk.files[i].blocks;
	if (disk.count == FILES)
		abort();
	disk.files[disk.count].inode = st.st_ino;
	disk.files[disk.count].blocks = 0;
	return &disk.files[disk.count++].blocks;
}

static size_t used(void)
{
	size_t sum = 0;

	for (size_t i = 0; i < disk.count; i++)
		sum += disk.files[i].blocks;
	return sum;
}

/* Blocks up to `end` for this file; false: there are not so many. */
static bool grow_to(int fd, off_t end)
{
	size_t *have = blocks_of(fd), want = ((size_t)end + BLOCK - 1) / BLOCK;

	if (want <= *have)
		return true;
	if (disk.blocks && used() - *have + want > disk.blocks)
		return false;
	*have = want;
	return true;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	int error = disk.write_error;

	if (error) {
		disk.write_error = 0;
		errno = error;
		return -1;
	}
	if (disk.short_write) {
		len = MIN_OF(len, (size_t)disk.short_write);
		disk.short_write = 0;
	}
	if (!grow_to(fd, at + (off_t)len)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, bytes, len, at);
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
	(void)mode;
	errno = disk.no_fallocate ? EOPNOTSUPP : ENOSPC;
	return disk.no_fallocate || !grow_to(fd, at + len) ? -1 : 0;
}

/* Gives back what lies behind the end, as real ones do. */
int ftruncate(int fd, off_t len)
{
	*blocks_of(fd) = ((size_t)len + BLOCK - 1) / BLOCK;
	return (int)syscall(SYS_ftruncate, fd, len);
}

int fsync(int fd)
{
	int error = disk.sync_error;

	(void)fd;
	disk.syncs++;
	disk.sync_error = 0;
	errno = error;
	return error ? -1 : 0;
}

int fdatasync(int fd)
{
	return fsync(fd);
}

/* ---- a store on it ---- */

struct fix {
	char root[64], folder[96], path[160];
	struct file_store *s;
	const struct store *ops;
};

static int fix_make(void **state)
{
	static struct fix f;
	struct err err = ERR_INIT;

	memset(&disk, 0, sizeof(disk));
	snprintf(f.root, sizeof(f.root), "/tmp/s2sctl-disk.XXXXXX");
	if (!mkdtemp(f.root))
		return -1;
	snprintf(f.folder, sizeof(f.folder), "%s/state", f.root);
	f.s = file_store_new(f.folder);
	f.ops = file_store_ops(f.s);
	*state = &f;
	return f.ops->lock(f.ops->ctx, &err);
}

static int fix_remove(void **state)
{
	static const char *const names[] = { "journal", "journal.note", "journal.room", "lock" };
	struct fix *f = *state;

	file_store_free(f->s);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(f->path, sizeof(f->path), "%s/%s", f->folder, names[i]);
		unlink(f->path);
	}
	rmdir(f->folder);
	return rmdir(f->root);
}

static int try_add(struct fix *f, size_t len, struct err *err)
{
	static char line[1 << 20];

	memset(line, 'x', len);
	*err = (struct err)ERR_INIT;
	return f->ops->append(f->ops->ctx, "journal", line, len, err);
}

static int reserve(struct fix *f, size_t bytes, struct err *err)
{
	*err = (struct err)ERR_INIT;
	return f->ops->reserve(f->ops->ctx, "journal", bytes, err);
}

static size_t lines(struct fix *f)
{
	CLEANUP(sb_done) struct sb out = SB_INIT((size_t)8 << 20);
	struct err err = ERR_INIT;
	size_t n = 0;

	assert_int_equal(f->ops->read_all(f->ops->ctx, "journal", &out, &err), 0);
	for (const char *at = out.buf; (at = strchr(at, '\n')) != NULL; at++)
		n++;
	assert_true(out.len == 0 || out.buf[out.len - 1] == '\n');
	return n;
}

/* Other lines, until the disk takes no more of them. */
static size_t fill(struct fix *f, size_t len)
{
	struct err err;
	size_t n = 0;

	while (try_add(f, len, &err) == 0)
		n++;
	assert_int_equal(err.code, E_IO);
	return n;
}

/* ---- full ---- */

static void check_kept_room(struct fix *f)
{
	struct err err;
	size_t before;

	assert_int_equal(try_add(f, 100, &err), 0);
	disk.blocks = used() + 10;
	assert_int_equal(reserve(f, 5 * BLOCK, &err), 0);
	before = lines(f);
	assert_true(fill(f, 1000) > 0);
	assert_true(lines(f) > before);
	/* The disk is full for everybody, and still there is room for what it was kept for: twice. */
	assert_int_equal(reserve(f, 2 * BLOCK, &err), 0);
	assert_int_equal(try_add(f, 2 * BLOCK, &err), 0);
	assert_int_equal(try_add(f, 4 * BLOCK, &err), -E_IO);
	assert_int_equal(reserve(f, 0, &err), 0);
	assert_int_equal(try_add(f, BLOCK, &err), 0);
}

static void what_was_kept_is_there_when_the_disk_is_full(void **state)
{
	check_kept_room(*state);
}

static void a_file_system_that_cannot_reserve_gets_a_ballast_of_real_bytes(void **state)
{
	struct fix *f = *state;
	struct stat st;

	disk.no_fallocate = true;
	check_kept_room(f);
	snprintf(f->path, sizeof(f->path), "%s/journal.room", f->folder);
	assert_int_equal(stat(f->path, &st), 0);
	f->ops->unlock(f->ops->ctx);
	assert_int_equal(stat(f->path, &st), -1); /* nobody else pays for it */
}

static void check_too_much(struct fix *f)
{
	struct err err;

	assert_int_equal(try_add(f, 100, &err), 0);
	disk.blocks = used() + 6;
	assert_int_equal(reserve(f, 2 * BLOCK, &err), 0);
	assert_int_equal(reserve(f, 40 * BLOCK, &err), -E_IO);
	assert_non_null(strstr(err.msg, "room"));
	fill(f, 1000);
	/* What was kept before is still kept. */
	assert_int_equal(reserve(f, 0, &err), 0);
	assert_int_equal(try_add(f, BLOCK, &err), 0);
}

static void more_than_there_is_is_refused_and_changes_nothing(void **state)
{
	check_too_much(*state);
}

static void the_same_holds_for_a_ballast(void **state)
{
	disk.no_fallocate = true;
	check_too_much(*state);
}

static void a_full_disk_leaves_whole_lines_and_takes_more_when_there_is_room(void **state)
{
	struct fix *f = *state;
	struct err err;
	size_t n;

	assert_int_equal(try_add(f, 100, &err), 0);
	disk.blocks = used() + 3;
	fill(f, 5000);
	n = lines(f);
	disk.blocks = 0;
	assert_int_equal(try_add(f, 100, &err), 0);
	assert_int_equal(lines(f), n + 1);
}

/* ---- failing ---- */

static void a_short_write_is_gone_on_with(void **state)
{
	struct fix *f = *state;
	struct err err;

	assert_int_equal(try_add(f, 10, &err), 0);
	disk.short_write = 7;
	assert_int_equal(try_add(f, 5000, &err), 0);
	assert_int_equal(lines(f), 2);
}

static void after_an_error_of_the_disk_nothing_more_is_written(void **state)
{
	struct fix *f = *state;
	struct err err;

	assert_int_equal(try_add(f, 10, &err), 0);
	disk.write_error = EIO;
	assert_int_equal(try_add(f, 10, &err), -E_IO);
	assert_int_equal(try_add(f, 10, &err), -E_IO);
	assert_non_null(strstr(err.msg, "nothing more is written"));
	assert_int_equal(lines(f), 1);
}

/* After a failed fsync the kernel may report the next one as good, though the bytes are gone. */
static void after_a_failed_fsync_nothing_more_is_written(void **state)
{
	struct fix *f = *state;
	struct err err;
	size_t syncs;

	assert_int_equal(try_add(f, 10, &err), 0);
	disk.sync_error = EIO;
	assert_int_equal(try_add(f, 10, &err), -E_IO);
	syncs = disk.syncs;
	assert_int_equal(try_add(f, 10, &err), -E_IO);
	assert_int_equal(disk.syncs, syncs);
	assert_int_equal(lines(f), 1);
	/* The next writer begins with what is there. */
	f->ops->unlock(f->ops->ctx);
	err_clear(&err);
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
	assert_int_equal(try_add(f, 10, &err), 0);
	assert_int_equal(lines(f), 2);
}

static void a_line_is_on_disk_before_append_returns(void **state)
{
	struct fix *f = *state;
	size_t syncs = disk.syncs;
	struct err err;

	assert_int_equal(try_add(f, 10, &err), 0);
	assert_int_equal(disk.syncs,
			 syncs + 2); /* the line; and the folder, since the file is new */
	assert_int_equal(try_add(f, 10, &err), 0);
	assert_int_equal(disk.syncs, syncs + 3);
}

int main(void)
{
#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, fix_make, fix_remove)
	const struct CMUnitTest tests[] = {
		ON_DISK(what_was_kept_is_there_when_the_disk_is_full),
		ON_DISK(a_file_system_that_cannot_reserve_gets_a_ballast_of_real_bytes),
		ON_DISK(more_than_there_is_is_refused_and_changes_nothing),
		ON_DISK(the_same_holds_for_a_ballast),
		ON_DISK(a_full_disk_leaves_whole_lines_and_takes_more_when_there_is_room),
		ON_DISK(a_short_write_is_gone_on_with),
		ON_DISK(after_an_error_of_the_disk_nothing_more_is_written),
		ON_DISK(after_a_failed_fsync_nothing_more_is_written),
		ON_DISK(a_line_is_on_disk_before_append_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
