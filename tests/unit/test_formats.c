/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/io/json.h"
#include "core/report/events.h"
#include "core/report/formats.h"
#include "core/report/markdown.h"
#include "core/report/markdown_text.h"
#include "core/report/markup.h"

static const struct report_style plain = { .width = 100 };

static struct value *parsed(struct arena *a, const char *text)
{
	struct err err = ERR_INIT;
	struct value *v = NULL;

	if (json_parse(a, text, strlen(text), NULL, NULL, NULL, &v, &err) < 0)
		fail_msg("%s", err.msg);
	return v;
}

static void write_as(const char *format, const struct report *r, size_t max, struct sb *out)
{
	const struct report_options o = { .style = &plain,
					  .max_bytes = max,
					  .tool_version = "0.0.1" };
	const struct report_format *f;
	struct err err = ERR_INIT;

	assert_int_equal(report_format_find(format, 1u << r->source, &f, &err), 0);
	f->write(r, &o, out);
	assert_false(out->over);
}

/* ---- the table ---- */

static void a_format_is_found_where_it_makes_sense(void **state)
{
	const struct report_format *f = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(report_format_find(NULL, SOURCE_PLAN, &f, &err), 0);
	assert_string_equal(f->name, "text");
	assert_int_equal(report_format_find("sarif", SOURCE_CHECK, &f, &err), 0);
	assert_string_equal(f->name, "sarif");
	assert_int_equal(report_format_find("html", SOURCE_CHECK, &f, &err), -E_USAGE);
	assert_non_null(strstr(err.hint, "junit, sarif, github or gitlab"));
}

static void an_unknown_format_gets_the_nearest_name(void **state)
{
	const struct report_format *f = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(report_format_find("markdwon", SOURCE_PLAN, &f, &err), -E_USAGE);
	assert_string_equal(err.hint, "did you mean 'markdown'?");
	assert_null(f);
}

/* ---- words in Markdown ---- */

static void prose_is(const char *raw, const char *wanted)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	md_prose(&out, raw, CUT_TEXT);
	assert_string_equal(out.buf, wanted);
}

static void plain_words_stay_and_others_get_a_span(void **state)
{
	(void)state;
	prose_is("the app's settings, (as read) are well-known: yes.",
		 "the app's settings, (as read) are well-known: yes.");
	prose_is("ask @octocat", "ask `@octocat`");
	prose_is("see #12, GH-12 and x/y#3.", "see `#12`, `GH-12` and `x/y#3`.");
	prose_is("at https://example.com/x, www.example.com",
		 "at `https://example.com/x`, `www.example.com`");
	prose_is("1. first", "`1.` first");
	prose_is("- a", "`-` a");
	prose_is("commit deadbeef", "commit `deadbeef`");
	prose_is("a|b *c* _d_ <e> &f; \\g [h](i)",
		 "`a\\x7cb` `*c*` `_d_` `<e>` `&f`; `\\g` `[h](i`)");
	prose_is("tick ` and ``two``", "tick `` ` `` and ``` ``two`` ```");
	prose_is("na\xc3\xafve", "na\xc3\xafve");
	prose_is("x\xe2\x80\xaey", "`x\\xe2\\x80\\xaey`");
	prose_is("", "");
}

static void a_span_is_longer_than_what_it_holds(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	md_code(&out, "a``b`c", CUT_NAME);
	assert_string_equal(out.buf, "```a``b`c```");
	sb_reset(&out);
	md_code(&out, " `", CUT_NAME);
	assert_string_equal(out.buf, "``  ` ``");
	sb_reset(&out);
	md_code(&out, "", CUT_NAME);
	assert_string_equal(out.buf, "");
	md_fence(&out, "diff", "+ ````\n");
	assert_string_equal(out.buf, "`````diff\n+ ````\n`````\n");
}

static void markup_is_escaped_for_both_kinds_of_quotes(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	markup_add(&out, "<a b=\"c\" d='e'>&amp;\n", CUT_NAME);
	assert_string_equal(out.buf, "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;\\x0a");
}

/* ---- findings ---- */

static void diags_report(struct arena *a, struct report *r, unsigned line, const char *text)
{
	struct diags d;

	diags_init(&d, a);
	diags_add(&d, DIAG_ERROR, (struct src_pos){ "./a:b,c%.yaml", line, 3 }, "bad,rule:x",
		  "try 100%", "%s", text);
	report_from_diags(r, a, "a.yaml", &d);
}

static void annotations_encode_what_ends_a_property(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct report r;

	(void)state;
	diags_report(&a, &r, 7, "one\n::error::two %0A");
	write_as("github", &r, 0, &out);
	assert_string_equal(out.buf,
			    "::error file=a%3Ab%2Cc%25.yaml,line=7,col=3,title=bad%2Crule%3Ax::"
			    "one\\x0a::error::two %250A%0Ahint: try 100%25\n");
}

static void a_fingerprint_knows_no_line_and_tells_equals_apart(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb one = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb two = SB_INIT(SB_TEXT_MAX);
	const struct value *x, *y;
	struct report r;

	(void)state;
	diags_report(&a, &r, 7, "text");
	write_as("gitlab", &r, 0, &one);
	diags_report(&a, &r, 9, "text");
	*report_add_finding(&r) = r.findings[0];
	write_as("gitlab", &r, 0, &two);
	x = parsed(&a, one.buf);
	y = parsed(&a, two.buf);
	assert_string_equal(value_text(value_get(value_at(x, 0), "fingerprint")),
			    value_text(value_get(value_at(y, 0), "fingerprint")));
	assert_string_not_equal(value_text(value_get(value_at(y, 0), "fingerprint")),
				value_text(value_get(value_at(y, 1), "fingerprint")));
}

static void a_link_in_a_sarif_message_is_broken_up(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct report r;

	(void)state;
	diags_report(&a, &r, 1, "[x](http://example.com)");
	write_as("sarif", &r, 0, &out);
	assert_non_null(strstr(out.buf, "[x] (http://example.com)"));
	assert_non_null(strstr(out.buf, "\"uri\": \"a%3Ab%2Cc%25.yaml\""));
}

/* ---- documents of any shape ---- */

static void every_format_survives_a_document_of_another_shape(void **state)
{
	static const char *const docs[] = {
		"{}",
		"{\"environments\":3,\"steps\":\"x\",\"summary\":[]}",
		"{\"environments\":[{},7,null,{\"name\":\"a\",\"facts\":[1],\"findings\":{\"a\":1}}],"
		"\"steps\":[null,{\"address\":\"a/b\",\"environments\":[\"a\",\"zzz\",4],\"needs\":[\"a/b\",\"no\"],"
		"\"gates\":[3,{\"limits\":[]}],\"before\":1,\"after\":{\"x\":null},\"undo\":\"never\"}]}",
		"{\"environments\":[{\"name\":\"a\"},{\"name\":\"a\"}],\"steps\":[{\"address\":\"x\",\"environments\":"
		"[\"a\",\"a\"],\"earliest_ms\":-9223372036854775,\"undo\":{\"kind\":\"never\"}}],"
		"\"summary\":{\"earliest_finish_ms\":9007199254740991}}",
	};
	static const char *const logs[] = {
		"[]",
		"[{\"type\":\"run\"},{\"type\":\"step\",\"run\":\"x\"},{\"type\":\"zzz\"},{}]",
		"[{\"type\":\"run\",\"run\":\"r\",\"at\":\"x\",\"plan\":{\"steps\":[{\"address\":\"s\"}]}},"
		"{\"type\":\"sample\",\"run\":\"r\",\"step\":\"s\",\"gate\":3},{\"type\":\"new\",\"run\":\"r\",\"step\":\"s\"},"
		"{\"type\":\"suspend\",\"run\":\"r\",\"waits\":[1]}]",
	};

	(void)state;
	for (const struct report_format *f = report_formats; f->name; f++)
		for (size_t i = 0; i < ARRAY_LEN(docs) + ARRAY_LEN(logs); i++) {
			CLEANUP(arena_done) struct arena a = ARENA_INIT;
			CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
			struct report r;

			if (i < ARRAY_LEN(docs))
				report_from_plan(&r, &a, parsed(&a, docs[i]));
			else
				report_from_journal(&r, &a, parsed(&a, logs[i - ARRAY_LEN(docs)]));
			write_as(f->name, &r, 0, &out);
		}
}

static void markdown_is_never_longer_than_it_may_be(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb doc = SB_INIT(SB_TEXT_MAX);
	struct report r;

	(void)state;
	sb_add(&doc, "{\"rollout\":\"f\",\"environments\":[");
	for (int i = 0; i < 300; i++)
		sb_addf(&doc, "%s{\"name\":\"e%d\",\"outlook\":\"nothing\"}", i ? "," : "", i);
	sb_add(&doc, "]}");
	report_from_plan(&r, &a, parsed(&a, doc.buf));
	for (size_t max = MARKDOWN_BYTES_MIN; max < 20000; max += 977) {
		CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

		write_as("markdown", &r, max, &out);
		assert_true(out.len <= max);
		assert_int_equal(strstr(out.buf, "**Cut here**") != NULL, max < 13000);
	}
}

static void a_graph_that_is_left_out_is_said_to_be(void **state)
{
	(void)state;
	for (int steps = 60; steps <= 61; steps++) {
		CLEANUP(arena_done) struct arena a = ARENA_INIT;
		CLEANUP(sb_done) struct sb doc = SB_INIT(SB_TEXT_MAX), out = SB_INIT(SB_TEXT_MAX);
		struct report r;

		sb_add(&doc,
		       "{\"rollout\":\"f\",\"environments\":[{\"name\":\"e\",\"outlook\":\"changes\"}],\"steps\":[");
		for (int i = 0; i < steps; i++)
			sb_addf(&doc,
				"%s{\"address\":\"e/t/c%d\",\"environments\":[\"e\"],\"phase\":\"prove\"}",
				i ? "," : "", i);
		sb_add(&doc, "]}");
		report_from_plan(&r, &a, parsed(&a, doc.buf));
		write_as("markdown", &r, 0, &out);
		assert_int_equal(strstr(out.buf, "```mermaid") != NULL, steps == 60);
		assert_int_equal(strstr(out.buf, "No graph of what waits for what: of 61 steps") !=
					 NULL,
				 steps == 61);
	}
}

/* ---- events ---- */

struct heard {
	struct sb lines;
	size_t count;
};

static void hear(void *ctx, const struct sb *line)
{
	struct heard *h = ctx;

	assert_int_equal(line->buf[line->len - 1], '\n');
	assert_int_equal(strcspn(line->buf, "\n"), line->len - 1);
	sb_addn(&h->lines, line->buf, line->len);
	h->count++;
}

static int64_t noon(void *ctx)
{
	(void)ctx;
	return INT64_C(1795435200000);
}

static void events_are_one_line_each_with_their_time(void **state)
{
	static const char *const names[] = { "dev", NULL };
	const struct sys sys = { .wall_ms = noon };
	struct heard h = { .lines = SB_INIT(SB_TEXT_MAX) };
	const struct events e = { .write = hear, .ctx = &h, .sys = &sys };
	CLEANUP(arena_done) struct arena a = ARENA_INIT;

	(void)state;
	events_version(&e, "9");
	events_started(&e, "apply", "f.yaml", names);
	events_step(&e, "progress", "begins", "dev/x", "a\nb", 0);
	events_step(&e, NULL, NULL, "dev/x", "not told", 0);
	events_record(
		&e,
		parsed(&a,
		       "{\"type\":\"sample\",\"step\":\"dev/x\",\"verdict\":\"pass\",\"seen\":[1]}"));
	events_record(&e,
		      parsed(&a, "{\"type\":\"suspend\",\"waits\":{\"dev/x\":{\"for\":\"y\"}}}"));
	events_record(&e, parsed(&a, "{\"type\":\"mint\"}"));
	events_summary(&e, 3, &(struct events_result){ .text = "z" });
	assert_int_equal(h.count, 6);
	assert_string_equal(
		h.lines.buf,
		"{\"event\":\"version\",\"at\":\"2026-11-23T12:00:00Z\",\"version\":1,\"tool_version\":\"9\"}\n"
		"{\"event\":\"started\",\"at\":\"2026-11-23T12:00:00Z\",\"command\":\"apply\",\"rollout\":\"f.yaml\","
		"\"environments\":[\"dev\"]}\n"
		"{\"event\":\"progress\",\"at\":\"2026-11-23T12:00:00Z\",\"step\":\"dev/x\",\"state\":\"begins\","
		"\"text\":\"a\\\\x0ab\"}\n"
		"{\"event\":\"sample\",\"at\":\"2026-11-23T12:00:00Z\",\"step\":\"dev/x\",\"verdict\":\"pass\",\"until\":null}\n"
		"{\"event\":\"waits\",\"at\":\"2026-11-23T12:00:00Z\",\"step\":\"dev/x\",\"text\":\"y\",\"until\":null}\n"
		"{\"event\":\"summary\",\"at\":\"2026-11-23T12:00:00Z\",\"exit\":3,\"name\":\"waiting\",\"text\":\"z\"}\n");
	sb_done(&h.lines);
}

static void nobody_listening_costs_nothing(void **state)
{
	const struct events e = { .write = NULL };

	(void)state;
	events_version(&e, "9");
	events_started(&e, "plan", "f", NULL);
	events_planned(&e, NULL, false);
	events_step(&e, "done", NULL, "s", "t", 0);
	events_record(&e, NULL);
	events_instruct(&e, "s", "p", NULL, 0, "c", "a");
	events_summary(&e, 0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_format_is_found_where_it_makes_sense),
		cmocka_unit_test(an_unknown_format_gets_the_nearest_name),
		cmocka_unit_test(plain_words_stay_and_others_get_a_span),
		cmocka_unit_test(a_span_is_longer_than_what_it_holds),
		cmocka_unit_test(markup_is_escaped_for_both_kinds_of_quotes),
		cmocka_unit_test(annotations_encode_what_ends_a_property),
		cmocka_unit_test(a_fingerprint_knows_no_line_and_tells_equals_apart),
		cmocka_unit_test(a_link_in_a_sarif_message_is_broken_up),
		cmocka_unit_test(every_format_survives_a_document_of_another_shape),
		cmocka_unit_test(markdown_is_never_longer_than_it_may_be),
		cmocka_unit_test(a_graph_that_is_left_out_is_said_to_be),
		cmocka_unit_test(events_are_one_line_each_with_their_time),
		cmocka_unit_test(nobody_listening_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
