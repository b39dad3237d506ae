/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/text_verify.h"

#include <inttypes.h>

static int64_t number(const struct value *map, const char *key)
{
	return value_int_or(value_get(map, key), 0);
}

static const char *words(const struct value *map, const char *key)
{
	return value_text_or(value_get(map, key), "");
}

static void put_head(const struct value *doc, const struct report_style *st, struct sb *out)
{
	bool sound = value_bool_or(value_get(doc, "sound"), false);
	size_t damages = value_count(value_get(doc, "damage"));

	text_add(out, words(doc, "journal"), CUT_VALUE);
	sb_add(out, ": ");
	if (sound)
		ink_add(out, st, INK_GREEN, "sound");
	else
		ink_add(out, st, INK_ALARM, "DAMAGED");
	sb_addf(out, ", %" PRId64 " record%s in format %" PRId64, number(doc, "records"),
		number(doc, "records") == 1 ? "" : "s", number(doc, "format"));
	if (*words(doc, "tool")) {
		sb_add(out, ", last written by s2sctl ");
		text_add(out, words(doc, "tool"), CUT_NAME);
	}
	sb_addc(out, '\n');
	for (size_t i = 0; i < damages; i++) {
		const struct value *d = value_at(value_get(doc, "damage"), i);

		sb_addf(out, "  record %" PRId64 ": ", number(d, "record"));
		text_add(out, words(d, "text"), CUT_TEXT);
		sb_addc(out, '\n');
	}
	if (number(doc, "torn_bytes"))
		sb_addf(out,
			"  %" PRId64
			" bytes of a torn last line: its writer was killed, and nothing was sent for it\n",
			number(doc, "torn_bytes"));
	if (!value_bool_or(value_get(doc, "noted"), false))
		sb_add(out,
		       "  no note beside it: whether records are missing at its end cannot be told\n");
}

static void put_waits(const struct value *run, struct sb *out)
{
	const struct value *waits = value_get(run, "waits");

	for (size_t i = 0; waits && waits->kind == VAL_MAP && i < value_count(waits); i++) {
		const struct value *w = value_at(waits, i);

		sb_add(out, "    ");
		text_add(out, value_key_at(waits, i), CUT_VALUE);
		sb_add(out, " waits for ");
		text_add(out, words(w, "for"), CUT_TEXT);
		if (*words(w, "until")) {
			sb_add(out, ", until ");
			text_add(out, words(w, "until"), CUT_NAME);
		}
		sb_addc(out, '\n');
	}
}

static void put_run(const struct value *run, struct sb *out)
{
	const struct value *envs = value_get(run, "environments");

	sb_add(out, "  run ");
	text_add(out, words(run, "run"), CUT_NAME);
	sb_add(out, " of ");
	text_add(out, words(run, "began_at"), CUT_NAME);
	sb_add(out, " (");
	for (size_t i = 0; i < value_count(envs); i++) {
		sb_add(out, i ? ", " : "");
		text_add(out, value_text_or(value_at(envs, i), "?"), CUT_NAME);
	}
	sb_add(out, "): ");
	text_add(out, words(run, "state"), CUT_NAME);
	sb_addf(out, ", %" PRId64 " of %" PRId64 " steps done\n", number(run, "steps_done"),
		number(run, "steps"));
	put_waits(run, out);
}

void report_verify_text(const struct value *doc, const struct report_style *style, struct sb *out)
{
	const struct value *runs = value_get(doc, "runs");

	put_head(doc, style, out);
	for (size_t i = 0; i < value_count(runs); i++)
		put_run(value_at(runs, i), out);
}
