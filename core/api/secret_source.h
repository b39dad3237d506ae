/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_source.h - where secret references lead. Handed in, like clock and transport.
 *
 * References: "env:NAME", "file:PATH" (relative to the rollout file's folder; one trailing newline is cut), "exec:COMMAND"
 * (its stdout, through /bin/sh, 30 s at most, one trailing newline cut).
 */
#pragma once
#include "core/base/err.h"
#include "core/base/secret.h"

struct secret_source {
	void *ctx;
	/* Finds the secret. E_IO naming the reference when it does not resolve or is empty. The caller owns *ret. */
	int (*resolve)(void *ctx, const char *ref, struct secret **ret, struct err *err);
	/* Whether put can work: only file: can be written. Proves it by making a temporary file beside the target. */
	int (*can_put)(void *ctx, const char *ref, struct err *err);
	/* Writes it: mode 0600, atomic, fsync of file and folder. */
	int (*put)(void *ctx, const char *ref, const struct secret *s, struct err *err);
	/*
	 * The same question as can_put from a look alone: nothing is written, so a full disk goes unnoticed. Asked while observing,
	 * of each environment; who is about to ask for a secret that is shown once asks can_put. NULL: can_put is asked.
	 */
	int (*may_put)(void *ctx, const char *ref, struct err *err);
};
