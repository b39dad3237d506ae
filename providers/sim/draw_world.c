/* SPDX-License-Identifier: Apache-2.0 */
/* The world's document, as providers/world.h describes it. All scalars are strings. */
#include <inttypes.h>
#include <string.h>

#include "providers/sim/draw_private.h"

static struct value *list_in(struct draft *d, struct value *map, const char *key)
{
	struct value *list = value_list(d->a);

	value_set(d->a, map, key, list);
	return list;
}

static void texts(struct draft *d, struct value *map, const char *key, const char *const *words)
{
	struct value *list = list_in(d, map, key);

	for (; *words != NULL; words++)
		value_list_add(d->a, list, value_string(d->a, *words));
}

/* ---- console ---- */

static const char *state_of(enum sim_live l)
{
	switch (l) {
	case LIVE_STARTED:
	case LIVE_STARTED_SWITCHED:
	case LIVE_STARTED_UNRESTARTED:
		return "started";
	case LIVE_CONVERTED:
	case LIVE_CONVERTED_FAILED:
	case LIVE_DONE:
		return "completed";
	case LIVE_NEVER_JWT:
		return "born_oauth";
	case LIVE_JWT_ONLY:
	case LIVE_APP_AHEAD:
	case LIVE_OTHER_CLIENT:
	case LIVE_FILE_CLIENT:
	case LIVE_CONFLICT:
	case LIVE_NO_PROJECT:
	case LIVE_TWO_PROJECTS:
	case LIVE_GENERATED:
	case LIVE_READ_ONLY:
	case LIVE_COUNT:
		break;
	}
	return "jwt_only";
}

static bool app_is_oauth(enum sim_live l)
{
	return l == LIVE_STARTED_SWITCHED || l == LIVE_STARTED_UNRESTARTED ||
	       l == LIVE_CONVERTED_FAILED || l == LIVE_DONE || l == LIVE_NEVER_JWT ||
	       l == LIVE_APP_AHEAD;
}

static void add_uses(struct draft *d, struct value *cred, const struct drawn *x)
{
	enum sim_live l = x->e.live;

	if (l != LIVE_NEVER_JWT && strcmp(state_of(l), "completed") != 0)
		draw_set(d, cred, "jwt_last_used", "-%" PRId64 "m",
			 l == LIVE_STARTED_SWITCHED ? dice_between(&d->dice, 180, 1600) :
						      dice_between(&d->dice, 5, 1300));
	if (!x->is_unused && (l == LIVE_STARTED_SWITCHED || l == LIVE_DONE || l == LIVE_NEVER_JWT))
		draw_set(d, cred, "oauth_last_used", "-%" PRId64 "m",
			 dice_between(&d->dice, 1, 100));
}

static void add_credential(struct draft *d, struct value *list, struct drawn *x)
{
	static const char *const scopes[] = { "openid", "AdobeID", "campaign_sdk",
					      "read_organizations", NULL };
	static const char *const services[] = { "CampaignSDK", "AdobeIOManagementAPISDK", NULL };
	struct value *cred = draw_map(d, list), *profiles;
	const char *ends[] = { "200d", "20h", "-2d" };

	draw_set(d, cred, "id", "%s", x->e.credential_id);
	draw_set(d, cred, "name", "%s integration", x->e.name);
	draw_set(d, cred, "client_id", "%s", x->e.client_id);
	draw_set(d, cred, "client_secret", "%s", x->secret);
	if (strcmp(draw_switch(d, "secrets_shared"), "false") == 0)
		draw_set(d, cred, "jwt_client_secret", "%s", draw_secret(d, "jwt"));
	if (!draw_plain(d) && dice_one_in(&d->dice, 3)) {
		x->key = draw_secret(d, "key");
		draw_set(d, cred, "private_key", "%s", x->key);
	}
	texts(d, cred, "scopes", scopes);
	texts(d, cred, "services", services);
	profiles = list_in(d, cred, "profiles");
	for (size_t i = 0; i < d->count; i++) {
		if (d->envs[i].shares == x->shares)
			value_list_add(d->a, profiles, value_string(d->a, d->envs[i].e.tenant));
	}
	draw_set(d, cred, "state", "%s", state_of(x->e.live));
	if (strcmp(state_of(x->e.live), "jwt_only") == 0 ||
	    strcmp(state_of(x->e.live), "started") == 0)
		draw_set(d, cred, "certificate_ends", "%s", ends[x->certificate]);
	add_uses(d, cred, x);
	if (x->converts != NULL)
		draw_set(d, cred, "converts_at", "%s", x->converts);
	if (x->e.live == LIVE_READ_ONLY)
		draw_set(d, cred, "read_only", "true");
	if (x->e.live == LIVE_CONFLICT)
		draw_set(d, cred, "type", "oauth_server_to_server");
}

static struct value *add_project(struct draft *d, struct value *list, const char *id,
				 const char *title)
{
	struct value *p = draw_map(d, list), *space;

	draw_set(d, p, "id", "%s", id);
	draw_set(d, p, "title", "%s", title);
	draw_set(d, p, "name", "project%s", id);
	space = draw_map(d, list_in(d, p, "workspaces"));
	draw_set(d, space, "id", "%s7", id);
	draw_set(d, space, "name", "Production");
	(void)list_in(d, space, "credentials");
	return p;
}

static struct value *credentials_of(const struct value *project)
{
	const struct value *space = value_at(value_get(project, "workspaces"), 0);

	return value_get_pair(space, "credentials")->val;
}

static void add_own_project(struct draft *d, struct value *projects, struct drawn *x)
{
	struct value *p;

	if (x->e.live == LIVE_NO_PROJECT) {
		/* The credential lives in another project, under a title that is not the file's. */
		p = add_project(d, projects, arena_printf(d->a, "%s1", x->e.project_id),
				arena_printf(d->a, "%s (moved)", x->e.name));
		add_credential(d, credentials_of(p), x);
		x->e.project_id = NULL;
		return;
	}
	p = add_project(d, projects, x->e.project_id, x->e.title);
	if (x->e.live == LIVE_GENERATED)
		draw_set(d, p, "auto_generated", "true");
	add_credential(d, credentials_of(p), x);
	if (x->e.live == LIVE_TWO_PROJECTS)
		(void)add_project(d, projects, arena_printf(d->a, "%s2", x->e.project_id),
				  x->e.title);
}

/* Others of the organization: a handful, or more than one page holds. */
static void add_others(struct draft *d, struct value *projects)
{
	size_t n = draw_plain(d) ? 1 : dice_one_in(&d->dice, 40) ? 130 : dice_below(&d->dice, 4);

	for (size_t i = 0; i < n; i++)
		(void)add_project(d, projects, arena_printf(d->a, "77000000000000%05zu", i),
				  arena_printf(d->a, "Another project %zu", i));
}

static void add_console(struct draft *d)
{
	struct value *org = draw_map(d, list_in(d, d->world, "organizations")), *user, *projects;

	draw_set(d, org, "id", "23294");
	draw_set(d, org, "ims", "%s", d->ims_org);
	draw_set(d, org, "name", "Geometrixx");
	projects = list_in(d, org, "projects");
	for (size_t i = 0; i < d->count; i++) {
		if (d->envs[i].shares == i)
			add_own_project(d, projects, &d->envs[i]);
		else
			d->envs[i].e.project_id = d->envs[d->envs[i].shares].e.project_id;
	}
	add_others(d, projects);
	user = draw_map(d, list_in(d, d->world, "user_tokens"));
	draw_set(d, user, "token", "%s", d->secrets[0].text);
	draw_set(d, user, "name", "Pat Example");
	texts(d, user, "api_keys", (const char *const[]){ "sim-console-key", NULL });
}

static void add_callers(struct draft *d)
{
	struct value *c = draw_map(d, list_in(d, d->world, "callers"));

	draw_set(d, c, "name", "reader");
	draw_set(d, c, "client_id", "sim-reader");
	draw_set(d, c, "client_secret", "%s", d->secrets[1].text);
	texts(d, c, "may", (const char *const[]){ "campaign", "console", NULL });
}

/* ---- app, Campaign, Dynamics ---- */

static void add_settings(struct draft *d, struct value *app, const struct drawn *x)
{
	struct value *s = value_map(d->a);
	bool oauth = app_is_oauth(x->e.live);

	value_set(d->a, app, "settings", s);
	draw_set(d, s, "auth_type", oauth ? "oauth" : "jwt");
	draw_set(d, s, "client_id", "%s",
		 x->e.live == LIVE_OTHER_CLIENT ? "somebody-elses-client" : x->e.client_id);
	draw_set(d, s, "url", "https://mc.adobe.io/%s", x->e.instance);
	if (x->e.live == LIVE_OTHER_CLIENT) {
		draw_set(d, s, "private_key", "%s", draw_secret(d, "key"));
		draw_set(d, s, "technical_account_id", "OTHER@techacct.adobe.com");
	}
	/* The workflow's token could not have been minted so: the twin says how it was. */
	if (oauth)
		draw_set(d, s, "saved_at", x->e.live == LIVE_STARTED_SWITCHED ? "-170m" : "-150m");
}

static void add_token(struct draft *d, struct value *f, const struct drawn *x)
{
	enum sim_live l = x->e.live;
	bool oauth = l == LIVE_STARTED_SWITCHED || l == LIVE_DONE || l == LIVE_NEVER_JWT;

	if (l == LIVE_OTHER_CLIENT)
		return;
	draw_set(d, f, "token", oauth ? "oauth" : "jwt");
	draw_set(d, f, "token_age", "%" PRId64 "m",
		 oauth ? dice_between(&d->dice, 1, 100) : dice_between(&d->dice, 5, 600));
}

static void add_flow(struct draft *d, struct value *flows, const struct drawn *x, size_t i,
		     bool stays)
{
	static const char *const names[] = { "ingress", "egress", "opt-in-out" };
	struct value *f = value_map(d->a);

	value_set(d->a, flows, names[i], f);
	draw_set(d, f, "status", "%s", stays ? "STOPPED" : x->flows[i]);
	if (stays)
		return;
	if (strcmp(x->flows[i], "STOPPED") != 0 && strcmp(x->flows[i], "STARTING") != 0)
		draw_set(d, f, "started_at", x->e.live == LIVE_STARTED_SWITCHED ? "-160m" : "-10d");
	if (strcmp(x->flows[i], "RUNNING") == 0)
		add_token(d, f, x);
	if (x->pending && i == 0)
		draw_set(d, f, "pending_edits", "true");
	if (x->replay && i == 0)
		draw_set(d, f, "scheduled_replay", "true");
	if (!x->backlog)
		return;
	draw_set(d, f, "backlog", "%" PRId64, dice_between(&d->dice, 1, 4000));
	draw_set(d, f, "grow", "%" PRId64, dice_between(&d->dice, 0, 40));
}

static void add_app(struct draft *d, struct value *apps, const struct drawn *x,
		    const char *instance)
{
	struct value *app = draw_map(d, apps), *flows = value_map(d->a);

	/* Who declares another app has stopped it, until its own owner comes to it; one that nobody declares runs on. */
	bool is_own = instance == x->e.instance;

	draw_set(d, app, "instance", "%s", instance);
	if (is_own) {
		draw_set(d, app, "campaign", "%s", x->e.tenant);
		if (x->e.org != NULL)
			draw_set(d, app, "dynamics", "%s", x->e.org);
	}
	add_settings(d, app, x);
	value_set(d->a, app, "workflows", flows);
	for (size_t i = 0; i < 3; i++)
		add_flow(d, flows, x, i, !is_own && x->second_declared);
}

static void add_tenant(struct draft *d, struct value *list, const struct drawn *x)
{
	struct value *t = draw_map(d, list), *filters, *filter, *flow;

	draw_set(d, t, "tenant", "%s", x->e.tenant);
	if (x->has_filter) {
		filters = value_map(d->a);
		filter = value_map(d->a);
		value_set(d->a, t, "filters", filters);
		value_set(d->a, filters, "byExternalId", filter);
		draw_set(d, filter, "param", "externalId_parameter");
		draw_set(d, filter, "field", "externalId");
	}
	flow = draw_map(d, list_in(d, t, "workflows"));
	draw_set(d, flow, "id", "WKF101");
	draw_set(d, flow, "state", "started");
	if (!draw_plain(d) && dice_one_in(&d->dice, 60))
		draw_set(d, t, "generate", "300");
}

static void add_contacts(struct draft *d, struct value *o, const struct drawn *x)
{
	static const char *const last[] = { "Example", "O'Example \"Q\"", "\342\200\217Example|",
					    "Beispiel & S\xc3\xb6hne" };
	struct value *list = list_in(d, o, "contacts");

	for (size_t i = 0; i < 3; i++) {
		struct value *c = draw_map(d, list);

		draw_set(d, c, "id", "00000000-0000-0000-0000-00000000000%zu", i + 1);
		draw_set(d, c, "email", "person%zu@example.com", i + 1);
		draw_set(d, c, "first", "Ada");
		draw_set(d, c, "last", "%s", last[dice_below(&d->dice, draw_plain(d) ? 1 : 4)]);
		draw_set(d, c, "modified", "-%zud", 3 - i);
	}
	if (!x->is_quiet) {
		struct value *activity = value_map(d->a);
		const char *id = "00000000-0000-0000-0000-000000000001";

		value_set(d->a, o, "activity", activity);
		draw_set(d, activity, "every", "%" PRId64 "m",
			 draw_plain(d) ? 3 : dice_between(&d->dice, 2, 40));
		if (x->e.canary != NULL) /* nobody but the tool changes a canary */
			draw_set(d, activity, "contact", "%s", id);
	}
	if (!draw_plain(d) && dice_one_in(&d->dice, 60))
		draw_set(d, o, "generate", "200");
}

static void add_org(struct draft *d, struct value *list, const struct drawn *x)
{
	struct value *o = draw_map(d, list), *client;

	draw_set(d, o, "org", "%s", x->e.org);
	draw_set(d, o, "tenant", "11111111-2222-3333-4444-555555555555");
	client = draw_map(d, list_in(d, o, "clients"));
	draw_set(d, client, "client_id", "sim-entra");
	draw_set(d, client, "client_secret", "%s", d->secrets[2].text);
	add_contacts(d, o, x);
}

static void add_bridge(struct draft *d)
{
	struct value *b = value_map(d->a), *forbidden;

	value_set(d->a, d->world, "bridge", b);
	draw_set(d, b, "token", "%s", d->secrets[3].text);
	forbidden = list_in(d, b, "forbidden");
	for (size_t i = 0; i < d->count; i++) {
		if (d->envs[i].bridge_forbidden)
			value_list_add(d->a, forbidden, value_string(d->a, d->envs[i].e.instance));
	}
}

static void add_consumers(struct draft *d)
{
	struct value *list = list_in(d, d->world, "consumers");

	for (size_t i = 0; i < d->count; i++) {
		const struct drawn *x = &d->envs[i];
		struct value *k;

		if (x->consumer == CONSUMER_NONE || x->shares != i)
			continue;
		k = draw_map(d, list);
		draw_set(d, k, "name", "nightly");
		draw_set(d, k, "client_id", "%s", x->e.client_id);
		draw_set(d, k, "grant", x->consumer == CONSUMER_OAUTH ? "oauth" : "jwt");
		draw_set(d, k, "every", "%" PRId64 "m", dice_between(&d->dice, 20, 1380));
		if (x->consumer == CONSUMER_JWT_ENDS)
			draw_set(d, k, "until", "%" PRId64 "h", dice_between(&d->dice, 1, 40));
	}
}

void draw_world(struct draft *d)
{
	struct value *apps, *tenants, *orgs;

	draw_set(d, d->world, "clock", "2026-11-23T08:00:00Z");
	draw_set(d, d->world, "seed", "%" PRIu64, d->c->seed % 1000000007);
	/* Always the same four, in this order: who signs in. */
	draw_ref(d, "env:CONSOLE_TOKEN", draw_secret(d, "user"));
	draw_ref(d, "env:READER_SECRET", draw_secret(d, "reader"));
	draw_ref(d, "env:ENTRA_SECRET", draw_secret(d, "entra"));
	draw_ref(d, "exec:bridge-login", draw_secret(d, "bridge"));
	add_console(d);
	add_callers(d);
	apps = list_in(d, d->world, "apps");
	tenants = list_in(d, d->world, "campaign");
	orgs = list_in(d, d->world, "dynamics");
	for (size_t i = 0; i < d->count; i++) {
		const struct drawn *x = &d->envs[i];

		add_tenant(d, tenants, x);
		if (x->e.org != NULL)
			add_org(d, orgs, x);
		add_app(d, apps, x, x->e.instance);
		if (x->second_app && x->shares == i)
			add_app(d, apps, x, arena_printf(d->a, "second-%s", x->e.name));
	}
	if (d->has_bridge)
		add_bridge(d);
	add_consumers(d);
}
