/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.c - have contacts that changed since the restart arrived as profiles?
 *
 * The join: a profile's externalId equals the contact's id (d365-acs-notices-and-recommendations.md). byText looks for prefixes, so what it
 * finds is compared again (retrieving-profiles.md). Next pages are fetched by the link given, verbatim (pagination.md). Read 2026-11-23.
 * A profile that is merely there proves nothing, and lastModified moves only when an update really changed something.
 */
#include <string.h>
#include <strings.h>

#include "campaign.h"
#include "core/base/when.h"

#define LOOK_MAX 3  /* contacts: calls count against the customer's contract */
#define PAGES_MAX 3 /* next pages per contact */
#define LINES "_lineCount=25&_forcePagination=true"

static const struct fact facts[] = {
	{ "looked", VAL_INT, FACT_SAMPLE, "contacts that were looked up" },
	{ "arrived", VAL_INT, FACT_SAMPLE, "of these, those whose change has arrived" },
	{ "arrivals", VAL_LIST, FACT_SAMPLE, "contact, modified_at, profile_at" },
	{ 0 },
};

struct pick {
	const char *id, *email, *value;
	int64_t modified_at;
};
struct lookup {
	const char *tenant;
	struct pick picks[LOOK_MAX]; /* newest first */
	size_t count, at;            /* at: the one asked for */
	size_t pages;
	size_t looked, arrived;
	struct value *arrivals;
	int64_t since;
	bool by_filter;
};

static void pick_newest(struct lookup *l, const struct value *contacts)
{
	for (size_t i = 0; i < value_count(contacts); i++) {
		const struct value *item = value_at(contacts, i);
		struct pick p = { .id = value_text(value_get(item, "id")),
				  .email = value_text(value_get(item, "email")),
				  .value = value_text(value_get(item, "value")),
				  .modified_at = value_int_or(value_get(item, "modified_at"), 0) };
		size_t to = l->count;

		if (!p.id || (!l->by_filter && (!p.email || !*p.email)))
			continue; /* nothing to look it up by */
		while (to > 0 && l->picks[to - 1].modified_at < p.modified_at)
			to--;
		if (to == LOOK_MAX)
			continue;
		l->count = MIN_OF(l->count + 1, (size_t)LOOK_MAX);
		memmove(&l->picks[to + 1], &l->picks[to], (l->count - to - 1) * sizeof(p));
		l->picks[to] = p;
	}
}

/* Ids are compared without braces and case: how the integration writes them is not documented. */
static bool same_id(const char *a, const char *b)
{
	size_t n;

	if (!a || !b)
		return false;
	a += *a == '{';
	b += *b == '{';
	n = strcspn(b, "}");
	return strcspn(a, "}") == n && strncasecmp(a, b, n) == 0;
}

static struct http_req lookup_request(const struct call *c, const struct lookup *l)
{
	const struct view *v = c->view;
	const struct pick *p = &l->picks[l->at];
	const char *template = view_fact_text(v, "campaign.filter", "template");
	struct http_req req = campaign_get(NULL, "look up a profile");

	if (!l->by_filter) {
		req.path = http_path(c->arena, "/%s/campaign/profileAndServices/profile/byText",
				     l->tenant);
		req.query = arena_printf(c->arena, "%s&" LINES,
					 http_query(c->arena, "text", p->email, "filterType",
						    "email", (char *)NULL));
		return req;
	}
	/* Samples show whole addresses, and paths from the tenant's root. */
	if (template && strstr(template, "://"))
		req.href = template;
	else if (template && strncmp(template, "/profileAndServices", 19) == 0)
		req.path = arena_printf(c->arena, "%s%s",
					http_path(c->arena, "/%s/campaign", l->tenant), template);
	else
		req.path = http_path(c->arena, "/%s/campaign/profileAndServicesExt/profile/%s",
				     l->tenant, view_fact_text(v, "campaign.filter", "filter"));
	req.query =
		arena_printf(c->arena, "%s&" LINES,
			     http_query(c->arena, view_fact_text(v, "campaign.filter", "parameter"),
					p->id, (char *)NULL));
	return req;
}

static enum next finish(struct call *c, const struct lookup *l)
{
	struct arena *a = c->arena;

	if (!c->facts)
		c->facts = value_map(a);
	value_set(a, c->facts, "looked", value_int(a, (int64_t)l->looked));
	value_set(a, c->facts, "arrived", value_int(a, (int64_t)l->arrived));
	value_set(a, c->facts, "arrivals", l->arrivals);
	return NEXT_DONE;
}

static enum next ask_next(struct call *c, struct lookup *l, struct http_req *req)
{
	if (l->at == l->count)
		return finish(c, l);
	l->pages = 0;
	*req = lookup_request(c, l);
	return NEXT_SEND;
}

static int64_t instant_of(const struct value *profile, const char *key)
{
	const char *text = value_text(value_get(profile, key));
	struct err ignored = ERR_INIT;
	int64_t ms;

	return text && when_parse(text, &ms, NULL, &ignored) == 0 ? ms : 0;
}

/* When this profile took up the contact's change; 0: it did not, or it is another's. */
static int64_t arrived_at(const struct call *c, const struct lookup *l, const struct value *profile)
{
	const struct pick *p = &l->picks[l->at];
	const char *email = value_text(value_get(profile, "email"));
	const char *external = value_text(value_get(profile, "externalId"));
	const char *field = value_text(view_want(c->view, "dynamics.canary.profile_field"));
	int64_t at = MAX_OF(instant_of(profile, "created"), instant_of(profile, "lastModified"));

	if (!l->by_filter && (!email || strcasecmp(email, p->email) != 0))
		return 0;
	if (!same_id(external, p->id) && (external || !l->by_filter))
		return 0;
	if (field && p->value) {
		const char *have = value_text(value_get(profile, field));

		return have && strcmp(have, p->value) == 0 ? MAX_OF(at, p->modified_at) : 0;
	}
	return at > l->since && at >= p->modified_at ? at : 0;
}

static bool take_page(struct call *c, struct lookup *l, const struct value *content)
{
	const struct pick *p = &l->picks[l->at];
	struct arena *a = c->arena;

	for (size_t i = 0; i < value_count(content); i++) {
		int64_t at = arrived_at(c, l, value_at(content, i));
		struct value *arrival;

		if (at == 0)
			continue;
		arrival = value_map(a);
		value_set(a, arrival, "contact", value_string(a, p->id));
		value_set(a, arrival, "modified_at", value_int(a, p->modified_at));
		value_set(a, arrival, "profile_at", value_int(a, at));
		value_list_add(a, l->arrivals, arrival);
		l->arrived++;
		return true;
	}
	return false;
}

static enum next profile_observe(struct call *c, const struct http_resp *last, struct http_req *req,
				 struct err *err)
{
	struct lookup *l = c->state;
	const struct value *content;
	const char *href;

	if (!l) {
		c->state = l = ARENA_NEW(c->arena, struct lookup);
		if (campaign_tenant(c->view, &l->tenant, err) < 0)
			return NEXT_FAIL;
		l->arrivals = value_list(c->arena);
		l->since = campaign_since_ms(c->view);
		l->by_filter =
			view_known(c->view, "campaign.filter") &&
			!value_bool_or(view_fact(c->view, "campaign.filter", "fallback"), true);
		if (l->since != 0)
			pick_newest(l, view_fact(c->view, "dynamics.contact", "contacts"));
		return ask_next(c, l, req);
	}
	*req = lookup_request(c, l);
	if (last->status != 200) {
		campaign_unexpected(req, last, l->tenant, err);
		return NEXT_FAIL;
	}
	content = value_get(last->body, "content");
	if (value_need_kind(content, VAL_LIST, "content", err) < 0) {
		err_wrap(err, "campaign: %s", req->what);
		return NEXT_FAIL;
	}
	href = value_text(value_path(last->body, "next.href"));
	if (!take_page(c, l, content) && href && l->pages < PAGES_MAX) {
		l->pages++;
		*req = campaign_get(NULL, "look up a profile, next page");
		req->href = href;
		return NEXT_SEND;
	}
	l->looked++;
	l->at++;
	return ask_next(c, l, req);
}

static int profile_diff(const struct view *v, struct changes *c, struct err *err)
{
	static const char *const reads[] = { "dynamics.access", "campaign.access" };

	(void)err;
	if (!changes_have(c, "app.workflow", "stable"))
		return 0;
	if (!view_want(v, "campaign")) {
		changes_find(
			c, FIND_NOTE, "arrival-unproved",
			"add a campaign: section, and connections campaign and dynamics",
			"nothing shows that records arrive in Campaign: environment '%s' has no 'campaign:' section",
			v->env);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(reads); i++) {
		const struct observation *o = view_seen(v, reads[i]);

		if (o && (o->known == KNOWN_DENIED || o->known == KNOWN_FAILED))
			changes_find(
				c, FIND_WARN, "arrival-unproved", NULL,
				"%s cannot be read (%s): that records arrive may stay unproved",
				reads[i], o->why ? o->why : known_name(o->known));
	}
	changes_add(c, &campaign_arrive, NULL, NULL, "prove");
	return 0;
}

static const char *const gates[] = { "records_arrive", NULL };
const struct change_type campaign_arrive = {
	.name = "arrive",
	.doc = "a contact changed after the restart arrives in Campaign",
	.phase = PHASE_PROVE,
	.undo = UNDO_NOTHING,
	.flags = CHANGE_OPTIONAL,
	.after = gates,
};

static const char *const needs[] = { "dynamics.contact", NULL };
static const struct change_type *const changes[] = { &campaign_arrive, NULL };

const struct thing_type campaign_profile = {
	.name = "campaign.profile",
	.doc = "profiles of the contacts that changed since the restart",
	.conn = "campaign",
	.needs = needs,
	.facts = facts,
	.observe = profile_observe,
	.diff = profile_diff,
	.changes = changes,
};
