/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_plan.c - head, environments (what they are, what was found, whom to ask, steps by phase), requests, last sentence.
 *
 * A step of several environments stands under the last of them; the others point there.
 */
#include "core/report/text_plan.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/when.h"

#define LABEL 6u /* column of "undo", "gate" ... */
#define BODY 14u /* column of what they say */
#define FINDING 12u
#define RIGHT 30u /* who acts and when */

struct row {
	const struct value *step;
	bool is_elsewhere; /* shared, and printed under a later environment */
};
struct env_rows {
	struct row *rows;
	size_t count, cap;
};
struct printer {
	struct sb *out;
	const struct report_style *st;
	struct arena arena;
	const struct value *doc, *envs, *steps;
	struct value *env_index, *ends; /* name -> index; address -> earliest end */
	struct env_rows *of_env;
	bool drew_never, drew_person; /* in full, anywhere */
	bool env_never, env_person;   /* in this environment */
};

static const char *text_of(const struct value *map, const char *key)
{
	return value_text_or(value_get(map, key), "");
}

static bool text_is(const struct value *map, const char *key, const char *text)
{
	return strcmp(text_of(map, key), text) == 0;
}

static void line(struct printer *p, unsigned indent, unsigned hang, const char *head,
		 enum ink head_ink, enum ink ink, const char *text)
{
	para_add(p->out, p->st,
		 &(struct para){ .indent = indent,
				 .hang = hang,
				 .head = head,
				 .head_ink = head_ink,
				 .ink = ink },
		 text);
}

/* "undo   cancel ..." under a step. */
static void labelled(struct printer *p, const char *label, enum ink ink, const char *text)
{
	line(p, LABEL, BODY, label, INK_DIM, ink, text);
}

static void count_of(struct sb *out, int64_t n, const char *one, const char *many)
{
	sb_addf(out, "%" PRId64 " %s", n, n == 1 ? one : many);
}

/* ---- gathering ---- */

static void gather(struct printer *p)
{
	struct arena *a = &p->arena;
	size_t env_count = value_count(p->envs);

	p->env_index = value_map(a);
	p->ends = value_map(a);
	p->of_env = arena_array(a, env_count + 1, sizeof(*p->of_env));
	for (size_t i = 0; i < env_count; i++)
		value_set(a, p->env_index, text_of(value_at(p->envs, i), "name"),
			  value_int(a, (int64_t)i));
	for (size_t i = 0; i < value_count(p->steps); i++) {
		const struct value *s = value_at(p->steps, i), *envs = value_get(s, "environments");
		int64_t last = -1;

		value_set(a, p->ends, text_of(s, "address"), value_get(s, "earliest_ms"));
		for (size_t k = 0; k < value_count(envs); k++)
			last = MAX_OF(last,
				      value_int_or(value_get(p->env_index,
							     value_text_or(value_at(envs, k), "")),
						   -1));
		for (size_t k = 0; k < value_count(envs); k++) {
			int64_t e = value_int_or(value_get(p->env_index,
							   value_text_or(value_at(envs, k), "")),
						 -1);
			struct env_rows *r = e < 0 ? NULL : &p->of_env[e];

			if (!r)
				continue;
			r->rows = arena_grow(a, r->rows, r->count, &r->cap, sizeof(*r->rows));
			r->rows[r->count++] = (struct row){ .step = s, .is_elsewhere = e != last };
		}
	}
}

static int64_t start_of(const struct printer *p, const struct value *step)
{
	const struct value *needs = value_get(step, "needs");
	int64_t start = 0;

	for (size_t i = 0; i < value_count(needs); i++)
		start = MAX_OF(start, value_int_or(value_get(p->ends,
							     value_text_or(value_at(needs, i), "")),
						   0));
	return start;
}

/* ---- head ---- */

static void put_head(struct printer *p)
{
	CLEANUP(sb_done) struct sb title = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb sums = SB_INIT(SB_TEXT_MAX);
	const struct value *sum = value_get(p->doc, "summary");
	int64_t steps = value_int_or(value_get(sum, "steps"), 0);

	sb_add(&title, "Plan for ");
	text_add(&title, text_of(p->doc, "rollout"), CUT_VALUE);
	line(p, 0, 0, NULL, INK_PLAIN, INK_BOLD, title.buf);
	sb_add(&sums, "observed ");
	text_add(&sums, value_text_or(value_get(p->doc, "made_at"), "at an unknown time"),
		 CUT_NAME);
	sb_add(&sums, "; ");
	count_of(&sums, (int64_t)value_count(p->envs), "environment", "environments");
	sb_add(&sums, ", ");
	count_of(&sums, steps, "step", "steps");
	if (steps) {
		sb_addf(&sums,
			": %" PRId64 " irreversible, %" PRId64 " by a person; earliest finish +",
			value_int_or(value_get(sum, "irreversible"), 0),
			value_int_or(value_get(sum, "by_operator"), 0));
		text_add_span(&sums, value_int_or(value_get(sum, "earliest_finish_ms"), 0));
	}
	line(p, 0, 2, NULL, INK_PLAIN, INK_PLAIN, sums.buf);
	if (p->st->verbose) {
		sb_reset(&sums);
		sb_add(&sums, "intent ");
		text_add(&sums, text_of(p->doc, "intent_digest"), CUT_NAME);
		line(p, 0, 2, NULL, INK_PLAIN, INK_DIM, sums.buf);
		sb_reset(&sums);
		sb_add(&sums, "facts  ");
		text_add(&sums, text_of(p->doc, "observed_digest"), CUT_NAME);
		line(p, 0, 2, NULL, INK_PLAIN, INK_DIM, sums.buf);
	}
}

/* ---- an environment ---- */

static const char *rule_of(const struct value *env, const char *level)
{
	const struct value *list = value_get(env, "findings");

	for (size_t i = 0; i < value_count(list); i++)
		if (text_is(value_at(list, i), "level", level))
			return text_of(value_at(list, i), "rule");
	return "";
}

static enum ink outlook_words(struct printer *p, const struct value *env, size_t e, struct sb *out)
{
	const char *outlook = text_of(env, "outlook");
	size_t shared = 0;

	if (strcmp(outlook, "refused") == 0 || strcmp(outlook, "left-alone") == 0) {
		bool is_refused = outlook[0] == 'r';

		sb_add(out, is_refused ? "refused: " : "left alone: ");
		text_add(out, rule_of(env, is_refused ? "refused" : "leave-alone"), CUT_NAME);
		return is_refused ? INK_ALARM : INK_YELLOW;
	}
	if (strcmp(outlook, "failed") == 0) {
		sb_add(out, "could not be read");
		return INK_ALARM;
	}
	if (strcmp(outlook, "attest") == 0) {
		sb_add(out, "needs facts from a person");
		return INK_YELLOW;
	}
	if (strcmp(outlook, "nothing") == 0) {
		sb_add(out, "nothing to do");
		return INK_GREEN;
	}
	for (size_t i = 0; i < p->of_env[e].count; i++)
		shared += value_count(value_get(p->of_env[e].rows[i].step, "environments")) > 1;
	count_of(out, (int64_t)p->of_env[e].count, "step", "steps");
	if (shared)
		sb_addf(out, ", %zu of them shared", shared);
	return INK_BOLD;
}

/* The first of this name among all things: what a person calls the environment's project, workspace and client. */
static const struct value *any_fact(const struct value *env, const char *name)
{
	const struct value *facts = value_get(env, "facts");

	for (size_t i = 0; i < value_count(facts); i++) {
		const struct value *v = value_get(value_get(value_at(facts, i), "facts"), name);

		if (!value_is_null(v))
			return v;
	}
	return NULL;
}

static void put_named(struct sb *out, const char *before, const struct value *v, const char *quote)
{
	if (value_is_null(v))
		return;
	sb_addf(out, "%s%s%s", out->len ? ", " : "", before, quote);
	text_add_value(out, v, CUT_NAME);
	sb_add(out, quote);
}

static void put_identity(struct printer *p, const struct value *env)
{
	static const char *const said[] = { "title", "workspace", "client_id", "instance" };
	CLEANUP(sb_done) struct sb names = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb ids = SB_INIT(SB_TEXT_MAX);
	const struct value *identity = value_get(env, "identity");

	put_named(&names, "project ", any_fact(env, "title"), "'");
	put_named(&names, "workspace ", any_fact(env, "workspace"), "");
	put_named(&names, "client id ", any_fact(env, "client_id"), "");
	put_named(&names, "instance ", any_fact(env, "instance"), "");
	if (names.len)
		line(p, 2, 4, NULL, INK_PLAIN, INK_PLAIN, names.buf);
	for (size_t i = 0; i < value_count(identity); i++) {
		const char *full = value_key_at(identity, i), *dot = strrchr(full, '.');
		const char *name = dot ? dot + 1 : full;
		bool is_said = false;

		for (size_t k = 0; k < ARRAY_LEN(said); k++)
			is_said |= strcmp(said[k], name) == 0;
		if (is_said && !p->st->verbose)
			continue;
		sb_add(&ids, ids.len ? ", " : "");
		text_add(&ids, p->st->verbose ? full : name, CUT_NAME);
		sb_addc(&ids, ' ');
		text_add_value(&ids, value_at(identity, i), CUT_NAME);
	}
	if (ids.len)
		line(p, 2, 4, NULL, INK_PLAIN, INK_DIM, ids.buf);
}

static void put_findings(struct printer *p, const struct value *env)
{
	const struct value *list = value_get(env, "findings");

	if (value_text(value_get(env, "error"))) {
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

		text_add(&text, text_of(env, "error"), CUT_TEXT);
		line(p, 2, FINDING, "error", INK_ALARM, INK_PLAIN, text.buf);
	}
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *f = value_at(list, i);
		const char *level = text_of(f, "level");
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
		bool is_bad = strcmp(level, "refused") == 0, is_note = strcmp(level, "note") == 0;

		text_add(&text, text_of(f, "text"), CUT_TEXT);
		sb_add(&text, " (");
		text_add(&text, text_of(f, "rule"), CUT_NAME);
		sb_addc(&text, ')');
		line(p, 2, FINDING,
		     is_bad                        ? "refused" :
		     is_note                       ? "note" :
		     strcmp(level, "warning") == 0 ? "warning" :
						     "left",
		     is_bad  ? INK_ALARM :
		     is_note ? INK_DIM :
			       INK_YELLOW,
		     INK_PLAIN, text.buf);
		if (!*text_of(f, "hint"))
			continue;
		sb_reset(&text);
		sb_add(&text, "hint: ");
		text_add(&text, text_of(f, "hint"), CUT_TEXT);
		line(p, FINDING, FINDING + 6, NULL, INK_PLAIN, INK_DIM, text.buf);
	}
}

static void put_ack_command(struct printer *p, const char *env, const struct value *need)
{
	CLEANUP(sb_done) struct sb word = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	const struct value *facts = value_get(need, "facts");

	sb_addf(&word, "%s/%s/attest", env, text_of(need, "thing"));
	sb_add(&text, "s2sctl ack ");
	text_add_word(&text, word.buf);
	sb_add(&text, " --by NAME");
	for (size_t i = 0; i < value_count(facts); i++) {
		sb_reset(&word);
		sb_addf(&word, "%s=...", value_text_or(value_at(facts, i), "?"));
		sb_add(&text, " --fact ");
		text_add_word(&text, word.buf);
	}
	para_add(p->out, p->st,
		 &(struct para){ .indent = FINDING,
				 .hang = FINDING + 6,
				 .head = "run",
				 .head_ink = INK_DIM,
				 .ink = INK_BOLD,
				 .is_command = true },
		 text.buf);
}

static void put_attests(struct printer *p, const struct value *env)
{
	const struct value *list = value_get(env, "attest");

	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *n = value_at(list, i);
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
		bool is_now = value_bool_or(value_get(n, "before_planning"), false);

		text_add(&text, text_of(n, "thing"), CUT_NAME);
		sb_add(&text, ": ");
		text_add_value(&text, value_get(n, "facts"), CUT_TEXT);
		sb_add(&text, is_now ? "; a person has to attest them before anything is planned" :
				       "; a person is asked when a step needs them");
		line(p, 2, FINDING, is_now ? "ask now" : "ask later", is_now ? INK_ALARM : INK_CYAN,
		     INK_PLAIN, text.buf);
		if (*text_of(n, "why")) {
			sb_reset(&text);
			text_add(&text, text_of(n, "why"), CUT_TEXT);
			line(p, FINDING, FINDING + 6, "why", INK_DIM, INK_DIM, text.buf);
		}
		if (*text_of(n, "page")) {
			sb_reset(&text);
			text_add(&text, text_of(n, "page"), CUT_TEXT);
			line(p, FINDING, FINDING + 6, "page", INK_DIM, INK_DIM, text.buf);
		}
		if (is_now)
			put_ack_command(p, text_of(env, "name"), n);
	}
}

static enum ink source_words(const struct value *entry, struct sb *out)
{
	const char *known = text_of(entry, "known");
	const char *lead =
		strcmp(known, "denied") == 0 ?
			"not readable" :
		strcmp(known, "fenced") == 0 ?
			"not read, so that no use of the client is mistaken for the app's" :
		strcmp(known, "failed") == 0 ? "could not be read" :
					       NULL;

	if (lead) {
		sb_add(out, lead);
		if (*text_of(entry, "why")) {
			sb_add(out, ": ");
			text_add(out, text_of(entry, "why"), CUT_TEXT);
		}
		return INK_YELLOW;
	}
	if (strcmp(known, "attested") == 0) {
		sb_add(out, "attested by ");
		text_add(out, value_text_or(value_get(entry, "by"), "somebody"), CUT_NAME);
		return INK_CYAN;
	}
	sb_add(out, strcmp(known, "api") == 0     ? "read from the system itself" :
		    strcmp(known, "bridge") == 0  ? "read through the bridge" :
		    strcmp(known, "journal") == 0 ? "known from the journal" :
						    known);
	return INK_PLAIN;
}

static void put_sources(struct printer *p, const struct value *env)
{
	const struct value *facts = value_get(env, "facts");
	size_t widest = 0;

	for (size_t i = 0; i < value_count(facts); i++)
		if (p->st->verbose || !text_is(value_at(facts, i), "known", "api"))
			widest = MAX_OF(widest,
					MIN_OF(text_columns(value_key_at(facts, i)), (size_t)30));
	for (size_t i = 0; i < value_count(facts); i++) {
		const struct value *entry = value_at(facts, i);
		CLEANUP(sb_done) struct sb name = SB_INIT(SB_TEXT_MAX);
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
		enum ink ink;

		if (!p->st->verbose && text_is(entry, "known", "api"))
			continue;
		sb_add(&name, "facts    ");
		text_add(&name, value_key_at(facts, i), CUT_NAME);
		ink = source_words(entry, &text);
		if (p->st->verbose && *text_of(entry, "server_time")) {
			sb_add(&text, " at ");
			text_add(&text, text_of(entry, "server_time"), CUT_NAME);
		}
		if (p->st->verbose && value_count(value_get(entry, "facts"))) {
			sb_add(&text, "; ");
			text_add_value(&text, value_get(entry, "facts"), CUT_TEXT);
		}
		line(p, 2, (unsigned)(FINDING + widest + 2), name.buf, INK_DIM, ink, text.buf);
	}
}

/* ---- a step ---- */

static const char *actor(const struct value *step)
{
	const char *who = text_of(step, "executor");

	return strcmp(who, "operator") == 0 ? "a person" :
	       strcmp(who, "bridge") == 0   ? "the bridge" :
	       strcmp(who, "api") == 0      ? "the API" :
	       strcmp(who, "none") == 0     ? "only looks" :
					      who;
}

static char symbol(const char *phase, enum ink *ret_ink)
{
	*ret_ink = INK_PLAIN;
	switch (phase[0]) {
	case 'e':
		*ret_ink = INK_GREEN;
		return '+';
	case 's':
		*ret_ink = INK_YELLOW;
		return '~';
	case 'p':
		*ret_ink = INK_CYAN;
		return '?';
	case 'c':
		*ret_ink = INK_RED;
		return '!';
	default:
		return ' ';
	}
}

/* Address on the left; who acts and when on the right, or below where the page is narrow. */
static void put_step_head(struct printer *p, const struct value *step)
{
	CLEANUP(sb_done) struct sb left = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb right = SB_INIT(SB_TEXT_MAX);
	int64_t start = start_of(p, step), end = value_int_or(value_get(step, "earliest_ms"), 0);
	char sign[] = "  + ";
	size_t used, columns, width = style_width(p->st);
	enum ink ink;

	sign[2] = symbol(text_of(step, "phase"), &ink);
	text_add(&left, text_of(step, "address"), CUT_VALUE);
	text_add(&right, actor(step), CUT_NAME);
	columns = text_columns(right.buf);
	sb_pad(&right, ' ', columns < 10 ? 12 - columns : 2);
	sb_addc(&right, '+');
	text_add_span(&right, start);
	if (end > start) {
		sb_add(&right, " to +");
		text_add_span(&right, end);
	}
	ink_add(p->out, p->st, ink, sign);
	ink_add(p->out, p->st, INK_BOLD, left.buf);
	/* The right block begins in the same column on every line, and still holds "+24h10m to +48h20m". */
	used = 4 + text_columns(left.buf);
	columns = text_columns(right.buf);
	if (used + 2 <= width - RIGHT && columns <= RIGHT)
		sb_pad(p->out, ' ', width - RIGHT - used);
	else if (used + 2 + columns <= width)
		sb_pad(p->out, ' ', width - used - columns);
	else
		sb_add(p->out, "\n      ");
	ink_add(p->out, p->st, text_is(step, "executor", "operator") ? INK_YELLOW : INK_DIM,
		right.buf);
	sb_addc(p->out, '\n');
}

struct delta {
	const char *key;
	const struct value *was, *is;
};

static void put_delta(struct printer *p, const struct delta *d, size_t key_width, size_t was_width)
{
	CLEANUP(sb_done) struct sb head = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb was = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb is = SB_INIT(SB_TEXT_MAX);
	size_t columns;

	text_add(&head, d->key, CUT_NAME);
	columns = text_columns(head.buf);
	sb_pad(&head, ' ', key_width > columns ? key_width - columns : 0);
	if (d->was)
		text_add_value(&was, d->was, CUT_VALUE);
	text_add_value(&is, d->is, CUT_VALUE);
	columns = text_columns(was.buf);
	sb_addc(&head, ' ');
	if (LABEL + key_width + was_width + 4 + text_columns(is.buf) <= style_width(p->st)) {
		sb_pad(&head, ' ', 1);
		sb_pad(p->out, ' ', LABEL);
		sb_addn(p->out, head.buf, head.len);
		ink_add(p->out, p->st, INK_DIM, was.buf);
		sb_pad(p->out, ' ', was_width > columns ? was_width - columns : 0);
		sb_add(p->out, style_arrow(p->st) + (was_width ? 0 : 1));
		ink_add(p->out, p->st, INK_BOLD, is.buf);
		sb_addc(p->out, '\n');
		return;
	}
	/* Too wide for one line: the new below the old. */
	line(p, LABEL, (unsigned)(LABEL + key_width + 2), head.buf, INK_PLAIN, INK_DIM,
	     d->was ? was.buf : "(not known)");
	sb_reset(&head);
	sb_pad(&head, ' ', key_width > 2 ? key_width - 2 : 0);
	sb_add(&head, style_arrow(p->st) + 1);
	sb_shrink(&head, head.len - 1);
	line(p, LABEL, (unsigned)(LABEL + key_width + 2), head.buf, INK_PLAIN, INK_BOLD, is.buf);
}

static void put_deltas(struct printer *p, const struct value *step)
{
	const struct value *before = value_get(step, "before"), *after = value_get(step, "after");
	size_t n = 0, max = value_count(before) + value_count(after), keys = BODY - LABEL - 2,
	       old = 0;
	struct delta *list = arena_array(&p->arena, max + 1, sizeof(*list));
	CLEANUP(sb_done) struct sb same = SB_INIT(SB_TEXT_MAX);

	for (size_t i = 0; after && after->kind == VAL_MAP && i < value_count(after); i++)
		list[n++] = (struct delta){ value_key_at(after, i),
					    value_get(before, value_key_at(after, i)),
					    value_at(after, i) };
	for (size_t i = 0; before && before->kind == VAL_MAP && i < value_count(before); i++)
		if (!value_get(after, value_key_at(before, i)))
			list[n++] = (struct delta){ value_key_at(before, i), value_at(before, i),
						    NULL };
	for (size_t i = 0; i < n; i++) {
		CLEANUP(sb_done) struct sb was = SB_INIT(SB_TEXT_MAX);

		if (list[i].was && list[i].is && value_equal(list[i].was, list[i].is)) {
			put_named(&same, list[i].key, list[i].was, " ");
			sb_shrink(&same, same.len - 1);
			continue;
		}
		keys = MAX_OF(keys, MIN_OF(text_columns(list[i].key), (size_t)CUT_NAME));
		if (list[i].was)
			text_add_value(&was, list[i].was, CUT_VALUE);
		old = MAX_OF(old, text_columns(was.buf));
	}
	for (size_t i = 0; i < n; i++)
		if (!list[i].was || !list[i].is || !value_equal(list[i].was, list[i].is))
			put_delta(p, &list[i], keys, MIN_OF(old, (size_t)40));
	if (same.len)
		labelled(p, "stays", INK_DIM, same.buf);
}

static void put_undo(struct printer *p, const struct value *step)
{
	const struct value *undo = value_get(step, "undo");
	const char *kind = text_of(undo, "kind");
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	enum ink ink = INK_PLAIN;

	if (strcmp(kind, "nothing") == 0) {
		if (text_is(step, "executor", "none") && !p->st->verbose)
			return; /* whoever only looks needs no way back */
		sb_add(&text, "not needed");
	} else if (strcmp(kind, "never") == 0) {
		sb_add(&text, "cannot be undone");
		ink = INK_ALARM;
	} else if (strcmp(kind, "person") == 0) {
		sb_add(&text, "only by a person");
		ink = INK_YELLOW;
	}
	if (*text_of(undo, "text")) {
		sb_add(&text, text.len ? ": " : "");
		text_add(&text, text_of(undo, "text"), CUT_TEXT);
	}
	labelled(p, "undo", ink, text.len ? text.buf : "by another step");
}

/* Thresholds come without their kinds: whole minutes are spans, anything else is a number. */
static void put_limit(struct sb *out, const char *name, const struct value *v)
{
	text_add(out, name, CUT_NAME);
	sb_addc(out, ' ');
	if (v->kind == VAL_INT && v->u.i >= WHEN_MINUTE && v->u.i % WHEN_MINUTE == 0)
		text_add_span(out, v->u.i);
	else
		text_add_value(out, v, CUT_NAME);
}

static bool is_common_limit(const char *name)
{
	static const char *const common[] = { "cadence", "min_samples", "passes", "deadline",
					      "on_expire" };

	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (strcmp(common[i], name) == 0)
			return true;
	return false;
}

static void next_part(struct sb *text)
{
	sb_add(text, text->len ? "; " : "");
}

static void put_gate_timing(struct printer *p, const struct value *limits, struct sb *text)
{
	const struct value *deadline = value_get(limits, "deadline");
	int64_t samples = value_int_or(value_get(limits, "min_samples"), 1);
	int64_t passes = value_int_or(value_get(limits, "passes"), 1);

	if (p->st->verbose && value_get(limits, "cadence")) {
		next_part(text);
		sb_add(text, "looks every ");
		text_add_span(text, value_int_or(value_get(limits, "cadence"), 0));
	}
	if (samples > 1) {
		next_part(text);
		sb_addf(text, "at least %" PRId64 " looks", samples);
	}
	if (passes > 1) {
		next_part(text);
		sb_addf(text, "%" PRId64 " in a row", passes);
	}
	if (!deadline || deadline->kind != VAL_INT)
		return;
	next_part(text);
	/* With on_expire: wait it has a deadline that changes nothing. */
	sb_add(text, text_is(limits, "on_expire", "wait") ? "waits on after " : "fails after ");
	text_add_span(text, deadline->u.i);
}

static void put_gate(struct printer *p, const struct value *g)
{
	const struct value *limits = value_get(g, "limits");
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	bool is_before = text_is(g, "when", "before");
	int64_t earliest = value_int_or(value_get(g, "earliest_ms"), 0);

	text_add(&text, text_of(g, "name"), CUT_NAME);
	sb_add(&text, ": ");
	text_add(&text, text_of(g, "doc"), CUT_TEXT);
	labelled(p, is_before ? "first" : "gate", INK_PLAIN, text.buf);
	sb_reset(&text);
	for (size_t i = 0; limits && limits->kind == VAL_MAP && i < value_count(limits); i++)
		if (!is_common_limit(value_key_at(limits, i))) {
			sb_add(&text, text.len ? ", " : "");
			put_limit(&text, value_key_at(limits, i), value_at(limits, i));
		}
	/* What must be so before an act has been waited for by the steps before it. */
	if (earliest && !is_before) {
		next_part(&text);
		sb_add(&text, "earliest ");
		text_add_span(&text, earliest);
		sb_add(&text, " after the step before");
	}
	put_gate_timing(p, limits, &text);
	if (text.len)
		line(p, BODY + 2, BODY + 2, NULL, INK_PLAIN, INK_DIM, text.buf);
}

static void put_needs(struct printer *p, const struct value *step)
{
	const struct value *needs = value_get(step, "needs"),
			   *envs = value_get(step, "environments");
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	if (value_count(envs) > 1) {
		sb_add(&text, "one step for ");
		text_add_value(&text, envs, CUT_TEXT);
		sb_add(&text, "; it waits for all of them");
		labelled(p, "shared", INK_PLAIN, text.buf);
	}
	if (p->st->verbose && value_count(needs)) {
		sb_reset(&text);
		text_add_value(&text, needs, CUT_TEXT);
		labelled(p, "needs", INK_DIM, text.buf);
	}
}

static void draw_lines(struct printer *p, const struct value *step, const char *env)
{
	const struct value *undo = value_get(step, "undo");
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	if (text_is(undo, "kind", "person") && !p->env_person && !p->env_never) {
		if (!p->drew_person) {
			sb_add(&text, "from here on: the way back ");
			text_add(&text,
				 *text_of(undo, "text") ? text_of(undo, "text") : "is a person's",
				 CUT_TEXT);
		} else {
			sb_add(&text, "from here on: the way back of ");
			text_add(&text, env, CUT_NAME);
			sb_add(&text, " is a person's");
		}
		rule_add(p->out, p->st, INK_YELLOW, false, text.buf);
		p->drew_person = p->env_person = true;
	}
	if (text_is(undo, "kind", "never") && !p->env_never) {
		if (p->drew_never) {
			sb_add(&text, "no way back for ");
			text_add(&text, env, CUT_NAME);
		}
		rule_add(p->out, p->st, INK_ALARM, true,
			 p->drew_never ? text.buf : "point of no return");
		p->drew_never = p->env_never = true;
	}
}

static void put_step(struct printer *p, const struct value *step, const char *env)
{
	const struct value *gates = value_get(step, "gates");
	CLEANUP(sb_done) struct sb doc = SB_INIT(SB_TEXT_MAX);

	draw_lines(p, step, env);
	put_step_head(p, step);
	text_add(&doc, text_of(step, "doc"), CUT_TEXT);
	line(p, LABEL, LABEL, NULL, INK_PLAIN, INK_PLAIN, doc.buf);
	put_deltas(p, step);
	put_needs(p, step);
	for (size_t i = 0; i < value_count(gates); i++)
		put_gate(p, value_at(gates, i));
	put_undo(p, step);
}

static void put_reference(struct printer *p, const struct value *step)
{
	const struct value *envs = value_get(step, "environments");
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	const char *last = "";
	int64_t at = -1;
	enum ink ink;
	char sign[] = "+";

	for (size_t i = 0; i < value_count(envs); i++) {
		const char *name = value_text_or(value_at(envs, i), "");
		int64_t e = value_int_or(value_get(p->env_index, name), -1);

		if (e > at) {
			at = e;
			last = name;
		}
	}
	sign[0] = symbol(text_of(step, "phase"), &ink);
	text_add(&text, text_of(step, "address"), CUT_VALUE);
	sb_add(&text, " (shared; see under ");
	text_add(&text, last, CUT_NAME);
	sb_addc(&text, ')');
	line(p, 2, 4, sign, ink, INK_DIM, text.buf);
}

static void put_steps(struct printer *p, const struct value *env, size_t e)
{
	static const char *const phases[] = { "expand", "switch", "prove", "contract" };
	const struct env_rows *r = &p->of_env[e];

	p->env_never = p->env_person = false;
	for (size_t ph = 0; ph < ARRAY_LEN(phases); ph++) {
		bool any = false;

		for (size_t i = 0; i < r->count; i++) {
			const struct row *row = &r->rows[i];

			if (!text_is(row->step, "phase", phases[ph]))
				continue;
			if (!any)
				sb_addc(p->out, '\n');
			if (!any)
				line(p, 2, 2, NULL, INK_PLAIN, INK_DIM, phases[ph]);
			any = true;
			if (row->is_elsewhere)
				put_reference(p, row->step);
			else
				put_step(p, row->step, text_of(env, "name"));
		}
	}
}

static void put_env(struct printer *p, size_t e)
{
	const struct value *env = value_at(p->envs, e);
	CLEANUP(sb_done) struct sb name = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb words = SB_INIT(SB_TEXT_MAX);
	enum ink ink;

	sb_addc(p->out, '\n');
	text_add(&name, text_of(env, "name"), CUT_NAME);
	sb_addc(&name, ':');
	ink = outlook_words(p, env, e, &words);
	line(p, 0, 0, name.buf, INK_BOLD, ink, words.buf);
	put_identity(p, env);
	put_findings(p, env);
	put_attests(p, env);
	put_sources(p, env);
	put_steps(p, env, e);
}

/* ---- requests and the last sentence ---- */

static void put_requests(struct printer *p)
{
	struct value *by = value_map(&p->arena);
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	int64_t total = 0;

	for (size_t e = 0; e < value_count(p->envs); e++) {
		const struct value *list = value_get(value_at(p->envs, e), "requests");

		for (size_t i = 0; i < value_count(list); i++) {
			const char *req = value_text_or(value_at(list, i), ""),
				   *conn = strchr(req, ' ');
			const char *key =
				conn ? arena_strndup(&p->arena, conn + 1, strcspn(conn + 1, " ")) :
				       "?";

			value_set(&p->arena, by, key,
				  value_int(&p->arena, value_int_or(value_get(by, key), 0) + 1));
			total++;
		}
	}
	if (!total)
		return;
	sb_add(&text, "Planning only read: ");
	count_of(&text, total, "request", "requests");
	sb_add(&text, " (");
	for (size_t i = 0; i < value_count(by); i++) {
		sb_add(&text, i ? ", " : "");
		text_add(&text, value_key_at(by, i), CUT_NAME);
		sb_addf(&text, " %" PRId64, value_int_or(value_at(by, i), 0));
	}
	sb_addc(&text, ')');
	sb_addc(p->out, '\n');
	line(p, 0, 2, NULL, INK_PLAIN, INK_DIM, text.buf);
	for (size_t e = 0; p->st->verbose && e < value_count(p->envs); e++) {
		const struct value *list = value_get(value_at(p->envs, e), "requests");

		for (size_t i = 0; i < value_count(list); i++) {
			sb_reset(&text);
			text_add(&text, value_text_or(value_at(list, i), "?"), CUT_TEXT);
			line(p, 2, 6, NULL, INK_PLAIN, INK_DIM, text.buf);
		}
	}
}

static int64_t env_count(const struct printer *p, const char *outlook)
{
	return value_int_or(value_path(value_get(p->doc, "summary"), "environments") ?
				    value_get(value_get(value_get(p->doc, "summary"),
							"environments"),
					      outlook) :
				    NULL,
			    0);
}

static void put_last(struct printer *p)
{
	const struct value *sum = value_get(p->doc, "summary");
	int64_t steps = value_int_or(value_get(sum, "steps"), 0);
	int64_t never = value_int_or(value_get(sum, "irreversible"), 0);
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	enum ink ink = INK_BOLD;

	sb_addc(p->out, '\n');
	if (env_count(p, "failed") || env_count(p, "refused") || env_count(p, "attest")) {
		int64_t stuck[] = { env_count(p, "refused"), env_count(p, "failed"),
				    env_count(p, "attest") };
		static const char *const words[] = { " refused", " not readable",
						     " waiting for a person's facts" };

		sb_add(&text, "Nothing can be carried out yet: ");
		for (size_t i = 0, any = 0; i < ARRAY_LEN(stuck); i++)
			if (stuck[i]) {
				sb_add(&text, any++ ? ", " : "");
				count_of(&text, stuck[i], "environment", "environments");
				sb_add(&text, words[i]);
			}
		sb_add(&text, ".");
		ink = INK_ALARM;
	} else if (!steps) {
		sb_add(&text, "Nothing to do.");
		ink = INK_GREEN;
	} else {
		count_of(&text, steps, "step", "steps");
		sb_addf(&text, ", %" PRId64 " by a person, ",
			value_int_or(value_get(sum, "by_operator"), 0));
		if (never)
			sb_addf(&text, "%" PRId64 " that cannot be undone; ", never);
		else
			sb_add(&text, "none beyond undoing; ");
		sb_add(&text, "done at the earliest ");
		text_add_span(&text, value_int_or(value_get(sum, "earliest_finish_ms"), 0));
		sb_add(&text, " after the start.");
	}
	line(p, 0, 2, NULL, INK_PLAIN, ink, text.buf);
}

void report_plan_text(const struct value *plan_doc, const struct report_style *style,
		      struct sb *out)
{
	struct printer p = {
		.out = out,
		.st = style,
		.arena = ARENA_INIT,
		.doc = plan_doc,
		.envs = value_get(plan_doc, "environments"),
		.steps = value_get(plan_doc, "steps"),
	};

	gather(&p);
	put_head(&p);
	for (size_t e = 0; e < value_count(p.envs); e++)
		put_env(&p, e);
	put_requests(&p);
	put_last(&p);
	arena_done(&p.arena);
}
