/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The twins in virtual time: requests in, answers out, and what the world says is true.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/diags.h"
#include "core/base/when.h"
#include "core/io/json.h"
#include "core/io/yaml.h"
#include "providers/world.h"

#define ORIGIN "https://127.0.0.1:4711"
#define GUID1 "11111111-1111-4111-8111-111111111111"
#define GUID2 "22222222-2222-4222-8222-222222222222"
#define TENANT "99999999-9999-4999-8999-999999999999"
#define CRED "/console/organizations/23294/credentials/501"
#define OAUTH "/console/organizations/23294/credentials/oauth-server-to-server/501"
#define SPACE "/console/organizations/23294/projects/4566206088344958295/workspaces/71"
#define START INT64_C(1795420800000)

/* A world with one of everything, and what a test says differently. */
struct setup {
	const char *switches, *cred, *settings, *flows, *consumers, *events, *more_creds, *activity,
		*tenant;
	bool console_only;
};

struct rig {
	struct world *w;
	struct arena arena;
	struct twin_resp resp;
	const char *bearer, *key, *extra, *extra_value; /* headers of the next requests */
};

static const char *or_(const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

static struct world *world_from(const char *text, struct err *err)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *doc = NULL;
	struct diags d;

	diags_init(&d, &a);
	if (yaml_parse(&a, "world.yaml", text, strlen(text), NULL, &doc, &d) < 0 || d.errors > 0)
		fail_msg("%s", d.list[0].msg);
	return world_new(doc, err);
}

static void open_rig(struct rig *r, const struct setup *s)
{
	struct err err = ERR_INIT;
	const char *text;

	*r = (struct rig){ .bearer = "user-token", .key = "console-key" };
	text = arena_printf(
		&r->arena,
		"clock: 2026-11-23T08:00:00Z\n"
		"seed: 7\n"
		"switches: {%s}\n"
		"user_tokens: [{token: user-token, api_keys: [console-key], name: Pat}, {token: short, ends: 1h}]\n"
		"callers:\n"
		"- {name: reader, client_id: reader-key, client_secret: fake-reader-secret, may: [console, campaign]}\n"
		"- {name: nobody, client_id: nobody-key, client_secret: fake-nobody-secret}\n"
		"organizations:\n"
		"- id: '23294'\n"
		"  ims: ACME@AdobeOrg\n"
		"  name: Acme\n"
		"  projects:\n"
		"  - id: '4566206088344958295'\n"
		"    title: Acme Dev\n"
		"    name: acmedev\n"
		"    workspaces:\n"
		"    - id: '71'\n"
		"      credentials:\n"
		"      - {id: '501', client_id: acme-client, client_secret: fake-oauth-secret, private_key: fake-key,\n"
		"         profiles: [Campaign Standard - acme-dev - Administrators], %s}\n"
		"%s"
		"  - {id: '2', title: Managed, auto_generated: true, workspaces: [{id: '72', credentials: [\n"
		"      {id: '502', client_id: managed-client}]}]}\n"
		"  - {id: '3', title: Born, workspaces: [{id: '73', credentials: [\n"
		"      {id: '503', client_id: born-client, client_secret: fake-born-secret, state: born_oauth}]}]}\n"
		"campaign:\n"
		"- {tenant: acme-dev, filters: {byExternalId: {param: externalId_parameter}}, workflows: [{id: WKF1, state: started}],\n"
		"   %s profiles: [{external_id: old, email: old@example.com, first: Old, last: One, created: 2026-01-02T03:04:05Z}]}\n"
		"- {tenant: elsewhere}\n"
		"dynamics:\n"
		"- org: acmeorg\n"
		"  tenant: " TENANT "\n"
		"  clients: [{client_id: entra-client, client_secret: fake-entra}, {client_id: entra-old, client_secret: fake-old, expired: true},\n"
		"            {client_id: entra-read, client_secret: fake-read, writes: false}]\n"
		"  contacts: [{id: " GUID1
		", email: ann@example.com, first: Ann, last: O'Brien, modified: -3h},\n"
		"             {id: " GUID2
		", email: bob+x@example.com, first: Bob, last: Roe, modified: -2h}]\n"
		"  %s\n"
		"bridge: {token: bridge-token, forbidden: [secret-app]}\n"
		"%s"
		"consumers: [%s]\n"
		"events: [%s]\n",
		or_(s->switches, ""), or_(s->cred, "state: jwt_only, certificate_ends: 30d"),
		or_(s->more_creds, ""), or_(s->tenant, ""), or_(s->activity, ""),
		s->console_only ?
			"" :
			arena_printf(
				&r->arena,
				"apps:\n"
				"- instance: acme-dev\n"
				"  dynamics: acmeorg\n"
				"  settings: {%s}\n"
				"  workflows: {%s}\n",
				or_(s->settings, "auth_type: jwt, client_id: acme-client"),
				or_(s->flows,
				    "ingress: {token_age: 2h}, egress: {token_age: 3h}, opt-in-out: {status: STOPPED}")),
		or_(s->consumers, ""), or_(s->events, ""));
	r->w = world_from(text, &err);
	if (r->w == NULL)
		fail_msg("%s:%u:%u: %s", or_(err.pos.file, "?"), err.pos.line, err.pos.col,
			 err.msg);
}

static void close_rig(struct rig *r)
{
	world_free(r->w);
	arena_done(&r->arena);
}

#define RIG(r, ...)                                                                                \
	CLEANUP(close_rig) struct rig r;                                                           \
	const struct setup setup_##r = { __VA_ARGS__ };                                            \
	(void)state;                                                                               \
	open_rig(&r, &setup_##r)

/* ---- asking ---- */

static const char *decode(struct arena *a, const char *text, size_t len)
{
	char *out = arena_alloc(a, len + 1), hex[3] = "";
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && i + 2 < len) {
			memcpy(hex, text + i + 1, 2);
			out[n++] = (char)strtoul(hex, NULL, 16);
			i += 2;
		} else {
			out[n++] = text[i];
		}
	}
	return out;
}

static struct value *pairs(struct arena *a, const char *text)
{
	struct value *map = value_map(a);

	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, "&"), name = strcspn(text, "=&");

		value_set(a, map, decode(a, text, name),
			  value_string(a, name < len ? decode(a, text + name + 1, len - name - 1) :
						       ""));
		text += len + (text[len] == '&' ? 1 : 0);
	}
	return map;
}

static const struct value *json(struct rig *r, const char *text)
{
	struct err e = ERR_INIT;
	struct value *v = NULL;

	if (json_parse(&r->arena, text, strlen(text), NULL, NULL, NULL, &v, &e) < 0)
		fail_msg("%s", e.msg);
	return v;
}

/* A target is a path with a query, or a link as a server gave it. A body is JSON from '{', else a form. */
static const struct value *ask(struct rig *r, const char *method, const char *target,
			       const char *body)
{
	struct arena *a = &r->arena;
	const char **segments = arena_array(a, 32, sizeof(char *)), *query;
	struct value *headers = value_map(a);
	struct twin_req req = {
		.method = method, .origin = ORIGIN, .arena = a, .raw_body = or_(body, "")
	};

	if (strncmp(target, ORIGIN, strlen(ORIGIN)) == 0)
		target += strlen(ORIGIN);
	query = strchr(target, '?');
	req.path = query != NULL ? arena_strndup(a, target, (size_t)(query - target)) : target;
	for (const char *p = req.path; *p == '/';) {
		size_t len = strcspn(++p, "/");

		segments[req.segment_count++] = decode(a, p, len);
		p += len;
	}
	req.segments = segments;
	req.query = pairs(a, query != NULL ? query + 1 : "");
	if (r->bearer != NULL)
		value_set(a, headers, "authorization", value_stringf(a, "Bearer %s", r->bearer));
	if (r->key != NULL)
		value_set(a, headers, "x-api-key", value_string(a, r->key));
	if (r->extra != NULL)
		value_set(a, headers, r->extra, value_string(a, r->extra_value));
	req.headers = headers;
	req.body = body == NULL ? NULL : *body == '{' ? json(r, body) : pairs(a, body);
	world_answer(r->w, &req, &r->resp);
	return r->resp.body;
}

static const struct value *get(struct rig *r, const char *target, int status)
{
	const struct value *v = ask(r, "GET", target, NULL);

	if (r->resp.status != status)
		fail_msg("GET %s: %d %s", target, r->resp.status,
			 or_(value_text(value_get(v, "message")), ""));
	return v;
}

static const char *header(const struct rig *r, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(r->resp.headers) && r->resp.headers[i].name != NULL; i++) {
		if (strcasecmp(r->resp.headers[i].name, name) == 0)
			return r->resp.headers[i].value;
	}
	return NULL;
}

static const struct value *bridge(struct rig *r, const char *method, const char *path,
				  const char *body, int status)
{
	const char *bearer = r->bearer, *key = r->key;
	const struct value *v;

	r->bearer = "bridge-token";
	r->key = NULL;
	v = ask(r, method, arena_printf(&r->arena, "/bridge/v1/%s", path), body);
	r->bearer = bearer;
	r->key = key;
	if (r->resp.status != status)
		fail_msg("%s %s: %d %s", method, path, r->resp.status,
			 or_(value_text(value_get(v, "message")), ""));
	return v;
}

static const struct value *flow(struct rig *r, const char *name)
{
	const struct value *list =
		value_get(bridge(r, "GET", "apps/acme-dev/workflows", NULL, 200), "workflows");

	for (size_t i = 0; i < value_count(list); i++) {
		if (strcmp(value_text(value_get(value_at(list, i), "name")), name) == 0)
			return value_at(list, i);
	}
	return NULL;
}

static const char *flow_status(struct rig *r, const char *name)
{
	return value_text(value_get(flow(r, name), "status"));
}

static void pass(struct rig *r, int64_t ms)
{
	world_advance(r->w, world_now(r->w) + ms);
}

/* A path such as "credentials.0.status" into the truth. */
static const struct value *truth(struct rig *r, const char *path)
{
	const struct value *v = world_truth(r->w, &r->arena);

	for (const char *p = path; *p != '\0';) {
		size_t len = strcspn(p, ".");
		const char *name = arena_strndup(&r->arena, p, len);

		v = *name >= '0' && *name <= '9' ? value_at(v, strtoul(name, NULL, 10)) :
						   value_get(v, name);
		p += len + (p[len] == '.' ? 1 : 0);
	}
	return v;
}

static size_t count_mints(struct rig *r, const char *grant, const char *by, bool ok)
{
	const struct value *list = truth(r, "mints");
	size_t n = 0;

	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *m = value_at(list, i);

		n += strcmp(value_text(value_get(m, "grant")), grant) == 0 &&
		     strcmp(value_text(value_get(m, "by")), by) == 0 &&
		     value_bool_or(value_get(m, "ok"), false) == ok;
	}
	return n;
}

static const char *mint(struct rig *r, const char *client, const char *secret, int status)
{
	const struct value *v = ask(
		r, "POST", "/ims/token/v3",
		arena_printf(
			&r->arena,
			"grant_type=client_credentials&client_id=%s&client_secret=%s&scope=openid,AdobeID",
			client, secret));

	if (r->resp.status != status)
		fail_msg("mint: %d %s", r->resp.status,
			 or_(value_text(value_get(v, "error_description")), ""));
	assert_non_null(header(r, "x-debug-id"));
	return value_text(value_get(v, status == 200 ? "access_token" : "error"));
}

static const struct value *secret_row(struct rig *r, size_t n)
{
	return value_at(value_get(get(r, CRED "/secrets", 200), "client_secrets"), n);
}

static int64_t shown_use(struct rig *r)
{
	const struct value *usages = value_get(secret_row(r, 0), "secret_usages");
	struct err e = ERR_INIT;
	int64_t ms = 0;

	for (size_t i = 0; i < value_count(usages); i++) {
		const struct value *u = value_at(usages, i);

		if (strcmp(value_text(value_get(u, "grant_type")), "client_credentials") == 0)
			assert_int_equal(value_ms(value_get(u, "last_used_at"), &ms, &e), 0);
	}
	return ms;
}

static const char *migration(struct rig *r)
{
	return value_text(value_get(get(r, OAUTH "/status", 200), "migrationStatus"));
}

static void restart_all(struct rig *r)
{
	bridge(r, "POST", "apps/acme-dev/workflows/ingress/stop", NULL, 202);
	bridge(r, "POST", "apps/acme-dev/workflows/egress/stop", NULL, 202);
	pass(r, WHEN_MINUTE);
	bridge(r, "POST", "apps/acme-dev/workflows/ingress/start", NULL, 202);
	bridge(r, "POST", "apps/acme-dev/workflows/egress/start", NULL, 202);
	pass(r, 2 * WHEN_MINUTE);
}

static void switch_to_oauth(struct rig *r)
{
	bridge(r, "POST", "console/credentials/501/start-migration", NULL, 202);
	bridge(r, "PUT", "apps/acme-dev/settings",
	       "{\"auth_type\":\"oauth\",\"client_id\":\"acme-client\",\"client_secret\":\"fake-oauth-secret\"}",
	       200);
	restart_all(r);
}

static const char *data_attribute(struct rig *r, const char *name)
{
	const char *want = arena_printf(&r->arena, " %s=\"", name),
		   *at = strstr(or_(r->resp.text, ""), want);

	if (at == NULL)
		fail_msg("the page has no %s", name);
	at += strlen(want);
	return arena_strndup(&r->arena, at, strcspn(at, "\""));
}

static const char *press(struct rig *r, const char *path, const char *form)
{
	ask(r, "POST", path, form);
	assert_int_equal(r->resp.status, 303);
	return header(r, "Location");
}

/* ---- the migration ---- */

static void a_jwt_app_mints_again_in_time_and_by_jwt(void **state)
{
	RIG(r, 0);

	assert_int_equal(count_mints(&r, "jwt", "app:acme-dev", true), 2);
	pass(&r, 22 * WHEN_HOUR);
	assert_int_equal(count_mints(&r, "jwt", "app:acme-dev", true), 4);
	assert_int_equal(count_mints(&r, "oauth", "app:acme-dev", true), 0);
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
	assert_string_equal(flow_status(&r, "opt-in-out"), "STOPPED");
	assert_string_equal(value_text(value_get(truth(&r, "credentials.0"), "jwt_last_used")),
			    "2026-11-24T05:50:00Z");
}

static void a_whole_migration_ends_with_an_app_on_oauth_and_nothing_lost(void **state)
{
	RIG(r, .activity = "activity: {every: 5m}");

	assert_string_equal(migration(&r), "NOT_STARTED");
	mint(&r, "acme-client", "fake-oauth-secret", 400);
	switch_to_oauth(&r);
	assert_string_equal(migration(&r), "STARTED");
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
	assert_int_equal(count_mints(&r, "oauth", "app:acme-dev", true), 2);
	/* The console hears of it ten minutes later. */
	assert_int_equal(shown_use(&r), 0);
	pass(&r, 8 * WHEN_MINUTE);
	assert_int_equal(shown_use(&r), 0);
	pass(&r, 90 * WHEN_SECOND);
	assert_int_equal(shown_use(&r), START + WHEN_MINUTE + 90 * WHEN_SECOND);
	/* The page makes both checks: too early a day after the last JWT token, and with the wrong name. */
	assert_non_null(strstr(press(&r, "/pages/console/projects/4566206088344958295/finalize",
				     "credential=501&project_title=Acme%20Dev"),
			       "24%20hours"));
	pass(&r, 25 * WHEN_HOUR);
	assert_non_null(strstr(press(&r, "/pages/console/projects/4566206088344958295/finalize",
				     "credential=501&project_title=Acme"),
			       "notice="));
	assert_string_equal(migration(&r), "STARTED");
	assert_string_equal(press(&r, "/pages/console/projects/4566206088344958295/finalize",
				  "credential=501&project_title=Acme%20Dev"),
			    "/pages/console/projects/4566206088344958295");
	assert_string_equal(migration(&r), "COMPLETED");
	pass(&r, 3 * WHEN_DAY);
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
	assert_int_equal(count_mints(&r, "oauth", "app:acme-dev", false), 0);
	assert_int_equal(value_int_or(truth(&r, "lost"), -1), 0);
	assert_true(value_int_or(truth(&r, "apps.0.waiting"), 99) <= 1);
	assert_string_equal(value_text(truth(&r, "credentials.0.status")), "completed");
}

static void saved_settings_change_nothing_until_a_restart(void **state)
{
	RIG(r, 0);

	bridge(&r, "POST", "console/credentials/501/start-migration", NULL, 202);
	bridge(&r, "PUT", "apps/acme-dev/settings",
	       "{\"auth_type\":\"oauth\",\"client_id\":\"acme-client\",\"client_secret\":\"fake-oauth-secret\"}",
	       200);
	assert_true(value_bool_or(value_get(flow(&r, "ingress"), "pending_edits"), false));
	assert_false(value_bool_or(value_get(flow(&r, "opt-in-out"), "pending_edits"), true));
	assert_true(value_bool_or(value_get(bridge(&r, "GET", "apps/acme-dev/settings", NULL, 200),
					    "pending_edits"),
				  false));
	pass(&r, 2 * WHEN_DAY);
	assert_int_equal(count_mints(&r, "oauth", "app:acme-dev", true), 0);
	restart_all(&r);
	assert_int_equal(count_mints(&r, "oauth", "app:acme-dev", true), 2);
	assert_false(value_bool_or(value_get(flow(&r, "ingress"), "pending_edits"), true));
}

static void stopping_has_no_status_of_its_own(void **state)
{
	RIG(r, 0);

	bridge(&r, "POST", "apps/acme-dev/workflows/opt-in-out/stop", NULL, 200);
	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/start", NULL, 200);
	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/stop", NULL, 202);
	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/stop", NULL, 202);
	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/start", NULL, 409);
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
	pass(&r, WHEN_MINUTE - 1);
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
	pass(&r, 1);
	assert_string_equal(flow_status(&r, "ingress"), "STOPPED");
	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/start", NULL, 202);
	assert_string_equal(flow_status(&r, "ingress"), "STARTING");
	/* Stopped while it starts: no zombie comes up later. */
	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/stop", NULL, 202);
	pass(&r, WHEN_HOUR);
	assert_string_equal(flow_status(&r, "ingress"), "STOPPED");
	assert_int_equal(count_mints(&r, "jwt", "app:acme-dev", true), 2);
}

static void a_wrong_secret_makes_a_workflow_fail_in_its_own_time(void **state)
{
	RIG(r, 0);

	bridge(&r, "POST", "console/credentials/501/start-migration", NULL, 202);
	bridge(&r, "PUT", "apps/acme-dev/settings",
	       "{\"auth_type\":\"oauth\",\"client_id\":\"acme-client\",\"client_secret\":\"fake-wrong\"}",
	       200);
	assert_false(value_bool_or(truth(&r, "apps.0.settings_good"), true));
	restart_all(&r);
	assert_string_equal(flow_status(&r, "ingress"), "FAILED");
	assert_int_equal(count_mints(&r, "oauth", "app:acme-dev", false), 2);
	pass(&r, WHEN_DAY);
	assert_string_equal(flow_status(&r, "ingress"), "FAILED");
	bridge(&r, "PUT", "apps/acme-dev/settings",
	       "{\"auth_type\":\"oauth\",\"client_id\":\"acme-client\",\"client_secret\":\"fake-oauth-secret\"}",
	       200);
	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/start", NULL, 202);
	pass(&r, 2 * WHEN_MINUTE);
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
}

static void a_converted_credential_hides_behind_a_cached_token(void **state)
{
	RIG(r, .cred = "state: jwt_only, certificate_ends: 1h, converts_at: 1h");

	pass(&r, 2 * WHEN_HOUR);
	assert_string_equal(migration(&r), "COMPLETED");
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
	pass(&r, 21 * WHEN_HOUR);
	assert_string_equal(flow_status(&r, "ingress"), "FAILED");
	assert_string_equal(value_text(truth(&r, "writes.0.who")), "adobe");
	/* It says that it is only tired, and says so for ever. */
	assert_string_equal(
		value_text(value_get(ask(&r, "POST", "/ims/exchange/jwt",
					 "client_id=acme-client&client_secret=x&jwt_token=a.b.c"),
				     "error")),
		"internal_error");
	assert_int_equal(r.resp.status, 500);
	bridge(&r, "PUT", "apps/acme-dev/settings",
	       "{\"auth_type\":\"oauth\",\"client_id\":\"acme-client\",\"client_secret\":\"fake-oauth-secret\"}",
	       200);
	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/start", NULL, 202);
	pass(&r, 2 * WHEN_MINUTE);
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
}

static void an_undeclared_consumer_keeps_the_jwt_credential_busy(void **state)
{
	RIG(r, .consumers = "{name: nightly, client_id: acme-client, grant: jwt, every: 6h}");

	switch_to_oauth(&r);
	pass(&r, 3 * WHEN_DAY);
	assert_true(count_mints(&r, "jwt", "consumer:nightly", true) >= 12);
	assert_non_null(strstr(press(&r, "/pages/console/projects/4566206088344958295/finalize",
				     "credential=501&project_title=Acme%20Dev"),
			       "notice="));
	assert_string_equal(migration(&r), "STARTED");
}

static void what_changed_during_a_stop_arrives_after_it(void **state)
{
	RIG(r, .activity = "activity: {every: 5m}");

	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/stop", NULL, 202);
	pass(&r, WHEN_HOUR);
	assert_int_equal(value_int_or(truth(&r, "apps.0.waiting"), -1), 2);
	assert_int_equal(value_int_or(value_get(flow(&r, "ingress"), "backlog"), -1), 2);
	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/start", NULL, 202);
	/* Nothing flows while it starts, and a little later all. */
	pass(&r, 3 * WHEN_MINUTE);
	assert_int_equal(value_int_or(truth(&r, "apps.0.waiting"), -1), 2);
	pass(&r, 90 * WHEN_SECOND);
	assert_int_equal(value_int_or(truth(&r, "apps.0.waiting"), -1), 0);
	assert_int_equal(value_int_or(truth(&r, "lost"), -1), 0);
}

static void the_backlog_drains_while_running_and_grows_while_stopped(void **state)
{
	RIG(r,
	    .flows =
		    "ingress: {backlog: 600, drain: 60}, egress: {status: STOPPED, backlog: 5, grow: 2}, opt-in-out: {status: STOPPED, scheduled_replay: true, pending_edits: true}");

	pass(&r, 5 * WHEN_MINUTE);
	assert_int_equal(value_int_or(value_get(flow(&r, "ingress"), "backlog"), -1), 300);
	assert_int_equal(value_int_or(value_get(flow(&r, "egress"), "backlog"), -1), 15);
	pass(&r, WHEN_HOUR);
	assert_int_equal(value_int_or(value_get(flow(&r, "ingress"), "backlog"), -1), 0);
	assert_true(value_bool_or(value_get(flow(&r, "opt-in-out"), "pending_edits"), false));
	bridge(&r, "POST", "apps/acme-dev/workflows/opt-in-out/start", NULL, 202);
	assert_false(value_bool_or(value_get(flow(&r, "opt-in-out"), "pending_edits"), true));
	assert_false(value_bool_or(value_get(flow(&r, "opt-in-out"), "scheduled_replay"), true));
}

static void cancelling_leaves_the_jwt_credential_as_it_was(void **state)
{
	RIG(r, 0);

	bridge(&r, "POST", "console/credentials/501/cancel-migration", NULL, 409);
	switch_to_oauth(&r);
	pass(&r, WHEN_HOUR);
	assert_true(shown_use(&r) > 0);
	bridge(&r, "POST", "console/credentials/501/cancel-migration", NULL, 202);
	assert_string_equal(migration(&r), "NOT_STARTED");
	assert_int_equal(shown_use(&r), 0);
	mint(&r, "acme-client", "fake-oauth-secret", 400);
	/* The app breaks when its token ends, not before. */
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
	pass(&r, WHEN_DAY);
	assert_string_equal(flow_status(&r, "ingress"), "FAILED");
	/* Back on JWT needs the key again. */
	bridge(&r, "PUT", "apps/acme-dev/settings",
	       "{\"auth_type\":\"jwt\",\"client_id\":\"acme-client\"}", 409);
	bridge(&r, "PUT", "apps/acme-dev/settings",
	       "{\"auth_type\":\"jwt\",\"client_id\":\"acme-client\",\"private_key\":\"fake-key\"}",
	       200);
	bridge(&r, "POST", "apps/acme-dev/workflows/ingress/start", NULL, 202);
	pass(&r, 2 * WHEN_MINUTE);
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
}

static void the_bridge_says_what_the_contract_says(void **state)
{
	RIG(r, .settings = "auth_type: jwt, client_id: acme-client, saved_at: -2d");
	const struct value *v = bridge(&r, "GET", "apps/acme-dev/settings", NULL, 200);

	assert_int_equal(value_count(v), 10);
	assert_string_equal(value_text(value_get(v, "auth_type")), "jwt");
	assert_string_equal(value_text(value_get(v, "organization_id")), "ACME@AdobeOrg");
	assert_string_equal(value_text(value_get(v, "integration_id")), "501");
	assert_string_equal(value_text(value_get(v, "org_id")), "23294");
	assert_string_equal(value_text(value_get(v, "url")), "https://mc.adobe.io/acme-dev");
	assert_string_equal(value_text(value_get(v, "saved_at")), "2026-11-21T08:00:00Z");
	assert_int_equal(value_count(flow(&r, "egress")), 6);
	bridge(&r, "GET", "apps/nobody/settings", NULL, 404);
	bridge(&r, "POST", "apps/acme-dev/workflows/sideways/stop", NULL, 404);
	bridge(&r, "PUT", "apps/acme-dev/settings", "{\"auth_type\":\"magic\",\"client_id\":\"x\"}",
	       409);
	bridge(&r, "POST", "console/credentials/501/reveal-client-secret", NULL, 409);
	bridge(&r, "POST", "console/credentials/501/start-migration", NULL, 202);
	bridge(&r, "POST", "console/credentials/501/start-migration", NULL, 200);
	v = bridge(&r, "POST", "console/credentials/501/reveal-client-secret", NULL, 200);
	assert_string_equal(value_text(value_get(v, "client_secret")), "fake-oauth-secret");
	bridge(&r, "POST", "console/credentials/502/start-migration", NULL, 409);
	bridge(&r, "POST", "console/credentials/999/start-migration", NULL, 404);
	ask(&r, "GET", "/bridge/v1/apps/acme-dev/settings", NULL);
	assert_int_equal(r.resp.status, 401);
}

/* ---- pages ---- */

static void a_shell_script_can_play_the_person(void **state)
{
	RIG(r, 0);
	const char *home;

	r.bearer = r.key = NULL;
	ask(&r, "GET", "/pages/console?filter=jwt", NULL);
	assert_int_equal(r.resp.status, 200);
	assert_string_equal(r.resp.content_type, "text/html; charset=utf-8");
	assert_non_null(strstr(r.resp.text, "<time id=\"now\">2026-11-23T08:00:00Z</time>"));
	assert_non_null(strstr(r.resp.text, "no login is needed"));
	assert_non_null(strstr(r.resp.text, "Acme Dev"));
	assert_null(strstr(r.resp.text, "Born"));
	ask(&r, "GET", "/pages/console/projects/4566206088344958295", NULL);
	assert_string_equal(data_attribute(&r, "data-status"), "jwt_only");
	assert_string_equal(data_attribute(&r, "data-last-used-jwt"), "2026-11-23T06:00:00Z");
	assert_non_null(strstr(r.resp.text, "id=\"start-501\""));
	assert_string_equal(press(&r, "/pages/console/projects/4566206088344958295/start",
				  "credential=501"),
			    "/pages/console/projects/4566206088344958295");
	ask(&r, "GET", "/pages/console/projects/4566206088344958295", NULL);
	assert_string_equal(data_attribute(&r, "data-status"), "started");
	assert_string_equal(data_attribute(&r, "data-last-used-oauth"), "");
	assert_non_null(strstr(r.resp.text, "No access tokens generated since March 30, 2023"));
	home = press(&r, "/pages/console/projects/4566206088344958295/reveal", "credential=501");
	ask(&r, "GET", home, NULL);
	assert_non_null(strstr(r.resp.text, "<code id=\"client-secret\">fake-oauth-secret</code>"));
	ask(&r, "GET", "/pages/console/projects/4566206088344958295/review?credential=501", NULL);
	assert_non_null(strstr(r.resp.text, "Confirm and continue"));
	home = press(&r, "/pages/app/acme-dev/settings",
		     "auth_type=oauth&client_id=acme-client&client_secret=");
	assert_non_null(strstr(home, "notice=a%20client%20secret"));
	ask(&r, "GET", home, NULL);
	assert_non_null(strstr(r.resp.text, "id=\"notice\""));
	press(&r, "/pages/app/acme-dev/settings",
	      "auth_type=oauth&client_id=acme-client&client_secret=fake-oauth-secret");
	ask(&r, "GET", "/pages/app/acme-dev/settings", NULL);
	assert_string_equal(data_attribute(&r, "data-auth-type"), "oauth");
	assert_null(strstr(r.resp.text, "fake-oauth-secret"));
	press(&r, "/pages/app/acme-dev/workflows", "workflow=ingress&act=stop");
	pass(&r, WHEN_MINUTE);
	ask(&r, "GET", "/pages/app/acme-dev/workflows", NULL);
	assert_non_null(strstr(r.resp.text, "<tr id=\"workflow-ingress\" data-status=\"STOPPED\""));
	press(&r, "/pages/app/acme-dev/workflows", "workflow=ingress&act=start");
	pass(&r, 2 * WHEN_MINUTE);
	ask(&r, "GET", "/pages/app/acme-dev/workflows", NULL);
	assert_non_null(strstr(r.resp.text, "<tr id=\"workflow-ingress\" data-status=\"RUNNING\""));
	assert_string_equal(press(&r, "/pages/console/projects/4566206088344958295/cancel",
				  "credential=501"),
			    "/pages/console/projects/4566206088344958295");
	ask(&r, "GET", "/pages", NULL);
	assert_int_equal(r.resp.status, 200);
	ask(&r, "GET", "/pages/console/projects/77", NULL);
	assert_int_equal(r.resp.status, 404);
	ask(&r, "GET", "/pages/console?notice=%3Cscript%3E", NULL);
	assert_non_null(strstr(r.resp.text, "&lt;script&gt;"));
}

static void the_card_is_as_precise_as_its_switch(void **state)
{
	static const char *const rows[][2] = { { "card_precision: second", "2026-11-23T06:00:00Z" },
					       { "card_precision: minute", "2026-11-23T06:00Z" },
					       { "card_precision: day", "2026-11-23" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RIG(r, .switches = rows[i][0]);

		ask(&r, "GET", "/pages/console/projects/4566206088344958295", NULL);
		assert_string_equal(data_attribute(&r, "data-last-used-jwt"), rows[i][1]);
	}
}

static void the_prompt_means_the_title_or_the_name(void **state)
{
	RIG(r, .switches = "prompt_name: name, usage_lag: 0s");

	switch_to_oauth(&r);
	pass(&r, 25 * WHEN_HOUR);
	assert_non_null(strstr(press(&r, "/pages/console/projects/4566206088344958295/finalize",
				     "credential=501&project_title=Acme%20Dev"),
			       "notice="));
	press(&r, "/pages/console/projects/4566206088344958295/finalize",
	      "credential=501&project_title=acmedev");
	assert_string_equal(migration(&r), "COMPLETED");
}

/* ---- ims ---- */

static void ims_refuses_in_its_own_words(void **state)
{
	RIG(r, .cred = "state: started");
	const struct value *v;

	mint(&r, "acme-client", "fake-oauth-secret", 200);
	assert_string_equal(mint(&r, "acme-client", "fake-wrong", 400), "invalid_client");
	assert_string_equal(value_text(value_get(r.resp.body, "error_description")),
			    "invalid client_secret parameter");
	assert_string_equal(mint(&r, "nobody", "fake-wrong", 400), "invalid_client");
	assert_string_equal(value_text(value_get(r.resp.body, "error_description")),
			    "invalid client_id parameter");
	v = ask(&r, "POST", "/ims/token/v3",
		"grant_type=client_credentials&client_id=acme-client&client_secret=fake-oauth-secret&scope=openid,world_peace");
	assert_string_equal(value_text(value_get(v, "error")), "invalid_scope");
	v = ask(&r, "POST", "/ims/token/v3", "grant_type=password&client_id=acme-client");
	assert_string_equal(value_text(value_get(v, "error")), "unsupported_grant_type");
	v = ask(&r, "POST", "/ims/token/v3",
		"grant_type=client_credentials&client_id=acme-client&client_secret=fake-oauth-secret&scope=openid,%20AdobeID");
	assert_int_equal(r.resp.status, 200);
	assert_int_equal(value_int_or(value_get(v, "expires_in"), 0), 86399);
	assert_string_equal(value_text(value_get(v, "token_type")), "bearer");
	r.bearer = value_text(value_get(v, "access_token"));
	assert_true(value_bool_or(value_get(ask(&r, "POST", "/ims/validate_token/v1",
						"client_id=acme-client"),
					    "valid"),
				  false));
	v = value_get(get(&r, "/ims/profile/v1", 200), "projectedProductContext");
	assert_int_equal(value_count(v), 1);
	pass(&r, WHEN_DAY);
	assert_false(value_bool_or(value_get(ask(&r, "POST", "/ims/validate_token/v1",
						 "client_id=acme-client"),
					     "valid"),
				   true));
	assert_int_equal(count_mints(&r, "oauth", "other", true), 2);
}

static const char *b64(struct arena *a, const char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *out = arena_alloc(a, strlen(text) * 2 + 4), *p = out;
	unsigned bits = 0, have = 0;

	for (; *text != '\0'; text++) {
		bits = (bits << 8 | (unsigned char)*text) & 0xffffff;
		for (have += 8; have >= 6; have -= 6)
			*p++ = letters[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*p++ = letters[bits << (6 - have) & 63];
	return out;
}

static const char *exchange(struct rig *r, const char *head, const char *claims,
			    const char *signature)
{
	const struct value *v = ask(
		r, "POST", "/ims/exchange/jwt/",
		arena_printf(
			&r->arena,
			"client_id=acme-client&client_secret=fake-oauth-secret&jwt_token=%s.%s.%s",
			b64(&r->arena, head), b64(&r->arena, claims), signature));

	return r->resp.status == 200 ? value_text(value_get(v, "access_token")) :
				       arena_printf(&r->arena, "%d %s", r->resp.status,
						    value_text(value_get(v, "error")));
}

#define CLAIMS(exp, aud, scope)                                                                        \
	"{\"exp\":" exp                                                                                \
	",\"iss\":\"ACME@AdobeOrg\",\"sub\":\"TA501@techacct.adobe.com\",\"aud\":\"https://ims/c/" aud \
	"\"," scope "}"
#define SCOPE "\"https://ims/s/ent_campaign_sdk\":true"

static void an_assertion_is_looked_at_before_it_is_exchanged(void **state)
{
	RIG(r, 0);
	static const char head[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";

	assert_string_equal(exchange(&r, "{\"alg\":\"none\"}",
				     CLAIMS("1795430000", "acme-client", SCOPE), "s"),
			    "400 invalid_token");
	assert_string_equal(exchange(&r, head, CLAIMS("\"1795430000\"", "acme-client", SCOPE), "s"),
			    "400 invalid_token");
	assert_string_equal(exchange(&r, head, CLAIMS("1795420000", "acme-client", SCOPE), "s"),
			    "400 invalid_token");
	assert_string_equal(exchange(&r, head, CLAIMS("1795430000", "other-client", SCOPE), "s"),
			    "400 invalid_client");
	assert_string_equal(exchange(&r, head, CLAIMS("1795430000", "acme-client", "\"x\":1"), "s"),
			    "400 invalid_scope");
	assert_string_equal(exchange(&r, head, CLAIMS("1795430000", "acme-client", SCOPE), ""),
			    "400 invalid_signature");
	assert_string_equal(exchange(&r, head, "{\"exp\":1795430000}", "s"), "400 bad_request");
	assert_non_null(ims_token(r.w, exchange(&r, head,
						CLAIMS("1795430000", "acme-client", SCOPE), "s")));
	assert_int_equal(value_int_or(value_get(r.resp.body, "expires_in"), 0), 86399993);
	assert_int_equal(count_mints(&r, "jwt", "other", true), 1);
	/* The certificate's end is the exchange's. */
	pass(&r, 31 * WHEN_DAY);
	assert_string_equal(exchange(&r, head, CLAIMS("1799430000", "acme-client", SCOPE), "s"),
			    "400 invalid_signature");
}

static void switches_of_ims_turn_both_ways(void **state)
{
	{
		RIG(r,
		    .switches =
			    "unstarted_error: invalid_client, jwt_exchange: dead, token_life: 1h, too_much_scope_refused: false");

		assert_string_equal(mint(&r, "acme-client", "fake-oauth-secret", 400),
				    "invalid_client");
		ask(&r, "POST", "/ims/exchange/jwt",
		    "client_id=acme-client&client_secret=x&jwt_token=a.b.c");
		assert_int_equal(r.resp.status, 500);
		ask(&r, "POST", "/ims/token/v3",
		    "grant_type=client_credentials&client_id=born-client&client_secret=fake-born-secret&scope=openid,world_peace");
		assert_int_equal(r.resp.status, 200);
		assert_int_equal(value_int_or(value_get(r.resp.body, "expires_in"), 0), 3599);
	}
	{
		RIG(r, .switches = "mint_lag: 1m");

		assert_string_equal(mint(&r, "acme-client", "fake-oauth-secret", 400),
				    "unauthorized_client");
		bridge(&r, "POST", "console/credentials/501/start-migration", NULL, 202);
		assert_string_equal(mint(&r, "acme-client", "fake-oauth-secret", 400),
				    "invalid_client");
		pass(&r, WHEN_MINUTE);
		mint(&r, "acme-client", "fake-oauth-secret", 200);
	}
	for (int outlive = 0; outlive < 2; outlive++) {
		RIG(r, .switches = outlive ? "tokens_outlive: true" : "tokens_outlive: false");
		const char *token;

		switch_to_oauth(&r);
		token = mint(&r, "acme-client", "fake-oauth-secret", 200);
		bridge(&r, "POST", "console/credentials/501/cancel-migration", NULL, 202);
		assert_int_equal(ims_token(r.w, token) != NULL, outlive);
		pass(&r, 5 * WHEN_MINUTE);
		assert_string_equal(flow_status(&r, "ingress"), outlive ? "RUNNING" : "FAILED");
	}
}

static void usage_is_late_and_may_be_anything_up_to_the_lag(void **state)
{
	{
		RIG(r, .cred = "state: started", .switches = "usage_lag: 0s");

		mint(&r, "acme-client", "fake-oauth-secret", 200);
		assert_int_equal(shown_use(&r), START);
	}
	{
		RIG(r, .cred = "state: started",
		    .switches = "usage_lag_random: true, skew: {ims: 90s}");

		mint(&r, "acme-client", "fake-oauth-secret", 200);
		pass(&r, 10 * WHEN_MINUTE);
		/* On the clock of IMS. */
		assert_int_equal(shown_use(&r), START + 90 * WHEN_SECOND);
	}
}

/* ---- console ---- */

static void the_console_asks_who_is_there(void **state)
{
	RIG(r, 0);

	get(&r, "/console/organizations", 200);
	assert_non_null(header(&r, "x-request-id"));
	r.bearer = NULL;
	get(&r, "/console/organizations", 401);
	assert_non_null(header(&r, "x-request-id"));
	r.bearer = "bogus";
	get(&r, "/console/organizations", 401);
	r.bearer = "user-token";
	r.key = "bogus";
	get(&r, "/console/organizations", 403);
	r.key = NULL;
	get(&r, "/console/organizations", 403);
	r.bearer = "short";
	r.key = "anything";
	get(&r, "/console/organizations", 200);
	pass(&r, WHEN_HOUR);
	get(&r, "/console/organizations", 401);
	r.bearer = mint(&r, "nobody-key", "fake-nobody-secret", 200);
	r.key = "nobody-key";
	get(&r, "/console/organizations", 403);
	r.bearer = mint(&r, "reader-key", "fake-reader-secret", 200);
	r.key = "reader-key";
	get(&r, "/console/organizations", 200);
	get(&r, "/console/organizations/1/projects", 403);
	get(&r, "/nowhere", 404);
}

static void projects_are_filtered_and_paged_from_one(void **state)
{
	RIG(r, 0);
	const struct value *v = get(&r, "/console/organizations/23294/projects", 200);

	assert_int_equal(value_count(v), 3);
	assert_string_equal(header(&r, "X-Pagination-Count"), "3");
	assert_string_equal(value_text(value_path(value_at(v, 0), "id")), "4566206088344958295");
	assert_int_equal(value_int_or(value_get(value_at(v, 0), "deleted"), -1), 0);
	assert_string_equal(value_text(value_get(value_at(value_path(value_at(v, 0),
								     "metadata.workspaces"),
							  0),
						 "id")),
			    "71");
	assert_string_equal(value_text(value_get(value_at(v, 1), "who_created")), "System");
	assert_int_equal(value_count(get(&r, "/console/organizations/23294/projects?size=1", 200)),
			 3);
	v = get(&r, "/console/organizations/23294/projects?page=2&size=2", 200);
	assert_int_equal(value_count(v), 1);
	assert_string_equal(header(&r, "X-Pagination-Page"), "2");
	assert_int_equal(value_count(get(&r, "/console/organizations/23294/projects?page=9&size=2",
					 200)),
			 0);
	v = get(&r, "/console/organizations/23294/projects?title=Acme%20Dev", 200);
	assert_int_equal(value_count(v), 1);
	assert_int_equal(value_count(get(&r,
					 "/console/organizations/23294/projects?title=acme%20dev",
					 200)),
			 0);
	assert_int_equal(value_count(
				 get(&r,
				     "/console/organizations/23294/projects?credentialType=service",
				     200)),
			 2);
	assert_int_equal(
		value_count(get(
			&r,
			"/console/organizations/23294/projects?credentialType=oauth_server_to_server,service",
			200)),
		3);
	assert_int_equal(
		value_count(get(&r, "/console/organizations/23294/projects?credentialFlowType=entp",
				200)),
		3);
	assert_int_equal(value_count(get(&r, "/console/organizations/23294/projects?projectIds=2,3",
					 200)),
			 2);
	v = get(&r, "/console/organizations/23294/projects?sortField=title&sortOrder=DESC", 200);
	assert_string_equal(value_text(value_get(value_at(v, 0), "title")), "Managed");
	get(&r, "/console/organizations/23294/projects?sortField=size", 400);
	get(&r, "/console/organizations/23294/projects?page=0", 400);
	get(&r, "/console/organizations/23294/projects?size=x", 400);
	get(&r, SPACE, 200);
	v = get(&r, SPACE "/download", 200);
	assert_string_equal(value_text(value_path(v, "project.workspace.id")), "71");
	assert_int_equal(value_count(get(&r, "/console/organizations/23294/recipients", 200)), 1);
	assert_int_equal(
		value_int_or(value_get(get(&r, "/console/organizations/23294/integrations?size=2",
					   200),
				       "pages"),
			     0),
		2);
}

static void a_credential_can_be_looked_up_from_all_sides(void **state)
{
	RIG(r, .cred = "state: started");
	const struct value *v = get(&r, "/console/clients/acme-client/credential", 200);

	assert_string_equal(value_text(value_get(v, "credential_id")), "501");
	assert_string_equal(value_text(value_get(v, "credential_type")), "service");
	get(&r, "/console/clients/ghost/credential", 404);
	v = get(&r, "/console/organizations/23294/clients/acme-client/project_workspace", 200);
	assert_string_equal(value_text(value_get(v, "workspaceId")), "71");
	v = get(&r, "/console/organizations/23294/projects_workspaces/credentials/501", 200);
	assert_string_equal(value_text(value_get(value_at(v, 0), "credentialId")), "501");
	v = get(&r, "/console/organizations/23294/integrations/501", 200);
	assert_string_equal(value_text(value_get(v, "apikey")), "acme-client");
	assert_false(value_bool_or(value_get(v, "readOnly"), true));
	v = value_get(value_at(value_get(v, "serviceProperties"), 0), "licenseConfigs");
	assert_string_equal(value_text(value_get(value_at(v, 0), "name")),
			    "Campaign Standard - acme-dev - Administrators");
	assert_true(value_bool_or(value_get(get(&r, "/console/organizations/23294/integrations/502",
						200),
					    "readOnly"),
				  false));
	v = get(&r, "/console/organizations/23294/integrations/entp/501/bindings", 200);
	assert_int_equal(value_int_or(value_get(value_at(v, 0), "notAfter"), 0),
			 START + 90 * WHEN_DAY);
	get(&r, OAUTH "/binding", 200);
	get(&r, "/console/organizations/23294/integrations/entp/501/service/CampaignSDK/properties",
	    200);
}

static void secrets_obey_the_state_of_the_migration(void **state)
{
	RIG(r, .cred = "state: started");
	const struct value *v;
	const char *old;

	assert_null(value_get(secret_row(&r, 0), "client_secret"));
	assert_true(value_is_null(value_get(secret_row(&r, 0), "secret_usages")));
	ask(&r, "POST", CRED "/secrets", NULL);
	assert_int_equal(r.resp.status, 400);
	v = value_at(value_get(get(&r, "/console/organizations/23294/integrations/501/secrets",
				   200),
			       "client_secrets"),
		     0);
	assert_string_equal(value_text(value_get(v, "client_secret")), "fake-oauth-secret");
	ask(&r, "PATCH", OAUTH "/finalize", NULL);
	assert_int_equal(r.resp.status, 200);
	v = ask(&r, "POST", CRED "/secrets", NULL);
	assert_int_equal(r.resp.status, 201);
	mint(&r, "acme-client", value_text(value_get(v, "client_secret")), 200);
	ask(&r, "POST", CRED "/secrets", NULL);
	assert_int_equal(r.resp.status, 400);
	old = value_text(value_get(secret_row(&r, 0), "uuid"));
	ask(&r, "DELETE", arena_printf(&r.arena, CRED "/secrets/%s", old), NULL);
	assert_int_equal(r.resp.status, 204);
	mint(&r, "acme-client", "fake-oauth-secret", 400);
	ask(&r, "DELETE", arena_printf(&r.arena, CRED "/secrets/%s", old), NULL);
	assert_int_equal(r.resp.status, 404);
	ask(&r, "DELETE",
	    arena_printf(&r.arena, CRED "/secrets/%s",
			 value_text(value_get(secret_row(&r, 0), "uuid"))),
	    NULL);
	assert_int_equal(r.resp.status, 400);
	/* Many rotations, and still at most two. */
	for (int i = 0; i < 12; i++) {
		ask(&r, "POST", CRED "/secrets", NULL);
		assert_int_equal(r.resp.status, 201);
		ask(&r, "DELETE",
		    arena_printf(&r.arena, CRED "/secrets/%s",
				 value_text(value_get(secret_row(&r, 0), "uuid"))),
		    NULL);
		assert_int_equal(r.resp.status, 204);
	}
}

static void finalize_by_api_checks_nothing_unless_its_switch_says_so(void **state)
{
	for (int checks = 0; checks < 2; checks++) {
		RIG(r, .cred = "state: started",
		    .switches = checks ? "finalize_checks: true, refused_status: 409" : "");

		ask(&r, "PATCH", OAUTH "/finalize", NULL);
		assert_int_equal(r.resp.status, checks ? 409 : 200);
		assert_string_equal(migration(&r), checks ? "STARTED" : "COMPLETED");
		ask(&r, "PATCH", OAUTH "/finalize", NULL);
		assert_int_equal(r.resp.status, checks ? 409 : 400);
	}
}

static const char *types(struct rig *r)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);
	const struct value *rows = get(r, SPACE "/credentials", 200);

	for (size_t i = 0; i < value_count(rows); i++)
		sb_addf(&out, "%s%s=%s", i > 0 ? "," : "",
			value_text(value_get(value_at(rows, i), "id_integration")),
			or_(value_text(value_get(value_at(rows, i), "credential_type")), "-"));
	return arena_strndup(&r->arena, out.buf, out.len);
}

static void a_migrating_credential_is_one_row_or_two(void **state)
{
	static const struct {
		const char *switches, *before, *during, *after;
	} rows[] = {
		{ "", "501=service", "501=oauth_server_to_server_migrate",
		  "501=oauth_server_to_server" },
		{ "one_row: false", "501=service", "501=service,501=oauth_server_to_server",
		  "501=oauth_server_to_server" },
		{ "one_row: false, shared_id: false", "501=service",
		  "501=service,50101=oauth_server_to_server", "50101=oauth_server_to_server" },
		{ "type_key: integration_type", "501=-", "501=-", "501=-" },
		{ "type_key: both", "501=service", "501=oauth_server_to_server_migrate",
		  "501=oauth_server_to_server" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RIG(r, .switches = rows[i].switches);
		const char *oauth_id = strstr(rows[i].during, "50101") != NULL ? "50101" : "501";

		assert_string_equal(types(&r), rows[i].before);
		bridge(&r, "POST", "console/credentials/501/start-migration", NULL, 202);
		assert_string_equal(types(&r), rows[i].during);
		ask(&r, "PATCH",
		    arena_printf(
			    &r.arena,
			    "/console/organizations/23294/credentials/oauth-server-to-server/%s/finalize",
			    oauth_id),
		    NULL);
		assert_int_equal(r.resp.status, 200);
		assert_string_equal(types(&r), rows[i].after);
		get(&r, OAUTH "/status", strcmp(oauth_id, "501") == 0 ? 200 : 404);
	}
}

static void the_status_may_not_know_the_jwt_id(void **state)
{
	RIG(r, .switches = "status_answers_jwt_id: false, after_status: none");

	get(&r, OAUTH "/status", 404);
	bridge(&r, "POST", "console/credentials/501/start-migration", NULL, 202);
	assert_string_equal(migration(&r), "STARTED");
	ask(&r, "PATCH", OAUTH "/finalize", NULL);
	assert_string_equal(migration(&r), "NONE");
	assert_string_equal(
		value_text(value_get(
			get(&r,
			    "/console/organizations/23294/credentials/oauth-server-to-server/503/status",
			    200),
			"migrationStatus")),
		"NONE");
}

static void usages_can_show_the_jwt_grant_and_be_empty_lists(void **state)
{
	RIG(r,
	    .switches =
		    "jwt_in_usages: true, usages_null_when_unused: false, jwt_grant_name: jwt_bearer, usage_lag: 0s");
	const struct value *v = value_get(secret_row(&r, 0), "secret_usages");

	assert_int_equal(value_count(v), 1);
	assert_string_equal(value_text(value_get(value_at(v, 0), "grant_type")), "jwt_bearer");
	v = get(&r, "/console/organizations/23294/credentials/503/secrets", 200);
	v = value_get(value_at(value_get(v, "client_secrets"), 0), "secret_usages");
	assert_int_equal(v->kind, VAL_LIST);
	assert_int_equal(value_count(v), 0);
}

static void secrets_may_be_apart(void **state)
{
	RIG(r, .switches = "secrets_shared: false",
	    .cred = "state: jwt_only, jwt_client_secret: fake-jwt-secret");
	const char *before = value_text(value_get(secret_row(&r, 0), "uuid"));

	bridge(&r, "POST", "console/credentials/501/start-migration", NULL, 202);
	assert_string_not_equal(value_text(value_get(secret_row(&r, 0), "uuid")), before);
	mint(&r, "acme-client", "fake-jwt-secret", 400);
	mint(&r, "acme-client", "fake-oauth-secret", 200);
	pass(&r, WHEN_DAY);
	assert_string_equal(flow_status(&r, "ingress"), "RUNNING");
}

static void what_is_closed_is_closed(void **state)
{
	static const struct {
		const char *switches, *path;
		int status;
	} rows[] = {
		{ "secrets_api: 403", CRED "/secrets", 403 },
		{ "secrets_api: absent", CRED "/secrets", 404 },
		{ "status_api: 403", OAUTH "/status", 403 },
		{ "status_api: absent", OAUTH "/status", 404 },
		{ "console_api: 403", "/console/organizations", 403 },
		{ "console_api: absent", "/console/organizations", 404 },
		{ "deprecated_secrets: absent",
		  "/console/organizations/23294/integrations/501/secrets", 404 },
		{ "missing_project_is_500: true", "/console/organizations/23294/projects/99", 500 },
		{ "missing_project_is_500: false", "/console/organizations/23294/projects/99",
		  404 },
		{ "missing_project_is_500: true",
		  "/console/organizations/23294/projects/3/workspaces/99/credentials", 500 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RIG(r, .switches = rows[i].switches);

		get(&r, rows[i].path, rows[i].status);
	}
	{
		RIG(r, .switches = "finalize_api: 403", .cred = "state: started");

		ask(&r, "PATCH", OAUTH "/finalize", NULL);
		assert_int_equal(r.resp.status, 403);
		assert_string_equal(migration(&r), "STARTED");
	}
}

static void shapes_of_the_console_turn_both_ways(void **state)
{
	RIG(r, .cred = "state: started, certificate_ends: 2026-12-24T00:00:00Z",
	    .switches =
		    "binding_unit: s, numbers_for_bools: false, workspaces_in_project: false, date_form: iso, workspace_place: org, lookup_type: oauth_server_to_server, "
		    "auto_mark: none, service_filter_migrating: false");
	const struct value *v =
		get(&r, "/console/organizations/23294/integrations/entp/501/bindings", 200);

	assert_int_equal(value_int_or(value_get(value_at(v, 0), "notAfter"), 0), 1798070400);
	v = get(&r, "/console/organizations/23294/projects/2", 200);
	assert_int_equal(value_get(v, "enabled")->kind, VAL_BOOL);
	assert_null(value_get(v, "metadata"));
	assert_string_not_equal(value_text(value_get(v, "who_created")), "System");
	assert_int_equal(value_get(get(&r, "/console/organizations/23294/integrations/501", 200),
				   "createdDate")
				 ->kind,
			 VAL_STRING);
	assert_non_null(value_path(get(&r, SPACE "/download", 200), "project.org.workspace"));
	v = get(&r, "/console/clients/acme-client/credential", 200);
	assert_string_equal(value_text(value_get(v, "credential_type")), "oauth_server_to_server");
	assert_int_equal(value_count(
				 get(&r,
				     "/console/organizations/23294/projects?credentialType=service",
				     200)),
			 1);
}

static void a_credentials_own_token_sees_what_the_switch_lets_it(void **state)
{
	static const struct {
		const char *word;
		int secrets, projects;
	} rows[] = { { "own_token_console: none", 403, 403 },
		     { "own_token_console: secrets", 200, 403 },
		     { "own_token_console: all", 200, 200 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RIG(r, .switches = rows[i].word, .cred = "state: started");

		r.bearer = mint(&r, "acme-client", "fake-oauth-secret", 200);
		r.key = "acme-client";
		get(&r, CRED "/secrets", rows[i].secrets);
		get(&r, "/console/organizations/23294/projects", rows[i].projects);
		get(&r, "/console/organizations/23294/credentials/503/secrets",
		    rows[i].secrets == 200 && rows[i].projects == 200 ? 200 : 403);
	}
}

static void the_list_can_lie_about_a_type_and_projects_can_go(void **state)
{
	RIG(r, .cred = "state: started, type: service");

	assert_string_equal(types(&r), "501=service");
	assert_string_equal(migration(&r), "STARTED");
	ask(&r, "PATCH", "/console/organizations/23294/projects/4566206088344958295",
	    "{\"name\":\"n\",\"title\":\"New\"}");
	assert_string_equal(value_text(value_get(r.resp.body, "title")), "New");
	ask(&r, "DELETE", "/console/organizations/23294/integrations/entp/501/bindings/none", NULL);
	assert_int_equal(r.resp.status, 404);
	ask(&r, "DELETE", SPACE "/credentials/501", NULL);
	assert_int_equal(r.resp.status, 200);
	get(&r, OAUTH "/status", 404);
	assert_string_equal(value_text(truth(&r, "credentials.0.status")), "deleted");
	ask(&r, "DELETE", "/console/organizations/23294/projects/3", NULL);
	assert_int_equal(value_count(get(&r, "/console/organizations/23294/projects", 200)), 2);
}

/* ---- integration app ---- */

static void switches_of_the_app_turn_both_ways(void **state)
{
	{
		RIG(r,
		    .switches =
			    "save_validates: true, key_retained: true, workflow_start: 5m, workflow_stop: 3m, mint_after: 0s, token_per_workflow: false");

		bridge(&r, "POST", "console/credentials/501/start-migration", NULL, 202);
		bridge(&r, "PUT", "apps/acme-dev/settings",
		       "{\"auth_type\":\"oauth\",\"client_id\":\"acme-client\",\"client_secret\":\"fake-wrong\"}",
		       409);
		bridge(&r, "PUT", "apps/acme-dev/settings",
		       "{\"auth_type\":\"oauth\",\"client_id\":\"acme-client\",\"client_secret\":\"fake-oauth-secret\"}",
		       200);
		assert_int_equal(count_mints(&r, "oauth", "app:acme-dev", true), 1);
		bridge(&r, "POST", "apps/acme-dev/workflows/ingress/stop", NULL, 202);
		bridge(&r, "POST", "apps/acme-dev/workflows/egress/stop", NULL, 202);
		pass(&r, 3 * WHEN_MINUTE);
		bridge(&r, "POST", "apps/acme-dev/workflows/ingress/start", NULL, 202);
		bridge(&r, "POST", "apps/acme-dev/workflows/egress/start", NULL, 202);
		pass(&r, 4 * WHEN_MINUTE);
		assert_string_equal(flow_status(&r, "ingress"), "STARTING");
		pass(&r, WHEN_MINUTE);
		assert_string_equal(flow_status(&r, "egress"), "RUNNING");
		/* One token for both. */
		assert_int_equal(count_mints(&r, "oauth", "app:acme-dev", true), 2);
		/* The key is still there. */
		bridge(&r, "PUT", "apps/acme-dev/settings",
		       "{\"auth_type\":\"jwt\",\"client_id\":\"acme-client\"}", 200);
	}
	{
		RIG(r, .switches = "failed_restarts: true",
		    .settings = "auth_type: jwt, client_id: acme-client, private_key: fake-other",
		    .flows = "ingress: {token: none}");

		pass(&r, 1);
		assert_string_equal(flow_status(&r, "ingress"), "FAILED");
		pass(&r, 10 * WHEN_MINUTE);
		assert_string_equal(flow_status(&r, "ingress"), "STARTING");
		pass(&r, 10 * WHEN_MINUTE);
		assert_string_equal(flow_status(&r, "ingress"), "FAILED");
	}
	{
		RIG(r, .switches = "app_token_margin: 1h");

		pass(&r, 22 * WHEN_HOUR - WHEN_HOUR);
		assert_int_equal(count_mints(&r, "jwt", "app:acme-dev", true), 4);
	}
}

static void settings_may_name_a_client_that_nobody_has(void **state)
{
	RIG(r, .settings = "auth_type: oauth, client_id: ghost-client, client_secret: fake-ghost",
	    .flows = "ingress: {status: FAILED}, egress: {status: STARTING}");

	assert_string_equal(value_text(value_get(bridge(&r, "GET", "apps/acme-dev/settings", NULL,
							200),
						 "client_id")),
			    "ghost-client");
	pass(&r, 2 * WHEN_MINUTE);
	assert_string_equal(flow_status(&r, "egress"), "FAILED");
	assert_string_equal(flow_status(&r, "ingress"), "FAILED");
	assert_string_equal(value_text(truth(&r, "mints.0.error")), "invalid_client");
}

/* ---- campaign ---- */

static void as_reader(struct rig *r)
{
	r->bearer = mint(r, "reader-key", "fake-reader-secret", 200);
	r->key = "reader-key";
}

static void campaign_refuses_in_three_families_of_words(void **state)
{
	RIG(r, .cred = "state: started");
	const char *token = mint(&r, "acme-client", "fake-oauth-secret", 200);

	r.bearer = "bogus";
	assert_string_equal(value_text(
				    value_get(get(&r,
						  "/acme-dev/campaign/profileAndServices/profile",
						  401),
					      "error_code")),
			    "401013");
	r.bearer = token;
	assert_string_equal(value_text(
				    value_get(get(&r,
						  "/acme-dev/campaign/profileAndServices/profile",
						  403),
					      "error_code")),
			    "403003");
	r.key = "acme-client";
	get(&r, "/acme-dev/campaign/profileAndServices/profile", 200);
	assert_string_equal(value_text(
				    value_get(get(&r,
						  "/elsewhere/campaign/profileAndServices/profile",
						  403),
					      "error_code")),
			    "403023");
	assert_int_equal(value_int_or(value_get(get(&r,
						    "/nowhere/campaign/profileAndServices/profile",
						    500),
						"code"),
				      0),
			 500);
	get(&r, "/acme-dev/campaign/profileAndServices/nothing", 404);
	get(&r, "/acme-dev/campaign/profileAndServices/profile/byMagic?x=1", 404);
	get(&r, "/acme-dev/campaign/profileAndServices/profile/@none", 404);
	get(&r, "/acme-dev/campaign/workflow/execution/WKF2", 404);
	assert_string_equal(value_text(
				    value_get(get(&r, "/acme-dev/campaign/workflow/execution/WKF1",
						  200),
					      "state")),
			    "started");
	ask(&r, "PATCH", "/acme-dev/campaign/profileAndServices/profile/@x", "{}");
	assert_int_equal(r.resp.status, 405);
}

static void profiles_are_paged_by_links_that_are_followed(void **state)
{
	RIG(r, .tenant = "generate: 60,");
	const struct value *v;
	size_t seen = 0;

	as_reader(&r);
	v = get(&r, "/acme-dev/campaign/profileAndServices/profile", 200);
	assert_int_equal(value_count(value_get(v, "content")), 25);
	assert_non_null(strstr(value_text(value_path(v, "next.href")),
			       ORIGIN "/acme-dev/campaign/profileAndServices/profile?_lineStart="));
	assert_int_equal(value_int_or(value_get(get(&r, value_text(value_path(v, "count.href")),
						    200),
						"count"),
				      0),
			 63);
	for (v = get(&r,
		     "/acme-dev/campaign/profileAndServices/profile?_lineCount=20&_forcePagination=true",
		     200);
	     ; v = get(&r, value_text(value_path(v, "next.href")), 200)) {
		seen += value_count(value_get(v, "content"));
		if (value_get(v, "next") == NULL)
			break;
	}
	assert_int_equal(seen, 63);
	get(&r, "/acme-dev/campaign/profileAndServices/profile?_lineStart=20", 500);
	v = get(&r,
		"/acme-dev/campaign/profileAndServices/profile/email?_lineCount=1&_order=email%20desc",
		200);
	assert_string_equal(value_text(value_at(value_get(v, "content"), 0)), "old@example.com");
	get(&r, "/acme-dev/campaign/profileAndServices/profile?_order=email%2520desc", 500);
}

static void profiles_are_found_by_filters(void **state)
{
	RIG(r, 0);
	const struct value *v;

	as_reader(&r);
	v = get(&r,
		"/acme-dev/campaign/profileAndServicesExt/profile/byExternalId?externalId_parameter=" GUID1,
		200);
	v = value_at(value_get(v, "content"), 0);
	assert_string_equal(value_text(value_get(v, "externalId")), GUID1);
	assert_string_equal(value_text(value_get(v, "lastName")), "O'Brien");
	assert_string_equal(value_text(value_get(v, "created")), "2026-11-23 05:02:00.000Z");
	get(&r, value_text(value_get(v, "href")), 200);
	assert_int_equal(
		value_count(value_get(
			get(&r,
			    "/acme-dev/campaign/profileAndServices/profile/byText?text=ann&filterType=email",
			    200),
			"content")),
		1);
	assert_int_equal(
		value_count(value_get(
			get(&r, "/acme-dev/campaign/profileAndServices/profile/byText?text=Ann",
			    200),
			"content")),
		0);
	assert_int_equal(
		value_count(value_get(
			get(&r, "/acme-dev/campaign/profileAndServices/profile/byText?text=example",
			    200),
			"content")),
		0);
	assert_int_equal(
		value_count(value_get(
			get(&r,
			    "/acme-dev/campaign/profileAndServices/profile/byEmail?email=bob%2Bx@example.com",
			    200),
			"content")),
		1);
	assert_int_equal(
		value_int_or(
			value_get(
				get(&r,
				    "/acme-dev/campaign/profileAndServices/profile/byText/_count?text=b",
				    200),
				"count"),
			0),
		1);
	v = get(&r, "/acme-dev/campaign/profileAndServicesExt/resourceType/profile", 200);
	v = get(&r, value_text(value_path(v, "filters.href")), 200);
	assert_non_null(strstr(value_text(value_path(v, "byExternalId.data")),
			       "externalId_parameter=$value"));
}

static void switches_of_campaign_turn_both_ways(void **state)
{
	{
		RIG(r, .tenant = "generate: 60,",
		    .switches =
			    "date_with_t: true, relative_hrefs: true, ext_published: false, big_table: 50, oops_status: 502, workflow_state_key: status, list_names: denyList, "
			    "external_id_case: upper");
		const struct value *v;

		as_reader(&r);
		v = get(&r, "/acme-dev/campaign/profileAndServices/profile", 200);
		assert_null(value_get(v, "next"));
		assert_null(value_get(v, "count"));
		v = get(&r, "/acme-dev/campaign/profileAndServices/profile?_forcePagination=true",
			200);
		assert_int_equal(strncmp(value_text(value_path(v, "next.href")), "/acme-dev/", 10),
				 0);
		get(&r, value_text(value_path(v, "next.href")), 200);
		v = value_at(value_get(v, "content"), 0);
		assert_string_equal(value_text(value_get(v, "created")),
				    "2026-01-02T03:04:05.000Z");
		assert_non_null(value_get(v, "denyListEmail"));
		get(&r, "/acme-dev/campaign/profileAndServicesExt/profile", 404);
		get(&r, "/nowhere/campaign/profileAndServices/profile", 502);
		assert_null(value_get(get(&r, "/acme-dev/campaign/workflow/execution/WKF1", 200),
				      "state"));
	}
	{
		RIG(r,
		    .switches =
			    "external_id_case: braces, workflow_state_key: none, big_table: 1, count_on_big_tables: true");
		const struct value *v;

		as_reader(&r);
		v = get(&r,
			"/acme-dev/campaign/profileAndServices/profile/byExternalId?externalId_parameter={" GUID1
			"}",
			200);
		assert_int_equal(value_count(value_get(v, "content")), 1);
		assert_non_null(
			value_get(get(&r, "/acme-dev/campaign/profileAndServices/profile", 200),
				  "count"));
		assert_int_equal(value_count(get(&r, "/acme-dev/campaign/workflow/execution/WKF1",
						 200)),
				 2);
	}
}

/* ---- dynamics ---- */

static const char *entra(struct rig *r, const char *form, int status)
{
	const struct value *v = ask(r, "POST", "/entra/" TENANT "/oauth2/v2.0/token", form);

	if (r->resp.status != status)
		fail_msg("entra: %d %s", r->resp.status,
			 or_(value_text(value_get(v, "error_description")), ""));
	return status == 200 ? value_text(value_get(v, "access_token")) :
			       value_text(value_get(v, "error_description"));
}

#define GRANT "grant_type=client_credentials&"
#define RESOURCE "&scope=https%3A%2F%2Facmeorg.api.crm.dynamics.com%2F.default"

static void entra_refuses_with_numbers(void **state)
{
	static const struct {
		const char *form, *code;
		int status;
	} rows[] = {
		{ GRANT "client_id=entra-client&client_secret=wrong" RESOURCE, "AADSTS7000215",
		  401 },
		{ GRANT "client_id=entra-old&client_secret=fake-old" RESOURCE, "AADSTS7000222",
		  401 },
		{ GRANT "client_id=entra-client" RESOURCE, "AADSTS7000218", 401 },
		{ GRANT "client_id=ghost&client_secret=x" RESOURCE, "AADSTS700016", 400 },
		{ GRANT
		  "client_id=entra-client&client_secret=fake-entra&scope=https://ghost.crm.dynamics.com/.default",
		  "AADSTS500011", 400 },
		{ GRANT
		  "client_id=entra-client&client_secret=fake-entra&scope=https://acmeorg.crm.dynamics.com/",
		  "AADSTS1002012", 400 },
		{ "grant_type=password&client_id=entra-client", "AADSTS70003", 400 },
	};
	RIG(r, 0);
	const struct value *v;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(strncmp(entra(&r, rows[i].form, rows[i].status), rows[i].code,
					 strlen(rows[i].code)),
				 0);
	v = ask(&r, "POST", "/entra/nobody/oauth2/v2.0/token", GRANT "client_id=entra-client");
	assert_int_equal(value_int_or(value_at(value_get(v, "error_codes"), 0), 0), 90002);
	/* Both forms of the host, the sandbox's own address, and the slash too many. */
	entra(&r,
	      GRANT
	      "client_id=entra-client&client_secret=fake-entra&scope=https://acmeorg.crm.dynamics.com/.default",
	      200);
	assert_int_equal(value_int_or(value_get(r.resp.body, "expires_in"), 0), 3599);
	r.bearer = entra(&r,
			 GRANT "client_id=entra-client&client_secret=fake-entra&scope=" ORIGIN
			       "/dynamics/acmeorg/.default",
			 200);
	get(&r, "/dynamics/acmeorg/api/data/v9.2/WhoAmI", 200);
	r.bearer = entra(
		&r,
		GRANT
		"client_id=entra-client&client_secret=fake-entra&scope=https://acmeorg.crm.dynamics.com//.default",
		200);
	get(&r, "/dynamics/acmeorg/api/data/v9.2/WhoAmI", 401);
	assert_null(r.resp.body);
	assert_non_null(header(&r, "WWW-Authenticate"));
}

static void as_entra(struct rig *r)
{
	r->bearer = entra(r, GRANT "client_id=entra-client&client_secret=fake-entra" RESOURCE, 200);
	r->key = NULL;
}

#define API "/dynamics/acmeorg/api/data/v9.2/"

static void contacts_are_filtered_ordered_and_paged(void **state)
{
	RIG(r, 0);
	const struct value *v;

	as_entra(&r);
	v = get(&r,
		API
		"contacts?$select=contactid,emailaddress1,modifiedon&$filter=modifiedon%20ge%202026-11-23T06:00:00Z&$orderby=modifiedon%20asc,contactid%20asc",
		200);
	assert_int_equal(value_count(value_get(v, "value")), 1);
	v = value_at(value_get(v, "value"), 0);
	assert_string_equal(value_text(value_get(v, "contactid")), GUID2);
	assert_string_equal(value_text(value_get(v, "modifiedon")), "2026-11-23T06:00:00Z");
	assert_null(value_get(v, "lastname"));
	v = get(&r,
		API "contacts?$filter=contactid%20eq%20" GUID1
		    "%20and%20modifiedon%20ge%202026-01-01T00:00:00Z",
		200);
	assert_int_equal(value_count(value_get(v, "value")), 1);
	v = get(&r,
		API "contacts?$filter=contactid%20eq%20" GUID1 "%20or%20(contactid%20eq%20" GUID2
		    "%20and%20statecode%20eq%200)",
		200);
	assert_int_equal(value_count(value_get(v, "value")), 2);
	v = get(&r, API "contacts?$filter=lastname%20eq%20'o''brien'", 200);
	assert_int_equal(value_count(value_get(v, "value")), 1);
	v = get(&r, API "contacts?$filter=emailaddress1%20eq%20'bob%2Bx@example.com'", 200);
	assert_int_equal(value_count(value_get(v, "value")), 1);
	v = get(&r, API "contacts?$top=1&$orderby=modifiedon%20desc", 200);
	assert_string_equal(value_text(value_get(value_at(value_get(v, "value"), 0), "contactid")),
			    GUID2);
	assert_null(value_get(v, "@odata.nextLink"));
	r.extra = "prefer";
	r.extra_value = "odata.maxpagesize=1";
	v = get(&r, API "contacts?$select=contactid&$top=1&$orderby=modifiedon%20asc&$count=true",
		200);
	assert_string_equal(header(&r, "Preference-Applied"), "odata.maxpagesize=1");
	assert_int_equal(value_int_or(value_get(v, "@odata.count"), 0), 2);
	v = get(&r, value_text(value_get(v, "@odata.nextLink")), 200);
	assert_string_equal(value_text(value_get(value_at(value_get(v, "value"), 0), "contactid")),
			    GUID2);
	assert_null(value_get(v, "@odata.nextLink"));
	r.extra = NULL;
	get(&r, API "contacts?$skiptoken=%253Ccookie", 400);
	get(&r, API "contacts?$select=shoesize", 400);
	get(&r, API "contacts?$filter=modifiedon%20ge%20yesterday", 400);
	get(&r, API "contacts?$filter=contactid%20eq%20'" GUID1 "'", 400);
	get(&r, API "contacts?$skip=1", 400);
	get(&r, API "contacts/$count", 200);
	assert_string_equal(r.resp.text, "2");
	get(&r, API "accounts", 404);
	get(&r, API "contacts(nonsense)", 400);
}

static void a_patch_obeys_its_conditions(void **state)
{
	RIG(r, 0);
	const struct value *v;
	const char *etag;

	as_entra(&r);
	v = get(&r, API "contacts(" GUID1 ")", 200);
	etag = value_text(value_get(v, "@odata.etag"));
	r.extra = "if-none-match";
	r.extra_value = etag;
	get(&r, API "contacts(" GUID1 ")", 304);
	r.extra_value = "null";
	get(&r, API "contacts(" GUID1 ")", 200);
	r.extra = "if-match";
	r.extra_value = etag;
	pass(&r, WHEN_HOUR);
	as_entra(&r);
	ask(&r, "PATCH", API "contacts(" GUID1 ")", "{\"lastname\":\"New\"}");
	assert_int_equal(r.resp.status, 204);
	assert_string_equal(header(&r, "OData-EntityId"), ORIGIN API "contacts(" GUID1 ")");
	ask(&r, "PATCH", API "contacts(" GUID1 ")", "{\"lastname\":\"Newer\"}");
	assert_int_equal(r.resp.status, 412);
	r.extra_value = "*";
	ask(&r, "PATCH", API "contacts(33333333-3333-4333-8333-333333333333)",
	    "{\"lastname\":\"X\"}");
	assert_int_equal(r.resp.status, 404);
	ask(&r, "PATCH", API "contacts(" GUID1 ")", "{\"shoesize\":\"44\"}");
	assert_int_equal(r.resp.status, 400);
	r.extra = NULL;
	v = get(&r, API "contacts(" GUID1 ")?$select=modifiedon,lastname", 200);
	assert_string_equal(value_text(value_get(v, "modifiedon")), "2026-11-23T09:00:00Z");
	assert_string_equal(value_text(value_get(v, "lastname")), "New");
	assert_int_equal(value_int_or(truth(&r, "contacts.0.writes"), 0), 1);
	/* Without conditions it creates. */
	ask(&r, "PATCH", API "contacts(33333333-3333-4333-8333-333333333333)",
	    "{\"lastname\":\"X\"}");
	assert_int_equal(r.resp.status, 204);
	r.extra = "if-none-match";
	r.extra_value = "*";
	ask(&r, "PATCH", API "contacts(33333333-3333-4333-8333-333333333333)",
	    "{\"lastname\":\"X\"}");
	assert_int_equal(r.resp.status, 412);
	r.extra = "prefer";
	r.extra_value = "return=representation";
	v = ask(&r, "POST", API "contacts",
		"{\"lastname\":\"Y\",\"emailaddress1\":\"y@example.com\"}");
	assert_int_equal(r.resp.status, 201);
	pass(&r, 2 * WHEN_MINUTE);
	assert_non_null(tenant_profile(r.w, tenant_named(r.w, "acme-dev"),
				       value_text(value_get(v, "contactid"))));
	r.extra = NULL;
	r.bearer = entra(&r, GRANT "client_id=entra-read&client_secret=fake-read" RESOURCE, 200);
	ask(&r, "PATCH", API "contacts(" GUID1 ")", "{\"lastname\":\"Z\"}");
	assert_int_equal(r.resp.status, 403);
}

static void an_unmapped_change_leaves_the_profile_as_it_was(void **state)
{
	RIG(r, 0);
	const struct profile *p = tenant_profile(r.w, tenant_named(r.w, "acme-dev"), GUID1);
	int64_t before = p->modified;

	as_entra(&r);
	ask(&r, "PATCH", API "contacts(" GUID1 ")", "{\"description\":\"unmapped\"}");
	pass(&r, WHEN_HOUR);
	assert_int_equal(p->modified, before);
	as_entra(&r);
	ask(&r, "PATCH", API "contacts(" GUID1 ")", "{\"firstname\":\"Anna\"}");
	pass(&r, WHEN_MINUTE);
	assert_int_equal(p->modified, before);
	pass(&r, WHEN_MINUTE);
	assert_int_equal(p->modified, START + WHEN_HOUR + 2 * WHEN_MINUTE);
	assert_string_equal(p->first, "Anna");
}

static void switches_of_dynamics_turn_both_ways(void **state)
{
	RIG(r,
	    .switches =
		    "entra_error_status: 400, expires_as_string: true, audience_strict: true, modified_fraction: true, skew: {dynamics: -1500ms}");
	const struct value *v;

	entra(&r, GRANT "client_id=entra-client&client_secret=wrong" RESOURCE, 400);
	r.bearer = entra(
		&r,
		GRANT
		"client_id=entra-client&client_secret=fake-entra&scope=https://acmeorg.crm.dynamics.com/.default",
		200);
	assert_string_equal(value_text(value_get(r.resp.body, "expires_in")), "3599");
	get(&r, API "WhoAmI", 401);
	as_entra(&r);
	get(&r, API "WhoAmI", 200);
	v = get(&r, API "contacts(" GUID2 ")", 200);
	assert_string_equal(value_text(value_get(v, "modifiedon")), "2026-11-23T05:59:58.500Z");
}

/* ---- the world ---- */

static void every_system_has_its_own_clock_and_rate(void **state)
{
	RIG(r,
	    .switches =
		    "skew: {console: 1s, ims: 2s, bridge: 3s, campaign: 4s, dynamics: -5s}, rate: {console: 2, ims: 1, bridge: 1, campaign: 1, dynamics: 1}");
	static const char *const paths[] = { "console", "ims", "bridge", "x/campaign", "dynamics" };
	static const int64_t skews[] = { 1000, 2000, 3000, 4000, -5000 };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const char *segments[] = { strcmp(paths[i], "x/campaign") == 0 ? "x" : paths[i],
					   "campaign", NULL };
		struct twin_req req = { .method = "GET",
					.segments = segments,
					.segment_count = 2,
					.arena = &r.arena,
					.origin = ORIGIN,
					.raw_body = "",
					.path = "" };
		const struct twin *t = world_twin_for(r.w, &req);

		assert_non_null(t);
		assert_string_equal(t->name, world_twin_names[i]);
		assert_int_equal(world_skew_ms(r.w, t), skews[i]);
	}
	assert_int_equal(world_skew_ms(r.w, NULL), 0);
	get(&r, "/console/organizations", 200);
	get(&r, "/console/organizations", 200);
	get(&r, "/console/organizations", 429);
	assert_string_equal(header(&r, "Retry-After"), "60");
	pass(&r, WHEN_MINUTE);
	get(&r, "/console/organizations", 200);
	mint(&r, "reader-key", "fake-reader-secret", 200);
	mint(&r, "reader-key", "fake-reader-secret", 429);
	bridge(&r, "GET", "apps/acme-dev/workflows", NULL, 200);
	bridge(&r, "GET", "apps/acme-dev/workflows", NULL, 429);
	get(&r, API "WhoAmI", 401);
	assert_string_equal(value_text(value_path(get(&r, API "WhoAmI", 429), "error.code")),
			    "0x80072322");
	get(&r, "/acme-dev/campaign/x", 401);
	get(&r, "/acme-dev/campaign/x", 429);
}

static void somebody_else_does_things_meanwhile(void **state)
{
	RIG(r,
	    .events =
		    "{at: 1m, do: start-migration, credential: '501'}, {at: 2m, do: mint, client_id: acme-client, grant: oauth},"
		    "{at: 3m, do: cancel-migration, credential: '501'}, {at: 3m, do: cancel-migration, credential: '501'},"
		    "{at: 4m, do: fail-workflow, instance: acme-dev, workflow: ingress}, {at: 5m, do: touch-contact, org: acmeorg, contact: " GUID1
		    "},"
		    "{at: 6m, do: rename-project, project: '3', title: Renamed}, {at: 7m, do: set, switch: rate.console, value: '1'},"
		    "{at: 8m, do: save-settings, instance: acme-dev, auth_type: oauth, client_secret: fake-x},"
		    "{at: 9m, do: stop-workflow, instance: acme-dev, workflow: egress}, {at: 9m, do: delete-project, project: '2'},"
		    "{at: 9m, do: add-secret, credential: '503'}, {at: 9m, do: delete-secret, credential: '503'}");
	struct err e = ERR_INIT;

	pass(&r, 90 * WHEN_SECOND);
	assert_string_equal(migration(&r), "STARTED");
	pass(&r, 10 * WHEN_MINUTE);
	assert_string_equal(migration(&r), "NOT_STARTED");
	get(&r, "/console/organizations", 429);
	assert_int_equal(count_mints(&r, "oauth", "consumer:other", true), 1);
	assert_string_equal(flow_status(&r, "ingress"), "FAILED");
	assert_string_equal(flow_status(&r, "egress"), "STOPPED");
	assert_string_equal(value_text(truth(&r, "apps.0.auth_type")), "oauth");
	assert_int_equal(value_int_or(truth(&r, "apps.0.waiting"), -1), 1);
	assert_int_equal(value_count(truth(&r, "writes")), 9);
	assert_int_equal(world_do(r.w,
				  json(&r, "{\"do\":\"cancel-migration\",\"credential\":\"501\"}"),
				  &e),
			 -E_REFUSED);
	err_clear(&e);
	assert_int_equal(world_do(r.w, json(&r, "{\"do\":\"dance\"}"), &e), -E_PLAN);
	err_clear(&e);
	assert_int_equal(world_do(r.w, json(&r, "{\"do\":\"finalize\",\"credential\":\"999\"}"),
				  &e),
			 -E_PLAN);
}

static const char *state_of(struct rig *r)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	json_write(&out, world_truth(r->w, &r->arena), JSON_COMPACT, NULL);
	return arena_strndup(&r->arena, out.buf, out.len);
}

static void the_size_of_steps_in_time_does_not_matter(void **state)
{
	static const char consumers[] = "{client_id: acme-client, grant: jwt, every: 6h}";
	RIG(a, .activity = "activity: {every: 7m}", .consumers = consumers,
	    .switches = "usage_lag_random: true");
	RIG(b, .activity = "activity: {every: 7m}", .consumers = consumers,
	    .switches = "usage_lag_random: true");

	switch_to_oauth(&a);
	switch_to_oauth(&b);
	pass(&a, 2 * WHEN_DAY);
	while (world_now(b.w) < world_now(a.w))
		world_advance(b.w, MIN_OF(world_now(a.w), world_now(b.w) + 37 * WHEN_SECOND));
	assert_string_equal(state_of(&a), state_of(&b));
	world_advance(a.w, 5);
	assert_int_equal(world_now(a.w), world_now(b.w));
	assert_true(world_next_event(a.w) > world_now(a.w));
}

static void mistakes_in_a_document_have_a_position(void **state)
{
	static const struct {
		const char *text, *want;
		unsigned line, col;
	} rows[] = {
		{ "clock: noon\n", "neither a time", 1, 8 },
		{ "seed: 1\nworlds: 1\n", "no key 'worlds'", 2, 1 },
		{ "switches: {one_roe: true}\n", "no switch is called 'one_roe'", 1, 12 },
		{ "switches: {skew: {mars: 1s}}\n", "no switch is called 'skew.mars'", 1, 19 },
		{ "switches: {binding_unit: h}\n", "one of ms|s", 1, 26 },
		{ "switches: {usage_lag: soon}\n", "cannot be that", 1, 23 },
		{ "callers: [{client_id: a}]\n", "'client_secret' is missing", 1, 11 },
		{ "callers: [{client_id: a, client_secret: s, may: [fly]}]\n", "not 'fly'", 1, 49 },
		{ "organizations: [{id: '1', ims: A@AdobeOrg, projects: [{id: '2', title: T, workspaces: [{id: '3', credentials: [{id: '4'}]}]}]}]\n",
		  "'client_id' is missing", 1, 112 },
		{ "organizations: [{id: '1', ims: A@AdobeOrg, projects: {}}]\n", "not a list", 1,
		  54 },
		{ "organizations:\n- {id: '1', ims: A}\n- {id: '1', ims: B}\n", "two organizations",
		  3, 8 },
		{ "apps: [{instance: a, dynamics: ghost, settings: {client_id: x}}]\n",
		  "no Dynamics organisation 'ghost'", 1, 32 },
		{ "apps: [{instance: a, settings: {client_id: x}, workflows: {sideways: {}}}]\n",
		  "no key 'sideways'", 1, 60 },
		{ "apps: [{instance: a, settings: {client_id: x}, workflows: {egress: {status: IDLE}}}]\n",
		  "none of", 1, 77 },
		{ "campaign: [{tenant: a, filters: {near: {param: p}}}]\n", "begins with 'by'", 1,
		  34 },
		{ "dynamics: [{org: a, tenant: t, contacts: [{id: 7}]}]\n", "GUID", 1, 48 },
		{ "consumers: [{client_id: ghost}]\n", "no credential", 1, 25 },
		{ "events: [{at: 1m}]\n", "'do'", 1, 10 },
		{ "events: [{do: dance}]\n", "nobody can do 'dance'", 1, 10 },
		{ "bridge: {}\n", "'token' is missing", 1, 9 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		struct world *w = world_from(rows[i].text, &e);

		assert_null(w);
		if (strstr(e.msg, rows[i].want) == NULL || e.pos.line != rows[i].line ||
		    e.pos.col != rows[i].col)
			fail_msg("%s: %u:%u: %s", rows[i].text, e.pos.line, e.pos.col, e.msg);
	}
}

static void an_empty_world_is_a_world(void **state)
{
	struct err e = ERR_INIT;
	CLEANUP(world_freep) struct world *w = world_from("seed: 3\n", &e);

	(void)state;
	assert_non_null(w);
	assert_int_equal(world_now(w), START);
	assert_true(world_next_event(w) == INT64_MAX);
	world_advance(w, START + 10);
	assert_int_equal(world_now(w), START + 10);
}

/* Each switch at each of its words, or at another value than its default, still makes a world that runs. */
static void every_switch_takes_every_value(void **state)
{
	size_t count;
	const struct world_switch *all = world_switches(&count);

	for (size_t i = 0; i < count; i++) {
		const char *rest = all[i].kind == SWITCH_BOOL ? "true|false" :
				   all[i].kind == SWITCH_SPAN ? "0s|30s" :
				   all[i].kind == SWITCH_INT  ? "400|409" :
								all[i].words;

		assert_non_null(all[i].doc);
		while (*rest != '\0') {
			size_t len = strcspn(rest, "|");
			char text[128];
			const char *dot = strchr(all[i].name, '.');
			struct sb line = SB_INIT(sizeof(text) - 1);

			if (dot != NULL)
				sb_addf(&line, "%.*s: {%s: %.*s}", (int)(dot - all[i].name),
					all[i].name, dot + 1, (int)len, rest);
			else
				sb_addf(&line, "%s: %.*s", all[i].name, (int)len, rest);
			memcpy(text, line.buf, line.len + 1);
			sb_done(&line);
			{
				RIG(r, .switches = text, .activity = "activity: {every: 1h}");

				switch_to_oauth(&r);
				pass(&r, 2 * WHEN_DAY);
				assert_int_equal(value_int_or(truth(&r, "lost"), -1), 0);
			}
			rest += len + (rest[len] == '|' ? 1 : 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jwt_app_mints_again_in_time_and_by_jwt),
		cmocka_unit_test(a_whole_migration_ends_with_an_app_on_oauth_and_nothing_lost),
		cmocka_unit_test(saved_settings_change_nothing_until_a_restart),
		cmocka_unit_test(stopping_has_no_status_of_its_own),
		cmocka_unit_test(a_wrong_secret_makes_a_workflow_fail_in_its_own_time),
		cmocka_unit_test(a_converted_credential_hides_behind_a_cached_token),
		cmocka_unit_test(an_undeclared_consumer_keeps_the_jwt_credential_busy),
		cmocka_unit_test(what_changed_during_a_stop_arrives_after_it),
		cmocka_unit_test(the_backlog_drains_while_running_and_grows_while_stopped),
		cmocka_unit_test(cancelling_leaves_the_jwt_credential_as_it_was),
		cmocka_unit_test(the_bridge_says_what_the_contract_says),
		cmocka_unit_test(a_shell_script_can_play_the_person),
		cmocka_unit_test(the_card_is_as_precise_as_its_switch),
		cmocka_unit_test(the_prompt_means_the_title_or_the_name),
		cmocka_unit_test(ims_refuses_in_its_own_words),
		cmocka_unit_test(an_assertion_is_looked_at_before_it_is_exchanged),
		cmocka_unit_test(switches_of_ims_turn_both_ways),
		cmocka_unit_test(usage_is_late_and_may_be_anything_up_to_the_lag),
		cmocka_unit_test(the_console_asks_who_is_there),
		cmocka_unit_test(projects_are_filtered_and_paged_from_one),
		cmocka_unit_test(a_credential_can_be_looked_up_from_all_sides),
		cmocka_unit_test(secrets_obey_the_state_of_the_migration),
		cmocka_unit_test(finalize_by_api_checks_nothing_unless_its_switch_says_so),
		cmocka_unit_test(a_migrating_credential_is_one_row_or_two),
		cmocka_unit_test(the_status_may_not_know_the_jwt_id),
		cmocka_unit_test(usages_can_show_the_jwt_grant_and_be_empty_lists),
		cmocka_unit_test(secrets_may_be_apart),
		cmocka_unit_test(what_is_closed_is_closed),
		cmocka_unit_test(shapes_of_the_console_turn_both_ways),
		cmocka_unit_test(a_credentials_own_token_sees_what_the_switch_lets_it),
		cmocka_unit_test(the_list_can_lie_about_a_type_and_projects_can_go),
		cmocka_unit_test(switches_of_the_app_turn_both_ways),
		cmocka_unit_test(settings_may_name_a_client_that_nobody_has),
		cmocka_unit_test(campaign_refuses_in_three_families_of_words),
		cmocka_unit_test(profiles_are_paged_by_links_that_are_followed),
		cmocka_unit_test(profiles_are_found_by_filters),
		cmocka_unit_test(switches_of_campaign_turn_both_ways),
		cmocka_unit_test(entra_refuses_with_numbers),
		cmocka_unit_test(contacts_are_filtered_ordered_and_paged),
		cmocka_unit_test(a_patch_obeys_its_conditions),
		cmocka_unit_test(an_unmapped_change_leaves_the_profile_as_it_was),
		cmocka_unit_test(switches_of_dynamics_turn_both_ways),
		cmocka_unit_test(every_system_has_its_own_clock_and_rate),
		cmocka_unit_test(somebody_else_does_things_meanwhile),
		cmocka_unit_test(the_size_of_steps_in_time_does_not_matter),
		cmocka_unit_test(mistakes_in_a_document_have_a_position),
		cmocka_unit_test(an_empty_world_is_a_world),
		cmocka_unit_test(every_switch_takes_every_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
