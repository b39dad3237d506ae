/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what a rendering tells, whatever it was made from: a plan, a journal, or what was found in a file.
 *
 * The formats (formats.h) read this model and nothing else, so that the same facts stand in each. It is made from documents that may come from
 * anywhere: what is missing or of the wrong kind is left out. No text in it is masked or escaped; each format does that in its own way.
 * All lives in the arena given, and borrows from the document. Instants are ISO text as the document has them, spans are milliseconds
 * from the start of the run. Texts are never NULL: "" means not there.
 */
#pragma once
#include "core/base/diags.h"
#include "core/base/value.h"

enum report_source { REPORT_PLAN, REPORT_JOURNAL, REPORT_CHECK /* findings alone */ };

enum report_state {
	STATE_PLANNED,      /* a plan: nothing was tried */
	STATE_LATER,        /* a journal: not begun */
	STATE_UNDER_WAY,
	STATE_WAITS,        /* for a gate */
	STATE_ASKS,         /* for a person */
	STATE_DONE,
	STATE_INCONCLUSIVE, /* over without an answer, which was no reason to stop */
	STATE_FAILED,
};
const char *report_state_name(enum report_state s); /* "planned", "not begun", "under way", ... */

enum report_level { LEVEL_NOTE, LEVEL_WARNING, LEVEL_ERROR };
struct report_finding {
	enum report_level level;
	const char *label;          /* "refused", "left alone", "warning", "note", "error", "failed", "waits" */
	const char *rule;           /* stable name for machines */
	const char *text, *hint;
	const char *env, *step;     /* what it is about */
	const char *run;            /* id of the run; "" for a plan */
	struct src_pos pos;         /* file NULL: unknown */
};

/* What a gate was last seen to say, for one environment. */
struct report_look {
	const char *env, *verdict, *saw, *why, *until, *first_at, *last_at;
	size_t count;               /* looks since the step began or failed */
};
struct report_gate {
	const char *name, *doc;
	bool is_before;
	const struct value *limits;
	struct report_look *looks;
	size_t look_count, look_cap;
};

/* A member of a thing that a step changes. `was` or `is` may be NULL. */
struct report_delta {
	const char *name;
	const struct value *was, *is;
};
struct report_event {               /* what happened to a step, besides looks */
	const char *at;
	const char *text;           /* may quote anybody */
};
enum report_line { LINE_NONE, LINE_PERSON /* the way back is a person's, or gone */, LINE_NEVER /* point of no return */ };
struct report_step {
	const char *address, *doc, *phase, *executor, *reason;
	const char *undo_kind, *undo_text;
	const struct value *envs;   /* list of names */
	const struct value *needs;  /* list of addresses */
	struct report_delta *deltas;
	size_t delta_count;
	struct report_gate *gates;
	size_t gate_count;
	int64_t start_ms, end_ms;   /* earliest */
	bool is_irreversible;
	enum report_state state;
	const char *began_at, *ended_at, *waits_for, *until;
	struct report_event *events;
	size_t event_count, event_cap;
	size_t number;              /* in the run, from 1 */
};

/* A step as one environment has it. A shared one is told under the last of its environments. */
struct report_place {
	struct report_step *step;
	const char *elsewhere;      /* told under that environment; NULL: here */
	enum report_line line;      /* drawn before it, in this environment */
};
struct report_ask {                 /* facts that a person has to attest */
	const char *thing, *why, *page, *step;
	const struct value *facts;  /* list of names */
	bool is_now;                /* before anything can be planned */
	int64_t earliest_ms;
};
struct report_env {
	const char *name, *outlook, *error;
	const struct value *title, *workspace, *client_id, *instance; /* NULL: unknown */
	const struct value *identity, *facts, *requests;
	struct report_finding *findings;
	size_t finding_count;
	struct report_ask *asks;
	size_t ask_count;
	struct report_place *places; /* by phase, then as planned */
	size_t place_count, place_cap;
	size_t done;                /* steps that are over */
};
struct report_run {
	const char *rollout, *made_at, *intent_digest, *observed_digest;
	struct report_env *envs;
	size_t env_count;
	struct report_step *steps;
	size_t step_count;
	size_t irreversible, by_person, requests, tokens, done, failed;
	size_t refused, unread, to_attest; /* environments that stand in the way */
	int64_t finish_ms;          /* earliest */
	const struct value *approvals; /* list; NULL: the plan names none */
	/* A journal only. */
	const char *id, *began_at, *ended_at, *ended, *until; /* ended: "finished", "given up", "" while open */
	size_t attested, mints;
	struct value *index;        /* address -> number of the step */
};
struct report {
	enum report_source source;
	struct arena *arena;
	const struct value *document; /* the plan; the list of records; the findings as a map */
	struct report_run *runs;    /* of a journal, the newest first */
	size_t run_count;
	struct report_finding *findings; /* all of them: of files, environments, steps */
	size_t finding_count, finding_cap;
};

void report_from_plan(struct report *r, struct arena *a, const struct value *plan_doc);
void report_from_journal(struct report *r, struct arena *a, const struct value *records); /* list of maps, oldest first */
/*
 * From what is wrong with a file.
 * The document is {"kind": "s2sctl.findings", "file", "errors", "warnings", "findings": [{"level", "rule", "text", "hint", "file", "line", "col"}]}.
 */
void report_from_diags(struct report *r, struct arena *a, const char *file, const struct diags *d);

const char *report_actor(const char *executor);                       /* "a person", "the bridge", "the API", "only looks" */
const char *report_undo_words(const struct report_step *s);           /* "by another step", "cannot be undone", ... */
bool report_is_blocked(const struct report_run *run);                 /* nothing can be carried out yet */
const char *report_outlook_words(const struct report_env *e);         /* "to be changed", "nothing to do", "refused", ... */
/* One sentence, our own words and numbers only: what has to happen, or how far it has come. */
struct sb;
void report_headline(const struct report *r, const struct report_run *run, struct sb *out);
/* A gate's thresholds in words: "quiet 24h, lag 10m; fails after 7d". Names may be anybody's: not masked. */
void report_limits(const struct report_gate *g, struct sb *out);

/* For the files that make the model (report.c, report_plan.c, report_journal.c, report_check.c). */
/* Who must approve: lines such as "2 people: dev/x/y, dev/x/z", the most people first; empty where the policy asks nobody. In `a`. */
const struct value *report_approvals(struct arena *a, const struct value *plan_doc);
void report_run_from_plan(struct report *r, struct report_run *run, const char *id, const struct value *plan_doc);
struct report_finding *report_add_finding(struct report *r);          /* zeroed but for its texts */
struct report_step *report_find_step(const struct report_run *run, const char *address); /* NULL: none */
