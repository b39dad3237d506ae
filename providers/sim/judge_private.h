/* SPDX-License-Identifier: Apache-2.0 */
/* judge_private.h - what the judge remembers between two looks. Borrows from the world; all in its own arena. */
#pragma once
#include "providers/sim/judge.h"
#include "providers/world.h"

struct watched_flow {
	const struct workflow *f;
	const char *stopper;         /* who stopped it last; NULL: nobody has */
	bool tool_started;           /* the tool, or a person told to, has started it */
	bool may_again;              /* since then something happened that can make another restart necessary */
};
struct watched_app {
	const struct app *app;
	const struct sim_env *env;   /* NULL: an app that the file does not declare */
	struct watched_flow flows[WF_COUNT];
	const struct app_settings *tool_saved; /* what the tool saved last; NULL: nothing */
	const char *saver;           /* who saved last; NULL: nobody has */
	bool others;                 /* somebody else has changed something here */
	bool failed_by_hand;         /* somebody else made a workflow fail */
	int64_t stopped_at;          /* since the tool saved its settings: when the tool first stopped one of its workflows; 0: not yet */
	int64_t started_at;          /* and when it started one last */
	bool is_disturbed;           /* somebody else stopped or started a workflow, and nobody has restarted them since */
	bool depends;                /* on the JWT credential, at the last look */
	int64_t depended_ms;         /* the last moment at which it did; 0: never */
	int64_t fenced_ms;           /* the tool restarted it then, and nobody has used OAuth since; 0: no fence stands */
};
struct watched_cred {
	const struct credential *c;
	size_t users;                /* environments that use it */
	size_t held;                 /* of these, how many have the client secret at their reference */
	bool tool_finalized, others;
	int64_t gone_at;             /* since when the JWT one is gone; 0: it is there */
	int64_t first_jwt;           /* last JWT use before the world began; 0: none */
	int64_t oauth_ms;            /* last OAuth use by anybody but the tool; 0: none */
};
struct watched_env {
	const struct sim_env *e;
	struct watched_app *app;     /* or NULL */
	struct watched_cred *cred;   /* or NULL */
	bool misled, busy, written;
	bool canary_touched;         /* by the tool, and by nobody since */
	bool back_asked;             /* for a way back, and none has been carried out since */
	bool is_taken_back;          /* by the command that runs */
	bool is_too_late;            /* which was given when the JWT credential had been gone for long */
};
struct judge {
	struct arena arena;
	const struct world *w;
	const struct sim_case *c;
	struct watched_app *apps;
	size_t app_count;
	struct watched_cred *creds;
	size_t cred_count;
	struct watched_env *envs;    /* as in the case */
	size_t writes, mints;        /* read so far */
	bool reads;                  /* a reading command runs */
	const char *verdict;
};

/* Notes the first violation, with its time. */
void judge_say(struct judge *j, char letter, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool judge_is_tool(const char *who);           /* by API, by the bridge, or by a person whom the tool told to */
struct watched_env *judge_env(struct judge *j, const char *name);
struct watched_cred *judge_cred(struct judge *j, const char *id);
struct watched_app *judge_app(struct judge *j, const char *instance); /* or what "instance/workflow" begins with */
void judge_write(struct judge *j, const struct write_record *r);
void judge_deletion(struct judge *j, const struct watched_cred *c, int64_t at);
bool judge_could_not_know(struct judge *j, const struct watched_app *a, int64_t at); /* that the app had been switched back */
const char *judge_dependence(const struct watched_app *a, const struct credential *c, enum grant grant); /* how it lives on this side of it, or NULL */
void judge_note_dependence(struct judge *j);   /* at each look */
void judge_note_mint(struct judge *j, const struct mint_record *m);
void judge_proof(struct judge *j, const struct watched_cred *c, int64_t at); /* what a deletion has to rest on */
void judge_lift_fences(struct judge *j);       /* the run that put them up is over */
void judge_after_command(struct judge *j);     /* (e) */
int64_t judge_blind_span(const struct judge *j); /* what happened so long ago, or less, nobody could have seen */
bool judge_meddled(const struct watched_env *x); /* somebody else changed something in it */
bool judge_should_run(const struct watched_env *x, const struct workflow *f);

/* judge_back.c */
void judge_cancel(struct judge *j, const struct watched_cred *c, const struct write_record *r);
void judge_write_on_the_way_back(struct judge *j, const struct write_record *r, const struct watched_app *a, const struct watched_cred *c);
/* What keeps it from being where it was before the migration; NULL: nothing. @is_held  the migration goes on for another environment */
const char *judge_not_back(const struct judge *j, const struct watched_env *x, bool is_held);
bool judge_concerns(const struct judge *j, const struct watched_env *x); /* the command that runs is given for it: a way back is for those that are named */
void judge_back_ended(struct judge *j, bool by_itself, int exit_status);
