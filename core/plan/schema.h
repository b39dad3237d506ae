/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - checks a tree as it was written against field tables (core/api/field.h).
 *
 * What comes out has the same shape, with typed nodes and defaults filled in; it keeps the positions of what was
 * written (line 0: nobody wrote it, it is a default). Every mistake goes to diags with position, rule and hint; a
 * part that is wrong is left out of the result, so that whoever looks further must cope with its absence.
 *
 * Layers. A tree may be checked on top of a `base`, itself a checked tree (what `defaults:` made): maps are merged key
 * by key, lists and scalars are replaced. What a layer does not touch is the base's own node, shared and never copied, and
 * so are scalars that need no conversion; all values made here are immutable from then on.
 *
 * A map that is not written anywhere, and not FIELD_REQUIRED, is filled in from the table's defaults when nothing in it
 * is required (and it has a default to offer); otherwise it is absent. A key without value (`x:`) is an empty map or list;
 * for a scalar it is an error. A FIELD_ONE_OF field replaces its alternatives from the layers below.
 *
 * The text of a secret written in the wrong place for a reference, and what an environment variable holds, are never quoted.
 *
 * Rules, as they stand in diags: unknown-key, required, one-of, wrong-kind, bad-string, bad-id, bad-int, bad-bool,
 * bad-span, bad-instant, bad-url, bad-path, out-of-range, not-one-of, secret-literal, bad-secret, env-missing, too-many; and
 * those that the flags below name.
 */
#pragma once
#include "core/api/field.h"
#include "core/base/diags.h"
#include "core/base/sb.h"
#include "core/base/sys.h"

/* Flags of composed tables, besides those of field.h. */
enum schema_flag {
	SCHEMA_VARIANT = 1 << 8,   /* FIELD_ENUM: a word other than the base's means that the map holding it is not merged with the base's. Rule "auth-kind" */
	SCHEMA_FLOOR = 1 << 9,     /* min is a floor that safety sets. Rule "gate-floor" */
	SCHEMA_EXECUTOR = 1 << 10, /* FIELD_ENUM: who can act. Rules "executor-impossible", "executor-required" */
	SCHEMA_OPEN = 1 << 11,     /* FIELD_MAP: always there; not written means empty, and what is missing inside is told */
	SCHEMA_RAW = 1 << 12,      /* passed through as written: somebody else checks it */
	SCHEMA_EMPTY = 1 << 14,    /* FIELD_STRING: "" is a value too */
	SCHEMA_NEEDED = 1 << 13,   /* with SCHEMA_FOR: required when its word is chosen */
};

/* The field makes sense only with the n-th word (0 to 7) of the table's SCHEMA_VARIANT field; several may be or-ed. Rule "auth-field" */
#define SCHEMA_FOR(n) (1u << (16 + (n)))
#define SCHEMA_FOR_ANY (0xffu << 16)

struct schema; /* one checking session: defaults of the tables seen, what was told already */

/*
 * @sys     for env:NAME; borrowed
 * @folder  that FIELD_PATHs are relative to; "" leaves them as written; borrowed
 * All values and the session live in `a`.
 */
struct schema *schema_new(struct arena *a, const struct sys *sys, const char *folder, struct diags *d) MUST_USE;

/* A variable that is not set is a note, no mistake: the value stays as it is written ("env:NAME"), and nothing is checked of it. */
void schema_without_env(struct schema *s);

/*
 * Checks one map against a table.
 * @raw    what was written; NULL for nothing
 * @base   the layer below, made by schema_layer for the same table; NULL: the table's defaults
 * @where  position to tell for what is missing
 * @what   what this map is, for messages ("environment 'dev'"); "" for a whole file
 * Never NULL; without what is wrong.
 */
struct value *schema_check(struct schema *s, const struct field *table, const struct value *raw, const struct value *base, struct src_pos where, const char *what) MUST_USE;

/* The same for a layer that others come on top of: nothing is required yet. */
struct value *schema_layer(struct schema *s, const struct field *table, const struct value *raw, const struct value *base, const char *what) MUST_USE;

/* The field of a table, or NULL. */
const struct field *schema_field(const struct field *table, const char *name);

/*
 * Calls fn for each secret reference of a checked map: `secret` is its {ref, late} map with its position, `path` the dotted path.
 */
typedef void schema_secret_fn(void *arg, const char *path, const struct value *secret);
void schema_secrets(const struct field *table, const struct value *checked, schema_secret_fn *fn, void *arg);

/* schema_json.c: a JSON Schema (draft-07) for editors. @id: its "$id", NULL for none. Nothing is required where a layer below may supply it. */
struct value *schema_to_json(struct arena *a, const struct field *table, const char *id, const char *title, const char *doc) MUST_USE;

/*
 * schema_help.c: a reference of every key in plain text, 100 columns.
 * @path  dotted path of the key to start at ("environments.NAME.gates", where NAME stands for any key of a dict), or NULL for all
 * -1: there is no such key; nothing was added.
 */
int schema_help(const struct field *table, const char *path, struct sb *out) MUST_USE;
