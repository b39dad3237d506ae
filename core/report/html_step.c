/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/base/when.h"
#include "core/report/html_private.h"

void html_text(struct html *h, const char *tag, const char *class, const char *raw, size_t max)
{
	if (!raw || !*raw)
		return;
	if (class)
		sb_addf(h->out, "<%s class=\"%s\">", tag, class);
	else
		sb_addf(h->out, "<%s>", tag);
	markup_add(h->out, raw, max);
	sb_addf(h->out, "</%s>", tag);
}

int64_t html_instant(const char *iso)
{
	struct err err = ERR_INIT;
	int64_t ms = 0;

	return *iso && when_parse(iso, &ms, NULL, &err) == 0 && ms > 0 ? ms : 0;
}

/* ---- the line that is always seen ---- */

static const char *phase_class(const struct report_step *s)
{
	static const char *const phases[] = { "expand", "switch", "prove", "contract" };

	for (size_t i = 0; i < ARRAY_LEN(phases); i++)
		if (strcmp(phases[i], s->phase) == 0)
			return phases[i];
	return "other";
}

static const char *mark_of(const struct report_step *s)
{
	switch (s->state) {
	case STATE_DONE:
		return "\xe2\x9c\x93";
	case STATE_FAILED:
		return "\xe2\x9c\x97";
	case STATE_ASKS:
	case STATE_WAITS:
		return "\xe2\x80\xa6";
	case STATE_UNDER_WAY:
		return "\xe2\x86\x92";
	case STATE_INCONCLUSIVE:
		return "?";
	case STATE_LATER:
		return "\xc2\xb7";
	case STATE_PLANNED:
		break;
	}
	switch (s->phase[0]) {
	case 'e':
		return "+";
	case 's':
		return "~";
	case 'p':
		return "?";
	case 'c':
		return "!";
	default:
		return "\xc2\xb7";
	}
}

/* Permille of the axis, as a percentage with one decimal. */
static void add_percent(struct sb *out, const struct html_axis *x, int64_t at)
{
	int64_t span = x->to - x->from, part = at - x->from;
	int64_t permille;

	part = part < 0 ? 0 : part > span ? span : part;
	permille = span > INT64_MAX / 2000 ? part / (span / 1000) : part * 1000 / span;
	sb_addf(out, "%d.%d", (int)(permille / 10), (int)(permille % 10));
}

static void put_track(struct html *h, const struct html_axis *x, int64_t from, int64_t to)
{
	if (x->to <= x->from)
		return;
	sb_add(h->out, "<span class=track aria-hidden=true><i style=\"--a:");
	add_percent(h->out, x, from);
	sb_add(h->out, ";--w:");
	add_percent(h->out, x, x->from + MAX_OF(to - from, (int64_t)0));
	sb_add(h->out, "\"></i></span>");
}

static void put_planned_line(struct html *h, const struct report_step *s, const struct html_axis *x)
{
	sb_add(h->out, "<span class=line>");
	put_track(h, x, s->start_ms, s->end_ms);
	sb_add(h->out, "<span class=when>+");
	text_add_span(h->out, s->start_ms);
	if (s->end_ms > s->start_ms) {
		sb_add(h->out, " to +");
		text_add_span(h->out, s->end_ms);
	}
	sb_add(h->out, "</span></span>");
}

static void put_seen_line(struct html *h, const struct report_step *s, const struct html_axis *x)
{
	int64_t from = html_instant(s->began_at), to = html_instant(s->ended_at);

	sb_add(h->out, "<span class=line>");
	if (from)
		put_track(h, x, from, to ? to : x->to);
	sb_addf(h->out, "<span class=when>%s", report_state_name(s->state));
	if (*s->ended_at || *s->began_at) {
		sb_add(h->out, *s->ended_at ? " " : " since ");
		markup_add(h->out, *s->ended_at ? s->ended_at : s->began_at, CUT_NAME);
	}
	sb_add(h->out, "</span></span>");
}

static void put_summary(struct html *h, const struct report_step *s, const struct html_axis *x)
{
	const char *slash = strchr(s->address, '/');

	sb_addf(h->out, "<summary><span class=mark aria-hidden=true>%s</span><span class=what>",
		mark_of(s));
	html_text(h, "span", "mono", value_count(s->envs) == 1 && slash ? slash + 1 : s->address,
		  CUT_VALUE);
	html_text(h, "small", NULL, s->doc, CUT_TEXT);
	sb_addf(h->out, "</span><span class=\"who%s\">",
		strcmp(s->executor, "operator") == 0 ? " person" : "");
	markup_add(h->out, report_actor(s->executor), CUT_NAME);
	sb_add(h->out, "</span>");
	if (h->r->source == REPORT_JOURNAL)
		put_seen_line(h, s, x);
	else
		put_planned_line(h, s, x);
	sb_add(h->out, "</summary>");
}

/* ---- what opens ---- */

static void put_deltas(struct html *h, const struct report_step *s)
{
	if (!s->delta_count)
		return;
	sb_add(h->out, "<dl class=change>");
	for (size_t i = 0; i < s->delta_count; i++) {
		const struct report_delta *d = &s->deltas[i];
		bool is_same = d->was && d->is && value_equal(d->was, d->is);

		html_text(h, "dt", NULL, d->name, CUT_NAME);
		sb_add(h->out, "<dd>");
		if (is_same) {
			markup_add_value(h->out, d->is, CUT_VALUE);
			sb_add(h->out, " (stays)</dd>");
			continue;
		}
		if (d->was) {
			sb_add(h->out, "<del>");
			markup_add_value(h->out, d->was, CUT_VALUE);
			sb_add(h->out, "</del> \xe2\x86\x92 ");
		}
		if (d->is) {
			sb_add(h->out, "<ins>");
			markup_add_value(h->out, d->is, CUT_VALUE);
			sb_add(h->out, "</ins>");
		}
		sb_add(h->out, "</dd>");
	}
	sb_add(h->out, "</dl>");
}

static void put_look(struct html *h, const struct report_look *k)
{
	sb_add(h->out, "<span class=look><b>");
	markup_add(h->out, k->env, CUT_NAME);
	sb_add(h->out, ": ");
	markup_add(h->out, k->verdict, CUT_NAME);
	sb_addf(h->out, "</b> after %zu look%s, last at ", k->count, k->count == 1 ? "" : "s");
	markup_add(h->out, k->last_at, CUT_NAME);
	if (*k->saw) {
		sb_add(h->out, "; saw: ");
		markup_add(h->out, k->saw, CUT_TEXT);
	}
	if (*k->why) {
		sb_add(h->out, "; ");
		markup_add(h->out, k->why, CUT_TEXT);
	}
	if (*k->until) {
		sb_add(h->out, ", until ");
		markup_add(h->out, k->until, CUT_NAME);
	}
	sb_add(h->out, "</span>");
}

static const char *gate_class(const struct report_gate *g)
{
	static const char *const worst[] = { "fail", "inconclusive", "wait", "pass" };

	for (size_t w = 0; w < ARRAY_LEN(worst); w++)
		for (size_t i = 0; i < g->look_count; i++)
			if (strcmp(g->looks[i].verdict, worst[w]) == 0)
				return worst[w];
	return "open";
}

static void put_gate(struct html *h, const struct report_gate *g)
{
	CLEANUP(sb_done) struct sb limits = SB_INIT(SB_TEXT_MAX);

	sb_addf(h->out, "<li class=\"gate %s\">", gate_class(g));
	html_text(h, "code", NULL, g->name, CUT_NAME);
	if (g->is_before)
		sb_add(h->out, " before the act");
	if (*g->doc) {
		sb_add(h->out, ": ");
		markup_add(h->out, g->doc, CUT_TEXT);
	}
	report_limits(g, &limits);
	html_text(h, "small", NULL, limits.buf, CUT_TEXT);
	for (size_t i = 0; i < g->look_count; i++)
		put_look(h, &g->looks[i]);
	sb_add(h->out, "</li>");
}

static void put_gates(struct html *h, const struct report_step *s)
{
	if (!s->gate_count)
		return;
	sb_addf(h->out, "<div><h4>Gates%s</h4><ul>",
		h->r->source == REPORT_JOURNAL ? " and evidence" : "");
	for (size_t i = 0; i < s->gate_count; i++)
		put_gate(h, &s->gates[i]);
	sb_add(h->out, "</ul></div>");
}

static void put_way_back(struct html *h, const struct report_step *s)
{
	if (strcmp(s->undo_kind, "nothing") == 0 && strcmp(s->executor, "none") == 0)
		return;
	sb_addf(h->out, "<div><h4>Way back</h4>%s", report_undo_words(s));
	if (*s->undo_text) {
		sb_add(h->out, ": ");
		markup_add(h->out, s->undo_text, CUT_TEXT);
	}
	sb_add(h->out, "</div>");
}

static void put_events(struct html *h, const struct report_step *s)
{
	bool waits = *s->waits_for && s->state >= STATE_UNDER_WAY && s->state <= STATE_ASKS;

	if (!s->event_count && !waits)
		return;
	sb_add(h->out, "<div><h4>What happened</h4><ul>");
	for (size_t i = 0; i < s->event_count; i++) {
		sb_add(h->out, "<li>");
		html_text(h, "time", NULL, s->events[i].at, CUT_NAME);
		markup_add(h->out, s->events[i].text, CUT_TEXT);
		sb_add(h->out, "</li>");
	}
	if (waits) {
		sb_add(h->out, "<li>waits for ");
		markup_add(h->out, s->waits_for, CUT_TEXT);
		if (*s->until) {
			sb_add(h->out, ", until ");
			markup_add(h->out, s->until, CUT_NAME);
		}
		sb_add(h->out, "</li>");
	}
	sb_add(h->out, "</ul></div>");
}

static void put_needs(struct html *h, const struct report_step *s)
{
	if (value_count(s->envs) > 1) {
		sb_add(h->out, "<div><h4>Shared</h4>One step for ");
		markup_add_value(h->out, s->envs, CUT_TEXT);
		sb_add(h->out, "; it waits for all of them</div>");
	}
	if (!value_count(s->needs))
		return;
	sb_add(h->out, "<div><h4>Needs</h4>");
	markup_add_value(h->out, s->needs, CUT_TEXT);
	sb_add(h->out, "</div>");
}

void html_step(struct html *h, const struct report_step *s, const struct html_axis *axis)
{
	sb_addf(h->out, "<li><details class=\"step %s\" id=\"r%zus%zu\" data-step=\"",
		phase_class(s), h->run_number, s->number);
	markup_add(h->out, s->address, CUT_TEXT);
	sb_add(h->out, "\">");
	put_summary(h, s, axis);
	sb_add(h->out, "<div class=body>");
	put_deltas(h, s);
	put_gates(h, s);
	put_way_back(h, s);
	put_events(h, s);
	put_needs(h, s);
	sb_add(h->out, "</div></details></li>\n");
}
