/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markdown.h - a report as a comment on a pull request, or as a job's summary: GitHub Flavored Markdown, good in GitLab too.
 *
 * Summary first, then what stands in the way, a table of environments, a table of steps for each, a folded paragraph for each step, a graph.
 * The first line is a comment that nobody sees, by which a script finds what it wrote before: "<!-- s2sctl plan FILE -->" or "<!-- s2sctl journal FILE -->",
 * FILE being the rollout file as the plan names it, percent-encoded but for `/`.
 *
 * Never longer than o->max_bytes (0: COMMENT_BYTES_MAX): what does not fit is cut at the edge of a paragraph, a table row or a folded step, and the
 * last line says how much is missing.
 *
 * Nothing from outside is markup: names and values stand in code spans, in which no renderer looks for mentions, references, links or HTML; sentences go
 * word by word, and a word that is more than letters and digits gets a code span of its own (markdown_text.h).
 * Source: GitHub Flavored Markdown Spec 0.29, and docs.github.com "Autolinked references and URLs", read 2026-11-23.
 */
#pragma once
#include "core/report/formats.h"

#define MARKDOWN_BYTES_MIN 2048u /* less is no report */

void report_markdown(const struct report *r, const struct report_options *o, struct sb *out);
