/* SPDX-License-Identifier: MIT */
/* Any bytes as the journal of a tree: what is read lies within the file, and is found again. The first byte chooses
 * what the others are: '.' bytes behind a head; '|' contents of records, which end with '|' and get a right frame, also
 * that of the head; any other one: the whole file. */
// instrumented: tree/journal/record tree/journal/recorded
#include "base/crc.h"
#include "base/fd.h"
#include "tree/journal/recorded.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static void need(bool right)
{
    if (!right)
        abort();
}

struct told {
    int fd;
    unsigned heads;
    uint64_t last, size;
    const struct recorded *recorded; /* of the second reading */
};

static int on_head(void *user, const struct record_head *head)
{
    struct told *t = user;
    need(t->heads++ == 0 && strlen(head->digest) + strlen(head->source) + strlen(head->target) < t->size);
    return 0;
}

static int on_run(void *user, const struct record_run *run, uint64_t offset)
{
    struct told *t = user;
    need(t->heads == 1 && strlen(run->boot) < t->size && offset > t->last && offset < t->size);
    t->last = offset;
    return 0;
}

/* The entry that is found is this one, or a later one of the same name. */
static int on_entry(void *user, const struct record_entry *entry, uint64_t offset)
{
    struct told *t = user;
    struct record_entry again;
    uint8_t *bytes;
    need(t->heads == 1 && entry->name[0] && offset > t->last && offset < t->size);
    t->last = offset;
    need(record_read_entry(t->fd, offset, &again, &bytes) == 0);
    need(strcmp(again.name, entry->name) == 0 && strcmp(again.digest, entry->digest) == 0);
    need(record_mark_is_same(&again.source, &entry->source) && record_mark_is_same(&again.target, &entry->target));
    free(bytes);
    if (!t->recorded)
        return 0;
    uint64_t found = recorded_find(t->recorded, t->fd, entry->name, &again, &bytes);
    need(found >= offset && strcmp(again.name, entry->name) == 0);
    recorded_add_links(t->recorded, &again);
    free(bytes);
    return 0;
}

static void write_all(int fd, const void *bytes, size_t n)
{
    need(n == 0 || write(fd, bytes, n) == (ssize_t)n);
}

static void write_record(int fd, const uint8_t *contents, size_t n)
{
    const struct crc_kind *kind = crc_find("crc32c");
    uint8_t frame[RECORD_FRAME] = {(uint8_t)n, (uint8_t)(n >> 8)};
    uint64_t crc = crc_add(kind, crc_add(kind, 0, frame, 4), contents, n);
    for (int i = 0; i < 4; i++)
        frame[4 + i] = (uint8_t)(crc >> 8 * i);
    write_all(fd, frame, sizeof(frame));
    write_all(fd, contents, n);
}

static void write_records(int fd, const uint8_t *bytes, size_t n)
{
    write_all(fd, RECORD_MAGIC, RECORD_MAGIC_SIZE);
    while (n > 0) {
        const uint8_t *end = memchr(bytes, '|', n);
        size_t length = end ? (size_t)(end - bytes) : n;
        write_record(fd, bytes, length);
        bytes += length + (end != NULL);
        n -= length + (end != NULL);
    }
}

static void write_behind_head(int fd, const uint8_t *bytes, size_t n)
{
    static const struct record_head head = {.ranks = 1, .digest = "", .source = "/a", .target = "/b"};
    struct record_buffer buffer = {.bytes = NULL};
    need(record_add_head(&buffer, &head) == 0);
    write_all(fd, buffer.bytes, buffer.used);
    write_all(fd, bytes, n);
    record_buffer_clear(&buffer);
}

static void read_twice(int fd, uint64_t size)
{
    struct told told = {.fd = fd, .size = size};
    struct record_hooks hooks = {.head = on_head, .run = on_run, .entry = on_entry, .user = &told};
    struct recorded recorded;
    uint64_t end = 0;
    int r = record_read_all(fd, &hooks, &end);
    need(r == 0 || r == -EBADMSG);
    need(recorded_read(&recorded, fd, "boot") == r);
    if (r < 0)
        return;
    need(end <= size && told.last < end);
    told = (struct told){.fd = fd, .size = size, .recorded = &recorded};
    need(record_read_all(fd, &hooks, NULL) == 0);
    recorded_clear(&recorded);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    int fd = fd_unnamed();
    if (fd < 0)
        return 0;
    if (n > 0 && bytes[0] == '.')
        write_behind_head(fd, bytes + 1, n - 1);
    else if (n > 0 && bytes[0] == '|')
        write_records(fd, bytes + 1, n - 1);
    else
        write_all(fd, bytes, n);
    read_twice(fd, (uint64_t)lseek(fd, 0, SEEK_END));
    fd_close(fd);
    return 0;
}
