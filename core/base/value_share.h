/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_share.h - a copy of a tree in which what is equal exists once.
 *
 * The plan of a fleet says the same of every environment: its gates, their limits, what each step is for. Such a copy holds that, and each
 * key, a single time. Positions in a file are lost. Nobody may change a node of it, since a change would show everywhere.
 */
#pragma once
#include "core/base/value.h"

struct value *value_copy_sharing(struct arena *a, const struct value *v) MUST_USE; /* in `a`; secrets as in value_copy */
