/* SPDX-License-Identifier: Apache-2.0 */
/* draw_private.h - what draw's own files share: the case under construction. */
#pragma once
#include "core/base/sb.h"
#include "core/base/when.h"
#include "providers/sim/dice.h"
#include "providers/sim/draw.h"

#define DRAW_ENVS 4
#define DRAW_ORIGIN "https://systems.example"
#define DRAW_START INT64_C(1795420800000) /* 2026-11-23T08:00:00Z */

enum draw_certificate { CERT_FAR, CERT_SOON, CERT_DEAD };
enum draw_consumer { CONSUMER_NONE, CONSUMER_JWT, CONSUMER_JWT_ENDS, CONSUMER_OAUTH };

/* What is the matter with the evidence, in a case that is about that. */
enum draw_story {
	STORY_CONSUMER,     /* somebody undeclared goes on with JWT */
	STORY_CLOCKS,       /* one system's clock is minutes off */
	STORY_STANDS_STILL, /* nothing is meant to run, so the app never uses OAuth; Campaign is read with the client that is migrated */
	STORY_LAST_HOUR,    /* somebody uses JWT, or undoes something, when the day of quiet is nearly over, or just */
	STORY_READINGS,     /* the same, where the console shows no JWT: what people read grows old */
	STORY_COUNT,
};

/* One environment's choices; `e` is what becomes of it for the judge. */
struct drawn {
	struct sim_env e;
	size_t shares;               /* the earlier environment whose credential it uses; itself: none */
	size_t after;                /* the earlier environment it waits for; itself: none */
	enum draw_certificate certificate;
	enum draw_consumer consumer;
	const char *secret;          /* text of the client secret */
	bool has_secret;             /* the reference resolves from the beginning */
	bool is_late;
	bool by_id;                  /* the file names the project by its id */
	bool reads_as_itself;        /* Campaign is read with the client that is migrated */
	bool bridge_forbidden;       /* the bridge answers 403 for the instance */
	bool has_filter, has_optout;
	bool is_quiet;               /* nobody edits contacts */
	bool is_unused;              /* set to OAuth, and never used it */
	bool waits_on;               /* the file wants to wait, however long, until records arrive */
	bool pending, replay, backlog;
	bool second_app;             /* another app lives on the credential */
	bool second_declared;
	const char *flows[3];        /* status of each workflow */
	const char *executors[4];    /* start, secret, settings, restart */
	const char *converts;        /* Adobe converts it then, or NULL */
	const char *key;             /* private key of the credential; NULL: any signs well */
	bool can_go_back;            /* the file has what the way back needs */
	bool keeps_key;              /* the file says that the app keeps its key, instead of where it is */
	const char *file_key;        /* what the file's reference leads to */
};

struct draft {
	struct sim_case *c;
	struct arena *a;             /* the case's */
	struct dice dice;
	struct dice back;            /* of its own: what concerns the way back alone */
	const struct draw_options *o;
	struct drawn envs[DRAW_ENVS];
	size_t count;
	enum draw_story story;       /* DRAW_EVIDENCE */
	bool console_by_client, has_campaign, has_dynamics, has_bridge;
	bool is_skewed;              /* clocks further apart than evidence allows */
	const char *ims_org;
	struct value *world, *switches;
	struct sim_text *vars, *secrets;
	size_t var_cap, secret_cap;
	struct sim_act *acts;
	size_t act_cap;
};

bool draw_plain(const struct draft *d);  /* one of the fixed kinds */
const char *draw_secret(struct draft *d, const char *what) MUST_USE; /* a made-up secret */
void draw_var(struct draft *d, const char *name, const char *text);
void draw_ref(struct draft *d, const char *ref, const char *text);
struct value *draw_map(struct draft *d, struct value *list) MUST_USE; /* a map, put at the end of the list when there is one */
void draw_set(struct draft *d, struct value *map, const char *key, const char *fmt, ...) PRINTF_LIKE(4, 5);
const char *draw_switch(const struct draft *d, const char *name); /* as drawn, or its default */

void draw_switches(struct draft *d);
void draw_back(struct draft *d);         /* once the world is drawn */
void draw_back_ends(struct draft *d, bool all_done); /* what end is right changes with it */
void draw_world(struct draft *d);
void draw_rollout(struct draft *d);
void draw_acts(struct draft *d);

/* DRAW_EVIDENCE: what its story changes of a plain case, in the order in which a case is drawn. */
void draw_story(struct draft *d);
void draw_story_switches(struct draft *d);
void draw_story_people(struct draft *d);
void draw_story_env(struct draft *d, struct drawn *x);
void draw_story_acts(struct draft *d);
void draw_switch_set(struct draft *d, const char *name, const char *text);
struct value *draw_act(struct draft *d, const char *verb);
void draw_act_add(struct draft *d, int64_t at, const struct value *what);
