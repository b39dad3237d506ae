/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden.h - what the files of the golden runner share. README.md beside it tells what a case is.
 *
 * runner.c reads a case and compares; wire.c answers requests from a wire file; clock.c is the operating system that a case sees.
 */
#pragma once
#include "core/api/transport.h"
#include "core/base/arena.h"
#include "core/base/sb.h"
#include "core/base/sys.h"

#define GOLDEN_TEXT_MAX ((size_t)256 << 20)

/* Clock, chance, environment and signals as a case has them. Time stands still but for those who wait. */
struct outside {
	struct arena arena;
	struct sys sys;            /* ctx is this */
	int64_t wall_ms, mono_ms;
	int64_t run_began_mono;    /* for the guard against endless runs */
	uint64_t chance;           /* counts up */
	struct value *env;         /* name -> text */
	size_t exchanges;          /* answered in this run */
	size_t signal_after[2];    /* exchanges after which the first, the second signal comes; 0: none */
	const char *signal_at;     /* "METHOD URL" whose being sent brings a signal; NULL: none */
	int signals;               /* come so far by signal_at */
	struct sb *problems;       /* what fails the case, one line each; borrowed */
};
void outside_init(struct outside *o, struct sb *problems);
void outside_done(struct outside *o);
void outside_pass(struct outside *o, int64_t ms); /* time passes; past the guard the process ends */
void problem(struct outside *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Ends the process: a case that cannot go on. `give_up` of runner.c cleans up first. */
void give_up(struct outside *o, const char *fmt, ...) PRINTF_LIKE(2, 3) NORETURN;

/* One wire file: keys (method and address), each with its own queue of answers. */
struct wire;
struct wire *wire_open(struct outside *o, const char *path) MUST_USE; /* mistakes in it are problems */
const struct transport *wire_transport(struct wire *w);
void wire_begin(struct wire *w);                    /* a run begins: its requests are logged anew */
void wire_requests(struct wire *w, struct sb *out); /* those of the run: sorted where sent at the same instant */
size_t wire_count(const struct wire *w);            /* exchanges of the run */
void wire_leftovers(struct wire *w);                /* answers that nobody asked for are problems */
void wire_each_secret(struct wire *w, void (*fn)(void *arg, const char *name, const char *text), void *arg); /* texts of secrets given in answers */
void wire_close(struct wire *w);                    /* NULL is fine */
