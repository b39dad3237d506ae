/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/ssh_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/io/ssh_wire.h"

#define FILE_MAX 16384
#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END "-----END OPENSSH PRIVATE KEY-----"

/* One block of fixed size, wiped at the end: growing would leave copies of a key behind. */
struct raw {
	char *bytes;
	size_t len;
};

static void raw_done(struct raw *r)
{
	sign_wipe(r->bytes, FILE_MAX);
	mem_free(r->bytes);
}

static void fd_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int raw_read(struct raw *r, const char *path, struct err *err)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && r->len < FILE_MAX - 1) {
		n = read(fd, r->bytes + r->len, FILE_MAX - 1 - r->len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			r->len += (size_t)n;
	}
	if (fd < 0 || n < 0)
		return err_set(err, E_IO, "cannot read key '%s': %s", path, strerror(errno));
	if (r->len == FILE_MAX - 1)
		return err_set(err, E_USAGE, "'%s' is too large for a key", path);
	return 0;
}

static int encrypted(struct err *err)
{
	err_set(err, E_USAGE, "the key is encrypted");
	return err_hint(
		err,
		"give the message out with --message, sign it by `ssh-keygen -Y sign`, add it with --signature");
}

static int not_a_key(struct err *err)
{
	err_set(err, E_USAGE, "this is no Ed25519 private key");
	return err_hint(err, "a key that `ssh-keygen -t ed25519` makes, or PKCS#8 in PEM");
}

/* The part that may be encrypted: check numbers, then kind, public, private (seed and public), comment, padding. */
static int read_private(struct wire *w, struct sign_key **ret, struct err *err)
{
	size_t len = 0, pub_len = 0;
	uint32_t one = wire_u32(w), two = wire_u32(w);
	bool is_kind = wire_is(w, SSH_ED25519);
	const unsigned char *pub = wire_string(w, &pub_len), *both = wire_string(w, &len);
	unsigned char derived[SIGN_PUBLIC_LEN];
	struct sign_key *k = NULL;

	if (w->is_bad || one != two || !is_kind || pub_len != SIGN_PUBLIC_LEN ||
	    len != SIGN_SEED_LEN + SIGN_PUBLIC_LEN)
		return not_a_key(err);
	if (sign_key_from_seed(both, &k, err) < 0)
		return -err->code;
	sign_key_public(k, derived);
	if (memcmp(derived, pub, sizeof(derived)) != 0) {
		sign_key_free(k);
		return not_a_key(err);
	}
	*ret = k;
	return 0;
}

static int read_openssh(const char *text, struct sign_key **ret, struct err *err)
{
	CLEANUP(raw_done) struct raw bytes = { mem_alloc(FILE_MAX), 0 };
	struct sb flat = { bytes.bytes, 0, FILE_MAX, FILE_MAX - 1, false }; /* never grows */
	const char *from = text + strlen(BEGIN), *to = strstr(from, END);
	struct wire w, in;
	size_t len = 0;

	if (!to || !base64_read(&flat, from, (size_t)(to - from)))
		return not_a_key(err);
	w = (struct wire){ .at = (const unsigned char *)flat.buf, .left = flat.len };
	if (!wire_literal(&w, "openssh-key-v1") || !w.left || *w.at)
		return not_a_key(err);
	w.at++;
	w.left--;
	if (!wire_is(&w, "none"))
		return w.is_bad ? not_a_key(err) : encrypted(err);
	(void)wire_is(&w, "none"); /* without a cipher there is nothing to derive */
	(void)wire_string(&w, &len);
	if (wire_u32(&w) != 1 || !wire_string(&w, &len))
		return not_a_key(err);
	in.at = wire_string(&w, &len);
	in.left = len;
	in.is_bad = !in.at;
	return read_private(&in, ret, err);
}

int ssh_key_read(const char *path, struct sign_key **ret, struct err *err)
{
	CLEANUP(raw_done) struct raw raw = { mem_alloc(FILE_MAX), 0 };
	const char *openssh;
	int rc;

	if (raw_read(&raw, path, err) < 0)
		return -err->code;
	openssh = strstr(raw.bytes, BEGIN);
	if (strstr(raw.bytes, "-----BEGIN ENCRYPTED PRIVATE KEY-----"))
		rc = encrypted(err);
	else if (openssh)
		rc = read_openssh(openssh, ret, err);
	else
		rc = sign_key_from_pem(raw.bytes, raw.len, ret, err);
	return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

void ssh_public_blob(struct sb *out, const unsigned char pub[SIGN_PUBLIC_LEN])
{
	wire_add_text(out, SSH_ED25519);
	wire_add(out, pub, SIGN_PUBLIC_LEN);
}

bool ssh_public_from_blob(const void *blob, size_t len, unsigned char ret[SIGN_PUBLIC_LEN])
{
	struct wire w = { .at = blob, .left = len };
	bool is_kind = wire_is(&w, SSH_ED25519);
	const unsigned char *pub = wire_string(&w, &len);

	if (!is_kind || !pub || len != SIGN_PUBLIC_LEN || w.left)
		return false;
	memcpy(ret, pub, SIGN_PUBLIC_LEN);
	return true;
}

bool ssh_public_from_base64(const char *text, size_t len, unsigned char ret[SIGN_PUBLIC_LEN])
{
	CLEANUP(sb_done) struct sb blob = SB_INIT(FILE_MAX);

	return base64_read(&blob, text, len) && ssh_public_from_blob(blob.buf, blob.len, ret);
}

const char *ssh_fingerprint(const unsigned char pub[SIGN_PUBLIC_LEN], char buf[SSH_FINGERPRINT_MAX])
{
	CLEANUP(sb_done) struct sb blob = SB_INIT(256), text = SB_INIT(256);
	unsigned char hash[SIGN_HASH_MAX];
	size_t n;

	ssh_public_blob(&blob, pub);
	n = sign_hash("sha256", blob.buf, blob.len, hash);
	base64_add(&text, hash, n, 0);
	while (text.len && text.buf[text.len - 1] == '=')
		sb_shrink(&text, text.len - 1);
	snprintf(buf, SSH_FINGERPRINT_MAX, "SHA256:%s", text.buf);
	return buf;
}
