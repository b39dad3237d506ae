/* SPDX-License-Identifier: Apache-2.0 */
/* (a) and (b): what writes may do, and how often. */
#include <string.h>

#include "core/base/when.h"
#include "providers/sim/judge_private.h"

/*
 * Between the tool's last look and its request something can happen that nobody could have seen: the console is late by usage_lag, a request
 * may be waited with and tried again, and what a person read is good for an hour.
 */
#define ROUND (10 * WHEN_MINUTE)
#define READING_LASTS WHEN_HOUR

static int64_t blind_span(const struct world *w)
{
	bool seen_by_api =
		w->sw.jwt_in_usages && w->sw.secrets_api == API_OK && w->sw.console_api == API_OK;

	return w->sw.usage_lag + ROUND + (seen_by_api ? 0 : READING_LASTS);
}

int64_t judge_blind_span(const struct judge *j)
{
	return blind_span(j->w);
}

/* ---- (a) ---- */

static bool is_outsider(struct judge *j, const char *by)
{
	const struct watched_app *a;

	if (strncmp(by, "app:", 4) != 0)
		return strncmp(by, "consumer:", 9) == 0;
	a = judge_app(j, by + 4);
	return a == NULL || a->env == NULL || a->others;
}

static void check_quiet(struct judge *j, const struct watched_cred *c, int64_t at)
{
	int64_t blind = at - blind_span(j->w);
	char when[WHEN_TEXT_MAX];

	if (c->first_jwt != 0 && c->first_jwt > at - WHEN_DAY)
		judge_say(j, 'a', "the JWT credential of %s was deleted; it was last used at %s",
			  c->c->client_id, when_text(when, c->first_jwt));
	for (size_t i = j->w->ims.mint_count; i > 0; i--) {
		const struct mint_record *m = &j->w->ims.mints[i - 1];

		if (m->at <= at - WHEN_DAY)
			continue;
		if (m->grant != GRANT_JWT || m->error != NULL || m->at > at ||
		    m->credential == NULL || strcmp(m->credential, c->c->id) != 0)
			continue;
		if (m->at > blind && is_outsider(j, m->by))
			continue;
		judge_say(j, 'a', "the JWT credential of %s was deleted; %s used it at %s",
			  c->c->client_id, m->by, when_text(when, m->at));
		return;
	}
}

static bool is_of(const struct app_settings *s, const struct credential *c, enum grant grant)
{
	return s != NULL && s->oauth == (grant == GRANT_OAUTH) &&
	       strcmp(s->client_id, c->client_id) == 0;
}

const char *judge_dependence(const struct watched_app *a, const struct credential *c,
			     enum grant grant)
{
	for (size_t k = 0; k < WF_COUNT; k++) {
		const struct workflow *f = &a->app->flows[k];

		if ((f->status == WF_RUNNING || f->status == WF_STARTING) &&
		    is_of(f->using, c, grant))
			return "runs with it";
		if (f->status == WF_RUNNING && f->token != NULL && f->token->grant == grant &&
		    f->token->client->cred == c)
			return "lives on a token of it";
	}
	return is_of(a->app->saved, c, grant) ? "is set to it" : NULL;
}

/* Somebody else switched it back, just now or where the tool cannot see it; or a person told what is not so. */
bool judge_could_not_know(struct judge *j, const struct watched_app *a, int64_t at)
{
	const struct watched_env *x = judge_env(j, a->env->name);

	if (x->misled && !a->env->has_bridge)
		return true;
	return a->others && (!a->env->has_bridge || a->app->saved_at > at - ROUND);
}

void judge_deletion(struct judge *j, const struct watched_cred *c, int64_t at)
{
	for (size_t i = 0; i < j->app_count; i++) {
		const struct watched_app *a = &j->apps[i];
		const char *how = a->env != NULL ? judge_dependence(a, c->c, GRANT_JWT) : NULL;

		if (how != NULL && !judge_could_not_know(j, a, at))
			judge_say(j, 'a', "the JWT credential of %s was deleted; app %s %s",
				  c->c->client_id, a->app->instance, how);
	}
	check_quiet(j, c, at);
	judge_proof(j, c, at);
}

/* ---- (b) ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_settings(const struct app_settings *a, const struct app_settings *b)
{
	return a->oauth == b->oauth && same_text(a->client_id, b->client_id) &&
	       same_text(a->client_secret, b->client_secret) &&
	       same_text(a->private_key, b->private_key);
}

static void let_again(struct watched_app *a)
{
	for (size_t k = 0; k < WF_COUNT; k++)
		a->flows[k].may_again = true;
}

static void on_save(struct judge *j, const struct write_record *r, struct watched_app *a, bool tool)
{
	const struct app_settings *now = a->app->saved;

	if (tool && a->tool_saved != NULL && !a->others && same_settings(a->tool_saved, now))
		judge_say(j, 'b', "the same settings of %s were saved a second time, by %s",
			  a->app->instance, r->who);
	a->tool_saved = tool ? now : NULL;
	if (tool)
		a->stopped_at = a->started_at = 0;
	a->saver = r->who;
	let_again(a);
}

/* Where nothing was under way when the world began, and nobody else had a hand in it, what stood still was meant to. */
static void check_start(struct judge *j, const struct write_record *r, const struct watched_app *a,
			const struct watched_flow *f)
{
	const struct sim_env *e = a->env;

	if (e == NULL || a->others || a->failed_by_hand || f->f->meant_to_run ||
	    e->live != LIVE_JWT_ONLY || strcmp(e->workflows, "keep") != 0)
		return;
	judge_say(j, 'e', "workflow %s was started by %s, and was meant to stay stopped", r->on,
		  r->who);
}

static void on_flow(struct judge *j, const struct write_record *r, struct watched_app *a, bool tool)
{
	const char *name = strchr(r->on, '/');
	bool stops = strcmp(r->what, "stop-workflow") == 0;

	/* From the first stop of a restart; the first of them that runs again may use OAuth before the last one is started. */
	if (tool && stops && a->app->saved->oauth)
		a->fenced_ms = r->at;
	for (size_t k = 0; name != NULL && k < WF_COUNT; k++) {
		struct watched_flow *f = &a->flows[k];

		if (strcmp(f->f->name, name + 1) != 0)
			continue;
		if (stops && tool && f->tool_started && !f->may_again &&
		    !(a->is_disturbed && strcmp(r->who, "page") == 0))
			judge_say(
				j, 'b',
				"workflow %s was stopped again by %s, though it had been restarted and nothing had changed",
				r->on, r->who);
		if (stops && tool && a->stopped_at == 0)
			a->stopped_at = r->at;
		/* What was stopped before the save, and is started after it, runs with it as well. */
		if (!stops && tool &&
		    (a->stopped_at != 0 || (f->stopper != NULL && judge_is_tool(f->stopper))))
			a->started_at = r->at;
		if (stops)
			f->stopper = r->who;
		else if (tool)
			check_start(j, r, a, f);
		f->tool_started = !stops && tool;
		f->may_again = !tool;
		if (stops && tool) /* between the two halves of a restart */
			f->may_again = true;
	}
	/* Whoever was asked to restart and finds one of them stopped by somebody else does it all again; a bridge has no such reason. */
	a->is_disturbed = !tool || (a->is_disturbed && stops);
}

static void on_reveal(struct judge *j, const struct write_record *r, const struct watched_cred *c)
{
	/* A person has eyes; a bridge is told to only for a secret that is not where it should be. */
	if (strcmp(r->who, "bridge") == 0 && c->held >= c->users)
		judge_say(
			j, 'b',
			"the client secret of %s was revealed again, though it is where the file says",
			c->c->client_id);
}

static void on_contact(struct judge *j, const struct write_record *r, bool tool)
{
	bool declared = false;

	for (size_t i = 0; i < j->c->env_count; i++) {
		struct watched_env *x = &j->envs[i];
		size_t len = x->e->org != NULL ? strlen(x->e->org) : 0;

		if (x->e->canary == NULL || len == 0 || strncmp(r->on, x->e->org, len) != 0 ||
		    r->on[len] != '/' || strcmp(r->on + len + 1, x->e->canary) != 0)
			continue;
		declared = true;
		if (tool && x->canary_touched)
			judge_say(j, 'b', "the canary of %s was touched a second time", x->e->name);
		x->canary_touched = tool;
	}
	if (tool && !declared)
		judge_say(j, 'b', "contact %s was changed, and is nobody's canary", r->on);
}

static void on_credential(struct judge *j, const struct write_record *r, struct watched_cred *c,
			  bool tool)
{
	c->others = c->others || (!tool && strcmp(r->what, "reveal-secret") != 0);
	if (!cred_has_jwt(c->c) && c->gone_at == 0)
		c->gone_at = r->at;
	if (!tool) {
		for (size_t i = 0; i < j->c->env_count; i++) {
			if (j->envs[i].cred == c && j->envs[i].app != NULL)
				let_again(j->envs[i].app);
		}
		return;
	}
	if (strcmp(r->what, "finalize") == 0) {
		c->tool_finalized = true;
		judge_deletion(j, c, r->at);
	} else if (strcmp(r->what, "reveal-secret") == 0) {
		on_reveal(j, r, c);
	} else if (strcmp(r->what, "cancel-migration") == 0) {
		judge_cancel(j, c, r);
	} else if (strcmp(r->what, "start-migration") != 0) {
		judge_say(j, strncmp(r->what, "delete", 6) == 0 ? 'a' : 'b',
			  "%s on the credential of %s by %s: no step is about that", r->what,
			  c->c->client_id, r->who);
	}
}

/* A project that somebody deletes takes its credentials with it. */
static void on_project(struct judge *j, const struct write_record *r)
{
	for (size_t i = 0; i < j->cred_count; i++) {
		if (strcmp(j->creds[i].c->workspace->project->id, r->on) == 0)
			j->creds[i].others = true;
	}
}

static void note_env(struct judge *j, const struct watched_app *a, const struct watched_cred *c)
{
	for (size_t i = 0; i < j->c->env_count; i++) {
		struct watched_env *x = &j->envs[i];

		x->written =
			x->written || (a != NULL && x->app == a) || (c != NULL && x->cred == c);
	}
}

static void on_app(struct judge *j, const struct write_record *r, struct watched_app *a, bool tool)
{
	bool own = strncmp(r->who, "app:", 4) == 0;

	a->others = a->others || !(tool || own);
	if (strcmp(r->what, "save-settings") == 0)
		on_save(j, r, a, tool);
	else
		on_flow(j, r, a, tool);
}

void judge_write(struct judge *j, const struct write_record *r)
{
	bool tool = judge_is_tool(r->who);
	struct watched_app *a = strcmp(r->system, "bridge") == 0 ? judge_app(j, r->on) : NULL;
	struct watched_cred *c = strcmp(r->system, "console") == 0 ? judge_cred(j, r->on) : NULL;

	if (j->reads && tool && strcmp(r->who, "page") != 0)
		judge_say(j, 'f', "%s on %s by %s while a reading command ran", r->what, r->on,
			  r->who);
	if (tool) {
		note_env(j, a, c);
		judge_write_on_the_way_back(j, r, a, c);
	}
	if (a != NULL)
		on_app(j, r, a, tool);
	else if (c != NULL)
		on_credential(j, r, c, tool);
	else if (strcmp(r->system, "dynamics") == 0)
		on_contact(j, r, tool);
	else if (!tool && strcmp(r->what, "delete-project") == 0)
		on_project(j, r);
	else if (tool)
		judge_say(j, strncmp(r->what, "delete", 6) == 0 ? 'a' : 'b',
			  "%s on %s by %s: no step is about that", r->what, r->on, r->who);
}
