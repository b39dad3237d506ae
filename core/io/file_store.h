/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_store.h - the store in a folder: `<folder>/<name>` per sequence, `<folder>/lock` for the one writer.
 *
 * The folder (mode 0700) is made by the first append or lock, so that reading commands leave no trace. Appends fsync the file, and the folder when the
 * file is new. The lock is the kernel's (open file description); the file's content names owner, host and pid for the message only.
 */
#pragma once
#include "core/api/store.h"

struct file_store;
struct file_store *file_store_new(const char *folder) MUST_USE;
void file_store_free(struct file_store *s); /* releases the lock */
const struct store *file_store_ops(struct file_store *s);
