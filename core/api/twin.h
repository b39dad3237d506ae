/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twin.h - a provider's model of the system that it talks to.
 *
 * A twin answers requests from state and a clock and does no I/O. It is written from the facts about the real system,
 * never from the client beside it, and includes no header of it. All twins share one world (providers/world.h), so that what one system does
 * shows in another, in its own time.
 *
 * A server (the sandbox) or a simulation parses the request and encodes the answer.
 */
#pragma once
#include "core/base/sb.h"
#include "core/base/value.h"

struct twin_req {
	const char *method;
	const char *path;                /* raw, still percent-encoded, without the query */
	const char *const *segments;     /* decoded path segments, NULL-terminated */
	size_t segment_count;
	const struct value *query;       /* map of decoded strings */
	const struct value *headers;     /* map, names in lower case */
	const struct value *body;        /* JSON or form (as map of strings); NULL when none or not parseable */
	const char *raw_body;            /* as received; "" when none */
	const char *origin;              /* "https://127.0.0.1:4711": for absolute links in answers */
	struct arena *arena;             /* dies after the answer is sent */
};

struct twin_resp {
	int status;
	const struct value *body;        /* JSON; or NULL */
	const char *text;                /* instead: this text ... */
	const char *content_type;        /* ... of this type; NULL: application/json for body, text/plain for text */
	struct { const char *name, *value; } headers[12]; /* extra ones; ends at a NULL name */
};

struct world;
struct twin {
	const char *name;                /* "console" */
	const char *doc;
	/* Whether this twin serves the path; the first that says yes answers. */
	bool (*serves)(const struct twin_req *req);
	void (*answer)(struct world *w, const struct twin_req *req, struct twin_resp *resp);
	void (*advance)(struct world *w, int64_t now_ms); /* what happens by itself until then; NULL if nothing does */
};
