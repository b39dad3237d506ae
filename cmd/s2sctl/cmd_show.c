/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/session.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/report/text_journal.h"

/* A plan is one document; a journal is many, one a line. */
static int read_any(struct session *s, const char *text, size_t len, struct value **ret_plan,
		    struct value **ret_records)
{
	struct value *records = value_list(&s->arena);
	const char *at = text, *end;

	*ret_plan = NULL;
	if (json_parse(&s->arena, text, len, NULL, NULL, NULL, ret_plan, &s->err) == 0 &&
	    strcmp(value_text_or(value_get(*ret_plan, "kind"), ""), "s2sctl.plan") == 0)
		return 0;
	*ret_plan = NULL;
	err_clear(&s->err);
	for (; (end = memchr(at, '\n', len - (size_t)(at - text))) != NULL; at = end + 1) {
		struct value *rec;

		if (json_parse(&s->arena, at, (size_t)(end - at), NULL, NULL, NULL, &rec, &s->err) <
			    0 ||
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
	bool verbose = false, json;
	CLEANUP(sb_done) struct sb text = SB_INIT((size_t)256 << 20);
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX * 4);
	struct value *plan = NULL, *records = NULL;
	struct report_style style;
	int status;
	const struct opt own[] = {
		{ "format", 0, OPT_TEXT, "FORMAT", "text (default) or json", &s->common.format },
		{ "verbose", 'v', OPT_FLAG, NULL, "also the requests that planning made",
		  &verbose },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !session_wants_json(s, &json, &status))
		return status;
	if (file_read(s->words.items[0], &text, &s->err) < 0 ||
	    read_any(s, text.buf, text.len, &plan, &records) < 0) {
		err_wrap(&s->err, "%s", s->words.items[0]);
		return session_fail(s, &s->err);
	}
	style = session_style(s);
	style.verbose = verbose;
	if (json) {
		json_write(&out, plan ? plan : records, JSON_CANONICAL, NULL);
		sb_addc(&out, '\n');
	} else if (plan) {
		report_plan_text(plan, &style, &out);
	} else {
		report_journal_text(records, &style, &out);
	}
	session_out(s, &out);
	return 0;
}
