/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markup.h - text inside XML and HTML: masked, cut, escaped. Safe between tags and inside attributes in either kind of quotes.
 */
#pragma once
#include "core/report/lines.h"

void markup_add(struct sb *out, const char *raw, size_t max);
void markup_add_value(struct sb *out, const struct value *v, size_t max);
/* For text that is visible already. */
void markup_escape(struct sb *out, const char *visible);
