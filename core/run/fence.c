/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fence.c - when the tool may mint a token of a client that it migrates, and the ledger of when it did.
 *
 * Only inside an open run. From the start of a restart until a use of the app's own has been sampled, not at all: a mint of ours in
 * between would hide the app's, since only the last use is kept. On a way back no such use is waited for, so its fence stands to its end:
 * whoever still uses that client has to show.
 */
#include <string.h>

#include "core/base/when.h"
#include "core/run/run_state.h"

#define LOST_REPLY                                                                                 \
	(65 * WHEN_SECOND) /* a mint whose reply is lost may still be carried out this long */
#define STAMP_LATE (60 * WHEN_SECOND)
#define MINT_ROOM ((size_t)4 << 10)

/* Whatever the journal cannot take ends the run: nothing is sent any more. */
static int fatal(struct engine *e, struct err *err)
{
	if (!e->fatal.code)
		e->fatal = *err;
	return -err->code;
}

/* ---- which steps close a fence, by client: a fleet mints for each of its clients, and nobody walks through all its steps each time ---- */

struct fence {
	size_t run; /* index into history.runs */
	const char *address, *env;
	size_t next; /* of the same client: 1 + its place; 0: none */
};
struct fences {
	struct fence *list;
	size_t count, cap;
	struct value *by_client; /* client -> 1 + place of the last one */
	size_t runs;             /* of the history, that were looked through */
};

static void add_fence(struct engine *e, const char *client, const struct fence *f)
{
	struct fences *all = e->fences;
	const struct value *last = value_get(all->by_client, client);

	all->list = arena_grow(e->arena, all->list, all->count, &all->cap, sizeof(*all->list));
	all->list[all->count] = *f;
	all->list[all->count++].next = (size_t)value_int_or(last, 0);
	value_set(e->arena, all->by_client, client, value_int(e->arena, (int64_t)all->count));
}

static bool is_fence(const struct engine *e, const struct value *step)
{
	const struct change_type *t =
		registry_change(e->o->calls->registry, value_text_or(value_get(step, "thing"), ""),
				value_text_or(value_get(step, "change"), ""));

	return t && (t->flags & CHANGE_FENCES);
}

static void add_fences_of(struct engine *e, size_t run)
{
	const struct value *steps = value_get(e->journal.history.runs[run].plan, "steps");

	for (size_t k = 0; k < value_count(steps); k++) {
		const struct value *step = value_at(steps, k), *envs;

		envs = is_fence(e, step) ? value_get(step, "environments") : NULL;
		for (size_t i = 0; i < value_count(envs); i++) {
			const char *name = value_text_or(value_at(envs, i), "");
			const struct rollout_env *env =
				rollout_find_env(e->o->calls->rollout, name);
			struct fence f = { .run = run,
					   .address = value_text_or(value_get(step, "address"), ""),
					   .env = name };

			if (env && env->client_id)
				add_fence(e, env->client_id, &f);
		}
	}
}

/* Each run is looked through once; one that has ended never opens again. */
static const struct fences *fences(struct engine *e)
{
	const struct history *h = &e->journal.history;

	if (!e->fences) {
		e->fences = ARENA_NEW(e->arena, struct fences);
		e->fences->by_client = value_map(e->arena);
	}
	for (; e->fences->runs < h->run_count; e->fences->runs++)
		if (h->runs[e->fences->runs].is_open)
			add_fences_of(e, e->fences->runs);
	return e->fences;
}

/* Whether its step has begun, in a run that is open, and nobody has seen the app's own use since. */
static bool is_closed(const struct engine *e, const struct fence *f)
{
	const struct past_run *r = &e->journal.history.runs[f->run];
	const struct value *at = value_get(r->step_index, f->address);

	return r->is_open && at && r->steps[at->u.i].from_ms && !history_has_left(r, f->env) &&
	       !value_int_or(value_get(history_marks(r, f->env), MARK_OWN_USE), 0);
}

/* Another open run's evidence is spoiled by a mint of this one just as much. */
static bool is_fenced(struct engine *e, const char *client)
{
	const struct fences *all = fences(e);
	size_t at = (size_t)value_int_or(value_get(all->by_client, client), 0);

	while (at && !is_closed(e, &all->list[at - 1]))
		at = all->list[at - 1].next;
	return at != 0;
}

/* ---- what stands before and after a mint ---- */

static int before_mint(void *ctx, const char *client, const char *conn, int64_t from_ms,
		       struct err *err)
{
	struct engine *e = ctx;
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a);

	if (!e->run) {
		err_set(err, E_REFUSED,
			"connection '%s' would mint a token of client '%s', which is being migrated, before the run is open",
			conn, client);
		return err_hint(err, "give connection '%s' a client of its own", conn);
	}
	if (is_fenced(e, client)) {
		err_set(err, E_REFUSED,
			"fence: no token of client '%s' is minted until the app's own use has been seen",
			client);
		return err_hint(err,
				"a client of its own for connection '%s' reads without waiting",
				conn);
	}
	value_set(a, rec, "run", value_string(a, e->run));
	value_set(a, rec, "client", value_string(a, client));
	value_set(a, rec, "connection", value_string(a, conn));
	value_set(a, rec, "from_ms", value_int(a, from_ms - WHEN_SECOND));
	value_set(a, rec, "to_ms", value_int(a, from_ms + LOST_REPLY + STAMP_LATE));
	value_set(a, rec, "is_outcome", value_bool(a, false));
	if (e->fatal.code) {
		*err = e->fatal;
		return -err->code;
	}
	if (journal_reserve(&e->journal, MINT_ROOM, err) < 0)
		return fatal(e, err);
	if (journal_add(&e->journal, "mint", rec, err) < 0) {
		journal_release(&e->journal, MINT_ROOM);
		return fatal(e, err);
	}
	return 0;
}

static int after_mint(void *ctx, const char *client, int64_t from_ms, int64_t to_ms,
		      struct err *err)
{
	struct engine *e = ctx;
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = value_map(a);

	value_set(a, rec, "run", value_string(a, e->run));
	value_set(a, rec, "client", value_string(a, client));
	value_set(a, rec, "from_ms", value_int(a, from_ms));
	value_set(a, rec, "to_ms", value_int(a, to_ms));
	value_set(a, rec, "is_outcome", value_bool(a, true));
	journal_release(&e->journal, MINT_ROOM);
	return journal_add(&e->journal, "mint", rec, err) < 0 ? fatal(e, err) : 0;
}

struct mint_guard fence_guard(struct engine *e)
{
	return (struct mint_guard){ .ctx = e, .before = before_mint, .after = after_mint };
}
