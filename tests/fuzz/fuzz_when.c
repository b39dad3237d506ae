/* SPDX-License-Identifier: Apache-2.0 */
/* What is read as an instant or a span is written so that it reads as the same. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/base/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(mem_freep) char *text = mem_strndup((const char *)data, size);
	int64_t ms = 0, back = 0, precision;
	struct err e = ERR_INIT;
	char buf[WHEN_TEXT_MAX];

	if (when_parse_http_date(text, &ms) == 0 && ms % WHEN_SECOND != 0)
		abort();
	if (when_parse_span(text, &ms, &e) == 0 &&
	    (when_parse_span(when_span_text(buf, ms), &back, &e) < 0 || back != ms))
		abort();
	err_clear(&e);
	/* An offset may lead out of the four-digit years, and 0 is written as a word. */
	if (when_parse(text, &ms, &precision, &e) == 0 && ms > 0 && ms < INT64_C(253402300800000) &&
	    (when_parse(when_text(buf, ms), &back, NULL, &e) < 0 || back != ms))
		abort();
	return 0;
}
