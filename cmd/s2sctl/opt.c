/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s2sctl/opt.h"

#include <string.h>

#include "core/base/diags.h"

static const struct opt *find(const struct opt *table, const char *name, size_t len)
{
	for (const struct opt *o = table; o && o->name; o++)
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static const struct opt *find_letter(const struct opt *table, char letter)
{
	for (const struct opt *o = table; o && o->name; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static int unknown(const struct opt *own, const struct opt *common, const char *word, size_t len,
		   struct err *err)
{
	const char *names[128];
	char typed[64];
	const struct opt *tables[] = { own, common };
	size_t n = 0;
	const char *near;

	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct opt *o = tables[t]; o && o->name; o++)
			if (n < ARRAY_LEN(names))
				names[n++] = o->name;
	len = MIN_OF(len, sizeof(typed) - 1);
	memcpy(typed, word, len);
	typed[len] = '\0';
	near = diags_nearest(typed, names, n);
	err_set(err, E_USAGE, "there is no option '--%s'", typed);
	if (near)
		err_hint(err, "did you mean '--%s'?", near);
	return -err->code;
}

/* Stores a value; tells whether the next word was taken as it. */
static int store(const struct opt *o, const char *value, const char *next, bool *ret_took_next,
		 struct err *err)
{
	*ret_took_next = false;
	if (o->kind == OPT_FLAG) {
		if (value)
			return err_set(err, E_USAGE, "option '--%s' takes no value", o->name);
		*(bool *)o->to = true;
		return 0;
	}
	if (o->kind == OPT_MAYBE) {
		*(const char **)o->to = value ? value : "";
		return 0;
	}
	if (!value) {
		if (!next)
			return err_set(err, E_USAGE, "option '--%s' needs %s", o->name, o->arg);
		value = next;
		*ret_took_next = true;
	}
	if (o->kind == OPT_TEXT) {
		*(const char **)o->to = value;
		return 0;
	}
	struct opt_list *list = o->to;

	if (list->count == OPT_LIST_MAX)
		return err_set(err, E_USAGE, "option '--%s' is given more than %d times", o->name,
			       OPT_LIST_MAX);
	list->items[list->count++] = value;
	return 0;
}

int opt_parse(const struct opt *own, const struct opt *common, int argc, const char *const *argv,
	      struct words *ret, struct err *err)
{
	bool words_only = false;

	*ret = (struct words){ .count = 0 };
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *eq = NULL, *next = i + 1 < argc ? argv[i + 1] : NULL;
		const struct opt *o;
		size_t len;
		bool took;

		if (words_only || word[0] != '-' || word[1] == '\0') {
			if (ret->count == OPT_LIST_MAX)
				return err_set(err, E_USAGE, "too many words");
			ret->items[ret->count++] = word;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			words_only = true;
			continue;
		}
		if (word[1] == '-') {
			eq = strchr(word, '=');
			len = eq ? (size_t)(eq - word) - 2 : strlen(word + 2);
			o = find(own, word + 2, len);
			o = o ? o : find(common, word + 2, len);
			if (!o)
				return unknown(own, common, word + 2, len, err);
		} else {
			o = find_letter(own, word[1]);
			o = o ? o : find_letter(common, word[1]);
			if (!o || word[2])
				return unknown(own, common, word + 1, strlen(word + 1), err);
		}
		if (store(o, eq ? eq + 1 : NULL, next, &took, err) < 0)
			return -err->code;
		i += took;
	}
	return 0;
}

void opt_help(const struct opt *table, struct sb *out)
{
	for (const struct opt *o = table; o && o->name; o++) {
		CLEANUP(sb_done) struct sb left = SB_INIT(256);

		if (o->letter)
			sb_addf(&left, "-%c, ", o->letter);
		sb_addf(&left, "--%s", o->name);
		if (o->arg)
			sb_addf(&left, o->kind == OPT_MAYBE ? "[=%s]" : " %s", o->arg);
		sb_addf(out, "  %-28s %s\n", left.buf, o->doc);
	}
}
