/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan/window.h"

#include <string.h>

#include "core/base/when.h"
#include "core/io/zone.h"

#define JOINED_MAX 366 /* windows in a row that are taken for one */

static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };
static const struct field day = { .name = "DAY",
				  .kind = FIELD_ENUM,
				  .names = day_names,
				  .doc = "A day on which it begins." };
const struct field window_fields[] = {
	{ .name = "name", .kind = FIELD_STRING, .doc = "What it is called." },
	{ .name = "zone",
	  .kind = FIELD_STRING,
	  .flags = FIELD_REQUIRED,
	  .doc = "Time zone, as the IANA database names it: Europe/Berlin, UTC." },
	{ .name = "from",
	  .kind = FIELD_STRING,
	  .doc = "Once: its begin there, 2026-12-20 or 2026-12-20T18:00." },
	{ .name = "to", .kind = FIELD_STRING, .doc = "Once: its end, likewise; not included." },
	{ .name = "days",
	  .kind = FIELD_LIST,
	  .max = 7,
	  .sub = &day,
	  .doc = "Every week: the days on which it begins." },
	{ .name = "start",
	  .kind = FIELD_STRING,
	  .doc = "Every week: its begin, 16:00; else 00:00." },
	{ .name = "end",
	  .kind = FIELD_STRING,
	  .doc = "Every week: its end; not later than start: on the next day. Else 24:00." },
	{ .name = NULL },
};

struct window {
	struct zone *zone;
	bool is_weekly;
	unsigned days;      /* bit 0: Sunday */
	int64_t start, end; /* within the day; end may be on the next one */
	int64_t from, to;   /* local */
};

/* "16:00": milliseconds of a day, 24:00 included. */
static bool read_clock(const char *text, int64_t *ret)
{
	int64_t ms, precision;
	struct err err = ERR_INIT;
	char instant[32];

	if (strcmp(text, "24:00") == 0) {
		*ret = WHEN_DAY;
		return true;
	}
	if (strlen(text) != 5)
		return false;
	memcpy(instant, "1970-01-01T", 11);
	memcpy(instant + 11, text, 5);
	memcpy(instant + 16, "Z", 2);
	if (when_parse(instant, &ms, &precision, &err) < 0)
		return false;
	*ret = ms;
	return true;
}

/* "2026-12-20" or "2026-12-20T18:00", as clocks on the wall show it: no zone of its own. */
static bool read_local(const char *text, int64_t *ret)
{
	struct err err = ERR_INIT;
	char instant[32];
	size_t len = strlen(text);
	int64_t precision;

	if (len != 10 && len != 16)
		return false;
	memcpy(instant, text, len);
	memcpy(instant + len, len == 16 ? "Z" : "", len == 16 ? 2 : 1);
	return when_parse(instant, ret, &precision, &err) == 0;
}

static int bad(struct err *err, const struct value *entry, const char *what)
{
	err_at(err, entry->pos, "%s", what);
	return err_hint(err,
			"{zone: Europe/Berlin, days: [fri], start: \"16:00\", end: \"24:00\"}, or "
			"{zone: ..., from: 2026-12-20, to: 2027-01-07}");
}

static int read_weekly(const struct value *entry, struct window *w, struct err *err)
{
	const struct value *days = value_get(entry, "days");

	w->is_weekly = true;
	for (size_t i = 0; i < value_count(days); i++)
		for (unsigned k = 0; day_names[k]; k++)
			if (strcmp(day_names[k], value_text_or(value_at(days, i), "")) == 0)
				w->days |= 1u << k;
	if (!w->days)
		return bad(err, entry, "a weekly freeze needs days");
	if (!read_clock(value_text_or(value_get(entry, "start"), "00:00"), &w->start) ||
	    !read_clock(value_text_or(value_get(entry, "end"), "24:00"), &w->end) ||
	    w->start == WHEN_DAY)
		return bad(err, entry, "start and end of a freeze are times of day such as 16:00");
	if (w->end <= w->start)
		w->end += WHEN_DAY;
	return 0;
}

static int window_read(const struct value *entry, struct arena *a, struct window *w,
		       struct err *err)
{
	const struct value *from = value_get(entry, "from"), *to = value_get(entry, "to");

	*w = (struct window){ .zone = NULL };
	if (zone_load(a, value_text_or(value_get(entry, "zone"), ""), &w->zone, err) < 0) {
		err->pos = entry->pos;
		return -err->code;
	}
	if (!from && !to)
		return read_weekly(entry, w, err);
	if (value_get(entry, "days") || value_get(entry, "start") || value_get(entry, "end"))
		return bad(err, entry,
			   "a freeze is once (from, to) or every week (days), not both");
	if (!from || !to || !read_local(value_text_or(from, ""), &w->from) ||
	    !read_local(value_text_or(to, ""), &w->to) || w->to <= w->from)
		return bad(
			err, entry,
			"from and to of a freeze are dates, or dates with a time, in that order");
	return 0;
}

void window_check(const struct value *entry, struct arena *a, struct diags *d)
{
	struct window w;
	struct err err = ERR_INIT;

	if (value_get(entry, "zone") && window_read(entry, a, &w, &err) < 0)
		diags_add(d, DIAG_ERROR, entry->pos, "bad-freeze", err.hint, "%s", err.msg);
}

/* The end of the window that holds, as an instant; 0: it does not hold. */
static int64_t holds_until(const struct window *w, int64_t now)
{
	int64_t local = now + zone_offset(w->zone, now);
	int64_t today = local / WHEN_DAY - (local % WHEN_DAY < 0);

	if (!w->is_weekly)
		return local >= w->from && local < w->to ? zone_instant(w->zone, w->to) : 0;
	for (int64_t d = today; d >= today - 1; d--) {
		unsigned weekday = (unsigned)((d % 7 + 11) % 7); /* 1970-01-01 was a Thursday */

		if (w->days & 1u << weekday && local >= d * WHEN_DAY + w->start &&
		    local < d * WHEN_DAY + w->end)
			return zone_instant(w->zone, d * WHEN_DAY + w->end);
	}
	return 0;
}

bool window_holds(const struct value *list, int64_t now_ms, int64_t *ret_until,
		  const struct value **ret_entry)
{
	CLEANUP(arena_done) struct arena a = ARENA_INIT;
	struct window *all = arena_array(&a, value_count(list) + 1, sizeof(*all));
	const struct value *first = NULL;
	int64_t at = now_ms;
	bool moved = true;

	for (size_t i = 0; i < value_count(list); i++) {
		struct err err = ERR_INIT;

		/* What validation has let pass can be read; a database that has gone since freezes nothing by accident. */
		if (window_read(value_at(list, i), &a, &all[i], &err) < 0)
			all[i] = (struct window){ .zone = NULL };
	}
	for (int joined = 0; moved && joined < JOINED_MAX; joined++) {
		moved = false;
		for (size_t i = 0; i < value_count(list); i++) {
			int64_t until = all[i].zone ? holds_until(&all[i], at) : 0;

			if (until <= at)
				continue;
			first = first ? first : value_at(list, i);
			at = until;
			moved = true;
		}
	}
	if (!first)
		return false;
	*ret_until = at;
	*ret_entry = first;
	return true;
}
