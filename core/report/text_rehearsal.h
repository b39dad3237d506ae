/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_rehearsal.h - a rehearsal for a person's eyes: steps and their times, what a user would have to do, and the table of steps and faults.
 *
 * Made from the document alone (core/sim/rehearsal.h). Every cell of the table says something: "ok" the same end, "why" another one which was explained,
 * "BAD" a violation, "-" cannot happen there, "." not played. Columns of a step's name appear where the page is wide enough.
 */
#pragma once
#include "core/report/lines.h"

void report_rehearsal_text(const struct value *doc, const struct report_style *style, struct sb *out);
