/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sim/back.h"

#define STREAM_BACK 6
#define DELAY_MAX 3     /* commands after the switch */
#define ANY_TIME_MAX 10 /* commands from the first */

void back_init(struct back *b, bool goes_back, bool calm, uint64_t seed)
{
	static const enum back_when some[] = { BACK_SWITCHED,   BACK_SWITCHED, BACK_SWITCHED,
					       BACK_SWITCHED,   BACK_SWITCHED, BACK_SWITCHED,
					       BACK_ON_FAILURE, BACK_ANY_TIME, BACK_ANY_TIME,
					       BACK_AT_REST };

	*b = (struct back){ .random = sim_random_stream(seed, STREAM_BACK) };
	if (!goes_back)
		return;
	if (calm) {
		b->when = BACK_ALL_SWITCHED;
		return;
	}
	b->when = some[sim_random_between(&b->random, 0, (int64_t)ARRAY_LEN(some) - 1)];
	if (b->when == BACK_SWITCHED)
		b->delay = (unsigned)sim_random_between(&b->random, 0, DELAY_MAX);
	if (b->when == BACK_ANY_TIME)
		b->delay = (unsigned)sim_random_between(&b->random, 0, ANY_TIME_MAX);
	b->spares_forward = sim_random_one_in(&b->random, 2);
	b->again = sim_random_one_in(&b->random, 3);
	b->resumes_forward = sim_random_one_in(&b->random, 3) ? 3 : 0;
}

static bool is_so(const struct back *b, const struct back_look *look)
{
	switch (b->when) {
	case BACK_SWITCHED:
		return look->switched > 0;
	case BACK_ALL_SWITCHED:
		return look->switches > 0 && look->switched >= look->switches;
	case BACK_ON_FAILURE:
		return look->failed;
	case BACK_ANY_TIME:
		return true;
	case BACK_AT_REST:
	case BACK_NEVER:
		break;
	}
	return false;
}

bool back_turns(struct back *b, const struct back_look *look)
{
	if (b->when == BACK_NEVER)
		return false;
	if (look->at_rest)
		return true;
	if (b->is_so && b->delay > 0)
		b->delay--;
	b->is_so = b->is_so || is_so(b, look);
	return b->is_so && b->delay == 0;
}

bool back_takes_all(struct back *b)
{
	return b->when == BACK_ALL_SWITCHED || sim_random_one_in(&b->random, 2);
}

size_t back_takes(struct back *b, size_t count)
{
	return (size_t)sim_random_between(&b->random, 0, (int64_t)count - 1);
}

bool back_resumes_forward(struct back *b)
{
	return b->resumes_forward && sim_random_one_in(&b->random, b->resumes_forward);
}
