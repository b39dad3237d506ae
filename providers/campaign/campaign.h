/* SPDX-License-Identifier: Apache-2.0 */
/*
 * campaign.h - Adobe Campaign Standard, by its REST API: where the records have to arrive.
 *
 * Only ever read. Source of all wire facts here: Campaign Standard documentation, help/api/using (setting-up-api-access, filtering, pagination,
 * retrieving-profiles, troubleshooting, controlling-a-workflow), read 2026-11-23.
 */
#pragma once
#include "core/api/provider.h"

extern const struct provider campaign_provider;

/* For the files of this folder. */
extern const struct thing_type campaign_access, campaign_filter, campaign_optout, campaign_profile;
extern const struct change_type campaign_arrive;
extern const struct gate_type campaign_records_arrive;

call_fn campaign_access_observe; /* also doctor's probe */
int campaign_tenant(const struct view *v, const char **ret, struct err *err) MUST_USE; /* E_DENIED: the environment has none */
struct http_req campaign_get(const char *path, const char *what);
/* http_unexpected with what a reader can do about it. */
int campaign_unexpected(const struct http_req *req, const struct http_resp *resp, const char *tenant, struct err *err);
/* From when on a change in Campaign counts: this run's restart, else the oldest start of what runs; 0: not known. */
int64_t campaign_since_ms(const struct view *v);
