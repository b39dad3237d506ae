/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markdown_text.h - words that stay words in Markdown. All of them mask and cut; `raw` may be anything.
 *
 * In a table a `|` ends a cell even inside a code span, so that it is shown as \x7c everywhere.
 */
#pragma once
#include "core/base/sb.h"
#include "core/base/value.h"

void md_code(struct sb *out, const char *raw, size_t max);            /* a code span; nothing for "" */
void md_code_value(struct sb *out, const struct value *v, size_t max);
void md_prose(struct sb *out, const char *raw, size_t max);           /* a sentence: plain words as they are, others in code spans */
/* A fenced block: the fence is longer than any run of backticks inside. @visible  ends with a newline */
void md_fence(struct sb *out, const char *info, const char *visible);
