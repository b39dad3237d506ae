/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formats.h - the table of renderings: a report in, bytes out. Pure.
 *
 * Commands share one `--format`; what a word there means is decided here. Exit statuses are decided elsewhere, and never by a format.
 * Whatever the words in a document are, the bytes are harmless where they are meant to be read; how is said in each format's header.
 */
#pragma once
#include "core/base/sb.h"
#include "core/report/lines.h"
#include "core/report/report.h"

#define REPORT_BYTES_MAX ((size_t)256 << 20) /* ceiling of an sb that holds a rendering */
#define COMMENT_BYTES_MAX 65536u              /* of a comment on a pull request */
#define SUMMARY_BYTES_MAX 1048576u            /* of a job's summary page, 1 MiB */

struct report_options {
	const struct report_style *style; /* text */
	size_t max_bytes;                 /* markdown; 0: COMMENT_BYTES_MAX */
	const char *tool_version;         /* sarif */
};
struct report_format {
	const char *name, *doc;
	unsigned sources; /* bits: what it can show */
	bool is_findings; /* where a plan was asked for and the file is wrong, what is wrong is shown in its place */
	bool is_document; /* reads nothing but source and document: no model has to be made for it */
	void (*write)(const struct report *r, const struct report_options *o, struct sb *out);
};
#define SOURCE_PLAN (1u << REPORT_PLAN)
#define SOURCE_JOURNAL (1u << REPORT_JOURNAL)
#define SOURCE_CHECK (1u << REPORT_CHECK)
/* What no report is made for, and the command shows itself: where environments stand; what came of an apply. */
#define SOURCE_STATUS (1u << 8)
#define SOURCE_RESULT (1u << 9)

extern const struct report_format report_formats[]; /* text first; ends with a NULL name */

/* NULL is the first that fits. E_USAGE with a did-you-mean, or the list, when there is no such format for any of `sources`. */
int report_format_find(const char *name, unsigned sources, const struct report_format **ret, struct err *err) MUST_USE;
const char *report_format_names(struct arena *a, unsigned sources) MUST_USE; /* "text, json or html" */
