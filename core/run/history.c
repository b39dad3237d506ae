/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/history.h"

#include <string.h>

#include "core/base/mem.h"
#include "core/base/when.h"
#include "core/io/json.h"

#define GATES_INDEXED 16 /* below it looking at each is as quick */
/* Of an environment that has come far: outgrown room would be half of a fleet's marks. */
#define MARKS_USUAL 32

void history_init(struct history *h, struct arena *a)
{
	*h = (struct history){ .arena = a };
	h->said = value_map(a);
	h->overlays = value_map(a);
	h->acks_seen = value_map(a);
	h->run_index = value_map(a);
	h->marked = value_map(a);
	h->said_of = value_map(a);
	h->names = value_map(a);
}

/* ---- samples: on the heap, since most of them go long before the journal is closed ---- */

static void drop_sample(struct past_gate *g, size_t i)
{
	mem_free(g->samples[i].seen);
	mem_free(g->samples[i].times);
	g->kept--;
	memmove(&g->samples[i], &g->samples[i + 1], (g->kept - i) * sizeof(*g->samples));
}

static void drop_samples(struct past_step *s)
{
	for (size_t i = 0; i < s->gate_count; i++) {
		struct past_gate *g = &s->gates[i];

		while (g->kept)
			drop_sample(g, g->kept - 1);
		mem_freep(&g->samples);
		g->cap = 0;
	}
}

/* What nobody asks for once it is over: numbers, verdict and names stay for the receipt. */
static void drop_words(struct past_step *s)
{
	drop_samples(s);
	for (size_t i = 0; i < s->gate_count; i++) {
		mem_freep(&s->gates[i].saw);
		mem_freep(&s->gates[i].why);
	}
}

static void drop_before(struct past_step *s)
{
	arena_freep(&s->before_mem);
	s->before = NULL;
}

void history_done(struct history *h)
{
	for (size_t i = 0; i < h->run_count; i++) {
		for (size_t k = 0; k < h->runs[i].step_count; k++) {
			drop_words(&h->runs[i].steps[k]);
			drop_before(&h->runs[i].steps[k]);
		}
		arena_done(&h->runs[i].suspended_mem);
	}
	h->run_count = 0;
}

/* Every type of record that there is; what is not here cannot be written, and is not read over either. */
static const char *const types[] = {
	"journal", "lock",   "unlock",  "run",     "ack",   "ack-refused",
	"ask",     "intent", "outcome", "lost",    "mint",  "sample",
	"step",    "failed", "suspend", "abandon", "leave", "receipt",
};

bool history_knows(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

struct past_run *history_run(const struct history *h, const char *id)
{
	const struct value *at = id ? value_get(h->run_index, id) : NULL;

	return at ? &h->runs[at->u.i] : NULL;
}

struct past_run *history_marked_run(const struct history *h, const char *env)
{
	const struct value *at = value_get(h->marked, env);

	return at ? &h->runs[at->u.i] : NULL;
}

bool history_holds(const struct past_run *r, const char *env)
{
	return value_get(r->env_index, env) != NULL;
}

bool history_has_left(const struct past_run *r, const char *env)
{
	return value_get(r->left, env) != NULL;
}

bool history_step_is_left(const struct past_run *r, const char *address)
{
	for (size_t i = 0; i < value_count(r->left); i++) {
		const char *env = value_key_at(r->left, i), *at = address;
		size_t len = strlen(env), end = strcspn(address, "/");

		for (; at < address + end; at += strcspn(at, "+/") + 1)
			if (strncmp(at, env, len) == 0 && (at[len] == '+' || at[len] == '/'))
				return true;
	}
	return false;
}

struct mint *history_mints(const struct history *h, struct arena *a, size_t *ret_count)
{
	struct mint *all;
	size_t n = 0;

	for (size_t i = 0; i < h->run_count; i++)
		n += h->runs[i].mint_count;
	all = arena_array(a, n + 1, sizeof(*all));
	*ret_count = n;
	n = 0;
	for (size_t i = 0; i < h->run_count; i++)
		for (size_t k = 0; k < h->runs[i].mint_count; k++)
			all[n++] = h->runs[i].mints[k];
	return all;
}

struct past_run *history_open_run(const struct history *h, const char *env)
{
	for (size_t i = h->run_count; i-- > h->first_open;)
		if (h->runs[i].is_open && history_holds(&h->runs[i], env) &&
		    !history_has_left(&h->runs[i], env))
			return &h->runs[i];
	return NULL;
}

struct past_step *history_step(const struct history *h, struct past_run *r, const char *address)
{
	const struct value *at = value_get(r->step_index, address);
	struct past_step *s;

	if (at)
		return &r->steps[at->u.i];
	r->steps = arena_grow(h->arena, r->steps, r->step_count, &r->step_cap, sizeof(*r->steps));
	value_set(h->arena, r->step_index, address, value_int(h->arena, (int64_t)r->step_count));
	s = &r->steps[r->step_count++];
	*s = (struct past_step){ .address = arena_strdup(h->arena, address) };
	return s;
}

static const char *name_of(const struct history *h, const char *text)
{
	const struct value_pair *pair = value_get_pair(h->names, text);

	if (pair)
		return pair->key;
	value_set(h->arena, h->names, text, value_null(h->arena));
	return value_get_pair(h->names, text)->key;
}

static void index_gate(const struct history *h, struct past_step *s, size_t i)
{
	value_set(h->arena, s->gate_index,
		  arena_printf(h->arena, "%s %s", s->gates[i].env, s->gates[i].gate),
		  value_int(h->arena, (int64_t)i));
}

struct past_gate *history_gate(const struct history *h, struct past_step *s, const char *env,
			       const char *gate)
{
	CLEANUP(arena_done) struct arena tmp = ARENA_INIT;
	const struct value *at;
	size_t i;

	/* A step that many environments share has as many gates. */
	for (i = 0; s->gate_count < GATES_INDEXED && i < s->gate_count; i++)
		if (strcmp(s->gates[i].env, env) == 0 && strcmp(s->gates[i].gate, gate) == 0)
			return &s->gates[i];
	at = i < s->gate_count ? value_get(s->gate_index, arena_join(&tmp, env, ' ', gate)) : NULL;
	if (at)
		return &s->gates[at->u.i];
	if (!s->gates) { /* most have one, and thousands have it */
		s->gates = ARENA_NEW(h->arena, struct past_gate);
		s->gate_cap = 1;
	}
	s->gates = arena_grow(h->arena, s->gates, s->gate_count, &s->gate_cap, sizeof(*s->gates));
	s->gates[s->gate_count++] =
		(struct past_gate){ .env = name_of(h, env), .gate = name_of(h, gate) };
	if (s->gate_count == GATES_INDEXED) {
		s->gate_index = value_map(h->arena);
		for (i = 0; i < s->gate_count; i++)
			index_gate(h, s, i);
	} else if (s->gate_count > GATES_INDEXED) {
		index_gate(h, s, s->gate_count - 1);
	}
	return &s->gates[s->gate_count - 1];
}

const struct value *history_marks(const struct past_run *r, const char *env)
{
	return r ? value_get(r->marks, env) : NULL;
}

struct past_step *history_asking(const struct history *h, const char *address,
				 struct past_run **ret_run)
{
	for (size_t i = h->run_count; i-- > h->first_open;) {
		const struct value *at = value_get(h->runs[i].step_index, address);
		struct past_step *s = at ? &h->runs[i].steps[at->u.i] : NULL;

		if (h->runs[i].is_open && s && s->is_asked && !s->ack && !s->is_done &&
		    !history_step_is_left(&h->runs[i], address)) {
			*ret_run = &h->runs[i];
			return s;
		}
	}
	return NULL;
}

static const struct value *keep(struct history *h, const struct value *v)
{
	return v ? value_copy(h->arena, v) : NULL;
}

static const char *keep_text(struct history *h, const struct value *v)
{
	return arena_strdup(h->arena, value_text(v));
}

static void mark_env(struct history *h, struct past_run *r, const char *env,
		     const struct value *marks)
{
	const struct value_pair *old = value_get_pair(r->marks, env);
	struct value *all = old ? old->val : NULL;

	if (!value_count(marks))
		return;
	if (!history_marked_run(h, env) || history_marked_run(h, env) < r)
		value_set(h->arena, h->marked, env, value_int(h->arena, r - h->runs));
	/* Views of it see what is added: a map of its own for each mark would be a fleet's largest heap. */
	if (!all) {
		all = value_map_sized(h->arena, MARKS_USUAL);
		value_set(h->arena, r->marks, env, all);
	}
	for (size_t i = 0; i < value_count(marks); i++) {
		const char *key = value_key_at(marks, i);
		const struct value *mark = value_copy(h->arena, value_at(marks, i));

		if (value_get(all, key))
			value_set(h->arena, all, key, mark);
		else
			value_add(h->arena, all, name_of(h, key), mark);
	}
}

/* What a step noted holds for all its environments; what a gate saw, only for the one that it looked at. */
static void add_marks(struct history *h, struct past_run *r, const struct value *envs,
		      const struct value *marks)
{
	for (size_t e = 0; e < value_count(envs); e++)
		mark_env(h, r, value_text_or(value_at(envs, e), ""), marks);
}

/* Which things were spoken of, by environment: a receipt settles those of its own. */
static void remember_said(struct history *h, const char *env, const char *key)
{
	const struct value *keys = value_get(h->said_of, env);
	struct value *list;

	if (value_get(h->said, key))
		return;
	list = keys ? value_copy(h->arena, keys) : value_list(h->arena);
	value_list_add(h->arena, list, value_string(h->arena, key));
	value_set(h->arena, h->said_of, env, list);
}

static void say(struct history *h, struct value *where, const struct value *envs, const char *thing,
		const struct value *entry)
{
	for (size_t e = 0; e < value_count(envs); e++) {
		const char *env = value_text_or(value_at(envs, e), "");
		const char *key = arena_printf(h->arena, "%s %s", env, thing);

		if (where == h->said)
			remember_said(h, env, key);
		value_set(h->arena, where, key, entry);
	}
}

static struct value *said_entry(struct history *h, const struct value *facts,
				const struct value *by, const char *known, const struct value *at)
{
	struct value *m = value_map(h->arena);

	value_set(h->arena, m, "facts", keep(h, facts));
	value_set(h->arena, m, "by", keep(h, by));
	value_set(h->arena, m, "known", value_string(h->arena, known));
	value_set(h->arena, m, "at", keep(h, at));
	value_set(h->arena, m, "n", value_int(h->arena, h->at_record));
	return m;
}

/* Facts that an act has as its effect: {thing: {fact: value}}, laid over what was said of the thing before. */
static void add_effects(struct history *h, const struct value *rec)
{
	const struct value *effects = value_get(rec, "effects"),
			   *envs = value_get(rec, "environments");

	for (size_t i = 0; i < value_count(effects); i++)
		for (size_t e = 0; e < value_count(envs); e++) {
			const char *env = value_text_or(value_at(envs, e), "");
			const char *key =
				arena_printf(h->arena, "%s %s", env, value_key_at(effects, i));
			const struct value *old = value_get(value_get(h->said, key), "facts");
			CLEANUP(arena_done) struct arena tmp = ARENA_INIT;
			struct value *facts = old ? value_copy(&tmp, old) : value_map(&tmp);
			const struct value *add = value_at(effects, i);

			for (size_t k = 0; k < value_count(add); k++)
				value_set(&tmp, facts, value_key_at(add, k), value_at(add, k));
			remember_said(h, env, key);
			value_set(h->arena, h->said, key,
				  said_entry(h, facts, value_get(rec, "by"), "journal",
					     value_get(rec, "at")));
		}
}

static void fold_ack(struct history *h, struct past_step *s, const struct value *rec)
{
	const struct value *envs = value_get(rec, "environments"), *facts = value_get(rec, "facts");
	const char *thing = value_text(value_get(rec, "thing"));
	const struct value *attested = value_get(rec, "attested");

	if (s)
		s->ack = keep(h, rec);
	if (thing && value_count(facts)) {
		struct value *entry = said_entry(h, facts, value_get(rec, "by"), "attested",
						 value_get(rec, "said_at_ms"));

		value_set(h->arena, entry, "asked_ms", value_int(h->arena, s ? s->asked_ms : 0));
		say(h, h->said, envs, thing, entry);
	}
	if (thing && attested) {
		struct value *m = value_map(h->arena);

		value_set(h->arena, m, "attested", keep(h, attested));
		value_set(h->arena, m, "at", keep(h, value_get(rec, "said_at_ms")));
		say(h, h->overlays, envs, thing, m);
	}
}

static void fold_mint(struct history *h, struct past_run *r, const struct value *rec)
{
	const char *client = value_text_or(value_get(rec, "client"), "");
	int64_t from = value_int_or(value_get(rec, "from_ms"), 0),
		to = value_int_or(value_get(rec, "to_ms"), 0);

	/* The outcome replaces the interval that the intent reserved. */
	for (size_t i = r->mint_count; i-- > 0;)
		if (strcmp(r->mints[i].client_id, client) == 0 &&
		    value_bool_or(value_get(rec, "is_outcome"), false)) {
			r->mints[i].from_ms = MIN_OF(r->mints[i].from_ms, from);
			r->mints[i].to_ms = to;
			return;
		}
	r->mints = arena_grow(h->arena, r->mints, r->mint_count, &r->mint_cap, sizeof(*r->mints));
	r->mints[r->mint_count++] = (struct mint){ .client_id = arena_strdup(h->arena, client),
						   .from_ms = from,
						   .to_ms = to };
}

static struct value *index_envs(struct arena *a, const struct value *envs)
{
	struct value *index = value_map_sized(a, value_count(envs));

	for (size_t i = 0; i < value_count(envs); i++)
		value_set(a, index, value_text_or(value_get(value_at(envs, i), "name"), ""),
			  value_at(envs, i));
	return index;
}

static void end_run(struct history *h, struct past_run *r, const char *how)
{
	r->is_open = false;
	r->ended = how;
	for (size_t i = 0; i < r->step_count; i++)
		drop_samples(&r->steps[i]);
	while (h->first_open < h->run_count && !h->runs[h->first_open].is_open)
		h->first_open++;
}

/* An environment leaves; with the last one the run is over. Why is told by a record of its own, which may come later, or never. */
static void leave(struct history *h, struct past_run *r, const char *env, const char *why)
{
	const struct value *envs = value_get(r->plan, "environments");

	if (!history_holds(r, env) || (history_has_left(r, env) && !*why))
		return;
	value_set(h->arena, r->left, env, value_string(h->arena, why));
	if (!r->is_open || value_count(r->left) < value_count(envs))
		return;
	end_run(h, r, "left");
}

/* A new run takes its environments out of the open ones, and keeps what it was told of what they were before. */
static void take_over(struct history *h, struct past_run *r, const struct value *rec)
{
	const struct value *envs = value_get(r->plan, "environments"),
			   *marks = value_get(rec, "marks");

	for (size_t k = 0; k < value_count(envs); k++) {
		const char *env = value_text_or(value_get(value_at(envs, k), "name"), "");

		mark_env(h, r, env, value_get(marks, env));
		for (struct past_run *other = h->runs + h->first_open; other < r; other++)
			if (other->is_open)
				leave(h, other, env, "");
	}
}

static void fold_leave(struct history *h, struct past_run *r, const struct value *rec)
{
	const struct value *envs = value_get(rec, "environments");

	for (size_t k = 0; k < value_count(envs); k++)
		leave(h, r, value_text_or(value_at(envs, k), ""),
		      value_text_or(value_get(rec, "why"), ""));
}

static int fold_run(struct history *h, const struct value *rec, struct err *err)
{
	struct past_run *r;

	if (!value_get(rec, "plan"))
		return err_set(err, E_IO, "a run without its plan");
	if (history_run(h, value_text_or(value_get(rec, "run"), "")))
		return err_set(err, E_IO, "a run that was begun already");
	h->runs = arena_grow(h->arena, h->runs, h->run_count, &h->run_cap, sizeof(*h->runs));
	r = &h->runs[h->run_count++];
	*r = (struct past_run){
		.id = value_text_or(value_get(rec, "run"), ""),
		.rollout_digest = value_text_or(value_get(rec, "rollout_digest"), ""),
		.salt = value_text_or(value_get(rec, "salt"), ""),
		.started_at = value_text_or(value_get(rec, "at"), ""),
		.plan = value_get(rec, "plan"),
		.approvals = value_get(rec, "approvals"),
		.is_open = true,
		.is_back =
			strcmp(value_text_or(value_path(rec, "plan.direction"), ""), "back") == 0,
		.is_automatic = value_bool_or(value_get(rec, "automatic"), false),
		.left = value_map(h->arena),
		.marks = value_map(h->arena),
		.env_index =
			index_envs(h->arena, value_get(value_get(rec, "plan"), "environments")),
		.plan_digest = value_text_or(value_get(rec, "plan_digest"), ""),
		.began_ms = value_int_or(value_get(rec, "now_ms"), 0),
		.begun_at_record = value_int_or(value_get(rec, "n"), 0),
	};
	/* All at once, so that no outgrown halves stay behind. */
	r->step_cap = value_count(value_get(r->plan, "steps"));
	r->steps = arena_array(h->arena, r->step_cap + 1, sizeof(*r->steps));
	r->step_index = value_map_sized(h->arena, r->step_cap);
	value_set(h->arena, h->run_index, r->id, value_int(h->arena, (int64_t)h->run_count - 1));
	take_over(h, r, rec);
	return 0;
}

static void fold_intent(struct history *h, struct past_step *s, const struct value *rec)
{
	if (s->has_intent)
		s->unanswered_ms = s->intent_ms;
	s->has_intent = true;
	s->begun_at_record = h->at_record;
	s->has_failed = s->is_lost = false;
	s->nonce = arena_strdup(h->arena, value_text_or(value_get(rec, "nonce"), ""));
	if (!s->before && value_get(rec, "before")) {
		s->before_mem = arena_new();
		s->before = value_copy(s->before_mem, value_get(rec, "before"));
	}
	s->intent_ms = value_int_or(value_get(rec, "now_ms"), 0);
	if (!s->from_ms)
		s->from_ms = s->intent_ms;
}

static void fold_ask(struct history *h, struct past_step *s, const struct value *rec)
{
	s->is_asked = true;
	s->ack = NULL;
	s->is_act = value_bool_or(value_get(rec, "is_act"), false);
	if (s->is_act)
		s->begun_at_record = h->at_record;
	s->wants_last_use = value_bool_or(value_get(rec, "wants_last_use"), false);
	s->ask_nonce = arena_strdup(h->arena, value_text_or(value_get(rec, "nonce"), ""));
	s->ask_thing = keep_text(h, value_get(rec, "thing"));
	s->asked_ms = value_int_or(value_get(rec, "now_ms"), 0);
	if (!s->from_ms)
		s->from_ms = s->asked_ms;
}

static int64_t instant_of(const struct value *v)
{
	struct err err = ERR_INIT;
	int64_t ms = 0;

	return value_text(v) && when_parse(value_text(v), &ms, NULL, &err) == 0 ? ms : 0;
}

static const char *verdict_text(struct history *h, const char *name)
{
	for (enum verdict v = VERDICT_PASS; v <= VERDICT_INCONCLUSIVE; v++)
		if (strcmp(verdict_name(v), name) == 0)
			return verdict_name(v);
	return arena_strdup(h->arena, name);
}

/* Whose words a sample rests on; NULL: it was read. */
static const char *word_in(const struct value *sample)
{
	const struct value *seen = value_get(sample, "seen");

	for (size_t i = 0; i < value_count(seen); i++) {
		const char *by = value_text(value_get(value_at(seen, i), "by")),
			   *used = value_text(value_path(value_at(seen, i), "facts.attested.by"));

		if (by || used)
			return by ? by : used;
	}
	return NULL;
}

static char *json_text(const struct value *v)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	json_write(&text, v, JSON_CANONICAL, NULL);
	return mem_strdup(text.buf);
}

/* Two that saw the same make a third one in their middle say nothing new. */
static void keep_sample(struct past_gate *g, int64_t now_ms, const struct value *seen)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *facts = value_list(&a), *times = value_list(&a);
	struct past_sample *new;

	for (size_t i = 0; i < value_count(seen); i++) {
		const struct value *v = value_at(seen, i);
		struct value *m = value_map_sized(&a, value_count(v));

		for (size_t k = 0; k < value_count(v); k++)
			if (strcmp(value_key_at(v, k), "server_ms") != 0)
				value_add(&a, m, value_key_at(v, k), value_at(v, k));
		value_list_add(&a, facts, m);
		value_list_add(&a, times,
			       value_int(&a, value_int_or(value_get(v, "server_ms"), 0)));
	}
	g->samples = mem_grow(g->samples, g->kept, &g->cap, sizeof(*g->samples));
	new = &g->samples[g->kept++];
	*new = (struct past_sample){ now_ms, json_text(facts), json_text(times) };
	if (g->kept > 2 && strcmp(new[-2].seen, new->seen) == 0 &&
	    strcmp(new[-1].seen, new->seen) == 0)
		drop_sample(g, g->kept - 2);
	if (g->kept > SAMPLES_KEPT)
		drop_sample(g, 0);
}

static void fold_sample(struct history *h, const struct past_run *r, struct past_step *s,
			const struct value *rec)
{
	struct past_gate *g = history_gate(h, s, value_text_or(value_get(rec, "environment"), ""),
					   value_text_or(value_get(rec, "gate"), ""));

	if (!g->opened_ms)
		g->opened_ms = value_int_or(value_get(rec, "opened_ms"), 0);
	g->last_ms = value_int_or(value_get(rec, "now_ms"), 0);
	if (!g->count++)
		g->first_ms = g->last_ms;
	g->verdict = verdict_text(h, value_text_or(value_get(rec, "verdict"), ""));
	g->passes = strcmp(g->verdict, verdict_name(VERDICT_PASS)) == 0 ? g->passes + 1 : 0;
	g->last_n = value_int_or(value_get(rec, "n"), 0);
	g->last_at_ms = instant_of(value_get(rec, "at"));
	g->until_ms = instant_of(value_get(rec, "until"));
	if (strcmp(g->by ? g->by : "", word_in(rec) ? word_in(rec) : "") != 0)
		g->by = arena_strdup(h->arena, word_in(rec));
	mem_free(g->saw);
	mem_free(g->why);
	g->saw = mem_strdup(value_text_or(value_get(rec, "saw"), ""));
	g->why = mem_strdup(value_text_or(value_get(rec, "why"), ""));
	if (r->is_open && !s->is_done)
		keep_sample(g, g->last_ms, value_get(rec, "seen"));
}

static void fold_step(struct history *h, struct past_run *r, struct past_step *s, const char *type,
		      const struct value *rec)
{
	const struct value *envs = value_get(rec, "environments");

	if (envs && !value_equal(envs, s->envs))
		s->envs = keep(h, envs);
	if (strcmp(type, "intent") == 0) {
		fold_intent(h, s, rec);
		add_marks(h, r, envs, value_get(rec, "marks"));
	} else if (strcmp(type, "outcome") == 0) {
		s->has_intent = s->is_lost = false;
		s->is_half = value_text(value_get(rec, "half")) != NULL;
		s->has_acted = value_bool_or(value_get(rec, "ok"), false);
		s->how = keep_text(h, value_get(rec, "how"));
		s->by = keep_text(h, value_get(rec, "by"));
		s->acted_ms = value_int_or(value_get(rec, "now_ms"), 0);
		add_marks(h, r, envs, value_get(rec, "marks"));
		if (s->has_acted)
			add_effects(h, rec);
	} else if (strcmp(type, "lost") == 0) {
		s->is_lost = true;
	} else if (strcmp(type, "ask") == 0) {
		fold_ask(h, s, rec);
	} else if (strcmp(type, "ack") == 0) {
		fold_ack(h, s, rec);
	} else if (strcmp(type, "sample") == 0) {
		fold_sample(h, r, s, rec);
		mark_env(h, r, value_text_or(value_get(rec, "environment"), ""),
			 value_get(rec, "marks"));
	} else if (strcmp(type, "step") == 0) {
		s->is_done = true;
		s->has_failed = false;
		drop_words(s);
		drop_before(s);
		s->result = arena_strdup(h->arena, value_text_or(value_get(rec, "result"), "done"));
		s->done_ms = value_int_or(value_get(rec, "now_ms"), 0);
		add_marks(h, r, envs, value_get(rec, "marks"));
	} else if (strcmp(type, "failed") == 0) {
		s->has_failed = true;
		s->failure = arena_strdup(h->arena, value_text_or(value_get(rec, "why"), ""));
		/* What failed is asked anew by the next run, on fresh samples. */
		drop_words(s);
		s->gate_count = 0;
	}
}

/* A receipt proves what was attested on the way: from now on it is the journal's word, and does not age. */
static void settle_said(struct history *h, const struct past_run *r)
{
	const struct value *envs = value_get(r->plan, "environments");

	for (size_t k = 0; k < value_count(envs); k++) {
		const char *env = value_text_or(value_get(value_at(envs, k), "name"), "");
		const struct value *keys = value_get(h->said_of, env);

		for (size_t i = 0; i < value_count(keys); i++) {
			const char *key = value_text_or(value_at(keys, i), "");
			const struct value *entry = value_get(h->said, key);

			if (!history_has_left(r, env))
				value_set(h->arena, h->said, key,
					  said_entry(h, value_get(entry, "facts"),
						     value_get(entry, "by"), "journal",
						     value_get(entry, "at")));
		}
	}
}

/* About the journal and who writes it, not about a run. */
static bool is_about_itself(const char *type)
{
	return strcmp(type, "journal") == 0 || strcmp(type, "lock") == 0 ||
	       strcmp(type, "unlock") == 0;
}

/*
 * What a run that is given up had begun and not ended is noted for whoever plans next: "<thing>/<change>.left_open". What it changed on the way
 * nobody has looked at.
 */
static void note_left_open(struct history *h, struct past_run *r, const struct value *rec)
{
	for (size_t i = 0; i < r->step_count; i++) {
		const struct past_step *s = &r->steps[i];
		const char *slash = strchr(s->address, '/');
		bool is_begun = s->has_intent || (s->is_asked && s->is_act && !s->has_acted);
		struct value *marks;

		if (s->is_done || !is_begun || !slash)
			continue;
		marks = value_map(h->arena);
		value_set(h->arena, marks, arena_printf(h->arena, "%s.left_open", slash + 1),
			  value_string(h->arena, value_text_or(value_get(rec, "at"), "")));
		add_marks(h, r, s->envs, marks);
	}
}

int history_fold(struct history *h, const struct value *rec, struct err *err)
{
	const char *type = value_text_or(value_get(rec, "type"), "");
	const char *step = value_text(value_get(rec, "step"));
	struct past_run *r;

	if (!history_knows(type))
		return err_set(err, E_REFUSED, "a record of an unknown type '%.60s'", type);
	if (is_about_itself(type))
		return 0;
	h->at_record = value_int_or(value_get(rec, "n"), 0);
	if (strcmp(type, "run") == 0)
		return fold_run(h, rec, err);
	if (value_text(value_get(rec, "ack_id")))
		value_set(h->arena, h->acks_seen, value_text(value_get(rec, "ack_id")),
			  value_bool(h->arena, true));
	if (strcmp(type, "ack-refused") == 0)
		return 0;
	r = history_run(h, value_text(value_get(rec, "run")));
	if (!r) {
		if (strcmp(type, "ack") == 0) { /* facts for planning: no run yet */
			fold_ack(h, NULL, rec);
			return 0;
		}
		return err_set(err, E_IO, "a record '%s' of a run that was not begun", type);
	}
	arena_done(&r->suspended_mem);
	r->suspended = strcmp(type, "suspend") == 0 ? value_copy(&r->suspended_mem, rec) : NULL;
	if (strcmp(type, "mint") == 0) {
		fold_mint(h, r, rec);
	} else if (strcmp(type, "leave") == 0) {
		fold_leave(h, r, rec);
	} else if (strcmp(type, "receipt") == 0 || strcmp(type, "abandon") == 0) {
		if (strcmp(type, "receipt") == 0)
			settle_said(h, r);
		else
			note_left_open(h, r, rec);
		r->ending = keep(h, rec);
		end_run(h, r, strcmp(type, "receipt") == 0 ? "receipt" : "abandoned");
	} else if (step) {
		fold_step(h, r, history_step(h, r, step), type, rec);
	}
	return 0;
}
