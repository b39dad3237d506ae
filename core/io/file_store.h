/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_store.h - the store in a folder: `<folder>/<name>` per sequence, `<folder>/lock` for the one writer.
 *
 * The folder (mode 0700) is made by the first append or lock, so that reading commands leave no trace. Appends fsync the file, and the folder when the
 * file is new; several processes may append to the same sequence. Beside a sequence may lie `<name>.note` (put_note), and `<name>.room`: where the file
 * system cannot reserve room behind a file's end, a ballast of real bytes that is given back to make room.
 */
#pragma once
#include "core/api/store.h"

struct file_store;
struct file_store *file_store_new(const char *folder) MUST_USE;
void file_store_free(struct file_store *s); /* releases the lock */
const struct store *file_store_ops(struct file_store *s);
/* Who we are, instead of what the operating system says; empty texts and a pid of 0 leave that as it is. Copied. */
void file_store_own(struct file_store *s, const struct store_owner *who);
