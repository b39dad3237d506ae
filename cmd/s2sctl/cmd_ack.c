/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "cmd/s2sctl/session.h"

/* The rollout file whose runs the journal keeps, where it is still to be found from here. */
static const char *file_of_journal(const struct journal *j)
{
	for (size_t i = j->history.run_count; i-- > 0;) {
		const char *path = value_text(value_get(j->history.runs[i].plan, "rollout"));

		if (path)
			return access(path, R_OK) == 0 ? path : NULL;
	}
	return NULL;
}

/* Which environments there are: what the file says, quietly when nobody named it. */
static void know_rollout(struct session *s, const struct journal *j, struct attest *t)
{
	const char *path = s->rollout ? NULL : file_of_journal(j);
	struct diags quiet;

	diags_init(&quiet, &s->arena);
	if (path &&
	    rollout_load(path, s->p->registry, s->p->sys, &s->arena, &s->rollout, &quiet) < 0)
		s->rollout = NULL;
	t->rollout = s->rollout;
}

int cmd_ack(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"ack", "STEP --by NAME",
		"Says that a step that waits for a person is done, or what was read. apply takes it up and verifies.",
		NULL
	};
	struct opt_list facts = { .count = 0 };
	struct attest t = { .facts = facts.items };
	struct journal journal;
	const char *file = NULL;
	int status;
	const struct opt own[] = {
		{ "by", 0, OPT_TEXT, "NAME", "who says it (required)", &t.by },
		{ "fact", 0, OPT_LIST, "NAME=VALUE", "a fact that was read; may be repeated",
		  &facts },
		{ "last-used", 0, OPT_TEXT, "TIME",
		  "last use of the old credential, as the page shows it", &t.last_used },
		{ "none-since", 0, OPT_TEXT, "DATE",
		  "the page says: no access tokens generated since DATE", &t.none_since },
		{ "at", 0, OPT_TEXT, "TIME", "when it was done, if not just now", &t.at },
		{ "note", 0, OPT_TEXT, "TEXT", "kept in the journal", &t.note },
		{ "file", 0, OPT_TEXT, "FILE",
		  "the rollout file: its `state`, and its environments", &file },
		{ "state", 0, OPT_TEXT, "DIR", "where the journal lives (default .s2sctl)",
		  &s->common.state },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    (file && !session_load(s, file, &status)) || !session_store(s, &status))
		return status;
	t.step = s->words.items[0];
	t.user = s->p->user;
	t.host = s->p->host;
	if (!t.by || !*t.by) {
		err_set(&s->err, E_USAGE, "who says so? --by NAME");
		return session_fail(s, &s->err);
	}
	if (journal_open(&journal, file_store_ops(s->store), s->p->sys, &s->err) == 0)
		know_rollout(s, &journal, &t);
	if (s->err.code || attest_add(&t, s->p->registry, &journal, &s->err) < 0) {
		status = session_fail(s, &s->err);
	} else {
		session_talkf(s, "noted: %s, by %s; run apply again to go on\n", t.step, t.by);
		status = 0;
	}
	journal_close(&journal);
	return status;
}
