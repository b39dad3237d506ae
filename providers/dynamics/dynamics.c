/* SPDX-License-Identifier: Apache-2.0 */
#include "dynamics.h"

static const struct field no_fields[] = { { 0 } };
static const struct connection_type connection = {
	.name = "dynamics",
	.doc = "Dynamics 365's Web API, https://<org>.api.crm.dynamics.com. Best with an application user of its own that may only read: limits count by user.",
	.fields = no_fields,
	.prefix_default = "/api/data/v9.2",
	.auth_kinds = "client_credentials",
	.scope_separator = " ",
	.probe = dynamics_who_am_i,
};
static const struct connection_type *const connections[] = { &connection, NULL };

static const struct field canary_fields[] = {
	{ .name = "contact",
	  .kind = FIELD_ID,
	  .flags = FIELD_REQUIRED | FIELD_FROM_ENV,
	  .doc = "The contact's id, a GUID. Never one of a real person." },
	{ .name = "field",
	  .kind = FIELD_ID,
	  .flags = FIELD_REQUIRED,
	  .doc = "The text column that is changed, by its logical name; mapped by the integration." },
	{ .name = "profile_field",
	  .kind = FIELD_ID,
	  .doc = "The Campaign field that it is mapped to; without it the times of the profile decide." },
	{ 0 },
};
static const struct field dynamics_fields[] = {
	{ .name = "canary",
	  .kind = FIELD_MAP,
	  .doc = "A contact that may be changed to prove that records flow.",
	  .sub = canary_fields },
	{ 0 },
};
static const struct section_type section = {
	.name = "dynamics",
	.doc = "The Dynamics 365 organization.",
	.fields = dynamics_fields,
};
static const struct section_type *const sections[] = { &section, NULL };

/* The canary is touched before contacts are sampled. */
static const struct thing_type *const things[] = { &dynamics_access, &dynamics_canary,
						   &dynamics_contact, NULL };
static const struct gate_type *const gates[] = { NULL };

static const struct capability capabilities[] = {
	{ "sign in to Dynamics", "dynamics.access", "documented",
	  "nothing in Dynamics can be verified", NULL },
	{ "read contacts", "dynamics.contact", "documented",
	  "that records flow stays unproved: reported, and it does not stop the rest", NULL },
	{ "change the canary contact", "dynamics.canary/touch", "documented",
	  "on a quiet tenant nothing may change in time, and that records flow stays unproved",
	  NULL },
	{ .name = NULL },
};

const struct provider dynamics_provider = {
	.name = "dynamics",
	.doc = "Microsoft Dynamics 365 (Dataverse Web API)",
	.connections = connections,
	.sections = sections,
	.things = things,
	.gates = gates,
	.capabilities = capabilities,
};
