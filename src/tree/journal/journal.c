/* SPDX-License-Identifier: MIT */
/* The lock of the journal is held for a write. Each worker owns its struct tree_records until the journal is closed. */
#include "tree/journal/journal.h"
#include "base/fd.h"
#include "base/platform.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define SYNC_NS INT64_C(10000000000)

enum {
    FLUSH_RECORDS = 64,       /* as many are written at once, */
    FLUSH_BYTES = 1024 * 1024 /* or fewer, if they record that many bytes */
};

void tree_journal_boot(char *ret, size_t size)
{
    int fd CLEANUP_FD = fd_open("/proc/sys/kernel/random/boot_id", O_RDONLY, 0);
    ssize_t n = fd >= 0 ? read(fd, ret, size - 1) : 0;
    ret[n > 0 ? n : 0] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
}

/* ---- opening ---- */

/* A head that must be the same. */
struct expected {
    const struct record_head *head;
    char why[256]; /* "": it is the same */
};

static int check_head(void *user, const struct record_head *has)
{
    struct expected *e = user;
    const struct record_head *head = e->head;
    bool keeps_same = has->keep == head->keep && has->dropping == head->dropping;
    if (strcmp(has->source, head->source) != 0)
        snprintf(e->why, sizeof(e->why), "The journal is that of another source, %.150s", has->source);
    else if (strcmp(has->target, head->target) != 0)
        snprintf(e->why, sizeof(e->why), "The journal is that of another target, %.150s", has->target);
    else if (!keeps_same)
        strcpy(e->why, "The journal is that of a copy that keeps other attributes");
    else if (strcmp(has->digest, head->digest) != 0)
        strcpy(e->why, "The journal is that of a copy with another digest, or with none");
    else if (has->rank != head->rank || has->ranks != head->ranks)
        snprintf(e->why, sizeof(e->why), "The journal is that of shard %u of %u", (unsigned)has->rank,
                 (unsigned)has->ranks);
    return e->why[0] ? -EINVAL : 0;
}

/* Is it a journal, or an empty file, which becomes one? Any other file is the user's. */
static bool is_journal(const struct tree_journal *j, const struct stat *st)
{
    char bytes[RECORD_MAGIC_SIZE];
    if (!S_ISREG(st->st_mode) || (st->st_uid != geteuid() && st->st_uid != 0))
        return false;
    return st->st_size == 0 || (pread(j->fd, bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes) &&
                                memcmp(bytes, RECORD_MAGIC, sizeof(bytes)) == 0);
}

/* Reads what is there. `why`: the sentence for -EINVAL. */
static int read_old(struct tree_journal *j, const struct record_head *head, char *why, size_t size)
{
    struct expected expected = {.head = head};
    const struct record_hooks hooks = {.head = check_head, .user = &expected};
    int r = record_read_all(j->fd, &hooks, &j->end);
    snprintf(why, size, "%s", r == -EBADMSG ? "The journal is damaged from its beginning on" : expected.why);
    return r == -EBADMSG ? -EINVAL : r;
}

static int begin(struct tree_journal *j, const struct record_head *head, bool resumes, char *why, size_t size)
{
    struct stat st;
    int r = platform.lock_file(j->fd);
    if (r < 0)
        return r;
    if (fstat(j->fd, &st) < 0)
        return -errno;
    if (!is_journal(j, &st)) {
        snprintf(why, size, "The file is no journal of a tree");
        return -EINVAL;
    }
    identity_of_stat(&j->identity, &st);
    j->has_records = resumes && st.st_size > 0;
    r = j->has_records ? read_old(j, head, why, size) : record_add_head(&j->first, head);
    if (r == 0 && st.st_size > (off_t)j->end && ftruncate(j->fd, (off_t)j->end) < 0)
        r = -errno;
    return r;
}

int tree_journal_open(struct tree_journal *j, const char *path, const struct record_head *head, bool resumes,
                      struct leat_error *error)
{
    char why[256] = "";
    *j = (struct tree_journal){.fd = -1, .sync_fd = -1, .path = path, .place.directory = -1, .synced_ns = clock_ns()};
    int r = place_find(&j->place, path, NULL);
    if (r == 0) {
        int fd = openat(j->place.directory, j->place.name,
                        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
        j->fd = fd < 0 ? -errno : fd_above_standard(fd);
        r = j->fd < 0 ? j->fd : begin(j, head, resumes, why, sizeof(why));
    }
    if (r == 0) {
        pthread_mutex_init(&j->lock, NULL);
        return 0;
    }
    j->fd = fd_close(j->fd);
    place_clear(&j->place);
    record_buffer_clear(&j->first);
    if (r == -EBUSY)
        strcpy(why, "Another process uses the journal");
    else if (!why[0])
        error_text(r, why, sizeof(why));
    return error_at(error, r, LEAT_SIDE_NONE, path, "journal", "%s", why);
}

/* ---- writing ---- */

static int write_at(int fd, const struct record_buffer *b, uint64_t at)
{
    for (size_t done = 0; done < b->used;) {
        ssize_t n = pwrite(fd, b->bytes + done, b->used - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        done += (size_t)n;
    }
    return 0;
}

/* Writes records behind the others. What was written of them is cut off if they can't be written whole. */
static void write_records(struct tree_journal *j, struct record_buffer *b)
{
    if (j->write_error == 0 && b->used > 0) {
        j->write_error = write_at(j->fd, b, j->end);
        if (j->write_error == 0)
            j->end += b->used;
        else if (ftruncate(j->fd, (off_t)j->end) < 0)
            b->used = 0; /* the reader cuts it off by the CRC */
    }
    b->used = 0;
}

int tree_journal_begin(struct tree_journal *j, uint64_t root)
{
    char boot[64];
    if (j->fd < 0)
        return 0;
    tree_journal_boot(boot, sizeof(boot));
    int r = record_add_run(&j->first, &(struct record_run){.begun_s = time(NULL), .root = root, .boot = boot});
    write_records(j, &j->first);
    return r;
}

/* All files that the records name were written before, so they are on the disk now. */
static void sync_all(struct tree_journal *j)
{
    if (j->sync_fd < 0 || j->write_error < 0)
        return;
    int r = platform.sync_file_system(j->sync_fd);
    if (r == 0 && record_add_synced(&j->first) == 0) {
        write_records(j, &j->first);
        fsync(j->fd);
    }
    j->synced_ns = clock_ns();
}

static void flush(struct tree_journal *j, struct tree_records *records)
{
    pthread_mutex_lock(&j->lock);
    write_records(j, &j->first);
    write_records(j, &records->buffer);
    if (clock_ns() - j->synced_ns >= SYNC_NS)
        sync_all(j);
    pthread_mutex_unlock(&j->lock);
    records->count = 0;
    records->bytes = 0;
}

struct tree_records *tree_journal_worker(struct tree_journal *j)
{
    struct tree_records *records = calloc(1, sizeof(*records));
    if (!records)
        return NULL;
    pthread_mutex_lock(&j->lock);
    records->next = j->workers;
    j->workers = records;
    pthread_mutex_unlock(&j->lock);
    return records;
}

void tree_journal_add(struct tree_journal *j, struct tree_records *records, const struct record_entry *entry,
                      uint64_t bytes)
{
    if (record_add_entry(&records->buffer, entry) < 0)
        return; /* without a record it is copied again */
    records->count++;
    records->bytes += bytes;
    if (records->count >= FLUSH_RECORDS || records->bytes >= FLUSH_BYTES)
        flush(j, records);
}

/* ---- the end ---- */

int tree_journal_close(struct tree_journal *j, bool is_done, bool removes)
{
    struct tree_records *next;
    if (j->fd < 0)
        return 0;
    for (struct tree_records *records = j->workers; records; records = next) {
        next = records->next;
        if (!removes)
            flush(j, records);
        record_buffer_clear(&records->buffer);
        free(records);
    }
    int said = is_done ? record_add_done(&j->first) : 0; /* without memory it is only not said */
    if (!removes)
        write_records(j, &j->first);
    if (!removes && (!is_done || said < 0))
        sync_all(j); /* a copy goes on from it; one that is done need not wait for the disk */
    if (removes)
        unlinkat(j->place.directory, j->place.name, 0);
    j->fd = fd_close(j->fd);
    place_clear(&j->place);
    record_buffer_clear(&j->first);
    pthread_mutex_destroy(&j->lock);
    return j->write_error;
}
