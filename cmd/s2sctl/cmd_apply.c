/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cmd/s2sctl/plan_words.h"
#include "cmd/s2sctl/rendering.h"
#include "core/base/when.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/report/text_plan.h"
#include "core/run/apply.h"

#define PATIENCE (30 * WHEN_MINUTE) /* a soak is waited for, a day is not */

struct screen {
	struct session *s;
	bool live; /* a terminal: the last line is redrawn */
	bool line_shown;
	char step[200], state[400];
	int64_t step_since, drawn, until;
	const char *plan_out;
	const char
		*checker; /* asked about plans that are made here; a saved one was checked before */
	bool json;
	struct event_file *events;
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

/* A look is told by its record. */
static const struct {
	const char *event, *state;
} event_of[] = {
	[APPLY_STEP_STARTED] = { "progress", "begins" },
	[APPLY_STEP_ACTING] = { "progress", "acts" },
	[APPLY_GATE_SAW] = { NULL, NULL },
	[APPLY_STEP_WAITS] = { "waits", NULL },
	[APPLY_STEP_DONE] = { "done", NULL },
	[APPLY_STEP_FAILED] = { "failed", NULL },
	[APPLY_NOTE] = { "progress", "note" },
};

static void on_record(void *ctx, const struct value *record)
{
	const struct screen *sc = ctx;

	events_record(&sc->events->events, record);
}

static void on_event(void *ctx, enum apply_event ev, const char *address, const char *text,
		     int64_t until_ms)
{
	struct screen *sc = ctx;
	CLEANUP(sb_done) struct sb line = SB_INIT(8192), clean = SB_INIT(8192);
	char when[WHEN_TEXT_MAX];

	events_step(&sc->events->events, event_of[ev].event, event_of[ev].state, address, text,
		    until_ms);
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

	events_instruct(&sc->events->events, address, in->page, in->lines, ARRAY_LEN(in->lines),
			in->check, ack);
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

	events_planned(&sc->events->events, plan_to_value(p), is_resumed);
	if (is_resumed) {
		session_talkf(sc->s, "going on with the open %s\n",
			      p->direction == DIRECTION_BACK ? "way back" : "run");
		return 0;
	}
	if (sc->plan_out && plan_save(sc->s, p, sc->plan_out) != 0)
		return 1;
	report_plan_text(plan_to_value(p), &style, &text);
	if (sc->json)
		session_talk(sc->s, &text);
	else
		session_out(sc->s, &text);
	if (plan_exit_status(p) || !sc->checker)
		return plan_exit_status(p);
	return plan_checked_by(sc->s, plan_seal(p), sc->checker);
}

/*
 * A saved plan names its rollout file and its environments; the bytes that are checked here are the ones that are carried out. False: exit
 * status. NULL in *ret: the word is a rollout file.
 */
static bool open_plan(struct session *s, const struct sb *text, struct plan_file **ret,
		      const char **ret_rollout, int *ret_exit)
{
	const char *path = s->words.items[0];

	*ret_rollout = path;
	if (!plan_file_is_plan(text->buf, text->len)) {
		if (s->words.count == 1)
			return true;
		err_set(&s->err, E_USAGE, "'%s' is no plan: a rollout file stands alone", path);
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	if (s->common.env.count)
		err_set(&s->err, E_USAGE,
			"--env is for rollout files: a plan says which environments");
	if (s->err.code || plan_file_parse(&s->arena, path, text->buf, text->len, s->p->registry,
					   ret, &s->err) < 0) {
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	*ret_rollout = plan_rollout_path(s, *ret, s->words.items[1], &s->err);
	if (!*ret_rollout)
		*ret_exit = session_fail(s, &s->err);
	return *ret_rollout != NULL;
}

static bool select_envs(struct session *s, const struct plan_file *f, int *ret_exit)
{
	const struct rollout_env **envs = NULL;

	if (f && plan_file_envs(f, s->rollout, &s->arena, &envs, &s->err) < 0) {
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	if (!session_select(s, ret_exit))
		return false;
	if (f)
		s->envs = envs;
	return true;
}

static bool load_all(struct session *s, struct plan_file **ret, int *ret_exit)
{
	CLEANUP(sb_done) struct sb text = SB_INIT((size_t)256 << 20);
	const char *rollout;
	struct err ignored = ERR_INIT;

	/* What cannot be read is told by who reads it as a rollout file. */
	if (file_read(s->words.items[0], &text, &ignored) < 0)
		sb_reset(&text);
	return open_plan(s, &text, ret, &rollout, ret_exit) && session_load(s, rollout, ret_exit) &&
	       select_envs(s, *ret, ret_exit);
}

/* Giving a run up is meant once. */
const char *session_again(struct session *s, const char *command, int argc, const char *const *argv)
{
	CLEANUP(sb_done) struct sb cmd = SB_INIT(65536);

	sb_addf(&cmd, "s2sctl %s", command);
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--abandon") != 0) {
			sb_addc(&cmd, ' ');
			text_add_word(&cmd, argv[i]);
		}
	return arena_strdup(&s->arena, cmd.buf);
}

/* Below the one line that says how it ended: why, and the command to run then. */
static void put_again(struct sb *out, const struct apply_result *r, const char *again)
{
	if (r->code != E_WAIT && r->code != E_SIGNAL)
		return;
	if (r->code == E_WAIT && r->until_ms && !r->needs_person) {
		sb_add(out, "\n  for  ");
		sb_add_visible(out, r->summary);
	}
	sb_addf(out, "\n  run  %s", again);
}

static void print_result(struct session *s, const struct apply_result *r, bool json,
			 const char *again)
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
		value_set(&s->arena, m, "exit",
			  value_int(&s->arena, program_exit(s->p, exit_status)));
		if (r->code == E_WAIT || r->code == E_SIGNAL)
			value_set(&s->arena, m, "run", value_string(&s->arena, again));
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
		put_again(&out, r, again);
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
	struct screen sc = { .s = s,
			     .live = s->p->talk_is_terminal,
			     .plan_out = how->plan_out,
			     .checker = how->checker,
			     .json = how->json,
			     .events = how->events };
	struct apply_ui ui = { .ctx = &sc,
			       .event = on_event,
			       .instruct = on_instruct,
			       .tick = on_tick,
			       .confirm = on_confirm };
	struct apply_result r;
	int status;

	if (parse_wait(s, how->wait, &o->patience_ms) < 0)
		return event_file_end(how->events, session_fail(s, &s->err), NULL);
	event_file_started(how->events, "apply");
	o->ui = &ui;
	o->show_plan = show_plan;
	o->show_ctx = &sc;
	o->on_record = on_record;
	o->record_ctx = &sc;
	o->calls = &s->calls;
	o->store = file_store_ops(s->store);
	o->ack_suffix = session_state_option(s);
	o->envs = (const struct rollout_env *const *)s->envs;
	if (apply_run(o, &s->arena, &r, &s->err) < 0) {
		wipe_line(&sc);
		return event_file_end(how->events, session_fail(s, &s->err), NULL);
	}
	wipe_line(&sc);
	print_result(s, &r, sc.json, how->again);
	status = r.plan_status ? r.plan_status : err_exit_status(r.code);
	return event_file_end(how->events, status,
			      &(struct events_result){ true, r.done, r.total, r.until_ms,
						       r.summary });
}

int cmd_apply(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"apply", "PLAN|FILE",
		"Carries out a saved plan, or plans, shows the plan, and carries it out. "
		"Run again to go on where it stopped.",
		NULL
	};
	struct opt_list confirmed = { .count = 0 };
	struct apply_options o = { .direction = DIRECTION_FORWARD };
	struct event_file events = { .path = NULL };
	struct carry how = { .events = &events };
	struct approval_sources approvals = { .approvals = NULL };
	struct plan_file *plan = NULL;
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
		{ "approvals", 0, OPT_TEXT, "FILE", "who approved it, instead of PLAN.approvals",
		  &approvals.approvals },
		{ "allowed-signers", 0, OPT_TEXT, "FILE",
		  "who may approve, instead of what the policy names", &approvals.signers },
		{ "revoked", 0, OPT_TEXT, "FILE", "keys that count no more, likewise",
		  &approvals.revoked },
		{ "by", 0, OPT_TEXT, "NAME", "who makes the plan, and may not approve it",
		  &o.made_by },
		{ "policy-exec", 0, OPT_TEXT, "CMD",
		  "hand the plan to CMD as JSON on stdin; its exit status decides", &how.checker },
		{ "events", 0, OPT_TEXT, "FILE", "write what happens as JSON Lines", &events.path },
		{ "format", 0, OPT_TEXT, "FORMAT", "of the result: text (default) or json",
		  &s->common.format },
		{ "state", 0, OPT_TEXT, "DIR",
		  "where journal and lock live, instead of the file's `state`", &s->common.state },
		{ "time-scale", 0, OPT_TEXT, "N", "for sandboxes: divide own sleeping by N",
		  &s->common.time_scale },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 2, &status) ||
	    !session_wants_json(s, &how.json, &status) || !event_file_open(&events, s, &status))
		return status;
	if (!load_all(s, &plan, &status) || !session_connect(s, &status))
		return event_file_end(&events, status, NULL);
	if (plan && how.checker) { /* asked before anything is sent */
		status = plan_checked_by(s, plan->doc, TAKE(how.checker));
		if (status)
			return event_file_end(&events, status, NULL);
	}
	if (plan && !approvals.approvals)
		approvals.approvals = plan_approvals_path(s, plan->path);
	if (plan)
		o.direction = plan_file_direction(plan);
	o.plan_file = plan;
	o.approvals = &approvals;
	o.confirmed = confirmed.items;
	how.again = session_again(s, "apply", argc, argv);
	return session_apply(s, &o, &how);
}
