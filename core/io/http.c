/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/redact.h"
#include "core/base/sb.h"
#include "core/base/secret_open.h"
#include "core/base/when.h"
#include "core/io/json.h"

#define CURL_MIN 0x075000 /* 7.80: the callback before a request is sent, see on_issue */
#define CONNECT_TIMEOUT_MS 15000
#define TIMEOUT_MS 65000
#define PER_HOST 8
#define KEPT_CONNECTIONS 64
#define KEPT_SLOTS                                                                                 \
	64 /* for exchanges to come: a fleet's first look has thousands in line, a fleet that waits has few */
#define WRITE_IDLE_S 3L /* a write takes no connection that has been idle for longer */

/*
 * Waiting is cut into slices, and the count of signals looked at between them. curl_multi_poll
 * does not say whether a signal ended it, and one that comes just before it would not;
 * curl_multi_wakeup is not documented as safe in a signal handler, which moreover lives in cmd/
 * and knows no transport.
 */
#define SLICE_MS 200
#define REST_MS 1000  /* a wait that others may have our free memory for ... */
#define REST_AFTER 64 /* ... when that many answers came before it: fewer leave little */

#define REQ_HEADERS_MAX 32
#define REQ_BODY_MAX ((size_t)16 << 20)
#define RESP_HEADERS_MAX 100
#define RESP_HEADER_BYTES ((size_t)64 << 10)
#define TEXT_MAX 200 /* bytes quoted of an answer that is not JSON */
/*
 * What is searched for secrets before it is quoted: the longest one, percent-encoded, may begin
 * at the last byte quoted.
 */
#define QUOTE_WINDOW (TEXT_MAX + 3 * (size_t)SECRET_MAX)
#define KEEP_BUFFER ((size_t)64 << 10)

enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_ACTIVE, SLOT_FINISHED };
enum stop { STOP_NONE, STOP_BODY, STOP_HEADERS, STOP_RESEND }; /* why we ended it ourselves */

/* One exchange under way, and what it needs meanwhile. Some are kept to be reused. */
struct slot {
	struct http *http;
	size_t place; /* in http.slots */
	enum slot_state state;
	struct slot *next;  /* in the host's waiting line, the finished line or the free list */
	struct exchange *x; /* NULL: cancelled while in a line */
	struct host *host;
	CURL *easy; /* while active */
	CURLU *url;
	unsigned issued; /* how often libcurl was about to send the request */
	enum stop stop;
	struct sb out, auth, in; /* request body, Authorization line, answer's body */
	struct curl_slist list[REQ_HEADERS_MAX + 8];
	size_t list_count;
	struct http_header *headers; /* of the answer, in x->arena */
	size_t header_count, header_cap, header_bytes;
	bool headers_done;
	char why[CURL_ERROR_SIZE];
};

/*
 * Exchanges beyond the limit wait here and not inside libcurl, where their timeouts would already
 * run.
 */
struct host {
	struct host *next;
	char *origin;
	long active;
	struct slot *first, *last; /* the waiting line */
};

struct http {
	struct transport ops;
	struct http_options o;
	char *user_agent;
	CURLM *multi;
	int timer;      /* timerfd: measures waiting without asking a clock */
	int signals;    /* seen so far */
	size_t answers; /* since free memory was given back last */
	struct host *hosts;
	struct slot **slots; /* all */
	size_t slot_count, slot_cap;
	struct slot *free_slots;
	size_t free_count;
	struct slot *first, *last; /* finished, in order */
	CURL **spare;              /* easy handles at rest */
	size_t spare_count, spare_cap;
};

/* --- libcurl's memory: wiped when given back, for requests with secrets pass through it --- */

#define MEM_HEAD 16 /* keeps the alignment of malloc */

static void *curl_mem_alloc(size_t size)
{
	char *p;

	if (size > SIZE_MAX - MEM_HEAD)
		return NULL;
	p = mem_resize(NULL, 1, size + MEM_HEAD); /* not zeroed */
	memcpy(p, &size, sizeof(size));
	return p + MEM_HEAD;
}

static size_t curl_mem_size(const void *p)
{
	size_t size;

	memcpy(&size, (const char *)p - MEM_HEAD, sizeof(size));
	return size;
}

static void curl_mem_free(void *p)
{
	char *block = p;

	if (!p)
		return;
	block -= MEM_HEAD;
	/* Not OPENSSL_cleanse, which takes eight bytes a turn: libcurl gives back 32 KiB with each request. */
	explicit_bzero(block, curl_mem_size(p) + MEM_HEAD);
	mem_free(block);
}

static void *curl_mem_resize(void *old, size_t size)
{
	void *p = curl_mem_alloc(size);

	if (!p || !old)
		return p;
	memcpy(p, old, MIN_OF(size, curl_mem_size(old)));
	curl_mem_free(old);
	return p;
}

static char *curl_mem_strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *p = curl_mem_alloc(size);

	return p ? memcpy(p, s, size) : NULL;
}

static void *curl_mem_array(size_t count, size_t size)
{
	void *p;

	if (size && count > SIZE_MAX / size)
		return NULL;
	p = curl_mem_alloc(count * size);
	return p ? memset(p, 0, count * size) : NULL;
}

static void url_part_free(char **part)
{
	curl_free(*part);
}

/* --- the end of an exchange --- */

static void wipe(struct sb *s)
{
	if (s->cap)
		OPENSSL_cleanse(s->buf, s->cap);
	sb_reset(s);
}

static void slot_finish(struct slot *s)
{
	struct http *h = s->http;

	s->x->resp.done_wall_ms = sys_wall_ms(h->o.sys);
	s->state = SLOT_FINISHED;
	s->next = NULL;
	if (h->last)
		h->last->next = s;
	else
		h->first = s;
	h->last = s;
}

/*
 * Fails with "console: GET https://host/path: <words>". A query may hold what is nobody's
 * business.
 */
static void slot_fail(struct slot *s, enum transport_result result, enum err_code code,
		      const char *hint, const char *fmt, ...) PRINTF_LIKE(5, 6);
static void slot_fail(struct slot *s, enum transport_result result, enum err_code code,
		      const char *hint, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb words = SB_INIT(1024);
	struct exchange *x = s->x;
	size_t len = strcspn(x->url, "?#");
	va_list ap;

	va_start(ap, fmt);
	sb_addv(&words, fmt, ap);
	va_end(ap);
	x->result = result;
	err_set(&x->err, code, "%s", words.buf);
	/* A name or password in the address is refused, and must not be told either. */
	if (memchr(x->url, '@', len))
		err_wrap(&x->err, "%s: %s", x->system, x->method);
	else
		err_wrap(&x->err, "%s: %s %.*s%s", x->system, x->method, (int)MIN_OF(len, 160),
			 x->url, len > 160 ? "..." : "");
	if (hint)
		err_hint(&x->err, "%s", hint);
	log_debug("http", "%s", x->err.msg);
	slot_finish(s);
}

static void slot_free(struct slot *s)
{
	if (s->easy)
		curl_multi_remove_handle(s->http->multi, s->easy);
	curl_easy_cleanup(s->easy);
	curl_url_cleanup(s->url);
	wipe(&s->out);
	wipe(&s->auth);
	wipe(&s->in);
	sb_done(&s->out);
	sb_done(&s->auth);
	sb_done(&s->in);
	mem_free(s);
}

/* Back to the pool, while that is not full. The exchange is nobody's concern any more. */
static void slot_release(struct slot *s)
{
	struct http *h = s->http;

	curl_url_cleanup(s->url);
	s->url = NULL;
	s->x = NULL;
	s->host = NULL;
	s->headers = NULL;
	s->header_cap = 0;
	s->state = SLOT_FREE;
	if (h->free_count >= KEPT_SLOTS) {
		h->slots[s->place] = h->slots[--h->slot_count];
		h->slots[s->place]->place = s->place;
		slot_free(s);
		return;
	}
	s->next = h->free_slots;
	h->free_slots = s;
	h->free_count++;
}

static struct slot *slot_get(struct http *h, struct exchange *x)
{
	struct slot *s = h->free_slots;

	if (s) {
		h->free_slots = s->next;
		h->free_count--;
	} else {
		h->slots = mem_grow(h->slots, h->slot_count, &h->slot_cap, sizeof(*h->slots));
		s = mem_alloc(sizeof(*s));
		s->place = h->slot_count;
		h->slots[h->slot_count++] = s;
		s->http = h;
		s->out = (struct sb)SB_INIT(REQ_BODY_MAX);
		s->auth = (struct sb)SB_INIT(SECRET_MAX + 64);
		s->in = (struct sb)SB_INIT(0);
	}
	s->next = NULL;
	s->x = x;
	s->issued = 0;
	s->stop = STOP_NONE;
	s->list_count = 0;
	s->header_count = s->header_bytes = 0;
	s->headers_done = false;
	s->why[0] = '\0';
	s->in.max = x->body_max;
	return s;
}

/* --- checking a request: what is wrong with it is found before anything is sent --- */

static bool is_token(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("!#$%&'*+-.^_`|~", *s))
			return false;
	return true;
}

static bool is_field_value(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

static bool is_visible(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f)
			return false;
	return true;
}

static bool is_loopback(const char *host)
{
	char bare[64];
	struct in_addr v4;
	struct in6_addr v6;
	size_t len = strlen(host);

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (len < 3 || len > sizeof(bare) || host[0] != '[' || host[len - 1] != ']')
		return false;
	memcpy(bare, host + 1, len - 2);
	bare[len - 2] = '\0';
	return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static struct host *host_get(struct http *h, const char *scheme, const char *name, const char *port)
{
	CLEANUP(sb_done) struct sb origin = SB_INIT(4096);
	struct host *host;

	sb_addf(&origin, "%s://%s:%s", scheme, name, port);
	for (host = h->hosts; host; host = host->next)
		if (strcasecmp(host->origin, origin.buf) == 0)
			return host;
	host = mem_alloc(sizeof(*host));
	host->origin = sb_take(&origin);
	host->next = h->hosts;
	h->hosts = host;
	return host;
}

/*
 * "." and ".." would be folded by libcurl or by the server: another thing than the one asked for.
 */
static bool has_dot_segment(const char *path)
{
	for (const char *p = path; (p = strchr(p, '/'));) {
		size_t len = strcspn(++p, "/");

		if ((len == 1 && *p == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return true;
	}
	return false;
}

/* NULL when the address may be used; else what is wrong. Fills url and host of the slot. */
static const char *check_url(struct slot *s)
{
	CLEANUP(url_part_free) char *scheme = NULL;
	CLEANUP(url_part_free) char *name = NULL;
	CLEANUP(url_part_free) char *port = NULL;
	CLEANUP(url_part_free) char *path = NULL;
	CLEANUP(url_part_free) char *user = NULL;
	const char *url = s->x->url, *authority = strstr(url, "://");

	s->url = curl_url();
	/* libcurl forgives a third slash, and takes the path's first segment for the host. */
	if (!s->url || !is_visible(url, strlen(url)) || !authority || authority[3] == '/' ||
	    curl_url_set(s->url, CURLUPART_URL, url, CURLU_PATH_AS_IS) ||
	    curl_url_get(s->url, CURLUPART_SCHEME, &scheme, 0) ||
	    curl_url_get(s->url, CURLUPART_HOST, &name, 0) ||
	    curl_url_get(s->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
	    curl_url_get(s->url, CURLUPART_PATH, &path, 0))
		return "the url is malformed";
	if (curl_url_get(s->url, CURLUPART_USER, &user, 0) == CURLUE_OK || strchr(name, '@'))
		return "the url holds a user name";
	if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		return "only https is allowed";
	if (strcmp(scheme, "http") == 0 && !is_loopback(name))
		return "only https is allowed, but to this machine itself";
	if (has_dot_segment(path))
		return "the url has a '.' or '..' segment";
	s->host = host_get(s->http, scheme, name, port);
	return NULL;
}

static const struct http_header *find_header(const struct exchange *x, const char *name)
{
	for (const struct http_header *p = x->headers; p && p->name; p++)
		if (strcasecmp(p->name, name) == 0)
			return p;
	return NULL;
}

/* What libcurl frames the request with is not for headers from outside. */
static const char *const own_headers[] = {
	"connection", "content-length", "expect", "host", "transfer-encoding",
};

static const char *check_headers(const struct exchange *x, const char **ret_name)
{
	size_t count = 0;

	for (const struct http_header *p = x->headers; p && p->name; p++) {
		*ret_name = is_token(p->name) ? p->name : "?";
		if (!is_token(p->name))
			return "has a name that is none";
		if (!is_field_value(p->value))
			return "holds a control byte";
		for (size_t i = 0; i < ARRAY_LEN(own_headers); i++)
			if (strcasecmp(p->name, own_headers[i]) == 0)
				return "is not for a request to set";
		if (x->bearer && strcasecmp(p->name, "authorization") == 0)
			return "stands beside a bearer token";
		if (++count > REQ_HEADERS_MAX)
			return "is one too many";
	}
	return NULL;
}

static bool check_bearer(const struct secret *bearer)
{
	size_t len;
	const char *bytes = secret_open(bearer, &len);

	return len > 0 && is_visible(bytes, len);
}

/* False: the slot has failed. */
static bool check_request(struct slot *s)
{
	const struct exchange *x = s->x;
	const char *name = "", *wrong = check_url(s);

	if (!wrong && !is_token(x->method))
		wrong = "the method is none";
	if (wrong) {
		slot_fail(s, SENT_NEVER, E_TRANSPORT, NULL, "%s", wrong);
		return false;
	}
	wrong = check_headers(x, &name);
	if (wrong) {
		slot_fail(s, SENT_NEVER, E_TRANSPORT, NULL, "header '%s' %s", name, wrong);
		return false;
	}
	if (x->bearer && !check_bearer(x->bearer)) {
		slot_fail(s, SENT_NEVER, E_TRANSPORT, "look at what its reference gives",
			  "the bearer token is empty or holds what no token may hold");
		return false;
	}
	return true;
}

/* --- encoding a request --- */

static size_t secret_bytes(const struct value *v)
{
	size_t sum = 0, len;

	if (v->kind == VAL_SECRET) {
		secret_open(v->u.secret, &len);
		return len;
	}
	if (v->kind == VAL_LIST || v->kind == VAL_MAP)
		for (size_t i = 0; i < value_count(v); i++)
			sum += secret_bytes(value_at(v, i));
	return sum;
}

/*
 * Growing moves the text and leaves the old one behind, so buffers for secrets get their size
 * beforehand.
 */
static void make_room(struct sb *s, size_t len)
{
	sb_reset(s);
	sb_pad(s, ' ', len);
	sb_reset(s);
}

static const char *encode_json(struct slot *s)
{
	const struct value *body = s->x->body;

	json_write(&s->out, body, JSON_COMPACT, NULL);
	if (s->out.over)
		return "the request's body is too large";
	make_room(&s->out, s->out.len + 6 * secret_bytes(body)); /* 6: \u001f */
	json_write(&s->out, body, JSON_COMPACT, secret_open);
	return s->out.over ? "the request's body is too large" : NULL;
}

static const char *form_text(const struct value *v)
{
	size_t len;
	const char *bytes;

	if (!v || v->kind != VAL_SECRET)
		return value_text(v);
	bytes = secret_open(v->u.secret, &len);
	return strlen(bytes) == len ? bytes : NULL;
}

static const char *encode_form(struct slot *s)
{
	const struct value *body = s->x->body;
	size_t room = 0;

	if (body->kind != VAL_MAP)
		return "the request's form is no map";
	for (size_t i = 0; i < value_count(body); i++) {
		const char *text = form_text(value_at(body, i));

		if (!text)
			return "the request's form holds something else than text";
		room += 3 * (strlen(value_key_at(body, i)) + strlen(text)) + 2;
	}
	make_room(&s->out, room);
	for (size_t i = 0; i < value_count(body); i++) {
		if (i)
			sb_addc(&s->out, '&');
		sb_add_escaped(&s->out, value_key_at(body, i));
		sb_addc(&s->out, '=');
		sb_add_escaped(&s->out, form_text(value_at(body, i)));
	}
	return s->out.over ? "the request's body is too large" : NULL;
}

/* The nodes are ours, since libcurl's own would be copies that nobody wipes in time. */
static void list_add(struct slot *s, char *line)
{
	struct curl_slist *node = &s->list[s->list_count];

	*node = (struct curl_slist){ line, NULL };
	if (s->list_count)
		node[-1].next = node;
	s->list_count++;
}

static void build_headers(struct slot *s)
{
	struct exchange *x = s->x;
	size_t len;

	for (const struct http_header *p = x->headers; p && p->name; p++)
		/* With a colon and nothing behind it libcurl would leave the header out. */
		list_add(s, *p->value ? arena_printf(x->arena, "%s: %s", p->name, p->value) :
					arena_printf(x->arena, "%s;", p->name));
	if (!find_header(x, "accept"))
		list_add(s, arena_strdup(x->arena, "Accept: application/json"));
	if (find_header(x, "content-type") == NULL)
		list_add(s, arena_strdup(x->arena,
					 x->body_kind == BODY_JSON ?
						 "Content-Type: application/json" :
					 x->body_kind == BODY_FORM ?
						 "Content-Type: application/x-www-form-urlencoded" :
						 "Content-Type:"));
	/* No asking first: a server that overlooks it costs a second for each larger request. */
	list_add(s, arena_strdup(x->arena, "Expect:"));
	if (x->bearer) {
		const char *bytes = secret_open(x->bearer, &len);

		make_room(&s->auth, len + 64);
		sb_add(&s->auth, "Authorization: Bearer ");
		sb_addn(&s->auth, bytes, len);
		list_add(s, s->auth.buf);
	}
}

/* --- what libcurl calls --- */

static bool is_read(const struct exchange *x)
{
	return strcmp(x->method, "GET") == 0 || strcmp(x->method, "HEAD") == 0;
}

/*
 * Called when a connection stands and the request is about to go out. Until then it has not been
 * sent: that is how SENT_NEVER is told from SENT_UNKNOWN. And when a connection that was reused
 * turns out dead, libcurl would silently send again, a POST too: the second time a write ends
 * here.
 */
static int on_issue(void *ctx, char *peer, char *local, int peer_port, int local_port)
{
	struct slot *s = ctx;

	(void)peer, (void)local, (void)peer_port, (void)local_port;
	if (s->issued++ == 0 || is_read(s->x))
		return CURL_PREREQFUNC_OK;
	s->stop = STOP_RESEND;
	return CURL_PREREQFUNC_ABORT;
}

static void add_header(struct slot *s, const char *line, size_t len)
{
	struct arena *a = s->x->arena;
	const char *colon = memchr(line, ':', len);
	struct http_header *p;
	char *name, *value;

	if (!colon || colon == line || isspace((unsigned char)*line))
		return;
	s->headers =
		arena_grow(a, s->headers, s->header_count, &s->header_cap, sizeof(*s->headers));
	name = arena_strndup(a, line, (size_t)(colon - line));
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (colon++; colon < line + len && (*colon == ' ' || *colon == '\t');)
		colon++;
	value = arena_strndup(a, colon, (size_t)(line + len - colon));
	for (size_t n = strlen(value); n > 0 && isspace((unsigned char)value[n - 1]); n--)
		value[n - 1] = '\0';
	p = &s->headers[s->header_count++];
	p->name = name;
	p->value = value;
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
	struct slot *s = ctx;
	size_t len = size * count;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* Another one: what came before was a 1xx, or an answer to be forgotten. */
		s->header_count = s->header_bytes = 0;
		s->headers_done = false;
		return len;
	}
	if (s->headers_done)
		return len; /* trailers */
	if (len == 0 || *line == '\r' || *line == '\n') {
		s->headers_done = true;
		return len;
	}
	s->header_bytes += len;
	if (s->header_count == RESP_HEADERS_MAX || s->header_bytes > RESP_HEADER_BYTES) {
		s->stop = STOP_HEADERS;
		return 0;
	}
	add_header(s, line, len);
	return len;
}

/* As sb_addn, but the old text is wiped when it moves. */
static void add_wiping(struct sb *s, const char *bytes, size_t len)
{
	struct sb bigger = SB_INIT(s->max);

	if (s->len + len + 1 > s->cap && s->len + len <= s->max) {
		make_room(&bigger, MIN_OF(2 * (s->len + len) + 4096, s->max));
		sb_addn(&bigger, s->buf, s->len);
		wipe(s);
		sb_done(s);
		*s = bigger;
	}
	sb_addn(s, bytes, len);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct slot *s = ctx;
	size_t len = size * count;

	if (s->x->secret_field)
		add_wiping(&s->in, bytes, len);
	else
		sb_addn(&s->in, bytes, len);
	if (!s->in.over)
		return len;
	s->stop = STOP_BODY;
	return 0;
}

/* --- sending --- */

static long to_long(int64_t ms)
{
	return (long)MIN_OF(MAX_OF(ms, 1), INT32_MAX);
}

static int64_t timeout_of(const struct exchange *x)
{
	return x->timeout_ms > 0 ? x->timeout_ms : TIMEOUT_MS;
}

#define SET(option, value)                                                                         \
	do {                                                                                       \
		if (!rc)                                                                           \
			rc = curl_easy_setopt(e, option, value);                                   \
	} while (0)

static CURLcode set_connection(struct slot *s)
{
	const struct http *h = s->http;
	const struct exchange *x = s->x;
	bool http_scheme = strncmp(s->host->origin, "http:", 5) == 0;
	CURLcode rc = CURLE_OK;
	CURL *e = s->easy;
	char *name = NULL;

	SET(CURLOPT_CURLU, s->url);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, http_scheme ? "http" : "https");
#else
	SET(CURLOPT_PROTOCOLS, http_scheme ? (long)CURLPROTO_HTTP : (long)CURLPROTO_HTTPS);
#endif
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (x->ca_file) {
		SET(CURLOPT_CAINFO, x->ca_file);
		SET(CURLOPT_CAPATH, (char *)NULL); /* or the system's authorities would count too */
	}
	/* A proxy is the environment's business, but this machine is never reached through one. */
	if (curl_url_get(s->url, CURLUPART_HOST, &name, 0) == CURLUE_OK && is_loopback(name))
		SET(CURLOPT_NOPROXY, "*");
	curl_free(name);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	/* Made, wiped and freed for each request: 64 KiB otherwise. */
	SET(CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, to_long(h->o.connect_timeout_ms));
	SET(CURLOPT_TIMEOUT_MS, to_long(timeout_of(x)));
	if (!is_read(x))
		SET(CURLOPT_MAXAGE_CONN, WRITE_IDLE_S);
	return rc;
}

static CURLcode set_exchange(struct slot *s)
{
	const struct exchange *x = s->x;
	CURLcode rc = CURLE_OK;
	CURL *e = s->easy;

	if (strcmp(x->method, "HEAD") == 0)
		SET(CURLOPT_NOBODY, 1L);
	/* POST and its like say "Content-Length: 0" when they have no body; some servers insist. */
	if (x->body_kind != BODY_NONE || (!is_read(x) && strcmp(x->method, "DELETE") != 0)) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, s->out.buf); /* borrowed until the end */
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->out.len);
	}
	SET(CURLOPT_CUSTOMREQUEST, x->method);
	SET(CURLOPT_HTTPHEADER, s->list);
	SET(CURLOPT_USERAGENT, s->http->user_agent);
	SET(CURLOPT_MAXFILESIZE_LARGE,
	    (curl_off_t)MAX_OF(MIN_OF(x->body_max, (size_t)INT64_MAX), 1));
	SET(CURLOPT_PREREQFUNCTION, on_issue);
	SET(CURLOPT_PREREQDATA, s);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, s);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, s);
	SET(CURLOPT_ERRORBUFFER, s->why);
	SET(CURLOPT_PRIVATE, s);
	return rc;
}

static CURL *easy_get(struct http *h)
{
	return h->spare_count ? h->spare[--h->spare_count] : curl_easy_init();
}

/* The handle goes back; secrets that were lent to it are wiped. */
static void easy_put(struct slot *s)
{
	struct http *h = s->http;

	if (s->easy) {
		curl_easy_reset(s->easy);
		h->spare = mem_grow(h->spare, h->spare_count, &h->spare_cap, sizeof(*h->spare));
		h->spare[h->spare_count++] = s->easy;
		s->easy = NULL;
	}
	wipe(&s->out);
	wipe(&s->auth);
	if (s->out.cap > KEEP_BUFFER)
		sb_done(&s->out);
}

/*
 * Empties the answer's buffer; a large one is given back, for slots are many and large answers
 * are few.
 */
static void in_done(struct slot *s, bool is_secret)
{
	if (is_secret)
		wipe(&s->in);
	sb_reset(&s->in);
	if (s->in.cap > KEEP_BUFFER)
		sb_done(&s->in);
}

/* Gives it to libcurl, or fails. */
static void slot_launch(struct slot *s)
{
	struct exchange *x = s->x;
	const char *wrong = NULL;
	CURLcode rc = CURLE_OK;
	CURLMcode mc = CURLM_OK;

	x->resp.sent_wall_ms = sys_wall_ms(s->http->o.sys);
	if (x->body_kind == BODY_JSON)
		wrong = encode_json(s);
	else if (x->body_kind == BODY_FORM)
		wrong = encode_form(s);
	if (!wrong) {
		build_headers(s);
		s->easy = easy_get(s->http);
		rc = s->easy ? set_connection(s) : CURLE_OUT_OF_MEMORY;
		if (!rc)
			rc = set_exchange(s);
		if (rc)
			wrong = curl_easy_strerror(rc);
	}
	if (!wrong) {
		mc = curl_multi_add_handle(s->http->multi, s->easy);
		if (mc)
			wrong = curl_multi_strerror(mc);
	}
	if (wrong) {
		easy_put(s);
		slot_fail(s, SENT_NEVER, E_TRANSPORT, NULL, "cannot send: %s", wrong);
		return;
	}
	s->state = SLOT_ACTIVE;
	s->host->active++;
}

static void host_launch(struct http *h, struct host *host)
{
	while (host->first && host->active < h->o.per_host) {
		struct slot *s = host->first;

		host->first = s->next;
		if (!host->first)
			host->last = NULL;
		s->next = NULL;
		if (s->x)
			slot_launch(s);
		else
			slot_release(s);
	}
}

static void http_start(void *ctx, struct exchange *x)
{
	struct http *h = ctx;
	struct slot *s = slot_get(h, x);

	err_clear(&x->err);
	x->result = SENT_NEVER;
	x->resp = (struct http_resp){ .sent_wall_ms = sys_wall_ms(h->o.sys) };
	if (!check_request(s))
		return;
	s->state = SLOT_WAITING;
	if (s->host->last)
		s->host->last->next = s;
	else
		s->host->first = s;
	s->host->last = s;
	host_launch(h, s->host);
}

/* --- failures, in our words --- */

static const struct failure {
	CURLcode code;
	const char *words, *hint;
	bool detail; /* libcurl's own words follow in brackets */
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, "could not resolve host", "check the connection's url",
	  false },
	{ CURLE_COULDNT_RESOLVE_PROXY, "could not resolve the proxy's host",
	  "look at https_proxy in the environment", false },
	{ CURLE_SSL_CONNECT_ERROR, "TLS: handshake failed", NULL, true },
	{ CURLE_SSL_CACERT_BADFILE, "TLS: cannot read the authorities of ca_file",
	  "ca_file names a PEM file of certificates", false },
	{ CURLE_GOT_NOTHING, "the connection was closed before an answer came", NULL, false },
	{ CURLE_SEND_ERROR, "the connection was lost while sending", NULL, true },
	{ CURLE_RECV_ERROR, "the connection was lost before the answer was complete", NULL, true },
	{ CURLE_PARTIAL_FILE, "the answer was cut short", NULL, false },
	{ CURLE_HTTP2, "the connection was lost before the answer was complete", NULL, true },
	{ CURLE_HTTP2_STREAM, "the connection was lost before the answer was complete", NULL,
	  true },
	{ CURLE_WEIRD_SERVER_REPLY, "what came back is not HTTP", NULL, true },
	{ CURLE_UNSUPPORTED_PROTOCOL, "what came back is not HTTP", NULL, true },
};

/* libcurl's words without the prefixes that ours already say. */
static const char *detail_of(const struct slot *s, CURLcode code)
{
	static const char *const prefixes[] = { "SSL certificate problem: ", "SSL: " };
	const char *why = *s->why ? s->why : curl_easy_strerror(code);

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (strncmp(why, prefixes[i], strlen(prefixes[i])) == 0)
			why += strlen(prefixes[i]);
	return why;
}

/*
 * An authority of the same name with another key: OpenSSL reports it as trouble with the encoding
 * of the signature, and libcurl as a handshake that failed.
 */
static bool is_other_key(const struct slot *s, CURLcode code)
{
	return code == CURLE_SSL_CONNECT_ERROR && strstr(s->why, "asn1 encoding");
}

static void fail_verify(struct slot *s, CURLcode code)
{
	const char *why = detail_of(s, code), *hint;

	if (is_other_key(s, code))
		why = "signed with another key than that of the authority of this name";
	if (strstr(why, "subject name"))
		hint = "the certificate belongs to another host: check the connection's url";
	else if (strstr(why, "expired") || strstr(why, "not yet valid"))
		hint = "renew the server's certificate, or check this machine's clock";
	else if (s->x->ca_file)
		hint = "ca_file does not hold the authority that signed the server's certificate";
	else
		hint = "name the authority's certificate in ca_file";
	slot_fail(s, s->issued ? SENT_UNKNOWN : SENT_NEVER, E_TRANSPORT, hint,
		  "TLS: certificate verify failed (%s)", why);
}

static void fail_timeout(struct slot *s)
{
	int64_t connect_ms = MIN_OF(s->http->o.connect_timeout_ms, timeout_of(s->x));
	char span[WHEN_TEXT_MAX];

	if (s->issued)
		slot_fail(s, SENT_UNKNOWN, E_TRANSPORT, NULL, "timed out after %s",
			  when_span_text(span, timeout_of(s->x)));
	else
		slot_fail(s, SENT_NEVER, E_TRANSPORT, NULL, "could not connect within %s",
			  when_span_text(span, connect_ms));
}

static void fail_connect(struct slot *s, long os_errno)
{
	slot_fail(s, s->issued ? SENT_UNKNOWN : SENT_NEVER, E_TRANSPORT, NULL,
		  "could not connect (%s)",
		  os_errno ? strerror((int)os_errno) : detail_of(s, CURLE_COULDNT_CONNECT));
}

/* What the other side did, and we put an end to. */
static bool fail_stopped(struct slot *s, CURLcode code)
{
	if (s->stop == STOP_RESEND)
		slot_fail(s, SENT_UNKNOWN, E_TRANSPORT, NULL,
			  "the connection was lost before an answer came");
	else if (s->stop == STOP_HEADERS)
		slot_fail(s, SENT_UNKNOWN, E_REMOTE, NULL,
			  "the answer's headers are larger than the limit of %d or of %zu bytes",
			  RESP_HEADERS_MAX, RESP_HEADER_BYTES);
	else if (s->stop == STOP_BODY || code == CURLE_FILESIZE_EXCEEDED)
		slot_fail(s, SENT_UNKNOWN, E_REMOTE, NULL,
			  "the answer is larger than the limit of %zu bytes", s->x->body_max);
	else
		return false;
	return true;
}

static void slot_failed(struct slot *s, CURLcode code, long os_errno)
{
	enum transport_result result = s->issued ? SENT_UNKNOWN : SENT_NEVER;

	if (fail_stopped(s, code))
		return;
	if (code == CURLE_PEER_FAILED_VERIFICATION || is_other_key(s, code)) {
		fail_verify(s, code);
		return;
	}
	if (code == CURLE_OPERATION_TIMEDOUT) {
		fail_timeout(s);
		return;
	}
	if (code == CURLE_COULDNT_CONNECT) {
		fail_connect(s, os_errno);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		const struct failure *f = &failures[i];

		if (f->code != code)
			continue;
		if (f->detail)
			slot_fail(s, result, E_TRANSPORT, f->hint, "%s (%s)", f->words,
				  detail_of(s, code));
		else
			slot_fail(s, result, E_TRANSPORT, f->hint, "%s", f->words);
		return;
	}
	slot_fail(s, result, E_TRANSPORT, NULL, "%s", detail_of(s, code));
}

/* --- answers --- */

static const char *request_id(const struct http_resp *resp)
{
	static const char *const names[] = { "x-request-id", "x-debug-id",
					     "x-ms-service-request-id", "x-correlation-id" };
	const char *id = NULL;

	for (size_t i = 0; i < ARRAY_LEN(names) && !id; i++)
		id = http_resp_header(resp, names[i]);
	return id;
}

/*
 * The first bytes of a body that could not be read as JSON. Where a secret was to come, nobody
 * knows where in it the secret stands: nothing is quoted then, but from a failure that does not
 * even name the field.
 */
static const char *quote(const struct slot *s, const char *text, size_t len)
{
	const struct exchange *x = s->x;
	CLEANUP(sb_done) struct sb raw = SB_INIT(2 * QUOTE_WINDOW);
	CLEANUP(sb_done) struct sb visible = SB_INIT(5 * TEXT_MAX);
	size_t cut;

	if (x->secret_field && (x->resp.status / 100 == 2 ||
				memmem(text, len, x->secret_field, strlen(x->secret_field))))
		return "(not shown: it may hold a secret)";
	sb_addn(&raw, text, MIN_OF(len, QUOTE_WINDOW));
	redact_text(&raw);
	cut = raw.len;
	if (cut > TEXT_MAX) {
		/* Not within a UTF-8 sequence. */
		for (cut = TEXT_MAX; cut > TEXT_MAX - 4 && (raw.buf[cut] & 0xc0) == 0x80;)
			cut--;
		sb_shrink(&raw, cut);
		sb_add_visible(&visible, raw.buf);
		sb_add(&visible, "...");
	} else {
		sb_add_visible(&visible, raw.buf);
	}
	return arena_strdup(x->arena, visible.buf);
}

static bool looks_like_json(const char *content_type, const char *text, size_t len)
{
	size_t i = 0;

	if (content_type && strcasestr(content_type, "json"))
		return true;
	while (i < len && isspace((unsigned char)text[i]))
		i++;
	return i < len && (text[i] == '{' || text[i] == '[');
}

static void forget_secret(void *secret)
{
	secret_free(secret);
}

/* 0: parsed. The secret of an answer lives as long as the values that borrow it. */
static int parse_body(struct slot *s, const char *text, size_t len)
{
	struct json_limits limits = { .bytes = s->x->body_max };
	struct exchange *x = s->x;
	struct secret *secret = NULL;
	struct value *body = NULL;
	struct err err = ERR_INIT;

	if (json_parse(x->arena, text, len, &limits, x->secret_field, &secret, &body, &err) < 0) {
		log_debug("http", "%s: %s: the answer is not JSON: %s", x->system, x->method,
			  err.msg);
		return -1;
	}
	x->resp.body = body;
	if (secret)
		arena_at_end(x->arena, forget_secret, secret);
	return 0;
}

static void read_headers(struct slot *s)
{
	struct http_resp *resp = &s->x->resp;
	const char *date;

	s->headers = arena_grow(s->x->arena, s->headers, s->header_count, &s->header_cap,
				sizeof(*s->headers));
	s->headers[s->header_count] = (struct http_header){ 0 };
	resp->headers = s->headers;
	resp->content_type = http_resp_header(resp, "content-type");
	resp->retry_after = http_resp_header(resp, "retry-after");
	resp->request_id = request_id(resp);
	date = http_resp_header(resp, "date");
	if (!date || when_parse_http_date(date, &resp->date_ms) < 0)
		resp->date_ms = 0;
}

static void slot_answered(struct slot *s, long status)
{
	struct exchange *x = s->x;
	const char *text = s->in.buf;
	size_t len = s->in.len;

	x->resp.status = (int)status;
	read_headers(s);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3; /* a byte order mark, which some systems send */
		len -= 3;
	}
	if (memchr(text, '\0', len)) {
		slot_fail(s, SENT_UNKNOWN, E_REMOTE, NULL, "the answer (%ld) holds a NUL byte",
			  status);
		return;
	}
	if (len > 0 &&
	    (!looks_like_json(x->resp.content_type, text, len) || parse_body(s, text, len) < 0))
		x->resp.text = quote(s, text, len);
	x->result = SENT_OK;
	log_debug("http", "%s: %s %.*s: %ld, %zu bytes, request id %s", x->system, x->method,
		  (int)strcspn(x->url, "?#"), x->url, status, len,
		  x->resp.request_id ? x->resp.request_id : "none");
	slot_finish(s);
}

/* --- the loop --- */

/* Takes it out of libcurl. */
static void slot_retire(struct slot *s)
{
	curl_multi_remove_handle(s->http->multi, s->easy);
	easy_put(s);
	s->host->active--;
}

static void slot_completed(struct slot *s, CURLcode code)
{
	bool is_secret = s->x->secret_field != NULL;
	long status = 0, os_errno = 0;

	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(s->easy, CURLINFO_OS_ERRNO, &os_errno);
	slot_retire(s);
	if (code == CURLE_OK && status < 100)
		code = CURLE_WEIRD_SERVER_REPLY;
	if (code == CURLE_OK)
		slot_answered(s, status);
	else
		slot_failed(s, code, os_errno);
	in_done(s, is_secret);
}

/* libcurl itself gave up; that leaves nobody waiting for ever. */
static void fail_all(struct http *h, CURLMcode mc)
{
	for (size_t i = 0; i < h->slot_count; i++) {
		struct slot *s = h->slots[i];

		if (s->state != SLOT_ACTIVE)
			continue;
		slot_retire(s);
		slot_fail(s, s->issued ? SENT_UNKNOWN : SENT_NEVER, E_TRANSPORT, NULL, "%s",
			  curl_multi_strerror(mc));
		in_done(s, s->x->secret_field != NULL);
	}
}

static void http_perform(struct http *h)
{
	int running, left;
	CURLMcode mc = curl_multi_perform(h->multi, &running);
	const CURLMsg *m;

	if (mc)
		fail_all(h, mc);
	while ((m = curl_multi_info_read(h->multi, &left))) {
		CURLcode code = m->data.result; /* the message dies with the handle's removal */
		char *owner = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &owner);
		slot_completed((struct slot *)(void *)owner, code);
	}
	for (struct host *host = h->hosts; host; host = host->next)
		host_launch(h, host);
}

static struct exchange *take_finished(struct http *h)
{
	while (h->first) {
		struct slot *s = h->first;
		struct exchange *x = s->x;

		h->first = s->next;
		if (!h->first)
			h->last = NULL;
		slot_release(s);
		if (x) {
			h->answers++;
			return x;
		}
	}
	return NULL;
}

/* A busy time leaves free memory behind. */
static void rest(struct http *h, int64_t wait_ms)
{
	if (h->answers < REST_AFTER || wait_ms < REST_MS || h->free_count < h->slot_count)
		return;
	h->answers = 0;
	mem_trim();
}

static bool signal_came(struct http *h)
{
	int signals = h->o.sys->signalled(h->o.sys->ctx);
	bool came = signals > h->signals;

	/* Kept from call to call: a signal between two of them is told too, once. */
	h->signals = signals;
	return came;
}

static void start_timer(struct http *h, int64_t ms)
{
	struct itimerspec at = { .it_value = { ms / 1000, (long)(ms % 1000) * 1000000 } };

	timerfd_settime(h->timer, 0, &at, NULL);
}

/* Waits for the network, for the timer or for a slice to end; true: the timer has run out. */
static bool wait_slice(struct http *h)
{
	struct curl_waitfd timer = { h->timer, CURL_WAIT_POLLIN, 0 };
	struct pollfd alone = { h->timer, POLLIN, 0 };

	if (curl_multi_poll(h->multi, &timer, 1, SLICE_MS, NULL) == CURLM_OK)
		return timer.revents != 0;
	/* Interrupted, or broken: a slice without the network, so that nothing spins. */
	return poll(&alone, 1, SLICE_MS) > 0;
}

static struct exchange *http_next(void *ctx, int64_t timeout_ms)
{
	struct http *h = ctx;
	int64_t real_ms = (timeout_ms + h->o.time_scale - 1) / h->o.time_scale;
	struct exchange *x = take_finished(h);
	bool over = timeout_ms <= 0;

	if (!x) {
		http_perform(h);
		x = take_finished(h);
	}
	if (!x && !over) {
		rest(h, timeout_ms);
		start_timer(h, real_ms);
	}
	while (!x && !over && !signal_came(h)) {
		over = wait_slice(h);
		http_perform(h);
		x = take_finished(h);
	}
	return x;
}

static void http_cancel(void *ctx, struct exchange *x)
{
	struct http *h = ctx;

	for (size_t i = 0; i < h->slot_count; i++) {
		struct slot *s = h->slots[i];

		if (s->state == SLOT_FREE || s->x != x)
			continue;
		if (s->state == SLOT_ACTIVE) {
			slot_retire(s);
			in_done(s, x->secret_field != NULL);
			slot_release(s);
		} else {
			s->x = NULL; /* whoever takes it out of its line releases it */
		}
		return;
	}
}

/* --- life --- */

int http_open(const struct http_options *o, struct http **ret, struct err *err)
{
	const curl_version_info_data *v;
	struct http *h;

	if (curl_global_init_mem(CURL_GLOBAL_ALL, curl_mem_alloc, curl_mem_free, curl_mem_resize,
				 curl_mem_strdup, curl_mem_array))
		return err_set(err, E_IO, "libcurl cannot be initialised");
	v = curl_version_info(CURLVERSION_NOW);
	h = mem_alloc(sizeof(*h));
	h->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	h->multi = curl_multi_init();
	if (v->version_num < CURL_MIN || !(v->features & CURL_VERSION_SSL))
		err_set(err, E_IO, "libcurl %s is older than 7.80 or has no TLS", v->version);
	else if (h->timer < 0)
		err_set(err, E_IO, "cannot make a timer: %s", strerror(errno));
	else if (!h->multi ||
		 curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS))
		err_set(err, E_IO, "libcurl cannot be initialised");
	if (err->code) {
		http_close(h);
		return -err->code;
	}
	h->o = *o;
	h->o.time_scale = o->time_scale > 0 ? o->time_scale : 1;
	h->o.connect_timeout_ms =
		o->connect_timeout_ms > 0 ? o->connect_timeout_ms : CONNECT_TIMEOUT_MS;
	h->o.per_host = o->per_host > 0 ? o->per_host : PER_HOST;
	h->user_agent = mem_strdup(o->user_agent ? o->user_agent : "s2sctl");
	h->signals = o->sys->signalled(o->sys->ctx);
	h->ops = (struct transport){ h, http_start, http_next, http_cancel };
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->slot_count; i++)
		slot_free(h->slots[i]);
	for (size_t i = 0; i < h->spare_count; i++)
		curl_easy_cleanup(h->spare[i]);
	curl_multi_cleanup(h->multi);
	while (h->hosts) {
		struct host *host = h->hosts;

		h->hosts = host->next;
		mem_free(host->origin);
		mem_free(host);
	}
	if (h->timer >= 0)
		close(h->timer);
	mem_free(h->slots);
	mem_free(h->spare);
	mem_free(h->user_agent);
	mem_free(h);
	curl_global_cleanup();
}

const struct transport *http_transport(struct http *h)
{
	return &h->ops;
}
