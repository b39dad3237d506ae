/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - one request from its last byte to the first byte of its answer.
 *
 * Knows no HTTP library: the server fills in what arrived, calls ask, waits verdict.before_ms,
 * calls act, waits verdict.after_ms, and sends what is there then (or resets the connection).
 */
#pragma once
#include "cmd/s2s-sandbox/sandbox.h"

#define EXCHANGE_BODY_MAX ((size_t)1 << 20)

struct exchange {
	/* Filled in by the server. */
	struct sandbox *box;   /* borrowed */
	struct arena arena;    /* whatever this request needs */
	const char *origin;    /* "https://127.0.0.1:4711", unless the Host header is better */
	const char *uri;       /* raw, with the query */
	const char *method;
	struct value *headers; /* names in lower case */
	struct sb body;        /* `over`: larger than EXCHANGE_BODY_MAX */

	/* Filled in by ask. */
	struct fault_verdict verdict;

	/* Filled in by act. */
	struct twin_resp resp;    /* status and headers to send */
	const char *content_type; /* or NULL: no body */
	struct sb text;           /* the body, unless huge */
	uint64_t body_len;        /* as announced ... */
	uint64_t body_sent_len;   /* ... and what will be sent of it: less for truncate */
	int64_t date_ms;          /* by the clock of the system that answers */

	/* Its own. */
	struct twin_req req;
	const struct twin *twin;
	const char *path;
	bool is_admin, is_answered; /* answered: without any twin, by ask */
	int twin_status;
};

void exchange_init(struct exchange *ex, struct sandbox *box, const char *origin, const char *uri);
void exchange_done(struct exchange *ex);

void exchange_ask(struct exchange *ex);
void exchange_act(struct exchange *ex);
/* After act: the connection is to be reset, nothing is sent. */
bool exchange_is_reset(const struct exchange *ex);
/* Copies up to `max` bytes of the body from `pos` on; the caller stays below body_len. */
size_t exchange_read(const struct exchange *ex, uint64_t pos, char *buf, size_t max);
