/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sim/http_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/redact.h"
#include "core/base/secret_open.h"
#include "core/base/when.h"
#include "core/io/json.h"

#define BODY_MAX ((size_t)16 << 20)
#define SEGMENTS_MAX 64
#define HEADERS_MAX 100
#define QUOTED 200

void http_text_fail(struct exchange *x, enum transport_result result, const char *words)
{
	x->result = result;
	err_clear(&x->err);
	err_set(&x->err, E_TRANSPORT, "%s: %s %.*s: %s", x->system, x->method,
		(int)strcspn(x->url, "?"), x->url, words);
}

/* ---- the client writes ---- */

static size_t authority_at(const char *url)
{
	const char *at = strstr(url, "://");

	return at ? (size_t)(at - url) + 3 : 0;
}

static const char *form_text(const struct value *v)
{
	return v->kind == VAL_SECRET ? secret_open(v->u.secret, NULL) : value_text_or(v, "");
}

static void write_form(struct sb *out, const struct value *body)
{
	for (size_t i = 0; i < value_count(body); i++) {
		if (i)
			sb_addc(out, '&');
		sb_add_escaped(out, value_key_at(body, i));
		sb_addc(out, '=');
		sb_add_escaped(out, form_text(value_at(body, i)));
	}
}

static void add_header(struct sb *out, const char *name, const char *value)
{
	sb_add(out, name);
	sb_add(out, ": ");
	sb_add(out, value);
	sb_add(out, "\r\n");
}

static void write_headers(struct sb *out, const struct exchange *x)
{
	bool has_type = false, has_accept = false;

	for (const struct http_header *h = x->headers; h && h->name; h++) {
		has_type |= strcasecmp(h->name, "content-type") == 0;
		has_accept |= strcasecmp(h->name, "accept") == 0;
		add_header(out, h->name, h->value);
	}
	if (!has_accept)
		add_header(out, "Accept", "application/json");
	if (!has_type && x->body_kind != BODY_NONE)
		add_header(out, "Content-Type",
			   x->body_kind == BODY_JSON ? "application/json" :
						       "application/x-www-form-urlencoded");
	if (x->bearer)
		sb_addf(out, "Authorization: Bearer %s\r\n", secret_open(x->bearer, NULL));
}

int http_text_request(struct sb *out, const struct exchange *x, struct err *err)
{
	CLEANUP(sb_done) struct sb body = SB_INIT(BODY_MAX);
	size_t at = authority_at(x->url), len = strcspn(x->url + at, "/?");
	const char *target = x->url + at + len;

	if (!at || !len || *target != '/')
		return err_set(err, E_TRANSPORT, "the url is malformed");
	if (x->body_kind == BODY_JSON)
		json_write(&body, x->body, JSON_COMPACT, secret_open);
	else if (x->body_kind == BODY_FORM)
		write_form(&body, x->body);
	sb_addf(out, "%s %s HTTP/1.1\r\nHost: %.*s\r\n", x->method, target, (int)len, x->url + at);
	write_headers(out, x);
	if (x->body_kind != BODY_NONE || strcmp(x->method, "GET") != 0)
		sb_addf(out, "Content-Length: %zu\r\n", body.len);
	sb_add(out, "\r\n");
	sb_addn(out, body.buf, body.len);
	if (out->over || body.over)
		return err_set(err, E_TRANSPORT, "the request is too large");
	return 0;
}

/* ---- what both sides read alike: a first line, headers, a body ---- */

struct message {
	const char *first;           /* in the arena */
	struct http_header *headers; /* names in lower case; ends with a NULL name */
	const char *body;            /* in the bytes */
	size_t body_len;
};

static const char *line_end(const char *at, const char *end)
{
	const char *from = at;

	while ((at = memchr(at, '\n', (size_t)(end - at)))) {
		if (at > from && at[-1] == '\r')
			return at - 1;
		at++;
	}
	return NULL;
}

static const char *lower(struct arena *a, const char *text, size_t len)
{
	char *out = arena_strndup(a, text, len);

	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

static bool read_message(const char *bytes, size_t len, struct arena *a, struct message *ret)
{
	const char *end = bytes + len, *eol = line_end(bytes, end), *at;
	size_t n = 0;

	if (!eol)
		return false;
	ret->first = arena_strndup(a, bytes, (size_t)(eol - bytes));
	ret->headers = arena_array(a, HEADERS_MAX + 1, sizeof(*ret->headers));
	for (at = eol + 2; (eol = line_end(at, end)) && eol != at; at = eol + 2) {
		const char *colon = memchr(at, ':', (size_t)(eol - at)), *value;

		if (!colon || colon == at || n == HEADERS_MAX)
			return false;
		value = colon + 1;
		value += strspn(value, " ");
		ret->headers[n++] = (struct http_header){
			lower(a, at, (size_t)(colon - at)),
			arena_strndup(a, value, (size_t)(eol - value)),
		};
	}
	if (!eol)
		return false;
	ret->body = eol + 2;
	ret->body_len = (size_t)(end - ret->body);
	return true;
}

static const char *header(const struct message *m, const char *name)
{
	for (const struct http_header *h = m->headers; h->name; h++)
		if (strcmp(h->name, name) == 0)
			return h->value;
	return NULL;
}

/* False: it was cut short. */
static bool is_whole(const struct message *m)
{
	const char *length = header(m, "content-length");

	return strtoull(length ? length : "0", NULL, 10) == m->body_len;
}

/* ---- the server reads ---- */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* NULL: a broken escape. */
static const char *decode(struct arena *a, const char *text, size_t len, bool is_form)
{
	char *out = arena_alloc(a, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++, n++) {
		out[n] = is_form && text[i] == '+' ? ' ' : text[i];
		if (text[i] != '%')
			continue;
		if (len - i < 3 || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
			return NULL;
		out[n] = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
		i += 2;
	}
	return out;
}

static struct value *read_form(struct arena *a, const char *text, size_t len)
{
	struct value *map = value_map(a);
	const char *end = text + len;

	while (text < end) {
		const char *amp = memchr(text, '&', (size_t)(end - text)), *stop = amp ? amp : end;
		const char *eq = memchr(text, '=', (size_t)(stop - text));
		const char *name = decode(a, text, (size_t)((eq ? eq : stop) - text), true);
		const char *word = eq ? decode(a, eq + 1, (size_t)(stop - eq - 1), true) : "";

		if (!name || !word)
			return NULL;
		if (stop > text)
			value_set(a, map, name, value_borrowed(a, word));
		text = stop + 1;
	}
	return map;
}

static bool read_path(struct arena *a, const char *path, struct twin_req *ret)
{
	const char **list = arena_array(a, SEGMENTS_MAX + 1, sizeof(*list));
	size_t n = 0;

	while (*path == '/' && path[1]) {
		size_t len = strcspn(++path, "/");

		list[n] = decode(a, path, len, false);
		if (!list[n] || n == SEGMENTS_MAX)
			return false;
		n++;
		path += len;
	}
	ret->segments = list;
	ret->segment_count = n;
	return *path == '\0' || *path == '/';
}

/* Path, segments and query, from where the request leads in the twins' own words. */
static int read_route(const char *route, struct arena *a, struct twin_req *ret, struct err *err)
{
	size_t len = strcspn(route, "?");

	ret->path = arena_strndup(a, route, len);
	ret->query =
		route[len] ? read_form(a, route + len + 1, strlen(route + len + 1)) : value_map(a);
	if (!ret->query || !read_path(a, ret->path, ret))
		return err_set(err, E_REMOTE, "a broken escape in '%.200s'", route);
	return 0;
}

static const char *method_of(const char *word)
{
	static const char *const methods[] = { "GET", "POST", "PATCH", "PUT", "DELETE" };

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		size_t len = strlen(methods[i]);

		if (strncmp(word, methods[i], len) == 0 && (!word[len] || word[len] == ' '))
			return methods[i];
	}
	return NULL;
}

const char *http_text_address(const char *bytes, size_t len, struct arena *a)
{
	struct message m;
	const char *target, *host;

	if (!read_message(bytes, len, a, &m))
		return NULL;
	target = strchr(m.first, ' ');
	host = header(&m, "host");
	if (!target || !host)
		return NULL;
	target++;
	return arena_printf(a, "https://%s%.*s", host, (int)strcspn(target, " "), target);
}

static const struct value *read_body(const struct message *m, struct arena *a)
{
	const char *type = header(m, "content-type");
	struct err ignored = ERR_INIT;
	struct value *v = NULL;

	if (!m->body_len || !type)
		return NULL;
	if (strcasestr(type, "json"))
		return json_parse(a, m->body, m->body_len, NULL, NULL, NULL, &v, &ignored) < 0 ?
			       NULL :
			       v;
	return strcasestr(type, "form-urlencoded") ? read_form(a, m->body, m->body_len) : NULL;
}

int http_text_read_request(const char *bytes, size_t len, const char *route, const char *origin,
			   struct arena *a, struct twin_req *ret, struct err *err)
{
	struct message m;
	struct value *headers = value_map(a);
	struct twin_req req = { .arena = a, .origin = origin, .headers = headers };

	if (!read_message(bytes, len, a, &m) || !is_whole(&m))
		return err_set(err, E_REMOTE, "these bytes are no request");
	req.method = method_of(m.first);
	if (!req.method)
		return err_set(err, E_REMOTE, "no such method: '%.20s'", m.first);
	for (const struct http_header *h = m.headers; h->name; h++)
		value_set(a, headers, h->name, value_borrowed(a, h->value));
	req.raw_body = arena_strndup(a, m.body, m.body_len);
	req.body = read_body(&m, a);
	if (read_route(route, a, &req, err) < 0)
		return -err->code;
	*ret = req;
	return 0;
}

/* ---- the server writes ---- */

static bool has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

void http_text_answer(struct sb *out, const struct twin_resp *resp, int64_t date_ms,
		      const char *request_id)
{
	CLEANUP(sb_done) struct sb body = SB_INIT(BODY_MAX);
	const char *type = resp->content_type;

	if (resp->body)
		json_write(&body, resp->body, JSON_COMPACT, NULL);
	else if (resp->text)
		sb_add(&body, resp->text);
	if (!has_body(resp->status))
		sb_reset(&body);
	if (!type)
		type = resp->body ? "application/json" : "text/plain; charset=utf-8";
	sb_addf(out, "HTTP/1.1 %d X\r\nDate: ", resp->status);
	when_add_http_date(out, date_ms);
	sb_add(out, "\r\n");
	add_header(out, "X-Request-Id", request_id);
	if (body.len)
		sb_addf(out, "Content-Type: %s\r\n", type);
	for (size_t i = 0; i < ARRAY_LEN(resp->headers) && resp->headers[i].name; i++)
		sb_addf(out, "%s: %s\r\n", resp->headers[i].name, resp->headers[i].value);
	sb_addf(out, "Content-Length: %zu\r\n\r\n", body.len);
	sb_addn(out, body.buf, body.len);
}

/* ---- the client reads ---- */

static const char *resp_request_id(const struct http_resp *resp)
{
	static const char *const names[] = { "x-request-id", "x-debug-id",
					     "x-ms-service-request-id", "x-correlation-id" };
	const char *id = NULL;

	for (size_t i = 0; i < ARRAY_LEN(names) && !id; i++)
		id = http_resp_header(resp, names[i]);
	return id;
}

static void take_headers(struct http_resp *resp, const struct http_header *headers)
{
	const char *date;

	resp->headers = headers;
	resp->content_type = http_resp_header(resp, "content-type");
	resp->retry_after = http_resp_header(resp, "retry-after");
	resp->request_id = resp_request_id(resp);
	date = http_resp_header(resp, "date");
	if (!date || when_parse_http_date(date, &resp->date_ms) < 0)
		resp->date_ms = 0;
}

/* As core/io/http.c quotes: nothing where a secret was to come, else the first bytes, masked. */
static const char *quote(const struct exchange *x, const char *text, size_t len)
{
	CLEANUP(sb_done) struct sb raw = SB_INIT(BODY_MAX), visible = SB_INIT(8 * QUOTED);

	if (x->secret_field && (x->resp.status / 100 == 2 ||
				memmem(text, len, x->secret_field, strlen(x->secret_field))))
		return "(not shown: it may hold a secret)";
	sb_addn(&raw, text, len);
	redact_text(&raw);
	if (raw.len > QUOTED)
		sb_shrink(&raw, QUOTED);
	sb_add_visible(&visible, raw.buf);
	return arena_strdup(x->arena, visible.buf);
}

static bool looks_like_json(const char *content_type, const char *text, size_t len)
{
	if (content_type && strcasestr(content_type, "json"))
		return true;
	while (len > 0 && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	return len > 0 && (*text == '{' || *text == '[');
}

static void take_body(struct exchange *x, const char *text, size_t len, struct secret **ret_secret)
{
	struct json_limits limits = { .bytes = x->body_max };
	struct value *body = NULL;
	struct err err = ERR_INIT;

	if (!len)
		return;
	if (looks_like_json(x->resp.content_type, text, len) &&
	    json_parse(x->arena, text, len, &limits, x->secret_field, ret_secret, &body, &err) == 0)
		x->resp.body = body;
	else
		x->resp.text = quote(x, text, len);
}

void http_text_read_answer(struct exchange *x, const char *bytes, size_t len,
			   struct secret **ret_secret)
{
	struct message m;

	*ret_secret = NULL;
	if (!read_message(bytes, len, x->arena, &m) || strncmp(m.first, "HTTP/1.1 ", 9) != 0) {
		http_text_fail(x, SENT_UNKNOWN, "what came back is not HTTP");
		return;
	}
	if (!is_whole(&m)) {
		http_text_fail(x, SENT_UNKNOWN, "the answer was cut short");
		return;
	}
	x->resp.status = (int)strtol(m.first + 9, NULL, 10);
	take_headers(&x->resp, m.headers);
	take_body(x, m.body, m.body_len, ret_secret);
	x->result = SENT_OK;
}

/* ---- without bytes ---- */

/* The body as a server would read it: secrets as texts. Shares what holds none. */
static const struct value *opened(struct arena *a, const struct value *v)
{
	struct value *out;

	if (!v || (v->kind != VAL_SECRET && v->kind != VAL_LIST && v->kind != VAL_MAP))
		return v;
	if (v->kind == VAL_SECRET)
		return value_borrowed(a, secret_open(v->u.secret, NULL));
	out = v->kind == VAL_LIST ? value_list(a) : value_map(a);
	for (size_t i = 0; i < value_count(v); i++) {
		if (v->kind == VAL_LIST)
			value_list_add(a, out, opened(a, value_at(v, i)));
		else
			value_add(a, out, value_key_at(v, i), opened(a, value_at(v, i)));
	}
	return out;
}

int http_value_request(const struct exchange *x, const char *route, const char *origin,
		       struct arena *a, struct twin_req *ret, struct err *err)
{
	struct value *headers = value_map(a);
	struct twin_req req = {
		.method = x->method,
		.headers = headers,
		.raw_body = "",
		.origin = origin,
		.arena = a,
	};

	for (const struct http_header *h = x->headers; h && h->name; h++)
		value_set(a, headers, lower(a, h->name, strlen(h->name)),
			  value_borrowed(a, h->value));
	if (x->bearer)
		value_set(a, headers, "authorization",
			  value_stringf(a, "Bearer %s", secret_open(x->bearer, NULL)));
	if (x->body_kind != BODY_NONE && !value_get(headers, "content-type"))
		value_add(a, headers, "content-type",
			  value_borrowed(a, x->body_kind == BODY_JSON ?
						    "application/json" :
						    "application/x-www-form-urlencoded"));
	req.body = opened(a, x->body);
	if (read_route(route, a, &req, err) < 0)
		return -err->code;
	*ret = req;
	return 0;
}

static const struct value *take_secret(struct exchange *x, const struct value *body,
				       struct secret **ret_secret)
{
	struct value *copy = value_copy(x->arena, body);
	const char *text = x->secret_field ? value_text(value_get(copy, x->secret_field)) : NULL;

	if (!text)
		return copy;
	*ret_secret = secret_new(text, strlen(text));
	value_set(x->arena, copy, x->secret_field, value_secret(x->arena, *ret_secret));
	return copy;
}

void http_value_answer(struct exchange *x, const struct twin_resp *resp, int64_t date_ms,
		       const char *request_id, struct secret **ret_secret)
{
	struct http_header *h = arena_array(x->arena, ARRAY_LEN(resp->headers) + 3, sizeof(*h));
	const char *type = resp->content_type;
	size_t n = 0;

	*ret_secret = NULL;
	for (; n < ARRAY_LEN(resp->headers) && resp->headers[n].name; n++)
		h[n] = (struct http_header){ lower(x->arena, resp->headers[n].name,
						   strlen(resp->headers[n].name)),
					     arena_strdup(x->arena, resp->headers[n].value) };
	h[n++] = (struct http_header){ "x-request-id", arena_strdup(x->arena, request_id) };
	if (!type && resp->body)
		type = "application/json";
	if (type)
		h[n++] = (struct http_header){ "content-type", arena_strdup(x->arena, type) };
	x->resp.status = resp->status;
	take_headers(&x->resp, h);
	x->resp.date_ms = date_ms / WHEN_SECOND * WHEN_SECOND; /* as a Date header has it */
	if (resp->body && has_body(resp->status))
		x->resp.body = take_secret(x, resp->body, ret_secret);
	else if (resp->text && has_body(resp->status))
		take_body(x, resp->text, strlen(resp->text), ret_secret);
	x->result = SENT_OK;
}
