/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_state.h - the running engine's own structures. For core/run/ only: apply.c (the loop), step.c (one
 * step's life), gate_run.c (one gate's sampling), people.c (questions and answers), fence.c (own mints).
 */
#pragma once
#include "core/run/apply.h"

enum step_state {
	STEP_BLOCKED,   /* needs others first */
	STEP_LOOK,      /* fresh look: is it done already? */
	STEP_BEFORE,    /* gates before the act */
	STEP_CONFIRM,   /* the point of no return: title typed? */
	STEP_ACT,
	STEP_ASK,       /* a person acts */
	STEP_VERIFY,    /* its effect */
	STEP_AFTER,     /* gates after the act */
	STEP_DONE,
	STEP_FAILED,
};

struct gate_run {
	const struct plan_gate *pg;
	size_t env;                 /* index into plan.envs */
	bool is_open, is_sampling, is_passed;
	bool is_heard;              /* the systems were asked the time, before this look */
	int64_t opened_ms, wake_mono, passed_mono;
	unsigned passes;
	struct arena *arena;        /* of the samples */
	struct sample *samples;
	size_t count, cap;
	struct says says;           /* the last verdict */
	enum verdict told_verdict;  /* what the person at the terminal was told last */
	char told[sizeof(((struct says *)0)->why)];
};

struct engine;
struct step_run {
	struct engine *e;
	size_t index;               /* of plan.steps and of engine.steps */
	const struct plan_step *ps;
	enum step_state state;
	bool is_busy;               /* a round or a call is under way */
	size_t rounds_open;
	enum { LOOK_NONE, LOOK_RUNNING, LOOK_FRESH } look;
	bool was_so;                /* found done without an act of ours or an operator's */
	bool was_confirmed;         /* the title was typed, or given */
	bool is_asking;             /* a person has been shown what to do, in this process */
	int64_t look_again_mono;    /* while asking: when to look for the effect */
	int64_t wake_mono;          /* next look; INT64_MAX: an answer from a person, or needs */
	int64_t until_ms;           /* evidence time it waits for; 0 unknown */
	int64_t verify_by_mono;     /* give up looking for the effect */
	int64_t started_mono;
	struct call_job *job;       /* while acting */
	struct gate_run *gates;     /* plan gates times environments */
	size_t gate_count;
	bool acted_now;             /* in this process */
	struct err failure;
	char waits_for[300];
};

struct engine {
	const struct apply_options *o;
	struct arena *arena;
	struct plan *plan;
	struct caller *caller;
	struct clocks *clocks;
	struct observer observer;
	struct journal journal;
	struct journal_said jsaid;
	struct said said;
	const char *run;            /* id; NULL before the run is open */
	struct env_state **envs;    /* by plan env */
	struct step_run *steps;
	int64_t inbox_mono;         /* next look into the inbox */
	struct err fatal;           /* journal or store failed: nothing more is sent */
	bool is_stopping;
	bool only_mends;            /* something could not be read: what was left in the middle is ended, and nothing else begun */
	int64_t progress_mono;      /* when a step or a gate last got ahead */
};

/* apply.c */
struct past_run *engine_run(const struct engine *e);
struct past_step *engine_past(const struct engine *e, const struct step_run *s); /* look up again after every record */
int64_t engine_mono(const struct engine *e);
bool engine_is_writing(const struct engine *e); /* a step's act is under way */
/* E_REFUSED when what was last observed of plan env `env` is another system than the one planned for. */
int engine_same_identity(const struct engine *e, size_t env, struct err *err) MUST_USE;
/* A record about a step: {run, step, environments, now_ms} in the journal's arena, to be completed and added. */
struct value *step_record(struct engine *e, const struct step_run *s);
bool engine_record(struct engine *e, const char *type, struct value *rec); /* false: e->fatal is set */
void engine_tell(struct engine *e, enum apply_event ev, const struct step_run *s, int64_t until_ms, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Marks of all environments of a step in one map; of two instants the later one. In `a`. */
const struct value *step_marks(const struct engine *e, const struct step_run *s, struct arena *a);
void new_nonce(struct engine *e, char ret[17]);

/* step.c */
void step_init(struct engine *e, struct step_run *s, size_t index);
void step_done(struct step_run *s); /* frees */
void step_tick(struct step_run *s); /* as far as it gets without waiting */
void step_fail(struct step_run *s, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool step_is_over(const struct step_run *s);

/* gate_run.c */
void gate_open(struct step_run *s, struct gate_run *g, bool fresh);
void gate_tick(struct step_run *s, struct gate_run *g); /* samples when due; fails the step when the gate does */
size_t gate_samples_needed(const struct gate_run *g);     /* at least, for a pass */
int64_t gate_cadence(const struct gate_run *g);           /* ms from one sample to the next */
bool gate_is_midway(const struct gate_run *g);            /* seen to hold before an act, and not yet often enough: a command does not end now */
void gate_done(struct gate_run *g);                       /* frees */
/* A thing's facts as they may be written down: no private ones, contact ids hashed. NULL: none known. In the journal's arena. */
const struct value *facts_to_write(struct engine *e, const struct observation *o);

/* people.c */
void ask_act(struct step_run *s);                         /* an operator step's question, once */
void ask_facts(struct step_run *s, const char *thing, const struct gate_run *g);
void people_poll(struct engine *e);                       /* takes up acknowledgements */

/* fence.c */
struct mint_guard fence_guard(struct engine *e);
