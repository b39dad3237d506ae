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
#include "providers/campaign/campaign.h"

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

#define SEEN_MAX 6
struct scene {
	struct observation seen[SEEN_MAX];
	struct view view;
};

static void scene_init(struct scene *s, const char *want, const char *marks)
{
	*s = (struct scene){
		.view = { .env = "dev", .want = json(want), .marks = json(marks), .now_ms = T0 }
	};
	s->view.seen = s->seen;
}

static void see(struct scene *s, const char *thing, enum known known, const char *facts)
{
	size_t i = 0;

	while (i < s->view.seen_count && strcmp(s->seen[i].thing, thing) != 0)
		i++;
	assert_true(i < SEEN_MAX);
	s->seen[i] = (struct observation){ .thing = thing,
					   .known = known,
					   .facts = facts ? json(facts) : NULL };
	s->view.seen_count = MAX_OF(s->view.seen_count, i + 1);
}

/* Answers each request with the next body; reqs[i] is the request that bodies[i] answers. */
static enum next converse(call_fn *fn, const struct scene *s, struct call *c, struct http_req *reqs,
			  size_t count, const char *const *bodies, struct err *err)
{
	enum next next;

	*c = (struct call){ .arena = &mem, .view = &s->view };
	*err = (struct err)ERR_INIT;
	reqs[0] = (struct http_req){ 0 };
	next = fn(c, NULL, &reqs[0], err);
	for (size_t i = 0; i < count && next == NEXT_SEND; i++) {
		struct http_resp resp = { .status = 200, .body = json(bodies[i]) };

		assert_string_equal(reqs[i].method, "GET");
		assert_string_equal(reqs[i].conn, "campaign");
		assert_string_equal(reqs[i].headers[0].name, "Cache-Control");
		assert_string_equal(reqs[i].headers[1].value, "application/json");
		reqs[i + 1] = (struct http_req){ 0 };
		next = fn(c, &resp, &reqs[i + 1], err);
	}
	return next;
}

static enum next refused(call_fn *fn, const struct scene *s, int status, const char *body,
			 const char *text, struct err *err)
{
	struct call c = { .arena = &mem, .view = &s->view };
	struct http_resp resp = { .status = status,
				  .body = body ? json(body) : NULL,
				  .text = text };
	struct http_req req;

	*err = (struct err)ERR_INIT;
	assert_int_equal(fn(&c, NULL, &req, err), NEXT_SEND);
	return fn(&c, &resp, &req, err);
}

#define WANT "{'campaign':{'tenant':'shop'}}"
#define WANT_FILTER                                                                                \
	"{'campaign':{'tenant':'shop','filter':{'name':'byExternalId','parameter':'id_parameter'}}}"

static void access_asks_for_one_profile_of_the_tenant(void **state)
{
	struct scene s;
	struct http_req reqs[2];
	struct call c;
	struct err err;

	(void)state;
	scene_init(&s, WANT, "{}");
	assert_int_equal(converse(campaign_access.observe, &s, &c, reqs, 1,
				  (const char *const[]){
					  "{'content':[],'serverSidePagination':true}" },
				  &err),
			 NEXT_DONE);
	assert_string_equal(reqs[0].path, "/shop/campaign/profileAndServices/profile");
	assert_string_equal(reqs[0].query, "_lineCount=1&_forcePagination=true");
	assert_string_equal(value_text(value_get(c.facts, "tenant")), "shop");
	assert_int_equal(converse(campaign_access.observe, &s, &c, reqs, 1,
				  (const char *const[]){ "{'content':{}}" }, &err),
			 NEXT_FAIL);
	scene_init(&s, "{}", "{}");
	assert_int_equal(converse(campaign_access.observe, &s, &c, reqs, 0, NULL, &err), NEXT_FAIL);
	assert_int_equal(err.code, E_DENIED);
}

static void refusals_are_explained_and_a_wrong_tenant_is_no_passing_fault(void **state)
{
	static const struct {
		int status;
		const char *body, *text, *hint;
		enum err_code code;
	} cases[] = {
		{ 500,
		  "{'code':500,'message':'Oops. Something went wrong. Check your URI and try again.'}",
		  NULL, "campaign.tenant 'shop' is wrong", E_REMOTE },
		{ 502, NULL, "Oops. Something went wrong. Check your URI and try again.",
		  "-mkt-stage", E_REMOTE },
		{ 500, "{'error_code':'RST-360011','error_title':'x'}", NULL, "", E_REMOTE },
		{ 500, NULL, "RST-360011 An error\nXTK-170006 more", "", E_REMOTE },
		{ 403, "{'error_code':'403023','message':'Profile is not valid'}", NULL,
		  "do not cover tenant 'shop'", E_DENIED },
		{ 403, "{'error_code':403023,'message':'Profile is not valid'}", NULL,
		  "do not cover", E_DENIED },
		{ 401, "{'error_code':'401013','message':'Oauth token is not valid'}", NULL,
		  "has ended", E_DENIED },
		{ 403, "{'error_code':'403003','message':'Api Key is invalid'}", NULL,
		  "Campaign API", E_DENIED },
		{ 404, NULL, NULL, "", E_REMOTE },
	};
	struct scene s;
	struct err err;

	(void)state;
	scene_init(&s, WANT, "{}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(refused(campaign_access.observe, &s, cases[i].status,
					 cases[i].body, cases[i].text, &err),
				 NEXT_FAIL);
		assert_int_equal(err.code, cases[i].code);
		if (*cases[i].hint)
			assert_non_null(strstr(err.hint, cases[i].hint));
		else
			assert_string_equal(err.hint, "");
	}
}

#define TYPE                                                                                       \
	"{'filters':{'href':'https://mc.adobe.io/shop/campaign/profileAndServices/resourceType/@k/filters/'}}"

static void a_filter_is_checked_against_the_metadata(void **state)
{
	static const struct {
		const char *filters, *filter, *template;
	} cases[] = {
		{ "{'byExternalId':{'data':'https://mc.adobe.io/shop/campaign/profileAndServicesExt/profile/byExternalId?id_parameter=$value'}}",
		  "byExternalId",
		  "https://mc.adobe.io/shop/campaign/profileAndServicesExt/profile/byExternalId" },
		{ "{'ExternalId':{'data':'/profileAndServicesExt/profile/byExternalId?x=$value&id_parameter=$value'}}",
		  "byExternalId", "/profileAndServicesExt/profile/byExternalId" },
		{ "{'byExternalId':{'data':'/profileAndServicesExt/profile/byExternalId?id_parameter2=$value'}}",
		  "", NULL },
		{ "{'byExternalId':{'data':'/profileAndServicesExt/profile/byExternalId'}}", "",
		  NULL },
		{ "{'byExternalId':{'data':'/elsewhere?id_parameter=$value'}}", "", NULL },
		{ "{'byExternalId':{'data':7}}", "", NULL },
		{ "{'byExternalId':'odd'}", "", NULL },
		{ "{'byText':{'data':'/profileAndServices/profile/byText?text=$value'}}", "",
		  NULL },
		{ "{}", "", NULL },
	};
	struct scene s;
	struct http_req reqs[3];
	struct call c;
	struct err err;

	(void)state;
	scene_init(&s, WANT_FILTER, "{}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(converse(campaign_filter.observe, &s, &c, reqs, 2,
					  (const char *const[]){ TYPE, cases[i].filters }, &err),
				 NEXT_DONE);
		assert_string_equal(reqs[0].path,
				    "/shop/campaign/profileAndServices/resourceType/profile");
		assert_null(reqs[1].path);
		assert_string_equal(
			reqs[1].href,
			"https://mc.adobe.io/shop/campaign/profileAndServices/resourceType/@k/filters/");
		assert_string_equal(value_text(value_get(c.facts, "filter")), cases[i].filter);
		assert_int_equal(value_bool_or(value_get(c.facts, "fallback"), false),
				 !cases[i].template);
		if (cases[i].template)
			assert_string_equal(value_text(value_get(c.facts, "template")),
					    cases[i].template);
	}
	assert_int_equal(converse(campaign_filter.observe, &s, &c, reqs, 2,
				  (const char *const[]){ TYPE, "[]" }, &err),
			 NEXT_FAIL);
	assert_int_equal(converse(campaign_filter.observe, &s, &c, reqs, 1,
				  (const char *const[]){ "{'filters':[]}" }, &err),
			 NEXT_FAIL);
	scene_init(&s, WANT, "{}");
	assert_int_equal(converse(campaign_filter.observe, &s, &c, reqs, 0, NULL, &err), NEXT_DONE);
	assert_true(value_bool_or(value_get(c.facts, "fallback"), false));
}

static void the_opt_out_workflow_tells_its_state_by_any_of_the_likely_names(void **state)
{
	static const struct {
		const char *body, *state;
	} cases[] = {
		{ "{'PKey':'@x','activities':{}}", "unknown" },
		{ "{'state':'started'}", "started" },
		{ "{'state':null,'status':'Erroneous'}", "Erroneous" },
		{ "{'status':{},'executionState':11}", "11" },
		{ "{'state':''}", "unknown" },
		{ "[]", "unknown" },
	};
	struct scene s;
	struct http_req reqs[2];
	struct call c;
	struct err err;

	(void)state;
	scene_init(&s, "{'campaign':{'tenant':'shop','opt_out_workflow':'WKF 1'}}", "{}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(converse(campaign_optout.observe, &s, &c, reqs, 1, &cases[i].body,
					  &err),
				 NEXT_DONE);
		assert_string_equal(reqs[0].path, "/shop/campaign/workflow/execution/WKF%201");
		assert_string_equal(value_text(value_get(c.facts, "state")), cases[i].state);
	}
	assert_int_equal(refused(campaign_optout.observe, &s, 404, NULL, NULL, &err), NEXT_FAIL);
	assert_non_null(strstr(err.hint, "WKF 1"));
	scene_init(&s, WANT, "{}");
	assert_int_equal(converse(campaign_optout.observe, &s, &c, reqs, 0, NULL, &err), NEXT_DONE);
	assert_int_equal(value_count(c.facts), 0);
}

/* --- looking up profiles --- */

#define FALLBACK "{'filter':'','parameter':'','fallback':true}"
#define CONTACT(id, email, at) "{'id':'" id "','email':'" email "','modified_at':" at "}"
#define PROFILE(id, email, created, modified)                                                      \
	"{'PKey':'@1','externalId':'" id "','email':'" email "','created':'" created               \
	"','lastModified':'" modified "'}"

static void profiles_are_looked_up_by_address_and_compared_again(void **state)
{
	static const struct {
		const char *profile;
		int arrived;
	} cases[] = {
		/* byText finds prefixes: a longer address is another person. */
		{ PROFILE("AB-1", "A+b@x.org.uk", "2026-11-23 10:05:00.000Z",
			  "2026-11-23 10:05:00.000Z"),
		  0 },
		{ PROFILE("zz-9", "a+b@x.org", "2026-11-23 10:05:00.000Z",
			  "2026-11-23 10:05:00.000Z"),
		  0 },
		{ "{'email':'a+b@x.org','created':'2026-11-23 10:05:00.000Z'}", 0 },
		{ PROFILE("{AB-1}", "A+B@x.org", "2019-09-25 23:20:35.000Z",
			  "2026-11-23 10:00:10.000Z"),
		  1 },
		{ PROFILE("AB-1", "a+b@x.org", "2026-11-23T10:05:00Z", "odd"), 1 },
		/* Merely there, or from before the contact's change: no proof. */
		{ PROFILE("AB-1", "a+b@x.org", "2019-09-25 23:20:35.000Z",
			  "2026-11-23 10:00:09.999Z"),
		  0 },
		{ PROFILE("AB-1", "a+b@x.org", "2019-09-25 23:20:35.000Z",
			  "2026-11-23 09:00:00.000Z"),
		  0 },
		{ "7", 0 },
	};
	struct scene s;
	struct http_req reqs[2];
	struct call c;
	struct err err;

	(void)state;
	scene_init(&s, WANT, "{'restart.at':1795428000000}");
	see(&s, "campaign.filter", KNOWN_API, FALLBACK);
	see(&s, "dynamics.contact", KNOWN_API,
	    "{'contacts':[" CONTACT("ab-1", "a+b@x.org", "1795428010000") "]}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *body = arena_printf(&mem, "{'content':[%s]}", cases[i].profile);

		assert_int_equal(converse(campaign_profile.observe, &s, &c, reqs, 1, &body, &err),
				 NEXT_DONE);
		assert_string_equal(reqs[0].path,
				    "/shop/campaign/profileAndServices/profile/byText");
		assert_string_equal(
			reqs[0].query,
			"text=a%2Bb%40x.org&filterType=email&_lineCount=25&_forcePagination=true");
		assert_int_equal(value_int_or(value_get(c.facts, "looked"), -1), 1);
		if (value_int_or(value_get(c.facts, "arrived"), -1) != cases[i].arrived)
			fail_msg("case %zu", i);
	}
}

static void a_profile_that_is_newer_than_an_older_contact_must_be_newer_than_the_restart_too(
	void **state)
{
	struct scene s;
	struct http_req reqs[2];
	struct call c;
	struct err err;
	const char *body = "{'content':[" PROFILE("a", "a@x.org", "2019-09-25 23:20:35.000Z",
						  "2026-11-23 10:00:00.000Z") "]}";

	(void)state;
	scene_init(&s, WANT, "{'restart.at':1795428000000}");
	see(&s, "campaign.filter", KNOWN_API, FALLBACK);
	see(&s, "dynamics.contact", KNOWN_API,
	    "{'contacts':[" CONTACT("a", "a@x.org", "1795427999000") "]}");
	assert_int_equal(converse(campaign_profile.observe, &s, &c, reqs, 1, &body, &err),
			 NEXT_DONE);
	assert_int_equal(value_int_or(value_get(c.facts, "arrived"), -1), 0);
}

static void the_custom_filter_is_used_where_it_is_known(void **state)
{
	static const struct {
		const char *filter, *path, *href;
	} cases[] = {
		{ "{'filter':'byExternalId','parameter':'id_parameter','fallback':false}",
		  "/shop/campaign/profileAndServicesExt/profile/byExternalId", NULL },
		{ "{'filter':'byExternalId','parameter':'id_parameter','fallback':false,'template':'/profileAndServices/profile/byExternalId'}",
		  "/shop/campaign/profileAndServices/profile/byExternalId", NULL },
		{ "{'filter':'byExternalId','parameter':'id_parameter','fallback':false,'template':'https://mc.adobe.io/shop/campaign/x/profile/byExternalId'}",
		  NULL, "https://mc.adobe.io/shop/campaign/x/profile/byExternalId" },
	};
	struct scene s;
	struct http_req reqs[2];
	struct call c;
	struct err err;
	const char *body = "{'content':[" PROFILE("AB-1", "other@x.org", "2026-11-23 10:00:20.000Z",
						  "2026-11-23 10:00:20.000Z") "]}";

	(void)state;
	scene_init(&s, WANT_FILTER, "{'restart.at':1795428000000}");
	see(&s, "dynamics.contact", KNOWN_API,
	    "{'contacts':[{'id':'ab-1','email':null,'modified_at':1795428010000}]}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct value *arrival;

		see(&s, "campaign.filter", KNOWN_API, cases[i].filter);
		assert_int_equal(converse(campaign_profile.observe, &s, &c, reqs, 1, &body, &err),
				 NEXT_DONE);
		if (cases[i].path)
			assert_string_equal(reqs[0].path, cases[i].path);
		if (cases[i].href)
			assert_string_equal(reqs[0].href, cases[i].href);
		assert_string_equal(reqs[0].query,
				    "id_parameter=ab-1&_lineCount=25&_forcePagination=true");
		assert_int_equal(value_int_or(value_get(c.facts, "arrived"), -1), 1);
		arrival = value_at(value_get(c.facts, "arrivals"), 0);
		assert_true(value_equal(
			arrival,
			json("{'contact':'ab-1','modified_at':1795428010000,'profile_at':1795428020000}")));
	}
	/* Without an address and without a filter there is nothing to look it up by. */
	see(&s, "campaign.filter", KNOWN_API, FALLBACK);
	assert_int_equal(converse(campaign_profile.observe, &s, &c, reqs, 0, NULL, &err),
			 NEXT_DONE);
	assert_int_equal(value_int_or(value_get(c.facts, "looked"), -1), 0);
}

static void next_pages_are_followed_as_given_and_only_a_few(void **state)
{
	struct scene s;
	struct http_req reqs[6];
	struct call c;
	struct err err;
	const char *more =
		"{'content':[],'next':{'href':'https://mc.adobe.io/shop/campaign/profile?_lineStart=%40x'}}";
	const char *pages[] = { more, more, more, more, more };

	(void)state;
	scene_init(&s, WANT, "{'restart.at':1795428000000}");
	see(&s, "campaign.filter", KNOWN_API, FALLBACK);
	see(&s, "dynamics.contact", KNOWN_API,
	    "{'contacts':[" CONTACT("a", "a@x.org", "1795428010000") "]}");
	assert_int_equal(converse(campaign_profile.observe, &s, &c, reqs, 5, pages, &err),
			 NEXT_DONE);
	assert_string_equal(reqs[3].href,
			    "https://mc.adobe.io/shop/campaign/profile?_lineStart=%40x");
	assert_null(reqs[3].query);
	assert_null(reqs[4].href);
	assert_int_equal(value_int_or(value_get(c.facts, "looked"), -1), 1);
}

static void the_three_newest_contacts_are_looked_up(void **state)
{
	struct scene s;
	struct http_req reqs[5];
	struct call c;
	struct err err;
	const char *none = "{'content':[]}";
	const char *pages[] = { none, none, none, none };

	(void)state;
	scene_init(&s, WANT, "{'restart.at':1795428000000}");
	see(&s, "campaign.filter", KNOWN_API, FALLBACK);
	see(&s, "dynamics.contact", KNOWN_API,
	    "{'contacts':[" CONTACT("a", "a@x.org", "4") "," CONTACT(
		    "b", "b@x.org",
		    "9") "," CONTACT("c", "", "99") "," CONTACT("d", "d@x.org",
								"7") "," CONTACT("e", "e@x.org",
										 "8") "]}");
	assert_int_equal(converse(campaign_profile.observe, &s, &c, reqs, 4, pages, &err),
			 NEXT_DONE);
	assert_non_null(strstr(reqs[0].query, "text=b%40"));
	assert_non_null(strstr(reqs[1].query, "text=e%40"));
	assert_non_null(strstr(reqs[2].query, "text=d%40"));
	assert_int_equal(value_int_or(value_get(c.facts, "looked"), -1), 3);
}

static void a_canary_arrives_with_its_new_value_whatever_the_times_say(void **state)
{
	struct scene s;
	struct http_req reqs[2];
	struct call c;
	struct err err;
	const char *old =
		"{'content':[{'externalId':'a','email':'a@x.org','lastModified':'2026-11-23 10:30:00.000Z','cusNote':'s2sctl 1'}]}";
	const char *new = "{'content':[{'externalId':'a','email':'a@x.org','cusNote':'s2sctl 2'}]}";

	(void)state;
	scene_init(
		&s,
		"{'campaign':{'tenant':'shop'},'dynamics':{'canary':{'contact':'a','field':'f','profile_field':'cusNote'}}}",
		"{'restart.at':1795428000000}");
	see(&s, "campaign.filter", KNOWN_API, FALLBACK);
	see(&s, "dynamics.contact", KNOWN_API,
	    "{'contacts':[{'id':'a','email':'a@x.org','modified_at':1795428010000,'value':'s2sctl 2'}]}");
	assert_int_equal(converse(campaign_profile.observe, &s, &c, reqs, 1, &old, &err),
			 NEXT_DONE);
	assert_int_equal(value_int_or(value_get(c.facts, "arrived"), -1), 0);
	assert_int_equal(converse(campaign_profile.observe, &s, &c, reqs, 1, &new, &err),
			 NEXT_DONE);
	assert_int_equal(value_int_or(value_get(c.facts, "arrived"), -1), 1);
}

static void profiles_of_an_odd_shape_are_refused(void **state)
{
	struct scene s;
	struct http_req reqs[2];
	struct call c;
	struct err err;
	const char *odd = "{'content':'none'}";

	(void)state;
	scene_init(&s, WANT, "{'restart.at':1795428000000}");
	see(&s, "dynamics.contact", KNOWN_API,
	    "{'contacts':[" CONTACT("a", "a@x.org", "1795428010000") "]}");
	assert_int_equal(converse(campaign_profile.observe, &s, &c, reqs, 1, &odd, &err),
			 NEXT_FAIL);
	assert_int_equal(err.code, E_REMOTE);
	assert_int_equal(refused(campaign_profile.observe, &s, 403, "{'error_code':'403023'}", NULL,
				 &err),
			 NEXT_FAIL);
	assert_int_equal(err.code, E_DENIED);
}

/* --- diffs, after an app that is proved --- */

static bool app_is_proved;
static const struct change_type stable = { .name = "stable", .doc = "", .phase = PHASE_PROVE };
static const struct change_type *const app_changes[] = { &stable, NULL };

static int app_diff(const struct view *v, struct changes *c, struct err *err)
{
	(void)v, (void)err;
	if (app_is_proved)
		changes_add(c, &stable, NULL, NULL, "prove");
	return 0;
}

static const struct thing_type app_thing = { .name = "app.workflow",
					     .doc = "",
					     .conn = "bridge",
					     .diff = app_diff,
					     .changes = app_changes };
static const struct thing_type *const app_things[] = { &app_thing, NULL };
static const struct provider app = { .name = "app", .doc = "", .things = app_things };
static const struct provider *const providers[] = { &app, &campaign_provider, NULL };
static const struct registry registry = { providers };

/* "arrive; warn filter-unknown" */
static const char *diff(const struct scene *s)
{
	static const char *const kinds[] = { "note", "warn", "leave", "refuse" };
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);
	struct changes c;
	struct err err = ERR_INIT;

	assert_int_equal(changes_collect(&c, &registry, &mem, &s->view, &err), 0);
	for (size_t i = 0; i < c.count; i++)
		if (c.list[i].type != &stable)
			sb_add(&out, c.list[i].type->name);
	for (size_t i = 0; i < c.finding_count; i++)
		sb_addf(&out, "%s%s %s", out.len ? "; " : "", kinds[c.findings[i].kind],
			c.findings[i].rule);
	return arena_strdup(&mem, out.buf);
}

static void arrival_is_proved_with_the_app_and_never_without(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, WANT, "{}");
	app_is_proved = false;
	assert_string_equal(diff(&s), "");
	app_is_proved = true;
	assert_string_equal(diff(&s), "arrive");
	see(&s, "dynamics.access", KNOWN_DENIED, NULL);
	assert_string_equal(diff(&s), "arrive; warn arrival-unproved");
	scene_init(&s, "{}", "{}");
	assert_string_equal(diff(&s), "note arrival-unproved");
}

static void an_unknown_filter_and_a_halted_opt_out_are_warned_of(void **state)
{
	struct scene s;

	(void)state;
	app_is_proved = false;
	scene_init(&s, WANT_FILTER, "{}");
	see(&s, "campaign.filter", KNOWN_API, FALLBACK);
	see(&s, "campaign.optout", KNOWN_API, "{'workflow':'WKF1','state':'Erroneous'}");
	assert_string_equal(diff(&s), "warn filter-unknown; warn opt-out-workflow");
	see(&s, "campaign.filter", KNOWN_API, "{'filter':'x','parameter':'y','fallback':false}");
	see(&s, "campaign.optout", KNOWN_API, "{'workflow':'WKF1','state':'unknown'}");
	assert_string_equal(diff(&s), "");
}

/* --- the gate --- */

struct rounds {
	struct observation seen[8][3];
	struct sample samples[8];
	size_t count;
};

static void sampled(struct rounds *r, int64_t at, int backlog, int contacts, int arrived)
{
	struct observation *o = r->seen[r->count];

	o[0] = (struct observation){ .thing = "app.workflow",
				     .known = KNOWN_BRIDGE,
				     .facts = json(arena_printf(&mem, "{'ingress_backlog':%d}",
								backlog)) };
	o[1] = (struct observation){ .thing = "dynamics.contact",
				     .known = KNOWN_API,
				     .facts = json(arena_printf(&mem, "{'count':%d}", contacts)) };
	o[2] = (struct observation){ .thing = "campaign.profile",
				     .known = KNOWN_API,
				     .facts = json(arena_printf(&mem, "{'arrived':%d}", arrived)) };
	r->samples[r->count++] = (struct sample){ .now_ms = at, .seen = o, .count = 3 };
}

static struct says ask(struct scene *s, const struct rounds *r, int64_t skew_ms)
{
	struct says says = { .verdict = VERDICT_FAIL, .arena = &mem };
	struct gate_view gv = { .view = &s->view,
				.limits = json("{'window':1800000}"),
				.samples = r->samples,
				.sample_count = r->count,
				.opened_ms = r->samples[0].now_ms,
				.skew_ms = skew_ms };

	s->view.now_ms = r->samples[r->count - 1].now_ms;
	campaign_records_arrive.judge(&gv, &says);
	return says;
}

static void one_arrival_since_the_restart_is_enough(void **state)
{
	struct scene s;
	struct rounds r = { .count = 0 };

	(void)state;
	scene_init(&s, WANT, "{'restart.at':1000000}");
	sampled(&r, 999999, 0, 3, 3); /* before the restart */
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_WAIT);
	sampled(&r, 1000001, 0, 3, 0);
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_WAIT);
	sampled(&r, 1060000, 9, 3, 1);
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_PASS);
	assert_int_equal(ask(&s, &r, 5 * WHEN_MINUTE).verdict, VERDICT_PASS);
	/* Clocks that far apart say nothing about before and after. */
	assert_int_equal(ask(&s, &r, 5 * WHEN_MINUTE + 1).verdict, VERDICT_INCONCLUSIVE);
	/* Once seen it stays seen, whatever cannot be read later. */
	sampled(&r, 1120000, 9, 3, 0);
	r.seen[3][2].known = KNOWN_FAILED;
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_PASS);
}

static void what_has_not_arrived_is_waited_for_and_then_inconclusive_never_failed(void **state)
{
	struct scene s;
	struct rounds r = { .count = 0 };
	struct says says;

	(void)state;
	scene_init(&s, WANT, "{'restart.at':1000}");
	sampled(&r, 2000, 0, 0, 0);
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_WAIT);
	sampled(&r, 1801999, 0, 0, 0);
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_WAIT);
	sampled(&r, 1802000, 0, 0, 0);
	says = ask(&s, &r, 0);
	assert_int_equal(says.verdict, VERDICT_INCONCLUSIVE);
	assert_non_null(strstr(says.why, "canary"));
	/* The window of a change begins when it was first seen. */
	sampled(&r, 1900000, 0, 2, 0);
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_WAIT);
	sampled(&r, 3699999, 0, 2, 0);
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_WAIT);
	sampled(&r, 3700000, 1, 2, 0); /* a backlog is a reason to wait */
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_WAIT);
	sampled(&r, 3700001, 0, 2, 0);
	says = ask(&s, &r, 0);
	assert_int_equal(says.verdict, VERDICT_INCONCLUSIVE);
	assert_non_null(strstr(says.why, "filters"));
}

static void what_cannot_be_read_waits_or_stays_open_with_its_reason(void **state)
{
	struct scene s;
	struct rounds r = { .count = 0 };
	struct says says;

	(void)state;
	scene_init(&s, WANT, "{'restart.at':1000}");
	sampled(&r, 2000, 0, 1, 0);
	r.seen[0][2].known = KNOWN_FENCED;
	r.seen[0][2].why = "the client is fenced";
	says = ask(&s, &r, 0);
	assert_int_equal(says.verdict, VERDICT_WAIT);
	assert_non_null(strstr(says.why, "the client is fenced"));
	r.seen[0][2].known = KNOWN_DENIED;
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_INCONCLUSIVE);
	r.seen[0][1].known = KNOWN_FAILED;
	says = ask(&s, &r, 0);
	assert_int_equal(says.verdict, VERDICT_WAIT);
	assert_non_null(strstr(says.why, "dynamics.contact"));
	/* The app itself need not be readable. */
	r.count = 0;
	sampled(&r, 2000, 0, 1, 1);
	r.seen[0][0] = (struct observation){ .thing = "app.workflow", .known = KNOWN_DENIED };
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_PASS);
	scene_init(&s, WANT, "{}");
	assert_int_equal(ask(&s, &r, 0).verdict, VERDICT_INCONCLUSIVE);
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, forget)
	const struct CMUnitTest tests[] = {
		T(access_asks_for_one_profile_of_the_tenant),
		T(refusals_are_explained_and_a_wrong_tenant_is_no_passing_fault),
		T(a_filter_is_checked_against_the_metadata),
		T(the_opt_out_workflow_tells_its_state_by_any_of_the_likely_names),
		T(profiles_are_looked_up_by_address_and_compared_again),
		T(a_profile_that_is_newer_than_an_older_contact_must_be_newer_than_the_restart_too),
		T(the_custom_filter_is_used_where_it_is_known),
		T(next_pages_are_followed_as_given_and_only_a_few),
		T(the_three_newest_contacts_are_looked_up),
		T(a_canary_arrives_with_its_new_value_whatever_the_times_say),
		T(profiles_of_an_odd_shape_are_refused),
		T(arrival_is_proved_with_the_app_and_never_without),
		T(an_unknown_filter_and_a_halted_opt_out_are_warned_of),
		T(one_arrival_since_the_restart_is_enough),
		T(what_has_not_arrived_is_waited_for_and_then_inconclusive_never_failed),
		T(what_cannot_be_read_waits_or_stays_open_with_its_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
