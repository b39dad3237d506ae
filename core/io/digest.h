/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h - SHA-256 as hex, by OpenSSL.
 */
#pragma once
#include "core/base/base.h"

#define DIGEST_HEX_LEN 64
void digest_hex(const void *bytes, size_t len, char ret_hex[DIGEST_HEX_LEN + 1]);
