/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restart.c - stops the workflows that run, waits until all are stopped, starts them again: one step.
 *
 * In the middle nothing is synchronised, so whatever goes wrong after the first stop leads to "mend", which
 * starts again what is meant to run, for a bounded time, and only then fails. Stop and start are idempotent by
 * the bridge's contract (200 when already so); still, one whose answer was lost is sent again only after a look.
 * A call without an answer where one was due counts as a lost reply.
 *
 * An attempt that was killed may have sent a stop that arrives late, after the start of this one. So the step then goes on looking for as long as
 * effects may lag, and starts once more what has been stopped in that time.
 *
 * Source: d365-acs-self-service-app-workflows.md and -migrate-credentials.md, read 2026-11-23. There is no word for "stopping", and
 * STARTING takes "a few minutes" without a bound.
 */
#include <string.h>

#include "app.h"
#include "core/base/sb.h"
#include "core/base/when.h"

#define STOP_MAX_MS (15 * WHEN_MINUTE) /* until all show STOPPED */
#define RUN_MAX_MS (30 * WHEN_MINUTE)  /* until all show RUNNING */
#define MEND_MAX_MS (3 * WHEN_MINUTE)  /* for starting again what was stopped */
/* The app's first mint must be newer than the restart by the evidence's margin of 60 s, and Date counts whole seconds. */
#define MARGIN_MS (61 * WHEN_SECOND)
#define LATE_MS (15 * WHEN_MINUTE) /* an act's effect may come so much later */
/* A killed attempt sent its last stop no later than so long after its intent. */
#define STOPS_FOR_MS (MEND_MAX_MS + STOP_MAX_MS)
#define PAUSE_MS (5 * WHEN_SECOND)
#define PAUSE_LONG_MS (10 * WHEN_SECOND)
#define TRIES_MAX 10
#define AGAIN_MAX 3
#define SKEW_MS                                                                                    \
	(5 *                                                                                       \
	 WHEN_MINUTE) /* a start that much older than the stop is an old answer, not another clock */

enum stage {
	BEGIN,
	FIRST,
	FIRST_PAUSE,
	STOP,
	STOP_PAUSE,
	STOP_LOOK,
	MARGIN,
	START,
	RUN_PAUSE,
	RUN_LOOK,
	MEND_LOOK,
	MEND_START,
	MEND_PAUSE
};

struct job {
	struct app_workflow now;      /* as last read */
	bool acts, starts;            /* is stopped by this step; is meant to run after it */
	bool stop_sent, seen_stopped; /* seen_stopped: since that stop */
	bool start_sent;              /* and accepted */
	bool failed_before; /* FAILED in the look before: two in a row are no stale answer */
	unsigned tries;     /* of the POST at hand */
	unsigned down;      /* looks in a row that showed it STOPPED, since its last POST */
	unsigned again;     /* starts after a stop that came late */
};

struct restart {
	const char *instance;
	struct job jobs[APP_WORKFLOWS];
	size_t at;          /* whose POST is under way */
	int64_t stopped_ms; /* server time of the answer that showed all stopped */
	int64_t since_ms;   /* server time of the first look of this wait; 0: none yet */
	int64_t waited_ms;  /* pauses of this wait: counts where a server tells no time */
	int64_t margin_left_ms;
	int64_t late_until_ms; /* server time until which a killed attempt's stop may arrive; 0: there was none */
	struct err failed;  /* mending: with what it will end */
	struct err refused; /* words of the last refusal of a POST */
};

static int64_t answer_ms(const struct call *c, const struct http_resp *last)
{
	if (last->date_ms)
		return last->date_ms;
	if (c->server_ms)
		return c->server_ms;
	return last->done_wall_ms ? last->done_wall_ms : c->view->now_ms;
}

static void wait_begins(struct restart *r)
{
	r->since_ms = r->waited_ms = 0;
}

static bool is_past(struct restart *r, int64_t now_ms, int64_t max_ms)
{
	if (r->since_ms == 0)
		r->since_ms = now_ms;
	return MAX_OF(now_ms - r->since_ms, r->waited_ms) > max_ms;
}

static enum next rest(struct call *c, struct restart *r, int64_t ms, enum stage then)
{
	c->wait_ms = ms;
	r->waited_ms += ms;
	c->stage = then;
	return NEXT_WAIT;
}

/* Early looks come soon, so that a quick stop is a short outage. */
static enum next nap(struct call *c, struct restart *r, enum stage then)
{
	return rest(c, r, r->waited_ms < WHEN_MINUTE ? PAUSE_MS : PAUSE_LONG_MS, then);
}

static enum next look(struct call *c, struct http_req *req, struct err *err, enum stage then)
{
	if (app_ask_workflows(c, req, err) < 0)
		return NEXT_FAIL;
	/* An error must not end the call with workflows stopped, by it or by one before it that was killed. */
	req->flags = REQ_ANY_STATUS;
	c->stage = (int)then;
	return NEXT_SEND;
}

static enum next post(struct call *c, struct restart *r, struct http_req *req, size_t at,
		      const char *verb, enum stage then)
{
	*req = (struct http_req){
		.method = "POST",
		.conn = "bridge",
		.path = http_path(c->arena, "/v1/apps/%s/workflows/%s/%s", r->instance,
				  app_workflows[at], verb),
		.flags = REQ_ANY_STATUS,
		.what = arena_printf(c->arena, "%s workflow '%s'", verb, app_workflows[at]),
	};
	r->at = at;
	r->jobs[at].tries++;
	r->jobs[at].down = 0;
	c->stage = (int)then;
	return NEXT_SEND;
}

static bool is_accepted(const struct http_resp *last)
{
	return last && http_ok(last);
}

/* Worth another try after a look: lost, too early, too many, or the bridge's own trouble. */
static bool is_passing(const struct http_resp *last)
{
	/* A token that cannot be fetched anew may be refused once by a gateway: no reason to leave a workflow stopped. */
	return !last || last->status == 401 || last->status == 409 || last->status == 429 ||
	       last->status >= 500;
}

static void keep_words(struct call *c, struct restart *r, const struct http_resp *last,
		       const char *verb)
{
	const struct http_req req = { .conn = "bridge",
				      .what = arena_printf(c->arena, "%s workflow '%s'", verb,
							   app_workflows[r->at]) };

	err_clear(&r->refused);
	if (last)
		app_unexpected(&req, last, r->instance, &r->refused);
	else
		err_set(&r->refused, E_TRANSPORT, "bridge: %s: the reply was lost", req.what);
}

/* Takes a look's answer. False: it could not be read. */
static bool take(struct restart *r, const struct http_resp *last)
{
	struct app_workflow wf[APP_WORKFLOWS];
	struct err ignored = ERR_INIT;

	if (!last || last->status != 200 || app_read_workflows(last->body, wf, &ignored) < 0)
		return false;
	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		struct job *j = &r->jobs[i];

		j->failed_before = j->now.status == WF_FAILED;
		j->now = wf[i];
		if (j->now.status == WF_STOPPED)
			j->seen_stopped = true;
		j->down = j->now.status == WF_STOPPED ? j->down + 1 : 0;
	}
	return true;
}

static bool all_stopped(const struct restart *r)
{
	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		if (r->jobs[i].acts && r->jobs[i].now.status != WF_STOPPED)
			return false;
	return true;
}

static void names(const struct restart *r, bool up, struct sb *out)
{
	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		const struct job *j = &r->jobs[i];
		bool is_up = j->now.status == WF_RUNNING || j->now.status == WF_STARTING;

		if (j->stop_sent && !j->seen_stopped)
			is_up = false; /* a stop is still under way */
		if (j->starts && is_up == up)
			sb_addf(out, "%s%s %s", out->len > 0 ? ", " : "", app_workflows[i],
				j->now.status == WF_RUNNING && !is_up ? "is still stopping" :
									wf_name(j->now.status));
	}
}

/* The end of mending: what failed, and how it was left. */
static enum next left(struct call *c, struct restart *r, struct err *err)
{
	CLEANUP(sb_done) struct sb up = SB_INIT(256), down = SB_INIT(256);

	names(r, true, &up);
	names(r, false, &down);
	err_set(err, r->failed.code, "%s; %s%s%s%s%s", r->failed.msg, up.len > 0 ? "running: " : "",
		up.buf, up.len > 0 && down.len > 0 ? "; " : "",
		down.len > 0 ? "not running: " :
		up.len > 0   ? "" :
			       "no workflow is meant to run",
		down.buf);
	if (r->failed.hint[0])
		err_hint(err, "%s", r->failed.hint);
	else
		err_hint(
			err,
			down.len > 0 ?
				"run the same command again: it starts what does not run, and restarts all" :
				"run the same command again: the restart is done anew");
	if (r->failed.code == E_SIGNAL)
		value_set(c->arena, c->marks, "restart.interrupted", value_bool(c->arena, true));
	return NEXT_FAIL;
}

/* Leaves the restart: r->failed says why. Looks first, because what it last saw may be old. */
static enum next mend(struct call *c, struct restart *r, struct http_req *req, struct err *err)
{
	wait_begins(r);
	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		r->jobs[i].tries = 0;
	return look(c, req, err, MEND_LOOK);
}

static enum next mend_signal(struct call *c, struct restart *r, struct http_req *req,
			     struct err *err)
{
	err_clear(&r->failed);
	err_set(&r->failed, E_SIGNAL, "interrupted while the workflows were restarted");
	return mend(c, r, req, err);
}

static enum next mend_next(struct call *c, struct restart *r, struct http_req *req, struct err *err)
{
	bool waits = false;

	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		struct job *j = &r->jobs[i];

		if (!j->starts || j->now.status == WF_ABSENT)
			continue;
		if (j->now.status == WF_STOPPED && !j->start_sent && j->tries < TRIES_MAX)
			return post(c, r, req, i, "start", MEND_START);
		waits |= j->now.status == WF_STOPPED || (j->stop_sent && !j->seen_stopped);
	}
	if (!waits || r->waited_ms > MEND_MAX_MS)
		return left(c, r, err);
	return nap(c, r, MEND_PAUSE);
}

static enum next mend_looked(struct call *c, struct restart *r, const struct http_resp *last,
			     struct http_req *req, struct err *err)
{
	if (!take(r, last)) {
		if (r->waited_ms > MEND_MAX_MS)
			return left(c, r, err);
		return nap(c, r, MEND_PAUSE);
	}
	if (is_past(r, answer_ms(c, last), MEND_MAX_MS))
		return left(c, r, err);
	return mend_next(c, r, req, err);
}

static enum next mend_started(struct call *c, struct restart *r, const struct http_resp *last,
			      struct http_req *req, struct err *err)
{
	struct job *j = &r->jobs[r->at];

	j->start_sent = is_accepted(last);
	if (!j->start_sent && !is_passing(last))
		j->tries = TRIES_MAX;
	if (j->start_sent)
		return mend_next(c, r, req, err);
	return nap(c, r, MEND_PAUSE); /* the rest after the next look */
}

static enum next done(struct call *c, struct restart *r)
{
	value_set(c->arena, c->marks, "restart.at", value_int(c->arena, r->stopped_ms));
	return NEXT_DONE;
}

static enum next start_next(struct call *c, struct restart *r, struct http_req *req)
{
	bool any = false;

	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		struct job *j = &r->jobs[i];

		if (j->starts && !j->start_sent && j->tries == 0)
			return post(c, r, req, i, "start", START);
		any |= j->starts;
	}
	return any ? nap(c, r, RUN_PAUSE) : done(c, r);
}

static enum next margin(struct call *c, struct restart *r, struct http_req *req, struct err *err)
{
	int64_t piece = MIN_OF(r->margin_left_ms, PAUSE_LONG_MS);

	if (c->stopping)
		return mend_signal(c, r, req, err);
	if (piece > 0) {
		r->margin_left_ms -= piece;
		return rest(c, r, piece, MARGIN);
	}
	wait_begins(r);
	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		r->jobs[i].tries = 0;
	return start_next(c, r, req);
}

static enum next stopped(struct call *c, struct restart *r, const struct http_resp *last,
			 struct http_req *req, struct err *err)
{
	r->stopped_ms = answer_ms(c, last);
	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		if (r->jobs[i].starts) {
			r->margin_left_ms = MARGIN_MS;
			return margin(c, r, req, err);
		}
	return done(c, r);
}

/* One stop at a time: a signal between two of them finds the rest still running. */
static enum next stop_next(struct call *c, struct restart *r, struct http_req *req, struct err *err)
{
	if (c->stopping)
		return mend_signal(c, r, req, err);
	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		struct job *j = &r->jobs[i];

		if (!j->acts || j->now.status == WF_STOPPED || j->stop_sent)
			continue;
		if (j->tries >= TRIES_MAX) {
			r->failed = r->refused;
			return mend(c, r, req, err);
		}
		j->stop_sent = true;
		j->seen_stopped = false;
		return post(c, r, req, i, "stop", STOP);
	}
	return nap(c, r, STOP_PAUSE);
}

static enum next stop_answered(struct call *c, struct restart *r, const struct http_resp *last,
			       struct http_req *req, struct err *err)
{
	if (is_accepted(last)) {
		err_clear(&r->refused);
		return stop_next(c, r, req, err);
	}
	keep_words(c, r, last, "stop");
	if (!is_passing(last)) {
		r->jobs[r->at].stop_sent = false;
		r->failed = r->refused;
		return mend(c, r, req, err);
	}
	return nap(c, r, STOP_PAUSE); /* what it did, a look tells; see stop_looked */
}

static enum next stop_looked(struct call *c, struct restart *r, const struct http_resp *last,
			     struct http_req *req, struct err *err)
{
	bool is_read = take(r, last);

	if (c->stopping)
		return mend_signal(c, r, req, err);
	if (is_read && all_stopped(r))
		return stopped(c, r, last, req, err);
	if (is_past(r, last ? answer_ms(c, last) : r->since_ms, STOP_MAX_MS)) {
		CLEANUP(sb_done) struct sb span = SB_INIT(64);

		when_add_span(&span, STOP_MAX_MS);
		err_clear(&r->failed);
		err_set(&r->failed, E_REMOTE, "the workflows were not all STOPPED within %s",
			span.buf);
		return mend(c, r, req, err);
	}
	for (size_t i = 0; is_read && i < APP_WORKFLOWS; i++) {
		struct job *j = &r->jobs[i];

		/* Up again although it was seen stopped: somebody started it. Or the stop was not taken. */
		if (j->acts && j->now.status != WF_STOPPED && j->stop_sent &&
		    (j->seen_stopped || (r->at == i && r->refused.code != E_NONE)))
			j->stop_sent = false;
	}
	return is_read ? stop_next(c, r, req, err) : nap(c, r, STOP_PAUSE);
}

static enum next start_answered(struct call *c, struct restart *r, const struct http_resp *last,
				struct http_req *req)
{
	struct job *j = &r->jobs[r->at];

	j->start_sent = is_accepted(last);
	if (!j->start_sent) {
		keep_words(c, r, last, "start");
		if (!is_passing(last))
			j->tries = TRIES_MAX; /* it says no: the others are started all the same */
	}
	return start_next(c, r, req);
}

/* RUNNING, and not in an answer from before the stop. */
static bool runs(const struct restart *r, const struct job *j)
{
	return j->now.status == WF_RUNNING &&
	       (j->now.started_at == 0 || j->now.started_at + SKEW_MS >= r->stopped_ms);
}

static enum next run_failed(struct call *c, struct restart *r, struct err *err,
			    const struct err *why)
{
	r->failed = *why;
	return left(c, r, err);
}

/* Down again although its start was accepted: a killed attempt's stop may have come late. To start once more does no harm. */
static bool is_stopped_late(const struct restart *r, const struct job *j)
{
	return r->late_until_ms && j->now.status == WF_STOPPED && j->start_sent && j->down > 1 &&
	       j->again < AGAIN_MAX;
}

/* No stop that was sent before this attempt can come any more. */
static bool is_late_over(const struct call *c, const struct restart *r, int64_t now_ms)
{
	return c->stopping || now_ms >= r->late_until_ms || r->waited_ms > LATE_MS;
}

static enum next run_looked(struct call *c, struct restart *r, const struct http_resp *last,
			    struct http_req *req, struct err *err)
{
	struct err why = ERR_INIT;
	bool all = true;

	if (take(r, last)) {
		for (size_t i = 0; i < APP_WORKFLOWS; i++) {
			struct job *j = &r->jobs[i];

			if (!j->starts)
				continue;
			all = all && runs(r, j);
			if (j->now.status == WF_FAILED && j->failed_before) {
				err_set(&why, E_REMOTE, "workflow '%s' FAILED after the restart",
					app_workflows[i]);
				err_hint(
					&why,
					"most often the settings hold a wrong client secret or client id; see the app's log, mend it, run again");
				return run_failed(c, r, err, &why);
			}
			if (is_stopped_late(r, j)) {
				j->again++;
				j->tries = 0;
				j->start_sent = false;
				wait_begins(r);
			}
			if (j->now.status != WF_STOPPED || j->start_sent)
				continue;
			if (j->tries >= TRIES_MAX)
				return run_failed(c, r, err, &r->refused);
			return post(c, r, req, i, "start", START);
		}
		if (all && is_late_over(c, r, answer_ms(c, last)))
			return done(c, r);
		if (all)
			return nap(c, r, RUN_PAUSE);
	}
	if (is_past(r, last ? answer_ms(c, last) : r->since_ms,
		    c->stopping ? MEND_MAX_MS : RUN_MAX_MS)) {
		if (c->stopping)
			err_set(&why, E_SIGNAL, "interrupted while the workflows were restarted");
		else
			err_set(&why, E_REMOTE,
				"the workflows were not all RUNNING within %d minutes",
				(int)(RUN_MAX_MS / WHEN_MINUTE));
		return run_failed(c, r, err, &why);
	}
	return nap(c, r, RUN_PAUSE);
}

/* What ran before the first stop of this step is the truth: by the journal when an earlier run was killed in between. */
static void choose(struct call *c, struct restart *r)
{
	struct value *states = value_map(c->arena), *backlogs = value_map(c->arena);
	struct app_workflow before[APP_WORKFLOWS], told[APP_WORKFLOWS];

	app_from_facts(c->before, before);
	app_from_facts(view_mark(c->view, "restart.before"), told);
	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		struct job *j = &r->jobs[i];
		struct app_workflow *was = &before[i];

		if (j->now.status == WF_ABSENT)
			continue; /* this instance does not have it */
		if (was->status == WF_ABSENT ||
		    (was->status == WF_STOPPED && j->now.status != WF_STOPPED))
			was->status =
				j->now.status; /* not known, or somebody has started it since */
		if (was->status == WF_STOPPED && told[i].status != WF_ABSENT)
			was->status = told[i].status; /* a run before this one had stopped it */
		if (!was->has_backlog) {
			was->has_backlog = j->now.has_backlog;
			was->backlog = j->now.backlog;
		}
		j->starts = app_wants(c->view, "running") ||
			    (app_wants(c->view, "keep") && was->status != WF_STOPPED);
		j->acts = j->starts || j->now.status != WF_STOPPED;
		value_set(c->arena, states, app_workflows[i],
			  value_string(c->arena, wf_name(was->status)));
		if (was->has_backlog)
			value_set(c->arena, backlogs, app_workflows[i],
				  value_int(c->arena, was->backlog));
	}
	value_set(c->arena, c->marks, "restart.before", states);
	value_set(c->arena, c->marks, "restart.backlog", backlogs);
}

static enum next not_read(const struct restart *r, const struct http_resp *last, struct err *err)
{
	const struct http_req asked = { .conn = "bridge", .what = "read workflows" };

	if (last && last->status != 200)
		app_unexpected(&asked, last, r->instance, err);
	else if (!err->code) /* what was read, was wrong */
		err_set(err, E_TRANSPORT, "bridge: read workflows: the reply was lost");
	else
		err_wrap(err, "bridge: read workflows");
	return NEXT_FAIL;
}

static enum next first_looked(struct call *c, struct restart *r, const struct http_resp *last,
			      struct http_req *req, struct err *err)
{
	struct app_workflow wf[APP_WORKFLOWS];

	if (!last || last->status != 200 || app_read_workflows(last->body, wf, err) < 0) {
		if ((last && last->status != 200 && !is_passing(last)) ||
		    r->waited_ms > MEND_MAX_MS)
			return not_read(r, last, err);
		err_clear(err);
		return nap(c, r, FIRST_PAUSE);
	}
	wait_begins(r);
	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		r->jobs[i].now = wf[i];
	choose(c, r);
	if (c->unanswered_ms)
		r->late_until_ms =
			MIN_OF(c->unanswered_ms + STOPS_FOR_MS, answer_ms(c, last)) + LATE_MS;
	if (all_stopped(r) && !c->stopping)
		return stopped(c, r, last, req, err);
	return stop_next(c, r, req, err);
}

static enum next go_on(struct call *c, const struct http_resp *last, struct http_req *req,
		       struct err *err)
{
	struct restart *r = c->state;

	switch ((enum stage)c->stage) {
	case BEGIN:
		c->state = r = ARENA_NEW(c->arena, struct restart);
		if (!c->marks)
			c->marks = value_map(c->arena);
		if (app_instance(c->view, &r->instance, err) < 0)
			return NEXT_FAIL;
		return look(c, req, err, FIRST);
	case FIRST:
		return first_looked(c, r, last, req, err);
	case FIRST_PAUSE:
		return look(c, req, err, FIRST);
	case STOP:
		return stop_answered(c, r, last, req, err);
	case STOP_PAUSE:
		return look(c, req, err, STOP_LOOK);
	case STOP_LOOK:
		return stop_looked(c, r, last, req, err);
	case MARGIN:
		return margin(c, r, req, err);
	case START:
		return start_answered(c, r, last, req);
	case RUN_PAUSE:
		return look(c, req, err, RUN_LOOK);
	case RUN_LOOK:
		return run_looked(c, r, last, req, err);
	case MEND_LOOK:
		return mend_looked(c, r, last, req, err);
	case MEND_START:
		return mend_started(c, r, last, req, err);
	case MEND_PAUSE:
		return look(c, req, err, MEND_LOOK);
	}
	err_set(err, E_BUG, "restart: stage %d", c->stage);
	return NEXT_FAIL;
}

static enum next restart_bridge(struct call *c, const struct http_resp *last, struct http_req *req,
				struct err *err)
{
	CLEANUP(sb_done) struct sb down = SB_INIT(256);
	enum next next = go_on(c, last, req, err);

	names(c->state, false, &down);
	c->half = down.len > 0 ? arena_printf(c->arena, "not running: %s", down.buf) : NULL;
	return next;
}

static const char *stop_line(const struct view *v, struct arena *a)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(512);
	struct app_workflow wf[APP_WORKFLOWS];
	const struct observation *o = view_seen(v, "app.workflow");

	app_from_facts(view_known(v, "app.workflow") ? o->facts : NULL, wf);
	for (size_t i = 0; i < APP_WORKFLOWS; i++)
		if (wf[i].status != WF_ABSENT && wf[i].status != WF_STOPPED)
			sb_addf(&out, "%s'%s' (%s)", out.len > 0 ? ", " : "", app_titles[i],
				app_workflows[i]);
	if (out.len > 0)
		return arena_printf(a, "Stop what is not STOPPED: %s.", out.buf);
	return "Stop those of the three that are RUNNING, STARTING or FAILED.";
}

static int restart_instruct(const struct view *v, struct arena *a, struct instruction *ret,
			    struct err *err)
{
	const char *instance, *page = value_text(view_want(v, "app.page"));

	if (app_instance(v, &instance, err) < 0)
		return -(int)err->code;
	*ret = (struct instruction){
		.page = page ? arena_printf(a, "%s (Workflows)", page) : "the integration app of your region, Workflows",
		.lines = {
			arena_printf(a, "In the header choose instance '%s': hover over it, it looks read-only.", instance),
			"Write down the status of all three workflows as it is now: it is to be told afterwards, with --fact.",
			"See that nothing else waits for a restart: a warning mark on a Stop button, a replay of data.",
			stop_line(v, a),
			"Wait until each of them shows STOPPED (until then it goes on showing RUNNING).",
			"Note the time at which the last one did, with its time zone.",
			"Wait one minute more.",
			app_wants(v, "stopped") ? "Leave all of them stopped: so the rollout file wants it." :
			app_wants(v, "running") ? "Start all three." :
						  "Start those that you stopped, and no others.",
			app_wants(v, "stopped") ? NULL : "Wait until each shows RUNNING; FAILED means wrong settings: mend them first.",
		},
		.check = "reads the workflows where a bridge can; else the app's first use of the OAuth credential after that time shows it",
		.ack_args = "--at TIME --fact ingress=STATUS --fact egress=STATUS --fact opt-in-out=STATUS",
	};
	return 0;
}

/*
 * Only a restart whose time was noted counts: without it the evidence has nothing to be newer than, and doing
 * it again costs minutes. That starts are older than the save, or edits wait still, shows that there was none.
 */
static enum settled restart_settled(const struct view *v)
{
	const struct observation *o = view_seen(v, "app.workflow");
	int64_t started = view_fact_int(v, "app.workflow", "started_at", 0),
		since = app_restart_ms(v);
	int64_t saved = view_fact_int(v, "app.settings", "saved_at", 0);
	struct app_workflow wf[APP_WORKFLOWS];
	struct app_meant m;

	if (!o || (o->known != KNOWN_BRIDGE && o->known != KNOWN_API))
		return SETTLED_UNKNOWN;
	app_from_facts(o->facts, wf);
	m = app_meant(v, wf);
	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		if (m.runs[i] && wf[i].status != WF_RUNNING)
			return SETTLED_NO;
		if (app_wants(v, "stopped") && wf[i].status != WF_ABSENT &&
		    wf[i].status != WF_STOPPED)
			return SETTLED_NO;
	}
	if (since == 0 || value_bool_or(view_fact(v, "app.settings", "pending_edits"), false))
		return SETTLED_NO;
	if (m.count == 0)
		return SETTLED_YES;
	if (started == 0)
		return SETTLED_UNKNOWN;
	return started > saved && started + SKEW_MS > since ? SETTLED_YES : SETTLED_NO;
}

static const char *const verify[] = { "app.settings", "app.workflow", NULL };

const struct change_type app_restart = {
	.name = "restart",
	.doc = "stop the workflows that run, wait until all are stopped, start them again",
	.phase = PHASE_SWITCH,
	.undo = UNDO_STEP,
	.undo_doc = "another restart, once the settings are as they were",
	.capability = "restart",
	.executors = EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_BRIDGE),
	.executor_default = EXEC_OPERATOR,
	.flags = CHANGE_FENCES | CHANGE_UNSUSPENDED | CHANGE_TELLS_BEFORE,
	.apply_bridge = restart_bridge,
	.instruct = restart_instruct,
	.verify = verify,
	.settled = restart_settled,
};
