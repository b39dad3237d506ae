/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_open.h - the one door to a secret's bytes. Its users are listed in
 * tests/lint/secret-readers.txt; adding a line there is a reviewed act.
 */
#pragma once
#include "core/base/secret.h"

const char *secret_open(const struct secret *s, size_t *ret_len); /* borrowed; also terminated with a NUL; ret_len may be NULL */

/* Calls fn for every living secret. For redact.c only. */
void secret_each(void (*fn)(void *arg, const char *bytes, size_t len), void *arg);
