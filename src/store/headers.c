/* SPDX-License-Identifier: MIT */
#include "store/headers.h"
#include "base/text.h"
#include "store/date.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

void headers_clear(struct headers *h)
{
    char *const texts[] = {h->etag, h->type, h->version, h->storage_class, h->digest, h->link};
    for (size_t i = 0; i < COUNT(texts); i++)
        free(texts[i]);
    for (size_t i = 0; i < h->metadata_count; i++)
        free(h->metadata_text[i]);
    *h = (struct headers){.modified_s = LEAT_STORE_TIME_UNKNOWN};
}

static void keep(struct headers *h, char **to, const char *value)
{
    free(*to);
    *to = strdup(value);
    h->failed |= !*to;
}

/* Joins several headers of one name by commas. */
static void keep_list(struct headers *h, char **to, const char *value)
{
    char *text = *to ? text_join(*to, ", ", value) : strdup(value);
    h->failed |= !text;
    free(*to);
    *to = text;
}

static void keep_metadata(struct headers *h, const char *name, const char *value)
{
    size_t n = strlen(name) + 1;
    char *text = h->metadata_count < HEADERS_METADATA_MAX ? malloc(n + strlen(value) + 1) : NULL;
    if (!text) {
        h->failed |= h->metadata_count < HEADERS_METADATA_MAX;
        return;
    }
    for (size_t i = 0; i < n; i++)
        text[i] = (char)tolower((unsigned char)name[i]);
    strcpy(text + n, value);
    h->metadata_text[h->metadata_count] = text;
    h->metadata[h->metadata_count++] = (struct leat_store_metadata){text, text + n};
}

static void read_field(struct headers *h, const char *name, const char *value)
{
    if (strcasecmp(name, "etag") == 0)
        keep(h, &h->etag, value);
    else if (strcasecmp(name, "content-type") == 0)
        keep(h, &h->type, value);
    else if (strcasecmp(name, "x-amz-version-id") == 0)
        keep(h, &h->version, value);
    else if (strcasecmp(name, "x-amz-storage-class") == 0)
        keep(h, &h->storage_class, value);
    else if (strcasecmp(name, "docker-content-digest") == 0)
        keep(h, &h->digest, value);
    else if (strcasecmp(name, "link") == 0)
        keep_list(h, &h->link, value);
    else if (strncasecmp(name, "x-amz-meta-", 11) == 0 && name[11])
        keep_metadata(h, name + 11, value);
    else if (strcasecmp(name, "last-modified") == 0 && date_read_http(value, &h->modified_s) < 0)
        h->modified_s = LEAT_STORE_TIME_UNKNOWN;
}

void headers_line(void *user, const char *line, size_t n)
{
    struct headers *h = user;
    while (n && isspace((unsigned char)line[n - 1]))
        n--;
    if (n >= 5 && strncasecmp(line, "HTTP/", 5) == 0) {
        headers_clear(h);
        return;
    }
    const char *colon = memchr(line, ':', n);
    if (!colon || memchr(line, '\0', n))
        return;
    char *text = strndup(line, n);
    if (!text) {
        h->failed = true;
        return;
    }
    char *value = text + (colon - line);
    *value++ = '\0';
    read_field(h, text, value + strspn(value, " \t"));
    free(text);
}

/* The SHA-256 of the whole object, if the answer has one, as text. */
static void write_digest(const struct answer *answer, char ret[HEADERS_DIGEST_MAX])
{
    struct sent_digests digests = answer->digests;
    digests_end(&digests, NULL);
    ret[0] = '\0';
    for (size_t i = 0; i < digests.n; i++)
        if (strcmp(digests.one[i].algorithm, "sha256") == 0 && !ret[0]) {
            strcpy(ret, "sha256:");
            text_hex(digests.one[i].bytes, 32, ret + 7);
        }
}

void headers_entry(struct headers *h, const struct answer *answer, struct leat_store_entry *ret)
{
    ret->bytes = answer->has_length && !answer->is_chunked ? answer->length : LEAT_STORE_SIZE_UNKNOWN;
    ret->modified_s = h->modified_s;
    ret->etag = h->etag;
    ret->type = h->type;
    ret->version = h->version && strcmp(h->version, "null") != 0 ? h->version : NULL;
    write_digest(answer, h->sha256);
    ret->digest = h->digest ? h->digest : h->sha256[0] ? h->sha256 : NULL;
    ret->storage_class = h->storage_class;
    ret->metadata = h->metadata;
    ret->metadata_count = h->metadata_count;
}
