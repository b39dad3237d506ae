/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people.c - what a person is asked, and what they answered.
 *
 * A question is journalled with a nonce before it is shown; an answer counts only for the question that stands.
 */
#include <string.h>

#include "core/base/mem.h"
#include "core/base/sb.h"
#include "core/base/when.h"
#include "core/run/attest.h"
#include "core/run/run_state.h"

#define INBOX_EVERY (2 * WHEN_SECOND)

static bool stands(const struct past_step *p, bool is_act, const char *thing)
{
	return p->is_asked && !p->ack && p->is_act == is_act &&
	       (is_act || (p->ask_thing && thing && strcmp(p->ask_thing, thing) == 0));
}

static bool ask(struct step_run *s, bool is_act, const char *thing, bool wants_last_use)
{
	struct engine *e = s->e;
	struct arena *a = journal_arena(&e->journal);
	struct value *rec = step_record(e, s);
	char nonce[17];

	new_nonce(e, nonce);
	value_set(a, rec, "nonce", value_string(a, nonce));
	value_set(a, rec, "is_act", value_bool(a, is_act));
	value_set(a, rec, "wants_last_use", value_bool(a, wants_last_use));
	if (thing)
		value_set(a, rec, "thing", value_string(a, thing));
	return engine_record(e, "ask", rec);
}

static void show(struct step_run *s, const struct instruction *in)
{
	struct engine *e = s->e;
	CLEANUP(sb_done) struct sb ack = SB_INIT(4096);

	e->has_asked = true;
	sb_addf(&ack, "s2sctl ack %s --by NAME", s->ps->address);
	if (in->ack_args)
		sb_addf(&ack, " %s", in->ack_args);
	if (e->o->ack_suffix)
		sb_add(&ack, e->o->ack_suffix);
	if (e->o->ui->instruct)
		e->o->ui->instruct(e->o->ui->ctx, s->ps->address, in, ack.buf);
}

/* The provider's words for an act; without any, the step's own. */
static bool instruction_for(struct step_run *s, const struct change_type *type, struct arena *a,
			    struct instruction *in)
{
	struct view v = env_view(s->e->envs[s->ps->envs[0]], clocks_now(s->e->clocks));
	struct err err = ERR_INIT;

	*in = (struct instruction){ 0 };
	v.marks = step_marks(s->e, s, a);
	if (type && type->instruct && type->instruct(&v, a, in, &err) < 0) {
		step_fail(s, err.code, "%s", err.msg);
		return false;
	}
	return true;
}

static bool asks_gate(const struct change_type *c, const char *gate)
{
	for (const char *const *g = c->after; g && *g; g++)
		if (!gate || strcmp(*g, gate) == 0)
			return true;
	return false;
}

/*
 * Whose words tell a person how to *read*: never those of a step that acts, which would tell them to do it. The prove step
 * that has this gate, else any prove step of the thing.
 */
static const struct change_type *reader_of(const struct step_run *s, const struct thing_type *t,
					   const char *gate)
{
	for (int pass = 0; pass < 2; pass++)
		for (const struct change_type *const *c = t->changes; c && *c; c++)
			if ((*c)->instruct && !(*c)->executors && !(*c)->apply &&
			    asks_gate(*c, pass ? NULL : gate))
				return *c;
	return s->ps->executor == EXEC_NONE ? s->ps->type : NULL;
}

static void read_facts_lines(const struct thing_type *t, struct arena *a, struct instruction *in)
{
	size_t n = 0;

	in->lines[n++] = arena_printf(a, "only read; change nothing: %s", t->doc);
	for (const struct fact *f = t->facts; f && f->name && n + 1 < ARRAY_LEN(in->lines); f++)
		if (f->class == FACT_STATE)
			in->lines[n++] = arena_printf(a, "%s: %s", f->name, f->doc);
}

void ask_act(struct step_run *s)
{
	struct arena a = ARENA_INIT;
	struct instruction in;

	if (!instruction_for(s, s->ps->type, &a, &in)) {
		arena_done(&a);
		return;
	}
	if (!in.lines[0])
		in.lines[0] = s->ps->type->doc;
	if (stands(engine_past(s->e, s), true, NULL) ||
	    ask(s, true, s->ps->type->flags & CHANGE_TELLS_BEFORE ? s->ps->thing->name : NULL,
		false))
		show(s, &in);
	arena_done(&a);
}

void ask_facts(struct step_run *s, const char *thing, const struct gate_run *g)
{
	const struct thing_type *t = thing ? registry_thing(s->e->plan->registry, thing) : NULL;
	bool wants_last_use = g->pg->type->ask_valid_ms != 0;
	struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb args = SB_INIT(2048);
	struct instruction in;

	if (!t)
		return;
	if (!stands(engine_past(s->e, s), false, thing) && !ask(s, false, thing, wants_last_use))
		return;
	if (!instruction_for(s, reader_of(s, t, g->pg->type->name), &a, &in)) {
		arena_done(&a);
		return;
	}
	if (!in.lines[0])
		read_facts_lines(t, &a, &in);
	if (!in.page)
		in.page = t->page;
	if (!in.ack_args) {
		if (wants_last_use)
			sb_add(&args, "--last-used TIME | --none-since DATE");
		for (const struct fact *f = wants_last_use ? NULL : t->facts; f && f->name; f++)
			if (f->class == FACT_STATE)
				sb_addf(&args, "%s--fact %s=...", args.len ? " " : "", f->name);
		in.ack_args = args.buf;
	}
	if (!in.check)
		in.check = g->pg->type->doc;
	show(s, &in);
	arena_done(&a);
}

static struct step_run *step_asking(struct engine *e, const char *address, const char *nonce)
{
	for (size_t i = 0; i < e->plan->step_count; i++) {
		struct past_step *p;

		if (strcmp(e->plan->steps[i].address, address) != 0)
			continue;
		p = engine_past(e, &e->steps[i]);
		if (p->is_asked && !p->ack && !p->is_done && strcmp(p->ask_nonce, nonce) == 0)
			return &e->steps[i];
	}
	return NULL;
}

/* For planning; or another run's, and not ours to judge. */
static void take_facts(struct engine *e, const struct value *ack)
{
	struct err err = ERR_INIT;

	if (!e->fatal.code &&
	    attest_take_one(&e->journal, e->o->calls->registry, ack, true, &err) < 0)
		e->fatal = err;
}

static void take_ack(struct engine *e, const struct value *ack)
{
	struct arena *a = journal_arena(&e->journal);
	const char *id = value_text_or(value_get(ack, "id"), ""),
		   *address = value_text_or(value_get(ack, "step"), "");
	struct step_run *s;
	static const char *const copied[] = { "by",    "user",       "host", "note",
					      "facts", "said_at_ms", "at_ms" };
	struct value *rec;

	if (value_get(e->journal.history.acks_seen, id))
		return;
	s = step_asking(e, address, value_text_or(value_get(ack, "nonce"), ""));
	if (!s) {
		take_facts(e, ack);
		return;
	}
	rec = step_record(e, s);
	value_set(a, rec, "ack_id", value_string(a, id));
	for (size_t i = 0; i < ARRAY_LEN(copied); i++)
		if (value_get(ack, copied[i]))
			value_set(a, rec, copied[i], value_copy(a, value_get(ack, copied[i])));
	if (engine_past(e, s)->ask_thing && !engine_past(e, s)->is_act)
		value_set(a, rec, "thing", value_string(a, engine_past(e, s)->ask_thing));
	if (value_get(ack, "last_used_ms") || value_get(ack, "none_since_ms")) {
		struct value *m = value_map(a);

		value_set(a, m, "last_used",
			  value_get(ack, "last_used_ms") ?
				  value_copy(a, value_get(ack, "last_used_ms")) :
				  NULL);
		value_set(a, m, "none_since",
			  value_get(ack, "none_since_ms") ?
				  value_copy(a, value_get(ack, "none_since_ms")) :
				  NULL);
		/* The reading was made after it was asked for: the earlier instant is the careful one. */
		value_set(a, m, "asked_at", value_int(a, engine_past(e, s)->asked_ms));
		value_set(a, m, "by", value_get(rec, "by"));
		value_set(a, rec, "attested", m);
	}
	if (!engine_record(e, "ack", rec))
		return;
	engine_tell(e, APPLY_NOTE, s, 0, "attested by %s",
		    value_text_or(value_get(rec, "by"), "?"));
	s->wake_mono = engine_mono(e);
	for (size_t i = 0; i < s->gate_count; i++)
		s->gates[i].wake_mono = engine_mono(e);
}

/* Said once, and kept where it lies: what somebody meant to say is theirs to say again. */
static void refuse_line(struct engine *e, const struct value *line)
{
	struct arena *a = journal_arena(&e->journal);
	const char *id = value_text_or(value_get(line, "id"), ""),
		   *why = value_text_or(value_get(line, "refused"), "");
	struct value *rec = value_map(a);

	if (value_get(e->journal.history.acks_seen, id))
		return;
	value_set(a, rec, "ack_id", value_string(a, id));
	value_set(a, rec, "why", value_string(a, why));
	if (engine_record(e, "ack-refused", rec))
		engine_tell(
			e, APPLY_NOTE, NULL, 0,
			"a line in %s is no acknowledgement (%s); it stays there, and counts for nothing",
			INBOX_NAME, why);
}

static void read_inbox(struct engine *e, size_t *from, bool takes_answers)
{
	struct arena tmp = ARENA_INIT;
	struct value *lines = NULL;
	struct err err = ERR_INIT;

	if (journal_inbox(e->o->store, from, &tmp, &lines, &err) < 0)
		e->fatal = err;
	for (size_t i = 0; i < value_count(lines); i++) {
		const struct value *line = value_at(lines, i);

		if (value_get(line, "refused"))
			refuse_line(e, line);
		else if (takes_answers)
			take_ack(e, line);
	}
	arena_done(&tmp);
}

void people_check(struct engine *e)
{
	size_t from = 0;

	read_inbox(e, &from, false);
}

void people_poll(struct engine *e)
{
	if (engine_mono(e) < e->inbox_mono)
		return;
	e->inbox_mono = engine_mono(e) + INBOX_EVERY;
	read_inbox(e, &e->journal.inbox_read, true);
}
