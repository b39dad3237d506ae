/* SPDX-License-Identifier: Apache-2.0 */
/* What is read is written in each style, and reads back as the same. */
#include <stdlib.h>

#include "core/base/secret.h"
#include "core/io/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(secret_freep) struct secret *s = NULL;
	struct value *v = NULL, *back = NULL;
	struct err e = ERR_INIT;

	if (json_parse(&a, (const char *)data, size, NULL, "s", &s, &v, &e) < 0)
		return 0;
	for (enum json_style style = JSON_COMPACT; style <= JSON_PRETTY; style++) {
		CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX), again = SB_INIT(SB_TEXT_MAX);

		json_write(&out, v, style, NULL);
		/* Two keys that are bad UTF-8 may become one. */
		if (json_parse(&a, out.buf, out.len, NULL, NULL, NULL, &back, &e) < 0)
			return 0;
		json_write(&again, back, style, NULL);
		if (out.len != again.len)
			abort();
	}
	return 0;
}
