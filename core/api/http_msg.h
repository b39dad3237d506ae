/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_msg.h - requests and answers as providers see them: data, no sockets.
 *
 * A provider fills a request; the engine adds base URL, authentication and limits, sends it and hands
 * the answer back. Both live in the call's arena.
 */
#pragma once
#include "core/base/value.h"

enum body_kind { BODY_NONE, BODY_JSON, BODY_FORM }; /* a form is a map of strings and secrets */

enum http_req_flag {
	REQ_SHARED = 1 << 0,      /* a GET whose answer every call of this round may share, e.g. a list of organizations */
	REQ_NO_AUTH = 1 << 1,     /* no Authorization, no API key */
	REQ_AS_MIGRATING = 1 << 2, /* authenticate with the credential being migrated, not with the connection's own: mints under the fence's rules */
	REQ_ANY_STATUS = 1 << 3,  /* every answer is handed over, also 401, 403, 429 past the last retry, 5xx */
};

#define HTTP_HEADERS_MAX 8
struct http_header {
	const char *name, *value;
};

struct http_req {
	const char *method;        /* "GET", "POST", "PATCH", "PUT", "DELETE": static text */
	const char *conn;          /* the connection by its name in the registry: static text */
	const char *path;          /* from '/', segments escaped, query included; appended to the connection's base URL */
	const char *href;          /* instead of path: a link that a server gave. Resolved against the base; another origin is refused before anything is sent */
	const char *query;         /* appended to an href-less path after '?', or to an href with '?' or '&'; escaped; NULL for none */
	struct http_header headers[HTTP_HEADERS_MAX]; /* extra ones; ends at a NULL name */
	enum body_kind body_kind;
	const struct value *body;  /* secrets in it are opened only where bytes go to the wire */
	const char *secret_field;  /* a field of the answer (top level) that becomes a VAL_SECRET before anybody sees it */
	unsigned flags;            /* http_req_flag */
	const char *scopes;        /* REQ_AS_MIGRATING: scopes to ask for, joined as the token endpoint wants them; NULL: `credential.scopes` of the file */
	const char *what;          /* for messages: "list projects" */
};

struct http_resp {
	int status;                /* 100-599 */
	int64_t date_ms;           /* the server's own clock by its Date header; 0 = none */
	int64_t sent_wall_ms, done_wall_ms; /* local clock */
	const struct value *body;  /* parsed JSON; NULL when empty or not JSON */
	const char *text;          /* first bytes of a body that is not JSON, masked, else NULL */
	const char *request_id;    /* x-request-id, x-debug-id, x-ms-service-request-id ... whichever came; or NULL */
	const char *retry_after;   /* raw, or NULL */
	const char *content_type;  /* or NULL */
	const struct http_header *headers; /* all, names in lower case; ends with a NULL name */
};

/* It did what was asked: 2xx, and no page of a proxy or of a sign-in in place of the system's own answer. An empty body is fine. */
bool http_ok(const struct http_resp *r);
const char *http_resp_header(const struct http_resp *r, const char *lower_name); /* NULL when absent */

/* Path building. All return text in the arena. */
const char *http_path(struct arena *a, const char *fmt, ...) MUST_USE; /* only %s, each escaped as one segment: http_path(a, "/organizations/%s/projects", org) */
/* Query building: NULL-terminated name, value pairs; both escaped; a NULL value skips the pair. */
const char *http_query(struct arena *a, ...) MUST_USE;

/*
 * Turns an unexpected answer into an error that names request, status and request id and quotes the server's own words, masked.
 * 401 and 403 give E_DENIED, the rest E_REMOTE. Returns -code.
 */
int http_unexpected(const struct http_req *req, const struct http_resp *resp, struct err *err);
