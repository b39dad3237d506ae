/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/rendering.h"
#include "core/io/json.h"
#include "core/report/status.h"
#include "core/run/apply.h"

int cmd_status(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"status", "FILE",
		"Shows where each environment stands and what it waits for, from the journal. Sends nothing.",
		NULL
	};
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct report_style style;
	struct journal journal;
	const char **names;
	size_t n = 0;
	struct rendering r = { .max_bytes = NULL };
	int status;
	const struct opt own[] = {
		{ "format", 0, OPT_TEXT, "FORMAT", "text (default), json or markdown",
		  &s->common.format },
		{ "env", 0, OPT_LIST, "NAME", "only this environment; may be repeated",
		  &s->common.env },
		{ "state", 0, OPT_TEXT, "DIR",
		  "where journal and lock live, instead of the file's `state`", &s->common.state },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !rendering_open(s, &r, SOURCE_STATUS, &status) ||
	    !session_load(s, s->words.items[0], &status) || !session_select(s, &status))
		return status;
	if (journal_open(&journal, file_store_ops(s->store), s->p->sys, &s->err) < 0) {
		journal_close(&journal);
		return session_fail(s, &s->err);
	}
	while (s->envs[n])
		n++;
	names = arena_array(&s->arena, n + 1, sizeof(char *));
	for (size_t i = 0; i < n; i++)
		names[i] = s->envs[i]->name;
	style = session_style(s);
	{
		const struct value *doc = report_status_doc(&s->arena, &journal.history, names,
							    sys_wall_ms(s->p->sys));

		if (strcmp(r.format->name, "json") == 0) {
			json_write(&out, doc, JSON_CANONICAL, NULL);
			sb_addc(&out, '\n');
		} else if (strcmp(r.format->name, "markdown") == 0) {
			report_status_markdown(doc, &out);
		} else {
			report_status_text(doc, &style, &out);
		}
	}
	session_out(s, &out);
	journal_close(&journal);
	return 0;
}
