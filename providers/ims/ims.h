/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ims.h - Adobe IMS: the token of the credential that is being migrated.
 *
 * Wire facts: guides "OAuth Server-to-Server credential: implementation" and its IMS page (developer.adobe.com/developer-console/docs),
 * adobe/aio-lib-ims src/ims.js for /ims/profile/v1, Campaign Standard API troubleshooting page for 403023. Read 2026-11-23.
 */
#pragma once
#include "core/api/provider.h"

extern const struct provider ims_provider;
