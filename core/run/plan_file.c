/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/plan_file.h"

#include <string.h>

#include "core/base/sb.h"
#include "core/io/digest.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/plan/plan_digest.h"

#define FILE_MAX ((size_t)256 << 20)
#define NODES_MAX ((size_t)20000000)
#define SHOWN_MAX 120 /* of a fact's value, in a message */
#define ANEW "make the plan anew, and let it be approved anew"

bool plan_file_is_plan(const char *text, size_t len)
{
	/* Two signs: who edits one byte spoils one of them at most. */
	return memmem(text, len, "\"s2sctl.plan\"", 13) ||
	       memmem(text, len, "\"intent_digest\":", 16);
}

/* Whoever adds a blank changes what was reviewed; so the bytes have to be the ones that we write. */
static int check_form(const struct value *doc, const char *text, size_t len, struct err *err)
{
	CLEANUP(sb_done) struct sb canonical = SB_INIT(FILE_MAX);

	json_write(&canonical, doc, JSON_CANONICAL, NULL);
	if (len && text[len - 1] == '\n')
		len--;
	if (canonical.len == len && memcmp(canonical.buf, text, len) == 0)
		return 0;
	err_set(err, E_REFUSED,
		"the plan was edited: it is not in the form in which it is written");
	return err_hint(err, ANEW);
}

/* Steps and environments are told apart by their names alone: in approvals, in the journal, in what people answer. */
static int check_names(const struct value *list, const char *key, const char *what, struct err *err)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct value *seen = value_map(&a);

	for (size_t i = 0; i < value_count(list); i++) {
		const char *name = value_text_or(value_get(value_at(list, i), key), "");

		if (*name && !value_get(seen, name)) {
			value_set(&a, seen, name, value_bool(&a, true));
			continue;
		}
		if (*name)
			err_set(err, E_REFUSED, "the plan has two %ss '%.200s'", what, name);
		else
			err_set(err, E_REFUSED, "the plan has %s %s without a name",
				strcmp(what, "step") == 0 ? "a" : "an", what);
		return err_hint(err, ANEW);
	}
	return 0;
}

int plan_file_parse(struct arena *a, const char *path, const char *text, size_t len,
		    const struct registry *reg, struct plan_file **ret, struct err *err)
{
	static const struct json_limits limits = { .bytes = FILE_MAX, .nodes = NODES_MAX };
	struct plan_file *f = ARENA_NEW(a, struct plan_file);
	struct err why = ERR_INIT;
	struct value *doc = NULL;
	int64_t version;

	if (json_parse(a, text, len, &limits, NULL, NULL, &doc, &why) < 0)
		return err_set(err, E_REFUSED, "%s: this is no plan: %s", path, why.msg);
	if (strcmp(value_text_or(value_get(doc, "kind"), ""), "s2sctl.plan") != 0)
		return err_set(err, E_REFUSED, "%s: this is no plan of s2sctl", path);
	version = value_int_or(value_get(doc, "format_version"), -1);
	if (version != PLAN_FORMAT_VERSION) {
		err_set(err, E_REFUSED, "%s: the plan has format version %lld, this build reads %d",
			path, (long long)version, PLAN_FORMAT_VERSION);
		return err_hint(err, "it was made by '%.60s'; " ANEW,
				value_text_or(value_get(doc, "tool"), "?"));
	}
	if (check_names(value_get(doc, "environments"), "name", "environment", err) < 0 ||
	    check_names(value_get(doc, "steps"), "address", "step", err) < 0)
		return err_wrap(err, "%s", path);
	if (plan_digests_check(doc, reg, err) < 0 || check_form(doc, text, len, err) < 0)
		return err_wrap(err, "%s", path);
	f->path = arena_strdup(a, path);
	f->doc = doc;
	digest_hex(text, len, f->bytes);
	*ret = f;
	return 0;
}

int plan_file_read(struct arena *a, const char *path, const struct registry *reg,
		   struct plan_file **ret, struct err *err)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(FILE_MAX);

	if (file_read(path, &text, err) < 0)
		return -err->code;
	return plan_file_parse(a, path, text.buf, text.len, reg, ret, err);
}

int plan_file_is_unchanged(const struct plan_file *f, struct err *err)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(FILE_MAX);
	char now[65];

	if (file_read(f->path, &text, err) < 0)
		return -err->code;
	digest_hex(text.buf, text.len, now);
	if (strcmp(now, f->bytes) == 0)
		return 0;
	err_set(err, E_REFUSED, "%s was changed while this command ran", f->path);
	return err_hint(err,
			"whoever swaps a plan after it was checked wants another one carried out");
}

enum direction plan_file_direction(const struct plan_file *f)
{
	const char *way = value_text_or(value_get(f->doc, "direction"), "");

	return strcmp(way, direction_name(DIRECTION_BACK)) == 0 ? DIRECTION_BACK :
								  DIRECTION_FORWARD;
}

int plan_file_envs(const struct plan_file *f, const struct rollout *r, struct arena *a,
		   const struct rollout_env ***ret, struct err *err)
{
	const struct value *list = value_get(f->doc, "environments");
	const struct rollout_env **envs = arena_array(a, value_count(list) + 1, sizeof(*envs));

	for (size_t i = 0; i < value_count(list); i++) {
		const char *name = value_text_or(value_get(value_at(list, i), "name"), "");

		envs[i] = rollout_find_env(r, name);
		if (!envs[i])
			return err_set(err, E_REFUSED,
				       "the plan is for environment '%s', which '%s' does not have",
				       name, r->path);
	}
	if (!envs[0])
		return err_set(err, E_REFUSED, "the plan is for no environment");
	*ret = envs;
	return 0;
}

int plan_file_fits(const struct plan_file *f, const struct rollout *r,
		   const struct rollout_env *const *envs, const struct history *h, struct err *err)
{
	const char *digest = value_text_or(value_get(f->doc, "document_digest"), "");
	char now[65];

	rollout_digest(r, envs, now);
	if (strcmp(value_text_or(value_get(f->doc, "rollout_digest"), ""), now) != 0) {
		err_set(err, E_REFUSED, "'%s' has changed since the plan was made", r->path);
		return err_hint(err, ANEW);
	}
	for (size_t i = 0; i < h->run_count; i++) {
		const struct past_run *run = &h->runs[i];

		if (run->is_open || strcmp(run->ended, "receipt") != 0 ||
		    strcmp(value_text_or(value_get(run->plan, "document_digest"), "?"), digest) !=
			    0)
			continue;
		err_set(err, E_REFUSED, "the plan is used up: its run (since %s) has a receipt",
			run->started_at);
		return err_hint(err, ANEW);
	}
	return 0;
}

bool plan_file_is(const struct plan_file *f, const struct value *plan_doc)
{
	return strcmp(value_text_or(value_get(f->doc, "intent_digest"), ""),
		      value_text_or(value_get(plan_doc, "intent_digest"), "?")) == 0;
}

/* ---- against the live systems ---- */

static void show(struct sb *out, const struct value *v)
{
	CLEANUP(sb_done) struct sb text = SB_INIT(FILE_MAX);

	if (!v) {
		sb_add(out, "not known");
		return;
	}
	json_write(&text, v, JSON_CANONICAL, NULL);
	if (text.len > SHOWN_MAX) {
		sb_shrink(&text, SHOWN_MAX);
		sb_add(&text, "...");
	}
	sb_add_visible(out, text.buf);
}

static int moved(struct err *err, const char *env, const char *name, const struct value *was,
		 const struct value *is, bool is_identity)
{
	CLEANUP(sb_done) struct sb old = SB_INIT(2048), new = SB_INIT(2048);

	show(&old, was);
	show(&new, is);
	err_set(err, E_REFUSED, "%s: %s was %s when the plan was made and is %s now", env, name,
		old.buf, new.buf);
	return err_hint(
		err,
		is_identity ?
			"this is another system than the one planned for; nothing was changed" :
			"the plan is stale: " ANEW);
}

static int compare(const struct value *was, const struct value *is, const char *env,
		   bool is_identity, struct err *err)
{
	for (size_t i = 0; i < value_count(was); i++) {
		const struct value *now = value_get(is, value_key_at(was, i));

		if (!now || !value_equal(value_at(was, i), now))
			return moved(err, env, value_key_at(was, i), value_at(was, i), now,
				     is_identity);
	}
	for (size_t i = 0; i < value_count(is); i++)
		if (!value_get(was, value_key_at(is, i)))
			return moved(err, env, value_key_at(is, i), NULL, value_at(is, i),
				     is_identity);
	return 0;
}

static int compare_env(const struct value *was, const struct plan_env *now,
		       const struct value *now_doc, const struct registry *reg, struct err *err)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	const char *env = now->env->name;

	if (now->outlook == OUTLOOK_FAILED) {
		err_set(err, E_REMOTE, "%s: %s", env, now->error);
		return err_hint(err, "nothing was changed; run the same command again");
	}
	if (compare(value_get(was, "identity"), now->identity, env, true, err) < 0 ||
	    compare(plan_facts_of(was, reg, &a), plan_facts_of(now_doc, reg, &a), env, false, err) <
		    0)
		return -err->code;
	return 0;
}

int plan_file_is_fresh(const struct plan_file *f, const struct plan *now, struct err *err)
{
	const struct value *envs = value_get(f->doc, "environments");

	for (size_t i = 0; i < now->env_count; i++)
		if (compare_env(value_at(envs, i), &now->envs[i],
				value_at(value_get(now->document, "environments"), i),
				now->registry, err) < 0)
			return -err->code;
	if (strcmp(value_text_or(value_get(f->doc, "intent_digest"), ""), now->intent_digest) == 0)
		return 0;
	err_set(err, E_REFUSED, "the same facts lead to other steps, gates or thresholds now");
	return err_hint(err, "another build of s2sctl, or another file: " ANEW);
}
