/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/clocks.h"

#include <stdio.h>
#include <string.h>

void clocks_note(struct clocks *c, const char *system, int64_t date_ms)
{
	int64_t mono = sys_mono_ms(c->sys);
	size_t i = 0, oldest = 0;

	if (!date_ms)
		return;
	while (i < c->count && strcmp(c->by[i].system, system) != 0) {
		if (c->by[i].mono_ms < c->by[oldest].mono_ms)
			oldest = i;
		i++;
	}
	if (i == c->count) {
		if (c->count < CLOCKS_MAX)
			c->count++;
		else
			i = oldest;
	}
	snprintf(c->by[i].system, sizeof(c->by[i].system), "%s", system);
	c->by[i].offset_ms = date_ms - mono;
	c->by[i].mono_ms = mono;
	c->latest = i;
}

int64_t clocks_now(const struct clocks *c)
{
	if (!c->count)
		return sys_wall_ms(c->sys);
	return c->by[c->latest].offset_ms + sys_mono_ms(c->sys);
}

int64_t clocks_skew(const struct clocks *c, int64_t age_ms)
{
	int64_t now = sys_mono_ms(c->sys), low = 0, high = 0;
	bool any = false;

	for (size_t i = 0; i < c->count; i++) {
		if (now - c->by[i].mono_ms > age_ms)
			continue;
		low = any ? MIN_OF(low, c->by[i].offset_ms) : c->by[i].offset_ms;
		high = any ? MAX_OF(high, c->by[i].offset_ms) : c->by[i].offset_ms;
		any = true;
	}
	return high - low;
}
