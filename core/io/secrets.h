/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets.h - the secret source of the program: env:, file: and exec: references.
 */
#pragma once
#include "core/api/secret_source.h"
#include "core/base/sys.h"

struct secrets;
struct secrets *secrets_new(const char *base_folder, const struct sys *sys) MUST_USE; /* file: paths are relative to base_folder */
void secrets_free(struct secrets *s);
const struct secret_source *secrets_source(struct secrets *s);
