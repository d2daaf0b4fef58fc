/* SPDX-License-Identifier: MIT */
#include "stages/stages.h"
#include <errno.h>

/* Before the first start the queues are made for the first item. */
static int make_queues(leat_stages *stages)
{
    pthread_mutex_lock(&stages->lock);
    int r = stages->built ? 0 : stages_build(stages);
    pthread_mutex_unlock(&stages->lock);
    return r;
}

static int put(leat_stages *stages, const struct stage_item *items, size_t n, size_t *ret_n, int64_t deadline_ns)
{
    *ret_n = 0;
    int r = atomic_load(&stages->state) == STAGES_NEW ? make_queues(stages) : 0;
    if (r < 0)
        return r;
    r = item_queue_push(&stage_at(stages, 0)->in, items, n, ret_n, deadline_ns, NULL);
    return r == -ECANCELED ? stages_end_code(stages) : r;
}

int leat_stages_put(leat_stages *stages, void *item, int timeout_ms)
{
    size_t n;
    struct stage_item one = {item, stage_size_of(stage_at(stages, 0), item)};
    return put(stages, &one, 1, &n, stage_deadline(timeout_ms));
}

int leat_stages_control(leat_stages *stages, void *control, int timeout_ms)
{
    size_t n;
    struct stage_item one = {control, ITEM_CONTROL};
    return put(stages, &one, 1, &n, stage_deadline(timeout_ms));
}

int leat_stages_put_many(leat_stages *stages, void *const *items, size_t n, size_t *ret_n, int timeout_ms)
{
    int64_t deadline_ns = stage_deadline(timeout_ms);
    int r = 0;
    *ret_n = 0;
    while (r == 0 && *ret_n < n) {
        struct stage_item some[HAND_MAX];
        size_t count = MIN(n - *ret_n, COUNT(some)), done;
        for (size_t i = 0; i < count; i++)
            some[i] = (struct stage_item){items[*ret_n + i], stage_size_of(stage_at(stages, 0), items[*ret_n + i])};
        r = put(stages, some, count, &done, deadline_ns);
        *ret_n += done;
    }
    return r;
}

int leat_stages_take(leat_stages *stages, void **ret_item, int timeout_ms)
{
    struct item_queue *queue = &stages->output.in;
    int64_t deadline_ns = stage_deadline(timeout_ms);
    struct hand hand;
    if (atomic_load(&stages->state) == STAGES_NEW || stages->output.with.workers)
        return -EINVAL;
    hand.wanted = 1;
    hand.n = 0;
    hand.bytes = 0;
    for (;;) {
        int r = item_queue_pop(queue, &hand, deadline_ns, NULL);
        if (r != 0)
            return r == -ECANCELED ? stages_end_code(stages) : r;
        if (!hand.control)
            break;
        if (stages->options.control_done)
            stages->options.control_done(stages->options.user, hand.items[0].item, 0);
    }
    *ret_item = hand.items[0].item;
    item_queue_release(queue, hand.n, hand.bytes);
    return 0;
}

int leat_stages_fd(leat_stages *stages, int *ret_fd)
{
    return atomic_load(&stages->state) == STAGES_NEW ? -EINVAL : item_queue_fd(&stages->output.in, ret_fd);
}
