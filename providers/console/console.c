/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/console/console.h"

#include <string.h>

#include "providers/console/things.h"

/* -- connections -- */

static const struct field console_fields[] = {
	{ .name = "page",
	  .kind = FIELD_URL,
	  .doc = "address of the console's user interface",
	  .def = "https://developer.adobe.com/console" },
	{ .name = NULL },
};

static const struct connection_type console_connection = {
	.name = "console",
	.doc = "Adobe Developer Console API; Adobe's own clients sign in with a person's token",
	.fields = console_fields,
	.url_default = "https://developers.adobe.io",
	.prefix_default = "/console",
	.auth_kinds = "bearer,client_credentials",
	.token_path = "/ims/token/v3",
	.token_conn = "ims",
	.scope_separator = ",",
	.api_key_header = "x-api-key",
};

static const struct field bridge_fields[] = { { .name = NULL } };

static const struct connection_type bridge_connection = {
	.name = "bridge",
	.doc = "an HTTP adapter of your own for what has no public API",
	.fields = bridge_fields,
	.prefix_default = "",
	.auth_kinds = "bearer",
};

static const struct connection_type *const connections[] = { &console_connection,
							     &bridge_connection, NULL };

/* -- sections -- */

static const struct field project_fields[] = {
	{ .name = "organization",
	  .kind = FIELD_ID,
	  .flags = FIELD_REQUIRED | FIELD_FROM_ENV,
	  .doc = "IMS organization id, X@AdobeOrg" },
	{ .name = "id",
	  .kind = FIELD_ID,
	  .flags = FIELD_ONE_OF | FIELD_FROM_ENV,
	  .doc = "project id, the second number in the project's address" },
	{ .name = "title",
	  .kind = FIELD_STRING,
	  .flags = FIELD_ONE_OF | FIELD_FROM_ENV,
	  .doc = "the project's title, exactly as the console shows it" },
	{ .name = "workspace",
	  .kind = FIELD_STRING,
	  .doc = "name of the workspace; needed only where a project has several" },
	{ .name = NULL },
};

static const char *const credential_types[] = { "oauth_server_to_server", NULL };
static const char *const jwt_exchanges[] = { "unknown", "works", "ended", NULL };
static const struct field scope = { .name = "scope", .kind = FIELD_ID, .doc = "one scope" };
static const struct field credential_fields[] = {
	{ .name = "type",
	  .kind = FIELD_ENUM,
	  .doc = "the only kind of credential that the project shall have",
	  .def = "oauth_server_to_server",
	  .names = credential_types },
	{ .name = "client_id",
	  .kind = FIELD_ID,
	  .flags = FIELD_REQUIRED | FIELD_FROM_ENV,
	  .doc = "client id of the credential; a migration keeps it, so the reviewed file can pin it" },
	{ .name = "client_secret",
	  .kind = FIELD_SECRET,
	  .flags = FIELD_REQUIRED,
	  .doc = "where the OAuth client secret is found; late when a step of this tool brings it there" },
	{ .name = "private_key",
	  .kind = FIELD_SECRET,
	  .doc = "where the JWT credential's private key (PEM) is found; only the way back needs it" },
	{ .name = "jwt_exchange",
	  .kind = FIELD_ENUM,
	  .doc = "what is known of the exchange of JWTs for this credential; with ended no way back is tried",
	  .def = "unknown",
	  .names = jwt_exchanges },
	{ .name = "scopes",
	  .kind = FIELD_LIST,
	  .doc = "scopes to ask for; else as the console shows",
	  .sub = &scope,
	  .max = 100 },
	{ .name = NULL },
};

static const struct section_type project_section = {
	.name = "project",
	.doc = "the project in the Developer Console",
	.fields = project_fields,
	.required = true,
};
static const struct section_type credential_section = {
	.name = "credential",
	.doc = "the server-to-server credential as it shall be",
	.fields = credential_fields,
	.required = true,
};
static const struct section_type *const sections[] = { &project_section, &credential_section,
						       NULL };

/* -- things, gates -- */

static const struct thing_type *const things[] = { &console_project,   &console_credential,
						   &console_client,    &console_certificate,
						   &console_migration, &console_secret,
						   &console_usage,     NULL };
static const struct gate_type *const gates[] = { &gate_app_uses_oauth,  &gate_jwt_quiet,
						 &gate_still_started,   &gate_still_mints,
						 &gate_app_uses_jwt,    &gate_oauth_quiet,
						 &gate_still_mints_jwt, NULL };

/* Source: Adobe's OpenAPI document and the guides named in console.h; "UI only" means that neither has it. */
static const struct capability capabilities[] = {
	{ "find the project", "console.project", "OpenAPI document only",
	  "an operator attests the ids of organization, project and workspace", NULL },
	{ "list credentials", "console.credential", "OpenAPI document only",
	  "an operator attests the credential's type and id", NULL },
	{ "read credential details", "console.client", "OpenAPI document only",
	  "an operator attests client id and technical account; nothing compares JWT and OAuth",
	  NULL },
	{ "list certificate bindings", "console.certificate", "OpenAPI document only",
	  "no warning before the JWT certificate ends", NULL },
	{ "read usages of client secrets", "console.usage", "documented",
	  "an operator attests when OAuth was last used", NULL },
	{ "read migration status", "console.migration", "OpenAPI document only",
	  "an operator attests the status from the migration card", NULL },
	{ "finalize", "console.migration/finalize", "OpenAPI document only",
	  "an operator deletes the JWT credential in the console", NULL },
	{ "start migration", "console.migration/start", "UI only",
	  "an operator or the bridge clicks 'Add new credential'", NULL },
	{ "cancel migration", "console.migration/cancel", "UI only",
	  "an operator clicks 'Cancel migration'; deleting the credential by API could take the JWT one along",
	  NULL },
	{ "reveal client secret", "console.secret/bring", "UI only",
	  "an operator or the bridge brings the secret to its reference", NULL },
	{ "read last use of JWT", "console.usage", "UI only",
	  "an operator reads it from the migration card, after a day of quiet and again before finalizing",
	  "jwt_visible" },
	{ .name = NULL },
};

/* As the certificate's way back will refuse it. */
static bool file_finding(const struct value *want, size_t n, struct file_finding *ret)
{
	const struct value *word = value_get(want, "on_failure");
	const char *exchange = value_text_or(value_path(want, "credential.jwt_exchange"), "");

	if (n > 0 || strcmp(value_text_or(word, ""), "rollback") != 0 ||
	    strcmp(exchange, "ended") != 0)
		return false;
	*ret = (struct file_finding){
		.at = word,
		.rule = "jwt-exchange-ended",
		.text = "on_failure says rollback, but the way back will be refused: the file says that JWTs of this credential are no longer exchanged",
		.hint = "leave on_failure at halt; or change credential.jwt_exchange when it was seen to work",
	};
	return true;
}

const struct provider console_provider = {
	.name = "console",
	.doc = "Adobe Developer Console",
	.connections = connections,
	.sections = sections,
	.things = things,
	.gates = gates,
	.capabilities = capabilities,
	.certificate_end = "console.certificate.not_after",
	.file_finding = file_finding,
};
