/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_text.h - exchanges as bytes (HTTP/1.1, RFC 9112), written and read again, both sides of the wire.
 *
 * The client's side reads answers as core/io/http.c does: the same JSON parser and limits, `secret_field` becomes a secret, the first bytes of what is no JSON
 * become text, header names lower case. The server's side is a reader of its own. And a pair that does without bytes, for speed.
 */
#pragma once
#include "core/api/transport.h"
#include "core/api/twin.h"

/* Request line, headers, body, with secrets opened. E_TRANSPORT for what cannot be written. */
int http_text_request(struct sb *out, const struct exchange *x, struct err *err) MUST_USE;

/* The absolute address that a request's bytes lead to: "https://", its Host, its target; in `a`. NULL: these are no request. */
const char *http_text_address(const char *bytes, size_t len, struct arena *a);
/*
 * The request as a twin reads it.
 * @route  path and query as the twins know them (scene.h)
 */
int http_text_read_request(const char *bytes, size_t len, const char *route, const char *origin, struct arena *a, struct twin_req *ret, struct err *err) MUST_USE;

void http_text_answer(struct sb *out, const struct twin_resp *resp, int64_t date_ms, const char *request_id);

/*
 * Fills x->resp (in x->arena) and x->result from an answer's bytes; fewer than its Content-Length says: SENT_UNKNOWN.
 * @ret_secret  the secret in x->secret_field, to be kept as long as values borrow it; NULL: none
 */
void http_text_read_answer(struct exchange *x, const char *bytes, size_t len, struct secret **ret_secret);

/* The same without bytes: the request's body shared with secrets opened, the answer's body copied. */
int http_value_request(const struct exchange *x, const char *route, const char *origin, struct arena *a, struct twin_req *ret, struct err *err) MUST_USE;
void http_value_answer(struct exchange *x, const struct twin_resp *resp, int64_t date_ms, const char *request_id, struct secret **ret_secret);

/* x->err and x->result for an exchange that failed: "console: GET https://host/path: words". */
void http_text_fail(struct exchange *x, enum transport_result result, const char *words);
