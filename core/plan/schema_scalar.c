/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan/schema_scalar.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/diags.h"
#include "core/base/when.h"
#include "core/plan/schema.h"

#define STRING_MAX 1024
#define ID_MAX 256
#define PATH_MAX_LEN 4096
#define SHOWN_MAX 60 /* bytes of a wrong word that are quoted */
#define NAMES_MAX 64 /* of an enum, for did-you-mean */

/* Not ctype.h: its answers depend on the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static int fail(struct scalar_fault *fault, const char *rule, const char *hint, const char *fmt,
		...) PRINTF_LIKE(4, 5);
static int fail(struct scalar_fault *fault, const char *rule, const char *hint, const char *fmt,
		...)
{
	fault->rule = rule;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(fault->msg, sizeof(fault->msg), fmt, ap);
	va_end(ap);
	snprintf(fault->hint, sizeof(fault->hint), "%s", hint);
	return -1;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (is_control(*text))
			return true;
	return false;
}

/* The words themselves are not quoted: a secret may have been pasted into the wrong line. */
static int read_text(const struct field *f, const char *text, size_t max, const char *rule,
		     struct scalar_fault *fault)
{
	size_t len = strlen(text);
	if (!len && !(f->flags & SCHEMA_EMPTY))
		return fail(fault, rule, "leave the key out when there is nothing to say",
			    "is empty");
	if (len > max)
		return fail(fault, rule, "", "is %zu bytes long, more than %zu", len, max);
	if (has_control(text))
		return fail(fault, rule, "", "holds control characters");
	return 0;
}

static int read_id(const struct field *f, const char *text, struct scalar_fault *fault)
{
	if (read_text(f, text, ID_MAX, "bad-id", fault))
		return -1;
	if (strpbrk(text, "/ ?#"))
		return fail(fault, "bad-id", "", "holds a blank, '/', '?' or '#'");
	/* As one segment of an address these would be taken for folders and vanish. */
	if (!strcmp(text, ".") || !strcmp(text, ".."))
		return fail(fault, "bad-id", "", "is '%s'", text);
	return 0;
}

/* "is 'two', not a whole number"; a NULL word is one that must not be shown. */
static int is_not(struct scalar_fault *fault, const char *rule, const char *hint, const char *shown,
		  const char *what)
{
	if (shown)
		return fail(fault, rule, hint, "is %s, not %s", shown, what);
	return fail(fault, rule, hint, "is not %s", what);
}

static int out_of_range(const struct field *f, const char *value, const char *min, const char *max,
			bool low, struct scalar_fault *fault)
{
	char is[64] = "is";
	if (value)
		snprintf(is, sizeof(is), "is %s,", value);
	if (low && f->flags & SCHEMA_FLOOR)
		return fail(fault, "gate-floor", "safety sets this floor; more is fine",
			    "%s below its floor of %s", is, min);
	if (!f->max)
		return fail(fault, "out-of-range", "", "%s less than %s", is, min);
	if (f->min == f->max)
		return fail(fault, "out-of-range", "", "%s but this program knows only %s", is,
			    min);
	return fail(fault, "out-of-range", "", "%s outside %s to %s", is, min, max);
}

/* A min without a max has no upper limit; both 0: no limits. */
static bool in_range(const struct field *f, int64_t i, bool *ret_low)
{
	*ret_low = i < f->min;
	if (!f->min && !f->max)
		return true;
	return i >= f->min && (!f->max || i <= f->max);
}

static int read_int(const struct field *f, const char *text, const char *shown, int64_t *ret,
		    struct scalar_fault *fault)
{
	const char *digits = text + (*text == '-');
	size_t len = strspn(digits, "0123456789");
	if (!len || digits[len])
		return is_not(fault, "bad-int", "", shown, "a whole number");
	errno = 0;
	long long i = strtoll(text, NULL, 10);
	if (errno)
		return is_not(fault, "bad-int", "", shown, "a number that fits");
	bool low;
	if (!in_range(f, i, &low)) {
		char value[24], min[24], max[24];
		snprintf(value, sizeof(value), "%lld", i);
		snprintf(min, sizeof(min), "%lld", (long long)f->min);
		snprintf(max, sizeof(max), "%lld", (long long)f->max);
		return out_of_range(f, shown ? value : NULL, min, max, low, fault);
	}
	*ret = i;
	return 0;
}

static int read_span(const struct field *f, const char *text, const char *shown, int64_t *ret,
		     struct scalar_fault *fault)
{
	struct err err = ERR_INIT;
	int64_t ms;
	if (when_parse_span(text, &ms, &err))
		return is_not(fault, "bad-span",
			      "a number and a unit, such as 90s, 15m, 24h, 1h30m or 7d", shown,
			      "a span of time");
	bool low;
	if (!in_range(f, ms, &low)) {
		char value[WHEN_TEXT_MAX], min[WHEN_TEXT_MAX], max[WHEN_TEXT_MAX];
		when_span_text(value, ms);
		return out_of_range(f, shown ? value : NULL, when_span_text(min, f->min),
				    when_span_text(max, f->max), low, fault);
	}
	*ret = ms;
	return 0;
}

static int read_instant(const char *text, const char *shown, int64_t *ret,
			struct scalar_fault *fault)
{
	struct err err = ERR_INIT;
	if (when_parse(text, ret, NULL, &err))
		return is_not(fault, "bad-instant",
			      "as in 2026-11-23T10:00:00Z; the zone has to be said", shown,
			      "an instant");
	return 0;
}

static int read_bool(const char *text, const char *shown, bool *ret, struct scalar_fault *fault)
{
	if (strcmp(text, "true") && strcmp(text, "false"))
		return is_not(fault, "bad-bool", "", shown, "true or false");
	*ret = *text == 't';
	return 0;
}

static const char *enum_rule(const struct field *f)
{
	if (f->flags & SCHEMA_EXECUTOR)
		return "executor-impossible";
	return f->flags & SCHEMA_VARIANT ? "auth-kind" : "not-one-of";
}

static int read_enum(const struct field *f, const char *text, const char *shown,
		     struct scalar_fault *fault)
{
	const char *verb = f->flags & SCHEMA_EXECUTOR ? "cannot be" : "is",
		   *word = shown ? shown : "something else";
	char all[160] = "";
	size_t used = 0, count = 0;
	for (const char *const *n = f->names; *n; n++, count++) {
		if (!strcmp(text, *n))
			return 0;
		if (used < sizeof(all))
			used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
						 count ? ", " : "", *n);
	}
	const char *near = shown ? diags_nearest(text, f->names, MIN_OF(count, NAMES_MAX)) : NULL;
	char hint[160] = "";
	if (near)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
	return fail(fault, enum_rule(f), hint, "%s %s; it %s %s", verb, word,
		    count == 1 ? "can only be" : "is one of", all);
}

/* "127.0.0.1" and its like, written out in full, so that 127.0.0.1.example.com is none. */
static bool is_loopback_v4(const char *host, size_t len)
{
	if (len < 9 || strncmp(host, "127.", 4))
		return false;
	unsigned dots = 0;
	for (size_t i = 0; i < len; i++) {
		if (host[i] == '.') {
			if (i + 1 == len || host[i + 1] == '.')
				return false;
			dots++;
		} else if (!is_digit(host[i])) {
			return false;
		}
	}
	return dots == 3;
}

static bool is_loopback_host(const char *host, size_t len)
{
	return is_loopback_v4(host, len) || (len == 9 && !strncmp(host, "localhost", 9)) ||
	       (len == 5 && !strncmp(host, "[::1]", 5));
}

static size_t host_len(const char *host)
{
	if (*host == '[') {
		size_t len = 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");
		return len > 2 && host[len] == ']' ? len + 1 : 0;
	}
	size_t len = 0;
	while (is_alpha(host[len]) || is_digit(host[len]) ||
	       (host[len] && strchr("-._", host[len])))
		len++;
	return len;
}

static size_t scheme_len(const char *url)
{
	return !strncmp(url, "https://", 8) ? 8 : !strncmp(url, "http://", 7) ? 7 : 0;
}

bool scalar_is_loopback(const char *url)
{
	const char *host = url + scheme_len(url);
	return is_loopback_host(host, host_len(host));
}

static bool is_port(const char *text, size_t len)
{
	long port = 0;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]) || port > 65535)
			return false;
		port = port * 10 + (text[i] - '0');
	}
	return len && port >= 1 && port <= 65535;
}

/* The address is not quoted either: what stands before an '@' may be a password. */
static int read_url(const char *text, size_t *ret_len, struct scalar_fault *fault)
{
	static const char rule[] = "bad-url", example[] = "as in https://host.example/path";
	size_t len = strlen(text), scheme = scheme_len(text);
	if (len > STRING_MAX)
		return fail(fault, rule, example, "is longer than %d bytes", STRING_MAX);
	if (!scheme)
		return fail(fault, rule, example, "is not an https address");
	for (const char *c = text; *c; c++)
		if (is_control(*c) || (unsigned char)*c >= 0x7f || strchr(" \"<>\\^`{|}", *c))
			return fail(fault, rule, "percent-encode it",
				    "holds a character that no address may hold");
	if (strpbrk(text, "?#"))
		return fail(fault, rule, example,
			    "has a query or a fragment; only host and path are wanted");
	const char *host = text + scheme;
	size_t rest = strcspn(host, "/");
	if (memchr(host, '@', rest))
		return fail(fault, rule,
			    "say who signs in under auth:", "holds a user name or password");
	size_t name = host_len(host);
	if (!name ||
	    (name < rest && (host[name] != ':' || !is_port(host + name + 1, rest - name - 1))))
		return fail(fault, rule, example, "has no valid host and port");
	if (scheme == 7 && !is_loopback_host(host, name))
		return fail(fault, rule,
			    "http is for this machine only, such as http://127.0.0.1:8080",
			    "is http, not https");
	while (len > scheme + rest && text[len - 1] == '/')
		len--;
	*ret_len = len;
	return 0;
}

int scalar_read(const struct field *f, const char *text, bool is_hidden, struct scalar *ret,
		struct scalar_fault *fault)
{
	char quoted[SHOWN_MAX + 8];
	snprintf(quoted, sizeof(quoted), strlen(text) > SHOWN_MAX ? "'%.*s...'" : "'%.*s'",
		 SHOWN_MAX, text);
	const char *shown = is_hidden ? NULL : quoted;
	*ret = (struct scalar){ .kind = VAL_STRING, .len = strlen(text) };
	switch (f->kind) {
	case FIELD_STRING:
		return read_text(f, text, STRING_MAX, "bad-string", fault);
	case FIELD_PATH:
		return read_text(f, text, PATH_MAX_LEN, "bad-path", fault);
	case FIELD_ID:
		return read_id(f, text, fault);
	case FIELD_ENUM:
		return read_enum(f, text, shown, fault);
	case FIELD_URL:
		return read_url(text, &ret->len, fault);
	case FIELD_INT:
		ret->kind = VAL_INT;
		return read_int(f, text, shown, &ret->i, fault);
	case FIELD_SPAN:
		ret->kind = VAL_INT;
		return read_span(f, text, shown, &ret->i, fault);
	case FIELD_INSTANT:
		ret->kind = VAL_INT;
		return read_instant(text, shown, &ret->i, fault);
	case FIELD_BOOL:
		ret->kind = VAL_BOOL;
		return read_bool(text, shown, &ret->b, fault);
	case FIELD_SECRET:
	case FIELD_MAP:
	case FIELD_LIST:
	case FIELD_DICT:
		break;
	}
	return fail(fault, "wrong-kind", "", "is a single word");
}

bool scalar_is_env_name(const char *name)
{
	if (!is_alpha(*name) && *name != '_')
		return false;
	while (is_alpha(*name) || is_digit(*name) || *name == '_')
		name++;
	return !*name;
}

int scalar_reference(const char *text, struct scalar_fault *fault)
{
	static const char how[] = "write env:NAME, file:PATH or exec:COMMAND";
	bool is_env = !strncmp(text, "env:", 4);
	if (!is_env && strncmp(text, "file:", 5) && strncmp(text, "exec:", 5))
		return fail(fault, "secret-literal", how, "is not a reference to a secret");
	if (is_env && !scalar_is_env_name(text + 4))
		return fail(fault, "bad-secret", how,
			    "has no name of an environment variable after env:");
	const char *rest = text + (is_env ? 4 : 5);
	if (!rest[strspn(rest, " \t")])
		return fail(fault, "bad-secret", how, "has nothing after %.5s", text);
	if (has_control(text))
		return fail(fault, "bad-secret", how, "holds control characters");
	if (strlen(text) > PATH_MAX_LEN)
		return fail(fault, "bad-secret", how, "is longer than %d bytes", PATH_MAX_LEN);
	return 0;
}
