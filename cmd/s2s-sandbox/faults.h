/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.h - rules by which the sandbox misbehaves on demand.
 *
 * For each request the rules are asked in order. `latency` and `slow` add to what follows; the
 * first of any other kind decides and ends the asking, so rules after it do not count this request.
 * Pure but for the counters and what `stale` remembers; the server carries a verdict out.
 */
#pragma once
#include "core/base/value.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_LATENCY,     /* waits; other connections go on */
	FAULT_STATUS,      /* that status instead */
	FAULT_RESET,       /* the connection is reset, the twin has seen nothing */
	FAULT_RESET_AFTER, /* the twin has acted, then the connection is reset: a lost reply */
	FAULT_TRUNCATE,    /* Content-Length says more than what comes */
	FAULT_SLOW,        /* the body comes at so many bytes a second */
	FAULT_HTML,        /* a page of a proxy instead */
	FAULT_GARBAGE,     /* what says that it is JSON and is not */
	FAULT_HUGE,        /* a body of that many bytes */
	FAULT_STALE,       /* a GET is answered as it was answered when the rule first saw it */
};

#define FAULT_RULES_MAX 1000
#define FAULT_MS_MAX INT64_C(3600000)
#define FAULT_BYTES_MAX (INT64_C(1) << 40)
#define FAULT_TEXT_MAX ((size_t)1 << 20)

/* What shall happen to one request; all its texts are in the request's arena. */
struct fault_verdict {
	enum fault_kind kind; /* never LATENCY or SLOW */
	bool acts;            /* the twin sees the request, although its answer may not be sent */
	int64_t before_ms;    /* latency before the twin acts ... */
	int64_t after_ms;     /* ... and after */
	int64_t bytes;        /* of truncate and huge */
	int64_t bytes_per_second; /* 0: not slow */
	int status;
	const char *retry_after, *body, *content_type; /* or NULL */
	uint64_t rule;        /* for faults_stale */
	const char *names;    /* "latency+status", or NULL */
};

struct faults;
struct faults *faults_new(void) MUST_USE;
void faults_free(struct faults *f);
/* A list of rules, {"rules": [...]} or one rule; behind those that are there. All or nothing. */
int faults_add(struct faults *f, const struct value *rules, struct err *err) MUST_USE;
void faults_clear(struct faults *f);
size_t faults_count(const struct faults *f);
/* The rules as given, each with `seen` and `fired`. */
struct value *faults_value(const struct faults *f, struct arena *a) MUST_USE;

struct fault_verdict faults_ask(struct faults *f, const char *method, const char *path,
				const char *twin, struct arena *a) MUST_USE;

/*
 * The answer that rule `rule` remembers for that url. The first time it remembers `text` and gives
 * it back. Borrowed until faults_clear.
 */
const char *faults_stale(struct faults *f, uint64_t rule, const char *url,
			 const char *text) MUST_USE;
