/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caller.h - carries out providers' calls: many at once, on one thread.
 *
 * A call_fn fills requests; the caller adds address, authentication and limits, sends, retries what may be sent again, and hands answers
 * back until the call is done. It owns no policy: a reading call that tries anything but GET is a bug and is not sent.
 */
#pragma once
#include "core/run/auth.h"
#include "core/run/retry.h"

enum call_mode { CALL_READS, CALL_WRITES };

struct call_job {
	/* Given. */
	const struct rollout_env *env;
	const struct thing_type *thing;
	call_fn *fn;
	enum call_mode mode;
	struct view view;            /* copied; what it points to must live until done */
	bool survives_loss;          /* an exchange without an answer goes to fn as NULL, instead of ending the call */
	bool mends;                  /* ends what an earlier command left half done: a stop before its first request does not end it, but tells it so */
	void (*done)(void *arg, struct call_job *job); /* the job and its arena die when it returns */
	void *arg;

	/* The result. */
	struct call call;
	enum next result;            /* NEXT_DONE or NEXT_FAIL */
	struct err err;
	bool is_fenced;              /* failed because a token must not be minted now */
	bool may_have_acted;         /* a write's reply was lost */
	struct value *requests;      /* list of "GET console /organizations", in the call's arena */
	size_t chain;                /* exchanges one after the other */

	/* The caller's own. */
	struct caller *caller;
	struct call_job *next, *prev;
	struct http_req req;
	struct exchange x;
	struct conn conn;
	struct auth_session *session;
	struct secret *bearer;       /* the token that was sent: held while the exchange is under way */
	struct retry retry;
	bool is_sent, wants_token, reauthorized, is_asked; /* is_asked: its request stands, not yet sent */
	struct memo *memo;
	int64_t wake_mono;           /* NEXT_WAIT or a retry; INT64_MAX: waits for something else */
	bool wakes_call;             /* at wake the call is asked again; else its request is sent again */
};

struct caller_options {
	const struct sys *sys;
	const struct transport *transport;
	const struct secret_source *secrets;
	struct clocks *clocks;
	const struct registry *registry;
	const struct rollout *rollout;
	const struct mint_guard *guard; /* NULL: migrating clients are never minted for */
};
struct caller;
struct caller *caller_new(const struct caller_options *o) MUST_USE;
void caller_free(struct caller *c); /* forgets what is under way, without calling done */
void caller_forget(struct caller *c); /* only that: whoever asked ends before the caller does */

/* Starts a call; the template's "given" members are copied. Borrowed until done. */
struct call_job *caller_start(struct caller *c, const struct call_job *given);
size_t caller_busy(const struct caller *c);   /* calls under way */
/*
 * Takes one step: fires what is due, waits at most timeout_ms (less when something is due earlier) for the transport, delivers.
 */
void caller_pump(struct caller *c, int64_t timeout_ms);
void caller_forget_shared(struct caller *c);  /* REQ_SHARED answers: a new round asks anew */
void caller_hold(struct caller *c);           /* nothing more begins: calls that read are dropped as failed, so is one that has sent nothing, unless it mends */
void caller_stop(struct caller *c);           /* a signal came: every call under way sees stopping; calls that read are dropped as failed */
size_t caller_exchanges(const struct caller *c); /* sent so far */
struct auth *caller_auth(struct caller *c);
