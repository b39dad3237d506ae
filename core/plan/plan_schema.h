/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_schema.h - each member of a plan's document: what it is, and which digest it moves.
 *
 * One table. The JSON Schema (plan.schema.json beside this file, `s2sctl schema plan`) is made from it, and a test flips each member
 * and compares which digest moved with what stands here.
 */
#pragma once
#include "core/base/value.h"

/* What a member means for approval and freshness. */
enum plan_class {
	PLAN_NEITHER,  /* explains, counts, or says when and by whom: moves neither digest */
	PLAN_IDENTITY, /* what is approved: moves intent_digest */
	PLAN_FACT,     /* what steps rest on: moves observed_digest */
	PLAN_NAME,     /* names what both are about: moves both */
	PLAN_BY_FACT,  /* each fact by its own class in the registry: identity and state move observed_digest, samples nothing */
};
enum plan_member_flag {
	PLAN_REQUIRED = 1 << 0,
};
struct plan_member {
	const char *path;        /* "steps[].undo.kind"; "[]" an item, "*" any key */
	const char *type;        /* of JSON; "digest", "instant" and "span" (milliseconds) are told apart; "any" */
	unsigned flags;
	enum plan_class class;
	const char *names;       /* words allowed, blanks between them; NULL: any */
	const char *doc;
};
extern const struct plan_member plan_members[]; /* ends with a NULL path */

struct value *plan_schema(struct arena *a) MUST_USE; /* draft-07 */
