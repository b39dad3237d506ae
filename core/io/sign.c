/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/sign.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "core/base/mem.h"

struct sign_key {
	EVP_PKEY *pkey;
};

static void pkey_done(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void bio_done(BIO **b)
{
	BIO_free(*b);
}

static void md_done(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

/* Takes the key over, if it is one. */
static struct sign_key *key_new(EVP_PKEY *pkey)
{
	struct sign_key *k = mem_alloc(sizeof(*k));

	k->pkey = pkey;
	return k;
}

int sign_key_from_seed(const unsigned char seed[SIGN_SEED_LEN], struct sign_key **ret,
		       struct err *err)
{
	EVP_PKEY *p = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SIGN_SEED_LEN);

	ERR_clear_error();
	if (!p)
		return err_set(err, E_USAGE, "this is no Ed25519 key");
	*ret = key_new(p);
	return 0;
}

/* Nobody is asked for a password: there is no terminal in a pipeline, and the key's owner has better tools. */
static int no_password(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	*(bool *)arg = true;
	return -1;
}

int sign_key_from_pem(const void *pem, size_t len, struct sign_key **ret, struct err *err)
{
	bool is_encrypted = false;
	CLEANUP(bio_done) BIO *bio = BIO_new_mem_buf(pem, (int)len);
	CLEANUP(pkey_done) EVP_PKEY *p = NULL;

	if (!bio)
		mem_exhausted();
	p = PEM_read_bio_PrivateKey(bio, NULL, no_password, &is_encrypted);
	ERR_clear_error();
	if (is_encrypted) {
		err_set(err, E_USAGE, "the key is encrypted");
		return err_hint(
			err,
			"give the message out with --message, sign it by `ssh-keygen -Y sign`, add it with --signature");
	}
	if (!p || EVP_PKEY_id(p) != EVP_PKEY_ED25519) {
		err_set(err, E_USAGE, "%s",
			p ? "the key is not an Ed25519 key" : "the key cannot be read");
		return err_hint(err, "`ssh-keygen -t ed25519` makes one");
	}
	*ret = key_new(TAKE(p));
	return 0;
}

void sign_key_free(struct sign_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	mem_free(k);
}

void sign_key_freep(struct sign_key **k)
{
	sign_key_free(*k);
}

void sign_key_public(const struct sign_key *k, unsigned char ret[SIGN_PUBLIC_LEN])
{
	size_t len = SIGN_PUBLIC_LEN;

	if (!EVP_PKEY_get_raw_public_key(k->pkey, ret, &len) || len != SIGN_PUBLIC_LEN)
		mem_exhausted();
}

void sign_bytes(const struct sign_key *k, const void *bytes, size_t len,
		unsigned char ret[SIGN_LEN])
{
	CLEANUP(md_done) EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = SIGN_LEN;

	/* A key that was read signs: nothing but want of memory can make this fail. */
	if (!c || !EVP_DigestSignInit(c, NULL, NULL, NULL, k->pkey) ||
	    EVP_DigestSign(c, ret, &n, bytes, len) != 1 || n != SIGN_LEN)
		mem_exhausted();
}

bool sign_verify(const unsigned char pub[SIGN_PUBLIC_LEN], const void *bytes, size_t len,
		 const unsigned char sig[SIGN_LEN])
{
	CLEANUP(pkey_done)
	EVP_PKEY *p = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, SIGN_PUBLIC_LEN);
	CLEANUP(md_done) EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = p && c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, p) == 1 &&
		    EVP_DigestVerify(c, sig, SIGN_LEN, bytes, len) == 1;

	ERR_clear_error();
	return good;
}

size_t sign_hash(const char *name, const void *bytes, size_t len, unsigned char ret[SIGN_HASH_MAX])
{
	const EVP_MD *md = strcmp(name, "sha512") == 0 ? EVP_sha512() :
			   strcmp(name, "sha256") == 0 ? EVP_sha256() :
							 NULL;
	unsigned n = 0;

	if (!md)
		return 0;
	if (!EVP_Digest(bytes, len, ret, &n, md, NULL))
		mem_exhausted();
	return n;
}

void sign_wipe(void *bytes, size_t len)
{
	OPENSSL_cleanse(bytes, len);
}
