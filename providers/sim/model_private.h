/* SPDX-License-Identifier: Apache-2.0 */
/* model_private.h - what the files of model share: the world under construction. */
#pragma once
#include "providers/sim/dice.h"
#include "providers/sim/model.h"

struct sketch {
	struct sim_case *c;
	struct arena *a;                 /* the case's */
	struct dice dice;
	const struct model_env *in;
	size_t count;
	struct sim_env *envs;
	struct value *world, *switches, *orgs, *apps, *tenants, *dynamics, *callers, *users, *consumers;
	struct value *by_client;         /* client id -> its credential in the world */
	struct sim_text *secrets;
	size_t secret_cap;
	struct sim_route *routes;
	size_t route_cap;
};

void model_set(struct sketch *s, struct value *map, const char *key, const char *text); /* NULL: nothing */
struct value *model_list(struct sketch *s, struct value *map, const char *key);
struct value *model_map(struct sketch *s, struct value *list);
/* The made-up text for a reference, the same each time; @text  what it has to be, or NULL. @present  whether it resolves from the beginning. */
const char *model_secret(struct sketch *s, const char *ref, const char *text, bool present);
const char *model_want(const struct model_env *e, const char *dotted); /* a text of the checked tree, or NULL */
const char *model_fact(const struct sketch *s, const struct model_env *e, const char *thing, const char *name); /* as a text, or NULL */
bool model_denied(const struct model_env *e, const char *thing);   /* recorded as not readable */

int model_connections(struct sketch *s, size_t i, struct err *err) MUST_USE; /* routes, callers, tokens, the organisation */
void model_project(struct sketch *s, size_t i);                    /* organization down to credential */
void model_app(struct sketch *s, size_t i);                        /* app and tenant */
