/* SPDX-License-Identifier: Apache-2.0 */
/* (a) what a deletion has to rest on, and (f) the fence that keeps it worth something. */
#include <string.h>

#include "core/base/when.h"
#include "providers/sim/judge_private.h"

/* The contract: a sample says nothing about the ten minutes before it, so that a day of quiet takes a day and ten minutes. */
#define QUIET (WHEN_DAY + 10 * WHEN_MINUTE)
#define SKEW_MAX                                                                                   \
	(5 *                                                                                       \
	 WHEN_MINUTE) /* clocks that are less than this apart are compared, and true time can be that much shorter */
#define ROUNDING (5 * WHEN_SECOND) /* Date has no fractions */
#define UNDER_WAY                                                                                  \
	(65 *                                                                                      \
	 WHEN_SECOND) /* a mint that was asked for before the restart began is heard of so late */

/* The credential that a declared app is on; NULL: none, or nobody declared it. */
static struct watched_cred *cred_of(const struct judge *j, const struct watched_app *a)
{
	for (size_t i = 0; i < j->c->env_count; i++) {
		if (j->envs[i].app == a)
			return j->envs[i].cred;
	}
	return NULL;
}

void judge_note_dependence(struct judge *j)
{
	for (size_t i = 0; i < j->app_count; i++) {
		struct watched_app *a = &j->apps[i];
		const struct watched_cred *c = cred_of(j, a);
		bool depends = c != NULL && judge_dependence(a, c->c, GRANT_JWT) != NULL;

		if (depends || a->depends)
			a->depended_ms = j->w->now_ms;
		a->depends = depends;
	}
}

static bool is_by_tool(const struct mint_record *m)
{
	return strcmp(m->by, "other") == 0; /* whom the world knows no name of */
}

void judge_note_mint(struct judge *j, const struct mint_record *m)
{
	struct watched_cred *c = m->credential != NULL ? judge_cred(j, m->credential) : NULL;

	if (c == NULL || m->grant != GRANT_OAUTH || m->error != NULL)
		return;
	if (!is_by_tool(m))
		c->oauth_ms = m->at;
	for (size_t i = 0; i < j->app_count; i++) {
		struct watched_app *a = &j->apps[i];

		if (a->fenced_ms == 0 || cred_of(j, a) != c)
			continue;
		if (!is_by_tool(m))
			a->fenced_ms = 0;
		else if (m->at > a->fenced_ms + UNDER_WAY)
			judge_say(
				j, 'f',
				"a token of %s was minted by the tool after it had restarted %s, and before anybody else used OAuth",
				m->client_id, a->app->instance);
	}
}

void judge_lift_fences(struct judge *j)
{
	for (size_t i = 0; i < j->app_count; i++)
		j->apps[i].fenced_ms = 0;
}

/* What a person told that was not so, and somebody else's switching to and fro, nothing that can be read makes good. */
static bool is_excused(struct judge *j, const struct watched_app *a, int64_t at)
{
	return a->others || judge_env(j, a->env->name)->misled || judge_could_not_know(j, a, at);
}

/* How far the clocks are apart that a day is measured by. */
static int64_t skew(const struct world *w)
{
	static const enum world_system by[] = { SYS_CONSOLE, SYS_IMS, SYS_BRIDGE, SYS_CAMPAIGN,
						SYS_DYNAMICS };
	int64_t least = 0, most = 0;

	for (size_t i = 0; i < ARRAY_LEN(by); i++) {
		least = MIN_OF(least, w->sw.skew[by[i]]);
		most = MAX_OF(most, w->sw.skew[by[i]]);
	}
	return MIN_OF(most - least, SKEW_MAX);
}

void judge_proof(struct judge *j, const struct watched_cred *c, int64_t at)
{
	int64_t quiet = QUIET - skew(j->w) - ROUNDING - (j->c->people.coarse > 0 ? WHEN_MINUTE : 0);
	char when[WHEN_TEXT_MAX];

	for (size_t i = 0; i < j->app_count; i++) {
		const struct watched_app *a = &j->apps[i];

		if (cred_of(j, a) != c || is_excused(j, a, at))
			continue;
		/* People who tell an earlier time than the one asked for make the day shorter. */
		if (a->depended_ms != 0 && at - a->depended_ms < quiet && j->c->people.early == 0)
			judge_say(
				j, 'a',
				"the JWT credential of %s was deleted; app %s lived on it until %s, which is less than a day before the last ten minutes",
				c->c->client_id, a->app->instance, when_text(when, a->depended_ms));
		if (c->oauth_ms < a->app->saved_at)
			judge_say(
				j, 'a',
				"the JWT credential of %s was deleted; nobody but the tool has used OAuth since %s was set to it",
				c->c->client_id, a->app->instance);
	}
}
