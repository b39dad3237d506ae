/* SPDX-License-Identifier: Apache-2.0 */
/* Each invariant broken by hand in a world, and caught; each sound history beside it, and accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/when.h"
#include "providers/sim/draw.h"
#include "providers/sim/judge.h"
#include "providers/world.h"

/* One environment, JWT only, and a judge over it. */
struct court {
	struct sim_case *c;
	struct world *w;
	struct judge *j;
	struct credential *cred;
	struct app *app;
	const struct sim_env *env;
};

static struct court open_court(enum draw_kind kind, int live)
{
	const struct draw_options o = { .kind = kind, .live = live, .nobody_else = true };
	struct court t = { .c = draw(3, &o) };
	struct err err = ERR_INIT;

	t.w = world_new(t.c->world, &err);
	assert_non_null(t.w);
	t.j = judge_new(t.w, t.c);
	t.env = &t.c->envs[0];
	t.cred = console_cred_of_id(t.w, t.env->credential_id);
	t.app = app_find(t.w, t.env->instance);
	return t;
}

static void close_court(struct court *t)
{
	judge_free(t->j);
	world_free(t->w);
	sim_case_free(t->c);
}

static void pass(struct court *t, int64_t span)
{
	int64_t to = world_now(t->w) + span, next;

	while ((next = world_next_event(t->w)) <= to) {
		world_advance(t->w, next);
		judge_look(t->j);
	}
	world_advance(t->w, to);
	judge_look(t->j);
}

static void sound(const struct court *t)
{
	if (judge_verdict(t->j) != NULL)
		fail_msg("%s", judge_verdict(t->j));
}

/* The verdict begins with that letter, and names the words. */
static void guilty(const struct court *t, char letter, const char *words)
{
	const char *v = judge_verdict(t->j);

	assert_non_null(v);
	if (v[1] != letter || strstr(v, words) == NULL)
		fail_msg("wanted (%c) with '%s', got: %s", letter, words, v);
}

/* ---- what a migration does, by hand ---- */

static void starts(struct court *t, const char *who)
{
	const char *why = NULL;

	assert_int_equal(console_start(t->w, t->cred, who, &why), 0);
	judge_look(t->j);
}

static void saves(struct court *t, bool oauth, const char *who)
{
	const char *why = NULL;

	assert_int_equal(app_save(t->w, t->app, oauth, t->cred->client_id,
				  oauth ? console_newest_secret(t->cred)->value : NULL,
				  oauth ? NULL : "key", who, &why),
			 0);
	judge_look(t->j);
}

static void restarts(struct court *t, const char *who)
{
	for (size_t i = 0; i < WF_COUNT; i++) {
		if (t->app->flows[i].meant_to_run)
			(void)!wf_stop(t->w, &t->app->flows[i], who);
	}
	pass(t, 10 * WHEN_MINUTE);
	for (size_t i = 0; i < WF_COUNT; i++) {
		if (t->app->flows[i].meant_to_run)
			(void)!wf_start(t->w, &t->app->flows[i], who);
	}
	pass(t, 10 * WHEN_MINUTE);
}

static void finalizes(struct court *t, const char *who)
{
	const char *why = NULL;

	assert_int_equal(console_finalize(t->w, t->cred, who, false, &why), 0);
	judge_look(t->j);
}

static void mints(struct court *t, enum grant g, const char *by)
{
	struct ims_error why;
	const struct mint_wish m = {
		.client_id = t->cred->client_id,
		.secret = g == GRANT_JWT ? t->cred->jwt_secret->value :
					   console_newest_secret(t->cred)->value,
		.grant = g,
		.by = by,
	};

	assert_non_null(ims_mint(t->w, &m, &why));
	judge_look(t->j);
}

static struct court switched(enum draw_kind kind)
{
	struct court t = open_court(kind, 0);

	judge_begins(t.j, false);
	starts(&t, "bridge");
	saves(&t, true, "bridge");
	restarts(&t, "bridge");
	return t;
}

/* ---- (a) ---- */

static void a_whole_migration_is_sound(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	judge_ended(t.j, false, true, 3);
	pass(&t, 25 * WHEN_HOUR);
	judge_begins(t.j, false);
	finalizes(&t, "api");
	judge_ended(t.j, false, true, 0);
	judge_settled(t.j, 0, 0);
	sound(&t);
	close_court(&t);
}

static void deleting_what_an_app_is_set_to_is_a(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);

	(void)state;
	starts(&t, "bridge");
	finalizes(&t, "page");
	guilty(&t, 'a', "runs with it");
	close_court(&t);
}

static void deleting_before_the_restart_is_a(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);

	(void)state;
	starts(&t, "bridge");
	saves(&t, true, "bridge"); /* and no restart: the workflows run with what was before */
	pass(&t, 30 * WHEN_HOUR);
	finalizes(&t, "api");
	guilty(&t, 'a', "runs with it");
	close_court(&t);
}

static void deleting_after_23_hours_is_a(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	mints(&t, GRANT_JWT, "consumer:nightly");
	pass(&t, 23 * WHEN_HOUR + 59 * WHEN_MINUTE);
	finalizes(&t, "api");
	guilty(&t, 'a', "consumer:nightly used it at");
	close_court(&t);
}

static void a_use_that_nobody_could_have_seen_is_excused(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	pass(&t, 25 * WHEN_HOUR);
	mints(&t, GRANT_JWT, "consumer:nightly");
	pass(&t, WHEN_MINUTE);
	finalizes(&t, "api");
	sound(&t);
	close_court(&t);
}

static void a_use_by_the_tool_itself_is_never_excused(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	pass(&t, 25 * WHEN_HOUR);
	mints(&t, GRANT_JWT, "other");
	finalizes(&t, "api");
	guilty(&t, 'a', "other used it at");
	close_court(&t);
}

static void what_others_delete_is_not_judged(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);

	(void)state;
	starts(&t, "somebody");
	finalizes(&t, "somebody");
	sound(&t);
	close_court(&t);
}

static void an_app_switched_back_a_moment_ago_is_excused_an_hour_ago_not(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct court t = switched(DRAW_BRIDGE);

		pass(&t, 25 * WHEN_HOUR);
		saves(&t, false, "somebody");
		pass(&t, i == 0 ? WHEN_MINUTE : WHEN_HOUR);
		finalizes(&t, "api");
		if (i == 0)
			sound(&t);
		else
			guilty(&t, 'a', "is set to it");
		close_court(&t);
	}
}

/* What an app lived on a moment ago it may need again, until a day has passed that somebody can have seen: the last ten minutes nobody has. */
static void a_day_counts_without_the_last_ten_minutes(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct court t =
			switched(DRAW_BRIDGE); /* the last workflow had stopped 19 minutes ago */

		pass(&t, WHEN_DAY - (i == 0 ? 14 : 8) * WHEN_MINUTE);
		finalizes(&t, "api");
		if (i == 0)
			guilty(&t, 'a', "lived on it until");
		else
			sound(&t);
		close_court(&t);
	}
}

static void who_tells_an_earlier_restart_makes_that_day_shorter(void **state)
{
	struct court t = open_court(DRAW_OPERATOR, 0);

	(void)state;
	t.c->people.early = 2;
	starts(&t, "page");
	saves(&t, true, "page");
	restarts(&t, "page");
	pass(&t, WHEN_DAY - 14 * WHEN_MINUTE);
	finalizes(&t, "page");
	sound(&t);
	close_court(&t);
}

/* Set to OAuth, and everything stopped: 0 nobody uses it, 1 only the tool does, 2 somebody else does. */
static void deleting_on_the_tools_own_use_is_a(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct court t = open_court(DRAW_BRIDGE, 0);

		starts(&t, "bridge");
		saves(&t, true, "bridge");
		for (size_t k = 0; k < WF_COUNT; k++)
			(void)!wf_stop(t.w, &t.app->flows[k], "somebody");
		pass(&t, WHEN_HOUR);
		if (i > 0)
			mints(&t, GRANT_OAUTH, i == 1 ? "other" : "consumer:nightly");
		pass(&t, 25 * WHEN_HOUR);
		finalizes(&t, "api");
		sound(&t); /* somebody had a hand in it */
		close_court(&t);

		t = open_court(DRAW_BRIDGE, 0);
		starts(&t, "bridge");
		saves(&t, true, "bridge");
		for (size_t k = 0; k < WF_COUNT; k++)
			wf_fail(t.w, &t.app->flows[k]);
		pass(&t, WHEN_HOUR);
		if (i > 0)
			mints(&t, GRANT_OAUTH, i == 1 ? "other" : "consumer:nightly");
		pass(&t, 25 * WHEN_HOUR);
		finalizes(&t, "api");
		if (i < 2)
			guilty(&t, 'a', "nobody but the tool has used OAuth");
		else
			sound(&t);
		close_court(&t);
	}
}

static void deleting_a_project_is_a(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);

	(void)state;
	console_delete_project(t.w, t.cred->workspace->project, "api");
	judge_look(t.j);
	guilty(&t, 'a', "delete-project");
	close_court(&t);
}

/* ---- (b) ---- */

static void the_same_settings_twice_are_b(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	saves(&t, true, "bridge");
	guilty(&t, 'b', "saved a second time");
	close_court(&t);
}

static void settings_that_somebody_changed_may_be_saved_again(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	saves(&t, false, "somebody");
	saves(&t, true, "bridge");
	sound(&t);
	close_court(&t);
}

static void a_second_restart_is_b(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	judge_ended(t.j, false, true, 3);
	judge_begins(t.j, false);
	restarts(&t, "bridge");
	guilty(&t, 'b', "stopped again");
	close_court(&t);
}

static void a_second_restart_after_a_kill_a_failure_or_a_stop_by_others_is_sound(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct court t = switched(DRAW_BRIDGE);

		if (i == 0)
			judge_ended(t.j, false, false, -1);
		else if (i == 1)
			judge_ended(t.j, false, true, 1);
		else if (i == 2)
			(void)!wf_stop(t.w, &t.app->flows[WF_INGRESS], "somebody");
		else
			wf_fail(t.w, &t.app->flows[WF_INGRESS]);
		pass(&t, 10 * WHEN_MINUTE);
		/* Others than the one that was touched stay as they are. */
		(void)!wf_start(t.w, &t.app->flows[WF_INGRESS], "bridge");
		pass(&t, 10 * WHEN_MINUTE);
		if (i < 2)
			restarts(&t, "bridge");
		sound(&t);
		close_court(&t);
	}
}

/* A person does all that the page says, once more; a bridge starts what is stopped. */
static void only_a_person_restarts_all_because_somebody_stopped_one(void **state)
{
	static const char *const by[] = { "page", "bridge" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(by); i++) {
		struct court t = open_court(DRAW_BRIDGE, 0);

		judge_begins(t.j, false);
		restarts(&t, by[i]);
		(void)!wf_stop(t.w, &t.app->flows[WF_INGRESS], "somebody");
		pass(&t, 10 * WHEN_MINUTE);
		restarts(&t, by[i]);
		if (i > 0) {
			guilty(&t, 'b', "stopped again");
			close_court(&t);
			continue;
		}
		sound(&t);
		restarts(&t, by[i]);
		guilty(&t, 'b', "stopped again");
		close_court(&t);
	}
}

static void a_secret_revealed_after_it_was_stored_is_b(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);
	const char *text;

	(void)state;
	starts(&t, "bridge");
	world_wrote(t.w, "console", "reveal-secret", "bridge", t.cred->id);
	judge_look(t.j);
	world_wrote(t.w, "console", "reveal-secret", "bridge", t.cred->id); /* the reply was lost */
	judge_look(t.j);
	sound(&t);
	text = console_newest_secret(t.cred)->value;
	judge_saw(t.j, "secret-file", text, strlen(text));
	sound(&t);
	world_wrote(t.w, "console", "reveal-secret", "bridge", t.cred->id);
	judge_look(t.j);
	guilty(&t, 'b', "revealed again");
	close_court(&t);
}

static void what_no_step_does_is_b(void **state)
{
	struct court t = switched(DRAW_BRIDGE);
	const char *why = NULL;

	(void)state;
	assert_int_equal(console_cancel(t.w, t.cred, "bridge", &why), 0);
	judge_look(t.j);
	guilty(&t, 'b', "nobody asked for it");
	close_court(&t);
	t = open_court(DRAW_BRIDGE, 0);
	dynamics_edit(t.w, dynamics_org(t.w, t.env->org)->contacts[0], "api");
	judge_look(t.j);
	guilty(&t, 'b', "nobody's canary");
	close_court(&t);
}

static void a_canary_is_touched_once_a_run(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct court t = open_court(DRAW_BRIDGE, 0);
		struct dyn_org *o = dynamics_org(t.w, t.env->org);
		struct sim_env *e = arena_alloc(&t.c->arena, sizeof(*e));

		*e = *t.env;
		e->canary = o->contacts[0]->id;
		t.c->envs = e;
		judge_free(t.j);
		t.j = judge_new(t.w, t.c);
		dynamics_edit(t.w, o->contacts[0], "api");
		if (i == 1) /* the mark is gone */
			dynamics_edit(t.w, o->contacts[0], "activity");
		judge_ended(t.j, false, i != 2, i == 2 ? -1 : i == 3 ? 4 : i == 4 ? 0 : 3);
		sound(&t);
		dynamics_edit(t.w, o->contacts[0], "api");
		judge_look(t.j);
		if (i == 1 || i >= 3)
			sound(&t);
		else
			guilty(&t, 'b', "touched a second time");
		close_court(&t);
	}
}

/* ---- (c) ---- */

static void look_for(struct court *t, const char *channel, const char *fmt, const char *secret)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(4096);

	sb_add(&text, fmt);
	sb_add(&text, secret);
	sb_add(&text, "\", ...");
	judge_saw(t->j, channel, text.buf, text.len);
}

static void secrets_where_they_belong_are_sound(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);
	const char *client = t.cred->client_id, *secret = console_newest_secret(t.cred)->value;
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)state;
	look_for(&t, "request console", "authorization: Bearer ", t.c->secrets[0].text);
	look_for(&t, "request campaign",
		 "grant_type=client_credentials&client_id=sim-reader&client_secret=",
		 t.c->secrets[1].text);
	look_for(&t, "request dynamics",
		 "grant_type=client_credentials&client_id=sim-entra&client_secret=",
		 t.c->secrets[2].text);
	look_for(&t, "request bridge", "authorization: Bearer ", t.c->secrets[3].text);
	look_for(&t, "request ims",
		 arena_printf(&a,
			      "grant_type=client_credentials&client_id=%s&client_secret=", client),
		 secret);
	look_for(&t, "request bridge",
		 "PUT /bridge/v1/apps/x/settings\r\n\r\n{\"client_secret\":\"", secret);
	look_for(&t, "secret-file", "", secret);
	judge_saw(t.j, "output", "nothing", 7);
	sound(&t);
	close_court(&t);
}

static void secrets_anywhere_else_are_c(void **state)
{
	static const struct {
		const char *channel, *text;
		size_t secret;
	} wrong[] = {
		{ "output", "error: ", 0 },
		{ "journal", "{\"why\":\"", 3 },
		{ "inbox", "{\"note\":\"", 1 },
		{ "secret-file", "", 3 },
		{ "request bridge", "authorization: Bearer ", 0 },
		{ "request console", "authorization: Bearer ", 3 },
		{ "request campaign", "client_credentials client_id=somebody ", 1 },
		{ "request campaign", "client_credentials client_id=sim-entra ", 2 },
		{ "request dynamics", "client_credentials client_id=sim-reader ", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct court t = open_court(DRAW_BRIDGE, 0);

		look_for(&t, wrong[i].channel, wrong[i].text, t.c->secrets[wrong[i].secret].text);
		guilty(&t, 'c', wrong[i].channel);
		close_court(&t);
	}
}

static void tokens_in_a_journal_are_c(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	look_for(&t, "request campaign", "Bearer ", t.app->flows[0].token->text);
	sound(&t);
	look_for(&t, "journal", "Bearer ", t.app->flows[0].token->text);
	guilty(&t, 'c', "a token of IMS in journal");
	close_court(&t);
	t = open_court(DRAW_BRIDGE, 0);
	look_for(&t, "request campaign", "Bearer ", "fake-entra.geodev.0011-1");
	guilty(&t, 'c', "a token of Entra");
	close_court(&t);
}

static void contacts_in_a_journal_are_c(void **state)
{
	static const char person[] = "00000000-0000-0000-0000-000000000001";

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct court t = open_court(DRAW_BRIDGE, 0);
		struct sim_env env = *t.env;

		env.canary = i == 2 ? person : NULL;
		t.c->envs = &env;
		look_for(&t, i == 1 ? "output" : "journal", "{\"contact\":\"",
			 i == 3 ? "person2@example.com" : person);
		if (i == 0)
			guilty(&t, 'c', "contact 0000");
		else if (i == 3)
			guilty(&t, 'c', "address");
		else
			sound(&t);
		close_court(&t);
	}
}

static void a_client_secret_in_another_request_of_the_bridge_is_c(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);

	(void)state;
	look_for(&t, "request bridge", "POST /bridge/v1/apps/x/workflows/y/stop ",
		 console_newest_secret(t.cred)->value);
	guilty(&t, 'c', "request bridge");
	close_court(&t);
}

/* ---- (d) ---- */

static void saying_done_when_it_is_not_is_d(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	judge_ended(t.j, false, true, 0);
	judge_settled(t.j, 0, 0);
	guilty(&t, 'd', "the JWT credential is there still");
	close_court(&t);
}

static void what_somebody_else_undid_after_the_end_is_not_said_in_vain(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct court t = open_court(DRAW_BRIDGE, LIVE_DONE);
		struct sim_env any = *t.env;

		any.end = END_ANY;
		t.c->envs = &any;
		judge_free(t.j);
		t.j = judge_new(t.w, t.c);
		judge_begins(t.j, false);
		if (i == 0)
			console_delete_project(t.w, t.cred->workspace->project, "somebody");
		else
			wf_fail(t.w, &t.app->flows[WF_INGRESS]);
		if (i == 1)
			judge_failed_by_hand(t.j, t.app->instance);
		judge_ended(t.j, false, true, 0);
		judge_settled(t.j, 0,
			      i < 2 ? 2 : 0); /* said to be done is what a plan says afterwards */
		if (i < 2)
			sound(&t);
		else
			guilty(&t, 'd', "said to be done");
		close_court(&t);
	}
}

static void not_coming_to_the_end_is_d(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);

	(void)state;
	judge_settled(t.j, 1, 1);
	guilty(&t, 'd', "should be done");
	close_court(&t);
}

static void a_workflow_with_settings_of_before_is_d(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	pass(&t, 25 * WHEN_HOUR);
	finalizes(&t, "api");
	t.app->saved = t.app->flows[WF_INGRESS].using;
	t.app->flows[WF_INGRESS].using = NULL;
	judge_settled(t.j, 0, 0);
	guilty(&t, 'd', "settings of before");
	close_court(&t);
}

/* Some seed draws the state and the right end that a test is about. */
static struct court find_court(enum sim_end end)
{
	for (uint64_t seed = 0; seed < 2000; seed++) {
		const struct draw_options o = { .nobody_else = true };
		struct court t = { .c = draw(seed, &o) };
		struct err err = ERR_INIT;

		if (t.c->env_count != 1 || t.c->envs[0].end != end ||
		    t.c->envs[0].live == LIVE_NO_PROJECT) {
			sim_case_free(t.c);
			continue;
		}
		t.w = world_new(t.c->world, &err);
		t.j = judge_new(t.w, t.c);
		t.env = &t.c->envs[0];
		t.cred = console_cred_of_id(t.w, t.env->credential_id);
		t.app = app_find(t.w, t.env->instance);
		return t;
	}
	fail_msg("no seed ends %s", sim_end_name(end));
	return (struct court){ 0 };
}

static void writing_to_what_should_be_left_alone_is_d(void **state)
{
	struct court t = find_court(END_ALONE);

	(void)state;
	judge_settled(t.j, 5, 5);
	sound(&t);
	world_wrote(t.w, "bridge", "save-settings", "page", t.app->instance);
	judge_settled(t.j, 5, 5);
	guilty(&t, 'd', "should have been left alone");
	close_court(&t);
}

static void losing_the_credential_that_somebody_uses_is_d_or_a(void **state)
{
	struct court t = find_court(END_KEEPS);
	const char *why = NULL;

	(void)state;
	judge_settled(t.j, 4, 2);
	sound(&t);
	(void)!console_start(t.w, t.cred, "page", &why);
	(void)!console_finalize(t.w, t.cred, "api", false, &why);
	judge_look(t.j);
	judge_settled(t.j, 0, 0);
	assert_non_null(judge_verdict(t.j));
	close_court(&t);
}

/* ---- (e) ---- */

static void ending_with_a_stopped_workflow_is_e(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);

	(void)state;
	judge_begins(t.j, false);
	assert_int_equal(wf_stop(t.w, &t.app->flows[WF_INGRESS], "bridge"), 0);
	judge_ended(t.j, false, true, 3);
	guilty(&t, 'e', "geometrixx-dev/ingress");
	close_court(&t);
}

static void a_kill_a_signal_a_busy_person_and_others_excuse_a_stopped_workflow(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct court t = open_court(DRAW_BRIDGE, 0);

		judge_begins(t.j, false);
		if (i == 3)
			judge_busy(t.j, t.env->name, true);
		assert_int_equal(wf_stop(t.w, &t.app->flows[i == 4 ? WF_OPT : WF_INGRESS],
					 i == 2 ? "somebody" : "bridge"),
				 i == 4 ? 1 : 0); /* 4: it did not run before */
		judge_ended(t.j, false, i != 0, i == 0 ? -1 : i == 1 ? 130 : 3);
		sound(&t);
		/* The next command has to mend what a kill or a signal left; a person at work is waited for. */
		judge_begins(t.j, false);
		judge_busy(t.j, t.env->name, false);
		pass(&t, 10 * WHEN_MINUTE);
		judge_ended(t.j, false, true, 3);
		if (i == 2 || i == 4)
			sound(&t);
		else
			guilty(&t, 'e', "is stopped");
		close_court(&t);
	}
}

static void starting_what_stood_still_is_e(void **state)
{
	static const char *const by[] = { "bridge", "page", "somebody" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(by); i++) {
		struct court t = open_court(DRAW_BRIDGE, 0);

		assert_false(t.app->flows[WF_OPT].meant_to_run);
		assert_int_equal(wf_start(t.w, &t.app->flows[WF_OPT], by[i]), 0);
		judge_look(t.j);
		if (i < 2)
			guilty(&t, 'e', "was meant to stay stopped");
		else
			sound(&t);
		close_court(&t);
	}
}

/* ---- (f) ---- */

static void stops_all(struct court *t)
{
	for (size_t i = 0; i < WF_COUNT; i++)
		(void)!wf_stop(t->w, &t->app->flows[i], "bridge");
	judge_look(t->j);
}

/* 0: between restart and first use, 1: what was asked for before the restart, 2: before it, 3: after somebody's use, 4: the run was given up. */
static void a_mint_behind_the_fence_is_f(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct court t = open_court(DRAW_BRIDGE, 0);

		judge_begins(t.j, false);
		starts(&t, "bridge");
		saves(&t, true, "bridge");
		if (i == 2)
			mints(&t, GRANT_OAUTH, "other");
		stops_all(&t);
		pass(&t, i == 1 ? WHEN_MINUTE : 3 * WHEN_MINUTE);
		if (i == 3)
			mints(&t, GRANT_OAUTH, "app:geometrixx-dev");
		if (i == 4)
			judge_abandons(t.j);
		if (i != 2)
			mints(&t, GRANT_OAUTH, "other");
		if (i == 0)
			guilty(&t, 'f', "before anybody else used OAuth");
		else
			sound(&t);
		close_court(&t);
	}
}

static void reading_commands_that_write_are_f(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);

	(void)state;
	judge_begins(t.j, true);
	starts(&t, "bridge");
	guilty(&t, 'f', "start-migration");
	close_court(&t);
	t = open_court(DRAW_BRIDGE, 0);
	judge_begins(t.j, true);
	judge_saw(t.j, "journal", "{}", 2);
	guilty(&t, 'f', "journal");
	close_court(&t);
}

static void only_the_tools_own_mint_while_reading_is_f(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	judge_ended(t.j, false, true, 3);
	judge_begins(t.j, true);
	mints(&t, GRANT_OAUTH, "app:geometrixx-dev");
	mints(&t, GRANT_OAUTH, "consumer:nightly");
	saves(&t, false, "somebody");
	sound(&t);
	judge_ended(t.j, true, true, 0);
	judge_begins(t.j, false);
	mints(&t, GRANT_OAUTH, "other");
	sound(&t);
	judge_ended(t.j, false, true, 3);
	judge_begins(t.j, true);
	mints(&t, GRANT_OAUTH, "other");
	guilty(&t, 'f', "minted a token of geometrixx-dev-client");
	close_court(&t);
}

/* ---- the way back ---- */

static void cancels(struct court *t, const char *who)
{
	const char *why = NULL;

	assert_int_equal(console_cancel(t->w, t->cred, who, &why), 0);
	judge_look(t->j);
}

static void asks_back(struct court *t)
{
	judge_ended(t->j, false, true, 3);
	judge_begins(t->j, false);
	judge_takes_back(t->j, t->env->name);
}

/* The app is on JWT again, restarted, and seen to use it. */
static struct court set_back(void)
{
	struct court t = switched(DRAW_BRIDGE);

	asks_back(&t);
	saves(&t, false, "bridge");
	restarts(&t, "bridge");
	pass(&t, WHEN_HOUR);
	return t;
}

/* What the judge is told of the environment, anew. */
static void rewrite(struct court *t, enum sim_end end, bool rolls_back)
{
	struct sim_env *e = arena_alloc(&t->c->arena, sizeof(*e));

	*e = *t->env;
	e->end = end;
	e->rolls_back = rolls_back;
	t->c->envs = t->env = e;
	judge_free(t->j);
	t->j = judge_new(t->w, t->c);
}

static void a_whole_way_back_is_sound_and_so_is_another_way_forward(void **state)
{
	struct court t = set_back();

	(void)state;
	cancels(&t, "bridge");
	judge_ended(t.j, false, true, 0);
	sound(&t);
	judge_begins(t.j, false);
	starts(&t, "bridge");
	saves(&t, true, "bridge");
	restarts(&t, "bridge");
	judge_ended(t.j, false, true, 3);
	sound(&t);
	close_court(&t);
}

static void cancelling_what_nobody_asked_for_again_is_b(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct court t = set_back();

		cancels(&t, "bridge");
		starts(&t, "bridge");
		if (i == 0)
			asks_back(&t);
		cancels(&t, "bridge");
		if (i == 0)
			sound(&t);
		else
			guilty(&t, 'b', "nobody asked for it");
		close_court(&t);
	}
}

static void what_the_file_says_of_failed_gates_was_asked_for(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct court t = open_court(DRAW_BRIDGE, 0);

		rewrite(&t, END_ANY, i == 0);
		starts(&t, "bridge");
		cancels(&t, "bridge");
		if (i == 0)
			sound(&t);
		else
			guilty(&t, 'b', "nobody asked for it");
		close_court(&t);
	}
}

static void cancelling_what_an_app_is_set_to_or_runs_with_is_a(void **state)
{
	static const char *const by[] = { "bridge", "page" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct court t = switched(DRAW_BRIDGE);

		asks_back(&t);
		if (i >= 2) /* saved, and its workflows run with what was before */
			saves(&t, false, "bridge");
		cancels(&t, by[i % 2]);
		guilty(&t, 'a', "runs with it");
		close_court(&t);
	}
}

static void an_app_that_somebody_switched_a_moment_ago_is_excused_an_hour_ago_not(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct court t = set_back();

		saves(&t, true, "somebody");
		pass(&t, i == 0 ? WHEN_MINUTE : 3 * WHEN_HOUR);
		cancels(&t, "bridge");
		if (i == 0)
			sound(&t);
		else
			guilty(&t, 'a', "is set to it");
		close_court(&t);
	}
}

static void cancelling_before_jwt_was_used_again_is_a(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	asks_back(&t);
	saves(&t, false, "bridge");
	for (size_t i = 0; i < WF_COUNT; i++) {
		if (t.app->flows[i].meant_to_run)
			(void)!wf_stop(t.w, &t.app->flows[i], "bridge");
	}
	pass(&t, WHEN_HOUR);
	cancels(&t, "bridge");
	guilty(&t, 'a', "nobody has used JWT since");
	close_court(&t);
}

static void cancelling_while_somebody_uses_oauth_is_a(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct court t = set_back();

		mints(&t, GRANT_OAUTH, "consumer:nightly");
		if (i == 1) /* nobody could have seen it */
			pass(&t, WHEN_MINUTE);
		else
			pass(&t, i == 2 ? 25 * WHEN_HOUR : 3 * WHEN_HOUR);
		if (i == 3) /* the tool's own use hides it */
			mints(&t, GRANT_OAUTH, "other");
		cancels(&t, "bridge");
		if (i > 0)
			sound(&t);
		else
			guilty(&t, 'a', "consumer:nightly used OAuth at");
		close_court(&t);
	}
}

static void deleting_the_jwt_credential_on_the_way_back_is_a(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	pass(&t, 25 * WHEN_HOUR);
	asks_back(&t);
	finalizes(&t, "api");
	guilty(&t, 'a', "on the way back");
	close_court(&t);
}

static void the_settings_written_back_twice_are_b(void **state)
{
	struct court t = set_back();

	(void)state;
	saves(&t, false, "bridge");
	guilty(&t, 'b', "saved a second time");
	close_court(&t);
}

static void a_way_back_that_says_done_too_early_is_d(void **state)
{
	static const char *const words[] = { "the migration is under way still",
					     "the app is not set to JWT",
					     "a workflow that is meant to run does not" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct court t = i == 1 ? switched(DRAW_BRIDGE) : set_back();

		if (i == 1) { /* done by somebody who is excused of nothing else */
			asks_back(&t);
			t.cred->state = CRED_JWT_ONLY;
		}
		if (i == 2) {
			cancels(&t, "bridge");
			t.app->flows[WF_INGRESS].status = WF_FAILED;
		}
		judge_ended(t.j, false, true, 0);
		guilty(&t, 'd', words[i]);
		close_court(&t);
	}
}

static void a_way_back_that_waits_or_was_killed_promises_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct court t = set_back();

		judge_ended(t.j, false, i == 0, i == 0 ? 3 : -1);
		judge_begins(t.j, false);
		judge_ended(t.j, false, true, 0); /* of another command */
		sound(&t);
		close_court(&t);
	}
}

static void a_way_back_that_leaves_a_workflow_stopped_is_e(void **state)
{
	struct court t = switched(DRAW_BRIDGE);

	(void)state;
	asks_back(&t);
	saves(&t, false, "bridge");
	assert_int_equal(wf_stop(t.w, &t.app->flows[WF_INGRESS], "bridge"), 0);
	pass(&t, 10 * WHEN_MINUTE);
	judge_ended(t.j, false, true, 3);
	guilty(&t, 'e', "geometrixx-dev/ingress");
	close_court(&t);
}

static void writing_past_the_point_of_no_return_is_d(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct court t = open_court(DRAW_BRIDGE, 1 + LIVE_DONE);

		pass(&t, 2 * WHEN_HOUR);
		judge_begins(t.j, false);
		if (i == 0)
			judge_takes_back(t.j, t.env->name);
		saves(&t, false, "bridge");
		if (i == 0)
			guilty(&t, 'd', "past its point of no return");
		else
			sound(&t);
		close_court(&t);
	}
}

static void who_may_go_back_has_to_be_done_or_back_at_the_end(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct court t = i == 0 ? open_court(DRAW_BRIDGE, 0) :
				 i == 1 ? set_back() :
					  switched(DRAW_BRIDGE);

		if (i == 1)
			cancels(&t, "bridge");
		rewrite(&t, END_EITHER, true);
		judge_settled(t.j, 0, 2);
		if (i < 2)
			sound(&t);
		else
			guilty(&t, 'd', "should be done, or back");
		close_court(&t);
	}
}

static void the_first_violation_stays_and_says_when(void **state)
{
	struct court t = open_court(DRAW_BRIDGE, 0);

	(void)state;
	pass(&t, WHEN_HOUR);
	judge_saw(t.j, "output", SIM_SECRET_PREFIX "sim-user-1", 14);
	judge_settled(t.j, 1, 1);
	guilty(&t, 'c', "2026-11-23T09:00:00Z");
	close_court(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_migration_is_sound),
		cmocka_unit_test(deleting_what_an_app_is_set_to_is_a),
		cmocka_unit_test(deleting_before_the_restart_is_a),
		cmocka_unit_test(deleting_after_23_hours_is_a),
		cmocka_unit_test(a_use_that_nobody_could_have_seen_is_excused),
		cmocka_unit_test(a_use_by_the_tool_itself_is_never_excused),
		cmocka_unit_test(what_others_delete_is_not_judged),
		cmocka_unit_test(an_app_switched_back_a_moment_ago_is_excused_an_hour_ago_not),
		cmocka_unit_test(a_day_counts_without_the_last_ten_minutes),
		cmocka_unit_test(who_tells_an_earlier_restart_makes_that_day_shorter),
		cmocka_unit_test(deleting_on_the_tools_own_use_is_a),
		cmocka_unit_test(deleting_a_project_is_a),
		cmocka_unit_test(the_same_settings_twice_are_b),
		cmocka_unit_test(settings_that_somebody_changed_may_be_saved_again),
		cmocka_unit_test(a_second_restart_is_b),
		cmocka_unit_test(
			a_second_restart_after_a_kill_a_failure_or_a_stop_by_others_is_sound),
		cmocka_unit_test(only_a_person_restarts_all_because_somebody_stopped_one),
		cmocka_unit_test(a_secret_revealed_after_it_was_stored_is_b),
		cmocka_unit_test(what_no_step_does_is_b),
		cmocka_unit_test(a_canary_is_touched_once_a_run),
		cmocka_unit_test(secrets_where_they_belong_are_sound),
		cmocka_unit_test(secrets_anywhere_else_are_c),
		cmocka_unit_test(contacts_in_a_journal_are_c),
		cmocka_unit_test(tokens_in_a_journal_are_c),
		cmocka_unit_test(a_client_secret_in_another_request_of_the_bridge_is_c),
		cmocka_unit_test(saying_done_when_it_is_not_is_d),
		cmocka_unit_test(what_somebody_else_undid_after_the_end_is_not_said_in_vain),
		cmocka_unit_test(not_coming_to_the_end_is_d),
		cmocka_unit_test(a_workflow_with_settings_of_before_is_d),
		cmocka_unit_test(writing_to_what_should_be_left_alone_is_d),
		cmocka_unit_test(losing_the_credential_that_somebody_uses_is_d_or_a),
		cmocka_unit_test(ending_with_a_stopped_workflow_is_e),
		cmocka_unit_test(
			a_kill_a_signal_a_busy_person_and_others_excuse_a_stopped_workflow),
		cmocka_unit_test(starting_what_stood_still_is_e),
		cmocka_unit_test(reading_commands_that_write_are_f),
		cmocka_unit_test(only_the_tools_own_mint_while_reading_is_f),
		cmocka_unit_test(a_mint_behind_the_fence_is_f),
		cmocka_unit_test(a_whole_way_back_is_sound_and_so_is_another_way_forward),
		cmocka_unit_test(cancelling_what_nobody_asked_for_again_is_b),
		cmocka_unit_test(what_the_file_says_of_failed_gates_was_asked_for),
		cmocka_unit_test(cancelling_what_an_app_is_set_to_or_runs_with_is_a),
		cmocka_unit_test(
			an_app_that_somebody_switched_a_moment_ago_is_excused_an_hour_ago_not),
		cmocka_unit_test(cancelling_before_jwt_was_used_again_is_a),
		cmocka_unit_test(cancelling_while_somebody_uses_oauth_is_a),
		cmocka_unit_test(deleting_the_jwt_credential_on_the_way_back_is_a),
		cmocka_unit_test(the_settings_written_back_twice_are_b),
		cmocka_unit_test(a_way_back_that_says_done_too_early_is_d),
		cmocka_unit_test(a_way_back_that_waits_or_was_killed_promises_nothing),
		cmocka_unit_test(a_way_back_that_leaves_a_workflow_stopped_is_e),
		cmocka_unit_test(writing_past_the_point_of_no_return_is_d),
		cmocka_unit_test(who_may_go_back_has_to_be_done_or_back_at_the_end),
		cmocka_unit_test(the_first_violation_stays_and_says_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
