/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/s2sctl/session.h"
#include "core/io/json.h"
#include "core/plan/plan_schema.h"
#include "core/plan/schema.h"
#include "core/report/table.h"

int cmd_version(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = { "version", NULL, "Prints the version.", NULL };
	CLEANUP(sb_done) struct sb out = SB_INIT(256);
	int status;

	if (!session_options(s, &c, NULL, argc, argv, 0, 0, &status))
		return status;
	sb_addf(&out, "s2sctl %s\n", S2SCTL_VERSION);
	session_out(s, &out);
	return 0;
}

int cmd_schema(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"schema", "[plan]",
		"Prints the JSON Schema of rollout files, for editors; or of plans.", NULL
	};
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	int status;

	if (!session_options(s, &c, NULL, argc, argv, 0, 1, &status))
		return status;
	if (!s->words.count || strcmp(s->words.items[0], "rollout") == 0) {
		json_write(
			&out,
			schema_to_json(&s->arena, rollout_fields(s->p->registry, &s->arena), NULL,
				       "s2sctl rollout file",
				       "What shall be true of the environments of an integration."),
			JSON_PRETTY, NULL);
	} else if (strcmp(s->words.items[0], "plan") == 0) {
		json_write(&out, plan_schema(&s->arena), JSON_PRETTY, NULL);
	} else {
		err_set(&s->err, E_USAGE, "there is no schema '%s'", s->words.items[0]);
		err_hint(&s->err, "rollout or plan");
		return session_fail(s, &s->err);
	}
	session_out(s, &out);
	return 0;
}

static const char *who_can(const struct change_type *c, struct arena *a)
{
	CLEANUP(sb_done) struct sb sb = SB_INIT(256);

	for (enum executor e = EXEC_OPERATOR; e <= EXEC_API; e++)
		if (c->executors & EXEC_BIT(e))
			sb_addf(&sb, "%s%s%s", sb.len ? ", " : "", executor_name(e),
				e == c->executor_default ? "*" : "");
	if (!sb.len)
		sb_add(&sb, c->apply ? "api" : "-");
	return arena_strdup(a, sb.buf);
}

static void help_things(struct session *s, const char *only, struct sb *out)
{
	for (const struct provider *const *p = s->p->registry->providers; *p; p++)
		for (const struct thing_type *const *t = (*p)->things; t && *t; t++) {
			if (only && strcmp((*t)->name, only) != 0)
				continue;
			sb_addf(out, "%s: %s\n", (*t)->name, (*t)->doc);
			for (const struct fact *f = (*t)->facts; f && f->name; f++)
				sb_addf(out, "    %-22s %s\n", f->name, f->doc);
			for (const struct change_type *const *c = (*t)->changes; c && *c; c++)
				sb_addf(out, "  /%s [%s; %s] %s\n", (*c)->name,
					phase_name((*c)->phase), who_can(*c, &s->arena), (*c)->doc);
		}
}

static void help_gates(struct session *s, struct sb *out)
{
	for (const struct provider *const *p = s->p->registry->providers; *p; p++)
		for (const struct gate_type *const *g = (*p)->gates; g && *g; g++) {
			sb_addf(out, "%s: %s (every %s, deadline %s)\n", (*g)->name, (*g)->doc,
				(*g)->cadence ? (*g)->cadence : "1m",
				(*g)->deadline ? (*g)->deadline : "24h");
			for (const struct field *f = (*g)->fields; f && f->name; f++)
				sb_addf(out, "    %-14s %s%s%s%s\n", f->name, f->doc,
					f->def ? " (default " : "", f->def ? f->def : "",
					f->def ? ")" : "");
		}
}

static void help_capabilities(struct session *s, struct sb *out)
{
	struct report_style style = session_style(s);
	struct table t;

	table_init(&t, 4, (const char *const[]){ "capability", "where", "official", "without it" });
	for (const struct provider *const *p = s->p->registry->providers; *p; p++)
		for (const struct capability *c = (*p)->capabilities; c && c->name; c++)
			table_row(&t, INK_PLAIN,
				  (const char *const[]){ c->name, c->thing, c->official,
							 c->without });
	table_print(&t, &style, 0, out);
	table_done(&t);
}

static void help_all(struct sb *out)
{
	sb_add(out, "s2sctl takes integrations from JWT to OAuth Server-to-Server credentials,\n"
		    "by a reviewed file, step by step, on evidence.\n\ncommands:\n");
	for (const struct command *const *c = commands; *c; c++)
		sb_addf(out, "  %-9s %-18s %s\n", (*c)->name, (*c)->args ? (*c)->args : "",
			(*c)->doc);
	sb_add(out,
	       "\n`s2sctl COMMAND --help` lists a command's options.\n"
	       "`s2sctl help rollout [KEY]`, `help things`, `help gates`, `help capabilities` explain more.\n"
	       "\nexit status: 0 done; 1 failed; 2 changes planned (--detailed-exitcode); 3 waiting, run again;\n"
	       "4 a gate failed; 5 refused; 6 locked; 64 usage or invalid file; 70 bug; 71 out of memory;\n"
	       "130, 143 interrupted, run again\n");
}

int cmd_help(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = { "help", "[TOPIC]",
					  "Explains commands, rollout files, things, gates.",
					  NULL };
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	const char *topic, *key;
	int status;

	if (!session_options(s, &c, NULL, argc, argv, 0, 2, &status))
		return status;
	topic = s->words.items[0];
	key = s->words.items[1];
	if (!topic) {
		help_all(&out);
	} else if (strcmp(topic, "rollout") == 0) {
		if (schema_help(rollout_fields(s->p->registry, &s->arena), key, &out) < 0) {
			err_set(&s->err, E_USAGE, "a rollout file has no key '%s'", key);
			return session_fail(s, &s->err);
		}
	} else if (strcmp(topic, "gates") == 0) {
		help_gates(s, &out);
	} else if (strcmp(topic, "capabilities") == 0) {
		help_capabilities(s, &out);
	} else {
		help_things(s, strcmp(topic, "things") == 0 ? NULL : topic, &out);
		for (const struct command *const *k = commands; !out.len && *k; k++)
			if (strcmp((*k)->name, topic) == 0) {
				const char *const help[] = { "--help" };

				s->words.count = 0;
				return (*k)->run(s, 1, help);
			}
		if (!out.len) {
			err_set(&s->err, E_USAGE, "there is no help on '%s'", topic);
			return session_fail(s, &s->err);
		}
	}
	session_out(s, &out);
	return 0;
}
