/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/base/when.h"
#include "core/report/html_private.h"

void html_finding(struct html *h, const struct report_finding *f)
{
	sb_addf(h->out, "<li class=%s><b>%s</b>",
		f->level == LEVEL_ERROR   ? "error" :
		f->level == LEVEL_WARNING ? "warning" :
					    "note",
		f->label);
	if (*f->env) {
		markup_add(h->out, f->env, CUT_NAME);
		sb_add(h->out, ": ");
	}
	markup_add(h->out, f->text, CUT_TEXT);
	sb_addc(h->out, ' ');
	html_text(h, "code", NULL, f->rule, CUT_NAME);
	if (f->pos.line) {
		sb_add(h->out, " <code>");
		markup_add(h->out, f->pos.file, CUT_VALUE);
		sb_addf(h->out, ":%u:%u</code>", f->pos.line, f->pos.col);
	}
	html_text(h, "span", "hint", f->hint, CUT_TEXT);
	sb_add(h->out, "</li>\n");
}

/* ---- head of an environment ---- */

static void named(struct html *h, const char **comma, const char *what, const struct value *v)
{
	if (!v)
		return;
	sb_addf(h->out, "%s%s ", *comma, what);
	markup_add_value(h->out, v, CUT_NAME);
	*comma = ", ";
}

static const char *badge_class(const struct html *h, const struct report_env *e)
{
	if (strcmp(e->outlook, "refused") == 0 || strcmp(e->outlook, "failed") == 0)
		return "badge bad";
	if (strcmp(e->outlook, "attest") == 0 || strcmp(e->outlook, "left-alone") == 0)
		return "badge warn";
	if (strcmp(e->outlook, "nothing") == 0 ||
	    (h->r->source == REPORT_JOURNAL && e->place_count && e->done == e->place_count))
		return "badge ok";
	return "badge";
}

static void put_head(struct html *h, const struct report_env *e)
{
	const char *comma = "";

	sb_add(h->out, "<h2>");
	markup_add(h->out, e->name, CUT_NAME);
	sb_addf(h->out, " <span class=\"%s\">", badge_class(h, e));
	if (h->r->source == REPORT_JOURNAL)
		sb_addf(h->out, "%zu of %zu steps done", e->done, e->place_count);
	else
		sb_add(h->out, report_outlook_words(e));
	sb_add(h->out, "</span></h2>\n<p class=ids>");
	named(h, &comma, "project", e->title);
	named(h, &comma, "workspace", e->workspace);
	named(h, &comma, "client id", e->client_id);
	named(h, &comma, "instance", e->instance);
	sb_add(h->out, "</p>\n");
}

static void put_ask(struct html *h, const struct report_ask *k)
{
	sb_addf(h->out, "<li class=%s><b>%s</b>", k->is_now ? "error" : "note",
		k->is_now ? "ask now" : "ask later");
	markup_add(h->out, k->thing, CUT_NAME);
	sb_add(h->out, ": ");
	markup_add_value(h->out, k->facts, CUT_TEXT);
	if (*k->step) {
		sb_add(h->out, "; a person is asked by ");
		markup_add(h->out, k->step, CUT_VALUE);
		sb_add(h->out, ", at the earliest +");
		text_add_span(h->out, k->earliest_ms);
	}
	html_text(h, "span", "hint", k->why, CUT_TEXT);
	html_text(h, "span", "hint", k->page, CUT_TEXT);
	sb_add(h->out, "</li>\n");
}

static void put_found(struct html *h, const struct report_env *e)
{
	/* What a person would be asked is a plan's matter; a journal tells who was asked, and when. */
	size_t asks = h->r->source == REPORT_JOURNAL ? 0 : e->ask_count;

	if (!e->finding_count && !asks)
		return;
	sb_add(h->out, "<ul class=found>");
	for (size_t i = 0; i < e->finding_count; i++) {
		struct report_finding f = e->findings[i];

		f.env = ""; /* the heading has said it */
		html_finding(h, &f);
	}
	for (size_t i = 0; i < asks; i++)
		put_ask(h, &e->asks[i]);
	sb_add(h->out, "</ul>\n");
}

/* ---- time line ---- */

static void widen(struct html_axis *x, int64_t at)
{
	x->to = at > x->to ? at : x->to;
}

/* A plan's line is as long as its run, so that environments can be compared; a journal's goes to the last thing known. */
static struct html_axis axis_of(const struct html *h)
{
	struct html_axis x = { 0, h->run->finish_ms };

	if (h->r->source != REPORT_JOURNAL)
		return x;
	x.from = x.to = html_instant(h->run->began_at);
	widen(&x, html_instant(h->run->until));
	for (size_t i = 0; i < h->run->step_count; i++) {
		const struct report_step *s = &h->run->steps[i];

		widen(&x, html_instant(s->ended_at));
		for (size_t g = 0; g < s->gate_count; g++)
			for (size_t k = 0; k < s->gates[g].look_count; k++)
				widen(&x, html_instant(s->gates[g].looks[k].last_at));
	}
	return x;
}

static void put_scale(struct html *h, const struct html_axis *x)
{
	if (x->to <= x->from)
		return;
	sb_addf(h->out, "<div class=scale aria-hidden=true><span>%s</span><span>+",
		h->r->source == REPORT_JOURNAL ? "begun" : "start");
	text_add_span(h->out, (x->to - x->from) / WHEN_SECOND * WHEN_SECOND);
	sb_add(h->out, "</span></div>\n");
}

static void put_line(struct html *h, const struct report_place *p)
{
	if (p->line == LINE_NEVER)
		sb_add(h->out, "<div class=never>point of no return</div>\n");
	if (p->line == LINE_PERSON)
		sb_addf(h->out, "<div class=person-line>%s</div>\n",
			strcmp(p->step->undo_kind, "gone") == 0 ?
				"not undoable from here on" :
				"from here on the way back needs a person");
}

static void put_elsewhere(struct html *h, const struct report_place *p)
{
	sb_addf(h->out, "<li><p><a href=\"#r%zus%zu\">", h->run_number, p->step->number);
	markup_add(h->out, p->step->address, CUT_VALUE);
	sb_add(h->out, "</a> is shared; see under ");
	markup_add(h->out, p->elsewhere, CUT_NAME);
	sb_add(h->out, "</p></li>\n");
}

static void put_places(struct html *h, const struct report_env *e)
{
	struct html_axis x = axis_of(h);
	const char *phase = NULL;
	bool is_open = false;

	if (e->place_count)
		put_scale(h, &x);
	for (size_t i = 0; i < e->place_count; i++) {
		const struct report_place *p = &e->places[i];
		bool is_new = !phase || strcmp(phase, p->step->phase) != 0;

		if (is_open && (is_new || p->line != LINE_NONE)) {
			sb_add(h->out, "</ol>\n");
			is_open = false;
		}
		put_line(h, p);
		if (is_new)
			html_text(h, "h3", NULL, p->step->phase, CUT_NAME);
		if (!is_open)
			sb_add(h->out, "<ol class=steps>\n");
		is_open = true;
		phase = p->step->phase;
		if (p->elsewhere)
			put_elsewhere(h, p);
		else
			html_step(h, p->step, &x);
	}
	sb_add(h->out, is_open ? "</ol>\n" : "");
}

/* ---- what it rests on ---- */

static void put_fact(struct html *h, const char *thing, const struct value *entry)
{
	const struct value *facts = value_get(entry, "facts");
	const char *at = value_text_or(value_get(entry, "server_time"), "");
	const char *by = value_text_or(value_get(entry, "by"), "");
	const char *why = value_text_or(value_get(entry, "why"), "");

	sb_add(h->out, "<li>");
	html_text(h, "code", NULL, thing, CUT_NAME);
	sb_addc(h->out, ' ');
	markup_add(h->out, value_text_or(value_get(entry, "known"), ""), CUT_NAME);
	sb_add(h->out, *by ? " by " : "");
	markup_add(h->out, by, CUT_NAME);
	sb_addc(h->out, ' ');
	html_text(h, "time", NULL, at, CUT_NAME);
	if (value_count(facts))
		markup_add_value(h->out, facts, CUT_TEXT);
	markup_add(h->out, why, CUT_TEXT);
	sb_add(h->out, "</li>\n");
}

static void put_rest(struct html *h, const struct report_env *e)
{
	size_t facts = e->facts && e->facts->kind == VAL_MAP ? value_count(e->facts) : 0;

	if (facts) {
		sb_addf(h->out, "<details class=more><summary>Facts of %zu thing%s</summary><ul>\n",
			facts, facts == 1 ? "" : "s");
		for (size_t i = 0; i < facts; i++)
			put_fact(h, value_key_at(e->facts, i), value_at(e->facts, i));
		sb_add(h->out, "</ul></details>\n");
	}
	if (!value_count(e->requests))
		return;
	sb_addf(h->out, "<details class=more><summary>%zu request%s made</summary><ul>\n",
		value_count(e->requests), value_count(e->requests) == 1 ? "" : "s");
	for (size_t i = 0; i < value_count(e->requests); i++) {
		sb_add(h->out, "<li>");
		html_text(h, "code", NULL, value_text_or(value_at(e->requests, i), "?"), CUT_TEXT);
		sb_add(h->out, "</li>\n");
	}
	sb_add(h->out, "</ul></details>\n");
}

void html_env(struct html *h, const struct report_env *e, size_t number)
{
	sb_addf(h->out, "<section class=env id=\"r%zue%zu\">\n", h->run_number, number);
	put_head(h, e);
	put_found(h, e);
	put_places(h, e);
	put_rest(h, e);
	sb_add(h->out, "</section>\n");
}
