/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_digest.h - the digests of a plan, computed from its document alone.
 *
 * saved.c computes the same while it makes a document; whoever reads one computes them anew and believes nothing that is written there. All of
 * them are SHA-256 over canonical JSON: keys sorted by bytes, whole numbers in digits, no locale.
 */
#pragma once
#include "core/api/provider.h"

/* What approval binds to: steps, identities, gates, thresholds. */
void plan_intent_of(const struct value *doc, char ret_hex[65]);
/* What freshness binds to: facts of class identity and state, by the registry. */
void plan_observed_of(const struct value *doc, const struct registry *reg, char ret_hex[65]);
/* The whole document without its member document_digest. */
void plan_document_of(const struct value *doc, char ret_hex[65]);
/* The facts of one environment of a document that freshness binds to: map "thing.fact" -> value, borrowing from doc; in `a`. */
struct value *plan_facts_of(const struct value *env, const struct registry *reg, struct arena *a) MUST_USE;
/* E_REFUSED when a digest that is written there is not what the document gives. */
int plan_digests_check(const struct value *doc, const struct registry *reg, struct err *err) MUST_USE;
