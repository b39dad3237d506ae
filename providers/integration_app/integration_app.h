/* SPDX-License-Identifier: Apache-2.0 */
/*
 * integration_app.h - the self-service app "Adobe Campaign Standard integration with Microsoft Dynamics 365".
 *
 * It has no public API at all: a person reads and acts, or the bridge that the customer runs (connection "bridge").
 */
#pragma once
#include "core/api/provider.h"

extern const struct provider integration_app_provider;
