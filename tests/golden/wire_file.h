/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_file.h - a wire file as data. README.md tells the format. Everything lives in the arena of struct wire_file.
 */
#pragma once
#include "tests/golden/golden.h"

/* LOST, TIMEOUT: the other side acted; VANISHED: it did not, and nobody can know. */
enum answer_kind { ANSWER_STATUS, ANSWER_NEVER, ANSWER_LOST, ANSWER_TIMEOUT, ANSWER_VANISHED };
#define TIMES_ANY (-1)    /* x*: any number, at least once */
#define TIMES_MAYBE (-2)  /* x?: any number, also none */

/* What a request must look like. */
struct asks {
	const char *expect;       /* its body as JSON, "" for none; NULL: anything goes */
	const char *bearer;       /* text of the token, its length in digits, or "none"; NULL: anything goes */
	struct http_header headers[HTTP_HEADERS_MAX + 1];
};
struct answer {
	enum answer_kind kind;
	int status;
	const char *body;         /* text with @-words; NULL: none */
	const char *content_type; /* NULL: JSON when there is a body */
	struct http_header headers[HTTP_HEADERS_MAX + 1];
	int64_t skew_ms, delay_ms;
	bool has_no_date;
	int times, used;
	struct asks asks;
	unsigned line;
};
/* The answers from some event on. */
struct stretch {
	const char *since;        /* "METHOD URL", an instant, or NULL: from the beginning */
	int64_t plus_ms;          /* so much after it */
	struct answer *answers;
	size_t count, cap;
};
struct key {
	const char *name;         /* "GET https://...", '*' stands for anything; " with TEXT": what the body holds */
	const char *where, *with; /* its two parts; with: NULL when the body does not matter */
	const char *file;
	unsigned line;
	size_t depth;             /* of @include: a key of the including file replaces an included one */
	bool is_replaced;
	struct asks asks;         /* of every answer */
	struct stretch *stretches;
	size_t count, cap;
	int64_t sent_ms;          /* when it was last asked for and reached the other side; 0: never */
};
struct wire_file {
	struct arena arena;
	const char *path;
	struct key **keys;
	size_t count, cap;
};
void wire_file_read(struct wire_file *f, struct outside *o, const char *path);
struct key *wire_file_key(const struct wire_file *f, const char *name); /* by its name as written; NULL: none */
/* The key for a request: one that names its body comes first, then one without `*`. NULL: none. */
struct key *wire_file_match(const struct wire_file *f, const char *where, const char *body);

/*
 * Replaces @ms(WHEN), @iso(WHEN) and @acs(WHEN). WHEN is `now`, `since` or an instant, then maybe + or - a span.
 * @since_ms  0: `since` makes no sense here
 */
void wire_expand(struct outside *o, const char *text, int64_t now_ms, int64_t since_ms, struct sb *out);
