/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certs.h - the sandbox's own authority, and a certificate from it for this machine's loopback.
 *
 * The authority is made once and kept (ca.pem, ca-key.pem with mode 0600), so that a client is told
 * to trust it once. It is constrained to loopback names: whoever trusts it trusts it for nothing
 * else, even if the key leaks. The leaf is made at every start, is valid for a day of real time and
 * its key is never written down.
 */
#pragma once
#include "core/base/sb.h"
#include "core/base/err.h"

#define CERT_PEM_MAX ((size_t)16 << 10)

/*
 * Loads the authority from `dir`, or makes it when neither of its files exists; then makes a leaf.
 * A key without its certificate, a pair that does not fit, and an authority that has run out are
 * errors: making a new one silently would break whoever trusts the old.
 * @wall_ms   real time
 * @ret_cert  the leaf, PEM; whoever is to check it has the authority already
 * @ret_key   the leaf's key, PEM; the caller wipes it
 */
int certs_prepare(const char *dir, int64_t wall_ms, struct sb *ret_cert, struct sb *ret_key,
		  struct err *err) MUST_USE;
