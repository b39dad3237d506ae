/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h - where each environment stands, what it waits for, since when, until when.
 *
 * The document, all instants as ISO text, members that mean nothing left out:
 * {"now", "environments": [{"name", "state": "no run" | "open" | "finished" | "abandoned" | "left" (for a way back), "direction": "back" (only of a way back), "since" (begin of the run), "steps_done",
 * "steps_total", and for an open run: "step" (the one to look at: failed, else asking, else under way, else next), "phase", "waits_for", "until",
 * "server_now" (their time at "now", as far as the journal tells: instants of the servers, which are "until", "waits_since"
 * and "at", are never compared with ours),
 * "waits_since", "asked" (the command that answers), "last_gate": {"gate", "verdict", "saw", "why", "at"}, "failure",
 * "also": [{"step", "waits_for", "waits_since", "until", "asked", "failure"}] (what else is under way)}]}
 */
#pragma once
#include "core/report/lines.h"
#include "core/run/history.h"

/* Lives in `a` and shares nodes with the history, which has to live as long. */
struct value *report_status_doc(struct arena *a, const struct history *h, const char *const *env_names, int64_t now_ms) MUST_USE; /* names end with NULL */
void report_status_text(const struct value *status_doc, const struct report_style *style, struct sb *out);
void report_status_markdown(const struct value *status_doc, struct sb *out); /* a table; harmless as in markdown.h */
