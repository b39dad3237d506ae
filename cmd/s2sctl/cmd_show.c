/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/rendering.h"
#include "core/io/file.h"
#include "core/io/json.h"

/* A fleet's plan has thousands of steps; what a run needs to read has its own, lower limits. */
static const struct json_limits limits = { .bytes = (size_t)256 << 20,
					   .depth = 64,
					   .nodes = 20000000 };

/* A plan is one document; a journal is many, one a line. */
static int read_any(struct session *s, const char *text, size_t len, struct value **ret_plan,
		    struct value **ret_records)
{
	struct value *records = value_list(&s->arena);
	const char *at = text, *end;

	*ret_plan = NULL;
	if (json_parse(&s->arena, text, len, &limits, NULL, NULL, ret_plan, &s->err) == 0 &&
	    strcmp(value_text_or(value_get(*ret_plan, "kind"), ""), "s2sctl.plan") == 0)
		return 0;
	*ret_plan = NULL;
	err_clear(&s->err);
	for (; (end = memchr(at, '\n', len - (size_t)(at - text))) != NULL; at = end + 1) {
		struct value *rec;

		if (json_parse(&s->arena, at, (size_t)(end - at), &limits, NULL, NULL, &rec,
			       &s->err) < 0 ||
		    !value_get(rec, "type")) {
			err_clear(&s->err);
			return err_set(&s->err, E_USAGE,
				       "this is neither a plan nor a journal of s2sctl");
		}
		value_list_add(&s->arena, records, rec);
	}
	if (!value_count(records))
		return err_set(&s->err, E_USAGE, "this is neither a plan nor a journal of s2sctl");
	*ret_records = records;
	return 0;
}

int cmd_show(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"show", "PLAN|JOURNAL",
		"Renders a saved plan or a journal. Reads the file and nothing else.", NULL
	};
	CLEANUP(sb_done) struct sb text = SB_INIT((size_t)256 << 20);
	struct value *plan = NULL, *records = NULL;
	struct rendering r = { .max_bytes = NULL };
	int status;
	const struct opt own[] = {
		{ "format", 0, OPT_TEXT, "FORMAT",
		  "text (default), json, markdown, html, junit, sarif, github or gitlab",
		  &s->common.format },
		{ "max-bytes", 0, OPT_TEXT, "N",
		  "of markdown: cut what does not fit; 65536, what a comment may hold",
		  &r.max_bytes },
		{ "github-summary", 0, OPT_FLAG, NULL,
		  "markdown may be as long as a job's summary, 1 MiB", &r.github_summary },
		{ "verbose", 'v', OPT_FLAG, NULL, "also the requests that planning made",
		  &r.verbose },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !rendering_open(s, &r, SOURCE_PLAN | SOURCE_JOURNAL, &status))
		return status;
	if (file_read(s->words.items[0], &text, &s->err) < 0 ||
	    read_any(s, text.buf, text.len, &plan, &records) < 0) {
		err_wrap(&s->err, "%s", s->words.items[0]);
		return session_fail(s, &s->err);
	}
	sb_done(&text); /* the tree has copies */
	rendering_out_document(s, &r, plan, records);
	return 0;
}
