/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt.h - the summary of a finished run, made from the journal's fold alone, so that whoever has the journal can make it again and compare.
 *
 * {run, rollout_digest, plan_digest, intent_digest, began_ms, steps: {address: {result, how, by, acted_ms, done_ms,
 * gates: [{environment, gate, verdict, samples, first_ms, last_ms, by}]}}}. Times are evidence times (the servers'). `by` names the person on whose
 * word it rests, and is left out where a machine saw it. The record in the journal also holds `head`, the hash of the record before it, and `now_ms`.
 */
#pragma once
#include "core/run/history.h"

/* SHA-256 of a plan as it stands in a journal: canonical JSON, redacted. */
void receipt_plan_digest(const struct value *plan, char ret_hex[65]);
struct value *receipt_make(struct arena *a, const struct past_run *r) MUST_USE;
/* What of the run's receipt is not what its records give: "steps", "plan_digest" ...; NULL: all agrees. */
const char *receipt_differs(struct arena *a, const struct past_run *r) MUST_USE;
