/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Days are counted in the proleptic Gregorian calendar, by shifting the year's start to March:
 * then a leap day comes last and needs no special case.
 */
#include "core/base/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const month_names[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const day_names[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = floor_div(y, 400), in_era = y - era * 400;
	int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

struct date {
	int64_t year, month, day;
};

static struct date date_from_days(int64_t days)
{
	int64_t z = days + 719468, era = floor_div(z, 146097), in_era = z - era * 146097;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * in_year + 2) / 153;
	struct date d = { y + era * 400, m < 10 ? m + 3 : m - 9, in_year - (153 * m + 2) / 5 + 1 };

	d.year += d.month <= 2;
	return d;
}

static int64_t month_days(int64_t year, int64_t month)
{
	static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Takes exactly `count` digits, a number within most. */
static bool digits(const char **p, int count, int64_t least, int64_t most, int64_t *ret)
{
	int64_t n = 0;

	for (int i = 0; i < count; i++) {
		char c = (*p)[i];

		if (c < '0' || c > '9')
			return false;
		n = n * 10 + (c - '0');
	}
	if (n < least || n > most)
		return false;
	*p += count;
	*ret = n;
	return true;
}

static bool literal(const char **p, const char *any_of)
{
	if (!**p || !strchr(any_of, **p))
		return false;
	(*p)++;
	return true;
}

static bool parse_date(const char **p, int64_t *ret_ms)
{
	int64_t year, month, day;

	if (!digits(p, 4, 1, 9999, &year) || !literal(p, "-") || !digits(p, 2, 1, 12, &month) ||
	    !literal(p, "-") || !digits(p, 2, 1, 31, &day) || day > month_days(year, month))
		return false;
	*ret_ms = days_from_date(year, month, day) * WHEN_DAY;
	return true;
}

static bool parse_clock(const char **p, int64_t *ret_ms, int64_t *ret_precision)
{
	int64_t hour, minute, second = 0, ms = 0, scale = 100;
	int64_t precision = WHEN_MINUTE;

	if (!digits(p, 2, 0, 23, &hour) || !literal(p, ":") || !digits(p, 2, 0, 59, &minute))
		return false;
	if (literal(p, ":")) {
		/* 60: a leap second, which clocks since 1970 count as the next one. */
		if (!digits(p, 2, 0, 60, &second))
			return false;
		precision = WHEN_SECOND;
		if (literal(p, ".,")) {
			if (**p < '0' || **p > '9')
				return false;
			for (; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
				ms += (**p - '0') * scale;
			precision = 1;
		}
	}
	*ret_ms = hour * WHEN_HOUR + minute * WHEN_MINUTE + second * WHEN_SECOND + ms;
	*ret_precision = precision;
	return true;
}

/* 'Z', "+01:00", "+0100" or "+01". */
static bool parse_zone(const char **p, int64_t *ret_ms)
{
	int64_t hours, minutes = 0, sign = **p == '-' ? -1 : 1;

	if (literal(p, "Zz")) {
		*ret_ms = 0;
		return true;
	}
	if (!literal(p, "+-") || !digits(p, 2, 0, 23, &hours))
		return false;
	if (literal(p, ":") || **p)
		if (!digits(p, 2, 0, 59, &minutes))
			return false;
	*ret_ms = sign * (hours * WHEN_HOUR + minutes * WHEN_MINUTE);
	return true;
}

static int bad_instant(const char *text, struct err *err)
{
	(void)err_set(err, E_PLAN, "'%.80s' is no instant", text);
	return err_hint(err, "write it like 2026-11-23T10:05:00Z");
}

int when_parse(const char *text, int64_t *ret_ms, int64_t *ret_precision, struct err *err)
{
	int64_t date, time = 0, zone = 0, precision = WHEN_DAY;
	const char *p = text;

	if (!parse_date(&p, &date))
		return bad_instant(text, err);
	if (*p) {
		if (!literal(&p, "Tt ") || !parse_clock(&p, &time, &precision))
			return bad_instant(text, err);
		if (!*p) {
			(void)err_set(err, E_PLAN, "'%.80s' says no time zone", text);
			return err_hint(err, "end it in Z for UTC, or in an offset like +01:00");
		}
		if (!parse_zone(&p, &zone) || *p)
			return bad_instant(text, err);
	}
	*ret_ms = date + time - zone;
	if (ret_precision)
		*ret_precision = precision;
	return 0;
}

/* The number of a three-letter name, from 0; -1 when it is none. */
static int name_at(const char **p, const char *const *names, int count)
{
	for (int i = 0; i < count; i++) {
		if (strncmp(*p, names[i], 3) == 0) {
			*p += 3;
			return i;
		}
	}
	return -1;
}

int when_parse_http_date(const char *text, int64_t *ret_ms)
{
	int64_t day, year, hour, minute, second;
	const char *p = text;
	int month;

	if (name_at(&p, day_names, ARRAY_LEN(day_names)) < 0 || strncmp(p, ", ", 2) != 0)
		return -1;
	p += 2;
	if (!digits(&p, 2, 1, 31, &day) || !literal(&p, " "))
		return -1;
	month = name_at(&p, month_names, ARRAY_LEN(month_names));
	if (month < 0 || !literal(&p, " ") || !digits(&p, 4, 1, 9999, &year) || !literal(&p, " "))
		return -1;
	if (!digits(&p, 2, 0, 23, &hour) || !literal(&p, ":") || !digits(&p, 2, 0, 59, &minute) ||
	    !literal(&p, ":") || !digits(&p, 2, 0, 60, &second) || strcmp(p, " GMT") != 0)
		return -1;
	if (day > month_days(year, month + 1))
		return -1;
	*ret_ms = days_from_date(year, month + 1, day) * WHEN_DAY + hour * WHEN_HOUR +
		  minute * WHEN_MINUTE + second * WHEN_SECOND;
	return 0;
}

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {
	{ "d", WHEN_DAY },    { "h", WHEN_HOUR }, { "m", WHEN_MINUTE },
	{ "s", WHEN_SECOND }, { "ms", 1 },
};

/* The unit at p, after the unit number `from`: larger ones come first, each at most once. */
static size_t unit_at(const char **p, size_t from)
{
	size_t len = strspn(*p, "dhms");

	for (size_t i = from; i < ARRAY_LEN(units); i++) {
		if (strlen(units[i].name) == len && memcmp(units[i].name, *p, len) == 0) {
			*p += len;
			return i;
		}
	}
	return ARRAY_LEN(units);
}

static int bad_span(const char *text, struct err *err)
{
	(void)err_set(err, E_PLAN, "'%.80s' is no span of time", text);
	return err_hint(err, "write it like 90s, 15m, 24h, 1h30m, 7d or 250ms");
}

int when_parse_span(const char *text, int64_t *ret_ms, struct err *err)
{
	const char *p = text;
	int64_t total = 0;
	size_t from = 0;

	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return 0;
	}
	if (!*p)
		return bad_span(text, err);
	while (*p) {
		bool over = false;
		int64_t n = 0, part;
		size_t unit;

		if (*p < '0' || *p > '9')
			return bad_span(text, err);
		for (; *p >= '0' && *p <= '9'; p++)
			over |= __builtin_mul_overflow(n, 10, &n) ||
				__builtin_add_overflow(n, *p - '0', &n);
		unit = unit_at(&p, from);
		if (unit == ARRAY_LEN(units))
			return bad_span(text, err);
		if (over || __builtin_mul_overflow(n, units[unit].ms, &part) ||
		    __builtin_add_overflow(total, part, &total)) {
			(void)err_set(err, E_PLAN, "'%.80s' is too long a span", text);
			return err_hint(err, "a span is at most 106751991167d");
		}
		from = unit + 1;
	}
	*ret_ms = total;
	return 0;
}

struct clock {
	int64_t days;
	int hour, minute, second, ms;
};

static struct clock split(int64_t ms)
{
	int64_t days = floor_div(ms, WHEN_DAY), rest = ms % WHEN_DAY;

	if (rest < 0)
		rest += WHEN_DAY;
	return (struct clock){ days, (int)(rest / WHEN_HOUR), (int)(rest / WHEN_MINUTE % 60),
			       (int)(rest / WHEN_SECOND % 60), (int)(rest % WHEN_SECOND) };
}

/* Every record and every observation has an instant, and printf takes ten times as long. */
static void add_digits(struct sb *out, char before, int64_t n, size_t width)
{
	char text[5] = { before };

	for (size_t i = width; i > 0; i--, n /= 10)
		text[i] = (char)('0' + n % 10);
	sb_addn(out, before ? text : text + 1, before ? width + 1 : width);
}

static void add_year(struct sb *out, int64_t year)
{
	if (year < 0 || year > 9999)
		sb_addf(out, "%04" PRId64, year);
	else
		add_digits(out, '\0', year, 4);
}

void when_add(struct sb *out, int64_t ms)
{
	struct clock c = split(ms);
	struct date d = date_from_days(c.days);

	add_year(out, d.year);
	add_digits(out, '-', d.month, 2);
	add_digits(out, '-', d.day, 2);
	add_digits(out, 'T', c.hour, 2);
	add_digits(out, ':', c.minute, 2);
	add_digits(out, ':', c.second, 2);
	if (c.ms)
		add_digits(out, '.', c.ms, 3);
	sb_addc(out, 'Z');
}

void when_add_http_date(struct sb *out, int64_t ms)
{
	struct clock c = split(ms);
	struct date d = date_from_days(c.days);
	int64_t weekday = c.days + 4 - floor_div(c.days + 4, 7) * 7;

	sb_add(out, day_names[weekday]);
	sb_addc(out, ',');
	add_digits(out, ' ', d.day, 2);
	sb_addc(out, ' ');
	sb_add(out, month_names[d.month - 1]);
	sb_addc(out, ' ');
	add_year(out, d.year);
	add_digits(out, ' ', c.hour, 2);
	add_digits(out, ':', c.minute, 2);
	add_digits(out, ':', c.second, 2);
	sb_add(out, " GMT");
}

void when_add_span(struct sb *out, int64_t ms)
{
	uint64_t left = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;

	if (left == 0) {
		sb_add(out, "0s");
		return;
	}
	if (ms < 0)
		sb_addc(out, '-');
	for (size_t i = 1; i < ARRAY_LEN(units); i++) {
		uint64_t size = (uint64_t)units[i].ms;

		if (left >= size)
			sb_addf(out, "%" PRIu64 "%s", left / size, units[i].name);
		left %= size;
	}
}

static const char *into(char buf[WHEN_TEXT_MAX], const struct sb *s)
{
	(void)snprintf(buf, WHEN_TEXT_MAX, "%s", s->buf);
	return buf;
}

const char *when_text(char buf[WHEN_TEXT_MAX], int64_t ms)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(WHEN_TEXT_MAX - 1);

	if (ms == 0)
		sb_add(&s, "unknown");
	else
		when_add(&s, ms);
	return into(buf, &s);
}

const char *when_span_text(char buf[WHEN_TEXT_MAX], int64_t ms)
{
	CLEANUP(sb_done) struct sb s = SB_INIT(WHEN_TEXT_MAX - 1);

	when_add_span(&s, ms);
	return into(buf, &s);
}
