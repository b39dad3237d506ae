/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io/zone.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/sb.h"
#include "core/io/file.h"

#define FILE_MAX ((size_t)1 << 20)
#define HEAD 44
#define DAY 86400

/* When clocks change in any year: month, week and weekday, or a day of the year. */
struct rule {
	enum { RULE_WEEK, RULE_JULIAN, RULE_DAY } kind; /* JULIAN: from 1, without the leap day */
	int month, week, day;
	int32_t at; /* seconds of local time on that day */
};
struct zone {
	size_t count;
	int64_t *when;             /* seconds, ascending */
	int32_t *offset;           /* from then on */
	int32_t first;             /* before all of them */
	bool has_rest, has_summer; /* what holds behind the last one */
	int32_t winter, summer;    /* seconds east of UTC */
	struct rule begin, end;    /* of summer */
};

static int64_t big(const unsigned char *p, size_t len)
{
	uint64_t n = p[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < len; i++)
		n = n << 8 | p[i];
	return (int64_t)n;
}

/* ---- the footer: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

static bool take_number(const char **p, int *ret)
{
	char *end;
	long n;

	if (**p < '0' || **p > '9')
		return false;
	n = strtol(*p, &end, 10);
	if (n > 1000)
		return false;
	*ret = (int)n;
	*p = end;
	return true;
}

static bool skip(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool take_clock(const char **p, int32_t *ret)
{
	int h, m = 0, s = 0, sign = **p == '-' ? -1 : 1;

	if (**p == '-' || **p == '+')
		(*p)++;
	if (!take_number(p, &h))
		return false;
	if (skip(p, ':') && !take_number(p, &m))
		return false;
	if (skip(p, ':') && !take_number(p, &s))
		return false;
	*ret = sign * (h * 3600 + m * 60 + s);
	return true;
}

static bool take_name(const char **p)
{
	const char *from = *p;

	if (**p == '<') {
		*p += strcspn(*p, ">");
		return *(*p)++ == '>';
	}
	while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
		(*p)++;
	return *p - from >= 3;
}

static bool take_rule(const char **p, struct rule *r)
{
	r->at = 2 * 3600;
	if (*(*p)++ != ',')
		return false;
	if (**p == 'M') {
		r->kind = RULE_WEEK;
		(*p)++;
		if (!take_number(p, &r->month) || *(*p)++ != '.' || !take_number(p, &r->week) ||
		    *(*p)++ != '.' || !take_number(p, &r->day) || r->month < 1 || r->month > 12)
			return false;
	} else {
		r->kind = **p == 'J' ? RULE_JULIAN : RULE_DAY;
		*p += **p == 'J';
		if (!take_number(p, &r->day))
			return false;
	}
	return !skip(p, '/') || take_clock(p, &r->at);
}

static bool read_rest(struct zone *z, const char *text)
{
	int32_t west;

	if (!*text)
		return true;
	if (!take_name(&text) || !take_clock(&text, &west))
		return false;
	z->has_rest = true;
	z->winter = -west;
	if (!*text)
		return true;
	z->summer = z->winter + 3600;
	if (!take_name(&text) || (*text && *text != ',' && !take_clock(&text, &west)))
		return false;
	if (text[-1] >= '0' && text[-1] <= '9')
		z->summer = -west;
	z->has_summer = true;
	return take_rule(&text, &z->begin) && take_rule(&text, &z->end) && !*text;
}

/* Seconds since 1970 of the day that a rule means in a year, as if clocks showed UTC. */
static int64_t rule_time(const struct rule *r, int year)
{
	struct tm t = { .tm_year = year - 1900, .tm_mday = 1 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t first;
	int weekday, days;

	if (r->kind != RULE_WEEK) {
		days = r->kind == RULE_DAY ? r->day : r->day - 1 + (leap && r->day >= 60);
		return (int64_t)timegm(&t) + (int64_t)days * DAY + r->at;
	}
	t.tm_mon = r->month - 1;
	first = timegm(&t);
	weekday = (int)((first / DAY + 4) % 7);
	days = (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
	t = (struct tm){ .tm_year = year - 1900, .tm_mon = r->month, .tm_mday = 1 };
	while (first + (int64_t)days * DAY >= (int64_t)timegm(&t))
		days -= 7; /* week 5 is the last one */
	return first + (int64_t)days * DAY + r->at;
}

static int32_t rest_offset(const struct zone *z, int64_t utc)
{
	time_t local = (time_t)(utc + z->winter);
	struct tm t;
	int64_t begin, end;

	if (!z->has_summer || !gmtime_r(&local, &t))
		return z->winter;
	begin = rule_time(&z->begin, t.tm_year + 1900) - z->winter;
	end = rule_time(&z->end, t.tm_year + 1900) - z->summer;
	if (begin < end)
		return utc >= begin && utc < end ? z->summer : z->winter;
	return utc >= end && utc < begin ? z->winter : z->summer; /* the other half of the earth */
}

/* ---- the table ---- */

struct counts {
	size_t ut, std, leap, time, type, chars;
};

static bool read_head(const unsigned char *p, size_t left, struct counts *c)
{
	size_t *const all[] = { &c->ut, &c->std, &c->leap, &c->time, &c->type, &c->chars };

	if (left < HEAD || memcmp(p, "TZif", 4) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		*all[i] = (size_t)big(p + 20 + 4 * i, 4) & 0xffffff;
	return c->type > 0;
}

static size_t body_len(const struct counts *c, size_t word)
{
	return c->time * (word + 1) + c->type * 6 + c->chars + c->leap * (word + 4) + c->std +
	       c->ut;
}

static bool read_table(struct arena *a, struct zone *z, const unsigned char *p,
		       const struct counts *c)
{
	const unsigned char *kinds = p + c->time * 8, *types = kinds + c->time;

	z->when = arena_array(a, c->time + 1, sizeof(*z->when));
	z->offset = arena_array(a, c->time + 1, sizeof(*z->offset));
	z->first = (int32_t)big(types, 4);
	z->count = c->time;
	for (size_t i = 0; i < c->time; i++) {
		if (kinds[i] >= c->type)
			return false;
		z->when[i] = big(p + i * 8, 8);
		z->offset[i] = (int32_t)big(types + (size_t)kinds[i] * 6, 4);
	}
	return true;
}

static bool read_file(struct arena *a, struct zone *z, const unsigned char *p, size_t len)
{
	struct counts one, two;
	size_t skip, tail;
	const unsigned char *end;

	/* The first table is for readers of 32 bits; behind it stands the whole. */
	if (!read_head(p, len, &one) || p[4] < '2' || len < HEAD + body_len(&one, 4))
		return false;
	skip = HEAD + body_len(&one, 4);
	if (!read_head(p + skip, len - skip, &two) || len - skip < HEAD + body_len(&two, 8) ||
	    !read_table(a, z, p + skip + HEAD, &two))
		return false;
	tail = skip + HEAD + body_len(&two, 8);
	if (tail >= len || p[tail] != '\n')
		return false;
	end = memchr(p + tail + 1, '\n', len - tail - 1);
	return end && read_rest(z, arena_strndup(a, (const char *)p + tail + 1,
						 (size_t)(end - p) - tail - 1));
}

static bool is_name(const char *name)
{
	return *name && strlen(name) < 64 && *name != '/' && !strstr(name, "..") &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
		       strlen(name);
}

int zone_load(struct arena *a, const char *name, struct zone **ret, struct err *err)
{
	CLEANUP(sb_done) struct sb bytes = SB_INIT(FILE_MAX), path = SB_INIT(256);
	struct err why = ERR_INIT;
	struct zone *z = ARENA_NEW(a, struct zone);

	sb_addf(&path, ZONE_FOLDER "/%s", name);
	if (!is_name(name) || file_read(path.buf, &bytes, &why) < 0 ||
	    !read_file(a, z, (const unsigned char *)bytes.buf, bytes.len)) {
		err_set(err, E_PLAN, "there is no time zone '%.64s' in " ZONE_FOLDER, name);
		return err_hint(
			err, "a name of the IANA database such as Europe/Berlin; Debian: tzdata");
	}
	*ret = z;
	return 0;
}

int64_t zone_offset(const struct zone *z, int64_t utc_ms)
{
	int64_t utc = utc_ms / 1000 - (utc_ms % 1000 < 0);
	size_t low = 0, high = z->count;

	if (!z->count || utc < z->when[0])
		return (z->count || !z->has_rest ? z->first : rest_offset(z, utc)) * INT64_C(1000);
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		*(z->when[mid] <= utc ? &low : &high) = mid;
	}
	if (low == z->count - 1 && z->has_rest)
		return rest_offset(z, utc) * INT64_C(1000);
	return z->offset[low] * INT64_C(1000);
}

int64_t zone_instant(const struct zone *z, int64_t local_ms)
{
	int64_t early = local_ms - zone_offset(z, local_ms - INT64_C(86400000));
	int64_t late = local_ms - zone_offset(z, local_ms + INT64_C(86400000));

	/* Of the two offsets around a change, the one that is true at its own answer. */
	if (early + zone_offset(z, early) == local_ms)
		return early;
	return late + zone_offset(z, late) == local_ms ? late : MAX_OF(early, late);
}
