/* SPDX-License-Identifier: Apache-2.0 */
/* Ten thousand seeds: each world can be made, each rollout file loads, and nothing that can be drawn is never drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/plan/rollout.h"
#include "providers/registry.h"
#include "providers/sim/draw.h"
#include "providers/world.h"

#define SEEDS 10000

static const char *find_var(void *ctx, const char *name)
{
	const struct sim_case *c = ctx;

	for (size_t i = 0; i < c->var_count; i++) {
		if (strcmp(c->vars[i].name, name) == 0)
			return c->vars[i].text;
	}
	return NULL;
}

/* Every reference of the file is in the table of secrets; one that is not late leads somewhere from the beginning. */
static void check_ref(void *arg, const struct rollout_secret *s)
{
	const struct sim_case *c = arg;

	for (size_t i = 0; i < c->secret_count; i++) {
		if (strcmp(c->secrets[i].name, s->ref) == 0) {
			assert_true(s->is_late || c->secrets[i].text != NULL);
			return;
		}
	}
	fail_msg("seed %llu: '%s' is no secret of the case", (unsigned long long)c->seed, s->ref);
}

static void check_file(struct sim_case *c)
{
	const struct sys sys = { .ctx = c, .getenv = find_var };
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb said = SB_INIT(1 << 16);
	struct diags d = { .arena = &a };
	struct rollout *r = NULL;

	if (rollout_parse("sim.yaml", c->rollout, strlen(c->rollout), &registry_all, &sys, &a, &r,
			  &d) < 0) {
		diags_print(&d, &said);
		fail_msg("seed %llu: %s\n%s", (unsigned long long)c->seed, said.buf, c->rollout);
	}
	rollout_secret_refs(r, NULL, check_ref, c);
	assert_int_equal(r->env_count, c->env_count);
	for (size_t i = 0; i < r->env_count; i++) {
		assert_string_equal(r->envs[i].name, c->envs[i].name);
		assert_string_equal(r->envs[i].client_id, c->envs[i].file_client_id);
	}
}

static void check_world(struct sim_case *c)
{
	CLEANUP(world_freep) struct world *w = NULL;
	struct err err = ERR_INIT;

	w = world_new(c->world, &err);
	if (w == NULL)
		fail_msg("seed %llu: %s", (unsigned long long)c->seed, err.msg);
	for (size_t i = 0; i < c->env_count; i++) {
		assert_non_null(app_find(w, c->envs[i].instance));
		assert_non_null(tenant_named(w, c->envs[i].tenant));
		assert_non_null(console_cred_of_id(w, c->envs[i].credential_id));
	}
}

/* The file holds no secret, and each that it does not name is told apart by its prefix. */
static void check_secrets(const struct sim_case *c)
{
	for (size_t i = 0; i < c->secret_count; i++) {
		assert_true(c->secrets[i].text == NULL ||
			    strncmp(c->secrets[i].text, SIM_SECRET_PREFIX,
				    strlen(SIM_SECRET_PREFIX)) == 0);
	}
	assert_null(strstr(c->rollout, SIM_SECRET_PREFIX));
}

struct seen {
	size_t live[LIVE_COUNT], end[END_COUNT], sides[128][16];
	size_t envs[5], acts, shared, operators, bridges;
};

static void count_switches(struct seen *seen, const struct sim_case *c, struct arena *a)
{
	size_t count;
	const struct world_switch *all = world_switches(&count);
	const struct value *drawn = value_get(c->world, "switches");

	for (size_t i = 0; i < count; i++) {
		const char *const *sides = draw_sides(all[i].name, a);
		const char *text = value_text_or(value_path(drawn, all[i].name), sides[0]);

		for (size_t k = 0; sides[k] != NULL; k++)
			seen->sides[i][k] += strcmp(sides[k], text) == 0 ? 1 : 0;
	}
}

static void count(struct seen *seen, const struct sim_case *c, struct arena *a)
{
	count_switches(seen, c, a);
	seen->envs[c->env_count]++;
	seen->acts += c->act_count > 0 ? 1 : 0;
	for (size_t i = 0; i < c->env_count; i++) {
		seen->live[c->envs[i].live]++;
		seen->end[c->envs[i].end]++;
		seen->bridges += c->envs[i].by_bridge ? 1 : 0;
		seen->operators += c->envs[i].has_bridge ? 0 : 1;
		for (size_t k = 0; k < i; k++)
			seen->shared += strcmp(c->envs[k].client_id, c->envs[i].client_id) == 0;
	}
}

static void all_seeds_make_worlds_and_files_and_all_is_drawn(void **state)
{
	static struct seen seen;
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	size_t switches;
	const struct world_switch *all = world_switches(&switches);

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		CLEANUP(sim_case_freep) struct sim_case *c = draw(seed, NULL);

		check_world(c);
		check_file(c);
		check_secrets(c);
		count(&seen, c, &a);
	}
	for (size_t i = 0; i < LIVE_COUNT; i++) {
		if (seen.live[i] < 50)
			fail_msg("state '%s' was drawn %zu times", sim_live_name((enum sim_live)i),
				 seen.live[i]);
	}
	for (size_t i = 0; i < switches; i++) {
		const char *const *sides = draw_sides(all[i].name, &a);

		assert_non_null(sides[1]); /* a switch that draw has no second value for */
		for (size_t k = 0; sides[k] != NULL; k++) {
			if (seen.sides[i][k] < 10)
				fail_msg("switch %s: %s was drawn %zu times", all[i].name, sides[k],
					 seen.sides[i][k]);
		}
	}
	for (size_t i = 0; i < END_COUNT; i++)
		if (seen.end[i] <= 50)
			fail_msg("end '%s' was drawn %zu times", sim_end_name((enum sim_end)i),
				 seen.end[i]);
	for (size_t i = 1; i < ARRAY_LEN(seen.envs); i++)
		assert_true(seen.envs[i] > 100);
	assert_true(seen.acts > 1000 && seen.shared > 100 && seen.operators > 1000 &&
		    seen.bridges > 1000);
}

static void a_seed_draws_the_same_again(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		CLEANUP(sim_case_freep) struct sim_case *a = draw(seed, NULL);
		CLEANUP(sim_case_freep) struct sim_case *b = draw(seed, NULL);

		assert_string_equal(a->rollout, b->rollout);
		assert_true(value_equal(a->world, b->world));
		assert_int_equal(a->act_count, b->act_count);
	}
}

static void the_fixed_kinds_are_plain(void **state)
{
	(void)state;
	for (int kind = DRAW_BRIDGE; kind <= DRAW_OPERATOR; kind++) {
		const struct draw_options o = { .kind = (enum draw_kind)kind };
		CLEANUP(sim_case_freep) struct sim_case *c = draw(7, &o);

		check_world(c);
		check_file(c);
		assert_int_equal(c->env_count, 1);
		assert_int_equal(c->envs[0].live, LIVE_JWT_ONLY);
		assert_int_equal(c->envs[0].end, END_DONE);
		assert_int_equal(c->envs[0].by_bridge, kind == DRAW_BRIDGE);
		assert_int_equal(c->act_count, 0);
	}
}

/* One thing the matter with the evidence, and each of them in its turn. */
static void cases_about_evidence_have_something_the_matter(void **state)
{
	size_t consumers = 0, skews = 0, still = 0, acts = 0, unread = 0, canaries = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 500; seed++) {
		const struct draw_options o = { .kind = DRAW_EVIDENCE };
		CLEANUP(sim_case_freep) struct sim_case *c = draw(seed, &o);
		const struct value *sw = value_get(c->world, "switches");

		check_world(c);
		check_file(c);
		check_secrets(c);
		assert_int_equal(c->env_count, 1);
		assert_true(c->envs[0].by_bridge && c->envs[0].finalize_by_api);
		consumers += value_count(value_get(c->world, "consumers"));
		skews += value_get(sw, "skew") != NULL ? 1 : 0;
		still += strcmp(c->envs[0].workflows, "stopped") == 0 ? 1 : 0;
		acts += c->act_count;
		unread += strcmp(value_text_or(value_get(sw, "jwt_in_usages"), ""), "false") == 0;
		canaries += c->envs[0].canary != NULL ? 1 : 0;
	}
	assert_true(consumers > 50 && skews > 50 && still > 50 && acts > 100 && unread > 100 &&
		    canaries > 100);
}

static void a_state_can_be_asked_for(void **state)
{
	(void)state;
	for (int live = 0; live < LIVE_COUNT; live++) {
		const struct draw_options o = { .live = 1 + live, .nobody_else = true };
		CLEANUP(sim_case_freep) struct sim_case *c = draw(11, &o);

		assert_int_equal(c->envs[0].live, live);
		assert_int_equal(c->act_count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_seeds_make_worlds_and_files_and_all_is_drawn),
		cmocka_unit_test(a_seed_draws_the_same_again),
		cmocka_unit_test(the_fixed_kinds_are_plain),
		cmocka_unit_test(cases_about_evidence_have_something_the_matter),
		cmocka_unit_test(a_state_can_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
