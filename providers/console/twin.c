/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Adobe Developer Console's API: organizations, projects, credentials, secrets, migration status and finalize.
 * Source: our notes on the console, section 3.1 to 3.5; the document behind them is spec/api.json of
 * github.com/adobe/aio-lib-console ("Transporter API" 1.1.1), the prose the console's Server-to-Server guides.
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct caller {                        /* who asks */
	const struct user_token *user; /* or: */
	const struct token *token;
};

static void gateway_error(const struct twin_req *req, struct twin_resp *resp, int status,
			  const char *code, const char *message)
{
	struct value *body = value_map(req->arena);

	value_set(req->arena, body, "error_code", value_string(req->arena, code));
	value_set(req->arena, body, "message", value_string(req->arena, message));
	resp_json(resp, status, body);
}

/* Live data writes booleans as numbers. */
static const struct value *flag(const struct world *w, struct arena *a, bool b)
{
	return w->sw.numbers_for_bools ? value_int(a, b ? 1 : 0) : value_bool(a, b);
}

static const struct value *iso_ms(struct arena *a, int64_t ms)
{
	char text[WHEN_TEXT_MAX];
	size_t len = strlen(when_text(text, ms - ms % WHEN_SECOND));

	text[len - 1] = '\0';
	return value_stringf(a, "%s.%03dZ", text, (int)(ms % WHEN_SECOND));
}

static const struct value *ms_text(struct arena *a, int64_t ms)
{
	return value_stringf(a, "%" PRId64, ms);
}

/* ---- shapes ---- */

static struct value *workspaces_short(struct arena *a, const struct project *p)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < p->space_count; i++) {
		struct value *row = value_map(a);

		value_set(a, row, "id", value_string(a, p->spaces[i]->id));
		value_set(a, row, "name", value_string(a, p->spaces[i]->name));
		value_set(a, row, "runtime", value_string(a, "0"));
		value_list_add(a, list, row);
	}
	return list;
}

static struct value *project_value(const struct world *w, struct arena *a, const struct project *p)
{
	bool system = p->auto_generated && (w->sw.auto_mark == 1 || w->sw.auto_mark == 3);
	const char *who = system ? "System" : "A1B2C3@AdobeID";
	struct value *v = value_map(a);

	value_set(a, v, "id", value_string(a, p->id));
	value_set(a, v, "name", value_string(a, p->name));
	value_set(a, v, "title", value_string(a, p->title));
	value_set(a, v, "description", value_string(a, p->description));
	value_set(a, v, "type", value_string(a, p->type));
	value_set(a, v, "org_id", value_string(a, p->org->id));
	value_set(a, v, "appId", value_null(a));
	value_set(a, v, "enabled", flag(w, a, p->enabled));
	value_set(a, v, "deleted", flag(w, a, p->deleted));
	value_set(a, v, "date_created", iso_ms(a, world_clock(w, SYS_CONSOLE, p->created)));
	value_set(a, v, "date_last_modified", iso_ms(a, world_clock(w, SYS_CONSOLE, p->modified)));
	value_set(a, v, "who_created", value_string(a, who));
	value_set(a, v, "who_last_modified", value_string(a, who));
	if (w->sw.workspaces_in_project) {
		struct value *meta = value_map(a);

		value_set(a, meta, "workspaces", workspaces_short(a, p));
		value_set(a, v, "metadata", meta);
	}
	return v;
}

static struct value *workspace_value(const struct world *w, struct arena *a,
				     const struct workspace *s)
{
	struct value *v = value_map(a);

	value_set(a, v, "id", value_string(a, s->id));
	value_set(a, v, "name", value_string(a, s->name));
	value_set(a, v, "title", value_string(a, s->name));
	value_set(a, v, "description", value_string(a, ""));
	value_set(a, v, "enabled", flag(w, a, true));
	value_set(a, v, "runtime_enabled", flag(w, a, false));
	value_set(a, v, "date_created",
		  iso_ms(a, world_clock(w, SYS_CONSOLE, s->project->created)));
	value_set(a, v, "date_last_modified",
		  iso_ms(a, world_clock(w, SYS_CONSOLE, s->project->modified)));
	return v;
}

/* The id under which a row of that type is listed. */
static const char *row_id(const struct credential *c, const char *type)
{
	return strcmp(type, "oauth_server_to_server") == 0 ? c->oauth_id : c->id;
}

static struct value *credential_rows(const struct world *w, struct arena *a,
				     const struct workspace *s)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < s->cred_count; i++) {
		const struct credential *c = s->creds[i];

		for (const char *const *type = console_rows(w, c); *type != NULL; type++) {
			struct value *row = value_map(a),
				     *said = value_string(a, c->type_said != NULL ? c->type_said :
										    *type);

			value_set(a, row, "id_workspace", value_string(a, s->id));
			value_set(a, row, "id_integration", value_string(a, row_id(c, *type)));
			value_set(a, row, "integration_name", value_string(a, c->name));
			value_set(a, row, "flow_type", value_string(a, "entp"));
			if (w->sw.type_key != 1)
				value_set(a, row, "credential_type", said);
			if (w->sw.type_key != 0)
				value_set(a, row, "integration_type", said);
			value_list_add(a, list, row);
		}
	}
	return list;
}

static const struct value *date_value(const struct world *w, struct arena *a, int64_t true_ms)
{
	int64_t ms = world_clock(w, SYS_CONSOLE, true_ms);

	return w->sw.date_form == 0 ? value_int(a, ms) : iso_ms(a, ms);
}

/* NULL: the credential is not subscribed to that service. */
static struct value *license_configs(struct arena *a, const struct credential *c, const char *code)
{
	struct value *list = value_list(a);

	if (!text_in(c->services, code))
		return NULL;
	/* Product profiles belong to the Campaign API only. */
	for (texts p = c->profiles; strcmp(code, "CampaignSDK") == 0 && p != NULL && *p != NULL;
	     p++) {
		struct value *config = value_map(a);

		value_set(a, config, "id",
			  value_stringf(a, "%zu", 1000 + (size_t)(p - c->profiles)));
		value_set(a, config, "name", value_string(a, *p));
		value_set(a, config, "productId", value_string(a, "FAKEPRODUCT"));
		value_list_add(a, list, config);
	}
	return list;
}

static struct value *service_properties(struct arena *a, const struct credential *c)
{
	struct value *list = value_list(a);

	for (texts code = c->services; code != NULL && *code != NULL; code++) {
		struct value *row = value_map(a), *scopes = value_list(a);

		for (texts s = c->scopes; s != NULL && *s != NULL; s++)
			value_list_add(a, scopes, value_string(a, *s));
		value_set(a, row, "sdkCode", value_string(a, *code));
		value_set(a, row, "name", value_string(a, *code));
		value_set(a, row, "roles", value_list(a));
		value_set(a, row, "scopes", scopes);
		value_set(a, row, "licenseConfigs", license_configs(a, c, *code));
		value_list_add(a, list, row);
	}
	return list;
}

static struct value *integration_value(const struct world *w, struct arena *a,
				       const struct credential *c, const char *id, bool whole)
{
	const struct project *p = c->workspace->project;
	struct value *v = value_map(a), *sdks = value_list(a);
	bool locked = p->auto_generated && w->sw.auto_mark >= 2;

	for (texts s = c->services; s != NULL && *s != NULL; s++)
		value_list_add(a, sdks, value_string(a, *s));
	value_set(a, v, "id", value_string(a, id));
	value_set(a, v, "apikey", value_string(a, c->client_id));
	value_set(a, v, "name", value_string(a, c->name));
	value_set(a, v, "description", value_string(a, ""));
	value_set(a, v, "orgId", value_string(a, p->org->id));
	value_set(a, v, "status", value_string(a, "ENABLED"));
	value_set(a, v, "type", value_string(a, "entp"));
	value_set(a, v, "production", value_bool(a, false));
	value_set(a, v, "sdkList", sdks);
	value_set(a, v, "createdDate", date_value(w, a, p->created));
	value_set(a, v, whole ? "lastModifiedDate" : "lastModified", date_value(w, a, p->modified));
	if (!whole)
		return v;
	value_set(a, v, "readOnly", value_bool(a, c->read_only || locked));
	value_set(a, v, "technicalAccountId", value_string(a, c->technical_account_id));
	value_set(a, v, "technicalAccountEmail", value_string(a, c->technical_account_email));
	value_set(a, v, "serviceProperties", service_properties(a, c));
	value_set(a, v, "redirectUriList", value_list(a));
	value_set(a, v, "defaultRedirectUri", value_null(a));
	return v;
}

static void usage_row(struct arena *a, struct value *list, const char *grant, int64_t at)
{
	struct value *row;

	if (at == 0)
		return;
	row = value_map(a);
	value_set(a, row, "last_used_at", ms_text(a, at));
	value_set(a, row, "grant_type", value_string(a, grant));
	value_list_add(a, list, row);
}

static struct value *secret_value(const struct world *w, struct arena *a,
				  const struct client_secret *s, bool with_text)
{
	struct value *v = value_map(a), *usages = value_list(a);
	int64_t created = world_clock(w, SYS_IMS, s->created);

	if (with_text)
		value_set(a, v, "client_secret", value_string(a, s->value));
	value_set(a, v, "uuid", value_string(a, s->uuid));
	value_set(a, v, "created_at", ms_text(a, created));
	value_set(a, v, "created_at_str", iso_ms(a, created));
	value_set(a, v, "expires_at", value_string(a, "PERMANENT"));
	value_set(a, v, "expires_at_str", value_string(a, "PERMANENT"));
	usage_row(a, usages, "client_credentials", s->oauth.shown);
	if (w->sw.jwt_in_usages)
		usage_row(a, usages, w->sw.jwt_grant_name == 0 ? "exchange_jwt" : "jwt_bearer",
			  s->jwt.shown);
	if (value_count(usages) == 0 && w->sw.usages_null_when_unused)
		usages = value_null(a);
	value_set(a, v, "secret_usages", usages);
	return v;
}

static struct value *secrets_value(const struct world *w, struct arena *a,
				   const struct credential *c, bool with_text)
{
	struct value *v = value_map(a), *list = value_list(a);

	value_set(a, v, "client_id", value_string(a, c->client_id));
	/* Where they do not share, the OAuth credential's secrets come into being with it. */
	if (!w->sw.secrets_shared && !cred_has_oauth(c)) {
		value_list_add(a, list, secret_value(w, a, c->jwt_secret, with_text));
	} else {
		for (size_t i = 0; i < c->secret_count; i++) {
			if (!c->secrets[i]->deleted)
				value_list_add(a, list,
					       secret_value(w, a, c->secrets[i], with_text));
		}
	}
	value_set(a, v, "client_secrets", list);
	return v;
}

/* Each service once, whichever credential has it. */
static struct value *workspace_services(struct arena *a, const struct workspace *s)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < s->cred_count; i++) {
		const struct credential *c = s->creds[i];

		for (texts code = c->services;
		     c->state != CRED_DELETED && code != NULL && *code != NULL; code++) {
			struct value *row = value_map(a);
			bool known = false;

			for (size_t k = 0; k < value_count(list) && !known; k++)
				known = strcmp(value_text(value_get(value_at(list, k), "code")),
					       *code) == 0;
			if (known)
				continue;
			value_set(a, row, "code", value_string(a, *code));
			value_set(a, row, "name", value_string(a, *code));
			value_list_add(a, list, row);
		}
	}
	return list;
}

static struct value *download_value(const struct world *w, struct arena *a,
				    const struct workspace *s)
{
	const struct project *p = s->project;
	struct value *top = value_map(a), *project = value_map(a), *org = value_map(a),
		     *space = value_map(a), *details = value_map(a), *creds = value_list(a);

	for (size_t i = 0; i < s->cred_count; i++) {
		const struct credential *c = s->creds[i];

		for (const char *const *type = console_rows(w, c); *type != NULL; type++) {
			bool jwt = strcmp(*type, "service") == 0;
			struct value *row = value_map(a), *body = value_map(a),
				     *words = value_list(a), *secrets = value_list(a);

			value_set(a, row, "id", value_string(a, row_id(c, *type)));
			value_set(a, row, "name", value_string(a, c->name));
			value_set(a, row, "integration_type", value_string(a, *type));
			value_set(a, body, "client_id", value_string(a, c->client_id));
			value_set(a, body, "technical_account_email",
				  value_string(a, c->technical_account_email));
			value_set(a, body, "technical_account_id",
				  value_string(a, c->technical_account_id));
			if (jwt) {
				value_set(a, body, "client_secret",
					  value_string(a, c->jwt_secret->value));
				value_list_add(a, words, value_string(a, "ent_campaign_sdk"));
				value_set(a, body, "meta_scopes", words);
			} else {
				for (size_t k = 0; k < c->secret_count; k++) {
					if (!c->secrets[k]->deleted)
						value_list_add(a, secrets,
							       value_string(a,
									    c->secrets[k]->value));
				}
				for (texts t = c->scopes; t != NULL && *t != NULL; t++)
					value_list_add(a, words, value_string(a, *t));
				value_set(a, body, "client_secrets", secrets);
				value_set(a, body, "scopes", words);
			}
			value_set(a, row, jwt ? "jwt" : "oauth_server_to_server", body);
			value_list_add(a, creds, row);
		}
	}
	value_set(a, details, "credentials", creds);
	value_set(a, details, "services", workspace_services(a, s));
	value_set(a, space, "id", value_string(a, s->id));
	value_set(a, space, "name", value_string(a, s->name));
	value_set(a, space, "details", details);
	value_set(a, org, "id", value_string(a, p->org->id));
	value_set(a, org, "name", value_string(a, p->org->name));
	value_set(a, org, "ims_org_id", value_string(a, p->org->ims));
	value_set(a, project, "id", value_string(a, p->id));
	value_set(a, project, "name", value_string(a, p->name));
	value_set(a, project, "title", value_string(a, p->title));
	value_set(a, project, "org", org);
	value_set(a, w->sw.workspace_place == 1 ? org : project, "workspace", space);
	value_set(a, top, "project", project);
	return top;
}

/* ---- who may ask ---- */

static bool sees_org(const struct caller *who, const struct organization *o)
{
	if (who->user != NULL)
		return who->user->organizations == NULL || text_in(who->user->organizations, o->id);
	return who->token->client->cred == NULL ||
	       who->token->client->cred->workspace->project->org == o;
}

static struct organization *find_org(const struct world *w, const struct caller *who,
				     const char *id)
{
	for (size_t i = 0; i < w->console.org_count; i++) {
		if (strcmp(w->console.orgs[i]->id, id) == 0 && sees_org(who, w->console.orgs[i]))
			return w->console.orgs[i];
	}
	return NULL;
}

/* The API's permission to answer at all: 401 without a token that lives, 403 with a key that is not the token's. */
static bool admit(struct world *w, const struct twin_req *req, struct twin_resp *resp,
		  struct caller *who)
{
	const char *text = req_bearer(req), *key = req_header(req, "x-api-key");
	const struct ims_client *client;

	who->user = text != NULL ? index_get(&w->console.users, text) : NULL;
	if (who->user != NULL && who->user->ends != 0 && w->now_ms >= who->user->ends)
		who->user = NULL;
	who->token = text != NULL && who->user == NULL ? ims_token(w, text) : NULL;
	if (who->user == NULL && who->token == NULL) {
		gateway_error(req, resp, 401, "401013", "Oauth token is not valid");
		return false;
	}
	client = who->token != NULL ? who->token->client : NULL;
	if (key == NULL || (client != NULL && strcmp(client->client_id, key) != 0) ||
	    (who->user != NULL && who->user->api_keys != NULL &&
	     !text_in(who->user->api_keys, key))) {
		gateway_error(req, resp, 403, key == NULL ? "403000" : "403003",
			      "Api Key is invalid");
		return false;
	}
	if (w->sw.console_api == API_ABSENT) {
		resp_message(req, resp, 404, "Not Found");
		return false;
	}
	if (w->sw.console_api == API_403 ||
	    (client != NULL && client->cred == NULL && !client->may_console) ||
	    (client != NULL && client->cred != NULL && w->sw.own_token_console == 0)) {
		resp_message(req, resp, 403, "You are not permitted to use this API");
		return false;
	}
	return true;
}

static bool api_open(const struct twin_req *req, struct twin_resp *resp, int mode)
{
	if (mode == API_OK)
		return true;
	resp_message(req, resp, mode == API_403 ? 403 : 404,
		     mode == API_403 ? "Forbidden" : "Not Found");
	return false;
}

/* ---- projects ---- */

static bool credential_matches(const struct world *w, const struct credential *c, const char *types)
{
	for (const char *const *type = console_rows(w, c); *type != NULL; type++) {
		for (const char *p = types; *p != '\0';
		     p += strcspn(p, ","), p += *p == ',' ? 1 : 0) {
			size_t len = strcspn(p, ",");
			bool migrating = strcmp(*type, "oauth_server_to_server_migrate") == 0;

			if (strlen(*type) == len && memcmp(*type, p, len) == 0)
				return true;
			if (migrating && w->sw.service_filter_migrating && len == 7 &&
			    memcmp(p, "service", 7) == 0)
				return true;
		}
	}
	return false;
}

static bool in_commas(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += len) {
		if ((p == list || p[-1] == ',') && (p[len] == '\0' || p[len] == ','))
			return true;
	}
	return false;
}

static bool project_matches(const struct world *w, const struct twin_req *req,
			    const struct project *p)
{
	const char *title = req_query(req, "title"), *ids = req_query(req, "projectIds"),
		   *types = req_query(req, "credentialType"),
		   *flows = req_query(req, "credentialFlowType"),
		   *kind = req_query(req, "projectType");
	bool found = types == NULL && flows == NULL;

	if (p->deleted || (title != NULL && strcmp(title, p->title) != 0) ||
	    (ids != NULL && !in_commas(ids, p->id)) || (kind != NULL && !in_commas(kind, p->type)))
		return false;
	for (size_t i = 0; i < p->space_count && !found; i++) {
		for (size_t k = 0; k < p->spaces[i]->cred_count && !found; k++) {
			const struct credential *c = p->spaces[i]->creds[k];

			found = c->state != CRED_DELETED &&
				(types == NULL || credential_matches(w, c, types)) &&
				(flows == NULL || in_commas(flows, "entp"));
		}
	}
	return found;
}

struct sorting {
	const char *field;
	bool down;
};

static int by_field(const void *x, const void *y, void *how)
{
	const struct project *a = *(const struct project *const *)x,
			     *b = *(const struct project *const *)y;
	const struct sorting *s = how;
	int r;

	if (strcmp(s->field, "title") == 0)
		r = strcmp(a->title, b->title);
	else if (strcmp(s->field, "date_created") == 0)
		r = a->created < b->created ? -1 : a->created > b->created;
	else
		r = a->modified < b->modified ? -1 : a->modified > b->modified;
	if (r == 0)
		r = strcmp(a->id, b->id);
	return s->down ? -r : r;
}

/* A positive number from the query. 1 when it is not there, -1 when it is wrong. */
static int positive(const struct twin_req *req, const char *name, size_t *ret)
{
	const char *text = req_query(req, name);

	if (text == NULL)
		return 1;
	if (*text == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 9 ||
	    strtoul(text, NULL, 10) == 0)
		return -1;
	*ret = (size_t)strtoul(text, NULL, 10);
	return 0;
}

static void list_projects(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			  const struct organization *o)
{
	struct arena *a = req->arena;
	struct project **found = arena_array(a, o->project_count + 1, sizeof(struct project *));
	const char *field = req_query(req, "sortField"), *order = req_query(req, "sortOrder");
	struct value *list = value_list(a);
	size_t count = 0, page = 1, size = 100, from = 0, to;
	int paged = positive(req, "page", &page);

	if (field != NULL && strcmp(field, "date_last_modified") != 0 &&
	    strcmp(field, "date_created") != 0 && strcmp(field, "title") != 0) {
		resp_message(req, resp, 400,
			     "sortField must be one of date_last_modified, date_created, title");
		return;
	}
	if (order != NULL && strcmp(order, "ASC") != 0 && strcmp(order, "DESC") != 0) {
		resp_message(req, resp, 400, "sortOrder must be one of ASC, DESC");
		return;
	}
	if (positive(req, "size", &size) < 0 || paged < 0) {
		resp_message(req, resp, 400,
			     paged < 0 ? "page must be a positive integer" :
					 "size must be a positive integer");
		return;
	}
	for (size_t i = 0; i < o->project_count; i++) {
		if (project_matches(w, req, o->projects[i]))
			found[count++] = o->projects[i];
	}
	if (field != NULL) {
		struct sorting how = { field, order != NULL && strcmp(order, "DESC") == 0 };

		qsort_r(found, count, sizeof(struct project *), by_field, &how);
	}
	to = count;
	if (paged == 0) {
		from = MIN_OF((page - 1) * size, count);
		to = MIN_OF(from + size, count);
		resp_header(resp, "X-Pagination-Page", arena_printf(a, "%zu", page));
		resp_header(resp, "X-Pagination-Size", arena_printf(a, "%zu", size));
	}
	resp_header(resp, "X-Pagination-Count", arena_printf(a, "%zu", count));
	for (size_t i = from; i < to; i++)
		value_list_add(a, list, project_value(w, a, found[i]));
	resp_json(resp, 200, list);
}

static void missing(const struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	resp_message(req, resp, w->sw.missing_project_is_500 ? 500 : 404,
		     w->sw.missing_project_is_500 ? "Internal Server Error" : "Not Found");
}

static void answer_workspace(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			     struct project *p)
{
	struct workspace *s = NULL;
	bool get = req_is(req, "GET");

	for (size_t i = 0; i < p->space_count; i++) {
		if (strcmp(p->spaces[i]->id, req->segments[6]) == 0)
			s = p->spaces[i];
	}
	if (s == NULL) {
		missing(w, req, resp);
		return;
	}
	if (get && req_path(req, 7, ""))
		resp_json(resp, 200, workspace_value(w, req->arena, s));
	else if (get && req_path(req, 7, "credentials"))
		resp_json(resp, 200, credential_rows(w, req->arena, s));
	else if (get && req_path(req, 7, "download"))
		resp_json(resp, 200, download_value(w, req->arena, s));
	else if (req_is(req, "DELETE") && req_path(req, 7, "credentials/*")) {
		struct credential *c = console_cred_of_id(w, req->segments[8]);

		if (c == NULL || c->workspace != s) {
			resp_message(req, resp, 500, "Internal Server Error");
			return;
		}
		/* Two rows may be one credential: with a shared id both go. */
		console_mark_deleted(w, c, "api");
		resp->status = 200;
	} else {
		resp_message(req, resp, 404, "Not Found");
	}
}

static void answer_project(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			   const struct organization *o)
{
	struct project *p = console_project_of_id(w, req->segments[4]);
	struct value *list;

	if (p == NULL || p->org != o) {
		missing(w, req, resp);
		return;
	}
	if (req_path(req, 5, "") && req_is(req, "GET")) {
		resp_json(resp, 200, project_value(w, req->arena, p));
	} else if (req_path(req, 5, "") && req_is(req, "PATCH")) {
		if (p->auto_generated || req_field(req, "title") == NULL ||
		    req_field(req, "name") == NULL) {
			resp_message(req, resp, 500, "name and title are required");
			return;
		}
		p->name = world_text(w, req_field(req, "name"));
		console_rename(w, p, req_field(req, "title"), "api");
		resp_json(resp, 200, project_value(w, req->arena, p));
	} else if (req_path(req, 5, "") && req_is(req, "DELETE")) {
		console_delete_project(w, p, "api");
		resp->status = 200;
	} else if (req_path(req, 5, "workspaces") && req_is(req, "GET")) {
		list = value_list(req->arena);
		for (size_t i = 0; i < p->space_count; i++)
			value_list_add(req->arena, list,
				       workspace_value(w, req->arena, p->spaces[i]));
		resp_json(resp, 200, list);
	} else if (req->segment_count >= 7 && strcmp(req->segments[5], "workspaces") == 0) {
		answer_workspace(w, req, resp, p);
	} else {
		resp_message(req, resp, 404, "Not Found");
	}
}

/* ---- integrations ---- */

static struct credential *org_credential(const struct world *w, const struct organization *o,
					 const char *id)
{
	struct credential *c = console_cred_of_id(w, id);

	return c != NULL && c->workspace->project->org == o ? c : NULL;
}

static void list_integrations(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			      const struct organization *o)
{
	const char *page_text_ = req_query(req, "page"), *size_text = req_query(req, "size");
	size_t page = page_text_ != NULL ? (size_t)strtoul(page_text_, NULL, 10) : 0,
	       size = size_text != NULL ? (size_t)strtoul(size_text, NULL, 10) : 20;
	struct arena *a = req->arena;
	struct value *v = value_map(a), *content = value_list(a);
	size_t total = 0;

	if (size == 0 || size > 50 || page > 1000000) { /* counts from 0, unlike projects */
		resp_message(req, resp, 400, "size must be between 1 and 50");
		return;
	}
	for (size_t i = 0; i < w->console.all_count; i++) {
		const struct credential *c = w->console.all[i];

		if (c->workspace->project->org != o || c->workspace->project->deleted)
			continue;
		for (const char *const *type = console_rows(w, c); *type != NULL; type++) {
			/* One integration, whatever its rows, unless the ids differ. */
			if (type != console_rows(w, c) && c->id == c->oauth_id)
				continue;
			if (total >= page * size && total < (page + 1) * size)
				value_list_add(a, content,
					       integration_value(w, a, c, row_id(c, *type), false));
			total++;
		}
	}
	value_set(a, v, "page", value_int(a, (int64_t)page));
	value_set(a, v, "pages", value_int(a, (int64_t)((total + size - 1) / size)));
	value_set(a, v, "size", value_int(a, (int64_t)size));
	value_set(a, v, "total", value_int(a, (int64_t)total));
	value_set(a, v, "content", content);
	resp_json(resp, 200, v);
}

static void list_bindings(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			  const struct credential *c)
{
	struct arena *a = req->arena;
	struct value *list = value_list(a), *row;

	if (cred_has_jwt(c) && c->certificate_ends != 0) {
		row = value_map(a);
		value_set(a, row, "bindingId", value_string(a, c->binding_id));
		value_set(a, row, "orgId", value_string(a, c->workspace->project->org->ims));
		value_set(a, row, "technicalAccountId", value_string(a, c->technical_account_id));
		value_set(a, row, "certificateFingerprint", value_string(a, c->fingerprint));
		value_set(a, row, "notAfter",
			  value_int(a, w->sw.binding_unit == 0 ?
					       c->certificate_ends :
					       c->certificate_ends / WHEN_SECOND));
		value_list_add(a, list, row);
	}
	resp_json(resp, 200, list);
}

/* One service alone: an object, not the list that the integration itself carries. */
static void answer_service(const struct twin_req *req, struct twin_resp *resp,
			   const struct credential *c, const char *code)
{
	struct arena *a = req->arena;
	struct value *v = value_map(a), *configs = license_configs(a, c, code);

	if (configs == NULL) {
		resp_message(req, resp, 404, "Not Found");
		return;
	}
	value_set(a, v, "sdkCode", value_string(a, code));
	value_set(a, v, "name", value_string(a, code));
	value_set(a, v, "licenseConfigs", configs);
	resp_json(resp, 200, v);
}

static void answer_integration(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			       const struct organization *o)
{
	bool entp = req->segment_count > 5 && strcmp(req->segments[4], "entp") == 0;
	const char *id = req->segments[entp ? 5 : 4];
	struct credential *c = org_credential(w, o, id);

	if (c == NULL) {
		resp_message(req, resp, 404, "Not Found");
		return;
	}
	if (!entp && req_path(req, 5, "") && req_is(req, "GET")) {
		resp_json(resp, 200, integration_value(w, req->arena, c, id, true));
	} else if (!entp && req_path(req, 5, "") && req_is(req, "DELETE")) {
		console_mark_deleted(w, c, "api");
		resp->status = 204;
	} else if (!entp && req_path(req, 5, "secrets") && req_is(req, "GET")) {
		if (api_open(req, resp, w->sw.deprecated_secrets))
			resp_json(resp, 200, secrets_value(w, req->arena, c, true));
	} else if (entp && req_path(req, 6, "bindings") && req_is(req, "GET")) {
		list_bindings(w, req, resp, c);
	} else if (entp && req_path(req, 6, "bindings/*") && req_is(req, "DELETE") &&
		   strcmp(req->segments[7], c->binding_id) == 0) {
		c->certificate_ends = 0;
		world_wrote(w, "console", "delete-binding", "api", c->id);
		resp->status = 200;
	} else if (entp && req_path(req, 6, "service/*/properties") && req_is(req, "GET")) {
		answer_service(req, resp, c, req->segments[7]);
	} else {
		resp_message(req, resp, 404, "Not Found");
	}
}

/* ---- credentials ---- */

static void answer_secrets(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			   struct credential *c)
{
	struct client_secret *made;
	const char *why;

	if (!api_open(req, resp, w->sw.secrets_api))
		return;
	if (req_path(req, 5, "secrets") && req_is(req, "GET")) {
		resp_json(resp, 200, secrets_value(w, req->arena, c, false));
	} else if (req_path(req, 5, "secrets") && req_is(req, "POST")) {
		if (console_add_secret(w, c, "api", &made, &why) < 0)
			resp_message(req, resp, (int)w->sw.refused_status, why);
		else
			resp_json(resp, 201, secret_value(w, req->arena, made, true));
	} else if (req_path(req, 5, "secrets/*") && req_is(req, "DELETE")) {
		if (console_delete_secret(w, c, req->segments[6], "api", &why) < 0)
			resp_message(req, resp,
				     strcmp(why, "no such client secret") == 0 ?
					     404 :
					     (int)w->sw.refused_status,
				     why);
		else
			resp->status = 204;
	} else {
		resp_message(req, resp, 404, "Not Found");
	}
}

static const char *status_word(const struct world *w, const struct credential *c)
{
	switch (c->state) {
	case CRED_JWT_ONLY:
		return "NOT_STARTED";
	case CRED_STARTED:
		return "STARTED";
	case CRED_COMPLETED:
		return w->sw.after_status == 0 ? "COMPLETED" : "NONE";
	case CRED_BORN_OAUTH:
	case CRED_DELETED:
		return "NONE";
	}
	return NULL;
}

static void answer_status(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			  const struct credential *c)
{
	struct value *v = value_map(req->arena);

	if (!api_open(req, resp, w->sw.status_api))
		return;
	/* Whether this path knows the JWT credential's id, when that has no OAuth side of the same id, nobody says. */
	if (!w->sw.status_answers_jwt_id &&
	    (!cred_has_oauth(c) || strcmp(req->segments[5], c->oauth_id) != 0)) {
		resp_message(req, resp, 404, "Not Found");
		return;
	}
	value_set(req->arena, v, "migrationStatus", value_string(req->arena, status_word(w, c)));
	resp_json(resp, 200, v);
}

static void answer_oauth(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			 struct credential *c)
{
	struct arena *a = req->arena;
	struct value *v;
	const char *why;

	if (req_path(req, 6, "status") && req_is(req, "GET")) {
		answer_status(w, req, resp, c);
	} else if (req_path(req, 6, "finalize") && req_is(req, "PATCH")) {
		if (!api_open(req, resp, w->sw.finalize_api))
			return;
		if (console_finalize(w, c, "api", w->sw.finalize_checks, &why) < 0)
			resp_message(req, resp, (int)w->sw.refused_status, why);
		else
			resp->status = 200;
	} else if (req_path(req, 6, "binding") && req_is(req, "GET") && cred_has_oauth(c)) {
		CLEANUP(sb_done) struct sb scopes = SB_INIT(65536);

		for (texts s = c->scopes; s != NULL && *s != NULL; s++)
			sb_addf(&scopes, "%s%s", s == c->scopes ? "" : ",", *s);
		v = value_map(a);
		value_set(a, v, "organizationId", value_string(a, c->workspace->project->org->ims));
		value_set(a, v, "clientId", value_string(a, c->client_id));
		value_set(a, v, "allowedScopes", value_string(a, scopes.buf));
		value_set(a, v, "servicePrincipalId", value_string(a, c->technical_account_id));
		value_set(a, v, "createdByUser", value_string(a, "A1B2C3@AdobeID"));
		value_set(a, v, "createdAt",
			  iso_ms(a, world_clock(w, SYS_CONSOLE,
						c->started != 0 ? c->started :
								  c->workspace->project->created)));
		resp_json(resp, 200, v);
	} else {
		resp_message(req, resp, 404, "Not Found");
	}
}

static void answer_credential(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			      const struct organization *o)
{
	bool oauth =
		req->segment_count > 5 && strcmp(req->segments[4], "oauth-server-to-server") == 0;
	struct credential *c = org_credential(w, o, req->segments[oauth ? 5 : 4]);

	if (c == NULL)
		resp_message(req, resp, 404, "Not Found");
	else if (oauth)
		answer_oauth(w, req, resp, c);
	else
		answer_secrets(w, req, resp, c);
}

/* ---- lookups ---- */

static struct credential *client_credential(const struct world *w, const char *client_id)
{
	const struct ims_client *x = index_get(&w->ims.clients, client_id);

	return x != NULL && x->cred != NULL && x->cred->state != CRED_DELETED ? x->cred : NULL;
}

static void answer_client(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			  const struct caller *who)
{
	static const char *const words[] = { "service", "oauth_server_to_server",
					     "oauth_server_to_server_migrate" };
	const struct credential *c = client_credential(w, req->segments[2]);
	struct arena *a = req->arena;
	struct value *v = value_map(a), *services = value_list(a);

	if (c == NULL || !sees_org(who, c->workspace->project->org)) {
		resp_message(req, resp, 404, "Not Found");
		return;
	}
	value_set(a, v, "org_id", value_string(a, c->workspace->project->org->id));
	value_set(a, v, "org_code", value_string(a, c->workspace->project->org->ims));
	value_set(a, v, "project_id", value_string(a, c->workspace->project->id));
	value_set(a, v, "workspace_id", value_string(a, c->workspace->id));
	value_set(a, v, "credential_id", value_string(a, cred_has_jwt(c) ? c->id : c->oauth_id));
	value_set(a, v, "client_id", value_string(a, c->client_id));
	value_set(a, v, "flow_type", value_string(a, "entp"));
	value_set(a, v, "credential_type",
		  value_string(a, c->state == CRED_STARTED ? words[w->sw.lookup_type] :
							     console_rows(w, c)[0]));
	value_set(a, v, "metadata", value_map(a));
	for (texts s = c->services; s != NULL && *s != NULL; s++)
		value_list_add(a, services, value_string(a, *s));
	value_set(a, v, "services", services);
	resp_json(resp, 200, v);
}

static void answer_place(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			 const struct organization *o)
{
	bool by_client = strcmp(req->segments[3], "clients") == 0;
	const struct credential *c = by_client ? client_credential(w, req->segments[4]) :
						 console_cred_of_id(w, req->segments[5]);
	struct arena *a = req->arena;
	struct value *v = value_map(a), *list = value_list(a);

	if (c == NULL || c->workspace->project->org != o) {
		resp_message(req, resp, 404, "Not Found");
		return;
	}
	value_set(a, v, "projectId", value_string(a, c->workspace->project->id));
	value_set(a, v, "workspaceId", value_string(a, c->workspace->id));
	value_set(a, v, by_client ? "integrationId" : "credentialId",
		  value_string(a, by_client ? c->id : req->segments[5]));
	value_list_add(a, list, v);
	resp_json(resp, 200, by_client ? v : list);
}

static void list_organizations(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			       const struct caller *who)
{
	struct arena *a = req->arena;
	struct value *list = value_list(a);

	for (size_t i = 0; i < w->console.org_count; i++) {
		const struct organization *o = w->console.orgs[i];
		struct value *row = value_map(a);

		if (!sees_org(who, o))
			continue;
		value_set(a, row, "id", value_string(a, o->id));
		value_set(a, row, "code", value_string(a, o->ims));
		value_set(a, row, "name", value_string(a, o->name));
		value_set(a, row, "description", value_null(a));
		value_set(a, row, "type", value_string(a, "entp"));
		value_set(a, row, "role",
			  value_string(a, who->user != NULL ? who->user->role : "DEVELOPER"));
		value_list_add(a, list, row);
	}
	resp_json(resp, 200, list);
}

static void list_recipients(const struct twin_req *req, struct twin_resp *resp,
			    const struct caller *who)
{
	struct arena *a = req->arena;
	struct value *list = value_list(a), *row = value_map(a);

	value_set(a, row, "user_id", value_string(a, "A1B2C3@AdobeID"));
	value_set(a, row, "email", value_string(a, "owner@example.com"));
	value_set(a, row, "firstname",
		  value_string(a, who->user != NULL ? who->user->name : "Owner"));
	value_set(a, row, "lastname", value_string(a, "Example"));
	value_set(a, row, "role", value_string(a, "ORG_ADMIN"));
	value_list_add(a, list, row);
	resp_json(resp, 200, list);
}

/* ---- routes ---- */

static void answer_org(struct world *w, const struct twin_req *req, struct twin_resp *resp,
		       const struct caller *who)
{
	const struct organization *o = find_org(w, who, req->segments[2]);
	const struct credential *own = who->token != NULL ? who->token->client->cred : NULL;
	bool get = req_is(req, "GET");

	if (o == NULL) {
		resp_message(req, resp, 403, "You are not a member of this organization");
		return;
	}
	/* A credential's own token may see to its own secrets, where the project has the I/O Management API. */
	if (own != NULL && w->sw.own_token_console == 1 &&
	    !((req_path(req, 3, "credentials/*/secrets") ||
	       req_path(req, 3, "credentials/*/secrets/*")) &&
	      console_cred_of_id(w, req->segments[4]) == own &&
	      text_in(own->services, "AdobeIOManagementAPISDK"))) {
		resp_message(req, resp, 403, "You are not permitted to use this API");
		return;
	}
	if (get && req_path(req, 3, "projects"))
		list_projects(w, req, resp, o);
	else if (req->segment_count > 4 && strcmp(req->segments[3], "projects") == 0)
		answer_project(w, req, resp, o);
	else if (get && req_path(req, 3, "integrations"))
		list_integrations(w, req, resp, o);
	else if (req->segment_count > 4 && strcmp(req->segments[3], "integrations") == 0)
		answer_integration(w, req, resp, o);
	else if (req->segment_count > 5 && strcmp(req->segments[3], "credentials") == 0)
		answer_credential(w, req, resp, o);
	else if (get && (req_path(req, 3, "clients/*/project_workspace") ||
			 req_path(req, 3, "projects_workspaces/credentials/*")))
		answer_place(w, req, resp, o);
	else if (get && req_path(req, 3, "recipients"))
		list_recipients(req, resp, who);
	else
		resp_message(req, resp, 404, "Not Found");
}

static bool console_serves(const struct twin_req *req)
{
	return (req->segment_count > 0 && strcmp(req->segments[0], "console") == 0) ||
	       console_pages_serve(req);
}

static void console_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	struct caller who;
	int64_t retry_s;

	if (console_pages_serve(req)) {
		console_pages_answer(w, req, resp);
		return;
	}
	resp_header(resp, "x-request-id",
		    arena_printf(req->arena, "fake-console-%" PRIu64, ++w->console.requests));
	if (world_throttled(w, SYS_CONSOLE, &retry_s)) {
		gateway_error(req, resp, 429, "429050", "Too many requests");
		resp_header(resp, "Retry-After", arena_printf(req->arena, "%" PRId64, retry_s));
		return;
	}
	if (!admit(w, req, resp, &who))
		return;
	if (req_path(req, 1, "organizations") && req_is(req, "GET"))
		list_organizations(w, req, resp, &who);
	else if (req->segment_count > 3 && strcmp(req->segments[1], "organizations") == 0)
		answer_org(w, req, resp, &who);
	else if (req_path(req, 1, "clients/*/credential") && req_is(req, "GET"))
		answer_client(w, req, resp, &who);
	else
		resp_message(req, resp, 404, "Not Found");
}

const struct twin console_twin = {
	.name = "console",
	.doc = "Adobe Developer Console: its API under /console and its pages under /pages/console",
	.serves = console_serves,
	.answer = console_answer,
};
