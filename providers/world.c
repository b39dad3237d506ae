/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/world.h"
#include "core/base/mem.h"
#include "core/base/diags.h"
#include "core/base/when.h"
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const world_twin_names[] = { "console", "ims", "bridge", "campaign", "dynamics", NULL };
/* Campaign comes last: its first segment is a tenant, which could have any name. */
static const struct twin *const twins[SYS_COUNT] = {
	&console_twin, &ims_twin, &bridge_twin, &dynamics_twin, &campaign_twin,
};

/* ---- switches ---- */

#define SW(n, k, d, words, doc)                                                                    \
	{                                                                                          \
#n, SWITCH_##k, d, words, offsetof(struct switches, n), doc                        \
	}
#define SW_SYS(group, sys, SYS, k, d, doc)                                                         \
	{                                                                                          \
#group "." sys, SWITCH_##k, d, NULL, offsetof(struct switches, group[SYS]), doc    \
	}
#define SKEW "how far this system's clock is ahead (negative: behind)"
#define RATE "requests a minute before it says 429; 0: never"

static const struct world_switch switches[] = {
	/* console */
	SW(one_row, BOOL, "true", NULL,
	   "a migrating credential is one row (..._migrate) in the workspace's list; false: a JWT row and an OAuth row"),
	SW(shared_id, BOOL, "true", NULL,
	   "with two rows, both have the JWT credential's id; false: the OAuth one has its own"),
	SW(status_answers_jwt_id, BOOL, "true", NULL,
	   "the status of a credential that has no OAuth side yet can be asked by its id; false: 404"),
	SW(after_status, WORD, "completed", "completed|none",
	   "what the status is once the JWT side is gone, by finalizing or by conversion"),
	SW(jwt_in_usages, BOOL, "false", NULL, "secret_usages also show the JWT grant"),
	SW(jwt_grant_name, WORD, "exchange_jwt", "exchange_jwt|jwt_bearer",
	   "how secret_usages call it then"),
	SW(usages_null_when_unused, BOOL, "true", NULL,
	   "secret_usages of a secret never used is null; false: an empty list"),
	SW(usage_lag, SPAN, "10m", NULL, "how late a last use shows in the console"),
	SW(usage_lag_random, BOOL, "false", NULL,
	   "each use shows after anything from nothing up to usage_lag"),
	SW(secrets_shared, BOOL, "true", NULL,
	   "JWT and OAuth credential have the same client secrets; false: the OAuth one gets its own when the migration starts"),
	SW(service_filter_migrating, BOOL, "true", NULL,
	   "credentialType=service also finds projects whose credential is migrating in one row"),
	SW(secrets_api, WORD, "ok", "ok|403|absent", "whether the caller may list client secrets"),
	SW(status_api, WORD, "ok", "ok|403|absent",
	   "whether the caller may read the migration status"),
	SW(finalize_api, WORD, "ok", "ok|403|absent", "whether the caller may finalize"),
	SW(console_api, WORD, "ok", "ok|403|absent",
	   "whether the caller may use the console's API at all"),
	SW(finalize_checks, BOOL, "false", NULL,
	   "the server itself makes the two checks that the page makes before it deletes the JWT credential"),
	SW(refused_status, INT, "400", NULL,
	   "status of what the state forbids: a third secret, a secret while migrating, finalize without a migration"),
	SW(missing_project_is_500, BOOL, "true", NULL,
	   "a project or workspace that is not there is 500; false: 404"),
	SW(workspaces_in_project, BOOL, "true", NULL, "a project carries metadata.workspaces"),
	SW(type_key, WORD, "credential_type", "credential_type|integration_type|both",
	   "the name of the type in a row of the workspace's list"),
	SW(lookup_type, WORD, "service",
	   "service|oauth_server_to_server|oauth_server_to_server_migrate",
	   "the type of a migrating credential when looked up by client id"),
	SW(binding_unit, WORD, "ms", "ms|s", "the unit of a certificate's notAfter"),
	SW(date_form, WORD, "ms", "ms|iso", "the dates of an integration"),
	SW(numbers_for_bools, BOOL, "true", NULL, "a project's booleans are 0 and 1"),
	SW(workspace_place, WORD, "project", "project|org",
	   "whether a workspace's download has `workspace` beside `org` or in it"),
	SW(prompt_name, WORD, "title", "title|name",
	   "what has to be typed to delete the JWT credential"),
	SW(deprecated_secrets, WORD, "ok", "ok|403|absent",
	   "the deprecated integrations/{id}/secrets, which shows the text"),
	SW(own_token_console, WORD, "secrets", "none|secrets|all",
	   "what a token of the credential itself may call at the console"),
	SW(card_precision, WORD, "second", "second|minute|day",
	   "how precisely the migration card words a last use"),
	SW(auto_mark, WORD, "both", "none|who|read_only|both",
	   "how an auto-generated project shows: who_created System, readOnly integrations"),
	/* ims */
	SW(token_life, SPAN, "24h", NULL, "life of a token"),
	SW(jwt_exchange, WORD, "ok", "ok|dead",
	   "whether JWTs are still exchanged at all; dead: 500 internal_error"),
	SW(unstarted_error, WORD, "unauthorized_client", "unauthorized_client|invalid_client",
	   "client credentials before \"Add new credential\""),
	SW(mint_lag, SPAN, "0s", NULL,
	   "how long after \"Add new credential\" the first mint still fails"),
	SW(tokens_outlive, BOOL, "true", NULL,
	   "tokens work on after their credential or secret was deleted"),
	SW(too_much_scope_refused, BOOL, "true", NULL,
	   "asking for a scope that the client lacks is invalid_scope; false: it is ignored"),
	/* integration app */
	SW(workflow_start, SPAN, "2m", NULL, "time from Start to RUNNING"),
	SW(workflow_stop, SPAN, "1m", NULL, "time from Stop to STOPPED, with no status of its own"),
	SW(mint_after, SPAN, "90s", NULL,
	   "when in its start a workflow mints its token (at most workflow_start)"),
	SW(app_token_margin, SPAN, "10m", NULL,
	   "how long before a token's end a workflow mints the next one"),
	SW(token_per_workflow, BOOL, "true", NULL,
	   "each workflow has a token of its own; false: one that another already minted with the same settings is used again"),
	SW(campaign_lag, SPAN, "2m", NULL, "time from a contact's change to its profile's"),
	SW(save_validates, BOOL, "false", NULL,
	   "Save tries the credential (and so mints) and refuses a wrong one"),
	SW(key_retained, BOOL, "false", NULL,
	   "the private key survives saving OAuth settings, and need not be given again to go back"),
	SW(failed_restarts, BOOL, "false", NULL,
	   "a FAILED workflow starts again by itself after ten minutes"),
	SW(external_id_case, WORD, "lower", "lower|upper|braces",
	   "how the contact's id is written into externalId"),
	/* campaign */
	SW(date_with_t, BOOL, "false", NULL, "dates with a T; false: with a blank"),
	SW(relative_hrefs, BOOL, "false", NULL, "hrefs without scheme and host"),
	SW(ext_published, BOOL, "true", NULL,
	   "the profileAndServicesExt API was published; false: 404"),
	SW(big_table, INT, "100000", NULL,
	   "a longer list gives no next without _forcePagination=true"),
	SW(count_on_big_tables, BOOL, "false", NULL, "such a list still has count"),
	SW(oops_status, INT, "500", NULL,
	   "status of \"Oops\" for a wrong organization in the URL: 500 or 502"),
	SW(workflow_state_key, WORD, "state", "state|status|executionState|none",
	   "where a Campaign workflow's state stands"),
	SW(list_names, WORD, "blackList", "blackList|denyList", "names of the opt-out fields"),
	/* dynamics */
	SW(entra_error_status, INT, "401", NULL, "status of invalid_client from Entra: 400 or 401"),
	SW(expires_as_string, BOOL, "false", NULL,
	   "expires_in as a string, as v1 endpoints write it"),
	SW(audience_strict, BOOL, "false", NULL, "a token for the host without .api. is refused"),
	SW(modified_fraction, BOOL, "false", NULL, "modifiedon with milliseconds"),
	/* all */
	SW_SYS(skew, "console", SYS_CONSOLE, SPAN, "0s", SKEW),
	SW_SYS(skew, "ims", SYS_IMS, SPAN, "0s", SKEW),
	SW_SYS(skew, "bridge", SYS_BRIDGE, SPAN, "0s", SKEW),
	SW_SYS(skew, "campaign", SYS_CAMPAIGN, SPAN, "0s", SKEW),
	SW_SYS(skew, "dynamics", SYS_DYNAMICS, SPAN, "0s", SKEW),
	SW_SYS(rate, "console", SYS_CONSOLE, INT, "0", RATE),
	SW_SYS(rate, "ims", SYS_IMS, INT, "0", RATE),
	SW_SYS(rate, "bridge", SYS_BRIDGE, INT, "0", RATE),
	SW_SYS(rate, "campaign", SYS_CAMPAIGN, INT, "0", RATE),
	SW_SYS(rate, "dynamics", SYS_DYNAMICS, INT, "0", RATE),
};

const struct world_switch *world_switches(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(switches);
	return switches;
}

static int word_number(const char *words, const char *word)
{
	size_t len = strlen(word);
	int n = 0;

	for (const char *p = words;; n++) {
		const char *end = strchr(p, '|');
		size_t have = end != NULL ? (size_t)(end - p) : strlen(p);

		if (have == len && memcmp(p, word, len) == 0)
			return n;
		if (end == NULL)
			return -1;
		p = end + 1;
	}
}

static int parse_bool(const char *s, bool *ret)
{
	if (strcmp(s, "true") == 0)
		*ret = true;
	else if (strcmp(s, "false") == 0)
		*ret = false;
	else
		return -1;
	return 0;
}

static int parse_int(const char *s, int64_t *ret)
{
	char *end;
	long long n = strtoll(s, &end, 10);

	if (end == s || *end != '\0' || strlen(s) > 15)
		return -1;
	*ret = n;
	return 0;
}

/* A span that may be negative. */
static int parse_span(const char *s, int64_t *ret)
{
	struct err ignored = ERR_INIT;
	bool back = *s == '-';
	int64_t ms;

	if (when_parse_span(s + (back || *s == '+' ? 1 : 0), &ms, &ignored) < 0)
		return -1;
	*ret = back ? -ms : ms;
	return 0;
}

static int switch_set(struct switches *sw, const struct world_switch *s, const char *text)
{
	char *at = (char *)sw + s->offset;
	int64_t n;

	switch (s->kind) {
	case SWITCH_BOOL:
		return parse_bool(text, (bool *)(void *)at);
	case SWITCH_SPAN:
		return parse_span(text, (int64_t *)(void *)at);
	case SWITCH_INT:
		return parse_int(text, (int64_t *)(void *)at);
	case SWITCH_WORD:
		n = word_number(s->words, text);
		if (n < 0)
			return -1;
		*(int *)(void *)at = (int)n;
		return 0;
	}
	return -1;
}

static const struct world_switch *switch_find(const char *group, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		const char *rest = switches[i].name;
		size_t len;

		if (group != NULL) {
			len = strlen(group);
			if (strncmp(rest, group, len) != 0 || rest[len] != '.')
				continue;
			rest += len + 1;
		}
		if (strcmp(rest, name) == 0)
			return &switches[i];
	}
	return NULL;
}

static int switch_load(struct switches *sw, const char *group, const struct value *map,
		       struct err *err)
{
	for (size_t i = 0; i < value_count(map); i++) {
		const char *key = value_key_at(map, i);
		const struct value *val = value_at(map, i);
		const struct world_switch *s = switch_find(group, key);

		if (group == NULL && val->kind == VAL_MAP) {
			if (switch_load(sw, key, val, err) < 0)
				return -E_PLAN;
			continue;
		}
		if (s == NULL)
			return err_at(err, value_get_pair(map, key)->key_pos,
				      "no switch is called '%s%s%s'", group != NULL ? group : "",
				      group != NULL ? "." : "", key);
		if (value_text(val) == NULL || switch_set(sw, s, value_text(val)) < 0)
			return err_at(err, val->pos, "switch '%s' cannot be that%s%s", s->name,
				      s->words != NULL ? ", but one of " : "",
				      s->words != NULL ? s->words : "");
	}
	return 0;
}

/* ---- tables ---- */

static size_t hash_text(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return (size_t)(h ^ (h >> 29));
}

static struct index_slot *index_slot(const struct index *x, const char *key)
{
	size_t i = hash_text(key) & (x->cap - 1);

	while (x->slots[i].key != NULL && strcmp(x->slots[i].key, key) != 0)
		i = (i + 1) & (x->cap - 1);
	return &x->slots[i];
}

void *index_get(const struct index *x, const char *key)
{
	return x->cap == 0 ? NULL : index_slot(x, key)->val;
}

void index_put(struct world *w, struct index *x, const char *key, void *val)
{
	struct index_slot *slot;

	if (2 * (x->count + 1) > x->cap) {
		struct index bigger = { .cap = x->cap == 0 ? 16 : 2 * x->cap, .count = x->count };

		bigger.slots = arena_array(&w->arena, bigger.cap, sizeof(*bigger.slots));
		for (size_t i = 0; i < x->cap; i++) {
			if (x->slots[i].key != NULL)
				*index_slot(&bigger, x->slots[i].key) = x->slots[i];
		}
		*x = bigger;
	}
	slot = index_slot(x, key);
	if (slot->key == NULL) {
		slot->key = world_text(w, key);
		x->count++;
	}
	slot->val = val;
}

/* ---- the clock and what happens by itself ---- */

static bool earlier(const struct world_event *a, const struct world_event *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void world_at(struct world *w, int64_t at_ms, event_fn *fn, void *what, int64_t arg)
{
	struct world_event e = { .at = MAX_OF(at_ms, w->now_ms),
				 .seq = w->event_seq++,
				 .fn = fn,
				 .what = what,
				 .arg = arg };
	size_t i = w->event_count;

	w->heap = mem_grow(w->heap, w->event_count, &w->event_cap, sizeof(*w->heap));
	w->event_count++;
	for (; i > 0 && earlier(&e, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = e;
}

static struct world_event event_take(struct world *w)
{
	struct world_event first = w->heap[0], last = w->heap[--w->event_count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= w->event_count)
			break;
		if (child + 1 < w->event_count && earlier(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!earlier(&w->heap[child], &last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return first;
}

int64_t world_now(const struct world *w)
{
	return w->now_ms;
}

int64_t world_next_event(const struct world *w)
{
	return w->event_count > 0 ? w->heap[0].at : INT64_MAX;
}

void world_advance(struct world *w, int64_t to_ms)
{
	if (to_ms < w->now_ms)
		return;
	while (w->event_count > 0 && w->heap[0].at <= to_ms) {
		struct world_event e = event_take(w);

		w->now_ms = MAX_OF(w->now_ms, e.at);
		e.fn(w, e.what, e.arg);
	}
	w->now_ms = to_ms;
}

int64_t world_clock(const struct world *w, enum world_system s, int64_t true_ms)
{
	return true_ms == 0 ? 0 : true_ms + w->sw.skew[s];
}

/* splitmix64: small, good enough to make ids with, and the same everywhere. */
uint64_t world_random(struct world *w)
{
	uint64_t z = (w->seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

const char *world_hex(struct world *w, unsigned digits)
{
	char *s = arena_alloc(&w->arena, (size_t)digits + 1);
	uint64_t bits = 0;

	for (unsigned i = 0; i < digits; i++) {
		if (i % 16 == 0)
			bits = world_random(w);
		s[i] = "0123456789abcdef"[bits & 15];
		bits >>= 4;
	}
	return s;
}

const char *world_uuid(struct world *w)
{
	const char *h = world_hex(w, 31);

	return arena_printf(&w->arena, "%.8s-%.4s-4%.3s-a%.3s-%.12s", h, h + 8, h + 12, h + 15,
			    h + 18);
}

const char *world_text(struct world *w, const char *s)
{
	return arena_strdup(&w->arena, s);
}

void world_wrote(struct world *w, const char *system, const char *what, const char *who,
		 const char *on)
{
	struct write_record r = { w->now_ms, system, what, world_text(w, who), world_text(w, on) };

	WORLD_PUSH(w, w->writes, w->write_count, w->write_cap, r);
}

bool world_throttled(struct world *w, enum world_system s, int64_t *ret_retry_s)
{
	int64_t window = w->now_ms / WHEN_MINUTE;

	if (w->spent[s].window != window) {
		w->spent[s].window = window;
		w->spent[s].used = 0;
	}
	if (w->sw.rate[s] <= 0 || ++w->spent[s].used <= w->sw.rate[s])
		return false;
	*ret_retry_s = 1 + ((window + 1) * WHEN_MINUTE - 1 - w->now_ms) / WHEN_SECOND;
	return true;
}

/* ---- reading the document ---- */

int load_keys(const struct value *map, const char *what, const char *const *known, struct err *err)
{
	size_t count = 0;

	if (map == NULL || map->kind != VAL_MAP)
		return err_at(err, map != NULL ? map->pos : (struct src_pos){ 0 },
			      "%s is not a map", what);
	while (known[count] != NULL)
		count++;
	for (size_t i = 0; i < value_count(map); i++) {
		const char *key = value_key_at(map, i), *near;
		size_t k = 0;

		while (k < count && strcmp(known[k], key) != 0)
			k++;
		if (k < count)
			continue;
		near = diags_nearest(key, known, count);
		(void)err_at(err, value_get_pair(map, key)->key_pos, "%s has no key '%s'", what,
			     key);
		return near != NULL ? err_hint(err, "did you mean '%s'?", near) : -E_PLAN;
	}
	return 0;
}

int load_list(const struct value *doc, const char *key, const struct value **ret, struct err *err)
{
	const struct value *v = value_get(doc, key);

	if (v != NULL && v->kind != VAL_LIST &&
	    !(value_is_null(v) || (value_text(v) != NULL && *value_text(v) == '\0')))
		return err_at(err, v->pos, "'%s' is not a list", key);
	*ret = v != NULL && v->kind == VAL_LIST ? v : NULL;
	return 0;
}

int load_text(struct world *w, const struct value *map, const char *key, bool required,
	      const char **ret, struct err *err)
{
	const struct value *v = value_get(map, key);

	if (v == NULL)
		return required ? err_at(err, map->pos, "'%s' is missing", key) : 0;
	if (value_text(v) == NULL)
		return err_at(err, v->pos, "'%s' is not a text", key);
	if (required && *value_text(v) == '\0')
		return err_at(err, v->pos, "'%s' is empty", key);
	*ret = world_text(w, value_text(v));
	return 0;
}

int load_bool(const struct value *map, const char *key, bool *ret, struct err *err)
{
	const struct value *v = value_get(map, key);

	if (v == NULL)
		return 0;
	if (value_text(v) == NULL || parse_bool(value_text(v), ret) < 0)
		return err_at(err, v->pos, "'%s' is neither true nor false", key);
	return 0;
}

int load_int(const struct value *map, const char *key, int64_t *ret, struct err *err)
{
	const struct value *v = value_get(map, key);

	if (v == NULL)
		return 0;
	if (value_text(v) == NULL || parse_int(value_text(v), ret) < 0)
		return err_at(err, v->pos, "'%s' is not a whole number", key);
	return 0;
}

int load_span(const struct value *map, const char *key, int64_t *ret, struct err *err)
{
	const struct value *v = value_get(map, key);

	if (v == NULL)
		return 0;
	if (value_text(v) == NULL || parse_span(value_text(v), ret) < 0 || *ret < 0)
		return err_at(err, v->pos, "'%s' is not a span such as 90s or 2h", key);
	return 0;
}

int load_time(const struct world *w, const struct value *map, const char *key, int64_t *ret,
	      struct err *err)
{
	const struct value *v = value_get(map, key);
	const char *text = value_text(v);
	struct err ignored = ERR_INIT;
	int64_t ms;

	if (v == NULL || (v->is_plain && text != NULL &&
			  (strcmp(text, "null") == 0 || strcmp(text, "never") == 0)))
		return 0;
	if (text != NULL && parse_span(text, &ms) == 0)
		*ret = w->start_ms + ms;
	else if (text == NULL || when_parse(text, ret, NULL, &ignored) < 0)
		return err_at(err, v->pos,
			      "'%s' is neither a time nor a span from the clock's start", key);
	return 0;
}

int load_texts(struct world *w, const struct value *map, const char *key, texts *ret,
	       struct err *err)
{
	const struct value *v = value_get(map, key);
	const char **list;

	if (v == NULL)
		return 0;
	if (v->kind != VAL_LIST)
		return err_at(err, v->pos, "'%s' is not a list", key);
	list = arena_array(&w->arena, value_count(v) + 1, sizeof(*list));
	for (size_t i = 0; i < value_count(v); i++) {
		if (value_text(value_at(v, i)) == NULL)
			return err_at(err, value_at(v, i)->pos,
				      "'%s' holds something that is not a text", key);
		list[i] = world_text(w, value_text(value_at(v, i)));
	}
	*ret = list;
	return 0;
}

int load_word(const struct value *map, const char *key, const char *words, int *ret,
	      struct err *err)
{
	const struct value *v = value_get(map, key);
	int n;

	if (v == NULL)
		return 0;
	n = value_text(v) != NULL ? word_number(words, value_text(v)) : -1;
	if (n < 0)
		return err_at(err, v->pos, "'%s' is none of %s", key, words);
	*ret = n;
	return 0;
}

/* ---- somebody else ---- */

static int do_credential(struct world *w, const char *verb, const struct value *what,
			 struct err *err)
{
	const char *id = value_text(value_get(what, "credential")), *why = NULL;
	struct credential *c = id != NULL ? console_cred_of_id(w, id) : NULL;
	struct client_secret *made;
	int r;

	if (c == NULL)
		return err_at(err, what->pos, "no credential '%s'", id != NULL ? id : "");
	if (strcmp(verb, "start-migration") == 0)
		r = console_start(w, c, "somebody", &why);
	else if (strcmp(verb, "cancel-migration") == 0)
		r = console_cancel(w, c, "somebody", &why);
	else if (strcmp(verb, "finalize") == 0)
		r = console_finalize(w, c, "somebody", false, &why);
	else if (strcmp(verb, "add-secret") == 0)
		r = console_add_secret(w, c, "somebody", &made, &why);
	else
		r = console_delete_secret(w, c, value_text(value_get(what, "uuid")), "somebody",
					  &why);
	return r < 0 ? err_set(err, E_REFUSED, "%s: %s", verb, why) : 0;
}

static int do_mint(struct world *w, const char *verb, const struct value *what, struct err *err)
{
	const char *id = value_text(value_get(what, "client_id"));
	const struct ims_client *client = id != NULL ? index_get(&w->ims.clients, id) : NULL;
	bool jwt = strcmp(value_text_or(value_get(what, "grant"), "oauth"), "jwt") == 0;
	struct ims_error why;
	struct mint_wish m = { .client_id = id,
			       .grant = jwt ? GRANT_JWT : GRANT_OAUTH,
			       .by = "consumer:other" };

	if (client == NULL || client->cred == NULL)
		return err_at(err, what->pos, "no credential has client id '%s'",
			      id != NULL ? id : "");
	m.private_key = client->cred->private_key;
	m.secret = jwt ? client->cred->jwt_secret->value : NULL;
	if (!jwt && console_newest_secret(client->cred) != NULL)
		m.secret = console_newest_secret(client->cred)->value;
	if (ims_mint(w, &m, &why) == NULL)
		return err_set(err, E_REFUSED, "%s: %s", verb, why.error);
	return 0;
}

static int do_app(struct world *w, const char *verb, const struct value *what, struct err *err)
{
	const char *name = value_text(value_get(what, "instance")),
		   *flow = value_text(value_get(what, "workflow")), *why = NULL;
	struct app *a = name != NULL ? app_find(w, name) : NULL;
	struct workflow *f = a != NULL && flow != NULL ? app_flow(a, flow) : NULL;

	if (a == NULL)
		return err_at(err, what->pos, "no app '%s'", name != NULL ? name : "");
	if (strcmp(verb, "save-settings") == 0) {
		if (app_save(w, a,
			     strcmp(value_text_or(value_get(what, "auth_type"), "oauth"),
				    "oauth") == 0,
			     value_text_or(value_get(what, "client_id"), a->saved->client_id),
			     value_text(value_get(what, "client_secret")),
			     value_text(value_get(what, "private_key")), "somebody", &why) < 0)
			return err_set(err, E_REFUSED, "%s: %s", verb, why);
		return 0;
	}
	if (f == NULL)
		return err_at(err, what->pos, "no workflow '%s'", flow != NULL ? flow : "");
	if (strcmp(verb, "fail-workflow") == 0)
		wf_fail(w, f);
	else if ((strcmp(verb, "start-workflow") == 0 ? wf_start(w, f, "somebody") :
							wf_stop(w, f, "somebody")) < 0)
		return err_set(err, E_REFUSED, "%s: not now", verb);
	return 0;
}

static int do_contact(struct world *w, const char *verb, const struct value *what, struct err *err)
{
	const char *org = value_text(value_get(what, "org")),
		   *id = value_text(value_get(what, "contact"));
	struct dyn_org *o = org != NULL ? dynamics_org(w, org) : NULL;
	struct dyn_contact *c = o != NULL && id != NULL ? index_get(&o->by_id, id) : NULL;

	(void)verb;
	if (c == NULL)
		return err_at(err, what->pos, "no contact '%s' in '%s'", id != NULL ? id : "",
			      org != NULL ? org : "");
	dynamics_edit(w, c, "somebody");
	return 0;
}

static int do_project(struct world *w, const char *verb, const struct value *what, struct err *err)
{
	const char *id = value_text(value_get(what, "project")),
		   *title = value_text(value_get(what, "title"));
	struct project *p = id != NULL ? console_project_of_id(w, id) : NULL;

	if (p == NULL)
		return err_at(err, what->pos, "no project '%s'", id != NULL ? id : "");
	if (strcmp(verb, "delete-project") == 0)
		console_delete_project(w, p, "somebody");
	else if (title != NULL)
		console_rename(w, p, title, "somebody");
	else
		return err_at(err, what->pos, "'title' is missing");
	return 0;
}

static int do_switch(struct world *w, const char *verb, const struct value *what, struct err *err)
{
	const char *name = value_text(value_get(what, "switch")),
		   *text = value_text(value_get(what, "value"));
	const struct world_switch *s = name != NULL ? switch_find(NULL, name) : NULL;

	(void)verb;
	if (s == NULL || text == NULL || switch_set(&w->sw, s, text) < 0)
		return err_at(err, what->pos, "cannot set switch '%s' so",
			      name != NULL ? name : "");
	return 0;
}

static const struct {
	const char *verb;
	int (*one)(struct world *w, const char *verb, const struct value *what, struct err *err);
} verbs[] = {
	{ "start-migration", do_credential }, { "cancel-migration", do_credential },
	{ "finalize", do_credential },        { "add-secret", do_credential },
	{ "delete-secret", do_credential },   { "mint", do_mint },
	{ "save-settings", do_app },          { "start-workflow", do_app },
	{ "stop-workflow", do_app },          { "fail-workflow", do_app },
	{ "touch-contact", do_contact },      { "rename-project", do_project },
	{ "delete-project", do_project },     { "set", do_switch },
};

/* Number of the verb, or -E_PLAN. */
static int find_verb(const struct value *what, struct err *err)
{
	static const char *const keys[] = {
		"at",       "do",        "credential",    "uuid",        "client_id", "grant",
		"instance", "auth_type", "client_secret", "private_key", "workflow",  "org",
		"contact",  "project",   "title",         "switch",      "value",     NULL
	};
	const char *verb;

	if (load_keys(what, "an event", keys, err) < 0)
		return -E_PLAN;
	verb = value_text(value_get(what, "do"));
	for (size_t i = 0; verb != NULL && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verb, verbs[i].verb) == 0)
			return (int)i;
	}
	return verb != NULL ? err_at(err, what->pos, "nobody can do '%s'", verb) :
			      err_at(err, what->pos, "an event needs 'do'");
}

int world_do(struct world *w, const struct value *what, struct err *err)
{
	int n = find_verb(what, err);

	return n < 0 ? n : verbs[n].one(w, verbs[n].verb, what, err);
}

static void event_do(struct world *w, void *what, int64_t arg)
{
	struct err refused = ERR_INIT;

	/* What the system refuses did not happen, as with a person who comes too late. */
	(void)arg;
	(void)world_do(w, what, &refused);
}

static int events_load(struct world *w, const struct value *doc, struct err *err)
{
	const struct value *list;

	if (load_list(doc, "events", &list, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *e = value_at(list, i);
		int64_t at = w->start_ms;

		if (find_verb(e, err) < 0 || load_time(w, e, "at", &at, err) < 0)
			return -E_PLAN;
		world_at(w, at, event_do, value_copy(&w->arena, e), 0);
	}
	return 0;
}

/* ---- making and ending ---- */

static int world_load(struct world *w, const struct value *doc, struct err *err)
{
	static const char *const keys[] = { "clock",    "seed",          "switches",  "user_tokens",
					    "callers",  "organizations", "apps",      "campaign",
					    "dynamics", "bridge",        "consumers", "events",
					    NULL };
	int64_t seed = 1;

	if (load_keys(doc, "the world", keys, err) < 0)
		return -E_PLAN;
	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		if (switch_set(&w->sw, &switches[i], switches[i].otherwise) < 0)
			return err_set(err, E_BUG,
				       "the default of switch '%s' is wrong: please report it",
				       switches[i].name);
	}
	w->start_ms = INT64_C(1795420800000); /* 2026-11-23T08:00:00Z */
	if (value_get(doc, "switches") != NULL && value_get(doc, "switches")->kind != VAL_MAP)
		return err_at(err, value_get(doc, "switches")->pos, "'switches' is not a map");
	if (switch_load(&w->sw, NULL, value_get(doc, "switches"), err) < 0 ||
	    load_time(w, doc, "clock", &w->start_ms, err) < 0 ||
	    load_int(doc, "seed", &seed, err) < 0)
		return -E_PLAN;
	w->seed = (uint64_t)seed;
	w->now_ms = w->start_ms;
	/* An app needs the token that it holds, its contacts and its tenant: so it comes last. */
	if (console_load(w, doc, err) < 0 || ims_load(w, doc, err) < 0 ||
	    dynamics_load(w, doc, err) < 0 || campaign_load(w, doc, err) < 0 ||
	    app_load(w, doc, err) < 0)
		return -E_PLAN;
	return events_load(w, doc, err);
}

struct world *world_new(const struct value *doc, struct err *err)
{
	struct world *w = mem_alloc(sizeof(*w));

	if (world_load(w, doc, err) < 0) {
		world_free(w);
		return NULL;
	}
	return w;
}

void world_free(struct world *w)
{
	if (w == NULL)
		return;
	mem_free(w->heap);
	arena_done(&w->arena);
	mem_free(w);
}

void world_freep(struct world **w)
{
	world_free(*w);
}

/* ---- truth ---- */

struct value *world_truth(const struct world *w, struct arena *a)
{
	struct value *ret = value_map(a), *writes = value_list(a);

	value_set(a, ret, "now", value_instant(a, w->now_ms));
	console_truth(w, a, ret);
	ims_truth(w, a, ret);
	app_truth(w, a, ret);
	dynamics_truth(w, a, ret);
	campaign_truth(w, a, ret);
	for (size_t i = 0; i < w->write_count; i++) {
		const struct write_record *r = &w->writes[i];
		struct value *row = value_map(a);

		value_set(a, row, "at", value_instant(a, r->at));
		value_set(a, row, "system", value_string(a, r->system));
		value_set(a, row, "what", value_string(a, r->what));
		value_set(a, row, "who", value_string(a, r->who));
		value_set(a, row, "on", value_string(a, r->on));
		value_list_add(a, writes, row);
	}
	value_set(a, ret, "writes", writes);
	return ret;
}

/* ---- answering ---- */

const struct twin *world_twin_for(const struct world *w, const struct twin_req *req)
{
	(void)w;
	for (size_t i = 0; i < ARRAY_LEN(twins); i++) {
		if (twins[i]->serves(req))
			return twins[i];
	}
	return NULL;
}

void world_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp)
{
	const struct twin *t = world_twin_for(w, req);

	*resp = (struct twin_resp){ 0 };
	if (t == NULL)
		resp_message(req, resp, 404, "nothing is served here");
	else
		t->answer(w, req, resp);
	assert(resp->status >= 100);
}

int64_t world_skew_ms(const struct world *w, const struct twin *t)
{
	static const struct twin *const by_system[SYS_COUNT] = { &console_twin, &ims_twin,
								 &bridge_twin, &campaign_twin,
								 &dynamics_twin };

	for (size_t i = 0; i < SYS_COUNT; i++) {
		if (t == by_system[i])
			return w->sw.skew[i];
	}
	return 0;
}

bool text_in(texts list, const char *word)
{
	for (; list != NULL && *list != NULL; list++) {
		if (strcmp(*list, word) == 0)
			return true;
	}
	return false;
}

bool req_is(const struct twin_req *req, const char *method)
{
	return strcmp(req->method, method) == 0;
}

const char *req_header(const struct twin_req *req, const char *lower_name)
{
	return value_text(value_get(req->headers, lower_name));
}

const char *req_query(const struct twin_req *req, const char *name)
{
	return value_text(value_get(req->query, name));
}

const char *req_field(const struct twin_req *req, const char *name)
{
	return value_text(value_get(req->body, name));
}

const char *req_bearer(const struct twin_req *req)
{
	const char *auth = req_header(req, "authorization");

	return auth != NULL && strncasecmp(auth, "bearer ", 7) == 0 && auth[7] != '\0' ? auth + 7 :
											 NULL;
}

bool req_path(const struct twin_req *req, size_t from, const char *pattern)
{
	size_t i = from, count = req->segment_count;

	if (count > 0 && req->segments[count - 1][0] == '\0') /* a slash at the end */
		count--;
	for (const char *p = pattern; *p != '\0'; i++) {
		size_t len = strcspn(p, "/");

		if (i >= count || req->segments[i][0] == '\0')
			return false;
		if (!(len == 1 && *p == '*') &&
		    (strlen(req->segments[i]) != len || memcmp(req->segments[i], p, len) != 0))
			return false;
		p += len;
		if (*p == '/')
			p++;
	}
	return i == count;
}

void resp_json(struct twin_resp *resp, int status, const struct value *body)
{
	resp->status = status;
	resp->body = body;
}

void resp_message(const struct twin_req *req, struct twin_resp *resp, int status,
		  const char *message)
{
	struct value *body = value_map(req->arena);

	value_set(req->arena, body, "message", value_string(req->arena, message));
	resp_json(resp, status, body);
}

void resp_header(struct twin_resp *resp, const char *name, const char *value)
{
	size_t i = 0;

	while (resp->headers[i].name != NULL)
		i++;
	assert(i + 1 < ARRAY_LEN(resp->headers)); /* a twin writes a handful */
	resp->headers[i].name = name;
	resp->headers[i].value = value;
}

/* ---- pages ---- */

void page_text(struct sb *out, const char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		switch (*text) {
		case '&':
			sb_add(out, "&amp;");
			break;
		case '<':
			sb_add(out, "&lt;");
			break;
		case '>':
			sb_add(out, "&gt;");
			break;
		case '"':
			sb_add(out, "&quot;");
			break;
		case '\'':
			sb_add(out, "&#39;");
			break;
		default:
			sb_addc(out, *text);
			break;
		}
	}
}

void page_begin(const struct world *w, enum world_system s, struct sb *out, const char *title)
{
	char now[WHEN_TEXT_MAX];

	sb_add(out,
	       "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
	page_text(out, title);
	sb_add(out,
	       "</title>\n<style>body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
	       "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.3em .6em;text-align:left}"
	       "form{display:inline}.card{border:1px solid #999;padding:.5em 1em;margin:1em 0}.notice{background:#ffd}</style>\n"
	       "</head>\n<body>\n<h1>");
	page_text(out, title);
	sb_add(out,
	       "</h1>\n<p>Sandbox: everything here is made up, and no login is needed. Server time: <time id=\"now\">");
	sb_add(out, when_text(now, world_clock(w, s, w->now_ms)));
	sb_add(out, "</time></p>\n");
}

void page_end(const struct twin_req *req, struct twin_resp *resp, struct sb *out, int status)
{
	sb_add(out, "</body>\n</html>\n");
	resp->status = status;
	resp->text = arena_strndup(req->arena, out->buf, out->len);
	resp->content_type = "text/html; charset=utf-8";
	resp_header(resp, "Cache-Control", "no-store");
	resp_header(resp, "Content-Security-Policy",
		    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'");
}

void page_back(const struct twin_req *req, struct twin_resp *resp, const char *path,
	       const char *notice)
{
	CLEANUP(sb_done) struct sb to = SB_INIT(4096);

	sb_add(&to, path);
	if (notice != NULL) {
		sb_add(&to, "?notice=");
		sb_add_escaped(&to, notice);
	}
	resp->status = 303;
	resp->text = "";
	resp->content_type = "text/html; charset=utf-8";
	resp_header(resp, "Location", arena_strndup(req->arena, to.buf, to.len));
	resp_header(resp, "Cache-Control", "no-store");
}
