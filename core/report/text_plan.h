/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_plan.h - a plan for a person's eyes.
 *
 * Made from the document alone (core/plan/saved.c writes it), so that `show` prints from a file what `plan` printed. The document may come from
 * anywhere: what is missing or of the wrong kind is left out, and no text in it is believed to be harmless.
 */
#pragma once
#include "core/report/lines.h"

void report_plan_text(const struct value *plan_doc, const struct report_style *style, struct sb *out);
