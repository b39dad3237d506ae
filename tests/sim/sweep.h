/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep.h - the main rollout, with everything that can go wrong once, everywhere.
 *
 * It is played without trouble first, which tells how many exchanges, journal records and stored secrets it has. Then once for each of them and each kind of
 * trouble there: it must come to the same end.
 */
#pragma once
#include "providers/sim/draw.h"

struct draw_options sweep_draw(enum draw_kind kind); /* nobody else acts, and people are good */
/* Exit status. @kind  DRAW_ANYTHING: both of the others, one after the other */
int sweep(enum draw_kind kind, unsigned jobs);
