/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_state.h - the running engine's own structures. For core/run/ only: apply.c (which runs), engine.c (one run's loop), step.c (one
 * step's life), gate_run.c (one gate's sampling), people.c (questions and answers), fence.c (own mints),
 * way_back.c (who goes back, and may).
 */
#pragma once
#include "core/base/when.h"
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
	STEP_LEFT,      /* one of its environments has left this run: nobody carries it out here */
};
#define SHOWS_WITHIN (15 * WHEN_MINUTE) /* an act's effect: migration cards and lists may lag by 10 minutes */

struct gate_run {
	const struct plan_gate *pg;
	size_t env;                 /* index into plan.envs */
	bool is_open, is_sampling, is_passed;
	bool is_heard;              /* the systems were asked the time, before this look */
	int64_t opened_ms, wake_mono, passed_mono;
	unsigned passes;            /* in a row, up to now */
	size_t looks;               /* so far */
	unsigned unchanged;         /* the last ones that saw and said the same as the one before */
	struct sample *samples;     /* oldest first: of those that saw the same one after the other, the first and the last */
	struct arena **owned;       /* of each sample */
	size_t kept, cap, owned_cap;
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
	size_t room;                /* bytes kept in the journal for what becomes of its intent */
	struct gate_run *gates;     /* plan gates times environments; only between its begin and its end, for most steps of a fleet wait */
	size_t gate_count;
	size_t unmet;               /* of its needs, not done yet */
	bool acted_now;             /* in this process */
	bool has_sent;              /* in this process, whatever became of it and of its record */
	bool is_frozen;             /* waits for a freeze to end */
	bool is_gate_failure;       /* a gate said no, or had no answer by its deadline */
	struct err *failure;        /* STEP_FAILED */
	char *waits_for;            /* NULL: nothing yet */
};

struct engine {
	const struct apply_options *o;
	struct arena *arena;
	struct plan *plan;          /* of the run under way, or about to begin */
	struct arena plan_arena;    /* of it alone, until forget_run or its run has begun */
	struct caller *caller;
	struct clocks *clocks;
	struct observer observer;
	struct journal journal;
	struct fences *fences;      /* fence.c's own; NULL before the first mint */
	struct journal_said jsaid;
	struct said said;
	const char *run;            /* id; NULL before the run is open */
	struct env_state **envs;    /* by plan env */
	struct step_run *steps;
	size_t writing;             /* steps whose act is under way */
	/*
	 * Indices of the steps that have something to do, in the plan's order: begun and not over, or with all needs done. Most steps of a fleet wait for
	 * others, and nobody walks through them.
	 */
	size_t *live, live_count;
	size_t *dependents, *dependents_at; /* of step i: dependents[dependents_at[i]] up to dependents_at[i + 1] */
	int64_t inbox_mono;         /* next look into the inbox */
	struct err fatal;           /* journal or store failed: nothing more is sent */
	bool is_stopping;
	bool mends_only;            /* not all could be read: only what an earlier command left in the middle goes on */
	const struct value *approvals; /* read before the first write; NULL: none were wanted */
	bool has_asked;             /* a person, in this process: answers are looked for every now and then */
	int64_t progress_mono;      /* when a step or a gate last got ahead */
	struct going_back *back;    /* environments that go back once this command's runs have come to their end */
	size_t back_count, back_cap;
	bool is_automatic;          /* what is planned now is the way back of a failed gate: whoever approved `on_failure` approved it */
};

/* An environment on its way back, and why. */
struct going_back {
	const struct rollout_env *env;
	const char *why;
	const char *run;            /* that it leaves; NULL: none */
};

/* engine.c */
/* The steps of the engine's plan, as far as they get in this command; a failure is the journal's or the store's. */
int engine_carry_out(struct engine *e, struct apply_result *ret, struct err *err) MUST_USE;
int outcome_rank(enum err_code c); /* how much a step's failure says about the whole: the greater one is told */
struct past_run *engine_run(const struct engine *e);
struct past_step *engine_past(const struct engine *e, const struct step_run *s); /* look up again after every record */
int64_t engine_mono(const struct engine *e);
bool engine_has_left_open(const struct engine *e);  /* a step is, see step_is_left_open */
void engine_step_done(struct engine *e, const struct step_run *s); /* who waited for it alone comes to life */
bool engine_is_writing(const struct engine *e); /* a step's act is under way */
/* E_REFUSED when what was last observed of plan env `env` is another system than the one planned for. */
int engine_same_identity(const struct engine *e, size_t env, struct err *err) MUST_USE;
/* A record about a step: {run, step, environments, now_ms} in the journal's arena, to be completed and added. */
struct value *step_record(struct engine *e, const struct step_run *s);
bool engine_record(struct engine *e, const char *type, struct value *rec); /* false: e->fatal is set */
/*
 * Keeps room in the journal for what becomes of an intent, at least twice (a reply that is lost is a record too). False: there is none, and nothing may be
 * sent; e->fatal is set. The room is given back by step_use_room, just before a record that needs it.
 */
bool step_keep_room(struct step_run *s);
void step_use_room(struct step_run *s, bool is_last);
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
void step_mend(struct step_run *s); /* acts, without another look, when it is left open and not under way: the run ends, and may be the last one for long */
bool step_is_left_open(const struct step_run *s); /* begun by an earlier command, and nothing may be left as it is now: workflows are stopped */
/* Notes what the step waits for and until when (evidence time, 0 unknown), and tells it when it is new. */
void step_waits(struct step_run *s, int64_t wake_mono, int64_t until_ms, const char *what);

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
void people_poll(struct engine *e);                       /* takes up acknowledgements that came since the last time */
void people_check(struct engine *e);                      /* before the run: says what in the inbox is none */

/* guard.c */
/* A plan file, before anything is sent: fits file and journal, is approved, is what was read. @open  the run under way; NULL: none */
int guard_plan_file(struct engine *e, const struct past_run *open, struct err *err) MUST_USE;
const char *guard_maker(const struct engine *e); /* of the plan; NULL: not said */
/* After planning anew: the plan file is not stale, and takes the place of the fresh plan. */
int guard_fresh_plan(struct engine *e, struct err *err) MUST_USE;
/* The last look before the first record of a run, which approvals are written into. */
int guard_begin(struct engine *e, struct value *run_record, struct err *err) MUST_USE;
/* Before an act: true when a freeze or a want of approval holds the step; what it waits for is noted and told. */
bool guard_holds(struct step_run *s);

/* fence.c */
struct mint_guard fence_guard(struct engine *e);

/* way_back.c */
/* Notes in e->back whose gates failed in the run that has just come to its end, where the file says `on_failure: rollback`. */
void way_back_note_failures(struct engine *e);
/* E_REFUSED: what was just seen of this environment leaves nothing to go back to, whatever was planned. */
int way_back_is_open(const struct engine *e, size_t env, struct err *err) MUST_USE;
/* What a new run has to be told of its environments: {environment: marks}; NULL: nothing. In the journal's arena. */
const struct value *way_back_marks(struct engine *e);
/* Journals that these environments have left their runs. */
int way_back_leave(struct engine *e, const struct going_back *list, size_t count, struct err *err) MUST_USE;
