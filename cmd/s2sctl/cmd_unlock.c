/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_unlock.c - who holds the lock, or left it behind; with --force, away with what was left.
 *
 * The lock of a living process is the kernel's and is never taken away: that process is stopped, or waited for.
 */
#include <inttypes.h>

#include "cmd/s2sctl/session.h"

static void tell_who(struct session *s, const char *what, const struct store_owner *who)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(2048);

	sb_addf(&out, "%s %s@%s, pid %" PRId64 ", since %s\n", what,
		*who->user ? who->user : "somebody", *who->host ? who->host : "unknown host",
		who->pid, *who->since ? who->since : "an unknown time");
	session_out(s, &out);
}

static void tell(struct session *s, const char *text)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(2048);

	sb_add(&out, text);
	session_out(s, &out);
}

/* Takes the lock over what was left, writes down who did, and gives it back. */
static int clear(struct session *s, const struct store *store, const struct store_owner *left)
{
	struct journal j = { .store = store };
	struct value *rec;
	int rc;

	if (store->seize(store->ctx, &s->err) < 0)
		return session_fail(s, &s->err);
	rc = journal_open(&j, store, s->p->sys, &s->err);
	if (rc == 0 && j.records) {
		rec = journal_owner_value(&j.arena, store->owner(store->ctx));
		value_set(&j.arena, rec, "left_by", journal_owner_value(&j.arena, left));
		rc = journal_add(&j, "unlock", rec, &s->err);
	}
	journal_close(&j);
	store->unlock(store->ctx);
	if (rc < 0) /* a journal that cannot be written has no writer either */
		return session_fail(s, &s->err);
	tell(s, "the lock is free\n");
	return 0;
}

int cmd_unlock(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"unlock", "FILE",
		"Says who holds the lock of the rollout's journal, or left it behind. With --force what another host left is taken away.",
		NULL
	};
	bool force = false;
	const struct store *store;
	struct store_owner who;
	enum lock_state state;
	int status;
	const struct opt own[] = {
		{ "force", 0, OPT_FLAG, NULL,
		  "take away what was left behind; never what a living process holds", &force },
		{ "state", 0, OPT_TEXT, "DIR",
		  "where journal and lock live, instead of the file's `state`", &s->common.state },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !session_load(s, s->words.items[0], &status) || !session_store(s, &status))
		return status;
	store = file_store_ops(s->store);
	if (store->look(store->ctx, &state, &who, &s->err) < 0)
		return session_fail(s, &s->err);
	switch (state) {
	case LOCK_FREE:
		tell(s, "nobody holds the lock\n");
		return 0;
	case LOCK_HELD:
		tell_who(s, "held by", &who);
		err_set(&s->err, E_LOCKED, "a living process holds the lock: it is not taken away");
		err_hint(&s->err,
			 "wait until that run has ended, or stop pid %" PRId64
			 " on %s; the lock goes with it",
			 who.pid, *who.host ? who.host : "its host");
		return session_fail(s, &s->err);
	case LOCK_STALE:
		tell_who(s, "left behind on this host by", &who);
		tell(s, "that process has ended; the next run takes the lock over by itself\n");
		return force ? clear(s, store, &who) : 0;
	case LOCK_LEFT:
		break;
	}
	tell_who(s, "left behind by", &who);
	if (force)
		return clear(s, store, &who);
	err_set(&s->err, E_LOCKED,
		"whether that process still lives cannot be seen from this host");
	err_hint(&s->err,
		 "make sure on %s that pid %" PRId64
		 " does not run and that nothing else writes there, then add --force",
		 who.host, who.pid);
	return session_fail(s, &s->err);
}
