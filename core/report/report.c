/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c - the words that all formats share.
 */
#include "core/report/report.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/when.h"
#include "core/report/lines.h"

const char *report_state_name(enum report_state s)
{
	switch (s) {
	case STATE_PLANNED:
		return "planned";
	case STATE_LATER:
		return "not begun";
	case STATE_UNDER_WAY:
		return "under way";
	case STATE_WAITS:
		return "waits";
	case STATE_ASKS:
		return "needs a person";
	case STATE_DONE:
		return "done";
	case STATE_INCONCLUSIVE:
		return "inconclusive";
	case STATE_FAILED:
		return "failed";
	}
	return "?";
}

const char *report_actor(const char *executor)
{
	return strcmp(executor, "operator") == 0 ? "a person" :
	       strcmp(executor, "bridge") == 0   ? "the bridge" :
	       strcmp(executor, "api") == 0      ? "the API" :
	       strcmp(executor, "none") == 0     ? "only looks" :
						   executor;
}

const char *report_undo_words(const struct report_step *s)
{
	return strcmp(s->undo_kind, "nothing") == 0 ? "not needed" :
	       strcmp(s->undo_kind, "never") == 0   ? "cannot be undone" :
	       strcmp(s->undo_kind, "gone") == 0    ? "not undoable" :
	       strcmp(s->undo_kind, "person") == 0  ? "only by a person" :
						      "by another step";
}

bool report_is_blocked(const struct report_run *run)
{
	return run->refused || run->unread || run->to_attest;
}

const char *report_outlook_words(const struct report_env *e)
{
	return strcmp(e->outlook, "changes") == 0    ? "to be changed" :
	       strcmp(e->outlook, "nothing") == 0    ? "nothing to do" :
	       strcmp(e->outlook, "refused") == 0    ? "refused" :
	       strcmp(e->outlook, "left-alone") == 0 ? "left alone" :
	       strcmp(e->outlook, "failed") == 0     ? "could not be read" :
	       strcmp(e->outlook, "attest") == 0     ? "needs facts from a person" :
						       "unknown";
}

static void count_of(struct sb *out, size_t n, const char *one, const char *many)
{
	sb_addf(out, "%zu %s", n, n == 1 ? one : many);
}

static void blocked_words(const struct report_run *run, struct sb *out)
{
	const size_t stuck[] = { run->refused, run->unread, run->to_attest };
	static const char *const words[] = { " refused", " not readable",
					     " waiting for a person's facts" };
	size_t any = 0;

	sb_add(out, "Nothing can be carried out yet: ");
	for (size_t i = 0; i < ARRAY_LEN(stuck); i++)
		if (stuck[i]) {
			sb_add(out, any++ ? ", " : "");
			count_of(out, stuck[i], "environment", "environments");
			sb_add(out, words[i]);
		}
	sb_addc(out, '.');
}

static void planned_words(const struct report_run *run, struct sb *out)
{
	if (report_is_blocked(run)) {
		blocked_words(run, out);
		return;
	}
	if (!run->step_count) {
		sb_add(out, "Nothing to do.");
		return;
	}
	count_of(out, run->step_count, "step", "steps");
	sb_addf(out, ", %zu by a person, ", run->by_person);
	if (run->irreversible)
		sb_addf(out, "%zu that cannot be undone; ", run->irreversible);
	else
		sb_add(out, "none beyond undoing; ");
	sb_add(out, "done at the earliest ");
	text_add_span(out, run->finish_ms);
	sb_add(out, " after the start.");
}

static void journal_words(const struct report_run *run, struct sb *out)
{
	size_t asks = 0, waits = 0;

	for (size_t i = 0; i < run->step_count; i++) {
		asks += run->steps[i].state == STATE_ASKS;
		waits += run->steps[i].state == STATE_WAITS;
	}
	sb_addf(out, "%zu of ", run->done);
	count_of(out, run->step_count, "step", "steps");
	sb_add(out, " done");
	if (run->failed)
		sb_addf(out, ", %zu failed", run->failed);
	if (*run->ended)
		sb_addf(out, "; the run is %s", run->ended);
	else if (asks)
		sb_addf(out, "; %zu waiting for a person", asks);
	else if (waits)
		sb_addf(out, "; %zu waiting for a gate", waits);
	else if (!run->failed)
		sb_add(out, "; the run is open");
	sb_addc(out, '.');
}

void report_headline(const struct report *r, const struct report_run *run, struct sb *out)
{
	if (r->source == REPORT_JOURNAL)
		journal_words(run, out);
	else
		planned_words(run, out);
}

static bool is_common(const char *name)
{
	static const char *const common[] = { "cadence", "min_samples", "passes", "deadline",
					      "on_expire" };

	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (strcmp(common[i], name) == 0)
			return true;
	return false;
}

/* Thresholds come without their kinds: whole minutes are spans, anything else is a number. */
static void add_limit(struct sb *out, const char *name, const struct value *v)
{
	text_add(out, name, CUT_NAME);
	sb_addc(out, ' ');
	if (v->kind == VAL_INT && v->u.i >= WHEN_MINUTE && v->u.i % WHEN_MINUTE == 0)
		text_add_span(out, v->u.i);
	else
		text_add_value(out, v, CUT_NAME);
}

void report_limits(const struct report_gate *g, struct sb *out)
{
	const struct value *limits = g->limits, *deadline = value_get(limits, "deadline");
	int64_t looks = value_int_or(value_get(limits, "min_samples"), 1);
	int64_t passes = value_int_or(value_get(limits, "passes"), 1);
	const char *on_expire = value_text_or(value_get(limits, "on_expire"), "");
	size_t start = out->len;

	for (size_t i = 0; limits && limits->kind == VAL_MAP && i < value_count(limits); i++)
		if (!is_common(value_key_at(limits, i))) {
			sb_add(out, out->len > start ? ", " : "");
			add_limit(out, value_key_at(limits, i), value_at(limits, i));
		}
	if (looks > 1)
		sb_addf(out, "%sat least %" PRId64 " looks", out->len > start ? "; " : "", looks);
	if (passes > 1)
		sb_addf(out, "%s%" PRId64 " in a row", out->len > start ? "; " : "", passes);
	if (!deadline || deadline->kind != VAL_INT)
		return;
	sb_add(out, out->len > start ? "; " : "");
	sb_add(out, strcmp(on_expire, "wait") == 0 ? "waits on after " : "fails after ");
	text_add_span(out, deadline->u.i);
}
