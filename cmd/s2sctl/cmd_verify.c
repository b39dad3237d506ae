/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_verify.c - offline proof of what lies in a file; what kind of file it is decides who explains it. */
#include <string.h>

#include "cmd/s2sctl/verify.h"
#include "core/io/file.h"

/* Each record of a journal names the one before it; a plan stands alone. What is neither is a damaged journal. */
static bool is_plan(const struct sb *text)
{
	return strstr(text->buf, "\"kind\":\"s2sctl.plan\"") && !strstr(text->buf, "\"prev\":\"");
}

int cmd_verify(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"verify", "PLAN [FILE] | JOURNAL | FOLDER",
		"Offline: who approved what of a plan until when, and what is missing; or whether a journal and its receipts are sound.",
		NULL
	};
	CLEANUP(sb_done) struct sb text = SB_INIT((size_t)256 << 20);
	struct verify_words w = { .approvals = NULL };
	struct err unread = ERR_INIT; /* a folder, say: told by whoever verifies journals */
	int status;
	const struct opt own[] = {
		{ "approvals", 0, OPT_TEXT, "FILE", "of a plan, instead of PLAN.approvals",
		  &w.approvals },
		{ "allowed-signers", 0, OPT_TEXT, "FILE",
		  "who may approve, instead of what the policy names", &w.signers },
		{ "revoked", 0, OPT_TEXT, "FILE", "keys that count no more, likewise", &w.revoked },
		{ "at", 0, OPT_TEXT, "TIME", "judge a plan as of then instead of now", &w.at },
		{ "format", 0, OPT_TEXT, "FORMAT", "text (default) or json", &s->common.format },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 2, &status) ||
	    !session_wants_json(s, &w.json, &status))
		return status;
	if (file_read(s->words.items[0], &text, &unread) == 0 && is_plan(&text))
		return verify_plan(s, &w, &text);
	return verify_journal_at(s, s->words.items[0], w.json);
}
