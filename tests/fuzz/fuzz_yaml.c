/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ends in a tree or in a reason, and the tree can be walked. */
#include <stdlib.h>

#include "core/base/sb.h"
#include "core/io/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct yaml_limits limits = { .nodes = 10000 };
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *v = NULL;
	struct diags d;
	int r;

	diags_init(&d, &a);
	r = yaml_parse(&a, "fuzz", (const char *)data, size, &limits, &v, &d);
	diags_sort(&d);
	diags_print(&d, &out);
	if ((r < 0) != !v || (r < 0 && d.errors == 0))
		abort();
	if (v && !value_equal(v, value_copy(&a, v)))
		abort();
	return 0;
}
