/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/events.h"

#include <string.h>

#include "core/io/json.h"
#include "core/report/lines.h"

const char *events_exit_name(int exit_status)
{
	static const struct {
		int status;
		const char *name;
	} names[] = {
		{ 0, "done" },           { 1, "failed" },        { 2, "changes" },
		{ 3, "waiting" },        { 4, "gate" },          { 5, "refused" },
		{ 6, "locked" },         { 64, "usage" },        { 70, "bug" },
		{ 71, "out-of-memory" }, { 130, "interrupted" }, { 143, "terminated" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].status == exit_status)
			return names[i].name;
	return "unknown";
}

static struct value *begin(const struct events *e, struct arena *a, const char *event)
{
	struct value *m = value_map(a);

	value_set(a, m, "event", value_string(a, event));
	value_set(a, m, "at", value_instant(a, sys_wall_ms(e->sys)));
	return m;
}

static void set_text(struct arena *a, struct value *m, const char *key, const char *raw)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	if (!raw)
		return;
	sb_add_visible(&text, raw);
	value_set(a, m, key, value_string(a, text.buf));
}

static void end(const struct events *e, const struct value *m)
{
	CLEANUP(sb_done) struct sb line = SB_INIT(SB_TEXT_MAX);

	json_write(&line, m, JSON_COMPACT, NULL);
	sb_addc(&line, '\n');
	e->write(e->ctx, &line);
}

void events_version(const struct events *e, const char *tool_version)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *m;

	if (!e->write)
		return;
	m = begin(e, &a, "version");
	value_set(&a, m, "version", value_int(&a, EVENTS_VERSION));
	set_text(&a, m, "tool_version", tool_version);
	end(e, m);
}

void events_started(const struct events *e, const char *command, const char *rollout,
		    const char *const *env_names)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *m, *names;

	if (!e->write)
		return;
	m = begin(e, &a, "started");
	names = value_list(&a);
	for (const char *const *name = env_names; name && *name; name++)
		value_list_add(&a, names, value_string(&a, *name));
	set_text(&a, m, "command", command);
	set_text(&a, m, "rollout", rollout);
	value_set(&a, m, "environments", names);
	end(e, m);
}

/* Steps of each environment are counted once for all of them: a fleet has a thousand. */
static struct value *step_counts(struct arena *a, const struct value *steps)
{
	struct value *counts = value_map(a);

	for (size_t i = 0; i < value_count(steps); i++) {
		const struct value *envs = value_get(value_at(steps, i), "environments");

		for (size_t k = 0; k < value_count(envs); k++) {
			const char *name = value_text_or(value_at(envs, k), "");

			value_set(a, counts, name,
				  value_int(a, value_int_or(value_get(counts, name), 0) + 1));
		}
	}
	return counts;
}

void events_planned(const struct events *e, const struct value *plan_doc, bool is_resumed)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const struct value *envs = value_get(plan_doc, "environments"),
			   *sum = value_get(plan_doc, "summary");
	const struct value *counts;
	struct value *m;

	if (!e->write)
		return;
	counts = step_counts(&a, value_get(plan_doc, "steps"));
	for (size_t i = 0; i < value_count(envs); i++) {
		const struct value *env = value_at(envs, i);
		const char *name = value_text_or(value_get(env, "name"), "");

		m = begin(e, &a, "environment");
		set_text(&a, m, "environment", name);
		set_text(&a, m, "outlook", value_text(value_get(env, "outlook")));
		value_set(&a, m, "steps", value_int(&a, value_int_or(value_get(counts, name), 0)));
		end(e, m);
	}
	m = begin(e, &a, "planned");
	value_set(&a, m, "steps", value_get(sum, "steps"));
	value_set(&a, m, "irreversible", value_get(sum, "irreversible"));
	set_text(&a, m, "intent_digest", value_text(value_get(plan_doc, "intent_digest")));
	value_set(&a, m, "resumed", value_bool(&a, is_resumed));
	end(e, m);
}

void events_step(const struct events *e, const char *event, const char *state, const char *step,
		 const char *text, int64_t until_ms)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *m;

	if (!e->write || !event)
		return;
	m = begin(e, &a, event);
	set_text(&a, m, "step", step);
	set_text(&a, m, "state", state);
	set_text(&a, m, "text", text);
	if (strcmp(event, "waits") == 0)
		value_set(&a, m, "until", value_instant(&a, until_ms));
	end(e, m);
}

static void put_sample(const struct events *e, const struct value *record)
{
	static const char *const keys[] = { "step", "environment", "gate", "verdict",
					    "saw",  "why",         "until" };
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *m = begin(e, &a, "sample");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		set_text(&a, m, keys[i], value_text(value_get(record, keys[i])));
	if (!value_get(m, "until"))
		value_set(&a, m, "until", value_null(&a));
	end(e, m);
}

static void put_waits(const struct events *e, const struct value *waits)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	for (size_t i = 0; i < value_count(waits); i++) {
		const struct value *w = value_at(waits, i);
		struct value *m = begin(e, &a, "waits");

		set_text(&a, m, "step", value_key_at(waits, i));
		set_text(&a, m, "text", value_text_or(value_get(w, "for"), ""));
		set_text(&a, m, "until", value_text(value_get(w, "until")));
		if (!value_get(m, "until"))
			value_set(&a, m, "until", value_null(&a));
		end(e, m);
	}
}

void events_record(const struct events *e, const struct value *record)
{
	const char *type = value_text_or(value_get(record, "type"), "");

	if (!e->write)
		return;
	if (strcmp(type, "sample") == 0)
		put_sample(e, record);
	if (strcmp(type, "suspend") == 0)
		put_waits(e, value_get(record, "waits"));
}

void events_instruct(const struct events *e, const char *step, const char *page,
		     const char *const *lines, size_t line_max, const char *check, const char *ack)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *m, *list;

	if (!e->write)
		return;
	m = begin(e, &a, "instruct");
	list = value_list(&a);
	for (size_t i = 0; i < line_max && lines[i]; i++) {
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

		sb_add_visible(&text, lines[i]);
		value_list_add(&a, list, value_string(&a, text.buf));
	}
	set_text(&a, m, "step", step);
	set_text(&a, m, "page", page);
	value_set(&a, m, "lines", list);
	set_text(&a, m, "check", check);
	set_text(&a, m, "ack", ack);
	end(e, m);
}

void events_summary(const struct events *e, int exit_status, const struct events_result *r)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *m;

	if (!e->write)
		return;
	m = begin(e, &a, "summary");
	value_set(&a, m, "exit", value_int(&a, exit_status));
	set_text(&a, m, "name", events_exit_name(exit_status));
	set_text(&a, m, "text", r->text);
	if (r->is_apply) {
		value_set(&a, m, "steps_done", value_int(&a, (int64_t)r->done));
		value_set(&a, m, "steps_total", value_int(&a, (int64_t)r->total));
		value_set(&a, m, "until", value_instant(&a, r->until_ms));
	}
	end(e, m);
}
