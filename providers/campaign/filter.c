/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.c - is the custom filter there that finds a profile by externalId?
 *
 * No filter on externalId is built in; a customer defines one, and its parameter's name is generated. So both come from the file
 * and are checked against the metadata: resourceType/profile -> filters.href -> name -> data, a template that names the parameters.
 * Source: filtering.md and uc-calling-resource-id-key.md, read 2026-11-23; samples show `data` absolute and relative, and names with and without "by".
 */
#include <string.h>

#include "campaign.h"

static const struct fact facts[] = {
	{ "filter", VAL_STRING, FACT_STATE,
	  "name of the custom filter, as its path says it; empty when there is none" },
	{ "parameter", VAL_STRING, FACT_STATE, "its parameter for the external id" },
	{ "fallback", VAL_BOOL, FACT_STATE, "profiles are looked up by address instead" },
	{ "template", VAL_STRING, FACT_PRIVATE,
	  "the filter's address as the metadata give it, without its query" },
	{ 0 },
};

enum stage { BEGIN, TYPE, FILTERS };

static enum next finish(struct call *c, const char *filter, const char *parameter,
			const char *template)
{
	struct arena *a = c->arena;

	if (!c->facts)
		c->facts = value_map(a);
	value_set(a, c->facts, "filter", value_string(a, filter ? filter : ""));
	value_set(a, c->facts, "parameter", value_string(a, filter ? parameter : ""));
	value_set(a, c->facts, "fallback", value_bool(a, !filter));
	if (template)
		value_set(a, c->facts, "template", value_string(a, template));
	return NEXT_DONE;
}

/* Whether the template's query has this parameter. */
static bool has_parameter(const char *data, const char *parameter)
{
	size_t len = strlen(parameter);

	for (const char *p = strchr(data, '?'); p; p = strchr(p + 1, '&'))
		if (strncmp(p + 1, parameter, len) == 0 &&
		    (p[1 + len] == '=' || p[1 + len] == '\0' || p[1 + len] == '&'))
			return true;
	return false;
}

static const struct value_pair *find_filter(struct arena *a, const struct value *all,
					    const char *name)
{
	const struct value_pair *pair = value_get_pair(all, name);

	if (!pair)
		pair = value_get_pair(all, arena_printf(a, "by%s", name));
	if (!pair && strncmp(name, "by", 2) == 0)
		pair = value_get_pair(all, name + 2);
	return pair;
}

/* The template without its query, when it leads to profiles at all. */
static const char *template_of(struct arena *a, const char *data)
{
	const char *end = strchr(data, '?');
	const char *path =
		end ? arena_strndup(a, data, (size_t)(end - data)) : arena_strdup(a, data);

	return strstr(path, "/profile/") ? path : NULL;
}

static enum next choose(struct call *c, const struct value *all, const char *name,
			const char *parameter)
{
	const struct value_pair *pair = find_filter(c->arena, all, name);
	const char *data = pair ? value_text(value_get(pair->val, "data")) : NULL;
	const char *template = data ? template_of(c->arena, data) : NULL, *last;

	if (!template || !has_parameter(data, parameter))
		return finish(c, NULL, NULL, NULL);
	last = strrchr(template, '/') + 1;
	return finish(c, *last ? last : pair->key, parameter, template);
}

static enum next filter_observe(struct call *c, const struct http_resp *last, struct http_req *req,
				struct err *err)
{
	const char *name = value_text(view_want(c->view, "campaign.filter.name"));
	const char *parameter = value_text(view_want(c->view, "campaign.filter.parameter"));
	const char *tenant = NULL, *href;

	if (campaign_tenant(c->view, &tenant, err) < 0)
		return NEXT_FAIL;
	if (!name || !parameter)
		return finish(c, NULL, NULL, NULL);
	*req = campaign_get(http_path(c->arena,
				      "/%s/campaign/profileAndServices/resourceType/profile",
				      tenant),
			    c->stage == FILTERS ? "list profile filters" : "read profile metadata");
	if (c->stage == BEGIN) {
		c->stage = TYPE;
		return NEXT_SEND;
	}
	if (last->status != 200) {
		campaign_unexpected(req, last, tenant, err);
		return NEXT_FAIL;
	}
	if (c->stage == FILTERS) {
		if (value_need_kind(last->body, VAL_MAP, "list of filters", err) < 0) {
			err_wrap(err, "campaign: %s", req->what);
			return NEXT_FAIL;
		}
		return choose(c, last->body, name, parameter);
	}
	href = value_text(value_path(last->body, "filters.href"));
	if (!href) {
		err_set(err, E_REMOTE, "campaign: %s: field 'filters.href' is missing", req->what);
		return NEXT_FAIL;
	}
	*req = campaign_get(NULL, "list profile filters");
	req->href = href;
	c->stage = FILTERS;
	return NEXT_SEND;
}

static int filter_diff(const struct view *v, struct changes *c, struct err *err)
{
	const char *name = value_text(view_want(v, "campaign.filter.name"));

	(void)err;
	if (name && value_bool_or(view_fact(v, "campaign.filter", "fallback"), false))
		changes_find(
			c, FIND_WARN, "filter-unknown",
			"the parameter's name is generated when the filter is defined: copy it from there",
			"Campaign's profiles have no filter '%s' with parameter '%s': they are looked up by address instead",
			name, value_text_or(view_want(v, "campaign.filter.parameter"), ""));
	return 0;
}

const struct thing_type campaign_filter = {
	.name = "campaign.filter",
	.doc = "the custom filter that finds profiles by external id",
	.conn = "campaign",
	.facts = facts,
	.at_plan = true,
	.observe = filter_observe,
	.diff = filter_diff,
};
