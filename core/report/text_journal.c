/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/text_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"

#define WORDS 12u /* column where the story begins, after the time */

/* A gate's looks with the same verdict in a row. */
struct streak {
	const char *verdict;
	size_t looks;
};
struct story {
	struct sb *out;
	const struct report_style *st;
	struct arena arena;
	const struct value *records;
	bool *is_last;         /* per record: the last look of its streak */
	struct value *never;   /* "run step" -> true: steps of the plans that cannot be undone */
	struct value *crossed; /* "run environment" -> true: where the line has been drawn */
	struct value *open;    /* "run step environment gate" -> index of its streak */
	struct streak *streaks;
	size_t count, cap;
	char day[WHEN_TEXT_MAX];
};

static const char *text_of(const struct value *map, const char *key)
{
	return value_text_or(value_get(map, key), "");
}

static bool is_type(const struct value *rec, const char *type)
{
	return strcmp(text_of(rec, "type"), type) == 0;
}

static void add_instant(struct sb *out, const struct value *ms)
{
	char buf[WHEN_TEXT_MAX];

	sb_add(out, when_text(buf, value_int_or(ms, 0)));
}

/* ---- which looks are told ---- */

static const char *streak_key(struct story *s, const struct value *rec)
{
	return arena_printf(&s->arena, "%s %s %s %s", text_of(rec, "run"), text_of(rec, "step"),
			    text_of(rec, "environment"), text_of(rec, "gate"));
}

static void find_last_looks(struct story *s)
{
	struct value *next =
		value_map(&s->arena); /* what the following look of the same gate said */

	s->is_last = arena_array(&s->arena, value_count(s->records) + 1, sizeof(*s->is_last));
	for (size_t i = value_count(s->records); i-- > 0;) {
		const struct value *rec = value_at(s->records, i);
		const char *key, *verdict = text_of(rec, "verdict");
		const char *after;

		if (!is_type(rec, "sample"))
			continue;
		key = streak_key(s, rec);
		after = value_text(value_get(next, key));
		s->is_last[i] = !after || strcmp(after, verdict) != 0;
		value_set(&s->arena, next, key, value_string(&s->arena, verdict));
	}
}

static struct streak *streak_of(struct story *s, const struct value *rec)
{
	const char *key = streak_key(s, rec);
	const struct value *at = value_get(s->open, key);

	if (at)
		return &s->streaks[at->u.i];
	s->streaks = arena_grow(&s->arena, s->streaks, s->count, &s->cap, sizeof(*s->streaks));
	value_set(&s->arena, s->open, key, value_int(&s->arena, (int64_t)s->count));
	s->streaks[s->count] = (struct streak){ .verdict = "" };
	return &s->streaks[s->count++];
}

/* ---- lines ---- */

/* The day once as a heading, the time before each record. */
static void put_line(struct story *s, const struct value *rec, enum ink ink, const char *text)
{
	char at[WHEN_TEXT_MAX], head[WHEN_TEXT_MAX];
	const char *raw = text_of(rec, "at");
	struct err err = ERR_INIT;
	int64_t ms;

	if (when_parse(raw, &ms, NULL, &err) < 0 || ms <= 0) {
		CLEANUP(sb_done) struct sb whole = SB_INIT(WHEN_TEXT_MAX - 1);

		text_add(&whole, *raw ? raw : "(no time)", 20);
		(void)snprintf(head, sizeof(head), "%s", whole.buf);
	} else {
		when_text(at, ms - ms % WHEN_SECOND);
		if (strncmp(at, s->day, 10) != 0) {
			(void)snprintf(s->day, sizeof(s->day), "%.10s", at);
			sb_add(s->out, s->out->len ? "\n" : "");
			ink_add(s->out, s->st, INK_BOLD, s->day);
			ink_add(s->out, s->st, INK_DIM, " (UTC)");
			sb_addc(s->out, '\n');
		}
		(void)snprintf(head, sizeof(head), "%.8s", at + 11);
	}
	para_add(s->out, s->st,
		 &(struct para){ .indent = 2,
				 .hang = WORDS,
				 .head = head,
				 .head_ink = INK_DIM,
				 .ink = ink },
		 text);
}

static void put_more(struct story *s, enum ink ink, const char *text)
{
	para_add(s->out, s->st,
		 &(struct para){ .indent = WORDS + 2, .hang = WORDS + 4, .ink = ink }, text);
}

static void start_words(struct sb *text, const struct value *rec)
{
	if (!*text_of(rec, "step"))
		return;
	text_add(text, text_of(rec, "step"), CUT_VALUE);
	sb_add(text, ": ");
}

/* ---- the point of no return ---- */

static void note_never(struct story *s, const struct value *rec)
{
	const struct value *steps = value_path(rec, "plan.steps");

	for (size_t i = 0; i < value_count(steps); i++) {
		const struct value *step = value_at(steps, i);

		if (strcmp(value_text_or(value_path(step, "undo.kind"), ""), "never") == 0)
			value_set(&s->arena, s->never,
				  arena_printf(&s->arena, "%s %s", text_of(rec, "run"),
					       text_of(step, "address")),
				  value_bool(&s->arena, true));
	}
}

/* Drawn before the first act that cannot be undone, for each of its environments once. */
static void draw_never(struct story *s, const struct value *rec)
{
	const struct value *envs = value_get(rec, "environments");
	CLEANUP(sb_done) struct sb words = SB_INIT(SB_TEXT_MAX);

	if (!value_get(s->never,
		       arena_printf(&s->arena, "%s %s", text_of(rec, "run"), text_of(rec, "step"))))
		return;
	for (size_t i = 0; i < value_count(envs); i++) {
		const char *name = value_text_or(value_at(envs, i), "");
		const char *key = arena_printf(&s->arena, "%s %s", text_of(rec, "run"), name);

		if (value_get(s->crossed, key))
			continue;
		value_set(&s->arena, s->crossed, key, value_bool(&s->arena, true));
		sb_add(&words, words.len ? ", " : "point of no return: ");
		text_add(&words, name, CUT_NAME);
	}
	if (words.len)
		rule_add(s->out, s->st, INK_ALARM, true, words.buf);
}

/* ---- what each kind of record tells ---- */

static void tell_run(struct story *s, const struct value *rec, struct sb *text)
{
	const struct value *plan = value_get(rec, "plan"), *envs = value_get(plan, "environments");
	size_t steps = value_count(value_get(plan, "steps"));

	note_never(s, rec);
	sb_add(text, "run ");
	text_add(text, text_of(rec, "run"), CUT_NAME);
	if (strcmp(text_of(plan, "direction"), "back") == 0)
		sb_add(text, ", a way back,");
	sb_addf(text, " began: %zu step%s for ", steps, steps == 1 ? "" : "s");
	for (size_t i = 0; i < value_count(envs); i++) {
		sb_add(text, i ? ", " : "");
		text_add(text, text_of(value_at(envs, i), "name"), CUT_NAME);
	}
	if (*text_of(plan, "rollout")) {
		sb_add(text, ", from ");
		text_add(text, text_of(plan, "rollout"), CUT_VALUE);
	}
	put_line(s, rec, INK_BOLD, text->buf);
}

static const char *actor(const char *executor)
{
	return strcmp(executor, "operator") == 0 ? "a person" :
	       strcmp(executor, "api") == 0      ? "the API" :
	       strcmp(executor, "bridge") == 0   ? "the bridge" :
						   executor;
}

static void tell_intent(struct story *s, const struct value *rec, struct sb *text)
{
	draw_never(s, rec);
	start_words(text, rec);
	sb_add(text, "about to act, through ");
	text_add(text, actor(text_of(rec, "executor")), CUT_NAME);
	put_line(s, rec, INK_PLAIN, text->buf);
}

static void tell_outcome(struct story *s, const struct value *rec, struct sb *text)
{
	bool ok = value_bool_or(value_get(rec, "ok"), false);

	start_words(text, rec);
	sb_add(text, ok ? "carried out: " : "not carried out: ");
	text_add(text, actor(text_of(rec, "how")), CUT_TEXT);
	if (*text_of(rec, "by")) {
		sb_add(text, " (");
		text_add(text, text_of(rec, "by"), CUT_NAME);
		sb_addc(text, ')');
	}
	put_line(s, rec, ok ? INK_PLAIN : INK_RED, text->buf);
}

static void tell_lost(struct story *s, const struct value *rec, struct sb *text)
{
	start_words(text, rec);
	sb_add(text, "the reply was lost, whether it was done is not known: ");
	text_add(text, text_of(rec, "why"), CUT_TEXT);
	put_line(s, rec, INK_YELLOW, text->buf);
}

static void tell_ask(struct story *s, const struct value *rec, struct sb *text)
{
	if (value_bool_or(value_get(rec, "is_act"), false))
		draw_never(s, rec);
	start_words(text, rec);
	if (value_bool_or(value_get(rec, "is_act"), false)) {
		sb_add(text, "a person was asked to do it");
	} else {
		sb_add(text, value_bool_or(value_get(rec, "wants_last_use"), false) ?
				     "a person was asked for the last use" :
				     "a person was asked for facts");
		if (*text_of(rec, "thing")) {
			sb_add(text, " of ");
			text_add(text, text_of(rec, "thing"), CUT_NAME);
		}
	}
	put_line(s, rec, INK_YELLOW, text->buf);
}

static void tell_ack(struct story *s, const struct value *rec, struct sb *text)
{
	const struct value *facts = value_get(rec, "facts"), *attested = value_get(rec, "attested");
	const struct value *used = value_get(attested, "last_used"),
			   *none = value_get(attested, "none_since");
	bool any = false;

	start_words(text, rec);
	text_add(text, value_text_or(value_get(rec, "by"), "somebody"), CUT_NAME);
	if (*text_of(rec, "user")) {
		sb_add(text, " (");
		text_add(text, text_of(rec, "user"), CUT_NAME);
		sb_add(text, *text_of(rec, "host") ? "@" : "");
		text_add(text, text_of(rec, "host"), CUT_NAME);
		sb_addc(text, ')');
	}
	sb_add(text, " attested ");
	if (value_count(facts)) {
		text_add_value(text, facts, CUT_TEXT);
		any = true;
	}
	if (value_int_or(used, 0)) {
		sb_add(text, any ? ", " : "");
		sb_add(text, "last used at the latest ");
		add_instant(text, used);
		any = true;
	}
	if (value_int_or(none, 0)) {
		sb_add(text, any ? ", " : "");
		sb_add(text, "no use since ");
		add_instant(text, none);
		any = true;
	}
	if (!any)
		sb_add(text, "that it is done");
	if (value_int_or(value_get(rec, "at_ms"), 0)) {
		sb_add(text, " at ");
		add_instant(text, value_get(rec, "at_ms"));
	}
	put_line(s, rec, INK_CYAN, text->buf);
	if (*text_of(rec, "note")) {
		sb_reset(text);
		sb_add(text, "note: ");
		text_add(text, text_of(rec, "note"), CUT_TEXT);
		put_more(s, INK_PLAIN, text->buf);
	}
}

static enum ink verdict_ink(const char *verdict)
{
	return strcmp(verdict, "pass") == 0 ? INK_GREEN :
	       strcmp(verdict, "fail") == 0 ? INK_ALARM :
	       strcmp(verdict, "wait") == 0 ? INK_PLAIN :
					      INK_YELLOW;
}

static void put_evidence(struct story *s, const struct value *rec, struct sb *text)
{
	sb_reset(text);
	if (*text_of(rec, "saw")) {
		sb_add(text, "saw: ");
		text_add(text, text_of(rec, "saw"), CUT_TEXT);
	}
	if (*text_of(rec, "why")) {
		sb_add(text, text->len ? "; " : "");
		text_add(text, text_of(rec, "why"), CUT_TEXT);
	}
	if (text->len)
		put_more(s, INK_PLAIN, text->buf);
}

static void tell_sample(struct story *s, const struct value *rec, bool is_last, struct sb *text)
{
	struct streak *k = streak_of(s, rec);
	const char *verdict = text_of(rec, "verdict");
	bool is_first = strcmp(k->verdict, verdict) != 0;

	if (is_first)
		*k = (struct streak){ .verdict = verdict };
	k->looks++;
	if (!is_first && !is_last && !s->st->verbose)
		return;
	start_words(text, rec);
	text_add(text, text_of(rec, "gate"), CUT_NAME);
	sb_add(text, " in ");
	text_add(text, text_of(rec, "environment"), CUT_NAME);
	sb_add(text, ": ");
	text_add(text, verdict, CUT_NAME);
	if (*text_of(rec, "until")) {
		sb_add(text, " until ");
		text_add(text, text_of(rec, "until"), CUT_NAME);
	}
	if (!is_first)
		sb_addf(text, ", look %zu", k->looks);
	put_line(s, rec, verdict_ink(verdict), text->buf);
	put_evidence(s, rec, text);
}

static void tell_step(struct story *s, const struct value *rec, struct sb *text)
{
	const char *result = text_of(rec, "result");

	start_words(text, rec);
	sb_add(text, strcmp(result, "done") == 0 ?
			     "done" :
		     strcmp(result, "already") == 0 ?
			     "done, was so already" :
		     strcmp(result, "inconclusive") == 0 ?
			     "over without an answer; reported, and no reason to stop" :
			     result);
	put_line(s, rec, strcmp(result, "inconclusive") == 0 ? INK_YELLOW : INK_GREEN, text->buf);
}

static void tell_failed(struct story *s, const struct value *rec, struct sb *text)
{
	start_words(text, rec);
	sb_add(text, "FAILED: ");
	text_add(text, text_of(rec, "why"), CUT_TEXT);
	put_line(s, rec, INK_ALARM, text->buf);
}

static void tell_mint(struct story *s, const struct value *rec, struct sb *text)
{
	bool is_over = value_bool_or(value_get(rec, "is_outcome"), false);

	sb_add(text, is_over ? "own token minted for client " :
			       "own token about to be minted for client ");
	text_add(text, text_of(rec, "client"), CUT_NAME);
	if (*text_of(rec, "connection")) {
		sb_add(text, ", connection ");
		text_add(text, text_of(rec, "connection"), CUT_NAME);
	}
	put_line(s, rec, INK_PLAIN, text->buf);
	sb_reset(text);
	sb_add(text, "a use from ");
	add_instant(text, value_get(rec, "from_ms"));
	sb_add(text, " to ");
	add_instant(text, value_get(rec, "to_ms"));
	sb_add(text, " may be ours and proves nothing");
	put_more(s, INK_DIM, text->buf);
}

static void tell_suspend(struct story *s, const struct value *rec, struct sb *text)
{
	const struct value *waits = value_get(rec, "waits");

	sb_add(text, "stopped here");
	if (*text_of(rec, "until")) {
		sb_add(text, "; run apply again from ");
		text_add(text, text_of(rec, "until"), CUT_NAME);
	}
	put_line(s, rec, INK_YELLOW, text->buf);
	for (size_t i = 0; waits && waits->kind == VAL_MAP && i < value_count(waits); i++) {
		const struct value *w = value_at(waits, i);

		sb_reset(text);
		text_add(text, value_key_at(waits, i), CUT_VALUE);
		sb_add(text, " waits for ");
		text_add(text, text_of(w, "for"), CUT_TEXT);
		if (*text_of(w, "until")) {
			sb_add(text, ", until ");
			text_add(text, text_of(w, "until"), CUT_NAME);
		}
		put_more(s, INK_PLAIN, text->buf);
	}
}

static void put_digest(struct story *s, const struct value *rec, const char *word, const char *key,
		       struct sb *text)
{
	if (!*text_of(rec, key))
		return;
	sb_reset(text);
	sb_addf(text, "%s ", word);
	text_add(text, text_of(rec, key), CUT_NAME);
	put_more(s, INK_DIM, text->buf);
}

static void tell_end(struct story *s, const struct value *rec, struct sb *text)
{
	const struct value *steps = value_get(rec, "steps");
	size_t already = 0, open = 0, left = 0;

	sb_add(text, "run ");
	text_add(text, text_of(rec, "run"), CUT_NAME);
	if (is_type(rec, "abandon")) {
		sb_add(text, " was given up");
		put_line(s, rec, INK_ALARM, text->buf);
		return;
	}
	for (size_t i = 0; i < value_count(steps); i++) {
		const char *result = text_of(value_at(steps, i), "result");

		already += strcmp(result, "already") == 0;
		open += strcmp(result, "inconclusive") == 0;
		left += strcmp(result, "left") == 0;
	}
	sb_addf(text, " finished, receipt written: %zu step%s", value_count(steps),
		value_count(steps) == 1 ? "" : "s");
	if (already)
		sb_addf(text, ", %zu so already", already);
	if (open)
		sb_addf(text, ", %zu without an answer", open);
	if (left)
		sb_addf(text, ", %zu not carried out, since an environment had left", left);
	put_line(s, rec, INK_GREEN, text->buf);
	put_digest(s, rec, "rollout", "rollout_digest", text);
	put_digest(s, rec, "plan", "plan_digest", text);
	put_digest(s, rec, "intent", "intent_digest", text);
}

static void add_owner(struct sb *text, const struct value *who)
{
	text_add(text, value_text_or(value_get(who, "user"), "somebody"), CUT_NAME);
	sb_addc(text, '@');
	text_add(text, value_text_or(value_get(who, "host"), "unknown host"), CUT_NAME);
	sb_addf(text, ", pid %" PRId64, value_int_or(value_get(who, "pid"), 0));
}

static void tell_journal(struct story *s, const struct value *rec, struct sb *text)
{
	sb_addf(text, "journal begun, format %" PRId64 ", by s2sctl ",
		value_int_or(value_get(rec, "format"), 0));
	text_add(text, text_of(rec, "tool"), CUT_NAME);
	put_line(s, rec, INK_DIM, text->buf);
}

static void tell_lock(struct story *s, const struct value *rec, struct sb *text)
{
	sb_add(text, "written by ");
	add_owner(text, rec);
	if (*text_of(rec, "tool")) {
		sb_add(text, ", with s2sctl ");
		text_add(text, text_of(rec, "tool"), CUT_NAME);
	}
	put_line(s, rec, INK_DIM, text->buf);
}

static void tell_unlock(struct story *s, const struct value *rec, struct sb *text)
{
	const struct value *left = value_get(rec, "left_by");

	add_owner(text, rec);
	sb_add(text, " took away the lock that was left by ");
	add_owner(text, left);
	if (*text_of(left, "since")) {
		sb_add(text, ", since ");
		text_add(text, text_of(left, "since"), CUT_NAME);
	}
	put_line(s, rec, INK_ALARM, text->buf);
}

static void tell_leave(struct story *s, const struct value *rec, struct sb *text)
{
	text_add_value(text, value_get(rec, "environments"), CUT_TEXT);
	sb_add(text, " left run ");
	text_add(text, text_of(rec, "run"), CUT_NAME);
	sb_add(text, " to go back");
	put_line(s, rec, INK_YELLOW, text->buf);
	if (*text_of(rec, "why")) {
		sb_reset(text);
		sb_add(text, "why: ");
		text_add(text, text_of(rec, "why"), CUT_TEXT);
		put_more(s, INK_PLAIN, text->buf);
	}
}

static void tell_other(struct story *s, const struct value *rec, struct sb *text)
{
	start_words(text, rec);
	if (is_type(rec, "ack-refused")) {
		sb_add(text, "an answer was refused: ");
		text_add(text, text_of(rec, "why"), CUT_TEXT);
	} else {
		sb_add(text, "record of type '");
		text_add(text, text_of(rec, "type"), CUT_NAME);
		sb_addc(text, '\'');
	}
	put_line(s, rec, INK_YELLOW, text->buf);
}

static void tell(struct story *s, const struct value *rec, bool is_last)
{
	static const struct {
		const char *type;
		void (*fn)(struct story *s, const struct value *rec, struct sb *text);
	} kinds[] = {
		{ "run", tell_run },       { "intent", tell_intent }, { "outcome", tell_outcome },
		{ "ask", tell_ask },       { "ack", tell_ack },       { "step", tell_step },
		{ "failed", tell_failed }, { "mint", tell_mint },     { "suspend", tell_suspend },
		{ "abandon", tell_end },   { "receipt", tell_end },   { "journal", tell_journal },
		{ "lock", tell_lock },     { "unlock", tell_unlock }, { "lost", tell_lost },
		{ "leave", tell_leave },
	};
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	if (is_type(rec, "sample")) {
		tell_sample(s, rec, is_last, &text);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (is_type(rec, kinds[i].type)) {
			kinds[i].fn(s, rec, &text);
			return;
		}
	tell_other(s, rec, &text);
}

void report_journal_text(const struct value *records, const struct report_style *style,
			 struct sb *out)
{
	struct story s = { .out = out, .st = style, .arena = ARENA_INIT, .records = records };

	s.open = value_map(&s.arena);
	s.never = value_map(&s.arena);
	s.crossed = value_map(&s.arena);
	find_last_looks(&s);
	if (!value_count(records))
		sb_add(out, "The journal is empty.\n");
	for (size_t i = 0; i < value_count(records); i++)
		tell(&s, value_at(records, i), s.is_last[i]);
	arena_done(&s.arena);
}
