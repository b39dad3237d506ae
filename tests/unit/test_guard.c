/* SPDX-License-Identifier: Apache-2.0 */
/* Saved plans, freezes and approvals as the engine meets them. With real keys and the real programs: e2e/approve.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/when.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/run/approval.h"
#include "core/plan/plan_digest.h"
#include "core/run/plan_file.h"
#include "tests/unit/fake_shop.h"

/* ---- a plan as a file ---- */

struct saved {
	char path[512];
	struct arena arena;
	struct plan_file *file;
};

static int save(void *ctx, struct plan *p, bool is_resumed)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	struct saved *sv = ctx;
	struct err err = ERR_INIT;

	assert_false(is_resumed);
	json_write(&text, plan_seal(p), JSON_CANONICAL, NULL);
	sb_addc(&text, '\n');
	assert_int_equal(file_write(sv->path, text.buf, text.len, 0600, &err), 0);
	return 5; /* seen enough: nothing is carried out */
}

static void plan_to_file(struct shop *s, struct saved *sv)
{
	const char *tmp = getenv("TMPDIR");
	struct apply_result r;
	struct err err = ERR_INIT;
	int fd;

	*sv = (struct saved){ .arena = ARENA_INIT };
	snprintf(sv->path, sizeof(sv->path), "%s/test-guard-XXXXXX", tmp ? tmp : "/tmp");
	fd = mkstemp(sv->path);
	assert_true(fd >= 0);
	close(fd);
	s->options.show_plan = save;
	s->options.show_ctx = sv;
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(r.plan_status, 5);
	s->options.show_plan = NULL;
	if (plan_file_read(&sv->arena, sv->path, &shop_registry, &sv->file, &err) < 0)
		fail_msg("%s", err.msg);
	s->options.plan_file = sv->file;
}

static void saved_done(struct saved *sv)
{
	unlink(sv->path);
	arena_done(&sv->arena);
}

static size_t writes(const struct shop *s)
{
	return fake_net_count(&s->net, "POST ") + fake_net_count(&s->net, "PUT ") +
	       fake_net_count(&s->net, "DELETE ");
}

static void assert_refused(struct shop *s, const char *words)
{
	size_t before = writes(s), appends = s->w->appends;
	struct apply_result r;

	if (shop_apply(s, &r) != E_REFUSED)
		fail_msg("not refused: %s %s", r.summary, s->err.msg);
	if (!strstr(s->err.msg, words))
		fail_msg("%s", s->err.msg);
	assert_int_equal(writes(s), before);
	assert_int_equal(s->w->appends, appends);
}

static void a_saved_plan_is_carried_out_once(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct saved sv;
	struct apply_result r;
	size_t asked;

	(void)state;
	plan_to_file(s, &sv);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	shop_advance(s->w, WHEN_DAY);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_true(shop_is_migrated(s, 0));
	asked = s->net.exchanges;
	assert_refused(s, "used up");
	assert_int_equal(s->net.exchanges, asked); /* nobody was asked */
	saved_done(&sv);
	shop_free(s);
}

static void a_fact_that_moved_is_named_with_both_values(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct saved sv;

	(void)state;
	plan_to_file(s, &sv);
	s->w->projects[0].set_new = true;
	assert_refused(s,
		       "shop.settings.use was \"old\" when the plan was made and is \"new\" now");
	s->w->projects[0].set_new = false;
	snprintf(s->w->projects[0].uid, sizeof(s->w->projects[0].uid), "uid-x");
	assert_refused(s, "shop.project.uid was \"uid-0\"");
	assert_non_null(strstr(s->err.hint, "another system"));
	saved_done(&sv);
	shop_free(s);
}

static void another_plan_is_refused_while_one_is_under_way(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct saved sv;
	struct apply_result r;
	struct plan_file other;
	struct value *doc;

	(void)state;
	plan_to_file(s, &sv);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	other = *sv.file;
	doc = value_copy(&sv.arena, sv.file->doc);
	value_set(&sv.arena, doc, "intent_digest", value_string(&sv.arena, "another"));
	other.doc = doc;
	s->options.plan_file = &other;
	assert_refused(s, "another plan for these environments is under way");
	/* Without a plan the same file goes on as well. */
	s->options.plan_file = NULL;
	shop_advance(s->w, WHEN_DAY);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_true(shop_is_migrated(s, 0));
	saved_done(&sv);
	shop_free(s);
}

static void a_plan_that_is_swapped_is_refused(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct saved sv;
	struct err err = ERR_INIT;

	(void)state;
	plan_to_file(s, &sv);
	assert_int_equal(file_write(sv.path, "{}\n", 3, 0600, &err), 0);
	assert_refused(s, "was changed while this command ran");
	saved_done(&sv);
	shop_free(s);
}

static void an_edited_plan_is_never_taken(void **state)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	struct shop *s = shop_new(shop_one_env);
	struct saved sv;
	struct err err = ERR_INIT;

	(void)state;
	plan_to_file(s, &sv);
	assert_int_equal(file_read(sv.path, &text, &err), 0);
	for (size_t i = 0; i < text.len - 1; i++) { /* each byte of it */
		CLEANUP(arena_done) struct arena a = ARENA_INIT;
		struct plan_file *f = NULL;

		text.buf[i] ^= 1;
		if (plan_file_parse(&a, "p", text.buf, text.len, &shop_registry, &f, &err) !=
		    -E_REFUSED)
			fail_msg("byte %zu", i);
		if (!plan_file_is_plan(text.buf, text.len))
			fail_msg("byte %zu: taken for another kind of file", i);
		text.buf[i] ^= 1;
		err_clear(&err);
	}
	saved_done(&sv);
	shop_free(s);
}

/* Appends a copy of the first item of a list, and makes all digests right again: whoever writes plans can do so. */
static void double_first(struct value *doc, struct arena *a, const char *list)
{
	struct value *items = value_copy(a, value_get(doc, list));
	char hex[65];

	value_list_add(a, items, value_at(items, 0));
	value_set(a, doc, list, items);
	plan_intent_of(doc, hex);
	value_set(a, doc, "intent_digest", value_string(a, hex));
	plan_observed_of(doc, &shop_registry, hex);
	value_set(a, doc, "observed_digest", value_string(a, hex));
	plan_document_of(doc, hex);
	value_set(a, doc, "document_digest", value_string(a, hex));
}

static void a_plan_with_two_of_one_name_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "steps", "the plan has two steps 'dev/" },
		{ "environments", "the plan has two environments 'dev'" },
	};
	struct shop *s = shop_new(shop_one_env);
	struct saved sv;

	(void)state;
	plan_to_file(s, &sv);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(arena_done) struct arena a = ARENA_INIT;
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
		struct value *doc = value_copy(&a, sv.file->doc);
		struct plan_file *f = NULL;
		struct err err = ERR_INIT;

		double_first(doc, &a, cases[i][0]);
		json_write(&text, doc, JSON_CANONICAL, NULL);
		assert_int_equal(plan_file_parse(&a, "p", text.buf, text.len, &shop_registry, &f,
						 &err),
				 -E_REFUSED);
		if (!strstr(err.msg, cases[i][1]))
			fail_msg("%s", err.msg);
	}
	saved_done(&sv);
	shop_free(s);
}

/* ---- freezes ---- */

static void load(struct shop *s, const char *policy, const char *envs)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(65536);

	sb_addn(&text, shop_one_env,
		(size_t)(strstr(shop_one_env, "environments:") - shop_one_env));
	sb_addf(&text, "%senvironments:\n%s", policy, envs);
	shop_load(s, text.buf);
}
#define DEV "  dev: {project: {id: p0}, credential: {client_id: c0}}\n"
#define BY_HAND                                                                                    \
	"  dev: {project: {id: p0}, credential: {client_id: c0}, executors: {set: operator}}\n"
/* From two hours after the tests' beginning, for two days. */
#define FREEZE                                                                                     \
	"policy: {freeze: [{name: launch, zone: UTC, from: 2026-11-24T12:00, to: 2026-11-26T12:00}]}\n"

static void in_a_freeze_nothing_begins(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	load(s, FREEZE, DEV);
	shop_advance(s->w, 3 * WHEN_HOUR);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(r.plan_status, 5);
	assert_int_equal(s->w->appends, 0);
	assert_int_equal(writes(s), 0);
	shop_free(s);
}

static void a_run_waits_before_the_point_of_no_return_until_the_freeze_ends(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	load(s, FREEZE, DEV);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	shop_advance(s->w, WHEN_DAY + WHEN_HOUR);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->w->clients[0].drops, 0);
	assert_int_equal(r.until_ms, FAKE_START + 2 * WHEN_DAY + 2 * WHEN_HOUR);
	assert_false(r.needs_person);
	assert_non_null(strstr(r.summary, "freeze 'launch'"));
	shop_advance(s->w, 2 * WHEN_DAY);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(s->w->clients[0].drops, 1);
	shop_free(s);
}

static void a_freeze_leaves_no_app_half_switched(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	load(s, FREEZE, BY_HAND);
	assert_int_equal(shop_apply(s, &r), E_WAIT); /* for the person who sets it */
	s->w->projects[0].set_new = true;
	s->w->projects[0].saved_at = fake_server_now(&s->w->clock);
	shop_ack(s, "dev/shop.settings/set", NULL);
	shop_advance(s->w, 3 * WHEN_HOUR);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_int_equal(s->w->projects[0].starts, 1);
	assert_int_equal(s->w->clients[0].drops, 0);
	shop_free(s);
}

/* ---- approvals ---- */

static void without_approval_nothing_begins_with_or_without_a_file(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct saved sv;
	size_t asked;

	(void)state;
	load(s, "policy: {approvals: {all: 1}}\n", DEV);
	s->options.made_by = "mia";
	assert_refused(s, "not approved: step 'dev/shop.key/add' needs 1 approval and has 0");
	plan_to_file(s, &sv);
	asked = s->net.exchanges;
	assert_refused(s, "not approved");
	assert_int_equal(s->net.exchanges, asked);
	saved_done(&sv);
	shop_free(s);
}

static void what_production_needs_is_asked_of_production_alone(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	s->options.made_by = "mia";
	load(s, "policy: {approvals: {production: 1}}\n",
	     "  dev: {project: {id: p0}, credential: {client_id: c0}, production: true}\n");
	assert_refused(s, "not approved");
	load(s, "policy: {approvals: {production: 1}}\n", DEV);
	assert_int_equal(shop_apply(s, &r), E_WAIT); /* for the day of quiet */
	shop_free(s);
}

/* The policy grew stricter while the run was under way: what is beyond return waits for approval, and is not refused. */
static void a_run_under_way_waits_for_the_approval_that_it_lacks(void **state)
{
	struct shop *s = shop_new(shop_one_env);
	struct apply_result r;

	(void)state;
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	load(s, "policy: {approvals: {irreversible: 1}}\n", DEV);
	shop_advance(s->w, WHEN_DAY);
	assert_int_equal(shop_apply(s, &r), E_WAIT);
	assert_true(r.needs_person);
	assert_non_null(strstr(r.summary, "needs 1 approval and has 0"));
	assert_int_equal(s->w->clients[0].drops, 0);
	load(s, "", DEV);
	assert_int_equal(shop_apply(s, &r), E_NONE);
	assert_int_equal(s->w->clients[0].drops, 1);
	shop_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_saved_plan_is_carried_out_once),
		cmocka_unit_test(a_fact_that_moved_is_named_with_both_values),
		cmocka_unit_test(another_plan_is_refused_while_one_is_under_way),
		cmocka_unit_test(a_plan_that_is_swapped_is_refused),
		cmocka_unit_test(an_edited_plan_is_never_taken),
		cmocka_unit_test(a_plan_with_two_of_one_name_is_refused),
		cmocka_unit_test(in_a_freeze_nothing_begins),
		cmocka_unit_test(a_run_waits_before_the_point_of_no_return_until_the_freeze_ends),
		cmocka_unit_test(a_freeze_leaves_no_app_half_switched),
		cmocka_unit_test(without_approval_nothing_begins_with_or_without_a_file),
		cmocka_unit_test(what_production_needs_is_asked_of_production_alone),
		cmocka_unit_test(a_run_under_way_waits_for_the_approval_that_it_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
