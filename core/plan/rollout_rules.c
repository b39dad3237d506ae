/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/io/json.h"
#include "core/plan/policy.h"
#include "core/plan/rollout_private.h"

#define NAMES_SHOWN 5
#define NAMES_SEARCHED 1000 /* for did-you-mean */
#define NONE SIZE_MAX

struct rules {
	struct rollout *r;
	struct rollout_env *envs;
	struct arena *arena;
	struct diags *diags;
};

/* --- after --- */

static void tell_unknown_env(struct rules *c, const struct value *name)
{
	const char *names[NAMES_SEARCHED], *near = NULL;
	char hint[256] = "";
	size_t count = MIN_OF(c->r->env_count, NAMES_SEARCHED);
	if (c->diags->errors < DIAGS_MAX) {
		for (size_t i = 0; i < count; i++)
			names[i] = c->envs[i].name;
		near = diags_nearest(value_text(name), names, count);
	}
	if (near)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
	diags_add(c->diags, DIAG_ERROR, name->pos, "unknown-environment", hint,
		  "there is no environment '%s'", value_text(name));
}

static void resolve_after(struct rules *c, struct rollout_env *env)
{
	const struct value *list = value_get(env->want, "after");
	if (!value_count(list))
		return;
	const struct rollout_env **after = arena_array(c->arena, value_count(list), sizeof(*after));
	for (size_t i = 0; i < value_count(list); i++) {
		const struct rollout_env *other =
			rollout_find_env(c->r, value_text(value_at(list, i)));
		if (other)
			after[env->after_count++] = other;
		else
			tell_unknown_env(c, value_at(list, i));
	}
	env->after = after;
}

/* The way that a search has come, as a stack of its own: a chain may be as long as the file. */
struct trail {
	size_t *env, *next; /* environment, and which of its `after` comes next */
	size_t depth;
};

static void tell_cycle(struct rules *c, const struct trail *t, size_t from)
{
	CLEANUP(sb_done) struct sb way = SB_INIT(1024);
	size_t len = t->depth - from;
	for (size_t i = 0; i < MIN_OF(len, NAMES_SHOWN); i++)
		sb_addf(&way, "%.60s -> ", c->envs[t->env[from + i]].name);
	if (len > NAMES_SHOWN)
		sb_addf(&way, "(%zu more) -> ", len - NAMES_SHOWN);
	const struct rollout_env *first = &c->envs[t->env[from]];
	const struct value_pair *p = value_get_pair(first->want, "after");
	diags_add(c->diags, DIAG_ERROR, p->key_pos, "after-cycle", "one of them has to begin",
		  "environments wait for each other: %s%.60s", way.buf, first->name);
}

static void search_cycles(struct rules *c, size_t start, unsigned char *colour, struct trail *t)
{
	enum { WHITE, GREY, BLACK };
	t->env[0] = start;
	t->next[0] = 0;
	t->depth = 1;
	colour[start] = GREY;
	while (t->depth) {
		size_t top = t->depth - 1, at = t->env[top];
		if (t->next[top] == c->envs[at].after_count) {
			colour[at] = BLACK;
			t->depth--;
			continue;
		}
		size_t to = c->envs[at].after[t->next[top]++]->index;
		if (colour[to] == GREY) {
			size_t from = top;
			while (t->env[from] != to)
				from--;
			tell_cycle(c, t, from);
		} else if (colour[to] == WHITE) {
			colour[to] = GREY;
			t->env[t->depth] = to;
			t->next[t->depth++] = 0;
		}
	}
}

static void check_after(struct rules *c)
{
	size_t count = c->r->env_count;
	struct arena scratch = ARENA_INIT;
	for (size_t i = 0; i < count; i++)
		resolve_after(c, &c->envs[i]);
	unsigned char *colour = arena_alloc(&scratch, count);
	struct trail t = { arena_array(&scratch, count, sizeof(size_t)),
			   arena_array(&scratch, count, sizeof(size_t)), 0 };
	for (size_t i = 0; i < count; i++)
		if (!colour[i])
			search_cycles(c, i, colour, &t);
	arena_done(&scratch);
}

/* --- each environment --- */

/* Where to point: at what was written, else at the environment that left it out. */
static struct src_pos pos_of(const struct value *v, const struct rollout_env *env)
{
	return v && v->pos.line ? v->pos : env->pos;
}

static bool needs_bridge(const struct value *word)
{
	const char *text = value_text(word);
	return text && !strcmp(text, executor_name(EXEC_BRIDGE));
}

static void check_bridge(struct rules *c, const struct rollout_env *env,
			 const struct rollout_env *before)
{
	const struct value *executors = value_get(env->want, "executors");
	if (rollout_connection(env, CONN_BRIDGE))
		return;
	for (size_t i = 0; i < value_count(executors); i++) {
		const struct value *word = value_at(executors, i);
		if (!needs_bridge(word))
			continue;
		const char *name = value_key_at(executors, i);
		/* Written once for many environments, told once. */
		if (before && word->pos.line &&
		    value_get(value_get(before->want, "executors"), name) == word)
			continue;
		diags_add(
			c->diags, DIAG_ERROR, pos_of(word, env), "bridge-missing",
			"write connections.bridge, or choose another executor",
			"executors.%s is bridge, but environment '%.60s' has no connection 'bridge'",
			name, env->name);
	}
}

/* Written once for many environments, told once. */
static bool is_told(const struct provider *p, const struct rollout_env *before,
		    const struct file_finding *f)
{
	struct file_finding other;

	if (!before || !f->at || !f->at->pos.line)
		return false;
	for (size_t i = 0; p->file_finding(before->want, i, &other); i++)
		if (other.at == f->at && strcmp(other.rule, f->rule) == 0)
			return true;
	return false;
}

static void check_files(struct rules *c, const struct rollout_env *env,
			const struct rollout_env *before)
{
	for (const struct provider *const *p = c->r->registry->providers; *p; p++) {
		struct file_finding f;

		for (size_t i = 0; (*p)->file_finding && (*p)->file_finding(env->want, i, &f); i++)
			if (!is_told(*p, before, &f))
				diags_add(c->diags, DIAG_WARNING, pos_of(f.at, env), f.rule, f.hint,
					  "environment '%.60s': %s", env->name, f.text);
	}
}

/*
 * The longest that looks take which have to agree: those in a row a cadence apart; before an act, where it is looked again in one go, all of them, a
 * minute apart at most (gate_run.c).
 */
static int64_t looks_take(const struct value *limits)
{
	int64_t cadence = value_int_or(value_get(limits, "cadence"), WHEN_MINUTE);
	int64_t passes = value_int_or(value_get(limits, "passes"), 1);
	int64_t need = MAX_OF(passes, value_int_or(value_get(limits, "min_samples"), 1));

	return MAX_OF((passes - 1) * cadence, (need - 1) * MIN_OF(cadence, WHEN_MINUTE));
}

static void check_gate(struct rules *c, const struct rollout_env *env,
		       const struct rollout_env *before, const struct gate_type *g)
{
	const struct value *limits = rollout_gate(env, g->name);
	const struct value *passes = value_get(limits, "passes"),
			   *samples = value_get(limits, "min_samples");
	const struct value *at = passes && passes->pos.line ? passes : samples;
	char looks[WHEN_TEXT_MAX], valid[WHEN_TEXT_MAX];

	if (!limits || g->ask_valid_ms == 0 || looks_take(limits) < g->ask_valid_ms)
		return;
	if (before && rollout_gate(before, g->name) == limits)
		return;
	diags_add(
		c->diags, DIAG_WARNING, pos_of(at, env), "attested-too-short",
		"fewer looks, or a shorter cadence: several looks at one reading prove no more than one",
		"gate '%s' wants looks that agree for %s, and what a person reads counts for %s: "
		"where a person has to read it, it never passes",
		g->name, when_span_text(looks, looks_take(limits)),
		when_span_text(valid, g->ask_valid_ms));
}

static void check_gates(struct rules *c, const struct rollout_env *env,
			const struct rollout_env *before)
{
	for (const struct provider *const *p = c->r->registry->providers; *p; p++)
		for (const struct gate_type *const *g = (*p)->gates; g && *g; g++)
			check_gate(c, env, before, *g);
}

/* --- across environments --- */

/*
 * What makes two environments the same integration: the project, and the instance of the app in
 * it.
 */
static const char *integration_key(const struct rollout_env *env, struct arena *a)
{
	const struct value *project = value_get(env->want, "project"),
			   *app = value_get(env->want, "app");
	const struct value *instance = value_get(app, "instance");
	if (!project || !app)
		return NULL;
	CLEANUP(sb_done) struct sb key = SB_INIT(SB_TEXT_MAX);
	json_write(&key, project, JSON_CANONICAL, NULL);
	json_write(&key, instance ? instance : app, JSON_CANONICAL, NULL);
	return arena_strndup(a, key.buf, key.len);
}

static void check_integrations(struct rules *c)
{
	struct arena scratch = ARENA_INIT;
	struct value *seen = value_map(&scratch);
	for (size_t i = 0; i < c->r->env_count; i++) {
		const char *key = integration_key(&c->envs[i], &scratch);
		if (!key)
			continue;
		const struct value *first = value_get(seen, key);
		if (!first) {
			value_set(&scratch, seen, key, value_int(&scratch, (int64_t)i));
			continue;
		}
		diags_add(
			c->diags, DIAG_ERROR, c->envs[i].pos, "same-integration",
			"each environment needs a project or an app instance of its own",
			"environment '%.60s' is the same integration as '%.60s': project and app are equal",
			c->envs[i].name, c->envs[first->u.i].name);
	}
	arena_done(&scratch);
}

static void tell_shared(struct rules *c, size_t first, size_t count, const size_t *next)
{
	CLEANUP(sb_done) struct sb names = SB_INIT(1024);
	size_t shown = 0;
	for (size_t i = first; i != NONE && shown < NAMES_SHOWN; i = next[i])
		sb_addf(&names, "%s%.60s", shown++ ? ", " : "", c->envs[i].name);
	if (count > shown)
		sb_addf(&names, " and %zu more", count - shown);
	const struct value *id = value_path(c->envs[first].want, "credential.client_id");
	diags_add(c->diags, DIAG_NOTE, pos_of(id, &c->envs[first]), "shared-client", NULL,
		  "environments %s migrate the same client: they share one contract step, "
		  "which waits until all of them have proved",
		  names.buf);
}

static void check_clients(struct rules *c)
{
	size_t count = c->r->env_count;
	struct arena scratch = ARENA_INIT;
	struct value *first_of = value_map(c->arena);
	size_t *next = arena_array(&scratch, count, sizeof(*next)),
	       *last = arena_array(&scratch, count, sizeof(*last));
	size_t *users = arena_array(&scratch, count, sizeof(*users));
	for (size_t i = 0; i < count; i++) {
		const char *id = c->envs[i].client_id;
		next[i] = NONE;
		if (!id)
			continue;
		const struct value *known = value_get(first_of, id);
		size_t first = known ? (size_t)known->u.i : i;
		if (known)
			next[last[first]] = i;
		else
			value_set(c->arena, first_of, id, value_int(c->arena, (int64_t)i));
		last[first] = i;
		users[first]++;
	}
	c->r->client_ids = first_of;
	for (size_t i = 0; i < count; i++)
		if (users[i] > 1)
			tell_shared(c, i, users[i], next);
	arena_done(&scratch);
}

/*
 * Reading with the client that is being migrated would be the use that a gate then takes for the
 * app's.
 */
static void check_readers(struct rules *c, const struct rollout_env *env)
{
	const struct value *conns = value_get(env->want, "connections");
	for (size_t i = 0; i < value_count(conns); i++) {
		const struct value *id = value_path(value_at(conns, i), "auth.client_id");
		const struct value *owner =
			value_text(id) ? value_get(c->r->client_ids, value_text(id)) : NULL;
		if (!owner)
			continue;
		const char *name = value_key_at(conns, i);
		diags_add(c->diags, DIAG_WARNING, pos_of(id, env), "migrating-client",
			  "use a different client for this connection",
			  "connection '%s' signs in with the client that environment '%.60s' "
			  "migrates: plan and status cannot read %s, because reading would mint a "
			  "token of the client being migrated",
			  name, c->envs[owner->u.i].name, name);
	}
}

void rollout_rules(struct rollout *r, struct rollout_env *envs, struct arena *a, struct diags *d)
{
	struct rules c = { r, envs, a, d };
	check_after(&c);
	check_integrations(&c);
	check_clients(&c);
	for (size_t i = 0; i < r->env_count; i++) {
		const struct rollout_env *before = i ? &envs[i - 1] : NULL;
		check_bridge(&c, &envs[i], before);
		check_files(&c, &envs[i], before);
		check_gates(&c, &envs[i], before);
		if (!before ||
		    value_get(before->want, "policy") != value_get(envs[i].want, "policy"))
			policy_check(value_get(envs[i].want, "policy"), a, d);
		if (!before || value_get(before->want, "connections") !=
				       value_get(envs[i].want, "connections"))
			check_readers(&c, &envs[i]);
	}
}
