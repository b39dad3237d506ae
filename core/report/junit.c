/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/junit.h"

#include <string.h>

#include "core/report/markup.h"

enum outcome { CASE_PASSED, CASE_SKIPPED, CASE_FAILED, CASE_ERROR };
struct suite {
	struct sb cases;
	size_t counts[4]; /* by outcome */
};
struct totals {
	size_t counts[4];
};

/* @text  raw; says why, or on what evidence */
static void put_case(struct suite *s, const char *class, const char *name, enum outcome o,
		     const char *type, const char *text)
{
	static const char *const tags[] = { "system-out", "skipped", "failure", "error" };
	struct sb *out = &s->cases;

	s->counts[o]++;
	sb_add(out, "    <testcase classname=\"");
	markup_add(out, class, CUT_NAME);
	sb_add(out, "\" name=\"");
	markup_add(out, name, CUT_TEXT);
	sb_addc(out, '"');
	if (o == CASE_PASSED && !*text) {
		sb_add(out, "/>\n");
		return;
	}
	sb_addf(out, ">\n      <%s", tags[o]);
	if (o == CASE_PASSED) {
		sb_addc(out, '>');
		markup_add(out, text, CUT_TEXT);
		sb_addf(out, "</%s>\n    </testcase>\n", tags[o]);
		return;
	}
	if (o != CASE_SKIPPED) {
		sb_add(out, " type=\"");
		markup_add(out, type, CUT_NAME);
		sb_addc(out, '"');
	}
	sb_add(out, " message=\"");
	markup_add(out, text, CUT_TEXT);
	sb_add(out, "\"/>\n    </testcase>\n");
}

static void put_suite(struct suite *s, const char *name, struct totals *sum, struct sb *out)
{
	const size_t *n = s->counts;
	size_t all = n[CASE_PASSED] + n[CASE_SKIPPED] + n[CASE_FAILED] + n[CASE_ERROR];

	if (!all)
		return;
	sb_add(out, "  <testsuite name=\"");
	markup_add(out, name, CUT_VALUE);
	sb_addf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n", all,
		n[CASE_FAILED], n[CASE_ERROR], n[CASE_SKIPPED]);
	sb_addn(out, s->cases.buf, s->cases.len);
	sb_add(out, "  </testsuite>\n");
	for (size_t i = 0; i < ARRAY_LEN(sum->counts); i++)
		sum->counts[i] += n[i];
}

/* ---- findings ---- */

static void put_finding(struct suite *s, const struct report_finding *f)
{
	CLEANUP(sb_done) struct sb name = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	bool is_unread = strcmp(f->rule, "not-readable") == 0;

	text_add(&name, *f->rule ? f->rule : "unnamed", CUT_NAME);
	if (f->pos.line) {
		sb_add(&name, " (");
		text_add(&name, f->pos.file, CUT_VALUE);
		sb_addf(&name, ":%u:%u)", f->pos.line, f->pos.col);
	}
	text_add(&text, f->text, CUT_TEXT);
	put_case(s, *f->env ? f->env : "findings", name.buf,
		 is_unread               ? CASE_ERROR :
		 f->level == LEVEL_ERROR ? CASE_FAILED :
					   CASE_PASSED,
		 f->rule, text.buf);
}

/* ---- steps and gates ---- */

static enum outcome outcome_of(const struct report_step *s)
{
	switch (s->state) {
	case STATE_DONE:
		return CASE_PASSED;
	case STATE_FAILED:
		return CASE_FAILED;
	case STATE_PLANNED:
	case STATE_LATER:
	case STATE_UNDER_WAY:
	case STATE_WAITS:
	case STATE_ASKS:
	case STATE_INCONCLUSIVE:
		return CASE_SKIPPED;
	}
	return CASE_SKIPPED;
}

static void put_look(struct suite *s, const struct report_step *step, const struct report_gate *g,
		     const struct report_look *look)
{
	CLEANUP(sb_done) struct sb name = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	bool is_over = step->state == STATE_FAILED;

	text_add(&name, step->address, CUT_VALUE);
	sb_add(&name, " gate ");
	text_add(&name, g->name, CUT_NAME);
	text_add(&text, look->verdict, CUT_NAME);
	sb_addf(&text, " after %zu look%s", look->count, look->count == 1 ? "" : "s");
	if (*look->saw) {
		sb_add(&text, "; saw: ");
		text_add(&text, look->saw, CUT_TEXT);
	}
	if (*look->why) {
		sb_add(&text, "; ");
		text_add(&text, look->why, CUT_TEXT);
	}
	put_case(s, look->env, name.buf,
		 strcmp(look->verdict, "pass") == 0            ? CASE_PASSED :
		 is_over || strcmp(look->verdict, "fail") == 0 ? CASE_FAILED :
								 CASE_SKIPPED,
		 g->name, text.buf);
}

static void put_gate(struct suite *s, const char *env, const struct report_step *step,
		     const struct report_gate *g)
{
	CLEANUP(sb_done) struct sb name = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	for (size_t i = 0; i < g->look_count; i++)
		put_look(s, step, g, &g->looks[i]);
	if (g->look_count)
		return;
	text_add(&name, step->address, CUT_VALUE);
	sb_add(&name, " gate ");
	text_add(&name, g->name, CUT_NAME);
	sb_add(&text, "not asked yet: ");
	text_add(&text, g->doc, CUT_TEXT);
	put_case(s, env, name.buf, CASE_SKIPPED, "", text.buf);
}

static void put_step(struct suite *s, const char *env, const struct report_step *step)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	sb_add(&text, report_state_name(step->state));
	sb_add(&text, ": ");
	text_add(&text, *step->waits_for && step->state != STATE_DONE ? step->waits_for : step->doc,
		 CUT_TEXT);
	put_case(s, env, step->address, outcome_of(step), "step-failed", text.buf);
	for (size_t i = 0; i < step->gate_count; i++)
		put_gate(s, env, step, &step->gates[i]);
}

static void put_env(const struct report *r, const struct report_env *e, struct totals *sum,
		    struct sb *out)
{
	CLEANUP(sb_done) struct sb name = SB_INIT(SB_TEXT_MAX);
	struct suite s = { .cases = SB_INIT(REPORT_BYTES_MAX) };

	for (size_t i = 0; i < e->finding_count; i++)
		put_finding(&s, &e->findings[i]);
	for (size_t i = 0; i < e->ask_count && r->source == REPORT_PLAN; i++)
		put_case(&s, e->name, e->asks[i].thing,
			 e->asks[i].is_now ? CASE_FAILED : CASE_SKIPPED, "attest",
			 e->asks[i].is_now ?
				 "a person has to attest facts before anything is planned" :
				 "a person will be asked for facts");
	for (size_t i = 0; i < e->place_count; i++)
		if (!e->places[i].elsewhere)
			put_step(&s, e->name, e->places[i].step);
	if (!s.cases.len)
		put_case(&s, e->name, report_outlook_words(e), CASE_PASSED, "", "");
	text_add(&name, e->name, CUT_NAME);
	put_suite(&s, name.buf, sum, out);
	sb_done(&s.cases);
}

/* ---- what belongs to no environment ---- */

static void put_rest(const struct report *r, struct totals *sum, struct sb *out)
{
	struct suite s = { .cases = SB_INIT(REPORT_BYTES_MAX) };

	for (size_t i = 0; i < r->finding_count; i++)
		if (r->source == REPORT_CHECK || !*r->findings[i].env)
			put_finding(&s, &r->findings[i]);
	for (size_t i = 0; i < r->run_count; i++)
		for (size_t k = 0; k < value_count(r->runs[i].approvals); k++) {
			CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

			text_add_value(&text, value_at(r->runs[i].approvals, k), CUT_TEXT);
			put_case(&s, "policy", "approval", CASE_SKIPPED, "", text.buf);
		}
	if (r->source == REPORT_CHECK && !s.cases.len)
		put_case(&s, "findings", "valid", CASE_PASSED, "", "");
	put_suite(&s, r->source == REPORT_CHECK ? "rollout file" : "policy", sum, out);
	sb_done(&s.cases);
}

void report_junit(const struct report *r, const struct report_options *o, struct sb *out)
{
	CLEANUP(sb_done) struct sb suites = SB_INIT(REPORT_BYTES_MAX);
	struct totals sum = { { 0 } };
	const size_t *n = sum.counts;

	(void)o;
	put_rest(r, &sum, &suites);
	for (size_t i = 0; i < r->run_count; i++)
		for (size_t k = 0; k < r->runs[i].env_count; k++)
			put_env(r, &r->runs[i].envs[k], &sum, &suites);
	sb_addf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"s2sctl %s\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\">\n",
		r->source == REPORT_PLAN    ? "plan" :
		r->source == REPORT_JOURNAL ? "journal" :
					      "validate",
		n[CASE_PASSED] + n[CASE_SKIPPED] + n[CASE_FAILED] + n[CASE_ERROR], n[CASE_FAILED],
		n[CASE_ERROR]);
	sb_addn(out, suites.buf, suites.len);
	sb_add(out, "</testsuites>\n");
}
