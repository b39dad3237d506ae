/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings_json.c - findings as JSON that others have defined.
 */
#include <string.h>

#include "core/io/json.h"
#include "core/report/findings_private.h"

static void set_text(struct arena *a, struct value *m, const char *key, const char *text)
{
	value_set(a, m, key, value_string(a, text));
}

static struct value *text_map(struct arena *a, const char *key, const char *text)
{
	struct value *m = value_map(a);

	set_text(a, m, key, text);
	return m;
}

/* ---- SARIF ---- */

static const char *sarif_level(enum report_level l)
{
	return l == LEVEL_ERROR ? "error" : l == LEVEL_WARNING ? "warning" : "note";
}

/* "[words](target)" is a link in a SARIF message, and a server's words are none. */
static const char *unlinked(struct arena *a, const char *text)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	for (const char *p = text; *p; p++) {
		sb_addc(&out, *p);
		if (p[0] == ']' && p[1] == '(')
			sb_addc(&out, ' ');
	}
	return arena_strdup(a, out.buf);
}

/* A path as a relative reference; an absolute one as a file URI. */
static const char *uri_of(struct arena *a, const char *path)
{
	CLEANUP(sb_done) struct sb uri = SB_INIT(SB_TEXT_MAX);

	if (path[0] == '/')
		sb_add(&uri, "file://");
	for (const char *p = path; *p; p++) {
		char one[2] = { *p, '\0' };

		if (*p == '/')
			sb_addc(&uri, '/');
		else
			sb_add_escaped(&uri, one);
	}
	return arena_strdup(a, uri.buf);
}

static struct value *sarif_location(struct arena *a, const struct report_finding *f)
{
	struct value *loc = value_map(a), *place = value_map(a), *region = value_map(a);

	value_set(a, region, "startLine", value_int(a, f->pos.line ? f->pos.line : 1));
	if (f->pos.line && f->pos.col)
		value_set(a, region, "startColumn", value_int(a, f->pos.col));
	value_set(a, place, "artifactLocation", text_map(a, "uri", uri_of(a, finding_path(a, f))));
	value_set(a, place, "region", region);
	value_set(a, loc, "physicalLocation", place);
	if (*f->env) {
		struct value *names = value_list(a), *one = value_map(a);
		CLEANUP(sb_done) struct sb name = SB_INIT(SB_TEXT_MAX);

		text_add(&name, *f->step ? f->step : f->env, CUT_VALUE);
		set_text(a, one, "fullyQualifiedName", name.buf);
		value_list_add(a, names, one);
		value_set(a, loc, "logicalLocations", names);
	}
	return loc;
}

struct rules {
	struct arena *arena;
	struct value *index, *list;
};

/* The words of a rule are its name: "client-mismatch" is "client mismatch". */
static int64_t rule_index(struct rules *rules, const struct report_finding *f, const char *id)
{
	struct arena *a = rules->arena;
	const struct value *at = value_get(rules->index, id);
	int64_t n = (int64_t)value_count(rules->list);
	const char *hint = finding_hint(a, f);
	struct value *rule;
	char *words;

	if (at)
		return at->u.i;
	rule = value_map(a);
	words = arena_strdup(a, id);
	for (char *p = words; *p; p++)
		*p = *p == '-' ? ' ' : *p;
	set_text(a, rule, "id", id);
	value_set(a, rule, "shortDescription", text_map(a, "text", unlinked(a, words)));
	if (*hint)
		value_set(a, rule, "help", text_map(a, "text", unlinked(a, hint)));
	value_set(a, rule, "defaultConfiguration", text_map(a, "level", sarif_level(f->level)));
	value_list_add(a, rules->list, rule);
	value_set(a, rules->index, id, value_int(a, n));
	return n;
}

static struct value *sarif_result(struct rules *rules, struct fingerprints *prints,
				  const struct report_finding *f)
{
	struct arena *a = rules->arena;
	struct value *m = value_map(a), *locations = value_list(a);
	const char *id = finding_rule(a, f);

	value_list_add(a, locations, sarif_location(a, f));
	set_text(a, m, "ruleId", id);
	value_set(a, m, "ruleIndex", value_int(a, rule_index(rules, f, id)));
	set_text(a, m, "level", sarif_level(f->level));
	value_set(a, m, "message", text_map(a, "text", unlinked(a, finding_message(a, f))));
	value_set(a, m, "locations", locations);
	value_set(a, m, "partialFingerprints",
		  text_map(a, "s2sctl/v1", finding_fingerprint(prints, f)));
	return m;
}

void report_sarif(const struct report *r, const struct report_options *o, struct sb *out)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct rules rules = { &a, value_map(&a), value_list(&a) };
	struct fingerprints prints = { &a, value_map(&a) };
	struct value *doc = value_map(&a), *runs = value_list(&a), *run = value_map(&a),
		     *driver = value_map(&a), *tool = value_map(&a), *results = value_list(&a);

	for (size_t i = 0; i < r->finding_count; i++)
		value_list_add(&a, results, sarif_result(&rules, &prints, &r->findings[i]));
	set_text(&a, driver, "name", "s2sctl");
	if (o->tool_version)
		set_text(&a, driver, "semanticVersion", o->tool_version);
	value_set(&a, driver, "rules", rules.list);
	value_set(&a, tool, "driver", driver);
	value_set(&a, run, "tool", tool);
	set_text(&a, run, "columnKind", "unicodeCodePoints");
	value_set(&a, run, "results", results);
	value_list_add(&a, runs, run);
	set_text(&a, doc, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	set_text(&a, doc, "version", "2.1.0");
	value_set(&a, doc, "runs", runs);
	json_write(out, doc, JSON_PRETTY, NULL);
}

/* ---- code quality ---- */

static struct value *issue_of(struct arena *a, struct fingerprints *prints,
			      const struct report_finding *f)
{
	struct value *m = value_map(a), *loc = value_map(a), *lines = value_map(a);

	value_set(a, lines, "begin", value_int(a, f->pos.line ? f->pos.line : 1));
	set_text(a, loc, "path", finding_path(a, f));
	value_set(a, loc, "lines", lines);
	set_text(a, m, "description", finding_message(a, f));
	set_text(a, m, "check_name", finding_rule(a, f));
	set_text(a, m, "fingerprint", finding_fingerprint(prints, f));
	set_text(a, m, "severity",
		 f->level == LEVEL_ERROR   ? "major" :
		 f->level == LEVEL_WARNING ? "minor" :
					     "info");
	value_set(a, m, "location", loc);
	return m;
}

void report_gitlab(const struct report *r, const struct report_options *o, struct sb *out)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct fingerprints prints = { &a, value_map(&a) };
	struct value *list = value_list(&a);

	(void)o;
	for (size_t i = 0; i < r->finding_count; i++)
		value_list_add(&a, list, issue_of(&a, &prints, &r->findings[i]));
	json_write(out, list, JSON_PRETTY, NULL);
}
