/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.h - the Adobe Developer Console: project, credential, usages, migration.
 *
 * Wire facts come from Adobe's OpenAPI document for it ("Transporter API" 1.1.1, adobe/aio-lib-console spec/api.json) and the
 * public guides "Migrating from Service Account (JWT) credential to OAuth Server-to-Server credential" and
 * "OAuth Server-to-Server credential: implementation guide" (developer.adobe.com/developer-console/docs), read 2026-11-23.
 */
#pragma once
#include "core/api/provider.h"

extern const struct provider console_provider;
