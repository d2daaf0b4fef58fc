/* SPDX-License-Identifier: MIT */
#include "store/answer.h"
#include "store/date.h"
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

/* Parses digits only, without overflow. Returns the position after them, or NULL. */
static const char *read_number(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    if (!isdigit((unsigned char)*text))
        return NULL;
    for (; isdigit((unsigned char)*text); text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return NULL;
        value = value * 10 + digit;
    }
    *ret = value;
    return text;
}

static void read_length(struct answer *answer, const char *value)
{
    const char *end = read_number(value, &answer->length);
    answer->has_length = end && *end == '\0';
}

/* "bytes FIRST-LAST/TOTAL". A total of "*" is not accepted, because it has no use here. */
static void read_range(struct answer *answer, const char *value)
{
    uint64_t first, last, total;
    const char *size = strncasecmp(value, "bytes */", 8) == 0 ? read_number(value + 8, &total) : NULL;
    answer->is_behind = size && *size == '\0';
    if (answer->is_behind) {
        answer->has_range = false;
        answer->range_total = total;
        return;
    }
    const char *at = strncasecmp(value, "bytes ", 6) == 0 ? read_number(value + 6, &first) : NULL;
    at = at && *at == '-' ? read_number(at + 1, &last) : NULL;
    at = at && *at == '/' ? read_number(at + 1, &total) : NULL;
    answer->has_range = at && *at == '\0' && first <= last && last < total;
    if (answer->has_range) {
        answer->range_first = first;
        answer->range_last = last;
        answer->range_total = total;
    }
}

static void read_etag(struct answer *answer, const char *value)
{
    if (strncmp(value, "W/", 2) != 0 &&
        strlen(value) < sizeof(answer->etag)) /* a weak ETag does not promise equal bytes */
        strcpy(answer->etag, value);
}

static void read_retry_after(struct answer *answer, const char *value)
{
    uint64_t seconds;
    const char *end = read_number(value, &seconds);
    if (end && *end == '\0')
        answer->retry_after_s = (int64_t)MIN(seconds, 86400u);
}

/* "0-LAST", with or without "bytes=" before it. */
static void read_uploaded(struct answer *answer, const char *value)
{
    if (strncasecmp(value, "bytes=", 6) == 0)
        value += 6;
    const char *end = strncmp(value, "0-", 2) == 0 ? read_number(value + 2, &answer->uploaded_last) : NULL;
    answer->has_uploaded = end && *end == '\0';
}

static void read_date(struct answer *answer, const char *value)
{
    if (date_read_http(value, &answer->date_s) < 0)
        answer->date_s = 0;
}

static void read_location(struct answer *answer, const char *value)
{
    if (strlen(value) < sizeof(answer->location))
        strcpy(answer->location, value);
}

static void read_challenge(struct answer *answer, const char *value)
{
    size_t n = strlen(answer->challenge);
    if (n + 2 + strlen(value) < sizeof(answer->challenge))
        sprintf(answer->challenge + n, "%s%s", n ? ", " : "", value);
}

static void read_accepts(struct answer *answer, const char *value)
{
    answer->has_ranges = strcasecmp(value, "bytes") == 0;
}

/* A chunked body has no length, whatever Content-Length says. */
static void read_encoding(struct answer *answer, const char *value UNUSED)
{
    answer->is_chunked = true;
}

static void read_metadata(struct metadata *metadata, const char *name, const char *value)
{
    for (size_t i = 0; i < METADATA_COUNT; i++)
        if (strcasecmp(name, metadata_names[i]) == 0 && strlen(value) < sizeof(metadata->value[i]))
            strcpy(metadata->value[i], value);
}

static const struct {
    const char *name;
    void (*read)(struct answer *answer, const char *value);
} headers[] = {
    {"content-length", read_length},
    {"content-range", read_range},
    {"etag", read_etag},
    {"retry-after", read_retry_after},
    {"transfer-encoding", read_encoding},
    {"location", read_location},
    {"date", read_date},
    {"www-authenticate", read_challenge},
    {"range", read_uploaded},
    {"accept-ranges", read_accepts},
};

static void read_status(struct answer *answer, const char *line)
{
    uint64_t status;
    const char *at = strchr(line, ' ');
    *answer = (struct answer){.retry_after_s = -1};
    if (at && read_number(at + strspn(at, " "), &status) && status < 1000)
        answer->status = (int)status;
}

void answer_read_line(struct answer *answer, const char *line, size_t n)
{
    char text[LOCATION_MAX + 64];
    while (n && isspace((unsigned char)line[n - 1]))
        n--;
    if (strncasecmp(line, "HTTP/", MIN(n, 5u)) == 0)
        n = MIN(n, sizeof(text) - 1); /* a status line is read even if its reason phrase is long */
    if (n >= sizeof(text) || memchr(line, '\0', n))
        return;
    memcpy(text, line, n);
    text[n] = '\0';
    if (strncasecmp(text, "HTTP/", 5) == 0) {
        read_status(answer, text);
        return;
    }
    char *colon = strchr(text, ':');
    if (!colon)
        return;
    *colon = '\0';
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    for (size_t i = 0; i < COUNT(headers); i++)
        if (strcasecmp(text, headers[i].name) == 0)
            headers[i].read(answer, value);
    if (strncasecmp(text, "x-amz-meta-", 11) == 0)
        read_metadata(&answer->metadata, text + 11, value);
    digests_read_header(&answer->digests, text, value);
}
