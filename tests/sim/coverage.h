/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.h - how often each kind of trouble came to each step. */
#pragma once
#include "tests/sim/workers.h"

int coverage_print(const struct counts *c); /* exit status: 1 for a cell that is empty and could have been hit */
