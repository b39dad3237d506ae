/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_verify.h - what `verify` found in a journal, as text for people.
 */
#pragma once
#include "core/report/lines.h"

/* @doc  as verify_journal makes it */
void report_verify_text(const struct value *doc, const struct report_style *style, struct sb *out);
