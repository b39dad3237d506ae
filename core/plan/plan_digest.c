/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan/plan_digest.h"

#include <string.h>

#include "core/base/sb.h"
#include "core/io/digest.h"
#include "core/io/json.h"

static void digest_of(const struct value *v, char ret[65])
{
	CLEANUP(sb_done) struct sb sb = SB_INIT((size_t)256 << 20);

	json_write(&sb, v, JSON_CANONICAL, NULL);
	digest_hex(sb.buf, sb.len, ret);
}

static struct value *pick(struct arena *a, const struct value *from, const char *const *keys)
{
	struct value *out = value_map(a);

	for (; *keys; keys++)
		value_set(a, out, *keys, value_get(from, *keys));
	return out;
}

/* A step without what only explains it; saved.c does the same from the plan itself. */
static struct value *step_intent(struct arena *a, const struct value *step)
{
	static const char *const keys[] = { "address",  "after", "change", "environments",
					    "executor", "needs", "phase",  "thing",
					    "undo",     NULL };
	static const char *const gate_keys[] = { "limits", "name", "when", NULL };
	const struct value *gates = value_get(step, "gates");
	struct value *out = pick(a, step, keys), *list = value_list(a);

	for (size_t i = 0; i < value_count(gates); i++)
		value_list_add(a, list, pick(a, value_at(gates, i), gate_keys));
	value_set(a, out, "gates", list);
	return out;
}

void plan_intent_of(const struct value *doc, char ret_hex[65])
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *intent = value_map(&a), *list = value_list(&a), *ids = value_map(&a);
	const struct value *steps = value_get(doc, "steps"), *envs = value_get(doc, "environments");

	for (size_t i = 0; i < value_count(steps); i++)
		value_list_add(&a, list, step_intent(&a, value_at(steps, i)));
	for (size_t i = 0; i < value_count(envs); i++)
		value_set(&a, ids, value_text_or(value_get(value_at(envs, i), "name"), ""),
			  value_get(value_at(envs, i), "identity"));
	value_set(&a, intent, "direction", value_get(doc, "direction"));
	value_set(&a, intent, "steps", list);
	value_set(&a, intent, "identity", ids);
	digest_of(intent, ret_hex);
}

struct value *plan_facts_of(const struct value *env, const struct registry *reg, struct arena *a)
{
	const struct value *all = value_get(env, "facts");
	struct value *out = value_map(a);

	for (size_t i = 0; i < value_count(all); i++) {
		const char *name = value_key_at(all, i);
		const struct thing_type *t = registry_thing(reg, name);
		const struct value *facts = value_get(value_at(all, i), "facts");

		for (const struct fact *f = t ? t->facts : NULL; f && f->name; f++) {
			const struct value *v = value_get(facts, f->name);

			if (v && (f->class == FACT_STATE || f->class == FACT_IDENTITY))
				value_set(a, out, arena_printf(a, "%s.%s", name, f->name), v);
		}
	}
	return out;
}

void plan_observed_of(const struct value *doc, const struct registry *reg, char ret_hex[65])
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const struct value *envs = value_get(doc, "environments");
	struct value *observed = value_map(&a);

	for (size_t i = 0; i < value_count(envs); i++)
		value_set(&a, observed, value_text_or(value_get(value_at(envs, i), "name"), ""),
			  plan_facts_of(value_at(envs, i), reg, &a));
	digest_of(observed, ret_hex);
}

void plan_document_of(const struct value *doc, char ret_hex[65])
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *out = value_map(&a);

	for (size_t i = 0; i < value_count(doc); i++)
		if (strcmp(value_key_at(doc, i), "document_digest") != 0)
			value_set(&a, out, value_key_at(doc, i), value_at(doc, i));
	digest_of(out, ret_hex);
}

static int differs(const struct value *doc, const char *name, const char *is, struct err *err)
{
	if (strcmp(value_text_or(value_get(doc, name), ""), is) == 0)
		return 0;
	err_set(err, E_REFUSED, "the plan was edited: its %s is not what its content gives", name);
	return err_hint(err, "make it anew with `s2sctl plan FILE -o PLAN`");
}

int plan_digests_check(const struct value *doc, const struct registry *reg, struct err *err)
{
	char intent[65], observed[65], document[65];

	plan_document_of(doc, document);
	plan_intent_of(doc, intent);
	plan_observed_of(doc, reg, observed);
	if (differs(doc, "document_digest", document, err) < 0 ||
	    differs(doc, "intent_digest", intent, err) < 0 ||
	    differs(doc, "observed_digest", observed, err) < 0)
		return -err->code;
	return 0;
}
