/* SPDX-License-Identifier: MIT */
/* Any bytes as the headers of an answer, as XML of a store and as a URL: what is read fits together, and nothing is
 * read or written behind an end. */
// instrumented: store/answer store/digests store/xml store/s3/error store/url store/redirect store/oci/link
#include "store/answer.h"
#include "store/oci/link.h"
#include "store/redirect.h"
#include "store/s3/error.h"
#include "store/url.h"

static void check_answer(const struct answer *a)
{
    if (a->has_range && (a->range_first > a->range_last || a->range_last >= a->range_total))
        abort();
    if (a->has_range && a->is_behind)
        abort();
    if (a->retry_after_s < -1 || a->retry_after_s > 86400 || a->status < 0 || a->status > 999)
        abort();
    for (size_t i = 0; i < a->digests.n; i++)
        if (a->digests.one[i].n == 0 || a->digests.one[i].n > DIGEST_BYTES_MAX || !a->digests.one[i].header)
            abort();
}

/* Lines as libcurl gives them, without a NUL at their end. */
static void read_lines(const char *bytes, size_t n)
{
    struct answer answer = {.retry_after_s = -1};
    for (size_t at = 0; at < n;) {
        const char *newline = memchr(bytes + at, '\n', n - at);
        size_t line = newline ? (size_t)(newline - bytes) - at + 1 : n - at;
        char *copy = malloc(line); /* of exactly its size, so that a byte too far is seen */
        if (!copy)
            return;
        memcpy(copy, bytes + at, line);
        answer_read_line(&answer, copy, line);
        free(copy);
        at += line;
        check_answer(&answer);
    }
    digests_end(&answer.digests, answer.etag);
    check_answer(&answer);
}

static void read_xml(const char *bytes, size_t n)
{
    char sentence[40];
    memset(sentence, 'x', sizeof(sentence));
    s3_error_explain(bytes, n, sentence, sizeof(sentence));
    const char *end = memchr(sentence, '\0', sizeof(sentence));
    if (!end)
        abort();
    for (const char *c = sentence; *c; c++)
        if ((unsigned char)*c < ' ')
            abort();
}

/* Scheme, host and path stand in the URL in this order. */
static void read_url(const char *text)
{
    struct url url;
    if (url_parse(&url, text) < 0)
        return;
    if (url.path[0] != '/' || !url.host[0] || strchr(url.host, '/') || strchr(url.host, '@') || strchr(url.path, '#') ||
        !strstr(text, url.host))
        abort();
    url_clear(&url);
}

/* The target of a link is a part of the header. */
static void read_link(const char *text)
{
    char *next;
    if (link_next(text, &next) < 0 || !next)
        return;
    if (!strstr(text, next) || strchr(next, '>'))
        abort();
    free(next);
}

/* Where it leads is a URL, and from https: to nowhere else. */
static void read_location(const char *base, const char *text)
{
    struct url url;
    const char *why;
    char *place;
    if (redirect_resolve(&place, base, text, &why) < 0)
        return;
    if (url_parse(&url, place) < 0 || (base[4] == 's' && strcmp(url.scheme, "https") != 0))
        abort();
    url_clear(&url);
    free(place);
}

static void read_login(const char *text)
{
    char *bare = NULL, *user = NULL, *password = NULL;
    if (url_take_login(text, &bare, &user, &password) == 1 && (!user || strlen(bare) >= strlen(text)))
        abort();
    free(bare);
    free(user);
    free(password);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = malloc(n + 1);
    if (!text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    read_lines(text, n);
    read_xml(text, n);
    read_url(text);
    read_location("https://host:1/a/b?c", text);
    read_location("http://host", text);
    read_login(text);
    read_link(text);
    free(text);
    return 0;
}
