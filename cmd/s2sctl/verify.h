/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h - the parts of `s2sctl verify`, one for each kind of file.
 */
#pragma once
#include "cmd/s2sctl/session.h"

struct verify_words {
	const char *approvals, *signers, *revoked, *at;
	bool json;
};
/* A plan: digests, approvals, what is missing. 0 approved, 5 not, or an error's exit status. */
int verify_plan(struct session *s, const struct verify_words *w, const struct sb *text);
