/* SPDX-License-Identifier: MIT */
/* A file is written without a name and gets one at the end (publish.c). A small one is read and written by this worker,
 * with few calls; a large one, or one with holes, goes through a pipeline, whose routes are those of any copy. */
#include "tree/file.h"
#include "base/fd.h"
#include "base/text.h"
#include "endpoint/endpoint.h"
#include "endpoint/publish.h"
#include "tree/attributes.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <leat/filter.h>
#include <leat/pipeline.h>
#include <leat/report.h>
#include <unistd.h>

int file_open(struct tree_copy *tree, const struct tree_dir *dir, const char *name, struct stat *ret)
{
    int fd = openat(dir->fd[SOURCE], name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    if (fd < 0)
        return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, fd, "open",
                            fd == -ELOOP ? "It became a symbolic link meanwhile" : NULL);
    int r = fstat(fd, ret) < 0 ? -errno : 0;
    if (r == 0 && S_ISREG(ret->st_mode))
        return fd;
    fd_close(fd);
    return tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, r < 0 ? r : -ESTALE, "stat",
                        r < 0 ? NULL : "It became something else meanwhile");
}

/* ---- one file on its way ---- */

struct tree_file {
    struct tree_copy *tree;
    struct tree_worker *worker;
    struct tree_dir *dir;
    const char *name;
    const struct stat *st;
    int in, out;
    uint64_t bytes;                     /* copied */
    char hex[2 * DIGEST_BYTES_MAX + 1]; /* "": no digest */
};

static int fail(const struct tree_file *f, enum leat_side side, int code, const char *operation)
{
    return tree_problem(f->tree, f->dir, f->name, side, code, operation, NULL);
}

/* ---- small files ---- */

/* Fills the buffer until the file ends or there is no room. */
static ssize_t read_all(const struct tree_file *f, size_t room)
{
    size_t n = 0;
    for (;;) {
        struct op op = {
            .kind = OP_READ, .fd = {f->in, -1}, .offset = {-1, -1}, .bytes = f->worker->buffer + n, .length = room - n};
        ssize_t r = n < room ? op_execute(&op) : 0;
        if (r <= 0)
            return r < 0 ? r : (ssize_t)n;
        n += (size_t)r;
        /* A file that gave less than was asked for, and as much as it has, has ended. */
        if (n < room && n == (uint64_t)f->st->st_size)
            return (ssize_t)n;
    }
}

static int write_all(const struct tree_file *f, size_t n)
{
    for (size_t at = 0; at < n;) {
        struct op op = {.kind = OP_WRITE,
                        .fd = {-1, f->out},
                        .offset = {-1, -1},
                        .bytes = f->worker->buffer + at,
                        .length = n - at};
        ssize_t r = op_execute(&op);
        if (r <= 0)
            return r < 0 ? (int)r : -EIO;
        at += (size_t)r;
    }
    return 0;
}

static int digest_bytes(struct tree_file *f, size_t n)
{
    uint8_t value[DIGEST_BYTES_MAX];
    const struct digest_provider *provider = f->tree->provider;
    const char *why;
    size_t size;
    void *state;
    if (!provider)
        return 0;
    int r = provider->open(&state, f->tree->options.digest, &size, &why);
    if (r < 0)
        return r;
    r = provider->update(state, f->worker->buffer, n);
    if (r == 0)
        r = provider->value(state, value);
    provider->close(state);
    if (r == 0)
        text_hex(value, size, f->hex);
    return r;
}

/* Tries to share the blocks of the file. Returns true if that was done. */
static bool clone(const struct tree_file *f)
{
    struct tree_copy *tree = f->tree;
    if (tree->provider || f->st->st_size == 0 || atomic_load_explicit(&tree->no_clones, memory_order_relaxed))
        return false;
    struct op op = {.kind = OP_CLONE, .fd = {f->in, f->out}, .offset = {-1, -1}};
    ssize_t r = op_execute(&op);
    if (r < 0)
        atomic_store_explicit(&tree->no_clones, true, memory_order_relaxed);
    return r >= 0;
}

/* Returns 1: the file has become too long for this. */
static int copy_small(struct tree_file *f)
{
    if (clone(f)) {
        f->bytes = (uint64_t)f->st->st_size;
        return 0;
    }
    ssize_t n = read_all(f, FILE_SMALL + 1);
    if (n < 0)
        return fail(f, LEAT_SIDE_SOURCE, (int)n, op_name(OP_READ));
    if (n > FILE_SMALL)
        return 1;
    int r = write_all(f, (size_t)n);
    if (r < 0)
        return fail(f, LEAT_SIDE_SINK, r, op_name(OP_WRITE));
    f->bytes = (uint64_t)n;
    r = digest_bytes(f, (size_t)n);
    return r < 0 ? fail(f, LEAT_SIDE_FILTER, r, "digest") : 0;
}

/* ---- large files ---- */

static int is_wanted(void *user, const struct leat_progress *now UNUSED)
{
    return tree_is_canceled(user);
}

static int add_digest(const struct tree_file *f, leat_pipeline *pipeline, struct leat_error *error)
{
    leat_filter *filter;
    if (!f->tree->provider)
        return 0;
    int r = leat_filter_digest(&filter, f->tree->options.digest, NULL, error);
    return r < 0 ? r : leat_pipeline_filter(pipeline, filter);
}

static int build(const struct tree_file *f, leat_pipeline *pipeline, struct leat_error *error)
{
    leat_endpoint *source, *sink;
    int r = leat_endpoint_from_fd(&source, f->in, LEAT_BORROW);
    if (r == 0)
        r = leat_pipeline_source(pipeline, source);
    if (r == 0)
        r = endpoint_fresh(&sink, f->name, f->out);
    if (r == 0)
        r = leat_pipeline_sink(pipeline, sink, NULL, error);
    return r < 0 ? r : add_digest(f, pipeline, error);
}

static int run(struct tree_file *f, leat_pipeline *pipeline, struct leat_error *error)
{
    leat_report *report = NULL;
    int r = leat_pipeline_run(pipeline, &report);
    if (r < 0 && report && leat_report_error(report))
        *error = *leat_report_error(report);
    if (r == 0) {
        f->bytes = leat_report_bytes(report);
        if (f->tree->provider)
            r = leat_report_digest(report, f->tree->options.digest, f->hex, sizeof(f->hex));
    }
    leat_report_free(report);
    return r;
}

/* The bytes of a small file that became longer are taken back first. */
static int copy_large(struct tree_file *f)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    leat_pipeline *pipeline;
    options.progress = is_wanted;
    options.user = f->tree;
    if (lseek(f->in, 0, SEEK_SET) != 0)
        return fail(f, LEAT_SIDE_SOURCE, -errno, "lseek");
    int r = leat_pipeline_new(&pipeline, &options, &error);
    if (r < 0)
        return fail(f, LEAT_SIDE_NONE, r, "open");
    r = build(f, pipeline, &error);
    if (r == 0)
        r = run(f, pipeline, &error);
    leat_pipeline_free(pipeline);
    if (r < 0 && !tree_is_canceled(f->tree))
        tree_problem(f->tree, f->dir, f->name, error.code ? (enum leat_side)error.side : LEAT_SIDE_NONE, r,
                     error.operation[0] ? error.operation : "copy", error.text[0] ? "%s" : NULL, error.text);
    return r;
}

/* ---- the whole ---- */

static bool has_holes(const struct stat *st)
{
    return (uint64_t)st->st_blocks * 512 < (uint64_t)st->st_size;
}

static int copy_bytes(struct tree_file *f)
{
    bool is_small = f->st->st_size <= FILE_SMALL && !has_holes(f->st);
    int r = is_small ? copy_small(f) : 1;
    return r > 0 ? copy_large(f) : r;
}

/* Looks at what has the name in the target. Returns 0, or a code after it has recorded the problem. */
static int look_at_old(const struct tree_file *f, struct publish *publish)
{
    struct stat st;
    if (!f->dir->existed)
        return 0;
    int r = place_stat(&publish->place, &st);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return fail(f, LEAT_SIDE_SINK, r, "stat");
    if (S_ISDIR(st.st_mode))
        return tree_problem(f->tree, f->dir, f->name, LEAT_SIDE_SINK, -EISDIR, "stat", "A file can't replace a folder");
    if (st.st_dev == f->st->st_dev && st.st_ino == f->st->st_ino)
        return tree_problem(f->tree, f->dir, f->name, LEAT_SIDE_SINK, -EINVAL, "stat",
                            "It is the same file as that of the source");
    publish->replaces = true;
    identity_of_stat(&publish->old, &st);
    return 0;
}

/* Tells the digest. The path is made only for that. */
static int tell(const struct tree_file *f)
{
    if (!f->hex[0] || !f->tree->options.listed)
        return 0;
    char *path CLEANUP_FREE = dir_path(f->dir, f->name);
    if (!path)
        return fail(f, LEAT_SIDE_NONE, -ENOMEM, "digest");
    pthread_mutex_lock(&f->tree->lock);
    f->tree->options.listed(f->tree->options.user, path, f->hex);
    pthread_mutex_unlock(&f->tree->lock);
    return 0;
}

static int copy_to(struct tree_file *f, struct publish *publish)
{
    const char *operation;
    int r = copy_bytes(f);
    if (r == 0)
        attributes_of_file(f->tree, f->dir, f->name, f->in, f->st, f->out); /* it has recorded what was not kept */
    if (r < 0)
        return r;
    r = f->dir->closes_late ? op_close_duplicate(f->out) : 0;
    if (r < 0)
        return fail(f, LEAT_SIDE_SINK, r, op_name(OP_CLOSE));
    r = publish_commit(publish, false, &operation);
    return r < 0 ? fail(f, LEAT_SIDE_SINK, r, operation) : tell(f);
}

int file_copy(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name, int in,
              const struct stat *st)
{
    struct tree_file f = {.tree = tree, .worker = worker, .dir = dir, .name = name, .st = st, .in = in};
    char *own CLEANUP_FREE = strdup(name);
    struct publish publish = {.place = {.directory = dir->fd[TARGET], .name = own}, .fd = -1};
    publish.is_linkable = atomic_load_explicit(&dir->is_linkable, memory_order_relaxed);
    int r = own ? look_at_old(&f, &publish) : fail(&f, LEAT_SIDE_NONE, -ENOMEM, "open");
    if (r < 0)
        return r;
    publish.is_completed = true;
    f.out = publish_open(&publish, st->st_mode & 0777);
    if (f.out < 0)
        return fail(&f, LEAT_SIDE_SINK, f.out, "open");
    if (publish.unnamed)
        atomic_store_explicit(&dir->is_linkable, true, memory_order_relaxed);
    r = copy_to(&f, &publish);
    publish_abort(&publish);
    fd_close(f.out);
    if (r == 0) {
        atomic_fetch_add(&tree->counts.files, 1);
        atomic_fetch_add(&tree->counts.bytes, f.bytes);
    }
    return r;
}
