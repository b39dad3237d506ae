/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded observations from outside, and the plan made of them: without harm, and the same each time. */
#include <stdlib.h>
#include <string.h>

#include "core/base/sb.h"
#include "core/run/recorded.h"
#include "providers/registry.h"

static const char rollout_text[] =
	"version: 1\n"
	"connections:\n"
	"  console: {url: 'https://console.example.com', auth: {kind: bearer, token: env:A, api_key: k}}\n"
	"  ims: {}\n"
	"  bridge: {url: 'https://bridge.example.com', auth: {kind: bearer, token: env:B}}\n"
	"environments:\n"
	"  stage:\n"
	"    project: {organization: 8C5F1A2B3D4E5F60@AdobeOrg, title: Geometrixx D365 stage}\n"
	"    credential:\n"
	"      client_id: geometrixx-stage-client\n"
	"      client_secret: {ref: file:secrets/stage-client-secret, late: true}\n"
	"    app: {instance: geometrixx-stage}\n"
	"    executors: {start: bridge, secret: bridge, settings: bridge, restart: bridge, finalize: api}\n";

static const char *no_env(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return NULL;
}

static void plan(const struct recorded *rec, struct arena *a, const struct rollout *r,
		 char ret_intent[65])
{
	const struct rollout_env *envs[] = { &r->envs[0], NULL };
	struct plan *p = recorded_plan(rec, a, &registry_all, r, envs, NULL, 1);

	plan_to_value(p);
	memcpy(ret_intent, p->intent_digest, 65);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb bytes = SB_INIT(SB_TEXT_MAX);
	const struct sys sys = { .getenv = no_env };
	struct recorded *rec = NULL;
	struct rollout *r = NULL;
	struct diags d;
	struct err e = ERR_INIT;
	char first[65], again[65];

	sb_addn(&bytes, (const char *)data, size);
	if (recorded_parse(&a, "obs", &bytes, &rec, &e) < 0)
		return 0;
	diags_init(&d, &a);
	if (rollout_parse("r.yaml", rollout_text, sizeof(rollout_text) - 1, &registry_all, &sys, &a,
			  &r, &d) < 0)
		abort();
	plan(rec, &a, r, first);
	plan(rec, &a, r, again);
	if (strcmp(first, again) != 0)
		abort();
	return 0;
}
