/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/log.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/redact.h"
#include "core/base/sb.h"

#define LOG_LINE_MAX ((size_t)64 << 10)

static struct {
	log_sink *sink;
	void *ctx;
	char categories[128];
} state;

void log_open(log_sink *sink, void *ctx, const char *categories)
{
	size_t len = categories ? strlen(categories) : 0;

	state.sink = NULL;
	if (!sink || len == 0 || len >= sizeof(state.categories))
		return;
	memcpy(state.categories, categories, len + 1);
	state.ctx = ctx;
	state.sink = sink;
}

bool log_on(const char *category)
{
	size_t len = strlen(category);
	const char *p = state.categories;

	if (!state.sink)
		return false;
	for (;;) {
		size_t n = strcspn(p, ",");

		if ((n == len && memcmp(p, category, len) == 0) ||
		    (n == 3 && memcmp(p, "all", 3) == 0))
			return true;
		if (!p[n])
			return false;
		p += n + 1;
	}
}

void log_debug(const char *category, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb raw = SB_INIT(LOG_LINE_MAX);
	CLEANUP(sb_done) struct sb line = SB_INIT(5 * LOG_LINE_MAX);
	va_list ap;

	if (!log_on(category))
		return;
	va_start(ap, fmt);
	sb_addv(&raw, fmt, ap);
	va_end(ap);
	if (raw.over) {
		sb_reset(&raw);
		sb_add(&raw, "(a line too long to log)");
	}
	/* Redacted before it is masked: masking would change a secret's own bytes. */
	redact_text(&raw);
	sb_add(&line, category);
	sb_add(&line, ": ");
	sb_add_visible(&line, raw.buf);
	state.sink(state.ctx, line.buf, line.len);
}
