/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan/rollout.h"

#include <stdio.h>
#include <string.h>

#include "core/base/sb.h"
#include "core/io/digest.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/yaml.h"
#include "core/plan/policy.h"
#include "core/plan/rollout_private.h"
#include "core/plan/schema_scalar.h"

#define FILE_MAX ((size_t)64 << 20)

struct loader {
	struct arena *arena;
	struct diags *diags;
	struct schema *schema;
	const struct field *fields, *env_fields;
	const struct value *raw;  /* the whole file */
	const struct value *base; /* what lies below each environment */
	struct conn_finisher *conns;
	bool lacks_env;
};

/* "." for "file", "/x" for "/x/file": what goes in front of a relative path. */
static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return ".";
	return slash == path ? "/" : arena_strndup(a, path, (size_t)(slash - path));
}

/* The file's own table, but what is merged first is left for later. */
static const struct field *top_fields(const struct field *fields, struct arena *a)
{
	size_t count = 0;
	while (fields[count++].name)
		continue;
	struct field *top = arena_array(a, count, sizeof(*top));
	memcpy(top, fields, count * sizeof(*top));
	for (size_t i = 0; top[i].name; i++)
		if (top[i].kind == FIELD_MAP || top[i].kind == FIELD_DICT)
			top[i].flags |= SCHEMA_RAW;
	return top;
}

/* Tables' defaults, then `connections` of the file, then its `defaults`. */
static const struct value *layers(struct loader *l)
{
	const struct field *table = schema_field(l->fields, "defaults")->sub;
	const struct value_pair *conns = value_get_pair(l->raw, "connections");
	const struct value_pair *defaults = value_get_pair(l->raw, "defaults");
	const struct value *base = NULL;
	if (conns) {
		/* As if it stood in an environment: positions, paths and merging are the same. */
		struct value *env = value_map(l->arena);
		value_set(l->arena, env, conns->key, conns->val);
		env->u.map.pairs[0].key_pos = conns->key_pos;
		env->pos = l->raw->pos;
		base = schema_layer(l->schema, table, env, NULL, "");
	}
	if (defaults && value_get(defaults->val, "after"))
		diags_add(
			l->diags, DIAG_ERROR, value_get_pair(defaults->val, "after")->key_pos,
			"defaults-after", "write it in each environment that waits",
			"'after' cannot have a default: the first environment would wait for itself");
	return schema_layer(l->schema, table, defaults ? defaults->val : NULL, base, "defaults");
}

static void check_name(struct loader *l, const struct value_pair *p)
{
	static const struct field id = { .name = "name", .kind = FIELD_ID };
	struct scalar sc;
	struct scalar_fault fault;
	if (scalar_read(&id, p->key, false, &sc, &fault))
		diags_add(l->diags, DIAG_ERROR, p->key_pos, fault.rule, fault.hint,
			  "the name '%.60s' of an environment %s", p->key, fault.msg);
}

static void load_env(struct loader *l, const struct value_pair *p, struct rollout_env *env)
{
	char what[96];
	check_name(l, p);
	(void)snprintf(what, sizeof(what), "environment '%.60s'", p->key);
	struct value *want =
		schema_check(l->schema, l->env_fields, p->val, l->base, p->key_pos, what);
	value_set(l->arena, want, "connections",
		  conn_finish(l->conns, value_get(want, "connections")));
	env->name = p->key;
	env->pos = p->key_pos;
	env->want = want;
	env->client_id = value_text(value_path(want, "credential.client_id"));
	env->rolls_back = strcmp(value_text_or(value_get(want, "on_failure"), ""), "rollback") == 0;
}

static struct rollout_env *load_envs(struct loader *l, struct rollout *r)
{
	const struct value_pair *p = value_get_pair(l->raw, "environments");
	if (!p)
		return NULL; /* told: it is required */
	if (p->val->kind != VAL_MAP && p->val->kind != VAL_NULL) {
		diags_add(l->diags, DIAG_ERROR, p->val->pos, "wrong-kind",
			  "write each environment below it, as a key of its own",
			  "environments must be a map, not a %s", value_kind_name(p->val->kind));
		return NULL;
	}
	if (!value_count(p->val)) {
		diags_add(l->diags, DIAG_ERROR, p->key_pos, "no-environments",
			  "write at least one environment, such as dev:",
			  "there is no environment");
		return NULL;
	}
	r->env_names = p->val;
	r->env_count = value_count(p->val);
	struct rollout_env *envs = arena_array(l->arena, r->env_count, sizeof(*envs));
	for (size_t i = 0; i < r->env_count; i++) {
		envs[i].index = i;
		load_env(l, &p->val->u.map.pairs[i], &envs[i]);
	}
	return envs;
}

static bool is_same(const struct diag *a, const struct diag *b)
{
	return a->pos.line == b->pos.line && a->pos.col == b->pos.col && a->level == b->level &&
	       !strcmp(a->rule, b->rule) && !strcmp(a->msg, b->msg);
}

/* What many environments merge is judged for each of them, and told once. */
static void sort_and_thin(struct diags *d)
{
	size_t kept = 0;
	diags_sort(d);
	for (size_t i = 0; i < d->count; i++) {
		bool is_told = false;
		for (size_t j = kept; j-- > 0 && d->list[j].pos.line == d->list[i].pos.line &&
				      d->list[j].pos.col == d->list[i].pos.col && !is_told;)
			is_told = is_same(&d->list[j], &d->list[i]);
		if (!is_told) {
			d->list[kept++] = d->list[i];
			continue;
		}
		d->errors -= d->list[i].level == DIAG_ERROR;
		d->warnings -= d->list[i].level == DIAG_WARNING;
	}
	d->count = kept;
}

static void load_policy(struct loader *l, struct rollout *r)
{
	const struct value_pair *p = value_get_pair(l->raw, "policy");
	if (!p)
		return;
	r->policy = schema_check(l->schema, schema_field(l->fields, "policy")->sub, p->val, NULL,
				 p->key_pos, "policy");
	policy_check(r->policy, l->arena, l->diags);
}

static struct rollout *load(struct loader *l, const char *path, const struct registry *reg,
			    const struct sys *sys)
{
	struct rollout *r = ARENA_NEW(l->arena, struct rollout);
	r->path = path;
	r->folder = folder_of(l->arena, path);
	r->registry = reg;
	r->fields = l->fields = rollout_fields(reg, l->arena);
	l->env_fields = rollout_env_fields(l->fields);
	l->schema = schema_new(l->arena, sys, r->folder, l->diags);
	if (l->lacks_env)
		schema_without_env(l->schema);
	l->conns = conn_finisher_new(reg, l->arena, l->diags);
	struct src_pos start = { .file = path, .line = 1, .col = 1 };
	const struct value *top =
		schema_check(l->schema, top_fields(l->fields, l->arena), l->raw, NULL, start, "");
	r->state = value_text(value_get(top, "state"));
	load_policy(l, r);
	l->base = layers(l);
	struct rollout_env *envs = load_envs(l, r);
	r->envs = envs;
	rollout_rules(r, envs, l->arena, l->diags);
	return r;
}

static int parse(const char *path, const char *text, size_t len, const struct registry *reg,
		 const struct sys *sys, bool lacks_env, struct arena *a, struct rollout **ret,
		 struct diags *d)
{
	size_t errors = d->errors;
	const char *name = arena_strdup(a, path);
	struct value *raw = NULL;
	struct loader l = { .arena = a, .diags = d, .lacks_env = lacks_env };
	struct rollout *r = NULL;
	if (!yaml_parse(a, name, text, len, NULL, &raw, d)) {
		l.raw = raw;
		r = load(&l, name, reg, sys);
	}
	sort_and_thin(d);
	if (!r || d->errors > errors)
		return -1;
	*ret = r;
	return 0;
}

int rollout_parse(const char *path, const char *text, size_t len, const struct registry *reg,
		  const struct sys *sys, struct arena *a, struct rollout **ret, struct diags *d)
{
	return parse(path, text, len, reg, sys, false, a, ret, d);
}

static int load_file(const char *path, const struct registry *reg, const struct sys *sys,
		     bool lacks_env, struct arena *a, struct rollout **ret, struct diags *d)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(FILE_MAX);
	struct err err = ERR_INIT;
	if (file_read(path, &text, &err)) {
		diags_add_err(d, "unreadable", &err);
		return -1;
	}
	return parse(path, text.buf, text.len, reg, sys, lacks_env, a, ret, d);
}

int rollout_load(const char *path, const struct registry *reg, const struct sys *sys,
		 struct arena *a, struct rollout **ret, struct diags *d)
{
	return load_file(path, reg, sys, false, a, ret, d);
}

int rollout_load_without_env(const char *path, const struct registry *reg, const struct sys *sys,
			     struct arena *a, struct rollout **ret, struct diags *d)
{
	return load_file(path, reg, sys, true, a, ret, d);
}

/* --- look-ups --- */

const struct rollout_env *rollout_find_env(const struct rollout *r, const char *name)
{
	const struct value_pair *p = name ? value_get_pair(r->env_names, name) : NULL;
	return p ? &r->envs[p - r->env_names->u.map.pairs] : NULL;
}

const struct value *rollout_connection(const struct rollout_env *env, const char *name)
{
	return value_get(value_get(env->want, "connections"), name);
}

const struct value *rollout_gate(const struct rollout_env *env, const char *gate)
{
	return value_get(value_get(env->want, "gates"), gate);
}

enum executor rollout_executor(const struct rollout_env *env, const char *capability)
{
	const char *word =
		capability ? value_text(value_get(value_get(env->want, "executors"), capability)) :
			     NULL;
	if (word && !strcmp(word, executor_name(EXEC_OPERATOR)))
		return EXEC_OPERATOR;
	if (word && !strcmp(word, executor_name(EXEC_BRIDGE)))
		return EXEC_BRIDGE;
	return EXEC_API;
}

bool rollout_is_migrating(const struct rollout *r, const char *client_id)
{
	return client_id && value_get(r->client_ids, client_id);
}

/* A map of its own that shares what lies below. */
static struct value *shallow(struct arena *a, const struct value *map)
{
	struct value *out = value_map_sized(a, value_count(map));
	for (size_t i = 0; i < value_count(map); i++)
		value_add(a, out, value_key_at(map, i), value_at(map, i));
	return out;
}

/* The same file means the same wherever it was called from: paths count as they are written in it. */
static const struct value *as_written(struct arena *a, const struct rollout *r,
				      const struct value *want)
{
	size_t len = strlen(r->folder);
	if (strcmp(r->folder, ".") == 0)
		return want;
	struct value *out = shallow(a, want), *conns = shallow(a, value_get(want, "connections"));
	for (size_t i = 0; i < value_count(conns); i++) {
		const char *path = value_text(value_get(value_at(conns, i), "ca_file"));
		if (!path || strncmp(path, r->folder, len) != 0 || path[len] != '/')
			continue;
		struct value *conn = shallow(a, value_at(conns, i));
		value_set(a, conn, "ca_file", value_string(a, path + len + 1));
		value_set(a, conns, value_key_at(conns, i), conn);
	}
	value_set(a, out, "connections", conns);
	return out;
}

void rollout_digest(const struct rollout *r, const struct rollout_env *const *envs,
		    char ret_hex[65])
{
	CLEANUP(sb_done) struct sb sb = SB_INIT((size_t)1 << 30);

	for (; *envs; envs++) {
		CLEANUP(arena_done) struct arena a = ARENA_INIT;

		sb_addf(&sb, "%s ", (*envs)->name);
		json_write(&sb, as_written(&a, r, (*envs)->want), JSON_CANONICAL, NULL);
		for (size_t i = 0; i < (*envs)->after_count; i++)
			sb_addf(&sb, " %s", (*envs)->after[i]->name);
		sb_addc(&sb, '\n');
	}
	digest_hex(sb.buf, sb.len, ret_hex);
}

struct ref_walk {
	struct arena arena; /* of what was seen */
	struct value *seen; /* NULL: each place is told */
	const struct rollout_env *env;
	rollout_secret_fn *fn;
	void *arg;
};

static void visit_secret(void *arg, const char *path, const struct value *secret)
{
	struct ref_walk *w = arg;
	const struct value *ref = value_get(secret, "ref");
	bool is_late = value_bool_or(value_get(secret, "late"), false);
	const char *text = value_text_or(ref, "");
	const char *key = arena_join(&w->arena, is_late ? "late" : "now", ' ', text);

	if (w->seen && value_get(w->seen, key))
		return;
	if (w->seen)
		value_set(&w->arena, w->seen, key, secret);
	w->fn(w->arg, &(struct rollout_secret){ .ref = text,
						.is_late = is_late,
						.pos = ref->pos,
						.path = path,
						.env = w->env });
}

void rollout_secret_refs(const struct rollout *r, const struct rollout_env *env,
			 rollout_secret_fn *fn, void *arg)
{
	struct ref_walk w = { .arena = ARENA_INIT, .fn = fn, .arg = arg };
	const struct field *table = rollout_env_fields(r->fields);
	w.seen = value_map(&w.arena);
	for (size_t i = env ? env->index : 0; i < (env ? env->index + 1 : r->env_count); i++) {
		w.env = &r->envs[i];
		schema_secrets(table, w.env->want, visit_secret, &w);
	}
	arena_done(&w.arena);
}

void rollout_secret_places(const struct rollout *r, const struct rollout_env *env,
			   rollout_secret_fn *fn, void *arg)
{
	struct ref_walk w = { .arena = ARENA_INIT, .env = env, .fn = fn, .arg = arg };

	schema_secrets(rollout_env_fields(r->fields), env->want, visit_secret, &w);
	arena_done(&w.arena);
}
