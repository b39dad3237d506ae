/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/verify.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/redact.h"
#include "core/base/sb.h"
#include "core/base/version.h"
#include "core/io/json.h"
#include "core/plan/plan_digest.h"
#include "core/run/receipt.h"

#define TEXT_LIMIT ((size_t)256 << 20)

static void add_damage(struct arena *a, struct value *list, int64_t record, const char *text)
{
	struct value *m = value_map(a);

	value_set(a, m, "record", value_int(a, record));
	value_set(a, m, "text", value_string(a, text));
	value_list_add(a, list, m);
}

/* Environments that wait, and steps that do: what the last suspension said, or that nothing was said. */
static struct value *run_value(struct arena *a, const struct past_run *r)
{
	const struct value *plan = r->plan, *envs = value_get(plan, "environments");
	struct value *m = value_map(a), *names = value_list(a);
	int64_t done = 0;

	for (size_t i = 0; i < value_count(envs); i++)
		if (value_get(value_at(envs, i), "name"))
			value_list_add(a, names, value_get(value_at(envs, i), "name"));
	for (size_t i = 0; i < r->step_count; i++)
		done += r->steps[i].is_done;
	value_set(a, m, "run", value_string(a, r->id));
	value_set(a, m, "began_at", value_string(a, r->started_at));
	value_set(a, m, "state",
		  value_string(a, r->is_open                       ? "open" :
				  strcmp(r->ended, "receipt") == 0 ? "finished" :
								     r->ended));
	value_set(a, m, "environments", names);
	value_set(a, m, "steps_done", value_int(a, done));
	value_set(a, m, "steps", value_int(a, (int64_t)value_count(value_get(plan, "steps"))));
	value_set(a, m, "plan_digest", value_string(a, r->plan_digest));
	value_set(a, m, "waits", r->is_open ? value_get(r->suspended, "waits") : NULL);
	return m;
}

static void check_digest(struct arena *a, const struct past_run *r, const char *name,
			 const char *is, struct value *damage)
{
	if (strcmp(is, value_text_or(value_get(r->plan, name), "")) != 0)
		add_damage(a, damage, r->begun_at_record,
			   arena_printf(a, "run %s: its plan's %s is not what the plan gives",
					r->id, name));
}

/* What people approved, and what was seen then: both are bound to these. */
static void check_plan(struct arena *a, const struct past_run *r, const struct registry *reg,
		       struct value *damage)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(TEXT_LIMIT);
	char intent[65], observed[65];

	json_write(&text, r->plan, JSON_CANONICAL, NULL);
	if (strstr(text.buf, REDACTED))
		return;
	plan_intent_of(r->plan, intent);
	check_digest(a, r, "intent_digest", intent, damage);
	if (strcmp(value_text_or(value_get(r->plan, "tool"), ""), "s2sctl " S2SCTL_VERSION) != 0)
		return;
	plan_observed_of(r->plan, reg, observed);
	check_digest(a, r, "observed_digest", observed, damage);
}

static void check_run(struct arena *a, const struct past_run *r, const struct registry *reg,
		      struct value *damage)
{
	char digest[65];
	const char *what;

	receipt_plan_digest(r->plan, digest);
	if (strcmp(digest, r->plan_digest) != 0)
		add_damage(a, damage, r->begun_at_record,
			   arena_printf(a, "run %s: its plan is not the one whose digest it names",
					r->id));
	check_plan(a, r, reg, damage);
	if (r->is_open || strcmp(r->ended, "receipt") != 0)
		return;
	what = receipt_differs(a, r);
	if (what)
		add_damage(a, damage, value_int_or(value_get(r->ending, "n"), 0),
			   arena_printf(a, "run %s: the receipt's '%s' is not what the records say",
					r->id, what));
}

/* Only the first damage can be named: what comes behind it follows from nothing. */
static int take_all(struct journal *j, const struct sb *text, struct arena *a, struct value *damage,
		    struct err *err)
{
	const char *at = text->buf;
	struct err bad = ERR_INIT;

	while (journal_take(j, &at, text->buf + text->len, &bad))
		;
	if (bad.code == E_REFUSED) {
		*err = bad;
		return -bad.code;
	}
	if (bad.code)
		add_damage(a, damage, j->records + 1, bad.msg);
	else if (journal_check_end(j, &bad) < 0)
		add_damage(a, damage, j->records, bad.msg);
	return 0;
}

static void tell(struct journal *j, const struct registry *reg, size_t torn, struct arena *a,
		 struct value *damage, struct value *doc)
{
	struct value *runs = value_list(a);

	for (size_t i = 0; i < j->history.run_count; i++) {
		check_run(a, &j->history.runs[i], reg, damage);
		value_list_add(a, runs, run_value(a, &j->history.runs[i]));
	}
	value_set(a, doc, "journal", value_string(a, j->store->place(j->store->ctx)));
	value_set(a, doc, "sound", value_bool(a, value_count(damage) == 0));
	value_set(a, doc, "format", value_int(a, JOURNAL_FORMAT));
	value_set(a, doc, "tool", j->tool ? value_string(a, j->tool) : NULL);
	value_set(a, doc, "records", value_int(a, j->records));
	value_set(a, doc, "head", value_string(a, j->head));
	value_set(a, doc, "torn_bytes", value_int(a, (int64_t)torn));
	value_set(a, doc, "noted", value_bool(a, *j->noted_head != '\0'));
	value_set(a, doc, "damage", damage);
	value_set(a, doc, "runs", runs);
}

int verify_journal(const struct store *store, const struct sys *sys, const struct registry *reg,
		   size_t torn, struct arena *a, struct value **ret, struct err *err)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(TEXT_LIMIT);
	CLEANUP(journal_close) struct journal j = { .store = store };
	struct value *damage = value_list(a), *doc = value_map(a);

	journal_start(&j, store, sys);
	if (store->read_all(store->ctx, JOURNAL_NAME, &text, err) < 0 ||
	    take_all(&j, &text, a, damage, err) < 0)
		return -err->code;
	tell(&j, reg, torn, a, damage, doc);
	*ret = value_copy(a, doc); /* what it borrows dies with the journal */
	return 0;
}
