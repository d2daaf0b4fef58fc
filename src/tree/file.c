/* SPDX-License-Identifier: MIT */
/* A small file is read and written by this worker, with few calls, if both ends give a descriptor. Otherwise it goes
 * through a pipeline, whose routes are those of any copy. Several workers copy a very large one (pieces.c). */
#include "tree/file.h"
#include "base/text.h"
#include "endpoint/endpoint.h"
#include "tree/ends.h"
#include "tree/journal/resume.h"
#include "tree/pieces.h"
#include "tree/target/change.h"
#include "tree/tree.h"
#include <leat/filter.h>
#include <leat/pipeline.h>
#include <leat/report.h>
#include <unistd.h>

/* ---- one file on its way ---- */

struct tree_file {
    struct tree_copy *tree;
    struct tree_worker *worker;
    struct tree_dir *dir;
    const char *name;
    struct tree_input *input;
    struct tree_output output;
    struct tree_output *each; /* `output`, or those of several targets */
    unsigned count;
    struct tree_flight flight;          /* of a large file */
    bool is_flying;                     /* it has begun */
    uint64_t bytes;                     /* copied */
    char hex[2 * DIGEST_BYTES_MAX + 1]; /* "": no digest */
};

static int fail(const struct tree_file *f, enum leat_side side, int code, const char *operation)
{
    return tree_problem(f->tree, f->dir, f->name, side, code, operation, NULL);
}

/* One of the outputs gets no more bytes. */
static int fail_output(const struct tree_file *f, struct tree_output *output, int code, const char *operation,
                       const char *text)
{
    output->code = code;
    return tree_problem(f->tree, output->dir, f->name, LEAT_SIDE_SINK, code, operation, text ? "%s" : NULL, text);
}

/* ---- small files ---- */

/* Fills the buffer until the file ends or there is no room. */
static ssize_t read_all(const struct tree_file *f, size_t room)
{
    size_t n = 0;
    for (;;) {
        struct op op = {.kind = OP_READ,
                        .fd = {f->input->fd, -1},
                        .offset = {-1, -1},
                        .bytes = f->worker->buffer + n,
                        .length = room - n};
        ssize_t r = n < room ? op_execute(&op) : 0;
        if (r <= 0)
            return r < 0 ? r : (ssize_t)n;
        n += (size_t)r;
        /* A file that gave less than was asked for, and as much as it has, has ended. */
        if (n < room && n == (uint64_t)f->input->st.st_size)
            return (ssize_t)n;
    }
}

static int write_all(const struct tree_file *f, int fd, size_t n)
{
    for (size_t at = 0; at < n;) {
        struct op op = {
            .kind = OP_WRITE, .fd = {-1, fd}, .offset = {-1, -1}, .bytes = f->worker->buffer + at, .length = n - at};
        ssize_t r = op_execute(&op);
        if (r <= 0)
            return r < 0 ? (int)r : -EIO;
        at += (size_t)r;
    }
    return 0;
}

/* Returns 0, or a code after it has recorded the problem: no output has the bytes. */
static int write_each(const struct tree_file *f, size_t n)
{
    unsigned written = 0;
    int code = 0;
    for (unsigned i = 0; i < f->count; i++) {
        int r = write_all(f, f->each[i].fd, n);
        written += r == 0;
        code = r < 0 ? fail_output(f, &f->each[i], r, op_name(OP_WRITE), NULL) : code;
    }
    return written > 0 ? 0 : code;
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

/* Tries to share the blocks of the file with one target. Returns true if that was done. */
static bool clone(const struct tree_file *f)
{
    struct tree_copy *tree = f->tree;
    if (tree->provider || f->count > 1 || f->input->st.st_size == 0 ||
        atomic_load_explicit(&tree->no_clones, memory_order_relaxed))
        return false;
    struct op op = {.kind = OP_CLONE, .fd = {f->input->fd, f->output.fd}, .offset = {-1, -1}};
    ssize_t r = op_execute(&op);
    if (r < 0)
        atomic_store_explicit(&tree->no_clones, true, memory_order_relaxed);
    return r >= 0;
}

/* Returns 1: the file has become too long for this. */
static int copy_small(struct tree_file *f)
{
    if (clone(f)) {
        f->bytes = (uint64_t)f->input->st.st_size;
        return 0;
    }
    ssize_t n = read_all(f, FILE_SMALL + 1);
    if (n < 0)
        return fail(f, LEAT_SIDE_SOURCE, (int)n, op_name(OP_READ));
    if (n > FILE_SMALL)
        return 1;
    int r = write_each(f, (size_t)n);
    if (r < 0)
        return r;
    f->bytes = (uint64_t)n;
    r = digest_bytes(f, (size_t)n);
    return r < 0 ? fail(f, LEAT_SIDE_FILTER, r, "digest") : 0;
}

/* ---- large files ---- */

static int is_wanted(void *user, const struct leat_progress *now)
{
    struct tree_file *f = user;
    atomic_store(&f->flight.done, now->bytes);
    return tree_is_canceled(f->tree);
}

static int add_digest(const struct tree_file *f, leat_pipeline *pipeline, struct leat_error *error)
{
    leat_filter *filter;
    if (!f->tree->provider)
        return 0;
    int r = leat_filter_digest(&filter, f->tree->options.digest, NULL, error);
    return r < 0 ? r : leat_pipeline_filter(pipeline, filter);
}

static int add_source(const struct tree_file *f, leat_pipeline *pipeline)
{
    leat_endpoint *source;
    if (f->input->endpoint)
        return leat_pipeline_source(pipeline, leat_endpoint_ref(f->input->endpoint));
    int r = leat_endpoint_from_fd(&source, f->input->fd, LEAT_BORROW);
    return r < 0 ? r : leat_pipeline_source(pipeline, source);
}

static int add_sink(const struct tree_file *f, struct tree_output *output, leat_pipeline *pipeline,
                    struct leat_error *error)
{
    leat_endpoint *sink = output->endpoint;
    output->endpoint = NULL;
    int r = sink ? 0 : endpoint_fresh(&sink, f->name, output->fd);
    return r < 0 ? r : leat_pipeline_sink(pipeline, sink, NULL, error);
}

static int build(struct tree_file *f, leat_pipeline *pipeline, struct leat_error *error)
{
    int r = add_source(f, pipeline);
    for (unsigned i = 0; i < f->count; i++) {
        int taken = add_sink(f, &f->each[i], pipeline, error); /* takes its endpoint in any case */
        r = r < 0 ? r : taken;
    }
    return r < 0 ? r : add_digest(f, pipeline, error);
}

static bool failed_at_outputs(const struct tree_file *f, const struct leat_error *error)
{
    return f->count > 1 && error->code < 0 && error->side == LEAT_SIDE_SINK;
}

/* A run with several outputs has failed at some of them, or at all. Records the problems of these. Returns 0 if others
 * have all bytes. */
static int end_outputs(const struct tree_file *f, const leat_report *report, int code)
{
    struct leat_sink_outcome end = LEAT_INIT(struct leat_sink_outcome);
    unsigned done = 0;
    for (unsigned i = 0; i < f->count; i++)
        if (leat_report_sink_at(report, i, &end) == 0 && strcmp(end.status, "done") == 0)
            done++;
        else
            fail_output(f, &f->each[i], end.error ? end.error->code : code, end.error ? end.error->operation : "copy",
                        end.error ? end.error->text : NULL);
    return done > 0 ? 0 : code;
}

static int run(struct tree_file *f, leat_pipeline *pipeline, struct leat_error *error)
{
    leat_report *report = NULL;
    int r = leat_pipeline_run(pipeline, &report);
    if (r < 0 && report && leat_report_error(report))
        *error = *leat_report_error(report);
    if (r < 0 && report && failed_at_outputs(f, error))
        r = end_outputs(f, report, r);
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
    options.user = f;
    if (f->input->fd >= 0 && lseek(f->input->fd, 0, SEEK_SET) != 0)
        return fail(f, LEAT_SIDE_SOURCE, -errno, "lseek");
    int r = leat_pipeline_new(&pipeline, &options, &error);
    if (r < 0)
        return fail(f, LEAT_SIDE_NONE, r, "open");
    r = build(f, pipeline, &error);
    if (r == 0)
        r = run(f, pipeline, &error);
    leat_pipeline_free(pipeline);
    if (r < 0 && !tree_is_canceled(f->tree) && !failed_at_outputs(f, &error))
        tree_problem(f->tree, f->dir, f->name, error.code ? (enum leat_side)error.side : LEAT_SIDE_NONE, r,
                     error.operation[0] ? error.operation : "copy", error.text[0] ? "%s" : NULL, error.text);
    return r;
}

static int copy_in_pieces(struct tree_file *f)
{
    struct tree_moved moved;
    if (clone(f)) {
        f->bytes = (uint64_t)f->input->st.st_size;
        return 0;
    }
    f->worker->flight = &f->flight;
    int r = pieces_copy(f->tree, f->worker, f->dir, f->input, &f->output, &moved);
    f->bytes = moved.bytes;
    if (r == -ESTALE)
        return tree_problem(f->tree, f->dir, f->name, moved.side, r, moved.operation,
                            "The source %s from %lld to %lld bytes while it was read",
                            f->bytes < (uint64_t)f->input->st.st_size ? "shrank" : "grew",
                            (long long)f->input->st.st_size, (long long)f->bytes);
    return r < 0 ? fail(f, moved.side, r, moved.operation) : 0;
}

/* ---- the whole ---- */

static bool has_holes(const struct stat *st)
{
    return (uint64_t)st->st_blocks * 512 < (uint64_t)st->st_size;
}

static int copy_bytes(struct tree_file *f)
{
    const struct stat *st = &f->input->st;
    bool has_both = f->input->fd >= 0 && f->each[0].fd >= 0;
    int r = has_both && st->st_size <= FILE_SMALL && !has_holes(st) ? copy_small(f) : 1;
    if (r > 0 && (has_both || st->st_size > FILE_SMALL)) {
        f->is_flying = true;
        flight_begin(f->tree, &f->flight, f->dir, f->name, (uint64_t)st->st_size);
    }
    if (r > 0 && pieces_fit(f->tree, f->input, &f->output))
        return copy_in_pieces(f);
    return r > 0 ? copy_large(f) : r;
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

static int copy_to_end(struct tree_file *f)
{
    struct tree_copy *tree = f->tree;
    unsigned long problems = tree_problems_here();
    int r = tree->sink->file_open(tree, f->dir, f->name, f->input, &f->output);
    if (r < 0)
        return r;
    f->each = f->output.each ? f->output.each : &f->output;
    f->count = f->output.each ? f->output.count : 1;
    if (!f->output.each)
        f->output.dir = f->dir;
    r = copy_bytes(f);
    if (r == 0 && tree->source->file_read)
        r = tree->source->file_read(tree, f->dir, f->name, f->input);
    r = tree->sink->file_end(tree, f->dir, f->name, f->input, &f->output, r);
    if (r == 0 && tree_problems_here() == problems)
        resume_add_file(tree, f->worker, f->dir, f->name, &f->input->st, f->output.inode, f->bytes, f->hex);
    return r;
}

int file_copy(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir, const char *name,
              struct tree_input *input)
{
    struct tree_file f = {
        .tree = tree, .worker = worker, .dir = dir, .name = name, .input = input, .output = {.fd = -1}};
    int r = 1;
    if (resume_has_file(tree, worker, dir, name, input, f.hex))
        return tell(&f);
    if (tree->sink->file_take && !tree->provider)
        r = tree->sink->file_take(tree, dir, name, input);
    if (r == 0)
        f.bytes = (uint64_t)input->st.st_size;
    if (r > 0)
        r = copy_to_end(&f);
    if (r == 0)
        r = tell(&f);
    if (r == 0) {
        atomic_fetch_add(&tree->counts.files, 1);
        change_tell(tree, dir, name, LEAT_TREE_COPIED);
    }
    if (f.is_flying)
        flight_end(tree, &f.flight, r == 0 ? f.bytes : 0);
    else if (r == 0)
        atomic_fetch_add(&tree->counts.bytes, f.bytes);
    return r;
}
