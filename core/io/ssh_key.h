/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh_key.h - keys as files and lines: private ones (PKCS#8 in PEM, OpenSSH's own format), public ones as OpenSSH writes them.
 *
 * Ed25519 only. Source: PROTOCOL.key of OpenSSH 9.2 ("openssh-key-v1"), sshd(8) for the lines.
 */
#pragma once
#include "core/base/sb.h"
#include "core/io/sign.h"

#define SSH_ED25519 "ssh-ed25519"
#define SSH_FINGERPRINT_MAX 64

/*
 * Reads a private key from a file. An encrypted one, another kind, or what is no key at all is E_USAGE with a hint; nothing of the content gets
 * into a message. What was read is wiped.
 */
int ssh_key_read(const char *path, struct sign_key **ret, struct err *err) MUST_USE;

void ssh_public_blob(struct sb *out, const unsigned char pub[SIGN_PUBLIC_LEN]); /* as it stands in keys and signatures */
/* The 32 bytes behind a blob; false: another kind of key, or damaged. */
bool ssh_public_from_blob(const void *blob, size_t len, unsigned char ret[SIGN_PUBLIC_LEN]);
/* The same from base64, as it stands in a line. */
bool ssh_public_from_base64(const char *text, size_t len, unsigned char ret[SIGN_PUBLIC_LEN]);
/* "SHA256:..." as `ssh-keygen -l` prints it. */
const char *ssh_fingerprint(const unsigned char pub[SIGN_PUBLIC_LEN], char buf[SSH_FINGERPRINT_MAX]);
