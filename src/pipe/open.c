/* SPDX-License-Identifier: MIT */
/* Makes and frees pipes, and gives their statistics. */
#include "base/origin.h"
#include "buffer/pool.h"
#include "pipe/chain.h"

#define LIMIT_DEFAULT     (1024 * 1024)
#define CHUNK_MOST        (64 * 1024)
#define KERNEL_CHUNK_MOST (256 * 1024) /* Each chunk is a system call, and perhaps a wake-up. */
/* A larger number is no limit. The list of chunks is allocated, so its size is bounded. */
#define CHUNKS_MOST (1u << 20)
/* Of the limit. With so many, the part of a chunk that was read keeps little from the writer. */
#define CHUNKS 16

static int refuse(struct leat_error *error, int code, const char *sentence)
{
    return error_at(error, code, LEAT_SIDE_NONE, "pipe", "open", "%s", sentence);
}

/* How many chunks the chain may have at once: one for each place. */
static uint64_t least_chunks(const struct leat_pipe_options *o)
{
    uint64_t n = 1;
    for (size_t i = 0; i < o->filter_count; i++)
        n += (o->filters[i]->ops->caps & FILTER_TRANSFORMS) != 0;
    return n;
}

static uint64_t choose_size(const struct pipe *p, const struct leat_pipe_options *o, uint64_t least)
{
    uint64_t size = o->chunk_size;
    if (size)
        return size;
    if (p->is_kernel)
        size = MAX(MIN(p->limit / 4, KERNEL_CHUNK_MOST), PAGE);
    else
        size = MIN(MIN((p->limit - 1) / CHUNKS + 1, CHUNK_MOST), p->limit / least);
    return size < PAGE ? size : pool_size_within((size_t)MIN(size, SIZE_MAX)); /* Of a size that the pool has. */
}

/* How many chunks a queue has that counts bytes. The reader may have read part of the first chunk, so one chunk more is
 * needed. `fit` is how many fit into the limit. */
static uint64_t counted_chunks(struct pipe *p, uint64_t fit)
{
    if (fit == CHUNKS_MOST)
        p->limit = fit * p->chunk_size;
    return (p->limit - 1) / p->chunk_size + ((p->limit - 1) % p->chunk_size != 0) + 1;
}

static int choose_chunks(struct pipe *p, const struct leat_pipe_options *o, struct leat_error *error)
{
    uint64_t least = least_chunks(o);
    if (o->chunk_size > p->limit)
        return refuse(error, -EINVAL, "A chunk can't be larger than the memory limit");
    if (p->limit < least && !p->is_kernel)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "pipe", "open",
                        "The memory limit is too small: these filters need at least %llu bytes",
                        (unsigned long long)least);
    uint64_t size = choose_size(p, o, least), fit = MIN(p->limit / size, CHUNKS_MOST);
    if (size > PTRDIFF_MAX)
        return refuse(error, -ENOMEM, "There is not so much memory");
    if (fit < least && !p->is_kernel)
        return refuse(error, -EINVAL, "The chunks are too large: each filter that changes bytes needs one of its own");
    p->chunk_size = (size_t)size;
    uint64_t chunks = p->is_kernel ? MAX(fit, least + 1) : o->filter_count ? fit : counted_chunks(p, fit);
    budget_init(&p->budget, chunks <= UINT64_MAX / size ? chunks * size : UINT64_MAX);
    p->pool.most = (size_t)chunks;
    return 0;
}

/* The chunk size is not rounded to pages, unlike in other pools: a limit of a few bytes stays a limit of a few
 * bytes. */
static int make_pool(struct pipe *p, leat_pool *store)
{
    size_t most = p->pool.most;
    int r = chunk_pool_init(&p->pool, &p->budget, p->chunk_size, NULL);
    p->pool.chunk_size = p->chunk_size;
    p->pool.most = most;
    /* A chunk that was just read is still in the cache of the reader's processor, from which the writer's would
     * have to fetch it. */
    p->pool.oldest_first = true;
    p->pool.released = pipe_chunk_released;
    p->pool.user = p;
    chunk_pool_share(&p->pool, store);
    return r;
}

static int open_kernel(struct pipe *p, const struct leat_pipe_options *o, struct leat_error *error)
{
    char text[100];
    if (o->memory_limit && o->memory_limit < PAGE)
        return refuse(error, -EINVAL, "A kernel pipe holds at least 4096 bytes; the queue takes any limit");
    size_t size = PAGE;
    while (size <= o->memory_limit / 2 && size < (1u << 30))
        size *= 2;
    int r = kernel_open(&p->kernel, o->memory_limit ? size : 0);
    if (r == -EOPNOTSUPP)
        return refuse(error, r,
                      "The size of a pipe can't be set on this system; leave the limit out, or use the queue");
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "pipe", "pipe", "%s", error_text(r, text, sizeof(text)));
    p->limit = p->kernel.capacity ? p->kernel.capacity : 16 * PAGE;
    return 0;
}

static int open_parks(struct pipe *p)
{
    int r = -pthread_mutex_init(&p->error_lock, NULL);
    if (r < 0)
        return r;
    if ((r = park_init(&p->room)) < 0)
        goto err1;
    if ((r = park_init(&p->bytes)) < 0)
        goto err2;
    if ((r = turn_init(&p->write_turn)) < 0)
        goto err3;
    if ((r = turn_init(&p->read_turn)) < 0)
        goto err4;
    if ((r = clock_init(&p->clock)) < 0)
        goto err5;
    return 0;
err5:
    turn_destroy(&p->read_turn);
err4:
    turn_destroy(&p->write_turn);
err3:
    park_destroy(&p->bytes);
err2:
    park_destroy(&p->room);
err1:
    pthread_mutex_destroy(&p->error_lock);
    return r;
}

static void close_parks(struct pipe *p)
{
    clock_destroy(&p->clock);
    turn_destroy(&p->read_turn);
    turn_destroy(&p->write_turn);
    park_destroy(&p->bytes);
    park_destroy(&p->room);
    pthread_mutex_destroy(&p->error_lock);
}

/* On failure the caller calls pipe_free, which undoes what was done. */
static int open_backend(struct pipe *p, const struct leat_pipe_options *o, struct leat_error *error)
{
    int r = p->is_kernel ? open_kernel(p, o, error) : 0;
    if (r < 0 || (r = choose_chunks(p, o, error)) < 0)
        return r;
    r = make_pool(p, o->pool);
    if (r == 0)
        r = p->is_kernel ? kernel_prepare(&p->kernel, p->pool.most, p->chunk_size)
                         : queue_init(&p->queue, p->pool.most);
    /* Each place can have its chunk now. So an open pipe waits for chunks that are in flight, but never for memory. */
    if (r == 0)
        r = chunk_pool_prepare(&p->pool, (size_t)least_chunks(o));
    if (r < 0)
        return refuse(error, r, "Out of memory");
    for (size_t i = 0; i < o->filter_count && r == 0; i++)
        r = chain_add(p, o->filters[i], error);
    return r;
}

static void pipe_free(struct pipe *p)
{
    chain_stop(p, -ECANCELED);
    queue_destroy(&p->queue);
    if (p->is_kernel)
        kernel_destroy(&p->kernel);
    if (p->pool.user)
        chunk_pool_destroy(&p->pool);
    close_parks(p);
    for (size_t i = 0; i < p->filters; i++)
        leat_filter_free(p->filter[i]);
    free(p);
}

void pipe_unref(struct pipe *p)
{
    if (atomic_fetch_sub(&p->ends, 1) == 1)
        pipe_free(p);
}

static int check(const struct leat_pipe_options *o, struct leat_error *error)
{
    if (enum_check(o->backend, LEAT_PIPE_QUEUE) < 0)
        return refuse(error, -EINVAL, "There is no such backend");
    if (o->filter_count > PIPE_FILTERS_MAX)
        return refuse(error, -EINVAL, "There are more than 64 filters");
    for (size_t i = 0; i < o->filter_count; i++)
        if (!o->filters || !o->filters[i])
            return refuse(error, -EINVAL, "A filter is missing");
    return 0;
}

static int make(struct pipe **ret, const struct leat_pipe_options *o, struct leat_error *error)
{
    int r = check(o, error);
    if (r < 0)
        return r;
    struct pipe *p = calloc(1, sizeof(*p));
    if (!p)
        return refuse(error, -ENOMEM, "Out of memory");
    p->origin = origin_here();
    p->is_kernel = o->backend == LEAT_PIPE_KERNEL;
    kernel_init(&p->kernel);
    p->limit = o->memory_limit ? o->memory_limit : LIMIT_DEFAULT;
    p->writer.pipe = p->reader.pipe = p;
    p->places = 1;
    atomic_init(&p->ends, 2);
    atomic_init(&p->end, GOES_ON);
    if ((r = open_parks(p)) < 0) {
        free(p);
        return refuse(error, r, "Out of memory");
    }
    if ((r = open_backend(p, o, error)) < 0) {
        p->filters = 0; /* On failure the filters stay the caller's. */
        pipe_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

int leat_pipe_open(leat_writer **ret_writer, leat_reader **ret_reader, const struct leat_pipe_options *options,
                   struct leat_error *ret_error)
{
    struct leat_pipe_options o;
    struct pipe *p = NULL;
    struct leat_error error = LEAT_INIT(struct leat_error);
    int copied = options_copy(&o, sizeof(o), options), r = error_begin(ret_error);
    if (r == 0 && copied < 0)
        refuse(&error, copied, "The options are not those of this version");
    if (r == 0)
        r = error_return(ret_error, &error, copied < 0 ? copied : make(&p, &o, &error));
    if (r < 0) {
        for (size_t i = 0; o.filters && i < o.filter_count; i++)
            leat_filter_free(o.filters[i]);
        return r;
    }
    *ret_writer = &p->writer;
    *ret_reader = &p->reader;
    return 0;
}

/* The counts are not of the same moment, and a reader may count bytes before the writer does. */
static uint64_t difference(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* A reader that would have to wait moves on what lies in the chain, so without transforms it gets all that was written.
 * Nobody counts what other code reads from a descriptor. */
static uint64_t unread(struct pipe *p)
{
    if (p->is_kernel && kernel_is_lent(&p->kernel))
        return UINT64_MAX;
    uint64_t taken = atomic_load(&p->taken);
    bool all = p->places == 1 && !pipe_has_ended(p);
    return pipe_is_broken(p) ? 0 : difference(atomic_load(all ? &p->written : &p->pushed), taken);
}

static uint64_t room(struct pipe *p)
{
    if (p->is_kernel && kernel_is_lent(&p->kernel))
        return UINT64_MAX;
    if (pipe_is_broken(p) || pipe_has_ended(p))
        return 0;
    if (!p->is_kernel && !pipe_counts_bytes(p))
        return (uint64_t)chunk_pool_left(&p->pool) * p->chunk_size;
    uint64_t gone = atomic_load(&p->taken) + (p->is_kernel ? atomic_load(&p->kernel.buffered) : 0);
    return difference(p->limit, difference(atomic_load(&p->pushed), gone));
}

static int stats(struct pipe *p, struct leat_pipe_stats *ret)
{
    struct leat_pipe_stats s = {
        .size = sizeof(s),
        .backend = p->is_kernel ? LEAT_PIPE_KERNEL : LEAT_PIPE_QUEUE,
        .zero_copy = p->is_kernel && atomic_load(&p->kernel.spliced),
        .memory_limit = p->is_kernel || pipe_counts_bytes(p) ? p->limit : p->budget.limit,
        .chunk_size = p->chunk_size,
        .bytes_in = atomic_load(&p->written),
        .bytes_out = atomic_load(&p->taken),
        .high_water = atomic_load(&p->high_water),
        .writer_blocked_ns = atomic_load(&p->writer_blocked_ns),
        .reader_blocked_ns = atomic_load(&p->reader_blocked_ns),
        .unread = unread(p),
        .room = room(p),
    };
    return return_sized(ret, &s, sizeof(s));
}

int leat_writer_stats(const leat_writer *writer, struct leat_pipe_stats *ret_stats)
{
    return stats(writer->pipe, ret_stats);
}

int leat_reader_stats(const leat_reader *reader, struct leat_pipe_stats *ret_stats)
{
    return stats(reader->pipe, ret_stats);
}
