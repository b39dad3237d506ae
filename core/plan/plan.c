/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan/plan.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/sb.h"
#include "core/base/when.h"

const char *outlook_name(enum env_outlook o)
{
	switch (o) {
	case OUTLOOK_CHANGES:
		return "changes";
	case OUTLOOK_NOTHING:
		return "nothing";
	case OUTLOOK_ATTEST:
		return "attest";
	case OUTLOOK_LEFT_ALONE:
		return "left-alone";
	case OUTLOOK_REFUSED:
		return "refused";
	case OUTLOOK_FAILED:
		return "failed";
	}
	return "unknown";
}

struct plan *plan_new(struct arena *a, const struct registry *reg, const struct rollout *r)
{
	struct plan *p = ARENA_NEW(a, struct plan);

	p->arena = a;
	p->registry = reg;
	p->rollout = r;
	return p;
}

/* A plan is read by many: whom a contact id names is nobody's business there, and it has no salt to hash it with. */
struct value *plan_without_contacts(struct arena *a, const struct value *v)
{
	struct value *out;

	if (v->kind != VAL_LIST && v->kind != VAL_MAP)
		return value_copy(a, v);
	out = v->kind == VAL_LIST ? value_list(a) : value_map(a);
	for (size_t i = 0; i < value_count(v); i++) {
		if (v->kind == VAL_LIST)
			value_list_add(a, out, plan_without_contacts(a, value_at(v, i)));
		else if (strcmp(value_key_at(v, i), "contact") != 0)
			value_set(a, out, value_key_at(v, i),
				  plan_without_contacts(a, value_at(v, i)));
	}
	return out;
}

struct value *plan_public_facts(struct arena *a, const struct thing_type *t,
				const struct value *facts)
{
	struct value *out = value_map_sized(a, value_count(facts));

	for (const struct fact *f = t->facts; f && f->name; f++) {
		const struct value *v = value_get(facts, f->name);

		if (!v || f->class == FACT_PRIVATE || strcmp(f->name, "contact") == 0)
			continue;
		value_add(a, out, f->name, plan_without_contacts(a, v));
	}
	return out;
}

/* Those of the public facts that say which system it is, under "thing.fact". */
static void keep_identity(struct arena *a, struct value *identity, const struct thing_type *t,
			  const struct value *facts)
{
	for (const struct fact *f = t->facts; f && f->name; f++)
		if (f->class == FACT_IDENTITY && value_get(facts, f->name))
			value_add(a, identity, arena_join(a, t->name, '.', f->name),
				  value_get(facts, f->name));
}

static void keep_facts(struct plan *p, struct plan_env *pe, const struct view *view)
{
	struct arena *a = p->arena;
	struct value *all = value_map_sized(a, view->seen_count), *identity = value_map(a);

	for (size_t i = 0; i < view->seen_count; i++) {
		const struct observation *o = &view->seen[i];
		const struct thing_type *t = registry_thing(p->registry, o->thing);
		struct value *entry;

		if (!t || o->known == KNOWN_NOT)
			continue;
		entry = value_map_sized(a, 3);
		value_add(a, entry, "known", value_borrowed(a, known_name(o->known)));
		if (o->by)
			value_add(a, entry, "by", value_string(a, o->by));
		if (o->why)
			value_add(a, entry, "why", value_string(a, o->why));
		if (o->server_ms)
			value_add(a, entry, "server_time", value_instant(a, o->server_ms));
		if (o->facts) {
			struct value *facts = plan_public_facts(a, t, o->facts);

			value_add(a, entry, "facts", facts);
			keep_identity(a, identity, t, facts);
		}
		value_add(a, all, t->name, entry);
	}
	pe->facts = all;
	pe->identity = identity;
}

static enum env_outlook judge(const struct changes *c)
{
	if (changes_found(c, FIND_REFUSE))
		return OUTLOOK_REFUSED;
	if (changes_found(c, FIND_LEAVE))
		return OUTLOOK_LEFT_ALONE;
	if (changes_attest_now(c))
		return OUTLOOK_ATTEST;
	return c->count ? OUTLOOK_CHANGES : OUTLOOK_NOTHING;
}

void plan_env_add(struct plan *p, const struct rollout_env *env, const struct view *view,
		  const struct value *requests, const char *failure)
{
	struct plan_env *pe;
	struct err err = ERR_INIT;

	p->envs = arena_grow(p->arena, p->envs, p->env_count, &p->env_cap, sizeof(*p->envs));
	pe = &p->envs[p->env_count++];
	*pe = (struct plan_env){ .env = env };
	pe->requests = requests ? value_copy(p->arena, requests) : value_list(p->arena);
	keep_facts(p, pe, view);
	if (failure) {
		pe->outlook = OUTLOOK_FAILED;
		pe->error = arena_strdup(p->arena, failure);
		pe->changes = (struct changes){ .arena = p->arena, .registry = p->registry };
		return;
	}
	if ((p->direction == DIRECTION_BACK ?
		     changes_collect_back :
		     changes_collect)(&pe->changes, p->registry, p->arena, view, &err) < 0) {
		pe->outlook = OUTLOOK_FAILED;
		pe->error = arena_strdup(p->arena, err.msg);
		return;
	}
	pe->outlook = judge(&pe->changes);
}

void plan_env_refuse(struct plan *p, const char *rule, const char *hint, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(4096);
	struct plan_env *pe = &p->envs[p->env_count - 1];
	va_list ap;

	va_start(ap, fmt);
	sb_addv(&text, fmt, ap);
	va_end(ap);
	changes_find(&pe->changes, FIND_REFUSE, rule, hint, "%s", text.buf);
	pe->outlook = OUTLOOK_REFUSED;
}

const struct plan_step *plan_find_step(const struct plan *p, const char *address)
{
	for (size_t i = 0; i < p->step_count; i++)
		if (strcmp(p->steps[i].address, address) == 0)
			return &p->steps[i];
	return NULL;
}

int plan_exit_status(const struct plan *p)
{
	bool failed = false, refused = false, attest = false;

	for (size_t i = 0; i < p->env_count; i++) {
		failed |= p->envs[i].outlook == OUTLOOK_FAILED;
		refused |= p->envs[i].outlook == OUTLOOK_REFUSED;
		attest |= p->envs[i].outlook == OUTLOOK_ATTEST;
	}
	refused |= value_count(p->policy) > 0;
	return failed ? 1 : refused ? 5 : attest ? 3 : 0;
}
