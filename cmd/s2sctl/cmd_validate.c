/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2sctl/session.h"

int cmd_validate(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"validate", "FILE",
		"Checks a rollout file: syntax, schema, references, rules. Offline.", NULL
	};
	int status;

	if (!session_options(s, &c, NULL, argc, argv, 1, 1, &status) ||
	    !session_load(s, s->words.items[0], &status))
		return status;
	session_talkf(s, "%s: %zu environment%s, no errors, %zu warning%s\n", s->words.items[0],
		      s->rollout->env_count, s->rollout->env_count == 1 ? "" : "s",
		      s->diags.warnings, s->diags.warnings == 1 ? "" : "s");
	return 0;
}
