/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html_private.h - what the files behind html.h share. Nobody else includes it.
 *
 * html.c writes the page, html_env.c an environment, html_step.c a step, html_style.c how it looks.
 */
#pragma once
#include "core/report/html.h"
#include "core/report/markup.h"

extern const char *const html_style[]; /* ends with NULL */

/* From the left end to the right one: spans of a plan, instants of a journal, both in ms. */
struct html_axis {
	int64_t from, to;
};
struct html {
	const struct report *r;
	const struct report_run *run;
	size_t run_number; /* part of every id: a journal has several runs */
	struct sb *out;
};

/* <tag class="class">text</tag>; a NULL class is left out, and nothing is written for an empty text. */
void html_text(struct html *h, const char *tag, const char *class, const char *raw, size_t max);
void html_env(struct html *h, const struct report_env *e, size_t number);
void html_step(struct html *h, const struct report_step *s, const struct html_axis *axis);
void html_finding(struct html *h, const struct report_finding *f); /* <li> */
int64_t html_instant(const char *iso);                                /* ms, 0 unknown */
