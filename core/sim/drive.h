/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive.h - plays one case: a rollout file, a scene, a seed, and what goes wrong; as its user would, with the real engine.
 *
 * It runs `apply` again and again: at the time that the last one named (or a little earlier, or much later), when a person has answered, after a
 * kill, a signal, a failure. Sometimes `plan` or `status` in between, and in some cases `rollback --apply` at some moment, until that rests, and then
 * `apply` again. Sometimes with --wait, and then with a user who interrupts it one day. When nothing more goes wrong it has to come to rest within a
 * bounded number of commands: finished, or the same answer again and again. Then the scene is asked for its verdict. The same case gives the same
 * result, byte for byte.
 */
#pragma once
#include "core/api/provider.h"
#include "core/run/apply.h"
#include "core/sim/scene.h"
#include "core/sim/trouble.h"

struct drive_text {
	const char *name, *text; /* NULL text: does not resolve yet, and may be written */
};
/* Who is told what happens on the way. Each may be NULL. Times are true time. */
struct drive_watch {
	void *ctx;
	void (*planned)(void *ctx, const struct value *plan_doc, int exit_status); /* by apply, before it carries anything out; lives as long as the call */
	void (*event)(void *ctx, int64_t now_ms, enum apply_event ev, const char *address);
	void (*asked)(void *ctx, int64_t now_ms, const char *address); /* a person, each time the question is shown */
	void (*point)(void *ctx, const struct troubles *t, enum trouble_place place, bool is_read); /* where something could go wrong */
	/* @until_ms  when going on makes sense, as apply said it; 0: it did not */
	void (*applied)(void *ctx, int64_t began_ms, int64_t now_ms, int exit_status, const char *words, int64_t until_ms);
};
struct drive_case {
	const struct scene *scene;
	const struct registry *registry;
	const char *rollout;             /* YAML */
	const char *path;                /* of that file, for messages and what lies beside it; NULL: "rollout.yaml" */
	const char *const *envs;         /* names of those that commands are given by --env; ends with NULL; NULL: all */
	bool is_approved;                /* whatever approvals the policy wants are there */
	const struct value *vars;        /* map: environment variables; or NULL */
	const struct drive_text *secrets; /* by reference */
	size_t secret_count;
	uint64_t seed;
	const struct trouble_fixed *fixed;
	size_t fixed_count;
	unsigned troubles, gap;          /* by chance: so many at most, one in `gap` points; 0: none */
	const char *aim;                 /* and only at this step, thing/change; NULL: anywhere */
	enum trouble only;               /* and only this kind; TROUBLE_NONE: any */
	int64_t person_delay_ms;         /* at most */
	const char *slow_step;           /* the first answer to this step's question takes slow_ms; NULL: none */
	int64_t slow_ms;
	const struct drive_watch *watch; /* or NULL */
	bool values;                     /* bodies as values, not bytes (wire.h) */
	bool calm;                       /* a user as the manual has it: nothing drawn but latencies. For sweeps and measuring */
	/*
	 * The user takes environments back at some moment: by chance, with some of them, from the first command on to long after the end; calm: all of
	 * them, once each has been restarted with new settings.
	 */
	bool goes_back;
	bool is_told;                    /* keep output, journal and events as text */
};

struct drive_result {
	const char *violation;           /* in `arena`; NULL: sound */
	int exit_status, planned_status; /* of the last apply; of the plan afterwards; -1: it did not come to that */
	unsigned commands, applies, kills, waits;
	uint64_t exchanges, records, acks, acks_refused;
	int64_t span_ms;                 /* virtual */
	bool went_back;                  /* it came to a `rollback --apply` */
	bool is_back;                    /* and the last one of these rested at exit status 0 */
	uint64_t back_points[PLACE_COUNT]; /* of `troubles.points`, when the first of these began */
	struct troubles troubles;        /* what happened */
	struct sb told;                  /* is_told */
	struct sb journal, inbox;        /* is_told */
	struct arena arena;
};
void drive_play(const struct drive_case *c, struct drive_result *ret);
void drive_result_done(struct drive_result *r);
