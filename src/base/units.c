/* SPDX-License-Identifier: MIT */
#include "base/units.h"
#include <ctype.h>
#include <errno.h>
#include <leat/base.h>
#include <stdbool.h>
#include <stdio.h>
#include <strings.h>

static const struct unit {
    const char *suffix;
    double factor;
} units[] = {
    {"", 1},
    {"B", 1},
    {"K", 1024.0},
    {"KiB", 1024.0},
    {"KB", 1e3},
    {"M", 1048576.0},
    {"MiB", 1048576.0},
    {"MB", 1e6},
    {"G", 1073741824.0},
    {"GiB", 1073741824.0},
    {"GB", 1e9},
    {"T", 1099511627776.0},
    {"TiB", 1099511627776.0},
    {"TB", 1e12},
};

static const struct unit *find_unit(const char *suffix)
{
    for (size_t i = 0; i < COUNT(units); i++)
        if (strcasecmp(suffix, units[i].suffix) == 0)
            return &units[i];
    return NULL;
}

/* Scans digits, and a point with more digits if there is one: "1.5" is 1 and 0.5. strtod is not used, because it
 * depends on the locale. */
static int scan_number(const char *text, uint64_t *ret_whole, double *ret_fraction, const char **ret_end)
{
    if (!text || !isdigit((unsigned char)text[0]))
        return -EINVAL;
    char *end;
    *ret_whole = strtoull(text, &end, 10); /* UINT64_MAX if the number is larger than that */
    *ret_fraction = 0;
    if (*end == '.') {
        const char *point = end;
        double scale = 0.1;
        for (end++; isdigit((unsigned char)*end); end++, scale /= 10)
            *ret_fraction += (*end - '0') * scale;
        if (end == point + 1)
            return -EINVAL;
    }
    *ret_end = end;
    return 0;
}

/* Is the number too large for 64 bits? Only sizes check this: strtoull alone returns UINT64_MAX for such a number. */
static bool is_beyond(const char *text)
{
    errno = 0;
    strtoull(text, NULL, 10);
    return errno == ERANGE;
}

/* Computes the whole part in integers, so that every byte count is exact; only a fraction goes through a double. */
int leat_size_parse(const char *text, uint64_t *ret_bytes)
{
    uint64_t whole, bytes;
    double fraction;
    const char *end;
    int r = scan_number(text, &whole, &fraction, &end);
    if (r < 0)
        return r;
    const struct unit *unit = find_unit(end);
    if (!unit)
        return -EINVAL;
    if (whole == UINT64_MAX && is_beyond(text))
        return -ERANGE;
    uint64_t factor = (uint64_t)unit->factor;
    if (__builtin_mul_overflow(whole, factor, &bytes) ||
        __builtin_add_overflow(bytes, (uint64_t)(fraction * unit->factor + 0.5), &bytes))
        return -ERANGE;
    *ret_bytes = bytes;
    return 0;
}

int size_parse(const char *text, size_t n, uint64_t *ret_bytes)
{
    char part[64] = "";
    if (n >= sizeof(part))
        return -EINVAL;
    memcpy(part, text, n);
    return leat_size_parse(part, ret_bytes);
}

int leat_time_parse(const char *text, int32_t *ret_ms)
{
    static const struct unit times[] = {{"", 1e3}, {"s", 1e3}, {"ms", 1}, {"m", 6e4}, {"h", 36e5}};
    uint64_t whole;
    double fraction;
    const char *end;
    if (text && strcmp(text, "none") == 0) {
        *ret_ms = -1;
        return 0;
    }
    int r = scan_number(text, &whole, &fraction, &end);
    for (size_t i = 0; r == 0 && i < COUNT(times); i++)
        if (strcmp(end, times[i].suffix) == 0) {
            double ms = ((double)whole + fraction) * times[i].factor;
            if (ms < 1 || ms > INT32_MAX)
                return -ERANGE;
            *ret_ms = (int32_t)ms;
            return 0;
        }
    return r < 0 ? r : -EINVAL;
}

/* No printf of a double, whose point depends on the locale. */
size_t leat_size_format(char *buffer, size_t size, uint64_t bytes, int32_t decimal)
{
    static const char *const letters[] = {"", "K", "M", "G", "T", "P", "E"};
    uint64_t base = decimal ? 1000 : 1024, unit = 1;
    size_t letter = 0;
    while ((double)bytes / (double)unit >= (letter ? 999.5 : 1000) && letter + 1 < COUNT(letters)) {
        unit *= base;
        letter++;
    }
    double value = (double)bytes / (double)unit;
    int digits = bytes % unit == 0 || value >= 99.95 ? 0 : value < 9.995 ? 2 : 1;
    unsigned scale = digits == 0 ? 1 : digits == 1 ? 10 : 100, scaled = (unsigned)(value * scale + 0.5);
    const char *letter_b = decimal && letter ? "B" : "";
    int n = digits ? snprintf(buffer, size, "%u.%0*u%s%s", scaled / scale, digits, scaled % scale, letters[letter],
                              letter_b)
                   : snprintf(buffer, size, "%u%s%s", scaled, letters[letter], letter_b);
    return (size_t)n;
}

const char *size_format(uint64_t bytes, char *buffer, size_t size)
{
    leat_size_format(buffer, size, bytes, false);
    return buffer;
}
