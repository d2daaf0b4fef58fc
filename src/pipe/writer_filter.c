/* SPDX-License-Identifier: MIT */
/* A filter joins a pipe that is open. */
#include "pipe/chain.h"
#include "pipe/writer.h"

static int refuse(struct leat_error *error, int code, const char *sentence)
{
    return error_at(error, code, LEAT_SIDE_NONE, "pipe", "filter", "%s", sentence);
}

/* A transform needs a place, and each place a chunk of its own. In a kernel pipe one chunk more may be in flight. */
static int make_place(struct pipe *p, struct leat_error *error)
{
    if (p->pool.most < p->places + 1 + p->is_kernel)
        return refuse(
            error, -EINVAL,
            "The memory limit has no chunk for another filter that changes bytes; open the pipe with a larger "
            "limit or smaller chunks");
    return chunk_pool_prepare(&p->pool, p->places + 1);
}

/* The caller takes -EAGAIN and -ETIMEDOUT for "not yet", so a filter's own failure never says that. */
static int add(struct pipe *p, leat_filter *filter, struct leat_error *error)
{
    unsigned caps = filter->ops->caps;
    int r = 0;
    if (p->filters == PIPE_FILTERS_MAX)
        return refuse(error, -E2BIG, "The pipe has 64 filters already");
    if (caps & FILTER_TRANSFORMS)
        r = make_place(p, error);
    if (r == 0 && (caps & FILTER_PACES)) /* A descriptor may be polled already. */
        r = pipe_start_clock(p);
    if (r == 0)
        r = chain_add(p, filter, error);
    if (r == -EAGAIN || r == -ETIMEDOUT)
        r = error->code = -EIO;
    return r;
}

static int refusal(struct pipe *p, struct leat_error *error)
{
    int r = writer_refusal(p);
    return r == -EBUSY ? refuse(error, r, "There is a reservation; commit it first")
           : r < 0     ? refuse(error, r, "The pipe takes no more bytes; leat_writer_error says why")
                       : 0;
}

/* The flush before it makes a clean cut: what was written before is out of the chain, and the new filter is behind it.
 */
static int join(struct pipe *p, leat_filter *filter, int timeout_ms, struct leat_error *error)
{
    struct pipe_limit limit = limit_of(timeout_ms);
    int r = filter ? writer_take_turn(p, &limit) : refuse(error, -EINVAL, "The filter is missing");
    if (r < 0)
        return r;
    r = refusal(p, error);
    while (r == 0 && (r = chain_pass(p, LEAT_FILTER_FLUSH)) == -EAGAIN)
        r = room_wait(p, &limit);
    if (r == 0 && (r = refusal(p, error)) == 0)
        r = add(p, filter, error);
    writer_give_after_call(p, &limit);
    return r;
}

int leat_writer_filter(leat_writer *writer, leat_filter *filter, int timeout_ms, struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    if (r == 0)
        r = error_return(ret_error, &error, join(writer->pipe, filter, timeout_ms, &error));
    if (r < 0 && r != -EAGAIN && r != -ETIMEDOUT)
        leat_filter_free(filter);
    return r;
}
