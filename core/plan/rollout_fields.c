/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "core/base/when.h"
#include "core/plan/policy.h"
#include "core/plan/rollout_private.h"

#define LISTED_MAX 10000 /* entries of `after`, `consumers` */

/* A table under construction, inside the arena; it always ends with an empty field. */
struct table {
	struct arena *arena;
	struct field *fields;
	size_t count, cap;
};

static struct field *add(struct table *t, const struct field *f)
{
	t->fields = arena_grow(t->arena, t->fields, t->count, &t->cap, sizeof(*t->fields));
	t->fields[t->count] = *f;
	return &t->fields[t->count++];
}

static void add_all(struct table *t, const struct field *table)
{
	for (; table && table->name; table++)
		add(t, table);
}

static const struct field *close_table(struct table *t)
{
	add(t, &(struct field){ .name = NULL });
	return t->fields;
}

/* --- connections --- */

static bool lists(const char *comma_list, const char *word)
{
	size_t len = strlen(word);
	for (const char *p = comma_list; p && *p; p += *p == ',') {
		size_t n = strcspn(p, ", ");
		if (n == len && !strncmp(p, word, n))
			return true;
		p += n + strspn(p + n, " ");
	}
	return false;
}

static const char *const *auth_names(struct arena *a, const char *kinds)
{
	static const char *const all[] = { AUTH_BEARER, AUTH_CLIENT, AUTH_NONE };
	const char **names = arena_array(a, ARRAY_LEN(all) + 1, sizeof(*names));
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (lists(kinds, all[i]))
			names[count++] = all[i];
	if (!count)
		names[count++] = AUTH_NONE;
	return names;
}

static const struct field scope[] = {
	{ .name = "scope",
	  .kind = FIELD_STRING,
	  .flags = FIELD_FROM_ENV,
	  .doc = "One scope, as the server wants it." },
	{ .name = NULL },
};

static const struct field bearer_fields[] = {
	{ .name = "token",
	  .kind = FIELD_SECRET,
	  .flags = SCHEMA_NEEDED,
	  .doc = "bearer: the token; exec: is run again when it is refused." },
	{ .name = NULL },
};
static const struct field client_fields[] = {
	{ .name = "client_id",
	  .kind = FIELD_STRING,
	  .flags = FIELD_FROM_ENV | SCHEMA_NEEDED,
	  .doc = "client_credentials: who signs in. Best a client that no environment migrates." },
	{ .name = "client_secret",
	  .kind = FIELD_SECRET,
	  .flags = SCHEMA_NEEDED,
	  .doc = "client_credentials: the client's secret." },
	{ .name = "scopes",
	  .kind = FIELD_LIST,
	  .max = 200,
	  .sub = scope,
	  .doc = "client_credentials: scopes to ask for." },
	{ .name = NULL },
};

static unsigned kind_flag(const char *const *names, const char *kind)
{
	for (unsigned n = 0; names[n]; n++)
		if (!strcmp(names[n], kind))
			return SCHEMA_FOR(n);
	return 0;
}

static void add_for(struct table *t, const struct field *table, unsigned kind)
{
	for (; kind && table->name; table++)
		add(t, table)->flags |= kind;
}

/* All kinds' fields in one table, each with the kind that it is for. */
static const struct field *auth_fields(struct arena *a, const struct connection_type *type)
{
	struct table t = { .arena = a };
	const char *const *names = auth_names(a, type->auth_kinds);
	add(&t, &(struct field){ .name = "kind",
				 .kind = FIELD_ENUM,
				 .names = names,
				 .flags = SCHEMA_VARIANT | (names[1] ? FIELD_REQUIRED : 0),
				 .def = names[1] ? NULL : names[0],
				 .doc = "How requests are authenticated." });
	unsigned bearer = kind_flag(names, AUTH_BEARER), client = kind_flag(names, AUTH_CLIENT);
	add_for(&t, bearer_fields, bearer);
	add_for(&t, client_fields, client);
	if (client)
		add(&t, &(struct field){ .name = "token_url",
					 .kind = FIELD_URL,
					 .flags = FIELD_FROM_ENV | client |
						  (type->token_path ? 0 : SCHEMA_NEEDED),
					 .doc = "client_credentials: where tokens are minted." });
	if (bearer || client)
		add(&t, &(struct field){
				.name = "api_key",
				.kind = FIELD_STRING,
				.flags = FIELD_FROM_ENV | bearer | client,
				.doc = "Sent beside the token where wanted; else the client id." });
	return close_table(&t);
}

static const struct field conn_common[] = {
	{ .name = "ca_file",
	  .kind = FIELD_PATH,
	  .flags = FIELD_FROM_ENV,
	  .doc = "Authorities (PEM) to trust instead of the system's." },
	{ .name = "timeout",
	  .kind = FIELD_SPAN,
	  .def = "65s",
	  .min = WHEN_SECOND,
	  .max = 10 * WHEN_MINUTE,
	  .doc = "How long one request may take." },
	{ .name = NULL },
};

static const struct field *conn_fields(struct arena *a, const struct connection_type *type)
{
	struct table t = { .arena = a };
	const struct field *auth = auth_fields(a, type);
	bool signs_in = strcmp(auth->names[0], AUTH_NONE) || auth->names[1];
	add(&t,
	    &(struct field){ .name = "url",
			     .kind = FIELD_URL,
			     .flags = FIELD_FROM_ENV | (type->url_default ? 0 : FIELD_REQUIRED),
			     .def = type->url_default,
			     .doc = "Where the system answers: https, host and perhaps a path." });
	add(&t, &(struct field){ .name = "prefix",
				 .kind = FIELD_STRING,
				 .flags = FIELD_FROM_ENV | SCHEMA_EMPTY,
				 .def = type->prefix_default ? type->prefix_default : "",
				 .doc = "Put between url and every path, for gateways." });
	add_all(&t, conn_common);
	add(&t, &(struct field){ .name = "auth",
				 .kind = FIELD_MAP,
				 .flags = signs_in ? FIELD_REQUIRED : 0,
				 .sub = auth,
				 .doc = "Who the tool signs in as." });
	add_all(&t, type->fields);
	return close_table(&t);
}

const struct connection_type *rollout_conn_type(const struct registry *reg, size_t n)
{
	for (const struct provider *const *p = reg->providers; *p; p++) {
		for (const struct connection_type *const *c = (*p)->connections; c && *c; c++) {
			bool is_first = registry_connection(reg, (*c)->name) == *c;
			if (is_first && !n--)
				return *c;
		}
	}
	return NULL;
}

static const struct field *all_conns(struct arena *a, const struct registry *reg)
{
	struct table t = { .arena = a };
	const struct connection_type *type;
	for (size_t i = 0; (type = rollout_conn_type(reg, i)); i++)
		add(&t, &(struct field){ .name = type->name,
					 .kind = FIELD_MAP,
					 .flags = type->required ? FIELD_REQUIRED : 0,
					 .sub = conn_fields(a, type),
					 .doc = type->doc });
	return close_table(&t);
}

/* --- gates --- */

static const char *const on_expire[] = { "fail", "wait", NULL };

static const struct field *gate_fields(struct arena *a, const struct gate_type *gate)
{
	struct table t = { .arena = a };
	for (const struct field *f = gate->fields; f && f->name; f++) {
		struct field *own = add(&t, f);
		if (f->min && (f->kind == FIELD_INT || f->kind == FIELD_SPAN))
			own->flags |= SCHEMA_FLOOR;
	}
	add(&t, &(struct field){ .name = "cadence",
				 .kind = FIELD_SPAN,
				 .min = WHEN_SECOND,
				 .max = 7 * WHEN_DAY,
				 .def = gate->cadence ? gate->cadence : "1m",
				 .doc = "Time between two looks." });
	add(&t, &(struct field){ .name = "min_samples",
				 .kind = FIELD_INT,
				 .min = 1,
				 .max = 10000,
				 .def = "1",
				 .doc = "Looks needed before it can pass." });
	add(&t, &(struct field){ .name = "passes",
				 .kind = FIELD_INT,
				 .min = 1,
				 .max = 10000,
				 .def = "1",
				 .doc = "Looks in a row that have to pass." });
	add(&t,
	    &(struct field){ .name = "deadline",
			     .kind = FIELD_SPAN,
			     .min = WHEN_SECOND,
			     .max = 365 * WHEN_DAY,
			     .def = gate->deadline,
			     .doc = "Time from its first look to its expiry; without it, never." });
	add(&t, &(struct field){ .name = "on_expire",
				 .kind = FIELD_ENUM,
				 .names = on_expire,
				 .def = "fail",
				 .doc = "What its expiry means." });
	return close_table(&t);
}

static const struct field *all_gates(struct arena *a, const struct registry *reg)
{
	struct table t = { .arena = a };
	for (const struct provider *const *p = reg->providers; *p; p++)
		for (const struct gate_type *const *g = (*p)->gates; g && *g; g++)
			if (registry_gate(reg, (*g)->name) == *g)
				add(&t, &(struct field){ .name = (*g)->name,
							 .kind = FIELD_MAP,
							 .sub = gate_fields(a, *g),
							 .doc = (*g)->doc });
	return close_table(&t);
}

/* --- executors --- */

const struct change_type *rollout_next_change(const struct registry *reg, size_t *i)
{
	size_t n = 0;
	for (const struct provider *const *p = reg->providers; *p; p++)
		for (const struct thing_type *const *thing = (*p)->things; thing && *thing; thing++)
			for (const struct change_type *const *c = (*thing)->changes; c && *c; c++)
				if (n++ == *i) {
					++*i;
					return *c;
				}
	return NULL;
}

/*
 * Changes that share a capability are chosen together: possible is what all of them can, and one
 * without a default makes the file say.
 */
static void sum_capability(const struct registry *reg, const char *capability, unsigned *ret_mask,
			   enum executor *ret_default)
{
	const struct change_type *c;
	bool is_first = true;
	*ret_mask = ~0u;
	for (size_t i = 0; (c = rollout_next_change(reg, &i));) {
		if (!c->capability || strcmp(c->capability, capability))
			continue;
		*ret_mask &= c->executors;
		*ret_default = is_first || c->executor_default == EXEC_NONE ? c->executor_default :
									      *ret_default;
		is_first = false;
	}
	if (*ret_default != EXEC_NONE && !(*ret_mask & EXEC_BIT(*ret_default)))
		*ret_default = EXEC_NONE;
}

static void add_executor(struct table *t, const struct registry *reg, const struct change_type *c)
{
	static const enum executor all[] = { EXEC_OPERATOR, EXEC_BRIDGE, EXEC_API };
	const char **names = arena_array(t->arena, ARRAY_LEN(all) + 1, sizeof(*names));
	enum executor otherwise = EXEC_NONE;
	unsigned mask;
	size_t count = 0;
	sum_capability(reg, c->capability, &mask, &otherwise);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (mask & EXEC_BIT(all[i]))
			names[count++] = executor_name(all[i]);
	assert(count > 0);
	bool must_say = otherwise == EXEC_NONE;
	add(t, &(struct field){ .name = c->capability,
				.kind = FIELD_ENUM,
				.flags = SCHEMA_EXECUTOR | (must_say ? FIELD_REQUIRED : 0),
				.names = names,
				.def = must_say ? NULL : executor_name(otherwise),
				.doc = c->doc });
}

static bool has_field(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (!strcmp(t->fields[i].name, name))
			return true;
	return false;
}

static const struct field *all_executors(struct arena *a, const struct registry *reg)
{
	struct table t = { .arena = a };
	const struct change_type *c;
	for (size_t i = 0; (c = rollout_next_change(reg, &i));)
		if (c->capability && !has_field(&t, c->capability))
			add_executor(&t, reg, c);
	return close_table(&t);
}

/* --- environments and the file --- */

static const char *const on_failure[] = { "halt", "rollback", NULL };
static const struct field env_name[] = {
	{ .name = "NAME", .kind = FIELD_ID, .doc = "An environment of this file." },
	{ .name = NULL },
};
static const struct field app_name[] = {
	{ .name = "NAME", .kind = FIELD_STRING, .doc = "An app." },
	{ .name = NULL },
};
static const struct field env_common[] = {
	{ .name = "consumers",
	  .kind = FIELD_LIST,
	  .max = LISTED_MAX,
	  .sub = app_name,
	  .def = "[]",
	  .doc = "Every other app that uses the credential." },
	{ .name = "on_failure",
	  .kind = FIELD_ENUM,
	  .names = on_failure,
	  .def = "halt",
	  .doc = "What a failed gate before the point of no return leads to." },
	{ .name = "production",
	  .kind = FIELD_BOOL,
	  .doc = "Whether approvals for production count here." },
	{ .name = NULL },
};
static const struct field after = { .name = "after",
				    .kind = FIELD_LIST,
				    .max = LISTED_MAX,
				    .sub = env_name,
				    .doc = "Environments that have to be done first." };

static void add_open(struct table *t, const char *name, const struct field *sub, const char *doc)
{
	add(t, &(struct field){ .name = name,
				.kind = FIELD_MAP,
				.flags = SCHEMA_OPEN,
				.sub = sub,
				.doc = doc });
}

static void add_sections(struct table *t, const struct registry *reg)
{
	for (const struct provider *const *p = reg->providers; *p; p++)
		for (const struct section_type *const *s = (*p)->sections; s && *s; s++)
			if (!has_field(t, (*s)->name))
				add(t,
				    &(struct field){ .name = (*s)->name,
						     .kind = FIELD_MAP,
						     .flags = (*s)->required ? FIELD_REQUIRED : 0,
						     .sub = (*s)->fields,
						     .doc = (*s)->doc });
}

/* What `defaults` may hold. An environment may hold `after` besides. */
static const struct field *default_fields(struct arena *a, const struct registry *reg,
					  const struct field *conns)
{
	struct table t = { .arena = a };
	add_open(&t, "connections", conns,
		 "What differs from the connections at the top, merged key by key.");
	add_sections(&t, reg);
	add_open(&t, "gates", all_gates(a, reg), "Thresholds of the gates.");
	add_open(&t, "executors", all_executors(a, reg),
		 "Who acts: a person, the bridge, or the system's own API.");
	add_all(&t, env_common);
	add(&t, &(struct field){
			.name = "policy",
			.kind = FIELD_MAP,
			.sub = policy_fields(a, reg, false),
			.doc = "What plans must not do here, besides the policy at the top." });
	return close_table(&t);
}

const struct field *rollout_fields(const struct registry *reg, struct arena *a)
{
	struct table t = { .arena = a }, env = { .arena = a }, entry = { .arena = a };
	const struct field *conns = all_conns(a, reg), *defaults = default_fields(a, reg, conns);
	add_all(&env, defaults);
	add(&env, &after);
	add(&entry, &(struct field){ .name = "NAME",
				     .kind = FIELD_MAP,
				     .sub = close_table(&env),
				     .doc = "One environment, under a name of your own." });
	add(&t, &(struct field){ .name = "version",
				 .kind = FIELD_INT,
				 .flags = FIELD_REQUIRED,
				 .min = 1,
				 .max = 1,
				 .doc = "Of this file format: 1." });
	add(&t, &(struct field){ .name = "state",
				 .kind = FIELD_PATH,
				 .def = ".s2sctl",
				 .doc = "Folder of journal and lock, beside this file." });
	add(&t, &(struct field){ .name = "connections",
				 .kind = FIELD_MAP,
				 .sub = conns,
				 .doc = "How each system is reached." });
	add(&t, &(struct field){
			.name = "defaults",
			.kind = FIELD_MAP,
			.sub = defaults,
			.doc = "Merged below each environment key by key; lists are replaced." });
	add(&t, &(struct field){ .name = "environments",
				 .kind = FIELD_DICT,
				 .flags = FIELD_REQUIRED,
				 .sub = close_table(&entry),
				 .doc = "Each environment by its name, in the order wished for." });
	add(&t, &(struct field){ .name = "policy",
				 .kind = FIELD_MAP,
				 .sub = policy_fields(a, reg, true),
				 .doc = "What plans must not do, and who must approve them." });
	return close_table(&t);
}

const struct field *rollout_env_fields(const struct field *file_fields)
{
	return schema_field(file_fields, "environments")->sub[0].sub;
}
