/* SPDX-License-Identifier: Apache-2.0 */
/* The file itself, with a shorter patience; the library's copy is then not linked. */
#define EXEC_TIMEOUT_MS 1000
#include "core/io/secrets.c" /* NOLINT */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdatomic.h>
#include <sys/time.h>

static char folder[64];
static atomic_int signals;

static const char *fake_getenv(void *ctx, const char *name)
{
	(void)ctx;
	if (strcmp(name, "SET") == 0)
		return "from the environment";
	return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static int fake_signalled(void *ctx)
{
	(void)ctx;
	return atomic_load(&signals);
}

static const struct sys sys = { .getenv = fake_getenv, .signalled = fake_signalled };

static int fix_make(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/s2sctl-secrets.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	atomic_store(&signals, 0);
	*state = secrets_new(folder, &sys);
	return 0;
}

static int fix_remove(void **state)
{
	char path[96];

	secrets_free(*state);
	snprintf(path, sizeof(path), "%s/s", folder);
	unlink(path);
	return rmdir(folder); /* fails when something else was left behind */
}

static void assert_resolves(void *s, const char *ref, const char *text)
{
	CLEANUP(secret_freep) struct secret *secret = NULL;
	struct err err = ERR_INIT;
	int rc = source_resolve(s, ref, &secret, &err);

	if (rc < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(secret_open(secret, NULL), text);
}

static void assert_fails(void *s, const char *ref, enum err_code code, const char *words)
{
	struct secret *secret = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(source_resolve(s, ref, &secret, &err), -(int)code);
	if (!strstr(err.msg, words))
		fail_msg("'%s' lacks '%s'", err.msg, words);
	assert_null(secret);
}

static void write_secret_file(const char *bytes, size_t len)
{
	struct err err = ERR_INIT;
	char path[96];

	snprintf(path, sizeof(path), "%s/s", folder);
	assert_int_equal(file_write(path, bytes, len, 0600, &err), 0);
}

static void env_references_read_the_environment(void **state)
{
	assert_resolves(*state, "env:SET", "from the environment");
	assert_fails(*state, "env:UNSET", E_IO, "secret 'env:UNSET' is not set");
	assert_fails(*state, "env:EMPTY", E_IO, "secret 'env:EMPTY' is empty");
}

static void file_references_are_relative_and_lose_one_newline(void **state)
{
	char ref[128];

	write_secret_file("text\n\n", 6);
	assert_resolves(*state, "file:s", "text\n");
	write_secret_file("text\r\n", 6);
	assert_resolves(*state, "file:s", "text");
	snprintf(ref, sizeof(ref), "file:%s/s", folder);
	assert_resolves(*state, ref, "text");
	write_secret_file("\n", 1);
	assert_fails(*state, "file:s", E_IO, "secret 'file:s' is empty");
	assert_fails(*state, "file:none", E_IO, "cannot read secret 'file:none': No such file");
	assert_fails(*state, "file:.", E_IO, "Is a directory");
}

static void a_secret_has_a_largest_size(void **state)
{
	static char big[SECRET_MAX + 3];
	char words[64];

	memset(big, 'x', sizeof(big));
	snprintf(words, sizeof(words), "limit of %d bytes", SECRET_MAX);
	write_secret_file(big, SECRET_MAX + 1);
	assert_fails(*state, "file:s", E_IO, words);
	write_secret_file(big, sizeof(big));
	assert_fails(*state, "file:s", E_IO, words);
	big[SECRET_MAX] = '\n';
	write_secret_file(big, SECRET_MAX + 1);
	big[SECRET_MAX] = '\0';
	assert_resolves(*state, "file:s", big);
	assert_fails(*state, "exec:head -c 200000 /dev/zero", E_IO, words);
}

static void exec_references_run_a_command(void **state)
{
	assert_resolves(*state, "exec:echo token", "token");
	assert_resolves(*state, "exec:printf 'a\\nb\\n\\n'", "a\nb\n");
	/* stdin is empty, not ours. */
	assert_resolves(*state, "exec:cat; echo end", "end");
	assert_fails(*state, "exec:true", E_IO, "secret 'exec:true' is empty");
	assert_fails(*state, "exec:echo x; exit 3", E_IO, "ended with status 3");
	assert_fails(*state, "exec:kill -9 $$", E_IO, "killed by signal 9");
	assert_fails(*state, "exec:/nonexistent/x 2>/dev/null", E_IO, "ended with status 127");
}

static void a_command_starts_with_signals_as_usual(void **state)
{
	sigset_t block, old;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	assert_fails(*state, "exec:kill -PIPE $$; echo alive", E_IO, "killed by signal 13");
	assert_fails(*state, "exec:kill -TERM $$; echo alive", E_IO, "killed by signal 15");
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
}

/*
 * The command's children write their number beside the target; that it can be signalled no more
 * says that it is gone.
 */
static void assert_child_gone(void)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(64);
	struct err err = ERR_INIT;
	char path[96];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/s", folder);
	assert_int_equal(file_read(path, &text, &err), 0);
	pid = (pid_t)strtol(text.buf, NULL, 10);
	assert_true(pid > 1);
	for (int i = 0; i < 100 && kill(pid, 0) == 0; i++) {
		CLEANUP(sb_done) struct sb stat = SB_INIT(4096);

		snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
		/* In a container nobody may reap orphans: a zombie is gone as well. */
		if (file_read(path, &stat, &err) < 0 || strstr(stat.buf, ") Z "))
			return;
		usleep(10000);
	}
	assert_int_equal(kill(pid, 0), -1);
}

static void a_command_that_hangs_is_killed_with_its_children(void **state)
{
	char ref[160];

	snprintf(ref, sizeof(ref), "exec:sleep 60 & echo $! >%s/s; echo half; wait", folder);
	assert_fails(*state, ref, E_IO, "took longer than 1 s");
	assert_child_gone();
	/* Also when it has closed its output. */
	snprintf(ref, sizeof(ref), "exec:echo $$ >%s/s; exec sleep 60 >&-", folder);
	assert_fails(*state, ref, E_IO, "took longer than 1 s");
	assert_child_gone();
}

static void on_alarm(int number)
{
	(void)number;
	atomic_fetch_add(&signals, 1);
}

static void a_signal_ends_the_command(void **state)
{
	struct sigaction act = { .sa_handler = on_alarm }, old;
	struct itimerval soon = { .it_value = { 0, 100000 } };
	char ref[160];

	sigaction(SIGALRM, &act, &old);
	setitimer(ITIMER_REAL, &soon, NULL);
	snprintf(ref, sizeof(ref), "exec:echo $$ >%s/s; exec sleep 60", folder);
	assert_fails(*state, ref, E_SIGNAL, "interrupted");
	assert_child_gone();
	sigaction(SIGALRM, &old, NULL);
}

static void what_is_no_reference_is_not_quoted(void **state)
{
	static const char *const refs[] = { "hunter2", "", "vault:x", "env", "ENV:X", "env:" };

	for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
		struct secret *secret = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(source_resolve(*state, refs[i], &secret, &err), -E_IO);
		assert_null(strstr(err.msg, "hunter2"));
		err_clear(&err);
		assert_int_equal(source_can_put(*state, refs[i], &err), -E_IO);
		assert_null(strstr(err.msg, "hunter2"));
	}
}

static void what_was_put_resolves_and_is_private(void **state)
{
	CLEANUP(secret_freep) struct secret *secret = secret_new("p8e-new", 7);
	struct err err = ERR_INIT;
	struct stat st;
	char path[96];

	snprintf(path, sizeof(path), "%s/s", folder);
	write_secret_file("old", 3);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(source_can_put(*state, "file:s", &err), 0);
	assert_resolves(*state, "file:s", "old"); /* proving changes nothing */
	assert_int_equal(source_put(*state, "file:s", secret, &err), 0);
	assert_resolves(*state, "file:s", "p8e-new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 7);
}

static void where_nothing_can_be_put_is_said_before(void **state)
{
	static const struct {
		const char *ref, *words;
	} bad[] = {
		{ "env:SET", "secret 'env:SET' cannot be written" },
		{ "exec:cat", "secret 'exec:cat' cannot be written" },
		{ "file:none/s", "No such file" },
		{ "file:.", "not a plain file" },
		{ "file:/dev/null", "not a plain file" },
	};
	CLEANUP(secret_freep) struct secret *secret = secret_new("x", 1);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(source_can_put(*state, bad[i].ref, &err), -E_IO);
		if (!strstr(err.msg, bad[i].words))
			fail_msg("'%s' lacks '%s'", err.msg, bad[i].words);
		err_clear(&err);
		assert_int_equal(source_may_put(*state, bad[i].ref, &err), -E_IO);
		if (!strstr(err.msg, bad[i].words))
			fail_msg("'%s' lacks '%s'", err.msg, bad[i].words);
	}
	struct err err = ERR_INIT;

	assert_int_equal(source_put(*state, "env:SET", secret, &err), -E_IO);
	assert_string_equal(err.hint, "only file: references can");
}

static struct timespec changed_at(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mtim;
}

static void a_look_at_where_to_put_writes_nothing(void **state)
{
	struct err err = ERR_INIT;
	struct timespec before = changed_at(folder), after;

	assert_int_equal(source_may_put(*state, "file:unheard-of", &err), 0);
	after = changed_at(folder);
	assert_int_equal(after.tv_sec, before.tv_sec);
	assert_int_equal(after.tv_nsec, before.tv_nsec);
}

static void the_source_is_what_the_header_says(void **state)
{
	const struct secret_source *source = secrets_source(*state);

	assert_ptr_equal(source->ctx, *state);
	assert_ptr_equal(source->resolve, source_resolve);
	assert_ptr_equal(source->can_put, source_can_put);
	assert_ptr_equal(source->put, source_put);
	assert_ptr_equal(source->may_put, source_may_put);
	secrets_free(NULL);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, fix_make, fix_remove)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(env_references_read_the_environment),
		IN_FOLDER(file_references_are_relative_and_lose_one_newline),
		IN_FOLDER(a_secret_has_a_largest_size),
		IN_FOLDER(exec_references_run_a_command),
		IN_FOLDER(a_command_starts_with_signals_as_usual),
		IN_FOLDER(a_command_that_hangs_is_killed_with_its_children),
		IN_FOLDER(a_signal_ends_the_command),
		IN_FOLDER(what_is_no_reference_is_not_quoted),
		IN_FOLDER(what_was_put_resolves_and_is_private),
		IN_FOLDER(where_nothing_can_be_put_is_said_before),
		IN_FOLDER(a_look_at_where_to_put_writes_nothing),
		IN_FOLDER(the_source_is_what_the_header_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
