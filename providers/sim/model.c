/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/sim/model.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/when.h"
#include "providers/sim/model_private.h"

const char *const model_things[] = {
	"console.project",   "console.credential",
	"console.client",    "console.certificate",
	"console.migration", "console.usage",
	"app.settings",      "app.workflow",
	"local.secret",      NULL,
};

void model_set(struct sketch *s, struct value *map, const char *key, const char *text)
{
	if (text != NULL)
		value_set(s->a, map, key, value_string(s->a, text));
}

struct value *model_list(struct sketch *s, struct value *map, const char *key)
{
	struct value *list = value_list(s->a);

	value_set(s->a, map, key, list);
	return list;
}

struct value *model_map(struct sketch *s, struct value *list)
{
	struct value *map = value_map(s->a);

	value_list_add(s->a, list, map);
	return map;
}

const char *model_secret(struct sketch *s, const char *ref, const char *text, bool present)
{
	struct sim_text t = { arena_strdup(s->a, ref), text };

	for (size_t i = 0; i < s->c->secret_count; i++) {
		if (strcmp(s->secrets[i].name, ref) == 0)
			return s->secrets[i].text != NULL ? s->secrets[i].text : text;
	}
	if (t.text == NULL)
		t.text = arena_printf(s->a, SIM_SECRET_PREFIX "model-%zu-%08" PRIx64,
				      s->c->secret_count, dice_bits(&s->dice) >> 32);
	text = t.text;
	if (!present)
		t.text = NULL;
	s->secrets = arena_grow(s->a, s->secrets, s->c->secret_count, &s->secret_cap,
				sizeof(*s->secrets));
	s->secrets[s->c->secret_count++] = t;
	return text;
}

const char *model_want(const struct model_env *e, const char *dotted)
{
	return value_text(value_path(e->want, dotted));
}

bool model_denied(const struct model_env *e, const char *thing)
{
	const char *known = value_text(value_get(value_get(e->facts, thing), "known"));

	return known != NULL && strcmp(known, "denied") == 0;
}

const char *model_fact(const struct sketch *s, const struct model_env *e, const char *thing,
		       const char *name)
{
	const struct value *v = value_get(value_get(value_get(e->facts, thing), "facts"), name);

	if (v == NULL || v->kind == VAL_NULL)
		return NULL;
	if (v->kind == VAL_BOOL)
		return v->u.b ? "true" : "false";
	if (v->kind == VAL_INT)
		return arena_printf(s->a, "%" PRId64, v->u.i);
	return value_text(v);
}

/* ---- what end is right ---- */

static bool all_by_bridge(const struct model_env *e)
{
	static const char *const names[] = { "start", "secret", "settings", "restart" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *who = value_text(value_get(value_get(e->want, "executors"), names[i]));

		if (who == NULL || strcmp(who, "bridge") != 0)
			return false;
	}
	return true;
}

static enum sim_live live_of(const struct sketch *s, const struct model_env *e)
{
	const char *state = model_fact(s, e, "console.migration", "state");
	const char *auth = model_fact(s, e, "app.settings", "auth_type");
	bool oauth = auth != NULL && strcmp(auth, "oauth") == 0;

	if (state == NULL || strcmp(state, "jwt-only") == 0)
		return oauth ? LIVE_APP_AHEAD : LIVE_JWT_ONLY;
	if (strcmp(state, "started") == 0)
		return oauth ? LIVE_STARTED_UNRESTARTED : LIVE_STARTED;
	if (strcmp(state, "converted") == 0)
		return oauth || auth == NULL ? LIVE_DONE : LIVE_CONVERTED;
	return strcmp(state, "never-jwt") == 0 ? LIVE_NEVER_JWT : LIVE_CONFLICT;
}

static int outline(struct sketch *s, size_t i, struct err *err)
{
	const struct model_env *in = &s->in[i];
	struct sim_env *e = &s->envs[i];
	const char *finalize = model_want(in, "executors.finalize"),
		   *canary = model_want(in, "dynamics.canary.contact");

	*e = (struct sim_env){ .name = arena_strdup(s->a, in->name), .end = END_ANY };
	e->client_id = arena_strdup(s->a, model_want(in, "credential.client_id"));
	e->instance = arena_strdup(s->a, model_want(in, "app.instance"));
	e->secret_ref = arena_strdup(s->a, model_want(in, "credential.client_secret.ref"));
	if (e->client_id == NULL || e->instance == NULL || e->secret_ref == NULL ||
	    model_want(in, "project.organization") == NULL)
		return err_set(
			err, E_PLAN,
			"environment '%s' has no client id, instance, secret or organization",
			in->name);
	e->file_client_id = e->client_id;
	e->tenant = model_want(in, "campaign.tenant");
	e->tenant = e->tenant != NULL ? arena_strdup(s->a, e->tenant) : e->instance;
	e->canary = arena_strdup(s->a, canary);
	e->workflows = model_want(in, "app.workflows");
	e->workflows = e->workflows != NULL ? arena_strdup(s->a, e->workflows) : "keep";
	e->live = live_of(s, in);
	e->has_bridge = value_path(in->want, "connections.bridge") != NULL &&
			!model_denied(in, "app.settings");
	e->by_bridge = e->has_bridge && all_by_bridge(in);
	e->finalize_by_api = finalize != NULL && strcmp(finalize, "api") == 0;
	return 0;
}

/* ---- all of it ---- */

static void switches(struct sketch *s)
{
	static const struct {
		const char *thing, *name;
	} apis[] = {
		{ "console.project", "console_api" },
		{ "console.migration", "status_api" },
		{ "console.usage", "secrets_api" },
	};

	for (size_t i = 0; i < s->count; i++) {
		const char *rows = model_fact(s, &s->in[i], "console.credential", "rows");
		const char *jwt = model_fact(s, &s->in[i], "console.usage", "jwt_visible");

		for (size_t k = 0; k < ARRAY_LEN(apis); k++) {
			if (model_denied(&s->in[i], apis[k].thing))
				model_set(s, s->switches, apis[k].name, "403");
		}
		if (rows != NULL && strcmp(rows, "2") == 0)
			model_set(s, s->switches, "one_row", "false");
		if (jwt != NULL && strcmp(jwt, "true") == 0)
			model_set(s, s->switches, "jwt_in_usages", "true");
	}
}

static void begin(struct sketch *s, int64_t start_ms)
{
	char now[WHEN_TEXT_MAX];

	s->world = value_map(s->a);
	s->switches = value_map(s->a);
	s->by_client = value_map(s->a);
	model_set(s, s->world, "clock", when_text(now, start_ms));
	model_set(s, s->world, "seed", arena_printf(s->a, "%" PRIu64, s->c->seed % 1000000007));
	value_set(s->a, s->world, "switches", s->switches);
	s->orgs = model_list(s, s->world, "organizations");
	s->apps = model_list(s, s->world, "apps");
	s->tenants = model_list(s, s->world, "campaign");
	s->dynamics = model_list(s, s->world, "dynamics");
	s->callers = model_list(s, s->world, "callers");
	s->users = model_list(s, s->world, "user_tokens");
	s->consumers = model_list(s, s->world, "consumers");
	s->envs = arena_array(s->a, s->count + 1, sizeof(*s->envs));
}

static int fill(struct sketch *s, struct err *err)
{
	switches(s);
	for (size_t i = 0; i < s->count; i++) {
		if (outline(s, i, err) < 0)
			return -E_PLAN;
	}
	for (size_t i = 0; i < s->count; i++) {
		if (model_connections(s, i, err) < 0)
			return -E_PLAN;
		model_project(s, i);
		model_app(s, i);
	}
	return 0;
}

struct sim_case *model(const struct model_env *envs, size_t count, const char *rollout,
		       uint64_t seed, int64_t start_ms, struct err *err)
{
	struct sim_case *c = mem_alloc(sizeof(*c));
	struct sketch s = {
		.c = c, .a = &c->arena, .dice = dice_new(seed, 3), .in = envs, .count = count
	};

	c->seed = seed;
	begin(&s, start_ms);
	if (fill(&s, err) < 0) {
		sim_case_free(c);
		return NULL;
	}
	c->rollout = arena_strdup(s.a, rollout);
	c->world = s.world;
	c->secrets = s.secrets;
	c->routes = s.routes;
	c->envs = s.envs;
	c->env_count = count;
	return c;
}
