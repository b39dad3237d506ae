/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files as a tool that may be killed needs them.
 */
#pragma once
#include "core/base/err.h"
#include "core/base/sb.h"

/* Reads a whole file; E_IO with the reason; larger than out->max is an error that names the limit. "-" is not special. */
int file_read(const char *path, struct sb *out, struct err *err) MUST_USE;
/* Writes beside it, fsyncs file and folder, renames over it. The old content survives any failure. */
int file_write(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err) MUST_USE;
int file_make_dirs(const char *path, unsigned mode, struct err *err) MUST_USE; /* like mkdir -p */
