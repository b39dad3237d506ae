/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - runs a fuzz target once over each file given, for compilers without libFuzzer.
 */
#include <stdint.h>
#include <stdio.h>

#include "core/base/mem.h"

#define INPUT_MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *all, *exact;
	size_t len;
	bool failed;

	if (!f) {
		perror(path);
		return 1;
	}
	all = mem_alloc(INPUT_MAX);
	len = fread(all, 1, INPUT_MAX, f);
	failed = ferror(f);
	if (fclose(f) != 0 || failed) {
		(void)fprintf(stderr, "%s: cannot be read\n", path);
		mem_free(all);
		return 1;
	}
	/* Of the exact size, so that a sanitizer sees a read past the end. */
	exact = mem_resize(all, len, 1);
	(void)LLVMFuzzerTestOneInput(exact, len);
	mem_free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	return failed;
}
