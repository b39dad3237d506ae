/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/status.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/when.h"

#define HANG 12u
#define SOON (2 * WHEN_MINUTE)

static const char *text_of(const struct value *map, const char *key)
{
	return value_text_or(value_get(map, key), "");
}

static int64_t instant_of(const char *text)
{
	struct err err = ERR_INIT;
	int64_t ms;

	return when_parse(text, &ms, NULL, &err) < 0 ? 0 : ms;
}

/* ---- the document ---- */

static bool has_text(const struct value *list, const char *text)
{
	for (size_t i = 0; i < value_count(list); i++)
		if (strcmp(value_text_or(value_at(list, i), ""), text) == 0)
			return true;
	return false;
}

static const struct past_run *latest_run(const struct history *h, const char *env)
{
	const struct past_run *open = history_open_run(h, env);

	for (size_t i = h->run_count; !open && i-- > 0;)
		if (history_holds(&h->runs[i], env))
			return &h->runs[i];
	return open;
}

/* Looks, and makes nothing: a reading command must not grow the history. */
static const struct past_step *past_of(const struct past_run *r, const char *address)
{
	const struct value *at = value_get(r->step_index, address);

	return at ? &r->steps[at->u.i] : NULL;
}

enum standing {
	STANDS_DONE,
	STANDS_BLOCKED,
	STANDS_NEXT,
	STANDS_UNDER_WAY,
	STANDS_ASKING,
	STANDS_FAILED
};

static enum standing standing_of(const struct past_run *r, const struct value *step)
{
	const struct past_step *s = past_of(r, text_of(step, "address"));
	const struct value *needs = value_get(step, "needs");

	if (s && s->is_done)
		return STANDS_DONE;
	if (s && s->has_failed)
		return STANDS_FAILED;
	if (s && s->is_asked && !s->ack)
		return STANDS_ASKING;
	if (s && (s->has_intent || s->has_acted || s->is_asked || s->gate_count))
		return STANDS_UNDER_WAY;
	for (size_t i = 0; i < value_count(needs); i++) {
		const struct past_step *n = past_of(r, value_text_or(value_at(needs, i), ""));

		if (!n || !n->is_done)
			return STANDS_BLOCKED;
	}
	return STANDS_NEXT;
}

/* A step of several environments is sampled for each; the other one's word counts too, when it came later. */
static const struct past_gate *last_sampled(const struct past_step *s)
{
	const struct past_gate *last = NULL;

	for (size_t i = 0; s && i < s->gate_count; i++)
		if (s->gates[i].count && (!last || s->gates[i].last_n >= last->last_n))
			last = &s->gates[i];
	return last;
}

/* ---- whose time it is ---- */

/*
 * The servers' time at local time now_ms: what they said last, in the suspension or in the last sample before a kill, and what has passed here
 * since. A clock that was set back has seen nothing pass. 0: no record tells.
 */
static int64_t server_now(const struct past_run *r, int64_t now_ms)
{
	int64_t server = instant_of(text_of(r->suspended, "now")),
		at = instant_of(text_of(r->suspended, "at")), newest = -1;

	for (size_t i = 0; !r->suspended && i < r->step_count; i++) {
		const struct past_gate *g = last_sampled(&r->steps[i]);

		if (!g || g->last_n <= newest)
			continue;
		newest = g->last_n;
		server = g->last_ms;
		at = g->last_at_ms;
	}
	return server && at ? server + MAX_OF(now_ms - at, (int64_t)0) : 0;
}

/* Since when this is waited for, in the servers' time: the question, or the gate's first look. 0: not known. */
static int64_t waits_since(const struct past_step *s, const struct past_gate *g)
{
	if (s && s->is_asked && !s->ack)
		return s->asked_ms;
	return g ? g->opened_ms : 0;
}

static const struct value *gate_doc(struct arena *a, const struct past_gate *g)
{
	struct value *m = value_map(a);

	value_set(a, m, "gate", value_string(a, g->gate));
	value_set(a, m, "verdict", value_string(a, g->verdict));
	value_set(a, m, "saw", g->saw ? value_string(a, g->saw) : NULL);
	value_set(a, m, "why", g->why ? value_string(a, g->why) : NULL);
	if (g->last_ms)
		value_set(a, m, "at", value_instant(a, g->last_ms));
	return m;
}

static const char *ack_command(struct arena *a, const struct past_step *s)
{
	CLEANUP(sb_done) struct sb cmd = SB_INIT(SB_TEXT_MAX);

	sb_add(&cmd, "s2sctl ack ");
	text_add_word(&cmd, s->address);
	sb_add(&cmd, " --by NAME");
	if (!s->is_act)
		sb_add(&cmd, s->wants_last_use ? " --last-used TIME" : " --fact NAME=...");
	return arena_strdup(a, cmd.buf);
}

static void put_waiting(struct arena *a, struct value *m, const struct past_run *r,
			const struct value *step)
{
	const char *address = text_of(step, "address");
	const struct past_step *s = past_of(r, address);
	const struct value *wait = value_get(value_get(r->suspended, "waits"), address);
	const struct past_gate *g = last_sampled(s);

	value_set(a, m, "step", value_string(a, address));
	if (s && s->has_failed) {
		value_set(a, m, "failure", value_string(a, s->failure));
		return;
	}
	if (wait)
		value_set(a, m, "waits_for", value_get(wait, "for"));
	else if (g)
		value_set(a, m, "waits_for",
			  value_stringf(a, "%s: %s", g->gate,
					g->why && *g->why ? g->why : "sampling"));
	else if (s && s->is_asked && !s->ack)
		value_set(a, m, "waits_for", value_string(a, "a person"));
	if (waits_since(s, g))
		value_set(a, m, "waits_since", value_instant(a, waits_since(s, g)));
	if (!value_is_null(value_get(wait, "until")))
		value_set(a, m, "until", value_get(wait, "until"));
	else if (!wait && g && g->until_ms)
		value_set(a, m, "until", value_instant(a, g->until_ms));
	if (s && s->is_asked && !s->ack && !s->is_done)
		value_set(a, m, "asked", value_string(a, ack_command(a, s)));
	/* The engine's words hold the command, which stands beside them here. */
	if (value_get(m, "asked") && strncmp(text_of(m, "waits_for"), "a person:", 9) == 0)
		value_set(a, m, "waits_for", value_string(a, "a person"));
	if (g)
		value_set(a, m, "last_gate", gate_doc(a, g));
}

static void put_open(struct arena *a, struct value *m, const struct past_run *r,
		     const struct value *const *steps, size_t count)
{
	struct value *also = value_list(a);
	enum standing best = STANDS_BLOCKED;
	size_t at = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		enum standing now = standing_of(r, steps[i]);

		if (now > best) {
			best = now;
			at = i;
		}
	}
	if (at == SIZE_MAX)
		return;
	value_set(a, m, "phase", value_get(steps[at], "phase"));
	put_waiting(a, m, r, steps[at]);
	for (size_t i = 0; i < count; i++) {
		struct value *other;

		if (i == at || standing_of(r, steps[i]) < STANDS_UNDER_WAY)
			continue;
		other = value_map(a);
		put_waiting(a, other, r, steps[i]);
		value_list_add(a, also, other);
	}
	if (value_count(also))
		value_set(a, m, "also", also);
}

static struct value *env_doc(struct arena *a, const struct history *h, const char *name,
			     int64_t now_ms)
{
	const struct past_run *r = latest_run(h, name);
	const struct value *all = r ? value_get(r->plan, "steps") : NULL;
	const struct value **steps = arena_array(a, value_count(all) + 1, sizeof(*steps));
	struct value *m = value_map(a);
	size_t count = 0, done = 0;

	value_set(a, m, "name", value_string(a, name));
	value_set(a, m, "state",
		  value_string(a, !r                                           ? "no run" :
				  history_has_left(r, name)                    ? "left" :
				  r->is_open                                   ? "open" :
				  r->ended && strcmp(r->ended, "receipt") == 0 ? "finished" :
										 "abandoned"));
	if (!r)
		return m;
	if (r->is_back)
		value_set(a, m, "direction", value_string(a, "back"));
	for (size_t i = 0; i < value_count(all); i++)
		if (has_text(value_get(value_at(all, i), "environments"), name)) {
			steps[count++] = value_at(all, i);
			done += standing_of(r, value_at(all, i)) == STANDS_DONE;
		}
	value_set(a, m, "since", value_string(a, r->started_at));
	value_set(a, m, "steps_done", value_int(a, (int64_t)done));
	value_set(a, m, "steps_total", value_int(a, (int64_t)count));
	if (!r->is_open || history_has_left(r, name))
		return m;
	if (server_now(r, now_ms))
		value_set(a, m, "server_now", value_instant(a, server_now(r, now_ms)));
	put_open(a, m, r, steps, count);
	return m;
}

struct value *report_status_doc(struct arena *a, const struct history *h,
				const char *const *env_names, int64_t now_ms)
{
	struct value *doc = value_map(a), *list = value_list(a);

	for (; env_names && *env_names; env_names++)
		value_list_add(a, list, env_doc(a, h, *env_names, now_ms));
	value_set(a, doc, "now", value_instant(a, now_ms));
	value_set(a, doc, "environments", list);
	return doc;
}

/* ---- and as text ---- */

/* " (in 3h10m)", " (2h ago)": whole minutes, as far as it is known. */
static void add_distance(struct sb *out, const char *then, const char *now)
{
	int64_t a = instant_of(then), b = instant_of(now), span;

	if (!a || !b)
		return;
	span = a > b ? a - b : b - a;
	if (span > SOON)
		span -= span % WHEN_MINUTE;
	else
		span -= span % WHEN_SECOND;
	sb_add(out, a > b ? " (in " : " (");
	text_add_span(out, span);
	sb_add(out, a > b ? ")" : " ago)");
}

/* Of what has happened. An instant ahead of now says that a clock was set back: then the distance means nothing. */
static void add_age(struct sb *out, const char *then, const char *now)
{
	if (instant_of(then) <= instant_of(now))
		add_distance(out, then, now);
}

static void put(struct sb *out, const struct report_style *st, const char *label, enum ink ink,
		bool is_command, const char *text)
{
	para_add(out, st,
		 &(struct para){ .indent = 2,
				 .hang = HANG,
				 .head = label,
				 .head_ink = INK_DIM,
				 .ink = ink,
				 .is_command = is_command },
		 text);
}

static enum ink head_words(const struct value *env, const char *now, struct sb *text)
{
	const char *state = text_of(env, "state");
	int64_t total = value_int_or(value_get(env, "steps_total"), 0);

	text_add(text, state, CUT_NAME);
	if (*text_of(env, "direction"))
		sb_add(text, " way back");
	if (strcmp(state, "no run") == 0)
		return INK_DIM;
	if (*text_of(env, "since")) {
		sb_add(text, strcmp(state, "open") == 0 ? " since " : ", begun ");
		text_add(text, text_of(env, "since"), CUT_NAME);
		add_age(text, text_of(env, "since"), now);
	}
	sb_addf(text, ", %" PRId64 " of %" PRId64 " steps done",
		value_int_or(value_get(env, "steps_done"), 0), total);
	if (*text_of(env, "phase")) {
		sb_add(text, ", phase ");
		text_add(text, text_of(env, "phase"), CUT_NAME);
	}
	if (*text_of(env, "failure"))
		return INK_ALARM;
	return strcmp(state, "finished") == 0 ? INK_GREEN : INK_YELLOW;
}

static void put_until(struct sb *out, const struct report_style *st, const char *until,
		      const char *now)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	int64_t then = instant_of(until), is = instant_of(now);

	text_add(&text, until, CUT_NAME);
	add_distance(&text, until, now);
	if (then && is && then <= is)
		sb_add(&text, "; run apply again");
	put(out, st, "until", then && is && then <= is ? INK_GREEN : INK_PLAIN, false, text.buf);
}

/* What is under way is counted from the servers' instants by the servers' time. */
static void put_since(struct sb *out, const struct report_style *st, const char *since,
		      const char *server_now)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	text_add(&text, since, CUT_NAME);
	add_age(&text, since, server_now);
	put(out, st, "since", INK_PLAIN, false, text.buf);
}

static void put_gate(struct sb *out, const struct report_style *st, const struct value *g,
		     const char *server_now)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	text_add(&text, text_of(g, "gate"), CUT_NAME);
	sb_add(&text, ": ");
	text_add(&text, text_of(g, "verdict"), CUT_NAME);
	if (*text_of(g, "at")) {
		sb_add(&text, " at ");
		text_add(&text, text_of(g, "at"), CUT_NAME);
		add_age(&text, text_of(g, "at"), server_now);
	}
	if (*text_of(g, "saw")) {
		sb_add(&text, "; saw: ");
		text_add(&text, text_of(g, "saw"), CUT_TEXT);
	}
	if (*text_of(g, "why")) {
		sb_add(&text, "; ");
		text_add(&text, text_of(g, "why"), CUT_TEXT);
	}
	put(out, st, "last look", INK_PLAIN, false, text.buf);
}

static void put_step(struct sb *out, const struct report_style *st, const struct value *m,
		     const char *server_now)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	if (!*text_of(m, "step"))
		return;
	text_add(&text, text_of(m, "step"), CUT_VALUE);
	put(out, st, "step", INK_BOLD, false, text.buf);
	if (*text_of(m, "failure")) {
		sb_reset(&text);
		text_add(&text, text_of(m, "failure"), CUT_TEXT);
		put(out, st, "failed", INK_ALARM, false, text.buf);
	}
	if (*text_of(m, "waits_for")) {
		sb_reset(&text);
		text_add(&text, text_of(m, "waits_for"), CUT_TEXT);
		put(out, st, "waits for", INK_PLAIN, false, text.buf);
	}
	if (*text_of(m, "waits_since"))
		put_since(out, st, text_of(m, "waits_since"), server_now);
	if (*text_of(m, "until"))
		put_until(out, st, text_of(m, "until"), server_now);
	if (value_get(m, "last_gate"))
		put_gate(out, st, value_get(m, "last_gate"), server_now);
	if (*text_of(m, "asked"))
		put(out, st, "answer", INK_BOLD, true, text_of(m, "asked"));
}

void report_status_text(const struct value *status_doc, const struct report_style *style,
			struct sb *out)
{
	const struct value *list = value_get(status_doc, "environments");
	const char *now = text_of(status_doc, "now");

	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *env = value_at(list, i), *also = value_get(env, "also");
		CLEANUP(sb_done) struct sb name = SB_INIT(SB_TEXT_MAX);
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
		const char *server_now = text_of(env, "server_now");
		enum ink ink;

		text_add(&name, text_of(env, "name"), CUT_NAME);
		sb_addc(&name, ':');
		ink = head_words(env, now, &text);
		para_add(out, style,
			 &(struct para){
				 .hang = 4, .head = name.buf, .head_ink = INK_BOLD, .ink = ink },
			 text.buf);
		put_step(out, style, env, server_now);
		for (size_t k = 0; k < value_count(also); k++)
			put_step(out, style, value_at(also, k), server_now);
	}
}
