/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/plan_words.h"
#include "cmd/s2sctl/verify.h"
#include "core/base/when.h"
#include "core/io/json.h"

static void add_list(struct sb *out, const struct value *list)
{
	for (size_t i = 0; i < value_count(list); i++) {
		sb_add(out, i ? ", " : "");
		sb_add_visible(out, value_text_or(value_at(list, i), "?"));
	}
}

static void add_vote(struct sb *out, const struct value *v)
{
	bool counts = value_bool_or(value_get(v, "counts"), false);

	sb_add(out, counts ? "  counts   " : "  does not ");
	sb_add_visible(out, value_text_or(value_get(v, "by"), "nobody known"));
	if (value_get(v, "key"))
		sb_addf(out, " (%s)", value_text_or(value_get(v, "key"), ""));
	sb_add(out, ": ");
	add_list(out, value_get(v, "steps"));
	sb_add(out, " of ");
	add_list(out, value_get(v, "environments"));
	sb_add(out, ", until ");
	sb_add_visible(out, value_text_or(value_get(v, "until"), "?"));
	sb_addc(out, '\n');
	if (!counts) {
		sb_add(out, "           ");
		sb_add_visible(out, value_text_or(value_get(v, "why"), ""));
		sb_addc(out, '\n');
	}
}

static void add_step(struct sb *out, const struct value *v)
{
	int64_t missing = value_int_or(value_get(v, "missing"), 0);

	sb_add(out, missing ? "  missing  " : "  approved ");
	sb_add_visible(out, value_text_or(value_get(v, "address"), "?"));
	sb_addf(out, ": %lld of %lld", (long long)value_count(value_get(v, "by")),
		(long long)value_int_or(value_get(v, "needed"), 0));
	if (value_count(value_get(v, "by"))) {
		sb_add(out, " (");
		add_list(out, value_get(v, "by"));
		sb_addc(out, ')');
	}
	sb_addc(out, '\n');
}

static void add_text(struct sb *out, const struct plan_file *f, const struct value *v)
{
	const struct value *votes = value_get(v, "approvals"), *steps = value_get(v, "steps");
	size_t wanted = 0;

	sb_addf(out, "%s: whole, its digests are right\n  intent   %s\n", f->path,
		value_text_or(value_get(f->doc, "intent_digest"), ""));
	sb_add(out, "  made by  ");
	sb_add_visible(out, value_text_or(value_get(f->doc, "made_by"), "(not said)"));
	sb_add(out, value_count(votes) ? "\n\napprovals\n" : "\n\nno approvals\n");
	for (size_t i = 0; i < value_count(votes); i++)
		add_vote(out, value_at(votes, i));
	for (size_t i = 0; i < value_count(steps); i++)
		wanted += value_int_or(value_get(value_at(steps, i), "needed"), 0) > 0;
	if (wanted)
		sb_add(out, "\nsteps\n");
	for (size_t i = 0; wanted && i < value_count(steps); i++)
		add_step(out, value_at(steps, i));
	sb_addf(out, "\n%s\n",
		!wanted                                        ? "no approval is needed" :
		value_bool_or(value_get(v, "approved"), false) ? "approved" :
								 "not approved");
}

/*
 * The file's policy says who and how many. A plan may be looked at where that file is not, or where the environment variables that it
 * takes are not set: then what the plan says is needed counts, which its digest covers. A file that was named has to be right.
 */
static bool load_rollout(struct session *s, const struct plan_file *f, const char *given,
			 int *ret_exit)
{
	struct err err = ERR_INIT;
	const char *path = plan_rollout_path(s, f, given, &err);

	if (!path)
		session_talkf(s, "note: %s; what is needed is told as the plan says it\n", err.msg);
	if (!path)
		return true;
	if (given)
		return session_load(s, path, ret_exit);
	if (rollout_load(path, s->p->registry, s->p->sys, &s->arena, &s->rollout, &s->diags) < 0)
		session_talkf(
			s,
			"note: '%s' cannot be read here (`s2sctl validate` says why): what is needed is told as the plan says it\n",
			path);
	return true;
}

int verify_plan(struct session *s, const struct verify_words *w, const struct sb *text)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct approval_sources from = { w->approvals, w->signers, w->revoked };
	int64_t now = sys_wall_ms(s->p->sys);
	struct plan_file *f = NULL;
	struct approvals ap;
	const struct value *v;
	int status;

	if (w->at && when_parse(w->at, &now, NULL, &s->err) < 0)
		return session_fail(s, &s->err);
	if (plan_file_parse(&s->arena, s->words.items[0], text->buf, text->len, s->p->registry, &f,
			    &s->err) < 0)
		return session_fail(s, &s->err);
	if (!load_rollout(s, f, s->words.items[1], &status))
		return status;
	if (!from.approvals)
		from.approvals = plan_approvals_path(s, f->path);
	if (approval_load(&s->arena, &from, s->rollout, NULL, &ap, &s->err) < 0)
		return session_fail(s, &s->err);
	v = approval_judge(&s->arena, &ap, s->rollout, f->doc, NULL, now);
	if (w->json) {
		json_write(&out, v, JSON_CANONICAL, NULL);
		sb_addc(&out, '\n');
	} else {
		add_text(&out, f, v);
	}
	session_out(s, &out);
	if (value_bool_or(value_get(v, "approved"), false))
		return 0;
	err_set(&s->err, E_REFUSED, "not approved: %s", value_text_or(value_get(v, "why"), ""));
	return session_fail(s, &s->err);
}
