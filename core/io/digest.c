/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/digest.h"

#include <openssl/evp.h>

#include "core/base/mem.h"

void digest_hex(const void *bytes, size_t len, char ret_hex[DIGEST_HEX_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	/* Nothing but want of memory can make this fail. */
	if (!EVP_Digest(bytes, len, sum, &n, EVP_sha256(), NULL) || n != DIGEST_HEX_LEN / 2)
		mem_exhausted();
	for (unsigned i = 0; i < n; i++) {
		ret_hex[2 * i] = hex[sum[i] >> 4];
		ret_hex[2 * i + 1] = hex[sum[i] & 15];
	}
	ret_hex[DIGEST_HEX_LEN] = '\0';
}
