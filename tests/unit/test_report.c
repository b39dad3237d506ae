/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/secret.h"
#include "core/api/provider.h"
#include "core/base/when.h"
#include "core/io/json.h"
#include "core/report/status.h"
#include "core/report/table.h"
#include "core/report/text_journal.h"
#include "core/report/text_plan.h"

/* The units of what gates are given stand in their tables, not in a plan. */
static const struct field quiet_fields[] = {
	{ .name = "window", .kind = FIELD_SPAN, .doc = "how long" },
	{ .name = "tolerance", .kind = FIELD_INT, .doc = "how many" },
	{ 0 },
};
static const struct gate_type quiet = { .name = "quiet", .fields = quiet_fields };
static const struct provider shop = { .name = "shop",
				      .gates = (const struct gate_type *const[]){ &quiet, NULL } };
static const struct registry registry = { (const struct provider *const[]){ &shop, NULL } };

static const struct report_style plain = { .width = 100, .registry = &registry };

/* ---- help ---- */

static struct value *parsed(struct arena *a, const char *text)
{
	struct err err = ERR_INIT;
	struct value *v = NULL;

	if (json_parse(a, text, strlen(text), NULL, NULL, NULL, &v, &err) < 0)
		fail_msg("%s", err.msg);
	return v;
}

static size_t times(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
		n++;
	return n;
}

static size_t where(const char *text, const char *part)
{
	const char *at = strstr(text, part);

	if (!at)
		fail_msg("'%s' is not in:\n%s", part, text);
	return (size_t)(at - text);
}

static void has(const struct sb *out, const char *part)
{
	where(out->buf, part);
}

static void has_not(const struct sb *out, const char *part)
{
	if (strstr(out->buf, part))
		fail_msg("'%s' is in:\n%s", part, out->buf);
}

/* Lines wider than `width`, but for those that hold one word only. */
static void fits(const char *text, size_t width)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		CLEANUP(sb_done) struct sb one = SB_INIT(SB_TEXT_MAX);
		const char *word;

		sb_addn(&one, text, len);
		word = one.buf + strspn(one.buf, " ");
		if (text_columns(one.buf) > width && strchr(word, ' '))
			fail_msg("wider than %zu: %s", width, one.buf);
		text += len + (text[len] == '\n');
	}
}

static void plan_text(const char *json, const struct report_style *st, struct sb *out)
{
	struct arena a = ARENA_INIT;

	report_plan_text(parsed(&a, json), st, out);
	arena_done(&a);
}

/* ---- plans ---- */

#define STEP(env, name, phase, who, undo, needs, gates, end)                                       \
	"{\"address\":\"" env "/shop.order/" name "\",\"environments\":[\"" env                    \
	"\"],\"doc\":\"what " name " does\",\"phase\":\"" phase "\",\"executor\":\"" who           \
	"\",\"undo\":{\"kind\":\"" undo "\",\"text\":\"how " name                                  \
	" goes back\"},\"needs\":[" needs "],\"gates\":[" gates "],\"earliest_ms\":" end           \
	",\"before\":{\"kind\":\"old\",\"id\":\"7\"},"                                             \
	"\"after\":{\"kind\":\"new\",\"id\":\"7\"}}"

#define QUIET                                                                                             \
	"{\"name\":\"quiet\",\"doc\":\"nobody has used it\",\"when\":\"after\",\"earliest_ms\":87000000," \
	"\"limits\":{\"window\":86400000,\"tolerance\":100,\"cadence\":600000,\"min_samples\":1,"         \
	"\"passes\":2,\"deadline\":604800000,\"on_expire\":\"fail\"}}"

#define SHARED(name, phase, undo)                                                                  \
	"{\"address\":\"dev+prod/shop.order/" name                                                 \
	"\",\"environments\":[\"dev\",\"prod\"],\"doc\":\"what " name " does\",\"phase\":\"" phase \
	"\",\"executor\":\"operator\",\"undo\":{\"kind\":\"" undo                                  \
	"\",\"text\":\"it is gone\"},\"needs\":[\"dev/shop.order/wait\"],\"gates\":[],"            \
	"\"earliest_ms\":87000000}"

static const char two_envs[] =
	"{\"rollout\":\"shop.yaml\",\"made_at\":\"2026-11-23T10:00:00Z\","
	"\"summary\":{\"environments\":{\"changes\":2},\"steps\":7,\"irreversible\":1,\"by_operator\":2,"
	"\"earliest_finish_ms\":87000000},"
	"\"environments\":["
	"{\"name\":\"dev\",\"outlook\":\"changes\",\"identity\":{\"shop.project.project_id\":\"4711\"},"
	"\"facts\":{\"shop.project\":{\"known\":\"api\",\"facts\":{\"title\":\"Dev shop\",\"client_id\":\"c-1\"}},"
	"\"shop.shelf\":{\"known\":\"attested\",\"by\":\"Ines\",\"facts\":{}},"
	"\"shop.usage\":{\"known\":\"denied\",\"why\":\"403\"}},"
	"\"findings\":[],\"attest\":[],\"requests\":[\"GET shop /a\",\"GET shop /b\",\"GET till /c\"]},"
	"{\"name\":\"prod\",\"outlook\":\"changes\",\"identity\":{},\"facts\":{},\"findings\":[],\"attest\":[],"
	"\"requests\":[\"GET shop /d\"]}],"
	"\"steps\":[" STEP("dev", "add", "expand", "operator", "step", "", "", "0") "," STEP(
		"dev", "change", "switch", "bridge", "person", "\"dev/shop.order/add\"", "",
		"0") "," STEP("dev", "wait", "prove", "none", "nothing", "", QUIET,
			      "87000000") "," STEP("prod", "add", "expand", "api", "step", "", "",
						   "0") "," STEP("prod", "change", "switch", "api",
								 "person", "", "",
								 "0") "," SHARED("drop", "contract",
										 "never") "," SHARED("look",
												     "contract",
												     "nothing") "]}";

static void the_point_of_no_return_stands_once_and_before_the_step(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(two_envs, &plain, &out);
	assert_int_equal(times(out.buf, "point of no return"), 1);
	assert_true(where(out.buf, "? dev/shop.order/wait") < where(out.buf, "point of no return"));
	assert_true(where(out.buf, "~ prod/shop.order/change") <
		    where(out.buf, "point of no return"));
	/* The line, and then at once the step that cannot be taken back. */
	assert_int_equal(strncmp(strchr(strstr(out.buf, "point of no return"), '\n') + 1,
				 "  ! dev+prod/shop.order/drop ", 29),
			 0);
	has(&out, "undo    cannot be undone: it is gone\n");
}

static void a_plan_without_such_a_step_has_no_such_line(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(
		"{\"summary\":{\"steps\":1},\"environments\":[{\"name\":\"dev\",\"outlook\":\"changes\"}],"
		"\"steps\":[" STEP("dev", "add", "expand", "api", "step", "", "", "0") "]}",
		&plain, &out);
	has_not(&out, "no return");
	has_not(&out, "from here on");
	has(&out, "none beyond undoing");
}

static void the_lighter_line_stands_before_what_only_a_person_takes_back(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(two_envs, &plain, &out);
	assert_int_equal(times(out.buf, "from here on: the way back how change goes back"), 1);
	assert_int_equal(times(out.buf, "from here on: the way back of prod is a person's"), 1);
	assert_true(where(out.buf, "+ dev/shop.order/add") <
		    where(out.buf, "from here on: the way back how"));
	assert_true(where(out.buf, "from here on: the way back how") <
		    where(out.buf, "~ dev/shop.order/change"));
	has(&out, "undo    only by a person: how change goes back\n");
}

static void a_shared_step_stands_under_the_last_environment(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(two_envs, &plain, &out);
	has(&out, "dev: 5 steps, 2 of them shared\n");
	assert_true(where(out.buf, "! dev+prod/shop.order/drop (shared; see under prod)") <
		    where(out.buf, "prod: 4 steps"));
	assert_int_equal(times(out.buf, "what drop does"), 1);
	assert_true(where(out.buf, "prod: 4 steps") < where(out.buf, "what drop does"));
	has(&out, "shared  one step for dev, prod; it waits for all of them\n");
}

static void a_step_says_who_when_what_changes_and_by_which_gate(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(two_envs, &plain, &out);
	has(&out, "Plan for shop.yaml, observed 2026-11-23T10:00:00Z\n");
	has(&out, "7 steps: 1 irreversible, 2 by a person; earliest finish +24h10m\n");
	has(&out, "project 'Dev shop', client id c-1\n  project_id 4711\n");
	has(&out, "kind    old -> new\n      stays   id 7\n");
	has(&out, "a person    +0s\n");
	has(&out, "the bridge  +0s\n");
	has(&out, "only looks  +0s to +24h10m\n");
	has(&out, "a person    +24h10m\n"); /* it needs the waiting of the step before */
	has(&out, "gate    quiet: nobody has used it\n");
	has(&out, "window 24h, tolerance 100; earliest 24h10m after the step before; 2 in a row;");
	has(&out, "after 7d\n"); /* the line is full before it */
	has(&out, "facts     shop.shelf  attested by Ines\n");
	has(&out, "facts     shop.usage  not readable: 403\n");
	has_not(&out, "facts     shop.project"); /* the rule needs no words */
}

static void requests_are_counted_and_in_full_only_when_asked_for(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(two_envs, &plain, &out);
	has(&out, "Planning made 4 requests, all of them GET: shop 3, till 1\n");
	has_not(&out, "GET shop /d");
	sb_reset(&out);
	plan_text(two_envs, &(struct report_style){ .registry = &registry, .verbose = true }, &out);
	has(&out, "  GET shop /d\n");
	has(&out, "looks every 10m");
	has(&out, "needs   dev/shop.order/wait\n");
	sb_reset(&out);
	plan_text("{\"environments\":[{\"requests\":[\"GET shop /a\",\"POST till /token\"]}]}",
		  &plain, &out);
	has(&out, "2 requests, 1 of them not GET: shop 1, till 1\n");
}

static void a_refused_environment_shows_rule_and_hint(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(
		"{\"summary\":{\"environments\":{\"refused\":1,\"failed\":1}},\"environments\":["
		"{\"name\":\"dev\",\"outlook\":\"refused\",\"findings\":[{\"level\":\"refused\",\"rule\":\"client-id\","
		"\"text\":\"the file names a, the shop shows b\",\"hint\":\"choose one\"}]},"
		"{\"name\":\"qa\",\"outlook\":\"left-alone\",\"findings\":[{\"level\":\"leave-alone\","
		"\"rule\":\"read-only\",\"text\":\"for viewing only\"}]},"
		"{\"name\":\"eu\",\"outlook\":\"failed\",\"error\":\"shop: no answer\"},"
		"{\"name\":\"us\",\"outlook\":\"nothing\"}]}",
		&plain, &out);
	has(&out, "dev: refused: client-id\n");
	has(&out,
	    "  refused   the file names a, the shop shows b (client-id)\n            hint: choose one\n");
	has(&out, "qa: left alone: read-only\n");
	has(&out, "eu: could not be read\n  error     shop: no answer\n");
	has(&out, "us: nothing to do\n");
	has(&out,
	    "Nothing can be carried out yet: 1 environment refused, 1 environment not readable.\n");
}

static void facts_to_attest_come_with_the_command(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(
		"{\"environments\":[{\"name\":\"prod\",\"outlook\":\"attest\",\"attest\":["
		"{\"thing\":\"shop.order\",\"facts\":[\"status\",\"type\"],\"why\":\"403\",\"page\":\"the card\","
		"\"before_planning\":true},"
		"{\"thing\":\"shop.usage\",\"facts\":[\"used\"],\"before_planning\":false}]}]}",
		&plain, &out);
	has(&out, "prod: needs facts from a person\n");
	has(&out, "ask now   shop.order: status, type; ");
	has(&out, "why   403\n");
	has(&out, "page  the card\n");
	has(&out,
	    "run   s2sctl ack prod/shop.order/attest --by NAME --fact status=... --fact type=...\n");
	has(&out, "ask later shop.usage: used; ");
	assert_int_equal(times(out.buf, "s2sctl ack"), 1);
}

static void thresholds_have_the_units_of_their_gates_table(void **state)
{
#define LIMITS(gate)                                                                               \
	"{\"environments\":[{\"name\":\"dev\",\"outlook\":\"changes\"}],\"steps\":["               \
	"{\"address\":\"dev/a/wait\",\"environments\":[\"dev\"],\"phase\":\"prove\",\"gates\":["   \
	"{\"name\":\"" gate "\",\"limits\":{\"window\":30000,\"tolerance\":120000}}]}]}"
	const struct report_style unknowing = { .width = 100 };
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(LIMITS("quiet"), &plain, &out);
	has(&out, "window 30s, tolerance 120000\n");
	sb_reset(&out);
	plan_text(LIMITS("loud"), &plain, &out);
	has(&out, "window 30000, tolerance 120000\n");
	sb_reset(&out);
	plan_text(LIMITS("quiet"), &unknowing, &out);
	has(&out, "window 30000, tolerance 120000\n");
}

static void a_command_broken_over_lines_still_runs(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(
		"{\"environments\":[{\"name\":\"prod\",\"outlook\":\"attest\",\"attest\":["
		"{\"thing\":\"shop.order\",\"facts\":[\"status\",\"a b; rm\"],\"before_planning\":true}]}]}",
		&(struct report_style){ .width = 60 }, &out);
	has(&out, "prod/shop.order/attest \\\n");
	has(&out, "--fact status=...");
	has(&out, "'a b; rm=...'");
	fits(out.buf, 60);
}

static void control_bytes_and_bidi_are_masked_everywhere(void **state)
{
#define EVIL "x\\u001b[2J\\u202ey\\n\\u0085"
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text("{\"rollout\":\"" EVIL "\",\"made_at\":\"" EVIL
		  "\",\"environments\":[{\"name\":\"" EVIL
		  "\",\"outlook\":\"changes\",\"error\":\"" EVIL "\",\"identity\":{\"a." EVIL
		  "\":\"" EVIL "\"},\"facts\":{\"" EVIL "\":{\"known\":\"" EVIL
		  "\",\"facts\":{\"title\":\"" EVIL
		  "\"}}},\"findings\":[{\"level\":\"note\",\"rule\":\"" EVIL "\",\"text\":\"" EVIL
		  "\",\"hint\":\"" EVIL "\"}],\"attest\":[{\"thing\":\"" EVIL
		  "\",\"facts\":[\"" EVIL "\"],\"why\":\"" EVIL "\",\"page\":\"" EVIL
		  "\",\"before_planning\":true}],\"requests\":[\"" EVIL
		  "\"]}],\"steps\":[{\"address\":\"" EVIL "\",\"environments\":[\"" EVIL
		  "\"],\"phase\":\"switch\",\"executor\":\"" EVIL "\",\"doc\":\"" EVIL
		  "\",\"before\":{\"" EVIL "\":\"a" EVIL "\"},\"after\":{\"" EVIL "\":\"" EVIL
		  "\"},\"undo\":{\"kind\":\"person\",\"text\":\"" EVIL
		  "\"},\"gates\":[{\"name\":\"" EVIL "\",\"doc\":\"" EVIL "\",\"limits\":{\"" EVIL
		  "\":\"" EVIL "\"}}]}]}",
		  &(struct report_style){ .verbose = true }, &out);
	for (size_t i = 0; i < out.len; i++)
		assert_true(out.buf[i] == '\n' || (unsigned char)out.buf[i] >= 0x20);
	has_not(&out, "\xe2\x80\xae");
	has_not(&out, "\xc2\x85");
	has(&out, "x\\x1b[2J\\xe2\\x80\\xaey\\x0a");
}

static void a_title_of_ten_thousand_characters_is_cut(void **state)
{
	CLEANUP(sb_done) struct sb json = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	sb_add(&json, "{\"environments\":[{\"name\":\"dev\",\"outlook\":\"nothing\",\"facts\":"
		      "{\"shop.project\":{\"known\":\"api\",\"facts\":{\"title\":\"");
	sb_pad(&json, 'T', 10000);
	sb_add(&json, "\"}}}}]}");
	plan_text(json.buf, &plain, &out);
	assert_true(out.len < 400);
	has(&out, "TTT...'");
}

static void colour_is_there_only_when_asked_for(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(two_envs, &plain, &out);
	has_not(&out, "\033");
	for (size_t i = 0; i < out.len; i++)
		assert_true((unsigned char)out.buf[i] <
			    0x80); /* nor anything but ASCII of our own */
	sb_reset(&out);
	plan_text(two_envs, &(struct report_style){ .color = true, .utf8 = true }, &out);
	has(&out, "\033[1;31m");
	has(&out, "\xe2\x94\x81\xe2\x94\x81 point of no return \xe2\x94\x81");
	assert_int_equal(times(out.buf, "\033["), 2 * times(out.buf, "\033[0m"));
}

static void a_narrow_page_is_kept(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(two_envs, &(struct report_style){ .width = 60 }, &out);
	fits(out.buf, 60);
	sb_reset(&out);
	plan_text(two_envs, &(struct report_style){ .width = 60, .utf8 = true, .verbose = true },
		  &out);
	fits(out.buf, 60);
}

static void a_document_of_another_shape_is_survived(void **state)
{
	static const char *const docs[] = {
		"{}",
		"[]",
		"null",
		"{\"environments\":3,\"steps\":\"x\",\"summary\":[]}",
		"{\"environments\":[1,null,[]],\"steps\":[{\"environments\":[\"x\",2],\"gates\":{\"a\":1},"
		"\"before\":[1],\"after\":\"z\",\"needs\":7,\"undo\":[]}]}",
		"{\"environments\":[{\"name\":\"a\",\"outlook\":5,\"facts\":[1],\"identity\":[2],\"findings\":{\"a\":1},"
		"\"attest\":[3],\"requests\":[4]}],\"steps\":[{\"environments\":[\"a\"],\"phase\":\"expand\","
		"\"gates\":[{\"limits\":[1]}],\"before\":[1],\"after\":\"z\"}]}",
	};
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(docs); i++)
		plan_text(docs[i], &plain, &out);
	has_not(&out, "(null)");
}

static void a_second_credential_has_a_line_of_its_own(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	plan_text(
		"{\"environments\":[{\"name\":\"dev\",\"outlook\":\"changes\"},{\"name\":\"prod\",\"outlook\":\"changes\"}],"
		"\"steps\":[" STEP("dev", "drop", "contract", "api", "never", "", "",
				   "0") "," STEP("prod", "drop", "contract", "api", "never", "", "",
						 "0") "]}",
		&plain, &out);
	assert_int_equal(times(out.buf, "point of no return"), 1);
	assert_true(where(out.buf, "no way back for prod") <
		    where(out.buf, "! prod/shop.order/drop"));
}

/* ---- journals ---- */

static const char journal[] =
	"["
	"{\"type\":\"run\",\"n\":1,\"at\":\"2026-11-23T10:00:00Z\",\"run\":\"r1\",\"salt\":\"grain\",\"plan\":{\"rollout\":\"shop.yaml\","
	"\"environments\":[{\"name\":\"dev\"}],\"steps\":["
	"{\"address\":\"dev/a/add\",\"phase\":\"expand\",\"environments\":[\"dev\"],\"needs\":[]},"
	"{\"address\":\"dev/a/wait\",\"phase\":\"prove\",\"environments\":[\"dev\"],\"needs\":[\"dev/a/add\"]},"
	"{\"address\":\"dev/a/ask\",\"phase\":\"prove\",\"environments\":[\"dev\"],\"needs\":[\"dev/a/add\"]},"
	"{\"address\":\"dev/a/drop\",\"phase\":\"contract\",\"environments\":[\"dev\"],\"needs\":[\"dev/a/wait\"]}]}},"
	"{\"type\":\"mint\",\"n\":2,\"at\":\"2026-11-23T10:00:01Z\",\"run\":\"r1\",\"client\":\"c-1\",\"connection\":\"shop\","
	"\"from_ms\":1795428000000,\"to_ms\":1795428125000,\"is_outcome\":false},"
	"{\"type\":\"intent\",\"n\":3,\"at\":\"2026-11-23T10:00:02Z\",\"run\":\"r1\",\"step\":\"dev/a/add\",\"executor\":\"api\",\"nonce\":\"f00d\"},"
	"{\"type\":\"outcome\",\"n\":4,\"at\":\"2026-11-23T10:00:03Z\",\"run\":\"r1\",\"step\":\"dev/a/add\",\"ok\":true,\"how\":\"api\"},"
	"{\"type\":\"step\",\"n\":5,\"at\":\"2026-11-23T10:00:04Z\",\"run\":\"r1\",\"step\":\"dev/a/add\",\"result\":\"done\"},"
	"{\"type\":\"sample\",\"n\":6,\"at\":\"2026-11-23T10:01:00Z\",\"run\":\"r1\",\"step\":\"dev/a/wait\",\"environment\":\"dev\",\"gate\":\"quiet\","
	"\"verdict\":\"wait\",\"saw\":\"used at 9\",\"why\":\"23h to go\",\"until\":\"2026-11-24T09:10:00Z\"},"
	"{\"type\":\"sample\",\"n\":7,\"at\":\"2026-11-23T10:02:00Z\",\"run\":\"r1\",\"step\":\"dev/a/wait\",\"environment\":\"dev\",\"gate\":\"quiet\","
	"\"verdict\":\"wait\",\"saw\":\"used at 9\",\"why\":\"middle\"},"
	"{\"type\":\"sample\",\"n\":8,\"at\":\"2026-11-23T10:03:00Z\",\"run\":\"r1\",\"step\":\"dev/a/wait\",\"environment\":\"dev\",\"gate\":\"quiet\","
	"\"verdict\":\"wait\",\"saw\":\"used at 9\",\"why\":\"still to go\",\"until\":\"2026-11-24T09:10:00Z\","
	/* The servers are half an hour ahead of us. */
	"\"now_ms\":1795429980000,\"opened_ms\":1795429860000},"
	"{\"type\":\"ask\",\"n\":9,\"at\":\"2026-11-23T10:04:00Z\",\"run\":\"r1\",\"step\":\"dev/a/ask\",\"is_act\":false,\"wants_last_use\":true,\"thing\":\"a\",\"nonce\":\"n\",\"now_ms\":1795430040000}"
	"%s]";

static const char suspended[] =
	",{\"type\":\"suspend\",\"n\":10,\"at\":\"2026-11-23T10:05:00Z\",\"now\":\"2026-11-23T10:35:00Z\",\"run\":\"r1\",\"until\":\"2026-11-24T09:10:00Z\",\"waits\":{"
	"\"dev/a/wait\":{\"for\":\"quiet: still to go\",\"until\":\"2026-11-24T09:10:00Z\"},"
	"\"dev/a/ask\":{\"for\":\"a person: s2sctl ack dev/a/ask --by NAME\",\"until\":null}}}";
static const char failed[] =
	",{\"type\":\"failed\",\"n\":10,\"at\":\"2026-11-23T10:05:00Z\",\"run\":\"r1\",\"step\":\"dev/a/wait\",\"why\":\"somebody used it\"}";
static const char ended[] =
	",{\"type\":\"ack\",\"n\":10,\"at\":\"2026-11-24T10:05:00Z\",\"run\":\"r1\",\"step\":\"dev/a/ask\",\"thing\":\"a\",\"environments\":[\"dev\"],"
	"\"by\":\"Ines\",\"user\":\"ines\",\"host\":\"box\",\"note\":\"seen twice\",\"attested\":{\"last_used\":1795428000000,\"none_since\":null}},"
	"{\"type\":\"step\",\"n\":11,\"at\":\"2026-11-24T10:06:00Z\",\"run\":\"r1\",\"step\":\"dev/a/wait\",\"result\":\"done\"},"
	"{\"type\":\"step\",\"n\":12,\"at\":\"2026-11-24T10:06:00Z\",\"run\":\"r1\",\"step\":\"dev/a/ask\",\"result\":\"inconclusive\"},"
	"{\"type\":\"step\",\"n\":13,\"at\":\"2026-11-24T10:07:00Z\",\"run\":\"r1\",\"step\":\"dev/a/drop\",\"result\":\"already\"},"
	"{\"type\":\"receipt\",\"n\":14,\"at\":\"2026-11-24T10:07:01Z\",\"run\":\"r1\",\"intent_digest\":\"abc\",\"steps\":{"
	"\"dev/a/add\":{\"result\":\"done\"},\"dev/a/wait\":{\"result\":\"done\"},\"dev/a/ask\":{\"result\":\"inconclusive\"},"
	"\"dev/a/drop\":{\"result\":\"already\"}}}";
static const char abandoned[] =
	",{\"type\":\"abandon\",\"n\":10,\"at\":\"2026-11-24T10:05:00Z\",\"run\":\"r1\"},"
	"{\"type\":\"moon\",\"n\":11,\"at\":\"x\\u001b\",\"run\":\"r1\"}";

static struct value *records_with(struct arena *a, const char *tail)
{
	CLEANUP(sb_done) struct sb json = SB_INIT(SB_TEXT_MAX);
	const char *hole = strstr(journal, "%s");

	sb_addn(&json, journal, (size_t)(hole - journal));
	sb_add(&json, tail);
	sb_add(&json, hole + 2);
	return parsed(a, json.buf);
}

static void journal_text(const char *tail, const struct report_style *st, struct sb *out)
{
	struct arena a = ARENA_INIT;

	report_journal_text(records_with(&a, tail), st, out);
	arena_done(&a);
}

static void a_journal_is_told_by_day(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	journal_text(ended, &plain, &out);
	assert_int_equal(where(out.buf, "2026-11-23 (UTC)\n"), 0);
	has(&out, "\n\n2026-11-24 (UTC)\n");
	has(&out, "  10:00:00  run r1 began: 4 steps for dev, from shop.yaml\n");
	has(&out, "  10:00:02  dev/a/add: about to act, through the API\n");
	has(&out, "  10:00:03  dev/a/add: carried out: the API\n");
	has(&out, "  10:00:04  dev/a/add: done\n");
	has(&out, "own token about to be minted for client c-1, connection shop\n");
	has(&out, "a use from 2026-11-23T10:00:00Z to 2026-11-23T10:02:05Z may be ours");
	has(&out, "dev/a/ask: a person was asked for the last use of a\n");
	has(&out,
	    "dev/a/ask: Ines (ines@box) attested last used at the latest 2026-11-23T10:00:00Z\n");
	has(&out, "note: seen twice\n");
	has(&out, "dev/a/ask: over without an answer");
	has(&out, "run r1 finished, receipt written: 4 steps, 1 so already, 1 without an answer\n");
}

static void only_the_first_and_last_of_equal_looks_are_told(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	journal_text("", &plain, &out);
	has(&out, "dev/a/wait: quiet in dev: wait until 2026-11-24T09:10:00Z\n");
	has(&out, "saw: used at 9; 23h to go\n");
	has(&out, "wait until 2026-11-24T09:10:00Z, look 3\n");
	has(&out, "still to go");
	has_not(&out, "middle");
	sb_reset(&out);
	journal_text("", &(struct report_style){ .verbose = true }, &out);
	has(&out, "middle");
}

static void a_journal_tells_why_it_stopped_and_what_it_does_not_know(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	journal_text(suspended, &plain, &out);
	has(&out, "stopped here; run apply again from 2026-11-24T09:10:00Z\n");
	has(&out, "dev/a/wait waits for quiet: still to go, until 2026-11-24T09:10:00Z\n");
	sb_reset(&out);
	journal_text(failed, &plain, &out);
	has(&out, "dev/a/wait: FAILED: somebody used it\n");
	sb_reset(&out);
	journal_text(abandoned, &plain, &out);
	has(&out, "run r1 was given up\n");
	has(&out, "record of type 'moon'\n");
	has(&out, "x\\x1b");
	has_not(&out, "\033");
}

static void a_journal_shows_no_secret_nonce_or_salt(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct arena a = ARENA_INIT;
	struct value *list = value_list(&a), *rec = value_map(&a), *facts = value_map(&a);
	struct secret *canary = secret_new("canary-7f3", 10);

	(void)state;
	value_set(&a, facts, "text", value_secret(&a, canary));
	value_set(&a, rec, "type", value_string(&a, "ack"));
	value_set(&a, rec, "facts", facts);
	value_list_add(&a, list, rec);
	report_journal_text(list, &plain, &out);
	has(&out, "text: (secret)\n");
	has_not(&out, "canary");
	has_not(&out, "bytes"); /* its length is nobody's business either */
	arena_done(&a);
	secret_free(canary);
	sb_reset(&out);
	journal_text("", &(struct report_style){ .verbose = true }, &out);
	has_not(&out, "f00d");
	has_not(&out, "grain");
}

static void an_empty_journal_says_so(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	report_journal_text(NULL, &plain, &out);
	assert_string_equal(out.buf, "The journal is empty.\n");
}

/* ---- status ---- */

#define NOW INT64_C(1795507200000) /* 2026-11-24T08:00:00Z */

static struct value *status_at(struct arena *a, const char *tail, int64_t now_ms)
{
	static const char *const names[] = { "dev", "prod", NULL };
	struct history h;
	struct value *list = tail ? records_with(a, tail) : NULL;
	struct err err = ERR_INIT;
	struct value *doc;

	history_init(&h, a);
	for (size_t i = 0; i < value_count(list); i++)
		if (history_fold(&h, value_at(list, i), &err) < 0)
			fail_msg("%s", err.msg);
	doc = value_copy(a,
			 report_status_doc(a, &h, names, now_ms)); /* it borrows from the history */
	history_done(&h);
	return doc;
}

static struct value *status_of(struct arena *a, const char *tail)
{
	return status_at(a, tail, NOW);
}

static void status_text(const char *tail, const struct report_style *st, struct sb *out)
{
	struct arena a = ARENA_INIT;

	report_status_text(status_of(&a, tail), st, out);
	arena_done(&a);
}

static void status_without_a_journal_knows_no_run(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	status_text(NULL, &plain, &out);
	assert_string_equal(out.buf, "dev: no run\nprod: no run\n");
}

static void status_of_an_open_run_puts_the_question_first(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct arena a = ARENA_INIT;
	struct value *doc = status_of(&a, suspended);
	const struct value *dev = value_at(value_get(doc, "environments"), 0);

	(void)state;
	assert_string_equal(value_text(value_get(doc, "now")), "2026-11-24T08:00:00Z");
	assert_string_equal(value_text(value_get(dev, "state")), "open");
	assert_string_equal(value_text(value_get(dev, "step")), "dev/a/ask");
	assert_string_equal(value_text(value_get(dev, "phase")), "prove");
	assert_string_equal(value_text(value_get(dev, "waits_for")), "a person");
	assert_string_equal(value_text(value_get(dev, "asked")),
			    "s2sctl ack dev/a/ask --by NAME --last-used TIME");
	assert_int_equal(value_int_or(value_get(dev, "steps_done"), -1), 1);
	assert_int_equal(value_int_or(value_get(dev, "steps_total"), -1), 4);
	report_status_text(doc, &plain, &out);
	has(&out,
	    "dev: open since 2026-11-23T10:00:00Z (22h ago), 1 of 4 steps done, phase prove\n");
	has(&out, "  answer    s2sctl ack dev/a/ask --by NAME --last-used TIME\n");
	has(&out, "  step      dev/a/wait\n");
	has(&out, "  waits for quiet: still to go\n");
	has(&out, "  since     2026-11-23T10:34:00Z (21h56m ago)\n");
	has(&out, "  since     2026-11-23T10:31:00Z (21h59m ago)\n");
	has(&out, "  until     2026-11-24T09:10:00Z (in 40m)\n");
	has(&out,
	    "last look quiet: wait at 2026-11-23T10:33:00Z (21h57m ago); saw: used at 9; still to go\n");
	has(&out, "\nprod: no run\n");
	arena_done(&a);
}

static void status_after_a_kill_reads_the_samples(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	status_text("", &plain, &out);
	has(&out, "  waits for quiet: still to go\n");
	has(&out, "  until     2026-11-24T09:10:00Z (in 40m)\n");
	has(&out, "  waits for a person\n");
}

static void what_servers_told_is_counted_by_their_clock_and_not_by_ours(void **state)
{
	const int64_t stopped = NOW - 22 * WHEN_HOUR + 5 * WHEN_MINUTE; /* by our clock */
	const struct {
		int64_t now;
		const char *until;
	} rows[] = {
		{ stopped, "(in 22h35m)" },
		{ stopped + 22 * WHEN_HOUR + 35 * WHEN_MINUTE, "run apply again" },
		{ stopped + 22 * WHEN_HOUR + 34 * WHEN_MINUTE, "(in 1m)" },
		/* Ours was set back a year: nothing has passed that we know of, and no time has come. */
		{ stopped - 365 * WHEN_DAY, "(in 22h35m)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
		struct arena a = ARENA_INIT;

		report_status_text(status_at(&a, suspended, rows[i].now), &plain, &out);
		has(&out, "  until     2026-11-24T09:10:00Z");
		has(&out, rows[i].until);
		arena_done(&a);
	}
}

static void status_names_what_failed_before_all_else(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	status_text(failed, &plain, &out);
	has(&out, "  step      dev/a/wait\n  failed    somebody used it\n");
	assert_true(where(out.buf, "somebody used it") < where(out.buf, "dev/a/ask"));
}

static void status_of_a_finished_or_abandoned_run_waits_for_nothing(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);

	(void)state;
	status_text(ended, &plain, &out);
	has(&out,
	    "dev: finished, begun 2026-11-23T10:00:00Z (22h ago), 4 of 4 steps done\nprod: no run\n");
	sb_reset(&out);
	status_text(
		","
		"{\"type\":\"abandon\",\"n\":10,\"at\":\"2026-11-24T10:05:00Z\",\"run\":\"r1\"}",
		&plain, &out);
	has(&out,
	    "dev: abandoned, begun 2026-11-23T10:00:00Z (22h ago), 1 of 4 steps done\nprod: no run\n");
}

static void a_time_that_has_come_says_run_again(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct arena a = ARENA_INIT;

	(void)state;
	report_status_text(
		parsed(&a,
		       "{\"now\":\"2026-11-24T10:00:00Z\",\"environments\":[{\"name\":\"dev\",\"state\":\"open\","
		       "\"server_now\":\"2026-11-24T10:00:00Z\","
		       "\"step\":\"dev/\\u001b\",\"waits_for\":\"\\u202e\",\"until\":\"2026-11-24T09:00:00Z\"}]}"),
		&plain, &out);
	has(&out, "until     2026-11-24T09:00:00Z (1h ago); run apply again\n");
	has_not(&out, "\033");
	has_not(&out, "\xe2\x80\xae");
	report_status_text(NULL, &plain, &out);
	arena_done(&a);
}

/* ---- tables and words ---- */

static void tables_line_up_wrap_and_mask(void **state)
{
	static const char *const heads[] = { "capability", "without it" };
	static const char *const first[] = {
		"read", "a person looks at the page and says what it shows, twice a day"
	};
	static const char *const second[] = { "wr\033ite", NULL };
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct table t;

	(void)state;
	table_init(&t, 2, heads);
	table_row(&t, INK_GREEN, first);
	table_row(&t, INK_RED, second);
	table_print(&t, &(struct report_style){ .width = 50 }, 2, &out);
	assert_string_equal(out.buf, "  capability  without it\n"
				     "  read        a person looks at the page and says\n"
				     "              what it shows, twice a day\n"
				     "  wr\\x1bite\n");
	table_done(&t);
}

static void a_table_without_room_breaks_words(void **state)
{
	static const char *const cells[] = { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
					     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" };
	CLEANUP(sb_done) struct sb out = SB_INIT(SB_TEXT_MAX);
	struct table t;

	(void)state;
	table_init(&t, 2, NULL);
	table_row(&t, INK_PLAIN, cells);
	table_print(&t, &(struct report_style){ .width = 40 }, 0, &out);
	fits(out.buf, 40);
	assert_int_equal(times(out.buf, "a"), 30);
	assert_int_equal(times(out.buf, "b"), 30);
	table_done(&t);
}

static void columns_count_wide_and_combining_characters(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(100);

	(void)state;
	assert_int_equal(text_columns("abc"), 3);
	assert_int_equal(text_columns("e\xcc\x81"), 1);
	assert_int_equal(text_columns("\xe6\xbc\xa2\xe5\xad\x97"), 4);
	text_add(&out, "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97", 7);
	assert_string_equal(out.buf, "\xe6\xbc\xa2\xe5\xad\x97...");
	sb_reset(&out);
	text_add(&out, "1234567", 7);
	assert_string_equal(out.buf, "1234567");
}

static void words_of_a_command_are_quoted_where_needed(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(100);

	(void)state;
	text_add_word(&out, "dev+prod/a.b/c-d");
	sb_addc(&out, ' ');
	text_add_word(&out, "it's; $x");
	sb_addc(&out, ' ');
	text_add_word(&out, "");
	assert_string_equal(out.buf, "dev+prod/a.b/c-d 'it'\\''s; $x' ''");
}

static void spans_are_said_in_days_when_they_are_days(void **state)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(100);

	(void)state;
	text_add_span(&out, 7 * WHEN_DAY);
	sb_addc(&out, ' ');
	text_add_span(&out, WHEN_DAY);
	sb_addc(&out, ' ');
	text_add_span(&out, 26 * WHEN_HOUR);
	assert_string_equal(out.buf, "7d 24h 26h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_point_of_no_return_stands_once_and_before_the_step),
		cmocka_unit_test(a_plan_without_such_a_step_has_no_such_line),
		cmocka_unit_test(the_lighter_line_stands_before_what_only_a_person_takes_back),
		cmocka_unit_test(a_shared_step_stands_under_the_last_environment),
		cmocka_unit_test(a_step_says_who_when_what_changes_and_by_which_gate),
		cmocka_unit_test(requests_are_counted_and_in_full_only_when_asked_for),
		cmocka_unit_test(a_refused_environment_shows_rule_and_hint),
		cmocka_unit_test(facts_to_attest_come_with_the_command),
		cmocka_unit_test(thresholds_have_the_units_of_their_gates_table),
		cmocka_unit_test(a_command_broken_over_lines_still_runs),
		cmocka_unit_test(control_bytes_and_bidi_are_masked_everywhere),
		cmocka_unit_test(a_title_of_ten_thousand_characters_is_cut),
		cmocka_unit_test(colour_is_there_only_when_asked_for),
		cmocka_unit_test(a_narrow_page_is_kept),
		cmocka_unit_test(a_document_of_another_shape_is_survived),
		cmocka_unit_test(a_second_credential_has_a_line_of_its_own),
		cmocka_unit_test(a_journal_is_told_by_day),
		cmocka_unit_test(only_the_first_and_last_of_equal_looks_are_told),
		cmocka_unit_test(a_journal_tells_why_it_stopped_and_what_it_does_not_know),
		cmocka_unit_test(a_journal_shows_no_secret_nonce_or_salt),
		cmocka_unit_test(an_empty_journal_says_so),
		cmocka_unit_test(status_without_a_journal_knows_no_run),
		cmocka_unit_test(status_of_an_open_run_puts_the_question_first),
		cmocka_unit_test(status_after_a_kill_reads_the_samples),
		cmocka_unit_test(what_servers_told_is_counted_by_their_clock_and_not_by_ours),
		cmocka_unit_test(status_names_what_failed_before_all_else),
		cmocka_unit_test(status_of_a_finished_or_abandoned_run_waits_for_nothing),
		cmocka_unit_test(a_time_that_has_come_says_run_again),
		cmocka_unit_test(tables_line_up_wrap_and_mask),
		cmocka_unit_test(a_table_without_room_breaks_words),
		cmocka_unit_test(columns_count_wide_and_combining_characters),
		cmocka_unit_test(words_of_a_command_are_quoted_where_needed),
		cmocka_unit_test(spans_are_said_in_days_when_they_are_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
