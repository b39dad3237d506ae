/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sim/questions.h"

#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/when.h"
#include "core/run/attest.h"

#define TRIES_MAX                                                                                  \
	12 /* somebody who could not do it so often does not try again until asked again */
#define AGAIN_MOST (40 * WHEN_MINUTE)

struct question {
	struct arena arena;
	const char *address;
	struct instruction in;
	int64_t due_ms;
	unsigned tries;
};

static void question_free(struct question *one)
{
	arena_done(&one->arena);
	mem_free(one);
}

void questions_done(struct questions *q)
{
	for (size_t i = 0; i < q->count; i++)
		question_free(q->list[i]);
	if (q->is_open)
		journal_close(&q->journal);
	q->is_open = false;
	mem_free(q->list);
	q->list = NULL;
	q->count = q->cap = 0;
}

static void copy_instruction(struct question *one, const struct instruction *in)
{
	struct arena *a = &one->arena;

	one->in = (struct instruction){
		.page = arena_strdup(a, in->page),
		.check = arena_strdup(a, in->check),
		.ack_args = arena_strdup(a, in->ack_args),
	};
	for (size_t i = 0; i < ARRAY_LEN(in->lines) && in->lines[i]; i++)
		one->in.lines[i] = arena_strdup(a, in->lines[i]);
}

static int64_t soon(struct questions *q, int64_t most)
{
	return q->memory->clock->now_ms + sim_random_between(&q->random, 0, most);
}

static int64_t slowness(struct questions *q, const char *address)
{
	if (!q->slow_step || strcmp(q->slow_step, address) != 0)
		return 0;
	q->slow_step = NULL;
	return q->slow_ms;
}

void questions_ask(struct questions *q, const char *address, const struct instruction *in)
{
	struct question *one = NULL;

	for (size_t i = 0; i < q->count && !one; i++)
		if (strcmp(q->list[i]->address, address) == 0)
			one = q->list[i];
	if (!one) {
		q->list = mem_grow(q->list, q->count, &q->cap, sizeof(*q->list));
		one = q->list[q->count++] = mem_alloc(sizeof(*one));
		one->address = arena_strdup(&one->arena, address);
		one->due_ms = soon(q, q->delay_max_ms) + slowness(q, address);
	}
	if (one->tries >= TRIES_MAX)
		one->due_ms = soon(q, AGAIN_MOST);
	one->tries = 0;
	copy_instruction(one, in);
}

int64_t questions_due(const struct questions *q)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < q->count; i++)
		due = MIN_OF(due, q->list[i]->due_ms);
	return due;
}

static void drop(struct questions *q, size_t i)
{
	question_free(q->list[i]);
	memmove(&q->list[i], &q->list[i + 1], (q->count - i - 1) * sizeof(*q->list));
	q->count--;
}

void questions_withdraw(struct questions *q, const char *env)
{
	size_t len = strlen(env);

	for (size_t i = 0; i < q->count;) {
		const char *address = q->list[i]->address;

		if (strncmp(address, env, len) == 0 && (address[len] == '/' || address[len] == '+'))
			drop(q, i);
		else
			i++;
	}
}

static void ack(struct questions *q, const char *address, const struct scene_says *says)
{
	const struct attest t = {
		.step = address,
		.by = says->by,
		.user = "person",
		.host = "desk",
		.note = says->note,
		.facts = says->facts,
		.last_used = says->last_used,
		.none_since = says->none_since,
		.at = says->at,
	};
	struct err err = ERR_INIT;
	int rc = q->is_open ? journal_catch_up(&q->journal, &err) :
			      journal_open(&q->journal, &q->memory->beside, &q->memory->clock->sys,
					   &err);

	q->acks++;
	q->is_open = true;
	if (rc < 0 || attest_add(&t, q->registry, &q->journal, &err) < 0) {
		q->refused++;
		(void)snprintf(q->last_refusal, sizeof(q->last_refusal), "%.380s", err.msg);
	}
}

/* True: it is dealt with. */
static bool deal_with(struct questions *q, struct question *one)
{
	struct scene_says says = { 0 };
	struct arena a = ARENA_INIT;
	bool done = q->scene->person(q->scene->ctx, one->address, &one->in, &says, &a);

	if (done && says.store_ref && says.store_text)
		memory_person_stores(q->memory, says.store_ref, says.store_text);
	if (done && !says.silent)
		ack(q, one->address, &says);
	arena_done(&a);
	return done;
}

void questions_answer(struct questions *q)
{
	for (size_t i = 0; i < q->count;) {
		struct question *one = q->list[i];

		if (one->due_ms > q->memory->clock->now_ms) {
			i++;
			continue;
		}
		if (!deal_with(q, one)) {
			one->due_ms =
				++one->tries < TRIES_MAX ? soon(q, AGAIN_MOST) + 1 : INT64_MAX;
			i++;
			continue;
		}
		drop(q, i);
	}
}
