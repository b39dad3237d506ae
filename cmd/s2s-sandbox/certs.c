/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2s-sandbox/certs.h"

#include "core/base/when.h"
#include "core/io/file.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#define CA_DAYS 3650
#define LEAF_DAYS 1
/* A client whose clock is a little behind ours must not find a certificate from the future. */
#define BACKDATE_MS WHEN_HOUR

struct extension {
	int nid;
	const char *value;
};

static const struct extension ca_extensions[] = {
	{ NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
	{ NID_key_usage, "critical,keyCertSign,cRLSign" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_authority_key_identifier, "keyid:always" },
	{ NID_name_constraints, "critical,permitted;DNS:localhost"
				",permitted;IP:127.0.0.0/255.0.0.0"
				",permitted;IP:0:0:0:0:0:0:0:1"
				"/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF" },
};

static const struct extension leaf_extensions[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "critical,digitalSignature" },
	{ NID_ext_key_usage, "serverAuth" },
	{ NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_authority_key_identifier, "keyid:always" },
};

struct pair {
	EVP_PKEY *key;
	X509 *cert;
};

static void pair_done(struct pair *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	p->key = NULL;
	p->cert = NULL;
}

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

static void pkey_ctx_freep(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}

static void bignum_freep(BIGNUM **n)
{
	BN_free(*n);
}

static void wipe_sb(struct sb *s)
{
	if (s->cap)
		OPENSSL_cleanse(s->buf, s->cap);
	sb_done(s);
}

static int openssl_failed(struct err *err, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return err_set(err, E_IO, "%s: %s", what, reason ? reason : "OpenSSL gives no reason");
}

static int make_key(EVP_PKEY **ret, struct err *err)
{
	CLEANUP(pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *key = NULL;

	if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) <= 0 ||
	    EVP_PKEY_keygen(ctx, &key) <= 0)
		return openssl_failed(err, "cannot make a P-256 key");
	*ret = key;
	return 0;
}

static bool set_serial(X509 *cert)
{
	CLEANUP(bignum_freep) BIGNUM *n = BN_new();

	/* 127 random bits below a leading one: positive, and never twice for one authority. */
	return n && BN_rand(n, 128, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
	       BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
}

static bool set_span(X509 *cert, int64_t wall_ms, int64_t days)
{
	int64_t from = (wall_ms - BACKDATE_MS) / WHEN_SECOND;
	int64_t to = (wall_ms + days * WHEN_DAY) / WHEN_SECOND;

	return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)from) &&
	       ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)to);
}

static bool add_extensions(X509 *cert, X509 *issuer, const struct extension *list, size_t count)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	for (size_t i = 0; i < count; i++) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, list[i].nid, list[i].value);
		bool added = e && X509_add_ext(cert, e, -1);

		X509_EXTENSION_free(e);
		if (!added)
			return false;
	}
	return true;
}

static bool set_name(X509 *cert, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					  (const unsigned char *)common_name, -1, -1, 0);
}

/* Signed by `ca`, or by itself when that is NULL. */
static int make_cert(const struct pair *ca, EVP_PKEY *key, int64_t wall_ms, X509 **ret,
		     struct err *err)
{
	const struct extension *list = ca ? leaf_extensions : ca_extensions;
	size_t count = ca ? ARRAY_LEN(leaf_extensions) : ARRAY_LEN(ca_extensions);
	X509 *cert = X509_new();
	X509 *issuer = ca ? ca->cert : cert;

	if (!cert || !X509_set_version(cert, 2) || !set_serial(cert) ||
	    !set_span(cert, wall_ms, ca ? LEAF_DAYS : CA_DAYS) ||
	    !set_name(cert, ca ? "localhost" : "s2s-sandbox authority (loopback only)") ||
	    !X509_set_issuer_name(cert, X509_get_subject_name(issuer)) ||
	    !X509_set_pubkey(cert, key) || !add_extensions(cert, issuer, list, count) ||
	    !X509_sign(cert, ca ? ca->key : key, EVP_sha256())) {
		X509_free(cert);
		return openssl_failed(err, "cannot make a certificate");
	}
	*ret = cert;
	return 0;
}

/* Adds PEM text to out; one of the two is given. */
static int add_pem(struct sb *out, X509 *cert, EVP_PKEY *key, struct err *err)
{
	CLEANUP(bio_freep) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (!bio || (cert && !PEM_write_bio_X509(bio, cert)) ||
	    (key && !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)))
		return openssl_failed(err, "cannot write PEM");
	len = BIO_get_mem_data(bio, &text);
	sb_addn(out, text, (size_t)len);
	if (key)
		OPENSSL_cleanse(text, (size_t)len);
	return out->over ? err_set(err, E_IO, "a PEM text is too long") : 0;
}

static int load_authority(const char *cert_path, const char *key_path, int64_t wall_ms,
			  struct pair *ca, struct err *err)
{
	CLEANUP(sb_done) struct sb cert_text = SB_INIT(CERT_PEM_MAX);
	CLEANUP(wipe_sb) struct sb key_text = SB_INIT(CERT_PEM_MAX);
	CLEANUP(bio_freep) BIO *cert_bio = NULL;
	CLEANUP(bio_freep) BIO *key_bio = NULL;
	time_t soon = (time_t)((wall_ms + LEAF_DAYS * WHEN_DAY) / WHEN_SECOND);
	int r = file_read(cert_path, &cert_text, err);

	if (r == 0)
		r = file_read(key_path, &key_text, err);
	if (r < 0) {
		err_wrap(err, "authority");
		return err_hint(err, "remove both files to have a new authority made");
	}
	cert_bio = BIO_new_mem_buf(cert_text.buf, (int)cert_text.len);
	key_bio = BIO_new_mem_buf(key_text.buf, (int)key_text.len);
	if (cert_bio && key_bio) {
		ca->cert = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);
		ca->key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
	}
	if (!ca->cert || !ca->key || !X509_check_private_key(ca->cert, ca->key)) {
		openssl_failed(err, "authority: certificate and key cannot be read, or do not fit");
		return err_hint(err, "remove '%s' and '%s' to have a new one made", cert_path,
				key_path);
	}
	if (X509_cmp_time(X509_get0_notAfter(ca->cert), &soon) <= 0) {
		err_set(err, E_IO, "authority '%s' has run out", cert_path);
		return err_hint(err, "remove '%s' and '%s' to have a new one made", cert_path,
				key_path);
	}
	return 0;
}

static int make_authority(const char *cert_path, const char *key_path, int64_t wall_ms,
			  struct pair *ca, struct err *err)
{
	CLEANUP(sb_done) struct sb cert_text = SB_INIT(CERT_PEM_MAX);
	CLEANUP(wipe_sb) struct sb key_text = SB_INIT(CERT_PEM_MAX);
	int r = make_key(&ca->key, err);

	if (r == 0)
		r = make_cert(NULL, ca->key, wall_ms, &ca->cert, err);
	if (r == 0)
		r = add_pem(&cert_text, ca->cert, NULL, err);
	if (r == 0)
		r = add_pem(&key_text, NULL, ca->key, err);
	/* The key first: killed in between, the next start says so. */
	if (r == 0)
		r = file_write(key_path, key_text.buf, key_text.len, 0600, err);
	if (r == 0)
		r = file_write(cert_path, cert_text.buf, cert_text.len, 0644, err);
	return r < 0 ? err_wrap(err, "authority") : 0;
}

int certs_prepare(const char *dir, int64_t wall_ms, struct sb *ret_cert, struct sb *ret_key,
		  struct err *err)
{
	CLEANUP(pair_done) struct pair ca = { NULL, NULL };
	CLEANUP(pair_done) struct pair leaf = { NULL, NULL };
	CLEANUP(sb_done) struct sb cert_path = SB_INIT(4096);
	CLEANUP(sb_done) struct sb key_path = SB_INIT(4096);
	int r;

	sb_addf(&cert_path, "%s/ca.pem", dir);
	sb_addf(&key_path, "%s/ca-key.pem", dir);
	if (access(cert_path.buf, F_OK) < 0 && access(key_path.buf, F_OK) < 0)
		r = make_authority(cert_path.buf, key_path.buf, wall_ms, &ca, err);
	else
		r = load_authority(cert_path.buf, key_path.buf, wall_ms, &ca, err);
	if (r == 0)
		r = make_key(&leaf.key, err);
	if (r == 0)
		r = make_cert(&ca, leaf.key, wall_ms, &leaf.cert, err);
	if (r == 0)
		r = add_pem(ret_cert, leaf.cert, NULL, err);
	if (r == 0)
		r = add_pem(ret_key, NULL, leaf.key, err);
	return r;
}
