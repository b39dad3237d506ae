/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan/policy.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/sb.h"
#include "core/base/when.h"
#include "core/io/json.h"
#include "core/plan/window.h"

struct judge {
	struct plan *p;
	struct value *list;
	int64_t now;
	/* Where the rule at hand is written, and whom it concerns. */
	const struct value *policy;
	const struct plan_env *pe; /* NULL: the whole plan */
};

bool rollout_env_is_production(const struct rollout_env *env)
{
	return value_bool_or(value_get(env->want, "production"), false);
}

bool policy_wants_approvals(const struct rollout *r)
{
	return value_get(r->policy, "approvals") != NULL;
}

unsigned policy_approvals(const struct rollout *r, bool is_production, bool is_contract)
{
	const struct value *v = value_get(r->policy, "approvals");
	int64_t most = value_int_or(value_get(v, "all"), 0);

	if (is_production)
		most = MAX_OF(most, value_int_or(value_get(v, "production"), 0));
	if (is_contract)
		most = MAX_OF(most, value_int_or(value_get(v, "irreversible"), 0));
	return (unsigned)most;
}

/* ---- telling ---- */

static struct value *broken(struct judge *j, const struct value *at, const char *rule,
			    const char *hint, const char *fmt, ...) PRINTF_LIKE(5, 6);

static struct value *broken(struct judge *j, const struct value *at, const char *rule,
			    const char *hint, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb raw = SB_INIT(4096), text = SB_INIT(16384);
	struct arena *a = j->p->arena;
	struct value *m = value_map(a);
	va_list ap;

	va_start(ap, fmt);
	sb_addv(&raw, fmt, ap);
	va_end(ap);
	sb_add_visible(&text, raw.buf);
	value_set(a, m, "rule", value_string(a, rule));
	value_set(a, m, "level", value_string(a, "refused"));
	value_set(a, m, "text", value_string(a, text.buf));
	if (hint)
		value_set(a, m, "hint", value_string(a, hint));
	if (j->pe)
		value_set(a, m, "environment", value_string(a, j->pe->env->name));
	if (at && at->pos.line) {
		value_set(a, m, "file", value_string(a, at->pos.file));
		value_set(a, m, "line", value_int(a, at->pos.line));
		value_set(a, m, "col", value_int(a, at->pos.col));
	}
	value_list_add(a, j->list, m);
	return m;
}

/* ---- blast radius ---- */

static bool is_changed(const struct plan_env *pe)
{
	return pe->outlook == OUTLOOK_CHANGES || pe->outlook == OUTLOOK_ATTEST;
}

static void at_most(struct judge *j, const char *name, const char *rule, int64_t is, const char *of)
{
	const struct value *most = value_get(j->policy, name);

	if (most && is > most->u.i)
		broken(j, most, rule, "plan fewer with --env, or change the policy",
		       "%s: %" PRId64 ", and %s allows %" PRId64, of, is, name, most->u.i);
}

/* A project is what its section says: core knows no more of it. */
static int64_t count_projects(const struct plan *p)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *seen = value_map(&a);

	for (size_t i = 0; i < p->env_count; i++) {
		CLEANUP(sb_done) struct sb key = SB_INIT(SB_TEXT_MAX);
		const struct value *v = value_get(p->envs[i].env->want, "project");

		if (!is_changed(&p->envs[i]))
			continue;
		if (v)
			json_write(&key, v, JSON_CANONICAL, NULL);
		else
			sb_addf(&key, "environment %s", p->envs[i].env->name);
		value_set(&a, seen, key.buf, value_null(&a));
	}
	return (int64_t)value_count(seen);
}

static void judge_radius(struct judge *j)
{
	const struct plan *p = j->p;
	const struct value *expect = value_get(j->policy, "expect_steps");
	int64_t envs = 0, never = 0;

	for (size_t i = 0; i < p->env_count; i++)
		envs += is_changed(&p->envs[i]);
	for (size_t i = 0; i < p->step_count; i++)
		never += p->steps[i].undo == UNDO_NEVER;
	at_most(j, "max_environments", "max-environments", envs, "environments to be changed");
	at_most(j, "max_irreversible", "max-irreversible", never, "steps beyond undoing");
	if (value_get(j->policy, "max_projects"))
		at_most(j, "max_projects", "max-projects", count_projects(p),
			"projects to be changed");
	if (expect && p->step_count && (int64_t)p->step_count != expect->u.i)
		broken(j, expect, "expect-steps",
		       "look at what is different, then change the number",
		       "the plan has %zu steps, and expect_steps says %" PRId64, p->step_count,
		       expect->u.i);
}

/* ---- one environment ---- */

static bool concerns(const struct judge *j, const struct plan_step *s)
{
	for (size_t k = 0; k < s->env_count; k++)
		if (&j->p->envs[s->envs[k]] == j->pe)
			return true;
	return false;
}

static void judge_executors(struct judge *j)
{
	const struct value *list = value_get(j->policy, "forbid_executors");

	for (size_t i = 0; i < value_count(list); i++)
		for (size_t k = 0; k < j->p->step_count; k++) {
			const struct plan_step *s = &j->p->steps[k];
			const char *who = value_text_or(value_at(list, i), "");

			if (concerns(j, s) && strcmp(executor_name(s->executor), who) == 0)
				broken(j, value_at(list, i), "forbidden-executor",
				       "choose another one under `executors`",
				       "step '%s' is carried out by '%s', which the policy forbids",
				       s->address, who);
		}
}

static void judge_attested(struct judge *j)
{
	const struct value *word = value_get(j->policy, "attested"), *facts = j->pe->facts;

	if (!word || strcmp(value_text_or(word, ""), "forbid") != 0)
		return;
	for (size_t i = 0; i < j->pe->changes.attest_count; i++)
		broken(j, word, "attested", "give the tool an account that can read it",
		       "the plan would rest on what a person reads of '%s', and the policy forbids attested evidence",
		       j->pe->changes.attests[i].thing->name);
	for (size_t i = 0; i < value_count(facts); i++)
		if (strcmp(value_text_or(value_get(value_at(facts, i), "known"), ""),
			   known_name(KNOWN_ATTESTED)) == 0)
			broken(j, word, "attested", "give the tool an account that can read it",
			       "the plan rests on what %s attested of '%s', and the policy forbids attested evidence",
			       value_text_or(value_get(value_at(facts, i), "by"), "a person"),
			       value_key_at(facts, i));
}

/* "thing.fact" of the provider that knows when the old way of signing in ends. */
static int64_t certificate_end(const struct judge *j)
{
	for (const struct provider *const *p = j->p->registry->providers; *p; p++) {
		const char *dot =
			(*p)->certificate_end ? strrchr((*p)->certificate_end, '.') : NULL;
		CLEANUP(sb_done) struct sb thing = SB_INIT(256);

		if (!dot)
			continue;
		sb_addn(&thing, (*p)->certificate_end, (size_t)(dot - (*p)->certificate_end));
		return value_int_or(value_get(value_get(value_get(j->pe->facts, thing.buf),
							"facts"),
					      dot + 1),
				    0);
	}
	return 0;
}

static void judge_certificate(struct judge *j)
{
	const struct value *least = value_get(j->policy, "certificate_left");
	int64_t end = least ? certificate_end(j) : 0;
	char left[WHEN_TEXT_MAX], want[WHEN_TEXT_MAX];

	if (!least || !is_changed(j->pe))
		return;
	if (!end)
		broken(j, least, "certificate-left", NULL,
		       "when the old credential's certificate ends is not known, and the policy wants %s left",
		       when_span_text(want, least->u.i));
	else if (end - j->now < least->u.i)
		broken(j, least, "certificate-left", NULL,
		       "the old credential's certificate ends in %s, and the policy wants %s left",
		       when_span_text(left,
				      MAX_OF(end - j->now, (int64_t)0) / WHEN_SECOND * WHEN_SECOND),
		       when_span_text(want, least->u.i));
}

static void judge_floor(struct judge *j, const char *gate, const struct value *floors)
{
	bool has_contract = false, is_there = false;

	for (size_t i = 0; i < j->p->step_count; i++) {
		const struct plan_step *s = &j->p->steps[i];

		if (!concerns(j, s))
			continue;
		has_contract |= s->phase == PHASE_CONTRACT;
		for (size_t g = 0; g < s->gate_count; g++) {
			if (strcmp(s->gates[g].type->name, gate) != 0)
				continue;
			is_there = true;
			for (size_t f = 0; f < value_count(floors); f++) {
				const char *key = value_key_at(floors, f);

				if (value_int_or(value_get(s->gates[g].limits, key), 0) <
				    value_int_or(value_at(floors, f), 0))
					broken(j, value_at(floors, f), "gate-floor",
					       "raise it under `gates`",
					       "'%s' of gate '%s' in step '%s' is below the policy's floor",
					       key, gate, s->address);
			}
		}
	}
	if (has_contract && !is_there)
		broken(j, floors, "gate-missing", NULL,
		       "gate '%s' does not stand before the point of no return, and the policy wants it",
		       gate);
}

static void judge_gates(struct judge *j)
{
	const struct value *gates = value_get(j->policy, "gates");

	for (size_t i = 0; i < value_count(gates); i++)
		judge_floor(j, value_key_at(gates, i), value_at(gates, i));
}

static bool freezes(const struct value *policy, int64_t now, struct arena *a, int64_t *ret_until,
		    const char **ret_why, const struct value **ret_entry)
{
	char text[WHEN_TEXT_MAX];

	if (!window_holds(value_get(policy, "freeze"), now, ret_until, ret_entry))
		return false;
	*ret_why = arena_printf(a, "freeze '%s' holds until %s",
				value_text_or(value_get(*ret_entry, "name"),
					      value_text_or(value_get(*ret_entry, "zone"), "")),
				when_text(text, *ret_until));
	return true;
}

static void judge_freeze(struct judge *j)
{
	const struct value *entry = NULL;
	const char *why = "";
	int64_t until = 0;
	struct value *m;

	if (!freezes(j->policy, j->now, j->p->arena, &until, &why, &entry))
		return;
	m = broken(j, entry, "freeze",
		   "apply begins nothing until then; a saved plan may be approved", "%s", why);
	value_set(j->p->arena, m, "until", value_instant(j->p->arena, until));
}

bool policy_freezes(const struct rollout *r, const struct rollout_env *env, int64_t now_ms,
		    struct arena *a, int64_t *ret_until, const char **ret_why)
{
	const struct value *entry = NULL, *own = env ? value_get(env->want, "policy") : NULL;
	int64_t until = 0;
	const char *why = "";
	bool top = freezes(r->policy, now_ms, a, ret_until, ret_why, &entry);

	if (!own || !freezes(own, now_ms, a, &until, &why, &entry))
		return top;
	if (!top || until > *ret_until) {
		*ret_until = until;
		*ret_why = why;
	}
	return true;
}

/* ---- all of it ---- */

static void judge_env(struct judge *j, const struct value *policy)
{
	j->policy = policy;
	judge_executors(j);
	judge_attested(j);
	judge_certificate(j);
	judge_gates(j);
}

static void judge_maker(struct judge *j)
{
	const struct value *v = value_get(j->policy, "approvals");

	if (v && !value_bool_or(value_get(v, "own"), false) && !j->p->made_by && j->p->step_count)
		broken(j, v, "made-by", "--by NAME, as the allowed-signers file names them",
		       "nobody may approve their own plan, and this one does not say who made it");
}

void policy_judge(struct plan *p, int64_t now_ms)
{
	struct judge j = { .p = p, .list = value_list(p->arena), .now = now_ms };
	bool any = false;

	for (size_t i = 0; i < p->env_count; i++)
		any |= is_changed(&p->envs[i]);
	j.policy = p->rollout->policy;
	if (j.policy && any) {
		judge_radius(&j);
		judge_freeze(&j);
		judge_maker(&j);
	}
	for (size_t i = 0; i < p->env_count; i++) {
		const struct value *own = value_get(p->envs[i].env->want, "policy");

		j.pe = &p->envs[i];
		if (!is_changed(j.pe))
			continue;
		if (p->rollout->policy)
			judge_env(&j, p->rollout->policy);
		if (own) {
			judge_env(&j, own);
			judge_freeze(&j);
		}
	}
	p->policy = j.list;
}
