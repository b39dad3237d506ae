/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play.h - one case of the simulation: drawn, staged, driven, judged.
 */
#pragma once
#include "core/sim/drive.h"
#include "providers/sim/draw.h"

struct play {
	uint64_t seed;
	struct draw_options draw;
	bool calm;                          /* the user of drive.h, and no trouble but `fixed` */
	const struct trouble_fixed *fixed;  /* instead of trouble by chance */
	size_t fixed_count;
	bool values, is_told;
};
void play_case(const struct play *p, struct drive_result *ret);
/* The whole of it, for whoever has to find out why: the case, what happened, what went wrong, the journal. */
bool play_tell(const struct play *p); /* whether it is sound */
