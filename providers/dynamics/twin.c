/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Microsoft Entra's token endpoint and the Dataverse Web API, as far as contacts go.
 * Source: our notes on Dataverse, sections 1 to 7; behind them learn.microsoft.com: "OAuth 2.0 client credentials flow",
 * "AADSTS error codes", and the Web API pages on errors, paging, conditional operations.
 *
 * Paths: /entra/<tenant>/oauth2/v2.0/token and /dynamics/<org>/api/data/v9.2/...
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 5000
#define ENTRA_LIFE (INT64_C(3599) * WHEN_SECOND)

/* ---- Entra ---- */

static void entra_error(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			int status, const char *error, int code, const char *text)
{
	struct arena *a = req->arena;
	struct value *v = value_map(a), *codes = value_list(a);
	char now[WHEN_TEXT_MAX];

	(void)when_text(now, world_clock(w, SYS_DYNAMICS, w->now_ms) / WHEN_SECOND * WHEN_SECOND);
	now[10] = ' ';
	value_list_add(a, codes, value_int(a, code));
	value_set(a, v, "error", value_string(a, error));
	value_set(a, v, "error_description",
		  value_stringf(a, "AADSTS%d: %s Trace ID: fake Correlation ID: fake Timestamp: %s",
				code, text, now));
	value_set(a, v, "error_codes", codes);
	value_set(a, v, "timestamp", value_string(a, now));
	value_set(a, v, "trace_id", value_string(a, "fake"));
	value_set(a, v, "correlation_id", value_string(a, "fake"));
	value_set(a, v, "error_uri",
		  value_stringf(a, "https://login.microsoftonline.com/error?code=%d", code));
	resp_json(resp, status, v);
}

/* Which org of the tenant the resource means. The sandbox's own address counts for any of them. */
static const struct dyn_org *resource_org(const struct world *w, const struct twin_req *req,
					  const char *tenant, const char *resource,
					  const char *client_id)
{
	const char *host = strncmp(resource, "https://", 8) == 0 ? resource + 8 : "";
	size_t len = strcspn(host, "/");

	for (size_t i = 0; i < w->dynamics.count; i++) {
		const struct dyn_org *o = w->dynamics.orgs[i];
		const char *api = strstr(o->host, ".api.");
		bool named = strlen(o->host) == len && memcmp(o->host, host, len) == 0;

		if (strcmp(o->tenant, tenant) != 0)
			continue;
		if (!named && api != NULL)
			named = len == strlen(o->host) - 4 &&
				memcmp(host, o->host, (size_t)(api - o->host)) == 0 &&
				memcmp(host + (api - o->host), api + 4,
				       len - (size_t)(api - o->host)) == 0;
		if (!named && strncmp(resource, req->origin, strlen(req->origin)) == 0) {
			const char *path = strstr(resource + strlen(req->origin), "/dynamics/");

			for (size_t k = 0; k < o->client_count && path == NULL; k++)
				named = named || (client_id != NULL &&
						  strcmp(o->clients[k].client_id, client_id) == 0);
			if (path != NULL)
				named = strncmp(path + 10, o->name, strlen(o->name)) == 0 &&
					strchr("/", path[10 + strlen(o->name)]) != NULL;
		}
		if (named)
			return o;
	}
	return NULL;
}

static const struct dyn_client *find_client(const struct world *w, const char *tenant,
					    const struct dyn_org *org, const char *client_id)
{
	for (size_t i = 0; i < w->dynamics.count; i++) {
		const struct dyn_org *o = w->dynamics.orgs[i];

		if (strcmp(o->tenant, tenant) != 0 || (org != NULL && o != org))
			continue;
		for (size_t k = 0; k < o->client_count; k++) {
			if (strcmp(o->clients[k].client_id, client_id) == 0)
				return &o->clients[k];
		}
	}
	return NULL;
}

static void give_token(struct world *w, const struct twin_req *req, struct twin_resp *resp,
		       const struct dyn_org *o, const struct dyn_client *c, const char *resource)
{
	struct dyn_token *t = ARENA_NEW(&w->arena, struct dyn_token);
	struct arena *a = req->arena;
	struct value *v = value_map(a);

	t->text = arena_printf(&w->arena, "fake-entra.%s.%s-%zu", o->name, world_hex(w, 24),
			       w->dynamics.token_count);
	t->client = c;
	t->org = o;
	t->audience = world_text(w, resource);
	t->ends = w->now_ms + ENTRA_LIFE;
	WORLD_PUSH(w, w->dynamics.tokens, w->dynamics.token_count, w->dynamics.token_cap, t);
	value_set(a, v, "token_type", value_string(a, "Bearer"));
	value_set(a, v, "expires_in",
		  w->sw.expires_as_string ? value_string(a, "3599") : value_int(a, 3599));
	value_set(a, v, "ext_expires_in",
		  w->sw.expires_as_string ? value_string(a, "3599") : value_int(a, 3599));
	value_set(a, v, "access_token", value_string(a, t->text));
	resp_json(resp, 200, v);
}

static void answer_entra(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	const char *tenant = req->segments[1], *grant = req_field(req, "grant_type"),
		   *id = req_field(req, "client_id"), *secret = req_field(req, "client_secret"),
		   *scope = req_field(req, "scope");
	int denied = (int)w->sw.entra_error_status;
	const struct dyn_org *org = NULL;
	const struct dyn_client *client;
	const char *resource;
	bool known = false;
	size_t len;

	for (size_t i = 0; i < w->dynamics.count; i++)
		known = known || strcmp(w->dynamics.orgs[i]->tenant, tenant) == 0;
	if (!known) {
		entra_error(
			w, req, resp, 400, "invalid_request", 90002,
			"Tenant was not found. Check to make sure you have the correct tenant ID.");
		return;
	}
	if (grant == NULL || strcmp(grant, "client_credentials") != 0) {
		entra_error(w, req, resp, 400,
			    grant == NULL ? "invalid_request" : "unsupported_grant_type",
			    grant == NULL ? 900144 : 70003, "The grant type is not supported.");
		return;
	}
	client = id != NULL ? find_client(w, tenant, NULL, id) : NULL;
	if (client == NULL) {
		entra_error(w, req, resp, 400, "unauthorized_client", 700016,
			    "Application was not found in the directory.");
		return;
	}
	if (secret == NULL || *secret == '\0') {
		entra_error(
			w, req, resp, denied, "invalid_client", 7000218,
			"The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
		return;
	}
	if (scope == NULL || strlen(scope) < 10 ||
	    strcmp(scope + strlen(scope) - 9, "/.default") != 0) {
		entra_error(
			w, req, resp, 400, "invalid_scope", scope == NULL ? 900144 : 1002012,
			"The provided value for scope is not valid: it must be suffixed with /.default.");
		return;
	}
	if (strchr(scope, ' ') != NULL) {
		entra_error(w, req, resp, 400, "invalid_scope", 700022,
			    "The scope holds more than one resource.");
		return;
	}
	len = strlen(scope) - 9;
	resource = arena_strndup(req->arena, scope, len);
	org = resource_org(w, req, tenant, resource, id);
	if (org == NULL) {
		entra_error(w, req, resp, 400, "invalid_resource", 500011,
			    "The resource principal was not found in the tenant.");
		return;
	}
	client = find_client(w, tenant, org, id);
	if (client == NULL)
		client = find_client(w, tenant, NULL, id);
	if (strcmp(client->client_secret, secret) != 0)
		entra_error(
			w, req, resp, denied, "invalid_client", 7000215,
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.");
	else if (client->expired)
		entra_error(w, req, resp, denied, "invalid_client", 7000222,
			    "The provided client secret keys are expired.");
	else
		give_token(w, req, resp, org, client, resource);
}

/* ---- the Web API ---- */

static void api_error(const struct twin_req *req, struct twin_resp *resp, int status,
		      const char *code, const char *message)
{
	struct arena *a = req->arena;
	struct value *v = value_map(a), *e = value_map(a);

	value_set(a, e, "code", value_string(a, code));
	value_set(a, e, "message", value_string(a, message));
	value_set(a, v, "error", e);
	resp_json(resp, status, v);
}

static const struct dyn_token *find_token(const struct world *w, const char *text)
{
	const char *number = strrchr(text, '-');
	unsigned long n = number != NULL ? strtoul(number + 1, NULL, 10) : 0;
	const struct dyn_token *t = n < w->dynamics.token_count ? w->dynamics.tokens[n] : NULL;

	return t != NULL && strcmp(t->text, text) == 0 && w->now_ms < t->ends ? t : NULL;
}

/* An audience that ends in a slash came of a scope with two of them, and is another resource. */
static bool audience_fits(const struct world *w, const struct dyn_token *t)
{
	size_t len = strlen(t->audience);

	if (len == 0 || t->audience[len - 1] == '/')
		return false;
	return !w->sw.audience_strict || strstr(t->org->host, ".api.") == NULL ||
	       strstr(t->audience, ".crm") == NULL || strstr(t->audience, ".api.") != NULL;
}

static const char *api_base(const struct twin_req *req, const struct dyn_org *o)
{
	return arena_printf(req->arena, "%s/dynamics/%s/api/data/v9.2", req->origin, o->name);
}

static const struct value *dyn_time(const struct world *w, struct arena *a, int64_t true_ms)
{
	int64_t ms = world_clock(w, SYS_DYNAMICS, true_ms);

	return value_instant(a, w->sw.modified_fraction ? ms : ms - ms % WHEN_SECOND);
}

/* A whole word of a comma list. */
static bool selected(const char *select, const char *field)
{
	size_t len = strlen(field);

	if (select == NULL)
		return true;
	for (const char *p = select; (p = strstr(p, field)) != NULL; p += len) {
		if ((p == select || p[-1] == ',' || p[-1] == ' ') &&
		    (p[len] == '\0' || p[len] == ',' || p[len] == ' '))
			return true;
	}
	return false;
}

static struct value *contact_value(const struct world *w, struct arena *a,
				   const struct dyn_contact *c, const char *select)
{
	static const char *const texts_[] = { "emailaddress1", "firstname", "lastname", "nickname",
					      "description" };
	struct value *v = value_map(a);

	value_set(a, v, "@odata.etag", value_stringf(a, "W/\"%" PRId64 "\"", c->version));
	value_set(a, v, "contactid",
		  value_string(a, c->id)); /* the key comes whatever was selected */
	for (size_t i = 0; i < ARRAY_LEN(texts_); i++) {
		const char *text = dynamics_text(c, texts_[i]);

		if (selected(select, texts_[i]))
			value_set(a, v, texts_[i],
				  *text != '\0' ? value_string(a, text) : value_null(a));
	}
	if (selected(select, "fullname"))
		value_set(a, v, "fullname", value_stringf(a, "%s %s", c->first, c->last));
	if (selected(select, "modifiedon"))
		value_set(a, v, "modifiedon", dyn_time(w, a, c->modified));
	if (selected(select, "createdon"))
		value_set(a, v, "createdon", dyn_time(w, a, c->created));
	if (selected(select, "statecode"))
		value_set(a, v, "statecode", value_int(a, 0));
	if (selected(select, "versionnumber"))
		value_set(a, v, "versionnumber", value_int(a, c->version));
	return v;
}

/* An unknown property, or NULL. */
static const char *bad_select(const struct twin_req *req, const char *select)
{
	while (select != NULL && *select != '\0') {
		size_t len = strcspn(select, ",");
		const char *start = select + strspn(select, " ");
		size_t word = strcspn(start, ", ");
		const char *field = arena_strndup(req->arena, start, word);

		if (!dynamics_has_field(field))
			return field;
		select += len + (select[len] == ',' ? 1 : 0);
	}
	return NULL;
}

#define ORDER_MAX 4
struct ordering {
	const struct world *w;
	const char *field[ORDER_MAX];
	bool down[ORDER_MAX];
	size_t count;
};

static int by_order(const void *x, const void *y, void *how)
{
	const struct dyn_contact *a = *(const struct dyn_contact *const *)x,
				 *b = *(const struct dyn_contact *const *)y;
	const struct ordering *o = how;

	for (size_t i = 0; i < o->count; i++) {
		int r = dynamics_compare(o->w, a, b, o->field[i]);

		if (r != 0)
			return o->down[i] ? -r : r;
	}
	/* Without a tie-breaker the order of equals is nobody's promise; here it is stable per row. */
	return a->version < b->version ? -1 : a->version > b->version;
}

static bool parse_order(const struct twin_req *req, const char *text, struct ordering *o)
{
	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, ",");
		const char *part = arena_strndup(req->arena, text + strspn(text, " "),
						 len - MIN_OF(len, strspn(text, " ")));
		size_t word = strcspn(part, " ");
		const char *way = part + word + strspn(part + word, " ");

		if (o->count == ORDER_MAX ||
		    (*way != '\0' && strcmp(way, "asc") != 0 && strcmp(way, "desc") != 0))
			return false;
		o->field[o->count] = arena_strndup(req->arena, part, word);
		o->down[o->count] = strcmp(way, "desc") == 0;
		if (!dynamics_has_field(o->field[o->count++]))
			return false;
		text += len + (text[len] == ',' ? 1 : 0);
	}
	return true;
}

/* odata.maxpagesize of Prefer; 0 when it is not there. */
static size_t page_size(const struct twin_req *req)
{
	const char *prefer = req_header(req, "prefer"),
		   *at = prefer != NULL ? strstr(prefer, "odata.maxpagesize=") : NULL;

	return at != NULL ? (size_t)strtoul(at + 18, NULL, 10) : 0;
}

static int number_option(const struct twin_req *req, const char *name, size_t *ret)
{
	const char *text = req_query(req, name);

	if (text == NULL)
		return 1;
	if (*text == '\0' || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text))
		return -1;
	*ret = (size_t)strtoul(text, NULL, 10);
	return 0;
}

/* Where the page begins, by a cookie that only this server makes. -1: not one of ours, or encoded twice. */
static int skip_token(const struct twin_req *req, size_t *ret)
{
	static const char head[] = "<cookie pagenumber=\"2\" istracking=\"False\" last=\"";
	const char *text = req_query(req, "$skiptoken");
	unsigned long n;
	char *end;

	*ret = 0;
	if (text == NULL)
		return 0;
	if (strncmp(text, head, sizeof(head) - 1) != 0)
		return -1;
	n = strtoul(text + sizeof(head) - 1, &end, 16);
	if (strcmp(end, "\" />") != 0 || n % 7 != 3)
		return -1;
	*ret = (n - 3) / 7;
	return 0;
}

static const char *next_link(const struct twin_req *req, const struct dyn_org *o, size_t from)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(65536);

	sb_addf(&out, "%s/contacts?", api_base(req, o));
	for (size_t i = 0; i < value_count(req->query); i++) {
		const char *name = value_key_at(req->query, i);

		if (strcmp(name, "$skiptoken") == 0 || value_text(value_at(req->query, i)) == NULL)
			continue;
		sb_addf(&out, "%s=", name);
		sb_add_escaped(&out, value_text(value_at(req->query, i)));
		sb_addc(&out, '&');
	}
	sb_addf(&out,
		"$skiptoken=%%3Ccookie%%20pagenumber=%%222%%22%%20istracking=%%22False%%22%%20last=%%22%zx%%22%%20/%%3E",
		from * 7 + 3);
	return arena_strndup(req->arena, out.buf, out.len);
}

static void list_contacts(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			  const struct dyn_org *o, bool count_only)
{
	const char *select = req_query(req, "$select"), *filter_text = req_query(req, "$filter"),
		   *count_text = req_query(req, "$count"), *bad;
	const struct dyn_cond *filter =
		filter_text != NULL ? dynamics_filter(req->arena, filter_text) : NULL;
	struct dyn_contact **found =
		arena_array(req->arena, o->contact_count + 1, sizeof(struct dyn_contact *));
	struct ordering order = { .w = w };
	size_t count = 0, top = 0, prefer = page_size(req),
	       size = prefer != 0 ? MIN_OF(prefer, PAGE_MAX) : PAGE_MAX, from, to;
	int has_top = number_option(req, "$top", &top);
	struct arena *a = req->arena;
	struct value *v = value_map(a), *list = value_list(a);

	bad = bad_select(req, select);
	if (bad != NULL) {
		api_error(
			req, resp, 400, "0x80060888",
			arena_printf(
				a,
				"Could not find a property named '%s' on type 'Microsoft.Dynamics.CRM.contact'.",
				bad));
		return;
	}
	if ((filter_text != NULL && filter == NULL) ||
	    !parse_order(req, req_query(req, "$orderby"), &order) || has_top < 0 ||
	    skip_token(req, &from) < 0 || req_query(req, "$skip") != NULL) {
		api_error(req, resp, 400, "0x80060888",
			  "The query specified in the URI is not valid.");
		return;
	}
	for (size_t i = 0; i < o->contact_count; i++) {
		if (dynamics_passes(w, filter, o->contacts[i]))
			found[count++] = o->contacts[i];
	}
	if (count_only) {
		resp->status = 200;
		resp->text = arena_printf(a, "%zu", MIN_OF(count, PAGE_MAX));
		resp->content_type = "text/plain";
		return;
	}
	qsort_r(found, count, sizeof(struct dyn_contact *), by_order, &order);
	value_set(a, v, "@odata.context",
		  value_stringf(a, "%s/$metadata#contacts%s%s%s", api_base(req, o),
				select != NULL ? "(" : "", select != NULL ? select : "",
				select != NULL ? ")" : ""));
	if (count_text != NULL && strcmp(count_text, "true") == 0)
		value_set(a, v, "@odata.count", value_int(a, (int64_t)MIN_OF(count, PAGE_MAX)));
	/* $top is ignored beside a page size. */
	if (has_top == 0 && prefer == 0)
		count = MIN_OF(count, top);
	from = MIN_OF(from, count);
	to = MIN_OF(from + size, count);
	for (size_t i = from; i < to; i++)
		value_list_add(a, list, contact_value(w, a, found[i], select));
	value_set(a, v, "value", list);
	if (to < count)
		value_set(a, v, "@odata.nextLink", value_string(a, next_link(req, o, to)));
	if (prefer != 0)
		resp_header(resp, "Preference-Applied",
			    arena_printf(a, "odata.maxpagesize=%zu", size));
	resp_json(resp, 200, v);
}

/* Writes the body's fields. An unknown one, or one of a wrong kind: its name, and nothing was written. */
static const char *set_fields(struct world *w, struct dyn_contact *c, const struct value *body)
{
	struct {
		const char *name;
		const char **at;
	} fields[] = {
		{ "emailaddress1", &c->email },     { "firstname", &c->first },
		{ "lastname", &c->last },           { "nickname", &c->nickname },
		{ "description", &c->description },
	};

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < value_count(body); i++) {
			const char *name = value_key_at(body, i),
				   *text = value_text_or(value_at(body, i), "");
			size_t k = 0;

			while (k < ARRAY_LEN(fields) && strcmp(fields[k].name, name) != 0)
				k++;
			if (k == ARRAY_LEN(fields) || (value_text(value_at(body, i)) == NULL &&
						       !value_is_null(value_at(body, i))))
				return name;
			if (pass == 1)
				*fields[k].at = world_text(w, text);
		}
	}
	return NULL;
}

static void written(struct world *w, const struct twin_req *req, struct twin_resp *resp,
		    const struct dyn_contact *c, bool created)
{
	const char *prefer = req_header(req, "prefer");

	if (prefer != NULL && strstr(prefer, "return=representation") != NULL) {
		resp_json(resp, created ? 201 : 200,
			  contact_value(w, req->arena, c, req_query(req, "$select")));
		resp_header(resp, "Preference-Applied", "return=representation");
	} else {
		resp->status = 204;
	}
	resp_header(resp, "OData-EntityId",
		    arena_printf(req->arena, "%s/contacts(%s)", api_base(req, c->org), c->id));
}

static void write_contact(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			  struct dyn_org *o, const char *id)
{
	struct dyn_contact *c = id != NULL ? index_get(&o->by_id, id) : NULL, trial = { .id = "" };
	const char *match = req_header(req, "if-match"), *none = req_header(req, "if-none-match"),
		   *bad;
	bool fresh = c == NULL;

	/* "If-None-Match: null" is what the documents tell readers to send; it asks for nothing. */
	if (none != NULL && strcmp(none, "*") != 0)
		none = NULL;
	if (match != NULL && fresh) {
		api_error(req, resp, 404, "0x80040217",
			  arena_printf(req->arena, "contact With Id = %s Does Not Exist",
				       id != NULL ? id : ""));
		return;
	}
	if (none != NULL && !fresh) {
		api_error(req, resp, 412, "0x80040237",
			  "A record with matching key values already exists.");
		return;
	}
	if (match != NULL && strcmp(match, "*") != 0 &&
	    strcmp(match, arena_printf(req->arena, "W/\"%" PRId64 "\"", c->version)) != 0) {
		api_error(
			req, resp, 412, "0x80060882",
			"The version of the existing record doesn't match the RowVersion property provided.");
		return;
	}
	bad = req->body == NULL || req->body->kind != VAL_MAP ? "" :
								set_fields(w, &trial, req->body);
	if (bad != NULL) {
		api_error(
			req, resp, 400, "0x80060888",
			arena_printf(
				req->arena,
				"The property '%s' does not exist on type 'Microsoft.Dynamics.CRM.contact'.",
				bad));
		return;
	}
	if (fresh)
		c = dynamics_new_contact(w, o, id != NULL ? world_text(w, id) : world_uuid(w));
	(void)set_fields(w, c, req->body);
	dynamics_changed(w, c, fresh ? "create-contact" : "patch-contact", "api");
	written(w, req, resp, c, fresh);
}

static void read_contact(struct world *w, const struct twin_req *req, struct twin_resp *resp,
			 const struct dyn_org *o, const char *id)
{
	const struct dyn_contact *c = index_get(&o->by_id, id);
	const char *none = req_header(req, "if-none-match"), *select = req_query(req, "$select"),
		   *bad = bad_select(req, select);
	struct arena *a = req->arena;
	struct value *v;

	if (c == NULL) {
		api_error(req, resp, 404, "0x80040217",
			  arena_printf(a, "contact With Id = %s Does Not Exist", id));
		return;
	}
	if (bad != NULL) {
		api_error(
			req, resp, 400, "0x80060888",
			arena_printf(
				a,
				"Could not find a property named '%s' on type 'Microsoft.Dynamics.CRM.contact'.",
				bad));
		return;
	}
	if (none != NULL && strcmp(none, arena_printf(a, "W/\"%" PRId64 "\"", c->version)) == 0) {
		resp->status = 304;
		return;
	}
	v = contact_value(w, a, c, select);
	value_set(a, v, "@odata.context",
		  value_stringf(a, "%s/$metadata#contacts/$entity", api_base(req, o)));
	resp_json(resp, 200, v);
}

/* The GUID of "contacts(<guid>)" in lower case, "" when it is none, NULL when the segment is something else. */
static const char *contact_id(const struct twin_req *req, const char *segment)
{
	size_t len = strlen(segment);
	char *id;

	if (strncmp(segment, "contacts(", 9) != 0 || segment[len - 1] != ')')
		return NULL;
	id = arena_strndup(req->arena, segment + 9, len - 10);
	for (char *p = id; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return strlen(id) == 36 && strspn(id, "0123456789abcdef-") == 36 ? id : "";
}

static void answer_whoami(const struct twin_req *req, struct twin_resp *resp,
			  const struct dyn_org *o)
{
	struct arena *a = req->arena;
	struct value *v = value_map(a);

	value_set(a, v, "@odata.context",
		  value_stringf(a, "%s/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
				api_base(req, o)));
	value_set(a, v, "BusinessUnitId", value_string(a, "00000000-0000-4000-a000-00000000000b"));
	value_set(a, v, "UserId", value_string(a, "00000000-0000-4000-a000-00000000000a"));
	value_set(a, v, "OrganizationId", value_string(a, o->guid));
	resp_json(resp, 200, v);
}

static void answer_api(struct world *w, const struct twin_req *req, struct twin_resp *resp,
		       struct dyn_org *o)
{
	const struct dyn_token *t = req_bearer(req) != NULL ? find_token(w, req_bearer(req)) : NULL;
	const char *what = req->segment_count > 5 ? req->segments[5] : "",
		   *id = contact_id(req, what);
	bool get = req_is(req, "GET"), writes = req_is(req, "PATCH") || req_is(req, "POST");

	if (t == NULL || t->org != o || !audience_fits(w, t)) {
		resp->status = 401; /* and no JSON */
		resp_header(
			resp, "WWW-Authenticate",
			arena_printf(
				req->arena,
				"Bearer authorization_uri=%s/entra/%s/oauth2/authorize, resource_id=https://%s/",
				req->origin, o->tenant, o->host));
		return;
	}
	if (writes && !t->client->writes)
		api_error(
			req, resp, 403, "0x80040220",
			"SecLib::AccessCheckEx failed: the user lacks the privilege prvWriteContact.");
	else if (get && req_path(req, 5, "WhoAmI"))
		answer_whoami(req, resp, o);
	else if (get && req_path(req, 5, "contacts"))
		list_contacts(w, req, resp, o, false);
	else if (get && req_path(req, 5, "contacts/$count"))
		list_contacts(w, req, resp, o, true);
	else if (req_is(req, "POST") && req_path(req, 5, "contacts"))
		write_contact(w, req, resp, o, NULL);
	else if (id != NULL && *id == '\0')
		api_error(req, resp, 400, "0x80060888", "The key in the request URI is not valid.");
	else if (get && id != NULL && req_path(req, 5, "*"))
		read_contact(w, req, resp, o, id);
	else if (req_is(req, "PATCH") && id != NULL && req_path(req, 5, "*"))
		write_contact(w, req, resp, o, id);
	else
		api_error(req, resp, get ? 404 : 405, "0x8006088a",
			  arena_printf(req->arena, "Resource not found for the segment '%s'.",
				       what));
}

static bool dynamics_serves(const struct twin_req *req)
{
	return req->segment_count > 0 && (strcmp(req->segments[0], "dynamics") == 0 ||
					  strcmp(req->segments[0], "entra") == 0);
}

static void dynamics_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	bool entra = strcmp(req->segments[0], "entra") == 0;
	struct dyn_org *o =
		!entra && req->segment_count > 1 ? dynamics_org(w, req->segments[1]) : NULL;
	int64_t retry_s;

	resp_header(resp, entra ? "x-ms-request-id" : "x-ms-service-request-id",
		    arena_printf(req->arena, "fake-dynamics-%" PRIu64, ++w->dynamics.requests));
	if (!entra)
		resp_header(resp, "OData-Version", "4.0");
	if (world_throttled(w, SYS_DYNAMICS, &retry_s)) {
		resp_header(resp, "Retry-After", arena_printf(req->arena, "%" PRId64, retry_s));
		if (entra)
			entra_error(w, req, resp, 429, "temporarily_unavailable", 90055,
				    "The tenant has exceeded its limit of requests.");
		else
			api_error(
				req, resp, 429, "0x80072322",
				"Number of requests exceeded the limit of 6000 over a time window of 300 seconds.");
	} else if (entra && req_path(req, 1, "*/oauth2/v2.0/token") && req_is(req, "POST")) {
		answer_entra(w, req, resp);
	} else if (o != NULL && req->segment_count > 5 && strcmp(req->segments[2], "api") == 0 &&
		   strcmp(req->segments[3], "data") == 0 && strcmp(req->segments[4], "v9.2") == 0) {
		answer_api(w, req, resp, o);
	} else {
		api_error(req, resp, 404, "",
			  "No HTTP resource was found that matches the request URI.");
	}
}

const struct twin dynamics_twin = {
	.name = "dynamics",
	.doc = "Microsoft Dynamics 365: the Web API under /dynamics/<org> and Entra's token endpoint under /entra/<tenant>",
	.serves = dynamics_serves,
	.answer = dynamics_answer,
};
