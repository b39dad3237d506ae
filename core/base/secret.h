/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h - bytes that cannot be printed by mistake.
 *
 * Opaque everywhere but in secret.c. Handing one to a printf or to sb_add is a compile error. The one door to
 * the bytes is secret_open.h, and lint keeps the list of who goes through it.
 */
#pragma once
#include "core/base/base.h"

#define SECRET_MAX 65536 /* bytes; a PEM key fits, a wrong file does not */
struct secret;
struct secret *secret_new(const void *bytes, size_t len) MUST_USE; /* copies; known to redact.h from now until freed */
struct secret *secret_ref(struct secret *s) MUST_USE;              /* one more owner; NULL gives NULL */
void secret_free(struct secret *s);                                /* the last owner wipes and frees; NULL is fine */
void secret_freep(struct secret **s);
const char *secret_label(const struct secret *s);                  /* "(secret, 12 bytes)": the only thing to print */
bool secret_equal(const struct secret *a, const struct secret *b); /* constant time for equal lengths */
