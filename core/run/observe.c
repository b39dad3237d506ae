/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/observe.h"

#include <string.h>

#include "core/base/mem.h"

/* What core itself observes: whether secret references resolve. The one thing without a provider. */
#define LOCAL_SECRET "local.secret"

struct round {
	struct observer ob;
	struct env_state *env;
	round_done *done;
	void *arg;
	unsigned char *part; /* per thing: see below */
	size_t *chain;       /* per thing: exchanges one after the other up to and with it */
	size_t open;         /* things wanted and not yet looked at */
	bool is_starting;
	const char *const *things;
	struct round *next; /* in the environment's queue */
};
enum part { PART_NONE, PART_WANTED, PART_BUSY, PART_DONE };

static const struct thing_type *thing_at(const struct registry *reg, size_t index)
{
	for (const struct provider *const *p = reg->providers; *p; p++)
		for (const struct thing_type *const *t = (*p)->things; t && *t; t++)
			if (index-- == 0)
				return *t;
	return NULL;
}

static size_t thing_count(const struct registry *reg)
{
	size_t n = 0;

	while (thing_at(reg, n))
		n++;
	return n;
}

size_t registry_thing_index(const struct registry *reg, const char *thing)
{
	const struct thing_type *t;

	for (size_t i = 0; (t = thing_at(reg, i)) != NULL; i++)
		if (strcmp(t->name, thing) == 0)
			return i;
	return SIZE_MAX;
}

static void round_free(struct round *r)
{
	mem_free(r->part);
	mem_free(r->chain);
	mem_free(r);
}

struct env_state *env_state_new(const struct registry *reg, const struct rollout_env *env)
{
	struct env_state *s = mem_alloc(sizeof(*s));
	size_t n = thing_count(reg);

	s->env = env;
	s->thing_count = n + 1; /* the last one: local.secret */
	s->seen = mem_alloc((n + 1) * sizeof(*s->seen));
	s->owned = mem_alloc((n + 1) * sizeof(struct arena *));
	s->requests = mem_alloc((n + 1) * sizeof(struct value *));
	for (size_t i = 0; i < n; i++) {
		const struct thing_type *t = thing_at(reg, i);

		s->seen[i].thing = t ? t->name : "";
	}
	s->seen[n].thing = LOCAL_SECRET;
	return s;
}

void env_state_free(struct env_state *s)
{
	if (!s)
		return;
	if (s->round)
		round_free(s->round);
	while (s->queue) {
		struct round *next = s->queue->next;

		round_free(s->queue);
		s->queue = next;
	}
	for (size_t i = 0; i < s->thing_count; i++)
		arena_free(s->owned[i]);
	arena_free(s->secret_arena);
	env_forget_requests(s);
	mem_free(s->seen);
	mem_free(s->owned);
	mem_free(s);
}

struct view env_view(const struct env_state *s, int64_t now_ms)
{
	return (struct view){
		.env = s->env->name,
		.want = s->env->want,
		.seen = s->seen,
		.seen_count = s->thing_count,
		.marks = s->marks,
		.now_ms = now_ms,
	};
}

/* A fresh observation of thing i in an arena of its own; the old one dies. */
static struct arena *renew(struct env_state *s, size_t i)
{
	const char *thing = s->seen[i].thing;

	arena_free(s->owned[i]);
	s->owned[i] = arena_new();
	s->seen[i] = (struct observation){ .thing = thing };
	return s->owned[i];
}

struct observation observation_copy(struct arena *a, const struct observation *o)
{
	struct observation out = *o;

	out.facts = o->facts ? value_copy(a, o->facts) : NULL;
	out.why = arena_strdup(a, o->why);
	out.by = arena_strdup(a, o->by);
	return out;
}

size_t observations_room(const struct observation *seen, size_t count)
{
	CLEANUP(arena_done) struct arena trial = ARENA_INIT;
	struct observation copy;

	for (size_t i = 0; i < count; i++) {
		copy = observation_copy(&trial, &seen[i]);
		(void)copy;
	}
	return arena_room(&trial);
}

/* It stays until it is looked at again, for days where a fleet waits: in no more room than it needs, without what it was made of. */
static void settle(struct env_state *s, size_t i)
{
	struct arena *fit = arena_new_sized(observations_room(&s->seen[i], 1));

	s->seen[i] = observation_copy(fit, &s->seen[i]);
	arena_free(s->owned[i]);
	s->owned[i] = fit;
}

struct secret_check {
	const struct observer *ob;
	struct arena *arena;
	struct value *facts;
};

static void check_secret(const struct secret_check *k, const struct rollout_secret *rs)
{
	struct secret *s = NULL;
	struct err err = ERR_INIT;
	const struct secret_source *src = k->ob->o->secrets;
	bool ok;

	/* A command may have side effects: it runs when its text is needed, and counts as resolving until then. */
	if (strncmp(rs->ref, "exec:", 5) == 0)
		ok = true;
	else
		ok = src->resolve(src->ctx, rs->ref, &s, &err) == 0;
	secret_free(s);
	value_set(k->arena, k->facts, rs->path, value_bool(k->arena, ok));
	if (!ok) /* a step may have to bring it there */
		value_set(k->arena, k->facts, arena_printf(k->arena, "%s.writable", rs->path),
			  value_bool(k->arena,
				     (src->may_put ? src->may_put :
						     src->can_put)(src->ctx, rs->ref,
								   &(struct err)ERR_INIT) == 0));
}

struct secret_list {
	struct arena arena;
	struct rollout_secret *items;
	size_t count, cap;
};

static void keep_secret(void *arg, const struct rollout_secret *rs)
{
	struct secret_list *l = arg;

	l->items = arena_grow(&l->arena, l->items, l->count, &l->cap, sizeof(*l->items));
	l->items[l->count] = *rs;
	l->items[l->count++].path = arena_strdup(&l->arena, rs->path);
}

static struct rollout_secret *copy_secrets(struct arena *a, const struct secret_list *l)
{
	struct rollout_secret *out = arena_array(a, l->count, sizeof(*out));

	for (size_t i = 0; i < l->count; i++) {
		out[i] = l->items[i];
		out[i].path = arena_strdup(a, l->items[i].path);
	}
	return out;
}

/* The file's fields are walked once: each round asks again, and the file stays as it is. */
static void find_secrets(const struct observer *ob, struct env_state *s)
{
	CLEANUP(arena_done) struct arena trial = ARENA_INIT;
	struct secret_list l = { .arena = ARENA_INIT };

	if (s->secrets)
		return;
	rollout_secret_places(ob->o->rollout, s->env, keep_secret, &l);
	(void)copy_secrets(&trial, &l);
	s->secret_arena = arena_new_sized(arena_room(&trial));
	s->secrets = copy_secrets(s->secret_arena, &l);
	s->secret_count = l.count;
	arena_done(&l.arena);
}

static void look_at_secrets(const struct observer *ob, struct env_state *s)
{
	size_t i = s->thing_count - 1;
	struct secret_check k = { .ob = ob, .arena = renew(s, i) };

	k.facts = value_map(k.arena);
	find_secrets(ob, s);
	for (size_t n = 0; n < s->secret_count; n++)
		check_secret(&k, &s->secrets[n]);
	s->seen[i].known = KNOWN_API;
	s->seen[i].facts = k.facts;
	s->seen[i].local_ms = sys_wall_ms(ob->o->sys);
	settle(s, i);
}

static void derive(struct env_state *s, const struct thing_type *t, size_t i, int64_t now_ms)
{
	struct view v = env_view(s, now_ms);
	struct value *facts;

	if (!t->derive || !s->seen[i].facts)
		return;
	facts = value_copy(s->owned[i], s->seen[i].facts);
	t->derive(&v, s->owned[i], facts);
	s->seen[i].facts = facts;
}

/* No call could read it: somebody's word may do. */
/* What only people know of a thing that a system tells the rest of. An earlier run's words are over with its receipt. */
static void add_words(struct round *r, size_t i)
{
	const struct thing_type *t = thing_at(r->ob.o->registry, i);
	struct observation *o = &r->env->seen[i];
	const struct said *said = r->ob.said;
	struct value *facts = NULL;

	for (const struct fact *f = o->facts ? t->facts : NULL; f && f->name; f++) {
		enum known known = KNOWN_NOT;
		const char *by = NULL;
		int64_t asked_ms = 0;
		const struct value *told;

		if (f->class != FACT_WORD)
			continue;
		told = said->facts(said->ctx, r->env->env->name, o->thing, &by, &known, &asked_ms);
		if (known != KNOWN_ATTESTED || !value_get(told, f->name))
			continue;
		facts = facts ? facts : value_copy(r->env->owned[i], o->facts);
		value_set(r->env->owned[i], facts, f->name,
			  value_copy(r->env->owned[i], value_get(told, f->name)));
	}
	o->facts = facts ? facts : o->facts;
}

static void ask_said(struct round *r, size_t i)
{
	struct observation *o = &r->env->seen[i];
	const struct said *said = r->ob.said;
	enum known known = KNOWN_ATTESTED;
	const char *by = NULL;
	const struct value *facts;
	int64_t asked_ms = 0;

	if (!said || !said->facts)
		return;
	/* What a system says itself comes before what anybody says of it. */
	if (o->known != KNOWN_DENIED && o->known != KNOWN_FENCED) {
		add_words(r, i);
		return;
	}
	facts = said->facts(said->ctx, r->env->env->name, o->thing, &by, &known, &asked_ms);
	if (!facts)
		return;
	o->server_ms = asked_ms;
	o->local_ms = 0; /* nobody knows when exactly it was read */
	o->facts = value_copy(r->env->owned[i], facts);
	o->by = arena_strdup(r->env->owned[i], by);
	o->known = known;
}

static void lay_over(struct round *r, size_t i)
{
	struct observation *o = &r->env->seen[i];
	const struct said *said = r->ob.said;
	const struct value *extra;
	struct value *facts;

	if (!said || !said->overlay)
		return;
	extra = said->overlay(said->ctx, r->env->env->name, o->thing);
	if (!extra)
		return;
	facts = o->facts ? value_copy(r->env->owned[i], o->facts) : value_map(r->env->owned[i]);
	value_set(r->env->owned[i], facts, "attested", value_copy(r->env->owned[i], extra));
	o->facts = facts;
	if (o->known == KNOWN_DENIED || o->known == KNOWN_FENCED)
		o->known = KNOWN_ATTESTED;
}

static void start_ready(struct round *r);

static void thing_finished(struct round *r, size_t i)
{
	const struct thing_type *t = thing_at(r->ob.o->registry, i);

	ask_said(r, i);
	lay_over(r, i);
	derive(r->env, t, i, clocks_now(r->ob.o->clocks));
	settle(r->env, i);
	r->part[i] = PART_DONE;
	r->open--;
	r->env->chain = MAX_OF(r->env->chain, r->chain[i]);
}

static void round_begin(struct round *r);

static void round_end(struct round *r)
{
	round_done *done = r->done;
	void *arg = r->arg;
	struct env_state *env = r->env;

	round_free(r);
	done(arg, env); /* sees this round's facts: the next one begins afterwards */
	env->round = NULL;
	if (env->queue) {
		struct round *next = env->queue;

		env->queue = next->next;
		round_begin(next);
	}
}

static enum known how(const struct round *r, const struct call_job *j)
{
	(void)r;
	if (j->result == NEXT_DONE)
		return strcmp(j->thing->conn, "bridge") == 0 ? KNOWN_BRIDGE : KNOWN_API;
	if (j->is_fenced)
		return KNOWN_FENCED;
	return j->err.code == E_DENIED ? KNOWN_DENIED : KNOWN_FAILED;
}

static void looked(void *arg, struct call_job *j)
{
	struct round *r = arg;
	size_t i = registry_thing_index(r->ob.o->registry, j->thing->name);
	struct arena *a = renew(r->env, i);
	struct observation *o = &r->env->seen[i];

	o->known = how(r, j);
	o->server_ms = j->call.server_ms;
	o->local_ms = sys_wall_ms(r->ob.o->sys);
	if (j->result == NEXT_DONE)
		o->facts = value_copy(a, j->call.facts);
	else
		o->why = arena_strdup(a, j->err.msg);
	if (r->env->requests)
		r->env->requests[i] = value_copy(&r->env->request_arena, j->requests);
	r->chain[i] += j->chain;
	thing_finished(r, i);
	start_ready(r);
}

/* Whether all that thing i needs has been looked at, in this round or before. */
static bool is_ready(struct round *r, const struct thing_type *t, size_t i)
{
	for (const char *const *n = t->needs; n && *n; n++) {
		size_t k = registry_thing_index(r->ob.o->registry, *n);

		if (k == SIZE_MAX)
			continue;
		if (r->part[k] == PART_WANTED || r->part[k] == PART_BUSY)
			return false;
		r->chain[i] = MAX_OF(r->chain[i], r->chain[k]);
	}
	return true;
}

/* A thing whose ground is unknown cannot be read either; the reason is the ground's. */
static bool lacks_ground(struct round *r, const struct thing_type *t, size_t i)
{
	for (const char *const *n = t->needs; n && *n; n++) {
		size_t k = registry_thing_index(r->ob.o->registry, *n);
		const struct observation *ground = k == SIZE_MAX ? NULL : &r->env->seen[k];
		struct arena *a;
		enum known known;

		if (!ground || ground->facts || ground->known == KNOWN_NOT)
			continue;
		known = ground->known;
		a = renew(r->env, i);
		r->env->seen[i].known = known;
		r->env->seen[i].why = arena_printf(a, "needs %s, which is not known", *n);
		return true;
	}
	return false;
}

static void start_thing(struct round *r, const struct thing_type *t, size_t i)
{
	struct call_job given = {
		.env = r->env->env,
		.thing = t,
		.fn = t->observe,
		.mode = CALL_READS,
		.done = looked,
		.arg = r,
	};

	r->part[i] = PART_BUSY;
	if (!t->observe) {
		struct arena *a = renew(r->env, i);

		r->env->seen[i].known = KNOWN_API;
		r->env->seen[i].facts = value_map(a);
		thing_finished(r, i);
		return;
	}
	if (lacks_ground(r, t, i)) {
		thing_finished(r, i);
		return;
	}
	given.view = env_view(r->env, clocks_now(r->ob.o->clocks));
	caller_start(r->ob.caller, &given);
}

static void start_ready(struct round *r)
{
	const struct thing_type *t;

	if (r->is_starting)
		return;
	r->is_starting = true;
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; (t = thing_at(r->ob.o->registry, i)) != NULL; i++)
			if (r->part[i] == PART_WANTED && is_ready(r, t, i)) {
				start_thing(r, t, i);
				moved = true;
			}
	}
	r->is_starting = false;
	if (!r->open)
		round_end(r);
}

static bool wanted(const struct thing_type *t, const char *const *things)
{
	if (!things)
		return t->at_plan;
	for (; *things; things++)
		if (strcmp(*things, t->name) == 0)
			return true;
	return false;
}

static void round_begin(struct round *r)
{
	struct env_state *env = r->env;
	const struct said *said = r->ob.said;
	const struct thing_type *t;

	env->round = r;
	env->chain = 0;
	if (said && said->marks)
		env->marks = said->marks(said->ctx, env->env->name);
	look_at_secrets(&r->ob, env);
	for (size_t i = 0; (t = thing_at(r->ob.o->registry, i)) != NULL; i++)
		if (wanted(t, r->things)) {
			r->part[i] = PART_WANTED;
			r->open++;
		}
	start_ready(r);
}

void round_start(const struct observer *ob, struct env_state *env, const char *const *things,
		 round_done *done, void *arg)
{
	struct round *r = mem_alloc(sizeof(*r));
	struct round **last = &env->queue;

	*r = (struct round){ .ob = *ob, .env = env, .done = done, .arg = arg, .things = things };
	r->part = mem_alloc(env->thing_count);
	r->chain = mem_alloc(env->thing_count * sizeof(*r->chain));
	if (!env->round) {
		round_begin(r);
		return;
	}
	while (*last)
		last = &(*last)->next;
	*last = r;
}

const char *const *observe_for(const struct registry *reg, enum direction way, struct arena *a)
{
	const struct thing_type *t;
	const char **names;
	size_t n = 0, count = 0;

	if (way == DIRECTION_FORWARD)
		return NULL;
	while (thing_at(reg, n))
		n++;
	names = arena_array(a, n + 1, sizeof(*names));
	for (size_t i = 0; (t = thing_at(reg, i)) != NULL; i++)
		if (t->at_plan && t->diff_back)
			names[count++] = t->name;
	return names;
}

struct value *env_requests(const struct env_state *s, struct arena *a)
{
	struct value *out = value_list(a);

	for (size_t i = 0; s->requests && i < s->thing_count; i++)
		for (size_t k = 0; k < value_count(s->requests[i]); k++)
			value_list_add(a, out, value_copy(a, value_at(s->requests[i], k)));
	return out;
}

void env_forget_requests(struct env_state *s)
{
	mem_freep(&s->requests);
	arena_done(&s->request_arena);
}

const char *env_failure(const struct env_state *s)
{
	for (size_t i = 0; i < s->thing_count; i++)
		if (s->seen[i].known == KNOWN_FAILED)
			return s->seen[i].why;
	return NULL;
}
