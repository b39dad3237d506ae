/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_file.c - reads wire files: keys at the start of a line, what belongs to them indented.
 */
#include "tests/golden/wire_file.h"

#include <ctype.h>
#include <string.h>

#include "core/base/when.h"
#include "core/io/file.h"

#define INCLUDE_DEPTH 5
#define DELAY_MS 10

/* One file being read; includes make a chain. */
struct reader {
	struct wire_file *f;
	struct outside *o;
	const char *path;
	unsigned line;
	size_t depth;
	const char *names[16], *values[16]; /* ${NAME} -> value */
	size_t params;
	struct key *key;
	struct stretch *stretch;
	struct answer *answer;
	const char **last_text; /* what a line with | goes on with */
};

static void bad(struct reader *r, const char *what, const char *text)
{
	problem(r->o, "%s:%u: %s: %s", r->path, r->line, what, text);
}

struct key *wire_file_key(const struct wire_file *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (!f->keys[i]->is_replaced && strcmp(f->keys[i]->name, name) == 0)
			return f->keys[i];
	return NULL;
}

/* '*' stands for any text. */
static bool is_like(const char *pattern, const char *text)
{
	for (; *pattern; pattern++, text++) {
		if (*pattern == '*') {
			while (*text && !is_like(pattern + 1, text))
				text++;
			return is_like(pattern + 1, text);
		}
		if (*pattern != *text)
			return false;
	}
	return *text == '\0';
}

struct key *wire_file_match(const struct wire_file *f, const char *where, const char *body)
{
	struct key *best = NULL;
	int best_rank = -1;

	for (size_t i = 0; i < f->count; i++) {
		struct key *k = f->keys[i];
		bool exact = strcmp(k->where, where) == 0;
		int rank = (k->with ? 2 : 0) + (exact ? 1 : 0);

		if (k->is_replaced || (!exact && !is_like(k->where, where)) ||
		    (k->with && !strstr(body, k->with)) || rank <= best_rank)
			continue;
		best = k;
		best_rank = rank;
	}
	return best;
}

/* ${NAME} by what @include gave, or by @default. */
static const char *fill_in(struct reader *r, const char *line)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(GOLDEN_TEXT_MAX);

	while (*line) {
		size_t len = strcspn(line, "$"), i = 0;
		const char *end;

		sb_addn(&out, line, len);
		line += len;
		end = line[0] == '$' && line[1] == '{' ? strchr(line, '}') : NULL;
		if (!end) {
			len = *line ? 1 : 0;
			sb_addn(&out, line, len);
			line += len;
			continue;
		}
		while (i < r->params &&
		       (strncmp(r->names[i], line + 2, (size_t)(end - line - 2)) != 0 ||
			strlen(r->names[i]) != (size_t)(end - line - 2)))
			i++;
		if (i == r->params)
			bad(r, "no such parameter", line);
		else
			sb_add(&out, r->values[i]);
		line = end + 1;
	}
	return arena_strdup(&r->f->arena, out.buf);
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* The first word; *rest is what comes after it and its blanks. */
static const char *word(struct reader *r, const char *s, const char **rest)
{
	size_t len = strcspn(s, " \t");

	*rest = skip_blanks(s + len);
	return arena_strndup(&r->f->arena, s, len);
}

static void add_key(struct reader *r, const char *name)
{
	struct key *old = wire_file_key(r->f, name), *k = ARENA_NEW(&r->f->arena, struct key);

	if (old && old->depth <= r->depth)
		bad(r, "twice in one file", name);
	if (old)
		old->is_replaced = true;
	*k = (struct key){
		.name = name, .where = name, .file = r->path, .line = r->line, .depth = r->depth
	};
	if (strstr(name, " with ")) {
		k->with = strstr(name, " with ") + 6;
		k->where = arena_strndup(&r->f->arena, name, (size_t)(k->with - 6 - name));
	}
	r->f->keys =
		arena_grow(&r->f->arena, r->f->keys, r->f->count, &r->f->cap, sizeof(struct key *));
	r->f->keys[r->f->count++] = k;
	r->key = k;
	r->stretch = NULL;
	r->answer = NULL;
	r->last_text = NULL;
}

static struct stretch *add_stretch(struct reader *r)
{
	struct key *k = r->key;

	k->stretches =
		arena_grow(&r->f->arena, k->stretches, k->count, &k->cap, sizeof(struct stretch));
	r->answer = NULL;
	r->last_text = NULL;
	r->stretch = &k->stretches[k->count++];
	*r->stretch = (struct stretch){ 0 };
	return r->stretch;
}

/* "METHOD URL", or an instant; "+SPAN" may follow. */
static void add_since(struct reader *r, const char *text)
{
	struct stretch *s = add_stretch(r);
	const char *plus = strstr(text, " +");
	struct err err = ERR_INIT;

	s->since = plus ? arena_strndup(&r->f->arena, text, (size_t)(plus - text)) : text;
	if (plus && when_parse_span(plus + 2, &s->plus_ms, &err) < 0)
		bad(r, err.msg, plus);
}

static struct answer *add_answer(struct reader *r)
{
	struct stretch *s = r->stretch ? r->stretch : add_stretch(r);

	s->answers = arena_grow(&r->f->arena, s->answers, s->count, &s->cap, sizeof(struct answer));
	r->answer = &s->answers[s->count++];
	*r->answer = (struct answer){ .delay_ms = DELAY_MS, .times = 1, .line = r->line };
	return r->answer;
}

/* "x3", "x*", "x?" */
static bool read_times(const char *s, int *ret)
{
	char *end;
	long n;

	if (s[0] != 'x')
		return false;
	if (strcmp(s, "x*") == 0 || strcmp(s, "x?") == 0) {
		*ret = s[1] == '*' ? TIMES_ANY : TIMES_MAYBE;
		return true;
	}
	n = strtol(s + 1, &end, 10);
	if (end == s + 1 || *end || n < 1 || n > 100000)
		return false;
	*ret = (int)n;
	return true;
}

/* "200 x3 {...}", "lost x2", ... */
static void read_answer(struct reader *r, const char *first, const char *rest)
{
	struct answer *a = add_answer(r);
	const char *after;

	if (strcmp(first, "never") == 0)
		a->kind = ANSWER_NEVER;
	else if (strcmp(first, "lost") == 0)
		a->kind = ANSWER_LOST;
	else if (strcmp(first, "timeout") == 0)
		a->kind = ANSWER_TIMEOUT;
	else if (strcmp(first, "vanished") == 0)
		a->kind = ANSWER_VANISHED;
	else
		a->status = (int)strtol(first, NULL, 10);
	if (*rest && read_times(word(r, rest, &after), &a->times))
		rest = after;
	if (*rest)
		a->body = rest;
	r->last_text = &a->body;
}

static void add_header(struct reader *r, struct http_header *list, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t n = 0;

	while (n < HTTP_HEADERS_MAX && list[n].name)
		n++;
	if (!colon || n == HTTP_HEADERS_MAX) {
		bad(r, "no header, or too many", text);
		return;
	}
	list[n].name = arena_strndup(&r->f->arena, text, (size_t)(colon - text));
	list[n].value = skip_blanks(colon + 1);
}

static void read_span(struct reader *r, const char *text, int64_t *ret)
{
	struct err err = ERR_INIT;
	bool minus = text[0] == '-';

	if (when_parse_span(minus ? text + 1 : text, ret, &err) < 0)
		bad(r, err.msg, text);
	else if (minus)
		*ret = -*ret;
}

/* What belongs to an answer, or, where it stands before the first one, to all of the key. */
static bool read_asks(struct reader *r, const char *first, const char *rest)
{
	struct asks *to = r->answer ? &r->answer->asks : &r->key->asks;

	if (strcmp(first, "expect") == 0) {
		to->expect = strcmp(rest, "nothing") == 0 ? "" : rest;
		r->last_text = &to->expect;
	} else if (strcmp(first, "needs-header") == 0) {
		add_header(r, to->headers, rest);
	} else if (strcmp(first, "needs-bearer") == 0) {
		to->bearer = rest;
	} else {
		return false;
	}
	return true;
}

static void go_on(struct reader *r, const char *more)
{
	if (!r->last_text)
		bad(r, "nothing to continue", more);
	else
		*r->last_text =
			arena_printf(&r->f->arena, "%s%s%s", *r->last_text ? *r->last_text : "",
				     *r->last_text ? "\n" : "", more);
}

static bool is_word(const char *text, const char *const *words)
{
	while (*words && strcmp(*words, text) != 0)
		words++;
	return *words != NULL;
}

static void read_detail(struct reader *r, const char *text)
{
	static const char *const no_answers[] = { "never", "lost", "timeout", "vanished", NULL };
	const char *rest, *first = word(r, text, &rest);

	if (!r->key) {
		bad(r, "belongs to no request", text);
		return;
	}
	if (first[0] == '|') {
		go_on(r, text + 1);
		return;
	}
	if (isdigit((unsigned char)first[0]) || is_word(first, no_answers)) {
		read_answer(r, first, rest);
		return;
	}
	if (strcmp(first, "since") == 0) {
		add_since(r, rest);
		return;
	}
	if (read_asks(r, first, rest))
		return;
	if (!r->answer) {
		bad(r, "stands before any answer, or is not known", text);
		return;
	}
	if (strcmp(first, "header") == 0) {
		add_header(r, r->answer->headers, rest);
	} else if (strcmp(first, "text") == 0) {
		r->answer->content_type = "text/html; charset=utf-8";
		r->answer->body = rest;
		r->last_text = &r->answer->body;
	} else if (strcmp(first, "skew") == 0) {
		read_span(r, rest, &r->answer->skew_ms);
	} else if (strcmp(first, "after") == 0) {
		read_span(r, rest, &r->answer->delay_ms);
	} else if (strcmp(first, "nodate") == 0) {
		r->answer->has_no_date = true;
	} else {
		bad(r, "not known", text);
	}
}

static void read_into(struct reader *r);

/* name=value or name="some value"; moves *at behind it. */
static bool read_param(struct reader *r, struct reader *sub, const char **at)
{
	size_t name = strcspn(*at, "= "), value;
	const char *from = *at + name + 1, *stop = " ";

	if ((*at)[name] != '=') {
		bad(r, "not name=value", *at);
		return false;
	}
	if (*from == '"') {
		from++;
		stop = "\"";
	}
	value = strcspn(from, stop);
	sub->names[sub->params] = arena_strndup(&r->f->arena, *at, name);
	sub->values[sub->params++] = arena_strndup(&r->f->arena, from, value);
	*at = skip_blanks(from + value + (from[value] == '"'));
	return true;
}

/* "@include PATH name=value ..."; the path is relative to the file that includes. */
static void include(struct reader *r, const char *text)
{
	const char *slash = strrchr(r->path, '/'), *rest, *path = word(r, text, &rest);
	struct reader sub = { .f = r->f, .o = r->o, .depth = r->depth + 1 };

	if (sub.depth > INCLUDE_DEPTH) {
		bad(r, "included too deeply", text);
		return;
	}
	sub.path = slash && path[0] != '/' ? arena_printf(&r->f->arena, "%.*s/%s",
							  (int)(slash - r->path), r->path, path) :
					     path;
	while (*rest && sub.params < ARRAY_LEN(sub.names) && read_param(r, &sub, &rest))
		continue;
	read_into(&sub);
}

/* "@default name=value": unless @include says otherwise. */
static void set_default(struct reader *r, const char *text)
{
	const char *eq = strchr(text, '=');
	const char *name = eq ? arena_strndup(&r->f->arena, text, (size_t)(eq - text)) : text;

	for (size_t i = 0; i < r->params; i++)
		if (strcmp(r->names[i], name) == 0)
			return;
	if (!eq || r->params == ARRAY_LEN(r->names)) {
		bad(r, "not name=value, or too many", text);
		return;
	}
	r->names[r->params] = name;
	r->values[r->params++] = eq + 1;
}

static void read_line(struct reader *r, const char *line)
{
	const char *text = skip_blanks(line);

	if (!*text || *text == '#')
		return;
	text = fill_in(r, text);
	if (strncmp(text, "@include ", 9) == 0)
		include(r, skip_blanks(text + 9));
	else if (strncmp(text, "@default ", 9) == 0)
		set_default(r, skip_blanks(text + 9));
	else if (line[0] == ' ' || line[0] == '\t')
		read_detail(r, text);
	else
		add_key(r, text);
}

static void read_into(struct reader *r)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(GOLDEN_TEXT_MAX);
	struct err err = ERR_INIT;
	char *at;

	if (file_read(r->path, &text, &err) < 0) {
		problem(r->o, "%s", err.msg);
		return;
	}
	at = arena_strdup(&r->f->arena, text.buf);
	while (*at) {
		size_t len = strcspn(at, "\n");
		char *next = at + len + (at[len] ? 1 : 0);

		while (len && (at[len - 1] == ' ' || at[len - 1] == '\r'))
			len--;
		at[len] = '\0';
		r->line++;
		read_line(r, at);
		at = next;
	}
}

static void check_triggers(struct wire_file *f, struct outside *o)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct key *k = f->keys[i];

		for (size_t n = 0; n < k->count && !k->is_replaced; n++) {
			const char *since = k->stretches[n].since;

			if (since && !isdigit((unsigned char)since[0]) && !wire_file_key(f, since))
				problem(o, "%s:%u: since: there is no key '%s'", k->file, k->line,
					since);
		}
	}
}

void wire_file_read(struct wire_file *f, struct outside *o, const char *path)
{
	struct reader r = { .f = f, .o = o };

	r.path = f->path = arena_strdup(&f->arena, path);
	read_into(&r);
	check_triggers(f, o);
}

/* -- @-words -- */

static int64_t instant_of(struct outside *o, const char *text, int64_t now_ms, int64_t since_ms)
{
	struct err err = ERR_INIT;
	const char *sign;
	int64_t base = 0, span = 0;

	if (strncmp(text, "now", 3) == 0 || strncmp(text, "since", 5) == 0) {
		base = text[0] == 'n' ? now_ms : since_ms;
		sign = text + (text[0] == 'n' ? 3 : 5);
		if (!base)
			problem(o, "'%s' outside of a stretch that begins with 'since'", text);
	} else {
		struct arena a = ARENA_INIT;
		const char *z = strchr(text, 'Z');
		size_t len = z ? (size_t)(z - text) + 1 : strlen(text);

		if (when_parse(arena_strndup(&a, text, len), &base, NULL, &err) < 0)
			problem(o, "@-word: %s", err.msg);
		arena_done(&a);
		sign = text + len;
	}
	if (*sign == '\0' || err.code)
		return base;
	if ((*sign != '+' && *sign != '-') || when_parse_span(sign + 1, &span, &err) < 0)
		problem(o, "@-word: '%s' is not + or - and a span", sign);
	return *sign == '-' ? base - span : base + span;
}

static void add_acs(struct sb *out, int64_t ms)
{
	CLEANUP(sb_done) struct sb iso = SB_INIT(64);

	when_add(&iso, ms / WHEN_SECOND * WHEN_SECOND);
	sb_addf(out, "%.10s %.8s.%03dZ", iso.buf, iso.buf + 11, (int)(ms % WHEN_SECOND));
}

void wire_expand(struct outside *o, const char *text, int64_t now_ms, int64_t since_ms,
		 struct sb *out)
{
	while (*text) {
		size_t len = strcspn(text, "@");
		const char *end;
		bool is_ms, is_iso, is_acs;

		sb_addn(out, text, len);
		text += len;
		is_ms = strncmp(text, "@ms(", 4) == 0;
		is_iso = strncmp(text, "@iso(", 5) == 0;
		is_acs = strncmp(text, "@acs(", 5) == 0;
		end = is_ms || is_iso || is_acs ? strchr(text, ')') : NULL;
		if (end) {
			const char *from = text + (is_ms ? 4 : 5);
			char expr[80] = "";
			int64_t ms;

			memcpy(expr, from, MIN_OF((size_t)(end - from), sizeof(expr) - 1));
			ms = instant_of(o, expr, now_ms, since_ms);
			if (is_ms)
				sb_addf(out, "%lld", (long long)ms);
			else if (is_iso)
				when_add(out, ms);
			else
				add_acs(out, ms);
			text = end + 1;
		} else if (*text) {
			sb_addc(out, *text++);
		}
	}
}
