/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings_private.h - what the files behind findings.h share. Nobody else includes it.
 */
#pragma once
#include "core/io/digest.h"
#include "core/report/findings.h"

/* Masked and cut texts in the arena of whoever asks. */
const char *finding_rule(struct arena *a, const struct report_finding *f);    /* never empty */
const char *finding_message(struct arena *a, const struct report_finding *f); /* "dev: text" */
const char *finding_hint(struct arena *a, const struct report_finding *f);    /* may be empty */
const char *finding_path(struct arena *a, const struct report_finding *f);    /* without a leading "./"; never empty */

/* A fingerprint of findings in their order: equal ones are told apart by their number. */
struct fingerprints {
	struct arena *arena;
	struct value *seen;
};
const char *finding_fingerprint(struct fingerprints *p, const struct report_finding *f);
