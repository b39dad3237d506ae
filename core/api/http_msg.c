/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/http_msg.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "core/base/redact.h"

#define URL_MAX ((size_t)64 << 10)
#define WORDS_MAX ((size_t)64 << 10)

const char *http_resp_header(const struct http_resp *r, const char *lower_name)
{
	for (const struct http_header *h = r->headers; h && h->name; h++)
		if (strcmp(h->name, lower_name) == 0)
			return h->value;
	return NULL;
}

bool http_ok(const struct http_resp *r)
{
	return r->status >= 200 && r->status < 300 && !r->text;
}

/*
 * Dots alone would climb the path: clients and servers resolve "..", also an escaped one. Escaped
 * twice it stays a name, and one that no system has.
 */
static void add_segment(struct sb *out, const char *segment)
{
	if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
		for (const char *p = segment; *p; p++)
			sb_add(out, "%252E");
	else
		sb_add_escaped(out, segment);
}

const char *http_path(struct arena *a, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(URL_MAX);
	va_list ap;

	va_start(ap, fmt);
	for (const char *p = fmt; *p;) {
		size_t plain = strcspn(p, "%");
		const char *segment;

		sb_addn(&out, p, plain);
		p += plain;
		if (!*p)
			break;
		assert(p[1] == 's');
		p += 2;
		segment = va_arg(ap, const char *);
		assert(segment);
		add_segment(&out, segment);
	}
	va_end(ap);
	assert(!out.over);
	return arena_strndup(a, out.buf, out.len);
}

const char *http_query(struct arena *a, ...)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(URL_MAX);
	const char *name;
	va_list ap;

	va_start(ap, a);
	while ((name = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);

		if (!value)
			continue;
		if (out.len > 0)
			sb_addc(&out, '&');
		sb_add_escaped(&out, name);
		sb_addc(&out, '=');
		sb_add_escaped(&out, value);
	}
	va_end(ap);
	assert(!out.over);
	return out.len > 0 ? arena_strndup(a, out.buf, out.len) : NULL;
}

/* The first of these members that holds words or a number, as text in `into`. */
static bool add_member(struct sb *into, const struct value *map, const char *const *names)
{
	for (; *names; names++) {
		const struct value *v = value_get(map, *names);
		const char *text = value_text(v);

		if (text && text[0]) {
			sb_add(into, text);
			return true;
		}
		if (v && v->kind == VAL_INT) {
			sb_addf(into, "%" PRId64, v->u.i);
			return true;
		}
	}
	return false;
}

/*
 * What error answers have in common: OAuth's error and error_description (RFC 6749 section
 * 5.2), a problem's title and detail (RFC 9457), and the usual code and message, the latter
 * also in an object `error` or in the first of `errors`.
 */
static bool add_words(struct sb *into, const struct value *v)
{
	static const char *const messages[] = { "error_description", "message", "detail", "title",
						NULL };
	static const char *const codes[] = { "error_code", "code", "error", NULL };
	CLEANUP(sb_done) struct sb code = SB_INIT(WORDS_MAX);
	const char *text = value_text(v);

	if (text) {
		sb_add(into, text);
		return text[0];
	}
	(void)add_member(&code, v, codes);
	if (add_member(into, v, messages)) {
		if (code.len > 0 && !strstr(into->buf, code.buf))
			sb_addf(into, " (%s)", code.buf);
		return true;
	}
	sb_add(into, code.buf);
	return code.len > 0;
}

static bool is_html(const struct http_resp *resp)
{
	return resp->content_type &&
	       (strncasecmp(resp->content_type, "text/html", 9) == 0 ||
		strncasecmp(resp->content_type, "application/xhtml", 17) == 0);
}

/* The server's own words, or nothing. */
static void add_answer(struct sb *into, const struct http_resp *resp)
{
	const struct value *error = value_get(resp->body, "error");
	const struct value *first = value_at(value_get(resp->body, "errors"), 0);

	if (error && error->kind == VAL_MAP && add_words(into, error))
		return;
	if (resp->body && add_words(into, resp->body))
		return;
	if (first && add_words(into, first))
		return;
	if (is_html(resp))
		sb_add(into, resp->status < 300 ? "an HTML page instead of JSON" : "an HTML page");
	else if (resp->text && resp->status < 300)
		sb_add(into, "no JSON");
	else if (resp->text)
		sb_addn(into, resp->text, strnlen(resp->text, 200));
}

int http_unexpected(const struct http_req *req, const struct http_resp *resp, struct err *err)
{
	CLEANUP(sb_done) struct sb words = SB_INIT(WORDS_MAX);
	CLEANUP(sb_done) struct sb id = SB_INIT(256);
	enum err_code code = resp->status == 401 || resp->status == 403 ? E_DENIED : E_REMOTE;

	add_answer(&words, resp);
	/* Here already: a message may cut an echoed secret short, and sinks know whole ones. */
	redact_text(&words);
	if (resp->request_id && resp->request_id[0])
		sb_addf(&id, " (request id %.200s)", resp->request_id);
	return err_set(err, code, "%s: %s answered %d%s%s%s", req->conn,
		       req->what ? req->what : req->method, resp->status, id.buf,
		       words.len > 0 ? ": " : "", words.buf);
}
