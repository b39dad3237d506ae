/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - the transport over libcurl's multi handle. The only file that names libcurl.
 *
 * https only, but for http to loopback; no redirects; TLS always verified (a connection's ca_file replaces the
 * system's authorities); connections are kept and reused; no worker threads. Bodies over exchange.body_max, and text with NUL bytes, are errors. JSON is parsed here, so that a
 * secret in an answer is one before anybody else sees the text.
 */
#pragma once
#include "core/api/transport.h"
#include "core/base/sys.h"

struct http_options {
	int64_t time_scale;        /* waiting is divided by it; 1 normally */
	int64_t connect_timeout_ms; /* 0: 15 s */
	long per_host;             /* connections per host at most; 0: 8 */
	const char *user_agent;
	const struct sys *sys;     /* borrowed */
};
struct http;
int http_open(const struct http_options *o, struct http **ret, struct err *err) MUST_USE;
void http_close(struct http *h); /* NULL is fine */
const struct transport *http_transport(struct http *h); /* borrowed */
