/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dynamics.h - Microsoft Dynamics 365, by its Dataverse Web API: the source of the records that the integration moves.
 *
 * Source of all wire facts here: learn.microsoft.com, Power Apps developer documentation, data-platform/webapi (compose-http-requests-
 * handle-errors, page-results, perform-conditional-operations), read 2026-11-23.
 */
#pragma once
#include "core/api/provider.h"

extern const struct provider dynamics_provider;

/* For the files of this folder. */
extern const struct thing_type dynamics_access, dynamics_contact, dynamics_canary;
extern const struct change_type dynamics_touch;

#define CANARY_PREFIX "s2sctl " /* what a touched field holds, before the step's nonce */
#define DYNAMICS_PAGE_PREFER "odata.maxpagesize=500"

call_fn dynamics_who_am_i; /* also doctor's probe */
struct http_req dynamics_get(const char *path, const char *what);
/* http_unexpected with what a reader can do about it. */
int dynamics_unexpected(const struct http_req *req, const struct http_resp *resp, struct err *err);
/* From when on changes count: this run's restart, else the oldest start of what runs; 0: not known. */
int64_t dynamics_since_ms(const struct view *v);
const char *dynamics_canary_contact(const struct view *v); /* NULL: none declared */
const char *dynamics_canary_field(const struct view *v);   /* the same */
/* What this run writes into the canary, once it has been tried; in `a`. NULL: it was not. */
const char *dynamics_canary_mark(const struct view *v, struct arena *a);
bool dynamics_is_guid(const char *text);
