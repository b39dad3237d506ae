/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/io/file.h"

static char folder[64];

static int folder_make(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/s2sctl-file.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static void remove_all(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char name[512];

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (unlink(name) < 0)
			remove_all(name);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static int folder_remove(void **state)
{
	(void)state;
	remove_all(folder);
	return 0;
}

static size_t count_entries(void)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static char *in_folder(char *buf, size_t size, const char *name)
{
	snprintf(buf, size, "%s/%s", folder, name);
	return buf;
}

static void what_was_written_is_read_back(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(100000);
	char path[128], bytes[70000];
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	in_folder(path, sizeof(path), "a");
	assert_int_equal(file_write(path, bytes, sizeof(bytes), 0600, &err), 0);
	assert_int_equal(file_read(path, &out, &err), 0);
	assert_int_equal(out.len, sizeof(bytes));
	assert_memory_equal(out.buf, bytes, sizeof(bytes));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(count_entries(), 1);
}

static void writing_replaces_and_the_umask_counts(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(100);
	mode_t old = umask(027);
	struct err err = ERR_INIT;
	struct stat st;
	char path[128];

	(void)state;
	in_folder(path, sizeof(path), "b");
	assert_int_equal(file_write(path, "first", 5, 0644, &err), 0);
	assert_int_equal(file_write(path, "", 0, 0644, &err), 0);
	assert_int_equal(file_write(path, "second", 6, 0666, &err), 0);
	umask(old);
	assert_int_equal(file_read(path, &out, &err), 0);
	assert_string_equal(out.buf, "second");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void a_failed_write_leaves_the_old_content_and_no_rest(void **state)
{
	struct err err = ERR_INIT;
	char path[128];
	size_t before;

	(void)state;
	in_folder(path, sizeof(path), "is-a-folder");
	assert_int_equal(mkdir(path, 0700), 0);
	before = count_entries();
	assert_int_equal(file_write(path, "x", 1, 0600, &err), -E_IO);
	assert_non_null(strstr(err.msg, "is-a-folder"));
	assert_int_equal(count_entries(), before);
	err_clear(&err);
	assert_int_equal(file_write("/nonexistent/x", "x", 1, 0600, &err), -E_IO);
	assert_string_equal(err.msg, "cannot write '/nonexistent/x': No such file or directory");
}

static void a_leftover_of_a_killed_process_is_no_obstacle(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(100);
	struct err err = ERR_INIT;
	char path[128], temp[160];

	(void)state;
	in_folder(path, sizeof(path), "c");
	snprintf(temp, sizeof(temp), "%s.%ld-0.tmp", path, (long)getpid());
	close(open(temp, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(file_write(path, "x", 1, 0600, &err), 0);
	assert_int_equal(file_read(path, &out, &err), 0);
	assert_string_equal(out.buf, "x");
}

static void reading_names_the_reason_and_the_limit(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(10);
	struct err err = ERR_INIT;
	char path[128];

	(void)state;
	in_folder(path, sizeof(path), "d");
	assert_int_equal(file_read(path, &out, &err), -E_IO);
	assert_non_null(strstr(err.msg, "No such file"));
	err_clear(&err);
	assert_int_equal(file_read(folder, &out, &err), -E_IO);
	assert_non_null(strstr(err.msg, "Is a directory"));
	err_clear(&err);
	assert_int_equal(file_write(path, "0123456789", 10, 0600, &err), 0);
	assert_int_equal(file_read(path, &out, &err), 0);
	assert_string_equal(out.buf, "0123456789");
	sb_reset(&out);
	assert_int_equal(file_write(path, "0123456789x", 11, 0600, &err), 0);
	assert_int_equal(file_read(path, &out, &err), -E_IO);
	assert_non_null(strstr(err.msg, "limit of 10 bytes"));
}

static void folders_are_made_with_their_parents(void **state)
{
	struct err err = ERR_INIT;
	struct stat st;
	char path[128];

	(void)state;
	in_folder(path, sizeof(path), "x/y//z/");
	assert_int_equal(file_make_dirs(path, 0700, &err), 0);
	assert_int_equal(file_make_dirs(path, 0700, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	in_folder(path, sizeof(path), "file");
	assert_int_equal(file_write(path, "x", 1, 0600, &err), 0);
	assert_int_equal(file_make_dirs(path, 0700, &err), -E_IO);
	assert_non_null(strstr(err.msg, "a file is in the way"));
	err_clear(&err);
	in_folder(path, sizeof(path), "file/below");
	assert_int_equal(file_make_dirs(path, 0700, &err), -E_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_is_read_back, folder_make,
						folder_remove),
		cmocka_unit_test_setup_teardown(writing_replaces_and_the_umask_counts, folder_make,
						folder_remove),
		cmocka_unit_test_setup_teardown(a_failed_write_leaves_the_old_content_and_no_rest,
						folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(a_leftover_of_a_killed_process_is_no_obstacle,
						folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(reading_names_the_reason_and_the_limit, folder_make,
						folder_remove),
		cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents, folder_make,
						folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
