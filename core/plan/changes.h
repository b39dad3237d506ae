/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes.h - what the diffs of one environment found: changes, findings, facts that a person has to attest.
 *
 * Providers fill it through changes_add and its kin (core/api/provider.h); the planner reads it. All in one arena.
 */
#pragma once
#include "core/api/provider.h"

struct change {
	const struct thing_type *thing;
	const struct change_type *type;
	const struct value *before, *after;
	const char *reason;
	enum undo undo;
	const char *undo_doc;
};
struct finding {
	enum finding_kind kind;
	const char *rule, *text, *hint;
};
struct attest_need {
	const struct thing_type *thing;
	const char *const *facts; /* names; ends with NULL */
	const char *why;
	const char *step; /* the change whose step asks; NULL: before planning */
};
struct changes {
	struct arena *arena;
	const struct registry *registry;
	const struct thing_type *current; /* whose diff is running */
	struct change *list;
	size_t count, cap;
	struct finding *findings;
	size_t finding_count, finding_cap;
	struct attest_need *attests;
	size_t attest_count, attest_cap;
};

/*
 * Runs the diffs of all things over one environment's view, in the registry's order. Pure.
 * A diff that fails gives its error, with the thing's name in front.
 */
int changes_collect(struct changes *c, const struct registry *reg, struct arena *a, const struct view *view, struct err *err) MUST_USE;
/* The same for the way back: the things' diff_back. */
int changes_collect_back(struct changes *c, const struct registry *reg, struct arena *a, const struct view *view, struct err *err) MUST_USE;
bool changes_found(const struct changes *c, enum finding_kind kind); /* whether there is a finding of that kind */
bool changes_attest_now(const struct changes *c);
