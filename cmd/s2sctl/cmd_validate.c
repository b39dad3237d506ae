/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/rendering.h"

static void put_report(struct session *s, const struct rendering *r, const char *path)
{
	struct report report;

	report_from_diags(&report, &s->arena, path, &s->diags);
	rendering_out(s, r, &report);
}

int cmd_validate(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"validate", "FILE",
		"Checks a rollout file: syntax, schema, references, rules. Offline.", NULL
	};
	struct rendering r = { .max_bytes = NULL };
	const char *path;
	int status;
	const struct opt own[] = {
		{ "format", 0, OPT_TEXT, "FORMAT",
		  "text (default, told as talk), json, junit, sarif, github or gitlab",
		  &s->common.format },
		{ "no-env", 0, OPT_FLAG, NULL,
		  "environment variables may be missing; what they would hold is not checked",
		  &s->common.no_env },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !rendering_open(s, &r, SOURCE_CHECK, &status))
		return status;
	path = s->words.items[0];
	s->format = NULL; /* told here, whatever is found */
	if (!session_load(s, path, &status)) {
		put_report(s, &r, path);
		return status;
	}
	session_talkf(s, "%s: %zu environment%s, no errors, %zu warning%s\n", path,
		      s->rollout->env_count, s->rollout->env_count == 1 ? "" : "s",
		      s->diags.warnings, s->diags.warnings == 1 ? "" : "s");
	put_report(s, &r, path);
	return 0;
}
