/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_rehearse.c - a person's own rollout file against a world made for it: nothing is sent, no secret is resolved, no journal touched.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/s2sctl/plan_words.h"
#include "core/base/when.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/report/text_rehearsal.h"
#include "core/sim/rehearsal.h"
#include "providers/sim/model.h"
#include "providers/sim/stage.h"

#define START                                                                                      \
	"2026-11-23T08:00:00Z" /* a Monday; the same always, so that one seed gives one answer */
#define QUICK_PLAYS 200        /* divided by environments, since a play takes that much longer */
#define QUICK_LEAST 24
#define TEXT_MAX ((size_t)256 << 20)

/* Options and what is made of them. */
struct rehearse {
	struct session *s;
	const char *from, *seed_text, *at, *schedule;
	bool quick, json;
	uint64_t seed;
	int64_t start_ms;
	const char *path;   /* of the rollout file */
	struct value *vars; /* environment variables that it asked for */
	const struct value
		*recorded;  /* a plan's document, or what looks like one; NULL: nothing is */
	const char **names; /* of the environments selected */
	struct sb text;     /* the rollout file's */
	struct sim_case *c;
	struct sim_case
		as_played; /* the same with this play's people, and only the environments that are rehearsed */
	struct sim_env *envs;
	size_t env_count;
	struct stage *stage;
	const struct drive_text *secrets;
	bool is_told; /* a line of progress stands on the terminal */
};

/* ---- reading what is given ---- */

/* Parsing asks for the variables that the file names; the rehearsal, which parses again, gets the same answers. */
struct listener {
	const struct sys *sys;
	struct arena *a;
	struct value *vars;
};

static const char *listen_getenv(void *ctx, const char *name)
{
	struct listener *l = ctx;
	const char *text = l->sys->getenv(l->sys->ctx, name);

	if (text)
		value_set(l->a, l->vars, name, value_string(l->a, text));
	return text;
}

static bool load(struct rehearse *r, int *ret_exit)
{
	struct session *s = r->s;
	struct listener l = { s->p->sys, &s->arena, value_map(&s->arena) };
	const struct sys sys = { .ctx = &l, .getenv = listen_getenv };
	const struct program *whole = s->p;
	struct program listening = *s->p;
	bool ok;

	listening.sys = &sys;
	s->p = &listening;
	ok = session_load(s, r->path, ret_exit);
	s->p = whole;
	r->vars = l.vars;
	if (ok && file_read(r->path, &r->text, &s->err) < 0) {
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	return ok;
}

static int read_recorded(struct rehearse *r, struct err *err)
{
	static const struct json_limits limits = { .bytes = TEXT_MAX,
						   .depth = 64,
						   .nodes = 20000000 };
	CLEANUP(sb_done) struct sb text = SB_INIT(TEXT_MAX);
	struct value *doc = NULL;

	if (!r->from)
		return 0;
	if (file_read(r->from, &text, err) < 0 ||
	    json_parse(&r->s->arena, text.buf, text.len, &limits, NULL, NULL, &doc, err) < 0)
		return err_wrap(err, "%s", r->from);
	if (!value_count(value_get(doc, "environments"))) {
		err_set(err, E_USAGE, "%s: no environments are recorded here", r->from);
		return err_hint(err, "give a plan that `s2sctl plan FILE -o plan.json` wrote");
	}
	r->recorded = doc;
	return 0;
}

/* A saved plan is its rollout file, its environments, and what was recorded of them. */
static bool open_plan(struct rehearse *r, int *ret_exit)
{
	struct session *s = r->s;
	CLEANUP(sb_done) struct sb text = SB_INIT(TEXT_MAX);
	struct plan_file *plan = NULL;
	struct err ignored = ERR_INIT;

	r->path = s->words.items[0];
	/* What cannot be read is told by who reads it as a rollout file. */
	if (file_read(r->path, &text, &ignored) < 0 || !plan_file_is_plan(text.buf, text.len))
		return true;
	if (plan_file_parse(&s->arena, r->path, text.buf, text.len, s->p->registry, &plan,
			    &s->err) == 0 &&
	    plan_file_direction(plan) == DIRECTION_BACK)
		err_set(&s->err, E_USAGE, "%s: a way back cannot be rehearsed", r->path);
	else if (!s->err.code && s->common.env.count)
		err_set(&s->err, E_USAGE,
			"--env is for rollout files: a plan says which environments");
	if (s->err.code) {
		*ret_exit = session_fail(s, &s->err);
		return false;
	}
	r->recorded = plan->doc;
	for (size_t i = 0; i < value_count(value_get(plan->doc, "environments")); i++)
		if (s->common.env.count < OPT_LIST_MAX)
			s->common.env.items[s->common.env.count++] = value_text(
				value_get(value_at(value_get(plan->doc, "environments"), i),
					  "name"));
	/* More than the list holds are all of the file's: what a plan leaves out is for --env. */
	if (value_count(value_get(plan->doc, "environments")) > OPT_LIST_MAX)
		s->common.env.count = 0;
	r->path = plan_rollout_path(s, plan, s->words.items[1], &s->err);
	if (!r->path)
		*ret_exit = session_fail(s, &s->err);
	return r->path != NULL;
}

static int read_numbers(struct rehearse *r, struct err *err)
{
	const char *made = value_text(value_get(r->recorded, "made_at"));
	const char *at = r->at ? r->at : made ? made : START;
	char *end = NULL;

	r->seed = 1;
	errno = 0;
	if (r->seed_text)
		r->seed = strtoull(r->seed_text, &end, 10);
	if (end && (*end || end == r->seed_text || errno || *r->seed_text == '-'))
		return err_set(err, E_USAGE, "--seed is a number, not '%s'", r->seed_text);
	if (when_parse(at, &r->start_ms, NULL, err) < 0)
		return err_wrap(err, "when the rehearsal begins");
	return 0;
}

/* ---- the world ---- */

static const struct value *facts_of(const struct rehearse *r, const char *name)
{
	const struct value *envs = value_get(r->recorded, "environments");

	for (size_t i = 0; i < value_count(envs); i++)
		if (strcmp(value_text_or(value_get(value_at(envs, i), "name"), ""), name) == 0)
			return value_get(value_at(envs, i), "facts");
	return NULL;
}

static int make_world(struct rehearse *r, struct err *err)
{
	const struct rollout *file = r->s->rollout;
	struct arena *a = &r->s->arena;
	struct model_env *envs = arena_array(a, file->env_count + 1, sizeof(*envs));
	struct drive_text *secrets;
	size_t n = 0;

	for (size_t i = 0; i < file->env_count; i++)
		envs[i] = (struct model_env){ file->envs[i].name, file->envs[i].want,
					      facts_of(r, file->envs[i].name) };
	r->c = model(envs, file->env_count, r->text.buf, r->seed, r->start_ms, err);
	if (!r->c)
		return err_wrap(err, "%s cannot be rehearsed", r->path);
	secrets = arena_array(a, r->c->secret_count + 1, sizeof(*secrets));
	for (size_t i = 0; i < r->c->secret_count; i++)
		secrets[i] = (struct drive_text){ r->c->secrets[i].name, r->c->secrets[i].text };
	r->secrets = secrets;
	while (r->s->envs[n])
		n++;
	r->names = arena_array(a, n + 1, sizeof(*r->names));
	r->envs = arena_array(a, n + 1, sizeof(*r->envs));
	for (size_t i = 0; i < n; i++) {
		r->names[i] = r->s->envs[i]->name;
		r->envs[r->env_count++] = *sim_case_env(r->c, r->names[i]);
	}
	return 0;
}

static struct sim_people people_with(enum lapse lapse, const char *address)
{
	struct sim_people p = { .only_at = address };
	unsigned *const numbers[LAPSE_COUNT] = {
		[LAPSE_SILENT] = &p.silent, [LAPSE_ONLY_SAYS] = &p.only_says,
		[LAPSE_STALE] = &p.stale,   [LAPSE_EARLY] = &p.early,
		[LAPSE_COARSE] = &p.coarse, [LAPSE_WRONG_SECRET] = &p.wrong_secret,
	};

	if (numbers[lapse])
		*numbers[lapse] = 1;
	return p;
}

static int open_scene(void *ctx, enum lapse lapse, const char *address, struct drive_case *ret,
		      struct err *err)
{
	struct rehearse *r = ctx;

	r->as_played = *r->c;
	r->as_played.people = people_with(lapse, address);
	r->as_played.envs = r->envs;
	r->as_played.env_count = r->env_count;
	r->stage = stage_new(&r->as_played, err);
	if (!r->stage)
		return -err->code;
	*ret = (struct drive_case){
		.scene = stage_scene(r->stage),
		.registry = r->s->p->registry,
		.rollout = r->text.buf,
		.path = r->path,
		.envs = r->names,
		.is_approved = true,
		.vars = r->vars,
		.secrets = r->secrets,
		.secret_count = r->c->secret_count,
	};
	return 0;
}

static bool close_scene(void *ctx)
{
	struct rehearse *r = ctx;
	bool erred = stage_person_erred(r->stage);

	stage_free(r->stage);
	r->stage = NULL;
	return erred;
}

static bool is_stopped(void *ctx)
{
	const struct sys *sys = ((const struct rehearse *)ctx)->s->p->sys;

	return sys->signalled(sys->ctx) > 0;
}

static void show_progress(void *ctx, size_t played, size_t of)
{
	struct rehearse *r = ctx;

	if (!r->s->p->talk_is_terminal || (played % 10 && played < of))
		return;
	r->is_told = true;
	session_talkf(r->s, "\rplayed %zu of %zu", played, of);
}

static void wipe_progress(struct rehearse *r)
{
	if (r->is_told)
		session_talkf(r->s, "\r%40s\r", "");
	r->is_told = false;
}

/* ---- what is told ---- */

/* Whether a thing's facts were recorded is whether the world has them from there. */
static const struct value *environments_value(struct rehearse *r)
{
	struct arena *a = &r->s->arena;
	struct value *list = value_list(a);

	for (const char **name = r->names; *name; name++) {
		struct value *m = value_map(a), *recorded = value_list(a), *assumed = value_list(a);
		const struct value *facts = facts_of(r, *name);

		for (const char *const *thing = model_things; *thing; thing++)
			value_list_add(a,
				       value_count(value_get(value_get(facts, *thing), "facts")) ?
					       recorded :
					       assumed,
				       value_string(a, *thing));
		value_set(a, m, "name", value_string(a, *name));
		value_set(a, m, "recorded", recorded);
		value_set(a, m, "assumed", assumed);
		value_list_add(a, list, m);
	}
	return list;
}

static void tell_document(struct rehearse *r, struct value *doc, const char *again)
{
	struct arena *a = &r->s->arena;
	const struct value *bad = value_get(doc, "violations");
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	const struct report_style style = session_style(r->s);

	value_set(a, doc, "tool", value_string(a, "s2sctl " S2SCTL_VERSION));
	value_set(a, doc, "rollout", value_string(a, r->path));
	value_set(a, doc, "approved", value_bool(a, value_get(r->s->rollout->policy, "approvals")));
	value_set(a, doc, "environments", environments_value(r));
	if (value_count(bad))
		value_set(a, doc, "replay",
			  value_stringf(a, "%s --schedule %s", again,
					value_text_or(value_get(value_at(bad, 0), "schedule"),
						      "")));
	if (r->json) {
		json_write(&out, doc, JSON_CANONICAL, NULL);
		sb_addc(&out, '\n');
	} else {
		report_rehearsal_text(doc, &style, &out);
	}
	session_out(r->s, &out);
}

static size_t plays_max(const struct rehearse *r)
{
	size_t each = r->s->rollout->env_count ? QUICK_PLAYS / r->s->rollout->env_count : 0;

	return r->quick ? MAX_OF(each, (size_t)QUICK_LEAST) : 0;
}

static int play(struct rehearse *r, const char *again)
{
	const struct rehearsal_options o = { .ctx = r,
					     .open = open_scene,
					     .close = close_scene,
					     .progress = show_progress,
					     .stop = is_stopped,
					     .seed = r->seed,
					     .plays_max = plays_max(r) };
	CLEANUP(sb_done) struct sb told = SB_INIT(SB_TEXT_MAX * 2);
	struct session *s = r->s;
	struct disturbance d;
	struct value *doc = NULL;
	int status = 0;

	if (r->schedule && !disturbance_read(r->schedule, &s->arena, &d)) {
		err_set(&s->err, E_USAGE, "--schedule: nothing goes wrong that is called '%s'",
			r->schedule);
		return session_fail(s, &s->err);
	}
	if (r->schedule) {
		if (rehearsal_tell(&o, &d, &told, &status, &s->err) < 0)
			return session_fail(s, &s->err);
		session_out(s, &told);
		return status;
	}
	if (rehearsal_play(&o, &s->arena, &doc, &s->err) < 0) {
		wipe_progress(r);
		return session_fail(s, &s->err);
	}
	wipe_progress(r);
	tell_document(r, doc, again);
	return (int)value_int_or(value_get(doc, "exit_status"), 70);
}

static int prepare(struct rehearse *r)
{
	struct session *s = r->s;
	int status;

	if (!open_plan(r, &status))
		return status;
	if (read_recorded(r, &s->err) < 0 || read_numbers(r, &s->err) < 0)
		return session_fail(s, &s->err);
	if (!load(r, &status) || !session_select(s, &status))
		return status;
	if (make_world(r, &s->err) < 0)
		return session_fail(s, &s->err);
	return 0;
}

int cmd_rehearse(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"rehearse", "PLAN|FILE",
		"Plays the rollout against a model of all systems, once undisturbed, and once for each thing that can "
		"go wrong at each step. Nothing is sent, no secret is resolved.",
		NULL
	};
	struct rehearse r = { .s = s, .text = SB_INIT(TEXT_MAX) };
	int status;
	const struct opt own[] = {
		{ "from", 0, OPT_TEXT, "PLAN",
		  "begin as a saved plan recorded the live systems; else: JWT only, all running",
		  &r.from },
		{ "env", 0, OPT_LIST, "NAME", "only this environment; may be repeated",
		  &s->common.env },
		{ "quick", 0, OPT_FLAG, NULL, "a sample of what can go wrong", &r.quick },
		{ "seed", 0, OPT_TEXT, "N", "the same number gives the same rehearsal; 1",
		  &r.seed_text },
		{ "at", 0, OPT_TEXT, "TIME", "when it begins: the plan's time, or else " START,
		  &r.at },
		{ "schedule", 0, OPT_TEXT, "WORD",
		  "play this one disturbance (\"lost:17\") and tell everything", &r.schedule },
		{ "format", 0, OPT_TEXT, "FORMAT", "text (default) or json", &s->common.format },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 2, &status) ||
	    !session_wants_json(s, &r.json, &status))
		return status;
	status = prepare(&r);
	if (!status)
		status = play(&r, session_again(s, "rehearse", argc, argv));
	sim_case_free(r.c);
	sb_done(&r.text);
	return status;
}
