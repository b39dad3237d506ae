/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h - a question about fresh observations.
 *
 * judge is pure: it sees the samples of the run so far (oldest first) and answers. Of those that saw the same one after the other it sees the first and
 * the last, so it may ask since when something holds, or how it went up and down, and not how often it was looked at. Thresholds come from `gates:` in the rollout file by the field table.
 * Times that are compared are always the servers' own. Zero samples or only errors never pass: the engine sees to the minimum, judge to the meaning.
 */
#pragma once
#include "core/api/fact.h"
#include "core/api/field.h"

enum verdict { VERDICT_PASS, VERDICT_WAIT, VERDICT_FAIL, VERDICT_INCONCLUSIVE };
const char *verdict_name(enum verdict v);

/* One round of observing all things that the gate names, at about one moment. */
struct sample {
	int64_t now_ms;                /* evidence time of the round */
	const struct observation *seen; /* in the order of gate_type.observes */
	size_t count;
};

/* An own mint of the migrating client, as an interval of server time in which a use may be ours. */
struct mint {
	const char *client_id;
	int64_t from_ms, to_ms;
};

struct gate_view {
	const struct view *view;        /* with the newest sample's observations as its facts */
	const struct value *limits;     /* this gate's thresholds, checked, defaults filled in */
	const struct sample *samples;   /* this run's, oldest first, thinned out as told above; at least one, the last one is the newest */
	size_t sample_count;
	const struct mint *mints;       /* the journal's ledger: all clients, all runs */
	size_t mint_count;
	int64_t opened_ms;              /* evidence time when the gate was first asked */
	int64_t skew_ms;                /* largest difference between the clocks of systems read in this round; 0: one system only */
};

struct says {
	enum verdict verdict;
	int64_t until_ms;               /* VERDICT_WAIT: cannot pass earlier (evidence time); 0: look again at the next cadence, later where nothing has moved for long */
	bool ask;                       /* an operator has to attest now: facts of `ask_thing` */
	const char *ask_thing;
	char saw[200];                  /* what it last saw: "OAuth last used 2026-11-23T10:05:00Z, restart 10:00:00Z" */
	char why[300];                  /* the reason for the verdict */
	const struct value *marks;      /* on PASS: evidence to be noted for later gates; map or NULL; in `arena` */
	struct arena *arena;            /* for marks; given */
};

struct gate_type {
	const char *name, *doc;         /* "jwt_quiet": key under `gates:` */
	const struct field *fields;     /* besides cadence, min_samples, passes, deadline, on_expire, which all have */
	const char *const *observes;    /* things; ends with NULL */
	void (*judge)(const struct gate_view *g, struct says *ret);
	int64_t (*earliest)(const struct value *limits); /* span after the step before it at which it can pass at the earliest; NULL: at once */
	const char *cadence, *deadline; /* defaults, as written in a file */
	int64_t ask_valid_ms;           /* an attestation for it expires after this; 0: does not. Looks at one person's reading prove no more than one look: more of them in a row than fit into this never pass */
	bool is_safety;                 /* never optional, whatever the file says */
};

/* Marks that core itself reads or writes (providers/README.md lists all). */
#define MARK_RESTART "restart.at"   /* instant at which a step that closes the fence had everything stopped */
#define MARK_BEFORE "restart.before" /* the facts before such a step, by whoever carried it out */
#define MARK_OWN_USE "oauth_use.at" /* the app's own use of the new credential was sampled: the fence opens */
