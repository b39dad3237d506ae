/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/console/uses.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "providers/console/state.h"

static const struct observation *find(const struct sample *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->seen[i].thing, "console.usage") == 0)
			return &s->seen[i];
	return NULL;
}

static bool is_read(const struct observation *o)
{
	return o && (o->known == KNOWN_API || o->known == KNOWN_BRIDGE);
}

static void add_read(struct uses *u, const struct value *facts)
{
	u->has_data |= value_bool_or(value_get(facts, "has_data"), false);
	u->oauth_ms = MAX_OF(u->oauth_ms, value_int_or(value_get(facts, "oauth_last_used"), 0));
	u->jwt_ms = MAX_OF(u->jwt_ms, value_int_or(value_get(facts, "jwt_last_used"), 0));
	u->oauth_latest_ms = MAX_OF(u->oauth_latest_ms, u->oauth_ms);
	u->jwt_visible = value_bool_or(value_get(facts, "jwt_visible"), false);
	/* Told by name only: the latest of all the others may hide it, and is no proof of it. */
	if (u->jwt_visible && value_int_or(value_get(facts, "jwt_last_used"), 0) >
				      value_int_or(value_get(facts, "other_last_used"), 0))
		u->jwt_named_ms =
			MAX_OF(u->jwt_named_ms, value_int_or(value_get(facts, "jwt_last_used"), 0));
}

/*
 * How much a reading leaves open. The engine has moved it to the last millisecond of what was typed, and a server's own time
 * seldom ends in .999, so the ending tells; taking a time for less precise than it was is the careful side for what we ask here: whether a use is
 * certain.
 */
static int64_t span_left_open(const struct value *attested, int64_t ms)
{
	static const int64_t spans[] = { WHEN_DAY, WHEN_MINUTE, WHEN_SECOND };
	int64_t told = value_int_or(value_get(attested, "precision"), 0);

	if (told > 0)
		return told;
	for (size_t i = 0; i < ARRAY_LEN(spans); i++)
		if (ms % spans[i] == spans[i] - 1)
			return spans[i];
	return 1;
}

/* A fact that somebody typed may still be text. */
static int64_t instant_of(const struct value *v)
{
	struct err err = ERR_INIT;
	int64_t ms;

	if (!value_text(v))
		return value_int_or(v, 0);
	return when_parse(value_text(v), &ms, NULL, &err) < 0 ? 0 : ms;
}

/* What was typed as a whole minute or a whole day may have been its last moment; but nothing later than now. */
static int64_t latest_of(int64_t typed, int64_t now_ms)
{
	int64_t span = typed % WHEN_DAY == 0    ? WHEN_DAY :
		       typed % WHEN_MINUTE == 0 ? WHEN_MINUTE :
						  WHEN_SECOND;

	return MIN_OF(typed + span - 1, MAX_OF(now_ms, typed));
}

static void add_attested(struct uses *u, const struct observation *o)
{
	const struct value *attested = value_get(o->facts, "attested");
	int64_t none_since = value_int_or(value_get(attested, "none_since"), 0);
	int64_t last_used = value_int_or(value_get(attested, "last_used"), 0);
	int64_t oauth =
		o->known == KNOWN_ATTESTED ? instant_of(value_get(o->facts, "oauth_last_used")) : 0;
	int64_t asked = value_int_or(value_get(attested, "asked_at"), 0), span;

	if (asked > 0 && last_used > 0) {
		u->asked_ms = asked;
		u->attested_floor_ms = last_used - span_left_open(attested, last_used) + 1;
		/* Nobody can read a use that is still to come: a day's end counts until the moment of reading. */
		u->attested_ms = MAX_OF(MIN_OF(last_used, asked), u->attested_floor_ms);
	} else if (asked > 0 && none_since > 0) {
		u->asked_ms = asked;
		u->attested_ms = none_since;
		u->attested_floor_ms = 0;
	}
	if (oauth > u->now_ms + WHEN_MINUTE)
		oauth = 0; /* nobody can have read a use that is still to come */
	if (o->known == KNOWN_ATTESTED && value_get(o->facts, "oauth_last_used"))
		u->oauth_asked_ms = o->server_ms;
	if (oauth >
	    0) { /* newer than the restart has to hold for the earliest instant that was meant */
		span = MAX_OF(span_left_open(NULL, oauth), WHEN_MINUTE);
		u->oauth_ms = MAX_OF(u->oauth_ms, oauth - span + 1);
		u->oauth_latest_ms = MAX_OF(u->oauth_latest_ms, latest_of(oauth, u->now_ms));
		u->has_data = true;
	}
}

/* Without a restart in this run: what the app's page shows; else the app's own use, once noted, is as good. */
static void find_restart(const struct gate_view *g, struct uses *u)
{
	const struct {
		int64_t ms;
		const char *what;
	} from[] = {
		{ restart_ms(g->view), "restart" },
		{ view_fact_int(g->view, "app.workflow", "started_at", 0), "workflows started" },
		{ view_mark_ms(g->view, MARK_OWN_USE), "the app's use of OAuth" },
		{ g->opened_ms, "first asked" },
	};

	for (size_t i = 0; i < ARRAY_LEN(from) && u->restart_ms == 0; i++) {
		u->restart_ms = from[i].ms;
		u->restart_what = from[i].what;
	}
}

struct uses uses_read(const struct gate_view *g)
{
	const char *client = value_text(view_want(g->view, "credential.client_id"));
	struct uses u = { .now_ms = g->view->now_ms };

	for (size_t i = 0; i < g->sample_count; i++) {
		const struct observation *o = find(&g->samples[i]);

		u.newest = o;
		u.now_ms = g->samples[i].now_ms;
		if (is_read(o))
			add_read(&u, o->facts);
		if (o)
			add_attested(&u, o);
	}
	u.is_read = is_read(u.newest);
	u.jwt_visible &= u.is_read;
	for (size_t i = 0; i < g->mint_count; i++)
		if (!client || !g->mints[i].client_id || strcmp(client, g->mints[i].client_id) == 0)
			u.own_mint_ms = MAX_OF(u.own_mint_ms, g->mints[i].to_ms);
	find_restart(g, &u);
	return u;
}

int64_t uses_jwt_certain(const struct uses *u)
{
	return MAX_OF(u->jwt_ms, u->attested_floor_ms);
}

int64_t uses_asked_since(const struct gate_view *g)
{
	int64_t noted = view_mark_ms(g->view, MARK_ASKED_SINCE);

	if (restart_ms(g->view))
		return 0;
	return noted && noted < g->opened_ms ? noted : g->opened_ms;
}

int64_t uses_jwt_proved(const struct uses *u)
{
	return MAX_OF(u->jwt_named_ms, u->attested_floor_ms);
}

bool uses_may_be_ours(const struct gate_view *g, int64_t use_ms)
{
	const char *client = value_text(view_want(g->view, "credential.client_id"));

	for (size_t i = 0; i < g->mint_count; i++)
		if ((!client || !g->mints[i].client_id ||
		     strcmp(client, g->mints[i].client_id) == 0) &&
		    use_ms >= g->mints[i].from_ms && use_ms <= g->mints[i].to_ms)
			return true;
	return false;
}

int64_t uses_oauth_of_others(const struct gate_view *g)
{
	int64_t latest = 0;

	for (size_t i = 0; i < g->sample_count; i++) {
		const struct gate_view one = { .view = g->view,
					       .samples = &g->samples[i],
					       .sample_count = 1,
					       .opened_ms = g->opened_ms };
		int64_t use_ms = uses_read(&one).oauth_ms;

		if (use_ms > latest && !uses_may_be_ours(g, use_ms))
			latest = use_ms;
	}
	return latest;
}

const char *uses_other_consumers(const struct gate_view *g, struct arena *a)
{
	const struct value *list = view_want(g->view, "consumers");
	const char *app = value_text_or(view_want(g->view, "app.instance"), ""), *names = NULL;

	for (size_t i = 0; i < value_count(list); i++) {
		const char *name = value_text_or(value_at(list, i), "");

		if (strcmp(name, app) != 0)
			names = names ? arena_printf(a, "%s, %s", names, name) : name;
	}
	return names;
}

void uses_say(struct says *ret, enum verdict verdict, const char *fmt, ...)
{
	va_list ap;

	ret->verdict = verdict;
	va_start(ap, fmt);
	(void)vsnprintf(ret->why, sizeof(ret->why), fmt, ap);
	va_end(ap);
}

void uses_saw(struct says *ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(ret->saw, sizeof(ret->saw), fmt, ap);
	va_end(ap);
}

bool uses_skewed(const struct gate_view *g, struct says *ret)
{
	char skew[WHEN_TEXT_MAX];

	if (g->skew_ms <= USES_SKEW_MAX)
		return false;
	uses_say(ret, VERDICT_INCONCLUSIVE,
		 "the clocks of the systems differ by %s, more than 5m: times cannot be compared",
		 when_span_text(skew, g->skew_ms));
	return true;
}

bool uses_failed(const struct uses *u, struct says *ret)
{
	if (u->newest && u->newest->known != KNOWN_FAILED && u->newest->known != KNOWN_NOT)
		return false;
	uses_say(ret, VERDICT_INCONCLUSIVE, "the usages could not be read: %s",
		 u->newest && u->newest->why ? u->newest->why : "nobody has looked");
	return true;
}

void uses_ask(struct says *ret, const struct uses *u, int64_t earliest_ms, const char *what)
{
	char until[WHEN_TEXT_MAX];

	if (u->now_ms < earliest_ms) {
		ret->until_ms = earliest_ms;
		uses_say(ret, VERDICT_WAIT,
			 "an operator will be asked %s at %s: no earlier reading could pass", what,
			 when_text(until, earliest_ms));
		return;
	}
	ret->ask = true;
	ret->ask_thing = "console.usage";
	uses_say(ret, VERDICT_WAIT, "an operator has to read from the migration card %s", what);
}
