/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/when.h"
#include "core/io/yaml.h"
#include "core/plan/schema.h"
#include "core/plan/schema_scalar.h"
#include "tests/unit/fake_registry.h"

static const struct field *stock(void)
{
	const struct section_type *const *s = fake_registry.providers[0]->sections;
	while (strcmp((*s)->name, "stock"))
		s++;
	return (*s)->fields;
}

struct checked {
	struct arena arena;
	struct diags diags;
	struct fake_env env;
	struct sys sys;
	struct schema *schema;
	const struct value *v;
	char text[4000]; /* the diags, one "LINE:COL RULE MESSAGE" each */
};

static struct value *parse(struct checked *c, const char *yaml)
{
	struct value *raw = NULL;
	assert_int_equal(yaml_parse(&c->arena, "f", yaml, strlen(yaml), NULL, &raw, &c->diags), 0);
	return raw;
}

static void open_session(struct checked *c, const char *folder)
{
	static const char *const vars[] = { "NAME=from env",         "OPEN=true", "EVERY=2m",
					    "URL=https://e.example", "EMPTY=",    NULL };
	*c = (struct checked){ .env = { .vars = vars } };
	c->sys = fake_sys(&c->env);
	diags_init(&c->diags, &c->arena);
	c->schema = schema_new(&c->arena, &c->sys, folder, &c->diags);
}

static void render(struct checked *c)
{
	size_t used = 0;
	diags_sort(&c->diags);
	c->text[0] = '\0';
	for (size_t i = 0; i < c->diags.count && used < sizeof(c->text); i++) {
		const struct diag *d = &c->diags.list[i];
		used += (size_t)snprintf(c->text + used, sizeof(c->text) - used, "%u:%u %s %s\n",
					 d->pos.line, d->pos.col, d->rule, d->msg);
	}
}

static struct checked *check_against(const struct field *table, const char *yaml)
{
	struct checked *c = calloc(1, sizeof(*c));
	assert_non_null(c);
	open_session(c, "dir");
	struct value *raw = parse(c, yaml);
	c->v = schema_check(c->schema, table, raw, NULL, raw->pos, "");
	render(c);
	return c;
}

static struct checked *check(const char *yaml)
{
	return check_against(stock(), yaml);
}

static void drop(struct checked *c)
{
	arena_done(&c->arena);
	free(c);
}

static void every_kind_becomes_its_type_and_keeps_its_position(void **state)
{
	struct checked *c = check("name: no\n"
				  "count: 7\n"
				  "open: true\n"
				  "every: 1h30m\n"
				  "since: 2026-11-23T10:00:00Z\n"
				  "page: https://host.example:8443/a//\n"
				  "colour: green\n"
				  "key: file:some where\n"
				  "list: names.txt\n"
				  "room: {size: 3}\n"
				  "shelves: [{name: a}, {name: b, width: 2}]\n"
				  "labels: {x: one, y: '2'}\n"
				  "tags: [p, q]\n");
	const struct value *v = c->v;
	(void)state;
	assert_string_equal(c->text, "");
	assert_string_equal(value_text(value_get(v, "name")), "no");
	assert_int_equal(value_get(v, "name")->pos.line, 1);
	assert_int_equal(value_get(v, "name")->pos.col, 7);
	assert_int_equal(value_get(v, "count")->u.i, 7);
	assert_int_equal(value_get(v, "count")->pos.line, 2);
	assert_true(value_get(v, "open")->u.b);
	assert_int_equal(value_get(v, "every")->u.i, 90 * WHEN_MINUTE);
	assert_int_equal(value_get(v, "since")->kind, VAL_INT);
	assert_int_equal(value_get(v, "since")->pos.line, 5);
	assert_string_equal(value_text(value_get(v, "page")), "https://host.example:8443/a");
	assert_string_equal(value_text(value_get(v, "colour")), "green");
	assert_string_equal(value_text(value_path(v, "key.ref")), "file:some where");
	assert_int_equal(value_get(v, "key")->pos.line, 8);
	assert_string_equal(value_text(value_get(v, "list")), "dir/names.txt");
	assert_int_equal(value_path(v, "room.size")->u.i, 3);
	assert_true(value_path(v, "room.door")->u.b);
	assert_int_equal(value_get(value_at(value_get(v, "shelves"), 0), "width")->u.i, 80);
	assert_int_equal(value_get(value_at(value_get(v, "shelves"), 1), "width")->u.i, 2);
	assert_string_equal(value_text(value_path(v, "labels.y")), "2");
	assert_int_equal(value_get_pair(v, "labels")->key_pos.line, 12);
	assert_int_equal(value_count(value_get(v, "tags")), 2);
	drop(c);
}

static void defaults_are_filled_in_and_have_no_position(void **state)
{
	struct checked *c = check("name: x\n");
	(void)state;
	assert_string_equal(c->text, "");
	assert_int_equal(value_get(c->v, "count")->u.i, 100);
	assert_int_equal(value_get(c->v, "count")->pos.line, 0);
	assert_int_equal(value_path(c->v, "room.size")->u.i, 100);
	assert_string_equal(value_text(value_at(value_get(c->v, "tags"), 1)), "b");
	assert_null(value_get(c->v, "page"));
	assert_null(value_get(c->v, "key"));
	assert_null(value_get(c->v, "labels"));
	drop(c);
}

static void every_kind_tells_what_is_wrong_with_it(void **state)
{
	static const char *const cases[][2] = {
		{ "name: ''", "1:7 bad-string name is empty\n" },
		{ "name: \"a\\tb\"", "1:7 bad-string name holds control characters\n" },
		{ "name: [a]", "1:7 wrong-kind name must be a single value, not a list\n" },
		{ "name:", "1:1 wrong-kind name has no value\n" },
		{ "count: 501", "1:8 out-of-range count is 501, outside 1 to 500\n" },
		{ "count: -1", "1:8 out-of-range count is -1, outside 1 to 500\n" },
		{ "count: 1.5", "1:8 bad-int count is '1.5', not a whole number\n" },
		{ "count: 0x10", "1:8 bad-int count is '0x10', not a whole number\n" },
		{ "count: '-'", "1:8 bad-int count is '-', not a whole number\n" },
		{ "count: 99999999999999999999",
		  "1:8 bad-int count is '99999999999999999999', not a number that fits\n" },
		{ "open: yes", "1:7 bad-bool open is 'yes', not true or false\n" },
		{ "every: 30s", "1:8 out-of-range every is 30s, outside 1m to 24h\n" },
		{ "every: 30", "1:8 bad-span every is '30', not a span of time\n" },
		{ "since: 2026-11-23T10:00",
		  "1:8 bad-instant since is '2026-11-23T10:00', not an instant\n" },
		{ "page: ftp://x.example", "1:7 bad-url page is not an https address\n" },
		{ "page: http://x.example", "1:7 bad-url page is http, not https\n" },
		{ "page: http://127.0.0.1.x.example", "1:7 bad-url page is http, not https\n" },
		{ "page: http://localhost.x.example", "1:7 bad-url page is http, not https\n" },
		{ "page: https://u:p@x.example",
		  "1:7 bad-url page holds a user name or password\n" },
		{ "page: https://x.example/?q",
		  "1:7 bad-url page has a query or a fragment; only host and path are wanted\n" },
		{ "page: 'https://x.example/a b'",
		  "1:7 bad-url page holds a character that no address may hold\n" },
		{ "page: https://", "1:7 bad-url page has no valid host and port\n" },
		{ "page: https://x.example:0", "1:7 bad-url page has no valid host and port\n" },
		{ "page: https://x.example:65536",
		  "1:7 bad-url page has no valid host and port\n" },
		{ "page: https://[::1", "1:7 bad-url page has no valid host and port\n" },
		{ "colour: gren",
		  "1:9 not-one-of colour is 'gren'; it is one of red, green, blue\n" },
		{ "key: hunter2", "1:6 secret-literal key is not a reference to a secret\n" },
		{ "key: 'file: '", "1:6 bad-secret key has nothing after file:\n" },
		{ "key: {late: true}", "1:1 required key.ref is missing\n" },
		{ "key: {ref: env:A, late: maybe}",
		  "1:25 bad-bool key.late is 'maybe', not true or false\n" },
		{ "key: vault:a/b", "1:6 secret-literal key is not a reference to a secret\n" },
		{ "room: 4", "1:7 wrong-kind room must be a map, not a string\n" },
		{ "room: {sise: 1}", "1:8 unknown-key unknown key 'sise' in room\n" },
		{ "shelves: {name: a}", "1:1 wrong-kind shelves must be a list, not a map\n" },
		{ "shelves: [a]", "1:11 wrong-kind shelves[1] must be a map, not a string\n" },
		{ "shelves: [{name: a}, {width: 1}]",
		  "1:22 required shelves[2].name is missing\n" },
		{ "shelves: [{name: a, width: wide}]",
		  "1:28 bad-int shelves[1].width is 'wide', not a whole number\n" },
		{ "tags: [a, b, 'c d']", "1:14 bad-id tags[3] holds a blank, '/', '?' or '#'\n" },
		{ "tags: a", "1:7 wrong-kind tags must be a list, not a string\n" },
		{ "labels: {'a b': x}",
		  "1:10 bad-id the key 'a b' of labels holds a blank, '/', '?' or '#'\n" },
		{ "labels: [x]", "1:9 wrong-kind labels must be a map, not a list\n" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct checked *c = check(cases[i][0]);
		assert_string_equal(c->text, cases[i][1]);
		drop(c);
	}
}

static void addresses_of_this_machine_may_be_http(void **state)
{
	static const char *const urls[] = { "http://127.0.0.1:8080/x", "http://localhost",
					    "http://[::1]:1/", "https://[2001:db8::1]" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		char yaml[64];
		snprintf(yaml, sizeof(yaml), "page: '%s'", urls[i]);
		struct checked *c = check(yaml);
		assert_string_equal(c->text, "");
		assert_int_equal(scalar_is_loopback(value_text(value_get(c->v, "page"))), i < 3);
		drop(c);
	}
}

static void too_many_entries_are_refused(void **state)
{
	struct checked *c =
		check("shelves: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}]\n");
	(void)state;
	assert_string_equal(c->text, "1:10 too-many shelves has 5 entries, more than 4\n");
	drop(c);
}

static void empty_maps_and_lists_may_be_left_blank(void **state)
{
	struct checked *c = check("room:\nshelves:\nlabels:\ntags:\n");
	(void)state;
	assert_string_equal(c->text, "");
	assert_int_equal(value_path(c->v, "room.size")->u.i, 100);
	assert_int_equal(value_get(c->v, "shelves")->kind, VAL_LIST);
	assert_int_equal(value_count(value_get(c->v, "tags")), 0);
	assert_int_equal(value_get(c->v, "labels")->kind, VAL_MAP);
	drop(c);
}

static void without_variables_what_they_would_hold_stays_as_it_is_written(void **state)
{
	struct checked *c = calloc(1, sizeof(*c));
	struct value *raw;
	(void)state;
	assert_non_null(c);
	open_session(c, "dir");
	schema_without_env(c->schema);
	raw = parse(c, "name: env:NAME\npage: env:NO_PAGE\nroom: {size: env:SIZE}\nopen: maybe\n");
	c->v = schema_check(c->schema, stock(), raw, NULL, raw->pos, "");
	render(c);
	assert_string_equal(value_text(value_get(c->v, "name")), "from env");
	assert_string_equal(value_text(value_get(c->v, "page")), "env:NO_PAGE");
	assert_string_equal(value_text(value_path(c->v, "room.size")), "env:SIZE");
	assert_int_equal(c->diags.errors, 1); /* other mistakes are mistakes */
	assert_non_null(strstr(c->text, "4:7 bad-bool"));
	assert_non_null(strstr(
		c->text,
		"2:7 env-missing page: the environment variable NO_PAGE is not set; left as written\n"));
	drop(c);
}

static void env_values_are_read_once_written_and_only_where_allowed(void **state)
{
	struct checked *c = check(
		"name: env:NAME\nopen: env:OPEN\nevery: env:EVERY\npage: env:URL\nroom: {size: env:SIZE}\n");
	(void)state;
	assert_string_equal(
		c->text, "5:14 env-missing room.size: the environment variable SIZE is not set\n");
	assert_string_equal(value_text(value_get(c->v, "name")), "from env");
	assert_int_equal(value_get(c->v, "name")->pos.line, 1);
	assert_true(value_get(c->v, "open")->u.b);
	assert_int_equal(value_get(c->v, "every")->u.i, 2 * WHEN_MINUTE);
	assert_string_equal(value_text(value_get(c->v, "page")), "https://e.example");
	drop(c);
	c = check("name: env:EMPTY\ncount: env:COUNT\nkey: env:KEY\n");
	assert_string_equal(c->text, "1:7 bad-string name is empty (the variable EMPTY)\n"
				     "2:8 bad-int count is 'env:COUNT', not a whole number\n");
	assert_string_equal(value_text(value_path(c->v, "key.ref")), "env:KEY");
	drop(c);
}

static const struct field choice[] = {
	{ .name = "id", .kind = FIELD_ID, .flags = FIELD_ONE_OF },
	{ .name = "title", .kind = FIELD_STRING, .flags = FIELD_ONE_OF },
	{ .name = "size", .kind = FIELD_INT, .def = "1" },
	{ .name = NULL },
};

static void exactly_one_of_the_marked_fields_has_to_be_there(void **state)
{
	struct checked *c = check_against(choice, "size: 2\n");
	(void)state;
	assert_string_equal(c->text, "1:1 one-of one of id, title has to be written\n");
	drop(c);
	c = check_against(choice, "{id: a, title: b}\n");
	assert_string_equal(c->text, "1:1 one-of only one of id, title may be written\n");
	drop(c);
	c = check_against(choice, "{id: 'a b'}\n");
	assert_string_equal(c->text, "1:6 bad-id id holds a blank, '/', '?' or '#'\n");
	drop(c);
}

static void a_layer_is_merged_below_and_its_alternative_gives_way(void **state)
{
	struct checked c;
	(void)state;
	open_session(&c, "");
	const struct value *low =
		schema_layer(c.schema, choice, parse(&c, "{id: a, size: 5}\n"), NULL, "defaults");
	struct src_pos where = { .file = "f", .line = 9, .col = 1 };
	const struct value *top =
		schema_check(c.schema, choice, parse(&c, "{title: T}\n"), low, where, "env");
	const struct value *same = schema_check(c.schema, choice, NULL, low, where, "env");
	assert_int_equal(c.diags.count, 0);
	assert_null(value_get(top, "id"));
	assert_string_equal(value_text(value_get(top, "title")), "T");
	assert_int_equal(value_get(top, "size")->u.i, 5);
	assert_ptr_equal(value_get(top, "size"), value_get(low, "size"));
	assert_string_equal(value_text(value_get(same, "id")), "a");
	arena_done(&c.arena);
}

static void what_is_wrong_in_a_layer_is_not_missing_above_it(void **state)
{
	static const struct field table[] = {
		{ .name = "count", .kind = FIELD_INT, .flags = FIELD_REQUIRED },
		{ .name = "room", .kind = FIELD_MAP, .sub = choice, .flags = FIELD_REQUIRED },
		{ .name = NULL },
	};
	struct checked c;
	(void)state;
	open_session(&c, "");
	const struct value *low =
		schema_layer(c.schema, table, parse(&c, "{count: many, room: none}\n"), NULL, "");
	assert_int_equal(c.diags.errors, 2);
	const struct value *top =
		schema_check(c.schema, table, NULL, low, (struct src_pos){ .line = 1 }, "");
	assert_int_equal(c.diags.errors, 2);
	assert_int_equal(value_count(top), 0);
	top = schema_check(c.schema, table, parse(&c, "{count: 3, room: {id: x}}\n"), low,
			   (struct src_pos){ .line = 1 }, "");
	assert_int_equal(c.diags.errors, 2);
	assert_int_equal(value_path(top, "room.size")->u.i, 1);
	arena_done(&c.arena);
}

static void dicts_are_merged_by_key(void **state)
{
	struct checked c;
	(void)state;
	open_session(&c, "");
	const struct value *low =
		schema_layer(c.schema, stock(), parse(&c, "labels: {a: one, b: two}\n"), NULL, "");
	const struct value *top =
		schema_check(c.schema, stock(), parse(&c, "labels: {b: three, c: four}\n"), low,
			     (struct src_pos){ .line = 1 }, "");
	assert_int_equal(c.diags.count, 0);
	assert_int_equal(value_count(value_get(top, "labels")), 3);
	assert_string_equal(value_text(value_path(top, "labels.a")), "one");
	assert_string_equal(value_text(value_path(top, "labels.b")), "three");
	arena_done(&c.arena);
}

static void paths_start_at_the_folder_unless_absolute(void **state)
{
	static const char *const cases[][3] = { { "dir", "a/b", "dir/a/b" },
						{ "dir", "/a", "/a" },
						{ ".", "a", "a" },
						{ "", "a", "a" } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct checked c;
		char yaml[32];
		open_session(&c, cases[i][0]);
		snprintf(yaml, sizeof(yaml), "list: %s\n", cases[i][1]);
		const struct value *v = schema_check(c.schema, stock(), parse(&c, yaml), NULL,
						     (struct src_pos){ .line = 1 }, "");
		assert_string_equal(value_text(value_get(v, "list")), cases[i][2]);
		arena_done(&c.arena);
	}
}

static void a_file_full_of_nonsense_is_counted_and_not_searched(void **state)
{
	enum { COUNT = 20000 };
	CLEANUP(sb_done) struct sb s = SB_INIT(SB_TEXT_MAX);
	(void)state;
	for (int i = 0; i < COUNT; i++)
		sb_addf(&s, "key-%d: x\n", i);
	struct checked *c = check(s.buf);
	assert_int_equal(c->diags.errors, COUNT);
	assert_int_equal(c->diags.count, DIAGS_MAX);
	drop(c);
}

struct found {
	char text[256];
};
static void note(void *arg, const char *path, const struct value *secret)
{
	struct found *f = arg;
	size_t used = strlen(f->text);
	snprintf(f->text + used, sizeof(f->text) - used, "%s=%s ", path,
		 value_text(value_get(secret, "ref")));
}

static void secrets_are_found_by_their_path(void **state)
{
	static const struct field entry = { .name = "e", .kind = FIELD_SECRET };
	static const struct field in_map[] = { { .name = "s", .kind = FIELD_SECRET },
					       { .name = NULL } };
	static const struct field table[] = {
		{ .name = "one", .kind = FIELD_SECRET },
		{ .name = "list", .kind = FIELD_LIST, .sub = &entry },
		{ .name = "dict", .kind = FIELD_DICT, .sub = &entry },
		{ .name = "map", .kind = FIELD_MAP, .sub = in_map },
		{ .name = NULL },
	};
	struct found found = { "" };
	struct checked *c = check_against(
		table, "{one: env:A, list: [env:B, env:C], dict: {k: env:D}, map: {s: env:E}}\n");
	(void)state;
	schema_secrets(table, c->v, note, &found);
	assert_string_equal(found.text,
			    "one=env:A list.1=env:B list.2=env:C dict.k=env:D map.s=env:E ");
	drop(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_becomes_its_type_and_keeps_its_position),
		cmocka_unit_test(defaults_are_filled_in_and_have_no_position),
		cmocka_unit_test(every_kind_tells_what_is_wrong_with_it),
		cmocka_unit_test(addresses_of_this_machine_may_be_http),
		cmocka_unit_test(too_many_entries_are_refused),
		cmocka_unit_test(empty_maps_and_lists_may_be_left_blank),
		cmocka_unit_test(without_variables_what_they_would_hold_stays_as_it_is_written),
		cmocka_unit_test(env_values_are_read_once_written_and_only_where_allowed),
		cmocka_unit_test(exactly_one_of_the_marked_fields_has_to_be_there),
		cmocka_unit_test(a_layer_is_merged_below_and_its_alternative_gives_way),
		cmocka_unit_test(what_is_wrong_in_a_layer_is_not_missing_above_it),
		cmocka_unit_test(dicts_are_merged_by_key),
		cmocka_unit_test(paths_start_at_the_folder_unless_absolute),
		cmocka_unit_test(a_file_full_of_nonsense_is_counted_and_not_searched),
		cmocka_unit_test(secrets_are_found_by_their_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
