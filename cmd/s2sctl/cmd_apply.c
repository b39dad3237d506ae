/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cmd/s2sctl/session.h"
#include "core/base/when.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/run/apply.h"

#define PATIENCE (30 * WHEN_MINUTE) /* a soak is waited for, a day is not */

struct screen {
	struct session *s;
	bool live; /* a terminal: the last line is redrawn */
	bool line_shown;
	char step[200], state[400];
	int64_t step_since, drawn, until;
	const char *plan_out;
	bool json;
};

static void wipe_line(struct screen *sc)
{
	if (sc->line_shown)
		sc->s->p->talk(sc->s->p->ctx, "\r\033[K", 4);
	sc->line_shown = false;
}

static const char *const words_of[] = {
	[APPLY_STEP_STARTED] = "begins", [APPLY_STEP_ACTING] = "acts",
	[APPLY_GATE_SAW] = "saw",        [APPLY_STEP_WAITS] = "waits",
	[APPLY_STEP_DONE] = "done",      [APPLY_STEP_FAILED] = "FAILED",
	[APPLY_NOTE] = "note",
};

static void on_event(void *ctx, enum apply_event ev, const char *address, const char *text,
		     int64_t until_ms)
{
	struct screen *sc = ctx;
	CLEANUP(sb_done) struct sb line = SB_INIT(8192), clean = SB_INIT(8192);
	char when[WHEN_TEXT_MAX];

	sb_add_visible(&clean, text);
	snprintf(sc->step, sizeof(sc->step), "%s", address);
	snprintf(sc->state, sizeof(sc->state), "%s", clean.buf);
	sc->until = until_ms;
	if (ev == APPLY_STEP_STARTED)
		sc->step_since = sys_mono_ms(sc->s->p->sys);
	wipe_line(sc);
	sb_addf(&line, "%-7s %s%s%s", words_of[ev], address, *address ? ": " : "", clean.buf);
	if (until_ms)
		sb_addf(&line, " (until %s)", when_text(when, until_ms));
	sb_addc(&line, '\n');
	session_talk(sc->s, &line);
}

static void on_instruct(void *ctx, const char *address, const struct instruction *in,
			const char *ack)
{
	struct screen *sc = ctx;
	CLEANUP(sb_done) struct sb out = SB_INIT(16384);

	wipe_line(sc);
	sb_addf(&out, "\nA person is needed: %s\n", address);
	if (in->page) {
		sb_add(&out, "  page   ");
		sb_add_visible(&out, in->page);
		sb_addc(&out, '\n');
	}
	for (size_t i = 0; i < ARRAY_LEN(in->lines) && in->lines[i]; i++) {
		sb_addf(&out, "  %zu.     ", i + 1);
		sb_add_visible(&out, in->lines[i]);
		sb_addc(&out, '\n');
	}
	if (in->check) {
		sb_add(&out, "  check  ");
		sb_add_visible(&out, in->check);
		sb_addc(&out, '\n');
	}
	sb_addf(&out, "  then   %s\n\n", ack);
	session_talk(sc->s, &out);
}

/* One line on a terminal: the running step, how long, what was last seen, what it waits for. */
static void on_tick(void *ctx, int64_t now_ms)
{
	struct screen *sc = ctx;
	int64_t mono = sys_mono_ms(sc->s->p->sys);
	CLEANUP(sb_done) struct sb line = SB_INIT(2048);
	char span[WHEN_TEXT_MAX], left[WHEN_TEXT_MAX];

	(void)now_ms;
	if (!sc->live || mono - sc->drawn < 250 || !sc->step[0])
		return;
	sc->drawn = mono;
	sb_addf(&line, "%s  %s  %s", sc->step,
		when_span_text(span, (mono - sc->step_since) / WHEN_SECOND * WHEN_SECOND),
		sc->state);
	if (sc->until > now_ms)
		sb_addf(&line, "  %s left",
			when_span_text(left, (sc->until - now_ms) / WHEN_SECOND * WHEN_SECOND));
	sb_shrink(&line, MIN_OF(line.len, (size_t)(sc->s->p->width ? sc->s->p->width - 1 : 99)));
	wipe_line(sc);
	session_talk(sc->s, &line);
	sc->line_shown = true;
}

static bool on_confirm(void *ctx, const char *address, const char *title)
{
	struct screen *sc = ctx;
	CLEANUP(sb_done) struct sb question = SB_INIT(8192), typed = SB_INIT(8192);

	wipe_line(sc);
	sb_addf(&question, "%s cannot be undone. Type the project's title ('", address);
	sb_add_visible(&question, title);
	sb_add(&question, "') to go on: ");
	return sc->s->p->ask(sc->s->p->ctx, question.buf, &typed) && strcmp(typed.buf, title) == 0;
}

static int show_plan(void *ctx, struct plan *p, bool is_resumed)
{
	struct screen *sc = ctx;
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX * 4);
	struct report_style style = session_style(sc->s);

	if (is_resumed) {
		session_talkf(sc->s, "going on with the open %s\n",
			      p->direction == DIRECTION_BACK ? "way back" : "run");
		return 0;
	}
	if (sc->plan_out) {
		CLEANUP(sb_done) struct sb doc = SB_INIT(SB_TEXT_MAX * 4);

		json_write(&doc, plan_to_value(p), JSON_CANONICAL, NULL);
		sb_addc(&doc, '\n');
		if (file_write(sc->plan_out, doc.buf, doc.len, 0644, &sc->s->err) < 0)
			return session_fail(sc->s, &sc->s->err);
	}
	report_plan_text(plan_to_value(p), &style, &text);
	if (sc->json)
		session_talk(sc->s, &text);
	else
		session_out(sc->s, &text);
	return plan_exit_status(p);
}

static void print_result(struct session *s, const struct apply_result *r, bool json)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(8192);
	char when[WHEN_TEXT_MAX];
	int exit_status = r->plan_status ? r->plan_status : err_exit_status(r->code);

	if (json) {
		struct value *m = value_map(&s->arena);

		value_set(&s->arena, m, "steps_done", value_int(&s->arena, (int64_t)r->done));
		value_set(&s->arena, m, "steps_total", value_int(&s->arena, (int64_t)r->total));
		value_set(&s->arena, m, "nothing_to_do", value_bool(&s->arena, r->nothing_to_do));
		value_set(&s->arena, m, "until", value_instant(&s->arena, r->until_ms));
		value_set(&s->arena, m, "summary", value_string(&s->arena, r->summary));
		value_set(&s->arena, m, "exit", value_int(&s->arena, exit_status));
		json_write(&out, m, JSON_CANONICAL, NULL);
	} else if (r->nothing_to_do) {
		sb_add(&out, "nothing to do");
	} else if (r->plan_status) {
		sb_add(&out, "nothing was changed");
	} else {
		sb_addf(&out, "%zu of %zu steps done", r->done, r->total);
		if (r->code == E_WAIT && r->needs_person && r->until_ms)
			sb_addf(&out,
				"; waiting for a person (%s), and for %s; then run the same command again",
				r->summary, when_text(when, r->until_ms));
		else if (r->code == E_WAIT && r->until_ms)
			sb_addf(&out, "; waiting until %s, then run the same command again",
				when_text(when, r->until_ms));
		else if (r->code == E_WAIT && r->needs_person)
			sb_addf(&out,
				"; waiting for a person (%s), then run the same command again",
				r->summary);
		else if (r->code == E_WAIT)
			sb_addf(&out, "; waiting (%s); run the same command again later",
				r->summary);
		else if (r->code == E_SIGNAL)
			sb_add(&out, "; interrupted, run the same command again");
		else if (r->code)
			sb_addf(&out, "; stopped: %s", r->summary);
	}
	sb_addc(&out, '\n');
	session_out(s, &out);
}

static int parse_wait(struct session *s, const char *wait, int64_t *ret)
{
	*ret = PATIENCE;
	if (!wait)
		return 0;
	*ret = INT64_MAX;
	if (*wait && when_parse_span(wait, ret, &s->err) < 0) {
		struct err why = s->err;

		err_clear(&s->err);
		return err_set(&s->err, E_USAGE, "--wait: %s", why.msg);
	}
	return 0;
}

int session_apply(struct session *s, struct apply_options *o, const struct carry *how)
{
	struct screen sc = {
		.s = s, .live = s->p->talk_is_terminal, .plan_out = how->plan_out, .json = how->json
	};
	struct apply_ui ui = { .ctx = &sc,
			       .event = on_event,
			       .instruct = on_instruct,
			       .tick = on_tick,
			       .confirm = on_confirm };
	struct apply_result r;

	if (parse_wait(s, how->wait, &o->patience_ms) < 0)
		return session_fail(s, &s->err);
	o->ui = &ui;
	o->show_plan = show_plan;
	o->show_ctx = &sc;
	o->calls = &s->calls;
	o->store = file_store_ops(s->store);
	o->ack_suffix = session_state_option(s);
	o->envs = (const struct rollout_env *const *)s->envs;
	if (apply_run(o, &s->arena, &r, &s->err) < 0) {
		wipe_line(&sc);
		return session_fail(s, &s->err);
	}
	wipe_line(&sc);
	print_result(s, &r, sc.json);
	return r.plan_status ? r.plan_status : err_exit_status(r.code);
}

int cmd_apply(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"apply", "FILE",
		"Plans, shows the plan, and carries it out. Run again to go on where it stopped.",
		NULL
	};
	struct opt_list confirmed = { .count = 0 };
	struct apply_options o = { .direction = DIRECTION_FORWARD };
	struct carry how = { .wait = NULL };
	int status;
	const struct opt own[] = {
		{ "wait", 0, OPT_MAYBE, "DURATION",
		  "stay until gates can pass, for at most DURATION at a time", &how.wait },
		{ "confirm", 0, OPT_LIST, "TITLE",
		  "the project whose old credential may be deleted", &confirmed },
		{ "env", 0, OPT_LIST, "NAME", "only this environment; may be repeated",
		  &s->common.env },
		{ "abandon", 0, OPT_FLAG, NULL,
		  "give up the open run of these environments and plan anew", &o.abandon },
		{ "out", 'o', OPT_TEXT, "PLAN", "also write the plan as canonical JSON",
		  &how.plan_out },
		{ "format", 0, OPT_TEXT, "FORMAT", "of the result: text (default) or json",
		  &s->common.format },
		{ "state", 0, OPT_TEXT, "DIR",
		  "where journal and lock live, instead of the file's `state`", &s->common.state },
		{ "time-scale", 0, OPT_TEXT, "N", "for sandboxes: divide own sleeping by N",
		  &s->common.time_scale },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !session_wants_json(s, &how.json, &status) ||
	    !session_load(s, s->words.items[0], &status) || !session_select(s, &status) ||
	    !session_connect(s, &status))
		return status;
	o.confirmed = confirmed.items;
	return session_apply(s, &o, &how);
}
