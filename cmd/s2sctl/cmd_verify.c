/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_verify.c - offline proof of what lies in a file; what kind of file it is decides who explains it. */
#include "cmd/s2sctl/verify.h"
#include "core/io/file.h"

int cmd_verify(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"verify", "PLAN [FILE]",
		"Explains offline who approved what of a plan until when, and what is missing.",
		NULL
	};
	CLEANUP(sb_done) struct sb text = SB_INIT((size_t)256 << 20);
	struct verify_words w = { .approvals = NULL };
	int status;
	const struct opt own[] = {
		{ "approvals", 0, OPT_TEXT, "FILE", "instead of PLAN.approvals", &w.approvals },
		{ "allowed-signers", 0, OPT_TEXT, "FILE",
		  "who may approve, instead of what the policy names", &w.signers },
		{ "revoked", 0, OPT_TEXT, "FILE", "keys that count no more, likewise", &w.revoked },
		{ "at", 0, OPT_TEXT, "TIME", "judge as of then instead of now", &w.at },
		{ "format", 0, OPT_TEXT, "FORMAT", "text (default) or json", &s->common.format },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 2, &status) ||
	    !session_wants_json(s, &w.json, &status))
		return status;
	if (file_read(s->words.items[0], &text, &s->err) < 0)
		return session_fail(s, &s->err);
	return verify_plan(s, &w, &text);
}
