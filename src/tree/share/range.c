/* SPDX-License-Identifier: MIT */
#include "tree/share/range.h"
#include "base/fd.h"
#include "base/op.h"
#include "base/platform.h"
#include "tree/attributes.h"
#include "tree/file.h"
#include "tree/share/shard.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
    RANGE_BYTES = 64 << 20,
    PIECE_BYTES = 8 << 20, /* of one copy_file_range(2), so that a copy can be cancelled */
    HIDDEN_MAX = 64
};

bool range_is_possible(const struct tree_copy *tree, const struct tree_dir *dir)
{
    return tree->options.shards > 1 && !dir->is_whole && !tree->provider && tree->source == &source_folder &&
           tree->sink == &sink_folder;
}

bool range_is_split(const struct tree_copy *tree, const struct tree_dir *dir, const struct stat *st)
{
    bool has_links = st->st_nlink > 1 && tree->options.keep == LEAT_TREE_ALL;
    return range_is_possible(tree, dir) && S_ISREG(st->st_mode) && st->st_size > RANGE_BYTES && !has_links;
}

/* What all shards know of a file. */
struct range_plan {
    uint64_t count, size;     /* ranges; bytes */
    uint64_t id;              /* of the hidden file */
    uint32_t shards, parties; /* how many there are, and how many have ranges */
    uint32_t party;           /* which party the shard is; from `parties` on it has no range */
};

static struct range_plan make_plan(const struct tree_copy *tree, const struct tree_dir *dir, const char *name,
                                   const struct stat *st)
{
    char text[96];
    struct range_plan p = {.size = (uint64_t)st->st_size, .shards = (uint32_t)tree->options.shards};
    uint64_t hash = shard_hash(dir->hash, name, strlen(name));
    int n = snprintf(text, sizeof(text), "/%lld %lld %ld", (long long)st->st_size, (long long)st->st_mtim.tv_sec,
                     (long)st->st_mtim.tv_nsec);
    p.count = (p.size + RANGE_BYTES - 1) / RANGE_BYTES;
    p.parties = (uint32_t)MIN((uint64_t)p.shards, p.count);
    p.party = ((uint32_t)tree->options.shard + p.shards - shard_of(hash, p.shards)) % p.shards;
    p.id = shard_hash(hash, text, (size_t)n);
    return p;
}

bool range_leaves_file(const struct tree_copy *tree, const struct tree_dir *dir, const char *name,
                       const struct stat *st)
{
    struct range_plan plan = make_plan(tree, dir, name, st);
    return plan.party >= plan.parties;
}

struct range_file {
    struct tree_copy *tree;
    struct tree_worker *worker;
    struct tree_dir *dir;
    const char *name;
    struct tree_input *input;
    struct range_plan plan;
    int out;
    bool has_no_offload;
};

/* `party` -1: the name of the file itself. */
static void hidden_name(const struct range_file *f, int64_t party, char ret[HIDDEN_MAX])
{
    if (party < 0)
        snprintf(ret, HIDDEN_MAX, ".leat-%016llx", (unsigned long long)f->plan.id);
    else
        snprintf(ret, HIDDEN_MAX, ".leat-%016llx.%lld", (unsigned long long)f->plan.id, (long long)party);
}

static bool has_marker(const struct range_file *f, uint32_t party)
{
    char name[HIDDEN_MAX];
    struct stat st;
    hidden_name(f, party, name);
    return fstatat(f->dir->fd[TARGET], name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int fail(const struct range_file *f, enum leat_side side, int code, const char *operation)
{
    return tree_problem(f->tree, f->dir, f->name, side, code, operation, NULL);
}

/* ---- bytes ---- */

/* Copies up to n bytes at `at`. Returns their number, or a code after it has recorded the problem. */
static ssize_t copy_piece(struct range_file *f, uint64_t at, size_t n)
{
    struct op op = {.kind = OP_COPY_RANGE,
                    .fd = {f->input->fd, f->out},
                    .offset = {(int64_t)at, (int64_t)at},
                    .length = MIN(n, PIECE_BYTES)};
    ssize_t r = f->has_no_offload ? 0 : op_execute(&op);
    if (r > 0)
        return r;
    f->has_no_offload = true; /* reading tells what is wrong, if anything is */
    op = (struct op){.kind = OP_READ,
                     .fd = {f->input->fd, -1},
                     .offset = {(int64_t)at, -1},
                     .bytes = f->worker->buffer,
                     .length = MIN(n, FILE_SMALL)};
    r = op_execute(&op);
    if (r <= 0)
        return r < 0 ? fail(f, LEAT_SIDE_SOURCE, (int)r, "read")
                     : tree_problem(f->tree, f->dir, f->name, LEAT_SIDE_SOURCE, -ESTALE, "read",
                                    "It became shorter while it was copied");
    op = (struct op){.kind = OP_WRITE,
                     .fd = {-1, f->out},
                     .offset = {-1, (int64_t)at},
                     .bytes = f->worker->buffer,
                     .length = (size_t)r};
    r = op_execute(&op);
    return r > 0 ? r : fail(f, LEAT_SIDE_SINK, r < 0 ? (int)r : -EIO, "write");
}

/* Copies what is data between the two offsets. */
static int copy_range(struct range_file *f, uint64_t at, uint64_t end)
{
    while (at < end) {
        uint64_t data = at, hole = end;
        int found = platform.find_data(f->input->fd, at, &data, &hole);
        if (found == -ENXIO || (found == 0 && data >= end))
            return 0;
        if (found < 0) { /* this file system has no holes */
            data = at;
            hole = end;
        }
        for (at = data; at < MIN(hole, end);) {
            ssize_t r = copy_piece(f, at, (size_t)(MIN(hole, end) - at));
            if (r < 0)
                return (int)r;
            if (tree_is_canceled(f->tree))
                return -ECANCELED;
            at += (uint64_t)r;
        }
    }
    return 0;
}

static int copy_ranges(struct range_file *f)
{
    int r = 0;
    for (uint64_t i = f->plan.party; r == 0 && i < f->plan.count; i += f->plan.shards) {
        uint64_t at = i * RANGE_BYTES, end = MIN(at + RANGE_BYTES, f->plan.size);
        r = copy_range(f, at, end);
        if (r == 0)
            atomic_fetch_add(&f->tree->counts.bytes, end - at);
    }
    return r;
}

/* ---- the hidden file ---- */

/* In a folder where others may write, the name may be taken by a file of another user. */
static int open_hidden(struct range_file *f, int flags)
{
    char name[HIDDEN_MAX];
    struct stat st;
    hidden_name(f, -1, name);
    int fd = openat(f->dir->fd[TARGET], name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | flags, 0600);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    if (fd < 0)
        return fd;
    int r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && (!S_ISREG(st.st_mode) || st.st_nlink != 1 || (st.st_uid != geteuid() && flags)))
        r = -EPERM;
    if (r == 0 && flags && st.st_size != (off_t)f->plan.size && ftruncate(fd, (off_t)f->plan.size) < 0)
        r = -errno;
    if (r == 0)
        return fd;
    fd_close(fd);
    return r;
}

static bool has_changed(const struct range_file *f)
{
    const struct stat *was = &f->input->st;
    struct stat st;
    return fstat(f->input->fd, &st) < 0 || st.st_size != was->st_size || st.st_mtim.tv_sec != was->st_mtim.tv_sec ||
           st.st_mtim.tv_nsec != was->st_mtim.tv_nsec;
}

static int make_marker(struct range_file *f)
{
    char name[HIDDEN_MAX];
    hidden_name(f, f->plan.party, name);
    int fd = openat(f->dir->fd[TARGET], name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int code = fd < 0 ? -errno : 0;
    fd_close(fd);
    return code < 0 && code != -EEXIST ? fail(f, LEAT_SIDE_SINK, code, "open") : 0;
}

static int copy_share(struct range_file *f)
{
    f->out = open_hidden(f, O_CREAT);
    if (f->out < 0)
        return fail(f, LEAT_SIDE_SINK, f->out, "open");
    int r = copy_ranges(f);
    if (r == 0 && has_changed(f))
        r = tree_problem(f->tree, f->dir, f->name, LEAT_SIDE_SOURCE, -ESTALE, "stat", "It changed while it was copied");
    int closed = r == 0 && f->dir->closes_late ? op_close_duplicate(f->out) : 0;
    f->out = fd_close(f->out);
    if (closed < 0)
        r = fail(f, LEAT_SIDE_SINK, closed, "close");
    return r == 0 ? make_marker(f) : r;
}

/* ---- the end ---- */

/* Returns 1: the target has the file; 0: not yet; or a code after it has recorded the problem. */
static int look_at_target(const struct range_file *f)
{
    const struct stat *source = &f->input->st;
    struct stat st;
    if (fstatat(f->dir->fd[TARGET], f->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(f, LEAT_SIDE_SINK, -errno, "stat");
    if (S_ISDIR(st.st_mode))
        return tree_problem(f->tree, f->dir, f->name, LEAT_SIDE_SINK, -EISDIR, "stat", "A file can't replace a folder");
    if (st.st_dev == source->st_dev && st.st_ino == source->st_ino)
        return tree_problem(f->tree, f->dir, f->name, LEAT_SIDE_SINK, -EINVAL, "stat",
                            "It is the same file as that of the source");
    return S_ISREG(st.st_mode) && st.st_size == source->st_size && st.st_mtim.tv_sec == source->st_mtim.tv_sec &&
           st.st_mtim.tv_nsec == source->st_mtim.tv_nsec;
}

static void remove_markers(const struct range_file *f)
{
    char name[HIDDEN_MAX];
    for (uint32_t i = 0; i < f->plan.parties; i++) {
        hidden_name(f, i, name);
        unlinkat(f->dir->fd[TARGET], name, 0);
    }
}

/* If the hidden file is gone, another shard has published it. */
static int publish(struct range_file *f)
{
    char name[HIDDEN_MAX];
    hidden_name(f, -1, name);
    f->out = open_hidden(f, 0);
    if (f->out == -ENOENT)
        return 0;
    if (f->out < 0)
        return fail(f, LEAT_SIDE_SINK, f->out, "open");
    attributes_of_file(f->tree, f->dir, f->name, f->input->fd, &f->input->st, f->out);
    f->out = fd_close(f->out);
    struct op op = {.kind = OP_RENAME, .fd = {f->dir->fd[TARGET], -1}, .path = {name, f->name}};
    int r = (int)op_execute(&op);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return fail(f, LEAT_SIDE_SINK, r, "rename");
    atomic_fetch_add(&f->tree->counts.files, 1);
    remove_markers(f);
    return 0;
}

int range_copy(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
               struct tree_input *input)
{
    struct range_file f = {.tree = tree, .worker = worker, .dir = dir, .name = name, .input = input, .out = -1};
    f.plan = make_plan(tree, dir, name, &input->st);
    int r = look_at_target(&f);
    if (r > 0 && has_marker(&f, f.plan.party)) /* a shard was killed before it had removed them */
        remove_markers(&f);
    if (r != 0)
        return r < 0 ? r : 0;
    r = has_marker(&f, f.plan.party) ? 0 : copy_share(&f);
    for (uint32_t i = 0; r == 0 && i < f.plan.parties; i++)
        if (!has_marker(&f, i))
            return 0;
    return r == 0 ? publish(&f) : r;
}
