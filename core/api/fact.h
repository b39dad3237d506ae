/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fact.h - what is known about one environment: what its file wants, what was observed, what this run has noted.
 *
 * A thing's observation is a map of facts. Providers know each other's facts by name ("console.migration", "status"), never by header.
 */
#pragma once
#include "core/base/value.h"

enum fact_class {
	FACT_IDENTITY, /* must not change between plan and apply: moves intent_digest */
	FACT_STATE,    /* what steps rest on: moves observed_digest */
	FACT_SAMPLE,   /* moves by itself (usage times, backlog): in no digest */
	FACT_WORD,     /* no system tells it: only people do, for one run; laid over what is read. In no digest: what comes of it is in the steps */
	FACT_PRIVATE,  /* in memory only, never journalled or shown: e.g. an address looked up elsewhere */
};

struct fact {
	const char *name;
	enum val_kind kind;
	enum fact_class class;
	const char *doc;   /* one line, with where a person reads it */
};

enum known {
	KNOWN_NOT,       /* not looked yet */
	KNOWN_API,       /* read from the system itself */
	KNOWN_BRIDGE,    /* read through the customer's bridge */
	KNOWN_ATTESTED,  /* an operator said so */
	KNOWN_JOURNAL,   /* an earlier step of ours did it, or showed it by its effect */
	KNOWN_DENIED,    /* 401, 403, no connection, no such call: a person has to look */
	KNOWN_FENCED,    /* reading it would mint a token of the migrating client, which this command must not */
	KNOWN_FAILED,    /* the system answered nonsense or nothing */
};

struct observation {
	const char *thing;           /* "console.migration" */
	enum known known;
	const struct value *facts;   /* map; NULL unless known */
	int64_t server_ms;           /* the answering server's own time (Date); 0 when it said none */
	int64_t local_ms;            /* local wall clock at that moment */
	const char *by;              /* KNOWN_ATTESTED: who; else NULL */
	const char *why;             /* DENIED, FENCED, FAILED: the reason in words */
};

struct view {
	const char *env;                 /* environment name */
	const struct value *want;        /* checked section of the file, defaults merged in */
	const struct observation *seen;
	size_t seen_count;
	const struct value *marks;       /* what this run noted: "restart.at" -> ms ...; map, may be NULL */
	int64_t now_ms;                  /* evidence time: a server's clock carried on by the local monotonic one */
};

const struct value *view_want(const struct view *v, const char *dotted);
const struct observation *view_seen(const struct view *v, const char *thing);         /* NULL: not looked */
bool view_known(const struct view *v, const char *thing);                             /* API, bridge, attested or journal */
const struct value *view_fact(const struct view *v, const char *thing, const char *name); /* NULL when not known */
const char *view_fact_text(const struct view *v, const char *thing, const char *name);    /* NULL when not known or no string */
int64_t view_fact_int(const struct view *v, const char *thing, const char *name, int64_t otherwise);
bool view_fact_is(const struct view *v, const char *thing, const char *name, const char *text);
const struct value *view_mark(const struct view *v, const char *name);
int64_t view_mark_ms(const struct view *v, const char *name); /* 0 when not noted */
const char *known_name(enum known k);                         /* "api", "bridge", "attested" ... */
