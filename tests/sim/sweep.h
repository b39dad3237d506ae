/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep.h - the main rollout, and its way back, with everything that can go wrong once, everywhere.
 *
 * It is played without trouble first, which tells how many exchanges, journal records and stored secrets it has. Then once for each of them and each kind of
 * trouble there: it must come to the same end. A way back begins when the app has been switched and restarted; nothing goes wrong before.
 */
#pragma once
#include "providers/sim/draw.h"

struct draw_options sweep_draw(enum draw_kind kind, bool back); /* nobody else acts, and people are good */
/* Exit status. @kind  DRAW_ANYTHING: forward and back of both of the others, one after the other */
int sweep(enum draw_kind kind, bool back, unsigned jobs);
