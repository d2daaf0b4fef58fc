/* SPDX-License-Identifier: MIT */
#include "store/date.h"
#include "base/base.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

struct date {
    int year, month, day, hour, minute, second;
};

/* Returns the days since 1970 in the Gregorian calendar. Here a year starts in March, so that a leap day is the last
 * day of its year. */
static int64_t days_of(const struct date *d)
{
    int64_t year = d->year - (d->month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (d->month + (d->month > 2 ? -3 : 9)) + 2) / 5 + d->day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int month_days(const struct date *d)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0);
    return days[d->month - 1] + (d->month == 2 && leap);
}

/* A leap second counts as the second after it. */
static int seconds_of(const struct date *d, int64_t *ret)
{
    if (d->month < 1 || d->month > 12 || d->day < 1 || d->day > month_days(d) || d->hour > 23 || d->minute > 59 ||
        d->second > 60)
        return -EINVAL;
    *ret = days_of(d) * 86400 + d->hour * 3600 + d->minute * 60 + d->second;
    return 0;
}

/* Reads n digits, and the character after them if one is required. */
static const char *read_digits(const char *at, size_t n, char behind, int *ret)
{
    *ret = 0;
    for (size_t i = 0; at && i < n; i++, at++) {
        if (!isdigit((unsigned char)*at))
            return NULL;
        *ret = *ret * 10 + (*at - '0');
    }
    if (!at || !behind)
        return at;
    return *at == behind ? at + 1 : NULL;
}

static const char *read_clock(const char *at, struct date *d)
{
    at = read_digits(at, 2, ':', &d->hour);
    at = read_digits(at, 2, ':', &d->minute);
    return read_digits(at, 2, '\0', &d->second);
}

/* "Z", "+01:00" or "+0100": seconds east of Greenwich. */
static int read_zone(const char *at, int64_t *ret)
{
    int hours, minutes, sign = *at == '-' ? -1 : 1;
    *ret = 0;
    if (strcmp(at, "Z") == 0 || strcmp(at, "z") == 0)
        return 0;
    if (*at != '+' && *at != '-')
        return -EINVAL;
    at = read_digits(at + 1, 2, '\0', &hours);
    at = read_digits(at && *at == ':' ? at + 1 : at, 2, '\0', &minutes);
    if (!at || *at || hours > 23 || minutes > 59)
        return -EINVAL;
    *ret = sign * (hours * 3600 + minutes * 60);
    return 0;
}

int date_read_iso(const char *text, int64_t *ret)
{
    struct date d;
    int64_t seconds, east;
    const char *at = read_digits(text, 4, '-', &d.year);
    at = read_digits(at, 2, '-', &d.month);
    at = read_digits(at, 2, '\0', &d.day);
    at = at && (*at == 'T' || *at == 't' || *at == ' ') ? read_clock(at + 1, &d) : NULL;
    if (at && *at == '.')
        at += 1 + strspn(at + 1, "0123456789");
    if (!at || seconds_of(&d, &seconds) < 0 || read_zone(at, &east) < 0)
        return -EINVAL;
    *ret = seconds - east;
    return 0;
}

int date_read_http(const char *text, int64_t *ret)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct date d;
    const char *at = strchr(text, ',');
    at = at && at[1] == ' ' ? read_digits(at + 2, 2, ' ', &d.day) : NULL;
    if (!at || strlen(at) < 4)
        return -EINVAL;
    d.month = 0;
    for (int i = 0; i < 12; i++)
        if (strncmp(at, months + 3 * i, 3) == 0)
            d.month = i + 1;
    at = at[3] == ' ' ? read_digits(at + 4, 4, ' ', &d.year) : NULL;
    at = at ? read_clock(at, &d) : NULL;
    return at && strcmp(at, " GMT") == 0 ? seconds_of(&d, ret) : -EINVAL;
}

void date_write(int64_t seconds, char ret[DATE_MAX])
{
    time_t when = (time_t)seconds;
    struct tm tm;
    ret[0] = '\0';
    if (gmtime_r(&when, &tm) && tm.tm_year > -1900 && tm.tm_year < 8100)
        strftime(ret, DATE_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
