/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorded.h - what was observed, as a document that can be signed; and plans made from it, without a credential and without a request.
 *
 * Whoever may read the systems records (recorder_*, at the end recorded_document), and signs the file's bytes in OpenSSH's SSHSIG format beside it
 * (FILE.sig, namespace s2sctl-observations: an approval is no such signature, nor the other way round). Whoever may not plans from that: the
 * change of a stranger, say, in a job that holds no secret.
 *
 *   {"environments":[{"name":"dev","requests":[...],"marks":{...},"things":{"THING":{"facts":{...},
 *    "known":"api","local_time":"...","server_time":"..."}, ..., "local.secret":{...}}}],"format_version":1,"kind":"s2sctl.observations",
 *    "made_at":"2026-11-23T10:00:00Z","token_requests":[...],"tool":"s2sctl 0.1"}
 *
 * It holds what plans hold: public facts, and no contact. local.secret says which references resolve, never to what. A plan is
 * made as of the instant of the recording, so that it has the intent digest of the plan that was made then; it never ages, and whoever
 * shows it says how old it is. Only the policy (a freeze, say) is judged by the clock of whoever plans.
 */
#pragma once
#include "core/plan/plan.h"
#include "core/run/planner.h"

#define RECORDED_KIND "s2sctl.observations"
#define RECORDED_VERSION 1
#define RECORDED_SPACE "s2sctl-observations" /* the namespace of signatures over it */
#define RECORDED_SUFFIX ".sig"
#define RECORDED_BYTES_MAX ((size_t)256 << 20)

/* ---- recording ---- */

struct recorder {
	struct arena *arena;
	struct value *envs; /* list; NULL until the first */
};
/* For planner_options.inspect, with the recorder as its ctx: keeps what is known of each environment. */
void recorder_inspects(void *recorder, struct plan *p, const struct view *v);
/* Everything kept, once the plan has been ordered; canonical JSON and a newline are what is stored and signed. In the recorder's arena. */
const struct value *recorded_document(const struct recorder *r, const struct plan *p) MUST_USE;

/* ---- planning from it ---- */

struct recorded {
	const char *path;
	int64_t made_ms;  /* evidence time of the recording */
	const struct value *doc;
};
/*
 * Whose signature it bears. E_REFUSED, in one line: no signature, over other bytes, a key that is unknown, expired, revoked or for another purpose.
 * @signature  as it was read; NULL: there is none
 * @revoked    a list as signers_revoke takes it; NULL: none
 */
int recorded_verify(struct arena *a, const char *path, const struct sb *bytes, const struct sb *signature, const char *signers, const char *revoked, int64_t now_ms, const char **ret_who, struct err *err) MUST_USE;
/* E_REFUSED when it is no such document, or of another format version. Lives in `a`. */
int recorded_parse(struct arena *a, const char *path, const struct sb *bytes, struct recorded **ret, struct err *err) MUST_USE;
/*
 * The plan of these environments (the list ends with NULL). An environment that was not recorded, or of which a thing was not that planning looks
 * at, stands in it as failed, with the reason.
 * @now_ms  for the policy
 */
struct plan *recorded_plan(const struct recorded *rec, struct arena *a, const struct registry *reg, const struct rollout *r, const struct rollout_env *const *envs, const char *made_by, int64_t now_ms) MUST_USE;
