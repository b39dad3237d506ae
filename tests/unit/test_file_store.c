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
	char root[64], folder[96], journal[128], lock[128], note[160];
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
	snprintf(f.note, sizeof(f.note), "%s.note", f.journal);
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
	unlink(f->note);
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

/* ---- what another host left behind ---- */

static void write_lock(struct fix *f, const char *words)
{
	struct err err = ERR_INIT;

	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0); /* makes folder and file */
	f->ops->unlock(f->ops->ctx);
	write_raw(f->lock, words);
}

#define ELSEWHERE                                                                                  \
	"user=bob\nhost=no-such-host.invalid\nboot=b\npid=77\nsince=2026-11-01T08:00:00Z\n"

static void what_another_host_left_is_not_taken_over(void **state)
{
	struct fix *f = *state;
	struct store_owner who;
	enum lock_state how;
	struct err err = ERR_INIT;

	write_lock(f, ELSEWHERE);
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), -E_LOCKED);
	assert_non_null(
		strstr(err.msg, "bob@no-such-host.invalid, pid 77, since 2026-11-01T08:00:00Z"));
	assert_non_null(strstr(err.hint, "s2sctl unlock"));
	err_clear(&err);
	assert_int_equal(f->ops->look(f->ops->ctx, &how, &who, &err), 0);
	assert_int_equal(how, LOCK_LEFT);
	assert_string_equal(who.user, "bob");
	assert_int_equal(who.pid, 77);
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), -E_LOCKED); /* looking changed nothing */
	err_clear(&err);
	assert_int_equal(f->ops->seize(f->ops->ctx, &err), 0);
	f->ops->unlock(f->ops->ctx);
	assert_int_equal(f->ops->look(f->ops->ctx, &how, &who, &err), 0);
	assert_int_equal(how, LOCK_FREE);
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
}

static void what_this_host_left_is_taken_over(void **state)
{
	struct fix *f = *state;
	struct store_owner who, me;
	char words[512];
	enum lock_state how;
	struct err err = ERR_INIT;

	me = *f->ops->owner(f->ops->ctx);
	assert_true(*me.user && *me.host && me.pid == getpid());
	/* Another boot of the same host: it was rebooted. */
	snprintf(words, sizeof(words), "user=bob\nhost=%s\nboot=before\npid=77\n", me.host);
	write_lock(f, words);
	assert_int_equal(f->ops->look(f->ops->ctx, &how, &who, &err), 0);
	assert_int_equal(how, LOCK_STALE);
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
	assert_string_equal(f->ops->owner(f->ops->ctx)->boot, me.boot);
	assert_true(*f->ops->owner(f->ops->ctx)->since);
}

static void half_written_words_are_nobodys(void **state)
{
	struct fix *f = *state;
	struct err err = ERR_INIT;

	write_lock(f, "user=bob\nhost=no-such-host.inv");
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
}

static void a_living_process_is_seen_and_never_robbed(void **state)
{
	struct fix *f = *state;
	pid_t pid = hold_in_child(f);
	struct store_owner who;
	enum lock_state how;
	struct err err = ERR_INIT;

	assert_int_equal(f->ops->look(f->ops->ctx, &how, &who, &err), 0);
	assert_int_equal(how, LOCK_HELD);
	assert_int_equal(who.pid, pid);
	assert_int_equal(f->ops->seize(f->ops->ctx, &err), -E_LOCKED);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(f->ops->look(f->ops->ctx, &how, &who, &err), 0);
	assert_int_equal(how, LOCK_STALE);
}

static void looking_at_a_lock_that_never_was_leaves_no_trace(void **state)
{
	struct fix *f = *state;
	struct store_owner who;
	enum lock_state how;
	struct err err = ERR_INIT;
	struct stat st;

	assert_int_equal(f->ops->look(f->ops->ctx, &how, &who, &err), 0);
	assert_int_equal(how, LOCK_FREE);
	assert_int_equal(stat(f->folder, &st), -1);
}

static void a_writer_may_be_named_otherwise(void **state)
{
	struct fix *f = *state;
	struct err err = ERR_INIT;
	char text[1024] = "";
	int fd;

	file_store_own(f->s,
		       &(struct store_owner){ .user = "golden", .host = "runner", .pid = 4711 });
	assert_int_equal(f->ops->lock(f->ops->ctx, &err), 0);
	fd = open(f->lock, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_non_null(strstr(text, "user=golden\nhost=runner\n"));
	assert_non_null(strstr(text, "\npid=4711\n"));
	assert_null(strstr(text, "boot=\n")); /* what was not said is asked of the system */
}

/* ---- beside the lines ---- */

static void reading_goes_on_where_it_stopped(void **state)
{
	struct fix *f = *state;
	CLEANUP(sb_done) struct sb out = SB_INIT(16384);
	struct err err = ERR_INIT;

	assert_int_equal(f->ops->read_from(f->ops->ctx, "journal", 0, &out, &err), 0);
	assert_string_equal(out.buf, "");
	add(f, "one");
	add(f, "two");
	assert_int_equal(f->ops->read_from(f->ops->ctx, "journal", 4, &out, &err), 0);
	assert_string_equal(out.buf, "two\n");
	sb_reset(&out);
	write_raw(f->journal, "thr");
	assert_int_equal(f->ops->read_from(f->ops->ctx, "journal", 8, &out, &err), 0);
	assert_string_equal(out.buf, "");
	write_raw(f->journal, "ee\nfour\n");
	assert_int_equal(f->ops->read_from(f->ops->ctx, "journal", 8, &out, &err), 0);
	assert_string_equal(out.buf, "three\nfour\n");
}

static void a_note_is_kept_and_a_torn_one_is_none(void **state)
{
	struct fix *f = *state;
	CLEANUP(sb_done) struct sb out = SB_INIT(256);

	f->ops->get_note(f->ops->ctx, "journal", &out);
	assert_string_equal(out.buf, "");
	add(f, "one");
	f->ops->put_note(f->ops->ctx, "journal", "9 abc");
	f->ops->put_note(f->ops->ctx, "journal", "10 de");
	f->ops->get_note(f->ops->ctx, "journal", &out);
	assert_string_equal(out.buf, "10 de");
	f->ops->put_note(f->ops->ctx, "journal", "");
	sb_reset(&out);
	f->ops->get_note(f->ops->ctx, "journal", &out);
	assert_string_equal(out.buf, "");
	assert_int_equal(truncate(f->note, 0), 0);
	write_raw(f->note, "11 f");
	f->ops->get_note(f->ops->ctx, "journal", &out);
	assert_string_equal(out.buf, "");
}

/* Acknowledgements come from several processes at once, which hold no lock. */
static void lines_of_many_writers_do_not_overwrite_each_other(void **state)
{
	enum { WRITERS = 4, LINES = 50 };
	struct fix *f = *state;
	CLEANUP(sb_done) struct sb out = SB_INIT(65536);
	struct err err = ERR_INIT;
	size_t lines = 0;

	add(f, "first");
	for (int w = 0; w < WRITERS; w++)
		if (fork() == 0) {
			for (int i = 0; i < LINES; i++)
				if (f->ops->append(f->ops->ctx, "journal", "0123456789", 10, &err) <
				    0)
					_exit(1);
			_exit(0);
		}
	for (int w = 0; w < WRITERS; w++) {
		int status = -1;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(f->ops->read_all(f->ops->ctx, "journal", &out, &err), 0);
	for (const char *at = out.buf; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, WRITERS * LINES + 1);
	assert_int_equal(out.len, 6 + WRITERS * LINES * 11);
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
		IN_FOLDER(what_another_host_left_is_not_taken_over),
		IN_FOLDER(what_this_host_left_is_taken_over),
		IN_FOLDER(half_written_words_are_nobodys),
		IN_FOLDER(a_living_process_is_seen_and_never_robbed),
		IN_FOLDER(looking_at_a_lock_that_never_was_leaves_no_trace),
		IN_FOLDER(a_writer_may_be_named_otherwise),
		IN_FOLDER(reading_goes_on_where_it_stopped),
		IN_FOLDER(a_note_is_kept_and_a_torn_one_is_none),
		IN_FOLDER(lines_of_many_writers_do_not_overwrite_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
