/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - where an environment stands, from facts alone. Pure.
 *
 * Type and status are two witnesses of the same migration. Only pairs that make sense together have a state; any other pair is a
 * "conflict", because acting on either of the two could delete a credential in use.
 */
#pragma once
#include "core/api/fact.h"

/* "jwt-only", "started", "converted", "never-jwt", "conflict"; NULL while one of the two is not known. */
const char *state_of(const char *type, const char *status);
bool state_is(const struct view *v, const char *state);

/* When this run restarted the workflows: as the tool saw it, else as an operator attested it; 0: it did not. */
int64_t restart_ms(const struct view *v);

/* The app's settings have to be saved with OAuth; not while they are unknown, unless nothing but JWT is there to be set to. */
bool needs_switch(const struct view *v);
/*
 * Workflows that are meant to run have to start anew: after a switch or pending edits, when one FAILED, is stopped against the file's
 * will, or when no start later than the saved settings can be shown.
 */
bool needs_restart(const struct view *v);
/*
 * The way back. The app is set to OAuth; false while that is not known, and then its own diff asks. Whoever was never
 * switched is on JWT, and needs no switch back.
 */
bool needs_switch_back(const struct view *v);
/* There is something to take back: a migration under way, or an app on OAuth after somebody has cancelled it. */
bool is_way_back(const struct view *v);

/* The text of the client secret is still to be brought to its reference. */
bool needs_secret(const struct view *v);
