/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h - one connection of one environment, ready for use, and addresses below it.
 */
#pragma once
#include "core/api/http_msg.h"
#include "core/api/provider.h"
#include "core/plan/rollout.h"

struct conn {
	const char *name;                /* "console" */
	const struct connection_type *type;
	const char *base;                /* url + prefix, no trailing slash */
	const char *ca_file;             /* or NULL */
	int64_t timeout_ms;
	const char *auth_kind;           /* "none", "bearer", "client_credentials" */
	const char *token_ref;           /* bearer */
	const char *client_id, *secret_ref, *token_url, *scopes; /* client_credentials */
	const char *api_key;             /* or NULL */
};

/* E_DENIED when the environment has no such connection: then a person has to look. */
int conn_find(struct arena *a, const struct registry *reg, const struct rollout_env *env, const char *name, struct conn *ret, struct err *err) MUST_USE;

/*
 * The token endpoint at which the environment's own credential is exchanged when a request to `conn` is made with it: the one that
 * clients of that connection use.
 */
int conn_migrating(struct arena *a, const struct registry *reg, const struct rollout_env *env, const struct conn *conn, const char *scopes, struct conn *ret, struct err *err) MUST_USE;

/*
 * The absolute address of a request. A link that a server gave is resolved against the base; when it leads to another origin
 * it is refused (E_REMOTE), since our token would go there.
 */
int conn_url(struct arena *a, const struct conn *conn, const struct http_req *req, const char **ret, struct err *err) MUST_USE;
