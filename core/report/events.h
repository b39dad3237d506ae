/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.h - what plan and apply do while they do it, as JSON Lines for a program: `--events FILE`.
 *
 * One event a line, handed over whole, so that a reader never sees half of one. Every event has "event" and "at" (local wall clock, ISO). Texts are masked, as
 * on a terminal. In this order:
 *
 *   version      "version" (of these events: 1), "tool_version". Always the first.
 *   started      "command", "rollout", "environments" (names)
 *   environment  "environment", "outlook", "steps": once for each, when the plan is there
 *   planned      "steps", "irreversible", "intent_digest", "resumed" (an open run goes on)
 *   then, of an apply, in the order in which they happen:
 *   progress     "step", "state" ("begins", "acts" or "note"), "text"
 *   sample       "step", "environment", "gate", "verdict", "saw", "why", "until": every look, also those that nobody is told of
 *   waits        "step", "text", "until" (null: unknown): when a wait begins, and again for each step that waits when the command ends
 *   instruct     "step", "page", "lines", "check", "ack": a person has to act or to read
 *   done         "step", "text"
 *   failed       "step", "text"
 *   summary      "exit" (130 for any signal), "name" (events_exit_name), "text"; of an apply also "steps_done", "steps_total", "until". Always the last, unless the program is killed.
 *
 * A reader has to bear with members and events that it does not know; those named here stay while "version" is 1.
 */
#pragma once
#include "core/base/sb.h"
#include "core/base/sys.h"
#include "core/base/value.h"

#define EVENTS_VERSION 1

struct events {
	/* Takes one line with its newline. NULL: nobody listens, and nothing is made. */
	void (*write)(void *ctx, const struct sb *line);
	void *ctx;
	const struct sys *sys;
};

void events_version(const struct events *e, const char *tool_version);
void events_started(const struct events *e, const char *command, const char *rollout, const char *const *env_names); /* ends with NULL */
void events_planned(const struct events *e, const struct value *plan_doc, bool is_resumed); /* environment..., planned */
/* progress, waits, done or failed; NULL is passed over. @state  of progress only, else NULL; @until_ms  of waits */
void events_step(const struct events *e, const char *event, const char *state, const char *step, const char *text, int64_t until_ms);
void events_record(const struct events *e, const struct value *record); /* of a journal: sample, and waits from a suspension; other types are passed over */
void events_instruct(const struct events *e, const char *step, const char *page, const char *const *lines, size_t line_max, const char *check, const char *ack); /* lines end with NULL or at line_max */
struct events_result {
	bool is_apply;
	size_t done, total;
	int64_t until_ms;
	const char *text;
};
void events_summary(const struct events *e, int exit_status, const struct events_result *r);

/* "done", "failed", "changes", "waiting", "gate", "refused", "locked", "usage", "bug", "out-of-memory", "interrupted", "terminated"; else "unknown". */
const char *events_exit_name(int exit_status);
