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
	int64_t first_jwt;           /* last JWT use before the world began; 0: none */
	int64_t oauth_ms;            /* last OAuth use by anybody but the tool; 0: none */
};
struct watched_env {
	const struct sim_env *e;
	struct watched_app *app;     /* or NULL */
	struct watched_cred *cred;   /* or NULL */
	bool misled, busy, written;
	bool canary_touched;         /* by the tool, and by nobody since */
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
const char *judge_dependence(const struct watched_app *a, const struct credential *c); /* how it does, or NULL */
void judge_note_dependence(struct judge *j);   /* at each look */
void judge_note_mint(struct judge *j, const struct mint_record *m);
void judge_proof(struct judge *j, const struct watched_cred *c, int64_t at); /* what a deletion has to rest on */
void judge_lift_fences(struct judge *j);       /* the run that put them up is over */
void judge_after_command(struct judge *j);     /* (e) */
