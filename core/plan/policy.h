/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - what a rollout file forbids to its own plans: blast radius, freeze windows, floors of gates, executors, attested evidence,
 * certificates about to end, and how many people must approve what.
 *
 * `policy:` stands at the top of the file and, for what concerns one environment, in environments and `defaults` too; both hold. It is judged
 * whenever a plan is made, so at plan and again at apply. Judging is pure but for the tz database.
 */
#pragma once
#include "core/plan/plan.h"

/* The tables: of the top of the file, and of an environment (a part of it). Lives in `a`. */
const struct field *policy_fields(struct arena *a, const struct registry *reg, bool is_top) MUST_USE;
/* What no single field can know; rules "bad-freeze", "approvals". */
void policy_check(const struct value *policy, struct arena *a, struct diags *d);

/*
 * Judges a plan that is ordered, and keeps what breaks a rule in plan->policy: a list of {rule, level, text, hint, environment, until, file, line,
 * col}. Rules: max-environments, max-projects, max-irreversible, expect-steps, freeze, gate-floor, gate-missing, forbidden-executor,
 * attested, certificate-left, made-by.
 */
void policy_judge(struct plan *p, int64_t now_ms);

/* Whether a freeze of the file or of the environment holds now. @ret_why: words, in `a` */
bool policy_freezes(const struct rollout *r, const struct rollout_env *env, int64_t now_ms, struct arena *a, int64_t *ret_until, const char **ret_why);

/* How many different people must approve a step: the most of `all`, `production` (one of its environments is), `irreversible` (contract). */
unsigned policy_approvals(const struct rollout *r, bool is_production, bool is_contract);
bool policy_wants_approvals(const struct rollout *r);
bool rollout_env_is_production(const struct rollout_env *env);
