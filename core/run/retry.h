/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.h - decides whether a failed exchange is worth another try, and when.
 *
 * Pure: no clock, no sleep. The caller asks, waits, and asks again. A request that changes something is sent again only when the
 * other side cannot have acted: nothing left us, or it answered 429. Otherwise the next observation decides.
 * Source: RFC 9110 section 10.2.3 (Retry-After) and 15.6.4, read 2026-11-23.
 */
#pragma once
#include "core/api/transport.h"

#define RETRY_TRIES_MAX 4 /* the first one included */
struct retry {
	unsigned tries; /* so far, this exchange; 0 at first */
};

/*
 * Says how long to wait before trying again.
 * @is_read   whether the request only reads
 * @now_ms    the server's time for a Retry-After that is a date; 0: unknown
 * @jitter    0..1
 * Returns    milliseconds to wait, or -1: do not retry.
 */
int64_t retry_after(struct retry *r, const struct exchange *x, bool is_read, int64_t now_ms, double jitter) MUST_USE;
