/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checker.h - a command of the user's own that reads a document and decides by its exit status.
 *
 * Run by /bin/sh, the document on stdin, stdout and stderr together. It has 30 s; then it is killed with all its children.
 */
#pragma once
#include "core/base/err.h"
#include "core/base/sb.h"
#include "core/base/sys.h"

/*
 * 0: it ended with 0. E_REFUSED: with another status, by a signal, or not in time. E_SIGNAL: we were interrupted. E_IO: it could not be run.
 * @sys  for signals
 * @out  what it said, as far as there is room; not masked
 */
int checker_run(const char *command, const void *doc, size_t len, const struct sys *sys, struct sb *out, struct err *err) MUST_USE;
