/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drift.h - a plan in a line an environment: what `s2sctl drift` shows as text.
 */
#pragma once
#include "cmd/s2sctl/session.h"

void drift_out(struct session *s, const struct plan *p); /* to stdout */
