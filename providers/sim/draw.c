/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is chosen for each environment; draw_world.c and draw_rollout.c then write it down twice, once as it is and once as the file wants it.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/mem.h"
#include "providers/sim/draw_private.h"

bool draw_plain(const struct draft *d)
{
	return d->o->kind != DRAW_ANYTHING;
}

const char *draw_secret(struct draft *d, const char *what)
{
	return arena_printf(d->a, SIM_SECRET_PREFIX "sim-%s-%08" PRIx64, what,
			    dice_bits(&d->dice) >> 32);
}

void draw_var(struct draft *d, const char *name, const char *text)
{
	struct sim_text t = { name, text };

	d->vars = arena_grow(d->a, d->vars, d->c->var_count, &d->var_cap, sizeof(*d->vars));
	d->vars[d->c->var_count++] = t;
}

void draw_ref(struct draft *d, const char *ref, const char *text)
{
	struct sim_text t = { ref, text };

	d->secrets = arena_grow(d->a, d->secrets, d->c->secret_count, &d->secret_cap,
				sizeof(*d->secrets));
	d->secrets[d->c->secret_count++] = t;
}

struct value *draw_map(struct draft *d, struct value *list)
{
	struct value *map = value_map(d->a);

	if (list != NULL)
		value_list_add(d->a, list, map);
	return map;
}

void draw_set(struct draft *d, struct value *map, const char *key, const char *fmt, ...)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(65536);
	va_list ap;

	va_start(ap, fmt);
	sb_addv(&text, fmt, ap);
	va_end(ap);
	value_set(d->a, map, key, value_string(d->a, text.buf));
}

/* ---- one environment ---- */

/* Titles that people do write, and that a program may stumble over. */
static const char *odd_title(struct draft *d)
{
	static const char *const odd[] = {
		"Geometrixx \"D365\" <prod> & co",
		"Größe | Übersicht ; rm -rf 'x'",
		"\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7 \xe2\x80\x8f(D365)",
		"\xf0\x9f\x9a\x80 launch \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
		"null",
		"- a: b #c, {d} [e] %41 \\n *&!",
		"100% sure? a+b=c&title=other/../x",
		"  blanks around  ",
		"project '$title' of organization 'X'",
		"\xe7\xb5\xb1\xe5\x90\x88\xe3\x83\x97\xe3\x83\xad\xe3\x82\xb8\xe3\x82\xa7\xe3\x82\xaf\xe3\x83\x88",
	};
	size_t n = dice_below(&d->dice, ARRAY_LEN(odd) + 1);
	char *longest;

	if (n < ARRAY_LEN(odd))
		return odd[n];
	longest = arena_alloc(d->a, 241);
	memset(longest, 'W', 240);
	return longest;
}

static enum sim_live choose_live(struct draft *d, size_t i)
{
	if (i == 0 && d->o->live > 0)
		return (enum sim_live)(d->o->live - 1);
	if (draw_plain(d) || dice_one_in(&d->dice, 3))
		return LIVE_JWT_ONLY;
	/* One environment that is refused holds up all others of its file: so most are such as can be carried out. */
	return (enum sim_live)dice_below(&d->dice,
					 dice_one_in(&d->dice, 3) ? LIVE_COUNT : LIVE_APP_AHEAD);
}

static bool is_jwt_first(enum sim_live l)
{
	return l == LIVE_JWT_ONLY || l == LIVE_STARTED;
}

static bool is_fork(enum sim_live l)
{
	return l == LIVE_STARTED_SWITCHED || l == LIVE_STARTED_UNRESTARTED;
}

static const char *word_of(struct draft *d, const char *const *words, size_t count)
{
	return words[dice_below(&d->dice, count)];
}

static void choose_flows(struct draft *d, struct drawn *x)
{
	static const char *const states[] = { "RUNNING", "RUNNING", "RUNNING",
					      "STOPPED", "FAILED",  "STARTING" };
	bool runs = false;

	for (size_t i = 0; i < 3; i++) {
		x->flows[i] = draw_plain(d) ? (i < 2 ? "RUNNING" : "STOPPED") :
					      word_of(d, states, ARRAY_LEN(states));
		/* What waits for its next start is not restarted, and what failed was not running. */
		if (is_fork(x->e.live) && strcmp(x->flows[i], "STOPPED") != 0)
			x->flows[i] = "RUNNING";
		if (x->e.live == LIVE_CONVERTED_FAILED && strcmp(x->flows[i], "STOPPED") != 0)
			x->flows[i] = "FAILED";
		if ((x->e.live == LIVE_DONE || x->e.live == LIVE_NEVER_JWT) &&
		    strcmp(x->flows[i], "STOPPED") != 0)
			x->flows[i] = "RUNNING";
		runs = runs || strcmp(x->flows[i], "STOPPED") != 0;
	}
	if (!runs || x->e.live == LIVE_CONVERTED_FAILED)
		x->flows[0] = x->e.live == LIVE_CONVERTED_FAILED ? "FAILED" : "RUNNING";
}

static bool by_bridge(const struct draft *d)
{
	return d->o->kind == DRAW_BRIDGE || d->o->kind == DRAW_EVIDENCE;
}

static void choose_executors(struct draft *d, struct drawn *x)
{
	bool all =
		by_bridge(d) || d->o->bridge_acts || (!draw_plain(d) && dice_one_in(&d->dice, 2));
	bool none = d->o->kind == DRAW_OPERATOR || !d->has_bridge;

	x->e.has_bridge = d->has_bridge;
	x->e.by_bridge = all && !none;
	for (size_t i = 0; i < 4; i++)
		x->executors[i] = none                            ? "operator" :
				  all || dice_one_in(&d->dice, 2) ? "bridge" :
								    "operator";
	x->e.finalize_by_api = draw_plain(d)     ? by_bridge(d) :
			       d->o->bridge_acts ? true :
						   dice_one_in(&d->dice, 2);
	x->bridge_forbidden = d->has_bridge && !draw_plain(d) && dice_one_in(&d->dice, 25);
	if (x->bridge_forbidden)
		x->e.has_bridge = x->e.by_bridge = false;
}

static void choose_names(struct draft *d, struct drawn *x, size_t i)
{
	static const char *const names[] = { "dev", "stage", "prod", "eu-1" };
	struct sim_env *e = &x->e;
	const char *n = names[i];

	e->name = n;
	e->title = draw_plain(d) || dice_one_in(&d->dice, 2) ?
			   arena_printf(d->a, "Geometrixx D365 %s", n) :
			   odd_title(d);
	/* Two of one title would be ambiguous where that is not meant. */
	for (size_t k = 0; k < i; k++) {
		if (strcmp(d->envs[k].e.title, e->title) == 0)
			e->title = arena_printf(d->a, "%s (%s)", e->title, n);
	}
	e->project_id = arena_printf(d->a, "45662060883449%05zu", 58295 + 100 * i);
	e->credential_id =
		arena_printf(d->a,
			     draw_plain(d) || dice_one_in(&d->dice, 2) ? "1110%02zu" :
									 "99999999999999%02zu",
			     i);
	e->client_id = arena_printf(d->a, "geometrixx-%s-client", n);
	e->instance = arena_printf(d->a, "geometrixx-%s", n);
	e->tenant = e->instance;
	e->org = d->has_dynamics ? arena_printf(d->a, "geo%s", i == 3 ? "eu" : n) : NULL;
}

static void choose_secret(struct draft *d, struct drawn *x, size_t i)
{
	bool brought = draw_plain(d) || d->o->bridge_acts || dice_one_in(&d->dice, 2);

	x->secret = draw_secret(d, x->e.name);
	/* What is not there yet has to be a file: nothing else can be written. */
	x->has_secret = !brought;
	x->is_late = brought || dice_one_in(&d->dice, 2);
	x->e.secret_ref = brought || dice_one_in(&d->dice, 2) ?
				  arena_printf(d->a, "file:secrets/%s-client-secret", x->e.name) :
				  arena_printf(d->a, "env:CLIENT_SECRET_%zu", i);
}

/* A later environment may use the credential of an earlier one: then both are of one project, and stand with it where it stands. */
static void share(struct draft *d, struct drawn *x, size_t with)
{
	const struct drawn *first = &d->envs[with];

	x->shares = with;
	x->e.live = first->e.live;
	x->e.title = first->e.title;
	x->e.project_id = first->e.project_id;
	x->e.credential_id = first->e.credential_id;
	x->e.client_id = first->e.client_id;
	x->e.file_client_id = first->e.file_client_id;
	x->secret = first->secret;
	x->certificate = first->certificate;
	x->converts = first->converts;
	x->by_id = first->by_id;
	x->consumer = CONSUMER_NONE;
}

static void choose_trouble(struct draft *d, struct drawn *x)
{
	struct dice *dice = &d->dice;

	x->certificate = dice_one_in(dice, 10) ? CERT_DEAD :
			 dice_one_in(dice, 8)  ? CERT_SOON :
						 CERT_FAR;
	x->consumer =
		dice_one_in(dice, 5) ? (enum draw_consumer)dice_below(dice, 4) : CONSUMER_NONE;
	x->reads_as_itself = d->has_campaign && dice_one_in(dice, 12);
	x->by_id = dice_one_in(dice, 3);
	x->pending = dice_one_in(dice, 12);
	x->replay = dice_one_in(dice, 20);
	x->backlog = dice_one_in(dice, 4);
	x->second_app = dice_one_in(dice, 12);
	x->second_declared = dice_one_in(dice, 2);
	if (is_jwt_first(x->e.live) && dice_one_in(dice, 12))
		x->converts = word_of(d, (const char *const[]){ "40m", "5h", "26h" }, 3);
}

static void choose_env(struct draft *d, size_t i)
{
	static const char *const wants[] = { "keep", "keep", "keep", "running", "stopped" };
	struct drawn *x = &d->envs[i];

	x->shares = x->after = i;
	x->e.live = choose_live(d, i);
	choose_names(d, x, i);
	x->e.file_client_id = x->e.client_id;
	choose_secret(d, x, i);
	x->e.workflows = "keep";
	if (!draw_plain(d)) {
		choose_trouble(d, x);
		x->e.workflows = word_of(d, wants, ARRAY_LEN(wants));
		x->has_filter = d->has_campaign && dice_one_in(&d->dice, 2);
		x->has_optout = d->has_campaign && dice_one_in(&d->dice, 4);
		x->is_quiet = dice_one_in(&d->dice, 4);
		if (i > 0 && dice_one_in(&d->dice, 3))
			x->after = dice_below(&d->dice, i);
		if (i > 0 && dice_one_in(&d->dice, 6))
			share(d, x, dice_below(&d->dice, i));
	} else {
		x->has_filter = true;
	}
	if (x->shares != i && d->envs[x->shares].shares != x->shares)
		x->shares = d->envs[x->shares].shares;
	if (x->e.live == LIVE_FILE_CLIENT)
		x->e.file_client_id = arena_printf(d->a, "another-%s-client", x->e.name);
	if (x->e.live == LIVE_TWO_PROJECTS || x->e.live == LIVE_NO_PROJECT)
		x->by_id = x->by_id && x->e.live == LIVE_NO_PROJECT;
	choose_executors(d, x);
	choose_flows(d, x);
	if (d->o->kind == DRAW_EVIDENCE)
		draw_story_env(d, x);
	if (d->has_dynamics && !draw_plain(d) && (d->o->bridge_acts || dice_one_in(&d->dice, 3)))
		x->e.canary = "00000000-0000-0000-0000-000000000003";
}

/* ---- what end is right ---- */

static bool reads_all(const struct draft *d)
{
	return strcmp(draw_switch(d, "console_api"), "ok") == 0 &&
	       strcmp(draw_switch(d, "status_api"), "ok") == 0;
}

static bool is_alone(const struct draft *d, const struct drawn *x)
{
	switch (x->e.live) {
	case LIVE_APP_AHEAD:
	case LIVE_OTHER_CLIENT:
		return reads_all(d) && x->e.has_bridge;
	case LIVE_CONFLICT:
	case LIVE_FILE_CLIENT:
	case LIVE_NO_PROJECT:
	case LIVE_TWO_PROJECTS:
	case LIVE_READ_ONLY:
		return reads_all(d);
	case LIVE_GENERATED:
		return reads_all(d) && strcmp(draw_switch(d, "auto_mark"), "none") != 0;
	case LIVE_JWT_ONLY:
	case LIVE_STARTED:
	case LIVE_STARTED_SWITCHED:
	case LIVE_STARTED_UNRESTARTED:
	case LIVE_CONVERTED:
	case LIVE_CONVERTED_FAILED:
	case LIVE_DONE:
	case LIVE_NEVER_JWT:
	case LIVE_COUNT:
		break;
	}
	return false;
}

/* Nothing about it that may end in one way or another. */
static bool is_clear(const struct draft *d, const struct drawn *x)
{
	const struct sim_people *p = &d->c->people;

	return d->c->act_count == 0 && !d->is_skewed && x->certificate == CERT_FAR &&
	       x->consumer == CONSUMER_NONE && !x->converts && !x->pending && !x->replay &&
	       !x->second_app && !x->reads_as_itself && !x->bridge_forbidden &&
	       strcmp(x->e.workflows, "stopped") != 0 && p->only_says == 0 &&
	       p->wrong_secret == 0 && p->early == 0 && p->silent == 0 && reads_all(d) &&
	       strcmp(draw_switch(d, "finalize_api"), "ok") == 0 &&
	       strcmp(draw_switch(d, "secrets_api"), "ok") == 0 &&
	       strcmp(draw_switch(d, "jwt_exchange"), "ok") == 0 &&
	       strcmp(draw_switch(d, "after_status"), "completed") == 0 &&
	       strcmp(draw_switch(d, "ext_published"), "true") == 0 &&
	       strcmp(draw_switch(d, "secrets_shared"), "true") == 0;
}

/*
 * The file says to go on waiting until records arrive, and many things keep them from being seen to: no connection, nobody who edits a contact,
 * clocks that make an arrival look older than its change.
 */
static bool may_wait_for_ever(const struct draft *d, const struct drawn *x)
{
	return x->waits_on && d->has_campaign;
}

static enum sim_end end_of(const struct draft *d, size_t i)
{
	const struct drawn *x = &d->envs[i];
	bool first = x->e.live == LIVE_JWT_ONLY || x->e.live == LIVE_STARTED || is_fork(x->e.live);

	for (size_t k = 0; k < d->count; k++) {
		if (k != i && d->envs[k].shares == x->shares)
			return END_ANY;
	}
	if (d->c->act_count == 0 && is_alone(d, x))
		return END_ALONE;
	if (first && x->consumer == CONSUMER_JWT)
		/* Where nobody gets a token by JWT any more, that consumer is quiet too. */
		return strcmp(draw_switch(d, "jwt_exchange"), "ok") == 0 &&
				       x->certificate == CERT_FAR && d->c->act_count == 0 ?
			       END_KEEPS :
			       END_ANY;
	if (may_wait_for_ever(d, x) || !is_clear(d, x) || (!first && x->e.live < LIVE_CONVERTED) ||
	    x->e.live > LIVE_NEVER_JWT)
		return END_ANY;
	/* Of a credential that never was a JWT one, an app that nobody can read is asked for its settings, not for how it runs. */
	if (x->e.live == LIVE_NEVER_JWT && !x->e.has_bridge)
		return END_ANY;
	/* Records arrive by the ingress: where it stays stopped, a gate that waits for them may wait for ever. */
	if (strcmp(x->e.workflows, "keep") == 0 && strcmp(x->flows[0], "STOPPED") == 0)
		return END_ANY;
	/* Without a journal of ours nothing tells whether what is stopped is meant to be. */
	if (first && x->e.live != LIVE_JWT_ONLY && strcmp(x->e.workflows, "keep") == 0)
		for (size_t k = 0; k < 3; k++) {
			if (strcmp(x->flows[k], "STOPPED") == 0)
				return END_ANY;
		}
	return END_DONE;
}

/* ---- all of it ---- */

static void choose_people(struct draft *d)
{
	struct sim_people *p = &d->c->people;
	struct dice *dice = &d->dice;

	if (d->o->people_are_good || draw_plain(d))
		return;
	/* Before the credential is deleted several readings have to be less than an hour old: whoever is slower never gets there. */
	p->delay_max = dice_one_in(dice, 2) ? 0 : dice_between(dice, 1, 20) * WHEN_MINUTE;
	p->coarse = dice_one_in(dice, 3) ? 2 : 0;
	p->stale = dice_one_in(dice, 4) ? 3 : 0;
	p->silent = dice_one_in(dice, 8) ? 3 : 0;
	p->early = dice_one_in(dice, 8) ? 2 : 0;
	p->only_says = dice_one_in(dice, 10) ? 3 : 0;
	p->wrong_secret = dice_one_in(dice, 15) ? 3 : 0;
}

static void choose_case(struct draft *d)
{
	struct dice *dice = &d->dice;

	d->count = draw_plain(d) ? 1 : dice_one_in(dice, 2) ? 1 : 1 + dice_below(dice, DRAW_ENVS);
	d->ims_org = "8C5F1A2B3D4E5F60@AdobeOrg";
	d->has_bridge = draw_plain(d) ? by_bridge(d) : d->o->bridge_acts || !dice_one_in(dice, 3);
	d->has_campaign = draw_plain(d) || d->o->bridge_acts || !dice_one_in(dice, 6);
	d->has_dynamics = draw_plain(d) || d->o->bridge_acts || !dice_one_in(dice, 6);
	d->console_by_client = !draw_plain(d) && dice_one_in(dice, 6);
	choose_people(d);
	if (d->o->kind == DRAW_EVIDENCE)
		draw_story_people(d);
	for (size_t i = 0; i < d->count; i++)
		choose_env(d, i);
}

static void close_case(struct draft *d)
{
	struct sim_env *envs = arena_array(d->a, d->count, sizeof(*envs));
	struct sim_route *route = ARENA_NEW(d->a, struct sim_route);
	bool all_done = true;

	for (size_t i = 0; i < d->count; i++) {
		d->envs[i].e.end = end_of(d, i);
		all_done = all_done && d->envs[i].e.end == END_DONE;
	}
	draw_back_ends(d, all_done);
	/* What holds up one environment holds up those that come after it, and at the end the whole command. */
	for (size_t i = 0; i < d->count; i++) {
		if (!all_done && d->envs[i].e.end == END_DONE)
			d->envs[i].e.end = END_ANY;
		envs[i] = d->envs[i].e;
	}
	*route = (struct sim_route){ DRAW_ORIGIN, "" };
	d->c->routes = route;
	d->c->route_count = 1;
	d->c->envs = envs;
	d->c->env_count = d->count;
	d->c->vars = d->vars;
	d->c->secrets = d->secrets;
	d->c->acts = d->acts;
	d->c->world = d->world;
}

struct sim_case *draw(uint64_t seed, const struct draw_options *o)
{
	static const struct draw_options anything = { .kind = DRAW_ANYTHING };
	struct sim_case *c = mem_alloc(sizeof(*c));
	struct draft d = {
		.c = c,
		.a = &c->arena,
		.dice = dice_new(seed, 0),
		.back = dice_new(seed, 6),
		.o = o != NULL ? o : &anything,
	};

	c->seed = seed;
	d.world = value_map(d.a);
	if (d.o->kind == DRAW_EVIDENCE)
		draw_story(&d);
	draw_switches(&d);
	choose_case(&d);
	draw_world(&d);
	draw_back(&d);
	draw_rollout(&d);
	if (!draw_plain(&d) && !d.o->nobody_else && dice_one_in(&d.dice, 3))
		draw_acts(&d);
	if (d.o->kind == DRAW_EVIDENCE && !d.o->nobody_else)
		draw_story_acts(&d);
	close_case(&d);
	return c;
}
