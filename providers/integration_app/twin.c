/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Campaign-Dynamics integration app: settings, three workflows, and what its ingress carries.
 * Source: our notes on the app, sections 3 to 7; behind them help/integrating/using (d365-acs-...) of
 * github.com/AdobeDocs/campaign-standard.en (experienceleague.adobe.com, "self-service app").
 *
 * What makes it a trap, as in the real one: saved settings change nothing until a workflow is stopped and started, a
 * workflow lives on the token that it has until that ends, and there is no status for "is being stopped".
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <string.h>

static void wf_remint(struct world *w, void *what, int64_t life);
static void deliver(struct world *w, void *what, int64_t version);
static void running(struct world *w, void *what, int64_t life);

struct app *app_find(const struct world *w, const char *instance)
{
	return index_get(&w->apps.by_instance, instance);
}

struct workflow *app_flow(struct app *a, const char *name)
{
	for (size_t i = 0; i < WF_COUNT; i++) {
		if (strcmp(a->flows[i].name, name) == 0)
			return &a->flows[i];
	}
	return NULL;
}

const char *wf_status_name(enum wf_status s)
{
	switch (s) {
	case WF_RUNNING:
		return "RUNNING";
	case WF_STOPPED:
		return "STOPPED";
	case WF_STARTING:
		return "STARTING";
	case WF_FAILED:
		return "FAILED";
	}
	return NULL;
}

/* ---- backlog ---- */

static int64_t queued(const struct world *w, const struct workflow *f)
{
	int64_t rate = f->grow - (f->status == WF_RUNNING ? f->drain : 0);

	return MAX_OF(0, f->backlog + rate * (w->now_ms - f->backlog_at) / WHEN_MINUTE);
}

static void settle(struct world *w, struct workflow *f)
{
	f->backlog = queued(w, f);
	f->backlog_at = w->now_ms;
}

static int64_t waiting(const struct app *a)
{
	int64_t n = 0;

	for (const struct dyn_contact *c = a->dynamics != NULL ? a->dynamics->newest : NULL;
	     c != NULL && c->version > a->watermark; c = c->prev)
		n++;
	return n;
}

int64_t wf_backlog(const struct world *w, const struct workflow *f)
{
	return queued(w, f) + (f == &f->app->flows[WF_INGRESS] ? waiting(f->app) : 0);
}

bool wf_pending_edits(const struct workflow *f)
{
	return f->edited || (f->status != WF_STOPPED && f->using != f->app->saved);
}

/* ---- tokens ---- */

static struct mint_wish wish(struct world *w, const struct app *a, const struct app_settings *s,
			     const char *workflow)
{
	return (struct mint_wish){
		.client_id = s->client_id,
		.secret = s->oauth ? s->client_secret : s->jwt_secret,
		.private_key = s->private_key != NULL ? s->private_key : "",
		.grant = s->oauth ? GRANT_OAUTH : GRANT_JWT,
		.by = arena_join(&w->arena, "app", ':', a->instance),
		.workflow = workflow,
	};
}

static int64_t margin(const struct world *w)
{
	return MIN_OF(w->sw.app_token_margin, w->sw.token_life / 2);
}

/* One that another workflow of the app has already, where they share them. */
static const struct token *shared_token(const struct world *w, const struct workflow *f)
{
	for (size_t i = 0; i < WF_COUNT && !w->sw.token_per_workflow; i++) {
		const struct workflow *other = &f->app->flows[i];

		if (other != f && other->using == f->using && other->token != NULL &&
		    token_lives(w, other->token) && other->token->ends - margin(w) > w->now_ms &&
		    (other->token->grant == GRANT_OAUTH) == f->using->oauth)
			return other->token;
	}
	return NULL;
}

static bool wf_mint(struct world *w, struct workflow *f)
{
	const struct token *t = shared_token(w, f);
	struct mint_wish m = wish(w, f->app, f->using, f->name);
	struct ims_error ignored;

	if (t == NULL)
		t = ims_mint(w, &m, &ignored);
	if (t == NULL)
		return false;
	f->token = t;
	return true;
}

static bool token_good(const struct world *w, const struct workflow *f)
{
	return f->token != NULL && token_lives(w, f->token) &&
	       (f->app->tenant == NULL || campaign_accepts(w, f->token, f->app->tenant));
}

static void wf_restart(struct world *w, void *what, int64_t life)
{
	struct workflow *f = what;

	if (f->life == life && f->status == WF_FAILED)
		(void)!wf_start(w, f, arena_printf(&w->arena, "app:%s", f->app->instance));
}

void wf_fail(struct world *w, struct workflow *f)
{
	settle(w, f);
	f->status = WF_FAILED;
	f->stopping = false;
	f->token = NULL;
	f->life++;
	if (w->sw.failed_restarts)
		world_at(w, w->now_ms + 10 * WHEN_MINUTE, wf_restart, f, f->life);
}

static void watch_token(struct world *w, struct workflow *f)
{
	/* Tokens that hardly live must not make the world stand still. */
	int64_t at = MAX_OF(f->token->ends - margin(w), w->now_ms + WHEN_SECOND);

	world_at(w, at, wf_remint, f, f->life);
}

/* In time before the token ends; when that fails, once more when it has ended, and then that is that. */
static void wf_remint(struct world *w, void *what, int64_t life)
{
	struct workflow *f = what;

	if (f->life != life || f->status != WF_RUNNING)
		return;
	if (wf_mint(w, f))
		watch_token(w, f);
	else if (f->token != NULL && token_lives(w, f->token))
		world_at(w, f->token->ends, wf_remint, f, life);
	else
		wf_fail(w, f);
}

void app_tokens_died(struct world *w)
{
	for (size_t i = 0; i < w->apps.count; i++) {
		for (size_t k = 0; k < WF_COUNT; k++) {
			struct workflow *f = &w->apps.list[i]->flows[k];

			if (f->status == WF_RUNNING && f->token != NULL && f->token->dead)
				world_at(w, w->now_ms + WHEN_MINUTE, wf_remint, f, f->life);
		}
	}
}

/* ---- stop and start ---- */

static const char *flow_id(struct world *w, const struct workflow *f)
{
	return arena_printf(&w->arena, "%s/%s", f->app->instance, f->name);
}

static void first_mint(struct world *w, void *what, int64_t life)
{
	struct workflow *f = what;

	if (f->life == life && f->status == WF_STARTING)
		(void)!wf_mint(w, f);
}

static void carry_on(struct world *w, struct workflow *f)
{
	if (f == &f->app->flows[WF_INGRESS] && f->app->dynamics != NULL)
		world_at(w, w->now_ms + w->sw.campaign_lag, deliver, f->app,
			 f->app->dynamics->version);
}

static void running(struct world *w, void *what, int64_t life)
{
	struct workflow *f = what;

	if (f->life != life || f->status != WF_STARTING)
		return;
	if (!token_good(w, f)) {
		wf_fail(w, f);
		return;
	}
	settle(w, f);
	f->status = WF_RUNNING;
	watch_token(w, f);
	carry_on(w, f);
}

static void stopped(struct world *w, void *what, int64_t life)
{
	struct workflow *f = what;

	if (f->life != life || !f->stopping)
		return;
	settle(w, f);
	f->stopping = false;
	f->status = WF_STOPPED;
	f->token = NULL;
}

static void begin_start(struct world *w, struct workflow *f)
{
	settle(w, f);
	f->status = WF_STARTING;
	f->life++;
	f->token = NULL;
	f->using = f->app->saved;
	f->edited = false;
	if (f->scheduled_replay && f == &f->app->flows[WF_INGRESS])
		f->app->watermark = 0;
	f->scheduled_replay = false;
	world_at(w, w->now_ms + MIN_OF(w->sw.mint_after, w->sw.workflow_start), first_mint, f,
		 f->life);
	world_at(w, w->now_ms + w->sw.workflow_start, running, f, f->life);
}

int wf_start(struct world *w, struct workflow *f, const char *who)
{
	if (f->stopping)
		return -1;
	if (f->status == WF_RUNNING || f->status == WF_STARTING)
		return 1;
	f->started = w->now_ms;
	begin_start(w, f);
	world_wrote(w, "bridge", "start-workflow", who, flow_id(w, f));
	return 0;
}

int wf_stop(struct world *w, struct workflow *f, const char *who)
{
	if (f->status == WF_STOPPED)
		return 1;
	if (f->stopping)
		return 0;
	world_wrote(w, "bridge", "stop-workflow", who, flow_id(w, f));
	f->life++;
	f->stopping = true;
	if (f->status == WF_FAILED)
		stopped(w, f, f->life); /* nothing is left to wait for */
	else
		world_at(w, w->now_ms + w->sw.workflow_stop, stopped, f, f->life);
	return 0;
}

/* ---- contacts to profiles ---- */

void app_contact_changed(struct world *w, const struct dyn_org *org)
{
	for (size_t i = 0; i < w->apps.count; i++) {
		struct app *a = w->apps.list[i];

		if (a->dynamics == org && a->flows[WF_INGRESS].status == WF_RUNNING)
			world_at(w, w->now_ms + w->sw.campaign_lag, deliver, a, org->version);
	}
}

static void deliver(struct world *w, void *what, int64_t version)
{
	struct app *a = what;
	struct workflow *f = &a->flows[WF_INGRESS];
	struct dyn_contact *c = a->dynamics->newest;
	int64_t taken = 0;

	/* A change that came while it ran, and finds it stopped, waits for the next start. */
	if (f->status != WF_RUNNING || version <= a->watermark || a->tenant == NULL)
		return;
	if (!token_good(w, f)) {
		if (f->token == NULL || !token_lives(w, f->token))
			wf_remint(w, f, f->life);
		else
			wf_fail(w, f);
		if (f->status == WF_RUNNING)
			world_at(w, w->now_ms + WHEN_MINUTE, deliver, a, version);
		return;
	}
	while (c != NULL && c->prev != NULL && c->prev->version > a->watermark)
		c = c->prev;
	for (; c != NULL && c->version <= version; c = c->next) {
		if (c->version <= a->watermark)
			continue;
		campaign_take_contact(w, a->tenant, c, w->now_ms);
		taken++;
	}
	a->watermark = version;
	if (taken > 0)
		world_wrote(w, "campaign", "deliver", wish(w, a, f->using, NULL).by,
			    a->tenant->name);
}

/* ---- settings ---- */

int app_save(struct world *w, struct app *a, bool oauth, const char *client_id,
	     const char *client_secret, const char *private_key, const char *who,
	     const char **ret_why)
{
	const struct app_settings *old = a->saved;
	struct app_settings *s = ARENA_NEW(&w->arena, struct app_settings);
	struct ims_error ignored;
	struct mint_wish m;

	*s = *old;
	s->oauth = oauth;
	if (client_id == NULL || *client_id == '\0') {
		*ret_why = "a client ID is required";
		return -1;
	}
	s->client_id = world_text(w, client_id);
	if (client_secret != NULL && *client_secret != '\0')
		s->client_secret = world_text(w, client_secret);
	if (private_key != NULL && *private_key != '\0')
		s->private_key = world_text(w, private_key);
	if (oauth && (s->client_secret == NULL ||
		      (!old->oauth && (client_secret == NULL || *client_secret == '\0')))) {
		*ret_why = "a client secret is required";
		return -1;
	}
	if (!oauth && s->private_key == NULL) {
		*ret_why = "a private key is required";
		return -1;
	}
	m = wish(w, a, s, NULL);
	if (w->sw.save_validates && ims_mint(w, &m, &ignored) == NULL) {
		*ret_why = "unable to connect to Adobe with these credentials";
		return -1;
	}
	if (oauth && !w->sw.key_retained)
		s->private_key = NULL;
	a->saved = s;
	a->saved_at = w->now_ms;
	world_wrote(w, "bridge", "save-settings", who, a->instance);
	return 0;
}

/* ---- the document ---- */

static int load_settings(struct world *w, struct app *a, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "auth_type",
					    "client_id",
					    "client_secret",
					    "private_key",
					    "jwt_client_secret",
					    "saved_at",
					    "integration_id",
					    "org_id",
					    "url",
					    "technical_account_id",
					    "technical_account_email",
					    "organization_id",
					    NULL };
	struct app_settings *s = ARENA_NEW(&w->arena, struct app_settings);
	const struct ims_client *x;
	const struct credential *c;
	int auth = 0;

	if (v == NULL)
		return err_set(err, E_PLAN, "app '%s' has no settings", a->instance);
	if (load_keys(v, "settings", keys, err) < 0 ||
	    load_word(v, "auth_type", "jwt|oauth", &auth, err) < 0 ||
	    load_text(w, v, "client_id", true, &s->client_id, err) < 0 ||
	    load_time(w, v, "saved_at", &a->saved_at, err) < 0)
		return -E_PLAN;
	s->oauth = auth == 1;
	/* The client may be unknown: settings that name nobody are one of the states to be found. */
	x = index_get(&w->ims.clients, s->client_id);
	c = x != NULL ? x->cred : NULL;
	a->organization_id = a->org_id = a->integration_id = a->technical_account_id =
		a->technical_account_email = "";
	if (c != NULL) {
		a->organization_id = c->workspace->project->org->ims;
		a->org_id = c->workspace->project->org->id;
		a->integration_id = c->id;
		a->technical_account_id = c->technical_account_id;
		a->technical_account_email = c->technical_account_email;
		s->jwt_secret = c->jwt_secret->value;
		if (s->oauth)
			s->client_secret = console_newest_secret(c)->value;
		if (!s->oauth || w->sw.key_retained)
			s->private_key =
				c->private_key != NULL ? c->private_key : "fake-private-key";
	}
	a->url = arena_printf(&w->arena, "https://mc.adobe.io/%s",
			      a->tenant != NULL ? a->tenant->name : a->instance);
	if (load_text(w, v, "client_secret", false, s->oauth ? &s->client_secret : &s->jwt_secret,
		      err) < 0 ||
	    load_text(w, v, "jwt_client_secret", false, &s->jwt_secret, err) < 0 ||
	    load_text(w, v, "private_key", false, &s->private_key, err) < 0 ||
	    load_text(w, v, "integration_id", false, &a->integration_id, err) < 0 ||
	    load_text(w, v, "org_id", false, &a->org_id, err) < 0 ||
	    load_text(w, v, "url", false, &a->url, err) < 0 ||
	    load_text(w, v, "organization_id", false, &a->organization_id, err) < 0 ||
	    load_text(w, v, "technical_account_id", false, &a->technical_account_id, err) < 0 ||
	    load_text(w, v, "technical_account_email", false, &a->technical_account_email, err) < 0)
		return -E_PLAN;
	a->saved = s;
	return 0;
}

/* A workflow that runs got its token some time ago; how, the document may say. */
static void hold_token(struct world *w, struct workflow *f, int how, int64_t age)
{
	struct mint_wish m = wish(w, f->app, f->using, f->name);

	if (how == 0 || how == 1)
		m.grant = how == 0 ? GRANT_JWT : GRANT_OAUTH;
	if (age < 0)
		age = (int64_t)(world_random(w) %
				(uint64_t)MAX_OF(1, (w->sw.token_life - margin(w)) * 3 / 4)) /
		      WHEN_SECOND * WHEN_SECOND;
	if (how != 2)
		f->token = ims_mint_past(w, &m, w->start_ms - age);
	if (f->token != NULL && token_lives(w, f->token))
		watch_token(w, f);
	else
		world_at(w, w->start_ms, wf_remint, f, f->life);
}

static int load_workflow(struct world *w, struct workflow *f, const struct value *v,
			 struct err *err)
{
	static const char *const keys[] = { "status",     "backlog",       "grow",
					    "drain",      "pending_edits", "scheduled_replay",
					    "started_at", "token",         "token_age",
					    NULL };
	int status = WF_RUNNING, how = -1;
	int64_t age = -1;

	f->drain = 60;
	f->backlog_at = w->start_ms;
	f->using = f->app->saved;
	if (v != NULL &&
	    (load_keys(v, "a workflow", keys, err) < 0 ||
	     load_word(v, "status", "RUNNING|STOPPED|STARTING|FAILED", &status, err) < 0 ||
	     load_int(v, "backlog", &f->backlog, err) < 0 ||
	     load_int(v, "grow", &f->grow, err) < 0 || load_int(v, "drain", &f->drain, err) < 0 ||
	     load_bool(v, "pending_edits", &f->edited, err) < 0 ||
	     load_bool(v, "scheduled_replay", &f->scheduled_replay, err) < 0))
		return -E_PLAN;
	f->started = status == WF_RUNNING || status == WF_FAILED ? w->start_ms - 20 * WHEN_DAY :
		     status == WF_STARTING                       ? w->start_ms :
								   0;
	if (v != NULL && (load_time(w, v, "started_at", &f->started, err) < 0 ||
			  load_word(v, "token", "jwt|oauth|none", &how, err) < 0 ||
			  load_span(v, "token_age", &age, err) < 0))
		return -E_PLAN;
	f->status = (enum wf_status)status;
	f->meant_to_run = f->status != WF_STOPPED;
	if (f->status == WF_STARTING)
		begin_start(w, f);
	else if (f->status == WF_RUNNING)
		hold_token(w, f, how, age);
	return 0;
}

static int load_app(struct world *w, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "instance", "organization", "dynamics",  "campaign",
					    "synced",   "settings",     "workflows", NULL };
	static const char *const names[] = { "ingress", "egress", "opt-in-out", NULL };
	static const char *const titles[] = { "Microsoft Dynamics 365 to Campaign",
					      "Campaign to Microsoft Dynamics 365", "Opt-In/Out" };
	struct app *a = ARENA_NEW(&w->arena, struct app);
	const char *dynamics = NULL, *tenant = NULL, *org = NULL;
	const struct value *flows;
	bool synced = true;

	if (load_keys(v, "an app", keys, err) < 0 ||
	    load_text(w, v, "instance", true, &a->instance, err) < 0 ||
	    load_text(w, v, "dynamics", false, &dynamics, err) < 0 ||
	    load_text(w, v, "campaign", false, &tenant, err) < 0 ||
	    load_bool(v, "synced", &synced, err) < 0)
		return -E_PLAN;
	a->dynamics = dynamics != NULL ? dynamics_org(w, dynamics) : NULL;
	if (dynamics != NULL && a->dynamics == NULL)
		return err_at(err, value_get(v, "dynamics")->pos, "no Dynamics organisation '%s'",
			      dynamics);
	a->tenant = tenant_named(w, tenant != NULL ? tenant : a->instance);
	if (tenant != NULL && a->tenant == NULL)
		return err_at(err, value_get(v, "campaign")->pos, "no Campaign tenant '%s'",
			      tenant);
	if (index_get(&w->apps.by_instance, a->instance) != NULL)
		return err_at(err, value_get(v, "instance")->pos, "two apps have the instance '%s'",
			      a->instance);
	index_put(w, &w->apps.by_instance, a->instance, a);
	WORLD_PUSH(w, w->apps.list, w->apps.count, w->apps.cap, a);
	if (load_settings(w, a, value_get(v, "settings"), err) < 0 ||
	    load_text(w, v, "organization", false, &org, err) < 0)
		return -E_PLAN;
	if (org != NULL)
		a->org_id = org;
	flows = value_get(v, "workflows");
	if (flows != NULL && load_keys(flows, "the workflows", names, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < WF_COUNT; i++) {
		a->flows[i].name = names[i];
		a->flows[i].title = titles[i];
		a->flows[i].app = a;
	}
	if (synced && a->dynamics != NULL) {
		a->watermark = a->dynamics->version;
		for (const struct dyn_contact *c = a->dynamics->oldest;
		     c != NULL && a->tenant != NULL; c = c->next)
			campaign_take_contact(w, a->tenant, c,
					      MIN_OF(c->modified + w->sw.campaign_lag,
						     w->start_ms));
	}
	for (size_t i = 0; i < WF_COUNT; i++) {
		if (load_workflow(w, &a->flows[i], value_get(flows, names[i]), err) < 0)
			return -E_PLAN;
	}
	if (a->flows[WF_INGRESS].status == WF_RUNNING)
		carry_on(w, &a->flows[WF_INGRESS]);
	return 0;
}

int app_load(struct world *w, const struct value *doc, struct err *err)
{
	static const char *const keys[] = { "token", "forbidden", NULL };
	const struct value *list, *bridge = value_get(doc, "bridge");

	if (bridge != NULL &&
	    (load_keys(bridge, "the bridge", keys, err) < 0 ||
	     load_text(w, bridge, "token", true, &w->apps.bridge_token, err) < 0 ||
	     load_texts(w, bridge, "forbidden", &w->apps.forbidden, err) < 0))
		return -E_PLAN;
	if (load_list(doc, "apps", &list, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_app(w, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	return 0;
}

/* ---- truth ---- */

static struct value *flow_truth(const struct world *w, struct arena *a, const struct workflow *f)
{
	struct value *v = value_map(a), *t = value_null(a);

	if (f->token != NULL) {
		t = value_map(a);
		value_set(a, t, "grant", value_string(a, grant_name(f->token->grant)));
		value_set(a, t, "client_id", value_string(a, f->token->client->client_id));
		value_set(a, t, "minted", value_instant(a, f->token->minted));
		value_set(a, t, "ends", value_instant(a, f->token->ends));
		value_set(a, t, "accepted", value_bool(a, token_good(w, f)));
	}
	value_set(a, v, "name", value_string(a, f->name));
	value_set(a, v, "status", value_string(a, wf_status_name(f->status)));
	value_set(a, v, "stopping", value_bool(a, f->stopping));
	value_set(a, v, "backlog", value_int(a, wf_backlog(w, f)));
	value_set(a, v, "pending_edits", value_bool(a, wf_pending_edits(f)));
	value_set(a, v, "started_at", value_instant(a, f->started));
	value_set(a, v, "meant_to_run", value_bool(a, f->meant_to_run));
	value_set(a, v, "token", t);
	return v;
}

/* Taken, says the watermark; so the profile has to show it. */
static int64_t lost_contacts(const struct world *w, const struct app *a)
{
	int64_t lost = 0;

	for (const struct dyn_contact *c =
		     a->dynamics != NULL && a->tenant != NULL ? a->dynamics->oldest : NULL;
	     c != NULL && c->version <= a->watermark; c = c->next) {
		const struct profile *p = tenant_profile(w, a->tenant, c->id);

		if (p == NULL || p->contact_modified < c->modified)
			lost++;
	}
	return lost;
}

void app_truth(const struct world *w, struct arena *a, struct value *ret)
{
	struct value *list = value_list(a);
	int64_t lost = 0;

	for (size_t i = 0; i < w->apps.count; i++) {
		const struct app *app = w->apps.list[i];
		const struct app_settings *s = app->saved;
		struct value *v = value_map(a), *flows = value_list(a);
		struct mint_wish m = { .client_id = s->client_id,
				       .secret = s->oauth ? s->client_secret : s->jwt_secret,
				       .private_key = s->private_key != NULL ? s->private_key : "",
				       .grant = s->oauth ? GRANT_OAUTH : GRANT_JWT };

		for (size_t k = 0; k < WF_COUNT; k++)
			value_list_add(a, flows, flow_truth(w, a, &app->flows[k]));
		lost += lost_contacts(w, app);
		value_set(a, v, "instance", value_string(a, app->instance));
		value_set(a, v, "auth_type", value_string(a, s->oauth ? "oauth" : "jwt"));
		value_set(a, v, "client_id", value_string(a, s->client_id));
		value_set(a, v, "saved_at", value_instant(a, app->saved_at));
		value_set(a, v, "settings_good", value_bool(a, ims_would_mint(w, &m)));
		value_set(a, v, "waiting", value_int(a, waiting(app)));
		value_set(a, v, "workflows", flows);
		value_list_add(a, list, v);
	}
	value_set(a, ret, "apps", list);
	value_set(a, ret, "lost", value_int(a, lost));
}
