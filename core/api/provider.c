/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/provider.h"

#include <string.h>

const char *phase_name(enum phase p)
{
	switch (p) {
	case PHASE_EXPAND:
		return "expand";
	case PHASE_SWITCH:
		return "switch";
	case PHASE_PROVE:
		return "prove";
	case PHASE_CONTRACT:
		return "contract";
	}
	return "expand";
}

const char *executor_name(enum executor e)
{
	switch (e) {
	case EXEC_NONE:
		return "none";
	case EXEC_OPERATOR:
		return "operator";
	case EXEC_BRIDGE:
		return "bridge";
	case EXEC_API:
		return "api";
	}
	return "none";
}

const char *direction_name(enum direction d)
{
	return d == DIRECTION_BACK ? "back" : "forward";
}

const char *undo_name(enum undo u)
{
	switch (u) {
	case UNDO_NOTHING:
		return "nothing";
	case UNDO_STEP:
		return "step";
	case UNDO_PERSON:
		return "person";
	case UNDO_GONE:
		return "gone";
	case UNDO_NEVER:
		return "never";
	}
	return "never";
}

const struct thing_type *registry_thing(const struct registry *r, const char *name)
{
	for (const struct provider *const *p = r->providers; *p; p++)
		for (const struct thing_type *const *t = (*p)->things; t && *t; t++)
			if (strcmp((*t)->name, name) == 0)
				return *t;
	return NULL;
}

const struct gate_type *registry_gate(const struct registry *r, const char *name)
{
	for (const struct provider *const *p = r->providers; *p; p++)
		for (const struct gate_type *const *g = (*p)->gates; g && *g; g++)
			if (strcmp((*g)->name, name) == 0)
				return *g;
	return NULL;
}

const struct change_type *registry_change(const struct registry *r, const char *thing,
					  const char *change)
{
	const struct thing_type *t = registry_thing(r, thing);

	for (const struct change_type *const *c = t ? t->changes : NULL; c && *c; c++)
		if (strcmp((*c)->name, change) == 0)
			return *c;
	return NULL;
}

const struct connection_type *registry_connection(const struct registry *r, const char *name)
{
	for (const struct provider *const *p = r->providers; *p; p++)
		for (const struct connection_type *const *c = (*p)->connections; c && *c; c++)
			if (strcmp((*c)->name, name) == 0)
				return *c;
	return NULL;
}
