/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2sctl/plan_words.h"

#include <string.h>
#include <unistd.h>

#include "core/io/checker.h"
#include "core/io/file.h"
#include "core/io/json.h"

#define SAID_MAX 65536 /* of what a checker says */

int plan_save(struct session *s, struct plan *p, const char *path)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX * 4);

	json_write(&text, plan_seal(p), JSON_CANONICAL, NULL);
	sb_addc(&text, '\n');
	if (file_write(path, text.buf, text.len, 0644, &s->err) < 0)
		return session_fail(s, &s->err);
	return 0;
}

int plan_checked_by(struct session *s, const struct value *doc, const char *command)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX * 4), raw = SB_INIT(SAID_MAX);
	CLEANUP(sb_done) struct sb said = SB_INIT(SAID_MAX * 5);
	int rc;

	if (!command)
		return 0;
	json_write(&text, doc, JSON_CANONICAL, NULL);
	sb_addc(&text, '\n');
	rc = checker_run(command, text.buf, text.len, s->p->sys, &raw, &s->err);
	for (const char *at = raw.buf; *at;) {
		size_t len = strcspn(at, "\n");
		const char *line = arena_strndup(&s->arena, at, len);

		sb_add(&said, "policy check: ");
		sb_add_visible(&said, line);
		sb_addc(&said, '\n');
		at += len + (at[len] == '\n');
	}
	session_talk(s, &said);
	return rc < 0 ? session_fail(s, &s->err) : 0;
}

/* Whether a name leads up, or from the root: anywhere at all. */
static bool leads_out(const char *name)
{
	for (const char *at = name; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
			return true;
	}
	return *name == '/';
}

const char *plan_rollout_path(struct session *s, const struct plan_file *f, const char *given,
			      struct err *err)
{
	const char *named = value_text_or(value_get(f->doc, "rollout"), "");
	const char *slash = strrchr(f->path, '/'), *base = strrchr(named, '/');
	int folder = slash ? (int)(slash - f->path) + 1 : 0;
	const char *tries[] = {
		leads_out(named) ? NULL : arena_printf(&s->arena, "%.*s%s", folder, f->path, named),
		arena_printf(&s->arena, "%.*s%s", folder, f->path, base ? base + 1 : named),
	};

	if (given)
		return given;
	for (size_t i = 0; i < ARRAY_LEN(tries); i++)
		if (tries[i] && access(tries[i], F_OK) == 0)
			return tries[i];
	if (!leads_out(named))
		return named;
	err_set(err, E_REFUSED,
		"%s: its rollout file would be '%.200s', and a plan is not believed where that leads",
		f->path, named);
	err_hint(err, "name the file yourself, behind the plan");
	return NULL;
}

const char *plan_approvals_path(struct session *s, const char *plan_path)
{
	return arena_printf(&s->arena, "%s" APPROVALS_SUFFIX, plan_path);
}
