/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markdown_step.c - one step, folded: what it does, what changes, its gates and their evidence, the way back, what happened.
 */
#include <string.h>

#include "core/report/markdown_private.h"
#include "core/report/markup.h"

static void diff_line(struct sb *out, char sign, const char *name, const struct value *v)
{
	sb_addf(out, "%c ", sign);
	text_add(out, name, CUT_NAME);
	sb_add(out, ": ");
	text_add_value(out, v, CUT_VALUE);
	sb_addc(out, '\n');
}

static void put_diff(const struct report_step *s, struct sb *out)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	for (size_t i = 0; i < s->delta_count; i++) {
		const struct report_delta *d = &s->deltas[i];

		if (d->was && d->is && value_equal(d->was, d->is)) {
			diff_line(&text, ' ', d->name, d->is);
			continue;
		}
		if (d->was)
			diff_line(&text, '-', d->name, d->was);
		if (d->is)
			diff_line(&text, '+', d->name, d->is);
	}
	if (!text.len)
		return;
	md_fence(out, "diff", text.buf);
	sb_addc(out, '\n');
}

static void put_look(const struct report_look *look, struct sb *out)
{
	sb_add(out, "  - ");
	md_code(out, look->env, CUT_NAME);
	sb_add(out, " said ");
	md_code(out, look->verdict, CUT_NAME);
	sb_addf(out, " after %zu look%s, last at ", look->count, look->count == 1 ? "" : "s");
	md_code(out, look->last_at, CUT_NAME);
	if (*look->saw) {
		sb_add(out, "; saw ");
		md_prose(out, look->saw, CUT_TEXT);
	}
	if (*look->why) {
		sb_add(out, "; ");
		md_prose(out, look->why, CUT_TEXT);
	}
	sb_addc(out, '\n');
}

static void put_gate(const struct report_gate *g, struct sb *out)
{
	CLEANUP(sb_done) struct sb limits = SB_INIT(SB_TEXT_MAX);

	sb_addf(out, "- %s ", g->is_before ? "First" : "Gate");
	md_code(out, g->name, CUT_NAME);
	if (*g->doc) {
		sb_add(out, ": ");
		md_prose(out, g->doc, CUT_TEXT);
	}
	report_limits(g, &limits);
	if (limits.len) {
		sb_add(out, " (");
		md_prose(out, limits.buf, CUT_TEXT);
		sb_addc(out, ')');
	}
	sb_addc(out, '\n');
	for (size_t i = 0; i < g->look_count; i++)
		put_look(&g->looks[i], out);
}

static void put_way_back(const struct report_step *s, struct sb *out)
{
	if (strcmp(s->undo_kind, "nothing") == 0 && strcmp(s->executor, "none") == 0)
		return;
	sb_addf(out, "- Way back: %s", report_undo_words(s));
	if (*s->undo_text) {
		sb_add(out, ": ");
		md_prose(out, s->undo_text, CUT_TEXT);
	}
	sb_addc(out, '\n');
}

static void put_events(const struct report_step *s, struct sb *out)
{
	for (size_t i = 0; i < s->event_count; i++) {
		sb_add(out, "- ");
		md_code(out, s->events[i].at, CUT_NAME);
		sb_addc(out, ' ');
		md_prose(out, s->events[i].text, CUT_TEXT);
		sb_addc(out, '\n');
	}
	if (*s->waits_for && s->state >= STATE_UNDER_WAY && s->state <= STATE_ASKS) {
		sb_add(out, "- Waits for ");
		md_prose(out, s->waits_for, CUT_TEXT);
		if (*s->until) {
			sb_add(out, ", until ");
			md_code(out, s->until, CUT_NAME);
		}
		sb_addc(out, '\n');
	}
}

void md_step(const struct report_step *s, bool is_journal, struct sb *out)
{
	sb_add(out, "<details>\n<summary><code>");
	markup_add(out, s->address, CUT_VALUE);
	sb_add(out, "</code>");
	if (is_journal)
		sb_addf(out, " %s", report_state_name(s->state));
	if (s->is_irreversible)
		sb_add(out, " <b>cannot be undone</b>");
	sb_add(out, "</summary>\n\nWhat: ");
	md_prose(out, *s->doc ? s->doc : "?", CUT_TEXT);
	sb_add(out, "\n\n");
	put_diff(s, out);
	if (value_count(s->envs) > 1) {
		sb_add(out, "- One step for ");
		md_code_value(out, s->envs, CUT_TEXT);
		sb_add(out, "; it waits for all of them\n");
	}
	for (size_t i = 0; i < s->gate_count; i++)
		put_gate(&s->gates[i], out);
	put_way_back(s, out);
	put_events(s, out);
	sb_add(out, "\n</details>\n");
}
