/* SPDX-License-Identifier: Apache-2.0 */
/*
 * questions.h - what a simulated person was asked, when they get to it, and how their answer reaches the inbox.
 *
 * A question that is shown again before it was dealt with is the same question. An answer goes the way of `s2sctl ack`: a process of its
 * own, which checks it against the journal and appends to the inbox.
 */
#pragma once
#include "core/run/journal.h"
#include "core/sim/memory.h"

struct question;
struct questions {
	/* Given; borrowed. */
	const struct scene *scene;
	const struct registry *registry;
	struct memory *memory;
	struct sim_random random;
	int64_t delay_max_ms;   /* from the question to the answer */
	const char *slow_step;  /* the first answer to this step's question takes slow_ms instead; NULL: none */
	int64_t slow_ms;

	struct journal journal; /* each ack is a process that reads all of it; here it is read on from where the last one ended */
	bool is_open;
	struct question **list;
	size_t count, cap;
	uint64_t acks, refused; /* given so far; not accepted by ack */
	char last_refusal[400];
};

void questions_done(struct questions *q);
void questions_ask(struct questions *q, const char *address, const struct instruction *in); /* copied */
void questions_withdraw(struct questions *q, const char *env); /* who goes back tells those who were asked to leave it */
int64_t questions_due(const struct questions *q); /* true time of the next answer; INT64_MAX: nobody is at it */
void questions_answer(struct questions *q);       /* those that are due */
