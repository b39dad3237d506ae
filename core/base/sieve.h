/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sieve.h - whether a text may hold a living secret: a quick no before a slow search.
 *
 * Knows how every living secret begins: its first six bytes, and six characters of its base64 at each of the three alignments. A fleet
 * has thousands of secrets and writes thousands of records, and almost no record holds any of them: asking costs the
 * text's length alone, however many live. No false no; a yes only costs the search. For secret.c (which tells) and
 * redact.c (which asks). What it keeps is wiped when the last secret that begins so is gone; but for bits of which
 * characters were neighbours in it, which go with the last of all secrets at the latest.
 */
#pragma once
#include "core/base/base.h"

#define SIEVE_BYTES 6 /* shorter secrets are not known to it */

void sieve_note(const char *bytes, size_t len);   /* a secret comes to life */
void sieve_forget(const char *bytes, size_t len); /* it is gone */
/* Whether a secret may begin somewhere in the text. A '+' counts as a blank too, '-' and '_' as base64's '+' and '/'. */
bool sieve_may_hold(const char *text, size_t len);
