/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h - a case, played: the scene that core/sim drives.
 *
 * Owns the world, the people and the judge; the case is borrowed and has to outlive it.
 */
#pragma once
#include "core/sim/scene.h"
#include "providers/sim/case.h"

struct stage;
struct world;

/* NULL with err when the case's world is none. The caller frees it. */
struct stage *stage_new(const struct sim_case *c, struct err *err) MUST_USE;
void stage_free(struct stage *s);  /* NULL is fine */
void stage_freep(struct stage **s);
const struct scene *stage_scene(const struct stage *s); /* lives as long as the stage */
bool stage_person_erred(const struct stage *s); /* somebody did not do or say what they were asked to */
const struct world *stage_world(const struct stage *s);

/* The route whose base is the longest beginning of the address, applied; NULL: none. */
const char *sim_route(const struct sim_case *c, const char *url, struct arena *a);
