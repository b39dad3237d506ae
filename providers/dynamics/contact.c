/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contact.c - contacts changed since the restart: what has to arrive in Campaign.
 *
 * Source: webapi/query/page-results and order-rows, learn.microsoft.com, read 2026-11-23. modifiedon counts whole seconds, hence `ge` and a look for
 * doubles; paging needs an order with a unique end; a nextLink goes back as it came, with the same Prefer.
 */
#include <string.h>
#include <strings.h>

#include "core/base/sb.h"
#include "core/base/when.h"
#include "dynamics.h"

#define PAGES_MAX 4
#define KEEP_MAX 50 /* newest ones; more say nothing more */

static const struct fact facts[] = {
	{ "count", VAL_INT, FACT_SAMPLE, "contacts changed since the restart, of the first pages" },
	{ "newest", VAL_INT, FACT_SAMPLE, "the newest of these changes; 0 for none" },
	{ "contacts", VAL_LIST, FACT_PRIVATE,
	  "the newest of them: id, email, modified_at; of a canary also the value of its field" },
	{ 0 },
};

struct row {
	const char *id, *email, *value;
	int64_t modified_at;
};
struct reading {
	struct row keep[KEEP_MAX]; /* the newest, in the order read */
	size_t kept, count, pages;
	int64_t newest, since;
};

static int read_row(const struct call *c, const struct value *item, struct row *ret,
		    struct err *err)
{
	const char *field = dynamics_canary_field(c->view), *modified;
	struct row r = { .email = value_text(value_get(item, "emailaddress1")) };

	if (value_need_text(item, "contactid", &r.id, err) < 0 ||
	    value_need_text(item, "modifiedon", &modified, err) < 0)
		return -(int)err->code;
	if (when_parse(modified, &r.modified_at, NULL, err) < 0) {
		err_clear(err);
		return err_set(err, E_REMOTE, "field 'modifiedon' is no instant: '%s'", modified);
	}
	if (field)
		r.value = value_text(value_get(item, field));
	*ret = r;
	return 0;
}

static void keep_row(struct reading *g, const struct row *r)
{
	size_t i = 0;

	/* A contact changed while we page stands on two pages. */
	while (i < g->kept && strcasecmp(g->keep[i].id, r->id) != 0)
		i++;
	if (i == g->kept)
		g->count++;
	else if (r->modified_at < g->keep[i].modified_at)
		return;
	if (i == KEEP_MAX || i < g->kept) { /* the oldest, or the earlier state, makes room */
		i = i == KEEP_MAX ? 0 : i;
		memmove(&g->keep[i], &g->keep[i + 1], (g->kept - i - 1) * sizeof(g->keep[0]));
		g->kept--;
	}
	g->keep[g->kept++] = *r;
	g->newest = MAX_OF(g->newest, r->modified_at);
}

static enum next finish(struct call *c, const struct reading *g)
{
	struct arena *a = c->arena;
	struct value *list = value_list(a);

	for (size_t i = 0; i < g->kept; i++) {
		struct value *item = value_map(a);

		value_set(a, item, "id", value_string(a, g->keep[i].id));
		value_set(a, item, "email", value_string(a, g->keep[i].email));
		value_set(a, item, "modified_at", value_int(a, g->keep[i].modified_at));
		if (g->keep[i].value)
			value_set(a, item, "value", value_string(a, g->keep[i].value));
		value_list_add(a, list, item);
	}
	if (!c->facts)
		c->facts = value_map(a);
	value_set(a, c->facts, "count", value_int(a, (int64_t)g->count));
	value_set(a, c->facts, "newest", value_int(a, g->newest));
	value_set(a, c->facts, "contacts", list);
	return NEXT_DONE;
}

/* The option names' dollar is sent as it is: that is how every sample writes it. */
static const char *changed_since(struct arena *a, int64_t since)
{
	CLEANUP(sb_done) struct sb q = SB_INIT(512);

	sb_add(&q, "$select=contactid,emailaddress1,modifiedon&$filter=modifiedon%20ge%20");
	when_add(&q, since);
	sb_add(&q, "&$orderby=modifiedon%20asc,contactid%20asc");
	return arena_strdup(a, q.buf);
}

static struct http_req first_request(const struct call *c, const struct reading *g)
{
	const char *canary = dynamics_canary_contact(c->view);
	struct http_req req;

	if (canary) {
		CLEANUP(sb_done) struct sb q = SB_INIT(1024);

		sb_add(&q, "$select=contactid,emailaddress1,modifiedon");
		if (dynamics_canary_field(c->view)) {
			sb_addc(&q, ',');
			sb_add_escaped(&q, dynamics_canary_field(c->view));
		}
		req = dynamics_get(http_path(c->arena, "/contacts(%s)", canary),
				   "read the canary contact");
		req.query = arena_strdup(c->arena, q.buf);
		return req;
	}
	req = dynamics_get("/contacts", "list changed contacts");
	req.query = changed_since(c->arena, g->since);
	req.headers[4] = (struct http_header){ "Prefer", DYNAMICS_PAGE_PREFER };
	return req;
}

static bool is_marked(const struct call *c, const struct row *r)
{
	const char *mark = dynamics_canary_mark(c->view, c->arena);

	return mark && r->value && strcmp(r->value, mark) == 0;
}

static int take_page(const struct call *c, struct reading *g, const struct value *body,
		     struct err *err)
{
	const struct value *list = value_get(body, "value");
	struct row r;

	if (dynamics_canary_contact(c->view)) {
		if (read_row(c, body, &r, err) < 0)
			return -(int)err->code;
		/* Our own mark is newer than the restart, whatever Dynamics' clock says: it was written after it. */
		if ((g->since && r.modified_at >= g->since) || is_marked(c, &r))
			keep_row(g, &r);
		return 0;
	}
	if (value_need_kind(list, VAL_LIST, "value", err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < value_count(list); i++) {
		if (read_row(c, value_at(list, i), &r, err) < 0)
			return -(int)err->code;
		keep_row(g, &r);
	}
	return 0;
}

static enum next contact_observe(struct call *c, const struct http_resp *last, struct http_req *req,
				 struct err *err)
{
	struct reading *g = c->state;
	const char *next;

	if (!g) {
		c->state = g = ARENA_NEW(c->arena, struct reading);
		/* Dates are compared by the second; a fraction would only be noise in the address. */
		g->since = dynamics_since_ms(c->view) / WHEN_SECOND * WHEN_SECOND;
		if (g->since == 0 &&
		    !dynamics_canary_mark(
			    c->view, c->arena)) /* "since the restart" means nothing without one */
			return finish(c, g);
		*req = first_request(c, g);
		return NEXT_SEND;
	}
	*req = first_request(c, g);
	if (last->status != 200) {
		dynamics_unexpected(req, last, err);
		return NEXT_FAIL;
	}
	if (take_page(c, g, last->body, err) < 0) {
		err_wrap(err, "dynamics: %s", req->what);
		return NEXT_FAIL;
	}
	next = value_text(value_get(last->body, "@odata.nextLink"));
	if (!next || ++g->pages >= PAGES_MAX)
		return finish(c, g);
	req->href = next;
	req->path = req->query = NULL;
	return NEXT_SEND;
}

const struct thing_type dynamics_contact = {
	.name = "dynamics.contact",
	.doc = "contacts changed since the restart",
	.conn = "dynamics",
	.facts = facts,
	.observe = contact_observe,
};
