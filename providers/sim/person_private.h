/* SPDX-License-Identifier: Apache-2.0 */
/* person_private.h - what the files of person share: pages as people use them, and a restart as they do it. */
#pragma once
#include "providers/sim/dice.h"
#include "providers/sim/judge.h"
#include "providers/sim/person.h"
#include "providers/world.h"

enum restart_stage { RESTART_NONE, RESTART_STOPPING, RESTART_PAUSE, RESTART_STARTING, RESTART_DONE };

/* What somebody does, or has done, in one environment. */
struct errand {
	const struct sim_env *env;
	enum restart_stage stage;
	int64_t next;                    /* when they look again */
	int64_t began, stopped, until;   /* true times; until: they give up then */
	bool ran[WF_COUNT], starts[WF_COUNT];
	const char *before[WF_COUNT];    /* status of each, as the page showed it */
	struct app *app;
	const struct app_settings *restarted; /* what the app was set to when they restarted it */
	const struct app_settings *saved; /* what they saved last */
	const char *brought;             /* the secret that they stored last */
	bool has_lied;                   /* said so once, and does it the next time */
	const char *read;                /* a reading not told yet, and whether there is one */
	bool has_read;
};
struct person {
	struct arena arena;
	struct world *w;
	const struct sim_case *c;
	struct judge *j;
	struct dice dice;
	struct errand *errands;          /* one for each environment of the case */
	const char *asked;               /* the address that they are asked for now; NULL: nobody asks */
	bool has_erred;
};

bool person_errs(struct person *p, unsigned one_in); /* one_in 0: never */
/* "…X' " between two texts of a line of the instruction, in `a`; NULL when no line has it. The last `after` counts: what stands between may be anything. */
const char *person_told(const struct instruction *in, const char *before, const char *after, struct arena *a);

/* Pages. */
const char *page_get(struct person *p, const char *path, struct arena *a); /* the page's text; "" when there is none */
bool page_post(struct person *p, const char *path, const struct value *form, struct arena *a); /* false: refused */
/* data-NAME of the element whose id is `id`; NULL when it is not there, "" when it says nothing. */
const char *page_attribute(const char *page, const char *id, const char *name, struct arena *a);
struct credential *page_credential(struct person *p, const struct sim_env *e, const struct instruction *in, struct arena *a); /* the one told of; NULL: cannot be found */
const char *page_card(struct person *p, const struct credential *c, const char *name, struct arena *a); /* attribute of its card */
bool page_press(struct person *p, const struct credential *c, const char *act, const char *title, struct arena *a);
/* What a page says of a fact that the tool asks for; NULL: nobody can tell. */
const char *page_fact(struct person *p, const struct sim_env *e, const char *thing, const char *name, struct arena *a);

void restart_begin(struct person *p, struct errand *x, const struct instruction *in, struct app *app, struct arena *a);
void restart_go_on(struct person *p, struct errand *x);
