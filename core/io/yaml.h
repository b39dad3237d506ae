/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml.h - a YAML file to values, every node with its position. The only file that names libyaml.
 *
 * All scalars become VAL_STRING (an empty plain scalar, `~` and `null` in plain style: VAL_NULL). Anchors, aliases and merge keys (`<<`, one map or a
 * list of maps; keys written in the map itself win, earlier merged maps win over later ones) are resolved; a merged or aliased value keeps the
 * position where it was written. Aliases share nodes, and what they would expand to is counted against `nodes`.
 * Errors: duplicate keys, a second document, non-scalar keys, tags other than !!str/!!map/!!seq core ones, the limits (named in the message).
 */
#pragma once
#include "core/base/diags.h"
#include "core/base/value.h"

struct yaml_limits {
	size_t bytes, depth, nodes; /* 0: the defaults, 64 MiB, 64, 4,000,000 nodes after expansion of aliases */
};
/*
 * Mistakes that do not stop reading (duplicate keys) go to diags; what does stop it (syntax, limits) is added too and -1 is returned.
 * @name  for positions: borrowed for the arena's life.
 */
int yaml_parse(struct arena *a, const char *name, const char *text, size_t len, const struct yaml_limits *limits, struct value **ret, struct diags *diags) MUST_USE;
