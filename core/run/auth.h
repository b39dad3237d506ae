/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.h - tokens: bearer by reference, or minted with client credentials; kept in memory, shared by all who may.
 *
 * The mint of a client that any environment migrates would spoil the evidence: whoever runs the program
 * hands in a mint guard, which allows or refuses it beforehand and is told the interval in which it may have happened.
 */
#pragma once
#include "core/api/secret_source.h"
#include "core/api/transport.h"
#include "core/run/clocks.h"
#include "core/run/conn.h"

struct mint_guard {
	void *ctx;
	/* Before a mint with a migrating client is sent. 0, or the refusal (E_REFUSED). Journals the intent. */
	int (*before)(void *ctx, const char *client_id, const char *conn, int64_t from_ms, struct err *err);
	/* After it: the interval of server time in which a use may be ours. */
	int (*after)(void *ctx, const char *client_id, int64_t from_ms, int64_t to_ms, struct err *err);
};

enum auth_state { AUTH_READY, AUTH_MINTING, AUTH_FAILED };

struct auth;
struct auth_session; /* one token: the same client at the same endpoint with the same scopes */

struct auth *auth_new(const struct sys *sys, const struct transport *t, const struct secret_source *s, struct clocks *clocks, const struct rollout *r, const struct mint_guard *guard) MUST_USE;
void auth_free(struct auth *a);

/*
 * Looks for a token for `conn`; starts to mint one when there is none with 10 minutes left. AUTH_MINTING: an exchange is under
 * way; ask again when something has come back.
 * @ret_bearer  the caller's, with secret_free: a session may drop its own while an exchange is under way; NULL for "none"
 */
enum auth_state auth_get(struct auth *a, const struct conn *conn, struct secret **ret_bearer, struct auth_session **ret_session, struct err *err);
int64_t auth_wake(const struct auth *a);  /* mono_ms at which auth_tick has something to do; INT64_MAX: never */
void auth_tick(struct auth *a);           /* sends mints again whose waiting is over */
/*
 * After a 401: forgets the token that was sent, unless another 401 has done so already. True: asking again makes sense (a minted
 * one, or an exec: reference).
 */
bool auth_drop(struct auth *a, struct auth_session *s, const struct secret *sent);
/* Every token that was asked for, as "POST <address> (client)": a list that grows; borrowed. */
const struct value *auth_requests(const struct auth *a);
bool auth_has_token(const struct auth *a, const char *client_id); /* a living one of this client is in memory */
