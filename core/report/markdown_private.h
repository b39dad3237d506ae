/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markdown_private.h - what the files behind markdown.h share. Nobody else includes it.
 *
 * markdown.c writes the page, markdown_step.c one step folded, markdown_graph.c the graph.
 */
#pragma once
#include "core/report/markdown.h"
#include "core/report/markdown_text.h"

enum md_block { MD_TEXT, MD_ROW, MD_STEP, MD_KINDS };
struct md {
	const struct report *r;
	struct sb *out;
	size_t room;           /* bytes that blocks may fill */
	bool is_full;          /* a block did not fit: nothing more is added */
	size_t left[MD_KINDS]; /* blocks that were cut */
	struct sb block;       /* the one being made */
};

void md_step(const struct report_step *s, bool is_journal, struct sb *out); /* <details> to </details> */
/* A flowchart of the run's steps; nothing when there are too many to be read. */
void md_graph(const struct report_run *run, struct sb *out);
