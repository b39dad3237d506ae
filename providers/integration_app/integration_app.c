/* SPDX-License-Identifier: Apache-2.0 */
#include "integration_app.h"

#include <string.h>

#include "app.h"

static const char *const auth_types[] = { "oauth", NULL };
static const char *const wanted[] = { "keep", "running", "stopped", NULL };
static const struct field app_fields[] = {
	{ .name = "instance",
	  .kind = FIELD_ID,
	  .flags = FIELD_REQUIRED | FIELD_FROM_ENV,
	  .doc = "The Campaign instance, as the app's header shows it under INSTANCE." },
	{ .name = "page",
	  .kind = FIELD_URL,
	  .doc = "The app's address in your region, shown to whoever has to act there." },
	{ .name = "auth_type",
	  .kind = FIELD_ENUM,
	  .doc = "What the app shall authenticate with.",
	  .def = "oauth",
	  .names = auth_types },
	{ .name = "workflows",
	  .kind = FIELD_ENUM,
	  .doc = "Which workflows shall run afterwards: those that run now, all, or none.",
	  .def = "keep",
	  .names = wanted },
	{ .name = "keeps_private_key",
	  .kind = FIELD_BOOL,
	  .doc = "Whether the app is known to hold the JWT private key still after it was set to OAuth, so that the way back needs no other.",
	  .def = "false" },
	{ .name = "apply_pending",
	  .kind = FIELD_BOOL,
	  .doc = "Whether the restart may apply edits and replays that somebody else left waiting for one.",
	  .def = "false" },
	{ .name = "stopped_is_meant",
	  .kind = FIELD_BOOL,
	  .doc = "Whether workflows found STOPPED are meant to be, where a migration was begun and no journal tells.",
	  .def = "false" },
	{ 0 },
};
static const struct section_type section = {
	.name = "app",
	.doc = "The integration app's instance.",
	.fields = app_fields,
	.required = true,
};
static const struct section_type *const sections[] = { &section, NULL };

static const struct thing_type *const things[] = { &app_settings, &app_workflow, NULL };
static const struct gate_type *const gates[] = { &app_workflows_stable, &app_backlog,
						 &app_workflows_running, NULL };

/* Eleven pages of documentation name no API, CLI or SDK (help/integrating/using/d365-acs-*.md, read 2026-11-23). */
static const struct capability capabilities[] = {
	{ "read settings", "app.settings", "UI only", "a person attests auth type and client id",
	  NULL },
	{ "save settings", "app.settings/switch", "UI only",
	  "a person types them; the app's first use of the OAuth credential shows it", NULL },
	{ "read workflows and backlog", "app.workflow", "UI only",
	  "a person attests the three states; the backlog stays unknown", NULL },
	{ "stop and start workflows", "app.workflow/restart", "UI only",
	  "a person does it and tells the time at which the last was STOPPED", NULL },
	{ .name = NULL },
};

/* As app_want_back will refuse it, when it is too late to bring the key. */
static bool file_finding(const struct value *want, size_t n, struct file_finding *ret)
{
	const struct value *word = value_get(want, "on_failure");

	if (n > 0 || strcmp(value_text_or(word, ""), "rollback") != 0 ||
	    value_path(want, "credential.private_key") ||
	    value_bool_or(value_path(want, "app.keeps_private_key"), false))
		return false;
	*ret = (struct file_finding){
		.at = word,
		.rule = "private-key-missing",
		.text = "on_failure says rollback, but once the app is switched the way back will be refused: it needs the private key, and the file names none",
		.hint = "write credential.private_key, or app.keeps_private_key: true where the app is known to hold it still",
	};
	return true;
}

const struct provider integration_app_provider = {
	.name = "integration_app",
	.doc = "the Campaign Standard - Microsoft Dynamics 365 integration app",
	.sections = sections,
	.things = things,
	.gates = gates,
	.capabilities = capabilities,
	.file_finding = file_finding,
};
