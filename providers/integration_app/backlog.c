/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backlog.c - has what queued up during the restart been worked off, or does it at least shrink?
 *
 * A backlog may rise after a restart (d365-acs-self-service-app-workflows.md, read 2026-11-23), so a rise is waited for, not failed.
 */
#include <inttypes.h>
#include <string.h>

#include "app.h"
#include "core/base/when.h"

#define FALLS_SAMPLES 3

static const struct field fields[] = {
	{ .name = "tolerance",
	  .kind = FIELD_INT,
	  .doc = "records more than before the restart that still count as the same level",
	  .def = "100",
	  .min = 0,
	  .max = 100000000 },
	{ 0 },
};
static const char *const observes[] = { "app.workflow", NULL };

struct series {
	int64_t first, last;
	size_t count,
		falling; /* falling: length of the row at its end in which each is smaller than the one before */
	bool is_attested;
};

static struct series read_series(const struct gate_view *g, size_t which)
{
	int64_t from = app_restart_ms(g->view);
	struct series s = { .count = 0 };

	for (size_t i = 0; i < g->sample_count; i++) {
		struct app_look l = app_look(g, i);
		int64_t n = l.wf[which].backlog;

		if (!l.is_read || l.at_ms == 0 || l.at_ms < from || !l.wf[which].has_backlog)
			continue;
		if (s.count == 0)
			s.first = n;
		s.falling = s.count > 0 && n < s.last ? s.falling + 1 : 1;
		s.last = n;
		s.is_attested = l.is_attested;
		s.count++;
	}
	return s;
}

static bool is_fine(const struct gate_view *g, size_t which, const struct series *s)
{
	const struct value *before =
		value_get(view_mark(g->view, "restart.backlog"), app_workflows[which]);
	int64_t tolerance = value_int_or(value_get(g->limits, "tolerance"), 100);

	if (s->falling >= FALLS_SAMPLES)
		return true;
	if (before)
		return s->last <= value_int_or(before, 0) + tolerance;
	if (s->is_attested) /* nobody knows what it was before: only an empty queue says enough at one look */
		return s->last <= tolerance;
	/* No restart in this run: the level is what it was when we first looked. */
	return s->count > 1 && s->last <= s->first + tolerance;
}

static void judge(const struct gate_view *g, struct says *ret)
{
	struct app_meant m;
	struct app_look newest = app_newest(g, &m);
	size_t read = 0, fine = 0;
	char *saw = ret->saw;

	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		struct series s = read_series(g, i);

		if (!m.runs[i] || s.count == 0)
			continue;
		read++;
		fine += is_fine(g, i, &s);
		app_say(saw + strlen(saw), sizeof(ret->saw) - strlen(saw), "%s%s backlog %" PRId64,
			read > 1 ? ", " : "", app_workflows[i], s.last);
	}
	if (m.is_told && m.count == 0) {
		ret->verdict = VERDICT_PASS;
		SAYS_TEXT(ret->why, "no workflow is meant to run");
	} else if (!newest.is_read && !newest.can_ask) {
		ret->verdict = VERDICT_WAIT;
		SAYS_TEXT(ret->why, "not readable at the moment: %s", newest.why);
	} else if (!m.is_told || read < m.count) {
		ret->verdict = VERDICT_INCONCLUSIVE;
		SAYS_TEXT(ret->why, "not readable: %s",
			  newest.is_read ? "the backlog of a workflow that runs was not told" :
					   newest.why);
	} else if (fine == read) {
		ret->verdict = VERDICT_PASS;
		SAYS_TEXT(ret->why, "back at the level before the restart, or falling");
	} else {
		ret->verdict = VERDICT_WAIT;
		SAYS_TEXT(ret->why, "above the level before the restart, and not falling yet");
	}
}

const struct gate_type app_backlog = {
	.name = "backlog",
	.doc = "records that wait in the app are back at the level before the restart, or become fewer",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.cadence = "1m",
	.deadline = "4h",
};
