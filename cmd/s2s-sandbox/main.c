/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s2s-sandbox - the twins' world behind a real HTTPS server on loopback.
 */
#include "cmd/s2s-sandbox/certs.h"
#include "cmd/s2s-sandbox/sandbox.h"
#include "cmd/s2s-sandbox/server.h"
#include "core/base/mem.h"
#include "core/base/when.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The world moves at least that often, whoever asks or not. */
#define TICK_MS 50

static const char usage_text[] =
	"usage: s2s-sandbox --world FILE --dir DIR [options]\n"
	"\n"
	"Serves a world of Adobe, Campaign and Dynamics twins over HTTPS on 127.0.0.1.\n"
	"\n"
	"  --world FILE   the world document (YAML; JSON when the name ends in .json)\n"
	"  --dir DIR      gets ca.pem, ca-key.pem (both kept), port and url (while it runs)\n"
	"  --port N       listen there; 0, the default, is a free port\n"
	"  --speed N      the world's seconds in one of ours, 0 to 1000000; default 1;\n"
	"                 0: its clock moves by POST /_admin/advance alone\n"
	"  --log FILE     append a line of JSON for each request\n"
	"  --stdin-guard  end when standard input, a pipe, is closed\n"
	"  --switches     list what the world document may set under `switches`, and end\n"
	"  --help         this text\n"
	"\n"
	"Ends on SIGTERM and SIGINT. Trust DIR/ca.pem, then e.g.\n"
	"  curl --cacert DIR/ca.pem $(cat DIR/url)/_admin/now\n";

struct options {
	const char *world, *dir, *log;
	int64_t port, speed;
	bool stdin_guard, help, switches;
};

/* ---- words ---- */

static int read_number(const char *name, const char *text, int64_t max, int64_t *ret,
		       struct err *err)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text || *end || n < 0 || n > max)
		return err_set(err, E_USAGE, "--%s '%s' is no number from 0 to %" PRId64, name,
			       text, max);
	*ret = n;
	return 0;
}

static int read_option(struct options *o, int c, struct err *err)
{
	switch (c) {
	case 'w':
		o->world = optarg;
		return 0;
	case 'd':
		o->dir = optarg;
		return 0;
	case 'l':
		o->log = optarg;
		return 0;
	case 'p':
		return read_number("port", optarg, UINT16_MAX, &o->port, err);
	case 's':
		return read_number("speed", optarg, PACE_SPEED_MAX, &o->speed, err);
	case 'g':
		o->stdin_guard = true;
		return 0;
	case 'S':
		o->switches = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	default:
		err_set(err, E_USAGE, "unknown option, or one without its value");
		return err_hint(err, "s2s-sandbox --help lists them");
	}
}

static int read_options(int argc, char **argv, struct options *o, struct err *err)
{
	static const struct option list[] = {
		{ "world", required_argument, NULL, 'w' },
		{ "dir", required_argument, NULL, 'd' },
		{ "port", required_argument, NULL, 'p' },
		{ "speed", required_argument, NULL, 's' },
		{ "log", required_argument, NULL, 'l' },
		{ "stdin-guard", no_argument, NULL, 'g' },
		{ "switches", no_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", list, NULL)) != -1)
		if (read_option(o, c, err) < 0)
			return -(int)err->code;
	if (o->help || o->switches)
		return 0;
	if (optind < argc)
		return err_set(err, E_USAGE, "unexpected word '%s'", argv[optind]);
	if (!o->world || !o->dir)
		return err_set(err, E_USAGE, "--%s is missing", o->world ? "dir" : "world");
	return 0;
}

static void print_switches(void)
{
	size_t count;
	const struct world_switch *list = world_switches(&count);

	for (size_t i = 0; i < count; i++)
		printf("%s%s%s (default %s)\n    %s\n", list[i].name, list[i].words ? ": " : "",
		       list[i].words ? list[i].words : "", list[i].otherwise, list[i].doc);
}

/* ---- the outside ---- */

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * WHEN_SECOND + t.tv_nsec / 1000000;
}

static int64_t wall_ms(void *ctx)
{
	(void)ctx;
	return read_clock(CLOCK_REALTIME);
}

static int64_t mono_ms(void *ctx)
{
	(void)ctx;
	return read_clock(CLOCK_MONOTONIC);
}

static const struct sys real_sys = { .wall_ms = wall_ms, .mono_ms = mono_ms };

/* Hundreds of connections, each a descriptor: take what the system lets us have. */
static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
}

/* From here on the signals wait in a descriptor, so that nothing is interrupted half way. */
static int open_signals(struct err *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set(err, E_IO, "cannot wait for signals: %s", strerror(errno)) : fd;
}

/* ---- the world ---- */

static int load_world(const char *path, struct world **ret, struct err *err)
{
	CLEANUP(arena_done) struct arena arena = ARENA_INIT;
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	struct diags diags;
	struct value *doc = NULL;
	size_t len = strlen(path);

	diags_init(&diags, &arena);
	if (file_read(path, &text, err) < 0)
		return err_wrap(err, "world");
	if (len > 5 && strcmp(path + len - 5, ".json") == 0) {
		if (json_parse(&arena, text.buf, text.len, NULL, NULL, NULL, &doc, err) < 0)
			return err_wrap(err, "world '%s'", path);
	} else if (yaml_parse(&arena, path, text.buf, text.len, NULL, &doc, &diags) < 0 ||
		   diags.errors > 0) {
		diags_sort(&diags);
		return err_set(err, E_PLAN, "world '%s', line %u: %s", path,
			       diags.count ? diags.list[0].pos.line : 0,
			       diags.count ? diags.list[0].msg : "cannot be read");
	}
	*ret = world_new(doc, err);
	/* The position's file name lives in the document's arena, which ends here. */
	err->pos.file = *ret ? NULL : path;
	return *ret ? 0 : -(int)err->code;
}

/* ---- the folder ---- */

static const char *in_dir(struct sb *path, const char *dir, const char *name)
{
	sb_reset(path);
	sb_addf(path, "%s/%s", dir, name);
	return path->buf;
}

/* Two in one folder would overwrite each other's port. The kernel forgets the lock with us. */
static int lock_dir(const char *dir, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(4096);
	int fd = open(in_dir(&path, dir, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, E_IO, "cannot open '%s': %s", path.buf, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return err_set(err, E_LOCKED, "another s2s-sandbox uses '%s'", dir);
	}
	return fd;
}

/* What a waiting script looks for must never be a former run's. */
static void forget_address(const char *dir)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(4096);

	unlink(in_dir(&path, dir, "port"));
	unlink(in_dir(&path, dir, "url"));
}

static int write_address(const char *dir, const struct server *s, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(4096);
	CLEANUP(sb_done) struct sb text = SB_INIT(256);

	sb_addf(&text, "%u\n", server_port(s));
	if (file_write(in_dir(&path, dir, "port"), text.buf, text.len, 0644, err) < 0)
		return -(int)err->code;
	sb_reset(&text);
	sb_addf(&text, "%s\n", server_origin(s));
	return file_write(in_dir(&path, dir, "url"), text.buf, text.len, 0644, err);
}

/* ---- running ---- */

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* Whatever comes through the pipe is thrown away; only its end counts. */
static bool stdin_ended(short revents)
{
	char scrap[4096];
	ssize_t n;

	if (!(revents & (POLLIN | POLLHUP | POLLERR)))
		return false;
	n = read(STDIN_FILENO, scrap, sizeof(scrap));
	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void run(struct sandbox *box, struct server *s, int signals, bool guard)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = server_poll_fd(s), .events = POLLIN },
		{ .fd = guard && is_pipe(STDIN_FILENO) ? STDIN_FILENO : -1, .events = POLLIN },
	};

	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), server_timeout_ms(s, TICK_MS)) < 0 && errno != EINTR)
			return;
		if (fds[0].revents || stdin_ended(fds[2].revents))
			return;
		sandbox_catch_up(box);
		server_run(s);
	}
}

static void wipe_sb(struct sb *s)
{
	if (s->cap)
		OPENSSL_cleanse(s->buf, s->cap);
	sb_done(s);
}

static int serve(const struct options *o, struct sandbox *box, int signals, struct err *err)
{
	CLEANUP(sb_done) struct sb cert = SB_INIT(2 * CERT_PEM_MAX);
	CLEANUP(wipe_sb) struct sb key = SB_INIT(CERT_PEM_MAX);
	struct server *s = NULL;
	int r = certs_prepare(o->dir, sys_wall_ms(box->sys), &cert, &key, err);

	if (r == 0)
		r = server_open(box, (uint16_t)o->port, cert.buf, key.buf, &s, err);
	if (r < 0)
		return r;
	r = write_address(o->dir, s, err);
	if (r == 0) {
		printf("listening on %s\n", server_origin(s));
		fflush(stdout);
		/* The clock starts when somebody can look at it. */
		box->pace.mono_ms = sys_mono_ms(box->sys);
		run(box, s, signals, o->stdin_guard);
	}
	forget_address(o->dir);
	server_close(s);
	return r;
}

static void sandbox_done(struct sandbox *box)
{
	world_free(box->world);
	faults_free(box->faults);
	reqlog_free(box->reqlog);
	if (box->log)
		fclose(box->log);
}

static int start(const struct options *o, struct err *err)
{
	CLEANUP(sandbox_done) struct sandbox box = { .sys = &real_sys };
	int lock, signals, r;

	if (load_world(o->world, &box.world, err) < 0 || file_make_dirs(o->dir, 0755, err) < 0)
		return -(int)err->code;
	lock = lock_dir(o->dir, err);
	if (lock < 0)
		return lock;
	forget_address(o->dir);
	box.pace.world_ms = world_now(box.world);
	box.pace.speed = o->speed;
	box.faults = faults_new();
	box.reqlog = reqlog_new();
	if (o->log) {
		box.log = fopen(o->log, "ae");
		if (!box.log)
			return err_set(err, E_IO, "cannot open '%s': %s", o->log, strerror(errno));
		/* Whole lines, at once: somebody may be reading along. */
		setvbuf(box.log, NULL, _IOLBF, 0);
	}
	signals = open_signals(err);
	if (signals < 0)
		return signals;
	r = serve(o, &box, signals, err);
	close(signals);
	close(lock);
	return r;
}

int main(int argc, char **argv)
{
	CLEANUP(sb_done) struct sb words = SB_INIT(4096);
	struct options o = { .speed = 1 };
	struct err err = ERR_INIT;

	raise_limits();
	if (read_options(argc, argv, &o, &err) == 0) {
		if (o.help)
			fputs(usage_text, stdout);
		else if (o.switches)
			print_switches();
		else
			start(&o, &err);
	}
	if (err.code == E_NONE)
		return 0;
	err_print(&err, &words);
	fputs(words.buf, stderr);
	return err_exit_status(err.code);
}
