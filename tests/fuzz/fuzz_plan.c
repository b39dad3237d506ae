/* SPDX-License-Identifier: Apache-2.0 */
/* A plan, an approval or a signature from outside: read without harm; what is taken for a whole plan gives its own bytes back. */
#include <stdlib.h>
#include <string.h>

#include "core/io/json.h"
#include "core/io/sshsig.h"
#include "core/run/approval.h"
#include "core/run/plan_file.h"
#include "providers/registry.h"

static void judge(struct arena *a, const struct value *line)
{
	struct value *lines = value_list(a);
	struct approvals ap = { .lines = lines };

	value_list_add(a, lines, line);
	/* Nobody is named who may sign: whatever it says, it never counts. */
	if (value_bool_or(value_get(value_at(value_get(approval_judge(a, &ap, NULL, line, NULL, 1),
						       "approvals"),
					     0),
				    "counts"),
			  true))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const char *text = (const char *)data;
	unsigned char pub[SIGN_PUBLIC_LEN];
	struct plan_file *f = NULL;
	struct value *v = NULL;
	struct err e = ERR_INIT;

	if (plan_file_parse(&a, "p", text, size, &registry_all, &f, &e) == 0) {
		CLEANUP(sb_done) struct sb back = SB_INIT(SB_TEXT_MAX);

		json_write(&back, f->doc, JSON_CANONICAL, NULL);
		if (back.len > size || memcmp(back.buf, text, back.len) != 0)
			abort();
	}
	err_clear(&e);
	if (json_parse(&a, text, size, NULL, NULL, NULL, &v, &e) == 0)
		judge(&a, v);
	err_clear(&e);
	(void)!sshsig_verify(text, size, SIGNERS_SPACE, "m", 1, pub, &e);
	return 0;
}
