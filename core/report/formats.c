/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/formats.h"

#include <string.h>

#include "core/io/json.h"
#include "core/report/findings.h"
#include "core/report/html.h"
#include "core/report/junit.h"
#include "core/report/markdown.h"
#include "core/report/text_journal.h"
#include "core/report/text_plan.h"

static void write_text(const struct report *r, const struct report_options *o, struct sb *out)
{
	/* What is wrong with a file has been said as talk already, at its lines. */
	if (r->source == REPORT_JOURNAL)
		report_journal_text(r->document, o->style, out);
	if (r->source == REPORT_PLAN)
		report_plan_text(r->document, o->style, out);
}

static void write_json(const struct report *r, const struct report_options *o, struct sb *out)
{
	(void)o;
	json_write(out, r->document, JSON_CANONICAL, NULL);
	sb_addc(out, '\n');
}

#define RUNS (SOURCE_PLAN | SOURCE_JOURNAL)
#define FOUND (RUNS | SOURCE_CHECK)
#define ANY (FOUND | SOURCE_STATUS | SOURCE_RESULT)
const struct report_format report_formats[] = {
	{ "text", "for a terminal", ANY, false, true, write_text },
	{ "json", "the document itself, canonical", ANY, false, true, write_json },
	{ "markdown", "a comment on a pull request, or a job's summary", RUNS | SOURCE_STATUS,
	  false, false, report_markdown },
	{ "html", "one page that needs no network", RUNS, false, false, report_html },
	{ "junit", "steps, gates and findings as test cases", FOUND, true, false, report_junit },
	{ "sarif", "findings as SARIF 2.1.0", FOUND, true, false, report_sarif },
	{ "github", "findings as workflow commands", FOUND, true, false, report_github },
	{ "gitlab", "findings as a code quality report", FOUND, true, false, report_gitlab },
	{ NULL, NULL, 0, false, false, NULL },
};

const char *report_format_names(struct arena *a, unsigned sources)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(1024);
	size_t left = 0;

	for (const struct report_format *f = report_formats; f->name; f++)
		left += (f->sources & sources) != 0;
	for (const struct report_format *f = report_formats; f->name; f++) {
		if (!(f->sources & sources))
			continue;
		sb_addf(&text, "%s%s", text.len == 0 ? "" : left == 1 ? " or " : ", ", f->name);
		left--;
	}
	return arena_strdup(a, text.buf);
}

static int unknown(const char *name, unsigned sources, struct err *err)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const char *names[ARRAY_LEN(report_formats)], *near;
	size_t n = 0;

	for (const struct report_format *f = report_formats; f->name; f++)
		if (f->sources & sources)
			names[n++] = f->name;
	near = diags_nearest(name, names, n);
	err_set(err, E_USAGE, "there is no format '%.60s' here", name);
	if (near)
		return err_hint(err, "did you mean '%s'?", near);
	return err_hint(err, "%s", report_format_names(&a, sources));
}

int report_format_find(const char *name, unsigned sources, const struct report_format **ret,
		       struct err *err)
{
	for (const struct report_format *f = report_formats; f->name; f++)
		if ((f->sources & sources) && (!name || strcmp(f->name, name) == 0)) {
			*ret = f;
			return 0;
		}
	return unknown(name, sources, err);
}
