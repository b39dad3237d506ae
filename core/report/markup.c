/* SPDX-License-Identifier: Apache-2.0 */
#include "core/report/markup.h"

#include <string.h>

void markup_escape(struct sb *out, const char *visible)
{
	for (const char *p = visible; *p;) {
		size_t run = strcspn(p, "&<>\"'");

		sb_addn(out, p, run);
		p += run;
		if (!*p)
			return;
		sb_add(out, *p == '&' ? "&amp;" :
			    *p == '<' ? "&lt;" :
			    *p == '>' ? "&gt;" :
			    *p == '"' ? "&quot;" :
					"&#39;");
		p++;
	}
}

void markup_add(struct sb *out, const char *raw, size_t max)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	text_add(&text, raw, max);
	markup_escape(out, text.buf);
}

void markup_add_value(struct sb *out, const struct value *v, size_t max)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

	text_add_value(&text, v, max);
	markup_escape(out, text.buf);
}
