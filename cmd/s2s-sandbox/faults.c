/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2s-sandbox/faults.h"

#include "core/base/diags.h"
#include "core/base/mem.h"
#include "core/base/sb.h"
#include "providers/world.h"

#include <inttypes.h>
#include <string.h>

enum amount { AMOUNT_NONE, AMOUNT_MS, AMOUNT_BYTES, AMOUNT_RATE };

static const struct {
	const char *name;
	enum fault_kind kind;
	enum amount amount; /* the field that it must have */
	bool acts;          /* unless the rule says `acts` */
} kinds[] = {
	{ "latency", FAULT_LATENCY, AMOUNT_MS, true },
	{ "status", FAULT_STATUS, AMOUNT_NONE, false },
	{ "reset", FAULT_RESET, AMOUNT_NONE, false },
	{ "reset_after", FAULT_RESET_AFTER, AMOUNT_NONE, true },
	{ "truncate", FAULT_TRUNCATE, AMOUNT_BYTES, true },
	{ "slow", FAULT_SLOW, AMOUNT_RATE, true },
	{ "html", FAULT_HTML, AMOUNT_NONE, false },
	{ "garbage", FAULT_GARBAGE, AMOUNT_NONE, true },
	{ "huge", FAULT_HUGE, AMOUNT_BYTES, true },
	{ "stale", FAULT_STALE, AMOUNT_NONE, true },
};

static const char *const fields[] = {
	"kind",        "method", "path",         "contains", "twin",
	"after",       "times",  "ms",           "when",     "code",
	"retry_after", "body",   "content_type", "bytes",    "bytes_per_second",
	"acts",
};

#define STALE_URLS_MAX 10000

struct memory {
	const char *url, *text;
};

struct rule {
	uint64_t id;
	const struct value *given;
	size_t kind; /* index into kinds */
	const char *method, *path, *contains, *twin;
	int64_t after, times, amount, code;
	bool acts, is_late; /* late: latency after the twin has acted */
	const char *retry_after, *body, *content_type;
	int64_t seen, fired;
	struct memory *memory; /* stale: few urls, so a list does */
	size_t memory_count, memory_cap;
};

struct faults {
	struct arena arena; /* texts and values of the rules */
	struct rule *rules;
	size_t count, cap;
	uint64_t next_id;
};

struct faults *faults_new(void)
{
	return mem_alloc(sizeof(struct faults));
}

void faults_clear(struct faults *f)
{
	uint64_t next_id = f->next_id;

	mem_free(f->rules);
	arena_done(&f->arena);
	/* Ids go on: a request that still waits must not meet a newer rule under its number. */
	*f = (struct faults){ .next_id = next_id };
}

void faults_free(struct faults *f)
{
	if (!f)
		return;
	faults_clear(f);
	mem_free(f);
}

size_t faults_count(const struct faults *f)
{
	return f->count;
}

/* An otherwise below min: the field must be there. */
static int read_int(const struct value *v, const char *key, int64_t min, int64_t max,
		    int64_t otherwise, int64_t *ret, struct err *err)
{
	const struct value *field = value_get(v, key);
	int64_t n;

	if (!field && otherwise < min)
		return err_set(err, E_USAGE, "field '%s' is missing", key);
	if (field && field->kind != VAL_INT)
		return err_set(err, E_USAGE, "field '%s' is no whole number", key);
	n = value_int_or(field, otherwise);
	if (n < min || n > max)
		return err_set(err, E_USAGE, "%s %" PRId64 " is outside %" PRId64 " to %" PRId64,
			       key, n, min, max);
	*ret = n;
	return 0;
}

static int read_text(const struct value *v, const char *key, const char **ret, struct err *err)
{
	const struct value *field = value_get(v, key);
	const char *text = value_text(field);

	if (field && !text)
		return err_set(err, E_USAGE, "field '%s' is no string", key);
	/* What ends up in a header must not make a second one. */
	if (text && strcmp(key, "body") != 0 && strpbrk(text, "\r\n"))
		return err_set(err, E_USAGE, "field '%s' holds a line break", key);
	*ret = text;
	return 0;
}

static int read_texts(const struct value *v, struct rule *r, struct err *err)
{
	const struct {
		const char *key;
		const char **to;
	} list[] = {
		{ "method", &r->method },     { "path", &r->path },
		{ "contains", &r->contains }, { "twin", &r->twin },
		{ "body", &r->body },         { "content_type", &r->content_type },
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (read_text(v, list[i].key, list[i].to, err) < 0)
			return -(int)err->code;
	return 0;
}

/* A rule for a twin that does not exist would wait in silence for ever. */
static int check_twin(const struct rule *r, struct err *err)
{
	for (const char *const *name = world_twin_names; r->twin && *name; name++)
		if (strcmp(*name, r->twin) == 0)
			return 0;
	return r->twin ? err_set(err, E_USAGE, "no twin is called '%s'", r->twin) : 0;
}

static int read_kind(const struct value *v, struct rule *r, struct err *err)
{
	const char *name = value_text(value_get(v, "kind"));
	const char *names[ARRAY_LEN(kinds)];

	if (!name)
		return err_set(err, E_USAGE, "field 'kind' is missing");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		names[i] = kinds[i].name;
		if (strcmp(names[i], name) == 0) {
			r->kind = i;
			return 0;
		}
	}
	err_set(err, E_USAGE, "unknown kind '%s'", name);
	name = diags_nearest(name, names, ARRAY_LEN(names));
	return name ? err_hint(err, "did you mean '%s'?", name) : -(int)err->code;
}

static int check_keys(const struct value *v, struct err *err)
{
	for (size_t i = 0; i < value_count(v); i++) {
		const char *key = value_key_at(v, i), *near;
		bool known = false;

		for (size_t k = 0; k < ARRAY_LEN(fields); k++)
			known = known || strcmp(fields[k], key) == 0;
		if (known)
			continue;
		err_set(err, E_USAGE, "unknown field '%s'", key);
		near = diags_nearest(key, fields, ARRAY_LEN(fields));
		return near ? err_hint(err, "did you mean '%s'?", near) : -(int)err->code;
	}
	return 0;
}

static int read_amount(const struct value *v, struct rule *r, struct err *err)
{
	/* Huge has to hold the braces and the key around the padding. */
	int64_t least = kinds[r->kind].kind == FAULT_HUGE ? 16 : 0;

	switch (kinds[r->kind].amount) {
	case AMOUNT_NONE:
		return 0;
	case AMOUNT_MS:
		return read_int(v, "ms", 0, FAULT_MS_MAX, -1, &r->amount, err);
	case AMOUNT_BYTES:
		return read_int(v, "bytes", least, FAULT_BYTES_MAX, -1, &r->amount, err);
	case AMOUNT_RATE:
		return read_int(v, "bytes_per_second", 1, FAULT_BYTES_MAX, -1, &r->amount, err);
	}
	return 0;
}

static int read_rest(struct faults *f, const struct value *v, struct rule *r, struct err *err)
{
	const struct value *acts = value_get(v, "acts"), *retry = value_get(v, "retry_after");
	const char *when = value_text_or(value_get(v, "when"), "before");
	bool must_have_code = kinds[r->kind].kind == FAULT_STATUS;

	if (read_int(v, "after", 0, INT64_MAX, 0, &r->after, err) < 0 ||
	    read_int(v, "times", 0, INT64_MAX, 0, &r->times, err) < 0 ||
	    read_int(v, "code", 200, 599, must_have_code ? -1 : 200, &r->code, err) < 0 ||
	    read_amount(v, r, err) < 0)
		return -(int)err->code;
	if (acts && acts->kind != VAL_BOOL)
		return err_set(err, E_USAGE, "field 'acts' is neither true nor false");
	r->acts = value_bool_or(acts, kinds[r->kind].acts);
	if (strcmp(when, "before") != 0 && strcmp(when, "after") != 0)
		return err_set(err, E_USAGE, "when is '%s', neither 'before' nor 'after'", when);
	r->is_late = strcmp(when, "after") == 0;
	if (retry && retry->kind == VAL_INT)
		r->retry_after = arena_printf(&f->arena, "%" PRId64, value_int_or(retry, 0));
	else if (read_text(v, "retry_after", &r->retry_after, err) < 0)
		return -(int)err->code;
	return 0;
}

static int read_rule(struct faults *f, const struct value *given, struct err *err)
{
	struct rule r = { .id = ++f->next_id };
	const struct value *v;

	if (value_need_kind(given, VAL_MAP, "a fault rule", err) < 0)
		return -(int)err->code;
	if (f->count == FAULT_RULES_MAX)
		return err_set(err, E_USAGE, "more than %d fault rules", FAULT_RULES_MAX);
	v = r.given = value_copy(&f->arena, given);
	if (check_keys(v, err) < 0 || read_kind(v, &r, err) < 0 || read_texts(v, &r, err) < 0 ||
	    check_twin(&r, err) < 0 || read_rest(f, v, &r, err) < 0)
		return -(int)err->code;
	f->rules = mem_grow(f->rules, f->count, &f->cap, sizeof(*f->rules));
	f->rules[f->count++] = r;
	return 0;
}

int faults_add(struct faults *f, const struct value *rules, struct err *err)
{
	const struct value *list = value_get(rules, "rules") ? value_get(rules, "rules") : rules;
	size_t before = f->count;

	if (!list || (list->kind != VAL_LIST && list->kind != VAL_MAP))
		return err_set(err, E_USAGE, "the body is no JSON list of fault rules");
	if (list->kind == VAL_MAP)
		return read_rule(f, list, err);
	for (size_t i = 0; i < value_count(list); i++) {
		if (read_rule(f, value_at(list, i), err) < 0) {
			f->count = before;
			return err_wrap(err, "rule %zu", i + 1);
		}
	}
	return 0;
}

struct value *faults_value(const struct faults *f, struct arena *a)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < f->count; i++) {
		struct value *v = value_copy(a, f->rules[i].given);

		value_set(a, v, "seen", value_int(a, f->rules[i].seen));
		value_set(a, v, "fired", value_int(a, f->rules[i].fired));
		value_list_add(a, list, v);
	}
	return list;
}

static bool rule_matches(const struct rule *r, const char *method, const char *path,
			 const char *twin)
{
	if (kinds[r->kind].kind == FAULT_STALE && strcmp(method, "GET") != 0)
		return false;
	return (!r->method || strcmp(r->method, method) == 0) &&
	       (!r->path || strncmp(path, r->path, strlen(r->path)) == 0) &&
	       (!r->contains || strstr(path, r->contains)) &&
	       (!r->twin || (twin && strcmp(r->twin, twin) == 0));
}

static bool rule_fires(struct rule *r)
{
	r->seen++;
	if (r->seen <= r->after || (r->times > 0 && r->fired >= r->times))
		return false;
	r->fired++;
	return true;
}

static void decide(const struct rule *r, struct fault_verdict *v, struct arena *a)
{
	v->kind = kinds[r->kind].kind;
	v->acts = r->acts;
	v->bytes = r->amount;
	v->status = (int)r->code;
	v->rule = r->id;
	/* Copied: the rules may be deleted while this request waits. */
	v->retry_after = arena_strdup(a, r->retry_after);
	v->body = arena_strdup(a, r->body);
	v->content_type = arena_strdup(a, r->content_type);
}

struct fault_verdict faults_ask(struct faults *f, const char *method, const char *path,
				const char *twin, struct arena *a)
{
	struct fault_verdict v = { .acts = true };

	for (size_t i = 0; i < f->count && v.kind == FAULT_NONE; i++) {
		struct rule *r = &f->rules[i];
		const char *name = kinds[r->kind].name;

		if (!rule_matches(r, method, path, twin) || !rule_fires(r))
			continue;
		v.names = v.names ? arena_printf(a, "%s+%s", v.names, name) : name;
		if (kinds[r->kind].kind == FAULT_SLOW)
			v.bytes_per_second = r->amount;
		else if (kinds[r->kind].kind != FAULT_LATENCY)
			decide(r, &v, a);
		else if (r->is_late)
			v.after_ms += r->amount;
		else
			v.before_ms += r->amount;
	}
	return v;
}

const char *faults_stale(struct faults *f, uint64_t rule, const char *url, const char *text)
{
	for (size_t i = 0; i < f->count; i++) {
		struct rule *r = &f->rules[i];

		if (r->id != rule)
			continue;
		for (size_t k = 0; k < r->memory_count; k++)
			if (strcmp(r->memory[k].url, url) == 0)
				return r->memory[k].text;
		if (r->memory_count == STALE_URLS_MAX)
			return text;
		r->memory = arena_grow(&f->arena, r->memory, r->memory_count, &r->memory_cap,
				       sizeof(*r->memory));
		r->memory[r->memory_count++] = (struct memory){
			arena_strdup(&f->arena, url),
			arena_strdup(&f->arena, text),
		};
		return r->memory[r->memory_count - 1].text;
	}
	return text;
}
