/* SPDX-License-Identifier: MIT */
#include "store/journal.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_LINE   "leat-upload 1\n"
#define LINE_MOST    8192 /* the URL of an object has up to 3 KiB, an ETag up to 256 bytes */
#define PARTS_MOST   10000
#define FILE_MOST    ((off_t)PARTS_MOST * 1024)
#define NO_JOURNAL   "the file is no journal of an upload"
#define OTHER_OBJECT "the journal is that of another object"

void journal_forget(struct journal *j)
{
    for (size_t i = 0; i < j->parts; i++)
        free(j->part[i].etag);
    free(j->part);
    free(j->upload);
    j->part = NULL;
    j->upload = NULL;
    j->parts = 0;
}

static int keep_part(struct journal *j, unsigned number, uint64_t size, const char *sha256, const char *etag)
{
    if (number > j->parts) {
        size_t parts = MAX(number, 2 * j->parts);
        struct journal_part *part = realloc(j->part, parts * sizeof(part[0]));
        if (!part)
            return -ENOMEM;
        memset(part + j->parts, 0, (parts - j->parts) * sizeof(part[0]));
        j->part = part;
        j->parts = parts;
    }
    char *copy = strdup(etag);
    if (!copy)
        return -ENOMEM;
    struct journal_part *part = &j->part[number - 1];
    free(part->etag);
    *part = (struct journal_part){.size = size, .etag = copy};
    snprintf(part->sha256, sizeof(part->sha256), "%s", sha256);
    return 0;
}

/* ---- reading ---- */

/* "part NUMBER SIZE SHA256 ETAG". If a line cannot be parsed, its part is sent again. */
static int read_part(struct journal *j, const char *line)
{
    unsigned number;
    uint64_t size;
    char sha256[65];
    int at = 0;
    if (sscanf(line, "part %5u %" SCNu64 " %64[0-9a-f] %n", &number, &size, sha256, &at) != 3 || at == 0 || !line[at] ||
        number < 1 || number > PARTS_MOST || strlen(sha256) != 64)
        return 0;
    return keep_part(j, number, size, sha256, line + at);
}

static int read_line(struct journal *j, unsigned index, const char *line, const char **ret_why)
{
    if (index == 1 && strncmp(line, "object ", 7) != 0)
        *ret_why = NO_JOURNAL;
    else if (index == 1 && strcmp(line + 7, j->object) != 0)
        *ret_why = OTHER_OBJECT;
    if (*ret_why)
        return -EINVAL;
    if (index > 1 && strncmp(line, "upload ", 7) == 0) { /* the lines before belong to another upload */
        journal_forget(j);
        j->upload = line[7] ? strdup(line + 7) : NULL; /* a name that is empty is none */
        return j->upload || !line[7] ? 0 : -ENOMEM;
    }
    return index > 1 && j->upload ? read_part(j, line) : 0;
}

/* Reads the file. The text is from malloc, with a NUL after it. */
static int read_text(const struct journal *j, size_t size, char **ret, size_t *ret_n)
{
    size_t n = 0;
    char *text = malloc(size + 1);
    if (!text)
        return -ENOMEM;
    while (n < size) {
        ssize_t r = pread(j->fd, text + n, size - n, (off_t)n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0) {
            int code = -errno;
            free(text);
            return code;
        }
        if (r == 0)
            break;
        n += (size_t)r;
    }
    text[n] = '\0';
    *ret = text;
    *ret_n = n;
    return 0;
}

/* An empty file becomes a journal. Any other file that does not start as a journal is the user's data. */
static bool is_journal(const char *text, size_t n)
{
    size_t first = strlen(FIRST_LINE);
    return n == 0 || (n >= first && memcmp(text, FIRST_LINE, first) == 0 && !memchr(text, '\0', n));
}

/* Reads the file, and removes an incomplete line at its end. */
static int read_file(struct journal *j, size_t size, const char **ret_why)
{
    char *text CLEANUP_FREE = NULL, *line, *end;
    size_t n = 0;
    unsigned index = 0;
    int r = read_text(j, size, &text, &n);
    if (r < 0)
        return r;
    *ret_why = is_journal(text, n) ? NULL : NO_JOURNAL;
    if (*ret_why)
        return -EINVAL;
    for (line = text; r == 0 && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        r = read_line(j, index++, line, ret_why);
    }
    if (r < 0)
        return r;
    return ftruncate(j->fd, line - text) < 0 ? -errno : 0;
}

/* ---- writing ---- */

static int write_line(const struct journal *j, const char *line, size_t n)
{
    ssize_t r;
    do
        r = write(j->fd, line, n);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : (size_t)r == n ? 0 : -ENOSPC;
}

static int write_text(const struct journal *j, const char *a, const char *b)
{
    char line[LINE_MOST];
    int n = snprintf(line, sizeof(line), "%s%s\n", a, b);
    return n >= (int)sizeof(line) ? -ENAMETOOLONG : write_line(j, line, (size_t)n);
}

static int write_head(const struct journal *j)
{
    if (ftruncate(j->fd, 0) < 0)
        return -errno;
    int r = write_line(j, FIRST_LINE, strlen(FIRST_LINE));
    return r < 0 ? r : write_text(j, "object ", j->object);
}

/* ---- the file ---- */

/* The process loses the lock when it closes any descriptor of the file, so it has only one. */
static int lock_file(struct journal *j)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(j->fd, F_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
}

static int open_file(struct journal *j, const char **ret_why)
{
    struct stat st;
    j->fd = fd_open(j->path, O_RDWR | O_CREAT | O_APPEND | O_NOCTTY, 0600);
    if (j->fd < 0)
        return j->fd;
    if (fstat(j->fd, &st) < 0)
        return -errno;
    *ret_why = S_ISREG(st.st_mode) ? NULL : NO_JOURNAL;
    if (*ret_why)
        return -EINVAL;
    *ret_why = st.st_size > FILE_MOST ? NO_JOURNAL : NULL;
    int r = *ret_why ? -EINVAL : lock_file(j);
    if (r == 0)
        r = read_file(j, (size_t)st.st_size, ret_why);
    return r == 0 && !j->upload ? write_head(j) : r;
}

int journal_open(struct journal *ret, char *path, const char *object, struct leat_error *error)
{
    struct journal j = {.fd = -1, .path = path, .object = strdup(object)};
    const char *why = NULL;
    char buffer[128];
    int r = j.object ? open_file(&j, &why) : -ENOMEM;
    if (r < 0) {
        journal_forget(&j);
        free(j.object);
        fd_close(j.fd);
        why = why ? why : r == -EBUSY ? "another process uses the journal" : error_text(r, buffer, sizeof(buffer));
        return error_set(error, r, "%.100s: %s", path, why);
    }
    *ret = j;
    return 0;
}

int journal_begin(const struct journal *j, const char *upload)
{
    int r = write_head(j);
    return r < 0 ? r : write_text(j, "upload ", upload);
}

int journal_add(const struct journal *j, unsigned number, uint64_t size, const char *sha256, const char *etag)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "part %u %" PRIu64 " %s %s\n", number, size, sha256, etag);
    return n < (int)sizeof(line) ? write_line(j, line, (size_t)n) : -ENAMETOOLONG;
}

struct journal_part *journal_part(struct journal *j, unsigned number)
{
    bool has = number >= 1 && number <= j->parts && j->part[number - 1].sha256[0];
    return has ? &j->part[number - 1] : NULL;
}

void journal_close(struct journal *j, bool remove)
{
    if (j->fd >= 0 && remove)
        unlink(j->path);
    j->fd = fd_close(j->fd);
    journal_forget(j);
    free(j->object);
    j->object = NULL;
}
