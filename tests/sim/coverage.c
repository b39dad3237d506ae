/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Cells that cannot exist. */
static const struct impossible {
	enum trouble_place place;
	const char *but; /* at any step but this one */
	const char *why;
} impossible[] = {
	{ AT_PUT, "console.secret/bring", "no other step stores a secret" },
};

static const char *why_not(enum trouble kind, const char *step)
{
	for (size_t i = 0; i < ARRAY_LEN(impossible); i++)
		if (impossible[i].place == trouble_kinds[kind].place &&
		    strcmp(impossible[i].but, step) != 0)
			return impossible[i].why;
	return NULL;
}

static void print_head(void)
{
	for (size_t i = 0; step_name(i); i++)
		printf("  %c  %s\n", (char)('A' + (int)i), step_name(i));
	printf("%-14s", "");
	for (size_t i = 0; step_name(i); i++)
		printf("%7c", (char)('A' + (int)i));
	printf("\n");
}

int coverage_print(const struct counts *c)
{
	size_t empty = 0;

	print_head();
	for (enum trouble k = TROUBLE_NONE + 1; k < TROUBLE_COUNT; k++) {
		printf("%-14s", trouble_kinds[k].name);
		for (size_t i = 0; step_name(i); i++) {
			if (c->hit[k][i])
				printf("%7" PRIu64, c->hit[k][i]);
			else
				printf("%7s", why_not(k, step_name(i)) ? "-" : "NONE");
			empty += !c->hit[k][i] && !why_not(k, step_name(i));
		}
		printf("\n");
	}
	for (size_t i = 0; i < ARRAY_LEN(impossible); i++)
		printf("  -  %s\n", impossible[i].why);
	if (empty)
		printf("%zu kinds of trouble at a step were never met\n", empty);
	return empty ? 1 : 0;
}
