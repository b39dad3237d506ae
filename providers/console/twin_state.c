/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's state: what the document says, and what a migration does to a credential.
 * Source: the migration guide of the Adobe Developer Console
 * (developer.adobe.com/developer-console/docs/guides/authentication/ServerToServerAuthentication/migration), rules 1-13
 * of our own notes on it, section 4.
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <string.h>

bool cred_has_jwt(const struct credential *c)
{
	return c->state == CRED_JWT_ONLY || c->state == CRED_STARTED;
}

bool cred_has_oauth(const struct credential *c)
{
	return c->state == CRED_STARTED || c->state == CRED_COMPLETED ||
	       c->state == CRED_BORN_OAUTH;
}

const char *cred_state_name(enum cred_state s)
{
	switch (s) {
	case CRED_JWT_ONLY:
		return "jwt_only";
	case CRED_STARTED:
		return "started";
	case CRED_COMPLETED:
		return "completed";
	case CRED_BORN_OAUTH:
		return "born_oauth";
	case CRED_DELETED:
		return "deleted";
	}
	return NULL;
}

struct credential *console_cred_of_id(const struct world *w, const char *id)
{
	struct credential *c = index_get(&w->console.creds, id);

	if (c == NULL || c->state == CRED_DELETED || c->workspace->project->deleted)
		return NULL;
	if (cred_has_jwt(c) && strcmp(c->id, id) == 0)
		return c;
	return cred_has_oauth(c) && strcmp(c->oauth_id, id) == 0 ? c : NULL;
}

struct project *console_project_of_id(const struct world *w, const char *id)
{
	struct project *p = index_get(&w->console.projects, id);

	return p != NULL && !p->deleted ? p : NULL;
}

const struct client_secret *console_newest_secret(const struct credential *c)
{
	for (size_t i = c->secret_count; i > 0; i--) {
		if (!c->secrets[i - 1]->deleted)
			return c->secrets[i - 1];
	}
	return NULL;
}

static size_t living_secrets(const struct credential *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->secret_count; i++)
		n += c->secrets[i]->deleted ? 0 : 1;
	return n;
}

const char *const *console_rows(const struct world *w, const struct credential *c)
{
	static const char *const none[] = { NULL }, *const jwt[] = { "service", NULL },
				 *const oauth[] = { "oauth_server_to_server", NULL },
				 *const one[] = { "oauth_server_to_server_migrate", NULL },
				 *const two[] = { "service", "oauth_server_to_server", NULL };

	switch (c->state) {
	case CRED_JWT_ONLY:
		return jwt;
	case CRED_STARTED:
		return w->sw.one_row ? one : two;
	case CRED_COMPLETED:
	case CRED_BORN_OAUTH:
		return oauth;
	case CRED_DELETED:
		return none;
	}
	return none;
}

static int no(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -1;
}

int console_start(struct world *w, struct credential *c, const char *who, const char **ret_why)
{
	if (c->state != CRED_JWT_ONLY)
		return no(ret_why, "there is no JWT credential here that could begin to migrate");
	if (c->workspace->project->auto_generated)
		return no(ret_why, "this project was generated automatically and cannot be edited");
	c->state = CRED_STARTED;
	c->started = w->now_ms;
	world_wrote(w, "console", "start-migration", who, c->id);
	return 0;
}

int console_cancel(struct world *w, struct credential *c, const char *who, const char **ret_why)
{
	if (c->state != CRED_STARTED)
		return no(ret_why, "no migration is under way");
	c->state = CRED_JWT_ONLY;
	c->started = 0;
	/* The OAuth credential is gone, and what it was used for with it. */
	c->oauth = (struct usage){ .since = world_clock(w, SYS_IMS, w->now_ms) };
	for (size_t i = 0; i < c->secret_count; i++)
		c->secrets[i]->oauth = c->oauth;
	if (!w->sw.tokens_outlive)
		ims_revoke(w, c, GRANT_OAUTH, NULL);
	world_wrote(w, "console", "cancel-migration", who, c->id);
	return 0;
}

static void jwt_goes(struct world *w, struct credential *c)
{
	c->state = CRED_COMPLETED;
	c->certificate_ends = 0;
	if (!w->sw.tokens_outlive)
		ims_revoke(w, c, GRANT_JWT, NULL);
}

int console_finalize(struct world *w, struct credential *c, const char *who, bool checks,
		     const char **ret_why)
{
	if (c->state != CRED_STARTED)
		return no(ret_why, "no migration is under way");
	if (checks && c->oauth.shown <= c->jwt.shown)
		return no(
			ret_why,
			"the OAuth Server-to-Server credential has not generated an access token more recently than the Service Account (JWT) credential");
	if (checks && c->jwt.shown != 0 &&
	    world_clock(w, SYS_CONSOLE, w->now_ms) - c->jwt.shown < WHEN_DAY)
		return no(
			ret_why,
			"the Service Account (JWT) credential has generated an access token within the last 24 hours");
	jwt_goes(w, c);
	world_wrote(w, "console", "finalize", who, c->id);
	return 0;
}

static void convert(struct world *w, void *what, int64_t arg)
{
	struct credential *c = what;

	(void)arg;
	if (!cred_has_jwt(c))
		return;
	jwt_goes(w, c);
	world_wrote(w, "console", "convert", "adobe", c->id);
}

static struct client_secret *secret_add(struct world *w, struct credential *c, const char *uuid,
					const char *value, int64_t created)
{
	struct client_secret *s = ARENA_NEW(&w->arena, struct client_secret);

	s->uuid = uuid != NULL ? uuid : world_uuid(w);
	s->value = value != NULL ? value : arena_printf(&w->arena, "p8e-fake-%s", world_hex(w, 16));
	s->created = created;
	if (c != NULL)
		c->secrets[c->secret_count++] = s;
	return s;
}

int console_add_secret(struct world *w, struct credential *c, const char *who,
		       struct client_secret **ret, const char **ret_why)
{
	if (c->state == CRED_STARTED)
		return no(ret_why,
			  "client secrets cannot be changed while the credential migrates");
	if (!cred_has_oauth(c))
		return no(ret_why,
			  "only an OAuth Server-to-Server credential can have further secrets");
	if (living_secrets(c) >= 2)
		return no(ret_why, "the credential has two client secrets already");
	if (c->secret_count == ARRAY_LEN(c->secrets)) {
		/* Only the living ones matter to a list; tokens keep their own pointers to the dead. */
		size_t kept = 0;

		for (size_t i = 0; i < c->secret_count; i++) {
			if (!c->secrets[i]->deleted)
				c->secrets[kept++] = c->secrets[i];
		}
		c->secret_count = kept;
	}
	*ret = secret_add(w, c, NULL, NULL, w->now_ms);
	world_wrote(w, "console", "add-secret", who, c->id);
	return 0;
}

int console_delete_secret(struct world *w, struct credential *c, const char *uuid, const char *who,
			  const char **ret_why)
{
	struct client_secret *s = NULL;

	for (size_t i = 0; i < c->secret_count && s == NULL; i++) {
		if (!c->secrets[i]->deleted &&
		    (uuid == NULL || strcmp(c->secrets[i]->uuid, uuid) == 0))
			s = c->secrets[i];
	}
	if (s == NULL)
		return no(ret_why, "no such client secret");
	if (c->state == CRED_STARTED)
		return no(ret_why,
			  "client secrets cannot be changed while the credential migrates");
	if (living_secrets(c) < 2)
		return no(ret_why, "the last client secret cannot be deleted");
	s->deleted = true;
	if (!w->sw.tokens_outlive)
		ims_revoke(w, c, GRANT_OAUTH, s);
	world_wrote(w, "console", "delete-secret", who, c->id);
	return 0;
}

void console_rename(struct world *w, struct project *p, const char *title, const char *who)
{
	p->title = world_text(w, title);
	p->modified = w->now_ms;
	world_wrote(w, "console", "rename-project", who, p->id);
}

static void credential_dies(struct world *w, struct credential *c)
{
	c->state = CRED_DELETED;
	if (w->sw.tokens_outlive)
		return;
	ims_revoke(w, c, GRANT_JWT, NULL);
	ims_revoke(w, c, GRANT_OAUTH, NULL);
}

void console_mark_deleted(struct world *w, struct credential *c, const char *who)
{
	credential_dies(w, c);
	world_wrote(w, "console", "delete-credential", who, c->id);
}

void console_delete_project(struct world *w, struct project *p, const char *who)
{
	p->deleted = true;
	for (size_t i = 0; i < p->space_count; i++) {
		for (size_t k = 0; k < p->spaces[i]->cred_count; k++)
			credential_dies(w, p->spaces[i]->creds[k]);
	}
	world_wrote(w, "console", "delete-project", who, p->id);
}

/* ---- the document ---- */

static int load_secrets(struct world *w, struct credential *c, const struct value *v,
			struct err *err)
{
	static const char *const keys[] = { "uuid", "value", "created", "last_used", NULL };
	const struct value *list;
	const char *one = NULL;

	if (load_list(v, "secrets", &list, err) < 0 ||
	    load_text(w, v, "client_secret", false, &one, err) < 0)
		return -E_PLAN;
	if (list != NULL && one != NULL)
		return err_at(err, list->pos, "either 'secrets' or 'client_secret'");
	if (value_count(list) > 2)
		return err_at(err, list->pos, "a credential has two secrets at most");
	if (value_count(list) == 0)
		(void)secret_add(w, c, NULL, one, w->start_ms - 30 * WHEN_DAY);
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *row = value_at(list, i);
		const char *uuid = NULL, *value = NULL;
		int64_t created = w->start_ms - (int64_t)(30 - i) * WHEN_DAY, used = 0;

		if (load_keys(row, "a secret", keys, err) < 0 ||
		    load_text(w, row, "uuid", false, &uuid, err) < 0 ||
		    load_text(w, row, "value", false, &value, err) < 0 ||
		    load_time(w, row, "created", &created, err) < 0 ||
		    load_time(w, row, "last_used", &used, err) < 0)
			return -E_PLAN;
		secret_add(w, c, uuid, value, created)->oauth =
			(struct usage){ .last = used, .shown = world_clock(w, SYS_IMS, used) };
	}
	c->jwt_secret = c->secrets[0];
	one = NULL;
	if (load_text(w, v, "jwt_client_secret", false, &one, err) < 0)
		return -E_PLAN;
	if (one != NULL && w->sw.secrets_shared)
		return err_at(err, value_get(v, "jwt_client_secret")->pos,
			      "'jwt_client_secret' needs the switch secrets_shared: false");
	if (!w->sw.secrets_shared)
		c->jwt_secret = secret_add(w, NULL, NULL, one, w->start_ms - 60 * WHEN_DAY);
	return 0;
}

static int load_usage(struct world *w, struct credential *c, const struct value *v, struct err *err)
{
	int64_t jwt = 0, oauth = 0;

	if (load_time(w, v, "jwt_last_used", &jwt, err) < 0 ||
	    load_time(w, v, "oauth_last_used", &oauth, err) < 0)
		return -E_PLAN;
	c->jwt = (struct usage){ .last = jwt, .shown = world_clock(w, SYS_IMS, jwt) };
	c->oauth = (struct usage){ .last = oauth, .shown = world_clock(w, SYS_IMS, oauth) };
	c->jwt_secret->jwt = c->jwt;
	if (oauth != 0)
		c->secrets[c->secret_count - 1]->oauth = c->oauth;
	return 0;
}

static int load_credential(struct world *w, struct workspace *space, const struct value *v,
			   struct err *err)
{
	static const char *const keys[] = { "id",
					    "name",
					    "client_id",
					    "technical_account_id",
					    "technical_account_email",
					    "client_secret",
					    "secrets",
					    "scopes",
					    "profiles",
					    "services",
					    "state",
					    "certificate_ends",
					    "private_key",
					    "jwt_client_secret",
					    "jwt_last_used",
					    "oauth_last_used",
					    "converts_at",
					    "read_only",
					    "type",
					    NULL };
	static const char *const scopes[] = { "openid",
					      "AdobeID",
					      "campaign_sdk",
					      "campaign_config_server_general",
					      "deliverability_service_general",
					      "event_receiver_api",
					      "read_organizations",
					      "additional_info.projectedProductContext",
					      "additional_info.roles",
					      "adobeio_api",
					      "read_client_secret",
					      "manage_client_secrets",
					      NULL };
	static const char *const services[] = { "CampaignSDK", "AdobeIOManagementAPISDK",
						"CloudIntegrationSDK", NULL };
	struct credential *c = ARENA_NEW(&w->arena, struct credential);
	int64_t converts_at = 0;
	int state = 0;

	c->workspace = space;
	c->scopes = scopes;
	c->services = services;
	c->name = "Campaign Dynamics";
	if (load_keys(v, "a credential", keys, err) < 0 ||
	    load_text(w, v, "id", true, &c->id, err) < 0 ||
	    load_text(w, v, "client_id", true, &c->client_id, err) < 0 ||
	    load_text(w, v, "name", false, &c->name, err) < 0 ||
	    load_word(v, "state", "jwt_only|started|completed|born_oauth", &state, err) < 0 ||
	    load_time(w, v, "certificate_ends", &c->certificate_ends, err) < 0 ||
	    load_time(w, v, "converts_at", &converts_at, err) < 0 ||
	    load_texts(w, v, "scopes", &c->scopes, err) < 0 ||
	    load_texts(w, v, "profiles", &c->profiles, err) < 0 ||
	    load_texts(w, v, "services", &c->services, err) < 0 ||
	    load_bool(v, "read_only", &c->read_only, err) < 0 ||
	    load_text(w, v, "type", false, &c->type_said, err) < 0 ||
	    load_text(w, v, "private_key", false, &c->private_key, err) < 0)
		return -E_PLAN;
	c->technical_account_id = arena_printf(&w->arena, "TA%s@techacct.adobe.com", c->id);
	c->technical_account_email = arena_printf(&w->arena, "ta-%s@techacct.adobe.com", c->id);
	if (load_text(w, v, "technical_account_id", false, &c->technical_account_id, err) < 0 ||
	    load_text(w, v, "technical_account_email", false, &c->technical_account_email, err) < 0)
		return -E_PLAN;
	c->state = (enum cred_state)state;
	/* A document says state first; without a certificate's end a JWT credential gets one that does not matter. */
	if (cred_has_jwt(c) && value_get(v, "certificate_ends") == NULL)
		c->certificate_ends = w->start_ms + 90 * WHEN_DAY;
	c->binding_id = world_hex(w, 12);
	c->fingerprint = world_hex(w, 40);
	c->oauth_id = w->sw.shared_id || w->sw.one_row || !cred_has_jwt(c) ?
			      c->id :
			      arena_printf(&w->arena, "%s01", c->id);
	if (load_secrets(w, c, v, err) < 0 || load_usage(w, c, v, err) < 0)
		return -E_PLAN;
	if (index_get(&w->console.creds, c->id) != NULL ||
	    index_get(&w->console.creds, c->oauth_id) != NULL)
		return err_at(err, value_get(v, "id")->pos, "two credentials have the id '%s'",
			      c->id);
	index_put(w, &w->console.creds, c->id, c);
	index_put(w, &w->console.creds, c->oauth_id, c);
	if (index_get(&w->ims.clients, c->client_id) != NULL)
		return err_at(err, value_get(v, "client_id")->pos, "two clients have the id '%s'",
			      c->client_id);
	ims_add_client(w, c);
	WORLD_PUSH(w, space->creds, space->cred_count, space->cred_cap, c);
	WORLD_PUSH(w, w->console.all, w->console.all_count, w->console.all_cap, c);
	if (converts_at != 0)
		world_at(w, converts_at, convert, c, 0);
	return 0;
}

static int load_workspace(struct world *w, struct project *p, const struct value *v,
			  struct err *err)
{
	static const char *const keys[] = { "id", "name", "credentials", NULL };
	struct workspace *space = ARENA_NEW(&w->arena, struct workspace);
	const struct value *list;

	space->project = p;
	space->name = "Production";
	if (load_keys(v, "a workspace", keys, err) < 0 ||
	    load_text(w, v, "id", true, &space->id, err) < 0 ||
	    load_text(w, v, "name", false, &space->name, err) < 0 ||
	    load_list(v, "credentials", &list, err) < 0)
		return -E_PLAN;
	WORLD_PUSH(w, p->spaces, p->space_count, p->space_cap, space);
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_credential(w, space, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	return 0;
}

static int load_project(struct world *w, struct organization *o, const struct value *v,
			struct err *err)
{
	static const char *const keys[] = { "id",          "title",   "name",
					    "description", "type",    "auto_generated",
					    "created",     "enabled", "workspaces",
					    NULL };
	struct project *p = ARENA_NEW(&w->arena, struct project);
	const struct value *list;

	p->org = o;
	p->type = "default";
	p->description = "";
	p->enabled = true;
	p->created = w->start_ms - 900 * WHEN_DAY;
	if (load_keys(v, "a project", keys, err) < 0 ||
	    load_text(w, v, "id", true, &p->id, err) < 0 ||
	    load_text(w, v, "title", true, &p->title, err) < 0 ||
	    load_text(w, v, "description", false, &p->description, err) < 0 ||
	    load_text(w, v, "type", false, &p->type, err) < 0 ||
	    load_bool(v, "auto_generated", &p->auto_generated, err) < 0 ||
	    load_bool(v, "enabled", &p->enabled, err) < 0 ||
	    load_time(w, v, "created", &p->created, err) < 0 ||
	    load_list(v, "workspaces", &list, err) < 0)
		return -E_PLAN;
	p->modified = p->created;
	p->name = arena_printf(&w->arena, "project%s", p->id);
	if (load_text(w, v, "name", false, &p->name, err) < 0)
		return -E_PLAN;
	if (index_get(&w->console.projects, p->id) != NULL)
		return err_at(err, value_get(v, "id")->pos, "two projects have the id '%s'", p->id);
	index_put(w, &w->console.projects, p->id, p);
	WORLD_PUSH(w, o->projects, o->project_count, o->project_cap, p);
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_workspace(w, p, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	return 0;
}

static int load_organization(struct world *w, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "id", "ims", "name", "projects", NULL };
	struct organization *o = ARENA_NEW(&w->arena, struct organization);
	const struct value *list;

	if (load_keys(v, "an organization", keys, err) < 0 ||
	    load_text(w, v, "id", true, &o->id, err) < 0 ||
	    load_text(w, v, "ims", true, &o->ims, err) < 0)
		return -E_PLAN;
	o->name = o->id;
	if (load_text(w, v, "name", false, &o->name, err) < 0 ||
	    load_list(v, "projects", &list, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < w->console.org_count; i++) {
		if (strcmp(w->console.orgs[i]->id, o->id) == 0)
			return err_at(err, value_get(v, "id")->pos,
				      "two organizations have the id '%s'", o->id);
	}
	WORLD_PUSH(w, w->console.orgs, w->console.org_count, w->console.org_cap, o);
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_project(w, o, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	return 0;
}

static int load_user(struct world *w, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "token",         "name", "api_keys", "ends",
					    "organizations", "role", NULL };
	struct user_token *u = ARENA_NEW(&w->arena, struct user_token);

	u->name = "somebody";
	u->role = "ADMIN";
	if (load_keys(v, "a user token", keys, err) < 0 ||
	    load_text(w, v, "token", true, &u->token, err) < 0 ||
	    load_text(w, v, "name", false, &u->name, err) < 0 ||
	    load_text(w, v, "role", false, &u->role, err) < 0 ||
	    load_texts(w, v, "api_keys", &u->api_keys, err) < 0 ||
	    load_texts(w, v, "organizations", &u->organizations, err) < 0 ||
	    load_time(w, v, "ends", &u->ends, err) < 0)
		return -E_PLAN;
	index_put(w, &w->console.users, u->token, u);
	return 0;
}

int console_load(struct world *w, const struct value *doc, struct err *err)
{
	const struct value *list;

	if (load_list(doc, "user_tokens", &list, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_user(w, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	if (load_list(doc, "organizations", &list, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_organization(w, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	return 0;
}

/* ---- truth ---- */

static struct value *secrets_truth(struct arena *a, const struct credential *c)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < c->secret_count; i++) {
		struct value *row = value_map(a);

		if (c->secrets[i]->deleted)
			continue;
		value_set(a, row, "uuid", value_string(a, c->secrets[i]->uuid));
		value_set(a, row, "created", value_instant(a, c->secrets[i]->created));
		value_set(a, row, "last_used", value_instant(a, c->secrets[i]->oauth.last));
		value_list_add(a, list, row);
	}
	return list;
}

void console_truth(const struct world *w, struct arena *a, struct value *ret)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < w->console.all_count; i++) {
		const struct credential *c = w->console.all[i];
		const char *const *types = console_rows(w, c);
		struct value *row = value_map(a);

		value_set(a, row, "id", value_string(a, c->id));
		value_set(a, row, "oauth_id", value_string(a, c->oauth_id));
		value_set(a, row, "client_id", value_string(a, c->client_id));
		value_set(a, row, "organization", value_string(a, c->workspace->project->org->id));
		value_set(a, row, "project", value_string(a, c->workspace->project->id));
		value_set(a, row, "status", value_string(a, cred_state_name(c->state)));
		value_set(a, row, "type",
			  c->type_said != NULL ? value_string(a, c->type_said) :
			  types[0] == NULL     ? value_null(a) :
			  types[1] == NULL     ? value_string(a, types[0]) :
						 value_stringf(a, "%s,%s", types[0], types[1]));
		value_set(a, row, "jwt_last_used", value_instant(a, c->jwt.last));
		value_set(a, row, "oauth_last_used", value_instant(a, c->oauth.last));
		value_set(a, row, "certificate_ends", value_instant(a, c->certificate_ends));
		value_set(a, row, "secrets", secrets_truth(a, c));
		value_list_add(a, list, row);
	}
	value_set(a, ret, "credentials", list);
}
