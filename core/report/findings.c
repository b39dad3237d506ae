/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "core/report/findings_private.h"

static const char *masked(struct arena *a, const char *raw, size_t max)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	text_add(&text, raw, max);
	return arena_strdup(a, text.buf);
}

const char *finding_rule(struct arena *a, const struct report_finding *f)
{
	return *f->rule ? masked(a, f->rule, CUT_NAME) : "unnamed";
}

const char *finding_message(struct arena *a, const struct report_finding *f)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	if (*f->env) {
		text_add(&text, f->env, CUT_NAME);
		sb_add(&text, ": ");
	}
	text_add(&text, f->text, CUT_TEXT);
	return arena_strdup(a, text.buf);
}

const char *finding_hint(struct arena *a, const struct report_finding *f)
{
	return masked(a, f->hint, CUT_TEXT);
}

const char *finding_path(struct arena *a, const struct report_finding *f)
{
	const char *path = f->pos.file && *f->pos.file ? f->pos.file : "rollout.yaml";

	while (path[0] == '.' && path[1] == '/' && path[2])
		path += 2;
	return masked(a, path, 1024);
}

const char *finding_fingerprint(struct fingerprints *p, const struct report_finding *f)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	char hex[DIGEST_HEX_LEN + 1];
	int64_t times;

	sb_addf(&text, "%s\n%s\n%s\n%s\n%s", f->rule, finding_path(p->arena, f), f->env, f->step,
		f->text);
	digest_hex(text.buf, text.len, hex);
	times = value_int_or(value_get(p->seen, hex), 0) + 1;
	value_set(p->arena, p->seen, hex, value_int(p->arena, times));
	if (times > 1) {
		sb_addf(&text, "\n%" PRId64, times);
		digest_hex(text.buf, text.len, hex);
	}
	return arena_strdup(p->arena, hex);
}

/* ---- workflow commands ---- */

static void add_encoded(struct sb *out, const char *text, bool is_property)
{
	for (const char *p = text; *p; p++) {
		if (*p == '%')
			sb_add(out, "%25");
		else if (is_property && *p == ':')
			sb_add(out, "%3A");
		else if (is_property && *p == ',')
			sb_add(out, "%2C");
		else
			sb_addc(out, *p);
	}
}

static const char *command_of(enum report_level l)
{
	return l == LEVEL_ERROR ? "error" : l == LEVEL_WARNING ? "warning" : "notice";
}

static void put_command(struct arena *a, const struct report_finding *f, struct sb *out)
{
	const char *hint = finding_hint(a, f);

	sb_addf(out, "::%s file=", command_of(f->level));
	add_encoded(out, finding_path(a, f), true);
	sb_addf(out, ",line=%u", f->pos.line ? f->pos.line : 1);
	if (f->pos.line && f->pos.col)
		sb_addf(out, ",col=%u", f->pos.col);
	sb_add(out, ",title=");
	add_encoded(out, finding_rule(a, f), true);
	sb_add(out, "::");
	add_encoded(out, finding_message(a, f), false);
	if (*hint) {
		sb_add(out, "%0Ahint: ");
		add_encoded(out, hint, false);
	}
	sb_addc(out, '\n');
}

void report_github(const struct report *r, const struct report_options *o, struct sb *out)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)o;
	for (size_t i = 0; i < r->finding_count; i++)
		put_command(&a, &r->findings[i], out);
	for (size_t i = 0; i < r->run_count; i++) {
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

		report_headline(r, &r->runs[i], &text);
		sb_addf(out, "::notice title=s2sctl %s::",
			r->source == REPORT_PLAN ? "plan" : "journal");
		add_encoded(out, text.buf, false);
		sb_addc(out, '\n');
	}
}
