/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/sim/judge.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/when.h"
#include "providers/sim/judge_private.h"

void judge_say(struct judge *j, char letter, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);
	char now[WHEN_TEXT_MAX];
	va_list ap;

	if (j->verdict != NULL)
		return;
	sb_addf(&out, "(%c) %s: ", letter, when_text(now, j->w->now_ms));
	va_start(ap, fmt);
	sb_addv(&out, fmt, ap);
	va_end(ap);
	j->verdict = arena_strndup(&j->arena, out.buf, out.len);
}

const char *judge_verdict(const struct judge *j)
{
	return j->verdict;
}

bool judge_is_tool(const char *who)
{
	return strcmp(who, "api") == 0 || strcmp(who, "bridge") == 0 || strcmp(who, "page") == 0;
}

/* ---- who is who ---- */

struct watched_env *judge_env(struct judge *j, const char *name)
{
	for (size_t i = 0; i < j->c->env_count; i++) {
		if (strcmp(j->envs[i].e->name, name) == 0)
			return &j->envs[i];
	}
	return NULL;
}

struct watched_cred *judge_cred(struct judge *j, const char *id)
{
	for (size_t i = 0; i < j->cred_count; i++) {
		if (strcmp(j->creds[i].c->id, id) == 0 || strcmp(j->creds[i].c->oauth_id, id) == 0)
			return &j->creds[i];
	}
	return NULL;
}

struct watched_app *judge_app(struct judge *j, const char *instance)
{
	size_t len = strcspn(instance, "/");

	for (size_t i = 0; i < j->app_count; i++) {
		const char *name = j->apps[i].app->instance;

		if (strlen(name) == len && memcmp(name, instance, len) == 0)
			return &j->apps[i];
	}
	return NULL;
}

static void watch_world(struct judge *j)
{
	const struct world *w = j->w;

	j->creds = arena_array(&j->arena, w->console.all_count + 1, sizeof(*j->creds));
	for (size_t i = 0; i < w->console.all_count; i++) {
		const struct credential *c = w->console.all[i];

		j->creds[j->cred_count++] =
			(struct watched_cred){ .c = c,
					       .gone_at = cred_has_jwt(c) ? 0 : 1,
					       .first_jwt = c->jwt.last,
					       .oauth_ms = c->oauth.last };
	}
	j->apps = arena_array(&j->arena, w->apps.count + 1, sizeof(*j->apps));
	for (size_t i = 0; i < w->apps.count; i++) {
		struct watched_app *a = &j->apps[j->app_count++];

		a->app = w->apps.list[i];
		for (size_t k = 0; k < WF_COUNT; k++)
			a->flows[k].f = &a->app->flows[k];
	}
}

static bool has_secret(const struct sim_case *c, const char *ref)
{
	for (size_t i = 0; i < c->secret_count; i++) {
		if (strcmp(c->secrets[i].name, ref) == 0 && c->secrets[i].text != NULL)
			return true;
	}
	return false;
}

static void watch_envs(struct judge *j)
{
	j->envs = arena_array(&j->arena, j->c->env_count + 1, sizeof(*j->envs));
	for (size_t i = 0; i < j->c->env_count; i++) {
		struct watched_env *x = &j->envs[i];

		x->e = &j->c->envs[i];
		x->app = judge_app(j, x->e->instance);
		x->cred = judge_cred(j, x->e->credential_id);
		if (x->app != NULL)
			x->app->env = x->e;
		if (x->cred == NULL)
			continue;
		x->cred->users++;
		x->cred->held += has_secret(j->c, x->e->secret_ref) ? 1 : 0;
	}
}

struct judge *judge_new(const struct world *w, const struct sim_case *c)
{
	struct judge *j = mem_alloc(sizeof(*j));

	j->w = w;
	j->c = c;
	watch_world(j);
	watch_envs(j);
	judge_note_dependence(j);
	/* What the document says to have happened before is no news. */
	j->writes = w->write_count;
	j->mints = w->ims.mint_count;
	return j;
}

void judge_free(struct judge *j)
{
	if (j == NULL)
		return;
	arena_done(&j->arena);
	mem_free(j);
}

void judge_misled(struct judge *j, const char *env)
{
	struct watched_env *x = judge_env(j, env);

	if (x != NULL)
		x->misled = true;
}

void judge_failed_by_hand(struct judge *j, const char *instance)
{
	struct watched_app *a = judge_app(j, instance);

	if (a != NULL)
		a->failed_by_hand = true;
}

void judge_busy(struct judge *j, const char *env, bool is_busy)
{
	struct watched_env *x = judge_env(j, env);

	if (x != NULL)
		x->busy = is_busy;
}

/* ---- looking ---- */

/* Which client is migrated is what the file says: a program that reads nothing else cannot know better. */
static bool is_migrated(const struct judge *j, const char *client_id)
{
	for (size_t i = 0; i < j->c->env_count; i++) {
		if (strcmp(j->c->envs[i].file_client_id, client_id) == 0)
			return true;
	}
	return false;
}

static void look_at_mint(struct judge *j, const struct mint_record *m)
{
	/* Apps and consumers mint when they like; the tool is the one of whom the world knows no name. */
	if (j->reads && m->client_id != NULL && strcmp(m->by, "other") == 0 &&
	    is_migrated(j, m->client_id))
		judge_say(j, 'f', "a reading command minted a token of %s, which is migrated",
			  m->client_id);
	judge_note_mint(j, m);
}

/* One that has FAILED makes a restart of its app necessary, and a restart is one act for all of them. */
static void look_at_flows(struct judge *j)
{
	for (size_t i = 0; i < j->app_count; i++) {
		struct watched_app *a = &j->apps[i];
		bool failed = false;

		for (size_t k = 0; k < WF_COUNT; k++)
			failed = failed || a->flows[k].f->status == WF_FAILED;
		for (size_t k = 0; failed && k < WF_COUNT; k++)
			a->flows[k].may_again = true;
	}
}

void judge_look(struct judge *j)
{
	for (; j->writes < j->w->write_count; j->writes++)
		judge_write(j, &j->w->writes[j->writes]);
	for (; j->mints < j->w->ims.mint_count; j->mints++)
		look_at_mint(j, &j->w->ims.mints[j->mints]);
	look_at_flows(j);
	judge_note_dependence(j);
}

void judge_begins(struct judge *j, bool reads)
{
	judge_look(j);
	j->reads = reads;
}

/* What went wrong in between makes it necessary to look again at what was half done, and to do it again. */
static void forgive(struct judge *j)
{
	for (size_t i = 0; i < j->app_count; i++) {
		for (size_t k = 0; k < WF_COUNT; k++)
			j->apps[i].flows[k].may_again = true;
	}
}

void judge_abandons(struct judge *j)
{
	forgive(j);
	judge_lift_fences(j);
	for (size_t i = 0; i < j->c->env_count; i++)
		j->envs[i].canary_touched = false;
}

void judge_ended(struct judge *j, bool reads, bool by_itself, int exit_status)
{
	bool is_signal = exit_status == 130 || exit_status == 143;
	/* A gate that failed is gone on from with a run of its own, which knows nothing of the one before. */
	bool is_failure =
		exit_status == -1 || exit_status == 1 || exit_status == 4 || exit_status > 6;

	judge_look(j);
	j->reads = false;
	if (reads)
		return;
	if (by_itself && !is_signal)
		judge_after_command(j);
	judge_back_ended(j, by_itself, exit_status);
	if (!by_itself || is_failure)
		forgive(j);
	/* So is one that has ended: what the file wants besides, or again after a way back, is planned anew. */
	if (exit_status != 4 && exit_status != 0)
		return;
	judge_lift_fences(j);
	for (size_t i = 0; i < j->c->env_count; i++)
		j->envs[i].canary_touched = false;
}
