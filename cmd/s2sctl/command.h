/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - the program as a function: words in, bytes and an exit status out.
 *
 * main.c fills struct program with the operating system; tests fill it with a script, a clock of their own and buffers. stdout carries the result
 * and nothing else; talk goes to stderr. Both are redacted where they leave.
 */
#pragma once
#include "core/api/provider.h"
#include "core/api/transport.h"
#include "core/base/sb.h"
#include "core/base/sys.h"
#include "core/base/version.h"

struct program {
	void *ctx;
	const struct registry *registry;
	const struct sys *sys;
	/* The transport, made at first use; time_scale divides its sleeping. The same for every later call. */
	int (*transport)(void *ctx, const struct transport **ret, struct err *err);
	void (*set_time_scale)(void *ctx, int64_t scale);
	void (*out)(void *ctx, const char *text, size_t len);  /* stdout */
	void (*talk)(void *ctx, const char *text, size_t len); /* stderr */
	/* Asks on the terminal; false when there is none or nothing was typed. The answer is without its newline. */
	bool (*ask)(void *ctx, const char *question, struct sb *ret);
	bool out_is_terminal, talk_is_terminal;
	unsigned width;               /* of the terminal; 0: unknown */
	const char *user, *host;      /* for attestations, and for the lock */
	const char *boot;             /* boot id, for the lock; NULL: unknown */
	int64_t pid;
	int (*signal_number)(void *ctx); /* the first one that asked to stop; NULL: SIGINT */
};

/* The status that the program ends with: 130 says interrupted, by whichever signal; 143 where that was SIGTERM. */
int program_exit(const struct program *p, int rc);

int program_run(const struct program *p, int argc, const char *const *argv); /* the exit status */
