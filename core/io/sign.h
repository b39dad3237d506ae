/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign.h - Ed25519 signatures and the hashes that go with them, by OpenSSL. Keys' file formats: ssh_key.h; signatures': sshsig.h.
 *
 * Source: RFC 8032 (Ed25519), RFC 8410 (its PKCS#8 form).
 */
#pragma once
#include "core/base/err.h"

#define SIGN_PUBLIC_LEN 32
#define SIGN_SEED_LEN 32
#define SIGN_LEN 64
#define SIGN_HASH_MAX 64

struct sign_key; /* a private key; the library holds it, and wipes it when it is freed */

/* From its 32 bytes (RFC 8032's private key). The bytes are copied. */
int sign_key_from_seed(const unsigned char seed[SIGN_SEED_LEN], struct sign_key **ret, struct err *err) MUST_USE;
/* From PKCS#8 in PEM, not encrypted. E_USAGE with a hint for anything else. */
int sign_key_from_pem(const void *pem, size_t len, struct sign_key **ret, struct err *err) MUST_USE;
void sign_key_free(struct sign_key *k); /* NULL is fine */
void sign_key_freep(struct sign_key **k);
void sign_key_public(const struct sign_key *k, unsigned char ret[SIGN_PUBLIC_LEN]);

void sign_bytes(const struct sign_key *k, const void *bytes, size_t len, unsigned char ret[SIGN_LEN]);
bool sign_verify(const unsigned char pub[SIGN_PUBLIC_LEN], const void *bytes, size_t len, const unsigned char sig[SIGN_LEN]);

/* "sha256" or "sha512"; the number of bytes in ret, 0: no such hash here. */
size_t sign_hash(const char *name, const void *bytes, size_t len, unsigned char ret[SIGN_HASH_MAX]);
void sign_wipe(void *bytes, size_t len); /* what held a private key */
