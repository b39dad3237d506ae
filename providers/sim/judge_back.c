/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back: its own deletion, a cancelled migration takes the OAuth credential away; what it promises when it says that it is done; and that it
 * touches nothing where it is too late.
 */
#include <string.h>

#include "core/base/when.h"
#include "providers/sim/judge_private.h"

/* Clocks may be so far apart that evidence is taken all the same, and a use counts from a minute after the restart. */
#define APART (5 * WHEN_MINUTE)
#define TOKEN_LIFE WHEN_DAY /* how long somebody who used it may go on without showing */

/* ---- who asked ---- */

void judge_takes_back(struct judge *j, const char *env)
{
	struct watched_env *x = judge_env(j, env);

	if (x == NULL)
		return;
	x->is_too_late = x->cred != NULL && x->cred->gone_at != 0 &&
			 x->cred->gone_at < j->w->now_ms - judge_blind_span(j) && !x->back_asked;
	x->back_asked = x->is_taken_back = true;
	x->canary_touched = false; /* it leaves its run: another way forward begins anew */
}

/* Whoever asks for it again has to say so again; what the file says of failed gates stays said. */
static bool was_asked_for(struct judge *j, const struct watched_cred *c)
{
	bool asked = false;

	for (size_t i = 0; i < j->c->env_count; i++) {
		struct watched_env *x = &j->envs[i];

		if (x->cred != c)
			continue;
		asked = asked || x->back_asked || x->e->rolls_back;
		x->back_asked = false;
	}
	return asked;
}

/* ---- (a) ---- */

/* What lies between the tool's last look and the act; a person who was asked comes to it later. */
static int64_t since_looked(const struct judge *j, const char *who)
{
	return strcmp(who, "page") == 0 ? WHEN_HOUR + j->c->people.delay_max : 0;
}

static bool could_not_know(struct judge *j, const struct watched_app *a,
			   const struct write_record *r)
{
	const struct watched_env *x = judge_env(j, a->env->name);

	if (x->misled && !a->env->has_bridge)
		return true;
	return a->others &&
	       (!a->env->has_bridge ||
		a->app->saved_at > r->at - since_looked(j, r->who) - judge_blind_span(j));
}

static bool has_minted(const struct judge *j, const struct watched_cred *c, enum grant g,
		       int64_t since)
{
	for (size_t i = j->w->ims.mint_count; i > 0; i--) {
		const struct mint_record *m = &j->w->ims.mints[i - 1];

		if (m->at <= since)
			return false;
		if (m->grant == g && m->error == NULL && m->credential != NULL &&
		    strcmp(m->credential, c->c->id) == 0)
			return true;
	}
	return false;
}

/* Nothing is cancelled before the app, restarted with the settings that the tool gave it, was seen to use JWT. */
static void check_proof(struct judge *j, const struct watched_cred *c, const struct watched_app *a)
{
	const struct watched_env *x = judge_env(j, a->env->name);

	if (a->tool_saved == NULL || a->tool_saved->oauth || a->stopped_at == 0 || a->others ||
	    x->misled)
		return;
	if (!has_minted(j, c, GRANT_JWT, a->stopped_at - APART))
		judge_say(
			j, 'a',
			"the migration of %s was cancelled; nobody has used JWT since app %s was restarted on it",
			c->c->client_id, a->app->instance);
}

static bool is_misled(const struct judge *j, const struct watched_cred *c)
{
	for (size_t i = 0; i < j->c->env_count; i++) {
		if (j->envs[i].cred == c && j->envs[i].misled)
			return true;
	}
	return false;
}

/* When the last of its apps was restarted by the tool on what the tool set it to; 0: none was. */
static int64_t restarted_at(const struct judge *j, const struct watched_cred *c)
{
	int64_t at = 0;

	for (size_t i = 0; i < j->c->env_count; i++) {
		if (j->envs[i].cred == c && j->envs[i].app != NULL)
			at = MAX_OF(at, j->envs[i].app->started_at);
	}
	return at;
}

/*
 * Somebody who has used OAuth since the app went back would break. Only the last use shows: one of the tool's own hides what was before it.
 */
static void check_quiet(struct judge *j, const struct watched_cred *c, const struct write_record *r)
{
	int64_t restarted = restarted_at(j, c);
	int64_t from = MAX_OF(restarted != 0 ? restarted + APART : 0, r->at - TOKEN_LIFE);
	int64_t to = r->at - judge_blind_span(j) - since_looked(j, r->who);
	char when[WHEN_TEXT_MAX];

	for (size_t i = j->w->ims.mint_count; i > 0; i--) {
		const struct mint_record *m = &j->w->ims.mints[i - 1];

		if (m->at <= from)
			return;
		if (m->grant != GRANT_OAUTH || m->error != NULL || m->at > r->at ||
		    m->credential == NULL || strcmp(m->credential, c->c->id) != 0)
			continue;
		if (strcmp(m->by, "other") == 0)
			return;
		if (m->at >= to)
			continue;
		judge_say(j, 'a', "the migration of %s was cancelled; %s used OAuth at %s",
			  c->c->client_id, m->by, when_text(when, m->at));
		return;
	}
}

void judge_cancel(struct judge *j, const struct watched_cred *c, const struct write_record *r)
{
	if (!was_asked_for(j, c)) {
		judge_say(j, 'b',
			  "the migration of %s was cancelled by %s, and nobody asked for it",
			  c->c->client_id, r->who);
		return;
	}
	for (size_t i = 0; i < j->app_count; i++) {
		const struct watched_app *a = &j->apps[i];
		const char *how = a->env != NULL ? judge_dependence(a, c->c, GRANT_OAUTH) : NULL;

		if (how != NULL && !could_not_know(j, a, r))
			judge_say(j, 'a', "the OAuth credential of %s was deleted; app %s %s",
				  c->c->client_id, a->app->instance, how);
		if (a->env != NULL && judge_env(j, a->env->name)->cred == c)
			check_proof(j, c, a);
	}
	if (!is_misled(j, c))
		check_quiet(j, c, r);
}

/* ---- what a way back does not do ---- */

void judge_write_on_the_way_back(struct judge *j, const struct write_record *r,
				 const struct watched_app *a, const struct watched_cred *c)
{
	/* A person may still do what they were asked for on the way forward. */
	if (strcmp(r->who, "page") == 0)
		return;
	for (size_t i = 0; i < j->c->env_count; i++) {
		const struct watched_env *x = &j->envs[i];

		if (!x->is_taken_back)
			continue;
		if (strcmp(r->what, "finalize") == 0)
			judge_say(j, 'a', "the JWT credential of %s was deleted on the way back",
				  c != NULL ? c->c->client_id : r->on);
		if (x->is_too_late && ((a != NULL && x->app == a) || (c != NULL && x->cred == c)))
			judge_say(
				j, 'd',
				"%s on %s: %s was past its point of no return, and should have been left alone",
				r->what, r->on, x->e->name);
	}
}

/* ---- (d) ---- */

/* Another environment uses the same credential and stays on its way: then the migration goes on. */
static bool is_held(const struct judge *j, const struct watched_env *x)
{
	for (size_t i = 0; i < j->c->env_count; i++) {
		if (j->envs[i].cred == x->cred && !j->envs[i].is_taken_back)
			return true;
	}
	return false;
}

/* Its certificate has ended meanwhile: nobody signs in by JWT any more, whatever the tool does. */
static bool is_dead(const struct judge *j, const struct watched_env *x)
{
	return x->cred->c->certificate_ends <= j->w->now_ms;
}

const char *judge_not_back(const struct judge *j, const struct watched_env *x, bool is_held)
{
	const struct app *a = x->app != NULL ? x->app->app : NULL;

	if (x->cred == NULL || a == NULL)
		return "it has no credential or no app";
	if (!cred_has_jwt(x->cred->c))
		return "the JWT credential is gone";
	if (x->cred->c->state == CRED_STARTED && !is_held)
		return "the migration is under way still";
	if (a->saved->oauth || strcmp(a->saved->client_id, x->cred->c->client_id) != 0)
		return "the app is not set to JWT";
	for (size_t k = 0; k < WF_COUNT; k++) {
		const struct workflow *f = &a->flows[k];

		if (!judge_should_run(x, f) || x->app->tool_saved == NULL)
			continue; /* the tool never had it in its hands */
		if (f->status == WF_FAILED && is_dead(j, x))
			continue;
		if (f->status != WF_RUNNING && f->status != WF_STARTING)
			return "a workflow that is meant to run does not";
		if (f->using != a->saved)
			return "a workflow runs with settings of before";
	}
	return NULL;
}

bool judge_concerns(const struct judge *j, const struct watched_env *x)
{
	bool any = false;

	for (size_t i = 0; i < j->c->env_count; i++)
		any = any || j->envs[i].is_taken_back;
	return x->is_taken_back || !any;
}

void judge_back_ended(struct judge *j, bool by_itself, int exit_status)
{
	for (size_t i = 0; i < j->c->env_count; i++) {
		const struct watched_env *x = &j->envs[i];
		const char *missing = x->is_taken_back ? judge_not_back(j, x, is_held(j, x)) : NULL;

		if (missing == NULL || !by_itself || exit_status != 0 || x->misled ||
		    judge_meddled(x) || x->e->live >= LIVE_APP_AHEAD)
			continue;
		judge_say(j, 'd', "the way back of %s is said to be done: %s", x->e->name, missing);
	}
	for (size_t i = 0; i < j->c->env_count; i++)
		j->envs[i].is_taken_back = j->envs[i].is_too_late = false;
}
