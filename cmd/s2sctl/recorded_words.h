/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorded_words.h - `plan --record` and `plan --from`: recorded observations as files.
 */
#pragma once
#include "cmd/s2sctl/session.h"
#include "core/run/recorded.h"

struct recorded_words {
	const char *path, *signers, *revoked; /* --from, --allowed-signers, --revoked */
	bool unsigned_too;
};
/* Writes what was recorded; with a key also its signature beside it, after it. 0, or s->err. */
int recorded_save(struct session *s, const struct recorder *r, const struct plan *p, const char *path, const char *key) MUST_USE;
/* Reads it, verifies its signature before anything in it is believed, and says whose and how old it is. 0, or s->err. */
int recorded_load(struct session *s, const struct recorded_words *w, struct recorded **ret) MUST_USE;
