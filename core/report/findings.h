/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings.h - what was found, for programs that show it beside the line of a file.
 *
 * Findings of a rollout file stand at their line and column; those of an environment, a policy or a step at the first line of the rollout file when
 * the document says no other place, with the environment's name. Texts are masked and cut (CUT_TEXT), rules are cut (CUT_NAME).
 *
 * report_sarif    OASIS SARIF 2.1.0: rules with their words, results with place and fingerprint. What SARIF would take for a link is broken up.
 * report_github   workflow commands, one a line, and nothing else: `%`, CR and LF are encoded in messages, `:` and `,` in properties too. Nothing from
 *                 outside starts a line. A job that has said `::stop-commands::` has to resume commands first.
 *                 Source: docs.github.com, "Workflow commands for GitHub Actions", read 2026-11-23.
 * report_gitlab   a Code Quality report. Source: docs.gitlab.com, "Code Quality", section "Report format", read 2026-11-23.
 *
 * A fingerprint covers rule, file, environment, step and text, not the line: lines above a finding may come and go.
 */
#pragma once
#include "core/report/formats.h"

void report_sarif(const struct report *r, const struct report_options *o, struct sb *out);
void report_github(const struct report *r, const struct report_options *o, struct sb *out);
void report_gitlab(const struct report *r, const struct report_options *o, struct sb *out);
