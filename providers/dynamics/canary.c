/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canary.c - changes one contact that the file declares, so that something has to arrive in Campaign on a quiet tenant.
 *
 * Never a real person: any edit may flip a two-way opt-out (d365-acs-notices-and-recommendations.md, read 2026-11-23). If-Match: * makes the
 * PATCH an update only; without it a wrong id would create a contact (perform-conditional-operations, read 2026-11-23).
 */
#include <ctype.h>
#include <string.h>

#include "dynamics.h"

bool dynamics_is_guid(const char *text)
{
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return text[36] == '\0';
}

static enum next touch_apply(struct call *c, const struct http_resp *last, struct http_req *req,
			     struct err *err)
{
	const char *contact = dynamics_canary_contact(c->view),
		   *field = dynamics_canary_field(c->view);
	struct value *body = value_map(c->arena);

	if (!contact || !field) {
		err_set(err, E_REFUSED, "environment '%s' declares no dynamics.canary",
			c->view->env);
		return NEXT_FAIL;
	}
	value_set(c->arena, body, field, value_stringf(c->arena, CANARY_PREFIX "%s", c->nonce));
	*req = (struct http_req){
		.method = "PATCH",
		.conn = "dynamics",
		.path = http_path(c->arena, "/contacts(%s)", contact),
		.headers = { { "Accept", "application/json" },
			     { "OData-MaxVersion", "4.0" },
			     { "OData-Version", "4.0" },
			     { "If-Match", "*" },
			     { "Content-Type", "application/json; charset=utf-8" } },
		.body_kind = BODY_JSON,
		.body = body,
		.flags = REQ_ANY_STATUS,
		.what = "change the canary contact",
	};
	if (c->stage == 0) {
		c->stage = 1;
		return NEXT_SEND;
	}
	if (http_ok(last))
		return NEXT_DONE;
	dynamics_unexpected(req, last, err);
	if (last->status == 400)
		err_hint(
			err,
			"dynamics.canary.field must name a text column of contact that may be written: '%s'",
			field);
	return NEXT_FAIL;
}

const char *dynamics_canary_mark(const struct view *v, struct arena *a)
{
	const char *nonce = value_text(view_mark(v, "dynamics.canary/touch.nonce"));

	return nonce ? arena_printf(a, CANARY_PREFIX "%s", nonce) : NULL;
}

/*
 * What it holds now is what this step writes, whichever of its tries arrived. No instants are compared: Dynamics' clock may be behind the one that
 * the restart was seen by, and a touch that never shows would be sent again.
 */
static enum settled touch_settled(const struct view *v)
{
	const struct value *contacts = view_fact(v, "dynamics.contact", "contacts");
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const char *mark = dynamics_canary_mark(v, &a);

	if (!contacts)
		return SETTLED_UNKNOWN;
	for (size_t i = 0; mark && i < value_count(contacts); i++)
		if (strcmp(value_text_or(value_get(value_at(contacts, i), "value"), ""), mark) == 0)
			return SETTLED_YES;
	return SETTLED_NO;
}

static int canary_diff(const struct view *v, struct changes *c, struct err *err)
{
	const char *contact = dynamics_canary_contact(v), *field = dynamics_canary_field(v);
	struct value *after;

	(void)err;
	if (!contact || !field || !changes_have(c, "app.workflow", "stable"))
		return 0;
	if (!dynamics_is_guid(contact)) {
		changes_find(c, FIND_REFUSE, "canary-id",
			     "copy it from the contact's address in Dynamics, without braces",
			     "dynamics.canary.contact '%s' is no GUID", contact);
		return 0;
	}
	after = value_map(changes_arena(c));
	value_set(changes_arena(c), after, field,
		  value_string(changes_arena(c), CANARY_PREFIX "(a new mark)"));
	changes_add(c, &dynamics_touch, NULL, after, "canary");
	return 0;
}

static const char *const verify[] = { "dynamics.contact", NULL };
const struct change_type dynamics_touch = {
	.name = "touch",
	.doc = "change the declared canary contact, so that a record has to arrive",
	.phase = PHASE_PROVE,
	.undo = UNDO_NOTHING,
	.undo_doc = "the canary keeps its mark; it stands for no person",
	.executors = EXEC_BIT(EXEC_API),
	.executor_default = EXEC_API,
	.flags = CHANGE_OPTIONAL | CHANGE_NONCE,
	.apply = touch_apply,
	.verify = verify,
	.settled = touch_settled,
};

static const struct fact no_facts[] = { { 0 } };
static const struct change_type *const changes[] = { &dynamics_touch, NULL };

const struct thing_type dynamics_canary = {
	.name = "dynamics.canary",
	.doc = "a contact declared for proving that records flow; what it holds is read as dynamics.contact",
	.conn = "dynamics",
	.facts = no_facts,
	.diff = canary_diff,
	.changes = changes,
};
