/* SPDX-License-Identifier: Apache-2.0 */
/*
 * static_server - fixed answers over TLS, for a client that is to be measured and not its server.
 *
 *   static_server WORLD DIR [DELAY_MS]
 *
 * Asks the twins of the world document once for each request that it has not seen before, keeps the
 * whole answer as bytes, and from then on looks it up by method, target and body. So the first run
 * of a client fills the table, and all further ones cost a look-up. Nothing changes, not even the
 * date; headers of a request count only the first time.
 *
 * Binds a free port of 127.0.0.1; DIR gets ca.pem, ca-key.pem and url. Each answer waits DELAY_MS
 * (0), each connection apart from the others, which makes the longest chain of requests visible in
 * wall time. Ends on SIGTERM, or by itself after ten minutes; then says on standard output what it
 * served and what that cost: "requests made connections cpu_us". `made` is the number of answers
 * that had to be made.
 */
#include "cmd/s2s-sandbox/certs.h"
#include "cmd/s2s-sandbox/parse.h"
#include "core/base/mem.h"
#include "core/base/when.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/yaml.h"
#include "providers/world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#define REQUEST_MAX 16384
#define ANSWER_MAX ((size_t)1 << 20)
#define SLOTS ((size_t)1 << 18) /* a power of two, far more than a benchmark has URLs */
#define LIFE_S 600

struct answer {
	uint64_t hash;
	char *key;
	size_t key_len;
	char *bytes;
	size_t len;
};
struct server {
	struct world *world;
	SSL_CTX *tls;
	char origin[64];
	long delay_ms;
	pthread_rwlock_t lock; /* of all below, and of the world */
	struct answer *slots[SLOTS];
	size_t made;
	atomic_size_t requests, connections;
};
struct request {
	char buf[REQUEST_MAX + 1];
	size_t len;         /* bytes read, of this request and perhaps the next */
	size_t head, total; /* bytes of the head, and of head and body */
};
struct visit {
	struct server *server;
	int fd;
};

/* ---- the table ---- */

static uint64_t hash_add(uint64_t h, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
	return h;
}

static size_t slot_of(const struct server *s, uint64_t hash, const char *key, size_t len)
{
	size_t i = hash & (SLOTS - 1);

	while (s->slots[i] && (s->slots[i]->hash != hash || s->slots[i]->key_len != len ||
			       memcmp(s->slots[i]->key, key, len) != 0))
		i = (i + 1) & (SLOTS - 1);
	return i;
}

/* ---- making an answer ---- */

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

/* The head's lines after the first. */
static struct value *read_headers(struct arena *a, const char *head, size_t len)
{
	struct value *map = value_map(a);
	const char *line = memchr(head, '\n', len), *end = head + len;

	while (line && ++line < end && *line != '\r') {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		const char *colon = memchr(line, ':', (size_t)(end - line));

		if (next && colon && colon < next) {
			char *name = arena_strndup(a, line, (size_t)(colon - line));

			for (colon++; *colon == ' ';)
				colon++;
			lower(name);
			value_set(a, map, name,
				  value_string(a, arena_strndup(a, colon,
								(size_t)(next - 1 - colon))));
		}
		line = next;
	}
	return map;
}

static void ask_world(struct server *s, const struct request *r, struct arena *a,
		      struct twin_req *req, struct twin_resp *resp)
{
	const char *sp = memchr(r->buf, ' ', r->head), *target, *query;
	struct value *fields = value_map(a);
	struct err err = ERR_INIT;

	*resp = (struct twin_resp){ .status = 400 };
	if (!sp)
		return;
	target = arena_strndup(a, sp + 1, strcspn(sp + 1, " \r"));
	query = strchr(target, '?');
	req->method = arena_strndup(a, r->buf, (size_t)(sp - r->buf));
	req->path = query ? arena_strndup(a, target, (size_t)(query - target)) : target;
	if (parse_path(a, req->path, &req->segments, &req->segment_count, &err) < 0 ||
	    (query && parse_form(a, query + 1, strlen(query + 1), &fields, &err) < 0))
		return;
	req->query = fields;
	req->headers = read_headers(a, r->buf, r->head);
	req->raw_body = arena_strndup(a, r->buf + r->head, r->total - r->head);
	req->body = parse_body(a, value_text(value_get(req->headers, "content-type")),
			       req->raw_body, r->total - r->head);
	req->origin = s->origin;
	req->arena = a;
	world_answer(s->world, req, resp);
}

static void render(const struct server *s, const struct twin_req *req, const struct twin_resp *resp,
		   struct sb *out)
{
	CLEANUP(sb_done) struct sb body = SB_INIT(ANSWER_MAX);
	const char *type = resp->content_type;

	if (resp->body)
		json_write(&body, resp->body, JSON_COMPACT, NULL);
	else if (resp->text)
		sb_add(&body, resp->text);
	if (!type)
		type = resp->body ? "application/json" : "text/plain; charset=utf-8";
	sb_addf(out, "HTTP/1.1 %d .\r\nDate: ", resp->status);
	when_add_http_date(out, world_now(s->world) +
					world_skew_ms(s->world, world_twin_for(s->world, req)));
	sb_addf(out, "\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", type, body.len);
	for (size_t i = 0; i < ARRAY_LEN(resp->headers) && resp->headers[i].name; i++)
		sb_addf(out, "%s: %s\r\n", resp->headers[i].name, resp->headers[i].value);
	sb_add(out, "\r\n");
	sb_addn(out, body.buf, body.len);
}

static struct answer *make_answer(struct server *s, const struct request *r)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb out = SB_INIT(ANSWER_MAX + REQUEST_MAX);
	struct twin_req req = { 0 };
	struct twin_resp resp;
	struct answer *n = mem_alloc(sizeof(*n));

	ask_world(s, r, &a, &req, &resp);
	render(s, &req, &resp, &out);
	if (resp.status != 200)
		fprintf(stderr, "static_server: %d for %s %s\n", resp.status,
			req.method ? req.method : "?", req.path ? req.path : "?");
	n->len = out.len;
	n->bytes = sb_take(&out);
	return n;
}

static const struct answer *find_answer(struct server *s, const struct request *r)
{
	/* Key: method and target, and the body; whatever headers stand between are left out. */
	size_t line = strcspn(r->buf, "\r"), body = r->total - r->head;
	char key[REQUEST_MAX];
	uint64_t hash;
	const struct answer *found;

	memcpy(key, r->buf, line);
	memcpy(key + line, r->buf + r->head, body);
	hash = hash_add(UINT64_C(14695981039346656037), key, line + body);
	pthread_rwlock_rdlock(&s->lock);
	found = s->slots[slot_of(s, hash, key, line + body)];
	pthread_rwlock_unlock(&s->lock);
	if (!found) {
		size_t i;

		pthread_rwlock_wrlock(&s->lock);
		i = slot_of(s, hash, key, line + body);
		if (!s->slots[i] && s->made < SLOTS / 2) {
			struct answer *made = make_answer(s, r);

			made->hash = hash;
			made->key = mem_strndup(key, line + body);
			made->key_len = line + body;
			s->slots[i] = made;
			s->made++;
		}
		found = s->slots[i];
		pthread_rwlock_unlock(&s->lock);
	}
	return found;
}

/* ---- a connection ---- */

static void measure_request(struct request *r)
{
	const char *end, *len;

	r->buf[r->len] = '\0';
	r->head = r->total = 0;
	end = strstr(r->buf, "\r\n\r\n");
	if (!end)
		return;
	r->head = (size_t)(end - r->buf) + 4;
	len = strcasestr(r->buf, "\r\ncontent-length:");
	r->total = r->head;
	if (len && len < end)
		r->total += MIN_OF((size_t)strtoul(len + 17, NULL, 10), (size_t)REQUEST_MAX);
}

/* False: the connection has ended, or sent more than fits. */
static bool read_request(SSL *ssl, struct request *r)
{
	for (;;) {
		int n;

		measure_request(r);
		if (r->head && r->len >= r->total)
			return true;
		if (r->len == REQUEST_MAX)
			return false;
		n = SSL_read(ssl, r->buf + r->len, (int)(REQUEST_MAX - r->len));
		if (n <= 0)
			return false;
		r->len += (size_t)n;
	}
}

static void wait_ms(long ms)
{
	struct timespec t = { ms / 1000, (ms % 1000) * 1000000 };

	while (ms && nanosleep(&t, &t) < 0 && errno == EINTR)
		continue;
}

static void serve(struct server *s, SSL *ssl)
{
	struct request *r = mem_alloc(sizeof(*r));

	while (read_request(ssl, r)) {
		const struct answer *found = find_answer(s, r);

		wait_ms(s->delay_ms);
		if (!found || SSL_write(ssl, found->bytes, (int)found->len) <= 0)
			break;
		atomic_fetch_add(&s->requests, 1);
		r->len -= r->total;
		memmove(r->buf, r->buf + r->total, r->len);
	}
	mem_free(r);
}

static void *visit_main(void *arg)
{
	struct visit v = *(struct visit *)arg;
	SSL *ssl = SSL_new(v.server->tls);
	int on = 1;

	mem_free(arg);
	setsockopt(v.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (ssl && SSL_set_fd(ssl, v.fd) == 1 && SSL_accept(ssl) == 1)
		serve(v.server, ssl);
	SSL_free(ssl);
	close(v.fd);
	return NULL;
}

static void *accept_main(void *arg)
{
	struct visit *listener = arg;

	for (;;) {
		struct visit *v;
		pthread_t thread;
		int fd = accept(listener->fd, NULL, NULL);

		if (fd < 0)
			continue;
		atomic_fetch_add(&listener->server->connections, 1);
		v = mem_alloc(sizeof(*v));
		*v = (struct visit){ listener->server, fd };
		if (pthread_create(&thread, NULL, visit_main, v) == 0) {
			pthread_detach(thread);
		} else {
			close(fd);
			mem_free(v);
		}
	}
	return NULL;
}

/* ---- start ---- */

static int load_world(const char *path, struct world **ret, struct err *err)
{
	CLEANUP(arena_done) struct arena arena = ARENA_INIT;
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	struct diags diags;
	struct value *doc = NULL;

	diags_init(&diags, &arena);
	if (file_read(path, &text, err) < 0)
		return -(int)err->code;
	if (yaml_parse(&arena, path, text.buf, text.len, NULL, &doc, &diags) < 0 ||
	    diags.errors > 0)
		return err_set(err, E_PLAN, "%s:%u: %s", path, diags.list[0].pos.line,
			       diags.list[0].msg);
	*ret = world_new(doc, err);
	err->pos.file = *ret ? NULL : path;
	return *ret ? 0 : -(int)err->code;
}

static int use_certificate(SSL_CTX *tls, const char *dir, struct err *err)
{
	CLEANUP(sb_done) struct sb cert = SB_INIT(2 * CERT_PEM_MAX);
	CLEANUP(sb_done) struct sb key = SB_INIT(CERT_PEM_MAX);
	BIO *c, *k;
	X509 *x;
	EVP_PKEY *p;
	int ok;

	if (certs_prepare(dir, (int64_t)time(NULL) * WHEN_SECOND, &cert, &key, err) < 0)
		return -(int)err->code;
	c = BIO_new_mem_buf(cert.buf, -1);
	k = BIO_new_mem_buf(key.buf, -1);
	x = PEM_read_bio_X509(c, NULL, NULL, NULL);
	p = PEM_read_bio_PrivateKey(k, NULL, NULL, NULL);
	ok = x && p && SSL_CTX_use_certificate(tls, x) == 1 && SSL_CTX_use_PrivateKey(tls, p) == 1;
	X509_free(x);
	EVP_PKEY_free(p);
	BIO_free(c);
	BIO_free(k);
	return ok ? 0 : err_set(err, E_IO, "the certificate cannot be used");
}

static int open_port(struct server *s, const char *dir, int *ret_fd, struct err *err)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(4096);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union {
		struct sockaddr_in *in;
		struct sockaddr *any;
	} u = { .in = &at };

	if (fd < 0 || bind(fd, u.any, len) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, u.any, &len) < 0)
		return err_set(err, E_IO, "cannot listen: %s", strerror(errno));
	snprintf(s->origin, sizeof(s->origin), "https://127.0.0.1:%u", ntohs(at.sin_port));
	sb_addf(&path, "%s/url", dir);
	*ret_fd = fd;
	return file_write(path.buf, s->origin, strlen(s->origin), 0644, err);
}

static int run(struct server *s, const char *world, const char *dir, struct err *err)
{
	static struct visit listener;
	struct timespec life = { LIFE_S, 0 };
	struct rusage used;
	pthread_t thread;
	sigset_t set;
	int fd = -1;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL); /* for all threads: taken below */
	s->tls = SSL_CTX_new(TLS_server_method());
	if (!s->tls)
		return err_set(err, E_IO, "no TLS");
	SSL_CTX_set_min_proto_version(s->tls, TLS1_2_VERSION);
	if (load_world(world, &s->world, err) < 0 || file_make_dirs(dir, 0755, err) < 0 ||
	    use_certificate(s->tls, dir, err) < 0 || open_port(s, dir, &fd, err) < 0)
		return -(int)err->code;
	listener = (struct visit){ s, fd };
	if (pthread_create(&thread, NULL, accept_main, &listener) != 0)
		return err_set(err, E_IO, "no thread");
	sigtimedwait(&set, NULL, &life);
	getrusage(RUSAGE_SELF, &used);
	printf("%zu %zu %zu %lld\n", (size_t)s->requests, s->made, (size_t)s->connections,
	       (long long)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
		       used.ru_utime.tv_usec + used.ru_stime.tv_usec);
	return 0;
}

int main(int argc, char **argv)
{
	static struct server s = { .lock = PTHREAD_RWLOCK_INITIALIZER };
	CLEANUP(sb_done) struct sb words = SB_INIT(4096);
	struct err err = ERR_INIT;

	if (argc < 3 || argc > 4) {
		fputs("usage: static_server WORLD DIR [DELAY_MS]\n", stderr);
		return 64;
	}
	s.delay_ms = argc == 4 ? MIN_OF(strtol(argv[3], NULL, 10), 10000L) : 0;
	if (run(&s, argv[1], argv[2], &err) == 0) {
		fflush(stdout);
		_exit(0); /* with connections still open: their threads end here */
	}
	err_print(&err, &words);
	fputs(words.buf, stderr);
	return 1;
}
