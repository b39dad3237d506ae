/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "cmd/s2sctl/plan_words.h"
#include "core/base/when.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/sshsig.h"

#define VALID_FOR (7 * WHEN_DAY)
#define SMALL_MAX ((size_t)1 << 20)
#define ALL_MAX ((size_t)64 << 20)

struct words_of {
	const char *key, *until, *out, *message, *signature;
	struct opt_list steps;
};

/* "2026-12-01T00:00:00Z", or a span from now on. */
static int read_until(struct session *s, const char *text, int64_t now, int64_t *ret)
{
	struct err span = ERR_INIT;
	int64_t ms;

	*ret = now + VALID_FOR;
	if (!text)
		return 0;
	if (when_parse_span(text, &ms, &span) == 0)
		*ret = now + ms;
	else if (when_parse(text, ret, NULL, &s->err) < 0)
		return err_wrap(&s->err, "--until");
	if (*ret <= now)
		return err_set(&s->err, E_USAGE, "--until '%s' is over already", text);
	return 0;
}

/* Behind what is there; whole and at once, so that nobody ever reads half a line. */
static int append(struct session *s, const char *path, const struct value *line)
{
	CLEANUP(sb_done) struct sb all = SB_INIT(ALL_MAX);

	if (access(path, F_OK) == 0 && file_read(path, &all, &s->err) < 0)
		return -s->err.code;
	if (all.len && all.buf[all.len - 1] != '\n')
		sb_addc(&all, '\n');
	json_write(&all, line, JSON_CANONICAL, NULL);
	sb_addc(&all, '\n');
	return file_write(path, all.buf, all.len, 0644, &s->err);
}

static int make(struct session *s, const struct plan_file *f, const struct words_of *w,
		struct value **ret)
{
	int64_t now = sys_wall_ms(s->p->sys) / WHEN_SECOND * WHEN_SECOND, until;

	if (read_until(s, w->until, now, &until) < 0)
		return -s->err.code;
	return approval_statement(&s->arena, f->doc, s->common.env.items, w->steps.items, now,
				  until, ret, &s->err);
}

static int sign(struct session *s, const struct plan_file *f, const struct words_of *w)
{
	CLEANUP(sign_key_freep) struct sign_key *key = NULL;
	CLEANUP(sb_done) struct sb message = SB_INIT(SMALL_MAX), sig = SB_INIT(SMALL_MAX);
	unsigned char pub[SIGN_PUBLIC_LEN];
	char fp[SSH_FINGERPRINT_MAX];
	struct value *st = NULL;

	if (make(s, f, w, &st) < 0 || ssh_key_read(w->key, &key, &s->err) < 0)
		return -s->err.code;
	approval_message(st, &message);
	sshsig_add(&sig, key, SIGNERS_SPACE, message.buf, message.len);
	if (append(s, w->out, approval_line(&s->arena, st, sig.buf)) < 0)
		return -s->err.code;
	sign_key_public(key, pub);
	session_talkf(s, "approved with %s until %s: %s\n", ssh_fingerprint(pub, fp),
		      value_text_or(value_get(st, "until"), "?"), w->out);
	return 0;
}

static int give_out(struct session *s, const struct plan_file *f, const struct words_of *w)
{
	CLEANUP(sb_done) struct sb message = SB_INIT(SMALL_MAX);
	struct value *st = NULL;

	if (make(s, f, w, &st) < 0)
		return -s->err.code;
	approval_message(st, &message);
	if (file_write(w->message, message.buf, message.len, 0644, &s->err) < 0)
		return -s->err.code;
	session_talkf(s,
		      "sign it:   ssh-keygen -Y sign -f KEY -n " SIGNERS_SPACE " %s\n"
		      "and then:  s2sctl approve %s --message %s --signature %s.sig\n",
		      w->message, f->path, w->message, w->message);
	return 0;
}

/* A signature made elsewhere. It must fit its message, and the message this plan; who made it is judged by verify and apply. */
static int take_in(struct session *s, const struct plan_file *f, const struct words_of *w)
{
	CLEANUP(sb_done)
	struct sb message = SB_INIT(SMALL_MAX), sig = SB_INIT(SMALL_MAX),
		  again = SB_INIT(SMALL_MAX);
	unsigned char pub[SIGN_PUBLIC_LEN];
	struct value *st = NULL;

	if (file_read(w->message, &message, &s->err) < 0 ||
	    file_read(w->signature, &sig, &s->err) < 0 ||
	    json_parse(&s->arena, message.buf, message.len, NULL, NULL, NULL, &st, &s->err) < 0)
		return -s->err.code;
	approval_message(st, &again);
	if (strcmp(again.buf, message.buf) != 0 ||
	    strcmp(value_text_or(value_get(st, "intent_digest"), ""),
		   value_text_or(value_get(f->doc, "intent_digest"), "?")) != 0)
		return err_set(&s->err, E_REFUSED, "'%s' is no approval of '%s'", w->message,
			       f->path);
	if (sshsig_verify(sig.buf, sig.len, SIGNERS_SPACE, message.buf, message.len, pub, &s->err) <
	    0)
		return -s->err.code;
	if (append(s, w->out, approval_line(&s->arena, st, sig.buf)) < 0)
		return -s->err.code;
	session_talkf(s, "noted: %s\n", w->out);
	return 0;
}

int cmd_approve(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"approve", "PLAN",
		"Approves a saved plan by signature (Ed25519). Reads the file and the key and nothing else.",
		NULL
	};
	struct words_of w = { .key = NULL };
	struct plan_file *f = NULL;
	int status, rc;
	const struct opt own[] = {
		{ "key", 0, OPT_TEXT, "FILE",
		  "private key, OpenSSH's format or PKCS#8; not encrypted", &w.key },
		{ "env", 0, OPT_LIST, "NAME", "only this environment; may be repeated",
		  &s->common.env },
		{ "steps", 0, OPT_LIST, "STEPS",
		  "an address, or all (default), reversible, irreversible; may be repeated",
		  &w.steps },
		{ "until", 0, OPT_TEXT, "TIME", "an instant, or a span from now on (default 7d)",
		  &w.until },
		{ "out", 'o', OPT_TEXT, "FILE", "instead of PLAN.approvals; adds a line", &w.out },
		{ "message", 0, OPT_TEXT, "FILE",
		  "write what is to be signed, for `ssh-keygen -Y sign`", &w.message },
		{ "signature", 0, OPT_TEXT, "FILE", "take what that made of --message",
		  &w.signature },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status))
		return status;
	if (!w.key == !w.message || (w.signature && !w.message)) {
		err_set(&s->err, E_USAGE,
			"--key FILE signs, --message FILE lets somebody else sign");
		return session_fail(s, &s->err);
	}
	w.out = w.out ? w.out : plan_approvals_path(s, s->words.items[0]);
	rc = plan_file_read(&s->arena, s->words.items[0], s->p->registry, &f, &s->err);
	if (rc == 0)
		rc = w.key ? sign(s, f, &w) : w.signature ? take_in(s, f, &w) : give_out(s, f, &w);
	return rc < 0 ? session_fail(s, &s->err) : 0;
}
