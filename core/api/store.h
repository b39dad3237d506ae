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

struct store {
	void *ctx;
	int (*read_all)(void *ctx, const char *name, struct sb *ret, struct err *err);   /* "" when there is none */
	/* Adds one line (without its newline) and makes it durable before returning. */
	int (*append)(void *ctx, const char *name, const char *line, size_t len, struct err *err);
	/* Takes the writer's lock until unlock or death. E_LOCKED names the holder. */
	int (*lock)(void *ctx, struct err *err);
	void (*unlock)(void *ctx);
	const char *(*place)(void *ctx); /* for messages: the folder */
};
