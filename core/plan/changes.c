/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan/changes.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/sb.h"

void changes_add(struct changes *c, const struct change_type *type, const struct value *before,
		 const struct value *after, const char *reason)
{
	c->list = arena_grow(c->arena, c->list, c->count, &c->cap, sizeof(*c->list));
	c->list[c->count++] =
		(struct change){ .thing = c->current,
				 .type = type,
				 .before = before ? value_copy(c->arena, before) : NULL,
				 .after = after ? value_copy(c->arena, after) : NULL,
				 .reason = arena_strdup(c->arena, reason),
				 .undo = type->undo,
				 .undo_doc = type->undo_doc };
}

void changes_undo(struct changes *c, enum undo undo, const char *doc)
{
	if (!c->count)
		return;
	c->list[c->count - 1].undo = undo;
	c->list[c->count - 1].undo_doc = arena_strdup(c->arena, doc);
}

bool changes_have(const struct changes *c, const char *thing, const char *change)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->list[i].thing->name, thing) == 0 &&
		    strcmp(c->list[i].type->name, change) == 0)
			return true;
	return false;
}

void changes_find(struct changes *c, enum finding_kind kind, const char *rule, const char *hint,
		  const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb raw = SB_INIT(4096), text = SB_INIT(8192);
	va_list ap;

	va_start(ap, fmt);
	sb_addv(&raw, fmt, ap);
	va_end(ap);
	sb_add_visible(&text, raw.buf); /* titles and the like are a server's words */

	c->findings = arena_grow(c->arena, c->findings, c->finding_count, &c->finding_cap,
				 sizeof(*c->findings));
	c->findings[c->finding_count++] =
		(struct finding){ .kind = kind,
				  .rule = arena_strdup(c->arena, rule),
				  .text = arena_strdup(c->arena, text.buf),
				  .hint = arena_strdup(c->arena, hint) };
}

void changes_attest(struct changes *c, const char *thing, const char *const *facts, const char *why,
		    const char *step)
{
	const struct thing_type *t = registry_thing(c->registry, thing);

	c->attests = arena_grow(c->arena, c->attests, c->attest_count, &c->attest_cap,
				sizeof(*c->attests));
	c->attests[c->attest_count++] = (struct attest_need){ .thing = t ? t : c->current,
							      .facts = facts,
							      .why = arena_strdup(c->arena, why),
							      .step = step };
}

struct arena *changes_arena(struct changes *c)
{
	return c->arena;
}

bool changes_found(const struct changes *c, enum finding_kind kind)
{
	for (size_t i = 0; i < c->finding_count; i++)
		if (c->findings[i].kind == kind)
			return true;
	return false;
}

bool changes_attest_now(const struct changes *c)
{
	for (size_t i = 0; i < c->attest_count; i++)
		if (!c->attests[i].step)
			return true;
	return false;
}

static int collect(struct changes *c, const struct registry *reg, struct arena *a,
		   const struct view *view, enum direction way, struct err *err)
{
	*c = (struct changes){ .arena = a, .registry = reg };

	for (const struct provider *const *p = reg->providers; *p; p++)
		for (const struct thing_type *const *t = (*p)->things; t && *t; t++) {
			int (*diff)(const struct view *, struct changes *, struct err *) =
				way == DIRECTION_BACK ? (*t)->diff_back : (*t)->diff;

			if (!diff)
				continue;
			c->current = *t;
			if (diff(view, c, err) < 0)
				return err_wrap(err, "%s: %s", view->env, (*t)->name);
		}
	c->current = NULL;
	return 0;
}

int changes_collect(struct changes *c, const struct registry *reg, struct arena *a,
		    const struct view *view, struct err *err)
{
	return collect(c, reg, a, view, DIRECTION_FORWARD, err);
}

int changes_collect_back(struct changes *c, const struct registry *reg, struct arena *a,
			 const struct view *view, struct err *err)
{
	return collect(c, reg, a, view, DIRECTION_BACK, err);
}
