/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2s-sandbox/server.h"

#include "cmd/s2s-sandbox/exchange.h"
#include "core/base/mem.h"
#include "core/base/when.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 4000
#define IDLE_SECONDS 300
#define HEADER_BYTES_MAX ((size_t)64 << 10)
#define SWALLOW_MAX ((uint64_t)64 << 20) /* of a body that is too large, before the line is cut */
#define BLOCK_BYTES ((size_t)32 << 10)
#define SLOW_STEPS_PER_SECOND 10

/* TLS 1.2 and 1.3 only, as the real systems. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

enum stage { STAGE_HEADERS, STAGE_BODY, STAGE_ACT, STAGE_SEND, STAGE_SENT };

/* One request, and what the library calls its context. */
struct line {
	struct exchange ex;
	struct server *server;
	struct MHD_Connection *con;
	enum stage stage;
	uint64_t swallowed;
	int64_t sending_since_ms; /* real time */
	bool is_waiting;
	int64_t due_ms; /* real time; while waiting */
	size_t slot;    /* in server.waiting, while waiting */
};

struct server {
	struct sandbox *box;
	struct MHD_Daemon *daemon;
	int epoll_fd;
	unsigned port;
	char origin[64];
	char last_words[256]; /* the library's, for a start that fails */
	struct line **waiting;
	size_t waiting_count, waiting_cap;
};

static int64_t mono_ms(const struct server *s)
{
	return sys_mono_ms(s->box->sys);
}

/* ---- waiting ---- */

static void line_wait(struct line *l, int64_t due_ms)
{
	struct server *s = l->server;

	MHD_suspend_connection(l->con);
	s->waiting = mem_grow(s->waiting, s->waiting_count, &s->waiting_cap, sizeof(*s->waiting));
	l->slot = s->waiting_count;
	s->waiting[s->waiting_count++] = l;
	l->is_waiting = true;
	l->due_ms = due_ms;
}

static void line_stop_waiting(struct line *l)
{
	struct server *s = l->server;

	s->waiting[l->slot] = s->waiting[--s->waiting_count];
	s->waiting[l->slot]->slot = l->slot;
	l->is_waiting = false;
}

/* INT64_MAX wakes all. Backwards, because waking moves the last one into the hole. */
static void wake_due(struct server *s, int64_t now_ms)
{
	for (size_t i = s->waiting_count; i-- > 0;) {
		struct line *l = s->waiting[i];

		if (l->due_ms > now_ms)
			continue;
		line_stop_waiting(l);
		MHD_resume_connection(l->con);
	}
}

/* ---- sending ---- */

/*
 * A real RST, and no TLS goodbye before it: the library would say one when it closes, and then the
 * client would see an orderly end. Unconnecting resets at once on Linux; the linger is a fallback.
 */
static void reset_now(struct line *l)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(l->con, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct linger none = { .l_onoff = 1, .l_linger = 0 };
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	if (!info)
		return;
	setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	connect(info->connect_fd, &nobody, sizeof(nobody));
}

/* The library asks for body bytes; a slow body says "none yet" and comes back later. */
static ssize_t on_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct line *l = cls;
	const struct exchange *ex = &l->ex;
	uint64_t rate = (uint64_t)ex->verdict.bytes_per_second;
	uint64_t step = MAX_OF(rate / SLOW_STEPS_PER_SECOND, 1), allowed;
	int64_t now = mono_ms(l->server);

	if (pos >= ex->body_sent_len)
		return MHD_CONTENT_READER_END_WITH_ERROR; /* truncated: announced more than that */
	if (rate == 0)
		return (ssize_t)exchange_read(ex, pos, buf, max);
	if (l->sending_since_ms == 0)
		l->sending_since_ms = now;
	allowed = (uint64_t)(now - l->sending_since_ms) * rate / WHEN_SECOND;
	if (allowed < pos + step && allowed < ex->body_sent_len) {
		/* Rounded up, so that waking finds enough. */
		uint64_t want = MIN_OF(pos + step, ex->body_sent_len);
		uint64_t wait_ms = (want * WHEN_SECOND + rate - 1) / rate;

		line_wait(l, l->sending_since_ms + (int64_t)wait_ms);
		return 0;
	}
	return (ssize_t)exchange_read(ex, pos, buf, MIN_OF(max, allowed - pos));
}

static struct MHD_Response *make_response(struct line *l)
{
	struct exchange *ex = &l->ex;
	bool is_plain = ex->verdict.bytes_per_second == 0 && ex->verdict.kind != FAULT_HUGE &&
			ex->body_sent_len == ex->body_len;

	if (is_plain || ex->body_len == 0)
		return MHD_create_response_from_buffer(ex->text.len, ex->text.buf,
						       MHD_RESPMEM_MUST_COPY);
	return MHD_create_response_from_callback(ex->body_len, BLOCK_BYTES, on_read, l, NULL);
}

static enum MHD_Result send_answer(struct line *l)
{
	struct exchange *ex = &l->ex;
	CLEANUP(sb_done) struct sb date = SB_INIT(64);
	struct MHD_Response *r = make_response(l);
	enum MHD_Result queued;

	if (!r)
		return MHD_NO;
	when_add_http_date(&date, ex->date_ms);
	MHD_add_response_header(r, MHD_HTTP_HEADER_DATE, date.buf);
	if (ex->content_type)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, ex->content_type);
	for (size_t i = 0; i < ARRAY_LEN(ex->resp.headers) && ex->resp.headers[i].name; i++)
		MHD_add_response_header(r, ex->resp.headers[i].name, ex->resp.headers[i].value);
	queued = MHD_queue_response(l->con, (unsigned)ex->resp.status, r);
	MHD_destroy_response(r);
	return queued;
}

/* ---- receiving ---- */

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *key,
				 const char *text)
{
	struct exchange *ex = cls;
	char *name = arena_strdup(&ex->arena, key);
	const char *before;

	(void)kind;
	for (char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	before = value_text(value_get(ex->headers, name));
	text = text ? text : "";
	if (before)
		text = arena_printf(&ex->arena, "%s, %s", before, text);
	value_set(&ex->arena, ex->headers, name, value_string(&ex->arena, text));
	return MHD_YES;
}

static enum MHD_Result collect(struct line *l, const char *data, size_t *len)
{
	l->swallowed += *len;
	sb_addn(&l->ex.body, data, *len);
	*len = 0;
	return l->swallowed > SWALLOW_MAX ? MHD_NO : MHD_YES;
}

/* From the end of the request to its answer, in as many calls as there are waits. */
static enum MHD_Result go_on(struct line *l)
{
	int64_t now = mono_ms(l->server);

	if (l->stage == STAGE_BODY) {
		exchange_ask(&l->ex);
		l->stage = STAGE_ACT;
		if (l->ex.verdict.before_ms > 0) {
			line_wait(l, now + l->ex.verdict.before_ms);
			return MHD_YES;
		}
	}
	if (l->stage == STAGE_ACT) {
		exchange_act(&l->ex);
		l->stage = STAGE_SEND;
		if (l->ex.verdict.after_ms > 0) {
			line_wait(l, now + l->ex.verdict.after_ms);
			return MHD_YES;
		}
	}
	if (l->stage != STAGE_SEND)
		return MHD_YES;
	l->stage = STAGE_SENT;
	if (exchange_is_reset(&l->ex)) {
		reset_now(l);
		return MHD_NO;
	}
	return send_answer(l);
}

/* The library hands the raw URI only here, before it decodes; so this is where a request begins. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *con)
{
	struct server *s = cls;
	struct line *l = mem_alloc(sizeof(*l));

	exchange_init(&l->ex, s->box, s->origin, uri);
	l->server = s;
	l->con = con;
	return l;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *con, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_len, void **con_cls)
{
	struct line *l = *con_cls;

	(void)cls, (void)url, (void)version;
	if (l->stage == STAGE_HEADERS) {
		l->stage = STAGE_BODY;
		l->ex.method = arena_strdup(&l->ex.arena, method);
		MHD_get_connection_values(con, MHD_HEADER_KIND, on_header, &l->ex);
		return MHD_YES;
	}
	return *data_len ? collect(l, data, data_len) : go_on(l);
}

static void on_completed(void *cls, struct MHD_Connection *con, void **con_cls,
			 enum MHD_RequestTerminationCode how)
{
	struct line *l = *con_cls;

	(void)cls, (void)con, (void)how;
	if (!l)
		return;
	if (l->is_waiting)
		line_stop_waiting(l);
	exchange_done(&l->ex);
	mem_free(l);
	*con_cls = NULL;
}

static void PRINTF_LIKE(2, 0) on_words(void *cls, const char *fmt, va_list ap)
{
	struct server *s = cls;

	vsnprintf(s->last_words, sizeof(s->last_words), fmt, ap);
	s->last_words[strcspn(s->last_words, "\n")] = '\0';
}

/* ---- opening and closing ---- */

/* Loopback is spelled out here and nowhere else: no option can widen it. */
static int listen_on_loopback(uint16_t port, unsigned *ret_port, struct err *err)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t len = sizeof(a);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return err_set(err, E_IO, "cannot make a socket: %s", strerror(errno));
	/* A restart on the same port must not wait for old connections to fade. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
		err_set(err, E_IO, "cannot listen on 127.0.0.1 port %u: %s", (unsigned)port,
			strerror(errno));
		close(fd);
		return -E_IO;
	}
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static int start(struct server *s, int fd, const char *cert_pem, const char *key_pem,
		 struct err *err)
{
	const union MHD_DaemonInfo *info;
	const unsigned flags = MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME |
			       MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_USE_ERROR_LOG;

	s->daemon =
		MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER,
				 on_words, s, MHD_OPTION_LISTEN_SOCKET, fd,
				 MHD_OPTION_HTTPS_MEM_CERT, cert_pem, MHD_OPTION_HTTPS_MEM_KEY,
				 key_pem, MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES,
				 MHD_OPTION_URI_LOG_CALLBACK, on_uri, s,
				 MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
				 MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
				 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
				 MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_BYTES_MAX,
				 MHD_OPTION_END);
	if (!s->daemon)
		return err_set(err, E_IO, "cannot start the server: %s",
			       s->last_words[0] ? s->last_words : "libmicrohttpd gives no reason");
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return err_set(err, E_IO, "libmicrohttpd was built without epoll");
	s->epoll_fd = info->epoll_fd;
	return 0;
}

int server_open(struct sandbox *box, uint16_t port, const char *cert_pem, const char *key_pem,
		struct server **ret, struct err *err)
{
	struct server *s = mem_alloc(sizeof(*s));
	int fd, r;

	s->box = box;
	fd = listen_on_loopback(port, &s->port, err);
	if (fd < 0) {
		server_close(s);
		return fd;
	}
	snprintf(s->origin, sizeof(s->origin), "https://127.0.0.1:%u", s->port);
	r = start(s, fd, cert_pem, key_pem, err);
	if (r < 0) {
		if (!s->daemon)
			close(fd);
		server_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	/* The library panics when it is stopped with a suspended connection. */
	wake_due(s, INT64_MAX);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	mem_free(s->waiting);
	mem_free(s);
}

const char *server_origin(const struct server *s)
{
	return s->origin;
}

unsigned server_port(const struct server *s)
{
	return s->port;
}

/* ---- the loop's side ---- */

int server_poll_fd(const struct server *s)
{
	return s->epoll_fd;
}

int server_timeout_ms(const struct server *s, int at_most)
{
	int64_t now = mono_ms(s), best = at_most;
	MHD_UNSIGNED_LONG_LONG librarys;

	if (MHD_get_timeout(s->daemon, &librarys) == MHD_YES && librarys < (uint64_t)best)
		best = (int64_t)librarys;
	for (size_t i = 0; i < s->waiting_count; i++)
		best = MIN_OF(best, MAX_OF(s->waiting[i]->due_ms - now, 0));
	return (int)best;
}

void server_run(struct server *s)
{
	wake_due(s, mono_ms(s));
	MHD_run(s->daemon);
}
