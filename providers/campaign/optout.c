/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optout.c - the Campaign workflow that exports opt-outs once a day, where the file names it.
 *
 * If it stops, opt-outs are missed (d365-acs-notices-and-recommendations.md). The API's answer is documented without any state (triggering-a-
 * signal-activity.md), so the state is taken from the likely names and is "unknown" else. Read 2026-11-23.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "campaign.h"

static const struct fact facts[] = {
	{ "workflow", VAL_STRING, FACT_STATE, "the workflow's ID" },
	{ "state", VAL_STRING, FACT_SAMPLE,
	  "its state in Campaign's own words; 'unknown' when it told none" },
	{ 0 },
};

static const char *state_of(struct arena *a, const struct value *body)
{
	static const char *const names[] = { "state", "status", "executionState" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct value *v = value_get(body, names[i]);

		if (v && v->kind == VAL_STRING && v->u.str[0])
			return v->u.str;
		if (v && v->kind == VAL_INT)
			return arena_printf(a, "%" PRId64, v->u.i);
	}
	return "unknown";
}

static enum next optout_observe(struct call *c, const struct http_resp *last, struct http_req *req,
				struct err *err)
{
	const char *workflow = value_text(view_want(c->view, "campaign.opt_out_workflow"));
	const char *tenant = NULL;

	if (!c->facts)
		c->facts = value_map(c->arena);
	if (campaign_tenant(c->view, &tenant, err) < 0)
		return NEXT_FAIL;
	if (!workflow)
		return NEXT_DONE;
	*req = campaign_get(http_path(c->arena, "/%s/campaign/workflow/execution/%s", tenant,
				      workflow),
			    "read opt-out workflow");
	if (c->stage == 0) {
		c->stage = 1;
		return NEXT_SEND;
	}
	if (last->status != 200) {
		campaign_unexpected(req, last, tenant, err);
		if (last->status == 404)
			err_hint(
				err,
				"campaign.opt_out_workflow must be the ID property of a workflow: '%s'",
				workflow);
		return NEXT_FAIL;
	}
	value_set(c->arena, c->facts, "workflow", value_string(c->arena, workflow));
	value_set(c->arena, c->facts, "state",
		  value_string(c->arena, state_of(c->arena, last->body)));
	return NEXT_DONE;
}

/* Colours and words of the UI: Erroneous is red, Warning means paused; a stopped one shows Finished. */
static int optout_diff(const struct view *v, struct changes *c, struct err *err)
{
	static const char *const bad[] = { "erroneous", "error",   "failed",  "paused",
					   "warning",   "stopped", "finished" };
	const char *state = view_fact_text(v, "campaign.optout", "state");

	(void)err;
	for (size_t i = 0; state && i < ARRAY_LEN(bad); i++)
		if (strcasecmp(state, bad[i]) == 0) {
			changes_find(c, FIND_WARN, "opt-out-workflow",
				     "start it by hand soon, or opt-outs are missed",
				     "the opt-out workflow '%s' in Campaign is '%s'",
				     value_text_or(view_fact(v, "campaign.optout", "workflow"), ""),
				     state);
			break;
		}
	return 0;
}

const struct thing_type campaign_optout = {
	.name = "campaign.optout",
	.doc = "Campaign's own workflow that exports opt-outs",
	.conn = "campaign",
	.facts = facts,
	.at_plan = true,
	.observe = optout_observe,
	.diff = optout_diff,
};
