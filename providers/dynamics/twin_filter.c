/* SPDX-License-Identifier: Apache-2.0 */
/*
 * $filter and $orderby of the Web API, for contacts: comparisons, and, or, parentheses.
 * Source: our notes on Dataverse, sections 3 and 4; behind them "Filter rows" and "Order rows" of
 * learn.microsoft.com/power-apps/developer/data-platform/webapi/query.
 */
#include "providers/world.h"
#include "core/base/when.h"
#include <ctype.h>
#include <string.h>

enum { COND_TEST, COND_AND, COND_OR };
enum op { OP_EQ, OP_NE, OP_GE, OP_GT, OP_LE, OP_LT };
struct dyn_cond {
	int kind;
	const struct dyn_cond *left, *right;
	const char *field, *text;
	enum op op;
	int64_t number; /* when text is NULL */
};

struct reader {
	struct arena *arena;
	const char *at;
	unsigned depth;
};

const char *dynamics_text(const struct dyn_contact *c, const char *field)
{
	if (strcmp(field, "contactid") == 0)
		return c->id;
	if (strcmp(field, "emailaddress1") == 0)
		return c->email;
	if (strcmp(field, "firstname") == 0)
		return c->first;
	if (strcmp(field, "lastname") == 0)
		return c->last;
	if (strcmp(field, "nickname") == 0)
		return c->nickname;
	return strcmp(field, "description") == 0 ? c->description : NULL;
}

static bool is_time(const char *field)
{
	return strcmp(field, "modifiedon") == 0 || strcmp(field, "createdon") == 0;
}

static bool is_number(const char *field)
{
	return strcmp(field, "statecode") == 0 || strcmp(field, "versionnumber") == 0;
}

bool dynamics_has_field(const char *field)
{
	static const struct dyn_contact nobody = {
		.id = "", .email = "", .first = "", .last = "", .nickname = "", .description = ""
	};

	return dynamics_text(&nobody, field) != NULL || is_time(field) || is_number(field) ||
	       strcmp(field, "fullname") == 0;
}

static void blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t");
}

static const char *word(struct reader *r)
{
	size_t len;

	blanks(r);
	len = strcspn(r->at, " \t()");
	r->at += len;
	return arena_strndup(r->arena, r->at - len, len);
}

static bool took(struct reader *r, const char *keyword)
{
	size_t len = strlen(keyword);

	blanks(r);
	if (strncmp(r->at, keyword, len) != 0 || (r->at[len] != ' ' && r->at[len] != '('))
		return false;
	r->at += len;
	return true;
}

/* 'O''Brien' */
static const char *quoted(struct reader *r)
{
	CLEANUP(sb_done) struct sb out = SB_INIT(32768);

	for (r->at++;; r->at++) {
		if (*r->at == '\0')
			return NULL;
		if (*r->at == '\'' && *++r->at != '\'')
			return arena_strndup(r->arena, out.buf, out.len);
		sb_addc(&out, *r->at);
	}
}

static const struct dyn_cond *test(struct reader *r)
{
	static const char *const ops[] = { "eq", "ne", "ge", "gt", "le", "lt" };
	struct dyn_cond *c = ARENA_NEW(r->arena, struct dyn_cond);
	struct err ignored = ERR_INIT;
	const char *op, *literal;
	size_t i = 0;

	c->kind = COND_TEST;
	c->field = word(r);
	op = word(r);
	while (i < ARRAY_LEN(ops) && strcmp(ops[i], op) != 0)
		i++;
	if (i == ARRAY_LEN(ops) || !dynamics_has_field(c->field) ||
	    strcmp(c->field, "fullname") == 0)
		return NULL;
	c->op = (enum op)i;
	blanks(r);
	if (is_time(c->field))
		return when_parse(word(r), &c->number, NULL, &ignored) == 0 ? c : NULL;
	if (is_number(c->field)) {
		literal = word(r);
		for (const char *p = literal; *p != '\0'; p++) {
			if (!isdigit((unsigned char)*p) || p - literal > 15)
				return NULL;
			c->number = c->number * 10 + (*p - '0');
		}
		return *literal != '\0' ? c : NULL;
	}
	if (strcmp(c->field, "contactid") == 0) {
		/* A GUID stands without quotes or braces. */
		c->text = word(r);
		return strlen(c->text) == 36 && (c->op == OP_EQ || c->op == OP_NE) ? c : NULL;
	}
	if (*r->at != '\'')
		return NULL;
	c->text = quoted(r);
	return c->text != NULL ? c : NULL;
}

static const struct dyn_cond *any_of(struct reader *r);

static const struct dyn_cond *factor(struct reader *r)
{
	const struct dyn_cond *c;

	blanks(r);
	if (*r->at != '(')
		return test(r);
	if (++r->depth > 50)
		return NULL;
	r->at++;
	c = any_of(r);
	blanks(r);
	if (c == NULL || *r->at != ')')
		return NULL;
	r->at++;
	return c;
}

static const struct dyn_cond *both(struct reader *r, int kind, const struct dyn_cond *left,
				   const struct dyn_cond *right)
{
	struct dyn_cond *c;

	if (left == NULL || right == NULL)
		return NULL;
	c = ARENA_NEW(r->arena, struct dyn_cond);
	c->kind = kind;
	c->left = left;
	c->right = right;
	return c;
}

static const struct dyn_cond *all_of(struct reader *r)
{
	const struct dyn_cond *c = factor(r);

	while (c != NULL && took(r, "and"))
		c = both(r, COND_AND, c, factor(r));
	return c;
}

static const struct dyn_cond *any_of(struct reader *r)
{
	const struct dyn_cond *c = all_of(r);

	while (c != NULL && took(r, "or"))
		c = both(r, COND_OR, c, all_of(r));
	return c;
}

const struct dyn_cond *dynamics_filter(struct arena *a, const char *text)
{
	struct reader r = { a, text, 0 };
	const struct dyn_cond *c = any_of(&r);

	blanks(&r);
	return *r.at == '\0' ? c : NULL;
}

static int compare(const struct world *w, const struct dyn_contact *c, const char *field,
		   const char *text, int64_t number)
{
	int64_t have;

	if (text != NULL)
		return strcasecmp(dynamics_text(c, field), text);
	if (strcmp(field, "modifiedon") == 0)
		have = world_clock(w, SYS_DYNAMICS, c->modified);
	else if (strcmp(field, "createdon") == 0)
		have = world_clock(w, SYS_DYNAMICS, c->created);
	else
		have = strcmp(field, "statecode") == 0 ? 0 : c->version;
	/* What is kept to the second is compared to the second. */
	if (is_time(field) && !w->sw.modified_fraction)
		have -= have % WHEN_SECOND;
	return have < number ? -1 : have > number;
}

bool dynamics_passes(const struct world *w, const struct dyn_cond *c,
		     const struct dyn_contact *contact)
{
	int r;

	if (c == NULL)
		return true;
	if (c->kind == COND_AND)
		return dynamics_passes(w, c->left, contact) &&
		       dynamics_passes(w, c->right, contact);
	if (c->kind == COND_OR)
		return dynamics_passes(w, c->left, contact) ||
		       dynamics_passes(w, c->right, contact);
	r = compare(w, contact, c->field, c->text, c->number);
	switch (c->op) {
	case OP_EQ:
		return r == 0;
	case OP_NE:
		return r != 0;
	case OP_GE:
		return r >= 0;
	case OP_GT:
		return r > 0;
	case OP_LE:
		return r <= 0;
	case OP_LT:
		return r < 0;
	}
	return false;
}

int dynamics_compare(const struct world *w, const struct dyn_contact *a,
		     const struct dyn_contact *b, const char *field)
{
	const char *text = dynamics_text(b, field);

	if (text != NULL)
		return compare(w, a, field, text, 0);
	if (strcmp(field, "modifiedon") == 0) {
		int64_t x = a->modified, y = b->modified;

		if (!w->sw.modified_fraction) {
			x = world_clock(w, SYS_DYNAMICS, x) / WHEN_SECOND;
			y = world_clock(w, SYS_DYNAMICS, y) / WHEN_SECOND;
		}
		return x < y ? -1 : x > y;
	}
	if (strcmp(field, "createdon") == 0)
		return a->created < b->created ? -1 : a->created > b->created;
	return strcmp(field, "versionnumber") == 0 ?
		       (a->version < b->version ? -1 : a->version > b->version) :
		       0;
}
