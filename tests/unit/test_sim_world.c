/* SPDX-License-Identifier: Apache-2.0 */
/* The stage: events in their order, somebody else's hand, people at the pages; and the world made for a person's own file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/when.h"
#include "core/plan/rollout.h"
#include "core/sim/drive.h"
#include "providers/registry.h"
#include "providers/sim/draw.h"
#include "providers/sim/model.h"
#include "providers/sim/stage.h"
#include "providers/world.h"

#define START INT64_C(1795420800000)

struct play {
	struct sim_case *c;
	struct stage *s;
	const struct scene *scene;
	struct arena a;
};

static struct play open_play(enum draw_kind kind)
{
	const struct draw_options o = { .kind = kind };
	struct play p = { .c = draw(5, &o), .a = ARENA_INIT };
	struct err err = ERR_INIT;

	p.s = stage_new(p.c, &err);
	assert_non_null(p.s);
	p.scene = stage_scene(p.s);
	return p;
}

static void close_play(struct play *p)
{
	stage_free(p->s);
	sim_case_free(p->c);
	arena_done(&p->a);
}

static const struct credential *cred(const struct play *p)
{
	return console_cred_of_id(stage_world(p->s), p->c->envs[0].credential_id);
}

static struct app *app(const struct play *p)
{
	return app_find(stage_world(p->s), p->c->envs[0].instance);
}

static void pass(struct play *p, int64_t span)
{
	p->scene->advance(p->scene->ctx, p->scene->now(p->scene->ctx) + span);
}

static const char *last_who(const struct play *p, const char *what)
{
	const struct world *w = stage_world(p->s);

	for (size_t i = w->write_count; i > 0; i--) {
		if (strcmp(w->writes[i - 1].what, what) == 0)
			return w->writes[i - 1].who;
	}
	return "nobody";
}

/* ---- stage ---- */

static void addresses_lead_to_the_longest_base(void **state)
{
	static const struct sim_route routes[] = { { "https://h", "" },
						   { "https://h/console", "/console" },
						   { "https://h/consolidated", "/bridge" } };
	const struct sim_case c = { .routes = routes, .route_count = 3 };
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)state;
	assert_string_equal(sim_route(&c, "https://h/console/x?y=1", &a), "/console/x?y=1");
	assert_string_equal(sim_route(&c, "https://h/consolidated", &a), "/bridge");
	assert_string_equal(sim_route(&c, "https://h/cons", &a), "/cons");
	assert_null(sim_route(&c, "https://h.example/console", &a));
	assert_null(sim_route(&c, "https://other/console", &a));
}

static void the_hand_acts_at_its_time_and_not_before(void **state)
{
	const struct draw_options o = { .kind = DRAW_BRIDGE };
	struct sim_case *c = draw(5, &o);
	struct value *what = value_map(&c->arena), *never = value_map(&c->arena);
	struct err err = ERR_INIT;
	struct play p = { .c = c, .a = ARENA_INIT };
	struct sim_act acts[2];

	(void)state;
	value_set(&c->arena, what, "do", value_string(&c->arena, "start-migration"));
	value_set(&c->arena, what, "credential", value_string(&c->arena, c->envs[0].credential_id));
	value_set(&c->arena, never, "do", value_string(&c->arena, "finalize"));
	value_set(&c->arena, never, "credential", value_string(&c->arena, "no such one"));
	acts[0] = (struct sim_act){ START + 10 * WHEN_MINUTE, what };
	acts[1] = (struct sim_act){ START + 11 * WHEN_MINUTE, never };
	c->acts = acts;
	c->act_count = 2;
	p.s = stage_new(c, &err);
	p.scene = stage_scene(p.s);
	pass(&p, 10 * WHEN_MINUTE - 1);
	assert_int_equal(cred(&p)->state, CRED_JWT_ONLY);
	assert_int_equal(p.scene->next_event(p.scene->ctx), START + 10 * WHEN_MINUTE);
	pass(&p, 1);
	assert_int_equal(cred(&p)->state, CRED_STARTED);
	assert_string_equal(last_who(&p, "start-migration"), "somebody");
	pass(&p, WHEN_HOUR);
	assert_int_equal(cred(&p)->state, CRED_STARTED);
	assert_null(p.scene->verdict(p.scene->ctx));
	close_play(&p);
}

static void the_date_is_the_systems_own(void **state)
{
	const struct draw_options o = { .kind = DRAW_BRIDGE };
	struct sim_case *c = draw(5, &o);
	const char *segments[] = { "bridge", "v1", NULL };
	struct value *skew = value_map(&c->arena);
	struct err err = ERR_INIT;
	struct play p = { .c = c, .a = ARENA_INIT };
	const struct twin_req req = { .method = "GET",
				      .path = "/bridge/v1",
				      .segments = segments,
				      .segment_count = 2,
				      .arena = &p.a };

	(void)state;
	value_set(&c->arena, skew, "bridge", value_string(&c->arena, "-90s"));
	value_set(&c->arena, value_get_pair(c->world, "switches")->val, "skew", skew);
	p.s = stage_new(c, &err);
	assert_non_null(p.s);
	p.scene = stage_scene(p.s);
	assert_int_equal(p.scene->now(p.scene->ctx), START);
	assert_int_equal(p.scene->date(p.scene->ctx, &req), START - 90 * WHEN_SECOND);
	close_play(&p);
}

/* ---- people ---- */

static bool ask(struct play *p, const char *address, const struct instruction *in,
		struct scene_says *says)
{
	return p->scene->person(p->scene->ctx, address, in, says, &p->a);
}

static const struct instruction start_told = {
	.lines = { "sign in and open project 'Geometrixx D365 dev' of organization X@AdobeOrg" },
};
static const struct instruction bring_told = {
	.lines = { "sign in and open project 'Geometrixx D365 dev' of organization X@AdobeOrg",
		   "store it where file:secrets/dev-client-secret leads, and nowhere else" },
};
static const struct instruction switch_told = {
	.lines = { "In the header choose organization X and instance 'geometrixx-dev': hover",
		   "Type Client ID: geometrixx-dev-client (it is blank now)",
		   "Paste Client Secret: what file:secrets/dev-client-secret holds." },
};
static const struct instruction restart_told = {
	.lines = { "In the header choose instance 'geometrixx-dev': hover over it",
		   "Start those that you stopped, and no others." },
	.ack_args = "--at TIME --fact ingress=STATUS --fact egress=STATUS --fact opt-in-out=STATUS",
};

static void people_do_what_the_steps_say(void **state)
{
	struct play p = open_play(DRAW_OPERATOR);
	struct scene_says says;
	unsigned asked = 0;

	(void)state;
	assert_true(ask(&p, "dev/console.migration/start", &start_told, &says));
	assert_int_equal(cred(&p)->state, CRED_STARTED);
	assert_string_equal(last_who(&p, "start-migration"), "page");
	assert_true(ask(&p, "dev/console.secret/bring", &bring_told, &says));
	assert_string_equal(says.store_ref, "file:secrets/dev-client-secret");
	assert_string_equal(says.store_text, console_newest_secret(cred(&p))->value);
	assert_true(ask(&p, "dev/app.settings/switch", &switch_told, &says));
	assert_true(app(&p)->saved->oauth);
	assert_string_equal(app(&p)->saved->client_secret, console_newest_secret(cred(&p))->value);
	while (!ask(&p, "dev/app.workflow/restart", &restart_told, &says) && asked++ < 100)
		pass(&p, WHEN_MINUTE);
	assert_in_range(asked, 3, 15);
	assert_string_equal(says.facts[0], "ingress=RUNNING");
	assert_string_equal(says.facts[2], "opt-in-out=STOPPED");
	assert_non_null(says.at);
	assert_int_equal(app(&p)->flows[WF_INGRESS].status, WF_RUNNING);
	assert_int_equal(app(&p)->flows[WF_OPT].status, WF_STOPPED);
	assert_ptr_equal(app(&p)->flows[WF_INGRESS].using, app(&p)->saved);
	assert_null(p.scene->verdict(p.scene->ctx));
	close_play(&p);
}

static void who_is_asked_again_does_not_do_it_again(void **state)
{
	struct play p = open_play(DRAW_OPERATOR);
	struct scene_says says;
	size_t writes = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(ask(&p, "dev/console.migration/start", &start_told, &says));
		assert_true(ask(&p, "dev/console.secret/bring", &bring_told, &says));
		assert_true(ask(&p, "dev/app.settings/switch", &switch_told, &says));
		while (!ask(&p, "dev/app.workflow/restart", &restart_told, &says))
			pass(&p, WHEN_MINUTE);
		if (i == 0)
			writes = stage_world(p.s)->write_count;
		else
			assert_int_equal(stage_world(p.s)->write_count, writes);
	}
	close_play(&p);
}

static void a_workflow_is_not_left_stopped_by_a_person_at_work(void **state)
{
	struct play p = open_play(DRAW_OPERATOR);
	struct scene_says says;

	(void)state;
	p.scene->command_begins(p.scene->ctx, SCENE_APPLY);
	assert_false(ask(&p, "dev/app.workflow/restart", &restart_told, &says));
	p.scene->command_ended(p.scene->ctx, SCENE_APPLY, true, 3);
	assert_null(p.scene->verdict(p.scene->ctx));
	pass(&p, WHEN_HOUR);
	assert_int_equal(app(&p)->flows[WF_INGRESS].status, WF_RUNNING);
	close_play(&p);
}

static void cards_are_read_as_they_show_it(void **state)
{
	struct play p = open_play(DRAW_OPERATOR);
	const struct instruction in = { .lines = { start_told.lines[0] },
					.ack_args = "--last-used TIME, or --none-since DATE" };
	const struct instruction oauth = { .lines = { start_told.lines[0] },
					   .ack_args = "--fact oauth_last_used=TIME" };
	char shown[WHEN_TEXT_MAX];
	struct scene_says says;

	(void)state;
	assert_true(ask(&p, "dev/console.usage/jwt-quiet", &in, &says));
	assert_non_null(says.last_used);
	(void)when_text(shown, cred(&p)->jwt.shown / WHEN_SECOND * WHEN_SECOND);
	assert_string_equal(says.last_used, shown);
	/* The OAuth credential was never used: nothing can be said. */
	assert_false(ask(&p, "dev/console.usage/app-uses-oauth", &oauth, &says));
	close_play(&p);
}

static void facts_are_told_by_their_names(void **state)
{
	struct play p = open_play(DRAW_OPERATOR);
	const struct instruction in = {
		.ack_args = "--fact status=... --fact org_id=... --fact nonsense=..."
	};
	const struct instruction plain = { .lines = { "auth_type", "client_id" } };
	const struct instruction flows = {
		.ack_args =
			"--fact ingress=STATUS --fact egress=STATUS --fact opt-in-out=STATUS [--fact ingress_backlog=N ...]"
	};
	struct scene_says says;

	(void)state;
	assert_true(ask(&p, "dev/console.migration/attest", &in, &says));
	assert_string_equal(says.facts[0], "status=NOT_STARTED");
	assert_null(says.facts[1]);
	assert_true(ask(&p, "dev/console.project/attest", &in, &says));
	assert_string_equal(says.facts[0], "org_id=23294");
	assert_true(ask(&p, "dev/app.settings/attest", &plain, &says));
	assert_string_equal(says.facts[0], "auth_type=jwt");
	assert_string_equal(says.facts[1], "client_id=geometrixx-dev-client");
	assert_true(ask(&p, "dev/app.workflow/stable", &flows, &says));
	assert_string_equal(says.facts[0], "ingress=RUNNING");
	assert_string_equal(says.facts[2], "opt-in-out=STOPPED");
	assert_memory_equal(says.facts[3], "ingress_backlog=", 16);
	assert_memory_equal(says.facts[5], "opt-in-out_backlog=", 19);
	assert_false(ask(&p, "nowhere/console.migration/start", &start_told, &says));
	assert_false(ask(&p, "dev/no.such/step", &start_told, &says));
	close_play(&p);
}

/* ---- model ---- */

static const char *example_var(void *ctx, const char *name)
{
	static const char *const vars[][2] = {
		{ "S2S_CONSOLE_URL", "https://developers.adobe.io" },
		{ "S2S_CONSOLE_KEY", "key" },
		{ "S2S_IMS_URL", "https://ims-na1.adobelogin.com" },
		{ "S2S_CAMPAIGN_URL", "https://mc.adobe.io" },
		{ "S2S_READER_ID", "reader" },
		{ "S2S_DYNAMICS_URL", "https://acme.api.crm.dynamics.com" },
		{ "S2S_ENTRA_ID", "entra" },
		{ "S2S_ENTRA_URL",
		  "https://login.microsoftonline.com/1111-2222/oauth2/v2.0/token" },
		{ "S2S_ENTRA_SCOPE", "https://acme.crm.dynamics.com/.default" },
		{ "S2S_BRIDGE_URL", "https://bridge.example.com" },
	};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(vars); i++) {
		if (strcmp(vars[i][0], name) == 0)
			return vars[i][1];
	}
	return NULL;
}

static struct rollout *load(const char *path, struct arena *a)
{
	const struct sys sys = { .getenv = example_var };
	struct diags d = { .arena = a };
	struct rollout *r = NULL;

	if (rollout_load(path, &registry_all, &sys, a, &r, &d) < 0)
		fail_msg("%s: %s", path, d.count > 0 ? d.list[0].msg : "?");
	return r;
}

static struct sim_case *model_of(const struct rollout *r, const struct value *facts)
{
	struct model_env envs[4];
	struct err err = ERR_INIT;
	struct sim_case *c;

	for (size_t i = 0; i < r->env_count; i++)
		envs[i] = (struct model_env){ r->envs[i].name, r->envs[i].want, facts };
	c = model(envs, r->env_count, "version: 1\n", 1, START, &err);
	if (c == NULL)
		fail_msg("%s", err.msg);
	return c;
}

static void each_example_gets_a_world_that_fits(void **state)
{
	static const char *const examples[] = { "examples/plans/01-one-environment.yaml",
						"examples/plans/02-dev-and-prod.yaml",
						"examples/plans/03-quiet-tenant.yaml" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		CLEANUP(arena_done) struct arena a = ARENA_INIT;
		struct rollout *r = load(examples[i], &a);
		CLEANUP(sim_case_freep) struct sim_case *c = model_of(r, NULL);
		CLEANUP(world_freep) struct world *w = NULL;
		struct err err = ERR_INIT;

		w = world_new(c->world, &err);
		if (w == NULL)
			fail_msg("%s: %s", examples[i], err.msg);
		assert_int_equal(c->env_count, r->env_count);
		for (size_t k = 0; k < c->env_count; k++) {
			const struct sim_env *e = &c->envs[k];

			assert_int_equal(e->live, LIVE_JWT_ONLY);
			assert_non_null(console_project_of_id(w, e->project_id));
			assert_string_equal(console_cred_of_id(w, e->credential_id)->client_id,
					    r->envs[k].client_id);
			assert_non_null(app_find(w, e->instance));
			assert_non_null(app_find(w, e->instance)->tenant);
			assert_non_null(app_find(w, e->instance)->dynamics);
		}
	}
}

static void addresses_of_a_file_lead_to_the_twins(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct rollout *r = load("examples/plans/02-dev-and-prod.yaml", &a);
	CLEANUP(sim_case_freep) struct sim_case *c = model_of(r, NULL);
	static const char *const ways[][2] = {
		{ "https://developers.adobe.io/console/organizations?x=1",
		  "/console/organizations?x=1" },
		{ "https://ims-na1.adobelogin.com/ims/token/v3", "/ims/token/v3" },
		{ "https://mc.adobe.io/geometrixx-dev/campaign/x", "/geometrixx-dev/campaign/x" },
		{ "https://acme.api.crm.dynamics.com/api/data/v9.2/WhoAmI",
		  "/dynamics/acme/api/data/v9.2/WhoAmI" },
		{ "https://acme.api.crm.dynamics.com/dynamics/acme/api/data/v9.2/contacts?y",
		  "/dynamics/acme/api/data/v9.2/contacts?y" },
		{ "https://login.microsoftonline.com/1111-2222/oauth2/v2.0/token",
		  "/entra/1111-2222/oauth2/v2.0/token" },
		{ "https://bridge.example.com/v1/apps/geometrixx-dev/settings",
		  "/bridge/v1/apps/geometrixx-dev/settings" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		const char *to = sim_route(c, ways[i][0], &a);

		assert_non_null(to);
		assert_string_equal(to, ways[i][1]);
	}
	assert_null(sim_route(c, "https://elsewhere.example.com/", &a));
}

static const char *secret_of(const struct sim_case *c, const char *ref)
{
	for (size_t i = 0; i < c->secret_count; i++) {
		if (strcmp(c->secrets[i].name, ref) == 0)
			return c->secrets[i].text != NULL ? c->secrets[i].text : "(not yet)";
	}
	return "(unknown)";
}

static void each_reference_has_a_made_up_secret(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct rollout *r = load("examples/plans/02-dev-and-prod.yaml", &a);
	CLEANUP(sim_case_freep) struct sim_case *c = model_of(r, NULL);
	CLEANUP(world_freep) struct world *w = NULL;
	struct err err = ERR_INIT;

	(void)state;
	w = world_new(c->world, &err);
	assert_non_null(w);
	assert_string_equal(secret_of(c, "file:secrets/dev-client-secret"), "(not yet)");
	assert_non_null(index_get(&w->console.users, secret_of(c, "env:S2S_CONSOLE_TOKEN")));
	assert_string_equal(w->apps.bridge_token, secret_of(c, "env:S2S_BRIDGE_TOKEN"));
	assert_string_equal(w->dynamics.orgs[0]->clients[0].client_secret,
			    secret_of(c, "env:S2S_ENTRA_SECRET"));
	assert_string_equal(((const struct ims_client *)index_get(&w->ims.clients, "reader"))
				    ->secret,
			    secret_of(c, "env:S2S_READER_SECRET"));
}

static struct value *thing(struct arena *a, struct value *facts, const char *name)
{
	struct value *entry = value_map(a), *own = value_map(a);

	value_set(a, entry, "known", value_string(a, "api"));
	value_set(a, entry, "facts", own);
	value_set(a, facts, name, entry);
	return own;
}

static void what_was_recorded_is_so(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct rollout *r = load("examples/plans/03-quiet-tenant.yaml", &a);
	struct value *facts = value_map(&a), *f;

	(void)state;
	f = thing(&a, facts, "console.migration");
	value_set(&a, f, "state", value_string(&a, "started"));
	f = thing(&a, facts, "console.credential");
	value_set(&a, f, "credential_id", value_string(&a, "42"));
	value_set(&a, f, "rows", value_int(&a, 2));
	f = thing(&a, facts, "app.workflow");
	value_set(&a, f, "egress", value_string(&a, "STOPPED"));
	f = thing(&a, facts, "app.settings");
	value_set(&a, f, "auth_type", value_string(&a, "oauth"));
	f = thing(&a, facts, "console.certificate");
	value_set(&a, f, "not_after", value_int(&a, START + 20 * WHEN_DAY));
	value_set(&a, value_get_pair(facts, "console.credential")->val, "known",
		  value_string(&a, "api"));
	thing(&a, facts, "console.usage");
	value_set(&a, value_get_pair(facts, "console.usage")->val, "known",
		  value_string(&a, "denied"));
	{
		CLEANUP(sim_case_freep) struct sim_case *c = model_of(r, facts);
		CLEANUP(world_freep) struct world *w = NULL;
		struct err err = ERR_INIT;
		const struct credential *x;

		w = world_new(c->world, &err);
		if (w == NULL)
			fail_msg("%s", err.msg);
		x = console_cred_of_id(w, "42");
		assert_non_null(x);
		assert_int_equal(x->state, CRED_STARTED);
		assert_int_equal(x->certificate_ends, START + 20 * WHEN_DAY);
		assert_false(w->sw.one_row);
		assert_int_equal(w->sw.secrets_api, API_403);
		assert_true(app_find(w, c->envs[0].instance)->saved->oauth);
		assert_int_equal(app_find(w, c->envs[0].instance)->flows[WF_EGRESS].status,
				 WF_STOPPED);
		assert_string_equal(c->envs[0].project_id, "4566206088344958295");
	}
}

/* ---- and all of it together ---- */

static const char *text_of(const char *path, struct arena *a)
{
	char *text = arena_alloc(a, 1 << 16);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
	(void)fclose(f);
	return text;
}

static const struct drive_text *refs_of(const struct sim_case *c, struct arena *a)
{
	struct drive_text *list = arena_array(a, c->secret_count, sizeof(*list));

	for (size_t i = 0; i < c->secret_count; i++)
		list[i] = (struct drive_text){ c->secrets[i].name, c->secrets[i].text };
	return list;
}

static const struct value *vars_of(struct arena *a)
{
	static const char *const names[] = { "S2S_CONSOLE_URL", "S2S_CONSOLE_KEY",
					     "S2S_IMS_URL",     "S2S_CAMPAIGN_URL",
					     "S2S_READER_ID",   "S2S_DYNAMICS_URL",
					     "S2S_ENTRA_ID",    "S2S_ENTRA_URL",
					     "S2S_ENTRA_SCOPE", "S2S_BRIDGE_URL" };
	struct value *map = value_map(a);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		value_set(a, map, names[i], value_string(a, example_var(NULL, names[i])));
	return map;
}

/* The example's own file against the world made for it, with the real engine: it comes to its end, and nothing is to be said against it. */
static void an_example_is_rehearsed_to_its_end(void **state)
{
	static const char path[] = "examples/plans/02-dev-and-prod.yaml";
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct rollout *r = load(path, &a);
	CLEANUP(sim_case_freep) struct sim_case *c = model_of(r, NULL);
	CLEANUP(stage_freep) struct stage *s = NULL;
	struct err err = ERR_INIT;
	struct drive_result ret;
	struct drive_case d = { .registry = &registry_all,
				.rollout = text_of(path, &a),
				.vars = vars_of(&a),
				.secrets = refs_of(c, &a),
				.secret_count = c->secret_count,
				.seed = 1,
				.calm = true };

	(void)state;
	s = stage_new(c, &err);
	assert_non_null(s);
	d.scene = stage_scene(s);
	drive_play(&d, &ret);
	if (ret.violation != NULL || ret.exit_status != 0)
		fail_msg("exit %d: %s", ret.exit_status, ret.violation ? ret.violation : "sound");
	for (size_t i = 0; i < c->env_count; i++)
		assert_int_equal(console_cred_of_id(stage_world(s), c->envs[i].credential_id)
					 ->state,
				 CRED_COMPLETED);
	assert_true(ret.acks > 5 && ret.acks_refused == 0);
	drive_result_done(&ret);
}

static void two_systems_at_one_address_are_refused(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct rollout *r = load("examples/plans/02-dev-and-prod.yaml", &a);
	struct value *want = value_copy(&a, r->envs[0].want);
	struct value *bridge = value_get_pair(value_get(want, "connections"), "bridge")->val;
	struct model_env env = { "dev", want, NULL };
	struct err err = ERR_INIT;

	(void)state;
	value_set(&a, bridge, "url", value_string(&a, "https://mc.adobe.io"));
	assert_null(model(&env, 1, "", 1, START, &err));
	assert_int_equal(err.code, E_PLAN);
	assert_non_null(strstr(err.msg, "https://mc.adobe.io"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_lead_to_the_longest_base),
		cmocka_unit_test(the_hand_acts_at_its_time_and_not_before),
		cmocka_unit_test(the_date_is_the_systems_own),
		cmocka_unit_test(people_do_what_the_steps_say),
		cmocka_unit_test(who_is_asked_again_does_not_do_it_again),
		cmocka_unit_test(a_workflow_is_not_left_stopped_by_a_person_at_work),
		cmocka_unit_test(cards_are_read_as_they_show_it),
		cmocka_unit_test(facts_are_told_by_their_names),
		cmocka_unit_test(each_example_gets_a_world_that_fits),
		cmocka_unit_test(addresses_of_a_file_lead_to_the_twins),
		cmocka_unit_test(each_reference_has_a_made_up_secret),
		cmocka_unit_test(what_was_recorded_is_so),
		cmocka_unit_test(an_example_is_rehearsed_to_its_end),
		cmocka_unit_test(two_systems_at_one_address_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
