/* SPDX-License-Identifier: Apache-2.0 */
/*
 * things.h - the parts of the console provider, one file each; console.c lists them.
 */
#pragma once
#include "core/api/provider.h"

extern const struct thing_type console_project, console_credential, console_client,
	console_certificate, console_migration, console_secret, console_usage;
extern const struct gate_type gate_app_uses_oauth, gate_jwt_quiet, gate_still_started,
	gate_still_mints, gate_app_uses_jwt, gate_oauth_quiet, gate_still_mints_jwt;
