/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/digest.h"

#include <openssl/evp.h>

#include "core/base/mem.h"

struct digest {
	EVP_MD_CTX *ctx;
};

static void to_hex(const unsigned char *sum, unsigned n, char ret_hex[DIGEST_HEX_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = 0; i < n; i++) {
		ret_hex[2 * i] = hex[sum[i] >> 4];
		ret_hex[2 * i + 1] = hex[sum[i] & 15];
	}
	ret_hex[DIGEST_HEX_LEN] = '\0';
}

/* Nothing but want of memory can make any of this fail. */

/* EVP_sha256() is a name only, which each use would look up again; kept until the process ends. */
static const EVP_MD *sha256(void)
{
	static EVP_MD *md;

	if (!md)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!md)
		mem_exhausted();
	return md;
}

void digest_hex(const void *bytes, size_t len, char ret_hex[DIGEST_HEX_LEN + 1])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!EVP_Digest(bytes, len, sum, &n, sha256(), NULL) || n != DIGEST_HEX_LEN / 2)
		mem_exhausted();
	to_hex(sum, n, ret_hex);
}

struct digest *digest_new(void)
{
	struct digest *d = mem_alloc(sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || !EVP_DigestInit_ex(d->ctx, sha256(), NULL))
		mem_exhausted();
	return d;
}

void digest_add(struct digest *d, const void *bytes, size_t len)
{
	if (!EVP_DigestUpdate(d->ctx, bytes, len))
		mem_exhausted();
}

void digest_end(struct digest *d, char ret_hex[DIGEST_HEX_LEN + 1])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!EVP_DigestFinal_ex(d->ctx, sum, &n) || n != DIGEST_HEX_LEN / 2)
		mem_exhausted();
	EVP_MD_CTX_free(d->ctx);
	mem_free(d);
	to_hex(sum, n, ret_hex);
}
