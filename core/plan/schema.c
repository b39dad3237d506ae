/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan/schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/plan/schema_scalar.h"

#define MEMO_LEN 4096 /* a power of two */
#define NAMES_MAX 64  /* fields of one table, for did-you-mean */
#define PATH_TEXT 256

/* What is known of a table before anything is read. */
struct table_info {
	const struct field *table;
	size_t count;
	struct value *defaults; /* checked tree; line 0 everywhere: nobody wrote it */
	bool needs;             /* something in it has to be written */
	bool offers;            /* something in it has a default */
};

/*
 * Ten thousand environments that merge the same anchor hold the same nodes; what was made of such a
 * node before is shared, and what was wrong with it is told once. An entry may be pushed out by
 * another: then the work is done again.
 */
struct memo {
	const struct field *field;
	const struct value *raw, *base;
	const struct value *made; /* NULL: it was wrong */
	bool is_partial;
};

struct schema {
	struct arena *arena;
	const struct sys *sys;
	const char *folder;
	struct diags *diags;
	const char *what; /* the tree being checked, for messages */
	bool is_partial;  /* a layer: nothing is required yet */
	bool lacks_env;   /* a variable that is not set is no mistake */
	struct table_info **infos;
	size_t info_count, info_len; /* open addressing; a power of two */
	const struct value *no, *yes;
	struct memo memo[MEMO_LEN];
	/*
	 * The same for what a layer below supplies (raw is NULL); few, and never pushed out, so
	 * that all environments share one node.
	 */
	struct memo *inherited;
	size_t inherited_count, inherited_len; /* open addressing; a power of two */
};

/* Where in the tree: a chain on the stack, made into text only for a message. */
struct at {
	const struct at *up;
	const char *name; /* NULL: an item of a list */
	size_t item;
	struct src_pos pos;
};

static const struct value *check_node(struct schema *s, const struct field *f,
				      const struct value *raw, const struct value *base,
				      const struct at *at);
static const struct value *complete(struct schema *s, const struct field *f,
				    const struct value *base, const struct at *at);
static const struct table_info *info_of(struct schema *s, const struct field *table);

static size_t add_path(const struct at *at, char *buf, size_t used)
{
	if (!at->up)
		return used;
	used = add_path(at->up, buf, used);
	if (used >= PATH_TEXT)
		return used;
	int n = at->name ?
			snprintf(buf + used, PATH_TEXT - used, "%s%s", used ? "." : "", at->name) :
			snprintf(buf + used, PATH_TEXT - used, "[%zu]", at->item);
	return used + (size_t)MAX_OF(n, 0);
}

static const char *path_of(const struct schema *s, const struct at *at, char buf[PATH_TEXT])
{
	buf[0] = '\0';
	if (add_path(at, buf, 0))
		return buf;
	return *s->what ? s->what : "the file";
}

/* " in credential", or "" at the top; `buf` is for the path. */
static const char *inside(const struct schema *s, const struct at *at, char buf[PATH_TEXT + 8])
{
	char path[PATH_TEXT];
	if (!at->up && !*s->what)
		return "";
	snprintf(buf, PATH_TEXT + 8, " in %s", path_of(s, at, path));
	return buf;
}

static const struct value *tell_fault(struct schema *s, const struct at *at,
				      const struct scalar_fault *fault, const char *variable)
{
	char buf[PATH_TEXT];
	const char *path = path_of(s, at, buf);
	if (variable)
		diags_add(s->diags, DIAG_ERROR, at->pos, fault->rule, fault->hint,
			  "%s %s (the variable %s)", path, fault->msg, variable);
	else
		diags_add(s->diags, DIAG_ERROR, at->pos, fault->rule, fault->hint, "%s %s", path,
			  fault->msg);
	return NULL;
}

static const struct value *tell_kind(struct schema *s, const struct at *at, const struct value *raw,
				     const char *wanted, const char *hint)
{
	char buf[PATH_TEXT];
	const char *path = path_of(s, at, buf);
	if (value_is_null(raw))
		diags_add(s->diags, DIAG_ERROR, at->pos, "wrong-kind",
			  "write a value, or leave the key out", "%s has no value", path);
	else
		diags_add(s->diags, DIAG_ERROR, at->pos, "wrong-kind", hint,
			  "%s must be a %s, not a %s", path, wanted, value_kind_name(raw->kind));
	return NULL;
}

/*
 * One allocation of the right size instead of growth by doubling, whose old halves an arena keeps.
 */
static struct value *map_sized(struct schema *s, size_t cap, struct src_pos pos)
{
	struct value *map = value_map_sized(s->arena, cap);
	map->pos = pos;
	return map;
}

static void put(struct schema *s, struct value *map, const char *key, struct src_pos key_pos,
		const struct value *val)
{
	size_t before = map->u.map.count;
	value_set(s->arena, map, key, val);
	if (map->u.map.count > before)
		map->u.map.pairs[before].key_pos = key_pos;
}

/* --- scalars --- */

static const struct value *flag(struct schema *s, bool b)
{
	const struct value **v = b ? &s->yes : &s->no;
	if (!*v)
		*v = value_bool(s->arena, b);
	return *v;
}

/*
 * Stands in a layer for what was written there and is wrong: nothing more need be said about it,
 * not even that it is missing. It never gets into the last layer's tree.
 */
static const struct value *wrong(struct schema *s, struct src_pos pos)
{
	struct value *v = value_null(s->arena);
	v->pos = pos;
	return v;
}

static bool is_wrong(const struct value *v)
{
	return v && v->kind == VAL_NULL;
}

static struct value *text_node(struct schema *s, const char *text, size_t len, struct src_pos pos)
{
	struct value *v = value_null(s->arena);
	v->kind = VAL_STRING;
	v->u.str = arena_strndup(s->arena, text, len);
	v->pos = pos;
	return v;
}

/* A path in the file means a place beside the file. */
static const struct value *path_node(struct schema *s, const struct value *raw, const char *text)
{
	if (text[0] == '/' || !*s->folder || !strcmp(s->folder, "."))
		return raw;
	struct value *v = value_null(s->arena);
	v->kind = VAL_STRING;
	v->u.str = arena_printf(s->arena, "%s/%s", s->folder, text);
	v->pos = raw->pos;
	return v;
}

static const struct value *scalar_node(struct schema *s, const struct field *f,
				       const struct value *raw, const char *text,
				       const struct scalar *sc)
{
	struct value *v;
	switch (sc->kind) {
	case VAL_INT:
		v = value_int(s->arena, sc->i);
		break;
	case VAL_BOOL:
		v = value_bool(s->arena, sc->b);
		break;
	case VAL_NULL:
	case VAL_REAL:
	case VAL_STRING:
	case VAL_SECRET:
	case VAL_LIST:
	case VAL_MAP:
	default:
		if (text != value_text(raw) || text[sc->len]) {
			raw = text_node(s, text, sc->len, raw->pos);
			text = raw->u.str;
		}
		return f->kind == FIELD_PATH ? path_node(s, raw, text) : raw;
	}
	v->pos = raw->pos;
	return v;
}

/* What a variable holds, or NULL with the reason told. */
static const char *from_env(struct schema *s, const char *name, const struct at *at)
{
	char path[PATH_TEXT];
	if (!scalar_is_env_name(name)) {
		diags_add(s->diags, DIAG_ERROR, at->pos, "env-missing", "write env:NAME",
			  "%s has no name of an environment variable after env:",
			  path_of(s, at, path));
		return NULL;
	}
	const char *text = s->sys->getenv(s->sys->ctx, name);
	if (!text && s->lacks_env) {
		diags_add(s->diags, DIAG_NOTE, at->pos, "env-missing", NULL,
			  "%s: the environment variable %s is not set; left as written",
			  path_of(s, at, path), name);
	} else if (!text) {
		diags_add(s->diags, DIAG_ERROR, at->pos, "env-missing",
			  "set it, or write the value itself",
			  "%s: the environment variable %s is not set", path_of(s, at, path), name);
	}
	return text;
}

static const struct value *check_scalar(struct schema *s, const struct field *f,
					const struct value *raw, const struct at *at)
{
	/* Trees that were JSON have these typed already. */
	if ((raw->kind == VAL_INT && f->kind == FIELD_INT && !f->min && !f->max) ||
	    (raw->kind == VAL_BOOL && f->kind == FIELD_BOOL))
		return raw;
	char digits[24];
	const char *text = value_text(raw), *variable = NULL;
	if (raw->kind == VAL_INT) {
		snprintf(digits, sizeof(digits), "%lld", (long long)raw->u.i);
		text = digits;
	}
	if (!text)
		return tell_kind(s, at, raw, "single value", "");
	if (f->flags & FIELD_FROM_ENV && !strncmp(text, "env:", 4)) {
		variable = text + 4;
		text = from_env(s, variable, at);
		if (!text)
			return s->lacks_env && scalar_is_env_name(variable) ? raw : NULL;
	}
	struct scalar sc;
	struct scalar_fault fault;
	if (scalar_read(f, text, variable != NULL, &sc, &fault))
		return tell_fault(s, at, &fault, variable);
	return scalar_node(s, f, raw, text, &sc);
}

/* --- secrets: references only --- */

static const struct value *secret_node(struct schema *s, const struct value *ref,
				       const struct value *late, struct src_pos pos)
{
	struct value *map = map_sized(s, 2, pos);
	put(s, map, "ref", ref->pos, ref);
	put(s, map, "late", late->pos, late);
	return map;
}

static bool check_reference(struct schema *s, const struct value *ref, const struct at *at)
{
	struct scalar_fault fault;
	const char *text = value_text(ref);
	if (!text) {
		tell_kind(s, at, ref, "reference", "write env:NAME, file:PATH or exec:COMMAND");
		return false;
	}
	if (!scalar_reference(text, &fault))
		return true;
	tell_fault(s, at, &fault, NULL);
	return false;
}

static const struct field secret_fields[] = {
	{ .name = "ref",
	  .kind = FIELD_STRING,
	  .flags = FIELD_REQUIRED,
	  .doc = "env:NAME, file:PATH or exec:COMMAND." },
	{ .name = "late",
	  .kind = FIELD_BOOL,
	  .def = "false",
	  .doc = "Resolved by the first step that needs it, not before." },
	{ .name = NULL },
};
static void tell_unknown(struct schema *s, const struct field *table, const struct value *raw,
			 const struct at *at);

static const struct value *check_secret(struct schema *s, const struct value *raw,
					const struct at *at)
{
	if (raw->kind != VAL_MAP)
		return check_reference(s, raw, at) ? secret_node(s, raw, flag(s, false), raw->pos) :
						     NULL;
	const struct value_pair *ref = value_get_pair(raw, "ref"),
				*late = value_get_pair(raw, "late");
	bool is_late = false, is_ok = true;
	if (value_count(raw) > (size_t) !!ref + (size_t) !!late)
		tell_unknown(s, secret_fields, raw, at);
	if (late) {
		struct at here = { .up = at, .name = "late", .pos = late->val->pos };
		const struct value *v = check_node(s, &secret_fields[1], late->val, NULL, &here);
		is_ok = v != NULL;
		is_late = value_bool_or(v, false);
	}
	if (!ref) {
		char path[PATH_TEXT];
		diags_add(s->diags, DIAG_ERROR, at->pos, "required",
			  "write ref: env:NAME, file:PATH or exec:COMMAND", "%s.ref is missing",
			  path_of(s, at, path));
		return NULL;
	}
	struct at here = { .up = at, .name = "ref", .pos = ref->val->pos };
	if (!check_reference(s, ref->val, &here) || !is_ok)
		return NULL;
	return secret_node(s, ref->val, flag(s, is_late), raw->pos);
}

/* --- lists and dicts --- */

static const struct value *check_list(struct schema *s, const struct field *f,
				      const struct value *raw, const struct at *at)
{
	if (raw->kind == VAL_NULL) {
		struct value *empty = value_list(s->arena);
		empty->pos = raw->pos;
		return empty;
	}
	if (raw->kind != VAL_LIST)
		return tell_kind(s, at, raw, "list", "put it in brackets: [ ... ]");
	size_t count = value_count(raw);
	if (f->max > 0 && count > (uint64_t)f->max) {
		char path[PATH_TEXT];
		diags_add(s->diags, DIAG_ERROR, at->pos, "too-many", "",
			  "%s has %zu entries, more than %lld", path_of(s, at, path), count,
			  (long long)f->max);
		return NULL;
	}
	/* A list replaces what lies below, so that its items are whole even in a layer. */
	bool was_partial = s->is_partial;
	s->is_partial = false;
	struct value *out = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct value *item = value_at(raw, i);
		struct at here = { .up = at, .item = i + 1, .pos = item->pos };
		const struct value *made = check_node(s, &f->sub[0], item, NULL, &here);
		if (made == item && !out)
			continue;
		if (!out) {
			out = value_list(s->arena);
			out->pos = raw->pos;
			for (size_t j = 0; j < i; j++)
				value_list_add(s->arena, out, value_at(raw, j));
		}
		if (made)
			value_list_add(s->arena, out, made);
	}
	s->is_partial = was_partial;
	return out ? out : raw; /* nothing was converted: the written list will do */
}

static bool check_key(struct schema *s, const struct value_pair *p, const struct at *at)
{
	static const struct field key = { .name = "key", .kind = FIELD_ID };
	struct scalar sc;
	struct scalar_fault fault;
	char path[PATH_TEXT];
	if (!scalar_read(&key, p->key, false, &sc, &fault))
		return true;
	diags_add(s->diags, DIAG_ERROR, p->key_pos, fault.rule, fault.hint,
		  "the key '%.60s' of %s %s", p->key, path_of(s, at, path), fault.msg);
	return false;
}

static const struct value *check_dict(struct schema *s, const struct field *f,
				      const struct value *raw, const struct value *base,
				      const struct at *at)
{
	struct value *map =
		map_sized(s, value_count(raw) + value_count(base), raw ? raw->pos : base->pos);
	for (size_t i = 0; raw && raw->kind == VAL_MAP && i < raw->u.map.count; i++) {
		const struct value_pair *p = &raw->u.map.pairs[i];
		if (!check_key(s, p, at))
			continue;
		struct at here = { .up = at, .name = p->key, .pos = p->key_pos };
		const struct value *made =
			check_node(s, &f->sub[0], p->val, value_get(base, p->key), &here);
		put(s, map, p->key, p->key_pos,
		    made || !s->is_partial ? made : wrong(s, p->val->pos));
	}
	for (size_t i = 0; base && i < base->u.map.count; i++) {
		const struct value_pair *p = &base->u.map.pairs[i];
		if (value_get(raw, p->key))
			continue;
		struct at here = { .up = at, .name = p->key, .pos = p->key_pos };
		bool is_tree = f->sub[0].kind == FIELD_MAP || f->sub[0].kind == FIELD_DICT;
		if (s->is_partial || (!is_tree && !is_wrong(p->val)))
			put(s, map, p->key, p->key_pos, p->val);
		else if (!is_wrong(p->val))
			put(s, map, p->key, p->key_pos, complete(s, &f->sub[0], p->val, &here));
	}
	return map;
}

/* --- maps --- */

const struct field *schema_field(const struct field *table, const char *name)
{
	for (; table && table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static void tell_unknown_key(struct schema *s, const struct field *table,
			     const struct value_pair *p, const struct at *at)
{
	const char *names[NAMES_MAX] = { NULL };
	char hint[256] = "", where[PATH_TEXT + 8];
	size_t count = 0;
	/*
	 * Past what diags keeps it is only counted: a file full of nonsense must not cost a search
	 * each.
	 */
	if (s->diags->errors < DIAGS_MAX) {
		for (const struct field *f = table; f->name && count < NAMES_MAX; f++)
			names[count++] = f->name;
		const char *near = diags_nearest(p->key, names, count);
		size_t used =
			(size_t)snprintf(hint, sizeof(hint), near ? "did you mean '%s'?" : "%s",
					 near ? near : "known here: ");
		for (size_t i = 0; !near && i < count && used < sizeof(hint); i++)
			used += (size_t)snprintf(hint + used, sizeof(hint) - used, "%s%s",
						 i ? ", " : "", names[i]);
	}
	diags_add(s->diags, DIAG_ERROR, p->key_pos, "unknown-key", hint, "unknown key '%.60s'%s",
		  p->key, inside(s, at, where));
}

static void tell_unknown(struct schema *s, const struct field *table, const struct value *raw,
			 const struct at *at)
{
	for (size_t i = 0; i < raw->u.map.count; i++)
		if (!schema_field(table, raw->u.map.pairs[i].key))
			tell_unknown_key(s, table, &raw->u.map.pairs[i], at);
}

static void add_choice(const struct field *f, char *buf, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; f->names[i] && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s",
					 !i              ? "" :
					 f->names[i + 1] ? ", " :
							   " or ",
					 f->names[i]);
}

static void tell_missing(struct schema *s, const struct field *f, const struct at *at)
{
	char buf[PATH_TEXT], choice[128], of[PATH_TEXT] = "";
	struct at here = { .up = at, .name = f->name, .pos = at->pos };
	if (*s->what)
		snprintf(of, sizeof(of), " (%s)", s->what);
	const char *path = path_of(s, &here, buf);
	if (f->kind == FIELD_ENUM) {
		add_choice(f, choice, sizeof(choice));
		diags_add(s->diags, DIAG_ERROR, at->pos,
			  f->flags & SCHEMA_EXECUTOR ? "executor-required" : "required", f->doc,
			  "%s has no default: write %s%s", path, choice, of);
		return;
	}
	diags_add(s->diags, DIAG_ERROR, at->pos, "required", f->doc, "%s is missing%s", path, of);
}

static void check_one_of(struct schema *s, const struct field *table, const struct value *raw,
			 const struct value *made, const struct at *at)
{
	char names[160] = "", where[PATH_TEXT + 8];
	size_t used = 0, all = 0, found = 0, written = 0;
	for (const struct field *f = table; f->name; f++) {
		if (!(f->flags & FIELD_ONE_OF))
			continue;
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 all ? ", " : "", f->name);
		all++;
		written += value_get(raw, f->name) != NULL;
		found += value_get(raw, f->name) || value_get(made, f->name);
	}
	if (written > 1)
		diags_add(s->diags, DIAG_ERROR, at->pos, "one-of", "leave one",
			  "only one of %s may be written%s", names, inside(s, at, where));
	else if (all && !found && !s->is_partial)
		diags_add(s->diags, DIAG_ERROR, at->pos, "one-of", "",
			  "one of %s has to be written%s", names, inside(s, at, where));
}

/* What a map gets for a key that this layer does not mention. */
static const struct value *inherit(struct schema *s, const struct field *f,
				   const struct value_pair *under, const struct at *at)
{
	if (!under || s->is_partial)
		return under ? under->val : NULL;
	const struct value *val = under->val;
	if (f->flags & SCHEMA_RAW || is_wrong(val) ||
	    (f->kind != FIELD_MAP && f->kind != FIELD_DICT))
		return val;
	bool is_written = val->pos.line > 0;
	if (f->kind == FIELD_MAP && !is_written && !(f->flags & SCHEMA_OPEN)) {
		const struct table_info *info = info_of(s, f->sub);
		if (f->flags & FIELD_REQUIRED || info->needs || !info->offers)
			return NULL;
	}
	struct at here = { .up = at,
			   .name = f->name,
			   .pos = is_written ? under->key_pos : at->pos };
	return complete(s, f, val, &here);
}

/*
 * A word that decides about its neighbours: with another word those of the layer below make no
 * sense.
 */
static bool is_other_variant(const struct field *table, const struct value *raw,
			     const struct value *base)
{
	for (const struct field *f = table; f->name; f++) {
		if (!(f->flags & SCHEMA_VARIANT))
			continue;
		const char *now = value_text(value_get(raw, f->name)),
			   *below = value_text(value_get(base, f->name));
		if (now && below && strcmp(now, below))
			return true;
	}
	return false;
}

/* The flag of the word that is chosen, or SCHEMA_FOR_ANY while none is. */
static unsigned variant_of(const struct field *table, const struct value *raw,
			   const struct value *base, const char **ret_word)
{
	*ret_word = NULL;
	for (const struct field *f = table; f->name; f++) {
		if (!(f->flags & SCHEMA_VARIANT))
			continue;
		const struct value *v = value_get(raw, f->name);
		*ret_word = value_text(v ? v : value_get(base, f->name));
		for (unsigned n = 0; *ret_word && f->names[n]; n++)
			if (!strcmp(f->names[n], *ret_word))
				return SCHEMA_FOR(n);
	}
	return SCHEMA_FOR_ANY;
}

static bool fits(const struct field *f, unsigned variant)
{
	unsigned mine = f->flags & SCHEMA_FOR_ANY;
	return !mine || mine & variant;
}

static bool is_required(const struct field *f, unsigned variant)
{
	return f->flags & FIELD_REQUIRED || (f->flags & SCHEMA_NEEDED && variant != SCHEMA_FOR_ANY);
}

static void tell_misfit(struct schema *s, const struct field *f, const struct value_pair *p,
			const char *word, const struct at *at)
{
	char path[PATH_TEXT];
	struct at here = { .up = at, .name = f->name, .pos = p->key_pos };
	diags_add(s->diags, DIAG_ERROR, p->key_pos, "auth-field", f->doc,
		  "%s does not belong to kind %s", path_of(s, &here, path), word);
}

static bool writes_one_of(const struct field *table, const struct value *raw)
{
	for (const struct field *f = table; f->name; f++)
		if (f->flags & FIELD_ONE_OF && value_get(raw, f->name))
			return true;
	return false;
}

static struct value *check_map(struct schema *s, const struct field *table, const struct value *raw,
			       const struct value *base, const struct at *at)
{
	const struct table_info *info = info_of(s, table);
	if (!base || is_other_variant(table, raw, base))
		base = info->defaults;
	struct value *map = map_sized(s, info->count, raw ? raw->pos : base->pos);
	bool has_one_of = writes_one_of(table, raw);
	const char *word;
	unsigned variant = variant_of(table, raw, base, &word);
	size_t known = 0;
	for (const struct field *f = table; f->name; f++) {
		const struct value_pair *p = value_get_pair(raw, f->name),
					*under = value_get_pair(base, f->name);
		known += p != NULL;
		if (!fits(f, variant)) {
			if (p)
				tell_misfit(s, f, p, word, at);
			continue;
		}
		if (p) {
			struct at here = { .up = at, .name = f->name, .pos = p->key_pos };
			const struct value *made =
				check_node(s, f, p->val, under ? under->val : NULL, &here);
			put(s, map, f->name, p->key_pos,
			    made || !s->is_partial ? made : wrong(s, p->val->pos));
			continue;
		}
		if (has_one_of && f->flags & FIELD_ONE_OF)
			continue;
		const struct value *val = inherit(s, f, under, at);
		if (is_wrong(val) && !s->is_partial)
			continue;
		if (val)
			put(s, map, f->name, under->key_pos, val);
		else if (is_required(f, variant) && !s->is_partial)
			tell_missing(s, f, at);
	}
	if (known < value_count(raw))
		tell_unknown(s, table, raw, at);
	check_one_of(s, table, raw, map, at);
	return map;
}

/* --- any node --- */

static const struct value *check_fresh(struct schema *s, const struct field *f,
				       const struct value *raw, const struct value *base,
				       const struct at *at)
{
	if (f->flags & SCHEMA_RAW)
		return raw;
	/* Words are wrong where they stand, what is missing where its map begins. */
	struct at word = *at;
	if (raw && raw->kind != VAL_NULL && raw->kind != VAL_MAP)
		word.pos = raw->pos;
	switch (f->kind) {
	case FIELD_MAP:
	case FIELD_DICT:
		if (raw && raw->kind != VAL_NULL && raw->kind != VAL_MAP)
			return tell_kind(s, &word, raw, "map", "write its keys below it, indented");
		return f->kind == FIELD_MAP ? check_map(s, f->sub, raw, base, at) :
					      check_dict(s, f, raw, base, at);
	case FIELD_LIST:
		return check_list(s, f, raw, &word);
	case FIELD_SECRET:
		return check_secret(s, raw, &word);
	case FIELD_STRING:
	case FIELD_ID:
	case FIELD_INT:
	case FIELD_BOOL:
	case FIELD_SPAN:
	case FIELD_INSTANT:
	case FIELD_URL:
	case FIELD_ENUM:
	case FIELD_PATH:
		break;
	}
	return check_scalar(s, f, raw, &word);
}

static uint64_t mix(const void *p)
{
	uint64_t h = (uint64_t)(uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 29);
}

static struct memo *inherited_slot(struct memo *list, size_t len, const struct field *f,
				   const struct value *base)
{
	size_t i = mix(f) + mix(base) * 5;
	while (list[i & (len - 1)].field &&
	       (list[i & (len - 1)].field != f || list[i & (len - 1)].base != base))
		i++;
	return &list[i & (len - 1)];
}

static void inherited_grow(struct schema *s)
{
	size_t len = s->inherited_len ? s->inherited_len * 2 : 64;
	struct memo *list = arena_array(s->arena, len, sizeof(*list));
	for (size_t i = 0; i < s->inherited_len; i++)
		if (s->inherited[i].field)
			*inherited_slot(list, len, s->inherited[i].field, s->inherited[i].base) =
				s->inherited[i];
	s->inherited = list;
	s->inherited_len = len;
}

/*
 * A map or dict of the layer below that this one does not touch; only ever asked for the last
 * layer.
 */
static const struct value *complete(struct schema *s, const struct field *f,
				    const struct value *base, const struct at *at)
{
	if (s->inherited_len) {
		const struct memo *m = inherited_slot(s->inherited, s->inherited_len, f, base);
		if (m->field)
			return m->made;
	}
	size_t errors = s->diags->errors;
	const struct value *made = check_fresh(s, f, NULL, base, at);
	/*
	 * What nobody wrote is missing once for each environment; a mistake that was written is
	 * told once.
	 */
	if (!base->pos.line && s->diags->errors > errors)
		return made;
	if ((s->inherited_count + 1) * 2 > s->inherited_len)
		inherited_grow(s);
	s->inherited_count++;
	*inherited_slot(s->inherited, s->inherited_len, f, base) =
		(struct memo){ .field = f, .base = base, .made = made };
	return made;
}

static const struct value *check_node(struct schema *s, const struct field *f,
				      const struct value *raw, const struct value *base,
				      const struct at *at)
{
	if ((f->kind != FIELD_MAP && f->kind != FIELD_DICT) || (base && base->kind == VAL_NULL))
		base = NULL;
	struct memo *m = &s->memo[(mix(f) + mix(raw) * 3 + mix(base) * 5) >> 7 & (MEMO_LEN - 1)];
	if (m->field == f && m->raw == raw && m->base == base && m->is_partial == s->is_partial)
		return m->made;
	const struct value *made = check_fresh(s, f, raw, base, at);
	*m = (struct memo){ f, raw, base, made, s->is_partial };
	return made;
}

/* --- tables --- */

/* "[a, b]" and "{}" as tables write them. */
static const struct value *default_list(struct schema *s, const char *text)
{
	struct value *list = value_list(s->arena);
	size_t len = strlen(text);
	assert(len >= 2 && text[0] == '[' && text[len - 1] == ']');
	for (const char *p = text + 1;;) {
		p += strspn(p, " ,");
		size_t word = strcspn(p, ",]");
		if (!word)
			return list;
		size_t cut = word;
		while (p[cut - 1] == ' ')
			cut--;
		value_list_add(s->arena, list, text_node(s, p, cut, (struct src_pos){ 0 }));
		p += word;
	}
}

static const struct value *default_of(struct schema *s, const struct field *f)
{
	struct at top = { .up = NULL, .name = "" }, here = { .up = &top, .name = f->name };
	if (f->kind == FIELD_MAP)
		return info_of(s, f->sub)->defaults;
	if (!f->def)
		return NULL;
	if (f->kind == FIELD_DICT)
		return value_map(s->arena);
	if (f->kind == FIELD_LIST)
		return check_node(s, f, default_list(s, f->def), NULL, &here);
	return check_node(s, f, value_string(s->arena, f->def), NULL, &here);
}

static struct table_info *info_new(struct schema *s, const struct field *table)
{
	struct table_info *info = ARENA_NEW(s->arena, struct table_info);
	info->table = table;
	while (table && table[info->count].name)
		info->count++;
	info->defaults = map_sized(s, info->count, (struct src_pos){ 0 });
	for (size_t i = 0; i < info->count; i++) {
		const struct field *f = &table[i];
		if (f->flags & SCHEMA_RAW)
			continue;
		const struct table_info *sub = f->kind == FIELD_MAP ? info_of(s, f->sub) : NULL;
		info->offers = info->offers || f->def || (sub && sub->offers && !sub->needs);
		info->needs = info->needs || f->flags & FIELD_ONE_OF ||
			      (f->flags & FIELD_REQUIRED && !f->def) ||
			      (sub && f->flags & SCHEMA_OPEN && sub->needs);
		const struct value *val = default_of(s, f);
		if (val)
			put(s, info->defaults, f->name, (struct src_pos){ 0 }, val);
	}
	return info;
}

static void info_insert(struct schema *s, struct table_info *info)
{
	size_t i = mix(info->table) & (s->info_len - 1);
	while (s->infos[i])
		i = (i + 1) & (s->info_len - 1);
	s->infos[i] = info;
}

static void info_grow(struct schema *s)
{
	struct table_info **old = s->infos;
	size_t old_len = s->info_len;
	s->info_len = old_len ? old_len * 2 : 64;
	s->infos = arena_array(s->arena, s->info_len, sizeof(struct table_info *));
	for (size_t i = 0; i < old_len; i++)
		if (old[i])
			info_insert(s, old[i]);
}

static const struct table_info *info_of(struct schema *s, const struct field *table)
{
	for (size_t i = mix(table); s->info_len; i++) {
		struct table_info *info = s->infos[i & (s->info_len - 1)];
		if (!info)
			break;
		if (info->table == table)
			return info;
	}
	struct table_info *info = info_new(s, table);
	if ((s->info_count + 1) * 2 > s->info_len)
		info_grow(s);
	info_insert(s, info);
	s->info_count++;
	return info;
}

/* --- the door --- */

struct schema *schema_new(struct arena *a, const struct sys *sys, const char *folder,
			  struct diags *d)
{
	struct schema *s = ARENA_NEW(a, struct schema);
	s->arena = a;
	s->sys = sys;
	s->folder = folder;
	s->diags = d;
	s->what = "";
	return s;
}

void schema_without_env(struct schema *s)
{
	s->lacks_env = true;
}

static struct value *check_top(struct schema *s, const struct field *table, const struct value *raw,
			       const struct value *base, struct src_pos where, const char *what)
{
	struct at top = { .up = NULL, .name = "", .pos = where };
	s->what = what;
	if (raw && raw->kind != VAL_MAP && raw->kind != VAL_NULL) {
		top.pos = raw->pos;
		tell_kind(s, &top, raw, "map", "write its keys below it, indented");
		return map_sized(s, 0, raw->pos);
	}
	return check_map(s, table, raw, base, &top);
}

struct value *schema_check(struct schema *s, const struct field *table, const struct value *raw,
			   const struct value *base, struct src_pos where, const char *what)
{
	s->is_partial = false;
	return check_top(s, table, raw, base, where, what);
}

struct value *schema_layer(struct schema *s, const struct field *table, const struct value *raw,
			   const struct value *base, const char *what)
{
	struct src_pos where = { 0 };
	if (raw)
		where = raw->pos;
	s->is_partial = true;
	return check_top(s, table, raw, base, where, what);
}

/* --- walking --- */

static void walk_secrets(const struct field *f, const struct value *v, struct sb *path,
			 schema_secret_fn *fn, void *arg);

static void walk_entry(const struct field *f, const char *key, const struct value *v,
		       struct sb *path, schema_secret_fn *fn, void *arg)
{
	if (!v)
		return;
	size_t len = path->len;
	if (len)
		sb_addc(path, '.');
	sb_add(path, key);
	walk_secrets(f, v, path, fn, arg);
	sb_shrink(path, len);
}

static bool holds_trees(const struct field *f)
{
	return f->kind == FIELD_SECRET || f->kind == FIELD_MAP || f->kind == FIELD_LIST ||
	       f->kind == FIELD_DICT;
}

static void walk_secrets(const struct field *f, const struct value *v, struct sb *path,
			 schema_secret_fn *fn, void *arg)
{
	if (f->kind == FIELD_SECRET) {
		fn(arg, path->buf, v);
		return;
	}
	if (f->kind == FIELD_MAP) {
		for (const struct field *sub = f->sub; sub && sub->name; sub++)
			if (holds_trees(sub))
				walk_entry(sub, sub->name, value_get(v, sub->name), path, fn, arg);
		return;
	}
	if (!holds_trees(f) || !holds_trees(&f->sub[0]))
		return;
	for (size_t i = 0; i < value_count(v); i++) {
		char item[24];
		snprintf(item, sizeof(item), "%zu", i + 1);
		walk_entry(&f->sub[0], f->kind == FIELD_DICT ? value_key_at(v, i) : item,
			   value_at(v, i), path, fn, arg);
	}
}

void schema_secrets(const struct field *table, const struct value *checked, schema_secret_fn *fn,
		    void *arg)
{
	CLEANUP(sb_done) struct sb path = SB_INIT(4096);
	const struct field top = { .name = "", .kind = FIELD_MAP, .sub = table };
	walk_secrets(&top, checked, &path, fn, arg);
}
