/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sim/drive.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/redact.h"
#include "core/base/when.h"
#include "core/io/json.h"
#include "core/report/status.h"
#include "core/report/text_plan.h"
#include "core/run/attest.h"
#include "core/run/planner.h"
#include "core/sim/back.h"
#include "core/sim/memory.h"
#include "core/sim/questions.h"
#include "core/sim/wire.h"

#define PATIENCE (30 * WHEN_MINUTE) /* the program's own */
#define TOLD_MAX ((size_t)64 << 20)
#define TITLES_MAX 16
#define COMMANDS_MAX 500      /* with trouble and without */
#define CALM_COMMANDS_MAX 300 /* since the last trouble */
#define FAILURES_TO_REST 3
#define WAITS_TO_REST 10
#define ABANDONS_MAX 2
#define ANSWERS_MAX 40 /* people who are too slow for what they are asked may answer for ever */
/* Nothing gets ahead any more: waiting for the rest of the trouble is idle. */
#define STUCK_IN_TROUBLE 6
#define STREAM_USER 3
#define STREAM_TROUBLE 4
#define STREAM_PERSON 5 /* 6 is back.c's */

struct drive {
	const struct drive_case *c;
	struct drive_result *r;
	struct drive_watch watch; /* all NULL when nobody is told */
	struct arena arena;
	struct sim_clock clock;
	struct memory memory;
	struct sim_wire *wire;
	struct questions questions;
	struct sim_random random;
	struct rollout *rollout;
	const struct rollout_env **envs, **all;
	const char *titles
		[TITLES_MAX +
		 1]; /* those that a refusal to go on has named: given with --confirm from then on */
	size_t title_count;
	int64_t hang_up_ms; /* with --wait: when the user has had enough */
	bool abandon;       /* the next one with --abandon */
	bool wants_abandon; /* the last one's words named it */
	unsigned abandoned;
	const struct rollout_env **
		others; /* those that the last plan did not refuse, when it refused some; else NULL */
	unsigned same;      /* so many commands got nothing ahead */
	enum direction way; /* that the user goes */
	struct back back;
	struct back_look look;
	bool turned;       /* the user wants to go back now */
	bool is_under_way; /* the last rollback waits: `apply` would go on with it */
};

/* How the last command ended. */
struct ending {
	int status;
	bool by_itself;
	bool was_applied; /* a run was under way */
	size_t done;
	int64_t until_ms;
	uint64_t acks_before, acks; /* given before it began, and when it ended */
};

/* ---- words ---- */

static void tell(struct drive *d, const char *channel, struct sb *text)
{
	char when[WHEN_TEXT_MAX];

	redact_text(text);
	d->c->scene->saw_text(d->c->scene->ctx, channel, text->buf, text->len);
	if (d->c->is_told)
		sb_addf(&d->r->told, "%s  %s%s", when_text(when, d->clock.now_ms), text->buf,
			text->len && text->buf[text->len - 1] == '\n' ? "" : "\n");
}

/* For whoever reads a failed case; no output of the program. */
static void note(struct drive *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void note(struct drive *d, const char *fmt, ...)
{
	char when[WHEN_TEXT_MAX];
	va_list ap;

	if (!d->c->is_told)
		return;
	sb_addf(&d->r->told, "%s  == ", when_text(when, d->clock.now_ms));
	va_start(ap, fmt);
	sb_addv(&d->r->told, fmt, ap);
	va_end(ap);
	sb_addc(&d->r->told, '\n');
}

/* A step of the switch is done: the app has its new settings, or runs with them. */
static bool is_switch(const struct drive *d, const char *address)
{
	const char *thing = strchr(address, '/'), *change = strrchr(address, '/');
	char name[64];
	const struct change_type *t;

	if (!thing || thing == change)
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(change - thing - 1), thing + 1);
	t = registry_change(d->c->registry, name, change + 1);
	return t && t->phase == PHASE_SWITCH;
}

static void on_event(void *ctx, enum apply_event ev, const char *address, const char *text,
		     int64_t until_ms)
{
	static const char *const words[] = {
		[APPLY_STEP_STARTED] = "begins", [APPLY_STEP_ACTING] = "acts",
		[APPLY_GATE_SAW] = "saw",        [APPLY_STEP_WAITS] = "waits",
		[APPLY_STEP_DONE] = "done",      [APPLY_STEP_FAILED] = "FAILED",
		[APPLY_NOTE] = "note",
	};
	struct drive *d = ctx;
	CLEANUP(sb_done) struct sb line = SB_INIT(16384);
	char when[WHEN_TEXT_MAX];

	if (*address)
		troubles_at_step(&d->r->troubles, address, strlen(address));
	if (ev == APPLY_STEP_DONE)
		d->look.switched += is_switch(d, address);
	if (d->watch.event)
		d->watch.event(d->watch.ctx, d->clock.now_ms, ev, address);
	sb_addf(&line, "%-7s %s: %s", words[ev], address, text);
	if (until_ms)
		sb_addf(&line, " (until %s)", when_text(when, until_ms));
	tell(d, "output", &line);
}

static void ask_person(struct drive *d, const char *address, const struct instruction *in)
{
	if (d->watch.asked)
		d->watch.asked(d->watch.ctx, d->clock.now_ms, address);
	questions_ask(&d->questions, address, in);
}

static void on_instruct(void *ctx, const char *address, const struct instruction *in,
			const char *ack)
{
	struct drive *d = ctx;
	CLEANUP(sb_done) struct sb out = SB_INIT(65536);

	sb_addf(&out, "A person is needed: %s\n  page   %s\n", address, in->page ? in->page : "");
	for (size_t i = 0; i < ARRAY_LEN(in->lines) && in->lines[i]; i++)
		sb_addf(&out, "  %zu.     %s\n", i + 1, in->lines[i]);
	sb_addf(&out, "  check  %s\n  then   %s\n", in->check ? in->check : "", ack);
	tell(d, "output", &out);
	ask_person(d, address, in);
}

/* The first time it is not given: the program then says which title --confirm wants. */
static bool on_confirm(void *ctx, const char *address, const char *title)
{
	struct drive *d = ctx;

	(void)address;
	if (d->title_count < TITLES_MAX)
		d->titles[d->title_count++] = arena_strdup(&d->arena, title);
	return d->c->calm;
}

/* What has to be attested before anything is planned, as the plan says it. */
static void ask_for_facts(struct drive *d, const struct plan_env *env)
{
	for (size_t i = 0; i < env->changes.attest_count; i++) {
		const struct attest_need *need = &env->changes.attests[i];
		struct instruction in = { .page = need->thing->page, .check = need->why };
		CLEANUP(sb_done) struct sb args = SB_INIT(8192);

		if (need->step)
			continue;
		for (const char *const *f = need->facts; *f; f++)
			sb_addf(&args, "%s--fact %s=...", args.len ? " " : "", *f);
		in.ack_args = args.buf;
		ask_person(d,
			   arena_printf(&d->arena, "%s/%s/attest", env->env->name,
					need->thing->name),
			   &in);
	}
}

/* One environment that is refused holds all of them: a user who reads that names the others with --env. */
static void name_others(struct drive *d, const struct plan *p)
{
	size_t n = 0;

	d->others = arena_array(&d->arena, p->env_count + 1, sizeof(*d->others));
	for (size_t i = 0; i < p->env_count; i++)
		if (p->envs[i].outlook != OUTLOOK_REFUSED)
			d->others[n++] = p->envs[i].env;
	if (n == 0 || n == p->env_count)
		d->others = NULL;
}

static void show(struct drive *d, struct plan *p)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	const struct report_style style = { .width = 100 };

	for (size_t i = 0; i < p->env_count; i++)
		if (p->envs[i].outlook == OUTLOOK_ATTEST)
			ask_for_facts(d, &p->envs[i]);
	report_plan_text(plan_to_value(p), &style, &text);
	tell(d, "output", &text);
}

static int show_plan(void *ctx, struct plan *p, bool is_resumed)
{
	struct drive *d = ctx;

	d->look.switches = 0;
	for (size_t i = 0; i < p->step_count; i++)
		d->look.switches += p->steps[i].phase == PHASE_SWITCH;
	if (!is_resumed) {
		show(ctx, p);
		name_others(ctx, p);
		if (d->watch.planned)
			d->watch.planned(d->watch.ctx, plan_to_value(p), plan_exit_status(p));
	}
	return plan_exit_status(p);
}

static void tell_end(struct drive *d, const char *command, int status, const char *summary,
		     const char *hint)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(8192);

	sb_addf(&text, "%s: exit %d: %s%s%s", command, status, summary, *hint ? "; " : "", hint);
	tell(d, "output", &text);
}

/* ---- commands ---- */

static void begin_command(struct drive *d, enum scene_command kind)
{
	sim_clock_start_process(&d->clock);
	memory_start_process(&d->memory);
	sim_wire_start_process(d->wire);
	troubles_at_step(&d->r->troubles, NULL, 0);
	d->r->commands++;
	d->c->scene->command_begins(d->c->scene->ctx, kind);
}

static bool end_command(struct drive *d, enum scene_command kind, int status)
{
	bool by_itself = !d->clock.killed && !d->clock.signals;

	if (d->clock.killed) {
		d->r->kills++;
		note(d, "killed");
	}
	sim_wire_start_process(d->wire);
	sim_wire_catch_up(d->wire);
	d->hang_up_ms = INT64_MAX;
	d->c->scene->command_ended(d->c->scene->ctx, kind, by_itself, by_itself ? status : -1);
	sim_clock_start_process(&d->clock);
	return by_itself;
}

static struct caller_options calls_of(struct drive *d, struct clocks *clocks)
{
	*clocks = (struct clocks){ .sys = &d->clock.sys };
	return (struct caller_options){
		.sys = &d->clock.sys,
		.transport = sim_wire_transport(d->wire),
		.secrets = &d->memory.source,
		.clocks = clocks,
		.registry = d->c->registry,
		.rollout = d->rollout,
	};
}

static int64_t draw_patience(struct drive *d)
{
	static const int64_t some[] = { 0,        WHEN_MINUTE, 10 * WHEN_MINUTE,
					PATIENCE, PATIENCE,    PATIENCE };

	if (d->c->calm)
		return PATIENCE;
	if (sim_random_one_in(&d->random, 40)) {
		d->hang_up_ms = d->clock.now_ms +
				sim_random_between(&d->random, WHEN_MINUTE, 6 * WHEN_HOUR);
		return INT64_MAX;
	}
	return some[sim_random_between(&d->random, 0, (int64_t)ARRAY_LEN(some) - 1)];
}

static void read_words(struct drive *d, const char *words, const char *hint)
{
	d->wants_abandon = strstr(words, "--abandon") || strstr(hint, "--abandon");
}

/* A command that the user gives to go on the way that they go. Whoever goes back may go on with `apply` as well. */
static enum direction direction_of_command(struct drive *d)
{
	if (d->way == DIRECTION_BACK && d->is_under_way && back_resumes_forward(&d->back))
		return DIRECTION_FORWARD;
	return d->way;
}

static void say_who_goes_back(struct drive *d)
{
	for (const struct rollout_env **env = d->envs; *env; env++)
		d->c->scene->takes_back(d->c->scene->ctx, (*env)->name);
}

static struct ending command_apply(struct drive *d)
{
	enum direction way = direction_of_command(d);
	const char *name = way == DIRECTION_BACK ? "rollback --apply" : "apply";
	struct apply_ui ui = {
		.ctx = d, .event = on_event, .instruct = on_instruct, .confirm = on_confirm
	};
	struct clocks clocks;
	struct caller_options calls = calls_of(d, &clocks);
	struct apply_options o = {
		.calls = &calls,
		.store = &d->memory.store,
		.ui = &ui,
		.confirmed = d->titles,
		.envs = d->envs,
		.direction = way,
		.show_plan = show_plan,
		.show_ctx = d,
		.abandon = d->abandon,
	};
	struct apply_result result;
	struct err err = ERR_INIT;
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct ending e = { 0 };
	int64_t began;
	int rc;

	began = d->clock.now_ms;
	begin_command(d, d->abandon ? SCENE_ABANDONS : SCENE_APPLY);
	if (way == DIRECTION_BACK)
		say_who_goes_back(d);
	e.acks_before = d->questions.acks;
	d->r->applies++;
	o.patience_ms = draw_patience(d);
	note(d, "%s%s, patience %" PRId64 " s", name, d->abandon ? " --abandon" : "",
	     o.patience_ms / WHEN_SECOND);
	d->abandon = false;
	d->others = NULL;
	rc = apply_run(&o, &a, &result, &err);
	e.status = rc < 0             ? err_exit_status(err.code) :
		   result.plan_status ? result.plan_status :
					err_exit_status(result.code);
	e.done = result.done;
	e.until_ms = result.until_ms;
	e.was_applied = rc == 0 && result.total > 0;
	tell_end(d, name, e.status, rc < 0 ? err.msg : result.summary, err.hint);
	read_words(d, rc < 0 ? err.msg : result.summary, err.hint);
	e.by_itself = end_command(d, SCENE_APPLY, e.status);
	e.acks = d->questions.acks;
	d->is_under_way = way == DIRECTION_BACK && e.was_applied && e.status == 3;
	d->look.failed = e.by_itself && e.status == 4;
	if (d->watch.applied)
		d->watch.applied(d->watch.ctx, began, d->clock.now_ms, e.status,
				 rc < 0 ? err.msg : result.summary, e.until_ms);
	return e;
}

static bool is_any_open(const struct drive *d, const struct history *h)
{
	bool any = false;

	for (const struct rollout_env **env = d->envs; *env; env++)
		any |= history_open_run(h, (*env)->name) != NULL;
	return any;
}

static int command_plan(struct drive *d)
{
	struct clocks clocks;
	struct caller_options calls = calls_of(d, &clocks);
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct journal journal;
	struct journal_said jsaid = { .journal = &journal, .sys = &d->clock.sys };
	struct said said = journal_said_ops(&jsaid);
	struct observer ob = { .o = &calls, .said = &said };
	struct planner_options po = { .observer = &ob, .envs = d->envs };
	struct plan *plan = NULL;
	struct err err = ERR_INIT;
	int status;

	begin_command(d, SCENE_READS);
	note(d, "plan");
	ob.caller = caller_new(&calls);
	if (journal_open(&journal, &d->memory.store, &d->clock.sys, &err) < 0 ||
	    attest_take(&journal, d->c->registry, false, &err) < 0 ||
	    planner_run(&po, &a, &plan, NULL, &err) < 0) {
		status = err_exit_status(err.code);
	} else {
		show(d, plan);
		status = plan_exit_status(plan);
		if (!status && (plan->step_count || is_any_open(d, &journal.history)))
			status = 2;
	}
	tell_end(d, "plan", status, err.msg, err.hint);
	caller_free(ob.caller);
	journal_close(&journal);
	return end_command(d, SCENE_READS, status) ? status : -1;
}

static void command_status(struct drive *d)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const struct report_style style = { .width = 100 };
	const char **names = arena_array(&a, d->rollout->env_count + 1, sizeof(*names));
	struct journal journal;
	struct err err = ERR_INIT;
	int status = 0;

	begin_command(d, SCENE_READS);
	for (size_t i = 0; i < d->rollout->env_count; i++)
		names[i] = d->rollout->envs[i].name;
	if (journal_open(&journal, &d->memory.store, &d->clock.sys, &err) < 0)
		status = err_exit_status(err.code);
	else
		report_status_text(report_status_doc(&a, &journal.history, names,
						     sys_wall_ms(&d->clock.sys)),
				   &style, &text);
	tell(d, "output", &text);
	tell_end(d, "status", status, err.msg, err.hint);
	journal_close(&journal);
	(void)end_command(d, SCENE_READS, status);
}

/* ---- the user ---- */

static int64_t due(void *ctx)
{
	const struct drive *d = ctx;

	return MIN_OF(questions_due(&d->questions), d->hang_up_ms);
}

static void fire(void *ctx)
{
	struct drive *d = ctx;
	uint64_t refused = d->questions.refused;

	if (d->hang_up_ms <= d->clock.now_ms) {
		d->hang_up_ms = INT64_MAX;
		d->clock.signals++;
		note(d, "the user interrupts");
	}
	questions_answer(&d->questions);
	if (d->questions.refused > refused)
		note(d, "ack was refused: %s", d->questions.last_refusal);
}

/* When the user comes back: as told, a little early, or late. */
static int64_t when_again(struct drive *d, const struct ending *e)
{
	int64_t now = d->clock.now_ms, asked = questions_due(&d->questions), until = e->until_ms;

	if (!e->by_itself)
		return now + sim_random_between(&d->random, WHEN_SECOND, 10 * WHEN_MINUTE);
	if (e->status != 3)
		return now + sim_random_between(&d->random, WHEN_MINUTE, WHEN_HOUR);
	if (d->questions.acks > e->acks_before)
		return now + WHEN_SECOND; /* answered while it ran, and not taken up any more */
	if (!until && d->c->calm)
		until = now + WHEN_DAY / 2;
	else if (!until) /* nobody knows: soon, and then ever less often */
		until = now + sim_random_between(&d->random, WHEN_MINUTE, WHEN_HOUR) *
				      (INT64_C(1) << MIN_OF(d->same, 4u));
	if (asked < INT64_MAX && (asked < until || d->c->calm))
		return MAX_OF(MIN_OF(asked, MAX_OF(until, now)), now) + WHEN_SECOND;
	if (!d->c->calm && sim_random_one_in(&d->random, 8))
		until -= sim_random_between(&d->random, 0, 20 * WHEN_MINUTE);
	else if (!d->c->calm && sim_random_one_in(&d->random, 8))
		until += sim_random_between(&d->random, 0, 30 * WHEN_HOUR);
	return MAX_OF(until, now) + WHEN_SECOND;
}

static void read_something(struct drive *d)
{
	if (d->c->calm || !sim_random_one_in(&d->random, 6))
		return;
	if (sim_random_one_in(&d->random, 3))
		command_status(d);
	else
		(void)command_plan(d);
}

static bool is_violated(struct drive *d, const char *own)
{
	const char *v = own ? own : d->c->scene->verdict(d->c->scene->ctx);

	if (v && !d->r->violation)
		d->r->violation = arena_strdup(&d->r->arena, v);
	return d->r->violation != NULL;
}

/* Nothing but a step done, an answer given, or something going wrong counts as getting ahead. */
struct rest {
	struct ending last;
	size_t most_done;
	size_t troubles;
	unsigned since_trouble;
	unsigned failures; /* one after the other, alike, without getting ahead */
};

static void count(struct drive *d, struct rest *rest, const struct ending *e, bool over)
{
	bool is_new = rest->troubles < d->r->troubles.past_count;
	bool answered = e->acks > rest->last.acks && e->acks <= ANSWERS_MAX;
	bool ahead = e->done > rest->most_done || answered || !e->by_itself || is_new;

	rest->since_trouble = is_new || !over ? 0 : rest->since_trouble + 1;
	rest->troubles = d->r->troubles.past_count;
	rest->failures = ahead || e->status == 3 || e->status != rest->last.status ?
				 e->status != 3 :
				 rest->failures + 1;
	d->same = ahead ? 1 : d->same + 1;
	rest->most_done = MAX_OF(rest->most_done, e->done); /* one that fails early has done none */
	rest->last = *e;
}

static bool is_at_rest(struct drive *d, struct rest *rest, const struct ending *e)
{
	bool over = troubles_over(&d->r->troubles);

	count(d, rest, e, over);
	if (e->by_itself && e->status == 0)
		return true;
	if (d->wants_abandon && rest->failures >= FAILURES_TO_REST - 1 &&
	    d->abandoned < ABANDONS_MAX) {
		d->abandon = true;
		d->abandoned++;
		rest->failures = 0;
		rest->most_done = 0;
		return false;
	}
	if (d->others && rest->failures >= FAILURES_TO_REST - 1) {
		d->envs = d->others;
		rest->failures = 0;
		note(d, "from now on without the environments that are refused");
		return false;
	}
	if (!over && d->same >= STUCK_IN_TROUBLE)
		d->r->troubles.ended = true;
	return over && (rest->failures >= FAILURES_TO_REST || d->same >= WAITS_TO_REST);
}

/* The user thinks better of it: once in a case, if at all. */
static bool turns_back(struct drive *d, bool at_rest)
{
	if (d->r->went_back)
		return false;
	d->look.at_rest = at_rest;
	return back_turns(&d->back, &d->look);
}

static void wait_until(struct drive *d, int64_t at_ms)
{
	sim_wire_sleep_until(d->wire, at_ms);
	sim_wire_catch_up(d->wire);
}

/* The same command again and again until nothing gets ahead any more, or the user turns back. False: a violation. */
static bool go_on(struct drive *d)
{
	struct rest rest = { .troubles = d->r->troubles.past_count };

	for (;;) {
		struct ending e = command_apply(d);
		bool at_rest;

		d->r->exit_status = e.status;
		d->r->waits += e.status == 3;
		if (is_violated(d, NULL))
			return false;
		at_rest = is_at_rest(d, &rest, &e);
		d->turned = turns_back(d, at_rest);
		if (d->turned || at_rest)
			return true;
		if (rest.since_trouble > CALM_COMMANDS_MAX || d->r->commands > COMMANDS_MAX)
			return !is_violated(d, "(d) it does not come to rest");
		read_something(d);
		if (is_violated(d, NULL))
			return false;
		wait_until(d, when_again(d, &e));
	}
}

static void take_back(struct drive *d)
{
	size_t count = 0;
	int64_t latest = d->c->calm ? WHEN_SECOND : 2 * WHEN_HOUR;

	wait_until(d, d->clock.now_ms + sim_random_between(&d->back.random, WHEN_SECOND, latest));
	while (d->all[count])
		count++;
	d->way = DIRECTION_BACK;
	d->envs = d->all;
	d->abandon = false;
	d->same = 0;
	d->r->went_back = true;
	memcpy(d->r->back_points, d->r->troubles.points, sizeof(d->r->back_points));
	if (count > 1 && !back_takes_all(&d->back)) {
		d->envs = arena_array(&d->arena, 2, sizeof(*d->envs));
		d->envs[0] = d->all[back_takes(&d->back, count)];
	}
	if (d->back.spares_forward) {
		d->r->troubles.left = d->c->troubles;
		d->r->troubles.ended = false;
	}
	for (const struct rollout_env **env = d->envs; *env; env++)
		questions_withdraw(&d->questions, (*env)->name);
	note(d, "the user goes back, with %s", d->envs == d->all ? "all" : d->envs[0]->name);
}

/* Who could not be taken back goes on; and some begin anew. */
static bool goes_forward_again(struct drive *d)
{
	d->r->is_back = d->r->exit_status == 0;
	if (d->r->is_back && !d->back.again)
		return false;
	d->way = DIRECTION_FORWARD;
	d->envs = d->all;
	d->abandon = false;
	d->same = 0;
	note(d, "the user goes forward");
	return true;
}

static void settle(struct drive *d)
{
	d->r->troubles.ended = true;
	d->r->troubles.fixed_count = 0;
	if (d->way == DIRECTION_FORWARD && d->envs != d->all) {
		d->envs = d->all;
		d->r->exit_status = command_apply(d).status;
	}
	d->envs = d->all;
	d->r->planned_status = command_plan(d);
	d->c->scene->settled(d->c->scene->ctx, d->r->exit_status, d->r->planned_status);
	(void)is_violated(d, NULL);
}

static void play(struct drive *d)
{
	if (!go_on(d))
		return;
	if (d->turned) {
		take_back(d);
		if (!go_on(d) || (goes_forward_again(d) && !go_on(d)))
			return;
	}
	settle(d);
}

/* ---- putting it together ---- */

static void choose_envs(struct drive *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->rollout->env_count; i++) {
		const char *const *name = d->c->envs;

		while (name && *name && strcmp(*name, d->rollout->envs[i].name) != 0)
			name++;
		if (!name || *name)
			d->envs[n++] = &d->rollout->envs[i];
	}
}

/* Nobody signs in a simulation. */
static const struct value *without_approvals(struct arena *a, const struct value *policy)
{
	struct value *rest = value_map(a);

	for (size_t i = 0; i < value_count(policy); i++)
		if (strcmp(value_key_at(policy, i), "approvals") != 0)
			value_set(a, rest, value_key_at(policy, i), value_at(policy, i));
	return policy ? rest : NULL;
}

static bool load(struct drive *d)
{
	struct diags diags;

	diags_init(&diags, &d->arena);
	if (rollout_parse(d->c->path ? d->c->path : "rollout.yaml", d->c->rollout,
			  strlen(d->c->rollout), d->c->registry, &d->clock.sys, &d->arena,
			  &d->rollout, &diags) < 0) {
		CLEANUP(sb_done) struct sb text = SB_INIT(65536);

		diags_print(&diags, &text);
		sb_add(&text, d->c->rollout);
		(void)is_violated(d, "(z) the rollout file that was drawn is not valid");
		sb_addn(&d->r->told, text.buf, text.len);
		return false;
	}
	d->envs = arena_array(&d->arena, d->rollout->env_count + 1, sizeof(*d->envs));
	choose_envs(d);
	d->all = d->envs;
	if (d->c->is_approved)
		d->rollout->policy = without_approvals(&d->arena, d->rollout->policy);
	return true;
}

static void set_up(struct drive *d)
{
	const struct drive_case *c = d->c;
	struct troubles *t = &d->r->troubles;

	sim_clock_init(&d->clock, c->scene->now(c->scene->ctx), c->seed);
	d->clock.env = c->vars;
	d->random = sim_random_stream(c->seed, STREAM_USER);
	back_init(&d->back, c->goes_back, c->calm, c->seed);
	*t = (struct troubles){
		.fixed = c->fixed,
		.fixed_count = c->fixed_count,
		.left = d->back.spares_forward ? 0 : c->troubles,
		.gap = c->gap,
		.aim = c->aim,
		.only = c->only,
		.random = sim_random_stream(c->seed, STREAM_TROUBLE),
	};
	if (c->watch)
		d->watch = *c->watch;
	t->on_point = d->watch.point;
	t->on_point_ctx = d->watch.ctx;
	memory_init(&d->memory, &d->clock, t, c->scene, &d->arena);
	for (size_t i = 0; i < c->secret_count; i++)
		if (c->secrets[i].text)
			value_set(&d->arena, d->memory.secrets, c->secrets[i].name,
				  value_string(&d->arena, c->secrets[i].text));
	d->questions = (struct questions){
		.scene = c->scene,
		.registry = c->registry,
		.memory = &d->memory,
		.random = sim_random_stream(c->seed, STREAM_PERSON),
		.delay_max_ms = c->person_delay_ms,
		.slow_step = c->slow_step,
		.slow_ms = c->slow_ms,
	};
	d->hang_up_ms = INT64_MAX;
	d->wire = sim_wire_new(&(struct sim_wire_options){
		.scene = c->scene,
		.clock = &d->clock,
		.troubles = t,
		.seed = c->seed,
		.values = c->values,
		.due = due,
		.fire = fire,
		.due_ctx = d,
	});
}

static void keep(struct sb *into, const struct memory *m, const char *name)
{
	const struct sb *text = memory_text(m, name);

	if (text)
		sb_addn(into, text->buf, text->len);
}

void drive_play(const struct drive_case *c, struct drive_result *ret)
{
	struct drive *d = mem_alloc(sizeof(*d)); /* large, and its clock must not move */
	int64_t began = c->scene->now(c->scene->ctx);

	*ret = (struct drive_result){ .exit_status = -1,
				      .planned_status = -1,
				      .told = SB_INIT(TOLD_MAX),
				      .journal = SB_INIT(TOLD_MAX),
				      .inbox = SB_INIT(TOLD_MAX) };
	d->c = c;
	d->r = ret;
	set_up(d);
	if (load(d))
		play(d);
	ret->exchanges = sim_wire_exchanges(d->wire);
	ret->records = d->memory.appended;
	ret->acks = d->questions.acks;
	ret->acks_refused = d->questions.refused;
	ret->span_ms = d->clock.now_ms - began;
	if (c->is_told) {
		keep(&ret->journal, &d->memory, JOURNAL_NAME);
		keep(&ret->inbox, &d->memory, INBOX_NAME);
	}
	questions_done(&d->questions);
	sim_wire_free(d->wire);
	memory_done(&d->memory);
	arena_done(&d->arena);
	mem_free(d);
}

void drive_result_done(struct drive_result *r)
{
	troubles_done(&r->troubles);
	sb_done(&r->told);
	sb_done(&r->journal);
	sb_done(&r->inbox);
	arena_done(&r->arena);
}
