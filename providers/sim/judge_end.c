/* SPDX-License-Identifier: Apache-2.0 */
/* (e) after each command, and (d) at the end. */
#include <string.h>

#include "providers/sim/judge_private.h"

static bool stopped_by_us(const struct watched_flow *f)
{
	return f->f->meant_to_run && f->stopper != NULL && judge_is_tool(f->stopper) &&
	       (f->f->status == WF_STOPPED || f->f->stopping);
}

void judge_after_command(struct judge *j)
{
	for (size_t i = 0; i < j->c->env_count; i++) {
		const struct watched_env *x = &j->envs[i];

		if (x->app == NULL || x->busy || strcmp(x->e->workflows, "stopped") == 0 ||
		    !judge_concerns(j, x))
			continue;
		for (size_t k = 0; k < WF_COUNT; k++) {
			if (stopped_by_us(&x->app->flows[k]))
				judge_say(
					j, 'e',
					"the command has ended; %s/%s, which ran, is stopped (by %s)",
					x->e->instance, x->app->flows[k].f->name,
					x->app->flows[k].stopper);
		}
	}
}

/* ---- (d) ---- */

bool judge_should_run(const struct watched_env *x, const struct workflow *f)
{
	return strcmp(x->e->workflows, "running") == 0 ||
	       (strcmp(x->e->workflows, "keep") == 0 && f->meant_to_run);
}

/* What is not as it should be; NULL: all is. */
static const char *what_is_missing(const struct watched_env *x)
{
	const struct app *a = x->app != NULL ? x->app->app : NULL;

	if (x->cred == NULL || a == NULL)
		return "it has no credential or no app";
	if (cred_has_jwt(x->cred->c))
		return "the JWT credential is there still";
	if (!cred_has_oauth(x->cred->c))
		return "there is no OAuth credential";
	if (!a->saved->oauth || strcmp(a->saved->client_id, x->cred->c->client_id) != 0)
		return "the app is not set to the OAuth credential";
	for (size_t k = 0; k < WF_COUNT; k++) {
		const struct workflow *f = &a->flows[k];

		if (!judge_should_run(x, f))
			continue;
		if (f->status != WF_RUNNING && f->status != WF_STARTING)
			return "a workflow that is meant to run does not";
		if (f->using != a->saved)
			return "a workflow runs with settings of before";
	}
	return NULL;
}

bool judge_meddled(const struct watched_env *x)
{
	return (x->app != NULL && (x->app->others || x->app->failed_by_hand)) ||
	       (x->cred != NULL && x->cred->others);
}

/*
 * Where the credential looks as if it never had been a JWT one, and nobody can read the app, nothing is asked for it: how it runs
 * is not seen then.
 */
static bool is_not_seen(const struct judge *j, const struct sim_env *e)
{
	bool looks_new = e->live == LIVE_NEVER_JWT ||
			 (j->w->sw.after_status == 1 && e->live >= LIVE_CONVERTED);

	return e->live >= LIVE_APP_AHEAD || (looks_new && !e->has_bridge);
}

static void judge_env_end(struct judge *j, const struct watched_env *x, int exit_status,
			  int planned_status)
{
	const char *missing = what_is_missing(x);

	switch (x->e->end) {
	case END_DONE:
		if (missing != NULL)
			judge_say(j, 'd', "%s should be done (exit status %d, plan %d): %s",
				  x->e->name, exit_status, planned_status, missing);
		return;
	case END_ALONE:
		if (x->written)
			judge_say(j, 'd', "%s (%s) should have been left alone, and was written to",
				  x->e->name, sim_live_name(x->e->live));
		return;
	case END_KEEPS:
		if (x->cred != NULL && x->cred->tool_finalized)
			judge_say(
				j, 'd',
				"%s has a consumer on JWT that never ends, and lost its JWT credential",
				x->e->name);
		return;
	case END_EITHER:
		if (missing != NULL && judge_not_back(j, x, false) != NULL)
			judge_say(
				j, 'd',
				"%s should be done, or back (exit status %d, plan %d): %s, and %s",
				x->e->name, exit_status, planned_status, missing,
				judge_not_back(j, x, false));
		return;
	case END_ANY:
	case END_COUNT:
		break;
	}
	/* Whoever says that nothing is left to do has to be right, unless somebody else changed it. */
	if (planned_status == 0 && missing != NULL && !judge_meddled(x) && !x->misled &&
	    !is_not_seen(j, x->e) && strcmp(x->e->workflows, "stopped") != 0)
		judge_say(j, 'd', "%s is said to be done (exit status %d, plan %d): %s", x->e->name,
			  exit_status, planned_status, missing);
}

void judge_settled(struct judge *j, int exit_status, int planned_status)
{
	judge_look(j);
	for (size_t i = 0; i < j->c->env_count; i++)
		judge_env_end(j, &j->envs[i], exit_status, planned_status);
}
