/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_words.h - what commands that make, approve or carry out a plan have in common.
 */
#pragma once
#include "cmd/s2sctl/session.h"
#include "core/run/approval.h"
#include "core/run/plan_file.h"

/* The plan as it is saved, to a file. 0, or told and an exit status. */
int plan_save(struct session *s, struct plan *p, const char *path);
/* --policy-exec: hands the plan to an outside checker and shows what it says. 0, or told and an exit status. */
int plan_checked_by(struct session *s, const struct value *doc, const char *command);
/*
 * The rollout file that a plan names: as given, else beside the plan (with its folders, or without), else from here. In the session's arena.
 * A rollout file decides who must approve and what is run to get a secret. So a plan's own word for it never leads up or to a path from the root: such a
 * one is looked for beside the plan by its last part alone, and where it is not there the result is NULL with E_REFUSED.
 */
const char *plan_rollout_path(struct session *s, const struct plan_file *f, const char *given, struct err *err);
/* PLAN.approvals */
const char *plan_approvals_path(struct session *s, const char *plan_path);
