/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - a world that fits a person's own rollout file, for rehearsing it.
 *
 * From the checked trees of its environments, and from what was observed of them where somebody recorded it: projects by title or id, credentials,
 * apps, tenants, Dynamics organisations, a caller for each client that signs in, a made-up secret for each reference, and for each address of
 * the file the path under which the twins answer. What nobody recorded is plain: JWT only, everything running. Where JWT was used after the app had
 * been restarted on OAuth, and the file declares no other consumer, somebody undeclared goes on using it. Knows no engine.
 *
 * Not modelled: a Campaign connection that signs in by a bearer token of its own (its reads answer 401, and are asked of a person).
 */
#pragma once
#include "core/base/err.h"
#include "providers/sim/case.h"

struct model_env {
	const char *name;
	const struct value *want;   /* the checked tree: struct rollout_env.want */
	const struct value *facts;  /* recorded: thing -> {"known", "facts": {...}}, as in `environments[].facts` of a plan document; or NULL */
};

/* The things whose recorded facts a world is made from; ends with NULL. What else was recorded says nothing about it. */
extern const char *const model_things[];

/*
 * E_PLAN, naming the environment, when two systems of the file share an address, or a tree lacks what every rollout file has. The trees are not kept.
 * @rollout   the file's text, copied; the caller answers for its environment variables
 * @start_ms  when the world begins
 */
struct sim_case *model(const struct model_env *envs, size_t count, const char *rollout, uint64_t seed, int64_t start_ms, struct err *err) MUST_USE;
