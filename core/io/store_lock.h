/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_lock.h - one writer for a folder: the kernel's lock on a file, and words in it for people.
 *
 * The kernel's lock (open file description, Linux fcntl F_OFD_SETLK) is the truth: it dies with its process. The words name who has it. Words that
 * are still there when nobody has the lock were left by a process that was killed; on this host that is certain, so the next writer takes over. Left
 * by another host (a folder carried or shared between machines) nobody can tell from here, so it is refused until a person says otherwise.
 */
#pragma once
#include "core/api/store.h"

enum lock_how {
	LOCK_POLITE, /* refuse what another host left behind */
	LOCK_SEIZE,  /* take that over as well */
};
/* Fills what is empty in `who` with what the operating system says. */
void store_lock_owner(struct store_owner *who);
/*
 * Takes the lock and writes `who` into the file; who->since is set. *ret_fd is the caller's, for store_lock_release.
 * E_LOCKED names the holder, with what to do.
 */
int store_lock_take(const char *path, enum lock_how how, struct store_owner *who, int *ret_fd, struct err *err) MUST_USE;
void store_lock_release(int fd); /* wipes the words, then lets go */
/* Who has it or left it; takes nothing and makes no file. @me  whose host counts as this one */
int store_lock_look(const char *path, const struct store_owner *me, enum lock_state *ret_state, struct store_owner *ret_who, struct err *err) MUST_USE;
