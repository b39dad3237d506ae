/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opt.h - options by table: parsing, help and did-you-mean from the same rows.
 *
 * Forms: --name VALUE, --name=VALUE, --flag, -o VALUE; `--` ends options; options and words may mix.
 */
#pragma once
#include "core/base/err.h"
#include "core/base/sb.h"

#define OPT_LIST_MAX 32

enum opt_kind {
	OPT_FLAG,     /* bool */
	OPT_TEXT,     /* const char * */
	OPT_LIST,     /* struct opt_list: may be given several times */
	OPT_MAYBE,    /* const char *: "" when given without =VALUE */
};
struct opt_list {
	const char *items[OPT_LIST_MAX + 1]; /* ends with NULL */
	size_t count;
};
struct opt {
	const char *name; /* without dashes */
	char letter;      /* or 0 */
	enum opt_kind kind;
	const char *arg;  /* "FILE": what the value is called */
	const char *doc;
	void *to;
};
struct words {
	const char *items[OPT_LIST_MAX + 1]; /* what is no option; ends with NULL */
	size_t count;
};

/* argv without the program's and the command's name. Tables end with a NULL name; `common` may be NULL. E_USAGE with a hint. */
int opt_parse(const struct opt *own, const struct opt *common, int argc, const char *const *argv, struct words *ret, struct err *err) MUST_USE;
void opt_help(const struct opt *table, struct sb *out);
