/* SPDX-License-Identifier: Apache-2.0 */
/*
 * when.h - instants and spans as text. Pure: asks no clock.
 *
 * Instants are int64_t milliseconds since 1970 UTC, 0 = unknown; spans are int64_t milliseconds.
 */
#pragma once
#include "core/base/err.h"
#include "core/base/sb.h"

#define WHEN_SECOND INT64_C(1000)
#define WHEN_MINUTE (60 * WHEN_SECOND)
#define WHEN_HOUR (60 * WHEN_MINUTE)
#define WHEN_DAY (24 * WHEN_HOUR)

/*
 * Reads an ISO 8601 instant: date, 'T' or blank, time to minutes or seconds, optional fraction, 'Z' or an offset.
 * (Some servers write a blank and a fraction, some a 'T' and seconds.) A bare date is accepted too.
 * @ret_precision  span that the text leaves open: 1 for milliseconds, WHEN_SECOND, WHEN_MINUTE or WHEN_DAY; may be NULL.
 * An instant without a zone is an error, except a bare date, which is UTC.
 */
int when_parse(const char *text, int64_t *ret_ms, int64_t *ret_precision, struct err *err) MUST_USE;
int when_parse_http_date(const char *text, int64_t *ret_ms) MUST_USE; /* RFC 9110 IMF-fixdate; -1 when it is not one */
int when_parse_span(const char *text, int64_t *ret_ms, struct err *err) MUST_USE; /* "90s", "15m", "24h", "1h30m", "7d", "250ms", "0"; E_PLAN with a hint */

void when_add(struct sb *out, int64_t ms);            /* 2026-11-23T10:00:00Z, with .123 only when it is not zero */
void when_add_http_date(struct sb *out, int64_t ms);  /* Mon, 23 Nov 2026 10:00:00 GMT */
void when_add_span(struct sb *out, int64_t ms);       /* 24h10m, 15m, 90s -> 1m30s, 250ms, 0s */
#define WHEN_TEXT_MAX 40
const char *when_text(char buf[WHEN_TEXT_MAX], int64_t ms);      /* as when_add; "unknown" for 0 */
const char *when_span_text(char buf[WHEN_TEXT_MAX], int64_t ms);
