/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cJSON reads; a scan of our own goes before it, because cJSON recurses, has no limits that can
 * be set, takes a NUL for a blank and cuts a string at \u0000.
 */
#include "core/io/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <openssl/crypto.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/secret.h"

#define BYTES_MAX ((size_t)16 << 20)
#define DEPTH_MAX ((size_t)64)
#define NODES_MAX ((size_t)2000000)
#define EXACT 9007199254740992.0 /* 2^53: from here on a double no longer tells neighbours apart */

/*
 * Where a secret is to come, cJSON's copies of the text are wiped when it lets go of them, also those of
 * a text that turned out to be broken: any of them may be the secret. Its size stands before each piece.
 */
#define FRONT alignof(max_align_t)

static void *wiped_alloc(size_t size)
{
	unsigned char *p;

	if (size > SIZE_MAX - FRONT)
		mem_exhausted();
	p = mem_resize(NULL, 1, size + FRONT); /* cJSON clears what it wants cleared */
	memcpy(p, &size, sizeof(size));
	return p + FRONT;
}

static void wiped_free(void *q)
{
	unsigned char *p = q;
	size_t size;

	if (!p)
		return;
	p -= FRONT;
	memcpy(&size, p, sizeof(size));
	OPENSSL_cleanse(p, size + FRONT);
	mem_free(p);
}

static void *plain_alloc(size_t size)
{
	return mem_resize(NULL, 1, size);
}

static int bad_at(const char *text, size_t at, const char *what, struct err *err)
{
	unsigned line = 1, col = 1;

	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			line++;
			col = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			col++;
		}
	}
	return err_set(err, E_REMOTE, "line %u, column %u: %s", line, col, what);
}

static int over_limit(const char *what, size_t limit, struct err *err)
{
	return err_set(err, E_REMOTE, "JSON has more than the limit of %zu %s", limit, what);
}

/* Skips a string; `at` is behind its opening quote. Returns where it ends, or 0 after an error. */
static size_t skip_string(const char *text, size_t len, size_t at, struct err *err)
{
	for (; at < len && text[at] != '"'; at++) {
		if (text[at] == '\0')
			break;
		if (text[at] != '\\')
			continue;
		if (len - at >= 6 && memcmp(text + at, "\\u0000", 6) == 0) {
			(void)bad_at(text, at, "a string holds a NUL", err);
			return 0;
		}
		at++;
	}
	if (at < len && text[at] == '"')
		return at + 1;
	(void)bad_at(text, MIN_OF(at, len), "a string that does not end", err);
	return 0;
}

/* Checks the limits. What is well-formed is cJSON's to say. */
static int scan(const char *text, size_t len, const struct json_limits *l, struct err *err)
{
	size_t depth = 0, nodes = 1, at = 0;

	if (len > l->bytes)
		return over_limit("bytes", l->bytes, err);
	while (at < len) {
		char c = text[at++];

		switch (c) {
		case '"':
			at = skip_string(text, len, at, err);
			if (at == 0)
				return -(int)err->code;
			break;
		case '[':
		case '{':
			nodes++;
			if (++depth > l->depth)
				return over_limit("levels", l->depth, err);
			break;
		case ']':
		case '}':
			depth -= depth > 0;
			break;
		case ',':
			nodes++;
			break;
		case '\0':
			return bad_at(text, at - 1, "a NUL byte", err);
		default:
			break;
		}
		if (nodes > l->nodes)
			return over_limit("values", l->nodes, err);
	}
	return 0;
}

static int convert(struct arena *a, const cJSON *in, struct value **ret, struct err *err);

static int convert_number(struct arena *a, double d, struct value **ret, struct err *err)
{
	if (!isfinite(d))
		return err_set(err, E_REMOTE, "JSON has a number out of range");
	if (d > -EXACT && d < EXACT && (double)(int64_t)d >= d && (double)(int64_t)d <= d)
		*ret = value_int(a, (int64_t)d);
	else
		*ret = value_real(a, d);
	return 0;
}

static int convert_list(struct arena *a, const cJSON *in, struct value **ret, struct err *err)
{
	struct value *list = value_list(a), *item = NULL;

	for (const cJSON *c = in->child; c; c = c->next) {
		if (convert(a, c, &item, err) < 0)
			return -(int)err->code;
		value_list_add(a, list, item);
	}
	*ret = list;
	return 0;
}

static int convert_map(struct arena *a, const cJSON *in, struct value **ret, struct err *err)
{
	struct value *map = value_map_sized(a, (size_t)cJSON_GetArraySize(in)), *val = NULL;

	for (const cJSON *c = in->child; c; c = c->next) {
		if (convert(a, c, &val, err) < 0)
			return -(int)err->code;
		if (value_get_pair(map, c->string))
			return err_set(err, E_REMOTE,
				       "JSON has the key '%.60s' twice in one object", c->string);
		value_add(a, map, arena_strdup(a, c->string), val);
	}
	*ret = map;
	return 0;
}

/* The depth was checked on the text, so this recursion is bounded. */
static int convert(struct arena *a, const cJSON *in, struct value **ret, struct err *err)
{
	if (cJSON_IsObject(in))
		return convert_map(a, in, ret, err);
	if (cJSON_IsArray(in))
		return convert_list(a, in, ret, err);
	if (cJSON_IsNumber(in))
		return convert_number(a, in->valuedouble, ret, err);
	if (cJSON_IsString(in))
		*ret = value_string(a, in->valuestring);
	else if (cJSON_IsBool(in))
		*ret = value_bool(a, cJSON_IsTrue(in));
	else
		*ret = value_null(a);
	return 0;
}

/*
 * Takes the string of the top-level member out of the tree before anything is copied to the arena.
 * A second member of that name is emptied too; the duplicate is refused later.
 */
static int take_secret(cJSON *root, const char *name, struct secret **ret, struct err *err)
{
	struct secret *found = NULL;
	bool too_long = false;

	if (!cJSON_IsObject(root))
		return 0;
	for (cJSON *c = root->child; c; c = c->next) {
		size_t len;

		if (!cJSON_IsString(c) || strcmp(c->string, name) != 0)
			continue;
		len = strlen(c->valuestring);
		if (len > SECRET_MAX)
			too_long = true;
		else if (len > 0 && !found)
			found = secret_new(c->valuestring, len);
		OPENSSL_cleanse(c->valuestring, len);
	}
	if (too_long) {
		secret_free(found);
		return err_set(err, E_REMOTE, "the secret in '%s' is longer than %d bytes", name,
			       SECRET_MAX);
	}
	*ret = found;
	return 0;
}

static int build(struct arena *a, cJSON *root, const char *secret_field, struct secret **ret_secret,
		 struct value **ret, struct err *err)
{
	CLEANUP(secret_freep) struct secret *s = NULL;
	struct value *v = NULL;

	if (secret_field && take_secret(root, secret_field, &s, err) < 0)
		return -(int)err->code;
	if (convert(a, root, &v, err) < 0)
		return -(int)err->code;
	if (s)
		value_set(a, v, secret_field, value_secret(a, s));
	if (secret_field)
		*ret_secret = TAKE(s);
	*ret = v;
	return 0;
}

static void tree_freep(cJSON **root)
{
	cJSON_Delete(*root);
}

int json_parse(struct arena *a, const char *text, size_t len, const struct json_limits *limits,
	       const char *secret_field, struct secret **ret_secret, struct value **ret,
	       struct err *err)
{
	struct json_limits l = limits ? *limits : (struct json_limits){ 0, 0, 0 };
	CLEANUP(tree_freep) cJSON *root = NULL;
	cJSON_Hooks hooks = { plain_alloc, mem_free };
	const char *end = NULL;
	size_t at;

	l.bytes = l.bytes ? l.bytes : BYTES_MAX;
	l.depth = l.depth ? l.depth : DEPTH_MAX;
	l.nodes = l.nodes ? l.nodes : NODES_MAX;
	if (scan(text, len, &l, err) < 0)
		return -(int)err->code;
	if (secret_field)
		hooks = (cJSON_Hooks){ wiped_alloc, wiped_free };
	cJSON_InitHooks(&hooks);
	root = cJSON_ParseWithLengthOpts(text, len, &end, false);
	at = end ? (size_t)(end - text) : 0;
	if (!root)
		return bad_at(text, MIN_OF(at, len), "no valid JSON", err);
	while (at < len && strchr(" \t\r\n", text[at]))
		at++;
	if (at < len)
		return bad_at(text, at, "something follows the JSON document", err);
	return build(a, root, secret_field, ret_secret, ret, err);
}

struct writer {
	struct sb *out;
	enum json_style style;
	json_open_fn *open;
};

/* How many bytes at s stand for themselves without a closer look; most text is nothing else. */
static size_t plain_run(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

static void add_code(struct sb *out, uint32_t code)
{
	if (code < 0x10000)
		sb_addf(out, "\\u%04x", (unsigned)code);
	else
		sb_addf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
			(unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
}

static void write_string(struct sb *out, const char *s, size_t len)
{
	static const char bytes[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	size_t done = plain_run(s, len), at = out->len;

	if (done == len) { /* nearly always: room is made once */
		sb_pad(out, '"', len + 2);
		if (!out->over)
			memcpy(out->buf + at + 1, s, len);
		return;
	}
	done = 0;
	sb_addc(out, '"');
	while (done < len) {
		size_t n = plain_run(s + done, len - done);
		uint32_t code = 0xfffd;
		const char *name;

		sb_addn(out, s + done, n);
		done += n;
		if (done == len)
			break;
		name = s[done] ? strchr(bytes, s[done]) : NULL;
		n = utf8_next(s + done, len - done, &code);
		if (name) {
			sb_addc(out, '\\');
			sb_addc(out, names[name - bytes]);
		} else if (code != 0xfffd && utf8_visible(s + done, n)) {
			sb_addn(out, s + done, n);
		} else {
			/* Bad UTF-8 and a real U+FFFD look alike, so that a text read back is written the same. */
			add_code(out, code);
		}
		done += n > 0 ? n : 1;
	}
	sb_addc(out, '"');
}

/* JSON's decimal point is a point, also where the program that we are part of has chosen a locale with another sign for it. */
static void add_number(struct sb *out, const char *text)
{
	static const char known[] = "0123456789+-e";

	for (size_t n; *text; text += n) {
		n = strspn(text, known);
		sb_addn(out, text, n);
		if (!n) {
			n = strcspn(text, known);
			sb_addc(out, '.');
		}
	}
}

/* The shortest of the three that reads back as the same number. */
static void write_real(struct sb *out, double r)
{
	char buf[40];

	if (!isfinite(r)) {
		sb_add(out, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		double back;

		(void)snprintf(buf, sizeof(buf), "%.*g", digits, r);
		back = strtod(buf, NULL);
		if (back >= r && back <= r)
			break;
	}
	add_number(out, buf);
}

static void break_line(const struct writer *w, size_t depth)
{
	if (w->style != JSON_PRETTY)
		return;
	sb_addc(w->out, '\n');
	sb_pad(w->out, ' ', 2 * depth);
}

static void write_value(const struct writer *w, const struct value *v, size_t depth);

static void write_list(const struct writer *w, const struct value *v, size_t depth)
{
	size_t count = v->u.list.count;

	sb_addc(w->out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			sb_addc(w->out, ',');
		break_line(w, depth + 1);
		write_value(w, v->u.list.items[i], depth + 1);
	}
	if (count > 0)
		break_line(w, depth);
	sb_addc(w->out, ']');
}

static int by_key(const void *a, const void *b)
{
	const struct value_pair *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

/* Few, and most often sorted already. */
static void sort_few(const struct value_pair **list, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct value_pair *p = list[i];
		size_t at = i;

		for (; at > 0 && strcmp(list[at - 1]->key, p->key) > 0; at--)
			list[at] = list[at - 1];
		list[at] = p;
	}
}

static void write_map(const struct writer *w, const struct value *v, size_t depth)
{
	size_t count = v->u.map.count;
	CLEANUP(mem_freep) const struct value_pair **many = NULL;
	const struct value_pair *few[24], **order = NULL;

	if (w->style == JSON_CANONICAL && count > 1) {
		if (count > ARRAY_LEN(few))
			many = mem_resize(NULL, count, sizeof(*many));
		order = many ? many : few;
		for (size_t i = 0; i < count; i++)
			order[i] = &v->u.map.pairs[i];
		/* A cast for qsort, which knows no pointer to a pointer to const. */
		if (many)
			qsort((void *)order, count, sizeof(*order), by_key);
		else
			sort_few(order, count);
	}
	sb_addc(w->out, '{');
	for (size_t i = 0; i < count; i++) {
		const struct value_pair *p = order ? order[i] : &v->u.map.pairs[i];

		if (i > 0)
			sb_addc(w->out, ',');
		break_line(w, depth + 1);
		write_string(w->out, p->key, strlen(p->key));
		sb_add(w->out, w->style == JSON_PRETTY ? ": " : ":");
		write_value(w, p->val, depth + 1);
	}
	if (count > 0)
		break_line(w, depth);
	sb_addc(w->out, '}');
}

static void write_secret(const struct writer *w, const struct secret *s)
{
	const char *text = secret_label(s);
	size_t len = strlen(text);

	if (w->open && s)
		text = w->open(s, &len);
	write_string(w->out, text, len);
}

static void write_value(const struct writer *w, const struct value *v, size_t depth)
{
	switch (v->kind) {
	case VAL_NULL:
		sb_add(w->out, "null");
		break;
	case VAL_BOOL:
		sb_add(w->out, v->u.b ? "true" : "false");
		break;
	case VAL_INT:
		sb_add_int(w->out, v->u.i);
		break;
	case VAL_REAL:
		write_real(w->out, v->u.r);
		break;
	case VAL_STRING:
		write_string(w->out, v->u.str, strlen(v->u.str));
		break;
	case VAL_SECRET:
		write_secret(w, v->u.secret);
		break;
	case VAL_LIST:
		write_list(w, v, depth);
		break;
	case VAL_MAP:
		write_map(w, v, depth);
		break;
	}
}

void json_write(struct sb *out, const struct value *v, enum json_style style, json_open_fn *open)
{
	struct writer w = { out, style, open };

	if (v)
		write_value(&w, v, 0);
	else
		sb_add(out, "null");
	if (style == JSON_PRETTY)
		sb_addc(out, '\n');
}
