/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollout.h - a rollout file, loaded and checked.
 *
 * Offline: reads the file, environment variables and the tz database, nothing else. Every mistake of the file is told at once. Defaults are merged into
 * each environment; sub-trees that environments have in common are shared nodes, so all values are read-only. Everything lives in the arena given.
 *
 * The file, top down: version, state, connections, defaults, environments. The keys below are composed from the registry's tables:
 * an environment holds `connections`, one key per section_type, `consumers`, `gates`, `executors`, `after`, `on_failure`, `production`, `policy`.
 * Layers of an environment, later ones win: tables' defaults, top-level `connections`, `defaults`, the environment.
 *
 * Core knows three words of a vendor's sections: `credential.client_id` is the client being migrated; `project` and `app` (its
 * `instance` where it has one) together are what makes two environments the same integration.
 *
 * A connection that is not written is absent, unless its type has a default url and needs nothing else. A written `auth.kind` other than
 * the layer's below replaces the whole `auth`; a kind that is the only one of its type is the default.
 *
 * What checking adds to a connection's tree: `auth.kind` is always there ("none" where the type knows no other); for client_credentials
 * `auth.token_url` (from the type's token_path, after url and prefix of the connection token_conn) and `auth.api_key` (the client id) where the type
 * names a header for it; `prefix` starts with '/' or is "", and url and prefix end without a slash, so url + prefix + path is an address.
 *
 * Rules besides those of schema.h: unknown-environment, after-cycle, token-url, bridge-missing,
 * same-integration, no-environments, bad-prefix, defaults-after, bad-freeze, approvals, unreadable; shared-client (note), migrating-client (warning).
 */
#pragma once
#include "core/api/provider.h"
#include "core/base/diags.h"
#include "core/base/sys.h"

struct rollout;
struct rollout_env {
	const char *name;
	struct src_pos pos;                       /* of its name in the file */
	size_t index;                             /* file order */
	const struct value *want;                 /* checked tree: view.want. Holds sections, consumers, gates, executors, connections, on_failure */
	const struct rollout_env *const *after;   /* environments that it waits for */
	size_t after_count;
	bool rolls_back;                          /* on_failure: rollback */
	const char *client_id;                    /* credential.client_id: the client being migrated; NULL when the file does not say */
};
struct rollout {
	const char *path;                         /* of the file, as given; for messages and positions */
	const char *folder;                       /* that it lies in, "." for the current one */
	const char *state;                        /* folder of journal and lock, `folder` in front unless absolute */
	const struct field *fields;               /* the composed table of the whole file */
	const struct registry *registry;
	const struct rollout_env *envs;           /* file order */
	size_t env_count;
	const struct value *policy;               /* `policy` at the top, checked; NULL: none. An environment's own stands in its `want` */
	const struct value *env_names;            /* private: name -> index */
	const struct value *client_ids;           /* private: client id -> number of environments */
};

/*
 * The table of the whole file, for checking, help and the JSON Schema; lives in `a`.
 * `environments` is a dict whose entries are rollout_env_fields().
 */
const struct field *rollout_fields(const struct registry *reg, struct arena *a) MUST_USE;

/*
 * Loads and checks a file. 0, or -1 with at least one error in `d` (sorted) and *ret untouched; warnings and notes come either way.
 * @sys  for environment variables only
 * What makes reading stop (no such file, too large) is a diag as well, rule "unreadable".
 */
int rollout_load(const char *path, const struct registry *reg, const struct sys *sys, struct arena *a, struct rollout **ret, struct diags *d) MUST_USE;

/*
 * The same where variables are not set, for whoever connects to nothing: what one would hold stays as it is written, with a note of rule "env-missing".
 */
int rollout_load_without_env(const char *path, const struct registry *reg, const struct sys *sys, struct arena *a, struct rollout **ret, struct diags *d) MUST_USE;

/* The same from memory. @path names it in positions, and its folder is where relative paths start; it is not opened. */
int rollout_parse(const char *path, const char *text, size_t len, const struct registry *reg, const struct sys *sys, struct arena *a, struct rollout **ret, struct diags *d) MUST_USE;

const struct rollout_env *rollout_find_env(const struct rollout *r, const char *name); /* O(1); NULL when there is none */

/* The connection's checked tree {url, prefix, ca_file, timeout, auth {kind, ...}, ...}; NULL when the environment has none. */
const struct value *rollout_connection(const struct rollout_env *env, const char *name);

/* The gate's checked limits, defaults filled in; NULL only for a gate that is not in the registry or that has a required field nobody wrote, so give a gate's fields defaults. */
const struct value *rollout_gate(const struct rollout_env *env, const char *gate);

/* Who acts; for a capability of NULL, or one that no change names: EXEC_API. */
enum executor rollout_executor(const struct rollout_env *env, const char *capability);

/* What a rollout file means for these environments (the list ends with NULL), without its comments and layout: SHA-256. Policy at the top is left out: it may change while a run is open. */
void rollout_digest(const struct rollout *r, const struct rollout_env *const *envs, char ret_hex[65]);

/* Whether any environment of the file migrates this client. O(1). NULL: no. */
bool rollout_is_migrating(const struct rollout *r, const char *client_id);

/*
 * All secret references of one environment, or of all (env NULL); each distinct pair of reference and `late` once, at its first
 * position. `path` is dotted, from the environment down ("connections.shop.auth.token").
 */
struct rollout_secret {
	const char *ref;                          /* "env:NAME", "file:PATH", "exec:COMMAND" */
	bool is_late;                             /* resolved by the first step that needs it, not before */
	struct src_pos pos;
	const char *path;
	const struct rollout_env *env;            /* the first environment that has it */
};
typedef void rollout_secret_fn(void *arg, const struct rollout_secret *s);
void rollout_secret_refs(const struct rollout *r, const struct rollout_env *env, rollout_secret_fn *fn, void *arg);
/* The same of one environment, each place of the file with its own path: a connection may sign in with the secret that is migrated. */
void rollout_secret_places(const struct rollout *r, const struct rollout_env *env, rollout_secret_fn *fn, void *arg);
