/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/small_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/diags.h"
#include "core/io/yaml.h"

#define ORIGIN "https://systems.example"

static const char the_world[] =
	"clock: 2026-11-23T08:00:00Z\n"
	"seed: 7\n"
	"switches: {jwt_in_usages: true}\n"
	"user_tokens: [{token: fake-user-token, api_keys: [console-key], name: Pat}]\n"
	"callers:\n"
	"- {name: reader, client_id: reader-key, client_secret: fake-reader-secret, may: [console, campaign]}\n"
	"organizations:\n"
	"- id: '23294'\n"
	"  ims: ACME@AdobeOrg\n"
	"  name: Acme\n"
	"  projects:\n"
	"  - id: '4566206088344958295'\n"
	"    title: Acme Dev\n"
	"    workspaces:\n"
	"    - id: '71'\n"
	"      credentials:\n"
	"      - {id: '501', client_id: acme-client, client_secret: fake-new-secret, private_key: fake-key,\n"
	"         profiles: [acme-dev], state: jwt_only, certificate_ends: 300d}\n"
	"campaign:\n"
	"- {tenant: acme-dev, filters: {byExternalId: {param: externalId_parameter}}}\n"
	"apps:\n"
	"- instance: acme-dev\n"
	"  dynamics: acmeorg\n"
	"  settings: {auth_type: jwt, client_id: acme-client, private_key: fake-key}\n"
	"  workflows:\n"
	"    ingress: {status: RUNNING}\n"
	"    egress: {status: RUNNING}\n"
	"    opt-in-out: {status: STOPPED}\n"
	"dynamics:\n"
	"- org: acmeorg\n"
	"  tenant: 99999999-9999-4999-8999-999999999999\n"
	"  clients: [{client_id: entra-client, client_secret: fake-entra-secret}]\n"
	"  contacts: [{id: 11111111-1111-4111-8111-111111111111, email: ann@example.com, first: Ann, last: Lee, modified: -3h}]\n"
	"  activity: {every: 5m}\n"
	"bridge: {token: fake-bridge-token}\n";

const char small_rollout[] =
	"version: 1\n"
	"connections:\n"
	"  console:\n"
	"    url: " ORIGIN "\n"
	"    auth: {kind: bearer, token: env:USER_TOKEN, api_key: console-key}\n"
	"  ims: {url: " ORIGIN "}\n"
	"  bridge: {url: " ORIGIN "/bridge, auth: {kind: bearer, token: env:BRIDGE_TOKEN}}\n"
	"  campaign:\n"
	"    url: " ORIGIN "\n"
	"    auth: {kind: client_credentials, client_id: reader-key, client_secret: env:READER_SECRET, scopes: [openid]}\n"
	"  dynamics:\n"
	"    url: " ORIGIN "/dynamics/acmeorg\n"
	"    auth: {kind: client_credentials, client_id: entra-client, client_secret: env:ENTRA_SECRET,\n"
	"           token_url: " ORIGIN
	"/entra/99999999-9999-4999-8999-999999999999/oauth2/v2.0/token,\n"
	"           scopes: [\"https://acmeorg.api.crm.dynamics.com/.default\"]}\n"
	"environments:\n"
	"  dev:\n"
	"    project: {organization: ACME@AdobeOrg, title: Acme Dev}\n"
	"    credential: {client_id: acme-client, client_secret: {ref: file:secrets/dev, late: true}}\n"
	"    app: {instance: acme-dev}\n"
	"    campaign: {tenant: acme-dev}\n"
	"    gates:\n"
	"      workflows_stable: {soak: 1m, cadence: 30s}\n"
	"      app_uses_oauth: {cadence: 5m}\n"
	"      jwt_quiet: {cadence: 1h}\n"
	"    executors: {start: bridge, secret: bridge, settings: bridge, restart: bridge, finalize: api}\n";

static int64_t now(void *ctx)
{
	return world_now(((struct small_scene *)ctx)->world);
}

static void advance(void *ctx, int64_t to_ms)
{
	world_advance(((struct small_scene *)ctx)->world, to_ms);
}

static int64_t next_event(void *ctx)
{
	return world_next_event(((struct small_scene *)ctx)->world);
}

static const char *route(void *ctx, const char *url, struct arena *a)
{
	(void)ctx;
	return strncmp(url, ORIGIN "/", strlen(ORIGIN) + 1) == 0 ?
		       arena_strdup(a, url + strlen(ORIGIN)) :
		       NULL;
}

static void answer(void *ctx, const struct twin_req *req, struct twin_resp *resp)
{
	struct small_scene *s = ctx;

	s->answers++;
	world_answer(s->world, req, resp);
}

static int64_t date(void *ctx, const struct twin_req *req)
{
	struct small_scene *s = ctx;

	return world_now(s->world) + world_skew_ms(s->world, world_twin_for(s->world, req));
}

static bool person(void *ctx, const char *address, const struct instruction *in,
		   struct scene_says *ret, struct arena *a)
{
	(void)address, (void)in, (void)ret, (void)a;
	((struct small_scene *)ctx)->persons++;
	return false;
}

static void saw_text(void *ctx, const char *channel, const char *text, size_t len)
{
	struct small_scene *s = ctx;

	s->texts++;
	if (strncmp(channel, "request ", 8) != 0 && strcmp(channel, "secret-file") != 0 &&
	    memmem(text, len, SMALL_SECRET, strlen(SMALL_SECRET)))
		s->seen_secret = arena_strdup(&s->arena, channel);
}

static void command_begins(void *ctx, enum scene_command kind)
{
	(void)kind;
	((struct small_scene *)ctx)->begins++;
}

static void takes_back(void *ctx, const char *env)
{
	(void)env;
	((struct small_scene *)ctx)->backs++;
}

static void command_ended(void *ctx, enum scene_command kind, bool by_itself, int exit_status)
{
	struct small_scene *s = ctx;

	(void)kind, (void)exit_status;
	s->ends++;
	s->kills += !by_itself;
}

static void settled(void *ctx, int exit_status, int planned_status)
{
	struct small_scene *s = ctx;

	s->settled++;
	s->exit_status = exit_status;
	s->planned_status = planned_status;
}

static const char *verdict(void *ctx)
{
	return ((struct small_scene *)ctx)->verdict;
}

void small_scene_init(struct small_scene *s)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *doc = NULL;
	struct diags d;
	struct err err = ERR_INIT;

	*s = (struct small_scene){
		.scene = { s, now, advance, next_event, route, answer, date, person, saw_text,
			   command_begins, takes_back, command_ended, settled, verdict },
	};
	diags_init(&d, &a);
	assert_int_equal(yaml_parse(&a, "world.yaml", the_world, sizeof(the_world) - 1, NULL, &doc,
				    &d),
			 0);
	s->world = world_new(doc, &err);
	assert_string_equal(err.msg, "");
	assert_non_null(s->world);
}

void small_scene_done(struct small_scene *s)
{
	world_free(s->world);
	arena_done(&s->arena);
}
