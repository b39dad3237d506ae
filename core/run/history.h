/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history.h - what a journal tells: its records folded into runs, steps, marks, mints and people's words.
 *
 * The engine's memory is this fold and nothing else: a record that is appended is folded by the same
 * function that folds a journal read from disk, so that going on after a kill is not a special case.
 *
 * A record may die once it is folded: what counts of it is copied. Only that of a run, which holds the plan, has to live as long as the history.
 */
#pragma once
#include "core/api/gate.h"
#include "core/base/value.h"

/* What one look saw, as the journal has it: text, since a fleet that waits has thousands, and few are ever read again. */
struct past_sample {
	int64_t now_ms;
	char *seen, *times;           /* JSON: its `seen` but for the instants of reading; those, in the same order */
};
struct past_gate {            /* samples of one gate of one step for one environment */
	const char *env, *gate;
	int64_t opened_ms;
	int64_t count;                /* samples so far */
	unsigned passes;              /* how many of the last ones passed in a row */
	int64_t first_ms, last_ms;    /* evidence times */
	int64_t last_n, last_at_ms;   /* number of the last record, and its local time */
	int64_t until_ms;             /* as the last one says; 0: it does not */
	const char *verdict, *by;     /* of the last one; whose words it rests on, or NULL: it was read */
	char *saw, *why;              /* of the last one; NULL once the step is done */
	/*
	 * Oldest first, until the step is done or its run has ended: what a judge has to see again when a run goes on. Of those that saw the same one after the
	 * other the first and the last stay, which say as much as all; of those that differ, SAMPLES_KEPT.
	 */
	struct past_sample *samples;
	size_t kept, cap;
};
#define SAMPLES_KEPT ((size_t)400)

struct past_step {
	const char *address;
	const struct value *envs;     /* names, as its records say */
	/* An intent without an outcome: the act may or may not have happened. */
	bool has_intent, is_done, has_acted, has_failed;
	bool is_half;                 /* its last outcome says that it failed and left something that has to be mended */
	bool is_lost;                 /* the reply to that intent was lost, or said 5xx: it was sent */
	const char *nonce;            /* of the intent or the ask */
	const struct value *before;   /* the thing's facts at the first intent, in before_mem, until the step is done */
	struct arena *before_mem;
	int64_t from_ms;              /* evidence time of the first intent */
	int64_t intent_ms;            /* of the last one */
	int64_t unanswered_ms;        /* of the last one that another followed without an outcome between; 0: none */
	int64_t begun_at_record;      /* number of the last intent, or question of a person who is to act: from there on it may have happened; 0: none */
	/* The last question to a person. */
	bool is_asked, is_act, wants_last_use; /* is_act: to do something; else to read facts */
	const char *ask_nonce, *ask_thing;
	int64_t asked_ms;
	const struct value *ack;      /* the answer to that question; NULL: none yet */
	const char *result;           /* "done", "already", "inconclusive" */
	const char *how, *by;         /* of the last outcome: how it came about, and on whose word; or NULL */
	int64_t acted_ms, done_ms;    /* evidence times of the last outcome, and of the end */
	const char *failure;
	struct past_gate *gates;
	size_t gate_count, gate_cap;
	struct value *gate_index;
};
struct past_run {
	const char *id, *rollout_digest, *salt, *started_at;
	const struct value *plan;
	const char *plan_digest;      /* as the run's record says; "" when it does not */
	int64_t began_ms;             /* evidence time */
	int64_t begun_at_record;      /* number of the run's record */
	const struct value *approvals; /* as they were when it began; NULL: none were wanted */
	bool is_open;
	const char *ended;            /* "receipt", "abandoned", or "left" by all its environments */
	const struct value *ending;   /* that record */
	bool is_back;                 /* a way back */
	bool is_automatic;            /* one that a failed gate began, since the file says `on_failure: rollback` */
	struct value *left;           /* env -> why, "" unknown: it has left this run for a way back, which is another run */
	struct past_step *steps;
	size_t step_count, step_cap;
	struct value *step_index, *env_index;
	struct value *marks;          /* env -> map of marks */
	struct mint *mints;
	size_t mint_count, mint_cap;
	const struct value *suspended; /* the last suspension, if nothing came after it */
	struct arena suspended_mem;   /* of it: each one takes the place of the one before */
};
struct history {
	struct arena *arena;          /* owned by whoever made the history */
	struct past_run *runs;
	size_t run_count, run_cap;
	int64_t at_record;            /* number of the record that is being folded, or was last */
	size_t first_open;            /* no run before it is open */
	struct value *run_index;      /* id -> index */
	struct value *marked;         /* env -> index of the last run that noted marks of it */
	struct value *said_of;        /* env -> keys of `said` */
	struct value *said;           /* "env thing" -> {facts, by, known, at, n: number of the record that said so} */
	struct value *overlays;       /* "env thing" -> {attested, at} */
	struct value *acks_seen;      /* id -> true: acknowledgements that were taken up or refused */
	struct value *names;          /* as keys: of environments, gates and marks, which stand here once and are borrowed */
};

void history_init(struct history *h, struct arena *a);
void history_done(struct history *h); /* before its arena */
bool history_knows(const char *type); /* a type of record that there is */
/* Folds one record. E_IO names what is wrong with it, E_REFUSED an unknown type. */
int history_fold(struct history *h, const struct value *record, struct err *err) MUST_USE;

struct past_run *history_run(const struct history *h, const char *id);           /* NULL: none */
struct past_run *history_marked_run(const struct history *h, const char *env);   /* the last that noted marks of it; NULL: none */
/* The open run that holds this environment and that it has not left; NULL: none. */
struct past_run *history_open_run(const struct history *h, const char *env);
bool history_holds(const struct past_run *r, const char *env);    /* whether the run's plan is for this environment, left or not */
bool history_has_left(const struct past_run *r, const char *env);
/* Whether an environment of this step ("dev+stage/thing/change") has left: then nobody carries it out in this run. */
bool history_step_is_left(const struct past_run *r, const char *address);
/* All own mints of all runs: whoever made one, a use in its interval may be ours. In `a`. */
struct mint *history_mints(const struct history *h, struct arena *a, size_t *ret_count) MUST_USE;
struct past_step *history_step(const struct history *h, struct past_run *r, const char *address); /* made when new */
struct past_gate *history_gate(const struct history *h, struct past_step *s, const char *env, const char *gate);
const struct value *history_marks(const struct past_run *r, const char *env);    /* NULL: none */
/* The step that asks a person and has no answer yet, in any open run; NULL: none. */
struct past_step *history_asking(const struct history *h, const char *address, struct past_run **ret_run);
