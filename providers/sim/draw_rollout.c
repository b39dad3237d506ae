/* SPDX-License-Identifier: Apache-2.0 */
/* The rollout file that belongs to a drawn world, as a person would write it. */
#include <inttypes.h>
#include <string.h>

#include "providers/sim/draw_private.h"

/* A scalar in double quotes: YAML then takes it as it stands. */
static void quoted(struct sb *out, const char *text)
{
	sb_addc(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			sb_addc(out, '\\');
		sb_addc(out, *text);
	}
	sb_addc(out, '"');
}

static void add_console(struct draft *d, struct sb *out)
{
	sb_add(out, "  console:\n    url: env:SYSTEMS_URL\n    auth:");
	if (d->console_by_client)
		sb_add(out,
		       " {kind: client_credentials, client_id: sim-reader, client_secret: env:READER_SECRET, scopes: [openid, AdobeID]}\n");
	else
		sb_add(out,
		       " {kind: bearer, token: env:CONSOLE_TOKEN, api_key: env:CONSOLE_KEY}\n");
	sb_add(out, "  ims: {url: env:SYSTEMS_URL}\n");
}

static void add_connections(struct draft *d, struct sb *out)
{
	sb_add(out, "connections:\n");
	add_console(d, out);
	if (d->has_bridge)
		sb_add(out, "  bridge: {url: \"" DRAW_ORIGIN
			    "/bridge\", auth: {kind: bearer, token: \"exec:bridge-login\"}}\n");
	if (d->has_campaign)
		sb_add(out,
		       "  campaign:\n    url: env:SYSTEMS_URL\n    auth: {kind: client_credentials, client_id: sim-reader, client_secret: env:READER_SECRET, scopes: [openid, AdobeID, campaign_sdk]}\n");
}

static void add_own_connections(struct draft *d, struct sb *out, const struct drawn *x)
{
	if (x->e.org == NULL && !x->reads_as_itself)
		return;
	sb_add(out, "    connections:\n");
	if (x->e.org != NULL)
		sb_addf(out,
			"      dynamics:\n        url: " DRAW_ORIGIN "/dynamics/%s\n"
			"        auth: {kind: client_credentials, client_id: sim-entra, client_secret: env:ENTRA_SECRET,\n"
			"          token_url: \"" DRAW_ORIGIN
			"/entra/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token\",\n"
			"          scopes: [\"https://%s.%scrm.dynamics.com/.default\"]}\n",
			x->e.org, x->e.org,
			strcmp(draw_switch(d, "audience_strict"), "true") == 0 ? "api." : "");
	if (x->reads_as_itself)
		sb_addf(out,
			"      campaign: {auth: {kind: client_credentials, client_id: %s, client_secret: {ref: \"%s\", late: %s}, scopes: [openid, AdobeID, campaign_sdk]}}\n",
			x->e.client_id, x->e.secret_ref, x->is_late ? "true" : "false");
}

static void add_project(struct draft *d, struct sb *out, const struct drawn *x)
{
	sb_addf(out, "    project: {organization: %s, ", d->ims_org);
	if (x->by_id) {
		sb_addf(out, "id: \"%s\"",
			x->e.project_id != NULL ? x->e.project_id : "4566206088344900000");
	} else {
		sb_add(out, "title: ");
		quoted(out, x->e.title);
	}
	if (!draw_plain(d) && dice_one_in(&d->dice, 4))
		sb_add(out, ", workspace: Production");
	sb_add(out, "}\n");
}

static void add_app(struct draft *d, struct sb *out, const struct drawn *x)
{
	sb_addf(out, "    app: {instance: %s, workflows: %s", x->e.instance, x->e.workflows);
	if (!draw_plain(d) && dice_one_in(&d->dice, 6))
		sb_add(out, ", page: \"https://app.example\"");
	if ((x->pending || x->replay) && dice_one_in(&d->dice, 2))
		sb_add(out, ", apply_pending: true");
	if (dice_one_in(&d->dice, 4))
		sb_add(out, ", stopped_is_meant: true");
	if (x->keeps_key)
		sb_add(out, ", keeps_private_key: true");
	sb_add(out, "}\n");
}

static const char *fewest(struct draft *d)
{
	static const char *const few[] = { "1", "2", "5" };

	return few[dice_below(&d->dice, 3)];
}

static void add_gates(struct draft *d, struct sb *out, struct drawn *x)
{
	bool fails;

	if (draw_plain(d)) {
		sb_add(out,
		       "    gates:\n      workflows_stable: {soak: 1m, cadence: 1m}\n      backlog: {cadence: 1m}\n"
		       "      records_arrive: {cadence: 5m}\n      app_uses_oauth: {cadence: 15m}\n      still_mints: {cadence: 6h}\n");
		return;
	}
	if (dice_one_in(&d->dice, 3))
		return;
	sb_add(out, "    gates:\n");
	sb_addf(out,
		"      workflows_stable: {soak: %" PRId64 "m, cadence: %" PRId64
		"s, min_samples: %s, passes: 1}\n",
		dice_between(&d->dice, 1, 40), dice_between(&d->dice, 10, 300), fewest(d));
	sb_addf(out, "      backlog: {tolerance: %" PRId64 ", cadence: 1m}\n",
		dice_between(&d->dice, 0, 500));
	/* What a person has read is good for an hour: more looks than fit into it can never be had. */
	sb_addf(out,
		"      jwt_quiet: {quiet: %" PRId64 "h, cadence: %" PRId64 "m, min_samples: %s}\n",
		dice_between(&d->dice, 24, 50), dice_between(&d->dice, 1, 20),
		dice_one_in(&d->dice, 2) ? "2" : "1");
	sb_addf(out, "      app_uses_oauth: {cadence: %" PRId64 "s}\n",
		dice_between(&d->dice, 10, 600));
	if (!dice_one_in(&d->dice, 3))
		return;
	fails = dice_one_in(&d->dice, 2);
	x->waits_on = !fails;
	sb_addf(out,
		"      records_arrive: {window: %" PRId64
		"m, cadence: 1m, deadline: 6h, on_expire: %s}\n",
		dice_between(&d->dice, 5, 120), fails ? "fail" : "wait");
}

static void add_executors(struct sb *out, const struct drawn *x)
{
	static const char *const names[] = { "start", "secret", "settings", "restart" };

	sb_add(out, "    executors: {");
	for (size_t i = 0; i < 4; i++)
		sb_addf(out, "%s: %s, ", names[i], x->executors[i]);
	if (x->can_go_back)
		sb_addf(out, "cancel: %s, ", x->e.by_bridge ? "bridge" : "operator");
	sb_addf(out, "finalize: %s}\n", x->e.finalize_by_api ? "api" : "operator");
}

static void add_key(struct draft *d, struct sb *out, const struct drawn *x)
{
	const char *ref;

	if (!x->can_go_back || x->keeps_key)
		return;
	ref = arena_printf(d->a, "file:secrets/%s-private-key", x->e.name);
	sb_addf(out, "      private_key: {ref: \"%s\", late: true}\n", ref);
	draw_ref(d, ref, x->file_key);
}

static void add_env(struct draft *d, struct sb *out, size_t i)
{
	struct drawn *x = &d->envs[i];

	sb_addf(out, "  %s:\n", x->e.name);
	if (x->after != i)
		sb_addf(out, "    after: [%s]\n", d->envs[x->after].e.name);
	add_own_connections(d, out, x);
	add_project(d, out, x);
	sb_addf(out,
		"    credential:\n      client_id: %s\n      client_secret: {ref: \"%s\", late: %s}\n",
		x->e.file_client_id, x->e.secret_ref, x->is_late ? "true" : "false");
	draw_ref(d, x->e.secret_ref, x->has_secret ? x->secret : NULL);
	add_key(d, out, x);
	add_app(d, out, x);
	if (d->has_campaign) {
		sb_addf(out, "    campaign: {tenant: %s", x->e.tenant);
		if (x->has_filter)
			sb_add(out,
			       ", filter: {name: ExternalId, parameter: externalId_parameter}");
		sb_addf(out, "%s}\n", x->has_optout ? ", opt_out_workflow: WKF101" : "");
	}
	if (x->e.canary != NULL && x->e.org != NULL)
		sb_addf(out, "    dynamics: {canary: {contact: %s, field: lastname}}\n",
			x->e.canary);
	if (x->second_app && x->second_declared && x->shares == i)
		sb_addf(out, "    consumers: [second-%s]\n", x->e.name);
	add_gates(d, out, x);
	add_executors(out, x);
	if (x->e.rolls_back)
		sb_add(out, "    on_failure: rollback\n");
}

void draw_rollout(struct draft *d)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(1 << 20);

	draw_var(d, "SYSTEMS_URL", DRAW_ORIGIN);
	draw_var(d, "CONSOLE_KEY", "sim-console-key");
	sb_add(&out, "version: 1\n");
	add_connections(d, &out);
	sb_add(&out, "environments:\n");
	for (size_t i = 0; i < d->count; i++)
		add_env(d, &out, i);
	d->c->rollout = arena_strndup(d->a, out.buf, out.len);
}
