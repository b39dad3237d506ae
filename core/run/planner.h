/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planner.h - observes environments and makes their plan. Reads only.
 */
#pragma once
#include "core/plan/plan.h"
#include "core/run/observe.h"

struct planner_options {
	const struct observer *observer;
	const struct rollout_env *const *envs; /* ends with NULL */
	const char *made_by;                   /* who plans, for approvals; may be NULL */
	size_t window;                         /* environments under way at once; 0: OBSERVED_AT_ONCE */
	enum direction direction;              /* back: only things that have a part in the way back are read */
	/* Looks at each environment once it is in the plan, the last one; may refuse it with plan_env_refuse. NULL: nobody does. */
	void (*inspect)(void *ctx, struct plan *p, const struct view *view);
	void *inspect_ctx;
	struct env_state **keep;               /* room for one state an environment, which become the caller's; NULL: they die */
};
/*
 * @ret_chain  the longest chain of requests one after the other, over all environments; may be NULL
 * E_SIGNAL when interrupted. What cannot be read is in the plan, not an error here.
 */
int planner_run(const struct planner_options *o, struct arena *a, struct plan **ret, size_t *ret_chain, struct err *err) MUST_USE;
