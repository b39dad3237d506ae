/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records_arrive.c - does data flow again?
 *
 * It is proved by one arrival and never disproved: filters, mappings and "apply updates" can keep a change from Campaign for good
 * reasons (d365-acs-self-service-app-data-sync.md, read 2026-11-23). So this gate passes, waits or stays inconclusive.
 */
#include <inttypes.h>
#include <string.h>

#include "campaign.h"
#include "core/base/sb.h"
#include "core/base/when.h"

#define SKEW_MAX_MS (5 * WHEN_MINUTE)

static const struct field fields[] = {
	{ .name = "window",
	  .kind = FIELD_SPAN,
	  .doc = "how long a change may take to arrive",
	  .def = "30m",
	  .min = WHEN_MINUTE,
	  .max = 2 * WHEN_DAY },
	{ 0 },
};
enum { SEES_APP, SEES_CONTACTS, SEES_PROFILES, SEES };
static const char *const observes[] = { "app.workflow", "dynamics.contact", "campaign.profile",
					NULL };

static bool is_known(const struct observation *o)
{
	return o->known == KNOWN_API || o->known == KNOWN_BRIDGE;
}

static void say(char *field, size_t size, const char *text)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(size - 1);

	sb_add(&out, text);
	memcpy(field, out.buf, out.len + 1);
}

static void verdict(struct says *ret, enum verdict v, const char *why)
{
	ret->verdict = v;
	say(ret->why, sizeof(ret->why), why);
}

static int64_t backlog_of(const struct observation *app)
{
	return app->facts ? MAX_OF(value_int_or(value_get(app->facts, "ingress_backlog"), 0), 0) :
			    0;
}

struct tally {
	int64_t arrived, contacts, first_ms; /* first_ms: when a changed contact was first seen */
};

static struct tally count(const struct gate_view *g, int64_t since)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < g->sample_count; i++) {
		const struct sample *s = &g->samples[i];
		const struct observation *contacts =
			s->count > SEES_CONTACTS ? &s->seen[SEES_CONTACTS] : NULL;
		const struct observation *profiles =
			s->count > SEES_PROFILES ? &s->seen[SEES_PROFILES] : NULL;

		if (s->now_ms < since)
			continue; /* looked for what changed before */
		if (contacts && is_known(contacts)) {
			int64_t n = value_int_or(value_get(contacts->facts, "count"), 0);

			t.contacts = MAX_OF(t.contacts, n);
			if (n > 0 && t.first_ms == 0)
				t.first_ms = s->now_ms;
		}
		if (profiles && is_known(profiles))
			t.arrived = MAX_OF(t.arrived,
					   value_int_or(value_get(profiles->facts, "arrived"), 0));
	}
	return t;
}

/* What of the newest sample could not be read. True: ret is filled. */
static bool is_unreadable(const struct gate_view *g, const struct sample *s, struct says *ret)
{
	for (size_t i = SEES_CONTACTS; i < SEES; i++) {
		const struct observation *o = i < s->count ? &s->seen[i] : NULL;
		const char *why = !o ? "not looked at" : o->why ? o->why : known_name(o->known);

		if (o && is_known(o))
			continue;
		if (o && o->known == KNOWN_FENCED)
			verdict(ret, VERDICT_WAIT,
				arena_printf(
					ret->arena,
					"%s is not read until the app's own use of the credential was seen: %s",
					observes[i], why));
		else if (o && o->known == KNOWN_FAILED)
			verdict(ret, VERDICT_WAIT,
				arena_printf(ret->arena, "%s cannot be read at the moment: %s",
					     observes[i], why));
		else
			verdict(ret, VERDICT_INCONCLUSIVE,
				arena_printf(ret->arena, "%s cannot be read: %s", observes[i],
					     why));
		return true;
	}
	if (g->skew_ms > SKEW_MAX_MS) {
		char span[WHEN_TEXT_MAX];

		verdict(ret, VERDICT_INCONCLUSIVE,
			arena_printf(
				ret->arena,
				"the clocks of the systems differ by %s: their times cannot be compared",
				when_span_text(span, g->skew_ms)));
		return true;
	}
	return false;
}

static void judge(const struct gate_view *g, struct says *ret)
{
	const struct sample *s = &g->samples[g->sample_count - 1];
	int64_t since = campaign_since_ms(g->view),
		window = value_int_or(value_get(g->limits, "window"), 30 * WHEN_MINUTE);
	struct tally t = count(g, since);
	int64_t backlog = s->count > SEES_APP ? backlog_of(&s->seen[SEES_APP]) : 0;

	say(ret->saw, sizeof(ret->saw),
	    arena_printf(ret->arena,
			 "%" PRId64 " contacts changed since the restart, %" PRId64
			 " of the newest arrived, backlog %" PRId64,
			 t.contacts, t.arrived, backlog));
	if (since == 0) {
		verdict(ret, VERDICT_INCONCLUSIVE,
			"no restart is known that changes could be newer than");
		return;
	}
	/* Before the pass as well: an arrival is a comparison of two systems' clocks. */
	if (t.arrived == 0 || g->skew_ms > SKEW_MAX_MS)
		if (is_unreadable(g, s, ret))
			return;
	if (t.arrived > 0) {
		verdict(ret, VERDICT_PASS, "a change made after the restart has arrived");
		return;
	}
	if (backlog > 0) {
		verdict(ret, VERDICT_WAIT, "records still wait in the app");
		return;
	}
	if (g->view->now_ms < (t.first_ms ? t.first_ms : g->opened_ms) + window) {
		verdict(ret, VERDICT_WAIT,
			t.contacts > 0 ? "changed contacts have not arrived yet" :
					 "no contact has changed since the restart");
		return;
	}
	if (t.contacts > 0)
		verdict(ret, VERDICT_INCONCLUSIVE,
			"contacts changed and none of those looked up arrived in time; filters or mappings may keep them back");
	else
		verdict(ret, VERDICT_INCONCLUSIVE,
			"no contact has changed since the restart; declare dynamics.canary, a contact that may be changed");
}

const struct gate_type campaign_records_arrive = {
	.name = "records_arrive",
	.doc = "a contact that changed after the restart has arrived as a profile",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.cadence = "2m",
	.deadline = "2h",
};
