/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/sshsig.h"

#include <string.h>

#include "core/io/ssh_key.h"
#include "core/io/ssh_wire.h"

#define MAGIC "SSHSIG"
#define BEGIN "-----BEGIN SSH SIGNATURE-----"
#define END "-----END SSH SIGNATURE-----"
#define COLUMNS 70
#define BLOB_MAX 8192

/* What is really signed: never the message itself, but its hash, with the namespace in front. */
static void add_signed(struct sb *out, const char *space, const char *hash_name,
		       const void *message, size_t len)
{
	unsigned char hash[SIGN_HASH_MAX];
	size_t n = sign_hash(hash_name, message, len, hash);

	sb_add(out, MAGIC);
	wire_add_text(out, space);
	wire_add_text(out, "");
	wire_add_text(out, hash_name);
	wire_add(out, hash, n);
}

void sshsig_add(struct sb *out, const struct sign_key *k, const char *space, const void *message,
		size_t len)
{
	CLEANUP(sb_done) struct sb data = SB_INIT(BLOB_MAX), blob = SB_INIT(BLOB_MAX);
	CLEANUP(sb_done) struct sb key = SB_INIT(BLOB_MAX), sig = SB_INIT(BLOB_MAX);
	unsigned char pub[SIGN_PUBLIC_LEN], raw[SIGN_LEN];

	add_signed(&data, space, "sha512", message, len);
	sign_bytes(k, data.buf, data.len, raw);
	sign_key_public(k, pub);
	ssh_public_blob(&key, pub);
	wire_add_text(&sig, SSH_ED25519);
	wire_add(&sig, raw, sizeof(raw));
	sb_add(&blob, MAGIC);
	wire_add_u32(&blob, 1);
	wire_add(&blob, key.buf, key.len);
	wire_add_text(&blob, space);
	wire_add_text(&blob, "");
	wire_add_text(&blob, "sha512");
	wire_add(&blob, sig.buf, sig.len);
	sb_add(out, BEGIN "\n");
	base64_add(out, blob.buf, blob.len, COLUMNS);
	sb_add(out, "\n" END "\n");
}

static int damaged(struct err *err)
{
	return err_set(err, E_REFUSED,
		       "the signature is damaged, or not of Ed25519 in OpenSSH's form");
}

struct parts {
	const unsigned char *key, *sig;
	size_t key_len, sig_len;
	const char *hash_name;
};

static int take_apart(struct wire w, const char *space, struct parts *ret, struct err *err)
{
	size_t len, space_len;
	const unsigned char *hash, *in;
	struct wire sig;

	if (!wire_literal(&w, MAGIC) || wire_u32(&w) != 1)
		return damaged(err);
	ret->key = wire_string(&w, &ret->key_len);
	in = wire_string(&w, &space_len);
	(void)wire_string(&w, &len); /* reserved: whatever it says, it is not signed */
	hash = wire_string(&w, &len);
	if (!ret->key || !in || !hash)
		return damaged(err);
	if (space_len != strlen(space) || memcmp(in, space, space_len) != 0)
		return err_set(err, E_REFUSED,
			       "the signature was made for another purpose than '%s'", space);
	ret->hash_name = len == 6 && memcmp(hash, "sha512", 6) == 0 ? "sha512" :
			 len == 6 && memcmp(hash, "sha256", 6) == 0 ? "sha256" :
								      NULL;
	sig.at = wire_string(&w, &sig.left);
	sig.is_bad = !sig.at;
	if (!ret->hash_name || w.left || !wire_is(&sig, SSH_ED25519))
		return damaged(err);
	ret->sig = wire_string(&sig, &ret->sig_len);
	return ret->sig && ret->sig_len == SIGN_LEN && !sig.left ? 0 : damaged(err);
}

int sshsig_verify(const char *armour, size_t armour_len, const char *space, const void *message,
		  size_t len, unsigned char ret_pub[SIGN_PUBLIC_LEN], struct err *err)
{
	CLEANUP(sb_done) struct sb blob = SB_INIT(BLOB_MAX), data = SB_INIT(BLOB_MAX);
	const char *from = armour_len ? memmem(armour, armour_len, BEGIN, strlen(BEGIN)) : NULL;
	const char *end = armour + armour_len, *to;
	unsigned char pub[SIGN_PUBLIC_LEN];
	struct parts p = { 0 };

	if (!from)
		return damaged(err);
	from += strlen(BEGIN);
	to = memmem(from, (size_t)(end - from), END, strlen(END));
	if (!to || !base64_read(&blob, from, (size_t)(to - from)))
		return damaged(err);
	if (take_apart((struct wire){ .at = (const unsigned char *)blob.buf, .left = blob.len },
		       space, &p, err) < 0)
		return -err->code;
	if (!ssh_public_from_blob(p.key, p.key_len, pub))
		return damaged(err);
	add_signed(&data, space, p.hash_name, message, len);
	if (!sign_verify(pub, data.buf, data.len, p.sig))
		return err_set(err, E_REFUSED,
			       "the signature does not fit: what was signed was changed");
	memcpy(ret_pub, pub, sizeof(pub));
	return 0;
}
