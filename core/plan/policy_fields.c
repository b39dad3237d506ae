/* SPDX-License-Identifier: Apache-2.0 */
/* policy_fields.c - the table of `policy:`, composed from the registry where it speaks of gates. */
#include <string.h>

#include "core/base/when.h"
#include "core/plan/policy.h"
#include "core/plan/window.h"

#define PEOPLE_MAX 20
#define COUNT_MAX 1000000

static const char *const executors[] = { "operator", "bridge", "api", NULL };
static const struct field executor = { .name = "EXECUTOR",
				       .kind = FIELD_ENUM,
				       .names = executors,
				       .doc = "Who must not act." };
static const char *const attested[] = { "allow", "forbid", NULL };
static const struct field freeze = { .name = "FREEZE",
				     .kind = FIELD_MAP,
				     .sub = window_fields,
				     .doc = "When nothing may be changed." };

static const struct field approvals[] = {
	{ .name = "signers",
	  .kind = FIELD_PATH,
	  .doc = "Who may approve: OpenSSH's allowed-signers file. Best given from the base branch by --allowed-signers." },
	{ .name = "revoked",
	  .kind = FIELD_PATH,
	  .doc = "Keys that count no more: public keys or SHA256 fingerprints, one a line." },
	{ .name = "all",
	  .kind = FIELD_INT,
	  .max = PEOPLE_MAX,
	  .doc = "How many people must approve each step." },
	{ .name = "production",
	  .kind = FIELD_INT,
	  .max = PEOPLE_MAX,
	  .doc = "The same where the environment says production: true." },
	{ .name = "irreversible",
	  .kind = FIELD_INT,
	  .max = PEOPLE_MAX,
	  .doc = "The same beyond the point of no return." },
	{ .name = "own",
	  .kind = FIELD_BOOL,
	  .doc = "Whether who made a plan may approve it too. Without it: no." },
	{ .name = NULL },
};

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

static const struct field *close_table(struct table *t)
{
	add(t, &(struct field){ .name = NULL });
	return t->fields;
}

/* Thresholds of which more is safer: those that have a floor already, and the numbers of looks. */
static const struct field *floors_of(struct arena *a, const struct gate_type *g)
{
	struct table t = { .arena = a };

	for (const struct field *f = g->fields; f && f->name; f++)
		if (f->min > 0 && (f->kind == FIELD_SPAN || f->kind == FIELD_INT)) {
			struct field *own = add(&t, f);

			own->def = NULL;
			own->flags = 0;
			own->doc = arena_printf(a, "At least this: %s", f->doc ? f->doc : "");
		}
	add(&t, &(struct field){ .name = "min_samples",
				 .kind = FIELD_INT,
				 .min = 1,
				 .max = 10000,
				 .doc = "At least so many looks." });
	add(&t, &(struct field){ .name = "passes",
				 .kind = FIELD_INT,
				 .min = 1,
				 .max = 10000,
				 .doc = "At least so many looks in a row that pass." });
	return close_table(&t);
}

static const struct field *all_floors(struct arena *a, const struct registry *reg)
{
	struct table t = { .arena = a };

	for (const struct provider *const *p = reg->providers; *p; p++)
		for (const struct gate_type *const *g = (*p)->gates; g && *g; g++)
			if (registry_gate(reg, (*g)->name) == *g)
				add(&t,
				    &(struct field){
					    .name = (*g)->name,
					    .kind = FIELD_MAP,
					    .sub = floors_of(a, *g),
					    .doc = "Must stand before the point of no return, with "
						   "at least these thresholds." });
	return close_table(&t);
}

static void add_count(struct table *t, const char *name, const char *doc)
{
	add(t, &(struct field){ .name = name, .kind = FIELD_INT, .max = COUNT_MAX, .doc = doc });
}

static void add_top(struct table *t)
{
	add_count(t, "max_environments", "Most environments that one plan may change.");
	add_count(t, "max_projects", "Most projects that one plan may change.");
	add_count(t, "max_irreversible", "Most steps beyond undoing in one plan.");
	add_count(t, "expect_steps", "How many steps a plan that has any must have.");
	add(t, &(struct field){ .name = "approvals",
				.kind = FIELD_MAP,
				.sub = approvals,
				.doc = "Who must approve what, by signature." });
}

const struct field *policy_fields(struct arena *a, const struct registry *reg, bool is_top)
{
	struct table t = { .arena = a };

	if (is_top)
		add_top(&t);
	add(&t, &(struct field){ .name = "freeze",
				 .kind = FIELD_LIST,
				 .max = 100,
				 .sub = &freeze,
				 .doc = "When apply begins nothing and deletes nothing." });
	add(&t, &(struct field){ .name = "gates",
				 .kind = FIELD_MAP,
				 .sub = all_floors(a, reg),
				 .doc = "Gates that must stand, and floors of their thresholds." });
	add(&t, &(struct field){ .name = "forbid_executors",
				 .kind = FIELD_LIST,
				 .max = 3,
				 .sub = &executor,
				 .doc = "Who must not act." });
	add(&t, &(struct field){ .name = "attested",
				 .kind = FIELD_ENUM,
				 .names = attested,
				 .doc = "Whether evidence may rest on what a person says." });
	add(&t,
	    &(struct field){ .name = "certificate_left",
			     .kind = FIELD_SPAN,
			     .max = 365 * WHEN_DAY,
			     .doc = "How long the old credential's certificate must live yet." });
	return close_table(&t);
}

static void check_approvals(const struct value *v, struct diags *d)
{
	static const char *const counts[] = { "all", "production", "irreversible" };
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		any |= value_int_or(value_get(v, counts[i]), 0) > 0;
	if (v && !any)
		diags_add(d, DIAG_ERROR, v->pos, "approvals",
			  "write how many: all, production or irreversible",
			  "approvals without a number ask nobody");
}

void policy_check(const struct value *policy, struct arena *a, struct diags *d)
{
	const struct value *list = value_get(policy, "freeze");

	for (size_t i = 0; i < value_count(list); i++)
		window_check(value_at(list, i), a, d);
	check_approvals(value_get(policy, "approvals"), d);
}
