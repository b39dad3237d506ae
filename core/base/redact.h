/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact.h - the second net: blanks living secrets in text that is about to leave.
 *
 * Finds each living secret of at least 6 bytes plain, percent-encoded, JSON-escaped, and in base64 (standard and url,
 * at each of the three alignments), and replaces it by "(redacted)". Used by every sink: stdout,
 * stderr, journal, trace. Cost is linear in the text where it holds no secret (sieve.h); a text that may hold one, or is larger than
 * 1 MiB, is searched for each.
 */
#pragma once
#include "core/base/sb.h"

#define REDACTED "(redacted)" /* what stands where one was */
void redact_text(struct sb *text); /* in place */
