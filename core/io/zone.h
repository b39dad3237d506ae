/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone.h - time zones by their IANA names, from the system's tz database.
 *
 * The files are read here and not by the C library: localtime() goes by a variable of the whole process, and takes a name that it does not
 * know for UTC without a word. Pure once loaded.
 *
 * Source: RFC 8536 (TZif), with the rule for years to come in its footer (POSIX TZ), as tzdata 2024b of Debian 12 has it.
 */
#pragma once
#include "core/base/arena.h"
#include "core/base/err.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"

struct zone; /* in the arena */

/* "Europe/Berlin", "UTC". E_PLAN when there is no such zone, or no database. */
int zone_load(struct arena *a, const char *name, struct zone **ret, struct err *err) MUST_USE;
/* What a clock on the wall there shows more than UTC, at an instant (ms since 1970): milliseconds. */
int64_t zone_offset(const struct zone *z, int64_t utc_ms);
/*
 * The instant at which clocks there show `local_ms` (ms since 1970 as if it were UTC). An hour that a change of clocks
 * repeats means its first time; one that it leaves out, the instant of the change or shortly after.
 */
int64_t zone_instant(const struct zone *z, int64_t local_ms);
