/* SPDX-License-Identifier: Apache-2.0 */
/*
 * saved.c - the plan as a document and back, and the two digests.
 *
 * intent_digest covers what approval is about: direction, steps, identities, gates and thresholds; no time, no
 * observation. observed_digest covers the facts of class state and identity that the steps rest on; no samples.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/sb.h"
#include "core/base/version.h"
#include "core/base/when.h"
#include "core/io/digest.h"
#include "core/io/json.h"
#include "core/plan/plan_digest.h"
#include "core/plan/policy.h"

/* Text of the plan, the rollout or the registry: it outlives the document. */
static void put_text(struct arena *a, struct value *m, const char *key, const char *text)
{
	if (text)
		value_add(a, m, key, value_borrowed(a, text));
}

/*
 * What steps of one kind have in common stands in the document once, shared by all of them: a fleet has
 * thousands of steps of few kinds.
 */
struct kind {
	const struct change_type *type;
	enum undo undo_as;
	const char *undo_doc;
	const struct value *thing, *change, *doc, *phase, *undo;
};
struct shared_gate {
	const struct plan_gate *gate;
	const struct value *whole, *intent; /* intent: without what only explains */
};
struct maker {
	struct plan *p;
	const struct value **env_names, **addresses; /* by index in the plan */
	size_t *first_steps; /* of each environment; its others are near by */
	const struct value *executors[EXEC_API + 1];
	struct kind *kinds;
	struct shared_gate *gates;
	size_t kind_count, kind_cap, gate_count, gate_cap;
};

static const char *finding_level(enum finding_kind k)
{
	switch (k) {
	case FIND_NOTE:
		return "note";
	case FIND_WARN:
		return "warning";
	case FIND_LEAVE:
		return "leave-alone";
	case FIND_REFUSE:
		return "refused";
	}
	return "note";
}

static struct value *findings_value(struct arena *a, const struct changes *c)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < c->finding_count; i++) {
		const struct finding *f = &c->findings[i];
		struct value *m = value_map_sized(a, 4);

		put_text(a, m, "level", finding_level(f->kind));
		put_text(a, m, "rule", f->rule);
		put_text(a, m, "text", f->text);
		put_text(a, m, "hint", f->hint);
		value_list_add(a, list, m);
	}
	return list;
}

/* The step of this environment that will ask for it; NULL: none, it is needed before planning. */
static const struct plan_step *asking_step(const struct maker *mk, size_t env,
					   const struct attest_need *n)
{
	const struct plan *p = mk->p;

	for (size_t i = mk->first_steps[env]; n->step && i < p->step_count; i++) {
		const struct plan_step *s = &p->steps[i];

		if (s->thing != n->thing || strcmp(s->type->name, n->step) != 0)
			continue;
		for (size_t k = 0; k < s->env_count; k++)
			if (s->envs[k] == env)
				return s;
	}
	return NULL;
}

static struct value *attests_value(const struct maker *mk, size_t env)
{
	struct arena *a = mk->p->arena;
	const struct changes *c = &mk->p->envs[env].changes;
	struct value *list = value_list(a);

	for (size_t i = 0; i < c->attest_count; i++) {
		const struct attest_need *n = &c->attests[i];
		const struct plan_step *by = asking_step(mk, env, n);
		struct value *m = value_map_sized(a, 7), *facts = value_list(a);

		for (const char *const *f = n->facts; f && *f; f++)
			value_list_add(a, facts, value_borrowed(a, *f));
		put_text(a, m, "thing", n->thing->name);
		put_text(a, m, "page", n->thing->page);
		put_text(a, m, "why", n->why);
		value_add(a, m, "facts", facts);
		value_add(a, m, "before_planning", value_bool(a, !n->step));
		if (by) {
			put_text(a, m, "step", by->address);
			value_add(a, m, "earliest_ms", value_int(a, by->earliest_ms));
		}
		value_list_add(a, list, m);
	}
	return list;
}

static struct value *env_value(const struct maker *mk, size_t index)
{
	const struct plan_env *pe = &mk->p->envs[index];
	struct arena *a = mk->p->arena;
	struct value *m = value_map_sized(a, 8);

	value_add(a, m, "name", mk->env_names[index]);
	put_text(a, m, "outlook", outlook_name(pe->outlook));
	put_text(a, m, "error", pe->error);
	value_add(a, m, "identity", pe->identity);
	value_add(a, m, "facts", pe->facts);
	value_add(a, m, "findings", findings_value(a, &pe->changes));
	value_add(a, m, "attest", attests_value(mk, index));
	value_add(a, m, "requests", pe->requests);
	return m;
}

static const struct shared_gate *gate_of(struct maker *mk, const struct plan_gate *g)
{
	struct arena *a = mk->p->arena;
	const struct value *name, *when;
	struct value *whole, *intent;

	for (size_t i = 0; i < mk->gate_count; i++) {
		const struct plan_gate *k = mk->gates[i].gate;

		if (k->type == g->type && k->is_before == g->is_before &&
		    value_equal(k->limits, g->limits))
			return &mk->gates[i];
	}
	whole = value_map_sized(a, 5);
	intent = value_map_sized(a, 3);
	name = value_borrowed(a, g->type->name);
	when = value_borrowed(a, g->is_before ? "before" : "after");
	value_add(a, whole, "name", name);
	put_text(a, whole, "doc", g->type->doc);
	value_add(a, whole, "when", when);
	value_add(a, whole, "limits", g->limits);
	if (g->type->earliest)
		value_add(a, whole, "earliest_ms", value_int(a, g->type->earliest(g->limits)));
	value_add(a, intent, "limits", g->limits);
	value_add(a, intent, "name", name);
	value_add(a, intent, "when", when);
	/* Limits that differ in each environment are not searched for ever. */
	mk->gate_count %= 64;
	mk->gates = mem_grow(mk->gates, mk->gate_count, &mk->gate_cap, sizeof(*mk->gates));
	mk->gates[mk->gate_count] = (struct shared_gate){ g, whole, intent };
	return &mk->gates[mk->gate_count++];
}

static const struct kind *kind_of(struct maker *mk, const struct plan_step *s)
{
	struct arena *a = mk->p->arena;
	struct value *undo;

	for (size_t i = 0; i < mk->kind_count; i++)
		if (mk->kinds[i].type == s->type && mk->kinds[i].undo_as == s->undo &&
		    mk->kinds[i].undo_doc == s->undo_doc)
			return &mk->kinds[i];
	undo = value_map_sized(a, 2);
	put_text(a, undo, "kind", undo_name(s->undo));
	put_text(a, undo, "text", s->undo_doc);
	mk->kinds = mem_grow(mk->kinds, mk->kind_count, &mk->kind_cap, sizeof(*mk->kinds));
	mk->kinds[mk->kind_count] = (struct kind){
		.type = s->type,
		.undo_as = s->undo,
		.undo_doc = s->undo_doc,
		.thing = value_borrowed(a, s->thing->name),
		.change = value_borrowed(a, s->type->name),
		.doc = s->type->doc ? value_borrowed(a, s->type->doc) : NULL,
		.phase = value_borrowed(a, phase_name(s->phase)),
		.undo = undo,
	};
	return &mk->kinds[mk->kind_count++];
}

static const struct value *executor_of(struct maker *mk, enum executor e)
{
	if (!mk->executors[e])
		mk->executors[e] = value_borrowed(mk->p->arena, executor_name(e));
	return mk->executors[e];
}

static int64_t approvals_of(const struct plan *p, const struct plan_step *s)
{
	bool is_production = false;

	for (size_t i = 0; i < s->env_count; i++)
		is_production |= rollout_env_is_production(p->envs[s->envs[i]].env);
	return policy_approvals(p->rollout, is_production, s->phase == PHASE_CONTRACT);
}

static struct value *step_value(struct maker *mk, size_t index)
{
	struct plan *p = mk->p;
	const struct plan_step *s = &p->steps[index];
	const struct kind *k = kind_of(mk, s);
	struct arena *a = p->arena;
	struct value *m = value_map_sized(a, 15), *envs = value_list(a), *needs = value_list(a),
		     *gates = value_list(a);

	for (size_t i = 0; i < s->env_count; i++)
		value_list_add(a, envs, mk->env_names[s->envs[i]]);
	for (size_t i = 0; i < s->need_count; i++)
		value_list_add(a, needs, mk->addresses[s->needs[i]]);
	for (size_t i = 0; i < s->gate_count; i++)
		value_list_add(a, gates, gate_of(mk, &s->gates[i])->whole);

	value_add(a, m, "address", mk->addresses[index]);
	value_add(a, m, "environments", envs);
	value_add(a, m, "thing", k->thing);
	value_add(a, m, "change", k->change);
	value_add(a, m, "doc", k->doc);
	value_add(a, m, "phase", k->phase);
	value_add(a, m, "executor", executor_of(mk, s->executor));
	put_text(a, m, "reason", s->reason);
	value_add(a, m, "before", s->before);
	value_add(a, m, "after", s->after);
	value_add(a, m, "undo", k->undo);
	value_add(a, m, "needs", needs);
	value_add(a, m, "gates", gates);
	value_add(a, m, "earliest_ms", value_int(a, s->earliest_ms));
	if (policy_wants_approvals(p->rollout))
		value_add(a, m, "approvals", value_int(a, approvals_of(p, s)));
	return m;
}

/* What counts: a summary that a reviewer reads first. */
static struct value *summary_value(struct plan *p)
{
	struct arena *a = p->arena;
	struct value *m = value_map(a), *envs = value_map(a);
	int64_t never = 0, operators = 0, requests = 0, attest = 0, end = 0;

	for (size_t i = 0; i < p->env_count; i++) {
		const char *name = outlook_name(p->envs[i].outlook);

		value_set(a, envs, name, value_int(a, value_int_or(value_get(envs, name), 0) + 1));
		requests += (int64_t)value_count(p->envs[i].requests);
		attest += (int64_t)p->envs[i].changes.attest_count;
	}
	for (size_t i = 0; i < p->step_count; i++) {
		never += p->steps[i].undo == UNDO_NEVER;
		operators += p->steps[i].executor == EXEC_OPERATOR;
		end = MAX_OF(end, p->steps[i].earliest_ms);
	}
	value_set(a, m, "environments", envs);
	value_set(a, m, "steps", value_int(a, (int64_t)p->step_count));
	value_set(a, m, "irreversible", value_int(a, never));
	value_set(a, m, "by_operator", value_int(a, operators));
	value_set(a, m, "to_attest", value_int(a, attest));
	value_set(a, m, "requests", value_int(a, requests));
	value_set(a, m, "tokens", value_int(a, (int64_t)value_count(p->tokens)));
	value_set(a, m, "earliest_finish_ms", value_int(a, end));
	return m;
}

/* The same step without what only explains it. Keys are added sorted, as they are written. */
static struct value *step_intent(struct arena *a, struct maker *mk, const struct plan_step *s,
				 const struct value *step)
{
	static const char *const keys[] = { "address",  "after", "change", "environments",
					    "executor", "gates", "needs",  "phase",
					    "thing",    "undo" };
	struct value *m = value_map_sized(a, ARRAY_LEN(keys)), *gates = value_list(a);

	for (size_t i = 0; i < s->gate_count; i++)
		value_list_add(a, gates, gate_of(mk, &s->gates[i])->intent);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		value_add(a, m, keys[i],
			  strcmp(keys[i], "gates") == 0 ? gates : value_get(step, keys[i]));
	return m;
}

static const struct value *observed_of(struct arena *a, const struct plan *p,
				       const struct plan_env *pe)
{
	struct value *out = value_map(a);

	for (size_t i = 0; i < value_count(pe->facts); i++) {
		const char *name = value_key_at(pe->facts, i);
		const struct thing_type *t = registry_thing(p->registry, name);
		const struct value *facts = value_get(value_at(pe->facts, i), "facts");

		for (const struct fact *f = t ? t->facts : NULL; f && f->name; f++) {
			const struct value *v = value_get(facts, f->name);

			if (v && (f->class == FACT_STATE || f->class == FACT_IDENTITY))
				value_add(a, out, arena_join(a, name, '.', f->name), v);
		}
	}
	return out;
}

/*
 * What is digested is one canonical document, but nobody needs it whole: it is written piece by piece, and each piece dies
 * once it is in the sum. A fleet's would be larger than the plan itself.
 */
struct summing {
	struct digest *sum;
	struct sb text;
	struct arena arena; /* of one piece */
};

static void sum_text(struct summing *s, const char *text)
{
	digest_add(s->sum, text, strlen(text));
}

static void sum_value(struct summing *s, const struct value *v)
{
	json_write(&s->text, v, JSON_CANONICAL, NULL);
	digest_add(s->sum, s->text.buf, s->text.len);
	sb_reset(&s->text);
	arena_done(&s->arena);
}

static int by_name(const void *a, const void *b)
{
	const struct plan_env *const *x = a, *const *y = b;

	return strcmp((*x)->env->name, (*y)->env->name);
}

/* A map from the environments' names to what `of` says of each, its keys sorted as those of any canonical map. */
static void sum_envs(struct summing *s, const struct plan *p,
		     const struct value *(*of)(struct arena *, const struct plan *,
					       const struct plan_env *))
{
	const struct plan_env **order = mem_resize(NULL, p->env_count, sizeof(*order));

	for (size_t i = 0; i < p->env_count; i++)
		order[i] = &p->envs[i];
	qsort((void *)order, p->env_count, sizeof(*order), by_name);
	sum_text(s, "{");
	for (size_t i = 0; i < p->env_count; i++) {
		sum_text(s, i ? "," : "");
		sum_value(s, value_borrowed(&s->arena, order[i]->env->name));
		sum_text(s, ":");
		sum_value(s, of(&s->arena, p, order[i]));
	}
	sum_text(s, "}");
	mem_free((void *)order);
}

static const struct value *identity_of(struct arena *a, const struct plan *p,
				       const struct plan_env *pe)
{
	(void)a;
	(void)p;
	return pe->identity;
}

/* {"identity": {environment: {...}}, "steps": [...]} */
static void digest_intent(struct maker *mk, const struct value *steps)
{
	struct summing s = { digest_new(), SB_INIT(SB_TEXT_MAX), ARENA_INIT };
	struct plan *p = mk->p;

	sum_text(&s, "{\"direction\":\"");
	sum_text(&s, direction_name(p->direction));
	sum_text(&s, "\",\"identity\":");
	sum_envs(&s, p, identity_of);
	sum_text(&s, ",\"steps\":[");
	for (size_t i = 0; i < p->step_count; i++) {
		sum_text(&s, i ? "," : "");
		sum_value(&s, step_intent(&s.arena, mk, &p->steps[i], value_at(steps, i)));
	}
	sum_text(&s, "]}");
	digest_end(s.sum, p->intent_digest);
	sb_done(&s.text);
}

static void digest_observed(struct plan *p)
{
	struct summing s = { digest_new(), SB_INIT(SB_TEXT_MAX), ARENA_INIT };

	sum_envs(&s, p, observed_of);
	digest_end(s.sum, p->observed_digest);
	sb_done(&s.text);
}

static struct value *rollout_digest_value(const struct plan *p)
{
	const struct rollout_env **envs = arena_array(p->arena, p->env_count + 1, sizeof(*envs));
	char hex[65];

	for (size_t i = 0; i < p->env_count; i++)
		envs[i] = p->envs[i].env;
	rollout_digest(p->rollout, envs, hex);
	return value_string(p->arena, hex);
}

const struct value *plan_seal(struct plan *p)
{
	char hex[65];

	plan_to_value(p);
	plan_document_of(p->document, hex);
	value_set(p->arena, p->document, "document_digest", value_string(p->arena, hex));
	return p->document;
}

const struct value *plan_to_value(struct plan *p)
{
	struct arena *a = p->arena;
	struct maker mk = { .p = p };
	struct value *doc, *envs, *steps;

	if (p->document)
		return p->document;
	doc = value_map(a);
	envs = value_list(a);
	steps = value_list(a);
	mk.env_names = arena_array(a, p->env_count, sizeof(struct value *));
	mk.addresses = arena_array(a, p->step_count, sizeof(struct value *));
	mk.first_steps = arena_array(a, p->env_count, sizeof(size_t));
	for (size_t i = p->step_count; i-- > 0;)
		for (size_t k = 0; k < p->steps[i].env_count; k++)
			mk.first_steps[p->steps[i].envs[k]] = i;
	for (size_t i = 0; i < p->env_count; i++) {
		mk.env_names[i] = value_borrowed(a, p->envs[i].env->name);
		value_list_add(a, envs, env_value(&mk, i));
	}
	for (size_t i = 0; i < p->step_count; i++)
		mk.addresses[i] = value_borrowed(a, p->steps[i].address);
	for (size_t i = 0; i < p->step_count; i++)
		value_list_add(a, steps, step_value(&mk, i));
	digest_intent(&mk, steps);
	digest_observed(p);
	mem_free(mk.kinds);
	mem_free(mk.gates);

	put_text(a, doc, "kind", "s2sctl.plan");
	value_set(a, doc, "format_version", value_int(a, PLAN_FORMAT_VERSION));
	put_text(a, doc, "tool", "s2sctl " S2SCTL_VERSION);
	put_text(a, doc, "direction", direction_name(p->direction));
	put_text(a, doc, "rollout", p->rollout->path);
	value_set(a, doc, "rollout_digest", rollout_digest_value(p));
	put_text(a, doc, "made_by", p->made_by);
	value_set(a, doc, "policy", p->policy ? p->policy : value_list(a));
	value_set(a, doc, "made_at", value_instant(a, p->made_ms));
	put_text(a, doc, "intent_digest", p->intent_digest);
	put_text(a, doc, "observed_digest", p->observed_digest);
	value_set(a, doc, "summary", summary_value(p));
	value_set(a, doc, "token_requests", p->tokens ? value_copy(a, p->tokens) : value_list(a));
	value_set(a, doc, "environments", envs);
	value_set(a, doc, "steps", steps);
	return p->document = doc;
}

/* ---- and back ---- */

static int gates_from(struct plan *p, struct plan_step *s, const struct value *list,
		      struct err *err)
{
	s->gates = arena_array(p->arena, value_count(list) + 1, sizeof(*s->gates));
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *g = value_at(list, i);
		const char *name = value_text_or(value_get(g, "name"), "");
		const struct gate_type *t = registry_gate(p->registry, name);

		if (!t)
			return err_set(err, E_REFUSED,
				       "the plan names gate '%s', which this build does not have",
				       name);
		s->gates[s->gate_count++] = (struct plan_gate){
			.type = t,
			.limits = value_get(g, "limits"),
			.is_before = strcmp(value_text_or(value_get(g, "when"), ""), "before") == 0,
		};
	}
	return 0;
}

/* What can be undone was judged when the plan was made, by what was seen then: "gone" stays gone. A document without it is one of its type. */
static int undo_from(struct plan_step *s, const struct value *undo, struct err *err)
{
	const char *name = value_text(value_get(undo, "kind"));

	s->undo = s->type->undo;
	s->undo_doc = value_text_or(value_get(undo, "text"), s->type->undo_doc);
	for (enum undo u = UNDO_NOTHING; name && u <= UNDO_NEVER; u++)
		if (strcmp(undo_name(u), name) == 0) {
			s->undo = u;
			return 0;
		}
	return name ? err_set(err, E_REFUSED,
			      "step '%s' can be undone by '%.40s', which this build does not know",
			      s->address, name) :
		      0;
}

static int step_from(struct plan *p, struct value *env_index, struct value *step_index,
		     const struct value *v, struct err *err)
{
	const char *thing = value_text_or(value_get(v, "thing"), ""),
		   *change = value_text_or(value_get(v, "change"), "");
	const char *who = value_text_or(value_get(v, "executor"), "");
	const struct value *envs = value_get(v, "environments"), *needs = value_get(v, "needs");
	struct plan_step *s = &p->steps[p->step_count];

	*s = (struct plan_step){
		.address = value_text_or(value_get(v, "address"), ""),
		.thing = registry_thing(p->registry, thing),
		.type = registry_change(p->registry, thing, change),
		.reason = value_text(value_get(v, "reason")),
		.before = value_get(v, "before"),
		.after = value_get(v, "after"),
		.earliest_ms = value_int_or(value_get(v, "earliest_ms"), 0),
	};
	if (!s->thing || !s->type)
		return err_set(err, E_REFUSED,
			       "the plan names step '%s/%s', which this build does not have", thing,
			       change);
	s->phase = s->type->phase;
	if (undo_from(s, value_get(v, "undo"), err) < 0)
		return -err->code;
	for (enum executor e = EXEC_NONE; e <= EXEC_API; e++)
		if (strcmp(executor_name(e), who) == 0)
			s->executor = e;
	s->envs = arena_array(p->arena, value_count(envs) + 1, sizeof(size_t));
	for (size_t i = 0; i < value_count(envs); i++) {
		const char *name = value_text_or(value_at(envs, i), "");
		const struct value *at = value_get(env_index, name);

		if (!at)
			return err_set(
				err, E_REFUSED,
				"step '%s' is for environment '%s', which the plan does not list",
				s->address, name);
		s->envs[s->env_count++] = (size_t)at->u.i;
	}
	s->needs = arena_array(p->arena, value_count(needs) + 1, sizeof(size_t));
	for (size_t i = 0; i < value_count(needs); i++) {
		const struct value *at =
			value_get(step_index, value_text_or(value_at(needs, i), ""));

		if (!at)
			return err_set(err, E_REFUSED,
				       "step '%s' needs a step that the plan does not hold",
				       s->address);
		s->needs[s->need_count++] = (size_t)at->u.i;
	}
	if (!s->env_count)
		return err_set(err, E_REFUSED, "step '%s' is for no environment", s->address);
	p->step_count++;
	return gates_from(p, s, value_get(v, "gates"), err);
}

static enum env_outlook outlook_from(const char *name)
{
	for (enum env_outlook o = OUTLOOK_CHANGES; o <= OUTLOOK_FAILED; o++)
		if (strcmp(outlook_name(o), name) == 0)
			return o;
	return OUTLOOK_FAILED;
}

/* @index  name -> place in plan.envs, in `tmp` */
static int envs_from(struct plan *p, struct arena *tmp, struct value *index,
		     const struct value *list, struct err *err)
{
	p->envs = arena_array(p->arena, value_count(list) + 1, sizeof(*p->envs));
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *v = value_at(list, i);
		const char *name = value_text_or(value_get(v, "name"), "");
		const struct rollout_env *env = rollout_find_env(p->rollout, name);

		if (!env)
			return err_set(err, E_REFUSED,
				       "the plan is for environment '%s', which '%s' does not have",
				       name, p->rollout->path);
		value_set(tmp, index, name, value_int(tmp, (int64_t)p->env_count));
		p->envs[p->env_count++] = (struct plan_env){
			.env = env,
			.outlook = outlook_from(value_text_or(value_get(v, "outlook"), "")),
			.identity = value_get(v, "identity"),
			.facts = value_get(v, "facts"),
			.requests = value_get(v, "requests"),
			.error = value_text(value_get(v, "error")),
			.changes = { .arena = p->arena, .registry = p->registry },
		};
	}
	return 0;
}

/* The top members may be replaced; what lies below is shared. */
static struct value *value_shallow(struct arena *a, const struct value *doc)
{
	struct value *out = value_map_sized(a, value_count(doc) + 1);

	for (size_t i = 0; i < value_count(doc); i++)
		value_add(a, out, value_key_at(doc, i), value_at(doc, i));
	return out;
}

/* A plan from before there was a way back says nothing, and leads forward. */
static int direction_from(const char *name, enum direction *ret, struct err *err)
{
	for (enum direction d = DIRECTION_FORWARD; d <= DIRECTION_BACK; d++)
		if (strcmp(direction_name(d), name) == 0) {
			*ret = d;
			return 0;
		}
	return err_set(err, E_REFUSED, "the plan leads '%.40s', which this build does not know",
		       name);
}

int plan_from_value(struct arena *a, const struct registry *reg, const struct rollout *r,
		    const struct value *doc, struct plan **ret, struct err *err)
{
	CLEANUP(arena_done)
	struct arena tmp = ARENA_INIT; /* of the indexes by name, which nobody needs afterwards */
	struct plan *p = plan_new(a, reg, r);
	struct value *env_index = value_map(&tmp), *step_index = value_map(&tmp);
	const struct value *steps = value_get(doc, "steps");
	int64_t version = value_int_or(value_get(doc, "format_version"), -1);

	if (strcmp(value_text_or(value_get(doc, "kind"), ""), "s2sctl.plan") != 0)
		return err_set(err, E_REFUSED, "this is not a plan of s2sctl");
	if (version != PLAN_FORMAT_VERSION)
		return err_set(err, E_REFUSED,
			       "the plan has format version %lld, this build reads %d",
			       (long long)version, PLAN_FORMAT_VERSION);
	if (direction_from(value_text_or(value_get(doc, "direction"), "forward"), &p->direction,
			   err) < 0)
		return -err->code;
	if (envs_from(p, &tmp, env_index, value_get(doc, "environments"), err) < 0)
		return -err->code;
	for (size_t i = 0; i < value_count(steps); i++)
		value_set(&tmp, step_index,
			  value_text_or(value_get(value_at(steps, i), "address"), ""),
			  value_int(&tmp, (int64_t)i));
	p->steps = arena_array(a, value_count(steps) + 1, sizeof(*p->steps));
	for (size_t i = 0; i < value_count(steps); i++)
		if (step_from(p, env_index, step_index, value_at(steps, i), err) < 0)
			return -err->code;
	memcpy(p->intent_digest, value_text_or(value_get(doc, "intent_digest"), ""),
	       MIN_OF(strlen(value_text_or(value_get(doc, "intent_digest"), "")), (size_t)64));
	memcpy(p->observed_digest, value_text_or(value_get(doc, "observed_digest"), ""),
	       MIN_OF(strlen(value_text_or(value_get(doc, "observed_digest"), "")), (size_t)64));
	p->document = value_shallow(a, doc);
	p->made_by = value_text(value_get(doc, "made_by"));
	*ret = p;
	return 0;
}
