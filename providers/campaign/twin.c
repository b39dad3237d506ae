/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adobe Campaign Standard's REST API, as far as proving that records flow needs it: profiles, their filters, the metadata
 * that names them, and the state of Campaign's own workflows.
 * Source: our notes on Campaign Standard, sections 1 to 7; behind them help/api/using of
 * github.com/AdobeDocs/campaign-standard.en (experienceleague.adobe.com, "Campaign Standard APIs").
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct tenant *tenant_named(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->campaign.count; i++) {
		if (strcmp(w->campaign.tenants[i]->name, name) == 0)
			return w->campaign.tenants[i];
	}
	return NULL;
}

/* "acme-prod" itself, or "Campaign Standard - acme-prod - Administrators". */
static bool profile_opens(const char *profile, const char *tenant)
{
	size_t len = strlen(tenant);

	for (const char *p = profile; (p = strstr(p, tenant)) != NULL; p++) {
		bool starts = p == profile || (p - profile >= 3 && memcmp(p - 3, " - ", 3) == 0);

		if (starts && (p[len] == '\0' || strncmp(p + len, " - ", 3) == 0))
			return true;
	}
	return false;
}

bool campaign_accepts(const struct world *w, const struct token *t, const struct tenant *tenant)
{
	(void)w;
	if (t->client->cred == NULL)
		return t->client->may_campaign;
	for (texts p = t->client->cred->profiles; p != NULL && *p != NULL; p++) {
		if (profile_opens(*p, tenant->name))
			return true;
	}
	return false;
}

/* ---- profiles ---- */

/* GUIDs come in either case, with braces or without: one form for looking up. */
static const char *plain_id(char buf[128], const char *id)
{
	size_t n = 0;

	for (; *id != '\0' && n < 127; id++) {
		if (*id != '{' && *id != '}')
			buf[n++] = (char)(*id >= 'A' && *id <= 'Z' ? *id | 0x20 : *id);
	}
	buf[n] = '\0';
	return buf;
}

static struct profile *profile_add(struct world *w, struct tenant *t, const char *external_id,
				   int64_t at)
{
	struct profile *p = ARENA_NEW(&w->arena, struct profile);
	char buf[128];

	p->pkey = arena_printf(&w->arena, "@%s", world_hex(w, 32));
	p->external_id = external_id;
	p->email = p->first = p->last = "";
	p->created = p->modified = at;
	WORLD_PUSH(w, t->profiles, t->profile_count, t->profile_cap, p);
	index_put(w, &t->by_pkey, p->pkey, p);
	if (*external_id != '\0')
		index_put(w, &t->by_external, plain_id(buf, external_id), p);
	return p;
}

static const char *external_form(struct world *w, const char *id)
{
	char *s = arena_printf(&w->arena, w->sw.external_id_case == 2 ? "{%s}" : "%s", id);

	for (char *p = s; *p != '\0'; p++)
		*p = (char)(w->sw.external_id_case == 1 ? toupper((unsigned char)*p) :
							  tolower((unsigned char)*p));
	return s;
}

const struct profile *tenant_profile(const struct world *w, const struct tenant *t,
				     const char *contact_id)
{
	char buf[128];

	(void)w;
	return index_get(&t->by_external, plain_id(buf, contact_id));
}

void campaign_take_contact(struct world *w, struct tenant *t, const struct dyn_contact *c,
			   int64_t at)
{
	char buf[128];
	struct profile *p = index_get(&t->by_external, plain_id(buf, c->id));
	bool fresh = p == NULL;

	if (fresh) {
		p = profile_add(w, t, external_form(w, c->id), at);
		p->from_ingress = true;
	}
	/* An identical write leaves lastModified alone. */
	if (strcmp(p->email, c->email) != 0 || strcmp(p->first, c->first) != 0 ||
	    strcmp(p->last, c->last) != 0) {
		p->email = c->email;
		p->first = c->first;
		p->last = c->last;
		if (!fresh)
			p->modified = at;
	}
	p->contact_modified = c->modified;
}

/* ---- the document ---- */

static int load_profile(struct world *w, struct tenant *t, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "external_id", "email",    "first", "last",
					    "created",     "modified", NULL };
	const char *id = "";
	struct profile *p;

	if (load_keys(v, "a profile", keys, err) < 0 ||
	    load_text(w, v, "external_id", false, &id, err) < 0)
		return -E_PLAN;
	p = profile_add(w, t, id, w->start_ms - 10 * WHEN_DAY);
	if (load_text(w, v, "email", false, &p->email, err) < 0 ||
	    load_text(w, v, "first", false, &p->first, err) < 0 ||
	    load_text(w, v, "last", false, &p->last, err) < 0 ||
	    load_time(w, v, "created", &p->created, err) < 0)
		return -E_PLAN;
	p->modified = p->created;
	return load_time(w, v, "modified", &p->modified, err);
}

static int load_filters(struct world *w, struct tenant *t, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "param", "field", NULL };
	static const char *const fields[] = { "externalId", "email", "firstName", "lastName",
					      NULL };

	if (v != NULL && v->kind != VAL_MAP)
		return err_at(err, v->pos, "'filters' is not a map");
	for (size_t i = 0; i < value_count(v); i++) {
		const struct value *row = value_at(v, i);
		struct camp_filter f = { world_text(w, value_key_at(v, i)), NULL, "externalId" };

		if (strncmp(f.name, "by", 2) != 0)
			return err_at(err, value_get_pair(v, f.name)->key_pos,
				      "a filter's name begins with 'by'");
		if (load_keys(row, "a filter", keys, err) < 0 ||
		    load_text(w, row, "param", true, &f.param, err) < 0 ||
		    load_text(w, row, "field", false, &f.field, err) < 0)
			return -E_PLAN;
		if (!text_in(fields, f.field))
			return err_at(
				err, value_get(row, "field")->pos,
				"a filter's field is externalId, email, firstName or lastName");
		WORLD_PUSH(w, t->filters, t->filter_count, t->filter_cap, f);
	}
	return 0;
}

static int load_tenant(struct world *w, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "tenant",    "organization", "profiles", "filters",
					    "workflows", "generate",     NULL };
	static const char *const flow_keys[] = { "id", "state", NULL };
	struct tenant *t = ARENA_NEW(&w->arena, struct tenant);
	const struct value *list;
	const char *ignored;
	int64_t generate = 0;

	if (load_keys(v, "a Campaign tenant", keys, err) < 0 ||
	    load_text(w, v, "tenant", true, &t->name, err) < 0 ||
	    load_text(w, v, "organization", false, &ignored, err) < 0 ||
	    load_int(v, "generate", &generate, err) < 0 ||
	    load_filters(w, t, value_get(v, "filters"), err) < 0 ||
	    load_list(v, "profiles", &list, err) < 0)
		return -E_PLAN;
	if (tenant_named(w, t->name) != NULL)
		return err_at(err, value_get(v, "tenant")->pos, "two tenants are called '%s'",
			      t->name);
	if (generate < 0 || generate > 1000000)
		return err_at(err, value_get(v, "generate")->pos, "'generate' is 0 to 1000000");
	WORLD_PUSH(w, w->campaign.tenants, w->campaign.count, w->campaign.cap, t);
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_profile(w, t, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	for (int64_t i = 0; i < generate; i++) {
		struct profile *p =
			profile_add(w, t, world_uuid(w),
				    w->start_ms - (generate - i) * WHEN_SECOND - WHEN_DAY);

		p->email = arena_printf(&w->arena, "made.up.%" PRId64 "@example.com", i);
		p->first = "Made";
		p->last = arena_printf(&w->arena, "Up %" PRId64, i);
	}
	if (load_list(v, "workflows", &list, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < value_count(list); i++) {
		struct camp_workflow f = { NULL, NULL, "started" };

		if (load_keys(value_at(list, i), "a Campaign workflow", flow_keys, err) < 0 ||
		    load_text(w, value_at(list, i), "id", true, &f.id, err) < 0 ||
		    load_text(w, value_at(list, i), "state", false, &f.state, err) < 0)
			return -E_PLAN;
		f.pkey = arena_printf(&w->arena, "@%s", world_hex(w, 32));
		WORLD_PUSH(w, t->flows, t->flow_count, t->flow_cap, f);
	}
	return 0;
}

int campaign_load(struct world *w, const struct value *doc, struct err *err)
{
	const struct value *list;

	if (load_list(doc, "campaign", &list, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_tenant(w, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	return 0;
}

void campaign_truth(const struct world *w, struct arena *a, struct value *ret)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < w->campaign.count; i++) {
		const struct tenant *t = w->campaign.tenants[i];

		for (size_t k = 0; k < t->profile_count; k++) {
			const struct profile *p = t->profiles[k];
			struct value *row = value_map(a);

			value_set(a, row, "tenant", value_string(a, t->name));
			value_set(a, row, "external_id", value_string(a, p->external_id));
			value_set(a, row, "email", value_string(a, p->email));
			value_set(a, row, "created", value_instant(a, p->created));
			value_set(a, row, "modified", value_instant(a, p->modified));
			value_set(a, row, "from_contact_modified",
				  value_instant(a, p->contact_modified));
			value_list_add(a, list, row);
		}
	}
	value_set(a, ret, "profiles", list);
}

/* ---- the wire ---- */

static void gateway_error(const struct twin_req *req, struct twin_resp *resp, int status,
			  const char *code, const char *message)
{
	struct value *body = value_map(req->arena);

	value_set(req->arena, body, "error_code", value_string(req->arena, code));
	value_set(req->arena, body, "message", value_string(req->arena, message));
	resp_json(resp, status, body);
}

static const struct value *camp_time(const struct world *w, struct arena *a, int64_t true_ms)
{
	int64_t ms = world_clock(w, SYS_CAMPAIGN, true_ms);
	char text[WHEN_TEXT_MAX];

	if (ms == 0)
		return value_null(a);
	(void)when_text(text, ms - ms % WHEN_SECOND);
	text[10] = w->sw.date_with_t ? 'T' : ' ';
	text[19] = '\0';
	return value_stringf(a, "%s.%03dZ", text, (int)(ms % WHEN_SECOND));
}

/* A link as this server writes it. `rest` begins behind "/campaign/". */
static const char *href(const struct world *w, const struct twin_req *req, const struct tenant *t,
			const char *rest)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(32768);

	if (!w->sw.relative_hrefs)
		sb_add(&out, req->origin);
	sb_add(&out, "/");
	sb_add_escaped(&out, t->name);
	sb_add(&out, "/campaign/");
	sb_add(&out, rest);
	return arena_strndup(req->arena, out.buf, out.len);
}

static struct value *link_value(struct arena *a, const char *to)
{
	struct value *v = value_map(a);

	value_set(a, v, "href", value_string(a, to));
	return v;
}

static const char *profile_field(const struct profile *p, const char *field)
{
	if (strcmp(field, "externalId") == 0)
		return p->external_id;
	if (strcmp(field, "email") == 0)
		return p->email;
	if (strcmp(field, "firstName") == 0)
		return p->first;
	return strcmp(field, "lastName") == 0 ? p->last : NULL;
}

static struct value *profile_value(const struct world *w, const struct twin_req *req,
				   const struct tenant *t, const struct profile *p)
{
	static const char *const channels[] = {
		"", "Email", "Fax", "Mobile", "Phone", "PostalMail", "Pushnotification"
	};
	struct arena *a = req->arena;
	struct value *v = value_map(a);

	value_set(a, v, "PKey", value_string(a, p->pkey));
	value_set(a, v, "externalId", value_string(a, p->external_id));
	value_set(a, v, "firstName", value_string(a, p->first));
	value_set(a, v, "lastName", value_string(a, p->last));
	value_set(a, v, "email", value_string(a, p->email));
	value_set(a, v, "created", camp_time(w, a, p->created));
	value_set(a, v, "lastModified", camp_time(w, a, p->modified));
	value_set(a, v, "isExternal", value_bool(a, false));
	for (size_t i = 0; i < ARRAY_LEN(channels); i++)
		value_set(a, v,
			  arena_printf(a, "%s%s", w->sw.list_names == 0 ? "blackList" : "denyList",
				       channels[i]),
			  value_bool(a, false));
	value_set(a, v, "ccpaOptOut", value_bool(a, false));
	value_set(a, v, "href",
		  value_string(a, href(w, req, t,
				       arena_printf(a, "profileAndServices/profile/%s", p->pkey))));
	return v;
}

/* One filter of the path against one profile. 1 keeps it, 0 does not, -1: no such filter. */
static int filter_keeps(const struct twin_req *req, const struct tenant *t, const char *name,
			const struct profile *p)
{
	const char *text = req_query(req, "text"), *type = req_query(req, "filterType"), *have;

	if (strcmp(name, "byText") == 0) {
		/* Prefix only, and upper case is not lower case. */
		if (type == NULL)
			type = "email";
		have = profile_field(p, type);
		return text != NULL && have != NULL && strncmp(have, text, strlen(text)) == 0;
	}
	if (strcmp(name, "byEmail") == 0)
		return req_query(req, "email") != NULL &&
		       strcmp(p->email, req_query(req, "email")) == 0;
	for (size_t i = 0; i < t->filter_count; i++) {
		if (strcmp(t->filters[i].name, name) == 0)
			return req_query(req, t->filters[i].param) != NULL &&
			       strcmp(profile_field(p, t->filters[i].field),
				      req_query(req, t->filters[i].param)) == 0;
	}
	return -1;
}

static bool filter_known(const struct twin_req *req, const struct tenant *t, const char *name)
{
	static const struct profile nobody = {
		.external_id = "", .email = "", .first = "", .last = ""
	};

	return filter_keeps(req, t, name, &nobody) >= 0;
}

struct listing {
	size_t from_segment, to_segment; /* the filters in the path */
	const char *field;               /* a single field's list, or NULL */
	struct profile **found;
	size_t count;
};

struct sorting {
	const char *field;
	bool down;
};

static int by_field(const void *x, const void *y, void *how)
{
	const struct profile *a = *(const struct profile *const *)x,
			     *b = *(const struct profile *const *)y;
	const struct sorting *s = how;
	int r;

	if (strcmp(s->field, "created") == 0)
		r = a->created < b->created ? -1 : a->created > b->created;
	else if (strcmp(s->field, "lastModified") == 0)
		r = a->modified < b->modified ? -1 : a->modified > b->modified;
	else
		r = strcmp(profile_field(a, s->field), profile_field(b, s->field));
	if (r == 0)
		r = strcmp(a->pkey, b->pkey);
	return s->down ? -r : r;
}

/* False: not sortable by that. */
static bool sort_listing(const struct twin_req *req, struct listing *l)
{
	static const char *const fields[] = { "email",   "firstName",    "lastName", "externalId",
					      "created", "lastModified", NULL };
	const char *order = req_query(req, "_order");
	struct sorting how = { NULL, false };
	size_t len;

	if (order == NULL)
		return true;
	len = strcspn(order, " ");
	how.field = arena_strndup(req->arena, order, len);
	how.down = strcmp(order + len, " desc") == 0;
	if (!text_in(fields, how.field) ||
	    (order[len] != '\0' && !how.down && strcmp(order + len, " asc") != 0))
		return false;
	qsort_r(l->found, l->count, sizeof(struct profile *), by_field, &how);
	return true;
}

static void collect(const struct twin_req *req, const struct tenant *t, struct listing *l)
{
	l->found = arena_array(req->arena, t->profile_count + 1, sizeof(struct profile *));
	for (size_t i = 0; i < t->profile_count; i++) {
		bool keep = true;

		for (size_t s = l->from_segment; s < l->to_segment && keep; s++)
			keep = filter_keeps(req, t, req->segments[s], t->profiles[i]) == 1;
		if (keep)
			l->found[l->count++] = t->profiles[i];
	}
}

/* The path as asked, with the same filters, and a token that only this server can make. */
static const char *again(const struct world *w, const struct twin_req *req, const struct tenant *t,
			 const struct listing *l, bool count, size_t start)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(32768);

	for (size_t i = 2; i < l->to_segment; i++)
		sb_addf(&out, "%s%s", i > 2 ? "/" : "", req->segments[i]);
	if (l->field != NULL)
		sb_addf(&out, "/%s", l->field);
	sb_addf(&out, "%s?_lineStart=@%zxK", count ? "/_count" : "", start * 31 + 4711);
	for (size_t i = 0; i < value_count(req->query); i++) {
		const char *name = value_key_at(req->query, i);

		if (strcmp(name, "_lineStart") == 0 || value_text(value_at(req->query, i)) == NULL)
			continue;
		sb_add(&out, "&");
		sb_add_escaped(&out, name);
		sb_add(&out, "=");
		sb_add_escaped(&out, value_text(value_at(req->query, i)));
	}
	return href(w, req, t, out.buf);
}

/* -1: a token that this server never gave. */
static int line_start(const struct twin_req *req, size_t *ret)
{
	const char *text = req_query(req, "_lineStart");
	unsigned long n;
	char *end;

	*ret = 0;
	if (text == NULL)
		return 0;
	if (*text != '@')
		return -1;
	n = strtoul(text + 1, &end, 16);
	if (strcmp(end, "K") != 0 || n < 4711 || (n - 4711) % 31 != 0)
		return -1;
	*ret = (n - 4711) / 31;
	return 0;
}

static void application_error(const struct twin_req *req, struct twin_resp *resp, int status,
			      const char *title)
{
	struct value *body = value_map(req->arena);

	value_set(req->arena, body, "error_code", value_string(req->arena, "RST-360011"));
	value_set(req->arena, body, "error_title", value_string(req->arena, title));
	resp_json(resp, status, body);
}

static void answer_list(const struct world *w, const struct twin_req *req, struct twin_resp *resp,
			const struct tenant *t, struct listing *l, bool count_only)
{
	const char *size_text = req_query(req, "_lineCount"),
		   *force = req_query(req, "_forcePagination");
	size_t size = size_text != NULL ? (size_t)strtoul(size_text, NULL, 10) : 25, start, end;
	struct arena *a = req->arena;
	struct value *v = value_map(a), *content = value_list(a);
	bool big;

	for (size_t s = l->from_segment; s < l->to_segment; s++) {
		if (!filter_known(req, t, req->segments[s])) {
			application_error(req, resp, 404, "An error has occurred: unknown filter.");
			return;
		}
	}
	collect(req, t, l);
	if (count_only) {
		value_set(a, v, "count", value_int(a, (int64_t)l->count));
		resp_json(resp, 200, v);
		return;
	}
	if (!sort_listing(req, l) || line_start(req, &start) < 0 || size == 0 || size > 100000) {
		application_error(req, resp, 500,
				  "An error has occurred: a parameter is not valid.");
		return;
	}
	big = (int64_t)l->count > w->sw.big_table;
	end = MIN_OF(start + size, l->count);
	for (size_t i = start; i < end; i++)
		value_list_add(a, content,
			       l->field != NULL ?
				       value_string(a, profile_field(l->found[i], l->field)) :
				       profile_value(w, req, t, l->found[i]));
	value_set(a, v, "content", content);
	if (end < l->count && (!big || (force != NULL && strcmp(force, "true") == 0)))
		value_set(a, v, "next", link_value(a, again(w, req, t, l, false, end)));
	if (!big || w->sw.count_on_big_tables)
		value_set(a, v, "count", link_value(a, again(w, req, t, l, true, start)));
	value_set(a, v, "serverSidePagination", value_bool(a, true));
	resp_json(resp, 200, v);
}

/* /profile, and all that may follow it: a key, a field, filters, _count. */
static void answer_profile(const struct world *w, const struct twin_req *req,
			   struct twin_resp *resp, const struct tenant *t)
{
	struct listing l = { .from_segment = 4, .to_segment = req->segment_count };
	static const struct profile nobody = {
		.external_id = "", .email = "", .first = "", .last = ""
	};
	const struct profile *p;
	const char *last = req->segments[req->segment_count - 1];
	bool count = strcmp(last, "_count") == 0;

	if (count)
		l.to_segment--;
	if (l.to_segment == 5 && req->segments[4][0] == '@') {
		p = index_get(&t->by_pkey, req->segments[4]);
		if (p == NULL)
			application_error(req, resp, 404, "The document was not found.");
		else
			resp_json(resp, 200, profile_value(w, req, t, p));
		return;
	}
	if (l.to_segment == 5 && profile_field(&nobody, req->segments[4]) != NULL) {
		l.field = req->segments[4];
		l.to_segment = 4;
	}
	answer_list(w, req, resp, t, &l, count);
}

static void filter_row(struct arena *a, struct value *map, const char *name, const char *data)
{
	struct value *row = value_map(a);

	value_set(a, row, "PKey", value_stringf(a, "@filter%s", name));
	value_set(a, row, "category", value_string(a, "profile"));
	value_set(a, row, "data", value_string(a, data));
	value_set(a, row, "formType", value_string(a, "none"));
	value_set(a, row, "label", value_string(a, name));
	value_set(a, map, name, row);
}

static void answer_metadata(const struct world *w, const struct twin_req *req,
			    struct twin_resp *resp, const struct tenant *t)
{
	struct arena *a = req->arena;
	struct value *v = value_map(a);
	const char *family = req->segments[2];

	if (req_path(req, 3, "resourceType/profile")) {
		value_set(a, v, "name", value_string(a, "profile"));
		value_set(a, v, "filters",
			  link_value(a, href(w, req, t,
					     arena_printf(a, "%s/resourceType/profile/filters",
							  family))));
		resp_json(resp, 200, v);
		return;
	}
	filter_row(a, v, "byText",
		   href(w, req, t,
			arena_printf(a, "%s/profile/byText?text=$value&filterType=$value",
				     family)));
	filter_row(a, v, "byEmail",
		   href(w, req, t, arena_printf(a, "%s/profile/byEmail?email=$value", family)));
	for (size_t i = 0; i < t->filter_count; i++)
		filter_row(a, v, t->filters[i].name,
			   href(w, req, t,
				arena_printf(a, "%s/profile/%s?%s=$value", family,
					     t->filters[i].name, t->filters[i].param)));
	resp_json(resp, 200, v);
}

static void answer_workflow(const struct world *w, const struct twin_req *req,
			    struct twin_resp *resp, const struct tenant *t)
{
	static const char *const keys[] = { "state", "status", "executionState" };
	struct arena *a = req->arena;
	struct value *v = value_map(a), *activities = value_map(a);

	for (size_t i = 0; i < t->flow_count; i++) {
		if (strcmp(t->flows[i].id, req->segments[4]) != 0)
			continue;
		value_set(a, v, "PKey", value_string(a, t->flows[i].pkey));
		value_set(a, activities, "activity", value_map(a));
		value_set(a, v, "activities", activities);
		if (w->sw.workflow_state_key < 3)
			value_set(a, v, keys[w->sw.workflow_state_key],
				  value_string(a, t->flows[i].state));
		resp_json(resp, 200, v);
		return;
	}
	application_error(req, resp, 404, "The workflow was not found.");
}

static bool campaign_serves(const struct twin_req *req)
{
	return req->segment_count > 1 && strcmp(req->segments[1], "campaign") == 0;
}

/* Token, key, tenant, product profile: in the gateway's order. */
static struct tenant *admit(const struct world *w, const struct twin_req *req,
			    struct twin_resp *resp)
{
	const struct token *token = req_bearer(req) != NULL ? ims_token(w, req_bearer(req)) : NULL;
	const char *key = req_header(req, "x-api-key");
	struct tenant *t = tenant_named(w, req->segments[0]);
	struct value *body;

	if (token == NULL) {
		gateway_error(req, resp, 401, "401013", "Oauth token is not valid");
	} else if (key == NULL || strcmp(key, token->client->client_id) != 0) {
		gateway_error(req, resp, 403, key == NULL ? "403000" : "403003",
			      "Api Key is invalid");
	} else if (t == NULL) {
		body = value_map(req->arena);
		value_set(req->arena, body, "code", value_int(req->arena, 500));
		value_set(
			req->arena, body, "message",
			value_string(req->arena,
				     "Oops. Something went wrong. Check your URI and try again."));
		resp_json(resp, (int)w->sw.oops_status, body);
	} else if (!campaign_accepts(w, token, t)) {
		gateway_error(req, resp, 403, "403023", "Profile is not valid");
	} else {
		return t;
	}
	return NULL;
}

static void campaign_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	const struct tenant *t;
	int64_t retry_s;
	bool ext;

	resp_header(resp, "x-request-id",
		    arena_printf(req->arena, "fake-campaign-%" PRIu64, ++w->campaign.requests));
	if (world_throttled(w, SYS_CAMPAIGN, &retry_s)) {
		gateway_error(req, resp, 429, "429050", "Too many requests");
		resp_header(resp, "Retry-After", arena_printf(req->arena, "%" PRId64, retry_s));
		return;
	}
	t = admit(w, req, resp);
	if (t == NULL)
		return;
	ext = req->segment_count > 2 && strcmp(req->segments[2], "profileAndServicesExt") == 0;
	if (!req_is(req, "GET"))
		application_error(req, resp, 405, "This method is not offered here.");
	else if (ext && !w->sw.ext_published)
		application_error(req, resp, 404, "The resource was not found.");
	else if ((ext || (req->segment_count > 2 &&
			  strcmp(req->segments[2], "profileAndServices") == 0)) &&
		 req->segment_count > 3 && strcmp(req->segments[3], "profile") == 0)
		answer_profile(w, req, resp, t);
	else if (req_path(req, 2, "*/resourceType/profile") ||
		 req_path(req, 2, "*/resourceType/profile/filters"))
		answer_metadata(w, req, resp, t);
	else if (req_path(req, 2, "workflow/execution/*"))
		answer_workflow(w, req, resp, t);
	else
		application_error(req, resp, 404, "The resource was not found.");
}

const struct twin campaign_twin = {
	.name = "campaign",
	.doc = "Adobe Campaign Standard's REST API, each tenant under its own name",
	.serves = campaign_serves,
	.answer = campaign_answer,
};
