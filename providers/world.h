/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h - five systems that do not exist, and the one clock that they share.
 *
 * A world is made from a document, answers requests, and moves only when told to. It does no I/O and never asks the
 * operating system for anything: the same document, the same requests and the same times give the same answers, ids and
 * tokens included (a seed in the document drives a small generator).
 *
 * For a server:     w = world_new(doc, &err);
 *                   for each request: world_advance(w, now); world_answer(w, &req, &resp);
 *                   Date header: world_now(w) + world_skew_ms(w, world_twin_for(w, &req)).
 * For a simulation: the same in virtual time; world_next_event() says how far nothing would happen.
 * For a judge:      world_truth() tells what really happened, in true time, whatever the systems' clocks and lags say.
 *
 * Who answers which path (the first segment decides):
 *   /ims/...                     ims          tokens, by client credentials and by JWT exchange
 *   /console/...                 console      organizations, projects, credentials, secrets, migration
 *   /pages/console...            console      the console's pages, plain HTML forms
 *   /bridge/v1/...               bridge       the contract in integration_app/bridge.openapi.yaml
 *   /pages/app/<instance>/...    bridge       the integration app's pages
 *   /entra/<tenant>/...          dynamics     Microsoft Entra's token endpoint
 *   /dynamics/<org>/api/...      dynamics     the Web API of each organisation
 *   /<tenant>/campaign/...       campaign     any tenant name; an unknown one gets the real system's "Oops"
 *   /pages                       console      a list of all pages
 * Anything else: 404 {"message": ...}; world_twin_for() gives NULL for it, world_answer() still answers.
 *
 * The document (all scalars are strings; times are ISO 8601, or a span such as 30d / -2h that counts from `clock`; spans
 * as in when.h; keys not listed here are errors with their position):
 *
 *   clock: 2026-11-23T08:00:00Z            # when the world begins
 *   seed: 1
 *   switches: {one_row: true, skew: {ims: 90s}, ...}      # see world_switches(): one for each fact that is not documented
 *   user_tokens:                           # people signed in to the console
 *     - {token: T, name: N, api_keys: [K], ends: T, organizations: [ID], role: ADMIN}      # only token is required
 *   callers:                               # other clients of IMS; `may` names console and campaign
 *     - {name: reader, client_id: C, client_secret: S, may: [console, campaign], scopes: [...]}
 *   organizations:
 *     - id: "23294"
 *       ims: ABC@AdobeOrg
 *       name: N
 *       projects:
 *         - id, title, name, description, type: default|jaeger, auto_generated: false, created: T, enabled: true
 *           workspaces:
 *             - id, name
 *               credentials:
 *                 - id, name, client_id, technical_account_id, technical_account_email
 *                   client_secret: S       # or secrets: [{uuid, value, created, last_used}], at most two
 *                   scopes: [...], profiles: [...]   # product profiles: "<tenant>" or "Campaign Standard - <tenant> - Administrators"
 *                   services: [CampaignSDK, AdobeIOManagementAPISDK]
 *                   state: jwt_only|started|completed|born_oauth
 *                   certificate_ends: T    # none: no certificate is bound any more
 *                   private_key: WORDS     # what an app has to hold to sign; none: anything does
 *                   jwt_client_secret: S   # with secrets_shared: false
 *                   jwt_last_used: T, oauth_last_used: T
 *                   converts_at: T         # Adobe converts it by itself then
 *                   read_only: false, type: service|...   # type: what the list says, when it shall disagree with the state
 *   apps:
 *     - instance: acme-prod
 *       synced: true                       # contacts in this document have their profiles already
 *       organization: "23294"              # default: the organization of the settings' client
 *       dynamics: ORG, campaign: TENANT    # default for campaign: the instance
 *       settings: {auth_type: jwt|oauth, client_id, client_secret, private_key, jwt_client_secret, saved_at: T, integration_id, org_id, url,
 *                  technical_account_id, technical_account_email, organization_id}
 *                                          # secrets default to the right ones; client_secret: wrong words make it fail
 *       workflows:
 *         ingress: {status: RUNNING, backlog: 0, grow: 0, drain: 60, pending_edits: false, scheduled_replay: false,
 *                   started_at: T, token: jwt|oauth|none, token_age: 2h}     # grow, drain: records a minute
 *         egress: {...}
 *         opt-in-out: {...}
 *                                          # token: how the one that it holds was minted (default: as the settings say), and how long ago
 *   campaign:
 *     - tenant: acme-prod
 *       organization: "23294"              # informative
 *       profiles: [{external_id, email, first, last, created: T, modified: T}]
 *       filters: {byExternalId: {param: externalId_parameter, field: externalId}}
 *       workflows: [{id: WKF1, state: started}]
 *       generate: 1000                     # that many more profiles, made up
 *   dynamics:
 *     - org: acme, tenant: GUID, host: acme.api.crm.dynamics.com
 *       clients: [{client_id, client_secret, expired: false, writes: true}]
 *       contacts: [{id, email, first, last, modified: T}]
 *       activity: {every: 5m, contact: GUID}     # somebody edits a contact that often; without contact: each in turn
 *       generate: 1000
 *   bridge: {token: T, forbidden: [instance]}    # no bridge key: every call is 404
 *   consumers:                             # undeclared ones that keep minting
 *     - {name: nightly, client_id: C, grant: jwt|oauth, every: 6h, first: T, until: T}
 *   events:                                # somebody else does something; see world_do()
 *     - {at: 10m, do: cancel-migration, credential: "1"}
 */
#pragma once
#include "core/api/twin.h"

/* ---- for servers, simulations and tests ---- */

struct world;

/*
 * Makes a world; nothing of `doc` is kept. E_PLAN with the position for an unknown key, a wrong kind, a reference to
 * nothing, two things with one id. The caller frees it.
 */
struct world *world_new(const struct value *doc, struct err *err) MUST_USE;
void world_free(struct world *w);   /* NULL is fine */
void world_freep(struct world **w); /* for CLEANUP */

int64_t world_now(const struct world *w); /* true time, ms since 1970 UTC */
/* Lets everything happen that happens by itself until then, in order of time. A time in the past does nothing. */
void world_advance(struct world *w, int64_t to_ms);
/* When the next thing happens by itself; INT64_MAX: never. */
int64_t world_next_event(const struct world *w);

/* The twin that serves the path, or NULL. */
const struct twin *world_twin_for(const struct world *w, const struct twin_req *req);
/*
 * Answers: *resp is filled wholly, with a status always. Texts and values in it live in req->arena or are static.
 * Does not advance the clock.
 */
void world_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp);
/* How far the clock of that system is ahead of true time. NULL: 0. */
int64_t world_skew_ms(const struct world *w, const struct twin *t);

/*
 * Somebody else does something now. The map has `do` and what it needs:
 *   start-migration, cancel-migration, finalize, add-secret: credential
 *   delete-secret: credential, uuid         (no uuid: the oldest one)
 *   mint: client_id, grant: jwt|oauth       (as consumer "other")
 *   save-settings: instance, auth_type, client_id, client_secret, private_key
 *   start-workflow, stop-workflow, fail-workflow: instance, workflow
 *   touch-contact: org, contact             (modifies it)
 *   rename-project: project, title
 *   delete-project: project
 *   set: switch, value                      (turns a switch while the world runs)
 * E_PLAN when it names nothing, E_REFUSED when the system would not let them.
 */
int world_do(struct world *w, const struct value *what, struct err *err);

/*
 * Ground truth, as JSON, in the arena; times are true times in ISO with milliseconds where there are some:
 * {"now",
 *  "credentials": [{"id","oauth_id","client_id","organization","project","status": jwt_only|started|completed|born_oauth|deleted,
 *                   "type": as the list call says, "jwt_last_used","oauth_last_used": true times or null,
 *                   "certificate_ends", "secrets": [{"uuid","created","last_used"}]}],
 *  "mints": [{"at","client_id","credential","grant": jwt|oauth|caller,"by": "app:<instance>"|"consumer:<name>"|"other","workflow"?,"ok","error"?}],
 *  "apps": [{"instance","auth_type","client_id","saved_at","settings_good": would mint now,
 *            "waiting": contacts that the ingress has yet to take,
 *            "workflows": [{"name","status","stopping","backlog","pending_edits","started_at","meant_to_run": as the document began,
 *                           "token": {"grant","client_id","minted","ends","accepted": by Campaign now} or null}]}],
 *  "contacts": [{"org","id","email","modified","writes"}], "profiles": [{"tenant","external_id","email","created","modified","from_contact_modified"}],
 *  "lost": contacts that the ingress counts as delivered though their profile lacks the change: 0 in a sound world,
 *  "writes": [{"at","system","what","who","on"}]}      every write that took effect, in order
 * who is "bridge", "page", "api", "app:<instance>", "adobe", "somebody" (world_do, events) or "activity".
 * what is "start-migration", "cancel-migration", "finalize", "convert", "add-secret", "delete-secret", "reveal-secret",
 * "save-settings", "start-workflow", "stop-workflow", "patch-contact", "create-contact", "delete-project", "rename-project",
 * "delete-credential", "delete-binding", "deliver" (ingress, one for each batch).
 * `on` is a credential id, a project id, an instance, instance/workflow, or org/contact.
 */
struct value *world_truth(const struct world *w, struct arena *a) MUST_USE;

extern const char *const world_twin_names[]; /* "console", "ims", "bridge", "campaign", "dynamics"; ends with NULL */

/* The table of switches, for help texts and for simulations that draw them. */
enum switch_kind { SWITCH_BOOL, SWITCH_SPAN, SWITCH_INT, SWITCH_WORD };
struct world_switch {
	const char *name;          /* "one_row", "skew.console": a dot is a map in the document */
	enum switch_kind kind;
	const char *otherwise;     /* the default, as the document would write it */
	const char *words;         /* SWITCH_WORD: what it may be, "ms|s" */
	size_t offset;
	const char *doc;           /* what is not known, and what each side means */
};
const struct world_switch *world_switches(size_t *ret_count);

/* ---- for the twins only, from here to the end ---- */

enum world_system { SYS_CONSOLE, SYS_IMS, SYS_BRIDGE, SYS_CAMPAIGN, SYS_DYNAMICS, SYS_COUNT };
enum api_mode { API_OK, API_403, API_ABSENT };

/* One member for each line of the table in world.c, which says what each means. */
struct switches {
	/* console */
	bool one_row, shared_id, status_answers_jwt_id, jwt_in_usages, usages_null_when_unused, usage_lag_random;
	bool secrets_shared, service_filter_migrating, finalize_checks, missing_project_is_500, workspaces_in_project, numbers_for_bools;
	int64_t usage_lag, refused_status;
	int after_status, jwt_grant_name, type_key, lookup_type, binding_unit, date_form, workspace_place, prompt_name;
	int secrets_api, status_api, finalize_api, console_api, deprecated_secrets, own_token_console, card_precision;
	int auto_mark;
	/* ims */
	int64_t token_life, mint_lag;
	int jwt_exchange, unstarted_error;
	bool tokens_outlive, too_much_scope_refused;
	/* integration app */
	int64_t workflow_start, workflow_stop, mint_after, campaign_lag, app_token_margin;
	bool save_validates, key_retained, token_per_workflow, failed_restarts;
	int external_id_case;
	/* campaign */
	bool date_with_t, relative_hrefs, ext_published, count_on_big_tables;
	int64_t big_table, oops_status;
	int workflow_state_key, list_names;
	/* dynamics */
	int64_t entra_error_status;
	bool expires_as_string, audience_strict, modified_fraction;
	/* all */
	int64_t skew[SYS_COUNT], rate[SYS_COUNT];
};

/* A table from text to things. Keys are kept by the world's arena; values are never NULL. */
struct index {
	struct index_slot { const char *key; void *val; } *slots;
	size_t count, cap;
};
void *index_get(const struct index *x, const char *key);
void index_put(struct world *w, struct index *x, const char *key, void *val); /* replaces */

/* Texts in a row; ends with a NULL. */
typedef const char *const *texts;

/* ---- console and ims: organizations down to secrets; one client record for both ---- */

struct usage {
	int64_t last;   /* true time of the last use; 0 = never */
	int64_t shown;  /* what the console shows by now, on the clock of IMS */
	int64_t since;  /* stamps up to then belong to a credential that was deleted */
};
struct client_secret {
	const char *uuid, *value;
	int64_t created;            /* true time */
	struct usage oauth, jwt;
	bool deleted;
};
enum cred_state { CRED_JWT_ONLY, CRED_STARTED, CRED_COMPLETED, CRED_BORN_OAUTH, CRED_DELETED };
struct credential {
	const char *id, *oauth_id;  /* oauth_id differs only in a world with shared_id: false */
	const char *name, *client_id, *technical_account_id, *technical_account_email;
	struct workspace *workspace;
	texts scopes, profiles, services;
	const char *type_said;      /* what the list says against all reason, or NULL */
	const char *private_key;    /* NULL: any key signs well */
	const char *binding_id, *fingerprint;
	int64_t certificate_ends;   /* 0: no certificate is bound */
	int64_t started;            /* when the migration began; 0 = before the world did, or not at all */
	enum cred_state state;
	bool read_only;
	struct client_secret *secrets[8]; /* the OAuth credential's (and the JWT one's, where they share), deleted ones included */
	size_t secret_count;
	struct client_secret *jwt_secret;
	struct usage oauth, jwt;
};
struct workspace {
	const char *id, *name;
	struct project *project;
	struct credential **creds;
	size_t cred_count, cred_cap;
};
struct project {
	const char *id, *name, *title, *description, *type;
	bool auto_generated, enabled, deleted;
	int64_t created, modified;
	struct organization *org;
	struct workspace **spaces;
	size_t space_count, space_cap;
};
struct organization {
	const char *id, *ims, *name;
	struct project **projects;
	size_t project_count, project_cap;
};
struct user_token {
	const char *token, *name, *role;
	texts api_keys, organizations; /* NULL: all */
	int64_t ends;                  /* 0: never */
};
struct console {
	struct organization **orgs;
	size_t org_count, org_cap;
	struct index creds, projects, users; /* by either id; by id; by token */
	struct credential **all;             /* in the document's order */
	size_t all_count, all_cap;
	uint64_t requests;
};

/* What a person or an API call may do to a credential. 0, or -1 with *ret_why filled: static text. */
int console_start(struct world *w, struct credential *c, const char *who, const char **ret_why) MUST_USE;
int console_cancel(struct world *w, struct credential *c, const char *who, const char **ret_why) MUST_USE;
int console_finalize(struct world *w, struct credential *c, const char *who, bool checks, const char **ret_why) MUST_USE;
int console_add_secret(struct world *w, struct credential *c, const char *who, struct client_secret **ret, const char **ret_why) MUST_USE;
int console_delete_secret(struct world *w, struct credential *c, const char *uuid, const char *who, const char **ret_why) MUST_USE;
void console_rename(struct world *w, struct project *p, const char *title, const char *who);
void console_delete_project(struct world *w, struct project *p, const char *who);
struct credential *console_cred_of_id(const struct world *w, const char *id); /* by JWT or OAuth id; not the deleted; or NULL */
struct project *console_project_of_id(const struct world *w, const char *id);       /* not the deleted; or NULL */
const struct client_secret *console_newest_secret(const struct credential *c); /* or NULL */
const char *const *console_rows(const struct world *w, const struct credential *c); /* types as the list says them: one, two or none; ends with NULL */
void console_mark_deleted(struct world *w, struct credential *c, const char *who);
bool cred_has_jwt(const struct credential *c);
bool cred_has_oauth(const struct credential *c);
const char *cred_state_name(enum cred_state s);
int console_load(struct world *w, const struct value *doc, struct err *err) MUST_USE;
void console_truth(const struct world *w, struct arena *a, struct value *ret);
bool console_pages_serve(const struct twin_req *req);
void console_pages_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp);

/* ---- ims ---- */

enum grant { GRANT_JWT, GRANT_OAUTH, GRANT_CALLER };
const char *grant_name(enum grant g);
struct ims_client {
	const char *client_id;
	struct credential *cred;    /* or a caller: */
	const char *name, *secret;
	texts scopes;               /* NULL: any */
	bool may_console, may_campaign;
};
struct token {
	const char *text;
	const struct ims_client *client;
	const struct client_secret *secret;
	enum grant grant;
	int64_t minted, ends;       /* true time */
	bool dead;                  /* revoked */
};
struct mint_wish {                       /* a wish for a token, and who has it */
	const char *client_id, *secret;
	const char *private_key;    /* GRANT_JWT inside the world; from outside NULL, the assertion's shape was checked */
	const char *scope;          /* commas between; NULL: all of the client's */
	enum grant grant;
	const char *by, *workflow;  /* workflow: NULL when none */
};
struct ims_error {
	int status;
	const char *error, *description;
};
struct mint_record {
	int64_t at;
	const char *client_id, *credential, *by, *workflow, *error;
	enum grant grant;
};
struct consumer {
	const char *name, *client_id;
	enum grant grant;
	int64_t every, until;
};
struct ims {
	struct index clients;
	struct token **tokens;
	size_t token_count, token_cap;
	struct mint_record *mints;
	size_t mint_count, mint_cap;
	uint64_t requests;
};
const struct token *ims_mint(struct world *w, const struct mint_wish *m, struct ims_error *ret) MUST_USE; /* NULL: refused, *ret says why */
/* The token as it was at some time before the world began (app_load): recorded, never refused. */
const struct token *ims_mint_past(struct world *w, const struct mint_wish *m, int64_t at) MUST_USE;
bool ims_would_mint(const struct world *w, const struct mint_wish *m);
const struct token *ims_token(const struct world *w, const char *text); /* a living one, or NULL */
bool token_lives(const struct world *w, const struct token *t);
void ims_revoke(struct world *w, const struct credential *c, enum grant g, const struct client_secret *s); /* s NULL: whatever the secret */
void ims_stamp(struct world *w, struct usage *u); /* used now; shows after usage_lag */
void ims_add_client(struct world *w, struct credential *c);
int ims_load(struct world *w, const struct value *doc, struct err *err) MUST_USE;
void ims_truth(const struct world *w, struct arena *a, struct value *ret);

/* ---- integration app ---- */

enum wf_status { WF_RUNNING, WF_STOPPED, WF_STARTING, WF_FAILED };
struct app_settings {               /* never changed once made: workflows keep the ones they were started with */
	bool oauth;
	const char *client_id, *client_secret, *private_key, *jwt_secret;
};
struct workflow {
	const char *name, *title;
	struct app *app;
	enum wf_status status;
	bool stopping, edited, scheduled_replay, meant_to_run;
	int64_t backlog, backlog_at; /* records at that time, besides contacts that wait */
	int64_t grow, drain;         /* records a minute; drain only while RUNNING */
	int64_t started;             /* true time of the start; 0 = unknown */
	const struct app_settings *using; /* since the last start */
	const struct token *token;   /* or NULL */
	int64_t life;                /* which start this is: an event of an earlier one is void */
};
enum { WF_INGRESS, WF_EGRESS, WF_OPT, WF_COUNT };
struct app {
	const char *instance, *technical_account_id, *technical_account_email, *organization_id, *integration_id, *org_id, *url;
	struct dyn_org *dynamics;    /* or NULL */
	struct tenant *tenant;       /* or NULL */
	const struct app_settings *saved;
	int64_t saved_at;            /* true time; 0 = unknown */
	struct workflow flows[WF_COUNT];
	int64_t watermark;           /* row version up to which contacts were taken */
};
struct apps {
	struct app **list;
	size_t count, cap;
	struct index by_instance;
	const char *bridge_token;    /* NULL: there is no bridge */
	texts forbidden;
	uint64_t requests;
};
struct app *app_find(const struct world *w, const char *instance);
struct workflow *app_flow(struct app *a, const char *name); /* or NULL */
const char *wf_status_name(enum wf_status s);
int64_t wf_backlog(const struct world *w, const struct workflow *f);
bool wf_pending_edits(const struct workflow *f);
/* 1: nothing to do, 0: begun, -1: not now. */
int wf_start(struct world *w, struct workflow *f, const char *who) MUST_USE;
int wf_stop(struct world *w, struct workflow *f, const char *who) MUST_USE;
void wf_fail(struct world *w, struct workflow *f);
/* Saves what was typed. NULL or "" for a secret: keep what is there. -1 with *ret_why when the app refuses. */
int app_save(struct world *w, struct app *a, bool oauth, const char *client_id, const char *client_secret, const char *private_key, const char *who, const char **ret_why) MUST_USE;
void app_tokens_died(struct world *w); /* some were revoked: whoever holds one will notice */
void app_contact_changed(struct world *w, const struct dyn_org *org); /* a row got a new version */
int app_load(struct world *w, const struct value *doc, struct err *err) MUST_USE;
void app_truth(const struct world *w, struct arena *a, struct value *ret);
bool app_pages_serve(const struct twin_req *req);
void app_pages_answer(struct world *w, const struct twin_req *req, struct twin_resp *resp);

/* ---- campaign ---- */

struct profile {
	const char *pkey, *external_id, *email, *first, *last;
	int64_t created, modified;   /* true time */
	int64_t contact_modified;    /* of the contact that it shows; 0 = none */
	bool from_ingress;
};
struct camp_filter {
	const char *name, *param, *field;
};
struct camp_workflow {
	const char *id, *pkey, *state;
};
struct tenant {
	const char *name;
	struct profile **profiles;
	size_t profile_count, profile_cap;
	struct index by_external, by_pkey;
	struct camp_filter *filters;
	size_t filter_count, filter_cap;
	struct camp_workflow *flows;
	size_t flow_count, flow_cap;
};
struct campaign {
	struct tenant **tenants;
	size_t count, cap;
	uint64_t requests;
};
struct tenant *tenant_named(const struct world *w, const char *name); /* or NULL */
bool campaign_accepts(const struct world *w, const struct token *t, const struct tenant *tenant);
struct dyn_contact;
void campaign_take_contact(struct world *w, struct tenant *t, const struct dyn_contact *c, int64_t at);
const struct profile *tenant_profile(const struct world *w, const struct tenant *t, const char *contact_id);
int campaign_load(struct world *w, const struct value *doc, struct err *err) MUST_USE;
void campaign_truth(const struct world *w, struct arena *a, struct value *ret);

/* ---- dynamics ---- */

struct dyn_contact {
	const char *id, *email, *first, *last, *nickname, *description;
	int64_t created, modified;   /* true time */
	int64_t version;
	int64_t writes;
	struct dyn_org *org;
	struct dyn_contact *prev, *next; /* by version, oldest first */
};
struct dyn_client {
	const char *client_id, *client_secret;
	bool expired, writes;
};
struct dyn_org {
	const char *name, *tenant, *host, *guid;
	struct dyn_contact **contacts;   /* as they came */
	size_t contact_count, contact_cap;
	struct dyn_contact *oldest, *newest;
	struct index by_id;
	int64_t version;
	struct dyn_client *clients;
	size_t client_count, client_cap;
	int64_t every;                   /* activity; 0 = none */
	struct dyn_contact *busy;        /* whom it touches; NULL: each in turn */
	uint64_t turns;
};
struct dyn_token {
	const char *text;
	const struct dyn_client *client;
	const struct dyn_org *org;
	const char *audience;
	int64_t ends;
};
struct dynamics {
	struct dyn_org **orgs;
	size_t count, cap;
	struct dyn_token **tokens;
	size_t token_count, token_cap;
	uint64_t requests;
};
struct dyn_org *dynamics_org(const struct world *w, const char *name); /* or NULL */
void dynamics_edit(struct world *w, struct dyn_contact *c, const char *who); /* somebody edits the last name */
void dynamics_changed(struct world *w, struct dyn_contact *c, const char *what, const char *who); /* fields are set: gives it a version, and lets apps know */
struct dyn_contact *dynamics_new_contact(struct world *w, struct dyn_org *o, const char *id);      /* dynamics_changed has to follow */
struct dyn_cond;
const struct dyn_cond *dynamics_filter(struct arena *a, const char *text);                         /* NULL: not one */
bool dynamics_passes(const struct world *w, const struct dyn_cond *c, const struct dyn_contact *contact);
bool dynamics_has_field(const char *field);
const char *dynamics_text(const struct dyn_contact *c, const char *field);                         /* NULL: not a text */
int dynamics_compare(const struct world *w, const struct dyn_contact *a, const struct dyn_contact *b, const char *field);
int dynamics_load(struct world *w, const struct value *doc, struct err *err) MUST_USE;
void dynamics_truth(const struct world *w, struct arena *a, struct value *ret);

/* ---- the world itself ---- */

struct write_record {
	int64_t at;
	const char *system, *what, *who, *on;
};
typedef void event_fn(struct world *w, void *what, int64_t arg);
struct world_event {
	int64_t at;
	uint64_t seq;                /* equal times happen in the order in which they were asked for */
	event_fn *fn;
	void *what;
	int64_t arg;
};
struct world {
	struct arena arena;          /* holds everything below, and goes with it */
	int64_t start_ms, now_ms;
	uint64_t seed;
	struct switches sw;
	struct world_event *heap;
	size_t event_count, event_cap;
	uint64_t event_seq;
	struct { int64_t window; int64_t used; } spent[SYS_COUNT];
	struct console console;
	struct ims ims;
	struct apps apps;
	struct campaign campaign;
	struct dynamics dynamics;
	struct write_record *writes;
	size_t write_count, write_cap;
};
extern const struct twin console_twin, ims_twin, bridge_twin, campaign_twin, dynamics_twin;

/* Adds to a vector in the world's arena: WORLD_PUSH(w, o->list, o->count, o->cap, item). */
#define WORLD_PUSH(w, list, count, cap, item)                                                      \
	do {                                                                                       \
		(list) = arena_grow(&(w)->arena, (list), (count), &(cap), sizeof(*(list)));        \
		(list)[(count)++] = (item);                                                        \
	} while (0)

void world_at(struct world *w, int64_t at_ms, event_fn *fn, void *what, int64_t arg);
uint64_t world_random(struct world *w);
const char *world_hex(struct world *w, unsigned digits);   /* made up; lower case */
const char *world_uuid(struct world *w);
const char *world_text(struct world *w, const char *s);    /* a copy that lives as long as the world */
void world_wrote(struct world *w, const char *system, const char *what, const char *who, const char *on);
int64_t world_clock(const struct world *w, enum world_system s, int64_t true_ms); /* that instant on the system's clock */

/* Reading the document. All give 0, or -E_PLAN with the position. A missing key leaves *ret alone unless it is required. */
int load_keys(const struct value *map, const char *what, const char *const *known, struct err *err) MUST_USE; /* a map with these keys only; known ends with NULL */
int load_list(const struct value *doc, const char *key, const struct value **ret, struct err *err) MUST_USE;
int load_text(struct world *w, const struct value *map, const char *key, bool required, const char **ret, struct err *err) MUST_USE;
int load_bool(const struct value *map, const char *key, bool *ret, struct err *err) MUST_USE;
int load_int(const struct value *map, const char *key, int64_t *ret, struct err *err) MUST_USE;
int load_span(const struct value *map, const char *key, int64_t *ret, struct err *err) MUST_USE;
int load_time(const struct world *w, const struct value *map, const char *key, int64_t *ret, struct err *err) MUST_USE;
int load_texts(struct world *w, const struct value *map, const char *key, texts *ret, struct err *err) MUST_USE;
int load_word(const struct value *map, const char *key, const char *words, int *ret, struct err *err) MUST_USE; /* "a|b|c": 0, 1, 2 */

/* Answering. */
bool text_in(texts list, const char *word);
bool req_is(const struct twin_req *req, const char *method);
const char *req_header(const struct twin_req *req, const char *lower_name);  /* or NULL */
const char *req_query(const struct twin_req *req, const char *name);         /* or NULL */
const char *req_field(const struct twin_req *req, const char *name);         /* a text of the body, or NULL */
const char *req_bearer(const struct twin_req *req);                          /* the token after "Bearer ", or NULL */
/* Path segments from `from` on against a pattern: "organizations/ * /projects" without the blanks; '*' is any one segment. */
bool req_path(const struct twin_req *req, size_t from, const char *pattern);
void resp_json(struct twin_resp *resp, int status, const struct value *body);
void resp_message(const struct twin_req *req, struct twin_resp *resp, int status, const char *message); /* {"message": ...} */
void resp_header(struct twin_resp *resp, const char *name, const char *value);
/* Counts a request against the system's rate; true when it is one too many, and then how long to wait. */
bool world_throttled(struct world *w, enum world_system s, int64_t *ret_retry_s);

/* Pages: the frame, escaping, and where a POST leads back to. No scripts. */
void page_begin(const struct world *w, enum world_system s, struct sb *out, const char *title);
void page_end(const struct twin_req *req, struct twin_resp *resp, struct sb *out, int status);
void page_text(struct sb *out, const char *text);                           /* HTML-escaped */
void page_back(const struct twin_req *req, struct twin_resp *resp, const char *path, const char *notice); /* 303; notice: shown there, or NULL */
