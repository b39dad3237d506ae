/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_plan.c - head, environments (what they are, what was found, whom to ask), requests, last sentence.
 */
#include <inttypes.h>
#include <string.h>

#include "core/report/report.h"
#include "core/report/text_plan_private.h"

const char *plan_text_of(const struct value *map, const char *key)
{
	return value_text_or(value_get(map, key), "");
}

bool plan_text_is(const struct value *map, const char *key, const char *text)
{
	return strcmp(plan_text_of(map, key), text) == 0;
}

bool plan_is_back(const struct value *doc)
{
	return plan_text_is(doc, "direction", direction_name(DIRECTION_BACK));
}

size_t plan_map_count(const struct value *v)
{
	return v && v->kind == VAL_MAP ? value_count(v) : 0;
}

void plan_line(struct printer *p, unsigned indent, unsigned hang, const char *head,
	       enum ink head_ink, enum ink ink, const char *text)
{
	para_add(p->out, p->st,
		 &(struct para){ .indent = indent,
				 .hang = hang,
				 .head = head,
				 .head_ink = head_ink,
				 .ink = ink },
		 text);
}

void plan_named(struct sb *out, const char *before, const struct value *v, const char *quote)
{
	if (value_is_null(v))
		return;
	sb_addf(out, "%s%s%s", out->len ? ", " : "", before, quote);
	text_add_value(out, v, CUT_NAME);
	sb_add(out, quote);
}

static void count_of(struct sb *out, int64_t n, const char *one, const char *many)
{
	sb_addf(out, "%" PRId64 " %s", n, n == 1 ? one : many);
}

/* ---- gathering ---- */

static void gather(struct printer *p)
{
	struct arena *a = &p->arena;
	size_t env_count = value_count(p->envs);

	p->env_index = value_map(a);
	p->ends = value_map(a);
	p->of_env = arena_array(a, env_count + 1, sizeof(*p->of_env));
	for (size_t i = 0; i < env_count; i++)
		value_set(a, p->env_index, plan_text_of(value_at(p->envs, i), "name"),
			  value_int(a, (int64_t)i));
	for (size_t i = 0; i < value_count(p->steps); i++) {
		const struct value *s = value_at(p->steps, i), *envs = value_get(s, "environments");
		int64_t last = -1;

		value_set(a, p->ends, plan_text_of(s, "address"), value_get(s, "earliest_ms"));
		for (size_t k = 0; k < value_count(envs); k++)
			last = MAX_OF(last,
				      value_int_or(value_get(p->env_index,
							     value_text_or(value_at(envs, k), "")),
						   -1));
		for (size_t k = 0; k < value_count(envs); k++) {
			int64_t e = value_int_or(value_get(p->env_index,
							   value_text_or(value_at(envs, k), "")),
						 -1);
			struct env_rows *r = e < 0 ? NULL : &p->of_env[e];

			if (!r)
				continue;
			r->rows = arena_grow(a, r->rows, r->count, &r->cap, sizeof(*r->rows));
			r->rows[r->count++] = (struct row){ .step = s, .is_elsewhere = e != last };
		}
	}
}

/* ---- head ---- */

static void put_head(struct printer *p)
{
	CLEANUP(sb_done) struct sb title = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb sums = SB_INIT(SB_TEXT_MAX);
	const struct value *sum = value_get(p->doc, "summary");
	int64_t steps = value_int_or(value_get(sum, "steps"), 0);

	sb_add(&title, plan_is_back(p->doc) ? "The way back, for " : "Plan for ");
	text_add(&title, value_text_or(value_get(p->doc, "rollout"), "an unknown file"), CUT_VALUE);
	sb_add(&title, ", observed ");
	text_add(&title, value_text_or(value_get(p->doc, "made_at"), "at an unknown time"),
		 CUT_NAME);
	plan_line(p, 0, 2, NULL, INK_PLAIN, INK_BOLD, title.buf);
	count_of(&sums, (int64_t)value_count(p->envs), "environment", "environments");
	sb_add(&sums, ", ");
	count_of(&sums, steps, "step", "steps");
	if (steps) {
		sb_addf(&sums,
			": %" PRId64 " irreversible, %" PRId64 " by a person; earliest finish +",
			value_int_or(value_get(sum, "irreversible"), 0),
			value_int_or(value_get(sum, "by_operator"), 0));
		text_add_span(&sums, value_int_or(value_get(sum, "earliest_finish_ms"), 0));
	}
	plan_line(p, 0, 2, NULL, INK_PLAIN, INK_PLAIN, sums.buf);
	if (p->st->verbose) {
		sb_reset(&sums);
		sb_add(&sums, "intent ");
		text_add(&sums, plan_text_of(p->doc, "intent_digest"), CUT_NAME);
		plan_line(p, 0, 2, NULL, INK_PLAIN, INK_DIM, sums.buf);
		sb_reset(&sums);
		sb_add(&sums, "facts  ");
		text_add(&sums, plan_text_of(p->doc, "observed_digest"), CUT_NAME);
		plan_line(p, 0, 2, NULL, INK_PLAIN, INK_DIM, sums.buf);
	}
}

/* ---- an environment ---- */

static const char *rule_of(const struct value *env, const char *level)
{
	const struct value *list = value_get(env, "findings");

	for (size_t i = 0; i < value_count(list); i++)
		if (plan_text_is(value_at(list, i), "level", level))
			return plan_text_of(value_at(list, i), "rule");
	return "";
}

static enum ink outlook_words(struct printer *p, const struct value *env, size_t e, struct sb *out)
{
	const char *outlook = plan_text_of(env, "outlook");
	size_t shared = 0;

	if (strcmp(outlook, "refused") == 0 || strcmp(outlook, "left-alone") == 0) {
		bool is_refused = outlook[0] == 'r';

		sb_add(out, is_refused ? "refused: " : "left alone: ");
		text_add(out, rule_of(env, is_refused ? "refused" : "leave-alone"), CUT_NAME);
		return is_refused ? INK_ALARM : INK_YELLOW;
	}
	if (strcmp(outlook, "failed") == 0) {
		sb_add(out, "could not be read");
		return INK_ALARM;
	}
	if (strcmp(outlook, "attest") == 0) {
		sb_add(out, "needs facts from a person");
		return INK_YELLOW;
	}
	if (strcmp(outlook, "nothing") == 0) {
		sb_add(out, "nothing to do");
		return INK_GREEN;
	}
	for (size_t i = 0; i < p->of_env[e].count; i++)
		shared += value_count(value_get(p->of_env[e].rows[i].step, "environments")) > 1;
	count_of(out, (int64_t)p->of_env[e].count, "step", "steps");
	if (shared)
		sb_addf(out, ", %zu of them shared", shared);
	return INK_BOLD;
}

/* The first of this name among all things: what a person calls the environment's project, workspace and client. */
static const struct value *any_fact(const struct value *env, const char *name)
{
	const struct value *facts = value_get(env, "facts");

	for (size_t i = 0; i < plan_map_count(facts); i++) {
		const struct value *v = value_get(value_get(value_at(facts, i), "facts"), name);

		if (!value_is_null(v))
			return v;
	}
	return NULL;
}

static void put_identity(struct printer *p, const struct value *env)
{
	static const char *const said[] = { "title", "workspace", "client_id", "instance" };
	CLEANUP(sb_done) struct sb names = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb ids = SB_INIT(SB_TEXT_MAX);
	const struct value *identity = value_get(env, "identity");

	plan_named(&names, "project ", any_fact(env, "title"), "'");
	plan_named(&names, "workspace ", any_fact(env, "workspace"), "");
	plan_named(&names, "client id ", any_fact(env, "client_id"), "");
	plan_named(&names, "instance ", any_fact(env, "instance"), "");
	if (names.len)
		plan_line(p, 2, 4, NULL, INK_PLAIN, INK_PLAIN, names.buf);
	for (size_t i = 0; i < plan_map_count(identity); i++) {
		const char *full = value_key_at(identity, i), *dot = strrchr(full, '.');
		const char *name = dot ? dot + 1 : full;
		bool is_said = false;

		for (size_t k = 0; k < ARRAY_LEN(said); k++)
			is_said |= strcmp(said[k], name) == 0;
		if (is_said && !p->st->verbose)
			continue;
		sb_add(&ids, ids.len ? ", " : "");
		text_add(&ids, p->st->verbose ? full : name, CUT_NAME);
		sb_addc(&ids, ' ');
		text_add_value(&ids, value_at(identity, i), CUT_NAME);
	}
	if (ids.len)
		plan_line(p, 2, 4, NULL, INK_PLAIN, INK_DIM, ids.buf);
}

static void put_findings(struct printer *p, const struct value *env)
{
	const struct value *list = value_get(env, "findings");

	if (value_text(value_get(env, "error"))) {
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

		text_add(&text, plan_text_of(env, "error"), CUT_TEXT);
		plan_line(p, 2, FINDING, "error", INK_ALARM, INK_PLAIN, text.buf);
	}
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *f = value_at(list, i);
		const char *level = plan_text_of(f, "level");
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
		bool is_bad = strcmp(level, "refused") == 0, is_note = strcmp(level, "note") == 0;

		text_add(&text, plan_text_of(f, "text"), CUT_TEXT);
		sb_add(&text, " (");
		text_add(&text, plan_text_of(f, "rule"), CUT_NAME);
		sb_addc(&text, ')');
		plan_line(p, 2, FINDING,
			  is_bad                        ? "refused" :
			  is_note                       ? "note" :
			  strcmp(level, "warning") == 0 ? "warning" :
							  "left",
			  is_bad  ? INK_ALARM :
			  is_note ? INK_DIM :
				    INK_YELLOW,
			  INK_PLAIN, text.buf);
		if (!*plan_text_of(f, "hint"))
			continue;
		sb_reset(&text);
		sb_add(&text, "hint: ");
		text_add(&text, plan_text_of(f, "hint"), CUT_TEXT);
		plan_line(p, FINDING, FINDING + 6, NULL, INK_PLAIN, INK_DIM, text.buf);
	}
}

static void put_ack_command(struct printer *p, const char *env, const struct value *need)
{
	CLEANUP(sb_done) struct sb word = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	const struct value *facts = value_get(need, "facts");

	sb_addf(&word, "%s/%s/attest", env, plan_text_of(need, "thing"));
	sb_add(&text, "s2sctl ack ");
	text_add_word(&text, word.buf);
	sb_add(&text, " --by NAME");
	for (size_t i = 0; i < value_count(facts); i++) {
		sb_reset(&word);
		sb_addf(&word, "%s=...", value_text_or(value_at(facts, i), "?"));
		sb_add(&text, " --fact ");
		text_add_word(&text, word.buf);
	}
	para_add(p->out, p->st,
		 &(struct para){ .indent = FINDING,
				 .hang = FINDING + 6,
				 .head = "run",
				 .head_ink = INK_DIM,
				 .ink = INK_BOLD,
				 .is_command = true },
		 text.buf);
}

static void put_attests(struct printer *p, const struct value *env)
{
	const struct value *list = value_get(env, "attest");

	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *n = value_at(list, i);
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
		bool is_now = value_bool_or(value_get(n, "before_planning"), false);

		text_add(&text, plan_text_of(n, "thing"), CUT_NAME);
		sb_add(&text, ": ");
		text_add_value(&text, value_get(n, "facts"), CUT_TEXT);
		if (is_now) {
			sb_add(&text, "; a person has to attest them before anything is planned");
		} else if (*plan_text_of(n, "step")) {
			sb_add(&text, "; a person is asked by ");
			text_add(&text, plan_text_of(n, "step"), CUT_NAME);
			sb_add(&text, ", at the earliest +");
			text_add_span(&text, value_int_or(value_get(n, "earliest_ms"), 0));
		} else {
			sb_add(&text, "; a person is asked when a step needs them");
		}
		plan_line(p, 2, FINDING, is_now ? "ask now" : "ask later",
			  is_now ? INK_ALARM : INK_CYAN, INK_PLAIN, text.buf);
		if (*plan_text_of(n, "why")) {
			sb_reset(&text);
			text_add(&text, plan_text_of(n, "why"), CUT_TEXT);
			plan_line(p, FINDING, FINDING + 6, "why", INK_DIM, INK_DIM, text.buf);
		}
		if (*plan_text_of(n, "page")) {
			sb_reset(&text);
			text_add(&text, plan_text_of(n, "page"), CUT_TEXT);
			plan_line(p, FINDING, FINDING + 6, "page", INK_DIM, INK_DIM, text.buf);
		}
		if (is_now)
			put_ack_command(p, plan_text_of(env, "name"), n);
	}
}

static enum ink source_words(const struct value *entry, struct sb *out)
{
	const char *known = plan_text_of(entry, "known");
	const char *lead =
		strcmp(known, "denied") == 0 ?
			"not readable" :
		strcmp(known, "fenced") == 0 ?
			"not read, so that no use of the client is mistaken for the app's" :
		strcmp(known, "failed") == 0 ? "could not be read" :
					       NULL;

	if (lead) {
		sb_add(out, lead);
		if (*plan_text_of(entry, "why")) {
			sb_add(out, ": ");
			text_add(out, plan_text_of(entry, "why"), CUT_TEXT);
		}
		return INK_YELLOW;
	}
	if (strcmp(known, "attested") == 0) {
		sb_add(out, "attested by ");
		text_add(out, value_text_or(value_get(entry, "by"), "somebody"), CUT_NAME);
		return INK_CYAN;
	}
	sb_add(out, strcmp(known, "api") == 0     ? "read from the system itself" :
		    strcmp(known, "bridge") == 0  ? "read through the bridge" :
		    strcmp(known, "journal") == 0 ? "known from the journal" :
						    known);
	return INK_PLAIN;
}

static void put_sources(struct printer *p, const struct value *env)
{
	const struct value *facts = value_get(env, "facts");
	size_t widest = 0;

	for (size_t i = 0; i < plan_map_count(facts); i++)
		if (p->st->verbose || !plan_text_is(value_at(facts, i), "known", "api"))
			widest = MAX_OF(widest,
					MIN_OF(text_columns(value_key_at(facts, i)), (size_t)30));
	for (size_t i = 0; i < plan_map_count(facts); i++) {
		const struct value *entry = value_at(facts, i);
		CLEANUP(sb_done) struct sb name = SB_INIT(SB_TEXT_MAX);
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
		enum ink ink;

		if (!p->st->verbose && plan_text_is(entry, "known", "api"))
			continue;
		sb_add(&name, "facts     ");
		text_add(&name, value_key_at(facts, i), CUT_NAME);
		ink = source_words(entry, &text);
		if (p->st->verbose && *plan_text_of(entry, "server_time")) {
			sb_add(&text, " at ");
			text_add(&text, plan_text_of(entry, "server_time"), CUT_NAME);
		}
		if (p->st->verbose && value_count(value_get(entry, "facts"))) {
			sb_add(&text, "; ");
			text_add_value(&text, value_get(entry, "facts"), CUT_TEXT);
		}
		plan_line(p, 2, (unsigned)(FINDING + widest + 2), name.buf, INK_DIM, ink, text.buf);
	}
}

static void put_env(struct printer *p, size_t e)
{
	const struct value *env = value_at(p->envs, e);
	CLEANUP(sb_done) struct sb name = SB_INIT(SB_TEXT_MAX);
	CLEANUP(sb_done) struct sb words = SB_INIT(SB_TEXT_MAX);
	enum ink ink;

	sb_addc(p->out, '\n');
	text_add(&name, plan_text_of(env, "name"), CUT_NAME);
	sb_addc(&name, ':');
	ink = outlook_words(p, env, e, &words);
	plan_line(p, 0, 0, name.buf, INK_BOLD, ink, words.buf);
	put_identity(p, env);
	put_findings(p, env);
	put_attests(p, env);
	put_sources(p, env);
	plan_steps(p, env, e);
}

/* ---- policy ---- */

static void put_approvals(struct printer *p)
{
	const struct value *list = report_approvals(&p->arena, p->doc);

	for (size_t i = 0; i < value_count(list); i++) {
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

		sb_add(&text, "Must approve: ");
		text_add(&text, value_text_or(value_at(list, i), ""), CUT_TEXT);
		plan_line(p, 0, 2, NULL, INK_PLAIN, INK_PLAIN, text.buf);
	}
}

static void put_policy(struct printer *p)
{
	const struct value *list = value_get(p->doc, "policy");

	if (value_count(list))
		sb_addc(p->out, '\n');
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *f = value_at(list, i);
		CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);

		if (*plan_text_of(f, "environment")) {
			text_add(&text, plan_text_of(f, "environment"), CUT_NAME);
			sb_add(&text, ": ");
		}
		text_add(&text, plan_text_of(f, "text"), CUT_TEXT);
		sb_add(&text, " (");
		text_add(&text, plan_text_of(f, "rule"), CUT_NAME);
		if (value_get(f, "line")) {
			sb_add(&text, ", ");
			text_add(&text, plan_text_of(f, "file"), CUT_VALUE);
			sb_addf(&text, ":%" PRId64 ":%" PRId64,
				value_int_or(value_get(f, "line"), 0),
				value_int_or(value_get(f, "col"), 0));
		}
		sb_addc(&text, ')');
		plan_line(p, 0, FINDING, "policy", INK_ALARM, INK_PLAIN, text.buf);
		if (!*plan_text_of(f, "hint"))
			continue;
		sb_reset(&text);
		sb_add(&text, "hint: ");
		text_add(&text, plan_text_of(f, "hint"), CUT_TEXT);
		plan_line(p, FINDING, FINDING + 6, NULL, INK_PLAIN, INK_DIM, text.buf);
	}
}

/* ---- requests and the last sentence ---- */

static void put_requests(struct printer *p)
{
	struct value *by = value_map(&p->arena);
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	int64_t total = 0, writes = 0;

	for (size_t e = 0; e < value_count(p->envs); e++) {
		const struct value *list = value_get(value_at(p->envs, e), "requests");

		for (size_t i = 0; i < value_count(list); i++) {
			const char *req = value_text_or(value_at(list, i), ""),
				   *conn = strchr(req, ' ');
			const char *key =
				conn ? arena_strndup(&p->arena, conn + 1, strcspn(conn + 1, " ")) :
				       "?";

			value_set(&p->arena, by, key,
				  value_int(&p->arena, value_int_or(value_get(by, key), 0) + 1));
			total++;
			writes += strncmp(req, "GET ", 4) != 0;
		}
	}
	if (!total)
		return;
	sb_add(&text, "Planning made ");
	count_of(&text, total, "request", "requests");
	if (writes)
		sb_addf(&text, ", %" PRId64 " of them not GET: ", writes);
	else
		sb_add(&text, ", all of them GET: ");
	for (size_t i = 0; i < value_count(by); i++) {
		sb_add(&text, i ? ", " : "");
		text_add(&text, value_key_at(by, i), CUT_NAME);
		sb_addf(&text, " %" PRId64, value_int_or(value_at(by, i), 0));
	}
	if (value_count(p->tokens)) {
		sb_add(&text, "; and got ");
		count_of(&text, (int64_t)value_count(p->tokens), "token", "tokens");
		sb_add(&text, " to sign in");
	}
	sb_addc(p->out, '\n');
	plan_line(p, 0, 2, NULL, INK_PLAIN, INK_DIM, text.buf);
	for (size_t i = 0; p->st->verbose && i < value_count(p->tokens); i++) {
		sb_reset(&text);
		text_add(&text, value_text_or(value_at(p->tokens, i), "?"), CUT_TEXT);
		plan_line(p, 2, 6, NULL, INK_PLAIN, INK_DIM, text.buf);
	}
	for (size_t e = 0; p->st->verbose && e < value_count(p->envs); e++) {
		const struct value *list = value_get(value_at(p->envs, e), "requests");

		for (size_t i = 0; i < value_count(list); i++) {
			sb_reset(&text);
			text_add(&text, value_text_or(value_at(list, i), "?"), CUT_TEXT);
			plan_line(p, 2, 6, NULL, INK_PLAIN, INK_DIM, text.buf);
		}
	}
}

static size_t env_count(const struct printer *p, const char *outlook)
{
	size_t n = 0;

	for (size_t i = 0; i < value_count(p->envs); i++)
		n += plan_text_is(value_at(p->envs, i), "outlook", outlook);
	return n;
}

static void put_last(struct printer *p)
{
	const struct value *sum = value_get(p->doc, "summary");
	int64_t steps = value_int_or(value_get(sum, "steps"), 0);
	int64_t never = value_int_or(value_get(sum, "irreversible"), 0);
	CLEANUP(sb_done) struct sb text = SB_INIT(SB_TEXT_MAX);
	enum ink ink = INK_BOLD;

	sb_addc(p->out, '\n');
	if (env_count(p, "failed") || env_count(p, "refused") || env_count(p, "attest")) {
		const size_t stuck[] = { env_count(p, "refused"), env_count(p, "failed"),
					 env_count(p, "attest") };
		static const char *const words[] = { " refused", " not readable",
						     " waiting for a person's facts" };

		sb_add(&text, "Nothing can be carried out yet: ");
		for (size_t i = 0, any = 0; i < ARRAY_LEN(stuck); i++)
			if (stuck[i]) {
				sb_add(&text, any++ ? ", " : "");
				count_of(&text, (int64_t)stuck[i], "environment", "environments");
				sb_add(&text, words[i]);
			}
		sb_add(&text, ".");
		ink = INK_ALARM;
	} else if (value_count(value_get(p->doc, "policy"))) {
		sb_add(&text, "Nothing can be carried out: the policy is against it.");
		ink = INK_ALARM;
	} else if (!steps) {
		sb_add(&text, "Nothing to do.");
		ink = INK_GREEN;
	} else {
		count_of(&text, steps, "step", "steps");
		sb_addf(&text, ", %" PRId64 " by a person, ",
			value_int_or(value_get(sum, "by_operator"), 0));
		if (never)
			sb_addf(&text, "%" PRId64 " that cannot be undone; ", never);
		else
			sb_add(&text, "none beyond undoing; ");
		sb_add(&text, "done at the earliest ");
		text_add_span(&text, value_int_or(value_get(sum, "earliest_finish_ms"), 0));
		sb_add(&text, " after the start.");
	}
	plan_line(p, 0, 2, NULL, INK_PLAIN, ink, text.buf);
	put_approvals(p);
}

void report_plan_text(const struct value *plan_doc, const struct report_style *style,
		      struct sb *out)
{
	struct printer p = {
		.out = out,
		.st = style,
		.arena = ARENA_INIT,
		.doc = plan_doc,
		.envs = value_get(plan_doc, "environments"),
		.steps = value_get(plan_doc, "steps"),
		.tokens = value_get(plan_doc, "token_requests"),
	};

	gather(&p);
	put_head(&p);
	for (size_t e = 0; e < value_count(p.envs); e++)
		put_env(&p, e);
	put_policy(&p);
	put_requests(&p);
	put_last(&p);
	arena_done(&p.arena);
}
