/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_said.c - what people and earlier steps said of things that no call can read, as the journal has it.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/when.h"
#include "core/run/apply.h"

#define ATTESTED_FOR WHEN_DAY /* facts attested for planning */
#define OVERLAY_FOR WHEN_HOUR /* an attested last use: more would let a use since then pass */

static const struct past_run *marks_run(const struct journal_said *s, const char *env)
{
	const struct history *h = &s->journal->history;
	const struct past_run *open = s->run ? s->run : history_open_run(h, env);

	return open ? open : history_marked_run(h, env);
}

static bool is_recent(const struct journal_said *s, const struct value *at, int64_t span)
{
	int64_t age = sys_wall_ms(s->sys) - value_int_or(at, 0);

	return age <= span && age >= -span; /* a clock that was set back makes nothing fresh */
}

static bool is_of(const struct past_step *s, const char *env)
{
	for (size_t i = 0; i < value_count(s->envs); i++)
		if (strcmp(value_text_or(value_at(s->envs, i), ""), env) == 0)
			return true;
	return false;
}

/* Whether the step's act has an effect on that thing which people, or the journal, are believed of. */
static bool changes_it(const struct registry *reg, const char *address, const char *thing)
{
	const char *rest = strchr(address, '/'), *change = strrchr(address, '/');
	char own[128];
	const struct change_type *t;

	if (!rest || rest == change)
		return false;
	(void)snprintf(own, sizeof(own), "%.*s", (int)(change - rest - 1), rest + 1);
	t = registry_change(reg, own, change + 1);
	for (const char *const *v = t && t->effects ? t->verify : NULL; v && *v; v++)
		if (strcmp(*v, thing) == 0)
			return true;
	return t && t->effects && strcmp(own, thing) == 0;
}

/* Since that was said, an act was begun that may have changed it, or a person was asked for one, and nobody has seen what became of it. */
static bool is_void(const struct journal_said *s, const char *env, const char *thing,
		    const struct value *entry)
{
	const struct history *h = &s->journal->history;
	int64_t said_at = value_int_or(value_get(entry, "n"), 0);

	for (size_t i = 0; s->void_by && i < h->run_count; i++)
		for (size_t k = 0; k < h->runs[i].step_count; k++) {
			const struct past_step *p = &h->runs[i].steps[k];

			if (p->begun_at_record > said_at && !p->is_done && is_of(p, env) &&
			    changes_it(s->void_by, p->address, thing))
				return true;
		}
	return false;
}

static const struct value *said_facts(void *ctx, const char *env, const char *thing,
				      const char **ret_by, enum known *ret_known,
				      int64_t *ret_asked_ms)
{
	struct journal_said *s = ctx;
	char key[512];
	const struct value *entry;

	snprintf(key, sizeof(key), "%s %s", env, thing);
	entry = value_get(s->journal->history.said, key);
	if (!entry || is_void(s, env, thing, entry))
		return NULL;
	*ret_by = value_text(value_get(entry, "by"));
	*ret_asked_ms = value_int_or(value_get(entry, "asked_ms"), 0);
	if (strcmp(value_text_or(value_get(entry, "known"), ""), "journal") == 0) {
		*ret_known = KNOWN_JOURNAL;
		return value_get(entry, "facts");
	}
	*ret_known = KNOWN_ATTESTED;
	/* A run that rests on them keeps them; for a plan of its own they age. */
	return history_open_run(&s->journal->history, env) ||
			       is_recent(s, value_get(entry, "at"), ATTESTED_FOR) ?
		       value_get(entry, "facts") :
		       NULL;
}

static const struct value *said_overlay(void *ctx, const char *env, const char *thing)
{
	struct journal_said *s = ctx;
	char key[512];
	const struct value *entry;

	snprintf(key, sizeof(key), "%s %s", env, thing);
	entry = value_get(s->journal->history.overlays, key);
	return entry && is_recent(s, value_get(entry, "at"), OVERLAY_FOR) ?
		       value_get(entry, "attested") :
		       NULL;
}

static const struct value *said_marks(void *ctx, const char *env)
{
	struct journal_said *s = ctx;

	return history_marks(marks_run(s, env), env);
}

struct said journal_said_ops(struct journal_said *s)
{
	return (struct said){
		.facts = said_facts, .overlay = said_overlay, .marks = said_marks, .ctx = s
	};
}
