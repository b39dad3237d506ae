/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2s-sandbox/exchange.h"

#include "cmd/s2s-sandbox/admin.h"
#include "cmd/s2s-sandbox/parse.h"
#include "core/io/json.h"

#include <inttypes.h>
#include <string.h>

static const char html_page[] = "<!DOCTYPE html>\n<html><head><title>Sign in to the network"
				"</title></head>\n<body><h1>Please sign in</h1></body></html>\n";
static const char garbage_text[] = "{\"value\": [{\"id\": 1,, \"name\": \"half a stri";
static const char huge_head[] = "{\"padding\":\"";
static const char huge_tail[] = "\"}";

void exchange_init(struct exchange *ex, struct sandbox *box, const char *origin, const char *uri)
{
	*ex = (struct exchange){
		.box = box,
		.arena = ARENA_INIT,
		.body = SB_INIT(EXCHANGE_BODY_MAX),
		.text = SB_INIT(SB_TEXT_MAX),
	};
	ex->origin = arena_strdup(&ex->arena, origin);
	ex->uri = arena_strdup(&ex->arena, uri);
	ex->headers = value_map(&ex->arena);
}

void exchange_done(struct exchange *ex)
{
	sb_done(&ex->body);
	sb_done(&ex->text);
	arena_done(&ex->arena);
}

/* An answer of the sandbox itself, in the form that most of the real systems have. */
static void answer_self(struct exchange *ex, int status, const char *message)
{
	struct value *v = value_map(&ex->arena);

	value_set(&ex->arena, v, "message", value_string(&ex->arena, message));
	ex->resp = (struct twin_resp){ .status = status, .body = v };
}

static int read_request(struct exchange *ex, struct err *err)
{
	struct arena *a = &ex->arena;
	const char *query = strchr(ex->uri, '?');
	const char *host = value_text(value_get(ex->headers, "host"));
	struct value *fields = value_map(a);
	struct twin_req *req = &ex->req;

	ex->path = query ? arena_strndup(a, ex->uri, (size_t)(query - ex->uri)) : ex->uri;
	if (query && parse_form(a, query + 1, strlen(query + 1), &fields, err) < 0)
		return -(int)err->code;
	if (parse_path(a, ex->path, &req->segments, &req->segment_count, err) < 0)
		return -(int)err->code;
	req->method = ex->method;
	req->path = ex->path;
	req->query = fields;
	req->headers = ex->headers;
	req->body = parse_body(a, value_text(value_get(ex->headers, "content-type")), ex->body.buf,
			       ex->body.len);
	req->raw_body = ex->body.buf;
	req->arena = a;
	/* Links shall lead back by the name that the client knows and has a certificate for. */
	req->origin =
		parse_host_is_loopback(host) ? arena_printf(a, "https://%s", host) : ex->origin;
	return 0;
}

void exchange_ask(struct exchange *ex)
{
	struct err err = ERR_INIT;
	const char *first;

	sandbox_catch_up(ex->box);
	ex->path = "";
	ex->verdict = (struct fault_verdict){ .acts = true };
	if (ex->body.over) {
		answer_self(ex, 413, "the body is larger than 1 MiB");
		ex->is_answered = true;
		return;
	}
	if (read_request(ex, &err) < 0) {
		answer_self(ex, 400, err.msg);
		ex->is_answered = true;
		return;
	}
	first = ex->req.segment_count ? ex->req.segments[0] : "";
	ex->is_admin = strcmp(first, ADMIN_FOLDER) == 0;
	if (ex->is_admin)
		return;
	ex->twin = world_twin_for(ex->box->world, &ex->req);
	ex->verdict = faults_ask(ex->box->faults, ex->method, ex->path,
				 ex->twin ? ex->twin->name : NULL, &ex->arena);
}

bool exchange_is_reset(const struct exchange *ex)
{
	return ex->verdict.kind == FAULT_RESET || ex->verdict.kind == FAULT_RESET_AFTER;
}

/* Turns what the twin said (or did not) into bytes. */
static void encode(struct exchange *ex)
{
	struct twin_resp *r = &ex->resp;

	sb_reset(&ex->text);
	ex->content_type = r->content_type;
	if (r->body) {
		json_write(&ex->text, r->body, JSON_COMPACT, NULL);
		if (!ex->content_type)
			ex->content_type = "application/json";
	} else if (r->text) {
		sb_add(&ex->text, r->text);
		if (!ex->content_type)
			ex->content_type = "text/plain; charset=utf-8";
	}
	if (ex->text.over) {
		/* Only the whole truth of a very long run gets here. */
		r->status = 500;
		sb_reset(&ex->text);
		sb_add(&ex->text, "{\"message\":\"the answer is larger than 64 MiB\"}");
	}
}

static void replace_body(struct exchange *ex, const char *text, const char *content_type)
{
	sb_reset(&ex->text);
	sb_add(&ex->text, text);
	ex->content_type = content_type;
}

/* What a gateway in front would say has none of the twin's headers. */
static void answer_instead(struct exchange *ex, const char *text, const char *content_type)
{
	const struct fault_verdict *v = &ex->verdict;

	ex->resp = (struct twin_resp){ .status = v->status };
	if (v->retry_after) {
		ex->resp.headers[0].name = "Retry-After";
		ex->resp.headers[0].value = v->retry_after;
	}
	replace_body(ex, v->body ? v->body : text,
		     v->content_type ? v->content_type : content_type);
}

static void answer_status(struct exchange *ex)
{
	const char *text =
		arena_printf(&ex->arena, "{\"message\":\"fault: status %d\"}", ex->verdict.status);

	answer_instead(ex, text, "application/json");
}

static void answer_stale(struct exchange *ex)
{
	const char *old;

	if (ex->resp.status != 200)
		return;
	old = faults_stale(ex->box->faults, ex->verdict.rule, ex->uri, ex->text.buf);
	if (old != ex->text.buf)
		replace_body(ex, old, ex->content_type);
}

static void misbehave(struct exchange *ex)
{
	switch (ex->verdict.kind) {
	case FAULT_STATUS:
		answer_status(ex);
		break;
	case FAULT_HTML:
		answer_instead(ex, html_page, "text/html; charset=utf-8");
		break;
	case FAULT_GARBAGE:
		answer_instead(ex, garbage_text, "application/json");
		break;
	case FAULT_HUGE:
		answer_instead(ex, "", "application/json");
		break;
	case FAULT_STALE:
		answer_stale(ex);
		break;
	case FAULT_NONE:
	case FAULT_LATENCY:
	case FAULT_RESET:
	case FAULT_RESET_AFTER:
	case FAULT_TRUNCATE:
	case FAULT_SLOW:
		break;
	}
}

static bool status_has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

static void measure(struct exchange *ex)
{
	const struct fault_verdict *v = &ex->verdict;

	if (!status_has_body(ex->resp.status)) {
		sb_reset(&ex->text);
		ex->content_type = NULL;
	}
	ex->body_len = v->kind == FAULT_HUGE ? (uint64_t)v->bytes : ex->text.len;
	ex->body_sent_len = ex->body_len;
	/* Always one byte short at least, or it would be no fault. */
	if (v->kind == FAULT_TRUNCATE && ex->body_len > 0)
		ex->body_sent_len = MIN_OF((uint64_t)v->bytes, ex->body_len - 1);
}

static void note(const struct exchange *ex)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(8192);
	CLEANUP(sb_done) struct sb method = SB_INIT(64);
	CLEANUP(sb_done) struct sb line = SB_INIT(32768);
	CLEANUP(arena_done) struct arena scratch = ARENA_INIT;
	struct reqlog_entry e = {
		.at_ms = world_now(ex->box->world),
		.twin = ex->twin ? ex->twin->name : NULL,
		.fault = ex->verdict.names,
		.status = exchange_is_reset(ex) ? 0 : ex->resp.status,
		.twin_status = ex->twin_status,
	};

	/* A client may send any byte; the log is read by people and as JSON. */
	sb_add_visible(&path, ex->path);
	sb_add_visible(&method, ex->method);
	e.path = path.buf;
	e.method = method.buf;
	reqlog_add(ex->box->reqlog, &e);
	if (!ex->box->log)
		return;
	json_write(&line, reqlog_entry_value(&e, &scratch), JSON_COMPACT, NULL);
	fprintf(ex->box->log, "%s\n", line.buf);
}

void exchange_act(struct exchange *ex)
{
	bool is_twins = !ex->is_admin && !ex->is_answered;
	bool acts = is_twins && ex->verdict.acts && ex->verdict.kind != FAULT_RESET;

	sandbox_catch_up(ex->box);
	if (ex->is_admin) {
		admin_answer(ex->box, &ex->req, &ex->resp);
	} else if (acts || (is_twins && ex->verdict.kind == FAULT_RESET_AFTER)) {
		world_answer(ex->box->world, &ex->req, &ex->resp);
		ex->twin_status = ex->resp.status;
	}
	encode(ex);
	misbehave(ex);
	measure(ex);
	ex->date_ms = world_now(ex->box->world) + world_skew_ms(ex->box->world, ex->twin);
	if (!ex->is_admin)
		note(ex);
}

size_t exchange_read(const struct exchange *ex, uint64_t pos, char *buf, size_t max)
{
	uint64_t left = ex->body_sent_len - MIN_OF(pos, ex->body_sent_len);
	size_t n = left < max ? (size_t)left : max;
	const size_t head = sizeof(huge_head) - 1, tail = sizeof(huge_tail) - 1;

	if (ex->verdict.kind != FAULT_HUGE) {
		memcpy(buf, ex->text.buf + pos, n);
		return n;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t at = pos + i;

		if (at < head)
			buf[i] = huge_head[at];
		else if (at >= ex->body_len - tail)
			buf[i] = huge_tail[at - (ex->body_len - tail)];
		else
			buf[i] = 'x';
	}
	return n;
}
