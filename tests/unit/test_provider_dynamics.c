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
#include "providers/dynamics/dynamics.h"

#define T0 INT64_C(1795428000000) /* 2026-11-23T10:00:00Z */
#define GUID "0f0e0d0c-1111-2222-3333-444455556666"

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

static struct view view_of(const char *want, const char *marks)
{
	return (struct view){
		.env = "dev", .want = json(want), .marks = json(marks), .now_ms = T0
	};
}

static const char *header(const struct http_req *req, const char *name)
{
	for (size_t i = 0; i < HTTP_HEADERS_MAX && req->headers[i].name; i++)
		if (strcmp(req->headers[i].name, name) == 0)
			return req->headers[i].value;
	return NULL;
}

static void check_headers(const struct http_req *req)
{
	assert_string_equal(req->conn, "dynamics");
	assert_string_equal(header(req, "Accept"), "application/json");
	assert_string_equal(header(req, "OData-MaxVersion"), "4.0");
	assert_string_equal(header(req, "OData-Version"), "4.0");
}

/* Answers one request with each of the bodies, and ends with what the last answer leads to. */
static enum next converse(call_fn *fn, const struct view *v, struct call *c, struct http_req *reqs,
			  size_t count, const char *const *bodies, struct err *err)
{
	enum next next;

	*c = (struct call){ .arena = &mem, .view = v, .nonce = "n0nce" };
	*err = (struct err)ERR_INIT;
	next = fn(c, NULL, &reqs[0], err);
	for (size_t i = 0; i < count && next == NEXT_SEND; i++) {
		struct http_resp resp = { .status = 200, .body = json(bodies[i]) };
		struct http_req *req = &reqs[i + 1];

		*req = (struct http_req){ 0 };
		next = fn(c, &resp, req, err);
	}
	return next;
}

static void who_am_i_tells_organization_and_user(void **state)
{
	const struct view v = view_of("{}", "{}");
	struct http_req reqs[3];
	struct call c;
	struct err err;

	(void)state;
	assert_int_equal(
		converse(
			dynamics_access.observe, &v, &c, reqs, 1,
			(const char *const[]){
				"{'@odata.context':'x','BusinessUnitId':'b','UserId':'u','OrganizationId':'o'}" },
			&err),
		NEXT_DONE);
	check_headers(&reqs[0]);
	assert_string_equal(header(&reqs[0], "If-None-Match"), "null");
	assert_string_equal(reqs[0].path, "/WhoAmI");
	assert_string_equal(value_text(value_get(c.facts, "organization_id")), "o");
	assert_string_equal(value_text(value_get(c.facts, "user_id")), "u");
	assert_int_equal(converse(dynamics_access.observe, &v, &c, reqs, 1,
				  (const char *const[]){ "{'UserId':7}" }, &err),
			 NEXT_FAIL);
	assert_int_equal(err.code, E_REMOTE);
}

static void errors_are_explained_by_their_code_in_any_case(void **state)
{
	static const struct {
		int status;
		const char *body, *hint;
		enum err_code code;
	} cases[] = {
		{ 401, NULL, "auth.scopes", E_DENIED },
		{ 403,
		  "{'error':{'code':'0X80072560','message':'The user is not a member of the organization.'}}",
		  "application user", E_DENIED },
		{ 403, "{'error':{'code':'0x80040220','message':'no privilege'}}", "privilege",
		  E_DENIED },
		{ 403, "{'error':{'code':'','message':'no'}}", "", E_DENIED },
		{ 404, "{'error':{'code':'0x80040217','message':'Does Not Exist'}}",
		  "no such record", E_REMOTE },
		{ 404, "{'error':{'code':'0x80060888','message':'Resource not found'}}",
		  "/api/data/v9.2", E_REMOTE },
		{ 412, "{'error':{'code':'0x80060882','message':'mismatch'}}", "meanwhile",
		  E_REMOTE },
		{ 500, "'text'", "", E_REMOTE },
	};
	const struct http_req req = dynamics_get("/x", "read");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_resp resp = { .status = cases[i].status,
					  .body = cases[i].body ? json(cases[i].body) : NULL };
		struct err err = ERR_INIT;

		dynamics_unexpected(&req, &resp, &err);
		assert_int_equal(err.code, cases[i].code);
		assert_non_null(strstr(err.hint, cases[i].hint));
		if (!*cases[i].hint)
			assert_string_equal(err.hint, "");
	}
}

static void changed_contacts_are_asked_for_in_a_stable_order_and_paged_as_told(void **state)
{
	const struct view v = view_of("{}", "{'restart.at':1795428000123}");
	struct http_req reqs[4];
	struct call c;
	struct err err;
	const struct value *list;

	(void)state;
	assert_int_equal(
		converse(
			dynamics_contact.observe, &v, &c, reqs, 2,
			(const char *const[]){
				"{'value':[{'@odata.etag':'W/\\\"1\\\"','contactid':'a','emailaddress1':'a+1@x.org','modifiedon':'2026-11-23T10:00:05Z'},"
				"{'contactid':'b','emailaddress1':null,'modifiedon':'2026-11-23T10:00:06Z'}],"
				"'@odata.nextLink':'https://o.api.crm.dynamics.com/api/data/v9.2/contacts?$skiptoken=%3C1%3E'}",
				"{'value':[{'contactid':'A','emailaddress1':'a+1@x.org','modifiedon':'2026-11-23T10:00:07Z'}]}" },
			&err),
		NEXT_DONE);
	check_headers(&reqs[0]);
	assert_string_equal(reqs[0].path, "/contacts");
	assert_string_equal(
		reqs[0].query,
		"$select=contactid,emailaddress1,modifiedon&$filter=modifiedon%20ge%202026-11-23T10:00:00Z"
		"&$orderby=modifiedon%20asc,contactid%20asc");
	assert_string_equal(header(&reqs[0], "Prefer"), "odata.maxpagesize=500");
	assert_string_equal(
		reqs[1].href,
		"https://o.api.crm.dynamics.com/api/data/v9.2/contacts?$skiptoken=%3C1%3E");
	assert_null(reqs[1].path);
	assert_null(reqs[1].query);
	assert_string_equal(header(&reqs[1], "Prefer"), "odata.maxpagesize=500");
	check_headers(&reqs[1]);
	/* The contact that changed while we paged counts once, with its later state. */
	assert_int_equal(value_int_or(value_get(c.facts, "count"), 0), 2);
	assert_int_equal(value_int_or(value_get(c.facts, "newest"), 0), T0 + 7000);
	list = value_get(c.facts, "contacts");
	assert_int_equal(value_count(list), 2);
	assert_string_equal(value_text(value_get(value_at(list, 1), "id")), "A");
	assert_true(value_is_null(value_get(value_at(list, 0), "email")));
}

static void at_most_four_pages_and_the_newest_fifty_are_kept(void **state)
{
	const struct view v = view_of("{}", "{'app.workflow/restart.at':1795428000000}");
	const char *pages[6];
	struct http_req reqs[7];
	struct call c;
	struct err err;
	const struct value *list;

	(void)state;
	for (size_t p = 0; p < ARRAY_LEN(pages); p++) {
		CLEANUP(sb_done) struct sb out = SB_INIT(65536);

		sb_add(&out, "{'value':[");
		for (size_t i = 0; i < 20; i++)
			sb_addf(&out,
				"%s{'contactid':'%zu','modifiedon':'2026-11-23T10:%02zu:%02zuZ'}",
				i ? "," : "", p * 20 + i, p, i);
		sb_add(&out, "],'@odata.nextLink':'https://o/next'}");
		pages[p] = arena_strdup(&mem, out.buf);
	}
	assert_int_equal(converse(dynamics_contact.observe, &v, &c, reqs, 6, pages, &err),
			 NEXT_DONE);
	assert_int_equal(value_int_or(value_get(c.facts, "count"), 0), 80);
	list = value_get(c.facts, "contacts");
	assert_int_equal(value_count(list), 50);
	assert_string_equal(value_text(value_get(value_at(list, 0), "id")), "30");
	assert_string_equal(value_text(value_get(value_at(list, 49), "id")), "79");
}

static void without_a_restart_there_is_nothing_to_ask(void **state)
{
	struct view v = view_of("{}", "{}");
	const struct observation app[] = { { .thing = "app.workflow",
					     .known = KNOWN_BRIDGE,
					     .facts = json("{'started_at':1795428000000}") } };
	struct http_req reqs[2];
	struct call c;
	struct err err;

	(void)state;
	assert_int_equal(converse(dynamics_contact.observe, &v, &c, reqs, 0, NULL, &err),
			 NEXT_DONE);
	assert_int_equal(value_int_or(value_get(c.facts, "count"), -1), 0);
	/* A restart that is only known by when the workflows started. */
	v.seen = app;
	v.seen_count = 1;
	assert_int_equal(converse(dynamics_contact.observe, &v, &c, reqs, 0, NULL, &err),
			 NEXT_SEND);
	assert_non_null(strstr(reqs[0].query, "2026-11-23T10:00:00Z"));
}

static void contacts_of_an_odd_shape_are_refused(void **state)
{
	static const char *const odd[] = {
		"{}",
		"{'value':{}}",
		"{'value':[7]}",
		"{'value':[{'contactid':'a'}]}",
		"{'value':[{'contactid':'a','modifiedon':'lately'}]}",
		"{'value':[{'contactid':7,'modifiedon':'2026-11-23T10:00:05Z'}]}",
	};
	const struct view v = view_of("{}", "{'restart.at':1795428000000}");
	struct http_req reqs[2];
	struct call c;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		assert_int_equal(converse(dynamics_contact.observe, &v, &c, reqs, 1, &odd[i], &err),
				 NEXT_FAIL);
		assert_int_equal(err.code, E_REMOTE);
	}
}

#define CANARY "{'dynamics':{'canary':{'contact':'" GUID "','field':'description'}}}"

static void a_canary_is_the_only_contact_that_is_read_and_only_once_it_changed(void **state)
{
	const struct view v = view_of(CANARY, "{'restart.at':1795428000000}");
	struct http_req reqs[2];
	struct call c;
	struct err err;

	(void)state;
	assert_int_equal(
		converse(
			dynamics_contact.observe, &v, &c, reqs, 1,
			(const char *const[]){
				"{'contactid':'" GUID
				"','emailaddress1':'c@x.org','modifiedon':'2026-11-23T10:00:05Z','description':'s2sctl n0nce'}" },
			&err),
		NEXT_DONE);
	assert_string_equal(reqs[0].path, "/contacts(" GUID ")");
	assert_string_equal(reqs[0].query,
			    "$select=contactid,emailaddress1,modifiedon,description");
	assert_null(header(&reqs[0], "Prefer"));
	assert_string_equal(value_text(value_path(value_at(value_get(c.facts, "contacts"), 0),
						  "value")),
			    "s2sctl n0nce");
	assert_int_equal(
		converse(
			dynamics_contact.observe, &v, &c, reqs, 1,
			(const char *const[]){
				"{'contactid':'" GUID
				"','emailaddress1':'c@x.org','modifiedon':'2026-11-23T09:59:59Z','description':null}" },
			&err),
		NEXT_DONE);
	assert_int_equal(value_int_or(value_get(c.facts, "count"), -1), 0);
}

static void the_touch_only_ever_updates(void **state)
{
	const struct view v = view_of(CANARY, "{}");
	static const int fine[] = { 200, 204 };
	struct http_req req;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		struct call c = { .arena = &mem, .view = &v, .nonce = "n0nce" };

		err = (struct err)ERR_INIT;
		assert_int_equal(dynamics_touch.apply(&c, NULL, &req, &err), NEXT_SEND);
		assert_int_equal(dynamics_touch.apply(&c, &(struct http_resp){ .status = fine[i] },
						      &(struct http_req){ 0 }, &err),
				 NEXT_DONE);
	}
	check_headers(&req);
	assert_string_equal(req.method, "PATCH");
	assert_string_equal(req.path, "/contacts(" GUID ")");
	assert_string_equal(header(&req, "If-Match"), "*");
	assert_string_equal(header(&req, "Content-Type"), "application/json; charset=utf-8");
	assert_null(header(&req, "If-None-Match"));
	assert_true(value_equal(req.body, json("{'description':'s2sctl n0nce'}")));
}

static void a_touch_that_fails_says_what_to_look_at(void **state)
{
	static const struct {
		int status;
		const char *body, *hint;
	} cases[] = {
		{ 404, "{'error':{'code':'0x80040217','message':'no'}}", "no such record" },
		{ 412, "{'error':{'code':'','message':'no'}}", "meanwhile" },
		{ 400, "{'error':{'code':'0x80060888','message':'no property'}}",
		  "dynamics.canary.field" },
	};
	const struct view v = view_of(CANARY, "{}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call c = { .arena = &mem, .view = &v, .nonce = "n0nce" };
		struct http_resp resp = { .status = cases[i].status, .body = json(cases[i].body) };
		struct http_req req;
		struct err err = ERR_INIT;

		assert_int_equal(dynamics_touch.apply(&c, NULL, &req, &err), NEXT_SEND);
		assert_int_equal(dynamics_touch.apply(&c, &resp, &req, &err), NEXT_FAIL);
		assert_non_null(strstr(err.hint, cases[i].hint));
	}
}

#define TRIED "{'restart.at':1795428000000,'dynamics.canary/touch.nonce':'n0nce'}"

static void a_touch_is_settled_by_its_own_mark_on_the_contact(void **state)
{
	struct view v = view_of(CANARY, TRIED);
	struct observation seen[] = { { .thing = "dynamics.contact", .known = KNOWN_API } };

	(void)state;
	assert_int_equal(dynamics_touch.settled(&v), SETTLED_UNKNOWN);
	v.seen = seen;
	v.seen_count = 1;
	seen[0].facts = json("{'contacts':[]}");
	assert_int_equal(dynamics_touch.settled(&v), SETTLED_NO);
	seen[0].facts =
		json("{'contacts':[{'id':'" GUID "','modified_at':1000,'value':'s2sctl n0nce'}]}");
	assert_int_equal(dynamics_touch.settled(&v), SETTLED_YES);
	/* Another run's, however new. */
	seen[0].facts = json("{'contacts':[{'id':'" GUID
			     "','modified_at':1795428100000,'value':'s2sctl other'}]}");
	assert_int_equal(dynamics_touch.settled(&v), SETTLED_NO);
	seen[0].facts = json("{'contacts':[{'id':'" GUID "','modified_at':1000}]}");
	assert_int_equal(dynamics_touch.settled(&v), SETTLED_NO);
	/* Not tried yet: what is there was there before. */
	v.marks = json("{'restart.at':1795428000000}");
	seen[0].facts =
		json("{'contacts':[{'id':'" GUID "','modified_at':1000,'value':'s2sctl n0nce'}]}");
	assert_int_equal(dynamics_touch.settled(&v), SETTLED_NO);
}

/* Dynamics' clock is four minutes behind the one by which the restart was seen. */
static void a_clock_that_is_behind_does_not_hide_the_touch(void **state)
{
	struct view v = view_of(CANARY, TRIED);
	struct observation seen[] = { { .thing = "dynamics.contact", .known = KNOWN_API } };
	struct http_req reqs[2];
	struct call c;
	struct err err;

	(void)state;
	assert_int_equal(
		converse(
			dynamics_contact.observe, &v, &c, reqs, 1,
			(const char *const[]){
				"{'contactid':'" GUID
				"','emailaddress1':'c@x.org','modifiedon':'2026-11-23T09:56:05Z','description':'s2sctl n0nce'}" },
			&err),
		NEXT_DONE);
	assert_int_equal(value_int_or(value_get(c.facts, "count"), -1), 1);
	seen[0].facts = c.facts;
	v.seen = seen;
	v.seen_count = 1;
	assert_int_equal(dynamics_touch.settled(&v), SETTLED_YES);
}

static void a_page_instead_of_an_answer_is_no_touch(void **state)
{
	const struct view v = view_of(CANARY, "{}");
	struct call c = { .arena = &mem, .view = &v, .nonce = "n0nce" };
	struct http_req req;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(dynamics_touch.apply(&c, NULL, &req, &err), NEXT_SEND);
	assert_int_equal(dynamics_touch.apply(&c,
					      &(struct http_resp){ .status = 200,
								   .text = "<html>sign in</html>" },
					      &req, &err),
			 NEXT_FAIL);
	assert_int_equal(err.code, E_REMOTE);
}

/* --- diff, after an app that is proved --- */

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
static const struct provider *const providers[] = { &app, &dynamics_provider, NULL };
static const struct registry registry = { providers };

static void a_declared_canary_is_touched_when_the_app_is_proved(void **state)
{
	struct view v = view_of(CANARY, "{}");
	struct changes c;
	struct err err = ERR_INIT;

	(void)state;
	app_is_proved = true;
	assert_int_equal(changes_collect(&c, &registry, &mem, &v, &err), 0);
	assert_int_equal(c.count, 2);
	assert_ptr_equal(c.list[1].type, &dynamics_touch);
	app_is_proved = false;
	assert_int_equal(changes_collect(&c, &registry, &mem, &v, &err), 0);
	assert_int_equal(c.count, 0);
	app_is_proved = true;
	v = view_of("{'dynamics':{}}", "{}");
	assert_int_equal(changes_collect(&c, &registry, &mem, &v, &err), 0);
	assert_int_equal(c.count, 1);
	v = view_of("{'dynamics':{'canary':{'contact':'{" GUID "}','field':'description'}}}", "{}");
	assert_int_equal(changes_collect(&c, &registry, &mem, &v, &err), 0);
	assert_int_equal(c.count, 1);
	assert_int_equal(c.findings[0].kind, FIND_REFUSE);
}

static void only_whole_guids_are_guids(void **state)
{
	(void)state;
	assert_true(dynamics_is_guid(GUID));
	assert_true(dynamics_is_guid("0F0E0D0C-1111-2222-3333-44445555666A"));
	assert_false(dynamics_is_guid(""));
	assert_false(dynamics_is_guid("0f0e0d0c-1111-2222-3333-44445555666"));
	assert_false(dynamics_is_guid(GUID "7"));
	assert_false(dynamics_is_guid("0f0e0d0c11112222-3333-444455556666----"));
	assert_false(dynamics_is_guid("{" GUID "}"));
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, forget)
	const struct CMUnitTest tests[] = {
		T(who_am_i_tells_organization_and_user),
		T(errors_are_explained_by_their_code_in_any_case),
		T(changed_contacts_are_asked_for_in_a_stable_order_and_paged_as_told),
		T(at_most_four_pages_and_the_newest_fifty_are_kept),
		T(without_a_restart_there_is_nothing_to_ask),
		T(contacts_of_an_odd_shape_are_refused),
		T(a_canary_is_the_only_contact_that_is_read_and_only_once_it_changed),
		T(the_touch_only_ever_updates),
		T(a_touch_that_fails_says_what_to_look_at),
		T(a_touch_is_settled_by_its_own_mark_on_the_contact),
		T(a_clock_that_is_behind_does_not_hide_the_touch),
		T(a_page_instead_of_an_answer_is_no_touch),
		T(a_declared_canary_is_touched_when_the_app_is_proved),
		T(only_whole_guids_are_guids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
