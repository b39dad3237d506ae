/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/session.h"
#include "core/io/json.h"
#include "core/report/table.h"
#include "core/run/apply.h"
#include "core/run/planner.h"

static const struct observation *find_seen(const struct env_state *env, const char *thing)
{
	for (size_t i = 0; i < env->thing_count; i++)
		if (strcmp(env->seen[i].thing, thing) == 0)
			return &env->seen[i];
	return NULL;
}

/* What a capability's thing is: "thing" or "thing/change". */
static const char *thing_of(struct session *s, const struct capability *c)
{
	return arena_strndup(&s->arena, c->thing, strcspn(c->thing, "/"));
}

static const char *verdict(struct session *s, const struct env_state *env,
			   const struct capability *c, bool *is_missing)
{
	const struct observation *o = find_seen(env, thing_of(s, c));
	const char *change = strchr(c->thing, '/');

	*is_missing = false;
	if (change) {
		const struct change_type *t =
			registry_change(s->p->registry, thing_of(s, c), change + 1);

		if (!t)
			return "a person"; /* nothing that this tool does */
		switch (rollout_executor(env->env, t->capability)) {
		case EXEC_OPERATOR:
			return "a person";
		case EXEC_BRIDGE:
			return "bridge";
		case EXEC_API:
			return "not tried"; /* it would write, or mint */
		case EXEC_NONE:
			break;
		}
		return "-";
	}
	if (!o || o->known == KNOWN_NOT)
		return "when needed";
	*is_missing =
		o->known == KNOWN_DENIED || o->known == KNOWN_FENCED || o->known == KNOWN_FAILED;
	if (!*is_missing && c->fact && !value_bool_or(value_get(o->facts, c->fact), false)) {
		*is_missing = true;
		return "a person";
	}
	return o->known == KNOWN_API ? "yes" : known_name(o->known);
}

struct checkup {
	struct session *s;
	size_t open;
};

static void env_read(void *arg, struct env_state *env)
{
	struct checkup *k = arg;

	(void)env;
	k->open--;
}

static bool report(struct session *s, const struct env_state *env, struct value *doc,
		   struct sb *out)
{
	struct report_style style = session_style(s);
	struct table t;
	bool failed = false;
	struct value *rows = value_list(&s->arena);

	sb_addf(out, "%s\n", env->env->name);
	table_init(&t, 4,
		   (const char *const[]){ "capability", "works", "official",
					  "what its absence costs" });
	for (const struct provider *const *p = s->p->registry->providers; *p; p++)
		for (const struct capability *c = (*p)->capabilities; c && c->name; c++) {
			bool missing;
			const char *works = verdict(s, env, c, &missing);
			const struct observation *o = find_seen(env, thing_of(s, c));
			const char *cost = !missing    ? "" :
					   o && o->why ? arena_printf(&s->arena, "%s (%s)",
								      c->without, o->why) :
							 c->without;
			struct value *row = value_map(&s->arena);

			failed |= o && o->known == KNOWN_FAILED;
			table_row(&t, missing ? INK_YELLOW : INK_PLAIN,
				  (const char *const[]){ c->name, works, c->official, cost });
			value_set(&s->arena, row, "capability", value_string(&s->arena, c->name));
			value_set(&s->arena, row, "works", value_string(&s->arena, works));
			value_set(&s->arena, row, "official", value_string(&s->arena, c->official));
			value_set(&s->arena, row, "cost", value_string(&s->arena, cost));
			value_list_add(&s->arena, rows, row);
		}
	table_print(&t, &style, 2, out);
	table_done(&t);
	sb_addc(out, '\n');
	value_set(&s->arena, doc, env->env->name, rows);
	return !failed;
}

int cmd_doctor(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"doctor", "FILE",
		"Reads every system and says what the given credentials can do, and what each gap costs. Changes nothing.",
		NULL
	};
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct checkup k = { .s = s };
	struct env_state **states;
	struct value *doc;
	struct observer ob;
	size_t n = 0;
	bool json, ok = true;
	int status;
	const struct opt own[] = {
		{ "format", 0, OPT_TEXT, "FORMAT", "text (default) or json", &s->common.format },
		{ "env", 0, OPT_LIST, "NAME", "only this environment; may be repeated",
		  &s->common.env },
		{ "time-scale", 0, OPT_TEXT, "N", "for sandboxes: divide own sleeping by N",
		  &s->common.time_scale },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !session_wants_json(s, &json, &status) ||
	    !session_load(s, s->words.items[0], &status) || !session_select(s, &status) ||
	    !session_connect(s, &status))
		return status;
	while (s->envs[n])
		n++;
	states = arena_array(&s->arena, n + 1, sizeof(struct env_state *));
	ob = (struct observer){ .caller = caller_new(&s->calls), .o = &s->calls };
	k.open = n;
	for (size_t i = 0; i < n; i++) {
		states[i] = env_state_new(s->p->registry, s->envs[i]);
		round_start(&ob, states[i], NULL, env_read, &k);
	}
	while (k.open && !s->p->sys->signalled(s->p->sys->ctx))
		caller_pump(ob.caller, 1000);
	doc = value_map(&s->arena);
	for (size_t i = 0; i < n; i++)
		ok &= report(s, states[i], doc, &out);
	if (json) {
		sb_reset(&out);
		json_write(&out, doc, JSON_CANONICAL, NULL);
		sb_addc(&out, '\n');
	}
	session_out(s, &out);
	caller_free(ob.caller);
	for (size_t i = 0; i < n; i++)
		env_state_free(states[i]);
	return k.open ? 130 : ok ? 0 : 1;
}
