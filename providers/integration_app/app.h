/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.h - what the files of this folder share: the three workflows, how the bridge tells of them, and which of them are meant to run.
 *
 * Source: the bridge's contract (bridge.openapi.yaml) and the app's pages "Workflows" and "Migrate credentials", Campaign Standard
 * documentation, help/integrating/using/d365-acs-self-service-app-*.md, read 2026-11-23.
 */
#pragma once
#include "core/api/provider.h"

#define APP_WORKFLOWS 3
extern const char *const app_workflows[APP_WORKFLOWS + 1]; /* as facts name them; ends with NULL */
extern const char *const app_titles[APP_WORKFLOWS];        /* as the page names them */

enum wf {
	WF_ABSENT, /* not told */
	WF_RUNNING,
	WF_STOPPED,
	WF_STARTING,
	WF_FAILED,
};
enum wf wf_parse(const char *text); /* WF_ABSENT for anything else, also NULL */
const char *wf_name(enum wf w);

struct app_workflow {
	enum wf status;
	bool has_backlog, pending_edits, scheduled_replay;
	int64_t backlog, started_at; /* 0: not told */
};

/* Reads a 200 of GET .../workflows. E_REMOTE when its shape is wrong. */
int app_read_workflows(const struct value *body, struct app_workflow ret[APP_WORKFLOWS], struct err *err) MUST_USE;
/* The same from facts, status and backlog only. */
void app_from_facts(const struct value *facts, struct app_workflow ret[APP_WORKFLOWS]);

/* The request for them. Fails when the file has no `app.instance`. */
int app_ask_workflows(const struct call *c, struct http_req *req, struct err *err) MUST_USE;
int app_instance(const struct view *v, const char **ret, struct err *err) MUST_USE;
/* http_unexpected with what a reader can do about it. */
int app_unexpected(const struct http_req *req, const struct http_resp *resp, const char *instance, struct err *err);

/* Reads an answer with the settings' shape into facts. E_REMOTE when it is wrong. */
int app_read_settings(struct arena *a, const struct value *body, struct value *facts, struct err *err) MUST_USE;
/* settings.c: what switching to and back have in common. @auth_type  "oauth" or "jwt" */
/* E_REMOTE when what was just saved is not what the answer shows. */
int app_check_saved(const struct value *saved, const char *auth_type, const char *client_id, struct err *err) MUST_USE;
/* Whether the app is set to this kind of credential, of the client that the console shows; unknown while one of them is not read. */
enum settled app_is_set_to(const struct view *v, const char *auth_type);
int app_settings_path(const struct call *c, const char **ret, struct err *err) MUST_USE;

/* Server time of this run's restart; for a restart by hand the time attested; 0: none noted. */
int64_t app_restart_ms(const struct view *v);

struct app_meant {
	bool runs[APP_WORKFLOWS];
	size_t count;
	bool is_told; /* false: nothing says so, and a gate must not guess */
};
/*
 * Which workflows are meant to run: by `app.workflows`, and for `keep` by what ran before the restart.
 * @seen  the first states that the gate saw, for a run that did not restart; NULL for none
 */
struct app_meant app_meant(const struct view *v, const struct app_workflow *seen);
bool app_wants(const struct view *v, const char *workflows);

/* One sample as these gates read it. */
struct app_look {
	bool is_read, is_attested;
	bool can_ask;     /* nothing reads it: a person has to look */
	int64_t at_ms;    /* the server's time; attested: not earlier than this, 0 when nothing tells */
	const char *why;  /* not read: the reason */
	struct app_workflow wf[APP_WORKFLOWS];
};
struct app_look app_look(const struct gate_view *g, size_t sample);
/* The gate's newest sample, and what is meant to run by the first one since the restart that could be read. */
struct app_look app_newest(const struct gate_view *g, struct app_meant *ret_meant);

#define SAYS_TEXT(field, ...) app_say((field), sizeof(field), __VA_ARGS__)
void app_say(char *field, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4); /* cut, never overrun */
/* "ingress RUNNING, egress STOPPED" */
const char *app_states_text(struct arena *a, const struct app_workflow wf[APP_WORKFLOWS]);
const char *app_names_text(struct arena *a, const bool chosen[APP_WORKFLOWS]); /* "ingress, egress"; "none" */

extern const struct thing_type app_settings, app_workflow;
extern const struct change_type app_switch, app_switch_back, app_restart, app_stable;

/* Adds the way back's edit of the settings, or says why it cannot be made: the private key. */
void app_want_back(const struct view *v, struct changes *c, const char *reason);

extern const struct gate_type app_workflows_stable, app_backlog, app_workflows_running;
