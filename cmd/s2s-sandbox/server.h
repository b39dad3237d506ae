/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - HTTPS on 127.0.0.1. The only file that names libmicrohttpd.
 *
 * The library is driven from outside through its epoll descriptor, in the one thread that the
 * program has: the world is then used by nobody else and needs no lock. Waits (latency, slow
 * bodies) suspend a connection, never the thread.
 */
#pragma once
#include "cmd/s2s-sandbox/sandbox.h"

struct server;
/*
 * Binds and listens. @port 0: a free one. @cert_pem, @key_pem: borrowed for the server's life.
 */
int server_open(struct sandbox *box, uint16_t port, const char *cert_pem, const char *key_pem,
		struct server **ret, struct err *err) MUST_USE;
void server_close(struct server *s); /* NULL is fine */

const char *server_origin(const struct server *s); /* "https://127.0.0.1:4711" */
unsigned server_port(const struct server *s);
int server_poll_fd(const struct server *s);        /* readable when server_run has work */
int server_timeout_ms(const struct server *s, int at_most); /* call server_run by then */
void server_run(struct server *s);                 /* does what is ready, never blocks */
