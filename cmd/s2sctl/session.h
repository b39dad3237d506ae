/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - what commands have in common: options, the loaded rollout file, the journal's place, talking to systems.
 */
#pragma once
#include "cmd/s2sctl/command.h"
#include "cmd/s2sctl/opt.h"
#include "core/base/diags.h"
#include "core/io/file_store.h"
#include "core/io/secrets.h"
#include "core/plan/plan.h"
#include "core/report/formats.h"
#include "core/run/attest.h"
#include "core/run/observe.h"

/* Options that every command takes. */
struct common {
	const char *color, *debug, *format, *state, *time_scale;
	bool help;
	bool no_env; /* variables that are not set are no mistake: for whoever connects to nothing */
	struct opt_list env;
};

struct session {
	const struct program *p;
	struct common common;
	struct words words;
	struct arena arena;
	struct diags diags;
	struct rollout *rollout;
	const struct rollout_env **envs;    /* those selected; ends with NULL */
	struct file_store *store;
	struct secrets *secrets;
	struct clocks clocks;
	struct caller_options calls;
	const struct report_format *format; /* once a command has found it; NULL: text or json */
	struct err err;
};

struct command {
	const char *name, *args, *doc;
	int (*run)(struct session *s, int argc, const char *const *argv); /* the exit status */
};
extern const struct command *const commands[]; /* main order; ends with NULL */

/* Parses the command's words. False: the exit status is in *ret_exit (help was shown, or a usage error told). */
bool session_options(struct session *s, const struct command *c, const struct opt *own, int argc, const char *const *argv, size_t words_min, size_t words_max, int *ret_exit);
/* Loads and checks the rollout file; tells every mistake, and in a format for findings on stdout too. False: exit status. */
bool session_load(struct session *s, const char *path, int *ret_exit);
/* Finds the selected environments (--env), opens the store and the secret source; nothing is sent. */
bool session_select(struct session *s, int *ret_exit);
/* The store alone, for commands without a rollout file: --state, or .s2sctl in the current folder. */
bool session_store(struct session *s, int *ret_exit);
/* Resolves what is not `late`, and makes ready to send. */
bool session_connect(struct session *s, int *ret_exit);
void session_done(struct session *s);

void session_out(struct session *s, struct sb *text);   /* stdout; redacted where it stands, for it may be large */
void session_talk(struct session *s, const struct sb *text);  /* stderr, redacted */
void session_talkf(struct session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
int session_fail(struct session *s, const struct err *err);   /* tells the error; its exit status */
struct report_style session_style(const struct session *s);
/* "text" or "json". False and told when it is another. */
bool session_wants_json(struct session *s, bool *ret_json, int *ret_exit);
/* Options for a command to type again, e.g. " --state DIR". In the session's arena. */
const char *session_state_option(struct session *s);

/* `verify` of a journal: a folder that holds one, or the file. The exit status. */
int verify_journal_at(struct session *s, const char *path, bool json);
struct rendering;
struct event_file;
struct apply_options;
/* What apply and rollback have in common: carrying out, with everything said on the way. cmd_apply.c. */
struct carry {
	const char *wait;     /* --wait: NULL no, "" for ever, else a span */
	const char *plan_out; /* where the plan is written to as well; NULL: nowhere */
	const char *checker;  /* --policy-exec: asked about plans that are made here; a saved one was checked before */
	const char *again;    /* the command that goes on with this run */
	struct event_file *events;
	bool json;            /* the result as JSON */
};
/* The exit status. Direction, plan file, approvals, confirmed and abandon are the caller's; the rest of the options is filled in here. */
int session_apply(struct session *s, struct apply_options *o, const struct carry *how);
/* The words of this command line once more, without those that are meant once. In the session's arena. */
const char *session_again(struct session *s, const char *command, int argc, const char *const *argv);
/* What plan and rollback have in common: cmd_plan.c. */
struct planning {
	enum direction direction;
	const char *out;      /* where the plan is written to as well; NULL: nowhere */
	const char *made_by, *checker;
	const struct rendering *rendering;
	struct event_file *events;
	const char *record, *key; /* what was observed, to a file; signed with a key. NULL: not */
	bool detailed;        /* exit 2 when changes are planned */
	bool is_brief;        /* as text: a line an environment (cmd_drift.c) */
};
/* Shows a plan, saves it, has it checked; the exit status. */
int session_tell_plan(struct session *s, struct plan *p, const struct planning *how);
int session_plan(struct session *s, const struct planning *how);

int cmd_validate(struct session *s, int argc, const char *const *argv);
int cmd_plan(struct session *s, int argc, const char *const *argv);
int cmd_drift(struct session *s, int argc, const char *const *argv);
int cmd_apply(struct session *s, int argc, const char *const *argv);
int cmd_rollback(struct session *s, int argc, const char *const *argv);
int cmd_status(struct session *s, int argc, const char *const *argv);
int cmd_show(struct session *s, int argc, const char *const *argv);
int cmd_ack(struct session *s, int argc, const char *const *argv);
int cmd_unlock(struct session *s, int argc, const char *const *argv);
int cmd_approve(struct session *s, int argc, const char *const *argv);
int cmd_verify(struct session *s, int argc, const char *const *argv);
int cmd_rehearse(struct session *s, int argc, const char *const *argv);
int cmd_doctor(struct session *s, int argc, const char *const *argv);
int cmd_schema(struct session *s, int argc, const char *const *argv);
int cmd_help(struct session *s, int argc, const char *const *argv);
int cmd_version(struct session *s, int argc, const char *const *argv);
