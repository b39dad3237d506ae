/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_provider_back.c - the way back, from JWT's point of view: which steps each live state gives, what refuses it, and the
 * boundaries of its three gates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#include "core/base/when.h"
#include "core/io/json.h"
#include "core/plan/changes.h"
#include "providers/console/things.h"
#include "providers/integration_app/app.h"
#include "providers/registry.h"

#define NOW INT64_C(1795428000000) /* 2026-11-23T10:00:00Z */
#define MINUTE WHEN_MINUTE
#define HOUR WHEN_HOUR
#define DAY WHEN_DAY

/* -- the rig: one environment's view, made of JSON -- */

#define SEEN_MAX 16
static struct rig {
	struct arena a;
	struct observation seen[SEEN_MAX];
	struct view view;
	struct changes changes;
	struct err err;
} rig;

static struct value *json(const char *text)
{
	char *copy = arena_strdup(&rig.a, text);
	struct value *v = NULL;
	struct err err = ERR_INIT;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (json_parse(&rig.a, copy, strlen(copy), NULL, NULL, NULL, &v, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return v;
}

#define WANT(credential, app)                                                                      \
	"{'project':{'organization':'ABC@AdobeOrg','title':'Shop'},"                               \
	"'app':{'instance':'shop','workflows':'keep','stopped_is_meant':true" app "},"             \
	"'executors':{'settings':'bridge'},"                                                       \
	"'credential':{'client_id':'cid','client_secret':{'ref':'file:secret'}" credential "}}"
#define KEY ",'private_key':{'ref':'file:key','late':true}"

static int set_up(void **state)
{
	(void)state;
	rig = (struct rig){ .a = ARENA_INIT };
	rig.view = (struct view){
		.env = "dev", .want = json(WANT(KEY, "")), .seen = rig.seen, .now_ms = NOW
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&rig.a);
	return 0;
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

static void know(const char *thing, enum known known, const char *facts)
{
	const struct thing_type *t = registry_thing(&registry_all, thing);
	struct value *v = json(facts);

	*slot(thing) = (struct observation){ .thing = thing, .known = known, .server_ms = NOW };
	if (t && t->derive)
		t->derive(&rig.view, &rig.a, v);
	slot(thing)->facts = v;
}

static void unknown(const char *thing, enum known known)
{
	*slot(thing) =
		(struct observation){ .thing = thing, .known = known, .why = "answered 403" };
}

#define ON_JWT "{'auth_type':'jwt','client_id':'cid','saved_at':1000}"
#define ON_OAUTH "{'auth_type':'oauth','client_id':'cid','saved_at':1000}"
#define RUNS "{'ingress':'RUNNING','egress':'RUNNING','opt-in-out':'STOPPED','started_at':2000}"
#define STANDS "{'ingress':'STOPPED','egress':'STOPPED','opt-in-out':'STOPPED','started_at':0}"
#define USED                                                                                       \
	"{'secrets':1,'has_data':true,'oauth_last_used':1,'jwt_visible':true,'jwt_last_used':1}"

static void live(const char *type, const char *status, const char *settings, const char *workflow)
{
	know("console.project", KNOWN_API,
	     "{'match':'one','ims_org':'ABC@AdobeOrg','org_id':'7','project_id':'8','workspace_id':'9','title':'Shop',"
	     "'workspace':'Default','auto_generated':false}");
	know("console.credential", KNOWN_API,
	     arena_printf(&rig.a, "{'rows':1,'type':'%s','credential_id':'81','oauth_id':'81'}",
			  type));
	know("console.client", KNOWN_API,
	     "{'client_id':'cid','technical_account_id':'T','scopes':[],'profiles':[],'read_only':false,'differs':[]}");
	know("console.certificate", KNOWN_API, "{'count':1,'not_after':1893456000000}");
	know("console.migration", KNOWN_API, arena_printf(&rig.a, "{'status':'%s'}", status));
	know("console.usage", KNOWN_API, USED);
	know("local.secret", KNOWN_API,
	     "{'credential.client_secret':true,'credential.private_key':true}");
	know("app.settings", KNOWN_BRIDGE, settings);
	know("app.workflow", KNOWN_BRIDGE, workflow);
}

static const char *steps(void)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);

	rig.err = (struct err)ERR_INIT;
	assert_int_equal(changes_collect_back(&rig.changes, &registry_all, &rig.a, &rig.view,
					      &rig.err),
			 0);
	for (size_t i = 0; i < rig.changes.count; i++)
		sb_addf(&out, "%s%s/%s", i ? " " : "", rig.changes.list[i].thing->name,
			rig.changes.list[i].type->name);
	return arena_strdup(&rig.a, out.buf);
}

static void check_finding(const char *rule, enum finding_kind kind)
{
	(void)steps();
	for (size_t i = 0; i < rig.changes.finding_count; i++)
		if (strcmp(rig.changes.findings[i].rule, rule) == 0 &&
		    rig.changes.findings[i].kind == kind)
			return;
	fail_msg("no finding '%s' of that kind", rule);
}

static bool refuses(void)
{
	(void)steps();
	return changes_found(&rig.changes, FIND_REFUSE);
}

/* -- which steps -- */

#define PROOF "console.usage/app-uses-jwt console.usage/oauth-quiet console.usage/still-mints-jwt"

static void who_was_switched_goes_all_the_way_back(void **state)
{
	(void)state;
	live("migrate", "STARTED", ON_OAUTH, RUNS);
	assert_string_equal(steps(),
			    "console.migration/cancel " PROOF
			    " app.settings/switch-back app.workflow/restart app.workflow/stable");
	assert_false(changes_found(&rig.changes, FIND_REFUSE));
	assert_int_equal(rig.changes.attest_count, 0);
}

static void who_never_was_is_proved_and_cancelled(void **state)
{
	(void)state;
	live("two-rows", "STARTED", ON_JWT, RUNS);
	rig.view.want = json(WANT("", "")); /* needs no key */
	assert_string_equal(steps(), "console.migration/cancel " PROOF " app.workflow/stable");
	assert_false(refuses());
}

static void who_was_set_back_by_hand_is_restarted(void **state)
{
	(void)state;
	live("migrate", "STARTED", "{'auth_type':'jwt','client_id':'cid','saved_at':3000}", RUNS);
	assert_string_equal(steps(), "console.migration/cancel " PROOF
				     " app.workflow/restart app.workflow/stable");
	assert_string_equal(rig.changes.list[4].reason, "restart-not-shown");
}

static void where_nothing_was_started_there_is_nothing_to_do(void **state)
{
	(void)state;
	live("service", "NOT_STARTED", ON_JWT, RUNS);
	assert_string_equal(steps(), "");
	assert_int_equal(rig.changes.finding_count, 0);
	unknown("app.settings", KNOWN_DENIED);
	assert_string_equal(steps(), "");
	assert_int_equal(rig.changes.attest_count, 0);
}

static void an_app_left_on_oauth_after_a_cancellation_is_an_outage_to_mend(void **state)
{
	(void)state;
	live("service", "NOT_STARTED", ON_OAUTH, RUNS);
	assert_string_equal(
		steps(),
		"console.usage/app-uses-jwt app.settings/switch-back app.workflow/restart app.workflow/stable");
	check_finding("outage", FIND_WARN);
}

static void what_is_converted_or_never_was_jwt_is_beyond(void **state)
{
	(void)state;
	live("oauth", "COMPLETED", ON_OAUTH, RUNS);
	assert_string_equal(steps(), "");
	check_finding("point-of-no-return", FIND_REFUSE);
	live("oauth", "NONE", ON_OAUTH, RUNS);
	check_finding("point-of-no-return", FIND_REFUSE);
	live("service", "STARTED", ON_JWT, RUNS);
	check_finding("type-and-status", FIND_REFUSE);
}

static void what_a_run_stopped_and_never_started_again_is_meant_to_run(void **state)
{
	(void)state;
	live("migrate", "STARTED", ON_OAUTH, STANDS);
	check_finding("proof-impossible", FIND_REFUSE);
	rig.view.marks = json("{'restart.before':" RUNS "}");
	assert_string_equal(steps(),
			    "console.migration/cancel " PROOF
			    " app.settings/switch-back app.workflow/restart app.workflow/stable");
	assert_string_equal(value_text(value_get(rig.changes.list[5].after, "ingress")), "RUNNING");
	assert_string_equal(value_text(value_get(rig.changes.list[5].after, "opt-in-out")),
			    "STOPPED");
}

/* -- what refuses it -- */

static void without_the_private_key_nothing_is_touched(void **state)
{
	(void)state;
	live("migrate", "STARTED", ON_OAUTH, RUNS);
	rig.view.want = json(WANT("", ""));
	check_finding("private-key-missing", FIND_REFUSE);
	know("local.secret", KNOWN_API, "{'credential.private_key':false}");
	rig.view.want = json(WANT(KEY, ""));
	check_finding("private-key-missing", FIND_REFUSE);
	rig.view.want = json(WANT("", ",'keeps_private_key':true"));
	assert_false(refuses());
	check_finding("private-key-kept", FIND_WARN);
}

static void a_certificate_has_to_outlive_the_proof(void **state)
{
	(void)state;
	live("migrate", "STARTED", ON_OAUTH, RUNS);
	know("console.certificate", KNOWN_API,
	     arena_printf(&rig.a, "{'count':1,'not_after':%lld}", (long long)NOW));
	check_finding("certificate-dead", FIND_REFUSE);
	know("console.certificate", KNOWN_API, "{'count':0,'not_after':0}");
	check_finding("certificate-dead", FIND_REFUSE);
	know("console.certificate", KNOWN_API,
	     arena_printf(&rig.a, "{'count':1,'not_after':%lld}", (long long)(NOW + HOUR - 1)));
	check_finding("certificate-ends", FIND_REFUSE);
	know("console.certificate", KNOWN_API,
	     arena_printf(&rig.a, "{'count':1,'not_after':%lld}", (long long)(NOW + HOUR)));
	assert_false(refuses());
	check_finding("certificate-ends", FIND_WARN);
	unknown("console.certificate", KNOWN_DENIED);
	(void)steps();
	assert_true(changes_attest_now(&rig.changes));
}

static void an_exchange_that_is_known_to_have_ended_refuses(void **state)
{
	(void)state;
	live("migrate", "STARTED", ON_OAUTH, RUNS);
	rig.view.want = json(WANT(KEY ",'jwt_exchange':'ended'", ""));
	check_finding("jwt-exchange-ended", FIND_REFUSE);
	rig.view.want = json(WANT(KEY ",'jwt_exchange':'works'", ""));
	assert_false(refuses());
	assert_int_equal(rig.changes.finding_count, 0);
	rig.view.want = json(WANT(KEY ",'jwt_exchange':'unknown'", ""));
	check_finding("jwt-exchange-unknown", FIND_WARN);
}

static void no_use_at_all_is_no_proof_that_nobody_uses_it(void **state)
{
	(void)state;
	live("migrate", "STARTED", ON_JWT, RUNS);
	know("console.usage", KNOWN_API,
	     "{'secrets':1,'has_data':false,'oauth_last_used':0,'jwt_visible':false,'jwt_last_used':0}");
	check_finding("proof-impossible", FIND_REFUSE);
}

static void what_is_another_project_forward_is_another_one_back(void **state)
{
	(void)state;
	live("migrate", "STARTED", ON_OAUTH, RUNS);
	know("console.client", KNOWN_API, "{'client_id':'another','differs':[]}");
	check_finding("client-id", FIND_REFUSE);
	live("migrate", "STARTED", "{'auth_type':'oauth','client_id':'another','saved_at':1000}",
	     RUNS);
	check_finding("client-mismatch", FIND_REFUSE);
}

static void what_nobody_can_read_is_asked_of_a_person(void **state)
{
	(void)state;
	live("migrate", "STARTED", ON_OAUTH, RUNS);
	unknown("app.settings", KNOWN_DENIED);
	unknown("app.workflow", KNOWN_DENIED);
	(void)steps();
	assert_true(changes_attest_now(&rig.changes));
	assert_int_equal(rig.changes.attest_count, 2);
}

static void a_forward_plan_warns_of_a_rollback_that_could_not_be(void **state)
{
	(void)state;
	live("migrate", "STARTED", ON_JWT, RUNS);
	rig.view.want = json("{'on_failure':'rollback','app':{'instance':'shop','workflows':'keep',"
			     "'stopped_is_meant':true},'credential':{'client_id':'cid'}}");
	assert_int_equal(changes_collect(&rig.changes, &registry_all, &rig.a, &rig.view, &rig.err),
			 0);
	for (size_t i = 0; i < rig.changes.finding_count; i++)
		if (strcmp(rig.changes.findings[i].rule, "private-key-missing") == 0)
			return;
	fail_msg("no warning");
}

/* -- cancelling -- */

static void cancelling_is_one_post_and_never_a_deletion(void **state)
{
	const struct change_type *t = registry_change(&registry_all, "console.migration", "cancel");
	struct call c = { .arena = &rig.a, .view = &rig.view };
	struct http_req req = { 0 };
	struct http_resp resp = { .status = 202 };

	(void)state;
	live("migrate", "STARTED", ON_JWT, RUNS);
	assert_int_equal(t->apply_bridge(&c, NULL, &req, &rig.err), NEXT_SEND);
	assert_string_equal(req.method, "POST");
	assert_string_equal(req.path, "/v1/console/credentials/81/cancel-migration");
	assert_int_equal(t->apply_bridge(&c, &resp, &req, &rig.err), NEXT_DONE);
	assert_int_equal(t->settled(&rig.view), SETTLED_NO);
	live("service", "NOT_STARTED", ON_JWT, RUNS);
	assert_int_equal(t->settled(&rig.view), SETTLED_YES);
	live("service", "STARTED", ON_JWT, RUNS); /* a list that is late, or worse */
	assert_int_equal(t->settled(&rig.view), SETTLED_NO);
	unknown("console.migration", KNOWN_DENIED);
	assert_int_equal(t->settled(&rig.view), SETTLED_UNKNOWN);
	assert_false(t->executors & EXEC_BIT(EXEC_API));
}

static void what_changed_since_the_gates_passed_is_seen_before_the_post(void **state)
{
	static const char *const worlds[][3] = { { "oauth", "COMPLETED", ON_JWT },
						 { "oauth", "STARTED", ON_JWT },
						 { "migrate", "STARTED", ON_OAUTH } };
	const struct change_type *t = registry_change(&registry_all, "console.migration", "cancel");
	struct instruction in;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
		struct call c = { .arena = &rig.a, .view = &rig.view };
		struct http_req req = { 0 };

		rig.err = (struct err)ERR_INIT;
		live(worlds[i][0], worlds[i][1], worlds[i][2], RUNS);
		assert_int_equal(t->apply_bridge(&c, NULL, &req, &rig.err), NEXT_FAIL);
		assert_int_equal(rig.err.code, E_GATE);
		rig.err = (struct err)ERR_INIT;
		assert_int_equal(t->instruct(&rig.view, &rig.a, &in, &rig.err), -E_GATE);
	}
}

/* -- setting the app back -- */

static void the_key_goes_by_reference_or_not_at_all(void **state)
{
	struct http_resp resp = { .status = 200, .body = NULL };
	struct http_req req = { 0 };

	(void)state;
	live("migrate", "STARTED", ON_OAUTH, RUNS);
	for (int kept = 0; kept < 2; kept++) {
		struct call c = { .arena = &rig.a, .view = &rig.view };

		rig.view.want = json(kept ? WANT("", ",'keeps_private_key':true") : WANT(KEY, ""));
		assert_int_equal(app_switch_back.apply_bridge(&c, NULL, &req, &rig.err), NEXT_SEND);
		assert_string_equal(req.method, "PUT");
		assert_string_equal(value_text(value_get(req.body, "auth_type")), "jwt");
		assert_string_equal(value_text(value_get(req.body, "client_id")), "cid");
		if (kept)
			assert_null(value_get(req.body, "private_key"));
		else
			assert_string_equal(value_text(value_path(req.body,
								  "private_key.$secret_ref")),
					    "file:key");
		resp.body = json("{'auth_type':'oauth','client_id':'cid'}");
		assert_int_equal(app_switch_back.apply_bridge(&c, &resp, &req, &rig.err),
				 NEXT_FAIL);
		assert_int_equal(rig.err.code, E_REMOTE);
		rig.err = (struct err)ERR_INIT;
		resp.body = json("{'auth_type':'jwt','client_id':'cid'}");
		assert_int_equal(app_switch_back.apply_bridge(&c, &resp, &req, &rig.err),
				 NEXT_DONE);
	}
	assert_int_equal(app_switch_back.settled(&rig.view), SETTLED_NO);
	know("app.settings", KNOWN_BRIDGE, ON_JWT);
	assert_int_equal(app_switch_back.settled(&rig.view), SETTLED_YES);
}

/* -- gates -- */

#define SAMPLES_MAX 4
static struct round {
	struct observation seen[SAMPLES_MAX];
	struct sample samples[SAMPLES_MAX];
	size_t count;
	struct mint mints[2];
	size_t mint_count;
	int64_t opened_ms, skew_ms;
	struct says says;
} rnd;

#define RESTART (NOW - 2 * DAY)
static void begin(const char *mark, int64_t at)
{
	rnd = (struct round){ .opened_ms = NOW - HOUR };
	rig.view.marks =
		json(mark ? arena_printf(&rig.a, "{'%s':%lld}", mark, (long long)at) : "{}");
	rig.view.seen_count = 0;
}
#define RESTARTED "restart.at"

static void sample_known(int64_t server_ms, enum known known, const char *facts)
{
	struct observation *o = &rnd.seen[rnd.count];

	assert_true(rnd.count < SAMPLES_MAX);
	*o = (struct observation){
		.thing = "console.usage", .known = known, .server_ms = server_ms, .why = "because"
	};
	o->facts = facts ? json(facts) : NULL;
	rnd.samples[rnd.count++] = (struct sample){ .now_ms = server_ms, .seen = o, .count = 1 };
	rig.view.now_ms = server_ms;
}

/* OAuth and JWT last used; JWT 0: the API does not show that grant. */
static void sample(int64_t server_ms, int64_t oauth, int64_t jwt)
{
	sample_known(
		server_ms, KNOWN_API,
		arena_printf(
			&rig.a,
			"{'secrets':1,'has_data':true,'oauth_last_used':%lld,'jwt_visible':%s,'jwt_last_used':%lld}",
			(long long)oauth, jwt ? "true" : "false", (long long)jwt));
}

/* What a person read of JWT from the card, asked when the sample was taken. */
static void sample_card(int64_t server_ms, int64_t last_used)
{
	sample_known(server_ms, KNOWN_API,
		     arena_printf(&rig.a,
				  "{'has_data':true,'oauth_last_used':1,'jwt_visible':false,"
				  "'attested':{'last_used':%lld,'asked_at':%lld,'by':'ann'}}",
				  (long long)last_used, (long long)server_ms));
}

static enum verdict ask_gate(const struct gate_type *t)
{
	const struct gate_view g = {
		.view = &rig.view,
		.limits = json("{'quiet':600000,'token_life':86400000,'lag':600000}"),
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
	assert_true(rnd.says.verdict == VERDICT_PASS || !rnd.says.marks);
	return rnd.says.verdict;
}

static enum verdict jwt_used(int64_t use)
{
	begin(RESTARTED, RESTART);
	sample(RESTART + HOUR, 1, use);
	return ask_gate(&gate_app_uses_jwt);
}

static void a_jwt_use_counts_when_it_is_newer_than_the_restart_by_a_minute(void **state)
{
	(void)state;
	assert_int_equal(jwt_used(RESTART - 1), VERDICT_WAIT);
	assert_int_equal(jwt_used(RESTART + MINUTE), VERDICT_WAIT);
	assert_false(rnd.says.ask);
	assert_int_equal(jwt_used(RESTART + MINUTE + 1), VERDICT_PASS);
	assert_int_equal(value_int_or(value_get(rnd.says.marks, "jwt_use.at"), 0),
			 RESTART + MINUTE + 1);
}

static void a_grant_that_is_not_jwt_by_name_proves_nothing(void **state)
{
	(void)state;
	begin(RESTARTED, RESTART);
	sample_known(NOW, KNOWN_API,
		     arena_printf(&rig.a,
				  "{'has_data':true,'oauth_last_used':1,'jwt_visible':true,"
				  "'jwt_last_used':%lld,'other_last_used':%lld}",
				  (long long)(NOW - HOUR), (long long)(NOW - HOUR)));
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
}

static void a_reading_to_the_minute_counts_as_its_first_moment(void **state)
{
	(void)state;
	/* "10:01" of a restart at 10:00:00: from 10:01:00.000 on, which is the margin and not after it. */
	begin(RESTARTED, RESTART);
	sample_card(RESTART + HOUR, RESTART + 2 * MINUTE - 1);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
	assert_non_null(strstr(rnd.says.why, "not newer"));
	/* ... and it is asked for again when another one can show, not at once. */
	assert_false(rnd.says.ask);
	assert_int_equal(rnd.says.until_ms, RESTART + HOUR + 10 * MINUTE);
	begin(RESTARTED, RESTART);
	sample_card(RESTART + HOUR, RESTART + 3 * MINUTE - 1);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_PASS);
	/* A whole day begins at midnight. */
	begin(RESTARTED, RESTART);
	sample_card(NOW, RESTART - RESTART % DAY + DAY - 1);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
}

/* The card may show no more than the day: whoever reads it is not asked every quarter of an hour until the next one. */
static void a_reading_to_the_day_is_asked_for_again_after_hours(void **state)
{
	int64_t day = RESTART - RESTART % DAY, asked = day + 10 * HOUR;

	(void)state;
	begin(RESTARTED, day + 9 * HOUR);
	sample_card(asked, day + DAY - 1);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, asked + 6 * HOUR + 10 * MINUTE);
	/* Tomorrow's date would prove it: it is asked for as soon as it can show. */
	asked = day + 22 * HOUR;
	begin(RESTARTED, day + 9 * HOUR);
	sample_card(asked, day + DAY - 1);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, day + DAY + 10 * MINUTE);
}

static void a_person_is_asked_when_a_use_after_the_restart_can_show(void **state)
{
	(void)state;
	begin(RESTARTED, RESTART);
	sample(RESTART + 11 * MINUTE - 1, 1, 0);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
	assert_false(rnd.says.ask);
	assert_int_equal(rnd.says.until_ms, RESTART + 11 * MINUTE);
	sample(RESTART + 11 * MINUTE, 1, 0);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
	assert_true(rnd.says.ask);
	assert_string_equal(rnd.says.ask_thing, "console.usage");
}

static void without_a_restart_a_use_is_no_older_than_a_token(void **state)
{
	int64_t oldest = NOW - DAY - 10 * MINUTE;

	(void)state;
	begin(NULL, 0);
	sample(NOW, 1, oldest);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
	begin(NULL, 0);
	sample(NOW, 1, oldest + 1);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_PASS);
	/* Newer than what runs. */
	begin(NULL, 0);
	know("app.workflow", KNOWN_BRIDGE,
	     arena_printf(&rig.a, "{'started_at':%lld}", (long long)(NOW - HOUR)));
	sample(NOW, 1, NOW - HOUR + MINUTE);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
	/* Newer than a use of OAuth by somebody else: the app may have been on it in between. */
	begin(NULL, 0);
	sample(NOW, NOW - HOUR, NOW - HOUR);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
	rnd.mints[0] = (struct mint){ "cid", NOW - HOUR, NOW - HOUR };
	rnd.mint_count = 1;
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_PASS);
}

static void a_noted_jwt_use_passes_while_it_is_newer_than_the_restart(void **state)
{
	(void)state;
	begin(NULL, 0);
	rig.view.marks = json("{'restart.at':1795299000000,'jwt_use.at':1795300000000}");
	sample_known(NOW, KNOWN_DENIED, NULL);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_PASS);
	assert_int_equal(value_int_or(value_get(rnd.says.marks, "jwt_use.at"), 0),
			 INT64_C(1795300000000));
	begin(NULL, 0);
	rig.view.marks = json("{'restart.at':1795300000000,'jwt_use.at':1795300000000}");
	sample_known(NOW, KNOWN_DENIED, NULL);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_WAIT);
}

static void oauth_is_quiet_ten_minutes_and_the_lag_after_the_restart(void **state)
{
	int64_t ready = RESTART + MINUTE + 20 * MINUTE;

	(void)state;
	begin(RESTARTED, RESTART);
	sample(ready - 1, RESTART + MINUTE, 1);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, ready);
	sample(ready, RESTART + MINUTE, 1);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_PASS);
	assert_non_null(value_get(rnd.says.marks, "oauth_quiet.since"));
}

static void an_oauth_use_after_the_restart_fails_and_says_when(void **state)
{
	(void)state;
	begin(RESTARTED, RESTART);
	sample(NOW, RESTART + MINUTE + 1, 1);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_FAIL);
	assert_non_null(strstr(rnd.says.why, "2026-11-21T10:01:00.001Z"));
	/* An older answer that comes later takes nothing back. */
	sample(NOW + MINUTE, RESTART, 1);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_FAIL);
}

static void an_own_mint_is_no_fault_but_hides_what_was_before_it(void **state)
{
	int64_t from = RESTART + 30 * MINUTE, to = RESTART + 32 * MINUTE;

	(void)state;
	begin(RESTARTED, RESTART);
	sample(to + 20 * MINUTE - 1, from, 1);
	rnd.mints[0] = (struct mint){ "cid", from, to };
	rnd.mint_count = 1;
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, to + 20 * MINUTE);
	sample(to + 20 * MINUTE, from, 1);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_PASS);
	rnd.mints[0].client_id = "another";
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_FAIL);
	rnd.mints[0] = (struct mint){ "cid", from + 1, to };
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_FAIL);
}

static void declared_consumers_are_waited_for_a_tokens_life(void **state)
{
	int64_t ready = RESTART + MINUTE + DAY + 10 * MINUTE;

	(void)state;
	rig.view.want = json("{'credential':{'client_id':'cid'},'app':{'instance':'shop'},"
			     "'consumers':['shop','nightly']}");
	begin(RESTARTED, RESTART);
	sample(ready - 1, 1, 1);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, ready);
	sample(ready, 1, 1);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_PASS);
	begin(RESTARTED, RESTART);
	sample(NOW, RESTART + HOUR, 1);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_WAIT);
	assert_non_null(strstr(rnd.says.why, "nightly"));
}

static void without_a_restart_a_use_was_somebody_elses(void **state)
{
	(void)state;
	begin(NULL, 0);
	sample(NOW, NOW - DAY - 10 * MINUTE + 1, 1);
	rnd.opened_ms = NOW - 20 * MINUTE;
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, NOW + 1);
	begin(NULL, 0);
	sample(NOW, NOW - DAY - 10 * MINUTE, 1);
	rnd.opened_ms = NOW - 20 * MINUTE;
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_PASS);
	/* Another step that asks does not wait for the same once more. */
	begin("oauth_quiet.since", NOW - 20 * MINUTE);
	rnd.opened_ms = NOW;
	sample(NOW, NOW - 2 * DAY, 1);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_PASS);
	begin(NULL, 0);
	rnd.opened_ms = NOW;
	sample(NOW, NOW - 2 * DAY, 1);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_WAIT);
}

/* OAuth as a person read it, asked at that time. */
static enum verdict card(int64_t now, int64_t asked, const char *oauth)
{
	begin(RESTARTED, RESTART);
	sample_known(now, KNOWN_ATTESTED,
		     oauth ? arena_printf(&rig.a, "{'oauth_last_used':%s}", oauth) : "{}");
	rnd.seen[0].server_ms = oauth ? asked : 0;
	return ask_gate(&gate_oauth_quiet);
}

static void what_a_person_reads_of_oauth_counts_as_its_last_moment(void **state)
{
	int64_t ready = RESTART + 21 * MINUTE;

	(void)state;
	assert_int_equal(card(ready, 0, NULL), VERDICT_WAIT);
	assert_true(rnd.says.ask);
	assert_int_equal(card(ready - 1, 0, NULL), VERDICT_WAIT);
	assert_false(rnd.says.ask);
	assert_int_equal(card(ready, ready, "1"), VERDICT_PASS);
	assert_int_equal(card(ready, ready, "0"), VERDICT_PASS); /* the card says: never */
	/* Asked too early to tell, or an hour ago. */
	assert_int_equal(card(ready + MINUTE, ready - 1, "1"), VERDICT_WAIT);
	assert_true(rnd.says.ask);
	assert_int_equal(card(ready + HOUR, ready, "1"), VERDICT_PASS);
	assert_int_equal(card(ready + HOUR + 1, ready, "1"), VERDICT_WAIT);
	/* "10:01": nobody is blamed, and it counts until 10:01:59.999. */
	assert_int_equal(card(ready, ready,
			      arena_printf(&rig.a, "%lld", (long long)(RESTART + MINUTE))),
			 VERDICT_WAIT);
	assert_int_equal(rnd.says.until_ms, RESTART + 2 * MINUTE - 1 + 20 * MINUTE);
	assert_int_equal(card(NOW, NOW,
			      arena_printf(&rig.a, "%lld", (long long)(RESTART + 3 * MINUTE))),
			 VERDICT_FAIL);
}

static void no_data_and_no_clock_are_inconclusive_on_the_way_back_too(void **state)
{
	(void)state;
	begin(RESTARTED, RESTART);
	sample_known(NOW, KNOWN_API, "{'secrets':1,'has_data':false,'oauth_last_used':0}");
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_INCONCLUSIVE);
	begin(RESTARTED, RESTART);
	sample(NOW, 1, 1);
	rnd.seen[0].server_ms = 0;
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_INCONCLUSIVE);
	begin(RESTARTED, RESTART);
	sample(NOW, 1, NOW - HOUR);
	rnd.skew_ms = 5 * MINUTE + 1;
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_INCONCLUSIVE);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_INCONCLUSIVE);
	begin(RESTARTED, RESTART);
	sample_known(NOW, KNOWN_FAILED, NULL);
	assert_int_equal(ask_gate(&gate_oauth_quiet), VERDICT_INCONCLUSIVE);
	assert_int_equal(ask_gate(&gate_app_uses_jwt), VERDICT_INCONCLUSIVE);
}

static void the_app_has_to_mint_by_jwt_after_the_cancellation(void **state)
{
	static const char cancelled[] = "console.migration/cancel.at";

	(void)state;
	begin(cancelled, NOW - HOUR);
	sample(NOW, 0, NOW - 59 * MINUTE);
	assert_int_equal(ask_gate(&gate_still_mints_jwt), VERDICT_WAIT);
	begin(cancelled, NOW - HOUR);
	sample(NOW, 0, NOW - 59 * MINUTE + 1);
	assert_int_equal(ask_gate(&gate_still_mints_jwt), VERDICT_PASS);
	begin(cancelled, NOW - 11 * MINUTE);
	sample(NOW, 0, 0);
	assert_int_equal(ask_gate(&gate_still_mints_jwt), VERDICT_WAIT);
	assert_true(rnd.says.ask);
	begin(NULL, 0);
	sample(NOW, 0, NOW);
	assert_int_equal(ask_gate(&gate_still_mints_jwt), VERDICT_INCONCLUSIVE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(who_was_switched_goes_all_the_way_back),
		T(who_never_was_is_proved_and_cancelled),
		T(who_was_set_back_by_hand_is_restarted),
		T(where_nothing_was_started_there_is_nothing_to_do),
		T(an_app_left_on_oauth_after_a_cancellation_is_an_outage_to_mend),
		T(what_is_converted_or_never_was_jwt_is_beyond),
		T(what_a_run_stopped_and_never_started_again_is_meant_to_run),
		T(without_the_private_key_nothing_is_touched),
		T(a_certificate_has_to_outlive_the_proof),
		T(an_exchange_that_is_known_to_have_ended_refuses),
		T(no_use_at_all_is_no_proof_that_nobody_uses_it),
		T(what_is_another_project_forward_is_another_one_back),
		T(what_nobody_can_read_is_asked_of_a_person),
		T(a_forward_plan_warns_of_a_rollback_that_could_not_be),
		T(cancelling_is_one_post_and_never_a_deletion),
		T(what_changed_since_the_gates_passed_is_seen_before_the_post),
		T(the_key_goes_by_reference_or_not_at_all),
		T(a_jwt_use_counts_when_it_is_newer_than_the_restart_by_a_minute),
		T(a_grant_that_is_not_jwt_by_name_proves_nothing),
		T(a_reading_to_the_minute_counts_as_its_first_moment),
		T(a_reading_to_the_day_is_asked_for_again_after_hours),
		T(a_person_is_asked_when_a_use_after_the_restart_can_show),
		T(without_a_restart_a_use_is_no_older_than_a_token),
		T(a_noted_jwt_use_passes_while_it_is_newer_than_the_restart),
		T(oauth_is_quiet_ten_minutes_and_the_lag_after_the_restart),
		T(an_oauth_use_after_the_restart_fails_and_says_when),
		T(an_own_mint_is_no_fault_but_hides_what_was_before_it),
		T(declared_consumers_are_waited_for_a_tokens_life),
		T(without_a_restart_a_use_was_somebody_elses),
		T(what_a_person_reads_of_oauth_counts_as_its_last_moment),
		T(no_data_and_no_clock_are_inconclusive_on_the_way_back_too),
		T(the_app_has_to_mint_by_jwt_after_the_cancellation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
