/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/retry.h"

#include <stdlib.h>

#include "core/base/when.h"

#define WAIT_FIRST 200
#define WAIT_MOST                                                                                  \
	(2 * WHEN_MINUTE) /* a server that asks for more is not waited for inside one exchange */

/* Retry-After: seconds or a date. 0 when there is none or it cannot be read. */
static int64_t asked_wait(const struct http_resp *r, int64_t now_ms)
{
	char *end;
	long long seconds;
	int64_t at;

	if (!r->retry_after)
		return 0;
	seconds = strtoll(r->retry_after, &end, 10);
	if (end != r->retry_after && *end == '\0' && seconds >= 0)
		return seconds > 86400 ? WHEN_DAY : seconds * WHEN_SECOND;
	if (when_parse_http_date(r->retry_after, &at) == 0) {
		int64_t from = r->date_ms ? r->date_ms : now_ms;

		return from && at > from ? at - from : 0;
	}
	return 0;
}

static bool worth_it(const struct exchange *x, bool is_read)
{
	switch (x->result) {
	case SENT_NEVER:
		return true;
	case SENT_UNKNOWN:
		return is_read;
	case SENT_OK:
		break;
	}
	if (x->resp.status == 429)
		return true;
	return is_read &&
	       (x->resp.status == 408 || (x->resp.status >= 500 && x->resp.status != 501));
}

int64_t retry_after(struct retry *r, const struct exchange *x, bool is_read, int64_t now_ms,
		    double jitter)
{
	int64_t wait;

	r->tries++;
	if (r->tries >= RETRY_TRIES_MAX || !worth_it(x, is_read))
		return -1;
	wait = x->result == SENT_OK ? asked_wait(&x->resp, now_ms) : 0;
	if (wait > WAIT_MOST)
		return -1;
	if (wait)
		return wait + (int64_t)(jitter * 250);
	wait = (int64_t)WAIT_FIRST << (r->tries - 1);
	return wait + (int64_t)(jitter * (double)wait);
}
