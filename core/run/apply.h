/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply.h - carries a plan out, step by step, on fresh evidence.
 *
 * Open runs of the selected environments are gone on with one after the other, ways back first; only without any is a plan made.
 * One thread, one loop. Each step is looked at (is it done already?), gated, acted, verified by its effect, gated again. What is
 * decided rests on the journal's fold alone, so that the same command goes on after a kill. Nothing is printed here: a struct apply_ui is told.
 */
#pragma once
#include "core/plan/plan.h"
#include "core/run/journal.h"
#include "core/run/observe.h"

struct plan_file;
struct approval_sources;

enum apply_event {
	APPLY_STEP_STARTED,   /* text: what it does */
	APPLY_STEP_ACTING,    /* text: executor */
	APPLY_GATE_SAW,       /* text: gate, verdict, what it saw and why */
	APPLY_STEP_WAITS,     /* text: what for; until_ms: evidence time, 0 unknown */
	APPLY_STEP_DONE,      /* text: how */
	APPLY_STEP_FAILED,    /* text: why */
	APPLY_NOTE,
};
struct apply_ui {
	void *ctx;
	void (*event)(void *ctx, enum apply_event ev, const char *address, const char *text, int64_t until_ms);
	/* A person has to act or to read: shown once per question. @ack  the command that answers. */
	void (*instruct)(void *ctx, const char *address, const struct instruction *in, const char *ack);
	/* Called every now and then while waiting, for a line on a terminal. */
	void (*tick)(void *ctx, int64_t now_ms);
	/* Asks for the project's title; true when it was typed exactly. NULL or false: the run waits. */
	bool (*confirm)(void *ctx, const char *address, const char *title);
};

struct apply_options {
	const struct caller_options *calls;  /* guard is ignored: apply brings its own */
	const struct store *store;
	const struct apply_ui *ui;
	int64_t patience_ms;                 /* longest wait inside one command; INT64_MAX with --wait */
	const char *const *confirmed;        /* titles given with --confirm; ends with NULL */
	const char *ack_suffix;              /* appended to printed ack commands, e.g. " --state DIR" */
	const struct rollout_env *const *envs; /* those selected; ends with NULL */
	const struct plan_file *plan_file;   /* a plan that was saved; `envs` are its own; NULL: plan anew */
	const struct approval_sources *approvals; /* NULL: what the policy names */
	const char *made_by;                 /* who plans; NULL: not said */
	enum direction direction;            /* back: these environments leave their runs and go back */
	bool abandon;                        /* give up the open run of these environments first */
	/* Shows the plan before anything is written; a refusal (non-zero) ends the command with that exit status. */
	int (*show_plan)(void *ctx, struct plan *p, bool is_resumed);
	void *show_ctx;
	/* Told each record once it is on disk, as the journal has it. May be NULL. */
	void (*on_record)(void *ctx, const struct value *record);
	void *record_ctx;
};

struct apply_result {           /* of all runs together: counts added up, of outcomes the worst */
	enum err_code code;        /* E_NONE: done, or nothing to do */
	int64_t until_ms;          /* E_WAIT: earliest time at which going on makes sense; 0: a person */
	int plan_status;           /* exit status of the plan when nothing was carried out */
	bool nothing_to_do;
	bool needs_person;         /* E_WAIT: at least one step waits for somebody */
	size_t done, total;
	char summary[400];
};
/* Fills ret in any case; err on failure that is not a step's own (lock, journal, stale plan). */
int apply_run(const struct apply_options *o, struct arena *a, struct apply_result *ret, struct err *err) MUST_USE;

/* For planning a way back: environments that the journal shows beyond their point of no return are refused. The history is borrowed. */
struct planner_options;
void way_back_inspects(struct planner_options *o, struct history *h);

/* The `said` of a journal: attestations and effects. Used by reading commands too. */
struct journal_said {
	struct journal *journal;
	const struct sys *sys;
	const struct past_run *run; /* whose marks count; NULL: the open run of the environment, or the last */
	/*
	 * For planning a way back: what was said of a thing before an act on it began that has not come to its end is no longer known. NULL: it counts,
	 * as for the run that said it, which goes on and sees what becomes of the act.
	 */
	const struct registry *void_by;
};
struct said journal_said_ops(struct journal_said *s);

