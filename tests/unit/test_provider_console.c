/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console and IMS providers as data in, data out: answers are written by hand after the public documentation named in
 * providers/console. JSON stands in single quotes here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/secret.h"
#include "core/base/when.h"
#include "core/io/json.h"
#include "core/plan/changes.h"
#include "providers/console/console.h"
#include "providers/console/state.h"
#include "providers/console/things.h"
#include "providers/console/uses.h"
#include "providers/ims/ims.h"

#define NOW INT64_C(1795428000000) /* 2026-11-23T10:00:00Z */
#define MINUTE WHEN_MINUTE
#define HOUR WHEN_HOUR
#define DAY WHEN_DAY

static const struct provider *const both[] = { &console_provider, &ims_provider, NULL };
static const struct registry registry = { both };

/* -- the rig: one environment's view, made of JSON -- */

#define SEEN_MAX 16
static struct rig {
	struct arena a;
	struct observation seen[SEEN_MAX];
	struct view view;
	struct changes changes;
	struct err err;
	struct http_req sent[8]; /* requests of the last call */
	size_t sent_count;
	struct call call;
	struct secret *secret; /* of the last answer that held one */
} rig;

static struct value *json_secret(const char *text, const char *secret_field)
{
	char *copy = arena_strdup(&rig.a, text);
	struct value *v = NULL;
	struct err err = ERR_INIT;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (json_parse(&rig.a, copy, strlen(copy), NULL, secret_field,
		       secret_field ? &rig.secret : NULL, &v, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return v;
}

static struct value *json(const char *text)
{
	return json_secret(text, NULL);
}

static const char WANT[] =
	"{'project':{'organization':'ABC@AdobeOrg','title':'Shop'},'app':{'workflows':'keep'},"
	"'credential':{'client_id':'cid','client_secret':{'ref':'file:secret','late':true}}}";

static int set_up(void **state)
{
	(void)state;
	rig = (struct rig){ .a = ARENA_INIT };
	rig.view =
		(struct view){ .env = "dev", .want = json(WANT), .seen = rig.seen, .now_ms = NOW };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&rig.a);
	secret_freep(&rig.secret);
	return 0;
}

static void want(const char *text)
{
	rig.view.want = json(text);
}

static void marks(const char *text)
{
	rig.view.marks = json(text);
}

static struct observation *slot(const char *thing)
{
	for (size_t i = 0; i < rig.view.seen_count; i++)
		if (strcmp(rig.seen[i].thing, thing) == 0)
			return &rig.seen[i];
	assert_true(rig.view.seen_count < SEEN_MAX);
	rig.seen[rig.view.seen_count].thing = thing;
	return &rig.seen[rig.view.seen_count++];
}

static void derive(const char *thing, struct value *facts)
{
	const struct thing_type *t = registry_thing(&registry, thing);

	if (t && t->derive)
		t->derive(&rig.view, &rig.a, facts);
}

static void know(const char *thing, enum known known, const char *facts)
{
	struct value *v = json(facts);

	*slot(thing) = (struct observation){ .thing = thing, .known = known, .server_ms = NOW };
	derive(thing, v);
	slot(thing)->facts = v;
}

static void saw(const char *thing, const char *facts)
{
	know(thing, KNOWN_API, facts);
}

static void unknown(const char *thing, enum known known)
{
	*slot(thing) =
		(struct observation){ .thing = thing, .known = known, .why = "answered 403" };
}

/* -- observe -- */

struct answer {
	int status;
	const char *body; /* NULL: none; from '<' on a page instead of JSON */
};

static enum next talk(call_fn *fn, const struct answer *answers, size_t count)
{
	struct http_resp resp;
	enum next next;
	size_t i = 0;

	rig.err = (struct err)ERR_INIT;
	rig.sent_count = 0;
	rig.call = (struct call){ .arena = &rig.a, .view = &rig.view, .facts = value_map(&rig.a) };
	rig.sent[0] = (struct http_req){ 0 };
	next = fn(&rig.call, NULL, &rig.sent[0], &rig.err);
	while (next == NEXT_SEND) {
		const struct http_req *req = &rig.sent[rig.sent_count++];

		if (i == count)
			fail_msg("asked too much: %s %s", req->method, req->path);
		resp = (struct http_resp){ .status = answers[i].status,
					   .date_ms = NOW + (int64_t)i };
		if (answers[i].body && answers[i].body[0] == '<')
			resp.text = answers[i].body;
		else if (answers[i].body)
			resp.body = json_secret(answers[i].body, req->secret_field);
		i++;
		rig.sent[rig.sent_count] = (struct http_req){ 0 };
		next = fn(&rig.call, &resp, &rig.sent[rig.sent_count], &rig.err);
	}
	assert_int_equal(i, count);
	assert_int_equal(next == NEXT_FAIL, rig.err.code != E_NONE);
	return next;
}

#define OBSERVE(thing, ...)                                                                        \
	observe_list(thing, (const struct answer[]){ __VA_ARGS__ },                                \
		     sizeof((const struct answer[]){ __VA_ARGS__ }) / sizeof(struct answer))

static enum next observe_list(const char *thing, const struct answer *answers, size_t count)
{
	enum next next = talk(registry_thing(&registry, thing)->observe, answers, count);

	for (size_t i = 0; i < rig.sent_count; i++) {
		assert_string_equal(rig.sent[i].method, "GET");
		assert_string_equal(rig.sent[i].conn, "console");
	}
	if (next == NEXT_DONE) {
		derive(thing, rig.call.facts);
		*slot(thing) = (struct observation){ .thing = thing,
						     .known = KNOWN_API,
						     .server_ms = NOW,
						     .facts = rig.call.facts };
	}
	return next;
}

static void check_facts(const char *thing, const char *expected)
{
	CLEANUP(sb_done) struct sb have = SB_INIT(65536), need = SB_INIT(65536);

	json_write(&have, slot(thing)->facts, JSON_CANONICAL, NULL);
	json_write(&need, json(expected), JSON_CANONICAL, NULL);
	assert_string_equal(have.buf, need.buf);
}

static void know_project(void)
{
	saw("console.project",
	    "{'match':'one','ims_org':'ABC@AdobeOrg','org_id':'23294','project_id':'4566206088344958295',"
	    "'title':'Shop','workspace_id':'7','workspace':'Production','auto_generated':false}");
}

static void know_credential(const char *type)
{
	CLEANUP(sb_done) struct sb facts = SB_INIT(1000);
	bool two = strcmp(type, "two-rows") == 0;

	sb_addf(&facts, "{'rows':%d,'type':'%s','credential_id':'81','oauth_id':'%s'}", two ? 2 : 1,
		type, two ? "82" : "81");
	saw("console.credential", facts.buf);
}

#define ORGS "[{'id':'1','code':'X@AdobeOrg'},{'id':'23294','code':'ABC@AdobeOrg','role':'ADMIN'}]"
#define SHOP                                                                                                       \
	"{'id':'4566206088344958295','title':'Shop','name':'123Shop','who_created':'a@b','enabled':1,'deleted':0," \
	"'metadata':{'workspaces':[{'id':'7','name':'Production'}]}}"

static void a_project_is_found_by_its_exact_title(void **state)
{
	(void)state;
	assert_int_equal(OBSERVE("console.project", { 200, ORGS },
				 { 200, "[" SHOP ",{'id':'5','title':'Shop 2'}]" }),
			 NEXT_DONE);
	check_facts(
		"console.project",
		"{'match':'one','ims_org':'ABC@AdobeOrg','org_id':'23294','project_id':'4566206088344958295','title':'Shop',"
		"'workspace_id':'7','workspace':'Production','auto_generated':false}");
	assert_string_equal(rig.sent[0].path, "/organizations");
	assert_true(rig.sent[0].flags & REQ_SHARED);
	assert_string_equal(rig.sent[1].path, "/organizations/23294/projects");
	assert_string_equal(rig.sent[1].query, "title=Shop");
}

static void a_project_is_read_by_id_and_ids_may_be_numbers(void **state)
{
	(void)state;
	want("{'project':{'organization':'ABC@AdobeOrg','id':'55'}}");
	assert_int_equal(OBSERVE("console.project", { 200, "[{'id':23294,'code':'ABC@AdobeOrg'}]" },
				 { 200, "{'id':55,'title':'Shop','who_created':'System'}" },
				 { 200, "[{'id':7,'name':'Default'}]" }),
			 NEXT_DONE);
	check_facts(
		"console.project",
		"{'match':'one','ims_org':'ABC@AdobeOrg','org_id':'23294','project_id':'55','title':'Shop',"
		"'workspace_id':'7','workspace':'Default','auto_generated':true}");
	assert_string_equal(rig.sent[1].path, "/organizations/23294/projects/55");
	assert_string_equal(rig.sent[2].path, "/organizations/23294/projects/55/workspaces");
}

static const char *match_of(void)
{
	return value_text_or(value_get(slot("console.project")->facts, "match"), "?");
}

static void what_is_not_one_project_is_told_apart(void **state)
{
	(void)state;
	assert_int_equal(OBSERVE("console.project", { 200, "[{'id':'1','code':'X@AdobeOrg'}]" }),
			 NEXT_DONE);
	assert_string_equal(match_of(), "no-organization");
	assert_int_equal(OBSERVE("console.project", { 200, ORGS }, { 200, "[]" }), NEXT_DONE);
	assert_string_equal(match_of(), "none");
	assert_int_equal(OBSERVE("console.project", { 200, ORGS },
				 { 200, "[{'id':'1','title':'Shop','deleted':1}]" }),
			 NEXT_DONE);
	assert_string_equal(match_of(), "none");
	assert_int_equal(OBSERVE("console.project", { 200, ORGS },
				 { 200, "[" SHOP ",{'id':'9','title':'Shop'}]" }),
			 NEXT_DONE);
	assert_string_equal(match_of(), "many");
	assert_int_equal(
		OBSERVE("console.project", { 200, ORGS },
			{ 200,
			  "[{'id':'5','title':'Shop','metadata':{'workspaces':[{'id':'1','name':'Production'},"
			  "{'id':'2','name':'Stage'}]}}]" }),
		NEXT_DONE);
	assert_string_equal(match_of(), "many-workspaces");
	want("{'project':{'organization':'ABC@AdobeOrg','title':'Shop','workspace':'Dev'}}");
	assert_int_equal(OBSERVE("console.project", { 200, ORGS }, { 200, "[" SHOP "]" }),
			 NEXT_DONE);
	assert_string_equal(match_of(), "no-workspace");
	want("{'project':{'organization':'ABC@AdobeOrg','id':'55'}}");
	assert_int_equal(OBSERVE("console.project", { 200, ORGS }, { 404, NULL }), NEXT_DONE);
	assert_string_equal(match_of(), "none");
}

static void a_500_for_a_project_says_that_it_may_be_missing(void **state)
{
	(void)state;
	want("{'project':{'organization':'ABC@AdobeOrg','id':'55'}}");
	assert_int_equal(OBSERVE("console.project", { 200, ORGS }, { 500, NULL }), NEXT_FAIL);
	assert_int_equal(rig.err.code, E_REMOTE);
	assert_non_null(strstr(rig.err.hint, "does not exist"));
	assert_true(rig.sent[1].flags & REQ_ANY_STATUS);
}

static void a_refused_read_is_denied_and_nonsense_is_not(void **state)
{
	(void)state;
	assert_int_equal(OBSERVE("console.project",
				 { 403, "{'error_code':'403003','message':'Api Key is invalid'}" }),
			 NEXT_FAIL);
	assert_int_equal(rig.err.code, E_DENIED);
	assert_int_equal(OBSERVE("console.project", { 200, "{'id':'1'}" }), NEXT_FAIL);
	assert_int_equal(rig.err.code, E_REMOTE);
	assert_int_equal(OBSERVE("console.project", { 200, ORGS },
				 { 200, "[{'id':4566206088344958295,'title':'Shop'}]" }),
			 NEXT_FAIL); /* as a number it has lost its last digits */
	assert_int_equal(rig.err.code, E_REMOTE);
}

static void credential_rows_are_read_in_every_spelling(void **state)
{
	static const struct {
		const char *rows, *facts;
	} t[] = {
		{ "[]", "{'rows':0,'type':'none'}" },
		{ "[{'id_integration':'81','flow_type':'entp','credential_type':'service'}]",
		  "{'rows':1,'type':'service','credential_id':'81','oauth_id':'81'}" },
		{ "[{'id_integration':81,'flow_type':'entp','integration_type':'oauth_server_to_server_migrate'}]",
		  "{'rows':1,'type':'migrate','credential_id':'81','oauth_id':'81'}" },
		{ "[{'id':'81','integration_type':'oauth_server_to_server'},{'id':'3','integration_type':'apikey'}]",
		  "{'rows':1,'type':'oauth','credential_id':'81','oauth_id':'81'}" },
		{ "[{'id_integration':'82','credential_type':'oauth_server_to_server'},{'id_integration':'81','credential_type':'service'}]",
		  "{'rows':2,'type':'two-rows','credential_id':'81','oauth_id':'82'}" },
		{ "[{'id_integration':'81','credential_type':'service'},{'id_integration':'82','credential_type':'oauth_server_to_server_migrate'}]",
		  "{'rows':2,'type':'two-rows','credential_id':'81','oauth_id':'82'}" },
		{ "[{'id':'81','integration_type':'oauth_server_to_server_migrate'},{'id':'81','integration_type':'oauth_server_to_server'}]",
		  "{'rows':2,'type':'two-rows','credential_id':'81','oauth_id':'81'}" },
		{ "[{'id':'81','integration_type':'service'},{'id':'82','integration_type':'service'}]",
		  "{'rows':2,'type':'many'}" },
		{ "[{'id':'81','integration_type':'service'},{'id':'82','integration_type':'oauth_server_to_server'},"
		  "{'id':'83','integration_type':'oauth_server_to_server'}]",
		  "{'rows':3,'type':'many'}" },
	};

	(void)state;
	know_project();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(OBSERVE("console.credential", { 200, t[i].rows }), NEXT_DONE);
		check_facts("console.credential", t[i].facts);
	}
	assert_string_equal(
		rig.sent[0].path,
		"/organizations/23294/projects/4566206088344958295/workspaces/7/credentials");
}

static void a_row_of_two_types_or_without_an_id_is_an_error(void **state)
{
	(void)state;
	know_project();
	assert_int_equal(OBSERVE("console.credential",
				 { 200, "[{'id':'1','credential_type':'service',"
					"'integration_type':'oauth_server_to_server'}]" }),
			 NEXT_FAIL);
	assert_int_equal(rig.err.code, E_REMOTE);
	assert_int_equal(OBSERVE("console.credential", { 200, "[{'credential_type':'service'}]" }),
			 NEXT_FAIL);
	assert_int_equal(rig.err.code, E_REMOTE);
	assert_int_equal(OBSERVE("console.credential", { 500, NULL }), NEXT_FAIL);
	assert_int_equal(rig.err.code, E_REMOTE);
}

static void nothing_is_asked_below_an_unknown_project(void **state)
{
	static const char *const things[] = { "console.credential", "console.client",
					      "console.certificate", "console.migration",
					      "console.usage" };

	(void)state;
	saw("console.project", "{'match':'none','org_id':'1'}");
	for (size_t i = 0; i < ARRAY_LEN(things); i++) {
		assert_int_equal(observe_list(things[i], NULL, 0), NEXT_FAIL);
		assert_int_equal(rig.err.code, E_DENIED);
	}
}

static void details_give_client_account_scopes_and_profiles(void **state)
{
	(void)state;
	know_project();
	know_credential("service");
	assert_int_equal(
		OBSERVE("console.client",
			{ 200,
			  "{'id':'81','apikey':'cid','technicalAccountId':'T@techacct.adobe.com','technicalAccountEmail':'e',"
			  "'readOnly':0,'serviceProperties':[{'sdkCode':'CampaignSDK','scopes':['campaign_sdk','AdobeID'],"
			  "'licenseConfigs':[{'name':'Administrators'}]},{'scopes':['AdobeID','openid'],'licenseConfigs':[]}]}" }),
		NEXT_DONE);
	check_facts(
		"console.client",
		"{'client_id':'cid','technical_account_id':'T@techacct.adobe.com','technical_account_email':'e',"
		"'scopes':['AdobeID','campaign_sdk','openid'],'profiles':['Administrators'],'read_only':false,'differs':[]}");
	assert_string_equal(rig.sent[0].path, "/organizations/23294/integrations/81");
	assert_int_equal(OBSERVE("console.client", { 200, "{'technicalAccountId':'T'}" }),
			 NEXT_FAIL);
}

static void two_rows_are_compared(void **state)
{
	(void)state;
	know_project();
	know_credential("two-rows");
	assert_int_equal(
		OBSERVE("console.client",
			{ 200,
			  "{'apikey':'cid','technicalAccountId':'T1','readOnly':true,'serviceProperties':[{'scopes':['b','a']}]}" },
			{ 200,
			  "{'apiKey':'cid2','technicalAccountId':'T1','serviceProperties':[{'scopes':['a']}]}" }),
		NEXT_DONE);
	check_facts(
		"console.client",
		"{'client_id':'cid','technical_account_id':'T1','technical_account_email':'','scopes':['a','b'],"
		"'profiles':[],'read_only':true,'differs':[{'name':'client_id','jwt':'cid','oauth':'cid2'},"
		"{'name':'scopes','jwt':'a, b','oauth':'a'}]}");
	assert_string_equal(rig.sent[1].path, "/organizations/23294/integrations/82");
}

static void the_certificate_that_lives_longest_counts_in_either_unit(void **state)
{
	(void)state;
	know_project();
	know_credential("service");
	assert_int_equal(
		OBSERVE("console.certificate",
			{ 200,
			  "[{'bindingId':'a','notAfter':1795428000000},{'bindingId':'b','notAfter':1795428001}]" }),
		NEXT_DONE);
	check_facts("console.certificate", "{'count':2,'not_after':1795428001000}");
	assert_int_equal(OBSERVE("console.certificate", { 200, "[{'notAfter':'1795428000000'}]" }),
			 NEXT_DONE);
	check_facts("console.certificate", "{'count':1,'not_after':1795428000000}");
	assert_int_equal(OBSERVE("console.certificate", { 404, NULL }), NEXT_DONE);
	check_facts("console.certificate", "{'count':0,'not_after':0}");
	know_credential("oauth");
	assert_int_equal(observe_list("console.certificate", NULL, 0), NEXT_DONE);
	check_facts("console.certificate", "{'count':0,'not_after':0}");
}

static void type_and_status_together_make_a_state(void **state)
{
	static const char *const types[] = { "service", "migrate", "two-rows", "oauth" };
	static const char *const statuses[] = { "NOT_STARTED", "STARTED", "COMPLETED", "NONE" };
	static const char *const states[4][4] = {
		{ "jwt-only", "conflict", "conflict", "conflict" },
		{ "conflict", "started", "conflict", "conflict" },
		{ "conflict", "started", "conflict", "conflict" },
		{ "conflict", "conflict", "converted", "never-jwt" },
	};

	(void)state;
	know_project();
	for (size_t t = 0; t < 4; t++)
		for (size_t s = 0; s < 4; s++) {
			const char *body =
				arena_printf(&rig.a, "{'migrationStatus':'%s'}", statuses[s]);

			know_credential(types[t]);
			assert_int_equal(OBSERVE("console.migration", { 200, body }), NEXT_DONE);
			assert_string_equal(view_fact_text(&rig.view, "console.migration",
							   "status"),
					    statuses[s]);
			assert_string_equal(view_fact_text(&rig.view, "console.migration", "state"),
					    states[t][s]);
		}
	assert_null(state_of(NULL, "STARTED"));
	assert_null(state_of("oauth", NULL));
}

static void a_status_that_knows_no_jwt_id_means_not_started_only_for_a_jwt_row(void **state)
{
	(void)state;
	know_project();
	know_credential("service");
	assert_int_equal(OBSERVE("console.migration", { 404, NULL }), NEXT_DONE);
	check_facts("console.migration", "{'status':'NOT_STARTED','state':'jwt-only'}");
	know_credential("migrate");
	assert_int_equal(OBSERVE("console.migration", { 404, NULL }), NEXT_FAIL);
	assert_int_equal(rig.err.code, E_REMOTE);
	/* A word that nobody knows is shown, and nothing is built on it. */
	assert_int_equal(OBSERVE("console.migration", { 200, "{'migrationStatus':'PAUSED'}" }),
			 NEXT_DONE);
	check_facts("console.migration", "{'status':'PAUSED','state':'conflict'}");
	know_credential("two-rows");
	assert_int_equal(OBSERVE("console.migration", { 200, "{'migrationStatus':'STARTED'}" }),
			 NEXT_DONE);
	assert_string_equal(rig.sent[0].path,
			    "/organizations/23294/credentials/oauth-server-to-server/82/status");
}

static void usages_are_told_apart_by_grant(void **state)
{
	static const struct {
		const char *secrets, *facts;
	} t[] = {
		{ "{'client_id':'cid','client_secrets':[{'uuid':'u','secret_usages':null}]}",
		  "{'secrets':1,'has_data':false,'oauth_last_used':0,'jwt_visible':false,'jwt_last_used':0}" },
		{ "{'client_secrets':[{'secret_usages':[]}]}",
		  "{'secrets':1,'has_data':false,'oauth_last_used':0,'jwt_visible':false,'jwt_last_used':0}" },
		{ "{'client_secrets':[{'secret_usages':[{'last_used_at':'1795428000000','grant_type':'client_credentials'}]},"
		  "{'secret_usages':[{'last_used_at':1795428000500,'grant_type':'client_credentials'},"
		  "{'last_used_at':'1795420000000','grant_type':'urn:ietf:params:oauth:grant-type:jwt-bearer'}]}]}",
		  "{'secrets':2,'has_data':true,'oauth_last_used':1795428000500,'jwt_visible':true,'jwt_last_used':1795420000000}" },
		/* A use without a time says nothing, least of all that JWT uses would show. */
		{ "{'client_secrets':[{'secret_usages':[{'last_used_at':null,'grant_type':'exchange_jwt'}]}]}",
		  "{'secrets':1,'has_data':false,'oauth_last_used':0,'jwt_visible':false,'jwt_last_used':0}" },
		/* An unknown grant counts against us and spares us no question. */
		{ "{'client_secrets':[{'secret_usages':[{'last_used_at':'5','grant_type':'mystery'}]}]}",
		  "{'secrets':1,'has_data':true,'oauth_last_used':0,'jwt_visible':false,'jwt_last_used':5,'other_last_used':5}" },
	};

	(void)state;
	know_project();
	know_credential("two-rows");
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(OBSERVE("console.usage", { 200, t[i].secrets }), NEXT_DONE);
		check_facts("console.usage", t[i].facts);
	}
	assert_string_equal(rig.sent[0].path, "/organizations/23294/credentials/82/secrets");
	assert_int_equal(OBSERVE("console.usage", { 404, NULL }), NEXT_DONE);
	check_facts(
		"console.usage",
		"{'secrets':0,'has_data':false,'oauth_last_used':0,'jwt_visible':false,'jwt_last_used':0}");
	assert_int_equal(OBSERVE("console.usage", { 200, "{}" }), NEXT_FAIL);
	assert_int_equal(OBSERVE("console.usage",
				 { 200,
				   "{'client_secrets':[{'secret_usages':[{'last_used_at':'soon',"
				   "'grant_type':'client_credentials'}]}]}" }),
			 NEXT_FAIL);
	assert_int_equal(rig.err.code, E_REMOTE);
}

/* -- diff: the live states -- */

static void diff(void)
{
	rig.err = (struct err)ERR_INIT;
	assert_int_equal(changes_collect(&rig.changes, &registry, &rig.a, &rig.view, &rig.err), 0);
}

/* The steps found, in the order of things: "console.migration/start ..." */
static const char *steps(void)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);

	diff();
	for (size_t i = 0; i < rig.changes.count; i++)
		sb_addf(&out, "%s%s/%s", i ? " " : "", rig.changes.list[i].thing->name,
			rig.changes.list[i].type->name);
	return arena_strdup(&rig.a, out.buf);
}

static const struct finding *finding(const char *rule)
{
	for (size_t i = 0; i < rig.changes.finding_count; i++)
		if (strcmp(rig.changes.findings[i].rule, rule) == 0)
			return &rig.changes.findings[i];
	return NULL;
}

static void check_finding(const char *rule, enum finding_kind kind, const char *has,
			  const char *has_too)
{
	const struct finding *f;

	diff();
	f = finding(rule);
	if (!f) {
		fail_msg("no finding '%s'", rule);
		return;
	}
	assert_int_equal(f->kind, kind);
	if (!strstr(f->text, has) || !strstr(f->text, has_too))
		fail_msg("'%s' lacks '%s' or '%s'", f->text, has, has_too);
}

static const struct attest_need *attested(const char *thing, bool now)
{
	for (size_t i = 0; i < rig.changes.attest_count; i++)
		if (strcmp(rig.changes.attests[i].thing->name, thing) == 0 &&
		    !rig.changes.attests[i].step == now)
			return &rig.changes.attests[i];
	return NULL;
}

/* A healthy environment in a state, with its app. */
static void live(const char *type, const char *status, const char *settings, const char *workflow)
{
	know_project();
	know_credential(type);
	saw("console.client",
	    "{'client_id':'cid','technical_account_id':'T','scopes':[],'profiles':[],'read_only':false,'differs':[]}");
	saw("console.certificate", "{'count':1,'not_after':1893456000000}");
	saw("console.migration", arena_printf(&rig.a, "{'status':'%s'}", status));
	saw("console.usage",
	    "{'secrets':1,'has_data':true,'oauth_last_used':1,'jwt_visible':true,'jwt_last_used':1}");
	saw("local.secret", "{'credential.client_secret':true}");
	know("app.settings", KNOWN_BRIDGE, settings);
	know("app.workflow", KNOWN_BRIDGE, workflow);
}

#define ON_JWT "{'auth_type':'jwt','client_id':'cid','saved_at':1000}"
#define ON_OAUTH "{'auth_type':'oauth','client_id':'cid','saved_at':1000}"
#define RUNS "{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'STOPPED','started_at':2000}"
#define FAILS "{'ingress':'FAILED','egress':'RUNNING','opt-in-out':'STOPPED','started_at':2000}"
#define PROVE_AND_FINALIZE                                                                         \
	"console.migration/finalize console.usage/app-uses-oauth console.usage/jwt-quiet console.usage/still-mints"

static void jwt_only_gives_the_whole_plan(void **state)
{
	(void)state;
	live("service", "NOT_STARTED", ON_JWT, RUNS);
	assert_string_equal(steps(),
			    "console.migration/start " PROVE_AND_FINALIZE " ims.token/prove");
	assert_int_equal(rig.changes.finding_count, 0);
	assert_int_equal(rig.changes.attest_count, 0);
	assert_string_equal(rig.changes.list[0].reason, "jwt-only");
	saw("local.secret", "{'credential.client_secret':false}");
	assert_string_equal(
		steps(),
		"console.migration/start console.migration/finalize console.secret/bring console.usage/app-uses-oauth "
		"console.usage/jwt-quiet console.usage/still-mints ims.token/prove");
}

static void jwt_only_with_an_unreadable_app_is_still_the_whole_plan(void **state)
{
	(void)state;
	live("service", "NOT_STARTED", ON_JWT, RUNS);
	unknown("app.settings", KNOWN_DENIED);
	unknown("app.workflow", KNOWN_DENIED);
	assert_string_equal(steps(),
			    "console.migration/start " PROVE_AND_FINALIZE " ims.token/prove");
}

static void started_goes_on_where_it_is(void **state)
{
	(void)state;
	live("migrate", "STARTED", ON_JWT, RUNS);
	saw("local.secret", "{'credential.client_secret':false}");
	assert_string_equal(
		steps(),
		"console.migration/finalize console.secret/bring console.usage/app-uses-oauth "
		"console.usage/jwt-quiet console.usage/still-mints ims.token/prove");
	live("two-rows", "STARTED", ON_OAUTH, RUNS);
	assert_string_equal(steps(), PROVE_AND_FINALIZE);
	assert_false(needs_restart(&rig.view));
	know("app.settings", KNOWN_BRIDGE,
	     "{'auth_type':'oauth','client_id':'cid','saved_at':2000}");
	assert_true(needs_restart(&rig.view)); /* started no later than saved */
	marks("{'restart.at':2001}");
	assert_false(needs_restart(&rig.view));
}

static void converted_and_the_app_on_jwt_is_mended_without_a_contract_step(void **state)
{
	(void)state;
	live("oauth", "COMPLETED", ON_JWT, RUNS);
	assert_string_equal(steps(), "console.usage/app-uses-oauth ims.token/prove");
	saw("local.secret", "{'credential.client_secret':false}");
	assert_string_equal(steps(),
			    "console.secret/bring console.usage/app-uses-oauth ims.token/prove");
}

static void converted_and_failed_is_proved_after_its_restart(void **state)
{
	(void)state;
	live("oauth", "COMPLETED", ON_OAUTH, FAILS);
	assert_string_equal(steps(), "console.usage/app-uses-oauth");
	live("oauth", "COMPLETED", ON_OAUTH, RUNS);
	assert_string_equal(steps(), "");
}

static void never_jwt_on_oauth_has_nothing_to_do(void **state)
{
	(void)state;
	live("oauth", "NONE", ON_OAUTH, RUNS);
	saw("local.secret", "{'credential.client_secret':false}");
	assert_string_equal(steps(), "");
	assert_int_equal(rig.changes.finding_count, 0);
	assert_int_equal(rig.changes.attest_count, 0);
}

static void workflows_that_stay_stopped_prove_nothing(void **state)
{
	(void)state;
	want("{'project':{'title':'Shop'},'app':{'workflows':'stopped'},'credential':{'client_id':'cid'}}");
	live("oauth", "COMPLETED", ON_JWT, RUNS);
	assert_string_equal(steps(), "ims.token/prove");
	want("{'project':{'title':'Shop'},'app':{'workflows':'running'},'credential':{'client_id':'cid'}}");
	live("oauth", "COMPLETED", ON_OAUTH,
	     RUNS); /* opt-in-out is stopped against the file's will */
	assert_string_equal(steps(), "console.usage/app-uses-oauth");
}

static void type_against_status_is_refused_showing_both(void **state)
{
	(void)state;
	live("service", "COMPLETED", ON_JWT, RUNS);
	assert_string_equal(steps(), "");
	check_finding("type-and-status", FIND_REFUSE, "service", "COMPLETED");
}

static void a_project_that_is_not_one_is_refused_once(void **state)
{
	static const struct {
		const char *facts, *rule, *has;
	} t[] = {
		{ "{'match':'none'}", "project-none", "Shop" },
		{ "{'match':'many','title':'Shop (id 1), Shop (id 2)'}", "project-many",
		  "Shop (id 1), Shop (id 2)" },
		{ "{'match':'no-organization'}", "project-no-organization", "ABC@AdobeOrg" },
		{ "{'match':'no-workspace','workspace':'Production'}", "project-no-workspace",
		  "Production" },
		{ "{'match':'many-workspaces','workspace':'Production, Stage'}",
		  "project-many-workspaces", "Stage" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		saw("console.project", t[i].facts);
		unknown("console.credential", KNOWN_DENIED);
		unknown("console.client", KNOWN_DENIED);
		unknown("console.migration", KNOWN_DENIED);
		check_finding(t[i].rule, FIND_REFUSE, t[i].has, "");
		assert_int_equal(rig.changes.finding_count, 1);
		assert_int_equal(rig.changes.attest_count, 0);
		assert_int_equal(rig.changes.count, 0);
	}
}

static void generated_and_read_only_are_left_alone(void **state)
{
	(void)state;
	live("service", "NOT_STARTED", ON_JWT, RUNS);
	saw("console.project",
	    "{'match':'one','org_id':'1','project_id':'2','workspace_id':'3','title':'Gen','auto_generated':true}");
	check_finding("auto-generated", FIND_LEAVE, "Gen", "Adobe");
	live("service", "NOT_STARTED", ON_JWT, RUNS);
	saw("console.client", "{'client_id':'cid','read_only':true}");
	check_finding("read-only", FIND_LEAVE, "Shop", "viewing");
}

static void another_client_id_and_differing_rows_are_refused_showing_both(void **state)
{
	(void)state;
	live("two-rows", "STARTED", ON_JWT, RUNS);
	saw("console.client",
	    "{'client_id':'other','differs':[{'name':'scopes','jwt':'a','oauth':'b'}]}");
	check_finding("client-id", FIND_REFUSE, "cid", "other");
	check_finding("credentials-differ", FIND_REFUSE, "JWT credential 'a'",
		      "OAuth credential 'b'");
}

static void none_or_many_credentials_are_refused(void **state)
{
	(void)state;
	know_project();
	unknown("console.client", KNOWN_DENIED);
	unknown("console.migration", KNOWN_DENIED);
	saw("console.credential", "{'rows':0,'type':'none'}");
	check_finding("credential-none", FIND_REFUSE, "Shop", "");
	assert_int_equal(rig.changes.attest_count, 0);
	saw("console.credential", "{'rows':3,'type':'many'}");
	check_finding("credential-many", FIND_REFUSE, "Shop", "3");
}

static void certificate(int64_t not_after, int count)
{
	saw("console.certificate",
	    arena_printf(&rig.a, "{'count':%d,'not_after':%lld}", count, (long long)not_after));
	diff();
}

static void a_certificate_that_ends_is_warned_of_and_a_dead_one_refused(void **state)
{
	(void)state;
	live("service", "NOT_STARTED", ON_JWT, RUNS);
	certificate(NOW + DAY + 10 * MINUTE, 1);
	assert_int_equal(rig.changes.finding_count, 0);
	certificate(NOW + DAY + 10 * MINUTE - 1, 1);
	check_finding("certificate-ends", FIND_WARN, "2026-11-24T10:09:59", "finalize");
	certificate(NOW + 1, 1);
	check_finding("certificate-ends", FIND_WARN, "", "");
	certificate(NOW, 1);
	check_finding("certificate-dead", FIND_REFUSE, "2026-11-23T10:00:00Z", "");
	certificate(0, 0);
	check_finding("certificate-dead", FIND_REFUSE, "none is bound", "");
	certificate(0, 1);
	check_finding("certificate-unknown", FIND_WARN, "", "");
	unknown("console.certificate", KNOWN_DENIED);
	check_finding("certificate-unknown", FIND_WARN, "", "");
	live("migrate", "STARTED", ON_JWT, RUNS);
	certificate(NOW - 1, 1);
	check_finding("certificate-dead", FIND_WARN, "", "");
	live("oauth", "COMPLETED", ON_JWT, RUNS);
	certificate(0, 0);
	assert_int_equal(rig.changes.finding_count, 0);
}

static void what_cannot_be_read_is_asked_of_a_person_at_once(void **state)
{
	static const char *const things[] = { "console.project", "console.credential",
					      "console.client", "console.migration" };
	const struct attest_need *migration;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(things); i++)
		unknown(things[i], i % 2 ? KNOWN_FENCED : KNOWN_DENIED);
	assert_string_equal(steps(), "");
	for (size_t i = 0; i < ARRAY_LEN(things); i++)
		assert_non_null(attested(things[i], true));
	assert_int_equal(rig.changes.finding_count, 0);
	migration = attested("console.migration", true);
	if (migration) {
		assert_string_equal(migration->facts[0], "status");
		assert_string_equal(migration->why, "answered 403");
	}
}

static void what_failed_is_refused_not_attested(void **state)
{
	(void)state;
	unknown("console.project", KNOWN_FAILED);
	unknown("console.credential", KNOWN_FAILED);
	check_finding("unreadable", FIND_REFUSE, "console.project", "");
	assert_int_equal(rig.changes.finding_count, 1);
	assert_int_equal(rig.changes.attest_count, 0);
}

static void attested_facts_alone_lead_to_the_same_plan(void **state)
{
	(void)state;
	live("service", "NOT_STARTED", ON_JWT, RUNS);
	know("console.project", KNOWN_ATTESTED,
	     "{'org_id':'1','project_id':'2','title':'Shop','workspace_id':'3','auto_generated':false}");
	check_facts(
		"console.project",
		"{'match':'one','ims_org':'ABC@AdobeOrg','org_id':'1','project_id':'2','title':'Shop','workspace_id':'3',"
		"'auto_generated':false}");
	know("console.credential", KNOWN_ATTESTED, "{'type':'service','credential_id':'81'}");
	check_facts("console.credential",
		    "{'type':'service','credential_id':'81','rows':1,'oauth_id':'81'}");
	know("console.client", KNOWN_ATTESTED,
	     "{'client_id':'cid','technical_account_id':'T','read_only':false}");
	know("console.migration", KNOWN_ATTESTED, "{'status':'NOT_STARTED'}");
	unknown("console.usage", KNOWN_DENIED);
	assert_string_equal(steps(),
			    "console.migration/start " PROVE_AND_FINALIZE " ims.token/prove");
	assert_int_equal(rig.changes.finding_count, 0);
	assert_non_null(attested("console.usage", false));
	assert_null(attested("console.usage", true));
}

/* -- acting -- */

static const struct change_type *change(const char *thing, const char *name)
{
	return registry_change(&registry, thing, name);
}

#define TALK(fn, ...)                                                                              \
	talk(fn, (const struct answer[]){ __VA_ARGS__ },                                           \
	     sizeof((const struct answer[]){ __VA_ARGS__ }) / sizeof(struct answer))

static void finalize_is_one_patch_and_notes_when(void **state)
{
	const struct change_type *t = change("console.migration", "finalize");

	(void)state;
	live("migrate", "STARTED", ON_OAUTH, RUNS);
	assert_int_equal(TALK(t->apply, { 200, NULL }), NEXT_DONE);
	assert_string_equal(rig.sent[0].method, "PATCH");
	assert_string_equal(rig.sent[0].conn, "console");
	assert_string_equal(rig.sent[0].path,
			    "/organizations/23294/credentials/oauth-server-to-server/81/finalize");
	assert_int_equal(rig.sent[0].body_kind, BODY_NONE);
	assert_int_equal(value_int_or(value_get(rig.call.marks, "finalize.at"), 0), NOW);
	assert_int_equal(TALK(t->apply, { 400, NULL }), NEXT_FAIL);
	assert_int_equal(t->undo, UNDO_NEVER);
	assert_int_equal(t->executor_default, EXEC_NONE);
	assert_true((t->flags & CHANGE_SHARED) && (t->flags & CHANGE_CONFIRM));
}

/* A sign-in page comes with 200 as well. */
static void a_page_of_a_proxy_is_no_act(void **state)
{
	static const char *const names[] = { "start", "finalize", "cancel" };

	(void)state;
	live("migrate", "STARTED", ON_JWT, RUNS);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct change_type *t = change("console.migration", names[i]);

		assert_int_equal(TALK(t->apply ? t->apply : t->apply_bridge,
				      { 200, "<html>sign in</html>" }),
				 NEXT_FAIL);
		assert_int_equal(rig.err.code, E_REMOTE);
	}
	assert_int_equal(TALK(change("ims.token", "prove")->apply, { 200, "<html>sign in</html>" }),
			 NEXT_FAIL);
	assert_null(value_get(rig.call.marks, "token.proved_at"));
}

static void finalize_is_done_when_completed_and_a_row_is_still_there(void **state)
{
	const struct change_type *t = change("console.migration", "finalize");

	(void)state;
	live("migrate", "STARTED", ON_OAUTH, RUNS);
	assert_int_equal(t->settled(&rig.view), SETTLED_NO);
	live("oauth", "COMPLETED", ON_OAUTH, RUNS);
	assert_int_equal(t->settled(&rig.view), SETTLED_YES);
	live("migrate", "COMPLETED", ON_OAUTH, RUNS);
	assert_int_equal(t->settled(&rig.view), SETTLED_UNKNOWN);
	saw("console.credential", "{'rows':0,'type':'none'}");
	assert_int_equal(t->settled(&rig.view), SETTLED_UNKNOWN);
	live("oauth", "STARTED", ON_OAUTH, RUNS);
	assert_int_equal(t->settled(&rig.view), SETTLED_UNKNOWN);
	unknown("console.migration", KNOWN_DENIED);
	assert_int_equal(t->settled(&rig.view), SETTLED_UNKNOWN);
}

static void start_goes_through_the_bridge_and_settles_as_started(void **state)
{
	const struct change_type *t = change("console.migration", "start");

	(void)state;
	live("service", "NOT_STARTED", ON_JWT, RUNS);
	assert_int_equal(TALK(t->apply_bridge, { 202, NULL }), NEXT_DONE);
	assert_string_equal(rig.sent[0].method, "POST");
	assert_string_equal(rig.sent[0].conn, "bridge");
	assert_string_equal(rig.sent[0].path, "/v1/console/credentials/81/start-migration");
	assert_null(t->apply);
	assert_int_equal(t->settled(&rig.view), SETTLED_NO);
	live("two-rows", "STARTED", ON_JWT, RUNS);
	assert_int_equal(t->settled(&rig.view), SETTLED_YES);
	live("oauth", "COMPLETED", ON_JWT, RUNS);
	assert_int_equal(t->settled(&rig.view), SETTLED_YES);
	live("service", "STARTED", ON_JWT, RUNS); /* one of the two is late */
	assert_int_equal(t->settled(&rig.view), SETTLED_UNKNOWN);
}

static void a_secret_goes_straight_to_its_reference(void **state)
{
	const struct change_type *t = change("console.secret", "bring");

	(void)state;
	live("two-rows", "STARTED", ON_JWT, RUNS);
	assert_int_equal(TALK(t->apply_bridge, { 200, "{'client_secret':'p8e-canary'}" }),
			 NEXT_DONE);
	assert_string_equal(rig.sent[0].path, "/v1/console/credentials/82/reveal-client-secret");
	assert_string_equal(rig.sent[0].secret_field, "client_secret");
	assert_non_null(rig.call.put_secret);
	assert_int_equal(rig.call.put_secret->kind, VAL_SECRET);
	assert_string_equal(rig.call.put_ref, "file:secret");
	assert_int_equal(TALK(t->apply_bridge, { 200, "{}" }), NEXT_FAIL);
	assert_int_equal(t->settled(&rig.view), SETTLED_YES);
	saw("local.secret", "{'credential.client_secret':false}");
	assert_int_equal(t->settled(&rig.view), SETTLED_NO);
	unknown("local.secret", KNOWN_NOT);
	assert_int_equal(t->settled(&rig.view), SETTLED_UNKNOWN);
}

static bool says_line(const struct instruction *in, const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(in->lines) && in->lines[i]; i++)
		if (strstr(in->lines[i], text))
			return true;
	return false;
}

static void instructions_name_page_clicks_and_what_to_type(void **state)
{
	struct instruction in;

	(void)state;
	live("two-rows", "STARTED", ON_JWT, RUNS);
	assert_int_equal(change("console.migration", "start")
				 ->instruct(&rig.view, &rig.a, &in, &rig.err),
			 0);
	assert_string_equal(
		in.page, "https://developer.adobe.com/console/projects/23294/4566206088344958295");
	assert_true(says_line(&in, "'Add new credential'"));
	assert_int_equal(change("console.migration", "finalize")
				 ->instruct(&rig.view, &rig.a, &in, &rig.err),
			 0);
	assert_true(says_line(&in, "'Review and delete'") && says_line(&in, "'Shop'") &&
		    says_line(&in, "'Confirm and continue'"));
	assert_int_equal(change("console.secret", "bring")
				 ->instruct(&rig.view, &rig.a, &in, &rig.err),
			 0);
	assert_string_equal(in.page,
			    "https://developer.adobe.com/console/projects/23294/4566206088344958295"
			    "/credentials/82/details/oauthservertoserver");
	assert_true(says_line(&in, "file:secret"));
	assert_int_equal(change("console.usage", "jwt-quiet")
				 ->instruct(&rig.view, &rig.a, &in, &rig.err),
			 0);
	assert_non_null(strstr(in.ack_args, "--last-used"));
	want("{'connections':{'console':{'page':'https://localhost:1/console'}},'project':{'organization':'O','id':'9'}}");
	unknown("console.project", KNOWN_DENIED);
	assert_int_equal(change("console.migration", "start")
				 ->instruct(&rig.view, &rig.a, &in, &rig.err),
			 0);
	assert_string_equal(in.page, "https://localhost:1/console/projects");
	assert_true(says_line(&in, "project 9 of organization O"));
}

static void a_token_is_proved_in_campaign_or_else_in_ims(void **state)
{
	const struct change_type *t = change("ims.token", "prove");

	(void)state;
	live("migrate", "STARTED", ON_JWT, RUNS);
	saw("campaign.access", "{'tenant':'shop-mkt-stage'}");
	assert_int_equal(TALK(t->apply, { 200, "{'content':[]}" }), NEXT_DONE);
	assert_string_equal(rig.sent[0].conn, "campaign");
	assert_string_equal(rig.sent[0].path,
			    "/shop-mkt-stage/campaign/profileAndServices/profile");
	assert_string_equal(rig.sent[0].query, "_lineCount=1");
	assert_string_equal(rig.sent[0].headers[0].name, "X-Api-Key");
	assert_string_equal(rig.sent[0].headers[0].value, "cid");
	assert_true(rig.sent[0].flags & REQ_AS_MIGRATING);
	assert_int_equal(value_int_or(value_get(rig.call.marks, "token.proved_at"), 0), NOW);
	assert_int_equal(TALK(t->apply,
			      { 403, "{'error_code':'403023','message':'Profile is not valid'}" }),
			 NEXT_FAIL);
	assert_non_null(strstr(rig.err.msg, "shop-mkt-stage"));
	assert_non_null(strstr(rig.err.hint, "product profile"));
	assert_int_equal(TALK(t->apply, { 500, NULL }), NEXT_FAIL);
	assert_int_equal(rig.err.code, E_REMOTE);
	unknown("campaign.access", KNOWN_DENIED);
	assert_int_equal(TALK(t->apply, { 200, "{}" }), NEXT_DONE);
	assert_string_equal(rig.sent[0].conn, "ims");
	assert_string_equal(rig.sent[0].path, "/ims/profile/v1");
	assert_string_equal(rig.sent[0].query, "client_id=cid");
	assert_true(t->flags & CHANGE_MINTS);
	assert_int_equal(t->settled(&rig.view), SETTLED_NO);
	marks("{'token.proved_at':5}");
	assert_int_equal(t->settled(&rig.view), SETTLED_YES);
}

/* -- gates -- */

#define SAMPLES_MAX 4
static struct round {
	struct sample samples[SAMPLES_MAX];
	struct observation seen[SAMPLES_MAX];
	size_t count;
	struct mint mints[2];
	size_t mint_count;
	int64_t opened_ms, skew_ms;
	const char *limits;
	struct says says;
} rnd;

static void begin(const char *noted)
{
	rnd = (struct round){ .opened_ms = NOW - 30 * DAY,
			      .limits = "{'quiet':86400000,'token_life':86400000,'lag':600000}" };
	marks(noted);
}

static void sample_known(int64_t server_ms, enum known known, const char *facts)
{
	struct observation *o = &rnd.seen[rnd.count];

	assert_true(rnd.count < SAMPLES_MAX);
	*o = (struct observation){
		.thing = "console.usage", .known = known, .server_ms = server_ms, .why = "because"
	};
	o->facts = facts ? json(facts) : NULL;
	rnd.samples[rnd.count++] = (struct sample){ .now_ms = server_ms, .seen = o, .count = 1 };
	*slot("console.usage") = *o;
	rig.view.now_ms = server_ms;
}

static void sample(int64_t server_ms, const char *fmt, int64_t a, int64_t b)
{
	sample_known(
		server_ms, KNOWN_API,
		arena_printf(
			&rig.a,
			"{'secrets':1,'has_data':true,'oauth_last_used':%lld,'jwt_visible':%s,'jwt_last_used':%lld}",
			(long long)a, fmt, (long long)b));
}

static enum verdict ask_gate(const struct gate_type *t)
{
	const struct gate_view g = {
		.view = &rig.view,
		.limits = json(rnd.limits),
		.samples = rnd.samples,
		.sample_count = rnd.count,
		.mints = rnd.mints,
		.mint_count = rnd.mint_count,
		.opened_ms = rnd.opened_ms,
		.skew_ms = rnd.skew_ms,
	};

	rnd.says = (struct says){ .verdict = VERDICT_INCONCLUSIVE, .arena = &rig.a };
	t->judge(&g, &rnd.says);
	assert_int_not_equal(rnd.says.saw[0], 0);
	assert_int_not_equal(rnd.says.why[0], 0);
	assert_true((rnd.says.verdict == VERDICT_PASS) || !rnd.says.marks);
	return rnd.says.verdict;
}

#define RESTART (NOW - 2 * DAY)
static const char *restarted(int64_t at)
{
	return arena_printf(&rig.a, "{'restart.at':%lld}", (long long)at);
}

static enum verdict use_at(int64_t use)
{
	begin(restarted(RESTART));
	sample(RESTART + HOUR, "false", use, 0);
	return ask_gate(&gate_app_uses_oauth);
}

static void a_use_counts_when_it_is_newer_than_the_restart_by_a_minute(void **state)
{
	(void)state;
	assert_int_equal(use_at(RESTART + MINUTE), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, 0);
	assert_int_equal(use_at(RESTART + MINUTE + 1), VERDICT_PASS);
	assert_int_equal(value_int_or(value_get(rnd.says.marks, "oauth_use.at"), 0),
			 RESTART + MINUTE + 1);
	assert_int_equal(use_at(RESTART - 1), VERDICT_WAIT);
}

static void an_own_mint_does_not_count_and_another_clients_does_not_matter(void **state)
{
	(void)state;
	begin(restarted(RESTART));
	sample(RESTART + HOUR, "false", RESTART + 10 * MINUTE, 0);
	rnd.mints[0] = (struct mint){ "cid", RESTART + 5 * MINUTE, RESTART + 10 * MINUTE };
	rnd.mint_count = 1;
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_WAIT);
	assert_non_null(strstr(rnd.says.why, "own"));
	rnd.mints[0].to_ms -= 1;
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_PASS);
	rnd.mints[1] = (struct mint){ "other", RESTART + 5 * MINUTE, RESTART + 50 * MINUTE };
	rnd.mint_count = 2;
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_PASS);
	rnd.mints[1].client_id = "cid"; /* later than EVERY own mint */
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_WAIT);
}

static void no_data_never_passes(void **state)
{
	(void)state;
	begin(restarted(RESTART));
	sample_known(
		NOW, KNOWN_API,
		"{'secrets':1,'has_data':false,'oauth_last_used':0,'jwt_visible':false,'jwt_last_used':0}");
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_INCONCLUSIVE);
	begin("{'finalize.at':5}");
	sample_known(NOW, KNOWN_API, "{'secrets':1,'has_data':false,'oauth_last_used':0}");
	assert_int_equal(ask_gate(&gate_still_mints), VERDICT_INCONCLUSIVE);
	begin(restarted(RESTART));
	sample_known(NOW, KNOWN_FAILED, NULL);
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_INCONCLUSIVE);
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_INCONCLUSIVE);
}

static void clocks_that_differ_by_more_than_five_minutes_prove_nothing(void **state)
{
	(void)state;
	begin(restarted(RESTART));
	sample(NOW, "true", RESTART + HOUR, RESTART - HOUR);
	rnd.skew_ms = 5 * MINUTE;
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_PASS);
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_PASS);
	rnd.skew_ms = 5 * MINUTE + 1;
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_INCONCLUSIVE);
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_INCONCLUSIVE);
	marks("{'restart.at':1,'finalize.at':1}");
	assert_int_equal(ask_gate(&gate_still_mints), VERDICT_INCONCLUSIVE);
}

static void a_stale_answer_takes_no_use_back(void **state)
{
	(void)state;
	begin(restarted(RESTART));
	sample(RESTART + HOUR, "true", RESTART + 2 * MINUTE, RESTART + 30 * MINUTE);
	sample(NOW, "true", RESTART - HOUR, RESTART - HOUR);
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_PASS);
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_FAIL);
}

/* The run that failed was given up, whoever it was has been switched, and a new run restarts nothing. */
static void a_use_before_the_first_question_of_a_run_without_a_restart_is_waited_out(void **state)
{
	const int64_t use = NOW - 20 * HOUR, asked = NOW - 2 * HOUR;
	const int64_t ready = asked + 24 * HOUR + 10 * MINUTE;

	(void)state;
	begin("{}");
	know("app.workflow", KNOWN_BRIDGE,
	     arena_printf(&rig.a, "{'started_at':%lld}", (long long)(NOW - 25 * HOUR)));
	rnd.opened_ms = asked;
	sample(NOW, "true", NOW - 22 * HOUR, use);
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, ready);
	sample(ready, "true", NOW - 22 * HOUR, use);
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_PASS);
	assert_int_equal(value_int_or(value_get(rnd.says.marks, MARK_ASKED_SINCE), 0), asked);
	/* Asked again before finalize: the first question stays the first one, and what came after it is not excused. */
	marks(arena_printf(&rig.a, "{'jwt_quiet.since':%lld,'oauth_use.at':%lld}", (long long)asked,
			   (long long)(NOW - 22 * HOUR)));
	rnd.opened_ms = ready;
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_PASS);
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_PASS);
	sample(ready + HOUR, "true", NOW - 22 * HOUR, asked + 1);
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_FAIL);
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_FAIL);
}

static void without_a_restart_what_is_known_of_the_start_counts(void **state)
{
	(void)state;
	begin("{}");
	rnd.opened_ms = NOW - HOUR;
	sample(NOW, "false", NOW - 30 * MINUTE, 0);
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_PASS);
	rnd.opened_ms = NOW - 31 * MINUTE;
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_WAIT);
	know("app.workflow", KNOWN_BRIDGE,
	     arena_printf(&rig.a, "{'started_at':%lld}", (long long)(NOW - 2 * HOUR)));
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_PASS);
	marks(arena_printf(&rig.a, "{'app.workflow/restart.at':%lld}",
			   (long long)(NOW - 30 * MINUTE)));
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_WAIT);
}

static void a_noted_use_passes_until_jwt_is_used_after_it(void **state)
{
	int64_t use = RESTART + 10 * MINUTE;

	(void)state;
	begin(arena_printf(&rig.a, "{'restart.at':%lld,'oauth_use.at':%lld}", (long long)RESTART,
			   (long long)use));
	sample(NOW, "true", 0, use);
	rnd.mints[0] = (struct mint){ "cid", NOW - HOUR, NOW - HOUR + MINUTE };
	rnd.mint_count = 1; /* ours hides the app's, which is why it was noted */
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_PASS);
	sample(NOW, "true", 0, use + 1);
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_FAIL);
	/* A use from before another environment's restart says nothing about that one. */
	begin(arena_printf(&rig.a, "{'restart.at':%lld,'oauth_use.at':%lld}", (long long)use,
			   (long long)use));
	sample(NOW, "true", use, 0);
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_WAIT);
}

static void usages_that_nobody_may_read_are_asked_of_a_person(void **state)
{
	(void)state;
	begin(restarted(NOW - 11 * MINUTE + 1));
	sample_known(NOW, KNOWN_DENIED, NULL);
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_WAIT);
	assert_false(rnd.says.ask);
	assert_int_equal(rnd.says.until_ms, NOW + 1);
	marks(restarted(NOW - 11 * MINUTE));
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_WAIT);
	assert_true(rnd.says.ask);
	assert_string_equal(rnd.says.ask_thing, "console.usage");
	/* Typed to the minute: the earliest instant that was meant has to be newer. */
	begin(restarted(NOW - HOUR));
	sample_known(NOW, KNOWN_ATTESTED,
		     arena_printf(&rig.a, "{'oauth_last_used':%lld}",
				  (long long)(NOW - HOUR + 3 * MINUTE - 1)));
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_PASS);
	begin(restarted(NOW - HOUR));
	sample_known(NOW, KNOWN_ATTESTED,
		     arena_printf(&rig.a, "{'oauth_last_used':%lld}",
				  (long long)(NOW - HOUR + 2 * MINUTE - 1)));
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_WAIT);
	assert_true(rnd.says.ask);
	begin(restarted(NOW - HOUR));
	sample_known(NOW, KNOWN_ATTESTED, "{'oauth_last_used':'2026-11-23T09:30Z'}");
	assert_int_equal(ask_gate(&gate_app_uses_oauth), VERDICT_PASS);
}

/* JWT last used, restarted, and sampled at these times. */
static enum verdict quiet(int64_t last, int64_t restart, int64_t s)
{
	begin(restarted(restart));
	sample(s, "true", 0, last);
	return ask_gate(&gate_jwt_quiet);
}

static void quiet_is_a_day_and_the_lag_after_the_last_use(void **state)
{
	int64_t last = RESTART + 30 * WHEN_SECOND;

	(void)state;
	assert_int_equal(quiet(last, RESTART, last + DAY + 10 * MINUTE - 1), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, last + DAY + 10 * MINUTE);
	assert_int_equal(quiet(last, RESTART, last + DAY), VERDICT_WAIT); /* the lag is no luxury */
	assert_int_equal(quiet(last, RESTART, last + DAY + 10 * MINUTE), VERDICT_PASS);
	assert_false(rnd.says.ask);
}

static void quiet_counts_from_the_restart_as_well(void **state)
{
	(void)state;
	assert_int_equal(quiet(RESTART - 5 * DAY, RESTART, RESTART + DAY + 10 * MINUTE - 1),
			 VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, RESTART + DAY + 10 * MINUTE);
	assert_int_equal(quiet(RESTART - 5 * DAY, RESTART, RESTART + DAY + 10 * MINUTE),
			 VERDICT_PASS);
}

static void limits_move_the_boundary(void **state)
{
	(void)state;
	begin(restarted(RESTART));
	sample(RESTART + DAY + 10 * MINUTE, "true", 0, RESTART - HOUR);
	rnd.limits = "{'quiet':86400000,'token_life':90000000,'lag':600000}";
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, RESTART + 25 * HOUR + 10 * MINUTE);
	assert_int_equal(gate_jwt_quiet.earliest(json(rnd.limits)), 25 * HOUR + 10 * MINUTE);
	rnd.limits = "{'quiet':86400000,'token_life':3600000,'lag':1200000}";
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, RESTART + DAY + 20 * MINUTE);
	for (const struct field *f = gate_jwt_quiet.fields; f->name; f++)
		assert_int_equal(f->min, strcmp(f->name, "quiet") == 0 ? DAY :
					 strcmp(f->name, "lag") == 0   ? 10 * MINUTE :
									 HOUR);
}

static void a_jwt_use_after_the_restart_fails_and_says_when(void **state)
{
	(void)state;
	assert_int_equal(quiet(RESTART + MINUTE, RESTART, RESTART + 10 * DAY), VERDICT_PASS);
	assert_int_equal(quiet(RESTART + MINUTE + 1, RESTART, RESTART + 10 * DAY), VERDICT_FAIL);
	assert_non_null(strstr(rnd.says.why, "2026-11-21T10:01:00.001Z"));
	assert_non_null(strstr(rnd.says.why, "not declared under consumers"));
}

static void a_server_without_a_clock_is_inconclusive(void **state)
{
	(void)state;
	begin(restarted(RESTART));
	sample(NOW, "true", 0, RESTART - HOUR);
	rnd.seen[0].server_ms = 0;
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_INCONCLUSIVE);
}

#define EARLIEST (RESTART + DAY + 10 * MINUTE)
static enum verdict attest(int64_t now, const char *fmt, int64_t ms, int64_t asked)
{
	begin(restarted(RESTART));
	sample_known(
		now, KNOWN_API,
		arena_printf(
			&rig.a,
			"{'has_data':true,'oauth_last_used':1,'jwt_visible':false,'jwt_last_used':0,"
			"'attested':{'%s':%lld,'asked_at':%lld,'by':'ann'}}",
			fmt, (long long)ms, (long long)asked));
	return ask_gate(&gate_jwt_quiet);
}

static void what_the_api_does_not_show_is_asked_when_it_could_pass(void **state)
{
	(void)state;
	begin(restarted(RESTART));
	sample(EARLIEST - 1, "false", 1, 0);
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, EARLIEST);
	assert_false(rnd.says.ask);
	sample(EARLIEST, "false", 1, 0);
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_WAIT);
	assert_true(rnd.says.ask);
	assert_string_equal(rnd.says.ask_thing, "console.usage");
	begin(restarted(RESTART)); /* the same when nothing can be read */
	sample_known(EARLIEST, KNOWN_DENIED, NULL);
	assert_int_equal(ask_gate(&gate_jwt_quiet), VERDICT_WAIT);
	assert_true(rnd.says.ask);
}

static void an_attested_last_use_counts_as_of_the_asking(void **state)
{
	(void)state;
	assert_int_equal(attest(EARLIEST + MINUTE, "last_used", RESTART - DAY, EARLIEST),
			 VERDICT_PASS);
	assert_non_null(strstr(rnd.says.saw, "attested"));
	/* Asked too early for it to pass, however late it is by now. */
	assert_int_equal(attest(EARLIEST + MINUTE, "last_used", RESTART - DAY, EARLIEST - 1),
			 VERDICT_WAIT);
	assert_true(rnd.says.ask);
	/* A later last use moves the earliest time. */
	assert_int_equal(attest(EARLIEST, "last_used", RESTART + 59 * WHEN_SECOND, EARLIEST),
			 VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, EARLIEST + 59 * WHEN_SECOND);
	assert_false(rnd.says.ask);
	assert_int_equal(attest(EARLIEST, "last_used", RESTART + 5 * HOUR, EARLIEST), VERDICT_FAIL);
	assert_int_equal(attest(EARLIEST, "none_since", RESTART - 100 * DAY, EARLIEST),
			 VERDICT_PASS);
}

static void an_attestation_expires_after_an_hour(void **state)
{
	(void)state;
	assert_int_equal(attest(EARLIEST + HOUR, "last_used", RESTART - DAY, EARLIEST),
			 VERDICT_PASS);
	assert_int_equal(attest(EARLIEST + HOUR + 1, "last_used", RESTART - DAY, EARLIEST),
			 VERDICT_WAIT);
	assert_true(rnd.says.ask);
	assert_int_equal(gate_jwt_quiet.ask_valid_ms, HOUR);
}

static void a_coarse_reading_counts_late_for_quiet_and_early_for_blame(void **state)
{
	int64_t minute_end = RESTART + 2 * MINUTE - 1, day_end = RESTART - RESTART % DAY + DAY - 1;

	(void)state;
	/* "10:01": from 10:01:00.000, which is the margin and not after it, to 10:01:59.999. */
	assert_int_equal(attest(EARLIEST, "last_used", minute_end, EARLIEST), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, minute_end + DAY + 10 * MINUTE);
	assert_int_equal(attest(EARLIEST, "last_used", minute_end + MINUTE, EARLIEST),
			 VERDICT_FAIL);
	/* The day of the restart, read that day plus one: nobody can be blamed, and it is not quiet before the next. */
	assert_int_equal(attest(day_end + 12 * HOUR, "last_used", day_end, day_end + 12 * HOUR),
			 VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, day_end + DAY + 10 * MINUTE);
	assert_int_equal(attest(day_end + DAY + 10 * MINUTE, "last_used", day_end,
				day_end + DAY + 10 * MINUTE),
			 VERDICT_PASS);
}

static void the_app_has_to_mint_after_finalize(void **state)
{
	(void)state;
	begin(arena_printf(&rig.a, "{'console.migration/finalize.at':%lld}",
			   (long long)(NOW - HOUR)));
	sample(NOW, "true", NOW - 59 * MINUTE, 0);
	assert_int_equal(ask_gate(&gate_still_mints), VERDICT_WAIT);
	begin(arena_printf(&rig.a, "{'finalize.at':%lld}", (long long)(NOW - HOUR)));
	sample(NOW, "true", NOW - 59 * MINUTE + 1, 0);
	assert_int_equal(ask_gate(&gate_still_mints), VERDICT_PASS);
	rnd.mints[0] = (struct mint){ "cid", NOW - 59 * MINUTE, NOW - 58 * MINUTE };
	rnd.mint_count = 1;
	assert_int_equal(ask_gate(&gate_still_mints), VERDICT_WAIT);
	marks("{}");
	assert_int_equal(ask_gate(&gate_still_mints), VERDICT_INCONCLUSIVE);
}

/* The word of a person that is `age` old, on a status that no call can read. */
static enum verdict told(const char *status, int64_t age)
{
	begin("{}");
	saw("console.credential", "{'type':'migrate'}");
	saw("app.settings", "{'auth_type':'oauth','client_id':'cid'}");
	know("console.migration", KNOWN_ATTESTED, status);
	slot("console.migration")->server_ms = NOW - age;
	return ask_gate(&gate_still_started);
}

static void a_migration_that_somebody_ended_is_not_finalized(void **state)
{
	(void)state;
	begin("{}");
	saw("console.credential", "{'type':'migrate'}");
	saw("console.migration", "{'status':'STARTED'}");
	saw("app.settings", "{'auth_type':'oauth','client_id':'cid'}");
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_PASS);
	saw("console.credential", "{'type':'service'}");
	saw("console.migration", "{'status':'STARTED'}");
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_INCONCLUSIVE);
	saw("console.migration", "{'status':'NOT_STARTED'}");
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_FAIL);
	saw("console.credential", "{'type':'oauth'}");
	saw("console.migration", "{'status':'COMPLETED'}");
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_WAIT);
	assert_false(rnd.says.ask);
}

static void a_status_told_by_a_person_is_asked_again_after_an_hour(void **state)
{
	(void)state;
	assert_int_equal(told("{'status':'STARTED'}", HOUR), VERDICT_PASS);
	assert_int_equal(told("{'status':'STARTED'}", HOUR + 1), VERDICT_WAIT);
	assert_true(rnd.says.ask);
	assert_string_equal(rnd.says.ask_thing, "console.migration");
	know("console.migration", KNOWN_JOURNAL, "{'status':'STARTED'}");
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_WAIT);
	assert_true(rnd.says.ask);
	unknown("console.migration", KNOWN_FAILED); /* nonsense is no reason to believe a person */
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_WAIT);
	assert_false(rnd.says.ask);
	want("{'executors':{'finalize':'operator'}}"); /* who sees the card themselves */
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_PASS);
}

static void an_app_that_somebody_set_back_keeps_its_jwt_credential(void **state)
{
	(void)state;
	begin("{}");
	saw("console.credential", "{'type':'migrate'}");
	saw("console.migration", "{'status':'STARTED'}");
	saw("app.settings", "{'auth_type':'jwt','client_id':'cid'}");
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_FAIL);
	unknown("app.settings", KNOWN_FAILED);
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_WAIT);
	assert_false(rnd.says.ask);
	want("{'executors':{'finalize':'operator'}}"); /* who does not see the app there */
	saw("app.settings", "{'auth_type':'jwt','client_id':'cid'}");
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_FAIL);
	unknown("app.settings", KNOWN_DENIED); /* its own gates ask for its state */
	assert_int_equal(ask_gate(&gate_still_started), VERDICT_PASS);
}

static void safety_gates_cannot_be_made_optional(void **state)
{
	(void)state;
	for (const struct gate_type *const *g = console_provider.gates; *g; g++) {
		assert_true((*g)->is_safety);
		assert_non_null((*g)->cadence);
		assert_non_null((*g)->deadline);
	}
}

static void tables_name_only_what_is_there(void **state)
{
	(void)state;
	for (const struct capability *c = console_provider.capabilities; c->name; c++) {
		const char *slash = strchr(c->thing, '/');
		const char *thing =
			slash ? arena_strndup(&rig.a, c->thing, (size_t)(slash - c->thing)) :
				c->thing;

		assert_non_null(registry_thing(&registry, thing));
		if (slash)
			assert_non_null(registry_change(&registry, thing, slash + 1));
	}
	for (const struct thing_type *const *t = console_provider.things; *t; t++)
		for (const char *const *n = (*t)->needs; n && *n; n++)
			assert_non_null(registry_thing(&registry, *n));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_project_is_found_by_its_exact_title),
		T(a_project_is_read_by_id_and_ids_may_be_numbers),
		T(what_is_not_one_project_is_told_apart),
		T(a_500_for_a_project_says_that_it_may_be_missing),
		T(a_refused_read_is_denied_and_nonsense_is_not),
		T(credential_rows_are_read_in_every_spelling),
		T(a_row_of_two_types_or_without_an_id_is_an_error),
		T(nothing_is_asked_below_an_unknown_project),
		T(details_give_client_account_scopes_and_profiles),
		T(two_rows_are_compared),
		T(the_certificate_that_lives_longest_counts_in_either_unit),
		T(type_and_status_together_make_a_state),
		T(a_status_that_knows_no_jwt_id_means_not_started_only_for_a_jwt_row),
		T(usages_are_told_apart_by_grant),
		T(jwt_only_gives_the_whole_plan),
		T(jwt_only_with_an_unreadable_app_is_still_the_whole_plan),
		T(started_goes_on_where_it_is),
		T(converted_and_the_app_on_jwt_is_mended_without_a_contract_step),
		T(converted_and_failed_is_proved_after_its_restart),
		T(never_jwt_on_oauth_has_nothing_to_do),
		T(workflows_that_stay_stopped_prove_nothing),
		T(type_against_status_is_refused_showing_both),
		T(a_project_that_is_not_one_is_refused_once),
		T(generated_and_read_only_are_left_alone),
		T(another_client_id_and_differing_rows_are_refused_showing_both),
		T(none_or_many_credentials_are_refused),
		T(a_certificate_that_ends_is_warned_of_and_a_dead_one_refused),
		T(what_cannot_be_read_is_asked_of_a_person_at_once),
		T(what_failed_is_refused_not_attested),
		T(attested_facts_alone_lead_to_the_same_plan),
		T(finalize_is_one_patch_and_notes_when),
		T(a_page_of_a_proxy_is_no_act),
		T(finalize_is_done_when_completed_and_a_row_is_still_there),
		T(start_goes_through_the_bridge_and_settles_as_started),
		T(a_secret_goes_straight_to_its_reference),
		T(instructions_name_page_clicks_and_what_to_type),
		T(a_token_is_proved_in_campaign_or_else_in_ims),
		T(a_use_counts_when_it_is_newer_than_the_restart_by_a_minute),
		T(an_own_mint_does_not_count_and_another_clients_does_not_matter),
		T(no_data_never_passes),
		T(clocks_that_differ_by_more_than_five_minutes_prove_nothing),
		T(a_stale_answer_takes_no_use_back),
		T(without_a_restart_what_is_known_of_the_start_counts),
		T(a_use_before_the_first_question_of_a_run_without_a_restart_is_waited_out),
		T(a_noted_use_passes_until_jwt_is_used_after_it),
		T(usages_that_nobody_may_read_are_asked_of_a_person),
		T(quiet_is_a_day_and_the_lag_after_the_last_use),
		T(quiet_counts_from_the_restart_as_well),
		T(limits_move_the_boundary),
		T(a_jwt_use_after_the_restart_fails_and_says_when),
		T(a_server_without_a_clock_is_inconclusive),
		T(what_the_api_does_not_show_is_asked_when_it_could_pass),
		T(an_attested_last_use_counts_as_of_the_asking),
		T(an_attestation_expires_after_an_hour),
		T(a_coarse_reading_counts_late_for_quiet_and_early_for_blame),
		T(the_app_has_to_mint_after_finalize),
		T(a_migration_that_somebody_ended_is_not_finalized),
		T(a_status_told_by_a_person_is_asked_again_after_an_hour),
		T(an_app_that_somebody_set_back_keeps_its_jwt_credential),
		T(safety_gates_cannot_be_made_optional),
		T(tables_name_only_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
