/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/signers.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/when.h"
#include "core/io/file.h"

#define FILE_MAX ((size_t)4 << 20)
#define EAST (14 * WHEN_HOUR) /* the zones of the earth */
#define WEST (12 * WHEN_HOUR)

struct line {
	const char *at;
	const char *path;
	unsigned number;
	struct arena *arena;
	const char *space;
};

static int bad(const struct line *l, struct err *err, const char *what)
{
	err_set(err, E_REFUSED, "%s:%u: %s", l->path, l->number, what);
	return err_hint(err, "a line is: principals [options] ssh-ed25519 KEY");
}

/* The next word; blanks inside double quotes belong to it. NULL: none. */
static const char *word(struct line *l)
{
	const char *from = l->at += strspn(l->at, " \t");
	bool quoted = false;

	for (; *l->at && (quoted || (*l->at != ' ' && *l->at != '\t')); l->at++)
		quoted ^= *l->at == '"';
	return l->at > from ? arena_strndup(l->arena, from, (size_t)(l->at - from)) : NULL;
}

/* ---- options ---- */

/* As OpenSSH matches: what a pattern with '!' matches is out, whatever else the list says. */
static bool lists(const char *list, const char *name, int flags)
{
	bool is_in = false;
	char one[256];

	for (size_t len; *list; list += len + (list[len] == ',')) {
		bool is_not = *list == '!';

		len = strcspn(list, ",");
		if (len >= sizeof(one))
			return false;
		snprintf(one, sizeof(one), "%.*s", (int)len - is_not, list + is_not);
		if (!*one || fnmatch(one, name, flags) != 0)
			continue;
		if (is_not)
			return false;
		is_in = true;
	}
	return is_in;
}

/* "20261123", "20261123120000", with Z or without. */
static bool read_time(const char *text, int64_t unzoned, int64_t *ret)
{
	size_t len = strspn(text, "0123456789");
	bool is_utc = text[len] == 'Z' && !text[len + 1];
	char iso[32], digits[15] = "00000000000000";
	int64_t precision;
	struct err err = ERR_INIT;

	if ((len != 8 && len != 12 && len != 14) || (text[len] && !is_utc))
		return false;
	memcpy(digits, text, len);
	snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", digits, digits + 4, digits + 6,
		 digits + 8, digits + 10, digits + 12);
	if (when_parse(iso, ret, &precision, &err) < 0)
		return false;
	*ret += is_utc ? 0 : unzoned;
	return true;
}

static int take_option(const struct line *l, struct signer *s, const char *name, const char *value,
		       struct err *err)
{
	if (strcasecmp(name, "cert-authority") == 0) {
		bad(l, err, "certificate authorities are not taken");
		err->hint[0] = '\0';
		return err_hint(err, "write each person's own key");
	}
	if (strcasecmp(name, "namespaces") == 0 && *value) {
		s->is_for_us = lists(value, l->space, 0);
		return 0;
	}
	if (strcasecmp(name, "valid-after") == 0)
		return read_time(value, WEST, &s->after) ? 0 :
							   bad(l, err, "valid-after is no time");
	if (strcasecmp(name, "valid-before") == 0)
		return read_time(value, -EAST, &s->before) ? 0 :
							     bad(l, err, "valid-before is no time");
	return bad(l, err, "an option is not known here");
}

static int take_options(const struct line *l, struct signer *s, const char *text, struct err *err)
{
	while (*text) {
		size_t name = strcspn(text, "=,");
		const char *key = arena_strndup(l->arena, text, name), *value = "";

		text += name;
		if (*text == '=' && text[1] == '"') {
			size_t len = strcspn(text + 2, "\"");

			if (!text[2 + len])
				return bad(l, err, "a quote is not closed");
			value = arena_strndup(l->arena, text + 2, len);
			text += 3 + len;
		}
		if (take_option(l, s, key, value, err) < 0)
			return -err->code;
		if (*text && *text++ != ',')
			return bad(l, err, "options are separated by commas");
	}
	return 0;
}

/* ---- files ---- */

static int take_signer(struct signers *all, struct line *l, struct err *err)
{
	struct signer s = { .is_for_us = true };
	const char *who = word(l), *kind = word(l), *key;

	if (who && kind && strncmp(kind, "ssh-", 4) != 0 && strncmp(kind, "ecdsa-", 6) != 0 &&
	    strncmp(kind, "sk-", 3) != 0) {
		if (take_options(l, &s, kind, err) < 0)
			return -err->code;
		kind = word(l);
	}
	key = word(l);
	if (!who || !kind || !key)
		return bad(l, err, "this is no line of an allowed-signers file");
	if (strcmp(kind, SSH_ED25519) != 0)
		return 0; /* other keys may sign other things: none of theirs counts here */
	if (!ssh_public_from_base64(key, strlen(key), s.pub))
		return bad(l, err, "the key is damaged");
	if (*who == '"')
		who = arena_strndup(l->arena, who + 1, strcspn(who + 1, "\""));
	s.principals = who;
	s.name = arena_strndup(l->arena, who, strcspn(who, ","));
	all->list = arena_grow(all->arena, all->list, all->count, &all->cap, sizeof(*all->list));
	all->list[all->count++] = s;
	return 0;
}

static int take_revoked(struct signers *all, struct line *l, struct err *err)
{
	const char *first = word(l), *key = first && *first == 's' ? word(l) : NULL;

	if (first && strncmp(first, "SHA256:", 7) == 0) {
		all->fingerprints =
			arena_grow(all->arena, all->fingerprints, all->fingerprint_count,
				   &all->fingerprint_cap, sizeof(*all->fingerprints));
		all->fingerprints[all->fingerprint_count++] = first;
		return 0;
	}
	if (first && strcmp(first, SSH_ED25519) != 0 && strncmp(first, "ssh-", 4) == 0)
		return 0;
	all->revoked = arena_grow(all->arena, all->revoked, all->revoked_count, &all->revoked_cap,
				  sizeof(*all->revoked));
	if (!key || !ssh_public_from_base64(key, strlen(key), all->revoked[all->revoked_count])) {
		bad(l, err, "this is no public key and no SHA256 fingerprint");
		return -err->code;
	}
	all->revoked_count++;
	return 0;
}

typedef int take_fn(struct signers *all, struct line *l, struct err *err);

static int each_line(struct signers *all, const char *path, take_fn *take, struct err *err)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(FILE_MAX);
	struct line l = { .path = path, .arena = all->arena, .space = all->space };

	if (file_read(path, &text, err) < 0)
		return -err->code;
	if (strlen(text.buf) != text.len)
		return err_set(err, E_REFUSED, "'%s' is no text", path);
	for (const char *at = text.buf; *at;) {
		size_t len = strcspn(at, "\n");

		l.number++;
		l.at = arena_strndup(all->arena, at, len - (len && at[len - 1] == '\r'));
		at += len + (at[len] == '\n');
		l.at += strspn(l.at, " \t");
		if (*l.at && *l.at != '#' && take(all, &l, err) < 0)
			return -err->code;
	}
	return 0;
}

int signers_read(struct arena *a, const char *path, struct signers **ret, struct err *err)
{
	return signers_read_for(a, path, SIGNERS_SPACE, ret, err);
}

int signers_read_for(struct arena *a, const char *path, const char *space, struct signers **ret,
		     struct err *err)
{
	struct signers *s = ARENA_NEW(a, struct signers);

	s->arena = a;
	s->space = space;
	s->path = arena_strdup(a, path);
	if (each_line(s, s->path, take_signer, err) < 0)
		return -err->code;
	*ret = s;
	return 0;
}

int signers_revoke(struct signers *s, const char *path, struct err *err)
{
	return each_line(s, arena_strdup(s->arena, path), take_revoked, err);
}

/* ---- asking ---- */

static bool is_revoked(const struct signers *s, const unsigned char *pub)
{
	char fp[SSH_FINGERPRINT_MAX];

	for (size_t i = 0; i < s->revoked_count; i++)
		if (memcmp(s->revoked[i], pub, SIGN_PUBLIC_LEN) == 0)
			return true;
	if (!s->fingerprint_count)
		return false;
	ssh_fingerprint(pub, fp);
	for (size_t i = 0; i < s->fingerprint_count; i++)
		if (strcmp(s->fingerprints[i], fp) == 0)
			return true;
	return false;
}

const struct signer *signers_find(const struct signers *s, const unsigned char pub[SIGN_PUBLIC_LEN],
				  int64_t at_ms, char *buf, size_t buf_len)
{
	char fp[SSH_FINGERPRINT_MAX], when[WHEN_TEXT_MAX];

	snprintf(buf, buf_len, "key %s is not in '%s'", ssh_fingerprint(pub, fp), s->path);
	if (is_revoked(s, pub)) {
		snprintf(buf, buf_len, "key %s is revoked", fp);
		return NULL;
	}
	for (size_t i = 0; i < s->count; i++) {
		const struct signer *one = &s->list[i];

		if (memcmp(one->pub, pub, SIGN_PUBLIC_LEN) != 0)
			continue;
		if (!one->is_for_us)
			snprintf(buf, buf_len, "the key of %s may not sign for '%s'", one->name,
				 s->space);
		else if (one->after && at_ms < one->after)
			snprintf(buf, buf_len, "the key of %s is not valid before %s", one->name,
				 when_text(when, one->after));
		else if (one->before && at_ms >= one->before)
			snprintf(buf, buf_len, "the key of %s has expired at %s", one->name,
				 when_text(when, one->before));
		else
			return one;
	}
	return NULL;
}

bool signer_is(const struct signer *s, const char *name)
{
	return lists(s->principals, name, FNM_CASEFOLD);
}
