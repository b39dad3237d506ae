/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/attest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/diags.h"
#include "core/base/when.h"

#define FOR_PLANNING "/attest"

/* "<env>/<thing>/attest" in its parts. */
static bool is_for_planning(const char *step, struct arena *a, const char **ret_env,
			    const char **ret_thing)
{
	size_t len = strlen(step), tail = strlen(FOR_PLANNING);
	const char *slash = strchr(step, '/');

	if (len <= tail || strcmp(step + len - tail, FOR_PLANNING) != 0 || !slash ||
	    slash >= step + len - tail)
		return false;
	*ret_env = arena_strndup(a, step, (size_t)(slash - step));
	*ret_thing = arena_strndup(a, slash + 1, (size_t)(step + len - tail - slash - 1));
	return true;
}

static const struct value *fact_value(struct arena *a, const struct fact *f, const char *text,
				      struct err *err)
{
	char *end;
	long long n;
	int64_t ms;
	struct err bad = ERR_INIT;

	switch (f->kind) {
	case VAL_BOOL:
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			return value_bool(a, text[0] == 't');
		err_set(err, E_USAGE, "fact '%s' is true or false, not '%s'", f->name, text);
		return NULL;
	case VAL_INT:
		n = strtoll(text, &end, 10);
		if (*text && *end == '\0')
			return value_int(a, n);
		if (when_parse(text, &ms, NULL, &bad) == 0)
			return value_int(a, ms);
		err_set(err, E_USAGE, "fact '%s' is a number or an instant, not '%s'", f->name,
			text);
		return NULL;
	case VAL_STRING:
		return value_string(a, text);
	case VAL_NULL:
	case VAL_REAL:
	case VAL_SECRET:
	case VAL_LIST:
	case VAL_MAP:
		break;
	}
	err_set(err, E_USAGE, "fact '%s' cannot be attested", f->name);
	return NULL;
}

static const struct fact *find_fact(const struct thing_type *t, const char *name, struct err *err)
{
	const char *names[64];
	size_t n = 0;
	const char *near;

	for (const struct fact *f = t->facts; f && f->name; f++) {
		if (strcmp(f->name, name) == 0)
			return f;
		if (n < ARRAY_LEN(names))
			names[n++] = f->name;
	}
	near = diags_nearest(name, names, n);
	err_set(err, E_USAGE, "'%s' has no fact '%s'", t->name, name);
	if (near)
		err_hint(err, "did you mean '%s'?", near);
	return NULL;
}

static int add_facts(struct value *ack, struct arena *a, const struct thing_type *t,
		     const char *const *facts, struct err *err)
{
	struct value *map = value_map(a);

	for (; facts && *facts; facts++) {
		const char *eq = strchr(*facts, '=');
		const struct fact *f;
		const struct value *v;

		if (!eq)
			return err_set(err, E_USAGE, "'%s' is not of the form NAME=VALUE", *facts);
		f = find_fact(t, arena_strndup(a, *facts, (size_t)(eq - *facts)), err);
		v = f ? fact_value(a, f, eq + 1, err) : NULL;
		if (!v)
			return -err->code;
		value_set(a, map, f->name, v);
	}
	if (value_count(map))
		value_set(a, ack, "facts", map);
	return 0;
}

/* An instant as typed; what its precision leaves open counts as used: the latest possible instant. */
static int add_instant(struct value *ack, struct arena *a, const char *key, const char *text,
		       bool latest, struct err *err)
{
	int64_t ms, precision;

	if (!text)
		return 0;
	if (when_parse(text, &ms, &precision, err) < 0) {
		struct err again = *err;

		err_clear(err);
		err_set(err, E_USAGE, "%s", again.msg);
		return err_hint(err, "write it as 2026-11-23T10:05:00Z");
	}
	value_set(a, ack, key, value_int(a, latest ? ms + precision - 1 : ms));
	return 0;
}

static int check_question(const struct attest *t, const struct value *ask,
			  const struct thing_type *thing, struct err *err)
{
	bool last = value_bool_or(value_get(ask, "wants_last_use"), false);

	if (value_bool_or(value_get(ask, "is_act"), false)) {
		if (t->last_used || t->none_since)
			return err_set(err, E_USAGE,
				       "'%s' asks for something to be done, not for a last use",
				       t->step);
		if (thing && !(t->facts && t->facts[0])) {
			err_set(err, E_USAGE, "'%s' needs what it was before: --fact NAME=VALUE",
				t->step);
			return err_hint(
				err,
				"as the step says; it decides what has to be so again afterwards");
		}
		return 0;
	}
	if (t->at)
		return err_set(err, E_USAGE,
			       "--at is for steps that were carried out; '%s' asks for facts",
			       t->step);
	if (last && !t->last_used && !t->none_since) {
		err_set(err, E_USAGE, "'%s' needs --last-used TIME or --none-since DATE", t->step);
		return err_hint(err, "as the page shows it: %s",
				thing && thing->page ? thing->page : "see the step");
	}
	if (!last && !(t->facts && t->facts[0])) {
		err_set(err, E_USAGE, "'%s' needs the facts that were read: --fact NAME=VALUE",
			t->step);
		return err_hint(err, "`s2sctl help %s` lists them", thing ? thing->name : "things");
	}
	return 0;
}

static const struct past_step *find_step(const struct past_run *r, const char *address)
{
	const struct value *at = value_get(r->step_index, address);

	return at ? &r->steps[at->u.i] : NULL;
}

/* The planned step whose address is nearest to what was typed; NULL: none is near. */
static const char *near_step(const struct journal *j, const char *typed)
{
	struct arena a = ARENA_INIT;
	const char **names, *near;
	size_t n = 0, room = 0;

	for (size_t i = j->history.first_open; i < j->history.run_count; i++)
		room += value_count(value_get(j->history.runs[i].plan, "steps"));
	names = arena_array(&a, room + 1, sizeof(char *));
	for (size_t i = j->history.first_open; i < j->history.run_count; i++) {
		const struct value *steps = value_get(j->history.runs[i].plan, "steps");

		for (size_t k = 0; j->history.runs[i].is_open && k < value_count(steps); k++) {
			const char *address = value_text(value_get(value_at(steps, k), "address"));

			if (address)
				names[n++] = address;
		}
	}
	near = diags_nearest(typed, names, n);
	arena_done(&a);
	return near;
}

/* A step of this address in the run's plan. */
static bool is_planned(const struct past_run *r, const char *address)
{
	const struct value *steps = value_get(r->plan, "steps");

	for (size_t i = 0; i < value_count(steps); i++)
		if (strcmp(value_text_or(value_get(value_at(steps, i), "address"), ""), address) ==
		    0)
			return true;
	return false;
}

/* Why nobody waits for this answer. */
static int not_waiting(const struct attest *t, const struct journal *j, struct err *err)
{
	const char *near;

	for (size_t i = j->history.run_count; i-- > 0;) {
		const struct past_run *r = &j->history.runs[i];
		const struct past_step *s = find_step(r, t->step);

		if (s && s->is_done)
			return err_set(err, E_USAGE, "step '%s' is finished", t->step);
		if (s && s->ack && s->is_asked && r->is_open) {
			err_set(err, E_USAGE, "step '%s' has its answer already", t->step);
			return err_hint(err, "run `s2sctl apply` again to go on");
		}
		if (!s && !is_planned(r, t->step))
			continue;
		err_set(err, E_USAGE,
			r->is_open ? "step '%s' waits for nobody now" :
				     "step '%s' belongs to a run that has ended",
			t->step);
		return err_hint(err, "`s2sctl status` shows what waits");
	}
	err_set(err, E_USAGE, "there is no step '%s' in an open run", t->step);
	near = near_step(j, t->step);
	if (near)
		return err_hint(err, "did you mean '%s'?", near);
	return err_hint(err,
			"run `s2sctl apply` first; it prints the steps that wait for a person");
}

static bool file_has(const struct rollout *r, const char *env)
{
	return rollout_find_env(r, env) != NULL;
}

/* Environments that the journal's runs were for, each once; in `a`. */
static size_t journal_envs(const struct journal *j, struct arena *a, const char ***ret)
{
	struct value *seen = value_map(a);

	for (size_t i = 0; i < j->history.run_count; i++) {
		const struct value *envs = value_get(j->history.runs[i].plan, "environments");

		for (size_t k = 0; k < value_count(envs); k++) {
			const char *name = value_text(value_get(value_at(envs, k), "name"));

			if (name)
				value_set(a, seen, name, value_bool(a, true));
		}
	}
	*ret = arena_array(a, value_count(seen) + 1, sizeof(char *));
	for (size_t i = 0; i < value_count(seen); i++)
		(*ret)[i] = value_key_at(seen, i);
	return value_count(seen);
}

/* Facts of an environment that nobody knows would be kept, and never be asked for. */
static int check_env(const struct attest *t, const struct journal *j, struct arena *a,
		     const char *env, struct err *err)
{
	const char **names, *near;
	size_t n = 0;

	if (t->rollout) {
		if (file_has(t->rollout, env))
			return 0;
		names = arena_array(a, t->rollout->env_count + 1, sizeof(char *));
		for (; n < t->rollout->env_count; n++)
			names[n] = t->rollout->envs[n].name;
		err_set(err, E_USAGE, "'%s' has no environment '%s'", t->rollout->path, env);
	} else {
		n = journal_envs(j, a, &names);
		for (size_t i = 0; i < n; i++)
			if (strcmp(names[i], env) == 0)
				return 0;
		if (!n)
			return 0; /* nobody knows any */
		err_set(err, E_USAGE, "the journal knows no environment '%s'", env);
	}
	near = diags_nearest(env, names, n);
	if (near)
		return err_hint(err, "did you mean '%s'?", near);
	if (!t->rollout)
		err_hint(err, "when it is new, name the rollout file that has it: --file FILE");
	return -err->code;
}

static int for_question(const struct attest *t, const struct registry *reg, struct journal *j,
			struct value *ack, struct err *err)
{
	struct arena *a = journal_arena(j);
	struct past_run *run = NULL;
	struct past_step *s = history_asking(&j->history, t->step, &run);
	const struct thing_type *thing;
	struct value *ask;

	if (!s)
		return not_waiting(t, j, err);
	thing = s->ask_thing ? registry_thing(reg, s->ask_thing) : NULL;
	ask = value_map(a);
	value_set(a, ask, "is_act", value_bool(a, s->is_act));
	value_set(a, ask, "wants_last_use", value_bool(a, s->wants_last_use));
	if (check_question(t, ask, thing, err) < 0)
		return -err->code;
	value_set(a, ack, "nonce", value_string(a, s->ask_nonce));
	if (t->facts && t->facts[0] && !thing)
		return err_set(err, E_USAGE, "'%s' takes no --fact", t->step);
	return thing ? add_facts(ack, a, thing, t->facts, err) : 0;
}

static int no_thing(const struct registry *reg, const char *name, struct err *err)
{
	const char *names[128];
	const char *near;
	size_t n = 0;

	for (const struct provider *const *p = reg->providers; *p; p++)
		for (const struct thing_type *const *t = (*p)->things; t && *t; t++)
			if (n < ARRAY_LEN(names))
				names[n++] = (*t)->name;
	near = diags_nearest(name, names, n);
	err_set(err, E_USAGE, "there is no thing '%s'", name);
	return near ? err_hint(err, "did you mean '%s'?", near) :
		      err_hint(err, "`s2sctl help things` lists them");
}

int attest_add(const struct attest *t, const struct registry *reg, struct journal *j,
	       struct err *err)
{
	struct arena *a = journal_arena(j);
	struct value *ack = value_map(a);
	const char *env = NULL, *thing_name = NULL;
	unsigned char raw[8];
	char id[17];

	j->sys->random(j->sys->ctx, raw, sizeof(raw));
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(id + 2 * i, 3, "%02x", raw[i]);
	value_set(a, ack, "id", value_string(a, id));
	value_set(a, ack, "step", value_string(a, t->step));
	value_set(a, ack, "by", value_string(a, t->by));
	value_set(a, ack, "user", t->user ? value_string(a, t->user) : NULL);
	value_set(a, ack, "host", t->host ? value_string(a, t->host) : NULL);
	value_set(a, ack, "note", t->note ? value_string(a, t->note) : NULL);
	value_set(a, ack, "said_at_ms", value_int(a, sys_wall_ms(j->sys)));
	if (is_for_planning(t->step, a, &env, &thing_name)) {
		const struct thing_type *thing = registry_thing(reg, thing_name);

		if (check_env(t, j, a, env, err) < 0)
			return -err->code;
		if (!thing)
			return no_thing(reg, thing_name, err);
		if (!(t->facts && t->facts[0]))
			return err_set(err, E_USAGE,
				       "'%s' needs the facts that were read: --fact NAME=VALUE",
				       t->step);
		if (add_facts(ack, a, thing, t->facts, err) < 0)
			return -err->code;
	} else if (for_question(t, reg, j, ack, err) < 0) {
		return -err->code;
	}
	if (add_instant(ack, a, "last_used_ms", t->last_used, true, err) < 0 ||
	    add_instant(ack, a, "none_since_ms", t->none_since, true, err) < 0 ||
	    add_instant(ack, a, "at_ms", t->at, false, err) < 0)
		return -err->code;
	return journal_inbox_add(j->store, ack, err);
}

static struct value *planning_record(struct arena *a, const struct value *ack, const char *env,
				     const char *thing)
{
	static const char *const copied[] = { "by",    "user",       "host", "note",
					      "facts", "said_at_ms", "step" };
	struct value *rec = value_map(a), *envs = value_list(a);

	value_list_add(a, envs, value_string(a, env));
	value_set(a, rec, "ack_id", value_get(ack, "id"));
	value_set(a, rec, "environments", envs);
	value_set(a, rec, "thing", value_string(a, thing));
	for (size_t i = 0; i < ARRAY_LEN(copied); i++)
		value_set(a, rec, copied[i], value_get(ack, copied[i]));
	return rec;
}

int attest_take_one(struct journal *j, const struct registry *reg, const struct value *ack,
		    bool write, struct err *err)
{
	struct arena *a = journal_arena(j);
	const char *env, *thing, *id = value_text_or(value_get(ack, "id"), "");
	struct value *rec;

	if (value_get(j->history.acks_seen, id) ||
	    !is_for_planning(value_text_or(value_get(ack, "step"), ""), a, &env, &thing) ||
	    !registry_thing(reg, thing))
		return 0;
	rec = planning_record(a, ack, env, thing);
	if (write)
		return journal_add(j, "ack", rec, err);
	value_set(a, rec, "type", value_string(a, "ack"));
	return history_fold(&j->history, rec, err);
}

int attest_take(struct journal *j, const struct registry *reg, bool write, struct err *err)
{
	struct value *acks = NULL;
	size_t from = 0;

	if (journal_inbox(j->store, &from, journal_arena(j), &acks, err) < 0)
		return -err->code;
	for (size_t i = 0; i < value_count(acks); i++)
		if (attest_take_one(j, reg, value_at(acks, i), write, err) < 0)
			return -err->code;
	return 0;
}
