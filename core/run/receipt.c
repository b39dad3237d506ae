/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/receipt.h"

#include <string.h>

#include "core/base/redact.h"
#include "core/io/digest.h"
#include "core/io/json.h"

void receipt_plan_digest(const struct value *plan, char ret_hex[65])
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	json_write(&text, plan, JSON_CANONICAL, NULL);
	redact_text(&text); /* as the record was, so that both are the same bytes */
	digest_hex(text.buf, text.len, ret_hex);
}

static void put_ms(struct arena *a, struct value *m, const char *key, int64_t ms)
{
	if (ms)
		value_set(a, m, key, value_int(a, ms));
}

static struct value *gate_value(struct arena *a, const struct past_gate *g)
{
	struct value *m = value_map(a);

	value_set(a, m, "environment", value_string(a, g->env));
	value_set(a, m, "gate", value_string(a, g->gate));
	value_set(a, m, "samples", value_int(a, g->count));
	value_set(a, m, "verdict", g->count ? value_string(a, g->verdict) : NULL);
	put_ms(a, m, "first_ms", g->first_ms);
	put_ms(a, m, "last_ms", g->last_ms);
	value_set(a, m, "by", g->by ? value_string(a, g->by) : NULL);
	return m;
}

static struct value *step_value(struct arena *a, const struct past_step *s)
{
	struct value *m = value_map(a), *gates = value_list(a);

	for (size_t i = 0; i < s->gate_count; i++)
		value_list_add(a, gates, gate_value(a, &s->gates[i]));
	value_set(a, m, "result", value_string(a, s->result));
	value_set(a, m, "how", s->how ? value_string(a, s->how) : NULL);
	value_set(a, m, "by", s->by ? value_string(a, s->by) : NULL);
	put_ms(a, m, "acted_ms", s->acted_ms);
	put_ms(a, m, "done_ms", s->done_ms);
	value_set(a, m, "gates", gates);
	return m;
}

/* Steps that nobody carried out in this run, since an environment of theirs had left it. */
static void put_left(struct arena *a, struct value *steps, const struct past_run *r)
{
	const struct value *all = value_get(r->plan, "steps");

	for (size_t i = 0; value_count(r->left) && i < value_count(all); i++) {
		const char *address = value_text_or(value_get(value_at(all, i), "address"), "");
		struct value *m = value_map(a);

		if (value_get(steps, address) || !history_step_is_left(r, address))
			continue;
		value_set(a, m, "result", value_string(a, "left"));
		value_set(a, steps, address, m);
	}
}

struct value *receipt_make(struct arena *a, const struct past_run *r)
{
	struct value *rec = value_map(a), *steps = value_map(a);

	for (size_t i = 0; i < r->step_count; i++)
		if (r->steps[i].is_done)
			value_set(a, steps, r->steps[i].address, step_value(a, &r->steps[i]));
	put_left(a, steps, r);
	value_set(a, rec, "run", value_string(a, r->id));
	value_set(a, rec, "rollout_digest", value_string(a, r->rollout_digest));
	value_set(a, rec, "plan_digest", value_string(a, r->plan_digest));
	value_set(a, rec, "intent_digest", value_get(r->plan, "intent_digest"));
	put_ms(a, rec, "began_ms", r->began_ms);
	value_set(a, rec, "steps", steps);
	return rec;
}

const char *receipt_differs(struct arena *a, const struct past_run *r)
{
	const struct value *is = r->ending;
	struct value *made = receipt_make(a, r);

	for (size_t i = 0; i < value_count(made); i++) {
		const char *key = value_key_at(made, i);

		if (!value_equal(value_at(made, i), value_get(is, key)))
			return key;
	}
	if (!value_equal(value_get(is, "head"), value_get(is, "prev")))
		return "head";
	return NULL;
}
