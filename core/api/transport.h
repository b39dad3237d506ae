/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport.h - carries exchanges: libcurl in the program, a script in golden cases, the
 * twins in simulation. The engine owns retries, authentication and order; a transport only sends and waits.
 */
#pragma once
#include "core/api/http_msg.h"

enum transport_result {
	SENT_OK,          /* resp is filled */
	SENT_NEVER,       /* failed before a byte of the request left: the other side cannot have acted */
	SENT_UNKNOWN,     /* failed later (reset, timeout, truncated): it may have acted */
};

struct exchange {
	/* Filled by the engine; borrowed until the exchange comes back. */
	const char *method, *url;          /* absolute */
	const char *system;                /* connection name, for messages and traces */
	const struct http_header *headers; /* ends with a NULL name; none is secret */
	const struct secret *bearer;       /* Authorization: Bearer; or NULL */
	enum body_kind body_kind;
	const struct value *body;
	const char *secret_field;
	const char *ca_file;               /* or NULL for the system's */
	int64_t timeout_ms;
	size_t body_max;                   /* bytes of an answer's body; more is an error */
	struct arena *arena;               /* where the answer goes */
	void *owner;                       /* the engine's */
	void (*deliver)(struct exchange *x); /* the engine's: takes it when it is back */

	/* Filled by the transport. */
	enum transport_result result;
	struct http_resp resp;
	struct err err;                    /* E_TRANSPORT or E_REMOTE when result is not SENT_OK */
};

struct transport {
	void *ctx;
	void (*start)(void *ctx, struct exchange *x);  /* never fails here: failures come back through next */
	/*
	 * Gives the next finished exchange; waits for one at most timeout_ms of the engine's time (the implementation divides
	 * real sleeping by --time-scale). NULL: none yet, or a signal came. With nothing under way it just sleeps.
	 */
	struct exchange *(*next)(void *ctx, int64_t timeout_ms);
	void (*cancel)(void *ctx, struct exchange *x); /* forgets it; it will not come back */
};
