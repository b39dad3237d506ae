/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dynamics organisations: contacts in order of their row versions, and the people who edit them.
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct dyn_org *dynamics_org(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->dynamics.count; i++) {
		if (strcmp(w->dynamics.orgs[i]->name, name) == 0)
			return w->dynamics.orgs[i];
	}
	return NULL;
}

/* The newest row version stands last: what an ingress has yet to take is the tail of the list. */
static void link_last(struct dyn_org *o, struct dyn_contact *c)
{
	c->prev = o->newest;
	c->next = NULL;
	if (o->newest != NULL)
		o->newest->next = c;
	else
		o->oldest = c;
	o->newest = c;
	c->version = ++o->version;
}

static void unlink_contact(struct dyn_org *o, struct dyn_contact *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		o->oldest = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		o->newest = c->prev;
}

void dynamics_changed(struct world *w, struct dyn_contact *c, const char *what, const char *who)
{
	if (c->version != 0)
		unlink_contact(c->org, c);
	link_last(c->org, c);
	c->modified = w->now_ms;
	c->writes++;
	world_wrote(w, "dynamics", what, who, arena_join(&w->arena, c->org->name, '/', c->id));
	app_contact_changed(w, c->org);
}

struct dyn_contact *dynamics_new_contact(struct world *w, struct dyn_org *o, const char *id)
{
	struct dyn_contact *c = ARENA_NEW(&w->arena, struct dyn_contact);

	c->id = id;
	c->org = o;
	c->email = c->first = c->last = c->nickname = c->description = "";
	c->created = c->modified = w->now_ms;
	WORLD_PUSH(w, o->contacts, o->contact_count, o->contact_cap, c);
	index_put(w, &o->by_id, id, c);
	return c;
}

void dynamics_edit(struct world *w, struct dyn_contact *c, const char *who)
{
	const char *mark = strstr(c->last, " #");
	CLEANUP(sb_done) struct sb last = SB_INIT(SB_TEXT_MAX);

	/* By far the most frequent of all events, so without a printf. */
	sb_addn(&last, c->last, mark != NULL ? (size_t)(mark - c->last) : strlen(c->last));
	sb_add(&last, " #");
	sb_add_int(&last, c->org->version + 1);
	c->last = world_text(w, last.buf);
	dynamics_changed(w, c, "patch-contact", who);
}

static void activity(struct world *w, void *what, int64_t arg)
{
	struct dyn_org *o = what;

	(void)arg;
	if (o->contact_count > 0)
		dynamics_edit(w,
			      o->busy != NULL ? o->busy :
						o->contacts[o->turns++ % o->contact_count],
			      "activity");
	world_at(w, w->now_ms + o->every, activity, o, 0);
}

/* ---- the document ---- */

static int load_client(struct world *w, struct dyn_org *o, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "client_id", "client_secret", "expired", "writes",
					    NULL };
	struct dyn_client c = { .writes = true };

	if (load_keys(v, "a Dynamics client", keys, err) < 0 ||
	    load_text(w, v, "client_id", true, &c.client_id, err) < 0 ||
	    load_text(w, v, "client_secret", true, &c.client_secret, err) < 0 ||
	    load_bool(v, "expired", &c.expired, err) < 0 ||
	    load_bool(v, "writes", &c.writes, err) < 0)
		return -E_PLAN;
	WORLD_PUSH(w, o->clients, o->client_count, o->client_cap, c);
	return 0;
}

static int load_contact(struct world *w, struct dyn_org *o, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "id", "email", "first", "last", "modified", NULL };
	struct dyn_contact *c;
	const char *id = NULL;

	if (load_keys(v, "a contact", keys, err) < 0 || load_text(w, v, "id", true, &id, err) < 0)
		return -E_PLAN;
	for (const char *p = id; *p != '\0'; p++) {
		/* Answers write GUIDs in lower case, and so has a world to. */
		if (strchr("0123456789abcdef-", *p) == NULL || strlen(id) != 36)
			return err_at(err, value_get(v, "id")->pos,
				      "a contact's id is a GUID in lower case");
	}
	if (index_get(&o->by_id, id) != NULL)
		return err_at(err, value_get(v, "id")->pos, "two contacts have the id '%s'", id);
	c = dynamics_new_contact(w, o, id);
	c->created = w->start_ms - 300 * WHEN_DAY;
	c->modified = w->start_ms - WHEN_DAY;
	if (load_text(w, v, "email", false, &c->email, err) < 0 ||
	    load_text(w, v, "first", false, &c->first, err) < 0 ||
	    load_text(w, v, "last", false, &c->last, err) < 0 ||
	    load_time(w, v, "modified", &c->modified, err) < 0)
		return -E_PLAN;
	c->created = MIN_OF(c->created, c->modified);
	return 0;
}

static int by_modified(const void *x, const void *y)
{
	const struct dyn_contact *a = *(const struct dyn_contact *const *)x,
				 *b = *(const struct dyn_contact *const *)y;

	if (a->modified != b->modified)
		return a->modified < b->modified ? -1 : 1;
	return strcmp(a->id, b->id);
}

static void number_contacts(struct world *w, struct dyn_org *o)
{
	struct dyn_contact **sorted =
		arena_array(&w->arena, o->contact_count + 1, sizeof(struct dyn_contact *));

	if (o->contact_count > 0)
		memcpy(sorted, o->contacts, o->contact_count * sizeof(struct dyn_contact *));
	qsort(sorted, o->contact_count, sizeof(struct dyn_contact *), by_modified);
	o->version = 460000;
	for (size_t i = 0; i < o->contact_count; i++)
		link_last(o, sorted[i]);
}

static int load_activity(struct world *w, struct dyn_org *o, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "every", "contact", NULL };
	const char *id = NULL;

	if (v == NULL)
		return 0;
	o->every = 5 * WHEN_MINUTE;
	if (load_keys(v, "activity", keys, err) < 0 || load_span(v, "every", &o->every, err) < 0 ||
	    load_text(w, v, "contact", false, &id, err) < 0)
		return -E_PLAN;
	if (o->every != 0 && o->every < WHEN_SECOND)
		return err_at(err, v->pos, "'every' is a second at least");
	o->busy = id != NULL ? index_get(&o->by_id, id) : NULL;
	if (id != NULL && o->busy == NULL)
		return err_at(err, value_get(v, "contact")->pos, "no contact '%s'", id);
	if (o->every > 0)
		world_at(w, w->start_ms + o->every, activity, o, 0);
	return 0;
}

static int load_org(struct world *w, const struct value *v, struct err *err)
{
	static const char *const keys[] = { "org",      "tenant",   "host",     "clients",
					    "contacts", "activity", "generate", NULL };
	struct dyn_org *o = ARENA_NEW(&w->arena, struct dyn_org);
	const struct value *clients, *contacts;
	int64_t generate = 0;

	if (load_keys(v, "a Dynamics organisation", keys, err) < 0 ||
	    load_text(w, v, "org", true, &o->name, err) < 0 ||
	    load_text(w, v, "tenant", true, &o->tenant, err) < 0 ||
	    load_list(v, "clients", &clients, err) < 0 ||
	    load_list(v, "contacts", &contacts, err) < 0 ||
	    load_int(v, "generate", &generate, err) < 0)
		return -E_PLAN;
	if (dynamics_org(w, o->name) != NULL)
		return err_at(err, value_get(v, "org")->pos, "two organisations are called '%s'",
			      o->name);
	if (generate < 0 || generate > 1000000)
		return err_at(err, value_get(v, "generate")->pos, "'generate' is 0 to 1000000");
	o->host = arena_printf(&w->arena, "%s.api.crm.dynamics.com", o->name);
	o->guid = world_uuid(w);
	if (load_text(w, v, "host", false, &o->host, err) < 0)
		return -E_PLAN;
	WORLD_PUSH(w, w->dynamics.orgs, w->dynamics.count, w->dynamics.cap, o);
	for (size_t i = 0; i < value_count(clients); i++) {
		if (load_client(w, o, value_at(clients, i), err) < 0)
			return -E_PLAN;
	}
	for (size_t i = 0; i < value_count(contacts); i++) {
		if (load_contact(w, o, value_at(contacts, i), err) < 0)
			return -E_PLAN;
	}
	for (int64_t i = 0; i < generate; i++) {
		struct dyn_contact *c = dynamics_new_contact(w, o, world_uuid(w));

		c->email = arena_printf(&w->arena, "made.up.%" PRId64 "@example.com", i);
		c->first = "Made";
		c->last = arena_printf(&w->arena, "Up %" PRId64, i);
		c->created = c->modified = w->start_ms - (generate - i) * WHEN_SECOND - WHEN_DAY;
	}
	number_contacts(w, o);
	return load_activity(w, o, value_get(v, "activity"), err);
}

int dynamics_load(struct world *w, const struct value *doc, struct err *err)
{
	const struct value *list;

	if (load_list(doc, "dynamics", &list, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < value_count(list); i++) {
		if (load_org(w, value_at(list, i), err) < 0)
			return -E_PLAN;
	}
	return 0;
}

void dynamics_truth(const struct world *w, struct arena *a, struct value *ret)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < w->dynamics.count; i++) {
		for (size_t k = 0; k < w->dynamics.orgs[i]->contact_count; k++) {
			const struct dyn_contact *c = w->dynamics.orgs[i]->contacts[k];
			struct value *row = value_map(a);

			value_set(a, row, "org", value_string(a, c->org->name));
			value_set(a, row, "id", value_string(a, c->id));
			value_set(a, row, "email", value_string(a, c->email));
			value_set(a, row, "modified", value_instant(a, c->modified));
			value_set(a, row, "writes", value_int(a, c->writes));
			value_list_add(a, list, row);
		}
	}
	value_set(a, ret, "contacts", list);
}
