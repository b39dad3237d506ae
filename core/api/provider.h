/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider.h - what a provider is: const tables of connections, things, changes and gates.
 *
 * Providers do no I/O. A call_fn is called with the last answer (first time NULL) and either fills the next
 * request, is done, or fails. Diff is pure. Core knows no vendor; providers/registry.c hands all tables to main.
 */
#pragma once
#include "core/api/fact.h"
#include "core/api/field.h"
#include "core/api/gate.h"
#include "core/api/http_msg.h"

enum next {
	NEXT_FAIL,   /* err is filled. E_DENIED in observe: the fact degrades to attestation */
	NEXT_SEND,   /* req is filled */
	NEXT_WAIT,   /* come back after call->wait_ms, with last unchanged = NULL */
	NEXT_DONE,
};

/* One conversation with one system. */
struct call {
	struct arena *arena;         /* answers, requests and what the provider keeps live here */
	const struct view *view;
	int stage;                   /* the provider's own program counter, 0 at first */
	void *state;                 /* the provider's own, in arena */
	struct value *facts;         /* observe: filled by the provider. apply: notes for the journal, see marks */
	struct value *marks;         /* apply: noted with the outcome and seen by later steps as view_mark */
	int64_t wait_ms;             /* with NEXT_WAIT */
	int64_t server_ms;           /* Date of the last answer that had one */
	bool stopping;               /* a signal came: leave things running, then finish. Only restart needs to look */
	const char *half;            /* apply: what would be left as it is if the program went now ("not running: a, b"), for whoever makes it go; NULL: nothing */
	const struct value *before;  /* apply: the thing's facts as journalled with the first intent of this step */
	const char *nonce;           /* apply: unique for this step of this run */
	int64_t unanswered_ms;       /* apply: evidence time of an earlier intent of this step that has no outcome: what it sent may still arrive; 0: none */
	/*
	 * apply: a secret to be brought to a reference. The provider names the reference before it asks for the secret, so that the engine proves
	 * first that it can be written; the engine stores the secret when the call is done.
	 */
	const char *put_ref;
	const struct value *put_secret;
};
typedef enum next call_fn(struct call *c, const struct http_resp *last, struct http_req *req, struct err *err);

enum phase { PHASE_EXPAND, PHASE_SWITCH, PHASE_PROVE, PHASE_CONTRACT };
enum executor { EXEC_NONE, EXEC_OPERATOR, EXEC_BRIDGE, EXEC_API };
#define EXEC_BIT(e) (1u << (e))
enum undo {
	UNDO_NOTHING,   /* it changed nothing: reads, waits */
	UNDO_STEP,      /* another step takes it back */
	UNDO_PERSON,    /* only with something that a person must have kept */
	UNDO_GONE,      /* in principle; here what it would need no longer exists */
	UNDO_NEVER,     /* the point of no return */
};
const char *phase_name(enum phase p);       /* "expand" ... */
const char *executor_name(enum executor e); /* "operator" ... */
const char *undo_name(enum undo u);

/* What a person has to do for an operator step. Text in the arena given to instruct. */
struct instruction {
	const char *page;            /* where: a URL or the page's name */
	const char *lines[12];       /* what, one act a line; ends at NULL. Never a secret: references only */
	const char *check;           /* what the tool will verify, and how */
	const char *ack_args;        /* what `s2sctl ack STEP --by NAME` needs besides, e.g. "--last-used TIME"; or NULL */
};

enum settled { SETTLED_NO, SETTLED_YES, SETTLED_UNKNOWN };

/* Where a plan leads: to what the file wants, or back to what was before. A thing has a diff for each; the changes of both stand in its table. */
enum direction { DIRECTION_FORWARD, DIRECTION_BACK };
const char *direction_name(enum direction d); /* "forward", "back" */

enum change_flag {
	CHANGE_SHARED = 1 << 0,      /* belongs to the credential: environments with the same credential share one step */
	CHANGE_MINTS = 1 << 1,       /* mints with the migrating client: only before the fence closes */
	CHANGE_FENCES = 1 << 2,      /* from the start of this step nothing is minted for the migrating client (restart) */
	CHANGE_UNSUSPENDED = 1 << 3, /* no suspension inside; on a signal the call is told to stop and finishes */
	CHANGE_CONFIRM = 1 << 4,     /* asks for the project's title, typed */
	CHANGE_TELLS_BEFORE = 1 << 6, /* operator: whoever did it also says what the thing's facts were before (mark restart.before) */
	CHANGE_NONCE = 1 << 7,       /* its nonce is noted with the first intent as the mark <thing>/<change>.nonce: every try writes the same, and settled() can look for it */
	CHANGE_OPTIONAL = 1 << 5,    /* inconclusive past the deadline is reported, and does not stop the contract step (never for safety gates) */
};

/* One kind of difference. Prove steps are changes without apply: their gates are the work. */
struct change_type {
	const char *name;             /* "start" */
	const char *doc;
	enum phase phase;
	enum undo undo;
	const char *undo_doc;         /* how, or why not */
	const char *capability;       /* key under `executors:` in the rollout file; NULL: api only, not chosen */
	unsigned executors;           /* EXEC_BIT of those possible */
	enum executor executor_default; /* EXEC_NONE with a capability: the file must say */
	unsigned flags;
	call_fn *apply;               /* executor api */
	call_fn *apply_bridge;        /* executor bridge */
	int (*instruct)(const struct view *v, struct arena *a, struct instruction *ret, struct err *err); /* executor operator; also for prove steps that may need attested facts */
	const char *const *verify;    /* things to observe after acting, and before: names, ends with NULL; NULL: none */
	enum settled (*settled)(const struct view *v); /* from fresh facts: has this change taken effect? Unknown when unreadable */
	const struct value *(*effects)(const struct view *v, struct arena *a); /* operator: {thing: {fact: value}} known once done; may be NULL */
	const char *confirm_thing, *confirm_fact; /* CHANGE_CONFIRM: the fact to be typed */
	const char *const *before;    /* gates that must pass before acting; ends with NULL */
	const char *const *after;     /* gates that must pass for the step to be done */
};

enum finding_kind {
	FIND_NOTE, FIND_WARN,
	FIND_LEAVE,   /* leave this environment alone, say why; no steps */
	FIND_REFUSE,  /* refuse this environment: exit 5; no steps */
};

struct changes; /* core/plan/changes.h: the list that diffs fill */
/* before, after: maps for display ({"auth_type": "jwt"}), in the changes' arena; either may be NULL. reason: a stable code, e.g. "jwt-only". */
void changes_add(struct changes *c, const struct change_type *type, const struct value *before, const struct value *after, const char *reason);
/* The change added last cannot be undone as its type says: how else, or why not. doc is copied. */
void changes_undo(struct changes *c, enum undo undo, const char *doc);
bool changes_have(const struct changes *c, const char *thing, const char *change);   /* among those found for this environment so far */
/* Rule of a refusal by diff_back that also ends a way back which is under way: what it would go back to is gone. */
#define FINDING_NO_RETURN "point-of-no-return"
void changes_find(struct changes *c, enum finding_kind kind, const char *rule, const char *hint, const char *fmt, ...) PRINTF_LIKE(5, 6);
/*
 * An operator has to attest facts of a thing. @step  the change of that thing whose step will ask ("jwt-quiet"), in its own time; NULL: at once,
 * before anything else is planned.
 */
void changes_attest(struct changes *c, const char *thing, const char *const *facts, const char *why, const char *step);
struct arena *changes_arena(struct changes *c);

struct thing_type {
	const char *name, *doc;       /* "console.credential" */
	const char *conn;             /* connection it is read through, for messages */
	const char *const *needs;     /* things observed before it; ends with NULL; NULL: none */
	const struct fact *facts;     /* ends with a NULL name */
	bool at_plan;                 /* observed by plan; else only sampled by gates */
	call_fn *observe;             /* reads: GET only, the engine refuses the rest; NULL: nothing to read */
	/* Completes facts by what follows from them and from other things; also run on attested facts. Pure; may be NULL. */
	void (*derive)(const struct view *v, struct arena *a, struct value *facts);
	const char *page;             /* where a person reads the facts when they have to be attested */
	int (*diff)(const struct view *v, struct changes *c, struct err *err); /* pure; NULL: nothing to want */
	/*
	 * The way back: what has to be changed until all is as it was before the first step. Pure. Only things that have one are read for
	 * a way back, so whoever refuses forward for what a thing *is* has to do so here as well. NULL: the thing has no part in it.
	 */
	int (*diff_back)(const struct view *v, struct changes *c, struct err *err);
	const struct change_type *const *changes; /* ends with NULL */
};

/* A capability: what a system offers to whom. One table for plan, doctor, help and README. */
struct capability {
	const char *name;             /* "read migration status" */
	const char *thing;            /* thing or "thing/change" behind it */
	const char *official;         /* "documented", "OpenAPI document only", "UI only" */
	const char *without;          /* what its absence costs */
	const char *fact;             /* a boolean fact of the thing that says whether it is there; NULL: the thing being readable says it */
};

struct connection_type {
	const char *name;             /* "console": key under `connections:` */
	const char *doc;
	const struct field *fields;   /* besides url, prefix, ca_file, timeout and auth, which all have */
	const char *url_default;      /* or NULL: required when the connection is there */
	const char *prefix_default;   /* "" for none */
	const char *auth_kinds;       /* "bearer", "client_credentials": comma list; "" for none */
	const char *token_path;       /* client_credentials: default for auth.token_url, after the url of connection token_conn; NULL: must be given */
	const char *token_conn;       /* or NULL */
	const char *scope_separator;  /* "," or " " */
	const char *api_key_header;   /* "x-api-key", or NULL */
	bool required;                /* a rollout file without it makes no sense */
	call_fn *probe;               /* doctor: one cheap read; NULL: doctor uses the things */
};

struct section_type {             /* a section of an environment: `credential:`, `app:` ... */
	const char *name, *doc;
	const struct field *fields;
	bool required;
};

/* What an environment of a file says that can only be refused later, and shows offline. A warning; static texts. */
struct file_finding {
	const struct value *at;       /* what to point at; NULL: the environment */
	const char *rule, *text, *hint;
};

struct provider {
	const char *name, *doc;
	const struct connection_type *const *connections; /* each list ends with NULL */
	const struct section_type *const *sections;
	const struct thing_type *const *things;           /* in the order in which their changes follow each other */
	const struct gate_type *const *gates;
	const struct capability *capabilities;            /* ends with a NULL name */
	const char *certificate_end;                      /* "thing.fact": the instant (ms) at which the old way of signing in ends; NULL: none of its things says */
	bool (*file_finding)(const struct value *want, size_t n, struct file_finding *ret); /* the n-th of an environment's (view.want); false past the last. Pure; NULL: none */
};
struct registry {
	const struct provider *const *providers;          /* in order; ends with NULL */
};
const struct thing_type *registry_thing(const struct registry *r, const char *name);
const struct gate_type *registry_gate(const struct registry *r, const char *name);
const struct change_type *registry_change(const struct registry *r, const char *thing, const char *change);
const struct connection_type *registry_connection(const struct registry *r, const char *name);
