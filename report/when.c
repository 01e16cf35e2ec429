/* when.c - see when.h */
#include "when.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define NS 1000000000

static const char wrong[] = "is not a time (2026-11-24, '2026-11-24 04:12:36', 04:12, 10m, 2h)";

/* Up to `digits` digits; -1: there is none. Moves *s behind them. */
static int64_t
number(const char **s, int digits)
{
	int64_t n = 0;
	const char *from = *s;

	while (isdigit((unsigned char)**s) && *s - from < digits)
		n = 10 * n + *(*s)++ - '0';
	return *s == from ? -1 : n;
}

static bool
skip(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* ".5" behind seconds, in nanoseconds. */
static int64_t
fraction(const char **s)
{
	int64_t ns = 0, unit = NS;

	if (!skip(s, '.'))
		return 0;
	for (; isdigit((unsigned char)**s); (*s)++) {
		unit /= 10;
		ns += unit * (**s - '0');
	}
	return ns;
}

/* HH:MM[:SS[.F]] */
static bool
clock_time(const char **s, struct tm *tm, int64_t *ns)
{
	tm->tm_hour = number(s, 2);
	if (tm->tm_hour < 0 || tm->tm_hour > 23 || !skip(s, ':'))
		return false;
	tm->tm_min = number(s, 2);
	if (tm->tm_min < 0 || tm->tm_min > 59)
		return false;
	if (skip(s, ':')) {
		tm->tm_sec = number(s, 2);
		if (tm->tm_sec < 0 || tm->tm_sec > 60)
			return false;
		*ns = fraction(s);
	}
	return true;
}

/* YYYY-MM-DD[( |T)HH:MM[:SS[.F]]][Z] */
static bool
calendar(const char *s, int64_t *to)
{
	struct tm tm = { .tm_isdst = -1 };
	int64_t ns = 0;
	time_t t;

	tm.tm_year = number(&s, 4) - 1900;
	if (tm.tm_year < 70 || !skip(&s, '-'))
		return false;
	tm.tm_mon = number(&s, 2) - 1;
	if (tm.tm_mon < 0 || tm.tm_mon > 11 || !skip(&s, '-'))
		return false;
	tm.tm_mday = number(&s, 2);
	if (tm.tm_mday < 1 || tm.tm_mday > 31)
		return false;
	if ((skip(&s, 'T') || skip(&s, ' ')) && !clock_time(&s, &tm, &ns))
		return false;
	if (skip(&s, 'Z'))
		t = timegm(&tm);
	else
		t = mktime(&tm);
	*to = t * (int64_t)NS + ns;
	return !*s && t >= 0 && t < INT64_MAX / NS;
}

static bool
time_of_day(const char *s, int64_t first_ns, int64_t *to)
{
	time_t day = first_ns / NS, t;
	struct tm tm;
	int64_t ns = 0;

	if (!localtime_r(&day, &tm))
		return false;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	if (!clock_time(&s, &tm, &ns) || *s)
		return false;
	t = mktime(&tm);
	*to = t * (int64_t)NS + ns;
	return true;
}

static bool
before(const char *s, int64_t last_ns, int64_t *to)
{
	static const struct { const char *unit; int64_t ns; } units[] = {
		{ "s", NS }, { "m", 60LL * NS }, { "h", 3600LL * NS }, { "d", 86400LL * NS },
		{ "w", 7 * 86400LL * NS },
	};
	int64_t n = number(&s, 9);

	for (size_t i = 0; n >= 0 && i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(s, units[i].unit) && n <= INT64_MAX / units[i].ns) {
			*to = last_ns - n * units[i].ns;
			return true;
		}
	return false;
}

static bool
since_epoch(const char *s, int64_t *to)
{
	size_t digits = strspn(s, "0123456789");
	int64_t n = number(&s, 18), unit = digits <= 10 ? NS : digits <= 13 ? 1000000 :
	    digits <= 16 ? 1000 : 1;

	if (digits == 19)
		n = 10 * n + *s++ - '0';
	*to = n * unit;
	return n >= 0 && digits >= 9 && digits <= 19 && !*s;
}

const char *
when_parse(const char *s, int64_t first_ns, int64_t last_ns, int64_t *to)
{
	return calendar(s, to) || time_of_day(s, first_ns, to) || before(s, last_ns, to) ||
	    since_epoch(s, to) ?
	    NULL : wrong;
}
