/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/fact.h"

#include <string.h>

const struct value *view_want(const struct view *v, const char *dotted)
{
	return value_path(v->want, dotted);
}

const struct observation *view_seen(const struct view *v, const char *thing)
{
	for (size_t i = 0; i < v->seen_count; i++)
		if (strcmp(v->seen[i].thing, thing) == 0)
			return &v->seen[i];
	return NULL;
}

static bool is_known(const struct observation *o)
{
	switch (o->known) {
	case KNOWN_API:
	case KNOWN_BRIDGE:
	case KNOWN_ATTESTED:
	case KNOWN_JOURNAL:
		return true;
	case KNOWN_NOT:
	case KNOWN_DENIED:
	case KNOWN_FENCED:
	case KNOWN_FAILED:
		return false;
	}
	return false;
}

bool view_known(const struct view *v, const char *thing)
{
	const struct observation *o = view_seen(v, thing);

	return o && is_known(o);
}

const struct value *view_fact(const struct view *v, const char *thing, const char *name)
{
	const struct observation *o = view_seen(v, thing);

	return o && is_known(o) ? value_get(o->facts, name) : NULL;
}

const char *view_fact_text(const struct view *v, const char *thing, const char *name)
{
	return value_text(view_fact(v, thing, name));
}

int64_t view_fact_int(const struct view *v, const char *thing, const char *name, int64_t otherwise)
{
	return value_int_or(view_fact(v, thing, name), otherwise);
}

bool view_fact_is(const struct view *v, const char *thing, const char *name, const char *text)
{
	const char *have = view_fact_text(v, thing, name);

	return have && strcmp(have, text) == 0;
}

const struct value *view_mark(const struct view *v, const char *name)
{
	return value_get(v->marks, name);
}

int64_t view_mark_ms(const struct view *v, const char *name)
{
	return value_int_or(view_mark(v, name), 0);
}

const char *known_name(enum known k)
{
	switch (k) {
	case KNOWN_NOT:
		return "not-looked";
	case KNOWN_API:
		return "api";
	case KNOWN_BRIDGE:
		return "bridge";
	case KNOWN_ATTESTED:
		return "attested";
	case KNOWN_JOURNAL:
		return "journal";
	case KNOWN_DENIED:
		return "denied";
	case KNOWN_FENCED:
		return "fenced";
	case KNOWN_FAILED:
		return "failed";
	}
	return "not-looked";
}
