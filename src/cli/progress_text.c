/* SPDX-License-Identifier: MIT */
#include "progress_text.h"
#include <stdio.h>
#include <string.h>

#define BAR_LEAST 10 /* columns; a shorter bar shows too little */

static const char *size_text(double bytes, bool decimal, char buffer[LEAT_SIZE_TEXT_MAX])
{
    leat_size_format(buffer, LEAT_SIZE_TEXT_MAX, bytes < 1e19 ? (uint64_t)bytes : UINT64_MAX, decimal);
    return buffer;
}

static const char *clock_text(double seconds, char buffer[32])
{
    if (seconds < 0 || seconds > 1e9)
        return "--:--";
    unsigned long s = (unsigned long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(buffer, 32, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(buffer, 32, "%lu:%02lu", s / 60, s % 60);
    return buffer;
}

static bool fits(const char *text, size_t columns)
{
    return strlen(text) < columns;
}

void progress_text(char text[PROGRESS_TEXT_MAX], const struct progress_numbers *n, size_t columns)
{
    char bytes_text[LEAT_SIZE_TEXT_MAX], total_text[LEAT_SIZE_TEXT_MAX], rate_text[LEAT_SIZE_TEXT_MAX], clock[32];
    bool known = n->now.has_total && n->now.total;
    const char *bytes = size_text((double)n->now.bytes, n->decimal, bytes_text);
    const char *total = size_text((double)n->now.total, n->decimal, total_text);
    const char *rate = size_text(n->rate, n->decimal, rate_text);
    const char *time = clock_text(known ? n->eta : n->now.seconds, clock);
    double percent = known ? 100.0 * (double)n->now.bytes / (double)n->now.total : 0;
    for (int form = 0; form < 5; form++) {
        if (!known)
            snprintf(text, PROGRESS_TEXT_MAX,
                     form == 0   ? "%s  %s/s  %s"
                     : form == 1 ? "%s  %s/s"
                                 : "%s",
                     bytes, rate, time);
        else if (form == 0)
            snprintf(text, PROGRESS_TEXT_MAX, "%3.0f%%  %s of %s  %s/s  %s left", percent, bytes, total, rate, time);
        else if (form == 1)
            snprintf(text, PROGRESS_TEXT_MAX, "%3.0f%%  %s  %s/s  %s", percent, bytes, rate, time);
        else if (form == 2)
            snprintf(text, PROGRESS_TEXT_MAX, "%3.0f%%  %s/s  %s", percent, rate, time);
        else
            snprintf(text, PROGRESS_TEXT_MAX, form == 3 ? "%3.0f%%  %s" : "%3.0f%%", percent, time);
        if (fits(text, columns))
            return;
    }
}

void progress_text_bar(char text[PROGRESS_TEXT_MAX], const struct progress_numbers *n, size_t columns)
{
    char numbers[PROGRESS_TEXT_MAX];
    columns = columns < PROGRESS_TEXT_MAX ? columns : PROGRESS_TEXT_MAX - 1;
    progress_text(numbers, n, columns);
    size_t used = strlen(numbers) + sizeof("[] "), width = columns > used ? columns - used : 0;
    char *at = text;
    if (n->now.has_total && n->now.total && width >= BAR_LEAST) {
        size_t full = (size_t)((double)width * (double)n->now.bytes / (double)n->now.total);
        *at++ = '[';
        for (size_t i = 0; i < width; i++)
            *at++ = i < full ? '=' : i == full ? '>' : ' ';
        *at++ = ']';
        *at++ = ' ';
    }
    strcpy(at, numbers);
}

void progress_text_last(char text[PROGRESS_TEXT_MAX], const struct progress_numbers *n, size_t columns)
{
    static const char *const forms[] = {"%s in %s, %s/s", "%s %s %s/s", "%s %s"};
    char bytes_text[LEAT_SIZE_TEXT_MAX], rate_text[LEAT_SIZE_TEXT_MAX], clock[32];
    const char *bytes = size_text((double)n->now.bytes, n->decimal, bytes_text);
    const char *rate = size_text(n->rate, n->decimal, rate_text);
    const char *time = clock;
    if (n->now.seconds < 9.95)
        snprintf(clock, sizeof(clock), "%.1fs", n->now.seconds);
    else
        time = clock_text(n->now.seconds, clock);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        /* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
        snprintf(text, PROGRESS_TEXT_MAX, forms[i], bytes, time, rate);
        if (fits(text, columns))
            return;
    }
}
