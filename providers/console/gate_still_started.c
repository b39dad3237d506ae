/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_still_started.c - right before the JWT credential is deleted: is the migration still under way, and the app still set to OAuth?
 *
 * Somebody may have cancelled it, or Adobe have completed it, since the plan was made; and what runs goes on with the settings of its start,
 * so that an app which somebody set back to JWT looks healthy until its next restart. What cannot be read a person has to have read within the
 * hour; whoever finalizes in the console has the migration card before their eyes, but not the app's settings.
 */
#include <string.h>

#include "core/base/when.h"
#include "providers/console/state.h"
#include "providers/console/things.h"
#include "providers/console/uses.h"

#define ATTESTED_FOR WHEN_HOUR

static const struct field fields[] = { { .name = NULL } };
static const char *const observes[] = { "console.credential", "console.migration", "app.settings",
					NULL };

/* Whether this was read in the round that is judged, or told by a person a short while ago. */
static bool is_fresh(const struct view *v, const char *thing)
{
	const struct observation *o = view_seen(v, thing);

	if (!o)
		return false;
	return o->known == KNOWN_API || o->known == KNOWN_BRIDGE ||
	       (o->known == KNOWN_ATTESTED && o->server_ms &&
		v->now_ms - o->server_ms <= ATTESTED_FOR);
}

static void ask(struct says *ret, const char *thing)
{
	ret->ask = true;
	ret->ask_thing = thing;
	uses_say(ret, VERDICT_WAIT, "%s cannot be read: a person has to read it now", thing);
}

static void judge_state(const struct view *v, struct says *ret)
{
	if (state_is(v, "started"))
		uses_say(ret, VERDICT_PASS, "the migration is under way");
	else if (state_is(v, "jwt-only"))
		uses_say(ret, VERDICT_FAIL,
			 "the migration is not under way any more: somebody has cancelled it");
	else if (state_is(v, "converted"))
		uses_say(ret, VERDICT_WAIT,
			 "the migration has been completed: nothing is left to do");
	else
		uses_say(ret, VERDICT_INCONCLUSIVE,
			 "type and status of the credential do not agree");
}

/* Whether this has to be read, or told, anew: not what the file does not have, nor what its reader sees anyway. */
static bool is_asked_of(const struct view *v, const char *thing)
{
	bool by_hand =
		strcmp(value_text_or(view_want(v, "executors.finalize"), ""), "operator") == 0;

	if (strcmp(thing, "app.settings") == 0)
		return view_want(v, "app") != NULL;
	return !by_hand || is_fresh(v, thing);
}

/* A person who told other settings and not this one has not answered yet: that is no reason to fail, and none to pass. */
static bool judge_settings(const struct view *v, struct says *ret)
{
	const char *auth_type = view_fact_text(v, "app.settings", "auth_type");

	if (!view_want(v, "app") || (auth_type && strcmp(auth_type, "oauth") == 0))
		return true;
	if (auth_type)
		uses_say(
			ret, VERDICT_FAIL,
			"the app is set to %s: somebody has changed its settings, and its next restart would need the JWT credential",
			auth_type);
	else if (view_seen(v, "app.settings")->known == KNOWN_ATTESTED)
		ask(ret, "app.settings");
	else
		uses_say(ret, VERDICT_INCONCLUSIVE,
			 "app.settings do not say which credential the app is set to");
	return false;
}

static void judge(const struct gate_view *g, struct says *ret)
{
	const struct view *v = g->view;
	const char *type = view_fact_text(v, "console.credential", "type"),
		   *status = view_fact_text(v, "console.migration", "status"),
		   *auth_type = view_fact_text(v, "app.settings", "auth_type");

	uses_saw(ret, "type %s, status %s, app on %s", type ? type : "unknown",
		 status ? status : "unknown", auth_type ? auth_type : "unknown");
	for (const char *const *t = observes; *t; t++) {
		const struct observation *o = view_seen(v, *t);

		if (!is_asked_of(v, *t) || is_fresh(v, *t))
			continue;
		if (o && o->known == KNOWN_FAILED)
			uses_say(ret, VERDICT_WAIT, "%s: %s", *t, o->why);
		else
			ask(ret, *t);
		return;
	}
	if (!judge_settings(v, ret))
		return;
	if (is_asked_of(v, "console.credential") && is_asked_of(v, "console.migration"))
		judge_state(v, ret);
	else
		uses_say(ret, VERDICT_PASS, "whoever finalizes sees the migration card");
}

const struct gate_type gate_still_started = {
	.name = "still_started",
	.doc = "the migration is still under way and the app set to OAuth, as read or attested just now",
	.fields = fields,
	.observes = observes,
	.judge = judge,
	.cadence = "1m",
	.deadline = "24h",
	.is_safety = true,
};
