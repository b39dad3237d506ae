/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_markdown.c - where each environment stands, as a table for a job's summary.
 */
#include <inttypes.h>

#include "core/report/markdown_text.h"
#include "core/report/status.h"

static const char *text_of(const struct value *map, const char *key)
{
	return value_text_or(value_get(map, key), "");
}

static void put_env(const struct value *env, struct sb *out)
{
	const char *waits = text_of(env, "failure");

	if (!*waits)
		waits = text_of(env, "waits_for");
	sb_add(out, "| ");
	md_code(out, text_of(env, "name"), CUT_NAME);
	sb_add(out, " | ");
	md_prose(out, text_of(env, "state"), CUT_NAME);
	if (value_get(env, "steps_total"))
		sb_addf(out, ", %" PRId64 " of %" PRId64 " done",
			value_int_or(value_get(env, "steps_done"), 0),
			value_int_or(value_get(env, "steps_total"), 0));
	sb_add(out, " | ");
	md_code(out, text_of(env, "step"), CUT_VALUE);
	sb_add(out, " | ");
	if (*text_of(env, "failure"))
		sb_add(out, "**failed** ");
	md_prose(out, waits, CUT_VALUE);
	sb_add(out, " | ");
	md_code(out, text_of(env, "until"), CUT_NAME);
	sb_add(out, " | ");
	md_code(out, text_of(env, "asked"), CUT_TEXT);
	sb_add(out, " |\n");
}

void report_status_markdown(const struct value *status_doc, struct sb *out)
{
	const struct value *envs = value_get(status_doc, "environments");

	sb_add(out, "| Environment | State | Step | Waits for | Until | Asked |\n"
		    "|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < value_count(envs); i++)
		put_env(value_at(envs, i), out);
}
