/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollout_private.h - what the files behind rollout.h share. Nobody else includes it.
 *
 * rollout.c loads and merges, rollout_fields.c composes the table, rollout_conn.c finishes connections, rollout_rules.c judges what
 * no single field can know.
 */
#pragma once
#include "core/plan/rollout.h"
#include "core/plan/schema.h"

#define AUTH_BEARER "bearer"
#define AUTH_CLIENT "client_credentials"
#define AUTH_NONE "none"
#define CONN_BRIDGE "bridge"

const struct field *rollout_env_fields(const struct field *file_fields); /* of one environment */

/* The n-th connection type of the registry, duplicates (two providers naming one connection) left out; NULL past the end. */
const struct connection_type *rollout_conn_type(const struct registry *reg, size_t n);
/* Steps through all changes of all things; start with *i = 0. NULL at the end. */
const struct change_type *rollout_next_change(const struct registry *reg, size_t *i);

/* Connections are finished once per checked tree, however many environments share it. */
struct conn_finisher;
struct conn_finisher *conn_finisher_new(const struct registry *reg, struct arena *a, struct diags *d) MUST_USE;
/* Completes and judges all connections of an environment; gives the same map back for the same map. */
const struct value *conn_finish(struct conn_finisher *cf, const struct value *conns) MUST_USE;

/* All rules across fields and environments. */
void rollout_rules(struct rollout *r, struct rollout_env *envs, struct arena *a, struct diags *d);
