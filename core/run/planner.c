/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/planner.h"

#include "core/base/mem.h"
#include "core/plan/policy.h"

struct planning {
	const struct planner_options *o;
	struct plan *plan;
	struct env_state **states; /* by position; NULL: not begun, or added already */
	bool *is_read;
	size_t total, begun, read, added, chain;
	const char *const *things;
};

static void env_read(void *arg, struct env_state *env)
{
	struct planning *p = arg;

	p->chain = MAX_OF(p->chain, env->chain);
	for (size_t i = p->added; i < p->begun; i++)
		if (p->states[i] == env)
			p->is_read[i] = true;
	p->read++;
}

/* Environments are added in file order whatever order the answers came in; a state dies once it is in the plan. */
static void add_finished(struct planning *p)
{
	const struct observer *ob = p->o->observer;

	while (p->added < p->begun && p->is_read[p->added]) {
		struct env_state *s = p->states[p->added];
		struct view v;
		struct arena tmp = ARENA_INIT;

		if (s->round)
			return; /* its last callback is still on the stack */
		v = env_view(s, clocks_now(ob->o->clocks));
		plan_env_add(p->plan, s->env, &v, env_requests(s, &tmp), env_failure(s));
		arena_done(&tmp);
		if (p->o->inspect)
			p->o->inspect(p->o->inspect_ctx, p->plan, &v);
		env_forget_requests(s);
		if (p->o->keep)
			p->o->keep[p->added] = s;
		else
			env_state_free(s);
		p->states[p->added++] = NULL;
	}
}

static void begin_more(struct planning *p, size_t window)
{
	const struct observer *ob = p->o->observer;

	while (p->begun < p->total && p->begun - p->added < window) {
		struct env_state *s = env_state_new(ob->o->registry, p->o->envs[p->begun]);

		p->states[p->begun++] = s;
		round_start(ob, s, p->things, env_read, p);
	}
}

int planner_run(const struct planner_options *o, struct arena *a, struct plan **ret,
		size_t *ret_chain, struct err *err)
{
	const struct observer *ob = o->observer;
	struct planning p = { .o = o, .plan = plan_new(a, ob->o->registry, ob->o->rollout) };
	int rc = 0;

	p.plan->direction = o->direction;
	p.things = observe_for(ob->o->registry, o->direction, a);
	while (o->envs[p.total])
		p.total++;
	p.states = mem_alloc((p.total + 1) * sizeof(struct env_state *));
	p.is_read = mem_alloc(p.total + 1);
	caller_forget_shared(ob->caller);
	while (p.added < p.total) {
		begin_more(&p, o->window ? o->window : OBSERVED_AT_ONCE);
		add_finished(&p);
		if (p.added == p.total)
			break;
		if (p.begun == p.total ||
		    p.begun - p.added >= (o->window ? o->window : OBSERVED_AT_ONCE))
			caller_pump(ob->caller, 1000);
		if (ob->o->sys->signalled(ob->o->sys->ctx)) {
			rc = err_set(err, E_SIGNAL,
				     "interrupted while reading; nothing was changed");
			break;
		}
	}
	for (size_t i = p.added; i < p.begun; i++)
		if (p.states[i])
			env_state_free(p.states[i]);
	mem_free(p.states);
	mem_free(p.is_read);
	if (rc < 0)
		return rc;
	p.plan->tokens = value_copy(a, auth_requests(caller_auth(ob->caller)));
	p.plan->made_by = o->made_by;
	plan_order(p.plan, clocks_now(ob->o->clocks));
	policy_judge(p.plan, clocks_now(ob->o->clocks));
	if (ret_chain)
		*ret_chain = p.chain;
	*ret = p.plan;
	return 0;
}
