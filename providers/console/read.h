/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.h - what the things of the console share: where they stand, one read, and what to say about what cannot be read.
 *
 * Text is borrowed from the view or lives in the arena given.
 */
#pragma once
#include "core/api/provider.h"

/* The ids that paths are made of; NULL where not known. */
struct where {
	const char *org_id, *project_id, *workspace_id; /* console.project */
	const char *credential_id, *oauth_id, *type;    /* console.credential */
};
struct where console_where(const struct view *v);

/*
 * E_DENIED for a thing whose ids are not known: whoever knows nothing of the project cannot ask for its credentials,
 * so that a person has to look here as well.
 */
enum next console_blind(const char *missing, struct err *err);

/* Fills a GET. The same request names itself when its answer is refused. */
void console_get(struct http_req *req, const char *path, const char *what);
bool console_ok(const struct http_resp *resp); /* any 2xx */
enum next console_refuse(const struct http_req *req, const struct http_resp *resp, struct err *err);

/* A boolean that the console writes as true or false, 1 or 0. */
bool console_flag(const struct value *v);

/* One fact of the call's thing; makes the map at first. */
void console_fact(struct call *c, const char *name, const struct value *val);
void console_fact_text(struct call *c, const char *name, const char *text);
/* Fills in what attested facts leave out. */
void console_default(struct arena *a, struct value *facts, const char *name,
		     const struct value *val);

/*
 * True when the thing is not known. Then the reader is told what to do: attest `facts`, or mend what failed; or nothing, when
 * that was said about a thing that this one needs.
 */
bool console_unknown(const struct view *v, struct changes *c, const char *thing,
		     const char *const *facts);

/* {name: value}, for before and after of a change. */
const struct value *console_pair(struct arena *a, const char *name, const char *text);

/* An address in the console's UI: {page}/projects/{orgId}/{projectId} and `tail`; the console's front page while ids are not known. */
const char *console_page(const struct view *v, struct arena *a, const char *tail);
/* "project 'Title' of organization X@AdobeOrg", as a person finds it. */
const char *console_project_text(const struct view *v, struct arena *a);
