/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe.h - what is known of each environment, and rounds of looking again.
 *
 * A round reads some things of one environment, those first that others need, side by side where it can. What cannot be
 * read is filled from attestations and from what earlier steps showed (struct said). Every known thing keeps its latest observation.
 */
#pragma once
#include "core/api/provider.h"
#include "core/run/caller.h"

/* What people and the journal say of a thing that no call can read. */
struct said {
	/*
	 * Facts of a thing; NULL: nothing. @ret_by, @ret_known say whose word it is, @ret_asked_ms the evidence time at which it was asked
	 * for (0: unknown): what was read was read after that.
	 */
	const struct value *(*facts)(void *ctx, const char *env, const char *thing, const char **ret_by, enum known *ret_known, int64_t *ret_asked_ms);
	/* The `attested` map laid over observed facts ({last_used, none_since, asked_at, by}); NULL: none. */
	const struct value *(*overlay)(void *ctx, const char *env, const char *thing);
	const struct value *(*marks)(void *ctx, const char *env); /* NULL: none */
	void *ctx;
};

#define OBSERVED_AT_ONCE 48 /* environments, of a fleet that is read whole: enough to keep all connections busy; more only costs memory */

struct env_state {
	const struct rollout_env *env;
	struct observation *seen;      /* one a thing, registry order */
	struct arena **owned;          /* of each observation */
	struct value **requests;       /* of each thing, its last look: list, in request_arena; NULL: nobody asks for them any more */
	struct arena request_arena;
	size_t thing_count;
	size_t chain;                  /* longest chain of requests one after the other, in the last round */
	const struct value *marks;     /* borrowed from said or set by the engine */
	struct round *round, *queue;   /* under way; waiting, in order */
	struct rollout_secret *secrets; /* that the rollout file names; found when first looked at, NULL before */
	size_t secret_count;
	struct arena *secret_arena;
};

struct observer {
	struct caller *caller;
	const struct caller_options *o;
	const struct said *said;       /* may be NULL */
};

struct env_state *env_state_new(const struct registry *reg, const struct rollout_env *env) MUST_USE;
void env_state_free(struct env_state *s);
struct view env_view(const struct env_state *s, int64_t now_ms);
/* With all that it holds but the thing's name, which is the registry's. In `a`. */
struct observation observation_copy(struct arena *a, const struct observation *o) MUST_USE;
size_t observations_room(const struct observation *seen, size_t count); /* what arena_new_sized needs for copies of them */
size_t registry_thing_index(const struct registry *reg, const char *thing); /* SIZE_MAX when unknown */

/* One round under way. Rounds of one environment run one after the other, since each renews what the next may read. */
struct round;
typedef void round_done(void *arg, struct env_state *env);
/* @things  names, NULL-terminated; NULL: all that plan observes. `done` may run before this returns. */
void round_start(const struct observer *ob, struct env_state *env, const char *const *things, round_done *done, void *arg);

/* What has to be read for a plan that leads this way, for round_start: all that plan observes (NULL), or for a way back those with a part in it. In `a`. */
const char *const *observe_for(const struct registry *reg, enum direction way, struct arena *a);

/* All requests of the environment's last looks, in the order of things; in `a`. */
struct value *env_requests(const struct env_state *s, struct arena *a) MUST_USE;
/* They belong to a plan: whoever has one, or needs none, lets them go, and none are noted from then on. */
void env_forget_requests(struct env_state *s);
/* Why the first thing failed (KNOWN_FAILED) that did; NULL: none. */
const char *env_failure(const struct env_state *s);
