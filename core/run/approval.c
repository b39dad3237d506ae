/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/approval.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/when.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/sshsig.h"
#include "core/plan/policy.h"

#define FILE_MAX ((size_t)64 << 20)
#define SLACK (5 * WHEN_MINUTE) /* between an approver's clock and the servers' */
#define KIND "s2sctl.approval"

/* ---- reading ---- */

static const struct value *bad_line(struct arena *a, size_t number, const char *why)
{
	struct value *m = value_map(a);

	value_set(a, m, "bad", value_stringf(a, "line %zu: %s", number, why));
	return m;
}

static int read_lines(struct arena *a, const char *path, struct value *list, struct err *err)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(FILE_MAX);
	size_t number = 0;

	if (access(path, F_OK) != 0)
		return 0; /* nobody has approved yet */
	if (file_read(path, &text, err) < 0)
		return -err->code;
	for (const char *at = text.buf, *end = text.buf + text.len; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = stop ? (size_t)(stop - at) : (size_t)(end - at);
		struct err why = ERR_INIT;
		struct value *v = NULL;

		number++;
		if (len && json_parse(a, at, len, NULL, NULL, NULL, &v, &why) < 0)
			value_list_add(a, list, bad_line(a, number, "this is no JSON"));
		else if (len)
			value_list_add(a, list, v);
		at += len + 1;
	}
	return 0;
}

int approval_load(struct arena *a, const struct approval_sources *from, const struct rollout *r,
		  const struct value *more, struct approvals *ret, struct err *err)
{
	const struct value *rules = r ? value_get(r->policy, "approvals") : NULL;
	const char *signers =
		from->signers ? from->signers : value_text(value_get(rules, "signers"));
	const char *revoked =
		from->revoked ? from->revoked : value_text(value_get(rules, "revoked"));
	struct value *lines = value_list(a);
	struct signers *s = NULL;

	for (size_t i = 0; i < value_count(more); i++)
		value_list_add(a, lines, value_at(more, i));
	if (from->approvals && read_lines(a, from->approvals, lines, err) < 0)
		return err_wrap(err, "approvals");
	if (signers && signers_read(a, signers, &s, err) < 0)
		return err_wrap(err, "allowed signers");
	if (s && revoked && signers_revoke(s, revoked, err) < 0)
		return err_wrap(err, "revoked keys");
	*ret = (struct approvals){ .lines = lines, .signers = s };
	return 0;
}

/* ---- making ---- */

static bool has_env(const struct value *doc, const char *name)
{
	const struct value *envs = value_get(doc, "environments");

	for (size_t i = 0; i < value_count(envs); i++)
		if (strcmp(value_text_or(value_get(value_at(envs, i), "name"), ""), name) == 0)
			return true;
	return false;
}

static bool is_class(const char *word)
{
	return strcmp(word, "all") == 0 || strcmp(word, "reversible") == 0 ||
	       strcmp(word, "irreversible") == 0;
}

static bool has_step(const struct value *doc, const char *address)
{
	const struct value *steps = value_get(doc, "steps");

	for (size_t i = 0; i < value_count(steps); i++)
		if (strcmp(value_text_or(value_get(value_at(steps, i), "address"), ""), address) ==
		    0)
			return true;
	return false;
}

static int fill_envs(struct arena *a, struct value *list, const struct value *doc,
		     const char *const *envs, struct err *err)
{
	const struct value *all = value_get(doc, "environments");

	for (; envs && *envs; envs++) {
		if (!has_env(doc, *envs))
			return err_set(err, E_USAGE, "the plan has no environment '%s'", *envs);
		value_list_add(a, list, value_string(a, *envs));
	}
	if (!value_count(list))
		for (size_t i = 0; i < value_count(all); i++)
			value_list_add(a, list, value_get(value_at(all, i), "name"));
	return 0;
}

int approval_statement(struct arena *a, const struct value *plan_doc, const char *const *envs,
		       const char *const *steps, int64_t from_ms, int64_t until_ms,
		       struct value **ret, struct err *err)
{
	struct value *m = value_map(a), *env_list = value_list(a), *step_list = value_list(a);

	if (fill_envs(a, env_list, plan_doc, envs, err) < 0)
		return -err->code;
	for (; steps && *steps; steps++) {
		if (!is_class(*steps) && !has_step(plan_doc, *steps)) {
			err_set(err, E_USAGE, "the plan has no step '%s'", *steps);
			return err_hint(err, "an address, or all, reversible, irreversible");
		}
		value_list_add(a, step_list, value_string(a, *steps));
	}
	if (!value_count(step_list))
		value_list_add(a, step_list, value_string(a, "all"));
	value_set(a, m, "kind", value_string(a, KIND));
	value_set(a, m, "version", value_int(a, 1));
	value_set(a, m, "intent_digest", value_get(plan_doc, "intent_digest"));
	value_set(a, m, "environments", env_list);
	value_set(a, m, "steps", step_list);
	value_set(a, m, "from", value_instant(a, from_ms));
	value_set(a, m, "until", value_instant(a, until_ms));
	*ret = m;
	return 0;
}

void approval_message(const struct value *statement, struct sb *out)
{
	json_write(out, statement, JSON_CANONICAL, NULL);
	sb_addc(out, '\n');
}

const struct value *approval_line(struct arena *a, const struct value *statement,
				  const char *signature)
{
	struct value *m = value_map(a);

	value_set(a, m, "statement", statement);
	value_set(a, m, "signature", value_string(a, signature));
	return m;
}

/* ---- judging ---- */

struct vote {
	const struct value *statement;
	const struct signer *signer; /* NULL: it does not count */
	struct value *told;          /* its entry in the answer */
};
struct court {
	struct arena *arena;
	const struct rollout *r;
	const struct value *doc;
	int64_t now;
	struct vote *votes;
	size_t vote_count;
	const char *first_why; /* why one does not count */
};

static int64_t instant_of(const struct value *statement, const char *key)
{
	int64_t ms = 0, precision;
	struct err err = ERR_INIT;
	const char *text = value_text(value_get(statement, key));

	return text && when_parse(text, &ms, &precision, &err) == 0 ? ms : 0;
}

/* Why the statement says nothing of this plan now; NULL: it does. */
static const char *statement_fault(const struct court *c, const struct value *st)
{
	int64_t from = instant_of(st, "from"), until = instant_of(st, "until");
	char when[WHEN_TEXT_MAX];

	if (strcmp(value_text_or(value_get(st, "kind"), ""), KIND) != 0 ||
	    value_int_or(value_get(st, "version"), 0) != 1)
		return "it is no approval that this build understands";
	if (strcmp(value_text_or(value_get(st, "intent_digest"), ""),
		   value_text_or(value_get(c->doc, "intent_digest"), "?")) != 0)
		return "it is for another plan";
	if (!from || !until)
		return "it does not say from when until when it holds";
	if (c->now < from - SLACK)
		return arena_printf(c->arena, "it holds from %s only", when_text(when, from));
	if (c->now >= until)
		return arena_printf(c->arena, "it ran out at %s", when_text(when, until));
	return NULL;
}

static bool may_approve_own(const struct court *c)
{
	return c->r && value_bool_or(value_path(c->r->policy, "approvals.own"), false);
}

static const char *signature_fault(struct court *c, const struct approvals *ap,
				   const struct value *line, struct vote *v)
{
	CLEANUP(sb_done) struct sb message = SB_INIT(FILE_MAX);
	const char *sig = value_text_or(value_get(line, "signature"), "");
	const char *made_by = value_text(value_get(c->doc, "made_by"));
	unsigned char pub[SIGN_PUBLIC_LEN];
	char fp[SSH_FINGERPRINT_MAX], why[512];
	struct err err = ERR_INIT;
	const struct signer *s;

	approval_message(v->statement, &message);
	if (sshsig_verify(sig, strlen(sig), SIGNERS_SPACE, message.buf, message.len, pub, &err) < 0)
		return arena_strdup(c->arena, err.msg);
	value_set(c->arena, v->told, "key", value_string(c->arena, ssh_fingerprint(pub, fp)));
	if (!ap->signers)
		return "nobody is named who may sign (policy.approvals.signers, or --allowed-signers)";
	s = signers_find(ap->signers, pub, c->now, why, sizeof(why));
	if (!s)
		return arena_strdup(c->arena, why);
	value_set(c->arena, v->told, "by", value_string(c->arena, s->name));
	if (made_by && signer_is(s, made_by) && !may_approve_own(c))
		return arena_printf(c->arena, "%s made the plan, and nobody approves their own",
				    s->name);
	v->signer = s;
	return NULL;
}

static void hear(struct court *c, const struct approvals *ap, const struct value *line)
{
	static const char *const shown[] = { "environments", "steps", "from", "until" };
	struct vote *v = &c->votes[c->vote_count++];
	const char *why = value_text(value_get(line, "bad")), *other = NULL;

	*v = (struct vote){ .statement = value_get(line, "statement"),
			    .told = value_map(c->arena) };
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		value_set(c->arena, v->told, shown[i], value_get(v->statement, shown[i]));
	if (!why && !v->statement)
		why = "it says nothing";
	if (!why) { /* whose it is, is told even of one that has run out */
		why = signature_fault(c, ap, line, v);
		other = statement_fault(c, v->statement);
		why = why ? why : other;
	}
	if (why)
		v->signer = NULL;
	value_set(c->arena, v->told, "counts", value_bool(c->arena, !why));
	if (why)
		value_set(c->arena, v->told, "why", value_string(c->arena, why));
	if (why && !c->first_why)
		c->first_why = arena_printf(c->arena, "%s: %s",
					    value_text_or(value_get(v->told, "by"),
							  value_text_or(value_get(v->told, "key"),
									"an approval")),
					    why);
}

static bool list_has(const struct value *list, const char *word)
{
	for (size_t i = 0; i < value_count(list); i++)
		if (strcmp(value_text_or(value_at(list, i), ""), word) == 0)
			return true;
	return false;
}

static bool is_contract(const struct value *step)
{
	return strcmp(value_text_or(value_get(step, "phase"), ""), phase_name(PHASE_CONTRACT)) == 0;
}

/* A shared step has to be approved for each of its environments. */
static bool covers(const struct value *st, const struct value *step)
{
	const struct value *words = value_get(st, "steps"), *envs = value_get(step, "environments");

	if (!list_has(words, "all") &&
	    !list_has(words, is_contract(step) ? "irreversible" : "reversible") &&
	    !list_has(words, value_text_or(value_get(step, "address"), "")))
		return false;
	for (size_t i = 0; i < value_count(envs); i++)
		if (!list_has(value_get(st, "environments"), value_text_or(value_at(envs, i), "")))
			return false;
	return true;
}

static bool is_production(const struct court *c, const struct value *step)
{
	const struct value *envs = value_get(step, "environments");

	for (size_t i = 0; i < value_count(envs); i++) {
		const struct rollout_env *env =
			rollout_find_env(c->r, value_text_or(value_at(envs, i), ""));

		if (env && rollout_env_is_production(env))
			return true;
	}
	return false;
}

static int64_t needed(const struct court *c, const struct value *step)
{
	if (!c->r)
		return value_int_or(value_get(step, "approvals"), 0);
	return policy_approvals(c->r, is_production(c, step), is_contract(step));
}

static struct value *judge_step(struct court *c, const struct value *step, int64_t *ret_missing)
{
	struct arena *a = c->arena;
	struct value *m = value_map(a), *by = value_list(a);
	int64_t need = needed(c, step);

	for (size_t i = 0; i < c->vote_count; i++) {
		const struct vote *v = &c->votes[i];

		if (v->signer && covers(v->statement, step) && !list_has(by, v->signer->name))
			value_list_add(a, by, value_string(a, v->signer->name));
	}
	*ret_missing = MAX_OF(need - (int64_t)value_count(by), (int64_t)0);
	value_set(a, m, "address", value_get(step, "address"));
	value_set(a, m, "class",
		  value_string(a, is_contract(step) ? "irreversible" : "reversible"));
	value_set(a, m, "needed", value_int(a, need));
	value_set(a, m, "by", by);
	value_set(a, m, "missing", value_int(a, *ret_missing));
	return m;
}

static const char *why_not(const struct court *c, const struct value *told)
{
	int64_t need = value_int_or(value_get(told, "needed"), 0);
	size_t have = value_count(value_get(told, "by"));

	return arena_printf(c->arena, "step '%s' needs %lld approval%s and has %zu%s%s%s",
			    value_text_or(value_get(told, "address"), ""), (long long)need,
			    need == 1 ? "" : "s", have, c->first_why ? " (" : "",
			    c->first_why ? c->first_why : "", c->first_why ? ")" : "");
}

struct value *approval_judge(struct arena *a, const struct approvals *ap, const struct rollout *r,
			     const struct value *plan_doc, const char *step, int64_t now_ms)
{
	struct court c = { .arena = a, .r = r, .doc = plan_doc, .now = now_ms };
	const struct value *steps = value_get(plan_doc, "steps");
	struct value *out = value_map(a), *votes = value_list(a), *told = value_list(a);
	const char *why = NULL;

	c.votes = arena_array(a, value_count(ap->lines) + 1, sizeof(*c.votes));
	for (size_t i = 0; i < value_count(ap->lines); i++) {
		hear(&c, ap, value_at(ap->lines, i));
		value_list_add(a, votes, c.votes[i].told);
	}
	for (size_t i = 0; i < value_count(steps); i++) {
		const struct value *s = value_at(steps, i);
		struct value *one;
		int64_t missing;

		if (step && strcmp(value_text_or(value_get(s, "address"), ""), step) != 0)
			continue;
		one = judge_step(&c, s, &missing);
		value_list_add(a, told, one);
		if (missing && !why)
			why = why_not(&c, one);
	}
	value_set(a, out, "approved", value_bool(a, !why));
	if (why)
		value_set(a, out, "why", value_string(a, why));
	value_set(a, out, "approvals", votes);
	value_set(a, out, "steps", told);
	return out;
}
