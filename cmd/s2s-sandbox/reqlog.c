/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2s-sandbox/reqlog.h"

#include "core/base/mem.h"
#include "core/base/when.h"

#include <string.h>

struct reqlog {
	struct arena texts;
	struct reqlog_entry *list;
	size_t count, cap;
	uint64_t dropped;
};

struct reqlog *reqlog_new(void)
{
	return mem_alloc(sizeof(struct reqlog));
}

void reqlog_clear(struct reqlog *l)
{
	arena_done(&l->texts);
	mem_free(l->list);
	*l = (struct reqlog){ 0 };
}

void reqlog_free(struct reqlog *l)
{
	if (!l)
		return;
	reqlog_clear(l);
	mem_free(l);
}

void reqlog_add(struct reqlog *l, const struct reqlog_entry *e)
{
	struct reqlog_entry *mine;

	if (l->count == REQLOG_MAX) {
		l->dropped++;
		return;
	}
	l->list = mem_grow(l->list, l->count, &l->cap, sizeof(*l->list));
	mine = &l->list[l->count++];
	*mine = *e;
	mine->method = arena_strdup(&l->texts, e->method);
	mine->path = arena_strdup(&l->texts, e->path);
	mine->fault = arena_strdup(&l->texts, e->fault);
}

struct value *reqlog_entry_value(const struct reqlog_entry *e, struct arena *a)
{
	struct value *v = value_map(a);

	value_set(a, v, "at", value_instant(a, e->at_ms));
	value_set(a, v, "method", value_string(a, e->method));
	value_set(a, v, "path", value_string(a, e->path));
	value_set(a, v, "twin", value_string(a, e->twin));
	value_set(a, v, "status", value_int(a, e->status));
	value_set(a, v, "twin_status", value_int(a, e->twin_status));
	value_set(a, v, "fault", value_string(a, e->fault));
	return v;
}

static bool same_or_any(const struct value *filter, const char *key, const char *text)
{
	const char *want = value_text(value_get(filter, key));

	return !want || (text && strcmp(want, text) == 0);
}

static bool passes(const struct value *filter, int64_t since_ms, const struct reqlog_entry *e)
{
	const char *prefix = value_text_or(value_get(filter, "path"), "");

	return e->at_ms >= since_ms && same_or_any(filter, "method", e->method) &&
	       same_or_any(filter, "twin", e->twin) &&
	       strncmp(e->path, prefix, strlen(prefix)) == 0;
}

int reqlog_value(const struct reqlog *l, const struct value *filter, struct arena *a,
		 struct value **ret, struct err *err)
{
	struct value *v = value_map(a), *list = value_list(a);
	const char *since = value_text(value_get(filter, "since"));
	int64_t since_ms = INT64_MIN, count = 0;

	if (since && when_parse(since, &since_ms, NULL, err) < 0)
		return err_wrap(err, "since");
	for (size_t i = 0; i < l->count; i++) {
		if (!passes(filter, since_ms, &l->list[i]))
			continue;
		value_list_add(a, list, reqlog_entry_value(&l->list[i], a));
		count++;
	}
	value_set(a, v, "count", value_int(a, count));
	value_set(a, v, "dropped", value_int(a, (int64_t)l->dropped));
	value_set(a, v, "requests", list);
	*ret = v;
	return 0;
}
