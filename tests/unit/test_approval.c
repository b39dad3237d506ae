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
#include "core/run/approval.h"
#include "tests/unit/fake_shop.h"

#define NOW FAKE_START

/* A person: a key made of one letter. */
static struct sign_key *key_of(char who)
{
	unsigned char seed[SIGN_SEED_LEN];
	struct sign_key *k = NULL;
	struct err err = ERR_INIT;

	memset(seed, who, sizeof(seed));
	assert_int_equal(sign_key_from_seed(seed, &k, &err), 0);
	return k;
}

static void add_public(struct sb *out, char who)
{
	CLEANUP(sign_key_freep) struct sign_key *k = key_of(who);
	CLEANUP(sb_done) struct sb blob = SB_INIT(256);
	unsigned char pub[SIGN_PUBLIC_LEN];

	sign_key_public(k, pub);
	ssh_public_blob(&blob, pub);
	sb_add(out, SSH_ED25519 " ");
	base64_add(out, blob.buf, blob.len, 0);
}

/* An allowed-signers file; "@a" in its text becomes the key of 'a'. */
static int read_signers(struct arena *a, const char *text, struct signers **ret, struct err *err)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(65536);
	const char *tmp = getenv("TMPDIR");
	char path[512];
	int fd, rc;

	for (; *text; text++)
		if (*text == '@' && text[1] && (text[2] == '\n' || text[2] == ' '))
			add_public(&out, *++text);
		else
			sb_addc(&out, *text);
	snprintf(path, sizeof(path), "%s/test-approval-XXXXXX", tmp ? tmp : "/tmp");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, out.buf, out.len), (ssize_t)out.len);
	close(fd);
	rc = signers_read(a, path, ret, err);
	unlink(path);
	return rc;
}

static const char people[] =
	"# people\n\nann@x.example,ann @a\nbob@x.example namespaces=\"git,s2sctl-approval\" @b\n"
	"maker@x.example @m\n*@y.example @y\n";

static const struct value *doc_of(struct arena *a)
{
	static const char text[] =
		"{\"intent_digest\":\"abc\",\"made_by\":\"maker@x.example\",\"environments\":[{\"name\":\"dev\"},{\"name\":\"stage\"}],"
		"\"steps\":[{\"address\":\"dev/a/b\",\"environments\":[\"dev\"],\"phase\":\"switch\",\"approvals\":1},"
		"{\"address\":\"dev+stage/c/d\",\"environments\":[\"dev\",\"stage\"],\"phase\":\"contract\",\"approvals\":2}]}";
	struct err err = ERR_INIT;
	struct value *doc = NULL;

	assert_int_equal(json_parse(a, text, strlen(text), NULL, NULL, NULL, &doc, &err), 0);
	return doc;
}

struct vote {
	char who;
	const char *env, *step; /* NULL: all */
	int64_t from, until;
};

static void add_vote(struct arena *a, struct value *lines, const struct vote *v)
{
	const char *const envs[] = { v->env, NULL }, *const steps[] = { v->step, NULL };
	CLEANUP(sign_key_freep) struct sign_key *k = key_of(v->who);
	CLEANUP(sb_done) struct sb message = SB_INIT(65536), sig = SB_INIT(65536);
	struct value *st = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(approval_statement(a, doc_of(a), envs, steps, v->from, v->until, &st,
					    &err),
			 0);
	approval_message(st, &message);
	sshsig_add(&sig, k, SIGNERS_SPACE, message.buf, message.len);
	value_list_add(a, lines, approval_line(a, st, sig.buf));
}

/* "dev/a/b:1 dev+stage/c/d:0" - who counts for each step, as a number. */
static const char *judged(struct arena *a, const struct vote *votes, const char **ret_why)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(4096);
	struct signers *s = NULL;
	struct err err = ERR_INIT;
	struct approvals ap = { .lines = value_list(a) };
	struct value *lines = value_list(a);
	const struct value *v, *steps;

	for (; votes->who; votes++)
		add_vote(a, lines, votes);
	if (read_signers(a, people, &s, &err) < 0)
		fail_msg("%s", err.msg);
	ap = (struct approvals){ lines, s };
	v = approval_judge(a, &ap, NULL, doc_of(a), NULL, NOW);
	steps = value_get(v, "steps");
	for (size_t i = 0; i < value_count(steps); i++)
		sb_addf(&out, "%s%zu", i ? " " : "",
			value_count(value_get(value_at(steps, i), "by")));
	*ret_why = value_text_or(value_get(v, "why"), "");
	assert_true(value_bool_or(value_get(v, "approved"), false) == !**ret_why);
	return arena_strdup(a, out.buf);
}

static void who_counts_for_what(void **state)
{
	static const int64_t from = NOW - WHEN_HOUR, to = NOW + WHEN_HOUR;
	static const struct {
		const char *counts, *why;
		struct vote votes[4];
	} cases[] = {
		{ "0 0", "'dev/a/b' needs 1 approval and has 0", { { 0 } } },
		{ "1 1", "'dev+stage/c/d' needs 2", { { 'a', NULL, NULL, from, to } } },
		{ "2 2", "", { { 'a', NULL, NULL, from, to }, { 'b', NULL, NULL, from, to } } },
		{ "1 1",
		  "needs 2",
		  { { 'a', NULL, NULL, from, to }, { 'a', NULL, NULL, from, to } } },
		{ "2 1",
		  "needs 2",
		  { { 'a', NULL, NULL, from, to }, { 'b', NULL, "reversible", from, to } } },
		{ "1 2",
		  "",
		  { { 'a', NULL, NULL, from, to }, { 'b', NULL, "irreversible", from, to } } },
		{ "1 2",
		  "",
		  { { 'a', NULL, NULL, from, to }, { 'b', NULL, "dev+stage/c/d", from, to } } },
		/* A shared step is approved for all of its environments or not at all. */
		{ "2 1",
		  "needs 2",
		  { { 'a', NULL, NULL, from, to }, { 'b', "dev", NULL, from, to } } },
		{ "0 0", "is not in", { { 'z', NULL, NULL, from, to } } },
		{ "0 0", "made the plan", { { 'm', NULL, NULL, from, to } } },
		{ "0 0", "it ran out at", { { 'a', NULL, NULL, from, NOW } } },
		{ "0 0", "only", { { 'a', NULL, NULL, NOW + 6 * WHEN_MINUTE, to } } },
		{ "1 1", "needs 2", { { 'a', NULL, NULL, NOW + 4 * WHEN_MINUTE, to } } },
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *why = "", *got = judged(&a, cases[i].votes, &why);

		if (strcmp(got, cases[i].counts) != 0 || !strstr(why, cases[i].why) ||
		    !*why != !*cases[i].why)
			fail_msg("case %zu: '%s' because of '%s'", i, got, why);
	}
	arena_done(&a);
}

static void what_was_signed_for_another_plan_does_not_count(void **state)
{
	struct arena a = ARENA_INIT;
	struct signers *s = NULL;
	struct err err = ERR_INIT;
	struct value *lines = value_list(&a), *other = value_copy(&a, doc_of(&a));
	const struct vote v = { 'a', NULL, NULL, NOW, NOW + WHEN_HOUR };
	struct approvals ap;

	(void)state;
	add_vote(&a, lines, &v);
	assert_int_equal(read_signers(&a, people, &s, &err), 0);
	ap = (struct approvals){ lines, s };
	value_set(&a, other, "intent_digest", value_string(&a, "abd"));
	assert_non_null(
		strstr(value_text_or(value_get(approval_judge(&a, &ap, NULL, other, NULL, NOW),
					       "why"),
				     ""),
		       "it is for another plan"));
	arena_done(&a);
}

static void nobody_is_approved_without_signers(void **state)
{
	struct arena a = ARENA_INIT;
	struct value *lines = value_list(&a);
	const struct vote v = { 'a', NULL, NULL, NOW, NOW + WHEN_HOUR };
	struct approvals ap = { .lines = lines };

	(void)state;
	add_vote(&a, lines, &v);
	assert_non_null(
		strstr(value_text_or(value_get(approval_judge(&a, &ap, NULL, doc_of(&a), NULL, NOW),
					       "why"),
				     ""),
		       "nobody is named"));
	arena_done(&a);
}

static void lines_that_say_nothing_are_told_and_do_not_count(void **state)
{
	static const char *const odd[] = {
		"{}",
		"[]",
		"1",
		"null",
		"{\"statement\":{}}",
		"{\"statement\":[],\"signature\":7}",
		"{\"bad\":\"line 1\"}",
		"{\"statement\":{\"steps\":{\"all\":1}},\"signature\":\"-----BEGIN SSH SIGNATURE-----\"}"
	};
	struct arena a = ARENA_INIT;
	struct signers *s = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(read_signers(&a, people, &s, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct value *line = NULL, *lines = value_list(&a);
		struct approvals ap = { .lines = lines, .signers = s };
		const struct value *v;

		assert_int_equal(json_parse(&a, odd[i], strlen(odd[i]), NULL, NULL, NULL, &line,
					    &err),
				 0);
		value_list_add(&a, lines, line);
		v = approval_judge(&a, &ap, NULL, doc_of(&a), NULL, NOW);
		assert_false(value_bool_or(value_get(v, "approved"), true));
		assert_false(
			value_bool_or(value_get(value_at(value_get(v, "approvals"), 0), "counts"),
				      true));
	}
	arena_done(&a);
}

static void signers_are_read_as_openssh_writes_them(void **state)
{
	static const struct {
		const char *line;
		bool is_read, counts;
	} cases[] = {
		{ "ann @a\n", true, true },
		{ "ann @a comment of many words\r\n", true, true },
		{ "ann namespaces=\"git\" @a\n", true, false },
		{ "ann namespaces=\"s2sctl-*\" @a\n", true, true },
		{ "ann namespaces=\"*,!s2sctl-approval\" @a\n", true, false },
		{ "ann valid-after=\"20261124\",valid-before=\"20261126Z\" @a\n", true, false },
		{ "ann valid-after=\"20261124Z\",valid-before=\"20261126Z\" @a\n", true, true },
		{ "ann valid-before=\"20261124095959Z\" @a\n", true, false },
		{ "ann valid-before=\"20261124100001Z\" @a\n", true, true },
		{ "ann valid-before=\"20261124235959\" @a\n", true,
		  false }, /* somewhere it is over already */
		{ "ann valid-before=\"20261199Z\" @a\n", false, false },
		{ "ann cert-authority @a\n", false, false },
		{ "ann cert-authority,namespaces=\"x\" @a\n", false, false },
		{ "ann verify-required @a\n", false, false },
		{ "ann namespaces=\"git @a\n", false, false },
		{ "ann\n", false, false },
		{ "ann ssh-ed25519 AAAA\n", false, false },
		{ "ann ssh-rsa AAAA\n", true, false },
		{ "ann @b\nann valid-before=\"20200101Z\" @a\nann @a\n", true, true },
	};
	struct arena a = ARENA_INIT;
	CLEANUP(sign_key_freep) struct sign_key *k = key_of('a');
	unsigned char pub[SIGN_PUBLIC_LEN];

	(void)state;
	sign_key_public(k, pub);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct signers *s = NULL;
		struct err err = ERR_INIT;
		char why[512];
		int rc = read_signers(&a, cases[i].line, &s, &err);

		if ((rc == 0) != cases[i].is_read || (rc < 0 && err.code != E_REFUSED))
			fail_msg("%s: %s", cases[i].line, err.msg);
		if (rc == 0 &&
		    (signers_find(s, pub, NOW, why, sizeof(why)) != NULL) != cases[i].counts)
			fail_msg("%s: %s", cases[i].line, why);
	}
	arena_done(&a);
}

static void a_principal_is_a_pattern_and_case_does_not_matter(void **state)
{
	struct signer s = { .principals = "ann@x.example,*@y.example,!eve@y.example" };

	(void)state;
	assert_true(signer_is(&s, "Ann@X.example"));
	assert_true(signer_is(&s, "joe@y.example"));
	assert_false(signer_is(&s, "eve@y.example"));
	assert_false(signer_is(&s, "ann"));
}

static void a_statement_names_only_what_the_plan_has(void **state)
{
	struct arena a = ARENA_INIT;
	const char *const envs[] = { "prod", NULL }, *const steps[] = { "dev/a/c", NULL };
	struct value *st = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(approval_statement(&a, doc_of(&a), envs, NULL, 1, 2, &st, &err), -E_USAGE);
	err_clear(&err);
	assert_int_equal(approval_statement(&a, doc_of(&a), NULL, steps, 1, 2, &st, &err),
			 -E_USAGE);
	assert_null(st);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_counts_for_what),
		cmocka_unit_test(what_was_signed_for_another_plan_does_not_count),
		cmocka_unit_test(nobody_is_approved_without_signers),
		cmocka_unit_test(lines_that_say_nothing_are_told_and_do_not_count),
		cmocka_unit_test(signers_are_read_as_openssh_writes_them),
		cmocka_unit_test(a_principal_is_a_pattern_and_case_does_not_matter),
		cmocka_unit_test(a_statement_names_only_what_the_plan_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
