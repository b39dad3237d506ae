/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/sim/person.h"

#include <string.h>

#include "core/base/mem.h"
#include "core/base/sb.h"
#include "core/base/when.h"
#include "providers/sim/person_private.h"

struct person *person_new(struct world *w, const struct sim_case *c, struct judge *j)
{
	struct person *p = mem_alloc(sizeof(*p));

	p->w = w;
	p->c = c;
	p->j = j;
	p->dice = dice_new(c->seed, 2);
	p->errands = arena_array(&p->arena, c->env_count + 1, sizeof(*p->errands));
	for (size_t i = 0; i < c->env_count; i++)
		p->errands[i] = (struct errand){ .env = &c->envs[i], .next = INT64_MAX };
	return p;
}

void person_free(struct person *p)
{
	if (p == NULL)
		return;
	arena_done(&p->arena);
	mem_free(p);
}

bool person_errs(struct person *p, unsigned one_in)
{
	const char *only = p->c->people.only_at;
	bool errs;

	if (only != NULL && (p->has_erred || p->asked == NULL || strcmp(only, p->asked) != 0))
		return false;
	errs = one_in != 0 && dice_one_in(&p->dice, one_in);
	p->has_erred |= errs;
	return errs;
}

const char *person_told(const struct instruction *in, const char *before, const char *after,
			struct arena *a)
{
	for (size_t i = 0; i < ARRAY_LEN(in->lines) && in->lines[i] != NULL; i++) {
		const char *from = strstr(in->lines[i], before), *to = NULL;

		if (from == NULL)
			continue;
		from += strlen(before);
		for (const char *p = from; (p = strstr(p, after)) != NULL; p++)
			to = p;
		if (to != NULL)
			return arena_strndup(a, from, (size_t)(to - from));
	}
	return NULL;
}

int64_t person_next(const struct person *p)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < p->c->env_count; i++)
		next = MIN_OF(next, p->errands[i].next);
	return next;
}

void person_act(struct person *p)
{
	for (size_t i = 0; i < p->c->env_count; i++) {
		if (p->errands[i].next <= world_now(p->w))
			restart_go_on(p, &p->errands[i]);
	}
}

static void err_on_purpose(struct person *p, const struct errand *x)
{
	if (p->j != NULL)
		judge_misled(p->j, x->env->name);
}

/* ---- acts ---- */

static bool start(struct person *p, struct errand *x, const struct instruction *in,
		  struct scene_says *ret, struct arena *a)
{
	const struct credential *c = page_credential(p, x->env, in, a);

	(void)ret;
	if (c == NULL)
		return false;
	/* Where the card offers nothing to click, it has been clicked. */
	return c->state != CRED_JWT_ONLY || page_press(p, c, "start", NULL, a);
}

static const char *reveal(struct person *p, const struct credential *c, struct arena *a)
{
	static const char mark[] = "id=\"client-secret\">";
	const char *page, *at;

	if (!page_press(p, c, "reveal", NULL, a))
		return NULL;
	page = page_get(p,
			arena_printf(a, "/pages/console/projects/%s?reveal=%s",
				     c->workspace->project->id, c->id),
			a);
	at = strstr(page, mark);
	if (at == NULL)
		return NULL;
	at += strlen(mark);
	return arena_strndup(&p->arena, at, strcspn(at, "<"));
}

static bool bring(struct person *p, struct errand *x, const struct instruction *in,
		  struct scene_says *ret, struct arena *a)
{
	const char *ref = person_told(in, "store it where ", " leads", a);
	const struct credential *c = page_credential(p, x->env, in, a);

	if (c == NULL || ref == NULL || !cred_has_oauth(c))
		return false;
	/* Who has it already does not look it up again. */
	if (x->brought == NULL)
		x->brought = reveal(p, c, a);
	if (x->brought == NULL)
		return false;
	ret->store_ref = ref;
	ret->store_text = x->brought;
	if (person_errs(p, p->c->people.wrong_secret)) {
		err_on_purpose(p, x);
		ret->store_text = SIM_SECRET_PREFIX "sim-something-else";
	}
	return true;
}

static const char *given(const struct person *p, const char *ref)
{
	for (size_t i = 0; i < p->c->secret_count; i++) {
		if (p->c->secrets[i].text != NULL && strcmp(p->c->secrets[i].name, ref) == 0)
			return p->c->secrets[i].text;
	}
	return NULL;
}

/* What the reference holds, as somebody sees who looks there: their own, the case's, or what the bridge brought from the console. */
static const char *held(const struct person *p, const struct errand *x, const char *ref)
{
	const struct credential *c = console_cred_of_id(p->w, x->env->credential_id);

	if (x->brought != NULL)
		return x->brought;
	if (given(p, ref) != NULL)
		return given(p, ref);
	return c != NULL && console_newest_secret(c) != NULL ? console_newest_secret(c)->value :
							       NULL;
}

static bool save(struct person *p, struct errand *x, const struct instruction *in,
		 struct scene_says *ret, struct arena *a)
{
	const char *instance = person_told(in, "instance '", "'", a),
		   *client = person_told(in, "Type Client ID: ", " (it is blank", a),
		   *ref = person_told(in, "Paste Client Secret: what ", " holds", a), *secret;
	struct app *app = instance != NULL ? app_find(p->w, instance) : NULL;
	struct value *form = value_map(a);

	(void)ret;
	secret = ref != NULL ? held(p, x, ref) : NULL;
	if (app == NULL || client == NULL || secret == NULL)
		return false;
	if (x->saved != NULL && app->saved == x->saved && x->saved->oauth)
		return true;
	if (person_errs(p, p->c->people.wrong_secret)) {
		err_on_purpose(p, x);
		secret = SIM_SECRET_PREFIX "sim-something-else";
	}
	value_set(a, form, "auth_type", value_string(a, "oauth"));
	value_set(a, form, "client_id", value_string(a, client));
	value_set(a, form, "client_secret", value_string(a, secret));
	if (!page_post(p, arena_printf(a, "/pages/app/%s/settings", app->instance), form, a))
		return false;
	x->saved = app->saved;
	return true;
}

static bool save_back(struct person *p, struct errand *x, const struct instruction *in,
		      struct scene_says *ret, struct arena *a)
{
	const char *instance = person_told(in, "instance '", "'", a),
		   *client = person_told(in, "See that Client ID is ", ", or type it", a),
		   *ref = person_told(in, "with its first and last line: what ", " holds", a);
	const char *key = ref != NULL ? given(p, ref) : NULL;
	struct app *app = instance != NULL ? app_find(p->w, instance) : NULL;
	struct value *form = value_map(a);

	(void)ret;
	if (app == NULL || client == NULL || (ref != NULL && key == NULL))
		return false;
	if (x->saved != NULL && app->saved == x->saved && !x->saved->oauth)
		return true;
	value_set(a, form, "auth_type", value_string(a, "jwt"));
	value_set(a, form, "client_id", value_string(a, client));
	if (key != NULL) /* else the app is said to have kept it */
		value_set(a, form, "private_key", value_string(a, key));
	if (!page_post(p, arena_printf(a, "/pages/app/%s/settings", app->instance), form, a))
		return false;
	x->saved = app->saved;
	return true;
}

/* They compare the two times on the card, as they are told, and go no further when OAuth was used later. */
static bool cancel(struct person *p, struct errand *x, const struct instruction *in,
		   struct scene_says *ret, struct arena *a)
{
	const struct credential *c = page_credential(p, x->env, in, a);

	(void)ret;
	if (c == NULL || c->state == CRED_COMPLETED)
		return false;
	return c->state == CRED_JWT_ONLY ||
	       (c->jwt.shown > c->oauth.shown && page_press(p, c, "cancel", NULL, a));
}

static bool finalize(struct person *p, struct errand *x, const struct instruction *in,
		     struct scene_says *ret, struct arena *a)
{
	const struct credential *c = page_credential(p, x->env, in, a);
	const char *title = person_told(in, "type the project's title: '", "'", a);

	(void)ret;
	if (c == NULL || !cred_has_jwt(c))
		return c != NULL;
	if (title == NULL)
		title = c->workspace->project->title;
	/* The dialog may want the project's name instead of its title; it says so. */
	return page_press(p, c, "finalize", title, a) ||
	       page_press(p, c, "finalize", c->workspace->project->name, a);
}

static const char *instant(const struct person *p, int64_t true_ms, struct arena *a)
{
	char text[WHEN_TEXT_MAX];

	(void)when_text(text, world_clock(p->w, SYS_BRIDGE, true_ms / WHEN_SECOND * WHEN_SECOND));
	return arena_strdup(a, text);
}

/* "2026-11-23T10:05Z" of "2026-11-23T10:05:30Z". */
static const char *by_minute(const char *text, struct arena *a)
{
	return strlen(text) > 17 ? arena_printf(a, "%.16sZ", text) : text;
}

static const char **told_before(const struct errand *x, struct arena *a)
{
	const char **facts = arena_array(a, WF_COUNT + 1, sizeof(*facts));

	for (size_t i = 0; i < WF_COUNT; i++)
		facts[i] = arena_printf(a, "%s=%s", x->app->flows[i].name, x->before[i]);
	return facts;
}

static bool still_restarted(const struct errand *x)
{
	if (x->stage != RESTART_DONE || x->restarted != x->app->saved)
		return false;
	for (size_t i = 0; i < WF_COUNT; i++) {
		if (x->starts[i] && x->app->flows[i].status != WF_RUNNING &&
		    x->app->flows[i].status != WF_STARTING)
			return false;
	}
	return true;
}

static bool restart(struct person *p, struct errand *x, const struct instruction *in,
		    struct scene_says *ret, struct arena *a)
{
	const char *instance = person_told(in, "instance '", "'", a), *at;
	struct app *app = instance != NULL ? app_find(p->w, instance) : NULL;

	if (app == NULL)
		return false;
	if (x->stage == RESTART_NONE || (x->stage == RESTART_DONE && !still_restarted(x)))
		restart_begin(p, x, in, app, a);
	if (x->stage != RESTART_DONE)
		return false;
	at = instant(p, person_errs(p, p->c->people.early) ? x->began : x->stopped, a);
	ret->at = person_errs(p, p->c->people.coarse) ? by_minute(at, a) : at;
	ret->facts = told_before(x, a);
	return true;
}

/* Says what would be said after a restart, and restarts nothing. */
static bool restart_said(struct person *p, struct errand *x, struct scene_says *ret,
			 struct arena *a)
{
	static const char *const names[] = { "ingress", "egress", "opt-in-out" };
	const char **facts = arena_array(a, ARRAY_LEN(names) + 1, sizeof(*facts));

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *s = page_fact(p, x->env, "app.workflow", names[i], a);

		facts[i] = arena_printf(a, "%s=%s", names[i], s != NULL ? s : "STOPPED");
	}
	ret->facts = facts;
	ret->at = instant(p, world_now(p->w), a);
	return true;
}

static const struct {
	const char *step;
	bool (*act)(struct person *p, struct errand *x, const struct instruction *in,
		    struct scene_says *ret, struct arena *a);
	bool is_back; /* of the way back: somebody who has restarted once may still only say that it is done */
} acts[] = {
	{ "console.migration/start", start, false },
	{ "console.secret/bring", bring, false },
	{ "app.settings/switch", save, false },
	{ "app.workflow/restart", restart, false },
	{ "console.migration/finalize", finalize, false },
	{ "app.settings/switch-back", save_back, true },
	{ "console.migration/cancel", cancel, true },
};

/* ---- readings ---- */

/* Names of "--fact NAME=..." in what ack needs; those that nobody can tell are left out. */
static bool tell_facts(struct person *p, struct errand *x, const char *thing, const char *args,
		       struct scene_says *ret, struct arena *a)
{
	const char **facts = arena_array(a, 32, sizeof(*facts));
	size_t n = 0;

	for (const char *at = args; (at = strstr(at, "--fact ")) != NULL && n < 31;) {
		const char *name, *text;

		at += 7;
		name = arena_strndup(a, at, strcspn(at, "= ]"));
		text = page_fact(p, x->env, thing, name, a);
		if (text != NULL && *text == '\0' && strstr(args, "or =0") != NULL)
			text = "0"; /* the card says that it never did */
		if (text != NULL && *text != '\0')
			facts[n++] = arena_printf(a, "%s=%s", name, text);
	}
	/* "...": and the others of their kind. */
	for (size_t i = 0; strstr(args, "_backlog=N ...") != NULL && i < 2; i++) {
		const char *name = i == 0 ? "egress_backlog" : "opt-in-out_backlog";

		facts[n++] = arena_printf(a, "%s=%s", name,
					  page_fact(p, x->env, "app.workflow", name, a));
	}
	ret->facts = facts;
	return n > 0;
}

/* Some read when they are asked, and say it when they come round to it. */
static bool tell_last_use(struct person *p, struct errand *x, const struct instruction *in,
			  struct scene_says *ret, struct arena *a)
{
	const struct credential *c = page_credential(p, x->env, in, a);
	const char *used = c != NULL ? page_card(p, c, "last-used-jwt", a) : NULL;

	if (used == NULL)
		return false;
	if (!x->has_read && person_errs(p, p->c->people.stale)) {
		x->read = arena_strdup(&p->arena, used);
		x->has_read = true;
		return false;
	}
	if (x->has_read)
		used = x->read;
	x->has_read = false;
	if (*used == '\0')
		ret->none_since = "2023-03-30";
	else
		ret->last_used = person_errs(p, p->c->people.coarse) ? by_minute(used, a) : used;
	return true;
}

/* ---- what was asked ---- */

/* A step that environments share is named by all of them, "dev+prod/...": whoever comes first does it. */
static struct errand *errand_of(struct person *p, const char *address, const char **ret_rest)
{
	*ret_rest = strchr(address, '/');
	for (size_t i = 0; *ret_rest != NULL && i < p->c->env_count; i++) {
		size_t len = strlen(p->c->envs[i].name);

		if (strncmp(address, p->c->envs[i].name, len) == 0 &&
		    (address[len] == '/' || address[len] == '+')) {
			++*ret_rest;
			return &p->errands[i];
		}
	}
	return NULL;
}

static bool act(struct person *p, struct errand *x, const char *step, const struct instruction *in,
		struct scene_says *ret, struct arena *a)
{
	bool is_restart = strcmp(step, "app.workflow/restart") == 0;

	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		if (strcmp(acts[i].step, step) != 0)
			continue;
		if (!x->has_lied &&
		    (x->stage == RESTART_NONE || (acts[i].is_back && x->stage == RESTART_DONE)) &&
		    person_errs(p, p->c->people.only_says)) {
			x->has_lied = true;
			err_on_purpose(p, x);
			return is_restart ? restart_said(p, x, ret, a) : true;
		}
		if (!acts[i].act(p, x, in, ret, a))
			return false;
		ret->silent = person_errs(p, p->c->people.silent);
		return true;
	}
	return false;
}

/* What a plan wants to know before it can be made is a list of names, one a line. */
static const char *listed(const struct instruction *in, struct arena *a)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);

	for (size_t i = 0; i < ARRAY_LEN(in->lines) && in->lines[i] != NULL; i++)
		sb_addf(&out, "--fact %s ", in->lines[i]);
	return arena_strndup(a, out.buf, out.len);
}

bool person_has_erred(const struct person *p)
{
	return p->has_erred;
}

/* What is asked by a step of another thing is known by where to read it: workflows have pending edits as well as settings. */
#define SETTINGS_PAGE "the integration app, Settings"

static bool deal_with(struct person *p, const char *address, const struct instruction *in,
		      struct scene_says *ret, struct arena *a)
{
	const char *rest, *args = in->ack_args != NULL ? in->ack_args : "", *slash;
	struct errand *x = errand_of(p, address, &rest);
	const char *thing = NULL;

	*ret = (struct scene_says){ .by = "Pat Example" };
	if (x == NULL)
		return false;
	if (strstr(args, "--last-used") != NULL)
		return tell_last_use(p, x, in, ret, a);
	slash = strrchr(rest, '/');
	if (slash != NULL && strcmp(slash, "/attest") == 0) {
		thing = arena_strndup(a, rest, (size_t)(slash - rest));
		if (*args == '\0')
			args = listed(in, a);
	}
	if (thing == NULL && in->page != NULL &&
	    strncmp(in->page, SETTINGS_PAGE, strlen(SETTINGS_PAGE)) == 0)
		thing = "app.settings";
	if (thing != NULL || (strstr(args, "--fact ") != NULL && strstr(args, "--at ") == NULL))
		return tell_facts(p, x, thing, args, ret, a);
	return act(p, x, rest, in, ret, a);
}

bool person_asked(struct person *p, const char *address, const struct instruction *in,
		  struct scene_says *ret, struct arena *a)
{
	bool said;

	p->asked = address;
	said = deal_with(p, address, in, ret, a);
	p->asked = NULL;
	return said;
}
