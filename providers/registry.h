/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h - all providers, in the order in which their changes follow each other within a phase.
 */
#pragma once
#include "core/api/provider.h"

extern const struct registry registry_all;
