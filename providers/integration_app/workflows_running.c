/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflows_running.c - right now, do the workflows run that are meant to?
 */
#include <string.h>

#include "app.h"
#include "core/base/when.h"

/* Right now: a person's look an hour ago is not. */
#define ATTESTED_FOR WHEN_HOUR

static const struct field fields[] = { { 0 } };
static const char *const observes[] = { "app.workflow", NULL };

static void ask(struct says *ret)
{
	ret->verdict = VERDICT_WAIT;
	ret->ask = true;
	ret->ask_thing = "app.workflow";
}

static void judge_read(const struct app_look *l, const struct app_meant *m, struct says *ret)
{
	bool starting = false;

	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		if (!m->runs[i])
			continue;
		if (l->wf[i].status == WF_ABSENT && l->is_attested) {
			SAYS_TEXT(ret->why, "nobody said how '%s' stands", app_workflows[i]);
			ask(ret);
			return;
		}
		if (l->wf[i].status == WF_STARTING)
			starting = true;
		else if (l->wf[i].status != WF_RUNNING) {
			ret->verdict = VERDICT_FAIL;
			SAYS_TEXT(ret->why, "'%s' is meant to run, and does not", app_workflows[i]);
			return;
		}
	}
	ret->verdict = starting ? VERDICT_WAIT : VERDICT_PASS;
	SAYS_TEXT(ret->why, starting     ? "still starting" :
			    m->count > 0 ? "all RUNNING that are meant to run" :
					   "none is meant to run");
	if (starting && l->is_attested)
		ask(ret);
}

/*
 * Whether somebody has saved something in the app since its restart. What it was seen to do is not what it will do after the next one: its
 * settings may name the credential that is about to go. Once that is gone, it is too late to ask.
 */
static bool has_edits(const struct gate_view *g)
{
	const struct sample *s = g->sample_count ? &g->samples[g->sample_count - 1] : NULL;

	if (view_mark_ms(g->view, "finalize.at"))
		return false;
	for (size_t i = 0; s && i < s->count; i++)
		if (strcmp(s->seen[i].thing, "app.workflow") == 0 &&
		    value_bool_or(value_get(s->seen[i].facts, "pending_edits"), false))
			return true;
	return false;
}

static void judge(const struct gate_view *g, struct says *ret)
{
	struct app_meant m;
	struct app_look newest = app_newest(g, &m);

	if (!newest.is_read || newest.at_ms == 0 || newest.at_ms < app_restart_ms(g->view) ||
	    (newest.is_attested && g->view->now_ms - newest.at_ms > ATTESTED_FOR)) {
		ret->verdict = VERDICT_WAIT;
		if (newest.can_ask)
			ask(ret);
		SAYS_TEXT(ret->why, "%s: %s",
			  newest.can_ask ? "a person has to look at the workflows" :
					   "the workflows cannot be read at the moment",
			  newest.why);
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
	judge_read(&newest, &m, ret);
	if (ret->verdict == VERDICT_PASS && has_edits(g)) {
		ret->verdict = VERDICT_INCONCLUSIVE;
		SAYS_TEXT(
			ret->why,
			"somebody has saved edits in the app since its restart: see that its settings still use OAuth, then have them applied or taken back");
	}
}

const struct gate_type app_workflows_running = {
	.name = "workflows_running",
	.doc = "the workflows that are meant to run are RUNNING at this moment",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.cadence = "1m",
	.deadline = "24h",
	.is_safety = true,
};
