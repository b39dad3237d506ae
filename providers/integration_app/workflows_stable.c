/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflows_stable.c - have the workflows that are meant to run been RUNNING for long enough?
 *
 * A wrong secret shows only when the app mints, so the first RUNNING proves little; the soak counts from the first of an unbroken row.
 */
#include <string.h>

#include "app.h"
#include "core/base/when.h"

static const struct field fields[] = {
	{ .name = "soak",
	  .kind = FIELD_SPAN,
	  .doc = "how long they must have been RUNNING",
	  .def = "10m",
	  .min = WHEN_MINUTE,
	  .max = 7 * WHEN_DAY },
	{ 0 },
};
static const char *const observes[] = { "app.workflow", NULL };

static int64_t soak_of(const struct value *limits)
{
	return value_int_or(value_get(limits, "soak"), 10 * WHEN_MINUTE);
}

/* How the chosen ones stand: the worst of them. */
static enum wf worst(const struct app_workflow wf[APP_WORKFLOWS], const struct app_meant *m)
{
	static const enum wf order[] = { WF_FAILED, WF_STOPPED, WF_ABSENT, WF_STARTING };

	for (size_t k = 0; k < ARRAY_LEN(order); k++)
		for (size_t i = 0; i < APP_WORKFLOWS; i++)
			if (m->runs[i] && wf[i].status == order[k])
				return order[k];
	return WF_RUNNING;
}

static int64_t since(const struct gate_view *g)
{
	int64_t at = app_restart_ms(g->view);

	return at ? at : g->opened_ms;
}

static void ask_or_wait(const struct gate_view *g, const struct app_look *newest, int64_t from,
			struct says *ret)
{
	int64_t ready = from + soak_of(g->limits);
	char when[WHEN_TEXT_MAX];

	ret->verdict = VERDICT_WAIT;
	if (!newest->can_ask) {
		SAYS_TEXT(ret->why, "the workflows cannot be read at the moment: %s", newest->why);
		return;
	}
	if (g->view->now_ms < ready) {
		ret->until_ms = ready;
		SAYS_TEXT(ret->why, "a person has to look at the workflows, not before %s",
			  when_text(when, ready));
		return;
	}
	ret->ask = true;
	ret->ask_thing = "app.workflow";
	SAYS_TEXT(ret->why, "a person has to look at the workflows: %s", newest->why);
}

static void judge_attested(const struct gate_view *g, const struct app_look *newest,
			   const struct app_meant *m, struct says *ret)
{
	if (newest->at_ms <
	    since(g) + soak_of(g->limits)) { /* seen before it could tell anything */
		ask_or_wait(g, newest, since(g), ret);
		return;
	}
	switch (worst(newest->wf, m)) {
	case WF_RUNNING:
		ret->verdict = VERDICT_PASS;
		SAYS_TEXT(ret->why, "a person saw all RUNNING that are meant to run");
		return;
	case WF_FAILED:
		ret->verdict = VERDICT_FAIL;
		SAYS_TEXT(ret->why, "a person saw a workflow FAILED");
		return;
	case WF_STOPPED:
	case WF_STARTING:
	case WF_ABSENT:
		ret->verdict = VERDICT_WAIT;
		ret->ask = true;
		ret->ask_thing = "app.workflow";
		SAYS_TEXT(ret->why,
			  "not all were RUNNING that are meant to run: start them, and look again");
		return;
	}
}

/* Samples that could not be read neither count nor break the row. */
static bool is_stopped_twice(const struct gate_view *g, const struct app_meant *m)
{
	int64_t from = app_restart_ms(g->view);
	unsigned n = 0;

	for (size_t i = g->sample_count; i-- > 0 && n < 2;) {
		struct app_look l = app_look(g, i);

		if (!l.is_read || l.at_ms < from)
			continue;
		if (worst(l.wf, m) != WF_STOPPED && worst(l.wf, m) != WF_ABSENT)
			return false;
		n++;
	}
	return n == 2;
}

static void judge_soak(const struct gate_view *g, const struct app_look *newest,
		       const struct app_meant *m, struct says *ret)
{
	int64_t first = newest->at_ms, from = app_restart_ms(g->view), soak = soak_of(g->limits);
	char span[WHEN_TEXT_MAX], need[WHEN_TEXT_MAX];

	for (size_t i = g->sample_count; i-- > 0;) {
		struct app_look l = app_look(g, i);

		if (!l.is_read || l.is_attested)
			continue;
		if (l.at_ms < from || worst(l.wf, m) != WF_RUNNING)
			break;
		first = l.at_ms;
	}
	if (newest->at_ms - first >= soak) {
		ret->verdict = VERDICT_PASS;
		SAYS_TEXT(ret->why, "all RUNNING for %s",
			  when_span_text(span, newest->at_ms - first));
		return;
	}
	ret->verdict = VERDICT_WAIT;
	ret->until_ms = first + soak;
	SAYS_TEXT(ret->why, "all RUNNING for %s of %s", when_span_text(span, newest->at_ms - first),
		  when_span_text(need, soak));
}

static void judge(const struct gate_view *g, struct says *ret)
{
	struct app_meant m;
	struct app_look newest = app_newest(g, &m);

	if (!newest.is_read || newest.at_ms == 0 || newest.at_ms < app_restart_ms(g->view)) {
		ask_or_wait(g, &newest, since(g), ret);
		return;
	}
	SAYS_TEXT(ret->saw, "%s%s", app_states_text(ret->arena, newest.wf),
		  newest.is_attested ? ", attested" : "");
	if (!m.is_told) {
		ret->verdict = VERDICT_INCONCLUSIVE;
		SAYS_TEXT(ret->why,
			  "all are stopped, and nothing tells which of them are meant to run");
		return;
	}
	if (newest.is_attested) {
		judge_attested(g, &newest, &m, ret);
		return;
	}
	switch (worst(newest.wf, &m)) {
	case WF_RUNNING:
		judge_soak(g, &newest, &m, ret);
		return;
	case WF_FAILED:
		ret->verdict = VERDICT_FAIL;
		SAYS_TEXT(
			ret->why,
			"a workflow that is meant to run has FAILED: most often a wrong client secret or client id in the settings");
		return;
	case WF_STARTING:
		ret->verdict = VERDICT_WAIT;
		SAYS_TEXT(ret->why, "still starting");
		return;
	case WF_STOPPED:
	case WF_ABSENT:
		ret->verdict = is_stopped_twice(g, &m) ? VERDICT_FAIL : VERDICT_WAIT;
		SAYS_TEXT(ret->why, "a workflow that is meant to run is stopped");
		return;
	}
}

const struct gate_type app_workflows_stable = {
	.name = "workflows_stable",
	.doc = "the workflows that are meant to run have been RUNNING for the soak",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.earliest = soak_of,
	.cadence = "1m",
	.deadline = "24h",
	.is_safety = true,
};
