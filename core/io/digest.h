/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h - SHA-256 as hex, by OpenSSL.
 */
#pragma once
#include "core/base/base.h"

#define DIGEST_HEX_LEN 64
void digest_hex(const void *bytes, size_t len, char ret_hex[DIGEST_HEX_LEN + 1]);

/* The same of a text that comes in pieces. digest_end frees. */
struct digest;
struct digest *digest_new(void) MUST_USE;
void digest_add(struct digest *d, const void *bytes, size_t len);
void digest_end(struct digest *d, char ret_hex[DIGEST_HEX_LEN + 1]);
