/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_check.c - the model from what validation found.
 */
#include "core/report/report.h"

static const char *level_name(enum report_level l)
{
	return l == LEVEL_ERROR ? "error" : l == LEVEL_WARNING ? "warning" : "note";
}

static const struct value *finding_doc(struct arena *a, const struct report_finding *f)
{
	struct value *m = value_map(a);

	value_set(a, m, "level", value_string(a, level_name(f->level)));
	value_set(a, m, "rule", value_string(a, f->rule));
	value_set(a, m, "text", value_string(a, f->text));
	if (*f->hint)
		value_set(a, m, "hint", value_string(a, f->hint));
	value_set(a, m, "file", value_string(a, f->pos.file));
	value_set(a, m, "line", value_int(a, f->pos.line));
	value_set(a, m, "col", value_int(a, f->pos.col));
	return m;
}

void report_from_diags(struct report *r, struct arena *a, const char *file, const struct diags *d)
{
	struct value *doc = value_map(a), *list = value_list(a);

	*r = (struct report){ .source = REPORT_CHECK, .arena = a, .document = doc };
	for (size_t i = 0; i < d->count; i++) {
		const struct diag *from = &d->list[i];
		struct report_finding *f = report_add_finding(r);

		f->level = from->level == DIAG_ERROR   ? LEVEL_ERROR :
			   from->level == DIAG_WARNING ? LEVEL_WARNING :
							 LEVEL_NOTE;
		f->label = level_name(f->level);
		f->rule = from->rule ? from->rule : "invalid";
		f->text = from->msg;
		f->hint = from->hint ? from->hint : "";
		f->pos = from->pos;
		if (!f->pos.file)
			f->pos.file = file;
		value_list_add(a, list, finding_doc(a, f));
	}
	value_set(a, doc, "kind", value_string(a, "s2sctl.findings"));
	value_set(a, doc, "file", value_string(a, file));
	value_set(a, doc, "errors", value_int(a, (int64_t)d->errors));
	value_set(a, doc, "warnings", value_int(a, (int64_t)d->warnings));
	value_set(a, doc, "findings", list);
}
