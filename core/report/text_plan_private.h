/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_plan_private.h - what the two files behind text_plan.h share. Nobody else includes it.
 *
 * text_plan.c prints head, environments and the end, text_plan_step.c steps and the lines between them.
 */
#pragma once
#include "core/api/provider.h"
#include "core/report/text_plan.h"

#define LABEL 6u /* column of "undo", "gate" ... */
#define BODY 14u /* column of what they say */
#define FINDING 12u
#define RIGHT 30u /* who acts and when */

struct row {
	const struct value *step;
	bool is_elsewhere; /* shared, and printed under a later environment */
};
struct env_rows {
	struct row *rows;
	size_t count, cap;
};
/* What has been printed of a part that many steps share: the next one copies it. */
struct printed {
	const struct value *part;
	size_t at, len; /* in printer.out */
};
struct printer {
	struct sb *out;
	const struct report_style *st;
	struct arena arena;
	const struct value *doc, *envs, *steps, *tokens;
	struct value *env_index, *ends; /* name -> index; address -> earliest end */
	struct env_rows *of_env;
	struct printed printed[64]; /* by hash of the part's address; the latest stays */
	bool drew_never, drew_person; /* in full, anywhere */
	bool env_never, env_person;   /* in this environment */
};

const char *plan_text_of(const struct value *map, const char *key); /* "" when there is none */
bool plan_text_is(const struct value *map, const char *key, const char *text);
bool plan_is_back(const struct value *doc);
size_t plan_map_count(const struct value *v);                       /* 0 for anything but a map */
/* `head` at column `indent`, the text from `hang` on. */
void plan_line(struct printer *p, unsigned indent, unsigned hang, const char *head, enum ink head_ink, enum ink ink, const char *text);
/* One more of "project 'x', workspace y": nothing when v is null. */
void plan_named(struct sb *out, const char *before, const struct value *v, const char *quote);
void plan_steps(struct printer *p, const struct value *env, size_t e);
