/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate.c - console.certificate: until when the JWT credential can mint at all.
 *
 * GET /organizations/{orgId}/integrations/entp/{intId}/bindings: OpenAPI document, read 2026-11-23. It gives `notAfter` no unit; 1e11
 * is 1973 in milliseconds and the year 5138 in seconds, so the size tells. No certificate can be renewed since 2025-06-30, and the
 * credential is converted when the last one ends (migration guide, "Deprecation timelines").
 */
#include <string.h>

#include "core/base/when.h"
#include "providers/console/read.h"
#include "providers/console/state.h"
#include "providers/console/things.h"

#define SECONDS_BELOW INT64_C(100000000000)
/* Quiet for a day, and last-used times are late by up to ten minutes: nothing is finalized earlier. */
#define EARLIEST_FINALIZE (WHEN_DAY + 10 * WHEN_MINUTE)

/* Stop (15 minutes at most), start (30), a use that shows 10 minutes late. */
#define PROOF_TAKES WHEN_HOUR

static const struct fact facts[] = {
	{ "count", VAL_INT, FACT_STATE, "certificates bound to the JWT credential" },
	{ "not_after", VAL_INT, FACT_STATE, "end of the one that lives longest" },
	{ NULL, VAL_NULL, FACT_STATE, NULL },
};
static const char *const needs[] = { "console.project", "console.credential", NULL };

static int latest(const struct value *list, int64_t *ret_ms, struct err *err)
{
	int64_t best = 0;

	for (size_t i = 0; i < value_count(list); i++) {
		int64_t ms;

		if (value_ms(value_get(value_at(list, i), "notAfter"), &ms, err) < 0)
			return err_wrap(err, "field 'notAfter'");
		if (ms < SECONDS_BELOW)
			ms *= WHEN_SECOND;
		best = MAX_OF(best, ms);
	}
	*ret_ms = best;
	return 0;
}

static enum next observe(struct call *c, const struct http_resp *last, struct http_req *req,
			 struct err *err)
{
	struct where w = console_where(c->view);
	int64_t not_after = 0, count = 0;

	if (!w.org_id || !w.credential_id || !w.type)
		return console_blind("console.credential", err);
	console_get(req,
		    http_path(c->arena, "/organizations/%s/integrations/entp/%s/bindings", w.org_id,
			      w.credential_id),
		    "list certificate bindings");
	if (strcmp(w.type, "oauth") != 0) { /* without a JWT credential there is nothing to ask */
		if (!last)
			return NEXT_SEND;
		if (last->status != 404) {
			if (!console_ok(last))
				return console_refuse(req, last, err);
			if (value_need_kind(last->body, VAL_LIST, "list of bindings", err) < 0 ||
			    latest(last->body, &not_after, err) < 0)
				return NEXT_FAIL;
			count = (int64_t)value_count(last->body);
		}
	}
	console_fact(c, "count", value_int(c->arena, count));
	console_fact(c, "not_after", value_int(c->arena, not_after));
	return NEXT_DONE;
}

static int diff(const struct view *v, struct changes *c, struct err *err)
{
	bool is_jwt_only = view_fact_is(v, "console.migration", "state", "jwt-only");
	bool is_started = view_fact_is(v, "console.migration", "state", "started");
	int64_t count = view_fact_int(v, "console.certificate", "count", 0);
	int64_t end = view_fact_int(v, "console.certificate", "not_after", 0);
	char text[WHEN_TEXT_MAX];

	(void)err;
	if (!is_jwt_only && !is_started)
		return 0; /* nothing mints with a certificate any more */
	if (!view_known(v, "console.certificate") || (count > 0 && end == 0)) {
		changes_find(
			c, FIND_WARN, "certificate-unknown",
			"look at the JWT credential's page before starting: Adobe converts it when the certificate ends",
			"nobody knows until when the JWT credential's certificate lives");
		return 0;
	}
	if (end <= v->now_ms) {
		const char *what = count > 0 ? "the last one ended " : "none is bound";
		const char *when = count > 0 ? when_text(text, end) : "";

		if (is_jwt_only)
			changes_find(
				c, FIND_REFUSE, "certificate-dead",
				"the app is down already and Adobe is about to convert the credential; plan again then",
				"the JWT credential has no living certificate (%s%s)", what, when);
		else
			changes_find(c, FIND_WARN, "certificate-dead",
				     "there is no way back to JWT any more",
				     "the JWT credential has no living certificate (%s%s)", what,
				     when);
		return 0;
	}
	if (end < v->now_ms + EARLIEST_FINALIZE)
		changes_find(
			c, FIND_WARN, "certificate-ends",
			"go on without delay: from then on the JWT credential cannot mint, and there is no way back to it",
			"the JWT credential's certificate ends %s, before the earliest moment to finalize",
			when_text(text, end));
	return 0;
}

/* The app is to live on this credential again, so whatever is known to end it speaks against going back to it. */
static int diff_back(const struct view *v, struct changes *c, struct err *err)
{
	static const char *const to_attest[] = { "not_after", NULL };
	int64_t end = view_fact_int(v, "console.certificate", "not_after", 0);
	const char *exchange = value_text_or(view_want(v, "credential.jwt_exchange"), "unknown");
	char text[WHEN_TEXT_MAX];

	(void)err;
	if (!is_way_back(v))
		return 0;
	if (strcmp(exchange, "ended") == 0)
		changes_find(
			c, FIND_REFUSE, "jwt-exchange-ended",
			"go on forward; change credential.jwt_exchange only when it was seen to work",
			"the file says that JWTs of this credential are no longer exchanged");
	if (console_unknown(v, c, "console.certificate", to_attest))
		return 0;
	if (end <= v->now_ms) {
		changes_find(c, FIND_REFUSE, "certificate-dead",
			     "go on forward: none can be added any more",
			     "the JWT credential has no living certificate%s%s",
			     end ? ": the last one ended " : "", end ? when_text(text, end) : "");
		return 0;
	}
	if (end < v->now_ms + PROOF_TAKES) {
		changes_find(
			c, FIND_REFUSE, "certificate-ends",
			"go on forward: none can be added any more",
			"the JWT credential's certificate ends %s, before the way back could be proved",
			when_text(text, end));
		return 0;
	}
	if (strcmp(exchange, "unknown") == 0 && needs_switch_back(v))
		changes_find(
			c, FIND_WARN, "jwt-exchange-unknown",
			"credential.jwt_exchange says what you know of it: works, or ended",
			"whether JWTs are still exchanged shows only after the restart, when the app tries");
	if (end < v->now_ms + 30 * WHEN_DAY)
		changes_find(
			c, FIND_WARN, "certificate-ends", "come forward again before that",
			"the JWT credential's certificate ends %s; from then on the app cannot mint",
			when_text(text, end));
	return 0;
}

const struct thing_type console_certificate = {
	.name = "console.certificate",
	.doc = "the certificates that the JWT credential signs with",
	.conn = "console",
	.needs = needs,
	.facts = facts,
	.at_plan = true,
	.observe = observe,
	.page = "Developer Console, the Service Account (JWT) credential's page, public keys",
	.diff = diff,
	.diff_back = diff_back,
};
