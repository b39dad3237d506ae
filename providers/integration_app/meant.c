/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meant.c - which workflows are meant to run, and how these gates read a sample.
 *
 * Workflows that did not run before must not be started by a migration: "stop the active workflows", d365-acs-self-service-app-
 * migrate-credentials.md, read 2026-11-23. So what ran before the restart is the truth, and after it nothing else.
 */
#include <stdarg.h>
#include <string.h>

#include "app.h"
#include "core/base/sb.h"

int64_t app_restart_ms(const struct view *v)
{
	int64_t at = view_mark_ms(v, "restart.at");

	return at ? at : view_mark_ms(v, "app.workflow/restart.at");
}

/* What the file says; where it says to keep what is, and a person says that STOPPED is not what was meant, all are to run. */
bool app_wants(const struct view *v, const char *workflows)
{
	const char *wanted = value_text_or(view_want(v, "app.workflows"), "keep");

	if (strcmp(wanted, "keep") == 0 &&
	    !value_bool_or(view_fact(v, "app.workflow", "stopped_is_meant"), true))
		wanted = "running";
	return strcmp(wanted, workflows) == 0;
}

/* A workflow that this instance does not have is not meant to run, whatever the file says. */
static bool is_had(const struct view *v, const struct app_workflow *seen, size_t i)
{
	const struct value *before = view_mark(v, "restart.before");

	if (before)
		return value_get(before, app_workflows[i]) != NULL;
	return !seen || seen[i].status != WF_ABSENT;
}

struct app_meant app_meant(const struct view *v, const struct app_workflow *seen)
{
	const struct value *before = view_mark(v, "restart.before");
	struct app_meant m = { .is_told = true };

	if (app_wants(v, "stopped"))
		return m;
	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		enum wf was = before ? wf_parse(value_text(value_get(before, app_workflows[i]))) :
			      seen   ? seen[i].status :
				       WF_ABSENT;

		m.runs[i] = app_wants(v, "running") ? is_had(v, seen, i) :
						      was != WF_ABSENT && was != WF_STOPPED;
		m.count += m.runs[i];
	}
	/* All stopped and no word of what was before: they may have been stopped by the very restart that is judged. */
	m.is_told = before || m.count > 0;
	return m;
}

/*
 * When a person said it. Where the observation does not tell, it was after the last sample without it; one that was
 * there from the first sample on may be from before the restart, and counts for nothing.
 */
static int64_t attested_ms(const struct gate_view *g, size_t sample)
{
	const struct observation *o = &g->samples[sample].seen[0];

	if (o->server_ms || o->local_ms)
		return o->server_ms ? o->server_ms : o->local_ms;
	while (sample-- > 0)
		if (g->samples[sample].count > 0 &&
		    g->samples[sample].seen[0].known != KNOWN_ATTESTED)
			return g->samples[sample].now_ms;
	return 0;
}

struct app_look app_look(const struct gate_view *g, size_t sample)
{
	const struct sample *s = &g->samples[sample];
	struct app_look l = { .at_ms = s->now_ms };
	const struct observation *o = s->count > 0 ? &s->seen[0] : NULL;

	if (!o) {
		l.why = "nothing was looked at";
		return l;
	}
	l.why = o->why ? o->why : known_name(o->known);
	switch (o->known) {
	case KNOWN_API:
	case KNOWN_BRIDGE:
		l.is_read = true;
		l.at_ms = o->server_ms ? o->server_ms : s->now_ms;
		break;
	case KNOWN_ATTESTED:
		l.is_read = l.is_attested = true;
		l.can_ask = true;
		l.at_ms = attested_ms(g, sample);
		l.why = "what was attested is older than the restart, or of an unknown time";
		break;
	case KNOWN_NOT:
	case KNOWN_DENIED:
	case KNOWN_JOURNAL: /* what we did is no look at what came of it */
		l.can_ask = true;
		break;
	case KNOWN_FENCED:
	case KNOWN_FAILED:
		break;
	}
	if (l.is_read)
		app_from_facts(o->facts, l.wf);
	return l;
}

struct app_look app_newest(const struct gate_view *g, struct app_meant *ret_meant)
{
	int64_t since = app_restart_ms(g->view);

	*ret_meant = app_meant(g->view, NULL);
	for (size_t i = 0; i < g->sample_count; i++) {
		struct app_look l = app_look(g, i);

		if (l.is_read && l.at_ms > 0 && l.at_ms >= since) {
			*ret_meant = app_meant(g->view, l.wf);
			break;
		}
	}
	return app_look(g, g->sample_count - 1);
}

void app_say(char *field, size_t size, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);
	va_list ap;

	va_start(ap, fmt);
	sb_addv(&out, fmt, ap);
	va_end(ap);
	if (out.len >= size)
		sb_shrink(&out, size - 1);
	memcpy(field, out.buf, out.len + 1);
}

const char *app_states_text(struct arena *a, const struct app_workflow wf[APP_WORKFLOWS])
{
	CLEANUP(sb_done) struct sb out = SB_INIT(256);

	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		if (wf[i].status != WF_ABSENT)
			sb_addf(&out, "%s%s %s", out.len > 0 ? ", " : "", app_workflows[i],
				wf_name(wf[i].status));
	return arena_strdup(a, out.len > 0 ? out.buf : "no workflow");
}

const char *app_names_text(struct arena *a, const bool chosen[APP_WORKFLOWS])
{
	CLEANUP(sb_done) struct sb out = SB_INIT(256);

	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		if (chosen[i])
			sb_addf(&out, "%s%s", out.len > 0 ? ", " : "", app_workflows[i]);
	return arena_strdup(a, out.len > 0 ? out.buf : "none");
}
