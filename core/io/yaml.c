/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's events become values as they come; an explicit stack of open lists and maps takes the
 * place of recursion. Aliases share the node of their anchor, so a file that grows a
 * thousandfold when expanded costs little here, but whoever walks the tree would pay: hence each
 * node's expanded size ("weight") and height are counted as if it had been written out.
 */
#include "core/io/yaml.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "core/base/mem.h"

#define BYTES_MAX ((size_t)64 << 20)
#define DEPTH_MAX ((size_t)64)
#define NODES_MAX ((size_t)4000000)
#define TAG "tag:yaml.org,2002:"

struct measure {
	size_t weight; /* nodes when expanded, itself included */
	size_t height; /* levels, 1 for a scalar */
};
struct anchor {
	struct value *val; /* NULL while it is still open */
	struct measure size;
};

/* A list or map that is still open. */
struct frame {
	struct value *val;
	struct measure size;
	size_t anchor;   /* number + 1; 0: none */
	const char *key; /* of a map, once read; in the arena */
	struct src_pos key_pos;
	bool is_merge;               /* the key is `<<` */
	const struct value **merges; /* maps to be merged at the end, earlier ones first */
	size_t merge_count, merge_cap;
	bool has_merge;
};

struct loader {
	struct arena *a;
	struct diags *diags;
	const char *name;
	struct yaml_limits limits;
	struct frame *stack;
	size_t depth, stack_cap;
	struct anchor *anchors;
	size_t anchor_count, anchor_cap;
	struct arena scratch; /* dies with the loader */
	struct value *names;  /* anchor name -> number */
	struct value *root;
	size_t nodes;
	unsigned documents;
};

static void loader_done(struct loader *l)
{
	mem_free(l->stack);
	mem_free(l->anchors);
	arena_done(&l->scratch);
}

static struct src_pos pos_of(const struct loader *l, const yaml_mark_t *m)
{
	return (struct src_pos){ l->name, (unsigned)m->line + 1, (unsigned)m->column + 1 };
}

static int stop(struct loader *l, struct src_pos pos, const char *rule, const char *hint,
		const char *fmt, ...) PRINTF_LIKE(5, 6);
static int stop(struct loader *l, struct src_pos pos, const char *rule, const char *hint,
		const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	diags_add(l->diags, DIAG_ERROR, pos, rule, hint, "%s", msg);
	return -1;
}

/* Counts a node that is about to become part of the innermost open one. */
static int count(struct loader *l, struct measure size, struct src_pos pos)
{
	if (l->depth + size.height > l->limits.depth)
		return stop(l, pos, "limit", NULL, "nested deeper than the limit of %zu levels",
			    l->limits.depth);
	if (size.weight > l->limits.nodes - l->nodes)
		return stop(l, pos, "limit", "aliases count as what they stand for",
			    "more than the limit of %zu values", l->limits.nodes);
	l->nodes += size.weight;
	return 0;
}

static int merge_from(struct loader *l, struct frame *f, const struct value *v)
{
	static const char hint[] = "`<<` takes a map or a list of maps, mostly as `<<: *name`";
	bool is_list = v->kind == VAL_LIST;
	size_t n = is_list ? v->u.list.count : 1;

	for (size_t i = 0; i < n; i++) {
		const struct value *m = is_list ? v->u.list.items[i] : v;

		if (m->kind != VAL_MAP)
			return stop(l, f->key_pos, "merge", hint, "`<<` merges a %s",
				    value_kind_name(m->kind));
		f->merges = arena_grow(&l->scratch, f->merges, f->merge_count, &f->merge_cap,
				       sizeof(*f->merges));
		f->merges[f->merge_count++] = m;
	}
	return 0;
}

static void add_pair(struct arena *a, struct value *map, const char *key, struct src_pos key_pos,
		     const struct value *val)
{
	value_set(a, map, key, val);
	map->u.map.pairs[map->u.map.count - 1].key_pos = key_pos;
}

static void say_twice(struct loader *l, const struct frame *f, struct src_pos first)
{
	diags_add(l->diags, DIAG_ERROR, f->key_pos, "duplicate-key",
		  "keep one of them; the first was taken",
		  "the key '%.100s' is written twice; first at line %u, column %u", f->key,
		  first.line, first.col);
}

/* Gives a finished node to the innermost open one. */
static int attach(struct loader *l, struct value *v)
{
	struct frame *f = l->depth > 0 ? &l->stack[l->depth - 1] : NULL;
	const struct value_pair *have;
	const char *key;

	if (!f) {
		l->root = v;
		return 0;
	}
	if (f->val->kind == VAL_LIST) {
		value_list_add(l->a, f->val, v);
		return 0;
	}
	key = f->key;
	if (f->is_merge) {
		f->key = NULL;
		f->is_merge = false;
		return merge_from(l, f, v);
	}
	have = value_get_pair(f->val, key);
	if (have)
		say_twice(l, f, have->key_pos);
	else
		add_pair(l->a, f->val, key, f->key_pos, v);
	f->key = NULL;
	return 0;
}

/* Adds a finished child's size to the node that holds it. */
static void grow_parent(struct loader *l, struct measure child)
{
	struct frame *f = l->depth > 0 ? &l->stack[l->depth - 1] : NULL;

	if (!f)
		return;
	f->size.weight += child.weight;
	f->size.height = MAX_OF(f->size.height, child.height + 1);
}

static bool wants_key(const struct loader *l)
{
	const struct frame *f = l->depth > 0 ? &l->stack[l->depth - 1] : NULL;

	return f && f->val->kind == VAL_MAP && !f->key;
}

static int take_key(struct loader *l, const char *text, struct src_pos pos, bool is_plain)
{
	struct frame *f = &l->stack[l->depth - 1];

	f->key = text;
	f->key_pos = pos;
	f->is_merge = is_plain && strcmp(text, "<<") == 0;
	if (!f->is_merge)
		return 0;
	if (f->has_merge)
		diags_add(l->diags, DIAG_ERROR, pos, "duplicate-key",
			  "write one `<<` with a list of maps", "`<<` is written twice in one map");
	f->has_merge = true;
	return 0;
}

static size_t anchor_new(struct loader *l, const yaml_char_t *name)
{
	size_t n = l->anchor_count;

	if (!name)
		return 0;
	l->anchors = mem_grow(l->anchors, n, &l->anchor_cap, sizeof(*l->anchors));
	l->anchors[n] = (struct anchor){ NULL, { 0, 0 } };
	l->anchor_count++;
	value_set(&l->scratch, l->names, (const char *)name,
		  value_int(&l->scratch, (int64_t)n + 1));
	return n + 1;
}

static void anchor_set(struct loader *l, size_t n, struct value *v, struct measure size)
{
	if (n > 0)
		l->anchors[n - 1] = (struct anchor){ v, size };
}

static int check_tag(struct loader *l, const yaml_char_t *tag, const char *kind, struct src_pos pos)
{
	const char *text = (const char *)tag;
	size_t front = sizeof(TAG) - 1;

	if (!text || strcmp(text, "!") == 0)
		return 0;
	if (strncmp(text, TAG, front) == 0 && strcmp(text + front, kind) == 0)
		return 0;
	return stop(l, pos, "tag", "leave the tag out", "the tag '%.100s' has no meaning here",
		    text);
}

static struct value *make_scalar(struct loader *l, const yaml_event_t *e, struct src_pos pos)
{
	const char *text = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	bool is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !e->data.scalar.tag;
	bool is_null =
		is_plain && (len == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
	struct value *v = ARENA_NEW(l->a, struct value);

	v->kind = is_null ? VAL_NULL : VAL_STRING;
	v->is_plain = is_plain;
	v->pos = pos;
	if (!is_null)
		v->u.str = arena_strndup(l->a, text, len);
	return v;
}

static int on_scalar(struct loader *l, const yaml_event_t *e)
{
	static const struct measure one = { 1, 1 };
	struct src_pos pos = pos_of(l, &e->start_mark);
	const char *text = (const char *)e->data.scalar.value;
	size_t n = anchor_new(l, e->data.scalar.anchor);
	bool is_key = wants_key(l);
	struct value *v;

	if (strlen(text) != e->data.scalar.length)
		return stop(l, pos, "nul", NULL, "a text holds a NUL");
	if (check_tag(l, e->data.scalar.tag, "str", pos) < 0)
		return -1;
	if (is_key && n == 0)
		return take_key(l, arena_strndup(l->a, text, e->data.scalar.length), pos,
				e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
	v = make_scalar(l, e, pos);
	anchor_set(l, n, v, one);
	if (is_key)
		return take_key(l, arena_strdup(l->a, text), pos, false);
	if (count(l, one, pos) < 0)
		return -1;
	grow_parent(l, one);
	return attach(l, v);
}

static int on_alias(struct loader *l, const yaml_event_t *e)
{
	struct src_pos pos = pos_of(l, &e->start_mark);
	const char *name = (const char *)e->data.alias.anchor;
	int64_t n = value_int_or(value_get(l->names, name), 0);
	struct anchor *at = n > 0 ? &l->anchors[n - 1] : NULL;

	if (!at)
		return stop(l, pos, "alias", "an anchor is written before it is used",
			    "no anchor named '%.100s'", name);
	if (!at->val)
		return stop(l, pos, "alias", NULL, "the alias '%.100s' stands inside itself", name);
	if (wants_key(l)) {
		if (at->val->kind != VAL_STRING)
			return stop(l, pos, "key", NULL, "a key is a %s, not a string",
				    value_kind_name(at->val->kind));
		return take_key(l, at->val->u.str, pos, false);
	}
	if (count(l, at->size, pos) < 0)
		return -1;
	grow_parent(l, at->size);
	return attach(l, at->val);
}

static int on_open(struct loader *l, enum val_kind kind, const yaml_event_t *e,
		   const yaml_char_t *anchor, const yaml_char_t *tag)
{
	static const struct measure one = { 1, 1 };
	struct src_pos pos = pos_of(l, &e->start_mark);
	struct value *v;

	if (wants_key(l))
		return stop(l, pos, "key", NULL, "a key is a %s, not a string",
			    value_kind_name(kind));
	if (check_tag(l, tag, kind == VAL_MAP ? "map" : "seq", pos) < 0 || count(l, one, pos) < 0)
		return -1;
	v = kind == VAL_MAP ? value_map(l->a) : value_list(l->a);
	v->pos = pos;
	l->stack = mem_grow(l->stack, l->depth, &l->stack_cap, sizeof(*l->stack));
	l->stack[l->depth++] =
		(struct frame){ .val = v, .size = one, .anchor = anchor_new(l, anchor) };
	return 0;
}

/* What the map itself says wins; then the maps in the order in which they were named. */
static void merge_all(struct loader *l, struct frame *f)
{
	for (size_t i = 0; i < f->merge_count; i++) {
		const struct value_map *m = &f->merges[i]->u.map;

		for (size_t j = 0; j < m->count; j++)
			if (!value_get_pair(f->val, m->pairs[j].key))
				add_pair(l->a, f->val, m->pairs[j].key, m->pairs[j].key_pos,
					 m->pairs[j].val);
	}
}

static int on_close(struct loader *l)
{
	struct frame f;

	assert(l->depth > 0);
	f = l->stack[l->depth - 1];
	merge_all(l, &f);
	l->depth--;
	anchor_set(l, f.anchor, f.val, f.size);
	grow_parent(l, f.size);
	return attach(l, f.val);
}

static int on_event(struct loader *l, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(l, e);
	case YAML_ALIAS_EVENT:
		return on_alias(l, e);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(l, VAL_LIST, e, e->data.sequence_start.anchor,
			       e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_open(l, VAL_MAP, e, e->data.mapping_start.anchor,
			       e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(l);
	case YAML_DOCUMENT_START_EVENT:
		if (l->documents++ > 0)
			return stop(l, pos_of(l, &e->start_mark), "second-document",
				    "keep one document in a file", "a second document begins here");
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	}
	return 0;
}

static int syntax_error(struct loader *l, const yaml_parser_t *p)
{
	const char *problem = p->problem ? p->problem : "unknown reason";
	struct src_pos pos = pos_of(l, &p->problem_mark);
	const char *hint = NULL;

	if (p->error == YAML_MEMORY_ERROR)
		mem_exhausted();
	/* Reader errors (bad UTF-8, control bytes) know an offset only. */
	if (p->error == YAML_READER_ERROR)
		return stop(l, (struct src_pos){ l->name, 0, 0 }, "syntax", NULL,
			    "no valid YAML: %s at byte %zu", problem, p->problem_offset);
	if (strstr(problem, "cannot start any token"))
		hint = "indent with blanks, and quote a text that begins with @, ` or %";
	if (p->context && p->context_mark.line != p->problem_mark.line)
		return stop(l, pos, "syntax", hint, "no valid YAML: %s, %s that begins in line %zu",
			    problem, p->context, p->context_mark.line + 1);
	return stop(l, pos, "syntax", hint, "no valid YAML: %s%s%s", problem,
		    p->context ? ", " : "", p->context ? p->context : "");
}

static int run(struct loader *l, yaml_parser_t *p)
{
	bool at_end = false;

	while (!at_end) {
		yaml_event_t e;
		int r;

		if (!yaml_parser_parse(p, &e))
			return syntax_error(l, p);
		at_end = e.type == YAML_STREAM_END_EVENT;
		r = on_event(l, &e);
		yaml_event_delete(&e);
		if (r < 0)
			return r;
	}
	return 0;
}

int yaml_parse(struct arena *a, const char *name, const char *text, size_t len,
	       const struct yaml_limits *limits, struct value **ret, struct diags *diags)
{
	CLEANUP(loader_done) struct loader l = { .a = a, .diags = diags, .name = name };
	CLEANUP(yaml_parser_delete) yaml_parser_t p;

	if (!yaml_parser_initialize(&p))
		mem_exhausted();
	if (limits)
		l.limits = *limits;
	l.limits.bytes = l.limits.bytes ? l.limits.bytes : BYTES_MAX;
	l.limits.depth = l.limits.depth ? l.limits.depth : DEPTH_MAX;
	l.limits.nodes = l.limits.nodes ? l.limits.nodes : NODES_MAX;
	l.names = value_map(&l.scratch);
	if (len > l.limits.bytes)
		return stop(&l, (struct src_pos){ name, 0, 0 }, "limit", NULL,
			    "larger than the limit of %zu bytes", l.limits.bytes);
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	if (run(&l, &p) < 0)
		return -1;
	if (!l.root) {
		l.root = value_null(a);
		l.root->pos = (struct src_pos){ name, 1, 1 };
	}
	*ret = l.root;
	return 0;
}
