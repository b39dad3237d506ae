/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan/plan_schema.h"

#include <string.h>

#include "core/plan/plan.h"

#define REQ PLAN_REQUIRED
#define NO PLAN_NEITHER
#define ID PLAN_IDENTITY

const struct plan_member plan_members[] = {
	{ "kind", "string", REQ, NO, "s2sctl.plan", "What this document is." },
	{ "format_version", "integer", REQ, NO, NULL,
	  "Of this format. Another one is refused, not guessed at." },
	{ "direction", "string", REQ, ID, "forward back",
	  "Where it leads: to OAuth alone, or back to JWT." },
	{ "tool", "string", REQ, NO, NULL, "The build that made it." },
	{ "rollout", "string", REQ, NO, NULL, "The rollout file, as it was given." },
	{ "rollout_digest", "digest", REQ, NO, NULL,
	  "What that file means for these environments, without comments and layout." },
	{ "made_at", "instant", REQ, NO, NULL, "By the servers' clocks." },
	{ "made_by", "string", 0, NO, NULL, "Who made it: may not approve it." },
	{ "intent_digest", "digest", REQ, NO, NULL,
	  "SHA-256 of steps, identities, gates and thresholds. Approval binds to it." },
	{ "observed_digest", "digest", REQ, NO, NULL,
	  "SHA-256 of the facts that the steps rest on. Freshness binds to it." },
	{ "document_digest", "digest", 0, NO, NULL,
	  "SHA-256 of the canonical document without this member: a plan that was edited is refused." },
	{ "summary", "object", REQ, NO, NULL, "Counts, for who reads it first." },
	{ "summary.environments", "object", REQ, NO, NULL, "How many have which outlook." },
	{ "summary.environments.*", "integer", 0, NO, NULL, "" },
	{ "summary.steps", "integer", REQ, NO, NULL, "Steps." },
	{ "summary.irreversible", "integer", REQ, NO, NULL, "Steps that cannot be undone." },
	{ "summary.by_operator", "integer", REQ, NO, NULL, "Steps that a person carries out." },
	{ "summary.to_attest", "integer", REQ, NO, NULL, "Readings that a person attests." },
	{ "summary.requests", "integer", REQ, NO, NULL, "Requests that planning made." },
	{ "summary.tokens", "integer", REQ, NO, NULL, "Tokens that reading needed." },
	{ "summary.earliest_finish_ms", "span", REQ, NO, NULL, "From the start of the run." },
	{ "token_requests", "array", REQ, NO, NULL, "Sign-ins that reading needed." },
	{ "token_requests[]", "any", 0, NO, NULL, "" },
	{ "policy", "array", REQ, NO, NULL, "What breaks the rollout file's policy." },
	{ "policy[]", "object", 0, NO, NULL, "" },
	{ "policy[].rule", "string", REQ, NO, NULL, "Which rule." },
	{ "policy[].level", "string", REQ, NO, "refused", "Refused: exit status 5." },
	{ "policy[].text", "string", REQ, NO, NULL, "What breaks it." },
	{ "policy[].hint", "string", 0, NO, NULL, "What to do." },
	{ "policy[].environment", "string", 0, NO, NULL, "Where; without it: the whole plan." },
	{ "policy[].until", "instant", 0, NO, NULL, "When it ends by itself." },
	{ "policy[].file", "string", 0, NO, NULL, "Where the rule is written." },
	{ "policy[].line", "integer", 0, NO, NULL, "" },
	{ "policy[].col", "integer", 0, NO, NULL, "" },

	{ "environments", "array", REQ, NO, NULL, "In file order." },
	{ "environments[]", "object", 0, NO, NULL, "" },
	{ "environments[].name", "string", REQ, PLAN_NAME, NULL, "As the rollout file names it." },
	{ "environments[].outlook", "string", REQ, NO,
	  "changes nothing attest left-alone refused failed", "What is ahead of it." },
	{ "environments[].error", "string", 0, NO, NULL, "Why it could not be read." },
	{ "environments[].identity", "object", REQ, NO, NULL,
	  "What makes these systems these and no others." },
	{ "environments[].identity.*", "any", 0, ID, NULL, "thing.fact" },
	{ "environments[].facts", "object", REQ, NO, NULL, "Observations by thing." },
	{ "environments[].facts.*", "object", 0, NO, NULL, "" },
	{ "environments[].facts.*.known", "string", REQ, NO,
	  "not-looked api bridge attested journal denied fenced failed", "The source." },
	{ "environments[].facts.*.by", "string", 0, NO, NULL, "Who attested it." },
	{ "environments[].facts.*.why", "string", 0, NO, NULL, "Why it is not known." },
	{ "environments[].facts.*.server_time", "instant", 0, NO, NULL,
	  "The answering server's own time." },
	{ "environments[].facts.*.facts", "object", 0, NO, NULL, "" },
	{ "environments[].facts.*.facts.*", "any", 0, PLAN_BY_FACT, NULL, "" },
	{ "environments[].findings", "array", REQ, NO, NULL, "What was noticed." },
	{ "environments[].findings[]", "object", 0, NO, NULL, "" },
	{ "environments[].findings[].level", "string", REQ, NO, "note warning leave-alone refused",
	  "How bad it is." },
	{ "environments[].findings[].rule", "string", REQ, NO, NULL, "A stable name." },
	{ "environments[].findings[].text", "string", REQ, NO, NULL, "" },
	{ "environments[].findings[].hint", "string", 0, NO, NULL, "" },
	{ "environments[].attest", "array", REQ, NO, NULL, "What a person has to read." },
	{ "environments[].attest[]", "object", 0, NO, NULL, "" },
	{ "environments[].attest[].thing", "string", REQ, NO, NULL, "" },
	{ "environments[].attest[].page", "string", 0, NO, NULL, "Where it stands." },
	{ "environments[].attest[].why", "string", REQ, NO, NULL, "" },
	{ "environments[].attest[].facts", "array", REQ, NO, NULL, "Names." },
	{ "environments[].attest[].facts[]", "string", 0, NO, NULL, "" },
	{ "environments[].attest[].before_planning", "boolean", REQ, NO, NULL, "" },
	{ "environments[].attest[].step", "string", 0, NO, NULL, "The step that will ask." },
	{ "environments[].attest[].earliest_ms", "span", 0, NO, NULL,
	  "When it will, from the start." },
	{ "environments[].requests", "array", REQ, NO, NULL, "All that planning sent." },
	{ "environments[].requests[]", "string", 0, NO, NULL, "Method, connection, path." },

	{ "steps", "array", REQ, NO, NULL, "In order." },
	{ "steps[]", "object", 0, NO, NULL, "" },
	{ "steps[].address", "string", REQ, ID, NULL, "environment/thing/change" },
	{ "steps[].environments", "array", REQ, NO, NULL, "Several share a step." },
	{ "steps[].environments[]", "string", 0, ID, NULL, "" },
	{ "steps[].thing", "string", REQ, ID, NULL, "" },
	{ "steps[].change", "string", REQ, ID, NULL, "The action." },
	{ "steps[].doc", "string", 0, NO, NULL, "The action in words." },
	{ "steps[].phase", "string", REQ, ID, "expand switch prove contract", "" },
	{ "steps[].executor", "string", REQ, ID, "none operator bridge api", "Who acts." },
	{ "steps[].reason", "string", 0, NO, NULL, "A stable code." },
	{ "steps[].before", "object", 0, NO, NULL, "What is." },
	{ "steps[].before.*", "any", 0, NO, NULL, "" },
	{ "steps[].after", "object", 0, NO, NULL, "What shall be." },
	{ "steps[].after.*", "any", 0, ID, NULL, "" },
	{ "steps[].undo", "object", REQ, NO, NULL, "The way back." },
	{ "steps[].undo.kind", "string", REQ, ID, "nothing step person gone never",
	  "Reversibility: `never` is the point of no return." },
	{ "steps[].undo.text", "string", 0, ID, NULL, "How, or why not." },
	{ "steps[].needs", "array", REQ, NO, NULL, "Steps that come first." },
	{ "steps[].needs[]", "string", 0, ID, NULL, "" },
	{ "steps[].gates", "array", REQ, NO, NULL, "What evidence must say." },
	{ "steps[].gates[]", "object", 0, NO, NULL, "" },
	{ "steps[].gates[].name", "string", REQ, ID, NULL, "" },
	{ "steps[].gates[].doc", "string", 0, NO, NULL, "" },
	{ "steps[].gates[].when", "string", REQ, ID, "before after", "" },
	{ "steps[].gates[].limits", "object", 0, NO, NULL, "Thresholds." },
	{ "steps[].gates[].limits.*", "any", 0, ID, NULL, "" },
	{ "steps[].gates[].earliest_ms", "span", 0, NO, NULL, "It cannot pass sooner." },
	{ "steps[].earliest_ms", "span", REQ, NO, NULL, "From the start of the run." },
	{ "steps[].approvals", "integer", 0, NO, NULL,
	  "How many people the policy wants to approve it." },
	{ NULL, NULL, 0, NO, NULL, NULL },
};

static void put(struct arena *a, struct value *m, const char *key, const char *text)
{
	value_set(a, m, key, value_string(a, text));
}

/* The name of a direct member of `parent` ("" for the whole), or NULL when the row is no such one. */
static const char *child_of(const char *parent, const char *path)
{
	size_t len = strlen(parent);

	if (len && (strncmp(path, parent, len) != 0 || path[len] != '.'))
		return NULL;
	path += len ? len + 1 : 0;
	return *path && !strpbrk(path, ".[") ? path : NULL;
}

static const struct value *node_of(struct arena *a, const struct plan_member *row);

static const struct plan_member *row_of(struct arena *a, const char *path, const char *tail)
{
	const char *want = arena_printf(a, "%s%s", path, tail);

	for (const struct plan_member *m = plan_members; m->path; m++)
		if (strcmp(m->path, want) == 0)
			return m;
	return NULL;
}

static void add_members(struct arena *a, struct value *v, const char *parent)
{
	struct value *members = value_map(a), *required = value_list(a);
	const struct value *rest = value_bool(a, false);

	for (const struct plan_member *m = plan_members; m->path; m++) {
		const char *name = child_of(parent, m->path);

		if (!name)
			continue;
		if (strcmp(name, "*") == 0) {
			rest = node_of(a, m);
			continue;
		}
		value_set(a, members, name, node_of(a, m));
		if (m->flags & PLAN_REQUIRED)
			value_list_add(a, required, value_string(a, name));
	}
	put(a, v, "type", "object");
	if (value_count(members))
		value_set(a, v, "properties", members);
	if (value_count(required))
		value_set(a, v, "required", required);
	value_set(a, v, "additionalProperties", rest);
}

static void add_words(struct arena *a, struct value *v, const char *names)
{
	struct value *list = value_list(a);

	for (size_t len; *names; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		value_list_add(a, list, value_string(a, arena_strndup(a, names, len)));
	}
	value_set(a, v, "enum", list);
}

static void add_type(struct arena *a, struct value *v, const struct plan_member *row)
{
	if (strcmp(row->type, "digest") == 0) {
		put(a, v, "type", "string");
		put(a, v, "pattern", "^[0-9a-f]{64}$");
	} else if (strcmp(row->type, "instant") == 0) {
		struct value *types = value_list(a);

		value_list_add(a, types, value_string(a, "string"));
		value_list_add(a, types, value_string(a, "null")); /* not known */
		value_set(a, v, "type", types);
		put(a, v, "pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$");
	} else if (strcmp(row->type, "span") == 0 || strcmp(row->type, "integer") == 0) {
		put(a, v, "type", "integer");
		value_set(a, v, "minimum", value_int(a, 0));
	} else if (strcmp(row->type, "any") != 0) {
		put(a, v, "type", row->type);
	}
}

static const struct value *node_of(struct arena *a, const struct plan_member *row)
{
	static const char *const class_words[] = {
		[PLAN_NEITHER] = NULL,
		[PLAN_IDENTITY] = "Identity: moves intent_digest.",
		[PLAN_FACT] = "Fact: moves observed_digest.",
		[PLAN_NAME] = "Moves both digests.",
		[PLAN_BY_FACT] = "Facts move observed_digest, samples no digest.",
	};
	struct value *v = value_map(a);
	const char *words = class_words[row->class];

	if (strcmp(row->type, "object") == 0)
		add_members(a, v, row->path);
	else
		add_type(a, v, row);
	if (strcmp(row->type, "array") == 0)
		value_set(a, v, "items", node_of(a, row_of(a, row->path, "[]")));
	if (row->names)
		add_words(a, v, row->names);
	if (*row->doc || words)
		put(a, v, "description",
		    arena_printf(a, "%s%s%s", row->doc, *row->doc && words ? " " : "",
				 words ? words : ""));
	return v;
}

struct value *plan_schema(struct arena *a)
{
	struct value *v = value_map(a), *version = value_map(a), *members;

	put(a, v, "$schema", "http://json-schema.org/draft-07/schema#");
	put(a, v, "title", "s2sctl plan");
	put(a, v, "description",
	    "What shall be done, with what it was computed from. Canonical JSON without secrets.");
	add_members(a, v, "");
	members = value_copy(a, value_get(v, "properties"));
	value_set(a, version, "const", value_int(a, PLAN_FORMAT_VERSION));
	value_set(a, version, "description", value_path(members, "format_version.description"));
	value_set(a, members, "format_version", version);
	value_set(a, v, "properties", members);
	return v;
}
