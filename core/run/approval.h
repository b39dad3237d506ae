/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approval.h - who approved what of a plan until when, by signature, and whether that is enough.
 *
 * An approval is a statement (canonical JSON and a newline, which is what is signed in OpenSSH's format) and a signature over it; approvals are
 * kept as JSON Lines beside the plan, so that two people's can be merged by putting them one behind the other:
 *
 *   {"signature":"-----BEGIN SSH SIGNATURE-----...","statement":{"environments":["dev"],"from":"2026-11-23T10:00:00Z",
 *    "intent_digest":"...","kind":"s2sctl.approval","steps":["all"],"until":"2026-11-30T10:00:00Z","version":1}}
 *
 * It binds to the plan's intent digest, so that an equal plan made later is approved as well, and no other one is. `steps` are addresses, or
 * "all", "reversible", "irreversible" (those of phase contract).
 *
 * The rollout file's `policy.approvals` says how many different people must approve each step. The same person with two keys is
 * one; whoever made the plan does not count, unless the policy says `own: true`.
 */
#pragma once
#include "core/plan/plan.h"
#include "core/run/signers.h"

#define APPROVALS_SUFFIX ".approvals"

/* Where approvals and signers come from. */
struct approval_sources {
	const char *approvals; /* file; NULL: none */
	const char *signers;   /* NULL: what the policy names */
	const char *revoked;   /* NULL: what the policy names */
};
/* As read, at one moment. */
struct approvals {
	const struct value *lines;     /* list of {statement, signature}, or {"bad": why} */
	const struct signers *signers; /* NULL: nobody is named who could sign */
};

/*
 * Reads all of them, and the lines already known (`more`, may be NULL). An approvals file that is not there is an empty one.
 * @r  whose policy names signers; NULL: only what `from` says
 */
int approval_load(struct arena *a, const struct approval_sources *from, const struct rollout *r, const struct value *more, struct approvals *ret, struct err *err) MUST_USE;

/*
 * What somebody is about to sign. Empty lists mean: all environments of the plan; "all".
 * E_USAGE for an environment or a step that the plan does not have.
 */
int approval_statement(struct arena *a, const struct value *plan_doc, const char *const *envs, const char *const *steps, int64_t from_ms, int64_t until_ms, struct value **ret, struct err *err) MUST_USE;
void approval_message(const struct value *statement, struct sb *out); /* the bytes that are signed */
const struct value *approval_line(struct arena *a, const struct value *statement, const char *signature);

/*
 * Judges a plan's approvals at one moment. Pure.
 * @r       its policy counts, as it is now; NULL: what the plan says that is needed, step by step
 * @step    only this step; NULL: all
 * Returns {approved, why (when not, one line), approvals: [{by, key, environments, steps, from, until, counts, why}],
 *          steps: [{address, class, needed, by: [...], missing}]}.
 */
struct value *approval_judge(struct arena *a, const struct approvals *ap, const struct rollout *r, const struct value *plan_doc, const char *step, int64_t now_ms) MUST_USE;
