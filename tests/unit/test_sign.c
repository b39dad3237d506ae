/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519, keys and signatures in OpenSSH's formats. What ssh-keygen itself makes and checks: e2e/approve.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/io/file.h"
#include "core/io/ssh_key.h"
#include "core/io/ssh_wire.h"
#include "core/io/sshsig.h"

/* RFC 8032, section 7.1, TEST 2: one byte, 0x72. */
static const char seed_hex[] = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
static const char pub_hex[] = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
static const char sig_hex[] = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
			      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

static void unhex(const char *hex, unsigned char *ret)
{
	for (; *hex; hex += 2) {
		const char two[3] = { hex[0], hex[1], 0 };

		*ret++ = (unsigned char)strtoul(two, NULL, 16);
	}
}

static struct sign_key *rfc_key(void)
{
	unsigned char seed[SIGN_SEED_LEN];
	struct sign_key *k = NULL;
	struct err err = ERR_INIT;

	unhex(seed_hex, seed);
	assert_int_equal(sign_key_from_seed(seed, &k, &err), 0);
	return k;
}

static void a_signature_is_the_one_of_the_standard(void **state)
{
	CLEANUP(sign_key_freep) struct sign_key *k = rfc_key();
	unsigned char pub[32], want_pub[32], sig[64], want[64];

	(void)state;
	unhex(pub_hex, want_pub);
	unhex(sig_hex, want);
	sign_key_public(k, pub);
	assert_memory_equal(pub, want_pub, 32);
	sign_bytes(k, "\x72", 1, sig);
	assert_memory_equal(sig, want, 64);
	assert_true(sign_verify(pub, "\x72", 1, sig));
	assert_false(sign_verify(pub, "\x73", 1, sig));
	sig[63] ^= 1;
	assert_false(sign_verify(pub, "\x72", 1, sig));
}

static void base64_goes_both_ways_and_refuses_what_is_not(void **state)
{
	static const char *const bad[] = { "A",    "AB",  "ABC",  "ABC=D", "AB==CD==",
					   "A===", "AB=", "A!==", "AC==",  "AAB=AAAA" };
	CLEANUP(sb_done) struct sb out = SB_INIT(4096), back = SB_INIT(4096);
	unsigned char bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	for (size_t len = 0; len < sizeof(bytes); len++) {
		sb_reset(&out);
		sb_reset(&back);
		base64_add(&out, bytes, len, 70);
		assert_true(base64_read(&back, out.buf, out.len));
		assert_int_equal(back.len, len);
		assert_memory_equal(back.buf, bytes, len);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (base64_read(&back, bad[i], strlen(bad[i])))
			fail_msg("taken: %s", bad[i]);
}

static void an_armoured_signature_holds_for_its_message_key_and_purpose_alone(void **state)
{
	CLEANUP(sign_key_freep) struct sign_key *k = rfc_key();
	CLEANUP(sb_done) struct sb sig = SB_INIT(8192);
	unsigned char pub[32], want[32];
	struct err err = ERR_INIT;

	(void)state;
	sign_key_public(k, want);
	sshsig_add(&sig, k, "test", "message\n", 8);
	assert_int_equal(sshsig_verify(sig.buf, sig.len, "test", "message\n", 8, pub, &err), 0);
	assert_memory_equal(pub, want, 32);
	assert_int_equal(sshsig_verify(sig.buf, sig.len, "test", "message", 7, pub, &err),
			 -E_REFUSED);
	assert_non_null(strstr(err.msg, "was changed"));
	err_clear(&err);
	assert_int_equal(sshsig_verify(sig.buf, sig.len, "file", "message\n", 8, pub, &err),
			 -E_REFUSED);
	assert_non_null(strstr(err.msg, "another purpose"));
}

/* Every byte of the armour changed, and every cut: never taken, never read past its end. */
static void a_damaged_signature_is_never_taken(void **state)
{
	CLEANUP(sign_key_freep) struct sign_key *k = rfc_key();
	CLEANUP(sb_done) struct sb sig = SB_INIT(8192);
	unsigned char pub[32];
	size_t taken = 0;

	(void)state;
	sshsig_add(&sig, k, "test", "m", 1);
	for (size_t i = 0; i < sig.len; i++) {
		struct err err = ERR_INIT;
		char was = sig.buf[i], *cut = mem_strndup(sig.buf, i);

		assert_true(sshsig_verify(cut, i, "test", "m", 1, pub, &err) < 0 ||
			    i >= sig.len - 1);
		mem_free(cut);
		err_clear(&err);
		sig.buf[i] = was == 'A' ? 'B' : 'A';
		taken += sshsig_verify(sig.buf, sig.len, "test", "m", 1, pub, &err) == 0;
		sig.buf[i] = was;
	}
	/* The last newline does not belong to it. */
	assert_true(taken <= 1);
}

static int read_text(const char *text, struct sign_key **ret, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	char path[512];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/test-sign-XXXXXX", tmp ? tmp : "/tmp");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	rc = ssh_key_read(path, ret, err);
	unlink(path);
	return rc;
}

/* An OpenSSH private key of the standard's seed; `cipher` and the second check number are the test's. */
static void add_private(struct sb *out, const char *cipher, uint32_t check)
{
	CLEANUP(sb_done) struct sb blob = SB_INIT(4096), in = SB_INIT(4096), pub = SB_INIT(4096);
	unsigned char both[64], public[32];

	unhex(seed_hex, both);
	unhex(pub_hex, public);
	memcpy(both + 32, public, 32);
	ssh_public_blob(&pub, public);
	wire_add_u32(&in, 7);
	wire_add_u32(&in, check);
	wire_add_text(&in, SSH_ED25519);
	wire_add(&in, public, 32);
	wire_add(&in, both, 64);
	wire_add_text(&in, "comment");
	sb_addn(&blob, "openssh-key-v1", 15);
	wire_add_text(&blob, cipher);
	wire_add_text(&blob, "none");
	wire_add_text(&blob, "");
	wire_add_u32(&blob, 1);
	wire_add(&blob, pub.buf, pub.len);
	wire_add(&blob, in.buf, in.len);
	sb_add(out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	base64_add(out, blob.buf, blob.len, 70);
	sb_add(out, "\n-----END OPENSSH PRIVATE KEY-----\n");
}

static void private_keys_are_read_and_encrypted_ones_refused(void **state)
{
	CLEANUP(sb_done)
	struct sb good = SB_INIT(8192), locked = SB_INIT(8192), odd = SB_INIT(8192);
	struct sign_key *k = NULL;
	unsigned char pub[32], want[32];
	struct err err = ERR_INIT;

	(void)state;
	unhex(pub_hex, want);
	add_private(&good, "none", 7);
	assert_int_equal(read_text(good.buf, &k, &err), 0);
	sign_key_public(k, pub);
	assert_memory_equal(pub, want, 32);
	sign_key_free(k);
	add_private(&locked, "aes256-ctr", 7);
	assert_int_equal(read_text(locked.buf, &k, &err), -E_USAGE);
	assert_non_null(strstr(err.msg, "encrypted"));
	assert_non_null(strstr(err.hint, "ssh-keygen -Y sign"));
	err_clear(&err);
	add_private(&odd, "none", 8);
	assert_int_equal(read_text(odd.buf, &k, &err), -E_USAGE);
	err_clear(&err);
	assert_int_equal(read_text("not a key", &k, &err), -E_USAGE);
	err_clear(&err);
	sb_shrink(&good, good.len / 2);
	assert_int_equal(read_text(good.buf, &k, &err), -E_USAGE);
	assert_null(strstr(err.msg, "b3BlbnNzaC1rZXk"));
}

static void a_fingerprint_is_the_one_that_ssh_keygen_prints(void **state)
{
	unsigned char pub[32], back[32];
	char fp[SSH_FINGERPRINT_MAX];
	CLEANUP(sb_done) struct sb blob = SB_INIT(256), text = SB_INIT(256);

	(void)state;
	unhex(pub_hex, pub);
	ssh_public_blob(&blob, pub);
	base64_add(&text, blob.buf, blob.len, 0);
	assert_true(ssh_public_from_base64(text.buf, text.len, back));
	assert_memory_equal(pub, back, 32);
	assert_false(ssh_public_from_base64(text.buf, text.len - 4, back));
	/* ssh-keygen -l of this key, OpenSSH 9.2 */
	assert_string_equal(ssh_fingerprint(pub, fp),
			    "SHA256:F34nin7tcaYH6WR5LSWSfj6weFBPfBpuyUUoPFP9YjA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_is_the_one_of_the_standard),
		cmocka_unit_test(base64_goes_both_ways_and_refuses_what_is_not),
		cmocka_unit_test(an_armoured_signature_holds_for_its_message_key_and_purpose_alone),
		cmocka_unit_test(a_damaged_signature_is_never_taken),
		cmocka_unit_test(private_keys_are_read_and_encrypted_ones_refused),
		cmocka_unit_test(a_fingerprint_is_the_one_that_ssh_keygen_prints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
