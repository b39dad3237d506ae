/* SPDX-License-Identifier: Apache-2.0 */
/*
 * case.h - what a simulation begins with: a world, the rollout file that belongs to it, secrets, people, and somebody else's hand.
 *
 * draw.h makes one from a seed, model.h one from a person's own rollout file; stage.h plays it. Everything lives in the case's arena and is
 * read-only once made. Knows no engine: the judge reads it too.
 */
#pragma once
#include "core/base/arena.h"
#include "core/base/value.h"

/* Every made-up secret begins so, in worlds and in what the twins make up, and nothing else does: one search finds them all. */
#define SIM_SECRET_PREFIX "p8e-"

/* How an environment stands when the world begins: the table of live states, and what there is besides. */
enum sim_live {
	LIVE_JWT_ONLY,
	LIVE_STARTED,             /* app on JWT */
	LIVE_STARTED_SWITCHED,    /* app on OAuth, restarted */
	LIVE_STARTED_UNRESTARTED, /* settings saved, workflows still run with the old ones */
	LIVE_CONVERTED,           /* app on JWT: an outage */
	LIVE_CONVERTED_FAILED,    /* app on OAuth, workflows FAILED: they were not restarted in time */
	LIVE_DONE,                /* converted, app on OAuth, all running */
	LIVE_NEVER_JWT,
	LIVE_APP_AHEAD,           /* JWT only, yet the app is set to OAuth */
	LIVE_OTHER_CLIENT,        /* the app's settings name another client */
	LIVE_FILE_CLIENT,         /* the file names another client than the project has */
	LIVE_CONFLICT,            /* the list's type and the status disagree */
	LIVE_NO_PROJECT,
	LIVE_TWO_PROJECTS,        /* the title is ambiguous */
	LIVE_GENERATED,           /* Adobe's own project: nobody else may change it */
	LIVE_READ_ONLY,
	LIVE_COUNT,
};
const char *sim_live_name(enum sim_live l);

/* What end is right, as far as it can be known beforehand. */
enum sim_end {
	END_ANY,     /* what happens on the way decides: only what is never right is judged */
	END_DONE,    /* OAuth only, app on OAuth, what ran runs */
	END_ALONE,   /* refused or left alone: nothing of it written */
	END_KEEPS,   /* a gate never passes: the JWT credential stays */
	END_EITHER,  /* done, or as if nothing had been begun: JWT only, app on JWT, what ran runs. The user, or the file, goes back */
	END_COUNT,
};
const char *sim_end_name(enum sim_end e);

struct sim_env {
	const char *name;
	enum sim_live live;
	enum sim_end end;
	const char *project_id, *title, *credential_id, *client_id; /* of the world; the project is NULL when there is none */
	const char *file_client_id;      /* what the file says */
	const char *instance, *tenant, *org; /* app, Campaign tenant, Dynamics organisation; org NULL: none */
	const char *canary;              /* contact, or NULL */
	const char *secret_ref;
	const char *workflows;           /* keep, running, stopped */
	bool has_bridge;                 /* the tool can read the app */
	bool by_bridge;                  /* and changes it so */
	bool finalize_by_api;
	bool rolls_back;                 /* the file says on_failure: rollback */
};

struct sim_text {
	const char *name, *text;
};
/* Where an address of the rollout file leads: what follows `base` is put behind `path`. */
struct sim_route {
	const char *base, *path;
};
/* Somebody else does something: a map as world_do() takes it. */
struct sim_act {
	int64_t at;
	const struct value *what;
};
/* How the people are whom the tool asks. Each number n: in one of n cases; 0: never. */
struct sim_people {
	int64_t delay_max;   /* ms from the question to the answer; 0: at once */
	unsigned silent;     /* does it, and says nothing until asked again */
	unsigned only_says;  /* says that it is done, and has not done it */
	unsigned coarse;     /* gives a time by the minute */
	unsigned early;      /* gives the time at which they began instead of the one asked for */
	unsigned stale;      /* reads when asked, and says it much later */
	unsigned wrong_secret; /* pastes another text as client secret */
	const char *only_at;   /* an address: they err in this step's question alone, and once; NULL: whenever the numbers say so */
};

struct sim_case {
	struct arena arena;
	uint64_t seed;
	const struct value *world;       /* for world_new */
	const char *rollout;             /* YAML; its paths are relative to a folder that need not exist */
	const struct sim_text *vars;     /* environment variables that the file wants, no secrets */
	size_t var_count;
	const struct sim_text *secrets;  /* reference as the file writes it -> text; NULL text: resolves to nothing yet, and may be written */
	size_t secret_count;
	const struct sim_route *routes;
	size_t route_count;
	const struct sim_env *envs;      /* as in the file */
	size_t env_count;
	const struct sim_act *acts;      /* in order of time */
	size_t act_count;
	struct sim_people people;
	bool goes_back;                  /* the user takes environments back at some moment */
};

void sim_case_free(struct sim_case *c);   /* NULL is fine */
void sim_case_freep(struct sim_case **c);
const struct sim_env *sim_case_env(const struct sim_case *c, const char *name); /* or NULL */
