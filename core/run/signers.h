/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signers.h - whose signatures count: OpenSSH's allowed-signers file, and a list of keys that count no more.
 *
 * A line: principals, options, key. Options taken: namespaces, valid-after, valid-before. cert-authority and unknown options are refused, since
 * leaving one out would let somebody sign. A time without a Z is local to a machine that nobody names: it is taken at its strictest.
 *
 * The list of revoked keys has a public key or a fingerprint ("SHA256:...") a line; `#` begins a comment.
 *
 * Source: ssh-keygen(1) of OpenSSH 9.2, "ALLOWED SIGNERS".
 */
#pragma once
#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/io/ssh_key.h"

#define SIGNERS_SPACE "s2sctl-approval" /* the namespace of signatures of ours */

struct signer {
	const char *principals; /* patterns, comma between them */
	const char *name;       /* the first of them: who it is, in messages */
	unsigned char pub[SIGN_PUBLIC_LEN];
	int64_t after, before;  /* instants in ms; 0: none */
	bool is_for_us;         /* the namespaces name the one that was asked for, or none are given */
};
struct signers {
	struct arena *arena;
	const char *path;
	const char *space;      /* the namespace that was asked for */
	struct signer *list;
	size_t count, cap;
	unsigned char (*revoked)[SIGN_PUBLIC_LEN];
	size_t revoked_count, revoked_cap;
	const char **fingerprints; /* revoked by fingerprint */
	size_t fingerprint_count, fingerprint_cap;
};

/* E_REFUSED with path and line when it says what is not understood; E_IO when it cannot be read. Lives in `a`. */
int signers_read(struct arena *a, const char *path, struct signers **ret, struct err *err) MUST_USE;
/* The same for signatures in another namespace than SIGNERS_SPACE; `space` is borrowed. */
int signers_read_for(struct arena *a, const char *path, const char *space, struct signers **ret, struct err *err) MUST_USE;
int signers_revoke(struct signers *s, const char *path, struct err *err) MUST_USE; /* adds a list */

/* Who owns the key and may sign at that instant; NULL and why not (in buf). */
const struct signer *signers_find(const struct signers *s, const unsigned char pub[SIGN_PUBLIC_LEN], int64_t at_ms, char *buf, size_t buf_len);
bool signer_is(const struct signer *s, const char *name); /* one of the principals matches; case does not matter */
