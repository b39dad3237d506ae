/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person.h - the people whom the tool asks.
 *
 * They read the instruction, not the tool's mind: project, page, instance, client id, reference are taken from its words; they act by the pages'
 * forms, and read what the pages show, with their precision and lag. What needs time (a restart) they do in the world's time.
 * How they are is the case's: slow, silent, careless, coarse.
 */
#pragma once
#include "core/sim/scene.h"
#include "providers/sim/case.h"

struct world;
struct judge;
struct person;

/* Borrows all. The caller frees it. @j  told when a person errs, or is in the middle of something; may be NULL */
struct person *person_new(struct world *w, const struct sim_case *c, struct judge *j) MUST_USE;
void person_free(struct person *p); /* NULL is fine */

/* As scene.person. */
bool person_asked(struct person *p, const char *address, const struct instruction *in, struct scene_says *ret, struct arena *a);
bool person_has_erred(const struct person *p); /* at least once, as the case's numbers have it */
int64_t person_next(const struct person *p); /* when one does something next, by themselves; INT64_MAX: not until asked */
void person_act(struct person *p);           /* whatever is due at the world's time */
