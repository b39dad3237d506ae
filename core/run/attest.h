/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attest.h - what a person says: made by `ack`, checked, put into the inbox, taken up by apply and plan.
 *
 * An answer belongs to a step that asks (its nonce binds it to that question), or to "<environment>/<thing>/attest": facts that planning needs.
 */
#pragma once
#include "core/plan/rollout.h"
#include "core/run/journal.h"

struct attest {
	const char *step, *by, *user, *host, *note;
	const char *const *facts;      /* "name=value"; ends with NULL; may be NULL */
	const char *last_used, *none_since, *at; /* instants as typed, or NULL */
	/*
	 * What the rollout file says, where it could be read: the only environments for which facts can be attested. NULL: the journal's are taken, if it
	 * knows any.
	 */
	const struct rollout *rollout;
};
/* E_USAGE: unknown, finished or not waiting step; a fact the thing does not have; an instant that cannot be read; what the question needs is missing. */
int attest_add(const struct attest *t, const struct registry *reg, struct journal *j, struct err *err) MUST_USE;

/*
 * Takes up facts attested for planning. With `write` they become journal records, else they are only known to this process.
 */
int attest_take(struct journal *j, const struct registry *reg, bool write, struct err *err) MUST_USE;
/*
 * The same of one line of the inbox; one that is not for planning, or was taken up, is left alone. A run takes them as they come: taken up by the next
 * command they would seem to have been said after what this one has done since.
 */
int attest_take_one(struct journal *j, const struct registry *reg, const struct value *ack, bool write, struct err *err) MUST_USE;
