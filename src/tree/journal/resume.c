/* SPDX-License-Identifier: MIT */
#include "tree/journal/resume.h"
#include "base/fd.h"
#include "base/text.h"
#include "tree/attributes.h"
#include "tree/ends/folder.h"
#include "tree/file.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
    CLOCK_STEP_NS = 20000000, /* more than the longest step of the kernel's clock of files */
    TIME_STEP = 2,            /* seconds: the coarsest times of a file system, those of FAT */
};

/* ---- the journal of a copy ---- */

static int read_old(struct tree_copy *tree, struct leat_error *error)
{
    char boot[64], text[128];
    if (!tree->options.resume || !tree->journal.has_records)
        return 0;
    tree_journal_boot(boot, sizeof(boot));
    int r = recorded_read(&tree->recorded, tree->journal.fd, boot);
    return r < 0 ? error_at(error, r, LEAT_SIDE_NONE, tree->options.journal, "journal", "%s",
                            error_text(r, text, sizeof(text)))
                 : 0;
}

int resume_open(struct tree_copy *tree, const char *source, const char *target, struct leat_error *error)
{
    const struct leat_tree_options *o = &tree->options;
    struct leat_error own = {.size = sizeof(own)};
    if (!o->journal || o->dry_run || (o->claims && o->journal_optional))
        return 0;
    if (tree->source->dir_open != source_folder.dir_open || tree->sink != &sink_folder)
        return 0;
    char *from CLEANUP_FREE = tree_folder_path(source), *to CLEANUP_FREE = tree_folder_path(target);
    if (!from || !to)
        return error_set(error, -ENOMEM, "out of memory");
    const struct record_head head = {.rank = (uint32_t)o->shard,
                                     .ranks = (uint32_t)MAX(o->shards, 1),
                                     .keep = (uint32_t)o->keep,
                                     .dropping = o->drop_attributes != 0,
                                     .digest = tree->provider ? tree->digest.name : "",
                                     .source = from,
                                     .target = to};
    int r = tree_journal_open(&tree->journal, o->journal, &head, o->resume, &own);
    if (r < 0 && o->journal_optional && !(o->resume && (r == -EINVAL || r == -EBUSY)))
        return 0;
    error_hand_on(error, &own);
    return r < 0 ? r : read_old(tree, error);
}

int resume_begin(struct tree_copy *tree)
{
    tree->journal.sync_fd = tree->options.sync ? tree->root->fd[TARGET] : -1;
    return tree_journal_begin(&tree->journal, (uint64_t)tree->root->identity[TARGET].inode);
}

void resume_close(struct tree_copy *tree, bool begins, bool is_done)
{
    struct tree_journal *j = &tree->journal;
    bool removes = is_done ? !tree->options.journal_stays : !begins && !j->has_records;
    bool stays = j->fd >= 0 && !removes;
    recorded_clear(&tree->recorded);
    int r = tree_journal_close(j, is_done, removes);
    atomic_store(&tree->counts.journal, stays);
    if (r < 0 && !is_done && !tree->options.journal_optional)
        tree_problem(tree, tree->root, NULL, LEAT_SIDE_NONE, r, "journal", NULL);
}

int resume_worker_open(struct tree_copy *tree, struct tree_worker *worker)
{
    if (tree->journal.fd >= 0)
        worker->records = tree_journal_worker(&tree->journal);
    return tree->journal.fd >= 0 && !worker->records ? -ENOMEM : 0;
}

/* ---- recording ---- */

static void set_now(struct record_mark *mark)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    mark->ctime_s = now.tv_sec;
    mark->ctime_ns = (uint32_t)now.tv_nsec;
}

static void add(struct tree_copy *tree, struct tree_worker *worker, const struct tree_dir *dir, const char *name,
                struct record_entry *entry, uint64_t bytes)
{
    char *path CLEANUP_FREE = dir_path(dir, name);
    if (!path)
        return; /* without a record it is copied again */
    entry->name = path;
    set_now(&entry->target);
    tree_journal_add(&tree->journal, worker->records, entry, bytes);
}

void resume_add_file(struct tree_copy *tree, struct tree_worker *worker, const struct tree_dir *dir, const char *name,
                     const struct stat *st, ino_t inode, uint64_t bytes, const char *hex)
{
    struct record_entry entry = {.kind = RECORD_FILE, .digest = hex};
    if (!worker->records)
        return;
    record_mark_of(&entry.source, st);
    entry.target = entry.source;
    entry.target.inode = (uint64_t)inode;
    entry.target.size = bytes;
    add(tree, worker, dir, name, &entry, bytes);
}

void resume_add_name(struct tree_copy *tree, struct tree_worker *worker, const struct tree_dir *dir, const char *name,
                     const struct stat *st, enum record_what kind)
{
    struct record_entry entry = {.kind = kind, .digest = ""};
    struct stat now;
    if (!worker->records || fstatat(dir->fd[TARGET], name, &now, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    record_mark_of(&entry.source, st);
    record_mark_of(&entry.target, &now);
    add(tree, worker, dir, name, &entry, 0);
}

void resume_add_link(struct tree_copy *tree, struct tree_worker *worker, const struct tree_link *link,
                     const struct tree_dir *dir, const char *name, const struct stat *st)
{
    if (link->ctime.tv_sec == st->st_ctim.tv_sec && link->ctime.tv_nsec == st->st_ctim.tv_nsec)
        resume_add_name(tree, worker, dir, name, st, RECORD_LINK);
}

/* ---- what is proven ---- */

static bool is_later(const struct timespec *time, const struct record_mark *mark)
{
    return time->tv_sec != mark->ctime_s ? time->tv_sec > mark->ctime_s : time->tv_nsec > (long)mark->ctime_ns;
}

/* By all but the change of its status. */
static bool is_copy_same(const struct record_mark *mark, const struct stat *now)
{
    int64_t apart = (int64_t)now->st_mtim.tv_sec - mark->mtime_s;
    return (uint64_t)now->st_ino == mark->inode && (uint64_t)now->st_size == mark->size && apart <= TIME_STEP &&
           apart >= -TIME_STEP;
}

static ssize_t read_piece(int fd, char *bytes, size_t n, off_t at)
{
    size_t done = 0;
    while (done < n) {
        ssize_t r = pread(fd, bytes + done, n - done, at + (off_t)done);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? r : (ssize_t)done;
        done += (size_t)r;
    }
    return (ssize_t)done;
}

static bool has_same_bytes(struct tree_copy *tree, const struct tree_worker *worker, int in, int out)
{
    enum {
        PIECE = FILE_SMALL / 2
    };
    char *a = worker->buffer, *b = a + PIECE;
    for (off_t at = 0; !tree_is_canceled(tree); at += PIECE) {
        ssize_t n = read_piece(in, a, PIECE, at);
        if (n < 0 || read_piece(out, b, PIECE, at) != n || memcmp(a, b, (size_t)n) != 0)
            return false;
        if (n < PIECE)
            return true;
    }
    return false;
}

static int open_copy(const struct tree_dir *dir, const char *name, const struct stat *expected)
{
    struct stat st;
    int fd = openat(dir->fd[TARGET], name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    fd = fd_above_standard(fd);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == expected->st_dev && st.st_ino == expected->st_ino)
        return fd;
    return fd_close(fd);
}

/* The clock of files goes on in steps. A source that was changed shortly before its entry was made may have been
 * changed again within the same step, after it was read. */
static bool is_fresh(const struct record_entry *entry)
{
    const struct record_mark *changed = &entry->source, *made = &entry->target;
    int64_t apart_s = made->ctime_s - changed->ctime_s;
    int64_t apart_ns = (int64_t)made->ctime_ns - (int64_t)changed->ctime_ns;
    return apart_s < 0 || (apart_s <= 1 && apart_s * 1000000000 + apart_ns < CLOCK_STEP_NS);
}

/* An entry and the name that it may prove. */
struct resume_case {
    struct tree_copy *tree;
    struct tree_worker *worker;
    const struct tree_dir *dir;
    const char *name;
    const struct stat *st;
    int in;
    struct record_entry entry;
    uint8_t *bytes; /* of the entry */
    uint64_t offset;
    struct stat now;   /* of the copy */
    bool is_touched;   /* the status of the copy has changed since */
    bool is_unwritten; /* its bytes may not have reached the disk */
    bool is_fresh;     /* the source may have changed since */
};

/* Finds the entry, and looks at what it says. */
static bool has_entry(struct resume_case *c)
{
    const struct recorded *recorded = &c->tree->recorded;
    struct record_mark mark;
    char *path CLEANUP_FREE = dir_path(c->dir, c->name);
    c->offset = path ? recorded_find(recorded, c->tree->journal.fd, path, &c->entry, &c->bytes) : 0;
    if (!c->offset)
        return false;
    record_mark_of(&mark, c->st);
    c->is_fresh = is_fresh(&c->entry);
    recorded_add_links(recorded, &c->entry);
    if (!record_mark_is_same(&mark, &c->entry.source) ||
        fstatat(c->dir->fd[TARGET], c->name, &c->now, AT_SYMLINK_NOFOLLOW) < 0 ||
        (c->now.st_mode & S_IFMT) != (c->st->st_mode & S_IFMT) || !is_copy_same(&c->entry.target, &c->now))
        return false;
    c->is_touched = is_later(&c->now.st_ctim, &c->entry.target);
    c->is_unwritten = !recorded_is_lasting(recorded, c->offset);
    return true;
}

/* Finds out from the files what the entry does not prove, and gives the copy its attributes again if its status has
 * changed: others did that, or made a link, or a link was made that was not recorded. */
static bool is_verified(struct resume_case *c, const char *hex)
{
    if (!c->is_touched && !c->is_unwritten && !c->is_fresh)
        return true;
    int out CLEANUP_FD = open_copy(c->dir, c->name, &c->now);
    if (out < 0 || !has_same_bytes(c->tree, c->worker, c->in, out))
        return false;
    if (c->is_touched && attributes_of_file(c->tree, c->dir, c->name, c->in, c->st, out) < 0)
        return false;
    resume_add_file(c->tree, c->worker, c->dir, c->name, c->st, c->now.st_ino, (uint64_t)c->st->st_size, hex);
    return true;
}

/* Computes the digest of the source. A further name of a file is recorded without one. */
static int digest_source(const struct resume_case *c, char *hex)
{
    const struct digest_provider *provider = c->tree->provider;
    uint8_t value[DIGEST_BYTES_MAX];
    const char *why;
    ssize_t n;
    size_t size;
    void *state;
    int r = provider->open(&state, c->tree->digest.name, &size, &why);
    if (r < 0)
        return r;
    off_t at = 0;
    do {
        n = tree_is_canceled(c->tree) ? -ECANCELED : read_piece(c->in, c->worker->buffer, FILE_SMALL, at);
        r = n > 0 ? provider->update(state, c->worker->buffer, (size_t)n) : (int)n;
        at += n;
    } while (r == 0 && n > 0);
    if (r == 0)
        r = provider->value(state, value);
    provider->close(state);
    if (r == 0)
        text_hex(value, size, hex);
    return r;
}

/* Finds the digest, if one is wanted. */
static bool has_digest(const struct resume_case *c, char *hex)
{
    if (!c->tree->provider)
        return true;
    if (c->entry.kind == RECORD_LINK && !c->entry.digest[0])
        return digest_source(c, hex) == 0;
    bool has = strlen(c->entry.digest) == 2 * c->tree->digest.size;
    if (has)
        strcpy(hex, c->entry.digest);
    return has;
}

static bool is_journal(const struct tree_copy *tree, const struct stat *st)
{
    struct identity identity;
    identity_of_stat(&identity, st);
    return tree->journal.fd >= 0 && identity_is_same(&identity, &tree->journal.identity);
}

bool resume_has_file(struct tree_copy *tree, struct tree_worker *worker, const struct tree_dir *dir, const char *name,
                     const struct tree_input *input, char *hex)
{
    const struct stat *st = &input->st;
    struct resume_case c = {.tree = tree, .worker = worker, .dir = dir, .name = name, .st = st, .in = input->fd};
    if (is_journal(tree, st))
        return true;
    if (!tree->recorded.slot)
        return false;
    bool has = has_entry(&c) && has_digest(&c, hex) && is_verified(&c, hex);
    if (has)
        atomic_fetch_add(&tree->counts.resumed, 1);
    else
        hex[0] = '\0';
    if (c.offset)
        free(c.bytes);
    return has;
}

bool resume_has_name(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const struct stat *st)
{
    struct resume_case c = {.tree = tree, .dir = dir, .name = name, .st = st, .in = -1};
    if (!tree->recorded.slot)
        return false;
    bool has = has_entry(&c) && !c.is_touched && !c.is_unwritten;
    if (has)
        atomic_fetch_add(&tree->counts.resumed, 1);
    if (c.offset)
        free(c.bytes);
    return has;
}

bool resume_has_link(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const struct tree_dir *from,
                     const char *first)
{
    struct stat a, b;
    if (!tree->recorded.slot || fstatat(from->fd[TARGET], first, &a, AT_SYMLINK_NOFOLLOW) < 0 ||
        fstatat(dir->fd[TARGET], name, &b, AT_SYMLINK_NOFOLLOW) < 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return false;
    atomic_fetch_add(&tree->counts.resumed, 1);
    return true;
}
