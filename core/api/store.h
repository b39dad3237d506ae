/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - where a journal lives: an append-only sequence of lines, one writer.
 *
 * The file store is core/io/file_store.c; a simulation uses memory; a store shared by several machines can come
 * later behind the same functions. read_all gives whole lines only: one that was being written at a kill is not there.
 */
#pragma once
#include "core/base/err.h"
#include "core/base/sb.h"

/* Who writes, or wrote last. Texts are "" when unknown; all of it is for people, never for a decision but `host`. */
struct store_owner {
	char user[64], host[128], boot[64];
	char since[40]; /* ISO, when the lock was taken */
	int64_t pid;
};

enum lock_state {
	LOCK_FREE,  /* nobody has it, and whoever had it gave it back */
	LOCK_HELD,  /* somebody living has it */
	LOCK_STALE, /* left behind on this host: killed, or rebooted. The next writer takes it over */
	LOCK_LEFT,  /* left behind by another host: whether that one lives cannot be seen from here */
};

struct store {
	void *ctx;
	int (*read_all)(void *ctx, const char *name, struct sb *ret, struct err *err);   /* "" when there is none */
	/*
	 * Adds one line (without its newline) and makes it durable before returning. Where a disk could not be trusted once (EIO, a
	 * failed fsync), nothing more is written.
	 */
	int (*append)(void *ctx, const char *name, const char *line, size_t len, struct err *err);
	/* Takes the writer's lock until unlock or death. E_LOCKED names the holder, or who left it behind on another host. */
	int (*lock)(void *ctx, struct err *err);
	void (*unlock)(void *ctx);
	const char *(*place)(void *ctx); /* for messages: the folder */

	/* ---- what follows may be NULL: the store then does without ---- */

	/* The whole lines from byte `from` on, which is where a line begins. */
	int (*read_from)(void *ctx, const char *name, size_t from, struct sb *ret, struct err *err);
	/*
	 * Says how much room behind the last line is kept for lines to come; it stays so much whatever is appended. More than there is:
	 * E_IO, and what was kept before stays kept. Less is always granted, and makes room for the next append.
	 */
	int (*reserve)(void *ctx, const char *name, size_t bytes, struct err *err);
	/*
	 * A short text beside the sequence, for what to expect at its end. It is not made durable by itself: after a crash it may be an older
	 * one, never a newer one. get_note gives "" when there is none.
	 */
	void (*put_note)(void *ctx, const char *name, const char *text);
	void (*get_note)(void *ctx, const char *name, struct sb *ret);
	const struct store_owner *(*owner)(void *ctx); /* ourselves; borrowed from the store */
	/* Who has the lock or left it, without taking it. */
	int (*look)(void *ctx, enum lock_state *ret_state, struct store_owner *ret_who, struct err *err);
	/* Takes the lock like `lock`, also over what another host left behind; E_LOCKED while a living process has it. */
	int (*seize)(void *ctx, struct err *err);
	/* Journal lines that were read before, for who opens one again and again (core/run/journal.h). */
	struct journal_memo *memo;
};
