/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_file.h - a saved plan on its way into apply: read once, believed in nothing.
 *
 * All refusals are E_REFUSED with a hint. Order: what can be seen in the file alone, then with the rollout file and the journal, then with the live systems.
 */
#pragma once
#include "core/plan/plan.h"
#include "core/run/history.h"

struct plan_file {
	const char *path;
	const struct value *doc;
	char bytes[65]; /* SHA-256 of the file as it was read */
};

/* Whether a text looks like a plan at all, a damaged one too, so that another kind of file gets its own words. */
bool plan_file_is_plan(const char *text, size_t len);
/* Reads and checks: format version, no name twice among steps or environments, canonical form, all three digests. E_IO when it cannot be read. Everything lives in `a`. */
int plan_file_read(struct arena *a, const char *path, const struct registry *reg, struct plan_file **ret, struct err *err) MUST_USE;
/* The same from bytes that are there. */
int plan_file_parse(struct arena *a, const char *path, const char *text, size_t len, const struct registry *reg, struct plan_file **ret, struct err *err) MUST_USE;

enum direction plan_file_direction(const struct plan_file *f);
/* The environments of the plan, in its order, as the rollout file has them; ends with NULL. */
int plan_file_envs(const struct plan_file *f, const struct rollout *r, struct arena *a, const struct rollout_env ***ret, struct err *err) MUST_USE;
/* What lies at its path now is still what was read. */
int plan_file_is_unchanged(const struct plan_file *f, struct err *err) MUST_USE;
/* The rollout file means what it meant, and no run has used the plan up. */
int plan_file_fits(const struct plan_file *f, const struct rollout *r, const struct rollout_env *const *envs, const struct history *h, struct err *err) MUST_USE;
bool plan_file_is(const struct plan_file *f, const struct value *plan_doc); /* whether an open run's plan is this one, or means the same */
/* A plan made just now, from the same environments, says the same: identities, facts, intent. Names the first fact that moved, its old and new value. */
int plan_file_is_fresh(const struct plan_file *f, const struct plan *now, struct err *err) MUST_USE;
