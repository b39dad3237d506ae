/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/recorded.h"

#include <string.h>

#include "core/base/version.h"
#include "core/base/when.h"
#include "core/io/json.h"
#include "core/io/sshsig.h"
#include "core/plan/policy.h"
#include "core/run/signers.h"

#define NODES_MAX ((size_t)20000000)
#define ANEW "record anew with `s2sctl plan FILE --record OBS`"

/* ---- recording ---- */

static void put_text(struct arena *a, struct value *m, const char *key, const char *text)
{
	if (text)
		value_set(a, m, key, value_string(a, text));
}

static struct value *thing_entry(struct arena *a, const struct registry *reg,
				 const struct observation *o)
{
	const struct thing_type *t = registry_thing(reg, o->thing);
	struct value *m = value_map(a);

	put_text(a, m, "known", known_name(o->known));
	put_text(a, m, "by", o->by);
	put_text(a, m, "why", o->why);
	if (o->server_ms)
		value_set(a, m, "server_time", value_instant(a, o->server_ms));
	if (o->local_ms)
		value_set(a, m, "local_time", value_instant(a, o->local_ms));
	/* What has no type is core's own local.secret: names and yes or no. */
	if (o->facts)
		value_set(a, m, "facts",
			  t ? plan_public_facts(a, t, o->facts) : value_copy(a, o->facts));
	return m;
}

void recorder_inspects(void *recorder, struct plan *p, const struct view *v)
{
	struct recorder *r = recorder;
	struct arena *a = r->arena;
	struct value *m = value_map(a), *things = value_map(a);

	if (!r->envs)
		r->envs = value_list(a);
	for (size_t i = 0; i < v->seen_count; i++)
		if (v->seen[i].known != KNOWN_NOT)
			value_set(a, things, v->seen[i].thing,
				  thing_entry(a, p->registry, &v->seen[i]));
	put_text(a, m, "name", v->env);
	value_set(a, m, "things", things);
	value_set(a, m, "requests", value_copy(a, p->envs[p->env_count - 1].requests));
	if (value_count(v->marks))
		value_set(a, m, "marks", plan_without_contacts(a, v->marks));
	value_list_add(a, r->envs, m);
}

const struct value *recorded_document(const struct recorder *r, const struct plan *p)
{
	struct arena *a = r->arena;
	struct value *m = value_map(a);

	put_text(a, m, "kind", RECORDED_KIND);
	value_set(a, m, "format_version", value_int(a, RECORDED_VERSION));
	put_text(a, m, "tool", "s2sctl " S2SCTL_VERSION);
	value_set(a, m, "made_at", value_instant(a, p->made_ms));
	value_set(a, m, "token_requests", p->tokens ? value_copy(a, p->tokens) : value_list(a));
	value_set(a, m, "environments", r->envs ? r->envs : value_list(a));
	return m;
}

/* ---- whose it is ---- */

int recorded_verify(struct arena *a, const char *path, const struct sb *bytes,
		    const struct sb *signature, const char *signers, const char *revoked,
		    int64_t now_ms, const char **ret_who, struct err *err)
{
	unsigned char pub[SIGN_PUBLIC_LEN];
	const struct signer *who;
	struct signers *all;
	char why[512];

	if (!signature) {
		err_set(err, E_REFUSED, "%s: it is not signed", path);
		return err_hint(err, "its signature lies beside it, as %s" RECORDED_SUFFIX, path);
	}
	if (sshsig_verify(signature->buf, signature->len, RECORDED_SPACE, bytes->buf, bytes->len,
			  pub, err) < 0)
		return err_wrap(err, "%s", path);
	if (signers_read_for(a, signers, RECORDED_SPACE, &all, err) < 0 ||
	    (revoked && signers_revoke(all, revoked, err) < 0))
		return -err->code;
	who = signers_find(all, pub, now_ms, why, sizeof(why));
	if (!who)
		return err_set(err, E_REFUSED, "%s: %s", path, why);
	*ret_who = who->name;
	return 0;
}

/* ---- reading ---- */

int recorded_parse(struct arena *a, const char *path, const struct sb *bytes, struct recorded **ret,
		   struct err *err)
{
	static const struct json_limits limits = { .bytes = RECORDED_BYTES_MAX,
						   .nodes = NODES_MAX };
	struct recorded *rec = ARENA_NEW(a, struct recorded);
	struct err why = ERR_INIT;
	struct value *doc = NULL;
	int64_t version;

	if (json_parse(a, bytes->buf, bytes->len, &limits, NULL, NULL, &doc, &why) < 0)
		return err_set(err, E_REFUSED, "%s: these are no observations: %s", path, why.msg);
	if (strcmp(value_text_or(value_get(doc, "kind"), ""), RECORDED_KIND) != 0)
		return err_set(err, E_REFUSED, "%s: these are no observations of s2sctl", path);
	version = value_int_or(value_get(doc, "format_version"), -1);
	if (version != RECORDED_VERSION) {
		err_set(err, E_REFUSED,
			"%s: the observations have format version %lld, this build reads %d", path,
			(long long)version, RECORDED_VERSION);
		return err_hint(err, ANEW);
	}
	if (when_parse(value_text_or(value_get(doc, "made_at"), ""), &rec->made_ms, NULL, &why) < 0)
		return err_set(err, E_REFUSED, "%s: it does not say when it was made", path);
	rec->path = arena_strdup(a, path);
	rec->doc = doc;
	*ret = rec;
	return 0;
}

static const struct value *find_env(const struct recorded *rec, const char *name)
{
	const struct value *envs = value_get(rec->doc, "environments");

	for (size_t i = 0; i < value_count(envs); i++)
		if (strcmp(value_text_or(value_get(value_at(envs, i), "name"), ""), name) == 0)
			return value_at(envs, i);
	return NULL;
}

static enum known known_of(const char *word)
{
	for (enum known k = KNOWN_API; k <= KNOWN_FAILED; k++)
		if (strcmp(known_name(k), word) == 0)
			return k;
	return KNOWN_NOT;
}

static int64_t instant_of(const struct value *v)
{
	struct err err = ERR_INIT;
	int64_t ms;

	return when_parse(value_text_or(v, ""), &ms, NULL, &err) < 0 ? 0 : ms;
}

/* Private facts and contacts are left out once more: whoever signs may have another build, or another mind. */
static void take_thing(struct arena *a, const struct registry *reg, const struct value *entry,
		       struct observation *o)
{
	const struct thing_type *t = registry_thing(reg, o->thing);
	const struct value *facts = value_get(entry, "facts");

	o->known = known_of(value_text_or(value_get(entry, "known"), ""));
	o->by = value_text(value_get(entry, "by"));
	o->why = value_text(value_get(entry, "why"));
	o->server_ms = instant_of(value_get(entry, "server_time"));
	o->local_ms = instant_of(value_get(entry, "local_time"));
	if (facts && facts->kind == VAL_MAP)
		o->facts = t ? plan_public_facts(a, t, facts) : facts;
}

/* What planning looks at and nobody recorded cannot be taken for anything. */
static void lacks(struct arena *a, const struct recorded *rec, struct observation *o)
{
	o->known = KNOWN_FAILED;
	o->facts = NULL;
	o->why = arena_printf(a, "%s was not recorded in '%s'", o->thing, rec->path);
}

static void fill(struct env_state *s, struct arena *a, const struct registry *reg,
		 const struct recorded *rec, const struct value *env)
{
	for (size_t i = 0; i < s->thing_count; i++) {
		struct observation *o = &s->seen[i];
		const struct thing_type *t = registry_thing(reg, o->thing);
		const struct value *entry = value_get(env, "things");

		take_thing(a, reg, value_get(entry, o->thing), o);
		if (o->known == KNOWN_NOT && (!t || t->at_plan))
			lacks(a, rec, o);
	}
	s->marks = value_get(env, "marks");
}

static void add_env(struct plan *p, const struct recorded *rec, const struct rollout_env *env)
{
	CLEANUP(arena_done) struct arena tmp = ARENA_INIT;
	const struct value *was = find_env(rec, env->name);
	struct env_state *s = env_state_new(p->registry, env);
	const char *failure = NULL;
	char when[WHEN_TEXT_MAX];
	struct view v;

	if (was) {
		fill(s, &tmp, p->registry, rec, was);
		failure = env_failure(s);
	} else {
		failure = arena_printf(&tmp, "environment '%s' was not recorded in '%s'", env->name,
				       rec->path);
	}
	v = env_view(s, rec->made_ms);
	plan_env_add(p, env, &v, NULL, failure);
	changes_find(&p->envs[p->env_count - 1].changes, FIND_NOTE, "recorded", NULL,
		     "rests on what was recorded at %s; nothing was asked now",
		     when_text(when, rec->made_ms));
	env_state_free(s);
}

struct plan *recorded_plan(const struct recorded *rec, struct arena *a, const struct registry *reg,
			   const struct rollout *r, const struct rollout_env *const *envs,
			   const char *made_by, int64_t now_ms)
{
	struct plan *p = plan_new(a, reg, r);

	p->direction = DIRECTION_FORWARD;
	for (; *envs; envs++)
		add_env(p, rec, *envs);
	p->made_by = made_by;
	plan_order(p, rec->made_ms);
	policy_judge(p, MAX_OF(now_ms, rec->made_ms));
	return p;
}
