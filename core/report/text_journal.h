/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_journal.h - a journal as the story of its runs.
 *
 * One or two lines a record, by day. Of a gate's looks only the first and the last with the same verdict are told, with the number
 * between them; style->verbose tells them all. Records of an unknown type are named, never left out.
 * The point of no return is drawn before the first act past it.
 */
#pragma once
#include "core/report/lines.h"

/* @records  list of record maps, oldest first, as they stand in the journal */
void report_journal_text(const struct value *records, const struct report_style *style, struct sb *out);
