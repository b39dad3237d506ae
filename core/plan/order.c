/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.c - from changes to ordered steps.
 *
 * Within an environment: phase by phase, then in the registry's order. Steps of expand and switch follow one another; prove
 * steps run side by side, after those prove steps that act; contract steps follow one another. A shared step
 * stands once, behind the last of its environments, and needs what any of them needs. It is left out when one
 * of them is not part of the plan, or cannot be carried out: nobody would have proved that this one is through with it.
 * On the way back nobody waits for those named in `after`: their trouble is no reason to stay.
 */
#include <string.h>

#include "core/base/mem.h"
#include "core/base/sb.h"
#include "core/plan/plan.h"

struct order {
	struct plan *p;
	struct value *shared;  /* "client id thing/change" -> step index */
	struct value *last_of; /* the same key -> plan index of the last environment that has it */
	size_t **of_env;       /* step indexes of each environment; shared ones last */
	size_t *of_env_count, *of_env_cap;
	struct plan_env **by_env; /* by index in the rollout; NULL: not in the plan */
	struct value *absent;     /* client id -> rollout index of one that is not in the plan */
	size_t *needed_by;        /* per step: 1 + the step that has it among its needs already */
};

static const char *share_key(struct order *o, const struct plan_env *pe, const struct change *c)
{
	return arena_printf(o->p->arena, "%s %s/%s",
			    pe->env->client_id ? pe->env->client_id : pe->env->name, c->thing->name,
			    c->type->name);
}

static void note_env(struct order *o, size_t env, size_t step)
{
	struct arena *a = o->p->arena;

	o->of_env[env] = arena_grow(a, o->of_env[env], o->of_env_count[env], &o->of_env_cap[env],
				    sizeof(size_t));
	o->of_env[env][o->of_env_count[env]++] = step;
}

static void add_gates(struct plan *p, struct plan_step *s, const struct rollout_env *env)
{
	size_t n = 0;

	for (int pass = 0; pass < 2; pass++)
		for (const char *const *g = pass ? s->type->after : s->type->before; g && *g; g++)
			n++;
	s->gates = arena_array(p->arena, n ? n : 1, sizeof(*s->gates));
	for (int pass = 0; pass < 2; pass++)
		for (const char *const *g = pass ? s->type->after : s->type->before; g && *g; g++)
			s->gates[s->gate_count++] =
				(struct plan_gate){ .type = registry_gate(p->registry, *g),
						    .limits = rollout_gate(env, *g),
						    .is_before = pass == 0 };
}

static size_t add_step(struct order *o, const struct plan_env *pe, const struct change *c)
{
	struct plan *p = o->p;
	struct plan_step *s;

	s = &p->steps[p->step_count];
	*s = (struct plan_step){
		.thing = c->thing,
		.type = c->type,
		.phase = c->type->phase,
		.reason = c->reason,
		.undo = c->undo,
		.undo_doc = c->undo_doc,
		.before = c->before,
		.after = c->after,
	};
	s->executor = !(c->type->apply || c->type->apply_bridge || c->type->executors) ? EXEC_NONE :
		      c->type->capability ? rollout_executor(pe->env, c->type->capability) :
					    EXEC_API;
	add_gates(p, s, pe->env);
	return p->step_count++;
}

static void step_joins_env(struct order *o, size_t step, size_t env)
{
	struct plan_step *s = &o->p->steps[step];

	s->envs = arena_grow(o->p->arena, s->envs, s->env_count, &s->env_cap, sizeof(*s->envs));
	s->envs[s->env_count++] = env;
	note_env(o, env, step);
}

/* For each credential, one environment whose state this plan does not know, if there is such a one. */
static void find_absent(struct order *o)
{
	const struct rollout *r = o->p->rollout;

	for (size_t i = 0; i < r->env_count; i++) {
		const struct plan_env *pe = o->by_env[i];
		const char *client = r->envs[i].client_id;
		bool known =
			pe && (pe->outlook == OUTLOOK_CHANGES || pe->outlook == OUTLOOK_NOTHING);

		if (client && !known && !value_get(o->absent, client))
			value_set(o->p->arena, o->absent, client,
				  value_int(o->p->arena, (int64_t)i));
	}
}

static const struct rollout_env *absent_for(const struct order *o, const struct rollout_env *env)
{
	const struct value *at = env->client_id ? value_get(o->absent, env->client_id) : NULL;

	return at ? &o->p->rollout->envs[at->u.i] : NULL;
}

static bool is_left_out(struct order *o, struct plan_env *pe, const struct change *c)
{
	const struct rollout_env *absent =
		c->type->flags & CHANGE_SHARED ? absent_for(o, pe->env) : NULL;

	if (absent)
		changes_find(
			&pe->changes, FIND_WARN, "shared-client",
			"plan them together once it can be carried out too",
			"%s %s is left out: environment '%s' has the same credential and is not part of this plan",
			c->thing->name, c->type->name, absent->name);
	return absent != NULL;
}

static void leave_out(struct order *o, struct plan_env *pe)
{
	size_t kept = 0;

	for (size_t i = 0; i < pe->changes.count; i++)
		if (!is_left_out(o, pe, &pe->changes.list[i]))
			pe->changes.list[kept++] = pe->changes.list[i];
	pe->changes.count = kept;
	if (!kept)
		pe->outlook = OUTLOOK_NOTHING;
}

/* Shared steps are collected first, so that each can stand behind the last environment that has it. */
static void find_shared(struct order *o)
{
	for (size_t e = 0; e < o->p->env_count; e++) {
		const struct plan_env *pe = &o->p->envs[e];

		for (size_t i = 0; pe->outlook == OUTLOOK_CHANGES && i < pe->changes.count; i++)
			if (pe->changes.list[i].type->flags & CHANGE_SHARED)
				value_set(o->p->arena, o->last_of,
					  share_key(o, pe, &pe->changes.list[i]),
					  value_int(o->p->arena, (int64_t)e));
	}
}

static void place_change(struct order *o, size_t e, const struct change *c)
{
	struct plan *p = o->p;
	const char *key;
	size_t step;

	if (!(c->type->flags & CHANGE_SHARED)) {
		step_joins_env(o, add_step(o, &p->envs[e], c), e);
		return;
	}
	key = share_key(o, &p->envs[e], c);
	if (value_int_or(value_get(o->last_of, key), -1) != (int64_t)e)
		return; /* a later environment shares it */
	step = add_step(o, &p->envs[e], c);
	value_set(p->arena, o->shared, key, value_int(p->arena, (int64_t)step));
}

/* Lets the environments that share steps join them; runs when all steps have their index. */
static void join_shared(struct order *o)
{
	for (size_t e = 0; e < o->p->env_count; e++) {
		const struct plan_env *pe = &o->p->envs[e];

		for (size_t i = 0; pe->outlook == OUTLOOK_CHANGES && i < pe->changes.count; i++) {
			const struct change *c = &pe->changes.list[i];

			if (c->type->flags & CHANGE_SHARED)
				step_joins_env(o,
					       (size_t)value_int_or(value_get(o->shared,
									      share_key(o, pe, c)),
								    0),
					       e);
		}
	}
}

static void name_step(struct plan *p, struct plan_step *s)
{
	CLEANUP(sb_done) struct sb sb = SB_INIT(SB_TEXT_MAX);

	for (size_t i = 0; i < s->env_count; i++)
		sb_addf(&sb, "%s%s", i ? "+" : "", p->envs[s->envs[i]].env->name);
	sb_addf(&sb, "/%s/%s", s->thing->name, s->type->name);
	s->address = arena_strdup(p->arena, sb.buf);
}

static bool acts(const struct plan_step *s)
{
	return s->executor != EXEC_NONE;
}

/* Whether step t has to be done before step s, both being of one environment. */
static bool comes_before(const struct plan_step *t, const struct plan_step *s)
{
	if (t->phase != s->phase)
		return t->phase < s->phase;
	if (s->phase == PHASE_PROVE)
		return acts(t) && t < s;
	return t < s;
}

static void add_need(struct order *o, struct plan_step *s, size_t need, size_t *cap)
{
	size_t stamp = (size_t)(s - o->p->steps) + 1;

	if (o->needed_by[need] == stamp)
		return;
	o->needed_by[need] = stamp;
	s->needs = arena_grow(o->p->arena, s->needs, s->need_count, cap, sizeof(size_t));
	s->needs[s->need_count++] = need;
}

/*
 * Marks all that environment e waits for, e included: those of its `after`, and, since a shared contract
 * step waits for all who share it, those that share one with any of them.
 */
static void mark_waits(struct order *o, size_t e, const size_t *plan_index, unsigned char *seen,
		       size_t *stack)
{
	const struct plan *p = o->p;
	size_t depth = 0;

	memset(seen, 0, p->env_count);
	seen[e] = 1;
	stack[depth++] = e;
	while (depth) {
		size_t at = stack[--depth];
		const struct rollout_env *env = p->envs[at].env;

		for (size_t k = 0; k < env->after_count; k++) {
			size_t to = plan_index[env->after[k]->index];

			if (to != SIZE_MAX && !seen[to]) {
				seen[to] = 1;
				stack[depth++] = to;
			}
		}
		for (size_t i = 0; i < o->of_env_count[at]; i++) {
			const struct plan_step *t = &p->steps[o->of_env[at][i]];

			for (size_t k = 0; t->env_count > 1 && k < t->env_count; k++)
				if (!seen[t->envs[k]]) {
					seen[t->envs[k]] = 1;
					stack[depth++] = t->envs[k];
				}
		}
	}
}

/* Whether a shared step waits for environment e, so that nothing of e may wait for it. */
static bool waits_for(struct order *o, const struct plan_step *t, size_t e,
		      const size_t *plan_index)
{
	unsigned char *seen;
	size_t *stack;
	bool found;

	if (t->env_count < 2)
		return false;
	seen = mem_alloc(o->p->env_count);
	stack = mem_alloc(o->p->env_count * sizeof(*stack));
	mark_waits(o, t->envs[0], plan_index, seen, stack); /* reaches all who share it */
	found = seen[e];
	mem_free(stack);
	mem_free(seen);
	return found;
}

/* `after: [x]`: everything of x, except a shared contract step that itself waits for this environment. */
static void need_predecessors(struct order *o, struct plan_step *s, size_t e,
			      const size_t *plan_index, size_t *cap)
{
	const struct rollout_env *env = o->p->envs[e].env;

	for (size_t k = 0; k < env->after_count; k++) {
		size_t other = plan_index[env->after[k]->index];

		if (other == SIZE_MAX)
			continue;
		for (size_t i = 0; i < o->of_env_count[other]; i++) {
			size_t t = o->of_env[other][i];

			if (!waits_for(o, &o->p->steps[t], e, plan_index))
				add_need(o, s, t, cap);
		}
	}
}

static void find_needs(struct order *o)
{
	struct plan *p = o->p;
	size_t *plan_index = arena_array(p->arena, p->rollout->env_count + 1, sizeof(size_t));

	o->needed_by = arena_array(p->arena, p->step_count + 1, sizeof(size_t));
	for (size_t i = 0; i < p->rollout->env_count; i++)
		plan_index[i] = SIZE_MAX;
	for (size_t e = 0; e < p->env_count; e++)
		plan_index[p->envs[e].env->index] = e;

	for (size_t i = 0; i < p->step_count; i++) {
		struct plan_step *s = &p->steps[i];
		size_t cap = 0;

		for (size_t k = 0; k < s->env_count; k++) {
			size_t e = s->envs[k], before = s->need_count;

			for (size_t j = 0; j < o->of_env_count[e]; j++) {
				size_t t = o->of_env[e][j];

				if (t != i && comes_before(&p->steps[t], s))
					add_need(o, s, t, &cap);
			}
			if (s->need_count == before && p->direction == DIRECTION_FORWARD)
				need_predecessors(o, s, e, plan_index, &cap);
		}
	}
}

/* Steps stand in an order in which needs come first but for `after` towards a later environment; so settle in rounds. */
static void find_earliest(struct plan *p)
{
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < p->step_count; i++) {
			struct plan_step *s = &p->steps[i];
			int64_t start = 0, own = 0;

			for (size_t k = 0; k < s->need_count; k++)
				start = MAX_OF(start, p->steps[s->needs[k]].earliest_ms);
			for (size_t k = 0; k < s->gate_count; k++)
				if (!s->gates[k].is_before && s->gates[k].type->earliest)
					own = MAX_OF(own, s->gates[k].type->earliest(
								  s->gates[k].limits));
			if (start + own != s->earliest_ms) {
				s->earliest_ms = start + own;
				moved = true;
			}
		}
	}
}

static void add_env_steps(struct order *o, size_t e)
{
	const struct plan_env *pe = &o->p->envs[e];

	for (enum phase ph = PHASE_EXPAND; ph <= PHASE_CONTRACT; ph++)
		for (size_t i = 0; i < pe->changes.count; i++)
			if (pe->changes.list[i].type->phase == ph)
				place_change(o, e, &pe->changes.list[i]);
}

/* At most one step a change: once, for the room that a vector outgrew would stay behind. */
static void make_room(struct plan *p)
{
	for (size_t e = 0; e < p->env_count; e++)
		p->step_cap += p->envs[e].outlook == OUTLOOK_CHANGES ? p->envs[e].changes.count : 0;
	p->steps = arena_array(p->arena, p->step_cap, sizeof(*p->steps));
}

void plan_order(struct plan *p, int64_t made_ms)
{
	struct order o = { .p = p, .shared = value_map(p->arena), .last_of = value_map(p->arena) };

	p->made_ms = made_ms;
	o.of_env = arena_array(p->arena, p->env_count + 1, sizeof(*o.of_env));
	o.of_env_count = arena_array(p->arena, p->env_count + 1, sizeof(*o.of_env_count));
	o.of_env_cap = arena_array(p->arena, p->env_count + 1, sizeof(*o.of_env_cap));
	o.by_env = arena_array(p->arena, p->rollout->env_count + 1, sizeof(*o.by_env));
	for (size_t e = 0; e < p->env_count; e++)
		o.by_env[p->envs[e].env->index] = &p->envs[e];
	o.absent = value_map(p->arena);
	find_absent(&o);
	for (size_t e = 0; e < p->env_count; e++)
		if (p->envs[e].outlook == OUTLOOK_CHANGES)
			leave_out(&o, &p->envs[e]);
	find_shared(&o);
	make_room(p);
	for (size_t e = 0; e < p->env_count; e++)
		if (p->envs[e].outlook == OUTLOOK_CHANGES)
			add_env_steps(&o, e);
	join_shared(&o);
	for (size_t i = 0; i < p->step_count; i++)
		name_step(p, &p->steps[i]);
	find_needs(&o);
	find_earliest(p);
}
