/* SPDX-License-Identifier: Apache-2.0 */
/* Each member of a plan's document, flipped: which digest moves is what the table says. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#include "core/io/json.h"
#include "core/plan/plan.h"
#include "core/plan/plan_digest.h"
#include "core/plan/plan_schema.h"
#include "tests/unit/fake_shop.h"

/* Every member of the table is in it. */
static const char whole[] =
	"{\"kind\":\"s2sctl.plan\",\"format_version\":1,\"direction\":\"forward\",\"tool\":\"s2sctl 1\",\"rollout\":\"r.yaml\","
	"\"rollout_digest\":\"aa\",\"made_at\":\"2026-11-23T10:00:00Z\",\"made_by\":\"ann\","
	"\"intent_digest\":\"bb\",\"observed_digest\":\"cc\",\"document_digest\":\"dd\","
	"\"summary\":{\"environments\":{\"changes\":1},\"steps\":1,\"irreversible\":1,\"by_operator\":0,"
	"\"to_attest\":1,\"requests\":1,\"tokens\":1,\"earliest_finish_ms\":5},"
	"\"token_requests\":[\"POST /token\"],"
	"\"policy\":[{\"rule\":\"freeze\",\"level\":\"refused\",\"text\":\"t\",\"hint\":\"h\","
	"\"environment\":\"dev\",\"until\":\"2026-11-24T10:00:00Z\",\"file\":\"r.yaml\",\"line\":1,\"col\":2}],"
	"\"environments\":[{\"name\":\"dev\",\"outlook\":\"changes\",\"error\":\"e\","
	"\"identity\":{\"shop.project.uid\":\"u\"},"
	"\"facts\":{\"shop.project\":{\"known\":\"api\",\"by\":\"x\",\"why\":\"w\","
	"\"server_time\":\"2026-11-23T10:00:00Z\",\"facts\":{\"uid\":\"u\",\"title\":\"T\"}},"
	"\"shop.use\":{\"known\":\"api\",\"facts\":{\"new_at\":7}}},"
	"\"findings\":[{\"level\":\"note\",\"rule\":\"r\",\"text\":\"t\",\"hint\":\"h\"}],"
	"\"attest\":[{\"thing\":\"shop.use\",\"page\":\"p\",\"why\":\"w\",\"facts\":[\"f\"],"
	"\"before_planning\":false,\"step\":\"s\",\"earliest_ms\":3}],\"requests\":[\"GET shop /p\"]}],"
	"\"steps\":[{\"address\":\"dev/a/b\",\"environments\":[\"dev\"],\"thing\":\"a\",\"change\":\"b\","
	"\"doc\":\"d\",\"phase\":\"expand\",\"executor\":\"api\",\"reason\":\"r\",\"before\":{\"x\":1},"
	"\"after\":{\"x\":2},\"undo\":{\"kind\":\"never\",\"text\":\"t\"},\"needs\":[\"dev/c/d\"],"
	"\"gates\":[{\"name\":\"g\",\"doc\":\"d\",\"when\":\"after\",\"limits\":{\"soak\":1},\"earliest_ms\":4}],"
	"\"earliest_ms\":9,\"approvals\":2}]}";

struct flips {
	struct value *doc;
	const struct plan_member *row;
	struct arena arena;
	char intent[65], observed[65], document[65];
	unsigned count;
};

static void check(struct flips *f, bool intent, bool observed)
{
	char now[65];
	bool moved;

	f->count++;
	plan_intent_of(f->doc, now);
	moved = strcmp(now, f->intent) != 0;
	if (moved != intent)
		fail_msg("%s: the intent %s", f->row->path, moved ? "moved" : "stayed");
	plan_observed_of(f->doc, &shop_registry, now);
	moved = strcmp(now, f->observed) != 0;
	if (moved != observed)
		fail_msg("%s: what was observed %s", f->row->path, moved ? "moved" : "stayed");
	plan_document_of(f->doc, now);
	if ((strcmp(now, f->document) != 0) == (strcmp(f->row->path, "document_digest") == 0))
		fail_msg("%s: the document's own digest", f->row->path);
}

static void flip(struct flips *f, struct value **leaf, const char *fact)
{
	struct value *was = *leaf;
	enum plan_class c = f->row->class;
	bool is_fact = c == PLAN_FACT || c == PLAN_NAME ||
		       (c == PLAN_BY_FACT && strcmp(fact, "new_at") != 0);

	*leaf = value_string(&f->arena, "flipped");
	check(f, c == PLAN_IDENTITY || c == PLAN_NAME, is_fact);
	*leaf = was;
}

/* Goes down a path of the table; every place that it fits is flipped. */
static void walk(struct flips *f, struct value **slot, const char *path, const char *key)
{
	struct value *v = *slot;
	size_t len = strcspn(path, ".[");

	if (!*path) {
		flip(f, slot, key);
	} else if (strncmp(path, "[]", 2) == 0) {
		assert_int_equal(v->kind, VAL_LIST);
		for (size_t i = 0; i < v->u.list.count; i++)
			walk(f, &v->u.list.items[i], path + 2 + (path[2] == '.'), "");
	} else {
		assert_int_equal(v->kind, VAL_MAP);
		for (size_t i = 0; i < v->u.map.count; i++) {
			struct value_pair *p = &v->u.map.pairs[i];

			if ((len == 1 && *path == '*') ||
			    (strlen(p->key) == len && strncmp(p->key, path, len) == 0))
				walk(f, &p->val, path + len + (path[len] == '.'), p->key);
		}
	}
}

static struct value *parse(struct arena *a)
{
	struct err err = ERR_INIT;
	struct value *doc = NULL;

	if (json_parse(a, whole, strlen(whole), NULL, NULL, NULL, &doc, &err) < 0)
		fail_msg("%s", err.msg);
	return doc;
}

static void each_member_moves_the_digests_that_its_class_says(void **state)
{
	struct arena a = ARENA_INIT;
	struct flips f = { .doc = parse(&a) };

	(void)state;
	plan_intent_of(f.doc, f.intent);
	plan_observed_of(f.doc, &shop_registry, f.observed);
	plan_document_of(f.doc, f.document);
	for (const struct plan_member *m = plan_members; m->path; m++) {
		if (strcmp(m->type, "object") == 0 || strcmp(m->type, "array") == 0)
			continue;
		f.row = m;
		f.count = 0;
		walk(&f, &f.doc, m->path, "");
		if (!f.count)
			fail_msg("%s is not in the test's document", m->path);
	}
	arena_done(&f.arena);
	arena_done(&a);
}

/* The other way round: nothing is in a document that the table does not have. */
static bool is_listed(const char *path)
{
	for (const struct plan_member *m = plan_members; m->path; m++) {
		const char *p = path, *t = m->path;

		while (*p && *t) {
			if (*t == '*') { /* any key; ours have dots, which end at the next slash */
				p += strcspn(p, "/");
				t++;
			} else if (*p == '/' ? *t == '.' : *p == *t) {
				p++;
				t++;
			} else {
				break;
			}
		}
		if (!*p && !*t)
			return true;
	}
	return false;
}

static void list(const struct value *v, struct sb *path)
{
	size_t len = path->len;

	for (size_t i = 0; i < value_count(v); i++) {
		if (v->kind == VAL_LIST)
			sb_add(path, "[]");
		else
			sb_addf(path, "%s%s", len ? "/" : "", value_key_at(v, i));
		if (!is_listed(path->buf))
			fail_msg("not in the table: %s", path->buf);
		if (!strstr(path->buf, "facts/") || !strstr(path->buf, "/facts/"))
			list(value_at(v, i), path);
		else if (value_count(value_at(v, i)) && strstr(path->buf, "attest"))
			list(value_at(v, i), path);
		sb_shrink(path, len);
	}
}

static void the_documents_members_are_all_in_the_table(void **state)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(4096);
	struct arena a = ARENA_INIT;

	(void)state;
	list(parse(&a), &path);
	assert_false(is_listed("steps[]/color"));
	arena_done(&a);
}

static void the_digests_of_a_document_are_those_of_its_plan(void **state)
{
	struct shop *s = shop_new(shop_two_envs);
	struct plan *p = plan_new(&s->arena, &shop_registry, s->rollout);
	struct err err = ERR_INIT;
	const struct value *doc;
	char hex[65];

	(void)state;
	for (size_t i = 0; i < s->rollout->env_count; i++) {
		struct value *key = value_map(&s->arena), *project = value_map(&s->arena);
		struct observation seen[] = {
			{ .thing = "shop.key", .known = KNOWN_API, .facts = key },
			{ .thing = "shop.project", .known = KNOWN_API, .facts = project },
		};
		struct view v = { .env = s->envs[i]->name,
				  .want = s->envs[i]->want,
				  .seen = seen,
				  .seen_count = 2 };

		value_set(&s->arena, key, "new", value_bool(&s->arena, false));
		value_set(&s->arena, key, "old", value_bool(&s->arena, true));
		value_set(&s->arena, project, "uid", value_string(&s->arena, "ü\"\\\x7f"));
		plan_env_add(p, s->envs[i], &v, NULL, NULL);
	}
	plan_order(p, FAKE_START);
	doc = plan_seal(p);
	plan_intent_of(doc, hex);
	assert_string_equal(hex, p->intent_digest);
	plan_observed_of(doc, &shop_registry, hex);
	assert_string_equal(hex, p->observed_digest);
	assert_int_equal(plan_digests_check(doc, &shop_registry, &err), 0);
	value_set(&s->arena, p->document, "made_by", value_string(&s->arena, "eve"));
	assert_int_equal(plan_digests_check(doc, &shop_registry, &err), -E_REFUSED);
	assert_non_null(strstr(err.msg, "document_digest"));
	shop_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_moves_the_digests_that_its_class_says),
		cmocka_unit_test(the_documents_members_are_all_in_the_table),
		cmocka_unit_test(the_digests_of_a_document_are_those_of_its_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
