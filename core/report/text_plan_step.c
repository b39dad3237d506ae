/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_plan_step.c - steps by phase, and the two lines that are drawn between them.
 *
 * A step of several environments stands under the last of them; the others point there.
 */
#include <inttypes.h>
#include <string.h>

#include "core/api/provider.h"
#include "core/report/text_plan_private.h"

/* "undo   cancel ..." under a step. */
static void labelled(struct printer *p, const char *label, enum ink ink, const char *text)
{
	plan_line(p, LABEL, BODY, label, INK_DIM, ink, text);
}

static const char *actor(const struct value *step)
{
	const char *who = plan_text_of(step, "executor");

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

/* Address on the left; who acts and when on the right, or below where the page is narrow. */
static void put_step_head(struct printer *p, const struct value *step)
{
	CLEANUP(sb_done) struct sb left = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb right = SB_INIT(SB_TEXT_MAX);
	int64_t start = start_of(p, step), end = value_int_or(value_get(step, "earliest_ms"), 0);
	char sign[] = "  + ";
	size_t used, columns, width = style_width(p->st);
	enum ink ink;

	sign[2] = symbol(plan_text_of(step, "phase"), &ink);
	text_add(&left, plan_text_of(step, "address"), CUT_VALUE);
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
	ink_add(p->out, p->st, plan_text_is(step, "executor", "operator") ? INK_YELLOW : INK_DIM,
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
	plan_line(p, LABEL, (unsigned)(LABEL + key_width + 2), head.buf, INK_PLAIN, INK_DIM,
		  d->was ? was.buf : "(not known)");
	sb_reset(&head);
	sb_pad(&head, ' ', key_width > 2 ? key_width - 2 : 0);
	sb_add(&head, style_arrow(p->st) + 1);
	sb_shrink(&head, head.len - 1);
	plan_line(p, LABEL, (unsigned)(LABEL + key_width + 2), head.buf, INK_PLAIN, INK_BOLD,
		  is.buf);
}

static void put_deltas(struct printer *p, const struct value *step)
{
	const struct value *before = value_get(step, "before"), *after = value_get(step, "after");
	size_t n = 0, max = plan_map_count(before) + plan_map_count(after), keys = BODY - LABEL - 2,
	       old = 0;
	struct delta *list = arena_array(&p->arena, max + 1, sizeof(*list));
	CLEANUP(sb_done) struct sb same = SB_INIT(SB_TEXT_MAX);

	for (size_t i = 0; i < plan_map_count(after); i++)
		list[n++] = (struct delta){ value_key_at(after, i),
					    value_get(before, value_key_at(after, i)),
					    value_at(after, i) };
	for (size_t i = 0; i < plan_map_count(before); i++)
		if (!value_get(after, value_key_at(before, i)))
			list[n++] = (struct delta){ value_key_at(before, i), value_at(before, i),
						    NULL };
	for (size_t i = 0; i < n; i++) {
		CLEANUP(sb_done) struct sb was = SB_INIT(SB_TEXT_MAX);

		if (list[i].was && list[i].is && value_equal(list[i].was, list[i].is)) {
			plan_named(&same, list[i].key, list[i].was, " ");
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
	const char *kind = plan_text_of(undo, "kind");
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	enum ink ink = INK_PLAIN;

	if (strcmp(kind, "nothing") == 0) {
		if (plan_text_is(step, "executor", "none") && !p->st->verbose)
			return; /* whoever only looks needs no way back */
		sb_add(&text, "not needed");
	} else if (strcmp(kind, "never") == 0) {
		sb_add(&text, "cannot be undone");
		ink = INK_ALARM;
	} else if (strcmp(kind, "gone") == 0) {
		sb_add(&text, "not undoable");
		ink = INK_ALARM;
	} else if (strcmp(kind, "person") == 0) {
		sb_add(&text, "only by a person");
		ink = INK_YELLOW;
	}
	if (*plan_text_of(undo, "text")) {
		sb_add(&text, text.len ? ": " : "");
		text_add(&text, plan_text_of(undo, "text"), CUT_TEXT);
	}
	labelled(p, "undo", ink, text.len ? text.buf : "by another step");
}

/* The document holds numbers; what kind they are, the gate's own table tells. */
static enum field_kind limit_kind(const struct printer *p, const char *gate, const char *name)
{
	const struct gate_type *type =
		p->st->registry ? registry_gate(p->st->registry, gate) : NULL;

	for (const struct field *f = type ? type->fields : NULL; f && f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f->kind;
	return FIELD_STRING; /* of another version's gate: shown as it is */
}

static void put_limit(const struct printer *p, struct sb *out, const char *gate, const char *name,
		      const struct value *v)
{
	text_add(out, name, CUT_NAME);
	sb_addc(out, ' ');
	if (v->kind == VAL_INT && limit_kind(p, gate, name) == FIELD_SPAN)
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
	sb_add(text,
	       plan_text_is(limits, "on_expire", "wait") ? "waits on after " : "fails after ");
	text_add_span(text, deadline->u.i);
}

static void put_gate(struct printer *p, const struct value *g)
{
	const struct value *limits = value_get(g, "limits");
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	bool is_before = plan_text_is(g, "when", "before");
	int64_t earliest = value_int_or(value_get(g, "earliest_ms"), 0);

	text_add(&text, plan_text_of(g, "name"), CUT_NAME);
	sb_add(&text, ": ");
	text_add(&text, plan_text_of(g, "doc"), CUT_TEXT);
	labelled(p, is_before ? "first" : "gate", INK_PLAIN, text.buf);
	sb_reset(&text);
	for (size_t i = 0; i < plan_map_count(limits); i++)
		if (!is_common_limit(value_key_at(limits, i))) {
			sb_add(&text, text.len ? ", " : "");
			put_limit(p, &text, plan_text_of(g, "name"), value_key_at(limits, i),
				  value_at(limits, i));
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
		plan_line(p, BODY + 2, BODY + 2, NULL, INK_PLAIN, INK_DIM, text.buf);
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

/* A rule's words in one line; what does not fit stands below it, none of it lost. */
static void rule_with(struct printer *p, const char *head, const char *reason)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	sb_add(&text, head);
	sb_add(&text, reason);
	if (text_columns(text.buf) <= rule_room(p->st)) {
		rule_add(p->out, p->st, INK_YELLOW, false, text.buf);
		return;
	}
	sb_reset(&text);
	sb_add(&text, head);
	while (text.len && strchr(": ", text.buf[text.len - 1]))
		sb_shrink(&text, text.len - 1);
	rule_add(p->out, p->st, INK_YELLOW, false, text.buf);
	plan_line(p, BODY, BODY, NULL, INK_PLAIN, INK_YELLOW, reason);
}

static void draw_lines(struct printer *p, const struct value *step, const char *env)
{
	const struct value *undo = value_get(step, "undo");
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX), why = SB_INIT(SB_TEXT_MAX);

	text_add(&why, plan_text_of(undo, "text"), CUT_TEXT);
	if (plan_text_is(undo, "kind", "person") && !p->env_person && !p->env_never) {
		if (!p->drew_person) {
			rule_with(p, "from here on: the way back ",
				  why.len ? why.buf : "is a person's");
		} else {
			sb_add(&text, "from here on: the way back of ");
			text_add(&text, env, CUT_NAME);
			rule_with(p, text.buf, " is a person's");
		}
		p->drew_person = p->env_person = true;
	}
	if (plan_text_is(undo, "kind", "gone") && !p->env_person && !p->env_never) {
		sb_reset(&text);
		text_add(&text, env, CUT_NAME);
		sb_add(&text, ": not undoable from here on: ");
		rule_with(p, text.buf, why.buf);
		p->env_person = true;
	}
	sb_reset(&text);
	/* A way back deletes something too. It can be begun again, which costs what the undo says. */
	if (plan_is_back(p->doc) && plan_text_is(step, "phase", "contract") &&
	    !plan_text_is(step, "executor", "none") && !p->env_never) {
		rule_add(p->out, p->st, INK_ALARM, true,
			 "point of no return of the way back: forward again only from the start");
		p->env_never = true;
	}
	if (plan_text_is(undo, "kind", "never") && !p->env_never) {
		if (p->drew_never) {
			sb_add(&text, "no way back for ");
			text_add(&text, env, CUT_NAME);
		}
		rule_add(p->out, p->st, INK_ALARM, true,
			 p->drew_never ? text.buf : "point of no return");
		p->drew_never = p->env_never = true;
	}
}

static void put_doc(struct printer *p, const struct value *text)
{
	CLEANUP(sb_done) struct sb doc = SB_INIT(SB_TEXT_MAX);

	text_add(&doc, value_text_or(text, ""), CUT_TEXT);
	plan_line(p, LABEL, LABEL, NULL, INK_PLAIN, INK_PLAIN, doc.buf);
}

/* Steps of a kind share texts and gates (saved.c): those lines are made once and then copied. */
static void put_part(struct printer *p, const struct value *part,
		     void (*put)(struct printer *p, const struct value *part))
{
	struct printed *m = &p->printed[(uintptr_t)part / sizeof(*part) % ARRAY_LEN(p->printed)];
	size_t at = p->out->len;

	if (m->part && m->part == part) {
		sb_pad(p->out, ' ', m->len);
		if (!p->out->over)
			memcpy(p->out->buf + at, p->out->buf + m->at, m->len);
		return;
	}
	put(p, part);
	*m = (struct printed){ part, at, p->out->len - at };
}

static void put_step(struct printer *p, const struct value *step, const char *env)
{
	const struct value *gates = value_get(step, "gates");

	draw_lines(p, step, env);
	put_step_head(p, step);
	put_part(p, value_get(step, "doc"), put_doc);
	put_deltas(p, step);
	put_needs(p, step);
	for (size_t i = 0; i < value_count(gates); i++)
		put_part(p, value_at(gates, i), put_gate);
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
	sign[0] = symbol(plan_text_of(step, "phase"), &ink);
	text_add(&text, plan_text_of(step, "address"), CUT_VALUE);
	sb_add(&text, " (shared; see under ");
	text_add(&text, last, CUT_NAME);
	sb_addc(&text, ')');
	plan_line(p, 2, 4, sign, ink, INK_DIM, text.buf);
}

void plan_steps(struct printer *p, const struct value *env, size_t e)
{
	static const char *const phases[] = { "expand", "switch", "prove", "contract" };
	const struct env_rows *r = &p->of_env[e];

	p->env_never = p->env_person = false;
	for (size_t ph = 0; ph < ARRAY_LEN(phases); ph++) {
		bool any = false;

		for (size_t i = 0; i < r->count; i++) {
			const struct row *row = &r->rows[i];

			if (!plan_text_is(row->step, "phase", phases[ph]))
				continue;
			if (!any)
				sb_addc(p->out, '\n');
			if (!any)
				plan_line(p, 2, 2, NULL, INK_PLAIN, INK_DIM, phases[ph]);
			any = true;
			if (row->is_elsewhere)
				put_reference(p, row->step);
			else
				put_step(p, row->step, plan_text_of(env, "name"));
		}
	}
}
