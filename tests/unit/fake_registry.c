/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake_registry.h"

#include <string.h>

#include "core/base/when.h"

/* --- connections --- */

static const struct field shop_fields[] = {
	{ .name = "page",
	  .kind = FIELD_URL,
	  .def = "https://shop.example/page",
	  .doc = "Where people look." },
	{ .name = NULL },
};
static const struct connection_type shop = {
	.name = "shop",
	.doc = "The shop.",
	.fields = shop_fields,
	.prefix_default = "/v1",
	.auth_kinds = "bearer,client_credentials",
	.token_path = "/token",
	.token_conn = "till",
	.scope_separator = ",",
	.api_key_header = "x-api-key",
	.required = true,
};
static const struct connection_type till = {
	.name = "till",
	.doc = "Where tokens come from.",
	.url_default = "https://till.example",
	.prefix_default = "",
	.auth_kinds = "",
};
static const struct connection_type bridge = { .name = "bridge",
					       .doc = "An adapter.",
					       .prefix_default = "",
					       .auth_kinds = "bearer" };
static const struct connection_type *const connections[] = { &shop, &till, &bridge, NULL };

/* --- sections --- */

static const struct field project_fields[] = {
	{ .name = "organization",
	  .kind = FIELD_ID,
	  .flags = FIELD_REQUIRED | FIELD_FROM_ENV,
	  .doc = "Whose it is." },
	{ .name = "id", .kind = FIELD_ID, .flags = FIELD_ONE_OF, .doc = "Its id." },
	{ .name = "title", .kind = FIELD_STRING, .flags = FIELD_ONE_OF, .doc = "Its title." },
	{ .name = NULL },
};
static const struct field scope = { .name = "scope", .kind = FIELD_ID };
static const struct field credential_fields[] = {
	{ .name = "client_id",
	  .kind = FIELD_ID,
	  .flags = FIELD_REQUIRED | FIELD_FROM_ENV,
	  .doc = "The client." },
	{ .name = "client_secret",
	  .kind = FIELD_SECRET,
	  .flags = FIELD_REQUIRED,
	  .doc = "Its secret." },
	{ .name = "scopes", .kind = FIELD_LIST, .sub = &scope, .max = 3, .doc = "What it may." },
	{ .name = NULL },
};
static const struct field app_fields[] = {
	{ .name = "instance", .kind = FIELD_ID, .flags = FIELD_REQUIRED, .doc = "Which one." },
	{ .name = "mode", .kind = FIELD_STRING, .def = "plain", .doc = "How it runs." },
	{ .name = NULL },
};

static const char *const colours[] = { "red", "green", "blue", NULL };
static const struct field shelf_fields[] = {
	{ .name = "name", .kind = FIELD_ID, .flags = FIELD_REQUIRED, .doc = "Its name." },
	{ .name = "width", .kind = FIELD_INT, .def = "80", .doc = "In centimetres." },
	{ .name = NULL },
};
static const struct field shelf = { .name = "shelf", .kind = FIELD_MAP, .sub = shelf_fields };
static const struct field label_fields = { .name = "LABEL",
					   .kind = FIELD_STRING,
					   .doc = "Any label." };
static const struct field room_fields[] = {
	{ .name = "size",
	  .kind = FIELD_INT,
	  .flags = FIELD_FROM_ENV,
	  .min = 1,
	  .max = 500,
	  .def = "100",
	  .doc = "How many." },
	{ .name = "door", .kind = FIELD_BOOL, .def = "true", .doc = "Whether there is one." },
	{ .name = NULL },
};
static const struct field stock_fields[] = {
	{ .name = "name", .kind = FIELD_STRING, .flags = FIELD_FROM_ENV, .doc = "A text." },
	{ .name = "count",
	  .kind = FIELD_INT,
	  .min = 1,
	  .max = 500,
	  .def = "100",
	  .doc = "A number." },
	{ .name = "open",
	  .kind = FIELD_BOOL,
	  .flags = FIELD_FROM_ENV,
	  .def = "false",
	  .doc = "A truth." },
	{ .name = "every",
	  .kind = FIELD_SPAN,
	  .flags = FIELD_FROM_ENV,
	  .min = WHEN_MINUTE,
	  .max = WHEN_DAY,
	  .def = "15m",
	  .doc = "A span." },
	{ .name = "since", .kind = FIELD_INSTANT, .doc = "An instant." },
	{ .name = "page", .kind = FIELD_URL, .flags = FIELD_FROM_ENV, .doc = "An address." },
	{ .name = "colour",
	  .kind = FIELD_ENUM,
	  .names = colours,
	  .def = "red",
	  .doc = "A choice." },
	{ .name = "key", .kind = FIELD_SECRET, .doc = "A secret." },
	{ .name = "list", .kind = FIELD_PATH, .doc = "A file." },
	{ .name = "room", .kind = FIELD_MAP, .sub = room_fields, .doc = "A map." },
	{ .name = "shelves",
	  .kind = FIELD_LIST,
	  .sub = &shelf,
	  .max = 4,
	  .doc = "A list of maps." },
	{ .name = "labels", .kind = FIELD_DICT, .sub = &label_fields, .doc = "Free keys." },
	{ .name = "tags", .kind = FIELD_LIST, .sub = &scope, .def = "[a, b]", .doc = "A list." },
	{ .name = NULL },
};
static const struct section_type project_section = { "project", "The project.", project_fields,
						     true };
static const struct section_type credential_section = { "credential", "The credential.",
							credential_fields, true };
static const struct section_type app_section = { "app", "The app.", app_fields, false };
static const struct section_type stock_section = { "stock", "All kinds.", stock_fields, false };
static const struct section_type *const sections[] = { &project_section, &credential_section,
						       &app_section, &stock_section, NULL };

/* --- things and gates --- */

static const struct change_type open_change = {
	.name = "open",
	.doc = "Opens the order.",
	.phase = PHASE_EXPAND,
	.undo = UNDO_STEP,
	.undo_doc = "Close it.",
	.capability = "open",
	.executors = EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_BRIDGE),
	.executor_default = EXEC_OPERATOR,
};
static const struct change_type close_change = {
	.name = "close",
	.doc = "Closes the order for ever.",
	.phase = PHASE_CONTRACT,
	.undo = UNDO_NEVER,
	.undo_doc = "It is gone.",
	.capability = "close",
	.executors = EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_API),
	.executor_default = EXEC_NONE,
};
static const struct change_type fill_change = {
	.name = "fill",
	.doc = "Fills the shelf.",
	.phase = PHASE_SWITCH,
	.undo = UNDO_STEP,
	.undo_doc = "Empty it.",
	.capability = "open",
	.executors = EXEC_BIT(EXEC_OPERATOR) | EXEC_BIT(EXEC_BRIDGE) | EXEC_BIT(EXEC_API),
	.executor_default = EXEC_OPERATOR,
};
static const struct change_type *const order_changes[] = { &open_change, &close_change, NULL };
static const struct change_type *const shelf_changes[] = { &fill_change, NULL };
static const struct fact order_facts[] = {
	{ "id", VAL_STRING, FACT_IDENTITY, "Its id." },
	{ "is_open", VAL_BOOL, FACT_STATE, "Whether it is open." },
	{ .name = NULL },
};
static const struct fact shelf_facts[] = {
	{ "full", VAL_BOOL, FACT_STATE, "Whether it is full." },
	{ .name = NULL },
};
static const struct thing_type order_thing = { .name = "shop.order",
					       .doc = "An order.",
					       .conn = "shop",
					       .facts = order_facts,
					       .at_plan = true,
					       .changes = order_changes };
static const struct thing_type shelf_thing = { .name = "shop.shelf",
					       .doc = "A shelf.",
					       .conn = "shop",
					       .facts = shelf_facts,
					       .at_plan = true,
					       .changes = shelf_changes };
static const struct thing_type *const things[] = { &order_thing, &shelf_thing, NULL };

static const struct field quiet_fields[] = {
	{ .name = "window",
	  .kind = FIELD_SPAN,
	  .min = WHEN_DAY,
	  .def = "24h",
	  .doc = "How long nothing may happen." },
	{ .name = NULL },
};
static const char *const quiet_observes[] = { "shop.order", NULL };
static const struct gate_type quiet = {
	.name = "quiet",
	.doc = "Nothing happens.",
	.fields = quiet_fields,
	.observes = quiet_observes,
	.cadence = "10m",
	.deadline = "2d",
	.ask_valid_ms = WHEN_HOUR,
	.is_safety = true,
};
static const struct gate_type *const gates[] = { &quiet, NULL };
static const struct capability capabilities[] = {
	{ .name = "read orders",
	  .thing = "shop.order",
	  .official = "documented",
	  .without = "nobody knows" },
	{ .name = NULL },
};
static bool finding(const struct value *want, size_t n, struct file_finding *ret)
{
	const struct value *word = value_get(want, "on_failure");

	if (n > 0 || !value_path(want, "project.title") ||
	    strcmp(value_text_or(word, ""), "rollback") != 0)
		return false;
	*ret = (struct file_finding){ word, "title-back",
				      "what is known by its title cannot go back", "write its id" };
	return true;
}

static const struct provider shop_provider = { .name = "shop",
					       .doc = "A shop.",
					       .connections = connections,
					       .sections = sections,
					       .things = things,
					       .gates = gates,
					       .capabilities = capabilities,
					       .file_finding = finding };
static const struct provider *const providers[] = { &shop_provider, NULL };
const struct registry fake_registry = { providers };

/* --- the outside --- */

static int64_t stands_still(void *ctx)
{
	(void)ctx;
	return INT64_C(1795514400000); /* 2026-11-24T10:00:00Z */
}

static void zeros(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0, len);
}

static const char *look_up(void *ctx, const char *name)
{
	struct fake_env *env = ctx;
	size_t len = strlen(name);
	env->reads++;
	for (const char *const *v = env->vars; v && *v; v++)
		if (!strncmp(*v, name, len) && (*v)[len] == '=')
			return *v + len + 1;
	return NULL;
}

static int never(void *ctx)
{
	(void)ctx;
	return 0;
}

struct sys fake_sys(struct fake_env *env)
{
	return (struct sys){ env, stands_still, stands_still, zeros, look_up, never };
}

const char fake_rollout_text[] =
	"version: 1\n"
	"connections:\n"
	"  shop:\n"
	"    url: https://shop.example/\n"
	"    auth: {kind: bearer, token: env:SHOP_TOKEN, api_key: key-1}\n"
	"defaults:\n"
	"  credential: {client_secret: {ref: file:secret, late: true}, scopes: [read, write]}\n"
	"  executors: {close: operator}\n"
	"  stock: {room: {size: 7}}\n"
	"environments:\n"
	"  dev:\n"
	"    project: {organization: org-1, title: Dev}\n"
	"    credential: {client_id: client-dev}\n"
	"    app: {instance: dev}\n"
	"    gates: {quiet: {window: 30h}}\n"
	"  prod:\n"
	"    project: {organization: org-1, id: 4711}\n"
	"    credential: {client_id: client-prod, client_secret: exec:get secret}\n"
	"    app: {instance: prod, mode: fast}\n"
	"    executors: {close: api}\n"
	"    consumers: [mailer]\n"
	"    after: [dev]\n";
