/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reqlog.h - what was asked of the twins, so that a test can count.
 *
 * Holds method, path without its query, twin, statuses and the world's time: never a header, a
 * query or a body, hence no secret.
 */
#pragma once
#include "core/base/sb.h"
#include "core/base/value.h"

#define REQLOG_MAX 1000000

struct reqlog_entry {
	int64_t at_ms;       /* the world's time when it was decided what to do */
	const char *method;
	const char *path;    /* still percent-encoded, without query, printable */
	const char *twin;    /* or NULL; static */
	const char *fault;   /* kinds that had a hand in it, "latency+reset", or NULL */
	int status;          /* what the client was sent; 0: nothing */
	int twin_status;     /* what the twin answered; 0: it never saw the request */
};

struct reqlog;
struct reqlog *reqlog_new(void) MUST_USE;
void reqlog_free(struct reqlog *l);
/* Copies the texts; past REQLOG_MAX it only counts. */
void reqlog_add(struct reqlog *l, const struct reqlog_entry *e);
void reqlog_clear(struct reqlog *l);
/*
 * {"count","dropped","requests":[{"at","method","path","twin","status","twin_status","fault"}]};
 * count is that of the list. E_PLAN for an unreadable `since`.
 * @filter  map of strings: method, twin, path (prefix), since (ISO); others are ignored; NULL: all
 */
int reqlog_value(const struct reqlog *l, const struct value *filter, struct arena *a,
		 struct value **ret, struct err *err) MUST_USE;
struct value *reqlog_entry_value(const struct reqlog_entry *e, struct arena *a) MUST_USE;
