/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/schema.h"

#define TABLES_MAX 512
#define ENV_PATTERN "env:[A-Za-z_][A-Za-z0-9_]*"
#define REF(name) "#/definitions/" name

/*
 * Maps become definitions, each table once, because environments and defaults hold the same ones.
 */
struct maker {
	struct arena *arena;
	struct value *definitions;
	const struct field *tables[TABLES_MAX];
	const char *names[TABLES_MAX];
	size_t count;
};

static const struct value *node_of(struct maker *m, const struct field *f);

static void set_text(struct maker *m, struct value *map, const char *key, const char *text)
{
	if (text)
		value_set(m->arena, map, key, value_string(m->arena, text));
}

static void set_int(struct maker *m, struct value *map, const char *key, int64_t i)
{
	value_set(m->arena, map, key, value_int(m->arena, i));
}

static void set_types(struct maker *m, struct value *map, const char *one, const char *two,
		      const char *three)
{
	struct value *types = value_list(m->arena);
	const char *const all[] = { one, two, three };
	for (size_t i = 0; i < ARRAY_LEN(all) && all[i]; i++)
		value_list_add(m->arena, types, value_string(m->arena, all[i]));
	value_set(m->arena, map, "type", types);
}

static struct value *pattern(struct maker *m, const char *text)
{
	struct value *v = value_map(m->arena);
	set_text(m, v, "type", "string");
	set_text(m, v, "pattern", text);
	return v;
}

static struct value *ref_to(struct maker *m, const char *where)
{
	struct value *v = value_map(m->arena);
	set_text(m, v, "$ref", where);
	return v;
}

/*
 * "$ref" makes neighbours ignored in this draft, so it goes one level down and the description
 * stays.
 */
static struct value *wrapped_ref(struct maker *m, const char *where)
{
	struct value *v = value_map(m->arena), *all = value_list(m->arena);
	value_list_add(m->arena, all, ref_to(m, where));
	value_set(m->arena, v, "allOf", all);
	return v;
}

/* --- scalars --- */

static struct value *text_of(struct maker *m, const struct field *f)
{
	struct value *v = value_map(m->arena);
	/* What an editor takes for a number or a truth is a text to us: the kind decides. */
	set_types(m, v, "string", "number", "boolean");
	if (f->kind == FIELD_ID)
		set_text(m, v, "pattern", "^[^/ ?#]+$");
	else if (!(f->flags & SCHEMA_EMPTY))
		set_int(m, v, "minLength", 1);
	set_int(m, v, "maxLength", f->kind == FIELD_ID ? 256 : f->kind == FIELD_PATH ? 4096 : 1024);
	return v;
}

static struct value *int_of(struct maker *m, const struct field *f)
{
	struct value *v = value_map(m->arena);
	set_text(m, v, "type", "integer");
	if (f->min || f->max)
		set_int(m, v, "minimum", f->min);
	if (f->max)
		set_int(m, v, "maximum", f->max);
	return v;
}

static struct value *span_of(struct maker *m)
{
	struct value *v = value_map(m->arena);
	set_types(m, v, "string", "integer", NULL);
	set_text(m, v, "pattern", "^(0|([0-9]+(ms|s|m|h|d))+)$");
	set_int(m, v, "minimum", 0);
	set_int(m, v, "maximum", 0);
	return v;
}

static struct value *enum_of(struct maker *m, const struct field *f)
{
	struct value *v = value_map(m->arena), *names = value_list(m->arena);
	for (const char *const *n = f->names; *n; n++)
		value_list_add(m->arena, names, value_string(m->arena, *n));
	value_set(m->arena, v, "enum", names);
	return v;
}

static struct value *url_of(struct maker *m)
{
	return pattern(
		m, "^(https://[^\\s?#@/]+(/[^\\s?#]*)?|"
		   "http://(localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1\\])(:\\d+)?(/[^\\s?#]*)?)$");
}

/* Text kinds take an env:NAME as they are; the others need the way out. */
static struct value *or_env(struct maker *m, const struct field *f, struct value *v)
{
	if (!(f->flags & FIELD_FROM_ENV) || f->kind == FIELD_STRING || f->kind == FIELD_ID ||
	    f->kind == FIELD_PATH)
		return v;
	struct value *any = value_map(m->arena), *list = value_list(m->arena);
	value_list_add(m->arena, list, v);
	value_list_add(m->arena, list, pattern(m, "^" ENV_PATTERN "$"));
	value_set(m->arena, any, "anyOf", list);
	return any;
}

static const struct value *default_of(struct maker *m, const struct field *f)
{
	if (f->kind == FIELD_INT)
		return value_int(m->arena, strtoll(f->def, NULL, 10));
	if (f->kind == FIELD_BOOL)
		return value_bool(m->arena, !strcmp(f->def, "true"));
	if (f->kind == FIELD_DICT)
		return value_map(m->arena);
	if (f->kind != FIELD_LIST)
		return value_string(m->arena, f->def);
	struct value *list = value_list(m->arena);
	for (const char *p = f->def; *p;) {
		p += strspn(p, "[], ");
		size_t len = strcspn(p, ",] ");
		if (len)
			value_list_add(m->arena, list,
				       value_string(m->arena, arena_strndup(m->arena, p, len)));
		p += len;
	}
	return list;
}

/* --- trees --- */

static struct value *object_of(struct maker *m, const struct field *table)
{
	struct value *v = value_map(m->arena), *properties = value_map(m->arena);
	set_types(m, v, "object", "null", NULL);
	for (const struct field *f = table; f && f->name; f++)
		value_set(m->arena, properties, f->name, node_of(m, f));
	value_set(m->arena, properties, "<<", ref_to(m, REF("merge")));
	value_set(m->arena, v, "properties", properties);
	value_set(m->arena, v, "additionalProperties", value_bool(m->arena, false));
	return v;
}

/* Only where no layer below can supply it. */
static void add_required(struct maker *m, struct value *v, const struct field *table)
{
	struct value *required = value_list(m->arena), *one_of = value_list(m->arena);
	for (const struct field *f = table; f && f->name; f++) {
		struct value *alone = value_map(m->arena), *name = value_list(m->arena);
		if (f->flags & FIELD_REQUIRED && !f->def)
			value_list_add(m->arena, required, value_string(m->arena, f->name));
		if (!(f->flags & FIELD_ONE_OF))
			continue;
		value_list_add(m->arena, name, value_string(m->arena, f->name));
		value_set(m->arena, alone, "required", name);
		value_list_add(m->arena, one_of, alone);
	}
	if (value_count(required))
		value_set(m->arena, v, "required", required);
	if (value_count(one_of))
		value_set(m->arena, v, "oneOf", one_of);
}

static const char *define(struct maker *m, const struct field *f)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->tables[i] == f->sub)
			return m->names[i];
	assert(m->count < TABLES_MAX);
	char name[128];
	snprintf(name, sizeof(name), "%s", f->name);
	for (unsigned n = 2; value_get(m->definitions, name); n++)
		snprintf(name, sizeof(name), "%s-%u", f->name, n);
	/*
	 * The name is taken before the fields are walked: they may hold another table of that
	 * name.
	 */
	value_set(m->arena, m->definitions, name, value_null(m->arena));
	size_t at = m->count++;
	m->tables[at] = f->sub;
	m->names[at] = arena_printf(m->arena, REF("%s"), name);
	value_set(m->arena, m->definitions, name, object_of(m, f->sub));
	return m->names[at];
}

static struct value *list_of(struct maker *m, const struct field *f)
{
	struct value *v = value_map(m->arena);
	set_types(m, v, "array", "null", NULL);
	if (f->sub[0].kind == FIELD_MAP) {
		struct value *item = object_of(m, f->sub[0].sub);
		add_required(m, item, f->sub[0].sub);
		value_set(m->arena, v, "items", item);
	} else {
		value_set(m->arena, v, "items", node_of(m, &f->sub[0]));
	}
	if (f->max)
		set_int(m, v, "maxItems", f->max);
	return v;
}

static struct value *dict_of(struct maker *m, const struct field *f)
{
	struct value *v = value_map(m->arena), *names = value_map(m->arena),
		     *properties = value_map(m->arena);
	set_types(m, v, "object", "null", NULL);
	set_text(m, names, "pattern", "^[^/ ?#]+$");
	value_set(m->arena, v, "propertyNames", names);
	value_set(m->arena, properties, "<<", ref_to(m, REF("merge")));
	value_set(m->arena, v, "properties", properties);
	value_set(m->arena, v, "additionalProperties", node_of(m, &f->sub[0]));
	return v;
}

static struct value *bare_node(struct maker *m, const struct field *f)
{
	switch (f->kind) {
	case FIELD_STRING:
	case FIELD_ID:
	case FIELD_PATH:
		return text_of(m, f);
	case FIELD_INT:
		return int_of(m, f);
	case FIELD_BOOL: {
		struct value *v = value_map(m->arena);
		set_text(m, v, "type", "boolean");
		return v;
	}
	case FIELD_SPAN:
		return span_of(m);
	case FIELD_INSTANT:
		return pattern(m, "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?$");
	case FIELD_URL:
		return url_of(m);
	case FIELD_ENUM:
		return enum_of(m, f);
	case FIELD_SECRET:
		return wrapped_ref(m, REF("secret"));
	case FIELD_MAP:
		return wrapped_ref(m, define(m, f));
	case FIELD_LIST:
		return list_of(m, f);
	case FIELD_DICT:
		return dict_of(m, f);
	}
	return value_map(m->arena);
}

static const struct value *node_of(struct maker *m, const struct field *f)
{
	struct value *v = or_env(m, f, bare_node(m, f));
	const char *doc = f->doc ? f->doc : "";
	if (f->flags & FIELD_FROM_ENV)
		doc = arena_printf(m->arena, "%s%sMay be written env:NAME.", doc, *doc ? " " : "");
	if (*doc)
		set_text(m, v, "description", doc);
	if (f->def)
		value_set(m->arena, v, "default", default_of(m, f));
	return v;
}

static void define_common(struct maker *m)
{
	struct value *merge = value_map(m->arena), *secret = value_map(m->arena),
		     *any = value_list(m->arena), *map = value_map(m->arena);
	struct value *properties = value_map(m->arena), *required = value_list(m->arena),
		     *late = value_map(m->arena);
	const char *reference = "^(" ENV_PATTERN "|file:.*\\S.*|exec:.*\\S.*)$";
	set_types(m, merge, "object", "array", NULL);
	set_text(
		m, merge, "description",
		"YAML merge key: a map, or a list of maps, whose keys count where this map has none.");
	value_set(m->arena, m->definitions, "merge", merge);
	set_text(m, late, "type", "boolean");
	set_text(m, late, "description", "Resolved by the first step that needs it, not before.");
	value_set(m->arena, properties, "ref", pattern(m, reference));
	value_set(m->arena, properties, "late", late);
	set_text(m, map, "type", "object");
	value_set(m->arena, map, "properties", properties);
	value_list_add(m->arena, required, value_string(m->arena, "ref"));
	value_set(m->arena, map, "required", required);
	value_set(m->arena, map, "additionalProperties", value_bool(m->arena, false));
	value_list_add(m->arena, any, pattern(m, reference));
	value_list_add(m->arena, any, map);
	value_set(m->arena, secret, "anyOf", any);
	set_text(m, secret, "description",
		 "A reference to a secret, never the secret: env:NAME, file:PATH or exec:COMMAND.");
	value_set(m->arena, m->definitions, "secret", secret);
}

struct value *schema_to_json(struct arena *a, const struct field *table, const char *id,
			     const char *title, const char *doc)
{
	struct maker m = { .arena = a, .definitions = value_map(a) };
	struct value *v = value_map(a);
	define_common(&m);
	set_text(&m, v, "$schema", "http://json-schema.org/draft-07/schema#");
	set_text(&m, v, "$id", id);
	set_text(&m, v, "title", title);
	set_text(&m, v, "description", doc);
	struct value *top = object_of(&m, table);
	set_text(&m, top, "type", "object");
	add_required(&m, top, table);
	for (size_t i = 0; i < value_count(top); i++)
		value_set(a, v, value_key_at(top, i), value_at(top, i));
	value_set(a, v, "definitions", m.definitions);
	return v;
}
