/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearsal.h - one rollout played as it should go, and then once for each step and each thing that can go wrong there.
 *
 * Everything that the plays need is handed in (struct rehearsal_options): a scene, made anew for each play. What comes out is a document, which
 * core/report/text_rehearsal.c shows; the same seed and scene give the same document. Times in it are ms since the rehearsal began, unless their name says
 * otherwise.
 *
 * What a play's end is compared with is the end of the undisturbed one: "sound" is the same end, after whatever commands that took; "why" is another
 * end, which the last command explained; "violated" is what must never be (scene.h, verdict).
 *
 * The document: {kind: s2sctl.rehearsal, format_version, seed, begins, verdict, exit_status, undisturbed: {exit_status, plan_afterwards, duration_ms,
 * answers, words, violation, commands, asked}, findings, policy, steps, no_return, faults: {columns, rows, played, of}, ended_otherwise, violations}.
 */
#pragma once
#include "core/sim/drive.h"

#define REHEARSAL_FORMAT_VERSION 1

/* How a person can fail whoever asked. */
enum lapse {
	LAPSE_NONE,
	LAPSE_SLOW,         /* answers a day and a half later */
	LAPSE_SILENT,       /* does it, and says nothing until asked again */
	LAPSE_ONLY_SAYS,    /* says that it is done, and has not done it */
	LAPSE_STALE,        /* reads when asked, and says it much later */
	LAPSE_EARLY,        /* gives the time at which they began */
	LAPSE_COARSE,       /* gives a time by the minute */
	LAPSE_WRONG_SECRET, /* pastes another text as client secret */
	LAPSE_COUNT,
};

/* What goes wrong in one play: nothing (all zero), trouble at a point, or a person's lapse when asked for a step. */
struct disturbance {
	struct trouble_fixed trouble;
	enum lapse lapse;
	const char *address;
};
/* "lost:17", or "slow@dev/app.settings/switch": what rehearse prints, and takes again. */
void disturbance_text(const struct disturbance *d, struct sb *out);
bool disturbance_read(const char *text, struct arena *a, struct disturbance *ret);

struct rehearsal_options {
	void *ctx;
	/*
	 * Makes scene, rollout, registry, secrets and what else a case has; the rehearsal adds what goes wrong, and seed. A lapse (but
	 * slowness, which is the rehearsal's) happens in the first answer to the step `address`, and nowhere else.
	 */
	int (*open)(void *ctx, enum lapse lapse, const char *address, struct drive_case *ret, struct err *err);
	bool (*close)(void *ctx);                               /* the scene has been played; whether a person erred in it */
	void (*progress)(void *ctx, size_t played, size_t of);  /* may be NULL */
	bool (*stop)(void *ctx);                                /* asked before each play; may be NULL */
	uint64_t seed;
	size_t plays_max; /* a sample: at most one play a cell of the table, and so many in all; 0: everything */
};

/* Fills ret with the document, in `a`. E_SIGNAL when it was stopped; what `open` says when there is no scene. */
int rehearsal_play(const struct rehearsal_options *o, struct arena *a, struct value **ret, struct err *err) MUST_USE;
/* Plays one disturbance and gives everything that was said; its exit status: 0 sound, 1 violated. */
int rehearsal_tell(const struct rehearsal_options *o, const struct disturbance *d, struct sb *out, int *ret_exit, struct err *err) MUST_USE;
