/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - what a simulation plays against: systems, persons, somebody else's hand, and a judge.
 *
 * Handed in by whoever knows the vendors (providers/sim), as a transport or a store is; core/sim drives the real engine through it, in virtual
 * time. All times are true time in ms since 1970 UTC, unless said otherwise.
 */
#pragma once
#include "core/api/provider.h"
#include "core/api/twin.h"

enum scene_command {
	SCENE_APPLY, /* may write */
	SCENE_ABANDONS, /* the same, and gives up what is open first: the plan that it makes knows nothing of it, and may do again what it did */
	SCENE_READS, /* plan, status, doctor: nothing may change, no token of a migrating client be minted */
};

/* What a person says once they have acted or read: the words of `s2sctl ack`. Texts in the arena given. */
struct scene_says {
	const char *by;
	const char *const *facts;  /* "name=value"; ends with NULL; may be NULL */
	const char *last_used, *none_since, *at, *note; /* as typed, or NULL */
	/* Before saying anything they put this text where this reference leads; both NULL: nothing. It is a secret: no sink but that one. */
	const char *store_ref, *store_text;
	bool silent; /* they have acted (and stored), and say nothing: no ack is given */
};

struct scene {
	void *ctx;
	int64_t (*now)(void *ctx);
	/* Lets everything happen that happens by itself until then, in order of time; the judge looks after each event. */
	void (*advance)(void *ctx, int64_t to_ms);
	/* When the next thing happens by itself, somebody else's doings included; INT64_MAX: never. */
	int64_t (*next_event)(void *ctx);
	/* Path and query, as the twins know them, of an absolute address that the engine built; in `a`. NULL: nobody lives there. */
	const char *(*route)(void *ctx, const char *url, struct arena *a);
	void (*answer)(void *ctx, const struct twin_req *req, struct twin_resp *resp); /* judged afterwards */
	/* What the Date header of the system behind this request says now: true time plus that system's skew. */
	int64_t (*date)(void *ctx, const struct twin_req *req);
	/*
	 * A person was shown an instruction for the step `address`. True: they have done (or read) what they do and say `ret`.
	 * False: not now; asked again later.
	 */
	bool (*person)(void *ctx, const char *address, const struct instruction *in, struct scene_says *ret, struct arena *a);
	/* Every text that leaves the program. `channel`: "output", "journal", "inbox", "secret-file", or "request <connection>". */
	void (*saw_text)(void *ctx, const char *channel, const char *text, size_t len);
	void (*command_begins)(void *ctx, enum scene_command kind);
	/* The command that has just begun is asked to take this environment back; told once for each. */
	void (*takes_back)(void *ctx, const char *env);
	/*
	 * @by_itself    it came to its end; false: it was killed, or stopped by a signal
	 * @exit_status  the command's own when it came to its end, as core/run gives it; else -1
	 */
	void (*command_ended)(void *ctx, enum scene_command kind, bool by_itself, int exit_status);
	/*
	 * Faults have ended, and the same command run again and again comes to the same end: judged for convergence.
	 * @exit_status  of the last apply. @planned_status  of a plan afterwards with --detailed-exitcode: 0 nothing to do, 2 changes, 3, 5 ...
	 */
	void (*settled)(void *ctx, int exit_status, int planned_status);
	/* NULL: sound so far. Else the first violation, in words that begin with its invariant's letter: "(a) ...". */
	const char *(*verdict)(void *ctx);
};
