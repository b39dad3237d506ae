/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2s-sandbox/admin.h"

#include "cmd/s2s-sandbox/parse.h"
#include "core/base/when.h"

#include <string.h>

#define ADVANCE_MAX (3660 * WHEN_DAY)

static void refuse(const struct twin_req *req, struct twin_resp *resp, int status,
		   const struct err *err)
{
	struct value *v = value_map(req->arena);

	value_set(req->arena, v, "error", value_string(req->arena, err->msg));
	if (err->hint[0])
		value_set(req->arena, v, "hint", value_string(req->arena, err->hint));
	resp->status = status;
	resp->body = v;
}

static void say_now(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	struct value *v = value_map(req->arena);

	value_set(req->arena, v, "now", value_instant(req->arena, world_now(box->world)));
	resp->status = 200;
	resp->body = v;
}

static int read_target(const struct sandbox *box, const struct value *body, int64_t *ret_ms,
		       struct err *err)
{
	const char *by = value_text(value_get(body, "by")), *to = value_text(value_get(body, "to"));
	int64_t now_ms = world_now(box->world), span_ms = 0, to_ms = 0;

	if (!by == !to)
		return err_set(err, E_USAGE,
			       "the body needs 'by' (a span, \"24h\") or 'to' (an ISO time)");
	if (to && when_parse(to, &to_ms, NULL, err) < 0)
		return err_wrap(err, "to");
	if (by && when_parse_span(by, &span_ms, err) < 0)
		return err_wrap(err, "by");
	if (by)
		to_ms = now_ms + MIN_OF(span_ms, ADVANCE_MAX + 1);
	if (to_ms < now_ms)
		return err_set(err, E_USAGE, "the world's clock never goes back");
	if (to_ms - now_ms > ADVANCE_MAX)
		return err_set(err, E_USAGE, "more than ten years at once");
	*ret_ms = to_ms;
	return 0;
}

static void answer_now(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	say_now(box, req, resp);
}

static void answer_advance(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	struct err err = ERR_INIT;
	int64_t to_ms = 0;

	if (read_target(box, req->body, &to_ms, &err) < 0) {
		refuse(req, resp, 400, &err);
		return;
	}
	pace_jump(&box->pace, sys_mono_ms(box->sys), to_ms);
	world_advance(box->world, to_ms);
	say_now(box, req, resp);
}

static void answer_truth(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	resp->status = 200;
	resp->body = world_truth(box->world, req->arena);
}

static void answer_do(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	struct err err = ERR_INIT;

	if (!req->body)
		err_set(&err, E_PLAN, "the body is no JSON");
	else if (world_do(box->world, req->body, &err) == 0) {
		say_now(box, req, resp);
		return;
	}
	refuse(req, resp, err.code == E_REFUSED ? 409 : 400, &err);
}

static void answer_requests(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	struct err err = ERR_INIT;
	struct value *v;

	if (reqlog_value(box->reqlog, req->query, req->arena, &v, &err) < 0) {
		refuse(req, resp, 400, &err);
		return;
	}
	resp->status = 200;
	resp->body = v;
}

static void forget_requests(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	reqlog_clear(box->reqlog);
	say_now(box, req, resp);
}

static void answer_faults(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	struct value *v = value_map(req->arena);

	value_set(req->arena, v, "rules", faults_value(box->faults, req->arena));
	resp->status = 200;
	resp->body = v;
}

static void add_faults(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	struct err err = ERR_INIT;

	if (faults_add(box->faults, req->body, &err) < 0)
		refuse(req, resp, 400, &err);
	else
		answer_faults(box, req, resp);
}

static void forget_faults(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	faults_clear(box->faults);
	answer_faults(box, req, resp);
}

static const struct {
	const char *method, *name;
	void (*answer)(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp);
} calls[] = {
	{ "GET", "now", answer_now },           { "POST", "advance", answer_advance },
	{ "GET", "truth", answer_truth },       { "POST", "do", answer_do },
	{ "GET", "requests", answer_requests }, { "DELETE", "requests", forget_requests },
	{ "GET", "faults", answer_faults },     { "POST", "faults", add_faults },
	{ "DELETE", "faults", forget_faults },
};

void admin_answer(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp)
{
	const char *name = req->segment_count == 2 ? req->segments[1] : "";
	struct err err = ERR_INIT;
	bool is_known = false;

	if (!parse_host_is_loopback(value_text(value_get(req->headers, "host")))) {
		err_set(&err, E_DENIED, "the admin calls answer to loopback names only");
		refuse(req, resp, 403, &err);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		if (strcmp(calls[i].name, name) != 0)
			continue;
		is_known = true;
		if (strcmp(calls[i].method, req->method) == 0) {
			calls[i].answer(box, req, resp);
			return;
		}
	}
	err_set(&err, E_USAGE, is_known ? "no such method here" : "no such admin call");
	refuse(req, resp, is_known ? 405 : 404, &err);
}
