/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html.h - a report as one page that needs nothing else: no script, no font, no picture, no request to anywhere (its own Content-Security-Policy says so).
 *
 * Steps stand by environment and phase, each with its stretch on the environment's time line; what is folded opens by mouse or keyboard, and is
 * open on paper. Light and dark follow the reader's system, and 400 px are wide enough. Each step told is one element with data-step="ADDRESS" (masked
 * and escaped like all text); where a shared step is only pointed at, a link stands instead.
 *
 * `make check-html` looks at it with a real browser.
 */
#pragma once
#include "core/report/formats.h"

void report_html(const struct report *r, const struct report_options *o, struct sb *out);
