/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uses.h - what all samples of console.usage together say, and what they are compared with. Pure.
 *
 * Instants are the servers' own, milliseconds since 1970; 0 = unknown. Last-used times only ever grow, so the latest one seen counts:
 * a later answer that shows an earlier use is a stale one.
 *
 * What an operator read is in the fact `attested`: {last_used, none_since, asked_at, by}, a reading of minute or day precision already resolved
 * to its latest instant, as it has to be for "quiet"; also understood: `precision`, the span that a reading left open. Where nothing can be read,
 * the attested fact `oauth_last_used` stands for the API's.
 */
#pragma once
#include "core/api/gate.h"
#include "core/base/when.h"

#define USES_MARGIN WHEN_MINUTE     /* a use counts when it is newer than the restart by this */
#define USES_LAG (10 * WHEN_MINUTE) /* the console says so on the migration card */
#define USES_SKEW_MAX (5 * WHEN_MINUTE)
#define USES_ASK_VALID WHEN_HOUR

struct uses {
	int64_t now_ms;
	const struct observation
		*newest; /* console.usage of the newest sample; NULL: it was not looked at */
	bool is_read;    /* the newest sample came from the system itself */

	bool has_data;
	int64_t oauth_ms; /* by API or attested; attested ones at their earliest possible instant */
	int64_t oauth_latest_ms; /* the same, attested ones at their latest possible instant, as "quiet" needs it */
	int64_t oauth_asked_ms; /* when an operator was asked what they attested in the newest sample; 0: nobody was */

	bool jwt_visible; /* in the newest sample */
	int64_t jwt_ms;   /* by API: the latest use of any grant but client credentials */
	int64_t jwt_named_ms; /* by API: the latest use that is certainly JWT's, by its grant's name; 0: none is */

	int64_t asked_ms;          /* the JWT's last use was attested then; 0: it was not */
	int64_t attested_ms;       /* its latest possible instant; none since D counts as D */
	int64_t attested_floor_ms; /* its earliest possible instant; 0 for none since D */

	int64_t restart_ms; /* from which the app can have used only what is in its settings */
	const char *restart_what; /* what that is: "restart" */
	int64_t own_mint_ms; /* end of the latest interval in which a use may be the tool's own; 0: none */
};
struct uses uses_read(const struct gate_view *g);

/* The latest JWT use that is certain: an attested reading at its earliest possible instant. */
int64_t uses_jwt_certain(const struct uses *u);

/*
 * A run that restarted nothing knows of a JWT use before its first question only that it is over: whoever it was may have been switched since, and a
 * run is given up and begun again for just that. 0: this run restarted the app itself, and no use since then is excused.
 */
int64_t uses_asked_since(const struct gate_view *g);
#define MARK_ASKED_SINCE "jwt_quiet.since" /* that first question, once jwt_quiet has passed */

/* The latest use that is certainly the JWT grant's, as a proof that it is used: by name, or attested, at its earliest possible instant. */
int64_t uses_jwt_proved(const struct uses *u);
/* Whether a use of OAuth at that moment may be this tool's own. */
bool uses_may_be_ours(const struct gate_view *g, int64_t use_ms);
/* The latest OAuth use in the samples that is certainly not this tool's; 0: none. */
int64_t uses_oauth_of_others(const struct gate_view *g);
/* The names of the declared consumers besides the app itself: this tool does not switch them. NULL: there are none. */
const char *uses_other_consumers(const struct gate_view *g, struct arena *a);

/* Verdicts with their reasons. The text is cut to the room there is. */
void uses_say(struct says *ret, enum verdict verdict, const char *fmt, ...) PRINTF_LIKE(3, 4);
void uses_saw(struct says *ret, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* True when the clocks of the systems differ too much to compare anything; then the verdict is given. */
bool uses_skewed(const struct gate_view *g, struct says *ret);
/*
 * True when the newest sample is neither read nor a person's to give, e.g. the console answered nonsense; then the verdict is given.
 */
bool uses_failed(const struct uses *u, struct says *ret);
/* Asks an operator for console.usage, or waits until `earliest_ms` when that is still to come. */
void uses_ask(struct says *ret, const struct uses *u, int64_t earliest_ms, const char *what);
