/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h - freeze windows: stretches of wall-clock time in a zone, once or every week.
 *
 * An entry of `freeze:` is {name, zone, from, to} or {name, zone, days, start, end}. Instants are milliseconds since 1970.
 */
#pragma once
#include "core/api/field.h"
#include "core/base/diags.h"

extern const struct field window_fields[]; /* of one entry */

/* Tells what is wrong with an entry that the table has let pass. Rule "bad-freeze". */
void window_check(const struct value *entry, struct arena *a, struct diags *d);

/*
 * Whether a freeze of the list (may be NULL) holds at an instant.
 * @ret_until  when clocks leave the last of the windows that follow one another without a gap; a year ahead at most
 * @ret_entry  the window that holds
 */
bool window_holds(const struct value *list, int64_t now_ms, int64_t *ret_until, const struct value **ret_entry);
