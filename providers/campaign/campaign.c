/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign.h"

static const struct field no_fields[] = { { 0 } };
static const struct connection_type connection = {
	.name = "campaign",
	.doc = "Adobe Campaign Standard's REST API. Best with another client than the one that is migrated.",
	.fields = no_fields,
	.url_default = "https://mc.adobe.io",
	.prefix_default = "",
	.auth_kinds = "client_credentials,bearer",
	.token_path = "/ims/token/v3",
	.token_conn = "ims",
	.scope_separator = ",",
	.api_key_header = "X-Api-Key",
	.probe = campaign_access_observe,
};
static const struct connection_type *const connections[] = { &connection, NULL };

static const struct field filter_fields[] = {
	{ .name = "name",
	  .kind = FIELD_ID,
	  .flags = FIELD_REQUIRED,
	  .doc = "The filter's ID, with or without \"by\"." },
	{ .name = "parameter",
	  .kind = FIELD_ID,
	  .flags = FIELD_REQUIRED,
	  .doc = "Its parameter, as generated when it was defined." },
	{ 0 },
};
static const struct field campaign_fields[] = {
	{ .name = "tenant",
	  .kind = FIELD_ID,
	  .flags = FIELD_REQUIRED | FIELD_FROM_ENV,
	  .doc = "The tenant in the API's path: <org>, or <org>-mkt-stage." },
	{ .name = "filter",
	  .kind = FIELD_MAP,
	  .doc = "A custom filter of the profile resource on externalId; without it profiles are looked up by address.",
	  .sub = filter_fields },
	{ .name = "opt_out_workflow",
	  .kind = FIELD_ID,
	  .doc = "ID of the Campaign workflow that exports opt-outs." },
	{ 0 },
};
static const struct section_type section = {
	.name = "campaign",
	.doc = "The Campaign Standard tenant.",
	.fields = campaign_fields,
};
static const struct section_type *const sections[] = { &section, NULL };

static const struct thing_type *const things[] = { &campaign_access, &campaign_filter,
						   &campaign_optout, &campaign_profile, NULL };
static const struct gate_type *const gates[] = { &campaign_records_arrive, NULL };

static const struct capability capabilities[] = {
	{ "sign in to Campaign", "campaign.access", "documented",
	  "nothing in Campaign can be verified", NULL },
	{ "read profiles", "campaign.profile", "documented",
	  "that records arrive stays unproved: reported, and it does not stop the rest", NULL },
	{ "read profile filters", "campaign.filter", "documented",
	  "profiles are looked up by address", NULL },
	{ "read the opt-out workflow", "campaign.optout", "documented without its state",
	  "a stopped opt-out export is not seen", NULL },
	{ .name = NULL },
};

const struct provider campaign_provider = {
	.name = "campaign",
	.doc = "Adobe Campaign Standard",
	.connections = connections,
	.sections = sections,
	.things = things,
	.gates = gates,
	.capabilities = capabilities,
};
