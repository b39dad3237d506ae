/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - a small HTTP/1.1 server on 127.0.0.1 that misbehaves as a test wants it to.
 *
 * A thread for each connection; what goes back is the test's, byte by byte. Certificates are made
 * when it starts; the authority is written to a file in a temporary folder. For tests only:
 * failures abort.
 */
#pragma once
#include "core/base/base.h"

struct wire_server;
struct wire_conn;

struct wire_request {
	char method[16], target[2048]; /* as received */
	const char *head;              /* request line and headers, terminated */
	const char *body;              /* terminated; needs a Content-Length */
	size_t body_len;
	unsigned conn; /* which connection, from 1 */
	unsigned nth;  /* which request on it, from 1 */
};

/* Called in the connection's thread. What it leaves open serves the next request. */
typedef void wire_answer(struct wire_conn *c, const struct wire_request *r, void *ctx);

enum wire_kind {
	WIRE_PLAIN,
	WIRE_TLS,
	WIRE_TLS_OTHER_HOST, /* the certificate is for other.example */
	WIRE_TLS_SAME_NAME,  /* its authority is called like that of every other server of this kind */
	WIRE_DEAF,           /* accepts, and never says a word */
};

struct wire_server *wire_start(enum wire_kind kind, wire_answer *answer, void *ctx) MUST_USE;
void wire_stop(struct wire_server *s); /* ends all connections and threads; NULL is fine */
const char *wire_url(const struct wire_server *s);     /* "https://127.0.0.1:4711" */
const char *wire_ca_file(const struct wire_server *s); /* NULL for WIRE_PLAIN */
unsigned wire_connections(struct wire_server *s);      /* accepted so far */
unsigned wire_requests(struct wire_server *s);         /* read so far */

/* For wire_answer. The connection stays open until wire_close or wire_reset. */
void wire_send(struct wire_conn *c, const char *bytes, size_t len);
void wire_text(struct wire_conn *c, const char *text);
void wire_reply(struct wire_conn *c, const char *status, const char *headers,
		const char *body); /* with Content-Length; headers end in CRLF each */
void wire_close(struct wire_conn *c);
void wire_reset(struct wire_conn *c);         /* RST instead of FIN */
void wire_sleep(struct wire_conn *c, int ms); /* shorter when the server stops */

unsigned wire_free_port(void); /* where nobody listens */
