/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine - what one rollout costs the engine itself: apply_run from an empty journal to its receipt, everything in memory.
 *
 *   engine ROLLOUTS
 *
 * Time is virtual, requests are answered at once by the small vendor of tests/unit/fake_shop.h, records go to a buffer. So what is
 * left is planning, the loop, gates, records (written, redacted, chained, folded) and the rollout file. Prints processor time a
 * rollout in microseconds, exchanges and records of one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "core/base/when.h"
#include "tests/unit/fake_shop.h"

static int64_t cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * INT64_C(1000000) + r.ru_utime.tv_usec +
	       r.ru_stime.tv_usec;
}

/* Each in a world of its own; building that, which copies no engine, is not counted. */
static int64_t roll_out(size_t *ret_exchanges, size_t *ret_records)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;
	int64_t before, took;

	s->options.patience_ms = INT64_MAX;
	s->ui.tick =
		NULL; /* nobody watches: a day of quiet is waited for in minutes, not in seconds */
	before = cpu_us();
	if (shop_apply(s, &r) != E_NONE || r.done != r.total) {
		fprintf(stderr, "engine: the rollout did not end: %s\n", s->err.msg);
		exit(1);
	}
	took = cpu_us() - before;
	*ret_exchanges = fake_net_count(&s->net, "");
	*ret_records = s->w->appends;
	shop_free(s);
	return took;
}

int main(int argc, char **argv)
{
	long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	size_t exchanges = 0, records = 0;
	int64_t sum = 0;

	if (count < 1) {
		fputs("usage: engine ROLLOUTS\n", stderr);
		return 64;
	}
	for (long i = 0; i < count; i++)
		sum += roll_out(&exchanges, &records);
	printf("%lld %zu %zu\n", (long long)(sum / count), exchanges, records);
	return 0;
}
