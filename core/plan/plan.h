/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - the plan: ordered steps of all environments, with what they were computed from.
 *
 * Made by plan_env_add for each environment (pure: diffs over observations) and plan_order. Everything lives in the arena given and borrows from rollout
 * and registry. As a document it is canonical JSON without secrets (plan_to_value); renderings are made
 * from that document alone, and a run resumes from it (plan_from_value).
 */
#pragma once
#include "core/plan/changes.h"
#include "core/plan/rollout.h"

#define PLAN_FORMAT_VERSION 1

enum env_outlook {
	OUTLOOK_CHANGES,
	OUTLOOK_NOTHING,    /* already as the file wants it */
	OUTLOOK_ATTEST,     /* facts must be attested before anything can be planned */
	OUTLOOK_LEFT_ALONE,
	OUTLOOK_REFUSED,
	OUTLOOK_FAILED,     /* a system could not be read: exit 1 */
};
const char *outlook_name(enum env_outlook o);

struct plan_gate {
	const struct gate_type *type;
	const struct value *limits;
	bool is_before;            /* must pass before the act; else after it */
};
struct plan_step {
	const char *address;       /* "dev/console.migration/start"; "dev+stage/..." when shared */
	const struct thing_type *thing;
	const struct change_type *type; /* NULL: a step that only asks for attested facts */
	enum phase phase;
	enum executor executor;
	const char *reason;
	enum undo undo;            /* the type's, or what the diff found to be so here */
	const char *undo_doc;
	const struct value *before, *after;
	size_t *envs;              /* indexes into plan.envs */
	size_t env_count, env_cap;
	size_t *needs;             /* indexes of steps that must be done first */
	size_t need_count;
	struct plan_gate *gates;
	size_t gate_count;
	int64_t earliest_ms;       /* span from the start of the run */
};
struct plan_env {
	const struct rollout_env *env;
	enum env_outlook outlook;
	struct changes changes;
	const struct value *identity; /* "thing.fact" -> value */
	const struct value *facts;    /* thing -> {known, by, why, server_time, facts} */
	const struct value *requests; /* list of "GET console /..." in the order of things */
	const char *error;            /* OUTLOOK_FAILED */
};
struct plan {
	enum direction direction;   /* set before the first environment is added; a plan leads one way */
	struct arena *arena;
	const struct registry *registry;
	const struct rollout *rollout;
	struct plan_env *envs;
	size_t env_count, env_cap;
	struct plan_step *steps;
	size_t step_count, step_cap;
	int64_t made_ms;            /* evidence time */
	const struct value *tokens; /* list: the tokens that reading needed, as requests; may be NULL */
	const char *made_by;        /* who made it; NULL: not said */
	const struct value *policy; /* list: what breaks the policy (policy.h); NULL: not judged */
	char intent_digest[65], observed_digest[65];
	struct value *document; /* once plan_to_value has run */
};

struct plan *plan_new(struct arena *a, const struct registry *reg, const struct rollout *r) MUST_USE;
/*
 * Adds one environment: runs the diffs over `view` and keeps what they found.
 * @requests  list of strings; may be NULL
 * @failure   when reading failed for good; or NULL
 */
void plan_env_add(struct plan *p, const struct rollout_env *env, const struct view *view, const struct value *requests, const char *failure);
/* The environment added last is refused, for a reason that its diffs cannot see. `fmt` as in changes_find. */
void plan_env_refuse(struct plan *p, const char *rule, const char *hint, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Facts that may be shown and stored: all but the private ones, and without contacts. In `a`. */
struct value *plan_public_facts(struct arena *a, const struct thing_type *t, const struct value *facts) MUST_USE;
struct value *plan_without_contacts(struct arena *a, const struct value *v) MUST_USE; /* a copy, without any member `contact` */
/*
 * After all environments: steps, needs, earliest times, digests. On the way back `after` counts for nothing: whoever
 * goes back waits for nobody else's way back.
 */
void plan_order(struct plan *p, int64_t made_ms);

const struct value *plan_to_value(struct plan *p);
/* The same with its document_digest: what is saved, and may be given to apply. */
const struct value *plan_seal(struct plan *p);
/* Back from a document, e.g. a journal's. Refuses (E_REFUSED) another format version, unknown things, changes, gates or environments. */
int plan_from_value(struct arena *a, const struct registry *reg, const struct rollout *r, const struct value *doc, struct plan **ret, struct err *err) MUST_USE;

const struct plan_step *plan_find_step(const struct plan *p, const char *address); /* NULL when there is none */
/* 0, 1 (a system could not be read), 3 (attestation needed) or 5 (refused, by an environment or the policy): the worst of all. */
int plan_exit_status(const struct plan *p);
