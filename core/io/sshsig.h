/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sshsig.h - detached signatures as `ssh-keygen -Y sign` makes them and `ssh-keygen -Y verify` checks them.
 *
 * A signature is bound to a namespace, so that one made for another purpose (a commit, a mail) is none here.
 * Source: PROTOCOL.sshsig of OpenSSH 9.2. Version 1; hashes sha256 and sha512; keys Ed25519.
 */
#pragma once
#include "core/base/sb.h"
#include "core/io/sign.h"

/* Adds the armoured signature of a message, "-----BEGIN SSH SIGNATURE-----" to its end and newline. */
void sshsig_add(struct sb *out, const struct sign_key *k, const char *space, const void *message, size_t len);
/*
 * Takes an armoured signature apart and checks it over the message. 0 and whose key it was; E_REFUSED with the reason.
 * Whether that key may sign is another question.
 */
int sshsig_verify(const char *armour, size_t armour_len, const char *space, const void *message, size_t len, unsigned char ret_pub[SIGN_PUBLIC_LEN], struct err *err) MUST_USE;
