/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/sim/stage.h"

#include <string.h>

#include "core/base/mem.h"
#include "providers/sim/hand.h"
#include "providers/sim/judge.h"
#include "providers/sim/person.h"
#include "providers/world.h"

struct stage {
	const struct sim_case *c;
	struct world *w;
	struct hand hand;
	struct person *person;
	struct judge *judge;
	struct scene scene;
};

static const char *put_before(struct arena *a, const char *head, const char *tail)
{
	size_t head_len = strlen(head), tail_len = strlen(tail);
	char *p = arena_alloc(a, head_len + tail_len + 1);

	memcpy(p, head, head_len);
	memcpy(p + head_len, tail, tail_len);
	return p;
}

const char *sim_route(const struct sim_case *c, const char *url, struct arena *a)
{
	const struct sim_route *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < c->route_count; i++) {
		size_t len = strlen(c->routes[i].base);

		/* A base ends where a host or a path segment does. */
		if (len >= longest && strncmp(url, c->routes[i].base, len) == 0 &&
		    (url[len] == '\0' || strchr("/?#", url[len]) != NULL)) {
			best = &c->routes[i];
			longest = len;
		}
	}
	return best != NULL ? put_before(a, best->path, url + longest) : NULL;
}

static int64_t scene_now(void *ctx)
{
	const struct stage *s = ctx;

	return world_now(s->w);
}

static int64_t scene_next_event(void *ctx)
{
	const struct stage *s = ctx;
	int64_t people = MIN_OF(person_next(s->person), hand_next(&s->hand));

	return MIN_OF(world_next_event(s->w), people);
}

/* One instant after the other, so that the judge sees each as it was. */
static void scene_advance(void *ctx, int64_t to_ms)
{
	struct stage *s = ctx;
	int64_t next;

	while ((next = scene_next_event(s)) <= to_ms) {
		world_advance(s->w, MAX_OF(next, world_now(s->w)));
		hand_act(&s->hand, s->w);
		person_act(s->person);
		judge_look(s->judge);
	}
	world_advance(s->w, to_ms);
}

static const char *scene_route(void *ctx, const char *url, struct arena *a)
{
	const struct stage *s = ctx;

	return sim_route(s->c, url, a);
}

static void scene_answer(void *ctx, const struct twin_req *req, struct twin_resp *resp)
{
	struct stage *s = ctx;

	world_answer(s->w, req, resp);
	judge_look(s->judge);
}

static int64_t scene_date(void *ctx, const struct twin_req *req)
{
	const struct stage *s = ctx;

	return world_now(s->w) + world_skew_ms(s->w, world_twin_for(s->w, req));
}

static bool scene_person(void *ctx, const char *address, const struct instruction *in,
			 struct scene_says *ret, struct arena *a)
{
	struct stage *s = ctx;
	bool said = person_asked(s->person, address, in, ret, a);

	judge_look(s->judge);
	return said;
}

static void scene_saw(void *ctx, const char *channel, const char *text, size_t len)
{
	judge_saw(((struct stage *)ctx)->judge, channel, text, len);
}

static void scene_begins(void *ctx, enum scene_command kind)
{
	struct stage *s = ctx;

	judge_begins(s->judge, kind == SCENE_READS);
	if (kind == SCENE_ABANDONS)
		judge_abandons(s->judge);
}

static void scene_takes_back(void *ctx, const char *env)
{
	judge_takes_back(((struct stage *)ctx)->judge, env);
}

static void scene_ended(void *ctx, enum scene_command kind, bool by_itself, int exit_status)
{
	judge_ended(((struct stage *)ctx)->judge, kind == SCENE_READS, by_itself, exit_status);
}

static void scene_settled(void *ctx, int exit_status, int planned_status)
{
	judge_settled(((struct stage *)ctx)->judge, exit_status, planned_status);
}

static const char *scene_verdict(void *ctx)
{
	return judge_verdict(((const struct stage *)ctx)->judge);
}

struct stage *stage_new(const struct sim_case *c, struct err *err)
{
	struct world *w = world_new(c->world, err);
	struct stage *s;

	if (w == NULL)
		return NULL;
	s = mem_alloc(sizeof(*s));
	s->c = c;
	s->w = w;
	s->judge = judge_new(w, c);
	s->hand = (struct hand){ .c = c, .j = s->judge };
	s->person = person_new(w, c, s->judge);
	s->scene = (struct scene){ s,
				   scene_now,
				   scene_advance,
				   scene_next_event,
				   scene_route,
				   scene_answer,
				   scene_date,
				   scene_person,
				   scene_saw,
				   scene_begins,
				   scene_takes_back,
				   scene_ended,
				   scene_settled,
				   scene_verdict };
	return s;
}

void stage_free(struct stage *s)
{
	if (s == NULL)
		return;
	person_free(s->person);
	judge_free(s->judge);
	world_free(s->w);
	mem_free(s);
}

void stage_freep(struct stage **s)
{
	stage_free(*s);
}

const struct scene *stage_scene(const struct stage *s)
{
	return &s->scene;
}

bool stage_person_erred(const struct stage *s)
{
	return person_has_erred(s->person);
}

const struct world *stage_world(const struct stage *s)
{
	return s->w;
}
