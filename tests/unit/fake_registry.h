/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_registry.h - a registry without a vendor, for tests of core.
 *
 * One provider "shop". Connections: `shop` (required, bearer or client_credentials, token from `till`), `till` (has a default address and no sign-in),
 * `bridge` (bearer). Sections: `project`, `credential` (required), `app`, `stock` (every kind of field). Things: `shop.order` with
 * changes `open` (capability open: operator, bridge) and `close` (capability close: operator, api, no default), `shop.shelf` with
 * `fill` (capability open too: operator, bridge, api). Gate: `quiet` (cadence 10m, deadline 2d, `window` at least 24h).
 *
 * Nothing in it acts: calls are NULL.
 */
#pragma once
#include "core/api/provider.h"
#include "core/base/sys.h"

extern const struct registry fake_registry;

/* A system whose environment is the given "NAME=value" list (ends with NULL); clocks stand still. */
struct fake_env {
	const char *const *vars;
	unsigned reads; /* calls of getenv */
};
struct sys fake_sys(struct fake_env *env);

/* A file that is right: environments dev and prod, every section used. */
extern const char fake_rollout_text[];
