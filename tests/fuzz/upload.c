/* SPDX-License-Identifier: MIT */
/* Any bytes as what S3 says of an upload, as the journal of one, as a profile and as keys in JSON: what is read has its
 * bounds and its ends, and nothing else is. In files '|' is the end of a line, so that a seed has one line. */
// instrumented: store/s3/write store/xml store/journal store/s3/profile store/s3/credentials store/date store/base64
#include "store/date.h"
#include "store/journal.h"
#include "store/s3/object.h"
#include "store/s3/profile.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static void need(bool right)
{
    if (!right)
        abort();
}

#define ENDS(text) need(memchr(text, '\0', sizeof(text)) != NULL)

/* ---- what S3 says ---- */

static void part_is_told(void *user, unsigned number, uint64_t size, const char *etag, bool has_sum UNUSED)
{
    size_t *parts = user;
    need(number <= 10000 && size < UINT64_MAX && strlen(etag) < ETAG_MAX);
    ++*parts;
}

static void read_answers(const char *bytes, size_t n)
{
    char upload[UPLOAD_MAX], etag[ETAG_MAX];
    unsigned next = 0;
    size_t parts = 0;
    memset(upload, 'x', sizeof(upload));
    memset(etag, 'x', sizeof(etag));
    int r = s3_multipart.created(bytes, n, upload);
    ENDS(upload);
    need((r == 0) == (upload[0] != '\0'));
    s3_multipart.completed(bytes, n, etag);
    ENDS(etag);
    if (s3_multipart.listed(bytes, n, part_is_told, &parts, &next) == 0)
        need(next <= 10000 && parts < n);
}

/* ---- files ---- */

static int make_file(const char *text, size_t n, char path[64])
{
    FILE *file = tmpfile();
    int fd = file ? dup(fileno(file)) : -1;
    if (file)
        fclose(file);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd >= 0 && write(fd, text, n) == (ssize_t)n ? fd : -1;
}

static void read_journal(char *path)
{
    struct journal journal;
    struct leat_error error = {.size = sizeof(error)};
    if (journal_open(&journal, path, "http://host/b/k", &error) < 0) {
        need(error.code < 0 && error.text[0]);
        return;
    }
    need(journal.fd >= 0 && (!journal.upload || journal.upload[0]));
    for (unsigned i = 0; i <= journal.parts + 1; i++) {
        const struct journal_part *part = journal_part(&journal, i);
        need(!part || (i >= 1 && i <= journal.parts && part->etag && strspn(part->sha256, "0123456789abcdef") == 64));
    }
    journal_close(&journal, false);
}

static void read_profile(const char *path)
{
    for (int services = 0; services < 2; services++) {
        struct profile *profile = calloc(1, sizeof(*profile));
        if (!profile)
            return;
        int r = profile_read(profile, path, services ? "mine" : "default", services);
        need(r == 0 || r == 1 || r == -EINVAL || r == -ENOMEM);
        ENDS(profile->credentials.key);
        ENDS(profile->credentials.secret);
        ENDS(profile->credentials.token);
        ENDS(profile->process);
        ENDS(profile->region);
        ENDS(profile->endpoint);
        free(profile);
    }
}

static void read_keys(const char *bytes, size_t n)
{
    struct credentials *keys = malloc(sizeof(*keys));
    if (!keys)
        return;
    memset(keys, 'x', sizeof(*keys));
    if (credentials_read(keys, bytes, n, "Token") == 0) {
        ENDS(keys->key);
        ENDS(keys->secret);
        ENDS(keys->token);
        need(keys->key[0] && keys->secret[0]);
    }
    free(keys);
}

static void read_dates(const char *text)
{
    int64_t seconds;
    char written[DATE_MAX];
    if (date_read_iso(text, &seconds) == 0 || date_read_http(text, &seconds) == 0) {
        date_write(seconds, written);
        ENDS(written);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = malloc(n + 1), path[64];
    if (!text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    read_answers(text, n);
    read_keys(text, n);
    read_dates(text);
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == '|' ? '\n' : text[i];
    int fd = make_file(text, n, path);
    if (fd >= 0) {
        read_profile(path);
        read_journal(path); /* which may cut it */
        close(fd);
    }
    free(text);
    return 0;
}
