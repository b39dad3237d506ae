/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2sctl/drift.h"

#include "cmd/s2sctl/rendering.h"
#include "core/run/apply.h"

static size_t steps_of(const struct plan *p, size_t env)
{
	size_t n = 0;

	for (size_t i = 0; i < p->step_count; i++)
		for (size_t k = 0; k < p->steps[i].env_count; k++)
			n += p->steps[i].envs[k] == env;
	return n;
}

static void add_env(struct sb *out, const struct plan *p, size_t index)
{
	const struct plan_env *pe = &p->envs[index];
	size_t n = steps_of(p, index);

	sb_add_visible(out, pe->env->name);
	switch (pe->outlook) {
	case OUTLOOK_CHANGES:
		sb_addf(out, ": %zu step%s from what the file says\n", n, n == 1 ? "" : "s");
		break;
	case OUTLOOK_NOTHING:
		sb_add(out, ": as the file says\n");
		break;
	case OUTLOOK_ATTEST:
		sb_add(out, ": facts have to be attested first\n");
		break;
	case OUTLOOK_LEFT_ALONE:
		sb_add(out, ": left alone\n");
		break;
	case OUTLOOK_REFUSED:
		sb_add(out, ": refused\n");
		break;
	case OUTLOOK_FAILED:
		sb_add(out, ": cannot be read: ");
		sb_add_visible(out, pe->error);
		sb_addc(out, '\n');
		break;
	}
	for (size_t i = 0; i < pe->changes.finding_count; i++) {
		const struct finding *f = &pe->changes.findings[i];

		if (f->kind != FIND_REFUSE && f->kind != FIND_LEAVE)
			continue;
		sb_add(out, "  ");
		sb_add_visible(out, f->text);
		sb_addc(out, '\n');
	}
}

static void add_steps(struct sb *out, const struct plan *p)
{
	for (size_t i = 0; i < p->step_count; i++) {
		sb_add(out, "  ");
		sb_add_visible(out, p->steps[i].address);
		sb_addc(out, '\n');
	}
	if (value_count(p->policy))
		sb_addf(out, "the policy is broken at %zu place%s; `s2sctl plan` says where\n",
			value_count(p->policy), value_count(p->policy) == 1 ? "" : "s");
}

void drift_out(struct session *s, const struct plan *p)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(REPORT_BYTES_MAX);

	for (size_t i = 0; i < p->env_count; i++)
		add_env(&out, p, i);
	add_steps(&out, p);
	session_out(s, &out);
}

int cmd_drift(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"drift", "FILE",
		"Reads the live systems and says in few words whether they are as the file says: exit 0, or 2 "
		"when something would have to be done. Changes nothing.",
		NULL
	};
	struct rendering r = { .max_bytes = NULL };
	struct event_file events = { .path = NULL };
	struct planning how = { .direction = DIRECTION_FORWARD,
				.rendering = &r,
				.events = &events,
				.detailed = true,
				.is_brief = true };
	int status;
	const struct opt own[] = {
		{ "format", 0, OPT_TEXT, "FORMAT",
		  "text (default), or a plan's: json, markdown, html, junit, sarif, github or gitlab",
		  &s->common.format },
		{ "max-bytes", 0, OPT_TEXT, "N", "of markdown: cut what does not fit",
		  &r.max_bytes },
		{ "events", 0, OPT_TEXT, "FILE", "write what happens as JSON Lines", &events.path },
		{ "env", 0, OPT_LIST, "NAME", "only this environment; may be repeated",
		  &s->common.env },
		{ "state", 0, OPT_TEXT, "DIR",
		  "where journal and lock live, instead of the file's `state`", &s->common.state },
		{ "time-scale", 0, OPT_TEXT, "N", "for sandboxes: divide own sleeping by N",
		  &s->common.time_scale },
		{ "by", 0, OPT_TEXT, "NAME", "who makes the plan, where the policy wants it said",
		  &how.made_by },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !rendering_open(s, &r, SOURCE_PLAN, &status) || !event_file_open(&events, s, &status))
		return status;
	if (!session_load(s, s->words.items[0], &status) || !session_select(s, &status) ||
	    !session_connect(s, &status))
		return event_file_end(&events, status, NULL);
	event_file_started(&events, "drift");
	return event_file_end(&events, session_plan(s, &how), NULL);
}
