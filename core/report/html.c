/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/report/html_private.h"

static void put_sum(struct html *h, const char *class, const char *label, size_t n)
{
	sb_addf(h->out, "<div%s><dt>%s</dt><dd>%zu</dd></div>", class, label, n);
}

static void put_sums(struct html *h)
{
	const struct report_run *run = h->run;
	bool is_plan = h->r->source == REPORT_PLAN;

	sb_add(h->out, "<dl class=sums>");
	put_sum(h, "", run->env_count == 1 ? "environment" : "environments", run->env_count);
	if (is_plan)
		put_sum(h, "", run->step_count == 1 ? "step" : "steps", run->step_count);
	else
		sb_addf(h->out, "<div><dt>steps done</dt><dd>%zu of %zu</dd></div>", run->done,
			run->step_count);
	put_sum(h, run->irreversible ? " class=alarm" : "", "irreversible", run->irreversible);
	put_sum(h, "", is_plan ? "by a person" : "answers of people",
		is_plan ? run->by_person : run->attested);
	if (!is_plan)
		put_sum(h, run->failed ? " class=alarm" : "", "failed", run->failed);
	if (is_plan && run->step_count) {
		sb_add(h->out, "<div><dt>earliest finish</dt><dd>+");
		text_add_span(h->out, run->finish_ms);
		sb_add(h->out, "</dd></div>");
	}
	sb_add(h->out, "</dl>\n");
}

static void put_times(struct html *h)
{
	const struct report_run *run = h->run;

	sb_add(h->out, "<p class=meta>");
	if (h->r->source == REPORT_PLAN) {
		sb_add(h->out, "Observed ");
		markup_add(h->out, run->made_at, CUT_NAME);
	} else {
		sb_add(h->out, "Begun ");
		markup_add(h->out, run->began_at, CUT_NAME);
		if (*run->ended)
			sb_addf(h->out, ", %s ", run->ended);
		markup_add(h->out, run->ended_at, CUT_NAME);
		if (*run->until) {
			sb_add(h->out, ", goes on at the earliest ");
			markup_add(h->out, run->until, CUT_NAME);
		}
		sb_addf(h->out, "; %zu own token%s of migrating clients", run->mints,
			run->mints == 1 ? "" : "s");
	}
	sb_add(h->out, "</p>\n");
	for (size_t i = 0; i < value_count(run->approvals); i++) {
		sb_add(h->out, "<p class=meta><b>Must approve:</b> ");
		markup_add_value(h->out, value_at(run->approvals, i), CUT_TEXT);
		sb_add(h->out, "</p>\n");
	}
}

static const char *headline_class(const struct html *h)
{
	if (h->run->failed || report_is_blocked(h->run))
		return "headline bad";
	return h->r->source == REPORT_JOURNAL && !*h->run->ended ? "headline warn" : "headline";
}

static void put_header(struct html *h)
{
	CLEANUP(sb_done) struct sb words = SB_INIT(SB_TEXT_MAX);

	sb_addf(h->out, "<header>\n<p class=kind>s2sctl %s</p>\n<h1>",
		h->r->source == REPORT_PLAN ? "plan" : "journal");
	markup_add(h->out, *h->run->rollout ? h->run->rollout : "an unknown file", CUT_VALUE);
	sb_addf(h->out, "</h1>\n<p class=\"%s\">", headline_class(h));
	report_headline(h->r, h->run, &words);
	markup_escape(h->out, words.buf);
	sb_add(h->out, "</p>\n");
	put_sums(h);
	put_times(h);
	sb_add(h->out, "</header>\n");
}

/* What environments say themselves is told there; here only what is about steps, or about none. */
static void put_findings(struct html *h)
{
	bool any = false;

	for (size_t i = 0; i < h->r->finding_count; i++) {
		const struct report_finding *f = &h->r->findings[i];

		if ((*f->env && !*f->step) || strcmp(f->run, h->run->id) != 0)
			continue;
		if (!any)
			sb_add(h->out, "<ul class=found>\n");
		any = true;
		html_finding(h, f);
	}
	sb_add(h->out, any ? "</ul>\n" : "");
}

static void put_nav(struct html *h)
{
	if (h->run->env_count < 2)
		return;
	sb_add(h->out, "<nav aria-label=Environments><ul>\n");
	for (size_t i = 0; i < h->run->env_count; i++) {
		const struct report_env *e = &h->run->envs[i];
		bool is_bad =
			strcmp(e->outlook, "refused") == 0 || strcmp(e->outlook, "failed") == 0;

		sb_addf(h->out, "<li%s><a href=\"#r%zue%zu\">", is_bad ? " class=bad" : "",
			h->run_number, i + 1);
		markup_add(h->out, e->name, CUT_NAME);
		sb_add(h->out, "</a></li>\n");
	}
	sb_add(h->out, "</ul></nav>\n");
}

static void put_run(struct html *h)
{
	put_header(h);
	put_findings(h);
	put_nav(h);
	for (size_t i = 0; i < h->run->env_count; i++)
		html_env(h, &h->run->envs[i], i + 1);
	sb_add(h->out, "<footer>");
	if (h->r->source == REPORT_PLAN)
		sb_addf(h->out, "Planning made %zu request%s and got %zu token%s to sign in.<br>",
			h->run->requests, h->run->requests == 1 ? "" : "s", h->run->tokens,
			h->run->tokens == 1 ? "" : "s");
	sb_add(h->out, "intent <code>");
	markup_add(h->out, h->run->intent_digest, CUT_NAME);
	sb_add(h->out, "</code><br>facts <code>");
	markup_add(h->out, h->run->observed_digest, CUT_NAME);
	sb_add(h->out, "</code></footer>\n");
}

void report_html(const struct report *r, const struct report_options *o, struct sb *out)
{
	struct html h = { .r = r, .out = out };

	(void)o;
	sb_add(out,
	       "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
	       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
	       "base-uri 'none'; form-action 'none'\">\n"
	       "<meta name=referrer content=no-referrer>\n"
	       "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n<title>s2sctl ");
	sb_add(out, r->source == REPORT_PLAN ? "plan" : "journal");
	if (r->run_count) {
		sb_add(out, " for ");
		markup_add(out, r->runs[0].rollout, CUT_VALUE);
	}
	sb_add(out, "</title>\n<style>");
	for (const char *const *part = html_style; *part; part++)
		sb_add(out, *part);
	sb_add(out, "</style>\n</head>\n<body>\n"
		    "<a class=skip href=\"#r1e1\">To the first environment</a>\n<main>\n");
	if (!r->run_count)
		sb_add(out, "<p>The journal is empty.</p>\n");
	for (size_t i = 0; i < r->run_count; i++) {
		h.run = &r->runs[i];
		h.run_number = i + 1;
		put_run(&h);
	}
	sb_add(out, "</main>\n</body>\n</html>\n");
}
