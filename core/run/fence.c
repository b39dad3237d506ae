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

/* Of one step of one open run: whether it has begun, for this client, and nobody has seen the app's own use since. */
static bool closes_fence(const struct engine *e, const struct past_run *r, const struct value *step,
			 const char *client)
{
	const struct value *envs = value_get(step, "environments");
	const struct value *at =
		value_get(r->step_index, value_text_or(value_get(step, "address"), ""));
	const struct change_type *t;

	/* Asked of every step of a fleet at each mint: most have not begun. */
	if (!at || !r->steps[at->u.i].from_ms)
		return false;
	t = registry_change(e->o->calls->registry, value_text_or(value_get(step, "thing"), ""),
			    value_text_or(value_get(step, "change"), ""));
	if (!t || !(t->flags & CHANGE_FENCES))
		return false;
	for (size_t i = 0; i < value_count(envs); i++) {
		const char *name = value_text_or(value_at(envs, i), "");
		const struct rollout_env *env = rollout_find_env(e->o->calls->rollout, name);

		if (env && env->client_id && strcmp(env->client_id, client) == 0 &&
		    !history_has_left(r, name) &&
		    !value_int_or(value_get(history_marks(r, name), MARK_OWN_USE), 0))
			return true;
	}
	return false;
}

/* Another open run's evidence is spoiled by a mint of this one just as much. */
static bool is_fenced(const struct engine *e, const char *client)
{
	const struct history *h = &e->journal.history;

	for (size_t i = 0; i < h->run_count; i++) {
		const struct value *steps = value_get(h->runs[i].plan, "steps");

		for (size_t k = 0; h->runs[i].is_open && k < value_count(steps); k++)
			if (closes_fence(e, &h->runs[i], value_at(steps, k), client))
				return true;
	}
	return false;
}

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
