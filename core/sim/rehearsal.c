/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sim/rehearsal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"

#define SLOW (36 * WHEN_HOUR)
#define CHOICES_MAX 3 /* points that a kind of trouble is tried at in one step */
#define TOLD_MOST 40  /* plays that are listed one by one */
#define COLUMN_KINDS 6
#define COLUMN_PEOPLE (COLUMN_COUNT - 1)
#define STREAM_POINTS 200
#define STREAM_SAMPLE 201
#define STEP_PLANNING "planning"

/* What a column of the table stands for; the last one is for people's lapses. */
static const struct column {
	const char *name, *doc;
	enum trouble kinds[COLUMN_KINDS];
} columns[] = {
	{ "kill",
	  "killed: before, in and after a record, while sending, when a secret was stored",
	  { TROUBLE_KILLED_BEFORE, TROUBLE_TORN, TROUBLE_KILLED_AFTER, TROUBLE_KILLED_UNSENT,
	    TROUBLE_KILLED_SENT, TROUBLE_PUT_KILLED } },
	{ "send", "nothing could be sent", { TROUBLE_NEVER_SENT } },
	{ "lost", "the other side acted, its reply was lost", { TROUBLE_REPLY_LOST } },
	{ "cut",
	  "an answer cut short, or not what an answer looks like",
	  { TROUBLE_TRUNCATED, TROUBLE_GARBAGE, TROUBLE_HTML } },
	{ "429", "too many requests", { TROUBLE_429 } },
	{ "5xx",
	  "500 with and without effect, a gateway's 503",
	  { TROUBLE_500_UNSEEN, TROUBLE_500_ACTED, TROUBLE_503 } },
	{ "401", "a good token refused", { TROUBLE_401 } },
	{ "time",
	  "timed out with and without effect, or answered just before",
	  { TROUBLE_TIMEOUT_ACTED, TROUBLE_TIMEOUT_UNSEEN, TROUBLE_SLOW } },
	{ "old", "a read that shows what was so a moment ago", { TROUBLE_STALE } },
	{ "disk",
	  "no space, an I/O error, a secret that cannot be stored",
	  { TROUBLE_FULL_ONCE, TROUBLE_FULL, TROUBLE_EIO_ONCE, TROUBLE_EIO, TROUBLE_PUT_FAILS } },
	{ "clk", "the local clock is set", { TROUBLE_CLOCK } },
	{ "sig", "interrupted once and twice", { TROUBLE_SIGNAL, TROUBLE_SIGNALS } },
	{ "who",
	  "a person is slow, silent, careless: says and does not do, gives a wrong time or secret",
	  { TROUBLE_NONE } },
};
#define COLUMN_COUNT ARRAY_LEN(columns)

static const char *const lapses[LAPSE_COUNT] = {
	[LAPSE_NONE] = "none",           [LAPSE_SLOW] = "slow-person",
	[LAPSE_SILENT] = "silent",       [LAPSE_ONLY_SAYS] = "only-says",
	[LAPSE_STALE] = "stale-reading", [LAPSE_EARLY] = "early-time",
	[LAPSE_COARSE] = "coarse-time",  [LAPSE_WRONG_SECRET] = "wrong-secret",
};

void disturbance_text(const struct disturbance *d, struct sb *out)
{
	if (d->lapse)
		sb_addf(out, "%s@%s", lapses[d->lapse], d->address);
	else if (d->trouble.kind)
		sb_addf(out, "%s:%" PRIu64, trouble_kinds[d->trouble.kind].name, d->trouble.n);
}

bool disturbance_read(const char *text, struct arena *a, struct disturbance *ret)
{
	const char *at = strchr(text, '@');
	struct trouble_fixed *fixed;
	size_t count;

	*ret = (struct disturbance){ .lapse = LAPSE_NONE };
	for (enum lapse l = LAPSE_NONE + 1; at && l < LAPSE_COUNT; l++)
		if (strlen(lapses[l]) == (size_t)(at - text) &&
		    strncmp(lapses[l], text, (size_t)(at - text)) == 0)
			*ret = (struct disturbance){ .lapse = l, .address = at + 1 };
	if (at)
		return ret->lapse != LAPSE_NONE;
	if (!troubles_read(text, a, &fixed, &count) || count != 1)
		return false;
	ret->trouble = fixed[0];
	return true;
}

/* ---- what is kept ---- */

struct row {
	const char *address;
	const struct value *step;  /* of the plan's document; NULL: planning */
	int64_t began_ms, done_ms; /* true time; 0: never */
};
struct point {
	enum trouble_place place;
	uint64_t n;
	size_t row;
	bool is_read;
};
struct play {
	struct disturbance d;
	size_t row, column;
	bool is_chosen;
};
struct cell {
	unsigned of, played, other,
		violated; /* `of` counts those that have not been played yet as well */
};
struct rehearsal {
	const struct rehearsal_options *o;
	struct arena *a;
	int64_t began_ms;
	struct row *rows; /* the first is planning */
	size_t row_count;
	struct value *row_of; /* address -> row */
	struct point *points;
	size_t point_count, point_cap, point_kept; /* kept: up to the end of the last apply */
	struct play *plays;
	size_t play_count, play_cap;
	struct cell *cells;
	struct value *commands, *asked, *asked_once, *others, *violations;
	const struct value *findings, *policy;
	const char *last_words; /* of the last apply of the play under way */
	int64_t ended_ms;
	int exit_status, planned_status;
	const char *violation;
	uint64_t answers;
};

static void set_int(struct rehearsal *h, struct value *m, const char *key, int64_t n)
{
	value_set(h->a, m, key, value_int(h->a, n));
}

static void set_text(struct rehearsal *h, struct value *m, const char *key, const char *text)
{
	value_set(h->a, m, key, value_string(h->a, text));
}

/* ---- the undisturbed play, watched ---- */

static void keep_findings(struct rehearsal *h, const struct value *doc)
{
	const struct value *envs = value_get(doc, "environments");
	struct value *all = value_list(h->a);

	for (size_t i = 0; i < value_count(envs); i++) {
		const struct value *e = value_at(envs, i), *list = value_get(e, "findings");

		if (value_text(value_get(e, "error"))) {
			struct value *one = value_map(h->a);

			set_text(h, one, "environment", value_text(value_get(e, "name")));
			set_text(h, one, "level", "unreadable");
			set_text(h, one, "text", value_text(value_get(e, "error")));
			value_list_add(h->a, all, one);
		}
		for (size_t k = 0; k < value_count(list); k++) {
			struct value *one = value_copy(h->a, value_at(list, k));

			set_text(h, one, "environment", value_text(value_get(e, "name")));
			value_list_add(h->a, all, one);
		}
	}
	h->findings = all;
	h->policy = value_copy(h->a, value_get(doc, "policy"));
}

/* The first plan with steps in it counts; one that wants facts first, or is refused, has none that are carried out. */
static void on_planned(void *ctx, const struct value *doc, int exit_status)
{
	struct rehearsal *h = ctx;
	const struct value *steps = value_get(doc, "steps");

	if (h->row_count > 1)
		return;
	keep_findings(h, doc);
	if (exit_status || !value_count(steps))
		return;
	steps = value_copy(h->a, steps);
	h->row_count += value_count(steps);
	h->rows = arena_array(h->a, h->row_count, sizeof(*h->rows));
	h->rows[0].address = STEP_PLANNING;
	for (size_t i = 1; i < h->row_count; i++) {
		const struct value *step = value_at(steps, i - 1);

		h->rows[i] = (struct row){ .address = value_text_or(value_get(step, "address"), ""),
					   .step = step };
		set_int(h, h->row_of, h->rows[i].address, (int64_t)i);
	}
}

/* A question before planning, or another plan's step, belongs to planning. */
static size_t row_of(const struct rehearsal *h, const char *address)
{
	return (size_t)value_int_or(value_get(h->row_of, address), 0);
}

static void on_event(void *ctx, int64_t now_ms, enum apply_event ev, const char *address)
{
	struct rehearsal *h = ctx;
	size_t i = row_of(h, address);
	struct row *row = &h->rows[i];

	if (!i)
		return;
	if (ev == APPLY_STEP_STARTED && !row->began_ms)
		row->began_ms = now_ms;
	if (ev == APPLY_STEP_DONE)
		row->done_ms = now_ms;
}

static void on_asked(void *ctx, int64_t now_ms, const char *address)
{
	struct rehearsal *h = ctx;
	struct value *one = value_map(h->a);

	value_set(h->a, h->asked_once, address, value_bool(h->a, true));
	set_int(h, one, "at_ms", now_ms - h->began_ms);
	set_text(h, one, "step", address);
	value_list_add(h->a, h->asked, one);
}

static void on_point(void *ctx, const struct troubles *t, enum trouble_place place, bool is_read)
{
	struct rehearsal *h = ctx;

	h->points = arena_grow(h->a, h->points, h->point_count, &h->point_cap, sizeof(*h->points));
	h->points[h->point_count++] =
		(struct point){ place, t->points[place], row_of(h, t->address), is_read };
}

static void on_applied(void *ctx, int64_t began_ms, int64_t now_ms, int exit_status,
		       const char *words, int64_t until_ms)
{
	struct rehearsal *h = ctx;
	struct value *one = value_map(h->a);

	h->point_kept = h->point_count;
	h->ended_ms = now_ms;
	h->last_words = arena_strdup(h->a, words);
	set_int(h, one, "began_ms", began_ms - h->began_ms);
	set_int(h, one, "ended_ms", now_ms - h->began_ms);
	set_int(h, one, "exit_status", exit_status);
	set_text(h, one, "words", words);
	if (until_ms)
		set_int(h, one, "until_ms", until_ms - h->began_ms);
	value_list_add(h->a, h->commands, one);
}

static int play_undisturbed(struct rehearsal *h, struct err *err)
{
	const struct drive_watch watch = { .ctx = h,
					   .planned = on_planned,
					   .event = on_event,
					   .asked = on_asked,
					   .point = on_point,
					   .applied = on_applied };
	struct drive_case c = { .scene = NULL };
	struct drive_result r;

	if (h->o->open(h->o->ctx, LAPSE_NONE, NULL, &c, err) < 0)
		return -err->code;
	h->began_ms = c.scene->now(c.scene->ctx);
	c.seed = h->o->seed;
	c.calm = true;
	c.watch = &watch;
	drive_play(&c, &r);
	h->exit_status = r.exit_status;
	h->planned_status = r.planned_status;
	h->violation = arena_strdup(h->a, r.violation);
	h->answers = r.acks;
	drive_result_done(&r);
	(void)h->o->close(h->o->ctx);
	return 0;
}

/* ---- which disturbances ---- */

static void add_play(struct rehearsal *h, size_t row, size_t column, struct disturbance d)
{
	for (size_t i = h->play_count; i-- > 0 && h->plays[i].row == row;)
		if (h->plays[i].column == column && h->plays[i].d.trouble.kind == d.trouble.kind &&
		    h->plays[i].d.trouble.n == d.trouble.n && h->plays[i].d.lapse == d.lapse &&
		    h->plays[i].d.address == d.address)
			return;
	h->plays = arena_grow(h->a, h->plays, h->play_count, &h->play_cap, sizeof(*h->plays));
	h->plays[h->play_count++] = (struct play){ .d = d, .row = row, .column = column };
	h->cells[row * COLUMN_COUNT + column].of++;
}

/* First, last, and one by chance of the step's points; of exchanges, what writes before what reads. */
static void choose_points(struct rehearsal *h, size_t row, size_t column, enum trouble kind)
{
	const struct trouble_kind *k = &trouble_kinds[kind];
	struct sim_random r =
		sim_random_stream(h->o->seed ^ (row * TROUBLE_COUNT + kind), STREAM_POINTS);
	uint64_t write = 0, first = 0, last = 0, drawn = 0;
	int64_t seen = 0;

	for (size_t i = 0; i < h->point_kept; i++) {
		const struct point *p = &h->points[i];

		if (p->row != row || p->place != k->place || (k->reads_only && !p->is_read))
			continue;
		first = first ? first : p->n;
		last = p->n;
		write = write || p->is_read ? write : p->n;
		if (sim_random_between(&r, 0, seen++) == 0)
			drawn = p->n;
	}
	if (!seen)
		return;
	add_play(h, row, column,
		 (struct disturbance){ .trouble = { kind, write ? write : first } });
	if (k->place != AT_EXCHANGE)
		add_play(h, row, column, (struct disturbance){ .trouble = { kind, last } });
	add_play(h, row, column, (struct disturbance){ .trouble = { kind, drawn } });
}

static void choose_lapses(struct rehearsal *h, size_t row)
{
	for (size_t i = 0; i < value_count(h->asked_once); i++) {
		const char *address = value_key_at(h->asked_once, i);

		if (row_of(h, address) != row)
			continue;
		for (enum lapse l = LAPSE_NONE + 1; l < LAPSE_COUNT; l++)
			add_play(h, row, COLUMN_PEOPLE,
				 (struct disturbance){ .lapse = l, .address = address });
	}
}

static void choose_plays(struct rehearsal *h)
{
	h->cells = arena_array(h->a, h->row_count * COLUMN_COUNT, sizeof(*h->cells));
	for (size_t row = 0; row < h->row_count; row++) {
		for (size_t c = 0; c < COLUMN_COUNT; c++)
			for (size_t k = 0; k < COLUMN_KINDS && columns[c].kinds[k]; k++)
				choose_points(h, row, c, columns[c].kinds[k]);
		choose_lapses(h, row);
	}
}

/* ---- the disturbed plays ---- */

struct outcome {
	bool happened;
	int exit_status, planned_status;
	const char *violation, *words; /* in the rehearsal's arena */
};

struct last_words {
	char text[400];
};

static void on_last_words(void *ctx, int64_t began_ms, int64_t now_ms, int exit_status,
			  const char *words, int64_t until_ms)
{
	struct last_words *w = ctx;

	(void)began_ms;
	(void)now_ms;
	(void)exit_status;
	(void)until_ms;
	(void)snprintf(w->text, sizeof(w->text), "%s", words);
}

static int open_disturbed(const struct rehearsal_options *o, const struct disturbance *d,
			  struct drive_case *ret, struct err *err)
{
	if (o->open(o->ctx, d->lapse, d->address, ret, err) < 0)
		return -err->code;
	ret->seed = o->seed;
	ret->calm = true;
	ret->fixed = &d->trouble;
	ret->fixed_count = d->trouble.kind != TROUBLE_NONE;
	if (d->lapse == LAPSE_SLOW) {
		ret->slow_step = d->address;
		ret->slow_ms = SLOW;
	}
	return 0;
}

static int play_one(struct rehearsal *h, const struct disturbance *d, struct outcome *ret,
		    struct err *err)
{
	struct last_words words = { "" };
	const struct drive_watch watch = { .ctx = &words, .applied = on_last_words };
	struct drive_case c = { .scene = NULL };
	struct drive_result r;
	bool erred;

	if (open_disturbed(h->o, d, &c, err) < 0)
		return -err->code;
	c.watch = &watch;
	drive_play(&c, &r);
	erred = h->o->close(h->o->ctx);
	*ret = (struct outcome){
		.happened = r.troubles.past_count || erred || d->lapse == LAPSE_SLOW,
		.exit_status = r.exit_status,
		.planned_status = r.planned_status,
		.violation = arena_strdup(h->a, r.violation),
	};
	if (r.exit_status != h->exit_status || r.planned_status != h->planned_status)
		ret->words = arena_strdup(h->a, words.text);
	drive_result_done(&r);
	return 0;
}

static void list_play(struct rehearsal *h, const struct play *p, const struct outcome *out)
{
	CLEANUP(sb_done) struct sb schedule = SB_INIT(4096);
	struct value *list = out->violation ? h->violations : h->others, *one = value_map(h->a);

	if (value_count(list) >= TOLD_MOST)
		return;
	disturbance_text(&p->d, &schedule);
	set_text(h, one, "step", h->rows[p->row].address);
	set_text(h, one, "column", columns[p->column].name);
	set_text(h, one, "schedule", schedule.buf);
	set_int(h, one, "exit_status", out->exit_status);
	set_int(h, one, "plan_afterwards", out->planned_status);
	set_text(h, one, "words", out->violation ? out->violation : out->words);
	value_list_add(h->a, list, one);
}

static void count_play(struct rehearsal *h, const struct play *p, const struct outcome *out)
{
	struct cell *cell = &h->cells[p->row * COLUMN_COUNT + p->column];

	if (!out->happened) { /* what cannot go wrong here is no play */
		cell->of--;
		return;
	}
	cell->played++;
	cell->violated += out->violation != NULL;
	cell->other += !out->violation && out->words;
	if (out->violation || out->words)
		list_play(h, p, out);
}

/* One play of each cell; then as many of these as may be, each with the same chance. The number of those chosen. */
static size_t choose_sample(struct rehearsal *h, size_t most)
{
	struct sim_random r = sim_random_stream(h->o->seed, STREAM_SAMPLE);
	size_t *firsts = arena_array(h->a, h->play_count + 1, sizeof(*firsts)), n = 0, taken = 0;

	for (size_t i = 0, end; i < h->play_count; i = end) {
		for (end = i + 1; end < h->play_count && h->plays[end].row == h->plays[i].row &&
				  h->plays[end].column == h->plays[i].column;)
			end++;
		firsts[n++] = (size_t)sim_random_between(&r, (int64_t)i, (int64_t)end - 1);
	}
	most = MIN_OF(most, n);
	for (size_t i = 0; i < n; i++) {
		if ((size_t)sim_random_between(&r, 0, (int64_t)(n - i) - 1) >= most - taken)
			continue;
		h->plays[firsts[i]].is_chosen = true;
		taken++;
	}
	return taken;
}

static size_t choose_all(struct rehearsal *h)
{
	for (size_t i = 0; i < h->play_count; i++)
		h->plays[i].is_chosen = true;
	return h->play_count;
}

static int play_all(struct rehearsal *h, struct err *err)
{
	size_t most = h->o->plays_max ? choose_sample(h, h->o->plays_max) : choose_all(h);
	size_t played = 0;

	for (size_t i = 0; i < h->play_count; i++) {
		struct outcome out = { .happened = false };

		if (!h->plays[i].is_chosen)
			continue;
		if (h->o->stop && h->o->stop(h->o->ctx))
			return err_set(err, E_SIGNAL, "interrupted after %zu of %zu plays", played,
				       most);
		if (play_one(h, &h->plays[i].d, &out, err) < 0)
			return -err->code;
		count_play(h, &h->plays[i], &out);
		played++;
		if (h->o->progress)
			h->o->progress(h->o->ctx, played, most);
	}
	return 0;
}

/* ---- the document ---- */

static const struct value *undisturbed_value(struct rehearsal *h)
{
	struct value *m = value_map(h->a);

	set_int(h, m, "exit_status", h->exit_status);
	set_int(h, m, "plan_afterwards", h->planned_status);
	set_int(h, m, "duration_ms", h->ended_ms - h->began_ms);
	set_int(h, m, "answers", (int64_t)h->answers);
	set_text(h, m, "words", h->last_words);
	set_text(h, m, "violation", h->violation);
	value_set(h->a, m, "commands", h->commands);
	value_set(h->a, m, "asked", h->asked);
	return m;
}

static const struct value *step_value(struct rehearsal *h, size_t i)
{
	static const char *const keys[] = { "phase", "executor", "earliest_ms", "doc" };
	const struct row *row = &h->rows[i];
	struct value *m = value_map(h->a);

	set_int(h, m, "number", (int64_t)i);
	set_text(h, m, "step", row->address);
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		value_set(h->a, m, keys[k], value_get(row->step, keys[k]));
	if (row->began_ms)
		set_int(h, m, "began_ms", row->began_ms - h->began_ms);
	if (row->done_ms)
		set_int(h, m, "done_ms", row->done_ms - h->began_ms);
	return m;
}

/* Steps that nothing undoes, with the instants at which they began. */
static const struct value *no_return_value(struct rehearsal *h)
{
	struct value *list = value_list(h->a);

	for (size_t i = 1; i < h->row_count; i++) {
		const struct row *row = &h->rows[i];
		struct value *m;

		if (strcmp(value_text_or(value_path(row->step, "undo.kind"), ""), "never") != 0)
			continue;
		m = value_map(h->a);
		set_text(h, m, "step", row->address);
		value_set(h->a, m, "earliest_ms", value_get(row->step, "earliest_ms"));
		if (row->began_ms) {
			set_int(h, m, "began_ms", row->began_ms - h->began_ms);
			value_set(h->a, m, "at", value_instant(h->a, row->began_ms));
		}
		value_list_add(h->a, list, m);
	}
	return list;
}

static const char *cell_verdict(const struct cell *c)
{
	if (c->violated)
		return "violated";
	if (c->other)
		return "why";
	if (c->played)
		return "sound";
	return c->of ? "unplayed" : "none";
}

static const struct value *row_value(struct rehearsal *h, size_t row)
{
	struct value *m = value_map(h->a), *cells = value_map(h->a);

	for (size_t c = 0; c < COLUMN_COUNT; c++) {
		const struct cell *cell = &h->cells[row * COLUMN_COUNT + c];
		struct value *one = value_map(h->a);

		set_text(h, one, "verdict", cell_verdict(cell));
		set_int(h, one, "played", cell->played);
		set_int(h, one, "of", cell->of);
		value_set(h->a, cells, columns[c].name, one);
	}
	set_int(h, m, "number", (int64_t)row);
	set_text(h, m, "step", h->rows[row].address);
	value_set(h->a, m, "cells", cells);
	return m;
}

static const struct value *faults_value(struct rehearsal *h)
{
	struct value *m = value_map(h->a), *heads = value_list(h->a), *rows = value_list(h->a);
	int64_t played = 0, of = 0;

	for (size_t c = 0; c < COLUMN_COUNT; c++) {
		struct value *head = value_map(h->a);

		set_text(h, head, "name", columns[c].name);
		set_text(h, head, "doc", columns[c].doc);
		value_list_add(h->a, heads, head);
	}
	for (size_t r = 0; r < h->row_count; r++)
		value_list_add(h->a, rows, row_value(h, r));
	for (size_t i = 0; i < h->row_count * COLUMN_COUNT; i++) {
		played += h->cells[i].played;
		of += h->cells[i].of;
	}
	value_set(h->a, m, "columns", heads);
	value_set(h->a, m, "rows", rows);
	set_int(h, m, "played", played);
	set_int(h, m, "of", of);
	return m;
}

static void conclude(struct rehearsal *h, struct value *doc)
{
	bool violated = h->violation || value_count(h->violations);

	set_text(h, doc, "verdict",
		 violated            ? "violated" :
		 h->exit_status == 5 ? "refused" :
		 h->exit_status      ? "stops" :
				       "sound");
	set_int(h, doc, "exit_status", violated ? 1 : h->exit_status);
}

static struct value *document(struct rehearsal *h)
{
	struct value *doc = value_map(h->a), *steps = value_list(h->a);

	for (size_t i = 1; i < h->row_count; i++)
		value_list_add(h->a, steps, step_value(h, i));
	set_text(h, doc, "kind", "s2sctl.rehearsal");
	set_int(h, doc, "format_version", REHEARSAL_FORMAT_VERSION);
	set_text(h, doc, "seed", arena_printf(h->a, "%" PRIu64, h->o->seed));
	value_set(h->a, doc, "begins", value_instant(h->a, h->began_ms));
	value_set(h->a, doc, "undisturbed", undisturbed_value(h));
	value_set(h->a, doc, "findings", h->findings ? h->findings : value_list(h->a));
	value_set(h->a, doc, "policy", h->policy ? h->policy : value_list(h->a));
	value_set(h->a, doc, "steps", steps);
	value_set(h->a, doc, "no_return", no_return_value(h));
	if (h->cells)
		value_set(h->a, doc, "faults", faults_value(h));
	value_set(h->a, doc, "ended_otherwise", h->others);
	value_set(h->a, doc, "violations", h->violations);
	conclude(h, doc);
	return doc;
}

int rehearsal_play(const struct rehearsal_options *o, struct arena *a, struct value **ret,
		   struct err *err)
{
	struct row planning = { .address = STEP_PLANNING };
	struct rehearsal h = { .o = o,
			       .a = a,
			       .rows = &planning,
			       .row_count = 1,
			       .row_of = value_map(a),
			       .commands = value_list(a),
			       .asked = value_list(a),
			       .asked_once = value_map(a),
			       .others = value_list(a),
			       .violations = value_list(a) };

	if (play_undisturbed(&h, err) < 0)
		return -err->code;
	/* What does not come to its end by itself is to be mended first: nothing else could be told from the rest. */
	if (!h.violation && h.exit_status == 0) {
		choose_plays(&h);
		if (play_all(&h, err) < 0)
			return -err->code;
	}
	*ret = document(&h);
	return 0;
}

int rehearsal_tell(const struct rehearsal_options *o, const struct disturbance *d, struct sb *out,
		   int *ret_exit, struct err *err)
{
	struct drive_case c = { .scene = NULL };
	struct drive_result r;

	if (open_disturbed(o, d, &c, err) < 0)
		return -err->code;
	c.is_told = true;
	drive_play(&c, &r);
	(void)o->close(o->ctx);
	sb_addn(out, r.told.buf, r.told.len);
	sb_addf(out, "---- journal ----\n%s---- end ----\n", r.journal.buf);
	for (size_t i = 0; i < r.troubles.past_count; i++)
		sb_addf(out, "%s in %s: %s\n", trouble_kinds[r.troubles.past[i].kind].doc,
			r.troubles.past[i].step, r.troubles.past[i].what);
	sb_addf(out, "exit %d, plan afterwards %d, %u commands: %s\n", r.exit_status,
		r.planned_status, r.commands, r.violation ? r.violation : "sound");
	*ret_exit = r.violation ? 1 : 0;
	drive_result_done(&r);
	return 0;
}
