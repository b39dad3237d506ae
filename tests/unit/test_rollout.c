/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/when.h"
#include "core/io/json.h"
#include "core/plan/rollout.h"
#include "core/plan/schema.h"
#include "tests/unit/fake_registry.h"

#define CANARY "s3cr3t-canary"

/* One file loaded: everything that a test asks about. */
struct loaded {
	struct arena arena;
	struct diags diags;
	struct rollout *r;
	int status;
	struct sb text; /* the diags, one "LINE:COL LEVEL RULE MESSAGE | HINT" each */
};

static void render(struct loaded *l)
{
	static const char *const levels[] = { "error", "warning", "note" };
	for (size_t i = 0; i < l->diags.count; i++) {
		const struct diag *d = &l->diags.list[i];
		sb_addf(&l->text, "%u:%u %s %s %s", d->pos.line, d->pos.col, levels[d->level],
			d->rule, d->msg);
		sb_addf(&l->text, "%s%s\n", d->hint ? " | " : "", d->hint ? d->hint : "");
	}
}

static struct loaded *load_with(const char *path, const char *text, size_t len,
				const char *const *vars)
{
	struct loaded *l = calloc(1, sizeof(*l));
	struct fake_env env = { .vars = vars };
	struct sys sys = fake_sys(&env);
	assert_non_null(l);
	l->text = (struct sb)SB_INIT(SB_TEXT_MAX);
	diags_init(&l->diags, &l->arena);
	l->status =
		rollout_parse(path, text, len, &fake_registry, &sys, &l->arena, &l->r, &l->diags);
	render(l);
	return l;
}

static struct loaded *load(const char *text)
{
	return load_with("some/folder/rollout.yaml", text, strlen(text), NULL);
}

static void drop(struct loaded *l)
{
	sb_done(&l->text);
	arena_done(&l->arena);
	free(l);
}

static void assert_says(const struct loaded *l, const char *line)
{
	if (strstr(l->text.buf, line))
		return;
	fprintf(stderr, "wanted: %s\n   got:\n%s", line, l->text.buf);
	fail();
}

static void assert_silent(const struct loaded *l, const char *word)
{
	if (!strstr(l->text.buf, word))
		return;
	fprintf(stderr, "not wanted: %s\n   got:\n%s", word, l->text.buf);
	fail();
}

/* A file with the two parts that a test is about put into what is right without them. */
static struct loaded *load_parts(const char *top, const char *dev)
{
	struct arena a = ARENA_INIT;
	const char *text = arena_printf(&a,
					"version: 1\n"
					"%s"
					"environments:\n"
					"  dev:\n"
					"    project: {organization: org-1, id: 1}\n"
					"    credential: {client_id: c-1, client_secret: env:S}\n"
					"%s",
					top, dev);
	struct loaded *l = load(text);
	arena_done(&a);
	return l;
}

#define SHOP                                                                                       \
	"connections: {shop: {url: 'https://shop.example', auth: {kind: bearer, token: env:T}}}\n"
#define CLOSE "    executors: {close: api}\n"

static void a_right_file_loads_without_a_word(void **state)
{
	struct loaded *l = load(fake_rollout_text);
	(void)state;
	assert_string_equal(l->text.buf, "");
	assert_int_equal(l->status, 0);
	assert_int_equal(l->r->env_count, 2);
	assert_string_equal(l->r->envs[0].name, "dev");
	assert_int_equal(l->r->envs[0].pos.line, 11);
	assert_string_equal(l->r->envs[0].pos.file, "some/folder/rollout.yaml");
	assert_string_equal(l->r->folder, "some/folder");
	assert_string_equal(l->r->state, "some/folder/.s2sctl");
	assert_ptr_equal(rollout_find_env(l->r, "prod"), &l->r->envs[1]);
	assert_null(rollout_find_env(l->r, "stage"));
	assert_int_equal(l->r->envs[1].after_count, 1);
	assert_ptr_equal(l->r->envs[1].after[0], &l->r->envs[0]);
	assert_false(l->r->envs[0].rolls_back);
	drop(l);
}

static void defaults_are_merged_below_an_environment_map_by_map(void **state)
{
	struct loaded *l = load(fake_rollout_text);
	const struct value *dev = l->r->envs[0].want, *prod = l->r->envs[1].want;
	(void)state;
	assert_string_equal(value_text(value_path(dev, "credential.client_secret.ref")),
			    "file:secret");
	assert_true(value_path(dev, "credential.client_secret.late")->u.b);
	assert_string_equal(value_text(value_path(prod, "credential.client_secret.ref")),
			    "exec:get secret");
	assert_false(value_path(prod, "credential.client_secret.late")->u.b);
	assert_int_equal(value_count(value_path(prod, "credential.scopes")), 2);
	assert_int_equal(value_int_or(value_path(dev, "stock.room.size"), 0), 7);
	assert_true(value_bool_or(value_path(dev, "stock.room.door"), false));
	assert_int_equal(value_int_or(value_path(dev, "stock.every"), 0), 15 * WHEN_MINUTE);
	assert_string_equal(value_text(value_path(dev, "app.mode")), "plain");
	assert_string_equal(value_text(value_path(prod, "app.mode")), "fast");
	assert_string_equal(value_text(value_path(dev, "on_failure")), "halt");
	assert_int_equal(value_count(value_path(dev, "consumers")), 0);
	assert_string_equal(value_text(value_at(value_path(prod, "consumers"), 0)), "mailer");
	/* Untouched parts are the same nodes, not copies. */
	assert_ptr_equal(value_get(dev, "stock"), value_get(prod, "stock"));
	assert_ptr_equal(value_get(dev, "connections"), value_get(prod, "connections"));
	drop(l);
}

static void gates_and_executors_come_from_the_registry(void **state)
{
	struct loaded *l = load(fake_rollout_text);
	const struct value *dev = rollout_gate(&l->r->envs[0], "quiet"),
			   *prod = rollout_gate(&l->r->envs[1], "quiet");
	(void)state;
	assert_int_equal(value_int_or(value_get(dev, "window"), 0), 30 * WHEN_HOUR);
	assert_int_equal(value_int_or(value_get(prod, "window"), 0), 24 * WHEN_HOUR);
	assert_int_equal(value_int_or(value_get(dev, "cadence"), 0), 10 * WHEN_MINUTE);
	assert_int_equal(value_int_or(value_get(dev, "deadline"), 0), 2 * WHEN_DAY);
	assert_int_equal(value_int_or(value_get(dev, "min_samples"), 0), 1);
	assert_string_equal(value_text(value_get(dev, "on_expire")), "fail");
	assert_null(rollout_gate(&l->r->envs[0], "loud"));
	assert_int_equal(rollout_executor(&l->r->envs[0], "close"), EXEC_OPERATOR);
	assert_int_equal(rollout_executor(&l->r->envs[1], "close"), EXEC_API);
	assert_int_equal(rollout_executor(&l->r->envs[1], "open"), EXEC_OPERATOR);
	assert_int_equal(rollout_executor(&l->r->envs[1], NULL), EXEC_API);
	drop(l);
}

static void connections_are_merged_and_completed(void **state)
{
	struct loaded *l = load(
		"version: 1\n"
		"connections:\n"
		"  shop:\n"
		"    url: https://shop.example//\n"
		"    auth: {kind: client_credentials, client_id: reader, client_secret: env:R}\n"
		"environments:\n"
		"  dev: &dev\n"
		"    project: {organization: o, id: 1}\n"
		"    credential: {client_id: c, client_secret: env:C}\n"
		"    executors: {close: api}\n"
		"  prod:\n"
		"    <<: *dev\n"
		"    project: {organization: o, id: 2}\n"
		"    connections:\n"
		"      shop: {prefix: /gate/, timeout: 5s}\n"
		"      till: {url: 'http://127.0.0.1:81', prefix: /x/}\n"
		"  lone:\n"
		"    <<: *dev\n"
		"    connections: {shop: {auth: {kind: bearer, token: env:T}}}\n");
	(void)state;
	assert_int_equal(l->status, 0);
	const struct value *dev = rollout_connection(&l->r->envs[0], "shop"),
			   *prod = rollout_connection(&l->r->envs[1], "shop");
	const struct value *lone = rollout_connection(&l->r->envs[2], "shop");
	assert_string_equal(value_text(value_get(dev, "url")), "https://shop.example");
	assert_string_equal(value_text(value_get(dev, "prefix")), "/v1");
	assert_int_equal(value_int_or(value_get(dev, "timeout"), 0), 65000);
	assert_string_equal(value_text(value_get(dev, "page")), "https://shop.example/page");
	assert_string_equal(value_text(value_path(dev, "auth.token_url")),
			    "https://till.example/token");
	assert_string_equal(value_text(value_path(dev, "auth.api_key")), "reader");
	assert_string_equal(value_text(value_get(prod, "url")), "https://shop.example");
	assert_string_equal(value_text(value_get(prod, "prefix")), "/gate");
	assert_int_equal(value_int_or(value_get(prod, "timeout"), 0), 5000);
	assert_string_equal(value_text(value_path(prod, "auth.token_url")),
			    "http://127.0.0.1:81/x/token");
	assert_string_equal(value_text(value_path(prod, "auth.client_id")), "reader");
	/* Another kind replaces the whole of it. */
	assert_string_equal(value_text(value_path(lone, "auth.token.ref")), "env:T");
	assert_null(value_path(lone, "auth.client_id"));
	assert_null(value_path(lone, "auth.token_url"));
	assert_null(rollout_connection(&l->r->envs[0], "bridge"));
	assert_string_equal(value_text(value_path(rollout_connection(&l->r->envs[0], "till"),
						  "auth.kind")),
			    "none");
	drop(l);
}

static void all_mistakes_are_told_at_once_in_order(void **state)
{
	struct loaded *l = load("version: 2\n"
				"stat: x\n"
				"connections:\n"
				"  shopp: {}\n"
				"environments:\n"
				"  dev:\n"
				"    project: {organization: a/b, id: 1, title: T}\n"
				"    credential: {client_id: c, scopes: read}\n"
				"    gates: {quiet: {window: 1h, passes: 0, cadence: soon}}\n"
				"    executors: {open: api, close: bridge}\n"
				"    on_failure: rolback\n"
				"    after: [nobody, deev]\n"
				"  'bad name': nonsense\n");
	(void)state;
	assert_int_equal(l->status, -1);
	assert_null(l->r);
	assert_string_equal(
		l->text.buf,
		"1:10 error out-of-range version is 2, but this program knows only 1\n"
		"2:1 error unknown-key unknown key 'stat' | did you mean 'state'?\n"
		"3:1 error required connections.shop is missing (environment 'dev') | The shop.\n"
		"4:3 error unknown-key unknown key 'shopp' in connections | did you mean 'shop'?\n"
		"7:5 error one-of only one of id, title may be written in project | leave one\n"
		"7:29 error bad-id project.organization holds a blank, '/', '?' or '#'\n"
		"8:5 error required credential.client_secret is missing (environment 'dev') | Its secret.\n"
		"8:40 error wrong-kind credential.scopes must be a list, not a string | put it in brackets: [ ... ]\n"
		"9:29 error gate-floor gates.quiet.window is 1h, below its floor of 24h | safety sets this floor; more is fine\n"
		"9:41 error out-of-range gates.quiet.passes is 0, outside 1 to 10000\n"
		"9:53 error bad-span gates.quiet.cadence is 'soon', not a span of time | a number and a unit, such as 90s, 15m, 24h, 1h30m or 7d\n"
		"10:23 error executor-impossible executors.open cannot be 'api'; it is one of operator, bridge\n"
		"10:35 error executor-impossible executors.close cannot be 'bridge'; it is one of operator, api\n"
		"11:17 error not-one-of on_failure is 'rolback'; it is one of halt, rollback | did you mean 'rollback'?\n"
		"12:13 error unknown-environment there is no environment 'nobody'\n"
		"12:21 error unknown-environment there is no environment 'deev' | did you mean 'dev'?\n"
		"13:3 error bad-id the name 'bad name' of an environment holds a blank, '/', '?' or '#'\n"
		"13:15 error wrong-kind environment 'bad name' must be a map, not a string | write its keys below it, indented\n");
	drop(l);
}

static void merge_keys_lose_against_what_is_written_and_win_against_defaults(void **state)
{
	struct loaded *l = load(
		"version: 1\n" SHOP
		"defaults: {executors: {close: operator}, stock: {count: 1, name: from defaults}}\n"
		"environments:\n"
		"  dev: &dev\n"
		"    project: {organization: o, id: 1}\n"
		"    credential: &cred {client_id: c-1, client_secret: env:S}\n"
		"    stock: &stock {count: 2, every: 2m}\n"
		"  prod:\n"
		"    <<: *dev\n"
		"    project: {organization: o, id: 2}\n"
		"    stock: {<<: *stock, every: 3m}\n"
		"    credential: {<<: *cred, client_id: c-2}\n");
	(void)state;
	assert_int_equal(l->status, 0);
	const struct value *dev = l->r->envs[0].want, *prod = l->r->envs[1].want;
	assert_int_equal(value_int_or(value_path(dev, "stock.count"), 0), 2);
	assert_string_equal(value_text(value_path(dev, "stock.name")), "from defaults");
	assert_int_equal(value_int_or(value_path(prod, "stock.count"), 0), 2);
	assert_int_equal(value_int_or(value_path(prod, "stock.every"), 0), 3 * WHEN_MINUTE);
	assert_string_equal(value_text(value_path(prod, "credential.client_secret.ref")), "env:S");
	assert_string_equal(l->r->envs[1].client_id, "c-2");
	drop(l);
}

static void a_mistake_in_a_merged_map_is_told_once(void **state)
{
	struct loaded *l = load("version: 1\n" SHOP "environments:\n"
				"  a: &a\n"
				"    project: {organization: o, id: 1}\n"
				"    credential: {client_id: c, client_secret: env:S}\n"
				"    executors: {close: api}\n"
				"    stock: {count: many}\n"
				"  b: {<<: *a, project: {organization: o, id: 2}}\n"
				"  c: {<<: *a, project: {organization: o, id: 3}}\n");
	(void)state;
	assert_int_equal(l->status, -1);
	assert_int_equal(l->diags.errors, 1);
	assert_says(l, "8:20 error bad-int stock.count is 'many', not a whole number\n");
	drop(l);
}

static void what_is_missing_everywhere_is_told_for_each_environment(void **state)
{
	struct loaded *l = load(
		"version: 1\n" SHOP "environments:\n"
		"  a: {project: {organization: o, id: 1}, credential: {client_id: c-1, client_secret: env:S}}\n"
		"  b: {project: {organization: o, id: 2}, executors: {close: api}}\n");
	(void)state;
	assert_int_equal(l->diags.errors, 2);
	assert_says(
		l,
		"4:3 error executor-required executors.close has no default: write operator or api (environment 'a') | Closes the order for ever.\n");
	assert_says(
		l,
		"5:3 error required credential is missing (environment 'b') | The credential.\n");
	drop(l);
}

static void executors_must_be_possible(void **state)
{
	struct loaded *l = load_parts(SHOP, "    executors: {open: api, close: bridge}\n");
	(void)state;
	/* `open` is shared by two changes: only what both can is possible. */
	assert_says(
		l,
		"7:23 error executor-impossible executors.open cannot be 'api'; it is one of operator, bridge\n");
	assert_says(
		l,
		"7:35 error executor-impossible executors.close cannot be 'bridge'; it is one of operator, api\n");
	assert_int_equal(l->diags.errors, 2);
	drop(l);
}

static void a_bridge_that_is_chosen_needs_a_connection(void **state)
{
	struct loaded *l = load_parts(SHOP, "    executors: {open: bridge, close: api}\n");
	(void)state;
	assert_says(
		l,
		"7:23 error bridge-missing executors.open is bridge, but environment 'dev' has no connection 'bridge' | write connections.bridge");
	assert_int_equal(l->diags.errors, 1);
	drop(l);
	l = load_parts(
		SHOP,
		"    executors: {open: bridge, close: api}\n"
		"    connections: {bridge: {url: 'https://b.example', auth: {token: env:B}}}\n");
	assert_int_equal(l->status, 0);
	assert_int_equal(rollout_executor(&l->r->envs[0], "open"), EXEC_BRIDGE);
	assert_string_equal(value_text(value_path(rollout_connection(&l->r->envs[0], "bridge"),
						  "auth.kind")),
			    "bearer");
	drop(l);
}

static void fields_of_another_auth_kind_are_refused(void **state)
{
	struct loaded *l = load_parts(
		"connections:\n"
		"  shop:\n"
		"    url: https://shop.example\n"
		"    auth: {kind: bearer, token: env:T, client_id: x, scopes: [a]}\n"
		"  bridge: {url: 'https://b.example', auth: {kind: client_credentials}}\n"
		"  till: {auth: {kind: bearer}}\n",
		CLOSE);
	(void)state;
	assert_says(
		l,
		"5:40 error auth-field connections.shop.auth.client_id does not belong to kind bearer");
	assert_says(
		l,
		"5:54 error auth-field connections.shop.auth.scopes does not belong to kind bearer");
	assert_says(
		l,
		"6:51 error auth-kind connections.bridge.auth.kind is 'client_credentials'; it can only be bearer\n");
	assert_says(
		l,
		"7:23 error auth-kind connections.till.auth.kind is 'bearer'; it can only be none\n");
	assert_int_equal(l->diags.errors, 4);
	drop(l);
}

static void what_an_auth_kind_needs_is_required(void **state)
{
	struct loaded *l = load_parts(
		"connections: {shop: {url: 'https://shop.example', auth: {kind: client_credentials}}}\n",
		CLOSE);
	(void)state;
	assert_says(l, "error required connections.shop.auth.client_id is missing");
	assert_says(l, "error required connections.shop.auth.client_secret is missing");
	assert_int_equal(l->diags.errors, 2);
	drop(l);
	l = load_parts("connections: {shop: {url: 'https://shop.example', auth: {token: env:T}}}\n",
		       CLOSE);
	assert_says(
		l,
		"2:51 error required connections.shop.auth.kind has no default: write bearer or client_credentials (environment 'dev')");
	drop(l);
	l = load_parts("connections: {shop: {url: 'https://shop.example'}}\n", CLOSE);
	assert_says(l, "2:15 error required connections.shop.auth is missing (environment 'dev')");
	drop(l);
	l = load_parts("", CLOSE);
	assert_says(l, "3:3 error required connections.shop is missing (environment 'dev')");
	assert_int_equal(l->diags.errors, 1);
	drop(l);
}

static void a_prefix_begins_with_a_slash(void **state)
{
	struct loaded *l = load_parts(
		"connections: {shop: {url: 'https://shop.example', prefix: v1, auth: {kind: bearer, token: env:T}}}\n",
		CLOSE);
	(void)state;
	assert_says(l, "2:59 error bad-prefix connections.shop.prefix has to begin with '/'");
	drop(l);
	l = load_parts(
		"connections: {shop: {url: 'https://shop.example', prefix: '', auth: {kind: bearer, token: env:T}}}\n",
		CLOSE);
	assert_int_equal(l->status, 0);
	assert_string_equal(value_text(value_get(rollout_connection(&l->r->envs[0], "shop"),
						 "prefix")),
			    "");
	drop(l);
}

static void gate_thresholds_have_floors(void **state)
{
	struct loaded *l = load_parts(
		SHOP,
		CLOSE "    gates: {quiet: {window: 23h, passes: 0, cadence: soon}, loud: {}}\n");
	(void)state;
	assert_says(
		l,
		"8:29 error gate-floor gates.quiet.window is 23h, below its floor of 24h | safety sets this floor");
	assert_says(l, "8:42 error out-of-range gates.quiet.passes is 0, outside 1 to 10000\n");
	assert_says(
		l,
		"8:54 error bad-span gates.quiet.cadence is 'soon', not a span of time | a number and a unit");
	assert_says(l, "8:61 error unknown-key unknown key 'loud' in gates | known here: quiet\n");
	assert_int_equal(l->diags.errors, 4);
	drop(l);
}

static void what_a_failed_gate_leads_to_is_each_environments_own(void **state)
{
	struct loaded *l =
		load_parts(SHOP "defaults: {on_failure: rollback}\n",
			   CLOSE "  prod:\n"
				 "    project: {organization: o, id: 2}\n"
				 "    on_failure: halt\n"
				 "    credential: {client_id: c-2, client_secret: env:S}\n" CLOSE);
	(void)state;
	assert_int_equal(l->diags.errors, 0);
	assert_true(l->r->envs[0].rolls_back);
	assert_false(l->r->envs[1].rolls_back);
	drop(l);
}

static void what_a_provider_finds_in_the_file_is_warned_of_once(void **state)
{
	struct loaded *l =
		load_parts(SHOP "defaults: {on_failure: rollback}\n",
			   CLOSE "  prod:\n"
				 "    project: {organization: o, title: Shop}\n"
				 "    credential: {client_id: c-2, client_secret: env:S}\n" CLOSE
				 "  qa:\n"
				 "    project: {organization: o, title: Other}\n"
				 "    credential: {client_id: c-3, client_secret: env:S}\n" CLOSE);
	(void)state;
	assert_string_equal(
		l->text.buf,
		"3:24 warning title-back environment 'prod': what is known by its title cannot go back | write its id\n");
	assert_int_equal(l->status, 0);
	drop(l);
}

static void looks_that_outlast_a_persons_reading_are_warned_of(void **state)
{
	static const struct {
		const char *gate;
		bool is_long;
	} cases[] = {
		{ "{cadence: 20m, passes: 3}", false },
		{ "{cadence: 20m, passes: 4}", true },
		{ "{cadence: 20m, min_samples: 60}", false }, /* in one go, a minute apart */
		{ "{cadence: 20m, min_samples: 61}", true },
		{ "{cadence: 30s, min_samples: 100}", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a = ARENA_INIT;
		struct loaded *l =
			load_parts(SHOP, arena_printf(&a, CLOSE "    gates: {quiet: %s}\n",
						      cases[i].gate));
		assert_int_equal(l->status, 0);
		if (cases[i].is_long)
			assert_says(
				l,
				" warning attested-too-short gate 'quiet' wants looks that agree for 1h, and what a person reads counts for 1h: "
				"where a person has to read it, it never passes | fewer looks");
		else
			assert_string_equal(l->text.buf, "");
		drop(l);
		arena_done(&a);
	}
}

static void environments_that_are_not_there_and_cycles_are_told(void **state)
{
	static const char env[] = "  %s:\n"
				  "    project: {organization: o, id: '%s'}\n"
				  "    credential: {client_id: 'c-%s', client_secret: env:S}\n"
				  "    after: [%s]\n";
	static const char *const after[][2] = { { "dev", "prod" },
						{ "stage", "dev" },
						{ "prod", "stage, dev" },
						{ "self", "self" },
						{ "lost", "stagge, nowhere, dev" } };
	struct arena a = ARENA_INIT;
	const char *text = "version: 1\n" SHOP "defaults: {executors: {close: api}}\n"
			   "environments:\n";
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(after); i++) {
		const char *name = after[i][0];
		CLEANUP(sb_done) struct sb s = SB_INIT(10000);
		sb_add(&s, text);
		sb_addf(&s, env, name, name, name, after[i][1]);
		text = arena_strdup(&a, s.buf);
	}
	struct loaded *l = load(text);
	assert_says(
		l,
		"8:5 error after-cycle environments wait for each other: dev -> prod -> stage -> dev | one of them has to begin\n");
	assert_says(
		l,
		"8:5 error after-cycle environments wait for each other: dev -> prod -> dev | one of them has to begin\n");
	assert_says(
		l,
		"20:5 error after-cycle environments wait for each other: self -> self | one of them has to begin\n");
	assert_says(
		l,
		"24:13 error unknown-environment there is no environment 'stagge' | did you mean 'stage'?\n");
	assert_says(l, "24:21 error unknown-environment there is no environment 'nowhere'\n");
	assert_int_equal(l->diags.errors, 5);
	drop(l);
	arena_done(&a);
}

static void the_same_integration_twice_is_an_error(void **state)
{
	struct loaded *l = load(
		"version: 1\n" SHOP "defaults: {executors: {close: api}, app: {instance: one}}\n"
		"environments:\n"
		"  a: {project: {organization: o, id: 1}, credential: {client_id: c, client_secret: env:S}}\n"
		"  b: {project: {id: 1, organization: o}, credential: {client_id: c, client_secret: env:S}, app: {mode: fast}}\n"
		"  c: {project: {id: 1, organization: o}, credential: {client_id: c, client_secret: env:S}, app: {instance: two}}\n");
	(void)state;
	assert_says(
		l,
		"6:3 error same-integration environment 'b' is the same integration as 'a': project and app are equal");
	assert_int_equal(l->diags.errors, 1);
	drop(l);
}

static void environments_of_one_client_are_noted(void **state)
{
	struct loaded *l = load(
		"version: 1\n" SHOP "defaults: {executors: {close: api}}\n"
		"environments:\n"
		"  a: {project: {organization: o, id: 1}, credential: {client_id: c, client_secret: env:S}}\n"
		"  b: {project: {organization: o, id: 2}, credential: {client_id: d, client_secret: env:S}}\n"
		"  c: {project: {organization: o, id: 3}, credential: {client_id: c, client_secret: env:S}}\n");
	(void)state;
	assert_int_equal(l->status, 0);
	assert_string_equal(
		l->text.buf,
		"5:66 note shared-client environments a, c migrate the same client: they share one contract step, which waits until all of them have proved\n");
	assert_true(rollout_is_migrating(l->r, "c"));
	assert_true(rollout_is_migrating(l->r, "d"));
	assert_false(rollout_is_migrating(l->r, "e"));
	assert_false(rollout_is_migrating(l->r, NULL));
	drop(l);
}

static void reading_with_a_migrating_client_is_warned_of(void **state)
{
	struct loaded *l = load_parts(
		"connections: {shop: {url: 'https://shop.example', auth: {kind: client_credentials, client_id: c-1, client_secret: env:R}}}\n",
		CLOSE);
	(void)state;
	assert_int_equal(l->status, 0);
	assert_int_equal(l->diags.warnings, 1);
	assert_says(
		l,
		"2:95 warning migrating-client connection 'shop' signs in with the client that environment 'dev' migrates: plan and status cannot read shop, because "
		"reading would mint a token of the client being migrated | use a different client for this connection\n");
	drop(l);
}

static void values_come_from_environment_variables(void **state)
{
	static const char *const vars[] = { "SHOP_URL=https://shop.example/from-env/",
					    "ID=client-from-env", "BAD_URL=" CANARY, NULL };
	static const char file[] =
		"version: 1\n"
		"connections: {shop: {url: env:SHOP_URL, auth: {kind: bearer, token: env:T}}}\n"
		"environments:\n"
		"  dev:\n"
		"    project: {organization: env:ORG, id: 1}\n"
		"    credential: {client_id: env:ID, client_secret: env:S}\n"
		"    connections: {bridge: {url: env:BAD_URL, auth: {token: env:T}}}\n"
		"    stock: {every: env:ID, open: env:lower-case}\n" CLOSE;
	struct loaded *l = load_with("rollout.yaml", file, sizeof(file) - 1, vars);
	(void)state;
	assert_says(
		l,
		"5:29 error env-missing project.organization: the environment variable ORG is not set | set it, or write the value itself\n");
	assert_says(
		l,
		"7:33 error bad-url connections.bridge.url is not an https address (the variable BAD_URL) | ");
	assert_says(l,
		    "8:20 error bad-span stock.every is not a span of time (the variable ID) | ");
	assert_says(
		l,
		"8:34 error env-missing stock.open has no name of an environment variable after env: | ");
	assert_int_equal(l->diags.errors, 4);
	assert_silent(l, CANARY);
	drop(l);
	static const char right[] =
		"version: 1\n"
		"connections: {shop: {url: env:SHOP_URL, auth: {kind: bearer, token: env:T}}}\n"
		"environments:\n"
		"  dev:\n"
		"    project: {organization: o, id: 1}\n"
		"    credential: {client_id: env:ID, client_secret: env:S}\n" CLOSE;
	l = load_with("rollout.yaml", right, sizeof(right) - 1, vars);
	assert_int_equal(l->status, 0);
	assert_string_equal(value_text(
				    value_get(rollout_connection(&l->r->envs[0], "shop"), "url")),
			    "https://shop.example/from-env");
	assert_string_equal(l->r->envs[0].client_id, "client-from-env");
	assert_string_equal(l->r->state, ".s2sctl");
	drop(l);
}

static void a_secret_never_gets_into_a_message(void **state)
{
	struct loaded *l =
		load_parts("connections:\n"
			   "  shop: {url: 'https://user:" CANARY
			   "@shop.example', auth: {kind: bearer, token: " CANARY "}}\n"
			   "  bridge: {url: 'https://b.example', auth: {token: {ref: " CANARY
			   ", late: 'yes'}}}\n",
			   "    executors: {close: api}\n"
			   "    stock: {key: [" CANARY "]}\n"
			   "  two:\n"
			   "    project: {organization: o, id: 2}\n"
			   "    credential: {client_id: c-2, client_secret: {value: " CANARY "}}\n"
			   "    stock: {key: 'env:" CANARY "'}\n"
			   "  three:\n"
			   "    project: {organization: '" CANARY "/', id: 2}\n"
			   "    credential: {client_id: '" CANARY " ', client_secret: " CANARY
			   ", client_secre: " CANARY "}\n");
	(void)state;
	assert_silent(l, CANARY);
	assert_says(
		l,
		"3:86 error secret-literal connections.shop.auth.token is not a reference to a secret | write env:NAME, file:PATH or exec:COMMAND\n");
	assert_says(
		l,
		"4:58 error secret-literal connections.bridge.auth.token.ref is not a reference");
	assert_says(l, "error wrong-kind stock.key must be a reference, not a list");
	assert_says(
		l,
		"error unknown-key unknown key 'value' in credential.client_secret | known here: ref, late");
	assert_says(l, "error required credential.client_secret.ref is missing");
	assert_says(l,
		    "error bad-secret stock.key has no name of an environment variable after env:");
	assert_says(l, "error bad-id credential.client_id holds a blank");
	assert_says(
		l,
		"error unknown-key unknown key 'client_secre' in credential | did you mean 'client_secret'?");
	drop(l);
}

struct refs {
	char text[2000];
};

static void note_ref(void *arg, const struct rollout_secret *s)
{
	struct refs *refs = arg;
	size_t used = strlen(refs->text);
	snprintf(refs->text + used, sizeof(refs->text) - used, "%s %s%s %s:%u\n", s->path, s->ref,
		 s->is_late ? " late" : "", s->env->name, s->pos.line);
}

static void secret_references_are_walked_once_each(void **state)
{
	struct loaded *l = load(fake_rollout_text);
	struct refs all = { "" }, one = { "" };
	(void)state;
	rollout_secret_refs(l->r, NULL, note_ref, &all);
	assert_string_equal(all.text, "connections.shop.auth.token env:SHOP_TOKEN dev:5\n"
				      "credential.client_secret file:secret late dev:7\n"
				      "credential.client_secret exec:get secret prod:18\n");
	rollout_secret_refs(l->r, &l->r->envs[1], note_ref, &one);
	assert_string_equal(one.text, "connections.shop.auth.token env:SHOP_TOKEN prod:5\n"
				      "credential.client_secret exec:get secret prod:18\n");
	drop(l);
}

static void a_secret_that_two_places_name_is_told_at_both(void **state)
{
	struct loaded *l = load(
		"version: 1\n"
		"environments:\n"
		"  dev:\n"
		"    connections: {shop: {url: \"https://shop.example/\", auth: {kind: bearer, token: {ref: file:secret, late: true}}}}\n"
		"    project: {organization: org-1, title: Dev}\n"
		"    credential: {client_id: client-dev, client_secret: {ref: file:secret, late: true}}\n"
		"    app: {instance: dev}\n"
		"    executors: {close: operator}\n");
	struct refs once = { "" }, each = { "" };
	(void)state;
	assert_string_equal(l->text.buf, "");
	rollout_secret_refs(l->r, &l->r->envs[0], note_ref, &once);
	assert_string_equal(once.text, "connections.shop.auth.token file:secret late dev:4\n");
	rollout_secret_places(l->r, &l->r->envs[0], note_ref, &each);
	assert_string_equal(each.text, "connections.shop.auth.token file:secret late dev:4\n"
				       "credential.client_secret file:secret late dev:6\n");
	drop(l);
}

static void files_that_are_no_rollouts_are_told_so(void **state)
{
	static const char *const texts[][2] = {
		{ "", "1:1 error required version is missing" },
		{ "[]\n", "error wrong-kind the file must be a map, not a list" },
		{ "version: 1\nenvironments: []\n",
		  "2:15 error wrong-kind environments must be a map, not a list" },
		{ "version: 1\nenvironments:\n",
		  "2:1 error no-environments there is no environment" },
		{ "version: 1\nenvironments: {a: b}\n",
		  "2:19 error wrong-kind environment 'a' must be a map, not a string" },
		{ "version: 1\n", "1:1 error required environments is missing" },
		{ "version: one\n", "1:10 error bad-int version is 'one', not a whole number" },
		{ "version: 1\ndefaults: {after: [a]}\n",
		  "2:12 error defaults-after 'after' cannot have a default" },
		{ "version: 1\ndefaults: nothing\n",
		  "2:11 error wrong-kind defaults must be a map, not a string" },
		{ "version: 1\nconnections: nothing\n",
		  "2:14 error wrong-kind connections must be a map, not a string" },
		{ "a: [\n", "error" },
		{ "version: 1\nenvironments: {'a b': {}}\n",
		  "2:16 error bad-id the name 'a b' of an environment holds a blank" },
		{ "version: 1\nenvironments: {'..': {}}\n",
		  "2:16 error bad-id the name '..' of an environment is '..'" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct loaded *l = load(texts[i][0]);
		assert_int_equal(l->status, -1);
		assert_null(l->r);
		assert_says(l, texts[i][1]);
		drop(l);
	}
}

static void a_file_that_cannot_be_read_is_a_diag(void **state)
{
	struct arena a = ARENA_INIT;
	struct fake_env env = { 0 };
	struct sys sys = fake_sys(&env);
	struct rollout *r = NULL;
	struct diags d;
	(void)state;
	diags_init(&d, &a);
	assert_int_equal(rollout_load("/nowhere/rollout.yaml", &fake_registry, &sys, &a, &r, &d),
			 -1);
	assert_null(r);
	assert_int_equal(d.errors, 1);
	assert_string_equal(d.list[0].rule, "unreadable");
	arena_done(&a);
}

static void ten_thousand_environments_load_and_share_what_they_have_in_common(void **state)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(SB_TEXT_MAX);
	enum { COUNT = 10000 };
	char name[16];
	(void)state;
	sb_add(&s,
	       "version: 1\n" SHOP
	       "defaults:\n  executors: {close: operator}\n  stock: {name: x, room: {size: 3}}\nenvironments:\n");
	for (int i = 0; i < COUNT; i++) {
		sb_addf(&s, "  env-%d:\n", i);
		sb_addf(&s,
			i ? "    <<: *base\n" :
			    "    <<: &base\n      consumers: [mailer, printer]\n      gates: {quiet: {window: 30h}}\n");
		sb_addf(&s, "    project:\n      organization: org-%d\n      title: Project %d\n",
			i % 7, i);
		sb_addf(&s,
			"    credential:\n      client_id: client-%d\n      client_secret:\n        ref: env:SECRET_%d\n        late: true\n",
			i, i);
		sb_addf(&s, "      scopes:\n        - read\n        - write\n");
		sb_addf(&s, "    app:\n      instance: app-%d\n      mode: fast\n", i);
		sb_addf(&s, "    gates:\n      quiet:\n        window: 48h\n        passes: 3\n");
		sb_addf(&s, "    executors:\n      close: api\n");
		sb_addf(&s, "    connections:\n      shop:\n        timeout: %ds\n", i % 60 + 1);
		if (i)
			sb_addf(&s, "    after: [env-%d]\n", i - 1);
	}
	struct loaded *l = load(s.buf);
	assert_string_equal(l->text.buf, "");
	assert_int_equal(l->r->env_count, COUNT);
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "env-%d", i);
		assert_ptr_equal(rollout_find_env(l->r, name), &l->r->envs[i]);
	}
	assert_ptr_equal(value_get(l->r->envs[1].want, "stock"),
			 value_get(l->r->envs[COUNT - 1].want, "stock"));
	assert_ptr_equal(value_get(l->r->envs[1].want, "consumers"),
			 value_get(l->r->envs[COUNT - 1].want, "consumers"));
	assert_int_equal(value_int_or(value_path(l->r->envs[77].want, "gates.quiet.window"), 0),
			 48 * WHEN_HOUR);
	assert_true(rollout_is_migrating(l->r, "client-9999"));
	drop(l);
}

static void help_names_every_key_once(void **state)
{
	struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb all = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb part = SB_INIT(SB_TEXT_MAX);
	const struct field *fields = rollout_fields(&fake_registry, &a);
	(void)state;
	assert_int_equal(schema_help(fields, NULL, &all), 0);
	assert_non_null(
		strstr(all.buf,
		       "version: whole number; 1; required\n    Of this file format: 1.\n"));
	assert_non_null(
		strstr(all.buf, "window: span such as 90s, 15m, 24h; at least 24h; default 24h\n"));
	assert_non_null(strstr(all.buf, "(its keys: see defaults.gates)\n"));
	assert_int_equal(schema_help(fields, "environments.dev.executors", &part), 0);
	assert_string_equal(part.buf,
			    "executors:\n"
			    "    Who acts: a person, the bridge, or the system's own API.\n"
			    "  open: one of operator, bridge; default operator\n"
			    "      Opens the order.\n"
			    "  close: one of operator, api; required\n"
			    "      Closes the order for ever.\n");
	assert_int_equal(schema_help(fields, "environments.dev.nothing", &part), -1);
	assert_int_equal(schema_help(fields, "version.x", &part), -1);
	assert_int_equal(schema_help(fields, "", &part), -1);
	arena_done(&a);
}

static void the_json_schema_says_what_editors_need(void **state)
{
	struct arena a = ARENA_INIT;
	const struct value *v = schema_to_json(&a, rollout_fields(&fake_registry, &a),
					       "https://id.example/x", "A title", "A doc.");
	(void)state;
	assert_string_equal(value_text(value_get(v, "$schema")),
			    "http://json-schema.org/draft-07/schema#");
	assert_string_equal(value_text(value_get(v, "type")), "object");
	assert_int_equal(value_count(value_get(v, "required")), 2);
	assert_false(value_bool_or(value_get(v, "additionalProperties"), true));
	assert_non_null(value_path(v, "properties.<<"));
	assert_non_null(value_path(v, "definitions.quiet.properties.window.pattern"));
	assert_non_null(value_path(v, "definitions.quiet.properties.<<"));
	assert_int_equal(value_int_or(value_path(v, "definitions.quiet.properties.passes.default"),
				      0),
			 1);
	assert_int_equal(value_count(value_path(v, "definitions.executors.properties.close.enum")),
			 2);
	assert_int_equal(value_count(value_path(v, "definitions.shop.properties.url.anyOf")), 2);
	assert_null(value_path(v, "definitions.project.required"));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_file_loads_without_a_word),
		cmocka_unit_test(defaults_are_merged_below_an_environment_map_by_map),
		cmocka_unit_test(gates_and_executors_come_from_the_registry),
		cmocka_unit_test(connections_are_merged_and_completed),
		cmocka_unit_test(all_mistakes_are_told_at_once_in_order),
		cmocka_unit_test(merge_keys_lose_against_what_is_written_and_win_against_defaults),
		cmocka_unit_test(a_mistake_in_a_merged_map_is_told_once),
		cmocka_unit_test(what_is_missing_everywhere_is_told_for_each_environment),
		cmocka_unit_test(executors_must_be_possible),
		cmocka_unit_test(a_bridge_that_is_chosen_needs_a_connection),
		cmocka_unit_test(fields_of_another_auth_kind_are_refused),
		cmocka_unit_test(what_an_auth_kind_needs_is_required),
		cmocka_unit_test(a_prefix_begins_with_a_slash),
		cmocka_unit_test(gate_thresholds_have_floors),
		cmocka_unit_test(what_a_failed_gate_leads_to_is_each_environments_own),
		cmocka_unit_test(what_a_provider_finds_in_the_file_is_warned_of_once),
		cmocka_unit_test(looks_that_outlast_a_persons_reading_are_warned_of),
		cmocka_unit_test(environments_that_are_not_there_and_cycles_are_told),
		cmocka_unit_test(the_same_integration_twice_is_an_error),
		cmocka_unit_test(environments_of_one_client_are_noted),
		cmocka_unit_test(reading_with_a_migrating_client_is_warned_of),
		cmocka_unit_test(values_come_from_environment_variables),
		cmocka_unit_test(a_secret_never_gets_into_a_message),
		cmocka_unit_test(secret_references_are_walked_once_each),
		cmocka_unit_test(a_secret_that_two_places_name_is_told_at_both),
		cmocka_unit_test(files_that_are_no_rollouts_are_told_so),
		cmocka_unit_test(a_file_that_cannot_be_read_is_a_diag),
		cmocka_unit_test(ten_thousand_environments_load_and_share_what_they_have_in_common),
		cmocka_unit_test(help_names_every_key_once),
		cmocka_unit_test(the_json_schema_says_what_editors_need),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
