/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2sctl/session.h"

int cmd_verify(struct session *s, int argc, const char *const *argv)
{
	static const struct command c = {
		"verify", "JOURNAL|FOLDER",
		"Checks a journal, its runs and their receipts. Reads the files and nothing else.",
		NULL
	};
	bool json;
	int status;
	const struct opt own[] = {
		{ "format", 0, OPT_TEXT, "FORMAT", "text (default) or json", &s->common.format },
		{ 0 },
	};

	if (!session_options(s, &c, own, argc, argv, 1, 1, &status) ||
	    !session_wants_json(s, &json, &status))
		return status;
	return verify_journal_at(s, s->words.items[0], json);
}
