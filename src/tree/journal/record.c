/* SPDX-License-Identifier: MIT */
#include "tree/journal/record.h"
#include "base/crc.h"
#include <errno.h>
#include <unistd.h>

enum {
    TYPE_HEAD = 'H',
    TYPE_RUN = 'R',
    TYPE_ENTRY = 'E',
    TYPE_SYNCED = 'S',
    TYPE_DONE = 'D',
    MARK_SIZE = 40,
    ENTRY_FIXED = 4 + 2 * MARK_SIZE, /* type, kind, 0, 0, and the marks */
    ENTRY_TEXTS = 2,                 /* digest and name */
    RUN_FIXED = 4 + 2 * 8,           /* type, 0, 0, 0, time and inode */
    HEAD_FIXED = 4 + 4 * 4,          /* type, 0, 0, 0, and the numbers */
    HEAD_TEXTS = 3,                  /* digest, source, target */
    READ_PIECE = 64 * 1024,
};

/* ---- numbers ---- */

static void put(uint8_t *to, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *from, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

/* ---- marks ---- */

void record_mark_of(struct record_mark *ret, const struct stat *st)
{
    *ret = (struct record_mark){.inode = (uint64_t)st->st_ino,
                                .size = (uint64_t)st->st_size,
                                .mtime_s = st->st_mtim.tv_sec,
                                .mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
                                .ctime_s = st->st_ctim.tv_sec,
                                .ctime_ns = (uint32_t)st->st_ctim.tv_nsec};
}

bool record_mark_is_same(const struct record_mark *a, const struct record_mark *b)
{
    return a->inode == b->inode && a->size == b->size && a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns &&
           a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns;
}

static void put_mark(uint8_t *to, const struct record_mark *mark)
{
    put(to, mark->inode, 8);
    put(to + 8, mark->size, 8);
    put(to + 16, (uint64_t)mark->mtime_s, 8);
    put(to + 24, mark->mtime_ns, 4);
    put(to + 28, (uint64_t)mark->ctime_s, 8);
    put(to + 36, mark->ctime_ns, 4);
}

static struct record_mark get_mark(const uint8_t *from)
{
    return (struct record_mark){.inode = get(from, 8),
                                .size = get(from + 8, 8),
                                .mtime_s = (int64_t)get(from + 16, 8),
                                .mtime_ns = (uint32_t)get(from + 24, 4),
                                .ctime_s = (int64_t)get(from + 28, 8),
                                .ctime_ns = (uint32_t)get(from + 36, 4)};
}

/* ---- writing ---- */

static uint32_t crc_of(const uint8_t *frame, size_t n)
{
    const struct crc_kind *kind = crc_find("crc32c");
    return (uint32_t)crc_add(kind, crc_add(kind, 0, frame, 4), frame + RECORD_FRAME, n);
}

/* Makes room for a record with `n` bytes of contents. Returns 0, -ENOMEM or -ENAMETOOLONG. */
static int make_room(struct record_buffer *b, size_t n)
{
    if (n > RECORD_MAX)
        return -ENAMETOOLONG;
    size_t wanted = b->used + RECORD_MAGIC_SIZE + RECORD_FRAME + n;
    if (wanted <= b->room)
        return 0;
    size_t room = MAX(2 * b->room, MAX(wanted, 4096));
    uint8_t *bytes = realloc(b->bytes, room);
    if (!bytes)
        return -ENOMEM;
    b->bytes = bytes;
    b->room = room;
    return 0;
}

/* Ends a record whose contents are in place behind the frame. */
static void end_record(struct record_buffer *b, size_t n)
{
    uint8_t *frame = b->bytes + b->used;
    put(frame, n, 4);
    put(frame + 4, crc_of(frame, n), 4);
    b->used += RECORD_FRAME + n;
}

/* Appends the texts, each with its NUL, behind `fixed` bytes that the caller writes to *ret. */
static int add_texts(struct record_buffer *b, size_t fixed, const char *const *text, int texts, uint8_t **ret)
{
    size_t n = fixed;
    for (int i = 0; i < texts; i++)
        n += strlen(text[i]) + 1;
    int r = make_room(b, n);
    if (r < 0)
        return r;
    *ret = b->bytes + b->used + RECORD_FRAME;
    uint8_t *to = *ret + fixed;
    for (int i = 0; i < texts; i++) {
        size_t length = strlen(text[i]) + 1;
        memcpy(to, text[i], length);
        to += length;
    }
    return (int)n;
}

int record_add_head(struct record_buffer *b, const struct record_head *head)
{
    const char *const texts[HEAD_TEXTS] = {head->digest, head->source, head->target};
    uint8_t *to;
    size_t before = b->used;
    int r = make_room(b, 0);
    if (r < 0)
        return r;
    memcpy(b->bytes + before, RECORD_MAGIC, RECORD_MAGIC_SIZE);
    b->used += RECORD_MAGIC_SIZE;
    r = add_texts(b, HEAD_FIXED, texts, HEAD_TEXTS, &to);
    if (r < 0) {
        b->used = before;
        return r;
    }
    put(to, TYPE_HEAD, 4);
    put(to + 4, head->rank, 4);
    put(to + 8, head->ranks, 4);
    put(to + 12, head->keep, 4);
    put(to + 16, head->dropping, 4);
    end_record(b, (size_t)r);
    return 0;
}

int record_add_run(struct record_buffer *b, const struct record_run *run)
{
    uint8_t *to;
    int r = add_texts(b, RUN_FIXED, &run->boot, 1, &to);
    if (r < 0)
        return r;
    put(to, TYPE_RUN, 4);
    put(to + 4, (uint64_t)run->begun_s, 8);
    put(to + 12, run->root, 8);
    end_record(b, (size_t)r);
    return 0;
}

int record_add_entry(struct record_buffer *b, const struct record_entry *entry)
{
    const char *const texts[ENTRY_TEXTS] = {entry->digest, entry->name};
    uint8_t *to;
    int r = add_texts(b, ENTRY_FIXED, texts, ENTRY_TEXTS, &to);
    if (r < 0)
        return r;
    put(to, TYPE_ENTRY, 4);
    to[1] = (uint8_t)entry->kind;
    put_mark(to + 4, &entry->source);
    put_mark(to + 4 + MARK_SIZE, &entry->target);
    end_record(b, (size_t)r);
    return 0;
}

static int add_type(struct record_buffer *b, uint8_t type)
{
    int r = make_room(b, 1);
    if (r < 0)
        return r;
    b->bytes[b->used + RECORD_FRAME] = type;
    end_record(b, 1);
    return 0;
}

int record_add_synced(struct record_buffer *b)
{
    return add_type(b, TYPE_SYNCED);
}

int record_add_done(struct record_buffer *b)
{
    return add_type(b, TYPE_DONE);
}

void record_buffer_clear(struct record_buffer *b)
{
    free(b->bytes);
    *b = (struct record_buffer){.bytes = NULL};
}

/* ---- reading a record ---- */

/* Finds the texts that fill the rest of a record. Returns 0 or -EBADMSG. */
static int get_texts(const uint8_t *from, size_t n, size_t at, const char **ret, int texts)
{
    for (int i = 0; i < texts; i++) {
        const uint8_t *end = at < n ? memchr(from + at, '\0', n - at) : NULL;
        if (!end)
            return -EBADMSG;
        ret[i] = (const char *)from + at;
        at = (size_t)(end - from) + 1;
    }
    return at == n ? 0 : -EBADMSG;
}

static int get_head(const uint8_t *from, size_t n, struct record_head *ret)
{
    const char *text[HEAD_TEXTS];
    if (n < HEAD_FIXED || get(from, 4) != TYPE_HEAD || get_texts(from, n, HEAD_FIXED, text, HEAD_TEXTS) < 0)
        return -EBADMSG;
    *ret = (struct record_head){.rank = (uint32_t)get(from + 4, 4),
                                .ranks = (uint32_t)get(from + 8, 4),
                                .keep = (uint32_t)get(from + 12, 4),
                                .dropping = (uint32_t)get(from + 16, 4),
                                .digest = text[0],
                                .source = text[1],
                                .target = text[2]};
    return 0;
}

static bool is_kind(uint8_t kind)
{
    return kind == RECORD_FILE || kind == RECORD_LINK || kind == RECORD_SYMLINK || kind == RECORD_SPECIAL;
}

static int get_entry(const uint8_t *from, size_t n, struct record_entry *ret)
{
    const char *text[ENTRY_TEXTS];
    if (n < ENTRY_FIXED || from[0] != TYPE_ENTRY || !is_kind(from[1]) ||
        get_texts(from, n, ENTRY_FIXED, text, ENTRY_TEXTS) < 0 || !text[1][0])
        return -EBADMSG;
    *ret = (struct record_entry){.kind = (enum record_what)from[1],
                                 .source = get_mark(from + 4),
                                 .target = get_mark(from + 4 + MARK_SIZE),
                                 .digest = text[0],
                                 .name = text[1]};
    return 0;
}

static int get_run(const uint8_t *from, size_t n, struct record_run *ret)
{
    if (n < RUN_FIXED)
        return -EBADMSG;
    ret->begun_s = (int64_t)get(from + 4, 8);
    ret->root = get(from + 12, 8);
    return get_texts(from, n, RUN_FIXED, &ret->boot, 1);
}

/* Returns the result of the hook; -EBADMSG: the record can't be trusted. Other types are those of later versions. */
static int hand_on(const struct record_hooks *hooks, const uint8_t *from, size_t n, uint64_t offset)
{
    struct record_entry entry;
    struct record_run run;
    int r = 0;
    if (from[0] == TYPE_ENTRY) {
        r = get_entry(from, n, &entry);
        return r == 0 && hooks->entry ? hooks->entry(hooks->user, &entry, offset) : r;
    }
    if (from[0] == TYPE_RUN) {
        r = get_run(from, n, &run);
        return r == 0 && hooks->run ? hooks->run(hooks->user, &run, offset) : r;
    }
    if (from[0] == TYPE_DONE)
        return hooks->done ? hooks->done(hooks->user) : 0;
    return from[0] == TYPE_SYNCED && hooks->synced ? hooks->synced(hooks->user, offset) : 0;
}

/* ---- reading a file ---- */

struct record_reader {
    int fd;
    uint8_t *bytes; /* from malloc: what was read of the file from `offset` on */
    size_t used, room;
    uint64_t offset;
};

/* Reads until `n` bytes are there. Returns 1, 0: the file is shorter; or a negative errno. */
static int fill(struct record_reader *r, size_t n)
{
    if (r->room < n) {
        size_t room = MAX(n, READ_PIECE);
        uint8_t *bytes = realloc(r->bytes, room);
        if (!bytes)
            return -ENOMEM;
        r->bytes = bytes;
        r->room = room;
    }
    while (r->used < n) {
        ssize_t got = pread(r->fd, r->bytes + r->used, r->room - r->used, (off_t)(r->offset + r->used));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        r->used += (size_t)got;
    }
    return 1;
}

/* Reads the record that begins `at` bytes behind the offset. Returns 1 and the size of its contents; 0: there is none
 * that counts; or a negative errno. */
static int fill_record(struct record_reader *r, size_t at, size_t *ret_n)
{
    int got = fill(r, at + RECORD_FRAME);
    if (got <= 0)
        return got;
    size_t n = (size_t)get(r->bytes + at, 4);
    if (n == 0 || n > RECORD_MAX)
        return 0;
    got = fill(r, at + RECORD_FRAME + n);
    if (got <= 0)
        return got;
    const uint8_t *frame = r->bytes + at;
    *ret_n = n;
    return get(frame + 4, 4) == crc_of(frame, n);
}

static int read_head(struct record_reader *r, const struct record_hooks *hooks, size_t *at)
{
    struct record_head head;
    size_t n = 0;
    int got = fill(r, RECORD_MAGIC_SIZE);
    if (got > 0 && memcmp(r->bytes, RECORD_MAGIC, RECORD_MAGIC_SIZE) != 0)
        got = 0;
    if (got > 0)
        got = fill_record(r, RECORD_MAGIC_SIZE, &n);
    if (got <= 0)
        return got < 0 ? got : -EBADMSG;
    int code = get_head(r->bytes + RECORD_MAGIC_SIZE + RECORD_FRAME, n, &head);
    *at = RECORD_MAGIC_SIZE + RECORD_FRAME + n;
    return code == 0 && hooks->head ? hooks->head(hooks->user, &head) : code;
}

/* Forgets the bytes that were read up to `at`. */
static void advance(struct record_reader *r, size_t *at)
{
    memmove(r->bytes, r->bytes + *at, r->used - *at);
    r->used -= *at;
    r->offset += *at;
    *at = 0;
}

static int read_records(struct record_reader *r, const struct record_hooks *hooks, size_t *at)
{
    for (;;) {
        size_t n = 0;
        if (*at >= READ_PIECE / 2)
            advance(r, at);
        int got = fill_record(r, *at, &n);
        if (got <= 0)
            return got;
        int code = hand_on(hooks, r->bytes + *at + RECORD_FRAME, n, r->offset + *at);
        if (code != 0)
            return code == -EBADMSG ? 0 : code;
        *at += RECORD_FRAME + n;
    }
}

int record_read_all(int fd, const struct record_hooks *hooks, uint64_t *ret_end)
{
    struct record_reader r = {.fd = fd};
    size_t at = 0;
    int code = read_head(&r, hooks, &at);
    if (code == 0)
        code = read_records(&r, hooks, &at);
    if (code == 0 && ret_end)
        *ret_end = r.offset + at;
    free(r.bytes);
    return code;
}

int record_read_entry(int fd, uint64_t offset, struct record_entry *ret, uint8_t **ret_bytes)
{
    struct record_reader r = {.fd = fd, .offset = offset};
    size_t n = 0;
    int got = fill_record(&r, 0, &n);
    int code = got < 0 ? got : got == 0 ? -EBADMSG : get_entry(r.bytes + RECORD_FRAME, n, ret);
    if (code == 0)
        *ret_bytes = r.bytes;
    else
        free(r.bytes);
    return code;
}
