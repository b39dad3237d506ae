/* SPDX-License-Identifier: Apache-2.0 */
/*
 * small_scene.h - one environment on JWT in a world of twins, as a scene without a judge: for tests of what drives simulations.
 *
 * Every call of the scene is counted, so that a test can say that after a kill nothing more came.
 */
#pragma once
#include "core/sim/scene.h"
#include "providers/world.h"

struct small_scene {
	struct scene scene;
	struct world *world;
	struct arena arena;
	unsigned answers, texts, begins, ends, kills, persons, settled, backs;
	int exit_status, planned_status;
	const char *verdict;      /* what it says; NULL: sound */
	const char *seen_secret;  /* a channel other than a request that held the word SMALL_SECRET */
};
#define SMALL_SECRET "fake-new-secret"
#define SMALL_START INT64_C(1795420800000) /* 2026-11-23T08:00:00Z */

extern const char small_rollout[];  /* finalize by API, everything else by the bridge, gates at their least */
void small_scene_init(struct small_scene *s);
void small_scene_done(struct small_scene *s);
