/* SPDX-License-Identifier: Apache-2.0 */
/*
 * junit.h - steps, gates, findings and approvals as test cases, for services that count those.
 *
 * A suite an environment, one more for what belongs to none. A refused finding is a failure, an environment that could not be read an error,
 * what has not been tried or waits is skipped with the reason; a gate that passed and a step that is done are cases that passed, with the evidence as their output.
 * XML 1.0; there is no official schema, readers agree on testsuites, testsuite, testcase, failure, error, skipped, system-out.
 */
#pragma once
#include "core/report/formats.h"

void report_junit(const struct report *r, const struct report_options *o, struct sb *out);
