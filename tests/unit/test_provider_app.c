/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/sb.h"
#include "core/base/when.h"
#include "core/io/json.h"
#include "core/plan/changes.h"
#include "providers/integration_app/app.h"
#include "providers/integration_app/integration_app.h"

#define T0 INT64_C(1795428000000) /* 2026-11-23T10:00:00Z */

static struct arena mem = ARENA_INIT;

static int forget(void **state)
{
	(void)state;
	arena_done(&mem);
	return 0;
}

/* JSON with apostrophes for quotes. */
static struct value *json(const char *text)
{
	char *copy = arena_strdup(&mem, text);
	struct err err = ERR_INIT;
	struct value *v = NULL;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (json_parse(&mem, copy, strlen(copy), NULL, NULL, NULL, &v, &err) < 0)
		fail_msg("%s: %s", copy, err.msg);
	return v;
}

/* --- a view --- */

#define SEEN_MAX 8
struct scene {
	struct observation seen[SEEN_MAX];
	size_t count;
	struct view view;
};

static void scene_init(struct scene *s, const char *app)
{
	struct value *want = value_map(&mem);

	*s = (struct scene){ .count = 0 };
	value_set(&mem, want, "app", json(app));
	value_set(&mem, want, "credential",
		  json("{'client_secret':{'ref':'env:SECRET','late':true}}"));
	s->view = (struct view){ .env = "dev", .want = want, .seen = s->seen, .now_ms = T0 };
}

static void see(struct scene *s, const char *thing, enum known known, const char *facts)
{
	size_t i = 0;

	while (i < s->count && strcmp(s->seen[i].thing, thing) != 0)
		i++;
	assert_true(i < SEEN_MAX);
	s->seen[i] = (struct observation){ .thing = thing,
					   .known = known,
					   .facts = facts ? json(facts) : NULL,
					   .why = facts ? NULL : "no bridge" };
	s->count = MAX_OF(s->count, i + 1);
	s->view.seen_count = s->count;
}

static void mark(struct scene *s, const char *marks)
{
	s->view.marks = json(marks);
}

/* --- observing --- */

static enum next observe(call_fn *fn, const struct scene *s, int status, const char *body,
			 struct value **ret_facts, struct http_req *req, struct err *err)
{
	struct call c = { .arena = &mem, .view = &s->view };
	struct http_resp resp = { .status = status, .body = body ? json(body) : NULL };
	enum next next;

	*err = (struct err)ERR_INIT;
	assert_int_equal(fn(&c, NULL, req, err), NEXT_SEND);
	assert_string_equal(req->method, "GET");
	assert_string_equal(req->conn, "bridge");
	next = fn(&c, &resp, &(struct http_req){ 0 }, err);
	*ret_facts = c.facts;
	return next;
}

#define SETTINGS(auth, client, pending, saved)                                                                  \
	"{'auth_type':'" auth "','client_id':" client                                                           \
	",'technical_account_id':'T@techacct.adobe.com',"                                                       \
	"'technical_account_email':'t@techacct.adobe.com','organization_id':'O@AdobeOrg','integration_id':'9'," \
	"'org_id':'1','url':'https://mc.adobe.io/shop','pending_edits':" pending                                \
	",'saved_at':" saved "}"

static void settings_are_read_with_blank_fields_as_empty_text(void **state)
{
	struct scene s;
	struct value *facts;
	struct http_req req;
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop stage'}");
	assert_int_equal(observe(app_settings.observe, &s, 200,
				 SETTINGS("oauth", "null", "true", "'2026-11-23T09:00:00Z'"),
				 &facts, &req, &err),
			 NEXT_DONE);
	assert_string_equal(req.path, "/v1/apps/shop%20stage/settings");
	assert_string_equal(value_text(value_get(facts, "auth_type")), "oauth");
	assert_string_equal(value_text(value_get(facts, "client_id")), "");
	assert_string_equal(value_text(value_get(facts, "url")), "https://mc.adobe.io/shop");
	assert_true(value_bool_or(value_get(facts, "pending_edits"), false));
	assert_int_equal(value_int_or(value_get(facts, "saved_at"), 0), T0 - WHEN_HOUR);
	assert_null(value_get(facts, "org_id"));
	assert_int_equal(observe(app_settings.observe, &s, 200,
				 SETTINGS("jwt", "'c'", "false", "null"), &facts, &req, &err),
			 NEXT_DONE);
	assert_int_equal(value_int_or(value_get(facts, "saved_at"), -1), 0);
}

static void settings_of_an_odd_shape_are_refused(void **state)
{
	static const char *const odd[] = {
		"{}",
		"[]",
		"{'auth_type':'Kerberos'}",
		"{'auth_type':['oauth']}",
		"{'auth_type':'oauth','client_id':7}",
		"{'auth_type':'oauth','pending_edits':'no'}",
		"{'auth_type':'oauth','saved_at':'yesterday'}",
		"{'auth_type':'oauth','saved_at':12}",
	};
	struct scene s;
	struct value *facts;
	struct http_req req;
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		assert_int_equal(observe(app_settings.observe, &s, 200, odd[i], &facts, &req, &err),
				 NEXT_FAIL);
		assert_int_equal(err.code, E_REMOTE);
		assert_non_null(strstr(err.msg, "read settings"));
	}
}

static void a_refusal_degrades_and_an_unknown_instance_says_what_to_look_at(void **state)
{
	struct scene s;
	struct value *facts;
	struct http_req req;
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	assert_int_equal(observe(app_workflow.observe, &s, 403, "{'message':'no'}", &facts, &req,
				 &err),
			 NEXT_FAIL);
	assert_int_equal(err.code, E_DENIED);
	assert_int_equal(observe(app_settings.observe, &s, 404, "{'message':'what'}", &facts, &req,
				 &err),
			 NEXT_FAIL);
	assert_int_equal(err.code, E_REMOTE);
	assert_non_null(strstr(err.hint, "shop"));
	assert_int_equal(observe(app_settings.observe, &s, 500, NULL, &facts, &req, &err),
			 NEXT_FAIL);
	assert_int_equal(err.code, E_REMOTE);
}

static void workflows_are_read_with_the_oldest_start_among_those_running(void **state)
{
	struct scene s;
	struct value *facts;
	struct http_req req;
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	assert_int_equal(
		observe(app_workflow.observe, &s, 200,
			"{'workflows':[{'name':'egress','status':'RUNNING','backlog':7,'pending_edits':true,"
			"'scheduled_replay':false,'started_at':'2026-11-23T09:00:00Z'},"
			"{'name':'ingress','status':'RUNNING','backlog':null,'started_at':'2026-11-23T08:00:00Z'},"
			"{'name':'opt-in-out','status':'STOPPED','started_at':'2020-01-01T00:00:00Z'},"
			"{'name':'later','status':'DREAMING'}]}",
			&facts, &req, &err),
		NEXT_DONE);
	assert_string_equal(req.path, "/v1/apps/shop/workflows");
	assert_string_equal(value_text(value_get(facts, "opt-in-out")), "STOPPED");
	assert_null(value_get(facts, "ingress_backlog"));
	assert_int_equal(value_int_or(value_get(facts, "egress_backlog"), 0), 7);
	assert_true(value_bool_or(value_get(facts, "pending_edits"), false));
	assert_false(value_bool_or(value_get(facts, "scheduled_replay"), true));
	assert_int_equal(value_int_or(value_get(facts, "started_at"), 0), T0 - 2 * WHEN_HOUR);
	/* One start that is not told leaves the oldest unknown. */
	assert_int_equal(
		observe(app_workflow.observe, &s, 200,
			"{'workflows':[{'name':'egress','status':'RUNNING','started_at':null},"
			"{'name':'ingress','status':'RUNNING','started_at':'2026-11-23T08:00:00Z'}]}",
			&facts, &req, &err),
		NEXT_DONE);
	assert_int_equal(value_int_or(value_get(facts, "started_at"), -1), 0);
}

static void workflows_of_an_odd_shape_are_refused(void **state)
{
	static const char *const odd[] = {
		"{}",
		"{'workflows':{}}",
		"{'workflows':[]}",
		"{'workflows':['ingress']}",
		"{'workflows':[{'name':'ingress'}]}",
		"{'workflows':[{'name':'ingress','status':'STOPPING'}]}",
		"{'workflows':[{'name':'ingress','status':'RUNNING'},{'name':'ingress','status':'STOPPED'}]}",
		"{'workflows':[{'name':'ingress','status':'RUNNING','backlog':'many'}]}",
		"{'workflows':[{'name':'other','status':'RUNNING'}]}",
	};
	struct scene s;
	struct value *facts;
	struct http_req req;
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		assert_int_equal(observe(app_workflow.observe, &s, 200, odd[i], &facts, &req, &err),
				 NEXT_FAIL);
		assert_int_equal(err.code, E_REMOTE);
	}
}

/* --- diffs, after a console that may plan a finalize --- */

static bool console_finalizes;
static const struct change_type finalize = { .name = "finalize",
					     .doc = "",
					     .phase = PHASE_CONTRACT };
static const struct change_type *const console_changes[] = { &finalize, NULL };

static int console_diff(const struct view *v, struct changes *c, struct err *err)
{
	(void)v, (void)err;
	if (console_finalizes)
		changes_add(c, &finalize, NULL, NULL, "started");
	return 0;
}

static const struct thing_type console_thing = {
	.name = "console.migration",
	.doc = "",
	.conn = "console",
	.diff = console_diff,
	.changes = console_changes,
};
static const struct thing_type *const console_things[] = { &console_thing, NULL };
static const struct provider console = { .name = "console", .doc = "", .things = console_things };
static const struct provider *const providers[] = { &console, &integration_app_provider, NULL };
static const struct registry registry = { providers };

/* "switch(jwt-only) restart(jwt-only) stable; warn none-runs; attest app.settings" */
static const char *diff(const struct scene *s)
{
	static const char *const kinds[] = { "note", "warn", "leave", "refuse" };
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);
	struct changes c;
	struct err err = ERR_INIT;

	assert_int_equal(changes_collect(&c, &registry, &mem, &s->view, &err), 0);
	for (size_t i = 0; i < c.count; i++)
		if (c.list[i].type != &finalize)
			sb_addf(&out, "%s%s(%s)", out.len ? " " : "", c.list[i].type->name,
				c.list[i].reason);
	for (size_t i = 0; i < c.finding_count; i++)
		sb_addf(&out, "%s%s %s", out.len ? "; " : "", kinds[c.findings[i].kind],
			c.findings[i].rule);
	for (size_t i = 0; i < c.attest_count; i++)
		sb_addf(&out, "%sattest %s%s", out.len ? "; " : "", c.attests[i].thing->name,
			c.attests[i].step ? "" : " now");
	return arena_strdup(&mem, out.buf);
}

static void migration(struct scene *s, const char *state)
{
	see(s, "console.migration", KNOWN_API, arena_printf(&mem, "{'state':'%s'}", state));
	see(s, "console.client", KNOWN_API,
	    "{'client_id':'c1','technical_account_id':'T@techacct.adobe.com'}");
	console_finalizes = strcmp(state, "jwt-only") == 0 || strcmp(state, "started") == 0;
}

#define APP(auth, client)                                                                          \
	"{'auth_type':'" auth "','client_id':'" client "','pending_edits':false,'saved_at':1000}"
#define WF(in, eg, opt, more)                                                                      \
	"{'ingress':'" in "','egress':'" eg "','opt-in-out':'" opt                                 \
	"','pending_edits':false,'scheduled_replay':false,"                                        \
	"'started_at':2000" more "}"
#define WF_FINE WF("RUNNING", "RUNNING", "STOPPED", "")

static void jwt_only_gets_the_whole_plan_whatever_is_known_of_the_app(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	migration(&s, "jwt-only");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	assert_string_equal(diff(&s), "switch(jwt-only) restart(jwt-only) stable(prove)");
	see(&s, "app.settings", KNOWN_DENIED, NULL);
	see(&s, "app.workflow", KNOWN_DENIED, NULL);
	assert_string_equal(
		diff(&s), "switch(jwt-only) restart(jwt-only) stable(prove); attest app.workflow");
	/* An app ahead of the console is somebody else's half-done work. */
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c1"));
	assert_string_equal(
		diff(&s), "restart(jwt-only) stable(prove); refuse app-ahead; attest app.workflow");
	see(&s, "app.settings", KNOWN_ATTESTED, "{'auth_type':'oauth'}");
	assert_string_equal(
		diff(&s), "restart(jwt-only) stable(prove); refuse app-ahead; attest app.workflow");
}

static void started_on_jwt_goes_on_from_the_switch(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "{'instance':'shop','stopped_is_meant':true}");
	migration(&s, "started");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	assert_string_equal(diff(&s), "switch(app-on-jwt) restart(settings-change) stable(prove)");
	/* Choosing Oauth blanks the client id; saved like that nothing can mint. */
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", ""));
	assert_string_equal(diff(&s),
			    "switch(client-id-blank) restart(settings-change) stable(prove)");
}

static void without_a_journal_what_is_stopped_has_to_be_explained(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	migration(&s, "started");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	assert_non_null(strstr(diff(&s), "warn no-journal; attest app.workflow now"));
	/* Who has told how they stand would have to tell it all again. */
	see(&s, "app.workflow", KNOWN_ATTESTED,
	    "{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'STOPPED'}");
	assert_non_null(strstr(diff(&s), "refuse no-journal"));
	/* A person's word: meant to be stopped, or not. */
	see(&s, "app.workflow", KNOWN_BRIDGE,
	    WF("RUNNING", "RUNNING", "STOPPED", ",'stopped_is_meant':true"));
	assert_string_equal(diff(&s), "switch(app-on-jwt) restart(settings-change) stable(prove)");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c1"));
	assert_string_equal(diff(&s), "stable(prove)");
	see(&s, "app.workflow", KNOWN_BRIDGE,
	    WF("RUNNING", "RUNNING", "STOPPED", ",'stopped_is_meant':false"));
	assert_string_equal(diff(&s), "restart(wanted-running) stable(prove)");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c1"));
	/* Given up in the middle of a restart: whatever was noted before it, what is STOPPED now needs a word. */
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	s.view.marks = json("{'app.settings/switch.at':1,'app.workflow/restart.left_open':'t'}");
	assert_non_null(strstr(diff(&s), "warn restart-left-open; attest app.workflow now"));
	s.view.marks = NULL;
	see(&s, "app.workflow", KNOWN_BRIDGE, WF("RUNNING", "RUNNING", "RUNNING", ""));
	assert_null(strstr(diff(&s), "no-journal"));
	/* A journal of ours: what ran before is known. */
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	s.view.marks = json("{'console.migration/start.at':1}");
	assert_null(strstr(diff(&s), "no-journal"));
	s.view.marks = NULL;
	scene_init(&s, "{'instance':'shop','workflows':'running'}");
	migration(&s, "started");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	assert_null(strstr(diff(&s), "no-journal"));
}

static void started_on_oauth_restarts_only_when_no_restart_after_the_save_is_shown(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "{'instance':'shop','stopped_is_meant':true}");
	migration(&s, "started");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	assert_string_equal(diff(&s), "stable(prove)");
	see(&s, "app.settings", KNOWN_BRIDGE,
	    "{'auth_type':'oauth','client_id':'c1','saved_at':2000}");
	assert_string_equal(diff(&s), "restart(restart-not-shown) stable(prove)");
	mark(&s, "{'restart.at':2001}");
	assert_string_equal(diff(&s), "stable(prove)");
	mark(&s, "{'restart.at':2000}");
	assert_string_equal(diff(&s), "restart(restart-not-shown) stable(prove)");
	/* By hand: what was attested stands for both times. */
	see(&s, "app.settings", KNOWN_ATTESTED, "{'auth_type':'oauth','client_id':'c1'}");
	see(&s, "app.workflow", KNOWN_ATTESTED,
	    "{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'STOPPED'}");
	assert_string_equal(diff(&s), "restart(restart-not-shown) stable(prove)");
	mark(&s, "{'app.settings/switch.at':3000,'app.workflow/restart.at':4000}");
	assert_string_equal(diff(&s), "stable(prove)");
	see(&s, "app.settings", KNOWN_BRIDGE,
	    "{'auth_type':'oauth','client_id':'c1','saved_at':1000,'pending_edits':true}");
	assert_string_equal(diff(&s), "restart(settings-pending) stable(prove)");
}

static void unknown_app_facts_are_to_be_attested_before_anything_else(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	migration(&s, "started");
	assert_string_equal(diff(&s), "attest app.settings now; attest app.workflow now");
	migration(&s, "converted");
	see(&s, "app.settings", KNOWN_ATTESTED, "{'auth_type':'oauth'}");
	see(&s, "app.workflow", KNOWN_ATTESTED, "{'ingress':'RUNNING','egress':'RUNNING'}");
	assert_string_equal(diff(&s), "attest app.settings now; attest app.workflow now");
	see(&s, "app.settings", KNOWN_ATTESTED, "{'auth_type':'jwt','client_id':''}");
	see(&s, "app.workflow", KNOWN_ATTESTED,
	    "{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'STOPPED'}");
	assert_string_equal(
		diff(&s),
		"switch(outage) restart(settings-change) stable(prove); warn outage; warn no-journal");
	migration(&s, "never-jwt");
	see(&s, "app.settings", KNOWN_DENIED, NULL);
	see(&s, "app.workflow", KNOWN_DENIED, NULL);
	assert_string_equal(diff(&s), "attest app.settings now");
}

static void converted_on_jwt_is_an_outage_and_on_oauth_only_a_failed_workflow_is_restarted(
	void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	migration(&s, "converted");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF("FAILED", "FAILED", "STOPPED", ""));
	assert_string_equal(
		diff(&s),
		"switch(outage) restart(settings-change) stable(prove); warn outage; warn no-journal");
	for (int i = 0; i < 2; i++) {
		migration(&s, i ? "never-jwt" : "converted");
		see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c1"));
		see(&s, "app.workflow", KNOWN_BRIDGE, WF("FAILED", "RUNNING", "STOPPED", ""));
		assert_string_equal(diff(&s),
				    i ? "restart(workflow-failed) stable(prove)" :
					"restart(workflow-failed) stable(prove); warn no-journal");
		see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
		assert_string_equal(diff(&s), i ? "" : "warn no-journal");
		/* Saved after the last start, and nothing waits: converted apps are not restarted for a time alone. */
		see(&s, "app.settings", KNOWN_BRIDGE,
		    "{'auth_type':'oauth','client_id':'c1','saved_at':9000}");
		assert_string_equal(diff(&s), i ? "" : "warn no-journal");
	}
}

static void another_client_or_technical_account_is_refused_and_shown(void **state)
{
	struct scene s;
	struct changes c;
	struct err err = ERR_INIT;

	(void)state;
	scene_init(&s, "{'instance':'shop','stopped_is_meant':true}");
	migration(&s, "started");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c2"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	assert_int_equal(changes_collect(&c, &registry, &mem, &s.view, &err), 0);
	assert_int_equal(c.findings[0].kind, FIND_REFUSE);
	assert_non_null(strstr(c.findings[0].text, "'c2'"));
	assert_non_null(strstr(c.findings[0].text, "'c1'"));
	see(&s, "app.settings", KNOWN_BRIDGE,
	    "{'auth_type':'jwt','client_id':'c1','technical_account_id':'U@techacct.adobe.com'}");
	assert_non_null(strstr(diff(&s), "refuse client-mismatch"));
	see(&s, "app.settings", KNOWN_BRIDGE,
	    "{'auth_type':'jwt','client_id':'c1','technical_account_id':''}");
	assert_null(strstr(diff(&s), "refuse"));
}

static void settings_of_another_instance_or_organization_are_warned_of(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	migration(&s, "never-jwt");
	see(&s, "console.project", KNOWN_API, "{'ims_org':'O@AdobeOrg'}");
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	see(&s, "app.settings", KNOWN_BRIDGE,
	    "{'auth_type':'oauth','client_id':'c1','url':'https://mc.adobe.io/Shop','organization_id':'O@AdobeOrg'}");
	assert_string_equal(diff(&s), "");
	see(&s, "app.settings", KNOWN_BRIDGE,
	    "{'auth_type':'oauth','client_id':'c1','url':'https://mc.adobe.io/shop-mkt-stage','organization_id':'P@AdobeOrg'}");
	assert_string_equal(diff(&s), "warn organization-mismatch; warn instance-mismatch");
}

static void what_waits_for_a_restart_must_be_allowed(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	migration(&s, "started");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, "{'ingress':'RUNNING','scheduled_replay':true}");
	assert_non_null(strstr(diff(&s), "refuse pending-edits"));
	see(&s, "app.workflow", KNOWN_BRIDGE, "{'ingress':'RUNNING','pending_edits':true}");
	assert_non_null(strstr(diff(&s), "refuse pending-edits"));
	/* The save of the settings themselves shows as pending edits too. */
	see(&s, "app.settings", KNOWN_BRIDGE,
	    "{'auth_type':'oauth','client_id':'c1','saved_at':9,'pending_edits':true}");
	assert_string_equal(diff(&s), "restart(settings-pending) stable(prove)");
	scene_init(&s, "{'instance':'shop','apply_pending':true}");
	migration(&s, "started");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE,
	    "{'ingress':'RUNNING','scheduled_replay':true,'pending_edits':true}");
	assert_string_equal(
		diff(&s),
		"switch(app-on-jwt) restart(settings-change) stable(prove); warn pending-edits");
	/* Without a restart nothing is applied, so nothing is said. */
	migration(&s, "converted");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c1"));
	assert_string_equal(diff(&s), "");
}

static void wanted_workflows_decide_what_is_restarted_and_proved(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "{'instance':'shop','workflows':'running'}");
	migration(&s, "converted");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	assert_string_equal(diff(&s), "restart(wanted-running) stable(prove)");
	scene_init(&s, "{'instance':'shop','workflows':'stopped'}");
	migration(&s, "converted");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	assert_string_equal(diff(&s), "restart(wanted-stopped); warn wanted-stopped");
	see(&s, "app.workflow", KNOWN_BRIDGE, WF("STOPPED", "STOPPED", "STOPPED", ""));
	assert_string_equal(diff(&s), "");
	scene_init(&s, "{'instance':'shop','workflows':'keep'}");
	migration(&s, "jwt-only");
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF("STOPPED", "STOPPED", "STOPPED", ""));
	assert_string_equal(diff(&s),
			    "switch(jwt-only) restart(jwt-only) stable(prove); warn none-runs");
}

static void a_state_that_is_unknown_or_in_conflict_is_the_consoles_business(void **state)
{
	struct scene s;

	(void)state;
	console_finalizes = false;
	scene_init(&s, "{'instance':'shop'}");
	assert_string_equal(diff(&s), "");
	migration(&s, "conflict");
	assert_string_equal(diff(&s), "");
}

/* --- the switch --- */

static enum next do_switch(const struct scene *s, int status, const char *body,
			   struct http_req *req, struct err *err)
{
	struct call c = { .arena = &mem, .view = &s->view };
	struct http_resp resp = { .status = status, .body = body ? json(body) : NULL };

	*err = (struct err)ERR_INIT;
	assert_int_equal(app_switch.apply_bridge(&c, NULL, req, err), NEXT_SEND);
	return app_switch.apply_bridge(&c, &resp, &(struct http_req){ 0 }, err);
}

static void the_switch_puts_a_reference_where_the_secret_goes_and_checks_the_answer(void **state)
{
	struct scene s;
	struct http_req req;
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	migration(&s, "started");
	assert_int_equal(do_switch(&s, 200, SETTINGS("oauth", "'c1'", "true", "null"), &req, &err),
			 NEXT_DONE);
	assert_string_equal(req.method, "PUT");
	assert_string_equal(req.path, "/v1/apps/shop/settings");
	assert_true(value_equal(
		req.body,
		json("{'auth_type':'oauth','client_id':'c1','client_secret':{'$secret_ref':'env:SECRET'}}")));
	assert_int_equal(do_switch(&s, 200, SETTINGS("jwt", "'c1'", "true", "null"), &req, &err),
			 NEXT_FAIL);
	assert_int_equal(do_switch(&s, 200, SETTINGS("oauth", "'c2'", "true", "null"), &req, &err),
			 NEXT_FAIL);
	assert_non_null(strstr(err.msg, "'c2'"));
	assert_int_equal(do_switch(&s, 200, "{}", &req, &err), NEXT_FAIL);
	assert_int_equal(do_switch(&s, 409, "{'message':'busy'}", &req, &err), NEXT_FAIL);
	assert_non_null(strstr(err.msg, "busy"));
}

static void the_switch_is_settled_by_type_and_client_and_told_to_an_operator_without_the_secret(
	void **state)
{
	struct scene s;
	struct instruction in;
	struct err err = ERR_INIT;
	const struct value *effects;

	(void)state;
	scene_init(&s, "{'instance':'shop','page':'https://d365-acs-em.ea.adobe.com'}");
	migration(&s, "started");
	assert_int_equal(app_switch.settled(&s.view), SETTLED_UNKNOWN);
	see(&s, "app.settings", KNOWN_BRIDGE, APP("jwt", "c1"));
	assert_int_equal(app_switch.settled(&s.view), SETTLED_NO);
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c2"));
	assert_int_equal(app_switch.settled(&s.view), SETTLED_NO);
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c1"));
	assert_int_equal(app_switch.settled(&s.view), SETTLED_YES);
	assert_int_equal(app_switch.instruct(&s.view, &mem, &in, &err), 0);
	assert_string_equal(in.page, "https://d365-acs-em.ea.adobe.com (Settings)");
	assert_non_null(strstr(in.lines[3], "c1"));
	assert_non_null(strstr(in.lines[4], "env:SECRET"));
	effects = app_switch.effects(&s.view, &mem);
	assert_true(value_equal(effects,
				json("{'app.settings':{'auth_type':'oauth','client_id':'c1'}}")));
}

static void what_an_operator_switched_to_is_the_files_client_when_the_console_cannot_be_read(
	void **state)
{
	struct scene s;
	struct value *want;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	want = value_copy(&mem, s.view.want);
	value_set(&mem, want, "credential", json("{'client_id':'c1'}"));
	s.view.want = want;
	see(&s, "console.client", KNOWN_DENIED, NULL);
	assert_true(value_equal(app_switch.effects(&s.view, &mem),
				json("{'app.settings':{'auth_type':'oauth','client_id':'c1'}}")));
}

/* --- the restart, against a small bridge of the test's own --- */

struct bridge {
	const char *status[APP_WORKFLOWS];
	int64_t backlog;
	unsigned stop_looks,
		start_looks; /* looks until a request has its effect; UINT_MAX: never */
	unsigned left[APP_WORKFLOWS];
	const char *turns[APP_WORKFLOWS]; /* what it becomes */
	const char *start_to;             /* RUNNING normally */
	int post_status;                  /* instead of 202, once for each count */
	unsigned post_good, post_bad;     /* answered well first; then badly */
	bool lose;                        /* instead of answering them, they are lost */
	bool takes_bad;                   /* and yet they act */
	unsigned bad_looks;               /* GETs answered 503 */
	unsigned lost_looks;              /* GETs whose answer is lost */
	int64_t now_ms, started_ms;
	int64_t late_stop_ms; /* when a stop of the first arrives that was sent before; 0: never */
	struct sb log;
	/* the driver's */
	unsigned stop_after; /* a signal after that many requests; 0: never */
	unsigned requests;
};

static void bridge_init(struct bridge *b, const char *in, const char *eg, const char *opt)
{
	*b = (struct bridge){ .status = { in, eg, opt },
			      .backlog = 5,
			      .stop_looks = 1,
			      .start_looks = 1,
			      .start_to = "RUNNING",
			      .now_ms = T0,
			      .log = SB_INIT(65536) };
}

static const struct value *bridge_list(struct bridge *b)
{
	struct value *list = value_list(&mem), *body = value_map(&mem);

	if (b->late_stop_ms && b->now_ms >= b->late_stop_ms) {
		b->status[0] = "STOPPED";
		b->turns[0] = NULL;
		b->late_stop_ms = 0;
	}
	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		struct value *w;

		if (!b->status[i])
			continue;
		if (b->turns[i] && b->left[i] != UINT32_MAX && b->left[i]-- == 0) {
			b->status[i] = b->turns[i];
			b->turns[i] = NULL;
		}
		w = json("{'pending_edits':false,'scheduled_replay':false}");
		value_set(&mem, w, "name", value_string(&mem, app_workflows[i]));
		value_set(&mem, w, "status", value_string(&mem, b->status[i]));
		value_set(&mem, w, "backlog", value_int(&mem, b->backlog));
		value_set(&mem, w, "started_at",
			  strcmp(b->status[i], "RUNNING") == 0 ?
				  value_instant(&mem, b->started_ms) :
				  value_null(&mem));
		value_list_add(&mem, list, w);
	}
	value_set(&mem, body, "workflows", list);
	return body;
}

static void bridge_post(struct bridge *b, const char *path)
{
	bool start = strstr(path, "/start") != NULL;

	for (size_t i = 0; i < APP_WORKFLOWS; i++) {
		if (!strstr(path, arena_printf(&mem, "/%s/", app_workflows[i])))
			continue;
		b->turns[i] = start ? b->start_to : "STOPPED";
		b->left[i] = start ? b->start_looks : b->stop_looks;
		if (start && strcmp(b->status[i], "STOPPED") == 0)
			b->status[i] = "STARTING";
		if (start)
			b->started_ms = b->now_ms;
	}
}

/* False: the reply is lost. */
static bool bridge_answer(struct bridge *b, const struct http_req *req, struct http_resp *resp)
{
	b->now_ms += 100;
	*resp = (struct http_resp){ .status = 200,
				    .date_ms = b->now_ms / 1000 * 1000,
				    .done_wall_ms = b->now_ms };
	b->requests++;
	if (strcmp(req->method, "GET") == 0) {
		sb_addc(&b->log, '?');
		if (b->lost_looks > 0) {
			b->lost_looks--;
			return false;
		}
		if (b->bad_looks > 0) {
			b->bad_looks--;
			resp->status = 503;
			return true;
		}
		resp->body = bridge_list(b);
		return true;
	}
	assert_string_equal(req->method, "POST");
	assert_int_equal(req->body_kind, BODY_NONE);
	sb_addf(&b->log, " %s", strrchr(req->path, '/') + 1);
	sb_addc(&b->log, ':');
	sb_addc(&b->log, strstr(req->path, "/ingress/") ? 'i' :
			 strstr(req->path, "/egress/")  ? 'e' :
							  'o');
	if (b->post_good > 0) {
		b->post_good--;
	} else if (b->post_bad > 0) {
		b->post_bad--;
		resp->status = b->post_status;
		resp->body = json("{'message':'not now'}");
		if (b->takes_bad)
			bridge_post(b, req->path);
		return !b->lose;
	}
	resp->status = 202;
	resp->body = json("{}");
	bridge_post(b, req->path);
	return true;
}

/* Drives the call to its end. */
static enum next restart(struct scene *s, struct bridge *b, struct call *c, struct err *err)
{
	struct http_resp resp;
	const struct http_resp *last = NULL;
	struct http_req req;

	*err = (struct err)ERR_INIT;
	c->arena = &mem;
	c->view = &s->view;
	for (unsigned steps = 0; steps < 5000; steps++) {
		enum next next;

		c->stopping = b->stop_after && b->requests >= b->stop_after;
		req = (struct http_req){ 0 };
		next = app_restart.apply_bridge(c, last, &req, err);
		last = NULL;
		if (next == NEXT_WAIT) {
			assert_true(c->wait_ms > 0 && c->wait_ms <= 10 * WHEN_SECOND);
			b->now_ms += c->wait_ms;
		} else if (next == NEXT_SEND) {
			last = bridge_answer(b, &req, &resp) ? &resp : NULL;
		} else {
			return next;
		}
	}
	fail_msg("no end: %s", b->log.buf);
	return NEXT_FAIL;
}

static void keep_restarts_what_runs_and_leaves_the_rest_alone(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = { .stage = 0 };
	struct err err;
	int64_t at;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "RUNNING", "FAILED", "STOPPED");
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_string_equal(b.log.buf, "? stop:i stop:e?? start:i start:e??");
	assert_string_equal(b.status[0], "RUNNING");
	assert_string_equal(b.status[1], "RUNNING");
	assert_string_equal(b.status[2], "STOPPED");
	assert_true(value_equal(
		value_get(c.marks, "restart.before"),
		json("{'ingress':'RUNNING','egress':'FAILED','opt-in-out':'STOPPED'}")));
	assert_int_equal(value_int_or(value_path(value_get(c.marks, "restart.backlog"), "ingress"),
				      0),
			 5);
	at = value_int_or(value_get(c.marks, "restart.at"), 0);
	assert_true(at > T0 && at % 1000 == 0);
	assert_true(b.started_ms >= at + 61 * WHEN_SECOND);
	assert_null(value_get(c.marks, "restart.interrupted"));
	sb_done(&b.log);
}

static void running_starts_all_and_stopped_leaves_all_stopped(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = { .stage = 0 };
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop','workflows':'running'}");
	bridge_init(&b, "RUNNING", "STOPPED", NULL);
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_string_equal(b.log.buf, "? stop:i?? start:i start:e??");
	sb_done(&b.log);

	c = (struct call){ .stage = 0 };
	scene_init(&s, "{'instance':'shop','workflows':'stopped'}");
	bridge_init(&b, "RUNNING", "FAILED", "STOPPED");
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_string_equal(b.log.buf, "? stop:i stop:e??");
	assert_true(value_int_or(value_get(c.marks, "restart.at"), 0) > T0);
	sb_done(&b.log);

	c = (struct call){ .stage = 0 };
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "STOPPED", "STOPPED", "STOPPED");
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_string_equal(b.log.buf, "?");
	assert_int_equal(value_int_or(value_get(c.marks, "restart.at"), 0), T0);
	sb_done(&b.log);
}

static size_t times(const char *text, const char *word)
{
	size_t n = 0;

	while ((text = strstr(text, word)) != NULL) {
		text += strlen(word);
		n++;
	}
	return n;
}

static void a_stop_that_a_killed_attempt_sent_may_arrive_after_the_start(void **state)
{
	/* Beside the restart's own stop; while it starts; while it runs; nearly too late. */
	static const int64_t at[] = { T0 + WHEN_SECOND, T0 + WHEN_MINUTE, T0 + 3 * WHEN_MINUTE,
				      T0 + 14 * WHEN_MINUTE };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		struct scene s;
		struct bridge b;
		struct call c = { .unanswered_ms = T0 - WHEN_MINUTE };
		struct err err;

		scene_init(&s, "{'instance':'shop'}");
		bridge_init(&b, "RUNNING", "RUNNING", "STOPPED");
		b.late_stop_ms = at[i];
		if (restart(&s, &b, &c, &err) != NEXT_DONE)
			fail_msg("late stop at %lld: %s; %s", (long long)(at[i] - T0), err.msg,
				 b.log.buf);
		assert_string_equal(b.status[0], "RUNNING");
		assert_string_equal(b.status[1], "RUNNING");
		assert_string_equal(b.status[2], "STOPPED");
		assert_int_equal(times(b.log.buf, "start:i"), i == 0 ? 1 : 2);
		assert_int_equal(times(b.log.buf, "start:e"), 1);
		assert_true(b.now_ms >= T0 + 15 * WHEN_MINUTE);
		sb_done(&b.log);
	}
}

static void what_a_kill_of_long_ago_sent_is_not_waited_for_nor_when_a_signal_comes(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = { .unanswered_ms = T0 - WHEN_HOUR };
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "RUNNING", "RUNNING", "STOPPED");
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_string_equal(b.log.buf, "? stop:i stop:e?? start:i start:e??");
	sb_done(&b.log);

	/* A signal while it watches: all runs, so it is done. */
	c = (struct call){ .unanswered_ms = T0 - WHEN_MINUTE };
	bridge_init(&b, "RUNNING", "RUNNING", "STOPPED");
	b.stop_after = 20;
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_true(b.now_ms < T0 + 10 * WHEN_MINUTE);
	sb_done(&b.log);
}

static void after_a_kill_in_between_what_was_stopped_is_started(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = {
		.before = json(
			"{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'STOPPED','ingress_backlog':77}")
	};
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "STOPPED", "RUNNING", "STOPPED");
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_string_equal(b.log.buf, "? stop:e?? start:i start:e??");
	assert_string_equal(value_text(value_path(value_get(c.marks, "restart.before"), "ingress")),
			    "RUNNING");
	assert_int_equal(value_int_or(value_path(value_get(c.marks, "restart.backlog"), "ingress"),
				      0),
			 77);
	sb_done(&b.log);

	/* All stopped already: only the margin and the starts are left. */
	c = (struct call){ .before = c.before };
	bridge_init(&b, "STOPPED", "STOPPED", "STOPPED");
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_string_equal(b.log.buf, "? start:i start:e??");
	assert_int_equal(value_int_or(value_get(c.marks, "restart.at"), 0), T0);
	sb_done(&b.log);

	/* Killed in another run, which the environment has left: this one found them stopped, and is told what ran. */
	c = (struct call){
		.before = json("{'ingress':'STOPPED','egress':'STOPPED','opt-in-out':'STOPPED'}")
	};
	mark(&s,
	     "{'restart.before':{'ingress':'RUNNING','egress':'STOPPED','opt-in-out':'STOPPED'}}");
	bridge_init(&b, "STOPPED", "STOPPED", "STOPPED");
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_string_equal(b.log.buf, "? start:i??");
	sb_done(&b.log);
}

/* Whether a killed program has left them stopped only that look can tell; one that never comes ends it all the same. */
static void a_first_look_that_is_lost_is_looked_again(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = { .before = json("{'ingress':'RUNNING','egress':'RUNNING'}") };
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "STOPPED", "STOPPED", "STOPPED");
	b.lost_looks = 3;
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_string_equal(b.log.buf, "???? start:i start:e??");
	assert_string_equal(b.status[0], "RUNNING");
	sb_done(&b.log);

	c = (struct call){ .before = c.before };
	bridge_init(&b, "STOPPED", "STOPPED", "STOPPED");
	b.lost_looks = UINT32_MAX;
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_FAIL);
	assert_int_equal(err.code, E_TRANSPORT);
	assert_true(b.now_ms > T0 + 3 * WHEN_MINUTE && b.now_ms < T0 + 4 * WHEN_MINUTE);
	sb_done(&b.log);
}

/* Killed in between, and then the bridge is not well: the look is taken again, for as long as anything is mended. */
static void a_first_look_that_fails_is_taken_again(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = {
		.before = json("{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'STOPPED'}")
	};
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "STOPPED", "STOPPED", "STOPPED");
	b.bad_looks = 4;
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_DONE);
	assert_string_equal(b.log.buf, "????? start:i start:e??");
	sb_done(&b.log);

	c = (struct call){ .before = c.before };
	bridge_init(&b, "STOPPED", "STOPPED", "STOPPED");
	b.bad_looks = 1000;
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_FAIL);
	assert_non_null(strstr(err.msg, "read workflows answered 503"));
	assert_true(b.now_ms - T0 > 3 * WHEN_MINUTE && b.now_ms - T0 < 4 * WHEN_MINUTE);
	sb_done(&b.log);
}

static void a_signal_at_any_request_leaves_everything_running(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 12; n++) {
		struct scene s;
		struct bridge b;
		struct call c = { .stage = 0 };
		struct err err;
		enum next end;

		scene_init(&s, "{'instance':'shop'}");
		bridge_init(&b, "RUNNING", "RUNNING", "STOPPED");
		b.stop_after = n;
		end = restart(&s, &b, &c, &err);
		assert_string_equal(b.status[2], "STOPPED");
		for (size_t i = 0; i < 2; i++)
			assert_true(strcmp(b.status[i], "RUNNING") == 0 ||
				    strcmp(b.status[i], "STARTING") == 0);
		if (end == NEXT_FAIL) {
			assert_int_equal(err.code, E_SIGNAL);
			assert_non_null(strstr(err.msg, "running: ingress"));
			assert_null(strstr(err.msg, "not running"));
			assert_null(value_get(c.marks, "restart.at"));
		}
		if (n <= 5) {
			assert_int_equal(end, NEXT_FAIL);
			assert_true(
				value_bool_or(value_get(c.marks, "restart.interrupted"), false));
		}
		if (n == 1) /* before anything was stopped, nothing is */
			assert_null(strstr(b.log.buf, "stop"));
		sb_done(&b.log);
	}
}

static void a_stop_that_never_comes_ends_with_everything_running_again(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = { .stage = 0 };
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "RUNNING", "STOPPED", "STOPPED");
	b.stop_looks = UINT32_MAX;
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_FAIL);
	assert_int_equal(err.code, E_REMOTE);
	assert_non_null(strstr(err.msg, "not all STOPPED within 15m"));
	assert_non_null(strstr(err.msg, "ingress is still stopping"));
	assert_true(b.now_ms - T0 > 15 * WHEN_MINUTE && b.now_ms - T0 < 20 * WHEN_MINUTE);
	sb_done(&b.log);
}

static void a_refused_stop_starts_again_what_was_stopped(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = { .stage = 0 };
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "RUNNING", "RUNNING", NULL);
	b.post_status = 403;
	b.post_bad = 1;
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_FAIL);
	assert_string_equal(b.log.buf, "? stop:i?");
	assert_int_equal(err.code, E_DENIED);
	assert_non_null(strstr(err.msg, "running: ingress RUNNING, egress RUNNING"));
	sb_done(&b.log);
}

static void passing_faults_and_lost_replies_are_looked_after_and_tried_again(void **state)
{
	static const struct {
		int status;
		bool lose, takes;
	} faults[] = { { 401, false, false }, { 409, false, false }, { 500, false, true },
		       { 503, false, false }, { 0, true, false },    { 0, true, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		for (unsigned n = 0; n < 12;
		     n++) { /* at each of the four requests, with effects at once and later */
			struct scene s;
			struct bridge b;
			struct call c = { .stage = 0 };
			struct err err;

			scene_init(&s, "{'instance':'shop'}");
			bridge_init(&b, "RUNNING", "STARTING", NULL);
			b.post_status = faults[i].status;
			b.lose = faults[i].lose;
			b.takes_bad = faults[i].takes;
			b.post_good = n % 4;
			b.post_bad = 1 + n % 3;
			b.stop_looks = b.start_looks = n / 4;
			if (restart(&s, &b, &c, &err) != NEXT_DONE)
				fail_msg("%zu: %s: %s", i, err.msg, b.log.buf);
			assert_string_equal(b.status[0], "RUNNING");
			assert_string_equal(b.status[1], "RUNNING");
			sb_done(&b.log);
		}
}

static void a_start_that_is_refused_again_and_again_is_named(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = { .before = json("{'ingress':'RUNNING'}") };
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "STOPPED", NULL, NULL);
	b.post_status = 500;
	b.post_bad = 1000;
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_FAIL);
	assert_non_null(strstr(err.msg, "not now"));
	assert_non_null(strstr(err.msg, "not running: ingress STOPPED"));
	assert_int_equal(1000 - b.post_bad, 10);
	sb_done(&b.log);
}

static void unreadable_looks_in_between_are_waited_for(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = { .stage = 0 };
	struct http_resp resp = { .status = 200, .date_ms = T0 };
	struct http_req req;
	struct err err = ERR_INIT;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "RUNNING", "RUNNING", NULL);
	c.arena = &mem;
	c.view = &s.view;
	assert_int_equal(app_restart.apply_bridge(&c, NULL, &req, &err), NEXT_SEND);
	resp.body = bridge_list(&b);
	assert_int_equal(app_restart.apply_bridge(&c, &resp, &req, &err), NEXT_SEND);
	assert_int_equal(app_restart.apply_bridge(&c, &(struct http_resp){ .status = 202 }, &req,
						  &err),
			 NEXT_SEND);
	assert_int_equal(app_restart.apply_bridge(&c, &(struct http_resp){ .status = 200 }, &req,
						  &err),
			 NEXT_WAIT);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(app_restart.apply_bridge(&c, NULL, &req, &err), NEXT_SEND);
		assert_int_equal(req.flags, REQ_ANY_STATUS);
		assert_int_equal(app_restart.apply_bridge(&c, &(struct http_resp){ .status = 503 },
							  &req, &err),
				 NEXT_WAIT);
	}
	bridge_post(&b, "/ingress/stop");
	bridge_post(&b, "/egress/stop");
	b.left[0] = b.left[1] = 0;
	resp.body = bridge_list(&b);
	resp.date_ms = T0 + 9000;
	assert_int_equal(app_restart.apply_bridge(&c, NULL, &req, &err), NEXT_SEND);
	assert_int_equal(app_restart.apply_bridge(&c, &resp, &req, &err), NEXT_WAIT);
	sb_done(&b.log);
}

static void a_workflow_that_fails_after_the_start_is_named_with_what_to_look_at(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = { .stage = 0 };
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "RUNNING", "STOPPED", "STOPPED");
	b.start_to = "FAILED";
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_FAIL);
	assert_int_equal(err.code, E_REMOTE);
	assert_non_null(strstr(err.msg, "'ingress' FAILED after the restart"));
	assert_non_null(strstr(err.hint, "client secret"));
	sb_done(&b.log);

	c = (struct call){ .stage = 0 };
	bridge_init(&b, "RUNNING", "STOPPED", "STOPPED");
	b.start_looks = UINT32_MAX;
	assert_int_equal(restart(&s, &b, &c, &err), NEXT_FAIL);
	assert_non_null(strstr(err.msg, "not all RUNNING within 30 minutes"));
	sb_done(&b.log);
}

static void a_running_from_before_the_stop_is_an_old_answer(void **state)
{
	struct scene s;
	struct bridge b;
	struct call c = { .before = json("{'ingress':'RUNNING'}") };
	struct err err;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	bridge_init(&b, "STOPPED", NULL, NULL);
	b.start_looks = UINT32_MAX; /* stays STARTING */
	c.arena = &mem;
	c.view = &s.view;
	b.stop_after = 0;
	/* A stale RUNNING whose start is a day old is not taken for the new one. */
	{
		struct http_resp old = {
			.status = 200,
			.date_ms = T0 + 70000,
			.body = json(
				"{'workflows':[{'name':'ingress','status':'RUNNING','started_at':'2026-11-22T10:00:00Z'}]}")
		};
		struct http_resp first = { .status = 200, .date_ms = T0, .body = bridge_list(&b) };
		struct http_req req;
		int waits = 0;

		err = (struct err)ERR_INIT;
		assert_int_equal(app_restart.apply_bridge(&c, NULL, &req, &err), NEXT_SEND);
		assert_int_equal(app_restart.apply_bridge(&c, &first, &req, &err), NEXT_WAIT);
		while (app_restart.apply_bridge(&c, NULL, &req, &err) == NEXT_WAIT)
			waits++;
		assert_int_equal(waits, 6); /* 61 s in pieces of 10 s, the first one above */
		assert_int_equal(app_restart.apply_bridge(&c, &(struct http_resp){ .status = 202 },
							  &req, &err),
				 NEXT_WAIT);
		assert_int_equal(app_restart.apply_bridge(&c, NULL, &req, &err), NEXT_SEND);
		assert_int_equal(app_restart.apply_bridge(&c, &old, &req, &err), NEXT_WAIT);
		old.body = json(
			"{'workflows':[{'name':'ingress','status':'RUNNING','started_at':'2026-11-23T10:01:05Z'}]}");
		assert_int_equal(app_restart.apply_bridge(&c, NULL, &req, &err), NEXT_SEND);
		assert_int_equal(app_restart.apply_bridge(&c, &old, &req, &err), NEXT_DONE);
	}
	sb_done(&b.log);
}

static void a_restart_is_settled_only_by_a_noted_time_and_newer_starts(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	assert_int_equal(app_restart.settled(&s.view), SETTLED_UNKNOWN);
	see(&s, "app.workflow", KNOWN_ATTESTED, WF_FINE);
	assert_int_equal(app_restart.settled(&s.view), SETTLED_UNKNOWN);
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF_FINE);
	assert_int_equal(app_restart.settled(&s.view), SETTLED_NO);
	mark(&s,
	     "{'restart.at':1500,'restart.before':{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'STOPPED'}}");
	assert_int_equal(app_restart.settled(&s.view), SETTLED_YES);
	see(&s, "app.settings", KNOWN_BRIDGE, "{'auth_type':'oauth','saved_at':2000}");
	assert_int_equal(app_restart.settled(&s.view), SETTLED_NO);
	see(&s, "app.settings", KNOWN_BRIDGE,
	    "{'auth_type':'oauth','saved_at':1000,'pending_edits':true}");
	assert_int_equal(app_restart.settled(&s.view), SETTLED_NO);
	see(&s, "app.settings", KNOWN_BRIDGE, APP("oauth", "c1"));
	see(&s, "app.workflow", KNOWN_BRIDGE, WF("RUNNING", "STARTING", "STOPPED", ""));
	assert_int_equal(app_restart.settled(&s.view), SETTLED_NO);
	see(&s, "app.workflow", KNOWN_BRIDGE,
	    "{'ingress':'RUNNING','egress':'RUNNING','started_at':0}");
	assert_int_equal(app_restart.settled(&s.view), SETTLED_UNKNOWN);
}

static void the_operator_is_told_what_to_stop_and_what_to_note(void **state)
{
	struct scene s;
	struct instruction in;
	struct err err = ERR_INIT;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	assert_int_equal(app_restart.instruct(&s.view, &mem, &in, &err), 0);
	assert_non_null(strstr(in.lines[1], "Write down"));
	assert_non_null(strstr(in.ack_args, "--at TIME --fact ingress=STATUS"));
	see(&s, "app.workflow", KNOWN_ATTESTED, WF_FINE);
	assert_int_equal(app_restart.instruct(&s.view, &mem, &in, &err), 0);
	assert_non_null(strstr(in.lines[3], "'Microsoft Dynamics 365 to Campaign' (ingress)"));
	assert_null(strstr(in.lines[3], "Opt-In/Out"));
	assert_int_equal(app_stable.instruct(&s.view, &mem, &in, &err), 0);
	assert_non_null(strstr(in.ack_args, "--fact ingress=STATUS"));
}

/* --- gates --- */

struct rounds {
	struct observation seen[8];
	struct sample samples[8];
	size_t count;
};

static void sampled(struct rounds *r, int64_t at, enum known known, const char *facts)
{
	struct observation *o = &r->seen[r->count];

	*o = (struct observation){ .thing = "app.workflow",
				   .known = known,
				   .facts = facts ? json(facts) : NULL,
				   .why = facts ? NULL : "nothing there",
				   .server_ms = known == KNOWN_BRIDGE ? at : 0 };
	r->samples[r->count++] = (struct sample){ .now_ms = at, .seen = o, .count = 1 };
}

static struct says ask(const struct gate_type *g, struct scene *s, const struct rounds *r,
		       const char *limits)
{
	struct says says = { .verdict = VERDICT_INCONCLUSIVE, .arena = &mem };
	struct gate_view gv = { .view = &s->view,
				.limits = json(limits),
				.samples = r->samples,
				.sample_count = r->count,
				.opened_ms = r->samples[0].now_ms };

	s->view.now_ms = r->samples[r->count - 1].now_ms;
	g->judge(&gv, &says);
	return says;
}

#define UP "{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'STOPPED'}"
#define SOAK "{'soak':600000}"
#define BEFORE ",'restart.before':{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'STOPPED'}}"

static void stable_passes_at_the_end_of_the_soak_and_not_earlier(void **state)
{
	struct scene s;
	struct rounds r = { .count = 0 };
	struct says says;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	mark(&s, "{'restart.at':1000" BEFORE);
	sampled(&r, 500, KNOWN_BRIDGE, UP); /* before the restart: does not count */
	sampled(&r, 2000, KNOWN_BRIDGE, UP);
	says = ask(&app_workflows_stable, &s, &r, SOAK);
	assert_int_equal(says.verdict, VERDICT_WAIT);
	assert_int_equal(says.until_ms, 602000);
	sampled(&r, 601999, KNOWN_BRIDGE, UP);
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_WAIT);
	sampled(&r, 601999, KNOWN_FAILED, NULL); /* neither counts nor breaks the row */
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_WAIT);
	sampled(&r, 602000, KNOWN_BRIDGE, UP);
	says = ask(&app_workflows_stable, &s, &r, SOAK);
	assert_int_equal(says.verdict, VERDICT_PASS);
	assert_string_equal(says.saw, "ingress RUNNING, egress RUNNING, opt-in-out STOPPED");
	assert_int_equal(app_workflows_stable.earliest(json(SOAK)), 600000);
}

static void stable_starts_the_soak_anew_after_a_break_and_tells_failed_from_stopped(void **state)
{
	struct scene s;
	struct rounds r = { .count = 0 };

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	mark(&s, "{'restart.at':1000" BEFORE);
	sampled(&r, 2000, KNOWN_BRIDGE, UP);
	sampled(&r, 300000, KNOWN_BRIDGE,
		"{'ingress':'STARTING','egress':'RUNNING','opt-in-out':'STOPPED'}");
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_WAIT);
	sampled(&r, 700000, KNOWN_BRIDGE, UP);
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).until_ms, 1300000);
	sampled(&r, 800000, KNOWN_BRIDGE,
		"{'ingress':'STOPPED','egress':'RUNNING','opt-in-out':'STOPPED'}");
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_WAIT);
	sampled(&r, 900000, KNOWN_BRIDGE,
		"{'ingress':'STOPPED','egress':'RUNNING','opt-in-out':'STOPPED'}");
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_FAIL);
	sampled(&r, 950000, KNOWN_BRIDGE,
		"{'ingress':'FAILED','egress':'RUNNING','opt-in-out':'STOPPED'}");
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_FAIL);
	/* One that is not meant to run may fail as it likes. */
	sampled(&r, 960000, KNOWN_BRIDGE,
		"{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'FAILED'}");
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_WAIT);
}

static void stable_asks_a_person_only_after_the_soak_and_believes_only_a_later_look(void **state)
{
	struct scene s;
	struct rounds r = { .count = 0 };
	struct says says;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	mark(&s, "{'app.workflow/restart.at':1000}");
	sampled(&r, 2000, KNOWN_DENIED, NULL);
	says = ask(&app_workflows_stable, &s, &r, SOAK);
	assert_int_equal(says.verdict, VERDICT_WAIT);
	assert_false(says.ask);
	assert_int_equal(says.until_ms, 601000);
	sampled(&r, 601000, KNOWN_DENIED, NULL);
	says = ask(&app_workflows_stable, &s, &r, SOAK);
	assert_true(says.ask);
	assert_string_equal(says.ask_thing, "app.workflow");
	sampled(&r, 700000, KNOWN_ATTESTED, UP);
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_PASS);
	r.seen[2].facts = json("{'ingress':'FAILED','egress':'RUNNING','opt-in-out':'STOPPED'}");
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_FAIL);
	r.seen[2].facts = json("{'ingress':'STARTING','egress':'RUNNING','opt-in-out':'STOPPED'}");
	says = ask(&app_workflows_stable, &s, &r, SOAK);
	assert_int_equal(says.verdict, VERDICT_WAIT);
	assert_true(says.ask);

	/* There from the first sample on: it may be from before the restart. */
	r.count = 0;
	sampled(&r, 700000, KNOWN_ATTESTED, UP);
	says = ask(&app_workflows_stable, &s, &r, SOAK);
	assert_int_equal(says.verdict, VERDICT_WAIT);
	assert_true(says.ask);
	r.seen[0].local_ms = 600999;
	assert_true(ask(&app_workflows_stable, &s, &r, SOAK).ask);
	r.seen[0].local_ms = 601000;
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_PASS);
	/* What we did ourselves is no look. */
	r.count = 0;
	sampled(&r, 700000, KNOWN_JOURNAL, UP);
	assert_true(ask(&app_workflows_stable, &s, &r, SOAK).ask);
}

static void what_is_meant_to_run_comes_from_the_file_then_the_marks_then_the_first_sample(
	void **state)
{
	struct scene s;
	struct rounds r = { .count = 0 };

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	sampled(&r, 2000, KNOWN_BRIDGE, "{'ingress':'STOPPED','egress':'STOPPED'}");
	assert_int_equal(ask(&app_workflows_stable, &s, &r, SOAK).verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_INCONCLUSIVE);
	mark(&s, "{'restart.before':{'ingress':'STOPPED','egress':'STOPPED'}}");
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_PASS);
	mark(&s, "{'restart.before':{'ingress':'RUNNING','egress':'STOPPED'}}");
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_FAIL);
	scene_init(&s, "{'instance':'shop','workflows':'running'}");
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_FAIL);
	scene_init(&s, "{'instance':'shop','workflows':'stopped'}");
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_PASS);
	/* The first sample: what runs then must go on running; `running` asks only for what the instance has. */
	scene_init(&s, "{'instance':'shop'}");
	r.count = 0;
	sampled(&r, 2000, KNOWN_BRIDGE, "{'ingress':'RUNNING','egress':'STOPPED'}");
	sampled(&r, 3000, KNOWN_BRIDGE, "{'ingress':'STOPPED','egress':'STOPPED'}");
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_FAIL);
	scene_init(&s, "{'instance':'shop','workflows':'running'}");
	r.count = 0;
	sampled(&r, 2000, KNOWN_BRIDGE, "{'ingress':'RUNNING'}");
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_PASS);
}

static void running_never_passes_on_what_nobody_read(void **state)
{
	struct scene s;
	struct rounds r = { .count = 0 };
	struct says says;

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	mark(&s, "{'restart.at':1000" BEFORE);
	sampled(&r, 2000, KNOWN_BRIDGE, UP);
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_PASS);
	sampled(&r, 3000, KNOWN_FAILED, NULL);
	says = ask(&app_workflows_running, &s, &r, "{}");
	assert_int_equal(says.verdict, VERDICT_WAIT);
	assert_false(says.ask);
	sampled(&r, 4000, KNOWN_DENIED, NULL);
	says = ask(&app_workflows_running, &s, &r, "{}");
	assert_int_equal(says.verdict, VERDICT_WAIT);
	assert_true(says.ask);
	sampled(&r, 5000, KNOWN_ATTESTED, "{'ingress':'RUNNING','opt-in-out':'STOPPED'}");
	assert_true(ask(&app_workflows_running, &s, &r, "{}").ask);
	sampled(&r, 6000, KNOWN_ATTESTED, UP);
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_PASS);
	/* An hour later it is old; its time is that of the last sample without it. */
	sampled(&r, 4000 + WHEN_HOUR, KNOWN_ATTESTED, UP);
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_PASS);
	r.samples[r.count - 1].now_ms++;
	assert_true(ask(&app_workflows_running, &s, &r, "{}").ask);
	r.count = 0;
	sampled(&r, 2000, KNOWN_BRIDGE, "{'ingress':'STARTING','egress':'RUNNING'}");
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_WAIT);
	r.count = 0;
	sampled(&r, 2000, KNOWN_BRIDGE, "{'ingress':'FAILED','egress':'RUNNING'}");
	assert_int_equal(ask(&app_workflows_running, &s, &r, "{}").verdict, VERDICT_FAIL);
}

#define QUEUE(n) "{'ingress':'RUNNING','egress':'STOPPED','ingress_backlog':" n "}"
#define TOLERANCE "{'tolerance':100}"

static void backlog_passes_at_the_old_level_or_while_it_falls(void **state)
{
	struct scene s;
	struct rounds r = { .count = 0 };

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	mark(&s,
	     "{'restart.at':1000,'restart.before':{'ingress':'RUNNING','egress':'STOPPED'},'restart.backlog':{'ingress':50}}");
	sampled(&r, 2000, KNOWN_BRIDGE, QUEUE("151"));
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_WAIT);
	sampled(&r, 3000, KNOWN_BRIDGE, QUEUE("900"));
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_WAIT);
	sampled(&r, 4000, KNOWN_BRIDGE, QUEUE("899"));
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_WAIT);
	sampled(&r, 5000, KNOWN_BRIDGE, QUEUE("898"));
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_PASS);
	sampled(&r, 6000, KNOWN_BRIDGE, QUEUE("898"));
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_WAIT);
	sampled(&r, 7000, KNOWN_BRIDGE, QUEUE("150"));
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_PASS);
}

static void backlog_that_nobody_can_read_is_inconclusive(void **state)
{
	struct scene s;
	struct rounds r = { .count = 0 };

	(void)state;
	scene_init(&s, "{'instance':'shop'}");
	sampled(&r, 2000, KNOWN_DENIED, NULL);
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_INCONCLUSIVE);
	sampled(&r, 3000, KNOWN_FAILED, NULL);
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_WAIT);
	sampled(&r, 4000, KNOWN_ATTESTED,
		"{'ingress':'RUNNING','egress':'STOPPED','opt-in-out':'STOPPED'}");
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_INCONCLUSIVE);
	sampled(&r, 5000, KNOWN_ATTESTED, QUEUE("100"));
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_PASS);
	sampled(&r, 6000, KNOWN_ATTESTED, QUEUE("101"));
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_WAIT);
	/* Without a restart of ours the first look is the level, and a second one is needed. */
	r.count = 0;
	sampled(&r, 2000, KNOWN_BRIDGE, QUEUE("5000"));
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_WAIT);
	sampled(&r, 3000, KNOWN_BRIDGE, QUEUE("5100"));
	assert_int_equal(ask(&app_backlog, &s, &r, TOLERANCE).verdict, VERDICT_PASS);
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, forget)
	const struct CMUnitTest tests[] = {
		T(settings_are_read_with_blank_fields_as_empty_text),
		T(settings_of_an_odd_shape_are_refused),
		T(a_refusal_degrades_and_an_unknown_instance_says_what_to_look_at),
		T(workflows_are_read_with_the_oldest_start_among_those_running),
		T(workflows_of_an_odd_shape_are_refused),
		T(jwt_only_gets_the_whole_plan_whatever_is_known_of_the_app),
		T(started_on_jwt_goes_on_from_the_switch),
		T(without_a_journal_what_is_stopped_has_to_be_explained),
		T(started_on_oauth_restarts_only_when_no_restart_after_the_save_is_shown),
		T(unknown_app_facts_are_to_be_attested_before_anything_else),
		T(converted_on_jwt_is_an_outage_and_on_oauth_only_a_failed_workflow_is_restarted),
		T(another_client_or_technical_account_is_refused_and_shown),
		T(settings_of_another_instance_or_organization_are_warned_of),
		T(what_waits_for_a_restart_must_be_allowed),
		T(wanted_workflows_decide_what_is_restarted_and_proved),
		T(a_state_that_is_unknown_or_in_conflict_is_the_consoles_business),
		T(the_switch_puts_a_reference_where_the_secret_goes_and_checks_the_answer),
		T(the_switch_is_settled_by_type_and_client_and_told_to_an_operator_without_the_secret),
		cmocka_unit_test(a_stop_that_a_killed_attempt_sent_may_arrive_after_the_start),
		cmocka_unit_test(
			what_a_kill_of_long_ago_sent_is_not_waited_for_nor_when_a_signal_comes),
		cmocka_unit_test(
			what_an_operator_switched_to_is_the_files_client_when_the_console_cannot_be_read),
		T(keep_restarts_what_runs_and_leaves_the_rest_alone),
		T(running_starts_all_and_stopped_leaves_all_stopped),
		T(after_a_kill_in_between_what_was_stopped_is_started),
		T(a_first_look_that_fails_is_taken_again),
		T(a_first_look_that_is_lost_is_looked_again),
		T(a_signal_at_any_request_leaves_everything_running),
		T(a_stop_that_never_comes_ends_with_everything_running_again),
		T(a_refused_stop_starts_again_what_was_stopped),
		T(passing_faults_and_lost_replies_are_looked_after_and_tried_again),
		T(a_start_that_is_refused_again_and_again_is_named),
		T(unreadable_looks_in_between_are_waited_for),
		T(a_workflow_that_fails_after_the_start_is_named_with_what_to_look_at),
		T(a_running_from_before_the_stop_is_an_old_answer),
		T(a_restart_is_settled_only_by_a_noted_time_and_newer_starts),
		T(the_operator_is_told_what_to_stop_and_what_to_note),
		T(stable_passes_at_the_end_of_the_soak_and_not_earlier),
		T(stable_starts_the_soak_anew_after_a_break_and_tells_failed_from_stopped),
		T(stable_asks_a_person_only_after_the_soak_and_believes_only_a_later_look),
		T(what_is_meant_to_run_comes_from_the_file_then_the_marks_then_the_first_sample),
		T(running_never_passes_on_what_nobody_read),
		T(backlog_passes_at_the_old_level_or_while_it_falls),
		T(backlog_that_nobody_can_read_is_inconclusive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
