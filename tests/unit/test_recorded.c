/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/when.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/ssh_wire.h"
#include "core/io/sshsig.h"
#include "core/run/recorded.h"
#include "core/run/signers.h"
#include "tests/unit/fake_shop.h"

/* Two environments as they were recorded, and the plan that was made meanwhile. */
struct fix {
	struct shop *s;
	struct arena a;
	struct plan *live;
	struct sb text;
};

static struct fix *make(const char *rollout, void (*spoil)(struct shop *s))
{
	static struct fix f;
	struct observer ob;
	struct recorder recorder = { .arena = &f.a };
	struct planner_options po = { .observer = &ob,
				      .inspect = recorder_inspects,
				      .inspect_ctx = &recorder };
	struct caller *caller;
	struct err err = ERR_INIT;

	f = (struct fix){ .s = shop_new(rollout), .a = ARENA_INIT, .text = SB_INIT(1 << 20) };
	if (spoil)
		spoil(f.s);
	f.s->clocks = (struct clocks){ .sys = &f.s->sys };
	caller = caller_new(&f.s->calls);
	ob = (struct observer){ caller, &f.s->calls, NULL };
	po.envs = f.s->envs;
	assert_int_equal(planner_run(&po, &f.a, &f.live, NULL, &err), 0);
	plan_to_value(f.live);
	json_write(&f.text, recorded_document(&recorder, f.live), JSON_CANONICAL, NULL);
	sb_addc(&f.text, '\n');
	caller_free(caller);
	return &f;
}

static void unmake(struct fix *f)
{
	sb_done(&f->text);
	arena_done(&f->a);
	shop_free(f->s);
}

static struct plan *from(struct fix *f, const char *text)
{
	CLEANUP(sb_done) struct sb bytes = SB_INIT(1 << 20);
	struct recorded *rec = NULL;
	struct err err = ERR_INIT;
	struct plan *p;

	sb_add(&bytes, text);
	assert_int_equal(recorded_parse(&f->a, "obs.json", &bytes, &rec, &err), 0);
	p = recorded_plan(rec, &f->a, &shop_registry, f->s->rollout, f->s->envs, NULL,
			  f->live->made_ms + 400 * WHEN_DAY);
	plan_to_value(p);
	return p;
}

/* The text with its first `what` replaced; longer or shorter as it comes. */
static const char *with(struct fix *f, const char *what, const char *instead)
{
	const char *at = strstr(f->text.buf, what);

	assert_non_null(at);
	return arena_printf(&f->a, "%.*s%s%s", (int)(at - f->text.buf), f->text.buf, instead,
			    at + strlen(what));
}

static void the_plan_is_the_one_that_was_made_then(void **state)
{
	struct fix *f = make(shop_two_envs, NULL);
	size_t sent = f->s->net.exchanges;
	struct plan *p;

	(void)state;
	assert_true(sent > 0);
	p = from(f, f->text.buf);
	assert_string_equal(p->intent_digest, f->live->intent_digest);
	assert_string_equal(p->observed_digest, f->live->observed_digest);
	assert_int_equal(p->step_count, f->live->step_count);
	assert_true(p->step_count > 0);
	assert_int_equal(p->made_ms, f->live->made_ms);
	assert_int_equal(f->s->net.exchanges, sent);
	assert_int_equal(value_count(p->tokens), 0);
	assert_int_equal(value_count(p->envs[0].requests), 0);
	unmake(f);
}

static void the_plan_says_what_it_rests_on(void **state)
{
	struct fix *f = make(shop_one_env, NULL);
	struct plan *p = from(f, f->text.buf);
	const struct changes *c = &p->envs[0].changes;

	(void)state;
	assert_string_equal(c->findings[c->finding_count - 1].rule, "recorded");
	assert_non_null(strstr(c->findings[c->finding_count - 1].text, "was recorded at"));
	unmake(f);
}

static void other_facts_make_another_plan(void **state)
{
	struct fix *f = make(shop_one_env, NULL);
	struct plan *p = from(f, with(f, "\"uid\":\"", "\"uid\":\"another-"));

	(void)state;
	assert_string_not_equal(p->intent_digest, f->live->intent_digest);
	unmake(f);
}

static void what_was_not_recorded_is_said_and_nothing_is_taken_for_it(void **state)
{
	struct fix *f = make(shop_two_envs, NULL);
	struct plan *p = from(f, with(f, "\"name\":\"dev\"", "\"name\":\"elsewhere\""));

	(void)state;
	assert_int_equal(p->envs[0].outlook, OUTLOOK_FAILED);
	assert_non_null(strstr(p->envs[0].error, "environment 'dev' was not recorded"));
	assert_int_equal(p->envs[1].outlook, OUTLOOK_CHANGES);
	assert_int_equal(plan_exit_status(p), 1);
	p = from(f, with(f, "\"shop.settings\":", "\"shop.other\":"));
	assert_int_equal(p->envs[0].outlook, OUTLOOK_FAILED);
	assert_non_null(strstr(p->envs[0].error, "shop.settings was not recorded"));
	p = from(f, with(f, "\"local.secret\":", "\"local.other\":"));
	assert_non_null(strstr(p->envs[0].error, "local.secret was not recorded"));
	unmake(f);
}

static void deny(struct shop *s)
{
	s->w->projects[0].settings_denied = true;
}

static void what_nobody_could_read_is_as_unknown_from_the_record(void **state)
{
	struct fix *f = make(shop_one_env, deny);
	struct plan *p = from(f, f->text.buf);

	(void)state;
	assert_int_equal(f->live->envs[0].outlook, OUTLOOK_ATTEST);
	assert_int_equal(p->envs[0].outlook, OUTLOOK_ATTEST);
	assert_int_equal(plan_exit_status(p), 3);
	unmake(f);
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"kind\":\"s2sctl.plan\"}",
		"{\"kind\":\"s2sctl.observations\",\"format_version\":2}",
		"{\"kind\":\"s2sctl.observations\",\"format_version\":1}",
		"{\"kind\":\"s2sctl.observations\",\"format_version\":1,\"made_at\":\"soon\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(arena_done) struct arena a = ARENA_INIT;
		CLEANUP(sb_done) struct sb bytes = SB_INIT(1024);
		struct recorded *rec = NULL;
		struct err err = ERR_INIT;

		sb_add(&bytes, texts[i]);
		assert_int_equal(recorded_parse(&a, "obs.json", &bytes, &rec, &err), -E_REFUSED);
		assert_null(rec);
	}
}

static void any_shape_of_its_members_is_survived(void **state)
{
	static const char *const members[] = {
		"",
		",\"environments\":7",
		",\"environments\":[1,null,{\"name\":[]}]",
		",\"environments\":[{\"name\":\"dev\",\"things\":[]}]",
		",\"environments\":[{\"name\":\"dev\",\"marks\":3,\"things\":{\"shop.key\":7}}]",
		",\"environments\":[{\"name\":\"dev\",\"things\":{\"shop.key\":{\"facts\":[1]}}}]",
	};
	struct fix *f = make(shop_one_env, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct plan *p =
			from(f,
			     arena_printf(&f->a,
					  "{\"kind\":\"s2sctl.observations\",\"format_version\":1,"
					  "\"made_at\":\"2026-11-23T10:00:00Z\"%s}",
					  members[i]));

		assert_int_equal(p->envs[0].outlook, OUTLOOK_FAILED);
	}
	unmake(f);
}

/* ---- signatures ---- */

static struct sign_key *key_of(char who)
{
	unsigned char seed[SIGN_SEED_LEN];
	struct sign_key *k = NULL;
	struct err err = ERR_INIT;

	memset(seed, who, sizeof(seed));
	assert_int_equal(sign_key_from_seed(seed, &k, &err), 0);
	return k;
}

static void add_line(struct sb *out, char who, const char *options)
{
	CLEANUP(sign_key_freep) struct sign_key *k = key_of(who);
	CLEANUP(sb_done) struct sb blob = SB_INIT(256);
	unsigned char pub[SIGN_PUBLIC_LEN];

	sign_key_public(k, pub);
	ssh_public_blob(&blob, pub);
	sb_addf(out, "%c@example.com %s " SSH_ED25519 " ", who, options);
	base64_add(out, blob.buf, blob.len, 0);
	sb_addc(out, '\n');
}

/* What recorded_verify says of a signature by `who`; a,b and c are in the file. "" when it counts. */
static const char *verdict(struct fix *f, char who, const char *space, const char *bytes)
{
	CLEANUP(sign_key_freep) struct sign_key *k = key_of(who);
	CLEANUP(sb_done)
	struct sb sig = SB_INIT(65536), text = SB_INIT(1 << 20), file = SB_INIT(65536);
	char path[] = "test-recorded-XXXXXX";
	const char *name = NULL;
	struct err err = ERR_INIT;
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	add_line(&file, 'a', "namespaces=\"" RECORDED_SPACE "\"");
	add_line(&file, 'b', "namespaces=\"" SIGNERS_SPACE "\"");
	add_line(&file, 'c', "valid-before=\"20200101Z\"");
	assert_int_equal(write(fd, file.buf, file.len), (ssize_t)file.len);
	close(fd);
	sb_add(&text, bytes);
	sshsig_add(&sig, k, space, f->text.buf, f->text.len);
	rc = recorded_verify(&f->a, "obs.json", &text, &sig, path, NULL, f->live->made_ms, &name,
			     &err);
	unlink(path);
	assert_int_equal(rc, err.code ? -E_REFUSED : 0);
	if (!rc)
		assert_string_equal(name, "a@example.com");
	return arena_strdup(&f->a, err.msg);
}

static void only_who_may_record_is_believed(void **state)
{
	struct fix *f = make(shop_one_env, NULL);
	const char *whole = f->text.buf;

	(void)state;
	assert_string_equal(verdict(f, 'a', RECORDED_SPACE, whole), "");
	assert_non_null(strstr(verdict(f, 'b', RECORDED_SPACE, whole), "may not sign for"));
	assert_non_null(strstr(verdict(f, 'c', RECORDED_SPACE, whole), "has expired"));
	assert_non_null(strstr(verdict(f, 'e', RECORDED_SPACE, whole), "is not in"));
	assert_true(*verdict(f, 'a', SIGNERS_SPACE, whole) != '\0');
	assert_true(*verdict(f, 'a', RECORDED_SPACE, with(f, "\"known\"", "\"knowm\"")) != '\0');
	unmake(f);
}

static void an_unsigned_record_is_refused(void **state)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	CLEANUP(sb_done) struct sb text = SB_INIT(64);
	const char *who = NULL;
	struct err err = ERR_INIT;

	(void)state;
	sb_add(&text, "{}");
	assert_int_equal(recorded_verify(&a, "obs.json", &text, NULL, "signers", NULL, 0, &who,
					 &err),
			 -E_REFUSED);
	assert_non_null(strstr(err.msg, "it is not signed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plan_is_the_one_that_was_made_then),
		cmocka_unit_test(the_plan_says_what_it_rests_on),
		cmocka_unit_test(other_facts_make_another_plan),
		cmocka_unit_test(what_was_not_recorded_is_said_and_nothing_is_taken_for_it),
		cmocka_unit_test(what_nobody_could_read_is_as_unknown_from_the_record),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(any_shape_of_its_members_is_survived),
		cmocka_unit_test(only_who_may_record_is_believed),
		cmocka_unit_test(an_unsigned_record_is_refused),
	};
	const char *tmp = getenv("TMPDIR");

	return tmp && chdir(tmp) < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
