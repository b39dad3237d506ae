/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2sctl/recorded_words.h"

#include <stdio.h>
#include <unistd.h>

#include "core/base/when.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/ssh_key.h"
#include "core/io/sshsig.h"

#define SIGNATURE_MAX 65536

static const char *beside(struct session *s, const char *path)
{
	return arena_printf(&s->arena, "%s" RECORDED_SUFFIX, path);
}

int recorded_save(struct session *s, const struct recorder *r, const struct plan *p,
		  const char *path, const char *key_path)
{
	CLEANUP(sign_key_freep) struct sign_key *key = NULL;
	CLEANUP(sb_done) struct sb text = SB_INIT(RECORDED_BYTES_MAX), sig = SB_INIT(SIGNATURE_MAX);

	if (key_path && ssh_key_read(key_path, &key, &s->err) < 0)
		return -s->err.code;
	json_write(&text, recorded_document(r, p), JSON_CANONICAL, NULL);
	sb_addc(&text, '\n');
	if (file_write(path, text.buf, text.len, 0644, &s->err) < 0)
		return -s->err.code;
	if (key)
		sshsig_add(&sig, key, RECORDED_SPACE, text.buf, text.len);
	if (key && file_write(beside(s, path), sig.buf, sig.len, 0644, &s->err) < 0)
		return -s->err.code;
	if (!key) /* one that lies there is over other bytes */
		(void)unlink(beside(s, path));
	session_talkf(s, "observations written to %s%s\n", path, key ? ", and signed" : "");
	return 0;
}

int recorded_load(struct session *s, const struct recorded_words *w, struct recorded **ret)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(RECORDED_BYTES_MAX), sig = SB_INIT(SIGNATURE_MAX);
	int64_t now = sys_wall_ms(s->p->sys);
	const char *who = "nobody: its signature was not looked at";
	char when[WHEN_TEXT_MAX], age[WHEN_TEXT_MAX];
	bool is_signed = access(beside(s, w->path), F_OK) == 0;

	if (file_read(w->path, &text, &s->err) < 0 ||
	    (w->signers && is_signed && file_read(beside(s, w->path), &sig, &s->err) < 0))
		return -s->err.code;
	if (w->signers && recorded_verify(&s->arena, w->path, &text, is_signed ? &sig : NULL,
					  w->signers, w->revoked, now, &who, &s->err) < 0)
		return -s->err.code;
	if (recorded_parse(&s->arena, w->path, &text, ret, &s->err) < 0)
		return -s->err.code;
	session_talkf(s, "planned from what was recorded at %s, %s ago, signed by %s\n",
		      when_text(when, (*ret)->made_ms),
		      when_span_text(age, MAX_OF(now - (*ret)->made_ms, INT64_C(0)) / WHEN_SECOND *
						  WHEN_SECOND),
		      who);
	return 0;
}
