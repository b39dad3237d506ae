/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody else does meanwhile: a few acts at drawn times, each as world_do() takes it. */
#include <inttypes.h>
#include <string.h>

#include "providers/sim/draw_private.h"

struct value *draw_act(struct draft *d, const char *verb)
{
	struct value *v = value_map(d->a);

	draw_set(d, v, "do", "%s", verb);
	return v;
}

static struct value *on_credential(struct draft *d, const struct drawn *x)
{
	static const char *const verbs[] = { "start-migration", "cancel-migration", "finalize",
					     "add-secret", "delete-secret" };
	struct value *v = draw_act(d, verbs[dice_below(&d->dice, ARRAY_LEN(verbs))]);

	draw_set(d, v, "credential", "%s", x->e.credential_id);
	return v;
}

static struct value *on_app(struct draft *d, const struct drawn *x)
{
	static const char *const verbs[] = { "start-workflow", "stop-workflow", "fail-workflow" };
	static const char *const flows[] = { "ingress", "egress", "opt-in-out" };
	struct value *v = draw_act(d, verbs[dice_below(&d->dice, ARRAY_LEN(verbs))]);

	draw_set(d, v, "instance", "%s", x->e.instance);
	draw_set(d, v, "workflow", "%s", flows[dice_below(&d->dice, 3)]);
	return v;
}

static struct value *on_settings(struct draft *d, const struct drawn *x)
{
	struct value *v = draw_act(d, "save-settings");
	bool oauth = dice_one_in(&d->dice, 2);

	draw_set(d, v, "instance", "%s", x->e.instance);
	draw_set(d, v, "auth_type", oauth ? "oauth" : "jwt");
	draw_set(d, v, "client_id", "%s",
		 dice_one_in(&d->dice, 5) ? "somebody-elses-client" : x->e.client_id);
	if (oauth)
		draw_set(d, v, "client_secret", "%s",
			 dice_one_in(&d->dice, 4) ? draw_secret(d, "wrong") : x->secret);
	else
		draw_set(d, v, "private_key", "%s", draw_secret(d, "key"));
	return v;
}

static struct value *on_project(struct draft *d, const struct drawn *x)
{
	struct value *v =
		draw_act(d, dice_one_in(&d->dice, 4) ? "delete-project" : "rename-project");

	draw_set(d, v, "project", "%s", x->e.project_id != NULL ? x->e.project_id : "1");
	if (strcmp(value_text(value_get(v, "do")), "rename-project") == 0)
		draw_set(d, v, "title", "renamed %s", x->e.name);
	return v;
}

static struct value *on_contact(struct draft *d, const struct drawn *x)
{
	struct value *v = draw_act(d, "touch-contact");

	draw_set(d, v, "org", "%s", x->e.org);
	draw_set(d, v, "contact", "00000000-0000-0000-0000-00000000000%zu",
		 1 + dice_below(&d->dice, 3));
	return v;
}

static struct value *mint(struct draft *d, const struct drawn *x)
{
	struct value *v = draw_act(d, "mint");

	draw_set(d, v, "client_id", "%s", x->e.client_id);
	draw_set(d, v, "grant", dice_one_in(&d->dice, 2) ? "jwt" : "oauth");
	return v;
}

static struct value *flip(struct draft *d)
{
	static const char *const apis[] = { "secrets_api", "status_api", "finalize_api",
					    "console_api" };
	static const char *const modes[] = { "ok", "403", "absent" };
	struct value *v = draw_act(d, "set");

	draw_set(d, v, "switch", "%s", apis[dice_below(&d->dice, ARRAY_LEN(apis))]);
	draw_set(d, v, "value", "%s", modes[dice_below(&d->dice, ARRAY_LEN(modes))]);
	return v;
}

static const struct value *choose(struct draft *d)
{
	const struct drawn *x = &d->envs[dice_below(&d->dice, d->count)];

	switch (dice_below(&d->dice, 8)) {
	case 0:
		return on_credential(d, x);
	case 1:
		return on_settings(d, x);
	case 2:
		return on_project(d, x);
	case 3:
		return flip(d);
	case 4:
		return mint(d, x);
	case 5:
		return x->e.org != NULL ? on_contact(d, x) : mint(d, x);
	default:
		return on_app(d, x);
	}
}

/* Soon as well as late: a migration by a bridge is over in minutes but for its day of quiet. */
static int64_t when(struct draft *d)
{
	return DRAW_START + (dice_one_in(&d->dice, 2) ?
				     dice_between(&d->dice, 0, 40 * WHEN_MINUTE) :
				     dice_between(&d->dice, 0, 60 * WHEN_HOUR));
}

void draw_act_add(struct draft *d, int64_t at, const struct value *what)
{
	size_t k;

	d->acts = arena_grow(d->a, d->acts, d->c->act_count, &d->act_cap, sizeof(*d->acts));
	for (k = d->c->act_count++; k > 0 && d->acts[k - 1].at > at; k--)
		d->acts[k] = d->acts[k - 1];
	d->acts[k] = (struct sim_act){ .at = at, .what = what };
}

void draw_acts(struct draft *d)
{
	size_t n = 1 + dice_below(&d->dice, 4);

	for (size_t i = 0; i < n; i++) {
		int64_t at = when(d);

		draw_act_add(d, at, choose(d));
	}
}
