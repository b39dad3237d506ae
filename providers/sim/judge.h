/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.h - what must never be, judged on what really happened in a world.
 *
 * Looks at the twins' ground truth only: who minted which grant when, what apps hold, which writes took effect, and at the texts that left the
 * program. Knows nothing of how the tool decides: includes no header of engine, gates, providers' clients, store or journal (lint checks it).
 * Incremental: each look reads what is new since the last. The first violation stays.
 *
 *   (a) the JWT credential is never deleted while an app depends on it, or without 24 h of quiet (true time), nor is anything deleted that
 *       nobody asked to delete. Excused is what nobody could have seen: an outsider's act within the console's lag before the deletion.
 *       Nor on evidence that proves nothing: a day has to lie between the last moment at which a declared app lived on it and the last ten
 *       minutes, about which no answer of the console says anything; and somebody else than the tool has to have used OAuth since the app was set to it.
 *       On the way back the same holds for the OAuth credential: a migration is not cancelled while an app depends on it, before the app that
 *       was set back was seen to use JWT, or while somebody else uses OAuth; and nothing is finalized by a command that goes back.
 *   (b) no write takes effect twice: start, cancel, the same settings saved again, a second restart that nothing made necessary, a secret revealed
 *       that had been brought, the canary touched again, a migration cancelled that nobody
 *       asked (or asked once more) to take back. An outside hand, a workflow that FAILED, a kill and a command that failed excuse.
 *   (c) no secret text in any output, file or request but the one that needs it; no contact but a declared canary, and nobody's address, in the journal.
 *   (d) at the end each environment stands as it should: see sim_end. A way back that says that it is done has left JWT only, the app on
 *       JWT, and what is meant to run running; one that was asked for when the JWT credential had been gone for long has written nothing.
 *   (e) when a command has ended by itself, no workflow is stopped that was meant to run, unless somebody else, or a person in the middle
 *       of a restart, stopped it; and none is ever started that was meant to stay stopped.
 *   (f) reading commands change nothing, and mint no token of a client that is migrated. Nor does any command from the tool's restart of an app
 *       until somebody else has used OAuth: the fence. It is about the same: who mints where they must not change what they are to observe.
 */
#pragma once
#include "core/api/twin.h"
#include "providers/sim/case.h"

struct world;
struct judge;

/* Borrows both. The caller frees it. */
struct judge *judge_new(const struct world *w, const struct sim_case *c) MUST_USE;
void judge_free(struct judge *j); /* NULL is fine */

void judge_look(struct judge *j); /* after each event of the world and each answer */
/* A person says to a step's question what they know to be untrue, or not to be what was asked for: what rests on it is excused. */
void judge_misled(struct judge *j, const char *env);
/* Somebody else made a workflow of this app fail, which is no write: what runs of it at the end is not the tool's doing alone. */
void judge_failed_by_hand(struct judge *j, const char *instance);
/* A person is in the middle of something in that environment, or not any more. */
void judge_busy(struct judge *j, const char *env, bool is_busy);
void judge_saw(struct judge *j, const char *channel, const char *text, size_t len);
void judge_begins(struct judge *j, bool reads);
/* The command that runs is asked to take it back. */
void judge_takes_back(struct judge *j, const char *env);
void judge_abandons(struct judge *j); /* what is open is given up: the next plan may do again what it did */
/* @exit_status  -1 when it did not end by itself */
void judge_ended(struct judge *j, bool reads, bool by_itself, int exit_status);
void judge_settled(struct judge *j, int exit_status, int planned_status);
const char *judge_verdict(const struct judge *j); /* NULL: sound */
