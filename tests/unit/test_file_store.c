/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/io/file_store.h"

struct fix {
	char root[64], folder[96], journal[128], lock[128];
	struct file_store *s;
	const struct store *ops;
};

static int fix_make(void **state)
{
	static struct fix f;

	snprintf(f.root, sizeof(f.root), "/tmp/s2sctl-store.XXXXXX");
	if (!mkdtemp(f.root))
		return -1;
	snprintf(f.folder, sizeof(f.folder), "%s/state", f.root);
	snprintf(f.journal, sizeof(f.journal), "%s/journal", f.folder);
	snprintf(f.lock, sizeof(f.lock), "%s/lock", f.folder);
	f.s = file_store_new(f.folder);
	f.ops = file_store_ops(f.s);
	*state = &f;
	return 0;
}

static int fix_remove(void **state)
{
	struct fix *f = *state;

	file_store_free(f->s);
	unlink(f->journal);
	unlink(f->lock);
	rmdir(f->folder);
	return rmdir(f->root);
}

static void add(struct fix *f, const char *line)
{
	struct err err = ERR_INIT;

	assert_int_equal(f->ops->append(f->ops->ctx, "journal", line, strlen(line), &err), 0);
}

static void assert_holds(struct fix *f, const char *text)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(16384);
	struct err err = ERR_INIT;

	assert_int_equal(f->ops->read_all(f->ops->ctx, "journal", &out, &err), 0);
	assert_string_equal(out.buf, text);
}

static void write_raw(const char *path, const char *bytes)
{
	int fd = open(path, O_WRONLY | O_APPEND);

	assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
	close(fd);
}

static void reading_leaves_no_folder(void **state)
{
	struct fix *f = *state;
	struct stat st;

	assert_holds(f, "");
	assert_int_equal(stat(f->folder, &st), -1);
	assert_string_equal(f->ops->place(f->ops->ctx), f->folder);
}

static void lines_come_back_in_order_from_a_private_folder(void **state)
{
	struct fix *f = *state;
	struct stat st;

	add(f, "one");
	add(f, "");
	add(f, "three");
	assert_holds(f, "one\n\nthree\n");
	assert_int_equal(stat(f->folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(f->journal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 11);
}

static void a_torn_line_never_happened(void **state)
{
	char torn[6000];
	struct fix *f = *state;

	memset(torn, 'x', sizeof(torn) - 1);
	torn[sizeof(torn) - 1] = '\0';
	add(f, "one");
	write_raw(f->journal, "tw");
	assert_holds(f, "one\n");
	add(f, "two");
	assert_holds(f, "one\ntwo\n");
	write_raw(f->journal, torn);
	add(f, "three");
	assert_holds(f, "one\ntwo\nthree\n");
	unlink(f->journal);
	close(open(f->journal, O_WRONLY | O_CREAT, 0600));
	write_raw(f->journal, torn);
	assert_holds(f, "");
	add(f, "first");
	assert_holds(f, "first\n");
}

static void a_disk_that_is_full_leaves_whole_lines(void **state)
{
	struct rlimit old, small;
	struct fix *f = *state;
	struct err err = ERR_INIT;
	char line[64];

	add(f, "one");
	memset(line, 'x', sizeof(line));
	/* A file may grow to 20 bytes: the nearest to a full disk that a test can have. */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(f->ops->append(f->ops->ctx, "journal", line, sizeof(line), &err), -E_IO);
	add(f, "short");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(err.msg, "cannot append to '"));
	assert_holds(f, "one\nshort\n");
}

static void names_and_lines_that_would_break_out_are_bugs(void **state)
{
	static const char *const names[] = { "", ".", "..", "a/b", "lock" };
	struct fix *f = *state;
	CLEANUP(sb_done) struct sb out = SB_INIT(64);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(f->ops->append(f->ops->ctx, names[i], "x", 1, &err), -E_BUG);
		err_clear(&err);
		assert_int_equal(f->ops->read_all(f->ops->ctx, names[i], &out, &err), -E_BUG);
	}
	struct err err = ERR_INIT;

	assert_int_equal(f->ops->append(f->ops->ctx, "journal", "a\nb", 3, &err), -E_BUG);
}

static void the_lock_has_one_holder_at_a_time(void **state)
{
	struct fix *f = *state;
	struct file_store *other = file_store_new(f->folder);
	const struct store *ops = file_store_ops(other);
	struct err err = ERR_INIT;
	char pid[32];

	snprintf(pid, sizeof(pid), ", pid %ld, since 20", (long)getpid());
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
	assert_int_equal(ops->lock(ops->ctx, &err), -E_LOCKED);
	assert_non_null(strstr(err.msg, "locked by "));
	assert_non_null(strstr(err.msg, pid));
	assert_true(*err.hint);
	/* Who does not hold it cannot give it away, and appending and reading go on. */
	ops->unlock(ops->ctx);
	add(f, "one");
	assert_holds(f, "one\n");
	err_clear(&err);
	assert_int_equal(ops->lock(ops->ctx, &err), -E_LOCKED);
	f->ops->unlock(f->ops->ctx);
	err_clear(&err);
	assert_int_equal(ops->lock(ops->ctx, &err), 0);
	file_store_free(other);
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
}

/* A child that takes the lock, says so, and sits until it is killed. */
static pid_t hold_in_child(struct fix *f)
{
	struct err err = ERR_INIT;
	int ends[2];
	pid_t pid;
	char c = 0;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		c = f->ops->lock(f->ops->ctx, &err) == 0 ? 'y' : 'n';
		if (write(ends[1], &c, 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void another_process_is_named_and_its_death_frees_the_lock(void **state)
{
	struct fix *f = *state;
	pid_t pid = hold_in_child(f);
	struct err err = ERR_INIT;
	char words[32];

	assert_int_equal(f->ops->lock(f->ops->ctx, &err), -E_LOCKED);
	snprintf(words, sizeof(words), "pid %ld, since", (long)pid);
	assert_non_null(strstr(err.msg, words));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	err_clear(&err);
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
}

static void a_lock_whose_file_says_nothing_is_still_one(void **state)
{
	struct fix *f = *state;
	struct file_store *other = file_store_new(f->folder);
	struct err err = ERR_INIT;

	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
	assert_int_equal(truncate(f->lock, 0), 0);
	assert_int_equal(file_store_ops(other)->lock(other, &err), -E_LOCKED);
	assert_non_null(strstr(err.msg, "somebody else"));
	file_store_free(other);
}

static void the_holder_text_names_host_boot_and_process(void **state)
{
	struct fix *f = *state;
	struct err err = ERR_INIT;
	char text[1024] = "";
	int fd;

	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
	fd = open(f->lock, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_memory_equal(text, "user=", 5);
	assert_non_null(strstr(text, "\nhost="));
	assert_non_null(strstr(text, "\nboot="));
	assert_non_null(strstr(text, "\npid="));
	assert_non_null(strstr(text, "\nsince=20"));
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, fix_make, fix_remove)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(reading_leaves_no_folder),
		IN_FOLDER(lines_come_back_in_order_from_a_private_folder),
		IN_FOLDER(a_torn_line_never_happened),
		IN_FOLDER(a_disk_that_is_full_leaves_whole_lines),
		IN_FOLDER(names_and_lines_that_would_break_out_are_bugs),
		IN_FOLDER(the_lock_has_one_holder_at_a_time),
		IN_FOLDER(another_process_is_named_and_its_death_frees_the_lock),
		IN_FOLDER(a_lock_whose_file_says_nothing_is_still_one),
		IN_FOLDER(the_holder_text_names_host_boot_and_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
