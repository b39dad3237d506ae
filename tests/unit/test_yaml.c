/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/sb.h"
#include "core/io/yaml.h"

struct load {
	struct arena a;
	struct diags d;
	struct value *v;
	int result;
	struct sb said;
};

static void load_done(struct load *l)
{
	arena_done(&l->a);
	sb_done(&l->said);
}

static void load(struct load *l, const char *text, size_t len, const struct yaml_limits *limits)
{
	memset(l, 0, sizeof(*l));
	l->said = (struct sb)SB_INIT(100000);
	diags_init(&l->d, &l->a);
	l->result = yaml_parse(&l->a, "f", text, len, limits, &l->v, &l->d);
	diags_print(&l->d, &l->said);
}

static void load_text(struct load *l, const char *text)
{
	load(l, text, strlen(text), NULL);
}

static void expect_pos(const struct value *v, unsigned line, unsigned col)
{
	assert_non_null(v);
	assert_string_equal(v->pos.file, "f");
	assert_int_equal(v->pos.line, line);
	assert_int_equal(v->pos.col, col);
}

static void scalars_are_strings_with_positions(void **state)
{
	CLEANUP(load_done) struct load l;

	(void)state;
	load_text(&l,
		  "a: no\nb:\n  - 'true'\n  - 010\nc: |\n  two\n  lines\n\xc3\xa4\xc3\xa4: x\n");
	assert_int_equal(l.result, 0);
	assert_int_equal(l.d.count, 0);
	expect_pos(l.v, 1, 1);
	assert_string_equal(value_text(value_get(l.v, "a")), "no");
	assert_true(value_get(l.v, "a")->is_plain);
	expect_pos(value_get(l.v, "a"), 1, 4);
	assert_string_equal(value_text(value_at(value_get(l.v, "b"), 0)), "true");
	assert_false(value_at(value_get(l.v, "b"), 0)->is_plain);
	expect_pos(value_at(value_get(l.v, "b"), 1), 4, 5);
	assert_string_equal(value_text(value_at(value_get(l.v, "b"), 1)), "010");
	assert_string_equal(value_text(value_get(l.v, "c")), "two\nlines\n");
	assert_int_equal(value_get_pair(l.v, "b")->key_pos.line, 2);
	assert_int_equal(value_get_pair(l.v, "b")->key_pos.col, 1);
	expect_pos(value_get(l.v, "\xc3\xa4\xc3\xa4"), 8, 5);
}

static void nulls_are_only_plain_ones(void **state)
{
	CLEANUP(load_done) struct load l;
	static const enum val_kind want[] = { VAL_NULL,   VAL_NULL,   VAL_NULL,   VAL_STRING,
					      VAL_STRING, VAL_STRING, VAL_STRING, VAL_STRING };

	(void)state;
	load_text(&l, "- ~\n- null\n-\n- 'null'\n- \"~\"\n- ''\n- Null\n- !!str null\n");
	assert_int_equal(l.result, 0);
	assert_int_equal(value_count(l.v), 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(value_at(l.v, i)->kind, want[i]);
	assert_string_equal(value_text(value_at(l.v, 7)), "null");
}

static void an_empty_file_is_null(void **state)
{
	static const char *const cases[] = { "", "\n\n", "# only a comment\n", "---\n",
					     "\xef\xbb\xbf" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(load_done) struct load l;

		load_text(&l, cases[i]);
		assert_int_equal(l.result, 0);
		assert_int_equal(l.v->kind, VAL_NULL);
		assert_int_equal(l.v->pos.line >= 1, 1);
	}
}

static void a_byte_order_mark_is_skipped(void **state)
{
	CLEANUP(load_done) struct load l;

	(void)state;
	load_text(&l, "\xef\xbb\xbf"
		      "a: b\n");
	assert_int_equal(l.result, 0);
	assert_string_equal(value_text(value_get(l.v, "a")), "b");
}

static void aliases_share_their_node_and_its_position(void **state)
{
	CLEANUP(load_done) struct load l;

	(void)state;
	load_text(&l, "base: &b\n  x: 1\nother: *b\nword: &w hello\nagain: [*w, *w]\n*w : key\n");
	assert_int_equal(l.result, 0);
	assert_ptr_equal(value_get(l.v, "other"), value_get(l.v, "base"));
	expect_pos(value_get(l.v, "other"), 1, 7);
	assert_string_equal(value_text(value_at(value_get(l.v, "again"), 1)), "hello");
	assert_string_equal(value_text(value_get(l.v, "hello")), "key");
}

static void a_later_anchor_of_the_same_name_wins(void **state)
{
	CLEANUP(load_done) struct load l;

	(void)state;
	load_text(&l, "[&a 1, *a, &a 2, *a]");
	assert_int_equal(l.result, 0);
	assert_string_equal(value_text(value_at(l.v, 1)), "1");
	assert_string_equal(value_text(value_at(l.v, 3)), "2");
}

static void own_keys_win_over_merged_and_earlier_over_later(void **state)
{
	CLEANUP(load_done) struct load l;
	const struct value *m;

	(void)state;
	load_text(&l, "one: &one {a: 1, b: 1, c: 1}\ntwo: &two {b: 2, c: 2, d: 2}\n"
		      "m:\n  c: own\n  <<: [*one, *two]\n  e: own\n");
	assert_int_equal(l.result, 0);
	assert_int_equal(l.d.count, 0);
	m = value_get(l.v, "m");
	assert_int_equal(value_count(m), 5);
	assert_string_equal(value_text(value_get(m, "a")), "1");
	assert_string_equal(value_text(value_get(m, "b")), "1");
	assert_string_equal(value_text(value_get(m, "c")), "own");
	assert_string_equal(value_text(value_get(m, "d")), "2");
	assert_string_equal(value_text(value_get(m, "e")), "own");
	expect_pos(value_get(m, "d"), 2, 27);
	assert_int_equal(value_get_pair(m, "d")->key_pos.line, 2);
	assert_null(value_get(m, "<<"));
}

static void merges_chain_and_may_be_written_in_place(void **state)
{
	CLEANUP(load_done) struct load l;

	(void)state;
	load_text(
		&l,
		"a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, <<x: 3}\nd: {<<: {z: 1}}\ne: {'<<': text}\n");
	assert_int_equal(l.result, 0);
	assert_int_equal(l.d.count, 0);
	assert_string_equal(value_text(value_path(l.v, "c.x")), "1");
	assert_string_equal(value_text(value_path(l.v, "c.y")), "2");
	assert_string_equal(value_text(value_path(l.v, "d.z")), "1");
	assert_string_equal(value_text(value_path(l.v, "e.<<")), "text");
}

static void duplicate_keys_are_all_reported_with_both_positions(void **state)
{
	CLEANUP(load_done) struct load l;

	(void)state;
	load_text(&l, "a: 1\nb: 2\na: 3\nm:\n  x: 1\n  x: 2\n");
	assert_int_equal(l.result, 0);
	assert_int_equal(l.d.errors, 2);
	assert_string_equal(l.d.list[0].rule, "duplicate-key");
	assert_int_equal(l.d.list[0].pos.line, 3);
	assert_string_equal(l.d.list[0].msg,
			    "the key 'a' is written twice; first at line 1, column 1");
	assert_string_equal(l.d.list[1].msg,
			    "the key 'x' is written twice; first at line 5, column 3");
	assert_string_equal(value_text(value_get(l.v, "a")), "1");
}

static void what_stops_reading_says_where_and_why(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a: [1\n", "f:2:1: error: no valid YAML: did not find expected ',' or ']'" },
		{ "a: b: c\n",
		  "f:1:5: error: no valid YAML: mapping values are not allowed in this context" },
		{ "a:\n\t- b\n", "hint: indent with blanks" },
		{ "a: \"open\n", "no valid YAML" },
		{ "a: 1\n---\nb: 2\n", "f:2:1: error: a second document begins here" },
		{ "? [a, b]\n: c\n", "f:1:3: error: a key is a list, not a string" },
		{ "? {a: b}\n: c\n", "a key is a map" },
		{ "a: *nobody\n", "f:1:4: error: no anchor named 'nobody'" },
		{ "a: &a [1, *a]\n", "the alias 'a' stands inside itself" },
		{ "a: &a {<<: *a}\n", "stands inside itself" },
		{ "x: &l [1]\n*l : a\n", "f:2:1: error: a key is a list" },
		{ "a: !!int 5\n",
		  "f:1:4: error: the tag 'tag:yaml.org,2002:int' has no meaning here" },
		{ "a: !secret x\n", "the tag '!secret'" },
		{ "a: !!map x\n", "the tag 'tag:yaml.org,2002:map'" },
		{ "a: !!str {}\n", "the tag 'tag:yaml.org,2002:str'" },
		{ "!!set {a}\n", "the tag" },
		{ "a: \"x\\0y\"\n", "f:1:4: error: a text holds a NUL" },
		{ "\"k\\0\": 1\n", "a text holds a NUL" },
		{ "a: {<<: text}\n", "f:1:5: error: `<<` merges a string" },
		{ "a: {<<: [text]}\n", "`<<` merges a string" },
		{ "a: {<<: }\n", "`<<` merges a null" },
		{ "b: &b {x: 1}\na: {<<: *b, <<: *b}\n", "`<<` is written twice" },
		{ "a: \x01\n", "control characters are not allowed at byte 3" },
		{ "a: \xff\n", "no valid YAML" },
		{ "%YAML 3.0\n---\na: b\n", "no valid YAML" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(load_done) struct load l;

		load_text(&l, cases[i].text);
		if (!strstr(l.said.buf, cases[i].want))
			fail_msg("'%s' lacks '%s'", l.said.buf, cases[i].want);
		assert_int_equal(l.d.errors, 1);
		if (!strstr(cases[i].want, "twice")) {
			assert_int_equal(l.result, -1);
			assert_null(l.v);
		}
	}
}

static void core_tags_are_accepted_where_they_fit(void **state)
{
	CLEANUP(load_done) struct load l;

	(void)state;
	load_text(&l, "!!map\na: !!seq [!!str 1, ! x]\n");
	assert_int_equal(l.result, 0);
	assert_string_equal(value_text(value_at(value_get(l.v, "a"), 0)), "1");
	assert_false(value_at(value_get(l.v, "a"), 0)->is_plain);
}

static void limits_are_exact_and_named(void **state)
{
	static const struct yaml_limits depth = { .depth = 3 }, nodes = { .nodes = 5 },
					bytes = { .bytes = 4 };
	static const struct {
		const char *text;
		const struct yaml_limits *l;
		const char *want; /* NULL: fits */
	} cases[] = {
		{ "[[x]]", &depth, NULL },
		{ "[[[x]]]", &depth, "deeper than the limit of 3 levels" },
		{ "{a: {b: {c: x}}}", &depth, "deeper than the limit of 3 levels" },
		{ "[1, 2, 3, 4]", &nodes, NULL },
		{ "[1, 2, 3, 4, 5]", &nodes, "the limit of 5 values" },
		{ "{a: &a [1], b: *a}", &nodes, NULL },
		{ "{a: &a [1], b: [*a]}", &nodes, "the limit of 5 values" },
		{ "a: b", &bytes, NULL },
		{ "a: bc", &bytes, "the limit of 4 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(load_done) struct load l;

		load(&l, cases[i].text, strlen(cases[i].text), cases[i].l);
		assert_int_equal(l.result, cases[i].want ? -1 : 0);
		if (cases[i].want && !strstr(l.said.buf, cases[i].want))
			fail_msg("'%s' lacks '%s'", l.said.buf, cases[i].want);
	}
}

static void an_alias_bomb_is_refused_quickly(void **state)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(100000);
	CLEANUP(load_done) struct load l;

	(void)state;
	sb_add(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 60; i++) {
		sb_addf(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			sb_addf(&text, "%s*a%d", j ? "," : "", i - 1);
		sb_add(&text, "]\n");
	}
	load(&l, text.buf, text.len, NULL);
	assert_int_equal(l.result, -1);
	assert_non_null(strstr(l.said.buf, "the limit of 4000000 values"));
	assert_true(l.a.used < 1000000);
}

static void a_merge_bomb_is_refused_too(void **state)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(10000000);
	CLEANUP(load_done) struct load l;

	(void)state;
	sb_add(&text, "b: &b\n");
	for (int i = 0; i < 10000; i++)
		sb_addf(&text, "  k%d: v\n", i);
	for (int i = 0; i < 10000; i++)
		sb_addf(&text, "m%d: {<<: *b}\n", i);
	load(&l, text.buf, text.len, NULL);
	assert_int_equal(l.result, -1);
	assert_non_null(strstr(l.said.buf, "the limit of 4000000 values"));
}

static void deep_nesting_is_refused_written_or_by_aliases(void **state)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(1000000);
	CLEANUP(load_done) struct load l, m;

	(void)state;
	sb_pad(&text, '[', 100000);
	load(&l, text.buf, text.len, NULL);
	assert_int_equal(l.result, -1);
	assert_non_null(strstr(l.said.buf, "the limit of 64 levels"));
	sb_reset(&text);
	sb_add(&text, "a0: &a0 [x]\n");
	for (int i = 1; i < 1000; i++)
		sb_addf(&text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	load(&m, text.buf, text.len, NULL);
	assert_int_equal(m.result, -1);
	assert_non_null(strstr(m.said.buf, "the limit of 64 levels"));
}

static void many_duplicates_are_counted_not_kept(void **state)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(1000000);
	CLEANUP(load_done) struct load l;

	(void)state;
	for (int i = 0; i < 50000; i++)
		sb_add(&text, "a: b\n");
	load(&l, text.buf, text.len, NULL);
	assert_int_equal(l.result, 0);
	assert_int_equal(l.d.errors, 49999);
	assert_int_equal(l.d.count, DIAGS_MAX);
	assert_int_equal(value_count(l.v), 1);
}

static void ten_thousand_environments_load(void **state)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	CLEANUP(load_done) struct load l;

	(void)state;
	sb_add(&text, "environments:\n");
	for (int i = 0; i < 10000; i++) {
		sb_addf(&text, "  env-%d:\n", i);
		for (int j = 0; j < 4; j++) {
			sb_addf(&text, "    section%d:\n", j);
			for (int k = 0; k < 9; k++)
				sb_addf(&text, "      field%d: some-value-%d\n", k, k);
		}
	}
	load(&l, text.buf, text.len, NULL);
	assert_int_equal(l.result, 0);
	assert_int_equal(value_count(value_get(l.v, "environments")), 10000);
	assert_string_equal(value_text(value_path(l.v, "environments.env-9999.section3.field8")),
			    "some-value-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_are_strings_with_positions),
		cmocka_unit_test(nulls_are_only_plain_ones),
		cmocka_unit_test(an_empty_file_is_null),
		cmocka_unit_test(a_byte_order_mark_is_skipped),
		cmocka_unit_test(aliases_share_their_node_and_its_position),
		cmocka_unit_test(a_later_anchor_of_the_same_name_wins),
		cmocka_unit_test(own_keys_win_over_merged_and_earlier_over_later),
		cmocka_unit_test(merges_chain_and_may_be_written_in_place),
		cmocka_unit_test(duplicate_keys_are_all_reported_with_both_positions),
		cmocka_unit_test(what_stops_reading_says_where_and_why),
		cmocka_unit_test(core_tags_are_accepted_where_they_fit),
		cmocka_unit_test(limits_are_exact_and_named),
		cmocka_unit_test(an_alias_bomb_is_refused_quickly),
		cmocka_unit_test(a_merge_bomb_is_refused_too),
		cmocka_unit_test(deep_nesting_is_refused_written_or_by_aliases),
		cmocka_unit_test(many_duplicates_are_counted_not_kept),
		cmocka_unit_test(ten_thousand_environments_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
