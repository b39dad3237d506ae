/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wire/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNS_MAX 512
#define READ_MAX 65536

#define CHECK(is_true)                                                                             \
	do {                                                                                       \
		if (!(is_true)) {                                                                  \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #is_true);              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct wire_conn {
	struct wire_server *server;
	pthread_t thread;
	unsigned number;
	int fd;
	SSL *ssl;
	bool closed;
	char buf[READ_MAX + 1];
	size_t len;
};

struct wire_server {
	enum wire_kind kind;
	wire_answer *answer;
	void *ctx;
	int fd, stop; /* stop: an eventfd that is never read, so all threads see it */
	char url[64], folder[64], ca_file[96];
	SSL_CTX *tls;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards requests and connections */
	unsigned requests, connections;
	struct wire_conn *conns[CONNS_MAX];
};

/* --- certificates --- */

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	CHECK(ext && X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
}

/* issuer NULL: signs itself. */
static X509 *make_cert(const char *name, long serial, EVP_PKEY *key, X509 *issuer,
		       EVP_PKEY *issuer_key, const char *alt_name)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_NAME_new();

	CHECK(cert && subject);
	CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
					 -1, -1, 0));
	CHECK(X509_set_version(cert, 2) && X509_set_subject_name(cert, subject));
	CHECK(X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject));
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(cert), serial));
	CHECK(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
	CHECK(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	CHECK(X509_set_pubkey(cert, key));
	if (!issuer) {
		add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
		add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	} else {
		add_extension(cert, issuer, NID_subject_alt_name, alt_name);
	}
	CHECK(X509_sign(cert, issuer_key, EVP_sha256()));
	X509_NAME_free(subject);
	return cert;
}

static void make_tls(struct wire_server *s)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = make_cert(s->kind == WIRE_TLS_SAME_NAME ? "one name" : s->folder, 1, ca_key,
			     NULL, ca_key, NULL);
	X509 *leaf = make_cert("s2sctl test server", 2, key, ca, ca_key,
			       s->kind == WIRE_TLS_OTHER_HOST ? "DNS:other.example" :
								"IP:127.0.0.1,DNS:localhost");
	FILE *f;

	snprintf(s->ca_file, sizeof(s->ca_file), "%s/ca.pem", s->folder);
	f = fopen(s->ca_file, "w");
	CHECK(f && PEM_write_X509(f, ca) && fclose(f) == 0);
	s->tls = SSL_CTX_new(TLS_server_method());
	CHECK(s->tls && SSL_CTX_use_certificate(s->tls, leaf) &&
	      SSL_CTX_use_PrivateKey(s->tls, key));
	X509_free(ca);
	X509_free(leaf);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
}

/* --- a connection --- */

static void raw_close(struct wire_conn *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(c->fd);
	c->closed = true;
}

void wire_close(struct wire_conn *c)
{
	if (c->closed)
		return;
	if (c->ssl)
		SSL_shutdown(c->ssl);
	raw_close(c);
}

void wire_reset(struct wire_conn *c)
{
	struct linger now = { 1, 0 };

	if (c->closed)
		return;
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	raw_close(c);
}

void wire_send(struct wire_conn *c, const char *bytes, size_t len)
{
	while (len > 0 && !c->closed) {
		size_t once = MIN_OF(len, (size_t)1 << 20);
		ssize_t n = c->ssl ? SSL_write(c->ssl, bytes, (int)once) :
				     send(c->fd, bytes, once, MSG_NOSIGNAL);

		if (n <= 0) {
			ERR_clear_error();
			raw_close(c);
			return;
		}
		bytes += n;
		len -= (size_t)n;
	}
}

void wire_text(struct wire_conn *c, const char *text)
{
	wire_send(c, text, strlen(text));
}

void wire_reply(struct wire_conn *c, const char *status, const char *headers, const char *body)
{
	char head[4096];

	snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status,
		 strlen(body), headers);
	wire_text(c, head);
	wire_text(c, body);
}

/* True: something to read, or the other side has gone. False: time is up, or the server stops. */
static bool conn_wait(struct wire_conn *c, short events, int ms)
{
	struct pollfd fds[2] = { { c->closed ? -1 : c->fd, events, 0 },
				 { c->server->stop, POLLIN, 0 } };

	while (poll(fds, 2, ms) < 0 && errno == EINTR)
		;
	return fds[0].revents && !fds[1].revents;
}

void wire_sleep(struct wire_conn *c, int ms)
{
	conn_wait(c, 0, ms);
}

static bool conn_read(struct wire_conn *c)
{
	ssize_t n;

	if (c->closed || c->len == READ_MAX)
		return false;
	if (!(c->ssl && SSL_pending(c->ssl)) && !conn_wait(c, POLLIN, -1))
		return false;
	n = c->ssl ? SSL_read(c->ssl, c->buf + c->len, (int)(READ_MAX - c->len)) :
		     recv(c->fd, c->buf + c->len, READ_MAX - c->len, 0);
	if (n <= 0) {
		ERR_clear_error();
		return false;
	}
	c->len += (size_t)n;
	c->buf[c->len] = '\0';
	return true;
}

static size_t body_len(const char *head)
{
	const char *p = strcasestr(head, "\r\ncontent-length:");

	return p ? strtoul(p + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

/* Reads one request and has it answered; false when there is no more. */
static bool conn_serve(struct wire_conn *c, unsigned nth)
{
	struct wire_request r = { .conn = c->number, .nth = nth };
	size_t head_len, whole;
	char *end, *head;

	while (!(end = memmem(c->buf, c->len, "\r\n\r\n", 4)))
		if (!conn_read(c))
			return false;
	head_len = (size_t)(end - c->buf) + 4;
	head = strndup(c->buf, head_len);
	whole = head_len + body_len(head);
	while (c->len < whole && conn_read(c))
		;
	if (c->len >= whole && sscanf(head, "%15s %2047s", r.method, r.target) == 2) {
		char *body = strndup(c->buf + head_len, whole - head_len);

		memmove(c->buf, c->buf + whole, c->len - whole);
		c->len -= whole;
		r.head = head;
		r.body = body;
		r.body_len = whole - head_len;
		pthread_mutex_lock(&c->server->mutex);
		c->server->requests++;
		pthread_mutex_unlock(&c->server->mutex);
		c->server->answer(c, &r, c->server->ctx);
		free(body);
	} else {
		wire_close(c);
	}
	free(head);
	return !c->closed;
}

static void *conn_main(void *arg)
{
	struct wire_conn *c = arg;

	if (c->server->kind == WIRE_DEAF) {
		conn_wait(c, 0, -1);
	} else if (c->server->tls) {
		c->ssl = SSL_new(c->server->tls);
		CHECK(c->ssl && SSL_set_fd(c->ssl, c->fd));
		if (SSL_accept(c->ssl) != 1) {
			ERR_clear_error();
			raw_close(c);
		}
	}
	for (unsigned nth = 1; !c->closed && conn_serve(c, nth); nth++)
		;
	wire_close(c);
	return NULL;
}

/* --- the server --- */

static void *server_main(void *arg)
{
	struct wire_server *s = arg;

	for (;;) {
		struct pollfd fds[2] = { { s->fd, POLLIN, 0 }, { s->stop, POLLIN, 0 } };
		struct wire_conn *c;
		int fd;

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			return NULL;
		fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		c = calloc(1, sizeof(*c));
		CHECK(c && s->connections < CONNS_MAX);
		c->server = s;
		c->fd = fd;
		pthread_mutex_lock(&s->mutex);
		s->conns[s->connections] = c;
		c->number = ++s->connections;
		pthread_mutex_unlock(&s->mutex);
		CHECK(pthread_create(&c->thread, NULL, conn_main, c) == 0);
	}
}

static int listen_loopback(unsigned *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(listen(fd, 256) == 0 && getsockname(fd, (struct sockaddr *)&a, &len) == 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

struct wire_server *wire_start(enum wire_kind kind, wire_answer *answer, void *ctx)
{
	struct wire_server *s = calloc(1, sizeof(*s));
	unsigned port;

	CHECK(s);
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with plain write() */
	s->kind = kind;
	s->answer = answer;
	s->ctx = ctx;
	snprintf(s->folder, sizeof(s->folder), "/tmp/s2sctl-wire.XXXXXX");
	CHECK(mkdtemp(s->folder));
	if (kind != WIRE_PLAIN)
		make_tls(s);
	s->fd = listen_loopback(&port);
	snprintf(s->url, sizeof(s->url), "%s://127.0.0.1:%u", s->tls ? "https" : "http", port);
	s->stop = eventfd(0, EFD_CLOEXEC);
	CHECK(s->stop >= 0 && pthread_mutex_init(&s->mutex, NULL) == 0);
	CHECK(pthread_create(&s->thread, NULL, server_main, s) == 0);
	return s;
}

void wire_stop(struct wire_server *s)
{
	if (!s)
		return;
	CHECK(eventfd_write(s->stop, 1) == 0);
	pthread_join(s->thread, NULL);
	for (unsigned i = 0; i < s->connections; i++) {
		/* A thread may sit in a handshake, or in a write that nobody reads. */
		pthread_join(s->conns[i]->thread, NULL);
		free(s->conns[i]);
	}
	close(s->fd);
	close(s->stop);
	if (s->tls)
		unlink(s->ca_file);
	rmdir(s->folder);
	SSL_CTX_free(s->tls);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}

const char *wire_url(const struct wire_server *s)
{
	return s->url;
}

const char *wire_ca_file(const struct wire_server *s)
{
	return s->tls ? s->ca_file : NULL;
}

static unsigned guarded(struct wire_server *s, const unsigned *count)
{
	unsigned n;

	pthread_mutex_lock(&s->mutex);
	n = *count;
	pthread_mutex_unlock(&s->mutex);
	return n;
}

unsigned wire_connections(struct wire_server *s)
{
	return guarded(s, &s->connections);
}

unsigned wire_requests(struct wire_server *s)
{
	return guarded(s, &s->requests);
}

unsigned wire_free_port(void)
{
	unsigned port;

	close(listen_loopback(&port));
	return port;
}
