/* SPDX-License-Identifier: MIT */
/* The bytes of entries. */
#include "base/fd.h"
#include "image/archive_reader.h"
#include "image/work.h"
#include "node/endpoint.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define PIECE (256u * 1024)

static int go_to(struct tar_reader *r, const struct tar *tar, const struct tar_entry *entry, struct leat_error *error)
{
    struct archive_entry *at;
    int result = 1;
    for (uint32_t i = 0; i <= entry->ordinal && result == 1; i++)
        result = reader_next(r, tar->path, &at, error);
    if (result == 0)
        result = error_set(error, -ESTALE, "%.100s was changed meanwhile", tar->path);
    return result < 0 ? result : 0;
}

/* Reads all bytes of the entry with a reader of its own. */
static int read_all(const struct tar *tar, const struct tar_entry *entry, char *bytes, struct leat_error *error)
{
    struct tar_reader reader;
    int r = reader_open(&reader, tar, error);
    if (r < 0)
        return r;
    r = go_to(&reader, tar, entry, error);
    for (size_t n = 0; r == 0 && n < entry->size;) {
        ssize_t got = reader_read(&reader, tar->path, bytes + n, (size_t)entry->size - n, error);
        if (got == 0)
            got = error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read", "%.100s: %.100s ends too early", tar->path,
                           entry->name);
        r = (int)MIN(got, 0);
        n += got > 0 ? (size_t)got : 0;
    }
    reader_close(&reader);
    return r;
}

int tar_read(const struct tar *tar, const struct tar_entry *entry, size_t max, char **ret, size_t *ret_n,
             struct leat_error *error)
{
    if (entry->size > max)
        return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read", "%.100s: %.100s has more than %zu bytes",
                        tar->path, entry->name, max);
    size_t n = (size_t)entry->size;
    char *bytes = malloc(n + 1);
    if (!bytes)
        return error_set(error, -ENOMEM, "out of memory");
    if (entry->bytes)
        memcpy(bytes, entry->bytes, n);
    int r = entry->bytes ? 0 : read_all(tar, entry, bytes, error);
    if (r < 0) {
        free(bytes);
        return r;
    }
    bytes[n] = '\0';
    *ret = bytes;
    *ret_n = n;
    return 0;
}

/* ---- keeping ---- */

static int by_ordinal(const void *a, const void *b)
{
    uint32_t x = (*(struct tar_entry *const *)a)->ordinal, y = (*(struct tar_entry *const *)b)->ordinal;
    return (x > y) - (x < y);
}

static int write_piece(int fd, const char *bytes, size_t n, off_t at)
{
    while (n) {
        ssize_t done = pwrite(fd, bytes, n, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        bytes += done;
        n -= (size_t)done;
        at += done;
    }
    return 0;
}

/* Copies the entry at which the reader stands to `at`. */
static int keep_entry(const struct tar *tar, struct tar_reader *reader, struct tar_entry *entry, char *piece, off_t at)
{
    struct leat_error error = {.size = sizeof(error)};
    uint64_t left = entry->size;
    int r = 0;
    for (off_t to = at; left && r == 0;) {
        ssize_t got = reader_read(reader, tar->path, piece, (size_t)MIN(left, (uint64_t)PIECE), &error);
        if (got <= 0)
            return got < 0 ? (int)got : -EBADMSG;
        r = write_piece(tar->kept, piece, (size_t)got, to);
        to += got;
        left -= (uint64_t)got;
    }
    if (r == 0)
        entry->kept = at;
    return r;
}

/* Keeps these entries, which are in the order of the archive. */
static void keep_sorted(const struct tar *tar, struct tar_entry *const *entry, size_t n, char *piece)
{
    struct leat_error error = {.size = sizeof(error)};
    struct tar_reader reader;
    struct archive_entry *at;
    off_t end = 0;
    int r = reader_open(&reader, tar, &error) < 0 ? 0 : 1;
    for (uint32_t i = 0, next = 0; next < n && r == 1; i++) {
        r = reader_next(&reader, tar->path, &at, &error);
        if (r != 1 || entry[next]->ordinal != i)
            continue;
        if (keep_entry(tar, &reader, entry[next], piece, end) < 0)
            break;
        end += (off_t)entry[next]->size;
        while (next < n && entry[next]->ordinal == i)
            next++;
    }
    reader_close(&reader);
}

void tar_keep(struct tar *tar, const struct blobs *blobs,
              const struct tar_entry *(*find)(const void *user, const char *digest), const void *user)
{
    size_t n = 0;
    struct tar_entry **list = tar->compressed && tar->kept < 0 ? calloc(blobs->count + 1, sizeof(void *)) : NULL;
    char *piece = list ? malloc(PIECE) : NULL;
    for (size_t i = 0; list && i < blobs->count; i++) {
        const struct tar_entry *entry = find(user, blobs->blob[i].digest);
        if (entry && !entry->bytes)
            list[n++] = &tar->entry[entry - tar->entry];
    }
    if (piece && n > 1) /* one entry is read once anyway */
        tar->kept = fd_unnamed();
    if (tar->kept >= 0 && piece) {
        qsort(list, n, sizeof(void *), by_ordinal);
        keep_sorted(tar, list, n, piece);
    }
    free(piece);
    free(list);
}

/* ---- sources ---- */

struct tar_endpoint {
    leat_endpoint endpoint;
    const struct tar *tar;
    const struct tar_entry *entry;
    struct tar_reader reader; /* if the bytes are not kept */
    uint64_t at;              /* bytes that were read */
    struct leat_error failure;
};

static ssize_t read_kept(const struct tar_endpoint *s, void *bytes, size_t n)
{
    ssize_t got;
    n = (size_t)MIN(n, s->entry->size - s->at);
    if (s->entry->bytes) {
        memcpy(bytes, s->entry->bytes + s->at, n);
        return (ssize_t)n;
    }
    do
        got = n ? pread(s->tar->kept, bytes, n, s->entry->kept + (off_t)s->at) : 0;
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got || !n ? got : -EIO;
}

static bool is_kept(const struct tar_entry *entry)
{
    return entry->bytes || entry->kept >= 0;
}

static ssize_t source_read(void *user, void *bytes, size_t n)
{
    struct tar_endpoint *s = user;
    ssize_t got =
        is_kept(s->entry) ? read_kept(s, bytes, n) : reader_read(&s->reader, s->tar->path, bytes, n, &s->failure);
    s->at += got > 0 ? (uint64_t)got : 0;
    return got;
}

static int source_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct tar_endpoint *s = (struct tar_endpoint *)node;
    int r = is_kept(s->entry) ? 0 : reader_open(&s->reader, s->tar, error);
    if (r == 0 && !is_kept(s->entry))
        r = go_to(&s->reader, s->tar, s->entry, error);
    s->at = 0;
    node->call = source_read;
    node->call_user = s;
    return r;
}

static int source_settle(struct node *node, int code UNUSED, struct leat_error *error)
{
    return error_hand_on(error, &((struct tar_endpoint *)node)->failure);
}

static void source_close(struct node *node)
{
    reader_close(&((struct tar_endpoint *)node)->reader);
}

static void source_free(leat_endpoint *endpoint)
{
    free(endpoint);
}

static const struct node_ops source_ops = {
    .name = "archive", .open = source_open, .settle = source_settle, .close = source_close};

int tar_source(leat_endpoint **ret, const struct tar *tar, const struct tar_entry *entry, struct leat_error *error)
{
    struct tar_endpoint *s = calloc(1, sizeof(*s));
    if (!s || endpoint_init(&s->endpoint, &source_ops, entry->name, LEAT_READ, source_free) < 0) {
        free(s);
        return error_set(error, -ENOMEM, "out of memory");
    }
    s->tar = tar;
    s->entry = entry;
    s->reader.fd = -1;
    s->failure.size = sizeof(s->failure);
    s->endpoint.directed = true;
    s->endpoint.node.kind = NODE_CALL;
    s->endpoint.node.has_size = true;
    s->endpoint.node.size = entry->size;
    *ret = &s->endpoint;
    return 0;
}
