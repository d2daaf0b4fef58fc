/* SPDX-License-Identifier: MIT */
/* The lock guards all members of struct tree_large but those that do not change. No lock is held while bytes move. */
#include "tree/pieces.h"
#include "base/op.h"
#include "base/platform.h"
#include "tree/file.h"
#include "tree/tree.h"
#include <time.h>
#include <unistd.h>

enum {
    LARGE = 64 << 20, /* bytes of a file that is copied in pieces */
    PIECE = 16 << 20,
    LOOK_MS = 100, /* a walker that waits looks that often whether the copy was cancelled */
};

struct tree_large {
    struct tree_dir *dir;
    int in, out;
    bool has_holes;
    struct tree_flight *flight; /* the owner's */
    uint64_t size;              /* when it was opened */
    uint64_t next;              /* where the first piece begins that no worker has taken */
    uint64_t end;               /* where it ended meanwhile, if that is before `size` */
    unsigned active;            /* workers that copy a piece */
    unsigned helpers;           /* batches for it that were given out */
    unsigned refs;              /* the owner, and those batches */
    atomic_bool no_copy_range;  /* that call does not work here */
    int code;                   /* of the first failure, with what it is about: */
    enum leat_side side;
    const char *operation;
    struct tree_large *next_large;
};

void pieces_init(struct tree_pieces *pieces)
{
    pthread_mutex_init(&pieces->lock, NULL);
    pthread_cond_init(&pieces->changed, NULL);
}

void pieces_clear(struct tree_pieces *pieces)
{
    pthread_cond_destroy(&pieces->changed);
    pthread_mutex_destroy(&pieces->lock);
}

bool pieces_fit(const struct tree_copy *tree, const struct tree_input *input, const struct tree_output *output)
{
    return tree->jobs > 1 && !tree->provider && input->fd >= 0 && output->fd >= 0 && input->st.st_size >= LARGE;
}

/* ---- bytes ---- */

/* One step of a copy: what it is about, if it fails. */
struct piece_step {
    struct tree_large *large;
    char *buffer;
    enum leat_side side;
    const char *operation;
};

static int fail(struct piece_step *s, int code, enum leat_side side, enum op_kind kind)
{
    s->side = side;
    s->operation = op_name(kind);
    return code;
}

/* Returns the bytes that were written, which are all that were read; 0: the file has ended; or a negative errno. */
static ssize_t read_and_write(struct piece_step *s, uint64_t at, size_t n)
{
    struct op in = {.kind = OP_READ,
                    .fd = {s->large->in, -1},
                    .offset = {(int64_t)at, -1},
                    .bytes = s->buffer,
                    .length = MIN(n, (size_t)FILE_SMALL)};
    ssize_t got = op_execute(&in);
    if (got <= 0)
        return got < 0 ? fail(s, (int)got, LEAT_SIDE_SOURCE, OP_READ) : 0;
    for (ssize_t done = 0; done < got;) {
        struct op out = {.kind = OP_WRITE,
                         .fd = {-1, s->large->out},
                         .offset = {-1, (int64_t)at + done},
                         .bytes = s->buffer + done,
                         .length = (size_t)(got - done)};
        ssize_t r = op_execute(&out);
        if (r <= 0)
            return fail(s, r < 0 ? (int)r : -EIO, LEAT_SIDE_SINK, OP_WRITE);
        done += r;
    }
    return got;
}

/* copy_file_range does not say on which side it failed, nor surely that the file has ended. Reading and writing do. */
static ssize_t copy_some(struct piece_step *s, uint64_t at, size_t n)
{
    struct op op = {
        .kind = OP_COPY_RANGE, .fd = {s->large->in, s->large->out}, .offset = {(int64_t)at, (int64_t)at}, .length = n};
    if (!atomic_load_explicit(&s->large->no_copy_range, memory_order_relaxed)) {
        ssize_t r = op_execute(&op);
        if (r > 0)
            return r;
        if (r < 0)
            atomic_store_explicit(&s->large->no_copy_range, true, memory_order_relaxed);
    }
    return read_and_write(s, at, n);
}

/* Returns where it ended: at + n, or before that at the end of the file; or a negative errno. */
static int64_t copy_data(struct piece_step *s, uint64_t at, uint64_t n)
{
    uint64_t end = at + n;
    while (at < end) {
        ssize_t r = copy_some(s, at, (size_t)(end - at));
        if (r <= 0)
            return r < 0 ? r : (int64_t)at;
        at += (uint64_t)r;
    }
    return (int64_t)at;
}

/* The same for what has holes, which stay holes. */
static int64_t copy_piece(struct piece_step *s, uint64_t at, uint64_t n)
{
    uint64_t end = at + n, start, hole;
    if (!s->large->has_holes)
        return copy_data(s, at, n);
    while (at < end) {
        struct stat now;
        int r = platform.find_data(s->large->in, at, &start, &hole);
        if (r == -ENXIO) /* a hole up to the end of the file */
            return fstat(s->large->in, &now) < 0 ? -errno : (int64_t)MAX(at, MIN(end, (uint64_t)now.st_size));
        if (r < 0)
            return copy_data(s, at, end - at);
        if (start >= end)
            break;
        hole = MIN(hole, end);
        int64_t came = copy_data(s, start, hole - start);
        if (came < (int64_t)hole)
            return came;
        at = hole;
    }
    return (int64_t)end;
}

/* ---- pieces ---- */

static void note(struct tree_large *large, const struct piece_step *s, uint64_t end, int64_t came)
{
    if (came >= 0 && (uint64_t)came < end)
        large->end = MIN(large->end, (uint64_t)came);
    if (came >= 0 || large->code < 0)
        return;
    large->code = (int)came;
    large->side = s->side;
    large->operation = s->operation ? s->operation : "lseek";
}

/* Takes pieces until there are none. */
static void copy_pieces(struct tree_copy *tree, struct tree_worker *worker, struct tree_large *large)
{
    struct tree_pieces *pieces = &tree->pieces;
    struct piece_step s = {.large = large, .buffer = worker->buffer, .side = LEAT_SIDE_SOURCE};
    pthread_mutex_lock(&pieces->lock);
    large->active++;
    while (large->code == 0 && large->next < MIN(large->size, large->end) && !tree_is_canceled(tree)) {
        uint64_t at = large->next, n = MIN((uint64_t)PIECE, large->size - at);
        large->next += n;
        pthread_mutex_unlock(&pieces->lock);
        int64_t came = copy_piece(&s, at, n);
        pthread_mutex_lock(&pieces->lock);
        note(large, &s, at + n, came);
        atomic_fetch_add(&large->flight->done, n);
    }
    large->active--;
    pthread_cond_broadcast(&pieces->changed);
    pthread_mutex_unlock(&pieces->lock);
}

/* All workers have ended. A file that has another size now was changed while it was read. */
static int finish(struct tree_copy *tree, const struct tree_large *large, struct tree_moved *ret)
{
    struct op op = {.kind = OP_TRUNCATE, .fd = {-1, large->out}, .offset = {-1, (int64_t)large->size}};
    struct stat now;
    *ret = (struct tree_moved){large->size, large->side, large->operation};
    if (large->code < 0 || tree_is_canceled(tree))
        return large->code < 0 ? large->code : -ECANCELED;
    ret->side = LEAT_SIDE_SOURCE;
    ret->operation = "fstat";
    if (fstat(large->in, &now) < 0)
        return -errno;
    ret->bytes = MIN((uint64_t)now.st_size, large->end);
    if (ret->bytes != large->size)
        return -ESTALE;
    ret->side = LEAT_SIDE_SINK;
    ret->operation = op_name(OP_TRUNCATE);
    return (int)op_execute(&op);
}

int pieces_copy(struct tree_copy *tree, struct tree_worker *worker, struct tree_dir *dir,
                const struct tree_input *input, const struct tree_output *output, struct tree_moved *ret)
{
    struct tree_pieces *pieces = &tree->pieces;
    struct tree_large *large = calloc(1, sizeof(*large)), **at = &pieces->first;
    if (!large) {
        *ret = (struct tree_moved){.side = LEAT_SIDE_NONE, .operation = "open"};
        return -ENOMEM;
    }
    large->dir = dir;
    large->flight = worker->flight;
    large->in = input->fd;
    large->out = output->fd;
    large->size = (uint64_t)input->st.st_size;
    large->has_holes = (uint64_t)input->st.st_blocks * 512 < large->size;
    large->end = UINT64_MAX;
    large->refs = 1;
    pthread_mutex_lock(&pieces->lock);
    large->next_large = pieces->first;
    pieces->first = large;
    pthread_cond_broadcast(&pieces->changed);
    pthread_mutex_unlock(&pieces->lock);
    copy_pieces(tree, worker, large);
    pthread_mutex_lock(&pieces->lock);
    while (large->active > 0)
        pthread_cond_wait(&pieces->changed, &pieces->lock);
    while (*at != large)
        at = &(*at)->next_large;
    *at = large->next_large;
    pthread_mutex_unlock(&pieces->lock);
    int r = finish(tree, large, ret);
    pieces_unref(tree, large);
    return r;
}

/* ---- help ---- */

void pieces_help(struct tree_copy *tree, struct tree_worker *worker, struct tree_large *large)
{
    copy_pieces(tree, worker, large);
}

void pieces_unref(struct tree_copy *tree, struct tree_large *large)
{
    if (!large)
        return;
    pthread_mutex_lock(&tree->pieces.lock);
    bool is_last = --large->refs == 0;
    pthread_mutex_unlock(&tree->pieces.lock);
    if (is_last)
        free(large);
}

void pieces_add_batch(struct tree_copy *tree)
{
    pthread_mutex_lock(&tree->pieces.lock);
    tree->pieces.batches++;
    pthread_mutex_unlock(&tree->pieces.lock);
}

void pieces_end_batch(struct tree_copy *tree)
{
    pthread_mutex_lock(&tree->pieces.lock);
    tree->pieces.batches--;
    pthread_cond_broadcast(&tree->pieces.changed);
    pthread_mutex_unlock(&tree->pieces.lock);
}

/* A file with pieces left, and with fewer helpers than there are workers besides its owner. */
static struct tree_large *find(const struct tree_copy *tree)
{
    struct tree_large *large = tree->pieces.first;
    while (large && (large->code < 0 || large->helpers + 1 >= tree->jobs || large->next >= large->size))
        large = large->next_large;
    return large;
}

static void wait_a_while(struct tree_pieces *pieces)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&pieces->changed, &pieces->lock, &until);
}

int pieces_next(struct tree_copy *tree, struct tree_batch **ret)
{
    struct tree_pieces *pieces = &tree->pieces;
    struct tree_large *large;
    pthread_mutex_lock(&pieces->lock);
    while (!(large = find(tree)) && pieces->batches > 0 && tree->jobs > 1 && !tree_is_canceled(tree))
        wait_a_while(pieces);
    if (large) {
        large->helpers++;
        large->refs++;
    }
    pthread_mutex_unlock(&pieces->lock);
    if (!large || tree_is_canceled(tree)) {
        pieces_unref(tree, large);
        return LEAT_STAGES_END;
    }
    int r = batch_new(tree, large->dir, ret);
    if (r < 0)
        pieces_unref(tree, large);
    else
        (*ret)->large = large;
    return r;
}
