/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - talk for whoever looks for a fault; off by default.
 *
 * One line each: "category: text". The sink is set once by main (stderr, after redaction); categories are
 * "http", "plan", "engine", "gate", "journal". The only global state of the program besides the list of living secrets.
 */
#pragma once
#include "core/base/base.h"

typedef void log_sink(void *ctx, const char *line, size_t len);
void log_open(log_sink *sink, void *ctx, const char *categories); /* comma list or "all"; NULL turns it off */
bool log_on(const char *category);
void log_debug(const char *category, const char *fmt, ...) PRINTF_LIKE(2, 3);
